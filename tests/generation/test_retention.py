"""The generation log by months: made ahead, dropped when old, and guarded whichever way they are read."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction
from django.utils.module_loading import import_string
from django_q.models import Schedule

from conversations.models import Workspace
from convgen.tenancy import EVERY, NOTHING, workspace_scope
from generation import retention, tasks
from generation.models import GenerationLog
from generation.retention import MONTHS_AHEAD, LogInUse, Maintenance, maintain
from tests.background import in_background
from tests.factories import ConversationFactory, GenerationLogFactory, PromptTemplateFactory, WorkspaceFactory
from tests.processes import eventually, worker

pytestmark = pytest.mark.django_db

NOTHING_DONE = Maintenance(made=[], moved=0, dropped=[], deleted=0)
NOW = datetime.now(UTC)  # months before and after are counted from it, as the database does


def month(number: int) -> datetime:
    """The beginning of the month so many months from now."""
    months = NOW.year * 12 + NOW.month - 1 + number
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)


LOG = GenerationLog._meta.db_table
DEFAULT = f"{LOG}_default"
AHEAD = [month(number) for number in range(MONTHS_AHEAD + 1)]


def name_of(at: datetime) -> str:
    return f"{LOG}_{at:%Y%m}"


def run(sql: str, *parameters: Any) -> list[Any]:
    """The first column of what a statement returns."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [row[0] for row in cursor.fetchall()] if cursor.description else []


def make(at: datetime) -> None:
    run("SELECT generation_log_make_month(%s)", at.date())


def drop(*months: datetime) -> None:
    for at in months:
        run(f"DROP TABLE {name_of(at)}")


def partitions() -> set[str]:
    return set(run("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", LOG))


def partition_of(log: GenerationLog) -> str:
    (name,) = run(f"SELECT tableoid::regclass::text FROM {LOG} WHERE id = %s", log.pk)
    return str(name)


def logged(at: datetime, **values: Any) -> GenerationLog:
    """A row of that time."""
    log: GenerationLog = GenerationLogFactory(**values)
    GenerationLog.objects.filter(pk=log.pk).update(created_at=at)
    connection.check_constraints()  # now and not at the end, as if it had been another transaction
    log.refresh_from_db()
    return log


# --- Months to come


def test_an_installation_begins_with_this_month_and_those_to_come() -> None:
    assert partitions() == {DEFAULT, *map(name_of, AHEAD)}
    assert partition_of(GenerationLogFactory()) == name_of(NOW)


def test_months_that_are_missing_are_made_once() -> None:
    drop(AHEAD[1], AHEAD[3])
    assert maintain(keep_days=90).made == [f"{AHEAD[1]:%Y-%m}", f"{AHEAD[3]:%Y-%m}"]
    assert maintain(keep_days=90) == NOTHING_DONE
    assert partitions() == {DEFAULT, *map(name_of, AHEAD)}


def test_a_month_is_utc_from_its_first_to_its_last_microsecond() -> None:
    run("SET LOCAL TIME ZONE 'Pacific/Kiritimati'")  # 14 hours ahead
    make(month(-2))
    run("SET LOCAL TIME ZONE 'UTC'")
    assert partition_of(logged(month(-2))) == name_of(month(-2))
    assert partition_of(logged(month(-1) - timedelta(microseconds=1))) == name_of(month(-2))
    assert partition_of(logged(month(-1))) == DEFAULT
    assert partition_of(logged(month(-2) - timedelta(microseconds=1))) == DEFAULT


def test_a_month_may_be_named_by_any_of_its_days() -> None:
    make(month(-1) - timedelta(days=3))
    assert (
        partition_of(logged(month(-2))) == partition_of(logged(month(-1) - timedelta(seconds=1))) == name_of(month(-2))
    )


def test_a_row_whose_month_is_missing_is_kept_and_moves_when_the_month_is_made() -> None:
    drop(*AHEAD)
    log = GenerationLogFactory(request={"said": "Größe"}, response=None)
    connection.check_constraints()
    before = GenerationLog.objects.filter(pk=log.pk).values().get()
    assert partition_of(log) == DEFAULT
    done = maintain(keep_days=90)
    assert (done.made, done.moved) == ([f"{at:%Y-%m}" for at in AHEAD], 1)
    assert partition_of(log) == name_of(NOW)
    assert GenerationLog.objects.values().get() == before


def test_a_row_of_a_month_that_is_far_away_stays_where_it_is() -> None:
    log = logged(month(MONTHS_AHEAD + 2))
    assert maintain(keep_days=90) == NOTHING_DONE
    assert partition_of(log) == DEFAULT


# --- Months of the past


def days_since(at: datetime) -> int:
    return (datetime.now(UTC) - at).days


def test_a_month_is_dropped_when_its_last_day_is_too_old_and_not_before() -> None:
    make(month(-3))
    logged(month(-2) - timedelta(seconds=1))
    since_its_end = days_since(month(-2))
    assert maintain(keep_days=since_its_end + 1) == NOTHING_DONE
    assert GenerationLog.objects.count() == 1
    assert maintain(keep_days=since_its_end).dropped == [f"{month(-3):%Y-%m}"]
    assert not GenerationLog.objects.exists()
    assert partitions() == {DEFAULT, *map(name_of, AHEAD)}


def test_no_row_that_is_younger_is_lost() -> None:
    make(month(-5))
    logged(month(-5))
    logged(NOW - timedelta(days=61))
    kept = {logged(NOW - timedelta(days=59)), logged(NOW - timedelta(days=20)), logged(NOW), logged(month(6))}
    maintain(keep_days=60)
    assert set(GenerationLog.objects.all()) == kept


def test_old_rows_of_the_default_partition_are_deleted_and_young_ones_are_not() -> None:
    logged(NOW - timedelta(days=91))
    logged(NOW - timedelta(days=400))
    young = logged(NOW - timedelta(days=89))
    assert maintain(keep_days=90).deleted == 2
    assert GenerationLog.objects.get() == young


@pytest.mark.parametrize("days", [0, -1, 36_501])
def test_a_time_that_makes_no_sense_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match=f"{days} days"):
        maintain(keep_days=days)


def test_the_database_itself_refuses_to_keep_nothing() -> None:
    with pytest.raises(DatabaseError, match="keep_days is 0"):
        run("SELECT generation_log_maintain(3, 0)")


def test_a_dry_run_says_the_same_and_changes_nothing() -> None:
    drop(AHEAD[0])
    make(month(-9))
    logged(month(-9))
    logged(month(-8))
    logged(NOW)
    before, rows = partitions(), set(GenerationLog.objects.all())
    said = maintain(keep_days=90, dry_run=True)
    assert said == Maintenance([f"{AHEAD[0]:%Y-%m}"], moved=1, dropped=[f"{month(-9):%Y-%m}"], deleted=1)
    assert (partitions(), set(GenerationLog.objects.all())) == (before, rows)
    assert maintain(keep_days=90) == said


# --- Guarded, by whatever name


def test_every_partition_has_the_policies_of_the_log() -> None:
    make(month(-1))
    guarded = """
        SELECT (relname, relrowsecurity, relforcerowsecurity, polname, polcmd, pg_get_expr(polqual, polrelid),
            pg_get_expr(polwithcheck, polrelid))::text
        FROM pg_class LEFT JOIN pg_policy ON polrelid = pg_class.oid WHERE pg_class.oid = %s::regclass
    """
    (of_the_log,) = run(guarded, LOG)
    assert f"({LOG},t,t,workspace_scope," in of_the_log
    for name in partitions():
        assert run(guarded, name) == [of_the_log.replace(LOG, name, 1)]


@pytest.mark.parametrize("at", [NOW, month(-1), month(-7)], ids=["this month", "a month made later", "default"])
def test_a_partition_that_is_read_by_its_name_shows_the_rows_of_the_scope_alone(at: datetime) -> None:
    make(month(-1))
    log = logged(at)
    ids = f"SELECT id FROM {partition_of(log)}"
    for scope, seen in ((log.workspace_id, [log.pk]), (WorkspaceFactory().pk, []), (NOTHING, [])):
        with workspace_scope(scope):
            assert run(ids) == seen


def test_a_partition_that_is_written_by_its_name_refuses_another_workspace() -> None:
    make(month(-1))
    log, other = logged(month(-1)), WorkspaceFactory()
    give = f"UPDATE {partition_of(log)} SET workspace_id = %s"
    with workspace_scope(log.workspace_id), transaction.atomic():
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            run(give, other.pk)
        run(give, log.workspace_id)


def test_a_conversation_of_another_workspace_is_refused_in_a_month_made_later() -> None:
    make(month(-1))
    with pytest.raises(IntegrityError, match="generation_log_conversation_same_workspace"), transaction.atomic():
        logged(month(-1), workspace=WorkspaceFactory())
    with pytest.raises(IntegrityError, match="generation_log_template_same_workspace"), transaction.atomic():
        logged(month(-1), template=PromptTemplateFactory())
    conversation = ConversationFactory()
    assert logged(month(-1), conversation=conversation, template=conversation.template)


def test_a_month_is_not_made_by_somebody_who_does_not_see_all_of_its_rows() -> None:
    drop(AHEAD[0])
    log = logged(NOW)
    other = WorkspaceFactory()
    with pytest.raises(IntegrityError, match="default partition"), workspace_scope(other.pk), transaction.atomic():
        make(NOW)
    assert partition_of(log) == DEFAULT


# --- What the log stands for


@pytest.mark.parametrize(
    ("values", "rule"),
    [({"attempt": 0}, "attempt_from_one"), ({"cost_usd": -1}, "cost_not_negative"), ({"status": "x"}, "status_known")],
)
def test_a_row_that_cannot_be_is_refused(values: dict[str, Any], rule: str) -> None:
    with pytest.raises(IntegrityError, match=f"generation_log_{rule}"):
        GenerationLogFactory(**values)


def test_rows_of_every_partition_outlive_conversation_and_template_and_go_with_the_workspace() -> None:
    make(month(-1))
    conversation = ConversationFactory()
    template, workspace = conversation.template, conversation.workspace
    for at in (NOW, month(-1), month(-7)):
        logged(at, conversation=conversation, template=template)
    conversation.delete()
    template.delete()
    assert set(GenerationLog.objects.values_list("conversation", "template")) == {(None, None)}
    assert GenerationLog.objects.count() == 3
    kept = logged(month(-1))
    Workspace.objects.get(pk=workspace.pk).delete()
    assert GenerationLog.objects.get() == kept


# --- Several at once


def at_once(number: int, function: Callable[[], Any]) -> list[Any]:
    """What the function returns to each of so many threads."""
    together, returned = Barrier(number), []

    def one() -> None:
        together.wait(timeout=30)
        with workspace_scope(EVERY):
            returned.append(function())

    threads = [in_background(one) for _ in range(number)]
    for thread in threads:
        thread.join()
    return returned


@pytest.fixture
def months_again(transactional_db: None) -> Iterator[None]:
    """The months that a test dropped are there for the next, also when it fails."""
    yield
    maintain(keep_days=90)


@pytest.mark.django_db(transaction=True)
def test_of_several_at_once_one_works_and_the_others_find_it_done(months_again: None) -> None:
    drop(*AHEAD)
    log = GenerationLogFactory()
    done = at_once(4, lambda: maintain(keep_days=90))
    assert done.count(NOTHING_DONE) == 3
    assert [(len(one.made), one.moved) for one in done if one != NOTHING_DONE] == [(len(AHEAD), 1)]
    assert partitions() == {DEFAULT, *map(name_of, AHEAD)}
    assert partition_of(log) == name_of(NOW)


@pytest.mark.django_db(transaction=True)
def test_a_long_transaction_is_not_waited_for(months_again: None) -> None:
    """A month whose making waited for it would hold up whoever writes conversations meanwhile."""
    drop(AHEAD[3])
    began, may_end = Barrier(2), Barrier(2)

    def write_for_long() -> None:
        with workspace_scope(EVERY), transaction.atomic():
            WorkspaceFactory()
            began.wait(timeout=30)
            may_end.wait(timeout=30)

    writing = in_background(write_for_long)
    began.wait(timeout=30)
    with pytest.raises(LogInUse, match="try again later"):
        maintain(keep_days=90)
    may_end.wait(timeout=30)
    writing.join()
    assert maintain(keep_days=90).made == [f"{AHEAD[3]:%Y-%m}"]


# --- Daily


def test_the_task_keeps_what_the_setting_says(settings: Any) -> None:
    logged(month(-7))
    kept = logged(month(-2), status="failed")
    settings.LOG_RETENTION_DAYS = days_since(month(-2)) + 1
    with workspace_scope(NOTHING):
        tasks.maintain_logs()
    assert GenerationLog.objects.get() == kept


def test_there_is_one_schedule_however_often_it_is_asked_for() -> None:
    retention.ensure_scheduled()
    retention.ensure_scheduled()
    schedule = Schedule.objects.get()
    assert (schedule.func, schedule.schedule_type, schedule.repeats) == (retention.TASK, Schedule.DAILY, -1)


def test_a_schedule_that_somebody_changed_stays_as_it_is() -> None:
    retention.ensure_scheduled()
    Schedule.objects.update(repeats=0, name="not now")
    retention.ensure_scheduled()
    assert Schedule.objects.get().repeats == 0


@pytest.mark.django_db(transaction=True)
def test_there_is_one_schedule_however_many_workers_start_at_once() -> None:
    at_once(6, retention.ensure_scheduled)
    assert Schedule.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_starts_has_the_log_maintained() -> None:
    with worker():
        eventually(lambda: Schedule.objects.filter(func=retention.TASK).exists(), seconds=30)


def test_what_is_scheduled_is_the_task() -> None:
    assert import_string(retention.TASK) is tasks.maintain_logs
