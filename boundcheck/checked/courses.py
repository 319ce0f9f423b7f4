"""Experiments with a known exact course: the spec, the constants that it states, and E‖∇F(v_t)‖² at every t."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

from flint import arb, ctx

from boundcheck.checked.descent import BITS, Diagonal, Kink, Scalar
from boundcheck.claims import Claim, catalogue
from boundcheck.claims.inputs import Number
from boundcheck.measure.build import build_problem
from boundcheck.measure.spec import parse
from boundcheck.problems.hard import Separable

Table = dict[str, Any]
# The step of a run that is given one: well below the largest that its theorem allows.
_STEP = 2.0**-3
_SLACK = 1 + Fraction(1, 10**9)


@dataclass(frozen=True)
class Setting:
    """A spec, and what is known about its run without running it.

    Attributes:
        name: of the loss and its shape.
        table: the spec, as a file would hold it; every iterate is audited.
        inputs: the value of each symbol of its claim.
        course: E‖∇F(v_t)‖² at t = 1, ..., T, at a step size.
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
    course: Callable[[arb, int], list[arb]]
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
            return self.course(self.claim.enclosures(**self.inputs)["alpha"], self.table["run"]["steps"])


def kinks(id: str, horizons: tuple[int, ...]) -> Iterator[Setting]:
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
        yield Setting(name, table, inputs, kink.squares, kink.gap(), L)


def factors(id: str, horizons: tuple[int, ...]) -> Iterator[Setting]:
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
        yield Setting(name, table, _of(id, known), kink.squares, kink.gap(), L, 2 * L + G, pull=G)


def scalars(id: str, horizons: tuple[int, ...], seeds: tuple[int, ...]) -> Iterator[Setting]:
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
            yield Setting(
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


def hard(id: str, shapes: tuple[tuple[int, float], ...], replicas: int = 512) -> Iterator[Setting]:
    """The hard instance of `boundcheck.problems.hard`, short enough to follow all of its sample paths."""
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
        found = Diagonal(first.slope, second.slope, Fraction(noise), Fraction(gain))
        G = problem.gradient_bound(parse(table).domain.given).value
        known: dict[str, Number] = {"L": objective.smoothness.value, "G": G, "D": found.gap() * _SLACK}
        known |= dict.fromkeys(("C", "sigma", "a", "b"), gain + 1) | {"s": 1, "r": 2, "zeta": 1, "T": steps}
        yield Setting(
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
