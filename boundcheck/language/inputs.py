"""The values that a user gives to symbols, made exact and checked against the symbols' domains."""

import numbers
from collections.abc import Collection, Mapping
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
import sympy as sp

from boundcheck.errors import InputError
from boundcheck.exact.balls import enclose, sign
from boundcheck.language.prose import plain
from boundcheck.language.symbols import Parameter
from boundcheck.language.text import GRAMMAR, parsed

# The least and the largest number that a formula may contain.
_LEAST, _MOST = 1e-300, 1e300

Number: TypeAlias = int | float | str | Fraction | sp.Expr


def exact(name: str, value: Any) -> sp.Expr:
    """The exact number that `value` denotes: a float is its binary value; a string is read, as 0.1, 3/4 or sqrt(2).

    Raises:
        InputError: for text that is not a number, and for NaN or an infinity.

    """
    expected = "a finite number such as 10_000, 0.1, 1e-3 or 3/4"
    if isinstance(value, str | sp.Expr):
        number = parsed(name, value, (), expected) if isinstance(value, str) else value
        number = sp.Rational(number) if isinstance(number, sp.Float) and number.is_finite else number
        if not _is_finite(number):
            raise InputError(name, value, expected)
        return number
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        if isinstance(value, numbers.Integral):
            return sp.Integer(int(value))
        fraction = value if isinstance(value, Fraction) else Fraction(float(value))
    except (TypeError, ValueError, OverflowError):
        raise InputError(name, value, expected) from None
    return sp.Rational(fraction.numerator, fraction.denominator)


def _is_finite(number: sp.Expr) -> bool:
    try:
        return bool(enclose(number, {}).is_finite())
    except InputError:
        return False


def formula(name: str, text: str, symbols: Collection[sp.Symbol]) -> sp.Expr:
    """The exact expression that `text` denotes over these symbols, such as ``bound/2.5`` or ``4*Lhat*D/zeta**2``.

    Raises:
        InputError: for text that is not a formula, or has another symbol in it.

    """
    listed = ", ".join(sorted(str(symbol.name) for symbol in symbols))
    expected = f"a formula such as 2*{name.rpartition('.')[2]} over the symbols {listed}, with {GRAMMAR}"
    found = parsed(name, text, symbols, expected)
    for number in found.atoms(sp.Rational):
        if number and not _LEAST < abs(number) < _MOST:
            # In the floats of a run, such a number would be 0 or infinite.
            raise InputError(name, text, f"numbers from {_LEAST:g} to {_MOST:g} in a formula")
    return found


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
        wanted = "; ".join(f"{name}, {plain(known[name].meaning)}" for name in missing)
        raise InputError(", ".join(missing), "(not given)", f"a value for each symbol of this claim: {wanted}")
    values = {}
    for name, parameter in known.items():
        value = exact(name, given[name])
        whole, anywhere = parameter.domain == "positive integer", parameter.domain == "real"
        if (not anywhere and sign(value, {}) <= 0) or (whole and not isinstance(value, sp.Integer)):
            raise InputError(name, given[name], f"a {parameter.domain} ({plain(parameter.meaning)})")
        values[parameter.symbol] = value
    return values
