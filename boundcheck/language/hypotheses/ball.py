"""The factors stay in a ball."""

from dataclasses import dataclass

import numpy as np
import sympy as sp

from boundcheck.language.algorithms.relora import A_moved, B_moved
from boundcheck.language.claim import Claim, Statement
from boundcheck.language.hypotheses.base import Hypothesis, Worst
from boundcheck.language.hypotheses.evidence import ROUNDING, Audit, Evidence, Status
from boundcheck.language.instance import HOLDS, Answer, Instance, at_most
from boundcheck.language.symbols import a, b, r, s, sigma
from boundcheck.language.vocabulary import A_t, B_t, Iterate, SpectralNorm


def _held(e: Evidence, id: str) -> list[Audit]:
    ball = e.record.ball
    if ball is None:
        if not e.function.is_known or e.problem.adapter.needs_ball:
            return []
        return [Audit(id, "hypothesis", "held", None, None, "no ball is needed: W has bounded derivatives everywhere")]
    found = []
    watched = zip(e.problem.adapter.blocks, e.function.norm_names.values(), ball.largest, ball.radii, strict=True)
    for block, name, known, radius in watched:
        audited = e.record.trace[name].values
        norm = max(known, float(audited[np.isfinite(audited)].max(initial=0.0)))
        # Whether an iterate left, the watch decides; its largest norm may be of an earlier look.
        status: Status = "failed" if ball.outside is not None and norm > radius else "held"
        how = f"spectral norm of {block.name}: every iterate of every replica, by the length travelled between looks"
        if ball.outside is not None:
            how += f"; first outside at t = {ball.outside}"
        # A norm is within the radius but for its own rounding error, and that of the watch's limit.
        found.append(Audit(id, "hypothesis", status, norm, radius, how, block.radius, 2 * ROUNDING * radius))
    return found


def _decided(instance: Instance, word: Hypothesis, hypothesis: Claim) -> Answer:
    """Decide it for the points that are visited.

    A hypothesis that speaks of more, such as of steps, is decided as it stands.
    """
    radii = {a, b, sigma} & hypothesis.conclusion.free_symbols
    if not radii or not all(isinstance(each.args[0], Iterate) for each in hypothesis.conclusion.atoms(SpectralNorm)):
        return instance.decide(hypothesis.conclusion)
    answer = HOLDS
    for radius in sorted(radii, key=str):
        answer &= at_most(f"the largest norm within {radius}", instance.reach(radius), radius, instance.value(radius))
    return answer


@dataclass(frozen=True)
class Ball(Hypothesis):
    """A ball of the factors, with a radius for each or one for all of them."""

    common: sp.Symbol = sigma
    """The symbol of the radius where there is one for all."""

    @property
    def radii(self) -> tuple[sp.Symbol, ...]:
        """The symbols of radii, of which a claim about a ball has at least one."""
        return a, self.common


ONE_RADIUS = Statement(
    sp.Le(sp.Max(SpectralNorm(A_t), SpectralNorm(B_t), evaluate=False), sigma),
    r"\text{for all iterates of Algorithm 1}",
)
TWO_RADII = Statement(
    sp.And(sp.Le(SpectralNorm(A_t), a), sp.Le(SpectralNorm(B_t), b)),
    r"\text{for all iterates, hence for all points between them}",
)
BEFORE_AND_AFTER_EACH_STEP = Statement(
    sp.And(*(sp.Le(SpectralNorm(x), radius) for x, radius in ((A_t, a), (A_moved, a), (B_t, b), (B_moved, b)))),
    r"\text{for all } t",
)
BALL = Ball(
    "ball",
    "the factors stay in a ball",
    (a, b, sigma, r, s),
    Worst(is_smooth=True),
    smooth_on="ball",
    held=_held,
    decided=_decided,
    blamed="ball",
    says=(ONE_RADIUS, TWO_RADII, BEFORE_AND_AFTER_EACH_STEP),
)
