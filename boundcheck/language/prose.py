"""`plain`, `html`, `tex`, `joined`: text with formulas in it, as a terminal, a page and a paper show it.

A formula stands between two dollars, on one line, as people type it in a mail: ``$‖W_1 - W_2‖ ≤ C√r·σ$``. A
terminal shows it as it was typed; on a page and in a paper it is typeset. Only subscripts, superscripts, roots and hats
change their look: no sign is left out and no bracket but the one that holds a script or a root, so that all three say
the same. A name of the code stands between two backticks, `` `eta_max` ``.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from boundcheck.language.markup import mathml_of
from boundcheck.language.nested import Nested, TooDeepError
from boundcheck.shown import visible

_PART = re.compile(r"\$(?P<formula>[^$\n]+)\$|`(?P<name>[^`\s](?:[^`\n]*[^`\s])?)`")
# Words that are one sign, not a product of letters.
_COMMANDS = frozenset(("cos", "dim", "exp", "inf", "lim", "log", "max", "min", "sin", "sup"))
_NAMES = _COMMANDS | {"all", "for", "of", "op", "or", "tr"}
_WORD = re.compile("[a-z]{4,}")
SIGNS = {
    "‖": r"\|", "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≈": r"\approx", "∝": r"\propto", "≪": r"\ll", "≫": r"\gg",
    "∈": r"\in", "⊂": r"\subset", "→": r"\to", "⇒": r"\Rightarrow", "∇": r"\nabla", "∂": r"\partial",
    "⟨": r"\langle", "⟩": r"\rangle", "·": r"\cdot", "×": r"\times", "±": r"\pm", "∘": r"\circ", "∞": r"\infty",
    "∀": r"\forall", "∃": r"\exists", "Σ": r"\sum", "∑": r"\sum", "Π": r"\prod", "∏": r"\prod", "ℓ": r"\ell",
    "ℝ": r"\mathbb{R}", "𝔼": r"\mathbb{E}", "…": r"\dots", "−": "-", "′": "'", "½": r"\tfrac{1}{2}", "√": r"\surd",
    "{": r"\{", "}": r"\}", "%": r"\%", "#": r"\#", "&": r"\&", "\u2009": r"\,", "\u202f": r"\,", "\u00a0": r"\ ",
}  # fmt: skip
_ABOVE = {"\u0302": r"\hat", "\u0303": r"\tilde", "\u0304": r"\bar", "\u0305": r"\bar"}
_RAISED = {"ᵀ": r"\top"} | dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+", strict=True))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉ₐₑᵢⱼₖₘₙₒₚₛₜ", "0123456789aeijkmnopst", strict=True))


def _greek() -> Iterator[tuple[str, str]]:
    for sign in map(chr, range(0x370, 0x400)):
        if found := re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (\w+)", unicodedata.name(sign, "")):
            # Unicode's name of λ lacks a letter.
            name = found[2].replace("LAMDA", "LAMBDA")
            yield sign, name.capitalize() if found[1] == "CAPITAL" else name.lower()


GREEK = dict(_greek())
"""The name of each Greek letter, as TeX and code spell it: that of λ is lambda, and that of Λ is Lambda."""
# Signs of a formula that is read.
_LONGEST = 2000
_CLOSES = {"(": ")", "[": "]", "{": "}"}
_WORD_SIGN = re.compile(f".[{''.join(_ABOVE)}]*", re.DOTALL)
# Signs of TeX in the words around formulas.
_TEX = {sign: f"\\{sign}" for sign in "&%$#_{}"} | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}"} | {
    "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", "“": "``", "”": "''", "–": "--",
    "’": "'", "‘": "`", "—": "---", "\u00a0": "~", "\u2009": r"\,", "\u202f": r"\,",
}  # fmt: skip


def plain(text: str) -> str:
    """The text as it was typed, without the dollars around formulas."""
    return joined(text, str, str, "`{}`".format)


def plainly(data: Any) -> Any:
    """Plain data, such as JSON, with each of its texts as a terminal shows it."""
    if isinstance(data, str):
        return plain(data)
    if isinstance(data, dict):
        return {name: plainly(x) for name, x in data.items()}
    return [plainly(x) for x in data] if isinstance(data, list | tuple) else data


def joined(text: str, words: Callable[[str], str], formula: Callable[[str], str], name: Callable[[str], str]) -> str:
    """The text with each part written in its own way: words, formulas, and names of the code."""
    made, at, text = [], 0, visible(text)
    for match in _PART.finditer(text):
        part = formula(match["formula"]) if match["formula"] else name(match["name"])
        made += [words(text[at : match.start()]), part]
        at = match.end()
    return "".join([*made, words(text[at:])])


def html(text: str) -> str:
    """The text as HTML, each formula as MathML."""
    return joined(
        text, escape, lambda x: mathml_of(_TEXT.sub(_as_typed, latex(x))), lambda x: f"<code>{escape(x)}</code>"
    )


def tex(text: str) -> str:
    """The text as LaTeX, each formula between dollars; needs amsmath and amssymb.

    A sign that LaTeX does not know is spelled out. A name of the code may be broken after its dots and underscores.
    """
    made = joined(text, _words, lambda formula: f"${latex(formula)}$", _name)
    return "".join(sign if _is_known(sign) else f"({unicodedata.name(sign, 'sign').lower()})" for sign in made)


def _is_known(sign: str) -> bool:
    # Latin letters with accents, those that a paper's fonts have.
    return sign.isascii() or (sign < "\u0180" and sign.isalpha())


def latex(formula: str) -> str:
    r"""A formula that was typed on one line, in LaTeX.

    ``x_1``, ``x_(t+1)`` or ``x_{t+1}``, ``r^(1/4)``, ``x²``: scripts; ``√r·σ`` is the root of r alone, and ``√(rσ)`` of
    both; ``λ*`` has a star as its superscript; letters side by side are a product, but names such as ``max``, and four
    small letters or more, are a word. Where a formula is longer, or has more brackets, scripts and roots inside of one
    another, than anybody reads, its signs are printed as they stand.
    """
    text = unicodedata.normalize("NFC", formula)
    try:
        if len(text) <= _LONGEST:
            return " ".join(_Reader(text).items(""))
    except TooDeepError:
        pass
    return " ".join(_sign(sign) for sign in text if not sign.isspace())


# A sign that TeX spells out; on a page it is itself.
_TEXT = re.compile(r"\\text\{(\\text\w+\{\}|\\.|.)\}")
_SPELLED = {spelled: sign for sign, spelled in _TEX.items()}


def _as_typed(match: re.Match[str]) -> str:
    sign = _SPELLED.get(match[1], match[1])
    return r"\backslash" if sign == "\\" else rf"\text{{{sign}}}"


def _name(text: str) -> str:
    return r"\texttt{" + re.sub(r"(\.|\\_)", r"\1\\allowbreak{}", _words(text)) + "}"


def _words(text: str) -> str:
    """Words for TeX: signs that it reads as commands are printed, and mathematical signs are in math."""
    return _WORD_SIGN.sub(_in_words, unicodedata.normalize("NFC", text))


def _in_words(match: re.Match[str]) -> str:
    sign, marked = match[0], len(match[0]) > 1
    if not marked and (sign in _TEX or sign.isascii() or unicodedata.name(sign, "").startswith("LATIN")):
        return _TEX.get(sign, sign)
    return rf"\ensuremath{{{latex(sign)}}}"


def _sign(sign: str) -> str:
    """One sign in LaTeX; an unknown one stands as text."""
    if sign in SIGNS:
        return SIGNS[sign]
    if sign in GREEK:
        return f"\\{GREEK[sign]}"
    apart = unicodedata.normalize("NFD", sign)
    if len(apart) == 2 and apart[1] in _ABOVE:
        return f"{_ABOVE[apart[1]]}{{{apart[0]}}}"
    return sign if sign.isascii() and sign not in "\\$^_~" else rf"\text{{{_TEX.get(sign, sign)}}}"


class _Reader(Nested):
    """A reader that goes from left to right through one formula."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text, self._at = text, 0

    @Nested.inside
    def items(self, end: str) -> list[str]:
        """The items up to a closing bracket, which is passed over, or up to the end of the formula."""
        found = []
        while self._at < len(self._text):
            if end and self._next() == end:
                self._at += 1
                break
            if self._next().isspace() and self._next() not in SIGNS:
                self._at += 1
                continue
            found.append(self._item())
        return found

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self, pattern: str) -> str:
        match = re.compile(pattern).match(self._text, self._at)
        self._at += len(match[0]) if match else 0
        return match[0] if match else ""

    def _item(self) -> str:
        """A sign with its scripts."""
        made, below, above = self._base(), "", ""
        while sign := self._next():
            if sign in "_^" and not self._is_last():
                self._at += 1
                script = self._argument()
                below, above = (below + script, above) if sign == "_" else (below, above + script)
            elif sign in _RAISED:
                above += self._many(_RAISED)
            elif sign in _LOWERED:
                below += self._many(_LOWERED)
            elif sign == "*" and made[-1:].isalpha() | made.endswith("}") and not self._is_before_a_factor():
                self._at += 1
                above += "*"
            else:
                break
        return made + (f"_{{{below}}}" if below else "") + (f"^{{{above}}}" if above else "")

    def _many(self, table: dict[str, str]) -> str:
        found = ""
        while self._next() in table and self._next():
            found += table[self._next()]
            self._at += 1
        return found

    def _is_last(self) -> bool:
        return not self._text[self._at + 1 :].strip()

    def _is_before_a_factor(self) -> bool:
        """True if the star stands before a letter or digit, as in a product or a convolution."""
        return self._text[self._at + 1 : self._at + 2].isalnum()

    @Nested.inside
    def _base(self) -> str:
        if name := self._take("[A-Za-z]+"):
            if name in _NAMES or _WORD.fullmatch(name):
                return f"\\{name}" if name in _COMMANDS else rf"\operatorname{{{name}}}"
            # One letter at a time: what follows is over or under the last.
            self._at -= len(name) - 1
            expectation = name == "E" and self._next() in ("[", "‖")
            return self._marked(r"\mathbb{E}" if expectation else name[0])
        if number := self._take(r"\d+(\.\d+)?"):
            return number
        if not (sign := self._next()):
            # Of a script or a minus at the end.
            return "{}"
        self._at += 1
        if sign == "√" and self._text[self._at :].strip():
            return rf"\sqrt{{{self._argument()}}}"
        if sign in _CLOSES:
            inside = " ".join(self.items(_CLOSES[sign]))
            closed = self._text[self._at - 1] == _CLOSES[sign]
            return f"{_sign(sign)}{inside}" + (_sign(_CLOSES[sign]) if closed else "")
        if sign in _RAISED or sign in _LOWERED:
            self._at -= 1
            return "{}"
        return self._marked(_sign(sign))

    def _marked(self, letter: str) -> str:
        """A letter with the marks above it."""
        while self._next() in _ABOVE and self._next():
            letter = f"{_ABOVE[self._next()]}{{{letter}}}"
            self._at += 1
        return letter

    def _argument(self) -> str:
        """The content of a script or a root: that of a bracket, without the bracket, or one sign, name or number."""
        if self._next() in ("(", "{") and self._next():
            self._at += 1
            return " ".join(self.items(_CLOSES[self._text[self._at - 1]]))
        minus = self._take("[-−]")
        if name := self._take("[A-Za-z]{2,}(?![A-Za-z])"):
            # A subscript of several letters is a word: T_min, σ_max, f_full.
            made = f"\\{name}" if name in _COMMANDS else rf"\mathrm{{{name}}}"
        else:
            made = self._base()
        return ("-" if minus else "") + made
