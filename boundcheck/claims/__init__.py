"""What is claimed: claims as data, and the catalogue that finds one by its id."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from boundcheck.claims.claim import Claim, Quantity
from boundcheck.errors import InputError
from boundcheck.proofs import papers

__all__ = ["Catalogue", "Claim", "Quantity", "catalogue"]


class _UnknownClaimError(InputError, KeyError):
    # A KeyError prints the repr of its argument.
    __str__ = Exception.__str__


class Catalogue(Mapping[str, Claim]):
    """All claims by id, in the order of their papers; a paper is read when a claim of it is asked for."""

    def __init__(self) -> None:
        """Read no paper yet."""
        self._read: dict[str, dict[str, Claim]] = {}

    def __getitem__(self, id: str) -> Claim:
        """The claim called `id`; raises an InputError with the nearest ids, which is a KeyError too."""
        key = id.split(".")[0]
        # An id begins with its paper's key as a rule.
        claim = self._of(key).get(id) if key in papers() else None
        claim = claim or self._all().get(id)
        if claim is not None:
            return claim
        near = get_close_matches(id[:100], self._all(), n=3, cutoff=0.5)
        near = near or [id for id, claim in self._all().items() if claim.quantities][:3]
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
        return {id: claim for key in papers() for id, claim in self._of(key).items()}

    def _of(self, key: str) -> dict[str, Claim]:
        """The claims of a paper, `CLAIMS` of its module `claims`."""
        if key not in self._read:
            module = papers()[key].part("claims")
            self._read[key] = {claim.id: claim for claim in vars(module)["CLAIMS"]}
        return self._read[key]

    def _repr_html_(self) -> str:
        return "".join(claim._repr_html_() for claim in self.values())


catalogue = Catalogue()
