"""Nothing that is committed names the machine it was made on, or is made by a program. `make lint` has the linters."""

import re
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def listed(*options: str) -> list[str]:
    command = ["git", "ls-files", "-z", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split("\0") if name]


@pytest.mark.full
def test_nothing_committed_names_this_machine() -> None:
    # Not after a letter or a dot: those are addresses on the web.
    machine = re.compile(r"(?<![\w.])/(work|root|home)/")
    found = []
    for path in (ROOT / name for name in listed()):
        # What is no text names nothing.
        with suppress(UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            found += [f"{path}: {match.group()}" for match in machine.finditer(path.read_text(encoding="utf-8"))]
    assert found == []


def test_nothing_committed_is_made_by_a_program() -> None:
    assert listed("--cached", "--ignored", "--exclude-standard") == []
