"""The setting of MeFT as the proofs read it: v = (A, B), W = W_0 + s B A, F(v) = f(W), and the ball
that holds v.

Hypotheses come from the claims; this module fixes the matrices of a vector, over what a law ranges,
that the ball is convex, and the descent lemma in W, where f is smooth everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import sympy as sp
from sympy import MatrixSymbol

from boundcheck.kernel import Theorem
from boundcheck.language.claim import Claim, Quantity, as_typed
from boundcheck.language.symbols import L, T, alpha, bound, r, sigma
from boundcheck.language.vocabulary import (
    A1,
    A2,
    B1,
    B2,
    W0,
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
    InnerProduct,
    PartialGradient,
    SpectralNorm,
    Value,
    W,
    f,
    g_t,
    v,
    v1,
    v2,
    v_t,
)
from boundcheck.proof import Process, Proof, Reading, eq, ge, gt, le

from . import eigenvalue
from .claims import ASSUMPTION_1, NOISE
from .eigenvalue import Facts, Pair, TwoFacts

Matrices = tuple[sp.MatrixExpr, sp.MatrixExpr]

# The place of a point on a segment, from 0 to 1.
theta = sp.Symbol("theta")
# The scale s = 1: the paper has no scale.
UNSCALED = sp.Integer(1)

MEFT = Reading(
    points={v: (A, B), v1: (A1, B1), v2: (A2, B2)},
    processes={
        v_t: Process((A, B)),
        A_t: Process((A,)),
        B_t: Process((B,)),
        g_t: Process(NOISE, drawn=True),
    },
    constants={W0},
    arbitrary={A, B, A1, A2, B1, B2, W, W1, W2, theta},
)
# The same with the letters of `eigenvalue`.
READING = replace(
    MEFT,
    constants=MEFT.constants | set(eigenvalue.CONSTANTS),
    arbitrary=MEFT.arbitrary | set(eigenvalue.ARBITRARY),
)

# The letters of their own that proofs of claims have.
FRESH = (theta, *eigenvalue.CONSTANTS, *eigenvalue.ARBITRARY)

# The norms of the differences between two points, which the lemmas bound.
LENGTH, MOVE = EuclideanNorm(Gradient(F, v1) - Gradient(F, v2)), EuclideanNorm(v1 - v2)
MOVE_A, MOVE_B = FrobeniusNorm(A1 - A2), FrobeniusNorm(B1 - B2)


def smooth_f(proof: Proof) -> Theorem:
    """Assumption 1, as a law."""
    return proof.assume(ASSUMPTION_1, forall=[W1, W2])


def above_0(
    proof: Proof, name: str, x: sp.Expr | int, *because: Theorem | Facts, meaning: str = ""
) -> Theorem:
    """The line that x > 0; its label has this name for x."""
    return proof.step(f"${name} > 0$", gt(x, 0), *because, meaning=meaning)


def at_least_0(
    proof: Proof, name: str, x: sp.Expr | int, *because: Theorem | Facts, meaning: str = ""
) -> Theorem:
    """The line that x >= 0; its label has this name for x."""
    return proof.step(f"${name} ≥ 0$", ge(x, 0), *because, meaning=meaning)


def horizon_above_0(proof: Proof) -> Theorem:
    """There is an iteration."""
    return above_0(proof, "T", T)


def step_above_0(proof: Proof, *because: Theorem) -> Theorem:
    """The step size is positive."""
    return above_0(proof, "α", alpha, *because)


def f_of(proof: Proof, weight: sp.MatrixExpr, label: str = "$F(v) = f(W)$") -> Theorem:
    """F is f at a weight."""
    return proof.define(Value(F, v), Value(f, weight), label, forall=[v])


def quotients(proof: Proof, *divisors: Theorem) -> tuple[list[Theorem], list[Theorem]]:
    """For each divisor x that is above 0, x · 1/x = 1, and the sign of 1/x."""
    found = [proof.by.quotient(x) for x in divisors]
    return [unit for unit, _ in found], [inverse for _, inverse in found]


def quantity(claim: Claim | None, symbol: sp.Symbol) -> Quantity:
    """The claim's quantity of that symbol; a proof of no claim has none."""
    return next(x for x in (claim.quantities if claim else ()) if x.symbol == symbol)


def defined(proof: Proof, symbol: sp.Symbol) -> Theorem:
    """The definition of a quantity of the claim that is proved, by the claim's own formula."""
    return proof.quantity(quantity(proof.claim, symbol))


def divided(
    proof: Proof,
    words: str,
    divisor: sp.Expr,
    total: sp.Expr,
    factors: Facts,
    *lines: Theorem,
    label: str,
) -> None:
    """Conclude a claim whose bound is the total over the divisor, of positive factors, from what
    the lines say of it.

    The divisor is called by these words, and the last line by the label.
    """
    units = [proof.by.quotient(factor)[0] for factor in factors]
    limit = proof.step(
        f"{words} times the bound",
        eq(divisor * bound, total),
        defined(proof, bound),
        units,
        meaning="The bound, its denominators cleared.",
    )
    whole = proof.step(f"{words} is positive", gt(divisor, 0), *factors)
    proof.conclude(proof.step(label, proof.claim.conclusion, whole, *lines, limit))


@dataclass(frozen=True)
class Blocks:
    """The two trained matrices of v, at v, v_1 and v_2; and the frozen one behind each of them in
    W, if there is one.

    W = W_0 + s (Y Q)(X P), with (X, Y) = v; LoRA is X = A and Y = B with nothing frozen. `sizes`
    are bounds on the spectral norms of P and Q.
    """

    first: tuple[MatrixSymbol, MatrixSymbol, MatrixSymbol] = (A, A1, A2)
    second: tuple[MatrixSymbol, MatrixSymbol, MatrixSymbol] = (B, B1, B2)
    behind: tuple[MatrixSymbol, MatrixSymbol] | None = None
    sizes: Pair = (UNSCALED, UNSCALED)

    def factors(self, x: sp.MatrixExpr, y: sp.MatrixExpr) -> Matrices:
        """The two factors of W - W_0 but for s: XP and YQ."""
        return (x * self.behind[0], y * self.behind[1]) if self.behind else (x, y)

    def pull(self, x: sp.MatrixExpr, y: sp.MatrixExpr, slope: sp.MatrixExpr) -> Matrices:
        """The blocks of the gradient of F from that of f, but for s: (YQ)ᵀMPᵀ and M(XP)ᵀQᵀ."""
        left, right = self.factors(x, y)
        parts = right.T * slope, slope * left.T
        return (parts[0] * self.behind[0].T, parts[1] * self.behind[1].T) if self.behind else parts


LORA = Blocks()


class Meft:
    """W = W_0 + s B A on the ball of two radii: expressions, and the gradient of F by the chain
    rule.

    Also for two other trained matrices, with frozen ones between them.
    """

    def __init__(
        self,
        proof: Proof,
        scale: sp.Expr = UNSCALED,
        radii: tuple[sp.Symbol, sp.Symbol] = (sigma, sigma),
        blocks: Blocks = LORA,
    ):
        self.proof, self.scale, self.radii, self.blocks = proof, scale, radii, blocks
        self.trained, *ends = zip(blocks.first, blocks.second, strict=True)
        self.ends = [(v1, *ends[0]), (v2, *ends[1])]
        self.factors = [blocks.factors(x, y) for _, x, y in self.ends]
        self.w1, self.w2 = (self.weight(x, y) for _, x, y in self.ends)
        self.weights = {W1: self.w1, W2: self.w2}
        self.slope1, self.slope2 = Gradient(f, self.w1), Gradient(f, self.w2)
        self.turn = FrobeniusNorm(self.slope1 - self.slope2)
        self.moves = tuple(FrobeniusNorm(x - y) for x, y in zip(*ends, strict=True))
        self.changes = tuple(
            PartialGradient(F, v1, x) - PartialGradient(F, v2, x) for x in self.trained
        )
        # Bounds on the spectral norms of both factors in W, and s times those of what is frozen.
        self.reach = tuple(radius * size for radius, size in zip(radii, blocks.sizes, strict=True))
        self.size = sp.Mul(scale, *blocks.sizes)
        self.balls = [fact for _, x, y in self.ends for fact in self.ball(x, y)]

    def weight(self, left: sp.MatrixExpr, right: sp.MatrixExpr) -> sp.MatrixExpr:
        """W = W_0 + s B A, at A = `left` and B = `right`."""
        inner, outer = self.blocks.factors(left, right)
        return W0 + self.scale * outer * inner

    def ball(self, left: sp.MatrixExpr, right: sp.MatrixExpr) -> list[sp.Basic]:
        """Assume σ_1(A) <= a and σ_1(B) <= b."""
        return [le(SpectralNorm(left), self.radii[0]), le(SpectralNorm(right), self.radii[1])]

    def inside(self) -> tuple[list[Theorem], list[Theorem]]:
        """Both points are in the ball, which the proof's law says of them: the facts about v_1, and
        about v_2.
        """
        near, far = (list(map(self.proof.local, self.ball(x, y))) for _, x, y in self.ends)
        return near, far

    def chain_rule(self) -> TwoFacts:
        """F(v) = f(W_0 + s B A) for all A, B; and the two blocks of its gradient, s Bᵀ∇f(W) and s
        ∇f(W)Aᵀ.
        """
        proof, weight = self.proof, self.weight(*self.trained)
        law = f_of(proof, weight)
        blocks = zip(
            self.trained, self.blocks.pull(*self.trained, Gradient(f, weight)), strict=True
        )
        first, second = (
            proof.state(
                f"chain rule, ${as_typed(block)}$",
                eq(PartialGradient(F, v, block), self.scale * value),
                proof.by.chain_rule(law, i),
                meaning=(
                    f"For all ${as_typed(self.trained[0])}$ and ${as_typed(self.trained[1])}$, by"
                    " the chain rule."
                ),
            )
            for i, (block, value) in enumerate(blocks)
        )
        return first, second

    def gradients(self, chain: TwoFacts) -> list[tuple[Theorem, sp.MatrixExpr, sp.MatrixExpr]]:
        """The blocks of ∇F at v_1 and v_2: theorem, left and right side, as `by.rewrite` takes
        them.
        """
        found = []
        for (point, left, right), slope in zip(self.ends, (self.slope1, self.slope2), strict=True):
            values = self.blocks.pull(left, right, slope)
            for law, block, value in zip(chain, self.trained, values, strict=True):
                equation = self.proof.by.instance(law, {v: point})
                found.append((equation, PartialGradient(F, point, block), self.scale * value))
        return found


def unit_interval(proof: Proof) -> TwoFacts:
    """0 <= θ <= 1, laid down of a point of a segment."""
    return proof.local(ge(theta, 0)), proof.local(ge(1, theta))


def segment(
    proof: Proof,
    label: str,
    ends: Matrices,
    radius: sp.Expr,
    inside: Facts,
    between: TwoFacts,
) -> Theorem:
    """‖X + θ(Y - X)‖_op <= σ, from ‖X‖_op <= σ and ‖Y‖_op <= σ, for 0 <= θ <= 1."""
    by, (x, y), (low, high) = proof.by, ends, between
    return proof.step(
        label,
        le(SpectralNorm(x + theta * (y - x)), radius),
        by.triangle("op", (1 - theta) * x, theta * y),
        by.homogeneous(high, "op", x),
        by.homogeneous(low, "op", y),
        inside,
        low,
        high,
        meaning="A norm is convex, so the ball contains the segment between any two of its points.",
    )


def frobenius_norms(
    proof: Proof, inside: Mapping[sp.MatrixSymbol, Theorem], signs: Facts
) -> list[Theorem]:
    """‖X‖_F <= √r σ for each factor X, from ‖X‖_op <= σ."""
    by, limit = proof.by, sp.sqrt(r) * sigma
    root = by.root(at_least_0(proof, "r", r, signs))
    size = at_least_0(proof, "√rσ", limit, signs)
    found = []
    for factor, near in inside.items():
        norm = FrobeniusNorm(factor)
        squares = proof.step(
            f"$‖{factor}‖_F²$",
            le(norm**2, r * sigma**2),
            by.rank(factor, r),
            near,
            signs,
            meaning=(
                "A matrix of rank r has r singular values, of which the spectral norm is the"
                " largest."
            ),
        )
        small = by.from_squares(squares, size, norm, root)
        found.append(
            proof.step(f"$‖{factor}‖_F$", le(norm, limit), small, meaning="Roots of both sides.")
        )
    return found


def descent_of_f(
    proof: Proof,
    smooth: Theorem,
    start: sp.MatrixExpr,
    change: sp.MatrixExpr,
    label: str = "descent of f",
    along: str = "along the segment",
) -> Theorem:
    """f(W + Δ) <= f(W) + ⟨∇f(W), Δ⟩ + L/2 ‖Δ‖², from the law that f is L-smooth."""
    by, (low, _), beyond = proof.by, unit_interval(proof), start + theta * change
    steady = proof.step(
        along,
        le(
            FrobeniusNorm(Gradient(f, beyond) - Gradient(f, start)),
            L * theta * FrobeniusNorm(change),
        ),
        by.instance(smooth, {W1: beyond, W2: start}),
        by.homogeneous(low, "F", change),
        meaning="f is L-smooth.",
    )
    fallen = Value(f, start + change) - Value(f, start) - InnerProduct(Gradient(f, start), change)
    return proof.state(
        label,
        le(fallen, L / 2 * FrobeniusNorm(change) ** 2),
        by.descent_lemma(steady, f, start, change, L, theta),
        meaning="The descent lemma for f, which is smooth everywhere.",
    )
