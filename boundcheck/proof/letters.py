"""The letters of kernel statements: what each name stands for. A name stands for one thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Law, Statement
from boundcheck.kernel.terms import (
    ANY,
    CONSTANT,
    Dimension,
    Gradient,
    Matrix,
    Symbol,
    Term,
    Time,
    Value,
    Variable,
    When,
)
from boundcheck.proof.symbol_roles import size_of

Shape = tuple[str, str]


@dataclass(frozen=True)
class Number:
    """A number: constant, arbitrary, or the value of a process, which is known `lag` later than t."""

    kind: str
    lag: int = 0

    def __str__(self) -> str:
        return _KINDS[self.kind].format("number") + _known_from(self)


@dataclass(frozen=True)
class OfShape:
    """A matrix of a shape, which varies as a `Number` does."""

    shape: Shape
    kind: str
    lag: int = 0

    def __str__(self) -> str:
        return _KINDS[self.kind].format(f"{_told(self.shape)} matrix") + _known_from(self)


@dataclass(frozen=True)
class FunctionLetter:
    """A differentiable function of matrices of these shapes."""

    shapes: tuple[Shape, ...]

    def __str__(self) -> str:
        return f"a differentiable function of {', '.join(map(_told, self.shapes))}"


@dataclass(frozen=True)
class Size:
    """A dimension: a positive integer."""

    def __str__(self) -> str:
        return "a dimension, a positive integer"


def _told(shape: Shape) -> str:
    return "×".join(str(size_of(name) or name) for name in shape)


Role = Number | OfShape | FunctionLetter | Size
_PROCESS = "process"
_KINDS = {CONSTANT: "a {}", ANY: "any {}, at each time and outcome", _PROCESS: "a random {} at each time"}


def _known_from(role: Number | OfShape) -> str:
    if role.kind != _PROCESS:
        return ""
    return ", known at its own time" if role.lag == 0 else f", known from {role.lag} later on"


def letters(statements: Iterable[Statement]) -> dict[str, Role]:
    """The role of each name in these statements.

    Raises:
        InputError: if one name stands for two things, because the text would not say which.

    """
    found: dict[str, Role] = {}
    for statement in statements:
        for name, role in _roles(statement):
            if found.setdefault(name, role) != role:
                raise InputError("name", name, f"one thing of this name, not both {found[name]} and {role}")
    for name, role in found.items():
        # v may be any point, and v[t] an iterate: but not a number and a matrix.
        process = found.get(at_times(name))
        if process is not None and _kind(process) != _kind(role):
            raise InputError("name", name, f"one thing of this name, not both {role} and {process}")
    return dict(sorted(found.items()))


def _roles(statement: Statement) -> Iterator[tuple[str, Role]]:
    if isinstance(statement, Law):
        for part in (*statement.premises, statement.conclusion):
            yield from _roles(part)
    terms = statement.polynomial.inside if isinstance(statement, Fact) else statement.variables
    for term in terms:
        yield from _names(term)


def _names(term: Term) -> Iterator[tuple[str, Role]]:
    """The names of the term itself, without those of its parts."""
    match term:
        case Variable():
            yield _written(term), Number(*_varies(term.when))
        case Symbol():
            yield _written(term), OfShape(term.shape, *_varies(term.when))
            yield from ((name, Size()) for name in term.shape)
        case Matrix():
            yield from ((name, Size()) for name in term.shape)
        case Dimension():
            yield term.name, Size()
        case Value() | Gradient():
            yield term.function, FunctionLetter(tuple(x.shape for x in term.point))


def _written(letter: Variable | Symbol) -> str:
    """The name of a letter as it is written: a process has a time, so that `B` and `B[t]` are two."""
    return at_times(letter.name) if isinstance(letter.when, Time) else letter.name


def at_times(name: str) -> str:
    """The key of a process in a table of letters."""
    return f"{name}[t]"


def _varies(when: When) -> tuple[str, int]:
    return (_PROCESS, when.lag) if isinstance(when, Time) else (when, 0)


def _kind(role: Role) -> tuple[type, Shape | None]:
    return type(role), role.shape if isinstance(role, OfShape) else None


Letters = Mapping[str, Role]
