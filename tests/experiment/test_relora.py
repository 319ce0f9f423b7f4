"""Runs of ReLoRA: by hand, against LoRA where nothing is restarted, and what is held against the theorem."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from boundcheck.experiment import measure
from boundcheck.experiment.plan import build, generator
from boundcheck.experiment.spec import parse
from boundcheck.functions.adapters import Rebased
from boundcheck.functions.draws import WithReplacement

from .small import refused, run_by_hand, theorem_table

PERIOD, STEPS = 9, 60
RADII = {"a": 4.0, "b": 2.0, "z": 8.0}


def table(**changes: Any) -> dict[str, Any]:
    ours = {"claim": "meft.relora", "domain": RADII, "run__given": {"period": PERIOD}, "run__steps": STEPS}
    return theorem_table(**ours | {"run__audits": STEPS, "run__zeta": 3.0} | changes)


def run(spec_table: dict[str, Any], tmp_path: Any) -> Any:
    e = run_by_hand(spec_table, tmp_path).evidence
    return e.spec, e.function, e.start, e.plan, e.record


def test_a_run_is_what_a_person_would_write(tmp_path: Any) -> None:
    """A twin in full matrices: W itself, factors, and a merge after every ninth step but the last."""
    spec, function, start, plan, record = run(table(run__steps=63, run__audits=63), tmp_path)
    f, s = function.objective, function.adapter.inner.scale
    replicas, samples = spec.run.replicas, f.samples
    draws = WithReplacement(replicas, spec.run.batch, samples, generator(spec, "sampling", "cpu"))
    (A, B), base = (part.repeat(replicas, 1, 1) for part in start.v[:2]), torch.zeros(replicas, *f.shape).double()
    losses, squares, after_merges = [], [], []
    for t in range(1, 64):
        W = function.adapter.W0 + base + s * B @ A
        M = f.gradient(W)
        losses.append(f.loss(W))
        squares.append(s**2 * ((B.mT @ M).square().sum((1, 2)) + (M @ A.mT).square().sum((1, 2))))
        noisy = f.batch_gradient(W, draws.draw())
        A, B = A - plan.step_size * s * B.mT @ noisy, B - plan.step_size * s * noisy @ A.mT
        if t % PERIOD == 0 and t < 63:
            base = base + s * B @ A
            random = generator(spec, "restarts", "cpu", t)
            A = torch.cat([spec_start(function, spec, random) for _ in range(replicas)])
            B = torch.zeros_like(B)
            after_merges.append(torch.linalg.matrix_norm(base, 2).max().item())
    for name, values in (("loss", losses), ("gradient_square_norm", squares)):
        seen, expected = record.trace[name].values, torch.stack(values, 1).numpy()
        np.testing.assert_allclose(seen, expected, rtol=1e-9)
    assert record.ball.largest[2] == pytest.approx(max(after_merges), rel=1e-9)
    assert max(after_merges) > 0.01


def spec_start(function: Any, spec: Any, random: torch.Generator) -> torch.Tensor:
    A, _ = function.adapter.inner.initial(spec.adapter.gain, random)
    return A


@pytest.mark.full
def test_without_a_restart_it_is_lora(tmp_path: Any) -> None:
    """A period longer than the run: the iterates, the constants and the bound are those of SGD on LoRA."""
    *_, plan, record = run(table(run__given={"period": STEPS}), tmp_path / "relora")
    lora = theorem_table(claim="meft.theorem2_best_step", domain={"a": 4.0, "b": 2.0})
    lora["run"] |= {"steps": STEPS, "audits": STEPS, "zeta": 3.0}
    *_, known, other = run(lora, tmp_path / "lora")
    assert plan.values == known.values
    for name in ("loss", "gradient_square_norm", "noise_variance", "path_smoothness", "norm_A", "norm_B"):
        np.testing.assert_allclose(record.trace[name], other.trace[name], rtol=1e-7, atol=1e-9)
    assert not record.trace["norm_Z"].values.any()
    assert record.ball.outside is None


@pytest.mark.full
def test_the_gap_is_counted_once_and_the_verdict_is_that_of_one_run(tmp_path: Any) -> None:
    sizes = {"run__steps": 400, "run__audits": 100, "run__replicas": 8}
    (result,) = measure(table(**sizes), tmp_path)
    (other,) = measure(table(**sizes, run__given={"period": 200}), tmp_path)
    assert result.bound == other.bound
    assert result.verdict.startswith("supported"), result.reason
    held = {row.hypothesis: row.status for row in result.audit}
    assert held["meft.each_step_in_ball"] == held["meft.gradient_bound_at_iterates"] == "held"
    rows = [row for row in result.audit if row.hypothesis == "meft.each_step_in_ball"]
    assert [row.symbol for row in rows] == ["a", "b", "z"]


@pytest.mark.parametrize("radius", RADII)
def test_a_ball_that_a_restart_leaves_is_left(radius: str, tmp_path: Any) -> None:
    """Of A by the factors that are drawn anew, of B before they are merged, of Z after it."""
    small = {"a": 1.2, "b": 1e-3, "z": 1e-3}[radius]
    *_, record = run(table(domain=RADII | {radius: small}), tmp_path)
    assert record.ball.outside is not None
    # Nothing is merged before the first restart.
    assert (record.ball.outside > PERIOD) == (radius == "z")


def test_a_restart_that_does_not_keep_w_is_refused_before_anything_is_run(monkeypatch, tmp_path: Any) -> None:
    def forgetful(self: Rebased, v: Any, gain: float, random: torch.Generator) -> Any:
        return tuple(part.expand(len(v[0]), -1, -1) for part in self.initial(gain, random))

    monkeypatch.setattr(Rebased, "restart", forgetful)
    error = refused(measure, table(), tmp_path)
    assert error.field == "problem.restart"
    assert "a restart keeps W" in error.expected
    assert not list(tmp_path.glob("*/result.json"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"run__given": {}}, "run.given.period"),
        ({"run__given": {"period": 2.5}}, "run.given.period"),
        ({"adapter__kind": "frozen-a"}, "adapter.kind"),
        ({"domain": {"nu": 1.0}}, "domain.nu"),
        ({"claim": "meft.theorem2_best_step", "run__given": None}, "domain.z"),
    ],
)
def test_what_a_run_of_relora_lacks_is_said(changes: dict[str, Any], field: str) -> None:
    assert refused(parse, table(**changes)).field == field


def test_a_spec_of_before_there_was_the_radius_is_the_same_experiment() -> None:
    assert "z" not in parse(theorem_table()).as_json()["domain"]
    spec = parse(table())
    assert parse(spec.as_json()) == spec
    assert spec.as_json()["domain"]["z"] == RADII["z"]


def test_pilots_and_runs_draw_other_factors_each_time_and_each_replica() -> None:
    spec = parse(table())
    function = build(spec, "cpu")
    v = tuple(part.expand(3, -1, -1) for part in function.initial("lora", 1.0, generator(spec, "initial", "cpu")))
    drawn = [
        function.restart(v, 1.0, generator(spec, purpose, "cpu", t))[0]
        for purpose in ("restarts", "pilot restarts")
        for t in (1, 2)
    ]
    different = torch.cat(drawn)
    assert len({tuple(part.flatten().tolist()) for part in different}) == len(different) == 12
