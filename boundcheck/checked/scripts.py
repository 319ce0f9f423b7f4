"""The scripts of all papers, the worlds that they are held against, and whether a world refutes a step."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

import sympy as sp

from boundcheck.checked.mutation import mixed_up
from boundcheck.checked.trial import Answer
from boundcheck.checked.worlds import World, worlds
from boundcheck.kernel import Fact, Statement
from boundcheck.proofs import papers
from boundcheck.prove import Proof, Script, judge
from boundcheck.prove.script import of_paper


@cache
def scripts() -> tuple[Script, ...]:
    """All scripts of the papers in `proofs/`, once per process."""
    return tuple(each for key, paper in papers().items() if paper.is_ours for each in of_paper(key))


@cache
def mixed_worlds() -> tuple[World, ...]:
    """All worlds, in an order that is fixed and mixed."""
    return tuple(mixed_up(worlds()))


def refutes(world: World, relation: sp.Basic, proof: Proof, hypotheses: Collection[Statement]) -> bool:
    """Whether a step that says the relation is refuted by the world, under these hypotheses of a proof."""
    # The world was chosen because the laws hold in it. The verdict believes no witness about laws, and gets facts only.
    facts = [x for x in proof.assumptions if x.statement in hypotheses and isinstance(x.statement, Fact)]

    def build(mutant: Proof) -> None:
        mutant.assumptions += facts
        mutant.step("mutant", relation, witness=world.witness)

    (step,) = judge(Script("mutant", "printed", "", None, proof.reading, build)).steps
    return step.verdict == "refuted"


def answer(true: bool, proved: bool, refuted: bool = False) -> Answer:
    """What the proof layer says. Of a false mutant it is enough that it is not proved."""
    outcome = "refuted" if refuted else "proved" if proved else "not proved"
    return Answer(outcome, accepts=proved, rejects=refuted if true else not proved)
