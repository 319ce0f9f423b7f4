"""Terms, theorems and rules that were changed after they were made: what `replay` would have to believe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from boundcheck.kernel import RULES, STANDARD_FACTS, Fact, Law, Theorem, derive, replay, rules
from boundcheck.kernel.terms import Atom, Gradient, Matrix, Norm, Scalar, Symbol, Variable
from boundcheck.proof import Proof, ge

from .case import Case, doubt, lemma, refusal, x

FALSE, TRUE = Fact(">=", Scalar.of(-1)), Fact(">=", Scalar.of(1))
A = Symbol("A", ("m", "n"))


class Evil(Atom):
    """An atom that says that it is another one."""

    def __init__(self) -> None:
        self._fill(name="x", when="constant", key=Variable("x").key)

    def __str__(self) -> str:
        return "x"


def tampered(change: Callable[[Scalar], object]) -> Theorem:
    """A theorem 1 >= 0 whose polynomial was changed after its key was known."""
    theorem = rules.certificate((), Fact(">=", Scalar.of(1)), ((((Fraction(1), Scalar.of(1)),), ()),), (), ())
    polynomial = theorem.fact.polynomial
    _ = polynomial.key
    change(polynomial)
    return theorem


def cyclic() -> Theorem:
    first = rules.horizon_positive()
    second = rules.summation(first)
    object.__setattr__(first, "premises", (second,))
    return second


def own_rule() -> None:
    @derive.rule(0)
    def trust_me(statement: Fact) -> Fact:
        return statement

    replay(RULES["trust_me"](FALSE))


def entered(name: str) -> None:
    RULES[name] = lambda *_: Theorem(frozenset(), FALSE, frozenset(), name, (), ())


def typed(act: Callable[[], object]) -> str:
    """The refusal of what Python itself refuses."""
    try:
        return refusal(act)
    except (TypeError, AttributeError) as error:
        return str(error)


def forged(**change: Any) -> Theorem:
    return replace(rules.horizon_positive(), **change)


def concluding(make: Callable[[], Theorem]) -> Callable[[Path], str]:
    """A script that concludes with a theorem of its own making."""

    def build(proof: Proof) -> None:
        proof.conclude(make(), relation=ge(0, 1))

    return lambda _: doubt(build)


def of(name: str, why: str, wrong: Callable[[], object], twin: Callable[[], object]) -> Case:
    return Case(name, why, lambda _: typed(wrong), lambda _: typed(twin))


def set_key() -> None:
    Scalar.of(1).key = "(+)"


def set_item() -> None:
    Scalar.of(1).terms[()] = Fraction(-1)


def delete() -> None:
    del Variable("x").key


FINE = rules.horizon_positive
CASES = [
    of("a key that is set", "key of 1 cannot be set: terms do not change", set_key, lambda: Scalar.of(1).key),
    of("a coefficient that is set", "does not support item assignment", set_item, lambda: Scalar.of(1).terms[()]),
    of("a key that is deleted", "cannot be deleted: terms do not change", delete, lambda: Variable("x").key),
    of(
        "coefficients changed below the surface",
        "certificate: the two sides differ|yields",
        lambda: replay(tampered(lambda p: vars(p).update(terms=FALSE.polynomial.terms))),
        lambda: replay(tampered(lambda p: None)),
    ),
    of(
        "a key changed below the surface",
        "yields",
        lambda: replay(forged(conclusion=_keyed(FALSE, FINE().conclusion.key))),
        lambda: replay(FINE()),
    ),
    Case(
        "a forged theorem that a script concludes",
        "yields",
        concluding(lambda: forged(conclusion=Fact(">=", Scalar.of(-1)))),
        lambda _: doubt(lemma(ge(x**2, 0))),
    ),
    of("a rule of one's own", "trust_me cannot become a rule", own_rule, lambda: RULES["assume"](TRUE)),
    of("a rule that is entered", "does not support item assignment", lambda: entered("mine"), lambda: RULES["assume"]),
    of(
        "a rule that is replaced",
        "does not support item assignment",
        lambda: entered("assume"),
        lambda: dict(RULES),
    ),
    of(
        "a standard fact that is entered",
        "does not support item assignment",
        lambda: STANDARD_FACTS.update(mine="…") if hasattr(STANDARD_FACTS, "update") else _assign(),
        lambda: dict(STANDARD_FACTS),
    ),
    of(
        "a theorem by no rule",
        "is not a rule of the kernel",
        lambda: replay(forged(rule="magic")),
        lambda: replay(FINE()),
    ),
    of(
        "a theorem that is derived from itself", "derived from itself", lambda: replay(cyclic()), lambda: replay(FINE())
    ),
    of(
        "a term that contains itself",
        "contains itself",
        lambda: replay(rules.assume(_containing_itself())),
        lambda: replay(rules.assume(TRUE)),
    ),
    of(
        "an atom of a kind of one's own",
        "not a term, statement, number, text or tuple",
        lambda: replay(rules.assume(Fact(">=", Scalar.of(Evil())))),
        lambda: replay(rules.assume(Fact(">=", Scalar.of(Variable("x"))))),
    ),
    of(
        "a theorem of a class of one's own",
        "is not a theorem of the kernel",
        lambda: replay(type("Mine", (Theorem,), {})(frozenset(), FALSE, frozenset(), "assume", (), (FALSE,))),
        lambda: replay(FINE()),
    ),
    of(
        "a coefficient that is a float",
        "a coefficient is an integer or a fraction",
        lambda: Scalar({(): 0.1}),
        lambda: Scalar({(): Fraction(1, 10)}),
    ),
    of(
        "blocks in a list that may change",
        "a point is a tuple of matrices",
        lambda: Norm("F", [Matrix.of(A)]),
        lambda: Norm("F", (Matrix.of(A),)),
    ),
    of(
        "a block from the end",
        "a point of 1 blocks has no block -1",
        lambda: Gradient("f", (Matrix.of(A),), -1),
        lambda: Gradient("f", (Matrix.of(A),), 0),
    ),
    of(
        "a law whose premise is no statement",
        "a law is a fact with facts and laws as premises",
        lambda: Law((A,), (Scalar.of(1),), TRUE),
        lambda: Law((A,), (TRUE,), TRUE),
    ),
]


def _keyed(fact: Fact, key: str) -> Fact:
    """A fact that says one thing, under the key of another."""
    again = Fact(fact.relation, fact.polynomial)
    vars(again)["key"] = key
    return again


def _containing_itself() -> Fact:
    matrix = Matrix.of(A)
    norm = Norm("F", (matrix,))
    fact = Fact(">=", Scalar.of(norm))
    vars(norm)["blocks"] = (Matrix(("m", "n"), {((A, False),): Scalar.of(norm)}),)
    return fact


def _assign() -> None:
    STANDARD_FACTS["mine"] = "…"
