"""Mutants of what the catalogue says of smoothness, tried by falsification.

A mutant is false where an exact point of `extremal` has a larger curvature than its L̂, true where it follows from its
original by construction; what is neither is undecided and not tried. The adversary then gets the constants of the
witness and nothing else of it.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from math import ceil, floor

import sympy as sp

from boundcheck.checked.descent import above
from boundcheck.checked.extremal import steepest
from boundcheck.checked.rational import World
from boundcheck.checked.smoothness import Mutation, pairs, suspects, variations
from boundcheck.checked.trial import Answer, Mutant
from boundcheck.claims import Claim, catalogue
from boundcheck.claims.inputs import Number
from boundcheck.errors import InputError
from boundcheck.exact.enclose import enclose
from boundcheck.falsify.certify import certify
from boundcheck.falsify.climb import Climber
from boundcheck.falsify.structure import Structure, constants_of
from boundcheck.problems.adapters import ADAPTERS

GRADIENT_BOUND = catalogue["meft.gradient_bound"]

# Constants that are floats exactly. At the third L decides, at the fourth G.
CHOICES: tuple[dict[str, float], ...] = (
    {},
    {"L": 2.0, "G": 0.5, "s": 2.0, "a": 0.5, "b": 1.5, "mu": 2.0, "nu": 0.75, "rho": 2.0}
    | {"a_0": 2.0, "b_0": 0.5, "w_0": 4.0},
    {"L": 4.0, "G": 2.0**-10, "a": 0.75, "b": 0.25, "nu": 0.5},
    {"L": 2.0**-10, "G": 4.0, "s": 0.5, "nu": 2.0, "a_0": 1.5},
    {"a": 0.25, "b": 2.0, "nu": 3.0, "w_0": 1.5},
    {"L": 3.0, "G": 2.0, "s": 1.25, "a": 2.0, "b": 1.75, "mu": 0.5, "rho": 0.5} | {"a_0": 0.75, "b_0": 3.0, "w_0": 8.0},
)
STARTS, ROUNDS = 16, 30
_SHOWN = 10**9
Constants = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Statement(Mutant):
    """A changed claim about the smoothness of an adapter. Its subject is the original, and the adapter where needed.

    Attributes:
        claim: the mutated claim.
        adapter: the kind of adapter that it is tried on.
        constants: what the adversary is given.
        ranks: the ranks that it may try.

    """

    layer = "falsification"
    claim: Claim
    adapter: str
    constants: Constants
    ranks: tuple[int, ...]

    def ask(self) -> Answer:
        """Let the adversary of `boundcheck falsify` climb at each rank, and certify the best that it finds.

        Its climbs are shared by the mutants of one adapter at the same constants, and count in the time of each. What
        falsify does after a first violation, which is to shrink the instance, is left out.
        """
        shared = 0.0
        for rank in self.ranks:
            began = time.perf_counter()
            climber, climbing = _climbed(self.adapter, GRADIENT_BOUND in self.claim.hypotheses, self.constants, rank)
            shared += climbing - (time.perf_counter() - began)
            if certify(climber.best(self.claim, "sigma")).violated:
                return Answer("violated", accepts=False, rejects=True, seconds=shared)
        return Answer("not violated", accepts=False, rejects=False, seconds=shared)


@dataclass(frozen=True)
class Drawn:
    """The mutants whose truth is decided, and how many are neither shown false nor true by construction."""

    decided: tuple[Statement, ...]
    undecided: int


@cache
def drawn(every: int = 1) -> Drawn:
    """Every n-th mutant, decided or not."""
    decided, undecided = [], 0
    for kind, claim in pairs():
        distinct: dict[object, Mutation] = {}
        for mutation in suspects(kind, claim):
            distinct.setdefault(_key(mutation), mutation)
        distinct.pop(_key(Mutation(claim, kind, "", "")), None)
        for mutation in list(distinct.values())[::every]:
            found = _false(mutation, claim)
            decided += [found] if found else []
            undecided += found is None
        for number, mutation in list(enumerate(variations(kind, claim)))[::every]:
            decided.append(_true(mutation, claim, number))
    return Drawn(tuple(decided), undecided)


def _key(mutation: Mutation) -> object:
    claim = mutation.claim
    return mutation.adapter, claim.quantities, claim.conditions, claim.hypotheses


def _ranks(claim: Claim) -> tuple[int, ...]:
    """The ranks of one and two of which the claim speaks."""
    return (1,) if any(str(c.lhs) == "r" for c in claim.conditions) else (1, 2)


def _constants(mutation: Mutation, original: Claim, choice: Mapping[str, float]) -> dict[str, float]:
    """The constants of an adapter at one of the choices; equal radii where a claim has one letter for both."""
    known = constants_of(mutation.adapter, original, {})
    known |= {name: value for name, value in choice.items() if name in known}
    radii = ADAPTERS[mutation.adapter].radius_names
    if any(p.name == "sigma" for p in (*original.parameters, *mutation.claim.parameters)):
        known |= dict.fromkeys(radii, known[radii[0]])
    if "s" in known and not any(p.name == "s" for p in mutation.claim.parameters):
        # A claim without a scale is said of W0 + BA.
        known["s"] = 1.0
    return known


def _inputs(claim: Claim, constants: Mapping[str, float], rank: int) -> dict[str, Number]:
    """The values of the claim's own symbols."""
    known: dict[str, Number] = {"s": 1, "r": rank, **constants}
    if "a" in known:
        known["sigma"] = known["C"] = known["a"]
    return {p.name: known[p.name] for p in claim.parameters}


def _false(mutation: Mutation, original: Claim) -> Statement | None:
    """The mutant as a false statement, at the constants at which it is most so; None where no exact point shows it."""
    largest, statement = Fraction(1), None
    for choice in CHOICES:
        constants = _constants(mutation, original, choice)
        for rank in _ranks(mutation.claim):
            found = _sides(mutation, constants, rank)
            if found is None or not found[0] > largest * found[1]:
                continue
            measured, bound, where = found
            largest = measured / bound
            numbers = f"{where}: curvature ≥ {_down(measured)} > {_up(bound)} ≥ L̂"
            statement = _statement(mutation, original, constants, False, numbers)
    return statement


def _sides(mutation: Mutation, constants: Mapping[str, float], rank: int) -> tuple[Fraction, Fraction, World] | None:
    """The curvature at the steepest exact point, an upper end of the mutant's L̂, and that point.

    None where there is no such point, where the mutant does not speak of these constants, and where its L̂ is no
    positive number there, or has a root of 0 in it.
    """
    items = tuple((name, Fraction(value)) for name, value in constants.items())
    try:
        world = steepest(mutation.adapter, items, GRADIENT_BOUND not in mutation.claim.hypotheses, rank)
        values = mutation.claim.check(_inputs(mutation.claim, constants, rank))
    except ValueError:
        return None
    formula = mutation.claim.expression("Lhat")
    ball = enclose(formula, values)
    # A root of 0 would be one of a negative number close by, where the adversary may look.
    under_roots = [enclose(x.base, values) for x in formula.atoms(sp.Pow) if not x.exp.is_integer]
    if not (ball.is_finite() and ball > 0 and all(each > 0 for each in under_roots)):
        return None
    return world.curvature(world.direction), above(ball), world


def _down(x: Fraction) -> Decimal:
    return Decimal(floor(x * _SHOWN)) / _SHOWN


def _up(x: Fraction) -> Decimal:
    return Decimal(ceil(x * _SHOWN)) / _SHOWN


def _true(mutation: Mutation, original: Claim, number: int) -> Statement:
    """A true variation, at the next of the choices of constants of which it speaks."""
    for turn in range(len(CHOICES)):
        constants = _constants(mutation, original, CHOICES[(number + turn) % len(CHOICES)])
        try:
            mutation.claim.check(_inputs(mutation.claim, constants, 1))
        except InputError:
            continue
        return _statement(mutation, original, constants, True, mutation.truth)
    raise ValueError(f"{mutation.claim.id}, {mutation.change}: it speaks of none of the constants")


def _statement(
    mutation: Mutation, original: Claim, constants: Mapping[str, float], true: bool, witness: str
) -> Statement:
    first = next(kind for kind, adapter in ADAPTERS.items() if original.id in adapter.claims)
    subject = original.id if mutation.adapter == first else f"{original.id} of {ADAPTERS[mutation.adapter].title}"
    return Statement(
        subject,
        mutation.kind,
        mutation.change,
        true,
        witness,
        mutation.claim,
        mutation.adapter,
        tuple(constants.items()),
        _ranks(mutation.claim),
    )


@cache
def _climbed(kind: str, spectral: bool, constants: Constants, rank: int) -> tuple[Climber, float]:
    """A climb from a few starts, and how long it took."""
    begin = time.perf_counter()
    # Of a claim a structure takes the norm in which it bounds the gradient, and nothing else.
    claim = next(
        each for each in catalogue.values() if each.quantities and (GRADIENT_BOUND in each.hypotheses) == spectral
    )
    structure = Structure.of(claim, kind, (rank + 1, rank + 1, rank), dict(constants))
    return Climber(structure, STARTS, 0).run(ROUNDS), time.perf_counter() - begin
