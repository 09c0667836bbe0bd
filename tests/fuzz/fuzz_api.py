"""The API as a stranger's program would use it: thousands of requests made up from the schema, right and wrong ones.

`make fuzz` runs it for FUZZ_SECONDS on a site and a database of its own, with a worker and simulated Claude. What it
checks, and what it leaves out and why, stands in `schemathesis.toml`.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from knox.models import AuthToken

from conversations.models import Workspace
from convgen.api.throttling import Group
from convgen.models import User
from generation.simulated.server import SimulatedClaude
from tests.processes import environment, web, worker

SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))
GENEROUS = {group.value: "0" for group in Group}  # any number: here, a hundred a second are no abuse


@pytest.mark.django_db(transaction=True)
def test_whatever_is_sent_is_answered_as_the_schema_tells(
    claude: SimulatedClaude, starter: Workspace, tmp_path: Path
) -> None:
    _row, token = AuthToken.objects.create(User.objects.create_superuser("stranger"))
    seconds = os.environ.get("FUZZ_SECONDS", "600")
    log = tmp_path / "site.log"
    with log.open("wb") as written, worker(LOG_LEVEL="ERROR"), web(log=written, **GENEROUS) as address:
        command = [SCHEMATHESIS, "run", f"{address}/api/schema/", "--max-time", seconds, "--no-color"]
        told = {**environment(), "CONVGEN_TOKEN": token}
        done = subprocess.run(command, env=told, cwd=settings.BASE_DIR, check=False)
    assert done.returncode == 0, f"What it found stands above, and what the site says to it in {log}."
