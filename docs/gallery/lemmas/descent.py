r"""
The descent lemma, and a step
=============================

Where F is L-smooth between x and y, a gradient step of length :math:`h \le 1/L` lowers F by half of
:math:`h\|\nabla F\|^2` at least.
"""

from sympy import MatrixSymbol, Symbol

from boundcheck.language.vocabulary import EuclideanNorm, F, Gradient, InnerProduct, Value, n
from boundcheck.proof import eq, judge, le, lemma

x, y = MatrixSymbol("x", n, 1), MatrixSymbol("y", n, 1)
h, L = Symbol("h", positive=True), Symbol("L", positive=True)
slope, step = Gradient(F, x), y - x
parabola = Value(F, x) + InnerProduct(slope, step) + L / 2 * EuclideanNorm(step) ** 2
given = [le(Value(F, y), parabola), eq(y, x - h * slope), le(L * h, 1)]
lower = Value(F, x) - h / 2 * EuclideanNorm(slope) ** 2
descent = lemma("my.descent", given=given, says=le(Value(F, y), lower), title="A step descends")
judge(descent)

# %%
# The smoothness was given as the one inequality that is used, between x and y.
