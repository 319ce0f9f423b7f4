"""The nouns and norms of claims, as sympy expressions that print as in the papers.

Each knows its value at a `Place` of a model. They have no rules: a proof must say what follows from a norm.
"""

from functools import reduce
from typing import Any, ClassVar

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.exact.evaluate import Place
from boundcheck.exact.evaluate import t as t
from boundcheck.language.symbols import T, f_star, r


class _Norm(sp.Expr):
    """A norm of one matrix expression: a nonnegative real scalar."""

    subscript: ClassVar[str] = ""
    is_commutative = True

    def __new__(cls, matrix: MatrixExpr) -> "_Norm":
        return sp.Expr.__new__(cls, sp.sympify(matrix, strict=True))

    def _eval_is_extended_nonnegative(self) -> bool:
        return True

    def _eval_is_real(self) -> bool:
        return True

    def number_at(self, place: Place) -> Any:
        """The root of the sum of the squared entries of all blocks."""
        return place.do.length(place.vector(self.args[0]))

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        text = rf"\left\| {printer.doprint(self.args[0])} \right\|{self.subscript}"
        return text if exp is None else f"{text}^{{{exp}}}"


class FrobeniusNorm(_Norm):
    """The Frobenius norm of a matrix, the square root of the sum of its squared entries."""

    subscript = "_F"


class SpectralNorm(_Norm):
    """The spectral norm, the largest singular value sigma_1 of a matrix."""

    subscript = r"_{\mathrm{op}}"

    def number_at(self, place: Place) -> Any:
        return place.do.spectral(place.matrix(self.args[0]))


class EuclideanNorm(_Norm):
    """The Euclidean norm of a parameter vector v = (A, B), the root of ||A||_F^2 + ||B||_F^2."""


class Gradient(MatrixExpr):
    """The gradient of a scalar function (named by a symbol) at a matrix or vector, of the same shape."""

    def __new__(cls, function: sp.Symbol, point: MatrixExpr) -> "Gradient":
        return sp.Expr.__new__(cls, function, point)

    @property
    def shape(self) -> tuple[sp.Expr, sp.Expr]:
        return self.args[1].shape

    def vector_at(self, place: Place) -> tuple[Any, ...]:
        return place.model.functions[self.args[0]].gradient(place.vector(self.args[1]))

    def _latex(self, printer: Any) -> str:
        function, point = (printer.doprint(argument) for argument in self.args)
        return rf"\nabla {function}({point})"


class Hessian(MatrixExpr):
    """The Hessian of a scalar function at a vector v; on a manifold the Riemannian one, between tangent vectors."""

    def __new__(cls, function: sp.Symbol, point: MatrixExpr) -> "Hessian":
        return sp.Expr.__new__(cls, function, point)

    @property
    def shape(self) -> tuple[sp.Expr, sp.Expr]:
        return self.args[1].shape[0], self.args[1].shape[0]

    def _latex(self, printer: Any) -> str:
        function, point = (printer.doprint(argument) for argument in self.args)
        return rf"\nabla^2 {function}({point})"


class PartialGradient(MatrixExpr):
    """The block of the gradient of a function at a vector v = (A, B) that belongs to one of its blocks."""

    def __new__(cls, function: sp.Symbol, point: MatrixExpr, block: sp.MatrixSymbol) -> "PartialGradient":
        """Name the function by a symbol, and the block by the matrix symbol that stands for it in v."""
        return sp.Expr.__new__(cls, function, point, block)

    @property
    def shape(self) -> tuple[sp.Expr, sp.Expr]:
        return self.args[2].shape

    def vector_at(self, place: Place) -> tuple[Any, ...]:
        function, point, block = self.args
        return (place.model.functions[function].gradient(place.vector(point))[place.model.blocks[block]],)

    def _latex(self, printer: Any) -> str:
        function, point, block = (printer.doprint(argument) for argument in self.args)
        return rf"\nabla_{{{block}}} {function}({point})"


class Pair(MatrixExpr):
    """A vector of two parts, such as the arguments of a function of two: the blocks of both."""

    def __new__(cls, first: MatrixExpr, second: MatrixExpr) -> "Pair":
        return sp.Expr.__new__(cls, first, second)

    @property
    def shape(self) -> tuple[sp.Expr, sp.Expr]:
        """The shape of both parts as one column."""
        return sp.Add(*(sp.Mul(*part.shape) for part in self.args)), sp.Integer(1)

    def vector_at(self, place: Place) -> tuple[Any, ...]:
        return place.vector(self.args[0]) + place.vector(self.args[1])

    def _latex(self, printer: Any) -> str:
        return ", ".join(printer.doprint(argument) for argument in self.args)


class Value(sp.Expr):
    """The value of a scalar function (named by a symbol) at a matrix or vector: a real number."""

    is_commutative = True

    def __new__(cls, function: sp.Symbol, point: MatrixExpr) -> "Value":
        return sp.Expr.__new__(cls, function, point)

    def _eval_is_real(self) -> bool:
        return True

    def number_at(self, place: Place) -> Any:
        return place.model.functions[self.args[0]].value(place.vector(self.args[1]))

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        function, point = (printer.doprint(argument) for argument in self.args)
        return f"{function}({point})" if exp is None else f"{function}({point})^{{{exp}}}"


class InnerProduct(sp.Expr):
    """The inner product of two matrices or vectors of one shape, tr(X^T Y): a real number."""

    is_commutative = True

    def __new__(cls, x: MatrixExpr, y: MatrixExpr) -> "InnerProduct":
        return sp.Expr.__new__(cls, x, y)

    def _eval_is_real(self) -> bool:
        return True

    def number_at(self, place: Place) -> Any:
        return place.do.inner(*map(place.vector, self.args))

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        x, y = (printer.doprint(argument) for argument in self.args)
        text = rf"\left\langle {x}, {y} \right\rangle"
        return text if exp is None else f"{text}^{{{exp}}}"


class Iterate(MatrixExpr):
    """The value of a matrix or vector at step t of an algorithm: v_t, g_t, A_t."""

    def __new__(cls, name: str | sp.Symbol, t: sp.Expr, rows: sp.Expr | int, columns: sp.Expr | int) -> "Iterate":
        """Make every argument a sympy object, so that sympy can rebuild the node."""
        arguments = (
            sp.Symbol(str(name)),
            sp.sympify(t, strict=True),
            sp.sympify(rows, strict=True),
            sp.sympify(columns, strict=True),
        )
        return sp.Expr.__new__(cls, *arguments)

    @property
    def shape(self) -> tuple[sp.Expr, sp.Expr]:
        return self.args[2], self.args[3]

    def vector_at(self, place: Place) -> tuple[Any, ...]:
        """The blocks in the outcome; raises KeyError in a model without iterates."""
        if place.model.iterates is None:
            raise KeyError(str(self.args[0]))
        return place.model.iterates(str(self.args[0]), place.when(self.args[1]), place.outcome)

    def _latex(self, printer: Any) -> str:
        name, t = (printer.doprint(argument) for argument in self.args[:2])
        return f"{name}_{{{t}}}"


class _ExpectationLatex:
    """The LaTeX of E[X], or of E[X | past] with a second argument."""

    args: tuple[sp.Basic, ...]

    def _latex(self, printer: Any) -> str:
        inside = r" \mid ".join(printer.doprint(argument) for argument in self.args)
        return rf"\mathbb{{E}}\left[ {inside} \right]"


class Expectation(_ExpectationLatex, sp.Expr):
    """The expectation of a scalar expression, given the past if there is a second argument."""

    is_commutative = True

    def number_at(self, place: Place) -> Any:
        """The mean over the outcomes that are possible given the past."""
        body, *given = self.args
        return reduce(place.do.add, [place.do.times(p, at.number(body)) for p, at in place.outcomes(*given)])


class MatrixExpectation(_ExpectationLatex, MatrixExpr):
    """The expectation of a matrix or vector, entry by entry, given the past if there is a second argument."""

    def __new__(cls, matrix: MatrixExpr, *given: MatrixExpr) -> "MatrixExpectation":
        """Take the matrix and, for a conditional expectation, what is given."""
        return sp.Expr.__new__(cls, matrix, *given)

    @property
    def shape(self) -> tuple[sp.Expr, sp.Expr]:
        return self.args[0].shape

    def vector_at(self, place: Place) -> tuple[Any, ...]:
        """The mean over the outcomes that are possible given the past."""
        body, *given = self.args
        return reduce(place.plus, [place.scaled(p, at.vector(body)) for p, at in place.outcomes(*given)])


class MinimumOver(sp.Expr):
    """The minimum of an expression over the integers first <= t <= last."""

    is_commutative = True

    def __new__(cls, expression: sp.Expr, t: sp.Symbol, first: sp.Expr, last: sp.Expr) -> "MinimumOver":
        """Take the expression, its index t, and the ends of the range."""
        return sp.Expr.__new__(cls, expression, t, sp.sympify(first, strict=True), sp.sympify(last, strict=True))

    def number_at(self, place: Place) -> Any:
        return reduce(place.do.smaller, place.each(*self.args))

    def _latex(self, printer: Any) -> str:
        expression, t, first, last = (printer.doprint(argument) for argument in self.args)
        return rf"\min_{{{first} \le {t} \le {last}}} {expression}"


# The spaces of the MeFT setting: W in R^{d x k}, A in R^{r x k}, B in R^{d x r}, v = (A, B) in R^n.
d, k, n = (sp.Symbol(name, positive=True, integer=True) for name in ("d", "k", "n"))
f, F = sp.Symbol("f"), sp.Symbol("F")

# A time before t, over which sums range.
i = sp.Symbol("i", positive=True, integer=True)

# Points of these spaces by name, iterates, a stochastic gradient at an iterate, and a minimiser of F.
W, W0, W1, W2 = (sp.MatrixSymbol(name, d, k) for name in ("W", "W_0", "W_1", "W_2"))
A, A1, A2 = (sp.MatrixSymbol(name, r, k) for name in ("A", "A_1", "A_2"))
B, B1, B2 = (sp.MatrixSymbol(name, d, r) for name in ("B", "B_1", "B_2"))
v, v1, v2, v_star, g = (sp.MatrixSymbol(name, n, 1) for name in ("v", "v_1", "v_2", "v_star", "g"))
A_t, B_t, v_t, g_t = Iterate("A", t, r, k), Iterate("B", t, d, r), Iterate("v", t, n, 1), Iterate("g", t, n, 1)

v_first, v_last = v_t.xreplace({t: sp.Integer(1)}), v_t.xreplace({t: T + 1})

# The meaning of D.
GAP = Value(F, v_first) - f_star

SLOPE = Gradient(F, v_t)
SQUARE = EuclideanNorm(SLOPE) ** 2
MINIMUM_GRADIENT = MinimumOver(Expectation(SQUARE), t, 1, T)

# The smoothness along step t: F(v_{t+1}) = F(v_t) + <grad F(v_t), v_{t+1} - v_t> + ell_t ||v_{t+1} - v_t||^2 / 2.
ell_t = sp.Symbol("ell_t", real=True)
