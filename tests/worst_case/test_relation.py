"""Inequalities between norms: both sides at an assignment, what is certain of them; stored ones,
ascents."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from sympy import Le, Rational

from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantity
from boundcheck.language.symbols import L, Lhat, Parameter, T
from boundcheck.language.vocabulary import FrobeniusNorm, InnerProduct, SpectralNorm
from boundcheck.properties import matrices
from boundcheck.worst_case.instance import certify
from boundcheck.worst_case.relation import (
    Assignment,
    Letters,
    Space,
    climbed,
    conclusion_of,
    is_relation,
    moved,
    parts,
    simplified,
)
from boundcheck.worst_case.stored import replayed, save
from tests.experiment.small import refused
from tests.layers import examples

m, n, k = sp.symbols("m n k", positive=True, integer=True)
a = sp.Symbol("a", positive=True)
x = sp.Symbol("x", real=True)
X = sp.MatrixSymbol("X", m, n)
Y = sp.MatrixSymbol("Y", n, k)


def claim_of(conclusion, *given_, **more):
    hypotheses = tuple(Claim(f"given {i}", "given", "test", each) for i, each in enumerate(given_))
    return Claim("mine", "Mine", "test", conclusion, hypotheses=hypotheses, **more)


PRODUCT = claim_of(sp.Le(FrobeniusNorm(X * Y), SpectralNorm(X) * FrobeniusNorm(Y)))
WRONG = claim_of(sp.Le(FrobeniusNorm(X * Y), SpectralNorm(X) * SpectralNorm(Y)))


def assigned(claim, x, y, **numbers):
    left = np.array(x, dtype=float)
    right = np.array(y, dtype=float)
    sides = {"m": len(left), "n": len(right), "k": right.shape[1]}
    return Assignment(claim, {"X": left, "Y": right}, sides | numbers)


@given(matrices((3, 2)), matrices((2, 4)))
def test_both_sides_are_numpys(x, y):
    compared = assigned(PRODUCT, x.tolist(), y.tolist()).compare()
    assert compared.measured.value == pytest.approx(np.linalg.norm(x @ y), rel=1e-12, abs=1e-300)
    bound = np.linalg.norm(x, 2) * np.linalg.norm(y)
    assert compared.bound.value == pytest.approx(bound, rel=1e-12, abs=1e-300)
    assert not certify(assigned(PRODUCT, x.tolist(), y.tolist())).violated


def test_a_violation_is_certain_and_a_tie_is_none():
    """Of a tie both sides are sqrt(2) exactly, and no number of bits can tell them apart."""
    wrong, tie = (assigned(claim, [[1, 0], [0, 1]], [[1, 0], [0, 1]]) for claim in (WRONG, PRODUCT))
    found = certify(wrong)
    assert found.inside is True
    assert found.violated is True
    assert math.sqrt(2) * (1 - 1e-15) <= found.lower <= math.sqrt(2)
    assert not tie.compare().holds
    assert not certify(tie).violated


# At X = [[3, 0], [0, 4]], of norms 5 and 4, and x = 2.5.
RELATIONS = {
    sp.Ge(FrobeniusNorm(X), SpectralNorm(X)): False,
    sp.Gt(SpectralNorm(X), FrobeniusNorm(X)): True,
    sp.Lt(SpectralNorm(X), 2 * FrobeniusNorm(X)): False,
    sp.Eq(SpectralNorm(X), FrobeniusNorm(X)): True,
    sp.Eq(FrobeniusNorm(X.T), FrobeniusNorm(X)): False,
    sp.And(sp.Ge(FrobeniusNorm(X), SpectralNorm(X)), sp.Le(FrobeniusNorm(X), x)): True,
    sp.Le(-FrobeniusNorm(X), x - 7): False,
    sp.Le(-SpectralNorm(X), x - 7): True,
}
BELOW = np.nextafter(3.0, 2)
ON = 3.0
OVER = np.nextafter(3.0, 4)
NORMED = claim_of(sp.Le(SpectralNorm(X), a), SpectralNorm(X) <= 3 * a)
BY_FORMULA = claim_of(
    sp.Le(SpectralNorm(X), Lhat * FrobeniusNorm(X)), quantities=(Quantity(Lhat, L / 2, ""),)
)


def signed(told):
    """About a letter of a sign that its formula has only where x is at least 3."""
    letter = sp.Symbol("c", **{told: True})
    declared = (Parameter(x, "real", "x"),)
    return claim_of(
        sp.Le(FrobeniusNorm(X), letter), quantities=(Quantity(letter, x - 3),), declared=declared
    )


@pytest.mark.parametrize(
    "claim, matrix, numbers, inside, violated",
    [
        (
            claim_of(sp.Le(SpectralNorm(X), 2 * a), sp.Le(SpectralNorm(X), a)),
            [[3.0]],
            {"a": 1.0},
            False,
            False,
        ),
        (
            claim_of(sp.Le(SpectralNorm(X), a / 2), sp.Le(SpectralNorm(X), a)),
            [[0.75]],
            {"a": 1.0},
            True,
            True,
        ),
        # On the sphere, and beside it by a bit.
        *(
            (
                claim_of(sp.Le(norm(X), a / 2), norm(X.T) <= 3 * a),
                [[entry, 0], [0, 0]],
                {"a": 1.0},
                inside,
                inside,
            )
            for norm in (SpectralNorm, FrobeniusNorm)
            for entry, inside in ((BELOW, True), (ON, True), (OVER, False))
        ),
        # Of norm 3, which no ball tells from 3.
        (NORMED, [[2.0, 1.0], [1.0, 2.0]], {"a": 1.0}, True, True),
        (NORMED, [[np.nextafter(2.0, 3), 1.0], [1.0, 2.0]], {"a": 1.0}, False, False),
        *(
            (claim_of(each), [[3, 0], [0, 4]], {"x": 2.5}, True, violated)
            for each, violated in RELATIONS.items()
        ),
        (BY_FORMULA, [[1.0]], {"L": 1.0}, True, True),
        (BY_FORMULA, [[1.0]], {"L": 2.5}, True, False),
        *((signed(told), [[1.0]], {"x": 3.5}, True, True) for told in ("positive", "nonnegative")),
        *(
            (signed(told), [[1.0]], {"x": 1.0}, False, False)
            for told in ("positive", "nonnegative")
        ),
    ],
)
def test_a_claim_is_violated_where_it_fails_and_all_that_is_given_holds(
    claim, matrix, numbers, inside, violated
):
    sides = {"m": len(matrix), "n": len(matrix[0])}
    made = Assignment(claim, {"X": np.array(matrix, dtype=float)}, sides | numbers)
    found = certify(made)
    assert found.inside == inside
    assert found.violated == violated
    assert (found.lower > 1) == found.exceeds
    # Which asks what is given, and not whether a letter may stand for its formula.
    assert made.is_inside() == inside or claim.quantities


def test_letters_are_found_and_what_is_beyond_matrices_is_refused():
    found = Letters.of(claim_of(sp.Le(SpectralNorm(X * Y), a * T), sp.Le(x, 1)))
    assert [each.name for each in found.matrices] == ["X", "Y"]
    assert [each.name for each in found.numbers] == ["T", "a", "x"]
    assert [each.name for each in found.sides] == ["k", "m", "n"]
    for id in ("jiang2024.assumption1", "jiang2024.lemma1", "jiang2024.theorem2", "meft.unbiased"):
        assert not is_relation(catalogue[id])
        assert refused(Letters.of, catalogue[id]).field == "claim"
    assert refused(Letters.of, claim_of(sp.Eq(X, 2 * X))).field == "claim"
    assert refused(lambda: [*parts(sp.Ne(x, 1))]).field == "claim"


# Stored ones.


def test_numbers_outside_of_their_domain_are_refused():
    bounded = claim_of(sp.Le(SpectralNorm(X), a * T))
    data = Assignment(bounded, {"X": np.eye(1)}, {"m": 1, "n": 1, "a": 1.0, "T": 2}).as_json()
    for name, value in (("a", -1.0), ("T", 1.5), ("a", 0.0)):
        changed = data | {"numbers": data["numbers"] | {name: value}}
        assert refused(Assignment.from_json, changed, bounded).field == f"numbers.{name}"


@pytest.mark.parametrize(
    "told, value", [("positive", 0.0), ("nonnegative", -2.0), ("integer", -2.5)]
)
def test_a_number_that_its_letter_does_not_stand_for_violates_nothing(told, value, tmp_path):
    letter = sp.Symbol("y", real=True, **{told: True})
    false = Assignment(
        claim_of(sp.Le(FrobeniusNorm(X), letter - 9)),
        {"X": np.eye(1)},
        {"m": 1, "n": 1, "y": value},
    )
    assert certify(false).exceeds is True
    assert certify(false).violated is False
    assert not false.is_inside()
    save(false, tmp_path / "false.json")
    assert refused(replayed, tmp_path / "false.json", false.claim).field == "numbers.y"


# Simpler ones.


def test_a_violation_becomes_as_simple_as_it_can():
    random = np.random.default_rng(3)
    x, y = (np.linalg.qr(random.standard_normal(shape))[0] for shape in ((4, 3), (3, 3)))
    made = assigned(WRONG, x.tolist(), y.tolist())
    assert certify(made).violated
    simple = simplified(made)
    assert certify(simple).violated
    assert sorted(simple.numbers.values()) == [2, 2, 2]
    entries = {abs(x) for X in simple.matrices.values() for x in X.flat}
    assert all(x == round(x, 1) for x in entries)


def test_what_violates_nothing_stays_as_it_is():
    made = assigned(PRODUCT, [[0.5, 0.25], [1, 2]], [[1, 0], [0, 1]])
    assert simplified(made) is made


b = sp.Symbol("b", positive=True)
w = sp.Symbol("w", real=True)
Q = sp.MatrixSymbol("Q", n, n)
R = sp.MatrixSymbol("R", n, n)
Z = sp.MatrixSymbol("Z", n, 2)
COMMUTATOR = FrobeniusNorm(Q * R - R * Q), FrobeniusNorm(Q) * FrobeniusNorm(R)
SMOOTH = [
    Le(*COMMUTATOR),
    Le(InnerProduct(Q, R) + 9, a * SpectralNorm(Q) + sp.sqrt(b) * FrobeniusNorm(Z.T * Z)),
    Le(sp.Trace(Q.T * Q) + w**2, sp.Max(a, b) * FrobeniusNorm(sp.HadamardProduct(Q, R)) ** 3 + 1),
    Le(sp.Abs(w) * FrobeniusNorm(Q**2 - sp.Identity(n)), sp.Min(a, 2 * b) ** Rational(3, 2)),
]


def drawn(claim, seed, size=3):
    """Gaussian matrices and log-normal numbers."""
    random = np.random.default_rng(seed)
    letters = Assignment(claim, {}, {}).letters
    shapes = {X.name: tuple(int(side.subs(n, size)) for side in X.shape) for X in letters.matrices}
    matrices = {name: random.normal(size=shape) for name, shape in shapes.items()}
    return Assignment(
        claim, matrices, {"n": float(size)} | {x.name: random.lognormal() for x in letters.numbers}
    )


@examples(40)
@given(st.sampled_from(SMOOTH), st.integers(0, 10**6))
def test_slopes_are_those_of_the_ratio_that_is_judged(relation, seed):
    """Against the logarithm of the ratio in the arithmetic that knows its errors, by central
    differences."""
    claim = claim_of(relation)
    space = Space(drawn(claim, seed))
    random = np.random.default_rng(seed)
    value, slope = space.rise((relation.lhs, relation.rhs), space.start)
    assert value == pytest.approx(np.log(space.origin.compare().ratio), abs=1e-9)
    way = random.normal(size=space.start.shape)
    h = 1e-6
    ends = [space.at(space.start + sign * h * way) for sign in (1, -1)]
    assert (np.log(ends[0].compare().ratio) - np.log(ends[1].compare().ratio)) / (
        2 * h
    ) == pytest.approx(slope @ way, rel=1e-3, abs=1e-5)


SHARP = [
    claim_of(Le(COMMUTATOR[0], sp.sqrt(2) * COMMUTATOR[1])),
    claim_of(Le(COMMUTATOR[0] - sp.sqrt(2) * COMMUTATOR[1], 0)),
    claim_of(Le(COMMUTATOR[0], sp.sqrt(2) * a * b), FrobeniusNorm(Q) <= a, FrobeniusNorm(R) <= b),
    claim_of(
        sp.And(Le(SpectralNorm(Q), FrobeniusNorm(Q)), Le(COMMUTATOR[0], sp.sqrt(2) * COMMUTATOR[1]))
    ),
    claim_of(Le(7 * a * b, a**2 / 2 + Rational(49, 2) * b**2)),
    claim_of(Le(a * (w - a), w**2 / 4)),
]


@pytest.mark.parametrize("claim", SHARP, ids=lambda claim: str(claim.conclusion))
def test_ascents_end_at_sharp_constants_and_never_above(claim):
    tried = [each for seed in range(12) if (each := _shrunk_into(claim, seed)).is_inside()]
    ends = list(climbed(tried))
    assert all(end.is_inside() for end in ends)
    assert not any(certify(end).violated for end in ends)
    *_, last = parts(conclusion_of(claim))
    reached = [Space(end).rise(moved(last), Space(end).start)[0] for end in ends]
    assert -1e-3 < max(reached) < 1e-9


def _shrunk_into(claim, seed):
    found = drawn(claim, seed, 2 + seed % 2)
    return Assignment(claim, {name: X / 16 for name, X in found.matrices.items()}, found.numbers)


def test_what_cannot_be_climbed_is_left_out():
    assert list(climbed([])) == []
    still = claim_of(Le(n**2, 9 * n))
    assert list(climbed([Assignment(still, {}, {"n": 3.0})])) == []
    # An equation holds for certain at few floats.
    bound = claim_of(Le(FrobeniusNorm(Q), n), sp.Eq(SpectralNorm(Q), 1))
    assert list(climbed([Assignment(bound, {"Q": np.eye(3)}, {"n": 3.0})])) == []


def test_where_there_is_no_ratio_nothing_is_broken():
    """Neither side of 0 <= 0 has a logarithm, and a matrix of 0 stays one."""
    nothing = Assignment(
        claim_of(Le(*COMMUTATOR)), {"Q": np.zeros((2, 2)), "R": np.eye(2)}, {"n": 2.0}
    )
    for end in climbed([nothing]):
        assert not end.matrices["Q"].any()
        assert not certify(end).violated
