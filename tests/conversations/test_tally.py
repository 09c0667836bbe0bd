"""How conversations are spread over statuses and scores."""

import pytest

from conversations.choices import Status
from conversations.models import Conversation, Workspace
from conversations.tally import tally
from tests.factories import ConversationFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    made: Workspace = WorkspaceFactory()
    return made


def scored(workspace: Workspace, score: float | None, status: str = Status.GENERATED) -> None:
    ConversationFactory(workspace=workspace, quality_score=score, status=status)


def test_statuses_and_scores_are_counted(workspace: Workspace) -> None:
    for score in (0.0, 5.9, 6.0, 6.9, 9.9, 10.0):
        scored(workspace, score)
    scored(workspace, None, Status.DRAFT)
    found = tally(Conversation.objects.filter(workspace=workspace))
    assert found.by_status == {"generated": 6, "draft": 1}
    assert found.by_range == [1, 0, 0, 0, 0, 1, 2, 0, 0, 2]
    assert (found.conversations, found.scored, found.average) == (7, 6, 6.5)


def test_scores_of_what_was_put_away_do_not_count(workspace: Workspace) -> None:
    scored(workspace, 8.0)
    scored(workspace, 2.0, Status.ARCHIVED)
    scored(workspace, 3.0, Status.REJECTED)
    found = tally(Conversation.objects.filter(workspace=workspace))
    assert (found.conversations, found.scored, found.average) == (3, 1, 8.0)


def test_of_nothing_there_is_no_average(workspace: Workspace) -> None:
    found = tally(Conversation.objects.filter(workspace=workspace))
    assert (found.conversations, found.average, sum(found.by_range)) == (0, None, 0)
