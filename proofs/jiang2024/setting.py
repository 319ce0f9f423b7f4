"""The setting of MeFT as the proofs read it: v = (A, B), W = W_0 + s B A, F(v) = f(W), and the ball that holds v.

Hypotheses come from the claims; this module fixes the matrices of a vector, and over what a law ranges.
"""

from dataclasses import replace

import sympy as sp
from sympy import MatrixSymbol

from boundcheck.claims import Claim, Quantity
from boundcheck.claims.symbols import r, sigma
from boundcheck.claims.vocabulary import (
    A1,
    A2,
    B1,
    B2,
    W1,
    W2,
    A,
    A_t,
    B,
    B_t,
    EuclideanNorm,
    F,
    FrobeniusNorm,
    Gradient,
    PartialGradient,
    SpectralNorm,
    Value,
    W,
    d,
    f,
    g_t,
    k,
    v,
    v1,
    v2,
    v_t,
)
from boundcheck.kernel import Theorem
from boundcheck.prove import Process, Proof, Reading, eq, le

from . import eigenvalue

W0 = MatrixSymbol("W_0", d, k)
# The place of a point on a segment, from 0 to 1.
theta = sp.Symbol("theta")
# The scale s = 1: the paper has no scale.
UNSCALED = sp.Integer(1)

# A stochastic gradient has the blocks of v.
GRADIENT_BLOCKS = MatrixSymbol("g_A", r, k), MatrixSymbol("g_B", d, r)

MEFT = Reading(
    points={v: (A, B), v1: (A1, B1), v2: (A2, B2)},
    processes={v_t: Process((A, B)), A_t: Process((A,)), B_t: Process((B,)), g_t: Process(GRADIENT_BLOCKS, drawn=True)},
    constants={W0},
    arbitrary={A, B, A1, A2, B1, B2, W, W1, W2, theta},
)
# The same with the letters of `eigenvalue`.
READING = replace(
    MEFT,
    constants=MEFT.constants | set(eigenvalue.CONSTANTS),
    arbitrary=MEFT.arbitrary | set(eigenvalue.ARBITRARY),
)

# The norms of the differences between two points, which the lemmas bound.
LENGTH, MOVE = EuclideanNorm(Gradient(F, v1) - Gradient(F, v2)), EuclideanNorm(v1 - v2)
MOVE_A, MOVE_B = FrobeniusNorm(A1 - A2), FrobeniusNorm(B1 - B2)
# The blocks of ∇F(v_1) - ∇F(v_2).
CHANGE_A, CHANGE_B = (PartialGradient(F, v1, block) - PartialGradient(F, v2, block) for block in (A, B))


def quantity(claim: Claim, symbol: sp.Symbol) -> Quantity:
    """The claim's quantity of that symbol."""
    return next(x for x in claim.quantities if x.symbol == symbol)


class Meft:
    """W = W_0 + s B A on the ball of two radii: expressions, and the gradient of F by the chain rule."""

    def __init__(self, proof: Proof, scale: sp.Expr = UNSCALED, radii: tuple[sp.Symbol, sp.Symbol] = (sigma, sigma)):
        self.proof, self.scale, self.radii = proof, scale, radii
        self.w1, self.w2 = self.weight(A1, B1), self.weight(A2, B2)
        self.slope1, self.slope2 = Gradient(f, self.w1), Gradient(f, self.w2)
        self.turn = FrobeniusNorm(self.slope1 - self.slope2)
        self.balls = [*self.ball(A1, B1), *self.ball(A2, B2)]

    def weight(self, left: sp.MatrixExpr, right: sp.MatrixExpr) -> sp.MatrixExpr:
        """W = W_0 + s B A, at A = `left` and B = `right`."""
        return W0 + self.scale * right * left

    def ball(self, left: sp.MatrixExpr, right: sp.MatrixExpr) -> list[sp.Basic]:
        """Assume σ_1(A) <= a and σ_1(B) <= b."""
        return [le(SpectralNorm(left), self.radii[0]), le(SpectralNorm(right), self.radii[1])]

    def chain_rule(self) -> tuple[Theorem, Theorem]:
        """F(v) = f(W_0 + s B A) for all A, B; and the two blocks of its gradient, s Bᵀ∇f(W) and s ∇f(W)Aᵀ."""
        proof, slope = self.proof, Gradient(f, self.weight(A, B))
        law = proof.define(Value(F, v), Value(f, self.weight(A, B)), "F(v) = f(W)", forall=[v])
        blocks = ((A, self.scale * B.T * slope), (B, self.scale * slope * A.T))
        first, second = (
            proof.state(
                f"chain rule, {block}",
                eq(PartialGradient(F, v, block), value),
                proof.by.chain_rule(law, i),
                meaning="For all A and B, by the chain rule.",
            )
            for i, (block, value) in enumerate(blocks)
        )
        return first, second

    def gradients(self, chain: tuple[Theorem, Theorem]) -> list[tuple[Theorem, sp.MatrixExpr, sp.MatrixExpr]]:
        """The blocks of ∇F at v_1 and v_2: theorem, left and right side, as `by.rewrite` takes them."""
        found = []
        for point, left, right, slope in ((v1, A1, B1, self.slope1), (v2, A2, B2, self.slope2)):
            values = (self.scale * right.T * slope, self.scale * slope * left.T)
            for law, block, value in zip(chain, (A, B), values, strict=True):
                found.append((self.proof.by.instance(law, {v: point}), PartialGradient(F, point, block), value))
        return found
