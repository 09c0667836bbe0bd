"""Near duplicates: found among the live conversations of the same workspace."""

from uuid import UUID, uuid4

import pytest
from django.db import ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from conversations.choices import NOT_LIVE, Status
from conversations.models import Conversation, Fingerprint, Workspace
from conversations.quality import bands, signature
from conversations.similarity import Nearest, nearest, nearest_of_each, remember, remember_all
from convgen.tenancy import workspace_scope
from tests.factories import ConversationFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db

SAID = (
    "I lost my job in May and the severance ends in August. Where do I even begin? "
    "Begin with the money that leaves the house every month, written down on one page. "
    "Rent, groceries, the car. I can do that tonight, but what about the shares of my old firm? "
    "They can wait until we know how many months the cash will carry you."
)
NEARLY = SAID.replace("in May", "in June").replace("tonight", "tomorrow")
OTHER = (
    "My mother has begun to forget her bills, and my brother says that she is fine. "
    "Who could open her letters with her once a week, without taking the pen out of her hand?"
)


def _remembered(workspace: Workspace, text: str, **values: object) -> Conversation:
    made: Conversation = ConversationFactory(workspace=workspace, **values)
    remember(workspace.pk, made.pk, signature(text))
    return made


def _nearest(workspace: Workspace, text: str, *, excluding: UUID | None = None) -> tuple[float, str]:
    found = nearest(workspace.pk, signature(text), excluding=excluding or uuid4())
    return found.similarity, found.readable_id


def test_a_near_duplicate_is_found_and_named(workspace: Workspace) -> None:
    _remembered(workspace, OTHER)
    made = _remembered(workspace, SAID)
    similarity, readable_id = _nearest(workspace, NEARLY)
    assert readable_id == made.conversation_id
    assert 0.6 < similarity < 1


def test_the_nearest_of_several_is_told(workspace: Workspace) -> None:
    _remembered(workspace, NEARLY)
    made = _remembered(workspace, SAID)
    assert _nearest(workspace, SAID) == (1.0, made.conversation_id)


def test_something_else_is_not_near(workspace: Workspace) -> None:
    _remembered(workspace, OTHER)
    similarity, _readable_id = _nearest(workspace, SAID)
    assert similarity < 0.1


def test_another_workspace_is_not_seen(workspace: Workspace) -> None:
    _remembered(WorkspaceFactory(), SAID)
    assert _nearest(workspace, SAID) == (0.0, "")


def test_the_scope_of_one_workspace_names_no_conversation_of_another(workspace: Workspace) -> None:
    other = WorkspaceFactory()
    theirs = _remembered(other, SAID)
    with workspace_scope(workspace.pk):
        assert _nearest(workspace, SAID) == (0.0, "")
        assert _nearest(other, SAID) == (0.0, "")  # though fingerprints can be read
    with workspace_scope(other.pk):
        assert _nearest(other, SAID) == (1.0, theirs.conversation_id)


def test_a_fingerprint_is_written_in_the_scope_of_its_workspace_alone(workspace: Workspace) -> None:
    made = ConversationFactory(workspace=workspace)
    refused = pytest.raises(ProgrammingError, match="row-level security")
    with workspace_scope(WorkspaceFactory().pk), refused, transaction.atomic():
        remember(workspace.pk, made.pk, signature(SAID))
    with workspace_scope(workspace.pk):
        remember(workspace.pk, made.pk, signature(SAID))
    with workspace_scope(WorkspaceFactory().pk):
        assert Fingerprint.objects.update(bands=[]) == 0
        assert Fingerprint.objects.all()._raw_delete("default") == 0


def _many(workspace: Workspace) -> list[UUID]:
    """A table in which an index is worth its while, and the ids in it."""
    made = Conversation.objects.bulk_create(
        Conversation(workspace=workspace, conversation_id=f"SCN-{number}", tier="scenario") for number in range(2_000)
    )
    Fingerprint.objects.bulk_create(
        Fingerprint(workspace=workspace, conversation=one, signature=signed, bands=bands(signed))
        for one, signed in ((one, signature(f"{one.conversation_id} says little")) for one in made)
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT gin_clean_pending_list('fingerprint_bands')")
        cursor.execute("ANALYZE conversations_fingerprint, conversations_conversation")
    return [one.pk for one in made]


@pytest.mark.parametrize("together", [False, True])
def test_candidates_come_from_the_index(workspace: Workspace, *, together: bool) -> None:
    ids = _many(workspace)
    with workspace_scope(workspace.pk), CaptureQueriesContext(connection) as asked:
        if together:
            nearest_of_each(workspace.pk, ids[:200])
        else:
            nearest(workspace.pk, signature(SAID), excluding=uuid4())
    with workspace_scope(workspace.pk), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {asked.captured_queries[-1]['sql']}")
        assert "Bitmap Index Scan on fingerprint_bands" in str(cursor.fetchall())


def test_the_nearest_of_many_are_those_of_each_in_one_statement(workspace: Workspace) -> None:
    said, nearly, other = (_remembered(workspace, text) for text in (SAID, NEARLY, OTHER))
    _remembered(WorkspaceFactory(), OTHER)
    _remembered(workspace, OTHER, status="rejected")
    with CaptureQueriesContext(connection) as asked:
        found = nearest_of_each(workspace.pk, [said.pk, nearly.pk, other.pk])
    assert len(asked) == 1
    for one, text in ((said, SAID), (nearly, NEARLY), (other, OTHER)):
        alone = nearest(workspace.pk, signature(text), excluding=one.pk)
        assert found.get(one.pk, Nearest(0.0, "")) == alone
    assert found[said.pk].readable_id == nearly.conversation_id


def test_many_fingerprints_are_stored_at_once_in_place_of_earlier_ones(workspace: Workspace) -> None:
    first, second = _remembered(workspace, SAID), ConversationFactory(workspace=workspace)
    with CaptureQueriesContext(connection) as asked:
        remember_all(workspace.pk, {first.pk: signature(OTHER), second.pk: signature(OTHER)})
    assert len([query for query in asked if "INSERT" in query["sql"]]) == 1
    assert _nearest(workspace, OTHER, excluding=first.pk) == (1.0, second.conversation_id)
    assert Fingerprint.objects.count() == 2


@pytest.mark.parametrize("status", NOT_LIVE)
def test_what_was_put_away_does_not_count(workspace: Workspace, status: Status) -> None:
    _remembered(workspace, SAID, status=status)
    assert _nearest(workspace, SAID) == (0.0, "")


def test_a_conversation_is_not_its_own_duplicate(workspace: Workspace) -> None:
    made = _remembered(workspace, SAID)
    assert _nearest(workspace, SAID, excluding=made.pk) == (0.0, "")


def test_a_later_text_takes_the_place_of_the_earlier(workspace: Workspace) -> None:
    made = _remembered(workspace, SAID)
    remember(workspace.pk, made.pk, signature(OTHER))
    assert Fingerprint.objects.count() == 1
    assert _nearest(workspace, SAID)[0] < 0.1
    assert _nearest(workspace, OTHER) == (1.0, made.conversation_id)


def test_a_text_without_words_is_like_nothing(workspace: Workspace) -> None:
    _remembered(workspace, "")
    assert _nearest(workspace, "") == (0.0, "")


def test_a_version_is_no_duplicate_of_the_one_that_it_replaces(workspace: Workspace) -> None:
    former, other = _remembered(workspace, SAID), _remembered(workspace, SAID, conversation_id="ZZZ-0001")
    version = ConversationFactory(workspace=workspace, version=2, parent=former, first_version=former.pk)
    assert _nearest(workspace, SAID, excluding=version.pk) == (1.0, other.conversation_id)
