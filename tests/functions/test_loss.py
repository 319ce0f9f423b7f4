"""A plain PyTorch loss as an objective: what autograd gives is right, and what nothing vouches for
supports nothing."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from hypothesis import given as drawn
from hypothesis import strategies as st

import boundcheck as bc
from boundcheck.functions.loss import Loss
from boundcheck.functions.networks.corpora import Encoded
from boundcheck.functions.networks.gpt import Windows
from boundcheck.functions.objectives.linear import LeastSquares
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber
from boundcheck.system.fingerprint import content_of
from tests.experiment.small import refused
from tests.layers import full

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((12, 3))
Y = RANDOM.standard_normal((12, 2))
KNOWN = LeastSquares(X, Y)
W = torch.tensor(RANDOM.standard_normal((4, 2, 3)))
SHAPE = (2, 3)
DESCENT = {
    "claim": "nesterov2004.gradient_descent",
    "adapter": {"kind": "full"},
    "run": {"steps": 40, "audits": 40},
}


def each(V, x, y):
    return (x @ V.mT - y).square().sum(-1) / 2


def of_a_row(V, x, y):
    return ((x @ V.mT).squeeze(-1) - y).square() / 2


def mean(V, x, y):
    return each(V, x, y).mean()


def alone(V):
    return each(V, torch.tensor(X), torch.tensor(Y))


MADE = {"each": Loss(each, X, Y, shape=SHAPE), "mean": Loss(mean, X, Y, shape=SHAPE)}
MADE["alone"] = Loss.of_function(alone, SHAPE)
each_way = pytest.mark.parametrize("way", MADE)


@each_way
def test_it_is_what_is_worked_out_by_hand(way):
    found = MADE[way]
    indices = torch.tensor([[0, 3, 3], [1, 2, 5], [0, 0, 0], [11, 4, 7]])
    assert found.samples == 12
    for name in ("loss", "gradient", "sample_gradients"):
        torch.testing.assert_close(
            getattr(found, name)(W), getattr(KNOWN, name)(W), rtol=1e-12, atol=1e-12
        )
    torch.testing.assert_close(found.batch_gradient(W, indices), KNOWN.batch_gradient(W, indices))
    assert found.smoothness.kind == found.infimum.kind == "estimated"
    assert KNOWN.smoothness.value <= found.smoothness.value <= 1.2 * KNOWN.smoothness.value


# What takes a person's samples: as an array, or as a tensor, in any type.
TAKES = {
    "loss": lambda X, Y: Loss(each, X, Y, shape=SHAPE),
    "loss of X": lambda X, Y: Loss(lambda V, x: each(V, x, 0.0), X, shape=SHAPE),
    "loss of tensors": lambda X, Y: Loss(each, *map(torch.from_numpy, (X, Y)), shape=SHAPE),
    "least squares": LeastSquares,
    "pseudo-Huber": lambda X, Y: PseudoHuber(X[:, None], 1.0),
    "windows": lambda X, Y: Windows("windows", torch.from_numpy(X)),
    "encoded": lambda X, Y: Encoded(
        "", {"x": torch.from_numpy(X), "labels": torch.from_numpy(Y)}, "class"
    ),
}


@pytest.mark.parametrize("name", TAKES)
def test_what_is_made_of_samples_stays_when_they_are_changed(name):
    samples = X.copy(), Y.copy()
    found = TAKES[name](*samples)
    before = content_of(vars(found))
    for part in samples:
        part *= -1e6
    assert content_of(vars(found)) == before


@each_way
def test_rounding_errors_are_seen(way):
    found = MADE[way]
    loss = MADE[way].loss(W)
    in_loss, in_gradient = found.rounding(W, loss)
    off = torch.linalg.matrix_norm(found.gradient(W) - KNOWN.gradient(W))
    assert ((loss - KNOWN.loss(W)).abs() <= in_loss).all()
    assert (off <= in_gradient).all()
    assert (in_loss < 1e-10 * loss).all()
    # One that cancels is not believed.
    cancels = Loss(lambda V, x, y: each(V, x, y) + 1e14 - 1e14, X, Y, shape=SHAPE)
    loss = cancels.loss(W)
    assert ((loss - KNOWN.loss(W)).abs() <= cancels.rounding(W, loss)[0]).all()


CERTIFIED = {"smoothness": (KNOWN.smoothness.value, "an eigenvalue"), "infimum": (0.0, "squares")}


@pytest.mark.parametrize(
    "given, verdict",
    [
        ({}, "inconclusive"),
        ({"smoothness": KNOWN.smoothness.value, "infimum": 0.0}, "inconclusive"),
        ({"smoothness": CERTIFIED["smoothness"]}, "inconclusive"),
        ({"infimum": CERTIFIED["infimum"]}, "inconclusive"),
        # What nobody can read is no certificate.
        (CERTIFIED | {"smoothness": (KNOWN.smoothness.value, " ")}, "inconclusive"),
        (CERTIFIED, "supported"),
        # Certificates are believed; what a run shows against one is blamed on it.
        ({**CERTIFIED, "smoothness": (KNOWN.smoothness.value / 4, "wishful")}, "hypothesis-failed"),
        ({**CERTIFIED, "infimum": (1e3, "wishful")}, "refused"),
    ],
)
def test_only_what_has_certificates_is_supported(given, verdict, tmp_path):
    problem = Loss(each, X, Y, shape=SHAPE, **given)
    if verdict == "refused":
        refused(lambda: bc.measure(DESCENT, tmp_path, problem=problem))
        return
    (result,) = bc.measure(DESCENT, tmp_path, problem=problem)
    assert result.verdict.plain == verdict, result.reason
    assert result.verdict.is_decided <= bool(result.verdict.given)
    if verdict == "inconclusive":
        assert (
            result.constants["smoothness"].kind == "estimated"
            or result.constants["infimum"].kind == "estimated"
        )


@full
def test_a_false_claim_about_it_is_not_called_violated(tmp_path):
    table = DESCENT | {"assume": {"bound": "bound/10**9"}, "run": {"steps": 3, "audits": 3}}
    for given, verdict in (({}, "inconclusive"), (CERTIFIED, "violated")):
        (result,) = bc.measure(table, tmp_path, problem=Loss(each, X, Y, shape=SHAPE, **given))
        assert result.verdict.plain == verdict, result.reason
        assert len(result.verdict.given) == len(given)


@full
def test_a_function_of_w_is_measured(tmp_path):
    table = DESCENT | {"problem": {"d": 2, "k": 3}}
    (result,) = bc.measure(table, tmp_path, problem=alone)
    assert result.problem.name == "alone"
    assert result.verdict == "inconclusive"
    run = {"steps": 20, "audits": 8, "replicas": 8}
    stochastic = table | {"claim": "jiang2024.theorem2", "adapter": {"rank": 1}, "run": run}
    (lora,) = bc.measure(stochastic, tmp_path, problem=alone)
    assert not lora.verdict.is_supported


@full
def test_a_run_is_named_by_its_data(tmp_path):
    ids = set()
    for targets in (Y, Y, Y + 1e-12, X[:, :2]):
        (result,) = bc.measure(DESCENT, tmp_path, problem=Loss(each, X, targets, shape=SHAPE))
        ids.add(result.run_id)
    assert len(ids) == 3
    scale = 1.0

    def closed(V):
        return scale * alone(V)

    before = content_of(closed)
    assert content_of(closed) == before
    scale = 2.0
    assert content_of(closed) != before


@full
def test_the_rows_of_a_csv_file(tmp_path):
    data = tmp_path / "prices.csv"
    data.write_text(
        "rooms,size,price,town\n" + "".join(f"{a},{b},{a + 2 * b},x\n" for a, b in X[:, :2])
    )
    table = DESCENT | {"problem": {"kind": "tests.outside.my_loss:prices", "data": str(data)}}
    measure = partial(bc.measure, table, tmp_path, allow_code=[Path(__file__).parents[1]])
    error = refused(measure)
    assert error.field == "column"
    assert error.value == "town"
    data.write_text(data.read_text().replace(",town", "").replace(",x", ""))
    (first,) = measure()
    assert first.problem.name == "prices"
    assert first.problem.shape == (1, 2)
    assert first.verdict == "inconclusive"
    data.write_text(data.read_text() + "0.5,0.5,9.0\n")
    (other,) = measure()
    assert other.run_id != first.run_id
    assert refused(Loss.from_csv, each, data, "cost", shape=(1, 2)).field == "column"
    with pytest.raises(
        bc.InputError,
        match=rf"with W of shape \(1, 3\) and X of shape \({len(X) + 1}, 2\) and y of",
    ):
        Loss.from_csv(each, data, "price", shape=(1, 3))
    data.write_text("rooms,price\n1,2\n3,3\nmany,4\n")
    assert refused(Loss.from_csv, each, data, "price", shape=(1, 1)).field == "column"
    assert (
        refused(Loss.from_csv, each, tmp_path / "nothing.csv", "price", shape=(1, 2)).field
        == "path"
    )


@pytest.mark.parametrize(
    "text, field, said",
    [
        (
            "a,b,target\n1,2,3\n1,2,3,4\n",
            "path",
            "line 3 has 4 values, where the header has 3 columns",
        ),
        ('a,b,target\n"1",2,3\n"1\n2",2,3,4\n', "path", "line 4 has 4 values"),
        ("", "path", "it is empty"),
        ("a,b,target\n", "path", "no row is below the header"),
        ("a,a,target\n1,2,3\n", "path", "'a' twice"),
        ("a;b;target\n1;2;3\n", "column", "which has a;b;target"),
        ("a,b,target\n1,2,3\n1,nan,3\n", "column", "row 2 has nan"),
        ("a,b,target\n1,2,3\n1,,3\n", "column", "row 2 has nan"),
        ("a,b,target\n1,2,1e999\n", "column", "row 1 has "),
        (f"a,b,target\n1,2,3\n{'9' * 5000},2,3\n", "column", "row 2 has 99"),
        ("a,b,target\nTrue,2,3\nFalse,2,3\n", "column", "row 1 has True"),
        ("a,b,target\n1_000,2,3\n", "column", "row 1 has 1_000"),
        ("a,b,target\n1,2+3j,3\n", "column", "row 1 has 2+3j"),
        ('a,b,target\n"1,2,3\n', "path", "line 2 has 1 values"),
    ],
)
def test_a_csv_file_that_is_no_table_of_numbers_is_refused(text, field, said, tmp_path):
    (data := tmp_path / "data.csv").write_text(text)
    error = refused(lambda: Loss.from_csv(each, data, "target", shape=(1, 2)))
    assert error.field == field
    assert said in str(error)


@drawn(st.integers(1, 4), st.lists(st.integers(0, 6), min_size=1, max_size=5))
def test_a_csv_file_is_read_where_every_row_has_as_many_values_as_the_header(columns, rows):
    with TemporaryDirectory() as folder:
        data = Path(folder) / "data.csv"
        names = ["target", *(f"x{i}" for i in range(columns))]
        lines = [names, *([str(i + j) for j in range(count)] for i, count in enumerate(rows))]
        data.write_text("".join(",".join(line) + "\n" for line in lines))
        read = lambda: Loss.from_csv(of_a_row, data, "target", shape=(1, columns))  # noqa: E731
        # A line without values is no row.
        counts = {count for count in rows if count}
        if counts == {columns + 1}:
            assert read().samples == sum(count > 0 for count in rows)
        else:
            assert refused(read).field == "path"


@pytest.mark.parametrize("value", [2**63, 2**64, 10**23 - 1, -(10**30), 10**300])
def test_a_whole_number_of_a_csv_file_may_be_long(value, tmp_path):
    (data := tmp_path / "data.csv").write_text(f"x,target\n1,{value}\n1,0\n")
    options = {"shape": (1, 1), "smoothness": 1.0, "infimum": -1e301}
    made = Loss.from_csv(lambda W, x, y: y + 0 * (W @ x.mT).sum(0), data, "target", **options)
    assert made.loss(torch.ones(1, 1, 1, dtype=torch.float64)).item() == pytest.approx(value / 2)


@pytest.mark.parametrize(
    "loss, given, field",
    [
        (lambda V, x, y: each(V, x, y).sum(), {}, "loss"),
        (lambda V, x, y: each(V, x, y).float(), {}, "loss"),
        (lambda V, x, y: each(V, x, y) + float("nan"), {}, "loss"),
        (lambda V, x, y: each(V, x, y) * each(V, x, y).max().item(), {}, "loss"),
        (lambda V, x, y: (x @ V.mT).sum(-1).exp().neg(), {}, "infimum"),
        (lambda V, x, y: (x @ V.mT).sum(-1), {"infimum": -9.0}, "smoothness"),
        (each, {"smoothness": -1.0}, "smoothness"),
        (each, {"smoothness": True}, "smoothness"),
        (each, {"smoothness": (1.0, 2.0, 3.0)}, "smoothness"),
        (each, {"smoothness": (1.0, 2.0)}, "smoothness"),
        (each, {"shape": 3}, "shape"),
        (each, {"shape": (2, 0)}, "shape"),
        (each, {"infimum": (float("-inf"), "trivial")}, "infimum"),
        (each, {"shape": (3, 3)}, "loss"),
        (each, {"X": X[:5]}, "y"),
        (each, {"X": X * float("nan")}, "X"),
        (each, {"X": "text"}, "X"),
    ],
)
def test_what_is_no_loss_is_refused_in_one_line(loss, given, field):
    options = {"X": X, "y": Y, "shape": SHAPE} | given
    assert refused(lambda: Loss(loss, **options)).field == field


@pytest.mark.parametrize(
    "problem, table, field",
    [
        (3, {"d": 2, "k": 3}, "problem"),
        (lambda V, x: V, {"d": 2, "k": 3}, "problem"),
        (alone, {"d": 2}, "problem.k"),
        # A table beside an object.
        (MADE["each"], {"kind": "digits"}, "problem"),
    ],
)
def test_what_is_no_problem_is_refused(problem, table, field, tmp_path):
    assert (
        refused(lambda: bc.measure(DESCENT | {"problem": table}, tmp_path, problem=problem)).field
        == field
    )
