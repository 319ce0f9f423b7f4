"""The value of an expression in a `Model`: one walk, in whatever arithmetic the model's numbers
are.

A model gives the letters their values: numbers for symbols, matrices for matrix symbols and
iterates, values and gradients for functions. A vector v = (A, B) is a tuple of its blocks, a matrix
one block alone.

A node that is not SymPy's own says what its value is: a scalar by `number_at(place)`, a matrix by
`vector_at(place)`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, lru_cache, reduce
from itertools import permutations, product
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

S = TypeVar("S")
M = TypeVar("M")


class Arithmetic(Protocol[S, M]):
    """Numbers S and matrices M, and what may be done with them. A vector of several blocks is a
    tuple of matrices.

    `balls` decides, `rationals` is exact as long as it can be, `floats` has one that is fast and
    knows its errors, and one with derivatives; `Cost` counts. A logarithm is NaN where its number
    may be 0 or less.
    """

    def rational(self, x: Fraction, /) -> S: ...
    def add(self, x: S, y: S, /) -> S: ...
    def times(self, x: S, y: S, /) -> S: ...
    def power(self, x: S, exponent: Fraction, /) -> S: ...
    def exp(self, x: S, /) -> S: ...
    def log(self, x: S, /) -> S: ...
    def larger(self, x: S, y: S, /) -> S: ...
    def smaller(self, x: S, y: S, /) -> S: ...
    def plus(self, X: M, Y: M, /) -> M: ...
    def product(self, X: M, Y: M, /) -> M: ...
    def entrywise(self, X: M, Y: M, /) -> M: ...
    def scaled(self, c: S, X: M, /) -> M: ...
    def transposed(self, X: M, /) -> M: ...

    def constant(self, diagonal: int, rows: int, columns: int, /) -> M:
        """The matrix with this number on its diagonal and 0 elsewhere."""

    def inner(self, x: tuple[M, ...], y: tuple[M, ...], /) -> S:
        """The sum over blocks of tr(X^T Y)."""

    def length(self, x: tuple[M, ...], /) -> S:
        """The root of the sum of all squared entries."""

    def spectral(self, X: M, /) -> S:
        """The largest singular value."""


t, T = sp.symbols("t T", positive=True, integer=True)
# Roots of higher index are taken by logarithms, as powers of irrational exponent are.
_MOST_ROOTS = 2**16


def at_time(value: Any, time: sp.Expr | int) -> Any:
    """An expression or a relation with t replaced by this time."""
    return value.xreplace({t: sp.sympify(time, strict=True)})


class NoValueError(TypeError):
    """A node has no value in the model; the node is the only argument."""

    def __str__(self) -> str:
        return f"{self.args[0]} has no value"


class VectorFunction(NamedTuple):
    """A differentiable function of a vector: its value, and its gradient in the same blocks."""

    value: Callable[[tuple[Any, ...]], Any]
    gradient: Callable[[tuple[Any, ...]], tuple[Any, ...]]


@dataclass(frozen=True)
class Model(Generic[S, M]):
    """The values that the letters of an expression stand for.

    Attributes:
        arithmetic: of the numbers and matrices below.
        numbers: for each symbol.
        matrices: for each matrix symbol its blocks.
        iterates: the blocks of an iterate by its name, at a time and in an outcome.
        functions: f and F, by their symbols.
        blocks: which block of the vectors a matrix symbol stands for, in partial gradients.
        sides: the number that a symbol in a shape stands for.
        horizon: T; 0 where there are no times, and t and T have no value.
        weights: the probability of each outcome; they add up to 1.
        past: for a time the label of each outcome's past; outcomes with the same label look alike
            then.
        values: exact SymPy numbers of symbols that `numbers` leaves out; these may also be
            exponents.
        floats: whether a float in an expression is its binary value; if not, it has no value. SymPy
            rounds where it adds floats to rationals, so an expression whose sign is decided must be
            free of them.

    """

    arithmetic: Arithmetic[S, M]
    numbers: Mapping[sp.Symbol, S] = field(default_factory=dict)
    matrices: Mapping[sp.MatrixSymbol, tuple[M, ...]] = field(default_factory=dict)
    iterates: Callable[[str, int, int], tuple[M, ...]] | None = None
    functions: Mapping[sp.Symbol, VectorFunction] = field(default_factory=dict)
    blocks: Mapping[sp.MatrixSymbol, int] = field(default_factory=dict)
    sides: Mapping[sp.Symbol, int] = field(default_factory=dict)
    horizon: int = 1
    weights: Sequence[Fraction] = (Fraction(1),)
    past: Callable[[int], Sequence[int]] = lambda _: (0,)
    values: Mapping[sp.Symbol, sp.Expr] = field(default_factory=dict)
    floats: bool = True

    def number(self, node: sp.Expr, time: int = 1, outcome: int = 0) -> S:
        """The value of a scalar expression.

        Raises:
            NoValueError: a TypeError, for a node that has no value here.
            KeyError: for a letter that the model does not know.

        """
        return Place(self, time, outcome).number(node)

    def vector(self, node: Any, time: int = 1, outcome: int = 0) -> tuple[M, ...]:
        """The blocks of a matrix or vector expression; raises as `number`."""
        return Place(self, time, outcome).vector(node)


class Place(NamedTuple):
    """A time and an outcome in a model, and the values that expressions have there."""

    model: Model[Any, Any]
    time: int
    outcome: int

    @property
    def do(self) -> Arithmetic[Any, Any]:
        """The model's arithmetic."""
        return self.model.arithmetic

    def number(self, node: Any) -> Any:
        """The value of a scalar expression; raises as `Model.number`."""
        do = self.do
        match node:
            case sp.Symbol():
                if node in self.model.numbers:
                    return self.model.numbers[node]
                if node in self.model.values:
                    return self.number(self.model.values[node])
                if node not in (t, T):
                    raise NoValueError(node)
                return do.rational(Fraction(self.when(node)))
            case sp.Rational():
                return do.rational(fraction(node))
            case sp.Float() if self.model.floats:
                return do.rational(fraction(sp.Rational(node)))
            case sp.Add():
                return reduce(do.add, map(self.number, node.args))
            case sp.Mul():
                return reduce(do.times, map(self.number, node.args))
            case sp.Pow():
                exponent = rational_exponent(node, self._values)
                if exponent is None:
                    return do.exp(do.times(self.number(node.exp), do.log(self.number(node.base))))
                return do.power(self.number(node.base), fraction(exponent))
            case sp.exp():
                return do.exp(self.number(node.args[0]))
            case sp.E:
                return do.exp(do.rational(Fraction(1)))
            case sp.log(args=(x,)):
                return do.log(self.number(x))
            case sp.Max():
                return reduce(do.larger, map(self.number, node.args))
            case sp.Min():
                return reduce(do.smaller, map(self.number, node.args))
            case sp.Abs():
                x = self.number(node.args[0])
                # Without the 0, the enclosure of a number that may have either sign would reach
                # below 0.
                return reduce(
                    do.larger, (x, do.times(do.rational(Fraction(-1)), x), do.rational(Fraction(0)))
                )
            case sp.Trace():
                return do.inner(
                    (self.matrix(node.arg),), (do.constant(1, *map(self.side, node.arg.shape)),)
                )
            case sp.Sum():
                return reduce(
                    do.add, self.each(node.function, *node.limits[0]), do.rational(Fraction(0))
                )
        if not hasattr(node, "number_at"):
            raise NoValueError(node)
        return node.number_at(self)

    @property
    def _values(self) -> dict[sp.Symbol, sp.Expr]:
        """The model's values, and those of t and T where they are times."""
        given = self.model
        times = {t: self.time, T: given.horizon} if given.horizon else {}
        return {x: sp.Integer(i) for x, i in times.items() if x not in given.numbers} | dict(
            given.values
        )

    def vector(self, node: Any) -> tuple[Any, ...]:
        """The blocks of a matrix or vector expression; raises as `Model.number`."""
        do = self.do
        match node:
            case sp.MatrixSymbol():
                return self.model.matrices[node]
            case sp.MatAdd():
                return reduce(self.plus, map(self.vector, node.args))
            case sp.MatMul():
                factors = [x for x in node.args if not isinstance(x, MatrixExpr)]
                first, *rest = (x for x in node.args if isinstance(x, MatrixExpr))
                # A vector of several blocks may be scaled, not multiplied.
                blocks = (
                    (reduce(do.product, map(self.matrix, rest), self.matrix(first)),)
                    if rest
                    else self.vector(first)
                )
                return (
                    self.scaled(reduce(do.times, map(self.number, factors)), blocks)
                    if factors
                    else blocks
                )
            case sp.Transpose():
                return (do.transposed(self.matrix(node.arg)),)
            case sp.MatPow(exp=sp.Integer()) if node.exp > 0:
                return (reduce(do.product, [self.matrix(node.base)] * int(node.exp)),)
            case sp.HadamardProduct():
                return (reduce(do.entrywise, map(self.matrix, node.args)),)
            case sp.ZeroMatrix() | sp.Identity():
                return (
                    do.constant(int(isinstance(node, sp.Identity)), *map(self.side, node.shape)),
                )
        if not hasattr(node, "vector_at"):
            raise NoValueError(node)
        return node.vector_at(self)

    def matrix(self, node: Any) -> Any:
        """The only block of a matrix; raises TypeError for a vector of several."""
        blocks = self.vector(node)
        if len(blocks) != 1:
            raise TypeError(f"{node} has {len(blocks)} blocks, and is not a matrix")
        return blocks[0]

    def plus(self, x: tuple[Any, ...], y: tuple[Any, ...]) -> tuple[Any, ...]:
        """The sum of two vectors, block by block."""
        return tuple(self.do.plus(X, Y) for X, Y in zip(x, y, strict=True))

    def scaled(self, c: Any, x: tuple[Any, ...]) -> tuple[Any, ...]:
        """A vector times a number."""
        return tuple(self.do.scaled(c, X) for X in x)

    def when(self, index: Any) -> int:
        """The value of an index such as t + 1 or T."""
        if not self.model.horizon:
            raise NoValueError(index)
        return int(sp.sympify(index, strict=True).subs({t: self.time, T: self.model.horizon}))

    def side(self, size: Any) -> int:
        """The number of rows or columns that an expression in a shape stands for."""
        return int(sp.sympify(size, strict=True).subs(self.model.sides))

    def each(self, expression: Any, index: sp.Symbol, first: Any, last: Any) -> Iterable[Any]:
        """The values of an expression at each time from first to last.

        The index is t, or a letter in its place; raises NoValueError if the expression then
        contains t as well.
        """
        if index != t and expression.has(t):
            raise NoValueError(f"an index {index} beside {t}")
        times = range(self.when(first), self.when(last) + 1)
        at_t = expression.xreplace({index: t})
        return [self._replace(time=i).number(at_t) for i in times]

    def outcomes(self, given: Any = None) -> "list[tuple[Any, Place]]":
        """Every outcome with its probability; given an iterate, only the outcomes that look like
        this one then.
        """
        weights = self.model.weights
        labels = (0,) * len(weights) if given is None else self.model.past(self.when(given.args[1]))
        alike = [i for i, label in enumerate(labels) if label == labels[self.outcome]]
        total = sum((weights[i] for i in alike), Fraction(0))
        return [(self.do.rational(weights[i] / total), self._replace(outcome=i)) for i in alike]


def rational_exponent(node: sp.Pow, values: Mapping[sp.Symbol, sp.Expr]) -> sp.Rational | None:
    """The exponent of a power, if it is a rational at `values` with a denominator whose roots are
    taken; else None.
    """
    exponent = node.exp
    # A power inside an exponent may have more digits than fit into memory.
    if not exponent.is_Rational and not exponent.has(sp.Pow, sp.exp, sp.log):
        exponent = exponent.xreplace(dict(values))
    return exponent if isinstance(exponent, sp.Rational) and exponent.q <= _MOST_ROOTS else None


def rational_value(expression: sp.Expr, numbers: Mapping[str, Fraction]) -> Fraction | None:
    """The value of a formula at numbers by name if it is rational, else None."""
    values = {
        x: sp.Rational(numbers[x.name].numerator, numbers[x.name].denominator)
        for x in expression.free_symbols
    }
    try:
        value = sp.sympify(expression.subs(values), strict=True).doit()
    except ValueError:
        # Of a maximum with a member that divides by 0.
        return None
    return fraction(value) if isinstance(value, sp.Rational) else None


@lru_cache(4096)
def fraction(x: Any) -> Fraction:
    """A rational number of SymPy or FLINT as one of Python's."""
    return Fraction(int(x.p), int(x.q))


Shape = tuple[int, int]


@dataclass
class Cost:
    """An `Arithmetic` that counts steps and computes nothing.

    Attributes:
        steps: so far; each takes about as long as the sum of two entries of matrices of balls.

    """

    steps: int = 0

    def rational(self, *numbers: Any) -> None:
        """A number, whatever it is of: one step."""
        self.steps += 1

    add = times = power = exp = log = larger = smaller = rational

    def plus(self, X: Shape, Y: Shape) -> Shape:
        """The sum of two matrices; raises ValueError where their shapes differ."""
        if X != Y:
            raise ValueError(f"{X} and {Y}")
        return self.constant(0, *X)

    entrywise = plus

    def product(self, X: Shape, Y: Shape) -> Shape:
        """The product of two matrices; raises ValueError where they do not fit."""
        if X[1] != Y[0]:
            raise ValueError(f"{X} and {Y}")
        self.steps += X[0] * X[1] * Y[1] // 16
        return self.constant(0, X[0], Y[1])

    def scaled(self, c: None, X: Shape) -> Shape:
        return self.constant(0, *X)

    def transposed(self, X: Shape) -> Shape:
        return self.constant(0, X[1], X[0])

    def constant(self, diagonal: int, rows: int, columns: int) -> Shape:
        self.steps += rows * columns
        return rows, columns

    def inner(self, x: tuple[Shape, ...], y: tuple[Shape, ...]) -> None:
        """The sum over blocks of tr(X^T Y); raises ValueError where their shapes differ."""
        for X, Y in zip(x, y, strict=True):
            self.plus(X, Y)

    def length(self, x: tuple[Shape, ...]) -> None:
        self.inner(x, x)

    def spectral(self, X: Shape) -> None:
        # Elimination in the smaller of both sides, a few times.
        self.product(X, (X[1], X[0]))
        self.steps += 8 * min(X) ** 3


# All sample paths of a stochastic algorithm

State = TypeVar("State")
Sample = TypeVar("Sample")
Draw = tuple[int, ...]


def descent(alpha: Any) -> Callable[[tuple[Any, ...], tuple[Any, ...], int], tuple[Any, ...]]:
    """The step of SGD, v - alpha g block by block; its state is v."""
    return lambda v, g, t: tuple(x - alpha * y for x, y in zip(v, g, strict=True))


@dataclass(frozen=True, eq=False)
class Paths(Generic[State, Sample]):
    """The paths of an algorithm that draws a sample at each step.

    Attributes:
        start: the state at t = 1, such as v_1, or (v_1, v_0) of an algorithm that remembers its
            last iterate.
        gradient: of a sample's loss, at the point that `query` gives.
        step: the state after t from the one at t, the gradient drawn there, and t.
        samples: the data from which a step draws.
        T: the number of steps.
        replacement: whether a step may draw a sample again.
        query: the point where the algorithm asks for a gradient, from its state and t; the state
            itself by default.

    """

    start: State
    gradient: Callable[[Any, Sample], Any]
    step: Callable[[State, Any, int], State]
    samples: Sequence[Sample]
    T: int
    replacement: bool = True
    query: Callable[[State, int], Any] = lambda state, t: state
    # The state and the last gradient after each sequence of draws. Paths share their beginnings.
    _reached: dict[Draw, tuple[State, Any]] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def draws(self) -> list[Draw]:
        """The numbers of the samples that each path draws, step by step, in lexicographic order."""
        samples = range(len(self.samples))
        return list(
            product(samples, repeat=self.T) if self.replacement else permutations(samples, self.T)
        )

    @property
    def weights(self) -> tuple[Fraction, ...]:
        return (Fraction(1, len(self.draws)),) * len(self.draws)

    def state(self, t: int, path: int) -> State:
        """The state at t = 1, ..., T + 1 on a path; raises IndexError at another t."""
        return self._after(t - 1, path)[0]

    def drawn(self, t: int, path: int) -> Any:
        """The gradient drawn at t = 1, ..., T on a path; raises IndexError at another t."""
        return self._after(t or -1, path)[1]

    def _after(self, steps: int, path: int) -> tuple[State, Any]:
        """The state after so many steps of a path, and the last gradient."""
        if not 0 <= steps <= self.T:
            raise IndexError(f"{steps} steps of a run of {self.T}")
        draw = self.draws[path][:steps]
        if not draw:
            return self.start, None
        if draw not in self._reached:
            state = self._after(steps - 1, path)[0]
            g = self.gradient(self.query(state, steps), self.samples[draw[-1]])
            self._reached[draw] = self.step(state, g, steps), g
        return self._reached[draw]

    def past(self, t: int) -> tuple[int, ...]:
        """A label of what each path drew before t: paths with the same label look alike at t."""
        return self._labels[min(t, self.T + 1) - 1]

    @cached_property
    def _labels(self) -> list[tuple[int, ...]]:
        labels: dict[Draw, int] = {}
        return [
            tuple(labels.setdefault(draw[:t], len(labels)) for draw in self.draws)
            for t in range(self.T + 1)
        ]

    @property
    def places(self) -> list[tuple[int, int]]:
        """A time t = 1, ..., T + 1 and a path for each state that occurs; paths that still look
        alike count once.
        """
        return [
            (t, labels.index(x))
            for t, labels in enumerate(self._labels, 1)
            for x in dict.fromkeys(labels)
        ]


STILL: Paths[Any, Any] = Paths(
    None, lambda state, sample: None, lambda state, g, t: state, (None,), 1
)
"""One outcome at one time, for an instance without a run."""
