"""Mutants of the lines of proofs: false ones, each shown to be false by a world, and true ones, by what was changed.

A false one is false twice over: as the kernel's terms are meant (`boundcheck.kernel.meaning`), and as the sympy
relation is evaluated without the kernel or the translation (`Setting.verdict`). Nothing is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice, zip_longest
from typing import Literal, TypeVar

import sympy as sp

from boundcheck.errors import BoundcheckError, InputError
from boundcheck.kernel import Fact, KernelError, Statement
from boundcheck.prove.proof import Because
from boundcheck.soundness.edits import KINDS, of_relation
from boundcheck.soundness.lines import Line, all_lines, mixed_up
from boundcheck.soundness.variations import variations
from boundcheck.soundness.worlds import World
from boundcheck.soundness.worlds.broken import broken

# What the two ways of evaluating a suspect say: both false, or what keeps it from being a false mutant.
Finding = Literal["false", "true or open", "false for the kernel alone", "disagreement"]
# The kind that is false most often, which would else crowd out the others.
_LAST = "relation"


class DisagreementError(BoundcheckError):
    """A relation and its translation to the kernel have different truth values in a world: a bug of one of the two."""


@dataclass(frozen=True, eq=False)
class Mutant:
    """A changed line, or a line with fewer premises.

    Attributes:
        relation: what is claimed.
        because: from what it should follow.
        hypotheses: what these premises rest on.
        world: of a false one, where all of the hypotheses hold and the relation fails.
        truth: of a true one, why it is true.
        uses: of a true one, what holds anyway and makes it follow from the line.

    """

    line: Line
    kind: str
    change: str
    relation: sp.Basic
    fact: Fact
    because: Because
    hypotheses: frozenset[Statement]
    world: World | None = None
    truth: str = ""
    uses: tuple[Fact, ...] = ()

    def __str__(self) -> str:
        why = f"false in: {self.world.about}" if self.world else self.truth
        return f"{self.line.name}: {self.kind}, {self.change}: {self.relation}; {why}"


@dataclass(frozen=True)
class _Suspect:
    """A mutant of which nothing is known yet."""

    kind: str
    change: str
    relation: sp.Basic
    fact: Fact
    because: Because
    hypotheses: frozenset[Statement]


Changed = TypeVar("Changed", _Suspect, Mutant)


def false_of(line: Line, most: int | None = None, most_worlds: int = 6) -> Iterator[Mutant]:
    """Up to so many mutants of a line that are false in one of so many worlds, the kinds of change in turn.

    Raises:
        DisagreementError: where one evaluation calls a suspect false and the other calls it true.

    """
    return islice(_false(line, most_worlds), most)


def _false(line: Line, most_worlds: int) -> Iterator[Mutant]:
    for finding, mutant in examined(line, most_worlds):
        if finding == "disagreement":
            raise DisagreementError(f"the kernel's terms and the relation itself differ: {mutant}")
        if finding == "false":
            yield mutant


def true_of(line: Line, most: int | None = None) -> Iterator[Mutant]:
    """Up to so many mutants of a line that are true because the line is, the kinds of change in turn."""
    reading, found = line.script.proof.reading, []
    for each in variations(line.step.relation):
        try:
            fact, uses = reading.fact(each.relation), tuple(map(reading.fact, each.uses))
        except (InputError, KernelError):
            continue
        why = f"follows from the proved line: {each.kind}, {each.change}"
        given = line.because, line.hypotheses
        found.append(Mutant(line, each.kind, each.change, each.relation, fact, *given, truth=why, uses=uses))
    yield from _in_turn(found, all_lines().index(line))[:most]


def examined(line: Line, most_worlds: int) -> Iterator[tuple[Finding, Mutant]]:
    """All suspects of a line, and what the worlds say of each."""
    for suspect in _in_turn(list(_suspects(line)), all_lines().index(line)):
        yield _examine(line, suspect, _worlds_for(line, suspect, most_worlds))


@cache
def allowed(line: Line, most: int) -> tuple[World, ...]:
    """The worlds of `Line.allowed`, found once."""
    return tuple(line.allowed(most))


def _worlds_for(line: Line, suspect: _Suspect, most: int) -> Iterator[World]:
    if suspect.hypotheses == line.hypotheses:
        return iter(allowed(line, most))
    # Only a number that the line speaks of can make it fail.
    names = {x.name for x in suspect.relation.free_symbols}
    changed = (y for x in allowed(line, most) for y in broken(x) if y.changed <= names and y.refutes(suspect.fact))
    return islice(line.allowing(changed, suspect.hypotheses), most)


def _examine(line: Line, suspect: _Suspect, worlds: Iterator[World]) -> tuple[Finding, Mutant]:
    finding: Finding = "true or open"
    found: World | None = None
    for world in worlds:
        first, second = world.refutes(suspect.fact), world.says(suspect.relation, line.composite)
        if first and second is False:
            finding, found = "false", world
            break
        if (first and second is True) or (second is False and world.meets(suspect.fact)):
            finding, found = "disagreement", world
            break
        if first:
            finding, found = "false for the kernel alone", world
    s = suspect
    return finding, Mutant(line, s.kind, s.change, s.relation, s.fact, s.because, s.hypotheses, found)


def _suspects(line: Line) -> Iterator[_Suspect]:
    """The edits of a line that the vocabulary can say, and that say something else; and the line with less to go on."""
    seen = {line.fact}
    for edit in of_relation(line.step.relation):
        try:
            fact = line.script.proof.reading.fact(edit.result)
        except (InputError, KernelError):
            continue
        if fact not in seen:
            seen.add(fact)
            yield _Suspect(KINDS[edit.kind], edit.where, edit.result, fact, line.because, line.hypotheses)
    for place, premise in enumerate(line.because.premises):
        because, hypotheses = line.without(place)
        if hypotheses != line.hypotheses:
            change = f"without {premise.conclusion}"
            yield _Suspect("hypothesis dropped", change, line.step.relation, line.fact, because, hypotheses)


def _in_turn(suspects: Sequence[Changed], first: int) -> list[Changed]:
    """The kinds in turn, each of them in a mixed order, from another kind on for every line."""
    kinds = sorted({x.kind for x in suspects} - {_LAST})
    start = first % max(len(kinds), 1)
    queues = [mixed_up([x for x in suspects if x.kind == kind]) for kind in kinds[start:] + kinds[:start]]
    found = [x for turn in zip_longest(*queues) for x in turn if x is not None]
    return found + mixed_up([x for x in suspects if x.kind == _LAST])
