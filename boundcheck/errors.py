"""The errors for a person's input that is at fault: one line that names field, value and
expectation.

Everything raised elsewhere is a bug in boundcheck and keeps its traceback.
"""

import re
import sys
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from itertools import chain

from boundcheck.shown import visible

# Characters of a name and of a value that a message quotes, and of what it says is expected.
_LONGEST = 100
_LONGEST_EXPECTED = 700


class BoundcheckError(Exception):
    """Base class of every error that boundcheck raises on purpose."""


class InputError(BoundcheckError, ValueError):
    """An input that cannot be used.

    Attributes:
        field: the name of the input, as its user typed it (``r``, ``adapter.rank``).
        value: what was given.
        expected: what would have been accepted, as the end of "expected ...".
        typed: the value as its user typed it; left out, its own text.

    """

    def __init__(self, field: str, value: object, expected: str, typed: object = None) -> None:
        self.field = field
        self.value = value
        self.expected = expected
        self.typed = _one_line(value if typed is None else typed)
        said = _one_line(expected, _LONGEST_EXPECTED)
        super().__init__(f"{_one_line(field)} = {self.typed}: expected {said}")

    def __reduce__(self) -> tuple[type["InputError"], tuple[str, str, str, str]]:
        """Let the error cross processes: an exception is rebuilt from its arguments."""
        return type(self), (self.field, _one_line(self.value), self.expected, self.typed)


class CodeError(InputError):
    """Code of a person's own (a word, a problem, an adapter or a section) that does not run to its
    end.
    """


def check_count(name: str, value: object, least: int = 1) -> None:
    """Refuse what is no integer from `least` on; to Python True is one."""
    if type(value) is not int or value < least:
        raise InputError(
            name, value, "a positive integer" if least == 1 else f"an integer from {least}"
        )


def near(value: object, known: Iterable[str], most: int = 1, cutoff: float = 0.6) -> list[str]:
    """The known names that a misspelt value may have meant, the nearest first, in any capitals."""
    names = {name.casefold(): name for name in known}
    found = get_close_matches(_one_line(value).casefold(), names, most, cutoff)
    return [names[each] for each in found]


def did_you_mean(value: object, known: Iterable[str]) -> str:
    """The end of what is expected: the known name that is nearest; empty if none is near."""
    return "".join(f"; did you mean {name}?" for name in near(value, known))


def one_of(value: object, known: Collection[str]) -> str:
    """What is expected of a value from a list: the list, and the name in it that is nearest."""
    listed = ", ".join(known)
    return f"{'one of ' if len(known) > 1 else ''}{listed}{did_you_mean(value, known)}"


def raised(error: BaseException, place: str = "") -> str:
    """The error in one line: what was raised, where if that is told, and what a misspelt name may
    have meant.
    """
    said = " ".join(str(error).split())
    try:
        meant = did_you_mean(*_misspelt(error, said))
    except Exception:
        # An object of a person's own may list its names by code that does not run.
        meant = ""
    where = f" in {place}" if place else ""
    return type(error).__name__ + where + (f": {said}" if said else "") + meant


def _misspelt(error: BaseException, said: str) -> tuple[str, list[str]]:
    """The name that was not found, and the public ones of the object, the module or the function
    that ran.
    """
    name = str(getattr(error, "name", ""))
    names: Iterable[str] = ()
    if isinstance(error, AttributeError):
        names = dir(error.obj)
    elif isinstance(error, NameError) and (last := error.__traceback__):
        while last.tb_next:
            last = last.tb_next
        names = chain(last.tb_frame.f_locals, last.tb_frame.f_globals, last.tb_frame.f_builtins)
    elif isinstance(error, ImportError) and (
        found := re.match(r"cannot import name '(\w+)'", said)
    ):
        name, names = found[1], dir(sys.modules[name])
    return name, [each for each in names if not each.startswith("_")]


def _one_line(value: object, longest: int = _LONGEST) -> str:
    try:
        text = " ".join(str(value).split())
    except (ValueError, RecursionError):
        # Integers of more digits than Python prints, and lists inside of one another without end.
        text = f"({type(value).__name__}, too long to print)"
    # What moves a terminal's cursor or turns a line around could make it say something else.
    text = visible(text)
    return text if len(text) <= longest else text[:longest] + "…"
