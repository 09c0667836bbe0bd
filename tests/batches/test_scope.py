"""Tasks and commands enter a workspace's scope by themselves, and see that workspace alone."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from batches import engine
from conversations.models import Conversation
from convgen.tenancy import EVERY, NOTHING, workspace_scope
from generation.simulated.server import SimulatedClaude
from tests.batches.conftest import Make
from tests.factories import ConversationFactory

pytestmark = pytest.mark.django_db(transaction=True)


def _run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_a_slice_sees_its_workspace_alone(claude: SimulatedClaude, batch: Make, settings: Any) -> None:
    job = batch(2)
    ConversationFactory()  # another workspace's
    settings.BATCH_SLICE_SECONDS = 0  # nothing begins, and all is left
    seen: list[Any] = []
    with workspace_scope(NOTHING):
        engine.run_slice(
            job.pk, on_unfinished=lambda _job: seen.extend(Conversation.objects.values_list("workspace_id", flat=True))
        )
    assert seen == [job.workspace_id] * 2


def test_every_command_works_without_a_scope_around_it(claude: SimulatedClaude, tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    with workspace_scope(NOTHING):
        assert "14 templates" in _run("load_starter")
        assert "20 succeeded" in _run("generate_batch", "--tier", "edge_case", "--inline", "--concurrency", "10")
        assert "completed" in _run("batch", "status")
        _run("export_conversations", "--status", "all", "--include-simulated", "--output", str(file))
    assert len(file.read_text().splitlines()) == 20


def test_a_command_reaches_its_workspace_alone(claude: SimulatedClaude) -> None:
    ours = ConversationFactory(conversation_id="TPL-0001")
    theirs = ConversationFactory(conversation_id="TPL-0001")
    with workspace_scope(NOTHING):
        _run("generate_conversation", "TPL-0001", "--workspace", ours.workspace.slug)
    with workspace_scope(EVERY):
        theirs.refresh_from_db()
    assert theirs.status == "draft"
