"""Worlds are what they say: what is proved is false in none of them, and two ways of evaluating
agree."""

from fractions import Fraction
from itertools import islice

import pytest
import sympy as sp
from boundcheck.proofs.jiang2024.claims import ASSUMPTION_1
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.errors import InputError
from boundcheck.exact.balls import number, rows, transposed
from boundcheck.exact.evaluate import t
from boundcheck.kernel import Fact, Law
from boundcheck.language.catalogue import catalogue
from boundcheck.language.symbols import L, T, sigma
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    Expectation,
    FrobeniusNorm,
    Iterate,
    MinimumOver,
    SpectralNorm,
    i,
    v1,
    v2,
)
from boundcheck.proof import le
from boundcheck.proof.instance import Setting as MeftSetting
from boundcheck.properties import slopes
from soundness.edits import with_formula
from soundness.exact_model import Curve, ExactModel, Factored, broken, is_timed, parabola
from soundness.exact_models import descents, runs_of, worlds
from soundness.proofs import allowed, lines, scripts
from tests.judged import judged, names, of_the_paper
from tests.layers import examples

FEW = 2
NUMBERS = st.fractions(-3, 3, max_denominator=8)
POSITIVE = st.fractions("1/4", 4, max_denominator=8)
# Their hypotheses cannot all hold, which is what they prove.
SCRIPTS = scripts()
PRINTED = tuple(x for x in SCRIPTS if x.version == "printed")
PROVED = tuple(x for x in SCRIPTS if x.version != "printed")
# What a paper prints under one reading contradicts itself there, and its proof ends in 1 <= 0.
ABSURD = tuple(
    x
    for x in PROVED
    if x.id
    in (
        "jiang2024.assumption3.1.anywhere",
        "jiang2024.assumption3.2.anywhere",
        "jiang2024.rate.any_constant",
        "jiang2024.rate.step_size.with_own_constant",
        "jiang2024.rate.with_own_constant",
        "jiang2024.remarks.gaussian_start",
    )
)
# Some of their constants are rational nowhere: J and H of LoReFT both, a step of 2/(√3 L̂), a bound
# with √2 in it.
IRRATIONAL = tuple(
    x
    for x in PROVED
    if x.id in ("meft.loreft", "abbaszadehpeivasti2022.best_step", "ghadimi2013.corollary2_2")
)
SATISFIABLE = tuple(x for x in PROVED if x not in (*ABSURD, *IRRATIONAL))


@of_the_paper
@pytest.mark.parametrize("script", SCRIPTS, ids=names(SCRIPTS))
def test_lines_and_premises_are_false_nowhere(script):
    for line in lines(script):
        for world in allowed(line, FEW):
            assert world.says(line.step.relation, line.composite) is not False, (
                line.name,
                world.about,
            )
            for fact in (line.fact, *(x.conclusion for x in line.premises)):
                assert not (isinstance(fact, Fact) and world.refutes(fact)), (
                    line.name,
                    str(fact),
                    world.about,
                )


@pytest.mark.full
@of_the_paper
def test_the_second_evaluation_has_a_value_for_nearly_every_line():
    asked = [(line, allowed(line, 1)) for script in scripts()[::3] for line in lines(script)]
    said = [found[0].says(line.step.relation, line.composite) for line, found in asked if found]
    assert said.count(True) >= 0.9 * len(said) > 50


@pytest.mark.full
@of_the_paper
def test_all_but_the_printed_are_proved_and_the_absurd_are_those_that_prove_an_absurdity():
    assert {judged(x).verdict for x in PROVED} == {"proved"}
    assert {judged(x).verdict for x in PRINTED} == {"refuted"}
    absurd = [
        x for x in PROVED if isinstance(x.proof.goal, Fact) and x.proof.goal.polynomial.number == -1
    ]
    assert set(absurd) == set(ABSURD)


@of_the_paper
@pytest.mark.parametrize("script", SATISFIABLE, ids=names(SATISFIABLE))
def test_no_theorem_is_vacuous(script):
    """All hypotheses of the proof hold in a world, and those of its conclusion where that is a law;
    and so does it."""
    proof = script.proof
    goal = script.proof.goal
    assert proof.conclusion is not None
    premises, conclusion = (goal.premises, goal.conclusion) if isinstance(goal, Law) else ((), goal)
    assert isinstance(conclusion, Fact)
    fitting = (x for x in worlds() if x.allows([*proof.conclusion.hypotheses, *premises], proof))
    world = next((x for x in fitting if x.values(conclusion)), None)
    assert world is not None, "no world satisfies its hypotheses"
    assert not world.refutes(conclusion)
    # Equalities between irrational numbers cannot be seen to hold.
    assert conclusion.relation == "=" or world.meets(conclusion)


@of_the_paper
@pytest.mark.parametrize("script", [*IRRATIONAL, *ABSURD], ids=names((*IRRATIONAL, *ABSURD)))
def test_all_holds_somewhere_but_what_names_an_irrational_number_or_is_absurd(script):
    """The hypotheses of an absurdity hold somewhere without its laws, which are what it refutes;
    where it has none, all but one do."""
    proof = script.proof
    assert proof.conclusion is not None
    if script in ABSURD:
        facts = [x for x in proof.conclusion.hypotheses if isinstance(x, Fact)]
        without_laws = len(facts) < len(proof.conclusion.hypotheses)
        assert any(
            sum(not world.meets(x) for x in facts) <= (0 if without_laws else 1)
            for world in worlds()
        )
        return
    defined = {x.statement for x in proof.assumptions if not x.names.isdisjoint(script.claim.names)}
    premises = proof.goal.premises if isinstance(proof.goal, Law) else ()
    rest = [*(proof.conclusion.hypotheses - defined), *premises]
    assert any(world.allows(rest, proof) for world in worlds())


# The second evaluation.

A = sp.MatrixSymbol("A", 2, 3)
B = sp.MatrixSymbol("B", 3, 2)
SMALL = rows((1, 2, 2), (0, 1, 0))
SETTING = ExactModel(
    "small", {"d": 3}, {"L": Fraction(3)}, {"A": SMALL, "B": transposed(SMALL)}, {}, blocks=("A",)
)


@pytest.mark.parametrize(
    "relation, expected",
    [
        (le(FrobeniusNorm(A) ** 2, 11), True),
        (le(FrobeniusNorm(A) ** 2, sp.Rational(99, 10)), False),
        (le(SpectralNorm(A), FrobeniusNorm(A)), True),
        (le(SpectralNorm(A), L), False),
        (le(FrobeniusNorm(A), FrobeniusNorm(A.T)), None),
        (sp.Eq(FrobeniusNorm(A), L, evaluate=False), False),
        (sp.Lt(L, 3, evaluate=False), False),
        (sp.Ge(L, 3, evaluate=False), True),
        (sp.Gt(L, sp.sqrt(8), evaluate=False), True),
        (sp.Eq(A, B.T, evaluate=False), True),
        (sp.Eq(A, 2 * B.T, evaluate=False), False),
        (le(sigma, 1), None),
        (le(1 / (L - 3), 1), None),
        (sp.And(sp.Ge(L, 3, evaluate=False), le(sigma, 1)), None),
        (sp.And(sp.Gt(L, 3, evaluate=False), le(sigma, 1)), False),
    ],
    ids=str,
)
def test_verdicts(relation, expected):
    assert SETTING.says(relation) is expected


@pytest.mark.full
def test_letters_that_a_proof_reads_otherwise_have_no_value_of_their_own():
    x = sp.MatrixSymbol("A", 3, 1)
    assert SETTING.says(le(EuclideanNorm(x), 4)) is True
    assert SETTING.says(le(EuclideanNorm(x), 4), frozenset({"A"})) is None
    world = next(x for x in worlds() if x.blocks == ("A", "B") and "A_1" in x.matrices)
    # v_1 - v_2 is a vector of both blocks.
    square = sum(
        (p - q) ** 2
        for name in "AB"
        for r, s in zip(*(world.matrices[f"{name}_{i}"] for i in (1, 2)), strict=True)
        for p, q in zip(r, s, strict=True)
    )
    value = sp.Rational(square.numerator, square.denominator)
    assert (
        world.says(
            le(EuclideanNorm(v1 - v2) ** 2, value * sp.Rational(11, 10)), frozenset({"v_1", "v_2"})
        )
        is True
    )
    assert (
        world.says(sp.Lt(EuclideanNorm(v1 - v2) ** 2, value / 2), frozenset({"v_1", "v_2"}))
        is False
    )


def test_time_is_seen_where_it_is_free():
    v_t = Iterate("v", t, 2, 1)
    assert is_timed(EuclideanNorm(v_t))
    assert not is_timed(MinimumOver(EuclideanNorm(v_t), t, 1, T))
    assert not is_timed(sp.Sum(EuclideanNorm(v_t), (t, 1, T)))
    assert is_timed(sp.Sum(EuclideanNorm(v_t.xreplace({t: i})), (i, 1, t - 1)))
    assert not is_timed(EuclideanNorm(Iterate("v", 1, 2, 1)))


def long_run():
    return next(x for x in worlds() if x.paths.T > 1 and len(x.paths.draws) > 1)


def test_a_relation_about_a_run_holds_at_all_times_and_in_all_outcomes():
    world = long_run()
    size = EuclideanNorm(Iterate("v", t, 2, 1)) ** 2
    found = [
        sum(x**2 for block in "AB" for row in world.process(block, time, i) for x in row)
        for time in range(1, world.paths.T + 1)
        for i in range(len(world.paths.draws))
    ]
    most = sp.Rational(max(found).numerator, max(found).denominator)
    assert world.says(le(size, most * sp.Rational(1001, 1000))) is True
    assert world.says(le(size, most * sp.Rational(999, 1000))) is False
    mean = sum(found[: len(world.paths.draws)]) / len(world.paths.draws)
    start = Expectation(EuclideanNorm(Iterate("v", 1, 2, 1)) ** 2)
    assert (
        world.says(sp.Lt(start, sp.Rational(mean.numerator, mean.denominator) / 2, evaluate=False))
        is False
    )


@pytest.mark.parametrize("name", ["A", "B", "g_A"])
def test_a_run_has_no_value_before_it_begins_or_after_its_end(name):
    setting = long_run()
    assert setting.process is not None
    last = setting.paths.T + (not name.startswith("g"))
    assert setting.process(name, last, 0)
    for time in (0, last + 1):
        with pytest.raises(InputError):
            setting.process(name, time, 0)


def test_gradients_are_those_of_the_values():
    """Along a short step F changes by <gradient, step>, up to its curvature."""
    step = Fraction(1, 10**6)
    adapters = (x for x in worlds() if x.about.startswith("LoReFT"))
    for world in (*islice(worlds(), 0, 200, 9), *adapters):
        loss = world.functions["F"]
        blocks = world.blocks
        if any(block not in world.matrices for block in blocks):
            continue
        point = tuple(world.matrices[block] for block in blocks)
        gradient = loss.gradient(point)
        for place, slope in enumerate(gradient):
            moved = [
                tuple(tuple(x + step * (i == place) for x in row) for row in block)
                for i, block in enumerate(point)
            ]
            expected = float(sum(x for row in slope for x in row))
            change = float((loss.value(tuple(moved)) - loss.value(point)) / step)
            assert change == pytest.approx(expected, abs=1e-3)


@examples(60)
@given(
    slopes().filter(lambda slope: len(slope.knots) > 1),
    POSITIVE,
    st.tuples(NUMBERS, NUMBERS, NUMBERS),
)
def test_functions_are_those_that_proofs_and_problems_have(theirs, scale, at):
    """They share no code, and have the same values, gradients and constants; a curve may go on as
    parabolas."""
    ours = Curve.flat_beyond(theirs.knots)
    for x in at:
        assert ours.slope(x) == theirs.value(x)
        assert ours.value(x) == theirs.integral(x)
    assert ours.least == theirs.minimum
    assert ours.smoothness == theirs.lipschitz
    assert ours.steepest == theirs.bound
    assert ours.is_least_at_0 == (theirs.minimum == theirs.integral(Fraction(0)))
    mine = Factored(((ours,),))
    other = MeftSetting(
        catalogue["jiang2024.lemma1"], theirs, Fraction(1), Fraction(1), scale, scale
    ).functions
    v = (number(at[0]), number(at[1]))
    w = number(at[2])
    assert mine.f(w) == other["f"].value((w,))
    assert mine.f(mine.weight(v)) == other["F"].value(v)
    assert mine.gradient(v) == other["F"].gradient(v)
    beyond = parabola(scale)
    assert beyond.slope(at[0]) == scale * at[0]
    assert beyond.value(at[0]) == scale * at[0] ** 2 / 2
    assert beyond.least == 0


def test_a_world_with_one_number_changed_says_so():
    world = worlds()[0]
    law = next(
        x for script in scripts() for x in script.proof.assumptions if x.claim is ASSUMPTION_1
    ).statement
    assert isinstance(law, Law)
    assert world.obeys(law, ASSUMPTION_1.id)
    assert not world.obeys(law, "another law")
    changed = [x for x in broken(world) if "L" in x.changed]
    assert len(changed) == 2
    assert not any(x.obeys(law, ASSUMPTION_1.id) for x in changed)
    for other in broken(world):
        differing = {x for x, value in other.numbers.items() if world.numbers[x] != value}
        assert len(differing) == 1 or other.changed == {"F"}


def test_an_understated_smoothness_is_marked():
    first, *_ = descents(Fraction(1, 9))
    true, *_ = descents()
    understated, plain = (build(lambda numbers: Fraction(1, 8)) for build in (first, true))
    assert understated.changed == frozenset({"L"})
    assert plain.changed == frozenset()
    assert 9 * understated.numbers["L"] == plain.numbers["L"]


def test_a_step_that_is_no_number_or_whose_run_has_too_many_digits_makes_no_run():
    """As where an edit of a formula takes the root of a negative number, or each step has threefold
    digits."""
    claim = catalogue["nesterov2004.theorem2_1_15"]
    other = catalogue["meft.unconditional_gd"]
    (step,) = (x.expression for x in claim.quantities if x.name == "alpha")
    ell, mu = sorted(step.free_symbols, key=str)
    assert runs_of(claim)
    assert not runs_of(with_formula(claim, "alpha", sp.sqrt(mu - 2 * ell)))
    found = runs_of(with_formula(other, "alpha", sp.Integer(1)))
    assert found
    assert not any("T = 24" in world.about for world in found)
