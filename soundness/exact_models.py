"""The exact models that mutants of proofs are tried in: the same ones, in the same order, every
time.

Two points of a ball, one factor frozen, other adapters, layers, a representation with a bias; and
runs on all of their paths, of Algorithm 1 and of each theorem's own algorithm on a parabola. What
claims define is taken from the claims; the roots in their formulas are rational by the choice of
other numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial
from itertools import product
from random import Random
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from boundcheck.errors import InputError
from boundcheck.exact.balls import (
    Rows,
    corner,
    inner,
    number,
    plus,
    root,
    rows,
    scaled,
    squared,
    times,
    transposed,
)
from boundcheck.exact.evaluate import STILL, Paths, VectorFunction, rational_value
from boundcheck.language import symbols
from boundcheck.language.algorithms import Algorithm, Space, gamma, omega
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.sentence import algorithm_of
from boundcheck.language.vocabulary import v_star
from soundness.exact_model import (
    FLAT,
    Blocks,
    Curve,
    ExactModel,
    Factored,
    Pair,
    blocks_of,
    fractions,
    moved,
    named,
    order,
    root_above,
    root_below,
    single,
    table,
    units,
)

F = Fraction
_ONE = F(1)
Numbers = Mapping[str, Fraction]
Vector = NDArray[Any]
Given = Callable[[Numbers], Fraction | None]
"""A step size, from the constants of a run; None where they have none."""
# Two points of a ball in shares of its radii.
_SHARES = table("1 1, 1/2 -1"), table("1 7/8, 7/8 1")
# The stretch of a symmetric 2 x 2 matrix: (P, K, Q), its top eigenvalue l, a vector (p, u) and
# bounds (x, y).
_STRETCHES: list[Numbers] = [
    dict(zip("PKQlpuxy", (P, K, Q, top, p, u, P * p + K * u, K * p + Q * u), strict=True))
    for P, K, Q, top in table("4 2 1 5, 1 2 1 3, 1 6 6 10, 2 0 1 2, 0 2 3 4, 6 2 3 7")
    for p, u in ((K, top - P), *table("1 1, 3 1, 0 1"))
]


@cache
def worlds() -> tuple[ExactModel, ...]:
    """All models, the same ones every time."""
    theorems = [world for claim in catalogue.values() for world in runs_of(claim)]
    small = (*_lemmas(), *_frozen(), *_runs(), *_others(), *_held_runs())
    return (*small, *theorems, *_adapters(), *_any_map(), *_all_layers())


# Numbers, and the parts of models


def stretch(turn: int) -> Numbers:
    """One stretch after the other."""
    return _STRETCHES[turn % len(_STRETCHES)]


@cache
def stated(id: str, name: str, **numbers: Fraction) -> Fraction:
    """The value of a quantity of a claim, given the parameters and earlier quantities in its
    formula.

    Raises:
        ArithmeticError: where that is irrational.

    """
    expression = next(
        quantity.expression for quantity in catalogue[id].quantities if quantity.name == name
    )
    value = rational_value(expression, numbers)
    if value is None:
        raise ArithmeticError(f"{name} of {id} is irrational at {numbers}")
    return value


def scalar(curve: Curve, scale: Fraction | int | str = 1) -> Factored:
    """One entry: d = k = r = 1."""
    return Factored(((curve,),), F(scale))


def steep(L: Fraction, G: Fraction, a: Fraction, b: Fraction, s: Fraction) -> Factored:
    """f'(w) = clip(G + L(w - sab), ±G): as steep as it may be at A = a, B = b, where λ* is
    attained.
    """
    return scalar(Curve.clipped(L, G, s * a * b - G / L), s)


def top_eigenvalue(
    L: Fraction, G: Fraction, a: Fraction, b: Fraction, s: Fraction
) -> Fraction | None:
    """λ*, where it is rational."""
    half = s**2 * L * (a**2 - b**2) / 2
    cross = s**2 * L * a * b + s * G
    size = root(half**2 + cross**2)
    return None if size is None else s**2 * L * (a**2 + b**2) / 2 + size


def constants(
    meft: Factored, a: Fraction, b: Fraction, sharp: bool, understated: Fraction = _ONE
) -> dict[str, Fraction]:
    """L, times a factor below 1 where it is to be understated, G, C, the radii, and L̂ as printed
    or sharp.
    """
    L = meft.smoothness * understated
    G = meft.steepest
    sigma = max(a, b)
    found = {"L": L, "G": G, "C": sigma, "sigma": sigma, "a": a, "b": b}
    found |= named("theta=1/2 c=1")
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
    about: str,
    meft: Factored,
    numbers: Numbers,
    matrices: Mapping[str, Rows],
    n: int | None = None,
    **fields: Any,
) -> ExactModel:
    """The model of an adapter with these numbers and matrices, and other fields of it."""
    d, k = meft.shape
    sides = {"d": d, "k": k, "r": meft.rank, "n": meft.rank * (d + k) if n is None else n, "one": 1}
    known = {
        "P": corner(meft.rank, k),
        "Q": corner(d, meft.rank),
        "V": corner(d, k),
        "W_0": meft.start,
        **matrices,
    }
    values = {"s": meft.scale, "z": 2 * numbers.get("C", F(1)) + 1, **numbers}
    return ExactModel(about, sides, values, known, **({"functions": meft.functions} | fields))


def two_points(meft: Factored, v1: Pair, v2: Pair) -> dict[str, Rows]:
    """The matrices of two points, of which the first is v as well."""
    found = dict(zip(("A_1", "B_1", "A_2", "B_2", "A", "B"), (*v1, *v2, *v1), strict=True))
    return found | {"W_1": meft.weight(v1), "W_2": meft.weight(v2), "W": meft.weight(v1)}


def through(
    f: VectorFunction,
    weight: Callable[[Sequence[Rows]], Blocks],
    pull: Callable[[Sequence[Rows], Blocks], Blocks],
) -> VectorFunction:
    """F(v) = f(W(v)), where `pull` makes the gradient of F of v and of that of f at W(v)."""
    return VectorFunction(lambda v: f.value(weight(v)), lambda v: pull(v, f.gradient(weight(v))))


def holding(world: ExactModel, meft: Factored, held: str, fixed: Rows) -> ExactModel:
    """The model in which one factor, A or B, is a constant: F has the other one as its only
    block.
    """
    trained, place = ("B", 1) if held == "A" else ("A", 0)

    def pair(point: Sequence[Rows]) -> Pair:
        return (fixed, single(point)) if held == "A" else (single(point), fixed)

    f = world.functions["f"]
    function = through(
        f, lambda v: (meft.weight(pair(v)),), lambda v, M: (meft.pull(pair(v), *M)[place],)
    )
    laws = frozenset({"jiang2024.assumption1", "jiang2024.bounded_below", f"F({trained}) = f(W)"})
    return replace(world, functions={"f": f, "F": function}, blocks=(trained,), laws=laws)


def process_of(
    paths: Paths[Any, Any],
    letters: Mapping[str, Callable[[Any], Rows]],
    drawn: Mapping[str, Callable[[Any], Rows]],
) -> Callable[[str, int, int], Rows]:
    """The letters of a state, and of the gradient that was drawn, at times that the run has."""

    def process(name: str, time: int, outcome: int) -> Rows:
        known, at, last = (
            (drawn, paths.drawn, paths.T) if name in drawn else (letters, paths.state, paths.T + 1)
        )
        if name not in known or not 1 <= time <= last:
            raise InputError(
                name, time, f"one of {', '.join((*letters, *drawn))} at a time from 1 to {paths.T}"
            )
        return known[name](at(time, outcome))

    return process


# Two points of a ball


def _lemmas() -> Iterator[ExactModel]:
    for turn, (about, meft, v1, v2, numbers) in enumerate((*_attained(), *_printed(), *_larger())):
        yield model_of(about, meft, {**stretch(turn), **numbers}, two_points(meft, v1, v2))


_Lemma = tuple[str, Factored, Pair, Pair, Numbers]


def _attained() -> Iterator[_Lemma]:
    # Where λ* is attained, unequal radii and scales: it is rational at these G.
    for s, a, b, G in table(
        "1 2 1 8/5, 1/2 1 2 4/5, 2 3 1 14/3, 2 1 3 66/5, 1 1 1 1/3, 3 1/2 1/2 1/3"
    ):
        L = F(1)
        meft = steep(L, G, a, b, s)
        corner = (number(a), number(b))
        base = constants(meft, a, b, True)
        for away in fractions("1/1000 1/7"):
            # The top eigenvector of [[P, K], [K, R]] is (K, λ* - P), P the entry of A.
            step_a = s**2 * L * a * b + s * G
            step_b = base["Lhat"] - stated("meft.frozen_b", "Lhat", s=s, L=L, b=b)
            size = away * min(a, b) / max(step_a, step_b)
            near = number(a - size * step_a), number(b - size * step_b)
            about = f"λ* nearly attained at scale {s}, radii {a} and {b}"
            yield about, meft, corner, near, base | {"theta": F(0)}
        for A, B in ((a, b / 2), (a / 2, b), (-a / 2, b), (a, -b)):
            other = number(A), number(B)
            yield (
                "the corner of the ball and another point",
                meft,
                corner,
                other,
                base | {"theta": F(1)},
            )
            yield "another point and the corner", meft, other, corner, base


def _printed() -> Iterator[_Lemma]:
    # The printed constants, scale 1.
    ends = list(map(table, ("1 1, 1 0", "1 1, 1/2 1", "1 0, 1/2 -1/2", "1 1, -1 -1")))
    for L, G, sigma in table("1 1 2, 2 1/5 1, 1/2 3 1/2"):
        for zero, pair in product((F(0), F(-1), sigma**2), ends):
            meft = scalar(Curve.clipped(L, G, zero))
            first, second = ((number(sigma * A), number(sigma * B)) for A, B in pair)
            yield (
                "printed constants, d = k = r = 1",
                meft,
                first,
                second,
                constants(meft, sigma, sigma, False),
            )


def _larger() -> Iterator[_Lemma]:
    # More than one dimension.
    slope = Curve.clipped(1, 1)
    shrunk = F(99, 100)
    two = ((slope, slope), (slope, Curve.clipped(1, 1, "1/2")))
    unit = rows((shrunk, 0), (0, shrunk))
    for scale in fractions("1 1/2"):
        full = Factored(two, scale, rank=2, origin=table("0 1/5, 0 0"))
        base = constants(full, _ONE, _ONE, True)
        for v1, v2 in (
            ((unit, unit), (table("0 0, 0 0"), unit)),
            ((unit, unit), (unit, rows((0, shrunk), (-shrunk, 0)))),
            ((rows((shrunk, 0), (0, 0)), unit), (unit, rows((0, 0), (0, shrunk)))),
            (
                (table("1/2 1/3, 0 -1/4"), unit),
                (table("1/2 0, 1/7 -1/4"), table("0 1/2, 1/2 0")),
            ),
        ):
            yield "d = k = r = 2", full, v1, v2, base
            yield (
                "d = k = r = 2, loose constants",
                full,
                v1,
                v2,
                base | named("L=2 G=5 C=3"),
            )
        line = Factored(((slope, FLAT), (FLAT, slope)), scale, rank=1)
        p1 = (table("3/5 4/5"), table("4/5, 3/5"))
        p2 = (table("0 1"), table("1, 0"))
        column = Factored(((slope,),), scale, rank=4)
        q1 = transposed(table("1/2 1/2 1/2 1/2")), table("1/2 1/2 1/2 1/2")
        q2 = transposed(table("1 0 0 0")), table("1/2 -1/2 1/2 -1/2")
        for about, meft, v1, v2, sharp in (
            ("d = k = 2, r = 1", line, p1, p2, scale != 1),
            ("d = k = 1, r = 4", column, q1, q2, False),
        ):
            known = constants(meft, _ONE, _ONE, sharp)
            yield about, meft, v1, v2, known
            yield about, meft, v2, v1, known


def _frozen() -> Iterator[ExactModel]:
    """Two values of one factor, with the other one, A or B, constant."""
    cases: list[tuple[str, Factored, Rows, Rows, Rows, Numbers]] = []
    for scale, a in table("1 2, 1/2 1, 3 1/2"):
        meft = scalar(Curve.clipped(2, 1), scale)
        for first, second in table("1/8 0, 1 -1, -1/9 1/9"):
            points = number(a), number(first), number(second)
            cases.append(("A", meft, *points, constants(meft, a, _ONE, False)))
            cases.append(("B", meft, *points, constants(meft, _ONE, a, False)))
    slope = Curve.clipped(1, 1)
    line = Factored(((slope, slope), (slope, slope)))
    base = constants(line, _ONE, _ONE, False)
    fixed = table("3/5 4/5")
    for row1, row2 in ((table("1/5 2/5"), table("0 0")), (table("1 -1"), table("1/2 0"))):
        cases.append(("A", line, fixed, transposed(row1), transposed(row2), base))
        cases.append(("B", line, transposed(fixed), row1, row2, base))
    for held, meft, fixed, one, two, numbers in cases:
        trained = "B" if held == "A" else "A"
        matrices = {held: fixed, trained: one, f"{trained}_1": one, f"{trained}_2": two}
        shape = "d = k = r = 1" if meft.shape == (1, 1) else "d = k = 2, r = 1"
        world = model_of(f"{held} frozen, {shape}", meft, of_one(meft, held, numbers), matrices)
        yield holding(world, meft, held, fixed)


# Runs of Algorithm 1, with constants of Theorem 2


def of_run(
    about: str,
    meft: Factored,
    start: Pair,
    base: Numbers,
    T: int,
    ratio: Fraction,
    step: str,
    noise: Fraction,
    held: str = "",
    turn: int = 0,
    given: Given | None = None,
) -> ExactModel | None:
    """The constants of Theorem 2 such that every root is rational, by the choice of f* and ζ; and
    the run with them.

    Args:
        about: what it is, in words.
        meft: F.
        start: v_1 = (A_1, B_1).
        base: L, G, the radii and L̂.
        T: the horizon.
        ratio: q = sqrt(L̂D/(ζ²T)), which is L̂α for the printed step size.
        step: printed, or best.
        noise: the part of the noise that Assumption 4 allows.
        held: the factor that is not trained, if there is one.
        turn: of the stretch.
        given: another step size; the run is None where it finds none in the constants.

    """
    Lhat = base["Lhat"]
    loss = meft.f(meft.weight(start))
    w = root_above((loss - meft.least) / (Lhat * T), 20)
    D = Lhat * T * w**2
    zeta = Lhat * w / ratio
    growth = ratio + root_above(ratio**2 + 2) if step == "best" else F(3, 2) / (1 - ratio / 2)
    best = stated("meft.theorem2_best_step", "alpha", q=ratio, kappa=growth, Lhat=Lhat)
    # sqrt(DL̂ζ²/T)
    term = Lhat**2 * w**2 / ratio
    factor = growth if base.get("sharp") or step == "best" else F(5, 2)
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
    alpha: Fraction | None = best if step == "best" else ratio / Lhat
    if given:
        alpha = given({**numbers, "s": meft.scale, "r": F(meft.rank), "T": F(T)})
    if alpha is None:
        return None
    # The square of the distance from 0 is what makes noise in W noise in (A, B).
    if held:
        size = squared(start["AB".index(held)])
    else:
        size = squared(start[0]) + squared(start[1]) if T == 1 else base["a"] ** 2 + base["b"] ** 2
    c = noise * root_below(zeta**2 / (meft.scale**2 * size), 20)
    unit = corner(*meft.shape)
    offsets = (scaled(c, unit), scaled(-c, unit)) if noise else (scaled(0, unit),)

    def descend(v: Pair, g: Pair, t: int) -> Pair:
        A, B = (
            x if name == held else plus(x, slope, -alpha)
            for name, x, slope in zip("AB", v, g, strict=True)
        )
        return A, B

    paths = Paths(start, meft.gradient, descend, offsets, T)
    # The first two points are those of Lemma 1. A held factor has one value, and F none at another.
    matrices = two_points(meft, start, paths.state(2, 0))
    matrices = {name: x for name, x in matrices.items() if name not in (f"{held}_1", f"{held}_2")}
    letters: dict[str, Callable[[Pair], Rows]] = {"A": lambda v: v[0], "B": lambda v: v[1]}
    process = process_of(paths, letters, {f"g_{name}": block for name, block in letters.items()})
    world = model_of(
        about,
        meft,
        {**stretch(turn), **numbers, "alpha": alpha},
        matrices,
        paths=paths,
        process=process,
    )
    return holding(world, meft, held, start["AB".index(held)]) if held else world


def alone(world: ExactModel) -> ExactModel:
    """A run with A held at 1, s = 1 and W_0 = 0, told as one of a function of a vector: v is B, and
    F is f.

    Its step size is the one that was given, unless the constants say what was.
    """
    process: Any = world.process
    named = {"v": "B", "g": "g_B", "g_v": "g_B"}

    def told(name: str, time: int, outcome: int) -> Rows:
        if name not in named:
            raise InputError("name", name, "v or g")
        return process(named[name], time, outcome)

    Lhat = world.numbers["Lhat"]
    alpha = world.numbers["alpha"]
    v = world.matrices["B"]
    longest = stated("meft.theorem2_any_step", "eta_max", Lhat=Lhat)
    return replace(
        world,
        about=world.about.replace("A frozen", "a vector"),
        sides={**world.sides, "n": len(v)},
        numbers={
            **world.numbers,
            "ell": Lhat,
            "eta": world.numbers.get("eta", alpha),
            "eta_max": longest,
        },
        matrices={"v": v},
        blocks=("v",),
        process=told,
        laws=frozenset(
            {
                "classic.smooth",
                "classic.smooth_everywhere",
                "jiang2024.bounded_below",
                "F(v) = f(v)",
            }
        ),
    )


def merged(world: ExactModel) -> ExactModel:
    """A run on both factors, told as a segment of ReLoRA: v is (A, B, Z), where Z, what was merged
    before, is 0.
    """
    process: Any = world.process
    f = world.functions["f"]
    start = world.matrices["W_0"]
    scale = world.numbers["s"]
    nothing = scaled(0, start)

    def weight(v: Sequence[Rows]) -> tuple[Rows]:
        A, B, Z = v
        return (plus(plus(start, Z), times(B, A), scale),)

    def pull(v: Sequence[Rows], M: Sequence[Rows]) -> tuple[Rows, ...]:
        (slope,) = M
        return (
            scaled(scale, times(transposed(v[1]), slope)),
            scaled(scale, times(slope, transposed(v[0]))),
            slope,
        )

    return replace(
        world,
        about=f"{world.about}, a segment of ReLoRA",
        matrices={**world.matrices, "Z": nothing},
        functions={**world.functions, "F": through(f, weight, pull)},
        blocks=("A", "B", "Z"),
        process=lambda name, time, outcome: (
            nothing if name == "Z" else process(name, time, outcome)
        ),
    )


def _runs() -> list[ExactModel]:
    found: list[ExactModel] = []
    draw = Random(13)
    # L, G, the radii and the scale; the printed constants know neither a scale nor unequal radii.
    plain = table("1 1/64 1 1 1, 2 1/8 1 1 1")
    others = table("1 1/4 1 1 2, 1 8/5 2 1 1, 1 8/5 1 2 1, 1 16/5 1 2 2")
    for sharp in (False, True):
        steps = [*product(("printed",), fractions("1/2 1/5"))]
        steps += product(("best",), fractions("1/2 17/20 7/4") if sharp else ())
        for L, G, a, b, s in (*plain, *others) if sharp else plain:
            meft = steep(L, G, a, b, s)
            base = constants(meft, a, b, sharp) | ({"sharp": _ONE} if sharp else {})
            horizons = table("1 0 1, 1 1 1, 2 1 7/8, 3 1/2 7/8")
            for (step, ratio), (T, noise, inside) in product(steps, horizons):
                start = number(a * inside), number(b * inside)
                theta = draw.choice(fractions("0 1 1/2"))
                given = {**base, "theta": theta}
                about = f"{step} step, T = {T}, q = {ratio}"
                world = of_run(
                    about, meft, start, given, int(T), ratio, step, noise, turn=len(found)
                )
                if world is not None:
                    found += [world, merged(world)] if step == "best" else [world]
    return found


def _held_runs() -> Iterator[ExactModel]:
    """Runs with A frozen: within the parabola of f, where f is clipped, and in more than one
    dimension.

    Then runs of a function of a vector, in one dimension and in two, with longer steps than 1/L̂
    and shorter ones; of a printed step each is told again with the κ of functions that are smooth
    on all of space.
    """
    wide = Curve.clipped(1, 8, "1/3")
    narrow = Curve.clipped(2, "1/4")
    one = number(1)
    line = Factored(((wide, narrow), (narrow, wide)), origin=table("0 1/5, 0 0"))
    frozen = (
        (scalar(wide), one, one, _ONE),
        (scalar(wide, "1/2"), number(2), number(-1), F(2)),
        (scalar(narrow, 3), number("1/2"), one, F(2, 3)),
        (line, table("3/5 4/5"), transposed(table("1 -1/2")), _ONE),
    )
    vectors = (
        (scalar(wide), one, one, _ONE),
        (scalar(narrow), one, number(-1), _ONE),
        (Factored(((wide,), (narrow,))), one, table("1, -1/2"), _ONE),
    )
    best = [*product(("best",), fractions("1/2 7/4"))]
    mixed = [*product(("printed",), fractions("1/5 3/2")), best[1]]
    for is_vector, cases, steps in ((False, frozen, best), (True, vectors, mixed)):
        turn = 0
        for meft, fixed, first, a in cases:
            base = of_one(meft, "A", constants(meft, a, _ONE, False))
            base = {**base, "sharp": F(1)} if is_vector else base
            for i, ((step, ratio), T, noise) in enumerate(
                product(steps, (1, 2, 3), fractions("0 1"))
            ):
                given = {**base, "theta": F(i % 3, 2)}
                about = f"A frozen, {step} step, T = {T}, q = {ratio}"
                world = of_run(about, meft, (fixed, first), given, T, ratio, step, noise, "A", turn)
                if world is None:
                    continue
                world = alone(world) if is_vector else world
                turn = turn + 1
                yield world
                if step == "printed":
                    kappa = stated("meft.theorem2_everywhere", "kappa", q=world.numbers["q"])
                    bound = world.numbers["bound"] * kappa / world.numbers["kappa"]
                    turn = turn + 1
                    numbers = {**world.numbers, "kappa": kappa, "bound": bound}
                    yield replace(world, about=f"{world.about}, sharper", numbers=numbers)


@cache
def descents(understated: Fraction = _ONE) -> tuple[Callable[[Given], ExactModel | None], ...]:
    """Runs that are hard on a bound: nearly all curvature is L̂, and each takes its step size as an
    argument.

    Where L is understated by a factor below 1, so is L̂, and Assumption 1 fails.
    """
    found: list[Callable[[Given], ExactModel | None]] = []

    def add(run: Callable[..., ExactModel | None], is_alone: bool = False) -> None:
        def with_step(step: Given) -> ExactModel | None:
            if (world := run(given=step)) is None:
                return None
            world = alone(world) if is_alone else world
            if understated == 1:
                return world
            changed = frozenset({"L", "ell"} & set(world.numbers))
            return replace(world, about=f"{world.about}, L times {understated}", changed=changed)

        found.append(with_step)

    ratios = fractions("1/2 1/5 3/2 7/4 199/20")
    start = number(1), number(1)
    for sharp, noise, T, ratio in product((False, True), fractions("0 1"), (1, 2, 6), ratios):
        if noise and T > 1:
            continue
        meft = steep(*fractions("1 1/256 1 1 1"))
        base = constants(meft, _ONE, _ONE, sharp, understated) | ({"sharp": _ONE} if sharp else {})
        step = "best" if ratio > 2 else "printed"
        name = f"{step} step, T = {T}, q = {ratio}, {'sharp' if sharp else 'printed'} constant"
        add(partial(of_run, name, meft, start, base, T, ratio, step, noise))
    wide = scalar(Curve.clipped(1, 4))
    held = of_one(wide, "A", constants(wide, _ONE, _ONE, False, understated))
    for noise, steps, ratio in table("0 1 199/20, 0 2 7/4, 0 6 199/20, 1 1 1/2"):
        name = f"A frozen, best step, T = {steps}, q = {ratio}"
        add(partial(of_run, name, wide, start, held, int(steps), ratio, "best", noise, held="A"))
        for share in fractions("1 1/2 3"):
            given = {**held, "eta": share / held["Lhat"]}
            add(
                partial(
                    of_run, name, wide, start, given, int(steps), ratio, "best", noise, held="A"
                ),
                is_alone=True,
            )
    return tuple(found)


# A representation with a bias, and two layers


def _others() -> list[ExactModel]:
    found = [
        _direft(number(2), number(3), number("-1/3"), number("1/2")),
        _direft(table("1, -2"), table("3 1"), table("1/2 1"), number(2)),
    ]
    names = ("G", "a", "b", "s", "G_2", "a_2", "b_2", "s_2")
    for values in table("1/3 1 1 1 1/4 1 1 2, 8/5 2 1 1 1/3 1/2 1/2 1, 1/5 1 1 1/2 8/5 1 2 1"):
        numbers = dict(zip(names, values, strict=True)) | {"L": _ONE}
        halves = values[:4], values[4:]
        tops = [top_eigenvalue(_ONE, *half) or F(0) for half in halves]
        layers = [steep(_ONE, *half) for half in halves]
        for theta, move in table("1 1/100, 0 -1/100, 1/2 1, 1/2 2"):
            v1 = [x for _, a, b, _ in halves for x in (a, b)]
            v2 = [x * (1 - abs(move)) for x in v1]
            if move < 0:
                v1, v2 = v2, v1
            found.append(
                _layers(
                    v1,
                    v2,
                    layers,
                    {**stretch(len(found)), **numbers, "Lhat": max(tops), "theta": theta},
                )
            )
    return found


def _direft(h: Rows, first: Rows, second: Rows, bias: Rows) -> ExactModel:
    """DiReFT: h̃ = [h; 1], W_0 = [I 0] and A = [U_1 b]."""
    d = len(h)
    start = tuple(tuple(F(int(i == j)) for j in range(d + 1)) for i in range(d))
    left = tuple((*row, *entry) for row, entry in zip(first, bias, strict=True))
    matrices = {
        "h": h,
        "htilde": (*h, (F(1),)),
        "b": bias,
        "U_1": first,
        "U_2": second,
        "A": left,
        "W_0": start,
    }
    meft = Factored(((FLAT,) * (d + 1),) * d, rank=len(bias))
    # And a step that leaves the ball of radius σ from its edge.
    numbers = named("u_3=2/5 b_h=1 mu_h=2 s_h=1 alpha=1/2 sigma=1 a_t=1 g_a=-1")
    return model_of(f"h of {d} entries, rank {len(bias)}", meft, numbers, matrices)


def _layers(
    v1: Sequence[Fraction], v2: Sequence[Fraction], layers: Sequence[Factored], numbers: Numbers
) -> ExactModel:
    """Two layers with d = k = r = 1: f(U, U') = φ(U) + φ'(U'), at two points (A, B, A', B')."""
    first, second = layers

    def weights(v: Sequence[Rows]) -> tuple[Rows, Rows]:
        A, B, A2, B2 = blocks_of(v, 4)
        return first.weight((A, B)), second.weight((A2, B2))

    f = VectorFunction(
        lambda w: sum((layer.f(x) for layer, x in zip(layers, blocks_of(w, 2), strict=True)), F(0)),
        lambda w: tuple(layer.slope(x) for layer, x in zip(layers, blocks_of(w, 2), strict=True)),
    )
    whole = through(f, weights, lambda v, M: (*first.pull(v[:2], M[0]), *second.pull(v[2:], M[1])))
    blocks = ("A", "B", "A'", "B'")
    names = ("U", "U'")
    matrices = {"U_0": number(0), "U'_0": number(0)}
    for suffix, v in (("_1", v1), ("_2", v2), ("", v1)):
        point = tuple(map(number, v))
        matrices |= {
            name + suffix: x
            for name, x in zip((*blocks, *names), (*point, *weights(point)), strict=True)
        }
    laws = frozenset({"jiang2024.assumption1", "meft.layer_gradients", "F(v) = f(U, U')"})
    fields: dict[str, Any] = {
        "functions": {"f": f, "F": whole},
        "blocks": blocks,
        "layers": names,
        "laws": laws,
    }
    return model_of("two layers, d = k = r = 1", first, numbers, matrices, **fields)


# Other adapters: W itself, LoRA by composition, LoReFT, and any W(v), each at two points of its
# domain


def _composed(
    about: str,
    kind: str,
    meft: Factored,
    numbers: Numbers,
    points: Mapping[str, tuple[Rows, Rows]],
) -> ExactModel:
    """F(v) = f(W(v)) of an adapter, whose blocks have two values each."""
    blocks = tuple(points)

    def weight(v: Sequence[Rows]) -> tuple[Rows]:
        still = tuple(scaled(0, block) for block in blocks_of(v, len(blocks)))
        return (plus(meft.start, order(moved(kind, tuple(v), still, still, {}), 0), meft.scale),)

    def pull(v: Sequence[Rows], M: Sequence[Rows]) -> Blocks:
        """The derivative along each entry, <∇f(W), DW[u]>."""
        still = tuple(scaled(0, block) for block in v)
        found = [[list(row) for row in block] for block in v]
        for which, i, j, u in units(tuple(v)):
            found[which][i][j] = meft.scale * inner(
                M[0], order(moved(kind, tuple(v), u, still, {}), 1)
            )
        return tuple(tuple(map(tuple, block)) for block in found)

    matrices: dict[str, Rows] = {}
    for end, place in (("", 0), ("_1", 0), ("_2", 1)):
        matrices |= {f"{name}{end}": at[place] for name, at in points.items()}
        (matrices[f"W{end}"],) = weight([at[place] for at in points.values()])
    functions = {**meft.functions, "F": through(meft.functions["f"], weight, pull)}
    laws = frozenset({"jiang2024.assumption1", "F(v) = f(W)"})
    return model_of(about, meft, numbers, matrices, functions=functions, blocks=blocks, laws=laws)


def _adapters() -> Iterator[ExactModel]:
    slope = Curve.clipped(2, 1, "1/3")
    ones = Curve.clipped(1, 1)
    ends = table("1 1/2, 0 -1"), table("1/3 0, 2/3 1")
    laws = frozenset({"jiang2024.assumption1", "F(W) = f(W)"})
    square = Factored(((slope, slope), (slope, ones)))
    for meft, (first, second) in ((scalar(slope), (number(1), number("1/4"))), (square, ends)):
        known = _evaluated(catalogue["meft.full"], constants(meft, _ONE, _ONE, False))
        functions = dict.fromkeys("fF", meft.functions["f"])
        matrices = {"W": first, "W_1": first, "W_2": second}
        yield model_of(
            "W itself", meft, known, matrices, functions=functions, blocks=("W",), laws=laws
        )

    for i, ((a, b), s, shares) in enumerate(
        product(table("3 4, 12/5 1"), fractions("1 1/2"), _SHARES)
    ):
        meft = scalar(Curve.clipped(2, 3, s * a * b), s)
        known = _evaluated(catalogue["meft.lora"], {**constants(meft, a, b, True), "s": s})
        both = two_points(meft, *((number(a * x), number(b * y)) for x, y in shares))
        yield model_of("LoRA by composition", meft, {**stretch(i), **known}, both)

    # LoReFT, at numbers at which λ is rational.
    for id, (L, G, nu) in zip(
        ("meft.loreft_sharp", "meft.loreft_rank1"), table("2 10 1, 2/3 3 2"), strict=True
    ):
        slope = Curve.clipped(L, G)
        known = _evaluated(catalogue[id], {"L": L, "G": G, "nu": nu} | named("theta=1/2"))
        wide = Factored(((slope,), (Curve.clipped(L / 2, G / 8),)))
        turns = (
            (number(1), number(-1)),
            (number(1), number(1)),
            (table("3/5 4/5"), table("0 1")),
        )
        for i, (meft, turned) in enumerate(
            zip((scalar(slope), scalar(slope), wide), turns, strict=True)
        ):
            points = {"R": turned, "V": (number(nu), number(F(-1, 2 + i)))}
            yield _composed("LoReFT", "loreft", meft, {**stretch(i), **known}, points)
    # λ is rational at ν = 1, L = 4 and G = 7: 24 + 25.
    meft = Factored(((Curve.clipped(4, 7),),), origin=number(1))
    known = _evaluated(catalogue["meft.loreft_trained"], named("L=4 G=7 nu=1 theta=1/2"))
    for i, (other, start, end) in enumerate(table("1 2 0, -1 0 -2, -1 1 -1/2")):
        points = {"R": (number(1), number(other)), "U": (number(start), number(end))}
        yield _composed("LoReFT in (R, U)", "loreft-trained", meft, {**stretch(i), **known}, points)


def _any_map() -> Iterator[ExactModel]:
    """W(v) = ab of v = (a, b), with Φ(u, M) = M W(u): J is 5 on the ball of radii 3 and 4, and H is
    1.
    """

    def weight(u: Rows) -> Rows:
        (x,), (y,) = u
        return number(x * y)

    def pull(u: Rows, M: Rows) -> Rows:
        return tuple((M[0][0] * x,) for (x,) in reversed(u))

    phi = VectorFunction(
        lambda p: times(p[1], weight(blocks_of(p, 2)[0]))[0][0],
        lambda p: (pull(*blocks_of(p, 2)), weight(p[0])),
    )
    known = _evaluated(catalogue["meft.composition"], named("L=2 G=3 J=5 H=1"))

    for zero, shares in product(fractions("0 12"), _SHARES):
        meft = scalar(Curve.clipped(2, 3, zero))
        first, second = (rows((3 * x,), (4 * y,)) for x, y in shares)
        matrices = {"v": first, "v_1": first, "v_2": second, "u": first, "M": number(1)}
        matrices |= {"W": weight(first), "W_1": weight(first), "W_2": weight(second)}
        f = meft.functions["f"]
        whole = through(f, lambda v: (weight(single(v)),), lambda v, M: (pull(single(v), *M),))
        functions = {"f": f, "F": whole, "Phi": phi}
        laws = frozenset({"jiang2024.assumption1"})
        yield model_of(
            "any W(v)", meft, known, matrices, 2, functions=functions, blocks=("u", "M"), laws=laws
        )


def _all_layers() -> Iterator[ExactModel]:
    """Layers numbered by t, with d = k = r = 1 and one φ for all: f is Σ φ(W_t), and v the column
    of all factors.
    """
    for i, (T, shares, s) in enumerate(product((1, 2, 3), _SHARES, fractions("1 1/2"))):
        meft = scalar(Curve.clipped(1, 2, s), s)
        known = {**stretch(i), **constants(meft, _ONE, _ONE, True), "s": s, "theta": F(1, 2)}
        # The second layer and each even one has both points the other way round.
        ends = [shares if t % 2 else shares[::-1] for t in range(1, T + 1)]

        def value(v: Blocks, meft: Factored = meft) -> Fraction:
            column = [x for (x,) in single(v)]
            pairs = zip(column[::2], column[1::2], strict=True)
            return sum((meft.f(meft.weight((number(x), number(y)))) for x, y in pairs), F(0))

        def process(
            name: str, time: int, _: int, ends: Sequence[Rows] = ends, meft: Factored = meft
        ) -> Rows:
            if not 1 <= time <= len(ends) or name not in ("A", "B", "A'", "B'", "M"):
                raise InputError(name, time, f"a factor of a layer, of which there are {len(ends)}")
            near, far = ((number(x), number(y)) for x, y in ends[time - 1])
            return (
                meft.slope(meft.weight(near))
                if name == "M"
                else (far if "'" in name else near)["AB".index(name[0])]
            )

        matrices = {
            f"v_{place + 1}": tuple((x,) for pair in ends for x in pair[place]) for place in (0, 1)
        }
        fields = {"paths": replace(STILL, T=T), "process": process, "laws": frozenset[str]()}
        functions = {"F": VectorFunction(value, lambda v: v)}
        yield model_of(
            "layers numbered by t", meft, known, matrices, 2 * T, functions=functions, **fields
        )


# A theorem's own algorithm on a parabola, whose numbers are what the theorem's formulas make of
# them: theorems about any function of a vector that is smooth, convex, strongly convex, above its
# least value; and about F(A, B) = f(BA)

# Second derivatives and v_1: in one dimension, and in two.
_PARABOLAS = table("1, 2"), table("2 1/2, 3/5 -4/5")
# How long a step is that is given, in 1/ℓ. AdaGrad-norm from δ = 3/2 has rational norms on the
# first parabola: for one step of any length, and for two of 5/6.
_STEPS = fractions("1/2 1 3/2 5/6")
# Of runs on factors: A_1, B_1, where the parabola has its zero, sqrt(2D/L), and T. The root of T,
# too, is rational for some; for the last one all numbers of an adaptive step are, and its iterates,
# where A = B, stay short.
_FACTORS = table(
    "3/5 4/5 0 1 1, 3/5 4/5 0 1/2 4, 3/5 4/5 0 2 4, 3/5 4/5 0 1 2, 3/5 4/5 0 1 3,"
    "3/5 -4/5 1/10 1 1, 3/5 -4/5 1/10 9/4 1, 3/5 -4/5 1/10 2 4, 3/5 -4/5 1/10 5 2,"
    "1/2 1/2 0 1 24"
)
# Bits of an iterate's denominators, of which a step on factors makes three times as many: by an
# edited step size the iterates of 24 steps would never end.
_LONGEST = 10_000


@dataclass(frozen=True)
class Factors:
    """F(A, B) = f(BA) with d = k = r = 1, over vectors (A, B)."""

    meft: Factored

    def gradient(self, v: Vector) -> Vector:
        A, B = self.meft.gradient((number(v[0]), number(v[1])))
        return np.array([A[0][0], B[0][0]], dtype=object)

    def factor_sizes(self, v: Vector) -> tuple[Fraction, Fraction]:
        """The sizes of `language.function.Function.factor_sizes`."""
        return F(sum(v * v)), abs(self.meft.slope(number(v[1] * v[0]))[0][0])


@cache
def runs_of(
    claim: Claim,
    understated: Fraction = _ONE,
    parabolas: tuple[Rows, ...] = _PARABOLAS,
) -> tuple[ExactModel, ...]:
    """Runs for a theorem about any function of a vector, or about both factors; none for another
    claim.

    Where the smoothness is understated, by a factor below 1, no law that speaks of it holds. Each
    of the parabolas has its second derivatives, and v_1, whose norm is rational.
    """
    algorithm = algorithm_of(claim)
    if algorithm is None:
        return ()
    return *_on_parabolas(claim, algorithm, understated, parabolas), *_on_factors(
        claim, algorithm, understated
    )


def _on_factors(claim: Claim, algorithm: Algorithm, understated: Fraction) -> Iterator[ExactModel]:
    for place, (A, B, zero, far, steps) in enumerate(_FACTORS):
        meft = scalar(Curve.clipped(2, 128, zero))
        v = np.array([A, B], dtype=object)
        loss = meft.f(number(B * A))
        steepest = meft.smoothness * understated
        gap = steepest * far**2 / 2
        if gap < loss - meft.least:
            continue
        named = {
            "L": steepest,
            "D": gap,
            "f_star": loss - gap,
            "a_1": abs(A),
            "b_1": abs(B),
            "T": steps,
        }
        if not {parameter.name for parameter in claim.parameters} <= set(named):
            return
        numbers = _evaluated(claim, named)
        factors = Factors(meft)
        paths = _paths(
            algorithm, factors.gradient, v, numbers, [np.zeros(2, dtype=int)], int(steps), factors
        )
        if paths is None:
            continue
        letters: dict[str, Callable[[Any], Rows]] = {
            "A": lambda state: number(state[0][0]),
            "B": lambda state: number(state[0][1]),
        }
        ends = ((number(x), number(y)) for x, y in (paths.state(t, 0)[0] for t in (1, 2)))
        yield model_of(
            f"{claim.id} on a parabola of BA, A_1 = {A}, B_1 = {B}, T = {steps}",
            meft,
            numbers | {"theta": F(place % 3, 2)},
            two_points(meft, *ends),
            paths=paths,
            process=process_of(paths, letters, {"g": _column, "g_v": _column}),
            laws=frozenset({"F(v) = f(W)", *(each.id for each in claim.hypotheses)}),
            changed=frozenset({"L"} if understated < 1 else ()),
        )


def _on_parabolas(
    claim: Claim,
    algorithm: Algorithm,
    understated: Fraction,
    parabolas: tuple[Rows, ...],
) -> Iterator[ExactModel]:
    # ζ is a positive letter.
    noises = fractions("1/2 4") if algorithm.is_stochastic else (F(0),)
    for place, ((steepness, start), share, noise, steps) in enumerate(
        product(parabolas, _STEPS, noises, (1, 2, 3))
    ):
        n = len(start)
        slopes = np.array(steepness, dtype=object)
        first = np.array(start, dtype=object)
        gap = F(sum(slopes * first * first) / 2)
        narrow = min(steepness)
        long = max(steepness)
        # The values of all letters that these theorems are known to have; of the two numbers whose
        # roots are taken one is 1, and the other 4.
        known = {
            symbols.T: F(steps),
            symbols.ell: long,
            symbols.mu_F: narrow,
            symbols.f_star: F(0),
            symbols.D: gap,
            symbols.zeta: noise,
            symbols.R_1: root(sum(first**2)),
            symbols.abc_a: 1 / (long * steps),
            symbols.abc_b: F(1),
            symbols.abc_c: 8 * gap / (long * steps),
            symbols.eta: share / long,
            symbols.delta: F(3, 2),
            symbols.beta: F(1, 2),
            omega: (1 + share) / narrow,
            gamma: max((1 + share) / narrow * long - 1, F(1, 2)),
        }
        named = {symbol.name: value for symbol, value in known.items() if value is not None}
        named["ell"] *= understated
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
            laws=frozenset(each.id for each in claim.hypotheses),
            changed=frozenset({"ell"} if understated < 1 else ()),
        )


def _parabola(slopes: Vector) -> VectorFunction:
    """F(v) = Σ h_i v_i²/2, whose least value is 0, at 0."""
    return VectorFunction(
        lambda v: F(sum(h * x * x for h, (x,) in zip(slopes, v[0], strict=True)) / 2),
        lambda v: (tuple((h * x,) for h, (x,) in zip(slopes, v[0], strict=True)),),
    )


def _column(v: Vector) -> Rows:
    return tuple((F(x),) for x in v)


def _known(claim: Claim, algorithm: Algorithm, given: Numbers) -> dict[str, Fraction]:
    """All numbers of a run; F falls by less than D where that makes more of them rational: then
    2Dℓ/T is a square.

    In place of a step size that is irrational all the same stands one near it, at which no line
    that rests on its formula holds.
    """
    tight = _evaluated(claim, given)
    gap = given["D"]
    steps = given["T"]
    long = given["ell"]
    wide = steps * root_above(2 * gap * long / steps, 4) ** 2 / (2 * long)
    roomy = _evaluated(claim, {**given, "D": wide, "f_star": gap - wide})
    if len(roomy) > len(tight):
        return roomy
    stepped = {x.name for x in algorithm.parameters}
    for quantity in claim.quantities:
        formula = quantity.expression
        if quantity.name in stepped - set(tight) and {x.name for x in formula.free_symbols} <= set(
            tight
        ):
            value = formula.subs(
                {x: sp.Rational(*tight[x.name].as_integer_ratio()) for x in formula.free_symbols}
            )
            # An edit of a formula may take the root of a negative number: then there is no such
            # step.
            if value.is_extended_real and value.is_finite:
                return _evaluated(
                    claim, {**tight, quantity.name: F(float(value)).limit_denominator(64)}
                )
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


def _paths(
    algorithm: Algorithm,
    gradient: Callable[[Vector], Vector],
    first: Vector,
    numbers: Numbers,
    offsets: Sequence[Vector],
    steps: int,
    function: Factors | None = None,
) -> Paths[Any, Any] | None:
    """The paths of a run; None where a number of a step is not known or not rational, or iterates
    grow too long.
    """
    if any(symbol.name not in numbers for symbol in algorithm.parameters):
        return None

    def rational_root(x: Fraction) -> Fraction:
        if (found := root(x)) is None:
            raise InputError("root", x, "the square of a rational number")
        return found

    def slope(v: Vector, offset: Vector) -> Vector:
        bits = max(F(x).denominator.bit_length() for x in v)
        if bits > _LONGEST:
            raise InputError("v", f"a vector of {bits} bits", f"one of at most {_LONGEST}")
        return gradient(v) + offset

    def query(state: Any, t: int) -> Any:
        return algorithm.exact_query(state, t, numbers)

    def step(state: Any, g: Vector, t: int) -> Any:
        told = algorithm.asked(function, query(state, t))
        return algorithm.exact_step(state, g, t, {**numbers, **told}, space)

    space = Space(lambda x: F(sum(x**2)), rational_root)
    try:
        start = algorithm.exact_start(first, numbers)
        paths: Paths[Any, Any] = Paths(start, slope, step, offsets, steps, query=query)
        # What has no exact step says so here, and a root that is irrational.
        paths.state(steps + 1, 0)
    except InputError:
        return None
    return paths
