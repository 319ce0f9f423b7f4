"""An algorithm of one's own, one file: every step is half of alpha."""

from boundcheck.language.algorithms import LinearMethod, g, v
from boundcheck.language.symbols import alpha

HALVED = LinearMethod("halved", "halved descent", (alpha,), moves=((v, v - alpha / 2 * g),))
