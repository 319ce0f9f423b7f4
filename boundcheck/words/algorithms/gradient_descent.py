"""Gradient descent with a constant step size."""

from boundcheck.claims.symbols import alpha
from boundcheck.words.algorithms.linear import LinearMethod, g, v

GRADIENT_DESCENT = LinearMethod("gradient_descent", "gradient descent", (alpha,), moves=((v, v - alpha * g),))
