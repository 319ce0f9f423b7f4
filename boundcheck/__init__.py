"""boundcheck takes a convergence theorem out of a paper and answers with evidence that anyone can re-run.

>>> import boundcheck as bc
>>> bc.claims["jiang2024.lemma1"].bound(L=1, C=1, sigma=1, G=3, r=4)
7.0

`bc.prove("jiang2024.lemma1")` audits proofs, `bc.falsify("meft.lemma1_sharp")` looks for an instance that breaks a
claim, `bc.measure(spec)` runs an experiment, and `bc.audit("jiang2024")` makes the report on a paper.
"""

from boundcheck.claims import Claim
from boundcheck.claims import catalogue as claims
from boundcheck.errors import BoundcheckError, InputError

# These names hide the subpackages of the same name on purpose: `from boundcheck.measure.spec import Spec` still works.
from boundcheck.falsify import falsify
from boundcheck.measure import measure
from boundcheck.prove import prove
from boundcheck.report import audit
from boundcheck.version import __version__

__all__ = ["BoundcheckError", "Claim", "InputError", "__version__", "audit", "claims", "falsify", "measure", "prove"]
