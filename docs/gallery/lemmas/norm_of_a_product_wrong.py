"""
The norm of a product, too small
================================

With both norms on the right the spectral ones, the lemma is false.
"""

from sympy import MatrixSymbol

from boundcheck.language.vocabulary import FrobeniusNorm, SpectralNorm
from boundcheck.proof import judge, le, lemma

X, Y = MatrixSymbol("X", 2, 2), MatrixSymbol("Y", 2, 2)
wrong = lemma("my.product", says=le(FrobeniusNorm(X * Y), SpectralNorm(X) * SpectralNorm(Y)))
judge(wrong)

# %%
# The left side is the root of 2 at the identity, and the right side 1.
