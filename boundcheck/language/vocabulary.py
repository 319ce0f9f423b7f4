"""The nouns and norms of claims, as sympy expressions that print as in the papers.

Each knows its value at a `Place` of a model, which is found from the values of its arguments. They
have no rules: a proof must say what follows from a norm.
"""

from collections.abc import Callable
from functools import reduce
from typing import Any, ClassVar, Self

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.exact.evaluate import NoValueError, Place, at_time
from boundcheck.exact.evaluate import t as t
from boundcheck.language.prose import typed
from boundcheck.language.symbols import T, f_star, r


class _Node:
    """A node over sympy objects, which prints by a template of LaTeX over its printed arguments."""

    args: tuple[Any, ...]
    template: ClassVar[str]
    # The value at a place, from the place and the arguments.
    value_at: ClassVar[Callable[..., Any]]
    # How many arguments it may have.
    arity: ClassVar[tuple[int, ...]] = (2,)

    def __new__(cls, *arguments: Any) -> Self:
        # A node that lacks one would fail far from where it was written.
        if len(arguments) not in cls.arity:
            expected = " or ".join(map(str, cls.arity))
            raise TypeError(f"{cls.__name__} has {len(arguments)} arguments: expected {expected}")
        made: Self = sp.Basic.__new__(cls, *(sp.sympify(each, strict=True) for each in arguments))
        return made

    def _latex(self, printer: Any) -> str:
        return self.template.format(*map(printer.doprint, self.args))

    def _sympystr(self, printer: Any) -> str:
        """The node in messages, as people write it, F(v_(t + 1)), with its letters as they are
        typed.
        """
        parts = sp.preorder_traversal(self)
        letters = (each for each in parts if isinstance(each, sp.Symbol | sp.MatrixSymbol))
        return typed(sp.latex(self, symbol_names={each: each.name for each in letters}))


class _Scalar(_Node, sp.Expr):
    is_commutative = True

    def number_at(self, place: Place) -> Any:
        return type(self).value_at(place, *self.args)


class _Real(_Scalar):
    def _eval_is_real(self) -> bool:
        return True


class _Norm(_Real):
    arity = (1,)

    def _eval_is_extended_nonnegative(self) -> bool:
        return True


class _Matrix(_Node, MatrixExpr):
    """A node whose shape follows from its arguments; unless it says else, that of the second."""

    shape_of: ClassVar[Callable[..., tuple[sp.Expr, sp.Expr]]] = staticmethod(
        lambda *args: args[1].shape
    )

    @property
    def shape(self) -> tuple[sp.Expr, sp.Expr]:
        return type(self).shape_of(*self.args)

    def vector_at(self, place: Place) -> tuple[Any, ...]:
        blocks: tuple[Any, ...] = type(self).value_at(place, *self.args)
        return blocks


class FrobeniusNorm(_Norm):
    """The Frobenius norm of a matrix, the square root of the sum of its squared entries."""

    template = r"\left\| {0} \right\|_F"
    value_at = staticmethod(lambda at, x: at.do.length(at.vector(x)))


class SpectralNorm(_Norm):
    """The spectral norm, the largest singular value sigma_1 of a matrix."""

    template = r"\left\| {0} \right\|_{{\mathrm{{op}}}}"
    value_at = staticmethod(lambda at, x: at.do.spectral(at.matrix(x)))


class EuclideanNorm(_Norm):
    """The Euclidean norm of a parameter vector v = (A, B), the root of ||A||_F^2 + ||B||_F^2."""

    template = r"\left\| {0} \right\|"
    value_at = FrobeniusNorm.value_at


class Value(_Real):
    """The value of a scalar function (named by a symbol) at a matrix or vector: a real number."""

    template = "{0}({1})"
    value_at = staticmethod(lambda at, f, x: at.model.functions[f].value(at.vector(x)))


class InnerProduct(_Real):
    """The inner product of two matrices or vectors of one shape, tr(X^T Y): a real number."""

    template = r"\left\langle {0}, {1} \right\rangle"
    value_at = staticmethod(lambda at, x, y: at.do.inner(at.vector(x), at.vector(y)))


class Gradient(_Matrix):
    """The gradient of a scalar function (named by a symbol) at a matrix or vector, of the same
    shape.
    """

    template = r"\nabla {0}({1})"
    value_at = staticmethod(lambda at, f, x: at.model.functions[f].gradient(at.vector(x)))


class PartialGradient(_Matrix):
    """The block of the gradient of a function at v = (A, B) that belongs to the block of this
    matrix symbol in v.
    """

    template, arity = r"\nabla_{{{2}}} {0}({1})", (3,)
    shape_of = staticmethod(lambda f, x, block: block.shape)
    value_at = staticmethod(
        lambda at, f, x, block: (
            at.model.functions[f].gradient(at.vector(x))[at.model.blocks[block]],
        )
    )


class Hessian(_Matrix):
    """The Hessian of a scalar function at a vector v; on a manifold the Riemannian one, between
    tangent vectors.
    """

    template = r"\nabla^2 {0}({1})"
    shape_of = staticmethod(lambda f, x: (x.shape[0], x.shape[0]))

    @staticmethod
    def value_at(at: Place, *args: Any) -> Any:
        raise NoValueError(Hessian(*args))


class Pair(_Matrix):
    """A vector of two parts, such as the arguments of a function of two: the blocks of both, in one
    column.
    """

    template = "{0}, {1}"
    shape_of = staticmethod(
        lambda *parts: (sp.Add(*(sp.Mul(*part.shape) for part in parts)), sp.Integer(1))
    )
    value_at = staticmethod(lambda at, x, y: at.vector(x) + at.vector(y))


class Iterate(_Matrix):
    """The value of a matrix or vector at step t of an algorithm: v_t, g_t, A_t."""

    template, arity = "{0}_{{{1}}}", (4,)
    shape_of = staticmethod(lambda name, t, rows, columns: (rows, columns))

    def __new__(
        cls, name: str | sp.Symbol, t: sp.Expr, rows: sp.Expr | int, columns: sp.Expr | int
    ) -> Self:
        return super().__new__(cls, sp.Symbol(str(name)), t, rows, columns)

    @staticmethod
    def value_at(at: Place, name: sp.Symbol, t: sp.Expr, *_: sp.Expr) -> tuple[Any, ...]:
        """The blocks in the outcome; raises KeyError in a model without iterates."""
        if at.model.iterates is None:
            raise KeyError(str(name))
        return at.model.iterates(str(name), at.when(t), at.outcome)


class _Mean(_Node):
    """The mean over the outcomes that are possible given the past."""

    # Of two pasts a proof says that it reads one.
    arity = (1, 2, 3)

    def _latex(self, printer: Any) -> str:
        inside = r" \mid ".join(map(printer.doprint, self.args))
        return rf"\mathbb{{E}}\left[ {inside} \right]"


class Expectation(_Mean, _Scalar):
    """The expectation of a scalar expression, given the past if there is a second argument."""

    @staticmethod
    def value_at(at: Place, body: Any, *given: Any) -> Any:
        return reduce(
            at.do.add, [at.do.times(p, there.number(body)) for p, there in at.outcomes(*given)]
        )


class MatrixExpectation(_Mean, _Matrix):
    """The expectation of a matrix or vector, entry by entry, given the past if there is a second
    argument.
    """

    shape_of = staticmethod(lambda body, *given: body.shape)

    @staticmethod
    def value_at(at: Place, body: Any, *given: Any) -> tuple[Any, ...]:
        return reduce(
            at.plus, [at.scaled(p, there.vector(body)) for p, there in at.outcomes(*given)]
        )


class MinimumOver(_Scalar):
    """The minimum of an expression over the integers first <= t <= last: its arguments, with the
    index t second.
    """

    template, arity = r"\min_{{{2} \le {1} \le {3}}} {0}", (4,)
    value_at = staticmethod(lambda at, *args: reduce(at.do.smaller, at.each(*args)))

    def _sympystr(self, printer: Any) -> str:
        # Without brackets nothing says where it ends.
        return f"({super()._sympystr(printer)})"


# The spaces of the MeFT setting: W in R^{d x k}, A in R^{r x k}, B in R^{d x r}, v = (A, B) in R^n.
d, k, n = (sp.Symbol(name, positive=True, integer=True) for name in ("d", "k", "n"))
f, F = sp.Symbol("f"), sp.Symbol("F")

# A time before t, over which sums range.
i = sp.Symbol("i", positive=True, integer=True)

# Points of these spaces by name, iterates, a stochastic gradient at an iterate, and a minimiser of
# F.
W, W0, W1, W2 = (sp.MatrixSymbol(name, d, k) for name in ("W", "W_0", "W_1", "W_2"))
A, A1, A2 = (sp.MatrixSymbol(name, r, k) for name in ("A", "A_1", "A_2"))
B, B1, B2 = (sp.MatrixSymbol(name, d, r) for name in ("B", "B_1", "B_2"))
v, v1, v2, v_star, g = (sp.MatrixSymbol(name, n, 1) for name in ("v", "v_1", "v_2", "v_star", "g"))
A_t, B_t, v_t, g_t = (
    Iterate("A", t, r, k),
    Iterate("B", t, d, r),
    Iterate("v", t, n, 1),
    Iterate("g", t, n, 1),
)

v_first, v_next, v_last = (at_time(v_t, each) for each in (sp.Integer(1), t + 1, T + 1))

# The meaning of D.
GAP = Value(F, v_first) - f_star

SLOPE = Gradient(F, v_t)
SQUARE = EuclideanNorm(SLOPE) ** 2
MINIMUM_GRADIENT = MinimumOver(Expectation(SQUARE), t, 1, T)

# The smoothness along step t: F(v_{t+1}) = F(v_t) + <grad F(v_t), v_{t+1} - v_t> + ell_t ||v_{t+1}
# - v_t||^2 / 2.
ell_t = sp.Symbol("ell_t", real=True)
