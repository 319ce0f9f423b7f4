"""
Motzkin's polynomial
====================

It is nowhere negative, and is no sum of squares: no certificate of the usual kind exists.
"""

from sympy import symbols

from boundcheck.proof import judge, le, lemma

x, y = symbols("x y")
motzkin = lemma("my.motzkin", says=le(3 * x**2 * y**2, x**4 * y**2 + x**2 * y**4 + 1))
judge(motzkin)

# %%
# A solver, z3, says that it holds. The result says who was believed: its trust is ``solver`` and
# not ``kernel``.
