"""Reports: figures, tables and one self-contained page from stored runs; and the audits of papers."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from boundcheck.errors import InputError

# What draws takes seconds to import, and most reports need no other form than the page.
if TYPE_CHECKING:
    from boundcheck.present.material import Material

Form = Callable[["Material", str, str], dict[str, bytes]]
"""Takes a page's material, title and first paragraph; returns files, by their paths from the page's folder."""


def forms(latex: bool = False, pdf: bool = False) -> tuple[Form, ...]:
    """The forms of a report that are written beside its page: for a paper, in LaTeX, or as one PDF.

    Raises:
        InputError: where what makes one is not installed.

    """
    found: list[Form] = []
    if latex:
        from boundcheck.present.latex import files_of

        found.append(files_of)
    if pdf:
        if find_spec("typst") is None:
            raise InputError("--pdf", "typst is not installed", 'the extra pdf: pip install "boundcheck[pdf]"')
        from boundcheck.present import typst

        found.append(typst.files_of)
    return tuple(found)
