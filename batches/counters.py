"""The counters of a job follow its items, whoever writes them: triggers add what each statement changed.

What changed is added, and not counted anew: of two transactions at once neither sees the other's rows, but the second
waits for the job's row and adds to what the first has left. A statement that changes nothing that is counted, such as a
heartbeat, does not touch the job.
"""

from typing import Any

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


class CountItems(pgtrigger.Trigger):
    """Adds what a statement changed in items to the counters of their jobs."""

    level = pgtrigger.Statement
    when = pgtrigger.After

    def __init__(self, name: str, operation: pgtrigger.Operation, rows: pgtrigger.Referencing, items: str) -> None:
        self.items = items
        super().__init__(name=name, operation=operation, referencing=rows)

    def get_func(self, model: Any) -> str:
        return ADD.format(items=self.items, completed=ItemStatus.COMPLETED.value, failed=ItemStatus.FAILED.value)


# One for each operation: PostgreSQL shows the rows of a statement to a trigger on one operation only.
COUNT_ITEMS = [
    CountItems("count_new_items", pgtrigger.Insert, pgtrigger.Referencing(new="added"), ADDED),
    CountItems(
        "count_changed_items",
        pgtrigger.Update,
        pgtrigger.Referencing(old="taken", new="added"),
        f"{ADDED} UNION ALL {TAKEN}",
    ),
    CountItems("count_deleted_items", pgtrigger.Delete, pgtrigger.Referencing(old="taken"), TAKEN),
]


class CountersBeginAtZero(pgtrigger.Trigger):
    """A new job has no items yet, whatever its writer says."""

    name = "counters_begin_at_zero"
    when = pgtrigger.Before
    operation = pgtrigger.Insert
    func = " ".join(f"NEW.{counter} := 0;" for counter in COUNTERS) + " RETURN NEW;"


class CountersFollowItems(pgtrigger.Trigger):
    """Whoever writes a counter otherwise changes nothing: a job that was read before its items ended can be saved."""

    name = "counters_follow_items"
    when = pgtrigger.Before
    operation = pgtrigger.UpdateOf(*COUNTERS)
    condition = pgtrigger.Condition("pg_trigger_depth() = 0")  # our own writes come from a trigger, one level deep
    func = " ".join(f"NEW.{counter} := OLD.{counter};" for counter in COUNTERS) + " RETURN NEW;"
