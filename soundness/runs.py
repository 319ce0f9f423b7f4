"""Mutants of measured runs: what a run states made false, or made weaker, tried by measurement.

A false one is shown to be so before it is run, by an exact number: a bound below every E‖∇F(v_t)‖²,
a constant that is exceeded, a hypothesis that fails at an exact point. A true one has every
hypothesis for certain, whatever is drawn.
What is changed is in the spec alone: a formula or constant that it assumes, its ball, ζ, T or
sampling.

What decides a truth, the exact course of each experiment, is written from the definition of its
loss in balls of Arb,
as plainly as the mathematics: on diagonal losses by all of their paths, and on scalar least squares
by its moments. Nothing of it is taken from the code that runs experiments.
"""

from __future__ import annotations

import copy
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial
from itertools import product
from typing import Any, cast

import torch
from flint import arb, ctx
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.exact.balls import ball_of, lower, upper
from boundcheck.exact.digits import DOWN, UP, shown
from boundcheck.experiment import measure
from boundcheck.experiment.plan import build_problem
from boundcheck.experiment.result import Result
from boundcheck.experiment.spec import parse
from boundcheck.functions.objective import Objective
from boundcheck.functions.objectives.clipped import Separable
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantity
from boundcheck.language.function import Constant
from boundcheck.language.symbols import D, Lhat, Number, T, alpha, exact
from boundcheck.verdicts import Verdict
from soundness.edits import KINDS, Change, of_expression
from soundness.exact_model import Curve, fractions
from soundness.smoothness import FORMULAS, above
from soundness.trial import Answer, Mutant, varied

Table = dict[str, Any]
Numbers = dict[str, Number]
BITS = 256
# The step of a run that is given one: well below the largest that its theorem allows.
_STEP = 2.0**-3
_SLACK = 1 + Fraction(1, 10**9)


# Experiments whose exact course is known


@dataclass(frozen=True)
class Experiment:
    """A spec, and what is known about its run without running it.

    Attributes:
        name: of the loss and its shape.
        table: the spec, as a file would hold it; every iterate is audited.
        inputs: the value of each symbol of its claim.
        trajectory: E‖∇F(v_t)‖² at t = 1, ..., T, at a step size.
        gap: F(v_1) - f*, exactly.
        steepness: a lower bound on the smoothness constant of f, exactly.
        curvature: a lower bound on the smoothness constant of F, exactly; 0 where the theorem asks
            for smoothness no farther than the run goes.
        variance: that of the noise at v_1, exactly.
        pull: a lower bound on the norm of the gradient of f in the ball, exactly; 0 where the claim
            has no G.
        most: an upper bound on the variance at every iterate that some draw can reach, at a step
            size and T; None where the ζ of the spec is one at any step.
        bias: the square of the bias of the second minibatch given the first, drawn without
            replacement, at a step size.

    """

    name: str
    table: Table
    inputs: Numbers
    trajectory: Callable[[arb, int], list[arb]]
    gap: Fraction
    steepness: Fraction
    curvature: Fraction = Fraction(0)
    variance: Fraction = Fraction(0)
    pull: Fraction = Fraction(0)
    most: Callable[[arb, int], Fraction] | None = None
    bias: Callable[[arb], arb] | None = None

    @property
    def claim(self) -> Claim:
        """The theorem that is run."""
        return catalogue[self.table["claim"]]

    def squares(self) -> list[arb]:
        """E‖∇F(v_t)‖² at the step size that the theorem prescribes."""
        with ctx.workprec(BITS):
            return self.trajectory(
                self.claim.enclosures(**self.inputs)["alpha"], self.table["run"]["steps"]
            )

    def spec(self, **tables: Mapping[str, object]) -> Table:
        """The spec with changes to its tables."""
        changed = copy.deepcopy(self.table)
        for name, change in tables.items():
            changed[name] = changed.get(name, {}) | dict(change)
        return changed


@dataclass(frozen=True)
class Diagonal:
    """Σ h_i(w_i), where each w_i is trained, or is s p² with both of its 1 x 1 factors equal to p;
    one start for all.

    Two samples differ by ±2n of the last w.

    Attributes:
        curves: h_i.
        start: w or p at the first iterate.
        scale: s; None where w is trained itself.
        noise: n.

    """

    curves: tuple[Curve, ...]
    start: Fraction
    scale: Fraction | None = Fraction(1)
    noise: Fraction = Fraction(0)

    def gap(self) -> Fraction:
        """F(v_1) - f*."""
        w = self.start if self.scale is None else self.scale * self.start**2
        return sum((h.value(w) - (h.least or 0) for h in self.curves), Fraction(0))

    def curvature(self) -> Fraction:
        """The second derivative of F at v_1 along the last two factors, 2u²h'' + h', where s is
        1.
        """
        w = self.start**2
        apart = Fraction(1, 2**10)
        h = self.curves[-1]
        return 2 * w * (h.slope(w + apart) - h.slope(w - apart)) / (2 * apart) + h.slope(w)

    def variance(self) -> Fraction:
        """The variance of one sample's gradient at v_1, 2(nu)²."""
        return 2 * (self.noise * self.start) ** 2

    def bias(self, alpha: arb) -> arb:
        """The squared bias of the second gradient given the first, where only the other sample is
        left: 2(n p_2)².
        """
        with ctx.workprec(BITS):
            p = ball_of(self.start)
            p = p - alpha * (_slope(self.curves[-1], p * p) + ball_of(self.noise)) * p
            off = ball_of(self.noise) * p
            return 2 * off * off

    def squares(self, alpha: arb, steps: int) -> list[arb]:
        """E‖∇F(v_t)‖² at t = 1, ..., T over all 2^(t - 1) sample paths, each of which is
        followed.
        """
        with ctx.workprec(BITS):
            totals = [arb(0)] * steps
            still = [(arb(0),) * (steps - 1)]
            noisy = list(product((ball_of(-self.noise), ball_of(self.noise)), repeat=steps - 1))
            for h in self.curves:
                draws = noisy if self.noise and h is self.curves[-1] else still
                sums = [arb(0)] * steps
                for kicks in draws:
                    p = ball_of(self.start)
                    for t, kick in enumerate((*kicks, arb(0))):
                        # Of each of two equal factors the derivative is s h' p.
                        pull = arb(1) if self.scale is None else ball_of(self.scale) * p
                        slope = _slope(h, p if self.scale is None else pull * p)
                        size = slope * pull
                        sums[t] += size * size * (1 if self.scale is None else 2)
                        p = p - alpha * (slope + kick) * pull
                totals = [total + x / len(draws) for total, x in zip(totals, sums, strict=True)]
        return totals


def _slope(h: Curve, w: arb) -> arb:
    """H'(w), by the pieces of its graph added up from the left."""
    (start, value), *rest = h.knots
    total = ball_of(value)
    for end, after in rest:
        share = ((w - ball_of(start)) / ball_of(end - start)).max(arb(0)).min(arb(1))
        total += share * ball_of(after - value)
        start = end
        value = after
    return total


@dataclass(frozen=True)
class Scalar:
    """The mean over samples of (z w - y)²/2 for numbers z and y, of a number w that starts at 0;
    minibatches of one.
    """

    z: tuple[Fraction, ...]
    y: tuple[Fraction, ...]

    def mean(self, i: int, j: int) -> Fraction:
        """The mean of zⁱ yʲ."""
        return sum((z**i * y**j for z, y in zip(self.z, self.y, strict=True)), Fraction(0)) / len(
            self.z
        )

    def fall(self) -> Fraction:
        """F at the start less its minimum."""
        return self.mean(1, 1) ** 2 / (2 * self.mean(2, 0))

    def variance(self, w: Fraction) -> Fraction:
        """The variance of one sample's gradient at w."""
        gradients = [z * (z * w - y) for z, y in zip(self.z, self.y, strict=True)]
        mean = sum(gradients, Fraction(0)) / len(gradients)
        return sum(((g - mean) ** 2 for g in gradients), Fraction(0)) / len(gradients)

    def squares(self, alpha: arb, steps: int) -> list[arb]:
        """E‖∇F(w_t)‖² over all sample paths, by the first two moments of w_t, which follow linear
        recursions.
        """
        found = []
        with ctx.workprec(BITS):
            H, c, fourth, third, second = (
                ball_of(self.mean(*powers)) for powers in ((2, 0), (1, 1), (4, 0), (3, 1), (2, 2))
            )
            first_moment = arb(0)
            second_moment = arb(0)
            for _ in range(steps):
                found.append(H * H * second_moment - 2 * H * c * first_moment + c * c)
                # w' = (1 - αz²) w + αzy.
                second_moment = (
                    (1 - 2 * alpha * H + alpha**2 * fourth) * second_moment
                    + 2 * (alpha * c - alpha**2 * third) * first_moment
                    + alpha**2 * second
                )
                first_moment = (1 - alpha * H) * first_moment + alpha * c
        return found

    def bias(self, alpha: arb) -> arb:
        """The squared bias of the second gradient where the first sample was drawn first, and is
        not drawn again.
        """
        with ctx.workprec(BITS):
            w = alpha * ball_of(self.z[0] * self.y[0])
            gradients = [
                ball_of(z) * (ball_of(z) * w - ball_of(y))
                for z, y in zip(self.z, self.y, strict=True)
            ]
            n = len(gradients)
            off = sum(gradients[1:], arb(0)) / (n - 1) - sum(gradients, arb(0)) / n
            # Of a ball around 0 the power 2 is NaN.
            return off * off

    def largest_variance(self, alpha: arb, steps: int) -> Fraction:
        """An upper bound on the variance at every w that T steps can reach, by the interval of
        those.
        """
        low = Fraction(0)
        high = Fraction(0)
        with ctx.workprec(BITS):
            step = above(alpha)
        largest = self.variance(low)
        for _ in range(steps):
            samples = zip(self.z, self.y, strict=True)
            ends = [
                w - a * z * (z * w - y)
                for (z, y), w, a in product(samples, (low, high), (Fraction(0), step))
            ]
            # A few digits, rounded outward, are enough.
            low = Fraction(int(min(ends) * 2**20) - 1, 2**20)
            high = Fraction(int(max(ends) * 2**20) + 1, 2**20)
            # Convex in w.
            largest = max(largest, self.variance(low), self.variance(high))
        return largest


def _of(id: str, known: Mapping[str, Number]) -> Numbers:
    """The values of the symbols of a claim."""
    return {p.name: known[p.name] for p in catalogue[id].parameters}


def on_kink(id: str, steps: int) -> Experiment:
    """Gradient descent on a Huber function of one number, whose slope G lasts for T steps: d = k =
    1, W trained.
    """
    # A step is at most 2/√3 over L, and W starts at 1 - 2G/L from where the slope begins to fall.
    L = Fraction(2 * (math.ceil(Fraction(1155, 1000) * (steps - 1)) + 2))
    G = Fraction(2)
    found = Diagonal((Curve.clipped(L, G, 1 - G / L),), Fraction(0), None)
    table = {
        "claim": id,
        "problem": {"kind": "extremal", "d": 1, "k": 1, "L": float(L), "G": float(G)},
        "adapter": {"kind": "full"},
        "run": {"steps": steps, "audits": steps},
    }
    inputs: Numbers = {"ell": L, "D": found.gap(), "T": steps}
    return Experiment(
        f"Huber, L = {L}, G = {G}, T = {steps}", table, inputs, found.squares, found.gap(), L
    )


def on_factors(id: str, steps: int) -> Experiment:
    """Like `on_kink`, on one entry BA. Both factors are trained from 31/32 in the ball a = b = 1;
    no noise, ζ = 1/2.
    """
    start, L, G = fractions("31/32 1 1/2")
    found = Diagonal((Curve.clipped(L, G, 1 - G / L),), start)
    table = {
        "claim": id,
        "problem": {"kind": "extremal", "d": 1, "k": 1, "L": float(L), "G": float(G)},
        "adapter": {"rank": 1, "start": "diagonal", "gain": float(start)},
        "domain": {"a": 1.0, "b": 1.0},
        "run": {"steps": steps, "audits": steps, "zeta": 0.5, "batch": 1, "replicas": 16},
    }
    known: Numbers = {"L": L, "G": G, "zeta": 0.5, "D": found.gap(), "T": steps}
    known |= dict.fromkeys(("C", "sigma", "a", "b", "s", "r"), 1)
    name = f"Huber of one entry BA, L = {L}, G = {G}, T = {steps}"
    # At A = B = 1 along (1, 1): h'' (A + B)² / 2 + h', with h' = G there.
    return Experiment(name, table, _of(id, known), found.squares, found.gap(), L, 2 * L + G, pull=G)


def on_scalars(id: str, steps: int, seed: int = 0) -> Experiment:
    """SGD on least squares of one number, trained itself or through a frozen A."""
    frozen = id == "meft.theorem2_frozen_a"
    table: Table = {
        "claim": id,
        "problem": {
            "kind": "least-squares",
            "d": 1,
            "k": 1,
            "samples": 8,
            "noise": 0.125,
            "seed": seed,
        },
        "adapter": {"kind": "frozen-a", "rank": 1} if frozen else {"kind": "full"},
        "run": {"steps": steps, "audits": steps, "zeta": 1.0, "batch": 1, "replicas": 512},
    }
    table["run"] |= (
        {"step_size": _STEP} if any(p.name == "eta" for p in catalogue[id].parameters) else {}
    )
    problem: Any = build_problem(parse(table), "cpu")
    # The data have no public name.
    X = problem.objective._X
    Y = problem.objective._targets
    A = Fraction(problem.adapter.A.item()) if frozen else Fraction(1)
    found = Scalar(
        tuple(A * Fraction(x) for x in X.flatten().tolist()),
        tuple(map(Fraction, Y.flatten().tolist())),
    )
    H = found.mean(2, 0)
    variance = found.variance(Fraction(0))
    known: Numbers = {"D": found.mean(0, 2) / 2 * _SLACK, "T": steps, "s": 1, "eta": _STEP}
    known |= {"ell": H * _SLACK, "L": H / A**2 * _SLACK, "a": abs(A) * _SLACK}
    # A ζ that no iterate can exceed, whatever is drawn; a larger one makes steps shorter.
    zeta = math.sqrt(variance) * 1.01
    is_exceeded = True
    while is_exceeded:
        prescribed = catalogue[id].enclosures(**_of(id, known | {"zeta": zeta}))["alpha"]
        if is_exceeded := found.largest_variance(prescribed, steps) >= Fraction(zeta) ** 2:
            zeta *= 1.25
    table["run"]["zeta"], known["zeta"] = zeta, zeta
    return Experiment(
        f"scalar least squares, seed {seed}, T = {steps}",
        table,
        _of(id, known),
        found.squares,
        found.fall(),
        steepness=H / A**2,
        curvature=H,
        variance=variance,
        most=found.largest_variance,
        bias=found.bias,
    )


def on_hard(id: str, steps: int, ratio: float) -> Experiment:
    """The hard instance of `objectives.clipped`, short enough to follow all of its sample paths."""
    gain = 1e4
    table = {
        "claim": id,
        "problem": {"kind": "hard", "steps": steps, "ratio": ratio},
        "adapter": {"rank": 2, "start": "diagonal", "gain": gain},
        "domain": {"a": gain + 1, "b": gain + 1},
        "run": {"zeta": 1.0, "batch": 1, "replicas": 512, "steps": steps, "audits": steps},
    }
    problem = build_problem(parse(table), "cpu")
    objective = cast(Separable, problem.objective)
    noise, _ = objective.parts[1]._offsets.tolist()
    curves = tuple(Curve.flat_beyond(each.slope.knots) for each in objective.parts)
    found = Diagonal(curves, Fraction(gain), noise=Fraction(noise))
    G = problem.gradient_bound(parse(table).domain.given).value
    known: Numbers = {"L": objective.smoothness.value, "G": G, "D": found.gap() * _SLACK}
    known |= dict.fromkeys(("C", "sigma", "a", "b"), gain + 1)
    known |= {"s": 1, "r": 2, "zeta": 1, "T": steps}
    return Experiment(
        f"the hard instance, T = {steps}, q = {ratio}",
        table,
        _of(id, known),
        found.squares,
        found.gap(),
        # The largest slope of h_x' or h_y' is the smoothness constant of f, and the larger of
        # |h_x'| and |h_y'| at v_1 the spectral norm of its gradient there.
        steepness=max(h.smoothness for h in curves),
        curvature=found.curvature(),
        variance=found.variance(),
        pull=max(abs(h.slope(Fraction(gain) ** 2)) for h in curves),
        bias=found.bias,
    )


# The mutants

# Too few to tell a bound that is false by half.
_FEW = 3
_SHARES = fractions("9/10 1/2 1/4 1/20")
_GROWN = fractions("101/100 3/2 10")


@dataclass(frozen=True)
class Run(Mutant):
    """A run of a theorem, whose id is its subject.

    Attributes:
        table: the spec.
        blame: kind and name of what is to blame, where the run is made to show it; None where it
            cannot.

    """

    layer = "measurement"
    table: Table
    blame: tuple[str, str] | None = None

    def ask(self) -> Answer:
        """Measure the run in a temporary folder."""
        with tempfile.TemporaryDirectory() as folder:
            (result,) = measure(self.table, folder)
        return self.judged(result)

    def judged(self, result: Result) -> Answer:
        """Judge the verdict and the blame of its run.

        Wrong is support for a false run, blame on a theorem that is true, and a true run that is
        violated or said to have broken a hypothesis. Caught is a false run whose fault is named: it
        was seen, or nothing vouches for what the spec assumes.
        """
        verdict = result.verdict
        blame = result.blame
        blamed = (blame.kind, blame.name) if blame else None
        if self.true:
            broken = verdict.plain in (Verdict.VIOLATED, Verdict.HYPOTHESIS_FAILED)
            return Answer(verdict, rejects=broken)
        misled = verdict.plain is Verdict.VIOLATED and self.blame not in (None, blamed)
        named = blamed is not None and blamed == self.blame and verdict is not Verdict.UNINFORMATIVE
        return Answer(verdict, accepts=verdict.is_supported or misled, rejects=named)


class Targets(Objective):
    """Mean over targets M_i of ‖W - M_i‖²/2, of which minibatches are `by` times the mean of their
    samples, at some points.

    In the loss every number is that of the formula, so that L is 1 and F is at least 0.

    Attributes:
        where: of what a point is known by, its first entry and its loss over that at 0, whether
            minibatches are wrong there; 0 never is.
        is_hidden: if the samples' own gradients are as wrong, and so are gradients.

    """

    is_convex = True
    units = "loss units"
    name = "targets"
    shape = (2, 2)
    samples = 12
    smoothness = Constant(1.0, "certified", "the second derivative is 1")
    gradient_bound = Constant(math.inf, "certified", "it has none")
    infimum = Constant(0.0, "certified", "it is a mean of squares")

    def __init__(
        self, where: Callable[[Tensor, Tensor], Tensor], by: float, *, is_hidden: bool = False
    ) -> None:
        random = torch.Generator().manual_seed(0)
        drawn = torch.randn((self.samples, *self.shape), generator=random, dtype=torch.float64)
        self._targets = drawn + 2
        self._where = where
        self._by = by
        self._is_hidden = is_hidden

    def loss(self, W: Tensor) -> Tensor:
        return (W.unsqueeze(1) - self._targets).square().sum((2, 3)).mean(1) / 2

    def gradient(self, W: Tensor) -> Tensor:
        return self.sample_gradients(W).mean(1)

    def batch_gradient(self, W: Tensor, indices: Tensor) -> Tensor:
        return self._off(W)[:, None, None] * (W.unsqueeze(1) - self._targets[indices]).mean(1)

    def sample_gradients(self, W: Tensor) -> Tensor:
        factor = self._off(W) if self._is_hidden else torch.ones_like(W[:, 0, 0])
        return factor[:, None, None, None] * (W.unsqueeze(1) - self._targets)

    def rounding(self, W: Tensor, loss: Tensor) -> tuple[Tensor, Tensor]:
        terms = 2.0**-52 * (self.samples + W[0].numel() + 64)
        return terms * (loss + 1), terms * (loss + 1)

    def _off(self, W: Tensor) -> Tensor:
        """What minibatches are multiplied by at each point."""
        first = W[:, 0, 0]
        share = self.loss(W) / self.loss(torch.zeros_like(W))
        is_wrong = self._where(first, share) & (first != 0)
        return torch.where(is_wrong, self._by, 1.0).to(W)


@dataclass(frozen=True)
class Minibatches(Run):
    """A run on `Targets`, which breaks that minibatches have the gradient as their mean, or does
    not.
    """

    problem: Targets | None = None

    def ask(self) -> Answer:
        """Measure the run in a temporary folder; a refusal is of the minibatches too."""
        try:
            with tempfile.TemporaryDirectory() as folder:
                (result,) = measure(self.table, folder, problem=self.problem)
        except InputError as error:
            return Answer(f"refused for its {error.field}", rejects=True)
        is_broken = result.verdict.plain is Verdict.HYPOTHESIS_FAILED
        is_misled = not (self.true or is_broken) and result.verdict.is_decided
        return Answer(result.verdict, accepts=is_misled, rejects=is_broken)


def minibatches() -> Iterator[Minibatches]:
    """Minibatches that are wrong at random times, or while the loss is in a band: nothing at v_1,
    and nothing at the end, tells.
    """
    table: Table = {
        "claim": "meft.theorem2_any_step",
        "adapter": {"kind": "full"},
        "run": {"steps": 200, "step_size": 0.05, "batch": 4, "replicas": 16, "audits": 100},
    }
    table["run"]["zeta"] = 3.0
    # A few digits in the middle of a number are as if drawn.
    times = {
        f"at a share {share} of points": partial(_at_random, share) for share in (0.5, 0.1, 0.02)
    }
    bands = {
        f"while the loss is {low} to {high} times F(v_1)": partial(_in_band, low, high)
        for low, high in ((0.3, 0.6), (0.25, 0.9))
    }
    factors = (-0.2, 0.0, 0.5, 0.9, 2.0)
    samplings = ("with replacement", "without replacement")
    for (when, where), by, sampling in product((times | bands).items(), factors, samplings):
        for hidden in (False, True) if when in bands else (False,):
            changed = table | {"run": table["run"] | {"sampling": sampling}}
            what = "gradients" if hidden else "minibatches"
            change = f"{what} by {by}, {when}, {sampling}"
            witness = f"{what} are {by} times the mean of their samples' gradients {when}"
            known = ("meft.theorem2_any_step", "hypothesis dropped", change, False, witness)
            yield Minibatches(*known, changed, None, Targets(where, by, is_hidden=hidden))
    for seed in range(8):
        change = f"minibatches, seed {seed}"
        witness = "a proved theorem, and minibatches are the mean of their samples"
        known = ("meft.theorem2_any_step", varied("seed"), change, True, witness)
        never = Targets(partial(_in_band, 0.0, 0.0), 1.0)
        yield Minibatches(*known, table | {"seed": seed}, None, never)


def _at_random(share: float, first: Tensor, loss: Tensor) -> Tensor:
    return (first * 2**20).frac().abs() < share


def _in_band(low: float, high: float, first: Tensor, loss: Tensor) -> Tensor:
    return (low < loss) & (loss < high)


def _scaled(name: str, factor: Fraction) -> str:
    return f"{factor.numerator}*{name}/{factor.denominator}"


def _false(
    setting: Experiment, kind: str, change: str, witness: str, blame: tuple[str, str], table: Table
) -> Run:
    return Run(setting.claim.id, kind, change, False, f"{setting.name}: {witness}", table, blame)


def _formulas(quantity: Quantity) -> Iterator[Change]:
    """Other formulas for a quantity."""
    name = quantity.name
    formula = quantity.expression
    for share in (Fraction(17, 25), *_SHARES):
        yield Change("constant", f"{name} by {share}", share * formula)
    for edit in of_expression(formula):
        if edit.kind in FORMULAS:
            yield Change(KINDS[edit.kind], f"{name}: {edit.kind} {edit.where}", edit.result)
    for horizon in (T + 1, T + 2, T - 1):
        yield Change("off by one", f"{name}: {horizon} for T", formula.xreplace({T: horizon}))
    for x, y in ((D, Lhat), (Lhat, D), (Lhat, alpha), (D, alpha), (Lhat, 1 / Lhat)):
        yield Change("exchange", f"{name}: {y} for {x}", formula.xreplace({x: y}))


def false_bounds(setting: Experiment) -> Iterator[Run]:
    """The theorem with another formula for its bound, or for a quantity of the bound, below
    E‖∇F(v_t)‖² at every t.
    """
    claim = setting.claim
    least = min(setting.squares(), key=lower)
    later = claim.quantities[claim.names.index("alpha") + 1 :]
    for quantity in (each for each in later if each.name != "T_min"):
        seen = {quantity.expression}
        for change in _formulas(quantity):
            formula = change.result
            if formula in seen or not formula.free_symbols:
                continue
            seen.add(formula)
            table = setting.spec(assume={quantity.name: str(formula)})
            theorem = parse(table).theorem
            if theorem.parameters != claim.parameters:
                # A run gets a value for every symbol of the theorem, and each must have its place.
                continue
            bound = theorem.enclosures(**setting.inputs)["bound"]
            if bound.is_finite() and bound > 0 and upper(bound) < lower(least):
                low = shown(lower(least), 9, DOWN)
                high = shown(upper(bound), 9, UP)
                witness = f"E‖∇F(v_t)‖² ≥ {low} at every t, and the bound is {high}"
                yield _false(
                    setting, change.kind, change.where, witness, ("claim", claim.id), table
                )


def false_constants(setting: Experiment) -> Iterator[Run]:
    """A constant stated too small, as an exact number shows."""
    names = {p.name for p in setting.claim.parameters}
    known = {name: Fraction(str(exact(name, value))) for name, value in setting.inputs.items()}
    with ctx.workprec(BITS):
        known["Lhat"] = above(setting.claim.enclosures(**setting.inputs)["Lhat"])
    truths = [
        ("D", setting.gap, "F(v_1) - f*"),
        ("Lhat", setting.curvature, "the curvature of F"),
        ("L", setting.steepness, "the curvature of f"),
        ("G", setting.pull, "‖∇f‖"),
        ("C", known.get("sigma", Fraction(0)), "‖ΔBA‖/‖ΔB‖ at A = σ"),
    ]
    for (name, truth, what), share in product(
        (row for row in truths if row[0] in {"D", "Lhat"} | names), _SHARES
    ):
        if share * known[name] < truth:
            witness = (
                f"{what} is at least {float(truth):.6g}, and {name} is"
                f" {float(share * known[name]):.6g}"
            )
            table = _certain(setting, setting.spec(assume={name: _scaled(name, share)}))
            yield _false(
                setting, "constant", f"{name} by {share}", witness, ("constant", name), table
            )
    for share in _SHARES if "zeta" in names else ():
        zeta = float(share) * float(known["zeta"])
        if Fraction(zeta) ** 2 < setting.variance:
            witness = (
                f"the variance at v_1 is {float(setting.variance):.6g}, and ζ² is {zeta**2:.6g}"
            )
            table = setting.spec(run={"zeta": zeta})
            yield _false(
                setting, "constant", f"zeta by {share}", witness, ("constant", "zeta"), table
            )


def false_hypotheses(setting: Experiment) -> Iterator[Run]:
    """A step that is not the prescribed one, a ball without v_1, T below T_min, minibatches without
    replacement.
    """
    claim = setting.claim
    dropped = "hypothesis dropped"
    with ctx.workprec(BITS):
        known = claim.enclosures(**setting.inputs)
    for factor in ("10*alpha", "2*alpha", "alpha/2", "1001*alpha/1000", "alpha**2"):
        witness = f"the prescribed step is alpha, and the run takes {factor}"
        table = setting.spec(assume={"alpha": factor})
        kind = "exponent" if "**" in factor else "constant"
        yield _false(setting, kind, f"alpha as {factor}", witness, ("constant", "alpha"), table)
    hypotheses = {hypothesis.id for hypothesis in claim.hypotheses}
    for id, share in product(
        sorted(hypotheses & {"jiang2024.assumption2", "meft.ball"}), (0.9999, 0.9, 0.5)
    ):
        start = setting.table["adapter"]["gain"]
        witness = f"σ_1(A_1) = {start:.6g}, and the radius is {share * start:.6g}"
        table = setting.spec(domain=dict.fromkeys(("a", "b"), share * start))
        yield _false(
            setting, dropped, f"a ball of {share} times v_1", witness, ("hypothesis", id), table
        )
    for id in sorted(hypotheses & {"jiang2024.unbiased", "meft.unbiased"}):
        bias = setting.bias(known["alpha"]) if setting.bias else arb(0)
        if setting.table["run"]["steps"] > 1 and bias > 0:
            witness = (
                "given the first, the second minibatch has a bias of square"
                f" {shown(lower(bias), 6, DOWN)}"
            )
            change = "sampling without replacement"
            table = setting.spec(run={"sampling": "without replacement"})
            yield _false(setting, dropped, change, witness, ("hypothesis", id), table)
    if "T_min" in claim.names:
        # T_min does not depend on T, at which the claim speaks.
        shortest = lower(claim.enclosures(**setting.inputs)["T_min"])
        last = math.ceil(shortest) - 1
        for steps in (x for x in sorted({last, (last + 1) // 2, 1} - {0}) if x < shortest):
            kind = "off by one" if steps == last else dropped
            witness = f"T = {steps}, and T_min is {shown(shortest, 6, DOWN)}"
            run = {"steps": steps, "audits": steps}
            blame = ("horizon", "T")
            yield _false(
                setting, kind, f"T = {steps}, below T_min", witness, blame, setting.spec(run=run)
            )
            for change in ("T_min/100", "T_min - T_min/2"):
                table = setting.spec(run=run, assume={"T_min": change})
                yield _false(
                    setting, "constant", f"T_min as {change}, at T = {steps}", witness, blame, table
                )
    if "eta_max" in claim.names:
        longest = upper(claim.enclosures(**setting.inputs)["eta_max"])
        for share in (1.001, 1.5, 4.0):
            witness = f"the step size is {share * longest:.6g}, and must be below {longest:.6g}"
            table = _certain(setting, setting.spec(run={"step_size": share * longest}))
            for what, assumed in (
                ("", {}),
                (", eta_max as 100*eta_max", {"assume": {"eta_max": "100*eta_max"}}),
            ):
                change = f"{share:g} times the longest step{what}"
                yield _false(
                    setting, dropped, change, witness, ("constant", "eta"), table | assumed
                )


def _stated(table: Table, inputs: Numbers) -> Numbers:
    """The inputs of the theorem, with what the spec assumes in place of them."""
    spec = parse(table)
    symbols = {p.symbol: exact(p.name, inputs[p.name]) for p in spec.theorem.parameters}
    return inputs | {
        name: formula.xreplace(symbols) for name, formula in spec.assumed_inputs().items()
    }


def _is_certain(setting: Experiment, table: Table, inputs: Numbers) -> bool:
    """True if no iterate can exceed the ζ of the spec at the step that it leads to."""
    if setting.most is None:
        return True
    if "step_size" in table["run"]:
        # A step that is too long has no enclosure.
        step = arb(table["run"]["step_size"])
    else:
        theorem = parse(table).theorem
        stated = _stated(table, inputs)
        step = theorem.enclosures(**{p.name: stated[p.name] for p in theorem.parameters})["alpha"]
    return setting.most(step, table["run"]["steps"]) <= Fraction(table["run"]["zeta"]) ** 2


def _certain(setting: Experiment, table: Table) -> Table:
    """The spec with a ζ so large that it is not a second fault; steps are shorter then."""
    while not _is_certain(setting, table, setting.inputs | {"zeta": table["run"].get("zeta", 1.0)}):
        table = table | {"run": table["run"] | {"zeta": 1.25 * table["run"]["zeta"]}}
    return table


def true_runs(setting: Experiment) -> Iterator[Run]:
    """Runs in which every hypothesis holds for certain: with weaker bounds, and with constants
    overstated.
    """
    for kind, change, why, table, changed in _true(setting):
        inputs = setting.inputs | changed
        spec = parse(table)
        stated = _stated(table, inputs)
        try:
            # The theorem's conditions hold, also with what the spec assumes in place of them.
            for claim in (spec.theorem, spec.prescription):
                claim.check({p.name: stated[p.name] for p in claim.parameters})
        except InputError:
            continue
        if _is_certain(setting, table, inputs):
            yield Run(setting.claim.id, varied(kind), change, True, f"{setting.name}: {why}", table)


def _true(setting: Experiment) -> Iterator[tuple[str, str, str, Table, Numbers]]:
    """Changes: the kind, the change in words, why the run stays true, the spec, and the inputs that
    it changes.
    """
    names = {p.name for p in setting.claim.parameters}
    proved = "a proved theorem, whose hypotheses hold"
    larger = "a larger bound than a proved one"
    yield "none", "as it is", proved, setting.table, {}
    for factor in (*_GROWN, Fraction(1000)):
        yield (
            "constant",
            f"bound by {factor}",
            larger,
            setting.spec(assume={"bound": _scaled("bound", factor)}),
            {},
        )
    for term in ("D", "Lhat", "1/T"):
        yield (
            "term added",
            f"bound plus {term}",
            larger,
            setting.spec(assume={"bound": f"bound + {term}"}),
            {},
        )
    for name, factor in product(sorted({"D", "Lhat", "L", "G", "C"} & (names | {"Lhat"})), _GROWN):
        why = f"{name} is a bound, and a larger one is another"
        yield (
            "overstated",
            f"{name} by {factor}",
            why,
            setting.spec(assume={name: _scaled(name, factor)}),
            {},
        )
    if "zeta" not in names:
        return
    for size in (1.001, 1.5, 4.0):
        zeta = size * float(setting.inputs["zeta"])
        why = "ζ is a bound, and a larger one is another"
        table = setting.spec(run={"zeta": zeta})
        yield "overstated", f"zeta by {size:g}", why, table, {"zeta": zeta}
    # The seed also draws a frozen A.
    for seed in (1, 2, 3) if setting.table["adapter"].get("kind") != "frozen-a" else ():
        yield "seed", f"seed {seed}", proved, setting.table | {"seed": seed}, {}
    yield "batch", "batch 3", "a third of the variance", setting.spec(run={"batch": 3}), {}
    yield "level", "level 0.99", proved, setting.spec(run={"level": 0.99}), {}
    for size in (1.001, 1.25) if "domain" in setting.table else ():
        radii = {name: size * radius for name, radius in setting.table["domain"].items()}
        grown: Numbers = {
            name: size * float(setting.inputs[name])
            for name in ("a", "b", "sigma", "C")
            if name in names
        }
        yield (
            "radius",
            f"radii by {size:g}",
            "v is inside of a larger ball too",
            setting.spec(domain=radii),
            grown,
        )


@cache
def _all() -> tuple[Run, ...]:
    smooth = ("nesterov2004.gradient_descent", "abbaszadehpeivasti2022.best_step")
    settings = [on_kink(id, steps) for id, steps in product(smooth, (1, 2, 6))]
    for id in ("jiang2024.theorem2", "meft.theorem2_repaired", "meft.theorem2_best_step"):
        settings += [on_factors(id, 12), on_hard(id, 8, 0.3)]
    noisy = (
        "ghadimi2013.corollary2_2",
        "khaled2020.bounded_variance",
        "meft.theorem2_frozen_a",
        "meft.theorem2_any_step",
    )
    settings += [on_scalars(id, steps) for id, steps in product(noisy, (2, 12))]
    found: list[Run] = []
    for setting in settings:
        bounds = list(false_bounds(setting))
        found += [
            *bounds,
            *false_constants(setting),
            *false_hypotheses(setting),
            *true_runs(setting),
        ]
        for run in bounds[:1] if "zeta" in setting.table["run"] else ():
            # With few replicas, which cannot show the fault, and must not speak for the claim
            # either.
            table = run.table | {"run": run.table["run"] | {"replicas": _FEW}}
            found.append(
                replace(run, change=f"{run.change}, of {_FEW} replicas", table=table, blame=None)
            )
    return (*found, *minibatches())


def run_mutants(every: int = 1) -> list[Run]:
    """Every n-th of the false and of the true runs, in an order that never changes."""
    return [run for true in (False, True) for run in [x for x in _all() if x.true is true][::every]]
