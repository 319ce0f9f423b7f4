"""What runs report besides their own claim: the slack in the proofs of Lemma 1 and Theorem 2, and
theorems' horizons.

A chain starts at ‖∇F(v_1) - ∇F(v_2)‖ / ‖v_1 - v_2‖ and ends at a lemma's constant. Each link
replaces one term by a bound, as the paper or the proof script of that name does; on valid links the
value can only grow.
"""

import sympy as sp

from boundcheck.experiment.waterfall import Link, Sum, mean
from boundcheck.language.measures import AVERAGE_GRADIENT
from boundcheck.language.symbols import C, G, L, T, a, alpha, b, s, sigma
from boundcheck.language.vocabulary import (
    A1,
    A2,
    B1,
    B2,
    SLOPE,
    SQUARE,
    W1,
    W2,
    EuclideanNorm,
    F,
    FrobeniusNorm,
    Gradient,
    InnerProduct,
    SpectralNorm,
    Value,
    ell_t,
    f,
    g_t,
    v1,
    v2,
    v_first,
    v_last,
)

from ..meft.lora import LEMMA_1_SHARP
from .claims import LEMMA_1

# The theorems whose informative horizon every run reports, and C for the printed one.
HORIZONS = (
    ("jiang2024.theorem2", "sqrt(r) sigma"),
    ("jiang2024.theorem2", "sigma"),
    ("meft.theorem2_repaired", "sigma"),
    ("meft.theorem2_best_step", "sigma"),
    ("ghadimi2013.corollary2_2", "sigma"),
)

# The letters of the chains are constants of these claims; the last one wins.
CONSTANTS_OF = (LEMMA_1_SHARP, LEMMA_1)

_MOVE_A, _MOVE_B, _MOVE = FrobeniusNorm(A1 - A2), FrobeniusNorm(B1 - B2), EuclideanNorm(v1 - v2)
_M1, _M2 = Gradient(f, W1), Gradient(f, W2)
_TURN, _MOVED = FrobeniusNorm(_M1 - _M2), FrobeniusNorm(W1 - W2)
_BLOCKS = FrobeniusNorm(B1.T * _M1 - B2.T * _M2), FrobeniusNorm(_M1 * A1.T - _M2 * A2.T)
# Each block's difference, split in two by adding and subtracting a term.
_SPLIT = (
    FrobeniusNorm(B1.T * (_M1 - _M2)) + FrobeniusNorm((B1 - B2).T * _M2),
    FrobeniusNorm((_M1 - _M2) * A1.T) + FrobeniusNorm(_M2 * (A1 - A2).T),
)


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
    Link(
        "‖XY‖ ≤ ‖X‖ₒₚ‖Y‖",
        _length(*_factors(_TURN)),
        "submultiplicativity, spectral norm on one factor",
    ),
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
        Link(
            "(13), second ≤", (L * _MOVED * _SIZES + G * _APART) / _APART, "Assumptions 1 and 3(2)"
        ),
        Link("(13), third ≤", LEMMA_1.expression("Lhat"), "Assumptions 2 and 3(1), ‖A‖ ≤ √r σ"),
    ),
    "repaired": (
        *_SPECTRAL,
        Link("Assumption 3(1)", _length(*_factors(L * _REACH)), "‖ΔW‖ ≤ C(‖ΔA‖ + ‖ΔB‖)"),
        Link(
            "Assumptions 2, 3(2)",
            _rows(sigma * L * C, sigma * L * C + G, sigma * L * C),
            "norms of factors and ∇f",
        ),
        Link("eigenvalue", 2 * sigma * L * C + G, "the top one of the form in (‖ΔA‖, ‖ΔB‖)"),
        Link("√r ≥ 1", LEMMA_1.expression("Lhat"), "the paper's constant has √r"),
    ),
    "sharp": (
        *_SPECTRAL,
        Link(
            "‖ΔBA‖",
            _length(*_factors(L * _PRODUCTS)),
            "triangle and submultiplicativity for B₁ΔA + ΔBA₂",
        ),
        Link(
            "ball, ∇f",
            _rows(L * b**2, L * a * b + G, L * a**2),
            "‖A‖ ≤ a, ‖B‖ ≤ b, ‖∇f‖ ≤ G, spectral norms",
        ),
        Link(
            "eigenvalue",
            LEMMA_1_SHARP.expression("Lhat").xreplace({s: sp.Integer(1)}),
            "the top one of the form: λ*",
        ),
    ),
}

# The sum of descent.py before anything is given away: an equation on every run of v - alpha g.
SUMS = (
    Sum(
        AVERAGE_GRADIENT,
        noise=mean(InnerProduct(SLOPE, g_t) - SQUARE),
        total=(Value(F, v_first) - Value(F, v_last)) / (alpha * T)
        + alpha / 2 * mean(ell_t * EuclideanNorm(g_t) ** 2),
    ),
)
