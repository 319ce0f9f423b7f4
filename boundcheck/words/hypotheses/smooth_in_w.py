"""f is L-smooth in the weight W; what that makes of F is for a ball, or a lemma about an adapter, to say."""

from boundcheck.claims.symbols import L
from boundcheck.words.hypotheses.base import Hypothesis, Worst

SMOOTH_IN_W = Hypothesis("smooth_in_w", "f is smooth in W", (L,), worst=Worst())
