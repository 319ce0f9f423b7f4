"""From sympy to the kernel: claims and steps of proofs, written in the vocabulary of `claims`, as kernel statements.

A vector such as v is read as its blocks (A, B), by a `Reading`; a scalar symbol is a constant of that name. Roots and
quotients become the kernel's atoms root(x) and inverse(x), so that every formula of a claim has a translation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import wraps
from typing import TypeVar

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.claims import symbols
from boundcheck.claims import vocabulary as words
from boundcheck.errors import InputError
from boundcheck.kernel import Fact, KernelError, builders
from boundcheck.kernel import atoms as k
from boundcheck.kernel.analysis import gradients
from boundcheck.kernel.terms import ONE, Matrix, Point, Scalar, Symbol
from boundcheck.kernel.times import ANY, CONSTANT, Index, Time, When

_DIMENSIONS = (words.d, words.k, words.n, symbols.r)


_Result = TypeVar("_Result")


def _told(translate: Callable[[Reading, sp.Basic], _Result]) -> Callable[[Reading, sp.Basic], _Result]:
    """Say of what has no translation which expression it is, whatever refused it."""

    @wraps(translate)
    def told(reading: Reading, node: sp.Basic) -> _Result:
        try:
            return translate(reading, node)
        except (KernelError, ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError("expression", node, f"one that has a meaning, and not {error}") from error

    return told


@dataclass(frozen=True)
class Process:
    """The blocks of an iterate such as v_t: their names and shapes, and how much later than t they are known."""

    blocks: tuple[tuple[str, tuple[str, str]], ...]
    lag: int = 0


@dataclass(frozen=True)
class Reading:
    """What the matrices of claims and steps stand for.

    Attributes:
        points: the blocks of a matrix symbol that is no single letter: v_1 is (A_1, B_1), W is W_0 + sBA.
        processes: the blocks of iterates, by name.
        blocks: for a matrix symbol that names a block of a vector in partial gradients, the block's place.
        constants: names of matrices that are constants; every other matrix may be any.
        arbitrary: names of numbers that may be any function of time and outcome; every other number is a constant.

    """

    points: Mapping[sp.MatrixSymbol, Point] = field(default_factory=dict)
    processes: Mapping[str, Process] = field(default_factory=dict)
    blocks: Mapping[sp.MatrixSymbol, int] = field(default_factory=dict)
    constants: frozenset[str] = frozenset()
    arbitrary: frozenset[str] = frozenset()

    @_told
    def facts(self, relation: sp.Basic) -> tuple[Fact, ...]:
        """A relation, or a conjunction of relations, as facts.

        Raises:
            InputError: for what has no translation, or what sympy has evaluated away.

        """
        if isinstance(relation, sp.And):
            return tuple(fact for part in relation.args for fact in self.facts(part))
        if isinstance(relation, sp.Eq):
            return (self._equation(relation.lhs, relation.rhs),)
        if not isinstance(relation, sp.core.relational._Inequality):
            raise InputError("statement", relation, "a relation <=, <, >=, > or Eq that sympy does not evaluate")
        sign = ">" if relation.func in (sp.StrictLessThan, sp.StrictGreaterThan) else ">="
        return tuple(Fact(sign, self.scalar(relation.gts) - self.scalar(x)) for x in _alternatives(relation.lts))

    def fact(self, relation: sp.Basic) -> Fact:
        """A single relation as a fact; raises InputError as `facts`, and for a conjunction."""
        facts = self.facts(relation)
        if len(facts) != 1:
            raise InputError("statement", relation, "a single relation")
        return facts[0]

    def _equation(self, left: sp.Basic, right: sp.Basic) -> Fact:
        if not isinstance(left, MatrixExpr):
            return Fact("=", self.scalar(left) - self.scalar(right))
        pairs = zip(self.point(left), self.point(right), strict=True)
        return Fact("=", builders.norm(k.FROBENIUS, *(x - y for x, y in pairs)))

    @_told
    def scalar(self, node: sp.Expr) -> Scalar:
        """A scalar expression as a polynomial over atoms; raises InputError for what has no translation."""
        for kinds, translate in self._SCALARS:
            if isinstance(node, kinds):
                return translate(self, node)
        raise InputError("expression", node, "a scalar in the vocabulary of claims")

    def _symbol(self, node: sp.Symbol) -> Scalar:
        if node == words.t:
            raise InputError("symbol", node, "an iterate with the index t; t itself is no number here")
        if node == symbols.T:
            return Scalar.of(k.Horizon())
        if node in _DIMENSIONS:
            return Scalar.of(k.Dimension(node.name))
        return Scalar.of(k.Variable(node.name, ANY if node.name in self.arbitrary else CONSTANT))

    def _add(self, node: sp.Add) -> Scalar:
        return Scalar.sum(self.scalar(x) for x in node.args)

    def _multiply(self, node: sp.Mul) -> Scalar:
        product = ONE
        for factor in node.args:
            product = product * self.scalar(factor)
        return product

    def _power(self, node: sp.Pow) -> Scalar:
        exponent = node.exp
        base = self.scalar(node.base)
        if not isinstance(exponent, sp.Rational) or exponent.q not in (1, 2, 4):
            raise InputError("exponent", exponent, "an integer, a half or a quarter")
        for _ in range({1: 0, 2: 1, 4: 2}[int(exponent.q)]):
            base = Scalar.of(k.Root(base))
        return (base if exponent > 0 else Scalar.of(k.Inverse(base))) ** abs(int(exponent.p))

    def _absolute(self, node: sp.Abs) -> Scalar:
        return Scalar.of(k.Root(self.scalar(node.args[0]) ** 2))

    def _maximum(self, node: sp.Max) -> Scalar:
        first, *rest = (self.scalar(x) for x in node.args)
        for other in rest:
            # Half of the sum and of the distance.
            first = (first + other + k.Root((first - other) ** 2)) * Fraction(1, 2)
        return first

    def _norm(self, node: words.FrobeniusNorm) -> Scalar:
        kind = k.SPECTRAL if isinstance(node, words.SpectralNorm) else k.FROBENIUS
        return builders.norm(kind, *self.point(node.args[0]))

    def _value(self, node: words.Value) -> Scalar:
        return Scalar.of(k.Value(node.args[0].name, self.point(node.args[1])))

    def _inner(self, node: words.InnerProduct) -> Scalar:
        return builders.inner(self.point(node.args[0]), self.point(node.args[1]))

    def _expectation(self, node: words.Expectation) -> Scalar:
        return builders.expect(self.scalar(node.args[0]), self._given(node))

    def _minimum(self, node: words.MinimumOver) -> Scalar:
        body, t, first, last = node.args
        self._over_all_times(node, t, first, last)
        return Scalar.of(k.Minimum(self.scalar(body)))

    def _sum(self, node: sp.Sum) -> Scalar:
        if len(node.limits) != 1:
            raise InputError("sum", node, "a sum over t alone")
        self._over_all_times(node, *node.limits[0])
        return builders.total(self.scalar(node.function))

    def _over_all_times(self, node: sp.Expr, t: sp.Symbol, first: sp.Expr, last: sp.Expr) -> None:
        if (t, first, last) != (words.t, 1, symbols.T):
            raise InputError("range", node, "t from 1 to T")

    _SCALARS: tuple[tuple[type | tuple[type, ...], Callable[[Reading, sp.Expr], Scalar]], ...] = (
        (sp.Rational, lambda self, node: Scalar.of(Fraction(int(node.p), int(node.q)))),
        (sp.Symbol, _symbol),
        (sp.Add, _add),
        (sp.Mul, _multiply),
        (sp.Pow, _power),
        (sp.Abs, _absolute),
        (sp.Max, _maximum),
        ((words.FrobeniusNorm, words.SpectralNorm, words.EuclideanNorm), _norm),
        (words.Value, _value),
        (words.InnerProduct, _inner),
        (words.Expectation, _expectation),
        (words.MinimumOver, _minimum),
        (sp.Sum, _sum),
    )

    @_told
    def point(self, node: MatrixExpr) -> Point:
        """A matrix or vector expression as its blocks; raises InputError for what has no translation."""
        match node:
            case sp.MatrixSymbol() if node in self.points:
                return self.points[node]
            case sp.MatrixSymbol():
                when = CONSTANT if node.name in self.constants else ANY
                return (Matrix.of(Symbol(node.name, _shape(node), when)),)
            case sp.ZeroMatrix():
                return (Matrix.zero(_shape(node)),)
            case words.Iterate():
                return self._iterate(node)
            case words.Gradient():
                return gradients(node.args[0].name, self.point(node.args[1]))
            case words.PartialGradient():
                function, at, block = node.args
                return (gradients(function.name, self.point(at))[self.blocks[block]],)
            case words.MatrixExpectation():
                return tuple(builders.mean(x, self._given(node)) for x in self.point(node.args[0]))
            case sp.Transpose():
                return tuple(x.T for x in self.point(node.arg))
            case sp.MatAdd():
                parts = [self.point(x) for x in node.args]
                return tuple(_summed(blocks) for blocks in zip(*parts, strict=True))
            case sp.MatMul() | sp.MatPow():
                return self._product(node)
        raise InputError("expression", node, "a matrix in the vocabulary of claims")

    def _product(self, node: sp.MatMul | sp.MatPow) -> Point:
        if isinstance(node, sp.MatPow) and not (node.exp.is_Integer and node.exp >= 1):
            raise InputError("exponent", node.exp, "a whole number from 1 on")
        factors = [node.base] * int(node.exp) if isinstance(node, sp.MatPow) else node.args
        scale, product = ONE, None
        for factor in factors:
            if not isinstance(factor, MatrixExpr):
                scale = scale * self.scalar(factor)
                continue
            point = self.point(factor)
            if product is not None and len(product) + len(point) != 2:
                raise InputError("expression", node, "a product of matrices, or of a number and a vector")
            product = point if product is None else (product[0] @ point[0],)
        return tuple(x.scaled(scale) for x in product or ())

    def _given(self, node: words.Expectation | words.MatrixExpectation) -> Index | None:
        """The past up to t where the expectation is conditional on an iterate v_t."""
        if len(node.args) == 1:
            return None
        if len(node.args) > 2 or not isinstance(node.args[1], words.Iterate):
            raise InputError("given", node.args[1:], "one iterate, whose past is meant")
        name, t = node.args[1].args[0].name, node.args[1].args[1]
        if self.processes.get(name, Process(())).lag:
            raise InputError("given", node.args[1], "an iterate that is known at its own time")
        return index(t)

    def _iterate(self, node: words.Iterate) -> Point:
        name, t = node.args[0].name, node.args[1]
        process = self.processes.get(name, Process(((name, _shape(node)),)))
        when: When = Time(index(t), process.lag)
        return tuple(Matrix.of(Symbol(block, shape, when)) for block, shape in process.blocks)


def index(t: sp.Expr) -> Index:
    """The kernel's index for t + 1, T + 1 or a number; raises InputError for another expression."""
    for base, symbol in (("t", words.t), ("T", symbols.T), ("", sp.Integer(0))):
        offset = t - symbol
        if offset.is_Integer:
            return Index(base, int(offset))
    raise InputError("index", t, "t, T or a number, plus a whole number")


def _alternatives(node: sp.Expr) -> tuple[sp.Expr, ...]:
    """The arguments of a maximum, each of which is at most what the maximum is at most."""
    return node.args if isinstance(node, sp.Max) else (node,)


def _summed(blocks: tuple[Matrix, ...]) -> Matrix:
    total = Matrix.zero(blocks[0].shape)
    for block in blocks:
        total = total + block
    return total


def _shape(node: MatrixExpr) -> tuple[str, str]:
    # The kernel's dimensions are names.
    rows, columns = (("one" if x == 1 else f"size{x}") if x.is_Integer else str(x) for x in node.shape)
    return rows, columns


def ge(left: sp.Basic, right: sp.Basic) -> sp.Basic:
    """Left >= right, which sympy leaves as it is, even where it knows a sign; likewise `gt`, `le` and `eq`."""
    return sp.Ge(left, right, evaluate=False)


def gt(left: sp.Basic, right: sp.Basic) -> sp.Basic:
    """Left > right, unevaluated."""
    return sp.Gt(left, right, evaluate=False)


def le(left: sp.Basic, right: sp.Basic) -> sp.Basic:
    """Left <= right, unevaluated."""
    return sp.Le(left, right, evaluate=False)


def eq(left: sp.Basic, right: sp.Basic) -> sp.Basic:
    """Left = right, unevaluated."""
    return sp.Eq(left, right, evaluate=False)
