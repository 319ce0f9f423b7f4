"""The claims about each kind of adapter: they bound the smoothness of F on its domain.

Papers of `proofs/` list them in `ABOUT` of their module `about`. An adapter from elsewhere names its claims itself, so
that no other paper changes what is known of ours.
"""

from dataclasses import dataclass
from functools import cache

from boundcheck.language.claim import Claim
from boundcheck.proofs import parts


@dataclass(frozen=True)
class About:
    """A claim about adapters, and what a paper says of it.

    Attributes:
        claim: the claim.
        kinds: the kinds of adapter that it is about.
        is_printed: whether a paper printed it so, and it is not one of ours, which come first.
        at_equal_radii: whether it is a special case, said of a ball whose radii are equal and of no other.

    """

    claim: Claim
    kinds: tuple[str, ...]
    is_printed: bool = False
    at_equal_radii: bool = False


@cache
def _all() -> tuple[About, ...]:
    found = [each for part in parts("about") for each in part.ABOUT]
    return tuple(sorted(found, key=lambda each: each.is_printed))


def claims_about(kind: str) -> tuple[str, ...]:
    """The ids of the claims about a kind of adapter, the sharpest first."""
    return tuple(each.claim.id for each in _all() if kind in each.kinds)


def lemmas() -> tuple[Claim, ...]:
    """The claims about adapters, ours before what was printed."""
    return tuple(each.claim for each in _all())


def hard_theorems() -> tuple[str, ...]:
    """The ids of the theorems for which a hard instance can be made, `HARD` of the papers."""
    return tuple(claim.id for part in parts("about") for claim in getattr(part, "HARD", ()))


@cache
def theorem_at_any_step() -> Claim:
    """The theorem for a run whose step no theorem prescribes: `ANY_STEP` of a paper."""
    return next(part.ANY_STEP for part in parts("about") if hasattr(part, "ANY_STEP"))


def scalar_claims() -> tuple[Claim, ...]:
    """The lemma and the theorem that `boundcheck.proof.instance` has instances of in one number, a paper's `SCALAR`."""
    return tuple(claim for part in parts("about") for claim in getattr(part, "SCALAR", ()))


def about(id: str) -> About | None:
    """The `About` of a claim; None for a claim that no paper of ours lists as one about an adapter."""
    return next((each for each in _all() if each.claim.id == id), None)
