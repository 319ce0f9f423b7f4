"""W is C-Lipschitz in its factors."""

from boundcheck.claims.symbols import C
from boundcheck.words.hypotheses.base import Hypothesis, Worst
from boundcheck.words.hypotheses.evidence import Audit, Evidence, status_of, used


def _held(e: Evidence, id: str) -> list[Audit]:
    sigma, limit = max(e.plan.radii.values()), used(e, C.name)
    how = "on the ball, C = sigma holds for every pair by ||XY||_F <= ||X||_op ||Y||_F"
    # The sigma of the plan is the float; C is that float or a multiple of it by sqrt(r) >= 1.
    return [Audit(id, "constant", status_of(sigma, limit), sigma, limit, how, C.name)]


LIPSCHITZ_ADAPTER = Hypothesis("lipschitz_adapter", "W is Lipschitz in its factors", (C,), worst=Worst(), held=_held)
