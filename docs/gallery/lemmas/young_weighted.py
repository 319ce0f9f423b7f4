r"""
Young's inequality with a weight
================================

The form that proofs of convergence use: a positive :math:`\varepsilon` says which of the two terms
is to be small.
"""

from sympy import Symbol, symbols

from boundcheck.proof import judge, le, lemma

u, w = symbols("u w")
weight = Symbol("epsilon", positive=True)
weighted = lemma("my.weighted", says=le(u * w, weight * u**2 / 2 + w**2 / (2 * weight)))
judge(weighted)

# %%
# A symbol that is declared positive is positive in the lemma, and ``rests on`` says so.
