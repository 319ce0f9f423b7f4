"""What the letters of a hypothesis stand for on a problem, two points or a run: a `Model` in `Rounded` arithmetic.

The numbers are the constants that boundcheck certifies. Values and gradients carry the rounding bounds that the
objectives and adapters prove. Points are floats that are meant exactly. Here is also `TwoLayers`, the adapter of which
the claims about two layers speak.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, ClassVar

import sympy as sp
import torch
from sympy.matrices.expressions.matexpr import MatrixExpr
from torch import Tensor

from boundcheck.exact.evaluate import Model, VectorFunction
from boundcheck.exact.floats import Approx, ApproxMatrix, Comparison, Rounded
from boundcheck.functions.adapters import Adapter, Block, LoRA, Radii
from boundcheck.functions.adapters.base import Sizes
from boundcheck.functions.arithmetic import EPSILON, Point
from boundcheck.functions.objective import Objective
from boundcheck.functions.problem import Problem
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import PARAMETERS
from boundcheck.language.vocabulary import FrobeniusNorm
from boundcheck.properties.problem_strategies import Run
from boundcheck.worst_case.relation import parts

Blocks = tuple[ApproxMatrix, ...]


DO = Rounded(torch.float64, "cpu")


@dataclasses.dataclass(frozen=True)
class Case:
    """A relation, what its letters stand for, and the times and outcomes at which it is said to hold."""

    relation: Any
    model: Model[Approx, ApproxMatrix]
    instants: tuple[tuple[int, int], ...] = ((1, 0),)

    @property
    def compared(self) -> list[Comparison]:
        """Both sides of each of its inequalities, at each instant."""
        number = self.model.number
        pairs = list(inequalities(self.relation))
        return [Comparison(number(x, *at), number(y, *at)) for at in self.instants for x, y in pairs]

    @property
    def fails(self) -> bool:
        """Whether an inequality certainly fails."""
        return any(each.fails for each in self.compared)

    def at(self, numbers: Mapping[sp.Symbol, float]) -> Case:
        """The same with these numbers times as much."""
        known = self.model.numbers
        changed = {x: self.model.arithmetic.times(known[x], Approx(factor, 0.0)) for x, factor in numbers.items()}
        return dataclasses.replace(self, model=dataclasses.replace(self.model, numbers={**known, **changed}))


def inequalities(relation: Any) -> Iterator[tuple[Any, Any]]:
    """The parts of a relation; of an equation between matrices, that the norm of the difference is at most 0."""
    for left, right, _ in parts(relation):
        yield (FrobeniusNorm(left - right), sp.Integer(0)) if isinstance(left, MatrixExpr) else (left, right)


def case(
    claim: Claim,
    known: Mapping[sp.Symbol, Approx],
    named: Mapping[str, Any],
    functions: Mapping[sp.Symbol, VectorFunction] = {},
    relation: Any = None,
    **others: Any,
) -> Case:
    """The claim with points, exact matrices or approximate ones for the matrix symbols of these names."""
    relation = claim.conclusion if relation is None else relation
    letters = {X: _blocks(named[X.name]) for X in relation.atoms(sp.MatrixSymbol) if X.name in named}
    return Case(relation, Model(DO, known, letters, functions=functions, **others))


def _blocks(X: Any) -> tuple[ApproxMatrix, ...]:
    match X:
        case ApproxMatrix():
            return (X,)
        case tuple():
            return tuple(part if isinstance(part, ApproxMatrix) else DO.exact(part[0]) for part in X)
    return (DO.exact(X),)


def factors(point: Point, names: str) -> dict[str, torch.Tensor]:
    """The blocks of a point by names."""
    return {name: part[0] for name, part in zip(names.split(), point, strict=True)}


def stated(claim: Claim, *others: Claim) -> Any:
    """The conclusion with the formulas of the quantities in it, which other claims' formulas may complete."""
    relation = claim.conclusion.xreplace({q.symbol: q.expression for q in claim.quantities})
    for other in others:
        relation = relation.xreplace({q.symbol: other.expression(q.name) for q in other.quantities})
    return relation


def numbers(values: Mapping[str, float]) -> dict[sp.Symbol, Approx]:
    """Values of symbols by their names, as the floats that they are."""
    return {PARAMETERS[name].symbol: Approx(float(x), 0.0) for name, x in values.items()}


def constants(problem: Problem, radii: Radii) -> dict[str, float]:
    """L and G of the problem, and what its adapter says."""
    L, G = problem.objective.smoothness.value, problem.gradient_bound(radii).value
    return problem.adapter.constants(radii) | {"L": L, "G": G}


def blocks(v: Point, replica: int = 0, error: float = 0.0) -> Blocks:
    """The blocks of one replica."""
    return tuple(ApproxMatrix(part[replica], error) for part in v)


def weight(problem: Problem, v: Point) -> ApproxMatrix:
    """W(v), off by as many units of roundoff as the adapter says."""
    sizes = problem.adapter.sizes(v)
    return ApproxMatrix(problem.adapter.weight(v)[0], EPSILON * sizes.terms * sizes.weight.item())


def function_of_weight(objective: Objective, widths: tuple[int, ...] = ()) -> VectorFunction:
    """f, of a matrix W or of the matrices of these widths that it consists of."""
    L = objective.smoothness.value

    def whole(W: Blocks) -> tuple[Tensor, float]:
        return torch.cat([X.value for X in W], -1).unsqueeze(0), sum(X.error for X in W)

    def gradient(W: Blocks) -> Blocks:
        joined, moved = whole(W)
        error = objective.rounding(joined, objective.loss(joined))[1].item() + underflow(joined)
        found = torch.split(objective.gradient(joined)[0], widths or joined.shape[-1], -1)
        return tuple(ApproxMatrix(X, error + L * moved) for X in found)

    def value(W: Blocks) -> Approx:
        joined, moved = whole(W)
        loss = objective.loss(joined)
        error = objective.rounding(joined, loss)[0].item() + underflow(joined)
        slope = DO.length(gradient(W)).high + L * moved
        return Approx(loss.item(), error + slope * moved)

    return VectorFunction(value, gradient)


def underflow(X: Tensor) -> float:
    """What squares of numbers may be off by that are too small for the type."""
    return X.numel() * float(torch.finfo(X.dtype).tiny) ** 0.5


def function_of_point(problem: Problem) -> VectorFunction:
    """F, of the blocks of v."""

    def at(v: Blocks) -> Point:
        return tuple(X.value.unsqueeze(0) for X in v)

    def errors(point: Point) -> tuple[float, float]:
        found = problem.rounding(point, problem.loss(point))
        lost = underflow(problem.adapter.W0) * (1 + problem.adapter.sizes(point).jacobian.item())
        return tuple(error.item() + lost for error in found)

    def gradient(v: Blocks) -> Blocks:
        return blocks(problem.gradient(at(v)), error=errors(at(v))[1])

    def value(v: Blocks) -> Approx:
        return Approx(problem.loss(at(v)).item(), errors(at(v))[0])

    return VectorFunction(value, gradient)


def function_of_vector(problem: Problem) -> VectorFunction:
    """F, of v as one column."""
    whole = function_of_point(problem)
    return VectorFunction(
        lambda v: whole.value(_parted(problem.adapter, v[0])),
        lambda v: (_column(whole.gradient(_parted(problem.adapter, v[0]))),),
    )


def function_of_pair(adapter: Adapter) -> VectorFunction:
    """Φ(u, M) = <M, W(u)>, of u as one column and of M: its gradients are the pull-back of M, and W(u)."""

    def gradient(pair: Blocks) -> Blocks:
        point, M = tuple(X.value.unsqueeze(0) for X in _parted(adapter, pair[0])), pair[1]
        sizes, size = adapter.sizes(point), M.value.norm().item()
        error = EPSILON * (sum(M.value.shape) + 8) * float(sizes.products) * size + M.error
        pulled = blocks(adapter.pull_back(point, M.value.unsqueeze(0)), error=error * sizes.jacobian.item())
        W = ApproxMatrix(adapter.weight(point)[0], EPSILON * sizes.terms * sizes.weight.item())
        return _column(pulled), W

    return VectorFunction(lambda pair: DO.inner((pair[1],), gradient(pair)[1:]), gradient)


def column(v: Point) -> Tensor:
    """A point as one column."""
    return torch.cat([part[0].flatten() for part in v]).unsqueeze(1)


def _column(v: Blocks) -> ApproxMatrix:
    return ApproxMatrix(torch.cat([X.value.flatten() for X in v]).unsqueeze(1), sum(X.error for X in v))


def _parted(adapter: Adapter, u: ApproxMatrix) -> Blocks:
    shapes = [block.shape for block in adapter.blocks]
    parts = u.value.flatten().split([math.prod(shape) for shape in shapes])
    return tuple(ApproxMatrix(x.reshape(shape), u.error) for x, shape in zip(parts, shapes, strict=True))


def sample_errors(problem: Problem, v: Point, draws: Tensor) -> list[float]:
    """Bounds on the rounding errors of the gradients of single samples, one of each replica.

    The bound for the mean is one for the sum over n, of which one sample's error is at most n times as much. Sums of
    the mean and an offset, and the pull-back, add some units of roundoff of their sizes.
    """
    sizes, W = problem.adapter.sizes(v), problem.adapter.weight(v)
    size = torch.linalg.matrix_norm(problem.objective.batch_gradient(W, draws))
    size = size + torch.linalg.matrix_norm(problem.objective.gradient(W))
    error = problem.objective.samples * problem.rounding(v, problem.loss(v))[1]
    error = error + EPSILON * (sum(problem.objective.shape) + 8) * sizes.products * sizes.jacobian * size
    return (error + underflow(problem.adapter.W0) * (1 + sizes.jacobian)).tolist()


def of_run(run: Run, known: Mapping[sp.Symbol, Approx]) -> Model[Approx, ApproxMatrix]:
    """The model of all paths of a run."""
    stochastic = []
    for t, v in enumerate(run.paths[:-1]):
        draws = run.draws[:, t : t + 1]
        stochastic.append((run.problem.batch_gradient(v, draws), sample_errors(run.problem, v, draws)))
    names = [block.name for block in run.problem.adapter.blocks]

    def iterates(name: str, time: int, outcome: int) -> Blocks:
        if name == "g":
            g, errors = stochastic[time - 1]
            return blocks(g, outcome, errors[outcome])
        v = blocks(run.paths[time - 1], outcome)
        return v if name == "v" else (v[names.index(name)],)

    return Model(
        DO,
        known,
        iterates=iterates,
        functions={sp.Symbol("F"): function_of_point(run.problem)},
        horizon=run.T,
        weights=[Fraction(1, len(run.draws))] * len(run.draws),
        past=lambda time: [outcome // _alike(run, time) for outcome in range(len(run.draws))],
    )


def _alike(run: Run, time: int) -> int:
    """How many paths, which follow one another, share what they drew before this time."""
    return int(run.problem.objective.samples ** (run.T - time + 1))


def moments(run: Run, last: int) -> tuple[tuple[int, int], ...]:
    """All times up to the last, each with one outcome of every past."""
    return tuple((t, outcome) for t in range(1, last + 1) for outcome in range(0, len(run.draws), _alike(run, t)))


@dataclasses.dataclass(frozen=True)
class TwoLayers(Adapter):
    """LoRA of two layers whose weights are the columns of one W: v = (A, B, A', B')."""

    kind = "two-layers"
    radius_names = ("a", "b", "a_2", "b_2")
    options: ClassVar[tuple[str, ...]] = ("rank",)
    first: LoRA
    second: LoRA

    @classmethod
    def of(cls, first: LoRA, second: LoRA) -> TwoLayers:
        """Of two layers with equally many rows."""
        return cls(torch.cat([first.W0, second.W0], 1), first, second)

    @property
    def widths(self) -> tuple[int, int]:
        """The columns of each layer."""
        return self.first.W0.shape[1], self.second.W0.shape[1]

    @property
    def blocks(self) -> tuple[Block, ...]:
        second = (dataclasses.replace(x, name=f"{x.name}'", radius=f"{x.radius}_2") for x in self.second.blocks)
        return *self.first.blocks, *second

    def weight(self, v: Point) -> Tensor:
        return torch.cat([self.first.weight(v[:2]), self.second.weight(v[2:])], -1)

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        first, second = torch.split(gradient, self.widths, -1)
        return *self.first.pull_back(v[:2], first), *self.second.pull_back(v[2:], second)

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        return *self.first.initial(gain, generator), *self.second.initial(gain, generator)

    def _radii(self, radii: Radii) -> tuple[Radii, Radii]:
        return {x: radii[x] for x in "ab"}, {x: radii[f"{x}_2"] for x in "ab"}

    def constants(self, radii: Radii) -> dict[str, float]:
        return {**radii, "s": self.first.scale, "s_2": self.second.scale}

    def sizes(self, v: Point) -> Sizes:
        x, y = self.first.sizes(v[:2]), self.second.sizes(v[2:])
        return Sizes(max(x.terms, y.terms), x.weight + y.weight, x.jacobian + y.jacobian)

    def reach(self, radii: Radii) -> float:
        return sum(layer.reach(x) for layer, x in zip((self.first, self.second), self._radii(radii), strict=True))
