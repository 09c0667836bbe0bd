"""The counters of a job follow its items, whoever writes them: triggers add what each statement changed.

What changed is added, and not counted anew: of two transactions at once neither sees the other's rows, but the second
waits for the job's row and adds to what the first has left. A statement that changes nothing that is counted, such as a
heartbeat, does not touch the job.
"""

import pgtrigger

from batches.choices import ItemStatus

COUNTERS = ("total_items", "successful_items", "failed_items", "actual_cost_usd")

ADD = """
UPDATE batches_batchjob AS job
SET total_items = job.total_items + change.total,
    successful_items = job.successful_items + change.successful,
    failed_items = job.failed_items + change.failed,
    actual_cost_usd = job.actual_cost_usd + change.cost
FROM (
    SELECT job_id, sum(sign) AS total, coalesce(sum(sign) FILTER (WHERE status = '{completed}'), 0) AS successful,
        coalesce(sum(sign) FILTER (WHERE status = '{failed}'), 0) AS failed, sum(sign * cost_usd) AS cost
    FROM ({items}) AS item GROUP BY job_id
) AS change
WHERE job.id = change.job_id AND (change.total, change.successful, change.failed, change.cost) <> (0, 0, 0, 0);
RETURN NULL;
"""
ADDED = "SELECT job_id, status, cost_usd, 1 AS sign FROM added"
TAKEN = "SELECT job_id, status, cost_usd, -1 AS sign FROM taken"


def _count(
    name: str, operation: pgtrigger.Operation, referencing: pgtrigger.Referencing, items: str
) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=referencing,
        func=ADD.format(items=items, completed=ItemStatus.COMPLETED.value, failed=ItemStatus.FAILED.value),
    )


COUNT_ITEMS = [
    _count("count_new_items", pgtrigger.Insert, pgtrigger.Referencing(new="added"), ADDED),
    _count(
        "count_changed_items",
        pgtrigger.Update,
        pgtrigger.Referencing(old="taken", new="added"),
        f"{ADDED} UNION ALL {TAKEN}",
    ),
    _count("count_deleted_items", pgtrigger.Delete, pgtrigger.Referencing(old="taken"), TAKEN),
]


def _keep(name: str, operation: pgtrigger.Operation, condition: str, values: dict[str, str]) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.Before,
        operation=operation,
        condition=pgtrigger.Condition(condition),
        func=" ".join(f"NEW.{counter} := {value};" for counter, value in values.items()) + " RETURN NEW;",
    )


# Whoever else writes a counter, such as a job that was read before its items ended and is saved now, changes nothing.
# Our own writes come from a trigger, one level deep.
KEEP_COUNTERS = [
    _keep("counters_begin_at_zero", pgtrigger.Insert, "true", dict.fromkeys(COUNTERS, "0")),
    _keep(
        "counters_follow_items",
        pgtrigger.UpdateOf(*COUNTERS),
        "pg_trigger_depth() = 0",
        {counter: f"OLD.{counter}" for counter in COUNTERS},
    ),
]
