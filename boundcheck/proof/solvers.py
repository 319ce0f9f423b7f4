"""z3 and cvc5, each in its own process, which is killed when its time is up, and how far to trust their answers."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Literal, get_args

from boundcheck.errors import BoundcheckError, InputError
from boundcheck.kernel import Fact
from boundcheck.proof.smt import smt_lib
from boundcheck.system.child import watched

Solver = Literal["z3", "cvc5"]
Status = Literal["sat", "unsat", "unknown"]

# Above it the operating system's own clocks overflow.
_LONGEST = 1_000_000.0


class SolverMissingError(BoundcheckError):
    """The solver is not installed where boundcheck is."""


class DisagreementError(BoundcheckError):
    """One solver says sat and the other unsat: one of them is wrong, so neither counts.

    Attributes:
        statuses: what each said.
        text: the problem, SMT-LIB 2.

    """

    def __init__(self, statuses: Mapping[str, str], text: str) -> None:
        self.statuses, self.text = dict(statuses), text
        said = " and ".join(f"{solver} says {status}" for solver, status in self.statuses.items())
        super().__init__(f"{said} of the same problem: one of them is wrong, and neither counts")


@dataclass(frozen=True)
class Answer:
    """A solver's answer.

    Attributes:
        status: of the problem; "unknown" also if the solver took too long or broke down.
        model: the solver's text of a model, if the status is "sat" and a model was asked for.
        reason: why the status is "unknown".

    """

    status: Status
    model: str = ""
    reason: str = ""


def ask(solver: Solver, text: str, seconds: float) -> Answer:
    """The answer to the first `(check-sat)` of an SMT-LIB text, within so many seconds.

    Raises InputError for an unknown solver or time, SolverMissingError for a solver that is not installed.
    """
    if solver not in get_args(Solver):
        raise InputError("solver", solver, " or ".join(get_args(Solver)))
    if not 0 < seconds <= _LONGEST:
        raise InputError("seconds", seconds, f"a number above 0, at most {_LONGEST:g}")
    command = _command(solver)
    # What becomes the solver is started in any case.
    if shutil.which(command[0]) is None:
        raise SolverMissingError(f"{solver} cannot be started: {command[0]} is no program")
    try:
        # A session of its own makes it the leader of a process group, which is killed as one.
        process = subprocess.Popen(
            watched(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise SolverMissingError(f"{solver} cannot be started: {error}") from error
    with process:
        try:
            output, errors = process.communicate(text.encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            return Answer("unknown", reason=f"{solver} took longer than {seconds:.3g} s and was killed")
        finally:
            _kill(process)
    return _judged(solver, process.returncode, output.decode(errors="replace"), errors.decode(errors="replace"))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process with all that it started, unless its end was waited for: then its number may be another's."""
    if process.returncode is None:
        # macOS refuses if the process has just ended by itself.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _judged(solver: Solver, code: int, output: str, errors: str) -> Answer:
    """The answer in a solver's output. Only the first line counts: after an error z3 goes on with another problem."""
    if code < 0:
        return Answer("unknown", reason=f"{solver} was ended by signal {-code}")
    first, _, rest = output.partition("\n")
    match first.strip():
        case "sat":
            return Answer("sat", model=rest)
        case "unsat":
            return Answer("unsat")
        case "unknown":
            return Answer("unknown", reason=f"{solver} gave up")
    said = first.strip() or (errors.strip().splitlines() or ["nothing"])[-1]
    return Answer("unknown", reason=f"{solver} broke down, code {code}, saying {said}")


def _command(solver: Solver) -> Sequence[str]:
    if solver == "z3":
        return [str(_z3()), "-smt2", "-in"]
    if importlib.util.find_spec("cvc5") is None:
        raise SolverMissingError("cvc5 is not installed: pip install cvc5")
    # -P: the folder of the file, with modules of boundcheck's, must not be searched for cvc5.
    return [sys.executable, "-P", str(Path(__file__).with_name("cvc5_child.py"))]


@cache
def _z3() -> Path:
    """The executable that came with the package z3-solver."""
    name = "z3" + (sysconfig.get_config_var("EXE") or "")
    places = [Path(sysconfig.get_path("scripts")) / name]
    try:
        package = metadata.distribution("z3-solver")
    except metadata.PackageNotFoundError:
        raise SolverMissingError("z3 is not installed: pip install z3-solver") from None
    places += [Path(str(package.locate_file(file))) for file in package.files or [] if file.name == name]
    for place in places:
        if os.access(place, os.X_OK) and place.is_file():
            return place
    raise SolverMissingError(f"the package z3-solver {package.version} is installed and its executable {name} is not")


def second_opinion(goal: Fact, premises: Sequence[Fact], seconds: float) -> dict[str, Status]:
    """The answers of z3 and cvc5 on the negated goal, side by side: "unsat" if the premises entail the goal.

    Raises DisagreementError if one says sat and the other unsat, and what `ask` raises.
    """
    text = smt_lib(goal, premises)
    solvers: tuple[Solver, ...] = get_args(Solver)
    with ThreadPoolExecutor(len(solvers)) as pool:
        answers = pool.map(lambda solver: ask(solver, text, seconds), solvers)
        statuses: dict[str, Status] = {solver: answer.status for solver, answer in zip(solvers, answers, strict=True)}
    if {"sat", "unsat"} <= set(statuses.values()):
        raise DisagreementError(statuses, text)
    return statuses


def trust(statuses: Mapping[str, str]) -> Literal["solvers", "solver"] | None:
    """The trust in an entailment after `second_opinion`: both said unsat, one did, or none."""
    count = sum(status == "unsat" for status in statuses.values())
    return "solvers" if count == 2 else "solver" if count else None
