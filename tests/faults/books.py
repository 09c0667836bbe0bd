"""What must be true of a batch after whatever befell it, recounted by SQL in its own tables."""

from typing import Any

from django.db import connection

from batches.models import BatchJob

ENDS = """
SELECT count(*), count(*) FILTER (WHERE status = 'completed'), count(*) FILTER (WHERE status = 'failed'),
       count(DISTINCT conversation_id), count(*) FILTER (WHERE claimed_by <> '' OR lease_expires_at IS NOT NULL)
FROM batches_batchitem WHERE job_id = %s
"""

# Conversations that are not what a completed item leaves: written, free, whole.
HALF = """
SELECT count(*) FROM batches_batchitem AS item
JOIN conversations_conversation AS conversation ON conversation.id = item.conversation_id
LEFT JOIN LATERAL (
    SELECT count(*) AS turns, count(DISTINCT position) AS places, min(position) AS first, max(position) AS last,
           count(*) FILTER (WHERE content = '') AS empty
    FROM conversations_turn AS turn WHERE turn.conversation_id = conversation.id
) AS turn ON true
WHERE item.job_id = %s AND item.status = 'completed' AND (
    conversation.status NOT IN ('generated', 'pending_review') OR conversation.claim IS NOT NULL
    OR conversation.turn_count < 1 OR turn.turns <> conversation.turn_count OR turn.places <> turn.turns
    OR turn.last - turn.first + 1 <> turn.turns OR turn.empty > 0
)
"""

# Completed items whose conversation has not exactly one successful request in the log.
LOGGED = """
SELECT count(*) FROM batches_batchitem AS item WHERE item.job_id = %s AND 1 <> (
    SELECT count(*) FROM generation_generationlog AS log
    WHERE log.conversation_id = item.conversation_id AND log.status = 'succeeded'
) AND item.status = 'completed'
"""

# What the job, its items and the log say was spent.
SPENT = """
SELECT job.actual_cost_usd, (SELECT coalesce(sum(cost_usd), 0) FROM batches_batchitem WHERE job_id = job.id)
FROM batches_batchjob AS job WHERE job.id = %s
"""


def row(statement: str, job: BatchJob) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [job.pk])
        found: tuple[Any, ...] = cursor.fetchone()
        return found


def assert_balanced(job: BatchJob) -> None:
    """Every item ended once, nothing is half, and the counters are a recount."""
    job.refresh_from_db()
    items, completed, failed, conversations, held = row(ENDS, job)
    assert (job.total_items, job.successful_items, job.failed_items) == (items, completed, failed)
    assert items == completed + failed == conversations == job.completed_items
    assert held == 0
    assert row(HALF, job) == (0,)
    assert row(LOGGED, job) == (0,)
    told, summed = row(SPENT, job)
    assert told == summed > 0
