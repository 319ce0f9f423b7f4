"""F is smooth along the iterates, in balls around the segments between them, or on all of space."""

from boundcheck.claims.symbols import ell
from boundcheck.words.hypotheses.base import Hypothesis, Worst

_IS_SMOOTH = Worst(is_smooth=True)
SMOOTH = Hypothesis("smooth", "F is smooth along the iterates", (ell,), worst=_IS_SMOOTH, smooth_on="path")
SMOOTH_AROUND = Hypothesis(
    "smooth_around", "F is smooth around the iterates", (ell,), worst=_IS_SMOOTH, smooth_on="space"
)
SMOOTH_EVERYWHERE = Hypothesis(
    "smooth_everywhere", "F is smooth on all of space", (ell,), worst=_IS_SMOOTH, smooth_on="space"
)
