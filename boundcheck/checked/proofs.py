"""Mutants of the lines of proofs: a changed line, or a line with fewer premises, tried by the search for a proof.

A false one is false twice over: as the kernel's terms are meant (`boundcheck.kernel.meaning`), and as the sympy
relation is evaluated without the kernel or the translation (`Setting.verdict`). Nothing is drawn. At the end stands
which mutants of lines and of claims are tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

import sympy as sp

from boundcheck.checked.claim_mutants import ClaimMutant, false_edits, provable, true_claims, without_hypothesis
from boundcheck.checked.edits import KINDS, in_turn, mixed_up, of_relation, variations, walk
from boundcheck.checked.exact_models import ExactModel
from boundcheck.checked.exact_models.exact_model import broken
from boundcheck.checked.scripts import Line, all_lines, allowed, answer, refutes
from boundcheck.checked.trial import Answer, Mutant, varied
from boundcheck.errors import BoundcheckError, InputError
from boundcheck.kernel import Fact, KernelError, Statement, Theorem
from boundcheck.proof import Proof, Script
from boundcheck.proof.certificate import signs
from boundcheck.proof.proof import Because, Induction
from boundcheck.proof.solvers import counterexample

# What the two evaluations of a suspect say together. Only where both say false it is a false mutant.
Finding = Literal["false", "true or open", "false for the kernel alone", "disagreement"]
# A true variation is held against so many worlds, and z3 looks for a counterexample to it for so many seconds.
_WORLDS, _SECONDS = 6, 0.5


# How many mutants of a line are tried. With more premises the search for a proof that does not exist takes longer.
_FEW, _SOME, _MANY = 1, 3, 5
_TRUE = 4
# Edits of a claim, each of which runs its whole script.
_EDITS = 3


class DisagreementError(BoundcheckError):
    """A relation and its translation to the kernel have different truth values in a world: a bug of one of the two."""


@dataclass(frozen=True, eq=False)
class LineMutant(Mutant):
    """A changed line, or a line with fewer premises.

    Attributes:
        relation, fact: what is claimed.
        because: from what it should follow.
        hypotheses: what these premises rest on.
        world: of a false one, where all of the hypotheses hold and the relation fails.
        uses: of a true one, what holds anyway and makes it follow from the line.

    """

    layer = "proof"
    line: Line
    relation: sp.Basic
    fact: Fact
    because: Because | Induction
    hypotheses: frozenset[Statement]
    world: ExactModel | None = None
    uses: tuple[Fact, ...] = ()

    def __str__(self) -> str:
        return f"{self.subject}: {self.kind}, {self.change}: {self.relation}; {self.witness}"

    def ask(self) -> Answer:
        """Let the search derive it, and let everything that can refute it.

        A false one is refuted where the verdict on a step, with its world as witness, says so. A true one is refuted
        by a world in which its hypotheses hold, by the verdict, or by numbers at which its premises and the line that
        it was made of hold and it fails.
        """
        proof = self.line.script.proof
        proved = proof.close(self.relation, self.because) is not None
        if self.world is None:
            return answer(True, proved, self._contradicted(proved))
        refuted = not proved and refutes(self.world, self.relation, proof, self.hypotheses)
        return answer(False, proved, refuted)

    def _contradicted(self, proved: bool) -> bool:
        """True if anything speaks against a true mutant."""
        line, proof = self.line, self.line.script.proof
        for world in allowed(line, _WORLDS):
            if world.says(self.relation, line.composite) is False:
                return True
            if refutes(world, self.relation, proof, self.hypotheses):
                return True
        if proved:
            return False
        premises = [line.fact, *self.uses, *(x.fact for x in self.because.premises)]
        premises += [x.fact for x in (*signs([self.fact, *premises]), *self._positive())]
        return counterexample(self.fact, premises, _SECONDS) is not None

    def _positive(self) -> list[Theorem]:
        """Theorems that the letters that sympy knows to be positive are positive."""
        parts = [x for relation in (self.relation, self.line.step.relation) for _, x in walk(relation)]
        letters = {x for x in parts if isinstance(x, sp.Symbol) and x.is_positive}
        return Proof(None, self.line.script.reading).positive(*sorted(letters, key=str))


def false_of(line: Line, most: int | None = None, most_worlds: int = 6) -> Iterator[LineMutant]:
    """At most `most` mutants of a line that are false in one of `most_worlds` worlds, the kinds of change in turn.

    Raises:
        DisagreementError: where one evaluation calls a suspect false and the other calls it true.

    """

    def false() -> Iterator[LineMutant]:
        for finding, mutant in examined(line, most_worlds):
            if finding == "disagreement":
                raise DisagreementError(f"the kernel's terms and the relation itself differ: {mutant}")
            if finding == "false":
                yield mutant

    return islice(false(), most)


def true_of(line: Line, most: int | None = None) -> Iterator[LineMutant]:
    """At most `most` mutants of a line that are true because the line is, the kinds of change in turn."""
    reading, found = line.script.proof.reading, []
    for each in variations(line.step.relation):
        try:
            fact, uses = reading.fact(each.result), tuple(map(reading.fact, each.uses))
        except (InputError, KernelError):
            continue
        kind, why = varied(each.kind), f"follows from the proved line: {each.kind}, {each.where}"
        given = each.result, fact, line.because, line.hypotheses
        found.append(LineMutant(line.name, kind, each.where, True, why, line, *given, uses=uses))
    yield from in_turn(found, all_lines().index(line))[:most]


def examined(line: Line, most_worlds: int) -> Iterator[tuple[Finding, LineMutant]]:
    """All suspects of a line, and what the worlds say of each."""
    for suspect in in_turn(list(_suspects(line)), all_lines().index(line)):
        yield _examine(suspect, _worlds_for(suspect, most_worlds))


def _suspects(line: Line) -> Iterator[LineMutant]:
    """The edits that the vocabulary can say and that say something else; and the line with a premise dropped.

    None of them has been shown to be false, and so they have no world yet.
    """
    seen = {line.fact}
    for edit in of_relation(line.step.relation):
        try:
            fact = line.script.proof.reading.fact(edit.result)
        except (InputError, KernelError):
            continue
        if fact not in seen:
            seen.add(fact)
            given = edit.result, fact, line.because, line.hypotheses
            yield LineMutant(line.name, KINDS[edit.kind], edit.where, False, "", line, *given)
    for premise, because, hypotheses in line.without_one():
        if hypotheses != line.hypotheses:
            change, given = f"without {premise.conclusion}", (line.step.relation, line.fact, because, hypotheses)
            yield LineMutant(line.name, "hypothesis dropped", change, False, "", line, *given)


def _worlds_for(suspect: LineMutant, most: int) -> Iterator[ExactModel]:
    line = suspect.line
    if suspect.hypotheses == line.hypotheses:
        return iter(allowed(line, most))
    # Only a number that occurs in the line can make it fail.
    names = {x.name for x in suspect.relation.free_symbols}
    changed = (y for x in allowed(line, most) for y in broken(x) if y.changed <= names and y.refutes(suspect.fact))
    return islice(line.allowing(changed, suspect.hypotheses), most)


def _examine(suspect: LineMutant, worlds: Iterator[ExactModel]) -> tuple[Finding, LineMutant]:
    finding: Finding = "true or open"
    for world in worlds:
        first, second = world.refutes(suspect.fact), world.says(suspect.relation, suspect.line.composite)
        if first and second is False:
            return "false", replace(suspect, world=world, witness=world.about)
        if (first and second is True) or (second is False and world.meets(suspect.fact)):
            return "disagreement", replace(suspect, world=world, witness=world.about)
        if first:
            finding = "false for the kernel alone"
    return finding, suspect


# Which are tried


def false_mutants(every: int = 1, first: int = 0) -> Iterator[LineMutant | ClaimMutant]:
    """False mutants of every so many lines and claims, in a mixed order, each shown to be false by a world.

    Args:
        every: 1 for all lines and claims, 10 for a tenth of them.
        first: which one to begin with, less than `every`.

    Raises:
        InputError: for another `first`.

    """
    for subject in _share(every, first):
        if isinstance(subject, Line):
            yield from false_of(subject, most_of(subject))
        else:
            yield from false_edits(subject, _EDITS)
            yield from without_hypothesis(subject)


def true_variations(every: int = 1, first: int = 0) -> Iterator[LineMutant | ClaimMutant]:
    """Mutants that are true by construction, of the lines and claims that `false_mutants` takes."""
    for subject in _share(every, first):
        yield from true_of(subject, _TRUE) if isinstance(subject, Line) else true_claims(subject)


def _share(every: int, first: int) -> Sequence[Line | Script]:
    if not 0 <= first < every:
        raise InputError("first", first, f"a number from 0 to {every - 1}")
    subjects: list[Line | Script] = [*all_lines(), *provable()]
    return mixed_up(subjects)[first::every]


def most_of(line: Line) -> int:
    """The number of false mutants of a line that are tried."""
    premises = len(line.because.premises)
    return _MANY if premises <= 3 else _SOME if premises <= 5 else _FEW
