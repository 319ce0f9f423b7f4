"""Mutants of what the catalogue says of smoothness, tried by falsification.

A mutant is false where an exact point of `points` has a larger curvature than its L̂, true where it
follows from its original by construction; what is neither is undecided and not tried. The adversary
then gets the constants of the witness and nothing else of it.
"""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cache, partial
from itertools import combinations, permutations, product
from math import ceil, floor
from typing import Any

import sympy as sp
from flint import arb
from sympy import Rational

from boundcheck.errors import InputError
from boundcheck.exact.balls import enclose
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.sentence import gradient_norm
from boundcheck.language.symbols import G, Number
from boundcheck.worst_case.instance import certify
from boundcheck.worst_case.search import Climber, Structure, constants_of
from soundness.edits import KINDS, of_expression, with_formula
from soundness.exact_model import fractions, steepest
from soundness.trial import Answer, Mutant, varied

IN_FROBENIUS, IN_SPECTRAL = (
    catalogue[id] for id in ("jiang2024.assumption3.2", "meft.gradient_bound_in_domain")
)
FORMULAS = ("scale constant", "exponent", "drop factor", "flip sign", "drop term")
"""The edits of the formula of a constant that mutants are made by."""
# Constants that are floats exactly. At the third L decides, at the fourth G.
CHOICES: list[dict[str, float]] = tomllib.loads("""
choices = [
    {},
    { L = 2.0, G = 0.5, s = 2.0, a = 0.5, b = 1.5, mu = 2.0, nu = 0.75, rho = 2.0, w_0 = 4.0 },
    { L = 4.0, G = 0.0009765625, a = 0.75, b = 0.25, nu = 0.5 },
    { L = 0.0009765625, G = 4.0, s = 0.5, nu = 2.0 },
    { a = 0.25, b = 2.0, nu = 3.0, w_0 = 1.5 },
    { L = 3.0, G = 2.0, s = 1.25, a = 2.0, b = 1.75, mu = 0.5, rho = 0.5, w_0 = 8.0 },
]
""")["choices"]
STARTS = 16
ROUNDS = 30
Constants = tuple[tuple[str, float], ...]
_FACTORS, _POWERS, _GROWN = (
    tuple(map(Rational, fractions(text)))
    for text in (
        "9999/10000 99/100 9/10 17/25 1/2 1/4",
        "1/2 3/4 3/2 2",
        "1.000000000000001 1.000000000001 1.000000001 1.000001 1.001 1.01 1.1 1.5 2 5 10 1000",
    )
)
# Bounds that a hypothesis may double and stay implied; w_0 bounds from below.
_UPPER = ("L", "G", "C", "sigma", "a", "b", "mu", "nu", "r")
# The digits to which a witness is written.
_SHOWN = 10**9


def is_spectral(claim: Claim) -> bool:
    """True if G bounds the spectral norm."""
    return gradient_norm(claim) == "spectral"


@dataclass(frozen=True)
class Statement(Mutant):
    """A changed claim about the smoothness of an adapter. Its subject is the original, and the
    adapter where needed.

    Attributes:
        claim: the mutated claim.
        original: the claim before.
        adapter: the kind of adapter that it is tried on.
        constants: what the adversary is given; nothing before its truth is decided.

    """

    layer = "falsification"
    claim: Claim
    original: Claim
    adapter: str
    constants: Constants = ()

    @classmethod
    def of(
        cls,
        adapter: str,
        original: Claim,
        kind: str,
        change: str,
        changed: Claim,
        true: bool = False,
        why: str = "",
    ) -> Statement:
        """The changed claim, at no constants yet; where it is true as it is made, `why` says so."""
        first = next(kind for kind, adapter in ADAPTERS.items() if original.id in adapter.claims)
        subject = original.id if adapter == first else f"{original.id} of {ADAPTERS[adapter].title}"
        return cls(subject, kind, change, true, why, changed, original, adapter)

    def known(self, choice: Mapping[str, float]) -> dict[str, float]:
        """The constants of the adapter at one of the choices; equal radii where a claim has one
        letter for both.
        """
        known = constants_of(self.adapter, self.original, {})
        known |= {name: value for name, value in choice.items() if name in known}
        radii = ADAPTERS[self.adapter].radius_names
        if any(p.name == "sigma" for p in (*self.original.parameters, *self.claim.parameters)):
            known |= dict.fromkeys(radii, known[radii[0]])
        if "s" in known and not any(p.name == "s" for p in self.claim.parameters):
            # A claim without a scale is said of W0 + BA.
            known["s"] = 1.0
        return known

    @property
    def ranks(self) -> tuple[int, ...]:
        """The ranks of one and two of which the claim speaks."""
        return (1,) if any(str(c.lhs) == "r" for c in self.claim.conditions) else (1, 2)

    def ask(self) -> Answer:
        """Let the adversary of `boundcheck falsify` climb at each rank, and certify the best that
        it finds.

        Its climbs are shared by the mutants of one adapter at the same constants, and count in the
        time of each. What falsify does after a first violation, which is to shrink the instance, is
        left out.
        """
        shared = 0.0
        for rank in self.ranks:
            began = time.perf_counter()
            climber, climbing = _climbed(
                self.adapter, is_spectral(self.claim), self.constants, rank
            )
            shared += climbing - (time.perf_counter() - began)
            if certify(climber.best(self.claim, "sigma")).violated:
                return Answer("violated", rejects=True, seconds=shared)
        return Answer("not violated", seconds=shared)


@cache
def _climbed(kind: str, spectral: bool, constants: Constants, rank: int) -> tuple[Climber, float]:
    """A climb from a few starts, and how long it took."""
    begin = time.perf_counter()
    structure = Structure(kind, rank + 1, rank + 1, rank, dict(constants), spectral)
    return Climber(structure, STARTS, 0).run(ROUNDS), time.perf_counter() - begin


@cache
def drawn(every: int = 1) -> tuple[tuple[Statement, ...], int]:
    """Every n-th mutant whose truth is decided, and how many are neither shown false nor true by
    construction.
    """
    decided = list[Statement]()
    undecided = 0
    for kind, claim in pairs():
        distinct: dict[object, Statement] = {}
        for each in (Statement.of(kind, claim, "", "", claim), *suspects(kind, claim)):
            key = (
                each.adapter,
                each.claim.quantities,
                each.claim.conditions,
                each.claim.hypotheses,
            )
            distinct.setdefault(key, each)
        # The first is the claim itself.
        for each in list(distinct.values())[1:][::every]:
            found = shown_false(each)
            decided += [found] if found else []
            undecided += found is None
        for number, each in list(enumerate(variations(kind, claim)))[::every]:
            # At the next of the choices of constants of which it speaks.
            for turn in range(len(CHOICES)):
                constants = each.known(CHOICES[(number + turn) % len(CHOICES)])
                with suppress(InputError):
                    each.claim.check(inputs_at(each.claim, constants, 1))
                    decided.append(replace(each, constants=tuple(constants.items())))
                    break
            else:
                raise ValueError(
                    f"{each.claim.id}, {each.change}: it speaks of none of the constants"
                )
    return tuple(decided), undecided


def pairs() -> Iterator[tuple[str, Claim]]:
    """Every adapter with every claim about its smoothness."""
    return ((kind, catalogue[id]) for kind, adapter in ADAPTERS.items() for id in adapter.claims)


def _another(claim: Claim, **changes: Any) -> Claim:
    return replace(claim, id=f"mutant of {claim.id}", argument="", unproved="", **changes)


def _everywhere(claim: Claim, where: Mapping[sp.Symbol, sp.Expr]) -> Claim:
    """The claim with numbers in place of its symbols, in formulas and conditions."""
    quantities = tuple(
        replace(q, expression=q.expression.xreplace(dict(where))) for q in claim.quantities
    )
    return _another(
        claim,
        quantities=quantities,
        conditions=tuple(c.xreplace(dict(where)) for c in claim.conditions),
    )


def suspects(kind: str, claim: Claim) -> Iterator[Statement]:
    """Changes that may make a claim about the smoothness of F false. Whether one does is decided by
    an exact point.
    """
    of = partial(Statement.of, kind, claim)
    for name, formula in ((q.name, q.expression) for q in claim.quantities):
        changes = [("constant", f"{name} by {factor}", factor * formula) for factor in _FACTORS]
        changes += [
            ("exponent", f"{name} to the power {power}", formula**power) for power in _POWERS
        ]
        for edit in of_expression(formula):
            if isinstance(edit.result, sp.Expr) and edit.kind in FORMULAS:
                what = (
                    edit.where
                    if edit.kind in ("scale constant", "exponent")
                    else f"{edit.kind} {edit.where}"
                )
                changes.append((KINDS[edit.kind], f"{name}: {what}", edit.result))
        for change, how, other in changes:
            yield of(change, how, _another(with_formula(claim, name, other)))
    symbols = [p.symbol for p in claim.parameters if p.name != "r"]
    for x, y in combinations(symbols, 2):
        yield of("exchange", f"{x} and {y} change places", _everywhere(claim, {x: y, y: x}))
    for x, y in permutations(symbols, 2):
        yield of("exchange", f"{y} for {x}", _everywhere(claim, {x: y}))
    # Said of more than it is true of: of larger balls, of steeper f, of a larger norm's unit ball.
    dropped = "hypothesis dropped"
    for symbol, name in ((x, x.name) for x in symbols if x.name in _UPPER):
        for share in (2, 4):
            changed = _everywhere(claim, {symbol: symbol / share})
            yield of(dropped, f"holds where {name} is {share} times as large", changed)
        yield of(
            dropped, f"{name} taken as 1 whatever it is", _everywhere(claim, {symbol: symbol**0})
        )
    if G in symbols:
        for factor, norm in (
            (2, "largest entry of a 2 x 2 matrix"),
            (sp.sqrt(2), "root mean square of two entries"),
        ):
            yield of(
                "norm", f"G/{factor}, as if G were the {norm}", _everywhere(claim, {G: G / factor})
            )
    for symbol, name in ((x, x.name) for x in symbols if x.name in ("a", "b", "nu", "sigma")):
        what = f"{name}/√2, as if {name} bounded the largest entry of two"
        yield of("norm", what, _everywhere(claim, {symbol: symbol / sp.sqrt(2)}))
    for condition in claim.conditions:
        rest = tuple(c for c in claim.conditions if c != condition)
        yield of(dropped, f"without the condition {condition}", _another(claim, conditions=rest))
    if IN_FROBENIUS in claim.hypotheses:
        hypotheses = tuple(IN_SPECTRAL if h == IN_FROBENIUS else h for h in claim.hypotheses)
        changed = _another(claim, hypotheses=hypotheses)
        yield of("norm", "G bounds the spectral norm, not the Frobenius norm", changed)
    # Said of an adapter that it is not about; the symbols of that adapter are all that it may speak
    # of.
    names = {p.name for p in claim.parameters} - {"L", "G"}
    for other, adapter in ADAPTERS.items():
        known = {p.name for id in adapter.claims for p in catalogue[id].parameters}
        if claim.id not in adapter.claims and names <= known:
            what = f"said of {adapter.title} instead of {ADAPTERS[kind].title}"
            yield Statement.of(other, claim, dropped, what, _another(claim))


def variations(kind: str, claim: Claim) -> Iterator[Statement]:
    """Changes that leave a claim true: L̂ is no smaller, or the hypotheses imply the claim's
    own.
    """

    def of(change: str, how: str, why: str, changed: Claim) -> Statement:
        return Statement.of(kind, claim, varied(change), how, changed, True, why)

    def grown(larger: sp.Expr, change: str, how: str) -> Statement:
        return of(change, how, "L̂ is no smaller", _another(with_formula(claim, "Lhat", larger)))

    formula = claim.quantities[-1].expression
    yield of("none", "as it is", "the catalogue's own", _another(claim))
    for factor in _GROWN:
        yield grown(factor * formula, "constant", f"L̂ by {factor}")
    for p in claim.parameters:
        x = p.symbol
        for size in (1, Rational(1, 10**6)):
            yield grown(formula + size * x, "term added", f"L̂ plus {size * x}")
        yield grown(sp.Max(formula, x), "maximum", f"the larger of L̂ and {x}")
        yield grown(sp.sqrt(formula**2 + x**2), "term added", f"√(L̂² + {x}²)")
        # Values in place of a letter with which the hypotheses say more.
        for step in (Rational(1001, 1000), Rational(5, 4), sp.Integer(2)):
            if p.name in _UPPER and (p.name != "r" or (step == 2 and not claim.conditions)):
                how = f"{step} {x} for {x}"
                value = step * x
                why = "the hypotheses are stronger than the claim's own"
            elif p.name == "w_0":
                how = f"{x}/{step} for {x}"
                value = x / step
                why = "longer columns are at least as long"
            else:
                continue
            yield of("stronger hypothesis", how, why, _everywhere(claim, {x: value}))
    if is_spectral(claim):
        hypotheses = tuple(
            IN_FROBENIUS if h.word == IN_SPECTRAL.word else h for h in claim.hypotheses
        )
        changed = _another(claim, hypotheses=hypotheses)
        yield of("norm", "G bounds the Frobenius norm", "‖∇f‖_op ≤ ‖∇f‖_F", changed)


# Which changes are false, and at which constants


def inputs_at(claim: Claim, constants: Mapping[str, float], rank: int) -> dict[str, Number]:
    """The values of the claim's own symbols."""
    known: dict[str, Number] = {"s": 1, "r": rank, **constants}
    if "a" in known:
        known["sigma"] = known["C"] = known["a"]
    return {p.name: known[p.name] for p in claim.parameters}


def above(x: arb) -> Fraction:
    """The upper end of a ball, a dyadic rational."""
    mantissa, exponent = x.upper().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def shown_false(suspect: Statement) -> Statement | None:
    """The mutant as a false statement, at the constants at which it is most so; None where no exact
    point shows it.
    """
    largest = Fraction(1)
    statement = None
    claim = suspect.claim
    formula = claim.expression("Lhat")
    for choice, rank in product(CHOICES, suspect.ranks):
        constants = suspect.known(choice)
        items = tuple((name, Fraction(value)) for name, value in constants.items())
        try:
            point = steepest(suspect.adapter, items, not is_spectral(claim), rank)
            values = claim.check(inputs_at(claim, constants, rank))
        except ValueError:
            # There is no such point, or the mutant does not speak of these constants.
            continue
        ball = enclose(formula, values)
        # A root of 0 would be one of a negative number close by, where the adversary may look.
        under_roots = [
            enclose(x.base, values) for x in formula.atoms(sp.Pow) if not x.exp.is_integer
        ]
        if not (ball.is_finite() and ball > 0 and all(each > 0 for each in under_roots)):
            continue
        measured = point.curvature(point.direction)
        bound = above(ball)
        if measured > largest * bound:
            largest = measured / bound
            low = Decimal(floor(measured * _SHOWN)) / _SHOWN
            high = Decimal(ceil(bound * _SHOWN)) / _SHOWN
            witness = f"{point}: curvature ≥ {low} > {high} ≥ L̂"
            statement = replace(suspect, constants=tuple(constants.items()), witness=witness)
    return statement
