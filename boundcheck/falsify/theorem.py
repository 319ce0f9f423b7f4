r"""`ShortRun`: a run of a few iterations that a theorem is tried on, all of its sample paths, and both sides there.

The loss is h(<E, W>) with h' piecewise linear, its two samples :math:`\pm c\langle E, W\rangle` apart from it. So with
T iterations there are 2^T paths, every expectation is a finite sum, and nothing is left to statistics.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any, cast

import numpy as np
import sympy as sp
import torch
from flint import arb, arb_mat, ctx

from boundcheck.claims import Claim, catalogue
from boundcheck.claims.inputs import Number
from boundcheck.claims.jiang2024 import MINIMUM_GRADIENT
from boundcheck.claims.symbols import bound
from boundcheck.claims.vocabulary import F
from boundcheck.errors import InputError
from boundcheck.exact.balls import Balls, ball_of, lower, upper
from boundcheck.exact.evaluate import Function, Model
from boundcheck.exact.paths import Paths, descent
from boundcheck.exact.rounded import Approx, Comparison
from boundcheck.falsify.certify import Certificate, certify, numbers_of, slope_at, with_arrays
from boundcheck.falsify.fields import Fields, matrix_text, named
from boundcheck.falsify.instance import (
    adapter_as_json,
    adapter_of,
    check_extent,
    check_given,
    check_lipschitz,
    point_of,
    roundings,
)
from boundcheck.problems.adapters import Adapter
from boundcheck.problems.cast import cast_to
from boundcheck.problems.clipped import Clipped
from boundcheck.problems.constant import EPSILON
from boundcheck.problems.inputs import sharpest, theory_inputs
from boundcheck.problems.norms import Point, square_norm
from boundcheck.problems.paths import Run
from boundcheck.problems.piecewise import PiecewiseLinear
from boundcheck.problems.problem import Problem

_BITS = 192
# The conditions of the theorems hold with this to spare, so that no rounding can break them.
_SPARE = 1 + 1e-9
LONGEST = 6
"""The most iterations."""
FREE = ("abc_a", "eta")
"""The constants that are free to choose."""
RUN_ADAPTERS = ("full", "lora", "direft", "frozen-a")
"""The adapters whose gradient is computed in balls."""


@dataclass(frozen=True)
class ShortRun:
    """A theorem and a run that it speaks of, in floats that are meant exactly.

    Attributes:
        claim: the theorem that is tried.
        adapter: LoRA, DiReFT, A frozen or full fine-tuning.
        radii: of the domain; none where the theorem needs no ball and the adapter no radius.
        lipschitz: what C stands for, in a claim that takes one.
        knots: those of h', a row (w, h'(w)) each.
        direction: E, shape (d, k).
        offset: c, 0 of gradient descent.
        v: v_1, with R = 1.
        steps: T.
        given: constants that are free to choose: A of expected smoothness, a step size where none is prescribed, and
            the parameters that the claim alone has.

    """

    claim: Claim
    adapter: Adapter
    radii: Mapping[str, float]
    lipschitz: str
    knots: np.ndarray
    direction: np.ndarray
    offset: float
    v: Point = field(repr=False)
    steps: int
    given: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def problem(self) -> Problem:
        """F with its samples."""
        return Problem(self.ridge, self.adapter)

    @cached_property
    def ridge(self) -> Clipped:
        """The loss f, with its samples."""
        return Clipped(PiecewiseLinear.through(*self.knots.tolist()), self.offsets, direction=self.direction)

    @property
    def offsets(self) -> tuple[float, ...]:
        """What the derivatives of the samples of h add to h'."""
        return (self.offset, -self.offset) if self.offset else (0.0,)

    @cached_property
    def inputs(self) -> dict[str, Number]:
        """The theorem's parameters: certified bounds, rounded to the side on which the hypotheses hold."""
        names = {p.name for p in self.claim.parameters}
        radii = self.radii or self.start_norms
        found = theory_inputs(self.claim, self.problem, radii, self.lipschitz) | {"T": self.steps, "D": self.gap}
        if "ell" in names:
            found["ell"] = sharpest(self.problem, self.radii)
        noise = self.offset * float(np.linalg.norm(self.direction)) * self.adapter.jacobian_bound(radii) * _SPARE
        # Where the variance is at most zeta^2, expected smoothness holds with any A, B = 1 and C = zeta^2.
        found |= {"zeta": noise, "abc_b": 1, "abc_c": noise * noise * _SPARE}
        found |= {f"{radius}_1": max(norm, 1e-9) * _SPARE for radius, norm in self.start_norms.items()}
        return {name: value for name, value in (found | dict(self.given)).items() if name in names}

    @cached_property
    def start_norms(self) -> dict[str, float]:
        """The norm of each block of v_1, by the name of its radius."""
        parts = zip(self.adapter.blocks, self.adapter.norms(self.v), strict=True)
        return {block.radius: norm.item() for block, norm in parts if block.radius}

    @cached_property
    def gap(self) -> float:
        """D, at least F(v_1) - f*."""
        loss = self.problem.loss(self.v)
        error = self.problem.rounding(self.v, loss)[0].item()
        infimum = self.problem.objective.infimum.value
        return (loss.item() - infimum + error) * _SPARE + 4 * EPSILON * (abs(loss.item()) + abs(infimum))

    @cached_property
    def _values(self) -> dict[str, float]:
        return self.claim.values(**self.inputs)

    def run(self, step: float, dtype: torch.dtype, device: str) -> Run:
        """All paths, at this step size and in this arithmetic."""
        start = tuple(part.to(device, dtype) for part in self.v)
        return Run(cast_to(self.problem, dtype, device), start, step, self.steps)

    def check(self) -> None:
        """Refuse what is no run of the theorem, a start off the domain, and constants of which it says nothing.

        Raises:
            InputError: that names the field.

        """
        check_theorem(self.claim)
        if self.adapter.kind not in RUN_ADAPTERS:
            raise InputError("adapter.kind", self.adapter.kind, f"one of {', '.join(RUN_ADAPTERS)}")
        if self.knots.ndim != 2 or self.knots.shape[1] != 2:
            raise InputError("objective.knots", f"of shape {self.knots.shape}", "rows of two numbers, w and h'(w)")
        self.adapter.check(self.v, self.radii or None)
        check_lipschitz(self.lipschitz)
        check_given(self.claim, self.given, FREE)
        if self.offset < 0 or (self.offset and not is_noisy(self.claim)):
            expected = "at least 0" if is_noisy(self.claim) else "0: there is no noise"
            raise InputError("objective.offset", self.offset, expected)
        if not 1 <= self.steps <= LONGEST:
            raise InputError("steps", self.steps, f"an integer from 1 to {LONGEST}")
        self.claim.check(self.inputs)

    def compare(self, dtype: torch.dtype = torch.float64, device: str = "cpu") -> Comparison:
        """min_t E‖∇F(v_t)‖² and the bound, in this type and on this device, with their rounding errors.

        An error in v_t grows by a factor 1 + αL̂ a step, and each step adds the rounding of its own gradient and sum.
        """
        values = self._values
        alpha, smoothness, eps = values["alpha"], values["Lhat"], torch.finfo(dtype).eps
        run = self.run(alpha, dtype, device)
        terms = roundings(self.adapter)
        off, found = 0.0, []
        for v, N in zip(run.paths[:-1], run.mean_square_gradients, strict=True):
            point = tuple(part.to("cpu", torch.float64) for part in v)
            rounding = eps / EPSILON * self.problem.rounding(point, self.problem.loss(point))[1].max().item()
            slope = square_norm(self.problem.gradient(point)).max().sqrt().item()
            size = square_norm(point).max().sqrt().item()
            moved = smoothness * off + rounding
            found.append(Approx(N, 2 * slope * moved + moved * moved + terms * eps * (N + slope * slope)))
            off += alpha * moved + terms * eps * (size + alpha * (slope + abs(self.offset)))
        least = min(found, key=lambda N: N.value)
        return Comparison(Approx(least.value, max(N.error for N in found)), self._bound)

    @cached_property
    def _bound(self) -> Approx:
        """The bound as a float, and how far it may be off: a formula may take away nearly all of a number."""
        value = self._values["bound"]
        off = upper(abs(self.claim.enclosures(**self.inputs)["bound"] - arb(value)))
        return Approx(value, max(off, 16 * EPSILON * value))

    @cached_property
    def stays(self) -> bool:
        """Whether every iterate of every path is inside the domain, as computed and with a little to spare."""
        run = self.run(self._values["alpha"], torch.float64, "cpu")
        inner = {name: radius / _SPARE for name, radius in self.radii.items()}
        return not self.radii or all(bool(self.adapter.inside(v, inner).all()) for v in run.paths)

    @property
    def ratio(self) -> float:
        """Measured over bound, in floats: above 1 only `certify` decides."""
        return self.compare().ratio

    def certified(self) -> Certificate:
        """What is certain at the exact step size: every path in Arb balls, all iterates inside, both sides."""
        try:
            self.check()
        except InputError:
            return Certificate(False, 0.0, False)
        with ctx.workprec(_BITS):
            found = self.claim.enclosures(**self.inputs)
            exact = _Exact(self, found["alpha"])
            model = Model(
                Balls(),
                iterates=lambda name, t, path: exact.at(t, path),
                functions={F: Function(_no_value, exact.gradient)},
                horizon=self.steps,
                weights=exact.paths.weights,
            )
            measured = model.number(self.claim.conclusion.lhs)
            ratio = measured / found["bound"]
            inside = all(
                exact.is_inside(t, path) for t in range(1, self.steps + 2) for path in range(len(exact.paths.draws))
            )
            low = max(lower(ratio), 0.0) if ratio.is_finite() else 0.0
            return Certificate(inside, low, inside and bool(measured > upper(found["bound"])))

    @property
    def title(self) -> str:
        """The adapter's name and the number of iterations."""
        return f"{self.adapter.title}, {self.steps} iteration{'s' if self.steps > 1 else ''}"

    def __str__(self) -> str:
        radii = "".join(f", {name} = {radius:.6g}" for name, radius in self.radii.items())
        constants = ", ".join(f"{name} = {float(sp.N(value)):.6g}" for name, value in self.inputs.items())
        blocks = zip(self.adapter.blocks, self.v, strict=True)
        return "\n".join(
            [
                f"{self.title}{radii}",
                f"f(W) = h(<E, W>) with h' through {matrix_text(self.knots)}, samples ±{self.offset:.6g} <E, W> apart",
                f"E = {matrix_text(self.direction)}",
                *(f"v_1: {block.name} = {matrix_text(part[0].numpy())}" for block, part in blocks),
                f"constants: {constants}",
            ]
        )

    def as_json(self) -> dict[str, Any]:
        """Plain data, from which `from_json` makes the same run."""
        return {
            "kind": "run",
            "claim": named(self.claim),
            "adapter": adapter_as_json(self.adapter),
            "radii": dict(self.radii),
            "lipschitz": self.lipschitz,
            "objective": {"knots": self.knots.tolist(), "direction": self.direction.tolist(), "offset": self.offset},
            "v": {block.name: part[0].tolist() for block, part in zip(self.adapter.blocks, self.v, strict=True)},
            "steps": self.steps,
            "given": dict(self.given),
        }

    @classmethod
    def from_json(cls, data: Any) -> "ShortRun":
        """The run that `as_json` wrote; raises InputError that names the field that is wrong."""
        found = Fields(data, "instance")
        claim, adapter = found.claim(), adapter_of(found.table("adapter"))
        steps, offset = found.integer("steps"), found.table("objective").number("offset")
        check_extent(adapter, (2 if offset else 1) ** min(max(steps, 1), LONGEST) * LONGEST)
        radii, objective, given = found.table("radii"), found.table("objective"), found.table("given")
        made = cls(
            claim,
            adapter,
            {name: radii.positive(name) for name in adapter.radius_names if name in radii.data},
            found.text("lipschitz"),
            objective.matrix("knots"),
            objective.matrix("direction", tuple(adapter.W0.shape)),
            offset,
            point_of(found.table("v"), adapter),
            steps,
            {name: given.positive(name) for name in given.data},
        )
        made.check()
        return made


certify.register(ShortRun, ShortRun.certified)


def is_noisy(claim: Claim) -> bool:
    """Whether the theorem is about stochastic gradients, and not about gradient descent."""
    return any(p.name in ("zeta", "abc_c") for p in claim.parameters)


def check_theorem(claim: Claim) -> None:
    """Refuse what is no theorem about the smallest expected squared gradient, and hypotheses that no run is made for.

    Raises:
        InputError: that says which.

    """
    if claim.names[-1:] != ("bound",) or "alpha" not in claim.names:
        raise InputError("claim", claim.id, "a theorem with a step size alpha and a bound")
    if claim.conclusion != sp.Le(MINIMUM_GRADIENT, bound):
        raise InputError("claim.conclusion", claim.conclusion, f"{MINIMUM_GRADIENT} <= bound")
    known = {hypothesis for each in catalogue.values() if "alpha" in each.names for hypothesis in each.hypotheses}
    for hypothesis in claim.hypotheses:
        if hypothesis not in known:
            raise InputError("claim.hypotheses", hypothesis.id, "hypotheses of the catalogue's theorems alone")


def _no_value(point: tuple[arb_mat, ...]) -> arb:
    raise TypeError("a theorem about F(v_t) itself has no certificate")


class _Exact:
    """All paths of a run in Arb balls, at a step size that is one."""

    def __init__(self, run: ShortRun, alpha: arb) -> None:
        self.run = run
        self.adapter = with_arrays(run.adapter, numbers_of)
        self.direction = numbers_of(torch.as_tensor(run.direction))
        start = tuple(numbers_of(part[0]) for part in run.v)
        self.paths = Paths(start, self._gradient, descent(alpha), run.offsets, run.steps)

    def at(self, t: int, path: int) -> tuple[arb_mat, ...]:
        """The iterate v_t of a path."""
        return tuple(arb_mat(part.tolist()) for part in self.paths.state(t, path))

    def gradient(self, point: tuple[arb_mat, ...]) -> tuple[arb_mat, ...]:
        """The gradient of F."""
        v = tuple(np.array(part.tolist(), dtype=object) for part in point)
        return tuple(arb_mat(part.tolist()) for part in self._gradient(v, 0.0))

    def _gradient(self, v: tuple[np.ndarray, ...], offset: float) -> tuple[np.ndarray, ...]:
        exact = cast(Any, self.adapter)
        w = (self.direction * exact.weight(v)).sum()
        value, _ = slope_at(self.run.ridge.slope, w)
        return cast(tuple[np.ndarray, ...], exact.pull_back(v, (value + arb(offset)) * self.direction))

    def is_inside(self, t: int, path: int) -> bool:
        """Whether v_t is certainly in the ball."""
        parts = zip(self.adapter.blocks, self.at(t, path), strict=True)
        limits = self.run.radii
        return all(
            bool(Balls().spectral(part) <= ball_of(Fraction(limits[block.radius])))
            for block, part in parts
            if block.radius in limits
        )
