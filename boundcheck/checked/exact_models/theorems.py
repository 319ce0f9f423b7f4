"""Runs of a theorem's own algorithm on a parabola: all of its numbers are what the theorem's formulas make of them.

These are theorems about any function of a vector, with hypotheses that a parabola meets: that it is smooth, convex,
strongly convex, above its least value; and theorems about F(A, B) = f(BA) where f is a parabola.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from boundcheck.checked.exact_models.builders import clipped, process_of, scalar, world_of
from boundcheck.checked.exact_models.exact_model import ExactModel, Setting
from boundcheck.checked.exact_models.functions import Factored
from boundcheck.errors import InputError
from boundcheck.exact.evaluate import VectorFunction, rational_value
from boundcheck.exact.paths import Paths
from boundcheck.exact.rationals import Rows, number, root, root_above
from boundcheck.language.algorithms import Algorithm, Space, gamma, omega
from boundcheck.language.claim import Claim
from boundcheck.language.sentence import algorithm_of
from boundcheck.language.symbols import (
    R_1,
    D,
    L,
    T,
    a_1,
    abc_a,
    abc_b,
    abc_c,
    b_1,
    beta,
    delta,
    ell,
    eta,
    f_star,
    mu_F,
    zeta,
)
from boundcheck.language.vocabulary import v_star

F = Fraction
Vector = NDArray[Any]
Column = tuple[Fraction, ...]
# Second derivatives and v_1: in one dimension, and in two.
_PARABOLAS: tuple[tuple[Column, Column], ...] = (((F(1),), (F(2),)), ((F(2), F(1, 2)), (F(3, 5), F(-4, 5))))
# How long a step is that is given, in 1/ℓ. AdaGrad-norm from δ = 3/2 has rational norms on the first parabola: for one
# step of any length, and for two of 5/6.
_SHARES = (F(1, 2), F(1), F(3, 2), F(5, 6))
# Of runs on factors: A_1, B_1, where the parabola has its zero, sqrt(2D/L), and T. The root of T, too, is rational for
# some; for the last one all numbers of an adaptive step are, and its iterates, where A = B, stay short.
_FACTORS = (
    *((F(3, 5), F(4, 5), F(0), far, T_) for far, T_ in ((F(1), 1), (F(1, 2), 4), (F(2), 4), (F(1), 2), (F(1), 3))),
    *((F(3, 5), F(-4, 5), F(1, 10), far, T_) for far, T_ in ((F(1), 1), (F(9, 4), 1), (F(2), 4), (F(5), 2))),
    (F(1, 2), F(1, 2), F(0), F(1), 24),
)
# Bits of an iterate's denominators, of which a step on factors makes three times as many: by an edited step size the
# iterates of 24 steps would never end.
_LONGEST = 10_000


@dataclass(frozen=True)
class Parabola:
    """F(v) = Σ h_i v_i²/2, whose least value is 0, at 0."""

    steepness: tuple[Fraction, ...]

    def value(self, v: Vector) -> Fraction:
        return Fraction(sum(h * x * x for h, x in zip(self.steepness, v, strict=True)) / 2)

    def gradient(self, v: Vector) -> Vector:
        return np.array([h * x for h, x in zip(self.steepness, v, strict=True)], dtype=object)

    @property
    def function(self) -> VectorFunction:
        """F over columns of rationals."""
        return VectorFunction(lambda v: self.value(_entries(v[0])), lambda v: (_column(self.gradient(_entries(v[0]))),))


def _column(v: Sequence[Fraction] | Vector) -> Rows:
    return tuple((Fraction(x),) for x in v)


def _entries(column: Rows) -> Vector:
    return np.array([row[0] for row in column], dtype=object)


@dataclass(frozen=True)
class Factors:
    """F(A, B) = f(BA) with d = k = r = 1, over vectors (A, B)."""

    meft: Factored

    def gradient(self, v: Vector) -> Vector:
        A, B = self.meft.gradient(_pair(v))
        return np.array([A[0][0], B[0][0]], dtype=object)

    def factor_sizes(self, v: Vector) -> tuple[Fraction, Fraction]:
        """The sizes of `language.function.Function.factor_sizes`."""
        return Fraction(sum(v * v)), abs(self.meft.slope(self.meft.weight(_pair(v)))[0][0])


_DRAWN: dict[str, Callable[[Vector], Rows]] = {"g": _column, "g_v": _column}
_FACTOR_LETTERS: dict[str, Callable[[Any], Rows]] = {
    "A": lambda state: number(state[0][0]),
    "B": lambda state: number(state[0][1]),
}


def _pair(v: Vector) -> tuple[Rows, Rows]:
    return number(v[0]), number(v[1])


@cache
def runs_of(
    claim: Claim, understated: Fraction = Fraction(1), parabolas: tuple[tuple[Column, Column], ...] = _PARABOLAS
) -> tuple[ExactModel, ...]:
    """Runs for a theorem about any function of a vector, or about both factors; none for another claim.

    Where the smoothness is understated, by a factor below 1, no law that speaks of it holds. Each of the parabolas has
    its second derivatives, and v_1, whose norm is rational.
    """
    algorithm = algorithm_of(claim)
    if algorithm is None:
        return ()
    return *_runs(claim, algorithm, understated, parabolas), *_runs_on_factors(claim, algorithm, understated)


def _runs_on_factors(claim: Claim, algorithm: Algorithm, understated: Fraction) -> Iterator[ExactModel]:
    for place, (A, B, zero, far, steps) in enumerate(_FACTORS):
        factors = Factors(scalar(clipped(2, 128, zero)))
        meft, v = factors.meft, np.array([A, B], dtype=object)
        loss, steep = meft.f(meft.weight(_pair(v))), meft.smoothness * understated
        gap = steep * far**2 / 2
        if gap < loss - meft.least:
            continue
        known = {L: steep, D: gap, f_star: loss - gap, a_1: abs(A), b_1: abs(B), T: F(steps)}
        named = {symbol.name: value for symbol, value in known.items()}
        if not {parameter.name for parameter in claim.parameters} <= set(named):
            return
        numbers = _evaluated(claim, named)
        if any(symbol.name not in numbers for symbol in algorithm.parameters):
            continue
        try:
            paths = _paths(algorithm, factors.gradient, v, numbers, [np.zeros(2, dtype=int)], steps, factors)
        except InputError:
            continue
        process = process_of(paths, _FACTOR_LETTERS, _DRAWN)
        numbers["theta"] = F(place % 3, 2)
        about = f"{claim.id} on a parabola of BA, A_1 = {A}, B_1 = {B}, T = {steps}"
        near, after = (_pair(paths.state(t, 0)[0]) for t in (1, 2))
        matrices = dict(zip(("A_1", "B_1", "A_2", "B_2", "A", "B"), (*near, *after, *near), strict=True))
        matrices |= {"W_1": meft.weight(near), "W_2": meft.weight(after), "W": meft.weight(near)}
        setting = world_of(about, meft, numbers, matrices, paths, process).setting
        changed = frozenset({L.name} if understated < 1 else ())
        yield ExactModel(about, setting, _laws(claim, "F(v) = f(W)"), changed)


def _runs(
    claim: Claim, algorithm: Algorithm, understated: Fraction, parabolas: tuple[tuple[Column, Column], ...]
) -> Iterator[ExactModel]:
    # ζ is a positive letter.
    noises = (F(1, 2), F(4)) if algorithm.is_stochastic else (F(0),)
    for place, ((steepness, start), share, noise, steps) in enumerate(product(parabolas, _SHARES, noises, (1, 2, 3))):
        parabola, first = Parabola(steepness), np.array(start, dtype=object)
        known = _constants(parabola, first, share, noise, steps)
        known[ell.name] *= understated
        if not {parameter.name for parameter in claim.parameters} <= set(known):
            return
        numbers = _known(claim, algorithm, known)
        if any(symbol.name not in numbers for symbol in algorithm.parameters):
            continue
        offsets = [noise * np.eye(len(start), dtype=int)[0] * sign for sign in ((1, -1) if noise else (1,))]
        try:
            paths = _paths(algorithm, parabola.gradient, first, numbers, offsets, steps)
        except InputError:
            continue
        about = f"{claim.id} on a parabola of {len(start)} dimensions, T = {steps}, step {share}, noise {noise}"
        numbers["theta"] = F(place % 3, 2)
        changed = frozenset({ell.name} if understated < 1 else ())
        yield ExactModel(about, _setting(algorithm, parabola, paths, numbers), _laws(claim, "F(v) = f(v)"), changed)


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
        delta: F(3, 2),
        beta: F(1, 2),
        omega: numerator,
        gamma: max(numerator * long - 1, F(1, 2)),
    }
    return {symbol.name: value for symbol, value in found.items() if value is not None}


def _known(claim: Claim, algorithm: Algorithm, given: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """All numbers of a run; F falls by less than D where that makes more of them rational: then 2Dℓ/T is a square.

    In place of a step size that is irrational all the same stands one near it, at which no line that rests on its
    formula holds.
    """
    tight, gap, steps = _evaluated(claim, given), given[D.name], given[T.name]
    wide = steps * root_above(2 * gap * given[ell.name] / steps, 4) ** 2 / (2 * given[ell.name])
    roomy = _evaluated(claim, {**given, D.name: wide, f_star.name: gap - wide})
    if len(roomy) > len(tight):
        return roomy
    stepped = {x.name for x in algorithm.parameters}
    for quantity in claim.quantities:
        formula = quantity.expression
        if quantity.name in stepped - set(tight) and {x.name for x in formula.free_symbols} <= set(tight):
            value = formula.subs({x: sp.Rational(*tight[x.name].as_integer_ratio()) for x in formula.free_symbols})
            # An edit of a formula may take the root of a negative number: then there is no such step.
            if value.is_extended_real and value.is_finite:
                return _evaluated(claim, {**tight, quantity.name: F(float(value)).limit_denominator(64)})
    return tight


def _evaluated(claim: Claim, known: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """The known numbers, and those of the claim's quantities that are rational."""
    numbers = dict(known)
    for quantity in claim.quantities:
        named = {x.name for x in quantity.expression.free_symbols} <= set(numbers)
        value = rational_value(quantity.expression, numbers) if named else None
        if value is not None:
            numbers[quantity.name] = value
    return numbers


def _root(x: Fraction) -> Fraction:
    if (found := root(x)) is None:
        raise InputError("root", x, "the square of a rational number")
    return found


_RATIONAL = Space(lambda x: Fraction(sum(x**2)), _root)


def _paths(
    algorithm: Algorithm,
    gradient: Callable[[Vector], Vector],
    first: Vector,
    numbers: Mapping[str, Fraction],
    offsets: Sequence[Vector],
    steps: int,
    function: Factors | None = None,
) -> Paths[Any, Any]:
    def slope(v: Vector, offset: Vector) -> Vector:
        bits = max(Fraction(x).denominator.bit_length() for x in v)
        if bits > _LONGEST:
            raise InputError("v", f"a vector of {bits} bits", f"one of at most {_LONGEST}")
        return gradient(v) + offset

    def step(state: Any, g: Vector, t: int) -> Any:
        told = algorithm.asked(function, algorithm.exact_query(state, t, numbers))
        return algorithm.exact_step(state, g, t, {**numbers, **told}, _RATIONAL)

    paths: Paths[Any, Any] = Paths(
        algorithm.exact_start(first, numbers),
        slope,
        step,
        offsets,
        steps,
        query=lambda state, t: algorithm.exact_query(state, t, numbers),
    )
    # What has no exact step says so here, and a root that is irrational.
    paths.state(steps + 1, 0)
    return paths


def _setting(
    algorithm: Algorithm, parabola: Parabola, paths: Paths[Any, Any], numbers: Mapping[str, Fraction]
) -> Setting:
    # The letters of the state, in its order.
    names = [str(each.lhs.args[0]) for each in algorithm.recurrence]
    letters = {name: lambda state, i=i: _column(state[i]) for i, name in enumerate(names)}
    n = len(parabola.steepness)
    return Setting(
        {"n": n, "one": 1},
        numbers,
        {"v": _column(paths.state(1, 0)[names.index("v")]), str(v_star.name): ((F(0),),) * n},
        {"f": parabola.function, "F": parabola.function},
        blocks=("v",),
        paths=paths,
        process=process_of(paths, letters, _DRAWN),
    )


def _laws(claim: Claim, function: str) -> frozenset[str]:
    """The laws that such a theorem supposes: all of them hold of a parabola."""
    return frozenset({*(hypothesis.id for hypothesis in claim.hypotheses), function, "v* is where F is least"})
