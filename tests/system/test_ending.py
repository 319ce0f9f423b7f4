"""What ends a command from outside: one line, the exit code of the signal, and no process that is left behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from boundcheck.system.ending import Stopped, stoppable
from tests.system.test_child import workers

# All that a pilot would look for is given, so that a run begins, and has a checkpoint, at once.
LONG = """
claim = "jiang2024.theorem2"
seed = [0, 1, 2]
problem = {kind = "pseudo-huber", d = 3, k = 2, samples = 8}
adapter = {kind = "lora", rank = 1}
domain = {a = 3.0, b = 3.0}
run = {steps = 200000, batch = 2, replicas = 8, audits = 64, zeta = 3.0}
"""
SAID = "boundcheck: stopped; what is finished is kept, and the same command goes on from there"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("through_c", [False, True], ids=["Python", "C"])
def test_the_first_signal_is_raised_and_the_handlers_come_back(
    number: signal.Signals, through_c: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing can be raised through C: Python prints a traceback and goes on, as where numba compiled."""

    def killed() -> None:
        os.kill(os.getpid(), number)
        time.sleep(0.01)

    def run() -> None:
        with stoppable():
            ctypes.CFUNCTYPE(None)(killed)() if through_c else killed()
            time.sleep(5)

    before = [sys.unraisablehook, *map(signal.getsignal, (signal.SIGINT, signal.SIGTERM))]
    with pytest.raises(Stopped) as stopped:
        run()
    assert stopped.value.exit_code == 128 + number
    assert capsys.readouterr().err == ""
    assert [sys.unraisablehook, *map(signal.getsignal, (signal.SIGINT, signal.SIGTERM))] == before


def begun(folder: Path, sign: str, *options: str) -> subprocess.Popen[str]:
    """A command that measures for minutes, when its first run has that file in its folder."""
    (folder / "long.toml").write_text(LONG)
    command = [sys.executable, "-m", "boundcheck", "measure", "long.toml", "--store", "runs", *options]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=folder, text=True, start_new_session=True, stdout=pipe, stderr=pipe)
    for _ in range(3000):
        assert process.poll() is None, process.communicate()
        if list(folder.glob(f"runs/*/{sign}")):
            return process
        time.sleep(0.1)
    process.kill()
    raise AssertionError(f"no {sign}")


def pool_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return workers(psutil.Process(process.pid).children(recursive=True))


def ends_in_one_line(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> None:
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors.strip().splitlines()[-1]) == (128 + number, SAID)
    assert "Traceback" not in errors


@pytest.mark.full
def test_a_run_that_is_stopped_says_so_in_one_line(tmp_path: Path) -> None:
    process = begun(tmp_path, "spec.json")
    process.send_signal(signal.SIGTERM)
    ends_in_one_line(process)


@pytest.mark.full
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_no_process_of_a_pool_is_left_whose_worker_was_replaced(tmp_path: Path, number: signal.Signals) -> None:
    process = begun(tmp_path, "checkpoint.pt", "--jobs", "2")
    pool = pool_of(process)
    pool[0].kill()
    for _ in range(1200):
        new = [each for each in pool_of(process) if each not in pool and each.is_running()]
        if len(new) == 2 or process.poll() is not None:
            break
        time.sleep(0.1)
    assert process.poll() is None, process.communicate()
    # A terminal sends Ctrl-C to all of them.
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    ends_in_one_line(process, number)
    assert not psutil.wait_procs([*pool, *new], timeout=30)[1]
    assert not list(tmp_path.glob("runs/.sweep-*"))
