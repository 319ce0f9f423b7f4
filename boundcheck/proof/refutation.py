"""Refutation by a witness: all that the claim and the proof assume certainly holds in it, and the line is false."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import sympy as sp

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Law, Statement
from boundcheck.kernel.errors import TermError
from boundcheck.kernel.facts import free
from boundcheck.kernel.terms import Variable
from boundcheck.language.catalogue import scalar_claims
from boundcheck.language.claim import Claim, Quantity
from boundcheck.language.instance import HOLDS, Answer
from boundcheck.language.judge import followed, hypothesis_in, meets
from boundcheck.language.sentence import word_of
from boundcheck.language.vocabulary import Iterate
from boundcheck.proof.fidelity import digest
from boundcheck.proof.fixed import fixed_statements
from boundcheck.proof.script import Script
from boundcheck.proof.symbol_roles import CATALOGUE
from boundcheck.proof.translate import gt
from boundcheck.proof.witness import Told, Witness, examined


def objection(fact: Fact, witness: Witness, script: Script) -> str:
    """The reason why the witness does not refute the line; empty if it does.

    The hypotheses, conditions and algorithm of the claim must hold in it, whatever of them the proof assumes; so must
    all that the proof assumes.
    """
    claim, assumptions = script.claim, script.proof.assumptions
    names = _spoken_of(claim, [fact, *(each.statement for each in assumptions)])
    try:
        witness = examined(witness)
        told = witness.told(script.reading)
        if claim is not None:
            asked = tuple(each for each in _quantities(claim) if each.name in names)
            met = meets(told, claim, asked)
            if met.failures:
                return f"the witness breaks a hypothesis: {met.objection}"
            if met.open:
                return f"the witness is a candidate only, because something is open: {met.objection}"
        for each in assumptions:
            if isinstance(each.statement, Law):
                answer = _obeys(told.at_no_point(), each.statement)
                if answer.verdict == "fails":
                    return f"the witness breaks a hypothesis: {answer.why}"
                if answer.verdict == "open":
                    return f"the witness does not show that a law holds: {each.statement}; {answer.why}"
            elif not witness.meets(each.statement):
                return f"the witness does not meet {each.name}"
        for domain in _domains(script, names):
            if told.decide(domain).verdict == "fails":
                return f"the witness does not meet {script.reading.fact(domain)}, which always holds for this letter"
        return "" if witness.refutes(fact) else "the witness does not make the line false"
    except (InputError, TermError) as error:
        return str(error)


def _spoken_of(claim: Claim | None, statements: Sequence[Statement]) -> set[str]:
    """The names of the numbers on which these statements, or what the claim rests on, depend."""
    names = {x.name for each in statements for x in free(each) if isinstance(x, Variable)}
    if claim is not None:
        algorithm = followed(claim)
        parts = (*claim.conditions, *(x.conclusion for x in claim.hypotheses))
        parts += algorithm.parameters if algorithm else ()
        names |= {str(x.name) for each in parts for x in each.free_symbols}
        for quantity in reversed(tuple(_quantities(claim))):
            names |= {str(x.name) for x in quantity.expression.free_symbols} if quantity.name in names else set()
    return names


def _quantities(claim: Claim) -> Iterator[Quantity]:
    """The quantities of a claim and of its hypotheses, in the order in which they are derived."""
    for hypothesis in claim.hypotheses:
        yield from _quantities(hypothesis)
    yield from claim.quantities


def _domains(script: Script, names: set[str]) -> Iterator[sp.Basic]:
    """The relations x > 0 for numbers x of these names that are positive by the catalogue, claim or script."""
    declared = script.claim.parameters if script.claim else ()
    letters = {*CATALOGUE.values(), *script.reading.letters, *(each.symbol for each in declared)}
    numbers = sorted((x for x in letters if isinstance(x, sp.Symbol) and x.name in names), key=str)
    yield from (gt(x, 0) for x in numbers if x.is_positive)


@cache
def laws_of_meft() -> frozenset[str]:
    """The digests of what Lemma 1 and Theorem 2 may use; it holds in a setting that breaks none of their hypotheses."""
    fixed = fixed_statements()
    return frozenset().union(*(fixed[claim.id].hypotheses for claim in scalar_claims()))


def _obeys(told: Told, law: Law) -> Answer:
    """The answer to whether a law holds.

    A law of Lemma 1 or Theorem 2 holds if all that these say of the function everywhere holds; any other law is open.
    """
    if digest(law) not in laws_of_meft():
        return Answer("open", "it ranges over more than the instance has")
    answer = HOLDS
    for hypothesis in {each for claim in scalar_claims() for each in claim.hypotheses}:
        word = word_of(hypothesis)
        if not hypothesis.conclusion.atoms(Iterate) and not (word and word.is_about_noise):
            answer &= hypothesis_in(told, hypothesis)
    return answer
