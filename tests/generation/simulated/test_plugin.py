"""The pytest plugin, as somebody else's tests would use it, and that the page on it tells what there is."""

import os
import re
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from django.core.management import load_command_class

from generation.simulated.faults import FAULTS
from generation.simulated.script import BATCHED_ONLY, ENDPOINTS

PAGE = Path(settings.BASE_DIR) / "docs" / "simulated-claude.md"


def test_the_pages_example_runs_in_a_project_of_its_own(tmp_path: Path) -> None:
    conftest, example = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_example.py").write_text(example)
    (tmp_path / "pytest.ini").write_text("[pytest]\nDJANGO_SETTINGS_MODULE = convgen.settings\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(settings.BASE_DIR), "CONVGEN_VAR_DIR": str(tmp_path / "var")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{example.count('def test_')} passed" in done.stdout


def test_the_page_tells_of_every_fault_endpoint_and_option() -> None:
    page = PAGE.read_text()
    command = load_command_class("generation", "simulate_claude").create_parser("manage.py", "simulate_claude")
    ours = (
        command._option_string_actions.keys()
        - load_command_class("django.core", "check").create_parser("manage.py", "check")._option_string_actions.keys()
    )
    assert "--faults" in ours
    for name in (*FAULTS, *BATCHED_ONLY, *ENDPOINTS, *ours):
        assert f"`{name}`" in page or f'"{name}"' in page, name
