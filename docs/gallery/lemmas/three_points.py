"""
Three points
============

The identity behind the analysis of mirror and proximal methods.
"""

from sympy import MatrixSymbol

from boundcheck.language.vocabulary import EuclideanNorm, InnerProduct, n
from boundcheck.proof import eq, judge, lemma

x, y, z = (MatrixSymbol(name, n, 1) for name in "xyz")
apart = EuclideanNorm(x - y) ** 2 + EuclideanNorm(x - z) ** 2 - EuclideanNorm(y - z) ** 2
three = lemma("my.three", says=eq(2 * InnerProduct(x - y, x - z), apart), title="Three points")
judge(three)

# %%
# An equation is a lemma, too.
