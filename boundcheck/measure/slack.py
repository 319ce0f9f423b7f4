"""What each inequality of a proof of Lemma 1 gives away between two points: the chains that waterfalls are drawn from.

A chain starts at ‖∇F(v_1) - ∇F(v_2)‖ / ‖v_1 - v_2‖ and ends at a lemma's constant. Each link says what it replaces by
what, as the paper or the proof script of that name does; on valid links the value can only grow.
"""

from dataclasses import dataclass, replace

import sympy as sp
import torch
from torch import Tensor

from boundcheck.claims import catalogue
from boundcheck.claims.symbols import C, G, L, a, b, r, s, sigma
from boundcheck.claims.vocabulary import (
    A1,
    A2,
    B1,
    B2,
    W1,
    W2,
    EuclideanNorm,
    F,
    FrobeniusNorm,
    Gradient,
    SpectralNorm,
    f,
    v1,
    v2,
)
from boundcheck.exact.evaluate import Function, Model
from boundcheck.exact.rounded import Approx, ApproxMatrix, Rounded
from boundcheck.measure import result
from boundcheck.measure.result import Chain
from boundcheck.problems.adapters import LoRA, Radii
from boundcheck.problems.inputs import theory_inputs
from boundcheck.problems.norms import Point
from boundcheck.problems.problem import Problem

LEMMA_1_SHARP = catalogue["meft.lemma1_sharp"]

_MOVE_A, _MOVE_B, _MOVE = FrobeniusNorm(A1 - A2), FrobeniusNorm(B1 - B2), EuclideanNorm(v1 - v2)
_M1, _M2 = Gradient(f, W1), Gradient(f, W2)
_TURN, _MOVED = FrobeniusNorm(_M1 - _M2), FrobeniusNorm(W1 - W2)
_START = EuclideanNorm(Gradient(F, v1) - Gradient(F, v2)) / _MOVE
_BLOCKS = FrobeniusNorm(B1.T * _M1 - B2.T * _M2), FrobeniusNorm(_M1 * A1.T - _M2 * A2.T)
# Each block's difference, split in two by what is added and taken away.
_SPLIT = (
    FrobeniusNorm(B1.T * (_M1 - _M2)) + FrobeniusNorm((B1 - B2).T * _M2),
    FrobeniusNorm((_M1 - _M2) * A1.T) + FrobeniusNorm(_M2 * (A1 - A2).T),
)


@dataclass(frozen=True)
class Link:
    """A link of a chain: what the proof calls it, the quantity that it arrives at, and why it is no less."""

    label: str
    quantity: sp.Expr
    why: str
    valid: bool = True


def _length(x: sp.Expr, y: sp.Expr) -> sp.Expr:
    return sp.sqrt(x**2 + y**2) / _MOVE


def _factors(turn: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """The two blocks' bounds by submultiplicativity, the spectral norm on the factors."""
    slope = SpectralNorm(_M2)
    return SpectralNorm(B1) * turn + _MOVE_B * slope, turn * SpectralNorm(A1) + slope * _MOVE_A


def _rows(first: sp.Expr, cross: sp.Expr, second: sp.Expr) -> sp.Expr:
    return _length(first * _MOVE_A + cross * _MOVE_B, cross * _MOVE_A + second * _MOVE_B)


_PRODUCTS = SpectralNorm(B1) * _MOVE_A + SpectralNorm(A2) * _MOVE_B
_REACH = C * (_MOVE_A + _MOVE_B)
_SPECTRAL = (
    Link("triangle", _length(*_SPLIT), "each block is a sum of two terms"),
    Link("‖XY‖ ≤ ‖X‖ₒₚ‖Y‖", _length(*_factors(_TURN)), "submultiplicativity, spectral norm on one factor"),
    Link("f is L-smooth", _length(*_factors(L * _MOVED)), "Assumption 1"),
)
_SIZES, _APART = FrobeniusNorm(A1) + FrobeniusNorm(B1), _MOVE_A + _MOVE_B
_ADDED = _TURN * _SIZES + FrobeniusNorm(_M2) * _APART

CHAINS: dict[str, tuple[Link, ...]] = {
    "printed": (
        Link(
            "(11)",
            sum(_BLOCKS) / _MOVE,
            "the norm of a pair becomes a sum of norms: printed as equal",
        ),
        Link("(12), triangle", sum(_SPLIT) / _MOVE, "each block is a sum of two terms"),
        Link("(12)", _ADDED / _MOVE, "submultiplicativity with Frobenius norms throughout"),
        Link("(13), first ≤", _ADDED / _APART, "the denominator grows: the wrong way", valid=False),
        Link("(13), second ≤", (L * _MOVED * _SIZES + G * _APART) / _APART, "Assumptions 1 and 3(2)"),
        Link("(13), third ≤", catalogue["jiang2024.lemma1"].expression("Lhat"), "Assumptions 2 and 3(1), ‖A‖ ≤ √r σ"),
    ),
    "repaired": (
        *_SPECTRAL,
        Link("Assumption 3(1)", _length(*_factors(L * _REACH)), "‖ΔW‖ ≤ C(‖ΔA‖ + ‖ΔB‖)"),
        Link("Assumptions 2, 3(2)", _rows(sigma * L * C, sigma * L * C + G, sigma * L * C), "norms of factors and ∇f"),
        Link("eigenvalue", 2 * sigma * L * C + G, "the top one of the form in (‖ΔA‖, ‖ΔB‖)"),
        Link("√r ≥ 1", catalogue["jiang2024.lemma1"].expression("Lhat"), "the paper's constant has √r"),
    ),
    "sharp": (
        *_SPECTRAL,
        Link("‖ΔBA‖", _length(*_factors(L * _PRODUCTS)), "triangle and submultiplicativity for B₁ΔA + ΔBA₂"),
        Link("ball, ∇f", _rows(L * b**2, L * a * b + G, L * a**2), "‖A‖ ≤ a, ‖B‖ ≤ b, ‖∇f‖ ≤ G, spectral norms"),
        Link(
            "eigenvalue", LEMMA_1_SHARP.expression("Lhat").xreplace({s: sp.Integer(1)}), "the top one of the form: λ*"
        ),
    ),
}


@dataclass(frozen=True)
class Slack:
    """A chain at two points: the measured ratio, and the value after each link."""

    version: str
    measured: float
    values: tuple[float, ...]

    def described(self) -> Chain:
        """The chain with the value that each link arrives at, and the factor that it gives away, if any."""
        links, before = [], self.measured
        for link, value in zip(CHAINS[self.version], self.values, strict=True):
            factor = value / before if before > 0 else None
            links.append(result.Link(link.label, value, factor, link.why, link.valid))
            before = value
        return Chain(self.version, self.measured, tuple(links))


def slack(problem: Problem, v: Point, w: Point, radii: Radii, lipschitz: str = "sigma") -> list[Slack]:
    """Every chain at two points of LoRA, R = 1, different and in the domain.

    A scale s is taken into f, as X -> f(W0 + sX).

    Raises:
        TypeError: for another adapter, whose proofs these are not.

    """
    if not isinstance(problem.adapter, LoRA):
        raise TypeError("chains are proofs of Lemma 1, of LoRA")
    model = _model(problem, problem.adapter.scale, (v, w))
    model = replace(model, numbers=_constants(problem, radii, lipschitz))
    return [
        Slack(version, model.number(_START).value, tuple(model.number(link.quantity).value for link in chain))
        for version, chain in CHAINS.items()
    ]


def _constants(problem: Problem, radii: Radii, lipschitz: str) -> dict[sp.Symbol, Approx]:
    printed, sharp = (
        theory_inputs(catalogue[id], problem, radii, lipschitz) for id in ("jiang2024.lemma1", "meft.lemma1_sharp")
    )
    found = {name: float(value) for name, value in (sharp | printed).items()}
    return {x: Approx(found[str(x)], 0.0) for x in (L, G, C, sigma, r, a, b)}


def _model(problem: Problem, scale: float, points: tuple[Point, Point]) -> Model[Approx, ApproxMatrix]:
    """What the letters of the chains stand for at two points; f is X -> f(W0 + sX), and W is X = BA."""
    do = Rounded(torch.float64)
    matrices: dict[sp.MatrixSymbol, tuple[ApproxMatrix, ...]] = {}
    for point, A, B, W, v in zip(points, (A1, A2), (B1, B2), (W1, W2), (v1, v2), strict=True):
        left, right = (do.exact(part[0]) for part in point)
        matrices |= {A: (left,), B: (right,), W: (do.product(right, left),), v: (left, right)}

    def weight(X: ApproxMatrix) -> Tensor:
        return problem.adapter.W0 + scale * X.value.unsqueeze(0)

    def batched(point: tuple[ApproxMatrix, ...]) -> Point:
        return tuple(part.value.unsqueeze(0) for part in point)

    in_w = Function(
        lambda X: Approx(problem.objective.loss(weight(X[0])).item(), 0.0),
        lambda X: (do.exact(scale * problem.objective.gradient(weight(X[0]))[0]),),
    )
    in_v = Function(
        lambda v: Approx(problem.loss(batched(v)).item(), 0.0),
        lambda v: tuple(do.exact(part[0]) for part in problem.gradient(batched(v))),
    )
    return Model(do, matrices=matrices, functions={f: in_w, F: in_v})
