"""Definitions: equations that only give a name. Each name is defined once, not by itself, and is not a given quantity.

A name that is defined twice, or by itself (also through other definitions), would be an assumption in disguise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import sympy as sp

from boundcheck.errors import InputError
from boundcheck.exact.evaluate import t
from boundcheck.kernel import Fact, Law, Statement
from boundcheck.kernel.builders import known, substitute_scalar, timed
from boundcheck.kernel.terms import CONSTANT, Index, Matrix, Scalar, Symbol, Term, Variable
from boundcheck.language.claim import Claim
from boundcheck.language.sentence import algorithm_of
from boundcheck.language.symbols import PARAMETERS, D
from boundcheck.language.vocabulary import GAP, Iterate, MinimumOver, Value, i
from boundcheck.proof.symbol_roles import at_t
from boundcheck.proof.translate import Reading, index

_GIVEN = {parameter.symbol for parameter in PARAMETERS.values()} | {t}
# Later than any offset from t: a fixed time, or every time of a sum.
_LATER = 10**6

Equation = tuple[sp.Basic, sp.Basic]
# For each name: the names in its definition, and how much later than its own time each of them is needed.
Uses = dict[str, list[tuple[str, int]]]


def check_definition(left: sp.Basic, right: sp.Basic, claim: Claim | None) -> bool:
    """Check that the equation gives a new name, and return whether the claim itself makes this definition.

    Raises:
        InputError: for a left side that is not a letter, iterate or value of a function, and for a given quantity,
            whose value a claim or its user says.

    """
    if not isinstance(left, sp.Symbol | Iterate | Value):
        raise InputError("definition", left, "a symbol, an iterate or the value of a function on the left")
    formulas = {D: GAP} | ({q.symbol: q.expression for q in claim.quantities} if claim else {})
    if left in formulas:
        if right != formulas[left]:
            raise InputError("definition", sp.Eq(left, right, evaluate=False), f"its own formula, {formulas[left]}")
        return True
    if left in _GIVEN or (claim is not None and left in {p.symbol for p in claim.parameters}):
        raise InputError("definition", left, "a new letter, not a given quantity")
    if isinstance(left, Iterate) and left.args[1] != 1 and not (left.args[1] - t).is_Integer:
        raise InputError("definition", left, "an iterate at t, at t + 1 or at the start")
    return False


def check_statement(left: sp.Basic, right: sp.Basic, statement: Statement, reading: Reading) -> None:
    """Check that some value of the left side satisfies the equation, whatever the other letters are.

    A constant does not vary with time and outcome, an iterate is known at its time, and a function has one value at a
    point.

    Raises:
        InputError: for an equation that does not respect this.

    """
    relation = sp.Eq(left, right, evaluate=False)
    bound = frozenset(statement.variables) if isinstance(statement, Law) else frozenset()
    if not isinstance(left, Value) and bound:
        raise InputError("definition", relation, f"a law only about the values of a function, not one for all {left}")
    match left:
        case sp.Symbol():
            (letter,), value = reading.scalar(left).atoms(), reading.scalar(right)
            if not isinstance(letter, Variable):
                raise InputError("definition", relation, f"a number, and {left} is a dimension")
            if letter.when == CONSTANT and not (known(value, None) and not timed(value)):
                raise InputError("definition", relation, f"a value that is a constant, as {left} is")
        case Iterate():
            now = index(left.args[1])
            then = Index(now.base, now.offset + reading.processes[at_t(left)].lag)
            if not all(known(block, then) for block in reading.point(right)):
                raise InputError("definition", relation, f"a value that is known when {left} is, at {then}")
            if now.base != "t" and any(map(timed, reading.point(right))):
                raise InputError("definition", relation, f"a value that does not vary with t, as {left} does not")
        case Value():
            point = [x for block in reading.point(left.args[1]) for x in block.inside if isinstance(x, Symbol)]
            plain = all(block == Matrix.of(x) for block, x in zip(reading.point(left.args[1]), point, strict=False))
            fixed: dict[Term, Matrix | Scalar] = {x: Matrix.of(Symbol(x.name, x.shape, CONSTANT)) for x in point}
            value = substitute_scalar(reading.scalar(right), fixed)
            varies = timed(value) or not known(value, None)
            if not plain or frozenset(point) != bound or len(set(point)) < len(point) or varies:
                expected = f"a law for all points, forall=[{left.args[1]}], of constants and of the point alone"
                raise InputError("definition", relation, expected)


def check_constant(left: sp.Basic, right: sp.Basic, reading: Reading) -> None:
    """Check that a claim's own formula of a number does not vary with time; raises InputError for one that does."""
    if isinstance(left, sp.Symbol) and timed(reading.scalar(right)):
        raise InputError("definition", sp.Eq(left, right, evaluate=False), f"a value that is a constant, as {left} is")


def is_given(symbol: sp.Basic) -> bool:
    """True if the symbol is t, or a quantity that a user gives, with the domain of the catalogue."""
    return symbol in _GIVEN


def only_defines(
    left: sp.Basic, right: sp.Basic, statement: Statement, claims: Sequence[Claim], reading: Reading
) -> bool:
    """True if the equation only gives a name in a proof: neither statements nor hypotheses of the claims contain it."""
    try:
        if check_definition(left, right, claims[0]):
            return isinstance(statement, Fact)
        check_statement(left, right, statement, reading)
    except InputError:
        return False
    relations = (x for claim in claims for x in (claim.conclusion, *claim.conditions, *_recurrence(claim)))
    said = chain.from_iterable(names_of(each, reading) for each in relations)
    return not {_base(name) for name in defined(left, reading)} & {_base(name) for name, _ in said}


def _recurrence(claim: Claim) -> tuple[sp.Basic, ...]:
    """The equations of a theorem's algorithm, whose letters a proof may not choose."""
    algorithm = algorithm_of(claim)
    return algorithm.recurrence if algorithm else ()


def _base(name: str) -> str:
    """The name without the mark of a start."""
    return name.removesuffix(_AT_START)


def circular(equations: Sequence[Equation], reading: Reading) -> str:
    """A name that is defined twice, or by itself through any number of definitions; empty if there is none."""
    uses: Uses = {}
    for left, right in equations:
        needed = list(names_of(right, reading))
        for name, at in defined(left, reading).items():
            # A recurrence that also gives the start defines it a second time.
            start = _start(name)
            if name in uses or (name.endswith("[t]") and at <= 0 and start in uses):
                return name
            if name.endswith("[t]") and at <= 0:
                uses[start] = [_at_start(other, time - at) for other, time in needed]
            uses[name] = [(other, time - at) for other, time in needed]
    # An iterate depends on its own start, whatever its time is.
    for start in [name for name in uses if name.endswith(_AT_START)]:
        uses.setdefault(start.removesuffix(_AT_START), []).append((start, 0))
    return next((name for name in uses if _returns(name, uses)), "")


_AT_START = ", at the start"


def _start(name: str) -> str:
    return f"{name}{_AT_START}"


def _at_start(name: str, later: int) -> tuple[str, int]:
    """The name and offset that a start needs if its definition, which is for every t, needs `name` so much later."""
    if not name.endswith("[t]"):
        return name, later
    return (name, _LATER) if later > 0 else (_start(name), 0)


def _returns(start: str, uses: Uses) -> bool:
    """True if a name needs itself at the same time or later, by a cycle that does not go back in time."""
    stack, seen = [(start, 0, frozenset({start}))], set()
    while stack:
        name, shift, path = stack.pop()
        for other, later in uses.get(name, ()):
            if other == start and shift + later >= 0:
                return True
            state = (other, shift + later)
            if other not in path and state not in seen:
                seen.add(state)
                stack.append((other, shift + later, path | {other}))
    return False


def defined(left: sp.Basic, reading: Reading) -> Mapping[str, int]:
    """The names that a left side defines, each with its offset from t; a start, v_1, is a name of its own."""
    match left:
        case Iterate():
            return dict(_of_iterate(left, reading))
        case Value():
            return {str(left.args[0].name): 0}
    return {str(left.name): 0}


def names_of(node: sp.Basic, reading: Reading, within_sum: bool = False) -> Iterator[tuple[str, int]]:
    """The names in an expression, each with its offset from t."""
    match node:
        case Iterate():
            for name, offset in _of_iterate(node, reading):
                # Under a sum over all times there are later ones.
                yield name, _LATER if within_sum else offset
        case sp.MatrixSymbol() if node in reading.points:
            for block in reading.points[node]:
                yield from names_of(block, reading, within_sum)
        case sp.MatrixSymbol() | sp.Symbol():
            yield str(node.name), _LATER if within_sum else 0
        case sp.Sum() if node.limits[0][0] == i and (node.limits[0][2] - t).is_Integer:
            # No summand is later than the last, and letters of any time are met at those before.
            last = node.function.xreplace({i: node.limits[0][2]})
            yield from names_of(last, reading, within_sum)
        case _:
            inside = within_sum or isinstance(node, sp.Sum | MinimumOver)
            for each in node.args:
                yield from names_of(each, reading, inside)


def _of_iterate(node: Iterate, reading: Reading) -> Iterator[tuple[str, int]]:
    name, time = node.args[:2]
    process = reading.processes.get(at_t(node))
    names = [f"{block.name}[t]" for block in process.blocks] if process else [f"{name}[t]"]
    if time == 1:
        return ((_start(each), 0) for each in names)
    offset = int(time - t) if (time - t).is_Integer else _LATER
    return ((each, offset) for each in names)
