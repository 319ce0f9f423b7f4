"""A sweep: one table that holds lists, for every combination of their values; and the fields of a table by path."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

from boundcheck.errors import InputError

# Experiments of one sweep, and tables inside of one another.
_MOST, _DEEPEST = 10_000, 16


def combinations(raw: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The table with one value in place of each list, for every combination, in the order in which they are written.

    Raises:
        InputError: for an empty list, and for more than 10,000 combinations.

    """
    lists = {path: value for path, value in _leaves(raw) if isinstance(value, list)}
    for path, value in lists.items():
        if not value:
            raise InputError(".".join(path), value, "a value, or a list of at least one value")
    count = math.prod(map(len, lists.values()))
    if count > _MOST:
        field = max(lists, key=lambda path: len(lists[path]))
        raise InputError(".".join(field), f"{count:.3g} combinations", f"lists that make at most {_MOST} experiments")
    for choice in itertools.product(*lists.values()):
        yield _replaced(raw, dict(zip(lists, choice, strict=True)))


def fields_of(table: dict[str, Any]) -> dict[str, Any]:
    """The fields of a table and of those in it, each by its path, such as ``adapter.rank``.

    Raises:
        InputError: where tables are too deep inside of one another.

    """
    return {".".join(path): value for path, value in _leaves(table)}


def _leaves(table: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if len(path) > _DEEPEST:
        raise InputError(".".join(path[:_DEEPEST]), "(a table)", f"at most {_DEEPEST} tables inside of one another")
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
