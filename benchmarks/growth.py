"""How the cost of an audited ensemble grows in each of its sizes, and how near it is to what the
machine can do.

Costs are of an iteration, from runs of about half a second in which every 32nd iteration of a
replica is audited, but in r, where none is; in T that of a whole run. `python -m benchmarks
growth`.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch

from benchmarks.ensemble import Ensemble, Sizes
from benchmarks.line import Benchmark, Curve, Effort, Found, seconds
from benchmarks.machine import memory_rate, product_rate
from boundcheck.functions.arithmetic import replicate
from boundcheck.functions.sgd import draw_batch, sgd_step

# Seconds of a run, its fewest and most iterations, and those between two audits of a replica.
LONG, FEWEST, MOST, BETWEEN = 0.4, 8, 2000, 32
# Points from the largest on, through which the line goes: a decade and more, where the largest term
# rules.
FITTED = 5
# Operations for each entry of each sample of a minibatch: difference, square and sum, root,
# product, sum.
PER_ENTRY = 6


Cost = Callable[[Sizes, Effort], float]


@dataclass(frozen=True)
class Fit:
    """The exponent of a cost: seconds = e^intercept x^slope, its standard error, and from which x
    on it was fitted."""

    slope: float
    error: float
    intercept: float
    first: float


def fit(x: Iterable[float], y: Iterable[float]) -> Fit:
    """Least squares of log y on log x, over the largest `FITTED` of x, or all where there are
    fewer.

    Raises ValueError for fewer than three points, of which the error says nothing.
    """
    x, y = (np.asarray(list(values), float)[-FITTED:] for values in (x, y))
    if len(x) < 3:
        raise ValueError(f"expected three points or more, got {len(x)}")
    (slope, intercept), covariance = np.polyfit(np.log(x), np.log(y), 1, cov=True)
    return Fit(float(slope), math.sqrt(covariance[0, 0]), float(intercept), float(x[0]))


def iteration(sizes: Sizes, effort: Effort) -> float:
    """The seconds of an iteration, from the best of as many runs as there are turns, but at most
    three."""
    steps = FEWEST
    Ensemble.of(sizes, steps, 1).run()
    once = seconds(Ensemble.of(sizes, steps, 1).run) / steps
    steps = int(np.clip(effort.share * LONG / once, FEWEST, MOST))
    ensemble = Ensemble.of(sizes, steps, max(steps // BETWEEN, 1))
    return min(seconds(ensemble.run) for _ in range(min(effort.turns, 3))) / steps


@torch.inference_mode()
def bare(sizes: Sizes, effort: Effort) -> float:
    """The seconds of an iteration without an audit, from the best of as many loops as there are
    turns, at most three.

    The audit of a large matrix takes its singular values, which grow faster than all else and not
    with the rank.
    """
    ensemble, random = Ensemble.of(sizes, 1), torch.Generator().manual_seed(0)
    first, step = replicate(ensemble.experiment.start.v, sizes.R), ensemble.plan.step_size

    def loop(steps: int) -> None:
        v = first
        for _ in range(steps):
            v, _ = sgd_step(
                ensemble.experiment.function, v, step, draw_batch(sizes.R, sizes.m, sizes.n, random)
            )

    loop(1)
    once = seconds(lambda: loop(1))
    steps = int(np.clip(effort.share * LONG / once, 1, MOST))
    return min(seconds(lambda: loop(steps)) for _ in range(min(effort.turns, 3))) / steps


def whole(R: int, T: int) -> float:
    """The seconds of a run of T iterations."""
    return seconds(Ensemble.of(Sizes(R=R), T).run)


def _powers(first: int, last: int, effort: Effort) -> list[int]:
    """Powers of 2 between two exponents, of which a quick run has every other one to the middle."""
    every = list(range(first, last + 1))
    return [2**e for e in (every if effort.share == 1 else every[: len(every) // 2 + 1])]


def _found(curve: Curve) -> Found:
    fitted = fit(curve.x, curve.seconds)
    note = f"Standard error {fitted.error:.2f}, fitted from {curve.letter} = {fitted.first:g} on."
    return Found(fitted.slope, notes=(note,), curve=curve)


def in_size(
    letter: str,
    meaning: str,
    base: Sizes,
    powers: tuple[int, int],
    ends: str,
    cost: Cost,
    effort: Effort,
) -> Found:
    """The cost of an iteration over one of the sizes."""
    x = _powers(*powers, effort)
    taken = [cost(replace(base, **{letter: each}), effort) for each in x]
    others = ", ".join(f"{name} = {value}" for name, value in vars(base).items() if name != letter)
    return _found(Curve(letter, meaning, tuple(map(float, x)), tuple(taken), others, ends))


def in_time(powers: tuple[int, int], ends: str, effort: Effort) -> Found:
    """The cost of a whole run over T."""
    replicas = 16
    whole(replicas, FEWEST)
    x = _powers(*powers, effort)
    taken = [min(whole(replicas, each) for _ in range(2)) for each in x]
    setting = str(Sizes(R=replicas))
    return _found(
        Curve("T", "iterations of a run", tuple(map(float, x)), tuple(taken), setting, ends)
    )


def operations(sizes: Sizes) -> int:
    r"""Of an iteration without its audit, :math:`R(6drk + 6mdk + 4r(d + k))`: BA, BᵀG and GAᵀ;
    slopes; the step."""
    s = sizes
    return s.R * (6 * s.d * s.r * s.k + PER_ENTRY * s.m * s.d * s.k + 4 * s.r * (s.d + s.k))


def traffic(sizes: Sizes) -> int:
    r"""Bytes that an iteration moves at least, :math:`8R(2r(d + k) + mdk + 2m)`.

    A and B are read and written, the targets of the minibatch read, its indices written and read; W
    and G stay in a cache.
    """
    s = sizes
    return 8 * s.R * (2 * s.r * (s.d + s.k) + s.m * s.d * s.k + 2 * s.m)


def roof(sizes: Sizes, cost: Cost, effort: Effort) -> Found:
    """The least time that the machine's measured rates allow an iteration, over the time that it
    takes."""
    rate, moved = product_rate(effort), memory_rate(effort)
    taken = cost(sizes, effort)
    by_rate, by_memory = operations(sizes) / rate, traffic(sizes) / moved
    notes = (
        (
            f"{operations(sizes) / taken / 1e9:.2f} of {rate / 1e9:.1f} Gflop/s of a float64"
            f" product of size 2048 ({by_rate / taken:.1%}), {traffic(sizes) / taken / 1e9:.2f} of"
            f" {moved / 1e9:.1f} GB/s of a triad ({by_memory / taken:.1%}),"
            f" {torch.get_num_threads()} threads."
        ),
    )
    least = max(by_rate, by_memory)
    return Found(least / taken, taken * 1e6, least * 1e6, notes=notes)


def _growing(
    letter: str,
    meaning: str,
    base: Sizes,
    powers: tuple[int, int],
    ends: str,
    cost: Cost = iteration,
) -> Benchmark:
    measure = partial(in_size, letter, meaning, base, powers, ends, cost)
    return _line(letter, f"an iteration as {letter} grows", f"It grows with {meaning}.", measure)


def _line(name: str, what: str, means: str, measure: partial[Found]) -> Benchmark:
    return Benchmark(f"growth.{name}", what, "itself", "exponent", "", means, measure, is_long=True)


def _roof(name: str, sizes: Sizes, cost: Cost, means: str) -> Benchmark:
    return Benchmark(
        f"growth.{name}",
        f"an iteration of {sizes}",
        "the machine's measured rates",
        "of the roof",
        "µs",
        f"The least time that the measured rates allow an iteration, over what it takes {means}.",
        partial(roof, sizes, cost),
    )


_MEMORY = "Beyond, the targets alone take gigabytes."
_MATRIX = "r is at most min(d, k), and beyond W of 1024 x 1024 a run takes minutes."
BENCHMARKS = (
    _growing(
        "r", "the rank, without audits", Sizes(R=2, d=1024, k=1024, n=8), (0, 10), _MATRIX, bare
    ),
    _growing("d", "the rows of W", Sizes(R=4, n=16), (2, 14), _MEMORY),
    _growing("k", "the columns of W", Sizes(R=4, n=16), (2, 14), _MEMORY),
    _growing("n", "the samples, which an audit enumerates", Sizes(R=4), (3, 16), _MEMORY),
    _growing("R", "the replicas", Sizes(), (1, 13), "Beyond, it is as it was."),
    _line(
        "T",
        "a run as T grows",
        "It grows with the iterations.",
        partial(in_time, (5, 16), "Beyond, it is as it was."),
    ),
    _roof("roof", Sizes(), iteration, "with its audit"),
    _roof("roof_large", Sizes(R=8, d=512, k=512, r=64, n=16), bare, "without its audit"),
)
