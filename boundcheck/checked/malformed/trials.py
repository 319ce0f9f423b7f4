"""Malformed inputs as trials of the checker."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from boundcheck.checked.malformed.kinds import Malformed
from boundcheck.checked.malformed.limits import LIMITS, Found, Limits, tried
from boundcheck.checked.trial import Answer, Mutant, Trial, recorded


@dataclass(frozen=True)
class Input(Mutant):
    """An input that was tried. It counts as true if it was read: nothing else decides whether it is sound."""

    layer = "input"
    found: Found

    def ask(self) -> Answer:
        """It must be refused in one line or read; anything else is wrong."""
        refused = self.found.outcome == "one line"
        return Answer(self.found.outcome, accepts=not refused, rejects=refused)


def input_trials(inputs: Sequence[Malformed], limits: Limits = LIMITS) -> Iterator[Trial]:
    """Each input, tried within the limits in a process that is replaced when it is killed or dies."""
    for each, found in zip(inputs, tried(inputs, limits), strict=True):
        yield trial(each, found)


def trial(each: Malformed, found: Found) -> Trial:
    """The record of what came of an input."""
    said = " ".join(found.said.encode(errors="backslashreplace").decode().split()) or "it was read"
    mutant = Input(f"{each.kind} {each.number}", each.kind, found.change, found.outcome == "accepted", said, found)
    return recorded(mutant, mutant.ask(), found.seconds, found.mebibytes)
