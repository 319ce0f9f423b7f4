"""Stochastic gradient descent: Algorithm 1 of jiang2024, and of Robbins and Monro 1951."""

from boundcheck.claims.symbols import alpha
from boundcheck.words.algorithms.linear import LinearMethod, g, v

SGD = LinearMethod("sgd", "SGD", (alpha,), is_stochastic=True, moves=((v, v - alpha * g),))
