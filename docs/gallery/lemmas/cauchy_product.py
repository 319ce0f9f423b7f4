"""
A product of sums of squares
============================

Cauchy's inequality for two pairs of numbers.
"""

from sympy import symbols

from boundcheck.proof import judge, le, lemma

u, v, x, y = symbols("u v x y")
cauchy = lemma("my.cauchy", says=le((u * x + v * y) ** 2, (u**2 + v**2) * (x**2 + y**2)))
judge(cauchy)

# %%
# What the right side has more is one square, which is the whole proof.
