"""A PostgreSQL of the checkout's own: started once, found again, never mistaken for another program."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from django.conf import settings

from convgen.database.embedded import NAME, PORT, EmbeddedServer, EmbeddedServerError

ENSURE = """
import sys
from pathlib import Path
from convgen.database.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]))
server.ensure_running()
print((server.data / "postmaster.pid").read_text().splitlines()[0])
"""


@pytest.fixture(scope="module", params=["plain", "with a space"])
def server(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """A new server; its folder is closed to others, as temporary ones are."""
    folder = Path(tempfile.mkdtemp(prefix="convgen-test-"))
    new = EmbeddedServer(folder / request.param / "postgres")
    try:
        new.ensure_running()
        yield new
    finally:
        _clear_away(new, folder)


def _clear_away(server: EmbeddedServer, folder: Path) -> None:
    try:
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(server.socket_directory, ignore_errors=True)


@pytest.fixture
def running(server: EmbeddedServer) -> EmbeddedServer:
    server.ensure_running()
    return server


def _ask(server: EmbeddedServer, statement: str, *, user: str = NAME) -> Any:
    with psycopg.connect(
        host=str(server.socket_directory), port=PORT, user=user, dbname=NAME, autocommit=True
    ) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchone() if cursor.description else None


def _processes(server: EmbeddedServer) -> dict[int, psutil.Process]:
    """The server's processes by pid: they work in its folder."""
    found = psutil.process_iter(["name", "cwd", "ppid"])
    return {one.pid: one for one in found if one.info["name"] == "postgres" and one.info["cwd"] == str(server.data)}


def _postmaster(server: EmbeddedServer) -> psutil.Process:
    """The first of the server's processes: a child of none of them."""
    family = _processes(server)
    (first,) = (process for process in family.values() if process.info["ppid"] not in family)
    return first


def _until(condition: Callable[[], bool], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_the_application_has_its_role_and_database(running: EmbeddedServer) -> None:
    assert running.data.stat().st_mode & 0o077 == 0
    assert running.socket_directory.stat().st_mode & 0o077 == 0
    user, database = _ask(running, "SELECT current_user, current_database()")
    assert (user, database) == (NAME, NAME)


def test_the_role_is_bound_by_row_level_security(running: EmbeddedServer) -> None:
    assert _ask(running, "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user") == (False, False)


def test_a_second_call_finds_it_running(running: EmbeddedServer) -> None:
    before = _postmaster(running)
    running.ensure_running()
    assert _postmaster(running) == before


def test_nothing_listens_on_the_network(running: EmbeddedServer) -> None:
    assert _ask(running, "SHOW listen_addresses") == ("",)
    assert _postmaster(running).net_connections("inet") == []


def test_words_outside_ascii_have_trigrams(running: EmbeddedServer) -> None:
    _ask(running, "CREATE EXTENSION IF NOT EXISTS pg_trgm")
    (trigrams,) = _ask(running, "SELECT show_trgm('Éà日本')")
    assert len(trigrams) >= 4


def test_statements_are_counted(running: EmbeddedServer) -> None:
    assert _ask(running, "SELECT count(*) > 0 FROM pg_stat_statements") == (True,)


def test_it_survives_its_own_kill_with_its_data(running: EmbeddedServer) -> None:
    _ask(running, "CREATE TABLE IF NOT EXISTS kept (word text)")
    _ask(running, "INSERT INTO kept VALUES ('intact')")
    killed = _postmaster(running)
    killed.kill()
    _until(lambda: not killed.is_running() or killed.status() == psutil.STATUS_ZOMBIE)
    running.ensure_running()
    assert _ask(running, "SELECT word FROM kept") == ("intact",)
    assert _postmaster(running).pid != killed.pid
    _ask(running, "DROP TABLE kept")


def test_a_stranger_who_got_the_pid_is_not_signalled(running: EmbeddedServer) -> None:
    running.stop()
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        stale = [str(stranger.pid), str(running.data), "1", PORT, str(running.socket_directory), "", "", "ready"]
        (running.data / "postmaster.pid").write_text("\n".join(stale) + "\n")
        (running.socket_directory / f".s.PGSQL.{PORT}.lock").write_text("\n".join(stale[:5]) + "\n")
        assert not running.stop()
        assert stranger.poll() is None
        running.ensure_running()
        assert stranger.poll() is None
        assert _ask(running, "SELECT 1") == (1,)
    finally:
        stranger.kill()
        stranger.wait()


def test_stop_stops_it_once(running: EmbeddedServer) -> None:
    assert running.stop()
    assert _processes(running) == {}
    assert not running.stop()


def test_processes_that_ask_at_once_start_one_server(server: EmbeddedServer) -> None:
    server.stop()
    asking = [_ensure_beside(server) for _ in range(4)]
    answers = [process.communicate(timeout=60) for process in asking]
    assert [process.returncode for process in asking] == [0] * 4, answers
    assert {out.strip() for out, _error in answers} == {str(_postmaster(server).pid)}


def _ensure_beside(server: EmbeddedServer, *prefix: str) -> "subprocess.Popen[str]":
    command = [*prefix, sys.executable, "-c", ENSURE, str(server.data)]
    return subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_first_start_of_all_may_be_asked_for_by_many() -> None:
    folder = Path(tempfile.mkdtemp(prefix="convgen-test-"))
    new = EmbeddedServer(folder / "postgres")
    try:
        asking = [_ensure_beside(new) for _ in range(3)]
        answers = [process.communicate(timeout=60) for process in asking]
        assert [process.returncode for process in asking] == [0] * 3, answers
        assert {out.strip() for out, _error in answers} == {str(_postmaster(new).pid)}
    finally:
        _clear_away(new, folder)


def test_a_first_start_that_was_killed_is_begun_anew() -> None:
    folder = Path(tempfile.mkdtemp(prefix="convgen-test-"))
    new = EmbeddedServer(folder / "postgres")
    try:
        first = _ensure_beside(new)
        _until(lambda: any(folder.glob("**/PG_VERSION")))  # initdb is half-way
        for process in (first, *_initdb(folder)):
            process.kill()
        first.communicate()
        new.ensure_running()
        assert _ask(new, "SELECT 1") == (1,)
    finally:
        _clear_away(new, folder)


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "letter.txt").write_text("mine")
    server = EmbeddedServer(tmp_path / "postgres")
    try:
        with pytest.raises(EmbeddedServerError, match="postgres must be empty or not exist"):
            server.ensure_running()
        assert (tmp_path / "postgres" / "letter.txt").read_text() == "mine"
    finally:
        shutil.rmtree(server.socket_directory, ignore_errors=True)


def _initdb(folder: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(folder) in word for word in process.info["cmdline"] or ()) and process.pid != os.getpid()
    ]


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root can lay a right down")
def test_a_container_that_withholds_a_right_has_one_too() -> None:
    folder = Path(tempfile.mkdtemp(prefix="convgen-test-"))  # closed to others
    new = EmbeddedServer(folder / "postgres")
    try:
        started = _ensure_beside(new, "setpriv", "--bounding-set=-dac_read_search")
        _out, error = started.communicate(timeout=60)
        assert started.returncode == 0, error
        assert _ask(new, "SELECT 1") == (1,)
    finally:
        _clear_away(new, folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests have shown it: this is no root")
def test_an_ordinary_user_has_one_too() -> None:
    prefix = _as_nobody()
    folder = Path(tempfile.mkdtemp(prefix="convgen-test-"))
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    data = folder / "postgres"
    script = f"{ENSURE}\nprint(server.data.stat().st_uid)\nassert server.stop()\n"
    try:
        command = [*prefix, sys.executable, "-c", script, str(data)]
        done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        _pid, told = done.stdout.splitlines()
        assert int(told) == nobody.pw_uid
    finally:
        _clear_away(EmbeddedServer(data), folder)


def _as_nobody() -> list[str]:
    """The command's prefix that gives up root; it keeps the right to reach a Python below `/root`."""
    if not shutil.which("setpriv"):
        pytest.skip("there is no setpriv to become another user with")
    nobody = pwd.getpwnam("nobody")
    prefix = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    for more in ([], ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]):
        reached = subprocess.run([*prefix, *more, sys.executable, "-c", "import psycopg"], capture_output=True, cwd="/")
        if reached.returncode == 0:
            return [*prefix, *more]
    pytest.skip(f"another user cannot reach {sys.executable}")
