"""What becomes of a file: cut short, changed in a bit, another's, or something else than a file in its place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

# A file that is longer than any that boundcheck writes.
_LARGE = 10**8


def _cut(random: Random, path: Path, other: Path) -> None:
    os.truncate(path, random.randrange(path.stat().st_size))


def _cut_in_half(random: Random, path: Path, other: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _emptied(random: Random, path: Path, other: Path) -> None:
    os.truncate(path, 0)


def _flipped(random: Random, path: Path, other: Path) -> None:
    content = bytearray(path.read_bytes())
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    path.write_bytes(content)


def _noise(random: Random, path: Path, other: Path) -> None:
    path.write_bytes(random.randbytes(path.stat().st_size))


def _anothers(random: Random, path: Path, other: Path) -> None:
    shutil.copyfile(other, path)


def _large(random: Random, path: Path, other: Path) -> None:
    # A hole: it takes no room on the disk, and is read as zeros.
    os.truncate(path, 0)
    os.truncate(path, _LARGE)


def _in_its_place(make: Callable[[Path, Path], None]) -> Callable[[Random, Path, Path], None]:
    def replaced(random: Random, path: Path, other: Path) -> None:
        path.unlink()
        make(path, other)

    return replaced


def _link(target: str) -> Callable[[Random, Path, Path], None]:
    return _in_its_place(lambda path, other: path.symlink_to(target))


WAYS: dict[str, Callable[[Random, Path, Path], None]] = {
    "cut short": _cut,
    "cut in half": _cut_in_half,
    "empty": _emptied,
    "a bit flipped": _flipped,
    "random bytes": _noise,
    "another's content": _anothers,
    "100 MB of zeros": _large,
    "removed": _in_its_place(lambda path, other: None),
    "a folder": _in_its_place(lambda path, other: path.mkdir()),
    "a link to another's file": _in_its_place(lambda path, other: path.symlink_to(other.resolve())),
    "a link to nothing": _link("nothing"),
    "a link to itself": _in_its_place(lambda path, other: path.symlink_to(path.name)),
    "a pipe": _in_its_place(lambda path, other: os.mkfifo(path)),
    "/dev/zero": _link("/dev/zero"),
    "/dev/full": _link("/dev/full"),
}
"""Each is given a source of chance, the file, and another one, of the same kind where there is one."""
