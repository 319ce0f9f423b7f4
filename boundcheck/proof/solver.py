"""z3: entailments between facts as SMT-LIB 2 text, its answers, and verified counterexamples.

In the text every atom is a real variable, and the goal is negated. "unsat" says that the premises
entail the goal, whatever the atoms stand for; "sat" says that arithmetic alone does not entail it.
The definitions of roots, inverses, maxima, norms and dimensions are asserted with the premises. The
text has no division, and it is the same for the same set of facts. The solver runs in a process of
its own, which is killed when its time is up.
"""

import json
import os
import re
import signal
import subprocess
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import metadata
from math import lcm
from pathlib import Path
from typing import Any, Literal, TypeAlias

from boundcheck.errors import BoundcheckError
from boundcheck.kernel import Fact
from boundcheck.kernel.terms import Atom, Dimension, Horizon, Inverse, Maximum, Norm, Root, Scalar
from boundcheck.system.child import watched
from boundcheck.system.files import parse_json

Status = Literal["sat", "unsat", "unknown"]

SECONDS = 5.0
"""The seconds that z3 gets for one question."""

# The problem as text.

_FAILS = {">=": "<", ">": "<=", "=": "distinct"}


def _atoms_of(facts: Iterable[Fact]) -> list[Atom]:
    """The atoms of the facts, sorted, with the atoms in the definitions of roots, inverses and
    maxima.
    """
    found: set[Atom] = set()
    waiting = [atom for fact in facts for atom in fact.polynomial.atoms()]
    while waiting:
        atom = waiting.pop()
        if atom not in found:
            found.add(atom)
            defined = atom.parts if isinstance(atom, Root | Inverse | Maximum) else ()
            waiting += [x for part in defined if isinstance(part, Scalar) for x in part.atoms()]
    return sorted(found)


def _definition(atom: Atom) -> tuple[tuple[Fact, ...], ...]:
    """Cases, each a list of facts, one of which holds for an atom by its kind alone; empty if its
    kind says nothing.
    """
    value = Scalar.of(atom)
    match atom:
        case Root(body=body):
            nonnegative = (Fact(">=", body), Fact("=", value * value - body), Fact(">=", value))
            return nonnegative, (Fact(">", -body), Fact("=", value))
        case Inverse(body=body):
            return (Fact("=", value * body - 1),), (Fact("=", body), Fact("=", value))
        case Maximum(members=members):
            return tuple(
                (Fact("=", value - x), *(Fact(">=", x - y) for y in members if y != x))
                for x in members
            )
        case Norm():
            return ((Fact(">=", value),),)
        case Dimension() | Horizon():
            return ((Fact(">=", value - 1),),)
    return ()


def _variables(goal: Fact, premises: Iterable[Fact]) -> dict[Atom, str]:
    """The name that `smt_lib` gives to each atom."""
    return {atom: f"x{i}" for i, atom in enumerate(_atoms_of([goal, *premises]))}


def smt_lib(goal: Fact, premises: Sequence[Fact], *, model: bool = False) -> str:
    """The problem that is unsatisfiable if the premises entail the goal, in the logic QF_NRA.

    Args:
        goal: the fact that is asserted not to hold.
        premises: the asserted facts; neither order nor repetition changes the text.
        model: whether to ask for a model as well.

    """
    names = _variables(goal, premises)

    def polynomial(scalar: Scalar) -> str:
        """A positive multiple of the polynomial, with integer coefficients."""
        scale = lcm(*(c.denominator for c in scalar.terms.values()))
        summands = []
        for monomial, coefficient in scalar.terms.items():
            powers = [names[atom] for atom, exponent in monomial for _ in range(exponent)]
            number = int(coefficient * scale)
            shown = str(number) if number >= 0 else f"(- {-number})"
            summands.append(_joined("*", powers if number == 1 and powers else [shown, *powers]))
        return _joined("+", summands) if summands else "0"

    def formula(fact: Fact) -> str:
        return f"({fact.relation} {polynomial(fact.polynomial)} 0)"

    lines = ["(set-option :produce-models true)"] if model else []
    lines.append("(set-logic QF_NRA)")
    for atom, name in names.items():
        lines += [_comment(f"{name} is {atom}"), f"(declare-const {name} Real)"]
    for fact in sorted(set(premises)):
        lines += [_comment(f"premise: {fact}"), f"(assert {formula(fact)})"]
    for atom, name in names.items():
        if cases := _definition(atom):
            either = _joined("or", [_joined("and", list(map(formula, case))) for case in cases])
            lines += [_comment(f"definition of {name}"), f"(assert {either})"]
    fails = f"(assert ({_FAILS[goal.relation]} {polynomial(goal.polynomial)} 0))"
    lines += [_comment(f"the goal fails: {goal}"), fails, "(check-sat)"]
    return "\n".join(lines + ["(get-model)"] * model) + "\n"


def _comment(text: str) -> str:
    # A line break would end the comment, and the rest would be read as commands.
    return "; " + " ".join(text.split())


def _joined(operator: str, parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({operator} {' '.join(parts)})"


# The solver.


@dataclass(frozen=True)
class Answer:
    """The solver's answer: the status of the problem, which is "unknown" also if it took too long
    or broke down.

    The model is the solver's text of one, if the status is "sat" and a model was asked for.
    """

    status: Status
    model: str = ""


def ask(text: str, seconds: float) -> Answer:
    """The answer to the first `(check-sat)` of an SMT-LIB text, within so many seconds."""
    pipe = subprocess.PIPE
    # A session of its own makes it the leader of a process group, which is killed as one.
    with subprocess.Popen(
        watched(command()), stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    ) as process:
        try:
            output, _ = process.communicate(text.encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            return Answer("unknown")
        finally:
            # Kill it with all that it started, unless its end was waited for: then its number may
            # be another's.
            if process.returncode is None:
                # macOS refuses if the process has just ended by itself.
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
    # Only the first line counts: after an error z3 goes on with another problem.
    first, _, rest = output.decode(errors="replace").partition("\n")
    if process.returncode < 0 or first.strip() not in ("sat", "unsat"):
        return Answer("unknown")
    return Answer("sat", rest) if first.strip() == "sat" else Answer("unsat")


@cache
def command() -> tuple[str, ...]:
    """The command that starts z3: the executable that came with its package."""
    name = "z3" + (sysconfig.get_config_var("EXE") or "")
    package = metadata.distribution("z3-solver")
    places = [Path(sysconfig.get_path("scripts")) / name]
    places += [
        Path(str(package.locate_file(file))) for file in package.files or [] if file.name == name
    ]
    # A place where there is none starts nothing; a bare name would be searched for among the
    # programs of this machine.
    place = next(
        (place for place in places if os.access(place, os.X_OK) and place.is_file()), places[0]
    )
    return str(place), "-smt2", "-in"


# The model that a solver prints.

_TOKEN = re.compile(r"[()]|[^\s()]+")
_Expression: TypeAlias = "str | list[_Expression]"


def read_model(text: str) -> dict[str, Fraction | None]:
    """The model that a solver printed: the value of each variable, None if not rational.

    Raises ValueError for text that is not a model.
    """
    # As JSON, which has commas between the entries of a list.
    signs = {"(": "[", ")": "]"}
    listed = " ".join(signs.get(token) or json.dumps(token) for token in _TOKEN.findall(text))
    values = {}
    for entry in parse_json(re.sub(r'(?<=["\]]) (?=["\[])', ", ", listed)):
        match entry:
            case ["define-fun", str(name), [], "Real", value]:
                values[name] = _number(value)
            case ["define-fun", "/0", *_]:
                # z3 divides while it solves equations, and then states its values of quotients
                # by 0.
                pass
            case _:
                raise ValueError(f"not a value of a variable: {entry}")
    return values


def _number(value: _Expression) -> Fraction | None:
    match value:
        case str():
            return Fraction(value)
        case ["-", inner]:
            number = _number(inner)
            return None if number is None else -number
        case ["/", above, below]:
            numerator, denominator = _number(above), _number(below)
            return None if numerator is None or not denominator else numerator / denominator
    return None


# Counterexamples: searched with z3, verified exactly. One refutes the entailment between
# polynomials. Matrices with these norms and traces may not exist, so a step with a counterexample
# may be true; it lacks a justification.


class CounterexampleError(BoundcheckError):
    """The values are not a counterexample: a premise or definition fails, the goal holds, or a
    value is missing.
    """


@dataclass(frozen=True)
class Counterexample:
    """A verified counterexample.

    Attributes:
        values: a rational number for every atom.
        goal: the fact that fails there.
        premises: the facts that hold there, with the definitions of roots, inverses, norms and
            dimensions.

    Raises:
        CounterexampleError: where rational arithmetic says otherwise.

    """

    values: Mapping[Atom, Fraction]
    goal: Fact
    premises: tuple[Fact, ...]

    def __post_init__(self) -> None:
        """Evaluate everything again in rational arithmetic."""
        atoms = _atoms_of([self.goal, *self.premises])
        for atom in atoms:
            if not isinstance(self.values.get(atom), Fraction):
                raise CounterexampleError(
                    f"{atom} = {self.values.get(atom)}: a counterexample needs a rational number"
                )
        for fact in self.premises:
            if not self._holds(fact):
                raise CounterexampleError(f"the premise {fact} fails")
        for atom in atoms:
            cases = _definition(atom)
            if cases and not any(all(self._holds(fact) for fact in case) for case in cases):
                raise CounterexampleError(f"{atom} cannot be {self.values[atom]}")
        if self._holds(self.goal):
            raise CounterexampleError(f"the goal {self.goal} holds")

    def _holds(self, fact: Fact) -> bool:
        value = evaluate(fact.polynomial, self.values)
        return (
            value > 0 or (value == 0 and fact.relation != ">")
            if fact.relation != "="
            else value == 0
        )

    def __str__(self) -> str:
        return ", ".join(f"{atom} = {value}" for atom, value in sorted(self.values.items()))


def evaluate(polynomial: Scalar, values: Mapping[Atom, Fraction]) -> Fraction:
    """The value of the polynomial; raises KeyError for an atom without a value."""
    total = Fraction(0)
    for monomial, coefficient in polynomial.terms.items():
        for atom, exponent in monomial:
            coefficient *= values[atom] ** exponent
        total += coefficient
    return total


def counterexample(goal: Fact, premises: Sequence[Fact], seconds: float) -> Counterexample | None:
    """The model that z3 finds within so many seconds, where its numbers are rational; else None."""
    answer = ask(smt_lib(goal, premises, model=True), seconds)
    with suppress(ValueError, CounterexampleError):
        model = read_model(answer.model)
        # A variable that the model leaves out may have any value.
        names = _variables(goal, premises)
        values: dict[Atom, Any] = {x: model.get(name, Fraction(0)) for x, name in names.items()}
        return Counterexample(values, goal, tuple(premises))
    return None
