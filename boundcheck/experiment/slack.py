"""The chains that waterfalls are drawn from: what each inequality of a proof of Lemma 1 gives away between two points.

A chain starts at ‖∇F(v_1) - ∇F(v_2)‖ / ‖v_1 - v_2‖ and ends at a lemma's constant. Each link says what it replaces by
what, as the paper or the proof script of that name does; on valid links the value can only grow.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any, cast

import sympy as sp
import torch
from torch import Tensor

from boundcheck.exact.evaluate import Model, VectorFunction
from boundcheck.exact.floats import Approx, ApproxMatrix, Rounded
from boundcheck.experiment.schema import Chain
from boundcheck.experiment.schema import Link as Arrived
from boundcheck.functions.adapters import ADAPTERS, Adapter, Radii
from boundcheck.functions.arithmetic import Point
from boundcheck.functions.problem import Problem
from boundcheck.language.claim import Claim
from boundcheck.language.hypotheses import LEAST
from boundcheck.language.symbols import C, G, L, a, b, r, sigma
from boundcheck.language.vocabulary import (
    A1,
    A2,
    B1,
    B2,
    W1,
    W2,
    EuclideanNorm,
    F,
    Gradient,
    f,
    v1,
    v2,
)
from boundcheck.proofs import parts

_START = EuclideanNorm(Gradient(F, v1) - Gradient(F, v2)) / EuclideanNorm(v1 - v2)


@dataclass(frozen=True)
class Link:
    """A link of a chain: what the proof calls it, the quantity that it arrives at, and why it is no less."""

    label: str
    quantity: sp.Expr
    why: str
    valid: bool = True


@cache
def chains() -> dict[str, tuple[Link, ...]]:
    """The chains that papers give in `CHAINS` of their module `measured`, by version."""
    return {version: links for each in parts("measured") for version, links in getattr(each, "CHAINS", {}).items()}


@dataclass(frozen=True)
class Slack:
    """A chain at two points: the measured ratio, and the value after each link."""

    version: str
    measured: float
    values: tuple[float, ...]

    def described(self) -> Chain:
        """The chain with the value that each link arrives at, and the factor that it gives away, if any."""
        links, before = [], self.measured
        for link, value in zip(chains()[self.version], self.values, strict=True):
            factor = value / before if before > 0 else None
            links.append(Arrived(link.label, value, factor, link.why, link.valid))
            before = value
        return Chain(self.version, self.measured, tuple(links))


def slack(problem: Problem, v: Point, w: Point, radii: Radii, lipschitz: str = LEAST) -> list[Slack]:
    """Every chain at two points of LoRA, R = 1, different and in the domain.

    A scale s is taken into f, as X -> f(W0 + sX).

    Raises:
        TypeError: for another adapter, whose proofs these are not.

    """
    if not has_chains(problem.adapter):
        about = ", ".join(adapter.title for adapter in ADAPTERS.values() if has_chains(adapter))
        raise TypeError(f"{problem.adapter.title}: the chains are proofs about {about}")
    model = _model(problem, float(cast(Any, problem.adapter).scale), (v, w))
    model = replace(model, numbers=_constants(problem, radii, lipschitz))
    return [
        Slack(version, model.number(_START).value, tuple(model.number(link.quantity).value for link in chain))
        for version, chain in chains().items()
    ]


def has_chains(adapter: Adapter | type[Adapter]) -> bool:
    """True if the chains are proofs of a claim about the adapter."""
    return any(adapter.is_subject_of(claim) for claim in _claims())


def _claims() -> list[Claim]:
    """The claims whose constants the letters of the chains stand for."""
    return [claim for each in parts("measured") for claim in getattr(each, "CONSTANTS_OF", ())]


def _constants(problem: Problem, radii: Radii, lipschitz: str) -> dict[sp.Symbol, Approx]:
    given = [problem.theory_inputs(claim, radii, lipschitz) for claim in _claims()]
    found = {name: float(value) for inputs in given for name, value in inputs.items()}
    return {x: Approx(found[str(x)], 0.0) for x in (L, G, C, sigma, r, a, b)}


def _model(problem: Problem, scale: float, points: tuple[Point, Point]) -> Model[Approx, ApproxMatrix]:
    """The meaning of the chains' letters at two points; f is X -> f(W0 + sX), and W is X = BA."""
    do = Rounded(torch.float64, str(points[0][0].device))
    matrices: dict[sp.MatrixSymbol, tuple[ApproxMatrix, ...]] = {}
    for point, A, B, W, v in zip(points, (A1, A2), (B1, B2), (W1, W2), (v1, v2), strict=True):
        left, right = (do.exact(part[0]) for part in point)
        matrices |= {A: (left,), B: (right,), W: (do.product(right, left),), v: (left, right)}

    def weight(X: ApproxMatrix) -> Tensor:
        return problem.adapter.W0 + scale * X.value.unsqueeze(0)

    def batched(point: tuple[ApproxMatrix, ...]) -> Point:
        return tuple(part.value.unsqueeze(0) for part in point)

    in_w = VectorFunction(
        lambda X: Approx(problem.objective.loss(weight(X[0])).item(), 0.0),
        lambda X: (do.exact(scale * problem.objective.gradient(weight(X[0]))[0]),),
    )
    in_v = VectorFunction(
        lambda v: Approx(problem.loss(batched(v)).item(), 0.0),
        lambda v: tuple(do.exact(part[0]) for part in problem.gradient(batched(v))),
    )
    return Model(do, matrices=matrices, functions={f: in_w, F: in_v})
