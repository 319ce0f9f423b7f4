"""The text of a kernel statement in LaTeX, sign by sign, and back: two statements never look the same."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from boundcheck.errors import InputError
from boundcheck.language.symbols import LATEX_NAMES, look
from boundcheck.proof.letters import Letters, at_times
from boundcheck.proof.readback import tokens_of

# Signs that are the same everywhere. The LaTeX of each is one piece without spaces.
_SIGNS = {
    "‖": r"\|", "‖_F": r"\|_{F}", "‖_op": r"\|_{\mathrm{op}}", "∇": r"\nabla", "ᵀ": r"^{\top}", "<=": r"\le",
    "<": "<", "=": "=", "*": r"\,", "+": "+", "-": "-", "/": "/", "(": "(", ")": ")", "[": "[", "]": "]", ",": ",",
    ";": ";", ":": ":", "|": r"\mid", "E": r"\mathbb{E}", "tr": r"\operatorname{tr}", "min_t": r"\min_{t}",
    "max": r"\max", "sum_t": r"\sum_{t}", "sum": r"\sum", "t": "t", "T": "T", "for": r"\forall", "all": r"\;",
    "with": r"\quad\text{with}\quad", "always": r"\text{always}\;", "past": r"\text{past}\;", "of": r"\text{of}\;",
}  # fmt: skip
# Signs that open a group: how it begins, and how it ends in the text.
_GROUPS = {
    "root": (r"\sqrt{", ")"),
    "inverse": (r"\frac{1}{", ")"),
    "index": ("_{", "]"),
    "^": ("^{", ""),
    "power": (r"^{\,", "]"),
}
_END = "}"
# An inverse to a power: without brackets the exponent would be read as that of what is below the line.
_BRACKETED = (r"\left(\frac{1}{", r"}\right)")
# A time that a sum over earlier times ranges over.
_TIME = re.compile("t'+")
_CLOSES = {"(": ")", "[": "]"}


def latex(text: str, letters: Letters) -> str:
    """A statement's text in LaTeX, in the letters of the papers if these tell the names apart; needs amsmath."""
    names, rest = latex_names(letters), deque(tokens_of(text))
    pieces: list[str] = []
    # Of each open group: the sign that ends it, the piece for that, and the place of an inverse.
    ends: list[tuple[str, str, int | None]] = []
    before = ""
    while rest:
        token = rest.popleft()
        if token in ("root", "inverse"):
            # The bracket that opens what the sign is over.
            rest.popleft()
            ends.append((")", _END, len(pieces) if token == "inverse" else None))
            pieces.append(_GROUPS[token][0])
        elif token == "[" and (before in names or before in ("0", "sum")):
            pieces.append(_GROUPS["index"][0])
            ends.append(("]", _END, None))
        elif token == "^" and (exponent := rest.popleft()) == "[":
            pieces.append(_GROUPS["power"][0])
            ends.append(("]", _END, None))
        elif token == "^":
            pieces += [_GROUPS["^"][0], exponent, _END]
        elif token in _CLOSES:
            pieces.append(_SIGNS[token])
            ends.append((_CLOSES[token], _SIGNS[_CLOSES[token]], None))
        elif ends and token == ends[-1][0]:
            _, piece, place = ends.pop()
            if place is not None and rest and rest[0] == "^":
                pieces[place], piece = _BRACKETED
            pieces.append(piece)
        else:
            pieces.append(_sign(token, names))
        before = token
    return " ".join(pieces)


def _sign(token: str, names: dict[str, str]) -> str:
    if token in names:
        return names[token]
    if token.startswith("∇_"):
        return rf"\nabla_{{{token.removeprefix('∇_')}}}"
    return token if token.isdigit() or _TIME.fullmatch(token) else _SIGNS[token]


def from_latex(text: str, letters: Letters) -> str:
    """The text from which `latex` made this; raises InputError for any other LaTeX."""
    back = {made: sign for sign, made in _SIGNS.items()} | {made: name for name, made in latex_names(letters).items()}
    back |= {rf"\nabla_{{{i}}}": f"∇_{i}" for i in range(1, 100)}
    opening = {made: (sign, end, _END) for sign, (made, end) in _GROUPS.items()}
    opening[_BRACKETED[0]] = ("inverse", _GROUPS["inverse"][1], _BRACKETED[1])
    return " ".join(_unset(text.split(), back, opening))


def _unset(pieces: list[str], back: dict[str, str], opening: dict[str, tuple[str, str, str]]) -> Iterator[str]:
    # Of each open group: the piece that ends it, and the sign for that.
    ends: list[tuple[str, str]] = []
    for piece in pieces:
        if piece in opening:
            sign, end, closing = opening[piece]
            yield {"index": "[", "^": "^", "power": "^ ["}.get(sign, f"{sign} (")
            ends.append((closing, end))
        elif ends and piece == ends[-1][0]:
            yield ends.pop()[1]
        elif piece.isdigit() or _TIME.fullmatch(piece):
            yield piece
        elif piece in back:
            yield back[piece]
        else:
            raise InputError("LaTeX", piece, "a sign of a statement of the kernel")


# A paper's line may contain letters, signs and these commands, in groups that close.
_COMMANDS = frozenset(
    re.findall(
        r"\w+",
        """
        alpha beta gamma delta epsilon varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau phi varphi
        chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega ell top bot nabla partial infty emptyset
        forall exists in notin subset subseteq cup cap setminus times cdot cdots dots ldots pm mp circ odot otimes oplus
        star le leq ge geq lt gt ne neq approx sim simeq equiv propto ll gg to rightarrow Rightarrow mapsto mid vdash
        langle rangle lVert rVert Vert lvert rvert left right big Big bigl bigr Bigl Bigr sum prod int min max sup inf
        lim log ln exp det arg dim ker operatorname frac tfrac dfrac sqrt hat bar tilde vec dot ddot widehat widetilde
        overline underline prime mathbb mathbf mathrm mathcal mathtt mathsf mathit boldsymbol bm text textbf textit
        textrm quad qquad
        """,
    )
)
_SHORT = frozenset("|,;:!{} ")


def check_math(text: str) -> str:
    """The LaTeX of a formula, unchanged; raises InputError if it could print, or do, more than a formula."""
    signs = re.sub(r"\\(?:[a-zA-Z]+|.)", "", text)
    commands = re.findall(r"\\([a-zA-Z]+|.)", text)
    unknown = [x for x in commands if x not in _COMMANDS | _SHORT]
    depth, lowest = 0, 0
    for sign in signs:
        depth += (sign == "{") - (sign == "}")
        lowest = min(lowest, depth)
    if unknown or depth or lowest < 0 or re.search(r"[$%#&~<>\n\\]|[^\x20-\x7e]", signs):
        what = f"\\{unknown[0]}" if unknown else "an unknown sign, or groups that do not close"
        raise InputError("printed", text, f"one formula in LaTeX, with \\le for <, and without {what}")
    return text


# Greek letters that do not look like a Latin one.
_GREEK = frozenset(
    re.findall(
        r"\w+",
        """
        alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu xi pi rho sigma tau phi chi psi omega
        Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega
        """,
    )
)


# A letter with primes and subscripts: a longer name is spelled out.
_LETTER = re.compile(r"([A-Za-z]+)'*(_[A-Za-z0-9]+)*")


def _plain(name: str) -> str:
    """The LaTeX of a letter; empty for a longer name."""
    found = _LETTER.fullmatch(name)
    return look(name) if found and (len(found[1]) == 1 or found[1] in _GREEK) else ""


_PREFERRED = {str(symbol.name): made for symbol, made in LATEX_NAMES.items()}


def latex_names(letters: Letters) -> dict[str, str]:
    """The LaTeX of each name: as in the papers, or the name itself if two would look the same."""
    names = sorted({name.removesuffix(at_times("")) for name in letters})
    plain = {name: rf"\mathtt{{{name.replace('_', chr(92) + '_')}}}" for name in names}
    wanted = {name: f"{{{_PREFERRED.get(name) or _plain(name) or plain[name]}}}" for name in names}
    looks = list(wanted.values())
    return {
        name: made if looks.count(made) == 1 and " " not in made and made != "{T}" else plain[name]
        for name, made in wanted.items()
    }
