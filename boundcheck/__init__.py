"""boundcheck takes a convergence theorem out of a paper and answers with evidence that anyone can re-run.

>>> import boundcheck as bc
>>> bc.claims["jiang2024.lemma1"].bound(L=1, C=1, sigma=1, G=3, r=4)
7.0

`bc.prove("jiang2024.lemma1")` audits proofs, `bc.falsify("meft.lemma1_sharp")` looks for an instance that breaks a
claim, `bc.measure(spec)` runs an experiment, and `bc.audit("jiang2024")` makes the report on a paper.
`bc.BoundcheckCallback()` is for a Trainer of transformers.
"""

from typing import TYPE_CHECKING, Any

from boundcheck.claims import Claim
from boundcheck.claims import catalogue as claims
from boundcheck.errors import BoundcheckError, InputError

# These names hide the subpackages of the same name on purpose: `from boundcheck.measure.spec import Spec` still works.
from boundcheck.experiments import measure
from boundcheck.falsify import falsify
from boundcheck.prove import prove
from boundcheck.report import audit
from boundcheck.version import __version__

if TYPE_CHECKING:
    from boundcheck.callback import BoundcheckCallback

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


def __getattr__(name: str) -> Any:
    # Only when it is asked for: transformers takes seconds to import, and is an extra.
    if name != "BoundcheckCallback":
        raise AttributeError(f"module 'boundcheck' has no attribute {name!r}")
    try:
        from boundcheck.callback import BoundcheckCallback
    except ModuleNotFoundError as error:
        expected = f'{error.name}, from pip install "boundcheck[hf]"'
        raise InputError("BoundcheckCallback", "(not installed)", expected) from None
    return BoundcheckCallback
