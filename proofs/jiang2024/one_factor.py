"""Lemma 1 where one factor is frozen, A or B: what the two scripts share."""

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp
from sympy import MatrixSymbol

from boundcheck.kernel import Theorem
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import L, Lhat, a, b, s
from boundcheck.language.vocabulary import A1, A2, B1, B2, W1, W2, A, B, F, FrobeniusNorm, Gradient, Value, f
from boundcheck.proof import Proof, eq, ge, le

from .claims import ASSUMPTION_1
from .setting import W0, quantity


@dataclass(frozen=True)
class Half:
    """W = W_0 + s B A with one factor frozen.

    Attributes:
        held: the frozen one.
        trained: any value of the other one, and two.
        radius: the bound on the spectral norm of the frozen one.
        pulled, moved: what the gradient in v is of the one in W, and how W moves, as meanings write them.

    """

    held: MatrixSymbol
    trained: tuple[MatrixSymbol, MatrixSymbol, MatrixSymbol]
    radius: sp.Symbol
    pulled: str
    moved: str

    def beside(self, x: sp.MatrixExpr) -> sp.MatrixExpr:
        """The product of the frozen factor and x, as in BA."""
        return x * self.held if self.held == A else self.held * x

    def weight(self, x: sp.MatrixExpr) -> sp.MatrixExpr:
        """W at a value of the trained factor."""
        return W0 + s * self.beside(x)

    @property
    def points(self) -> tuple[sp.MatrixExpr, sp.MatrixExpr]:
        """W at both."""
        _, first, second = self.trained
        return self.weight(first), self.weight(second)

    @property
    def turned(self) -> sp.MatrixExpr:
        """The change of the gradient in W between them."""
        first, second = self.points
        return Gradient(f, first) - Gradient(f, second)

    def pull(self, M: sp.MatrixExpr) -> sp.MatrixExpr:
        """The gradient in the trained factor from that in W, but for s."""
        return M * self.held.T if self.held == A else self.held.T * M

    def split(self, proof: Proof, M: sp.MatrixExpr, held: sp.MatrixExpr) -> Theorem:
        """The norm of a product with the frozen factor is at most that of the other times its spectral norm."""
        if self.held == A:
            return proof.by.submultiplicative("F", "op", M, held)
        return proof.by.submultiplicative("op", "F", held, M)

    @property
    def norms(self) -> str:
        """What `split` says."""
        return "$‖XY‖_F ≤ ‖X‖_F‖Y‖_op$" if self.held == A else "$‖XY‖_F ≤ ‖X‖_op‖Y‖_F$"


FROZEN_A = Half(A, (B, B1, B2), a, "∇fAᵀ", "s(B_1 - B_2)A")
FROZEN_B = Half(B, (A, A1, A2), b, "Bᵀ∇f", "sB(A_1 - A_2)")


def smoothness(proof: Proof, half: Half, claim: Claim, factor: Claim) -> None:
    """∇F is that of f times the frozen factor, and W moves by the trained one times it, each with its scale."""
    by, (any_value, first, second), radius = proof.by, half.trained, half.radius
    points, turned, moved = half.points, half.turned, FrobeniusNorm(first - second)
    turn, held = FrobeniusNorm(turned), half.held.name
    signs = proof.positive(L, radius, s)
    size = proof.step("$s ≥ 0$", ge(s, 0), signs)
    small = proof.assume(factor)
    bend = _turn(proof, half, small, size, signs)
    name = any_value.name
    law = proof.define(Value(F, any_value), Value(f, half.weight(any_value)), f"$F({name}) = f(W)$", forall=[any_value])
    chain = proof.state(
        "chain rule",
        eq(Gradient(F, any_value), s * half.pull(Gradient(f, half.weight(any_value)))),
        by.chain_rule(law, 0),
        meaning=f"For all ${name}$, by the chain rule.",
    )
    image = proof.step(
        f"${half.pulled}$",
        le(FrobeniusNorm(half.pull(turned)), radius * turn),
        half.split(proof, turned, half.held.T),
        small,
        meaning=f"{half.norms} once more.",
    )
    reach = s**2 * L * radius**2 * moved
    scaled = proof.step(f"$s{radius} ≥ 0$", ge(s * radius, 0), signs)
    inner = proof.step(
        f"$s{half.pulled}$",
        le(FrobeniusNorm(s * half.pull(turned)), reach),
        by.homogeneous(size, "F", half.pull(turned)),
        image,
        proof.step(f"$s{radius}∇f$", le(s * radius * turn, reach), scaled, bend),
        signs,
        meaning=f"The bounds on $∇f$ and on its product with ${held}ᵀ$, times $s$.",
    )
    gradients = [
        (by.instance(chain, {any_value: x}), Gradient(F, x), s * half.pull(Gradient(f, point)))
        for x, point in zip((first, second), points, strict=True)
    ]
    relation = le(FrobeniusNorm(Gradient(F, first) - Gradient(F, second)), reach)
    line = proof.step("$∇F$", relation, by.rewrite(inner, relation, *gradients), meaning="By the chain rule.")
    defined = proof.quantity(quantity(claim, Lhat))
    final = proof.step("(8)", claim.conclusion, line, defined, meaning=f"$L̂$ is $s²L{radius}²$.")
    proof.conclude(final, forall=[first, second])


def _turn(proof: Proof, half: Half, small: Theorem, size: Theorem, signs: Sequence[Theorem]) -> Theorem:
    """‖∇f(W_1) - ∇f(W_2)‖ is at most Ls times the radius and the way of the trained factor."""
    by, (_, first, second), radius = proof.by, half.trained, half.radius
    points, moved = half.points, FrobeniusNorm(first - second)
    smooth = proof.assume(ASSUMPTION_1, forall=[W1, W2])
    product = proof.step(
        "BA",
        le(FrobeniusNorm(half.beside(first - second)), radius * moved),
        half.split(proof, first - second, half.held),
        small,
        meaning=f"{half.norms}, and $‖{half.held.name}‖_op ≤ {radius}$.",
    )
    apart = proof.step(
        "W",
        le(FrobeniusNorm(points[0] - points[1]), s * radius * moved),
        by.homogeneous(size, "F", half.beside(first - second)),
        product,
        signs,
        meaning=f"$W_1 - W_2$ is ${half.moved}$.",
    )
    return proof.step(
        "$∇f$",
        le(FrobeniusNorm(half.turned), L * s * radius * moved),
        by.instance(smooth, dict(zip((W1, W2), points, strict=True))),
        apart,
        signs,
        meaning="f is L-smooth.",
    )
