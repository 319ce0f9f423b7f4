"""Mutants of proof lines and of claims, tried by the proof layer: what the search, the witness and the verdict say."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import singledispatch
from time import perf_counter

import sympy as sp

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Statement, Theorem
from boundcheck.prove import Proof, Reading, Script, Witness, judge
from boundcheck.prove.counterexamples import Counterexample, counterexample
from boundcheck.prove.proof import Assumption, signs
from boundcheck.soundness.claim_mutants import (
    ClaimMutant,
    false_edits,
    provable,
    true_claims,
    without_hypothesis,
)
from boundcheck.soundness.edited import false_in, hypotheses_of, runs_for, verdict_on, written_out
from boundcheck.soundness.edits import walk
from boundcheck.soundness.lines import Line, all_lines, mixed_up
from boundcheck.soundness.mutants import Mutant, allowed, false_of, true_of
from boundcheck.soundness.trial import Trial

# Worlds that are held against a true variation, and what z3 gets to find a counterexample to it.
_WORLDS, _SECONDS = 6, 0.5
# How many mutants of a line are tried: the search for what is not there takes longer with more premises.
_FEW, _SOME, _MANY = 1, 3, 5
_TRUE = 4
# Edits of a claim, each of which runs its whole script.
_EDITS = 3


def false_mutants(every: int = 1, first: int = 0) -> Iterator[Mutant | ClaimMutant]:
    """False mutants of every so many lines and claims, in a mixed order, each shown to be false by a world.

    Args:
        every: 1 for all lines and claims, 10 for a tenth of them.
        first: which one to begin with, less than `every`.

    """
    for subject in _share(every, first):
        if isinstance(subject, Line):
            yield from false_of(subject, most_of(subject))
        else:
            yield from false_edits(subject, _EDITS)
            yield from without_hypothesis(subject)


def true_variations(every: int = 1, first: int = 0) -> Iterator[Mutant | ClaimMutant]:
    """Mutants that are true by construction, of the lines and claims that `false_mutants` takes."""
    for subject in _share(every, first):
        yield from true_of(subject, _TRUE) if isinstance(subject, Line) else true_claims(subject)


def _share(every: int, first: int) -> Sequence[Line | Script]:
    if not 0 <= first < every:
        raise InputError("first", first, f"a number from 0 to {every - 1}")
    subjects: list[Line | Script] = [*all_lines(), *provable()]
    return mixed_up(subjects)[first::every]


def most_of(line: Line) -> int:
    """How many false mutants of a line are tried."""
    premises = len(line.because.premises)
    return _MANY if premises <= 3 else _SOME if premises <= 5 else _FEW


def trials_of(every: int = 1, first: int = 0) -> list[Trial]:
    """The trials of `false_mutants` and `true_variations`; but for their seconds the same ones every time."""
    return [try_proof(x) for mutants in (false_mutants, true_variations) for x in mutants(every, first)]


@singledispatch
def try_proof(mutant: Mutant | ClaimMutant) -> Trial:
    """What the proof layer makes of a mutant.

    A false one is wrong when it is proved: a line by the search for a derivation, a claim by the verdict on its whole
    script. It is refuted when the verdict on a step with the world as its witness says so. A true one is wrong when it
    is refuted: by a world in which its hypotheses hold, by the verdict, or by numbers at which its premises and the
    line that it was made of hold and it fails.

    Raises:
        TypeError: for what is no mutant.

    """
    raise TypeError(f"{mutant!r}: expected a mutant of a line or of a claim")


@try_proof.register
def _(mutant: Mutant) -> Trial:
    began = perf_counter()
    line, proof = mutant.line, mutant.line.script.proof
    proved = proof.close(mutant.relation, mutant.because) is not None
    if mutant.world is None:
        refuted = _contradicted(mutant, proved)
    else:
        refuted = not proved and refutes(mutant.world.witness, mutant.relation, proof, mutant.hypotheses)
    return _trial(mutant, line.name, proved, refuted, perf_counter() - began)


@try_proof.register
def _(mutant: ClaimMutant) -> Trial:
    began = perf_counter()
    script, claim = mutant.script, mutant.claim
    verdict = verdict_on(script, claim)
    proved, refuted = verdict == "proved", verdict == "refuted"
    if mutant.world is None:
        refuted = refuted or false_in(claim, script, runs_for(claim)) is not None
    elif not proved:
        conclusion = written_out(claim.conclusion, claim.quantities, frozenset({"alpha"}))
        hypotheses = hypotheses_of(script, mutant.dropped)
        refuted = refutes(mutant.world.witness, conclusion, script.proof, hypotheses)
    return _trial(mutant, f"{script.id}, {script.version}", proved, refuted, perf_counter() - began)


def _trial(mutant: Mutant | ClaimMutant, subject: str, proved: bool, refuted: bool, seconds: float) -> Trial:
    true = mutant.world is None
    return Trial(
        layer="proof",
        subject=subject,
        kind=f"true variation: {mutant.kind}" if true else mutant.kind,
        change=mutant.change,
        true=true,
        witness=mutant.world.about if mutant.world else mutant.truth,
        outcome="refuted" if refuted else "proved" if proved else "not proved",
        wrong=refuted if true else proved,
        caught=not true and not proved,
        seconds=seconds,
    )


def refutes(witness: Witness, relation: sp.Basic, proof: Proof, hypotheses: Collection[Statement]) -> bool:
    """Whether the verdict on a step that says the relation, with these hypotheses of a proof, is that it is refuted."""
    # A world says itself which laws hold in it, and was chosen by that; the verdict believes no witness of a law.
    assumptions = [x for x in proof.assumptions if x.statement in hypotheses and isinstance(x.statement, Fact)]
    (step,) = judge(_script(relation, proof.reading, assumptions, witness)).steps
    return step.verdict == "refuted"


def _script(relation: sp.Basic, reading: Reading, assumptions: Sequence[Assumption], witness: Witness) -> Script:
    def build(proof: Proof) -> None:
        proof.assumptions += assumptions
        proof.step("mutant", relation, witness=witness)

    return Script("mutant", "printed", "", None, reading, build)


def _contradicted(mutant: Mutant, proved: bool) -> bool:
    """Whether anything speaks against a true mutant of a line."""
    line, proof = mutant.line, mutant.line.script.proof
    for world in allowed(line, _WORLDS):
        if world.says(mutant.relation, line.composite) is False:
            return True
        if refutes(world.witness, mutant.relation, proof, mutant.hypotheses):
            return True
    if proved:
        return False
    premises = [line.fact, *mutant.uses, *(x.fact for x in mutant.because.premises)]
    premises += [x.fact for x in (*signs([mutant.fact, *premises]), *_positive(mutant))]
    return isinstance(counterexample(mutant.fact, premises, _SECONDS), Counterexample)


def _positive(mutant: Mutant) -> list[Theorem]:
    """That the letters which sympy knows to be positive are so."""
    relations = mutant.relation, mutant.line.step.relation
    letters = {x for relation in relations for _, x in walk(relation) if isinstance(x, sp.Symbol) and x.is_positive}
    return Proof(None, mutant.line.script.reading).positive(*sorted(letters, key=str))
