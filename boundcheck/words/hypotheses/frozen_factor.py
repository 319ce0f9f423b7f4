"""One factor of the weight is frozen, which makes F smooth on all of space."""

from boundcheck.claims.symbols import a, b
from boundcheck.words.hypotheses.base import Hypothesis, Worst

FROZEN_FACTOR = Hypothesis(
    "frozen_factor", "one factor is frozen", (a, b), worst=Worst(is_smooth=True), smooth_on="frozen"
)
