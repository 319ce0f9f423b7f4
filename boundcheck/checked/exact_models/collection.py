"""The collection of worlds that mutants of proofs are tried in: the same ones, in the same order, every time."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import product
from random import Random
from typing import Any

from boundcheck.checked.exact_models.adapters import adapters
from boundcheck.checked.exact_models.builders import (
    FROZEN_B,
    STRETCHES,
    Numbers,
    clipped,
    constants,
    direft,
    frozen,
    layers,
    lemma,
    of_one,
    scalar,
    stated,
    steep,
    top_eigenvalue,
)
from boundcheck.checked.exact_models.exact_model import ExactModel
from boundcheck.checked.exact_models.functions import FLAT, Factored, Pair
from boundcheck.checked.exact_models.runs import alone, merged, of_run, sharper
from boundcheck.checked.exact_models.theorems import runs_of
from boundcheck.exact.rationals import number, rows, transposed
from boundcheck.language.catalogue import catalogue

F = Fraction
_HALF = F(1, 2)
Add = Callable[..., None]


def _lemmas() -> list[ExactModel]:
    found: list[ExactModel] = []

    def add(about: str, meft: Factored, v1: Pair, v2: Pair, base: Numbers, theta: Fraction = _HALF) -> None:
        found.append(lemma(about, meft, v1, v2, {**base, "theta": F(theta)}, len(found)))

    _attained(add)
    _printed(add)
    _larger(add)
    return found


def _attained(add: Add) -> None:
    # Where λ* is attained, unequal radii and scales: K = (P - R)/2 · 12/5 or 4/3 makes λ* rational.
    for s, a, b, ratio in (
        (F(1), F(2), F(1), F(12, 5)),
        (F(1, 2), F(1), F(2), F(12, 5)),
        (F(2), F(3), F(1), F(4, 3)),
        (F(2), F(1), F(3), F(12, 5)),
        (F(1), F(1), F(1), None),
        (F(3), F(1, 2), F(1, 2), None),
    ):
        L = F(1)
        G = F(1, 3) if ratio is None else (s**2 * L * abs(a**2 - b**2) / 2 * ratio - s**2 * L * a * b) / s
        meft = steep(L, G, a, b, s)
        base = constants(meft, a, b, True)
        top = base["Lhat"]
        for away in (F(1, 1000), F(1, 7)):
            # The top eigenvector of [[P, K], [K, R]] is (K, λ* - P), P the entry of A.
            step_a, step_b = s**2 * L * a * b + s * G, top - stated(FROZEN_B, "Lhat", s=s, L=L, b=b)
            size = away * min(a, b) / max(step_a, step_b)
            v2 = number(a - size * step_a), number(b - size * step_b)
            add(f"λ* nearly attained at scale {s}, radii {a} and {b}", meft, (number(a), number(b)), v2, base, F(0))
        for moved in ((a, b / 2), (a / 2, b), (-a / 2, b), (a, -b)):
            v2 = number(moved[0]), number(moved[1])
            add("the corner of the ball and another point", meft, (number(a), number(b)), v2, base, F(1))
            add("another point and the corner", meft, v2, (number(a), number(b)), base)


def _printed(add: Add) -> None:
    # The printed constants, scale 1.
    for L, G, sigma in ((F(1), F(1), F(2)), (F(2), F(1, 5), F(1)), (F(1, 2), F(3), F(1, 2))):
        for zero in (F(0), F(-1), sigma**2):
            meft = scalar(clipped(L, G, zero))
            base = constants(meft, sigma, sigma, False)
            for v1, v2 in (((1, 1), (1, 0)), ((1, 1), (F(1, 2), 1)), ((1, 0), (F(1, 2), F(-1, 2))), ((1, 1), (-1, -1))):
                points = [tuple(number(sigma * x) for x in v) for v in (v1, v2)]
                add("printed constants, d = k = r = 1", meft, *points, base)


def _larger(add: Add) -> None:
    # More than one dimension.
    slope = clipped(1, 1)
    two = ((slope, slope), (slope, clipped(1, 1, "1/2")))
    shrunk = F(99, 100)
    unit = rows((shrunk, 0), (0, shrunk))
    for scale in (F(1), F(1, 2)):
        full = Factored(two, scale, rank=2, origin=rows((0, "1/5"), (0, 0)))
        for v1, v2 in (
            ((unit, unit), (rows((0, 0), (0, 0)), unit)),
            ((unit, unit), (unit, rows((0, shrunk), (-shrunk, 0)))),
            ((rows((shrunk, 0), (0, 0)), unit), (unit, rows((0, 0), (0, shrunk)))),
            (
                (rows(("1/2", "1/3"), (0, "-1/4")), unit),
                (rows(("1/2", 0), ("1/7", "-1/4")), rows((0, "1/2"), ("1/2", 0))),
            ),
        ):
            base = constants(full, F(1), F(1), True)
            add("d = k = r = 2", full, v1, v2, base)
            add("d = k = r = 2, loose constants", full, v1, v2, base | {"L": F(2), "G": F(5), "C": F(3)})
        line = Factored(((slope, FLAT), (FLAT, slope)), scale, rank=1)
        v1, v2 = (rows(("3/5", "4/5")), rows(("4/5",), ("3/5",))), (rows((0, 1)), rows((1,), (0,)))
        for first, second in ((v1, v2), (v2, v1)):
            add("d = k = 2, r = 1", line, first, second, constants(line, F(1), F(1), scale != 1))
        column = Factored(((slope,),), scale, rank=4)
        v1 = transposed(rows(("1/2", "1/2", "1/2", "1/2"))), rows(("1/2", "1/2", "1/2", "1/2"))
        v2 = transposed(rows((1, 0, 0, 0))), rows(("1/2", "-1/2", "1/2", "-1/2"))
        for first, second in ((v1, v2), (v2, v1)):
            add("d = k = 1, r = 4", column, first, second, constants(column, F(1), F(1), False))


def _frozen() -> list[ExactModel]:
    found: list[ExactModel] = []
    for scale, a in ((F(1), F(2)), (F(1, 2), F(1)), (F(3), F(1, 2))):
        meft = scalar(clipped(2, 1), scale)
        base = constants(meft, a, F(1), False)
        for first, second in ((F(1, 8), F(0)), (F(1), F(-1)), (F(-1, 9), F(1, 9))):
            points = number(a), number(first), number(second)
            found.append(frozen("A frozen, d = k = r = 1", meft, "A", *points, base))
            found.append(frozen("B frozen, d = k = r = 1", meft, "B", *points, constants(meft, F(1), a, False)))
    slope = clipped(1, 1)
    line = Factored(((slope, slope), (slope, slope)), F(1), rank=1)
    base = constants(line, F(1), F(1), False)
    for row1, row2 in ((("1/5", "2/5"), ("0", "0")), (("1", "-1"), ("1/2", "0"))):
        b1, b2 = (transposed(rows(x)) for x in (row1, row2))
        fixed = rows(("3/5", "4/5"))
        found.append(frozen("A frozen, d = k = 2, r = 1", line, "A", fixed, b1, b2, base))
        rows_of_a = transposed(b1), transposed(b2)
        found.append(frozen("B frozen, d = k = 2, r = 1", line, "B", transposed(fixed), *rows_of_a, base))
    return found


def _runs() -> list[ExactModel]:
    found: list[ExactModel] = []
    draw = Random(13)

    def add(about: str, meft: Factored, start: Pair, base: Numbers, T: int, ratio: Fraction, **how: Any) -> None:
        theta = draw.choice((F(0), F(1), F(1, 2)))
        build = of_run(meft, start, {**base, "theta": theta}, T, ratio, **how)
        if (world := build(about, len(found))) is not None:
            found.extend((world, merged(world)) if how["step"] == "best" else (world,))

    tight = [(F(1), F(1, 64), F(1), F(1), F(1)), (F(2), F(1, 8), F(1), F(1), F(1)), (F(1), F(1, 4), F(1), F(1), F(2))]
    unequal = [(F(1), F(8, 5), F(2), F(1), F(1)), (F(1), F(8, 5), F(1), F(2), F(1)), (F(1), F(8, 10), F(1), F(2), F(2))]
    for sharp in (False, True):
        steps = [("printed", F(1, 2)), ("printed", F(1, 5))]
        steps += [("best", F(1, 2)), ("best", F(17, 20)), ("best", F(7, 4))] if sharp else []
        for L, G, a, b, s in (*tight, *(unequal if sharp else ())):
            if s != 1 and not sharp:
                continue
            meft = steep(L, G, a, b, s)
            if s == 2 and a != b:
                meft = steep(L, (s**2 * L * F(3, 2) * F(12, 5) - s**2 * L * a * b) / s, a, b, s)
            base: dict[str, Fraction] = constants(meft, a, b, sharp)
            base |= {"sharp": F(1)} if sharp else {}
            if "Lhat" not in base:
                continue
            for step, ratio in steps:
                for T, noise, inside in ((1, F(0), F(1)), (1, F(1), F(1)), (2, F(1), F(7, 8)), (3, F(1, 2), F(7, 8))):
                    start = number(a * inside), number(b * inside)
                    add(f"{step} step, T = {T}, q = {ratio}", meft, start, base, T, ratio, step=step, noise=noise)
    return found


def _frozen_runs() -> list[ExactModel]:
    """Runs with A frozen: within the parabola of f, where f is clipped, and in more than one dimension."""
    found: list[ExactModel] = []
    wide, narrow = clipped(1, 8, "1/3"), clipped(2, "1/4")
    line = Factored(((wide, narrow), (narrow, wide)), origin=rows((0, "1/5"), (0, 0)))
    for meft, fixed, first, a in (
        (scalar(wide), number(1), number(1), F(1)),
        (scalar(wide, "1/2"), number(2), number(-1), F(2)),
        (scalar(narrow, 3), number("1/2"), number(1), F(2, 3)),
        (line, rows(("3/5", "4/5")), transposed(rows((1, "-1/2"))), F(1)),
    ):
        base = of_one(meft, "A", constants(meft, a, F(1), False))
        for i, (ratio, T, noise) in enumerate(product((F(1, 2), F(7, 4)), (1, 2, 3), (F(0), F(1)))):
            build = of_run(meft, (fixed, first), {**base, "theta": F(i % 3, 2)}, T, ratio, "best", noise, held="A")
            found.extend(filter(None, [build(f"A frozen, best step, T = {T}, q = {ratio}", len(found))]))
    return found


def _vector_runs() -> list[ExactModel]:
    """Runs of a function of a vector, in one dimension and in two, with longer steps than 1/L̂ and shorter ones."""
    found: list[ExactModel] = []
    wide, narrow = clipped(1, 8, "1/3"), clipped(2, "1/4")
    for meft, first in (
        (scalar(wide), number(1)),
        (scalar(narrow), number(-1)),
        (Factored(((wide,), (narrow,))), rows((1,), ("-1/2",))),
    ):
        base = {**of_one(meft, "A", constants(meft, F(1), F(1), False)), "sharp": F(1)}
        steps = (("printed", F(1, 5)), ("printed", F(3, 2)), ("best", F(7, 4)))
        for i, ((step, ratio), T, noise) in enumerate(product(steps, (1, 2, 3), (F(0), F(1)))):
            given = {**base, "theta": F(i % 3, 2)}
            build = of_run(meft, (number(1), first), given, T, ratio, step, noise, held="A")
            world = build(f"A frozen, {step} step, T = {T}, q = {ratio}", len(found))
            found += [alone(world)] if world else []
            found += [sharper(found[-1])] if world and step == "printed" else []
    return found


def _others() -> list[ExactModel]:
    found = [
        direft(number(2), number(3), number("-1/3"), number("1/2")),
        direft(rows((1,), (-2,)), rows((3, 1)), rows(("1/2", 1)), number(2)),
    ]
    names = ("G", "a", "b", "s", "G_2", "a_2", "b_2", "s_2")
    for values in (
        (F(1, 3), F(1), F(1), F(1), F(1, 4), F(1), F(1), F(2)),
        (F(8, 5), F(2), F(1), F(1), F(1, 3), F(1, 2), F(1, 2), F(1)),
        (F(1, 5), F(1), F(1), F(1, 2), F(8, 5), F(1), F(2), F(1)),
    ):
        numbers = dict(zip(names, values, strict=True)) | {"L": F(1)}
        halves = values[:4], values[4:]
        tops = [top_eigenvalue(F(1), *half) or F(0) for half in halves]
        first, second = (clipped(1, G, s * a * b - G) for G, a, b, s in halves)
        for theta, move in ((F(1), F(1, 100)), (F(0), F(-1, 100)), (F(1, 2), F(1)), (F(1, 2), F(2))):
            v1 = [x for _, a, b, _ in halves for x in (a, b)]
            v2 = [x * (1 - abs(move)) for x in v1]
            if move < 0:
                v1, v2 = v2, v1
            given = {**STRETCHES[len(found) % len(STRETCHES)], **numbers, "Lhat": max(tops), "theta": theta}
            found.append(layers(v1, v2, (first, second), given))
    return found


@cache
def descents(understated: Fraction = Fraction(1)) -> tuple[Callable[..., ExactModel | None], ...]:
    """Runs that are hard on a bound: nearly all curvature is L̂, and each takes its step size as an argument.

    Where L is understated by a factor below 1, so is L̂, and Assumption 1 fails.
    """
    found: list[Callable[..., ExactModel | None]] = []
    ratios = (F(1, 2), F(1, 5), F(3, 2), F(7, 4), F(199, 20))
    start = number(1), number(1)
    for sharp, noise, T, ratio in product((False, True), (F(0), F(1)), (1, 2, 6), ratios):
        if noise and T > 1:
            continue
        meft = steep(F(1), F(1, 256), F(1), F(1), F(1))
        base = constants(meft, F(1), F(1), sharp, understated) | ({"sharp": F(1)} if sharp else {})
        step = "best" if ratio > 2 else "printed"
        name = f"{step} step, T = {T}, q = {ratio}, {'sharp' if sharp else 'printed'} constant"
        found.append(_restepped(name, of_run(meft, start, base, T, ratio, step, noise), understated))
    parabola = scalar(clipped(1, 4))
    held = of_one(parabola, "A", constants(parabola, F(1), F(1), False, understated))
    for noise, T, ratio in ((F(0), 1, F(199, 20)), (F(0), 2, F(7, 4)), (F(0), 6, F(199, 20)), (F(1), 1, F(1, 2))):
        name = f"A frozen, best step, T = {T}, q = {ratio}"
        build = of_run(parabola, start, held, T, ratio, "best", noise, held="A")
        found.append(_restepped(name, build, understated))
        for share in (F(1), F(1, 2), F(3)):
            given = {**held, "eta": share / held["Lhat"]}
            build = of_run(parabola, start, given, T, ratio, "best", noise, held="A")
            found.append(_restepped(name, build, understated, alone))
    return tuple(found)


def _restepped(
    name: str,
    build: Callable[..., ExactModel | None],
    understated: Fraction,
    told: Callable[[ExactModel], ExactModel] = lambda world: world,
) -> Callable[..., ExactModel | None]:
    def with_step(step: Callable[[Numbers], Fraction | None]) -> ExactModel | None:
        found = build(name, step=step)
        if found is None:
            return None
        world = told(found)
        if understated == 1:
            return world
        changed = frozenset({"L", "ell"} & set(world.setting.numbers))
        return ExactModel(f"{world.about}, L times {understated}", world.setting, world.laws, changed)

    return with_step


@cache
def worlds() -> tuple[ExactModel, ...]:
    """All worlds, the same ones every time."""
    theorems = [world for claim in catalogue.values() for world in runs_of(claim)]
    return (*_lemmas(), *_frozen(), *_runs(), *_others(), *_frozen_runs(), *_vector_runs(), *theorems, *adapters())
