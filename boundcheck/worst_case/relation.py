"""`Assignment`: matrices and numbers for the letters of an inequality, and both of its sides there.

Claims about norms of matrices alone, such as ‖XY‖_F ≤ ‖X‖_op‖Y‖_F, are tried on it: no loss, no adapter.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import sympy as sp
import torch
from flint import arb, arb_mat, ctx
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.errors import InputError
from boundcheck.exact.balls import Balls, ball_of, lower, matrix_of
from boundcheck.exact.evaluate import Arithmetic, Cost, Model, Shape
from boundcheck.exact.floats import Approx, ApproxMatrix, Comparison, Rounded
from boundcheck.functions.judged import compared, parts
from boundcheck.language.claim import Claim, Quantity
from boundcheck.language.exchange import expression_as_json
from boundcheck.language.instance import HOLDS, Answer
from boundcheck.language.instance import Instance as Judged
from boundcheck.language.judge import meets, written_out
from boundcheck.language.symbols import T
from boundcheck.language.vocabulary import (
    Expectation,
    FrobeniusNorm,
    Gradient,
    Hessian,
    Iterate,
    MinimumOver,
    PartialGradient,
    SpectralNorm,
    Value,
)
from boundcheck.worst_case.certify import Sides, sides
from boundcheck.worst_case.domain import is_spectral_norm_within
from boundcheck.worst_case.fields import MOST, Fields, matrix_text, named

S = TypeVar("S")
M = TypeVar("M")

_BITS = 256
# Words about functions, paths and chance, for which an assignment has no values.
_BEYOND = (Gradient, Hessian, PartialGradient, Value, Iterate, Expectation, MinimumOver, sp.Sum)
# The largest side that is a letter, and the most steps of `Cost` in an evaluation, which take some ten seconds.
_MOST_SIDES, _MOST_STEPS = 4096, 2**24


def is_relation(claim: Claim) -> bool:
    """True if the claim is about matrices and numbers alone."""
    return not conclusion_of(claim).has(*_BEYOND)


def conclusion_of(claim: Claim) -> Any:
    """A claim's relation with the quantities' formulas in it; raises InputError if SymPy cannot compare them."""
    return written_out(claim, claim.conclusion)


@dataclass(frozen=True)
class Letters:
    """The free letters of a claim: its matrices, its numbers, and the symbols in the shapes of its matrices."""

    matrices: tuple[sp.MatrixSymbol, ...]
    numbers: tuple[sp.Symbol, ...]
    sides: tuple[sp.Symbol, ...]

    @classmethod
    def of(cls, claim: Claim) -> "Letters":
        """The letters of all relations; raises InputError if one is not about matrices and numbers alone."""
        relations = [conclusion_of(claim), *given_relations(claim)]
        for relation in relations:
            _check_relation(claim, relation)
        nodes = [node for relation in relations for node in sp.preorder_traversal(relation)]
        matrices = sorted({x for x in nodes if isinstance(x, sp.MatrixSymbol)}, key=str)
        shapes = [side for x in nodes if isinstance(x, MatrixExpr) for side in x.shape]
        sides = sorted({y for side in shapes for y in side.free_symbols}, key=str)
        symbols = set().union(*(x.free_symbols for x in relations)) - {*matrices, *sides}
        names = [x.name for x in (*matrices, *sides, *symbols)]
        for name in names:
            if names.count(name) > 1:
                raise InputError("claim", claim.id, f"one letter called {name}: two differ in shape or assumptions")
        return cls(tuple(matrices), tuple(sorted(symbols, key=str)), tuple(sides))


def _check_relation(claim: Claim, relation: Any) -> None:
    if relation.has(*_BEYOND):
        raise InputError("claim", claim.id, "a claim about matrices and numbers alone")
    for left, right, _ in parts(relation):
        if isinstance(left, MatrixExpr) or isinstance(right, MatrixExpr):
            raise InputError("claim", claim.id, "relations between numbers, such as norms of matrices")
    try:
        expression_as_json(relation)
    except TypeError as error:
        raise InputError("claim", claim.id, f"an expression over the vocabulary, of plain symbols ({error})") from None


def given_relations(claim: Claim) -> list[Any]:
    """The relations of a claim's hypotheses and conditions, with the quantities' formulas in them."""
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
        """Raise an InputError that names the letter, for a missing letter and for shapes that do not fit."""
        for X in self.letters.matrices:
            if X.name not in self.matrices:
                raise InputError(f"matrices.{X.name}", "(not given)", "a matrix")
            shape = tuple(int(sp.sympify(side, strict=True).subs(self._sides)) for side in X.shape)
            if self.matrices[X.name].shape != shape:
                raise InputError(f"matrices.{X.name}", f"of shape {self.matrices[X.name].shape}", f"shape {shape}")
        for x in (*self.letters.numbers, *self.letters.sides):
            value = self.numbers.get(x.name)
            if value is None or (x in self.letters.sides and value != int(value)) or not _is_one(x, value):
                kind = "integer" if x.is_integer or x in self.letters.sides else "number"
                sign = next((each for each in _SIGNS if getattr(x, f"is_{each}")), "")
                raise InputError(f"numbers.{x.name}", value, f"a {sign} {kind}".replace("  ", " "))
        if (steps := self._steps()) > _MOST_STEPS:
            expected = f"relations and matrices that take at most {_MOST_STEPS} steps to evaluate"
            raise InputError("claim", f"{self.claim.id}, with {steps} steps", expected)

    def _steps(self) -> int:
        """The cost of evaluating all relations; raises InputError for one without a value."""
        cost = Cost()
        shapes = {name: (len(X), X.shape[1]) for name, X in self.matrices.items()}
        model: Model[None, Shape] = self.model(cost, shapes, dict.fromkeys(self.numbers))
        for relation in (conclusion_of(self.claim), *given_relations(self.claim)):
            try:
                for left, right, _ in parts(relation):
                    model.number(left), model.number(right)
            except (KeyError, TypeError, ValueError):
                expected = "a relation whose sides are numbers, of sums and products of matrices that fit"
                raise InputError("claim", relation, expected) from None
        return cost.steps

    @cached_property
    def _sides(self) -> dict[sp.Symbol, int]:
        missing = next((x for x in self.letters.sides if not 1 <= self.numbers.get(x.name, 0) <= _MOST_SIDES), None)
        if missing is not None:
            raise InputError(f"numbers.{missing}", self.numbers.get(missing.name), f"a side from 1 to {_MOST_SIDES}")
        return {x: int(self.numbers[x.name]) for x in self.letters.sides}

    def is_inside(self) -> bool:
        """True if everything given certainly holds; floats decide the clear cases."""
        model = self._rounded(torch.float64, "cpu")
        compared = [
            Comparison(model.number(part.left), model.number(part.right), part.strict)
            for each in given_relations(self.claim)
            for part in parts(each)
        ]
        if any(each.fails for each in compared) or self.on_domain() != HOLDS:
            return False
        return all(each.holds for each in compared) or meets(self, self.claim).holds

    def _rounded(self, dtype: torch.dtype, device: str) -> Model[Approx, ApproxMatrix]:
        do = Rounded(dtype, device)
        tensors = {name: do.exact(torch.as_tensor(X)) for name, X in self.matrices.items()}
        return self.model(do, tensors, {name: Approx(x, 0.0) for name, x in self.numbers.items()})

    def compare(self, dtype: torch.dtype = torch.float64, device: str = "cpu") -> Comparison:
        """Both sides of the tightest inequality of the claim, in this type and on this device."""
        model, said = self._rounded(dtype, device), parts(conclusion_of(self.claim))
        found = [Comparison(model.number(x), model.number(y), strict) for x, y, strict in said]
        # Uncertain inequalities come first; NaN, from an overflow, is uncertain.
        return max(found, key=lambda each: (not each.holds, -1.0 if math.isnan(each.ratio) else each.ratio))

    @property
    def measured(self) -> float:
        return self.compare().measured.value

    @property
    def bound(self) -> float:
        return self.compare().bound.value

    @property
    def ratio(self) -> float:
        """Measured over bound, in floats: only `certify` decides whether it is above 1."""
        return self.compare().ratio

    @cached_property
    def _balls(self) -> Model[arb, arb_mat]:
        numbers = {name: ball_of(Fraction(x)) for name, x in self.numbers.items()}
        return self.model(Balls(), {name: matrix_of(X) for name, X in self.matrices.items()}, numbers)

    def decide(self, relation: sp.Basic) -> Answer:
        """Decide in Arb balls, and exactly where these cannot tell the norm of a matrix from a rational number."""
        answer = HOLDS
        with ctx.workprec(_BITS):
            for part in parts(written_out(self.claim, relation)):
                found = compared(part, self._balls.number(part.left), self._balls.number(part.right))
                tied = not part.strict and found.verdict == "open" and self._is_tie_within(part.left, part.right)
                answer &= HOLDS if tied else found
        return answer

    def defines(self, quantity: Quantity) -> Answer:
        """The answer to whether a formula has the sign of its letter, and so can stand for it."""
        signs = (each for each in _SIGNS if getattr(quantity.symbol, f"is_{each}"))
        relation = next((_SIGNS[each](quantity.expression, 0, evaluate=False) for each in signs), None)
        return HOLDS if relation is None else self.decide(relation)

    def on_domain(self) -> Answer:
        """`HOLDS` if each number is one that its letter may stand for: its assumptions are a part of the claim."""
        letters = (*self.letters.numbers, *self.letters.sides)
        wrong = next((x for x in letters if not _is_one(x, self.numbers[x.name])), None)
        return HOLDS if wrong is None else Answer("fails", f"{wrong} is no {self.numbers[wrong.name]:g}")

    def sides(self) -> Sides:
        """Both sides of the claim in Arb balls."""
        with ctx.workprec(_BITS):
            found = [
                (self._balls.number(x), self._balls.number(y), strict)
                for x, y, strict in parts(conclusion_of(self.claim))
            ]
            exceeds = any(bool(x >= y if strict else x > y) for x, y, strict in found)
            return Sides(max(_sure_ratio(x, y) for x, y, _ in found), exceeds)

    def _is_tie_within(self, left: Any, right: Any) -> bool:
        """True if the norm of a matrix is at most a rational number, decided exactly where balls cannot tell."""
        X = left.args[0] if isinstance(left, FrobeniusNorm | SpectralNorm) else None
        X = X.arg if isinstance(X, sp.Transpose) else X
        if not isinstance(X, sp.MatrixSymbol) or right.atoms(sp.MatrixSymbol):
            return False
        exact = {x: sp.Rational(self.numbers[x.name]) for x in right.free_symbols}
        radius, rows = right.subs(exact), self.matrices[X.name]
        if not isinstance(radius, sp.Rational) or radius < 0:
            return False
        limit = Fraction(int(radius.p), int(radius.q))
        if isinstance(left, FrobeniusNorm):
            return sum((Fraction(x) ** 2 for x in rows.flat), Fraction(0)) <= limit**2
        return is_spectral_norm_within(rows, limit)

    def model(self, do: Arithmetic[S, M], matrices: Mapping[str, M], numbers: Mapping[str, S]) -> Model[S, M]:
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
        return {"kind": "relation", "claim": named(self.claim), "matrices": matrices, "numbers": dict(self.numbers)}

    @classmethod
    def from_json(cls, data: Any) -> "Assignment":
        """The assignment that `as_json` wrote; raises InputError that names the field that is wrong."""
        found = Fields(data, "instance")
        claim, matrices, numbers = found.claim(), found.table("matrices"), found.table("numbers")
        letters = Letters.of(claim)
        made = cls(
            claim,
            {X.name: matrices.matrix(X.name) for X in letters.matrices},
            {x.name: numbers.number(x.name, MOST**4) for x in (*letters.numbers, *letters.sides)},
        )
        made.check()
        return made

    @property
    def title(self) -> str:
        return ", ".join(f"{name} of shape {X.shape}" for name, X in sorted(self.matrices.items())) or "numbers alone"

    def __str__(self) -> str:
        numbers = [f"{name} = {x:.6g}" for name, x in sorted(self.numbers.items())]
        return "\n".join([*numbers, *(f"{name} = {matrix_text(X)}" for name, X in sorted(self.matrices.items()))])


# What letters may be told to be, the narrower first.
_SIGNS = {"positive": sp.Gt, "nonnegative": sp.Ge}


def _is_one(letter: sp.Symbol, value: float) -> bool:
    """True if a letter may stand for a number: the number has all that SymPy is told of the letter."""
    try:
        number = sp.Rational(Fraction(value))
    except (ValueError, OverflowError):
        return False
    return all(getattr(number, f"is_{name}") is known for name, known in letter.assumptions0.items())


sides.register(Assignment, Assignment.sides)


def _sure_ratio(x: arb, y: arb) -> float:
    """A lower bound on measured over bound; 0 if none is certain."""
    if y > 0:
        ratio = x / y
        return max(lower(ratio), 0.0) if ratio.is_finite() else 0.0
    if x < 0 and y < 0:
        ratio = y / x
        return max(lower(ratio), 0.0) if ratio.is_finite() else 0.0
    return math.inf if x > y else 0.0
