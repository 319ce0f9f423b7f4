"""Markdown that can be followed: its files, changes, commands and Python, in order, in one folder,
as a reader would.

A document says what to do in fenced blocks:

- ```console: commands behind `$`, each with what it prints. `...` stands for anything, and space
  counts once.
- any other block after a sentence that ends in "`name`:" is the file of that name.
- ```diff after such a sentence changes the file: what is there with - goes, what is there with +
  comes.
- ```python with >>> is Python that is typed, and what it prints; all of it in one session.
- ```python without, and without a file, is run in that session.
"""

import doctest
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.program import forked

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`([\w./-]+\.\w+)`[^`]*:\s*$")
_LIKE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# What a command's first word runs here: the interpreter of the tests has what the reader installed.
_PROGRAMS = {
    "pytest": [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
    "python": [sys.executable],
    # Only what it would run: it installs.
    "make": ["make", "--dry-run", "--no-print-directory", "--directory", str(ROOT)],
}


@dataclass(frozen=True)
class Block:
    """A fenced block: where it is, its language, its text, and the file that the sentence before it
    names."""

    line: int
    language: str
    text: str
    file: str | None


def blocks(path):
    """The fenced blocks of a document, in order."""
    text = path.read_text(encoding="utf-8")
    found = []
    for match in _BLOCK.finditer(text):
        indent, language, inside = match.groups()
        named = _FILE.search(text[: match.start()])
        lines = "".join(line.removeprefix(indent) for line in inside.splitlines(keepends=True))
        found.append(
            Block(
                text.count("\n", 0, match.start()) + 1,
                language,
                lines,
                named.group(1) if named else None,
            )
        )
    return found


def commands(block):
    """The commands of a console block, each with what is printed below it."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield command, printed


def follow(path, folder, **known):
    """Do what a document says, in this folder, which has to be the current one; returns how many
    things were done.

    Args:
        path: the document.
        folder: the folder, empty at first.
        known: what its Python takes for granted.

    Raises:
        AssertionError: where something else is printed, or a command fails and the end of what it
            prints isn't shown.

    """
    session = {"__name__": "__main__"} | known
    done = 0
    for block in blocks(path):
        where = f"{path.name}:{block.line}"
        if block.language == "console":
            for command, printed in commands(block):
                run(command, printed, folder, where)
                done += 1
        elif ">>>" in block.text:
            typed(block.text, session, where)
            done += 1
        elif block.file and block.language == "diff":
            change(folder / block.file, block.text, where)
        elif block.file:
            (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            exec(compile(block.text, where, "exec"), session)
            done += 1
        else:
            raise AssertionError(
                f"{where}: a block that nobody runs: no command, no >>>, no file named before it"
            )
    return done


def runs(command):
    """Whether a command is one that is run here."""
    return shlex.split(command)[0] in {"boundcheck", *_PROGRAMS}


def run(command, printed, folder, where):
    """Run a command of a document, and compare what it prints."""
    assert runs(command), f"{where}: {command}, which no test runs"
    program, *arguments = shlex.split(command, comments=True)
    if program == "boundcheck":
        compare(forked(*arguments, cwd=folder, merged=True), printed, f"{where}: $ {command}")
        return
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    }
    done = subprocess.run(
        [*_PROGRAMS[program], *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd=folder,
        env=environment,
    )
    compare(done, printed, f"{where}: $ {command}")


def compare(done, printed, where):
    """Check that a command ended well, or as is shown, and printed what is shown."""
    ends = printed.rstrip().rpartition("\n")[2] not in ("", "...")
    assert done.returncode == 0 or ends, f"{where} exits with {done.returncode}:\n{done.stdout}"
    if printed.strip():
        assert is_like(printed, done.stdout), f"{where} prints\n{done.stdout}\nand not\n{printed}"


def is_like(shown, printed):
    """Whether something is printed as it is shown, but for `...`, which may be nothing too, and the
    amount of space.

    doctest's own rule splits a full stop before `...` in another place.
    """
    first, *rest = (" ".join(piece.split()) for piece in re.split(r"\s*\.\.\.\s*", shown.strip()))
    said = " ".join(printed.split())
    if not rest:
        return said == first
    *between, last = rest
    place = len(first)
    end = len(said) - len(last)
    for piece in between:
        found = said.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return said.startswith(first) and said.endswith(last) and place <= end


def typed(text, session, where):
    """Run a block of typed Python in a session."""
    test = doctest.DocTestParser().get_doctest(text, session, where, where, 0)
    runner = doctest.DocTestRunner(optionflags=_LIKE)
    said = []
    runner.run(test, out=said.append, clear_globs=False)
    session.update(test.globs)
    assert not runner.failures, "".join(said)


def change(file, text, where):
    """Apply a change to a file, where its old lines are once."""
    lines = text.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line[0] in " -")
    new = "".join(line[1:] for line in lines if line[0] in " +")
    before = file.read_text(encoding="utf-8")
    assert before.count(old) == 1, (
        f"{where}: {file.name} has these lines {before.count(old)} times:\n{old}"
    )
    file.write_text(before.replace(old, new), encoding="utf-8")
