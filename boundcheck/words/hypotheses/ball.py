"""The factors of the weight stay in a ball, on which a lemma makes F smooth."""

from dataclasses import dataclass

import sympy as sp

from boundcheck.claims.symbols import a, b, r, s, sigma
from boundcheck.words.hypotheses.base import Hypothesis, Worst


@dataclass(frozen=True)
class Ball(Hypothesis):
    """A ball of the factors, with a radius for each or one for all of them."""

    common: sp.Symbol = sigma
    """The symbol of the radius where there is one for all."""


BALL = Ball(
    "ball",
    "the factors stay in a ball",
    (a, b, sigma, r, s),
    "hypothesis",
    Worst(is_smooth=True),
    smooth_on="ball",
)
