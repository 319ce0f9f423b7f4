"""Polynomials for searching: exact, and faster than the kernel's, because a monomial is one integer.

A monomial packs its exponents, `WIDTH` bits each, so that products of monomials are sums of integers. Coefficients are
FLINT's rationals. Nothing here is trusted: a search's result goes back to `kernel.terms.Scalar` and to the kernel.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from flint import fmpq, fmpq_mat

from boundcheck.kernel.terms import Scalar

# Polynomials with exponents beyond 2^31 would not fit into memory anyway.
WIDTH = 32
MASK = (1 << WIDTH) - 1

Rational = Any  # flint.fmpq; FLINT ships no types
Poly = dict[int, Rational]
UNIT: Poly = {0: fmpq(1)}


class Packing:
    """The atoms of some scalars, numbered, and the way from scalars to packed polynomials and back."""

    def __init__(self, scalars: Iterable[Scalar]) -> None:
        self.atoms = sorted({atom for scalar in scalars for atom in scalar.atoms()})
        self._shift = {atom: WIDTH * place for place, atom in enumerate(self.atoms)}
        # One guard bit for each exponent shows whether a subtraction borrowed from it.
        self._guards = sum(1 << (WIDTH * place + WIDTH - 1) for place in range(len(self.atoms)))

    def pack(self, scalar: Scalar) -> Poly:
        return {
            sum(exponent << self._shift[atom] for atom, exponent in monomial): fmpq(c.numerator, c.denominator)
            for monomial, c in scalar.terms.items()
        }

    def unpack(self, poly: Mapping[int, Rational]) -> Scalar:
        """The scalar that a packed polynomial stands for."""
        terms = {}
        for monomial, c in poly.items():
            powers = zip(self.atoms, self.exponents(monomial), strict=True)
            terms[tuple((atom, exponent) for atom, exponent in powers if exponent)] = fraction(c)
        return Scalar(terms)

    def exponents(self, monomial: int) -> list[int]:
        """The exponents of a monomial, one for each atom."""
        return [monomial >> (WIDTH * place) & MASK for place in range(len(self.atoms))]

    def degree(self, monomial: int) -> int:
        return sum(self.exponents(monomial))

    def quotient(self, monomial: int, divisor: int) -> int | None:
        """The monomial over the divisor, or None if it is not a multiple."""
        difference = (monomial | self._guards) - divisor
        return difference ^ self._guards if difference & self._guards == self._guards else None

    def root(self, monomial: int) -> int | None:
        """The square root of the monomial, or None."""
        return None if any(exponent % 2 for exponent in self.exponents(monomial)) else monomial // 2


def fraction(value: Rational) -> Fraction:
    """A rational of FLINT's as one of Python's."""
    return Fraction(int(value.p), int(value.q))


def times(left: Poly, right: Poly) -> Poly:
    """The product of two polynomials."""
    product: Poly = {}
    for m1, c1 in left.items():
        for m2, c2 in right.items():
            monomial = m1 + m2
            product[monomial] = product[monomial] + c1 * c2 if monomial in product else c1 * c2
    return {monomial: c for monomial, c in product.items() if c}


def plus(left: Poly, right: Poly, factor: Rational) -> Poly:
    """`left` + `factor` · `right`."""
    total = dict(left)
    for monomial, c in right.items():
        total[monomial] = total[monomial] + factor * c if monomial in total else factor * c
    return {monomial: c for monomial, c in total.items() if c}


def reduced(columns: Sequence[Poly], target: Poly) -> list[list[Rational]]:
    """The equations Σ c_j column_j = target, one for each monomial, in reduced echelon form without rows of zeros.

    A row has a coefficient for each c_j, and then the right side.
    """
    rows = {monomial: i for i, monomial in enumerate(sorted(set(target).union(*columns)))}
    width = len(columns) + 1
    entries = [fmpq(0)] * (len(rows) * width)
    for j, column in enumerate([*columns, target]):
        for monomial, c in column.items():
            entries[rows[monomial] * width + j] = c
    table, rank = fmpq_mat(len(rows), width, entries).rref()
    return table.tolist()[:rank]


def combination(columns: Sequence[Poly], target: Poly) -> list[Rational] | None:
    """Rational c with Σ c_j column_j = target exactly, or None; columns that depend on earlier ones get 0."""
    weights = [fmpq(0)] * (len(columns) + 1)
    for row in reduced(columns, target):
        weights[next(j for j, x in enumerate(row) if x)] = row[-1]
    # A pivot on the right side says 0 = 1.
    return None if weights.pop() else weights
