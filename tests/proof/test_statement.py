"""What a claim says to the kernel: a proof of less is refused, and an honest one is not."""

import re
from contextlib import suppress
from dataclasses import replace

import pytest
import sympy as sp

from boundcheck.errors import InputError
from boundcheck.exact.evaluate import t
from boundcheck.kernel import Fact, Law, rules
from boundcheck.kernel.terms import Scalar
from boundcheck.language import algorithms as of_state
from boundcheck.language import vocabulary as words
from boundcheck.language.algorithms import GRADIENT_DESCENT, SGD, LinearMethod
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Formal, Quantifier, Quantity, Statement, for_all
from boundcheck.language.hypotheses import BALL, SMOOTH, Hypothesis
from boundcheck.language.symbols import D, Parameter, T, a, alpha, bound, f_star, sigma, zeta
from boundcheck.language.vocabulary import (
    W1,
    W2,
    A,
    B,
    EuclideanNorm,
    Expectation,
    F,
    FrobeniusNorm,
    Gradient,
    InnerProduct,
    Value,
    d,
    g,
    g_t,
    k,
    n,
    v,
    v1,
    v_t,
)
from boundcheck.proof import eq, ge, gt, judge, le, script
from boundcheck.proof.proof import Assumption
from boundcheck.proof.statement import statement

from .cheats import CHEATS, M_t
from .scripts import judged, x, y, z

M_1 = words.Iterate("M", sp.Integer(1), d, k)


def tried(build, claim, **options):
    """The verdict on a script; None where it is refused by name, and not by an accident."""
    try:
        return judged(build, claim, **options)
    except InputError as error:
        if error.__cause__ is not None:
            raise
        return None


@pytest.mark.parametrize("cheat", CHEATS.values(), ids=CHEATS)
def test_lemma_1_is_not_proved_by(cheat):
    proof = tried(cheat.build, cheat.claim, fresh=[z])
    if proof is not None:
        assert proof.verdict == "unknown"
        # The algebra is right.
        assert not re.search("rests on (1 <= 0|line)", proof.reason)


def test_what_is_said_at_each_time_is_said_at_the_next():
    def build(proof):
        shifted = proof.assume(large, where={t: t + 1})
        proof.conclude(proof.step("line", claim.conclusion, proof.assume(large), shifted))

    large = Claim("my.large", "Large", "me", ge(FrobeniusNorm(M_t), 1), for_all(t))
    both = FrobeniusNorm(M_t) + FrobeniusNorm(M_t.xreplace({t: t + 1}))
    claim = Claim("my.again", "Large together", "me", ge(both, 2), hypotheses=(large,))
    assert judged(build, claim).verdict == "proved"


# In which direction statements are compared: an assumption says no more than a hypothesis, a
# premise holds by one.

X = sp.MatrixSymbol("X", d, k)
Y = sp.MatrixSymbol("Y", d, k)
ZERO = sp.ZeroMatrix(d, k)
V_NEXT = v_t.xreplace({t: t + 1})
SMALL = {
    name: le(FrobeniusNorm(at), x) for name, at in (("X", X), ("Y", Y), ("M", M_t), ("M_1", M_1))
}
NEXT = le(FrobeniusNorm(M_t.xreplace({t: t + 1})), x)
NONE = Quantifier()
OF_RANK_1 = Quantifier((X,), r" \text{ of rank one}")
SOME = Quantifier(within="for some X")


def small(what, quantifier=NONE, id="my.given", **options):
    return Claim(id, "Small", "me", what, quantifier, **options)


def under(hypothesis, conclusion, quantifier=NONE, **options):
    return small(conclusion, quantifier, "my.claim", hypotheses=(hypothesis,), **options)


def as_condition(claim):
    """P ⇒ P, for all letters of P."""
    relation = claim.conclusion
    return lambda proof: proof.conclude(proof.local(relation))


def at_points(claim, **points):
    """From the law that the hypothesis is, at these points for its letters."""
    (hypothesis,) = claim.hypotheses
    values = {sp.MatrixSymbol(name, d, k): point for name, point in points.items()}

    def build(proof):
        found = proof.by.instance(proof.given(hypothesis), values)
        proof.conclude(proof.step("line", claim.conclusion, found))

    return build


def as_hypothesis(claim, **options):
    (hypothesis,) = claim.hypotheses
    return lambda proof: proof.conclude(
        proof.step("line", claim.conclusion, proof.assume(hypothesis, **options))
    )


def as_law(claim, said, letter=X, at=ZERO):
    """From a law for all of a letter that one of the hypotheses, or a part of one, would be."""

    def build(proof):
        law = proof.by.instance(proof.assume(said, forall=[letter]), {letter: at})
        proof.conclude(proof.step("line", claim.conclusion, law))

    return build


NARROWER = [
    (small(SMALL["M"], for_all(t)), "of the iterates"),
    (small(SMALL["M_1"]), "of the first iterate"),
    (small(NEXT, for_all(t)), "of the next iterates"),
    (small(SMALL["X"]), "of one X"),
    (small(SMALL["Y"]), "of one Y"),
    (small(SMALL["X"], SOME), "of some X"),
]


@pytest.mark.parametrize(
    "hypothesis", [each for each, _ in NARROWER], ids=[name for _, name in NARROWER]
)
def test_what_holds_of_less_is_no_condition_on_all_points(hypothesis):
    """P ⇒ P is no proof that P holds of all points: the hypothesis says it of the iterates, or of
    one point."""
    claim = under(hypothesis, SMALL["X"], for_all(X))
    for build in (
        as_condition(claim),
        as_hypothesis(claim),
        as_hypothesis(claim, where={M_t: X, Y: X}),
    ):
        proof = tried(build, claim)
        assert proof is None or proof.verdict == "unknown"
    over = replace(claim, hypotheses=(small(SMALL["Y"], for_all(Y)),))
    assert judged(at_points(over, Y=X), over).verdict == "proved"


def test_a_step_of_the_iterates_is_no_step_between_any_two_points():
    """F is smooth from each iterate to the next, and nowhere else."""

    def smooth(first, second):
        return le(
            FrobeniusNorm(Gradient(F, first) - Gradient(F, second)),
            x * FrobeniusNorm(first - second),
        )

    along = small(smooth(M_t, M_t.xreplace({t: t + 1})), for_all(t))
    claim = under(along, smooth(X, Y), for_all(X, Y))
    assert judged(as_condition(claim), claim).verdict == "unknown"
    over = under(small(smooth(W1, W2), for_all(W1, W2)), smooth(X, Y), for_all(X, Y))
    assert judged(at_points(over, W_1=X, W_2=Y), over).verdict == "proved"


@pytest.mark.parametrize("quantifier", [SOME, OF_RANK_1])
def test_a_hypothesis_that_words_restrict_is_not_taken_as_it_stands(quantifier):
    claim = under(small(SMALL["X"], quantifier), SMALL["X"])
    assert judged(as_hypothesis(claim), claim).verdict == "unknown"
    plain = under(small(SMALL["X"]), SMALL["X"])
    assert judged(as_hypothesis(plain), plain).verdict == "proved"


@pytest.mark.parametrize("letter, at, one", [(X, ZERO, FrobeniusNorm(X)), (y, x + 1, x - y)])
@pytest.mark.parametrize("within", ["", ", unit"])
def test_words_beside_the_letters_of_a_range_restrict_it(letter, at, one, within):
    """No X is longer than x, and so x is at most 0, at X = 0."""
    given = small(ge(one, x) if letter == X else ge(x, y), Quantifier((letter,), within))
    claim = under(given, ge(0, x) if letter == X else ge(x, x + 1))
    found = tried(as_law(claim, given, letter, at), claim)
    assert (found.verdict if found else "unknown") == ("unknown" if within else "proved")


@pytest.mark.parametrize("is_a_word", [False, True])
@pytest.mark.parametrize("letters", [(), (t,)])
def test_what_is_said_of_iterates_is_taken_where_it_is_for_all_times(letters, is_a_word):
    """Nobody has read the texts of words that are not ours."""
    even = Quantifier(letters, ", at even times")
    own = Hypothesis("my_word", "mine", says=(Statement(SMALL["M"], even, (Formal(SMALL["M"]),)),))
    given = small(SMALL["M"], even, word=own if is_a_word else None)
    claim = under(given, SMALL["M"], for_all(t))
    assert judged(as_hypothesis(claim), claim).verdict == "unknown"
    over = replace(claim, hypotheses=(small(SMALL["M"], for_all(t)),))
    assert judged(as_hypothesis(over), over).verdict == "proved"


@pytest.mark.parametrize("said", BALL.says[:2], ids=["one radius", "two radii"])
def test_what_a_word_of_ours_says_of_iterates_is_read(said):
    known = BALL.claim("my.ball", "Ball", "me", said)
    claim = under(
        known,
        le(words.SpectralNorm(words.A_t), a if said.conclusion.has(a) else sigma),
        for_all(t),
    )
    assert judged(as_hypothesis(claim), claim).verdict == "proved"


# A stochastic gradient is the one at v, though no letter says so.

NOISE = sp.MatrixSymbol("N", n, 1)
FIXED = sp.MatrixSymbol("Z", n, 1)
MIDDLES = {
    "g": (g, "unknown"),
    "a letter of one's own, under a mean": (words.MatrixExpectation(NOISE), "unknown"),
    "what does not depend on v": (FIXED, "proved"),
}


@pytest.mark.parametrize("middle, expected", MIDDLES.values(), ids=MIDDLES)
@pytest.mark.parametrize(
    "points",
    [(words.v1, words.v2), (v_t, v_t.xreplace({t: t + 1}))],
    ids=["any points", "iterates"],
)
def test_what_belongs_to_a_point_is_not_that_of_another(middle, expected, points):
    """E[g] = ∇F(v), for all v, says nothing of how ∇F changes; that ∇F(v) is one Z for all v
    does."""
    is_run, relation = v_t in points, eq(middle, Gradient(F, v))
    given = small(relation, for_all(v))
    goal = le(EuclideanNorm(Gradient(F, points[0]) - Gradient(F, points[1])), 0)

    def build(proof):
        (given,) = proof.claim.hypotheses
        law = proof.given(given)
        known = [proof.by.instance(law, {v: at}) for at in points]
        split = proof.by.triangle(
            "F", Gradient(F, points[0]) - middle, middle - Gradient(F, points[1])
        )
        proof.conclude(proof.step("line", goal, known, split))

    claim = under(given, goal, for_all(t) if is_run else for_all(words.v1, words.v2))
    proof = tried(build, claim)
    assert (proof.verdict if proof else "unknown") == expected


def test_a_claim_at_all_points_is_not_proved_of_one_gradient():
    """Of the g at one v it is known that it is small, and the claim is about the g at each."""
    given = under(
        small(le(EuclideanNorm(g), x)), le(EuclideanNorm(g + v), x + EuclideanNorm(v)), for_all(v)
    )

    def build(proof):
        known = proof.assume(given.hypotheses[0]), proof.by.triangle("F", g, v)
        proof.conclude(proof.step("line", given.conclusion, *known))

    assert judged(build, given).verdict == "unknown"
    assert judged(build, replace(given, quantifier=NONE)).verdict == "proved"


@pytest.mark.parametrize("quantifier", [for_all(X), OF_RANK_1, SOME, NONE])
def test_the_parts_of_a_hypothesis_that_says_less_are_not_taken(quantifier):
    """0 is at least a, for all X and so at X = 0, follows from the parts alone."""
    parts = [
        small(ge(FrobeniusNorm(X), each), for_all(X), f"my.part{i}")
        for i, each in enumerate((x, -1))
    ]
    whole = small(
        sp.And(*(each.conclusion for each in parts)),
        quantifier,
        "my.whole",
        hypotheses=tuple(parts),
    )
    claim = under(whole, ge(0, x))
    expected = "proved" if quantifier == for_all(X) else "unknown"
    assert judged(as_law(claim, parts[0]), claim).verdict == expected


@pytest.mark.parametrize("quantifier", [SOME, OF_RANK_1])
def test_a_claim_that_words_restrict_is_not_proved(quantifier):
    claim = Claim("my.claim", "Mine", "me", ge(FrobeniusNorm(X), 0), quantifier)

    def build(proof):
        proof.conclude(proof.step("line", claim.conclusion, proof.by.nonnegative("F", X)))

    assert tried(build, claim) is None
    assert judged(build, replace(claim, quantifier=for_all(X))).verdict == "proved"


@pytest.mark.parametrize("shift", [-2, -1, 0, 1, 2])
def test_a_hypothesis_about_all_iterates_is_not_one_about_times_that_there_are_not(shift):
    """v_1, ..., v_{T+1} are the iterates: what is said of each v_t is said of v_{t+1}, and of
    nothing beyond."""
    for said in (SMALL["M"], NEXT):
        other = said.xreplace({t: t + shift})
        claim = under(small(said, for_all(t)), other, for_all(t))
        proof = tried(as_hypothesis(claim, where={t: t + shift}), claim)
        # What is said of each v_{t+1} is said of v_{T+1} already.
        expected = (0, 1) if said is SMALL["M"] else (0,)
        assert (proof is not None and proof.verdict == "proved") == (shift in expected)


def test_a_hypothesis_of_its_own_conditions_or_formulas_is_not_taken_without_them():
    m = sp.Symbol("m")
    u = sp.Symbol("u", real=True)
    seven, one = (Quantity(m, sp.Integer(value)) for value in (7, 1))
    number = Parameter(u, "real", "a number")

    def build(proof):
        known = [proof.quantity(each) for each in proof.claim.quantities] if proof.claim else []
        proof.conclude(
            proof.step(
                "line", proof.claim.conclusion, known, proof.assume(proof.claim.hypotheses[0])
            )
        )

    for mine, expected in ((one, "unknown"), (seven, "proved")):
        claim = under(small(ge(x, m), quantities=(mine,)), ge(x, 7), quantities=(seven,))
        proof = tried(build, claim)
        assert (proof.verdict if proof else "unknown") == expected
    large = small(ge(x, 7), conditions=(ge(u, 1),), declared=(number,))
    for options, expected in (({}, "unknown"), ({"conditions": large.conditions}, "proved")):
        claim = under(large, ge(x, 7), **options)
        assert judged(build, claim).verdict == expected


# What a hostile author tried. Each is false, and its script is right but for what the claim says.

SIZE = FrobeniusNorm(X)
positive = sp.Symbol("p", positive=True)
GAP = words.GAP
FALLS = small(le(Value(F, V_NEXT), Value(F, v_t) - x), for_all(t), "my.falls")
BELOW = small(ge(Value(F, v), y), for_all(v), "my.below")
LARGE = small(ge(InnerProduct(g_t, v_t), 1), for_all(t))
NESTED = small(ge(x, 1), id="my.inner", hypotheses=(small(ge(y, 1), id="my.innermost"),))
UNDER_NESTED = small(ge(y, 2), hypotheses=(NESTED,))


def at_values(hypothesis, conclusion, values, **options):
    """The conclusion, from a law at these values, the formulas, and the signs of letters."""

    def build(proof):
        law = proof.by.instance(proof.given(hypothesis), values)
        known = [proof.quantity(each) for each in proof.claim.quantities]
        proof.conclude(proof.step("line", conclusion, law, *known))

    return build, under(hypothesis, conclusion, **options)


def as_it_stands(conclusion, *hypotheses, letters=(), **options):
    """The conclusion, from hypotheses as they stand, what D is, and the signs of letters."""

    def build(proof):
        known = [proof.given(each) for each in hypotheses]
        known += [*proof.positive(*letters)] + ([proof.define(D, GAP)] if D in written else [])
        proof.conclude(proof.step("line", conclusion, *known))

    written = set().union(*(each.conclusion.free_symbols for each in hypotheses))
    return build, replace(under(BELOW, conclusion, **options), hypotheses=hypotheses)


def falling(proof):
    """From a fall of F at T + 1, too."""
    after = proof.by.at(proof.assume(FALLS, where={t: t + 1}), T)
    last = proof.by.instance(proof.given(BELOW), {v: v_t.xreplace({t: T + 2})})
    proof.conclude(proof.step("line", proof.claim.conclusion, after, last))


def never_zero(proof):
    """⟨g_{T+1}, v_{T+1}⟩ is at least 1, though g_T is the last that is drawn."""
    at_the_end = [each.xreplace({t: T + 1}) for each in (g_t, v_t)]
    said = proof.by.at(proof.assume(LARGE, where={t: t + 1}), T)
    proof.conclude(
        proof.step("line", proof.claim.conclusion, said, proof.by.cauchy_schwarz(*at_the_end))
    )


def by_descent(proof):
    """The step is along -∇F if alpha is positive."""
    (moved,) = GRADIENT_DESCENT.recurrence
    equation, slope = proof.assume(moved), Gradient(F, v_t)
    step = -alpha * slope
    goal = le(InnerProduct(slope, step), 0)
    line = proof.step("along it", goal, proof.positive(alpha), proof.by.expansion(slope))
    proof.conclude(proof.by.rewrite(line, proof.claim.conclusion, (equation, V_NEXT, v_t + step)))


UPWARD = small(le(alpha, x), quantities=(Quantity(alpha, sp.Integer(-1)),))
LAST = EuclideanNorm(v_t.xreplace({t: T + 1})) * EuclideanNorm(g_t.xreplace({t: T + 1}))
FALSE = {
    "a positive letter that a hypothesis says is -1": as_it_stands(
        ge(y, 0),
        small(ge(y, positive), quantities=(Quantity(positive, sp.Integer(-1)),)),
        letters=[positive],
    ),
    "a D of the hypothesis's own": as_it_stands(
        le(x, GAP), small(le(x, D), quantities=(Quantity(D, sp.Integer(5)),))
    ),
    "a formula with a letter over which a hypothesis ranges": at_values(
        small(le(x, SIZE + 1), for_all(X)), le(SIZE, 1), {X: ZERO}, quantities=(Quantity(x, SIZE),)
    ),
    "a hypothesis that ranges over its own formula": at_values(
        small(le(x, y), for_all(y), quantities=(Quantity(y, sp.Integer(5)),)),
        le(x, 0),
        {y: sp.Integer(0)},
    ),
    "one value of what a claim ranges over": as_it_stands(
        le(x, 1), small(le(x, 1)), quantifier=for_all(X), quantities=(Quantity(x, SIZE),)
    ),
    "one W_1 of all": as_it_stands(
        le(FrobeniusNorm(W1), x + SIZE),
        small(le(FrobeniusNorm(W1), x)),
        letters=(),
        quantifier=for_all(W1, X),
    ),
    "what holds where a hypothesis holds, which holds where another does": (
        lambda proof: proof.conclude(proof.given(UNDER_NESTED)),
        replace(under(NESTED, ge(y, 2)), hypotheses=(NESTED, UNDER_NESTED)),
    ),
    "a fall of F after the last step": (
        falling,
        replace(
            under(FALLS, ge(Value(F, v_t.xreplace({t: T + 1})), y + x)), hypotheses=(FALLS, BELOW)
        ),
    ),
    "a step up, by the formula of a hypothesis": (
        by_descent,
        under(
            UPWARD, le(InnerProduct(Gradient(F, v_t), V_NEXT - v_t), 0), algorithm=GRADIENT_DESCENT
        ),
    ),
    "a gradient after the last step": (never_zero, under(LARGE, ge(LAST, 1), algorithm=SGD)),
}


@pytest.mark.parametrize("build, claim", FALSE.values(), ids=FALSE)
def test_a_claim_is_not_proved_of_more_than_it_is_given(build, claim):
    proof = tried(build, claim)
    assert proof is None or proof.verdict == "unknown"


ABSURD = (le(1, 0),)
TWICE = (eq(V_NEXT, v_t), eq(V_NEXT, v_t + FIXED))
AHEAD = (eq(V_NEXT, v_t - g_t.xreplace({t: t + 1})),)


@pytest.mark.parametrize("equations", [ABSURD, TWICE, AHEAD], ids=["absurd", "twice", "ahead"])
def test_an_algorithm_says_what_comes_next_and_no_more(equations):
    class Mine(LinearMethod):
        recurrence = equations

    mine = Mine(**{name: getattr(SGD, name) for name in SGD.__dataclass_fields__})
    claim = Claim("my.claim", "Mine", "me", le(EuclideanNorm(v_t), x), algorithm=mine)
    with pytest.raises(InputError, match="algorithm = "):
        statement(claim)
    assert statement(replace(claim, algorithm=SGD)).beside


def test_a_tuple_of_a_class_of_ones_own_is_no_list_of_hypotheses():
    class Mine(tuple):
        __slots__ = ()

    given = (small(ge(x, 1)),)
    with pytest.raises(InputError, match="in tuples"):
        statement(replace(under(*given, ge(x, 0)), hypotheses=Mine(given)))


def test_a_letter_that_is_defined_by_itself_proves_nothing_of_what_is_called_a_lemma():
    def build(proof):
        known = proof.assume(eq(y, y + 1), role="definition")
        proof.conclude(proof.step("line", claim.conclusion, known))

    claim = small(le(x + 1, x), id="my.claim")
    made = script(claim, "sharp", fresh=[y])(build)
    for each in (made, replace(made, is_lemma=True)):
        assert judge(each).verdict == "unknown"


def test_a_sign_that_a_proof_assumes_gives_no_root_a_meaning():
    def build(proof):
        proof.assume(gt(x, 0), role="domain")
        proof.conclude(proof.by.root_nonnegative(x))

    claim = small(ge(sp.sqrt(x), 0), id="my.claim")
    assert judged(build, claim).verdict == "unknown"
    given = small(gt(x, 0))

    def with_sign(proof):
        proof.given(given)
        proof.conclude(proof.by.root_nonnegative(x))

    assert judged(with_sign, replace(claim, hypotheses=(given,))).verdict == "proved"


def test_a_block_of_a_gradient_is_of_a_function():
    slope = words.PartialGradient(F, words.Pair(A, B), A)
    claim = small(le(FrobeniusNorm(slope), Value(F, words.Pair(A, B))), id="my.claim")
    assert str(statement(claim).conclusion) == "‖∇_1F(A, B)‖_F <= F(A, B)"


def test_a_name_is_of_one_letter():
    """That a matrix is shorter than any number sigma > 0 says that it is 0, and not that any is."""
    matrix = sp.MatrixSymbol("sigma", d, k)
    two = small(le(FrobeniusNorm(matrix), sigma), for_all(sigma))
    with pytest.raises(InputError, match="one letter of this name"):
        statement(under(two, ge(y, 0)))


@pytest.mark.parametrize("name", ["assumptions", "steps"])
def test_a_proof_of_other_parts_is_refused_in_one_line(name):
    def build(proof):
        proof.conclude(proof.step("line", claim.conclusion))
        setattr(proof, name, ("none of ours",))

    claim = small(ge(x**2, 0), id="my.claim")
    with pytest.raises(InputError, match="script = "):
        judged(build, claim)


def test_a_word_that_is_given_to_a_claim_afterwards_reads_no_range():
    never = small(SMALL["M"], Quantifier(within="at no time"))
    vars(never)["word"] = BALL
    with pytest.raises(InputError, match="word"):
        judged(as_hypothesis(under(never, SMALL["M"])), under(never, SMALL["M"]))
    assert dict(statement(under(never, SMALL["M"])).unstated)


U = sp.Symbol("u")
AHEAD_OF_V = LinearMethod(
    "ahead",
    "Ahead",
    (alpha,),
    is_stochastic=True,
    moves=((of_state.v, of_state.v - alpha * of_state.g), (U, of_state.v)),
    at=2 * of_state.v - U,
)


@pytest.mark.parametrize("algorithm, verdict", [(SGD, "proved"), (AHEAD_OF_V, "unknown")])
def test_the_noise_at_any_point_is_that_of_g_t_where_it_is_drawn_at_v_t(algorithm, verdict):
    given = catalogue["jiang2024.assumption4"]
    said = le(Expectation(EuclideanNorm(g_t - Gradient(F, v_t)) ** 2), zeta**2)
    claim = under(given, said, algorithm=algorithm, quantities=(Quantity(alpha, zeta),))

    def build(proof):
        proof.conclude(proof.step("line", said, proof.assume(said)))

    assert judged(build, claim).verdict == verdict


@pytest.mark.parametrize("speaks_of_f", [False, True])
def test_what_bounds_f_bounds_big_f_where_nothing_else_says_what_f_is(speaks_of_f):
    given = catalogue["jiang2024.bounded_below"]
    more = (small(eq(Value(F, v), Value(words.f, v) - 1), for_all(v)),) if speaks_of_f else ()
    claim = replace(under(given, ge(Value(F, v1), f_star)), hypotheses=(given, *more))
    (law,) = statement(claim).given[0].says
    at = words.W if speaks_of_f else v
    assert [x.name for x in law.variables] == [at.name]


@pytest.mark.parametrize(
    "conclusion, verdict", [(gt(GAP, 0), "unknown"), (ge(GAP, bound), "proved")]
)
def test_a_gap_is_positive_where_the_conclusion_asks_for_it(conclusion, verdict):
    quantities = (Quantity(bound, D / 2),)
    claim = Claim("my.gap", "Gap", "me", conclusion, quantities=quantities)

    def build(proof):
        known = proof.define(D, GAP), *proof.positive(D), proof.quantity(quantities[0])
        proof.conclude(proof.step("line", claim.conclusion, *known))

    assert judged(build, claim).verdict == verdict


def test_a_word_that_a_proof_changes_says_what_it_said(monkeypatch):
    said = Statement(*SMOOTH.says[0][:2], (Formal(le(1, 0)),))
    claim = under(SMOOTH.claim("my.smooth", "Smooth", "me"), le(x, 0), algorithm=SGD)
    before = statement(claim).hypotheses
    monkeypatch.setitem(vars(SMOOTH), "says", (said,))
    assert statement(claim).hypotheses == before


def test_a_claim_that_its_proof_changes_is_judged_as_it_is_then():
    claim = small(le(x, 0), id="my.claim")
    assert claim.statement_latex == r"x \leq 0"

    def build(proof):
        vars(claim)["conclusion"] = ge(x**2, 0)
        proof.conclude(proof.step("line", ge(x**2, 0)))

    found = judged(build, claim).script.claim
    assert found is not None
    assert found.statement_latex == r"x^{2} \geq 0"


def test_a_hypothesis_is_used_where_its_statement_is_whatever_a_proof_calls_it():
    used, unused = small(ge(x, 1), id="my.used"), small(ge(y, 1), id="my.unused")
    claim = replace(under(used, ge(x, 0)), hypotheses=(used, replace(unused, title="Unused")))

    def build(proof):
        fact = proof.reading.fact(used.conclusion)
        unused = proof.claim.hypotheses[1]
        for each in (unused, used):
            proof.assumptions.append(
                Assumption(each.title, "hypothesis", fact, each, each.conclusion)
            )
        proof.conclude(proof.step("line", ge(x, 0), rules.assume(fact)))

    assert judged(build, claim).unused == ["Unused"]


def test_a_hypothesis_that_the_kernel_cannot_state_says_nothing_and_no_more():
    curved = small(le(words.SpectralNorm(words.Hessian(F, v)), x), for_all(v), "my.curved")
    claim = replace(under(small(ge(x, 1)), ge(x, 0)), hypotheses=(curved, small(ge(x, 1))))
    assert [each for each, _ in statement(claim).unstated] == ["my.curved"]
    assert judged(as_hypothesis(under(small(ge(x, 1)), ge(x, 0))), claim).verdict == "proved"


def test_what_an_algorithm_is_told_is_positive_where_it_is_made_so():
    moved = EuclideanNorm(V_NEXT - v_t)
    claim = small(le(moved, alpha * EuclideanNorm(g_t)), id="my.claim", algorithm=SGD)
    further = replace(claim, conclusion=ge(moved, 0))
    assert all("0 < alpha" in map(str, statement(each).beside) for each in (claim, further))
    run = replace(
        claim,
        conclusion=ge(sp.Sum(moved, (t, 1, T)), 0),
        quantifier=for_all(T),
        quantities=(Quantity(alpha, sp.Integer(1)),),
    )
    assert statement(run).conclusion


# Points of blocks.

HAVE_BLOCKS = [claim for claim in catalogue.values() if claim.setting]


@pytest.mark.parametrize("claim", HAVE_BLOCKS, ids=lambda claim: claim.id)
def test_each_part_of_a_setting_counts(claim):
    whole = statement(claim)
    for name, value in vars(claim.setting).items():
        # A lemma draws nothing.
        if value in ((), None) or (name == "noise" and claim.algorithm is None):
            continue
        other = () if isinstance(value, tuple) else 2 * value
        changed = replace(claim, setting=replace(claim.setting, **{name: other}))
        with suppress(InputError):
            sequent = statement(changed)
            said = sequent.conclusion, sequent.hypotheses
            assert said != (whole.conclusion, whole.hypotheses), name


def test_a_setting_is_read_of_our_claims_alone():
    with pytest.raises(InputError, match="people have to read"):
        statement(replace(catalogue["meft.full"], id="my.claim"))


def test_more_conditions_on_points_are_another_theorem():
    """Fewer are the same, and say more."""
    claim = catalogue["meft.loreft"]
    sequent = statement(claim)
    law = sequent.conclusion
    fewer = Law(law.variables, law.premises[1:], law.conclusion)
    more = Law(law.variables, (*law.premises, Fact(">=", Scalar.of(-1))), law.conclusion)
    assert sequent.follows(law)
    assert sequent.follows(fewer)
    assert not sequent.follows(more)
    assert not sequent.follows(Law(law.variables[1:], law.premises, law.conclusion))
