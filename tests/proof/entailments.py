"""Small entailments between polynomials of which it is known whether they hold, and programs that
play the solver."""

import sys
from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

from boundcheck.kernel import Fact
from boundcheck.kernel.terms import Atom, Matrix, Scalar, Symbol, Variable
from boundcheck.proof import solver
from boundcheck.proof.solver import evaluate

# A limit that the solver does not reach here, on a busy machine either.
SECONDS = 10

ATOMS = [Variable(name) for name in "xyz"]
x, y, z = map(Scalar.of, ATOMS)
X = Matrix.of(Symbol("X", ("m", "n")))

NUMBERS = st.fractions(-3, 3, max_denominator=4)
NONNEGATIVE = st.fractions(0, 3, max_denominator=4)
POSITIVE = st.fractions(Fraction(1, 4), 3, max_denominator=4)
RELATIONS = [">=", ">", "="]


@dataclass(frozen=True)
class Entailment:
    """Premises and a goal; `point` is a counterexample, or None where the premises entail the
    goal."""

    goal: Fact
    premises: tuple[Fact, ...]
    point: dict[Atom, Fraction] | None = None


@st.composite
def polynomials(draw, degree=2, names=3):
    """Polynomials in the first of x, y and z with few terms, of at most that degree."""
    result = Scalar.of(draw(NUMBERS))
    for _ in range(draw(st.integers(1, 3))):
        product = Scalar.of(draw(NUMBERS))
        for atom in draw(st.lists(st.sampled_from(ATOMS[:names]), min_size=1, max_size=degree)):
            product = product * Scalar.of(atom)
        result = result + product
    return result


@st.composite
def refuted(draw, relations=(">=", ">", "=")):
    """The premises hold at a point and the goal does not, because constants were chosen so."""
    point = {atom: draw(NUMBERS) for atom in ATOMS}

    def shifted(to):
        polynomial = draw(polynomials())
        return polynomial - evaluate(polynomial, point) + to

    slack = {">=": NONNEGATIVE, ">": POSITIVE, "=": st.just(Fraction(0))}
    premises = [
        Fact(relation, shifted(draw(slack[relation])))
        for relation in draw(st.lists(st.sampled_from(relations), max_size=3))
    ]
    miss = {">=": POSITIVE.map(lambda x: -x), ">": NONNEGATIVE.map(lambda x: -x), "=": POSITIVE}
    relation = draw(st.sampled_from(RELATIONS))
    return Entailment(Fact(relation, shifted(draw(miss[relation]))), tuple(premises), point)


@st.composite
def entailed(draw, names=2):
    """The goal is a sum of squares, of multiples of the premises and of a constant, as its relation
    wants it."""
    facts = st.builds(Fact, st.sampled_from(RELATIONS), polynomials(names=names))
    premises = draw(st.lists(facts, max_size=2))
    relation = draw(st.sampled_from([">=", ">"]))
    total = Scalar.of(draw(NONNEGATIVE if relation == ">=" else POSITIVE))
    for square in draw(st.lists(polynomials(degree=1, names=names), max_size=2)):
        total = total + square * square
    for premise in premises:
        total = total + premise.polynomial * draw(
            NUMBERS if premise.relation == "=" else NONNEGATIVE
        )
    return Entailment(Fact(relation, total), tuple(premises))


def play(monkeypatch, script):
    """Let a Python program stand in for the solver."""
    monkeypatch.setattr(solver, "command", lambda: [sys.executable, "-I", "-c", script])
