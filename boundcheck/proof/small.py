"""Small exact instances in which a line is false, tried where it has no certificate.

Numbers go from 0 and 1 on. Matrices are of one or two rows and columns, or 0 beyond those. Where a
line speaks of functions, times or chance, all is in one dimension: a function is a quadratic, there
is one step, and what is drawn has two outcomes of equal chance. An iterate that an equation gives
has that value, and what has a given mean lies on both sides of it. Nothing here decides: a witness
that is found refutes only what it refutes in the judge's eyes, as one made by hand does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.errors import InputError
from boundcheck.exact import evaluate
from boundcheck.exact.balls import Rationals, Rows, number
from boundcheck.exact.evaluate import VectorFunction
from boundcheck.kernel import Fact
from boundcheck.kernel.terms import TermError
from boundcheck.language import vocabulary as words
from boundcheck.language.symbols import T
from boundcheck.proof.reading import Reading, is_dimension
from boundcheck.proof.witness import Witness, at_numbers, rational_model

# What is beyond numbers and matrices: functions, times and chance.
_BEYOND = (
    words.Value,
    words.Gradient,
    words.PartialGradient,
    words.Iterate,
    words.Expectation,
    words.MatrixExpectation,
    words.MinimumOver,
    sp.Sum,
)
_NUMBERS = [Fraction(x) for x in (1, 0, 2, -1, Fraction(1, 2), 3, Fraction(1, 4), 4, -2, 10)]
# Rows of matrices, of which the first entries count: the identity, ones, a corner, and so on.
_MATRICES = (
    ((1, 0), (0, 1)),
    ((1, 1), (1, 1)),
    ((1, 0), (0, 0)),
    ((0, 0), (0, 0)),
    ((-1, 0), (0, -1)),
    ((0, 1), (1, 0)),
    ((1, 1), (1, -1)),
    ((2, 0), (0, 1)),
    ((0, 1), (0, 0)),
)


def found(
    fact: Fact,
    relation: sp.Basic | None,
    assumed: Iterable[sp.Basic],
    reading: Reading,
    refutes: Callable[[Witness], bool],
    seconds: float = 1.5,
) -> Witness | None:
    """The first small instance that refutes a fact, which says the relation, and may meet what is
    assumed; None where none does within these seconds, and where points are made of blocks.
    """
    if relation is None:
        return None
    relations = [relation, *assumed]
    is_beyond = any(x.has(*_BEYOND, words.t, T) for x in relations)
    if is_beyond and reading.points:
        return None
    tried = (
        _runs(relations, reading)
        if is_beyond
        else (
            at_numbers("Small numbers that were tried", values)
            for values in _assignments(_letters(relations, reading))
        )
    )
    ends = time.monotonic() + seconds
    for witness in tried:
        if time.monotonic() > ends:
            return None
        try:
            if witness.refutes(fact) and refutes(witness):
                return witness
        except (InputError, TermError):
            continue
    return None


def _letters(relations: Sequence[sp.Basic], reading: Reading) -> list[sp.Basic]:
    """The letters that need values: those of blocks in place of points."""
    found, waiting = set[sp.Basic](), [x for each in relations for x in each.free_symbols]
    while waiting:
        letter = waiting.pop()
        if letter in reading.points:
            waiting += [x for each in reading.points[letter] for x in each.free_symbols]
        elif isinstance(letter, sp.MatrixSymbol) or not is_dimension(letter):
            found.add(letter)
    return sorted(found, key=str)


def _assignments(letters: list[sp.Basic]) -> Iterator[dict[sp.Basic, object]]:
    """Values of the letters, those first whose places in the lists above are small together."""
    matrices = [x for x in letters if isinstance(x, sp.MatrixSymbol)]
    sides = sorted({side for x in matrices for side in x.shape if not side.is_Integer}, key=str)
    for total in range(2 * len(letters) + 10):
        for sizes in product((2, 1), repeat=len(sides)):
            shape = dict(zip(sides, sizes, strict=True))
            choices = [_choices(letter, shape) for letter in letters]
            for places in _places([len(each) for each in choices], total):
                yield {
                    letter: each[place]
                    for letter, each, place in zip(letters, choices, places, strict=True)
                }


def _choices(letter: sp.Basic, sizes: dict[sp.Basic, int]) -> list[object]:
    if isinstance(letter, sp.MatrixSymbol):
        rows, columns = (int(sizes.get(side, side)) for side in letter.shape)
        cut = (_padded(matrix, rows, columns) for matrix in _MATRICES)
        return list(dict.fromkeys(cut))
    return [x for x in _NUMBERS if x > 0 or not letter.is_positive]


def _padded(
    matrix: tuple[tuple[int, ...], ...], rows: int, columns: int
) -> tuple[tuple[int, ...], ...]:
    """The first rows and columns of a matrix, with zeros where it has none."""
    cut = [(*row[:columns], *(0,) * (columns - len(row))) for row in matrix[:rows]]
    return (*cut, *((0,) * columns,) * (rows - len(cut)))


def _places(counts: list[int], total: int) -> Iterator[tuple[int, ...]]:
    """The places in lists of these lengths whose sum is the total."""
    if not counts:
        if total == 0:
            yield ()
        return
    for first in range(min(counts[0] - 1, total) + 1):
        for rest in _places(counts[1:], total - first):
            yield (first, *rest)


# Functions, times and chance.

# Functions of x, each with how much of x²/2 and of x it is.
_QUADRATICS = {
    "x²/2": (1, 0),
    "x": (0, 1),
    "0": (0, 0),
    "-x²/2": (-1, 0),
    "x²": (2, 0),
    "x²/2 - x": (1, -1),
    "-x": (0, -1),
}
# How far what is drawn lies from its mean, up and down.
_SPREADS = (Fraction(0), Fraction(1), Fraction(1, 2), Fraction(2))
_HALVES = (Fraction(1, 2), Fraction(1, 2))


def _runs(relations: Sequence[sp.Basic], reading: Reading) -> Iterator[Witness]:
    """Instances of one step in one dimension, those first whose places in the lists are small
    together.
    """
    parts = [part for each in relations for part in sp.preorder_traversal(each)]
    functions = {x.args[0] for x in parts if isinstance(x, words.Value | words.Gradient)}
    free = {letter for each in relations for letter in each.free_symbols}
    free -= functions | {words.t, words.i, T}
    sides = {side for x in parts if isinstance(x, MatrixExpr) for side in x.shape}
    if not all(side == 1 or isinstance(side, sp.Symbol) for side in sides):
        return
    equations = {x.lhs: x.rhs for x in relations if isinstance(x, sp.Eq)}
    # An iterate has two numbers: the first one and the later ones, or a mean and a spread.
    iterates = {str(x.args[0]): (x, each.drawn) for x, each in reading.processes.items()}
    free -= {x.args[0] for x, _ in iterates.values()}
    choices: dict[object, Sequence[Any]] = {}
    for letter in sorted((x for x in free if not is_dimension(x)), key=str):
        choices[letter] = [x for x in _NUMBERS if x > 0 or not letter.is_positive]
    choices |= dict.fromkeys(sorted(functions, key=str), tuple(_QUADRATICS))
    for name, (_, drawn) in iterates.items():
        choices |= {(name, 1): _NUMBERS, (name, 2): _SPREADS if drawn else _NUMBERS}
    for total in range(2 * len(choices) + 10):
        for places in _places([len(each) for each in choices.values()], total):
            pairs = zip(choices.items(), places, strict=True)
            chosen = {letter: each[place] for (letter, each), place in pairs}
            yield _run(chosen, iterates, equations, {str(x): 1 for x in sides if x != 1})


def _run(
    chosen: Mapping[Any, Any],
    iterates: Mapping[str, tuple[words.Iterate, bool]],
    equations: Mapping[sp.Basic, sp.Basic],
    sides: Mapping[str, int],
) -> Witness:
    """The instance of these numbers and functions: two outcomes of one step, which differ in what
    is drawn.
    """

    def past(time: int) -> tuple[int, int]:
        return (0, 0) if time == 1 else (0, 1)

    def process(name: str, time: int, outcome: int) -> Any:
        iterate, drawn = iterates[name]
        first, second = chosen[name, 1], chosen[name, 2]
        moved = equations.get(iterate.xreplace({words.t: words.t + 1}))
        if moved is not None and time > 1:
            return values.vector(moved, time - 1, outcome)[0]
        if not drawn:
            return number(first if time == 1 else second)
        means = (y for x, y in equations.items() if x.args and x.args[0] == iterate)
        mean = next((values.vector(x, time, outcome)[0][0][0] for x in means), first)
        return number(mean + second * (1 - 2 * outcome if time == 1 else 0))

    def quadratic(square: int, slope: int) -> VectorFunction:
        def value(point: tuple[Rows, ...]) -> Fraction:
            ((x,),) = point[0]
            return Fraction(square, 2) * x * x + slope * x

        return VectorFunction(value, lambda point: (number(square * point[0][0][0] + slope),))

    numbers = {x: y for x, y in chosen.items() if isinstance(x, sp.Symbol)}
    functions = {x: quadratic(*_QUADRATICS[y]) for x, y in numbers.items() if isinstance(y, str)}
    numbers = {x: y for x, y in numbers.items() if x not in functions}
    matrices = {x: number(y) for x, y in chosen.items() if isinstance(x, sp.MatrixSymbol)}
    values = evaluate.Model(
        Rationals(),
        numbers=numbers,
        matrices={x: (y,) for x, y in matrices.items()},
        iterates=lambda name, time, outcome: (process(name, time, outcome),),
        functions=functions,
        sides={sp.Symbol(x, positive=True, integer=True): y for x, y in sides.items()},
        weights=_HALVES,
        past=past,
    )
    model = rational_model(
        {**sides, "one": 1},
        {x.name: y for x, y in numbers.items()},
        {x.name: y for x, y in matrices.items()},
        {x.name: y for x, y in functions.items()},
        process,
    )
    told = [
        f"{x} = {y}" for x, y in (*numbers.items(), *((x, y[0][0]) for x, y in matrices.items()))
    ]
    told += [f"{x}(x) = {chosen[x]}" for x in functions]
    for name, (_, drawn) in iterates.items():
        ends = [process(name, 1, outcome)[0][0] for outcome in range(2 if drawn else 1)]
        told.append(f"{name}_1 = {' or '.join(map(str, dict.fromkeys(ends)))}")
    about = f"One step in one dimension: {', '.join(told)}"
    return Witness(about, {}, replace(model, horizon=1, weights=_HALVES, past=past))
