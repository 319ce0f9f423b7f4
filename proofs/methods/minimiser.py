"""What is known of a smooth function: the descent lemma anywhere; and no slope at v*, if it has a minimiser."""

from dataclasses import dataclass

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.kernel import Theorem
from boundcheck.language.claim import Claim, as_typed
from boundcheck.language.symbols import R_1, Lhat, alpha, ell, f_star
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    F,
    Gradient,
    InnerProduct,
    Value,
    v,
    v1,
    v2,
    v_star,
    v_t,
)
from boundcheck.proof import Proof, eq, ge, gt, le

from ..jiang2024.descent import NOW, v_first
from ..jiang2024.setting import quantity, theta, unit_interval
from .claims import NEAR_MINIMISER, SMOOTH_EVERYWHERE


class Everywhere:
    """Smoothness with the constant ell, which is L̂.

    Attributes:
        smoothness: L̂ = ell.
        constant: L̂ > 0.
        law: for all v_1, v_2, ‖∇F(v_1) - ∇F(v_2)‖ <= ell ‖v_1 - v_2‖.

    """

    def __init__(self, proof: Proof, claim: Claim):
        self.proof = proof
        self.smoothness = proof.quantity(quantity(claim, Lhat))
        self.constant = proof.step("$L̂ > 0$", gt(Lhat, 0), self.smoothness, proof.positive(ell))
        self.law = proof.assume(SMOOTH_EVERYWHERE, forall=[v1, v2])
        self._between = unit_interval(proof)

    def above(self, x: MatrixExpr, step: MatrixExpr, sign: int = 1) -> Theorem:
        """F(x + δ) - F(x) - ⟨∇F(x), δ⟩ <= L̂/2 ‖δ‖²; with the sign -1 it is >= -L̂/2 ‖δ‖²."""
        by = self.proof.by
        along = self.proof.step(
            f"from ${as_typed(x)}$ to ${as_typed(x + step)}$",
            le(EuclideanNorm(Gradient(F, x + theta * step) - Gradient(F, x)), Lhat * theta * EuclideanNorm(step)),
            by.instance(self.law, {v1: x + theta * step, v2: x}),
            by.homogeneous(self._between[0], "F", step),
            self.smoothness,
        )
        return by.descent_lemma(along, F, x, step, Lhat, theta, sign)


@dataclass(frozen=True)
class Inverse:
    """A step of 1/L̂.

    Attributes:
        size: α, as the proof writes it.
        positive: α > 0.
        unit: L̂α = 1.

    """

    size: sp.Expr
    positive: Theorem
    unit: Theorem


def inverse_step(proof: Proof, claim: Claim, constant: Theorem) -> Inverse:
    """The step α of a claim that takes 1/L̂ for it."""
    size = proof.quantity(quantity(claim, alpha))
    unit, inverse = proof.by.quotient(constant)
    return Inverse(
        alpha,
        proof.step("$α > 0$", gt(alpha, 0), size, inverse),
        proof.step("$L̂α = 1$", eq(Lhat * alpha, 1), size, unit),
    )


class Smooth(Everywhere):
    """A function that is smooth on all of space, and least at v*, near which v_1 is.

    Attributes:
        least: for all v, F(v) >= f*.
        minimum: F(v*) = f*.
        near: ‖v_1 - v*‖ <= R_1.

    """

    def __init__(self, proof: Proof, claim: Claim):
        super().__init__(proof, claim)
        self.least = proof.assume(ge(Value(F, v), f_star), forall=[v], name="v* is where F is least")
        self.minimum, self.near = proof.assume(NEAR_MINIMISER)

    def lowered(self, x: MatrixExpr, step: Inverse) -> Theorem:
        """F(x - α∇F(x)) <= F(x) - α/2 ‖∇F(x)‖², at a step of 1/L̂."""
        by, slope, size = self.proof.by, Gradient(F, x), step.size
        return self.proof.step(
            f"a step from ${as_typed(x)}$",
            le(Value(F, x - size * slope), Value(F, x) - size / 2 * EuclideanNorm(slope) ** 2),
            self.above(x, -size * slope),
            by.homogeneous(step.positive, "F", slope),
            by.expansion(slope),
            step.unit,
        )

    def flat(self, step: Inverse) -> Theorem:
        """‖∇F(v*)‖ <= 0: a step from v* would lower F."""
        by, slope = self.proof.by, Gradient(F, v_star)
        squares = self.proof.step(
            "$‖∇F(v*)‖² ≤ 0$",
            le(EuclideanNorm(slope) ** 2, 0),
            step.positive,
            self.lowered(v_star, step),
            by.instance(self.least, {v: v_star - step.size * slope}),
            self.minimum,
            factor=[0],
        )
        return by.from_squares(squares, self.proof.step("$0 ≥ 0$", ge(0, 0)), EuclideanNorm(slope))

    def distant(self, x: MatrixExpr, flat: Theorem) -> Theorem:
        """F(x) - f* <= L̂/2 ‖x - v*‖²."""
        by, slope, step = self.proof.by, Gradient(F, v_star), x - v_star
        return self.proof.step(
            f"the gap at ${as_typed(x)}$",
            le(Value(F, x) - f_star, Lhat / 2 * EuclideanNorm(step) ** 2),
            self.above(v_star, step),
            by.cauchy_schwarz(slope, step),
            self.proof.step(
                "no slope at v*", le(EuclideanNorm(slope) * EuclideanNorm(step), 0), flat, by.nonnegative("F", step)
            ),
            self.minimum,
        )

    def near_squared(self) -> Theorem:
        """‖v_1 - v*‖² <= R_1²."""
        size, (radius,) = self.proof.by.nonnegative("F", v_first - v_star), self.proof.positive(R_1)
        return self.proof.step(
            "$‖v_1 - v*‖² ≤ R_1²$", le(EuclideanNorm(v_first - v_star) ** 2, R_1**2), self.near, size, radius
        )

    def pull(self, convex: Theorem, step: Inverse) -> Theorem:
        """F(v_t) - f* <= ⟨∇F(v_t), v_t - v*⟩ - α/2 ‖∇F(v_t)‖², at α = 1/L̂, from convexity: for all v_1, v_2."""
        by, slope = self.proof.by, Gradient(F, v_t)
        beyond = v_star + step.size * slope
        return self.proof.step(
            "beyond v*",
            le(NOW - f_star, InnerProduct(slope, v_t - v_star) - step.size / 2 * EuclideanNorm(slope) ** 2),
            by.instance(convex, {v1: v_t, v2: beyond}),
            self.distant(beyond, self.flat(step)),
            by.homogeneous(step.positive, "F", slope),
            by.expansion(slope),
            step.unit,
            meaning="$F$ lies above its tangent at $v_t$, and below a parabola at $v*$: compared at $v* + α∇F(v_t)$.",
        )
