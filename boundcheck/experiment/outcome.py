"""The outcome of a run, in the fields of a `RunResult`; of a network also the theorems at what was measured.

No L of a network is known. So each L̂ of one is an estimate, and a lower one of what it estimates: it shows what a
theorem would say if nothing worse was missed, and earns no verdict.
"""

import math
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

import numpy as np
import torch
import xarray as xr

from boundcheck.experiment.audit import Evidence, audit, largest_ratio
from boundcheck.experiment.plan import Plan, horizon, informative_horizon
from boundcheck.experiment.result import AtSmoothness, Ends, Estimates, HeldOut, Horizon
from boundcheck.experiment.spec import about_its_own_step
from boundcheck.experiment.verdict import judge
from boundcheck.experiment.waterfall import waterfall
from boundcheck.functions.networks.network import Site
from boundcheck.functions.problem import End, adapter_ends
from boundcheck.language.catalogue import about, catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.evidence import beyond_rounding, less_rounding
from boundcheck.language.hypotheses import BOUNDED_BELOW, BOUNDED_VARIANCE, SMOOTH
from boundcheck.language.measures import SMOOTHNESS
from boundcheck.language.sentence import gradient_norm, limit_of, measure_of
from boundcheck.language.symbols import T, exact
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
    return (
        {each.name: getattr(judged, each.name) for each in fields(judged)}
        | (_known(evidence) if found is None else _seen(evidence, found))
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
    problem, spec, plan, trace = evidence.problem, evidence.spec, evidence.plan, evidence.record.trace
    variance, loss = trace["noise_variance"].values, trace["loss"].values
    horizons = []
    for part in parts("measured") if plan.radii and spec.is_stochastic else ():
        for id, C in getattr(part, "HORIZONS", ()):
            # What is known of one quantity at v_1 says nothing of a bound on another.
            if getattr(measure_of(catalogue[id]), "observable", None) == spec.measure.observable:
                steps = horizon(spec, evidence.function, evidence.start, plan, catalogue[id], C)
                horizons.append(Horizon(id, C, steps))
    # The largest descent curvature less its rounding error, and the median of those that exceed their errors.
    path, lower = beyond_rounding(trace, "path_smoothness"), {}
    if np.isfinite(path).any():
        sure = less_rounding(trace, "path_smoothness")[~np.isnan(path)]
        lower = {"path": float(sure.max()), "median of path": float(np.nanmedian(path))}
    ratio = largest_ratio(evidence)
    if ratio is not None and ratio.value is not None and not ratio.is_lost:
        lower["gradient ratio"] = ratio.value
    needs_radii = problem.adapter.needs_ball and not plan.radii
    return {
        "horizons": tuple(horizons),
        "lower": lower,
        "upper": () if needs_radii else tuple(problem.upper_ends(plan.radii)),
        "largest_variance": float(variance.max()) * plan.batch if plan.batch else 0.0,
        "decrease": evidence.start.loss - float(loss.mean(0).min()),
    }


def _seen(evidence: Evidence, found: Estimates) -> dict[str, Any]:
    """The fields of a network: the constants that were seen, the theorems at them, and both ends of its runs."""
    function, start, trace, last = evidence.function, evidence.start, evidence.record.trace, evidence.record.last
    loss, gradient = (x.item() for x in function.rounding(start.v, torch.tensor([start.loss])))
    begun, ended, ends = function.accuracy(start.v), function.accuracy(last), None
    if ended:
        # On held-out samples at the end of the first replica.
        held_out = function.held_out_ends(tuple(part[:1] for part in last))
        losses = tuple((start.loss, end) for end in function.loss(last).tolist())
        accuracies = tuple((begun[0], end) for end in ended)
        ends = Ends(losses, accuracies, None if held_out is None else HeldOut(*held_out))
    return {
        "estimates": found,
        "theorems": theorem_rows(function.sites, evidence.claim, evidence.plan, found, start.square_norm),
        "rounding": {"loss": loss, "gradient": gradient},
        "ends": ends,
        "decrease": float((trace["loss"].values[:, :1] - trace["loss"].values).max(1).mean()),
    }


class Smoothness(NamedTuple):
    """An estimate of L̂, with the names of `AtSmoothness`."""

    way: str
    lipschitz: str
    value: float
    how: str


def estimates_of(sites: Sequence[Site], trace: xr.Dataset, gap: float) -> Estimates:
    """Read the constants off a trace, all but D, which is the gap; values that are no numbers are passed over."""
    curvatures = trace["weight_curvature"].values if "weight_curvature" in trace else np.array([])
    norms, radii = iter(_most(trace["norm"].values)), {}
    for site in sites:
        found: dict[str, float] = {}
        for block in site.adapter.blocks:
            norm = next(norms)
            if block.radius:
                # Two blocks may share a radius. A ball of radius 0 is none; a block of zeros is in any.
                found[block.radius] = max(found.get(block.radius, 0.0), norm, 1e-12)
        radii[site.name] = found
    spectral, frobenius = (_most(trace[f"weight_gradient_{kind}"].values) for kind in ("spectral", "frobenius"))
    names = [site.name for site in sites]
    return Estimates(
        path=_largest(trace["path_smoothness"].values + trace["path_smoothness_error"].values),
        path_sure=_largest(less_rounding(trace, "path_smoothness")),
        L=max(_largest(less_rounding(trace, "weight_smoothness")), _largest(curvatures)),
        curvature=_largest(trace["curvature"].values) or None,
        zeta_square=_largest(trace["noise_variance"].values),
        D=gap,
        radii=radii,
        G=dict(zip(names, spectral, strict=True)),
        G_frobenius=dict(zip(names, frobenius, strict=True)),
    )


def _largest(values: np.ndarray) -> float:
    """The largest finite value, and at least 0."""
    return float(values[np.isfinite(values)].max(initial=0.0))


def _most(values: np.ndarray) -> list[float]:
    """The largest finite value at each place of the last axis, and at least 0."""
    return [_largest(column) for column in values.reshape(-1, values.shape[-1]).T]


def smoothness_of(sites: Sequence[Site], found: Estimates) -> list[Smoothness]:
    """L̂ by the path, by the sharpest claim about each layer, and as printed, where these say something.

    The largest over the layers is the constant of all of them, since D²F is at most the sum over layers of what each
    contributes (`meft.layers`); f has to be jointly smooth in their weights, as the L that is used is.
    """
    ways = [Smoothness("path", "", found.path, "the largest smoothness along the segments that were looked at")]
    layers: list[float] = []
    printed: dict[str, list[float]] = {}
    for site in sites:
        radii = found.radii[site.name]
        if not found.L > 0 or not found.G[site.name] > 0:
            continue
        # The least constant that our claims give, each with G in the norm that it is about.
        sharpest = math.inf
        for G, is_frobenius in ((found.G, False), (found.G_frobenius, True)):
            for end in _ends(site, radii, found.L, G[site.name]):
                norm = gradient_norm(catalogue[end.claim])
                if not _is_printed(end.claim) and (norm == "frobenius") == is_frobenius:
                    sharpest = min(sharpest, end.value)
        layers.append(sharpest)
        if not any(map(_is_printed, site.adapter.claims)):
            continue
        # What papers print is of one radius.
        common = dict.fromkeys(radii, max(radii.values()))
        for end in _ends(site, common, found.L, found.G_frobenius[site.name]):
            if _is_printed(end.claim):
                printed.setdefault(end.lipschitz, []).append(end.value)
    # Infinite where the claims about a layer say nothing, as those about DoRA do where a column may vanish.
    if layers:
        how = "the largest λ* of a layer, at the norms, the gradients and the joint L that were measured"
        ways.append(Smoothness("layers", "", max(layers), how))
    for lipschitz, values in printed.items():
        how = "the printed constant of the layer where it is largest, at the same L and norms, scale taken into f"
        ways.append(Smoothness("printed", lipschitz, max(values), how))
    return ways


def _is_printed(id: str) -> bool:
    said = about(id)
    return said is not None and said.is_printed


def _ends(site: Site, radii: dict[str, float], smoothness: float, gradient_bound: float) -> list[End]:
    """The upper ends that the claims about a layer give; none where they are beyond the range of floats."""
    try:
        return adapter_ends(site.adapter, radii, smoothness, gradient_bound)
    except ArithmeticError:
        return []


def theorem_rows(
    sites: Sequence[Site], claim: Claim, plan: Plan, found: Estimates, first: float
) -> tuple[AtSmoothness, ...]:
    """A row for each L̂, with what the theorems say there: the run's own, and the one that prescribes its step."""
    rows = []
    letter, noise = SMOOTHNESS.letter, math.sqrt(found.zeta_square)
    for way in smoothness_of(sites, found):
        printed: list[float | None] = [None] * 3
        if 0 < way.value < math.inf and found.zeta_square > 0 and found.D and found.D > 0:
            theorem, algorithm = about_its_own_step()
            at_it = theorem.assuming({letter: exact(letter, way.value)})
            names = [str(x) for x in (algorithm.step_size, limit_of(theorem, T), theorem.names[-1])]
            inputs = {BOUNDED_BELOW.letter: found.D, BOUNDED_VARIANCE.letter: noise, T.name: float(plan.steps)}
            given = {p.name: inputs[p.name] for p in at_it.parameters}
            printed = [float(at_it.function(name)(**given)) for name in names]
        alpha, shortest, bound = printed
        known = way._asdict() | own_step(way.value, claim, plan, found, first)
        rows.append(AtSmoothness(**known, alpha=alpha, T_min=shortest, printed_bound=bound))
    return tuple(rows)


def in_hindsight(plan: Plan, claim: Claim, found: Estimates, first: float) -> Plan:
    """The plan with the constants that the run showed, and the claim's quantities there.

    The bound is NaN where a constant was measured as 0, or the step is longer than the claim allows.
    """
    noise = math.sqrt(found.zeta_square)
    inputs = plan.inputs | {SMOOTH.letter: found.path, BOUNDED_VARIANCE.letter: noise}
    bound = own_step(found.path, claim, plan, found, first)["bound"]
    values = {SMOOTHNESS.letter: found.path} | plan.numbers | {"bound": math.nan if bound is None else bound}
    return replace(plan, inputs=inputs, values=values, zeta=noise)


def own_step(smoothness: float, claim: Claim, plan: Plan, found: Estimates, first: float) -> dict[str, Any]:
    """The theorem at the run's own step and this L̂: the longest step, the bound, and the iterations that it needs."""
    inputs = {name: float(x) for name, x in plan.inputs.items()} | {
        SMOOTH.letter: smoothness,
        BOUNDED_VARIANCE.letter: math.sqrt(found.zeta_square),
    }
    longest = 2 / smoothness if smoothness > 0 else math.inf
    if not all(0 < value < math.inf for value in inputs.values()) or not plan.step_size < longest:
        return {"longest": longest, "bound": None, "needed": None}
    try:
        needed = informative_horizon(claim, inputs, first)
    except ArithmeticError:
        needed = None
    return {"longest": longest, "bound": claim.bound(**inputs), "needed": needed}
