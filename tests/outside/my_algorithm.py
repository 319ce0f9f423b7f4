"""An algorithm of one's own, one file: every step is half of alpha."""

from boundcheck.claims.symbols import alpha
from boundcheck.words.algorithms import LinearMethod
from boundcheck.words.algorithms.linear import g, v

HALVED = LinearMethod("halved", "halved descent", (alpha,), moves=((v, v - alpha / 2 * g),))
