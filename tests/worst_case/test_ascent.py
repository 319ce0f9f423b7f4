"""Ascents of inequalities: their slopes are those of the ratio, they stay within what is given, and they get there."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from sympy import Le, MatrixSymbol, Rational

from boundcheck.language.claim import Claim
from boundcheck.language.vocabulary import FrobeniusNorm, InnerProduct, SpectralNorm
from boundcheck.worst_case.relation import Assignment, Space, climbed, conclusion_of, moved, parts
from boundcheck.worst_case.tried import certify
from tests.layers import examples

n = sp.Symbol("n", positive=True, integer=True)
a, b = sp.symbols("a b", positive=True)
w = sp.Symbol("w", real=True)
Q, R, X = MatrixSymbol("Q", n, n), MatrixSymbol("R", n, n), MatrixSymbol("X", n, 2)
COMMUTATOR = FrobeniusNorm(Q * R - R * Q), FrobeniusNorm(Q) * FrobeniusNorm(R)
SMOOTH = [
    Le(*COMMUTATOR),
    Le(InnerProduct(Q, R) + 9, a * SpectralNorm(Q) + sp.sqrt(b) * FrobeniusNorm(X.T * X)),
    Le(sp.Trace(Q.T * Q) + w**2, sp.Max(a, b) * FrobeniusNorm(sp.HadamardProduct(Q, R)) ** 3 + 1),
    Le(sp.Abs(w) * FrobeniusNorm(Q**2 - sp.Identity(n)), sp.Min(a, 2 * b) ** Rational(3, 2)),
]


def claim_of(relation: sp.Basic, *hypotheses: sp.Basic) -> Claim:
    given = tuple(Claim(f"given {i}", "given", "given", each) for i, each in enumerate(hypotheses))
    return Claim("mine", "Mine", "test", relation, hypotheses=given)


def drawn(claim: Claim, seed: int, size: int = 3) -> Assignment:
    """Gaussian matrices and log-normal numbers."""
    random = np.random.default_rng(seed)
    letters = Assignment(claim, {}, {}).letters
    shapes = {X.name: tuple(int(side.subs(n, size)) for side in X.shape) for X in letters.matrices}
    matrices = {name: random.normal(size=shape) for name, shape in shapes.items()}
    return Assignment(claim, matrices, {"n": float(size)} | {x.name: random.lognormal() for x in letters.numbers})


@examples(40)
@given(st.sampled_from(SMOOTH), st.integers(0, 10**6))
def test_slopes_are_those_of_the_ratio_that_is_judged(relation: sp.Basic, seed: int) -> None:
    """Against the logarithm of the ratio in the arithmetic that knows its errors, by central differences."""
    claim = claim_of(relation)
    space, random = Space(drawn(claim, seed), "float64"), np.random.default_rng(seed)
    value, slope = space.rise((relation.lhs, relation.rhs), space.start)
    assert value == pytest.approx(np.log(space.origin.ratio), abs=1e-9)
    way, h = random.normal(size=space.start.shape), 1e-6
    ends = [space.at(space.start + sign * h * way) for sign in (1, -1)]
    assert (np.log(ends[0].ratio) - np.log(ends[1].ratio)) / (2 * h) == pytest.approx(slope @ way, rel=1e-3, abs=1e-5)


SHARP = [
    claim_of(Le(COMMUTATOR[0], sp.sqrt(2) * COMMUTATOR[1])),
    claim_of(Le(COMMUTATOR[0] - sp.sqrt(2) * COMMUTATOR[1], 0)),
    claim_of(Le(COMMUTATOR[0], sp.sqrt(2) * a * b), FrobeniusNorm(Q) <= a, FrobeniusNorm(R) <= b),
    claim_of(sp.And(Le(SpectralNorm(Q), FrobeniusNorm(Q)), Le(COMMUTATOR[0], sp.sqrt(2) * COMMUTATOR[1]))),
    claim_of(Le(7 * a * b, a**2 / 2 + Rational(49, 2) * b**2)),
    claim_of(Le(a * (w - a), w**2 / 4)),
]


@pytest.mark.parametrize("claim", SHARP, ids=lambda claim: str(claim.conclusion))
def test_ascents_end_at_sharp_constants_and_never_above(claim: Claim) -> None:
    tried = [each for seed in range(12) if (each := _shrunk_into(claim, seed)).is_inside()]
    ends = list(climbed(tried, "float64"))
    assert all(end.is_inside() for end in ends)
    assert not any(certify(end).violated for end in ends)
    *_, last = parts(conclusion_of(claim))
    reached = [Space(end, "float64").rise(moved(last), Space(end, "float64").start)[0] for end in ends]
    assert -1e-3 < max(reached) < 1e-9


def _shrunk_into(claim: Claim, seed: int) -> Assignment:
    found = drawn(claim, seed, 2 + seed % 2)
    return Assignment(claim, {name: X / 16 for name, X in found.matrices.items()}, found.numbers)


def test_matrices_are_floats_of_the_type_that_is_asked_for() -> None:
    claim = SHARP[0]
    for end in climbed([drawn(claim, seed) for seed in range(3)], "float32"):
        assert all((X.astype(np.float32) == X).all() for X in end.matrices.values())


def test_what_cannot_be_climbed_is_left_out() -> None:
    assert list(climbed([], "float64")) == []
    still = claim_of(Le(n**2, 9 * n))
    assert list(climbed([Assignment(still, {}, {"n": 3.0})], "float64")) == []
    # An equation holds for certain at few floats.
    bound = claim_of(Le(FrobeniusNorm(Q), n), sp.Eq(SpectralNorm(Q), 1))
    assert list(climbed([Assignment(bound, {"Q": np.eye(3)}, {"n": 3.0})], "float64")) == []


def test_where_there_is_no_ratio_nothing_is_broken() -> None:
    """Neither side of 0 <= 0 has a logarithm, and a matrix of 0 stays one."""
    nothing = Assignment(claim_of(Le(*COMMUTATOR)), {"Q": np.zeros((2, 2)), "R": np.eye(2)}, {"n": 2.0})
    for end in climbed([nothing], "float64"):
        assert not end.matrices["Q"].any()
        assert not certify(end).violated
