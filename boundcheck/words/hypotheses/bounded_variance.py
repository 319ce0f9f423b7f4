"""The variance of the stochastic gradient is at most zeta^2."""

from boundcheck.claims.symbols import zeta
from boundcheck.words.hypotheses.base import Hypothesis, Worst

BOUNDED_VARIANCE = Hypothesis(
    "bounded_variance", "bounded variance", (zeta,), worst=Worst(noise=zeta), is_about_noise=True
)
