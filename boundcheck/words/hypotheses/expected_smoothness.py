"""Expected smoothness (ABC): the second moment of the stochastic gradient grows with the gap and the gradient."""

from boundcheck.claims.symbols import abc_a, abc_b, abc_c
from boundcheck.words.hypotheses.base import Hypothesis

EXPECTED_SMOOTHNESS = Hypothesis(
    "expected_smoothness", "expected smoothness (ABC)", (abc_a, abc_b, abc_c), is_about_noise=True, is_of_a_run=False
)
