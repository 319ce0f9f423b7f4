"""The value of a formula at rational numbers: worlds take what claims define from the claims."""

from collections.abc import Mapping
from fractions import Fraction

import sympy as sp

from boundcheck.claims import Claim


def exact_value(expression: sp.Expr, numbers: Mapping[str, Fraction]) -> Fraction | None:
    """The value of a formula, where it is rational."""
    values = {x: sp.Rational(numbers[x.name].numerator, numbers[x.name].denominator) for x in expression.free_symbols}
    value = sp.sympify(expression.subs(values), strict=True).doit()
    return Fraction(int(value.p), int(value.q)) if isinstance(value, sp.Rational) else None


def stated(claim: Claim, name: str, **numbers: Fraction) -> Fraction:
    """What a claim says of one of its quantities, given the parameters and earlier quantities in its formula.

    Raises:
        ArithmeticError: where that is irrational.

    """
    expression = next(quantity.expression for quantity in claim.quantities if quantity.name == name)
    value = exact_value(expression, numbers)
    if value is None:
        raise ArithmeticError(f"{name} of {claim.id} is irrational at {numbers}")
    return value
