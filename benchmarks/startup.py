"""How long the commands take that a person types most, each in a fresh process: `python -m
benchmarks startup`."""

import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from benchmarks.line import Benchmark, Effort, Found, Limit, in_turns, within

BOUNDCHECK = (sys.executable, "-m", "boundcheck")
SET = [f"--set={x}" for x in ("L=1", "C=1", "sigma=1", "G=3", "r=8", "zeta=0.1", "D=1", "T=10_000")]


def ran(command: Sequence[str]) -> None:
    """Run a command to its end; raises CalledProcessError with its last words where it fails."""
    subprocess.run(command, check=True, capture_output=True)


def _starting(command: Sequence[str], limit: float, effort: Effort) -> Found:
    bare = (sys.executable, "-c", "pass")
    turns = in_turns(
        {"ours": lambda: ran(command), "python": lambda: ran(bare)}, min(effort.turns, 3)
    )
    found = within(turns["ours"], limit)
    note = f"Python alone takes {turns['python'].median:.3f} s to start and end."
    return Found(found.value, found.ours, found.theirs, turns, (note,))


def _line(
    name: str, what: str, means: str, limit: float, command: Sequence[str], **more: Any
) -> Benchmark:
    measure = partial(_starting, command, limit)
    return Benchmark(
        f"startup.{name}", what, "a limit", "s", "s", means, measure, Limit(limit), **more
    )


BENCHMARKS = (
    _line(
        "help",
        "boundcheck --help",
        "What a person waits for the help.",
        0.3,
        [*BOUNDCHECK, "--help"],
    ),
    _line(
        "claims",
        "boundcheck claims",
        "What a person waits for the list of claims.",
        1.5,
        [*BOUNDCHECK, "claims"],
    ),
    _line(
        "bound",
        "boundcheck bound jiang2024.theorem2",
        "What a person waits for the numbers of Theorem 2.",
        1.0,
        [*BOUNDCHECK, "bound", "jiang2024.theorem2", *SET],
    ),
    _line(
        "prove",
        "boundcheck prove jiang2024",
        "What a person waits for the referee's table, proofs cold.",
        5.0,
        [*BOUNDCHECK, "prove", "jiang2024"],
        why=(
            "No part of it rules: a fifth is the kernel's replay, a seventh each the imports, the"
            " certificates and the translation from sympy, a tenth reads every printed statement"
            " back, and a twelfth checks the witnesses."
        ),
        is_long=True,
    ),
)
