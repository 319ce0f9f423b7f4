"""What an expression of the vocabulary is worth in a `Model`: one walk, in whatever arithmetic the model's numbers are.

A model says what the letters are: numbers for symbols, matrices for matrix symbols and iterates, values and gradients
of functions. A vector v = (A, B) is a tuple of its blocks, a matrix one block alone. `balls` has an arithmetic that
decides, `boundcheck.problems.rounded` one that is fast.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.claims.symbols import T
from boundcheck.claims.vocabulary import (
    EuclideanNorm,
    Expectation,
    FrobeniusNorm,
    Gradient,
    InnerProduct,
    Iterate,
    MatrixExpectation,
    MinimumOver,
    PartialGradient,
    SpectralNorm,
    Value,
    t,
)

S = TypeVar("S")
M = TypeVar("M")


class Arithmetic(Protocol[S, M]):
    """Numbers S and matrices M, and what may be done with them."""

    def rational(self, x: Fraction) -> S:
        """An exact number."""

    def add(self, x: S, y: S) -> S:
        """The sum."""

    def times(self, x: S, y: S) -> S:
        """The product."""

    def power(self, x: S, exponent: Fraction) -> S:
        """A rational power."""

    def exp(self, x: S) -> S:
        """The exponential."""

    def log(self, x: S) -> S:
        """The natural logarithm; no number where x may be 0 or less."""

    def larger(self, x: S, y: S) -> S:
        """The larger of two."""

    def smaller(self, x: S, y: S) -> S:
        """The smaller of two."""

    def plus(self, X: M, Y: M) -> M:
        """The sum of two matrices."""

    def product(self, X: M, Y: M) -> M:
        """The product of two matrices."""

    def entrywise(self, X: M, Y: M) -> M:
        """The Hadamard product of two matrices."""

    def scaled(self, c: S, X: M) -> M:
        """A matrix times a number."""

    def transposed(self, X: M) -> M:
        """The transpose."""

    def constant(self, diagonal: int, rows: int, columns: int) -> M:
        """The matrix with this number on its diagonal and 0 elsewhere."""

    def inner(self, x: tuple[M, ...], y: tuple[M, ...]) -> S:
        """The sum over blocks of tr(X^T Y)."""

    def length(self, x: tuple[M, ...]) -> S:
        """The root of the sum of all squared entries."""

    def spectral(self, X: M) -> S:
        """The largest singular value."""


class Function(NamedTuple):
    """A differentiable function of a vector: its value, and its gradient in the same blocks."""

    value: Callable[[tuple[Any, ...]], Any]
    gradient: Callable[[tuple[Any, ...]], tuple[Any, ...]]


@dataclass(frozen=True)
class Model(Generic[S, M]):
    """What the letters of an expression stand for.

    Attributes:
        arithmetic: of the numbers and matrices below.
        numbers: for each symbol.
        matrices: for each matrix symbol its blocks.
        iterates: the blocks of an iterate by its name, at a time and in an outcome.
        functions: f and F, by their symbols.
        blocks: which block of the vectors a matrix symbol stands for, in partial gradients.
        sides: the number that a symbol in a shape stands for.
        horizon: T.
        weights: the probability of each outcome; they add up to 1.
        past: for a time the label of each outcome's past; outcomes with the same label look alike then.

    """

    arithmetic: Arithmetic[S, M]
    numbers: Mapping[sp.Symbol, S] = field(default_factory=dict)
    matrices: Mapping[sp.MatrixSymbol, tuple[M, ...]] = field(default_factory=dict)
    iterates: Callable[[str, int, int], tuple[M, ...]] | None = None
    functions: Mapping[sp.Symbol, Function] = field(default_factory=dict)
    blocks: Mapping[sp.MatrixSymbol, int] = field(default_factory=dict)
    sides: Mapping[sp.Symbol, int] = field(default_factory=dict)
    horizon: int = 1
    weights: Sequence[Fraction] = (Fraction(1),)
    past: Callable[[int], Sequence[int]] = lambda _: (0,)

    def number(self, node: sp.Expr, time: int = 1, outcome: int = 0) -> S:
        """The value of a scalar expression.

        Raises:
            TypeError: for a node that has no value here.
            KeyError: for a letter that the model does not know.

        """
        return _Walk(self, time, outcome).number(node)

    def vector(self, node: Any, time: int = 1, outcome: int = 0) -> tuple[M, ...]:
        """The blocks of a matrix or vector expression; raises as `number`."""
        return _Walk(self, time, outcome).vector(node)


class _Walk(NamedTuple):
    """The walk at one time and in one outcome."""

    model: Model[Any, Any]
    time: int
    outcome: int

    def number(self, node: Any) -> Any:
        do = self.model.arithmetic
        match node:
            case sp.Rational() | sp.Float():
                # A float is its binary value.
                exact = sp.Rational(node)
                return do.rational(Fraction(int(exact.p), int(exact.q)))
            case sp.Symbol() if node in self.model.numbers:
                return self.model.numbers[node]
            case sp.Symbol() if node in (T, t):
                return do.rational(Fraction(self.model.horizon if node == T else self.time))
            case sp.Add():
                return reduce(do.add, map(self.number, node.args))
            case sp.Mul():
                return reduce(do.times, map(self.number, node.args))
            case sp.Pow(exp=sp.Rational()):
                return do.power(self.number(node.base), Fraction(int(node.exp.p), int(node.exp.q)))
            case sp.Pow():
                return do.exp(do.times(self.number(node.exp), do.log(self.number(node.base))))
            case sp.exp():
                return do.exp(self.number(node.args[0]))
            case sp.log(args=(x,)):
                return do.log(self.number(x))
            case sp.Max():
                return reduce(do.larger, map(self.number, node.args))
            case sp.Min():
                return reduce(do.smaller, map(self.number, node.args))
            case sp.Abs():
                x = self.number(node.args[0])
                return do.larger(x, do.times(do.rational(Fraction(-1)), x))
            case FrobeniusNorm() | EuclideanNorm():
                return do.length(self.vector(node.args[0]))
            case SpectralNorm():
                return do.spectral(self.matrix(node.args[0]))
            case InnerProduct():
                return do.inner(*map(self.vector, node.args))
            case sp.Trace():
                X = self.matrix(node.arg)
                rows, columns = map(self.side, node.arg.shape)
                return do.inner((X,), (do.constant(1, rows, columns),))
            case Value():
                return self.model.functions[node.args[0]].value(self.vector(node.args[1]))
            case _:
                return self._over_time(node)

    def _over_time(self, node: Any) -> Any:
        do = self.model.arithmetic
        match node:
            case Expectation():
                shares = self._shares(node.args[1:])
                terms = [do.times(do.rational(p), self.at(outcome=i).number(node.args[0])) for i, p in shares]
                return reduce(do.add, terms)
            case MinimumOver():
                expression, index, first, last = node.args
                return reduce(do.smaller, self._each(expression, index, first, last))
            case sp.Sum():
                (index, first, last) = node.limits[0]
                return reduce(do.add, self._each(node.function, index, first, last))
        raise TypeError(f"no value for {node}")

    def vector(self, node: Any) -> tuple[Any, ...]:
        do = self.model.arithmetic
        match node:
            case sp.MatrixSymbol():
                return self.model.matrices[node]
            case Iterate():
                if self.model.iterates is None:
                    raise KeyError(str(node.args[0]))
                return self.model.iterates(str(node.args[0]), self.when(node.args[1]), self.outcome)
            case Gradient():
                return self.model.functions[node.args[0]].gradient(self.vector(node.args[1]))
            case PartialGradient():
                blocks = self.model.functions[node.args[0]].gradient(self.vector(node.args[1]))
                return (blocks[self.model.blocks[node.args[2]]],)
            case MatrixExpectation():
                shares = self._shares(node.args[1:])
                parts = [_scaled(do, do.rational(p), self.at(outcome=i).vector(node.args[0])) for i, p in shares]
                return reduce(lambda x, y: _plus(do, x, y), parts)
            case sp.MatAdd():
                return reduce(lambda x, y: _plus(do, x, y), map(self.vector, node.args))
            case sp.MatMul():
                return self._product(node)
            case sp.Transpose():
                return (do.transposed(self.matrix(node.arg)),)
            case sp.MatPow(exp=sp.Integer()) if node.exp > 0:
                return (reduce(do.product, [self.matrix(node.base)] * int(node.exp)),)
            case sp.HadamardProduct():
                return (reduce(do.entrywise, map(self.matrix, node.args)),)
            case sp.ZeroMatrix() | sp.Identity():
                return (do.constant(int(isinstance(node, sp.Identity)), *map(self.side, node.shape)),)
        raise TypeError(f"no value for {node}")

    def _product(self, node: sp.MatMul) -> tuple[Any, ...]:
        do = self.model.arithmetic
        factors = [x for x in node.args if not isinstance(x, MatrixExpr)]
        first, *rest = (x for x in node.args if isinstance(x, MatrixExpr))
        # A vector of several blocks may be scaled, not multiplied.
        blocks = (reduce(do.product, map(self.matrix, rest), self.matrix(first)),) if rest else self.vector(first)
        return _scaled(do, reduce(do.times, map(self.number, factors)), blocks) if factors else blocks

    def matrix(self, node: Any) -> Any:
        blocks = self.vector(node)
        if len(blocks) != 1:
            raise TypeError(f"{node} has {len(blocks)} blocks, and is no matrix")
        return blocks[0]

    def at(self, time: int | None = None, outcome: int | None = None) -> "_Walk":
        return _Walk(self.model, self.time if time is None else time, self.outcome if outcome is None else outcome)

    def when(self, index: Any) -> int:
        return int(sp.sympify(index, strict=True).subs({t: self.time, T: self.model.horizon}))

    def side(self, size: Any) -> int:
        return int(sp.sympify(size, strict=True).subs(self.model.sides))

    def _each(self, expression: Any, index: sp.Symbol, first: Any, last: Any) -> list[Any]:
        if index != t:
            raise TypeError(f"no value for an index {index}: expected {t}")
        return [self.at(time=i).number(expression) for i in range(self.when(first), self.when(last) + 1)]

    def _shares(self, given: tuple[Any, ...]) -> list[tuple[int, Fraction]]:
        """The outcomes that look like this one when `given`, an iterate, is known, with their probabilities."""
        weights = self.model.weights
        labels = self.model.past(self.when(given[0].args[1])) if given else (0,) * len(weights)
        alike = [i for i, label in enumerate(labels) if label == labels[self.outcome]]
        total = sum((weights[i] for i in alike), Fraction(0))
        return [(i, weights[i] / total) for i in alike]


def _plus(do: Arithmetic[S, M], x: tuple[M, ...], y: tuple[M, ...]) -> tuple[M, ...]:
    return tuple(do.plus(X, Y) for X, Y in zip(x, y, strict=True))


def _scaled(do: Arithmetic[S, M], c: S, x: tuple[M, ...]) -> tuple[M, ...]:
    return tuple(do.scaled(c, X) for X in x)
