"""A theorem in words of your own, to copy: an algorithm, a measure, a hypothesis, and the claim
that is made of them.

Copy it to my_theorem.py and change it. `boundcheck falsify my_theorem.py:WARM_DESCENT` brackets the
worst case, `boundcheck.properties.check_claim("my_theorem.py:WARM_DESCENT", adapter="full")` looks
for an instance that breaks it. A spec with claim = "my_theorem.py:WARM_DESCENT" runs it, and then
`boundcheck measure my_spec.toml --allow-code my_theorem.py` writes the page.
"""

from sympy import Le, Rational

from boundcheck.exact.evaluate import t
from boundcheck.language.algorithms import LinearMethod, g, v
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import EVERY_T, Quantity, Statement, for_all
from boundcheck.language.evidence import Audit, Evidence, status_of
from boundcheck.language.hypotheses import Hypothesis, Worst
from boundcheck.language.measures import SQUARED_GRADIENT, PerformanceMeasure, Statistic
from boundcheck.language.sentence import theorem
from boundcheck.language.symbols import D, Lhat, T, alpha, bound
from boundcheck.language.vocabulary import F, Value, v_t

# An algorithm that is linear in its state and its gradient is given once: v is the iterate, g the
# gradient. The step in torch, the exact one, its rounding errors and its worst case follow. Of one
# that is not, each face is written out; see `boundcheck.language.algorithms.Algorithm`, and
# `AdaGradNorm` beside it for a whole one.
WARM = LinearMethod(
    "warm", "warmed-up descent", (alpha,), moves=((v, v - alpha * t / (t + 1) * g),)
)

# A measure is what is seen at one iterate, and a statistic over the iterates.
LAST_GRADIENT = PerformanceMeasure(
    "my_last_gradient", "squared gradient norm at the end", Statistic.LAST, SQUARED_GRADIENT
)


def _does_not_rise(evidence: Evidence, id: str) -> list[Audit]:
    """How a run is held against the hypothesis: a row, in which it has this id."""
    loss, error = (evidence.record.trace[name].values for name in ("loss", "loss_error"))
    rise, limit = float((loss[:, 1:] - loss[:, :-1]).max(initial=0.0)), 2 * float(error.max())
    how = f"the largest rise of F at {evidence.looks}; the limit is rounding"
    return [Audit(id, "hypothesis", status_of(rise, limit), rise, limit, how)]


# What it says: a relation, and LaTeX of its range. It asks nothing of the functions among which a
# worst case is looked for: `Worst()`, and not None, which says that performance estimation cannot
# state it.
NEXT = Value(F, v_t.xreplace({t: t + 1}))
NO_RISE = Hypothesis(
    "my_no_rise",
    "F does not rise along the run",
    says=(Statement(Le(NEXT, Value(F, v_t)), for_all(t)),),
    worst=Worst(),
    held=_does_not_rise,
)

# The word makes the claim that states it, of an id, a title and a source.
RISES_NOT = NO_RISE.claim("my.no_rise", "F does not rise", "mine")
HYPOTHESES = (
    *(
        catalogue[id]
        for id in ("classic.smooth_everywhere", "classic.convex", "jiang2024.bounded_below")
    ),
    RISES_NOT,
)

# At step t F falls by at least 3/(8 L̂) times the squared gradient norm, and of convex F no step
# makes that larger.
WARM_DESCENT = theorem(
    "my.warm_descent",
    "Warmed-up descent",
    "mine",
    EVERY_T,
    HYPOTHESES,
    (
        catalogue["nesterov2004.gradient_descent"].quantities[0],
        Quantity(alpha, 1 / Lhat, "step size"),
        Quantity(bound, Rational(8, 3) * Lhat * D / T, "bound on the last squared gradient norm"),
    ),
    algorithm=WARM,
    measure=LAST_GRADIENT,
)
