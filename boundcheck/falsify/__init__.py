"""Adversarial search for an instance that breaks a claim, or for the one on which it is tightest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from boundcheck.claims import Claim, catalogue
from boundcheck.errors import InputError
from boundcheck.progress import Tick, silent
from boundcheck.words import algorithm_of

if TYPE_CHECKING:
    from boundcheck.falsify.search import Falsification

__all__ = ["falsify"]


def falsify(
    claim: str | Claim,
    ranks: Sequence[int] = tuple(range(1, 9)),
    constants: Mapping[str, float] | None = None,
    adapter: str | None = None,
    lipschitz: str = "sigma",
    starts: int = 16,
    rounds: int = 96,
    examples: int = 64,
    seed: int = 0,
    tick: Tick = silent,
) -> Falsification:
    """Search for the instance of a smoothness claim with the largest ratio of measured over bound.

    For a theorem, use `boundcheck.falsify.worst_case.worst_cases`: its worst case over all smooth functions is the
    value of a convex program.

    Args:
        claim: an id of the catalogue, or your own claim about one of the adapters.
        ranks: the ranks at which to report the tightest instance.
        constants: L, G, s, radii and norms of frozen matrices for the search; each is 1 if left out. If none is given
            and the claim has both radii, there is a second search with b halved.
        adapter: the kind of adapter, if it does not follow from the claim.
        lipschitz: the meaning of C in a claim that has one: ``sigma`` or ``sqrt(r) sigma``.
        starts: random starts of each climb.
        rounds: steps of each climb.
        examples: further structures (shapes, ranks, constants) that Hypothesis tries.
        seed: of all random choices.
        tick: is called with the progress.

    Returns:
        The best instance, shrunk, its certified ratio, and whether it violates the claim.

    Raises:
        InputError: for a claim that is not about the smoothness of an adapter or has the id of another claim, and for
            bad ranks or constants.

    """
    claim = catalogue[claim] if isinstance(claim, str) else claim
    if algorithm_of(claim) is not None:
        expected = "a claim about smoothness; for a theorem call boundcheck.falsify.worst_case.worst_cases"
        raise InputError("claim", claim.id, expected)
    # Deferred: torch takes a second to import, and `import boundcheck` should not.
    from boundcheck.falsify.fields import check_id
    from boundcheck.falsify.search import search

    check_id(claim)
    return search(claim, ranks, constants, adapter, lipschitz, starts, rounds, examples, seed, tick)
