"""A checked model made by hand: its numbers are exact, have their shapes, and vary only as their letters may.

A model of `kernel.meaning` takes functions for its letters. Their values are kept, so that each letter has one value,
and are checked against what the kernel assumes about every model.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from boundcheck.errors import InputError
from boundcheck.kernel.meaning import Model
from boundcheck.kernel.terms import CONSTANT, Symbol, Time, Variable
from boundcheck.proof.symbol_roles import size_of


def tabulated(model: Model) -> Model:
    """A copy of the model whose letters are looked up once.

    Raises:
        InputError: unless weights are probabilities, dimensions and horizon are positive integers, and the past forgets
            nothing; and once a letter is looked up, unless its values are exact numbers of its shape.

    """
    weights = tuple(_number("weights", x) for x in model.weights)
    if not weights or min(weights) <= 0 or sum(weights) != 1:
        raise InputError("weights", model.weights, "positive probabilities, which add up to 1")
    for name, size in {**model.dimensions, "horizon": model.horizon}.items():
        fixed = size_of(name)
        if type(size) is not int or size < 1 or (fixed is not None and size != fixed):
            raise InputError(name, size, "a positive integer, which its name gives where it is a number")
    table = _Table(model)
    for time in range(1, model.horizon + 2):
        earlier, later = table.past(time), table.past(time + 1)
        if any(earlier[i] != earlier[j] for i, j in _alike(later)):
            raise InputError("past", time, "a past that still tells apart, at later times, what it told apart before")
    return replace(model, weights=weights, symbols=table.value, past=table.past)


def _alike(labels: tuple[int, ...]) -> list[tuple[int, int]]:
    """Pairs of outcomes that look alike."""
    return [(i, j) for i in range(len(labels)) for j in range(i) if labels[i] == labels[j]]


class _Table:
    """The values of letters and the labels of pasts, as first looked up."""

    def __init__(self, model: Model) -> None:
        self._model, self._values, self._pasts = model, dict[Any, Any](), dict[int, tuple[int, ...]]()

    def past(self, time: int) -> tuple[int, ...]:
        if time not in self._pasts:
            labels = tuple(self._model.past(time))
            if len(labels) != len(self._model.weights) or any(type(x) is not int for x in labels):
                raise InputError("past", labels, f"a number for each of {len(self._model.weights)} outcomes")
            self._pasts[time] = labels
        return self._pasts[time]

    def value(self, letter: Symbol | Variable, time: int, outcome: int) -> Any:
        if not isinstance(letter.when, Time):
            return self._of(letter, 1, 0) if letter.when == CONSTANT else self._of(letter, time, outcome)
        labels = self.past(time + letter.when.lag)
        # A process is a function of what is known.
        return self._of(letter, time, labels.index(labels[outcome]))

    def _of(self, letter: Symbol | Variable, time: int, outcome: int) -> Any:
        name = (letter.name, letter.when.lag if isinstance(letter.when, Time) else letter.when, time, outcome)
        if name not in self._values:
            try:
                found = self._model.symbols(letter, time, outcome)
            except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
                if isinstance(error, InputError):
                    raise
                raise InputError("witness", letter, "an instance that has a value of this letter") from error
            self._values[name] = (
                _number(letter.name, found) if isinstance(letter, Variable) else self._grid(letter, found)
            )
        return self._values[name]

    def _grid(self, letter: Symbol, rows: Any) -> tuple[tuple[Fraction, ...], ...]:
        height, width = (self._model.dimensions[name] for name in letter.shape)
        if not isinstance(rows, tuple) or len(rows) != height or any(len(row) != width for row in rows):
            raise InputError(letter.name, rows, f"{height} rows of {width} numbers")
        return tuple(tuple(_number(letter.name, x) for x in row) for row in rows)


def _number(name: str, value: Any) -> Fraction:
    if type(value) not in (int, Fraction):
        raise InputError(name, value, "an exact number, an integer or a fraction")
    return Fraction(value)
