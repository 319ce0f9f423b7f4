"""Nothing is violated that a hypothesis rules out, whatever word it is and whatever faces the word
has."""

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
import sympy as sp
import torch
from hypothesis import HealthCheck, Phase, settings
from hypothesis import given as drawn
from sympy import Le, Min

from boundcheck.errors import InputError
from boundcheck.exact.evaluate import t
from boundcheck.functions.adapters import ADAPTERS, Full, make_adapter
from boundcheck.language import vocabulary
from boundcheck.language.algorithms import GRADIENT_DESCENT
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import EVERY_T, Claim, Quantifier, Quantity, Statement, for_all
from boundcheck.language.evidence import HOLDS, Instance
from boundcheck.language.hypotheses import HYPOTHESES, Hypothesis, Worst
from boundcheck.language.judge import hypothesis_in, meets
from boundcheck.language.measures import LAST_DISTANCE, LAST_GAP, LEAST_GRADIENT
from boundcheck.language.sentence import algorithm_of, theorem
from boundcheck.language.stated import has_worst_case
from boundcheck.language.symbols import (
    R_1,
    C,
    D,
    G,
    L,
    Lhat,
    Parameter,
    T,
    a,
    alpha,
    bound,
    ell,
    sigma,
)
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    F,
    FrobeniusNorm,
    Gradient,
    SpectralNorm,
    Value,
    v1,
    v2,
    v_star,
    v_t,
)
from boundcheck.properties import ClaimViolatedError, check_claim
from boundcheck.properties.problem_strategies import instances, short_runs
from boundcheck.properties.session import using
from boundcheck.worst_case import falsify
from boundcheck.worst_case.instance import certify
from boundcheck.worst_case.relation import is_relation
from boundcheck.worst_case.short_run import ShortRun, check_theorem
from boundcheck.worst_case.stored import replayed, save
from boundcheck.worst_case.view import worst_conclusion
from boundcheck.worst_case.worst_case import WorstCase
from tests.layers import full

SMOOTH, CONVEX, BELOW, NEAR, IN_W, BOUNDED, SPECTRAL, BALL, FACTORS, FROZEN = (
    catalogue[id]
    for id in (
        "classic.smooth_everywhere",
        "classic.convex",
        "jiang2024.bounded_below",
        "classic.near_minimiser",
        "jiang2024.assumption1",
        "jiang2024.assumption3.2",
        "meft.gradient_bound",
        "jiang2024.assumption2",
        "jiang2024.assumption3.1",
        "meft.frozen_factor",
    )
)
LEVEL = sp.Symbol("q_0", positive=True)
X = sp.MatrixSymbol("X", vocabulary.d, vocabulary.k)
RATE = 8 * Lhat * D / T
DRAWN = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


ALWAYS = for_all(t)


def own(statement, quantifier=ALWAYS):
    """By a word that no engine knows anything of but that it asks nothing of the functions."""
    word = Hypothesis("mine", "mine", says=(Statement(statement, quantifier),), worst=Worst())
    return word.claim("mine.given", "Mine", "test")


def descent(hypotheses, limit, constant=ell, size=1, **more):
    """Gradient descent of this size/L̂ makes a measure at most a limit."""
    quantities = (Quantity(Lhat, constant), Quantity(alpha, size / Lhat), Quantity(bound, limit))
    words = {"algorithm": GRADIENT_DESCENT, "measure": LEAST_GRADIENT} | more
    return theorem("mine", "Mine", "test", Quantifier(), hypotheses, quantities, **words)


@dataclass(frozen=True)
class Ruled:
    """A bound that is trivial where the last hypothesis holds, and not true without it."""

    claim: Claim
    constants: dict[str, float]
    adapter: str = "full"


STAYS = own(Le(EuclideanNorm(v_t - v_star), R_1))
FALLS = own(Le(Value(F, v_t.xreplace({t: t + 1})), Value(F, v_t)))
STEEP = own(Le(EuclideanNorm(Gradient(F, v_t)), LEVEL))
EVERYWHERE = own(
    Le(EuclideanNorm(Gradient(F, v_t)), LEVEL), Quantifier(within=r"\text{for every start}")
)
DECLARED = {"declared": (Parameter(LEVEL, "positive real", "a level"),)}
ON_BALL = 2 * L * sigma**2 + G

RULED = {
    "bounded gradient": Ruled(descent((SMOOTH, BELOW, BOUNDED), Min(G**2, RATE)), {"G": 0.1}),
    "bounded spectral gradient": Ruled(
        # Of one row or column both norms are one.
        descent((IN_W, BALL, BELOW, SPECTRAL), Min(200 * sigma**2 * G**2, RATE), ON_BALL),
        {"G": 0.01, "sigma": 0.1},
        "lora",
    ),
    "ball": Ruled(
        descent((IN_W, BOUNDED, BELOW, BALL), Min(2 * sigma**2 * G**2, RATE), ON_BALL),
        {"sigma": 0.1, "G": 0.1},
        "lora",
    ),
    "frozen factor": Ruled(
        descent((IN_W, BOUNDED, BELOW, FROZEN), Min(a**2 * G**2, RATE), L * a**2),
        {"a": 0.1, "G": 0.1},
        "frozen-a",
    ),
    "Lipschitz adapter": Ruled(
        descent((IN_W, BOUNDED, BALL, BELOW, FACTORS), Min(2 * C**2 * G**2, RATE), ON_BALL),
        {"C": 0.01},
        "lora",
    ),
    "F falls": Ruled(descent((SMOOTH, BELOW, FALLS), D + D / T, size=3, measure=LAST_GAP), {}),
    "stays near": Ruled(
        descent((SMOOTH, CONVEX, NEAR, STAYS), R_1**2 + R_1**2 / T, size=3, measure=LAST_DISTANCE),
        {},
    ),
    "gradients at the iterates": Ruled(
        descent((SMOOTH, BELOW, STEEP), Min(LEVEL**2, RATE), **DECLARED), {"q_0": 0.1}
    ),
    "what nothing decides": Ruled(
        descent((SMOOTH, BELOW, EVERYWHERE), Min(LEVEL**2, RATE), **DECLARED), {"q_0": 0.1}
    ),
}
OWN = [name for name, ruled in RULED.items() if ruled.claim.hypotheses[-1].id == "mine.given"]


@pytest.mark.parametrize("name", RULED)
def test_a_worst_case_over_a_larger_class_violates_nothing_and_is_told(name):
    claim = RULED[name].claim
    cases = falsify(claim, WorstCase((2,), RULED[name].constants))
    (case,) = cases
    assert case.lower > case.bound
    assert not case.violated
    assert claim.hypotheses[-1].title in case.larger
    assert case.objection
    told = (
        json.dumps(cases.as_json(), ensure_ascii=False),
        "\n".join(worst_conclusion(cases)),
        cases._repr_html_(),
    )
    assert all(claim.hypotheses[-1].title in text and "VIOLATED" not in text for text in told)
    assert cases.to_frame()["larger"].item() == "; ".join(case.larger)


@full
@pytest.mark.parametrize("name", RULED)
def test_no_run_that_is_tried_breaks_what_a_hypothesis_makes_true(name):
    found = check_claim(RULED[name].claim, adapter=RULED[name].adapter, examples=6)
    assert found.ratio <= 1
    assert not found.open or name == "what nothing decides"


@full
@pytest.mark.parametrize("name", [name for name in OWN if name != "what nothing decides"])
def test_without_the_hypothesis_both_engines_find_what_breaks_it(name, tmp_path):
    ruled = RULED[name]
    claim = replace(ruled.claim, hypotheses=ruled.claim.hypotheses[:-1])
    assert falsify(claim, WorstCase((2,), ruled.constants))[0].violated
    with using(folder=tmp_path), pytest.raises(ClaimViolatedError):
        check_claim(claim, adapter=ruled.adapter, examples=200)


@full
@pytest.mark.parametrize("name", [name for name in OWN if name != "what nothing decides"])
def test_a_false_bound_is_found_where_the_hypothesis_holds(name, tmp_path):
    claim = RULED[name].claim
    *others, step, last = claim.quantities
    smaller = replace(step, expression=1 / Lhat), replace(last, expression=last.expression / 999)
    half = replace(claim, quantities=(*others, *smaller))
    (case,) = falsify(
        half, WorstCase((2,), {"q_0": 9.0} if name == "gradients at the iterates" else {})
    )
    assert case.violated
    assert case.objection == ""
    assert case.larger == ("Mine",)
    with using(folder=tmp_path), pytest.raises(ClaimViolatedError) as caught:
        check_claim(half, adapter="full", examples=60)
    assert meets(caught.value.instance, half).holds


def test_a_candidate_is_stored_and_judged_again_as_one(tmp_path):
    ruled = RULED["what nothing decides"]
    # F(v) = v²/2 near 0, from 1/2: the squared gradient is 1/4.
    number = np.ones((1, 1))
    knots = np.array([[-1.0, -1.0], [1.0, 1.0]])
    start = (torch.full((1, 1, 1), 0.5, dtype=torch.float64),)
    adapter = Full(torch.zeros(1, 1, dtype=torch.float64))
    run = ShortRun(ruled.claim, adapter, {}, "sigma", knots, number, 0.0, start, 1, {"q_0": 0.125})
    run.check()
    assert certify(run).open == ("Mine",)
    save(run, tmp_path / "run.json")
    again = replayed(tmp_path / "run.json", ruled.claim)
    assert again[1].violated is False
    assert again[1].open == ("Mine",)
    assert again.as_json()["open"] == ["Mine"]
    assert "Mine" in again._repr_html_()


m, x = sp.symbols("m x_0", positive=True)
AT_MOST = Claim(
    "mine.given",
    "Mine",
    "test",
    Le(x, m),
    Quantifier(),
    (),
    (Quantity(m, sp.Integer(1)),),
    declared=(Parameter(x, "positive real", "a number"),),
)
PLAIN = Claim(
    "mine.plain", "Plain", "test", Le(m, 9), declared=(Parameter(m, "positive real", "a number"),)
)
# Whether the bound is true by the hypothesis's own formula; where the letter has another formula,
# that is open.
CONDITIONAL = replace(
    AT_MOST, quantities=(), conditions=(Le(m, 1),), declared=(*AT_MOST.declared, *PLAIN.declared)
)
FORMULAS = {
    "true": (Claim("mine", "Mine", "test", Le(x, 2), Quantifier(), (AT_MOST,)), False),
    "false": (
        Claim("mine", "Mine", "test", Le(x, sp.Rational(1, 2)), Quantifier(), (AT_MOST,)),
        True,
    ),
    "the same": (
        Claim("mine", "Mine", "test", Le(x, m / 2), Quantifier(), (AT_MOST,), AT_MOST.quantities),
        True,
    ),
    "another": (
        Claim(
            "mine",
            "Mine",
            "test",
            Le(x, 2 * m / 7),
            Quantifier(),
            (AT_MOST,),
            (Quantity(m, sp.Integer(7)),),
        ),
        False,
    ),
    "any": (Claim("mine", "Mine", "test", Le(x, m / 2), Quantifier(), (AT_MOST, PLAIN)), False),
    "only under a condition": (
        Claim("mine", "Mine", "test", Le(x, 2), Quantifier(), (CONDITIONAL,)),
        False,
    ),
}


@pytest.mark.parametrize("adapter, is_frozen", [("lora", False), ("frozen-a", True)])
def test_a_factor_that_is_trained_is_not_frozen(adapter, is_frozen):
    claim = descent((IN_W, catalogue["classic.smooth"], BELOW, FROZEN), RATE, L * a**2)

    @settings(DRAWN, max_examples=5)
    @drawn(short_runs(claim, adapter=adapter))
    def look(run):
        assert (hypothesis_in(run, FROZEN).verdict == "holds") is is_frozen

    look()


@pytest.mark.parametrize("name", FORMULAS)
def test_a_hypothesis_is_held_by_its_own_formulas(name, tmp_path):
    claim, is_broken = FORMULAS[name]
    assert broken(claim, tmp_path) is is_broken


@pytest.mark.parametrize("word", HYPOTHESES.values(), ids=lambda word: word.id)
def test_a_word_from_outside_decides_nothing(word):
    """One that is made of a word of this package with another face, or another statement, is from
    outside."""
    copy = replace(word, decided=lambda *_: HOLDS)
    assert hypothesis_in(Instance(), copy.claim("mine.given", "Mine", "test")).verdict == "open"


TENTH = Le(EuclideanNorm(Gradient(F, v1) - Gradient(F, v2)), ell / 10 * EuclideanNorm(v1 - v2))
FLAT = replace(SMOOTH.word, id="mine", says=(Statement(TENTH, SMOOTH.quantifier),)).claim(
    "mine.given", "Mine", "test"
)


@full
def test_what_a_word_from_outside_rules_out_breaks_nothing(tmp_path):
    """F that is tenfold smoother than the faces say: its gradients are small from the first."""
    claim = descent((FLAT, BELOW), ell * D * (1 + 1 / T) / 5)
    (case,) = falsify(claim, WorstCase((2,)))
    assert case.lower > case.bound
    assert case.violated is False
    assert case.larger == ("Mine",)
    assert not broken(claim, tmp_path)
    with using(folder=tmp_path):
        assert check_claim(claim, adapter="full", examples=40).ratio <= 1


def test_no_worst_case_is_over_what_a_word_from_outside_says_of_functions():
    convex = replace(CONVEX.word, id="mine").claim("mine.given", "Mine", "test")
    claims = (
        descent((SMOOTH, BELOW, *more), D + D / T, measure=LAST_GAP) for more in ((convex,), ())
    )
    with_, without = (falsify(claim, WorstCase((2,)))[0] for claim in claims)
    assert with_.numerical == pytest.approx(without.numerical)
    assert with_.larger == ("Mine",)
    noise = catalogue["jiang2024.assumption4"]
    theirs = replace(noise.word, id="mine").claim("mine.given", "Mine", "test")
    for claim in (
        each
        for each in map(catalogue.get, RUNS)
        if noise in each.hypotheses and has_worst_case(each)
    ):
        others = tuple(each for each in claim.hypotheses if each != noise)
        assert not has_worst_case(replace(claim, id="mine", hypotheses=(*others, theirs)))


LATE = descent((SMOOTH, BELOW), Lhat * D * T / 50)
LARGE = Le(FrobeniusNorm(X), SpectralNorm(X))
# What each text leaves out: all that is tried at once, or what breaks the claim.
OF_X = Claim("mine", "Mine", "test", LARGE)
LIPSCHITZ = replace(catalogue["meft.lora"].assuming({"Lhat": Lhat / 99}), id="mine")
UNREAD = {
    "late": (LATE, Quantifier((T,), r" \ge 100", "for every")),
    "some T": (LATE, Quantifier(within=r"\text{for some } T")),
    "of rank 1": (OF_X, Quantifier((X,), r" \text{ of rank } 1")),
    "some": (OF_X, Quantifier(within=r"\text{for some } X")),
    "near each other": (
        LIPSCHITZ,
        Quantifier((v1, v2), r" \text{ in the domain, far apart}", "for"),
    ),
}
READ = {
    "late": (Quantifier(), EVERY_T),
    "some": (Quantifier(), for_all(X)),
    "near each other": (catalogue["meft.lora"].quantifier, for_all(v1, v2)),
}


def broken(claim, folder):
    """Whether an instance is found that certainly breaks it."""
    if has_worst_case(claim) and falsify(claim, WorstCase((2,)))[0].violated:
        return True
    with using(folder=folder):
        try:
            check_claim(
                claim,
                adapter=None if is_relation(claim) else "full" if algorithm_of(claim) else "lora",
                examples=40,
            )
        except ClaimViolatedError:
            return True
        except InputError:
            # A relation of such a range is refused.
            return False
    return False


@full
@pytest.mark.parametrize("name", UNREAD)
def test_nothing_breaks_a_claim_whose_range_is_not_read(name, tmp_path):
    claim, quantifier = UNREAD[name]
    assert not broken(replace(claim, quantifier=quantifier), tmp_path)


@pytest.mark.parametrize(
    "name, quantifier", [(name, text) for name, texts in READ.items() for text in texts]
)
def test_a_claim_about_all_values_of_its_letters_is_broken_by_one(name, quantifier, tmp_path):
    assert broken(replace(UNREAD[name][0], quantifier=quantifier), tmp_path)


def tried(claim):
    try:
        check_theorem(claim)
    except InputError:
        return False
    return True


RUNS = [id for id, claim in catalogue.items() if tried(claim)]
LEMMAS = [(kind, id) for kind, adapter in ADAPTERS.items() for id in adapter.claims]


@pytest.mark.parametrize(
    "id, kind",
    [*((id, None) for id in RUNS), *((id, kind) for kind, id in LEMMAS)],
    ids=lambda x: str(x),
)
def test_what_is_drawn_for_a_claim_of_the_catalogue_meets_all_of_it(id, kind):
    claim = catalogue[id]
    made = short_runs(claim) if algorithm_of(claim) else instances(claim, adapter=kind, largest=3)

    @settings(DRAWN, max_examples=5)
    @drawn(made)
    def look(instance):
        assert meets(instance, claim).objection == ""

    look()


def test_a_run_from_a_factor_that_is_0_is_judged():
    """The bounds of an adapter are asked for at positive radii."""
    zero = torch.zeros(1, 1, dtype=torch.float64)
    claim = catalogue["meft.unconditional_gd"]
    made = make_adapter("lora", zero, 1, 1.0, {})
    knots = np.array([[-1.0, -1.0], [1.0, 1.0]])
    v = zero[None], zero[None] + 1
    run = ShortRun(claim, made, {}, "sigma", knots, np.ones((1, 1)), 0.0, v, 2)
    assert meets(run, claim).objection == ""
