"""Concrete instances in exact rational arithmetic, in which a false line of a proof shows.

An `ExactModel` has W = W_0 + sBA with d, k, r from 1 to 4, an f that is a sum over entries of piecewise quadratic
functions, two points of the ball, or all paths of a run of Algorithm 1. Its constants are what the claims make of them;
which of a proof's laws hold is by construction, and tried at points besides.
"""

from boundcheck.checked.exact_models.collection import descents, worlds
from boundcheck.checked.exact_models.exact_model import ExactModel

__all__ = ["ExactModel", "descents", "worlds"]
