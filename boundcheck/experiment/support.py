"""The ground of a claim's support: the verdict that an interval earns, and whether a stored verdict is earned."""

from typing import Literal, get_args

from boundcheck.errors import InputError
from boundcheck.verdicts import Verdict

Kind = Literal["exact", "nonasymptotic", "asymptotic"]
"""The promise of an interval."""

FEWEST_REPLICAS = 8
"""An asymptotic interval over fewer supports nothing."""


def earned_by(kind: Kind, replicas: int) -> Verdict:
    """The verdict that a bound above an interval of this kind earns."""
    if kind != "asymptotic":
        return Verdict.SUPPORTED
    return Verdict.SUPPORTED_ASYMPTOTIC if replicas >= FEWEST_REPLICAS else Verdict.INCONCLUSIVE


def borne(said: Verdict, kind: Kind | None, replicas: int) -> Verdict:
    """The verdict that was said, with the ground that the interval of this kind gives to one that is `supported`.

    Raises:
        InputError: for a verdict that the interval does not bear.

    """
    if not said.is_supported:
        return said
    if kind is None:
        raise InputError("interval.kind", "(none)", f"one of {', '.join(get_args(Kind))}, behind what is {said}")
    earned = earned_by(kind, replicas)
    if not earned.is_supported:
        expected = f"{FEWEST_REPLICAS} replicas or more behind its asymptotic interval, not {replicas}: measure again"
        raise InputError("verdict", said, expected)
    if said.plain is Verdict.SUPPORTED_ASYMPTOTIC and earned is not said.plain:
        raise InputError("verdict", said, f"{earned}, by an interval that is {kind}")
    return earned.resting_on(said.given)
