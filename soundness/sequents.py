"""Sequents: what `statement` makes of a claim, held against the claim as it is evaluated without
the kernel.

The claims are theorems about runs of the catalogue, and each with one place changed: its
conclusion, a hypothesis, a condition, or the formula of a quantity. Each part is evaluated on exact
runs twice: as a sympy relation by `ExactModel.says`, which shares no code with the translation, and
as a fact of the sequent. What the two say must be the same; and where a run tells a changed claim
from the claim, their sequents differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import Any

import sympy as sp

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, KernelError
from boundcheck.language.algorithms import ALGORITHMS, LinearMethod
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantifier
from boundcheck.language.symbols import T
from boundcheck.proof.statement import Sequent, statement
from soundness import edits
from soundness.exact_model import ExactModel
from soundness.exact_models import runs_of
from soundness.trial import Answer, Mutant, varied

# Runs that each claim is held against, and changes of each of its parts.
_RUNS = 16
_CHANGES = 40


@dataclass(frozen=True, eq=False)
class Part:
    """A relation that a claim says, and what makes a claim that says another in its place."""

    name: str
    relation: sp.Basic
    claim: Claim
    put: Callable[[sp.Basic], Claim]

    @property
    def fact(self) -> Fact:
        """The relation as the claim's sequent has it.

        Raises ValueError where the sequent has it not, or nothing to compare is in it.
        """
        sequent = sequent_of(self.claim)
        fact = sequent.reading.fact(self.relation)
        if fact != sequent.conclusion and fact not in sequent.hypotheses:
            raise ValueError(f"{self.claim.id} does not say {self.relation} to the kernel")
        return fact


@dataclass(frozen=True, eq=False)
class Evaluated(Mutant):
    """A part of a claim on a run, where it is true or false as `says` has it."""

    layer = "statement"
    part: Part
    run: ExactModel

    def ask(self) -> Answer:
        """Evaluate it in the kernel's terms."""
        fact = self.part.fact
        holds, fails = self.run.meets(fact), self.run.refutes(fact)
        return Answer("holds" if holds else "fails" if fails else "open", holds, fails)


@dataclass(frozen=True, eq=False)
class Compared(Mutant):
    """A claim with one place changed, which a run tells from the claim: it has another sequent."""

    layer = "statement"
    first: Claim
    second: Claim

    def ask(self) -> Answer:
        """Compare the sequents; a claim that cannot be stated is refused."""
        try:
            first, second = sequent_of(self.first), sequent_of(self.second)
        except InputError:
            return Answer("refused", rejects=True)
        same = first.conclusion == second.conclusion and first.hypotheses == second.hypotheses
        return Answer("the same" if same else "another", same, not same)


@cache
def sequent_of(claim: Claim) -> Sequent:
    """The sequent of a claim, made once."""
    return statement(claim)


@cache
def theorems() -> tuple[Claim, ...]:
    """The theorems about runs of methods on functions of a vector, as claims of nobody's catalogue,
    so that no other statement of them is known.
    """
    return tuple(
        replace(claim, id=f"mutant.{claim.id}", measure=None, setting=None)
        for claim in catalogue.values()
        if isinstance(claim.algorithm, LinearMethod)
    )


def parts(claim: Claim) -> Iterator[Part]:
    """What a claim says: its conclusion, conditions, formulas, and hypotheses about iterates."""

    def one_of(name: str, place: int, items: tuple[Any, ...], said: sp.Basic, field: str) -> Part:
        def put(relation: sp.Basic) -> Claim:
            new: Any = relation
            if name == "quantities":
                new = replace(items[place], expression=relation.rhs)
            elif name == "hypotheses":
                changed = f"{items[place].id}.changed"
                new = replace(items[place], id=changed, conclusion=relation, word=None)
            changes: Any = {name: (*items[:place], new, *items[place + 1 :])}
            return replace(claim, **changes)

        return Part(field, said, claim, put)

    yield Part(
        "conclusion", claim.conclusion, claim, lambda relation: replace(claim, conclusion=relation)
    )
    for place, condition in enumerate(claim.conditions):
        yield one_of("conditions", place, claim.conditions, condition, f"condition {place}")
    for place, quantity in enumerate(claim.quantities):
        formula = sp.Eq(quantity.symbol, quantity.expression, evaluate=False)
        yield one_of("quantities", place, claim.quantities, formula, quantity.name)
    stated = {each.hypothesis for each in sequent_of(claim).given if each.says}
    for place, hypothesis in enumerate(claim.hypotheses):
        said = hypothesis.conclusion
        if (
            hypothesis in stated
            and not said.atoms(sp.MatrixSymbol)
            and not isinstance(said, sp.And)
        ):
            yield one_of("hypotheses", place, claim.hypotheses, said, hypothesis.id)


def changed(part: Part, relation: sp.Basic) -> Part | None:
    """The part with another relation, in the claim that says it; None where no claim can."""
    try:
        found = Part(part.name, relation, part.put(relation), part.put)
        return found if found.fact else None
    except (InputError, KernelError, ValueError):
        # A claim that cannot be stated is refused.
        return None


def _changes(part: Part) -> Iterator[edits.Change]:
    """The part with one place changed; of a formula its expression alone."""
    symbol = part.relation.lhs
    if any(symbol == each.symbol for each in part.claim.quantities):
        for edit in edits.of_expression(part.relation.rhs):
            yield replace(edit, result=sp.Eq(symbol, edit.result, evaluate=False))
        return
    yield from edits.of_relation(part.relation)


def _told(part: Part, kind: str, change: str, runs: tuple[ExactModel, ...]) -> Iterator[Evaluated]:
    for run in runs:
        truth = run.says(part.relation)
        if truth is None:
            continue
        subject, about = f"{part.claim.id}, {part.name}", f"{part.relation} on {run.about}"
        said = varied(kind) if truth else kind
        yield Evaluated(subject, said, f"{change} on {run.about}", truth, about, part, run)


def _pairs(claim: Claim) -> Iterator[Evaluated | Compared]:
    runs = tuple(islice(edits.mixed_up(runs_of(claim)), _RUNS))
    for part in parts(claim):
        yield from _told(part, "as it is", "nothing", runs)
        for edit in islice(edits.mixed_up(list(_changes(part))), _CHANGES):
            other = changed(part, edit.result)
            if other is None:
                continue
            yield from _told(other, edits.KINDS[edit.kind], edit.where, runs)
            for run in runs:
                if {run.says(part.relation), run.says(other.relation)} == {True, False}:
                    name = f"{claim.id}, {part.name}"
                    yield Compared(
                        name, "another claim", edit.where, False, run.about, claim, other.claim
                    )
                    break
    for change, restated in _restated(claim):
        yield Compared(claim.id, "another claim", change, False, "by its words", claim, restated)


def _restated(claim: Claim) -> Iterator[tuple[str, Claim]]:
    """The claim without what one of its hypotheses says: it is dropped, or holds only somewhere."""
    stated = [each.hypothesis for each in sequent_of(claim).given if each.says]
    some = Quantifier(within="at some time")
    for lost in (x for x in claim.hypotheses if x in stated):
        narrower = (
            (f"{lost.id} dropped", None),
            (f"{lost.id} where T >= 9", replace(lost, conditions=(sp.Ge(T, 9),), word=None)),
            (f"{lost.id} at some time", replace(lost, quantifier=some, word=None)),
        )
        for change, instead in narrower:
            kept = (instead if x is lost else x for x in claim.hypotheses)
            yield change, replace(claim, hypotheses=tuple(x for x in kept if x is not None))
    for algorithm in ALGORITHMS.values():
        if isinstance(algorithm, LinearMethod) and algorithm is not claim.algorithm:
            yield f"of {algorithm.title}", replace(claim, algorithm=algorithm)


def sequents(every: int = 1, first: int = 0) -> Iterator[Evaluated | Compared]:
    """The pairs of claim and run, and the changed claims, of every so many theorems."""
    for claim in theorems()[first::every]:
        yield from _pairs(claim)
