"""
Young's inequality, misremembered
=================================

With a quarter in place of a half it is false.
"""

from sympy import symbols

from boundcheck.proof import judge, le, lemma

u, w = symbols("u w")
wrong = lemma("my.quarter", says=le(u * w, u**2 / 4 + w**2 / 4), title="With a quarter")
judge(wrong)

# %%
# The numbers below the line are the witness, exact. Anyone can put them in.
