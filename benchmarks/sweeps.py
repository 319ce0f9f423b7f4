"""Sweeps on two processes against one, and what it costs to send a call: on joblib's processes and on Dask's workers.

    python benchmarks/sweeps.py

The efficiency of two is t_1 / (2 t_2), for pools that are warm, and with their start counted. A thousand calls that
take no time show what each costs; a thousand that sleep for 20 ms show how much of it is hidden behind work. What does
not depend on the engine, and stays in the command itself, is that it prepares every experiment: that is told apart.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from joblib.externals.loky import get_reusable_executor

from boundcheck.engines import engine_of
from boundcheck.measure import measure
from boundcheck.measure.experiment import prepare
from boundcheck.measure.spec import specs_of
from boundcheck.parallel import Call, Running
from boundcheck.progress import silent

POINTS, ROUNDS = 16, 3
SWEEP = {
    "claim": "jiang2024.theorem2",
    "seed": list(range(POINTS)),
    "problem": {"kind": "pseudo-huber", "d": 16, "k": 16},
    "adapter": {"rank": 4},
    "domain": {"a": 4.0, "b": 4.0},
    "run": {"replicas": 64, "batch": 8, "zeta": 10.0, "steps": 4_000, "audits": 32},
}


@contextmanager
def dask_workers(count: int) -> Iterator[str]:
    """A cluster of so many processes on loopback, by its address."""
    from distributed import LocalCluster

    cluster: Any = LocalCluster
    with cluster(n_workers=count, threads_per_worker=1, processes=True, dashboard_address=":0") as made:
        yield "dask://" + made.scheduler_address.removeprefix("tcp://")


def seconds(work: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def sweep(jobs: int = 1, cluster: str | None = None) -> float:
    """Seconds of the sweep, whose folder is new."""
    with tempfile.TemporaryDirectory() as folder:
        return seconds(lambda: measure(SWEEP, folder, jobs=jobs, cluster=cluster))


def prepared() -> float:
    """Seconds for which the command itself prepares the sweep, before anything is sent."""
    with tempfile.TemporaryDirectory() as folder:
        return seconds(lambda: [prepare(spec, Path(folder), "cpu", silent) for spec in specs_of(SWEEP)])


def per_call(pause: float, count: int, workers: int, jobs: int = 1, cluster: str | None = None) -> float:
    """Seconds that each of many calls costs beyond its own, which are `pause`; the pool is warm."""

    def run(calls: int) -> None:
        with Running([Call("sleep", time.sleep, (pause,))] * calls, engine_of(jobs, cluster), silent) as running:
            running.results()

    run(4 * workers)
    return (seconds(lambda: run(count)) - count * pause / workers) / count


def efficiencies() -> dict[str, float]:
    """By engine the efficiency of two processes, in the best of a few turns, and with the start of the pool counted."""
    cold = sweep(2)
    with dask_workers(1) as one, dask_workers(2) as two:
        for address in (one, two):
            sweep(cluster=address)
        turns = [(sweep(), sweep(2), sweep(cluster=one), sweep(cluster=two)) for _ in range(ROUNDS)]
    best = [min(each) for each in zip(*turns, strict=True)]
    return {
        "--jobs 2 against --jobs 1": best[0] / (2 * best[1]),
        "--jobs 2, its start counted": best[0] / (2 * cold),
        "two Dask workers against one": best[2] / (2 * best[3]),
        "two Dask workers against --jobs 1": best[0] / (2 * best[3]),
        "seconds of --jobs 1": best[0],
        "of which it prepares": prepared(),
    }


def costs(count: int = 1000) -> dict[str, float]:
    """By engine the milliseconds that each of a thousand calls costs beyond its own."""
    found = {}
    with dask_workers(2) as dask:
        for pause in (0.0, 0.02):
            of = f"calls of {1000 * pause:.0f} ms"
            found[f"{of}, here"] = 1000 * per_call(pause, count, 1)
            found[f"{of}, --jobs 2"] = 1000 * per_call(pause, count, 2, jobs=2)
            found[f"{of}, two Dask workers"] = 1000 * per_call(pause, count, 2, cluster=dask)
    get_reusable_executor().shutdown(wait=True)
    return found


def main() -> None:
    """Print both tables."""
    for title, found in (("efficiency", efficiencies()), ("milliseconds a call", costs())):
        print(title)
        for name, value in found.items():
            print(f"  {name:40} {value:8.3f}")


if __name__ == "__main__":
    main()
