"""The exact models that mutants of proofs are tried in: the same ones, in the same order, every time.

Two points of a ball, one factor frozen, other adapters, layers, a representation with a bias; and all runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import product
from random import Random

from boundcheck.checked.exact_model import (
    FLAT,
    Curve,
    ExactModel,
    Factored,
    Pair,
    blocks_of,
    single,
)
from boundcheck.checked.exact_runs import (
    Build,
    Numbers,
    alone,
    constants,
    holding,
    merged,
    model_of,
    of_one,
    of_run,
    runs_of,
    scalar,
    sharper,
    stated,
    stretch,
    top_eigenvalue,
    two_points,
)
from boundcheck.checked.points import Blocks, moved, units
from boundcheck.errors import InputError
from boundcheck.exact.balls import Rows, inner, number, plus, rows, scaled, times, transposed
from boundcheck.exact.evaluate import STILL, VectorFunction
from boundcheck.language.catalogue import catalogue

F = Fraction
_ONE = F(1)
Shares = tuple[tuple[Fraction, Fraction], tuple[Fraction, Fraction]]
# Two points of a ball in shares of its radii.
_SHARES = (((F(1), F(1)), (F(1, 2), F(-1))), ((F(1), F(7, 8)), (F(7, 8), F(1))))


@cache
def worlds() -> tuple[ExactModel, ...]:
    """All models, the same ones every time."""
    theorems = [world for claim in catalogue.values() for world in runs_of(claim)]
    small = (*_lemmas(), *_frozen(), *_runs(), *_others(), *_frozen_runs(), *_vector_runs())
    return (*small, *theorems, *_full(), *_lora(), *_vera(), *_loreft(), *_any_map(), *_all_layers())


def steep(L: Fraction, G: Fraction, a: Fraction, b: Fraction, s: Fraction) -> Factored:
    """f'(w) = clip(G + L(w - sab), ±G): as steep as it may be at A = a, B = b, where λ* is attained."""
    return scalar(Curve.clipped(L, G, s * a * b - G / L), s)


# Two points of a ball


def _lemmas() -> list[ExactModel]:
    return [
        model_of(about, meft, {**stretch(turn), **numbers}, two_points(meft, v1, v2))
        for turn, (about, meft, v1, v2, numbers) in enumerate((*_attained(), *_printed(), *_larger()))
    ]


_Lemma = tuple[str, Factored, Pair, Pair, Numbers]


def _attained() -> Iterator[_Lemma]:
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
        meft, corner = steep(L, G, a, b, s), (number(a), number(b))
        base = constants(meft, a, b, True)
        for away in (F(1, 1000), F(1, 7)):
            # The top eigenvector of [[P, K], [K, R]] is (K, λ* - P), P the entry of A.
            step_a = s**2 * L * a * b + s * G
            step_b = base["Lhat"] - stated("meft.frozen_b", "Lhat", s=s, L=L, b=b)
            size = away * min(a, b) / max(step_a, step_b)
            near = number(a - size * step_a), number(b - size * step_b)
            about = f"λ* nearly attained at scale {s}, radii {a} and {b}"
            yield about, meft, corner, near, base | {"theta": F(0)}
        for A, B in ((a, b / 2), (a / 2, b), (-a / 2, b), (a, -b)):
            other = number(A), number(B)
            yield "the corner of the ball and another point", meft, corner, other, base | {"theta": F(1)}
            yield "another point and the corner", meft, other, corner, base


def _printed() -> Iterator[_Lemma]:
    # The printed constants, scale 1.
    for L, G, sigma in ((F(1), F(1), F(2)), (F(2), F(1, 5), F(1)), (F(1, 2), F(3), F(1, 2))):
        for zero in (F(0), F(-1), sigma**2):
            meft = scalar(Curve.clipped(L, G, zero))
            base = constants(meft, sigma, sigma, False)
            for v1, v2 in (((1, 1), (1, 0)), ((1, 1), (F(1, 2), 1)), ((1, 0), (F(1, 2), F(-1, 2))), ((1, 1), (-1, -1))):
                first, second = ((number(sigma * A), number(sigma * B)) for A, B in (v1, v2))
                yield "printed constants, d = k = r = 1", meft, first, second, base


def _larger() -> Iterator[_Lemma]:
    # More than one dimension.
    slope = Curve.clipped(1, 1)
    two = ((slope, slope), (slope, Curve.clipped(1, 1, "1/2")))
    shrunk = F(99, 100)
    unit = rows((shrunk, 0), (0, shrunk))
    for scale in (F(1), F(1, 2)):
        full = Factored(two, scale, rank=2, origin=rows((0, "1/5"), (0, 0)))
        base = constants(full, F(1), F(1), True)
        for v1, v2 in (
            ((unit, unit), (rows((0, 0), (0, 0)), unit)),
            ((unit, unit), (unit, rows((0, shrunk), (-shrunk, 0)))),
            ((rows((shrunk, 0), (0, 0)), unit), (unit, rows((0, 0), (0, shrunk)))),
            (
                (rows(("1/2", "1/3"), (0, "-1/4")), unit),
                (rows(("1/2", 0), ("1/7", "-1/4")), rows((0, "1/2"), ("1/2", 0))),
            ),
        ):
            yield "d = k = r = 2", full, v1, v2, base
            loose = base | {"L": F(2), "G": F(5), "C": F(3)}
            yield "d = k = r = 2, loose constants", full, v1, v2, loose
        line = Factored(((slope, FLAT), (FLAT, slope)), scale, rank=1)
        p1, p2 = (rows(("3/5", "4/5")), rows(("4/5",), ("3/5",))), (rows((0, 1)), rows((1,), (0,)))
        column = Factored(((slope,),), scale, rank=4)
        q1 = transposed(rows(("1/2", "1/2", "1/2", "1/2"))), rows(("1/2", "1/2", "1/2", "1/2"))
        q2 = transposed(rows((1, 0, 0, 0))), rows(("1/2", "-1/2", "1/2", "-1/2"))
        for about, meft, v1, v2, sharp in (
            ("d = k = 2, r = 1", line, p1, p2, scale != 1),
            ("d = k = 1, r = 4", column, q1, q2, False),
        ):
            known = constants(meft, F(1), F(1), sharp)
            yield about, meft, v1, v2, known
            yield about, meft, v2, v1, known


def _frozen() -> Iterator[ExactModel]:
    """Two values of one factor, with the other one, A or B, constant."""

    def frozen(held: str, meft: Factored, fixed: Rows, first: Rows, second: Rows, numbers: Numbers) -> ExactModel:
        trained = "B" if held == "A" else "A"
        matrices = {held: fixed, trained: first, f"{trained}_1": first, f"{trained}_2": second}
        shape = "d = k = r = 1" if meft.shape == (1, 1) else "d = k = 2, r = 1"
        world = model_of(f"{held} frozen, {shape}", meft, of_one(meft, held, numbers), matrices)
        return holding(world, meft, held, fixed)

    for scale, a in ((F(1), F(2)), (F(1, 2), F(1)), (F(3), F(1, 2))):
        meft = scalar(Curve.clipped(2, 1), scale)
        for first, second in ((F(1, 8), F(0)), (F(1), F(-1)), (F(-1, 9), F(1, 9))):
            points = number(a), number(first), number(second)
            yield frozen("A", meft, *points, constants(meft, a, F(1), False))
            yield frozen("B", meft, *points, constants(meft, F(1), a, False))
    slope = Curve.clipped(1, 1)
    line = Factored(((slope, slope), (slope, slope)))
    base, fixed = constants(line, F(1), F(1), False), rows(("3/5", "4/5"))
    for row1, row2 in ((("1/5", "2/5"), ("0", "0")), (("1", "-1"), ("1/2", "0"))):
        yield frozen("A", line, fixed, transposed(rows(row1)), transposed(rows(row2)), base)
        yield frozen("B", line, transposed(fixed), rows(row1), rows(row2), base)


# Runs of Algorithm 1


def _runs() -> list[ExactModel]:
    found: list[ExactModel] = []
    draw = Random(13)
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
                    start, theta = (number(a * inside), number(b * inside)), draw.choice((F(0), F(1), F(1, 2)))
                    build = of_run(meft, start, {**base, "theta": theta}, T, ratio, step, noise)
                    if (world := build(f"{step} step, T = {T}, q = {ratio}", len(found))) is not None:
                        found += [world, merged(world)] if step == "best" else [world]
    return found


def _frozen_runs() -> list[ExactModel]:
    """Runs with A frozen: within the parabola of f, where f is clipped, and in more than one dimension."""
    found: list[ExactModel] = []
    wide, narrow = Curve.clipped(1, 8, "1/3"), Curve.clipped(2, "1/4")
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
    wide, narrow = Curve.clipped(1, 8, "1/3"), Curve.clipped(2, "1/4")
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


@cache
def descents(understated: Fraction = _ONE) -> tuple[Callable[..., ExactModel | None], ...]:
    """Runs that are hard on a bound: nearly all curvature is L̂, and each takes its step size as an argument.

    Where L is understated by a factor below 1, so is L̂, and Assumption 1 fails.
    """
    found: list[Callable[..., ExactModel | None]] = []

    def add(name: str, build: Build, told: Callable[[ExactModel], ExactModel] = lambda world: world) -> None:
        def with_step(step: Callable[[Numbers], Fraction | None]) -> ExactModel | None:
            if (made := build(name, given=step)) is None:
                return None
            world = told(made)
            if understated == 1:
                return world
            changed = frozenset({"L", "ell"} & set(world.numbers))
            return replace(world, about=f"{world.about}, L times {understated}", changed=changed)

        found.append(with_step)

    ratios = (F(1, 2), F(1, 5), F(3, 2), F(7, 4), F(199, 20))
    start = number(1), number(1)
    for sharp, noise, T, ratio in product((False, True), (F(0), F(1)), (1, 2, 6), ratios):
        if noise and T > 1:
            continue
        meft = steep(F(1), F(1, 256), F(1), F(1), F(1))
        base = constants(meft, F(1), F(1), sharp, understated) | ({"sharp": F(1)} if sharp else {})
        step = "best" if ratio > 2 else "printed"
        name = f"{step} step, T = {T}, q = {ratio}, {'sharp' if sharp else 'printed'} constant"
        add(name, of_run(meft, start, base, T, ratio, step, noise))
    wide = scalar(Curve.clipped(1, 4))
    held = of_one(wide, "A", constants(wide, F(1), F(1), False, understated))
    for noise, T, ratio in ((F(0), 1, F(199, 20)), (F(0), 2, F(7, 4)), (F(0), 6, F(199, 20)), (F(1), 1, F(1, 2))):
        name = f"A frozen, best step, T = {T}, q = {ratio}"
        add(name, of_run(wide, start, held, T, ratio, "best", noise, held="A"))
        for share in (F(1), F(1, 2), F(3)):
            given = {**held, "eta": share / held["Lhat"]}
            add(name, of_run(wide, start, given, T, ratio, "best", noise, held="A"), alone)
    return tuple(found)


# A representation with a bias, and two layers


def _others() -> list[ExactModel]:
    found = [
        _direft(number(2), number(3), number("-1/3"), number("1/2")),
        _direft(rows((1,), (-2,)), rows((3, 1)), rows(("1/2", 1)), number(2)),
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
        curves = [Curve.clipped(1, G, s * a * b - G) for G, a, b, s in halves]
        for theta, move in ((F(1), F(1, 100)), (F(0), F(-1, 100)), (F(1, 2), F(1)), (F(1, 2), F(2))):
            v1 = [x for _, a, b, _ in halves for x in (a, b)]
            v2 = [x * (1 - abs(move)) for x in v1]
            if move < 0:
                v1, v2 = v2, v1
            found.append(_layers(v1, v2, curves, {**stretch(len(found)), **numbers, "Lhat": max(tops), "theta": theta}))
    return found


def _direft(h: Rows, first: Rows, second: Rows, bias: Rows) -> ExactModel:
    """DiReFT: h̃ = [h; 1], W_0 = [I 0] and A = [U_1 b]."""
    d = len(h)
    start = tuple(tuple(F(int(i == j)) for j in range(d + 1)) for i in range(d))
    left = tuple((*row, *entry) for row, entry in zip(first, bias, strict=True))
    matrices = {"h": h, "htilde": (*h, (F(1),)), "b": bias, "U_1": first, "U_2": second, "A": left, "W_0": start}
    meft = Factored(((FLAT,) * (d + 1),) * d, rank=len(bias))
    # And a step that leaves the ball of radius σ from its edge.
    edge = (("alpha", "1/2"), ("sigma", 1), ("a_t", 1), ("g_a", -1))
    numbers = {name: F(x) for name, x in (("u_3", "2/5"), ("b_h", 1), ("mu_h", 2), ("s_h", 1), *edge)}
    return model_of(f"h of {d} entries, rank {len(bias)}", meft, numbers, matrices)


def _layers(v1: Sequence[Fraction], v2: Sequence[Fraction], curves: Sequence[Curve], numbers: Numbers) -> ExactModel:
    """Two layers with d = k = r = 1: f(U, U') = φ(U) + φ'(U'), at two points (A, B, A', B')."""
    scales = numbers["s"], numbers["s_2"]

    def weights(v: Sequence[Fraction]) -> list[Fraction]:
        return [scale * v[2 * i] * v[2 * i + 1] for i, scale in enumerate(scales)]

    def entries(point: Sequence[Rows], count: int) -> list[Fraction]:
        return [x[0][0] for x in blocks_of(point, count)]

    def f(w: Sequence[Fraction]) -> Fraction:
        return sum((curve.value(x) for curve, x in zip(curves, w, strict=True)), F(0))

    def slopes(w: Sequence[Fraction]) -> list[Fraction]:
        return [curve.slope(x) for curve, x in zip(curves, w, strict=True)]

    def gradient(v: Sequence[Fraction]) -> list[Fraction]:
        ends = zip(scales, slopes(weights(v)), v[::2], v[1::2], strict=True)
        return [x for scale, m, A, B in ends for x in (scale * B * m, scale * m * A)]

    functions = {
        "f": VectorFunction(lambda w: f(entries(w, 2)), lambda w: tuple(map(number, slopes(entries(w, 2))))),
        "F": VectorFunction(lambda v: f(weights(entries(v, 4))), lambda v: tuple(map(number, gradient(entries(v, 4))))),
    }
    blocks, layers = ("A", "B", "A'", "B'"), ("U", "U'")
    matrices = {"U_0": number(0), "U'_0": number(0)}
    for suffix, v in (("_1", v1), ("_2", v2), ("", v1)):
        matrices |= {name + suffix: number(x) for name, x in zip(blocks, v, strict=True)}
        matrices |= {name + suffix: number(x) for name, x in zip(layers, weights(v), strict=True)}
    laws = frozenset({"jiang2024.assumption1", "meft.layer_gradients", "F(v) = f(U, U')"})
    about, first = "two layers, d = k = r = 1", scalar(curves[0], scales[0])
    return model_of(about, first, numbers, matrices, functions=functions, blocks=blocks, layers=layers, laws=laws)


# Other adapters: W itself, LoRA by composition, VeRA, LoReFT, and any W(v), each at two points of its domain


def _with_quantities(id: str, known: Numbers) -> Numbers:
    """The numbers, and those of the claim's quantities, which are rational at them."""
    found = dict(known)
    for quantity in catalogue[id].quantities:
        names = {symbol.name for symbol in quantity.expression.free_symbols}
        found[quantity.name] = stated(id, quantity.name, **{name: found[name] for name in names})
    return found


def _composed(
    about: str,
    kind: str,
    meft: Factored,
    numbers: Numbers,
    points: Mapping[str, tuple[Rows, Rows]],
    frozen: Mapping[str, Rows] | None = None,
) -> ExactModel:
    """F(v) = f(W(v)) of an adapter, whose blocks have two values each."""
    fixed, blocks = frozen or {}, tuple(points)

    def weight(v: Blocks) -> Rows:
        still = tuple(scaled(0, block) for block in blocks_of(v, len(blocks)))
        change = moved(kind, v, still, still, fixed)
        return plus(meft.start, tuple(tuple(x.c0 for x in row) for row in change), meft.scale)

    def gradient(v: Blocks) -> Blocks:
        """The derivative along each entry, <∇f(W), DW[u]>."""
        M, still = meft.slope(weight(v)), tuple(scaled(0, block) for block in v)
        found = [[list(row) for row in block] for block in v]
        for which, i, j, u in units(v):
            along = tuple(tuple(x.c1 for x in row) for row in moved(kind, v, u, still, fixed))
            found[which][i][j] = meft.scale * inner(M, along)
        return tuple(tuple(map(tuple, block)) for block in found)

    matrices = dict(fixed)
    for end, place in (("", 0), ("_1", 0), ("_2", 1)):
        matrices |= {f"{name}{end}": at[place] for name, at in points.items()}
        matrices[f"W{end}"] = weight(tuple(at[place] for at in points.values()))
    functions = {**meft.functions, "F": VectorFunction(lambda v: meft.f(weight(v)), gradient)}
    laws = frozenset({"jiang2024.assumption1", "F(v) = f(W)"})
    return model_of(about, meft, numbers, matrices, functions=functions, blocks=blocks, laws=laws)


def _full() -> Iterator[ExactModel]:
    slope = Curve.clipped(2, 1, "1/3")
    square = Factored(((slope, slope), (slope, Curve.clipped(1, 1))))
    ends = rows((1, "1/2"), (0, -1)), rows(("1/3", 0), ("2/3", 1))
    laws = frozenset({"jiang2024.assumption1", "F(W) = f(W)"})
    for meft, (first, second) in ((scalar(slope), (number(1), number("1/4"))), (square, ends)):
        known = _with_quantities("meft.full", constants(meft, F(1), F(1), False))
        functions = dict.fromkeys("fF", meft.functions["f"])
        matrices = {"W": first, "W_1": first, "W_2": second}
        yield model_of("W itself", meft, known, matrices, functions=functions, blocks=("W",), laws=laws)


def _lora() -> Iterator[ExactModel]:
    for i, ((a, b), s, shares) in enumerate(product(((F(3), F(4)), (F(12, 5), F(1))), (F(1), F(1, 2)), _SHARES)):
        meft = scalar(Curve.clipped(2, 3, s * a * b), s)
        known = _with_quantities("meft.lora", {**constants(meft, a, b, True), "s": s})
        first, second = ((number(a * x), number(b * y)) for x, y in shares)
        yield model_of("LoRA by composition", meft, {**stretch(i), **known}, two_points(meft, first, second))


def _vera() -> Iterator[ExactModel]:
    for i, (id, s, shares) in enumerate(product(("meft.vera", "meft.vera_sharp"), (F(1), F(1, 2)), _SHARES)):
        # λ* is rational at a = b.
        a, b = F(3), F(3) if id == "meft.vera_sharp" else F(4)
        a_0, b_0 = F(1), F(2)
        meft = scalar(Curve.clipped(1, 2, s * a * b), s)
        known = {**stretch(i), **constants(meft, a, b, True), "a_0": a_0, "b_0": b_0, "s": s}
        (x1, y1), (x2, y2) = shares
        points = {"Lambda_d": (number(x1 * a), number(x2 * a)), "Lambda_b": (number(y1 * b), number(y2 * b))}
        frozen = {"A": number(a_0), "B": number(b_0)}
        yield _composed("VeRA", "vera", meft, _with_quantities(id, known), points, frozen)


def _loreft() -> Iterator[ExactModel]:
    # Numbers at which λ is rational.
    for id, L, G, nu in (("meft.loreft_sharp", F(2), F(10), F(1)), ("meft.loreft_rank1", F(2, 3), F(3), F(2))):
        slope = Curve.clipped(L, G)
        known = _with_quantities(id, {"L": L, "G": G, "nu": nu, "theta": F(1, 2)})
        wide = Factored(((slope,), (Curve.clipped(L / 2, G / 8),)))
        ends = (number(1), number(-1)), (number(1), number(1)), (rows(("3/5", "4/5")), rows((0, 1)))
        for i, (meft, turned) in enumerate(zip((scalar(slope), scalar(slope), wide), ends, strict=True)):
            points = {"R": turned, "V": (number(nu), number(F(-1, 2 + i)))}
            yield _composed("LoReFT", "loreft", meft, {**stretch(i), **known}, points)
    # λ is rational at ν = 1, L = 4 and G = 7: 24 + 25.
    meft = Factored(((Curve.clipped(4, 7),),), origin=number(1))
    known = _with_quantities("meft.loreft_trained", {"L": F(4), "G": F(7), "nu": F(1), "theta": F(1, 2)})
    for i, (other, start, end) in enumerate(((F(1), F(2), F(0)), (F(-1), F(0), F(-2)), (F(-1), F(1), F(-1, 2)))):
        points = {"R": (number(1), number(other)), "U": (number(start), number(end))}
        yield _composed("LoReFT in (R, U)", "loreft-trained", meft, {**stretch(i), **known}, points)


def _any_map() -> Iterator[ExactModel]:
    """W(v) = ab of v = (a, b), with Φ(u, M) = M W(u): J is 5 on the ball of radii 3 and 4, and H is 1."""

    def weight(u: Rows) -> Rows:
        (x,), (y,) = u
        return number(x * y)

    def pull(u: Rows, M: Rows) -> Rows:
        return tuple((M[0][0] * x,) for (x,) in reversed(u))

    phi = VectorFunction(
        lambda p: times(p[1], weight(blocks_of(p, 2)[0]))[0][0],
        lambda p: (pull(*blocks_of(p, 2)), weight(p[0])),
    )

    def through(meft: Factored) -> VectorFunction:
        return VectorFunction(
            lambda v: meft.f(weight(single(v))), lambda v: (pull(single(v), meft.slope(weight(single(v)))),)
        )

    for zero, shares in product((F(0), F(12)), _SHARES):
        meft = scalar(Curve.clipped(2, 3, zero))
        known = _with_quantities("meft.composition", {"L": F(2), "G": F(3), "J": F(5), "H": F(1)})
        first, second = (rows((3 * x,), (4 * y,)) for x, y in shares)
        loss = through(meft)
        matrices = {"v": first, "v_1": first, "v_2": second, "u": first, "M": number(1)}
        matrices |= {"W": weight(first), "W_1": weight(first), "W_2": weight(second)}
        functions = {"f": meft.functions["f"], "F": loss, "Phi": phi}
        laws = frozenset({"jiang2024.assumption1"})
        yield model_of("any W(v)", meft, known, matrices, 2, functions=functions, blocks=("u", "M"), laws=laws)


def _all_layers() -> Iterator[ExactModel]:
    """Layers numbered by t, with d = k = r = 1 and one φ for all: f is Σ φ(W_t), and v the column of all factors."""
    for i, (T, shares, s) in enumerate(product((1, 2, 3), _SHARES, (F(1), F(1, 2)))):
        meft = scalar(Curve.clipped(1, 2, s), s)
        known = {**stretch(i), **constants(meft, F(1), F(1), True), "s": s, "theta": F(1, 2)}
        # The second layer and each even one has both points the other way round.
        ends = [shares if t % 2 else shares[::-1] for t in range(1, T + 1)]

        def value(v: Blocks, meft: Factored = meft) -> Fraction:
            column = [x for (x,) in single(v)]
            pairs = zip(column[::2], column[1::2], strict=True)
            return sum((meft.f(meft.weight((number(x), number(y)))) for x, y in pairs), F(0))

        def process(name: str, time: int, _: int, ends: Sequence[Shares] = ends, meft: Factored = meft) -> Rows:
            if not 1 <= time <= len(ends) or name not in ("A", "B", "A'", "B'", "M"):
                raise InputError(name, time, f"a factor of a layer, of which there are {len(ends)}")
            near, far = ((number(x), number(y)) for x, y in ends[time - 1])
            return meft.slope(meft.weight(near)) if name == "M" else (far if "'" in name else near)["AB".index(name[0])]

        matrices = {f"v_{place + 1}": tuple((x,) for pair in ends for x in pair[place]) for place in (0, 1)}
        yield model_of(
            "layers numbered by t",
            meft,
            known,
            matrices,
            2 * T,
            functions={"F": VectorFunction(value, lambda v: v)},
            paths=replace(STILL, T=T),
            process=process,
            laws=frozenset(),
        )
