"""
A step that descends too much
=============================

The same step, said to lower F by twice as much.
"""

from sympy import MatrixSymbol, Symbol

from boundcheck.language.vocabulary import EuclideanNorm, F, Gradient, InnerProduct, Value, n
from boundcheck.proof import eq, judge, le, lemma

x, y = MatrixSymbol("x", n, 1), MatrixSymbol("y", n, 1)
h, L = Symbol("h", positive=True), Symbol("L", positive=True)
slope, step = Gradient(F, x), y - x
parabola = Value(F, x) + InnerProduct(slope, step) + L / 2 * EuclideanNorm(step) ** 2
given = [le(Value(F, y), parabola), eq(y, x - h * slope), le(L * h, 1)]
lower = Value(F, x) - h * EuclideanNorm(slope) ** 2
wrong = lemma("my.descent", given=given, says=le(Value(F, y), lower), title="Twice as much")
judge(wrong)

# %%
# The witness is a function in one dimension, two points and a step, for which all that is given
# holds.
