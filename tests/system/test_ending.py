"""What ends a command from outside: one line, the exit code of the signal, and no process that is
left behind."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import boundcheck
from boundcheck.errors import InputError
from boundcheck.system.ending import Stopped, stoppable
from boundcheck.system.files import cache_folder
from tests.layers import full
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
def test_the_first_signal_is_raised_and_the_handlers_come_back(number, through_c, capsys):
    """Nothing can be raised through C: Python prints a traceback and goes on, as where numba
    compiled."""

    def killed():
        os.kill(os.getpid(), number)
        time.sleep(0.01)

    def run():
        with stoppable():
            ctypes.CFUNCTYPE(None)(killed)() if through_c else killed()
            time.sleep(5)

    before = [sys.unraisablehook, *map(signal.getsignal, (signal.SIGINT, signal.SIGTERM))]
    with pytest.raises(Stopped) as stopped:
        run()
    assert stopped.value.exit_code == 128 + number
    assert capsys.readouterr().err == ""
    assert [sys.unraisablehook, *map(signal.getsignal, (signal.SIGINT, signal.SIGTERM))] == before


def begun(folder, sign, *options):
    """A command that measures for minutes, when its first run has that file in its folder."""
    (folder / "long.toml").write_text(LONG)
    command = [
        sys.executable,
        "-m",
        "boundcheck",
        "measure",
        "long.toml",
        "--store",
        "runs",
        *options,
    ]
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        command, cwd=folder, text=True, start_new_session=True, stdout=pipe, stderr=pipe
    )
    for _ in range(3000):
        assert process.poll() is None, process.communicate()
        if list(folder.glob(f"runs/*/{sign}")):
            return process
        time.sleep(0.1)
    process.kill()
    raise AssertionError(f"no {sign}")


def pool_of(process):
    return workers(psutil.Process(process.pid).children(recursive=True))


def ends_in_one_line(process, number=signal.SIGTERM):
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert errors.strip().splitlines()[-1] == SAID
    assert "Traceback" not in errors


@full
def test_a_run_that_is_stopped_says_so_in_one_line(tmp_path):
    process = begun(tmp_path, "spec.json")
    process.send_signal(signal.SIGTERM)
    ends_in_one_line(process)


STOPPED_IN_A_WRITE = """
import asyncio, os, signal, threading
from boundcheck.system.ending import in_one_line
from zarr.core.sync import sync

async def write():
    await asyncio.sleep(100)

with in_one_line():
    threading.Timer(1, os.kill, (os.getpid(), signal.SIGTERM)).start()
    sync(write())
"""


STOPPED_IN_LLVM = """
import os, signal
from llvmlite.binding import ModuleRef
from numba import njit
from boundcheck.system.ending import in_one_line

detach = ModuleRef.detach

def stopped_before(module):
    # Once: a second signal may end the process at once, and a module is not the last.
    ModuleRef.detach = detach
    os.kill(os.getpid(), signal.SIGTERM)
    detach(module)

ModuleRef.detach = stopped_before
with in_one_line():
    njit(lambda x: x + 1)(1.0)
    while True:
        pass
"""


@full
def test_a_compilation_that_is_stopped_does_not_kill_the_process():
    pytest.importorskip("numba")
    ended = subprocess.run(
        [sys.executable, "-c", STOPPED_IN_LLVM],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert ended.returncode == 143
    assert ended.stderr.strip() == SAID


@full
def test_a_write_of_a_trace_that_is_cut_off_says_nothing_after_that_line():
    ended = subprocess.run(
        [sys.executable, "-c", STOPPED_IN_A_WRITE], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 143
    assert ended.stderr.strip() == SAID


@full
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_no_process_of_a_pool_is_left_whose_worker_was_replaced(tmp_path, number):
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


@full
@pytest.mark.parametrize(
    "arguments", [("claims",), ("claims", "--json"), ("--help",), ("prove", "meft.lora")], ids=str
)
def test_a_pipe_that_closes_ends_a_command_in_silence(arguments):
    """By the exit code of its signal: 1 would say that something was refuted."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "boundcheck", *arguments]
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(100) == 141


@full
def test_a_folder_that_was_removed_and_a_user_without_a_home_are_told_in_one_line(tmp_path):
    (gone := tmp_path / "gone").mkdir()
    script = (
        "import os, sys; os.rmdir(os.getcwd()); os.execv(sys.executable, [sys.executable, '-m',"
        " *sys.argv[1:]])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, "boundcheck", "claims"],
        cwd=gone,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "the current folder" in ended.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("BOUNDCHECK_CACHE", raising=False)
        patch.setattr(Path, "home", classmethod(_homeless))
        with pytest.raises(InputError, match="HOME"):
            cache_folder()


def _homeless(_):
    raise RuntimeError("Could not determine home directory.")


@full
@pytest.mark.parametrize(
    "typed", [("-m", "boundcheck"), ("-mboundcheck",), ("-X", "utf8", "-m", "boundcheck")]
)
def test_no_library_is_imported_from_the_current_folder_that_holds_the_package(typed, tmp_path):
    """As in a folder with the environment in it: the package lies below."""
    (tmp_path / "boundcheck").symlink_to(Path(boundcheck.__file__).parent)
    for name in ("typer", "sympy", "numpy", "rich", "torch", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(77)")
    command = [sys.executable, *typed, "--help"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    # A script's own folder stays.
    (tmp_path / "mine.py").write_text("import sys, boundcheck; print(sys.path[0])")
    ended = subprocess.run(
        [sys.executable, "-m", "mine"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.stdout.strip() == str(tmp_path)
