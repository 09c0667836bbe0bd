"""`manage.py rescore`."""

import json
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations import rescoring
from conversations.models import Conversation, Fingerprint, Workspace
from convgen.tenancy import NOTHING, workspace_scope
from tests.factories import WorkspaceFactory
from tests.statuses import put
from tests.talks import a_talk, turns

pytestmark = pytest.mark.django_db

SIX_TURNS = {"turns_target": [4, 6], "turns_half": [3, 7], "turns_nothing": [2, 8]}  # eight are none too few: too many


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory(slug="ours", is_default=True)


def _told(*arguments: str) -> str:
    """What the command writes when it is called as from a shell: outside of any scope."""
    out = StringIO()
    with workspace_scope(NOTHING):
        call_command("rescore", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def _stored() -> list[dict[str, Any]]:
    return list(Conversation.objects.order_by("pk").values("quality_score", "quality_metrics", "status", "updated_at"))


def test_without_a_change_nothing_is_written(workspace: Workspace) -> None:
    a_talk(workspace=workspace)
    before = _stored()
    assert _told() == "1 conversation scored: nothing has changed.\n"
    assert _stored() == before


def test_new_thresholds_change_the_stored_scores_once(workspace: Workspace, settings: Any) -> None:
    good, weak = a_talk(8, workspace=workspace), a_talk(4, seed=2, workspace=workspace)
    settings.QUALITY_THRESHOLDS = SIX_TURNS
    assert _told() == ("2 conversations scored: 2 changed, 0 to below 6.0, 0 to 6.0 or better, 0 went to review.\n")
    good.refresh_from_db()
    weak.refresh_from_db()
    assert (good.quality_score, weak.quality_score) == (Decimal("7.3"), Decimal("10.0"))
    before = _stored()
    assert _told() == "2 conversations scored: nothing has changed.\n"
    assert _stored() == before


def test_what_falls_below_goes_to_review_and_what_rises_waits_for_a_person(workspace: Workspace, settings: Any) -> None:
    falls, rises = a_talk(8, workspace=workspace), a_talk(1, seed=2, workspace=workspace)
    settings.QUALITY_THRESHOLDS = {"review_below": 10, **SIX_TURNS}
    told = _told("--json")
    assert json.loads(told) == {
        "conversations": 2,
        "changed": 2,
        "fell_below": 1,
        "rose_above": 0,
        "sent_to_review": 1,
        "dry_run": False,
    }
    falls.refresh_from_db()
    assert falls.status == "pending_review"
    settings.QUALITY_THRESHOLDS = {"review_below": 1}
    assert json.loads(_told("--json"))["rose_above"] == 0, "a score above 1 was not below 1 before"
    settings.QUALITY_THRESHOLDS = {}
    put(rises, "pending_review", quality_score="2.0")
    rises.turns.all().delete()
    rises.turns.bulk_create(_rows(rises, 8))
    assert "1 to 6.0 or better, 0 went to review" in _told()
    rises.refresh_from_db()
    assert (rises.status, rises.turn_count, rises.quality_score) == ("pending_review", 8, Decimal("10.0"))


def _rows(conversation: Conversation, count: int) -> list[Any]:
    said = turns(count, seed=3)
    common = {"workspace_id": conversation.workspace_id, "conversation_id": conversation.pk}
    return [conversation.turns.model(**common, **turn, position=place) for place, turn in enumerate(said, start=1)]


def test_a_dry_run_tells_and_writes_nothing(workspace: Workspace, settings: Any) -> None:
    a_talk(workspace=workspace)
    Fingerprint.objects.all().delete()
    before = _stored()
    settings.QUALITY_THRESHOLDS = {"review_below": 8, **SIX_TURNS}
    assert _told("--dry-run") == (
        "1 conversation scored: 1 would change, 1 to below 8.0, 0 to 8.0 or better, 1 would go to review. "
        "Nothing was written.\n"
    )
    assert (_stored(), Fingerprint.objects.count()) == (before, 0)


def test_only_those_with_turns_in_the_statuses_and_the_workspace_wanted(workspace: Workspace, settings: Any) -> None:
    archived, theirs = a_talk(workspace=workspace), a_talk()
    put(archived, "archived")
    settings.QUALITY_THRESHOLDS = SIX_TURNS
    assert _told() == "There is no conversation to score.\n"
    assert _told("--status", "archived", "--status", "rejected").startswith("1 conversation scored: 1 changed")
    assert _told("--workspace", theirs.workspace.slug).startswith("1 conversation scored: 1 changed")


def test_an_unknown_workspace_is_refused_with_those_that_there_are(workspace: Workspace) -> None:
    with pytest.raises(CommandError, match=r"There is no workspace “theirs”\. Choose one with --workspace: ours"):
        _told("--workspace", "theirs")


def test_one_without_a_fingerprint_gets_it_and_is_compared(workspace: Workspace) -> None:
    first, second = a_talk(workspace=workspace), a_talk(seed=2, workspace=workspace)
    second.turns.all().delete()
    second.turns.bulk_create(
        [first.turns.model(workspace=workspace, conversation=second, **turn, position=place)
         for place, turn in enumerate(turns(), start=1)]
    )  # fmt: skip
    Fingerprint.objects.all().delete()
    assert "2 went to review" in _told()
    assert Fingerprint.objects.count() == 2
    assert set(Conversation.objects.values_list("status", flat=True)) == {"pending_review"}
    assert _told() == "2 conversations scored: nothing has changed.\n"


def _queries(act: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)


def test_fifty_are_asked_for_as_often_as_one_and_no_chunk_is_too_large(workspace: Workspace, settings: Any) -> None:
    a_talk(workspace=workspace)
    settings.QUALITY_THRESHOLDS = SIX_TURNS
    one = _queries(lambda: rescoring.rescore(workspace))
    settings.QUALITY_THRESHOLDS = {}
    for seed in range(2, 51):
        a_talk(seed=seed, workspace=workspace)
    settings.QUALITY_THRESHOLDS = SIX_TURNS
    assert _queries(lambda: rescoring.rescore(workspace)) == one
    settings.QUALITY_THRESHOLDS = {}
    done: list[int] = []
    assert rescoring.rescore(workspace, chunk_size=20, report=done.append).changed == 50
    assert done == [20, 20, 10]
