"""f is bounded below by f*, and F(v_1) - f* is at most D."""

from boundcheck.claims.symbols import D
from boundcheck.words.hypotheses.base import Hypothesis, Worst

BOUNDED_BELOW = Hypothesis("bounded_below", "bounded below", (D,), worst=Worst(gap=D))
