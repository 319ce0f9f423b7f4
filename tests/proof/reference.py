"""What an expression of `claims.vocabulary` means, in NumPy and without the kernel; and random
expressions."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.exact.evaluate import t
from boundcheck.kernel.meaning import MatrixFunction, exact
from boundcheck.kernel.terms import ANY, CONSTANT, NOW, Symbol, Time
from boundcheck.language import vocabulary as words
from boundcheck.language.symbols import T
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    Expectation,
    FrobeniusNorm,
    Gradient,
    Iterate,
    f,
)
from boundcheck.proof import Process, Reading
from tests.kernel.strategies import World

m, n, k = (sp.Symbol(name, positive=True, integer=True) for name in "mnk")
# A vector with two blocks, a process with the same two, and one of its own that is known a step
# later.
v = sp.MatrixSymbol("v", words.n, 1)
W0 = sp.MatrixSymbol("W_0", m, n)
BLOCKS = {"A": ("k", "n"), "B": ("m", "k")}
A = sp.MatrixSymbol("A", k, n)
B = sp.MatrixSymbol("B", m, k)
v_t = Iterate("v", t, words.n, 1)
g_t = Iterate("g", t, words.n, 1)
x, y, z = sp.symbols("x y z", real=True)
SIDES = {"m": m, "n": n, "k": k}
# Any matrix of each shape.
FREE = {
    (name, rows, columns): sp.MatrixSymbol(name + rows + columns, SIDES[rows], SIDES[columns])
    for name in "XY"
    for rows in SIDES
    for columns in SIDES
}
READING = Reading(
    points={v: (A, B)},
    processes={
        v_t: Process((A, B)),
        g_t: Process((sp.MatrixSymbol("gA", k, n), sp.MatrixSymbol("gB", m, k)), drawn=True),
    },
    constants={W0, x, y},
    arbitrary={A, B, z, *FREE.values()},
)
LAGS = {"v": 0, "g": 1}


def cubic(point):
    """The sum over blocks and entries of x³ + x."""
    return sum((x * x * x + x for grid in point for row in grid for x in row), exact(0))


def cubic_gradient(point):
    return tuple(
        tuple(tuple(exact(3) * x * x + exact(1) for x in row) for row in grid) for grid in point
    )


CUBIC = MatrixFunction(cubic, cubic_gradient)


@dataclass(frozen=True)
class Reference:
    """Numbers and arrays of fractions for expressions, in a world of the kernel's tests; floats
    where roots enter."""

    world: World

    def number(self, node, time, outcome):
        def of(expression):
            return self.number(expression, time, outcome)

        def square(matrix):
            return sum((block**2).sum() for block in self.blocks(matrix, time, outcome))

        match node:
            case sp.Rational():
                return Fraction(int(node.p), int(node.q))
            case sp.Symbol() if node == T:
                return self.world.horizon
            case sp.Symbol():
                return self.variable(node.name, time, outcome)
            case sp.Add():
                return sum(map(of, node.args))
            case sp.Mul():
                return np.prod([of(each) for each in node.args])
            case sp.Pow(exp=sp.Integer()) if (
                isinstance(node.base, FrobeniusNorm | EuclideanNorm) and node.exp == 2
            ):
                return square(node.base.args[0])
            case sp.Pow():
                return of(node.base) ** (int(node.exp) if node.exp.is_Integer else float(node.exp))
            case FrobeniusNorm() | EuclideanNorm():
                return float(square(node.args[0])) ** 0.5
            case words.SpectralNorm():
                (block,) = self.blocks(node.args[0], time, outcome)
                return float(np.linalg.norm(block.astype(float), 2))
            case words.InnerProduct():
                left, right = (self.blocks(each, time, outcome) for each in node.args)
                return sum((p * q).sum() for p, q in zip(left, right, strict=True))
            case words.Value():
                return sum((b**3 + b).sum() for b in self.blocks(node.args[1], time, outcome))
            case Expectation():
                shares = self.shares(node, time, outcome)
                return sum(
                    share * self.number(node.args[0], time, other) for other, share in shares
                )
            case sp.Sum():
                return sum(
                    self.number(node.function, s, outcome) for s in range(1, self.world.horizon + 1)
                )
            case words.MinimumOver():
                return min(
                    self.number(node.args[0], s, outcome) for s in range(1, self.world.horizon + 1)
                )
        raise TypeError(node)

    def variable(self, name, time, outcome):
        (atom,) = READING.scalar(sp.Symbol(name, real=True)).atoms()
        return self.world.symbols(atom, time, outcome)

    def shares(self, node, time, outcome):
        labels = (0,) * len(self.world.weights)
        if len(node.args) > 1:
            labels = self.world.past(self.time(node.args[1].args[1], time))
        alike = [i for i, label in enumerate(labels) if label == labels[outcome]]
        return [
            (i, self.world.weights[i] / sum(self.world.weights[j] for j in alike)) for i in alike
        ]

    def time(self, index, time):
        return int(sp.sympify(index).subs({t: time, T: self.world.horizon}))

    def letter(self, symbol, time, outcome):
        return np.array(self.world.symbols(symbol, time, outcome), dtype=object)

    def blocks(self, node, time, outcome):
        def of(matrix):
            return self.blocks(matrix, time, outcome)

        match node:
            case sp.MatrixSymbol() if node == v:
                return [
                    self.letter(Symbol(name, shape, ANY), time, outcome)
                    for name, shape in BLOCKS.items()
                ]
            case sp.MatrixSymbol():
                shape = tuple(str(side) for side in node.shape)
                return [
                    self.letter(
                        Symbol(node.name, shape, CONSTANT if node == W0 else ANY), time, outcome
                    )
                ]
            case Iterate():
                name = str(node.args[0])
                when = self.time(node.args[1], time)
                prefix = "g" if name == "g" else ""
                return [
                    self.letter(Symbol(prefix + block, shape, Time(NOW, LAGS[name])), when, outcome)
                    for block, shape in BLOCKS.items()
                ]
            case sp.ZeroMatrix():
                rows, columns = (self.world.dimensions[str(side)] for side in node.shape)
                return [np.full((rows, columns), Fraction(0))]
            case Gradient():
                return [3 * block**2 + 1 for block in of(node.args[1])]
            case words.PartialGradient():
                return [3 * of(node.args[1])[(A, B).index(node.args[2])] ** 2 + 1]
            case words.MatrixExpectation():
                shares = self.shares(node, time, outcome)
                parts = [
                    [share * b for b in self.blocks(node.args[0], time, other)]
                    for other, share in shares
                ]
                return [sum(blocks) for blocks in zip(*parts, strict=True)]
            case sp.Transpose():
                return [block.T for block in of(node.arg)]
            case sp.MatAdd():
                return [sum(blocks) for blocks in zip(*map(of, node.args), strict=True)]
            case sp.MatPow():
                (base,) = of(node.base)
                return [np.linalg.multi_dot([base] * int(node.exp)) if node.exp > 1 else base]
            case sp.MatMul():
                scale = [
                    self.number(each, time, outcome)
                    for each in node.args
                    if not isinstance(each, MatrixExpr)
                ]
                first, *rest = (of(each) for each in node.args if isinstance(each, MatrixExpr))
                for (factor,) in rest:
                    first = [first[0] @ factor]
                return [np.prod(scale) * block if scale else block for block in first]
        raise TypeError(node)


RATIONALS = st.sampled_from(
    [sp.Rational(p, q) for p, q in ((-2, 1), (-1, 1), (1, 2), (2, 3), (1, 1), (3, 1))]
)
TIMES = st.sampled_from([t, t + 1, sp.Integer(1), T, T + 1])


@st.composite
def matrices(draw, rows, columns, depth=2):
    """A matrix expression with sums, products, transposes, multiples, blocks of gradients."""
    kind = draw(
        st.sampled_from(
            ("letter", "sum", "product", "transpose", "multiple", "gradient")[: 6 if depth else 1]
        )
    )
    below = depth - 1
    if kind == "sum":
        return draw(matrices(rows, columns, below)) + draw(matrices(rows, columns, below))
    if kind == "product":
        middle = draw(st.sampled_from("mnk"))
        return draw(matrices(rows, middle, below)) * draw(matrices(middle, columns, below))
    if kind == "transpose":
        return draw(matrices(columns, rows, below)).T
    if kind == "multiple":
        return draw(st.one_of(RATIONALS, st.sampled_from([x, 2 * y]))) * draw(
            matrices(rows, columns, below)
        )
    if kind == "gradient":
        return Gradient(f, draw(matrices(rows, columns, below)))
    if (rows, columns) == ("m", "n") and draw(st.booleans()):
        return W0
    return FREE[draw(st.sampled_from("XY")), rows, columns]


@st.composite
def vectors(draw, depth=2):
    """A vector expression in v, iterates, their gradients, means and multiples."""
    kind = draw(
        st.sampled_from(
            ("letter", "iterate", "sum", "multiple", "gradient", "mean")[: 6 if depth else 2]
        )
    )
    below = depth - 1
    if kind == "sum":
        # Their blocks are lost where two cancel.
        total = draw(vectors(below)) + draw(vectors(below))
        return v if isinstance(total, sp.ZeroMatrix) else total
    if kind == "multiple":
        return draw(RATIONALS) * draw(vectors(below))
    if kind == "gradient":
        return Gradient(f, draw(vectors(below)))
    if kind == "mean":
        given = [Iterate("v", draw(TIMES), words.n, 1)] if draw(st.booleans()) else []
        return words.MatrixExpectation(
            Iterate(draw(st.sampled_from("vg")), draw(TIMES), words.n, 1), *given
        )
    return v if kind == "letter" else Iterate(draw(st.sampled_from("vg")), draw(TIMES), words.n, 1)


@st.composite
def shaped(draw):
    """Two matrices of one shape, or two vectors."""
    if draw(st.booleans()):
        return draw(vectors()), draw(vectors())
    rows = draw(st.sampled_from("mnk"))
    columns = draw(st.sampled_from("mnk"))
    return draw(matrices(rows, columns)), draw(matrices(rows, columns))


@st.composite
def measures(draw, depth=2):
    """A scalar that speaks of matrices, vectors, time and chance."""
    kinds = ("norm", "spectral", "inner", "value", "partial", "mean", "sum", "least", "polynomial")
    kind = draw(st.sampled_from(kinds[: None if depth else 5]))
    below = depth - 1
    if kind == "norm":
        first, _ = draw(shaped())
        return draw(st.sampled_from((FrobeniusNorm, EuclideanNorm)))(first) ** draw(
            st.integers(1, 3)
        )
    if kind == "spectral":
        return words.SpectralNorm(
            draw(matrices(draw(st.sampled_from("mnk")), draw(st.sampled_from("mnk"))))
        )
    if kind == "inner":
        return words.InnerProduct(*draw(shaped()))
    if kind == "value":
        return words.Value(f, draw(shaped())[0])
    if kind == "partial":
        return FrobeniusNorm(
            words.PartialGradient(f, draw(vectors(1)), draw(st.sampled_from((A, B))))
        )
    if kind == "mean":
        given = [Iterate("v", draw(TIMES), words.n, 1)] if draw(st.booleans()) else []
        return Expectation(draw(measures(below)), *given)
    if kind == "sum":
        return sp.Sum(draw(measures(0)), (t, 1, T))
    if kind == "least":
        return words.MinimumOver(draw(measures(0)), t, 1, T)
    return draw(RATIONALS) * draw(measures(below)) * draw(st.sampled_from([x, y, z, T])) + draw(
        measures(below)
    )


def scalars(depth=3):
    """Real functions of x and y, defined everywhere, with roots of order 2 and 4, quotients, Abs,
    Max and Min."""
    leaves = st.one_of(st.sampled_from([x, y]), RATIONALS)

    def larger(inside):
        positive = inside.map(lambda e: sp.Abs(e) + sp.Rational(1, 2))
        exponents = st.sampled_from(
            [sp.Rational(p, q) for p, q in ((1, 2), (1, 4), (3, 4), (-1, 2), (-1, 1), (-2, 1))]
        )
        return st.one_of(
            st.builds(lambda p, q: p + q, inside, inside),
            st.builds(lambda p, q: p * q, inside, inside),
            st.builds(lambda p, e: p**e, inside, st.integers(2, 3)),
            st.builds(lambda p, e: p**e, positive, exponents),
            st.builds(lambda p, q: p / q, inside, positive),
            inside.map(sp.Abs),
            st.builds(sp.Max, inside, inside),
            st.builds(sp.Min, inside, inside),
        )

    return st.recursive(leaves, larger, max_leaves=2**depth)
