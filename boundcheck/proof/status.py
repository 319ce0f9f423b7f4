"""The carrier of a claim, which vouches for it: the kernel, an argument in words, or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.proof.fixed import fixed_statements, is_ours
from boundcheck.proof.script import of_paper
from boundcheck.proofs import papers


class Carrier(StrEnum):
    """A carrier of claims, which vouches for them; its text is what is printed."""

    KERNEL = "kernel"
    """The kernel replays a proof that ends in the claim's fixed statement."""
    SCRIPT = "script"
    """A script of its paper is said to prove it, which `boundcheck prove` judges."""
    BY_HAND = "by hand"
    """An argument in words, with the reason why there is no proof."""
    HYPOTHESIS = "hypothesis"
    """Nothing, and nothing has to: theorems start from it."""
    NOTHING = "none"
    """A statement for which nobody vouches."""


def carrier(claim: Claim) -> Carrier:
    """The carrier of a claim of the catalogue, which vouches for it."""
    if claim.argument:
        return Carrier.BY_HAND
    if claim.id in fixed_statements() and is_ours(claim):
        return Carrier.KERNEL
    if claim.word is not None or any(claim in each.hypotheses for each in catalogue.values()):
        return Carrier.HYPOTHESIS
    # Our own scripts have fixed their statements.
    others = [key for key, paper in papers().items() if not paper.is_ours]
    if any(script.claim == claim for key in others for script in of_paper(key)):
        return Carrier.SCRIPT
    return Carrier.NOTHING


def standing(claim: Claim) -> str:
    """``proved``; ``repaired`` if proved, but not by the printed proof; the carrier if that is not the kernel.

    It is read from the fixed statements, and no proof is run: the tests have the proofs say the same.
    """
    if (by := carrier(claim)) is not Carrier.KERNEL:
        return by
    return "repaired" if fixed_statements()[claim.id].broken else "proved"


def told(claim: Claim) -> str:
    """The carrier of a claim, in words, with the lines at which the printed proof fails, if it does."""
    by = carrier(claim)
    broken = fixed_statements()[claim.id].broken if by is Carrier.KERNEL else ()
    return f"{by}, repaired: true by another proof; the printed one fails at {', '.join(broken)}" if broken else by


def counted(claims: Iterable[Claim]) -> Counter[Carrier]:
    """The number of these claims that each carrier has."""
    return Counter(map(carrier, claims))
