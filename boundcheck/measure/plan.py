"""What is fixed before a run: the domain, the constants of the theorem, batch size, horizon and step size.

A theorem says something of a run only with constants that were chosen without looking at it. Radii and noise may come
from a pilot, which has a seed of its own; whether they held is then for the audit to say.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from boundcheck.claims import Claim, catalogue
from boundcheck.claims.inputs import Number
from boundcheck.errors import InputError
from boundcheck.measure.spec import Spec
from boundcheck.measure.streams import generator
from boundcheck.problems.adapters import Radii
from boundcheck.problems.constant import Constant
from boundcheck.problems.inputs import theory_inputs
from boundcheck.problems.norms import Point, spectral_norm, square_norm
from boundcheck.problems.problem import Problem
from boundcheck.problems.sgd import draw_batch, replicate, sgd_step
from boundcheck.progress import Tick

# The pilot's findings are widened by this before they become hypotheses.
_MARGIN = 1.1
_PILOT_REPLICAS = 8
_PILOT_LOOKS = 64
_MOST_PILOTS = 4
# zeta^2 / N_1 at which the printed theorem's two lower limits on T, T >= 4 L̂ D / zeta^2 and
# bound <= N_1, coincide: more noise lengthens an informative run, less noise lengthens T_min.
_BALANCE = 0.8
_LONGEST = 10**12
_LARGEST_BATCH = 10**5


@dataclass(frozen=True)
class Start:
    """The first iterate and what is known exactly there.

    Attributes:
        v: the point v_1, with R = 1, the same for every replica.
        gap: D, an upper bound on F(v_1) - f*.
        square_norm: N_1, the squared gradient norm of F at v_1.
        variance: the variance of one sample's gradient at v_1.
        radii: the spectral norms of A and B at v_1.

    """

    v: Point
    gap: Constant
    square_norm: float
    variance: float
    radii: dict[str, float]

    @classmethod
    def draw(cls, spec: Spec, problem: Problem, device: str) -> "Start":
        """Draw v_1 from the spec's seed."""
        v = problem.adapter.initial(spec.adapter.gain, generator(spec, "initial", device))
        infimum = problem.objective.infimum
        # The float sum of n nonnegative terms is within a relative n eps of the exact one.
        gap = (problem.loss(v).item() - infimum.value) * (1 + (problem.objective.samples + 64) * 2.0**-52)
        return cls(
            v,
            Constant(gap, infimum.kind, f"F(v_1) minus the lower bound on f: {infimum.how}"),
            square_norm(problem.gradient(v)).item(),
            problem.sample_variance(v).item(),
            {"a": spectral_norm(v[0]).item(), "b": spectral_norm(v[1]).item()},
        )


@dataclass(frozen=True)
class Plan:
    """Everything that a run of a theorem is given.

    Attributes:
        radii: the bounds on the spectral norms of A and B.
        zeta: the bound on the noise of a minibatch gradient.
        batch, steps: minibatch size and T.
        inputs: the exact value of each symbol of the claim.
        values: each quantity of the claim as a float.

    """

    radii: dict[str, float]
    zeta: float
    batch: int
    steps: int
    inputs: dict[str, Number]
    values: dict[str, float]

    @property
    def step_size(self) -> float:
        """The constant step size alpha that the claim prescribes."""
        return self.values["alpha"]

    def as_json(self) -> dict[str, Any]:
        """Floats and integers only."""
        table = asdict(self)
        table["inputs"] = {name: float(value) for name, value in self.inputs.items()}
        return table


def informative_horizon(claim: Claim, inputs: Mapping[str, Number], threshold: float) -> int:
    """The fewest iterations T that `claim` allows and at which its bound lies below `threshold`.

    Found by bisection on the claim's own formulas, whose bounds fall with T.

    Raises:
        ArithmeticError: if there is none up to 10^12.

    """
    floats = {name: float(value) for name, value in inputs.items() if name != "T"}
    bound = claim.function("bound")
    low = 1
    if "T_min" in claim.names:
        shortest = float(claim.function("T_min")(**floats, T=1.0))
        if not shortest < _LONGEST:
            raise ArithmeticError(
                f"no informative horizon up to {_LONGEST} for {claim.id}, whose T_min is {shortest:.3g}"
            )
        # A T_min that is an integer may have been rounded down by a unit roundoff.
        low = math.ceil(shortest * (1 + 1e-12))
    if bound(**floats, T=float(low)) < threshold:
        return int(low)
    high = low
    while bound(**floats, T=float(high)) >= threshold:
        if high == _LONGEST:
            raise ArithmeticError(f"no informative horizon up to {_LONGEST} for {claim.id}")
        high = min(2 * high, _LONGEST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if bound(**floats, T=float(middle)) < threshold else (middle, high)
    return int(high)


def draft(
    spec: Spec,
    problem: Problem,
    start: Start,
    radii: dict[str, float],
    variance: float,
    claim: Claim | None = None,
) -> Plan:
    """The plan that follows from these radii and this bound on the variance of one sample's gradient."""
    claim = claim or catalogue[spec.claim]
    if all(parameter.name != "a" for parameter in claim.parameters):
        radii = dict.fromkeys(radii, max(radii.values()))
    batch, zeta = _noise(spec, start, variance)
    inputs = theory_inputs(claim, problem, radii, spec.lipschitz) | {"D": start.gap.value, "zeta": zeta}
    inputs["T"] = _horizon(claim, inputs, problem, start, radii) if spec.run.steps == "informative" else spec.run.steps
    # Not `claim.values`: a horizon below T_min is for the audit to report, not a reason to refuse the run.
    floats = {name: np.float64(value) for name, value in inputs.items()}
    with np.errstate(all="ignore"):
        values = {name: float(claim.function(name)(**floats)) for name in claim.names}
    for name, value in (floats | values).items():
        # Below T_min kappa may be negative; that is for the audit to report too.
        if not math.isfinite(value) or value == 0 or (name in floats and value < 0):
            raise InputError("spec", f"{name} = {value}", "constants that are positive and within the range of floats")
    return Plan(radii, zeta, batch, int(floats["T"]), inputs, values)


def _horizon(claim: Claim, inputs: Mapping[str, Number], problem: Problem, start: Start, radii: Radii) -> int:
    try:
        return informative_horizon(claim, inputs, min(start.square_norm, problem.trivial_bound(radii)))
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


def make_plan(spec: Spec, problem: Problem, start: Start, device: str, tick: Tick) -> Plan:
    """Choose what the spec leaves open, by a pilot where radii or noise are missing.

    The pilot is Algorithm 1 itself on a few replicas, at first in a ball as large as A already is. Its largest norms
    and noise, widened by 10 percent, become the hypotheses; T and alpha follow from them. It is repeated until one
    stays within the hypotheses that it was run with. Should none do, the audit of the run will say so.
    """
    guess = _MARGIN * max(start.radii.values())
    radii, variance = {"a": spec.domain.a or guess, "b": spec.domain.b or guess}, _MARGIN * start.variance
    plan = draft(spec, problem, start, radii, variance)
    if spec.domain.a is not None and spec.domain.b is not None and spec.run.zeta is not None:
        return plan
    for _ in range(_MOST_PILOTS):
        seen_radii, seen_variance = _pilot(spec, problem, start, plan, device, tick)
        held = seen_variance <= variance and all(seen_radii[name] <= radii[name] for name in radii)
        radii = {"a": spec.domain.a or _MARGIN * seen_radii["a"], "b": spec.domain.b or _MARGIN * seen_radii["b"]}
        variance = _MARGIN * seen_variance
        plan = draft(spec, problem, start, radii, variance)
        if held:
            break
    return plan


def _pilot(
    spec: Spec, problem: Problem, start: Start, plan: Plan, device: str, tick: Tick
) -> tuple[dict[str, float], float]:
    """The largest spectral norms and the largest sample variance along a short ensemble with its own seed."""
    v = replicate(start.v, _PILOT_REPLICAS)
    random = generator(spec, "pilot", device)
    a, b, variance = start.radii["a"], start.radii["b"], start.variance
    every = max(plan.steps // _PILOT_LOOKS, 1)
    # Below T_min the theorem's own step may diverge: that is for the run to show, not for the pilot to follow.
    step_size = min(plan.step_size, 1 / _smoothness_anywhere(spec, problem, plan))
    for t in range(1, plan.steps + 1):
        indices = draw_batch(_PILOT_REPLICAS, plan.batch, problem.objective.samples, random)
        v, _ = sgd_step(problem, v, step_size, indices)
        if t % every == 0 or t == plan.steps:
            a, b = max(a, spectral_norm(v[0]).max().item()), max(b, spectral_norm(v[1]).max().item())
            variance = max(variance, problem.sample_variance(v).max().item())
            tick("pilot", t, plan.steps)
    return {"a": a, "b": b}, variance


def _smoothness_anywhere(spec: Spec, problem: Problem, plan: Plan) -> float:
    """L̂ at the plan's radii and the G that f has everywhere: a pilot may leave the ball, and what is small on it."""
    everywhere = problem.objective.gradient_bound.value
    if not math.isfinite(everywhere):
        return plan.values["Lhat"]
    claim = catalogue[spec.claim]
    inputs = plan.inputs | theory_inputs(claim, problem, plan.radii, spec.lipschitz, everywhere)
    return float(claim.function("Lhat")(**{name: float(value) for name, value in inputs.items()}))


def horizon(spec: Spec, problem: Problem, start: Start, plan: Plan, claim: Claim, lipschitz: str) -> int | None:
    """How many iterations an informative run of `claim` needs, on the problem, ball and sample noise of `plan`.

    None where no horizon up to 10^12 is informative.
    """
    run = spec.run.model_copy(update={"steps": "informative", "batch": "balanced", "zeta": None})
    other = spec.model_copy(update={"run": run, "lipschitz": lipschitz})
    try:
        return draft(other, problem, start, plan.radii, plan.zeta**2 * plan.batch, claim).steps
    except InputError:
        return None
