"""The API as a stranger's program would use it: thousands of requests made up from the schema, right ones and wrong ones.

`make fuzz` runs it for FUZZ_SECONDS on a site and a database of its own, with a worker and simulated Claude. What it
checks, and what it leaves out and why, stands in `schemathesis.toml`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from knox.models import AuthToken

from conversations.models import Workspace
from convgen.models import User
from generation.simulated.server import SimulatedClaude
from tests.processes import environment, web, worker

# A hundred requests a second are no abuse here.
GENEROUS = {
    f"API_{group}_PER_MINUTE": "0" for group in ("READS", "POLLS", "WRITES", "GENERATIONS", "ANONYMOUS")
}  # any number


@pytest.mark.django_db(transaction=True)
def test_the_api_answers_whatever_is_sent_as_its_schema_says(
    claude: SimulatedClaude, starter: Workspace, tmp_path: Path
) -> None:
    user = User.objects.create_superuser("fuzz")
    _row, token = AuthToken.objects.create(user)
    report = tmp_path / "report.json"
    with worker(), web(**GENEROUS) as address:
        run = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{address}/api/schema/"),
                *("--max-time", os.environ.get("FUZZ_SECONDS", "600"), "--workers", "2", "--no-color"),
                *("--report-json-path", str(report)),
            ],
            env={**environment(), "CONVGEN_TOKEN": token},
            cwd=settings.BASE_DIR,
        )
    print(json.dumps(json.loads(report.read_text()).get("stats", {}), indent=1)[:2000])
    assert run.returncode == 0
