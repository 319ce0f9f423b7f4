"""
A product changes little where its factors do
=============================================

What LoRA needs of its two factors.
"""

from sympy import MatrixSymbol, Symbol

from boundcheck.language.vocabulary import FrobeniusNorm, SpectralNorm, d, k, r
from boundcheck.proof import judge, le, lemma

X1, X2 = MatrixSymbol("X_1", d, r), MatrixSymbol("X_2", d, r)
Y1, Y2 = MatrixSymbol("Y_1", r, k), MatrixSymbol("Y_2", r, k)
x, y = Symbol("x", positive=True), Symbol("y", positive=True)
change = x * FrobeniusNorm(Y1 - Y2) + y * FrobeniusNorm(X1 - X2)
factors = lemma(
    "my.factors",
    given=[le(SpectralNorm(X1), x), le(SpectralNorm(Y2), y)],
    says=le(FrobeniusNorm(X1 * Y1 - X2 * Y2), change),
)
judge(factors)

# %%
# What the proof rests on is printed from the kernel's theorem: the two bounds that were given.
