"""When a witness refutes a line: every assumption of the proof certainly holds in it, and the line is false."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from boundcheck.claims import Claim
from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Law
from boundcheck.kernel.atoms import Variable
from boundcheck.kernel.errors import TermError
from boundcheck.kernel.terms import Scalar
from boundcheck.prove.fidelity import conjuncts_of, is_stated
from boundcheck.prove.fixed import fixed_statements, is_fixed
from boundcheck.prove.roles import CATALOGUE
from boundcheck.prove.script import Script
from boundcheck.prove.statements import digest, laws_of_meft
from boundcheck.prove.translate import eq
from boundcheck.prove.witness import Witness, examined


def objection(fact: Fact, witness: Witness, script: Script) -> str:
    """Why the witness does not refute the line; empty if it does."""
    proof = script.proof
    try:
        witness = examined(witness)
        if witness.failures:
            return f"the witness breaks a hypothesis: {'; '.join(witness.failures)}"
        unsaid = next(_unsaid(script, fact), None)
        if unsaid is not None:
            return f"the proof does not assume {unsaid}, so the witness need not meet it"
        for each in proof.assumptions:
            if isinstance(each.statement, Law) and not _obeys(witness, each.statement):
                return f"the witness does not show that a law holds: {each.statement}"
            if isinstance(each.statement, Fact) and not witness.meets(each.statement):
                return f"the witness does not meet {each.name}"
        for domain in _domains(fact, script):
            if not witness.meets(domain):
                return f"the witness does not meet {domain}, which always holds for this letter"
        return "" if witness.refutes(fact) else "the witness does not make the line false"
    except (InputError, TermError) as error:
        return str(error)


def _unsaid(script: Script, fact: Fact) -> Iterator[str]:
    """What the claim rests on and the proof does not assume: hypotheses, conditions, what letters stand for."""
    claim, proof = script.claim, script.proof
    if claim is None:
        return
    if is_fixed(claim):
        laid = {digest(each.statement) for each in proof.assumptions}
        fixed = fixed_statements().get(claim.id)
        if fixed is None or not fixed.hypotheses <= laid:
            yield f"everything on which {claim.id} rests"
    else:
        yield from (f"{new.title}, instead of which it has another hypothesis" for new in script.instead.values())
        yield from (x.title for x in claim.hypotheses if not _is_laid_down(x, script))
        facts = {each.statement for each in proof.assumptions}
        conditions = [(x, script.reading.facts(x)) for x in claim.conditions]
        yield from (str(condition) for condition, said in conditions if not facts.issuperset(said))
    formulas = {each.relation for each in proof.assumptions if each.role == "definition"}
    facts_ = [fact, *(each.statement for each in proof.assumptions if isinstance(each.statement, Fact))]
    spoken_of = {x.name for each in facts_ for x in each.polynomial.inside if isinstance(x, Variable)}
    for quantity in claim.quantities:
        if quantity.name in spoken_of and eq(quantity.symbol, quantity.expression) not in formulas:
            yield f"what {quantity.name} is"


def _is_laid_down(hypothesis: Claim, script: Script) -> bool:
    """Whether a hypothesis is assumed as it stands, as a whole or in all of its parts."""
    if any(not each.where and is_stated(each, hypothesis, script.reading) for each in script.proof.assumptions):
        return True
    parts = conjuncts_of(hypothesis)
    return bool(parts) and all(_is_laid_down(part, script) for part in parts)


def _domains(fact: Fact, script: Script) -> Iterator[Fact]:
    """The facts that letters of a line are positive, by the catalogue or by their declaration."""
    own = {str(x.name): x for x in script.reading.letters if isinstance(x, sp.Symbol)}
    for atom in sorted(fact.polynomial.inside):
        if isinstance(atom, Variable):
            symbol = own.get(atom.name, CATALOGUE.get(atom.name))
            if symbol is not None and symbol.is_positive:
                yield Fact(">", Scalar.of(atom))


def _obeys(witness: Witness, law: Law) -> bool:
    """Whether a law holds wherever the witness's source breaks no hypothesis of Lemma 1 and Theorem 2."""
    return witness.source is not None and digest(law) in laws_of_meft()
