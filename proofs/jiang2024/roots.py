"""Square roots: two nonnegative numbers with equal squares are equal; and facts about a quantity defined as a root."""

from collections.abc import Sequence

import sympy as sp

from boundcheck.kernel import Theorem
from boundcheck.language.claim import Quantity
from boundcheck.proof import Proof, eq, ge, gt, le


def radical(formula: sp.Expr) -> sp.Expr | None:
    """The square root in a formula with at most one."""
    return next((x for x in formula.atoms(sp.Pow) if x.exp == sp.Rational(1, 2)), None)


def root_equals(
    proof: Proof, label: str, root: sp.Expr, value: sp.Expr, size: Theorem, signs: Sequence[Theorem], *squares: Theorem
) -> Theorem:
    """sqrt(z) = y, from y >= 0, the signs that make z positive, and the premises of y² = z."""
    by, radicand = proof.by, root.base
    squared = by.root(proof.step(f"radicand of ${label}$", gt(radicand, 0), signs))
    equal = proof.step(f"${label}²$", eq(value**2, radicand), squares, meaning="The two sides have equal squares.")
    above = proof.step(f"${label}² ≥$", ge(radicand, value**2), equal)
    below = proof.step(f"${label}² ≤$", le(radicand, value**2), equal)
    least = by.from_squares(above, by.root_nonnegative(radicand), value, squared)
    most = by.from_squares(below, size, root, squared)
    return proof.step(
        f"${label}$", eq(root, value), by.equal(least, most), meaning="Both are nonnegative, with equal squares."
    )


def root_quantity(
    proof: Proof, label: str, quantity: Quantity, square: sp.Eq, signs: Sequence[Theorem], units: Sequence[Theorem]
) -> tuple[Theorem, Theorem]:
    """For a quantity x = sqrt(z): x > 0, and `square`, which is x² = z times the denominator of z."""
    by, root = proof.by, quantity.expression
    defined = proof.quantity(quantity)
    radicand = proof.step(f"radicand of ${label}$", gt(root.base, 0), signs)
    positive = proof.step(f"${label} > 0$", gt(quantity.symbol, 0), defined, by.positive_root(radicand))
    squared = proof.step(
        f"${label}²$",
        square,
        defined,
        by.root(radicand),
        units,
        meaning="The root, squared, with the denominator cleared.",
    )
    return positive, squared
