"""The scripts of all papers, their proved lines, and the worlds that these are held against."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

import sympy as sp

from boundcheck.checked.edits import mixed_up
from boundcheck.checked.exact_models import ExactModel, worlds
from boundcheck.checked.exact_models.exact_model import composites
from boundcheck.checked.trial import Answer
from boundcheck.kernel import Fact, Statement, Theorem
from boundcheck.language.prose import plain
from boundcheck.proof import Proof, Script, judge
from boundcheck.proof.proof import Because, Induction, Step
from boundcheck.proof.script import of_paper
from boundcheck.proofs import papers


@cache
def scripts() -> tuple[Script, ...]:
    """All scripts of the papers in `proofs/`, once per process."""
    return tuple(each for key, paper in papers().items() if paper.is_ours for each in of_paper(key))


@cache
def mixed_worlds() -> tuple[ExactModel, ...]:
    """All worlds, in an order that is fixed and mixed."""
    return tuple(mixed_up(worlds()))


def refutes(world: ExactModel, relation: sp.Basic, proof: Proof, hypotheses: Collection[Statement]) -> bool:
    """True if the world refutes a step that says the relation, under these hypotheses of a proof."""
    # The world was chosen because the laws hold in it. The verdict believes no witness about laws, and gets facts only.
    facts = [x for x in proof.assumptions if x.statement in hypotheses and isinstance(x.statement, Fact)]

    def build(mutant: Proof) -> None:
        mutant.assumptions += facts
        mutant.step("mutant", relation, witness=world.witness)

    (step,) = judge(Script("mutant", "printed", "", None, proof.reading, build)).steps
    return step.verdict == "refuted"


def answer(true: bool, proved: bool, refuted: bool = False) -> Answer:
    """The answer of the proof layer. Of a false mutant it is enough that it is not proved."""
    outcome = "refuted" if refuted else "proved" if proved else "not proved"
    return Answer(outcome, accepts=proved, rejects=refuted if true else not proved)


@dataclass(frozen=True, eq=False)
class Line:
    """A proved line with its script, its own fact and what its premises rest on."""

    script: Script
    step: Step
    because: Because | Induction
    fact: Fact
    hypotheses: frozenset[Statement]

    @property
    def key(self) -> tuple[Fact, frozenset[Statement]]:
        """The fact, and the conclusions that it follows from."""
        return self.fact, frozenset(x.conclusion for x in self.because.premises)

    @property
    def name(self) -> str:
        """Script, version and label."""
        return f"{self.script.id}, {self.script.version}, {plain(self.step.label)}"

    @property
    def composite(self) -> frozenset[str]:
        """The matrix letters that the proof reads as more than a matrix of their own."""
        return composites(self.script.proof)

    def allowing(self, candidates: Iterable[ExactModel], hypotheses: frozenset[Statement]) -> Iterator[ExactModel]:
        """The candidates that have a value for the line, and in which these hypotheses hold."""
        proof = self.script.proof
        return (x for x in candidates if x.values(self.fact) and x.allows(hypotheses, proof))

    def without_one(self) -> Iterator[tuple[Theorem, Because, frozenset[Statement]]]:
        """Each premise, from what the line is closed without it, and what the others rest on.

        None of an induction: what closes its second part is found anew for each line.
        """
        given = self.because
        if isinstance(given, Induction):
            return
        for place, premise in enumerate(given.premises):
            kept = given.premises[:place] + given.premises[place + 1 :]
            # The places of strict facts were counted with it.
            yield premise, Because(kept, given.hints, None, given.degree), _rest_on(kept)


def _rest_on(premises: Iterable[Theorem]) -> frozenset[Statement]:
    return frozenset[Statement]().union(*(x.hypotheses for x in premises))


@cache
def allowed(line: Line, most: int) -> tuple[ExactModel, ...]:
    """At most `most` worlds that have a value for the line, and in which all that its premises rest on holds."""
    return tuple(islice(line.allowing(mixed_worlds(), line.hypotheses), most))


@cache
def lines(script: Script) -> tuple[Line, ...]:
    """The lines of a script that are proved by a search, each once."""
    found: dict[tuple[Fact, frozenset[Statement]], Line] = {}
    for judged in judge(script).steps:
        step = judged.step
        if judged.verdict == "proved" and step.because is not None:
            is_induction = isinstance(step.because, Induction)
            hypotheses = step.theorem.hypotheses if is_induction else _rest_on(step.because.premises)
            line = Line(script, step, step.because, script.proof.reading.fact(step.relation), hypotheses)
            found.setdefault(line.key, line)
    return tuple(found.values())


@cache
def all_lines() -> tuple[Line, ...]:
    """Each line of all scripts once, in the order of the scripts."""
    found: dict[tuple[Fact, frozenset[Statement]], Line] = {}
    for script in scripts():
        for line in lines(script):
            found.setdefault(line.key, line)
    return tuple(found.values())
