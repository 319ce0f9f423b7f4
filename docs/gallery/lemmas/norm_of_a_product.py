r"""
The norm of a product
=====================

:math:`\|XY\|_F \le \|X\|_{op} \|Y\|_F`, for matrices of any shape.
"""

from sympy import MatrixSymbol, symbols

from boundcheck.language.vocabulary import FrobeniusNorm, SpectralNorm
from boundcheck.proof import judge, le, lemma

m, n, p = symbols("m n p", positive=True, integer=True)
X, Y = MatrixSymbol("X", m, n), MatrixSymbol("Y", n, p)
product = lemma("my.product", says=le(FrobeniusNorm(X * Y), SpectralNorm(X) * FrobeniusNorm(Y)))
judge(product)

# %%
# The laws of norms that the line needs were found. The proof is for all m, n and p.
