"""`PiecewiseLinear`: the derivative f' of a function of one real variable, in exact rational
arithmetic.

With f' continuous, piecewise linear and constant beyond its ends, every constant of the theory is a
rational number: the smoothness of f, the bound on its gradient, its minimum.
"""

from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from boundcheck.errors import InputError

Rational = Fraction | int | float | str


class Piece(NamedTuple):
    """f and f' to the right of `start`: both there, and the slope of f' from there on."""

    start: Fraction
    integral: Fraction
    value: Fraction
    slope: Fraction


@dataclass(frozen=True)
class PiecewiseLinear:
    """A continuous f' through the knots (w, f'(w)), linear between them and constant beyond the
    outer two.

    Its integral f is 0 at the first knot, and has a minimum because f' <= 0 at the first knot and
    >= 0 at the last.
    """

    knots: tuple[tuple[Fraction, Fraction], ...]

    def __post_init__(self) -> None:
        """Refuse knots that are out of order, and an f' whose integral is unbounded below."""
        if not self.knots or any(w >= after for (w, _), (after, _) in pairwise(self.knots)):
            raise InputError(
                "knots",
                [str(w) for w, _ in self.knots],
                "one or more positions w, each above the last",
            )
        if self.knots[0][1] > 0 or self.knots[-1][1] < 0:
            ends = f"{self.knots[0][1]} and {self.knots[-1][1]}"
            raise InputError(
                "knots",
                f"f' from {ends}",
                "f' <= 0 at the first and >= 0 at the last, for a minimum",
            )

    @classmethod
    def through(cls, *knots: tuple[Rational, Rational]) -> "PiecewiseLinear":
        """The f' through knots of any numbers: a float is its binary value, a string its decimal or
        fraction.
        """
        try:
            exact = tuple((Fraction(w), Fraction(value)) for w, value in knots)
        except (OverflowError, ValueError, ZeroDivisionError):
            raise InputError("knots", knots, "finite numbers") from None
        return cls(exact)

    @classmethod
    def clipped(cls, slope: Rational, bound: Rational, zero: Rational = 0) -> "PiecewiseLinear":
        """The derivative of a Huber function: slope times (w - zero), clipped to [-bound,
        bound].
        """
        height = Fraction(bound)
        middle = Fraction(zero)
        width = height / Fraction(slope)
        return cls(((middle - width, -height), (middle + width, height)))

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """The pieces left of the first knot, between each two, and right of the last."""
        first = self.knots[0]
        last = self.knots[-1]
        integral = Fraction(0)
        pieces = [Piece(first[0], integral, first[1], Fraction(0))]
        for (w, value), (after, value_after) in pairwise(self.knots):
            pieces.append(Piece(w, integral, value, (value_after - value) / (after - w)))
            integral += (value + value_after) / 2 * (after - w)
        return (*pieces, Piece(last[0], integral, last[1], Fraction(0)))

    def value(self, w: Fraction) -> Fraction:
        """f'(w)."""
        piece = self._piece(w)
        return piece.value + piece.slope * (w - piece.start)

    def integral(self, w: Fraction) -> Fraction:
        """f(w)."""
        piece = self._piece(w)
        return piece.integral + (piece.value + self.value(w)) / 2 * (w - piece.start)

    def _piece(self, w: Fraction) -> Piece:
        return self.pieces[bisect_left(self.knots, w, key=lambda knot: knot[0])]

    @cached_property
    def lipschitz(self) -> Fraction:
        """The smallest L with |f'(w) - f'(u)| <= L |w - u| for all w and u."""
        return max(abs(piece.slope) for piece in self.pieces)

    @cached_property
    def bound(self) -> Fraction:
        """The largest |f'|."""
        return max(abs(value) for _, value in self.knots)

    @cached_property
    def minimum(self) -> Fraction:
        """The smallest value of f, which it has at a knot or where f' is 0 between two."""
        # Where a piece's line is 0 only beyond the piece, f still has a value, which is no less
        # than the smallest.
        zeros = [piece.start - piece.value / piece.slope for piece in self.pieces if piece.slope]
        return min(self.integral(w) for w in (*zeros, *(w for w, _ in self.knots)))
