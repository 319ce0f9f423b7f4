"""Algebra for several lemmas: square roots, and the top eigenvalue of a nonnegative symmetric 2 x 2
matrix.
"""

from collections.abc import Sequence

import sympy as sp

from boundcheck.kernel import Theorem
from boundcheck.language.claim import Quantity
from boundcheck.proof import Proof, eq, ge, gt, le

Facts = Sequence[Theorem]
TwoFacts = tuple[Theorem, Theorem]


def radical(formula: sp.Expr) -> sp.Expr | None:
    """The square root in a formula with at most one."""
    return next((x for x in formula.atoms(sp.Pow) if x.exp == sp.Rational(1, 2)), None)


def root_equals(
    proof: Proof,
    label: str,
    root: sp.Expr,
    value: sp.Expr,
    size: Theorem,
    signs: Facts,
    *squares: Theorem,
) -> Theorem:
    """sqrt(z) = y, from y >= 0, the signs that make z positive, and the premises of y² = z."""
    by, radicand = proof.by, root.base
    squared = by.root(proof.step(f"radicand of ${label}$", gt(radicand, 0), signs))
    equal = proof.step(
        f"${label}²$", eq(value**2, radicand), squares, meaning="The two sides have equal squares."
    )
    above = proof.step(f"${label}² ≥$", ge(radicand, value**2), equal)
    below = proof.step(f"${label}² ≤$", le(radicand, value**2), equal)
    least = by.from_squares(above, by.root_nonnegative(radicand), value, squared)
    most = by.from_squares(below, size, root, squared)
    return proof.step(
        f"${label}$",
        eq(root, value),
        by.equal(least, most),
        meaning="Both are nonnegative, with equal squares.",
    )


def root_quantity(
    proof: Proof,
    label: str,
    quantity: Quantity,
    square: sp.Eq,
    signs: Facts,
    units: Facts,
) -> TwoFacts:
    """For a quantity x = sqrt(z): x > 0, and `square`, which is x² = z times the denominator of
    z.
    """
    by, root = proof.by, quantity.expression
    defined = proof.quantity(quantity)
    radicand = proof.step(f"radicand of ${label}$", gt(root.base, 0), signs)
    positive = proof.step(
        f"${label} > 0$", gt(quantity.symbol, 0), defined, by.positive_root(radicand)
    )
    squared = proof.step(
        f"${label}²$",
        square,
        defined,
        by.root(radicand),
        units,
        meaning="The root, squared, with the denominator cleared.",
    )
    return positive, squared


# The entries P, K, Q of [[P, K], [K, Q]].
Entries = tuple[sp.Expr, sp.Expr, sp.Expr]
Pair = tuple[sp.Expr, sp.Expr]

# The matrix [[P, K], [K, Q]], its top eigenvalue l, a vector (p, u), and lengths x, y that its
# image bounds.
P, K, Q, top_root = CONSTANTS = sp.symbols("P K Q l")
p, u, x, y = ARBITRARY = sp.symbols("p u x y")
IMAGE_P, IMAGE_U = P * p + K * u, K * p + Q * u

EIGENVALUE = (gt(top_root, P), eq(top_root**2, (P + Q) * top_root - P * Q + K**2))
IMAGES = (le(x, IMAGE_P), le(y, IMAGE_U))
SIGNS = tuple(ge(z, 0) for z in (P, K, Q, p, u, x, y))


def values(
    entries: Entries, constant: sp.Expr, sides: Pair, images: Pair | tuple[()] = ()
) -> dict[sp.Symbol, sp.Expr]:
    """The meaning of a law's letters; only `stretch` has the images x and y."""
    letters = (P, K, Q, top_root, p, u, x, y)
    return dict(zip(letters, (*entries, constant, *sides, *images), strict=False))


def stretch(proof: Proof) -> Theorem:
    """The law: x² + y² <= l² (p² + u²), where x <= Pp + Ku and y <= Kp + Ru, and none of them is
    negative.
    """
    top, eigen = map(proof.local, EIGENVALUE)
    first, second = map(proof.local, IMAGES)
    nonnegative = list(map(proof.local, SIGNS))
    squares = [
        proof.step(
            f"${z}²$",
            le(z**2, image**2),
            bound,
            nonnegative,
            meaning="Squares of nonnegative numbers.",
        )
        for z, image, bound in ((x, IMAGE_P, first), (y, IMAGE_U, second))
    ]
    stretched = proof.step(
        "top eigenvalue",
        le(IMAGE_P**2 + IMAGE_U**2, top_root**2 * (p**2 + u**2)),
        top,
        eigen,
        nonnegative,
        meaning=(
            "$(l - P)$ times the difference is $(P + Q)((l - P)p - Ku)²$, as $l$ solves the"
            " characteristic equation."
        ),
    )
    relation = le(x**2 + y**2, top_root**2 * (p**2 + u**2))
    total = proof.step(
        "stretch", relation, *squares, stretched, meaning="The two squares, added up."
    )
    return proof.generalise(total, [P, K, Q, top_root, p, u, x, y], [*EIGENVALUE, *IMAGES, *SIGNS])


def quadratic_form(proof: Proof) -> Theorem:
    """The law: Pp² + 2Kpu + Ru² <= l (p² + u²)."""
    top, eigen = map(proof.local, EIGENVALUE)
    form = proof.step(
        "quadratic form",
        le(P * p**2 + 2 * K * p * u + Q * u**2, top_root * (p**2 + u**2)),
        top,
        eigen,
        meaning="$(l - P)$ times the difference is $((l - P)p - Ku)²$.",
    )
    return proof.generalise(form, [P, K, Q, top_root, p, u], EIGENVALUE)


def top_eigenvalue(
    proof: Proof,
    constant: sp.Expr,
    formula: sp.Expr,
    entries: Entries,
    because: Facts,
    where: str = "",
) -> TwoFacts:
    """The constant with this formula exceeds P, and is a root of the characteristic polynomial.

    `where` ends the labels, in a proof with several matrices.
    """
    by, (top, cross, low), root = proof.by, entries, radical(formula)
    larger, squared = list(because), []
    if root is not None:
        half = (top - low) / 2
        radicand = proof.step(
            f"radicand{where}",
            gt(root.base, 0),
            because,
            meaning="A square, and a square that is not 0.",
        )
        squared = [by.root(radicand)]
        crossed = proof.step(f"$K² > 0${where}", gt(cross**2, 0), because)
        wider = proof.step(
            f"$root²${where}", gt(root.base, half**2), crossed, meaning="They differ by $K²$."
        )
        larger.append(by.from_squares(wider, by.positive_root(radicand), half, *squared))
    above = proof.step(
        f"above $P${where}", gt(constant, top), larger, meaning="The root exceeds $(P - Q)/2$."
    )
    eigen = proof.step(
        f"characteristic equation{where}",
        eq(constant**2, (top + low) * constant - top * low + cross**2),
        because,
        squared,
        meaning="The constant is the larger eigenvalue of $[[P, K], [K, Q]]$.",
    )
    return above, eigen
