"""`Assignment`: matrices and numbers for the letters of an inequality, both of its sides there, and
ascent on them.

Claims about norms of matrices alone, such as ‖XY‖_F ≤ ‖X‖_op‖Y‖_F, are tried on it: no loss, no
adapter. From assignments that were tried, SciPy's optimisers climb on measured over bound along
Torch's gradients: in the entries of matrices, and in the logarithms of positive numbers. They end
at an assignment like any other: floats select it, and Arb judges it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, cached_property
from typing import Any, TypeVar

import numpy as np
import sympy as sp
import torch
from flint import arb, arb_mat, ctx
from scipy.optimize import Bounds, minimize
from sympy.matrices.expressions.matexpr import MatrixExpr
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.exact.balls import Balls, ball_of, lower, matrix_of
from boundcheck.exact.evaluate import Arithmetic, Cost, Model, Shape, fraction
from boundcheck.exact.floats import Approx, ApproxMatrix, Comparison, Graded, Rounded
from boundcheck.functions.judged import AtMost, compared, parts
from boundcheck.language import vocabulary as words
from boundcheck.language.claim import Claim, Quantity
from boundcheck.language.evidence import HOLDS, Answer
from boundcheck.language.evidence import Instance as Judged
from boundcheck.language.judge import meets, written_out
from boundcheck.language.symbols import T
from boundcheck.worst_case.instance import (
    MOST,
    Fields,
    Wide,
    certify,
    is_spectral_norm_within,
    matrix_text,
)

S = TypeVar("S")
M = TypeVar("M")

_BITS = 256
# A letter that looks like no other.
_LETTER = re.compile(r"[A-Za-z][A-Za-z0-9_]*'*")
# Words about functions, paths and chance, for which an assignment has no values.
_OF_FUNCTIONS = (words.Gradient, words.Hessian, words.PartialGradient, words.Value)
_BEYOND = (*_OF_FUNCTIONS, words.Iterate, words.Expectation, words.MinimumOver, sp.Sum)
# The largest side that is a letter, and the most steps of `Cost` in an evaluation, which take some
# ten seconds.
_MOST_SIDES = 4096
_MOST_STEPS = 2**24
# What letters may be told to be, the narrower first.
_SIGNS = {"positive": sp.Gt, "nonnegative": sp.Ge}


def is_relation(claim: Claim) -> bool:
    """True if the claim is about matrices and numbers alone."""
    return not conclusion_of(claim).has(*_BEYOND)


def conclusion_of(claim: Claim) -> Any:
    """A claim's relation with the quantities' formulas in it; raises InputError if SymPy cannot
    compare them.
    """
    return written_out(claim, claim.conclusion)


@dataclass(frozen=True)
class Letters:
    """The free letters of a claim: its matrices, its numbers, and the symbols in the shapes of its
    matrices.
    """

    matrices: tuple[sp.MatrixSymbol, ...]
    numbers: tuple[sp.Symbol, ...]
    sides: tuple[sp.Symbol, ...]

    @classmethod
    def of(cls, claim: Claim) -> Letters:
        """The letters of all relations; raises InputError if one is not about matrices and numbers
        alone.
        """
        relations = [conclusion_of(claim), *given_relations(claim)]
        for relation in relations:
            if relation.has(*_BEYOND):
                raise InputError("claim", claim.id, "a claim about matrices and numbers alone")
            if any(
                isinstance(side, MatrixExpr)
                for part in parts(relation)
                for side in (part.left, part.right)
            ):
                raise InputError(
                    "claim", claim.id, "relations between numbers, such as norms of matrices"
                )
        nodes = [node for relation in relations for node in sp.preorder_traversal(relation)]
        matrices = sorted({x for x in nodes if isinstance(x, sp.MatrixSymbol)}, key=str)
        shapes = [side for x in nodes if isinstance(x, MatrixExpr) for side in x.shape]
        sides = sorted({y for side in shapes for y in side.free_symbols}, key=str)
        symbols = set().union(*(x.free_symbols for x in relations)) - {*matrices, *sides}
        names = [x.name for x in (*matrices, *sides, *symbols)]
        for name in names:
            if not _LETTER.fullmatch(name):
                raise InputError(
                    "claim",
                    claim.id,
                    f"letters of ASCII letters, digits, _ and primes, not {name!a}",
                )
            if names.count(name) > 1:
                raise InputError(
                    "claim",
                    claim.id,
                    f"one letter called {name}: two differ in shape or assumptions",
                )
        return cls(tuple(matrices), tuple(sorted(symbols, key=str)), tuple(sides))


def given_relations(claim: Claim) -> list[Any]:
    """The relations of a claim's hypotheses and conditions, with the quantities' formulas in
    them.
    """
    said = (*(written_out(each, each.conclusion) for each in claim.hypotheses), *claim.conditions)
    return [written_out(claim, each) for each in said]


@dataclass(frozen=True)
class Assignment(Judged):
    """A claim about matrices and numbers, and a value for each of its letters, in exact floats.

    Attributes:
        claim: the claim that is tried.
        matrices: by the letter's name.
        numbers: by the letter's name; for a symbol in a shape, the side.

    """

    claim: Claim
    matrices: Mapping[str, np.ndarray]
    numbers: Mapping[str, float]

    @cached_property
    def letters(self) -> Letters:
        return Letters.of(self.claim)

    def check(self) -> None:
        """Raise an InputError that names the letter, for a missing letter and for shapes that do
        not fit.
        """
        for X in self.letters.matrices:
            if X.name not in self.matrices:
                raise InputError(f"matrices.{X.name}", "(not given)", "a matrix")
            shape = tuple(int(sp.sympify(side, strict=True).subs(self._sides)) for side in X.shape)
            if self.matrices[X.name].shape != shape:
                raise InputError(
                    f"matrices.{X.name}",
                    f"of shape {self.matrices[X.name].shape}",
                    f"shape {shape}",
                )
        for x in (*self.letters.numbers, *self.letters.sides):
            value = self.numbers.get(x.name)
            if (
                value is None
                or (x in self.letters.sides and value != int(value))
                or not _is_one(x, value)
            ):
                kind = "integer" if x.is_integer or x in self.letters.sides else "number"
                sign = next((each for each in _SIGNS if getattr(x, f"is_{each}")), "")
                raise InputError(f"numbers.{x.name}", value, f"a {sign} {kind}".replace("  ", " "))
        cost = Cost()
        shapes = {name: (len(X), X.shape[1]) for name, X in self.matrices.items()}
        model: Model[None, Shape] = self.model(cost, shapes, dict.fromkeys(self.numbers))
        for relation in (conclusion_of(self.claim), *given_relations(self.claim)):
            try:
                for left, right, _ in parts(relation):
                    model.number(left), model.number(right)
            except (KeyError, TypeError, ValueError):
                raise InputError(
                    "claim",
                    relation,
                    "a relation whose sides are numbers, of sums and products of matrices that fit",
                ) from None
        if cost.steps > _MOST_STEPS:
            raise InputError(
                "claim",
                f"{self.claim.id}, with {cost.steps} steps",
                f"relations and matrices that take at most {_MOST_STEPS} steps to evaluate",
            )

    @cached_property
    def _sides(self) -> dict[sp.Symbol, int]:
        missing = next(
            (x for x in self.letters.sides if not 1 <= self.numbers.get(x.name, 0) <= _MOST_SIDES),
            None,
        )
        if missing is not None:
            raise InputError(
                f"numbers.{missing}",
                self.numbers.get(missing.name),
                f"a side from 1 to {_MOST_SIDES}",
            )
        return {x: int(self.numbers[x.name]) for x in self.letters.sides}

    def is_inside(self) -> bool:
        """True if everything given certainly holds; floats decide the clear cases."""
        model = self._rounded()
        compared = [
            Comparison(model.number(part.left), model.number(part.right), part.strict)
            for each in given_relations(self.claim)
            for part in parts(each)
        ]
        if any(each.fails for each in compared) or self.on_domain() != HOLDS:
            return False
        return all(each.holds for each in compared) or meets(self, self.claim).holds

    def _rounded(self) -> Model[Approx, ApproxMatrix]:
        do = Rounded(torch.float64, "cpu")
        tensors = {name: do.exact(torch.as_tensor(X)) for name, X in self.matrices.items()}
        return self.model(do, tensors, {name: Approx(x, 0.0) for name, x in self.numbers.items()})

    def compare(self) -> Comparison:
        """Both sides of the tightest inequality of the claim, with their rounding errors."""
        model = self._rounded()
        said = parts(conclusion_of(self.claim))
        found = [Comparison(model.number(x), model.number(y), strict) for x, y, strict in said]
        # Uncertain inequalities come first; NaN, from an overflow, is uncertain.
        return max(
            found, key=lambda each: (not each.holds, -1.0 if math.isnan(each.ratio) else each.ratio)
        )

    @cached_property
    def _balls(self) -> Model[arb, arb_mat]:
        numbers = {name: ball_of(Fraction(x)) for name, x in self.numbers.items()}
        return self.model(
            Balls(), {name: matrix_of(X) for name, X in self.matrices.items()}, numbers
        )

    def decide(self, relation: sp.Basic) -> Answer:
        """Decide in Arb balls, and exactly where these cannot tell the norm of a matrix from a
        rational number.
        """
        answer = HOLDS
        with ctx.workprec(_BITS):
            for part in parts(written_out(self.claim, relation)):
                found = compared(
                    part, self._balls.number(part.left), self._balls.number(part.right)
                )
                tied = (
                    not part.strict
                    and found.verdict == "open"
                    and self._is_tie_within(part.left, part.right)
                )
                answer &= HOLDS if tied else found
        return answer

    def defines(self, quantity: Quantity) -> Answer:
        """The answer to whether a formula has the sign of its letter, and so can stand for it."""
        signs = (each for each in _SIGNS if getattr(quantity.symbol, f"is_{each}"))
        relation = next(
            (_SIGNS[each](quantity.expression, 0, evaluate=False) for each in signs), None
        )
        return HOLDS if relation is None else self.decide(relation)

    def on_domain(self) -> Answer:
        """`HOLDS` if each number is one that its letter may stand for: its assumptions are a part
        of the claim.
        """
        letters = (*self.letters.numbers, *self.letters.sides)
        wrong = next((x for x in letters if not _is_one(x, self.numbers[x.name])), None)
        return (
            HOLDS
            if wrong is None
            else Answer("fails", f"{wrong} is no {self.numbers[wrong.name]:g}")
        )

    def sides(self) -> tuple[float, bool]:
        """A lower bound on measured over bound, 0 if none is certain; and whether an inequality
        certainly fails.
        """
        least = 0.0
        exceeds = False
        with ctx.workprec(_BITS):
            for left, right, strict in parts(conclusion_of(self.claim)):
                x = self._balls.number(left)
                y = self._balls.number(right)
                exceeds |= bool(x >= y if strict else x > y)
                # Of two negative numbers the larger one is nearer to 0.
                over, under = (x, y) if y > 0 else (y, x)
                if y > 0 or (x < 0 and y < 0):
                    ratio = over / under
                    least = max(least, lower(ratio) if ratio.is_finite() else 0.0)
                elif x > y:
                    least = math.inf
        return least, exceeds

    def _is_tie_within(self, left: Any, right: Any) -> bool:
        """True if the norm of a matrix is at most a rational number, decided exactly where balls
        cannot tell.
        """
        X = left.args[0] if isinstance(left, words.FrobeniusNorm | words.SpectralNorm) else None
        X = X.arg if isinstance(X, sp.Transpose) else X
        if not isinstance(X, sp.MatrixSymbol) or right.atoms(sp.MatrixSymbol):
            return False
        exact = {x: sp.Rational(self.numbers[x.name]) for x in right.free_symbols}
        radius = right.subs(exact)
        rows = self.matrices[X.name]
        if not isinstance(radius, sp.Rational) or radius < 0:
            return False
        limit = fraction(radius)
        if isinstance(left, words.FrobeniusNorm):
            return sum((Fraction(x) ** 2 for x in rows.flat), Fraction(0)) <= limit**2
        return is_spectral_norm_within(rows, limit)

    def model(
        self, do: Arithmetic[S, M], matrices: Mapping[str, M], numbers: Mapping[str, S]
    ) -> Model[S, M]:
        """The values of the letters in an arithmetic, by their names."""
        letters = self.letters
        return Model(
            do,
            {x: numbers[x.name] for x in (*letters.numbers, *letters.sides)},
            {X: (matrices[X.name],) for X in letters.matrices},
            sides=self._sides,
            horizon=int(self.numbers.get(T.name, 1)),
        )

    def as_json(self) -> dict[str, Any]:
        """Plain data, from which `from_json` makes the same assignment."""
        matrices = {name: X.tolist() for name, X in self.matrices.items()}
        return {
            "kind": "relation",
            "claim": self.claim.id,
            "digest": self.claim.digest,
            "matrices": matrices,
            "numbers": dict(self.numbers),
        }

    @classmethod
    def from_json(cls, data: Any, claim: Claim) -> Assignment:
        """The assignment that `as_json` wrote; raises InputError that names the field that is
        wrong.
        """
        found = Fields(data, "instance")
        matrices = found.table("matrices")
        numbers = found.table("numbers")
        letters = Letters.of(claim)
        made = cls(
            claim,
            {X.name: matrices.matrix(X.name) for X in letters.matrices},
            {x.name: numbers.get(x.name, Wide) for x in (*letters.numbers, *letters.sides)},
        )
        made.check()
        return made

    @property
    def title(self) -> str:
        return (
            ", ".join(f"{name} of shape {X.shape}" for name, X in sorted(self.matrices.items()))
            or "numbers alone"
        )

    def __str__(self) -> str:
        numbers = [f"{name} = {x:.6g}" for name, x in sorted(self.numbers.items())]
        return "\n".join(
            [*numbers, *(f"{name} = {matrix_text(X)}" for name, X in sorted(self.matrices.items()))]
        )


def _is_one(letter: sp.Symbol, value: float) -> bool:
    """True if a letter may stand for a number: the number has all that SymPy is told of the
    letter.
    """
    try:
        number = sp.Rational(Fraction(value))
    except (ValueError, OverflowError):
        return False
    return all(
        getattr(number, f"is_{name}") is known for name, known in letter.assumptions0.items()
    )


# Ascent.

# The most climbs for each inequality of a claim, climbs from equal shapes, and steps of a climb.
_CLIMBS = 6
_ALIKE = 2
_STEPS = 60
# The most numbers that one climb changes: more numbers make its steps slower, and small matrices
# say the most.
_MOST_NUMBERS = 128
# How far a start is moved at random: a drawn start is often a saddle, or a corner where norms have
# no gradient.
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


def moved(part: AtMost) -> Sides:
    """Both sides, with each term that has a minus sign moved to the other side, so that E <= 0 has
    a ratio too.
    """
    terms = [*sp.Add.make_args(part.left), *(-term for term in sp.Add.make_args(part.right))]
    negative = [term for term in terms if term.could_extract_minus_sign()]
    positive = [term for term in terms if not term.could_extract_minus_sign()]
    return sp.Add(*positive), -sp.Add(*negative)


def climbed(tried: Sequence[Assignment]) -> Iterator[Assignment]:
    """The ends of ascents from the best assignments; for each inequality, those with small matrices
    come first.

    Args:
        tried: assignments of one claim that satisfy everything given; the ends satisfy it too.

    """
    relations = given_relations(tried[0].claim) if tried else []
    # A given equation certainly holds at few floats only, and an ascent would leave them.
    if not tried or any(each.has(sp.Equality) for each in relations):
        return
    random = np.random.default_rng(0)
    given = [moved(part) for each in relations for part in parts(each)]
    spaces = [space for each in tried if 0 < (space := Space(each)).start.size <= _MOST_NUMBERS]
    for sides in map(moved, parts(conclusion_of(tried[0].claim))):
        # Assignments that differ only in scale have the same ratio up to rounding.
        rated = [(round(space.rise(sides, space.start)[0], 6), space) for space in spaces]
        chosen: list[Space] = []
        taken: dict[tuple[Any, ...], set[float]] = {}
        for value, space in sorted(rated, key=lambda item: item[0], reverse=True):
            shapes = tuple((name, X.shape) for name, X in sorted(space.origin.matrices.items()))
            values = taken.setdefault(shapes, set())
            if len(chosen) < _CLIMBS and len(values) < _ALIKE and value not in values:
                values.add(value)
                chosen.append(space)
        for space in sorted(chosen, key=lambda space: space.start.size):
            if (end := space.end(sides, given, random)) is not None:
                yield end


class Space:
    """The variable part of an assignment as one vector: the entries of its matrices, and its
    numbers.

    The unit of entries is the largest of their matrix; positive numbers enter by their logarithm. A
    matrix of 0, a number that is 0 and may not be negative, integers and sides stay as they are.
    """

    def __init__(self, origin: Assignment) -> None:
        self.origin = origin
        self.units = {
            name: float(np.abs(X).max()) for name, X in origin.matrices.items() if X.any()
        }
        known = origin.numbers
        letters = origin.letters.numbers
        free = [
            x for x in letters if not x.is_integer and (known[x.name] > 0 or not x.is_nonnegative)
        ]
        # The numbers that change, each with True if it changes by its logarithm.
        self.by_log = {x.name: bool(x.is_nonnegative) for x in free}
        entries = [(origin.matrices[name] / unit).ravel() for name, unit in self.units.items()]
        numbers = [
            math.log(known[name]) if by_log else known[name] for name, by_log in self.by_log.items()
        ]
        self.start = np.concatenate([*entries, np.array(numbers, dtype=np.float64)])

    def letters(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The matrices and numbers at a vector."""
        matrices = {name: torch.as_tensor(X) for name, X in self.origin.matrices.items()}
        numbers = {
            name: torch.tensor(y, dtype=torch.float64) for name, y in self.origin.numbers.items()
        }
        *entries, rest = torch.split(
            x, [*(matrices[name].numel() for name in self.units), len(self.by_log)]
        )
        for (name, unit), part in zip(self.units.items(), entries, strict=True):
            matrices[name] = unit * part.view(matrices[name].shape)
        for (name, by_log), y in zip(self.by_log.items(), rest, strict=True):
            numbers[name] = y.exp() if by_log else y
        return matrices, numbers

    def rise(self, sides: Sides, at: np.ndarray) -> tuple[float, np.ndarray]:
        """The logarithm of left over right at a vector, and its gradient; minus infinity if there
        is no ratio.
        """
        with torch.enable_grad():
            x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
            model = self.origin.model(Graded(), *self.letters(x))
            left, right = (model.number(side) for side in sides)
            if left > 0 and right > 0:
                value = left.log() - right.log()
            elif left < 0 and right < 0:
                value = (-right).log() - (-left).log()
            else:
                value = torch.full_like(left, math.inf if left > right else math.nan)
            if math.isnan(value.item()):
                return -math.inf, np.zeros_like(at)
            (slope,) = (
                torch.autograd.grad(value, x, materialize_grads=True)
                if value.requires_grad
                else (0 * x,)
            )
        return value.item(), np.nan_to_num(slope.detach().numpy(), posinf=0.0, neginf=0.0)

    def at(self, x: np.ndarray) -> Assignment | None:
        """The assignment at a vector; None if a number is too large for files."""
        matrices, numbers = self.letters(torch.as_tensor(x, dtype=torch.float64))
        arrays = {name: X.numpy() for name, X in matrices.items()}
        if not all(np.abs(X).max() <= MOST for X in arrays.values()):
            return None
        return replace(
            self.origin,
            matrices=arrays,
            numbers={name: float(value) for name, value in numbers.items()},
        )

    def end(
        self, sides: Sides, given: list[Sides], random: np.random.Generator
    ) -> Assignment | None:
        """The end of the ascent, or a point a little before it, inside the given relations; None if
        there is none.
        """
        start = self.start

        def cost(x: np.ndarray) -> tuple[float, np.ndarray]:
            value, slope = self.rise(sides, x)
            # Flat beyond `_ENOUGH`: the search is over. A point without a ratio is a wall.
            return (min(-value, _WALL), -slope) if value < _ENOUGH else (-_ENOUGH, 0 * slope)

        @cache
        def within(at: bytes) -> tuple[np.ndarray, np.ndarray]:
            rises = [self.rise(each, np.frombuffer(at)) for each in given]
            values = [max(min(-value - _MARGIN, _WALL), -_WALL) for value, _ in rises]
            return np.array(values), -np.array([slope for _, slope in rises])

        # SciPy asks for the values and for the slopes at the same place.
        values, slopes = (lambda x: within(x.tobytes())[0]), (lambda x: within(x.tobytes())[1])
        found = minimize(
            cost,
            start + _SHAKEN * random.normal(size=start.shape),
            jac=True,
            method="SLSQP" if given else "L-BFGS-B",
            bounds=Bounds(start - _REACH, start + _REACH),
            constraints=[{"type": "ineq", "fun": values, "jac": slopes}] if given else [],
            options={"maxiter": _STEPS},
        )
        ends = (
            self.at(found.x + share * (start - found.x))
            for share in (_BACK if given else _BACK[:1])
        )
        return next((end for end in ends if end is not None and end.is_inside()), None)


# A simpler assignment.

# The most assignments to judge.
_PATIENCE = 400


def simplified(found: Assignment) -> Assignment:
    """The simplest assignment that greedy steps reach from one that breaks its claim; Arb judges
    each step.
    """
    judged = 0
    changed = True
    while changed:
        changed = False
        for other in _simpler(found):
            if judged == _PATIENCE:
                return found
            judged += 1
            if certify(other).violated:
                found = other
                changed = True
                break
    return found


def _simpler(found: Assignment) -> Iterator[Assignment]:
    """Assignments that are one step simpler, the largest step first; no step undoes another."""
    for side in found.letters.sides:
        for i in range(int(found.numbers[side.name])) if found.numbers[side.name] > 1 else ():
            matrices = dict(found.matrices)
            for X in found.letters.matrices:
                for axis in (0, 1):
                    if X.shape[axis] == side:
                        matrices[X.name] = np.delete(matrices[X.name], i, axis)
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


def _digits(x: float) -> int:
    """The length of a number as it is written; 0 for the number 1, which counts as the shortest."""
    return 0 if x == 1 else len(repr(float(x)))
