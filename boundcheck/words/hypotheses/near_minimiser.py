"""F has a minimiser, and v_1 is within R_1 of it."""

from boundcheck.claims.symbols import R_1
from boundcheck.words.hypotheses.base import Hypothesis, Worst

NEAR_MINIMISER = Hypothesis("near_minimiser", "v_1 is near a minimiser", (R_1,), worst=Worst(distance=R_1))
