"""Rational numbers for the atoms that make the premises hold and the goal fail: searched with z3, verified exactly.

A counterexample refutes the entailment between polynomials. Matrices with these norms and traces may not exist, so a
step with a counterexample may be true; it lacks a justification.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from time import monotonic
from typing import Literal

from boundcheck.errors import BoundcheckError
from boundcheck.kernel import Fact
from boundcheck.kernel.terms import Atom, Root, Scalar
from boundcheck.proof.smt import atoms_of, definition, read_models, smt_lib, variables
from boundcheck.proof.solvers import Answer, ask

# z3 prints an irrational number as root-obj, and with these options once more as a decimal.
_DECIMALS = "(set-option :pp.decimal true)\n(set-option :pp.decimal_precision 40)\n(get-model)\n"
# Rational numbers near an irrational one are tried at these numbers of binary places.
_GRIDS = (0, 1, 3, 6, 12, 24)
# The part of the remaining time that one of these attempts may take.
_SHARE = 0.25


class CounterexampleError(BoundcheckError):
    """The values are not a counterexample: a premise or definition fails, the goal holds, or a value is missing."""


@dataclass(frozen=True)
class Counterexample:
    """A verified counterexample.

    Attributes:
        values: a rational number for every atom.
        goal: the fact that fails there.
        premises: the facts that hold there, with the definitions of roots, inverses, norms and dimensions.

    """

    values: Mapping[Atom, Fraction]
    goal: Fact
    premises: tuple[Fact, ...]

    def __post_init__(self) -> None:
        self.check()

    def check(self) -> None:
        """Evaluate everything again in rational arithmetic; raises CounterexampleError if the check fails."""
        for atom in atoms_of([self.goal, *self.premises]):
            if not isinstance(self.values.get(atom), Fraction):
                raise CounterexampleError(f"{atom} = {self.values.get(atom)}: a counterexample needs a rational number")
        for fact in self.premises:
            if not self._holds(fact):
                raise CounterexampleError(f"the premise {fact} fails")
        for atom in atoms_of([self.goal, *self.premises]):
            cases = definition(atom)
            if cases and not any(all(self._holds(fact) for fact in case) for case in cases):
                raise CounterexampleError(f"{atom} cannot be {self.values[atom]}")
        if self._holds(self.goal):
            raise CounterexampleError(f"the goal {self.goal} holds")

    def _holds(self, fact: Fact) -> bool:
        value = evaluate(fact.polynomial, self.values)
        return value > 0 or (value == 0 and fact.relation != ">") if fact.relation != "=" else value == 0

    def __str__(self) -> str:
        return ", ".join(f"{atom} = {value}" for atom, value in sorted(self.values.items()))


@dataclass(frozen=True)
class NoCounterexample:
    """The result of a search that found no counterexample.

    Attributes:
        status: "unsat": z3 says that there is none; "irrational": z3 says that there is one, and no rational one was
            found; "unknown": z3 has no answer.
        reason: in words.

    """

    status: Literal["unsat", "irrational", "unknown"]
    reason: str


def evaluate(polynomial: Scalar, values: Mapping[Atom, Fraction]) -> Fraction:
    """The value of the polynomial; raises KeyError for an atom without a value."""
    total = Fraction(0)
    for monomial, coefficient in polynomial.terms.items():
        for atom, exponent in monomial:
            coefficient *= values[atom] ** exponent
        total += coefficient
    return total


def counterexample(goal: Fact, premises: Sequence[Fact], seconds: float) -> Counterexample | NoCounterexample:
    """Search for a rational counterexample, for at most so many seconds.

    Raises what `solvers.ask` raises.
    """
    return _Search(goal, tuple(premises), monotonic() + seconds).run(seconds)


@dataclass(frozen=True)
class _Model:
    """z3's model: a rational number for some atoms, and an approximation for the others."""

    values: dict[Atom, Fraction]
    near: dict[Atom, Fraction]


@dataclass(frozen=True)
class _Search:
    goal: Fact
    premises: tuple[Fact, ...]
    deadline: float

    def run(self, seconds: float) -> Counterexample | NoCounterexample:
        answer = self._ask(self.goal, self.premises, seconds)
        if answer.status == "unsat":
            return NoCounterexample("unsat", "z3 finds that the premises entail the goal")
        model = self._read(answer)
        if model is None:
            return NoCounterexample("unknown", answer.reason or "z3 says sat and its model cannot be read")
        return (
            self._verified(model)
            or self._nearby(model)
            or NoCounterexample("irrational", "z3 says that there is a counterexample; no rational one was found")
        )

    def _nearby(self, model: _Model) -> Counterexample | None:
        """Replace irrational values by rational ones near them, one by one, and solve for the others again."""
        fixed: list[Fact] = []
        tried: set[Atom] = set()
        while waiting := [atom for atom in sorted(model.near, key=self._rank) if atom not in tried]:
            atom = waiting[0]
            tried.add(atom)
            for candidate in _rationals_near(model.near[atom]):
                choice = Fact("=", Scalar.of(atom) - candidate)
                found = self._attempt(self.goal, [*self.premises, *fixed, choice])
                if found is not None:
                    model = found
                    fixed.append(choice)
                    break
            if found_one := self._verified(model):
                return found_one
        return None

    def _rank(self, atom: Atom) -> tuple[bool, int, Atom]:
        """A sort key, roots and high powers first: the rest is then of low degree, and its solutions are rational."""
        facts = (self.goal, *self.premises)
        degree = max((dict(m).get(atom, 0) for fact in facts for m in fact.polynomial.terms), default=0)
        return not isinstance(atom, Root), -degree, atom

    def _attempt(self, goal: Fact, premises: Sequence[Fact]) -> _Model | None:
        seconds = _SHARE * (self.deadline - monotonic())
        return self._read(self._ask(goal, premises, seconds)) if seconds > 0 else None

    def _ask(self, goal: Fact, premises: Sequence[Fact], seconds: float) -> Answer:
        return ask("z3", smt_lib(goal, premises, model=True) + _DECIMALS, seconds)

    def _read(self, answer: Answer) -> _Model | None:
        if answer.status != "sat":
            return None
        try:
            exact, decimal = read_models(answer.model)
        except ValueError:
            return None
        # All attempts have the same atoms, so the names are the same.
        names = variables(self.goal, self.premises)
        # A variable that the model leaves out may have any value.
        read = {atom: exact.get(name, Fraction(0)) for atom, name in names.items()}
        near = {atom: decimal.get(names[atom]) or Fraction(0) for atom, value in read.items() if value is None}
        return _Model({atom: value for atom, value in read.items() if value is not None}, near)

    def _verified(self, model: _Model) -> Counterexample | None:
        if model.near:
            return None
        try:
            return Counterexample(model.values, self.goal, self.premises)
        except CounterexampleError:
            return None


def _rationals_near(value: Fraction) -> Iterator[Fraction]:
    seen: set[Fraction] = set()
    for places in _GRIDS:
        scaled = value * 2**places
        around = {Fraction(floor(scaled), 2**places), Fraction(ceil(scaled), 2**places)}
        yield from sorted(around - seen, key=lambda x: (abs(x - value), x))
        seen |= around
