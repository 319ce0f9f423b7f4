"""The statements that have a meaning: the divisor of a quotient is not 0, and the radicand of a root is not negative.

In the kernel, inverse(0) is 0 and the root of a negative number is 0. A reader does not expect this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from boundcheck.kernel import Fact, Law, Statement, Theorem, rules
from boundcheck.kernel.terms import Inverse, Root, Scalar, Term
from boundcheck.proof.by import by_signs
from boundcheck.proof.certificate import certify
from boundcheck.proof.proof import signs

# On which side of 0 a polynomial lies, by the theorem that says so.
Known = Mapping[Scalar, Theorem]


def known_signs(theorems: Iterable[Theorem], given: Iterable[Statement]) -> Known:
    """The polynomials that are positive, or not negative, by a theorem or by assumption."""
    found: dict[Scalar, Theorem] = {}
    facts = [x for x in given if isinstance(x, Fact)]
    for theorem in (*map(rules.assume, facts), *theorems):
        conclusion = theorem.conclusion
        if isinstance(conclusion, Fact) and conclusion.relation != "=":
            before = found.get(conclusion.polynomial)
            if before is None or (conclusion.relation == ">" and before.fact.relation != ">"):
                found[conclusion.polynomial] = theorem
    return found


def undefined(statement: Statement, known: Known) -> str:
    """A quotient or root of the statement that is not known to have a meaning; empty if there is none."""
    if isinstance(statement, Law):
        # Facts about a letter do not hold for the values that a law substitutes for it.
        bound = frozenset(statement.variables)
        premises = [rules.assume(x) for x in statement.premises if isinstance(x, Fact) and x.relation != "="]
        free = {p: x for p, x in known.items() if not p.inside & bound}
        known = free | {x.fact.polynomial: x for x in premises}
    for atom in sorted(partial(statement)):
        body = atom.body
        goal = Fact(">" if isinstance(atom, Inverse) else ">=", body)
        if body in known and (goal.relation == ">=" or known[body].fact.relation == ">"):
            continue
        if not _follows(goal, list(known.values())):
            what = "is not known to be positive" if goal.relation == ">" else "may be negative"
            return f"{atom} has no meaning for a reader, because {body} {what}"
    return ""


def partial(statement: Statement) -> set[Inverse | Root]:
    """The quotients and roots of a statement."""
    if isinstance(statement, Law):
        return set().union(*(partial(x) for x in (*statement.premises, statement.conclusion)))
    inside: frozenset[Term] = statement.polynomial.inside
    return {x for x in inside if isinstance(x, Inverse | Root)}


def _follows(goal: Fact, premises: Sequence[Theorem]) -> bool:
    """True if the signs of the atoms prove the goal, or a certificate from the facts about the same atoms does."""
    atoms = set(goal.polynomial.inside)
    near = [x for x in premises if atoms.issuperset(x.fact.polynomial.atoms())]
    own = signs([goal, *(x.fact for x in near)])
    return by_signs(goal, [*near, *own]) is not None or certify(goal, [*near, *own]) is not None
