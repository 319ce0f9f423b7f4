"""Names, and how sums and products are written, so that the text of a term has only one reading."""

from __future__ import annotations

import re
from fractions import Fraction

from boundcheck.kernel.errors import TermError
from boundcheck.kernel.times import Index, Time, When

# ASCII letters only: a letter of another alphabet may look the same.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_']*\Z")
# Words that have a meaning of their own in the text of a term.
RESERVED = frozenset(
    {"E", "T", "all", "always", "for", "inverse", "max", "min_t", "of", "past", "root", "sum", "sum_t", "tr", "with"}
)
# t, and t with primes, the times that sums range over.
_TIME = re.compile(r"(?<![A-Za-z0-9_'])t'*(?![A-Za-z0-9_'])")


def check_name(*names: str) -> None:
    """Raise TermError unless each of these can be a name."""
    for name in names:
        if type(name) is not str or not _NAME.match(name) or name in RESERVED or _TIME.fullmatch(name):
            raise TermError(
                f"{name!r} cannot be a name: a name is a letter, then letters, digits, _ and ', all of them ASCII"
            )


def check_shape(shape: object) -> None:
    """Raise TermError unless the shape is two names."""
    if type(shape) is not tuple or len(shape) != 2:
        raise TermError(f"not a shape: {shape!r}")
    check_name(*shape)


def letter_text(name: str, when: When) -> str:
    """The text of a letter, with its time if it is the value of a process."""
    return f"{name}[{when.index}]" if isinstance(when, Time) else name


def given_text(given: Index | None) -> str:
    """The text after the bar of a conditional expectation."""
    return "" if given is None else f" | past of {given}"


def primed(text: str) -> str:
    """The text with one more prime at each time."""
    return _TIME.sub(lambda found: f"{found[0]}'", text)


def product_text(coefficient: Fraction, factors: list[str]) -> str:
    """The text of a rational number times factors."""
    if not factors:
        return str(coefficient)
    sign = {Fraction(1): "", Fraction(-1): "-"}.get(coefficient, f"{coefficient}*")
    return sign + "*".join(factors)


def sum_text(summands: list[str]) -> str:
    """The text of a sum: its summands, joined by their signs."""
    return "".join(
        f" - {x[1:]}" if i and x.startswith("-") else (f" + {x}" if i else x) for i, x in enumerate(summands)
    )
