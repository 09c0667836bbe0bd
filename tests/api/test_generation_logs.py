"""`generation-logs/`, their statistics, and `rate-limit/`."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conversations.models import Workspace
from generation.models import GenerationLog, RateState, RateWaiter
from tests.api_client import Api, problems, told
from tests.factories import ConversationFactory, GenerationLogFactory, PromptTemplateFactory

pytestmark = pytest.mark.django_db

LOGS = "generation-logs/"
STATS = "generation-logs/stats/"


def a_log(workspace: Workspace, *, days_ago: float = 0, **values: Any) -> GenerationLog:
    made: GenerationLog = GenerationLogFactory(conversation=ConversationFactory(workspace=workspace), **values)
    if days_ago:
        at = timezone.now() - timedelta(days=days_ago)
        GenerationLog.objects.filter(pk=made.pk).update(created_at=at)
    return made


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [each["id"] for each in answer.json()["results"]]


def test_requests_are_listed_newest_first_without_what_was_sent(operator: Api, workspace: Workspace) -> None:
    older, newer = a_log(workspace, days_ago=1), a_log(workspace)
    answer = operator.get(LOGS)
    assert ids(answer) == [str(newer.pk), str(older.pk)]
    assert "request" not in answer.json()["results"][0]


def test_one_request_has_what_was_sent_and_what_came_back(operator: Api, workspace: Workspace) -> None:
    log = a_log(workspace, response={"stop_reason": "end_turn"})
    detail = operator.get(f"{LOGS}{log.pk}/").json()
    assert (detail["request"], detail["response"]) == (log.request, {"stop_reason": "end_turn"})


def test_requests_are_found_by_each_of_their_marks(operator: Api, workspace: Workspace) -> None:
    template = PromptTemplateFactory(workspace=workspace)
    wanted = a_log(
        workspace,
        days_ago=2,
        template=template,
        status="failed",
        error_type="overloaded",
        model="claude-opus-5-5",
        message_batch_id="msgbatch_1",
    )
    a_log(workspace, days_ago=4)
    a_log(workspace)
    now = timezone.now()
    for query in (
        {"conversation": str(wanted.conversation_id)},
        {"conversation": str(wanted.conversation).lower()},
        {"template": str(template.pk)},
        {"status": ["failed", "discarded"]},
        {"error_type": "overloaded"},
        {"model": "claude-opus-5-5"},
        {"run_id": str(wanted.run_id)},
        {"message_batch_id": "msgbatch_1"},
        {
            "created_after": (now - timedelta(days=3)).isoformat(),
            "created_before": (now - timedelta(days=1)).isoformat(),
        },
    ):
        assert ids(operator.get(LOGS, query)) == [str(wanted.pk)], query
        assert operator.get(STATS, query).json()["total"]["requests"] == 1, query


def test_a_mark_that_cannot_be_is_refused(operator: Api) -> None:
    wrong = {"status": "lost", "run_id": "x", "created_after": "yesterday", "ordering": "model"}
    for name, value in wrong.items():
        assert list(problems(operator.get(LOGS, {name: value}), 400)) == [name]
    assert ids(operator.get(LOGS, {"conversation": "TPL-nothing"})) == []
    assert problems(operator.get(LOGS, {"conversation": "a\0"}), 400)


@pytest.mark.parametrize("ordering", ["created", "-cost", "duration"])
def test_pages_follow_one_another_in_every_order(operator: Api, workspace: Workspace, ordering: str) -> None:
    for number in range(5):
        a_log(workspace, days_ago=number, cost_usd=number // 2, duration_ms=number % 2)
    whole = ids(operator.get(LOGS, {"ordering": ordering}))
    first = operator.get(LOGS, {"ordering": ordering, "page_size": 3})
    assert ids(first) + ids(operator.get(first.json()["next"])) == whole


def test_a_longer_list_takes_no_more_queries(operator: Api, workspace: Workspace) -> None:
    def queries(number: int) -> int:
        for _ in range(number):
            a_log(workspace)
        with CaptureQueriesContext(connection) as asked:
            operator.get(LOGS)
        return len(asked)

    assert queries(2) == queries(18)


def test_requests_add_up_by_status_model_error_and_day(operator: Api, workspace: Workspace) -> None:
    run = uuid4()
    a_log(workspace, run_id=run, status="failed", error_type="overloaded", duration_ms=9_000)
    for milliseconds in (1_000, 2_000, 3_000):
        a_log(
            workspace,
            run_id=run if milliseconds == 1_000 else uuid4(),
            days_ago=milliseconds / 1_000,
            duration_ms=milliseconds,
            input_tokens=10,
            output_tokens=100,
            cache_read_tokens=7,
            cache_write_tokens=3,
            cost_usd="0.5",
            cache_saving_usd="0.1",
        )
    a_log(workspace, model="claude-opus-5-5", message_batch_id="msgbatch_1", duration_ms=80_000_000)
    a_log(workspace, days_ago=40)
    sums = operator.get(STATS).json()
    total = sums["total"]
    assert (total["requests"], total["succeeded"], total["failed"], total["runs"]) == (5, 4, 1, 4)
    assert (total["input_tokens"], total["output_tokens"]) == (30, 300)
    assert (total["cache_read_tokens"], total["cache_write_tokens"]) == (21, 9)
    assert (total["cost_usd"], total["cache_saving_usd"]) == ("1.500000", "0.300000")
    assert (total["p50_ms"], total["p95_ms"]) == (2_000, 3_000)
    assert [(each["name"], each["requests"]) for each in sums["by_status"]] == [("succeeded", 4), ("failed", 1)]
    assert [each["name"] for each in sums["by_model"]] == ["claude-sonnet-5-5", "claude-opus-5-5"]
    assert [(each["name"], each["requests"]) for each in sums["by_error"]] == [("overloaded", 1)]
    assert [each["requests"] for each in sums["by_day"]] == [1, 1, 1, 2]
    assert sums["by_day"][-1]["name"] == f"{timezone.localdate()}"


def test_nothing_adds_up_to_nothing(operator: Api) -> None:
    sums = operator.get(STATS).json()
    assert (sums["total"]["requests"], sums["total"]["cost_usd"], sums["total"]["p50_ms"]) == (0, "0.000000", None)
    assert sums["by_day"] == []


def test_statistics_touch_the_months_of_their_span_alone(operator: Api, workspace: Workspace) -> None:
    with CaptureQueriesContext(connection) as asked:
        operator.get(STATS, {"created_after": (timezone.now() - timedelta(hours=1)).isoformat()})
    [statement] = [query["sql"] for query in asked if "GROUPING SETS" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}")
        touched = set(re.findall(r" on (generation_generationlog\w*)", "\n".join(row[0] for row in cursor.fetchall())))
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'generation_generationlog'::regclass")
        parts = cursor.fetchone()[0]
    assert 1 <= len(touched) <= 3 < parts  # at the turn of a month it is two, and rows of no month may be there


def test_a_span_that_cannot_be_is_refused(operator: Api) -> None:
    backwards = {"created_after": "2026-11-02T00:00:00Z", "created_before": "2026-11-01T00:00:00Z"}
    assert problems(operator.get(STATS, backwards), 400) == {"created_after": "invalid"}
    for never in ("0001-01-01T00:00:00+15:00", "9999-12-31T23:59:59-15:00"):
        assert problems(operator.get(STATS, {"created_after": never}), 400) == {"created_after": "invalid"}
        assert operator.get(LOGS, {"created_before": never, "created_after": never}).status_code == 200
    assert operator.get(STATS, {"created_before": "9999-12-31T23:59:59-15:00"}).status_code == 200
    assert problems(operator.get(STATS, {"created_before": "0001-01-01T00:00:00+15:00"}), 400)
    long = operator.get(STATS, {"created_after": datetime(2020, 1, 1, tzinfo=UTC).isoformat()})
    assert "366 days at most" in told(long)


def test_another_workspaces_requests_are_not_there(operator: Api, elsewhere: Workspace) -> None:
    foreign = a_log(elsewhere)
    assert problems(operator.get(f"{LOGS}{foreign.pk}/"), 404) == {None: "not_found"}
    assert ids(operator.get(LOGS)) == []
    assert operator.get(STATS).json()["total"]["requests"] == 0
    assert ids(operator.get(LOGS, {"conversation": str(foreign.conversation)})) == []


def test_the_rate_limits_are_told_and_names_of_other_workspaces_are_not(
    operator: Api, curator: Api, workspace: Workspace, elsewhere: Workspace
) -> None:
    RateState.objects.create(key="abcdefgh", address="api.anthropic.com", configured_requests=50, granted=3)
    now = timezone.now()
    for whose in (workspace, elsewhere):
        RateWaiter.objects.create(
            key="abcdefgh",
            who=f"Batch of {whose.slug}",
            of_workspace=whose.pk,
            priority="normal",
            wanted=2,
            reason="requests",
            since=now - timedelta(seconds=4),
            until=now + timedelta(seconds=9),
            asks_at=now + timedelta(seconds=9),
        )
    [limit] = operator.get("rate-limit/").json()
    assert (limit["address"], limit["key"], limit["granted"], limit["blocked_seconds"]) == (
        "api.anthropic.com",
        "abcdef",
        3,
        0,
    )
    assert limit["limits"][0] == {"kind": "requests", "limit": 50, "used": 0, "left": 50}
    assert [waiter["who"] for waiter in limit["waiting"]] == [f"Batch of {workspace.slug}", None]
    assert 4 <= limit["waiting"][0]["waited_seconds"] < 60
    assert problems(curator.get("rate-limit/"), 403) == {None: "permission_denied"}


def test_what_belongs_to_no_conversation_adds_up_to_nothing(operator: Api) -> None:
    told = operator.get(STATS, {"conversation": "TPL-9999"})
    assert (told.status_code, told.json()["total"]["requests"]) == (200, 0)
