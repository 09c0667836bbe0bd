"""The worker's word on how it is, and what it asks before it begins. `tests/faults` starts and kills real ones."""

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.core.management import CommandError, call_command
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from batches import leases, stopping
from batches.models import BatchItem, BatchJob
from batches.worker import liveness
from batches.worker.health import Health
from batches.worker.page import HealthServer
from batches.worker.sentinel import Heart
from batches.worker.systemd import notify
from batches.worker.tending import SECONDS, AtWork, Tending, at_work, until_a_lease_ends
from generation.drafts import Drafts
from tests.factories import BatchItemFactory, BatchJobFactory
from tests.processes import environment, manage

AT_WORK = [AtWork(batch="0198", process=7, in_flight=3)]


def tended(last: float | None) -> Tending:
    """As after a round at that moment."""
    return cast(Tending, SimpleNamespace(last=last, last_at=last and timezone.now(), at_work=AT_WORK))


@pytest.fixture
def health() -> Health:
    """Of a worker that has just been looked after."""
    return Health(Heart(), tended(time.monotonic()))


# --- The report ----------------------------------------------------------------------------------------------------


def test_a_worker_that_is_looked_after_is_healthy(health: Health) -> None:
    report = health.report()
    assert (report.healthy, report.status, report.problems) == (True, "ok", [])
    assert report.worker == f"{socket.gethostname()}:{os.getpid()}"
    assert report.batches == AT_WORK


def test_one_that_drains_is_healthy_and_says_so(health: Health) -> None:
    health.draining = True
    assert (health.report().healthy, health.report().status) == (True, "draining")


def test_one_that_has_not_yet_reached_postgresql_is_starting() -> None:
    report = Health(Heart(), tended(None)).report()
    assert (report.healthy, report.status) == (False, "starting")


def test_a_sentinel_that_stands_still_is_told(health: Health) -> None:
    health.patience = 0.0
    report = health.report()
    assert (report.healthy, report.status) == (False, "failing")
    assert "The sentinel of the worker processes has stood still" in report.problems[0]
    health.patience = 45.0
    health.heart.beat()
    assert health.report().healthy


def test_a_postgresql_that_does_not_answer_is_told() -> None:
    report = Health(Heart(), tended(time.monotonic() - 60)).report()
    assert report.status == "failing"
    assert report.problems == ["PostgreSQL has not answered for 60 s."]


def test_what_is_told_to_one_cluster_is_forgotten_before_the_next() -> None:
    stopping.tell()
    assert stopping.told()
    stopping.forget()
    assert not stopping.told()


@pytest.mark.django_db
def test_the_batches_of_its_own_processes_are_shown_with_their_calls() -> None:
    here = f"{socket.gethostname()}:{os.getpid()}:abc"
    job = BatchJobFactory(status="processing")
    BatchItemFactory(job=job, workspace=job.workspace, status="processing", claimed_by=here)
    BatchItemFactory(job=job, workspace=job.workspace)
    BatchJobFactory(status="processing", workspace=job.workspace)
    assert leases.take_job(job.pk, here)
    assert at_work({os.getpid()}) == [AtWork(str(job.pk), os.getpid(), 1)]
    assert at_work({1}) == []


@pytest.mark.django_db
def test_a_lease_that_has_ended_is_not_waited_for() -> None:
    """A sender that was killed after its last message batch is never replaced: nobody is needed."""
    job = BatchJobFactory(status="processing", runner="dead:1:x", runner_lease_expires_at=timezone.now())
    assert until_a_lease_ends() == SECONDS
    BatchJob.objects.filter(pk=job.pk).update(runner_lease_expires_at=timezone.now() + timedelta(seconds=60))
    assert SECONDS < until_a_lease_ends() < 61


# --- The page ------------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def page(settings: Any, health: Health) -> Iterator[str]:
    settings.WORKER_HEALTH_PORT = free_port()
    server = HealthServer.from_settings()
    assert server
    server.begin(health.report)
    yield f"http://127.0.0.1:{settings.WORKER_HEALTH_PORT}"
    server.shutdown()
    server.server_close()


def ask(address: str) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_the_page_answers_200_with_the_report_and_503_when_something_is_wrong(page: str, health: Health) -> None:
    status, report = ask(f"{page}/health")
    assert (status, report["status"]) == (200, "ok")
    assert report["batches"] == [{"batch": "0198", "process": 7, "in_flight": 3}]
    assert set(report) == {"worker", "status", "problems", "since", "last_tended_at", "batches"}
    health.patience = 0.0
    status, report = ask(f"{page}/health")
    assert (status, report["status"], len(report["problems"])) == (503, "failing", 1)


def test_there_is_no_other_page(page: str) -> None:
    assert ask(f"{page}/admin")[0] == 404


def test_without_a_port_there_is_none(settings: Any) -> None:
    settings.WORKER_HEALTH_PORT = 0
    assert HealthServer.from_settings() is None


def test_a_port_that_is_taken_is_said_before_anything_begins(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings.WORKER_HEALTH_PORT = other.getsockname()[1]
        with pytest.raises(CommandError, match="Set WORKER_HEALTH_PORT to a free port"):
            call_command("run_worker")


# --- The sign of life ----------------------------------------------------------------------------------------------


def alive() -> str:
    out = StringIO()
    call_command("run_worker", "--alive", stdout=out)
    return out.getvalue()


def test_a_healthy_worker_is_found_alive(health: Health) -> None:
    with liveness.sign_of_life() as sign:
        liveness.write(sign, health.report())
        assert alive() == f"{socket.gethostname()}:{os.getpid()}: healthy 0 s ago\n"
    with pytest.raises(CommandError, match="none runs"):
        alive()


def test_one_that_has_not_written_for_a_while_is_not(health: Health) -> None:
    with liveness.sign_of_life() as sign:
        liveness.write(sign, health.report())
        old = time.time() - 60
        os.utime(sign, (old, old))
        with pytest.raises(CommandError, match="stands still, or cannot reach PostgreSQL"):
            alive()


def test_what_a_killed_one_left_is_not_believed(health: Health, settings: Any) -> None:
    left = Path(settings.VAR_DIR, "run", "alive", "4194304.json")  # beyond the highest pid of Linux
    with liveness.sign_of_life() as sign:
        liveness.write(left, health.report())
        liveness.write(sign, health.report())
        assert len(alive().splitlines()) == 1
    with liveness.sign_of_life():
        assert not left.exists()


# --- systemd -------------------------------------------------------------------------------------------------------


def test_systemd_is_told_in_one_datagram(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        notify("READY=1", "STATUS=ok")
        assert systemd.recv(100) == b"READY=1\nSTATUS=ok"
    notify("WATCHDOG=1")  # it has gone: that is no reason to fail


# --- Before it begins, and whose clock counts -----------------------------------------------------------------------


@pytest.mark.django_db
def test_a_worker_with_a_pool_of_connections_is_refused_with_what_to_do() -> None:
    command = subprocess.run(
        manage("run_worker"), env=environment(CONVGEN_DATABASE_POOL="true"), capture_output=True, text=True, timeout=60
    )
    assert command.returncode == 1
    assert "Take CONVGEN_DATABASE_POOL out of its environment" in command.stderr


@pytest.mark.django_db
def test_a_database_that_lacks_a_migration_is_refused_with_what_to_do() -> None:
    newest = MigrationRecorder.Migration.objects.filter(app="batches").latest("pk")
    newest.delete()
    with pytest.raises(CommandError, match=r"lacks 1 migrations .*Run: manage.py migrate"):
        call_command("run_worker")


@pytest.mark.django_db
@pytest.mark.parametrize("hours", [-2, 2])
def test_a_machine_whose_clock_is_wrong_keeps_its_leases(hours: int, monkeypatch: pytest.MonkeyPatch) -> None:
    job = BatchJobFactory(status="processing")
    item = BatchItemFactory(job=job, workspace=job.workspace)
    assert leases.take_job(job.pk, "worker")
    (work,) = leases.claim(job, "worker", 1, Drafts()).works
    right = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: right() + timedelta(hours=hours))
    leases.heartbeat([work])
    monkeypatch.undo()
    left = BatchItem.objects.get(pk=item.pk).lease_expires_at - timezone.now()
    assert 25 < left.total_seconds() <= 30
    assert BatchJob.objects.get(pk=job.pk).has_runner
