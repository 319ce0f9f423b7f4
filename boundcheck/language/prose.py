"""Text with formulas in it, as a terminal, a page and a paper show it, and formulas from LaTeX to
what is typed.

In prose a formula stands between two dollars, on one line, as people type it in a mail:
``$‖W_1 - W_2‖ ≤ C√r·σ$``. A terminal shows it as it was typed (`plain`); on a page (`html`) and in
a paper (`tex`) it is typeset. Only subscripts, superscripts, roots and hats change their look: no
sign is left out and no bracket but the one that holds a script or a root, so that all three say the
same. A name of the code stands between two backticks, `` `eta_max` ``.

The other way goes `typed`, for what SymPy, the vocabulary and the authors of claims write in LaTeX.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, wraps
from html import escape
from typing import Any, Literal, TypeVar
from xml.etree import ElementTree

import latex2mathml.converter

from boundcheck.shown import visible

T = TypeVar("T")

_PART = re.compile(r"\$(?P<formula>[^$\n]+)\$|`(?P<name>[^`\s](?:[^`\n]*[^`\s])?)`")
# Words that are one sign, not a product of letters.
_COMMANDS = frozenset(("cos", "dim", "exp", "inf", "lim", "log", "max", "min", "sin", "sup"))
_NAMES = _COMMANDS | {"all", "for", "of", "op", "or", "tr"}
_WORD = re.compile("[a-z]{4,}")
SIGNS = {
    "‖": r"\|", "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≈": r"\approx", "∝": r"\propto",
    "≪": r"\ll", "≫": r"\gg", "∈": r"\in", "⊂": r"\subset", "→": r"\to", "⇒": r"\Rightarrow",
    "∇": r"\nabla", "∂": r"\partial", "⟨": r"\langle", "⟩": r"\rangle", "·": r"\cdot",
    "×": r"\times", "±": r"\pm", "∘": r"\circ", "∞": r"\infty", "∀": r"\forall", "∃": r"\exists",
    "Σ": r"\sum", "∑": r"\sum", "Π": r"\prod", "∏": r"\prod", "ℓ": r"\ell", "ℝ": r"\mathbb{R}",
    "𝔼": r"\mathbb{E}", "…": r"\dots", "−": "-", "′": "'", "½": r"\tfrac{1}{2}", "√": r"\surd",
    "{": r"\{", "}": r"\}", "%": r"\%", "#": r"\#", "&": r"\&", "\u2009": r"\,", "\u202f": r"\,",
    "\u00a0": r"\ ",
}  # fmt: skip
_ABOVE = {"\u0302": r"\hat", "\u0303": r"\tilde", "\u0304": r"\bar", "\u0305": r"\bar"}
_RAISED = {"ᵀ": r"\top"} | dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+", strict=True))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉ₐₑᵢⱼₖₘₙₒₚₛₜ", "0123456789aeijkmnopst", strict=True))


_GREEK_NAME = re.compile(r"GREEK (SMALL|CAPITAL) LETTER (\w+)")
GREEK = {
    # Unicode's name of λ lacks a letter.
    sign: (str.lower if found[1] == "SMALL" else str.capitalize)(
        found[2].replace("LAMDA", "LAMBDA")
    )
    for sign in map(chr, range(0x370, 0x400))
    if (found := _GREEK_NAME.fullmatch(unicodedata.name(sign, "")))
}
"""The name of each Greek letter, as TeX and code spell it: that of λ is lambda, and that of Λ is
Lambda."""
# Signs of a formula that is read.
_LONGEST = 2000
_CLOSES = {"(": ")", "[": "]", "{": "}"}
_WORD_SIGN = re.compile(f".[{''.join(_ABOVE)}]*", re.DOTALL)
# Signs of TeX in the words around formulas.
_TEX = {sign: f"\\{sign}" for sign in "&%$#_{}"} | {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "“": "``", "”": "''", "–": "--", "’": "'",
    "‘": "`", "—": "---", "\u00a0": "~", "\u2009": r"\,", "\u202f": r"\,",
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


def joined(
    text: str,
    words: Callable[[str], str],
    formula: Callable[[str], str],
    name: Callable[[str], str],
) -> str:
    """The text with each part written in its own way: words, formulas, and names of the code."""
    made, at, text = [], 0, visible(text)
    for match in _PART.finditer(text):
        part = formula(match["formula"]) if match["formula"] else name(match["name"])
        made += [words(text[at : match.start()]), part]
        at = match.end()
    return "".join([*made, words(text[at:])])


# A sign that TeX spells out; on a page it is itself.
_TEXT = re.compile(r"\\text\{(\\text\w+\{\}|\\.|.)\}")
_SPELLED = {spelled: sign for sign, spelled in _TEX.items()}


def html(text: str) -> str:
    """The text as HTML, each formula as MathML."""

    def as_typed(match: re.Match[str]) -> str:
        sign = _SPELLED.get(match[1], match[1])
        return r"\backslash" if sign == "\\" else rf"\text{{{sign}}}"

    def formula(typed: str) -> str:
        return mathml_of(_TEXT.sub(as_typed, latex(typed)))

    return joined(text, escape, formula, lambda name: f"<code>{escape(name)}</code>")


def tex(text: str) -> str:
    """The text as LaTeX, each formula between dollars; needs amsmath and amssymb.

    A sign that LaTeX does not know is spelled out. A name of the code may be broken after its dots
    and underscores.
    """

    def words(text: str) -> str:
        """Signs that TeX reads as commands are printed, and mathematical signs are in math."""
        made = ""
        for sign in _WORD_SIGN.findall(unicodedata.normalize("NFC", text)):
            is_letter = len(sign) == 1 and (
                sign.isascii() or unicodedata.name(sign, "").startswith("LATIN")
            )
            made += (
                _TEX.get(sign, sign)
                if is_letter or sign in _TEX
                else rf"\ensuremath{{{latex(sign)}}}"
            )
        return made

    def name(text: str) -> str:
        return r"\texttt{" + re.sub(r"(\.|\\_)", r"\1\\allowbreak{}", words(text)) + "}"

    made = ""
    for sign in joined(text, words, lambda formula: f"${latex(formula)}$", name):
        # Latin letters with accents are known, those that a paper's fonts have.
        is_known = sign.isascii() or (sign < "\u0180" and sign.isalpha())
        made += sign if is_known else f"({unicodedata.name(sign, 'sign').lower()})"
    return made


def latex(formula: str) -> str:
    r"""A formula that was typed on one line, in LaTeX.

    ``x_1``, ``x_(t+1)`` or ``x_{t+1}``, ``r^(1/4)``, ``x²``: scripts; ``√r·σ`` is the root of r
    alone, and ``√(rσ)`` of both; ``λ*`` has a star as its superscript; letters side by side are a
    product, but names such as ``max``, and four small letters or more, are a word. Where a formula
    is longer, or has more brackets, scripts and roots inside of one another, than anybody reads,
    its signs are printed as they stand.
    """
    text = unicodedata.normalize("NFC", formula)
    try:
        if len(text) <= _LONGEST:
            return " ".join(_TypedReader(text).items(""))
    except TooDeepError:
        pass
    return " ".join(_sign(sign) for sign in text if not sign.isspace())


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


# Calls inside of one another, two for a group.
_DEEPEST = 120


class TooDeepError(ValueError):
    """An error for a formula with more parts inside of one another than are read."""


def nested(read: Callable[..., T]) -> Callable[..., T]:
    """Wrap a method that reads parts inside of one another: it raises TooDeepError where they are
    too deep.
    """

    @wraps(read)
    def counted(self: Any, *given: Any) -> T:
        depth = vars(self).setdefault("depth", 0)
        if depth >= _DEEPEST:
            raise TooDeepError
        self.depth = depth + 1
        try:
            return read(self, *given)
        finally:
            self.depth = depth

    return counted


class _TypedReader:
    """A reader of a formula as it is typed, from left to right, that writes LaTeX."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def _take(self, pattern: str) -> str:
        match = re.compile(pattern, re.DOTALL).match(self._text, self._at)
        self._at += len(match[0]) if match else 0
        return match[0] if match else ""

    @nested
    def items(self, end: str) -> list[str]:
        """The items up to a closing bracket, which is passed over, or up to the end of the
        formula.
        """
        found = []
        while self._at < len(self._text):
            sign = self._text[self._at]
            if sign == end:
                self._at += 1
                break
            if sign.isspace() and sign not in SIGNS:
                self._at += 1
                continue
            found.append(self._item())
        return found

    def _item(self) -> str:
        """A sign with its scripts."""
        made, below, above = self._base(), "", ""
        while True:
            if sign := self._take(r"[_^](?=\s*\S)"):
                script = self._argument()
                below, above = (below + script, above) if sign == "_" else (below, above + script)
            elif raised := self._take(rf"[{''.join(_RAISED)}]+"):
                above += "".join(_RAISED[each] for each in raised)
            elif lowered := self._take(rf"[{''.join(_LOWERED)}]+"):
                below += "".join(_LOWERED[each] for each in lowered)
            # A star before a letter or digit is that of a product or a convolution.
            elif (made[-1:].isalpha() or made.endswith("}")) and self._take(r"\*(?![^\W_])"):
                above += "*"
            else:
                return (
                    made + (f"_{{{below}}}" if below else "") + (f"^{{{above}}}" if above else "")
                )

    @nested
    def _base(self) -> str:
        if name := self._take("[A-Za-z]+"):
            if name in _NAMES or _WORD.fullmatch(name):
                return f"\\{name}" if name in _COMMANDS else rf"\operatorname{{{name}}}"
            # One letter at a time: what follows is over or under the last.
            self._at -= len(name) - 1
            is_mean = name == "E" and self._text.startswith(("[", "‖"), self._at)
            made = r"\mathbb{E}" if is_mean else name[0]
        elif number := self._take(r"\d+(\.\d+)?"):
            return number
        elif self._take(r"√(?=\s*\S)"):
            return rf"\sqrt{{{self._argument()}}}"
        elif bracket := self._take(r"[(\[{]"):
            inside, end = " ".join(self.items(_CLOSES[bracket])), _CLOSES[bracket]
            closed = self._text[self._at - 1] == end
            return f"{_sign(bracket)}{inside}" + (_sign(end) if closed else "")
        elif sign := self._take(rf"[^{''.join((*_RAISED, *_LOWERED))}]"):
            made = _sign(sign)
        else:
            # Of a script or a minus at the end, and of a script that follows nothing.
            return "{}"
        for mark in self._take(f"[{''.join(_ABOVE)}]*"):
            made = f"{_ABOVE[mark]}{{{made}}}"
        return made

    def _argument(self) -> str:
        """The content of a script or a root: that of a bracket, without the bracket, or one sign,
        name or number.
        """
        if bracket := self._take("[({]"):
            return " ".join(self.items(_CLOSES[bracket]))
        minus = "-" if self._take("[-−]") else ""
        if name := self._take("[A-Za-z]{2,}(?![A-Za-z])"):
            # A subscript of several letters is a word: T_min, σ_max, f_full.
            return minus + (f"\\{name}" if name in _COMMANDS else rf"\mathrm{{{name}}}")
        return minus + self._base()


# Signs of a formula that is typeset: the converter takes seconds for more.
_LONGEST_MATHML = 10_000
# A character as the converter writes it. It is text, and stays a reference to a character when it
# is serialised.
_CHARACTER = re.compile(r"&amp;(#x[0-9A-Fa-f]+;)")


@cache
def mathml_of(latex: str, display: str = "inline") -> str:
    r"""A formula as MathML; text that is not LaTeX is shown as typed.

    Whatever stands in the LaTeX, as the name of a letter or in \text, comes out as text: the
    converter's own serialisation would let tags through.
    """
    if len(latex) > _LONGEST_MATHML:
        return f"<code>{escape(latex)}</code>"
    try:
        one_sign = latex.replace(":=", r"\coloneqq ")
        element = latex2mathml.converter.convert_to_element(one_sign, display=display)
        made = ElementTree.tostring(element, encoding="unicode")
    # The converter's errors are documented nowhere. IndexError is among them; RecursionError is of
    # groups too deep.
    except Exception:
        return f"<code>{escape(latex)}</code>"
    return _CHARACTER.sub(r"&\1", made)


Kind = Literal["letter", "quotient", "prefix", "between", "opens", "closes", "comma", "words"]

_TOKEN = re.compile(r"\\(?:[A-Za-z]+|.)|[A-Za-z]+|\d+(?:\.\d+)?|\s+|.", re.DOTALL)
_TYPED = {
    command: sign
    for sign, command in SIGNS.items()
    if command.startswith("\\") and sign not in "∑∏"
} | {
    r"\leq": "≤", r"\geq": "≥", r"\neq": "≠", r"\wedge": "and", r"\top": "ᵀ", r"\mid": "|",
    r"\lVert": "‖", r"\rVert": "‖", r"\ldots": "…", r"\star": "*", r"\ast": "*", r"\prime": "′",
}  # fmt: skip
_LETTERS = {name: letter for letter, name in GREEK.items()}
_KINDS: dict[str, Kind] = {
    **dict.fromkeys("≤≥≠≈∈⊂→⇒∝≪≫=<>|+-·×±∘", "between"),
    **dict.fromkeys("([{⟨", "opens"),
    **dict.fromkeys(")]}⟩", "closes"),
    **dict.fromkeys(",;:", "comma"),
    **dict.fromkeys("∇∂", "prefix"),
    "and": "between",
}
# Commands that only move what is around them.
_SPACES = frozenset((r"\ ", r"\,", r"\;", r"\:", r"\quad", r"\qquad", "~"))
_NOTHING = frozenset((r"\!", r"\displaystyle", r"\limits"))
_MARKS = {command: mark for mark, command in _ABOVE.items()} | dict.fromkeys(
    (r"\bar", r"\overline"), "\u0304"
)
_WORDS = frozenset(
    (
        r"\text",
        r"\mathrm",
        r"\mathbf",
        r"\mathit",
        r"\mathtt",
        r"\mathcal",
        r"\operatorname",
        r"\mathbb",
    )
)
_AS_RAISED = str.maketrans({typed: raised for raised, typed in _RAISED.items() if len(typed) == 1})
_ENDS = {"(": ")", "[": "]", "{": "}", "⟨": "⟩", "‖": "‖"}
# A script that needs no bracket; a letter, a call, a norm or what is in brackets, and a power or a
# root of one; and what makes an expression more than a product.
_NAME, _POWER = r"[^\W_⁰¹²³⁴⁵⁶⁷⁸⁹]+", "[⁰¹²³⁴⁵⁶⁷⁸⁹]*"
_SCRIPT = re.compile(rf"{_NAME}'*")
_LETTER = rf"{_NAME}[\u0302-\u0304]?'*(_{_NAME})?"
_BASE = rf"({_LETTER}(\(\)|\[\])?|\(\)|‖‖(_{_NAME})?)"
_ONE = re.compile(rf"√?{_BASE}|{_BASE}{_POWER}")
_BARE = re.compile(rf"{_LETTER}|\(\)")
_MANY = re.compile(r"[-+±/ΣΠ=≤≥<>]")


@dataclass(frozen=True)
class _Item:
    """A part of a formula that is not taken apart, and whether there was a space before it."""

    text: str
    kind: Kind
    spaced: bool = False


def typed(latex: str) -> str:
    r"""A formula in LaTeX on one line, as a person would type it; as it stands if its groups are
    too deep.

    ``\frac{2 D \hat{L}}{T}`` is ``2 D L̂/T``, and ``\sqrt{r} \sigma`` is ``√r σ``. Brackets stand
    where a fraction bar, a root or a raised script told what belongs together, so that the line
    says what the formula says. A command that is not known is shown by its name.
    """
    try:
        return _spaced(_LatexReader(_TOKEN.findall(latex)).items(""))
    except TooDeepError:
        return " ".join(latex.split())


def _spaced(items: Sequence[_Item]) -> str:
    """The items as one text, with spaces where a person would type them."""
    made, before = "", _Item("", "opens")
    for item, after in zip(items, [*(each.kind for each in items[1:]), "closes"], strict=False):
        text, kind, spaced = item.text, item.kind, item.spaced
        if kind == "quotient" and after in ("letter", "quotient", "prefix", "opens"):
            # What follows is no part of the divisor.
            text = f"({text})"
        if text in "+-±" and before.kind in ("opens", "between", "comma"):
            kind, spaced = "prefix", before.kind != "opens"
        is_close = (
            before.kind in ("opens", "prefix")
            or kind in ("closes", "comma")
            or text[:1] in (",", ".")
        )
        is_apart = (
            before.kind in ("between", "words", "comma") or kind in ("between", "words") or spaced
        )
        made += (" " if is_apart and not is_close else "") + text
        before = _Item(text, kind)
    return made


class _LatexReader:
    """A reader of a formula in LaTeX, from left to right, that writes it as it is typed."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens, self._at = tokens, 0

    @nested
    def items(self, end: str) -> list[_Item]:
        """The items up to a closing sign, which is passed over, or up to the end."""
        found: list[_Item] = []
        spaced = False
        while self._at < len(self._tokens):
            token = self._take()
            if end and token == end:
                break
            if token.isspace() or token in _SPACES:
                spaced = True
            elif token in ("_", "^"):
                base = found.pop() if found else _Item("", "letter")
                text, kind, script = base.text, base.kind, self._group()
                if token == "^" and (kind == "quotient" or text.startswith("√")):
                    text = f"({text})"
                if kind == "quotient" or (kind == "prefix" and token == "_"):
                    kind = "letter"
                if token == "^" and script in ("*", "ᵀ", "′"):
                    text += script
                elif token == "^" and re.fullmatch(r"-?\d+", script):
                    text += script.translate(_AS_RAISED)
                else:
                    text += token + (script if _SCRIPT.fullmatch(script) else f"({script})")
                found.append(_Item(text, kind, base.spaced))
            elif token not in _NOTHING:
                found.append(replace(self._item(token), spaced=spaced))
                spaced = False
        return found

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1] if self._at <= len(self._tokens) else ""

    def _group(self) -> str:
        """An argument: a group in braces, or one sign."""
        token = self._take()
        while token.isspace():
            token = self._take()
        if token == "{":
            return _spaced(self.items("}"))
        # Of a word or number without braces one sign is meant.
        if len(token) > 1 and not token.startswith("\\"):
            self._tokens = [*self._tokens[: self._at], token[1:], *self._tokens[self._at :]]
            token = token[0]
        return self._item(token).text if token else ""

    @nested
    def _item(self, token: str) -> _Item:
        if token in (r"\left", r"\right"):
            sign = _typed_sign(self._take())
            return _Item("" if sign == "." else sign, "opens" if token == r"\left" else "closes")
        if token in (r"\frac", r"\tfrac", r"\dfrac"):
            above, below = self._group(), self._group()
            return _Item(f"{_bracketed(above, above_bar=True)}/{_bracketed(below)}", "quotient")
        if token == r"\sqrt":
            index = ""
            if self._at < len(self._tokens) and self._tokens[self._at] == "[":
                self._at += 1
                index = _spaced(self.items("]"))
            text = self._group()
            inside = text if _BARE.fullmatch(_outside(text)) else f"({text})"
            return _Item(f"{inside}^(1/{index})" if index else f"√{inside}", "letter")
        if token in _MARKS:
            return _Item(unicodedata.normalize("NFC", self._group() + _MARKS[token]), "letter")
        if token in _WORDS:
            # The text in braces, as it stands.
            depth, text = 0, ""
            while sign := self._take():
                depth += (sign == "{") - (sign == "}")
                if depth == 0:
                    break
                text += "" if sign in "{}" else _typed_sign(sign)
            if token == r"\mathbb":
                text = text.replace("R", "ℝ")
            return _Item(text.strip(), "words" if token == r"\text" else "letter")
        if token == "{":
            return _Item(_bracketed(_spaced(self.items("}"))), "letter")
        sign = _typed_sign(token)
        return _Item(sign, _KINDS.get(sign, "letter"))


def _typed_sign(token: str) -> str:
    """A letter, number or command as it is typed."""
    if not token.startswith("\\"):
        return token
    name = token[1:]
    return _TYPED.get(token) or _LETTERS.get(name.removeprefix("var"), name)


def _bracketed(text: str, above_bar: bool = False) -> str:
    """A text that belongs together, in brackets unless it is one thing; above a bar a product needs
    none.
    """
    outside = _outside(text)
    if _ONE.fullmatch(outside) or (above_bar and not _MANY.search(outside)):
        return text
    return f"({text})"


def _outside(text: str) -> str:
    """The text outside of brackets and norms, which are left as empty pairs; the whole text if one
    is open.
    """
    found, ends = "", list[str]()
    for sign in text:
        is_outside = not ends
        if ends and sign == ends[-1]:
            ends.pop()
            is_outside = not ends
        elif sign in _ENDS:
            ends.append(_ENDS[sign])
        found += sign if is_outside else ""
    return text if ends else found
