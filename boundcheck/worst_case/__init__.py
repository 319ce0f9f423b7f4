"""Adversarial search for an instance that breaks a claim, or for the one on which it is tightest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from boundcheck.errors import InputError
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.hypotheses import LEAST
from boundcheck.language.sentence import algorithm_of
from boundcheck.system.limits import Tick, silent
from boundcheck.system.plugins import theirs

if TYPE_CHECKING:
    from boundcheck.worst_case.search import Falsification

__all__ = ["falsify"]


def falsify(
    claim: str | Claim,
    ranks: Sequence[int] = tuple(range(1, 9)),
    constants: Mapping[str, float] | None = None,
    adapter: str | None = None,
    lipschitz: str = LEAST,
    starts: int = 16,
    rounds: int = 96,
    examples: int = 64,
    seed: int = 0,
    tick: Tick = silent,
) -> Falsification:
    """Search for the instance of a smoothness claim with the largest ratio of measured over bound.

    For a theorem, use `boundcheck.worst_case.worst_case.worst_cases`: its worst case over all smooth functions is the
    value of a convex program.

    Args:
        claim: an id of the catalogue, or a claim of your own about one of the adapters, or its import path.
        ranks: those to report the tightest instance of.
        constants: L, G, s, radii and norms of frozen matrices to search at; each is 1 where left out, and with none
            given a second search is made with b halved, where the claim has both radii.
        adapter: the kind of adapter, or its import path, where it does not follow from the claim.
        lipschitz: what C stands for in a claim that takes one: ``sigma`` or ``sqrt(r) sigma``.
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
        CodeError: where code of your own, of an adapter say, does not run; it is an InputError.

    """
    claim = catalogue.opened(claim) if isinstance(claim, str) else claim
    if algorithm_of(claim) is not None:
        expected = "a claim about smoothness; for a theorem call boundcheck.worst_case.worst_case.worst_cases"
        raise InputError("claim", claim.id, expected)
    # Deferred: torch takes a second to import, and `import boundcheck` should not.
    from boundcheck.worst_case.fields import check_id
    from boundcheck.worst_case.search import search

    check_id(claim)
    with theirs(tick):
        return search(claim, ranks, constants, adapter, lipschitz, starts, rounds, examples, seed, tick)
