"""The value of a formula at rational numbers: worlds take what claims define from the claims."""

from fractions import Fraction

from boundcheck.claims import Claim
from boundcheck.exact.evaluate import rational_value


def stated(claim: Claim, name: str, **numbers: Fraction) -> Fraction:
    """What a claim says of one of its quantities, given the parameters and earlier quantities in its formula.

    Raises:
        ArithmeticError: where that is irrational.

    """
    expression = next(quantity.expression for quantity in claim.quantities if quantity.name == name)
    value = rational_value(expression, numbers)
    if value is None:
        raise ArithmeticError(f"{name} of {claim.id} is irrational at {numbers}")
    return value
