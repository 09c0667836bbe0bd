"""What the coverage counts cost and gain: reading the plan at volume, and what the triggers add to writing.

`BENCH_CONVERSATIONS=1000000` makes the volume larger. Conversations have the starter plan's words in a random
spread; one in twenty is archived. Figures are milliseconds unless they say seconds; nothing is asserted.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from conversations.choices import Status
from conversations.coverage import fill_gaps, gaps, standing
from conversations.models import Conversation, PromptTemplate, Workspace
from convgen.tenancy import workspace_scope

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

CONVERSATIONS = int(os.environ.get("BENCH_CONVERSATIONS", "10000"))
AT_A_TIME = 50_000
TRIGGERS = ("pgtrigger_cover_inserted_e1267", "pgtrigger_cover_updated_ad3ef", "pgtrigger_cover_deleted_9e1ed")

ORDERS = """
CREATE TEMPORARY TABLE orders AS
WITH chosen AS (
    SELECT template.id AS template_id, template.tier, kind,
        coalesce(
            array_agg(dimension.name) FILTER (WHERE applicability.id IS NOT NULL), array_agg(dimension.name)
        ) AS names
    FROM conversations_prompttemplate template
    JOIN conversations_dimension dimension USING (workspace_id)
    LEFT JOIN conversations_templateapplicability applicability
        ON applicability.template_id = template.id AND applicability.dimension_id = dimension.id
    GROUP BY template.id, template.tier, kind
), choices AS (
    SELECT row_number() OVER () - 1 AS position, template_id, tier, jsonb_object_agg(kind, to_jsonb(names)) AS names
    FROM chosen GROUP BY template_id, tier
), chunks AS (
    SELECT array_agg(id) AS ids FROM conversations_chunk
), picked AS (
    SELECT number, template_id, tier, (SELECT ids[1 + number %% cardinality(ids)] FROM chunks) AS chunk_id,
        names->'persona'->>floor(random() * jsonb_array_length(names->'persona'))::int AS persona,
        names->'emotion'->>floor(random() * jsonb_array_length(names->'emotion'))::int AS emotion,
        names->'topic'->>floor(random() * jsonb_array_length(names->'topic'))::int AS topic,
        names->'intent'->>floor(random() * jsonb_array_length(names->'intent'))::int AS intent,
        names->'tone'->>floor(random() * jsonb_array_length(names->'tone'))::int AS tone
    FROM generate_series(1, %s) AS number JOIN choices ON position = number %% 14
)
SELECT *, row_number() OVER (PARTITION BY template_id, persona, emotion, topic) AS occurrence FROM picked
"""

INSERT = """
INSERT INTO conversations_conversation (
    id, workspace_id, conversation_id, title, template_id, template_version, tier, persona, emotion, topic, intent,
    tone, category, status, failure_type, failure_message, quality_metrics, turn_count, input_tokens, output_tokens,
    cost_usd, model, simulated, parameters, review_history, reviewer_notes, parent_type, version, slot, chunk_id,
    created_at, updated_at
)
SELECT gen_random_uuid(), %s, 'VOL-' || number, 'A conversation', template_id, 1, tier, persona, emotion, topic, intent,
    tone, '', CASE WHEN number %% 20 = 0 THEN 'archived' ELSE 'generated' END, '', '', '{}', 8, 900, 2000, 0.02,
    'claude-sonnet-5-5', true, '{}', '[]', '', '', 1,
    concat_ws(':', template_id, persona.id, emotion.id, topic.id, occurrence), chunk_id, now(), now()
FROM orders
JOIN conversations_dimension persona ON (persona.kind, persona.name) = ('persona', orders.persona)
JOIN conversations_dimension emotion ON (emotion.kind, emotion.name) = ('emotion', orders.emotion)
JOIN conversations_dimension topic ON (topic.kind, topic.name) = ('topic', orders.topic)
WHERE number BETWEEN %s AND %s
"""


def _insert(workspace: Workspace) -> list[float]:
    """Make the volume. Returns the seconds of each INSERT statement."""
    seconds = []
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(ORDERS, [CONVERSATIONS])
        cursor.execute("CREATE INDEX ON orders (number)")
        for first in range(1, CONVERSATIONS + 1, AT_A_TIME):
            begun = time.perf_counter()
            cursor.execute(INSERT, [workspace.pk, first, first + AT_A_TIME - 1])
            seconds.append(time.perf_counter() - begun)
        cursor.execute("DROP TABLE orders")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return seconds


def _aim(*, beyond: int) -> None:
    """Targets that are reached, but for two places in each of so many templates."""
    for position, template in enumerate(PromptTemplate.objects.all()):
        filled = template.conversations.live().exclude(slot="").count()
        PromptTemplate.objects.filter(pk=template.pk).update(target_count=filled + 2 * (position < beyond))


def _measure(label: str, call: Callable[[], Any], *, times: int = 60) -> None:
    call()
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - begun))
    median, slow = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
    print(f"{label:55} best {min(taken):7.1f}  p50 {median:7.1f}  p95 {slow:7.1f}")


@contextmanager
def _triggers(*, enabled: bool) -> Iterator[None]:
    with connection.cursor() as cursor:
        for trigger in TRIGGERS:
            cursor.execute(f"ALTER TABLE conversations_conversation {'EN' if enabled else 'DIS'}ABLE TRIGGER {trigger}")
    yield


def _drafts(workspace: Workspace) -> None:
    """A thousand drafts, made as the plan makes them, and taken back."""
    with transaction.atomic():
        assert len(fill_gaps(workspace)) == 1000
        transaction.set_rollback(True)


def _inserted(drafts: list[Conversation]) -> None:
    with transaction.atomic():
        Conversation.objects.bulk_create(drafts)
        transaction.set_rollback(True)


def _generated(draft: Conversation) -> None:
    """The updates that one generation makes, taken back."""
    one = Conversation.objects.filter(pk=draft.pk)
    with transaction.atomic():
        one.update(status=Status.GENERATING, claim=draft.pk)
        one.update(status=Status.GENERATED, claim=None, title="Rent first", quality_metrics={"turns": 8}, turn_count=8)
        transaction.set_rollback(True)


def test_reading_the_plan(starter: Workspace) -> None:
    print(f"\n{CONVERSATIONS} conversations")
    seconds = _insert(starter)
    print(f"{'INSERT of up to 50,000, with triggers':55} seconds {statistics.median(seconds):.2f}")
    with workspace_scope(starter.pk):
        _aim(beyond=0)
        _measure("standing()", lambda: standing(starter))
        _measure("gaps(), the plan complete", lambda: gaps(starter))
        _aim(beyond=10)
        assert len(gaps(starter)) == 20
        _measure("gaps(), 20 missing", lambda: gaps(starter))


def test_what_the_triggers_add(starter: Workspace) -> None:
    print()
    _insert(starter)
    with workspace_scope(starter.pk):
        _aim(beyond=0)
        one = PromptTemplate.objects.get(name="A common question, answered plainly")
        PromptTemplate.objects.filter(pk=one.pk).update(target_count=one.target_count + 1000)
        with transaction.atomic():
            drafts = fill_gaps(starter)
            transaction.set_rollback(True)
        draft = Conversation.objects.create(workspace=starter, conversation_id="DRAFT", tier="template")
        for enabled in (True, False, True, False):
            with _triggers(enabled=enabled):
                way = "with triggers" if enabled else "without"
                _measure(f"1000 drafts planned and inserted, {way}", lambda: _drafts(starter), times=5)
                _measure(f"1000 drafts inserted, {way}", lambda: _inserted(drafts), times=10)
                _measure(f"one generation's status updates, {way}", lambda: _generated(draft), times=300)
