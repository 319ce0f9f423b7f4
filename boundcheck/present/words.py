"""Names and signs of the report: labels of claims, numbers at a few digits, formulas as MathML."""

import math
import re
from collections.abc import Mapping
from functools import cache

import sympy as sp
from markupsafe import Markup, escape

from boundcheck.exact.digits import Toward, last_place, rounded
from boundcheck.experiment.result import Result
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.language import prose
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.hypotheses import READINGS
from boundcheck.language.prose import mathml_of
from boundcheck.language.sentence import takes
from boundcheck.language.symbols import C, r, sigma

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def label(claim_id: str, lipschitz: str) -> str:
    """The name of a claim in figures and tables, with the C that it was given if it takes one."""
    claim = catalogue[claim_id]
    return f"{claim.title}, {c_is(lipschitz)}" if takes_c(claim) else claim.title


def c_is(lipschitz: str) -> str:
    """The equation C = ..., for the formula that C stands for or the number that it is."""
    return "C\u00a0=\u00a0" + lipschitz.replace("sqrt(r) ", "√r\u202f").replace(str(sigma), "σ")


def norm_names(adapter: str) -> Mapping[str, str]:
    """The norm of each radius of an adapter, by the radius's name; empty for an adapter that is not
    known here.
    """
    return ADAPTERS[adapter].radius_of if adapter in ADAPTERS else {}


def titled(result: Result) -> str:
    """The name of a run's claim in tables, with the step that it is given and what its spec
    assumes.
    """
    settings = result.settings
    given = settings.run.step_size
    step = (
        ""
        if given is None
        else f", η\u00a0=\u00a0{given if isinstance(given, str) else f'{given:.6g}'}"
    )
    assumed = ", ".join(
        f"{name}\u00a0=\u00a0{rooted(str(formula))}" for name, formula in settings.assume.items()
    )
    return (
        label(result.claim, settings.lipschitz)
        + step
        + (f", assuming {assumed}" if assumed else "")
    )


def rooted(formula: str) -> str:
    """A formula as it was typed, with √r for ``sqrt(r)``."""
    return re.sub(r"sqrt\((\w+)\)", r"√\1", formula)


def takes_c(claim: Claim) -> bool:
    """True if Assumption 3's C is one of the claim's parameters."""
    return takes(claim, C)


def number(value: float | int | None, digits: int = 3, toward: Toward = Toward.NEAREST) -> str:
    """A number for a person: integers whole with thin spaces, others at `digits` significant
    digits.
    """
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f")
    if not math.isfinite(value):
        return f"{value:g}".replace("inf", "∞")
    place = last_place(value, digits)
    if value == 0 or 1e-3 <= abs(value) < 10**5:
        decimals = 0 if value == 0 else max(-place, 0)
        return f"{rounded(value, -decimals, toward):,.{decimals}f}".replace(",", "\u202f")
    return with_power(f"{rounded(value, place, toward):.{digits - 1}e}")


def with_power(text: str) -> str:
    """A number like 2e-03 with its power of ten in superscripts, 2 × 10⁻³."""
    mantissa, exponent = text.split("e")
    return f"{mantissa}\u202f×\u202f10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


def symbol(latex: str) -> Markup:
    """A formula in LaTeX as MathML, to stand within a line."""
    return Markup(mathml_of(latex))


# Signs of a formula that are sure to be within a line of a phone.
_LINE = 28
# A word with a subscript or a superscript, and what is a name of the code and no formula.
_WORD = re.compile(r"[^\s“”\"',;$<>]+")
_IDENTIFIER = re.compile(r"[A-Za-z]\w*(\.\w+)+|[A-Za-z]{2,}\d*_\w+|[A-Za-z]+(_[A-Za-z]{2,}){2,}")
# Greek letters that code spells out.
_GREEK = {prose.GREEK[x]: x for x in "αβζηθκλμνρστ"}
_SPELLED = re.compile(f"({'|'.join(_GREEK)})(_\\w{{1,3}})")


def said(text: str) -> Markup:
    """A text on a page, in which formulas are typeset: those between dollars, and words with a
    script outside of them.

    Markup is left as it is. A name with a dot, or of several letters before its first ``_``, is a
    name of the code.
    """
    if isinstance(text, Markup):
        return text
    return Markup(prose.joined(text, _words, _formula, _name))


def sentence_of(text: str) -> str:
    """The text, with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


@cache
def _formula(text: str) -> Markup:
    made = Markup(prose.html(f"${text}$"))
    # A formula has no place to break: one that is longer than a line of a phone is scrolled there.
    return Markup('<span class="long">{}</span>').format(made) if len(text) > _LINE else made


def _name(name: str) -> Markup:
    return Markup("<code>{}</code>").format(name)


def _words(text: str) -> Markup:
    pieces = []
    at = 0
    for match in _WORD.finditer(text):
        if not {"_", "^"} & set(match[0]):
            continue
        word = match[0].rstrip(".:")
        word = word[:-1] if word.endswith(")") and word.count(")") > word.count("(") else word
        formula = word
        if spelled := _SPELLED.fullmatch(word):
            formula = _GREEK[spelled[1]] + spelled[2]
        elif _IDENTIFIER.fullmatch(word):
            formula = ""
        pieces += [escape(text[at : match.start()]), _formula(formula) if formula else _name(word)]
        at = match.start() + len(word)
    return Markup("").join([*pieces, escape(text[at:])])


def within(interval: Mapping[str, float] | None) -> str:
    """An interval of exponents, its ends rounded outwards; a dash for none."""
    if interval is None:
        return "–"
    return f"{signed(interval['lower'], Toward.DOWN)} to {signed(interval['upper'], Toward.UP)}"


def signed(value: float, toward: Toward = Toward.NEAREST) -> str:
    """A number that may be negative, such as an exponent, at two decimals."""
    return f"{rounded(value, -2, toward):.2f}".replace("-", "−")


def slug(name: str) -> str:
    """A file name for a name: its words of ASCII letters and digits, in lower case, joined by
    ``_``.
    """
    return "_".join(
        "".join(c if c.isascii() and c.isalnum() else " " for c in name.lower()).split()
    )


def rank_exponent(claim: Claim, lipschitz: str | None) -> sp.Rational:
    r"""The p with bound ~ r^p as r grows, :math:`\lim r\,\partial_r \log(\mathrm{bound})`, from the
    claim's formula.

    Args:
        claim: a claim with a ``bound``.
        lipschitz: what C stands for: ``sigma``, ``sqrt(r) sigma``, or None for a constant free of
            r.

    """
    bound = claim.expression("bound").subs(C, C if lipschitz is None else READINGS[lipschitz])
    return sp.limit(sp.simplify(r * sp.diff(sp.log(bound), r)), r, sp.oo)
