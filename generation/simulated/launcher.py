"""Finds this checkout's simulated Claude, and starts it when it does not answer.

It is a process of its own on a loopback port, shared by every worker and command of the checkout. One that was
started from here ends by itself when nobody has asked it anything for a while.
"""

import fcntl
import http.client
import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from django.conf import settings

API_KEY = "simulated"
MODEL_PREFIX = "simulated-"  # of the model name in every reply: it marks the data
IDLE_SECONDS = 900
START_SECONDS = 30.0

# A proxy that the environment names does not lead to this machine's own ports.
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class SimulatedClaudeError(RuntimeError):
    """Simulated Claude did not start; its log tells why."""


def ensure_running() -> str:
    """Its address, such as `http://127.0.0.1:41871`; it is started first if need be.

    Raises `SimulatedClaudeError` when it does not come up.
    """
    if url := _answering():
        return url
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    with open(settings.VAR_DIR / ".simulated-claude.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _answering() or _start()


def announce(url: str) -> None:
    """Tell the other processes of this checkout where simulated Claude listens."""
    path = _address_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps({"url": url}))
    draft.replace(path)


def _start() -> str:
    log = settings.VAR_DIR / "simulated-claude.log"
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "simulate_claude", "--port", "0"]
    with open(log, "a") as output:
        process = subprocess.Popen(
            [*command, "--idle-exit", str(IDLE_SECONDS)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # it serves others after us: Ctrl-C here must not end it
            close_fds=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if url := _answering():
            return url
        time.sleep(0.05)
    raise SimulatedClaudeError(f"Simulated Claude did not start; see {log}.")


def _answering() -> str:
    """The announced address, if simulated Claude answers there; else an empty text."""
    try:
        url = str(json.loads(_address_file().read_text())["url"])
        with DIRECTLY.open(f"{url}/health", timeout=2) as reply:
            return url if json.load(reply) == {"simulated": str(settings.VAR_DIR)} else ""
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return ""  # nobody is there, or somebody else: the port may have been taken since


def _address_file() -> Path:
    return Path(settings.VAR_DIR) / "run" / "simulated-claude.address"
