"""boundcheck takes a convergence theorem out of a paper and answers with evidence that anyone can re-run.

>>> import boundcheck as bc
>>> bc.claims["jiang2024.lemma1"].bound(L=1, C=1, sigma=1, G=3, r=4)
7.0
"""

from boundcheck.claims import Claim
from boundcheck.claims import catalogue as claims
from boundcheck.errors import BoundcheckError, InputError

__version__ = "0.1.0"
__all__ = ["BoundcheckError", "Claim", "InputError", "claims"]
