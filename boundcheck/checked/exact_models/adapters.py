"""Worlds of W itself, VeRA, LoReFT, and any W(v), each at two points of its domain; and of LoRA by composition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product

from boundcheck.checked.exact_models.builders import (
    STRETCHES,
    Numbers,
    clipped,
    constants,
    lemma,
    scalar,
    stated,
    world_of,
)
from boundcheck.checked.exact_models.exact_model import ExactModel
from boundcheck.checked.exact_models.functions import Factored, Pair, single
from boundcheck.checked.points import Blocks, moved, units
from boundcheck.errors import InputError
from boundcheck.exact.evaluate import VectorFunction
from boundcheck.exact.paths import STILL
from boundcheck.exact.rationals import Rows, inner, number, plus, rows, scaled, times
from boundcheck.language.catalogue import catalogue

F = Fraction
Shares = tuple[tuple[Fraction, Fraction], tuple[Fraction, Fraction]]

# Two points of a ball in shares of its radii.
_SHARES = (((F(1), F(1)), (F(1, 2), F(-1))), ((F(1), F(7, 8)), (F(7, 8), F(1))))


def adapters() -> list[ExactModel]:
    """The worlds of all these adapters."""
    return [*_full(), *_lora(), *_vera(), *_loreft(), *_any_map(), *_all_layers()]


def _with_quantities(claim_id: str, known: Numbers) -> Numbers:
    """The numbers, and those of the claim's quantities, which are rational at them."""
    claim, found = catalogue[claim_id], dict(known)
    for quantity in claim.quantities:
        names = {symbol.name for symbol in quantity.expression.free_symbols}
        found[quantity.name] = stated(claim, quantity.name, **{name: found[name] for name in names})
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
        if len(v) != len(blocks):
            raise InputError("point", f"{len(v)} blocks", f"{len(blocks)}")
        still = tuple(scaled(0, block) for block in v)
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
    world = world_of(about, meft, numbers, matrices)
    functions = {**world.setting.functions, "F": VectorFunction(lambda v: meft.f(weight(v)), gradient)}
    setting = replace(world.setting, functions=functions, blocks=blocks)
    return ExactModel(about, setting, frozenset({"jiang2024.assumption1", "F(v) = f(W)"}))


def _full() -> Iterator[ExactModel]:
    slope = clipped(2, 1, "1/3")
    square = Factored(((slope, slope), (slope, clipped(1, 1))))
    ends = rows((1, "1/2"), (0, -1)), rows(("1/3", 0), ("2/3", 1))
    for meft, points in ((scalar(slope), (number(1), number("1/4"))), (square, ends)):
        known = _with_quantities("meft.full", constants(meft, F(1), F(1), False))
        whole = meft.functions["f"]
        matrices = {"W": points[0], "W_1": points[0], "W_2": points[1]}
        world = world_of("W itself", meft, known, matrices)
        setting = replace(world.setting, functions={"f": whole, "F": whole}, blocks=("W",))
        yield ExactModel(world.about, setting, frozenset({"jiang2024.assumption1", "F(W) = f(W)"}))


def _lora() -> Iterator[ExactModel]:
    for i, ((a, b), s, shares) in enumerate(product(((F(3), F(4)), (F(12, 5), F(1))), (F(1), F(1, 2)), _SHARES)):
        meft = scalar(clipped(2, 3, s * a * b), s)
        known = _with_quantities("meft.lora", {**constants(meft, a, b, True), "s": s})
        first, second = ((number(a * x), number(b * y)) for x, y in shares)
        yield lemma("LoRA by composition", meft, first, second, known, i)


def _vera() -> Iterator[ExactModel]:
    for i, (claim_id, s, shares) in enumerate(product(("meft.vera", "meft.vera_sharp"), (F(1), F(1, 2)), _SHARES)):
        a, b, a_0, b_0 = F(3), F(4), F(1), F(2)
        if claim_id == "meft.vera_sharp":
            # λ* is rational at a = b.
            b = a
        meft = scalar(clipped(1, 2, s * a * b), s)
        known = {**STRETCHES[i % len(STRETCHES)], **constants(meft, a, b, True), "a_0": a_0, "b_0": b_0, "s": s}
        points = {
            name: (number(shares[0][i] * radius), number(shares[1][i] * radius))
            for i, (name, radius) in enumerate((("Lambda_d", a), ("Lambda_b", b)))
        }
        frozen = {"A": number(a_0), "B": number(b_0)}
        yield _composed("VeRA", "vera", meft, _with_quantities(claim_id, known), points, frozen)


def _loreft() -> Iterator[ExactModel]:
    # Numbers at which λ is rational.
    for claim_id, L, G, nu in (("meft.loreft_sharp", F(2), F(10), F(1)), ("meft.loreft_rank1", F(2, 3), F(3), F(2))):
        slope = clipped(L, G)
        known = _with_quantities(claim_id, {"L": L, "G": G, "nu": nu, "theta": F(1, 2)})
        for i, (meft, first, second) in enumerate(
            (
                (scalar(slope), number(1), number(-1)),
                (scalar(slope), number(1), number(1)),
                (Factored(((slope,), (clipped(L / 2, G / 8),))), rows(("3/5", "4/5")), rows((0, 1))),
            )
        ):
            points = {"R": (first, second), "V": (number(nu), number(F(-1, 2 + i)))}
            yield _composed("LoReFT", "loreft", meft, {**STRETCHES[i], **known}, points)
    # λ is rational at ν = 1, L = 4 and G = 7: 24 + 25.
    meft = Factored(((clipped(4, 7),),), origin=number(1))
    known = _with_quantities("meft.loreft_trained", {"L": F(4), "G": F(7), "nu": F(1), "theta": F(1, 2)})
    for i, (other, start, end) in enumerate(((F(1), F(2), F(0)), (F(-1), F(0), F(-2)), (F(-1), F(1), F(-1, 2)))):
        points = {"R": (number(1), number(other)), "U": (number(start), number(end))}
        yield _composed("LoReFT in (R, U)", "loreft-trained", meft, {**STRETCHES[i], **known}, points)


def _any_map() -> Iterator[ExactModel]:
    """W(v) = ab of v = (a, b), with Φ(u, M) = M W(u): J is 5 on the ball of radii 3 and 4, and H is 1."""
    for zero, (first, second) in product((F(0), F(12)), _SHARES):
        meft = scalar(clipped(2, 3, zero))
        known = _with_quantities("meft.composition", {"L": F(2), "G": F(3), "J": F(5), "H": F(1)})
        ends = [rows((3 * x,), (4 * y,)) for x, y in (first, second)]

        def weight(u: Rows) -> Rows:
            (x,), (y,) = u
            return number(x * y)

        def pull(u: Rows, M: Rows) -> Rows:
            return tuple((M[0][0] * x,) for (x,) in reversed(u))

        def pair(point: Blocks) -> Pair:
            u, M = point
            return u, M

        def value(v: Blocks, meft: Factored = meft) -> Fraction:
            return meft.f(weight(single(v)))

        def gradient(v: Blocks, meft: Factored = meft) -> Blocks:
            return (pull(single(v), meft.slope(weight(single(v)))),)

        functions = {
            "f": meft.functions["f"],
            "F": VectorFunction(value, gradient),
            "Phi": VectorFunction(
                lambda p: times(pair(p)[1], weight(pair(p)[0]))[0][0],
                lambda p: (pull(*pair(p)), weight(pair(p)[0])),
            ),
        }
        matrices = {"v": ends[0], "v_1": ends[0], "v_2": ends[1], "u": ends[0], "M": number(1)}
        matrices |= {f"W{end}": weight(x) for end, x in zip(("", "_1", "_2"), (ends[0], *ends), strict=True)}
        world = world_of("any W(v)", meft, known, matrices)
        sides = {**world.setting.sides, "n": 2}
        setting = replace(world.setting, sides=sides, functions=functions, blocks=("u", "M"))
        yield ExactModel(world.about, setting, frozenset({"jiang2024.assumption1"}))


def _all_layers() -> Iterator[ExactModel]:
    """Layers numbered by t, with d = k = r = 1 and one φ for all: f is Σ φ(W_t), and v the column of all factors."""
    for i, (T, shares, s) in enumerate(product((1, 2, 3), _SHARES, (F(1), F(1, 2)))):
        meft = scalar(clipped(1, 2, s), s)
        known = {**STRETCHES[i % len(STRETCHES)], **constants(meft, F(1), F(1), True), "s": s, "theta": F(1, 2)}
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

        points = [tuple((x,) for pair in ends for x in pair[place]) for place in (0, 1)]
        world = world_of("layers numbered by t", meft, known, {"v_1": points[0], "v_2": points[1]})
        paths, sides = replace(STILL, T=T), {**world.setting.sides, "n": 2 * T}
        functions = {"F": VectorFunction(value, lambda v: v)}
        setting = replace(world.setting, sides=sides, functions=functions, paths=paths, process=process)
        yield ExactModel(world.about, setting, frozenset())
