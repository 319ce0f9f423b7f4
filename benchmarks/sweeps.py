"""How well two workers share a sweep, and what it costs to send a call: `python -m benchmarks
sweeps`.

The sweep is 16 experiments of one size that differ in their seeds. Every way begins with an empty
folder, has one thread a worker, and prepares all experiments in the command itself. Pools are warm,
as they are from a sweep's second minute on; a note has the efficiency with their start counted.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.line import Benchmark, Effort, Found, Limit, Times, in_turns, seconds
from boundcheck.experiment import measure
from boundcheck.system.executors import Call, Running, engine_of
from boundcheck.system.limits import silent

POINTS, STEPS, WORKERS, TURNS = 16, 8_000, 2, 2
# A simulated sweep: so many points, each of which sleeps for so many seconds.
CALLS, PAUSE = 1000, 0.02
# What a sweep is told of its workers.
Where = int | str


@contextmanager
def dask(workers: int) -> Iterator[Where]:
    """A cluster of so many processes on loopback."""
    from distributed import LocalCluster

    cluster: Any = LocalCluster
    with cluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as made:
        yield "dask://" + made.scheduler_address.removeprefix("tcp://")


def jobs(workers: int) -> nullcontext[Where]:
    """Processes of this machine, as `--jobs` has them."""
    return nullcontext(workers)


def sweep(count: int, where: Where) -> None:
    """`boundcheck measure`, on a new folder."""
    table = {
        "claim": "jiang2024.theorem2",
        "seed": list(range(count)),
        "problem": {"kind": "pseudo-huber", "d": 16, "k": 16},
        "adapter": {"rank": 4},
        "domain": {"a": 4.0, "b": 4.0},
        "run": {"replicas": 256, "batch": 8, "zeta": 10.0, "steps": STEPS, "audits": 32},
    }
    with tempfile.TemporaryDirectory() as folder:
        measure(table, Path(folder), executor=where)


def efficiency(workers: Callable[[int], Any], effort: Effort) -> Found:
    """The time of one worker over twice that of two, on the same sweep."""
    torch.set_num_threads(1)
    count = max(effort.of(POINTS), WORKERS)
    with workers(1) as one, workers(WORKERS) as two:
        # Compiled loops are read from their cache from here on.
        sweep(WORKERS, one)
        cold = seconds(lambda: sweep(count, two))
        works = {"ours": partial(sweep, count, two), "one worker": partial(sweep, count, one)}
        turns = in_turns(works, TURNS, warm=False)
    ours, alone = turns["ours"].least, turns["one worker"].least
    note = (
        f"{count} experiments; {alone / (WORKERS * cold):.2f} with the start of the workers"
        " counted."
    )
    return Found(alone / (WORKERS * ours), ours, alone, turns, (note,))


def calls(workers: Callable[[int], Any], effort: Effort) -> Found:
    """The seconds of a thousand calls on two workers over those that the calls themselves take."""
    count = effort.of(CALLS)

    def run(many: int, pause: float, where: Where) -> None:
        with Running(
            [Call("sleep", time.sleep, (pause,))] * many, engine_of(where), silent
        ) as running:
            running.results()

    with workers(WORKERS) as where:
        run(4 * WORKERS, 0.0, where)
        taken, nothing = (seconds(partial(run, count, pause, where)) for pause in (PAUSE, 0.0))
    asleep = count * PAUSE / WORKERS
    note = f"{count} calls; one that takes no time costs {1000 * nothing / count:.2f} ms."
    turns = {"ours": Times((taken,)), "asleep": Times((asleep,))}
    return Found(asleep / taken, taken, asleep, turns, (note,))


def lines(
    name: str,
    option: str,
    workers: Callable[[int], Any],
    needs: tuple[str, ...] = (),
    why: str = "",
) -> tuple[Benchmark, ...]:
    """Both lines of a way to spread a sweep over two workers; `why` the first misses its limit,
    where it does."""
    shared = Benchmark(
        f"sweeps.{name}",
        f"a sweep on 2 workers, {option}",
        "one worker",
        "efficiency",
        "s",
        "The time of one worker over twice that of two, on the same sweep.",
        partial(efficiency, workers),
        Limit(0.9, is_least=True),
        why,
        needs,
        is_long=True,
    )
    sent = Benchmark(
        f"sweeps.{name}_calls",
        f"a simulated sweep of a thousand points of 20 ms, {option}",
        "the points themselves",
        "efficiency",
        "s",
        "What two workers would take for points that only sleep, over what they take: the rest is"
        " scheduling.",
        partial(calls, workers),
        Limit(0.9, is_least=True),
        needs=needs,
    )
    return shared, sent


BENCHMARKS = (
    *lines("jobs", "--jobs 2 (joblib)", jobs),
    *lines(
        "dask",
        "--cluster dask://…",
        dask,
        ("distributed",),
        "Here the command, with the scheduler in it, takes a twentieth of a core beside two workers"
        " on two cores.",
    ),
)
