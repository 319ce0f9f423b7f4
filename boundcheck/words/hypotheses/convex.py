"""F is convex, or strongly convex."""

from boundcheck.claims.symbols import m
from boundcheck.words.hypotheses.base import Hypothesis, Worst

CONVEX = Hypothesis("convex", "F is convex", (), "hypothesis", Worst(is_convex=True))
STRONGLY_CONVEX = Hypothesis("strongly_convex", "F is strongly convex", (m,), worst=Worst(is_convex=True, strong=m))
