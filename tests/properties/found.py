"""Examples of a strategy: any that is wanted, and the smallest one."""

from collections.abc import Callable
from typing import Any

from hypothesis import Phase, find, settings
from hypothesis.strategies import SearchStrategy

SEARCH = settings(max_examples=3000, database=None, report_multiple_bugs=False)


def smallest(strategy: SearchStrategy, wanted: Callable[[Any], Any] = lambda X: True) -> Any:
    """What an example shrinks to."""
    return find(strategy, lambda X: bool(wanted(X)), settings=SEARCH)


def some(strategy: SearchStrategy, wanted: Callable[[Any], Any] = lambda X: True) -> Any:
    """Any example, if there is one among a few thousand."""
    return find(strategy, lambda X: bool(wanted(X)), settings=settings(SEARCH, phases=[Phase.generate]))
