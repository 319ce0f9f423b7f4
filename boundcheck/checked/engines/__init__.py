"""The engines examined against each other: claims whose truth is known, each put to every engine.

Claims are theorems, proof scripts, runs and lemmas, in an order that never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from boundcheck.checked.edits import mixed_up
from boundcheck.checked.engines.examined import Examined
from boundcheck.checked.engines.scripts import scripted
from boundcheck.checked.engines.statements import lemmas, measurable
from boundcheck.checked.engines.theorems import asked, recipes

# Of the claims of which nothing is known, every so manieth is tried.
_UNKNOWN = 4


def examinations(every: int = 1, first: int = 0) -> Iterator[Examined]:
    """Every `every`-th claim from the first on, in a mixed order; of those not known to be true or false, a quarter."""
    makers: list[Callable[[int], Examined]] = [partial(asked, make) for make in recipes()]
    makers += [partial(_at_any_turn, make) for make in (*scripted(), *measurable(), *lemmas())]
    for turn, make in enumerate(mixed_up(makers)[first::every]):
        found = make(turn)
        if found.is_known or turn % _UNKNOWN == 0:
            yield found


def _at_any_turn(make: Callable[[], Examined], turn: int) -> Examined:
    return make()
