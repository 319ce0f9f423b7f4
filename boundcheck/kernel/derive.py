"""`rule` makes a rule a function that builds theorems; `replay` builds a theorem again from its derivation.

A rule computes a conclusion, or hypotheses and a conclusion, from theorems and plain arguments.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import wraps
from types import MappingProxyType
from typing import Any, ParamSpec

from boundcheck.kernel.atoms import Dimension, Horizon, Variable
from boundcheck.kernel.errors import KernelError, ReplayError, RuleError
from boundcheck.kernel.facts import Fact, Law, Statement, Theorem, derivation
from boundcheck.kernel.renew import Renewal
from boundcheck.kernel.terms import Gradient, Matrix, Mean, Scalar, Symbol, forget
from boundcheck.kernel.times import Index

# What a rule returns: the conclusion alone, if the hypotheses are those of the premises; else both.
Answer = Statement | tuple[frozenset[Statement], Statement]
P = ParamSpec("P")
_rules: dict[str, Callable[..., Theorem]] = {}
# The same rules as functions of a tuple of theorems and a tuple of arguments, as `replay` reads them.
_steps: dict[str, Callable[[tuple[Theorem, ...], tuple[Any, ...]], Theorem]] = {}
_standard_facts: dict[str, str] = {}
# The rules, and the facts of analysis that the kernel believes. Read them; do not add to them.
RULES: Mapping[str, Callable[..., Theorem]] = MappingProxyType(_rules)
STANDARD_FACTS: Mapping[str, str] = MappingProxyType(_standard_facts)
_sealed = False


def rule(premises: int | None, *, standard_fact: str = "") -> Callable[[Callable[P, Answer]], Callable[P, Theorem]]:
    """Register a rule, a function of theorems and then of plain arguments.

    Args:
        premises: how many theorems come first; None: the first parameter is a tuple of any number of them.
        standard_fact: the fact of analysis that the rule believes, with its source.

    Raises:
        KernelError: once the kernel is loaded. Its rules are those written in its own files.

    """

    def register(function: Callable[P, Answer]) -> Callable[P, Theorem]:
        name = function.__name__
        if _sealed or name in _rules:
            raise KernelError(f"{name} cannot become a rule: the kernel has its rules, {', '.join(_rules)}")
        if standard_fact:
            _standard_facts[name] = standard_fact

        def infer(theorems: tuple[Theorem, ...], arguments: tuple[Any, ...]) -> Theorem:
            whole = type(theorems) is tuple and premises in (None, len(theorems))
            if not whole or not all(isinstance(x, Theorem) for x in theorems):
                count = "a tuple of" if premises is None else premises
                raise RuleError(name, None, f"it takes {count} theorems first, and not {_kinds(theorems)}")
            for argument in arguments:
                if not _plain(argument):
                    raise RuleError(
                        name, None, f"{argument!r} is not a term, statement, number, text or tuple of those"
                    )
            answer = function(*((theorems,) if premises is None else theorems), *arguments)  # type: ignore[call-arg]
            hypotheses: frozenset[Statement] = frozenset().union(*(x.hypotheses for x in theorems))
            if isinstance(answer, tuple):
                hypotheses, answer = answer
            own = {name} if standard_fact else set()
            ledger = frozenset(own).union(*(x.ledger for x in theorems))
            return Theorem(hypotheses, answer, ledger, name, theorems, arguments)

        @wraps(function)
        def build(*given: Any) -> Theorem:
            return infer(given[0], given[1:]) if premises is None else infer(given[:premises], given[premises:])

        _rules[name], _steps[name] = build, infer
        return build  # type: ignore[return-value]

    return register


def seal() -> None:
    """Close the list of rules. The kernel calls this once all of them are registered."""
    global _sealed
    _sealed = True


def _kinds(given: object) -> str:
    return ", ".join(type(x).__name__ for x in given) if isinstance(given, tuple) else type(given).__name__


_TERMS = (Scalar, Matrix, Symbol, Gradient, Mean, Variable, Dimension, Horizon, Fact, Law)
# By identity: a class of another kind may say that it equals one of these.
_PLAIN = frozenset(map(id, (str, int, Fraction, type(None), Index, *_TERMS)))


def _plain(argument: object) -> bool:
    """True if an argument is plain data, which reads the same every time."""
    return id(type(argument)) in _PLAIN or (type(argument) is tuple and all(map(_plain, argument)))


def replay(theorem: Theorem) -> Theorem:
    """The theorem, built again from its derivation by the rules alone.

    Raises:
        ReplayError: where a step does not say what its rule yields, names no rule, rests on itself, or holds something
            that is not a term.
        KernelError: where a rule refuses.

    """
    (again,) = replay_all([theorem])
    return again


def replay_all(theorems: Sequence[Theorem]) -> list[Theorem]:
    """`replay` for theorems that share parts of their derivations: each part is replayed once.

    Nothing of a theorem is believed: its arguments and what it says are built anew from their content.
    """
    forget()
    collecting = gc.isenabled()
    # Everything made here is kept to the end, so the collector would search in vain.
    gc.disable()
    try:
        return _replayed(theorems)
    finally:
        if collecting:
            gc.enable()


def _replayed(theorems: Sequence[Theorem]) -> list[Theorem]:
    rebuilt: dict[int, Theorem] = {}
    renewed = Renewal()
    for step in derivation(theorems):
        if type(step.rule) is not str or step.rule not in _steps:
            raise ReplayError(f"{step.rule!r} is not a rule of the kernel")
        again = _steps[step.rule](tuple(rebuilt[id(x)] for x in step.premises), (*renewed(step.arguments),))
        said = renewed((step.hypotheses, step.conclusion, step.ledger))
        if said != (again.hypotheses, again.conclusion, again.ledger):
            raise ReplayError(f"{step.rule} yields {again}, and not {step}")
        rebuilt[id(step)] = again
    return [rebuilt[id(theorem)] for theorem in theorems]


def at_least_zero(polynomial: Scalar) -> Fact:
    """The fact p >= 0."""
    return Fact(">=", polynomial)


def zero(polynomial: Scalar) -> Fact:
    """The fact p = 0."""
    return Fact("=", polynomial)


def polynomial_of(rule: str, premise: int, theorem: Theorem, *relations: str) -> Scalar:
    """The polynomial of a premise, which must be a fact with one of these relations."""
    if not isinstance(theorem.conclusion, Fact) or theorem.conclusion.relation not in relations:
        raise RuleError(rule, premise, f"expected a fact p {' or '.join(relations)} 0, and not {theorem.conclusion}")
    return theorem.conclusion.polynomial
