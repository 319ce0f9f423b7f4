"""Normal forms mean what they were built from, and keys tell terms apart."""

from fractions import Fraction

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from boundcheck.kernel import TermError, builders
from boundcheck.kernel import terms as nodes
from boundcheck.kernel.builders import (
    at,
    before,
    expect,
    inner,
    known,
    mean,
    norm,
    power,
    timed,
    total,
)
from boundcheck.kernel.meaning import added, denote, denote_matrix, exact, multiplied
from boundcheck.kernel.terms import (
    CONSTANT,
    FROBENIUS,
    NOW,
    Index,
    Matrix,
    Scalar,
    Symbol,
    Time,
    Variable,
)
from tests.kernel import strategies
from tests.kernel.strategies import (
    FEW,
    PASTS,
    agree,
    everywhere,
    matrices,
    same,
    scalars,
    worlds,
)

TIMED_KINDS = tuple(x for x in strategies.KINDS if x != nodes.ANY)
DATA = st.data()


def average(world, given_, t, outcome, value):
    """The expectation by its definition: over the outcomes that look alike, weighted."""
    labels = (0,) * len(world.weights) if given_ is None else world.past(world.time(given_, t))
    alike = [i for i in range(len(world.weights)) if labels[i] == labels[outcome]]
    whole = sum(world.weights[i] for i in alike)
    return sum((exact(world.weights[i] / whole) * value(i) for i in alike), exact(0))


def tuples(world, p):
    return [denote(p, world, t, i) for t, i in everywhere(world)]


@FEW
@given(worlds(), scalars(), scalars())
def test_polynomials_mean_sums_and_products(world, p, q):
    for t, i in everywhere(world):
        x = denote(p, world, t, i)
        y = denote(q, world, t, i)
        assert agree(denote(p + q, world, t, i), x + y)
        assert agree(denote(p - q, world, t, i), x - y)
        assert agree(denote(p * q, world, t, i), x * y)
        assert agree(denote(p**2, world, t, i), x * x)


@FEW
@given(worlds(), DATA)
def test_matrices_mean_sums_products_and_transposes(world, data):
    x, z = (data.draw(matrices(("m", "n"))) for _ in range(2))
    y = data.draw(matrices(("n", "k")))
    c = data.draw(scalars(0))
    for t, i in everywhere(world):
        u, v, w = (denote_matrix(each, world, t, i) for each in (x, y, z))
        factor = denote(c, world, t, i)
        assert same(denote_matrix(x + z, world, t, i), added(u, w))
        assert same(denote_matrix(x @ y, world, t, i), multiplied(u, v))
        assert same(denote_matrix(x.T, world, t, i), tuple(zip(*u, strict=True)))
        assert same(
            denote_matrix(x.scaled(c), world, t, i),
            tuple(tuple(factor * a for a in row) for row in u),
        )


@FEW
@given(strategies.points())
def test_equal_matrices_are_one_object(x):
    for block in x:
        assert block == block.T.T
        assert block - block == Matrix.zero(block.shape)
        assert (block + block).key == block.scaled(2).key
        assert norm(FROBENIUS, block) == norm(FROBENIUS, -block)
        assert norm(FROBENIUS, block.scaled(Fraction(-3, 2))) == norm(FROBENIUS, block) * Fraction(
            3, 2
        )


@FEW
@given(worlds(), DATA)
def test_norms_and_inner_products_mean_their_definitions(world, data):
    shapes = tuple(data.draw(st.lists(strategies.SHAPED, min_size=1, max_size=2)))
    x = data.draw(strategies.points(shapes))
    y = data.draw(strategies.points(shapes))
    raw = Scalar.of(nodes.Norm(nodes.SPECTRAL, x[:1]))
    for t, i in everywhere(world):
        left, right = (
            [e for block in z for row in denote_matrix(block, world, t, i) for e in row]
            for z in (x, y)
        )
        products = sum((a * b for a, b in zip(left, right, strict=True)), exact(0))
        assert agree(denote(inner(x, y), world, t, i), products)
        assert agree(
            denote(norm(FROBENIUS, *x) ** 2, world, t, i), sum((e * e for e in left), exact(0))
        )
        assert agree(denote(norm(nodes.SPECTRAL, x[0]), world, t, i), denote(raw, world, t, i))


@FEW
@given(worlds(), DATA)
def test_a_trace_is_the_same_after_rotation_and_transposition(world, data):
    x = data.draw(matrices(("m", "n"), 0))
    y = data.draw(matrices(("n", "m"), 0))
    square = (x @ y).terms
    for word in square:
        for k in range(len(word)):
            assert nodes.Trace(word[k:] + word[:k]) == nodes.Trace(word)
        assert nodes.Trace(
            tuple((letter, not flip) for letter, flip in reversed(word))
        ) == nodes.Trace(word)
        for t, i in everywhere(world):
            grid = denote_matrix(Matrix(("m", "m"), {word: Scalar.of(1)}), world, t, i)
            trace = sum((grid[j][j] for j in range(len(grid))), exact(0))
            assert agree(denote(Scalar.of(nodes.Trace(word)), world, t, i), trace)


@FEW
@given(worlds(), scalars(), st.sampled_from(PASTS))
def test_expect_means_an_average(world, p, past):
    for t, i in everywhere(world):
        naive = average(world, past, t, i, lambda o, t=t: denote(p, world, t, o))
        assert agree(denote(expect(p, past), world, t, i), naive)
        assert agree(denote(Scalar.of(nodes.Expectation(p, past)), world, t, i), naive)


def test_the_expectation_of_a_finer_one_is_the_coarser():
    """The tower: E[E[p | past of t] | nothing] = E[p], and a coarser one inside stays as it is."""
    p = Scalar.of(Variable("a", Time(nodes.NEXT))) ** 2
    fine, coarse = (Scalar.of(nodes.Expectation(p, past)) for past in (NOW, None))
    assert expect(fine, None) == coarse
    assert expect(fine, Index("t", -1)) == Scalar.of(nodes.Expectation(p, Index("t", -1)))
    assert expect(coarse, NOW) == coarse
    assert expect(fine * fine, None) == Scalar.of(nodes.Expectation(fine * fine, None))


@FEW
@given(worlds(), scalars(), st.sampled_from(PASTS))
def test_the_expectation_of_a_sum_over_all_times(world, p, past):
    """The sum of the expectations, unless a past is given: E[Σ_s x_s | past of t] is no sum of
    E[x_s | past of s]."""
    for t, i in everywhere(world):
        naive = average(world, past, t, i, lambda o, t=t: denote(total(p), world, t, o))
        assert agree(denote(expect(total(p), past), world, t, i), naive)
    b = Scalar.of(Variable("b", Time(nodes.NEXT)))
    assert expect(3 * total(b), None) == 3 * total(expect(b, None))
    assert expect(total(b), NOW) == Scalar.of(nodes.Expectation(total(b), NOW))


@FEW
@given(worlds(), DATA, st.sampled_from(PASTS))
def test_mean_means_an_average(world, data, past):
    x = Matrix.zero(("m", "n"))
    for _ in range(data.draw(st.integers(1, 3))):
        letter = Matrix.of(data.draw(strategies.letters(("m", "n"))))
        x = x + letter.scaled(data.draw(strategies.RATIONALS))
        again = mean(letter, data.draw(st.sampled_from(PASTS)))
        x = x + again.scaled(data.draw(strategies.RATIONALS))
    for t, i in everywhere(world):
        grids = [denote_matrix(x, world, t, o) for o in range(len(world.weights))]
        rows = range(len(grids[0]))
        columns = range(len(grids[0][0]))
        entries = {(r, c): [grid[r][c] for grid in grids] for r in rows for c in columns}
        naive = tuple(
            tuple(average(world, past, t, i, entries[r, c].__getitem__) for c in columns)
            for r in rows
        )
        assert same(denote_matrix(mean(x, past), world, t, i), naive)


def test_the_mean_adds_up_words_that_become_one():
    x = Symbol("X", ("m", "n"), Time(nodes.NEXT))
    inside = Matrix.of(x) - Matrix.of(nodes.Mean(x, NOW))
    assert mean(inside, None) == Matrix.zero(("m", "n"))
    assert mean(Matrix.of(x) + Matrix.of(nodes.Mean(x, NOW)), NOW) == Matrix.of(
        nodes.Mean(x, NOW)
    ).scaled(2)


@FEW
@given(worlds(), scalars())
def test_total_means_a_sum_over_time(world, p):
    for i in range(len(world.weights)):
        naive = sum((denote(p, world, t, i) for t in range(1, world.horizon + 1)), exact(0))
        for t in range(1, world.horizon + 1):
            assert agree(denote(total(p), world, t, i), naive)
            assert agree(denote(Scalar.of(nodes.Total(p)), world, t, i), naive)


@FEW
@given(worlds(), scalars(kinds=TIMED_KINDS), st.sampled_from(strategies.INDICES))
def test_at_means_another_time(world, p, index):
    try:
        moved = at(p, index)
    except TermError:
        # A power of t - 1 is none before the first time.
        reject()
    for t, i in everywhere(world):
        assert agree(denote(moved, world, t, i), denote(p, world, world.time(index, t), i))


@FEW
@given(worlds())
def test_what_has_a_time_of_its_own_is_moved_to_each_other_time(world):
    b = Scalar.of(Variable("bp0", Time(NOW)))
    c = Scalar.of(Variable("cc"))
    powers = (power(c, Index("t", -1)), power(c, Index("t", 1)), power(b, Index("T", -1)))
    for p in (Scalar.of(nodes.Clock()), total(b), before(b), *powers):
        for index in (x for x in strategies.INDICES if x.offset >= 0 and (x.base or x.offset)):
            for t, i in everywhere(world):
                assert agree(
                    denote(at(p, index), world, t, i), denote(p, world, world.time(index, t), i)
                )


@FEW
@given(worlds(), scalars(), st.sampled_from(PASTS))
def test_what_is_known_is_the_same_where_the_past_is(world, p, past):
    for part in [x for x in p.inside if isinstance(x, Scalar)]:
        for t in range(1, world.horizon + 1):
            labels = (0,) * len(world.weights) if past is None else world.past(world.time(past, t))
            values = {(labels[i], denote(part, world, t, i)) for i in range(len(world.weights))}
            assert not known(part, past) or len(values) == len({label for label, _ in values})


@FEW
@given(worlds(), scalars())
def test_what_is_not_timed_is_the_same_at_all_times(world, p):
    for part in [x for x in p.inside if isinstance(x, Scalar) and not timed(x)]:
        for i in range(len(world.weights)):
            assert len({denote(part, world, t, i) for t in range(1, world.horizon + 1)}) == 1


@FEW
@given(worlds(), scalars(), DATA)
def test_substitution_means_another_value(world, p, data):
    here = sorted(
        {
            x
            for x in p.inside
            if isinstance(x, Symbol | Variable) and x.when in (nodes.ANY, CONSTANT)
        }
    )
    free = data.draw(st.sampled_from(here)) if here else Variable("bc")
    kinds = (CONSTANT,) if free.when == CONSTANT else strategies.KINDS
    if isinstance(free, Symbol):
        value = data.draw(matrices(free.shape, 1, kinds))
    else:
        value = data.draw(scalars(1, rational=True, kinds=kinds))
    if free.when == CONSTANT and (timed(value) or not known(value, None)):
        reject()
    try:
        after = builders.substitute_scalar(p, {free: value})
    except TermError:
        reject()
    other = strategies.setting(world, free, value)
    for t, i in everywhere(world):
        assert agree(denote(after, world, t, i), denote(p, other, t, i))


@FEW
@given(worlds(), DATA)
def test_substitution_in_matrices_means_another_value(world, data):
    x = data.draw(matrices(("m", "n"), 2))
    letter = data.draw(strategies.symbols(data.draw(strategies.SHAPED), (nodes.ANY,)))
    value = data.draw(matrices(letter.shape))
    try:
        after = builders.substitute_matrix(x, {letter: value})
    except TermError:
        reject()
    other = strategies.setting(world, letter, value)
    for t, i in everywhere(world):
        assert same(denote_matrix(after, world, t, i), denote_matrix(x, other, t, i))


@FEW
@given(
    st.sampled_from(strategies.INDICES),
    st.sampled_from(strategies.INDICES),
    st.integers(1, 4),
    st.data(),
)
def test_certainly_at_most_is_certain(first, second, horizon, data):
    t = data.draw(st.integers(1, horizon))
    numbers = [{"t": t, "T": horizon, "": 0}[x.base] + x.offset for x in (first, second)]
    assert not first.certainly_at_most(second) or numbers[0] <= numbers[1]


@FEW
@given(
    st.one_of(scalars(), strategies.variables().map(Scalar.of)),
    st.one_of(scalars(), strategies.variables().map(Scalar.of)),
    worlds(),
)
def test_terms_with_one_key_mean_the_same(p, q, world):
    assert (p == q) == (p.key == q.key)
    assert p != q or tuples(world, p) == tuples(world, q)


def test_keys_tell_kinds_and_names_apart():
    whens = (
        CONSTANT,
        nodes.ANY,
        Time(NOW),
        Time(NOW, 1),
        Time(nodes.NEXT),
        Time(Index("T", 1)),
        Time(Index("", 1)),
    )
    names = ("a", "ab", "a'", "a_1", "A")
    terms = [Variable(name, when) for name in names for when in whens]
    terms += [
        Symbol(name, (rows, "n"), when) for name in names for when in whens for rows in ("m", "n")
    ]
    assert len({x.key for x in terms}) == len(terms)


NO_NAMES = [
    "a:constant",
    "a b",
    "",
    "1a",
    "a.b",
    "(a)",
    "a^1.b:any",
    "a\n",
    "[a",
    "a~0",
    "a+1",
    "a^2",
    "a*",
]
# Words of their own, and letters that look like a, e, L and v, and are none of ASCII.
NO_NAMES += ["T", "t", "t'", "E", "root", "sum", "\u0430", "\u00e9", "L\u0302", "\u03bd"]


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_that_could_be_read_as_something_else_is_refused(name):
    for build in (Variable, lambda x: Symbol(x, ("m", "n")), lambda x: Symbol("X", ("m", x))):
        with pytest.raises(TermError, match="cannot be a name"):
            build(name)


@pytest.mark.parametrize(
    "name, size", [("one", 1), ("size3", 3), ("m", None), ("size", None), ("size3x", None)]
)
def test_a_dimension_may_state_its_number(name, size):
    assert builders.size_of(name) == size
