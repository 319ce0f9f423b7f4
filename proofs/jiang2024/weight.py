"""The descent lemma in W, where f is smooth everywhere; W may be one matrix, or those of several layers."""

import sympy as sp

from boundcheck.kernel import Theorem
from boundcheck.language.symbols import L
from boundcheck.language.vocabulary import W1, W2, FrobeniusNorm, Gradient, InnerProduct, Value, f
from boundcheck.proof import Proof, le

from .ball import unit_interval
from .setting import theta


def descent_of_f(proof: Proof, smooth: Theorem, start: sp.MatrixExpr, change: sp.MatrixExpr) -> Theorem:
    """f(W + Δ) <= f(W) + ⟨∇f(W), Δ⟩ + L/2 ‖Δ‖², from the law that f is L-smooth."""
    by, (low, _), beyond = proof.by, unit_interval(proof), start + theta * change
    steady = proof.step(
        "along the segment",
        le(FrobeniusNorm(Gradient(f, beyond) - Gradient(f, start)), L * theta * FrobeniusNorm(change)),
        by.instance(smooth, {W1: beyond, W2: start}),
        by.homogeneous(low, "F", change),
        meaning="f is L-smooth.",
    )
    fallen = Value(f, start + change) - Value(f, start) - InnerProduct(Gradient(f, start), change)
    return proof.state(
        "descent of f",
        le(fallen, L / 2 * FrobeniusNorm(change) ** 2),
        by.descent_lemma(steady, f, start, change, L, theta),
        meaning="The descent lemma, in the weights.",
    )
