"""Troubles of commands: at a given one of their writes to disk, and in files that are damaged before.

A trouble is a kill, or a disk that fails; a damaged file is cut short, changed in a bit, another's, or no file at all.

Python tells an audit hook of each file that is opened for writing, renamed, made or removed, before it is done. Such a
call in the working directory counts as a write; the hook lets it happen, raises in its place, or ends the process.
"""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

# What Python tells of; the first argument is a path, and of a renaming the second is where to.
_CHANGES = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate"}
# What a full disk still does.
_FREES = {"os.remove", "os.rmdir"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
# Bytes of a file that is cut off in the middle.
_TORN = 64


@dataclass(frozen=True)
class Trouble:
    """A trouble at the n-th write.

    Attributes:
        kind: "none", which counts; "kill", which is SIGKILL; "full disk", which writes nothing more; "torn", a disk
            that is full some bytes after the opening of a file; "read-only", which does not even remove; "failing disk"
            and "no permission", which each fail this once.
        at: the number of the write, from 1.

    """

    kind: str
    at: int = 0

    @contextmanager
    def armed(self, writes: list[str]) -> Iterator[None]:
        """Let it happen in this process, which is good for nothing else; the writes, in words, are added to a list."""
        armed, limits = _Armed(self, os.getcwd(), writes), resource.getrlimit(resource.RLIMIT_FSIZE)
        sys.addaudithook(armed)
        try:
            yield
        finally:
            armed.over = True
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)


_ERRORS = {
    "full disk": errno.ENOSPC,
    "read-only": errno.EROFS,
    "failing disk": errno.EIO,
    "no permission": errno.EACCES,
}
_ONCE = {"failing disk", "no permission"}


class _Armed:
    def __init__(self, trouble: Trouble, root: str, writes: list[str]) -> None:
        self.trouble, self.root, self.writes, self.over = trouble, root, writes, False
        # Writers of a trace are threads.
        self._lock = threading.Lock()

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.over or not self._is_write(event, arguments):
            return
        with self._lock:
            self.writes.append(f"{event} {os.fspath(arguments[0])!s}")
            self._happen(event, len(self.writes))

    def _is_write(self, event: str, arguments: tuple[Any, ...]) -> bool:
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, int) or not isinstance(flags, int) or not flags & _WRITES:
                return False
        elif event in _CHANGES:
            path = arguments[0]
        else:
            return False
        return os.path.abspath(os.fsdecode(path)).startswith(self.root)

    def _happen(self, event: str, number: int) -> None:
        kind, at = self.trouble.kind, self.trouble.at
        if number < at or kind == "none":
            return
        if kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif kind == "torn":
            # Files that are longer cannot be written from here on; the system says so, and not Python.
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (_TORN, hard))
        elif (kind not in _ONCE or number == at) and not (kind == "full disk" and event in _FREES):
            code = _ERRORS[kind]
            raise OSError(code, os.strerror(code))


# A file that is longer than any that boundcheck writes.
_LARGE = 10**8


def _flipped(random: Random, path: Path, other: Path) -> None:
    content = bytearray(path.read_bytes())
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    path.write_bytes(content)


def _large(random: Random, path: Path, other: Path) -> None:
    # A hole: it takes no room on the disk, and is read as zeros.
    os.truncate(path, 0)
    os.truncate(path, _LARGE)


def _in_its_place(make: Callable[[Path, Path], object]) -> Callable[[Random, Path, Path], None]:
    def replaced(random: Random, path: Path, other: Path) -> None:
        path.unlink()
        make(path, other)

    return replaced


def _link(target: str) -> Callable[[Random, Path, Path], None]:
    return _in_its_place(lambda path, other: path.symlink_to(target))


WAYS: dict[str, Callable[[Random, Path, Path], object]] = {
    "cut short": lambda random, path, other: os.truncate(path, random.randrange(path.stat().st_size)),
    "cut in half": lambda random, path, other: os.truncate(path, path.stat().st_size // 2),
    "empty": lambda random, path, other: os.truncate(path, 0),
    "a bit flipped": _flipped,
    "random bytes": lambda random, path, other: path.write_bytes(random.randbytes(path.stat().st_size)),
    "another's content": lambda random, path, other: shutil.copyfile(other, path),
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
