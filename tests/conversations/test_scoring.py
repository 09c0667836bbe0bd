"""The score of a conversation, for stored turns and for those that are about to be stored."""

import pytest

from conversations import scoring
from conversations.models import Fingerprint, Turn
from conversations.quality import Turn as Said
from tests.factories import ChunkFactory, ConversationFactory, PromptTemplateFactory, WorkspaceFactory
from tests.talks import a_talk, turns

pytestmark = pytest.mark.django_db

TALK = [Said(turn["role"], turn["content"]) for turn in turns()]


def _part(scored: scoring.Scored, name: str) -> float:
    [score] = [float(part.score) for part in scored.report.components if part.name == name]
    return score


def test_stored_turns_and_the_same_in_hand_score_the_same() -> None:
    stored = a_talk(topic="Rent")
    again = scoring.score(stored, stored.turns.all())
    assert again.report.score == stored.quality_score
    assert again.columns["quality_metrics"] == stored.quality_metrics
    assert scoring.score(stored, TALK).report == again.report


def test_it_is_never_compared_with_its_own_former_turns() -> None:
    stored = a_talk()
    assert Fingerprint.objects.filter(conversation=stored).exists()
    assert _part(scoring.score(stored, stored.turns.all()), "uniqueness") == 10


def test_it_is_compared_with_the_others_of_its_workspace() -> None:
    stored = a_talk()
    scored = scoring.score(ConversationFactory(workspace=stored.workspace, conversation_id="TPL-0002"), TALK)
    assert scored.report.flags == ("near_duplicate",)
    assert _part(scoring.score(ConversationFactory(workspace=WorkspaceFactory()), TALK), "uniqueness") == 10


def test_what_the_template_requires_and_the_source_says_counts() -> None:
    chunk = ChunkFactory(text="Pensions annuities dividends inheritance")
    template = PromptTemplateFactory(workspace=chunk.workspace, required_elements=["next step"])
    plain = scoring.score(ConversationFactory(workspace=chunk.workspace), TALK)
    ordered = scoring.score(ConversationFactory(workspace=chunk.workspace, template=template, chunk=chunk), TALK)
    assert _part(ordered, "required_elements") == 0
    assert _part(ordered, "confidence") < _part(plain, "confidence")


def test_remembering_replaces_the_fingerprint() -> None:
    stored = a_talk()
    other = scoring.score(stored, [Said(turn["role"], turn["content"]) for turn in turns(seed=2)])
    scoring.remember(stored, other)
    fingerprint = Fingerprint.objects.get(conversation=stored)
    assert tuple(fingerprint.signature) == other.signature
    assert Fingerprint.objects.count() == 1


@pytest.mark.parametrize(
    ("status", "after"),
    [("generated", "pending_review"), ("pending_review", "pending_review"), ("needs_revision", "needs_revision")],
)
def test_a_weak_score_sends_what_was_generated_to_review_and_moves_nothing_else(status: str, after: str) -> None:
    stored = a_talk()
    weak = scoring.score(stored, TALK[:1]).report
    assert weak.needs_review
    assert scoring.status_after(status, weak) == after
    good = scoring.score(stored, TALK).report
    assert scoring.status_after(status, good) == status


def test_rows_of_turns_are_scored_as_they_are_ordered() -> None:
    stored = a_talk()
    backwards = list(Turn.objects.filter(conversation=stored).order_by("-position"))
    assert _part(scoring.score(stored, backwards), "structure") == 5
