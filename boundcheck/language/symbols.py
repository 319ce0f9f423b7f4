"""The letters of the theory, every scalar that a claim may use, and the numbers and formulas that a
person gives.

Matrices, iterates and gradients are in `vocabulary`; the papers' formulas are in their modules.

What is typed is made exact without running any code: Python reads a text as an expression, and a
walk over its tree knows numbers, the given names, + - * / and ** by rationals, sqrt, exp, log, Min
and Max. Length, depth, digits and
exponents are checked before anything is computed: one line of text can ask for more digits than
there are atoms.
"""

import ast
import numbers
import operator
import re
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from keyword import iskeyword
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import sympy as sp
from sympy.printing.latex import greek_letters_set

from boundcheck.errors import InputError, one_of
from boundcheck.exact.balls import enclose
from boundcheck.exact.digits import Toward
from boundcheck.language.prose import plain

Domain = Literal["positive real", "positive integer", "real"]

# A letter or a word, with a mark above it, primes, a number, and what is below or, after two
# underscores, above it.
_NAME = re.compile(r"([A-Za-z]+?)(hat|bar|tilde)?('*)(\d*)((?:_{1,2}[A-Za-z0-9]+'*)*)")
_GREEK = frozenset(greek_letters_set - {"omicron"}) | frozenset(
    (
        "ell",
        "varepsilon",
        "varphi",
        "Gamma",
        "Delta",
        "Theta",
        "Lambda",
        "Xi",
        "Pi",
        "Sigma",
        "Phi",
        "Psi",
        "Omega",
    )
)


def look(name: str) -> str:
    r"""The LaTeX of a name: ``mu_F`` is \mu_{F}, ``v_star`` is v^*; a word is upright: in italics
    it is a product.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return str(sp.latex(sp.Symbol(name)))
    base, mark, primes, number, scripts = found.groups()
    if mark and not (len(base) == 1 or base in _GREEK):
        base, mark = base + mark, None
    parts = re.findall(r"(_{1,2})([A-Za-z0-9]+'*)", scripts)
    above = [x for line, x in parts if line == "__" or x == "star"]
    below = [number, *(x for line, x in parts if line == "_" and x != "star")]
    made = f"\\{mark}{{{_sign(base)}}}" if mark else _sign(base)
    below_tex, above_tex = (",".join(map(_sign, filter(None, each))) for each in (below, above))
    made += primes + (f"_{{{below_tex}}}" if below_tex else "")
    return made + ("^*" if above_tex == "*" else f"^{{{above_tex}}}" if above_tex else "")


def _sign(word: str) -> str:
    """A word as one sign."""
    if word in _GREEK or word in ("min", "max"):
        return f"\\{word}"
    letters = word.rstrip("'")
    return (
        "*"
        if word == "star"
        else word
        if len(letters) == 1 or letters.isdigit()
        else rf"\mathrm{{{word}}}"
    )


# The least and the most arguments of each function of a formula, and the most characters of one.
_LONGEST = 1000
_FUNCTIONS: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(("sqrt", "exp", "log"), (1, 1)),
    **dict.fromkeys(("Min", "Max"), (2, _LONGEST)),
}
GRAMMAR = f"{', '.join(_FUNCTIONS)}, + - * / and ** by rationals"
"""The functions and signs that a formula may contain besides numbers and names."""
_TYPED = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def is_plain(name: str) -> bool:
    """True if a formula may use this name: ASCII letters, digits and _, and not a word of the
    grammar or of Python.
    """
    return _TYPED.fullmatch(name) is not None and name not in _FUNCTIONS and not iskeyword(name)


def check_symbols(field: str, *given: object) -> None:
    """Refuse what is no SymPy symbol, such as an iterate or a text: it has no name that a number is
    given to.
    """
    for each in given:
        if not isinstance(each, sp.Symbol):
            raise InputError(field, each, "a SymPy symbol")


@dataclass(frozen=True)
class Parameter:
    """A scalar whose value a user gives: sympy symbol, domain, meaning, and how it prints in LaTeX.

    A claim declares its own, as ``Parameter(Symbol("kappa", positive=True), "positive real", "a
    factor")``.

    Raises:
        InputError: for a name that cannot be typed, for a symbol whose assumptions are not those of
            its domain, and for a name of the catalogue with another symbol or meaning: engines know
            what that name stands for.

    """

    symbol: sp.Symbol
    domain: Domain
    meaning: str
    latex: str = ""

    def __post_init__(self) -> None:
        """Check the name and the symbol; without `latex`, the name says how it looks."""
        check_symbols("parameter.symbol", self.symbol)
        name = self.symbol.name
        if not is_plain(name):
            expected = (
                "a name of ASCII letters, digits and _ that is not a word of Python or of formulas"
            )
            raise InputError("parameter.symbol", name, expected)
        if self.domain not in get_args(Domain):
            raise InputError("parameter.domain", self.domain, one_of(self.domain, get_args(Domain)))
        if self.symbol != symbol_of(name, self.domain):
            assumed = ", ".join(f"{each}=True" for each in _ASSUMED[self.domain])
            raise InputError(
                "parameter.symbol",
                name,
                f'Symbol("{name}", {assumed}) for a {self.domain}, not another',
            )
        if not isinstance(self.meaning, str) or not isinstance(self.latex, str):
            raise InputError(
                f"parameter.{name}",
                (self.meaning, self.latex),
                "text for its meaning and its LaTeX",
            )
        object.__setattr__(self, "latex", self.latex or look(name))
        known = PARAMETERS.get(name, self)
        if known != self:
            raise InputError(
                "parameter.symbol",
                name,
                f"another name: this one is the catalogue's {plain(known.meaning)}",
            )

    @property
    def name(self) -> str:
        """The name that `--set` and keyword arguments use."""
        return self.symbol.name


PARAMETERS: dict[str, Parameter] = {}


_ASSUMED: dict[Domain, tuple[str, ...]] = {
    "positive real": ("positive",),
    "positive integer": ("positive", "integer"),
    "real": ("real",),
}


def symbol_of(name: str, domain: Domain) -> sp.Symbol:
    """The symbol of a parameter, with the assumptions of its domain."""
    return sp.Symbol(name, **dict.fromkeys(_ASSUMED[domain], True))


def _parameter(name: str, domain: Domain, meaning: str, latex: str = "") -> sp.Symbol:
    PARAMETERS[name] = Parameter(symbol_of(name, domain), domain, meaning, latex)
    return PARAMETERS[name].symbol


L = _parameter("L", "positive real", "smoothness constant of f in W, Frobenius norm (Assumption 1)")
ell = _parameter(
    "ell", "positive real", "smoothness constant of the function that is minimised", r"\ell"
)
C = _parameter("C", "positive real", "Lipschitz constant of $(A, B) → BA$ (Assumption 3, part 1)")
G = _parameter("G", "positive real", "bound on the gradient of f in W (Assumption 3, part 2)")
sigma = _parameter(
    "sigma", "positive real", "common bound on the spectral norms of A and B (Assumption 2)"
)
a = _parameter("a", "positive real", "bound on the spectral norm of A")
b = _parameter("b", "positive real", "bound on the spectral norm of B")
s = _parameter("s", "positive real", "LoRA scale in $W = W_0 + sBA$")
G_2 = _parameter(
    "G_2", "positive real", "bound on the gradient of f in the weight of a second layer"
)
a_2 = _parameter("a_2", "positive real", "bound on the spectral norm of a second layer's A")
b_2 = _parameter("b_2", "positive real", "bound on the spectral norm of a second layer's B")
s_2 = _parameter("s_2", "positive real", "LoRA scale of a second layer")
a_1 = _parameter("a_1", "positive real", "bound on the spectral norm of A at the first iterate")
b_1 = _parameter("b_1", "positive real", "bound on the spectral norm of B at the first iterate")
mu = _parameter("mu", "positive real", "bound on the magnitudes of the columns of W (DoRA)")
w_0 = _parameter("w_0", "positive real", "least Euclidean norm of a column of W0 (DoRA)")
nu = _parameter("nu", "positive real", "bound on the spectral norm of V (LoReFT)")
J = _parameter("J", "positive real", "bound on the norm of the derivative DW(v)")
H = _parameter("H", "positive real", "bound on $|⟨M, D²W(v)[u, u]⟩|$ over $‖M‖_op‖u‖²$")
r = _parameter("r", "positive integer", "rank of the adapter")
D = _parameter("D", "positive real", "initial gap $F(v_1) - f*$")
zeta = _parameter(
    "zeta", "positive real", "bound on the noise, $E‖g - ∇F(v)‖² ≤ ζ²$ (Assumption 4)"
)
_ABC = "$E‖g‖² ≤ 2A(F - f*) + B‖∇F‖² + C$"
abc_a = _parameter("abc_a", "positive real", f"A in {_ABC}", "A")
abc_b = _parameter("abc_b", "positive real", f"B in {_ABC}", "B")
abc_c = _parameter("abc_c", "positive real", f"C in {_ABC}", "C")
T = _parameter("T", "positive integer", "number of iterations")
eta = _parameter("eta", "positive real", "constant step size, given")
beta = _parameter(
    "beta",
    "positive real",
    "momentum: the share of the last step that the next one repeats",
    r"\beta",
)
delta = _parameter(
    "delta",
    "positive real",
    "what the accumulated norm of the gradients starts at (AdaGrad-norm)",
    r"\delta",
)
mu_F = _parameter("mu_F", "positive real", "strong convexity constant of F", r"\mu_F")  # noqa: N816
R_1 = _parameter("R_1", "positive real", "bound on the distance from $v_1$ to a minimiser")
c = _parameter("c", "positive real", "a constant that depends on none of $r$, $σ$ and $T$")

# The lower bound of f; only the gap D uses it.
f_star = sp.Symbol("f_star", real=True)

# Names of quantities that a claim derives from its parameters.
_DERIVED = sp.symbols("Lhat alpha T_min eta_max delta_min rho q kappa bound", positive=True)
Lhat, alpha, T_min, eta_max, delta_min, rho, q, kappa, bound = _DERIVED
# What a measure comes to at least. It may be negative, where T is short.
attained = sp.Symbol("attained", real=True)

# Most letters are upper bounds. These are none, or bound from below.
_TOWARD = {each.name: Toward.NEAREST for each in (s, s_2, eta, alpha, beta, delta, q)} | {
    each.name: Toward.DOWN for each in (mu_F, w_0, eta_max, attained)
}


def toward(name: str) -> Toward:
    """The direction in which the value of a letter is rounded for print: up, as a bound is, if
    nothing else is said.
    """
    return _TOWARD.get(name, Toward.UP)


# Every scalar of the catalogue.
LETTERS: tuple[sp.Symbol, ...] = (
    *(parameter.symbol for parameter in PARAMETERS.values()),
    f_star,
    *_DERIVED,
)

LATEX_NAMES: dict[sp.Symbol, str] = {p.symbol: p.latex for p in PARAMETERS.values()} | {
    letter: look(letter.name) for letter in (*_DERIVED, f_star)
}

Number: TypeAlias = int | float | str | Fraction | sp.Expr
"""What a person gives for a letter."""

# The most nested operations of a formula, digits of a typed number, and bits of a computed one; the
# largest exponent, of ten or of a power, also as a denominator; the least and the largest number
# that a formula of a run may contain.
_DEEPEST, _DIGITS, _BITS, _HIGHEST = 50, 400, 2**13, 1000
_LEAST, _MOST = 1e-300, 1e300
_SIGNS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_ALPHABET = re.compile(r"[\w\s+\-*/(),.]*", re.ASCII)
_LITERAL = re.compile(r"(?P<digits>[0-9_]*\.?[0-9_]*)(?:[eE](?P<exponent>[+-]?[0-9]+))?")


class _RefusedError(Exception):
    """The refusal of a text; the message is empty if the text is not a formula at all."""


def parsed(field: str, text: str, symbols: Collection[sp.Symbol], expected: str) -> sp.Expr:
    """The exact expression that `text` denotes over these symbols.

    Raises:
        InputError: for this field, that `expected` is expected where the text is no formula, and
            else for another name in it, a text too long, too deep, or with too many digits, and a
            formula without a value, such as 1/0.

    """
    try:
        if len(text) > _LONGEST:
            raise _RefusedError(f"at most {_LONGEST} characters")
        if not text.isascii():
            raise _RefusedError(
                "characters of ASCII alone, names as they are declared (sigma, and not σ)"
            )
        if not _ALPHABET.fullmatch(text):
            raise _RefusedError
        line = " ".join(text.split())
        try:
            with warnings.catch_warnings(action="ignore"):
                tree = ast.parse(line, mode="eval")
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            raise _RefusedError from None
        return _read(tree.body, line, {symbol.name: symbol for symbol in symbols}, 0)
    except _RefusedError as refused:
        raise InputError(field, text, str(refused) or expected) from None


def _read(node: ast.expr, text: str, known: Mapping[str, sp.Symbol], depth: int) -> sp.Expr:
    """The value of a node; refused unless it is a real number with few enough digits."""
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
            value = _power(read(node.left), read(node.right))
        case ast.BinOp() if type(node.op) in _SIGNS:
            value = _SIGNS[type(node.op)](read(node.left), read(node.right))
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name in _FUNCTIONS:
            least, most = _FUNCTIONS[name]
            if not least <= len(node.args) <= most:
                raise _RefusedError
            arguments = [read(each) for each in node.args]
            if name in ("Min", "Max"):
                # Unevaluated, because SymPy would have to decide which is larger.
                return (sp.Min if name == "Min" else sp.Max)(*arguments, evaluate=False)
            if name == "exp" and arguments[0].has(sp.log):
                # SymPy turns exp(c log x) into the power, whatever its size.
                raise _RefusedError("a power in place of exp of a log")
            if name == "sqrt":
                value = _power(arguments[0], sp.Rational(1, 2))
            else:
                value = (sp.exp if name == "exp" else sp.log)(*arguments)
        case _:
            raise _RefusedError
    if value.has(sp.zoo, sp.nan, sp.oo, -sp.oo, sp.I):
        raise _RefusedError(
            "a formula that has a real value: this one divides by 0, or takes a root or log of none"
        )
    if _bits(value) > _BITS:
        raise _RefusedError(f"numbers of at most {_BITS} bits")
    for each in value.atoms(sp.Pow):
        _check_exponent(each.exp)
    return value


def _power(base: sp.Expr, exponent: sp.Expr) -> sp.Expr:
    if not isinstance(exponent, sp.Rational):
        raise _RefusedError("powers by rational numbers alone")
    # Before anything is computed, which may take all day.
    _check_exponent(exponent)
    if _bits(base) * abs(exponent) > _BITS:
        raise _RefusedError(f"numbers of at most {_BITS} bits")
    return base**exponent


def _bits(value: sp.Expr) -> int:
    """The bits of the longest number in an expression."""
    found = (max(abs(int(x.p)), int(x.q)) for x in value.atoms(sp.Rational))
    return max((x.bit_length() for x in found if x != 1), default=0)


def _check_exponent(exponent: sp.Expr) -> None:
    if isinstance(exponent, sp.Rational) and max(abs(exponent.p), exponent.q) > _HIGHEST:
        raise _RefusedError(f"exponents of size at most {_HIGHEST}")


def exact(name: str, value: Any) -> sp.Expr:
    """The exact number that `value` denotes: a float is its binary value; a string is read, as 0.1,
    3/4 or sqrt(2).

    Raises InputError for text that is not a number, and for NaN or an infinity.
    """
    expected = "a finite number such as 10_000, 0.1, 1e-3, 10**4 or 3/4"
    if isinstance(value, str | sp.Expr):
        number = parsed(name, value, (), expected) if isinstance(value, str) else value
        number = (
            sp.Rational(number) if isinstance(number, sp.Float) and number.is_finite else number
        )
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
    """The exact expression that `text` denotes over these symbols, such as ``bound/2.5`` or
    ``4*Lhat*D/zeta**2``.

    Raises InputError for text that is not a formula, or has another symbol in it.
    """
    listed = ", ".join(sorted(symbol.name for symbol in symbols))
    expected = (
        f"a formula such as 2*{name.rpartition('.')[2]} over the symbols {listed}, with {GRAMMAR}"
    )
    found = parsed(name, text, symbols, expected)
    for number in found.atoms(sp.Rational):
        if number and not _LEAST < abs(number) < _MOST:
            # In the floats of a run, such a number would be 0 or infinite.
            raise InputError(name, text, f"numbers from {_LEAST:g} to {_MOST:g} in a formula")
    return found
