r"""The sign of a real expression, decided: an exact zero is told from a tiny number by a separation bound.

Every radical expression is a quotient U / V of algebraic integers. If U is of degree at most D, no conjugate of U
exceeds u and none of V exceeds v, then U = 0 or :math:`|U| \ge u^{-(D-1)}`, for the product of its conjugates is a
nonzero integer. So the value is 0 or at least :math:`1 / (u^{D-1} v)`, and enough precision decides. (Burnikel,
Fleischer, Mehlhorn and Schirra, "A strong and easily computable separation bound for arithmetic expressions involving
radicals", 2000.) With exp, log or an irrational exponent no such bound is known: a difference is decided, a tie is not.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, cast

import sympy as sp
from flint import arb, fmpz

from boundcheck.errors import InputError
from boundcheck.exact.enclose import enclose
from boundcheck.exact.evaluate import Model, rational_exponent

# If even the most bits cannot decide a tie, fewer are tried to find a difference.
_FIRST_BITS, _FEW_BITS, _MOST_BITS = 64, 2**15, 2**22


def sign(expression: sp.Expr, values: Mapping[sp.Symbol, sp.Expr]) -> int:
    """Decide the sign of `expression` at exact `values`: -1, 0 or 1, and never by rounding.

    Raises:
        InputError: for an expression that has no value there, and for a sign that cannot be decided: with exp, log or
            an irrational exponent, a value that is 0 or as good as 0; else one that four million bits do not decide.

    """
    bits, most, separation = _FIRST_BITS, _FIRST_BITS, None
    while bits <= most:
        ball = enclose(expression, values, bits)
        if ball > 0:
            return 1
        if ball < 0:
            return -1
        if ball.is_zero():
            return 0
        if bits == _FIRST_BITS:
            # Only ties need the separation bound.
            separation = _separation(expression, values)
            most = _FEW_BITS if separation is None or separation > _MOST_BITS else _MOST_BITS
        if separation is not None and ball.is_finite() and ball.abs_upper() < arb(1) / arb(2) ** fmpz(separation):
            return 0
        bits *= 2
    at = ", ".join(f"{symbol} = {value}" for symbol, value in values.items())
    raise InputError(
        "sign", expression, f"a number whose sign {most} bits tell" + (f", which at {at} they do not" * bool(at))
    )


def _separation(expression: sp.Expr, values: Mapping[sp.Symbol, sp.Expr]) -> int | None:
    """An n such that the absolute value is 0 or at least 2^-n; None where none is known."""
    nodes = [*sp.preorder_traversal(expression)]
    nodes += [node for symbol in expression.free_symbols for node in sp.preorder_traversal(values[symbol])]
    exponents = {node: rational_exponent(node, values) for node in nodes if isinstance(node, sp.Pow)}
    if None in exponents.values() or any(isinstance(node, sp.exp | sp.log) or node is sp.E for node in nodes):
        return None
    u, v = Model(cast(Any, _Sizes()), values=values, horizon=0, floats=False).number(expression)
    radicals = {(node.base, int(exponent.q)) for node, exponent in exponents.items() if exponent is not None}
    degree = 1
    for _, q in radicals:
        degree *= q
    return u * (degree - 1) + v + 1


class _Sizes:
    """Upper bounds on log2 of u and v, for a number as a quotient of algebraic integers."""

    def rational(self, x: Fraction) -> tuple[int, int]:
        return abs(x.numerator).bit_length(), x.denominator.bit_length()

    def add(self, x: tuple[int, int], y: tuple[int, int]) -> tuple[int, int]:
        return max(x[0] + y[1], y[0] + x[1]) + 1, x[1] + y[1]

    def times(self, x: tuple[int, int], y: tuple[int, int]) -> tuple[int, int]:
        return x[0] + y[0], x[1] + y[1]

    def larger(self, x: tuple[int, int], y: tuple[int, int]) -> tuple[int, int]:
        return max(x[0], y[0]), max(x[1], y[1])

    smaller = larger

    def power(self, x: tuple[int, int], exponent: Fraction) -> tuple[int, int]:
        (u, v), p, q = x, exponent.numerator, exponent.denominator
        # The q-th root of U/V is that of U V^(q-1) over V.
        u = -(-(u + (q - 1) * v) // q)
        u, v = u * abs(p), v * abs(p)
        return (u, v) if p > 0 else (v, u)
