"""Real workers, really killed in the middle of a batch, at moments that nobody chose.

Whatever happens: every item ends once, no conversation is half, the counters are true, and no more calls are paid twice
than were in flight.
"""

import signal

import psutil
from django.db import connection
from django_q.tasks import async_task

from batches.control import RUN_SLICE
from batches.models import BatchJob
from tests.faults.stage import LATENCY, Stage, Worker, gone
from tests.faults.trial import IN_FLIGHT, UNSAVED, Trial
from tests.processes import eventually, kill_tree


def test_the_process_that_runs_the_slice(stage: Stage, moment: int) -> None:
    trial = Trial(stage, "worker process", moment)
    trial.wait_for_a_moment()
    _worker, process = stage.who_runs(trial.job)
    trial.strike(lambda: gone(process))
    trial.finish()


def test_a_process_that_waits_for_work_and_may_hold_the_lock_of_the_queue(stage: Stage, moment: int) -> None:
    trial = Trial(stage, "idle processes", moment)
    trial.wait_for_a_moment()
    worker, process = stage.who_runs(trial.job)
    idle = [one for one in worker.sentinel.children() if one.pid != process.pid]
    former = worker.cluster.pid
    trial.strike(lambda: [one.kill() for one in idle])
    trial.finish(twice_at_most=0)
    eventually(lambda: worker.ready and worker.cluster.pid != former, seconds=20)
    worker.end()  # after some more deaths it would end by itself


def test_the_sentinel_or_the_clusters_first_process(stage: Stage, moment: int) -> None:
    trial = Trial(stage, "cluster", moment)
    trial.wait_for_a_moment()
    worker, _process = stage.who_runs(trial.job)
    below = worker.cluster.children(recursive=True)
    trial.random.choice([worker.sentinel, worker.cluster]).kill()
    trial.strike(lambda: psutil.wait_procs(below, timeout=10))
    assert worker.running  # and begins its cluster anew
    trial.finish()
    worker.end()  # after some more deaths it would end by itself


def test_the_command_and_calls_in_flight_finish(stage: Stage, moment: int) -> None:
    trial = Trial(stage, "run_worker", moment)
    trial.wait_for_a_moment()
    worker, _process = stage.who_runs(trial.job)
    trial.strike(worker.command.kill)
    trial.finish(twice_at_most=0)


def test_all_of_a_worker(stage: Stage, moment: int) -> None:
    trial = Trial(stage, "whole worker", moment)
    trial.wait_for_a_moment()
    worker, _process = stage.who_runs(trial.job)
    trial.strike(lambda: kill_tree(worker.command.pid))
    trial.finish()


def test_postgresql(stage: Stage, moment: int) -> None:
    trial = Trial(stage, "PostgreSQL", moment)
    trial.wait_for_a_moment()
    trial.strike(stage.kill_postgresql)
    trial.finish(twice_at_most=IN_FLIGHT + UNSAVED)


def test_a_process_that_stands_still_and_comes_back_late(stage: Stage, moment: int) -> None:
    trial = Trial(stage, "stopped", moment)
    trial.wait_for_a_moment()
    _worker, process = stage.who_runs(trial.job)
    former = BatchJob.objects.get(pk=trial.job.pk).runner
    trial.strike(process.suspend)
    eventually(lambda: BatchJob.objects.get(pk=trial.job.pk).runner not in ("", former), seconds=40)
    process.resume()
    trial.finish()


def test_between_claudes_answer_and_the_commit(stage: Stage, moment: int) -> None:
    trial = Trial(stage, "answer not saved", moment)
    eventually(lambda: trial.asked, seconds=20)
    _worker, process = stage.who_runs(trial.job)
    trial.wait_for_an_answer()
    trial.strike(lambda: gone(process))
    trial.finish()


def test_sigterm_and_another_worker_goes_on_while_calls_finish_however_often_it_is_said(
    stage: Stage, moment: int
) -> None:
    trial = Trial(stage, "SIGTERM twice", moment)
    trial.wait_for_a_moment()
    worker, _process = stage.who_runs(trial.job)
    trial.strike(lambda: worker.command.send_signal(signal.SIGTERM))
    eventually(lambda: "hands its batches over" in worker.log.read_text())
    worker.command.send_signal(signal.SIGTERM)
    assert worker.wait(seconds=20) == 0
    assert "The worker has ended" in worker.log.read_text()
    trial.finish(twice_at_most=0)


def test_a_task_that_is_delivered_several_times(stage: Stage, moment: int) -> None:
    trial = Trial(stage, "delivered again", moment)
    trial.wait_for_a_moment()
    trial.strike(lambda: [async_task(RUN_SLICE, str(trial.job.pk)) for _ in range(3)])
    trial.finish(twice_at_most=0)


def test_one_of_two_workers_that_share_two_batches(stage: Stage, moment: int) -> None:
    trial = Trial(stage, "two batches", moment, batches=2)
    trial.wait_for_a_moment()
    worker, _process = stage.who_runs(trial.job)
    trial.strike(lambda: kill_tree(worker.command.pid))
    trial.finish()


def test_ctrl_c_twice_does_not_wait_for_calls_in_flight(stage: Stage, moment: int) -> None:
    trial = Trial(stage, "Ctrl-C twice", moment)
    trial.wait_for_a_moment()
    worker, _process = stage.who_runs(trial.job)
    stage.claude.behaviour.latency = 30  # seconds: what begins now is not waited for
    begun = trial.asked
    eventually(lambda: trial.asked > begun, seconds=10)
    worker.command.send_signal(signal.SIGINT)
    eventually(lambda: "hands its batches over" in worker.log.read_text())
    stage.claude.behaviour.latency = LATENCY
    worker.command.send_signal(signal.SIGINT)
    trial.strike(lambda: worker.wait(seconds=20))
    assert worker.wait(seconds=0) == 128 + signal.SIGINT
    assert "Calls in flight are lost" in worker.log.read_text()
    trial.finish(twice_at_most=IN_FLIGHT + UNSAVED)


def test_a_worker_waits_for_postgresql_instead_of_ending(stage: Stage) -> None:
    stage.set()
    connection.close()
    stage.postgresql.stop()
    new = Worker(stage, 0)
    stage.workers.append(new)
    eventually(lambda: "waits for PostgreSQL" in new.log.read_text(), seconds=20)
    assert new.running
    stage.postgresql.ensure_running()
    eventually(lambda: new.ready, seconds=20)
    new.command.send_signal(signal.SIGTERM)
    assert new.wait(seconds=20) == 0
