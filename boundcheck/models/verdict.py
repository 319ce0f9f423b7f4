"""The verdict of a run on a network: what its theorem says of it, and what stands in the way.

It is never ``supported`` or ``violated``: no L̂ of a network is more than a lower estimate, and a sampled number is no
bound. So it is ``hypothesis-failed``, ``uninformative``, or ``inconclusive``, with everything that was measured.
"""

import math
from dataclasses import dataclass

from boundcheck.measure.blame import blamed
from boundcheck.measure.result import Audit, Blame, Status
from boundcheck.verdicts import Verdict


@dataclass(frozen=True)
class Judged:
    """A verdict, why in one sentence, and who is to blame."""

    verdict: Verdict
    reason: str
    blame: Blame | None


@dataclass(frozen=True)
class Seen:
    """What a verdict looks at.

    Attributes:
        step_size, longest: alpha, and 2/L̂ by the path.
        too_long: from where on alpha is too long for certain: 2/L̂, the rounding error of L̂ taken off.
        rounding: whether that L̂ is mostly rounding error, and so none.
        bound: the theorem's right-hand side at the path's L̂; None where the step is too long for it.
        needed: the iterations at which it would be informative; None where it never is.
        first: the squared gradient norm at v_1.
        measured: the average over t that the theorem bounds; NaN where a run diverged.
        steps: T.
        looks: at what everything was measured, in words.
        partial: whether that was on a part of the samples, so that F itself is only estimated.

    """

    step_size: float
    longest: float
    too_long: float
    rounding: bool
    bound: float | None
    needed: int | None
    first: float
    measured: float
    steps: int
    looks: str
    partial: bool = False


def audits_of(seen: Seen, sampling: list[Audit], zeta_square: float, D: float, L: float, path: float) -> list[Audit]:
    """Each hypothesis of the theorem on the run; `sampling` are those about how it was run, which come first."""
    looks = seen.looks
    too_long, short = not seen.step_size < seen.too_long, seen.step_size < seen.longest
    # Between the two rounding error hides which it is.
    step: Status = "failed" if too_long else "held" if short else "assumed"
    finite: Status = "failed" if not math.isfinite(seen.measured) else "assumed" if seen.partial else "held"
    noise = "an estimate from some of the samples" if seen.partial else "exact variance by enumerating the samples"
    start = "F(v_1) as estimated from some of the samples" if seen.partial else "F(v_1)"
    return [
        *sampling,
        Audit(
            "jiang2024.bounded_below",
            "constant",
            finite,
            None,
            D,
            f"D is {start}, with its rounding error: f* >= 0 is certified, since cross-entropy is nonnegative",
            "D",
        ),
        Audit(
            "eta < eta_max",
            "constant",
            step,
            seen.step_size,
            seen.longest,
            "the step has to be shorter than 2/L̂; L̂ is at least the smoothness seen along the path",
            "eta",
        ),
        Audit(
            "classic.smooth",
            "constant",
            "assumed",
            path,
            path,
            f"the largest smoothness along a segment, its rounding error added, at {looks}: measured, not proved",
            "Lhat",
        ),
        Audit(
            "jiang2024.assumption4",
            "constant",
            "assumed",
            zeta_square,
            zeta_square,
            f"{noise}, at {looks}: the largest that was seen, set after the run",
            "zeta",
        ),
        Audit(
            "jiang2024.assumption1",
            "constant",
            "assumed",
            None,
            L,
            "no L of a network is known; this is the largest that was measured, jointly in all adapted matrices",
            "L",
        ),
    ]


def judge(seen: Seen, audits: list[Audit]) -> Judged:
    """The verdict, its reason and who is to blame, from the audits and the bound at the path's own L̂."""
    failed = list(dict.fromkeys(each.hypothesis for each in audits if each.status == "failed"))
    if not math.isfinite(seen.measured):
        reason = "a loss or a gradient is no finite number, so the theorem says nothing about the run"
        return Judged(Verdict.HYPOTHESIS_FAILED, reason, Blame("rounding", "overflow", reason))
    if failed:
        reason = f"the run broke {', '.join(failed)}, so the theorem says nothing about it"
        return Judged(Verdict.HYPOTHESIS_FAILED, reason, blamed(audits, "failed"))
    if seen.rounding or seen.longest <= seen.step_size:
        reason = f"the smoothness along the path is mostly rounding error, at {seen.looks}: no L̂ was measured"
        if not seen.rounding:
            reason = "the rounding error of the smoothness along the path hides whether the step is below 2/L̂"
        return Judged(Verdict.INCONCLUSIVE, reason, Blame("rounding", "Lhat", reason))
    if seen.bound is None:
        reason = "a constant of the theorem was measured as 0, so it says nothing about the run"
        return Judged(Verdict.UNINFORMATIVE, reason, Blame("constant", "zeta", reason))
    if not (seen.first > 0 and seen.measured > 0):
        reason = f"the gradient cannot be told from the noise of so few samples ({seen.looks}): take more"
        return Judged(Verdict.UNINFORMATIVE, reason, Blame("statistics", "samples", reason))
    at = f"the bound at the smoothness that was seen, {seen.bound:.4g},"
    if seen.bound >= seen.first:
        reason = f"{at} is not below {seen.first:.4g}, the gradient at v_1"
        if seen.needed is None:
            reason += ", at no T: it takes a shorter step or a larger batch"
            return Judged(Verdict.UNINFORMATIVE, reason, Blame("constant", "eta", reason))
        reason += f", before T = {seen.needed}"
        return Judged(Verdict.UNINFORMATIVE, reason, Blame("horizon", "T", reason))
    side = "at most" if seen.measured <= seen.bound else "above"
    reason = f"the average {seen.measured:.4g} is {side} {seen.bound:.4g}, the bound at the smoothness that was seen"
    return Judged(Verdict.INCONCLUSIVE, f"{reason}, but that is no bound on L̂", blamed(audits, "assumed"))
