"""Each justification is a theorem that the kernel replays and that says its formula, from what it
was given alone."""

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.errors import InputError
from boundcheck.exact.evaluate import t
from boundcheck.kernel import RuleError, replay, rules
from boundcheck.language import vocabulary as words
from boundcheck.language.symbols import T, r
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    F,
    FrobeniusNorm,
    Gradient,
    SpectralNorm,
    Value,
    f,
)
from boundcheck.proof import Process, Proof, Reading, eq, ge, gt, le
from boundcheck.proof.certificate import by_signs
from tests.layers import examples

A, A1, A2 = (sp.MatrixSymbol(name, r, words.k) for name in ("A", "A_1", "A_2"))
B, B1, B2 = (sp.MatrixSymbol(name, words.d, r) for name in ("B", "B_1", "B_2"))
W, W1, W2 = (sp.MatrixSymbol(name, words.d, words.k) for name in ("W", "W_1", "W_2"))
v, v1, v2 = (sp.MatrixSymbol(name, words.n, 1) for name in ("v", "v_1", "v_2"))
v_t = words.Iterate("v", t, words.n, 1)
x, y, theta = sp.symbols("x y theta")

READING = Reading(
    points={v: (A, B), v1: (A1, B1), v2: (A2, B2)},
    processes={v_t: Process((A, B))},
    constants={x, y},
    arbitrary={theta, A, A1, A2, B, B1, B2, W, W1, W2},
)
PROOF = Proof(None, READING)
BY = PROOF.by


def known(relation):
    return rules.assume(READING.fact(relation))


def says(theorem, relation, *hypotheses):
    """The theorem is this relation, rests on these hypotheses alone, and is replayed."""
    assert theorem.conclusion == READING.fact(relation)
    assert theorem.hypotheses == {READING.fact(each) for each in hypotheses}
    assert replay(theorem).same_as(theorem)


WITHOUT_PREMISES = {
    "triangle": (
        BY.triangle("F", A1, A2),
        le(FrobeniusNorm(A1 + A2), FrobeniusNorm(A1) + FrobeniusNorm(A2)),
    ),
    "triangle, spectral": (
        BY.triangle("op", A1, A2),
        le(SpectralNorm(A1 + A2), SpectralNorm(A1) + SpectralNorm(A2)),
    ),
    "triangle of vectors": (
        BY.triangle("F", v1, v2),
        le(EuclideanNorm(v1 + v2), EuclideanNorm(v1) + EuclideanNorm(v2)),
    ),
    "op, F": (
        BY.submultiplicative("op", "F", B, A),
        le(FrobeniusNorm(B * A), SpectralNorm(B) * FrobeniusNorm(A)),
    ),
    "F, op": (
        BY.submultiplicative("F", "op", B, A),
        le(FrobeniusNorm(B * A), FrobeniusNorm(B) * SpectralNorm(A)),
    ),
    "op, op": (
        BY.submultiplicative("op", "op", B, A),
        le(SpectralNorm(B * A), SpectralNorm(B) * SpectralNorm(A)),
    ),
    "F, F": (
        BY.submultiplicative("F", "F", B, A),
        le(FrobeniusNorm(B * A), FrobeniusNorm(B) * FrobeniusNorm(A)),
    ),
    "spectral below Frobenius": (
        BY.spectral_below_frobenius(A),
        le(SpectralNorm(A), FrobeniusNorm(A)),
    ),
    "rank": (BY.rank(A, r), le(FrobeniusNorm(A) ** 2, r * SpectralNorm(A) ** 2)),
    "rank of a product": (
        BY.rank(B * A, r),
        le(FrobeniusNorm(B * A) ** 2, r * SpectralNorm(B * A) ** 2),
    ),
    "Cauchy and Schwarz": (
        BY.cauchy_schwarz(v1, v2),
        le(words.InnerProduct(v1, v2), EuclideanNorm(v1) * EuclideanNorm(v2)),
    ),
    "expansion": (
        BY.expansion(v1 - v2),
        eq(EuclideanNorm(v1 - v2) ** 2, words.InnerProduct(v1 - v2, v1 - v2)),
    ),
    "block norm": (
        BY.block_norm(v),
        eq(EuclideanNorm(v) ** 2, FrobeniusNorm(A) ** 2 + FrobeniusNorm(B) ** 2),
    ),
    "nonnegative": (BY.nonnegative("op", W), ge(SpectralNorm(W), 0)),
    "telescope": (
        BY.telescope(Value(F, v_t)),
        eq(
            sp.Sum(Value(F, v_t.xreplace({t: t + 1})) - Value(F, v_t), (t, 1, T)),
            Value(F, v_t.xreplace({t: T + 1})) - Value(F, v_t.xreplace({t: sp.Integer(1)})),
        ),
    ),
    "minimum": (
        BY.minimum(EuclideanNorm(v_t)),
        le(
            T * words.MinimumOver(EuclideanNorm(v_t), t, 1, T),
            sp.Sum(EuclideanNorm(v_t), (t, 1, T)),
        ),
    ),
    "root": (BY.root_nonnegative(x - y), ge(sp.sqrt(x - y), 0)),
}


@pytest.mark.parametrize("theorem, relation", WITHOUT_PREMISES.values(), ids=WITHOUT_PREMISES)
def test_what_holds_without_premises(theorem, relation):
    says(theorem, relation)


def test_what_holds_of_a_number():
    nonnegative = ge(x - y, 0)
    positive = gt(x - y, 0)
    taken_out = eq(FrobeniusNorm((x - y) * A), (x - y) * FrobeniusNorm(A))
    says(BY.homogeneous(known(nonnegative), "F", A), taken_out, nonnegative)
    square = sp.Pow(sp.sqrt(x - y), 2, evaluate=False)
    says(BY.root(known(nonnegative)), eq(square, x - y), nonnegative)
    says(BY.positive_root(known(positive)), gt(sp.sqrt(x - y), 0), positive)
    product, inverse = BY.quotient(known(positive))
    says(product, eq(sp.Mul(x - y, 1 / (x - y), evaluate=False), 1), positive)
    says(inverse, gt(1 / (x - y), 0), positive)


def test_expectations_and_sums_of_what_is_known():
    fact = le(EuclideanNorm(v_t), x)
    says(BY.expectation(known(fact)), le(words.Expectation(EuclideanNorm(v_t)), x), fact)
    says(
        BY.expectation(known(fact), t - 1),
        le(words.Expectation(EuclideanNorm(v_t), v_t.xreplace({t: t - 1})), x),
        fact,
    )
    says(BY.expectation(known(fact), t), fact, fact)
    says(BY.sum(known(fact)), le(sp.Sum(EuclideanNorm(v_t), (t, 1, T)), T * x), fact)


def test_from_squares_rewrites_by_equations():
    squares = le(FrobeniusNorm(A) ** 2, y)
    size = ge(x, 0)
    square = eq(x**2, y)
    theorem = BY.from_squares(known(squares), known(size), FrobeniusNorm(A), known(square))
    says(theorem, le(FrobeniusNorm(A), x), squares, size, square)


def test_from_squares_that_do_not_fit_rests_on_what_is_missing():
    theorem = BY.from_squares(known(le(x**2, y)), known(ge(y, 0)), x)
    assert READING.fact(ge(y**2, x**2)) in theorem.hypotheses


# Laws and equations.


def law(relation, forall, given=()):
    return rules.assume(PROOF.law(forall, given, READING.fact(relation)))


def test_an_instance_is_the_law_there_less_what_is_proved():
    smooth = law(
        le(FrobeniusNorm(Gradient(f, W1) - Gradient(f, W2)), x * FrobeniusNorm(W1 - W2)), [W1, W2]
    )
    theorem = BY.instance(smooth, {W1: B * A, W2: W})
    assert theorem.conclusion == READING.fact(
        le(FrobeniusNorm(Gradient(f, B * A) - Gradient(f, W)), x * FrobeniusNorm(B * A - W))
    )
    assert theorem.hypotheses == smooth.hypotheses
    local = law(le(FrobeniusNorm(A), x), [A], [le(SpectralNorm(A), y)])
    inside = known(le(SpectralNorm(A1), y))
    there = READING.fact(le(SpectralNorm(A1), y))
    assert there in BY.instance(local, {A: A1}).hypotheses
    proved = BY.instance(local, {A: A1}, BY.spectral_below_frobenius(A1), inside)
    assert proved.hypotheses == local.hypotheses | {there}
    assert replay(proved).same_as(proved)


GRADIENT_A, GRADIENT_B = (words.PartialGradient(F, v1, block) for block in (A, B))
SLOPE = Gradient(f, W)
EQUATIONS = [
    (known(eq(GRADIENT_A, B.T * SLOPE)), GRADIENT_A, B.T * SLOPE),
    (known(eq(GRADIENT_B, SLOPE * A.T)), GRADIENT_B, SLOPE * A.T),
]


@pytest.mark.parametrize("forwards", [True, False])
def test_rewriting_goes_in_both_directions(forwards):
    before = le(FrobeniusNorm(GRADIENT_A) + FrobeniusNorm(GRADIENT_B), x)
    after = le(FrobeniusNorm(B.T * SLOPE) + FrobeniusNorm(SLOPE * A.T), x)
    source, goal = (before, after) if forwards else (after, before)
    theorem = BY.rewrite(known(source), goal, *EQUATIONS)
    assert theorem.conclusion == READING.fact(goal)
    assert theorem.hypotheses == {
        READING.fact(source),
        *(each.conclusion for each, _, _ in EQUATIONS),
    }
    assert replay(theorem).same_as(theorem)


def test_rewriting_to_another_goal_is_refused():
    with pytest.raises(RuleError):
        BY.rewrite(
            known(le(FrobeniusNorm(GRADIENT_A), x)),
            le(FrobeniusNorm(B.T * SLOPE), 2 * x),
            *EQUATIONS,
        )
    with pytest.raises(InputError, match="single matrix"):
        BY.rewrite(
            known(le(FrobeniusNorm(A1 + A2), x)), le(x, y), (known(eq(A1 + A2, A)), A1 + A2, A)
        )


# Signs.


def test_signs_close_what_has_positive_coefficients():
    signs = [known(gt(x, 0)), known(ge(y, 0))]
    for relation in (ge(2 * x * y + x, 0), gt(x**2 + y, 0)):
        theorem = by_signs(READING.fact(relation), signs)
        says(theorem, relation, gt(x, 0), ge(y, 0))
    for relation in (ge(x - y, 0), gt(x * y, 0), eq(x, 0), ge(x * theta, 0)):
        assert by_signs(READING.fact(relation), signs) is None


@examples(30)
@given(
    st.lists(
        st.tuples(st.integers(1, 5), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=4
    )
)
def test_signs_close_every_polynomial_of_nonnegative_numbers(terms):
    relation = ge(sum(c * x**p * y**q for c, p, q in terms), 0)
    theorem = by_signs(READING.fact(relation), [known(ge(x, 0)), known(ge(y, 0))])
    assert theorem is not None
    assert theorem.conclusion == READING.fact(relation)
    assert replay(theorem).same_as(theorem)
