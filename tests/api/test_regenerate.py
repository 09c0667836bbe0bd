"""`POST conversations/{id}/regenerate/`: the next version, at once or by the workers."""

from typing import Any

import pytest

from batches.models import BatchJob
from conversations.models import Chunk, Conversation, Workspace
from generation.service import generate
from generation.simulated.server import SimulatedClaude
from tests.api_client import Api, problems, told
from tests.factories import ChunkFactory, ConversationFactory, DocumentFactory

pytestmark = pytest.mark.django_db(transaction=True)

KEY = {"HTTP_IDEMPOTENCY_KEY": "one-and-the-same"}


@pytest.fixture
def written(claude: SimulatedClaude, workspace: Workspace) -> Conversation:
    return generate(ConversationFactory(workspace=workspace, parameters={"age": 41}).pk)


@pytest.fixture
def chunk(workspace: Workspace) -> Chunk:
    return ChunkFactory(document=DocumentFactory(workspace=workspace))


def test_the_next_version_is_written_and_the_former_archived(curator: Api, written: Conversation, chunk: Chunk) -> None:
    changes = {"emotion": "Relieved", "parameters": {"city": "Oslo"}, "chunk": str(chunk.pk), "category": "Savings"}
    answer = curator.post(f"conversations/{written}/regenerate/", changes)
    assert answer.status_code == 201
    version = answer.json()["conversation"]
    assert (version["conversation_id"], version["version"]) == (f"{written}-v2", 2)
    assert (version["parent"], version["persona"]) == (str(written.pk), written.persona)
    assert (version["emotion"], version["parameters"], version["category"]) == ("Relieved", {"city": "Oslo"}, "Savings")
    assert (version["chunk"], version["document"]) == (str(chunk.pk), str(chunk.document_id))
    written.refresh_from_db()
    assert written.status == "archived"


def test_how_claude_is_asked_can_be_said_for_this_once(
    curator: Api, claude: SimulatedClaude, written: Conversation
) -> None:
    curator.post(f"conversations/{written.pk}/regenerate/", {"configuration": {"effort": "low"}})
    assert claude.requests[-1]["output_config"]["effort"] == "low"


def test_a_source_is_one_of_the_workspace_and_what_is_wrong_is_told_by_field(
    curator: Api, written: Conversation, elsewhere: Workspace
) -> None:
    foreign = ChunkFactory(document=DocumentFactory(workspace=elsewhere))
    body = {"chunk": str(foreign.pk), "persona": "x" * 201, "parameters": [1]}
    refused = curator.post(f"conversations/{written}/regenerate/", body)
    for nothing in ("x", 1, True, [], {}, "\0"):
        assert "chunk" in problems(curator.post(f"conversations/{written}/regenerate/", {"chunk": nothing}), 400)
    assert problems(refused, 400) == {"chunk": "does_not_exist", "persona": "max_length", "parameters": "no_object"}


def test_a_draft_and_a_replaced_version_cannot_be_regenerated(
    curator: Api, written: Conversation, workspace: Workspace
) -> None:
    draft = ConversationFactory(workspace=workspace, conversation_id="TPL-9999")
    refused = curator.post(f"conversations/{draft}/regenerate/")
    assert problems(refused, 409) == {None: "not_regenerable"}
    curator.post(f"conversations/{written}/regenerate/")
    replaced = curator.post(f"conversations/{written}/regenerate/")
    assert f"its current version is {written}-v2" in told(replaced)


def test_what_cannot_be_asked_is_not_prepared(curator: Api, claude: SimulatedClaude, written: Conversation) -> None:
    hot = curator.post(f"conversations/{written}/regenerate/", {"configuration": {"temperature": 1}})
    assert problems(hot, 400) == {"non_field_errors": "configuration_invalid"}
    assert Conversation.objects.count() == len(claude.requests) == 1


def test_a_role_that_may_not_and_another_workspace_are_refused(
    operator: Api, curator: Api, written: Conversation, claude: SimulatedClaude, elsewhere: Workspace
) -> None:
    assert problems(operator.post(f"conversations/{written}/regenerate/"), 403) == {None: "permission_denied"}
    foreign = generate(ConversationFactory(workspace=elsewhere).pk)
    assert problems(curator.post(f"conversations/{foreign.pk}/regenerate/"), 404) == {None: "not_found"}
    assert Conversation.objects.count() == 2


def test_sent_again_it_is_the_version_that_the_first_one_made(
    curator: Api, claude: SimulatedClaude, written: Conversation
) -> None:
    path = f"conversations/{written}/regenerate/"
    first, again = curator.post(path, {}, **KEY), curator.post(path, {}, **KEY)
    assert (first.status_code, again.status_code, again["Idempotent-Replayed"]) == (201, 201, "true")
    assert first.json() == again.json()
    assert Conversation.objects.count() == len(claude.requests) == 2


def test_one_that_failed_leaves_the_former_as_it_was_and_is_taken_up(
    curator: Api, claude: SimulatedClaude, written: Conversation
) -> None:
    path = f"conversations/{written}/regenerate/"
    claude.behaviour.script.extend(["529"] * 3)
    failed = curator.post(path, {"emotion": "Relieved"}, **KEY)
    assert problems(failed, 503) == {None: "overloaded"}
    assert f"{written}-v2 is kept (failed)" in told(failed)
    written.refresh_from_db()
    assert written.status == "generated"
    again = curator.post(path, {"emotion": "Relieved"}, **KEY)
    assert again.json()["conversation"]["conversation_id"] == f"{written}-v2"
    assert again.json()["conversation"]["emotion"] == "Relieved"


def test_respond_async_orders_it_once(curator: Api, claude: SimulatedClaude, written: Conversation) -> None:
    path, options = f"conversations/{written}/regenerate/", {**KEY, "HTTP_PREFER": "respond-async"}
    body: dict[str, Any] = {"topic": "Rent", "configuration": {"effort": "high"}}
    accepted = curator.post(path, body, **options)
    assert curator.post(path, body, **options).status_code == accepted.status_code == 202
    version, job = Conversation.objects.get(version=2), BatchJob.objects.get()
    assert accepted["Location"] == f"http://testserver/api/conversations/{version.pk}/status/"
    assert (version.topic, job.effort, job.priority, job.name) == ("Rent", "high", "high", f"Regenerate {written}")
    assert problems(curator.post(path, body, HTTP_PREFER="respond-async"), 409) == {None: "conflict"}
