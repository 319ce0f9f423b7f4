"""Files that are written whole or not at all, under names that are no paths; JSON, read as strictly
as written.
"""

import hashlib
import io
import json
import math
import os
import platform
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from boundcheck.errors import InputError, near

Json = dict[str, Any]
"""A table that JSON can hold: of a spec, a result, an instance."""
UNFINISHED = ".part"
"""The ending of the name of a file that is not yet whole."""
# What `replace_file` adds to a name: machine, process and chance.
_HALF = re.compile(
    rf"(.+)\.([0-9a-f]{{8}})-([0-9]{{1,7}})-[0-9a-f]{{16}}{re.escape(UNFINISHED)}", re.DOTALL
)


def cache_folder() -> Path:
    """The folder of what is kept between commands, BOUNDCHECK_CACHE or in the user's home; it may
    not exist yet.
    """
    if folder := os.environ.get("BOUNDCHECK_CACHE"):
        return Path(folder)
    try:
        return Path.home() / ".cache" / "boundcheck"
    except RuntimeError:
        raise InputError(
            "HOME",
            "(not set)",
            "the home folder of a user that the system does not know; or set BOUNDCHECK_CACHE",
        ) from None


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` in the place of a file, atomically.

    A half-written file has a name that no other process takes, and is no link to another file. What
    a process that was killed left half-written is removed.
    """
    for left, name, node, process in half_written(path.parent):
        if (name, node) == (path.name, _node()) and not psutil.pid_exists(process):
            left.unlink(missing_ok=True)
    name = f"{path.name}.{_node()}-{os.getpid()}-{secrets.token_hex(8)}{UNFINISHED}"
    temporary = path.with_name(name)
    try:
        with temporary.open("xb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        # Such as of a path that is a folder: nothing half-written stays behind, unless the process
        # is killed.
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def asking(field: str, place: Path, expected: str) -> Iterator[None]:
    """Name the field and the place where the system refuses to read or to write, and why."""
    try:
        yield
    except OSError as error:
        raise InputError(field, place, f"{expected} ({error.strerror or error})") from None


def half_written(folder: Path) -> Iterator[tuple[Path, str, str, int]]:
    """The files that `replace_file` left half-written: path, name of the file to be, machine and
    process of each.
    """
    for path in folder.glob(f"*{UNFINISHED}"):
        if found := _HALF.fullmatch(path.name):
            yield path, found[1], found[2], int(found[3])


@cache
def _node() -> str:
    """A name of the machine: nobody here knows whether processes of another one, which shares its
    disk, are alive.
    """
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def likely_file(path: Path) -> str:
    """The end of a message about a path that is not there: the file that may have been meant."""
    # Of a path that is too long these say that it is not there, and others raise.
    if os.path.exists(path) or not os.path.isdir(path.parent):
        return ""
    # Endings that are alike say nothing.
    names = {each.stem: each for each in path.parent.glob("[!.]*")}
    return "".join(f"; did you mean {names[each]}?" for each in near(path.stem, names))


def read_text(path: Path, most: int = 2**24) -> str:
    """The text of a file, whose lines end as Python's do.

    Raises:
        OSError: where it cannot be read.
        ValueError: for more than `most` bytes, for what is no regular file, and for what is not
            UTF-8.

    """
    with open(path, "rb", opener=_regular) as file:
        content = file.read(most + 1)
    if content is None:
        raise ValueError("it is a stream of the system's, and has no end")
    if len(content) > most:
        raise ValueError(f"it has more than {most} bytes")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8: {error.reason} at byte {error.start}") from None
    return io.IncrementalNewlineDecoder(None, translate=True).decode(text, final=True)


def _regular(path: str, flags: int) -> int:
    """Open a file, and refuse a pipe or a device: a pipe may have no writer, and a device no
    end.
    """
    number = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    mode = os.fstat(number).st_mode
    # Of a folder Python says so itself.
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        os.close(number)
        raise ValueError("it is a pipe or a device, and no regular file")
    return number


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text that every reader would read in the same way.

    Raises ValueError for what is no JSON, a key that stands twice in a table, a number that is not
    finite, text that is no Unicode, and tables within tables too deep to be read.
    """
    try:
        value = json.loads(
            text, object_pairs_hook=_table, parse_float=_number, parse_constant=_number
        )
        # An escaped half of a letter is read as text that can be written nowhere.
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("its tables are nested too deep") from None
    return value


def _table(pairs: list[tuple[str, Any]]) -> Json:
    table: Json = {}
    for key, value in pairs:
        # Of two values for one key, which counts depends on who reads.
        if key in table:
            raise ValueError(f"the key {key!r} stands twice in a table")
        table[key] = value
    return table


def _number(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(f"{text} is no finite number")
    return value


def path_from_here(path: Path) -> str:
    """A path as it is typed from here; only its name if it lies elsewhere, as a page is read on
    other machines.
    """
    here = Path.cwd()
    whole = path.absolute()
    return str(whole.relative_to(here)) if whole.is_relative_to(here) else path.name


def file_name(text: str) -> str:
    """A name for a file about what is called `text`: of ASCII letters, digits, and . _ - inside,
    and never a path.

    A text that is no such name gets its hash added, so that no two share a file.
    """
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", text).lstrip(".-")[:_LONGEST]
    return (
        plain
        if plain == text
        else f"{plain or '_'}-{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:8]}"
    )


# Characters of a name; systems take 255 bytes with what is added to it.
_LONGEST = 100
