"""How well two workers share a sweep: `python -m benchmarks sweeps`.

The sweep is 16 experiments of one size that differ in their seeds. Both ways begin with nothing, and with one thread a
worker; the time of two workers includes their start. Another way to spread a sweep is one more `line` below.
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.line import Benchmark, Effort, Found, Limit, Times, seconds
from boundcheck.measure import measure

POINTS, WORKERS = 16, 2
Spread = Callable[[dict[str, Any], Path], Any]


def efficiency(spread: Spread, effort: Effort) -> Found:
    """The time of one process over twice that of two workers, each once."""
    sweep = {
        "claim": "jiang2024.theorem2",
        "seed": list(range(effort.of(POINTS))),
        "problem": {"kind": "pseudo-huber", "d": 16, "k": 16},
        "adapter": {"rank": 4},
        "domain": {"a": 4.0, "b": 4.0},
        "run": {"replicas": 256, "batch": 8, "zeta": 10.0, "steps": 12_000, "audits": 32},
    }
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        # Numba's loops are read from its cache by both ways.
        measure(sweep | {"seed": 0}, Path(folder) / "warm")
        alone = seconds(lambda: measure(sweep, Path(folder) / "alone"))
        torch.set_num_threads(WORKERS)
        shared = seconds(lambda: spread(sweep, Path(folder) / "shared"))
    turns = {"ours": Times((shared,)), "alone": Times((alone,))}
    note = f"{len(sweep['seed'])} experiments, one turn."
    return Found(alone / (WORKERS * shared), shared, alone, turns, (note,))


def by_jobs(sweep: dict[str, Any], runs: Path) -> None:
    """`boundcheck measure --jobs 2`."""
    measure(sweep, runs, jobs=WORKERS)


def line(name: str, what: str, spread: Spread, needs: tuple[str, ...] = ()) -> Benchmark:
    """The line of a way to spread a sweep over two workers."""
    return Benchmark(
        f"sweeps.{name}",
        what,
        "one process",
        "efficiency",
        "s",
        "The time of one process over twice that of two workers, on the same sweep, from an empty folder.",
        partial(efficiency, spread),
        Limit(0.9, is_least=True),
        needs=needs,
        is_long=True,
    )


BENCHMARKS = (line("jobs", "a sweep on 2 workers, --jobs 2 (joblib)", by_jobs),)
