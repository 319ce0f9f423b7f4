r"""
Polyak's step
=============

Of a convex F the step :math:`h = (F(x) - f^*)/\|\nabla F(x)\|^2` comes nearer to every minimiser z.
"""

from sympy import MatrixSymbol, Symbol

from boundcheck.language.symbols import f_star
from boundcheck.language.vocabulary import EuclideanNorm, F, Gradient, InnerProduct, Value, n
from boundcheck.proof import eq, ge, judge, le, lemma

x, y, z = (MatrixSymbol(name, n, 1) for name in "xyz")
h = Symbol("h", positive=True)
slope, gap = Gradient(F, x), Value(F, x) - f_star
convex = ge(f_star, Value(F, x) + InnerProduct(slope, z - x))
given = [convex, eq(h * EuclideanNorm(slope) ** 2, gap), eq(y, x - h * slope)]
nearer = le(EuclideanNorm(y - z) ** 2, EuclideanNorm(x - z) ** 2 - h * gap)
polyak = lemma("my.polyak", given=given, says=nearer, title="Polyak's step")
judge(polyak)

# %%
# The step needs f*, and no smoothness.
