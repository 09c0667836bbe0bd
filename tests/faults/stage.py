"""Where the faults happen: a PostgreSQL of their own, a simulated Claude, and real workers that may be killed."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx
import psutil
from django.core.management import call_command
from django.db import connection

from batches import control
from batches.choices import ENDED, OPEN
from batches.models import BatchItem, BatchJob
from convgen.database.embedded import EmbeddedServer
from generation.simulated.behaviour import Behaviour
from generation.simulated.running import Listening, beside
from generation.simulated.server import SimulatedClaude
from tests.processes import environment, eventually, kill_tree, manage

WORKERS = 2
SPARE = 1  # started while a trial waits for a lease to end, so that the next one need not wait
LATENCY = 0.35  # seconds of one call, on average
SETTINGS = {
    "ANTHROPIC_API_KEY": "test-key",
    "BATCH_LEASE_SECONDS": "5",  # the shortest that is allowed
    "WORKER_PROCESSES": "3",
    "MAX_RUNNING_BATCHES": "2",
    # A process that was stopped in a transaction keeps its locks for so long.
    "DATABASE_IDLE_IN_TRANSACTION_TIMEOUT": "3",
}


class Worker:
    """A `run_worker` and the processes below it."""

    def __init__(self, stage: "Stage", number: int) -> None:
        self.log = stage.folder / f"worker-{number}.log"
        with self.log.open("w") as log:
            self._popen = subprocess.Popen(manage("run_worker"), env=stage.environment(), stdout=log, stderr=log)
        self._alive = stage.var / "run" / "alive"
        self.command = psutil.Process(self._popen.pid)

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    @property
    def ready(self) -> bool:
        return self.running and any((self._alive / f"{one.pid}.json").exists() for one in self.command.children())

    @property
    def cluster(self) -> psutil.Process:
        return next(iter(self.command.children()))

    @property
    def sentinel(self) -> psutil.Process:
        return next(iter(self.cluster.children()))

    def wait(self, *, seconds: float) -> int:
        return self._popen.wait(timeout=seconds)

    def end(self) -> None:
        """Also what the command left behind when it was killed."""
        kill_tree(self._popen.pid)
        self._popen.wait(timeout=10)


@dataclass
class Stage:
    folder: Path
    postgresql: EmbeddedServer
    listening: Listening
    workers: list[Worker] = field(default_factory=list)
    started: int = 0

    @property
    def claude(self) -> SimulatedClaude:
        return self.listening.claude

    @property
    def var(self) -> Path:
        return self.folder / "var"

    def environment(self) -> dict[str, str]:
        return environment(**SETTINGS, ANTHROPIC_BASE_URL=self.listening.url, CONVGEN_VAR_DIR=str(self.var))

    def replace_the_dead(self, wanted: int = WORKERS + SPARE) -> None:
        """Start as many workers as are missing; they are ready some seconds later."""
        self.workers = [worker for worker in self.workers if worker.running]
        while len(self.workers) < wanted:
            self.started += 1
            self.workers.append(Worker(self, self.started))

    def set(self) -> None:
        """Two workers at least are ready, and nothing is left to do, whatever became of the trial before."""
        self.replace_the_dead(WORKERS)
        for job in BatchJob.objects.exclude(status__in=ENDED):
            control.cancel(job.pk)
        eventually(lambda: not BatchItem.objects.filter(status__in=OPEN).exists(), seconds=60)
        eventually(lambda: sum(worker.ready for worker in self.workers) >= WORKERS, seconds=60)

    def who_runs(self, job: BatchJob) -> tuple[Worker, psutil.Process]:
        """The worker, and its process, that runs the job's slice at this moment."""
        eventually(lambda: BatchJob.objects.get(pk=job.pk).runner, seconds=20)
        process = psutil.Process(int(BatchJob.objects.get(pk=job.pk).runner.rsplit(":", 2)[1]))
        above = {parent.pid for parent in process.parents()}
        return next(worker for worker in self.workers if worker.command.pid in above), process

    def settle_arrivals(self) -> None:
        """What was sent before is noted by the server before it answers this."""
        for _ in range(2):
            httpx.get(f"{self.listening.url}/health").raise_for_status()

    def kill_postgresql(self) -> None:
        """All of its processes at once; and it is started again."""
        connection.close()
        place = str(self.postgresql.data)
        found = psutil.process_iter(["name", "cwd"])
        family = [one for one in found if one.info["name"] == "postgres" and one.info["cwd"] == place]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, timeout=10)
        self.postgresql.ensure_running()


@contextmanager
def stage() -> Iterator[Stage]:
    folder = Path(tempfile.mkdtemp(prefix="convgen-faults-"))
    server = EmbeddedServer(folder / "postgres")
    claude = SimulatedClaude(Behaviour(latency=LATENCY, jitter=0.5, weak=0), remember=True)
    try:
        server.ensure_running()
        with _tests_database_is(server), beside(claude) as listening:
            call_command("migrate", verbosity=0)
            built = Stage(folder, server, listening)
            try:
                yield built
            finally:
                for worker in built.workers:
                    worker.end()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(server.socket_directory, ignore_errors=True)


@contextmanager
def _tests_database_is(server: EmbeddedServer) -> Iterator[None]:
    """Let this test's connection lead to another server: the one of the suite must not be killed."""
    former = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(server.django_settings())
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.clear()
        connection.settings_dict.update(former)


def gone(process: psutil.Process) -> None:
    """Kill it, and see that it is gone."""
    process.kill()
    psutil.wait_procs([process], timeout=10)
