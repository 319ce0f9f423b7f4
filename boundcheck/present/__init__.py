"""Reports: figures, tables and one self-contained page from stored runs; and the audits of papers."""

from __future__ import annotations

from importlib.util import find_spec

from boundcheck.errors import InputError


def forms(latex: bool = False, pdf: bool = False) -> tuple[str, ...]:
    """The forms of a report that are written beside its page: for a paper, in LaTeX, or as one PDF.

    Each is a module here, whose `files_of` makes files from the material, the title and the first paragraph of the page
    and names them by their paths from the page's folder. What draws takes seconds to import, and most reports need no
    other form than the page.

    Raises:
        InputError: where what makes one is not installed.

    """
    if pdf and find_spec("typst") is None:
        raise InputError("--pdf", "typst is not installed", 'the extra pdf: pip install "boundcheck[pdf]"')
    return (*(["latex"] if latex else []), *(["typst"] if pdf else []))
