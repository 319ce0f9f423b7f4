"""Builders of worlds: two points of the ball, one factor frozen, two layers, a representation with a bias.

What claims define is taken from the claims.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from boundcheck.checked.exact_models.exact_model import ExactModel, Setting
from boundcheck.checked.exact_models.functions import FLAT, Curve, Factored, Pair, single
from boundcheck.errors import InputError
from boundcheck.exact.evaluate import VectorFunction, rational_value
from boundcheck.exact.paths import STILL, Paths
from boundcheck.exact.rationals import Rows, corner, number, root_above
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim

FROZEN_A, FROZEN_B = catalogue["meft.frozen_a"], catalogue["meft.frozen_b"]

Numbers = Mapping[str, Fraction]
Curves = tuple[Curve, Curve]


def stated(claim: Claim, name: str, **numbers: Fraction) -> Fraction:
    """The value of a quantity of a claim, given the parameters and earlier quantities in its formula.

    Raises:
        ArithmeticError: where that is irrational.

    """
    expression = next(quantity.expression for quantity in claim.quantities if quantity.name == name)
    value = rational_value(expression, numbers)
    if value is None:
        raise ArithmeticError(f"{name} of {claim.id} is irrational at {numbers}")
    return value


# The stretch of a symmetric 2 x 2 matrix: (P, K, Q), its top eigenvalue l, a vector (p, u) and bounds (x, y).
def _stretches() -> list[Numbers]:
    found: list[Numbers] = []
    for P, K, Q, top in ((4, 2, 1, 5), (1, 2, 1, 3), (1, 6, 6, 10), (2, 0, 1, 2), (0, 2, 3, 4), (6, 2, 3, 7)):
        for p, u in ((K, top - P), (1, 1), (3, 1), (0, 1)):
            names = {"P": P, "K": K, "Q": Q, "l": top, "p": p, "u": u, "x": P * p + K * u, "y": K * p + Q * u}
            found.append({name: Fraction(value) for name, value in names.items()})
    return found


STRETCHES = _stretches()


def clipped(curvature: Fraction | int, steepest: Fraction | int | str, zero: Fraction | int | str = 0) -> Curve:
    """A parabola that goes on as lines where it gets as steep as that; it is least there."""
    return Curve.clipped(Fraction(curvature), Fraction(steepest), Fraction(zero))


def scalar(curve: Curve, scale: Fraction | int | str = 1) -> Factored:
    """One entry: d = k = r = 1."""
    return Factored(((curve,),), Fraction(scale))


def steep(L: Fraction, G: Fraction, a: Fraction, b: Fraction, s: Fraction) -> Factored:
    """f'(w) = clip(G + L(w - sab), ±G): as steep as it may be at A = a, B = b, where λ* is attained."""
    return scalar(clipped(L, G, s * a * b - G / L), s)


def top_eigenvalue(L: Fraction, G: Fraction, a: Fraction, b: Fraction, s: Fraction) -> Fraction | None:
    """λ*, where it is rational."""
    half, cross = s**2 * L * (a**2 - b**2) / 2, s**2 * L * a * b + s * G
    root = root_above(half**2 + cross**2)
    return s**2 * L * (a**2 + b**2) / 2 + root if root**2 == half**2 + cross**2 else None


def constants(
    meft: Factored, a: Fraction, b: Fraction, sharp: bool, understated: Fraction = Fraction(1)
) -> dict[str, Fraction]:
    """L, times a factor below 1 where it is to be understated, G, C, the radii, and L̂ as printed or sharp."""
    L, G = meft.smoothness * understated, meft.steepest
    sigma = max(a, b)
    found = {"L": L, "G": G, "C": sigma, "sigma": sigma, "a": a, "b": b, "theta": Fraction(1, 2), "c": Fraction(1)}
    if sharp:
        top = top_eigenvalue(L, G, a, b, meft.scale)
        return found | ({"Lhat": top} if top is not None else {})
    rank = root_above(Fraction(meft.rank))
    return found | ({"Lhat": 2 * L * sigma * rank * sigma + G} if rank**2 == meft.rank else {})


def of_one(meft: Factored, held: str, numbers: Numbers) -> Numbers:
    """The constants, with the L̂ of one factor: s²La² where A is held, s²Lb² where B is."""
    claim, radius = (FROZEN_A, "a") if held == "A" else (FROZEN_B, "b")
    Lhat = stated(claim, "Lhat", s=meft.scale, L=numbers["L"], **{radius: numbers[radius]})
    return {**numbers, "Lhat": Lhat}


def world_of(
    about: str,
    meft: Factored,
    numbers: Numbers,
    matrices: Mapping[str, Rows],
    paths: Paths[Any, Any] = STILL,
    process: Callable[[str, int, int], Rows] | None = None,
) -> ExactModel:
    """The world of an adapter with these numbers and matrices, and the paths of a run, if there is one."""
    d, k = meft.shape
    sides = {"d": d, "k": k, "r": meft.rank, "n": meft.rank * (d + k), "one": 1}
    known = {"P": corner(meft.rank, k), "Q": corner(d, meft.rank), "V": corner(d, k), "W_0": meft.start, **matrices}
    values = {"s": meft.scale, "z": 2 * numbers.get("C", Fraction(1)) + 1, **numbers}
    return ExactModel(about, Setting(sides, values, known, meft.functions, paths=paths, process=process))


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


def holding(world: ExactModel, meft: Factored, held: str, fixed: Rows) -> ExactModel:
    """The world in which one factor, A or B, is a constant: F has the other one as its only block."""
    trained = "B" if held == "A" else "A"

    def pair(point: tuple[Rows, ...]) -> Pair:
        return (fixed, single(point)) if held == "A" else (single(point), fixed)

    function = VectorFunction(
        lambda point: meft.f(meft.weight(pair(point))),
        lambda point: (meft.gradient(pair(point))["AB".index(trained)],),
    )
    functions = {**world.setting.functions, "F": function}
    laws = frozenset({"jiang2024.assumption1", "jiang2024.bounded_below", f"F({trained}) = f(W)"})
    return ExactModel(world.about, replace(world.setting, functions=functions, blocks=(trained,)), laws)


def frozen(
    about: str, meft: Factored, held: str, fixed: Rows, first: Rows, second: Rows, numbers: Numbers
) -> ExactModel:
    """Two values of one factor, with the other one, A or B, constant."""
    trained = "B" if held == "A" else "A"
    matrices = {held: fixed, trained: first, f"{trained}_1": first, f"{trained}_2": second}
    return holding(world_of(about, meft, of_one(meft, held, numbers), matrices), meft, held, fixed)


def layers(v1: Sequence[Fraction], v2: Sequence[Fraction], curves: Curves, numbers: Numbers) -> ExactModel:
    """Two layers with d = k = r = 1: f(U, U') = φ(U) + φ'(U'), at two points (A, B, A', B')."""
    scales = numbers["s"], numbers["s_2"]

    def weights(v: Sequence[Fraction]) -> list[Fraction]:
        return [scale * v[2 * i] * v[2 * i + 1] for i, scale in enumerate(scales)]

    def f(w: Sequence[Fraction]) -> Fraction:
        return sum((curve.value(x) for curve, x in zip(curves, w, strict=True)), Fraction(0))

    def entries(point: tuple[Rows, ...], count: int) -> list[Fraction]:
        if len(point) != count:
            raise InputError("point", f"{len(point)} blocks", f"{count}")
        return [x[0][0] for x in point]

    def slope_f(w: Sequence[Fraction]) -> list[Fraction]:
        return [curve.slope(x) for curve, x in zip(curves, w, strict=True)]

    def slope_loss(v: Sequence[Fraction]) -> list[Fraction]:
        ends = zip(scales, slope_f(weights(v)), v[::2], v[1::2], strict=True)
        return [x for scale, m, A, B in ends for x in (scale * B * m, scale * m * A)]

    functions = {
        "f": VectorFunction(lambda w: f(entries(w, 2)), lambda w: tuple(map(number, slope_f(entries(w, 2))))),
        "F": VectorFunction(
            lambda v: f(weights(entries(v, 4))), lambda v: tuple(map(number, slope_loss(entries(v, 4))))
        ),
    }
    matrices = {"U_0": number(0), "U'_0": number(0)}
    for suffix, v in (("_1", v1), ("_2", v2), ("", v1)):
        matrices |= {name + suffix: number(x) for name, x in zip(("A", "B", "A'", "B'"), v, strict=True)}
        matrices |= {name + suffix: number(x) for name, x in zip(("U", "U'"), weights(v), strict=True)}
    world = world_of("two layers", scalar(curves[0], scales[0]), numbers, matrices)
    laws = frozenset({"jiang2024.assumption1", "meft.layer_gradients", "F(v) = f(U, U')"})
    setting = replace(world.setting, functions=functions, blocks=("A", "B", "A'", "B'"), layers=("U", "U'"))
    return ExactModel("two layers, d = k = r = 1", setting, laws)


def direft(h: Rows, first: Rows, second: Rows, bias: Rows) -> ExactModel:
    """DiReFT: h̃ = [h; 1], W_0 = [I 0] and A = [U_1 b]."""
    d = len(h)
    start = tuple(tuple(Fraction(int(i == j)) for j in range(d + 1)) for i in range(d))
    left = tuple((*row, *entry) for row, entry in zip(first, bias, strict=True))
    matrices = {"h": h, "htilde": (*h, (Fraction(1),)), "b": bias, "U_1": first, "U_2": second, "A": left, "W_0": start}
    meft = Factored(((FLAT,) * (d + 1),) * d, rank=len(bias))
    # And a step that leaves the ball of radius σ from its edge.
    edge = (("alpha", "1/2"), ("sigma", 1), ("a_t", 1), ("g_a", -1))
    numbers = {name: Fraction(x) for name, x in (("u_3", "2/5"), ("b_h", 1), ("mu_h", 2), ("s_h", 1), *edge)}
    return world_of(f"h of {d} entries, rank {len(bias)}", meft, numbers, matrices)


def lemma(about: str, meft: Factored, v1: Pair, v2: Pair, numbers: Numbers, stretch: int = 0) -> ExactModel:
    """Two points of the ball."""
    w1, w2 = meft.weight(v1), meft.weight(v2)
    matrices = dict(zip(("A_1", "B_1", "A_2", "B_2", "A", "B"), (*v1, *v2, *v1), strict=True))
    matrices |= {"W_1": w1, "W_2": w2, "W": w1}
    return world_of(about, meft, {**STRETCHES[stretch % len(STRETCHES)], **numbers}, matrices)
