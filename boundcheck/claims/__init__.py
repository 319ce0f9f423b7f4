"""What is claimed: claims as data, and the catalogue that finds one by its id."""

import importlib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from boundcheck.claims.claim import Claim, Quantity
from boundcheck.errors import InputError

__all__ = ["Catalogue", "Claim", "Quantity", "catalogue"]


class _UnknownClaimError(InputError, KeyError):
    # A KeyError prints the repr of its argument.
    __str__ = Exception.__str__


class Catalogue(Mapping[str, Claim]):
    """All claims by id, in the order of their papers; a paper is read when a claim is not in those before it."""

    def __init__(self, papers: tuple[str, ...]) -> None:
        """Take the modules of the papers, each with its claims in `CLAIMS`."""
        self._unread, self._claims = list(papers), dict[str, Claim]()

    def __getitem__(self, id: str) -> Claim:
        """The claim called `id`; raises an InputError with the nearest ids, which is a KeyError too."""
        while id not in self._claims and self._unread:
            self._read()
        if id in self._claims:
            return self._claims[id]
        near = get_close_matches(id[:100], self._claims, n=3, cutoff=0.5)
        near = near or [id for id, claim in self._claims.items() if claim.quantities][:3]
        expected = f"an id of the catalogue, such as {', '.join(near)}; boundcheck claims lists them"
        raise _UnknownClaimError("claim", id, expected)

    def __contains__(self, id: object) -> bool:
        """Whether the catalogue has a claim called `id`."""
        return id in self._all()

    def __iter__(self) -> Iterator[str]:
        """The ids."""
        return iter(self._all())

    def __len__(self) -> int:
        """How many claims there are."""
        return len(self._all())

    def _all(self) -> dict[str, Claim]:
        while self._unread:
            self._read()
        return self._claims

    def _read(self) -> None:
        """Read the next paper."""
        paper = importlib.import_module(self._unread[0])
        self._claims |= {claim.id: claim for claim in paper.CLAIMS}
        del self._unread[0]

    def _repr_html_(self) -> str:
        return "".join(claim._repr_html_() for claim in self.values())


catalogue = Catalogue(
    tuple(f"boundcheck.claims.{name}" for name in ("jiang2024", "meft", "theorems", "adapters", "classics", "methods"))
)
