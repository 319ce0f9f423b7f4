"""Induction over t is sound where its step uses one time after the other, and is refused where it does not."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from boundcheck.kernel import Fact, Law, RuleError, TermError, Theorem, rules
from boundcheck.kernel.builders import at, before, clock, norm, power, total
from boundcheck.kernel.meaning import denote, exact, holds
from boundcheck.kernel.terms import (
    ANY,
    FROBENIUS,
    NEXT,
    NOW,
    ONE,
    Clock,
    Index,
    Matrix,
    Root,
    Scalar,
    Symbol,
    Time,
    Variable,
)
from tests.kernel.strategies import FEW, KINDS, World, agree, everywhere, scalars, worlds

TIMED = tuple(x for x in KINDS if x != ANY)
UNIT = ((Fraction(1), ONE),)
x = Scalar.of(Variable("x", Time(NOW)))


def following(goal: Fact, *premises: Theorem, relation: str | None = None) -> Theorem:
    """The goal as the sum of the premises."""
    terms = tuple((UNIT, (i,)) for i in range(len(premises)))
    return rules.certificate(premises, Fact(relation or goal.relation, goal.polynomial), terms, (), ())


# What the new terms mean.


@FEW
@given(
    worlds(),
    scalars(kinds=TIMED),
    st.sampled_from((NOW, NEXT, Index("T", 0), Index("T", 1), Index("", 1), Index("", 3))),
)
def test_a_partial_sum_at_another_time_is_the_sum_up_to_it(world: World, body: Scalar, time: Index) -> None:
    try:
        moved = at(before(body), time)
    except TermError:
        reject()
    for t, outcome in everywhere(world):
        last = world.time(time, t)
        values = (denote(at(body, Index("", s)), world, t, outcome) for s in range(1, last))
        assert agree(denote(moved, world, t, outcome), sum(values, exact(0)))


@FEW
@given(
    worlds(),
    scalars(0, rational=True),
    st.sampled_from("tT"),
    st.integers(-1, 3),
    st.sampled_from((NOW, NEXT, Index("", 1), Index("T", 1))),
)
def test_powers_are_repeated_products(world: World, base: Scalar, start: str, offset: int, time: Index) -> None:
    exponent = Index(start, offset)
    for t, outcome in everywhere(world):
        raised_ = denote(power(base, exponent), world, t, outcome)
        value = denote(base, world, t, outcome).low ** world.time(exponent, t)
        assert agree(raised_, exact(value))
    constant = Scalar.of(Variable("c"))
    for t, outcome in everywhere(world):
        moved = denote(at(power(constant, exponent), time), world, t, outcome)
        value = denote(constant, world, t, outcome).low ** world.time(exponent.moved(time), t)
        assert agree(moved, exact(value))


@FEW
@given(worlds(), st.sampled_from((NOW, NEXT, Index("T", 0), Index("T", 1), Index("", 2))))
def test_the_number_of_an_index(world: World, index: Index) -> None:
    for t, outcome in everywhere(world):
        assert denote(clock(index), world, t, outcome) == exact(world.time(index, t))
        assert denote(at(Scalar.of(Clock()), index), world, t, outcome) == exact(world.time(index, t))


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda: power(x, Index("t", -2)), "may be negative"),
        (lambda: at(before(x), Index("t", -1)), "may be no time"),
        (lambda: before(Scalar.of(Root(total(x) * x))), "over all times in it"),
        (lambda: at(power(x, Index("t", -1)), Index("t", -1)), "may be negative"),
        (lambda: Variable("t'"), "cannot be a name"),
        (lambda: Variable("sum"), "cannot be a name"),
    ],
)
def test_terms_without_a_meaning_are_refused(made: Callable[[], object], expected: str) -> None:
    with pytest.raises(TermError, match=expected):
        made()


def test_a_total_that_is_a_factor_leaves_a_partial_sum() -> None:
    """Σ_{s<t} S x_s = S Σ_{s<t} x_s for a number S that no t changes."""
    assert before(total(x) * x) == total(x) * before(x)
    assert before(ONE) == Clock() - ONE


# Derivations whose step uses the hypothesis at other times. Each would prove something false.

y = Scalar.of(Variable("y", Time(NOW)))
GOAL = Fact(">=", x)
SAME = Fact(">=", at(x, NEXT))


def of_all_times() -> Theorem:
    """From x_t >= 0 for all t: Σ x >= 0; with x_{t+1} >= Σ x, then x_{t+1} >= 0."""
    summed = rules.summation(rules.assume(GOAL))
    return following(SAME, summed, rules.assume(Fact(">=", at(x, NEXT) - total(x))))


def of_the_last_time() -> Theorem:
    """The same with x_T in place of the sum."""
    return following(
        SAME,
        rules.at_time(rules.assume(GOAL), rules.LAST),
        rules.assume(Fact(">=", at(x, NEXT) - at(x, rules.LAST))),
    )


def by_a_law() -> Theorem:
    """A law without variables says: if x_t >= 0 for all t, then x_{t+1} >= 0 for all t. It is true where x_2 < 0."""
    return rules.instantiate(rules.assume(Law((), (GOAL,), SAME)), ())


def by_a_law_that_is_made() -> Theorem:
    """From x >= 0 the law that x_{t+1} >= 0 always, for some z that it does not have."""
    z = Variable("z", ANY)
    used = following(SAME, rules.assume(GOAL), rules.assume(Fact(">=", at(x, NEXT) - x)))
    return rules.instantiate(rules.generalise(used, (z,), ()), ((z, Scalar.of(z)),))


def through_a_discharge() -> Theorem:
    """Y_t = x_t - 0 is summed, and then proved from x."""
    other = Fact(">=", y)
    summed = rules.summation(rules.assume(other))
    step = following(SAME, summed, rules.assume(Fact(">=", at(x, NEXT) - total(y))))
    known = following(other, rules.assume(GOAL), rules.assume(Fact(">=", y - x)))
    return rules.discharge(known, step)


def through_a_sum_that_is_rewritten() -> Theorem:
    """‖X_t‖ is replaced in Σ ‖X_t‖ by ‖Y_t‖, which takes the equation at every time."""
    X, Y = (Symbol(name, ("m", "n"), Time(NOW)) for name in "XY")
    equal = rules.assume(EQUAL)
    before_ = rules.assume(Fact("=", total(norm(FROBENIUS, Matrix.of(X))) - at(x, NEXT)))
    after = Fact("=", total(norm(FROBENIUS, Matrix.of(Y))) - at(x, NEXT))
    return rules.rewrite(equal, before_, X, Matrix.of(Y), after)


EQUAL = Fact(
    "=", norm(FROBENIUS, Matrix.of(Symbol("X", ("m", "n"), Time(NOW))) - Matrix.of(Symbol("Y", ("m", "n"), Time(NOW))))
)


@pytest.mark.parametrize("made", [of_all_times, of_the_last_time, by_a_law, by_a_law_that_is_made, through_a_discharge])
def test_a_step_that_uses_other_times_is_no_step(made: Callable[[], Theorem]) -> None:
    step = made()
    assert step.conclusion == SAME
    assert GOAL in step.hypotheses
    first = rules.assume(Fact(">=", at(x, rules.FIRST)))
    with pytest.raises(RuleError, match="at other times than t"):
        rules.induction(first, step, GOAL)


def test_an_equation_that_is_used_in_a_sum_is_used_at_all_times() -> None:
    assert EQUAL in rules.elsewhere(through_a_sum_that_is_rewritten())


def test_an_induction_inside_of_a_step_uses_all_times() -> None:
    step = following(SAME, rules.assume(GOAL), rules.assume(Fact(">=", at(x, NEXT) - x)))
    inner = rules.induction(rules.assume(Fact(">=", at(x, rules.FIRST))), step, GOAL)
    assert rules.elsewhere(inner) == inner.hypotheses
    assert rules.elsewhere(step) == frozenset()


def test_the_refused_steps_would_prove_what_is_false() -> None:
    """At T = 2 with x_1 = 0, x_2 = -1, x_3 = 0: all hypotheses but x >= 0 hold, and x >= 0 does not."""
    values = {1: Fraction(0), 2: Fraction(-1), 3: Fraction(0)}

    def symbols(_: object, time: int, outcome: int) -> Fraction:
        return values[time]

    world = replace(WORLD, horizon=2, symbols=symbols)
    for made in (of_all_times, of_the_last_time):
        step = made()
        assert all(holds(fact, world) for fact in step.hypotheses - {GOAL} if isinstance(fact, Fact)), made.__name__
    assert holds(GOAL, world) is False


WORLD = World({"m": 1, "n": 1}, 1, (Fraction(1),), lambda _: (0,), lambda *_: Fraction(0))
