"""The gradient of f in W is bounded, in the Frobenius or in the spectral norm."""

from boundcheck.claims.symbols import G
from boundcheck.words.hypotheses.base import Hypothesis, Worst

BOUNDED_GRADIENT = Hypothesis("bounded_gradient", "bounded gradient in W", (G,), worst=Worst())
BOUNDED_SPECTRAL_GRADIENT = Hypothesis(
    "bounded_spectral_gradient", "bounded spectral norm of the gradient in W", (G,), worst=Worst()
)
