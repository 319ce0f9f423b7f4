"""`moves`, what moved between two reports: verdicts, bounds and all else that stands in the JSON
beside their pages.

An entry of a list is known by what it is about, and not by the machine, the day or the version that
made it: the same run of two reports is one.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from boundcheck.errors import InputError, raised
from boundcheck.language.view import Badge, Cell, Part, Table, line
from boundcheck.system.files import parse_json, read_text

_FILES = ("results.json", "networks/results.json", "findings.json", "statistics.json")
# What an entry is about; and by what it was made, which is not compared.
_ABOUT = ("spec", "claim", "id", "proof", "lipschitz", "locator", "hypothesis", "symbol")
_MADE = ("environment", "run_id", "version")
# An entry by what it is about and its number among those; and a path of such and of names.
_Place = tuple[str, int]
_Path = tuple[str | _Place, ...]
# The gravest first.
_ORDER = ("verdict", "went", "came", "trust", "bound", "measured")


@dataclass(frozen=True)
class Move:
    """A value that moved, or an entry that came or went.

    Attributes:
        entry: the run, the finding, the proof or the search.
        field: the path of the value within the entry; or that the entry ``came`` or ``went``.
        old: the value before, as JSON has it.
        new: the value now.

    """

    entry: str
    field: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Moves:
    """The moves between two reports, the gravest first, and how many entries each list has."""

    moves: tuple[Move, ...]
    compared: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        return {"moved": list(map(asdict, self.moves)), "compared": self.compared}

    def parts(self) -> Iterator[Part]:
        """A row for each move, and what was compared."""
        rows = [(each.entry, each.field, *_cells(each)) for each in self.moves]
        if rows:
            yield Table(("what", "field", "old", "new"), rows, most=None)
        counts = [f"{kind.replace('_', ' ')} {count}" for kind, count in self.compared.items()]
        proofs = "" if "findings" in self.compared else " Neither has findings or proofs."
        yield line(f"Compared: {', '.join(counts)}.{proofs} Moved: {len(rows) or 'nothing'}.")


def _cells(move: Move) -> Iterator[Cell]:
    for value in (move.old, move.new):
        told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield Badge(told) if move.field == "verdict" else told if value is not None else "–"


def moves(old: Path, new: Path, within: float = 0.0) -> Moves:
    """Compare two reports, each a folder or a JSON file of it.

    Args:
        old: the report before.
        new: the report now.
        within: the relative difference up to which two numbers are the same.

    Raises:
        InputError: for what is no report, and a `within` that is none.

    """
    if not 0 <= within < 1:
        raise InputError("--within", within, "a relative difference from 0 to below 1")
    before, now = _entries("OLD", old), _entries("NEW", new)
    keys = dict.fromkeys((*before, *now))
    found = []
    for key in keys:
        name, values = now.get(key) or before[key]
        verdict = values.get(("verdict",))
        if key not in now:
            found.append(Move(name, "went", verdict, None))
        elif key not in before:
            found.append(Move(name, "came", None, verdict))
        else:
            was, is_now = before[key][1], values
            for path in dict.fromkeys((*was, *is_now)):
                one, other = was.get(path), is_now.get(path)
                if (path in was) != (path in is_now) or not _same(one, other, within):
                    field = ".".join(x if isinstance(x, str) else _shown(*x) for x in path)
                    found.append(Move(name, field, one, other))
    found.sort(key=lambda x: (*_ORDER, x.field).index(x.field))
    return Moves(tuple(found), Counter(kind for kind, _ in keys))


def _same(one: Any, other: Any, within: float) -> bool:
    if {float} <= {type(one), type(other)} <= {int, float}:
        # Exact: an integer of JSON may be larger than any float.
        one, other = Fraction(one), Fraction(other)
        return bool(abs(one - other) <= Fraction(within) * max(abs(one), abs(other)))
    return type(one) is type(other) and bool(one == other)


def _entries(field: str, place: Path) -> dict[tuple[str, _Place], tuple[str, dict[_Path, Any]]]:
    """The entries of a report by their list and what they are about: of each its name, and its
    values by their paths.
    """
    files = [place]
    if place.is_dir():
        files = [place / name for name in _FILES if (place / name).is_file()]
    lists: dict[str, list[Any]] = {}
    found = {}
    try:
        for file in files:
            read = parse_json(read_text(file))
            for kind, entries in (read if isinstance(read, dict) else {"runs": read}).items():
                if isinstance(entries, list):
                    lists.setdefault(kind, []).extend(entries)
        if not lists.keys() & {"runs", "findings"}:
            raise ValueError("there are no runs and no findings")
        for kind, entries in lists.items():
            for key, entry in _known(entries):
                if not isinstance(entry, dict):
                    raise ValueError(f"an entry of {kind} is no table")
                kept = {name: x for name, x in entry.items() if name not in _MADE}
                name = _about(entry, (*_ABOUT[1:], "run_id"))
                told = f"{kind}: {_shown(name, key[1])}"
                found[kind, key] = told, dict(_values(kept, ()))
    except (OSError, ValueError, RecursionError) as error:
        expected = "the folder of a report, or its results.json"
        raise InputError(field, place, f"{expected} ({raised(error)})") from None
    return found


def _about(entry: Any, fields: Iterable[str]) -> str:
    """What an entry is about, in a line; empty for what is no table."""
    values = [entry[x] for x in fields if x in entry] if isinstance(entry, dict) else []
    told = [x if isinstance(x, str) else json.dumps(x, sort_keys=True) for x in values]
    return ", ".join(filter(None, told))


def _known(entries: list[Any]) -> Iterator[tuple[_Place, Any]]:
    """Each entry with what it is about, and its number among those that are about the same."""
    seen = Counter[str]()
    for entry in entries:
        name = _about(entry, _ABOUT)
        seen[name] += 1
        yield (name, seen[name]), entry


def _shown(name: str, number: int) -> str:
    return f"{name} ({number})" if name and number > 1 else name or str(number)


def _values(value: Any, path: _Path) -> Iterator[tuple[_Path, Any]]:
    """The values by their paths; an empty table or list is one."""
    if not isinstance(value, dict | list) or not value:
        yield path, value
        return
    for name, each in value.items() if isinstance(value, dict) else _known(value):
        yield from _values(each, (*path, name))
