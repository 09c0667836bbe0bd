"""Secrets are made once, whole, and for their owner alone."""

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from django.conf import settings

from convgen.secrets_on_disk import secret_on_disk

ASK = """
import sys, time
from pathlib import Path
from convgen.secrets_on_disk import secret_on_disk
while not Path(sys.argv[2]).exists():
    time.sleep(0.001)
print(secret_on_disk(Path(sys.argv[1])))
"""


def test_a_secret_is_long_and_stays_what_it_is(tmp_path: Path) -> None:
    secret = secret_on_disk(tmp_path / "var" / "secret-key")
    assert len(secret) >= 50
    assert secret_on_disk(tmp_path / "var" / "secret-key") == secret
    assert secret_on_disk(tmp_path / "var" / "another-key") != secret


def test_a_password_is_short_enough_to_type(tmp_path: Path) -> None:
    assert 20 <= len(secret_on_disk(tmp_path / "admin-password")) <= 30


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    secret_on_disk(tmp_path / "secret-key")
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600


def test_processes_that_ask_at_once_get_the_same_one(tmp_path: Path) -> None:
    path, go = tmp_path / "var" / "secret-key", tmp_path / "go"
    command = [sys.executable, "-c", ASK, str(path), str(go)]
    asking = [
        subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    go.touch()
    answers = {process.communicate(timeout=30)[0].strip() for process in asking}
    assert answers == {path.read_text()}


def test_threads_that_ask_at_once_get_the_same_one_and_leave_no_drafts(tmp_path: Path) -> None:
    together = Barrier(8)

    def ask(_number: int) -> list[str]:
        answers = []
        for turn in range(40):
            together.wait(timeout=10)
            answers.append(secret_on_disk(tmp_path / f"secret-{turn}"))
        return answers

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    assert all(told == answers[0] for told in answers)
    assert len(set(answers[0])) == 40
    assert {file.name for file in tmp_path.iterdir()} == {f"secret-{turn}" for turn in range(40)}


def test_a_secret_that_somebody_wrote_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "secret-key").write_text("my own\n")
    assert secret_on_disk(tmp_path / "secret-key") == "my own"
