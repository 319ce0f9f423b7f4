"""Formulas as MathML, which browsers and notebooks set without any script, and which can be nothing but a formula."""

import re
from html import escape
from xml.etree import ElementTree

import latex2mathml.converter

# A character as the converter writes it: as text, which stays a reference to a character when it is serialised.
_CHARACTER = re.compile(r"&amp;(#x[0-9A-Fa-f]+;)")


def mathml_of(latex: str, display: str = "inline") -> str:
    r"""A formula as MathML; what is no LaTeX is shown as it is typed.

    Whatever stands in the LaTeX, as the name of a letter or in \text, comes out as text: the converter's own
    serialisation would let tags through.
    """
    try:
        element = latex2mathml.converter.convert_to_element(latex, display=display)
    # What the converter raises is documented nowhere, down to IndexError.
    except Exception:
        return f"<code>{escape(latex)}</code>"
    return _CHARACTER.sub(r"&\1", ElementTree.tostring(element, encoding="unicode"))
