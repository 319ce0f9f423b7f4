"""Whatever minibatches say that have not the gradient as their mean, no theorem about them is
supported or violated."""

import pytest
import torch

import boundcheck as bc
from boundcheck.errors import InputError
from boundcheck.experiment.audit import check_function
from boundcheck.functions.adapters import make_adapter
from boundcheck.functions.problem import Problem
from boundcheck.language.function import Constant, Function
from boundcheck.language.hypotheses import MOST_SAMPLES
from tests.experiment.small import refused
from tests.outside.my_objective import LogCosh

TABLE = {
    "claim": "meft.theorem2_any_step",
    "adapter": {"kind": "full"},
    "run": {"steps": 40, "step_size": 0.05, "batch": 4, "replicas": 8, "audits": 8, "zeta": 2.0},
}


def weighted(by):
    """The sum of the samples' gradients, of shape (R, m, ...), with weights of their indices, and
    of n."""
    return lambda G, indices, n: (G * by(indices, n)[..., None, None]).sum(1)


def place(indices):
    return torch.arange(indices.shape[1], dtype=torch.float64).expand(indices.shape)


# What minibatches make of the gradients of their samples, where they do not take the mean.
WRONG = {
    "divided by n": weighted(lambda i, n: torch.ones_like(i, dtype=torch.float64) / n),
    "summed": weighted(lambda i, n: torch.ones_like(i, dtype=torch.float64)),
    "without the last": weighted(lambda i, n: (place(i) < i.shape[1] - 1) / max(i.shape[1] - 1, 1)),
    "of other weights": weighted(lambda i, n: (1 + 0.1 * (i % 3)) / i.shape[1]),
    "of the batch's own weights": weighted(lambda i, n: (1.0 + i) / (1.0 + i).sum(1, keepdim=True)),
    "by their order": weighted(lambda i, n: 2 * (place(i) + 0.5) / i.shape[1] ** 2),
    "the first twice": weighted(lambda i, n: (1.0 + (place(i) == 0)) / (i.shape[1] + 1)),
    "coupled": lambda G, indices, n: G.mean(1) * (1 + G.var(1, unbiased=False)),
}


def mean(G, indices, n):
    return G.mean(1)


class Mixed(LogCosh):
    """Minibatches mix their samples' gradients in some way, from a distance of W to 0 on."""

    def __init__(self, mix, samples, beyond=0.0):
        super().__init__(samples=samples)
        self._mix = mix
        self._beyond = beyond

    def batch_gradient(self, W, indices):
        G = (W.unsqueeze(1) - self._targets[indices]).tanh()
        near = torch.linalg.matrix_norm(W) < self._beyond
        return G.mean(1).where(near[:, None, None], self._mix(G, indices, self.samples))


class Alone(Function):
    """The same, of nothing known but its values: as a network is."""

    def __init__(self, mix, samples):
        self.f = Mixed(mix, samples)
        self.name, self.units, self.samples, self.infimum = (
            "alone",
            "loss units",
            samples,
            self.f.infimum,
        )
        self.observables = {}
        self.constants = {"infimum": Constant(0.0, "certified", "it is nonnegative")}

    def initial(self, start, gain, random):
        return (torch.zeros((1, *self.f.shape), dtype=torch.float64),)

    def loss(self, v):
        return self.f.loss(v[0])

    def gradient(self, v):
        return (self.f.gradient(v[0]),)

    def batch_gradient(self, v, indices):
        return (self.f.batch_gradient(v[0], indices),)

    def sample_variance(self, v):
        G = self.f.sample_gradients(v[0])
        return (G - G.mean(1, keepdim=True)).square().sum((2, 3)).mean(1)

    def rounding(self, v, loss):
        return self.f.rounding(v[0], loss)

    def observe(self, v, v_next, law):
        return {}


def known(mix, samples):
    return Problem(
        Mixed(mix, samples), make_adapter("full", torch.zeros(3, 3).double(), None, 1.0, {})
    )


# Some samples and a batch that divides them, does not, is as many and more; and more samples than
# are looked at alone.
SIZES = [(6, 2), (6, 4), (6, 6), (6, 9), (7, 30), (MOST_SAMPLES + 4, 8), (MOST_SAMPLES + 1, 100)]
START = (0.1 * torch.ones(1, 3, 3, dtype=torch.float64),)


CASES = [
    (make, *sizes, wrong)
    for make in (known, Alone)
    for sizes in SIZES
    for wrong in WRONG
    # Of all samples that is the mean.
    if not (wrong == "divided by n" and make is Alone and sizes[0] == sizes[1])
]


@pytest.mark.parametrize("make, samples, batch, wrong", CASES)
def test_minibatches_of_another_mean_are_refused(make, samples, batch, wrong):
    check_function(make(mean, samples), START, batch)
    with pytest.raises(InputError, match=r"problem.batch_gradient"):
        check_function(make(WRONG[wrong], samples), START, batch)


@pytest.mark.parametrize("wrong", WRONG)
def test_a_run_of_them_says_nothing_of_its_theorem(wrong, tmp_path):
    error = refused(
        lambda: bc.measure(TABLE, tmp_path, problem=Mixed(WRONG[wrong], MOST_SAMPLES + 1))
    )
    assert error.field == "problem.batch_gradient"
    assert not list(tmp_path.iterdir())


def test_a_loss_of_a_file_that_couples_some_of_its_rows_says_nothing(tmp_path):
    def coupled(W, X, y):
        # Of one row and of all of them it is the mean.
        others = (len(X) - 1) * (12 - len(X)) / 100
        return (1 + others) * (X @ W.mT - y[:, None]).square().sum(1).mean()

    rows = "".join(f"{i},{i * i % 7},{i % 3}\n" for i in range(12))
    (tmp_path / "rows.csv").write_text(f"a,b,price\n{rows}")
    loss = bc.Loss.from_csv(coupled, tmp_path / "rows.csv", "price", shape=(1, 2))
    run = TABLE["run"] | {"step_size": 1e-3, "zeta": 1e3}
    error = refused(lambda: bc.measure(TABLE | {"run": run}, tmp_path / "runs", problem=loss))
    assert error.field == "problem.batch_gradient"


@pytest.mark.parametrize("sampling", ["with replacement", "without replacement"])
@pytest.mark.parametrize("samples", [16, MOST_SAMPLES + 4])
def test_what_begins_far_from_the_start_breaks_the_hypothesis(samples, sampling, tmp_path):
    run = TABLE["run"] | {"sampling": sampling, "step_size": 0.5, "replicas": 2}
    (result,) = bc.measure(
        TABLE | {"run": run}, tmp_path, problem=Mixed(WRONG["summed"], samples, beyond=0.2)
    )
    assert result.verdict == "hypothesis-failed"
    assert result.blame.kind == "hypothesis"
    assert result.blame.name == "meft.unbiased"
    (row,) = (each for each in result.audit if each.hypothesis == "meft.unbiased")
    assert row.observed - row.error > 0


def scaled(where, by):
    """The mean, and another multiple of it for some minibatches: none of those that go through all
    samples in turn."""
    return lambda G, i, n: (
        G.mean(1) * torch.where(where(i) & (i.shape[1] > 1), by, 1.0)[:, None, None]
    )


DRAWN = {
    "some sample twice": scaled(lambda i: (i.sort(1).values.diff(dim=1) == 0).any(1), -3),
    "one sample alone": scaled(lambda i: (i == i[:, :1]).all(1), 0),
    "not in order": scaled(lambda i: (i.diff(dim=1) < 0).any(1), 2),
    "as many replicas as a run has": scaled(lambda i: torch.full((len(i),), len(i) == 8), 4),
    "all replicas but the first": scaled(lambda i: torch.arange(len(i)) > 3, 4),
}


@pytest.mark.parametrize("drawn", DRAWN)
def test_minibatches_are_looked_at_as_a_run_draws_them(drawn, tmp_path):
    check_function(known(DRAWN[drawn], 12), START, 4)
    error = refused(lambda: bc.measure(TABLE, tmp_path, problem=Mixed(DRAWN[drawn], 12)))
    assert error.field == "problem.batch_gradient"


def test_what_begins_far_from_the_start_is_not_held(tmp_path):
    run = TABLE["run"] | {"step_size": 0.5}
    (result,) = bc.measure(
        TABLE | {"run": run}, tmp_path, problem=Mixed(DRAWN["not in order"], 12, beyond=0.2)
    )
    (row,) = (each for each in result.audit if each.hypothesis == "meft.unbiased")
    assert row.status == "assumed"
    assert result.verdict == "hypothesis-failed"
    assert result.blame.name == "minibatches"


def test_without_replacement_no_sample_comes_twice(tmp_path):
    table = TABLE | {"run": TABLE["run"] | {"sampling": "without replacement"}}
    (result,) = bc.measure(table, tmp_path, problem=Mixed(DRAWN["some sample twice"], 12))
    assert result.verdict != "violated"


class Quiet(LogCosh):
    """The samples' own gradients differ by a hundredth of what minibatches do."""

    def sample_gradients(self, W):
        found = super().sample_gradients(W)
        middle = found.mean(1, keepdim=True)
        return middle + 0.01 * (found - middle)


class QuietTogether(LogCosh):
    """The same, where all samples are looked at, and not some of them."""

    def survey(self, W, sides, among=None):
        found = super().survey(W, sides, among)
        return found if among is not None else found._replace(in_v=0.99 * found.in_v)


@pytest.mark.parametrize("samples", [6, MOST_SAMPLES + 1, 4 * MOST_SAMPLES])
@pytest.mark.parametrize("kind", [Quiet, QuietTogether])
def test_moments_of_samples_are_those_of_minibatches_of_one(kind, samples, tmp_path):
    bc.measure(TABLE, tmp_path / "true", problem=LogCosh(samples=samples))
    error = refused(lambda: bc.measure(TABLE, tmp_path / "false", problem=kind(samples=samples)))
    assert error.field == "problem.sample_variance"


@pytest.mark.parametrize("batch", [1, 3, 4, 16, 20])
def test_a_true_mean_is_held(batch, tmp_path):
    table = TABLE | {"run": TABLE["run"] | {"batch": batch}}
    (result,) = bc.measure(table, tmp_path, problem=LogCosh(samples=16))
    (row,) = (each for each in result.audit if each.hypothesis == "meft.unbiased")
    assert row.status == "held"
    assert row.observed == 0.0


def while_falling(W, f, right, by):
    """A gradient, and another multiple of it while the loss is in a band that v_1 and the last
    iterates are not in."""
    flat = torch.zeros_like(W)
    share = (f.loss(flat) - f.loss(W)) / f.loss(flat)
    return torch.where(((share > 0.01) & (share < 0.04))[:, None, None], by * right, right)


class Falling(LogCosh):
    """Minibatches are wrong in mid-run alone; of a run without them, the gradient is."""

    def __init__(self, by):
        super().__init__(samples=16)
        self._by = by

    def batch_gradient(self, W, indices):
        return while_falling(W, self, super().batch_gradient(W, indices), self._by)


class Misled(Falling):
    """The samples' gradients are as wrong, so that minibatches are still their mean."""

    def sample_gradients(self, W):
        found = super().sample_gradients(W)
        return while_falling(W, self, found.flatten(1, 2), self._by).view(found.shape)


class Downhill(LogCosh):
    """The gradient is wrong in mid-run alone."""

    def __init__(self, by):
        super().__init__(samples=16)
        self._by = by

    def gradient(self, W):
        return while_falling(W, self, super().gradient(W), self._by)


LONG = TABLE | {"run": TABLE["run"] | {"steps": 200, "step_size": 0.1, "audits": 40, "zeta": 1.2}}
DESCENT = {
    "claim": "abbaszadehpeivasti2022.best_step",
    "adapter": {"kind": "full"},
    "assume": {"Lhat": 8.0},
    "run": {"steps": 100, "audits": 100},
}


@pytest.mark.parametrize("by", [-0.2, 0.0, 0.9, 2.0])
@pytest.mark.parametrize("kind, blamed", [(Falling, "minibatches"), (Misled, "gradient")])
@pytest.mark.parametrize("sampling", ["with replacement", "without replacement"])
def test_what_is_wrong_in_mid_run_alone_breaks_a_hypothesis(by, kind, blamed, sampling, tmp_path):
    table = LONG | {"run": LONG["run"] | {"sampling": sampling}}
    (result,) = bc.measure(table, tmp_path, problem=kind(by))
    assert result.verdict == "hypothesis-failed"
    failed = {row.hypothesis for row in result.audit if row.status == "failed"}
    assert blamed in failed


@pytest.mark.parametrize("by", [0.0, 0.5, 0.9, 1.5])
def test_a_gradient_that_is_wrong_in_mid_run_alone_breaks_a_hypothesis(by, tmp_path):
    right, wrong = (bc.measure(DESCENT, tmp_path, problem=Downhill(each))[0] for each in (1.0, by))
    assert all(row.status == "held" for row in right.audit if row.hypothesis == "gradient")
    assert wrong.verdict == "hypothesis-failed"
    assert "gradient" in {row.hypothesis for row in wrong.audit if row.status == "failed"}


@pytest.mark.parametrize("claim", ["meft.theorem2_any_step"])
def test_a_verdict_names_the_minibatches_that_it_stands_on(claim, tmp_path):
    table = LONG | {
        "claim": claim,
        "run": LONG["run"] | {"steps": 2000, "step_size": 0.02, "replicas": 16},
    }
    (result,) = bc.measure(table, tmp_path, problem=LogCosh(samples=16))
    assert not result.verdict.is_decided or "minibatches of log-cosh" in result.verdict.given
    assert not {row.hypothesis for row in result.audit if row.status == "failed"}
