"""What is claimed: claims as data, and the catalogue that finds one by its id."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from boundcheck.claims import adapters, classics, jiang2024, meft, theorems
from boundcheck.claims.claim import Claim, Quantity
from boundcheck.errors import InputError

__all__ = ["Catalogue", "Claim", "Quantity", "catalogue"]


class _UnknownClaimError(InputError, KeyError):
    # A KeyError prints the repr of its argument.
    __str__ = Exception.__str__


class Catalogue(Mapping[str, Claim]):
    """All claims by id, in the order of their papers."""

    def __init__(self, claims: tuple[Claim, ...]) -> None:
        self._claims = {claim.id: claim for claim in claims}

    def __getitem__(self, id: str) -> Claim:
        """The claim called `id`; raises an InputError with the nearest ids, which is a KeyError too."""
        if id in self._claims:
            return self._claims[id]
        near = get_close_matches(id, self._claims, n=3, cutoff=0.5) or list(self._claims)
        raise _UnknownClaimError("claim", id, f"an id of the catalogue, such as {', '.join(near)}")

    def __contains__(self, id: object) -> bool:
        """Whether the catalogue has a claim called `id`."""
        return id in self._claims

    def __iter__(self) -> Iterator[str]:
        """The ids."""
        return iter(self._claims)

    def __len__(self) -> int:
        """How many claims there are."""
        return len(self._claims)

    def _repr_html_(self) -> str:
        return "".join(claim._repr_html_() for claim in self.values())


catalogue = Catalogue(jiang2024.CLAIMS + meft.CLAIMS + theorems.CLAIMS + adapters.CLAIMS + classics.CLAIMS)
