"""The factors of the weight stay in a ball, on which a lemma makes F smooth."""

from boundcheck.claims.symbols import a, b, r, s, sigma
from boundcheck.words.hypotheses.base import Hypothesis, Worst

BALL = Hypothesis(
    "ball", "the factors stay in a ball", (a, b, sigma, r, s), "hypothesis", Worst(is_smooth=True), smooth_on="ball"
)
