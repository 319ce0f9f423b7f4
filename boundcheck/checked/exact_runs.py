"""Exact models of runs, on all of their paths: of Algorithm 1, and of each theorem's own algorithm on a parabola.

What claims define is taken from the claims; the roots in their formulas are rational by the choice of other numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial
from itertools import product
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from boundcheck.checked.exact_model import Curve, ExactModel, Factored, Pair, single
from boundcheck.errors import InputError
from boundcheck.exact.balls import (
    Rows,
    corner,
    number,
    plus,
    root,
    root_above,
    root_below,
    scaled,
    squared,
    times,
    transposed,
)
from boundcheck.exact.evaluate import Paths, VectorFunction, rational_value
from boundcheck.language.algorithms import Algorithm, Space, gamma, omega
from boundcheck.language.catalogue import catalogue
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
_ONE = F(1)
Numbers = Mapping[str, Fraction]
Vector = NDArray[Any]
Column = tuple[Fraction, ...]
Build = Callable[..., ExactModel | None]

# The stretch of a symmetric 2 x 2 matrix: (P, K, Q), its top eigenvalue l, a vector (p, u) and bounds (x, y).
STRETCHES: list[Numbers] = [
    {name: F(value) for name, value in zip("PKQlpuxy", (P, K, Q, top, p, u, P * p + K * u, K * p + Q * u), strict=True)}
    for P, K, Q, top in ((4, 2, 1, 5), (1, 2, 1, 3), (1, 6, 6, 10), (2, 0, 1, 2), (0, 2, 3, 4), (6, 2, 3, 7))
    for p, u in ((K, top - P), (1, 1), (3, 1), (0, 1))
]


def stretch(turn: int) -> Numbers:
    """One stretch after the other."""
    return STRETCHES[turn % len(STRETCHES)]


def stated(id: str, name: str, **numbers: Fraction) -> Fraction:
    """The value of a quantity of a claim, given the parameters and earlier quantities in its formula.

    Raises:
        ArithmeticError: where that is irrational.

    """
    expression = next(quantity.expression for quantity in catalogue[id].quantities if quantity.name == name)
    value = rational_value(expression, numbers)
    if value is None:
        raise ArithmeticError(f"{name} of {id} is irrational at {numbers}")
    return value


def scalar(curve: Curve, scale: Fraction | int | str = 1) -> Factored:
    """One entry: d = k = r = 1."""
    return Factored(((curve,),), F(scale))


def top_eigenvalue(L: Fraction, G: Fraction, a: Fraction, b: Fraction, s: Fraction) -> Fraction | None:
    """λ*, where it is rational."""
    half, cross = s**2 * L * (a**2 - b**2) / 2, s**2 * L * a * b + s * G
    size = root(half**2 + cross**2)
    return None if size is None else s**2 * L * (a**2 + b**2) / 2 + size


def constants(
    meft: Factored, a: Fraction, b: Fraction, sharp: bool, understated: Fraction = _ONE
) -> dict[str, Fraction]:
    """L, times a factor below 1 where it is to be understated, G, C, the radii, and L̂ as printed or sharp."""
    L, G, sigma = meft.smoothness * understated, meft.steepest, max(a, b)
    found = {"L": L, "G": G, "C": sigma, "sigma": sigma, "a": a, "b": b, "theta": F(1, 2), "c": F(1)}
    if sharp:
        top = top_eigenvalue(L, G, a, b, meft.scale)
    else:
        rank = root(F(meft.rank))
        top = None if rank is None else 2 * L * sigma * rank * sigma + G
    return found | ({} if top is None else {"Lhat": top})


def of_one(meft: Factored, held: str, numbers: Numbers) -> Numbers:
    """The constants, with the L̂ of one factor: s²La² where A is held, s²Lb² where B is."""
    id, radius = ("meft.frozen_a", "a") if held == "A" else ("meft.frozen_b", "b")
    Lhat = stated(id, "Lhat", s=meft.scale, L=numbers["L"], **{radius: numbers[radius]})
    return {**numbers, "Lhat": Lhat}


def model_of(
    about: str, meft: Factored, numbers: Numbers, matrices: Mapping[str, Rows], n: int | None = None, **fields: Any
) -> ExactModel:
    """The model of an adapter with these numbers and matrices, and other fields of it."""
    d, k = meft.shape
    sides = {"d": d, "k": k, "r": meft.rank, "n": meft.rank * (d + k) if n is None else n, "one": 1}
    known = {"P": corner(meft.rank, k), "Q": corner(d, meft.rank), "V": corner(d, k), "W_0": meft.start, **matrices}
    values = {"s": meft.scale, "z": 2 * numbers.get("C", F(1)) + 1, **numbers}
    return ExactModel(about, sides, values, known, **({"functions": meft.functions} | fields))


def two_points(meft: Factored, v1: Pair, v2: Pair) -> dict[str, Rows]:
    """The matrices of two points, of which the first is v as well."""
    found = dict(zip(("A_1", "B_1", "A_2", "B_2", "A", "B"), (*v1, *v2, *v1), strict=True))
    return found | {"W_1": meft.weight(v1), "W_2": meft.weight(v2), "W": meft.weight(v1)}


def holding(world: ExactModel, meft: Factored, held: str, fixed: Rows) -> ExactModel:
    """The model in which one factor, A or B, is a constant: F has the other one as its only block."""
    trained, place = ("B", 1) if held == "A" else ("A", 0)

    def pair(point: Sequence[Rows]) -> Pair:
        return (fixed, single(point)) if held == "A" else (single(point), fixed)

    function = VectorFunction(lambda v: meft.f(meft.weight(pair(v))), lambda v: (meft.gradient(pair(v))[place],))
    laws = frozenset({"jiang2024.assumption1", "jiang2024.bounded_below", f"F({trained}) = f(W)"})
    return replace(world, functions={**world.functions, "F": function}, blocks=(trained,), laws=laws)


def process_of(
    paths: Paths[Any, Any], letters: Mapping[str, Callable[[Any], Rows]], drawn: Mapping[str, Callable[[Any], Rows]]
) -> Callable[[str, int, int], Rows]:
    """The letters of a state, and of the gradient that was drawn, at times that the run has."""

    def process(name: str, time: int, outcome: int) -> Rows:
        known, at, last = (drawn, paths.drawn, paths.T) if name in drawn else (letters, paths.state, paths.T + 1)
        if name not in known or not 1 <= time <= last:
            raise InputError(name, time, f"one of {', '.join((*letters, *drawn))} at a time from 1 to {paths.T}")
        return known[name](at(time, outcome))

    return process


# Algorithm 1, with constants of Theorem 2

_LETTERS: dict[str, Callable[[Pair], Rows]] = {"A": lambda v: v[0], "B": lambda v: v[1]}
_DRAWN = {f"g_{name}": block for name, block in _LETTERS.items()}


def of_run(
    meft: Factored,
    start: Pair,
    base: Numbers,
    T: int,
    ratio: Fraction,
    step: str,
    noise: Fraction,
    held: str = "",
) -> Build:
    """The constants of Theorem 2 such that every root is rational, by the choice of f* and ζ; and the run with them.

    Args:
        meft: F.
        start: v_1 = (A_1, B_1).
        base: L, G, the radii and L̂.
        T: the horizon.
        ratio: q = sqrt(L̂D/(ζ²T)), which is L̂α for the printed step size.
        step: printed, or best.
        noise: the part of the noise that Assumption 4 allows.
        held: the factor that is not trained, if there is one.

    """
    Lhat, loss = base["Lhat"], meft.f(meft.weight(start))
    w = root_above((loss - meft.least) / (Lhat * T), 20)
    D, zeta = Lhat * T * w**2, Lhat * w / ratio
    growth = ratio + root_above(ratio**2 + 2) if step == "best" else F(3, 2) / (1 - ratio / 2)
    best = stated("meft.theorem2_best_step", "alpha", q=ratio, kappa=growth, Lhat=Lhat)
    prescribed = best if step == "best" else ratio / Lhat
    # sqrt(DL̂ζ²/T)
    term = Lhat**2 * w**2 / ratio
    factor = growth if base.get("sharp") or step == "best" else F(5, 2)
    # The square of the distance from 0 is what makes noise in W noise in (A, B).
    if held:
        size = squared(start["AB".index(held)])
    else:
        size = squared(start[0]) + squared(start[1]) if T == 1 else base["a"] ** 2 + base["b"] ** 2
    c, unit = noise * root_below(zeta**2 / (meft.scale**2 * size), 20), corner(*meft.shape)
    offsets = (scaled(c, unit), scaled(-c, unit)) if noise else (scaled(0, unit),)
    numbers = {
        **base,
        "D": D,
        "zeta": zeta,
        "q": ratio,
        "kappa": growth,
        "bound": factor * term,
        "T_min": stated("jiang2024.theorem2", "T_min", Lhat=Lhat, D=D, zeta=zeta),
        "f_star": loss - D,
    }

    def build(
        about: str, turn: int = 0, given: Callable[[Numbers], Fraction | None] | None = None
    ) -> ExactModel | None:
        """The run; with another step size, where `given` finds one in the constants."""
        alpha = given({**numbers, "s": meft.scale, "r": F(meft.rank), "T": F(T)}) if given else prescribed
        if alpha is None:
            return None

        def descend(v: Pair, g: Pair, t: int) -> Pair:
            A, B = (x if name == held else plus(x, slope, -alpha) for name, x, slope in zip("AB", v, g, strict=True))
            return A, B

        paths = Paths(start, meft.gradient, descend, offsets, T)
        # The first two points are those of Lemma 1. A held factor has one value, and F none at another.
        matrices = two_points(meft, start, paths.state(2, 0))
        matrices = {name: x for name, x in matrices.items() if name not in (f"{held}_1", f"{held}_2")}
        values = {**stretch(turn), **numbers, "alpha": alpha}
        process = process_of(paths, _LETTERS, _DRAWN)
        world = model_of(about, meft, values, matrices, paths=paths, process=process)
        return holding(world, meft, held, start["AB".index(held)]) if held else world

    return build


def alone(world: ExactModel) -> ExactModel:
    """A run with A held at 1, s = 1 and W_0 = 0, told as one of a function of a vector: v is B, and F is f.

    Its step size is the one that was given, unless the constants say what was.
    """
    process = _run_of(world)
    named = {"v": "B", "g": "g_B", "g_v": "g_B"}

    def told(name: str, time: int, outcome: int) -> Rows:
        if name not in named:
            raise InputError("name", name, "v or g")
        return process(named[name], time, outcome)

    Lhat, alpha, v = world.numbers["Lhat"], world.numbers["alpha"], world.matrices["B"]
    longest = stated("meft.theorem2_any_step", "eta_max", Lhat=Lhat)
    return replace(
        world,
        about=world.about.replace("A frozen", "a vector"),
        sides={**world.sides, "n": len(v)},
        numbers={**world.numbers, "ell": Lhat, "eta": world.numbers.get("eta", alpha), "eta_max": longest},
        matrices={"v": v},
        blocks=("v",),
        process=told,
        laws=frozenset({"classic.smooth", "classic.smooth_everywhere", "jiang2024.bounded_below", "F(v) = f(v)"}),
    )


def merged(world: ExactModel) -> ExactModel:
    """A run on both factors, told as a segment of ReLoRA: v is (A, B, Z), where Z, what was merged before, is 0."""
    process = _run_of(world)
    f, start, scale = world.functions["f"], world.matrices["W_0"], world.numbers["s"]
    nothing = scaled(0, start)

    def weight(v: Sequence[Rows]) -> Rows:
        A, B, Z = v
        return plus(plus(start, Z), times(B, A), scale)

    def gradient(v: Sequence[Rows]) -> tuple[Rows, ...]:
        (slope,) = f.gradient((weight(v),))
        return scaled(scale, times(transposed(v[1]), slope)), scaled(scale, times(slope, transposed(v[0]))), slope

    return replace(
        world,
        about=f"{world.about}, a segment of ReLoRA",
        matrices={**world.matrices, "Z": nothing},
        functions={**world.functions, "F": VectorFunction(lambda v: f.value((weight(v),)), gradient)},
        blocks=("A", "B", "Z"),
        process=lambda name, time, outcome: nothing if name == "Z" else process(name, time, outcome),
    )


def _run_of(world: ExactModel) -> Callable[[str, int, int], Rows]:
    if world.process is None:
        raise ValueError(f"{world.about}: expected a run")
    return world.process


def sharper(world: ExactModel) -> ExactModel:
    """A run of a function of a vector, told with the κ of functions that are smooth on all of space."""
    kappa = stated("meft.theorem2_everywhere", "kappa", q=world.numbers["q"])
    bound = world.numbers["bound"] * kappa / world.numbers["kappa"]
    numbers = {**world.numbers, "kappa": kappa, "bound": bound}
    return replace(world, about=f"{world.about}, sharper", numbers=numbers)


# A theorem's own algorithm on a parabola, whose numbers are what the theorem's formulas make of them: theorems about
# any function of a vector that is smooth, convex, strongly convex, above its least value; and about F(A, B) = f(BA)

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


def _column(v: Sequence[Fraction] | Vector) -> Rows:
    return tuple((F(x),) for x in v)


def _pair(v: Vector) -> Pair:
    return number(v[0]), number(v[1])


@dataclass(frozen=True)
class Factors:
    """F(A, B) = f(BA) with d = k = r = 1, over vectors (A, B)."""

    meft: Factored

    def gradient(self, v: Vector) -> Vector:
        A, B = self.meft.gradient(_pair(v))
        return np.array([A[0][0], B[0][0]], dtype=object)

    def factor_sizes(self, v: Vector) -> tuple[Fraction, Fraction]:
        """The sizes of `language.function.Function.factor_sizes`."""
        return F(sum(v * v)), abs(self.meft.slope(self.meft.weight(_pair(v)))[0][0])


@cache
def runs_of(
    claim: Claim, understated: Fraction = _ONE, parabolas: tuple[tuple[Column, Column], ...] = _PARABOLAS
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
        factors = Factors(scalar(Curve.clipped(2, 128, zero)))
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
        paths = _paths(algorithm, factors.gradient, v, numbers, [np.zeros(2, dtype=int)], steps, factors)
        if paths is None:
            continue
        letters: dict[str, Callable[[Any], Rows]] = {
            "A": lambda state: number(state[0][0]),
            "B": lambda state: number(state[0][1]),
        }
        yield model_of(
            f"{claim.id} on a parabola of BA, A_1 = {A}, B_1 = {B}, T = {steps}",
            meft,
            numbers | {"theta": F(place % 3, 2)},
            two_points(meft, *(_pair(paths.state(t, 0)[0]) for t in (1, 2))),
            paths=paths,
            process=process_of(paths, letters, {"g": _column, "g_v": _column}),
            laws=_laws(claim, "F(v) = f(W)"),
            changed=frozenset({L.name} if understated < 1 else ()),
        )


def _runs(
    claim: Claim, algorithm: Algorithm, understated: Fraction, parabolas: tuple[tuple[Column, Column], ...]
) -> Iterator[ExactModel]:
    # ζ is a positive letter.
    noises = (F(1, 2), F(4)) if algorithm.is_stochastic else (F(0),)
    for place, ((steepness, start), share, noise, steps) in enumerate(product(parabolas, _SHARES, noises, (1, 2, 3))):
        n, slopes, first = len(start), np.array(steepness, dtype=object), np.array(start, dtype=object)
        gap, narrow, long = F(sum(slopes * first * first) / 2), min(steepness), max(steepness)
        # The values of all letters that these theorems are known to have; of the two numbers whose roots are taken one
        # is 1, and the other 4.
        known = {
            T: F(steps),
            ell: long,
            mu_F: narrow,
            f_star: F(0),
            D: gap,
            zeta: noise,
            R_1: root(sum(first**2)),
            abc_a: 1 / (long * steps),
            abc_b: F(1),
            abc_c: 8 * gap / (long * steps),
            eta: share / long,
            delta: F(3, 2),
            beta: F(1, 2),
            omega: (1 + share) / narrow,
            gamma: max((1 + share) / narrow * long - 1, F(1, 2)),
        }
        named = {symbol.name: value for symbol, value in known.items() if value is not None}
        named[ell.name] *= understated
        if not {parameter.name for parameter in claim.parameters} <= set(named):
            return
        numbers = _known(claim, algorithm, named)
        offsets = [noise * np.eye(n, dtype=int)[0] * sign for sign in ((1, -1) if noise else (1,))]
        paths = _paths(algorithm, partial(np.multiply, slopes), first, numbers, offsets, steps)
        if paths is None:
            continue
        # The letters of the state, in its order.
        names = [str(each.lhs.args[0]) for each in algorithm.recurrence]
        letters = {name: lambda state, i=i: _column(state[i]) for i, name in enumerate(names)}
        function = _parabola(slopes)
        yield ExactModel(
            f"{claim.id} on a parabola of {n} dimensions, T = {steps}, step {share}, noise {noise}",
            {"n": n, "one": 1},
            numbers | {"theta": F(place % 3, 2)},
            {"v": _column(paths.state(1, 0)[names.index("v")]), str(v_star.name): ((F(0),),) * n},
            {"f": function, "F": function},
            blocks=("v",),
            paths=paths,
            process=process_of(paths, letters, {"g": _column, "g_v": _column}),
            laws=_laws(claim, "F(v) = f(v)"),
            changed=frozenset({ell.name} if understated < 1 else ()),
        )


def _parabola(slopes: Vector) -> VectorFunction:
    """F(v) = Σ h_i v_i²/2, whose least value is 0, at 0."""
    return VectorFunction(
        lambda v: F(sum(h * x * x for h, (x,) in zip(slopes, v[0], strict=True)) / 2),
        lambda v: (tuple((h * x,) for h, (x,) in zip(slopes, v[0], strict=True)),),
    )


def _laws(claim: Claim, function: str) -> frozenset[str]:
    """The laws that such a theorem supposes: all of them hold of a parabola."""
    return frozenset({*(hypothesis.id for hypothesis in claim.hypotheses), function, "v* is where F is least"})


def _known(claim: Claim, algorithm: Algorithm, given: Numbers) -> dict[str, Fraction]:
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


def _evaluated(claim: Claim, known: Numbers) -> dict[str, Fraction]:
    """The known numbers, and those of the claim's quantities that are rational."""
    numbers = dict(known)
    for quantity in claim.quantities:
        named = {x.name for x in quantity.expression.free_symbols} <= set(numbers)
        value = rational_value(quantity.expression, numbers) if named else None
        if value is not None:
            numbers[quantity.name] = value
    return numbers


def _rational_root(x: Fraction) -> Fraction:
    if (found := root(x)) is None:
        raise InputError("root", x, "the square of a rational number")
    return found


_RATIONAL = Space(lambda x: F(sum(x**2)), _rational_root)


def _paths(
    algorithm: Algorithm,
    gradient: Callable[[Vector], Vector],
    first: Vector,
    numbers: Numbers,
    offsets: Sequence[Vector],
    steps: int,
    function: Factors | None = None,
) -> Paths[Any, Any] | None:
    """The paths of a run; None where a number of a step is not known or not rational, or iterates grow too long."""
    if any(symbol.name not in numbers for symbol in algorithm.parameters):
        return None

    def slope(v: Vector, offset: Vector) -> Vector:
        bits = max(F(x).denominator.bit_length() for x in v)
        if bits > _LONGEST:
            raise InputError("v", f"a vector of {bits} bits", f"one of at most {_LONGEST}")
        return gradient(v) + offset

    def query(state: Any, t: int) -> Any:
        return algorithm.exact_query(state, t, numbers)

    def step(state: Any, g: Vector, t: int) -> Any:
        told = algorithm.asked(function, query(state, t))
        return algorithm.exact_step(state, g, t, {**numbers, **told}, _RATIONAL)

    try:
        start = algorithm.exact_start(first, numbers)
        paths: Paths[Any, Any] = Paths(start, slope, step, offsets, steps, query=query)
        # What has no exact step says so here, and a root that is irrational.
        paths.state(steps + 1, 0)
    except InputError:
        return None
    return paths
