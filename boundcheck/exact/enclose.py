"""Rigorous numbers: from a SymPy expression at exact values to an Arb ball that contains its value."""

from collections.abc import Mapping

import sympy as sp
from flint import arb, ctx

from boundcheck.errors import InputError
from boundcheck.exact.balls import Balls
from boundcheck.exact.evaluate import Model, NoValueError

# A ball can come out NaN, where a root's argument straddles 0; more bits may help.
_LADDER = (64, 256, 1024, 4096)


def enclose(expression: sp.Expr, values: Mapping[sp.Symbol, sp.Expr], bits: int = _LADDER[0]) -> arb:
    """Enclose `expression` at `values`, at `bits` of precision or, where these give no number, at more.

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
    model = Model(Balls(), values=values, horizon=0, floats=False)
    try:
        for precision in (bits, *(more for more in _LADDER if more > bits)):
            with ctx.workprec(precision):
                ball = model.number(expression)
            if ball.is_finite():
                break
    except (NoValueError, KeyError) as error:
        expected = "numbers and known symbols, with + - * /, powers, exp, log, Min, Max and Abs alone"
        raise InputError("formula", error.args[0], expected) from None
    return ball
