"""Proof scripts that a claim does not bear out: laws at one point, runs off the algorithm, iterates for all points.

A script of a true claim has a witness that meets what the script assumes and not what the claim does: it must not be
refuted. A script of a false claim takes a hypothesis for more than it says: it must not be proved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import product

import sympy as sp

from boundcheck.checked.engines.examined import Examined, Subject, examined
from boundcheck.checked.engines.known import rational
from boundcheck.checked.engines.walks import Walk, function_of, setting_of
from boundcheck.checked.exact_models import ExactModel
from boundcheck.checked.exact_models.exact_model import Setting
from boundcheck.checked.exact_models.functions import Curve, parabola
from boundcheck.exact.evaluate import t
from boundcheck.exact.rationals import number
from boundcheck.language.claim import Claim, own_parameters
from boundcheck.language.symbols import Parameter, ell
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    F,
    FrobeniusNorm,
    Gradient,
    InnerProduct,
    Iterate,
    Value,
    W,
    n,
    v,
    v1,
    v2,
    v_star,
    v_t,
)
from boundcheck.proof import Process, Proof, Reading, Script, at_numbers, script

# A theorem with a run as the witness


def reading_of(claim: Claim) -> Reading:
    """The iterates of a claim's algorithm, and every other letter as a constant."""
    letters = {x for each in (claim, *claim.hypotheses) for x in each.conclusion.atoms(sp.MatrixSymbol)}
    fixed = {x for x in letters if x.shape in {v.shape, W.shape} and x != v}
    own = {each.symbol for each in own_parameters(claim).values()}
    return Reading(processes={v_t: Process((v,))}, constants={v_star, v1, v2, W, *fixed, *own})


def refuting(claim: Claim, walk: Walk) -> Script:
    """A printed proof whose one line is the claim, that assumes each hypothesis where its letters are, and no more."""
    fixed = {str(x) for x in reading_of(claim).constants if isinstance(x, sp.MatrixSymbol)}
    witness = ExactModel(str(walk), setting_of(walk, claim, fixed)).witness

    def build(proof: Proof) -> None:
        for hypothesis in claim.hypotheses:
            proof.assume(hypothesis)
        for condition in claim.conditions:
            proof.assume(condition)
        for quantity in claim.quantities:
            proof.quantity(quantity)
        proof.step("the claim", claim.conclusion, witness=witness)

    return script(claim, "printed", reading_of(claim), is_statement=True)(build)


# Laws about matrices, at one matrix and at another


M = sp.MatrixSymbol("M", n, n)
X, Y = sp.MatrixSymbol("X", n, 1), sp.MatrixSymbol("Y", n, 1)
SIZE = Parameter(sp.Symbol("size_0", positive=True), "positive real", "a bound")
_x = SIZE.symbol
_SIDES = {"n": 1, "one": 1}


@dataclass(frozen=True)
class _Law:
    """A relation for all X, as a function of X and the bound, and the numbers M with which it fails and holds."""

    name: str
    says: Callable[[sp.Basic, sp.Expr], sp.Basic]
    breaks: Callable[[Fraction], Fraction]
    meets: Callable[[Fraction], Fraction]
    is_upper: bool = True


_LAWS = (
    _Law(
        "‖MX‖ ≤ x‖X‖",
        lambda z, x: sp.Le(FrobeniusNorm(M * z), x * FrobeniusNorm(z)),
        lambda x: 10 * x,
        lambda x: x,
    ),
    _Law(
        "‖MX‖² ≤ x‖X‖²",
        lambda z, x: sp.Le(FrobeniusNorm(M * z) ** 2, x * FrobeniusNorm(z) ** 2),
        lambda x: 10 * x + 10,
        lambda x: min(x, Fraction(1)),
    ),
    _Law(
        "⟨MX, X⟩ ≤ x‖X‖²",
        lambda z, x: sp.Le(InnerProduct(M * z, z), x * FrobeniusNorm(z) ** 2),
        lambda x: 10 * x,
        lambda x: x,
    ),
    _Law(
        "⟨MX, X⟩ ≥ x‖X‖²",
        lambda z, x: sp.Ge(InnerProduct(M * z, z), x * FrobeniusNorm(z) ** 2),
        lambda x: -x,
        lambda x: x,
        is_upper=False,
    ),
    _Law(
        "‖MX‖ ≥ x‖X‖",
        lambda z, x: sp.Ge(FrobeniusNorm(M * z), x * FrobeniusNorm(z)),
        lambda x: x / 10,
        lambda x: x,
        is_upper=False,
    ),
    _Law(
        "‖MX - X‖ ≤ x‖X‖",
        lambda z, x: sp.Le(FrobeniusNorm(M * z - z), x * FrobeniusNorm(z)),
        lambda x: 10 * x + 10,
        lambda x: 1 + x,
    ),
)
_TARGETS = (("at Y", Y), ("at 2Y", 2 * Y), ("at X + Y", X + Y))


_FACTORS = (Fraction(1, 2), Fraction(1), Fraction(2))


def scripted() -> Iterator[Callable[[], Examined]]:
    """Every script, to be made when it is its turn; in an order that never changes."""
    for law, target, factor in product(range(len(_LAWS)), range(len(_TARGETS)), _FACTORS):
        for size, at_zero in ((1, True), (3, True), (1, False)):
            yield partial(_at_one, law, target, Fraction(size), factor, at_zero)
    for relation, factor in product(range(len(_RELATIONS)), _FACTORS[1:]):
        for place in range(len(_PAIRS)):
            for by_line in (True, False):
                yield partial(_for_all, relation, factor, place, by_line)


def _scripted(
    kind: str, change: str, subject: str, true: bool, why: str, claim: Claim, make: Callable[[], Script]
) -> Examined:
    return examined(kind, change, subject, true, why, lambda: claim, lambda claim: Subject(claim, script=make))


def _at_one(law: int, target: int, size: Fraction, factor: Fraction, at_zero: bool) -> Examined:
    """A law for all X is assumed at one X; its consequence at another point is held against a witness."""
    each, (where, z) = _LAWS[law], _TARGETS[target]
    share = rational(factor)
    ratio = "_".join(map(str, factor.as_integer_ratio()))
    claim_id = f"engines.law{law}_{target}_{int(size)}_{ratio}_{int(at_zero)}"
    hypothesis = Claim(
        f"{claim_id}_given", each.name, "boundcheck", each.says(X, _x), r"\text{for all } X", declared=(SIZE,)
    )
    claim = Claim(claim_id, f"{each.name} {where}", "boundcheck", each.says(z, share * _x), hypotheses=(hypothesis,))
    true = factor >= 1 if each.is_upper else factor <= 1
    met, broken = each.meets(size), each.breaks(size)
    # Of a false claim the law holds everywhere at M; of a true one at X alone.
    m, first, second = (broken, Fraction(0), Fraction(1)) if true else (met, Fraction(1), Fraction(1))
    point = first if at_zero or not true else Fraction(0)
    why = "the law at another point" if true else f"M = {m}, X = {first}, Y = {second}, x = {size}"
    matrices = {"M": number(m), "X": number(first), "Y": number(second)}
    if not true and Setting(_SIDES, {_x.name: size}, matrices, {}).verdict(claim.conclusion):
        # The law is loose there, as at ‖MX‖² ≤ x‖X‖² with M = 1 < x: another M attains it.
        true, why = True, "not shown to be false"

    def build(proof: Proof) -> None:
        proof.assume(hypothesis, where={} if at_zero else {X: 2 * X})
        values = {M: [[m]], X: [[point]], Y: [[second]], _x: size}
        proof.step("the claim", claim.conclusion, witness=at_numbers("Numbers", values))

    kind = "law at one point" if at_zero else "law at one multiple"
    change = f"{each.name} for all X, {factor} of it {where}, x = {size}"
    reading = Reading(constants={M, X, Y, _x})
    make = partial(script(claim, "printed", reading, is_statement=True), build)
    return _scripted(kind, change, each.name, true, why, claim, make)


# Hypotheses about iterates, as laws about all points


_Says = Callable[[sp.Basic, sp.Basic, sp.Expr], sp.Basic]
_RELATIONS: tuple[tuple[str, _Says, Curve], ...] = (
    (
        "smooth",
        lambda p, q, x: sp.Le(EuclideanNorm(Gradient(F, p) - Gradient(F, q)), x * EuclideanNorm(p - q)),
        parabola(100),
    ),
    (
        "Lipschitz",
        lambda p, q, x: sp.Le(Value(F, p) - Value(F, q), x * EuclideanNorm(p - q)),
        parabola(100),
    ),
    (
        "below a parabola",
        lambda p, q, x: sp.Le(
            Value(F, p), Value(F, q) + InnerProduct(Gradient(F, q), p - q) + x / 2 * EuclideanNorm(p - q) ** 2
        ),
        parabola(100),
    ),
    (
        "above its tangents",
        lambda p, q, x: sp.Ge(x * Value(F, p), x * Value(F, q) + x * InnerProduct(Gradient(F, q), p - q)),
        parabola(-100),
    ),
    (
        "of one slope",
        lambda p, q, x: sp.Le(EuclideanNorm(Gradient(F, p)), x + EuclideanNorm(Gradient(F, q))),
        parabola(100),
    ),
)
# The times that a hypothesis speaks of.
_PAIRS: tuple[tuple[str, sp.Basic, sp.Basic], ...] = (
    ("from an iterate to the next", v_t, v_t.xreplace({t: t + 1})),
    ("from an iterate to the one before it", v_t.xreplace({t: t + 1}), v_t),
    ("from an iterate to the first", v_t, v_t.xreplace({t: sp.Integer(1)})),
    ("from an iterate to the last", v_t, Iterate("v", sp.Symbol("T", positive=True, integer=True), n, 1)),
)


def _points(curve: Curve, first: Fraction, second: Fraction) -> Setting:
    """Two points of a function of one number, with ell = 1."""
    matrices = {v1.name: number(first), v2.name: number(second)}
    return Setting(_SIDES, {ell.name: Fraction(1)}, matrices, {"F": function_of(curve)}, (v.name,))


def _for_all(relation: int, factor: Fraction, place: int, by_line: bool) -> Examined:
    """A hypothesis about iterates is the premise of a law about all points, which concludes what it says."""
    (name, says, curve), (where, first, second) = _RELATIONS[relation], _PAIRS[place]
    share = rational(factor)
    id = f"engines.iterates{relation}_{place}_{int(factor)}_{int(by_line)}"
    hypothesis = Claim(f"{id}_given", f"{name} {where}", "boundcheck", says(first, second, ell), r"\text{for all } t")
    quantifier = r"\text{for all } v_1, v_2"
    claim = Claim(id, f"{name} everywhere", "boundcheck", says(v1, v2, share * ell), quantifier, (hypothesis,))
    p, q = Fraction(3), Fraction(-1)
    still, apart = _points(curve, Fraction(0), Fraction(0)), _points(curve, p, q)
    if not still.verdict(says(v1, v2, ell)) or apart.verdict(claim.conclusion) is not False:
        raise ValueError(f"{id} is not shown to be false")
    why = f"F = {curve.curvatures[0]} x²/2, v_t = 0 for all t, v_1 = {p}, v_2 = {q}, ell = 1"

    def build(proof: Proof) -> None:
        premise = says(v1, v2, ell)
        given = proof.local(premise)
        line = proof.step("the line", claim.conclusion, given) if by_line or factor != 1 else given
        proof.conclude(line, forall=[v1, v2], such_that=[premise])  # type: ignore[arg-type]

    reading = Reading(processes={v_t: Process((v,))}, arbitrary={v1, v2})
    make = partial(script(claim, "sharp", reading), build)
    change = f"{name}, {where}, {factor} of it"
    return _scripted("iterates for all points", change, name, False, why, claim, make)
