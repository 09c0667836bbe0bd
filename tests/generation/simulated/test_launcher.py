"""Finding this checkout's simulated Claude, and starting it: once, detached, whoever asks."""

import json
import os
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anthropic
import psutil
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from generation.endpoint import endpoint
from generation.simulated import launcher
from generation.simulated.launcher import SimulatedClaudeError, ensure_running
from generation.simulated.running import Listening, beside
from generation.simulated.server import Behaviour, SimulatedClaude
from tests.generation.raw_server import Raw, answering
from tests.generation.simulated.sdk import ask, message

ASKING = "from generation.simulated.launcher import ensure_running; print(ensure_running())"


def wait_for(condition: Callable[[], Any], *, seconds: float = 20.0) -> Any:
    """The condition's value as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return value


def environment(var: Path) -> dict[str, str]:
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "convgen.settings", "CONVGEN_VAR_DIR": str(var)}


def servers(var: Path) -> list[psutil.Process]:
    """The simulated Claudes that keep their list of processes below this folder."""
    found = []
    for entry in (var / "run").glob("simulate_claude-*.json"):
        written = json.loads(entry.read_text())
        try:
            process = psutil.Process(written["pid"])
        except psutil.NoSuchProcess:
            continue
        if process.create_time() == written["started"]:
            found.append(process)
    return found


def end(var: Path) -> None:
    for process in servers(var):
        process.terminate()
        try:
            process.wait(timeout=10)
        except psutil.TimeoutExpired:
            process.kill()


@pytest.fixture
def var(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A checkout's folder of its own, for this process and for those that it starts."""
    monkeypatch.setenv("CONVGEN_VAR_DIR", str(settings.VAR_DIR))
    monkeypatch.setenv("SIMULATED_CLAUDE_LATENCY", "0")
    yield settings.VAR_DIR
    end(settings.VAR_DIR)


def test_four_processes_at_once_start_one_that_outlives_them(var: Path) -> None:
    asking = [
        subprocess.Popen(
            [sys.executable, "-c", ASKING],
            cwd=django_settings.BASE_DIR,
            env=environment(var),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    answers = [process.communicate(timeout=60) for process in asking]
    assert [process.returncode for process in asking] == [0] * 4, answers
    [url] = {told.strip() for told, _problem in answers}
    [server] = wait_for(lambda: servers(var))
    assert server.is_running()
    assert os.getsid(server.pid) == server.pid, "it must not get the Ctrl-C of whoever asked first"
    assert ensure_running() == url
    assert endpoint().base_url == url
    assert len(servers(var)) == 1


def test_where_nobody_listens_any_more_a_new_one_is_started(var: Path) -> None:
    announced = "http://127.0.0.1:9"
    launcher.announce(announced)
    url = ensure_running()
    assert url != announced
    assert launcher._answering() == url


def test_one_that_runs_already_is_found(settings: Any) -> None:
    with beside(SimulatedClaude(Behaviour(), identity=str(settings.VAR_DIR))) as listening:
        launcher.announce(listening.url)
        assert ensure_running() == listening.url
    assert not (settings.VAR_DIR / "simulated-claude.log").exists(), "nothing was started"


def test_a_proxy_of_the_environment_does_not_hide_it(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with beside(SimulatedClaude(Behaviour(), identity=str(settings.VAR_DIR))) as listening:
        launcher.announce(listening.url)
        assert launcher._answering() == listening.url


@pytest.mark.parametrize("written", ["", "{", "[]", "null", '{"port": 1}', '{"url": 7}', '{"url": "nonsense"}'])
def test_a_spoilt_address_file_counts_as_none(settings: Any, written: str) -> None:
    launcher.announce("http://127.0.0.1:9")
    (settings.VAR_DIR / "run" / "simulated-claude.address").write_text(written)
    assert launcher._answering() == ""


def test_another_checkouts_simulated_claude_on_the_port_is_not_ours(settings: Any) -> None:
    with beside(SimulatedClaude(Behaviour(), identity="/somewhere/else/var")) as listening:
        launcher.announce(listening.url)
        assert launcher._answering() == ""


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"OK"', b'{"status": "ok"}'])
def test_somebody_else_on_the_port_is_not_ours(settings: Any, body: bytes) -> None:
    with answering(Raw(200, body)) as server:
        launcher.announce(server.url)
        assert launcher._answering() == ""


def test_somebody_who_speaks_no_http_on_the_port_is_not_ours(settings: Any) -> None:
    with _greeting(b"220 mail.example.org ESMTP\r\n") as url:
        launcher.announce(url)
        assert launcher._answering() == ""


@contextmanager
def _greeting(words: bytes) -> Iterator[str]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(words)

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_one_that_does_not_come_up_is_an_error_that_names_its_log(
    settings: Any, var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMULATED_CLAUDE_WEAK", "7")  # the command refuses that
    with pytest.raises(SimulatedClaudeError, match=r"did not start; see .*simulated-claude\.log"):
        ensure_running()
    assert "--weak must lie between 0 and 1" in (var / "simulated-claude.log").read_text()


def test_it_ends_by_itself_when_idle_and_leaves_the_list_of_processes(var: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "simulate_claude", "--idle-exit", "0.2"],
        cwd=django_settings.BASE_DIR,
        env=environment(var),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Simulated Claude listens on http://127.0.0.1:")
    assert list((var / "run").glob("simulate_claude-*")) == []


def test_what_the_command_is_told_holds_for_the_server(var: Path) -> None:
    options = ["--requests-per-minute", "1", "--batch-seconds", "3600", "--api-key", "right", "--idle-exit", "30"]
    command = [sys.executable, "manage.py", "simulate_claude", *options]
    process = subprocess.Popen(
        command, cwd=django_settings.BASE_DIR, env=environment(var), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process, process.stdout:
        url = process.stdout.readline().split()[-1]  # it can be asked as soon as it tells its address
        ask(url, lambda sdk: sdk.messages.create(**message()), api_key="right")
        with pytest.raises(anthropic.RateLimitError):
            ask(url, lambda sdk: sdk.messages.create(**message()), api_key="right")
        batched: list[Any] = [{"custom_id": "one", "params": message()}]
        batch = ask(url, lambda sdk: sdk.messages.batches.create(requests=batched), api_key="right")
        assert batch.processing_status == "in_progress"
        process.terminate()


# --- The command's options -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"weak": 1.5}, "--weak must lie between 0 and 1."),
        ({"weak": float("nan")}, "--weak must lie between 0 and 1."),
        ({"jitter": -0.1}, "--jitter must lie between 0 and 1."),
        ({"fault_rate": 2.0}, "--fault-rate must lie between 0 and 1."),
        ({"fault_rate": 0.5, "faults": " , "}, "--fault-rate needs --faults: name some of 400,"),
        ({"faults": "429,earthquake"}, "--faults: Unknown fault: earthquake. Known are 400,"),
        ({"faults": "429:soon"}, "--faults: 429:soon: behind the colon belongs a number of seconds, 0 or more."),
        ({"requests_per_minute": -1}, "--requests-per-minute must be 0, for no limit, or more."),
        ({"input_tokens_per_minute": -1}, "--input-tokens-per-minute must be 0, for no limit, or more."),
        ({"output_tokens_per_minute": -1}, "--output-tokens-per-minute must be 0, for no limit, or more."),
        ({"batch_seconds": -1.0}, "--batch-seconds must be a number of seconds, 0 or more."),
        ({"latency": -1.0}, "--latency must be a number of seconds, 0 or more."),
        ({"latency": float("inf")}, "--latency must be a number of seconds, 0 or more."),
        ({"idle_exit": -1.0}, "--idle-exit must be a number of seconds, 0 or more."),
        ({"port": 99_999}, "--port must lie between 0 and 65535"),
        ({"port": -1}, "--port must lie between 0 and 65535"),
    ],
    ids=str,
)
def test_an_option_that_cannot_be_is_refused_in_words(settings: Any, options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(CommandError) as raised:
        call_command("simulate_claude", **options)
    assert str(raised.value).startswith(complaint)
    assert not (settings.VAR_DIR / "run").exists(), "nothing was announced"


def test_a_port_that_is_taken_is_refused_in_words(listening: Listening) -> None:
    with pytest.raises(CommandError, match=f"Port {listening.port} cannot be used: .*in use. Choose another."):
        call_command("simulate_claude", port=listening.port)


@pytest.mark.parametrize(("flag", "value"), [("--port", "http"), ("--weak", "much"), ("--colour", "red")])
def test_what_is_no_option_is_refused(flag: str, value: str) -> None:
    with pytest.raises(CommandError, match=flag):
        call_command("simulate_claude", flag, value)
