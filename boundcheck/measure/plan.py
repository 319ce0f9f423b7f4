"""What is fixed before a run: the domain, the constants of the theorem, batch size, horizon and step size.

A theorem says something of a run only with constants that were chosen without looking at it. Radii and noise may come
from a pilot, which has a seed of its own; whether they held is then for the audit to say.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import torch

from boundcheck.claims import Claim
from boundcheck.claims.inputs import Number, exact
from boundcheck.errors import InputError
from boundcheck.measure.build import starting_point
from boundcheck.measure.result import Planned
from boundcheck.measure.spec import Spec
from boundcheck.measure.streams import generator
from boundcheck.problems.adapters import LoRA
from boundcheck.problems.constant import EPSILON, Constant
from boundcheck.problems.inputs import sharpest, theory_inputs
from boundcheck.problems.norms import Point, spectral_norm, square_norm
from boundcheck.problems.problem import Problem
from boundcheck.problems.sgd import Reshuffled, Sampler, WholeSample, WithReplacement, replicate, sgd_step
from boundcheck.progress import Tick

# The pilot's findings are widened by this before they become hypotheses.
_MARGIN = 1.1
# Hypotheses that held are kept unless a pilot finds them wider than it needs by more than this.
_CLOSE = 0.9
_PILOT_REPLICAS = 8
_PILOT_LOOKS = 64
_MOST_PILOTS = 4
# zeta^2 / N_1 at which the printed theorem's two lower limits on T, T >= 4 L̂ D / zeta^2 and
# bound <= N_1, coincide: more noise lengthens an informative run, less noise lengthens T_min.
_BALANCE = 0.8
_LONGEST = 10**12
_LARGEST_BATCH = 10**5
_SMALLEST = 1e-280


@dataclass(frozen=True)
class Start:
    """The first iterate and what is known exactly there.

    Attributes:
        v: the point v_1, with R = 1, the same for every replica.
        gap: D, an upper bound on F(v_1) - f*.
        square_norm: N_1, the squared gradient norm of F at v_1.
        variance: the variance of one sample's gradient at v_1.
        norms: the spectral norm of each block of v_1, by the name of the radius that bounds it.

    """

    v: Point
    gap: Constant
    square_norm: float
    variance: float
    norms: dict[str, float]

    @classmethod
    def draw(cls, spec: Spec, problem: Problem, device: str) -> "Start":
        """Draw v_1 from the spec's seed."""
        v = starting_point(spec, problem, device)
        infimum, loss = problem.objective.infimum, problem.loss(v)
        # Rounded up: by what the loss may be off, and by what the sums here may be.
        error = problem.rounding(v, loss)[0].item() + 4 * EPSILON * (loss.abs().item() + abs(infimum.value))
        gap = loss.item() - infimum.value + error
        return cls(
            v,
            Constant(gap, infimum.kind, f"F(v_1) minus the lower bound on f: {infimum.how}"),
            square_norm(problem.gradient(v)).item(),
            problem.sample_variance(v).item(),
            _spectral_norms(problem, v),
        )


@dataclass(frozen=True)
class Plan:
    """Everything that a run of a theorem is given.

    Attributes:
        radii: the bounds on the spectral norms of the blocks of v, by name; none where the theorem needs no ball.
        zeta: the bound on the noise of a minibatch gradient; None of gradient descent.
        batch, steps: minibatch size, None of gradient descent, and T.
        prescribed: the step size that the catalogue's claim prescribes, whatever the spec assumes.
        trivial: what is known of the squared gradient norm on the domain without any theorem, J^2 G^2.
        inputs: the exact value of each symbol of the claim.
        values: each quantity of the claim as a float.

    """

    radii: dict[str, float]
    zeta: float | None
    batch: int | None
    steps: int
    prescribed: float
    trivial: float
    inputs: dict[str, Number]
    values: dict[str, float]

    @property
    def step_size(self) -> float:
        """The constant step size alpha of the run."""
        return self.values["alpha"]

    def inputs_of(self, claim: Claim) -> dict[str, Number]:
        """The values of the claim's own symbols: a formula that a spec assumes may be free of some."""
        return {p.name: self.inputs[p.name] for p in claim.parameters}

    def rounded(self) -> Planned:
        """The plan as a result keeps it."""
        inputs = {name: float(value) for name, value in self.inputs.items()}
        table = {each.name: getattr(self, each.name) for each in fields(self)}
        return Planned(**table | {"inputs": inputs})


# What an assumed formula is where floats end decides nothing: an infinite bound says nothing, and NaN is refused.
@np.errstate(all="ignore")
def informative_horizon(claim: Claim, inputs: Mapping[str, Number], threshold: float) -> int:
    """The fewest iterations T that `claim` allows and at which its bound lies below `threshold`.

    Found by bisection on the claim's own formulas, whose bounds fall with T, not always to 0.

    Raises:
        ArithmeticError: if there is none up to 10^12.

    """
    floats = {name: np.float64(value) for name, value in inputs.items() if name != "T"}
    bound, low = claim.function("bound"), _shortest(claim, floats)
    if bound(**floats, T=np.float64(low)) < threshold:
        return int(low)
    high = low
    while bound(**floats, T=np.float64(high)) >= threshold:
        if high == _LONGEST:
            raise ArithmeticError(f"no informative horizon up to {_LONGEST} for {claim.id}")
        high = min(2 * high, _LONGEST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if bound(**floats, T=np.float64(middle)) < threshold else (middle, high)
    return int(high)


@np.errstate(all="ignore")
def at_the_longest(claim: Claim, inputs: Mapping[str, Number]) -> float:
    """The claim's bound at the longest horizon that is looked at, 10^12: what it falls to, where that is not 0."""
    floats = {name: np.float64(value) for name, value in inputs.items()}
    return float(claim.function("bound")(**floats | {"T": np.float64(_LONGEST)}))


def _shortest(claim: Claim, floats: Mapping[str, np.float64]) -> int:
    """The fewest iterations that the claim's conditions allow; raises ArithmeticError where they allow none."""
    if "eta_max" in claim.names:
        longest = float(claim.function("eta_max")(**floats, T=np.float64(1)))
        # So near to it, as beyond it, the bound has no digits.
        if not floats["eta"] * (1 + 1e-12) < longest:
            raise ArithmeticError(
                f"no informative horizon for {claim.id}, whose eta = {floats['eta']:.3g} must be below {longest:.3g}"
            )
    if "T_min" not in claim.names:
        return 1
    shortest = float(claim.function("T_min")(**floats, T=np.float64(1)))
    if not shortest < _LONGEST:
        raise ArithmeticError(f"no informative horizon up to {_LONGEST} for {claim.id}, whose T_min is {shortest:.3g}")
    # A T_min that is an integer may have been rounded down by a unit roundoff; one that is assumed may be 0 or less.
    return max(math.ceil(shortest * (1 + 1e-12)), 1)


def draft(
    spec: Spec,
    problem: Problem,
    start: Start,
    radii: dict[str, float],
    variance: float,
    claim: Claim | None = None,
) -> Plan:
    """The plan that follows from these radii and this bound on the variance of one sample's gradient."""
    claim, prescription = claim or spec.theorem, claim or spec.prescription
    names = {parameter.name for parameter in claim.parameters}
    if "sigma" in names:
        radii = dict.fromkeys(radii, max(radii.values()))
    batch, zeta = _noise(spec, start, variance) if spec.is_stochastic else (None, None)
    # LoRA's Jacobian has no bound without a ball, and what is only estimated bounds nothing.
    bounded = radii or not isinstance(problem.adapter, LoRA)
    certified = problem.gradient_bound(radii).kind == "certified"
    trivial = problem.trivial_bound(radii) if bounded and certified else math.inf
    inputs = _inputs(spec, problem, start, radii, claim) | ({"zeta": zeta} if zeta is not None else {})
    inputs["T"] = _horizon(claim, inputs, start, trivial) if spec.run.steps == "informative" else spec.run.steps
    # Not `claim.values`: a horizon below T_min is for the audit to report, not a reason to refuse the run.
    floats = {name: np.float64(value) for name, value in inputs.items()}
    with np.errstate(all="ignore"):
        values = {name: float(claim.function(name)(**floats)) for name in claim.names}
        prescribed = float(prescription.function("alpha")(**floats))
    if spec.run.step_size is not None and math.isinf(values["bound"]):
        expected = f"a number below {values['eta_max']:.6g}, where {claim.id} has no bound"
        raise InputError("run.step_size", spec.run.step_size, expected)
    for name, value in (("N_1", start.square_norm), ("D", floats["D"]), ("bound", values["bound"])):
        # Below these the squares of which a run is made have lost their digits.
        if 0 < abs(value) < _SMALLEST:
            raise InputError("spec", f"{name} = {value:.3g}", f"numbers not below {_SMALLEST:g}; change the unit")
    for name, value in (floats | values).items():
        # Below T_min kappa may be negative; that is for the audit to report too.
        if not math.isfinite(value) or value == 0 or (name in floats and value < 0):
            raise InputError("spec", f"{name} = {value}", "constants that are positive and within the range of floats")
    return Plan(radii, zeta, batch, int(floats["T"]), prescribed, trivial, inputs, values)


def _inputs(spec: Spec, problem: Problem, start: Start, radii: dict[str, float], claim: Claim) -> dict[str, Number]:
    """Each symbol of the claim but zeta and T: what the problem says of it, or what the spec assumes."""
    names = {parameter.name for parameter in claim.parameters}
    # Without a ball the norms at v_1 are all that a claim may speak of.
    inputs = theory_inputs(claim, problem, radii or start.norms, spec.lipschitz) | {"D": start.gap.value}
    if "ell" in names:
        inputs["ell"] = sharpest(problem, radii)
    if "eta" in names and spec.run.step_size is not None:
        inputs["eta"] = spec.run.step_size
    for name, radius in (("a_1", "a"), ("b_1", "b")):
        if name in names:
            # A bound on what may be 0, as B is at LoRA's start, and is known to rounding.
            inputs[name] = max(start.norms[radius], 1e-9 * max(start.norms.values())) * (1 + 1e-9)
    symbols = {p.symbol: exact(p.name, inputs[p.name]) for p in claim.parameters if p.name in inputs}
    return inputs | {name: expression.xreplace(symbols) for name, expression in spec.assumed_inputs().items()}


def _horizon(claim: Claim, inputs: Mapping[str, Number], start: Start, trivial: float) -> int:
    try:
        return informative_horizon(claim, inputs, min(start.square_norm, trivial))
    except ArithmeticError as error:
        raise InputError("run.steps", "informative", f"a problem on which there is an end to it ({error})") from None


def _noise(spec: Spec, start: Start, variance: float) -> tuple[int, float]:
    """Batch size and zeta: those of the spec, or the batch at which zeta^2 balances, and the zeta that follows."""
    if spec.run.batch != "balanced":
        batch = spec.run.batch
    else:
        target = spec.run.zeta * spec.run.zeta if spec.run.zeta is not None else _BALANCE * start.square_norm
        if not (target > 0 and variance / target < _LARGEST_BATCH):
            raise InputError(
                "run.batch",
                "balanced",
                f"a number: no batch up to {_LARGEST_BATCH} brings the variance {variance:.3g} to {target:.3g}",
            )
        batch = max(math.ceil(variance / target), 1)
    if spec.run.zeta is None and not 0 < variance < math.inf:
        raise InputError(
            "run.zeta", "(not given)", f"a number, where one sample's gradient has variance {variance:.3g}"
        )
    return batch, spec.run.zeta or math.sqrt(variance / batch)


def guessed(spec: Spec, problem: Problem, start: Start) -> tuple[dict[str, float], float]:
    """Radii and the variance of one sample's gradient before any pilot: those given, or a little more than at v_1."""
    guess = _MARGIN * max(start.norms.values())
    wanted = problem.adapter.radius_names if spec.has_ball else ()
    return {name: spec.domain.given.get(name, guess) for name in wanted}, _MARGIN * start.variance


def make_plan(spec: Spec, problem: Problem, start: Start, device: str, tick: Tick) -> Plan:
    """Choose what the spec leaves open, by a pilot where radii or noise are missing.

    The pilot is Algorithm 1 itself on a few replicas, at first in a ball as large as A already is. Its largest norms
    and noise, widened by 10 percent, become the hypotheses; T and alpha follow from them. It is repeated until one
    stays within the hypotheses that it was run with and these are no wider than that needs. The last that held is the
    plan. Should none have, the audit of the run will say so.
    """
    given = spec.domain.given
    radii, variance = guessed(spec, problem, start)
    plan = draft(spec, problem, start, radii, variance)
    if set(given) == set(radii) and (spec.run.zeta is not None or not spec.is_stochastic):
        return plan
    kept = None
    for _ in range(_MOST_PILOTS):
        seen, seen_variance = _pilot(spec, problem, start, plan, device, tick)
        wanted_radii = {name: given.get(name, _MARGIN * seen[name]) for name in radii}
        wanted_variance = _MARGIN * seen_variance
        if seen_variance <= variance and all(seen[name] <= radii[name] for name in radii):
            kept = plan
            sizes = [(wanted_radii[name], radii[name]) for name in radii] + [(wanted_variance, variance)]
            if all(new >= _CLOSE * old for new, old in sizes):
                break
        radii, variance = wanted_radii, wanted_variance
        plan = draft(spec, problem, start, radii, variance)
    return kept or plan


def _pilot(
    spec: Spec, problem: Problem, start: Start, plan: Plan, device: str, tick: Tick
) -> tuple[dict[str, float], float]:
    """The largest spectral norms and the largest sample variance along a short ensemble with its own seed."""
    sampler = make_sampler(spec, plan, problem, _PILOT_REPLICAS, generator(spec, "pilot", device))
    v = replicate(start.v, _PILOT_REPLICAS if spec.is_stochastic else 1)
    norms, variance = dict(start.norms), start.variance
    every = max(plan.steps // _PILOT_LOOKS, 1)
    # Below T_min the theorem's own step may diverge: that is for the run to show, not for the pilot to follow.
    step_size = min(plan.step_size, 1 / _smoothness_anywhere(spec, problem, plan))
    for t in range(1, plan.steps + 1):
        v, _ = sgd_step(problem, v, step_size, sampler.draw())
        if t % every == 0 or t == plan.steps:
            norms = {name: max(norms[name], norm) for name, norm in _spectral_norms(problem, v).items()}
            variance = max(variance, problem.sample_variance(v).max().item())
            tick("pilot", t, plan.steps)
    return norms, variance


def make_sampler(spec: Spec, plan: Plan, problem: Problem, replicas: int, random: torch.Generator) -> Sampler:
    """How the plan's minibatches are drawn: with replacement, without it in epochs, or not at all."""
    if plan.batch is None:
        return WholeSample()
    samples = problem.objective.samples
    if spec.run.sampling == "with replacement":
        return WithReplacement(replicas, plan.batch, samples, random)
    if plan.batch > samples:
        raise InputError("run.batch", plan.batch, f"at most the {samples} samples, drawn without replacement")
    return Reshuffled(replicas, plan.batch, samples, random)


def _spectral_norms(problem: Problem, v: Point) -> dict[str, float]:
    """The largest spectral norm of each block over the replicas, by the name of its radius."""
    return {
        block.radius: spectral_norm(part).max().item() for block, part in zip(problem.adapter.blocks, v, strict=True)
    }


def _smoothness_anywhere(spec: Spec, problem: Problem, plan: Plan) -> float:
    """L̂ at the plan's radii and the G that f has everywhere: a pilot may leave the ball, and what is small on it."""
    everywhere, claim = problem.objective.gradient_bound.value, spec.theorem
    if not math.isfinite(everywhere) or not plan.radii:
        return plan.values["Lhat"]
    if any(parameter.name == "ell" for parameter in claim.parameters):
        inputs: dict[str, Number] = plan.inputs | {"ell": sharpest(problem, plan.radii, everywhere)}
    else:
        inputs = plan.inputs | theory_inputs(claim, problem, plan.radii, spec.lipschitz, everywhere)
    return float(claim.function("Lhat")(**{name: float(value) for name, value in inputs.items()}))


def horizon(spec: Spec, problem: Problem, start: Start, plan: Plan, claim: Claim, lipschitz: str) -> int | None:
    """How many iterations an informative run of `claim` needs, on the problem, ball and sample noise of `plan`.

    None where no horizon up to 10^12 is informative, and of gradient descent, which has no noise.
    """
    if plan.zeta is None or plan.batch is None:
        return None
    run = spec.run.model_copy(update={"steps": "informative", "batch": "balanced", "zeta": None})
    other = spec.model_copy(update={"run": run, "lipschitz": lipschitz, "assume": {}})
    try:
        return draft(other, problem, start, plan.radii, plan.zeta**2 * plan.batch, claim).steps
    except InputError:
        return None
