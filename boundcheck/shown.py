"""Text from outside, safe for where it is shown: a terminal, a page, a command line.

A name of a spec, a title of a claim, a label of a stored run may be any text. HTML is escaped by
`boundcheck.language.view`, LaTeX by `boundcheck.language.prose`, and texts of figures by
`boundcheck.present.style`.
"""

import shlex
from unicodedata import category

# Categories of Unicode: control, format and unassigned characters, and separators of lines and
# paragraphs.
_HIDDEN = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"))


def visible(text: str) -> str:
    r"""The text with escapes, such as ``\x1b``, for signs that command a terminal, that hide, or
    that no file can hold.

    Ends of lines and tabs stay.
    """
    hidden = {
        ord(x): ascii(x)[1:-1] for x in set(text) if category(x) in _HIDDEN and x not in "\n\t"
    }
    return text.translate(hidden) if hidden else text


def command(*words: object) -> str:
    """A command of boundcheck, as a shell reads it."""
    return shlex.join(("boundcheck", *map(str, words)))
