"""Ascent on measured over bound of an inequality between matrices and numbers, from assignments that were tried.

SciPy's optimisers climb along Torch's gradients: in the entries of matrices, and in the logarithms of positive numbers.
They end at an assignment like any other: floats select it, and Arb judges it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import sympy as sp
import torch
from scipy.optimize import Bounds, minimize
from torch import Tensor

from boundcheck.exact.floats import Graded
from boundcheck.functions.judged import AtMost, parts
from boundcheck.worst_case.fields import MOST
from boundcheck.worst_case.relation import Assignment, conclusion_of, given_relations

# The most climbs for each inequality of a claim, climbs from equal shapes, and steps of a climb.
_CLIMBS, _ALIKE, _STEPS = 6, 2, 60
# The most numbers that one climb changes: more numbers make its steps slower, and small matrices say the most.
_MOST_NUMBERS = 128
# How far a start is moved at random: a drawn start is often a saddle, or a corner where norms have no gradient.
_SHAKEN = 1e-2
# How far the ends stay inside the given relations, in logarithms: more than SLSQP overshoots.
_MARGIN = 1e-6
# The parts of the way to go back if the end is outside nevertheless.
_BACK = (0.0, 1e-9, 1e-6, 1e-4, 1e-2)
# How far a climb goes, in units of the start's largest entry, or in logarithms.
_REACH = 40.0
# The search stops at this logarithm of a ratio.
_ENOUGH = 0.1
# Stands for an infinite logarithm, which the optimisers do not accept.
_WALL = 1e3

Sides = tuple[Any, Any]


def climbed(tried: Sequence[Assignment], dtype: str) -> Iterator[Assignment]:
    """The ends of ascents from the best assignments; for each inequality, those with small matrices come first.

    Args:
        tried: assignments of one claim that satisfy everything given; the ends satisfy it too.
        dtype: the type of the matrices' floats.

    """
    relations = given_relations(tried[0].claim) if tried else []
    # A given equation certainly holds at few floats only, and an ascent would leave them.
    if not tried or any(each.has(sp.Equality) for each in relations):
        return
    claim, random = tried[0].claim, np.random.default_rng(0)
    given = [_sides(part) for each in relations for part in parts(each)]
    for part in parts(conclusion_of(claim)):
        sides = _sides(part)
        for start in _starts(tried, sides):
            if (end := _end(_Space(start, dtype), sides, given, random)) is not None:
                yield end


def _sides(part: AtMost) -> Sides:
    """Both sides, with each term that has a minus sign moved to the other side, so that E <= 0 has a ratio too."""
    terms = [*sp.Add.make_args(part.left), *(-term for term in sp.Add.make_args(part.right))]
    negative = [term for term in terms if term.could_extract_minus_sign()]
    positive = [term for term in terms if not term.could_extract_minus_sign()]
    return sp.Add(*positive), -sp.Add(*negative)


def _starts(tried: Sequence[Assignment], sides: Sides) -> list[Assignment]:
    """The assignments with the largest ratios, at most two with the same shapes; the smallest first."""
    spaces = [space for each in tried if 0 < (space := _Space(each, "float64")).start.size <= _MOST_NUMBERS]
    # Assignments that differ only in scale have the same ratio up to rounding.
    rated = [(round(space.rise(sides, space.start)[0], 6), space) for space in spaces]
    chosen: list[_Space] = []
    taken: dict[tuple[Any, ...], set[float]] = {}
    for value, space in sorted(rated, key=lambda item: item[0], reverse=True):
        values = taken.setdefault(space.shapes, set())
        if len(chosen) < _CLIMBS and len(values) < _ALIKE and value not in values:
            values.add(value)
            chosen.append(space)
    return [space.origin for space in sorted(chosen, key=lambda space: space.start.size)]


def _end(space: "_Space", sides: Sides, given: list[Sides], random: np.random.Generator) -> Assignment | None:
    """The end of the ascent, or a point a little before it, inside the given relations; None if there is none."""
    start = space.start

    def cost(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = space.rise(sides, x)
        # Flat beyond `_ENOUGH`: the search is over. A point without a ratio is a wall.
        return (min(-value, _WALL), -slope) if value < _ENOUGH else (-_ENOUGH, 0 * slope)

    @cache
    def within(place: int, at: bytes) -> tuple[float, np.ndarray]:
        value, slope = space.rise(given[place], np.frombuffer(at))
        return max(min(-value - _MARGIN, _WALL), -_WALL), -slope

    # SciPy asks for the value and for the slope at the same place.
    constraints = [
        {
            "type": "ineq",
            "fun": lambda x, place=place: within(place, x.tobytes())[0],
            "jac": lambda x, place=place: within(place, x.tobytes())[1],
        }
        for place in range(len(given))
    ]
    found = minimize(
        cost,
        start + _SHAKEN * random.normal(size=start.shape),
        jac=True,
        method="SLSQP" if given else "L-BFGS-B",
        bounds=Bounds(start - _REACH, start + _REACH),
        constraints=constraints,
        options={"maxiter": _STEPS},
    )
    ends = (space.at(found.x + share * (start - found.x)) for share in (_BACK if given else _BACK[:1]))
    return next((end for end in ends if end is not None and end.is_inside()), None)


@dataclass(frozen=True)
class _Space:
    """The variable part of an assignment as one vector: the entries of its matrices, and its numbers.

    The unit of entries is the largest of their matrix; positive numbers enter by their logarithm. A matrix of 0, a
    number that is 0 and may not be negative, integers and sides stay as they are.
    """

    origin: Assignment
    dtype: str

    @cached_property
    def _units(self) -> dict[str, float]:
        return {name: float(np.abs(X).max()) for name, X in self.origin.matrices.items() if X.any()}

    @cached_property
    def _numbers(self) -> dict[str, bool]:
        """The numbers that change, each with True if it changes by its logarithm."""
        known, letters = self.origin.numbers, self.origin.letters.numbers
        free = [x for x in letters if not x.is_integer and (known[x.name] > 0 or not x.is_nonnegative)]
        return {x.name: bool(x.is_nonnegative) for x in free}

    @cached_property
    def start(self) -> np.ndarray:
        """The assignment itself, as a vector."""
        entries = [(self.origin.matrices[name] / unit).ravel() for name, unit in self._units.items()]
        numbers = [
            math.log(self.origin.numbers[name]) if by_log else self.origin.numbers[name]
            for name, by_log in self._numbers.items()
        ]
        return np.concatenate([*entries, np.array(numbers, dtype=np.float64)])

    @property
    def shapes(self) -> tuple[Any, ...]:
        return tuple((name, X.shape) for name, X in sorted(self.origin.matrices.items()))

    def rise(self, sides: Sides, at: np.ndarray) -> tuple[float, np.ndarray]:
        """The logarithm of left over right at a vector, and its gradient; minus infinity if there is no ratio."""
        with torch.enable_grad():
            x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
            model = self.origin.model(Graded(), *self._letters(x))
            value = _log_ratio(*(model.number(side) for side in sides))
            if math.isnan(value.item()):
                return -math.inf, np.zeros_like(at)
            (slope,) = torch.autograd.grad(value, x, materialize_grads=True) if value.requires_grad else (0 * x,)
        return value.item(), np.nan_to_num(slope.detach().numpy(), posinf=0.0, neginf=0.0)

    def at(self, x: np.ndarray) -> Assignment | None:
        """The assignment at a vector, its matrices in floats of the type; None if a number is too large for files."""
        matrices, numbers = self._letters(torch.as_tensor(x, dtype=torch.float64))
        arrays = {name: X.numpy().astype(self.dtype).astype(np.float64) for name, X in matrices.items()}
        if not all(np.abs(X).max() <= MOST for X in arrays.values()):
            return None
        return Assignment(self.origin.claim, arrays, {name: float(value) for name, value in numbers.items()})

    def _letters(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        matrices = {name: torch.as_tensor(X) for name, X in self.origin.matrices.items()}
        numbers = {name: torch.tensor(y, dtype=torch.float64) for name, y in self.origin.numbers.items()}
        sizes = [matrices[name].numel() for name in self._units]
        *entries, rest = torch.split(x, [*sizes, len(self._numbers)])
        matrices |= {
            name: unit * part.view(matrices[name].shape)
            for (name, unit), part in zip(self._units.items(), entries, strict=True)
        }
        numbers |= {
            name: y.exp() if by_log else y for (name, by_log), y in zip(self._numbers.items(), rest, strict=True)
        }
        return matrices, numbers


def _log_ratio(left: Tensor, right: Tensor) -> Tensor:
    """The logarithm of measured over bound, as in `quotient`, for numbers of any sign; NaN if there is none."""
    if left > 0 and right > 0:
        return left.log() - right.log()
    if left < 0 and right < 0:
        return (-right).log() - (-left).log()
    return torch.full_like(left, math.inf if left > right else math.nan)
