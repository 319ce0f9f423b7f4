"""Points of time, and when a symbol has its value: what expectations and sums need to know."""

from __future__ import annotations

from dataclasses import dataclass

from boundcheck.kernel.errors import TermError


@dataclass(frozen=True)
class Index:
    """A point of time, `base` + `offset`, where the base is t, T or 0 (written as nothing)."""

    base: str
    offset: int

    def __post_init__(self) -> None:
        if type(self.base) is not str or self.base not in ("t", "T", "") or type(self.offset) is not int:
            raise TermError(
                f"not an index: {self.base!r} + {self.offset!r}: the base is t, T or nothing, the offset an integer"
            )

    def __str__(self) -> str:
        if not self.base:
            return str(self.offset)
        return self.base + (f"{self.offset:+d}" if self.offset else "")

    def moved(self, t: Index) -> Index:
        """The index with t replaced by this index."""
        return Index(t.base, t.offset + self.offset) if self.base == "t" else self

    def certainly_at_most(self, other: Index) -> bool:
        """True if this index is at most the other for all t and T with 1 <= t <= T."""
        if self.base == other.base:
            return self.offset <= other.offset
        order = ("", "t", "T")
        # t is at least 1, and T is at least t.
        gain = 1 if not self.base else 0
        return order.index(self.base) < order.index(other.base) and self.offset <= other.offset + gain


NOW = Index("t", 0)
NEXT = Index("t", 1)


@dataclass(frozen=True)
class Time:
    """The time when a symbol has its value: `index` of a process. The past knows it from `index` + `lag` on."""

    index: Index
    lag: int = 0

    def __str__(self) -> str:
        return f"{self.index}~{self.lag}"


CONSTANT = "constant"
ANY = "any"
When = str | Time


def check_when(when: object) -> None:
    """Raise TermError unless this is a `When`: CONSTANT, ANY or a `Time`."""
    known = type(when) is str and when in (CONSTANT, ANY)
    if not known and not (type(when) is Time and type(when.index) is Index and type(when.lag) is int):
        raise TermError(f"not a kind of symbol: {when!r}")


def check_given(given: object) -> None:
    """Raise TermError unless this is a past: an `Index`, or None."""
    if given is not None and type(given) is not Index:
        raise TermError(f"not a past: {given!r}")
