"""A function that is smooth on all of space: the descent lemma from any point along any step, on both sides."""

from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.kernel import Theorem
from boundcheck.language.claim import Claim, as_typed
from boundcheck.language.symbols import Lhat, ell
from boundcheck.language.vocabulary import EuclideanNorm, F, Gradient, v1, v2
from boundcheck.proof import Proof, gt, le

from ..jiang2024.ball import unit_interval
from ..jiang2024.setting import quantity, theta
from .claims import SMOOTH_EVERYWHERE


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
