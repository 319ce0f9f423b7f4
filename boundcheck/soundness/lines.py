"""The proved lines of proof scripts, and which worlds their premises allow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import islice
from typing import Any, TypeVar

from boundcheck.kernel import Fact, Statement
from boundcheck.prove import Script, judge
from boundcheck.prove.proof import Because, Step
from boundcheck.prove.script import of_paper
from boundcheck.soundness.worlds import World, worlds
from boundcheck.soundness.worlds.world import composites

Item = TypeVar("Item")

PAPER = "jiang2024"


@cache
def scripts() -> tuple[Script, ...]:
    """All scripts of the paper, once per process."""
    return tuple(of_paper(PAPER))


@dataclass(frozen=True, eq=False)
class Line:
    """A proved line with its script, its own fact and what its premises rest on."""

    script: Script
    step: Step
    because: Because
    fact: Fact
    hypotheses: frozenset[Statement]

    @property
    def key(self) -> tuple[Fact, frozenset[Statement]]:
        """What the line says, and from what it follows."""
        return self.fact, frozenset(x.conclusion for x in self.because.premises)

    @property
    def name(self) -> str:
        """Script, version and label."""
        return f"{self.script.id}, {self.script.version}, {self.step.label}"

    @property
    def composite(self) -> frozenset[str]:
        """The matrix letters that the proof reads as more than a matrix of their own."""
        return composites(self.script.proof)

    def allowed(self, most: int) -> list[World]:
        """Up to so many worlds that value the line, and in which all that the premises rest on holds."""
        return list(islice(self.allowing(mixed(), self.hypotheses), most))

    def allowing(self, candidates: Iterable[World], hypotheses: frozenset[Statement]) -> Iterator[World]:
        """The worlds among the candidates that value the line, and in which these hypotheses hold."""
        proof = self.script.proof
        return (x for x in candidates if x.values(self.fact) and x.allows(hypotheses, proof))

    def without(self, place: int) -> tuple[Because, frozenset[Statement]]:
        """What the line is closed from with one premise dropped, and what the others rest on."""
        given = self.because
        kept = tuple(x for i, x in enumerate(given.premises) if i != place)
        # The places of strict facts were counted with it.
        because = Because(kept, given.hints, None, given.degree)
        return because, frozenset().union(*(x.hypotheses for x in kept))


@cache
def mixed() -> tuple[World, ...]:
    """All worlds, in an order that is fixed and mixed."""
    return tuple(mixed_up(worlds()))


def mixed_up(items: Sequence[Item]) -> list[Item]:
    """The same items in an order that is fixed and mixed."""
    order = sorted(range(len(items)), key=lambda place: sha256(str(place).encode()).hexdigest())
    return [items[place] for place in order]


@cache
def lines(script: Script) -> tuple[Line, ...]:
    """The lines of a script that are proved by a search, each once."""
    found: dict[Any, Line] = {}
    for judged in judge(script).steps:
        step = judged.step
        if judged.verdict == "proved" and step.because is not None:
            hypotheses = frozenset().union(*(x.hypotheses for x in step.because.premises))
            line = Line(script, step, step.because, script.proof.reading.fact(step.relation), hypotheses)
            found.setdefault(line.key, line)
    return tuple(found.values())


@cache
def new_lines(script: Script) -> tuple[Line, ...]:
    """Those lines that no earlier script has."""
    earlier = {line.key for each in scripts()[: scripts().index(script)] for line in lines(each)}
    return tuple(line for line in lines(script) if line.key not in earlier)


@cache
def all_lines() -> tuple[Line, ...]:
    """Each line of all scripts once, in the order of the scripts."""
    return tuple(line for script in scripts() for line in new_lines(script))
