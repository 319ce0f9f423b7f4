"""Terms, theorems and rules that were changed after they were made: what `replay` would have to
believe."""

from dataclasses import replace
from fractions import Fraction

from boundcheck.kernel import RULES, STANDARD_FACTS, Fact, Law, Theorem, derive, replay, rules
from boundcheck.kernel.terms import Atom, Gradient, Matrix, Norm, Scalar, Symbol, Variable
from boundcheck.proof import ge

from .case import Case, doubt, lemma, of_acts, x

FALSE = Fact(">=", Scalar.of(-1))
TRUE = Fact(">=", Scalar.of(1))
A = Symbol("A", ("m", "n"))


class Evil(Atom):
    """An atom that says that it is another one."""

    def __init__(self):
        self._fill(name="x", when="constant", key=Variable("x").key)

    def __str__(self):
        return "x"


def tampered(change):
    """A theorem 1 >= 0 whose polynomial was changed after its key was known."""
    theorem = rules.certificate(
        (), Fact(">=", Scalar.of(1)), ((((Fraction(1), Scalar.of(1)),), ()),), (), ()
    )
    polynomial = theorem.fact.polynomial
    _ = polynomial.key
    change(polynomial)
    return theorem


def cyclic():
    first = rules.horizon_positive()
    second = rules.summation(first)
    object.__setattr__(first, "premises", (second,))
    return second


def own_rule():
    @derive.rule(0)
    def trust_me(statement):
        return statement

    replay(RULES["trust_me"](FALSE))


def entered(name):
    RULES[name] = lambda *_: Theorem(frozenset(), FALSE, frozenset(), name, (), ())


def forged(**change):
    return replace(rules.horizon_positive(), **change)


def set_key():
    Scalar.of(1).key = "(+)"


def set_item():
    Scalar.of(1).terms[()] = Fraction(-1)


def delete():
    del Variable("x").key


def keyed(fact, key):
    """A fact that says one thing, under the key of another."""
    again = Fact(fact.relation, fact.polynomial)
    vars(again)["key"] = key
    return again


def containing_itself():
    matrix = Matrix.of(A)
    norm = Norm("F", (matrix,))
    fact = Fact(">=", Scalar.of(norm))
    vars(norm)["blocks"] = (Matrix(("m", "n"), {((A, False),): Scalar.of(norm)}),)
    return fact


def assign():
    STANDARD_FACTS["mine"] = "…"


FINE = rules.horizon_positive
# By each what is wrong, and what is fine.
ACTS = [
    (
        "a key that is set",
        "key of 1 cannot be set: terms do not change",
        set_key,
        lambda: Scalar.of(1).key,
    ),
    (
        "a coefficient that is set",
        "does not support item assignment",
        set_item,
        lambda: Scalar.of(1).terms[()],
    ),
    (
        "a key that is deleted",
        "cannot be deleted: terms do not change",
        delete,
        lambda: Variable("x").key,
    ),
    (
        "a rule of one's own",
        "trust_me cannot become a rule",
        own_rule,
        lambda: RULES["assume"](TRUE),
    ),
    (
        "a rule that is entered",
        "does not support item assignment",
        lambda: entered("mine"),
        lambda: RULES["assume"],
    ),
    (
        "a rule that is replaced",
        "does not support item assignment",
        lambda: entered("assume"),
        lambda: dict(RULES),
    ),
    (
        "a standard fact that is entered",
        "does not support item assignment",
        lambda: STANDARD_FACTS.update(mine="…") if hasattr(STANDARD_FACTS, "update") else assign(),
        lambda: dict(STANDARD_FACTS),
    ),
    (
        "a coefficient that is a float",
        "a coefficient is an integer or a fraction",
        lambda: Scalar({(): 0.1}),
        lambda: Scalar({(): Fraction(1, 10)}),
    ),
    (
        "blocks in a list that may change",
        "a point is a tuple of matrices",
        lambda: Norm("F", [Matrix.of(A)]),
        lambda: Norm("F", (Matrix.of(A),)),
    ),
    (
        "a block from the end",
        "a point of 1 blocks has no block -1",
        lambda: Gradient("f", (Matrix.of(A),), -1),
        lambda: Gradient("f", (Matrix.of(A),), 0),
    ),
    (
        "a law whose premise is no statement",
        "a law is a fact with facts and laws as premises",
        lambda: Law((A,), (Scalar.of(1),), TRUE),
        lambda: Law((A,), (TRUE,), TRUE),
    ),
]
# Of each a theorem that is not replayed, and one that is.
THEOREMS = [
    (
        "coefficients changed below the surface",
        "certificate: the two sides differ|yields",
        lambda: tampered(lambda p: vars(p).update(terms=FALSE.polynomial.terms)),
        lambda: tampered(lambda p: None),
    ),
    (
        "a key changed below the surface",
        "yields",
        lambda: forged(conclusion=keyed(FALSE, FINE().conclusion.key)),
        FINE,
    ),
    ("a theorem by no rule", "is not a rule of the kernel", lambda: forged(rule="magic"), FINE),
    ("a theorem that is derived from itself", "derived from itself", cyclic, FINE),
    (
        "a term that contains itself",
        "contains itself",
        lambda: rules.assume(containing_itself()),
        lambda: rules.assume(TRUE),
    ),
    (
        "an atom of a kind of one's own",
        "not a term, statement, number, text or tuple",
        lambda: rules.assume(Fact(">=", Scalar.of(Evil()))),
        lambda: rules.assume(Fact(">=", Scalar.of(Variable("x")))),
    ),
    (
        "a theorem of a class of one's own",
        "is not a theorem of the kernel",
        lambda: type("Mine", (Theorem,), {})(
            frozenset(), FALSE, frozenset(), "assume", (), (FALSE,)
        ),
        FINE,
    ),
]


def replaying(make):
    return lambda: replay(make())


CASES = [
    *(of_acts(*each, TypeError, AttributeError) for each in ACTS),
    *(
        of_acts(name, why, replaying(wrong), replaying(twin), TypeError, AttributeError)
        for name, why, wrong, twin in THEOREMS
    ),
    Case(
        "a forged theorem that a script concludes",
        "yields",
        lambda _: doubt(lambda proof: proof.conclude(forged(conclusion=FALSE), relation=ge(0, 1))),
        lambda _: doubt(lemma(ge(x**2, 0))),
    ),
]
