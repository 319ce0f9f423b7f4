"""Experiments whose exact course is known: the spec, the constants that it states, and E‖∇F(v_t)‖² at every t.

Each loss is written from its definition in balls of Arb, as plainly as the mathematics: on one kink, on scalar least
squares, and on the hard instance by all of its paths. Nothing here is taken from the code that runs experiments.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any, cast

from flint import arb, ctx

from boundcheck.checked.exact_models.functions import Curve
from boundcheck.exact.balls import ball_of
from boundcheck.experiment.build import build_problem
from boundcheck.experiment.spec import parse
from boundcheck.functions.objectives.clipped import Separable
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.inputs import Number

Table = dict[str, Any]
BITS = 256
# The step of a run that is given one: well below the largest that its theorem allows.
_STEP = 2.0**-3
_SLACK = 1 + Fraction(1, 10**9)


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
        curvature: a lower bound on the smoothness constant of F, exactly; 0 where the theorem asks for smoothness no
            farther than the run goes.
        variance: that of the noise at v_1, exactly.
        pull: a lower bound on the norm of the gradient of f in the ball, exactly; 0 where the claim has no G.
        most: an upper bound on the variance at every iterate that some draw can reach, at a step size and T; None where
            the ζ of the spec is one at any step.
        bias: the square of the bias of the second minibatch given the first, drawn without replacement, at a step size.

    """

    name: str
    table: Table
    inputs: dict[str, Number]
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
            return self.trajectory(self.claim.enclosures(**self.inputs)["alpha"], self.table["run"]["steps"])


def ball(x: Fraction | float | int) -> arb:
    """A ball that contains a rational."""
    return ball_of(Fraction(x))


def above(x: arb) -> Fraction:
    """The upper end of a ball, a dyadic rational."""
    mantissa, exponent = x.upper().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


@dataclass(frozen=True)
class Kink:
    """h with h'(w) = L(w - zero) clipped to [-G, G], and minimum 0; and the loss h(w) where w is trained, or is s p².

    Attributes:
        L, G, zero: of h'.
        scale: s, where w = s B A with both factors 1 x 1 and equal to p; None where w is trained itself.
        start: w or p at the first iterate.

    """

    L: Fraction
    G: Fraction
    zero: Fraction
    scale: Fraction | None
    start: Fraction

    def gap(self) -> Fraction:
        """F(v_1) - f*."""
        w = self.start if self.scale is None else self.scale * self.start**2
        way, width = abs(w - self.zero), self.G / self.L
        return self.L * way**2 / 2 if way <= width else self.G * (way - width / 2)

    def squares(self, alpha: arb, steps: int) -> list[arb]:
        """‖∇F(v_t)‖² for t = 1, ..., T, of steps along the whole gradient."""
        found = []
        with ctx.workprec(BITS):
            p = ball(self.start)
            for _ in range(steps):
                w = p if self.scale is None else ball(self.scale) * p * p
                slope = (ball(self.L) * (w - ball(self.zero))).max(ball(-self.G)).min(ball(self.G))
                # Of each of two equal factors the derivative is s h' p.
                rate = slope if self.scale is None else ball(self.scale) * slope * p
                found.append(rate * rate * (1 if self.scale is None else 2))
                p = p - alpha * rate
        return found


@dataclass(frozen=True)
class Scalar:
    """The mean over samples of (z w - y)²/2 for numbers z and y, of a number w that starts at 0; minibatches of one."""

    z: tuple[Fraction, ...]
    y: tuple[Fraction, ...]

    def _mean(self, powers: tuple[int, int]) -> Fraction:
        i, j = powers
        return sum((z**i * y**j for z, y in zip(self.z, self.y, strict=True)), Fraction(0)) / len(self.z)

    @property
    def curvature(self) -> Fraction:
        """F''."""
        return self._mean((2, 0))

    def loss(self) -> Fraction:
        """F at the start."""
        return self._mean((0, 2)) / 2

    def fall(self) -> Fraction:
        """F at the start less its minimum."""
        return self._mean((1, 1)) ** 2 / (2 * self.curvature)

    def variance(self, w: Fraction) -> Fraction:
        """The variance of one sample's gradient at w."""
        gradients = [z * (z * w - y) for z, y in zip(self.z, self.y, strict=True)]
        mean = sum(gradients, Fraction(0)) / len(gradients)
        return sum(((g - mean) ** 2 for g in gradients), Fraction(0)) / len(gradients)

    def squares(self, alpha: arb, steps: int) -> list[arb]:
        """E‖∇F(w_t)‖² over all sample paths, by the first two moments of w_t, which follow linear recursions."""
        found = []
        with ctx.workprec(BITS):
            H, c = ball(self.curvature), ball(self._mean((1, 1)))
            fourth, third, second = (ball(self._mean(powers)) for powers in ((4, 0), (3, 1), (2, 2)))
            first_moment, second_moment = arb(0), arb(0)
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
        """The squared bias of the second gradient where the first sample was drawn first, and is not drawn again."""
        with ctx.workprec(BITS):
            w = alpha * ball(self.z[0] * self.y[0])
            gradients = [ball(z) * (ball(z) * w - ball(y)) for z, y in zip(self.z, self.y, strict=True)]
            n = len(gradients)
            return (sum(gradients[1:], arb(0)) / (n - 1) - sum(gradients, arb(0)) / n) ** 2

    def largest_variance(self, alpha: arb, steps: int) -> Fraction:
        """An upper bound on the variance at every w that T steps can reach, by the interval of those."""
        low, high = Fraction(0), Fraction(0)
        with ctx.workprec(BITS):
            step = above(alpha)
        largest = self.variance(low)
        for _ in range(steps):
            ends = [
                w - a * z * (z * w - y)
                for z, y in zip(self.z, self.y, strict=True)
                for w in (low, high)
                for a in (0, step)
            ]
            # A few digits, rounded outward, are enough.
            low, high = Fraction(int(min(ends) * 2**20) - 1, 2**20), Fraction(int(max(ends) * 2**20) + 1, 2**20)
            # Convex in w.
            largest = max(largest, self.variance(low), self.variance(high))
        return largest


@dataclass(frozen=True)
class Diagonal:
    """h_x(A₁₁B₁₁) + h_y(A₂₂B₂₂) with two samples that differ by ±2n A₂₂B₂₂, from A = B = u I: the hard instance."""

    first: Curve
    second: Curve
    noise: Fraction
    start: Fraction

    def gap(self) -> Fraction:
        """F(v_1) - f*."""
        return sum((h.value(self.start**2) - (h.least or 0) for h in (self.first, self.second)), Fraction(0))

    def curvature(self) -> Fraction:
        """The second derivative of F at v_1 along A₂₂ = B₂₂, 2u²h_y'' + h_y'."""
        w, apart = self.start**2, Fraction(1, 2**10)
        steep = (self.second.slope(w + apart) - self.second.slope(w - apart)) / (2 * apart)
        return 2 * w * steep + self.second.slope(w)

    def variance(self) -> Fraction:
        """The variance of one sample's gradient at v_1, 2(nu)²."""
        return 2 * (self.noise * self.start) ** 2

    @property
    def steepness(self) -> Fraction:
        """The largest slope of h_x' or h_y', the smoothness constant of f."""
        return max(self.first.smoothness, self.second.smoothness)

    @property
    def pull(self) -> Fraction:
        """The larger of |h_x'| and |h_y'| at v_1, the spectral norm of the gradient of f there."""
        return max(abs(h.slope(self.start**2)) for h in (self.first, self.second))

    def bias(self, alpha: arb) -> arb:
        """The squared bias of the second gradient given the first, where only the other sample is left: 2(n p_2)²."""
        with ctx.workprec(BITS):
            p = ball(self.start)
            p = p - alpha * (_slope(self.second, p * p) + ball(self.noise)) * p
            return 2 * (ball(self.noise) * p) ** 2

    def squares(self, alpha: arb, steps: int) -> list[arb]:
        """E‖∇F(v_t)‖² over all 2^(t - 1) sample paths, each of which is followed."""
        with ctx.workprec(BITS):
            still = [2 * rate**2 for rate in self._path(self.first, alpha, (arb(0),) * (steps - 1))]
            sums = [arb(0)] * steps
            for signs in product((-1, 1), repeat=steps - 1):
                rates = self._path(self.second, alpha, [sign * ball(self.noise) for sign in signs])
                sums = [total + 2 * rate**2 for total, rate in zip(sums, rates, strict=True)]
            return [x + total / 2 ** (steps - 1) for x, total in zip(still, sums, strict=True)]

    def _path(self, h: Curve, alpha: arb, kicks: Sequence[arb]) -> list[arb]:
        """The derivative h'(p²)p in one of two equal factors, at each iterate."""
        p, found = ball(self.start), []
        for kick in (*kicks, arb(0)):
            slope = _slope(h, p * p)
            found.append(slope * p)
            p = p - alpha * (slope + kick) * p
        return found


def _slope(h: Curve, w: arb) -> arb:
    """H'(w), by the pieces of its graph added up from the left."""
    (start, value), *rest = h.knots
    total = ball(value)
    for end, after in rest:
        share = ((w - ball(start)) / ball(end - start)).max(arb(0)).min(arb(1))
        total += share * ball(after - value)
        start, value = end, after
    return total


# The experiments


def kinks(id: str, horizons: tuple[int, ...]) -> Iterator[Experiment]:
    """Gradient descent on a Huber function of one number, whose slope G lasts for T steps: d = k = 1, W trained."""
    for steps in horizons:
        # A step is at most 2/√3 over L, and W starts at 1 - 2G/L from where the slope begins to fall.
        L, G = Fraction(2 * (math.ceil(Fraction(1155, 1000) * (steps - 1)) + 2)), Fraction(2)
        kink = Kink(L, G, 1 - G / L, None, Fraction(0))
        table = {
            "claim": id,
            "problem": {"kind": "extremal", "d": 1, "k": 1, "L": float(L), "G": float(G)},
            "adapter": {"kind": "full"},
            "run": {"steps": steps, "audits": steps},
        }
        inputs: dict[str, Number] = {"ell": L, "D": kink.gap(), "T": steps}
        name = f"Huber, L = {L}, G = {G}, T = {steps}"
        yield Experiment(name, table, inputs, kink.squares, kink.gap(), L)


def factors(id: str, horizons: tuple[int, ...]) -> Iterator[Experiment]:
    """Like `kinks`, on one entry BA. Both factors are trained from 31/32 in the ball a = b = 1; no noise, ζ = 1/2."""
    for steps in horizons:
        start, L, G = Fraction(31, 32), Fraction(1), Fraction(1, 2)
        kink = Kink(L, G, 1 - G / L, Fraction(1), start)
        table = {
            "claim": id,
            "problem": {"kind": "extremal", "d": 1, "k": 1, "L": float(L), "G": float(G)},
            "adapter": {"rank": 1, "start": "diagonal", "gain": float(start)},
            "domain": {"a": 1.0, "b": 1.0},
            "run": {"steps": steps, "audits": steps, "zeta": 0.5, "batch": 1, "replicas": 16},
        }
        known: dict[str, Number] = {"L": L, "G": G, "C": 1, "sigma": 1, "a": 1, "b": 1, "s": 1, "r": 1, "zeta": 0.5}
        known |= {"D": kink.gap(), "T": steps}
        # At A = B = 1 along (1, 1): h'' (A + B)² / 2 + h', with h' = G there.
        name = f"Huber of one entry BA, L = {L}, G = {G}, T = {steps}"
        yield Experiment(name, table, _of(id, known), kink.squares, kink.gap(), L, 2 * L + G, pull=G)


def scalars(id: str, horizons: tuple[int, ...], seeds: tuple[int, ...]) -> Iterator[Experiment]:
    """SGD on least squares of one number, trained itself or through a frozen A."""
    for seed in seeds:
        for steps in horizons:
            frozen = id == "meft.theorem2_frozen_a"
            table: Table = {
                "claim": id,
                "problem": {"kind": "least-squares", "d": 1, "k": 1, "samples": 8, "noise": 0.125, "seed": seed},
                "adapter": {"kind": "frozen-a", "rank": 1} if frozen else {"kind": "full"},
                "run": {"steps": steps, "audits": steps, "zeta": 1.0, "batch": 1, "replicas": 512},
            }
            given = any(p.name == "eta" for p in catalogue[id].parameters)
            table["run"] |= {"step_size": _STEP} if given else {}
            problem = build_problem(parse(table), "cpu")
            # The data have no public name.
            X, Y = (cast(Any, problem.objective)._X, cast(Any, problem.objective)._targets)
            A = Fraction(cast(Any, problem.adapter).A.item()) if frozen else Fraction(1)
            found = Scalar(
                tuple(A * Fraction(x) for x in X.flatten().tolist()), tuple(map(Fraction, Y.flatten().tolist()))
            )
            known: dict[str, Number] = {"D": found.loss() * _SLACK, "T": steps, "s": 1, "eta": _STEP}
            known |= {"ell": found.curvature * _SLACK, "L": found.curvature / A**2 * _SLACK, "a": abs(A) * _SLACK}
            zeta = _surely(id, known, found, steps)
            table["run"]["zeta"], known["zeta"] = zeta, zeta
            name, H = f"scalar least squares, seed {seed}, T = {steps}", found.curvature
            yield Experiment(
                name,
                table,
                _of(id, known),
                found.squares,
                found.fall(),
                steepness=H / A**2,
                curvature=H,
                variance=found.variance(Fraction(0)),
                most=found.largest_variance,
                bias=found.bias,
            )


def _of(id: str, known: Mapping[str, Number]) -> dict[str, Number]:
    """The values of the symbols of a claim."""
    return {p.name: known[p.name] for p in catalogue[id].parameters}


def _surely(id: str, known: Mapping[str, Number], found: Scalar, steps: int) -> float:
    """A ζ that no iterate can exceed, whatever is drawn; a larger one makes steps shorter."""
    zeta = math.sqrt(found.variance(Fraction(0))) * 1.01
    while True:
        step = catalogue[id].enclosures(**_of(id, {**known, "zeta": zeta}))["alpha"]
        if found.largest_variance(step, steps) < Fraction(zeta) ** 2:
            return zeta
        zeta *= 1.25


def hard(id: str, shapes: tuple[tuple[int, float], ...], replicas: int = 512) -> Iterator[Experiment]:
    """The hard instance of `objectives.clipped`, short enough to follow all of its sample paths."""
    for steps, ratio in shapes:
        gain = 1e4
        table = {
            "claim": id,
            "problem": {"kind": "hard", "steps": steps, "ratio": ratio},
            "adapter": {"rank": 2, "start": "diagonal", "gain": gain},
            "domain": {"a": gain + 1, "b": gain + 1},
            "run": {"zeta": 1.0, "batch": 1, "replicas": replicas, "steps": steps, "audits": steps},
        }
        problem = build_problem(parse(table), "cpu")
        objective = cast(Separable, problem.objective)
        first, second = objective.parts
        (noise, _) = cast(Any, second)._offsets.tolist()
        curves = [Curve.flat_beyond(each.slope.knots) for each in (first, second)]
        found = Diagonal(curves[0], curves[1], Fraction(noise), Fraction(gain))
        G = problem.gradient_bound(parse(table).domain.given).value
        known: dict[str, Number] = {"L": objective.smoothness.value, "G": G, "D": found.gap() * _SLACK}
        known |= dict.fromkeys(("C", "sigma", "a", "b"), gain + 1) | {"s": 1, "r": 2, "zeta": 1, "T": steps}
        yield Experiment(
            f"the hard instance, T = {steps}, q = {ratio}",
            table,
            _of(id, known),
            found.squares,
            found.gap(),
            steepness=found.steepness,
            curvature=found.curvature(),
            variance=found.variance(),
            pull=found.pull,
            bias=found.bias,
        )
