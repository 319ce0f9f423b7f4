"""Mutants of runs: exact courses against naive float twins, a sample measured, and records that say
what was wrong."""

import pickle
from fractions import Fraction
from itertools import product

import hypothesis.strategies as st
import numpy as np
import pytest
from flint import arb
from hypothesis import given

from boundcheck.experiment import measure
from boundcheck.experiment.result import Blame
from boundcheck.experiment.spec import parse
from boundcheck.system.tables import fields_of
from boundcheck.verdicts import Verdict
from soundness import runs
from soundness.exact_model import Curve
from tests.layers import examples
from tests.results import a_run

NUMBERS = st.fractions(-3, 3, max_denominator=8)
STEPS = 5


def floats(balls):
    return [float(x) for x in balls]


@examples(30)
@given(
    st.fractions("1/4", 4, max_denominator=8),
    st.fractions("1/4", 2, max_denominator=8),
    NUMBERS,
    st.sampled_from([None, Fraction(1, 2), Fraction(1), Fraction(2)]),
    st.fractions("1/4", 2, max_denominator=8),
    st.sampled_from([Fraction(0), Fraction(1, 4)]),
)
def test_a_diagonal_loss_is_the_mean_over_all_paths(L, G, zero, scale, start, noise):
    """Of two kinks, trained as W or through A and B; and of the second alone where nothing is
    drawn."""
    kinks = ((L, G, zero), (G, L, -zero))
    found = runs.Diagonal(
        tuple(Curve.clipped(*kink) for kink in kinks), start, scale, noise if scale else Fraction(0)
    )
    alpha = 0.0625
    s = float(scale or 1)

    def slope(kink, w):
        L, G, zero = map(float, kink)
        return np.clip(L * (w - zero), -G, G)

    squares = np.zeros(STEPS)
    paths = list(product((-1, 1), repeat=STEPS - 1))
    for signs in paths:
        A = float(start) * np.eye(2)
        B = float(start) * np.eye(2) if scale else np.eye(2)
        for t in range(STEPS):
            W = s * B @ A
            M = np.diag([slope(kink, w) for kink, w in zip(kinks, np.diag(W), strict=True)])
            squares[t] += (
                s**2 * (((B.T @ M) ** 2).sum() + ((M @ A.T) ** 2).sum() * bool(scale)) / len(paths)
            )
            if t < STEPS - 1:
                M[1, 1] += float(found.noise) * signs[t]
                A, B = A - alpha * s * B.T @ M, B - alpha * s * M @ A.T * bool(scale)
    assert np.allclose(floats(found.squares(arb(alpha), STEPS)), squares)
    w = float(scale * start**2 if scale else start)
    gap = 0.0
    for kink in kinks:
        ways = np.linspace(float(kink[2]), w, 20001)
        gap += np.trapezoid(slope(kink, ways), ways)
    assert float(found.gap()) == pytest.approx(gap, rel=1e-6, abs=1e-9)


@examples(25)
@given(
    st.lists(st.tuples(NUMBERS.filter(bool), NUMBERS), min_size=2, max_size=3),
    st.sampled_from([0.05, 0.2]),
)
def test_scalar_least_squares_is_the_mean_over_all_paths(samples, alpha):
    z, y = zip(*samples, strict=True)
    found = runs.Scalar(z, y)
    steps = 4
    H = np.mean([float(a) ** 2 for a in z])
    c = np.mean([float(a * b) for a, b in samples])
    squares = np.zeros(steps)
    reached = [0.0]
    paths = list(product(samples, repeat=steps - 1))
    for path in paths:
        w = 0.0
        for t in range(steps):
            squares[t] += (H * w - c) ** 2 / len(paths)
            reached.append(w)
            if t < steps - 1:
                a, b = map(float, path[t])
                w -= alpha * a * (a * w - b)
    assert np.allclose(floats(found.squares(arb(alpha), steps)), squares)
    most = float(found.largest_variance(arb(alpha), steps))
    assert all(float(found.variance(Fraction(w))) <= most * (1 + 1e-9) for w in reached)
    assert float(found.fall()) == pytest.approx(c**2 / (2 * H), abs=1e-12)
    w = alpha * float(z[0] * y[0])
    each = [float(a) * (float(a) * w - float(b)) for a, b in samples]
    assert float(found.bias(arb(alpha))) == pytest.approx(
        (np.mean(each[1:]) - np.mean(each)) ** 2, abs=1e-12
    )


def test_noise_and_curvature_at_the_start_of_a_diagonal_loss():
    h = Curve.flat_beyond([(Fraction(x), Fraction(y)) for x, y in ((-2, -1), (1, 0), (6, 3))])
    found = runs.Diagonal((h,), Fraction(3, 2), noise=Fraction(1, 4))
    assert float(found.variance()) == pytest.approx(2 * (0.25 * 1.5) ** 2)
    step = 1e-4
    knots = np.array(h.knots, dtype=float).T

    def along(t):
        ways = np.linspace(1, (1.5 + t / np.sqrt(2)) ** 2, 2001)
        return np.trapezoid(np.interp(ways, *knots), ways)

    assert float(found.curvature()) == pytest.approx(
        (along(step) - 2 * along(0) + along(-step)) / step**2, rel=1e-4
    )


@pytest.mark.parametrize(
    "setting",
    [
        runs.on_kink("nesterov2004.gradient_descent", 4),
        runs.on_factors("meft.theorem2_repaired", 6),
        runs.on_scalars("khaled2020.bounded_variance", 3, 1),
        runs.on_scalars("meft.theorem2_frozen_a", 3, 1),
        runs.on_scalars("meft.theorem2_any_step", 3, 1),
        runs.on_hard("jiang2024.theorem2", 6, 0.3),
    ],
    ids=["kink", "factors", "scalar", "frozen", "any step", "hard"],
)
def test_a_run_takes_its_exact_course(setting, tmp_path):
    """The time average that is measured is the exact one, but for what the replicas leave to
    chance."""
    (result,) = measure(setting.table, tmp_path)
    exact = floats(setting.squares())
    if "zeta" not in setting.inputs:
        assert result.measured == pytest.approx(min(exact), rel=1e-9)
    else:
        assert result.measured == pytest.approx(np.mean(exact), rel=0.05)
        assert max(result.first_variance, 1e-9) == pytest.approx(
            max(float(setting.variance), 1e-9), rel=1e-6
        )
    known = {name: float(x) for name, x in setting.inputs.items()}
    assert result.plan.inputs == pytest.approx(known, rel=1e-6)
    assert result.bound == pytest.approx(setting.claim.bound(**setting.inputs), rel=1e-6)
    assert float(setting.gap) <= known["D"]


@pytest.mark.full
def test_there_are_false_and_true_runs_of_every_kind():
    found = runs.run_mutants()
    for truth in (True, False):
        assert sum(run.true is truth for run in found) >= 60
    assert (
        len(
            {run.subject for run in found if not run.true}
            & {run.subject for run in found if run.true}
        )
        == 9
    )
    kinds = {run.kind for run in found if not run.true}
    assert {
        "constant",
        "exponent",
        "off by one",
        "sign",
        "term lost",
        "factor lost",
        "exchange",
    } < kinds
    assert len({str(run.table) + run.change for run in found}) == len(found)
    assert pickle.loads(pickle.dumps(found[:3])) == found[:3]
    for run in found:
        # Others have their problem as an object.
        if not isinstance(run, runs.Minibatches):
            parse(run.table)
    assert len(runs.run_mutants(10)) < len(found) / 9


@pytest.mark.parametrize(
    "true, verdict, blame, wrong, caught",
    [
        (True, "supported", None, False, False),
        (True, "violated", ("claim", "x"), True, False),
        (True, "hypothesis-failed", ("constant", "D"), True, False),
        (True, "uninformative", ("horizon", "T"), False, False),
        (False, "supported", None, True, False),
        (False, "violated", ("claim", "x"), True, False),
        (False, "hypothesis-failed", ("constant", "D"), False, True),
        (False, "hypothesis-failed", ("constant", "zeta"), False, False),
        (False, "inconclusive", ("constant", "D"), False, True),
        (False, "uninformative", ("constant", "D"), False, False),
    ],
)
def test_the_record_says_what_the_verdict_is_worth(true, verdict, blame, wrong, caught):
    run = runs.Run("x", "constant", "D by 1/2", true, "", {}, ("constant", "D"))
    result = a_run(verdict=Verdict(verdict), blame=blame and Blame(*blame, evidence=""))
    trial = run.recorded(run.judged(result), 1.0)
    assert trial.wrong == wrong
    assert trial.caught == caught


@pytest.mark.full
@pytest.mark.parametrize("id", ["jiang2024.theorem2", "meft.theorem2_repaired"])
def test_faults_are_planted_one_at_a_time(id):
    """Each differs from the setting's own spec in one field, ζ aside."""
    setting = runs.on_factors(id, 12)
    own = fields_of(setting.table)
    for run in (*runs.false_bounds(setting), *runs.false_constants(setting)):
        changed = {path for path, value in fields_of(run.table).items() if own.get(path) != value}
        assert len(changed) == 1, run.change
    assert {run.blame for run in runs.false_hypotheses(setting)} >= {("constant", "alpha")}


@pytest.mark.parametrize("true", [True, False])
def test_minibatches_that_are_wrong_in_mid_run_are_never_vouched_for(true):
    found = [each for each in runs.minibatches() if each.true is true]
    for trial in (each.tried() for each in found[::7]):
        assert not trial.wrong
        assert trial.caught is not true
