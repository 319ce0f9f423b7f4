"""Entailments between facts as SMT-LIB 2 text: every atom is a real variable, and the goal is negated.

"unsat" says that the premises entail the goal, whatever the atoms stand for; "sat" says that arithmetic alone does not
entail it. The definitions of roots, inverses, maxima, norms and dimensions are asserted with the premises. The text has
no division, and it is the same for the same set of facts. This module also reads models.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import TypeAlias

from boundcheck.errors import InputError
from boundcheck.kernel import Fact
from boundcheck.kernel.terms import Atom, Dimension, Horizon, Inverse, Maximum, Norm, Root, Scalar
from boundcheck.system.files import replace_file

# One of the cases holds; a case is a list of facts that hold together.
Cases = tuple[tuple[Fact, ...], ...]

_FAILS = {">=": "<", ">": "<=", "=": "distinct"}
_FILE_NAME = re.compile(r"\w[\w.-]*\Z")
_TOKEN = re.compile(r"[()]|[^\s()]+")
_Expression: TypeAlias = "str | list[_Expression]"


def atoms_of(facts: Iterable[Fact]) -> list[Atom]:
    """The atoms of the facts, sorted, with the atoms in the definitions of roots, inverses and maxima."""
    found: set[Atom] = set()
    waiting = [atom for fact in facts for atom in fact.polynomial.atoms()]
    while waiting:
        atom = waiting.pop()
        if atom not in found:
            found.add(atom)
            defined = atom.parts if isinstance(atom, Root | Inverse | Maximum) else ()
            waiting += [x for part in defined if isinstance(part, Scalar) for x in part.atoms()]
    return sorted(found)


def definition(atom: Atom) -> Cases:
    """The cases, one of which holds for an atom by its kind alone; empty if its kind says nothing."""
    value = Scalar.of(atom)
    match atom:
        case Root(body=body):
            nonnegative = (Fact(">=", body), Fact("=", value * value - body), Fact(">=", value))
            return nonnegative, (Fact(">", -body), Fact("=", value))
        case Inverse(body=body):
            return (Fact("=", value * body - 1),), (Fact("=", body), Fact("=", value))
        case Maximum(members=members):
            return tuple((Fact("=", value - x), *(Fact(">=", x - y) for y in members if y != x)) for x in members)
        case Norm():
            return ((Fact(">=", value),),)
        case Dimension() | Horizon():
            return ((Fact(">=", value - 1),),)
    return ()


def variables(goal: Fact, premises: Iterable[Fact]) -> dict[Atom, str]:
    """The name that `smt_lib` gives to each atom."""
    return {atom: f"x{i}" for i, atom in enumerate(atoms_of([goal, *premises]))}


def smt_lib(goal: Fact, premises: Sequence[Fact], *, model: bool = False, definitions: bool = True) -> str:
    """The problem that is unsatisfiable if the premises entail the goal, in the logic QF_NRA.

    Args:
        goal: the fact that is asserted not to hold.
        premises: the asserted facts; neither order nor repetition changes the text.
        model: whether to ask for a model as well.
        definitions: whether to assert the definitions of roots, inverses, norms and dimensions.

    """
    names = variables(goal, premises)
    lines = ["(set-option :produce-models true)"] if model else []
    lines.append("(set-logic QF_NRA)")
    for atom, name in names.items():
        lines += [_comment(f"{name} is {atom}"), f"(declare-const {name} Real)"]
    for fact in sorted(set(premises)):
        lines += [_comment(f"premise: {fact}"), f"(assert {_formula(fact, names)})"]
    for atom, name in names.items():
        if definitions and (cases := definition(atom)):
            lines += [_comment(f"definition of {name}"), f"(assert {_either(cases, names)})"]
    polynomial = _polynomial(goal.polynomial, names)
    lines += [_comment(f"the goal fails: {goal}"), f"(assert ({_FAILS[goal.relation]} {polynomial} 0))", "(check-sat)"]
    return "\n".join(lines + ["(get-model)"] * model) + "\n"


def export(folder: Path, name: str, goal: Fact, premises: Sequence[Fact]) -> Path:
    """Write the problem to `name`.smt2 in the folder, for any solver to read, and return its path.

    Raises InputError for a name that is not a plain file name, and for a folder that cannot be written to.
    """
    if not _FILE_NAME.match(name):
        raise InputError("name", name, "letters, digits, _, - and ., and a letter, digit or _ first")
    path = Path(folder) / f"{name}.smt2"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, smt_lib(goal, premises).encode())
    except OSError as error:
        raise InputError("folder", folder, f"a folder that can be written to ({error.strerror})") from error
    return path


def _comment(text: str) -> str:
    # A line break would end the comment, and the rest would be read as commands.
    return "; " + " ".join(text.split())


def _formula(fact: Fact, names: dict[Atom, str]) -> str:
    return f"({fact.relation} {_polynomial(fact.polynomial, names)} 0)"


def _either(cases: Cases, names: dict[Atom, str]) -> str:
    together = [_joined("and", [_formula(fact, names) for fact in case]) for case in cases]
    return _joined("or", together)


def _polynomial(scalar: Scalar, names: dict[Atom, str]) -> str:
    """A positive multiple of the polynomial, with integer coefficients."""
    scale = lcm(*(c.denominator for c in scalar.terms.values()))
    summands = []
    for monomial, coefficient in scalar.terms.items():
        powers = [names[atom] for atom, exponent in monomial for _ in range(exponent)]
        number = int(coefficient * scale)
        summands.append(_joined("*", powers if number == 1 and powers else [_integer(number), *powers]))
    return _joined("+", summands) if summands else "0"


def _integer(number: int) -> str:
    return str(number) if number >= 0 else f"(- {-number})"


def _joined(operator: str, parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({operator} {' '.join(parts)})"


def read_models(text: str) -> list[dict[str, Fraction | None]]:
    """The models that a solver printed, one after the other: the value of each variable, None if not rational.

    A decimal that ends in "?" is read as far as it goes. Raises ValueError for text that is not a list of models.
    """
    return [_values(model) for model in _expressions(text)]


def _values(model: _Expression) -> dict[str, Fraction | None]:
    values = {}
    for entry in model:
        match entry:
            case ["define-fun", str(name), [], "Real", value]:
                values[name] = _number(value)
            case ["define-fun", "/0", *_]:
                # z3 divides while it solves equations, and then states its values of quotients by 0.
                pass
            case _:
                raise ValueError(f"not a value of a variable: {entry}")
    return values


def _number(value: _Expression) -> Fraction | None:
    match value:
        case str():
            return Fraction(value.removesuffix("?"))
        case ["-", inner]:
            number = _number(inner)
            return None if number is None else -number
        case ["/", above, below]:
            numerator, denominator = _number(above), _number(below)
            return None if numerator is None or not denominator else numerator / denominator
    return None


def _expressions(text: str) -> list[_Expression]:
    stack: list[list[_Expression]] = [[]]
    for token in _TOKEN.findall(text):
        if token == "(":
            stack.append([])
        elif token != ")":
            stack[-1].append(token)
        elif len(stack) == 1:
            raise ValueError("a ) without its (")
        else:
            done = stack.pop()
            stack[-1].append(done)
    if len(stack) > 1:
        raise ValueError("a ( without its )")
    return stack[0]
