"""The variance of the stochastic gradient is at most zeta^2."""

import math

import numpy as np

from boundcheck.claims.symbols import zeta
from boundcheck.claims.vocabulary import SQUARE, EuclideanNorm, g_t
from boundcheck.words.cost import Cost
from boundcheck.words.hypotheses.base import Hypothesis, Worst
from boundcheck.words.hypotheses.evidence import Audit, Evidence, rounding, status_of

# The share of all iterates that noise above zeta^2 may have gone unseen at, at 95 %, for zeta to count as held.
_UNSEEN = 0.05


def _held(e: Evidence, id: str) -> list[Audit]:
    limit = (e.plan.zeta or 0.0) ** 2
    if not e.function.is_known:
        source = "an estimate from some of the samples" if e.partial else "exact variance by enumerating the samples"
        how = f"{source}, at {e.looks}: the largest that was seen, set after the run"
        return [Audit(id, "constant", "assumed", limit, limit, how, zeta.name)]
    observed, surely = e.most("noise_variance"), e.surely("noise_variance")
    how = f"exact variance by enumerating the samples, at {e.looks}; the limit was fixed before the run"
    schedule = e.record.schedule
    sizes, replicas = np.diff(schedule.edges), len(schedule.times)
    # Looks miss k_j failing iterates in stratum j of size n_j with probability prod (1 - k_j/n_j), which is at most
    # exp(-sum k_j / max n_j): below 1/20 once sum k_j is 3 max n_j.
    share = 0.0 if schedule.is_every_step else 3 * sizes.max() / (replicas * sizes.sum())
    status = status_of(surely, limit, share <= _UNSEEN)
    if status == "held" and e.inside.all() and share > 0:
        how += f"; at 95% fewer than {math.ceil(1e4 * share) / 1e4:g} of all iterates fail"
    if status == "assumed":
        how += f"; more than {_UNSEEN:.0%} of all iterates may fail unseen: more audits or replicas are needed"
    return [Audit(id, "constant", status, observed, limit, how, zeta.name, rounding(observed, surely))]


BOUNDED_VARIANCE = Hypothesis(
    "bounded_variance",
    "bounded variance",
    (zeta,),
    worst=Worst(noise=zeta),
    is_about_noise=True,
    held=_held,
    cost=Cost(
        "ζ² for the variance",
        ((EuclideanNorm(g_t) ** 2, SQUARE + zeta**2),),
        "‖gₜ‖² is ‖∇F‖² and the variance of a minibatch gradient, for which ζ² stands at every t",
    ),
)
