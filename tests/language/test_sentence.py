"""Theorems as sentences of words: they hold on small functions, and performance estimation finds no
worse case."""

from __future__ import annotations

from dataclasses import dataclass, replace

import hypothesis.strategies as st
import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, given

from boundcheck.errors import InputError
from boundcheck.functions.arithmetic import EPSILON
from boundcheck.language.algorithms import (
    ALGORITHMS,
    GRADIENT_DESCENT,
    HEAVY_BALL,
    NESTEROV,
    AdaGradNorm,
    Algorithm,
    LinearMethod,
)
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantifier, Quantity, for_all
from boundcheck.language.measures import (
    AVERAGE_GRADIENT,
    LAST_DISTANCE,
    LAST_GAP,
    LEAST_GRADIENT,
    MEASURES,
    PerformanceMeasure,
)
from boundcheck.language.sentence import (
    AS_ITS_PARTS,
    algorithm_of,
    conjuncts,
    measure_of,
    word_of,
    words_of,
)
from boundcheck.language.symbols import alpha, bound
from boundcheck.language.vocabulary import FrobeniusNorm, n
from boundcheck.properties import check_claim
from boundcheck.worst_case import falsify
from boundcheck.worst_case.program import TOLERANCE, Program, Solver
from boundcheck.worst_case.worst_case import WorstCase
from tests.language.small import huber, measured, wave
from tests.layers import examples, full
from tests.outside.my_algorithm import HALVED
from tests.outside.my_theorem import HALVED_DESCENT

HEAVY, SHORT, ADAGRAD, ACCELERATED, CONVEX, STRONG = (
    catalogue[id]
    for id in (
        "classic.heavy_ball",
        "classic.heavy_ball_short_step",
        "ward2019.adagrad_norm",
        "su2016.nesterov",
        "drori2014.gradient_descent",
        "nesterov2004.strongly_convex",
    )
)


def words(claim):
    algorithm = algorithm_of(claim)
    measure = measure_of(claim)
    assert algorithm is not None
    assert isinstance(measure, PerformanceMeasure)
    return algorithm, measure


def arrays(entries):
    return st.lists(entries, min_size=3, max_size=3).map(np.array)


def below(claim, factor):
    last = claim.quantities[-1]
    changed = replace(last, expression=sp.Rational(factor) * last.expression)
    return replace(claim, id="less", quantities=(*claim.quantities[:-1], changed))


EXACT = [CONVEX, STRONG]


@full
@pytest.mark.parametrize("claim", [HEAVY, SHORT, ACCELERATED, *EXACT], ids=lambda claim: claim.id)
def test_no_smooth_function_is_worse_than_the_bound(claim):
    for case in falsify(claim, WorstCase((1, 2, 5), {"ell": 3.0})):
        assert not case.violated
        assert case.method == words(claim)[0].title
        if claim in EXACT:
            assert abs(case.numerical - case.bound) <= TOLERANCE * case.bound


def longest_step(claim, beta, ell=1.0):
    given = {p.name: 1.0 for p in claim.parameters} | {"beta": beta, "ell": ell}
    return float(claim.function("eta_max")(**given))


@given(st.floats(0.05, 0.9), st.floats(0.05, 0.95), st.integers(2, 4))
@examples(8)
def test_heavy_ball_has_no_worse_case_at_any_step(beta, share, T):
    for claim in (HEAVY, SHORT):
        eta = share * longest_step(claim, beta)
        (case,) = falsify(claim, WorstCase([T], {"beta": beta, "eta": eta}))
        assert 0 < case.ratio <= 1 + TOLERANCE


@given(st.floats(0.01, 0.99), st.floats(0.01, 1), st.floats(0.1, 10), st.integers(1, 100))
@examples(40)
def test_which_bound_of_heavy_ball_is_the_smaller_one_is_as_it_says(beta, share, ell, T):
    eta = share * longest_step(SHORT, beta, ell) * (1 - EPSILON)
    given = {"ell": ell, "beta": beta, "eta": eta, "D": 1.0, "T": T}
    apart = beta**2 + 4 * beta + ell * eta - 1
    assume(abs(apart) > 1e-9)
    assert (SHORT.bound(**given) < HEAVY.bound(**given)) == (apart > 0)


@given(
    arrays(st.floats(0.05, 4)),
    arrays(st.floats(-3, 3)),
    st.floats(0.1, 4),
    st.floats(0.1, 0.8),
    st.integers(1, 4),
)
@examples(8)
def test_a_function_is_no_worse_than_the_worst(widths, start, L, beta, T):
    momentum = {"alpha": 1 / L, "beta": beta}
    step = {"alpha": 1 / L}
    for f in (huber(L, widths), wave(L, widths)):
        assume((D := f[0](start)) > 0.01)
        for measure in (LEAST_GRADIENT, AVERAGE_GRADIENT, LAST_GAP):
            worst = Solver(Program(HEAVY_BALL, momentum, measure, L, gap=D), T).value
            assert measured(HEAVY_BALL, measure, f, start, momentum, T) <= worst * (1 + TOLERANCE)
    for measure in (LEAST_GRADIENT, LAST_GAP, LAST_DISTANCE):
        R = float(np.linalg.norm(start))
        worst = Solver(Program(NESTEROV, step, measure, L, is_convex=True, distance=R), T).value
        assert measured(NESTEROV, measure, huber(L, widths), start, step, T) <= worst * (
            1 + TOLERANCE
        )


@full
def test_a_violation_is_one_that_an_instance_shows():
    for T in (3, 5):
        (half,) = falsify(below(STRONG, "1/2"), WorstCase([T], {"ell": 3.0}))
        assert half.violated
        assert half.bound < half.lower
    # This bound is below the worst case, and above what the instance shows.
    (near,) = falsify(below(STRONG, "0.999999"), WorstCase([3], {"ell": 3.0}))
    assert near.lower < near.bound < STRONG.bound(**near.inputs)
    assert not near.violated


def test_without_convexity_the_gap_need_not_fall_as_fast():
    one, other = (
        Solver(
            Program(
                GRADIENT_DESCENT, {"alpha": 1.0}, LAST_GAP, 1.0, is_convex=convex, distance=1.0
            ),
            3,
        ).value
        for convex in (True, False)
    )
    assert other > 1.5 * one


def test_what_cannot_be_estimated_says_why():
    with pytest.raises(InputError, match="AdaGrad-norm, for its step depends"):
        falsify(ADAGRAD, WorstCase([2]))
    alone = Program(GRADIENT_DESCENT, {"alpha": 1.0}, LAST_DISTANCE, 1.0, gap=1.0)
    with pytest.raises(InputError, match="minimiser"):
        alone.check(2)
    strange = Claim("strange", "Strange", "test", sp.Le(sp.Symbol("x"), 1))
    with pytest.raises(InputError) as caught:
        falsify(
            replace(CONVEX, id="more", hypotheses=(*CONVEX.hypotheses, strange)), WorstCase([2])
        )
    assert caught.value.field == "claim.hypotheses"
    assert caught.value.value == "strange"


def test_every_theorem_is_a_sentence_of_words():
    for claim in catalogue.values():
        if claim.algorithm is not None:
            algorithm, measure = words(claim)
            assert algorithm == claim.algorithm
            assert measure == claim.measure
            assert claim.conclusion == measure.at_most(claim.quantities[-1].symbol)
            assert all(word is not None for _, word in words_of(claim))
    assert {claim.algorithm.id for claim in catalogue.values() if claim.algorithm} == set(
        ALGORITHMS
    )
    used = {measure.id for claim in catalogue.values() if (measure := measure_of(claim))}
    assert used == set(MEASURES)


# A conjunction of hypotheses is these; what says anything else, or more, or less, is itself.

X = sp.MatrixSymbol("X", n, 1)
LIMIT = sp.Symbol("ell", positive=True)
ALL = for_all(X)
UNIT = Quantifier((X,), r" \text{ of length } 1")
SOME = Quantifier(within=r"\text{for some } X")
RANGES = {
    "all say nothing": (Quantifier(), Quantifier(), True),
    "all say all": (ALL, ALL, True),
    "all of all": (AS_ITS_PARTS, ALL, True),
    "all of unnamed ones": (AS_ITS_PARTS, Quantifier(), False),
    "all of one": (ALL, Quantifier(), False),
    "parts of one": (AS_ITS_PARTS, UNIT, False),
    "some of all": (SOME, ALL, False),
    "one of all": (Quantifier(), ALL, False),
    **{f"all say {x.latex}": (x, x, False) for x in (UNIT, SOME)},
}


def resting(range_, of_parts, **changes):
    relations = sp.Le(FrobeniusNorm(X), LIMIT), sp.Ge(FrobeniusNorm(X), LIMIT / 2)
    parts = tuple(
        Claim(f"my.part{i}", "Part", "me", each, of_parts) for i, each in enumerate(relations)
    )
    return replace(Claim("my.whole", "Whole", "me", sp.And(*relations), range_, parts), **changes)


@pytest.mark.parametrize("range_, of_parts, expected", RANGES.values(), ids=RANGES)
def test_a_conjunction_ranges_as_its_parts_do(range_, of_parts, expected):
    whole = resting(range_, of_parts)
    assert conjuncts(whole) == (whole.hypotheses if expected else ())
    said = [(each, word_of(each)) for each in (whole.hypotheses if expected else (whole,))]
    assert words_of(replace(CONVEX, id="my.claim", hypotheses=(whole,))) == said


@pytest.mark.parametrize(
    "id", ["classic.smooth", "jiang2024.bounded_below", "jiang2024.assumption3"]
)
def test_what_rests_on_a_word_is_not_that_word(id):
    """Whatever else it says, over what it ranges, and on what conditions."""
    known = catalogue[id]
    other = sp.Le(known.conclusion.args[0], 0) if not known.hypotheses else known.conclusion.args[0]
    one = Quantity(LIMIT, sp.Integer(1))
    changes = (
        {"conclusion": other},
        {"quantifier": Quantifier(within="for some v")},
        {"conditions": (sp.Ge(LIMIT, 1),)},
        {"quantities": (one,)},
    )
    for change in changes:
        whole = replace(
            known, id="my.whole", hypotheses=known.hypotheses or (known,), word=None, **change
        )
        assert words_of(replace(CONVEX, id="my.claim", hypotheses=(whole,))) == [(whole, None)]


@dataclass(frozen=True)
class NoFaces(LinearMethod):
    """A method that says that it has no face."""

    no_exact: str = "its steps are not told"
    no_worst: str = "its steps are not told"


def test_a_face_that_is_missing_is_said_so():
    bare = replace(
        HALVED_DESCENT,
        id="my.bare",
        algorithm=NoFaces("bare", "bare", (alpha,), moves=HALVED.moves),
    )
    with pytest.raises(InputError, match="its steps are not told"):
        falsify(bare, WorstCase([2]))
    with pytest.raises(InputError, match="bare"):
        check_claim(bare, adapter="full")


def test_a_theorem_of_ones_own_is_about_what_it_speaks_of():
    descent, stochastic = (
        replace(catalogue[id], id="my.own", algorithm=None, measure=None)
        for id in ("nesterov2004.gradient_descent", "ghadimi2013.corollary2_2")
    )
    # Without its algorithm's parameter it is about no run.
    assert algorithm_of(replace(HALVED_DESCENT, quantities=HALVED_DESCENT.quantities[::2])) is None
    for claim, name in ((descent, "gradient_descent"), (stochastic, "sgd")):
        assert algorithm_of(claim) is ALGORITHMS[name]
        assert measure_of(claim) is MEASURES["least_gradient"]
    twice = sp.Le(2 * descent.conclusion.lhs, bound)
    assert measure_of(replace(descent, conclusion=twice)) is None
    with pytest.raises(InputError, match=r"claim\.measure"):
        replace(HALVED_DESCENT, conclusion=twice)
    assert measure_of(catalogue["meft.lemma1_sharp"]) is MEASURES["smoothness"]


class Half(Algorithm):
    """A descent that leaves out what is not said of it below."""

    recurrence = GRADIENT_DESCENT.recurrence
    start = step = drift = GRADIENT_DESCENT.start


STARTS, STEPS, ASKS, ASKS_EXACTLY, REACHES = (
    {name: getattr(LinearMethod, name)}
    for name in ("exact_start", "exact_step", "query", "exact_query", "reach")
)
ELSEWHERE = ASKS | REACHES | ASKS_EXACTLY


def test_what_is_no_algorithm_is_refused():
    for faces, lacks in (
        (STARTS, "no exact_step"),
        (STEPS, "no exact_start"),
        *(
            (STARTS | STEPS | faces, "a query of its own")
            for faces in (ASKS, ASKS | REACHES, ASKS_EXACTLY, REACHES)
        ),
    ):
        with pytest.raises(InputError, match=rf"algorithm\.none = {lacks}"):
            type("Half", (Half,), faces)("none", "a half", (alpha,))
    for faces, reason in (
        (STARTS | STEPS, ""),
        (STARTS | STEPS | ELSEWHERE, ""),
        (ASKS | REACHES, "it is drawn"),
    ):
        assert (
            type("Whole", (Half,), faces)("none", "a whole", (alpha,), no_exact=reason).no_exact
            == reason
        )
    with pytest.raises(
        InputError, match=r"algorithm\.none = no parameters: expected its step size"
    ):
        AdaGradNorm("none", "no step", ())
    claim = replace(catalogue["nesterov2004.gradient_descent"], algorithm=HALVED.title)
    with pytest.raises(InputError, match=r"claim\.algorithm = str: expected an Algorithm"):
        algorithm_of(claim)
