"""The compiled loops of the pseudo-Huber loss say what torch's operations do."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.functions.adapters import Full, LoRA
from boundcheck.functions.arithmetic import at_most
from boundcheck.functions.objectives import pseudo_huber
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber, synthetic
from boundcheck.functions.problem import Problem
from boundcheck.functions.sgd import walk
from boundcheck.language.algorithms import DECREASING_SGD, HEAVY_BALL, SGD
from boundcheck.language.evidence import OFF_SAMPLES, OFF_SLOPE
from tests.experiment.small import run_by_hand, theorem_table

# What is compiled is in the extra `fast`, which the quick layer does without.
pytestmark = pytest.mark.full
pytest.importorskip("numba")


def weights(size):
    return size * torch.tensor(np.random.default_rng(1).standard_normal((9, 5, 3)))


def objective(delta=0.7):
    return synthetic(5, 3, 11, delta, 1.0, 0.5, seed=0)


# From 1e19 delta on the squares are beyond float32.
@pytest.mark.parametrize("size", [0.0, 1e-9, 1.0, 1e6, 1e18, 1e19, 1e25, 1e100])
@pytest.mark.parametrize("delta", [1e-6, 0.7, 1e6])
def test_loops_agree_within_rounding(size, delta):
    f = objective(delta)
    W = weights(size)
    indices = torch.tensor(np.random.default_rng(2).integers(f.samples, size=(9, 4)))
    P, Q = (
        torch.tensor(np.random.default_rng(3).standard_normal(shape))
        for shape in ((9, 2, 5), (3, 2))
    )
    sides = ((P, None), (None, Q), (P, Q), (None, None))
    loss = f.loss(W)
    gradient = f.gradient(W)
    mean = f.batch_gradient(W, indices)
    surveys = [f.survey(W, sides, among) for among in (None, indices)]
    loss_error, gradient_error = f.rounding(W, loss)
    with torch.inference_mode():
        assert ((f.loss(W) - loss).abs() <= loss_error).all()
        assert (torch.linalg.matrix_norm(f.gradient(W) - gradient) <= gradient_error).all()
        assert (
            torch.linalg.matrix_norm(f.batch_gradient(W, indices) - mean) <= gradient_error
        ).all()
        for expected, among in zip(surveys, (None, indices), strict=True):
            found = f.survey(W, sides, among)
            assert ((found.loss - expected.loss).abs() <= loss_error).all()
            assert (
                torch.linalg.matrix_norm(found.gradient - expected.gradient) <= gradient_error
            ).all()
            torch.testing.assert_close(found.in_v, expected.in_v, rtol=1e-13, atol=0)
            torch.testing.assert_close(found.in_w, expected.in_w, rtol=1e-13, atol=0)


def test_what_is_no_number_stays_none():
    f = objective()
    W = weights(1.0)
    W[3, 1, 1], W[4, 0, 0] = torch.nan, torch.inf
    with torch.inference_mode():
        loss = f.loss(W)
        gradient = f.survey(W, ((None, None),)).gradient
        batch = f.batch_gradient(W, torch.zeros(9, 2, dtype=torch.int64))
        (A, B), W0 = start(4, 5, 3, 2, seed=0)
        A[1, 0, 0], B[2, 0, 0] = torch.nan, torch.inf
        walk = walked(Problem(f, LoRA(W0, 2)), (A, B), drawn(3, 4, 2, 11, seed=1), alpha=0.1)
    for found in (loss, gradient.flatten(1).sum(1), batch.flatten(1).sum(1)):
        assert torch.isfinite(found).tolist() == [i not in (3, 4) for i in range(9)]
    finite = torch.stack([torch.isfinite(part[-1]).flatten(1).all(1) for part in walk.points])
    assert finite.all(0).tolist() == [True, False, False, True]


def test_a_slope_is_right_to_a_few_units_of_roundoff():
    f = PseudoHuber(np.zeros((1, 1, 1)), 1.0)
    W = torch.tensor(np.geomspace(1e-12, 1e18, 20_001)).view(-1, 1, 1)
    x = W.flatten().numpy().astype(np.longdouble)
    root = np.sqrt(1 + x * x)
    with torch.inference_mode():
        slope = f.batch_gradient(W, torch.zeros(len(W), 1, dtype=torch.int64)).flatten().numpy()
        loss = f.loss(W).flatten().numpy()
    assert abs(slope / (x / root) - 1).max() < 4 * np.finfo(float).eps
    assert abs(loss / (x * x / (1 + root)) - 1).max() < 8 * np.finfo(float).eps


def test_a_loop_is_compiled_where_nothing_can_be_kept_on_disk(monkeypatch):
    from numba.core.caching import CacheImpl

    from boundcheck.functions.loops import _compiled

    monkeypatch.setattr(CacheImpl, "_locator_classes", [])
    assert _compiled(lambda x: x + 1)(1) == 2


PROGRAM = """
import hashlib, torch
from boundcheck.functions.objectives.pseudo_huber import synthetic
W = torch.arange(90, dtype=torch.float64).reshape(6, 5, 3) / 7 - 5
with torch.inference_mode():
    print(hashlib.sha256(synthetic(5, 3, 11, 0.7, 1.0, 0.5, seed=0).loss(W).numpy()).hexdigest())
"""


@pytest.mark.parametrize("text", ["disable_jit: 1\ncache_dir: cache", "{", "- 1", "1: 2"])
def test_a_file_for_numba_changes_no_number_or_is_refused(text, tmp_path):
    def done(folder):
        command = [sys.executable, "-c", PROGRAM]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    (here := tmp_path / "here").mkdir()
    (here / ".numba_config.yaml").write_text(text)
    found = done(here)
    if found.returncode:
        last = found.stderr.splitlines()[-1]
        assert last.startswith("boundcheck.errors.InputError: .numba_config.yaml = ")
    else:
        assert found.stdout == done(tmp_path).stdout
    assert [each.name for each in here.iterdir()] == [".numba_config.yaml"]


def walked(problem, v, batches, algorithm=SGD, t=1, **numbers):
    """The same steps by whatever way the problem has here: in inference mode, as a run is, compiled
    loops."""
    return walk(algorithm, problem, algorithm.start(v, numbers), t, numbers, batches)


def start(replicas, d, k, rank, seed):
    """A, B, and a W0."""
    random = np.random.default_rng(seed)
    A, B, W0 = (
        torch.tensor(random.standard_normal(x))
        for x in ((replicas, rank, k), (replicas, d, rank), (d, k))
    )
    return (A, B), W0


def drawn(steps, replicas, batch, samples, seed):
    return list(
        torch.tensor(np.random.default_rng(seed).integers(samples, size=(steps, replicas, batch)))
    )


@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    rank=st.integers(1, 9),
    sizes=st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 7), st.integers(1, 6)),
    scale=st.sampled_from([0.25, 1.0, 2.0]),
    delta=st.sampled_from([1e-3, 0.7, 1e3]),
    seed=st.integers(0, 1000),
    method=st.sampled_from(
        [(SGD, {"alpha": 0.03}), (DECREASING_SGD, {"omega": 0.5, "gamma": 3.0})]
    ),
)
def test_steps_taken_together_are_those_one_by_one(shape, rank, sizes, scale, delta, seed, method):
    d, k = shape
    steps, replicas, batch, samples = sizes
    algorithm, numbers = method
    v, W0 = start(replicas, d, k, min(rank, d, k), seed)
    problem = Problem(
        synthetic(d, k, samples, delta, 1.0, 0.5, seed), LoRA(W0, min(rank, d, k), scale)
    )
    batches = drawn(steps, replicas, batch, samples, seed)
    expected = walked(problem, v, batches, algorithm, t=4, **numbers)
    with torch.inference_mode():
        assert problem.descend(v, batches, [0.1] * steps) is not None
        found = walked(problem, v, batches, algorithm, t=4, **numbers)
    for x, y in zip(
        (*found.points, *found.state[0]), (*expected.points, *expected.state[0]), strict=True
    ):
        torch.testing.assert_close(x, y, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(found.lengths, expected.lengths, rtol=1e-12, atol=1e-12 * delta)


def test_bits_depend_on_no_other_replica_and_on_no_number_of_threads_or_steps():
    v, W0 = start(7, 5, 3, 2, seed=0)
    problem = Problem(objective(), LoRA(W0, 2, 0.5))
    batches = drawn(12, 7, 4, 11, seed=1)
    f = objective()
    W = weights(1.0)
    before = torch.get_num_threads()
    P, Q = (
        torch.tensor(np.random.default_rng(3).standard_normal(shape))
        for shape in ((9, 2, 5), (3, 2))
    )
    surveys = []
    try:
        with torch.inference_mode():
            whole = walked(problem, v, batches, alpha=0.1)
            for threads in (1, 2, 3, 16):
                torch.set_num_threads(threads)
                with at_most(1):
                    assert all(
                        map(
                            torch.equal, walked(problem, v, batches, alpha=0.1).points, whole.points
                        )
                    )
                    surveys.append((*f.survey(W, ((P, None), (None, Q))), f.loss(W)))
            first = walked(problem, v, batches[:5], alpha=0.1)
            rest = walked(problem, first.state[0], batches[5:], alpha=0.1)
            alone = walked(
                problem, tuple(x[3:4] for x in v), [each[3:4] for each in batches], alpha=0.1
            )
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(x, y) for each in surveys for x, y in zip(each, surveys[0], strict=True))
    for i, points in enumerate(whole.points):
        assert torch.equal(torch.cat([first.points[i], rest.points[i][1:]]), points)
        assert torch.equal(alone.points[i], points[:, 3:4])


@pytest.mark.parametrize("size", [1e6, 1e18, 1e19, 1e20, 1e100])
def test_a_weight_beyond_single_precision_takes_the_same_steps(size):
    (A, B), W0 = start(3, 5, 3, 2, seed=0)
    problem = Problem(objective(), LoRA(size * W0, 2))
    batches = drawn(4, 3, 2, 11, seed=1)
    expected = walked(problem, (A, B), batches, alpha=0.1)
    with torch.inference_mode():
        found = walked(problem, (A, B), batches, alpha=0.1)
    for x, y in zip(found.points, expected.points, strict=True):
        torch.testing.assert_close(x, y, rtol=1e-12, atol=1e-12)


class Halved(PseudoHuber):
    """Its minibatch gradients are others than those that are compiled."""

    def batch_gradient(self, W, indices):
        return super().batch_gradient(W, indices) / 2


class Blind(LoRA):
    """It pulls back in another way than LoRA."""

    def pull_back(self, v, gradient):
        A, B = super().pull_back(v, gradient)
        return 0 * A, B


class Scaled(Problem):
    """Its minibatch gradients are not those of its objective."""

    def batch_gradient(self, v, indices):
        return tuple(3 * part for part in super().batch_gradient(v, indices))


def test_what_a_derived_class_says_is_not_passed_over():
    v, W0 = start(3, 5, 3, 2, seed=0)
    f = objective()
    halved = Halved(f._targets.numpy(), f.delta)
    for problem in (
        Problem(halved, LoRA(W0, 2)),
        Problem(f, Blind(W0, 2)),
        Scaled(f, LoRA(W0, 2)),
        Problem(f, Full(W0)),
    ):
        point = (
            v if len(problem.adapter.blocks) == 2 else (torch.zeros(3, 5, 3, dtype=torch.float64),)
        )
        batches = drawn(3, 3, 2, 11, seed=1)
        expected = walked(problem, point, batches, alpha=0.1)
        with torch.inference_mode():
            assert problem.descend(point, batches, [0.1] * 3) is None
            found = walked(problem, point, batches, alpha=0.1)
        torch.testing.assert_close(found.points, expected.points, rtol=1e-12, atol=1e-12)
    assert HEAVY_BALL.along_gradient(3, {"alpha": 0.2, "beta": 0.5}) is None


@pytest.mark.parametrize("sampling", ["with replacement", "without replacement"])
def test_a_run_by_loops_is_a_run_without_them(sampling, tmp_path, monkeypatch):
    table = theorem_table(run__steps=300, run__audits=20, run__sampling=sampling)
    fast = run_by_hand(table, tmp_path / "fast").evidence.record
    monkeypatch.setattr(pseudo_huber, "_compiled", lambda: None)
    slow = run_by_hand(table, tmp_path / "slow").evidence.record
    for name, values in slow.trace.items():
        # A path smoothness is a difference of losses over a small square, and its error says so.
        rtol = 1e-5 if name.startswith("path_smoothness") else 1e-9
        if name in {OFF_SLOPE, OFF_SAMPLES}:
            # Differences that rounding explains, less what it explains.
            assert not (values.values > 0).any()
            assert not (fast.trace[name].values > 0).any()
            continue
        np.testing.assert_allclose(
            fast.trace[name].values, values.values, rtol=rtol, atol=1e-12, err_msg=str(name)
        )
    assert fast.ball is not None
    assert slow.ball is not None
    assert fast.ball.outside == slow.ball.outside
    np.testing.assert_allclose(fast.ball.largest, slow.ball.largest, rtol=1e-12)
