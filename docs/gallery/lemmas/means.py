"""
The means of three numbers
==========================

The geometric mean is at most the arithmetic one. For three positive numbers, without roots.
"""

from sympy import symbols

from boundcheck.proof import judge, le, lemma

a, b, c = symbols("a b c", positive=True)
means = lemma("my.means", says=le(3 * a * b * c, a**3 + b**3 + c**3), title="Means of three")
judge(means)

# %%
# The certificate is a sum of squares with positive factors.
