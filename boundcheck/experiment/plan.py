"""The plan of a run, fixed before it: function, domain, constants of the theorem, batch size,
horizon and step size.

A theorem says something of a run only with constants that were chosen without looking at it. Radii
and noise may come from a pilot, which has a seed of its own; whether they held is then for the
audit to say. Horizon and step are found on the claim's own formulas, in floats: a plan, and no
verdict, rests on them.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import torch
from scipy.optimize import minimize_scalar

from boundcheck.errors import InputError
from boundcheck.experiment.result import Planned
from boundcheck.experiment.spec import ASSUMABLE, FOLLOWING, Spec
from boundcheck.functions.adapters import Rebased, make_adapter
from boundcheck.functions.adapters.base import check_rank, gaussian
from boundcheck.functions.arithmetic import EPSILON, Point, at_most, replicate, seeded, square_norm
from boundcheck.functions.networks.function import NetworkFunction
from boundcheck.functions.objective import Setting
from boundcheck.functions.problem import Problem
from boundcheck.functions.sgd import (
    Reshuffled,
    Sampler,
    WithReplacement,
    advance,
    restart,
)
from boundcheck.language.claim import Claim
from boundcheck.language.function import Constant, Function
from boundcheck.language.hypotheses import BOUNDED_BELOW, BOUNDED_VARIANCE, SMOOTH
from boundcheck.language.measures import SMOOTHNESS
from boundcheck.language.prose import plain
from boundcheck.language.sentence import free_step, has_common_radius, limit_of
from boundcheck.language.symbols import Number, exact
from boundcheck.language.symbols import T as HORIZON
from boundcheck.system.limits import Tick, silent

# The pilot's findings are widened by this before they become hypotheses. A function whose constants
# are unknown is judged by what its run shows: there a guess that is too low costs the result, and
# one that is too high only steps.
_MARGIN = {True: 1.1, False: 1.5}
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
_LONGEST = 10**12
# How far below the longest step the best one is looked for, as a power of e.
_DECADES = 46.0
# The random streams of an experiment, independent, and all derived from its one seed. An order,
# since places count.
_ORDER = (
    "initial",
    "pilot",
    "sampling",
    "audits",
    "bracket",
    "frozen",
    "curvature",
    "restarts",
    "pilot restarts",
)


def stream(spec: Spec, purpose: str) -> int:
    """The seed of one of the streams that `_ORDER` names."""
    return int(
        np.random.SeedSequence([spec.seed, _ORDER.index(purpose)]).generate_state(1, np.uint64)[0]
        >> 1
    )


def generator(spec: Spec, purpose: str, device: str, t: int | None = None) -> torch.Generator:
    """A generator on `device` for one of the streams, or for what it is to give at step t, whatever
    came before.
    """
    seed = stream(spec, purpose)
    if t is not None:
        seed = int(np.random.SeedSequence([seed, t]).generate_state(1, np.uint64)[0] >> 1)
    return seeded(seed, device)


def build(spec: Spec, device: str, tick: Tick = silent) -> Function:
    """The function that a spec describes, in one matrix or in a network: the same for any number of
    threads.

    Raises InputError for what is not there, or does not fit: a text, a folder, a target, a rank.
    """
    # A run says how many threads its numbers have; what is made before it is known how many has
    # one.
    with at_most(1):
        if spec.model is None:
            return build_problem(spec, device)
        a = spec.adapter
        loaded = spec.model.load(device, tick)
        random = generator(spec, "initial", "cpu")
        targets = a.paths or spec.model.default_targets(a.kind, loaded.model)
        return NetworkFunction.adapted(loaded, a.kind, targets, a.rank, a.factor, a.gain, random)


def build_problem(spec: Spec, device: str) -> Problem:
    """The problem in one matrix that a spec describes; raises InputError for a rank or scale that
    the shape forbids.

    DiReFT and LoReFT act on [h; 1], so that W has one more column than the problem says. They,
    DoRA, and every adapter on a readout start from the identity, W0 = [I 0]; elsewhere W0 = 0.
    """
    if spec.problem is None:
        raise ValueError("expected a problem in one matrix")
    table = spec.adapter
    made = spec.adapter.made
    setting = Setting(
        device, made.edits_hidden, spec.claim, table.factor, table.gain, spec.domain.given
    )
    objective = spec.problem.build(setting)
    make = (
        torch.eye
        if made.edits_hidden or made.needs_columns or spec.problem.starts_at_identity
        else torch.zeros
    )
    W0 = make(*objective.shape, dtype=torch.float64, device=device)
    frozen = {}
    if (rank := table.rank) is not None:
        # First of all: factors of a rank that W0 has not may be larger than the memory.
        check_rank(rank, W0)
        d, k = W0.shape
        # A frozen A is the one at which LoRA would start.
        frozen["A"] = gaussian(
            (rank, k), table.gain / math.sqrt(k), generator(spec, "initial", device)
        )[0]
        frozen["B"] = gaussian(
            (d, rank), table.gain / math.sqrt(rank), generator(spec, "frozen", device)
        )[0]
    adapter = make_adapter(table.kind, W0, rank, table.factor, frozen)
    return Problem(objective, Rebased(W0, adapter) if spec.restarts else adapter)


@dataclass(frozen=True)
class Start:
    """The first iterate and what is known exactly there."""

    v: Point  # v_1, with R = 1, the same for every replica
    gap: Constant  # D, an upper bound on F(v_1) - f*
    loss: float  # F(v_1)
    square_norm: float  # N_1, the squared gradient norm of F at v_1
    variance: float  # the variance of one sample's gradient at v_1
    norms: dict[
        str, float
    ]  # the spectral norm of each block of v_1, by the name of the radius that bounds it


@dataclass(frozen=True)
class Guess:
    """The numbers that a plan is drafted with, and a pilot finds: given, or a little more than was
    seen.

    The radii of the ball by name, the variance of one sample's gradient, and L̂ of a function of
    which none is known.
    """

    radii: dict[str, float]
    variance: float
    smoothness: float | None = None

    @property
    def sizes(self) -> list[float]:
        return [
            *self.radii.values(),
            self.variance,
            *(() if self.smoothness is None else (self.smoothness,)),
        ]


@dataclass(frozen=True)
class Plan:
    """Everything that a run of a theorem is given."""

    radii: dict[
        str, float
    ]  # bounds on the norms of the blocks of v, by name; none where the theorem needs no ball
    zeta: float | None  # the bound on the noise of a minibatch gradient; None of gradient descent
    batch: int | None  # the size of a minibatch; None of gradient descent
    steps: int  # T
    prescribed: (
        float  # the step size that the catalogue's claim prescribes, whatever the spec assumes
    )
    # what is known of the squared gradient norm on the domain without any theorem, J^2 G^2
    trivial: float
    inputs: dict[str, Number]  # the exact value of each symbol of the claim
    values: dict[str, float]  # each quantity of the claim
    numbers: dict[str, float]  # those of the algorithm, by name, the step size first
    guess: Guess = Guess({}, 0.0)  # what it was drafted with, so that it can be drafted again

    @property
    def step_size(self) -> float:
        return self.numbers[next(iter(self.numbers))]

    @property
    def smoothness(self) -> float:
        return self.values[SMOOTHNESS.letter]

    def inputs_of(self, claim: Claim) -> dict[str, Number]:
        """The values of the claim's own symbols: a formula that a spec assumes may be free of
        some.
        """
        return {p.name: self.inputs[p.name] for p in claim.parameters}

    def rounded(self) -> Planned:
        """The plan as a result keeps it."""
        table = {each.name: getattr(self, each.name) for each in fields(Planned)}
        return Planned(
            **table | {"inputs": {name: float(value) for name, value in self.inputs.items()}}
        )


@dataclass(frozen=True)
class Experiment:
    """A spec, the function that it describes, and the device: all that plans, and runs, begin
    with.
    """

    spec: Spec
    function: Function
    device: str

    @classmethod
    def of(cls, spec: Spec, device: str, tick: Tick = silent) -> "Experiment":
        """The experiment of a spec; raises InputError for what is not there, or does not fit."""
        return cls(spec, build(spec, device, tick), device)

    @property
    def problem(self) -> Problem:
        """The function, where it is a problem in one matrix."""
        if not isinstance(self.function, Problem):
            raise TypeError(f"expected a problem in one matrix, got {self.function.name}")
        return self.function

    def random(self, purpose: str, t: int | None = None) -> torch.Generator:
        """A generator for one of the spec's streams; see `generator`."""
        return generator(self.spec, purpose, self.device, t)

    def sampler(self, batch: int | None, replicas: int, purpose: str = "pilot") -> Sampler:
        """The sampler of minibatches of a size, drawn with replacement, without it in epochs, or
        not at all.
        """
        if batch is None:
            return Sampler()
        samples = self.function.samples
        random = self.random(purpose)
        if self.spec.run.sampling == "with replacement":
            return WithReplacement(replicas, batch, samples, random)
        if batch > samples:
            raise InputError(
                "run.batch", batch, f"at most the {samples} samples, drawn without replacement"
            )
        return Reshuffled(replicas, batch, samples, random)

    @property
    def first(self) -> Point:
        """The first iterate, with R = 1, drawn from the spec's seed."""
        return self.function.initial(
            self.spec.adapter.start, self.spec.adapter.gain, self.random("initial")
        )

    @cached_property
    def start(self) -> Start:
        """What is known at v_1; raises InputError where loss or gradient is not finite, or F is
        below its infimum.
        """
        function = self.function
        v = self.first
        infimum = function.infimum
        loss = function.loss(v)
        gradient = function.gradient(v)
        for what, number in (
            ("a loss that", loss.item()),
            ("a gradient whose square", square_norm(gradient).item()),
        ):
            if not math.isfinite(number):
                raise InputError(
                    "problem",
                    function.name,
                    f"{what} is a finite number at v_1, where it is {number}",
                )
        # Rounded up: by what the loss may be off, and by what the sums here may be.
        error = function.rounding(v, loss)[0].item() + 4 * EPSILON * (
            loss.abs().item() + abs(infimum.value)
        )
        gap = loss.item() - infimum.value + error
        if gap < 0:
            raise InputError(
                "infimum",
                infimum.value,
                f"a lower bound on the loss, which is {loss.item():.6g} at v_1 ({infimum.kind}:"
                f" {infimum.how})",
            )
        return Start(
            v,
            Constant(gap, infimum.kind, f"F(v_1) minus the lower bound on f: {infimum.how}"),
            loss.item(),
            square_norm(gradient).item(),
            function.sample_variance(v).item(),
            {name: norm.item() for name, norm in function.norms(v).items()},
        )

    @property
    def guess(self) -> Guess:
        """The guess before any pilot: what is given, or a little more than at v_1."""
        margin = _MARGIN[self.function.is_known]
        guess = margin * max(self.start.norms.values(), default=0.0)
        given = self.spec.domain.given
        radii = {
            name: given.get(name, guess) for name in self.function.radius_names(self.spec.theorem)
        }
        return Guess(radii, margin * self.start.variance)

    def draft(self, guess: Guess, claim: Claim | None = None) -> Plan:
        """The plan that follows from a guess, for the spec's theorem or another one.

        Raises InputError for a step beyond the longest, for what the problem does not say and
        nobody assumes, and for numbers that are 0, negative, not finite, or too small to be
        squared.
        """
        spec = self.spec
        function = self.function
        start = self.start
        claim, prescription = claim or spec.theorem, claim or spec.prescription
        run = spec.run
        radii = guess.radii
        gap = BOUNDED_BELOW.letter
        if has_common_radius(claim):
            radii = dict.fromkeys(radii, max(radii.values()))
        batch, zeta = self._noise(guess.variance) if spec.is_stochastic else (None, None)
        trivial = (
            function.trivial_bound(radii) if spec.measure.observable.is_of_gradients else math.inf
        )
        inputs = self._inputs(radii, claim)
        if zeta is not None:
            inputs[BOUNDED_VARIANCE.letter] = zeta
        if guess.smoothness is not None:
            inputs[SMOOTH.letter] = guess.smoothness
        elif not function.is_known:
            # What else the theorem needs is taken from the run itself.
            if not isinstance(run.step_size, float) or not isinstance(run.steps, int):
                raise ValueError("expected steps that are given")
            return at_a_step(spec, start, run.step_size, run.steps, batch)
        if run.steps == "informative":
            first = min(spec.measure.first(start, inputs)[0], trivial)
            try:
                inputs[HORIZON.name] = informative_horizon(claim, inputs, first)
            except ArithmeticError as error:
                raise InputError(
                    "run.steps",
                    "informative",
                    f"a problem on which there is an end to it ({error})",
                ) from None
        else:
            inputs[HORIZON.name] = run.steps
        if run.step_size == "best":
            inputs[spec.free[0]], _ = best_step(claim, inputs)
        # Not `claim.values`: a horizon below T_min is for the audit to report, not a reason to
        # refuse the run.
        floats = _floats(inputs)
        name = spec.algorithm.step_size
        with np.errstate(all="ignore"):
            values = {each: float(claim.function(each)(**floats)) for each in claim.names}
            is_said = name in prescription.names
            prescribed = float(prescription.function(name)(**floats) if is_said else floats[name])
        step = free_step(claim)
        limit = limit_of(claim, step.symbol) if step and run.step_size is not None else None
        if limit is not None and math.isinf(values["bound"]):
            raise InputError(
                "run.step_size",
                run.step_size,
                f"a number below {values[limit]:.6g}, where {claim.id} has no bound",
            )
        for name, value in (
            ("N_1", start.square_norm),
            (gap, floats[gap]),
            ("bound", values["bound"]),
        ):
            # Below these the squares of which a run is made have lost their digits.
            if 0 < abs(value) < _SMALLEST:
                raise InputError(
                    "spec",
                    f"{name} = {value:.3g}",
                    f"numbers not below {_SMALLEST:g}; change the unit",
                )
        for name, value in (floats | values).items():
            # Below T_min kappa may be negative; that is for the audit to report too.
            if not math.isfinite(value) or value == 0 or (name in floats and value < 0):
                raise InputError(
                    "spec",
                    f"{name} = {value}",
                    "constants that are positive and within the range of floats",
                )
        known = {name: float(value) for name, value in floats.items()} | values
        numbers = {p.name: known[p.name] for p in spec.algorithm.parameters}
        steps = int(floats[HORIZON.name])
        return Plan(radii, zeta, batch, steps, prescribed, trivial, inputs, values, numbers, guess)

    def _inputs(self, radii: dict[str, float], claim: Claim) -> dict[str, Number]:
        """Each symbol of the claim that does not follow from the others: what F says, or the spec
        assumes.
        """
        spec = self.spec
        function = self.function
        start = self.start
        # Without a ball the norms at v_1 are all that a claim may speak of.
        inputs = function.inputs(claim, radii or start.norms, spec.lipschitz) | {
            BOUNDED_BELOW.letter: start.gap.value
        }
        inputs |= function.inputs_at(claim, start.v) | {
            name: x for name, x in spec.given.items() if x != "best"
        }
        symbols = {
            p.symbol: exact(p.name, inputs[p.name]) for p in claim.parameters if p.name in inputs
        }
        inputs |= {
            name: expression.xreplace(symbols) for name, expression in spec.assumed_inputs().items()
        }
        known = {*inputs, *FOLLOWING}
        missing = [p for p in claim.parameters if p.name not in known and function.is_known]
        if missing and missing[0].name not in spec.given:
            name = missing[0].name
            meaning = plain(missing[0].meaning)
            if name in ASSUMABLE:
                raise InputError(
                    f"assume.{name}",
                    "(not given)",
                    f"a value, since nothing is known of it here: {meaning}",
                )
            raise InputError(
                "problem",
                function.name,
                f"one of which {name} is known, the {meaning}, for {claim.id}",
            )
        return inputs

    def _noise(self, variance: float) -> tuple[int, float]:
        """Batch size and zeta: the spec's, or the batch at which zeta^2 balances, and the zeta that
        follows.
        """
        run = self.spec.run
        zeta = self.spec.run.zeta
        if isinstance(run.batch, int):
            batch = run.batch
        else:
            target = zeta * zeta if zeta is not None else _BALANCE * self.start.square_norm
            if not (target > 0 and variance / target < _LARGEST_BATCH):
                brought = f"brings the variance {variance:.3g} to {target:.3g}"
                raise InputError(
                    "run.batch", "balanced", f"a number: no batch up to {_LARGEST_BATCH} {brought}"
                )
            batch = max(math.ceil(variance / target), 1)
        if zeta is None and not 0 < variance < math.inf:
            raise InputError(
                "run.zeta",
                "(not given)",
                f"a number, where one sample's gradient has variance {variance:.3g}",
            )
        return batch, zeta or math.sqrt(variance / batch)

    def make_plan(self, tick: Tick) -> Plan:
        """Choose what the spec leaves open, by a pilot where radii, noise or a smoothness are
        missing.

        The pilot is the algorithm itself on a few replicas, at first in a ball as large as A
        already is. What it sees at most, widened by 10 percent, becomes the hypotheses; T and alpha
        follow from them. It is repeated until one stays within the hypotheses that it was run with
        and these are no wider than that needs. The last that held is the plan. Of a function whose
        constants are not known it is widened by 50 percent, and the first that holds is the plan.
        Should none have, the audit of the run will say so.
        """
        spec = self.spec
        function = self.function
        guess = self.guess
        run = self.spec.run
        margin = _MARGIN[function.is_known]
        given = spec.domain.given
        if function.is_known:
            is_open = set(given) != set(guess.radii) or (run.zeta is None and spec.is_stochastic)
        else:
            is_open = run.steps == "informative" or run.step_size == "best"
        if is_open and not function.is_known:
            random = np.random.default_rng(stream(spec, "pilot"))
            guess = replace(
                guess, smoothness=margin * function.look(self.start.v, random)["curvature"]
            )
        plan = self.draft(guess)
        kept = None
        for _ in range(_MOST_PILOTS if is_open else 0):
            seen = self._pilot(guess, plan, tick)
            # Radii that are given are not for a pilot to change.
            radii = {name: given.get(name, margin * norm) for name, norm in seen.radii.items()}
            smoothness = None if seen.smoothness is None else margin * seen.smoothness
            wanted = Guess(radii, margin * seen.variance, smoothness)
            if all(new <= old for new, old in zip(seen.sizes, guess.sizes, strict=True)):
                kept = plan
                close = all(
                    new >= _CLOSE * old for new, old in zip(wanted.sizes, guess.sizes, strict=True)
                )
                if not function.is_known or close:
                    break
            guess = wanted
            plan = self.draft(guess)
        return kept or plan

    def _pilot(self, guess: Guess, plan: Plan, tick: Tick) -> Guess:
        """The largest values of a guess's numbers along a short ensemble with its own seed."""
        spec = self.spec
        function = self.function
        start = self.start
        algorithm = self.spec.algorithm
        replicas = (_PILOT_REPLICAS if function.is_known else 1) if spec.is_stochastic else 1
        sampler = self.sampler(plan.batch, replicas)
        v = replicate(start.v, replicas)
        norms = dict(start.norms)
        variance = start.variance
        smoothness = 0.0
        every = max(plan.steps // _PILOT_LOOKS, 1)
        step_size = plan.step_size
        if function.is_known and algorithm.keeps_step:
            # Below T_min the theorem's own step may diverge: that is for the run to show, not for
            # the pilot to follow. It may leave the ball, on which G may be smaller than the G that
            # f has everywhere.
            everywhere = (
                function.inputs_anywhere(spec.theorem, plan.radii, spec.lipschitz)
                if plan.radii
                else None
            )
            steepest = plan.smoothness
            if everywhere is not None:
                floats = {name: float(value) for name, value in (plan.inputs | everywhere).items()}
                steepest = float(spec.theorem.function(SMOOTHNESS.letter)(**floats))
            step_size = min(step_size, 1 / steepest)
        numbers = plan.numbers | {next(iter(plan.numbers)): step_size}
        state = algorithm.start(v, numbers)
        for t in range(1, plan.steps + 1):
            before = algorithm.iterate(state)
            state, _ = advance(algorithm, function, state, t, numbers, sampler.draw())
            v = algorithm.iterate(state)
            restarts = algorithm.restarts(t, numbers)
            if restarts:
                random = self.random("pilot restarts", t)
                state = restart(algorithm, function, state, numbers, spec.adapter.gain, random)
            # What is trained is largest where it is merged.
            if t % every == 0 or t == plan.steps or restarts:
                norms = {
                    name: max(norms[name], norm.max().item())
                    for name, norm in function.norms(v).items()
                }
                if guess.smoothness is None:
                    variance = max(variance, function.sample_variance(v).max().item())
                else:
                    found = function.observe(before, v, sampler.law())
                    steep = (found["path_smoothness"] + found["path_smoothness_error"]).max().item()
                    smoothness = max(smoothness, steep)
                    variance = max(
                        variance, found["noise_variance"].max().item() * (plan.batch or 1)
                    )
                tick("pilot", t, plan.steps)
        return Guess(
            {name: norms[name] for name in guess.radii},
            variance,
            smoothness if guess.smoothness else None,
        )

    def horizon(self, plan: Plan, claim: Claim, lipschitz: str) -> int | None:
        """The number of iterations for an informative run of `claim`, on the problem, ball and
        sample noise of `plan`.

        None where no horizon up to 10^12 is informative, and of gradient descent, which has no
        noise.
        """
        if plan.zeta is None or plan.batch is None:
            return None
        open_ = {"steps": "informative", "step_size": None, "batch": "balanced", "zeta": None}
        other = {
            "run": self.spec.run.model_copy(update=open_),
            "lipschitz": lipschitz,
            "assume": {},
        }
        experiment = replace(self, spec=self.spec.model_copy(update=other))
        # It begins where this one does, which takes all samples to look at.
        vars(experiment)["start"] = self.start
        try:
            return experiment.draft(Guess(plan.radii, plan.zeta**2 * plan.batch), claim).steps
        except InputError:
            return None


def at_a_step(spec: Spec, start: Start, step: float, steps: int, batch: int | None) -> Plan:
    """The plan of so many steps of this size, where nothing else is known."""
    inputs: dict[str, Number] = {
        BOUNDED_BELOW.letter: start.gap.value,
        spec.free[0]: step,
        HORIZON.name: steps,
    }
    numbers = {spec.algorithm.step_size: step}
    return Plan({}, None, batch, steps, step, math.inf, inputs, numbers, numbers)


def _floats(inputs: Mapping[str, Number]) -> dict[str, np.float64]:
    """The inputs as NumPy's floats, which overflow to infinity where Python's raise."""
    return {name: np.float64(value) for name, value in inputs.items()}


# What an assumed formula is where floats end decides nothing: an infinite bound says nothing, and
# NaN is refused.
@np.errstate(all="ignore")
def informative_horizon(claim: Claim, inputs: Mapping[str, Number], threshold: float) -> int:
    """The fewest iterations T that `claim` allows and at which its bound lies below `threshold`.

    Found by bisection, on bounds that fall with T, not always to 0. Of a theorem that takes a step,
    and is given none, the bound at each T is that at the best step. Raises ArithmeticError if there
    is none up to 10^12.
    """
    floats = _floats(inputs) | {HORIZON.name: np.float64(1)}
    step = free_step(claim)
    low = 1
    none = f"no informative horizon up to {_LONGEST} for {claim.id}"
    is_open = step is not None and step.name not in floats

    def bound(T: int) -> float:
        if is_open:
            return best_step(claim, floats | {HORIZON.name: np.float64(T)})[1]
        return float(claim.function("bound")(**floats | {HORIZON.name: np.float64(T)}))

    if not is_open:
        if step is not None and (limit := limit_of(claim, step.symbol)):
            given = floats[step.name]
            longest = float(claim.function(limit)(**floats))
            # So near to it, as beyond it, the bound has no digits.
            if not given * (1 + 1e-12) < longest:
                told = f"whose {step.name} = {given:.3g} must be below {longest:.3g}"
                raise ArithmeticError(f"no informative horizon for {claim.id}, {told}")
        if limit := limit_of(claim, HORIZON):
            shortest = float(claim.function(limit)(**floats))
            if not shortest < _LONGEST:
                raise ArithmeticError(f"{none}, whose {limit} is {shortest:.3g}")
            # A limit that is an integer may have been rounded down by a unit roundoff; an assumed
            # one may be 0 or less.
            low = max(math.ceil(shortest * (1 + 1e-12)), 1)
    high = low
    while bound(high) >= threshold:
        if high == _LONGEST:
            raise ArithmeticError(none)
        high = min(2 * high, _LONGEST)
    # Twice as far each time, and then back: a best step is looked for at each T.
    return low + bisect_left(range(low, high), True, key=lambda T: bound(T) < threshold)


@np.errstate(all="ignore")
def best_step(claim: Claim, inputs: Mapping[str, Number]) -> tuple[float, float]:
    """The constant step at which the bound of a claim that takes one is smallest, at T, and the
    bound there.

    Raises InputError for a claim that says of no step that it is too long.
    """
    step = free_step(claim)
    limit = limit_of(claim, step.symbol) if step else None
    if step is None or limit is None:
        raise InputError(
            "run.step_size",
            "best",
            f"a number, for {claim.id} has no longest step below which the best one could be"
            " looked for",
        )
    known = _floats(inputs) | {step.name: np.float64(1)}
    longest = math.log(float(claim.function(limit)(**known)))
    bound = claim.function("bound")

    def logarithm(x: float) -> float:
        return float(np.log(bound(**known | {step.name: np.exp(np.float64(x))})))

    ends = longest - _DECADES, longest - 1e-9
    found = minimize_scalar(logarithm, bounds=ends, method="bounded", options={"xatol": 1e-9})
    return math.exp(found.x), math.exp(found.fun)


@np.errstate(all="ignore")
def at_the_longest(claim: Claim, inputs: Mapping[str, Number]) -> float:
    """The claim's bound at the longest horizon that is looked at, 10^12: what it falls to, where
    that is not 0.
    """
    floats = _floats(inputs) | {HORIZON.name: np.float64(_LONGEST)}
    return float(claim.function("bound")(**floats))
