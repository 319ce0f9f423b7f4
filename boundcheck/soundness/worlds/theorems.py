"""Runs of a theorem's own algorithm on a parabola: all of its numbers are what the theorem's formulas make of them.

These are theorems about any function of a vector, with hypotheses that a parabola meets: that it is smooth, convex,
strongly convex, above its least value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boundcheck.claims import Claim
from boundcheck.claims.symbols import (
    R_1,
    D,
    T,
    abc_a,
    abc_b,
    abc_c,
    beta,
    ell,
    eta,
    f_star,
    mu_F,
    zeta,
)
from boundcheck.claims.vocabulary import v_star
from boundcheck.errors import InputError
from boundcheck.exact.evaluate import Function, rational_value
from boundcheck.exact.paths import Paths
from boundcheck.exact.rationals import Rows, root
from boundcheck.soundness.worlds.setting import Setting
from boundcheck.soundness.worlds.world import World
from boundcheck.words import algorithm_of
from boundcheck.words.algorithms import Algorithm
from boundcheck.words.algorithms.decreasing_sgd import gamma, omega

F = Fraction
Vector = NDArray[Any]
Column = tuple[Fraction, ...]
# Second derivatives and v_1: in one dimension, and in two.
_PARABOLAS: tuple[tuple[Column, Column], ...] = (((F(1),), (F(2),)), ((F(2), F(1, 2)), (F(3, 5), F(-4, 5))))


@dataclass(frozen=True)
class Parabola:
    """F(v) = Σ h_i v_i²/2, whose least value is 0, at 0."""

    steepness: tuple[Fraction, ...]

    def value(self, v: Vector) -> Fraction:
        return Fraction(sum(h * x * x for h, x in zip(self.steepness, v, strict=True)) / 2)

    def gradient(self, v: Vector) -> Vector:
        return np.array([h * x for h, x in zip(self.steepness, v, strict=True)], dtype=object)

    @property
    def function(self) -> Function:
        """The same over columns of rationals."""
        return Function(lambda v: self.value(_entries(v[0])), lambda v: (_column(self.gradient(_entries(v[0]))),))


def _column(v: Sequence[Fraction] | Vector) -> Rows:
    return tuple((Fraction(x),) for x in v)


def _entries(column: Rows) -> Vector:
    return np.array([row[0] for row in column], dtype=object)


@cache
def runs_of(
    claim: Claim, understated: Fraction = Fraction(1), parabolas: tuple[tuple[Column, Column], ...] = _PARABOLAS
) -> tuple[World, ...]:
    """Runs for a theorem about a linear method on any function of a vector; none for another claim.

    Where the smoothness is understated, by a factor below 1, no law that speaks of it holds. Each of the parabolas has
    its second derivatives, and v_1, whose norm is rational.
    """
    algorithm = algorithm_of(claim)
    return tuple(_runs(claim, algorithm, understated, parabolas)) if algorithm else ()


def _runs(
    claim: Claim, algorithm: Algorithm, understated: Fraction, parabolas: tuple[tuple[Column, Column], ...]
) -> Iterator[World]:
    noises = (F(0), F(1, 2)) if algorithm.is_stochastic else (F(0),)
    for place, ((steepness, start), share, noise, steps) in enumerate(
        product(parabolas, (F(1, 2), F(1), F(3, 2)), noises, (1, 2, 3))
    ):
        parabola, first = Parabola(steepness), np.array(start, dtype=object)
        known = _constants(parabola, first, share, noise, steps)
        known[ell.name] *= understated
        if not {parameter.name for parameter in claim.parameters} <= set(known):
            return
        numbers = _evaluated(claim, known)
        if any(symbol.name not in numbers for symbol in algorithm.parameters):
            continue
        offsets = [noise * np.eye(len(start), dtype=int)[0] * sign for sign in ((1, -1) if noise else (1,))]
        try:
            paths = _paths(algorithm, parabola, first, numbers, offsets, steps)
        except InputError:
            return
        about = f"{claim.id} on a parabola of {len(start)} dimensions, T = {steps}, step {share}, noise {noise}"
        numbers["theta"] = F(place % 3, 2)
        changed = frozenset({ell.name} if understated < 1 else ())
        yield World(about, _setting(algorithm, parabola, paths, numbers), _laws(claim), changed)


def _constants(parabola: Parabola, first: Vector, share: Fraction, noise: Fraction, steps: int) -> dict[str, Fraction]:
    """The values of all letters that these theorems are known to have; `share` is how long a step is that is given."""
    long, narrow, gap = max(parabola.steepness), min(parabola.steepness), parabola.value(first)
    numerator = (1 + share) / narrow
    found = {
        T: F(steps),
        ell: long,
        mu_F: narrow,
        f_star: F(0),
        D: gap,
        # Of the two numbers whose roots are taken one is 1, and the other 4.
        abc_a: 1 / (long * steps),
        abc_b: F(1),
        abc_c: 8 * gap / (long * steps),
        zeta: noise,
        R_1: root(sum(first**2)),
        eta: share / long,
        beta: F(1, 2),
        omega: numerator,
        gamma: max(numerator * long - 1, F(1, 2)),
    }
    return {symbol.name: value for symbol, value in found.items() if value is not None}


def _evaluated(claim: Claim, known: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """With the claim's quantities that are rational."""
    numbers = dict(known)
    for quantity in claim.quantities:
        named = {x.name for x in quantity.expression.free_symbols} <= set(numbers)
        value = rational_value(quantity.expression, numbers) if named else None
        if value is not None:
            numbers[quantity.name] = value
    return numbers


def _paths(
    algorithm: Algorithm,
    parabola: Parabola,
    first: Vector,
    numbers: Mapping[str, Fraction],
    offsets: Sequence[Vector],
    steps: int,
) -> Paths[Any, Any]:
    paths: Paths[Any, Any] = Paths(
        algorithm.exact_start(first, numbers),
        lambda v, offset: parabola.gradient(v) + offset,
        lambda state, g, t: algorithm.exact_step(state, g, t, numbers),
        offsets,
        steps,
        query=lambda state, t: algorithm.exact_query(state, t, numbers),
    )
    # What has no exact step says so here.
    paths.state(2, 0)
    return paths


def _setting(
    algorithm: Algorithm, parabola: Parabola, paths: Paths[Any, Any], numbers: Mapping[str, Fraction]
) -> Setting:
    # The letters of the state, in its order.
    letters = [str(each.lhs.args[0]) for each in algorithm.recurrence]

    def process(name: str, time: int, outcome: int) -> Rows:
        drawn = name in ("g", "g_v")
        if not (drawn or name in letters) or not 1 <= time <= paths.T + (not drawn):
            raise InputError(name, time, f"one of g, {', '.join(letters)} at a time from 1 to {paths.T}")
        return _column(paths.drawn(time, outcome) if drawn else paths.state(time, outcome)[letters.index(name)])

    n = len(parabola.steepness)
    return Setting(
        {"n": n, "one": 1},
        numbers,
        {"v": process("v", 1, 0), str(v_star.name): ((F(0),),) * n},
        {"f": parabola.function, "F": parabola.function},
        blocks=("v",),
        paths=paths,
        process=process,
    )


def _laws(claim: Claim) -> frozenset[str]:
    """All that such a theorem supposes holds of a parabola."""
    return frozenset({*(hypothesis.id for hypothesis in claim.hypotheses), "F(v) = f(v)", "v* is where F is least"})
