"""Definitions: equations that only give a name.

Each name is defined once, not by itself, also through other definitions, and is not a given
quantity. Any other equation would be an assumption in disguise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sympy as sp

from boundcheck.errors import InputError
from boundcheck.exact.evaluate import t
from boundcheck.kernel import Fact, Law, Statement
from boundcheck.kernel.builders import known, substitute_scalar, timed
from boundcheck.kernel.terms import CONSTANT, Index, Matrix, Scalar, Symbol, Term, Variable
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import PARAMETERS, D
from boundcheck.language.vocabulary import GAP, Iterate, MinimumOver, Value, i
from boundcheck.proof.reading import Reading, at_t, gt, index

GIVEN = {parameter.symbol for parameter in PARAMETERS.values()} | {t}
# Later than any offset from t: a fixed time, or every time of a sum.
_LATER = 10**6
_AT_START = ", at the start"


def is_own_definition(left: sp.Basic, right: sp.Basic, claim: Claim | None) -> bool:
    """True if the claim itself makes this definition; else it must give a new name.

    Raises InputError for a left side that is not a letter, iterate or value of a function, and for
    a given quantity, whose value a claim or its user says.
    """
    if not isinstance(left, sp.Symbol | Iterate | Value):
        raise InputError(
            "definition", left, "a symbol, an iterate or the value of a function on the left"
        )
    formulas = {D: GAP} | ({q.symbol: q.expression for q in claim.quantities} if claim else {})
    if left in formulas:
        if right != formulas[left]:
            raise InputError(
                "definition",
                sp.Eq(left, right, evaluate=False),
                f"its own formula, {formulas[left]}",
            )
        return True
    if left in GIVEN or (claim is not None and left in {p.symbol for p in claim.parameters}):
        raise InputError("definition", left, "a new letter, not a given quantity")
    if isinstance(left, Iterate) and left.args[1] != 1 and not (left.args[1] - t).is_Integer:
        raise InputError("definition", left, "an iterate at t, at t + 1 or at the start")
    return False


def check(relation: sp.Eq, statement: Statement, reading: Reading, *, own: bool) -> None:
    """Check that an equation is a definition, a claim's own or a new one; raises InputError."""
    (_check_own_statement if own else _check_statement)(relation, statement, reading)


def _check_own_statement(relation: sp.Eq, statement: Statement, reading: Reading) -> None:
    """Check that the claim's own formula is said once, and gives a number that is the same at all
    times.
    """
    left, right = relation.args
    if not isinstance(statement, Fact):
        raise InputError("definition", relation, "the claim's own formula, which has no `forall`")
    if isinstance(left, sp.Symbol) and timed(reading.scalar(right)):
        raise InputError("definition", relation, f"a value that is a constant, as {left} is")


def _check_statement(relation: sp.Eq, statement: Statement, reading: Reading) -> None:
    """Check that some value of the left side satisfies the equation, whatever the other letters
    are.

    A constant does not vary with time and outcome, an iterate is known at its time, and a function
    has one value at a point. Raises InputError for an equation that does not respect this.
    """
    left, right = relation.args
    bound = frozenset(statement.variables) if isinstance(statement, Law) else frozenset()
    if not isinstance(left, Value) and bound:
        raise InputError(
            "definition",
            relation,
            f"a law only about the values of a function, not one for all {left}",
        )
    match left:
        case sp.Symbol():
            (letter,), value = reading.scalar(left).atoms(), reading.scalar(right)
            if not isinstance(letter, Variable):
                raise InputError("definition", relation, f"a number, and {left} is a dimension")
            if letter.when == CONSTANT and not (known(value, None) and not timed(value)):
                raise InputError(
                    "definition", relation, f"a value that is a constant, as {left} is"
                )
        case Iterate():
            now = index(left.args[1])
            then = Index(now.base, now.offset + reading.processes[at_t(left)].lag)
            if not all(known(block, then) for block in reading.point(right)):
                raise InputError(
                    "definition", relation, f"a value that is known when {left} is, at {then}"
                )
            if now.base != "t" and any(map(timed, reading.point(right))):
                raise InputError(
                    "definition", relation, f"a value that does not vary with t, as {left} does not"
                )
        case Value():
            point = [
                x
                for block in reading.point(left.args[1])
                for x in block.inside
                if isinstance(x, Symbol)
            ]
            is_bare = all(
                block == Matrix.of(x)
                for block, x in zip(reading.point(left.args[1]), point, strict=False)
            )
            fixed: dict[Term, Matrix | Scalar] = {
                x: Matrix.of(Symbol(x.name, x.shape, CONSTANT)) for x in point
            }
            value = substitute_scalar(reading.scalar(right), fixed)
            varies = timed(value) or not known(value, None)
            if not is_bare or frozenset(point) != bound or len(set(point)) < len(point) or varies:
                expected = (
                    f"a law for all points, forall=[{left.args[1]}], of constants and of the point"
                    " alone"
                )
                raise InputError("definition", relation, expected)


def is_definition(relation: sp.Basic, statement: Statement, reading: Reading) -> bool:
    """True if an equation only gives a name in a proof: some value satisfies it, whatever the other
    letters are.
    """
    if not isinstance(relation, sp.Eq) or not says(relation, statement, reading):
        return False
    left, right = relation.args
    try:
        check(relation, statement, reading, own=is_own_definition(left, right, None))
    except InputError:
        return False
    return True


def says(relation: sp.Basic, statement: Statement, reading: Reading) -> bool:
    """True if the kernel's statement is what the relation says, at one point or as a law."""
    try:
        facts = reading.facts(
            relation if isinstance(relation, sp.Rel | sp.And) else gt(relation, 0)
        )
    except InputError:
        return False
    return (statement.conclusion if isinstance(statement, Law) else statement) in facts


def circular(equations: Sequence[tuple[sp.Basic, sp.Basic]], reading: Reading) -> str:
    """A name that is defined twice, or by itself through any number of definitions; empty if there
    is none.
    """
    # For each name: the names in its definition, and how much later than its own time each of them
    # is needed.
    uses: dict[str, list[tuple[str, int]]] = {}
    for left, right in equations:
        needed = list(_names_of(right, reading))
        for name, at in _defined(left, reading).items():
            # A recurrence that also gives the start defines it a second time.
            gives_start, start = name.endswith("[t]") and at <= 0, f"{name}{_AT_START}"
            if name in uses or (gives_start and start in uses):
                return name
            after = [(other, time - at) for other, time in needed]
            if gives_start:
                uses[start] = []
                for other, later in after:
                    # The recurrence is for every t: what it needs of an iterate is its start, or
                    # comes later.
                    varies = other.endswith("[t]")
                    at_start = (f"{other}{_AT_START}", 0)
                    uses[start].append(
                        at_start if varies and later <= 0 else (other, _LATER if varies else later)
                    )
            uses[name] = after
    # An iterate depends on its own start, whatever its time is.
    for start in [name for name in uses if name.endswith(_AT_START)]:
        uses.setdefault(start.removesuffix(_AT_START), []).append((start, 0))

    # A name that needs itself at the same time or later: a cycle that does not go back in time.
    for name in uses:
        stack, seen = [(name, 0, frozenset({name}))], set[tuple[str, int]]()
        while stack:
            each, shift, path = stack.pop()
            for other, later in uses.get(each, ()):
                state = (other, shift + later)
                if other == name and state[1] >= 0:
                    return name
                if other not in path and state not in seen:
                    seen.add(state)
                    stack.append((*state, path | {other}))
    return ""


def _defined(left: sp.Basic, reading: Reading) -> Mapping[str, int]:
    """The names that a left side defines, each with its offset from t; a start, v_1, is a name of
    its own.
    """
    if isinstance(left, Iterate):
        return dict(_of_iterate(left, reading))
    return {str(left.args[0].name if isinstance(left, Value) else left.name): 0}


def _names_of(
    node: sp.Basic, reading: Reading, within_sum: bool = False
) -> Iterator[tuple[str, int]]:
    """The names in an expression, each with its offset from t."""
    match node:
        case Iterate():
            for name, offset in _of_iterate(node, reading):
                # Under a sum over all times there are later ones.
                yield name, _LATER if within_sum else offset
        case sp.MatrixSymbol() if node in reading.points:
            for block in reading.points[node]:
                yield from _names_of(block, reading, within_sum)
        case sp.MatrixSymbol() | sp.Symbol():
            yield str(node.name), _LATER if within_sum else 0
        case sp.Sum() if node.limits[0][0] == i and (node.limits[0][2] - t).is_Integer:
            # No summand is later than the last, and letters of any time are met at those before.
            last = node.function.xreplace({i: node.limits[0][2]})
            yield from _names_of(last, reading, within_sum)
        case _:
            inside = within_sum or isinstance(node, sp.Sum | MinimumOver)
            for each in node.args:
                yield from _names_of(each, reading, inside)


def _of_iterate(node: Iterate, reading: Reading) -> Iterator[tuple[str, int]]:
    name, time = node.args[:2]
    process = reading.processes.get(at_t(node))
    names = [f"{block.name}[t]" for block in process.blocks] if process else [f"{name}[t]"]
    if time == 1:
        return ((f"{each}{_AT_START}", 0) for each in names)
    offset = int(time - t) if (time - t).is_Integer else _LATER
    return ((each, offset) for each in names)
