"""*Regenerate*: the page, what it is filled in with, what it orders, and who may."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from batches.models import BatchJob
from batches.planning import Order, create
from conversations import versions
from conversations.models import Conversation, Workspace
from generation.service import generate
from generation.simulated.server import SimulatedClaude
from tests.admin_pages import member, page_of, said
from tests.factories import ChunkFactory, ConversationFactory, DimensionFactory, PromptTemplateFactory, WorkspaceFactory
from tests.processes import eventually, worker
from tests.statuses import put

pytestmark = pytest.mark.django_db

VARIABLES = [
    {"name": "city", "type": "text", "help_text": "Where she lives."},
    {"name": "age", "type": "number", "default": "40"},
    {"name": "season", "type": "dropdown", "options": ["spring", "autumn"]},
]


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory()


@pytest.fixture
def original(workspace: Workspace) -> Conversation:
    chunk = ChunkFactory(document__workspace=workspace)
    made: Conversation = ConversationFactory(
        workspace=workspace,
        conversation_id="TPL-0001",
        status="approved",
        turn_count=8,
        template=PromptTemplateFactory(workspace=workspace, variables=VARIABLES),
        parameters={"city": "Oslo", "age": 41, "children": ["Ada", "Max"], "note": "as it was"},
        chunk=chunk,
        document=chunk.document,
    )
    for kind, name in [("emotion", "Hopeful"), ("emotion", "Anxious"), ("tone", "Warm")]:
        DimensionFactory(workspace=workspace, kind=kind, name=name)
    DimensionFactory(kind="emotion", name="Of another workspace")
    return made


def regenerate_page(conversation: Conversation) -> str:
    return reverse("admin:conversations_conversation_regenerate", args=[conversation.pk])


def filled_in(client: Client, conversation: Conversation, **changes: Any) -> dict[str, Any]:
    """What a browser would send if the form were sent as it stands, with some changes."""
    response = client.get(regenerate_page(conversation))
    assert response.status_code == 200
    values = {bound.html_name: bound.value() for bound in response.context["form"]}
    return {**{name: value for name, value in values.items() if value is not None}, **changes}


def test_the_form_is_filled_in_with_what_the_conversation_was_made_with(
    curator: Client, original: Conversation
) -> None:
    values = filled_in(curator, original)
    assert (values["emotion"], values["persona"], values["tone"]) == ("Anxious", "Careful saver", "")
    assert (values["variable_city"], values["variable_age"], values["variable_season"]) == ("Oslo", "41", "")
    assert values["others"] == 'note = as it was\nchildren = ["Ada", "Max"]', "in PostgreSQL's order"
    assert values["chunk"] == original.chunk_id
    page = curator.get(regenerate_page(original)).content.decode()
    assert "Hopeful" in page and "Of another workspace" not in page
    assert "Left empty, it is: 40." in page and "Where she lives." in page


def test_sent_as_it_stands_the_next_version_is_made_of_the_same(curator: Client, original: Conversation) -> None:
    assert curator.post(regenerate_page(original), filled_in(curator, original)).status_code == 302
    version = Conversation.objects.get(version=2)
    for name in ("parameters", "chunk", "document", "persona", "emotion", "topic", "intent", "tone"):
        assert getattr(version, name) == getattr(original, name), name


def test_what_is_changed_is_ordered_as_a_batch_of_one_that_goes_first(
    curator: Client, original: Conversation, django_capture_on_commit_callbacks: Any
) -> None:
    changes = {
        "emotion": "Hopeful",
        "tone": "Warm",
        "variable_city": "Bergen",
        "variable_age": "",
        "variable_season": "spring",
        "others": 'children = ["Ada"]\r\npet = a dog = Rex',
    }
    before = Conversation.objects.filter(pk=original.pk).values().get()
    with django_capture_on_commit_callbacks(execute=True):
        response = curator.post(regenerate_page(original), filled_in(curator, original, **changes))
    version = Conversation.objects.get(version=2)
    assert response.url == page_of(version, "making")  # type: ignore[attr-defined]
    assert "It is next: a worker takes it up in a moment." in curator.get(response.url).content.decode()  # type: ignore[attr-defined]
    assert (version.emotion, version.tone) == ("Hopeful", "Warm")
    assert version.parameters == {"city": "Bergen", "season": "spring", "children": ["Ada"], "pet": "a dog = Rex"}
    job = BatchJob.objects.get()
    assert (job.name, job.priority, job.total_items, job.status) == ("Regenerate TPL-0001", "high", 1, "processing")
    assert job.items.get().conversation_id == version.pk
    assert job.created_by == version.created_by
    assert Conversation.objects.filter(pk=original.pk).values().get() == before


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"variable_age": "forty"}, "age must be a number"),
        ({"variable_season": "winter"}, "winter is not one of the available choices"),
        ({"emotion": "Of another workspace"}, "is not one of the available choices"),
        ({"others": "Oslo"}, "Each line is a name, =, and a value, unlike: Oslo"),
        ({"others": "pet = Rex\npet = Ada"}, "pet is given twice"),
        ({"others": "city = Bergen"}, "city has a field of its own above"),
    ],
)
def test_a_mistake_is_marked_and_nothing_is_ordered(
    curator: Client, original: Conversation, changes: dict[str, str], complaint: str
) -> None:
    page = curator.post(regenerate_page(original), filled_in(curator, original, **changes)).content.decode()
    assert complaint in page
    assert not Conversation.objects.filter(version=2).exists()
    assert not BatchJob.objects.exists()


def test_what_failed_is_taken_up_with_what_it_was_to_be_made_with(curator: Client, original: Conversation) -> None:
    put(versions.prepare(original, {"emotion": "Hopeful"}), "failed")
    assert filled_in(curator, original)["emotion"] == "Hopeful"
    assert (
        "TPL-0001-v2 was begun before and not written (failed)"
        in curator.get(regenerate_page(original)).content.decode()
    )
    curator.post(regenerate_page(original), filled_in(curator, original, tone="Warm"))
    version = Conversation.objects.get(version=2)
    assert (version.emotion, version.tone) == ("Hopeful", "Warm")
    assert BatchJob.objects.get().items.get().conversation_id == version.pk


def test_one_that_a_batch_is_at_already_is_refused_and_left_as_it_was(curator: Client, original: Conversation) -> None:
    version = versions.prepare(original)
    create(Order(original.workspace, selection="chosen", chosen=[str(version.pk)]))
    page = curator.post(regenerate_page(original), filled_in(curator, original, emotion="Hopeful")).content.decode()
    assert "no batch works on" in page and "Nothing is generated yet." in page
    version.refresh_from_db()
    assert version.emotion == "Anxious"
    assert BatchJob.objects.count() == 1


def test_the_middle_of_a_chain_is_refused_in_words(curator: Client, original: Conversation) -> None:
    version = versions.prepare(original)
    versions.supersede(version)
    put(version, "generated", turn_count=8)
    for ask in (curator.get, curator.post):
        response = ask(regenerate_page(original))
        assert response.url == page_of(original)  # type: ignore[attr-defined]
        assert "its current version is TPL-0001-v2: regenerate that one" in said(response)[0]
    assert Conversation.objects.count() == 2


def test_the_page_of_a_conversation_leads_there_where_it_can_be_regenerated(
    curator: Client, original: Conversation, workspace: Workspace
) -> None:
    link = f'href="{regenerate_page(original)}" data-dialog'
    assert link in curator.get(page_of(original)).content.decode()
    version = versions.prepare(original)
    assert link in curator.get(page_of(version)).content.decode(), "what was begun is taken up"
    put(version, "generating", claim=version.pk)
    for page in (original, version, ConversationFactory(workspace=workspace)):
        assert "/regenerate/" not in curator.get(page_of(page)).content.decode()


def test_regenerating_takes_the_permission_to_add_a_batch(workspace: Workspace, original: Conversation) -> None:
    client = member(workspace, "curator", without=["add_batchjob"])
    assert "/regenerate/" not in client.get(page_of(original)).content.decode()
    assert client.get(regenerate_page(original)).status_code == 403
    assert client.post(regenerate_page(original), {"emotion": "Anxious"}).status_code == 403
    assert not Conversation.objects.filter(version=2).exists()


def test_a_conversation_of_another_workspace_is_not_regenerated(curator: Client) -> None:
    foreign = ConversationFactory(status="approved", turn_count=8)
    response = curator.post(regenerate_page(foreign), {"emotion": "Anxious"})
    assert response.url == reverse("admin:index")  # type: ignore[attr-defined]
    assert not Conversation.objects.filter(version=2).exists()


@pytest.mark.django_db(transaction=True)
def test_a_worker_writes_the_version_and_archives_the_original(claude: SimulatedClaude) -> None:
    workspace = WorkspaceFactory()
    original = generate(ConversationFactory(workspace=workspace, conversation_id="TPL-0001").pk)
    client = member(workspace, "curator")
    client.post(regenerate_page(original), filled_in(client, original))
    with worker():
        eventually(lambda: BatchJob.objects.get().status == "completed", seconds=40)
    original.refresh_from_db()
    version = Conversation.objects.get(version=2)
    assert (original.status, version.turn_count > 0) == ("archived", True)
    page = client.get(page_of(version)).content.decode()
    assert "Conversation regenerated. The previous version, TPL-0001, is archived." in page
