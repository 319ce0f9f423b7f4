"""Which mutants of lines and claims the proof layer is tried on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from boundcheck.checked.claim_mutants import ClaimMutant, false_edits, provable, true_claims, without_hypothesis
from boundcheck.checked.line_mutants import LineMutant, false_of, true_of
from boundcheck.checked.lines import Line, all_lines
from boundcheck.checked.mutation import mixed_up
from boundcheck.errors import InputError
from boundcheck.prove import Script

# How many mutants of a line are tried. With more premises the search for a proof that does not exist takes longer.
_FEW, _SOME, _MANY = 1, 3, 5
_TRUE = 4
# Edits of a claim, each of which runs its whole script.
_EDITS = 3


def false_mutants(every: int = 1, first: int = 0) -> Iterator[LineMutant | ClaimMutant]:
    """False mutants of every so many lines and claims, in a mixed order, each shown to be false by a world.

    Args:
        every: 1 for all lines and claims, 10 for a tenth of them.
        first: which one to begin with, less than `every`.

    Raises:
        InputError: for another `first`.

    """
    for subject in _share(every, first):
        if isinstance(subject, Line):
            yield from false_of(subject, most_of(subject))
        else:
            yield from false_edits(subject, _EDITS)
            yield from without_hypothesis(subject)


def true_variations(every: int = 1, first: int = 0) -> Iterator[LineMutant | ClaimMutant]:
    """Mutants that are true by construction, of the lines and claims that `false_mutants` takes."""
    for subject in _share(every, first):
        yield from true_of(subject, _TRUE) if isinstance(subject, Line) else true_claims(subject)


def _share(every: int, first: int) -> Sequence[Line | Script]:
    if not 0 <= first < every:
        raise InputError("first", first, f"a number from 0 to {every - 1}")
    subjects: list[Line | Script] = [*all_lines(), *provable()]
    return mixed_up(subjects)[first::every]


def most_of(line: Line) -> int:
    """How many false mutants of a line are tried."""
    premises = len(line.because.premises)
    return _MANY if premises <= 3 else _SOME if premises <= 5 else _FEW
