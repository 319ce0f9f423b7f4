"""The outcome of a run: its verdict, and the numbers that its pages show, as the fields of a `RunResult`."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import torch
import xarray as xr

from boundcheck.experiment.audit import Evidence, audit, largest_ratio
from boundcheck.experiment.estimates import estimates_of, in_hindsight, theorem_rows
from boundcheck.experiment.plan import horizon
from boundcheck.experiment.schema import Ends, Estimates, HeldOut, Horizon
from boundcheck.experiment.verdict import judge
from boundcheck.experiment.waterfall import waterfall
from boundcheck.language.catalogue import catalogue
from boundcheck.language.evidence import beyond_rounding, less_rounding
from boundcheck.language.sentence import measure_of
from boundcheck.proofs import parts


def outcome(evidence: Evidence) -> dict[str, Any]:
    """The fields of a `RunResult` that follow from what was recorded.

    Of a function whose constants are not known, the largest that were seen stand in the plan.
    """
    found = None
    if not evidence.function.is_known:
        trace, start = evidence.record.trace, evidence.start
        found = estimates_of(evidence.function.sites, trace, start.gap.value)
        plan = in_hindsight(evidence.plan, evidence.claim, found, start.square_norm)
        evidence = replace(evidence, plan=plan)
    audits = audit(evidence)
    judged = judge(evidence, audits)
    parts = _known(evidence) if found is None else _seen(evidence, found)
    return (
        {each.name: getattr(judged, each.name) for each in fields(judged)}
        | parts
        | {
            "audit": tuple(audits),
            "plan": evidence.plan.rounded(),
            "radii": evidence.plan.radii,
            "first_variance": evidence.start.variance,
            "gap": evidence.start.gap.value,
            "waterfall": waterfall(evidence, audits),
            "gradient_ratio": largest_ratio(evidence),
        }
    )


def _known(evidence: Evidence) -> dict[str, Any]:
    """The fields of a problem in one matrix: other theorems' horizons, and both sides of its smoothness."""
    problem, plan, trace = evidence.problem, evidence.plan, evidence.record.trace
    variance, loss = trace["noise_variance"].values, trace["loss"].values
    needs_radii = problem.adapter.needs_ball and not plan.radii
    return {
        "horizons": _horizons(evidence),
        "lower": _path(trace) | _ratio(evidence),
        "upper": () if needs_radii else tuple(problem.upper_ends(plan.radii)),
        "largest_variance": float(variance.max()) * plan.batch if plan.batch else 0.0,
        "decrease": evidence.start.loss - float(loss.mean(0).min()),
    }


def _path(trace: xr.Dataset) -> dict[str, float]:
    """The largest descent curvature less its rounding error, and the median of those that exceed their errors."""
    path = beyond_rounding(trace, "path_smoothness")
    if not np.isfinite(path).any():
        return {}
    sure = less_rounding(trace, "path_smoothness")[~np.isnan(path)]
    return {"path": float(sure.max()), "median of path": float(np.nanmedian(path))}


def _ratio(evidence: Evidence) -> dict[str, float | None]:
    found = largest_ratio(evidence)
    return {} if found is None or found.is_lost else {"gradient ratio": found.value}


def _horizons(evidence: Evidence) -> tuple[Horizon, ...]:
    spec, plan = evidence.spec, evidence.plan
    if not plan.radii or not spec.is_stochastic:
        return ()
    known = spec, evidence.function, evidence.start, plan
    return tuple(
        Horizon(id, C, horizon(*known, catalogue[id], C))
        for part in parts("measured")
        for id, C in getattr(part, "HORIZONS", ())
        # What is known of one quantity at v_1 says nothing of a bound on another.
        if getattr(measure_of(catalogue[id]), "observable", None) == spec.measure.observable
    )


def _seen(evidence: Evidence, found: Estimates) -> dict[str, Any]:
    """The fields of a network: the constants that were seen, the theorems at them, and both ends of its runs."""
    function, start, trace = evidence.function, evidence.start, evidence.record.trace
    loss, gradient = (x.item() for x in function.rounding(start.v, torch.tensor([start.loss])))
    return {
        "estimates": found,
        "theorems": theorem_rows(function.sites, evidence.claim, evidence.plan, found, start.square_norm),
        "rounding": {"loss": loss, "gradient": gradient},
        "ends": _ends(evidence),
        "decrease": float((trace["loss"].values[:, :1] - trace["loss"].values).max(1).mean()),
    }


def _ends(evidence: Evidence) -> Ends | None:
    """Loss and accuracy at both ends of each replica, and on held-out samples at the end of the first one."""
    function, first, last = evidence.function, evidence.start.v, evidence.record.last
    begun, ended = function.accuracy(first), function.accuracy(last)
    if not ended:
        return None
    held_out = function.held_out_ends(tuple(part[:1] for part in last))
    losses = tuple((evidence.start.loss, loss) for loss in function.loss(last).tolist())
    return Ends(losses, tuple((begun[0], end) for end in ended), None if held_out is None else HeldOut(*held_out))
