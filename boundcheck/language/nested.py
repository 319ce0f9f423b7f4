"""`Nested`: what reads formulas from left to right goes only so deep, whatever stands in them."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

# Calls inside of one another, two for a group. Readers after ours, such as typst, take no more than a few hundred.
_DEEPEST = 120

T = TypeVar("T")


class TooDeepError(ValueError):
    """Parts of a formula inside of one another, more than are read."""


class Nested:
    """A reader that counts how many of its calls are inside of one another."""

    def __init__(self) -> None:
        """Begin outside of every part."""
        self._depth = 0

    @staticmethod
    def inside(read: Callable[..., T]) -> Callable[..., T]:
        """A method through which every part inside of another one is read; it raises TooDeepError in the deepest."""

        @wraps(read)
        def counted(self: "Nested", *given: Any) -> T:
            if self._depth >= _DEEPEST:
                raise TooDeepError
            self._depth += 1
            try:
                return read(self, *given)
            finally:
                self._depth -= 1

        return counted
