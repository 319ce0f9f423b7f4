"""Sweeps on clusters: real Dask workers, one of which is killed, and submitit's jobs; the bits of
one process."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from threading import Thread
from typing import Any

import psutil
import pytest
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.experiment import experiment, measure
from boundcheck.experiment.store import RunFolder, environment
from boundcheck.system.ending import Stopped, stoppable
from tests.experiment.small import refused
from tests.layers import full

from .small import theorem_table

pytest.importorskip("distributed")
pytest.importorskip("submitit")

# Of the libraries: sockets and loops that they leave to the collector.
pytestmark = [
    pytest.mark.xdist_group("cluster"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
LONG = theorem_table(run__steps=3_000, run__replicas=16, run__audits=64, seed=[0, 1, 2])
ENDLESS = theorem_table(run__steps=10**7, run__replicas=2, run__audits=10_000, seed=[0, 1])
SHORT = theorem_table(run__replicas=2, seed=[0, 1, 2])


@pytest.fixture(scope="module")
def dask():
    """A scheduler and two worker processes on loopback."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as cluster:
        yield cluster


def address(cluster):
    return "dask://" + cluster.scheduler_address.removeprefix("tcp://")


def files(runs):
    """All that was stored, of the runs and nothing else; metadata of Zarr are among it.

    Of a state it is the content: which of two equal texts is written once is another in each
    process.
    """
    paths = [path for path in runs.rglob("*") if path.is_file() and path.name != ".lock"]
    return {path.relative_to(runs).as_posix(): content_of(path) for path in paths}


def content_of(path):
    if path.name != "checkpoint.pt":
        return path.read_bytes()
    saved, why = RunFolder(path.parent, environment("cpu")).saved(path.parent.name)
    assert not why
    return in_bytes(saved)


def in_bytes(saved):
    """What a checkpoint holds, with bytes in place of tensors."""
    if isinstance(saved, Tensor):
        return str(saved.dtype), tuple(saved.shape), saved.numpy().tobytes()
    if isinstance(saved, dict):
        return {name: in_bytes(each) for name, each in saved.items()}
    return [in_bytes(each) for each in saved] if isinstance(saved, (list, tuple)) else saved


def once_there(runs, pattern, act):
    """Act as soon as there is a file of this name."""

    def wait():
        for _ in range(6_000):
            if list(runs.glob(pattern)):
                act()
                return
            time.sleep(0.05)

    thread = Thread(target=wait)
    thread.start()
    return thread


@full
def test_a_dask_cluster_that_loses_a_worker_finds_the_bits_of_one_process(dask, tmp_path):
    from distributed import Client

    with Client(dask, set_as_default=False) as client:
        pid = client.run(os.getpid).popitem()[1]
        # The runs are shorter than what a checkpoint is worth.
        client.run(
            exec, "from boundcheck.experiment import run; run.is_due = lambda worked, took: True"
        )
    thread = once_there(tmp_path / "two", "*/checkpoint.pt", lambda: os.kill(pid, signal.SIGKILL))
    told = []
    together = measure(
        LONG, tmp_path / "two", executor=address(dask), tick=lambda *each: told.append(each)
    )
    thread.join()
    assert not psutil.pid_exists(pid)
    alone = measure(LONG, tmp_path / "one")
    assert together == alone
    assert files(tmp_path / "two") == files(tmp_path / "one")
    assert told[-1] == ("experiments", 300, 300)


@contextmanager
def started(*words):
    """A part of a cluster in a process of its own."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-m", *words], **quiet) as process:
        yield process
        process.kill()


@full
def test_a_scheduler_that_is_killed_is_told_of_in_one_line(tmp_path):
    """It says what was lost and how to go on, and nothing else is heard of it."""
    where = tmp_path / "scheduler.json"
    runs = tmp_path / "runs"
    alone = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(where))
    with started("distributed.cli.dask_scheduler", *alone) as scheduler:
        for _ in range(1200):
            if where.exists():
                break
            time.sleep(0.1)
        there = json.loads(where.read_text())["address"]
        program = (
            "import json, sys\nfrom boundcheck.experiment import measure\nfrom"
            " boundcheck.system.ending import in_one_line\nwith in_one_line():"
            " measure(json.loads(sys.argv[1]), sys.argv[2], executor=sys.argv[3])"
        )
        words = [json.dumps(ENDLESS), str(runs), there.replace("tcp://", "dask://")]
        with started("distributed.cli.dask_worker", there, "--nthreads", "1", "--no-dashboard"):
            command = subprocess.Popen(
                [sys.executable, "-c", program, *words], text=True, stderr=subprocess.PIPE
            )
            once_there(runs, ".sweep-*/0", scheduler.kill).join()
            _, said = command.communicate(timeout=300)
    assert command.returncode == 2
    assert len(said.splitlines()) == 1, said


@full
def test_what_is_finished_is_sent_to_no_cluster(tmp_path):
    once = measure(SHORT, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert measure(SHORT, tmp_path, executor="dask://nobody.invalid:1") == once
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@full
def test_jobs_of_submitit_find_the_bits_of_one_process_one_that_is_there_twice_once(tmp_path):
    """Its executor for this machine stands in for that of Slurm, whose `sbatch` and `scancel` are
    not tried."""
    together = measure(
        [SHORT, SHORT], tmp_path / "two", executor="slurm?cluster=local&timeout_min=5"
    )
    assert together == measure([SHORT, SHORT], tmp_path / "one")
    assert files(tmp_path / "two") == files(tmp_path / "one")


@full
@pytest.mark.parametrize("cluster", ["dask", "slurm?cluster=local"])
def test_a_sweep_that_is_stopped_leaves_nothing_at_work(cluster, dask, tmp_path):
    begun = once_there(tmp_path, ".sweep-*/0", lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(Stopped), stoppable():
        measure(ENDLESS, tmp_path, executor=address(dask) if cluster == "dask" else cluster)
    begun.join()
    assert not list(tmp_path.glob(".sweep-*"))
    # Whoever still works writes: a worker notices within seconds that nobody waits.
    for _ in range(60):
        before = files(tmp_path)
        time.sleep(4)
        if files(tmp_path) == before:
            return
    raise AssertionError("somebody still works")


@full
@pytest.mark.parametrize("name", ["numerics", "numpy", "machine"])
def test_a_worker_of_another_version_is_refused_before_anything_is_run(
    name, dask, tmp_path, monkeypatch
):
    here = environment("cpu") | {name: "other"}
    monkeypatch.setattr(experiment, "environment", lambda device: here)
    said = (
        f"^environment.{name} = .*: expected other, as where the sweep was begun; .* has another$"
    )
    with pytest.raises(InputError, match=said):
        measure(SHORT, tmp_path, executor=address(dask))
    assert list(tmp_path.iterdir()) == []


@full
def test_a_worker_that_does_not_see_the_folder_is_refused(dask, tmp_path, monkeypatch):
    @contextmanager
    def elsewhere(runs):
        """A folder of this machine alone."""
        yield runs / ".sweep-of-another-machine"

    monkeypatch.setattr(experiment, "sweep_folder", elsewhere)
    assert refused(measure, SHORT, tmp_path, executor=address(dask)).field == "runs"
    assert list(tmp_path.iterdir()) == []


@full
def test_a_worker_or_an_executor_of_several_threads_finds_the_bits_of_one_process(tmp_path):
    """Its threads take turns; the executor goes on afterwards, and a killed process of one is one
    line."""
    from distributed import LocalCluster

    alone = measure(SHORT, tmp_path / "one")
    with LocalCluster(
        n_workers=1, threads_per_worker=2, processes=True, dashboard_address=":0"
    ) as cluster:
        assert measure(SHORT, tmp_path / "dask", executor=address(cluster)) == alone
    with (
        ThreadPoolExecutor(3) as threads,
        ProcessPoolExecutor(2, get_context("spawn")) as processes,
    ):
        for name, executor in (("threads", threads), ("processes", processes)):
            assert measure(SHORT, tmp_path / name, executor=executor) == alone
            assert executor.submit(os.getpid).result()
    assert all(
        files(tmp_path / name) == files(tmp_path / "one")
        for name in ("dask", "threads", "processes")
    )


@full
def test_a_sweep_goes_on_after_an_executor_that_broke(tmp_path):
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        pid = executor.submit(os.getpid).result()
        begun = once_there(tmp_path / "two", "*/spec.json", lambda: os.kill(pid, signal.SIGKILL))
        assert refused(measure, LONG, tmp_path / "two", executor=executor).field == "executor"
        begun.join()
    assert measure(LONG, tmp_path / "two") == measure(LONG, tmp_path / "one")
    assert files(tmp_path / "two") == files(tmp_path / "one")


def test_what_is_no_executor_is_refused(tmp_path):
    wrong: Any
    for wrong in (None, 2.0, [2]):
        assert refused(measure, SHORT, tmp_path, executor=wrong).field == "executor"
    assert not list(tmp_path.iterdir())
