r"""The sign of a real radical expression, decided: an exact zero is told from a tiny number by a separation bound.

Every expression here is a quotient U / V of algebraic integers. If U is of degree at most D, no conjugate of U exceeds
u and none of V exceeds v, then U = 0 or :math:`|U| \ge u^{-(D-1)}`, for the product of its conjugates is a nonzero
integer. So the value is 0 or at least :math:`1 / (u^{D-1} v)`, and enough precision decides. (Burnikel, Fleischer,
Mehlhorn and Schirra, "A strong and easily computable separation bound for arithmetic expressions involving radicals",
2000.)
"""

from collections.abc import Mapping

import sympy as sp
from flint import arb, fmpz

from boundcheck.claims.enclose import enclose

_FIRST_BITS, _MOST_BITS = 64, 2**22


def sign(expression: sp.Expr, values: Mapping[sp.Symbol, sp.Expr]) -> int:
    """Decide the sign of `expression` at exact `values`: -1, 0 or 1, and never by rounding.

    Raises:
        ArithmeticError: for an expression that has no value there, or that four million bits do not decide.

    """
    smallest: arb | None = None
    bits = _FIRST_BITS
    while bits <= _MOST_BITS:
        ball = enclose(expression, values, bits)
        if ball > 0:
            return 1
        if ball < 0:
            return -1
        # The separation bound is needed by ties alone.
        smallest = smallest if smallest is not None else _separation(expression, values)
        if ball.is_finite() and ball.abs_upper() < smallest:
            return 0
        bits *= 2
    raise ArithmeticError(f"the sign of {expression} at {dict(values)} is undecided at {_MOST_BITS} bits")


def _separation(expression: sp.Expr, values: Mapping[sp.Symbol, sp.Expr]) -> arb:
    """A positive number below which the absolute value can only be 0."""
    u, v = _bits(expression, values)
    nodes = [*sp.preorder_traversal(expression)]
    nodes += [node for symbol in expression.free_symbols for node in sp.preorder_traversal(values[symbol])]
    radicals = {(node.base, node.exp.q) for node in nodes if isinstance(node, sp.Pow)}
    degree = 1
    for _, q in radicals:
        degree *= int(q)
    return arb(1) / arb(2) ** fmpz(u * (degree - 1) + v + 1)


def _bits(node: sp.Expr, values: Mapping[sp.Symbol, sp.Expr]) -> tuple[int, int]:
    """Upper bounds on log2 of u and v, for the node as a quotient of algebraic integers."""
    if isinstance(node, sp.Rational):
        return int(abs(node.p)).bit_length(), int(node.q).bit_length()
    if isinstance(node, sp.Symbol):
        return _bits(values[node], {})
    if isinstance(node, sp.Pow):
        return _power_bits(*_bits(node.base, values), node.exp)
    parts = [_bits(argument, values) for argument in node.args]
    u, v = parts[0]
    for next_u, next_v in parts[1:]:
        match node:
            case sp.Mul():
                u, v = u + next_u, v + next_v
            case sp.Add():
                u, v = max(u + next_v, next_u + v) + 1, v + next_v
            case _:  # Max and Min are one of their arguments.
                u, v = max(u, next_u), max(v, next_v)
    return u, v


def _power_bits(u: int, v: int, exponent: sp.Rational) -> tuple[int, int]:
    p, q = int(exponent.p), int(exponent.q)
    if q > 1:
        # The q-th root of U/V is that of U V^(q-1) over V.
        u = -(-(u + (q - 1) * v) // q)
    u, v = u * abs(p), v * abs(p)
    return (u, v) if p > 0 else (v, u)
