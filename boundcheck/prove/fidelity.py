"""Whether a proof is of the claim that it says it is: its conclusion, its quantifiers, its hypotheses, its definitions.

The kernel knows what follows from what. What a claim of the catalogue says to the kernel is fixed in `statements`; a
proof of it must end there and start from nothing else. A claim or lemma of a script's own says what the script says,
within the limits below: what it concludes and rests on is printed, to be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.claims import Claim, catalogue
from boundcheck.claims.jiang2024 import GAP
from boundcheck.claims.symbols import PARAMETERS, D
from boundcheck.claims.vocabulary import d, k, n, t
from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Statement
from boundcheck.kernel.builders import substitute_scalar
from boundcheck.kernel.terms import Matrix, Scalar, Symbol, Term
from boundcheck.kernel.times import ANY
from boundcheck.prove.proof import Assumption, Proof
from boundcheck.prove.script import Script
from boundcheck.prove.statements import digest, fixed_statements, own_statements
from boundcheck.prove.translate import Reading

_FIXED = {parameter.symbol for parameter in PARAMETERS.values()} | {d, k, n, t}


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
    claim = script.claim
    match assumption.role:
        case "local":
            return False
        case "domain":
            # A quantity has the sign that its formula gives it.
            return claim is None or assumption.relation not in {quantity.symbol for quantity in claim.quantities}
        case "definition":
            return claim is None or _defines(assumption.relation, claim)
        case "choice":
            return claim is None
    if claim is None or assumption.relation in claim.conditions:
        return True
    mine = assumption.claim is not None and assumption.claim.id in {each.id for each in hypotheses_of(script)}
    return mine and all(_renames(old, new) for old, new in assumption.where.items())


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


def _defines(relation: sp.Basic, claim: Claim) -> bool:
    """Whether an equation only gives a name: the claim's own formula to its quantity, or anything to a new name."""
    left, right = relation.args
    formulas = {quantity.symbol: quantity.expression for quantity in claim.quantities} | {D: GAP}
    if left in formulas:
        return bool(right == formulas[left])
    return left not in _FIXED


def circular(assumptions: Sequence[Assumption]) -> str:
    """The name of a symbol that is defined by itself, through however many definitions; empty where none is."""
    uses: dict[sp.Basic, set[sp.Basic]] = {}
    for each in assumptions:
        if each.role == "definition":
            left, right = each.relation.args
            uses.setdefault(left, set()).update(sp.preorder_traversal(right))
    for start in uses:
        seen, queue = set(), list(uses[start])
        while queue:
            symbol = queue.pop()
            if symbol == start:
                return str(start)
            if symbol not in seen:
                seen.add(symbol)
                queue += uses.get(symbol, ())
    return ""


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
    return _merged(reading, claim)


def _foreign(script: Script, premises: Sequence[Fact]) -> Fact | None:
    """A premise of the concluding law that is not a hypothesis of the claim at some points."""
    known: set[Term] = set()
    conditions = script.claim.conditions if script.claim else ()
    for relation in (*conditions, *(each.conclusion for each in hypotheses_of(script))):
        try:
            known |= {_anonymous(fact) for fact in script.reading.facts(relation)}
        except InputError:
            # Some, such as Assumption 4, speak of more than points.
            continue
    return next((fact for fact in premises if _anonymous(fact) not in known), None)


def _anonymous(fact: Fact) -> Fact:
    """The fact with its matrices named by their order alone."""
    letters = sorted({x for x in fact.polynomial.inside if isinstance(x, Symbol)})
    names: Mapping[Term, Matrix | Scalar] = {
        letter: Matrix.of(Symbol(f"X{i}", letter.shape, ANY)) for i, letter in enumerate(letters)
    }
    return Fact(fact.relation, substitute_scalar(fact.polynomial, names))


def _merged(reading: Reading, claim: Claim) -> str:
    """Why the reading is no reading: two vectors of the claim that share a block."""
    owner: dict[Term, sp.Basic] = {}
    for symbol in sorted(claim.conclusion.atoms(sp.MatrixSymbol), key=str):
        for letter in {x for block in reading.point(symbol) for x in block.inside if isinstance(x, Symbol)}:
            if owner.setdefault(letter, symbol) != symbol:
                return f"it reads {owner[letter]} and {symbol} as points that share {letter}"
    return ""
