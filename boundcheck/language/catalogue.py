"""The catalogue, which finds a claim by its id, and what papers say beside their claims.

That is which claims are about an adapter, `ABOUT` and the like in a paper's module `about`, and
what to cite for a
claim, BibTeX in its `sources.bib`: an entry is a claim's if its key begins the claim's id, or
stands in the claim's `source`, or if the entry names the id in its field ``claims``, which BibTeX
ignores and nobody is shown.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from boundcheck.errors import InputError, near
from boundcheck.language.claim import Claim, whole
from boundcheck.language.prose import tex
from boundcheck.language.view import Fold, Part, Shown, View, line
from boundcheck.proofs import Paper, paper_of, papers, parts
from boundcheck.system import plugins
from boundcheck.system.files import read_text
from boundcheck.system.fingerprint import content_of
from boundcheck.version import AUTHORS, RELEASED, TITLE, __version__


class _UnknownClaimError(InputError, KeyError):
    # A KeyError prints the repr of its argument.
    __str__ = Exception.__str__


class Catalogue(Mapping[str, Claim], Shown):
    """All claims by id, in the order of their papers; a paper is read when a claim of it is asked
    for.
    """

    def __init__(self) -> None:
        self._read: dict[Paper, dict[str, Claim]] = {}
        self._opened: dict[str, Claim] = {}

    def __getitem__(self, id: str) -> Claim:
        """The claim called `id`; an unknown id raises an InputError with the nearest ids, which is
        a KeyError too.
        """
        if not isinstance(id, str):
            raise _UnknownClaimError("claim", id, "the id of a claim, which is text")
        if id in self._opened:
            return self._opened[id]
        # An id usually begins with its paper's key. Papers of `proofs/` come before those that
        # build on them.
        for key in (id.split(".")[0], *papers()):
            if claim := self._of(key).get(id):
                return claim
        known = list(self._of(id) or self._all())
        # Of a paper's key the whole paper is near.
        likely = near(id, known, 3, 0.5) or [each for each in known if self[each].quantities]
        listed = " ".join(("boundcheck claims", *near(id.split(".")[0], papers(), cutoff=0.8)))
        expected = f"an id of the catalogue, such as {', '.join(likely[:3])}; {listed} lists them"
        raise _UnknownClaimError("claim", id, expected)

    def opened(self, claim: "str | Claim", field: str = "claim") -> Claim:
        """The claim called so, the one at ``module:NAME`` or ``file.py:name``, or one's own; it is
        known from then on.

        A path runs the code of its module: it is for what a person typed. What stands in a file is
        for `named`.

        Raises:
            InputError: for an unknown id, a path at which there is no claim, and one that has the
                id, or the path, of another claim that is known.

        """
        if not isinstance(claim, str):
            return self._admitted(claim, getattr(claim, "id", claim), field)
        if claim.endswith(".py"):
            raise InputError(field, claim, f"a claim in this file, {claim}:NAME")
        if not plugins.is_path(claim):
            return self[claim]
        with plugins.typed(field, claim):
            return self.named(claim, field)

    def named(self, name: str, field: str = "claim") -> Claim:
        """The claim that a file names so, as in `opened`; a path opens its code only where that is
        allowed.
        """
        return (
            self._admitted(plugins.opened(field, name), name, field)
            if plugins.is_path(name)
            else self[name]
        )

    def _admitted(self, found: Any, name: Any, field: str) -> Claim:
        """Make a claim known under its name, and return it.

        Its words are a part of a claim: with the same formulas and other code in a word it is
        another claim.
        """
        # The proof of a lemma has its claim; a stranger's object is not asked, which would run it.
        found = inspect.getattr_static(found, "claim", found)
        if not isinstance(found, Claim):
            raise InputError(
                field, name, f"the path of a Claim, and not of a {type(found).__name__}"
            )
        papers = self._of_papers()
        for each in whole(found):
            named = [
                x
                for key, x in self._opened.items()
                if x.id == each.id or (key == name and each is found)
            ]
            for other in (papers.get(each.id, each), *named):
                if other is not each and content_of(other) != content_of(each):
                    known = (
                        f"{each.id} is known already, and says something else, or the same by other"
                        " words"
                    )
                    raise InputError(field, name, f"an id that no other claim has: {known}")
        if name not in papers:
            self._opened.setdefault(name, found)
        return found

    def is_own(self, id: str) -> bool:
        """True if a claim is one's own, which was opened."""
        return id in self._opened

    def __contains__(self, id: object) -> bool:
        return id in self._all()

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _of_papers(self) -> dict[str, Claim]:
        return {id: claim for key in papers() for id, claim in self._of(key).items()}

    def _all(self) -> dict[str, Claim]:
        return self._of_papers() | self._opened

    def _of(self, key: str) -> dict[str, Claim]:
        """The claims of a paper; empty if the paper is unknown."""
        try:
            paper = paper_of(key)
        except InputError:
            return {}
        if paper not in self._read:
            ours = (each for each in papers() if paper_of(each).is_ours)
            if not paper.is_ours and key in {
                id.split(".")[0] for each in ours for id in self._of(each)
            }:
                raise InputError(
                    "paper",
                    paper.folder,
                    f"a name with which no id of another paper begins, as of {key}",
                )
            # While a paper is read, it asks for claims of others, and has none itself.
            self._read[paper] = {}
            try:
                self._read[paper] = {claim.id: claim for claim in paper.claims()}
            except BaseException:
                del self._read[paper]
                raise
        return self._read[paper]

    def view(self) -> View:
        """The claims by their papers, each paper and each claim behind a line."""
        papers: dict[str, list[Part]] = {}
        for claim in self.values():
            whole = Fold(line(claim.id, claim.title), (claim.view(),))
            papers.setdefault(claim.id.split(".")[0], []).append(whole)
        folds = (
            Fold(line(key, f"({len(claims)})"), tuple(claims)) for key, claims in papers.items()
        )
        return View("The catalogue", f"{len(self)} claims", parts=tuple(folds))


catalogue = Catalogue()


@dataclass(frozen=True)
class About:
    """A claim about adapters, and what a paper says of it.

    Attributes:
        claim: the claim.
        kinds: the kinds of adapter that it is about.
        is_printed: whether a paper printed it so, and it is not one of ours, which come first.
        at_equal_radii: whether it is a special case, said of a ball whose radii are equal and of no
            other.

    """

    claim: Claim
    kinds: tuple[str, ...]
    is_printed: bool = False
    at_equal_radii: bool = False


def _said(name: str) -> tuple[Any, ...]:
    """What the papers' modules `about` list under this name."""
    return tuple(each for part in parts("about") for each in getattr(part, name, ()))


@cache
def _about() -> dict[str, About]:
    return {
        each.claim.id: each for each in sorted(_said("ABOUT"), key=lambda each: each.is_printed)
    }


def about(id: str) -> About | None:
    """The `About` of a claim; None for a claim that no paper of ours lists as one about an
    adapter.
    """
    return _about().get(id)


def lemmas() -> tuple[Claim, ...]:
    """The claims about adapters, ours before what was printed."""
    return tuple(each.claim for each in _about().values())


def claims_about(kind: str) -> tuple[str, ...]:
    """The ids of the claims about a kind of adapter, the sharpest first."""
    return tuple(id for id, each in _about().items() if kind in each.kinds)


def is_of_one_number(claim: Claim) -> bool:
    """True if the paper of a claim lists it in `SCALAR`: it is about f(BA), and A and B may be
    numbers.
    """
    return any(claim is each for each in _said("SCALAR"))


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
    """The entries of the papers that a claim comes from; none for a claim that is boundcheck's
    alone.

    Raises InputError for a `sources.bib` that is no BibTeX.
    """
    return [
        entry for paper in papers().values() for entry in entries_of(paper) if entry.is_of(claim)
    ]


def cited(claim: Claim) -> list[Entry]:
    """The entries of the papers that a claim comes from, and of boundcheck; raises InputError as
    `sources` does.
    """
    return [*sources(claim), boundcheck_entry(claim.id)]


def boundcheck_entry(claim: str = "") -> Entry:
    """The entry of boundcheck in this version, with the id of a claim if one is given."""
    said = rf"Version {__version__}" + (rf", claim \texttt{{{tex(claim)}}}" if claim else "")
    year = {"year": RELEASED[:4]} if RELEASED else {}
    said += "" if RELEASED else ", not released"
    fields = {
        "author": f"{{{AUTHORS}}}",
        "title": TITLE,
        **year,
        "version": __version__,
        "note": said,
    }
    inside = "".join(f"  {name:<7} = {{{value}}},\n" for name, value in fields.items())
    return Entry("boundcheck", f"@misc{{boundcheck,\n{inside}}}")


@cache
def entries_of(paper: Paper) -> tuple[Entry, ...]:
    """The entries of a paper's `sources.bib`, which is read once, as its claims are; none where it
    has no such file.

    Raises InputError for a file that is no BibTeX.
    """
    path = paper.folder / "sources.bib"
    found: list[Entry] = []
    if not path.is_file():
        return ()
    try:
        text = read_text(path)
        for match in re.finditer(r"^@", text, re.MULTILINE):
            # An entry goes from its @ to the brace that closes it.
            depth, end = 0, match.start()
            while end == match.start() or depth or text[end - 1] != "}":
                if end == len(text):
                    raise ValueError(
                        f"the entry in line {text[: match.start()].count(chr(10)) + 1} has no end"
                    )
                depth += (text[end] == "{") - (text[end] == "}")
                end += 1
            entry = text[match.start() : end]
            head = re.match(r"@\w+\{\s*([^\s,{}]+)\s*,", entry)
            if head is None:
                raise ValueError(f"an entry begins as @article{{key, and not as {entry[:30]!r}")
            # The field `claims` is ours, and is not shown.
            before, *named = re.split(
                r"^\s*claims\s*=\s*\{([^{}]*)\},?\n", entry, maxsplit=1, flags=re.MULTILINE
            )
            ids, after = named or ("", "")
            found.append(Entry(head[1], before + after, tuple(ids.split())))
    except (OSError, ValueError) as error:
        raise InputError("sources.bib", path, f"BibTeX: {error}") from None
    return tuple(found)
