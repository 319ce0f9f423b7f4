"""Runs killed in the middle, with SIGKILL or at any write, end bit-identical to those that were
not."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
import zarr

from boundcheck.experiment import measure, run
from boundcheck.experiment.statistics import Schedule
from boundcheck.experiment.store import RunFolder, environment
from boundcheck.system import files
from tests.functions.networks.small import gpt_table
from tests.layers import full

from .small import theorem_table

# Long enough to be caught in the middle: seconds, with 16 checkpoints.
LONG = theorem_table(run__steps=8000, run__audits=64)
SHORT = theorem_table(run__steps=120, run__audits=40)
# One thread, as in the tests themselves (tests/conftest.py): the environment is part of the result.
PROGRAM = """
import json, sys, torch
torch.set_num_threads(1)
from boundcheck.experiment import measure, run
run.is_due = lambda worked, took: True
for runs in sys.argv[2:]:
    measure(json.loads(sys.argv[1]), runs)
"""


posix = pytest.mark.skipif(
    os.name != "posix", reason="a process cannot be sent SIGKILL elsewhere than on POSIX"
)


def start(table, runs):
    return subprocess.Popen([sys.executable, "-c", PROGRAM, json.dumps(table), str(runs)])


def wait_for(condition, process, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)


def state_in(folder):
    """What the checkpoint of a run in this environment holds."""
    state = RunFolder(folder, environment("cpu")).checkpoint(bool)
    assert state is not None
    return state


def assert_identical(one, other):
    """The same files with the same arrays and result, and nothing left over."""
    assert (one / "result.json").read_bytes() == (other / "result.json").read_bytes()
    # A hidden file is the lock.
    names = [
        {path.name for path in folder.iterdir() if path.name[0] != "."} for folder in (one, other)
    ]
    assert names[0] == names[1]
    # By its last state a run on matrices is judged again when it is read.
    assert names[0] - {"checkpoint.pt"} == {"spec.json", "trace.zarr", "result.json"}
    assert not list(one.rglob("*.part"))
    first, second = (
        dict(zarr.open_group(folder / "trace.zarr", mode="r").arrays()) for folder in (one, other)
    )
    assert first.keys() == second.keys()
    for name in first:
        assert np.asarray(first[name]).tobytes() == np.asarray(second[name]).tobytes(), name


@full
@posix
def test_a_run_killed_several_times_ends_as_if_it_had_not_been(tmp_path):
    (whole,) = measure(LONG, tmp_path / "whole")
    folder = tmp_path / "killed" / whole.run_id
    checkpoint = folder / "checkpoint.pt"
    written = [0]
    for _ in range(2):
        process = start(LONG, tmp_path / "killed")
        wait_for(
            lambda: checkpoint.exists() and checkpoint.stat().st_mtime_ns > written[-1], process
        )
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        written.append(checkpoint.stat().st_mtime_ns)
        assert not (folder / "result.json").exists()
    done = state_in(folder)["stratum"]
    assert 0 < done < 64
    ticks = []
    (resumed,) = measure(LONG, tmp_path / "killed", tick=lambda *each: ticks.append(each))
    # What was done before the last kill is not done again.
    told = [t for stage, t, _ in ticks if stage == "run"]
    assert Schedule.edges_of(whole.plan.steps, 64)[done] < told[0]
    assert told[-1] == whole.plan.steps
    assert resumed == whole
    assert_identical(folder, tmp_path / "whole" / whole.run_id)


# Five checkpoints of two strata each.
STRATA = 10


# Bytes of a chunk of the trace, of which a short run has four.
CHUNK = 8 * SHORT["run"]["replicas"] * STRATA


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(run, "_CHUNK_BYTES", CHUNK)


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """The folder and the result of the short run that nobody killed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "_CHUNK_BYTES", CHUNK)
        (result,) = measure(SHORT, runs := tmp_path_factory.mktemp("whole"))
    return runs / result.run_id, result


class Killed(BaseException):
    """Stands for a kill at a given write."""


def writes_of(table, runs, monkeypatch, kill_at=None, after=False):
    """Run, counting writes to the folder; raise at one of them, before it is done or just after."""
    count = 0

    def counted(real):
        def write(*arguments, **keywords):
            nonlocal count
            count += 1
            if count == kill_at and not after:
                raise Killed
            value = real(*arguments, **keywords)
            if count == kill_at:
                raise Killed
            return value

        return write

    with monkeypatch.context() as patch:
        # Of this module alone: zarr renames files too.
        patch.setattr(files, "os", SimpleNamespace(**vars(os) | {"replace": counted(os.replace)}))
        patch.setattr(RunFolder, "extend_trace", counted(RunFolder.extend_trace))
        patch.setattr(RunFolder, "start_trace", counted(RunFolder.start_trace))
        measure(table, runs)
    return count


@full
@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
def test_a_kill_at_any_write_loses_nothing(after, short, tmp_path, monkeypatch, small_chunks):
    folder, whole = short
    count = writes_of(SHORT, tmp_path / "counted", monkeypatch)
    # Spec, empty trace, then twenty checkpoints, with a chunk before each fifth of them, then the
    # last state and the result.
    assert count == 2 + 20 + 4 + 2
    for kill_at in (1, 2, 3, 4, 7, 8, 9, 21, count - 2, count - 1, count):
        runs = tmp_path / f"{kill_at}"
        with pytest.raises(Killed):
            writes_of(SHORT, runs, monkeypatch, kill_at, after)
        assert (runs / whole.run_id / "result.json").exists() == (after and kill_at == count)
        (resumed,) = measure(SHORT, runs)
        assert resumed == whole
        if not (after and kill_at == count):
            assert_identical(runs / whole.run_id, folder)


class Now:
    """Saves at some of the moments at which a run can be saved, and is asked at all of them."""

    def __init__(self, *at):
        self.at = at
        self.asked = 0

    def __call__(self, worked, took):
        self.asked += 1
        return self.asked in self.at


# Checkpoints inside of a chunk and at its end, with whole chunks after it; and none at all.
@full
@pytest.mark.parametrize("at", [(2,), (5,), (1, 10), (3, 4, 19), ()])
def test_what_was_written_since_the_last_checkpoint_is_written_again(
    at, short, tmp_path, monkeypatch, small_chunks
):
    folder, whole = short
    monkeypatch.setattr(run, "is_due", now := Now(*at))
    # Spec, empty trace, then the checkpoints among four chunks, the last state and the result.
    count = writes_of(SHORT, tmp_path / "counted", monkeypatch)
    assert now.asked == 20
    assert count == 2 + len(at) + 4 + 2
    for kill_at in (3, count - 1):
        monkeypatch.setattr(run, "is_due", Now(*at))
        with pytest.raises(Killed):
            writes_of(SHORT, tmp_path / f"{kill_at}", monkeypatch, kill_at, after=True)
        monkeypatch.setattr(run, "is_due", Now(7))
        assert measure(SHORT, tmp_path / f"{kill_at}") == [whole]
        assert_identical(tmp_path / f"{kill_at}" / whole.run_id, folder)


@full
@pytest.mark.parametrize("cost", [0.001, 0.3])
def test_saving_takes_a_small_part_of_a_run_and_a_kill_costs_seconds(
    cost, tmp_path, monkeypatch, is_due
):
    """By a clock on which a twentieth of the run takes 0.4 s or 4 s, and a checkpoint what is
    said."""
    for pace in (0.4, 4.0):
        clock = [0.0]
        saved = []

        def save(self, state, clock=clock, saved=saved):
            saved.append(clock[0])
            clock[0] += cost

        def tick(stage, done, total, clock=clock, pace=pace):
            if stage == run.STAGE:
                clock[0] += pace

        with monkeypatch.context() as patch:
            patch.setattr(run, "time", SimpleNamespace(monotonic=lambda clock=clock: clock[0]))
            patch.setattr(RunFolder, "save_checkpoint", save)
            patch.setattr(run, "is_due", is_due)
            measure(SHORT, tmp_path / f"{pace}", tick=tick)
        # The last state is always saved. Before it, the first comes as soon as a second's work can
        # be saved; then the cost says how far apart they are.
        between = max(1.0, 50 * cost)
        last = saved.pop()
        assert clock[0] == last + cost
        gaps = np.diff([0.0, *saved])
        assert 1.0 <= gaps[0] < 1.0 + pace
        assert all(between <= gap - cost < between + pace for gap in gaps[1:])
        assert last - saved[-1] < between + pace + cost
        assert cost * len(saved) < 0.02 * clock[0] + cost


OF_EVERY_KIND = {
    # Restarts before the kill and after it, at factors that are drawn for their step alone.
    "with restarts": theorem_table(
        claim="meft.relora", domain={}, run__given={"period": 13}, run__steps=120, run__audits=40
    ),
    # Three minibatches an epoch, so that a kill falls inside of one.
    "without replacement": theorem_table(
        run__steps=120, run__audits=40, run__sampling="without replacement"
    ),
    # One that left its ball before the kill has left it after.
    "a ball that is left": theorem_table(
        run__steps=120, run__audits=40, domain={"a": 2.6, "b": 0.2}
    ),
    "steps that adapt": theorem_table(
        claim="meft.adaptive_gd", adapter__gain=3.0, domain={}, run={"steps": 120, "audits": 40}
    ),
    "gradient descent": theorem_table(
        claim="nesterov2004.gradient_descent", run={"steps": 120, "audits": 40}
    ),
    "without a ball": theorem_table(
        claim="meft.theorem2_frozen_a",
        adapter__kind="frozen-a",
        domain={},
        run__steps=120,
        run__audits=40,
    ),
    "a network on a manifold": gpt_table(
        adapter={"kind": "loreft", "rank": 2}, run__replicas=2, run__steps=40
    ),
}


@full
@pytest.mark.parametrize("kind", OF_EVERY_KIND)
def test_a_killed_run_of_every_kind_ends_as_if_it_had_not_been(
    kind, tmp_path, monkeypatch, small_chunks
):
    table = OF_EVERY_KIND[kind]
    (whole,) = measure(table, tmp_path / "whole")
    assert kind != "a ball that is left" or whole.verdict == "hypothesis-failed"
    with pytest.raises(Killed):
        writes_of(table, tmp_path / "killed", monkeypatch, kill_at=20)
    (resumed,) = measure(table, tmp_path / "killed")
    assert resumed == whole
    assert_identical(tmp_path / "killed" / whole.run_id, tmp_path / "whole" / whole.run_id)


# What ends as a kill does, at the first checkpoint.
KILLED = """
import os
from boundcheck.experiment.store import RunFolder
save = RunFolder.save_checkpoint
RunFolder.save_checkpoint = lambda *each: (save(*each), os._exit(9))
"""
OTHERS = (
    {"ATEN_CPU_CAPABILITY": "default"},
    {"OPENBLAS_CORETYPE": "Nehalem"},
    {"NUMBA_DISABLE_JIT": "1"},
    {"MKL_CBWR": "COMPATIBLE"},
)


def made(folders, settings, before=""):
    """Run the short experiment in each of these folders, in a process with these settings."""
    command = [sys.executable, "-c", before + PROGRAM, json.dumps(SHORT), *map(str, folders)]
    return subprocess.run(command, env=os.environ | settings, capture_output=True, text=True)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """The folder of a run that ended at its first checkpoint."""
    runs = tmp_path_factory.mktemp("stopped")
    killed = made([runs], {}, KILLED)
    (folder,) = runs.iterdir()
    assert (killed.returncode, (folder / "checkpoint.pt").exists()) == (9, True), killed.stderr
    return folder


@full
@pytest.mark.parametrize("other", OTHERS, ids=lambda other: next(iter(other)))
def test_a_run_that_goes_on_where_bits_are_others_is_made_whole_there(other, stopped, tmp_path):
    """With other vector instructions, another BLAS, and without compiled loops: never a part here
    and a part there."""
    resumed, whole = (tmp_path / name / stopped.name for name in ("resumed", "whole"))
    shutil.copytree(stopped, resumed)
    done = made([resumed.parent, whole.parent], other)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("; the run starts afresh") == 1
    assert_identical(resumed, whole)
