"""Stochastic gradient descent: Algorithm 1 of jiang2024, and of Robbins and Monro 1951."""

from boundcheck.language.algorithms.linear import LinearMethod, g, v
from boundcheck.language.symbols import alpha

SGD = LinearMethod("sgd", "SGD", (alpha,), is_stochastic=True, moves=((v, v - alpha * g),))
