"""`Nested`: a reader of formulas, from left to right, that goes only so deep, whatever stands in them."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

# Calls inside of one another, two for a group. Readers after ours, such as typst, take no more than a few hundred.
_DEEPEST = 120

T = TypeVar("T")


class TooDeepError(ValueError):
    """An error for a formula with more parts inside of one another than are read."""


class Nested:
    """A reader that counts how many of its calls are inside of one another."""

    def __init__(self) -> None:
        """Begin outside of every part."""
        self._depth = 0

    @staticmethod
    def inside(read: Callable[..., T]) -> Callable[..., T]:
        """Wrap a method that reads parts inside of one another: it raises TooDeepError where they are too deep."""

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
