"""Formulas as MathML, which browsers and notebooks show without a script. The result can be nothing but a formula."""

import re
from functools import cache
from html import escape
from xml.etree import ElementTree

import latex2mathml.converter

# Signs of a formula that is typeset: the converter takes seconds for more.
_LONGEST = 10_000
# A character as the converter writes it. It is text, and stays a reference to a character when it is serialised.
_CHARACTER = re.compile(r"&amp;(#x[0-9A-Fa-f]+;)")


@cache
def mathml_of(latex: str, display: str = "inline") -> str:
    r"""A formula as MathML; text that is not LaTeX is shown as typed.

    Whatever stands in the LaTeX, as the name of a letter or in \text, comes out as text: the converter's own
    serialisation would let tags through.
    """
    if len(latex) > _LONGEST:
        return f"<code>{escape(latex)}</code>"
    try:
        element = latex2mathml.converter.convert_to_element(latex, display=display)
        made = ElementTree.tostring(element, encoding="unicode")
    # The converter's errors are documented nowhere. IndexError is among them; RecursionError is of groups too deep.
    except Exception:
        return f"<code>{escape(latex)}</code>"
    return _CHARACTER.sub(r"&\1", made)
