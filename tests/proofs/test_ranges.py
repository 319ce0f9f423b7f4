"""Whether a lemma is true as it is printed: an exact search in small numbers for what breaks it.

f is a quadratic function whose second derivatives are 1 and -1, and G no more than its hypothesis
says: the largest slope of f at the W that the text names. A letter of the text that the lemma does
not have may be any number. All is in one number (d = k = r = 1), but for LoReFT, whose R turns only
where d = 2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

import pytest
import sympy as sp

from boundcheck.exact.balls import upper
from boundcheck.language.catalogue import catalogue, lemmas
from boundcheck.language.hypotheses import BoundedGradient
from tests.layers import full

SHARES = [Fraction(x) for x in ("-1", "0", "1/2", "9/10", "1")]
# On the circle, two of them close to each other.
TURNS = [
    (Fraction(x), Fraction(y))
    for x, y in (("0", "1"), ("20/101", "99/101"), ("3/5", "4/5"), ("1", "0"))
]
A, B, W, m, V, U, X, Y, s, w = sp.symbols("A B W m V U X Y s w")


@dataclass(frozen=True)
class Adapter:
    """The entries of W(v), and the radii of v by its letters; (X, Y) is R, if it has one."""

    weight: tuple[sp.Expr, ...]
    radii: dict[sp.Symbol, str]

    @property
    def turns(self):
        return len(self.weight) > 1


LORA = Adapter((w + s * A * B,), {A: "a", B: "b"})
LOREFT = Adapter((w + X * V, Y * V), {V: "nu"})
# A column of one entry has no direction but its sign: of LoRA's part nothing is left.
DORA = Adapter((m * w,), {m: "mu"})
ADAPTERS = {
    "meft.full": Adapter((w + W,), {W: "rho"}),
    "meft.frozen_a": Adapter((w + 2 * s * B,), {B: "b"}),
    "meft.frozen_b": Adapter((w + 2 * s * A,), {A: "a"}),
    **dict.fromkeys(("meft.loreft", "meft.loreft_sharp", "meft.loreft_rank1"), LOREFT),
    # U is what is bounded, and R W_0.
    "meft.loreft_trained": Adapter((w + X * (U - X * w), Y * (U - X * w)), {U: "nu"}),
    **dict.fromkeys(("meft.dora", "meft.dora_blocks"), DORA),
}
IDS = [claim.id for claim in lemmas() if not claim.algorithm and claim.id != "jiang2024.lemma1"]
Vector = tuple[Fraction, ...]


@dataclass(frozen=True)
class Seen:
    """A point, W there, and the gradient of F: on the circle in R."""

    v: Vector
    weight: Vector
    slope: Vector


def dot(x, y):
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))


def less(x, y):
    return tuple(a - b for a, b in zip(x, y, strict=True))


def points(adapter, numbers, curvature, centre):
    """Some points of the domain."""
    letters = (*adapter.radii, *((X, Y) if adapter.turns else ()))
    derivatives = [[sp.diff(entry, letter) for letter in letters] for entry in adapter.weight]
    evaluated = sp.lambdify((*letters, s, w), [list(adapter.weight), derivatives], "math")
    for shares, turn in product(
        product(SHARES, repeat=len(adapter.radii)), TURNS if adapter.turns else [()]
    ):
        v = [
            share * numbers[radius]
            for share, radius in zip(shares, adapter.radii.values(), strict=True)
        ]
        if U in adapter.radii:
            v[0] += turn[0] * numbers["W_0"]
        v += turn
        weight, jacobian = evaluated(*v, numbers["s"], numbers["W_0"])
        steep = tuple(c * x for c, x in zip(curvature, less(tuple(weight), centre), strict=True))
        slope = [dot(steep, column) for column in zip(*jacobian, strict=True)]
        if turn:
            along = dot(turn, tuple(slope[-2:]))
            slope[-2:] = [x - along * y for x, y in zip(slope[-2:], turn, strict=True)]
        yield Seen(tuple(v), tuple(weight), tuple(slope))


def steepest(claim, seen, numbers, centre):
    """At least the length of the slope of f at each W that the text of the lemma names; 0 where it
    bounds none."""
    bounds = (x.quantifier for x in claim.hypotheses if isinstance(x.word, BoundedGradient))
    text = next((x.latex for x in bounds), "")
    if "B A" not in text:
        return max(sum(map(abs, less(x.weight, centre))) for x in seen)
    known = {p.name for p in claim.parameters}
    named = (("sigma", "sigma") if "sigma" in known else ("a", "b")) + (
        ("s",) if "s B A" in text else ()
    )
    reach = Fraction(1)
    for name in named:
        reach *= numbers[name] if name in known else Fraction(1, 1000)
    return abs(numbers["W_0"] - centre[0]) + reach


def broken(claim):
    """True if two points of a quadratic function break the lemma, though all that it prints
    holds."""
    adapter = ADAPTERS.get(claim.id, LORA)
    names = {p.name for p in claim.parameters}
    radii = [(Fraction(1), Fraction(1)), (Fraction(2), Fraction(1, 2))]
    for scale, (first, second), far, start in product((1, Fraction(1, 2)), radii, (0, 1), (0, 1)):
        if ("s" not in names and scale != 1) or ("sigma" in names and first != second):
            continue
        numbers = {
            "L": Fraction(1),
            "s": Fraction(scale),
            "W_0": Fraction(start),
            "w_0": Fraction(5),
            "r": Fraction(1),
        }
        numbers |= {
            "a": first,
            "b": second,
            **dict.fromkeys(("sigma", "mu", "rho"), first),
            "nu": 8 * first,
        }
        if "frozen" in claim.id:
            numbers[next(iter({"a", "b"} - {*adapter.radii.values()}))] = Fraction(2)
        centre = (Fraction(start + far), *(Fraction(0) for _ in adapter.weight[1:]))
        for curvature in ((1, -1), (-1, 1)):
            seen = list(
                points(adapter, numbers, tuple(map(Fraction, curvature[: len(centre)])), centre)
            )
            slope = steepest(claim, seen, numbers, centre) or Fraction(1, 1000)
            given = {name: x for name, x in (numbers | {"G": slope}).items() if name in names}
            limit = Fraction(upper(claim.enclosures(**given)["Lhat"]))
            if any(
                breaks(adapter, curvature, centre, limit, *pair) for pair in product(seen, seen)
            ):
                return True
    return False


def breaks(adapter, curvature, centre, limit, here, there):
    change = less(there.v, here.v)
    if not adapter.turns:
        turned = less(there.slope, here.slope)
        return dot(turned, turned) > limit**2 * dot(change, change)
    ends = (less(x.weight, centre) for x in (here, there))
    before, after = (sum(c * y * y for c, y in zip(curvature, x, strict=True)) / 2 for x in ends)
    return after - before - dot(here.slope, change) > limit / 2 * dot(change, change)


@full
@pytest.mark.parametrize("id", IDS)
def test_no_numbers_break_a_lemma_as_it_is_printed(id):
    assert not broken(catalogue[id])


BOUND = catalogue["meft.gradient_bound"]
OTHERS = ("meft.gradient_bound_in_domain", "meft.gradient_bound_at_scale_1")


@full
@pytest.mark.parametrize(
    "id", [id for id in IDS if any(x.id in OTHERS for x in catalogue[id].hypotheses)]
)
def test_with_the_range_of_lora_it_would_be_false(id):
    claim = catalogue[id]
    hypotheses = tuple(BOUND if x.id in OTHERS else x for x in claim.hypotheses)
    assert broken(replace(claim, hypotheses=hypotheses))
