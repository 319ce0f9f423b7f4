"""Expected smoothness on a run: what C is held against is the mean over all minibatches, and a C too small is named."""

from itertools import product

import pytest
import torch

from boundcheck.errors import InputError
from boundcheck.experiment import measure
from boundcheck.experiment.spec import parse

from .small import changed, run_by_hand

A, B = 12.0, 0.5
TABLE = {
    "claim": "khaled2020.theorem2",
    "problem": {"kind": "least-squares", "d": 2, "k": 3, "samples": 4},
    "adapter": {"kind": "full"},
    "assume": {"abc_a": A, "abc_b": B, "abc_c": 1.0},
    "run": {"zeta": 9.0, "batch": 2, "replicas": 3, "steps": 1, "audits": 1},
}


def row(measured):
    (found,) = (each for each in measured.audits if each.hypothesis == "classic.abc")
    return found


def test_it_is_the_mean_over_all_minibatches(tmp_path):
    measured = run_by_hand(TABLE, tmp_path)
    function, v = measured.evidence.function, measured.evidence.start.v
    gradients = [function.batch_gradient(v, torch.tensor([pair]))[0] for pair in product(range(4), repeat=2)]
    moment = sum(x.square().sum().item() for x in gradients) / 16
    square = function.gradient(v)[0].square().sum().item()
    rest = moment - 2 * A * function.loss(v).item() - B * square
    assert row(measured).observed == pytest.approx(rest, rel=1e-9)
    assert row(measured).status == "held"
    assert row(measured).limit == 1.0


@pytest.mark.parametrize(("share", "status"), [(1 + 1e-9, "held"), (1 - 1e-9, "failed")])
def test_a_constant_that_is_too_small_is_named(share, status, tmp_path):
    """With a small A more is left, which C has to bound."""
    table = changed(TABLE, {"assume.abc_a": 0.125, "assume.abc_c": 1e3})
    needed = row(run_by_hand(table, tmp_path / "wide")).observed
    assert needed > 0
    (result,) = measure(changed(table, {"assume.abc_c": share * needed}), tmp_path)
    (found,) = (each for each in result.audit if each.hypothesis == "classic.abc")
    assert found.status == status
    assert (result.verdict == "hypothesis-failed") == (status == "failed")
    assert ("classic.abc" in result.reason) == (status == "failed")


def test_constants_that_nothing_is_known_of_are_asked_for(tmp_path):
    with pytest.raises(InputError, match=r"assume\.abc_c"):
        measure(changed(TABLE, {"assume.abc_c": None}), tmp_path)
    with pytest.raises(InputError, match=r"assume\.abc_a"):
        parse(changed(TABLE, {"claim": "khaled2020.bounded_variance"}))
