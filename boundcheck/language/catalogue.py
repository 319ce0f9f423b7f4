"""Claims as data, and the catalogue that finds a claim by its id."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from boundcheck.errors import InputError
from boundcheck.language.claim import Claim, Quantity
from boundcheck.language.notebook import Shown
from boundcheck.language.view import Fold, Part, View, line
from boundcheck.proofs import Paper, paper_of, papers
from boundcheck.system import plugins
from boundcheck.system.fingerprint import content_of

__all__ = ["Catalogue", "Claim", "Quantity", "catalogue"]


class _UnknownClaimError(InputError, KeyError):
    # A KeyError prints the repr of its argument.
    __str__ = Exception.__str__


class Catalogue(Mapping[str, Claim], Shown):
    """All claims by id, in the order of their papers; a paper is read when a claim of it is asked for."""

    def __init__(self) -> None:
        self._read: dict[Paper, dict[str, Claim]] = {}
        self._opened: dict[str, Claim] = {}

    def __getitem__(self, id: str) -> Claim:
        """The claim called `id`; an unknown id raises an InputError with the nearest ids, which is a KeyError too."""
        if id in self._opened:
            return self._opened[id]
        # An id usually begins with its paper's key. Papers of `proofs/` come before those that build on them.
        for key in (id.split(".")[0], *papers()):
            if claim := self._of(key).get(id):
                return claim
        near = get_close_matches(id[:100], self._all(), n=3, cutoff=0.5)
        near = near or [id for id, claim in self._all().items() if claim.quantities][:3]
        expected = f"an id of the catalogue, such as {', '.join(near)}; boundcheck claims lists them"
        raise _UnknownClaimError("claim", id, expected)

    def opened(self, claim: "str | Claim", field: str = "claim") -> Claim:
        """The claim called so, the one at ``module:NAME`` or ``file.py:name``, or one's own; it is known from then on.

        A path runs the code of its module: it is for what a person typed. What stands in a file is for `named`.

        Raises:
            InputError: for an unknown id, a path at which there is no claim, and one that has the id, or the path, of
                another claim that is known.

        """
        if not isinstance(claim, str):
            return self._admitted(claim, getattr(claim, "id", claim), field)
        if not plugins.is_path(claim):
            return self[claim]
        with plugins.typed(field, claim):
            return self.named(claim, field)

    def named(self, name: str, field: str = "claim") -> Claim:
        """The claim that a file names so, as in `opened`; a path opens its code only where that is allowed."""
        return self._admitted(plugins.opened(field, name), name, field) if plugins.is_path(name) else self[name]

    def _admitted(self, found: Any, name: Any, field: str) -> Claim:
        """Make a claim known under its name, and return it.

        Its words are a part of a claim: with the same formulas and other code in a word it is another claim.
        """
        if not isinstance(found, Claim):
            raise InputError(field, name, f"the path of a Claim, and not of a {type(found).__name__}")
        papers = self._of_papers()
        for each in _whole(found):
            named = [x for key, x in self._opened.items() if x.id == each.id or (key == name and each is found)]
            for other in (papers.get(each.id, each), *named):
                if other is not each and content_of(other) != content_of(each):
                    known = f"{each.id} is known already, and says something else, or the same by other words"
                    raise InputError(field, name, f"an id that no other claim has: {known}")
        if name not in papers:
            self._opened.setdefault(name, found)
        return found

    def is_own(self, id: str) -> bool:
        """True if a claim is one's own, which was opened."""
        return id in self._opened

    def __contains__(self, id: object) -> bool:
        """True if the catalogue has a claim called `id`."""
        return id in self._all()

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, Claim]:
        return self._of_papers() | self._opened

    def _of_papers(self) -> dict[str, Claim]:
        return {id: claim for key in papers() for id, claim in self._of(key).items()}

    def _of(self, key: str) -> dict[str, Claim]:
        """The claims of a paper; empty if the paper is unknown."""
        try:
            paper = paper_of(key)
        except InputError:
            return {}
        if paper not in self._read:
            if not paper.is_ours and key in {id.split(".")[0] for each in papers() for id in self._ours(each)}:
                raise InputError("paper", paper.folder, f"a name with which no id of another paper begins, as of {key}")
            # While a paper is read, it asks for claims of others, and has none itself.
            self._read[paper] = {}
            try:
                self._read[paper] = {claim.id: claim for claim in paper.claims()}
            except BaseException:
                del self._read[paper]
                raise
        return self._read[paper]

    def _ours(self, key: str) -> dict[str, Claim]:
        return self._of(key) if paper_of(key).is_ours else {}

    def view(self) -> View:
        """The claims by their papers, each paper and each claim behind a line."""
        papers: dict[str, list[Part]] = {}
        for claim in self.values():
            whole = Fold(line(claim.id, claim.title), (claim.view(),))
            papers.setdefault(claim.id.split(".")[0], []).append(whole)
        folds = (Fold(line(key, f"({len(claims)})"), tuple(claims)) for key, claims in papers.items())
        return View("The catalogue", f"{len(self)} claims", parts=tuple(folds))


def _whole(claim: Claim) -> Iterator[Claim]:
    """The claim, and the hypotheses that it rests on, whose ids tell what was held or proved."""
    yield claim
    for each in claim.hypotheses:
        yield from _whole(each)


catalogue = Catalogue()
