"""The theory of a run on a function whose constants are not known: L̂ in several ways, and the theorems there.

No L of a network is known. So each L̂ here is an estimate, and a lower one of what it estimates: it shows what a theorem
would say if nothing worse was missed, and earns no verdict.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from boundcheck.experiment.horizons import informative_horizon
from boundcheck.experiment.plan import Plan
from boundcheck.experiment.schema import AtSmoothness, Estimates
from boundcheck.experiment.spec import about_its_own_step
from boundcheck.functions.networks.network import Site
from boundcheck.functions.problem import End, adapter_ends
from boundcheck.language.catalogue import about, catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.evidence import less_rounding
from boundcheck.language.hypotheses import BOUNDED_BELOW, BOUNDED_VARIANCE, SMOOTH
from boundcheck.language.inputs import exact
from boundcheck.language.measures import SMOOTHNESS
from boundcheck.language.sentence import gradient_norm, limit_of
from boundcheck.language.symbols import T


@dataclass(frozen=True)
class Smoothness:
    """An estimate of L̂.

    Attributes:
        way: ``path``, ``layers``, or ``printed``.
        lipschitz: of the printed one, what C stands for; empty otherwise.
        value: L̂.
        how: what it was made of.

    """

    way: str
    lipschitz: str
    value: float
    how: str


def estimates_of(sites: Sequence[Site], trace: xr.Dataset, gap: float) -> Estimates:
    """Read the constants off a trace, all but D, which is the gap; values that are no numbers are passed over."""
    curvatures = trace["weight_curvature"].values if "weight_curvature" in trace else np.array([])
    norms = iter(_most(trace["norm"].values))
    radii = {site.name: _radii(site, [next(norms) for _ in site.blocks]) for site in sites}
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


def _radii(site: Site, norms: list[float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for block, norm in zip(site.adapter.blocks, norms, strict=True):
        if block.radius:
            # Two blocks may share a radius. A ball of radius 0 is none; a block of zeros is in any.
            found[block.radius] = max(found.get(block.radius, 0.0), norm, 1e-12)
    return found


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
        layers.append(_sharpest(site, radii, found))
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


def _sharpest(site: Site, radii: dict[str, float], found: Estimates) -> float:
    """The least constant that our claims give for one layer, each with G in the norm that it is about."""
    values = [math.inf]
    for G, is_frobenius in ((found.G, False), (found.G_frobenius, True)):
        for end in _ends(site, radii, found.L, G[site.name]):
            norm = gradient_norm(catalogue[end.claim])
            if not _is_printed(end.claim) and (norm == "frobenius") == is_frobenius:
                values.append(end.value)
    return min(values)


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
    """A row for each L̂, with what the theorems say there."""
    rows = []
    for way in smoothness_of(sites, found):
        alpha, shortest, bound = _printed(way.value, found, plan.steps)
        known = asdict(way) | own_step(way.value, claim, plan, found, first)
        rows.append(AtSmoothness(**known, alpha=alpha, T_min=shortest, printed_bound=bound))
    return tuple(rows)


def in_hindsight(plan: Plan, claim: Claim, found: Estimates, first: float) -> Plan:
    """The plan with the constants that the run showed, and the claim's quantities there.

    The bound is None where a constant was measured as 0, or the step is longer than the claim allows.
    """
    inputs = plan.inputs | {SMOOTH.letter: found.path, BOUNDED_VARIANCE.letter: math.sqrt(found.zeta_square)}
    bound = own_step(found.path, claim, plan, found, first)["bound"]
    values = {SMOOTHNESS.letter: found.path} | plan.numbers | {"bound": math.nan if bound is None else bound}
    return replace(plan, inputs=inputs, values=values, zeta=math.sqrt(found.zeta_square))


def own_step(smoothness: float, claim: Claim, plan: Plan, found: Estimates, first: float) -> dict[str, Any]:
    """The theorem at the run's own step and this L̂: the longest step, the bound, and the iterations that it needs."""
    inputs = {name: float(x) for name, x in plan.inputs.items()} | {
        SMOOTH.letter: smoothness,
        BOUNDED_VARIANCE.letter: math.sqrt(found.zeta_square),
    }
    longest = 2 / smoothness if smoothness > 0 else math.inf
    if not all(0 < value < math.inf for value in inputs.values()) or not plan.step_size < longest:
        return {"longest": longest, "bound": None, "needed": None}
    return {"longest": longest, "bound": claim.bound(**inputs), "needed": _needed(claim, inputs, first)}


def _needed(claim: Claim, inputs: dict[str, float], first: float) -> int | None:
    try:
        return informative_horizon(claim, inputs, first)
    except ArithmeticError:
        return None


def _printed(smoothness: float, found: Estimates, steps: int) -> list[float | None]:
    """Step, shortest horizon and bound of the theorem that prescribes them; None where a constant was not measured."""
    if not (0 < smoothness < math.inf and found.zeta_square > 0 and found.D and found.D > 0):
        return [None] * 3
    letter = SMOOTHNESS.letter
    theorem, algorithm = about_its_own_step()
    claim = theorem.assuming({letter: exact(letter, smoothness)})
    names = [str(x) for x in (algorithm.step_size, limit_of(theorem, T), theorem.names[-1])]
    noise = math.sqrt(found.zeta_square)
    inputs = {BOUNDED_BELOW.letter: found.D, BOUNDED_VARIANCE.letter: noise, T.name: float(steps)}
    given = {p.name: inputs[p.name] for p in claim.parameters}
    return [float(claim.function(name)(**given)) for name in names]
