"""The verdicts that a run may get, each with its ground. Whatever shows, counts or compares a verdict asks it.

violated                what the theorem bounds lies above the bound at the stated level: for one about a smallest, at
                        every iterate
hypothesis-failed       a hypothesis of the theorem did not hold on the run: the theorem says nothing about it
inconclusive            none of the others
uninformative           all held, but the bound is no smaller than what is known without it
supported (asymptotic)  as supported, but by an interval that holds only in the limit of many replicas
supported               what the theorem bounds lies below the bound, or what is no less: for certain, or at the stated
                        level with these replicas

`boundcheck.measure.grounds` says which support an interval earns.
"""

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """A verdict, the gravest first; its text is what is printed and stored."""

    VIOLATED = "violated"
    HYPOTHESIS_FAILED = "hypothesis-failed"
    INCONCLUSIVE = "inconclusive"
    UNINFORMATIVE = "uninformative"
    SUPPORTED_ASYMPTOTIC = "supported (asymptotic)"
    SUPPORTED = "supported"

    def __repr__(self) -> str:
        """As the text that it is."""
        return repr(self.value)

    @property
    def is_supported(self) -> bool:
        """Whether the run supports its claim, on whatever ground."""
        return self in (Verdict.SUPPORTED, Verdict.SUPPORTED_ASYMPTOTIC)

    @property
    def is_decided(self) -> bool:
        """Whether it speaks for the claim or against it."""
        return self.is_supported or self is Verdict.VIOLATED

    @property
    def is_silent(self) -> bool:
        """Whether the theorem says nothing of the run."""
        return self in (Verdict.UNINFORMATIVE, Verdict.HYPOTHESIS_FAILED)

    @classmethod
    def gravest(cls, verdicts: Iterable["Verdict"]) -> "Verdict":
        """Of several the one to be shown for all of them."""
        return min(verdicts, key=list(cls).index)


class Look(StrEnum):
    """What a verdict says at a glance: whoever shows verdicts has a colour for each of these."""

    BAD = "bad"
    """Something is false."""
    OPEN = "open"
    WELL = "well"
    LIMIT = "limit"
    """Well, but true in the limit of many replicas alone."""
    ASIDE = "aside"
    """Well, and nothing printed is true or false by it."""


_LOOKS: dict[str, Look] = {
    **dict.fromkeys(("refuted", Verdict.VIOLATED, "failed"), Look.BAD),
    **dict.fromkeys(("proved", "repaired", "conditional", "not violated", "held", Verdict.SUPPORTED), Look.WELL),
    Verdict.SUPPORTED_ASYMPTOTIC: Look.LIMIT,
    **dict.fromkeys(("remark", "editorial"), Look.ASIDE),
}


def look_of(word: str) -> Look:
    """The look of a verdict on a run, a proof, an attack or a hypothesis; what is not decided is open."""
    return _LOOKS.get(word, Look.OPEN)


def is_well(word: str) -> bool:
    """Whether a verdict is that nothing is refuted, violated or open."""
    return look_of(word) not in (Look.BAD, Look.OPEN)
