"""
Tested before it is proved
==========================

``check_claim`` tries a lemma on matrices that Hypothesis draws, and steers toward a large ratio of
the two sides.
"""

from sympy import MatrixSymbol

from boundcheck.language.vocabulary import FrobeniusNorm, SpectralNorm
from boundcheck.proof import le, lemma
from boundcheck.properties import ClaimViolatedError, check_claim

X, Y = MatrixSymbol("X", 2, 3), MatrixSymbol("Y", 3, 2)
true = lemma("my.true", says=le(FrobeniusNorm(X * Y), SpectralNorm(X) * FrobeniusNorm(Y)))
false = lemma("my.false", says=le(FrobeniusNorm(X * Y), SpectralNorm(X) * SpectralNorm(Y)))
print(check_claim(true))
try:
    check_claim(false)
except ClaimViolatedError as error:
    print(error)

# %%
# The first is reached somewhere, so it is sharp. The second ends in the smallest instance that
# breaks it, and in a file of that.
