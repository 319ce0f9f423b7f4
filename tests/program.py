"""`boundcheck` as a program of its own: what it says, in any folder."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def run(*arguments: Any, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    """The program with these arguments, in this folder, with these variables besides those of the tests."""
    command = [sys.executable, "-m", "boundcheck", *map(str, arguments)]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    # One thread: the tests run side by side.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path} | variables
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=environment)


def said(*arguments: Any, cwd: Path = ROOT, **variables: str) -> Any:
    """The object that it prints where it is asked for JSON, and ends well."""
    done = run(*arguments, "--json", cwd=cwd, **variables)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
