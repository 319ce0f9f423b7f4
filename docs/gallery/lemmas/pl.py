r"""
The Polyak–Łojasiewicz inequality
=================================

Where :math:`\|\nabla F\|^2 \ge 2\mu(F - f^*)`, a step of 1/L shrinks the gap by the factor
:math:`1 - \mu/L`.
"""

from sympy import MatrixSymbol, Symbol

from boundcheck.language.symbols import f_star
from boundcheck.language.vocabulary import EuclideanNorm, F, Gradient, Value, n
from boundcheck.proof import ge, judge, le, lemma

x, y = MatrixSymbol("x", n, 1), MatrixSymbol("y", n, 1)
mu, L = Symbol("mu", positive=True), Symbol("L", positive=True)
square, gap = EuclideanNorm(Gradient(F, x)) ** 2, Value(F, x) - f_star
given = [le(Value(F, y), Value(F, x) - square / (2 * L)), ge(square, 2 * mu * gap)]
faster = le(Value(F, y) - f_star, (1 - mu / L) * gap)
pl = lemma("my.pl", given=given, says=faster, title="A step under PL")
judge(pl)

# %%
# Repeated, it is linear convergence, without convexity.
