"""Malformed inputs as trials of the checker."""

from collections.abc import Iterator, Sequence

from boundcheck.soundness.malformed.kinds import Malformed
from boundcheck.soundness.malformed.limits import LIMITS, Found, Limits, tried
from boundcheck.soundness.trial import Trial


def input_trials(inputs: Sequence[Malformed], limits: Limits = LIMITS) -> Iterator[Trial]:
    """Each input, tried within the limits in a process that is replaced when it is killed or dies."""
    for each, found in zip(inputs, tried(inputs, limits), strict=True):
        yield trial(each, found)


def trial(each: Malformed, found: Found) -> Trial:
    """What came of an input, as a trial; one that was read counts as sound."""
    said = found.said.encode(errors="backslashreplace").decode()
    return Trial(
        layer="input",
        subject=f"{each.kind} {each.number}",
        kind=each.kind,
        change=found.change,
        true=found.outcome == "accepted",
        witness=" ".join(said.split()) or "it was read",
        outcome=found.outcome,
        wrong=found.outcome not in ("one line", "accepted"),
        caught=found.outcome == "one line",
        seconds=found.seconds,
        mebibytes=found.mebibytes,
    )
