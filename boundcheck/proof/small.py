"""Small exact numbers at which a line is false, tried where it has no certificate.

Numbers go from 0 and 1 on. Matrices are of one or two rows and columns, or 0 beyond those. Nothing
here decides: a witness that is found refutes only what it refutes in the judge's eyes, as one made
by hand does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product

import sympy as sp

from boundcheck.errors import InputError
from boundcheck.kernel import Fact
from boundcheck.kernel.terms import TermError
from boundcheck.language import vocabulary as words
from boundcheck.language.symbols import T
from boundcheck.proof.proof import Proof
from boundcheck.proof.reading import is_dimension
from boundcheck.proof.witness import Witness, at_numbers

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
_SECONDS = 1.5


def found(
    fact: Fact, relation: sp.Basic | None, proof: Proof, refutes: Callable[[Witness], bool]
) -> Witness | None:
    """The first small numbers that refute a fact, which says the relation; None where none do
    within a second or two, and where the line or an assumption speaks of functions or times.
    """
    relations = [relation, *(each.relation for each in proof.assumptions)]
    if any(x is None or x.has(*_BEYOND, words.t, T) for x in relations):
        return None
    letters = _letters(relations, proof)
    ends = time.monotonic() + _SECONDS
    for values in _assignments(letters):
        if time.monotonic() > ends:
            return None
        witness = at_numbers("Small numbers that were tried", values)
        try:
            if witness.refutes(fact) and refutes(witness):
                return witness
        except (InputError, TermError):
            continue
    return None


def _letters(relations: list[sp.Basic], proof: Proof) -> list[sp.Basic]:
    """The letters that need values: those of blocks in place of points."""
    found, waiting = set[sp.Basic](), [x for each in relations for x in each.free_symbols]
    while waiting:
        letter = waiting.pop()
        if letter in proof.reading.points:
            waiting += [x for each in proof.reading.points[letter] for x in each.free_symbols]
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
