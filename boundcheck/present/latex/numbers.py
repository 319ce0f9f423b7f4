r"""Numbers as a paper prints them, each by its own \newcommand: never better than what was measured or proved.

An upper bound is rounded up and a lower one down; what was measured has the digits that its interval supports.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from boundcheck.exact.digits import Toward, rounded
from boundcheck.experiment.statistics import Interval
from boundcheck.language.prose import GREEK, tex
from boundcheck.shown import visible

_DIGITS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
PREFIX = "bc"
# Significant digits of a number that no interval limits.
FREE = 3
# Hexadecimal digits that tell apart experiments with one claim, problem and rank.
_TAG = 4
# Numbers that are printed without a power of ten.
_PLAIN = range(-3, 6)


def place_of(interval: Interval | None, value: float) -> int:
    """The power of ten of the last digit that an interval supports: the second digit of half its width.

    Without an interval, or with one of no width, it is that of the third significant digit. A number keeps one digit at
    least.
    """
    first = math.floor(math.log10(abs(value))) if value else 0
    half = (interval.upper - interval.lower) / 2 if interval else 0.0
    if not 0 < half < math.inf:
        return first - FREE + 1
    return min(math.floor(math.log10(half)) - 1, first)


def significant(value: float, toward: Toward = Toward.NEAREST, digits: int = FREE) -> str:
    """A number in LaTeX, with this many significant digits."""
    return typeset(value, place_of(None, value) + FREE - digits, toward)


def typeset(value: float | int | None, place: int = 0, toward: Toward = Toward.NEAREST) -> str:
    """A number in LaTeX, in text or in math, with its last digit at this power of ten; a dash for none."""
    if value is None or math.isnan(value):
        return "--"
    if math.isinf(value):
        return r"\ensuremath{\infty}" if value > 0 else r"\ensuremath{-\infty}"
    found = rounded(value, place, toward)
    if found == 0:
        return "0"
    first = found.adjusted()
    sign, size = ("-", -found) if found < 0 else ("", found)
    if first in _PLAIN:
        whole, _, rest = f"{size:.{max(-place, 0)}f}".partition(".")
        text = _grouped(whole) + (f".{rest}" if rest else "")
        return rf"\ensuremath{{{sign}{text}}}"
    mantissa = size.scaleb(-first)
    return rf"\ensuremath{{{sign}{mantissa:.{max(first - place, 0)}f}\times10^{{{first}}}}}"


def whole(number: int) -> str:
    """A whole number in LaTeX."""
    return rf"\ensuremath{{{'-' if number < 0 else ''}{_grouped(str(abs(number)))}}}"


def _grouped(digits: str) -> str:
    return re.sub(r"(?<=\d)(?=(\d{3})+$)", r"\,", digits) if len(digits) > 4 else digits


def letters(*words: object) -> str:
    """A name of letters alone, from words that may have digits, Greek letters and signs."""
    parts = re.findall(r"[^\W\d_]+|\d", unicodedata.normalize("NFD", " ".join(map(str, words))))
    return "".join(_DIGITS[int(part)] if part.isdigit() else _spelled(part) for part in parts)


def _spelled(part: str) -> str:
    # The name of a sign ends in what it is.
    said = (x if x.isascii() else GREEK.get(x, unicodedata.name(x, "x").split()[-1]).lower() for x in part)
    made = re.sub("[^A-Za-z]", "", "".join(said))
    return made[:1].upper() + made[1:]


def tag(spec: dict[str, Any]) -> str:
    """Letters that tell an experiment from others, the same wherever and whenever it is run."""
    made = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:_TAG]
    return "".join(chr(ord("a") + int(digit, 16)) for digit in made)


def command(words: tuple[object, ...]) -> str:
    """The command of a number, named by words that say what it is."""
    return rf"\{PREFIX}{letters(*words)}{{}}"


@dataclass
class Numbers:
    r"""The file of \newcommand, with one name for each number.

    Attributes:
        commands: what each name stands for, in LaTeX.
        lines: the file.

    """

    commands: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def heading(self, text: str) -> None:
        """Add a comment above what follows."""
        self.lines += ["", f"% {_comment(text)}"]

    def add(self, words: tuple[object, ...], made: str, note: str = "", kind: str = "") -> str:
        """Give some LaTeX a name; `kind`, the sort of number that it is, gets one too, with Kind at its end.

        Returns:
            The command.

        """
        name = self._new(PREFIX + letters(*words), words)
        self.commands[name] = made
        said = ", ".join(filter(None, (note, kind)))
        self.lines.append(rf"\newcommand{{\{name}}}{{{made}}}" + (f" % {_comment(said)}" if said else ""))
        if kind:
            self.commands[f"{name}Kind"] = kind
            self.lines.append(rf"\newcommand{{\{name}Kind}}{{{tex(kind)}}}")
        return rf"\{name}{{}}"

    def _new(self, name: str, words: tuple[object, ...]) -> str:
        if name not in self.commands:
            return name
        # Different words of the same letters, such as a_1 and a1.
        return f"{name}X{tag({'words': list(map(str, words)), 'beside': len(self.commands)})}"

    def text(self) -> str:
        """The content of the file."""
        return "\n".join([*self.lines, ""])


def _comment(text: str) -> str:
    return " ".join(visible(text).split()).encode("ascii", "replace").decode()
