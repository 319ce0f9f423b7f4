"""Write goldens anew: `python -m tests.goldens`, or those whose names have one of the given words
in them."""

import sys
import tempfile
from contextlib import chdir
from pathlib import Path
from types import SimpleNamespace

from tests.goldens.made import FOLDER, GOLDENS
from tests.program import run


def command(*words):
    """Call `boundcheck` in the current folder; says what it exited with, and what it printed."""
    done = run(*words, cwd=Path.cwd())
    return SimpleNamespace(code=done.returncode, out=done.stdout)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for golden in GOLDENS.values():
        if all(word not in golden.name for word in sys.argv[1:] or [""]):
            continue
        print(golden.name, flush=True)
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            golden.write(command)
