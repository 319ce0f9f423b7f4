"""On what the support of a claim stands: which verdict an interval earns, and whether a stored verdict is earned."""

from typing import Any, Literal, get_args

from boundcheck.errors import InputError
from boundcheck.verdicts import Verdict

Kind = Literal["exact", "nonasymptotic", "asymptotic"]
"""What an interval promises."""

FEWEST_REPLICAS = 8
"""An asymptotic interval over fewer supports nothing."""


def earned_by(kind: Kind, replicas: int) -> Verdict:
    """What a bound above an interval of this kind earns."""
    if kind != "asymptotic":
        return Verdict.SUPPORTED
    return Verdict.SUPPORTED_ASYMPTOTIC if replicas >= FEWEST_REPLICAS else Verdict.INCONCLUSIVE


def verdict_of(result: dict[str, Any]) -> Verdict:
    """The verdict of a stored result; one that says `supported` alone is given the ground that its interval is.

    Raises:
        InputError: for a verdict that is none, or that its own interval does not bear.

    """
    said = result["verdict"]
    if said not in list(Verdict):
        raise InputError("verdict", said, f"one of {', '.join(Verdict)}")
    if not (found := Verdict(said)).is_supported:
        return found
    # The bracket of a constant has no interval: its observations are no chance.
    kind = (result.get("interval") or {}).get("kind", "none" if "plan" in result else "exact")
    if kind not in get_args(Kind):
        raise InputError("interval.kind", kind, f"one of {', '.join(get_args(Kind))}, behind what is {said}")
    replicas = result["spec"].get("run", {}).get("replicas", 1)
    earned = earned_by(kind, replicas)
    if not earned.is_supported:
        expected = f"{FEWEST_REPLICAS} replicas or more behind its asymptotic interval, not {replicas}: measure again"
        raise InputError("verdict", said, expected)
    if found is Verdict.SUPPORTED_ASYMPTOTIC and earned is not found:
        raise InputError("verdict", said, f"{earned}, by an interval that is {kind}")
    return earned
