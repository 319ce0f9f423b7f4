"""Text with formulas in it, as a terminal, a page and a paper show it, and formulas from LaTeX to what is typed.

In prose a formula stands between two dollars, on one line, as people type it in a mail: ``$‖W_1 - W_2‖ ≤ C√r·σ$``. A
terminal shows it as it was typed (`plain`); on a page (`html`) and in a paper (`tex`) it is typeset. Only subscripts,
superscripts, roots and hats change their look: no sign is left out and no bracket but the one that holds a script or a
root, so that all three say the same. A name of the code stands between two backticks, `` `eta_max` ``.

The other way goes `typed`, for what SymPy, the vocabulary and the authors of claims write in LaTeX.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
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

    def name(text: str) -> str:
        return r"\texttt{" + re.sub(r"(\.|\\_)", r"\1\\allowbreak{}", _words(text)) + "}"

    made = ""
    for sign in joined(text, _words, lambda formula: f"${latex(formula)}$", name):
        # Latin letters with accents are known, those that a paper's fonts have.
        is_known = sign.isascii() or (sign < "\u0180" and sign.isalpha())
        made += sign if is_known else f"({unicodedata.name(sign, 'sign').lower()})"
    return made


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
            return " ".join(_TypedReader(text).items(""))
    except TooDeepError:
        pass
    return " ".join(_sign(sign) for sign in text if not sign.isspace())


# A sign that TeX spells out; on a page it is itself.
_TEXT = re.compile(r"\\text\{(\\text\w+\{\}|\\.|.)\}")
_SPELLED = {spelled: sign for sign, spelled in _TEX.items()}


def _as_typed(match: re.Match[str]) -> str:
    sign = _SPELLED.get(match[1], match[1])
    return r"\backslash" if sign == "\\" else rf"\text{{{sign}}}"


def _words(text: str) -> str:
    """Words for TeX: signs that it reads as commands are printed, and mathematical signs are in math."""
    made = ""
    for match in _WORD_SIGN.finditer(unicodedata.normalize("NFC", text)):
        sign = match[0]
        is_plain = len(sign) == 1 and (sign in _TEX or sign.isascii() or unicodedata.name(sign, "").startswith("LATIN"))
        made += _TEX.get(sign, sign) if is_plain else rf"\ensuremath{{{latex(sign)}}}"
    return made


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


# Calls inside of one another, two for a group. Readers after ours, such as typst, take no more than a few hundred.
_DEEPEST = 120


class TooDeepError(ValueError):
    """An error for a formula with more parts inside of one another than are read."""


class Nested:
    """A reader that counts how many of its calls are inside of one another."""

    def __init__(self) -> None:
        """Begin outside of every part."""
        self._depth = 0

    @staticmethod
    def inside(read: Callable[..., T]) -> Callable[..., T]:
        """Wrap a method that reads parts inside of one another: it raises TooDeepError where they are too deep."""

        @wraps(read)
        def counted(self: "Nested", *given: Any) -> T:
            if self._depth >= _DEEPEST:
                raise TooDeepError
            self._depth += 1
            try:
                return read(self, *given)
            finally:
                self._depth -= 1

        return counted


class _TypedReader(Nested):
    """A reader of a formula as it is typed, from left to right, that writes LaTeX."""

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
            if sign in "_^" and self._text[self._at + 1 :].strip():
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

    def _is_before_a_factor(self) -> bool:
        """True if the star stands before a letter or digit, as in a product or a convolution."""
        return self._text[self._at + 1 : self._at + 2].isalnum()

    def _many(self, table: dict[str, str]) -> str:
        found = ""
        while self._next() in table and self._next():
            found += table[self._next()]
            self._at += 1
        return found

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


# Signs of a formula that is typeset: the converter takes seconds for more.
_LONGEST_MATHML = 10_000
# A character as the converter writes it. It is text, and stays a reference to a character when it is serialised.
_CHARACTER = re.compile(r"&amp;(#x[0-9A-Fa-f]+;)")


@cache
def mathml_of(latex: str, display: str = "inline") -> str:
    r"""A formula as MathML; text that is not LaTeX is shown as typed.

    Whatever stands in the LaTeX, as the name of a letter or in \text, comes out as text: the converter's own
    serialisation would let tags through.
    """
    if len(latex) > _LONGEST_MATHML:
        return f"<code>{escape(latex)}</code>"
    try:
        element = latex2mathml.converter.convert_to_element(latex, display=display)
        made = ElementTree.tostring(element, encoding="unicode")
    # The converter's errors are documented nowhere. IndexError is among them; RecursionError is of groups too deep.
    except Exception:
        return f"<code>{escape(latex)}</code>"
    return _CHARACTER.sub(r"&\1", made)


Kind = Literal["letter", "quotient", "prefix", "between", "opens", "closes", "comma", "words"]

_TOKEN = re.compile(r"\\(?:[A-Za-z]+|.)|[A-Za-z]+|\d+(?:\.\d+)?|\s+|.", re.DOTALL)
_TYPED = {command: sign for sign, command in SIGNS.items() if command.startswith("\\") and sign not in "∑∏"} | {
    r"\leq": "≤", r"\geq": "≥", r"\neq": "≠", r"\wedge": "and", r"\top": "ᵀ", r"\mid": "|", r"\lVert": "‖",
    r"\rVert": "‖", r"\ldots": "…", r"\star": "*", r"\ast": "*", r"\prime": "′",
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
_MARKS = {command: mark for mark, command in _ABOVE.items()} | dict.fromkeys((r"\bar", r"\overline"), "\u0304")
_WORDS = frozenset(
    (r"\text", r"\mathrm", r"\mathbf", r"\mathit", r"\mathtt", r"\mathcal", r"\operatorname", r"\mathbb")
)
_AS_RAISED = str.maketrans({typed: raised for raised, typed in _RAISED.items() if len(typed) == 1})
_ENDS = {"(": ")", "[": "]", "{": "}", "⟨": "⟩", "‖": "‖"}
# A script that needs no bracket; a letter, a call, a norm or what is in brackets, and a power or a root of one; and
# what makes an expression more than a product.
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
    r"""A formula in LaTeX on one line, as a person would type it; as it stands if its groups are too deep.

    ``\frac{2 D \hat{L}}{T}`` is ``2 D L̂/T``, and ``\sqrt{r} \sigma`` is ``√r σ``. Brackets stand where a fraction bar,
    a root or a raised script told what belongs together, so that the line says what the formula says. A command that is
    not known is shown by its name.
    """
    try:
        return _spaced(_LatexReader(_TOKEN.findall(latex)).items(""))
    except TooDeepError:
        return " ".join(latex.split())


def _spaced(items: Sequence[_Item]) -> str:
    """The items as one text, with spaces where a person would type them."""
    made, before = "", None
    for place, item in enumerate(items):
        after = items[place + 1] if place + 1 < len(items) else None
        if item.kind == "quotient" and after is not None and after.kind in ("letter", "quotient", "prefix", "opens"):
            # What follows is no part of the divisor.
            item = replace(item, text=f"({item.text})")
        if item.text in "+-±" and (before is None or before.kind in ("opens", "between", "comma")):
            item = replace(item, kind="prefix", spaced=before is not None and before.kind != "opens")
        made += (" " if before is not None and _is_apart(before, item) else "") + item.text
        before = item
    return made


def _is_apart(before: _Item, item: _Item) -> bool:
    """True if there is a space between two items."""
    if before.kind in ("opens", "prefix") or item.kind in ("closes", "comma") or item.text[:1] in (",", "."):
        return False
    around = ("between", "words")
    return before.kind in (*around, "comma") or item.kind in around or item.spaced


class _LatexReader(Nested):
    """A reader of a formula in LaTeX, from left to right, that writes it as it is typed."""

    def __init__(self, tokens: Sequence[str]) -> None:
        super().__init__()
        self._tokens, self._at = tokens, 0

    @Nested.inside
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
                found.append(_with_script(base, token, self._group()))
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

    @Nested.inside
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


def _with_script(base: _Item, token: str, script: str) -> _Item:
    """An item with the script below or above it."""
    text = base.text
    if token == "^" and (base.kind == "quotient" or text.startswith("√")):
        text = f"({text})"
    kind: Kind = "letter" if base.kind == "quotient" or (base.kind == "prefix" and token == "_") else base.kind
    if token == "^" and script in ("*", "ᵀ", "′"):
        return replace(base, text=text + script, kind=kind)
    if token == "^" and re.fullmatch(r"-?\d+", script):
        return replace(base, text=text + script.translate(_AS_RAISED), kind=kind)
    return replace(base, text=f"{text}{token}{script if _SCRIPT.fullmatch(script) else f'({script})'}", kind=kind)


def _bracketed(text: str, above_bar: bool = False) -> str:
    """A text that belongs together, in brackets unless it is one thing; above a bar a product needs none."""
    outside = _outside(text)
    if _ONE.fullmatch(outside) or (above_bar and not _MANY.search(outside)):
        return text
    return f"({text})"


def _outside(text: str) -> str:
    """The text outside of brackets and norms, which are left as empty pairs; the whole text if one is open."""
    found, ends = "", list[str]()
    for sign in text:
        if ends and sign == ends[-1]:
            ends.pop()
            found += sign if not ends else ""
        elif sign in _ENDS:
            found += sign if not ends else ""
            ends.append(_ENDS[sign])
        elif not ends:
            found += sign
    return text if ends else found
