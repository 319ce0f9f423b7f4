"""Rigorous numbers: a sympy expression over exact inputs to an Arb ball that contains its value.

Arb (through python-flint) propagates rounding errors outward, so `lower` and `upper` are bounds and not estimates.
"""

import math
from collections.abc import Mapping
from fractions import Fraction

import sympy as sp
from flint import arb, ctx, fmpq

from boundcheck.errors import InputError

# A ball can come out NaN, where a root's argument straddles 0; more bits may help.
_LADDER = (64, 256, 1024, 4096)
# Roots of higher index are taken by logarithms, as powers of irrational exponent are.
_MOST_ROOTS = 2**16


def enclose(expression: sp.Expr, values: Mapping[sp.Symbol, sp.Expr], bits: int = _LADDER[0]) -> arb:
    """Enclose `expression` at `values`, working at `bits` of precision or, where those give no number, at more.

    Args:
        expression: built of rationals, symbols, sums, products, powers, exp, log, Max, Min and Abs. A power whose
            exponent is not rational at `values` is exp(exponent log(base)), of a base that is positive.
        values: for each symbol an exact sympy number (rational, or such as sqrt(2) and exp(1)).
        bits: working precision; the ball is wider where the expression cancels, and always right.

    Returns:
        A ball that contains the exact value. It is NaN or unbounded only where 4096 bits find no number either.

    Raises:
        InputError: for a node that has no enclosure here.

    """
    for precision in (bits, *(more for more in _LADDER if more > bits)):
        with ctx.workprec(precision):
            ball = _ball(expression, values)
        if ball.is_finite():
            break
    return ball


def ball_of(x: Fraction) -> arb:
    """A ball that contains a rational, at the working precision."""
    return arb(fmpq(x.numerator, x.denominator))


def _ball(node: sp.Expr, values: Mapping[sp.Symbol, sp.Expr]) -> arb:
    if isinstance(node, sp.Rational):
        return arb(fmpq(int(node.p), int(node.q)))
    if isinstance(node, sp.Symbol) and node in values:
        return _ball(values[node], {})
    if isinstance(node, sp.Add | sp.Mul | sp.Max | sp.Min):
        first, *rest = (_ball(argument, values) for argument in node.args)
        for ball in rest:
            first = _COMBINE[node.func](first, ball)
        return first
    if isinstance(node, sp.Abs):
        return abs(_ball(node.args[0], values))
    if isinstance(node, sp.exp | sp.log) and len(node.args) == 1:
        ball = _ball(node.args[0], values)
        return ball.exp() if isinstance(node, sp.exp) else ball.log()
    if node is sp.E:
        return arb(1).exp()
    if isinstance(node, sp.Pow):
        base, exponent = _ball(node.base, values), rational_exponent(node, values)
        if exponent is None:
            return (_ball(node.exp, values) * base.log()).exp()
        return power(base, Fraction(int(exponent.p), int(exponent.q)))
    raise InputError(
        "formula", node, "numbers and known symbols, with + - * /, powers, exp, log, Min, Max and Abs alone"
    )


def rational_exponent(node: sp.Pow, values: Mapping[sp.Symbol, sp.Expr]) -> sp.Rational | None:
    """The exponent of a power, where it is a rational at `values` of which roots are taken; None where it is not."""
    exponent = node.exp
    # A power inside of an exponent may have more digits than there is memory.
    if not exponent.is_Rational and not exponent.has(sp.Pow, sp.exp, sp.log):
        exponent = exponent.xreplace(dict(values))
    return exponent if isinstance(exponent, sp.Rational) and exponent.q <= _MOST_ROOTS else None


_COMBINE = {
    sp.Add: lambda x, y: x + y,
    sp.Mul: lambda x, y: x * y,
    sp.Max: lambda x, y: x.max(y),
    sp.Min: lambda x, y: x.min(y),
}


def power(base: arb, exponent: Fraction) -> arb:
    """A rational power of a ball."""
    # Roots first: x.root(n) is tighter than exp(log(x)/n), and right at x = 0. Products, because x ** 2 is NaN in
    # python-flint for a ball around 0.
    n, m = exponent.denominator, exponent.numerator
    square = base if n == 1 else (base.sqrt() if n == 2 else base.root(n))
    product, left = arb(1), abs(m)
    while left:
        product = product * square if left % 2 else product
        square, left = square * square, left // 2
    return product if m > 0 else 1 / product


def upper(ball: arb) -> float:
    """The smallest float that this module can prove to be at least the ball's upper end."""
    return _outward(ball.upper(), math.inf)


def lower(ball: arb) -> float:
    """The largest float that this module can prove to be at most the ball's lower end."""
    return _outward(ball.lower(), -math.inf)


def _outward(end: arb, direction: float) -> float:
    nearest = float(end)
    if not math.isfinite(nearest):
        raise ArithmeticError(f"no finite bound: the enclosure ends at {end}")
    beyond = arb(nearest) >= end if direction > 0 else arb(nearest) <= end
    return nearest if beyond else math.nextafter(nearest, direction)
