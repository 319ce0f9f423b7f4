"""What can be proved: facts, laws, and theorems that carry their derivation.

A `Fact` holds if it is true at every time t, 1 <= t <= T, and at every outcome. A `Law` holds if its conclusion holds
for all values of its variables that make its premises hold. A `Theorem` says: where the hypotheses hold, so does the
conclusion. Its Python type is not evidence of that; `derive.replay` is, which rebuilds it from its derivation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from boundcheck.kernel.terms import ANY, CONSTANT, ReplayError, Scalar, Symbol, Term, TermError, Variable, keys_of

RELATIONS = (">=", ">", "=")


class Fact(Term):
    """`polynomial` `relation` 0, with the relation one of >=, > and =."""

    relation: str
    polynomial: Scalar

    def __init__(self, relation: str, polynomial: Scalar) -> None:
        if type(relation) is not str or relation not in RELATIONS:
            raise TermError(f"{relation!r}: a fact has one of the relations {', '.join(RELATIONS)}")
        if type(polynomial) is not Scalar:
            raise TermError(f"{polynomial!r} is not a polynomial")
        self._fill(relation=relation, polynomial=polynomial, key=f"({relation} {polynomial.key})")

    def __str__(self) -> str:
        """The fact with its subtracted terms on the other side: p - q >= 0 reads q <= p."""
        terms = self.polynomial.terms
        added = Scalar({m: c for m, c in terms.items() if c > 0})
        taken = Scalar({m: -c for m, c in terms.items() if c < 0})
        if self.relation == "=":
            return f"{added} = {taken}"
        return f"{taken} {'<=' if self.relation == '>=' else '<'} {added}"


class Law(Term):
    """For all `variables` (letters and scalars) with `premises`: the conclusion."""

    variables: tuple[Symbol | Variable, ...]
    premises: tuple[Statement, ...]
    conclusion: Fact

    def __init__(self, variables: Iterable[Symbol | Variable], premises: Iterable[Statement], conclusion: Fact) -> None:
        bound, wanted = (tuple(sorted(set(each))) for each in (variables, premises))
        for x in bound:
            if not isinstance(x, Symbol | Variable) or x.when not in (ANY, CONSTANT):
                raise TermError(f"a law cannot be for all {x}, which is neither a constant nor an arbitrary symbol")
        if type(conclusion) is not Fact or not all(isinstance(x, Fact | Law) for x in wanted):
            raise TermError(f"a law is a fact with facts and laws as premises, and not {conclusion!r} with {wanted!r}")
        key = f"(law ({keys_of(bound)}) ({keys_of(wanted)}) {conclusion.key})"
        self._fill(variables=bound, premises=wanted, conclusion=conclusion, key=key)

    def __str__(self) -> str:
        told = (str(x) if isinstance(x, Fact) else f"({x})" for x in self.premises)
        premises = f" with {'; '.join(told)}" if self.premises else ""
        range_ = f"for all {', '.join(map(str, self.variables))}" if self.variables else "always"
        return f"{range_}{premises}: {self.conclusion}"


Statement = Fact | Law


def free(statement: Statement) -> frozenset[Symbol | Variable]:
    """The symbols and variables that are free in a statement."""
    if isinstance(statement, Fact):
        return frozenset(x for x in statement.polynomial.inside if isinstance(x, Symbol | Variable))
    inside = frozenset().union(*(free(x) for x in (*statement.premises, statement.conclusion)))
    return inside - set(statement.variables)


@dataclass(frozen=True, eq=False)
class Theorem:
    """`hypotheses` entail `conclusion`, by `rule` from `premises` with `arguments`.

    Attributes:
        ledger: the standard facts of analysis that the derivation rests on, by name.

    """

    hypotheses: frozenset[Statement]
    conclusion: Statement
    ledger: frozenset[str]
    rule: str
    premises: tuple[Theorem, ...]
    arguments: tuple[Any, ...]

    @property
    def fact(self) -> Fact:
        """The conclusion as a fact; raises TermError if it is a law."""
        if not isinstance(self.conclusion, Fact):
            raise TermError(f"a law must be applied before it is a fact: {self.conclusion}")
        return self.conclusion

    def same_as(self, other: Theorem) -> bool:
        """True if the two have the same conclusion, hypotheses and ledger."""
        mine = (self.hypotheses, self.conclusion, self.ledger)
        return mine == (other.hypotheses, other.conclusion, other.ledger)

    def __str__(self) -> str:
        return f"{'; '.join(map(str, sorted(self.hypotheses)))} ⊢ {self.conclusion}"


def derivation(theorems: Iterable[Theorem]) -> tuple[Theorem, ...]:
    """The theorems and everything they were derived from, each once, premises first.

    Raises:
        ReplayError: for anything that is not a theorem, and for a theorem that is derived from itself.

    """
    order: dict[int, Theorem] = {}
    for start in theorems:
        stack, open_ = [(start, _premises(start))], {id(start)}
        while stack:
            theorem, rest = stack[-1]
            below = next((x for x in rest if id(x) not in order), None)
            if below is None:
                order[id(theorem)] = theorem
                open_.discard(id(theorem))
                stack.pop()
            elif id(below) in open_:
                raise ReplayError(f"{below.rule}: a theorem that is derived from itself")
            else:
                open_.add(id(below))
                stack.append((below, _premises(below)))
    return tuple(order.values())


def _premises(theorem: Theorem) -> Iterator[Theorem]:
    if type(theorem) is not Theorem or type(theorem.premises) is not tuple:
        raise ReplayError(f"{theorem!r} is not a theorem of the kernel")
    return iter(theorem.premises)
