"""What a user gives for a symbol, made exact and checked against the symbol's domain."""

import numbers
import re
from collections.abc import Collection, Mapping
from fractions import Fraction
from tokenize import TokenError
from typing import Any, TypeAlias

import numpy as np
import sympy as sp
from sympy.parsing.sympy_parser import parse_expr, rationalize, standard_transformations

from boundcheck.claims.enclose import enclose
from boundcheck.claims.symbols import Parameter
from boundcheck.errors import InputError

Number: TypeAlias = int | float | str | Fraction | sp.Expr


def exact(name: str, value: Any) -> sp.Expr:
    """The exact number that `value` denotes: a float is its binary value, a string its decimal or fraction.

    Raises:
        InputError: for text that is no number, and for NaN or an infinity.

    """
    expected = "a finite number such as 10_000, 0.1, 1e-3 or 3/4"
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        if isinstance(value, sp.Expr):
            number = sp.Rational(value) if isinstance(value, sp.Float) else value
            # Raises TypeError for what is not built of rationals and roots.
            if not enclose(number, {}).is_finite():
                raise ValueError
            return number
        if isinstance(value, numbers.Integral):
            return sp.Integer(int(value))
        fraction = Fraction(value) if isinstance(value, str | Fraction) else Fraction(float(value))
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        raise InputError(name, value, expected) from None
    return sp.Rational(fraction.numerator, fraction.denominator)


def formula(name: str, text: str, symbols: Collection[sp.Symbol]) -> sp.Expr:
    """The exact expression that `text` denotes over these symbols, such as ``bound/2.5`` or ``4*Lhat*D/zeta**2``.

    Raises:
        InputError: for what is no formula, or has another symbol in it.

    """
    known = {str(symbol.name): symbol for symbol in symbols}
    listed = ", ".join(sorted(known))
    expected = f"a formula such as 2*{name.rpartition('.')[2]} over the symbols {listed}, with sqrt, + - * / and **"
    words = set(re.findall(r"[A-Za-z_]\w*(?!\w)", re.sub(r"\d[\d_.]*(?:e[+-]?\d+)?", "0", text)))
    # The words are looked up before anything is evaluated.
    if not re.fullmatch(r"[\w\s+\-*/().]+", text) or not words <= known.keys() | {"sqrt"}:
        raise InputError(name, text, expected)
    try:
        expression = parse_expr(text, known | {"sqrt": sp.sqrt}, (*standard_transformations, rationalize))
        if not isinstance(expression, sp.Expr) or expression.has(sp.zoo, sp.nan, sp.oo):
            raise TypeError
    except (SyntaxError, TypeError, ValueError, TokenError):
        raise InputError(name, text, expected) from None
    return expression


def checked(parameters: Collection[Parameter], given: Mapping[str, Number]) -> dict[sp.Symbol, sp.Expr]:
    """Exact values for exactly these parameters, each inside its domain.

    Raises:
        InputError: for an unknown name, a missing one, a nonpositive value or a fractional integer.

    """
    known = {parameter.name: parameter for parameter in parameters}
    listed = ", ".join(known)
    for name in given:
        if name not in known:
            raise InputError(name, given[name], f"one of the symbols of this claim: {listed}")
    missing = [name for name in known if name not in given]
    if missing:
        wanted = "; ".join(f"{name}, {known[name].meaning}" for name in missing)
        raise InputError(", ".join(missing), "(not given)", f"a value for each symbol of this claim: {wanted}")
    values = {}
    for name, parameter in known.items():
        value = exact(name, given[name])
        if not value.is_positive or (parameter.domain == "positive integer" and not value.is_integer):
            raise InputError(name, given[name], f"a {parameter.domain} ({parameter.meaning})")
        values[parameter.symbol] = value
    return values
