"""The values and formulas that a person gives, made exact: numbers, and text that is read without running any code.

Python reads a text as an expression, and a walk over its tree knows numbers, the given names, + - * / and ** by
rationals, sqrt, exp, log, Min and Max. Length, depth, digits and exponents are checked before anything is computed: one
line of text can ask for more digits than there are atoms.
"""

import ast
import numbers
import re
import warnings
from collections.abc import Callable, Collection, Mapping
from fractions import Fraction
from keyword import iskeyword
from typing import Any, TypeAlias

import numpy as np
import sympy as sp

from boundcheck.errors import InputError
from boundcheck.exact.balls import enclose

# The least and the largest number that a formula may contain.
_LEAST, _MOST = 1e-300, 1e300

Number: TypeAlias = int | float | str | Fraction | sp.Expr

# The most characters of a text, nested operations, and digits of a typed number.
_LONGEST, _DEEPEST, _DIGITS = 1000, 50, 400
# The largest exponent, of ten or of a power, also as a denominator; the most bits of a computed number.
_HIGHEST, _BITS = 1000, 2**13
# The least and the most arguments of each function.
_FUNCTIONS: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(("sqrt", "exp", "log"), (1, 1)),
    **dict.fromkeys(("Min", "Max"), (2, _LONGEST)),
}
_SIGNS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda x, y: x + y,
    ast.Sub: lambda x, y: x - y,
    ast.Mult: lambda x, y: x * y,
    ast.Div: lambda x, y: x / y,
}
_ALPHABET = re.compile(r"[\w\s+\-*/(),.]*", re.ASCII)
_LITERAL = re.compile(r"(?P<digits>[0-9_]*\.?[0-9_]*)(?:[eE](?P<exponent>[+-]?[0-9]+))?")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")

GRAMMAR = f"{', '.join(_FUNCTIONS)}, + - * / and ** by rationals"
"""The functions and signs that a formula may contain besides numbers and names."""


def is_plain(name: str) -> bool:
    """True if a formula may use this name: ASCII letters, digits and _, and not a word of the grammar or of Python."""
    return _NAME.fullmatch(name) is not None and name not in _FUNCTIONS and not iskeyword(name)


def parsed(field: str, text: str, symbols: Collection[sp.Symbol], expected: str) -> sp.Expr:
    """The exact expression that `text` denotes over these symbols.

    Raises:
        InputError: for this field, that `expected` is expected where the text is no formula, and else for another name
            in it, a text too long, too deep, or with too many digits, and a formula without a value, such as 1/0.

    """
    try:
        if len(text) > _LONGEST:
            raise _RefusedError(f"at most {_LONGEST} characters")
        if not text.isascii():
            raise _RefusedError("characters of ASCII alone, names as they are declared (sigma, and not σ)")
        if not _ALPHABET.fullmatch(text):
            raise _RefusedError
        line = " ".join(text.split())
        try:
            with warnings.catch_warnings(action="ignore"):
                tree = ast.parse(line, mode="eval")
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            raise _RefusedError from None
        return _read(tree.body, line, {str(symbol.name): symbol for symbol in symbols}, 0)
    except _RefusedError as refused:
        raise InputError(field, text, str(refused) or expected) from None


class _RefusedError(Exception):
    """The refusal of a text; the message is empty if the text is not a formula at all."""


def _read(node: ast.expr, text: str, known: Mapping[str, sp.Symbol], depth: int) -> sp.Expr:
    if depth > _DEEPEST:
        raise _RefusedError(f"at most {_DEEPEST} operations inside of one another")

    def read(part: ast.expr) -> sp.Expr:
        return _read(part, text, known, depth + 1)

    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            literal = text[node.col_offset : node.end_col_offset]
            found = _LITERAL.fullmatch(literal)
            if found is None:
                raise _RefusedError
            if len(found["digits"]) > _DIGITS:
                raise _RefusedError(f"numbers of at most {_DIGITS} digits")
            exponent = found["exponent"] or "0"
            if len(exponent) > 5 or abs(int(exponent)) > _HIGHEST:
                raise _RefusedError(f"exponents of size at most {_HIGHEST}")
            exact = Fraction(literal)
            return sp.Rational(exact.numerator, exact.denominator)
        case ast.Name() if node.id in known:
            return known[node.id]
        case ast.UnaryOp(op=ast.UAdd()):
            return read(node.operand)
        case ast.UnaryOp(op=ast.USub()):
            return -read(node.operand)
        case ast.BinOp(op=ast.Pow()):
            return _power(read(node.left), read(node.right))
        case ast.BinOp() if type(node.op) in _SIGNS:
            return _bounded(_SIGNS[type(node.op)](read(node.left), read(node.right)))
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name in _FUNCTIONS:
            least, most = _FUNCTIONS[name]
            if not least <= len(node.args) <= most:
                raise _RefusedError
            arguments = [read(each) for each in node.args]
            if name == "sqrt":
                return _power(arguments[0], sp.Rational(1, 2))
            if name == "exp" and arguments[0].has(sp.log):
                # SymPy turns exp(c log x) into the power, whatever its size.
                raise _RefusedError("a power in place of exp of a log")
            if name in ("exp", "log"):
                return _bounded((sp.exp if name == "exp" else sp.log)(*arguments))
            # Unevaluated, because SymPy would have to decide which is larger.
            return (sp.Min if name == "Min" else sp.Max)(*arguments, evaluate=False)
    raise _RefusedError


def _power(base: sp.Expr, exponent: sp.Expr) -> sp.Expr:
    if not isinstance(exponent, sp.Rational):
        raise _RefusedError("powers by rational numbers alone")
    _check_exponent(exponent)
    if max((_bits(x) for x in base.atoms(sp.Rational)), default=0) * abs(exponent) > _BITS:
        raise _RefusedError(_TOO_LARGE)
    return _bounded(base**exponent)


_TOO_LARGE = f"numbers of at most {_BITS} bits"


def _bits(x: sp.Rational) -> int:
    return max(int(x.p).bit_length(), int(x.q).bit_length()) if x != 1 and x != -1 else 0


def _check_exponent(exponent: sp.Rational) -> None:
    if max(abs(exponent.p), exponent.q) > _HIGHEST:
        raise _RefusedError(f"exponents of size at most {_HIGHEST}")


def _bounded(value: sp.Expr) -> sp.Expr:
    """The value; refused unless it is a real number with few enough digits."""
    if value.has(sp.zoo, sp.nan, sp.oo, -sp.oo, sp.I):
        raise _RefusedError("a formula that has a real value: this one divides by 0, or takes a root or log of none")
    if any(_bits(x) > _BITS for x in value.atoms(sp.Rational)):
        raise _RefusedError(_TOO_LARGE)
    for each in value.atoms(sp.Pow):
        if isinstance(each.exp, sp.Rational):
            _check_exponent(each.exp)
    return value


def exact(name: str, value: Any) -> sp.Expr:
    """The exact number that `value` denotes: a float is its binary value; a string is read, as 0.1, 3/4 or sqrt(2).

    Raises InputError for text that is not a number, and for NaN or an infinity.
    """
    expected = "a finite number such as 10_000, 0.1, 1e-3 or 3/4"
    if isinstance(value, str | sp.Expr):
        number = parsed(name, value, (), expected) if isinstance(value, str) else value
        number = sp.Rational(number) if isinstance(number, sp.Float) and number.is_finite else number
        try:
            is_finite = bool(enclose(number, {}).is_finite())
        except InputError:
            is_finite = False
        if not is_finite:
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


def formula(name: str, text: str, symbols: Collection[sp.Symbol]) -> sp.Expr:
    """The exact expression that `text` denotes over these symbols, such as ``bound/2.5`` or ``4*Lhat*D/zeta**2``.

    Raises InputError for text that is not a formula, or has another symbol in it.
    """
    listed = ", ".join(sorted(str(symbol.name) for symbol in symbols))
    expected = f"a formula such as 2*{name.rpartition('.')[2]} over the symbols {listed}, with {GRAMMAR}"
    found = parsed(name, text, symbols, expected)
    for number in found.atoms(sp.Rational):
        if number and not _LEAST < abs(number) < _MOST:
            # In the floats of a run, such a number would be 0 or infinite.
            raise InputError(name, text, f"numbers from {_LEAST:g} to {_MOST:g} in a formula")
    return found
