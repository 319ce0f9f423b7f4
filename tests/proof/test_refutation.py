"""What a witness must meet before a line is refuted: the claim as its words and statements say it,
and not the script.

A true claim is never refuted, whatever of it a script leaves out; and each of these has a twin that
is refuted.
"""

from dataclasses import replace
from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.kernel.meaning import MatrixFunction, Model, exact
from boundcheck.language.algorithms import ALGORITHMS, LinearMethod
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantifier, Quantity, Statement, for_all
from boundcheck.language.evidence import HOLDS
from boundcheck.language.hypotheses import HYPOTHESES, Hypothesis
from boundcheck.language.symbols import C, Parameter
from boundcheck.language.vocabulary import A1, A2, B1, B2, EuclideanNorm, FrobeniusNorm, n, v_t
from boundcheck.proof import Witness, at_numbers, eq, ge, gt, le
from boundcheck.proof.instance import Setting
from boundcheck.proof.witness import at_points
from boundcheck.properties.problem_strategies import fractions
from tests.layers import examples

from .scripts import judged, line, x, y

ONE = Fraction(1)


def refuted(claim, relation, witness, *assume):
    """Whether a line of a printed proof that assumes this is refuted."""

    def build(proof):
        for quantity in claim.quantities:
            proof.quantity(quantity)
        for each in assume:
            proof.assume(each)
        proof.step("line", relation, witness=witness)

    found = line(judged(build, claim, "printed", is_statement=True), "line")
    assert found.verdict in ("refuted", "unknown")
    assert found.reason or found.verdict == "refuted"
    return found.verdict == "refuted"


# A hypothesis over points, of which the script assumes one.

M = sp.MatrixSymbol("M", n, n)
X = sp.MatrixSymbol("X", n, 1)
Y = sp.MatrixSymbol("Y", n, 1)
SMALL_AT = {at: le(FrobeniusNorm(M * at), x * FrobeniusNorm(at)) for at in (X, Y)}
TEN = at_numbers("M is 10, X is 0", {M: [[10]], X: [[0]], Y: [[1]], x: 1})


def at_y(*hypotheses):
    return Claim("my.claim", "So it is at Y", "me", SMALL_AT[Y], hypotheses=hypotheses)


RANGES = [for_all(X), Quantifier((X,), ", large"), Quantifier(within="whatever X is")]


@pytest.mark.parametrize("quantifier", RANGES)
def test_a_hypothesis_over_points_is_not_met_at_one_of_them(quantifier):
    over = Claim("my.small", "M is small", "me", SMALL_AT[X], quantifier)
    one = replace(over, quantifier=Quantifier())
    assert not refuted(at_y(over), SMALL_AT[Y], TEN, over)
    assert refuted(at_y(one), SMALL_AT[Y], TEN, one)


@pytest.mark.parametrize("quantifier", [Quantifier(), *RANGES])
def test_parts_about_one_point_are_no_conjunction_about_all(quantifier):
    parts = (Claim("my.p", "P", "me", SMALL_AT[X]), Claim("my.q", "Q", "me", ge(x, 0)))
    whole = Claim(
        "my.whole",
        "M is small",
        "me",
        sp.And(*(each.conclusion for each in parts)),
        quantifier,
        parts,
    )
    assert refuted(at_y(whole), SMALL_AT[Y], TEN) == (not quantifier)


def test_what_a_hypothesis_rests_on_holds_too():
    for least, expected in ((0, True), (2, False)):
        given = Claim("my.given", "Given", "me", ge(x, least))
        small = Claim("my.h", "Small", "me", le(FrobeniusNorm(X), 0), hypotheses=(given,))
        assert refuted(at_y(small), SMALL_AT[Y], TEN) == expected


@pytest.mark.parametrize("word", HYPOTHESES.values(), ids=HYPOTHESES)
def test_numbers_meet_no_word_about_points_that_they_do_not_have(word):
    if word.decided is None:
        return
    known = word.claim("my.word", word.title, "me")
    claim = Claim("my.claim", "Mine", "me", le(x, 0), hypotheses=(known,))
    numbers = {symbol: 1 for symbol in word.symbols if symbol.is_integer is None} | {x: 1}
    assert not refuted(claim, claim.conclusion, at_numbers("Ones", numbers))


def test_a_word_of_others_is_not_believed():
    def saying(least):
        says = (Statement(ge(x, least)),)
        return Hypothesis("my_word", "whatever", decided=lambda *_: HOLDS, says=says).claim(
            "my.h", "H", "me"
        )

    claim = Claim("my.claim", "Mine", "me", ge(x, 1), hypotheses=(saying(2),))
    assert not refuted(claim, claim.conclusion, at_numbers("0", {x: 0}))
    weak = replace(claim, hypotheses=(saying(-1),))
    assert refuted(weak, claim.conclusion, at_numbers("0", {x: 0}))


@examples(40)
@given(*[fractions(-2, 2)] * 3, st.booleans())
def test_what_the_claim_asks_counts_and_not_what_is_assumed(a, b, c, assumes):
    """Against the plain reading: refuted just where hypothesis, condition and definition hold and
    the line does not."""
    u = sp.Symbol("u", real=True)
    w = sp.Symbol("w", real=True)
    q = sp.Symbol("m")
    claim = Claim(
        "my.claim",
        "Mine",
        "me",
        ge(x + q, 0),
        hypotheses=(Claim("my.h", "x is at least u", "me", ge(x, u)),),
        quantities=(Quantity(q, u + w),),
        conditions=(ge(w, u),),
        declared=(Parameter(u, "real", "a number"), Parameter(w, "real", "a number")),
    )
    for value in (b + c, b + c - 1):
        witness = at_numbers("Numbers", {x: a, u: b, w: c, q: value})
        expected = a >= b and c >= b and value == b + c and a + value < 0
        assumed = (claim.hypotheses[0],) if assumes else ()
        found = refuted(claim, claim.conclusion, witness, *assumed)
        assert found == expected


# A setting of MeFT knows how W moves and how large the noise is on its ball, and not beyond.

HUBER = PiecewiseLinear.clipped(slope=1, bound=1)
MOVES = catalogue["jiang2024.assumption3.1"]


@examples(40)
@given(*[fractions(-2, 2)] * 4, st.sampled_from([1, 2]))
def test_points_off_the_ball_say_nothing_of_what_is_assumed_on_it(a1, b1, a2, b2, size):
    """That W moves by at most C/2 is refuted just where it is false and both points are in the
    ball; by C, nowhere."""
    setting = Setting(catalogue["jiang2024.lemma1"], HUBER, L=1, G=1, C=1, sigma=1)
    goal = le(
        FrobeniusNorm(B1 * A1 - B2 * A2),
        C * (FrobeniusNorm(A1 - A2) + FrobeniusNorm(B1 - B2)) / size,
    )
    claim = Claim(
        "my.claim", "W moves little", "me", goal, for_all(A1, A2, B1, B2), hypotheses=(MOVES,)
    )
    is_false = size * abs(b1 * a1 - b2 * a2) > abs(a1 - a2) + abs(b1 - b2)
    inside = max(map(abs, (a1, b1, a2, b2))) <= 1
    assert not (inside and is_false and size == 1)
    assert refuted(claim, goal, at_points("Points", setting, (a1, b1), (a2, b2))) == (
        inside and is_false
    )


# A run by hand, which need not follow the algorithm.


def parabola():
    """F(v) = v²/2."""
    half = exact(Fraction(1, 2))
    return {
        "F": MatrixFunction(lambda p: half * p[0][0][0] * p[0][0][0], lambda p: (((p[0][0][0],),),))
    }


def steps(algorithm, T):
    """The letters of the state at t = 1, ..., T + 1 from v_1 = 1, of one that is linear, and g_t =
    v_t + 1/2."""
    assert isinstance(algorithm, LinearMethod)
    numbers = {symbol.name: Fraction(1, 4) for symbol in algorithm.parameters}
    state = algorithm.exact_start(ONE, numbers)
    names = [letter.name for letter, _ in algorithm.moves]
    found = {name: [] for name in (*names, "g")}
    for t_ in range(1, T + 2):
        query = algorithm.exact_query(state, t_, numbers)
        gradient = query + Fraction(1, 2) if algorithm.is_stochastic else query
        for name, value in zip((*names, "g"), (*state, gradient), strict=True):
            found[name].append(value)
        state = algorithm.exact_step(state, gradient, t_, numbers)
    return found


def run_by_hand(algorithm, letters, T):
    def look_up(letter, time, outcome):
        value = letters[letter.name][time - 1] if letter.name in letters else Fraction(1, 4)
        return ((value,),) if hasattr(letter, "shape") else value

    return Witness(
        "A run", {}, Model({"one": 1, "n": 1}, T, (ONE,), lambda _: (0,), look_up, parabola())
    )


LINEAR = {name: each for name, each in ALGORITHMS.items() if isinstance(each, LinearMethod)}


@pytest.mark.parametrize("algorithm", LINEAR.values(), ids=LINEAR)
def test_a_run_by_hand_counts_only_where_it_follows_the_algorithm(algorithm):
    T_ = 3
    letters = steps(algorithm, 3)
    names = [name for name in letters if name != "g"]
    own = (each for each in algorithm.parameters if str(each) in ("omega", "gamma"))
    declared = tuple(Parameter(each, "positive real", "a number") for each in own)
    claim = Claim(
        "my.claim",
        "It rests",
        "me",
        le(EuclideanNorm(v_t), 0),
        declared=declared,
        algorithm=algorithm,
    )
    assert refuted(claim, claim.conclusion, run_by_hand(algorithm, letters, T_))
    for name in names:
        for place in range(T_ + 1):
            if place == 0 and len(names) == 1:
                # Any v_1 begins a run, which is then another.
                continue
            other = {each: list(values) for each, values in letters.items()}
            other[name][place] += 1
            found = refuted(claim, claim.conclusion, run_by_hand(algorithm, other, T_))
            assert not found, (name, place)


# Where a line has no meaning it is not false.

u = sp.Symbol("u", positive=True)
NO_MEANING = {
    "a divisor": (gt(1 / x**2, 0), {x: 0}, {}),
    "a root": (ge(sp.sqrt(x) * sp.sqrt(x, evaluate=False), x), {x: 0}, {}),
    "a negative radicand": (le(x, sp.sqrt(x) - 2), {x: -1}, {}),
    "a divisor under a root": (ge(sp.sqrt(1 / x), 1), {x: 0}, {}),
    "a divisor in a hypothesis": (ge(x, 1), {x: 0, y: 0}, {"given": eq(y, 1 / x)}),
    "a letter of the claim that is positive": (ge(y, 1), {u: -1, y: 0}, {"given": ge(y, u)}),
    "a letter of the script that is positive": (ge(u, 0), {u: -1}, {}),
}


@pytest.mark.parametrize("relation, values, options", NO_MEANING.values(), ids=NO_MEANING)
def test_a_place_without_meaning_refutes_nothing(relation, values, options):
    """And one where the line has a meaning does."""
    known = tuple(Claim("my.h", "Given", "me", each) for each in options.values())
    claim = Claim("my.claim", "Mine", "me", relation, hypotheses=known)
    assert not refuted(claim, relation, at_numbers("There", values), *known)
    fine = Claim("my.claim", "Mine", "me", le(1 / x, 1))
    assert refuted(fine, le(1 / x, 1), at_numbers("A half", {x: Fraction(1, 2)}))
