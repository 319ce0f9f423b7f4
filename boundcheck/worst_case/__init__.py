"""Adversarial search for an instance that breaks a claim or is the tightest, and worst cases of a
theorem's method.
"""

from typing import Any, Protocol, TypeVar, overload

from boundcheck.errors import InputError
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.sentence import algorithm_of
from boundcheck.system.limits import DAY, Tick, limited, silent
from boundcheck.system.plugins import theirs

# The view is what a notebook shows of a result.
from boundcheck.worst_case import view as view
from boundcheck.worst_case.search import Search
from boundcheck.worst_case.worst_case import WorstCase

__all__ = ["Method", "falsify"]

Found = TypeVar("Found", covariant=True)


class Method(Protocol[Found]):
    """A way to attack a claim: `boundcheck.Search` or `boundcheck.WorstCase`."""

    def falsify(self, claim: Claim, tick: Tick = silent) -> Found:
        """Attack a claim; raises InputError for one that the method is not about."""


@overload
def falsify(
    claim: str | Claim, method: None = None, *, tick: Tick = silent, hours: float = DAY
) -> Any: ...


@overload
def falsify(
    claim: str | Claim, method: Method[Found], *, tick: Tick = silent, hours: float = DAY
) -> Found: ...


def falsify(
    claim: str | Claim,
    method: Method[Any] | None = None,
    *,
    tick: Tick = silent,
    hours: float = DAY,
) -> Any:
    """Look for an instance that breaks a claim, or on which it is tightest.

    Args:
        claim: an id of the catalogue, or a claim of your own, or its import path.
        method: `boundcheck.Search`, for a claim about the smoothness of an adapter, or
            `boundcheck.WorstCase`, for a theorem. Left out, the one that the claim is for.
        tick: is called with the progress.
        hours: the most that a stage may take, at its first pace.

    Returns:
        What the method finds: a `Falsification` of a search, the `WorstCases` of a theorem. Both
        have `violated`, `ratio`, `as_json` and `to_frame`.

    Raises:
        InputError: for a claim that the method is not about, for bad options of it, and for more
            work than there is memory or time for.
        CodeError: where code of your own, of an adapter say, does not run; it is an InputError.

    """
    claim = catalogue.opened(claim) if isinstance(claim, str) else claim
    if method is None:
        method = Search() if algorithm_of(claim) is None else WorstCase()
    if not hasattr(method, "falsify"):
        raise InputError("method", method, "boundcheck.Search(...) or boundcheck.WorstCase(...)")
    with theirs(tick):
        return method.falsify(claim, limited(tick, hours))
