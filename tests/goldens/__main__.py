"""Write goldens anew: `python -m tests.goldens`, or those whose names have one of the given words in them."""

import os
import subprocess
import sys
import tempfile
from contextlib import chdir
from dataclasses import dataclass

from tests.goldens.made import FOLDER, GOLDENS


@dataclass
class Answer:
    """What a command exited with, and what it printed."""

    code: int
    out: str


def command(*words: str) -> Answer:
    """Call `boundcheck` with one thread."""
    done = subprocess.run(
        [sys.executable, "-m", "boundcheck", *words],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    return Answer(done.returncode, done.stdout)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for golden in GOLDENS.values():
        if all(word not in golden.name for word in sys.argv[1:] or [""]):
            continue
        print(golden.name, flush=True)
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            golden.write(command)
