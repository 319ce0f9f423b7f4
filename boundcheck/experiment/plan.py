"""The plan of a run, fixed before it: the domain, the constants of the theorem, batch size, horizon and step size.

A theorem says something of a run only with constants that were chosen without looking at it. Radii and noise may come
from a pilot, which has a seed of its own; whether they held is then for the audit to say.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
import torch

from boundcheck.errors import InputError
from boundcheck.experiment.build import starting_point
from boundcheck.experiment.horizons import best_step, informative_horizon
from boundcheck.experiment.schema import Planned
from boundcheck.experiment.spec import ASSUMABLE, FOLLOWING, Spec
from boundcheck.experiment.streams import generator, stream
from boundcheck.functions.arithmetic import EPSILON, Point, replicate, square_norm
from boundcheck.functions.draws import Reshuffled, Sampler, WholeSample, WithReplacement
from boundcheck.functions.sgd import advance, restart
from boundcheck.language.claim import Claim
from boundcheck.language.function import Constant, Function
from boundcheck.language.hypotheses import BOUNDED_BELOW, BOUNDED_VARIANCE, SMOOTH
from boundcheck.language.inputs import Number, exact
from boundcheck.language.measures import SMOOTHNESS
from boundcheck.language.prose import plain
from boundcheck.language.sentence import free_step, has_common_radius, limit_of
from boundcheck.language.symbols import T
from boundcheck.system.limits import Tick

# The pilot's findings are widened by this before they become hypotheses. A function whose constants are unknown is
# judged by what its run shows: there a guess that is too low costs the result, and one that is too high only steps.
_MARGIN, _MARGIN_UNKNOWN = 1.1, 1.5
# Hypotheses that held are kept unless a pilot finds them wider than it needs by more than this.
_CLOSE = 0.9
_PILOT_REPLICAS = 8
_PILOT_LOOKS = 64
_MOST_PILOTS = 4
# zeta^2 / N_1 at which the printed theorem's two lower limits on T, T >= 4 L̂ D / zeta^2 and
# bound <= N_1, coincide: more noise lengthens an informative run, less noise lengthens T_min.
_BALANCE = 0.8
_LARGEST_BATCH = 10**5
_SMALLEST = 1e-280


@dataclass(frozen=True)
class Start:
    """The first iterate and what is known exactly there.

    Attributes:
        v: the point v_1, with R = 1, the same for every replica.
        gap: D, an upper bound on F(v_1) - f*.
        loss: F(v_1).
        square_norm: N_1, the squared gradient norm of F at v_1.
        variance: the variance of one sample's gradient at v_1.
        norms: the spectral norm of each block of v_1, by the name of the radius that bounds it.

    """

    v: Point
    gap: Constant
    loss: float
    square_norm: float
    variance: float
    norms: dict[str, float]

    @classmethod
    def draw(cls, spec: Spec, function: Function, device: str) -> "Start":
        """Draw v_1 from the spec's seed.

        Raises:
            InputError: where the loss or its gradient is no finite number at v_1, or F is below its own infimum there.

        """
        v = starting_point(spec, function, device)
        infimum, loss, gradient = function.infimum, function.loss(v), function.gradient(v)
        for what, number in (("a loss that", loss.item()), ("a gradient whose square", square_norm(gradient).item())):
            if not math.isfinite(number):
                raise InputError("problem", function.name, f"{what} is a finite number at v_1, where it is {number}")
        # Rounded up: by what the loss may be off, and by what the sums here may be.
        error = function.rounding(v, loss)[0].item() + 4 * EPSILON * (loss.abs().item() + abs(infimum.value))
        gap = loss.item() - infimum.value + error
        if gap < 0:
            expected = f"a lower bound on the loss, which is {loss.item():.6g} at v_1 ({infimum.kind}: {infimum.how})"
            raise InputError("infimum", infimum.value, expected)
        return cls(
            v,
            Constant(gap, infimum.kind, f"F(v_1) minus the lower bound on f: {infimum.how}"),
            loss.item(),
            square_norm(gradient).item(),
            function.sample_variance(v).item(),
            {name: norm.item() for name, norm in function.norms(v).items()},
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
        numbers: those of the algorithm, by name, the step size first.

    """

    radii: dict[str, float]
    zeta: float | None
    batch: int | None
    steps: int
    prescribed: float
    trivial: float
    inputs: dict[str, Number]
    values: dict[str, float]
    numbers: dict[str, float]

    @property
    def step_size(self) -> float:
        """The first number of the algorithm."""
        return self.numbers[next(iter(self.numbers))]

    @property
    def smoothness(self) -> float:
        """The L̂ of the theorem."""
        return self.values[SMOOTHNESS.letter]

    def inputs_of(self, claim: Claim) -> dict[str, Number]:
        """The values of the claim's own symbols: a formula that a spec assumes may be free of some."""
        return {p.name: self.inputs[p.name] for p in claim.parameters}

    def rounded(self) -> Planned:
        """The plan as a result keeps it."""
        inputs = {name: float(value) for name, value in self.inputs.items()}
        table = {each.name: getattr(self, each.name) for each in fields(self)}
        return Planned(**table | {"inputs": inputs})


@dataclass(frozen=True)
class Guess:
    """The numbers that a plan is drafted with, and a pilot finds: given, or a little more than was seen.

    Attributes:
        radii: of the ball, by name; none where the theorem needs no ball.
        variance: of one sample's gradient.
        smoothness: L̂ of a function of which none is known; None where one is, and before anything was seen.

    """

    radii: dict[str, float]
    variance: float
    smoothness: float | None = None


def draft(spec: Spec, function: Function, start: Start, guess: Guess, claim: Claim | None = None) -> Plan:
    """The plan that follows from a guess."""
    claim, prescription = claim or spec.theorem, claim or spec.prescription
    radii = guess.radii
    if has_common_radius(claim):
        radii = dict.fromkeys(radii, max(radii.values()))
    batch, zeta = _noise(spec, start, guess.variance) if spec.is_stochastic else (None, None)
    trivial = function.trivial_bound(radii) if spec.measure.is_of_gradients else math.inf
    inputs = _inputs(spec, function, start, radii, claim) | (
        {BOUNDED_VARIANCE.letter: zeta} if zeta is not None else {}
    )
    if not function.is_known and guess.smoothness is None:
        return _without_constants(spec, start, batch)
    if guess.smoothness is not None:
        inputs[SMOOTH.letter] = guess.smoothness
    steps = spec.run.steps
    inputs[T.name] = _horizon(spec, claim, inputs, start, trivial) if steps == "informative" else steps
    if spec.run.step_size == "best":
        inputs[spec.free[0]] = best_step(claim, inputs)
    # Not `claim.values`: a horizon below T_min is for the audit to report, not a reason to refuse the run.
    floats = {name: np.float64(value) for name, value in inputs.items()}
    with np.errstate(all="ignore"):
        values = {name: float(claim.function(name)(**floats)) for name in claim.names}
        prescribed = step_of(spec, prescription, floats)
    _check_range(spec, start, claim, floats, values)
    known = {name: float(value) for name, value in floats.items()} | values
    numbers = {p.name: known[p.name] for p in spec.algorithm.parameters}
    return Plan(radii, zeta, batch, int(floats[T.name]), prescribed, trivial, inputs, values, numbers)


def step_of(spec: Spec, claim: Claim, floats: Mapping[str, np.float64]) -> float:
    """The first number of the algorithm, as a claim prescribes it or leaves it open."""
    name = spec.algorithm.step_size
    return float(claim.function(name)(**floats)) if name in claim.names else float(floats[name])


def _without_constants(spec: Spec, start: Start, batch: int | None) -> Plan:
    """The plan of a run whose steps are given: what else the theorem needs is taken from the run itself."""
    step, steps = spec.run.step_size, spec.run.steps
    if not isinstance(step, float) or not isinstance(steps, int):
        raise ValueError("expected steps that are given")
    return at_a_step(spec, start, step, steps, batch)


def at_a_step(spec: Spec, start: Start, step: float, steps: int, batch: int | None) -> Plan:
    """The plan of so many steps of this size, where nothing else is known."""
    inputs: dict[str, Number] = {BOUNDED_BELOW.letter: start.gap.value, spec.free[0]: step, T.name: steps}
    numbers = {spec.algorithm.step_size: step}
    return Plan({}, None, batch, steps, step, math.inf, inputs, numbers, numbers)


def _check_range(
    spec: Spec, start: Start, claim: Claim, floats: dict[str, np.float64], values: dict[str, float]
) -> None:
    """Refuse a step beyond the longest, and numbers that are 0, negative, not finite, or too small to be squared."""
    step = free_step(claim)
    limit = limit_of(claim, step.symbol) if step and spec.run.step_size is not None else None
    if limit is not None and math.isinf(values["bound"]):
        expected = f"a number below {values[limit]:.6g}, where {claim.id} has no bound"
        raise InputError("run.step_size", spec.run.step_size, expected)
    gap = BOUNDED_BELOW.letter
    for name, value in (("N_1", start.square_norm), (gap, floats[gap]), ("bound", values["bound"])):
        # Below these the squares of which a run is made have lost their digits.
        if 0 < abs(value) < _SMALLEST:
            raise InputError("spec", f"{name} = {value:.3g}", f"numbers not below {_SMALLEST:g}; change the unit")
    for name, value in (floats | values).items():
        # Below T_min kappa may be negative; that is for the audit to report too.
        if not math.isfinite(value) or value == 0 or (name in floats and value < 0):
            raise InputError("spec", f"{name} = {value}", "constants that are positive and within the range of floats")


def _inputs(spec: Spec, function: Function, start: Start, radii: dict[str, float], claim: Claim) -> dict[str, Number]:
    """Each symbol of the claim that does not follow from the others: what the function says, or the spec assumes."""
    # Without a ball the norms at v_1 are all that a claim may speak of.
    inputs = function.inputs(claim, radii or start.norms, spec.lipschitz) | {BOUNDED_BELOW.letter: start.gap.value}
    inputs |= function.inputs_at(claim, start.v) | {name: x for name, x in spec.given.items() if x != "best"}
    symbols = {p.symbol: exact(p.name, inputs[p.name]) for p in claim.parameters if p.name in inputs}
    inputs |= {name: expression.xreplace(symbols) for name, expression in spec.assumed_inputs().items()}
    known = {*inputs, *FOLLOWING}
    missing = [p for p in claim.parameters if p.name not in known and function.is_known]
    if missing and missing[0].name not in spec.given:
        name, meaning = missing[0].name, plain(missing[0].meaning)
        if name in ASSUMABLE:
            raise InputError(f"assume.{name}", "(not given)", f"a value, since nothing is known of it here: {meaning}")
        raise InputError("problem", function.name, f"one of which {name} is known, the {meaning}, for {claim.id}")
    return inputs


def _horizon(spec: Spec, claim: Claim, inputs: Mapping[str, Number], start: Start, trivial: float) -> int:
    """The fewest iterations at which the bound is below what is known without it."""
    try:
        return informative_horizon(claim, inputs, min(spec.measure.first(start, inputs)[0], trivial))
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


def guessed(spec: Spec, function: Function, start: Start) -> Guess:
    """The guess before any pilot: what is given, or a little more than at v_1."""
    margin = _margin(function)
    guess = margin * max(start.norms.values(), default=0.0)
    radii = {name: spec.domain.given.get(name, guess) for name in function.radius_names(spec.theorem)}
    return Guess(radii, margin * start.variance)


def make_plan(spec: Spec, function: Function, start: Start, device: str, tick: Tick) -> Plan:
    """Choose what the spec leaves open, by a pilot where radii, noise or a smoothness are missing.

    The pilot is the algorithm itself on a few replicas, at first in a ball as large as A already is. What it sees at
    most, widened by 10 percent, becomes the hypotheses; T and alpha follow from them. It is repeated until one stays
    within the hypotheses that it was run with and these are no wider than that needs. The last that held is the plan.
    Of a function whose constants are not known it is widened by 50 percent, and the first that holds is the plan.
    Should none have, the audit of the run will say so.
    """
    guess = guessed(spec, function, start)
    if not _needs_pilot(spec, function, guess):
        return draft(spec, function, start, guess)
    if not function.is_known:
        random = np.random.default_rng(stream(spec, "pilot"))
        guess = replace(guess, smoothness=_MARGIN_UNKNOWN * function.look(start.v, random)["curvature"])
    plan, kept = draft(spec, function, start, guess), None
    for _ in range(_MOST_PILOTS):
        seen = _pilot(spec, function, start, guess, plan, device, tick)
        wanted = _widened(spec, seen, _margin(function))
        pairs = list(zip(_sizes(seen), _sizes(guess), _sizes(wanted), strict=True))
        if all(new <= old for new, old, _ in pairs):
            kept = plan
            if not function.is_known or all(new >= _CLOSE * old for _, old, new in pairs):
                break
        guess = wanted
        plan = draft(spec, function, start, guess)
    return kept or plan


def _needs_pilot(spec: Spec, function: Function, guess: Guess) -> bool:
    if not function.is_known:
        return spec.run.steps == "informative" or spec.run.step_size == "best"
    return set(spec.domain.given) != set(guess.radii) or (spec.run.zeta is None and spec.is_stochastic)


def _sizes(guess: Guess) -> list[float]:
    smoothness = [] if guess.smoothness is None else [guess.smoothness]
    return [*guess.radii.values(), guess.variance, *smoothness]


def _margin(function: Function) -> float:
    return _MARGIN if function.is_known else _MARGIN_UNKNOWN


def _widened(spec: Spec, seen: Guess, margin: float) -> Guess:
    """A guess a little above what was seen, except for the radii that are given."""
    radii = {name: spec.domain.given.get(name, margin * norm) for name, norm in seen.radii.items()}
    smoothness = None if seen.smoothness is None else margin * seen.smoothness
    return Guess(radii, margin * seen.variance, smoothness)


def _pilot(spec: Spec, function: Function, start: Start, guess: Guess, plan: Plan, device: str, tick: Tick) -> Guess:
    """The largest values of a guess's numbers along a short ensemble with its own seed."""
    replicas = (_PILOT_REPLICAS if function.is_known else 1) if spec.is_stochastic else 1
    sampler = make_sampler(spec, plan, function, replicas, generator(spec, "pilot", device))
    v = replicate(start.v, replicas)
    norms, variance, smoothness = dict(start.norms), start.variance, 0.0
    every = max(plan.steps // _PILOT_LOOKS, 1)
    # Below T_min the theorem's own step may diverge: that is for the run to show, not for the pilot to follow.
    step_size = plan.step_size
    if function.is_known and spec.algorithm.keeps_step:
        step_size = min(step_size, 1 / _smoothness_anywhere(spec, function, plan))
    numbers = plan.numbers | {next(iter(plan.numbers)): step_size}
    state = spec.algorithm.start(v, numbers)
    for t in range(1, plan.steps + 1):
        before = spec.algorithm.iterate(state)
        state, _ = advance(spec.algorithm, function, state, t, numbers, sampler.draw())
        v, restarts = spec.algorithm.iterate(state), spec.algorithm.restarts(t, numbers)
        if restarts:
            random = generator(spec, "pilot restarts", device, t)
            state = restart(spec.algorithm, function, state, numbers, spec.adapter.gain, random)
        # What is trained is largest where it is merged.
        if t % every == 0 or t == plan.steps or restarts:
            norms = {name: max(norms[name], norm.max().item()) for name, norm in function.norms(v).items()}
            if guess.smoothness is None:
                variance = max(variance, function.sample_variance(v).max().item())
            else:
                found = function.observe(before, v, sampler.law())
                smoothness = max(smoothness, (found["path_smoothness"] + found["path_smoothness_error"]).max().item())
                variance = max(variance, found["noise_variance"].max().item() * (plan.batch or 1))
            tick("pilot", t, plan.steps)
    return Guess({name: norms[name] for name in guess.radii}, variance, smoothness if guess.smoothness else None)


def make_sampler(spec: Spec, plan: Plan, function: Function, replicas: int, random: torch.Generator) -> Sampler:
    """The sampler of the plan's minibatches, drawn with replacement, without it in epochs, or not at all."""
    if plan.batch is None:
        return WholeSample()
    samples = function.samples
    if spec.run.sampling == "with replacement":
        return WithReplacement(replicas, plan.batch, samples, random)
    if plan.batch > samples:
        raise InputError("run.batch", plan.batch, f"at most the {samples} samples, drawn without replacement")
    return Reshuffled(replicas, plan.batch, samples, random)


def _smoothness_anywhere(spec: Spec, function: Function, plan: Plan) -> float:
    """L̂ at the plan's radii and the G that f has everywhere: a pilot may leave the ball, on which G may be smaller."""
    inputs = function.inputs_anywhere(spec.theorem, plan.radii, spec.lipschitz) if plan.radii else None
    if inputs is None:
        return plan.smoothness
    known = plan.inputs | inputs
    return float(spec.theorem.function(SMOOTHNESS.letter)(**{name: float(value) for name, value in known.items()}))


def horizon(spec: Spec, function: Function, start: Start, plan: Plan, claim: Claim, lipschitz: str) -> int | None:
    """The number of iterations for an informative run of `claim`, on the problem, ball and sample noise of `plan`.

    None where no horizon up to 10^12 is informative, and of gradient descent, which has no noise.
    """
    if plan.zeta is None or plan.batch is None:
        return None
    run = spec.run.model_copy(update={"steps": "informative", "step_size": None, "batch": "balanced", "zeta": None})
    other = spec.model_copy(update={"run": run, "lipschitz": lipschitz, "assume": {}})
    try:
        return draft(other, function, start, Guess(plan.radii, plan.zeta**2 * plan.batch), claim).steps
    except InputError:
        return None
