"""What can be proved: facts, laws, and theorems that carry their derivation.

A `Fact` holds when it does at every time t, 1 <= t <= T, and at every outcome. A `Law` holds when its conclusion does
for all values of its variables that make its premises hold. A `Theorem` says: where the hypotheses hold, so does the
conclusion. Its Python type is no evidence of that; `rules.replay` is, which rebuilds it from its derivation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from boundcheck.kernel.atoms import Variable
from boundcheck.kernel.errors import TermError
from boundcheck.kernel.terms import Scalar, Symbol, Term
from boundcheck.kernel.times import ANY, CONSTANT

RELATIONS = (">=", ">", "=")


class Fact(Term):
    """`polynomial` `relation` 0, with the relation one of >=, > and =."""

    def __init__(self, relation: str, polynomial: Scalar) -> None:
        if relation not in RELATIONS:
            raise TermError(f"{relation!r}: a fact has one of the relations {', '.join(RELATIONS)}")
        if type(polynomial) is not Scalar:
            raise TermError(f"{polynomial!r} is no polynomial")
        self.relation, self.polynomial = relation, polynomial
        self.key = f"({relation} {polynomial.key})"

    def __str__(self) -> str:
        return f"{self.polynomial} {self.relation} 0"


class Law(Term):
    """For all `variables` (letters and scalars) with `premises`: the conclusion."""

    def __init__(self, variables: Iterable[Symbol | Variable], premises: Iterable[Statement], conclusion: Fact) -> None:
        self.variables = tuple(sorted(set(variables)))
        self.premises = tuple(sorted(set(premises)))
        self.conclusion = conclusion
        for x in self.variables:
            if not isinstance(x, Symbol | Variable) or x.when not in (ANY, CONSTANT):
                raise TermError(f"a law cannot be for all {x}, which is no constant or arbitrary symbol")
        bound, wanted = (" ".join(x.key for x in xs) for xs in (self.variables, self.premises))
        self.key = f"(law ({bound}) ({wanted}) {conclusion.key})"

    def __str__(self) -> str:
        premises = f" with {'; '.join(map(str, self.premises))}" if self.premises else ""
        return f"for all {', '.join(map(str, self.variables))}{premises}: {self.conclusion}"


Statement = Fact | Law


def free(statement: Statement) -> frozenset[Term]:
    """The symbols and variables that a statement speaks of and does not bind."""
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
        """The conclusion, where it is a fact; raises TermError where it is a law."""
        if not isinstance(self.conclusion, Fact):
            raise TermError(f"a law must be applied before it is a fact: {self.conclusion}")
        return self.conclusion

    def same_as(self, other: Theorem) -> bool:
        """Whether the two say the same and rest on the same."""
        mine = (self.hypotheses, self.conclusion, self.ledger)
        return mine == (other.hypotheses, other.conclusion, other.ledger)

    def __str__(self) -> str:
        return f"{'; '.join(map(str, sorted(self.hypotheses)))} ⊢ {self.conclusion}"


def derivation(theorems: Iterable[Theorem]) -> tuple[Theorem, ...]:
    """The theorems and all that they were derived from, each once, premises first."""
    order: dict[int, Theorem] = {}
    stack = [(theorem, iter(theorem.premises)) for theorem in theorems]
    while stack:
        theorem, rest = stack[-1]
        below = next((x for x in rest if id(x) not in order), None)
        if below is None:
            order[id(theorem)] = theorem
            stack.pop()
        else:
            stack.append((below, iter(below.premises)))
    return tuple(order.values())
