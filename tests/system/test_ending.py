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

LONG = """
claim = "jiang2024.theorem2"
seed = [0, 1, 2]

[problem]
kind = "pseudo-huber"
d = 3
k = 2
samples = 8

[adapter]
kind = "lora"
rank = 1

[run]
steps = 100000
batch = 2
replicas = 64
audits = 64
"""
SAID = "boundcheck: stopped; what is finished is kept, and the same command goes on from there"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_raised_and_the_handlers_come_back(number: signal.Signals) -> None:
    before = [signal.getsignal(x) for x in (signal.SIGINT, signal.SIGTERM)]

    def run() -> None:
        with stoppable():
            os.kill(os.getpid(), number)
            time.sleep(1)

    with pytest.raises(Stopped) as stopped:
        run()
    assert stopped.value.exit_code == 128 + number
    assert [signal.getsignal(x) for x in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_in_a_function_that_c_calls_is_not_lost(number: signal.Signals, capsys: pytest.CaptureFixture) -> None:
    """Nothing can be raised through C: Python prints a traceback and goes on, as where numba compiled."""

    @ctypes.CFUNCTYPE(None)
    def called() -> None:
        os.kill(os.getpid(), number)
        time.sleep(0.01)

    def run() -> None:
        with stoppable():
            called()
            time.sleep(5)

    before = sys.unraisablehook
    with pytest.raises(Stopped) as stopped:
        run()
    assert stopped.value.exit_code == 128 + number
    assert capsys.readouterr().err == ""
    assert sys.unraisablehook is before


def begun(folder: Path, sign: str, *options: str) -> subprocess.Popen[str]:
    """A command that measures for minutes, when its first run has that file in its folder."""
    (folder / "long.toml").write_text(LONG)
    command = [sys.executable, "-m", "boundcheck", "measure", "long.toml", "--store", "runs", *options]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=folder, text=True, start_new_session=True, stdout=pipe, stderr=pipe)
    for _ in range(1200):
        if list(folder.glob(f"runs/*/{sign}")) or process.poll() is not None:
            break
        time.sleep(0.1)
    assert process.poll() is None, process.communicate()
    return process


def workers(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The processes of its pool."""
    found = psutil.Process(process.pid).children(recursive=True)
    lives = [x for x in found if x.status() != psutil.STATUS_ZOMBIE]
    return [x for x in lives if any("LokyProcess" in word for word in x.cmdline())]


def gone(processes: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(processes, timeout=30)[1]


@pytest.mark.full
def test_a_run_that_is_stopped_says_so_in_one_line(tmp_path: Path) -> None:
    process = begun(tmp_path, "spec.json")
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors.strip().splitlines()[-1]) == (128 + signal.SIGTERM, SAID)
    assert "Traceback" not in errors


@pytest.mark.full
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_of_a_pool_is_left(tmp_path: Path, number: signal.Signals) -> None:
    process = begun(tmp_path, "checkpoint.pt", "--jobs", "2")
    pool = workers(process)
    assert len(pool) == 2
    # A terminal sends Ctrl-C to all of them.
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    _, errors = process.communicate(timeout=60)
    assert number == signal.SIGKILL or errors.strip().splitlines()[-1] == SAID
    assert "Traceback" not in errors
    assert gone(pool)


@pytest.mark.full
def test_a_killed_worker_is_replaced_and_the_command_goes_on(tmp_path: Path) -> None:
    process = begun(tmp_path, "checkpoint.pt", "--jobs", "2")
    pool = workers(process)
    pool[0].kill()
    for _ in range(1200):
        new = [each for each in workers(process) if each not in pool and each.is_running()]
        if len(new) == 2 or process.poll() is not None:
            break
        time.sleep(0.1)
    assert process.poll() is None, process.communicate()
    assert gone(pool)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors.strip().splitlines()[-1]) == (128 + signal.SIGTERM, SAID)
    assert gone(new)
    assert not list(tmp_path.glob("runs/.sweep-*"))
