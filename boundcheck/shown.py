"""Text from outside, safe for where it is shown: a terminal, a page, Markdown, a command line.

A name of a spec, a title of a claim, a label of a stored run may be any text. HTML is escaped by
`boundcheck.language.view`, LaTeX by `boundcheck.language.prose`, and texts of figures by
`boundcheck.present.style`.
"""

import re
import shlex
from unicodedata import category

# Categories of Unicode: control, format and unassigned characters, and separators of lines and paragraphs.
_HIDDEN = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"))
# Signs that Markdown reads within a line.
_MARKS = re.compile(r"[\\`*_\[\]<>#|~&$]")


def visible(text: str) -> str:
    r"""The text with escapes, such as ``\x1b``, for signs that command a terminal, that hide, or that no file can hold.

    Ends of lines and tabs stay.
    """
    hidden = {ord(x): ascii(x)[1:-1] for x in set(text) if category(x) in _HIDDEN and x not in "\n\t"}
    return text.translate(hidden) if hidden else text


def markdown(text: str) -> str:
    """One line of Markdown, which shows the text as it is typed."""
    return _MARKS.sub(r"\\\g<0>", " ".join(visible(text).split()))


def command(*words: object) -> str:
    """A command of boundcheck, as a shell reads it."""
    return shlex.join(("boundcheck", *map(str, words)))


def code_span(text: str) -> str:
    """The text as code in one line of Markdown, between more backticks than it has side by side."""
    said = " ".join(visible(text).split())
    fence = "`" * (max(map(len, re.findall("`+", said)), default=0) + 1)
    # One space on either side belongs to the fence.
    around = " " if not said or said.startswith("`") or said.endswith("`") else ""
    return f"{fence}{around}{said}{around}{fence}"
