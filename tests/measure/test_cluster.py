"""Sweeps on clusters: real Dask workers, one of which is killed, and submitit's jobs; the bits of one process."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest

from boundcheck.errors import InputError
from boundcheck.measure import measure
from boundcheck.measure.store import environment
from boundcheck.signals import Stopped, stoppable

from .small import bracket_table, theorem_table

pytest.importorskip("distributed")
pytest.importorskip("submitit")

# Of the libraries: sockets and loops that they leave to the collector.
pytestmark = [
    pytest.mark.xdist_group("cluster"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
TINY = {"pairs": 8, "iterates": 4, "points": 2, "ascents": 2, "rounds": 2, "looks": 2}
LONG = theorem_table(run__steps=3_000, run__replicas=16, run__audits=64, seed=[0, 1, 2])
SHORT = theorem_table(run__replicas=2, seed=[0, 1, 2])


@pytest.fixture(scope="module")
def dask() -> Iterator[Any]:
    """A scheduler and two worker processes on loopback."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        yield cluster


def address(cluster: Any) -> str:
    return "dask://" + cluster.scheduler_address.removeprefix("tcp://")


def files(runs: Path) -> dict[str, bytes]:
    """All that was stored, of the runs and nothing else; metadata of Zarr are among it."""
    paths = [path for path in runs.rglob("*") if path.is_file() and path.name != ".lock"]
    return {path.relative_to(runs).as_posix(): path.read_bytes() for path in paths}


def once_under_way(runs: Path, act: Any) -> Thread:
    """Act as soon as a run has a checkpoint."""

    def wait() -> None:
        for _ in range(6_000):
            if list(runs.glob("*/checkpoint.pt")):
                act()
                return
            time.sleep(0.05)

    thread = Thread(target=wait)
    thread.start()
    return thread


@pytest.mark.full
def test_a_dask_cluster_that_loses_a_worker_finds_the_bits_of_one_process(dask: Any, tmp_path: Path) -> None:
    from distributed import Client

    with Client(dask, set_as_default=False) as client:
        pid = client.run(os.getpid).popitem()[1]
    thread = once_under_way(tmp_path / "two", lambda: os.kill(pid, signal.SIGKILL))
    told: list[tuple[str, int, int]] = []
    together = measure(LONG, tmp_path / "two", cluster=address(dask), tick=lambda *each: told.append(each))
    thread.join()
    assert not psutil.pid_exists(pid)
    alone = measure(LONG, tmp_path / "one")
    assert together == alone
    assert files(tmp_path / "two") == files(tmp_path / "one")
    # Also of runs that are under way.
    assert told[-1] == ("experiments", 300, 300)
    assert len({done for _, done, _ in told}) > 4

    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "two").rglob("*")}
    assert measure(LONG, tmp_path / "two", cluster="dask://nobody.invalid:1") == alone
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "two").rglob("*")} == before
