"""What can be proved: facts, laws, and theorems that carry their derivation; how rules make
theorems, and `replay`.

A `Fact` holds if it is true at every time t, 1 <= t <= T, and at every outcome. A `Law` holds if
its conclusion holds for all values of its variables that make its premises hold. A `Theorem` says:
where the hypotheses hold, so does the conclusion. Its Python type is not evidence of that; `replay`
is, which builds it again from its derivation.

`rule` makes a rule a function that builds theorems: it computes a conclusion, or hypotheses and a
conclusion, from theorems and plain arguments. A theorem may come from anywhere: what `replay` reads
of it is built again from its parts first, so that no stored key or shape is believed.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import wraps
from inspect import signature
from types import MappingProxyType
from typing import Any, ParamSpec

from boundcheck.kernel import terms as k
from boundcheck.kernel.terms import (
    Index,
    Matrix,
    ReplayError,
    RuleError,
    Scalar,
    Symbol,
    Term,
    TermError,
    Variable,
    keys_of,
)

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

    def __init__(
        self,
        variables: Iterable[Symbol | Variable],
        premises: Iterable[Statement],
        conclusion: Fact,
    ) -> None:
        bound, wanted = (tuple(sorted(set(each))) for each in (variables, premises))
        for x in bound:
            if not isinstance(x, Symbol | Variable) or x.when not in (k.ANY, k.CONSTANT):
                raise TermError(
                    f"a law cannot be for all {x}, which is neither a constant nor an arbitrary"
                    " symbol"
                )
        if type(conclusion) is not Fact or not all(isinstance(x, Fact | Law) for x in wanted):
            raise TermError(
                f"a law is a fact with facts and laws as premises, and not {conclusion!r} with"
                f" {wanted!r}"
            )
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
        ReplayError: for anything that is not a theorem, and for a theorem that is derived from
            itself.

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


# What a rule returns: the conclusion alone, if the hypotheses are those of the premises; else both.
Answer = Statement | tuple[frozenset[Statement], Statement]
P = ParamSpec("P")
_rules: dict[str, Callable[..., Theorem]] = {}
# The same rules as functions of a tuple of theorems and a tuple of arguments, as `replay` reads
# them.
_steps: dict[str, Callable[[tuple[Theorem, ...], tuple[Any, ...]], Theorem]] = {}
_standard_facts: dict[str, str] = {}
# The rules, and the facts of analysis that the kernel believes. Read them; do not add to them.
RULES: Mapping[str, Callable[..., Theorem]] = MappingProxyType(_rules)
STANDARD_FACTS: Mapping[str, str] = MappingProxyType(_standard_facts)
_sealed = False


def rule(
    premises: int | None, *, standard_fact: str = ""
) -> Callable[[Callable[P, Answer]], Callable[P, Theorem]]:
    """Register a rule, a function of theorems and then of plain arguments.

    Args:
        premises: how many theorems come first; None: the first parameter is a tuple of any number
            of them.
        standard_fact: the fact of analysis that the rule believes, with its source.

    Raises:
        KernelError: once the kernel is loaded. Its rules are those written in its own files.

    """

    def register(function: Callable[P, Answer]) -> Callable[P, Theorem]:
        name = function.__name__
        if _sealed or name in _rules:
            raise k.KernelError(
                f"{name} cannot become a rule: the kernel has its rules, {', '.join(_rules)}"
            )
        if standard_fact:
            _standard_facts[name] = standard_fact

        def infer(theorems: tuple[Theorem, ...], arguments: tuple[Any, ...]) -> Theorem:
            whole = type(theorems) is tuple and premises in (None, len(theorems))
            if not whole or not all(isinstance(x, Theorem) for x in theorems):
                count = "a tuple of" if premises is None else premises
                kinds = [
                    type(x).__name__
                    for x in (theorems if isinstance(theorems, tuple) else (theorems,))
                ]
                raise RuleError(
                    name, None, f"it takes {count} theorems first, and not {', '.join(kinds)}"
                )
            for argument in arguments:
                if not _plain(argument):
                    why = f"{argument!r} is not a term, statement, number, text or tuple of those"
                    raise RuleError(name, None, why)
            # A rule looks at its arguments itself: their types are known where it is written, and
            # not here.
            first = (theorems,) if premises is None else theorems
            answer = function(*first, *arguments)  # type: ignore[call-arg]
            hypotheses: frozenset[Statement] = frozenset().union(*(x.hypotheses for x in theorems))
            if isinstance(answer, tuple):
                hypotheses, answer = answer
            own = {name} if standard_fact else set()
            ledger = frozenset(own).union(*(x.ledger for x in theorems))
            return Theorem(hypotheses, answer, ledger, name, theorems, arguments)

        @wraps(function)
        def build(*given: Any) -> Theorem:
            return (
                infer(given[0], given[1:])
                if premises is None
                else infer(given[:premises], given[premises:])
            )

        _rules[name], _steps[name] = build, infer
        # It takes what `function` takes, with theorems in place of premises.
        return build  # type: ignore[return-value]

    return register


def seal() -> None:
    """Close the list of rules. The kernel calls this once all of them are registered."""
    global _sealed
    _sealed = True


# Kinds are told apart by identity: a class of another kind may say that it equals one of these.
_LETTERS = (Symbol, k.Gradient, k.Mean)
_ARGUMENTS = frozenset(
    map(
        id,
        (
            str,
            int,
            Fraction,
            type(None),
            Index,
            Scalar,
            Matrix,
            *_LETTERS,
            Variable,
            k.Dimension,
            k.Horizon,
            Fact,
            Law,
        ),
    )
)


def _plain(argument: object) -> bool:
    """True if an argument is plain data, which reads the same every time."""
    return id(type(argument)) in _ARGUMENTS or (
        type(argument) is tuple and all(map(_plain, argument))
    )


def replay(theorem: Theorem) -> Theorem:
    """The theorem, built again from its derivation by the rules alone.

    Raises:
        ReplayError: where a step does not say what its rule yields, names no rule, rests on itself,
            or holds something that is not a term.
        KernelError: where a rule refuses.

    """
    (again,) = replay_all([theorem])
    return again


def replay_all(theorems: Sequence[Theorem]) -> list[Theorem]:
    """`replay` for theorems that share parts of their derivations: each part is replayed once.

    Nothing of a theorem is believed: its arguments and what it says are built anew from their
    content.
    """
    k.forget()
    collecting = gc.isenabled()
    # Everything made here is kept to the end, so the collector would search in vain.
    gc.disable()
    try:
        rebuilt: dict[int, Theorem] = {}
        renewed = Renewal()
        for step in derivation(theorems):
            if type(step.rule) is not str or step.rule not in _steps:
                raise ReplayError(f"{step.rule!r} is not a rule of the kernel")
            again = _steps[step.rule](
                tuple(rebuilt[id(x)] for x in step.premises), (*renewed(step.arguments),)
            )
            said = renewed((step.hypotheses, step.conclusion, step.ledger))
            if said != (again.hypotheses, again.conclusion, again.ledger):
                raise ReplayError(f"{step.rule} yields {again}, and not {step}")
            rebuilt[id(step)] = again
        return [rebuilt[id(theorem)] for theorem in theorems]
    finally:
        if collecting:
            gc.enable()


# The parts of each kind of object that a theorem may hold are what its constructor takes.
_ATOMS = (
    Variable,
    k.Dimension,
    k.Horizon,
    k.Clock,
    k.Power,
    k.Norm,
    k.Trace,
    k.Value,
    k.Maximum,
    k.Expectation,
)
_OPERATORS = (k.Root, k.Inverse, k.Minimum, k.Total, k.Before)
_CONTENT: Mapping[int, tuple[str, ...]] = {
    id(kind): tuple(signature(kind).parameters)
    for kind in (Index, k.Time, Scalar, Matrix, Fact, Law, *_LETTERS, *_ATOMS, *_OPERATORS)
}
_PLAIN = frozenset(map(id, (str, int, bool, Fraction, type(None))))
# Marks an object that is being built: to meet the mark means that the object contains itself.
_UNFINISHED = object()


class Renewal:
    """A function that builds data again from the kernel's own types, each object once.

    It raises ReplayError for a kind that the kernel does not have, and for cycles. The data must
    outlive it: objects are told apart by their places in memory.
    """

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}

    def __call__(self, data: Any) -> Any:
        kind = type(data)
        if id(kind) in _PLAIN:
            return data
        # Most objects were built before.
        made = self._made.get(id(data))
        if made is _UNFINISHED:
            raise ReplayError(f"a {kind.__name__} that contains itself")
        if made is not None:
            return made
        if kind is tuple or kind is frozenset:
            return kind(map(self, data))
        if kind is MappingProxyType:
            return {self(x): self(y) for x, y in data.items()}
        if id(kind) not in _CONTENT:
            raise ReplayError(f"{data!r} is not a term, statement, number, text or tuple of those")
        self._made[id(data)] = _UNFINISHED
        content = vars(data)
        made = self._made[id(data)] = kind(*[self(content[name]) for name in _CONTENT[id(kind)]])
        return made
