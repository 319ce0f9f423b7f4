"""Changes of a smoothness claim: those that may make it false, and those that leave it true by their construction.

Whether a change of the first sort makes a claim false is not decided here, but by an exact witness.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, permutations
from typing import Any

import sympy as sp
from sympy import Rational

from boundcheck.checked.edits import KINDS, of_expression
from boundcheck.claims import Claim, catalogue
from boundcheck.claims.symbols import G
from boundcheck.problems.adapters import ADAPTERS

ASSUMPTION_3_2, GRADIENT_BOUND = (
    catalogue["jiang2024.assumption3.2"],
    catalogue["meft.gradient_bound"],
)

FORMULAS = ("scale constant", "exponent", "drop factor", "flip sign", "drop term")
"""The edits of the formula of a constant that mutants are made by."""
_FACTORS = (Rational(9999, 10000), Rational(99, 100), Rational(9, 10), Rational(17, 25), Rational(1, 2), Rational(1, 4))
_GROWN = (
    *(1 + Rational(1, 10**power) for power in (15, 12, 9, 6, 3)),
    Rational(101, 100),
    Rational(11, 10),
    Rational(3, 2),
    *map(sp.Integer, (2, 5, 10, 1000)),
)
# Bounds that a hypothesis may double and stay implied; w_0 bounds from below.
_UPPER = ("L", "G", "C", "sigma", "a", "b", "a_0", "b_0", "mu", "nu", "r")


@dataclass(frozen=True)
class Mutation:
    """A changed claim: what was changed, and the adapter that it is about.

    `truth` says why it is true, where it is so by construction.
    """

    claim: Claim
    adapter: str
    kind: str
    change: str
    truth: str = ""


def pairs() -> Iterator[tuple[str, Claim]]:
    """Every adapter with every claim about its smoothness."""
    for kind, adapter in ADAPTERS.items():
        for id in adapter.claims:
            yield kind, catalogue[id]


def changed(claim: Claim, name: str, expression: sp.Expr) -> Claim:
    """The claim with another formula for one of its quantities."""
    quantities = tuple(replace(q, expression=expression) if q.name == name else q for q in claim.quantities)
    return _another(claim, quantities=quantities)


def _another(claim: Claim, **changes: Any) -> Claim:
    return replace(claim, id=f"mutant of {claim.id}", argument="", unproved="", **changes)


def _everywhere(claim: Claim, where: Mapping[sp.Symbol, sp.Expr]) -> Claim:
    """The claim with numbers in place of its symbols, in formulas and conditions."""
    quantities = tuple(replace(q, expression=q.expression.xreplace(dict(where))) for q in claim.quantities)
    return _another(claim, quantities=quantities, conditions=tuple(c.xreplace(dict(where)) for c in claim.conditions))


def suspects(kind: str, claim: Claim) -> Iterator[Mutation]:
    """Changes that may make a claim about the smoothness of F through an adapter false."""
    for quantity in claim.quantities:
        name, formula = quantity.name, quantity.expression
        for factor in _FACTORS:
            yield Mutation(changed(claim, name, factor * formula), kind, "constant", f"{name} by {factor}")
        for power in (Rational(1, 2), Rational(3, 4), Rational(3, 2), sp.Integer(2)):
            yield Mutation(changed(claim, name, formula**power), kind, "exponent", f"{name} to the power {power}")
        for edit in of_expression(formula):
            if isinstance(edit.result, sp.Expr) and edit.kind in FORMULAS:
                words = (
                    f"{name}: {edit.where}"
                    if edit.kind in ("scale constant", "exponent")
                    else f"{name}: {edit.kind} {edit.where}"
                )
                yield Mutation(changed(claim, name, edit.result), kind, KINDS[edit.kind], words)
    yield from _exchanges(kind, claim)
    yield from _weaker(kind, claim)
    yield from _of_other_adapters(kind, claim)


def _exchanges(kind: str, claim: Claim) -> Iterator[Mutation]:
    symbols = [p.symbol for p in claim.parameters if p.name != "r"]
    for x, y in combinations(symbols, 2):
        yield Mutation(_everywhere(claim, {x: y, y: x}), kind, "exchange", f"{x} and {y} change places")
    for x, y in permutations(symbols, 2):
        yield Mutation(_everywhere(claim, {x: y}), kind, "exchange", f"{y} for {x}")


def _weaker(kind: str, claim: Claim) -> Iterator[Mutation]:
    """The claim said of more than it is true of: of larger balls, of steeper f, of a larger norm's unit ball."""
    for parameter in claim.parameters:
        symbol, name = parameter.symbol, parameter.name
        if name in _UPPER and name != "r":
            for share in (2, 4):
                yield Mutation(
                    _everywhere(claim, {symbol: symbol / share}),
                    kind,
                    "hypothesis dropped",
                    f"holds where {name} is {share} times as large",
                )
            yield Mutation(
                _everywhere(claim, {symbol: symbol**0}), kind, "hypothesis dropped", f"{name} taken as 1 whatever it is"
            )
    if G in {p.symbol for p in claim.parameters}:
        for share, norm in ((2, "largest entry of a 2 x 2 matrix"), (sp.sqrt(2), "root mean square of two entries")):
            yield Mutation(_everywhere(claim, {G: G / share}), kind, "norm", f"G/{share}, as if G were the {norm}")
    for parameter in claim.parameters:
        if parameter.name in ("a", "b", "nu", "sigma"):
            halved = _everywhere(claim, {parameter.symbol: parameter.symbol / sp.sqrt(2)})
            what = f"{parameter.name}/√2, as if {parameter.name} bounded the largest entry of two"
            yield Mutation(halved, kind, "norm", what)
    for condition in claim.conditions:
        rest = tuple(c for c in claim.conditions if c != condition)
        what = f"without the condition {condition}"
        yield Mutation(_another(claim, conditions=rest), kind, "hypothesis dropped", what)
    if ASSUMPTION_3_2 in claim.hypotheses:
        rest_of = tuple(GRADIENT_BOUND if h == ASSUMPTION_3_2 else h for h in claim.hypotheses)
        yield Mutation(
            _another(claim, hypotheses=rest_of), kind, "norm", "G bounds the spectral norm, not the Frobenius norm"
        )


def _of_other_adapters(kind: str, claim: Claim) -> Iterator[Mutation]:
    """The claim said of an adapter that it is not about; the symbols of that adapter are all that it may speak of."""
    names = {p.name for p in claim.parameters} - {"L", "G"}
    for other, adapter in ADAPTERS.items():
        known = {p.name for id in adapter.claims for p in catalogue[id].parameters}
        if claim.id not in adapter.claims and names <= known:
            what = f"said of {adapter.title} instead of {ADAPTERS[kind].title}"
            yield Mutation(_another(claim), other, "hypothesis dropped", what)


def variations(kind: str, claim: Claim) -> Iterator[Mutation]:
    """Changes that leave a claim true: L̂ is no smaller, or the hypotheses imply the claim's own."""
    formula, parameters = claim.quantities[-1].expression, claim.parameters

    def grown(expression: sp.Expr, what: str, change: str) -> Mutation:
        return Mutation(
            changed(claim, "Lhat", expression), kind, f"true variation: {what}", change, truth="L̂ is no smaller"
        )

    yield Mutation(_another(claim), kind, "true variation: none", "as it is", truth="the catalogue's own")
    for factor in _GROWN:
        yield grown(factor * formula, "constant", f"L̂ by {factor}")
    for p in parameters:
        for size in (1, Rational(1, 10**6)):
            yield grown(formula + size * p.symbol, "term added", f"L̂ plus {size * p.symbol}")
        yield grown(sp.Max(formula, p.symbol), "maximum", f"the larger of L̂ and {p.symbol}")
        yield grown(sp.sqrt(formula**2 + p.symbol**2), "term added", f"√(L̂² + {p.symbol}²)")
        for step in (Rational(1001, 1000), Rational(5, 4), sp.Integer(2)):
            if p.name in _UPPER and (p.name != "r" or (step == 2 and not claim.conditions)):
                mutated, why = (
                    _everywhere(claim, {p.symbol: step * p.symbol}),
                    "the hypotheses are stronger than the claim's own",
                )
                yield Mutation(
                    mutated, kind, "true variation: stronger hypothesis", f"{step} {p.symbol} for {p.symbol}", truth=why
                )
            elif p.name == "w_0":
                mutated = _everywhere(claim, {p.symbol: p.symbol / step})
                yield Mutation(
                    mutated,
                    kind,
                    "true variation: stronger hypothesis",
                    f"{p.symbol}/{step} for {p.symbol}",
                    truth="longer columns are at least as long",
                )
    if GRADIENT_BOUND in claim.hypotheses:
        stronger = tuple(ASSUMPTION_3_2 if h == GRADIENT_BOUND else h for h in claim.hypotheses)
        why = "‖∇f‖_op ≤ ‖∇f‖_F"
        yield Mutation(
            _another(claim, hypotheses=stronger), kind, "true variation: norm", "G bounds the Frobenius norm", truth=why
        )
