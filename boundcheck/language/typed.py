r"""`line`: a formula in LaTeX on one line of text, as a person would type it, for a terminal.

``\frac{2 D \hat{L}}{T}`` is ``2 D L̂/T``, and ``\sqrt{r} \sigma`` is ``√r σ``. Brackets stand where a fraction bar, a
root or a raised script told what belongs together, so that the line says what the formula says. It reads what SymPy,
the vocabulary and the authors of claims write; a command that it does not know is shown by its name.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from boundcheck.language.nested import Nested, TooDeepError
from boundcheck.language.prose import GREEK, SIGNS

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
_ABOVE = {r"\hat": "\u0302", r"\tilde": "\u0303", r"\bar": "\u0304", r"\overline": "\u0304"}
_WORDS = frozenset(
    (r"\text", r"\mathrm", r"\mathbf", r"\mathit", r"\mathtt", r"\mathcal", r"\operatorname", r"\mathbb")
)
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
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


def line(latex: str) -> str:
    """The formula on one line; as it stands if its groups are too deep inside of one another."""
    try:
        return _joined(_Reader(_TOKEN.findall(latex)).items(""))
    except TooDeepError:
        return " ".join(latex.split())


def _joined(items: Sequence[_Item]) -> str:
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


class _Reader(Nested):
    """A reader that goes from left to right through the signs of one formula."""

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
            return _joined(self.items("}"))
        # Of a word or number without braces one sign is meant.
        if len(token) > 1 and not token.startswith("\\"):
            self._tokens = [*self._tokens[: self._at], token[1:], *self._tokens[self._at :]]
            token = token[0]
        return self._item(token).text if token else ""

    @Nested.inside
    def _item(self, token: str) -> _Item:
        if token in (r"\left", r"\right"):
            sign = _sign(self._take())
            return _Item("" if sign == "." else sign, "opens" if token == r"\left" else "closes")
        if token in (r"\frac", r"\tfrac", r"\dfrac"):
            above, below = self._group(), self._group()
            return _Item(f"{_bracketed(above, above_bar=True)}/{_bracketed(below)}", "quotient")
        if token == r"\sqrt":
            return _Item(self._root(), "letter")
        if token in _ABOVE:
            return _Item(unicodedata.normalize("NFC", self._group() + _ABOVE[token]), "letter")
        if token in _WORDS:
            text = self._words()
            if token == r"\mathbb":
                text = text.replace("R", "ℝ")
            return _Item(text.strip(), "words" if token == r"\text" else "letter")
        if token == "{":
            return _Item(_bracketed(_joined(self.items("}"))), "letter")
        sign = _sign(token)
        return _Item(sign, _KINDS.get(sign, "letter"))

    def _root(self) -> str:
        index = ""
        if self._at < len(self._tokens) and self._tokens[self._at] == "[":
            self._at += 1
            index = _joined(self.items("]"))
        text = self._group()
        inside = text if _BARE.fullmatch(_outside(text)) else f"({text})"
        return f"{inside}^(1/{index})" if index else f"√{inside}"

    def _words(self) -> str:
        """The text in braces, as it stands."""
        depth, found = 0, []
        while token := self._take():
            depth += (token == "{") - (token == "}")
            if depth == 0:
                break
            found.append("" if token in "{}" else _sign(token))
        return "".join(found)


def _sign(token: str) -> str:
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
        return replace(base, text=text + script.translate(_RAISED), kind=kind)
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
