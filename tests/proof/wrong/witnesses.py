"""Witnesses that would refute a true line: by a law that they break, a gradient that is none, or
numbers of another."""

from dataclasses import replace
from fractions import Fraction

import sympy as sp
from boundcheck.proofs.jiang2024.claims import ASSUMPTION_1, LEMMA_1

from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.kernel.meaning import MatrixFunction, Model, exact
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import zeta
from boundcheck.language.vocabulary import (
    A1,
    A2,
    B1,
    B2,
    W1,
    W2,
    EuclideanNorm,
    F,
    FrobeniusNorm,
    Gradient,
    f,
    v1,
    v2,
)
from boundcheck.proof import Reading, Witness, ge, judge, le, script
from boundcheck.proof.audit import witness_as_json
from boundcheck.proof.instance import Points, Setting
from boundcheck.proof.witness import at_points

from .case import Case, of_witnesses, x, y

ONE = Fraction(1)
X = sp.MatrixSymbol("X", 1, 1)
MATRIX = Reading(constants={X, x, y}, arbitrary={W1, W2})
POINTS = Reading(
    points={v1: (A1, B1), v2: (A2, B2)}, constants={x, y}, arbitrary={A1, A2, B1, B2, W1, W2}
)


def model(functions=None, **numbers):
    """One time, one outcome, sizes 1, and these numbers."""
    values = {name: Fraction(value) for name, value in numbers.items()}

    def letter(each, *_):
        return values[each.name] if not hasattr(each, "shape") else ((values[each.name],),)

    sides = {"one": 1, "d": 1, "k": 1, "r": 1, "n": 1}
    return Model(sides, 1, (ONE,), lambda _: (0,), letter, functions or {})


def by_hand(about="Numbers", functions=None, told=None, **numbers):
    found = {name: Fraction(value) for name, value in numbers.items()} if told is None else told
    return Witness(about, found, model(functions, **numbers))


def square(slope, times=ONE):
    """f(X) = `times` X² with a gradient `slope` X."""

    def value(point):
        return exact(times) * point[0][0][0] * point[0][0][0]

    return {"f": MatrixFunction(value, lambda point: (((exact(slope) * point[0][0][0],),),))}


class Flatter(Fraction):
    """A number whose differences, divided, have the size 1/2."""

    def __sub__(self, other):
        return Flatter(Fraction(self) - other)

    def __truediv__(self, other):
        return Flatter(Fraction(self) / other)

    def __abs__(self):
        return Fraction(1, 2)


class Mine(Points):
    """A setting with another function, by its own word."""

    def loss(self, v):
        return ONE


def smoother():
    """A setting that is told half of its smoothness constant, and whose script wrote that into its
    slope as well."""
    slope = PiecewiseLinear.clipped(ONE, ONE, ONE)
    vars(slope)["lipschitz"] = Fraction(1, 2)
    return Setting(LEMMA_1, slope, Fraction(1, 2), ONE, ONE, ONE)


SLOPE = PiecewiseLinear.clipped(ONE, ONE, ONE)
HONEST = Setting(LEMMA_1, SLOPE, ONE, ONE, ONE, ONE)
FLATTER = PiecewiseLinear(((Fraction(0), Flatter(-1)), (Fraction(2), Flatter(1))))
CORNER = (ONE, ONE)
OTHER = (Fraction(1, 2), ONE)
PARABOLA = at_points("A parabola", HONEST, CORNER, OTHER)
# False of v_1 and v_2 as they are.
FEW = le(EuclideanNorm(Gradient(F, v1) - Gradient(F, v2)), 0)
LAW = (ASSUMPTION_1, {"forall": [W1, W2]})
# What a witness cannot show to hold: that ‖∇f(W)‖ is at most x everywhere.
STEEP = (le(FrobeniusNorm(Gradient(f, W1)), x), {"forall": [W1]})


def told(numbers):
    """What is printed of a witness that calls its numbers by these values."""
    witness = by_hand(told=numbers, x=2)
    made = script("my.lemma", "printed", MATRIX)(
        lambda proof: proof.step("line", le(x, 1), witness=witness)
    )
    proof = judge(made)
    printed = str(witness_as_json(proof, proof.steps[0]))
    return "" if "'x': '2'" in printed and numbers == {"x": Fraction(2)} else printed


GIVEN = Claim("my.given", "Given", "me", ge(x, 1))
LINE = ge(x, 2)


def against(witness, *assume):
    """Why a line of a printed proof of x >= 2, from x >= 1, is not refuted; "" where it is."""

    def build(proof):
        for each in assume:
            proof.assume(each)
        proof.step("line", LINE, witness=witness)

    claim = Claim("my.claim", "Mine", "me", LINE, hypotheses=(GIVEN,))
    (step,) = judge(script(claim, "printed", is_statement=True)(build)).steps
    return step.reason


CASES = [
    of_witnesses(
        "functions that break a law",
        "the witness does not show that a law holds",
        FEW,
        by_hand(functions={"F": square(2)["f"]}, A_1=1, B_1=1, A_2=0, B_2=0, L=1),
        PARABOLA,
        LAW,
        reading=POINTS,
    ),
    of_witnesses(
        "a constant that the script wrote",
        "the witness breaks a hypothesis",
        FEW,
        at_points("A parabola", smoother(), CORNER, OTHER),
        PARABOLA,
        LAW,
        reading=POINTS,
    ),
    of_witnesses(
        "numbers of a script's own class",
        "the witness breaks a hypothesis",
        FEW,
        at_points("A flat one", replace(HONEST, slope=FLATTER, L=Fraction(1, 2)), CORNER, OTHER),
        PARABOLA,
        LAW,
        reading=POINTS,
    ),
    of_witnesses(
        "a gradient that is none",
        "expected the derivative of f",
        le(FrobeniusNorm(Gradient(f, X)), 2 * FrobeniusNorm(X)),
        by_hand(functions=square(3), X=1),
        by_hand(functions=square(3, Fraction(3, 2)), X=1),
        reading=MATRIX,
    ),
    of_witnesses(
        "a hypothesis that is broken",
        "the witness does not meet",
        le(x, y),
        by_hand(x=0, y=-1),
        by_hand(x=1, y=0),
        ge(y, 0),
    ),
    of_witnesses(
        "a line that is true there",
        "the witness does not make the line false",
        le(x, y),
        by_hand(x=1, y=1),
        by_hand(x=2, y=1),
    ),
    of_witnesses(
        "constants that the setting breaks",
        "the witness breaks a hypothesis: the largest slope",
        FEW,
        at_points("Too steep", replace(HONEST, L=Fraction(1, 2)), CORNER, OTHER),
        PARABOLA,
        LAW,
        reading=POINTS,
    ),
    of_witnesses(
        "a setting of a class of one's own",
        "expected a Witness by `at_points`",
        FEW,
        replace(
            PARABOLA, source=Mine(LEMMA_1, SLOPE, Fraction(1, 2), ONE, ONE, ONE, CORNER, OTHER)
        ),
        PARABOLA,
        LAW,
        reading=POINTS,
    ),
    of_witnesses(
        "a setting of a claim about another function",
        "expected a Witness by `at_points`",
        FEW,
        at_points("A parabola", replace(HONEST, claim=replace(LEMMA_1, note="")), CORNER, OTHER),
        PARABOLA,
        LAW,
        reading=POINTS,
    ),
    of_witnesses(
        "a setting under another model",
        "the witness does not make the line false",
        le(EuclideanNorm(v1), 2),
        replace(at_points("Small", HONEST, CORNER, OTHER), model=model(A_1=8, B_1=8)),
        at_points(
            "Large", replace(HONEST, sigma=Fraction(8), C=Fraction(8)), (Fraction(8), ONE), OTHER
        ),
        reading=POINTS,
    ),
    replace(
        of_witnesses(
            "a law that is not of the setting",
            "the witness does not show that a law holds",
            FEW,
            PARABOLA,
            PARABOLA,
            STEEP,
            reading=POINTS,
        ),
        twin=of_witnesses("", "", FEW, PARABOLA, PARABOLA, LAW, reading=POINTS).twin,
    ),
    of_witnesses(
        "a number that is not positive",
        "the witness does not meet 0 < zeta",
        ge(zeta, 1),
        by_hand(zeta=-1),
        by_hand(zeta=Fraction(1, 2)),
    ),
    Case(
        "a claim whose hypotheses nobody laid down",
        "the witness breaks a hypothesis: Given",
        lambda _: against(by_hand(x=0)),
        lambda _: against(by_hand(x=1), GIVEN),
    ),
    Case(
        "numbers that are not the model's",
        "'numbers': {'x': '2'}",
        lambda _: told({"x": Fraction(7)}),
        lambda _: told({"x": Fraction(2)}),
    ),
]
