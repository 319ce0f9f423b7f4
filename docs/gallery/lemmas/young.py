"""
Young's inequality
==================

The product of two numbers is at most half the sum of their squares.
"""

from sympy import symbols

from boundcheck.proof import judge, le, lemma

u, w = symbols("u w")
young = lemma("my.young", says=le(u * w, u**2 / 2 + w**2 / 2), title="Young's inequality")
judge(young)

# %%
# Open the lines of the proof: the certificate that the kernel checked is a square.
