"""Theorems whose constants are known: each true at its constant and above, and false below it by an exact run.

A constant is the catalogue's, which a proof or an argument carries, or one of those here, each with its source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache

import sympy as sp

from boundcheck.checked.edits import written_out
from boundcheck.checked.engines.walks import (
    Follow,
    Walk,
    accelerated,
    between,
    descended,
    unmoved,
    with_momentum,
)
from boundcheck.checked.exact_models.functions import Curve, hill, huber, parabola, teeth
from boundcheck.language.algorithms import GRADIENT_DESCENT
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantity
from boundcheck.language.measures import (
    AVERAGE_GAP,
    AVERAGE_GRADIENT,
    LAST_DISTANCE,
    LAST_GAP,
    LEAST_GRADIENT,
    SQUARED_GRADIENT,
    PerformanceMeasure,
    Statistic,
)
from boundcheck.language.sentence import theorem
from boundcheck.language.symbols import R_1, D, Lhat, T, alpha, bound, mu_F

LAST_GRADIENT = PerformanceMeasure(
    "engines_last_gradient", "last squared gradient norm", Statistic.LAST, SQUARED_GRADIENT
)
HORIZONS = (1, 2, 3, 8)
_ONE = Fraction(1)
_GIVEN = catalogue["nesterov2004.gradient_descent"].quantities[0]
_NONCONVEX = catalogue["nesterov2004.gradient_descent"].hypotheses
_EVERYWHERE = (catalogue["classic.smooth_everywhere"], _NONCONVEX[1])
_CONVEX = (_EVERYWHERE[0], catalogue["classic.convex"])
_NEAR = catalogue["su2016.nesterov"].hypotheses
_STRONG = catalogue["nesterov2004.theorem2_1_15"].hypotheses

# What a measure comes to on a run.
MEASURED: dict[PerformanceMeasure, Callable[[Walk], Fraction]] = {
    LEAST_GRADIENT: lambda walk: min(walk.squares),
    AVERAGE_GRADIENT: lambda walk: sum(walk.squares, Fraction(0)) / walk.steps,
    LAST_GRADIENT: lambda walk: walk.squares[-1],
    AVERAGE_GAP: lambda walk: sum(map(walk.curve.value, walk.seen), Fraction(0)) / walk.steps,
    LAST_GAP: lambda walk: walk.curve.value(walk.seen[-1]),
    LAST_DISTANCE: lambda walk: walk.seen[-1] ** 2,
}


@dataclass(frozen=True)
class Known:
    """A theorem at a constant that is known.

    Attributes:
        claim: its bound is true.
        why: by what source.
        follow: its algorithm, on a curve.
        walks: for a T the runs on which its measure is large.
        theirs: the catalogue's theorem that it is; None of those that are stated here.

    """

    claim: Claim
    why: str
    follow: Follow
    walks: Callable[[int], Iterator[Walk]]
    theirs: Claim | None = None

    @property
    def measure(self) -> PerformanceMeasure:
        """The measure that it bounds."""
        if not isinstance(self.claim.measure, PerformanceMeasure):
            raise TypeError(f"{self.claim.id} bounds no performance measure")
        return self.claim.measure


def limit(claim: Claim, numbers: Mapping[str, Fraction]) -> sp.Expr:
    """The bound of a claim at these numbers, exactly."""
    last = claim.quantities[-1]
    formula = written_out(last.expression, claim.quantities[:-1])
    return formula.xreplace({x: rational(numbers[x.name]) for x in formula.free_symbols}).doit()


def rational(x: Fraction) -> sp.Rational:
    """The number, as sympy has it."""
    return sp.Rational(*x.as_integer_ratio())


def speaks_of(claim: Claim, numbers: Mapping[str, Fraction]) -> bool:
    """True if each letter of a claim is positive, as it has to be, and its conditions hold at these numbers."""
    if not all(numbers[each.name] > 0 for each in claim.parameters):
        return False
    relations = [written_out(x, claim.quantities) for x in claim.conditions]
    return all(x.xreplace({y: rational(numbers[y.name]) for y in x.free_symbols}).doit() == sp.true for x in relations)


def run(about: str, curve: Curve, start: Fraction | int, follow: Follow, steps: int, **numbers: Fraction | int) -> Walk:
    """The run of an algorithm on a curve whose smoothness constant is 1 unless it is given; D and R_1 are its own."""
    begin, known = Fraction(start), {"ell": _ONE} | {name: Fraction(x) for name, x in numbers.items()}
    walk = Walk(about, curve, (begin,), known | {"T": Fraction(steps), "R_1": abs(begin)})
    known = {"D": walk.gap} | dict(walk.numbers)
    return replace(walk, points=follow(walk.curve, begin, known, steps), numbers=known)


def _parabolas(follow: Follow, **numbers: Fraction | int) -> Callable[[int], Iterator[Walk]]:
    def walks(steps: int) -> Iterator[Walk]:
        if follow is unmoved and steps > 1:
            return
        yield run("F = x²/2", parabola(1), 1, follow, steps, **numbers)

    return walks


def _teeth(share: Fraction) -> Callable[[int], Iterator[Walk]]:
    """The gradient is 1 at all iterates: the worst function of Abbaszadehpeivasti, de Klerk and Zamani, share ≤ 1."""

    def walks(steps: int) -> Iterator[Walk]:
        curve = teeth(_ONE, share, steps - 1)
        yield run("F' = 1 at each iterate and less between", curve, 1 + share * (steps - 1), descended(share), steps)

    return walks


def _hubers(share: Fraction | int = 1, is_far: bool = False) -> Callable[[int], Iterator[Walk]]:
    """F' is the same at all iterates: at the last one, x = 1, its parabola begins; or farther, as the gap wants it."""

    def walks(steps: int) -> Iterator[Walk]:
        last = _ONE + Fraction(share) * (steps - 1) * is_far
        start = last + Fraction(share) * (steps - 1)
        yield run("a Huber function", huber(1, _ONE), start, descended(share), steps)

    return walks


def _strong(follow: Follow, curvature: Fraction) -> Callable[[int], Iterator[Walk]]:
    def walks(steps: int) -> Iterator[Walk]:
        yield run(f"F = {curvature} x²/2", parabola(curvature), 1, follow, steps, mu_F=Fraction(1, 3))

    return walks


def _of(
    name: str,
    why: str,
    hypotheses: tuple[Claim, ...],
    measure: PerformanceMeasure,
    sharp: sp.Expr,
    walks: Callable[[int], Iterator[Walk]],
    share: sp.Expr | int = 1,
    conditions: tuple[sp.core.relational.Relational, ...] = (),
    follow: Follow | None = None,
) -> Known:
    """Gradient descent at the step share/ℓ."""
    quantities = (_GIVEN, Quantity(alpha, share / Lhat, "step size"), Quantity(bound, sharp))
    said = (f"engines.{name}", name, why, r"\text{for every } T", hypotheses, quantities, conditions)
    claim = theorem(*said, algorithm=GRADIENT_DESCENT, measure=measure)
    return Known(claim, why, follow or descended(Fraction(str(share))), walks)


def _theirs(id: str, follow: Follow, walks: Callable[[int], Iterator[Walk]]) -> Known:
    """A theorem of the catalogue, under an id of its own."""
    claim = catalogue[id]
    return Known(replace(claim, id=f"engines.{id.replace('.', '_')}"), f"{id} is true", follow, walks, claim)


_EXACT = "Abbaszadehpeivasti, de Klerk and Zamani 2022: 4LD/((T - 1)(4h - h²) + 2) at the step h/L, h ≤ 1"
_FALLS = "F falls by ‖∇F(v_t)‖²/(2L) or more at each step, and F(v_T) - f* ≥ ‖∇F(v_T)‖²/(2L)"
_TWICE = (
    "of convex F, F(v_t) - F(v_{t+1}) ≥ (‖∇F(v_t)‖² + ‖∇F(v_{t+1})‖²)/(2L), and F(v_T) - f* ≥ ‖∇F(v_T)‖²/(2L); "
    "gradients do not grow"
)
_DRORI = "Drori and Teboulle 2014, Theorem 3.1: LR²/(4(T - 1)h + 2) at the step h/L, h ≤ 1"
_NO_FARTHER = "a step of 1/L is no expansion where F is convex"
_SHRINKS = "each step shrinks the distance by (L - μ)/(L + μ), Nesterov 2004, Theorem 2.1.15"
_SHRINKS_SLOWER = "each step of 1/L shrinks the distance by 1 - μ/L, as of I - αH with μ ≤ H ≤ L"
_HALF = sp.Rational(1, 2)
_LEFT = ((Lhat - mu_F) / (Lhat + mu_F)) ** (2 * T - 2)
_NARROW = (sp.Lt(mu_F, Lhat),)
_BETWEEN = {"share": 2 * Lhat / (Lhat + mu_F), "conditions": _NARROW, "follow": between}
_TOP, _BOTTOM = _strong(between, _ONE), _strong(descended(1), Fraction(1, 3))
_TINY = Fraction(1, 10**4)
_STOCHASTIC = (
    *("ghadimi2013.corollary2_2", "khaled2020.bounded_variance", "khaled2020.theorem2", "meft.theorem2_any_step"),
    *("bottou2018.theorem4_8", "bottou2018.contraction", "bottou2018.theorem4_6", "bottou2018.convex_average"),
    "meft.theorem2_everywhere",
)
_ONCE = _parabolas(unmoved, zeta=_TINY, abc_a=_TINY, abc_b=1, abc_c=_TINY**2, eta=1, mu_F=Fraction(1, 3))


@cache
def known() -> tuple[Known, ...]:
    """All theorems whose constants are known, in an order that never changes."""
    teeth_1, teeth_half, falling = _teeth(_ONE), _teeth(Fraction(1, 2)), _parabolas(descended(1))
    far_half = _hubers(Fraction(1, 2), is_far=True)
    convex = (*_CONVEX, _EVERYWHERE[1])
    half_step = 4 * Lhat * D / (sp.Rational(7, 4) * (T - 1) + 2)
    at_one = (1 - mu_F / Lhat) ** (2 * T - 2) * R_1**2
    return (
        _of("least", _EXACT, _NONCONVEX, LEAST_GRADIENT, 4 * Lhat * D / (3 * T - 1), teeth_1),
        _of("least_half", _EXACT, _NONCONVEX, LEAST_GRADIENT, half_step, teeth_half, _HALF),
        _of("average", _FALLS, _NONCONVEX, AVERAGE_GRADIENT, 2 * Lhat * D / T, falling),
        _of("convex_least", _TWICE, convex, LEAST_GRADIENT, 2 * Lhat * D / (2 * T - 1), _hubers()),
        _of("convex_last", _TWICE, convex, LAST_GRADIENT, 2 * Lhat * D / (2 * T - 1), _hubers()),
        _of("convex_average", _FALLS, convex, AVERAGE_GRADIENT, 2 * Lhat * D / T, falling),
        _of(
            "convex_gap_half",
            _DRORI,
            _NEAR,
            LAST_GAP,
            Lhat * R_1**2 / (2 * T),
            far_half,
            _HALF,
        ),
        _of("convex_distance", _NO_FARTHER, _NEAR, LAST_DISTANCE, R_1**2, _flat),
        _of("strong_gap", _SHRINKS, _STRONG, LAST_GAP, Lhat / 2 * _LEFT * R_1**2, _TOP, **_BETWEEN),
        _of("strong_gradient", _SHRINKS, _STRONG, LAST_GRADIENT, Lhat**2 * _LEFT * R_1**2, _TOP, **_BETWEEN),
        _of("strong_distance_at_1", _SHRINKS_SLOWER, _STRONG, LAST_DISTANCE, at_one, _BOTTOM, conditions=_NARROW),
        _theirs("nesterov2004.gradient_descent", descended(1), falling),
        _theirs("abbaszadehpeivasti2022.best_step", unmoved, _parabolas(unmoved)),
        _theirs("drori2014.gradient_descent", descended(1), _hubers(is_far=True)),
        _theirs("su2016.nesterov", accelerated, _parabolas(accelerated)),
        _theirs("nesterov2004.theorem2_1_15", between, _TOP),
        _theirs("nesterov2004.strongly_convex", between, _TOP),
        _theirs("classic.heavy_ball", with_momentum, _parabolas(with_momentum, beta=_TINY, eta=1 - _TINY)),
        _theirs("ward2019.adagrad_norm", unmoved, _parabolas(unmoved, eta=10**4, delta=10**4)),
        *(_theirs(id, unmoved, _ONCE) for id in _STOCHASTIC),
    )


def _flat(steps: int) -> Iterator[Walk]:
    """F = 0 has no gradient."""
    yield run("F = 0", parabola(0), 1, descended(1), steps)


def bare(steps: int, follow: Follow, **numbers: Fraction | int) -> Iterator[Walk]:
    """Runs that break a hypothesis and little else: F that is steeper, not convex, flat, or starts farther away."""
    yield run("F = 16 x²/2", parabola(16), 1, follow, steps, **numbers)
    yield run("F = x²/2", parabola(1), 4, follow, steps, **numbers)
    yield run("F that is flat at v_1", hill(1, _ONE), 1, follow, steps, **numbers)
    yield run("F = 0", parabola(0), 1, follow, steps, **numbers)
