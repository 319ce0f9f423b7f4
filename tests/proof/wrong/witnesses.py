"""Witnesses that would refute a true line: by a law that they break, a gradient that is none, or numbers of another."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import sympy as sp
from boundcheck.proofs.jiang2024.claims import ASSUMPTION_1

from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.kernel.meaning import MatrixFunction, Model, exact
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import zeta
from boundcheck.language.vocabulary import A1, A2, B1, B2, W1, W2, EuclideanNorm, F, FrobeniusNorm, Gradient, f, v1, v2
from boundcheck.proof import Reading, Witness, ge, judge, le, script
from boundcheck.proof.instance import Setting
from boundcheck.proof.witness import at_points

from .case import Case, of_witnesses, unrefuted, x, y

ONE = Fraction(1)
X = sp.MatrixSymbol("X", 1, 1)
MATRIX = Reading(constants={X, x, y}, arbitrary={W1, W2})
POINTS = Reading(points={v1: (A1, B1), v2: (A2, B2)}, constants={x, y}, arbitrary={A1, A2, B1, B2, W1, W2})


def model(functions: Any = None, **numbers: Fraction | int) -> Model:
    """One time, one outcome, sizes 1, and these numbers."""
    values = {name: Fraction(value) for name, value in numbers.items()}

    def letter(each: Any, *_: int) -> Any:
        return values[each.name] if not hasattr(each, "shape") else ((values[each.name],),)

    sides = {"one": 1, "d": 1, "k": 1, "r": 1, "n": 1}
    return Model(sides, 1, (ONE,), lambda _: (0,), letter, functions or {})


def by_hand(about: str = "Numbers", functions: Any = None, told: Any = None, **numbers: Fraction | int) -> Witness:
    found = {name: Fraction(value) for name, value in numbers.items()} if told is None else told
    return Witness(about, found, model(functions, **numbers))


def square(slope: int) -> dict[str, MatrixFunction]:
    """f(X) = X² with a gradient `slope` X."""
    return {"f": MatrixFunction(lambda p: p[0][0][0] * p[0][0][0], lambda p: (((exact(slope) * p[0][0][0],),),))}


class Mine(Setting):
    """A setting with another function, by its own word."""

    def loss(self, v: Any) -> Fraction:
        return ONE


def smoother() -> Setting:
    """A setting that is told half of its smoothness constant, and whose script wrote that into its slope as well."""
    slope = PiecewiseLinear.clipped(ONE, ONE, ONE)
    vars(slope)["lipschitz"] = Fraction(1, 2)
    return Setting(slope, Fraction(1, 2), ONE, ONE, ONE)


SLOPE = PiecewiseLinear.clipped(ONE, ONE, ONE)
HONEST = Setting(SLOPE, ONE, ONE, ONE, ONE)
CORNER, OTHER = (ONE, ONE), (Fraction(1, 2), ONE)
TURN = EuclideanNorm(Gradient(F, v1) - Gradient(F, v2))
SEEN = at_points("A parabola", HONEST, CORNER, OTHER)
# False of v_1 and v_2 as they are.
FEW = le(TURN, 0)
LAW = (ASSUMPTION_1, {"forall": [W1, W2]})


def with_model(witness: Witness, **numbers: int) -> Witness:
    return replace(witness, model=model(**numbers))


def numbers_of(proof: Any) -> str:
    from boundcheck.proof.audit import witness_as_json

    return str(witness_as_json(proof, proof.steps[0]))


def told(numbers: dict[str, Fraction]) -> Any:
    """What is printed of a witness that calls its numbers by these values."""

    def say(_: Path) -> str:
        witness = by_hand(told=numbers, x=2)

        def build(proof: Any) -> None:
            proof.step("line", le(x, 1), witness=witness)

        printed = judge(script("my.lemma", "printed", MATRIX)(build))
        return "" if "'x': '2'" in numbers_of(printed) and numbers == {"x": Fraction(2)} else numbers_of(printed)

    return say


GIVEN = Claim("my.given", "Given", "me", ge(x, 1))
LINE = ge(x, 2)


def against(build: Any) -> str:
    """Why a line of a printed proof of x >= 2, from x >= 1, is not refuted; "" where it is."""
    claim = Claim("my.claim", "Mine", "me", LINE, hypotheses=(GIVEN,))
    (step,) = judge(script(claim, "printed", MATRIX, is_statement=True)(build)).steps
    return step.reason


CASES = [
    of_witnesses(
        "functions that break a law",
        "the witness does not show that a law holds",
        FEW,
        [LAW],
        by_hand(functions={"F": square(2)["f"]}, A_1=1, B_1=1, A_2=0, B_2=0, L=1),
        at_points("A parabola", HONEST, CORNER, OTHER),
        reading=POINTS,
    ),
    of_witnesses(
        "a constant that the script wrote",
        "the witness breaks a hypothesis",
        FEW,
        [LAW],
        at_points("A parabola", smoother(), CORNER, OTHER),
        at_points("A parabola", HONEST, CORNER, OTHER),
        reading=POINTS,
    ),
    of_witnesses(
        "a gradient that is none",
        "expected the derivative of f",
        le(FrobeniusNorm(Gradient(f, X)), 2 * FrobeniusNorm(X)),
        [],
        by_hand(functions=square(3), X=1),
        by_hand(
            functions=square(3)
            | {
                "f": MatrixFunction(
                    lambda p: p[0][0][0] * p[0][0][0] * exact(Fraction(3, 2)), lambda p: (((exact(3) * p[0][0][0],),),)
                )
            },
            X=1,
        ),
        reading=MATRIX,
    ),
    of_witnesses(
        "a hypothesis that is broken",
        "the witness does not meet",
        le(x, y),
        [(ge(y, 0), {})],
        by_hand(x=0, y=-1),
        by_hand(x=1, y=0),
    ),
    of_witnesses(
        "a line that is true there",
        "the witness does not make the line false",
        le(x, y),
        [],
        by_hand(x=1, y=1),
        by_hand(x=2, y=1),
    ),
    of_witnesses(
        "constants that the setting breaks",
        "the witness breaks a hypothesis: the largest slope",
        FEW,
        [LAW],
        at_points("Too steep", replace(HONEST, L=Fraction(1, 2)), CORNER, OTHER),
        at_points("A parabola", HONEST, CORNER, OTHER),
        reading=POINTS,
    ),
    of_witnesses(
        "a setting of a class of one's own",
        "expected a Witness by `at_points`",
        FEW,
        [LAW],
        at_points("Mine", Mine(SLOPE, Fraction(1, 2), ONE, ONE, ONE), CORNER, OTHER),
        at_points("A parabola", HONEST, CORNER, OTHER),
        reading=POINTS,
    ),
    of_witnesses(
        "a setting under another model",
        "the witness does not make the line false",
        le(EuclideanNorm(v1), 2),
        [],
        with_model(at_points("Small", HONEST, CORNER, OTHER), A_1=8, B_1=8),
        at_points("Large", replace(HONEST, sigma=Fraction(8), C=Fraction(8)), (Fraction(8), ONE), OTHER),
        reading=POINTS,
    ),
    replace(
        of_witnesses(
            "a law that is not of the setting",
            "the witness does not show that a law holds",
            FEW,
            [(le(FrobeniusNorm(Gradient(f, W1)), x), {"forall": [W1]})],
            *[at_points("A parabola", HONEST, CORNER, OTHER)] * 2,
            reading=POINTS,
        ),
        twin=lambda _: unrefuted(
            lambda proof: (proof.assume(ASSUMPTION_1, forall=[W1, W2]), proof.step("line", FEW, witness=SEEN)), POINTS
        ),
    ),
    of_witnesses(
        "a number that is not positive",
        "the witness does not meet 0 < zeta",
        ge(zeta, 1),
        [],
        by_hand(zeta=-1),
        by_hand(zeta=Fraction(1, 2)),
    ),
    Case(
        "a claim whose hypotheses nobody laid down",
        "the witness breaks a hypothesis: Given",
        lambda _: against(lambda proof: proof.step("line", LINE, witness=by_hand(x=0))),
        lambda _: against(lambda proof: (proof.assume(GIVEN), proof.step("line", LINE, witness=by_hand(x=1)))),
    ),
    Case(
        "numbers that are not the model's", "'numbers': {'x': '2'}", told({"x": Fraction(7)}), told({"x": Fraction(2)})
    ),
]
