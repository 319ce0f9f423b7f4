r"""
The square of a sum
===================

:math:`\|x + y\|^2 \le 2\|x\|^2 + 2\|y\|^2`, the step behind many a factor 2.
"""

from sympy import MatrixSymbol

from boundcheck.language.vocabulary import EuclideanNorm, n
from boundcheck.proof import judge, le, lemma

x, y = MatrixSymbol("x", n, 1), MatrixSymbol("y", n, 1)
parts = 2 * EuclideanNorm(x) ** 2 + 2 * EuclideanNorm(y) ** 2
total = lemma("my.sum", says=le(EuclideanNorm(x + y) ** 2, parts), title="A sum, squared")
judge(total)

# %%
# It is the step behind many a factor 2.
