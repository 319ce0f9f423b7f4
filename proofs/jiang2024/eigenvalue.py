"""A fact of algebra that the lemmas share: a nonnegative symmetric 2 x 2 matrix stretches by its top eigenvalue at most."""

import sympy as sp

from boundcheck.kernel import Theorem
from boundcheck.prove import Proof, eq, ge, gt, le

# The matrix [[P, K], [K, R]], its top eigenvalue l, a vector (p, u), and lengths x, y that its image bounds.
P, K, R, l = sp.symbols("P K R l")
p, u, x, y = sp.symbols("p u x y")

PREMISES = (
    gt(l, P),
    eq(l**2, (P + R) * l - P * R + K**2),
    le(x, P * p + K * u),
    le(y, K * p + R * u),
)
SIGNS = tuple(ge(z, 0) for z in (P, K, R, p, u, x, y))


def stretch(proof: Proof) -> Theorem:
    """The law: with these premises, x² + y² <= l² (p² + u²)."""
    premises = [proof.local(relation) for relation in PREMISES]
    top, eigen, first, second = premises
    nonnegative = [proof.local(relation) for relation in SIGNS]
    squares = [
        proof.step(f"{z}²", le(z**2, image**2), bound, nonnegative, meaning="Squares of nonnegative numbers.")
        for z, image, bound in ((x, P * p + K * u, first), (y, K * p + R * u, second))
    ]
    stretched = proof.step(
        "top eigenvalue",
        le((P * p + K * u) ** 2 + (K * p + R * u) ** 2, l**2 * (p**2 + u**2)),
        top,
        eigen,
        nonnegative,
        factor=[0],
        hints=[(l - P) * p - K * u],
        meaning="(l - P) times the difference is (P + R)((l - P)p - Ku)², because l is a root of the characteristic polynomial.",
    )
    total = proof.step("stretch", le(x**2 + y**2, l**2 * (p**2 + u**2)), *squares, stretched, meaning="Added up.")
    return proof.generalise(total, [P, K, R, l, p, u, x, y], [*PREMISES, *SIGNS])


FORM = (gt(l, P), eq(l**2, (P + R) * l - P * R + K**2))


def quadratic_form(proof: Proof) -> Theorem:
    """The law: with these premises, Pp² + 2Kpu + Ru² <= l (p² + u²)."""
    top, eigen = (proof.local(relation) for relation in FORM)
    form = proof.step(
        "quadratic form",
        le(P * p**2 + 2 * K * p * u + R * u**2, l * (p**2 + u**2)),
        top,
        eigen,
        factor=[0],
        hints=[(l - P) * p - K * u],
        meaning="(l - P) times the difference is ((l - P)p - Ku)².",
    )
    return proof.generalise(form, [P, K, R, l, p, u], FORM)
