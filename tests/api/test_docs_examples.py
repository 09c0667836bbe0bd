"""The walk-throughs of docs/api are run as they stand there: on a real site with a real worker and simulated Claude."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django.core.validators
import django.forms
import pytest
import rest_framework
from django.conf import settings
from knox.models import AuthToken

from conversations.models import Conversation, Workspace
from convgen.api.description import description
from convgen.api.schema import ERRORS
from convgen.models import User
from generation.errors import GenerationError
from generation.simulated.server import SimulatedClaude
from tests.processes import environment, web, worker

PLACE = Path(settings.BASE_DIR, "docs/api")
OURS = ("convgen", "conversations", "generation", "batches")
PAGES = sorted(PLACE.glob("*.md"))
SKIPPED = r"(<!-- skipped: (?P<reason>[^>]+) -->\n)?"
EXAMPLE = re.compile(SKIPPED + r"```(?P<language>bash|python)\n(?P<text>.*?)```", re.DOTALL)


def examples(page: str, language: str) -> list[str]:
    """What is to be run of a page, in order."""
    found = EXAMPLE.finditer((PLACE / page).read_text())
    return [each["text"] for each in found if each["language"] == language and not each["reason"]]


@pytest.fixture
def site(transactional_db: None, claude: SimulatedClaude, starter: Workspace) -> Iterator[str]:
    """The address of a site with the starter workspace, whose worker works."""
    User.objects.create_superuser("maria")
    with worker(BATCH_SLICE_SECONDS="20"), web() as address:
        yield address


def run(command: list[str], folder: Path, **extra: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment(**extra), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def written() -> list[Conversation]:
    return list(Conversation.objects.filter(tier="edge_case", status="approved"))


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="needs curl and jq")
def test_the_walk_through_with_curl_leads_from_a_token_to_an_export(site: str, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "manage.py").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{settings.BASE_DIR}/manage.py" "$@"\n')
    (programs / "manage.py").chmod(0o755)
    script = "set -euo pipefail\n" + "\n".join(examples("walkthrough-curl.md", "bash"))
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    told = run(["bash", "-c", script], tmp_path, CONVGEN=site, PATH=path)
    assert '"role": "system"' in told or '"role": "user"' in told
    assert (tmp_path / "training.jsonl").read_text().count("\n") == len(written()) > 0


def test_the_walk_through_with_python_leads_from_a_token_to_an_export(site: str, tmp_path: Path) -> None:
    _row, token = AuthToken.objects.create(User.objects.get())
    script = "\n".join(examples("walkthrough-python.md", "python"))
    told = run([sys.executable, "-c", script], tmp_path, CONVGEN=site, TOKEN=token)
    assert f"{len(written())} conversations in training.jsonl" in told
    assert (tmp_path / "training.jsonl").read_text().count("\n") == len(written()) > 0
    assert "look at it again in a month" in (tmp_path / "training.jsonl").read_text()


def test_every_example_is_run_or_says_why_not() -> None:
    run_here = {("walkthrough-curl.md", "bash"), ("walkthrough-python.md", "python")}
    others = [
        page.name
        for page in PAGES
        for each in EXAMPLE.finditer(page.read_text())
        if (page.name, each["language"]) not in run_here and not each["reason"]
    ]
    assert others == []


def test_every_code_in_the_documentation_is_one_of_the_codes() -> None:
    """Those of our own are in our code, those of libraries in theirs."""
    text = (PLACE / "errors.md").read_text()
    named = set(re.findall(r"^\| \d{3} \| `(\w+)` \|", text, re.MULTILINE))
    named |= set(re.findall(r"`(\w+)`", text.split("## Codes of a value (400)")[1].split("##")[0]))
    claude = {error.code() for error in _with_descendants(GenerationError)}
    places = [*(Path(settings.BASE_DIR, app) for app in OURS), Path(rest_framework.__file__).parent]
    places += [Path(django.forms.__file__).parent, Path(django.core.validators.__file__)]
    sources = [path for place in places for path in ([place] if place.is_file() else place.rglob("*.py"))]
    spelled = {quoted for path in sources for quoted in re.findall(r"[\"'](\w+)[\"']", path.read_text())}
    assert sorted(named - claude - spelled) == []


def _with_descendants(error: type[Exception]) -> set[Any]:
    return {error}.union(*(_with_descendants(child) for child in error.__subclasses__()))


def test_every_filter_of_the_conversations_is_documented() -> None:
    text = (PLACE / "pagination-and-filters.md").read_text()
    table = text.split("| filter of `conversations/` |")[1].split("\n\n")[0]
    first_cells = re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)
    named = set(re.findall(r"`(\w+)`", " ".join(first_cells)))
    told = description()["paths"]["/api/conversations/"]["get"]["parameters"]
    assert named == {each["name"] for each in told if each["in"] == "query"} - {"cursor", "page_size", "ordering"}


def test_every_status_of_the_schema_is_documented() -> None:
    text = (PLACE / "errors.md").read_text()
    assert [status for status in ERRORS if f"| {status} |" not in text] == []
