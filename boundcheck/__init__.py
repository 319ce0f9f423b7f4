"""boundcheck takes a convergence theorem out of a paper and answers with evidence that anyone can
re-run.

>>> import boundcheck as bc
>>> bc.claims["jiang2024.lemma1"].bound(L=1, C=1, sigma=1, G=3, r=4)
7.0

`bc.prove("jiang2024.lemma1")` audits proofs, `bc.falsify("meft.lemma1_sharp")` looks for an
instance that breaks a claim, `bc.measure(spec)` runs an experiment, and `bc.audit("jiang2024")`
makes the report on a paper. `bc.BoundcheckCallback()` is for a Trainer of transformers. In a
notebook each result shows itself, and so does the progress of what takes longer than two seconds.
"""

import sys

# As `python -m boundcheck`, or a module of it: files of the current folder would be taken for
# libraries from here on. The name may stand behind options, as in -mNAME.
if (
    sys.argv[:1] == ["-m"]
    and not sys.flags.safe_path
    and sys.orig_argv[-len(sys.argv)].partition(".")[0].endswith("boundcheck")
):
    del sys.path[0]

import functools
import importlib
from typing import TYPE_CHECKING, Any

from boundcheck.errors import BoundcheckError, InputError, did_you_mean
from boundcheck.version import __version__

# Under their own names, by which a type checker knows that they are public.
if TYPE_CHECKING:
    from boundcheck.callback import BoundcheckCallback as BoundcheckCallback
    from boundcheck.experiment import Limits as Limits
    from boundcheck.experiment import measure as measure
    from boundcheck.functions.loss import Loss as Loss
    from boundcheck.language.catalogue import catalogue
    from boundcheck.language.claim import Claim as Claim
    from boundcheck.present.audit import audit as audit
    from boundcheck.proof import prove as prove
    from boundcheck.worst_case import falsify as falsify
    from boundcheck.worst_case.search import Search as Search
    from boundcheck.worst_case.worst_case import WorstCase as WorstCase

    claims = catalogue

# The module of each public name, and what it is called there. It is imported when it is first asked
# for.
_HOMES = {
    "BoundcheckCallback": "boundcheck.callback:BoundcheckCallback",
    "Claim": "boundcheck.language.claim:Claim",
    "Limits": "boundcheck.experiment:Limits",
    "Loss": "boundcheck.functions.loss:Loss",
    "Search": "boundcheck.worst_case.search:Search",
    "WorstCase": "boundcheck.worst_case.worst_case:WorstCase",
    "audit": "boundcheck.present.audit:audit",
    "claims": "boundcheck.language.catalogue:catalogue",
    "falsify": "boundcheck.worst_case:falsify",
    "measure": "boundcheck.experiment:measure",
    "prove": "boundcheck.proof:prove",
}
__all__ = ["BoundcheckError", "InputError", "__version__", *_HOMES]
# These may take long, and tell of their progress.
_LONG = frozenset(("audit", "falsify", "measure", "prove"))


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(
            f"module 'boundcheck' has no attribute {name!r}{did_you_mean(name, __all__)}"
        )
    module, _, called = _HOMES[name].partition(":")
    try:
        found = vars(importlib.import_module(module))[called]
    except ModuleNotFoundError as error:
        # Transformers, which the callback is for, is an extra.
        if name != "BoundcheckCallback":
            raise
        raise InputError(
            name, "(not installed)", f'{error.name}, from pip install "boundcheck[hf]"'
        ) from None
    # An audit tells the seconds that are left, the others what is done of how much.
    globals()[name] = _watched(found, in_seconds=name == "audit") if name in _LONG else found
    return globals()[name]


def _watched(function: Any, in_seconds: bool) -> Any:
    """Wrap a function so that, without a `tick`, whoever waits at a terminal or in a notebook sees
    how far it is.
    """
    import inspect

    signature = inspect.signature(function)

    @functools.wraps(function)
    def called(*args: Any, **options: Any) -> Any:
        try:
            given = signature.bind(*args, **options).arguments
        except TypeError:
            # The function says itself what is wrong.
            return function(*args, **options)
        # Deferred: what asks nothing of a person's call does not need them.
        from boundcheck.system.arguments import check_types
        from boundcheck.system.terminal import watched

        check_types(function, given)
        if "tick" in given:
            return function(*args, **options)

        with watched(in_seconds) as tick:
            return function(*args, **options, tick=tick)

    return called


def __dir__() -> list[str]:
    return sorted(__all__)
