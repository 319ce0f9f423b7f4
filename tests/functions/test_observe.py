"""Every observable against a naive twin of one replica, and the rounding errors that both
smoothnesses admit to."""

import itertools

import mpmath
import numpy as np
import pytest
import torch
from mpmath import mp

from boundcheck.functions.adapters import LoRA
from boundcheck.functions.arithmetic import seeded, square_norm
from boundcheck.functions.objectives.linear import SoftmaxRegression
from boundcheck.functions.problem import Problem
from boundcheck.functions.sgd import Draw, sgd_step
from tests.experiment.small import each_kind, pseudo_huber, random_point, softmax, with_replacement
from tests.functions.twins import matrix, sample
from tests.test_twins import adapter_of, pseudo_huber_loss

mp.dps = 50

PROBLEMS = {"pseudo-Huber": pseudo_huber, "softmax": softmax}


Matrix = mpmath.matrix


def factors(v):
    """The floats of a single point, exactly."""
    A, B = (Matrix(part[0].tolist()) for part in v)
    return A, B


def loss_and_gradient(problem, v):
    """F(v) in 50 digits, and its gradient (s B^T M, s M A^T), with M the gradient of f in W."""
    A, B = v
    s = mp.mpf(problem.adapter.scale)
    n = problem.objective.samples
    W = Matrix(problem.adapter.W0.tolist()) + s * B * A
    each = [sample(problem.objective, i, W.tolist()) for i in range(n)]
    M = sum((Matrix(G) for _, G in each), mpmath.zeros(*problem.objective.shape)) / n
    return mp.fsum(loss for loss, _ in each) / n, (s * B.T * M, s * M * A.T)


def dot(u, v):
    """The Euclidean inner product of two points."""
    return mp.fsum(x * y for p, q in zip(u, v, strict=True) for x, y in zip(p, q, strict=True))


def in_50_digits(problem, v, v_next):
    """What is observed of single points, with its rounding error; see `Problem.observe`."""
    here = factors(v)
    there = factors(v_next)
    (loss, gradient), (loss_next, turned) = (
        loss_and_gradient(problem, point) for point in (here, there)
    )
    step, turn = (
        tuple(y - x for x, y in zip(*pair, strict=True))
        for pair in ((here, there), (gradient, turned))
    )
    return {
        "path_smoothness": float(2 * (loss_next - loss - dot(gradient, step)) / dot(step, step)),
        "gradient_ratio": float(mp.sqrt(dot(turn, turn) / dot(step, step))),
        "gradient_square_norm": float(dot(gradient, gradient)),
    }


def assert_error_is_covered(problem, v, v_next):
    seen = problem.observe(v, v_next, None)
    for name, true in in_50_digits(problem, v, v_next).items():
        assert abs(seen[name].item() - true) <= seen[f"{name}_error"].item(), name


def naive_observables(problem, v, v_next, batch):
    """The definitions of the observables, one sample at a time."""
    s = problem.adapter.scale
    n = problem.objective.samples
    (A, B), (A_next, B_next) = ([part.numpy() for part in point] for point in (v, v_next))
    at, at_next = (
        [
            (float(loss), np.array(G, float))
            for loss, G in (sample(problem.objective, i, matrix(W)) for i in range(n))
        ]
        for W in (s * B @ A, s * B_next @ A_next)
    )
    loss, loss_next = (sum(loss for loss, _ in each) / n for each in (at, at_next))
    M, M_next = (sum(gradient for _, gradient in each) / n for each in (at, at_next))

    def pulled_back(X, A=A, B=B):
        return np.concatenate([(s * B.T @ X).ravel(), (s * X @ A.T).ravel()])

    gradient = pulled_back(M)
    turn = pulled_back(M_next, A_next, B_next) - gradient
    step = np.concatenate([(A_next - A).ravel(), (B_next - B).ravel()])
    return {
        "loss": loss,
        "gradient_square_norm": gradient @ gradient,
        "weight_gradient_frobenius": np.linalg.norm(M, "fro"),
        "weight_gradient_spectral": np.linalg.norm(M, 2),
        "noise_variance": sum(np.sum((pulled_back(X) - gradient) ** 2) for _, X in at) / n / batch,
        "norm_A": max(np.linalg.norm(A, 2), np.linalg.norm(A_next, 2)),
        "norm_B": max(np.linalg.norm(B, 2), np.linalg.norm(B_next, 2)),
        "step_length": np.linalg.norm(step),
        "slope": gradient @ step,
        "path_smoothness": 2 * (loss_next - loss - gradient @ step) / (step @ step),
        "gradient_ratio": np.linalg.norm(turn) / np.linalg.norm(step),
    }


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("rank", [1, 3])
@pytest.mark.parametrize("scale", [1.0, 0.3, 5.0])
def test_every_observable_is_that_of_the_naive_twin(name, rank, scale):
    problem = PROBLEMS[name](rank=rank, d=3, k=5, scale=scale)
    v = random_point(problem, replicas=4)
    v_next = random_point(problem, replicas=4, seed=1)
    seen = problem.observe(v, v_next, with_replacement(problem, 3, replicas=4))
    assert set(seen) == set(problem.observables)
    # The mean over all that may be drawn is the gradient, whatever rounding does.
    assert not (seen["conditional_bias"] + seen["conditional_bias_error"]).any()
    for i in range(4):
        expected = naive_observables(problem, [x[i] for x in v], [x[i] for x in v_next], batch=3)
        for observable, value in expected.items():
            assert seen[observable][i].item() == pytest.approx(value, rel=1e-9), observable


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("left, batch", [(6, 6), (5, 2), (3, 1), (2, 2), (4, 3)])
def test_without_replacement_every_minibatch_that_may_come_is_enumerated(name, left, batch):
    problem = PROBLEMS[name]()
    v = random_point(problem, replicas=2)
    order = torch.tensor(
        np.stack(
            [np.random.default_rng(i).permutation(problem.objective.samples) for i in range(2)]
        )
    )
    law = Draw(batch, order[:, :left], replaced=False)
    seen = problem.observe(v, v, law)
    gradient = problem.gradient(v)
    draws = [
        problem.batch_gradient(v, order[:, list(each)])
        for each in itertools.combinations(range(left), batch)
    ]
    mean = [sum(parts) / len(draws) for parts in zip(*draws, strict=True)]
    bias = sum((x - y).square().sum((1, 2)) for x, y in zip(mean, gradient, strict=True)).sqrt()
    noise = sum(
        sum((x - y).square().sum((1, 2)) for x, y in zip(g, gradient, strict=True)) for g in draws
    ) / len(draws)
    assert seen["conditional_bias"].tolist() == pytest.approx(bias.tolist(), rel=1e-9, abs=1e-13)
    assert seen["noise_variance"].tolist() == pytest.approx(noise.tolist(), rel=1e-9, abs=1e-13)
    # A whole epoch is the sample itself; less of it is biased.
    whole = left == problem.objective.samples
    assert (seen["conditional_bias"] <= seen["conditional_bias_error"]).all() == whole


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("size", [1e-3, 0.1, 1.0, 10.0, 1e3])
@pytest.mark.parametrize("step", [1.0, 1e-2, 1e-5, 1e-8])
def test_rounding_error_is_covered_at_random_points(name, size, step):
    problem = PROBLEMS[name](samples=5)
    v = random_point(problem, size=size)
    away = random_point(problem, size=size * step, seed=2)
    assert_error_is_covered(problem, v, tuple(x + y for x, y in zip(v, away, strict=True)))
    still = problem.observe(v, v, None)
    assert still["gradient_square_norm_error"].item() < 1e-6 * max(
        still["gradient_square_norm"].item(), 1e-3
    )
    for kind in ("path_smoothness", "gradient_ratio"):
        assert still[kind] == 0
        assert still[f"{kind}_error"] == 0


def descended(problem, v, steps, step_size):
    """The last two iterates of gradient descent."""
    everything = torch.arange(problem.objective.samples)[None]
    for _ in range(steps):
        before = v
        v, _ = sgd_step(problem, v, step_size, everything)
    return before, v


@pytest.mark.parametrize("steps", [10, 100, 300, 600, 1000])
def test_rounding_error_is_covered_as_a_noiseless_run_converges(steps):
    """One sample, full rank: the loss goes to 0, while W keeps rounding errors that do not."""
    problem = pseudo_huber(rank=4, samples=1)
    assert_error_is_covered(
        problem, *descended(problem, random_point(problem, size=0.5), steps, 0.1)
    )


@pytest.mark.parametrize("size", [1.0, 3.0, 4.0, 6.0])
def test_rounding_error_is_covered_where_softmax_fits_its_data(size):
    """Logits of 36 that cancel into a loss of 1e-15: its error is relative to the logits."""
    X = np.eye(4)
    problem = Problem(
        SoftmaxRegression("fit", X, np.arange(4)), LoRA(torch.zeros(4, 4, dtype=torch.float64), 4)
    )
    v = tuple(
        size * torch.eye(4, dtype=torch.float64)[None] + 1e-3 * x for x in random_point(problem)
    )
    everything = torch.arange(4)[None]
    v_next, _ = sgd_step(problem, v, 0.1, everything)
    assert_error_is_covered(problem, v, v_next)


def test_an_error_of_the_gradient_is_one_of_both_smoothnesses(monkeypatch):
    """An error e of each gradient moves both by 2 e over the length of the step."""
    problem = pseudo_huber()
    v = random_point(problem, replicas=3)
    v_next, _ = sgd_step(problem, v, 0.1, torch.arange(problem.objective.samples).expand(3, -1))
    monkeypatch.setattr(Problem, "rounding", lambda self, v, loss: (torch.zeros(3), torch.ones(3)))
    length = square_norm(tuple(y - x for x, y in zip(v, v_next, strict=True))).sqrt()
    seen = problem.observe(v, v_next, None)
    for kind in ("path_smoothness", "gradient_ratio"):
        assert (seen[f"{kind}_error"] >= 2 / length).all()


@each_kind
def test_the_gradient_ratio_is_at_most_the_sharpest_constant(kind):
    """At pairs of the ball, of every adapter; on a curved domain there is none."""
    random = np.random.default_rng(0)
    problem = Problem(pseudo_huber_loss(random), adapter_of(kind, random))
    radii = dict.fromkeys(problem.adapter.radius_names, 0.25)
    drawn = seeded(1)
    v, w = (problem.adapter.draw(radii, 16, drawn) for _ in range(2))
    seen = problem.observe(v, w, None)
    if problem.adapter.is_curved:
        assert torch.isnan(seen["gradient_ratio"]).all()
        assert torch.isnan(seen["gradient_ratio_error"]).all()
        return
    assert (seen["gradient_ratio"] > 100 * seen["gradient_ratio_error"]).all()
    assert (seen["gradient_ratio"] - seen["gradient_ratio_error"]).max() <= problem.sharpest(radii)
