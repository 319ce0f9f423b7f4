"""What a run on a network shows: constants along it, the theorems at them, audits and verdict."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from boundcheck.measure.intervals import Interval, student_interval
from boundcheck.measure.result import Audit, Planned, Stated
from boundcheck.models.network import Network
from boundcheck.models.theory import estimates_of, inputs_of, own_step, smoothness_of, theorem_rows
from boundcheck.models.verdict import Seen, audits_of, judge


@dataclass(frozen=True)
class Course:
    """How a run went.

    Attributes:
        trace: what was observed, with the dimensions replica and stratum.
        weights: the shares of the strata in the average over t, shape (M,), with sum 1.
        step_size: alpha.
        batch: m.
        steps: T.
        level: of intervals.
        first: the squared gradient norm at v_1.
        gap: D.
        looks: at what it was observed, in words.
        partial: whether that was on a part of the samples.

    """

    trace: xr.Dataset
    weights: np.ndarray
    step_size: float
    batch: int
    steps: int
    level: float
    first: float
    gap: float
    looks: str
    partial: bool = False


def outcome(network: Network, course: Course, sampling: list[Audit]) -> dict[str, Any]:
    """The fields of a `RunResult` that follow from the trace.

    ``measured`` is the average over t of the squared gradient norm, ``interval`` Student's over replicas, of which
    there have to be three.
    """
    found = estimates_of(network, course.trace, course.gap)
    squares = course.trace["gradient_square_norm"].values
    averages = squares @ course.weights
    measured = float(averages.mean())
    ways = smoothness_of(network, found)
    path = own_step(found.path, found, course.step_size, course.steps, course.first)
    seen = Seen(
        step_size=course.step_size,
        longest=path["longest"],
        too_long=2 / found.path_sure if found.path_sure > 0 else math.inf,
        rounding=found.is_mostly_rounding,
        bound=path["bound"],
        needed=path["needed"],
        first=course.first,
        measured=measured,
        steps=course.steps,
        looks=course.looks,
        partial=course.partial,
    )
    audits = audits_of(seen, sampling, found.zeta_square, course.gap, found.L, found.path)
    inputs = inputs_of(found.path, found, course.step_size, course.steps)
    judged = judge(seen, audits)
    return {
        "verdict": judged.verdict,
        "reason": judged.reason,
        "blame": judged.blame,
        "audit": tuple(audits),
        "plan": Planned(
            course.steps,
            course.batch,
            radii={},
            inputs=dict(inputs),
            values={"Lhat": found.path, "alpha": course.step_size, "bound": path["bound"]},
        ),
        "estimates": found,
        "constants": {"infimum": Stated(0.0, "certified", "cross-entropy is nonnegative")},
        "theorems": theorem_rows(ways, found, course.step_size, course.steps, course.first),
        "measured": measured,
        "smallest": float(squares.mean(0).min()),
        "first": course.first,
        "bound": path["bound"],
        "interval": _interval(averages, course.level),
        "gap": course.gap,
        "decrease": float((course.trace["loss"].values[:, :1] - course.trace["loss"].values).max(1).mean()),
    }


def _interval(averages: np.ndarray, level: float) -> Interval | None:
    if len(averages) < 3 or not np.isfinite(averages).all():
        return None
    found = student_interval(averages, level)
    return replace(found, method=f"{found.method} over replicas")
