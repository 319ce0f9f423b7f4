"""
XY and YX
=========

Their traces are equal. Are their norms?
"""

from sympy import MatrixSymbol

from boundcheck.language.vocabulary import FrobeniusNorm
from boundcheck.proof import eq, judge, lemma

X, Y = MatrixSymbol("X", 2, 2), MatrixSymbol("Y", 2, 2)
swapped = lemma("my.swapped", says=eq(FrobeniusNorm(X * Y), FrobeniusNorm(Y * X)))
judge(swapped)

# %%
# No. Small matrices show it.
