"""The ball of Assumption 2: it is convex, and the rank enters by the Frobenius norms of the factors in it."""

from collections.abc import Mapping, Sequence

import sympy as sp

from boundcheck.kernel import Theorem
from boundcheck.language.symbols import r, sigma
from boundcheck.language.vocabulary import FrobeniusNorm, SpectralNorm
from boundcheck.proof import Proof, ge, le

from .setting import theta


def unit_interval(proof: Proof) -> tuple[Theorem, Theorem]:
    """0 <= θ <= 1, laid down of a point of a segment."""
    return proof.local(ge(theta, 0)), proof.local(ge(1, theta))


def segment(
    proof: Proof,
    label: str,
    ends: tuple[sp.MatrixExpr, sp.MatrixExpr],
    radius: sp.Expr,
    inside: Sequence[Theorem],
    between: tuple[Theorem, Theorem],
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


def frobenius_norms(proof: Proof, inside: Mapping[sp.MatrixSymbol, Theorem], signs: Sequence[Theorem]) -> list[Theorem]:
    """‖X‖_F <= √r σ for each factor X, from ‖X‖_op <= σ."""
    by, limit = proof.by, sp.sqrt(r) * sigma
    root = by.root(proof.step("$r ≥ 0$", ge(r, 0), signs))
    size = proof.step("$√rσ ≥ 0$", ge(limit, 0), by.root_nonnegative(r), signs)
    found = []
    for factor, near in inside.items():
        norm = FrobeniusNorm(factor)
        squares = proof.step(
            f"$‖{factor}‖_F²$",
            le(norm**2, r * sigma**2),
            by.rank(factor, r),
            near,
            signs,
            degree=3,
            meaning="A matrix of rank r has r singular values, of which the spectral norm is the largest.",
        )
        small = by.from_squares(squares, size, norm, root)
        found.append(proof.step(f"$‖{factor}‖_F$", le(norm, limit), small, meaning="Roots of both sides."))
    return found
