"""Gradient descent with a constant step size."""

from boundcheck.language.algorithms.linear import LinearMethod, g, v
from boundcheck.language.symbols import alpha

GRADIENT_DESCENT = LinearMethod("gradient_descent", "gradient descent", (alpha,), moves=((v, v - alpha * g),))
