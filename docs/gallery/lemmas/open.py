"""
A lemma that stays open
=======================

Nothing says that f is nowhere negative. Nobody finds a proof, and nobody a witness.
"""

from sympy import MatrixSymbol

from boundcheck.language.vocabulary import Value, f
from boundcheck.proof import ge, judge, lemma

X = MatrixSymbol("X", 2, 2)
nowhere = lemma("my.open", says=ge(Value(f, X), 0), title="f is nowhere negative")
judge(nowhere)

# %%
# The answer is ``unknown``, with what was tried. It is no verdict on the lemma.
