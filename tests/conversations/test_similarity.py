"""Near duplicates: found among the live conversations of the same workspace."""

from uuid import UUID, uuid4

import pytest

from conversations.choices import NOT_LIVE, Status
from conversations.models import Conversation, Fingerprint, Workspace
from conversations.quality import signature
from conversations.similarity import nearest, remember
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


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory()


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
