"""boundcheck takes a convergence theorem out of a paper and answers with evidence that anyone can re-run.

>>> import boundcheck as bc
>>> bc.claims["jiang2024.lemma1"].bound(L=1, C=1, sigma=1, G=3, r=4)
7.0

`bc.prove("jiang2024.lemma1")` audits proofs, `bc.falsify("meft.lemma1_sharp")` looks for an instance that breaks a
claim, `bc.measure(spec)` runs an experiment, and `bc.audit("jiang2024")` makes the report on a paper.
`bc.BoundcheckCallback()` is for a Trainer of transformers.
"""

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from boundcheck.errors import BoundcheckError, InputError
from boundcheck.version import __version__

if TYPE_CHECKING:
    from boundcheck.callback import BoundcheckCallback
    from boundcheck.claims import Claim
    from boundcheck.claims import catalogue as claims
    from boundcheck.experiments import measure
    from boundcheck.falsify import falsify
    from boundcheck.prove import prove
    from boundcheck.report import audit

__all__ = [
    "BoundcheckCallback",
    "BoundcheckError",
    "Claim",
    "InputError",
    "__version__",
    "audit",
    "claims",
    "falsify",
    "measure",
    "prove",
]

# Where each name comes from, and what it is called there. It is imported when it is first asked for.
_HOMES = {
    "BoundcheckCallback": ("boundcheck.callback", "BoundcheckCallback"),
    "Claim": ("boundcheck.claims", "Claim"),
    "audit": ("boundcheck.report", "audit"),
    "claims": ("boundcheck.claims", "catalogue"),
    "falsify": ("boundcheck.falsify", "falsify"),
    "measure": ("boundcheck.experiments", "measure"),
    "prove": ("boundcheck.prove", "prove"),
}


class _Package(ModuleType):
    """A package with names that hide subpackages: `from boundcheck.measure.spec import Spec` still works."""

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute, unless it is a subpackage that is imported: its name means something else here."""
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'boundcheck' has no attribute {name!r}")
    home, there = _HOMES[name]
    try:
        found = getattr(importlib.import_module(home), there)
    except ModuleNotFoundError as error:
        # Transformers, which the callback is for, is an extra.
        if name != "BoundcheckCallback":
            raise
        expected = f'{error.name}, from pip install "boundcheck[hf]"'
        raise InputError(name, "(not installed)", expected) from None
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


sys.modules[__name__].__class__ = _Package
