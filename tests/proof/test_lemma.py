"""A lemma is a claim: it is decided both ways from its line alone, and every engine takes it."""

from dataclasses import replace

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import boundcheck as bc
from boundcheck.errors import InputError
from boundcheck.kernel import rules
from boundcheck.language.symbols import T
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    Expectation,
    FrobeniusNorm,
    Gradient,
    InnerProduct,
    MatrixExpectation,
    MinimumOver,
    SpectralNorm,
    Value,
    d,
    g_t,
    k,
    n,
    r,
    t,
    v_t,
)
from boundcheck.proof import Reading, eq, ge, gt, judge, le, lemma
from boundcheck.properties import check_claim
from boundcheck.properties.session import using

X = sp.MatrixSymbol("X", d, r)
Y = sp.MatrixSymbol("Y", r, k)
Z = sp.MatrixSymbol("Z", k, d)
U = sp.MatrixSymbol("U", k, 1)
V = sp.MatrixSymbol("V", k, 1)
x, y = sp.symbols("x y")
p, q = sp.symbols("p q", positive=True)
F = FrobeniusNorm
op = SpectralNorm
size = EuclideanNorm
H = sp.Symbol("H")
SLOPE = Gradient(H, U)
MOVED = U - p * Gradient(H, U)
DESCENT = le(Value(H, MOVED), Value(H, U) - p * size(SLOPE) ** 2 + q * p**2 / 2 * size(SLOPE) ** 2)


def verdict(says, *given):
    """The verdict on a lemma, by whom it is proved, and the lemma."""
    (found,) = bc.prove(lemma("my.lemma", says=says, given=given)).claims
    return found.verdict, found.proofs[0].trust


# Each with a twin that is false.
TRUE = {
    "three factors": (le(F(X * Y * Z), op(X) * F(Y) * op(Z)),),
    "given": (le(F(X * Y), x * F(Y)), le(op(X), x)),
    "Young": (le(x * y, p * x**2 / 2 + y**2 / (2 * p)),),
    "Young for vectors": (le(2 * InnerProduct(U, V), p * size(U) ** 2 + size(V) ** 2 / p),),
    "parallelogram": (
        eq(size(U + V) ** 2 + size(U - V) ** 2, 2 * size(U) ** 2 + 2 * size(V) ** 2),
    ),
    "reverse triangle": (le(size(U) - size(V), size(U - V)),),
    "rank": (le(F(X), sp.sqrt(r) * op(X)),),
    "means": (le(sp.sqrt(p * q), (p + q) / 2),),
    "absolute value": (le(sp.Abs(x + y), sp.Abs(x) + sp.Abs(y)),),
    "quotients": (le(1 / q, 1 / p), le(p, q)),
    "squares": (le((x * y) ** 2, (x**4 + y**4) / 2),),
    "maximum": (le(sp.Max(F(X * Y), op(X * Y)), x), le(F(X * Y), x)),
    "a step": (le(Value(H, MOVED), Value(H, U) - p / 2 * size(SLOPE) ** 2), DESCENT, le(p * q, 1)),
    "harmonic": (le(1 / (1 / p + 1 / q), (p + q) / 4),),
    "a number": (le(x * size(U), size(U) / p), eq(x, y * p), le(y, 1 / p**2)),
    "what is given": (le(x, 1 / p), le(x, 1 / p), eq(U, V)),
}
FALSE = {
    "three factors": (le(F(X * Y * Z), op(X) * op(Y) * op(Z)),),
    "given": (le(F(X * Y), x * op(Y)), le(op(X), x)),
    "Young": (le(x * y, p * x**2 / 4 + y**2 / (2 * p)),),
    "Young for vectors": (le(2 * InnerProduct(U, V), p * size(U) ** 2 + size(V) ** 2 / (2 * p)),),
    "parallelogram": (eq(size(U + V) ** 2 + size(U - V) ** 2, size(U) ** 2 + 2 * size(V) ** 2),),
    "reverse triangle": (le(size(U) + size(V), size(U - V)),),
    "rank": (le(F(X), op(X)),),
    "means": (le((p + q) / 2, sp.sqrt(p * q)),),
    "absolute value": (le(sp.Abs(x) + sp.Abs(y), sp.Abs(x + y)),),
    "quotients": (le(1 / p, 1 / q), le(p, q)),
    "squares": (le((x * y) ** 2, (x**4 + y**4) / 3),),
    "maximum": (le(sp.Max(x, y), p), le(x, p)),
    "harmonic": (le(1 / (1 / p + 1 / q), (p + q) / 5),),
    "a number": (le(x * size(U), size(U) / p), eq(x, y * p), le(y, 1 / p)),
    "what is given": (le(x, 1 / p), le(x, 2 / p), eq(U, V)),
}


@pytest.mark.full
@pytest.mark.parametrize("name", TRUE)
def test_a_true_line_is_proved_by_the_kernel_without_a_hint(name):
    assert verdict(*TRUE[name]) == ("proved", "kernel")


@pytest.mark.full
@pytest.mark.parametrize("name", FALSE)
def test_a_false_line_is_refuted_without_a_witness(name):
    assert verdict(*FALSE[name])[0] == "refuted"


def test_a_false_line_about_a_function_is_refuted():
    says = le(Value(H, MOVED), Value(H, U) - p * size(SLOPE) ** 2)
    assert verdict(says, le(p * q, 1))[0] == "refuted"


# One step of gradient descent and of SGD, at v_t and at the next iterate; and all steps together.
NEXT = v_t.xreplace({t: t + 1})
FAR = sp.MatrixSymbol("z", n, 1)
NEAR, NEAR_NEXT = size(v_t - FAR) ** 2, size(NEXT - FAR) ** 2
NOW, THEN = Value(H, v_t), Value(H, NEXT)
FIRST, LAST = (Value(H, v_t.xreplace({t: time})) for time in (sp.Integer(1), T + 1))
DOWN = Gradient(H, v_t)
STEP, NOISY = eq(NEXT, v_t - p * DOWN), eq(NEXT, v_t - p * g_t)
UNBIASED = eq(MatrixExpectation(g_t, v_t), DOWN)
SECOND = le(Expectation(size(g_t) ** 2, v_t), q**2)
NOISE = le(Expectation(size(g_t - DOWN) ** 2, v_t), q**2)
FALLS = le(THEN, NOW - p / 2 * size(DOWN) ** 2)
SQUARES = sp.Sum(size(DOWN) ** 2, (t, 1, T))
SMOOTH = le(THEN, NOW + InnerProduct(DOWN, NEXT - v_t) + y / 2 * size(NEXT - v_t) ** 2)
PULL = ge(InnerProduct(DOWN, v_t - FAR), x * NEAR)
RUNS = {
    "a step": (
        lambda c: eq(
            NEAR_NEXT, NEAR - c * p * InnerProduct(DOWN, v_t - FAR) + p**2 * size(DOWN) ** 2
        ),
        [STEP],
    ),
    "a noisy step": (
        lambda c: le(Expectation(NEAR_NEXT), (1 - c * p * x) * Expectation(NEAR) + p**2 * q**2),
        [NOISY, UNBIASED, SECOND, PULL],
    ),
    "the variance": (
        lambda c: eq(
            Expectation(size(g_t) ** 2, v_t),
            Expectation(size(g_t - DOWN) ** 2, v_t) + c / 2 * size(DOWN) ** 2,
        ),
        [UNBIASED],
    ),
    "the descent in mean": (
        lambda c: le(
            Expectation(THEN, v_t),
            NOW - p * (c / 2 - y * p / 2) * size(DOWN) ** 2 + y * p**2 / 2 * q**2,
        ),
        [NOISY, UNBIASED, NOISE, SMOOTH, ge(y, 0)],
    ),
    "no bias": (
        lambda c: eq(
            Expectation(InnerProduct(g_t, v_t - FAR), v_t), c / 2 * InnerProduct(DOWN, v_t - FAR)
        ),
        [UNBIASED],
    ),
    "bias and variance": (
        lambda c: eq(
            Expectation(size(g_t - FAR) ** 2, v_t),
            Expectation(size(g_t - DOWN) ** 2, v_t) + c / 2 * size(DOWN - FAR) ** 2,
        ),
        [UNBIASED],
    ),
    "Jensen": (
        lambda c: le(
            c / 2 * size(MatrixExpectation(g_t, v_t)) ** 2, Expectation(size(g_t) ** 2, v_t)
        ),
        [],
    ),
    "Jensen for numbers": (
        lambda c: le(c / 2 * Expectation(size(g_t)) ** 2, Expectation(size(g_t) ** 2)),
        [],
    ),
    "in each outcome": (
        lambda c: le(c / 2 * Expectation(size(g_t), v_t), q + size(v_t)),
        [le(size(g_t - v_t), q)],
    ),
    "Polyak's step": (
        lambda c: le(NEAR_NEXT, NEAR - c / 2 * (NOW - x) ** 2 / size(DOWN) ** 2),
        [
            eq(NEXT, v_t - y * DOWN),
            eq(y, (NOW - x) / size(DOWN) ** 2),
            gt(size(DOWN) ** 2, 0),
            ge(NOW, x),
            ge(InnerProduct(DOWN, v_t - FAR), NOW - x),
        ],
    ),
    "all steps": (lambda c: le(p / c * SQUARES, FIRST - LAST), [FALLS]),
    "the least gradient": (
        lambda c: le(p / c * T * MinimumOver(size(DOWN) ** 2, t, 1, T), FIRST - LAST),
        [FALLS],
    ),
}


@pytest.mark.full
@pytest.mark.parametrize("name", RUNS)
def test_a_line_about_times_and_chance_is_decided_both_ways(name):
    """Each is true with 2, and false with more, or with less where it divides."""
    says, known = RUNS[name]
    assert verdict(says(sp.Integer(2)), *known) == ("proved", "kernel")
    worse = sp.Rational(3, 2) if name in ("all steps", "the least gradient") else sp.Integer(3)
    assert verdict(says(worse), *known)[0] == "refuted"


@pytest.mark.full
@settings(max_examples=20)
@given(st.integers(0, 4), st.integers(0, 4), st.booleans())
def test_a_mean_is_no_larger_than_its_square_says(a, b, has_mean):
    """E‖g‖² is at least ‖∇F‖², and a‖∇F‖² + b‖v‖² is no bound on it where nothing is said of ∇F."""
    known = [UNBIASED] if has_mean else []
    says = le(a * size(DOWN) ** 2, Expectation(size(g_t) ** 2, v_t) + b * size(v_t) ** 2)
    found = verdict(says, *known)[0]
    assert found == ("proved" if a == 0 or (has_mean and a == 1) else "refuted")


@settings(max_examples=15)
@given(
    st.integers(-3, 3),
    st.integers(-3, 3),
    st.integers(1, 4),
    st.sampled_from("xaL").map(sp.Symbol),
)
def test_a_line_is_proved_or_refuted_as_its_numbers_say(a, b, c, x):
    """Where x² + ax + b >= 0 for all x is decided by its discriminant.

    A letter may have the name of a positive one of the catalogue.
    """
    found = verdict(ge(c * x**2 + a * x + b, 0))[0]
    assert found == ("proved" if a * a <= 4 * b * c else "refuted")


def test_every_engine_takes_it(tmp_path):
    made = lemma("my.lemma", says=le(F(X * Y), x * F(Y)), given=[le(op(X), x)])
    assert check_claim(made, examples=10).ratio <= 1
    assert bc.prove(made).claims[0].verdict == "proved"
    with using(folder=tmp_path), pytest.raises(AssertionError):
        check_claim(lemma("my.other", says=le(F(X * Y), op(X) * op(Y))))


def test_lines_are_written_where_one_is_too_much_and_a_false_one_is_told():
    bounds, gap = [le(op(X), p), le(F(Y), q)], le(F(X * Y), p * q)

    @lemma("my.lemma", says=gap, given=bounds)
    def proof(proof):
        proof.step("(1)", le(F(X * Y), op(X) * F(Y)))
        proof.step("(2)", le(F(X * Y), F(Y)))

    (found,) = bc.prove(proof).claims
    assert [x.verdict for x in found.proofs[0].steps] == ["proved", "refuted", "proved"]
    assert found.verdict == "repaired"


def test_a_line_about_a_dimension_alone_is_proved_or_unknown():
    """No matrix says how large it is."""
    assert verdict(ge(d, 1)) == ("proved", "kernel")
    assert verdict(ge(d, 2))[0] == "unknown"


def test_it_is_told_whether_an_instance_meets_what_is_given():
    assert judge(lemma("my.lemma", says=le(x, 2), given=[le(x, 1)])).has_instance
    none = judge(lemma("my.lemma", says=le(p, -2), given=[le(p, -1)]))
    assert none.verdict == "proved"
    assert none.has_instance is False


def assumed(proof):
    proof.conclude(proof.step("(1)", le(1, 0), proof.assume(le(1, 0))), relation=None)


def of_another_role(proof):
    proof.step("(1)", le(x, 0), proof.assume(le(x, 0), role="domain"))


def defined(proof):
    proof.step("(1)", le(x, 0), proof.define(x, sp.Integer(0)))


def forged(proof):
    fact = proof.reading.fact(le(x, 0))
    proof.conclusion = rules.assume(fact)


@pytest.mark.parametrize("build", [assumed, of_another_role, defined, forged])
def test_a_proof_says_nothing_of_what_its_lemma_means(build):
    """x <= 0 is false of x = 1, whatever its proof assumes besides."""
    script = lemma("my.lemma", says=le(x, 0))(build)
    try:
        found = judge(script).verdict
    except InputError:
        return
    assert found != "proved"


def test_another_reading_or_sequent_in_its_place_changes_nothing():
    false = lemma("my.lemma", says=le(x, 0))
    true = lemma("my.lemma", says=le(x, x**2 + 1))
    zero = Reading(constants={x})
    assert judge(replace(false, sequent=true.sequent)).verdict != "proved"
    assert judge(replace(false, reading=zero, sequent=true.sequent)).verdict != "proved"


@pytest.mark.parametrize(
    "says, given",
    [
        (sp.true, ()),
        (le(x, y), [sp.true]),
        (le(Value(H, U), H), ()),
        (le(x, sp.Symbol("x", positive=True)), ()),
        (gt(sp.Symbol("z", nonnegative=True), 0), ()),
        (le(x, y), le(x, y)),
        (le(F(X), sp.Max(x, y) + sp.Symbol("T")), [le(F(X), 0) | le(F(X), 1)]),
    ],
    ids=str,
)
def test_what_is_no_lemma_is_one_line(says, given):
    with pytest.raises(InputError):
        lemma("my.lemma", says=says, given=given)


def test_a_matrix_may_have_the_name_of_a_constant():
    size = EuclideanNorm(sp.MatrixSymbol("s", d, 1))
    made = lemma("my.lemma", says=le(size**2, size), given=[le(size, 2)])
    assert judge(made).verdict == "refuted"
