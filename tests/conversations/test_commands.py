"""`manage.py load_starter` and `manage.py export_conversations`."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.core.management import CommandError, call_command
from django.db import connection

from conversations.choices import Status
from conversations.models import Conversation, Export, Workspace
from tests.factories import ConversationFactory, TurnFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db


def _told(command: str, *arguments: str) -> tuple[str, str]:
    """What a command writes: for people, and of errors."""
    out, error = StringIO(), StringIO()
    call_command(command, *arguments, stdout=out, stderr=error)
    return out.getvalue(), error.getvalue()


def _approved(workspace: Workspace, **values: Any) -> Conversation:
    made: Conversation = ConversationFactory(workspace=workspace, **{"status": Status.APPROVED, **values})
    TurnFactory(conversation=made, position=1, role="user", content="Hello?")
    TurnFactory(conversation=made, position=2, role="assistant", content="Hello.")
    return made


# --- load_starter -----------------------------------------------------------------------------------------


def test_load_starter_says_what_it_created_and_the_second_time_that_nothing_was_missing() -> None:
    first, _error = _told("load_starter")
    assert first.startswith("Workspace “Kestrel Lane Financial Planning”: ")
    assert "14 templates, 3 documents" in first
    assert _told("load_starter") == ("Workspace “Kestrel Lane Financial Planning”: nothing was missing.\n", "")


# --- export_conversations ---------------------------------------------------------------------------------


def test_export_writes_below_var_and_says_where(settings: Any) -> None:
    _approved(WorkspaceFactory(slug="practice", is_default=True))
    told, error = _told("export_conversations")
    (file,) = (settings.VAR_DIR / "exports" / "practice").iterdir()
    assert told == f"Exported 1 conversations to {file}\n"
    assert error == ""
    assert json.loads(file.read_text())["messages"][0] == {"role": "user", "content": "Hello?"}


def test_export_takes_the_workspace_and_the_file_that_are_named(tmp_path: Path) -> None:
    WorkspaceFactory(is_default=True)
    _approved(WorkspaceFactory(slug="second"))
    path = tmp_path / "mine.jsonl"
    told, _error = _told("export_conversations", "--workspace", "second", "--output", str(path))
    assert str(path) in told
    assert path.exists()
    assert Export.objects.get().workspace.slug == "second"


def test_export_names_what_it_skipped(tmp_path: Path) -> None:
    workspace = WorkspaceFactory(is_default=True)
    _approved(workspace)
    broken = _approved(workspace, conversation_id="TPL-0077")
    broken.turns.filter(role="assistant").delete()
    told, error = _told("export_conversations", "--output", str(tmp_path / "training.jsonl"))
    assert told.startswith("Exported 1 conversations")
    assert error == "Skipped TPL-0077: it does not end with the assistant.\n"


def test_export_takes_simulated_ones_by_name_alone(tmp_path: Path) -> None:
    _approved(WorkspaceFactory(is_default=True), simulated=True)
    output = ("--output", str(tmp_path / "training.jsonl"))
    with pytest.raises(CommandError, match="All 1 approved conversations are simulated"):
        _told("export_conversations", *output)
    told, _error = _told("export_conversations", "--include-simulated", *output)
    assert told.startswith("Exported 1 conversations")


def test_export_takes_several_statuses_a_tier_and_conversations_one_by_one(tmp_path: Path) -> None:
    workspace, output = WorkspaceFactory(is_default=True), ("--output", str(tmp_path / "training.jsonl"))
    _approved(workspace, tier="scenario")
    named = _approved(workspace, status=Status.GENERATED, tier="template", conversation_id="TPL-0007")

    def taken(*arguments: str) -> int:
        told, _error = _told("export_conversations", *arguments, *output)
        return int(told.split()[1])

    assert taken("--status", "approved", "generated") == 2
    assert taken("--status", "all", "--tier", "template") == 1
    assert taken("--conversation-ids", "tpl-0007") == taken("--conversation-ids", str(named.pk)) == 1
    assert [record.scope for record in Export.objects.order_by("created_at")] == ["several", "all", "chosen", "chosen"]


def test_export_says_the_same_as_the_api_of_conversations_that_cannot_be_taken(tmp_path: Path) -> None:
    workspace, output = WorkspaceFactory(is_default=True), ("--output", str(tmp_path / "training.jsonl"))
    _approved(workspace, conversation_id="TPL-0001")
    _approved(WorkspaceFactory(), conversation_id="OTHER-1")
    ConversationFactory(workspace=workspace, status=Status.DRAFT, conversation_id="TPL-0009")
    with pytest.raises(CommandError, match=r"^In this workspace there is no OTHER-1\.$"):
        _told("export_conversations", "--conversation-ids", "TPL-0001", "OTHER-1", *output)
    with pytest.raises(CommandError, match=r"^Only what is written and in use is exported, not TPL-0009 \(draft\)\.$"):
        _told("export_conversations", "--conversation-ids", "TPL-0009", *output)
    with pytest.raises(CommandError, match="Name conversations, or choose them by status and tier; not both"):
        _told("export_conversations", "--conversation-ids", "TPL-0001", "--tier", "template", *output)
    assert not Export.objects.exists()
    assert not (tmp_path / "training.jsonl").exists()


def test_export_of_an_unknown_workspace_names_those_that_there_are() -> None:
    WorkspaceFactory(slug="first")
    with pytest.raises(CommandError, match=r"There is no workspace “third”\. Choose one with --workspace: first."):
        _told("export_conversations", "--workspace", "third")


def test_export_knows_the_statuses_and_formats_that_there_are() -> None:
    with pytest.raises(CommandError, match="invalid choice: 'draft'"):
        _told("export_conversations", "--status", "draft")
    with pytest.raises(CommandError, match="invalid choice: 'pdf'"):
        _told("export_conversations", "--format", "pdf")


@pytest.mark.django_db(transaction=True)
def test_a_mistake_is_one_line_and_exit_code_1() -> None:
    WorkspaceFactory(is_default=True)
    environment = {**os.environ, **_this_database(), "PYTHONUTF8": "1"}
    command = [sys.executable, "manage.py", "export_conversations"]
    done = subprocess.run(command, cwd=project.BASE_DIR, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("CommandError: There are no approved conversations to export.")
    assert done.stderr.count("\n") == 1


def _this_database() -> dict[str, str]:
    """The environment in which another process uses the tests' database."""
    values = connection.settings_dict
    if str(values["HOST"]).startswith("/"):
        address = f"postgresql://{values['USER']}@/{values['NAME']}?host={values['HOST']}&port={values['PORT']}"
    else:
        address = (
            f"postgresql://{values['USER']}:{values['PASSWORD']}@{values['HOST']}:{values['PORT']}/{values['NAME']}"
        )
    return {"DATABASE_URL": address}
