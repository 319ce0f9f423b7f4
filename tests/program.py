"""`boundcheck` as a program of its own: what it says, in any folder."""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from soundness.processes import IMPORTED

ROOT = Path(__file__).parents[1]
# Each command is forked from a process that has imported what most commands import, which takes
# longer than they do.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(IMPORTED)


def _command(arguments, cwd, variables, out, err):
    from boundcheck.__main__ import main

    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(variables)
    for path, number in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    sys.argv = ["boundcheck", *arguments]
    main()


def forked(*arguments, cwd=ROOT, merged=False):
    """The program with these arguments, in this folder; what it says on stderr stands in stdout too
    if merged."""
    given = list(map(str, arguments))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        err = Path(folder, "out" if merged else "err")
        process = _FORKS.Process(
            target=_command, args=(given, str(cwd), dict(os.environ), str(out), str(err))
        )
        process.start()
        process.join()
        said = out.read_text(encoding="utf-8"), "" if merged else err.read_text(encoding="utf-8")
        return subprocess.CompletedProcess(given, process.exitcode or 0, *said)


def run(*arguments, cwd=ROOT, **variables):
    """The program with these arguments, in this folder, with these variables besides those of the
    tests."""
    if not variables and "PYTHONPATH" not in os.environ:
        return forked(*arguments, cwd=cwd)
    command = [sys.executable, "-m", "boundcheck", *map(str, arguments)]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    # One thread: the tests run side by side.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path} | variables
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env=environment
    )


def said(*arguments, cwd=ROOT, **variables):
    """The object that it prints where it is asked for JSON, and ends well."""
    done = run(*arguments, "--json", cwd=cwd, **variables)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
