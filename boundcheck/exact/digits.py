"""Numbers as a person reads them: a bound is rounded away from what it bounds, so that what is
printed holds too.
"""

import math
from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
)
from enum import Enum

# A float is an exact number of at most 767 significant digits: nothing below rounds it twice.
_EXACT = Context(prec=2000, Emin=MIN_EMIN, Emax=MAX_EMAX)
# No float needs more digits to be told from its neighbours.
_MOST = 17


class Toward(Enum):
    """The direction of rounding: up for an upper bound, down for a lower bound, to the nearest for
    any other number.
    """

    NEAREST = ROUND_HALF_EVEN
    UP = ROUND_CEILING
    DOWN = ROUND_FLOOR


UP = Toward.UP
DOWN = Toward.DOWN


def rounded(value: float, place: int, toward: Toward = Toward.NEAREST) -> Decimal:
    """The number rounded to a multiple of 10^place.

    Up or down it is rounded from the shortest decimal that is read back as the same float, so that
    0.1 is 0.100 and not 0.101. What is printed, read back as a float, is never on the wrong side.
    """
    exact = (
        Decimal(value)
        if toward is Toward.NEAREST or isinstance(value, int)
        else Decimal(repr(float(value)))
    )
    return exact.quantize(Decimal(1).scaleb(place), toward.value, _EXACT)


def last_place(value: float, digits: int) -> int:
    """The power of ten at which the last of this many significant digits stands."""
    return Decimal(value).adjusted() - digits + 1 if value else 1 - digits


def shown(value: float, digits: int = 4, toward: Toward = Toward.NEAREST) -> str:
    """A number at this many significant digits, written as by ``f"{value:.4g}"``, but rounded in
    this direction.
    """
    if not math.isfinite(value):
        return str(value)
    found = rounded(value, last_place(value, digits), toward)
    if found == 0:
        return "0"
    first = found.adjusted()
    if -5 < first < digits:
        return f"{found.normalize():f}"
    return f"{found.scaleb(-first, _EXACT).normalize():f}e{first:+03d}"


def telling(bound: float | None, *above: tuple[float | None, Toward], digits: int = 3) -> int:
    """The fewest digits, from `digits` on, that show values above a bound as above it, with the
    bound rounded up.

    Args:
        bound: an upper bound; nothing is told from None.
        above: values, and where each is rounded to. One that does not lie above the bound needs no
            more digits: rounded up or to the nearest it is never shown above a bound that is
            rounded up at the same digits.
        digits: the fewest.

    """
    if bound is None or not math.isfinite(bound):
        return digits
    told = [(x, toward) for x, toward in above if x is not None and math.isfinite(x) and x > bound]
    for many in range(digits, _MOST):
        most = rounded(bound, last_place(bound, many), UP)
        if all(rounded(x, last_place(x, many), toward) > most for x, toward in told):
            return many
    return _MOST
