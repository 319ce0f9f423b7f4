r"""`ShortRun`: a run of a few iterations that a theorem is tried on, all of its sample paths, and
both sides there.

The loss is h(<E, W>) with h' piecewise linear, its two samples :math:`\pm c\langle E, W\rangle`
apart from it. So with T iterations there are 2^T paths, every expectation is a finite sum, and
nothing is left to statistics. `FloatPaths` goes along all of them in floats with bounds on their
rounding errors, and the run itself in Arb balls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, reduce
from itertools import product
from operator import or_
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import sympy as sp
import torch
from flint import arb, arb_mat, ctx
from pydantic import StrictInt

from boundcheck.errors import InputError, one_of
from boundcheck.exact.balls import (
    Balls,
    Blocks,
    Vector,
    ball_of,
    blocks_of,
    lower,
    square_norm_of,
    upper,
)
from boundcheck.exact.evaluate import Model, Paths, VectorFunction
from boundcheck.exact.floats import Approx, Comparison
from boundcheck.functions.adapters import ADAPTERS, Adapter, Radii
from boundcheck.functions.arithmetic import (
    EPSILON,
    Point,
    apart,
    euclidean_norm,
    replicate,
    square_norm,
)
from boundcheck.functions.checks import check_steps
from boundcheck.functions.judged import BITS, OfAdapter, check_words
from boundcheck.functions.objectives.clipped import Clipped
from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.functions.problem import Problem
from boundcheck.language.claim import Claim
from boundcheck.language.evidence import HOLDS, UNKNOWN, Answer, Extent, at_most
from boundcheck.language.hypotheses import Worst
from boundcheck.language.measures import MEASURES, SMOOTHNESS, PerformanceMeasure
from boundcheck.language.sentence import algorithm_of, measure_of, takes, words_of
from boundcheck.language.symbols import R_1, D, Number, T, abc_a, abc_b, abc_c, ell, eta, zeta
from boundcheck.worst_case import instance as adapted
from boundcheck.worst_case.instance import Fields, Finite, OfRun, Positive, matrix_text


class FloatPaths:
    """Every path as one replica, each state with a bound on the norm of its error.

    The algorithm's `drift` turns errors of a state and a gradient into an error of the next state,
    and each step adds the rounding of its own gradient and sums.
    """

    def __init__(self, run: ShortRun) -> None:
        self.run = run
        self.problem = run.problem
        self.unit = adapted.roundings(run.adapter) * EPSILON
        known = {name: float(sp.N(value)) for name, value in run.inputs.items()} | run.derived
        algorithm = run.algorithm
        draws = torch.tensor(list(product(range(len(run.offsets)), repeat=run.steps)))
        numbers = {symbol.name: known[symbol.name] for symbol in algorithm.parameters}
        self.states = [algorithm.start(replicate(run.v, len(draws)), numbers)]
        self.errors: list[tuple[float, ...]] = [(0.0,) * len(self.states[0])]
        for t in range(1, run.steps + 1):
            state = self.states[-1]
            errors = self.errors[-1]
            place = algorithm.query(state, t, numbers)
            gradient = self.problem.batch_gradient(place, draws[:, t - 1 : t])
            self.states.append(algorithm.step(state, gradient, t, numbers))
            off = (
                run.lipschitz_constant * algorithm.reach(errors, t, numbers)
                + self._roundings(place)[1]
            )
            moved = algorithm.drift(errors, off, t, numbers)
            steepest = _largest(self.problem.gradient(place)) + abs(run.offset)
            rounded = algorithm.drift([_largest(vector) for vector in state], steepest, t, numbers)
            self.errors.append(
                tuple(x + self.unit * y for x, y in zip(moved, rounded, strict=True))
            )

    def iterate(self, t: int) -> Point:
        return cast(Point, self.run.algorithm.iterate(self.states[t - 1]))

    def _roundings(self, v: Point) -> tuple[float, float]:
        """The largest rounding errors of the loss and of the gradient."""
        loss, gradient = self.problem.rounding(v, self.problem.loss(v))
        return loss.max().item(), gradient.max().item()

    def seen(self, t: int) -> Approx:
        """The mean over all paths of the observed numbers at v_t."""
        run = self.run
        v = self.iterate(t)
        off = self.errors[t - 1][0]
        unit = self.unit
        observable = run.measure.observable
        L = run.lipschitz_constant
        gradients = self.problem.gradient(v)
        slope = _largest(gradients)
        N = square_norm(gradients)
        loss, gradient = self._roundings(v)
        shift = L * off + gradient
        least = run.problem.objective.infimum.value
        gap = self.problem.loss(v) - least
        lost = loss + 4 * EPSILON * (gap.abs().max().item() + abs(least))
        away: Any = v[0].new_zeros(())
        gone = 0.0
        if run.minimiser is not None:
            away = square_norm(apart(v, run.minimiser))
            gone = off + unit * (_largest(v) + _largest(run.minimiser))
        looks = SimpleNamespace(gradient_square=N, gap=gap, square_distance=away)
        errors = SimpleNamespace(
            gradient_square=2 * slope * shift
            + shift * shift
            + unit * (N.mean().item() + slope * slope),
            gap=lost + slope * off + L * off * off / 2,
            square_distance=2 * float(away.max()) ** 0.5 * gone
            + gone * gone
            + unit * float(away.max()),
        )
        return Approx(observable.of(looks).mean().item(), observable.of(errors))


def _largest(v: Point) -> float:
    return square_norm(v).max().sqrt().item() if v else 0.0


def zero_of(slope: PiecewiseLinear) -> Fraction:
    """The minimiser of the integral of a piecewise linear function."""
    zeros = [piece.start - piece.value / piece.slope for piece in slope.pieces if piece.slope]
    return min((*zeros, *(w for w, _ in slope.knots)), key=slope.integral)


# The conditions of the theorems hold with this margin, so that no rounding can break them.
_SPARE = 1 + 1e-9
LONGEST = 6
"""The most iterations."""


@dataclass(frozen=True)
class ShortRun(OfRun, OfAdapter):
    """A theorem and a run to which it applies, in exact floats.

    Attributes:
        claim: the theorem that is tried.
        adapter: LoRA, DiReFT, A frozen or full fine-tuning.
        radii: of the domain; none if the theorem needs no ball and the adapter no radius.
        lipschitz: the meaning of C, in a claim that has one.
        knots: of h', a row (w, h'(w)) each.
        direction: E, shape (d, k).
        offset: c, 0 for gradient descent.
        v: v_1, with R = 1.
        steps: T.
        given: free constants: A of expected smoothness, a step size if none is prescribed, and the
            claim's own parameters.

    """

    claim: Claim
    adapter: Adapter
    radii: Radii
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
        return Clipped(
            PiecewiseLinear.through(*self.knots.tolist()), self.offsets, direction=self.direction
        )

    @property
    def offsets(self) -> tuple[float, ...]:
        """The differences between the derivatives of the samples of h and h'."""
        return (self.offset, -self.offset) if self.offset else (0.0,)

    # The constants of the theorem.

    @cached_property
    def inputs(self) -> dict[str, Number]:
        """The theorem's parameters: certified bounds, rounded so that the hypotheses hold."""
        names = {p.name for p in self.claim.parameters}
        steepest = self.problem.gradient_bound(self.radii).value
        found = (
            self.problem.theory_inputs(self.claim, self._domain, self.lipschitz, steepest)
            | self._known
        )
        if takes(self.claim, ell):
            found[ell.name] = self.problem.sharpest(self.radii)
        return {name: value for name, value in (found | dict(self.given)).items() if name in names}

    @cached_property
    def _known(self) -> dict[str, Number]:
        """The constants that follow from the run, its start and its noise."""
        noise = (
            self.offset
            * float(np.linalg.norm(self.direction))
            * self.adapter.jacobian_bound(self._domain)
            * _SPARE
        )
        found: dict[str, Number] = {
            T.name: self.steps,
            D.name: self.gap_bound,
            R_1.name: self._distance,
        }
        # Where the variance is at most zeta^2, expected smoothness holds with any A, B = 1 and C =
        # zeta^2.
        found |= {zeta.name: noise, abc_b.name: 1, abc_c.name: noise * noise * _SPARE}
        return found | {f"{radius}_1": norm * _SPARE for radius, norm in self.start_norms.items()}

    @property
    def chosen(self) -> Mapping[str, Any]:
        """The constants that every instance with an adapter has, and those that follow from the
        run.
        """
        found = {**super().chosen, **self._known}
        if not takes(self.claim, ell) and self.adapter.claims:
            found[ell.name] = self.problem.sharpest(self._domain)
        return found

    @property
    def constants(self) -> Mapping[str, float]:
        return self.adapter.constants(self._domain)

    @property
    def _domain(self) -> Radii:
        """The radii, or the norms of v_1 where there are none."""
        return self.radii or self.start_norms

    @cached_property
    def start_norms(self) -> dict[str, float]:
        """The norm of each block of v_1, by the name of its radius; of a block that is 0 a bound,
        since claims speak of positive radii.
        """
        parts = zip(self.adapter.blocks, self.adapter.norms(self.v), strict=True)
        return {block.radius: max(norm.item(), 1e-9) for block, norm in parts if block.radius}

    @cached_property
    def gap_bound(self) -> float:
        """D, at least F(v_1) - f*."""
        loss = self.problem.loss(self.v)
        error = self.problem.rounding(self.v, loss)[0].item()
        infimum = self.problem.objective.infimum.value
        return (loss.item() - infimum + error) * _SPARE + 4 * EPSILON * (
            abs(loss.item()) + abs(infimum)
        )

    @cached_property
    def derived(self) -> dict[str, float]:
        """The theorem's quantities."""
        return self.claim.values(**self.inputs)

    @cached_property
    def measure(self) -> PerformanceMeasure:
        """The measure of a theorem that passed `check_theorem`."""
        return cast(PerformanceMeasure, measure_of(self.claim))

    @cached_property
    def says(self) -> Worst:
        """The hypotheses' words about F and the noise."""
        return reduce(
            or_, (word.worst for _, word in words_of(self.claim) if word and word.worst), Worst()
        )

    @property
    def lipschitz_constant(self) -> float:
        """The claim's own Lipschitz constant of the gradient of F."""
        return self.derived[SMOOTHNESS.symbol.name]

    @cached_property
    def minimiser(self) -> Point | None:
        """The minimiser of F nearest to v_1, if the theorem needs one; the adapter is then linear
        in v.
        """
        if self.says.distance is None:
            return None
        if not square_norm(self._pull).item() > 0:
            raise InputError(
                "objective.direction", matrix_text(self.direction), "one along which v moves W"
            )
        w = (torch.as_tensor(self.direction) * self.adapter.weight(self.v)).sum().item()
        way = (w - float(zero_of(self.ridge.slope))) / square_norm(self._pull).item()
        return tuple(x - way * y for x, y in zip(self.v, self._pull, strict=True))

    @cached_property
    def _pull(self) -> Point:
        """The gradient of <E, W(v)> at v_1."""
        return self.adapter.pull_back(self.v, torch.as_tensor(self.direction).unsqueeze(0))

    @cached_property
    def _distance(self) -> float:
        """An upper bound on the distance from v_1 to the minimiser."""
        if self.minimiser is None:
            return 0.0
        way = euclidean_norm(apart(self.v, self.minimiser)).item()
        size = euclidean_norm(self.v).item()
        return (way + adapted.roundings(self.adapter) * EPSILON * (way + size)) * _SPARE

    @property
    def _steepness(self) -> float:
        """A lower bound on F's strong convexity constant as far from its minimiser as v_1; 0 unless
        v is a number.
        """
        if self.adapter.W0.numel() > 1 or self.adapter.blocks[0].shape != self.adapter.W0.shape:
            return 0.0
        pull = abs(self._pull[0].item())
        slope = self.ridge.slope
        zero = zero_of(slope)
        reach = Fraction(self._distance * pull * _SPARE)
        ends = [piece.start for piece in slope.pieces[1:]]
        met = [
            piece.slope
            for piece, start, end in zip(slope.pieces, [None, *ends], [*ends, None], strict=True)
            if (start is None or start < zero + reach) and (end is None or end > zero - reach)
        ]
        return float(min(met)) * pull * pull / _SPARE

    def check(self) -> None:
        """Check that this is a run of the theorem, that it starts inside the domain, and that the
        constants apply.

        Raises:
            InputError: that names the field.

        """
        check_theorem(self.claim)
        if not self.adapter.is_run:
            run = [kind for kind, adapter in ADAPTERS.items() if adapter.is_run]
            raise InputError("adapter.kind", self.adapter.kind, one_of(self.adapter.kind, run))
        if self.knots.ndim != 2 or self.knots.shape[1] != 2:
            raise InputError(
                "objective.knots",
                f"of shape {self.knots.shape}",
                "rows of two numbers, w and h'(w)",
            )
        self.adapter.check(self.v, self.radii or None)
        adapted.check_lipschitz(self.lipschitz)
        adapted.check_given(self.claim, self.given, free_of(self.claim))
        if self.offset < 0 or (self.offset and not self.algorithm.is_stochastic):
            raise InputError(
                "objective.offset",
                self.offset,
                "at least 0" if self.algorithm.is_stochastic else "0: there is no noise",
            )
        if not 1 <= self.steps <= LONGEST:
            raise InputError("steps", self.steps, f"an integer from 1 to {LONGEST}")
        self.claim.check(self.inputs)
        if self.says.distance is not None and not self.adapter.is_linear:
            raise InputError(
                "adapter.kind",
                self.adapter.kind,
                "an adapter that is linear in v, so that F has a minimiser",
            )
        if (strong := self.says.strong) is not None and not float(
            sp.N(self.inputs[strong.name])
        ) <= self._steepness:
            raise InputError(
                f"given.{strong.name}", self.inputs[strong.name], f"at most {self._steepness:g}"
            )

    # In floats.

    def compare(self) -> Comparison:
        """The measure and the bound, with their rounding errors."""
        paths = FloatPaths(self)
        found = [paths.seen(t) for t in self.measure.over.times(self.steps)]
        measured = self.measure.value([N.value for N in found])
        return Comparison(Approx(measured, max(N.error for N in found)), self._bound)

    @cached_property
    def _bound(self) -> Approx:
        """The bound as a float, and its error: a formula may cancel nearly all of a number."""
        value = self.derived[self.claim.names[-1]]
        off = upper(abs(self.claim.enclosures(**self.inputs)[self.claim.names[-1]] - arb(value)))
        return Approx(value, max(off, 16 * EPSILON * value))

    @cached_property
    def stays(self) -> bool:
        """True if every iterate of every path is inside the domain, as computed and with a small
        margin.
        """
        if not self.radii:
            return True
        paths = FloatPaths(self)
        inner = {x: r / (1 + 1e-9) for x, r in self.radii.items()}
        return all(
            bool(self.adapter.inside(paths.iterate(t), inner).all())
            for t in range(1, self.steps + 2)
        )

    # In balls.

    @cached_property
    def _exact(self) -> tuple[Any, np.ndarray]:
        """The adapter and E in balls."""
        direction = adapted.numbers_of(torch.as_tensor(self.direction))
        return adapted.with_arrays(self.adapter, adapted.numbers_of), direction

    def _along(self, v: Any) -> arb:
        adapter, direction = self._exact
        return (direction * adapter.weight(v)).sum()

    def _gradient(self, v: Any, offset: float = 0.0) -> Vector:
        adapter, direction = self._exact
        value, _ = adapted.slope_at(self.ridge.slope, self._along(v))
        return Vector(adapter.pull_back(v, (value + arb(offset)) * direction))

    def _height(self, v: Any) -> arb:
        """F, as the integral of h' from its first knot."""
        slope = self.ridge.slope
        w = self._along(v)
        first = slope.pieces[0]
        total = ball_of(first.value) * (w.min(ball_of(first.start)) - ball_of(first.start))
        for piece, way in adapted.ways(slope, w):
            total += ball_of(piece.value) * way + ball_of(piece.slope) * way * way / 2
        return total

    @cached_property
    def paths(self) -> Paths[Any, Any]:
        """Every path in balls, at the exact step size."""
        with ctx.workprec(BITS):
            start = Vector(adapted.numbers_of(part[0]) for part in self.v)
            return self.walk(start, self._gradient, self.offsets, self.steps)

    @cached_property
    def _nearest(self) -> Vector:
        """The minimiser in balls."""
        v, *_ = self.paths.start
        adapter, direction = self._exact
        pull = Vector(adapter.pull_back(v, direction))
        way = (self._along(v) - ball_of(zero_of(self.ridge.slope))) / square_norm_of(pull)
        return cast(Vector, v - way * pull)

    def model(self) -> Model[arb, arb_mat]:
        """All iterates, gradients and values."""

        def arrays(point: Blocks) -> tuple[np.ndarray, ...]:
            return tuple(np.array(part.tolist(), dtype=object) for part in point)

        function = VectorFunction(
            lambda point: self._height(arrays(point)),
            lambda point: blocks_of(self._gradient(arrays(point))),
        )
        minimiser = None if self.minimiser is None else blocks_of(self._nearest)
        blocks = {
            x.name: place for place, x in enumerate(self.adapter.blocks) if x.name in {"A", "B"}
        }
        return self.on_paths(self.paths, function, minimiser, blocks)

    def sides(self) -> tuple[float, bool]:
        """Both sides in Arb balls; nothing is certain where the claim says nothing at these
        constants.
        """
        try:
            bound = self.claim.enclosures(**self.inputs)[self.claim.names[-1]]
        except InputError:
            return 0.0, False
        with ctx.workprec(BITS):
            measured = self.model().number(self.claim.conclusion.lhs)
            ratio = measured / bound
            low = max(lower(ratio), 0.0) if ratio.is_finite() else 0.0
            return low, bool(measured > upper(bound))

    # What the judge is told.

    @property
    def least(self) -> Fraction:
        """The least value of h."""
        return self.ridge.slope.minimum

    def reached(self, radius: str) -> Extent:
        """The largest norm of the block with this radius, over every iterate of every path."""
        return Extent.of(self._norms[self.adapter.radius_names.index(radius)])

    @cached_property
    def _norms(self) -> list[arb]:
        with ctx.workprec(BITS):
            points = [self.at(self.paths, t, path) for t, path in self.paths.places]
            return [
                reduce(arb.max, map(Balls().spectral, parts)) for parts in zip(*points, strict=True)
            ]

    def on_domain(self) -> Answer:
        """The answer to whether every iterate of every path is inside the domain."""
        found = HOLDS
        for name, radius in self.radii.items():
            found &= at_most(
                "the largest norm", self.reached(name), name, Extent.of(Fraction(radius))
            )
        return found

    def smoothness(self, where: str) -> Extent:
        """At most what the sharpest claim about the adapter says: on the domain, or everywhere if W
        is linear in v.
        """
        if self.adapter.is_linear or (where == "path" and self.radii and self.on_domain() == HOLDS):
            return Extent(most=Fraction(self.problem.sharpest(self._domain)))
        return UNKNOWN

    def convexity(self, where: str) -> Extent:
        """At least 0 where h is convex and W linear in v; more near the minimiser, where v is a
        number.
        """
        if not self.adapter.is_linear or min(piece.slope for piece in self.ridge.slope.pieces) < 0:
            return UNKNOWN
        return Extent(
            least=Fraction(
                self._steepness if where == "near" and self.minimiser is not None else 0.0
            )
        )

    def infimum(self) -> Extent:
        return Extent(least=self.least)

    def gap(self) -> Extent:
        """At most F(v_1) minus the least value of h, which is at least the gap."""
        with ctx.workprec(BITS):
            return Extent(
                most=self._height(self.algorithm.iterate(self.paths.start)) - ball_of(self.least)
            )

    def distance(self) -> Extent:
        """The distance from v_1 to the minimiser, for W linear in v; unknown where the theorem
        needs no minimiser.
        """
        if self.minimiser is None:
            return UNKNOWN
        with ctx.workprec(BITS):
            return Extent.of(square_norm_of(self.paths.start[0] - self._nearest).sqrt())

    def variance(self) -> Extent:
        """A bound on the variance on the domain, or everywhere where W is linear in v."""
        if not (self.radii or self.adapter.is_linear or not self.offset):
            return UNKNOWN
        widest = self.adapter.jacobian_bound(self._domain) if self.offset else 0.0
        with ctx.workprec(BITS):
            return Extent(
                most=(arb(self.offset) * arb(widest)) ** 2
                * sum(arb(x) ** 2 for x in self.direction.flat)
            )

    @property
    def title(self) -> str:
        """The adapter's name and the number of iterations."""
        return f"{self.adapter.title}, {self.steps} iteration{'s' if self.steps > 1 else ''}"

    def __str__(self) -> str:
        radii = "".join(f", {name} = {radius:.6g}" for name, radius in self.radii.items())
        constants = ", ".join(
            f"{name} = {float(sp.N(value)):.6g}" for name, value in self.inputs.items()
        )
        blocks = zip(self.adapter.blocks, self.v, strict=True)
        return "\n".join(
            [
                f"{self.title}{radii}",
                (
                    f"f(W) = h(<E, W>) with h' through {matrix_text(self.knots)}, samples"
                    f" ±{self.offset:.6g} <E, W> apart"
                ),
                f"E = {matrix_text(self.direction)}",
                *(f"v_1: {block.name} = {matrix_text(part[0].numpy())}" for block, part in blocks),
                f"constants: {constants}",
            ]
        )

    def as_json(self) -> dict[str, Any]:
        """Plain data, from which `from_json` makes the same run."""
        return {
            "kind": "run",
            "claim": self.claim.id,
            "digest": self.claim.digest,
            "adapter": adapted.adapter_as_json(self.adapter),
            "radii": dict(self.radii),
            "lipschitz": self.lipschitz,
            "objective": {
                "knots": self.knots.tolist(),
                "direction": self.direction.tolist(),
                "offset": self.offset,
            },
            "v": adapted.point_as_json(self.adapter, self.v),
            "steps": self.steps,
            "given": dict(self.given),
        }

    @classmethod
    def from_json(cls, data: Any, claim: Claim) -> ShortRun:
        """The run that `as_json` wrote; raises InputError that names the field that is wrong."""
        found = Fields(data, "instance")
        adapter = adapted.read_adapter(found.table("adapter"))
        steps = found.get("steps", StrictInt)
        offset = found.table("objective").get("offset", Finite)
        adapted.check_extent(adapter, (2 if offset else 1) ** min(max(steps, 1), LONGEST) * LONGEST)
        radii = found.table("radii")
        objective = found.table("objective")
        given = found.table("given")
        made = cls(
            claim,
            adapter,
            {
                name: radii.get(name, Positive)
                for name in adapter.radius_names
                if name in radii.data
            },
            found.get("lipschitz", str),
            objective.matrix("knots"),
            objective.matrix("direction", tuple(adapter.W0.shape)),
            offset,
            adapted.read_point(found.table("v"), adapter),
            steps,
            {name: given.get(name, Positive) for name in given.data},
        )
        made.check()
        return made


def free_of(claim: Claim) -> set[str]:
    """The names of the free constants, which do not follow from an instance."""
    algorithm = algorithm_of(claim)
    words = [word for _, word in words_of(claim) if word]
    free = {*(algorithm.parameters if algorithm else ()), eta, abc_a}
    free |= {word.worst.strong for word in words if word.worst and word.worst.strong}
    return {symbol.name for symbol in free}


def check_theorem(claim: Claim) -> None:
    """Check that the claim is a theorem about an algorithm, with hypotheses that runs can meet.

    The judge says whether a run meets them. A hypothesis that it cannot decide makes each run a
    candidate.

    Raises:
        InputError: that says what is missing.

    """
    if (algorithm := algorithm_of(claim)) is None or not claim.quantities:
        raise InputError(
            "claim", claim.id, "a theorem about an algorithm, with its parameters and a bound"
        )
    if algorithm.no_exact:
        raise InputError(
            "claim",
            claim.id,
            f"an algorithm with exact steps; {algorithm.title} has none, for {algorithm.no_exact}",
        )
    if algorithm.asks:
        raise InputError(
            "claim",
            claim.id,
            f"an algorithm that asks for gradients alone; {algorithm.title} asks for"
            f" {', '.join(algorithm.asks)}",
        )
    # What is computed is the one step, and what is certified the other.
    check_steps(algorithm)
    if not isinstance(measure := measure_of(claim), PerformanceMeasure):
        stated = [
            str(each.statement)
            for each in MEASURES.values()
            if isinstance(each, PerformanceMeasure)
        ]
        raise InputError(
            "claim.conclusion", claim.conclusion, f"{' or '.join(stated)}, at most the bound"
        )
    measure.check_exactly()
    check_words(claim)
