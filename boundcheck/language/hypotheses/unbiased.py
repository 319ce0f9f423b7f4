"""The stochastic gradient has the gradient as its mean, given the past."""

from fractions import Fraction

import sympy as sp

from boundcheck.language.algorithms.relora import IN_FACTORS, SLOPE_A, SLOPE_B, g_a, g_b
from boundcheck.language.claim import Claim, Statement
from boundcheck.language.hypotheses.base import Hypothesis, Worst, assumed
from boundcheck.language.hypotheses.evidence import Audit, Evidence, largest, rounding, status_of
from boundcheck.language.instance import Answer, Extent, Instance, at_most
from boundcheck.language.vocabulary import SLOPE, F, Gradient, MatrixExpectation, g, g_t, v, v_t

MOST_SAMPLES = 256
"""The most samples whose gradients are each looked at before a run, where minibatches are held against F."""


def _held(e: Evidence, id: str) -> list[Audit]:
    trace = e.record.trace
    bias, error = (trace[name].values[e.finite] for name in ("conditional_bias", "conditional_bias_error"))
    replaced, n = e.spec.run.sampling == "with replacement", e.function.samples
    # In an epoch of several minibatches a bias of 0 where one looked says nothing of where one did not.
    known = replaced or 2 * (e.plan.batch or n) > n or e.record.schedule.is_every_step
    observed, surely = largest(bias), largest(bias - error)
    status = status_of(surely, 0.0, known)
    if replaced:
        how = "minibatches are drawn uniformly with replacement, independent of the past: the bias is 0"
        if not (e.function.is_known and n <= MOST_SAMPLES):
            how += "; of gradients of single samples only the mean was held against the gradient, at v_1"
    else:
        size = "more than rounding" if status == "failed" else "within rounding"
        how = "minibatches are drawn without replacement: given the past, from what the epoch has left; exact bias by "
        how += f"enumerating the samples at {e.looks}, {size}"
    mean = e.minibatches
    if mean is not None and mean.is_off:
        how = f"minibatches of {e.plan.batch} that hold each sample equally often have another mean than the gradient"
        how += ", at the last iterate; more than rounding"
        return [Audit(id, "hypothesis", "failed", mean.bias, 0.0, how, error=mean.allowed)]
    if mean is not None and mean.is_mixed:
        how = f"at the last iterate a minibatch of {e.plan.batch} is not the mean of its samples: what its mean is"
        return [assumed(id, f"{how} over all that might be drawn is not known")]
    return [Audit(id, "hypothesis", status, observed, 0.0, how, error=rounding(observed, surely))]


def _decided(instance: Instance, word: Hypothesis, hypothesis: Claim) -> Answer:
    return at_most("the bias of the stochastic gradient", instance.bias(), 0, Extent.of(Fraction(0)))


AT_ANY_POINT = Statement(sp.Eq(MatrixExpectation(g), Gradient(F, v)), r"\text{for all } v")
GIVEN_THE_PAST = Statement(sp.Eq(MatrixExpectation(g_t, v_t), SLOPE), r"\text{for all } t")
IN_THE_FACTORS = Statement(
    sp.And(sp.Eq(MatrixExpectation(g_a, v_t), SLOPE_A), sp.Eq(MatrixExpectation(g_b, v_t), SLOPE_B)), IN_FACTORS
)
UNBIASED = Hypothesis(
    "unbiased",
    "unbiased stochastic gradient",
    (),
    Worst(),
    says=(AT_ANY_POINT, GIVEN_THE_PAST, IN_THE_FACTORS),
    is_about_noise=True,
    held=_held,
    decided=_decided,
    blamed="sampling",
)
