r"""Formulas from LaTeX in typst's own markup, sign by sign: none is left out, and an unknown one is refused.

It reads the LaTeX of the kernel's statements, of claims and of texts: letters, scripts, fractions, roots, accents,
delimiters that grow. A formula with anything else is shown as the LaTeX that it is.
"""

from __future__ import annotations

import re

from boundcheck.language.prose import SIGNS, Nested, TooDeepError
from boundcheck.shown import visible

# Words with the braces around them, commands, numbers, signs.
_WORDS = re.compile(r"\\(?:text|mathrm|operatorname|mathtt|mathsf|textbf|textrm)\{([^{}$\\]*(?:\\[_&%#][^{}$\\]*)*)\}")
_PIECE = re.compile(rf"{_WORDS.pattern.replace('([', '(?:[', 1)}|\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\S")
# Commands that are one sign in Unicode; those of Greek letters are typst's names, but for the variants.
_SIGNS = {command[1:]: sign for sign, command in SIGNS.items() if re.fullmatch(r"\\[A-Za-z]+", command)} | {
    "leq": "≤", "geq": "≥", "neq": "≠", "notin": "∉", "subseteq": "⊆", "rightarrow": "→", "cdot": "⋅", "ldots": "…",
    "cdots": "⋯", "mid": "∣", "vert": "∣", "top": "⊤", "star": "⋆", "ast": "∗", "prime": "′", "|": "#parallels;",
    "wedge": "∧", "sim": "∼", "equiv": "≡", "simeq": "≃", "odot": "⊙", "otimes": "⊗",
    "surd": r"\√", "{": r"\{", "}": r"\}", "%": "%", "#": r"\#", "&": r"\&", "_": r"\_", "$": r"\$",
    ",": "thin", ";": "med", ":": "med", "!": "", " ": "space", "quad": "quad", "qquad": "wide",
}  # fmt: skip
_GREEK = frozenset(
    re.findall(
        r"\w+",
        """
        alpha beta gamma delta zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon chi psi omega
        Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega
        """,
    )
)
_VARIANTS = {"epsilon": "epsilon.alt", "varepsilon": "epsilon", "phi": "phi.alt", "varphi": "phi"}
_NAMES = frozenset(("arg", "cos", "det", "dim", "exp", "inf", "ker", "lim", "ln", "log", "max", "min", "sin", "sup"))
_OVER = {
    "hat": "hat", "widehat": "hat", "tilde": "tilde", "widetilde": "tilde", "bar": "macron", "overline": "overline",
    "vec": "arrow", "dot": "dot", "ddot": "dot.double", "mathbf": "bold", "boldsymbol": "bold", "bm": "bold",
    "mathbb": "bb", "mathcal": "cal", "mathit": "italic", "underline": "underline",
}  # fmt: skip
_FRACTIONS = frozenset(("frac", "tfrac", "dfrac"))
PREAMBLE = '#let parallels = math.class("normal", "‖")'
# Signs that mean something in typst's formulas, and are printed here.
_ESCAPED = frozenset("()[]{},;:\"/#$&'|_^~@`<>")


class UnknownError(ValueError):
    """A formula with a sign that is not known."""


def formula(latex: str) -> str:
    """A formula in the markup of typst's formulas.

    Raises:
        UnknownError: for a command that is not known, and for groups that do not close or are too deep.

    """
    try:
        # A space after what is no sign of typst's own would be printed.
        return _Reader(_PIECE.findall(latex), latex).all().replace("#parallels; ", "#parallels;")
    except TooDeepError:
        raise UnknownError("groups that are too deep inside of one another") from None


def string(text: str) -> str:
    """Text as a string in typst's code."""
    said = visible(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{said}"'


class _Reader(Nested):
    """A reader of LaTeX, from left to right: each method reads the part in its name."""

    def __init__(self, pieces: list[str], latex: str) -> None:
        super().__init__()
        self._pieces, self._latex, self._at = pieces, latex, 0

    def all(self) -> str:
        made = self._items("")
        if self._at < len(self._pieces):
            raise UnknownError(f"a group that does not open: {self._latex}")
        return made

    def _next(self) -> str:
        return self._pieces[self._at] if self._at < len(self._pieces) else ""

    def _take(self) -> str:
        piece = self._next()
        if not piece:
            raise UnknownError(f"an end too early: {self._latex}")
        self._at += 1
        return piece

    @Nested.inside
    def _items(self, end: str) -> str:
        """Everything up to a closing piece, which is passed, or to the end."""
        made = []
        while self._next() and self._next() != end:
            if self._next() in ("}", r"\right"):
                break
            made.append(self._item())
        if end and self._take() != end:
            raise UnknownError(f"a group that does not close: {self._latex}")
        return " ".join(filter(None, made))

    def _item(self) -> str:
        """A sign with its scripts."""
        # A script may be that of nothing.
        base = '""' if self._next() in ("_", "^") else self._base()
        scripts: dict[str, str] = {}
        while self._next() in ("_", "^", "'"):
            sign = self._take()
            mark, made = ("^", "′") if sign == "'" else (sign, self._argument())
            scripts[mark] = f"{scripts[mark]} {made}" if mark in scripts else made
        if scripts and base.startswith("frac("):
            # A fraction to a power has a bracket, or the power would seem to be that of what is above.
            base = rf"lr(\( {base} \))"
        return base + "".join(f"{mark}({scripts[mark]})" for mark in "_^" if mark in scripts)

    def _argument(self) -> str:
        """Read what a script, a root or a fraction holds: a group, or one sign."""
        if self._next() == "{":
            self._take()
            return self._items("}") or '""'
        return self._base()

    @Nested.inside
    def _base(self) -> str:
        piece = self._take()
        if piece == "{":
            inside = self._items("}")
            # A group of several signs stays one, so that a script is that of all of it.
            return f"lr({inside})" if self._next() in ("_", "^") and " " in inside else inside
        if words := _WORDS.fullmatch(piece):
            return string(re.sub(r"\\(.)", r"\1", words[1]))
        if piece.startswith("\\"):
            return self._command(piece[1:])
        return f"\\{piece}" if piece in _ESCAPED else piece

    def _command(self, name: str) -> str:
        if name in _SIGNS:
            return _SIGNS[name]
        if name in _GREEK or name in _NAMES:
            return name
        if name in _VARIANTS:
            return _VARIANTS[name]
        if name in _OVER:
            return f"{_OVER[name]}({self._argument()})"
        if name in _FRACTIONS:
            return f"frac({self._argument()}, {self._argument()})"
        if name == "sqrt":
            return self._root()
        if name == "left":
            return self._grown()
        if name in ("big", "Big", "bigl", "bigr", "Bigl", "Bigr", "displaystyle", "limits"):
            return ""
        raise UnknownError(f"\\{name}")

    def _root(self) -> str:
        if self._next() != "[":
            return f"sqrt({self._argument()})"
        self._take()
        degree = self._items("]")
        return f"root({degree}, {self._argument()})"

    def _grown(self) -> str:
        """Read what stands between delimiters that grow with it."""
        opening = self._delimiter()
        inside = self._items("")
        if self._take() != r"\right":
            raise UnknownError(f"\\left without \\right: {self._latex}")
        return f"lr({opening} {inside} {self._delimiter()})"

    def _delimiter(self) -> str:
        piece = self._take()
        if piece == ".":
            return ""
        return self._command(piece[1:]) if piece.startswith("\\") else f"\\{piece}" if piece in _ESCAPED else piece
