"""The stochastic gradient is unbiased, given the past where the proof needs it so."""

from boundcheck.words.hypotheses.base import Hypothesis, Worst

UNBIASED = Hypothesis("unbiased", "unbiased stochastic gradient", (), "hypothesis", Worst(), is_about_noise=True)
