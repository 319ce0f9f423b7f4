"""`check_claim`: true claims pass, false ones end in the smallest instance that breaks them, in a
replayable file."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import sympy as sp
from sympy import Le, MatrixSymbol, Rational

from boundcheck.exact.floats import Approx, Comparison
from boundcheck.language import symbols
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantifier, Quantity
from boundcheck.language.symbols import Lhat, Parameter, symbol_of
from boundcheck.language.vocabulary import FrobeniusNorm, InnerProduct, SpectralNorm
from boundcheck.properties import ClaimViolatedError, RoundingError, check_claim
from boundcheck.properties.session import PROFILES, using
from boundcheck.worst_case import falsify
from boundcheck.worst_case.instance import certify
from boundcheck.worst_case.relation import Assignment
from boundcheck.worst_case.search import Search
from boundcheck.worst_case.stored import replayed
from tests.experiment.small import refused, with_quantity_scaled

m, n, k = sp.symbols("m n k", positive=True, integer=True)
a, b = sp.symbols("a b", positive=True)
X = MatrixSymbol("X", m, n)
Y = MatrixSymbol("Y", n, k)
Z = MatrixSymbol("Z", m, n)


@pytest.fixture(autouse=True)
def _folder(tmp_path):
    with using(folder=tmp_path):
        yield


def violated(*arguments, **options):
    with pytest.raises(ClaimViolatedError) as caught:
        check_claim(*arguments, **options)
    return caught.value


TRUE = [
    Le(FrobeniusNorm(X * Y), SpectralNorm(X) * FrobeniusNorm(Y)),
    Le(SpectralNorm(X * Y), SpectralNorm(X) * SpectralNorm(Y)),
    Le(FrobeniusNorm(X + Z), FrobeniusNorm(X) + FrobeniusNorm(Z)),
    Le(InnerProduct(X, Z), FrobeniusNorm(X) * FrobeniusNorm(Z)),
    Le(FrobeniusNorm(X), sp.sqrt(n) * SpectralNorm(X)),
    sp.Eq(FrobeniusNorm(X) ** 2, sp.Trace(X.T * X)),
    Le(SpectralNorm(sp.HadamardProduct(X, Z)), SpectralNorm(X) * SpectralNorm(Z)),
]
FALSE = [
    Le(FrobeniusNorm(X * Y), SpectralNorm(X) * SpectralNorm(Y)),
    Le(FrobeniusNorm(X + Z), FrobeniusNorm(X)),
    Le(FrobeniusNorm(X), SpectralNorm(X)),
    Le(InnerProduct(X, Z), FrobeniusNorm(X) * SpectralNorm(Z)),
    sp.Ge(SpectralNorm(X * Y), SpectralNorm(X) * SpectralNorm(Y)),
    Le(FrobeniusNorm(X), sp.sqrt(n) * SpectralNorm(X) - Rational(1, 100)),
    sp.Eq(SpectralNorm(X) ** 2, SpectralNorm(X.T * X) + a / 1000),
]


@pytest.mark.full
@pytest.mark.parametrize("relation", TRUE, ids=str)
def test_true_inequalities_pass(relation, tmp_path):
    found = check_claim(relation)
    assert found.examples >= PROFILES["quick"].examples
    # They are all attained.
    assert found.ratio > 1 - 1e-5
    assert found.near_ties > 0
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("relation", FALSE, ids=str)
def test_false_inequalities_end_in_a_file_that_can_be_replayed(relation, tmp_path):
    error = violated(relation)
    instance, found = replayed(error.path, error.instance.claim)
    assert found.violated
    assert found.lower == error.ratio > 1
    assert instance.claim.conclusion == relation
    assert error.path.parent == tmp_path
    assert f"boundcheck falsify FILE.py:CLAIM --replay {error.path}" in str(error)
    assert isinstance(error, AssertionError)
    if relation == FALSE[0]:
        # What breaks a claim is small and readable.
        shown = ["k = 2", "m = 2", "n = 2", "X = [[1, 0], [0, 1]]", "Y = [[1, 0], [0, 1]]"]
        assert [line.strip() for line in str(error).splitlines()[1:-1]] == shown
        assert math.isclose(error.ratio, 2**0.5, rel_tol=1e-12)


@pytest.mark.full
def test_what_is_given_bounds_the_matrices():
    given = [SpectralNorm(X) <= a, FrobeniusNorm(Y.T) <= b]
    assert 0.99 < check_claim(Le(FrobeniusNorm(X * Y), a * b), given=given).ratio <= 1
    error = violated(Le(FrobeniusNorm(X * Y), Rational(9, 10) * a * b), given=given)
    assert certify(error.instance).inside
    # Of products of numbers, and between numbers, which are not drawn so: they leave out what
    # breaks them.
    assert check_claim(Le(SpectralNorm(X), b), given=[SpectralNorm(X) <= a, Le(a, b)]).examples > 0
    assert (
        refused(
            check_claim,
            Le(SpectralNorm(X), a),
            given=[FrobeniusNorm(X) <= a / 2, SpectralNorm(X) >= 2 * a],
        ).field
        == "given"
    )


def test_a_number_alone_can_be_checked():
    assert check_claim(Le(2 * a * b, a**2 + b**2)).ratio == 1
    assert set(violated(Le(3 * a * b, a**2 + b**2)).instance.numbers) == {"a", "b"}


c, x, y, L, G = sp.symbols("c x y L G", positive=True)
Q = MatrixSymbol("Q", n, n)
R = MatrixSymbol("R", n, n)
W = MatrixSymbol("W", 3, 3)
A = MatrixSymbol("A", 4, 2)
B = MatrixSymbol("B", 2, 4)
LARGEST = L * (a**2 + b**2) / 2 + sp.sqrt((L * (a**2 - b**2) / 2) ** 2 + (L * a * b + G) ** 2)
COMMUTATOR = FrobeniusNorm(Q * R - R * Q)
# Each is true, and false as soon as the right side is any smaller; beside it what is given.
SHARP = {
    # Böttcher and Wenzel, "The Frobenius norm and the commutator", Linear Algebra Appl. 429 (2008).
    "commutator, within balls": (
        COMMUTATOR,
        sp.sqrt(2) * a * b,
        [FrobeniusNorm(Q) <= a, FrobeniusNorm(R) <= b],
    ),
    "commutator with the transpose": (
        FrobeniusNorm(W * W.T - W.T * W),
        sp.sqrt(2) * FrobeniusNorm(W) ** 2,
        [],
    ),
    "Young": (2 * InnerProduct(X, Z), FrobeniusNorm(X) ** 2 / 7 + 7 * FrobeniusNorm(Z) ** 2, []),
    "trace of rank 2": (sp.Trace(A * B), sp.sqrt(2) * FrobeniusNorm(A * B), []),
    "means of five": (3125 * a * b * c * x * y, (a + b + c + x + y) ** 5, []),
    "means, weighted": (a * b, a**2 / 20000 + 5000 * b**2, []),
    "lambda*": (L * (b * x + a * y) ** 2 + 2 * G * x * y, LARGEST * (x**2 + y**2), []),
}


@pytest.mark.full
@pytest.mark.parametrize("name", SHARP)
def test_a_sharp_inequality_passes_and_one_just_below_it_does_not(name):
    left, right, given = SHARP[name]
    assert check_claim(Le(left, right), given=given).ratio > 0.998
    error = violated(Le(left, Rational(99, 100) * right), given=given)
    assert 1 < error.ratio <= 1 / 0.99 + 1e-9


@pytest.mark.full
def test_the_side_on_which_a_term_stands_hides_nothing():
    """E <= 0 has no ratio; and a part that is tight everywhere must not keep the others from being
    climbed."""
    product = FrobeniusNorm(Q) * FrobeniusNorm(R)
    for wrong in (
        Le(COMMUTATOR, Rational(14, 10) * product),
        Le(COMMUTATOR - Rational(14, 10) * product, 0),
        sp.Ge(Rational(196, 100) * product**2 - COMMUTATOR**2, 0),
        sp.And(Le(SpectralNorm(Q), FrobeniusNorm(Q)), Le(COMMUTATOR, Rational(14, 10) * product)),
    ):
        # Few sides to choose from: which instances are drawn of many is chance.
        error = violated(wrong, largest=2)
        assert replayed(error.path, error.instance.claim)[1].violated
        assert {X.shape for X in error.instance.matrices.values()} == {(2, 2)}


def scaled(id, factor):
    return replace(with_quantity_scaled(catalogue[id], factor), id="mine")


@pytest.mark.full
@pytest.mark.parametrize(
    "id, factor", [("meft.lemma1_sharp", (9, 10)), ("meft.theorem2_repaired", (1, 5))]
)
def test_a_lemma_and_a_theorem_of_ones_own(id, factor):
    wrong = scaled(id, Rational(*factor))
    error = violated(wrong, adapter="lora", largest=3)
    assert 1 < error.ratio <= factor[1] / factor[0]
    instance, found = replayed(error.path, error.instance.claim)
    assert instance.claim == wrong
    assert found.violated is True
    if id == "meft.lemma1_sharp":
        assert error.instance.adapter.kind == "lora"
        assert error.instance.adapter.rank == 1
        assert (
            0.9 < check_claim(scaled(id, Rational(101, 100)), adapter="lora", largest=3).ratio < 1
        )
    else:
        assert error.instance.stays
        assert "v_1: A = " in str(error)


@pytest.mark.full
def test_the_same_claim_is_checked_on_the_same_instances():
    first, second = (check_claim(TRUE[0]) for _ in range(2))
    assert first == second
    assert check_claim(TRUE[0], examples=10).examples < first.examples


@pytest.mark.full
def test_steering_raises_the_ratio():
    """An inequality that random matrices are far from, and that a climb gets nearer to."""
    far = Le(InnerProduct(X, Z) ** 2, 2 * FrobeniusNorm(X) ** 2 * FrobeniusNorm(Z) ** 2)
    assert check_claim(far, examples=60).ratio > 0.45


@pytest.mark.parametrize(
    "claim, options, field",
    [
        ("no.such.claim", {}, "claim"),
        ("jiang2024.assumption1", {}, "claim"),
        (3, {}, "claim"),
        (sp.Ne(a, b), {}, "claim"),
        (sp.Eq(X, 2 * X), {}, "claim"),
        ("meft.lemma1_sharp", {"given": [a <= b]}, "given"),
        ("meft.lemma1_sharp", {"adapter": "dora"}, "adapter"),
        ("meft.theorem2_repaired", {"adapter": "frozen-a"}, "adapter"),
        ("jiang2024.lemma1", {"lipschitz": "L"}, "lipschitz"),
        (TRUE[0], {"largest": 0}, "largest"),
        (TRUE[0], {"examples": 0}, "examples"),
        (Le(sp.Symbol("x", negative=True) * FrobeniusNorm(X), 0), {}, "claim"),
        (Le(FrobeniusNorm(X), sp.pi), {}, "claim"),
        (Le(sp.Symbol("a") * FrobeniusNorm(X), a), {}, "claim"),
        (TRUE[0], {"given": [Le(1, 2)]}, "given"),
    ],
    ids=str,
)
def test_bad_input_is_refused_by_its_name(claim, options, field):
    assert refused(lambda: check_claim(claim, **options)).field == field


p, q = sp.symbols("p q", positive=True, integer=True)
TRUE_IF = [
    (Le(p + 1, q), sp.Lt(p, q)),
    (Le(2, p), sp.Gt(p, 1)),
    (Le(FrobeniusNorm(X) ** 2, (n - 1) * SpectralNorm(X) ** 2), sp.Lt(m, n)),
    (Le(FrobeniusNorm(X), a), FrobeniusNorm(X.T) <= a),
]


@pytest.mark.full
@pytest.mark.parametrize("relation, hypothesis", TRUE_IF, ids=str)
def test_strict_hypotheses_exclude_ties(relation, hypothesis):
    assert check_claim(relation, given=[hypothesis]).examples > 0


FALSE_IF = [
    (sp.Lt(SpectralNorm(X), FrobeniusNorm(X)), []),
    (Le(FrobeniusNorm(X), SpectralNorm(X)), [sp.Eq(SpectralNorm(X), 1)]),
    (Le(FrobeniusNorm(X), SpectralNorm(X)), [SpectralNorm(X) <= a, SpectralNorm(X) >= a]),
    (Le(FrobeniusNorm(X), 0), [FrobeniusNorm(X) ** 2 <= Rational(1, 10**6)]),
    (Le(FrobeniusNorm(X), 50), []),
    (Le(FrobeniusNorm(X), 3 * SpectralNorm(X)), []),
    (Le(FrobeniusNorm(Q) * FrobeniusNorm(R), 1000 * FrobeniusNorm(Q * R)), []),
    # One part overflows in floats, and the other one is true.
    (
        sp.And(
            Le(2 * (17 + FrobeniusNorm(X)) ** 300, (17 + FrobeniusNorm(X)) ** 300 + 1),
            SpectralNorm(X) >= 0,
        ),
        [],
    ),
]


@pytest.mark.parametrize("relation, given", FALSE_IF, ids=str)
def test_what_is_false_at_the_edge_or_far_away_is_found(relation, given):
    assert certify(violated(relation, given=given, examples=300).instance).inside


@pytest.mark.full
def test_own_lemmas_and_theorems_say_and_rest_on_what_instances_have():
    lemma, theorem = (
        replace(catalogue[id], id="mine") for id in ("meft.lemma1_sharp", "meft.theorem2_repaired")
    )
    small = Claim("mine.small", "Small", "test", Le(SpectralNorm(X), a / 1000))
    for claim in (lemma, theorem):
        # What nothing says of an instance makes it a candidate.
        false = with_quantity_scaled(claim, Rational(1, 5))
        tried = check_claim(
            replace(false, hypotheses=(*claim.hypotheses, small)), adapter="lora", examples=20
        )
        assert tried.open == ("Small",)
        changed = replace(
            claim, measure=None, conclusion=Le(1000 * claim.conclusion.lhs, claim.conclusion.rhs)
        )
        assert (
            refused(lambda changed=changed: check_claim(changed, adapter="lora")).field
            == "claim.conclusion"
        )
    # A condition leaves out what breaks it.
    assert (
        check_claim(
            replace(lemma, conditions=(Le(symbols.b, symbols.a),)), adapter="lora", examples=20
        ).examples
        > 5
    )


def test_another_statement_under_an_id_of_the_catalogue_is_refused():
    other = with_quantity_scaled(catalogue["meft.lemma1_sharp"], 2)
    assert refused(lambda: check_claim(other, adapter="lora")).field == "claim.id"


@pytest.mark.full
def test_a_violation_outlives_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with using(folder=tmp_path / "file"):
        error = violated(FALSE[0])
    assert error.path is None
    assert "not stored" in str(error)


def test_enormous_ratios_are_told():
    error = violated(Le(FrobeniusNorm(X), SpectralNorm(X) / 10**40))
    assert error.ratio > 9e39
    assert "at least 9.9" in str(error) or "at least 1.0" in str(error)


@pytest.mark.full
def test_arithmetic_that_is_off_by_more_than_its_bound_is_found_and_the_claim_not_blamed(
    monkeypatch,
):
    honest = Assignment.compare

    def careless(self):
        found = honest(self)
        return Comparison(Approx(1.5 * found.measured.value, 0.0), found.bound)

    monkeypatch.setattr(Assignment, "compare", careless)
    with pytest.raises(RoundingError, match="and exactly it does not"):
        check_claim(TRUE[0])


@pytest.mark.full
def test_what_was_found_is_told_as_plain_data():
    heard = []
    with using(tell=heard.append):
        check_claim(TRUE[0])
        violated(FALSE[0])
    assert json.loads(json.dumps(heard)) == heard
    assert [each["id"] for each in heard] == [str(TRUE[0]), str(FALSE[0])]
    assert Path(heard[1]["file"]).exists()


# Claims with parameters of their own are searched, checked, stored and replayed with a value for
# each.

KAPPA = Parameter(symbol_of("kappa", "positive real"), "positive real", "a factor")
THETA = Parameter(symbol_of("theta", "positive real"), "positive real", "a share")
STEPS = Parameter(symbol_of("m_1", "positive integer"), "positive integer", "how often")
kappa = KAPPA.symbol
m_1 = STEPS.symbol


def smooth(constant, *declared, **more):
    """F is smooth with this constant, where W is trained itself."""
    full = catalogue["meft.full"]
    quantity = Quantity(Lhat, constant, "mine")
    return Claim(
        "my.full",
        "Mine",
        "me",
        full.conclusion,
        Quantifier(),
        full.hypotheses,
        (quantity,),
        declared=declared,
        **more,
    )


FALSE_LEMMA = smooth(symbols.L * kappa**m_1, KAPPA, STEPS)


@pytest.mark.full
def test_claims_with_parameters_of_their_own_are_true_where_they_speak():
    # True of kappa from 1 on, of which the condition speaks.
    limited = smooth(symbols.L * kappa, KAPPA, conditions=(sp.Ge(kappa, 1),))
    for claim in (smooth(symbols.L * (1 + kappa) ** m_1, KAPPA, STEPS), limited):
        assert check_claim(claim, adapter="full", examples=20).ratio <= 1
        assert not falsify(
            claim, Search([1], adapter="full", starts=2, rounds=4, examples=8)
        ).violated
    repaired = catalogue["meft.theorem2_repaired"]
    *before, bound = repaired.quantities
    looser = Quantity(bound.symbol, bound.expression * (1 + THETA.symbol), bound.meaning)
    theorem = replace(repaired, id="my.theorem", quantities=(*before, looser), declared=(THETA,))
    assert check_claim(theorem, adapter="lora", examples=8).ratio <= 1


@pytest.mark.full
def test_what_breaks_a_claim_has_a_value_of_each_of_its_parameters(tmp_path):
    error = violated(FALSE_LEMMA, adapter="full", examples=60)
    assert {*error.instance.given} == {"kappa", "m_1"}
    assert error.instance.given["kappa"] < 1
    again, found = replayed(error.path, error.instance.claim)
    assert found.violated
    assert again.claim == FALSE_LEMMA
    data = json.loads(error.path.read_text())
    changed = tmp_path / "changed.json"
    for given, field in (
        ({}, "given.kappa"),
        ({"kappa": 0.5, "m_1": 1, "L": 1}, "given.L"),
        ({"kappa": "1"}, "given.kappa"),
    ):
        changed.write_text(json.dumps(data | {"given": given}))
        assert refused(replayed, changed, FALSE_LEMMA).field == field


@pytest.mark.full
def test_a_value_that_is_given_is_taken():
    for value, is_violated in ((0.5, True), (2, False)):
        search = Search([1], {"kappa": value}, adapter="full", starts=2, rounds=8, examples=0)
        assert falsify(FALSE_LEMMA, search).violated == is_violated
    assert (
        refused(
            falsify,
            FALSE_LEMMA,
            Search([1], {"lambda_1": 2}, adapter="full", starts=2, rounds=8, examples=0),
        ).field
        == "lambda_1"
    )
