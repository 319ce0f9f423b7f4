"""A simpler assignment that breaks the same inequality: fewer rows and columns, and numbers with fewer digits."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from boundcheck.worst_case.certify import certify
from boundcheck.worst_case.relation import Assignment

# The most assignments to judge.
_PATIENCE = 400


def simplified(found: Assignment) -> Assignment:
    """The simplest assignment that greedy steps reach from one that breaks its claim; Arb judges each step."""
    judged, changed = 0, True
    while changed:
        changed = False
        for other in _simpler(found):
            if judged == _PATIENCE:
                return found
            judged += 1
            if certify(other).violated:
                found, changed = other, True
                break
    return found


def _simpler(found: Assignment) -> Iterator[Assignment]:
    """Assignments that are one step simpler, the largest step first; no step undoes another."""
    for side in found.letters.sides:
        for i in range(int(found.numbers[side.name])) if found.numbers[side.name] > 1 else ():
            matrices = {
                X.name: _without(found.matrices[X.name], [axis for axis in (0, 1) if X.shape[axis] == side], i)
                for X in found.letters.matrices
            }
            numbers = {**found.numbers, side.name: found.numbers[side.name] - 1}
            yield replace(found, matrices=matrices, numbers=numbers)
    for x in found.letters.numbers:
        for value in (1.0, *(float(f"{found.numbers[x.name]:.{digits}g}") for digits in (1, 2, 3))):
            if _digits(value) < _digits(found.numbers[x.name]):
                yield replace(found, numbers={**found.numbers, x.name: value})
    for name, X in found.matrices.items():
        for index in np.argwhere(X):
            zero = X.copy()
            zero[tuple(index)] = 0
            yield replace(found, matrices={**found.matrices, name: zero})
        for digits in range(4):
            rounded = X.round(digits)
            if sum(map(_digits, rounded.flat)) < sum(map(_digits, X.flat)):
                yield replace(found, matrices={**found.matrices, name: rounded})


def _without(X: np.ndarray, axes: list[int], index: int) -> np.ndarray:
    for axis in axes:
        X = np.delete(X, index, axis)
    return X


def _digits(x: float) -> int:
    """The length of a number as it is written; 0 for the number 1, which counts as the shortest."""
    return 0 if x == 1 else len(repr(float(x)))
