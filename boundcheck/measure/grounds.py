"""The verdicts that a run may get, each with the ground that it stands on: what all who show, count or weigh one ask.

violated                every iterate's expected squared gradient norm lies above the bound at the stated level
hypothesis-failed       a hypothesis of the theorem did not hold on the run: the theorem says nothing about it
inconclusive            none of the others
uninformative           all held, but the bound is no smaller than what is known without it
supported (asymptotic)  as supported, but by an interval that holds only in the limit of many replicas
supported               the time average, which the proof bounds, lies below the bound: for certain, or at the stated
                        level with these replicas

Standard library alone, so that a terminal need not wait for it.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Literal, get_args

from boundcheck.errors import InputError

Kind = Literal["exact", "nonasymptotic", "asymptotic"]
"""What an interval promises."""

FEWEST_REPLICAS = 8
"""An asymptotic interval over fewer supports nothing."""


class Verdict(StrEnum):
    """A verdict, the gravest first; its text is what is printed and stored."""

    VIOLATED = "violated"
    HYPOTHESIS_FAILED = "hypothesis-failed"
    INCONCLUSIVE = "inconclusive"
    UNINFORMATIVE = "uninformative"
    SUPPORTED_ASYMPTOTIC = "supported (asymptotic)"
    SUPPORTED = "supported"

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
    def by(cls, kind: Kind, replicas: int) -> "Verdict":
        """What a bound above an interval of this kind earns."""
        if kind != "asymptotic":
            return cls.SUPPORTED
        return cls.SUPPORTED_ASYMPTOTIC if replicas >= FEWEST_REPLICAS else cls.INCONCLUSIVE

    @classmethod
    def of(cls, result: dict[str, Any]) -> "Verdict":
        """The verdict of a stored result; one that says `supported` alone is given the ground that its interval is.

        Raises:
            InputError: for a verdict that is none, or that its own interval does not bear.

        """
        said = result["verdict"]
        if said not in list(cls):
            raise InputError("verdict", said, f"one of {', '.join(cls)}")
        if not (found := cls(said)).is_supported:
            return found
        # The bracket of a constant has no interval: its observations are no chance.
        kind = (result.get("interval") or {}).get("kind", "none" if "plan" in result else "exact")
        if kind not in get_args(Kind):
            raise InputError("interval.kind", kind, f"one of {', '.join(get_args(Kind))}, behind what is {said}")
        replicas = result["spec"].get("run", {}).get("replicas", 1)
        earned = cls.by(kind, replicas)
        if not earned.is_supported:
            expected = (
                f"{FEWEST_REPLICAS} replicas or more behind its asymptotic interval, not {replicas}: measure again"
            )
            raise InputError("verdict", said, expected)
        if found is cls.SUPPORTED_ASYMPTOTIC and earned is not found:
            raise InputError("verdict", said, f"{earned}, by an interval that is {kind}")
        return earned

    @classmethod
    def gravest(cls, verdicts: Iterable["Verdict"]) -> "Verdict":
        """Of several the one to be shown for all of them."""
        return min(verdicts, key=list(cls).index)


_WELL = frozenset({"proved", "repaired", "not violated", "editorial", *(each for each in Verdict if each.is_supported)})


def is_well(word: str) -> bool:
    """Whether a verdict on a run, a proof or an attack is that nothing is refuted, violated or open."""
    return word in _WELL
