"""The letters of the theory: every scalar that a claim may use, with its domain and its meaning.

Matrices, iterates and gradients are in `vocabulary`; formulas are in the modules of the papers.
"""

import re
from dataclasses import dataclass
from typing import Literal, get_args

import sympy as sp
from sympy.printing.latex import greek_letters_set

from boundcheck.errors import InputError
from boundcheck.exact.digits import Toward
from boundcheck.language.inputs import is_plain
from boundcheck.language.prose import plain

Domain = Literal["positive real", "positive integer", "real"]

# A letter or a word, with a mark above it, primes, a number, and what is below or, after two underscores, above it.
_NAME = re.compile(r"([A-Za-z]+?)(hat|bar|tilde)?('*)(\d*)((?:_{1,2}[A-Za-z0-9]+'*)*)")
_GREEK = frozenset(greek_letters_set - {"omicron"}) | frozenset(
    ("ell", "varepsilon", "varphi", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega")
)


def look(name: str) -> str:
    r"""The LaTeX of a name: ``mu_F`` is \mu_{F}, ``v_star`` is v^*; a word is upright: in italics it is a product."""
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
    return "*" if word == "star" else word if len(letters) == 1 or letters.isdigit() else rf"\mathrm{{{word}}}"


def check_symbols(field: str, *given: object) -> None:
    """Refuse what is no SymPy symbol, such as an iterate or a text: it has no name that a number is given to."""
    for each in given:
        if not isinstance(each, sp.Symbol):
            raise InputError(field, each, "a SymPy symbol")


@dataclass(frozen=True)
class Parameter:
    """A scalar whose value a user gives: sympy symbol, domain, meaning, and how it prints in LaTeX.

    A claim declares its own, as ``Parameter(Symbol("kappa", positive=True), "positive real", "a factor")``.

    Raises:
        InputError: for a name that cannot be typed, for a symbol whose assumptions are not those of its domain, and
            for a name of the catalogue with another symbol or meaning: engines know what that name stands for.

    """

    symbol: sp.Symbol
    domain: Domain
    meaning: str
    latex: str = ""

    def __post_init__(self) -> None:
        """Check the name and the symbol; without `latex`, the name says how it looks."""
        check_symbols("parameter.symbol", self.symbol)
        name = str(self.symbol.name)
        if not is_plain(name):
            expected = "a name of ASCII letters, digits and _ that is not a word of Python or of formulas"
            raise InputError("parameter.symbol", name, expected)
        if self.domain not in get_args(Domain):
            raise InputError("parameter.domain", self.domain, " or ".join(get_args(Domain)))
        if self.symbol != symbol_of(name, self.domain):
            assumed = ", ".join(f"{each}=True" for each in _ASSUMED[self.domain])
            raise InputError("parameter.symbol", name, f'Symbol("{name}", {assumed}) for a {self.domain}, not another')
        if not isinstance(self.meaning, str) or not isinstance(self.latex, str):
            raise InputError(f"parameter.{name}", (self.meaning, self.latex), "text for its meaning and its LaTeX")
        object.__setattr__(self, "latex", self.latex or look(name))
        known = PARAMETERS.get(name, self)
        if known != self:
            raise InputError(
                "parameter.symbol", name, f"another name: this one is the catalogue's {plain(known.meaning)}"
            )

    @property
    def name(self) -> str:
        """The name that `--set` and keyword arguments use."""
        return str(self.symbol.name)


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
ell = _parameter("ell", "positive real", "smoothness constant of the function that is minimised", r"\ell")
C = _parameter("C", "positive real", "Lipschitz constant of $(A, B) → BA$ (Assumption 3, part 1)")
G = _parameter("G", "positive real", "bound on the gradient of f in W (Assumption 3, part 2)")
sigma = _parameter("sigma", "positive real", "common bound on the spectral norms of A and B (Assumption 2)")
a = _parameter("a", "positive real", "bound on the spectral norm of A")
b = _parameter("b", "positive real", "bound on the spectral norm of B")
s = _parameter("s", "positive real", "LoRA scale in $W = W_0 + sBA$")
G_2 = _parameter("G_2", "positive real", "bound on the gradient of f in the weight of a second layer")
a_2 = _parameter("a_2", "positive real", "bound on the spectral norm of a second layer's A")
b_2 = _parameter("b_2", "positive real", "bound on the spectral norm of a second layer's B")
s_2 = _parameter("s_2", "positive real", "LoRA scale of a second layer")
a_0 = _parameter("a_0", "positive real", "bound on the spectral norm of a frozen A (VeRA)")
b_0 = _parameter("b_0", "positive real", "bound on the spectral norm of a frozen B (VeRA)")
a_1 = _parameter("a_1", "positive real", "bound on the spectral norm of A at the first iterate")
b_1 = _parameter("b_1", "positive real", "bound on the spectral norm of B at the first iterate")
mu = _parameter("mu", "positive real", "bound on the magnitudes of the columns of W (DoRA)")
w_0 = _parameter("w_0", "positive real", "least Euclidean norm of a column of W0 (DoRA)")
nu = _parameter("nu", "positive real", "bound on the spectral norm of V (LoReFT)")
J = _parameter("J", "positive real", "bound on the norm of the derivative DW(v)")
H = _parameter("H", "positive real", "bound on $|⟨M, D²W(v)[u, u]⟩|$ over $‖M‖_op‖u‖²$")
r = _parameter("r", "positive integer", "rank of the adapter")
D = _parameter("D", "positive real", "initial gap $F(v_1) - f*$")
zeta = _parameter("zeta", "positive real", "bound on the noise, $E‖g - ∇F(v)‖² ≤ ζ²$ (Assumption 4)")
_ABC = "$E‖g‖² ≤ 2A(F - f*) + B‖∇F‖² + C$"
abc_a = _parameter("abc_a", "positive real", f"A in {_ABC}", "A")
abc_b = _parameter("abc_b", "positive real", f"B in {_ABC}", "B")
abc_c = _parameter("abc_c", "positive real", f"C in {_ABC}", "C")
T = _parameter("T", "positive integer", "number of iterations")
eta = _parameter("eta", "positive real", "constant step size, given")
beta = _parameter("beta", "positive real", "momentum: the share of the last step that the next one repeats", r"\beta")
delta = _parameter(
    "delta", "positive real", "what the accumulated norm of the gradients starts at (AdaGrad-norm)", r"\delta"
)
mu_F = _parameter("mu_F", "positive real", "strong convexity constant of F", r"\mu_F")  # noqa: N816
R_1 = _parameter("R_1", "positive real", "bound on the distance from $v_1$ to a minimiser")
c = _parameter("c", "positive real", "a constant that depends on none of $r$, $σ$ and $T$")

# The lower bound of f; only the gap D uses it.
f_star = sp.Symbol("f_star", real=True)

# Names of quantities that a claim derives from its parameters.
Lhat = sp.Symbol("Lhat", positive=True)
alpha = sp.Symbol("alpha", positive=True)
T_min = sp.Symbol("T_min", positive=True)
eta_max = sp.Symbol("eta_max", positive=True)
delta_min = sp.Symbol("delta_min", positive=True)
rho = sp.Symbol("rho", positive=True)
q = sp.Symbol("q", positive=True)
kappa = sp.Symbol("kappa", positive=True)
bound = sp.Symbol("bound", positive=True)
# What a measure comes to at least. It may be negative, where T is short.
attained = sp.Symbol("attained", real=True)

# Most letters are upper bounds. These are none, or bound from below.
_TOWARD = {each.name: Toward.NEAREST for each in (s, s_2, eta, alpha, beta, delta, q)} | {
    each.name: Toward.DOWN for each in (mu_F, w_0, eta_max, attained)
}


def toward(name: str) -> Toward:
    """The direction in which the value of a letter is rounded for print: up, as a bound is, if nothing else is said."""
    return _TOWARD.get(name, Toward.UP)


# Every scalar of the catalogue.
LETTERS: tuple[sp.Symbol, ...] = (
    *(parameter.symbol for parameter in PARAMETERS.values()),
    *(f_star, Lhat, alpha, T_min, eta_max, delta_min, rho, q, kappa, bound),
)

LATEX_NAMES: dict[sp.Symbol, str] = {p.symbol: p.latex for p in PARAMETERS.values()} | {
    letter: look(letter.name) for letter in (Lhat, alpha, T_min, eta_max, delta_min, rho, q, kappa, bound, f_star)
}
