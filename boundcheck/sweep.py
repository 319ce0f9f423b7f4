"""A sweep: one table that holds lists, for every combination of their values."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

from boundcheck.errors import InputError

# Experiments of one sweep, which are all checked before the first is run.
_MOST = 10_000


def combinations(raw: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The table with one value in place of each list, for every combination, in the order in which they are written.

    Raises:
        InputError: for an empty list, and for more than 10,000 combinations.

    """
    lists = {path: value for path, value in _leaves(raw) if isinstance(value, list)}
    for path, value in lists.items():
        if not value:
            raise InputError(".".join(path), value, "a value, or a list of at least one value")
    if (count := math.prod(map(len, lists.values()))) > _MOST:
        raise InputError("spec", f"a sweep of {count} experiments", f"at most {_MOST}")
    for choice in itertools.product(*lists.values()):
        yield _replaced(raw, dict(zip(lists, choice, strict=True)))


def _leaves(table: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _replaced(table: dict[str, Any], choice: dict[tuple[str, ...], Any], path: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        key: _replaced(value, choice, (*path, key)) if isinstance(value, dict) else choice.get((*path, key), value)
        for key, value in table.items()
    }
