"""Whether a proof is of the claim that it says it is: its conclusion, its quantifiers, its hypotheses, its definitions.

The kernel knows what follows from what. What a claim of the catalogue says to the kernel is fixed in `statements`; a
proof of it must end there and start from nothing else. A claim or lemma of a script's own says what the script says,
within the limits below: what it concludes and rests on is printed, to be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.claims import Claim, catalogue
from boundcheck.claims.jiang2024 import GAP
from boundcheck.claims.symbols import D
from boundcheck.claims.vocabulary import t
from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Law, Statement
from boundcheck.kernel.atoms import Norm, Value, Variable
from boundcheck.kernel.builders import substitute_scalar
from boundcheck.kernel.terms import Atom, Matrix, Scalar, Symbol, Term
from boundcheck.kernel.times import ANY
from boundcheck.prove.definitions import only_defines
from boundcheck.prove.proof import Assumption, Proof
from boundcheck.prove.script import Script
from boundcheck.prove.statements import digest, fixed_statements, own_statements
from boundcheck.prove.translate import Reading, gt


def stray(script: Script, proof: Proof, hypotheses: Iterable[Statement]) -> list[Statement]:
    """The hypotheses that the script's statement may not start from."""
    if script.claim is not None and script.claim.id in catalogue:
        own = own_statements(script.claim)
        fixed = fixed_statements().get(script.claim.id)
        return sorted(x for x in set(hypotheses) - own if fixed is None or digest(x) not in fixed.hypotheses)
    allowed = {each.statement for each in proof.assumptions if may_start_from(each, script)}
    return sorted(set(hypotheses) - allowed)


def may_start_from(assumption: Assumption, script: Script) -> bool:
    """Whether it is a hypothesis or condition of the claim, a domain, or a definition that only defines."""
    claim, relation = script.claim, assumption.relation
    if claim is None:
        return assumption.role != "local" and _is_what_it_is_called(assumption)
    if not _says(assumption, script.reading):
        return False
    match assumption.role:
        case "local" | "choice":
            return False
        case "domain":
            # A quantity has the sign that its formula gives it.
            return relation not in {quantity.symbol for quantity in claim.quantities}
        case "definition":
            left, right = relation.args
            defines = only_defines(left, right, assumption.statement, claim, script.reading)
            return defines or any(
                _is_stated(assumption, hypothesis, script.reading) for hypothesis in hypotheses_of(script)
            )
    if relation in claim.conditions:
        return True
    return any(_is_of(assumption, hypothesis, script.reading) for hypothesis in hypotheses_of(script))


def _is_what_it_is_called(assumption: Assumption) -> bool:
    """Whether a definition gives the value of a letter, and a domain the sign of one."""
    fact = assumption.statement.conclusion if isinstance(assumption.statement, Law) else assumption.statement
    letters = [x for x in fact.polynomial.atoms() if isinstance(x, Variable | Value | Norm)]
    alone = [x for x in letters if (((x, 1),) in fact.polynomial.terms) and _occurs_once(x, fact)]
    match assumption.role:
        case "definition":
            return fact.relation == "=" and bool(alone)
        case "domain":
            return fact.relation == ">" and fact.polynomial.terms == {((letters[0], 1),): 1} if letters else False
    return True


def _occurs_once(atom: Atom, fact: Fact) -> bool:
    others = (x for monomial in fact.polynomial.terms if monomial != ((atom, 1),) for x, _ in monomial)
    return all(atom not in x.inside for x in others)


def _is_of(assumption: Assumption, hypothesis: Claim, reading: Reading) -> bool:
    """Whether a proof assumes a hypothesis and no more: as it stands, or at points that it is stated for all of."""
    return assumption.claim == hypothesis and _is_stated(assumption, hypothesis, reading)


def _is_stated(assumption: Assumption, hypothesis: Claim, reading: Reading) -> bool:
    where, statement = assumption.where, assumption.statement
    if assumption.relation != hypothesis.conclusion.xreplace(where):
        return False
    moved = {old for old, new in where.items() if isinstance(old, MatrixExpr) and old != new}
    bound = set(statement.variables) if isinstance(statement, Law) else set()
    if any(isinstance(x, Variable) and x.name not in _quantified(hypothesis) for x in bound):
        return False
    for symbol in hypothesis.conclusion.atoms(sp.MatrixSymbol) - where.keys():
        if any(block.inside & bound for block in reading.point(symbol)):
            moved.add(symbol)
    everywhere = all(isinstance(x, sp.MatrixSymbol) and x.name in _quantified(hypothesis) for x in moved)
    return everywhere and all(_renames(old, new) for old, new in where.items())


def _quantified(claim: Claim) -> set[str]:
    """The names that a claim's quantifier has: W_1 of "for all W_1, W_2"."""
    return set(
        re.findall(r"[A-Za-z][A-Za-z0-9_']*", re.sub(r"\\text\{[^}]*\}|\\[a-zA-Z]+|[{}]", " ", claim.quantifier))
    )


def _says(assumption: Assumption, reading: Reading) -> bool:
    """Whether the kernel's statement is what the relation says, at one point or as a law."""
    relation, statement = assumption.relation, assumption.statement
    try:
        facts = reading.facts(relation if isinstance(relation, sp.Rel | sp.And) else gt(relation, 0))
    except InputError:
        return False
    return (statement.conclusion if isinstance(statement, Law) else statement) in facts


def unused(script: Script, carried: Sequence[Assumption]) -> list[Claim]:
    """The hypotheses that a claim lists and that a theorem with these does not start from."""
    if script.claim is None:
        return []
    used = {each.claim.id for each in carried if each.claim is not None}
    listed = [script.instead.get(each.id, each) for each in script.claim.hypotheses]
    return [each for each in listed if not {each.id, *(x.id for x in _closure(each))} & used]


def is_condition(hypothesis: Claim, conclusion: Statement, reading: Reading) -> bool:
    """Whether a theorem has a hypothesis as a condition on the points that it is for all of."""
    premises = [x for x in conclusion.premises if isinstance(x, Fact)] if isinstance(conclusion, Law) else []
    return bool(_at_any_points(hypothesis.conclusion, reading) & {_anonymous(x) for x in premises})


def is_added(assumption: Assumption, script: Script) -> bool:
    """Whether a claim does not list it, as a hypothesis or condition, or as the formula or domain of a letter."""
    claim, relation = script.claim, assumption.relation
    if claim is None or assumption.role == "domain" or relation in claim.conditions:
        return False
    if assumption.role == "definition":
        formulas = {quantity.symbol: quantity.expression for quantity in claim.quantities} | {D: GAP}
        return formulas.get(relation.lhs) != relation.rhs
    return assumption.claim is None or assumption.claim.id not in {each.id for each in hypotheses_of(script)}


def hypotheses_of(script: Script) -> list[Claim]:
    """The hypotheses of the script's claim and theirs, with those of `instead` in the place of what they replace."""
    if script.claim is None:
        return []
    kept = [each for each in _closure(script.claim) if each.id not in script.instead]
    return [*kept, *script.instead.values()]


def _closure(claim: Claim) -> list[Claim]:
    return [x for hypothesis in claim.hypotheses for x in (hypothesis, *_closure(hypothesis))]


def _renames(old: sp.Basic, new: sp.Basic) -> bool:
    """Whether a replacement says which point is meant, and no more: a matrix for a matrix, another time for t."""
    if isinstance(old, MatrixExpr):
        return isinstance(new, MatrixExpr)
    return bool(old == t and (new - t).is_Integer)


def misstated(script: Script, proof: Proof) -> str:
    """Why the conclusion is another than the claim's; empty where it is the claim's own."""
    claim, closing, reading = script.claim, proof.closing, script.reading
    if claim is not None and claim.id in catalogue:
        fixed = fixed_statements().get(claim.id)
        if fixed is None:
            return f"what {claim.id} says to the kernel is not fixed in any statements.json"
        ends = proof.conclusion.conclusion if proof.conclusion else None
        return "" if ends is not None and digest(ends) == fixed.conclusion else f"it does not end in {fixed.text}"
    if claim is None or closing is None:
        return ""
    if closing.relation is not None:
        return "it ends in a statement of its own, and not in the claim's"
    bad = [old for old, new in closing.where.items() if not _renames(old, new)]
    if bad:
        return f"it replaces {bad[0]} in the claim's conclusion"
    wanted = reading.fact(claim.conclusion.xreplace(dict(closing.where)))
    if proof.goal != proof.stated(wanted, closing):
        return f"its goal is {proof.goal}, and not the claim's"
    extra = _foreign(script, [part for relation in closing.such_that for part in reading.facts(relation)])
    if extra is not None:
        return f"it is for points with {extra}, which is no instance of a hypothesis"
    return _merged(reading, script)


def _foreign(script: Script, premises: Sequence[Fact]) -> Fact | None:
    """A premise of the concluding law that is not a hypothesis of the claim at some points."""
    conditions = script.claim.conditions if script.claim else ()
    relations = (*conditions, *(each.conclusion for each in hypotheses_of(script)))
    known = set[Fact]().union(*(_at_any_points(relation, script.reading) for relation in relations))
    return next((fact for fact in premises if _anonymous(fact) not in known), None)


def _at_any_points(relation: sp.Basic, reading: Reading) -> set[Fact]:
    """What a relation says, whatever its points are called; nothing where it speaks of more than points."""
    try:
        return {_anonymous(fact) for fact in reading.facts(relation)}
    except InputError:
        return set()


def _anonymous(fact: Fact) -> Fact:
    """The fact with its matrices named by their order alone."""
    letters = sorted({x for x in fact.polynomial.inside if isinstance(x, Symbol)})
    names: Mapping[Term, Matrix | Scalar] = {
        letter: Matrix.of(Symbol(f"X{i}", letter.shape, ANY)) for i, letter in enumerate(letters)
    }
    return Fact(fact.relation, substitute_scalar(fact.polynomial, names))


def _merged(reading: Reading, script: Script) -> str:
    """Why the reading is no reading: a matrix of the claim that is no letters of its own, or two that share one.

    Matrices that a hypothesis is for all of may share: it says less then.
    """
    parts = [script.claim, *hypotheses_of(script)] if script.claim else []
    fixed = {x for part in parts for x in _matrices(part) if x.name not in _quantified(part)}
    return next(filter(None, (_shared(reading, group) for group in (*map(_matrices, parts[:1]), fixed))), "")


def _matrices(claim: Claim) -> set[sp.MatrixSymbol]:
    return {x for each in (claim.conclusion, *claim.conditions) for x in each.atoms(sp.MatrixSymbol)}


def _shared(reading: Reading, symbols: Iterable[sp.MatrixSymbol]) -> str:
    owner: dict[Matrix, sp.Basic] = {}
    # What has no reading is in nothing that the proof may start from.
    for symbol in sorted((x for x in symbols if x in reading.points or x in reading.letters), key=str):
        for block in reading.point(symbol):
            if not any(isinstance(x, Symbol) and block == Matrix.of(x) for x in block.inside):
                return f"it reads {symbol} as {block}, and the claim speaks of any {symbol}"
            if block in owner:
                return f"it reads {owner[block]} and {symbol} as points that share {block}"
            owner[block] = symbol
    return ""
