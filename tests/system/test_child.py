"""Processes that end with the one that started them, whenever and however that ends, and write
nothing more."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import psutil
import pytest

from tests.layers import full

# Calls that write; a solver with a problem that it does not solve; a command; a process where the
# system does not tell.
PARENTS = {
    "pool": (
        """
import sys, time
from boundcheck.system.executors import engine_of
from boundcheck.system.executors import Call, Running

def write(i, times):
    for _ in range(times):
        open("written", "a").write(f"{i}\\n")
        time.sleep(0.1)

if __name__ == "__main__":
    calls, times = map(int, sys.argv[1:])
    works = [Call(str(i), write, (i, times)) for i in range(calls)]
    with Running(works, engine_of(2), lambda *each: None) as running:
        running.results()
"""
    ),
    "solver": (
        """
from boundcheck.proof.solver import ask

# A product of two primes below 2^63.
HARD = '''(set-logic QF_BV)(declare-const a (_ BitVec 128))(declare-const b (_ BitVec 128))
(assert (= (bvmul a b) (_ bv21000000000000000298000000000000000481 128)))(assert (bvult a b))
(assert (bvult b (_ bv9223372036854775808 128)))(assert (bvult (_ bv1 128) a))(check-sat)'''
ask(HARD, 1000)
"""
    ),
    "command": (
        """
import subprocess, sys
from boundcheck.system.child import watched

sleeps = "import time; open('written', 'a').write('began'); time.sleep(1000)"
subprocess.run(watched([sys.executable, "-c", sleeps]))
"""
    ),
    "elsewhere": (
        """
import os, subprocess, sys

CHILD = (
    "import sys; sys.platform = 'darwin'; "
    "from boundcheck.system.child import end_with; end_with(int(sys.argv[1])); "
)
WORK = "import time; open('written', 'a').write('began'); time.sleep(1000)"
subprocess.run([sys.executable, "-c", CHILD + WORK, str(os.getpid())])
"""
    ),
}


@contextmanager
def begun(folder, parent, *words):
    (folder / "parent.py").write_text(PARENTS[parent])
    command = [sys.executable, "parent.py", *words]
    path = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        command, cwd=folder, env=path, text=True, stderr=subprocess.PIPE
    ) as process:
        yield process


def until(process, there):
    """All that the process started, as soon as something is there."""
    for _ in range(6000):
        found = psutil.Process(process.pid).children(recursive=True)
        if there(found):
            return found
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    raise AssertionError("it does not begin")


def is_gone(process, found, folder):
    """All end, nothing is said, and nothing more is written."""
    _, said = process.communicate(timeout=60)
    assert not psutil.wait_procs(found, timeout=60)[1]
    assert said == ""
    written = folder / "written"
    before = written.exists() and written.read_text()
    time.sleep(1.0)
    assert (written.exists() and written.read_text()) == before


def workers(found):
    """Those of a pool."""
    of_a_pool = []
    for each in found:
        # One that ends meanwhile is none.
        with suppress(psutil.NoSuchProcess):
            of_a_pool += [each] if "LokyProcess" in " ".join(each.cmdline()) else []
    return of_a_pool


@full
@pytest.mark.parametrize("moment", ["one starts", "both start", "both wait"])
def test_a_pool_ends_with_a_parent_that_is_killed_at_any_moment(tmp_path, moment):
    with begun(tmp_path, "pool", "4", "300") as process:
        moments = {
            # Both may be there at the first look.
            "one starts": lambda found: len(workers(found)) >= 1,
            "both start": lambda found: len(workers(found)) == 2,
            "both wait": lambda found: (
                (tmp_path / "written").exists()
                and len(set((tmp_path / "written").read_text().split())) == 2
            ),
        }
        found = until(process, moments[moment])
        process.kill()
        is_gone(process, found, tmp_path)


@full
@pytest.mark.parametrize("parent", ["command", "elsewhere"])
def test_a_process_ends_with_a_parent_that_is_killed(tmp_path, parent):
    with begun(tmp_path, parent) as process:
        found = until(process, lambda found: (tmp_path / "written").exists())
        process.kill()
        is_gone(process, found, tmp_path)


@full
def test_a_solver_ends_with_a_parent_that_is_killed(tmp_path):
    with begun(tmp_path, "solver") as process:
        found = until(process, lambda found: len(found) > 0)
        time.sleep(1.0)
        assert found[0].is_running(), "it was to work for long"
        process.kill()
        is_gone(process, found, tmp_path)


def test_a_process_whose_parent_has_ended_before_it_began_does_nothing(tmp_path):
    code = "from boundcheck.system.child import end_with; end_with(1); open('written', 'w')"
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path).returncode == 1
    assert list(tmp_path.iterdir()) == []


@full
def test_a_tracker_that_is_killed_is_not_heard_of(tmp_path):
    """Another one takes its place, which knows none of what it is told to forget."""
    with begun(tmp_path, "pool", "2", "20") as process:
        found = until(process, lambda found: (tmp_path / "written").exists())
        trackers = [each for each in found if "tracker" in " ".join(each.cmdline())]
        assert trackers
        for each in trackers:
            each.send_signal(signal.SIGKILL)
        assert process.communicate(timeout=120) == (None, "")
        assert process.returncode == 0
