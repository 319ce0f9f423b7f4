"""
The square of a sum, without the 2
==================================

Forget the factor, and vectors that point the same way break it.
"""

from sympy import MatrixSymbol

from boundcheck.language.vocabulary import EuclideanNorm
from boundcheck.proof import judge, le, lemma

x, y = MatrixSymbol("x", 2, 1), MatrixSymbol("y", 2, 1)
parts = EuclideanNorm(x) ** 2 + EuclideanNorm(y) ** 2
wrong = lemma("my.sum", says=le(EuclideanNorm(x + y) ** 2, parts))
judge(wrong)

# %%
# With one vector twice the left side is four times its square, and the right side two times.
