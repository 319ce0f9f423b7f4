"""BibTeX to cite for a claim: the papers that it comes from, and boundcheck with version and claim id.

A paper's folder has its entries in `sources.bib`. An entry is a claim's if its key begins the claim's id, or stands in
the claim's `source`, or if the entry names the id in its field ``claims``, which BibTeX ignores and nobody is shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from boundcheck.errors import InputError
from boundcheck.language.claim import Claim
from boundcheck.language.prose import tex
from boundcheck.proofs import Paper, papers
from boundcheck.system.files import read_text
from boundcheck.version import AUTHORS, RELEASED, TITLE, __version__

FILE = "sources.bib"


@dataclass(frozen=True)
class Entry:
    """An entry of a BibTeX file: its key, its text, and the ids of the claims that it names."""

    key: str
    text: str
    claims: tuple[str, ...] = ()

    def is_of(self, claim: Claim) -> bool:
        """True if the claim comes from what this entry cites."""
        named = re.findall(r"\w+", claim.source)
        return self.key in (claim.id.split(".")[0], *named) or claim.id in self.claims


def sources(claim: Claim) -> list[Entry]:
    """The entries of the papers that a claim comes from; none for a claim that is boundcheck's alone.

    Raises:
        InputError: for a `sources.bib` that is no BibTeX.

    """
    return [entry for paper in papers().values() for entry in entries_of(paper) if entry.is_of(claim)]


def cited(claim: Claim) -> list[Entry]:
    """The entries of the papers that a claim comes from, and of boundcheck; raises InputError as `sources` does."""
    return [*sources(claim), boundcheck(claim.id)]


def boundcheck(claim: str = "") -> Entry:
    """The entry of boundcheck in this version, with the id of a claim if one is given."""
    said = rf"Version {__version__}" + (rf", claim \texttt{{{tex(claim)}}}" if claim else "")
    year = {"year": RELEASED[:4]} if RELEASED else {}
    said += "" if RELEASED else ", not released"
    fields = {"author": f"{{{AUTHORS}}}", "title": TITLE, **year, "version": __version__, "note": said}
    inside = "".join(f"  {name:<7} = {{{value}}},\n" for name, value in fields.items())
    return Entry("boundcheck", f"@misc{{boundcheck,\n{inside}}}")


@cache
def entries_of(paper: Paper) -> tuple[Entry, ...]:
    """The entries of a paper's `sources.bib`, which is read once, as its claims are; none where it has no such file.

    Raises:
        InputError: for a file that is no BibTeX.

    """
    path = paper.folder / FILE
    if not path.is_file():
        return ()
    try:
        return tuple(_entry(each) for each in _split(read_text(path)))
    except (OSError, ValueError) as error:
        raise InputError(FILE, path, f"BibTeX: {error}") from None


def _split(text: str) -> list[str]:
    """The text of each entry, from its @ to the brace that closes it."""
    found = []
    for match in re.finditer(r"^@", text, re.MULTILINE):
        depth, start = 0, match.start()
        for place in range(start, len(text)):
            depth += (text[place] == "{") - (text[place] == "}")
            if depth == 0 and text[place] == "}":
                found.append(text[start : place + 1])
                break
        else:
            raise ValueError(f"the entry in line {text[:start].count(chr(10)) + 1} has no end")
    return found


def _entry(text: str) -> Entry:
    head = re.match(r"@\w+\{\s*([^\s,{}]+)\s*,", text)
    if head is None:
        raise ValueError(f"an entry begins as @article{{key, and not as {text[:30]!r}")
    named = re.search(r"^\s*claims\s*=\s*\{([^{}]*)\},?\n", text, re.MULTILINE)
    shown = text[: named.start()] + text[named.end() :] if named else text
    return Entry(head[1], shown, tuple(named[1].split()) if named else ())
