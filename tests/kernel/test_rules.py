"""Every rule is sound: where the hypotheses hold, no conclusion is false; induction refuses what is
not."""

from collections.abc import Callable
from fractions import Fraction
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import assume as suppose
from hypothesis import strategies as st

from boundcheck.kernel import (
    RULES,
    STANDARD_FACTS,
    Fact,
    Law,
    RuleError,
    TermError,
    builders,
    replay,
    rules,
)
from boundcheck.kernel import terms as nodes
from boundcheck.kernel.builders import at, before, inner, known, maximum, norm, power, timed, total
from boundcheck.kernel.meaning import (
    MatrixFunction,
    denote,
    denote_matrix,
    exact,
    holds,
)
from boundcheck.kernel.rules import gradients
from boundcheck.kernel.terms import (
    ANY,
    CONSTANT,
    FROBENIUS,
    NEXT,
    ONE,
    Index,
    Matrix,
    Scalar,
    Symbol,
    Variable,
)
from tests.kernel import strategies
from tests.kernel.strategies import (
    FEW,
    RATIONALS,
    SHAPED,
    matrices,
    raised,
    scalars,
    symbols,
    worlds,
)

ANALYSIS = {name: RULES[name] for name in STANDARD_FACTS}
KIND = st.sampled_from((FROBENIUS, nodes.SPECTRAL))
RELATION = st.sampled_from((">=", ">"))
DATA = st.data()
TIMED = tuple(x for x in strategies.KINDS if x != ANY)
TESTED = set()
Test = TypeVar("Test", bound=Callable[..., None])


def checks(*names):
    def mark(test):
        TESTED.update(names)
        return test

    return mark


def test_every_rule_has_a_property_test():
    assert set(RULES) == TESTED


def sound(theorem, world):
    """The conclusion is not certainly false where the hypotheses, laws at their word, are certainly
    true."""
    suppose(strategies.true_in(world, theorem.hypotheses))
    assert strategies.judged(theorem.conclusion, world) is not False
    assert replay(theorem).same_as(theorem)


def given_fact(data, world, relation, **how):
    """An assumed fact that holds in the world."""
    return rules.assume(raised(world, data.draw(scalars(**how)), relation))


def equation(data, world):
    """An equation, and the world in which it holds: c times a variable that is set to a
    polynomial."""
    x = Variable("e", ANY)
    p = data.draw(scalars(1, rational=True))
    factor = data.draw(scalars(0))
    return Fact("=", factor * (p - x)), strategies.setting(world, x, p)


# Hypotheses and laws.


@checks("assume")
@FEW
@given(worlds(), scalars(), RELATION)
def test_assume(world, p, relation):
    sound(rules.assume(raised(world, p, relation)), world)


@checks("discharge")
@FEW
@given(worlds(), DATA)
def test_discharge(world, data):
    first = given_fact(data, world, ">")
    weaker = rules.certificate(
        (first,), Fact(">=", first.fact.polynomial), ((((Fraction(1), ONE),), (0,)),), (), ()
    )
    use = rules.expectation(rules.assume(weaker.fact), data.draw(st.sampled_from(strategies.PASTS)))
    theorem = rules.discharge(weaker, use)
    assert theorem.hypotheses == first.hypotheses
    sound(theorem, world)


@checks("generalise", "instantiate")
@FEW
@given(worlds(), DATA)
def test_laws(world, data):
    """From P ⊢ q by a chain of rules, for all x with P: q; at a value, P[v] ⊢ q[v]."""
    p = data.draw(scalars(1))
    theorem = rules.assume(Fact(data.draw(RELATION), p))
    if data.draw(st.booleans()):
        theorem = rules.expectation(theorem, data.draw(st.sampled_from(strategies.PASTS)))
    if data.draw(st.booleans()):
        theorem = rules.summation(theorem)
    names = sorted(
        {x for x in p.inside if isinstance(x, Symbol | Variable) and x.when in (ANY, CONSTANT)}
    )[:2]
    law = rules.generalise(theorem, tuple(names), tuple(theorem.hypotheses))
    assert not law.hypotheses
    assert strategies.judged(law.conclusion, world) is not False
    values = tuple((x, value_for(data, x)) for x in names)
    try:
        sound(rules.instantiate(law, values), world)
    except TermError:
        reject()


def value_for(data, x):
    kinds = (CONSTANT,) if x.when == CONSTANT else strategies.KINDS
    value = data.draw(
        matrices(x.shape, 1, kinds) if isinstance(x, Symbol) else scalars(1, kinds=kinds)
    )
    suppose(x.when == ANY or (known(value, None) and not timed(value)))
    return value


@FEW
@given(worlds(), DATA)
def test_instantiate_means_another_value(world, data):
    p = data.draw(scalars(1))
    names = sorted(
        {x for x in p.inside if isinstance(x, Symbol | Variable) and x.when in (ANY, CONSTANT)}
    )
    suppose(names)
    x = data.draw(st.sampled_from(names))
    value = (
        data.draw(matrices(x.shape, 1, (CONSTANT,)))
        if isinstance(x, Symbol)
        else data.draw(RATIONALS)
    )
    value = value if isinstance(value, Matrix) else Scalar.of(value)
    suppose(known(value, None) and not timed(value))
    inside = Law((Variable("z", ANY),), (), Fact(">", p + Variable("z", ANY)))
    law = rules.assume(Law((x,), (Fact("=", p), inside), Fact(">=", p)))
    try:
        after = rules.instantiate(law, ((x, value),))
    except TermError:
        reject()
    other = strategies.setting(world, x, value)
    assert strategies.judged(after.conclusion, world) == holds(Fact(">=", p), other)
    (renewed,) = [q for q in after.hypotheses if isinstance(q, Law) and q != law.conclusion]
    assert strategies.judged(renewed, world) == strategies.judged(inside, other)


@checks("rewrite")
@FEW
@given(worlds(), DATA)
def test_rewrite(world, data):
    kinds = (ANY, CONSTANT)
    letter = data.draw(symbols(data.draw(SHAPED), kinds) | strategies.variables(kinds))
    value = value_for(data, letter)
    other = strategies.setting(world, letter, value)
    suppose(letter not in value.inside)
    if isinstance(letter, Variable):
        term, difference = Scalar.of(letter), Scalar.of(letter) - value
    else:
        whole = Matrix.of(letter)
        term = inner((whole,), (data.draw(matrices(letter.shape, 0)),))
        difference = norm(FROBENIUS, whole - value)
    p = data.draw(scalars(1)) + term
    equal = rules.assume(Fact("=", difference))
    try:
        # Fails where the value is no rational number in this world.
        fact = raised(other, p)
        goal = Fact(fact.relation, builders.substitute_scalar(fact.polynomial, {letter: value}))
        for before, after in ((fact, goal), (goal, fact)):
            sound(rules.rewrite(equal, rules.assume(before), letter, value, after), other)
    except TermError:
        reject()


# Norms and inner products.


def blocks(draw, kind):
    return tuple(draw(st.lists(SHAPED, min_size=1, max_size=1 if kind == nodes.SPECTRAL else 2)))


def normed(draw, count):
    """A kind of norm, and so many points of one shape that have it."""
    kind = draw(KIND)
    shapes = blocks(draw, kind)
    return kind, *(draw(strategies.points(shapes)) for _ in range(count))


def two_points(draw):
    shapes = blocks(draw, FROBENIUS)
    return draw(strategies.points(shapes)), draw(strategies.points(shapes))


def opposites(draw):
    kind, x = normed(draw, 1)
    return rules.triangle(kind, x, tuple(-block for block in x))


def product(draw):
    kinds = draw(
        st.sampled_from(
            (
                (nodes.SPECTRAL, FROBENIUS),
                (FROBENIUS, nodes.SPECTRAL),
                (nodes.SPECTRAL, nodes.SPECTRAL),
            )
        )
    )
    m, n = draw(SHAPED)
    k = draw(st.sampled_from(strategies.DIMENSIONS))
    return rules.submultiplicative(kinds, draw(matrices((m, n))), draw(matrices((n, k))))


ALONE = {
    "norm_nonnegative": lambda draw: rules.norm_nonnegative(*normed(draw, 1)),
    "triangle": lambda draw: rules.triangle(*normed(draw, 2)),
    "triangle, of opposites": opposites,
    "submultiplicative": product,
    "spectral_below_frobenius": lambda draw: rules.spectral_below_frobenius(
        draw(matrices(draw(SHAPED)))
    ),
    "cauchy_schwarz": lambda draw: rules.cauchy_schwarz(*two_points(draw)),
    "norm_expansion": lambda draw: rules.norm_expansion(draw(strategies.points())),
    "dimension_positive": lambda draw: rules.dimension_positive(
        draw(st.sampled_from(strategies.DIMENSIONS))
    ),
    "root_nonnegative": lambda draw: rules.root_nonnegative(draw(scalars())),
    "telescope": lambda draw: rules.telescope(draw(scalars(kinds=TIMED))),
    "minimum_at_most": lambda draw: rules.minimum_at_most(draw(scalars())),
    "horizon_positive": lambda draw: rules.horizon_positive(),
}


@checks(*(name.partition(",")[0] for name in ALONE))
@pytest.mark.parametrize("name", ALONE)
@FEW
@given(world=worlds(), data=DATA)
def test_a_rule_without_premises(name, world, data):
    sound(ALONE[name](data.draw), world)


# From a fact of one of these relations.
FROM_A_FACT = {
    "homogeneous": (
        (">=", ">"),
        lambda draw, theorem: rules.homogeneous(theorem, *normed(draw, 1)),
    ),
    "root_square": ((">=", ">"), lambda _, theorem: rules.root_square(theorem)),
    "inverse": ((">",), lambda _, theorem: rules.inverse(theorem)),
    "expectation": (
        (">=", ">", "="),
        lambda draw, theorem: rules.expectation(theorem, draw(st.sampled_from(strategies.PASTS))),
    ),
    "summation": ((">=", ">", "="), lambda _, theorem: rules.summation(theorem)),
}


@checks(*FROM_A_FACT)
@pytest.mark.parametrize(
    "name, relation",
    [(name, each) for name, (relations, _) in FROM_A_FACT.items() for each in relations],
)
@FEW
@given(world=worlds(), data=DATA)
def test_a_rule_from_one_fact(name, relation, world, data):
    if relation == "=":
        fact, world = equation(data, world)
        theorem = rules.assume(fact)
    else:
        theorem = given_fact(data, world, relation)
    sound(FROM_A_FACT[name][1](data.draw, theorem), world)


@checks("rank_bound")
@FEW
@given(worlds(), DATA)
def test_rank_bound(world, data):
    shape = data.draw(SHAPED)
    word = data.draw(strategies.words(shape, 0)).scaled(data.draw(scalars(0)))
    within = (
        {name for x in word.terms for letter, _ in x for name in letter.shape}
        if len(word.terms) == 1
        else set()
    )
    for name in sorted(within | set(shape)):
        sound(rules.rank_bound(word, name), world)
    sound(rules.rank_bound(data.draw(matrices(shape)), shape[0]), world)


# The largest of several, and what vanishes.


@checks("at_most_maximum", "maximum_at_most")
@FEW
@given(worlds(), st.lists(scalars(), min_size=1, max_size=3), scalars(), RELATION)
def test_the_largest_of_several_numbers(world, members, c, relation):
    # The first one is larger than all others.
    for x in (members[0], Scalar.sum((Scalar.of(1), *(m * m for m in members)))):
        sound(rules.at_most_maximum(x, tuple(members)), world)
    above = tuple(rules.assume(raised(world, c - x, relation)) for x in members)
    theorem = rules.maximum_at_most(above, c)
    assert theorem.fact == Fact(relation, c - maximum(*(c - x.fact.polynomial for x in above)))
    sound(theorem, world)
    # One that may be equal is enough for the maximum to be.
    equal = rules.assume(Fact(">=", Scalar.of(0)))
    assert rules.maximum_at_most((*above, equal), c).fact.relation == ">="


@checks("vanishing")
@FEW
@given(worlds(), DATA)
def test_vanishing(world, data):
    x = Variable("e", ANY)
    p = data.draw(scalars(1, rational=True))
    gap = (p - x) * data.draw(RATIONALS)
    for relation in (">=", "="):
        sound(
            rules.vanishing(rules.assume(Fact(relation, -(gap * gap))), gap),
            strategies.setting(world, x, p),
        )


@checks("minimum_at_least")
@FEW
@given(worlds(), scalars(), scalars(kinds=(CONSTANT,)), RELATION)
def test_minimum_at_least(world, x, c, relation):
    suppose(not timed(c))
    fact = raised(world, x - c, relation)
    sound(rules.minimum_at_least(rules.assume(fact), x), world)


# Induction.


@checks("induction")
@FEW
@given(worlds(), scalars(kinds=TIMED))
def test_induction(world, d):
    """From d >= 0 for all t: the sum of d over the times before t is not negative."""
    try:
        goal = Fact(">=", before((grows := raised(world, d)).polynomial))
    except TermError:
        reject()
    hypothesis = rules.assume(goal)
    more = rules.assume(grows)
    first = rules.certificate((), Fact(">=", nodes.ZERO), (), (), ())
    both = ((((Fraction(1), ONE),), (0,)), (((Fraction(1), ONE),), (1,)))
    step = rules.certificate(
        (hypothesis, more), Fact(">=", at(goal.polynomial, NEXT)), both, (), ()
    )
    theorem = rules.induction(first, step, goal)
    assert theorem.hypotheses <= {grows}
    sound(theorem, world)


@checks("at_time")
@FEW
@given(worlds(), scalars(kinds=TIMED), st.sampled_from((">=", ">", "=")))
def test_a_fact_holds_at_the_first_and_at_the_last_time(world, p, relation):
    fact = raised(world, p, relation) if relation != "=" else Fact("=", p - p)
    for time in (rules.FIRST, rules.LAST):
        try:
            theorem = rules.at_time(rules.assume(fact), time)
        except TermError:
            # A function at earlier times than 1.
            reject()
        sound(theorem, world)


@checks("time_at_least_one", "time_at_most_horizon")
@FEW
@given(worlds())
def test_the_time_is_between_one_and_the_last(world):
    for theorem in (rules.time_at_least_one(), rules.time_at_most_horizon()):
        assert holds(theorem.fact, world)


# Certificates.


@checks("certificate")
@FEW
@given(worlds(), DATA)
def test_certificates_of_any_shape(world, data):
    """The goal is computed from the other side, so that every certificate closes."""
    facts = [
        given_fact(data, world, data.draw(RELATION), depth=0)
        for _ in range(data.draw(st.integers(1, 2)))
    ]
    places = st.lists(st.integers(0, len(facts) - 1), max_size=2).map(tuple)
    squares = st.lists(
        st.tuples(RATIONALS.filter(lambda w: w > 0), scalars(0, size=1)), max_size=2
    ).map(tuple)
    terms = tuple(data.draw(st.lists(st.tuples(squares, places), min_size=1, max_size=2)))
    goal = nodes.ZERO
    for weights, chosen in terms:
        product = sum((s * s * w for w, s in weights), nodes.ZERO)
        for place in chosen:
            product = product * facts[place].fact.polynomial
        goal = goal + product
    fact, world = equation(data, world)
    multiplier = data.draw(scalars(0, size=1))
    goal = goal + multiplier * fact.polynomial
    arguments = (terms, ((multiplier, len(facts)),), ())
    everything = (*facts, rules.assume(fact))
    sound(rules.certificate(everything, Fact(">=", goal), *arguments), world)
    try:
        strict = rules.certificate(everything, Fact(">", goal), *arguments)
    except rules.RuleError:
        strict = None
    if strict:
        sound(strict, world)
    sound(
        rules.certificate(
            everything, Fact("=", multiplier * fact.polynomial), (), ((multiplier, len(facts)),), ()
        ),
        world,
    )


@FEW
@given(worlds(), st.sampled_from((">=", ">", "=")), DATA)
def test_certificates_with_a_factor(world, relation, data):
    """x goal = premise for a strict x, whatever the goal is: its sign is that of the premise."""
    x = given_fact(data, world, ">", depth=0)
    goal = data.draw(scalars(0))
    product = rules.assume(Fact(relation, x.fact.polynomial * goal))
    terms = ((((Fraction(1), ONE),), (1,)),) if relation != "=" else ()
    multipliers = ((ONE, 1),) if relation == "=" else ()
    sound(rules.certificate((x, product), Fact(relation, goal), terms, multipliers, (0,)), world)


# Where p is negative, no q is of help.
@settings(FEW, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(worlds(), DATA)
def test_certificates_with_the_goal_squared(world, data):
    """m p = p² + q with m >= 0 and q >= 0 leaves p no way to be negative."""
    m = given_fact(data, world, ">=", depth=0)
    p = data.draw(scalars(0, size=1))
    q = rules.assume(Fact(">=", m.fact.polynomial * p - p * p))
    terms = ((((Fraction(1), p),), ()), (((Fraction(1), ONE),), (1,)))
    sound(rules.certificate((m, q), Fact(">=", p), terms, (), (0,)), world)


# The standard facts.


def numeric(data, world, image, names, inside):
    """F = f ∘ P by evaluation, its gradient by exact interpolation of the polynomials s ↦ F(X + s
    E_ij)."""

    def value(point):
        here = world
        for x, grid in zip(names, point, strict=True):
            here = here.having(x, lambda *_, grid=grid: strategies.numbers(grid))
        return inside.value(tuple(denote_matrix(each, here, 1, 0) for each in image))

    degree = 2 * max((len(word) for each in image for word in each.terms), default=0)
    knots = [Fraction(s) for i in range(1, degree // 2 + 1) for s in (i, -i)]

    def gradient(point):
        return tuple(
            tuple(
                tuple(slope(point, b, i, j) for j in range(len(row))) for i, row in enumerate(grid)
            )
            for b, grid in enumerate(point)
        )

    def slope(point, b, i, j):
        total = exact(0)
        for s in knots:
            # The derivative at 0 of the Lagrange polynomial of the node s, knots being these and 0.
            weight = 1 / s
            for r in knots:
                weight *= Fraction(1) if r == s else -r / (s - r)
            grid = [list(row) for row in point[b]]
            grid[i][j] = grid[i][j] + exact(s)
            moved = (*point[:b], tuple(tuple(row) for row in grid), *point[b + 1 :])
            total = total + exact(weight) * value(moved)
        # The node 0 has weight -Σ 1/s, which is 0: the knots lie symmetrically.
        return total

    return MatrixFunction(value, gradient)


@st.composite
def compositions(draw):
    """One or two polynomials in one or two variables and constants, transposes included."""
    names = [
        Symbol(name, draw(SHAPED), ANY) for name in draw(st.sampled_from((("U",), ("U", "V"))))
    ]
    pool = [
        *names,
        *(
            Symbol("C", (m, n))
            for m in strategies.DIMENSIONS[:2]
            for n in strategies.DIMENSIONS[:2]
        ),
    ]
    image = []
    for _ in range(draw(st.integers(1, 2))):
        block = Matrix.of(draw(st.sampled_from(names)))
        for _ in range(draw(st.integers(0, 2))):
            pick = Matrix.of(draw(st.sampled_from(pool)))
            factor = draw(st.sampled_from((pick, pick.T)))
            block = block @ factor if block.shape[1] == factor.shape[0] else block
            block = factor @ block if block.shape[0] == factor.shape[1] else block
            if factor.shape == block.shape:
                block = block + factor.scaled(Scalar.of(draw(RATIONALS)) * Variable("c") + 1)
        image.append(block)
    suppose(max(len(word) for block in image for word in block.terms) <= 3)
    return tuple(image), names


def composition(image, names):
    left = Scalar.of(nodes.Value("F", tuple(Matrix.of(x) for x in names)))
    return rules.assume(Law(names, (), Fact("=", left - nodes.Value("f", image))))


@checks("chain_rule")
@FEW
@given(worlds(1), compositions(), DATA)
def test_chain_rule(world, drawn, data):
    image, names = drawn
    function = numeric(data, world, image, names, world.functions["f"])
    world = world.with_functions(F=function)
    law = composition(image, names)
    for block in range(len(names)):
        theorem = ANALYSIS["chain_rule"](law, block)
        at_points = rules.instantiate(theorem, tuple((x, Matrix.of(x)) for x in names))
        assert holds(at_points.fact, world) is True
        assert theorem.ledger == {"chain_rule"}


def pieces(seed):
    """A function of the entries whose derivatives are a·clamp(x, -c, c), and its largest slope."""
    slopes = [Fraction(abs(seed >> i) % 4, 2) for i in range(4)]

    def entries(point):
        flat = [x.low for grid in point for row in grid for x in row]
        return [(slopes[i % 4], Fraction(1 + i % 2, 2), x) for i, x in enumerate(flat)]

    def value(point):
        return exact(
            sum(
                (
                    a * (x * x / 2 if abs(x) <= c else c * abs(x) - c * c / 2)
                    for a, c, x in entries(point)
                ),
                Fraction(0),
            )
        )

    def gradient(point):
        flat = iter([exact(a * max(-c, min(c, x))) for a, c, x in entries(point)])
        return tuple(tuple(tuple(next(flat) for _ in row) for row in grid) for grid in point)

    return MatrixFunction(value, gradient), max(slopes)


def smooth_along(x, step, constant):
    """The premise of the descent lemma, from the law that says it for every θ."""
    theta = Variable("theta", ANY)
    s = Scalar.of(theta)
    beyond = tuple(p + q.scaled(s) for p, q in zip(x, step, strict=True))
    change = tuple(p - q for p, q in zip(gradients("h", beyond), gradients("h", x), strict=True))
    wanted = Fact(">=", constant * s * norm(FROBENIUS, *step) - norm(FROBENIUS, *change))
    law = rules.assume(Law((theta,), (Fact(">=", s), Fact(">=", ONE - s)), wanted))
    return rules.instantiate(law, ((theta, s),)), theta


@checks("descent_lemma")
@FEW
@given(worlds(), strategies.SEEDS, DATA)
def test_descent_lemma(world, seed, data):
    function, slope = pieces(seed)
    shapes = blocks(data.draw, FROBENIUS)
    kinds = (CONSTANT, ANY)
    x, step = (
        tuple(Matrix.of(data.draw(symbols(s, kinds))).scaled(data.draw(RATIONALS)) for s in shapes)
        for _ in "xy"
    )
    world = world.with_functions(h=function)
    theorem, theta = smooth_along(x, step, Scalar.of(slope))
    for share in (Fraction(0), Fraction(1, 3), Fraction(1, 2), Fraction(1)):
        assert holds(theorem.fact, world.having(theta, lambda *_, share=share: share)) is not False
    for sign in (1, -1):
        lemma = ANALYSIS["descent_lemma"](theorem, "h", x, step, Scalar.of(slope), theta, sign)
        assert lemma.ledger == {"descent_lemma"}
        assert len(lemma.hypotheses) == 1
        sound(lemma, world)


# The tests notice a rule that is wrong.


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x, y: Fact(">=", norm(FROBENIUS, x + y) - norm(FROBENIUS, x) - norm(FROBENIUS, y)),
        lambda x, y: Fact(">=", norm(nodes.SPECTRAL, x) - norm(FROBENIUS, x)),
        lambda x, y: Fact(">=", inner((x,), (y,)) - norm(FROBENIUS, x) * norm(FROBENIUS, y)),
        lambda x, y: Fact("=", Scalar.of(nodes.Root(inner((x,), (y,)))) ** 2 - inner((x,), (y,))),
        lambda x, y: Fact(
            ">=", norm(FROBENIUS, x) - maximum(norm(FROBENIUS, x), norm(FROBENIUS, y))
        ),
        lambda x, y: Fact(">=", inner((x,), (y,)) - maximum(inner((x,), (y,)), -inner((x,), (y,)))),
    ],
)
def test_a_wrong_rule_is_seen(wrong):
    @settings(max_examples=200, database=None)
    @given(worlds())
    def search(world):
        x, y = (Matrix.of(Symbol(name, ("m", "n"))) for name in "XY")
        assert holds(wrong(x, y), world) is not False

    with pytest.raises(AssertionError):
        search()


UNIT = ((Fraction(1), ONE),)
x = Scalar.of(Variable("x", nodes.Time(nodes.NOW)))


def following(goal, *premises, relation=None):
    """The goal as the sum of the premises."""
    terms = tuple((UNIT, (i,)) for i in range(len(premises)))
    return rules.certificate(
        premises, Fact(relation or goal.relation, goal.polynomial), terms, (), ()
    )


@FEW
@given(worlds(), scalars(0, rational=True), st.sampled_from("tT"), st.integers(-1, 3))
def test_powers_are_repeated_products(world, base, start, offset):
    """At another time too, as `test_at_means_another_time` has powers among its terms."""
    exponent = Index(start, offset)
    for t, outcome in strategies.everywhere(world):
        value = denote(base, world, t, outcome).low ** world.time(exponent, t)
        assert strategies.agree(denote(power(base, exponent), world, t, outcome), exact(value))


def test_a_total_that_is_a_factor_leaves_a_partial_sum():
    """Σ_{s<t} S x_s = S Σ_{s<t} x_s for a number S that no t changes."""
    assert before(total(x) * x) == total(x) * before(x)
    assert before(ONE) == nodes.Clock() - ONE
    any_ = Variable("z", ANY)
    assert builders.substitute_scalar(before(Scalar.of(any_)), {any_: ONE}) == before(ONE)


# Derivations whose step uses the hypothesis at other times. Each would prove something false: at T
# = 2 with x_1 = 0, x_2 = -1 and x_3 = 0 all hypotheses but x >= 0 hold of the first two.

y = Scalar.of(Variable("y", nodes.Time(nodes.NOW)))
GOAL = Fact(">=", x)
SAME = Fact(">=", at(x, NEXT))


def of_all_times():
    """From x_t >= 0 for all t: Σ x >= 0; with x_{t+1} >= Σ x, then x_{t+1} >= 0."""
    return following(
        SAME, rules.summation(rules.assume(GOAL)), rules.assume(Fact(">=", at(x, NEXT) - total(x)))
    )


def of_the_last_time():
    """The same with x_T in place of the sum."""
    last = rules.at_time(rules.assume(GOAL), rules.LAST)
    return following(SAME, last, rules.assume(Fact(">=", at(x, NEXT) - at(x, rules.LAST))))


def by_a_law():
    """A law without variables says: if x_t >= 0 for all t, then x_{t+1} >= 0 for all t. It is true
    where x_2 < 0."""
    return rules.instantiate(rules.assume(Law((), (GOAL,), SAME)), ())


def by_a_law_that_is_made():
    """From x >= 0 the law that x_{t+1} >= 0 always, for some z that it does not have."""
    z = Variable("z", ANY)
    used = following(SAME, rules.assume(GOAL), rules.assume(Fact(">=", at(x, NEXT) - x)))
    return rules.instantiate(rules.generalise(used, (z,), ()), ((z, Scalar.of(z)),))


def through_a_discharge():
    """Y_t = x_t - 0 is summed, and then proved from x."""
    other = Fact(">=", y)
    summed = rules.summation(rules.assume(other))
    step = following(SAME, summed, rules.assume(Fact(">=", at(x, NEXT) - total(y))))
    known = following(other, rules.assume(GOAL), rules.assume(Fact(">=", y - x)))
    return rules.discharge(known, step)


@pytest.mark.parametrize(
    "made", [of_all_times, of_the_last_time, by_a_law, by_a_law_that_is_made, through_a_discharge]
)
def test_a_step_that_uses_other_times_is_no_step(made):
    step = made()
    assert step.conclusion == SAME
    assert GOAL in step.hypotheses
    first = rules.assume(Fact(">=", at(x, rules.FIRST)))
    with pytest.raises(RuleError, match="at other times than t"):
        rules.induction(first, step, GOAL)


def test_an_equation_that_is_used_in_a_sum_is_used_at_all_times():
    """‖X_t‖ is replaced in Σ ‖X_t‖ by ‖Y_t‖, which takes the equation at every time."""
    X, Y = (Symbol(name, ("m", "n"), nodes.Time(nodes.NOW)) for name in "XY")
    equal = Fact("=", norm(FROBENIUS, Matrix.of(X) - Matrix.of(Y)))
    of_x, of_y = (
        Fact("=", total(norm(FROBENIUS, Matrix.of(each))) - at(x, NEXT)) for each in (X, Y)
    )
    theorem = rules.rewrite(rules.assume(equal), rules.assume(of_x), X, Matrix.of(Y), of_y)
    assert equal in rules.elsewhere(theorem)


def test_an_induction_inside_of_a_step_uses_all_times():
    step = following(SAME, rules.assume(GOAL), rules.assume(Fact(">=", at(x, NEXT) - x)))
    inner = rules.induction(rules.assume(Fact(">=", at(x, rules.FIRST))), step, GOAL)
    assert rules.elsewhere(inner) == inner.hypotheses
    assert rules.elsewhere(step) == frozenset()
