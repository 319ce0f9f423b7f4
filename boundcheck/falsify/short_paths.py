"""All sample paths of a short run: in floats with bounds on their rounding errors, and in Arb balls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import sympy as sp
import torch
from flint import arb, arb_mat
from torch import Tensor

from boundcheck.claims.symbols import f_star
from boundcheck.claims.vocabulary import A, B, F, v_star
from boundcheck.exact.balls import Balls, Vector, ball_of, square_norm_of
from boundcheck.exact.evaluate import Function, Model
from boundcheck.exact.paths import Paths, all_draws
from boundcheck.exact.rounded import Approx
from boundcheck.falsify.certify import numbers_of, slope_at, with_arrays
from boundcheck.falsify.instance import roundings
from boundcheck.problems.cast import cast_to
from boundcheck.problems.constant import EPSILON
from boundcheck.problems.norms import Point, square_norm
from boundcheck.problems.piecewise import PiecewiseLinear
from boundcheck.problems.sgd import replicate
from boundcheck.words.algorithms.base import Space

if TYPE_CHECKING:
    from boundcheck.falsify.theorem import ShortRun


@dataclass(frozen=True)
class _Look:
    """The observed numbers at an iterate."""

    gradient_square: Any
    gap: Any
    square_distance: Any


class FloatPaths:
    """Every path as one replica, each state with a bound on the norm of its error.

    The algorithm's `drift` turns errors of a state and a gradient into an error of the next state, and each step adds
    the rounding of its own gradient and sums.
    """

    def __init__(self, run: ShortRun, numbers: Mapping[str, float], dtype: torch.dtype, device: str) -> None:
        self.run, self.numbers, self.epsilon = run, numbers, torch.finfo(dtype).eps
        self.problem = cast_to(run.problem, dtype, device)
        self.draws = torch.tensor(all_draws(len(run.offsets), run.steps))
        start = tuple(part.to(device, dtype) for part in run.v)
        self.states = [run.algorithm.start(replicate(start, len(self.draws)), numbers)]
        self.errors: list[tuple[float, ...]] = [(0.0,) * len(self.states[0])]
        self.terms = roundings(run.adapter)
        for t in range(1, run.steps + 1):
            self._advance(t)

    def _advance(self, t: int) -> None:
        algorithm, state, numbers = self.run.algorithm, self.states[-1], self.numbers
        place = algorithm.query(state, t, numbers)
        gradient = self.problem.batch_gradient(place, self.draws[:, t - 1 : t])
        self.states.append(algorithm.step(state, gradient, t, numbers))
        off = algorithm.reach(self.errors[-1], t, numbers)
        moved = algorithm.drift(self.errors[-1], self.run.lipschitz_constant * off + self._rounding(place), t, numbers)
        sizes = [_largest(vector) for vector in state]
        rounded = algorithm.drift(sizes, self._slope(place) + abs(self.run.offset), t, numbers)
        self.errors.append(tuple(x + self.terms * self.epsilon * y for x, y in zip(moved, rounded, strict=True)))

    def iterate(self, t: int) -> Point:
        return cast(Point, self.run.algorithm.iterate(self.states[t - 1]))

    def _slope(self, v: Point) -> float:
        return _largest(self.problem.gradient(v))

    def _rounding(self, v: Point) -> float:
        """The rounding error of the gradient."""
        return self.epsilon / EPSILON * self._roundings(v)[1].max().item()

    def _roundings(self, v: Point) -> tuple[Tensor, Tensor]:
        point = tuple(part.to("cpu", torch.float64) for part in v)
        return self.run.problem.rounding(point, self.run.problem.loss(point))

    def seen(self, t: int) -> Approx:
        """The mean over all paths of the observed numbers at v_t."""
        run, v, off = self.run, self.iterate(t), self.errors[t - 1][0]
        observable, slope, L = run.measure.observable, self._slope(v), run.lipschitz_constant
        shift = L * off + self._rounding(v)
        N = square_norm(self.problem.gradient(v))
        unit, exactly = self.terms * self.epsilon, self.epsilon / EPSILON
        least = run.problem.objective.infimum.value
        gap = self.problem.loss(v) - least
        lost = exactly * (self._roundings(v)[0].max().item() + 4 * EPSILON * (gap.abs().max().item() + abs(least)))
        away: Any = v[0].new_zeros(())
        gone = 0.0
        if run.minimiser is not None:
            ends = tuple(part.to(v[0].device, v[0].dtype) for part in run.minimiser)
            away = square_norm(tuple(x - y for x, y in zip(v, ends, strict=True)))
            gone = off + unit * (_largest(v) + _largest(ends))
        looks = _Look(N, gap, away)
        errors = _Look(
            2 * slope * shift + shift * shift + unit * (N.mean().item() + slope * slope),
            lost + slope * off + L * off * off / 2,
            2 * float(away.max()) ** 0.5 * gone + gone * gone + unit * float(away.max()),
        )
        return Approx(observable.of(looks).mean().item(), observable.of(errors))

    @property
    def inside(self) -> bool:
        """Whether every iterate of every path is inside the domain, as computed and with a small margin."""
        run = self.run
        inner = {name: radius / (1 + 1e-9) for name, radius in run.radii.items()}
        return all(bool(run.adapter.inside(self.iterate(t), inner).all()) for t in range(1, run.steps + 2))


def _largest(v: Point) -> float:
    return square_norm(v).max().sqrt().item() if v else 0.0


def zero_of(slope: PiecewiseLinear) -> Fraction:
    """The minimiser of the integral."""
    zeros = [piece.start - piece.value / piece.slope for piece in slope.pieces if piece.slope]
    return min((*zeros, *(w for w, _ in slope.knots)), key=slope.integral)


class BallPaths:
    """Every path in Arb balls, at parameters that are balls."""

    def __init__(self, run: ShortRun, numbers: Mapping[str, arb]) -> None:
        self.run = run
        self.adapter: Any = with_arrays(run.adapter, numbers_of)
        self.direction = numbers_of(torch.as_tensor(run.direction))
        start = Vector(numbers_of(part[0]) for part in run.v)
        space, algorithm = Space(square_norm_of, arb.sqrt), run.algorithm
        self.paths: Paths[Any, Any] = Paths(
            algorithm.exact_start(start, numbers),
            self._gradient,
            lambda state, g, t: algorithm.exact_step(state, g, t, numbers, space),
            run.offsets,
            run.steps,
            query=lambda state, t: algorithm.exact_query(state, t, numbers),
        )

    def model(self, values: Mapping[sp.Symbol, sp.Expr]) -> Model[arb, arb_mat]:
        """The values of the letters of a statement, where these are the claim's."""
        matrices = {} if self.run.minimiser is None else {v_star: _as_matrices(self.minimiser)}
        return Model(
            Balls(),
            numbers={f_star: ball_of(self.run.ridge.slope.minimum)},
            matrices=matrices,
            iterates=self._iterate,
            functions={F: Function(self.value, self.gradient)},
            blocks={X: self.blocks[X.name] for X in (A, B) if X.name in self.blocks},
            horizon=self.run.steps,
            weights=self.paths.weights,
            past=self.paths.past,
            values=values,
        )

    @cached_property
    def blocks(self) -> dict[str, int]:
        """The places of A and B in v, as far as they are trained."""
        return {block.name: place for place, block in enumerate(self.run.adapter.blocks) if block.name in {"A", "B"}}

    def _iterate(self, name: str, t: int, path: int) -> tuple[arb_mat, ...]:
        """The iterate v, the gradient g that was drawn, or A or B of v; raises KeyError for another name."""
        if name == "g":
            return _as_matrices(self.paths.drawn(t, path))
        return self.at(t, path) if name == "v" else (self.at(t, path)[self.blocks[name]],)

    def at(self, t: int, path: int) -> tuple[arb_mat, ...]:
        return _as_matrices(self.run.algorithm.iterate(self.paths.state(t, path)))

    def gradient(self, point: tuple[arb_mat, ...]) -> tuple[arb_mat, ...]:
        return _as_matrices(self._gradient(_as_arrays(point), 0.0))

    def value(self, point: tuple[arb_mat, ...]) -> arb:
        """F, as the integral of h' from its first knot."""
        slope, w = self.run.ridge.slope, self._along(_as_arrays(point))
        first, *pieces = slope.pieces
        total = ball_of(first.value) * (w.min(ball_of(first.start)) - ball_of(first.start))
        for piece, end in zip(pieces, [*(piece.start for piece in pieces[1:]), None], strict=True):
            way = w.max(ball_of(piece.start)) - ball_of(piece.start)
            if end is not None:
                way = way.min(ball_of(end) - ball_of(piece.start))
            total += ball_of(piece.value) * way + ball_of(piece.slope) * way * way / 2
        return total

    @cached_property
    def minimiser(self) -> Vector:
        """The minimiser of F nearest to v_1, for an adapter that is linear in v."""
        v = self.paths.start[0]
        pull = Vector(self.adapter.pull_back(v, self.direction))
        way = (self._along(v) - ball_of(zero_of(self.run.ridge.slope))) / square_norm_of(pull)
        return cast(Vector, v - way * pull)

    def _along(self, v: Any) -> arb:
        return (self.direction * self.adapter.weight(v)).sum()

    def _gradient(self, v: Any, offset: float) -> Vector:
        value, _ = slope_at(self.run.ridge.slope, self._along(v))
        return Vector(self.adapter.pull_back(v, (value + arb(offset)) * self.direction))

    def norm(self, place: int) -> arb:
        """The largest spectral norm of a block, over every iterate of every path."""
        return reduce(arb.max, (Balls().spectral(self.at(t, path)[place]) for t, path in self.paths.places))


def _as_matrices(v: Any) -> tuple[arb_mat, ...]:
    return tuple(arb_mat(part.tolist()) for part in v)


def _as_arrays(point: tuple[arb_mat, ...]) -> tuple[np.ndarray, ...]:
    return tuple(np.array(part.tolist(), dtype=object) for part in point)
