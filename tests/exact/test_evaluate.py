"""Expressions of the vocabulary against plain arithmetic: fractions where no root enters, else
NumPy and LAPACK."""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from flint import arb, arb_mat, ctx
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.exact.balls import (
    Balls,
    Rationals,
    ball_of,
    largest_eigenvalue,
    matrix_of,
    number,
    rows,
    times,
    transposed,
)
from boundcheck.exact.evaluate import Model, VectorFunction, rational_value, t
from boundcheck.language import vocabulary as words
from boundcheck.language.symbols import T, a, b
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    Expectation,
    F,
    FrobeniusNorm,
    InnerProduct,
    Value,
)

m, k = sp.symbols("m k", positive=True, integer=True)
X = sp.MatrixSymbol("X", m, k)
Y = sp.MatrixSymbol("Y", k, m)
Z = sp.MatrixSymbol("Z", m, k)
A = sp.MatrixSymbol("A", 1, 2)
B = sp.MatrixSymbol("B", 2, 1)
v = sp.MatrixSymbol("v", words.n, 1)
ENTRIES = st.integers(-4, 4).map(lambda x: x / 4)


def arrays(rows, columns):
    return st.lists(ENTRIES, min_size=rows * columns, max_size=rows * columns).map(
        lambda entries: np.array(entries).reshape(rows, columns)
    )


def model(x, y, z, p=2.0, q=3.0):
    return Model(
        Balls(),
        {a: arb(p), b: arb(q), m: arb(len(x)), k: arb(len(y))},
        {X: (matrix_of(x),), Y: (matrix_of(y),), Z: (matrix_of(z),)},
        sides={m: len(x), k: len(y)},
    )


def spectral(x):
    return float(np.linalg.svd(x, compute_uv=False)[0])


EXPRESSIONS = [
    (FrobeniusNorm(X * Y) ** 2, lambda x, y, z: ((x @ y) ** 2).sum()),
    (FrobeniusNorm(2 * X - Z / 3), lambda x, y, z: np.linalg.norm(2 * x - z / 3)),
    (words.SpectralNorm(X), lambda x, y, z: spectral(x)),
    (words.SpectralNorm(X * X.T * Z + 0 * Z), lambda x, y, z: spectral(x @ x.T @ z)),
    (InnerProduct(X, Y.T), lambda x, y, z: (x * y.T).sum()),
    (sp.Trace(X * Y), lambda x, y, z: np.trace(x @ y)),
    (FrobeniusNorm(sp.HadamardProduct(X, Z)), lambda x, y, z: np.linalg.norm(x * z)),
    (FrobeniusNorm((X * Y) ** 3), lambda x, y, z: np.linalg.norm(np.linalg.matrix_power(x @ y, 3))),
    (FrobeniusNorm(X * Y - sp.Identity(m)), lambda x, y, z: np.linalg.norm(x @ y - np.eye(len(x)))),
    (FrobeniusNorm(sp.ZeroMatrix(m, k)), lambda x, y, z: 0.0),
    (sp.Max(a * m, b * k, evaluate=False), lambda x, y, z: max(2 * len(x), 3 * len(y))),
    (sp.Min(a * m, b * k, evaluate=False), lambda x, y, z: min(2 * len(x), 3 * len(y))),
    (sp.Abs(InnerProduct(X, Z) - a), lambda x, y, z: abs((x * z).sum() - 2)),
    (sp.sqrt(a) / b ** sp.Rational(3, 2), lambda x, y, z: 2**0.5 / 3**1.5),
]


@pytest.mark.parametrize("expression, plain", EXPRESSIONS, ids=[str(e) for e, _ in EXPRESSIONS])
@given(data=st.data())
def test_balls_contain_what_numpy_computes(expression, plain, data):
    rows = data.draw(st.integers(1, 4))
    columns = data.draw(st.integers(1, 4))
    x = data.draw(arrays(rows, columns))
    z = data.draw(arrays(rows, columns))
    y = data.draw(arrays(columns, rows))
    with ctx.workprec(128):
        ball = model(x, y, z).number(expression)
        wanted = plain(x, y, z)
        assert float(ball.mid()) == pytest.approx(wanted, rel=1e-9, abs=1e-9)
        assert float(ball.rad()) <= 1e-15 * (1 + abs(wanted))


@pytest.mark.parametrize(
    "kind", ["random", "identity", "rank one", "zero", "repeated", "ill-conditioned"]
)
@pytest.mark.parametrize("shape", [(1, 1), (5, 2), (2, 5), (12, 12)])
def test_spectral_norms_are_enclosed_closely(kind, shape):
    random = np.random.default_rng(7)
    count = min(shape)
    spectra = {
        "random": random.uniform(size=count),
        "identity": np.ones(count),
        "rank one": np.eye(count)[0],
        "zero": np.zeros(count),
        "repeated": np.repeat([3.0, 1.0], count)[:count],
        "ill-conditioned": np.logspace(0, -12, count),
    }
    U, V = (np.linalg.qr(random.standard_normal((side, side)))[0][:, :count] for side in shape)
    x = (U * spectra[kind]) @ V.T
    with ctx.workprec(256):
        ball = Balls().spectral(matrix_of(x))
        assert float(ball.rad()) <= 2.0**-79 * float(ball.abs_upper())
        # The largest eigenvalue of the exact Gram matrix, by bisection on exact pivots, is in the
        # square of the ball.
        rows = [[Fraction(entry) for entry in row] for row in x]
        gram = [
            [sum((r[i] * r[j] for r in rows), Fraction(0)) for j in range(shape[1])]
            for i in range(shape[1])
        ]
        above, below = (Fraction(float(end)) for end in (ball.upper(), ball.lower()))
        assert definite(gram, above**2 * (1 + Fraction(1, 2**40)) + Fraction(1, 2**200))
        if kind != "zero":
            assert not definite(gram, below**2 * (1 - Fraction(1, 2**40)))


def definite(gram, shift):
    rows = [[(shift if i == j else 0) - x for j, x in enumerate(row)] for i, row in enumerate(gram)]
    for i in range(len(rows)):
        if rows[i][i] <= 0:
            return False
        for row in rows[i + 1 :]:
            ratio = row[i] / rows[i][i]
            for j in range(i, len(rows)):
                row[j] -= ratio * rows[i][j]
    return True


@pytest.mark.parametrize("bits", [20, 53, 64])
def test_at_low_precision_the_enclosure_is_wider_and_ends(bits):
    x = np.random.default_rng(5).integers(-9, 9, (2, 3)) / 3
    with ctx.workprec(bits):
        ball = Balls().spectral(matrix_of(x))
    assert ball.overlaps(arb(np.linalg.norm(x, 2), 1e-15))
    assert float(ball.rad()) < 2.0 ** (16 - bits)


def test_a_wide_ball_still_contains_the_eigenvalue():
    wide = arb_mat([[arb(2, 0.5), arb(0, 0.1)], [arb(0, 0.1), arb(1, 0.5)]])
    ball = largest_eigenvalue(wide)
    assert all(ball.contains(arb(x)) for x in ("2", "1.6", "2.4"))


# Two coins: at t = 1 nothing is known, at t = 2 the first, at t = 3 both.
HEADS = ((0, 0), (0, 1), (1, 0), (1, 1))
WEIGHTS = [Fraction(1, 2), Fraction(1, 6), Fraction(1, 12), Fraction(1, 4)]


def path(name, time, outcome):
    step = sum(HEADS[outcome][: time - 1])
    return matrix_of([[step, 1]]), matrix_of([[time], [0]])


def square(point):
    return sum((x * x for block in point for x in block.entries()), arb(0))


PATHS = Model(
    Balls(),
    iterates=path,
    functions={F: VectorFunction(square, lambda point: tuple(2 * block for block in point))},
    blocks={A: 0, B: 1},
    horizon=3,
    weights=WEIGHTS,
    past=lambda time: [
        sum(2**i * coin for i, coin in enumerate(heads[: time - 1])) for heads in HEADS
    ],
    matrices={v: (matrix_of([[3, 0]]), matrix_of([[0], [4]]))},
)
v_t = words.Iterate("v", t, words.n, 1)


INDEX = sp.Symbol("index", integer=True)


def mean_square(time):
    squares = [sum(heads[: time - 1]) ** 2 + 1 + time**2 for heads in HEADS]
    return sum((p * square for p, square in zip(WEIGHTS, squares, strict=True)), Fraction(0))


@pytest.mark.parametrize(
    "expression, wanted",
    [
        (Expectation(EuclideanNorm(v_t) ** 2).xreplace({t: sp.Integer(2)}), mean_square(2)),
        (
            words.MinimumOver(Expectation(Value(F, v_t)), t, 1, T),
            min(mean_square(i) for i in (1, 2, 3)),
        ),
        (words.MinimumOver(Expectation(Value(F, v_t)), t, 2, T - 1), mean_square(2)),
        (
            sp.Sum(Expectation(EuclideanNorm(words.Gradient(F, v_t)) ** 2), (t, 1, T)),
            4 * sum(map(mean_square, (1, 2, 3))),
        ),
        (
            sp.Sum(Expectation(Value(F, v_t)).xreplace({t: INDEX}), (INDEX, 1, T)),
            sum(map(mean_square, (1, 2, 3))),
        ),
        # At t = 1 nothing is added up.
        (sp.Sum(Value(F, v_t).xreplace({t: INDEX}), (INDEX, 1, t - 1)), Fraction(0)),
        (EuclideanNorm(v), Fraction(5)),
        (EuclideanNorm(3 * v - v), Fraction(10)),
        (FrobeniusNorm(words.PartialGradient(F, v, B)), Fraction(8)),
        (InnerProduct(words.Gradient(F, v), v), Fraction(50)),
    ],
    ids=str,
)
def test_time_chance_and_blocks(expression, wanted):
    assert PATHS.number(expression).contains(ball_of(wanted))


@pytest.mark.parametrize("outcome", range(4))
def test_conditional_expectations_know_the_past(outcome):
    later = words.Iterate("v", sp.Integer(3), words.n, 1)
    alike = [i for i in range(4) if HEADS[i][0] == HEADS[outcome][0]]
    total = sum(WEIGHTS[i] for i in alike)
    mean = sum((WEIGHTS[i] / total * sum(HEADS[i]) for i in alike), Fraction(0))
    found = PATHS.vector(words.MatrixExpectation(later, v_t), 2, outcome)
    assert found[0][0, 0].contains(ball_of(mean))
    squared = PATHS.number(Expectation(EuclideanNorm(later) ** 2, v_t), 2, outcome)
    plain = sum((WEIGHTS[i] / total * (sum(HEADS[i]) ** 2 + 10) for i in alike), Fraction(0))
    assert squared.contains(ball_of(plain))


def test_what_has_no_value_is_refused():
    with pytest.raises(TypeError, match="has no value"):
        PATHS.number(sp.sin(a).subs(a, sp.Integer(1)))
    with pytest.raises(KeyError):
        PATHS.number(FrobeniusNorm(A))
    with pytest.raises(TypeError, match="2 blocks"):
        PATHS.number(words.SpectralNorm(v))
    with pytest.raises(KeyError):
        Model(Balls()).number(FrobeniusNorm(v_t))
    with pytest.raises(TypeError, match="index"):
        PATHS.number(sp.Sum(a * t, (a, 1, 2)))
    with pytest.raises(TypeError, match="has no value"):
        PATHS.vector(sp.Inverse(sp.MatrixSymbol("S", 2, 2)))


class Commutator(sp.Expr):
    """The Frobenius norm of XY - YX: a node from outside of the package, which says itself what it
    is."""

    is_commutative = True

    def number_at(self, place):
        x, y = self.args
        return place.number(FrobeniusNorm(x * y - y * x))


@given(arrays(2, 2), arrays(2, 2))
def test_a_node_of_ones_own_has_a_value(x, y):
    P = sp.MatrixSymbol("P", 2, 2)
    Q = sp.MatrixSymbol("Q", 2, 2)
    letters = {P: (matrix_of(x),), Q: (matrix_of(y),)}
    found = Model(Balls(), matrices=letters).number(1 + Commutator(P, Q) ** 2)
    assert float(found.mid()) == pytest.approx(1 + ((x @ y - y @ x) ** 2).sum())


def exactly(rows):
    return tuple(tuple(map(Fraction, row)) for row in rows)


@given(arrays(2, 3), arrays(3, 2), arrays(2, 3))
def test_rationals_stay_rational_and_agree_with_balls(x, y, z):
    letters = {X: (exactly(x),), Y: (exactly(y),), Z: (exactly(z),)}
    known = {a: Fraction(2), b: Fraction(3), m: Fraction(2), k: Fraction(3)}
    rational = Model(Rationals(), known, letters, sides={m: 2, k: 3})
    for expression, _ in EXPRESSIONS:
        found = rational.number(expression)
        enclosed = model(x, y, z).number(expression)
        assert (ball_of(found) if isinstance(found, Fraction) else found).overlaps(enclosed)
    assert isinstance(rational.number(InnerProduct(X, Y.T) / 3), Fraction)


@pytest.mark.parametrize("base", [Fraction(1), Fraction(3), Fraction(1, 2)], ids=str)
@pytest.mark.parametrize("time", [1, 2, 3])
def test_a_power_of_t_is_a_product_whatever_its_base(base, time):
    """Also of 0, where a logarithm has no value, and the power with t = 1 is 1."""
    model = Model(Rationals(), numbers={b: base}, horizon=3)
    wanted = (1 - base) ** (time - 1)
    assert model.number((1 - b) ** (t - 1), time) == wanted
    assert model.number((1 - b) ** (T - t), 4 - time) == wanted


def test_a_ball_that_may_be_0_has_no_exact_exponential():
    do = Rationals()
    wide = arb(0, 1)
    assert do.exp(wide).contains(arb(1).exp())
    assert do.log(wide + 2).contains(arb(3).log())
    assert do.exp(Fraction(0)) == 1
    assert do.log(Fraction(1)) == 0
    assert not Model(do, numbers={a: arb("nan")}).number(sp.exp(a)).is_finite()


def test_a_maximum_with_a_member_that_divides_by_0_has_no_rational_value():
    largest = sp.Max(1 / (a - 1), b)
    assert rational_value(largest, {"a": Fraction(1), "b": Fraction(2)}) is None
    assert rational_value(largest, {"a": Fraction(5, 4), "b": Fraction(2)}) == 4


# Numbers are fractions while they can be, and balls from there on; matrices are those of NumPy.

small = st.fractions(min_value=-4, max_value=4, max_denominator=6)
do = Rationals()


@given(st.lists(st.lists(small, min_size=3, max_size=3), min_size=2, max_size=2), st.data())
def test_arithmetic_of_matrices(entries, data):
    X = rows(*entries)
    floats = np.array(entries, dtype=float)
    with ctx.workprec(160):
        assert float(do.length((X,))) == pytest.approx(np.linalg.norm(floats))
        assert float(do.spectral(X)) == pytest.approx(np.linalg.norm(floats, 2), abs=1e-7)
    assert do.inner((X,), (X,)) == sum(x * x for row in X for x in row)
    assert do.product(X, do.transposed(X)) == times(X, transposed(X))
    assert do.plus(X, do.scaled(Fraction(-1), X)) == do.constant(0, 2, 3)
    assert do.entrywise(X, X) == tuple(tuple(x * x for x in row) for row in X)


@given(small, small)
def test_arithmetic_of_numbers(x, y):
    root = do.power(x * x, Fraction(1, 2))
    assert root == abs(x)
    irrational = do.power(Fraction(2), Fraction(1, 2))
    assert isinstance(irrational, arb)
    for z in (x, do.times(x, irrational)):
        assert float(do.add(z, y)) == pytest.approx(float(z) + float(y))
        assert float(do.times(z, y)) == pytest.approx(float(z) * float(y))
        assert float(do.larger(z, y)) == pytest.approx(max(float(z), float(y)))
        assert float(do.smaller(z, y)) == pytest.approx(min(float(z), float(y)))
    assert do.times(Fraction(0), irrational) == Fraction(0)
    assert float(do.power(Fraction(16), Fraction(-1, 4))) == 0.5


def test_nothing_is_made_of_what_is_not_defined():
    assert not do.power(Fraction(0), Fraction(-1)).is_finite()
    assert not do.times(Fraction(0), do.power(Fraction(0), Fraction(-1))).is_finite()
    assert not do.power(Fraction(-1), Fraction(1, 2)).is_finite()
    assert do.spectral(number(-3)) == 3
