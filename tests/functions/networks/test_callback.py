"""The callback for a stock Trainer: it disturbs nothing, records what the run was, and says what it
refuses."""

import json
import sys
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import IterableDataset

import boundcheck as bc
from boundcheck.errors import InputError
from boundcheck.experiment.store import RunFolder
from boundcheck.experiment.training import audit_sample, check_whole, shape_of
from boundcheck.functions.networks.adapt import sites_of
from boundcheck.functions.networks.corpora import Encoded
from boundcheck.functions.networks.function import NetworkFunction
from boundcheck.functions.networks.network import Network
from tests.experiment.small import refused

from .small import equal, flat, network_of, of_peft, on_cuda, tokenizer, transformer
from .trained import (
    SGD,
    audit_named,
    begun,
    data_of,
    lora,
    recorded,
    recording,
    replaced,
    stock,
    train,
)

pytestmark = [of_peft, pytest.mark.full]


@pytest.mark.parametrize(
    "options", [{}, {"gradient_accumulation_steps": 2, "per_device_train_batch_size": 2}], ids=str
)
def test_the_same_parameters_come_out_to_the_last_bit(options, tmp_path):
    """With dropout on, and AdamW as it is by default."""
    data = data_of()
    alone = train(tmp_path, None, stock(), data, **options)
    callback = recording(tmp_path)
    watched = train(tmp_path, callback, stock(), data, **options)
    one, other = (each.model.state_dict() for each in (alone, watched))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert alone.state.global_step == watched.state.global_step == 6
    # There was something to disturb.
    start = stock().state_dict()
    assert any(not torch.equal(start[name], one[name]) for name in one)
    assert any(
        isinstance(module, nn.Dropout) and module.p > 0 for module in watched.model.modules()
    )
    assert callback.result is not None
    assert callback.result.plan.batch == (4 if options else 3)


def test_a_stock_run_broke_the_rules_of_algorithm_1(tmp_path, capsys):
    callback = recording(tmp_path)
    trainer = train(tmp_path, callback, stock(), data_of())
    result, trace = recorded(callback)
    assert result.verdict == "hypothesis-failed"
    assert result.blame.name == "Algorithm 1"
    rules = audit_named(result, "Algorithm 1")
    assert rules.status == "failed"
    assert "step 1 of " in rules.how
    sampling = audit_named(result, "meft.unbiased")
    assert sampling.status == "failed"
    assert all(words in sampling.how for words in ("without replacement", "dropout"))
    assert "tokens" not in sampling.how
    assert trace["time"].values.tolist() == [[1, 3, 5]]
    for name in trace.data_vars:
        if name not in {"conditional_bias", "curvature", "weight_curvature"}:
            assert np.isfinite(trace[name].values).all(), name
    assert result.problem.sample == "8 of 10 samples"
    assert result.problem.sites == 5
    assert result.plan.steps == 6
    assert result.spec["model"]["kind"] == "trainer"
    assert "adamw" in result.spec["run"]["optim"]
    printed = capsys.readouterr().err
    assert "not those of SGD at a constant step, but AdamW's" in " ".join(printed.split())
    assert "8 of 10 samples" in printed
    # The last look is at where training ended.
    network = Network(trainer.model, sites_of(trainer.model), callback_task(trainer, 8))
    assert result.ends.loss[0][1] == pytest.approx(network.losses().mean().item(), rel=1e-6)


@pytest.mark.covering
@pytest.mark.parametrize(
    "error", [InputError("RUN", "runs", "a folder that can be written"), RuntimeError("a\nb")]
)
@pytest.mark.parametrize(
    "at", ["RunFolder.extend_trace", "RunFolder.finish", "NetworkFunction.observe"]
)
def test_what_goes_wrong_costs_the_record_and_not_the_training(
    error, at, tmp_path, monkeypatch, capsys
):
    """A full disk, or anything else; also where a look has moved the network."""

    def broken(self, *arguments):
        if isinstance(self, NetworkFunction):
            self.network.write(tuple(0 * part for part in self.network.point()))
        raise error

    kind, name = at.split(".")
    monkeypatch.setattr(
        {"RunFolder": RunFolder, "NetworkFunction": NetworkFunction}[kind], name, broken
    )
    callback = recording(tmp_path, every=1)
    trained = train(tmp_path, callback, stock(), data_of(), max_steps=3).model
    monkeypatch.undo()
    assert callback.result is None
    said = [
        line
        for line in capsys.readouterr().err.splitlines()
        if "training goes on without its record" in line
    ]
    assert len(said) == 1
    assert ("report this line" in said[0]) is not isinstance(error, InputError)
    bare = train(tmp_path, None, stock(), data_of(), max_steps=3).model
    assert equal(trained.parameters(), bare.parameters())


def callback_task(trainer, count):
    loader = trainer.get_train_dataloader()
    return audit_sample(loader, count, 0, "class", torch.device("cpu"))[0]


def test_sgd_at_a_constant_step_with_replacement_is_algorithm_1(tmp_path):
    data = data_of()
    model = lora()
    everything = Encoded(
        "all", {name: torch.tensor([row[name] for row in data]) for name in data[0]}, "class"
    )
    loss = everything.losses(model, torch.arange(10)).mean()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    square = flat(torch.autograd.grad(loss, trained)).double().square().sum().item()
    alone = [
        flat(
            torch.autograd.grad(everything.losses(model, torch.tensor([i])).sum(), trained)
        ).double()
        for i in range(10)
    ]
    variance = (torch.stack(alone) - torch.stack(alone).mean(0)).square().sum(1).mean().item()
    callback = recording(tmp_path, every=1, samples=100)
    train(tmp_path, callback, model, data, replaced(data), **SGD)
    result, trace = recorded(callback)
    assert audit_named(result, "Algorithm 1").status == "held"
    assert audit_named(result, "meft.unbiased").status == "held"
    assert result.verdict in {"uninformative", "inconclusive"}
    assert result.problem.sample == "10 of 10 samples"
    assert trace["time"].values.tolist() == [[1, 2, 3, 4, 5, 6]]
    assert trace["loss"].values[0, 0] == pytest.approx(loss.item(), rel=1e-5)
    assert trace["gradient_square_norm"].values[0, 0] == pytest.approx(square, rel=1e-4)
    assert result.first == trace["gradient_square_norm"].values[0, 0]
    assert trace["noise_variance"].values[0, 0] == pytest.approx(variance / 3, rel=1e-4)
    assert result.first_variance == pytest.approx(variance, rel=1e-4)
    assert result.measured == pytest.approx(trace["gradient_square_norm"].values.mean(), rel=1e-12)
    assert result.plan.values["alpha"] == 0.05
    assert result.gap == pytest.approx(loss.item(), rel=1e-4)
    # Every iterate is seen on all samples: what the theorem says of this run follows from the trace
    # alone.
    ell = result.estimates.path
    zeta_square = trace["noise_variance"].values.max()
    bound = (result.gap / (0.05 * 6) + ell * 0.05 * zeta_square / 2) / (1 - ell * 0.05 / 2)
    assert result.bound == pytest.approx(bound, rel=1e-9)


def test_each_step_is_seen_from_its_own_two_ends(tmp_path):
    """The steps of SGD are as long as the learning rate times gradients, and add up."""
    points = []

    def keep(model):
        points.append(flat(p for p in model.parameters() if p.requires_grad).double())

    class Keeping(bc.BoundcheckCallback):
        def on_step_begin(self, *args, **given):
            super().on_step_begin(*args, **given)
            keep(given["model"])

        def on_step_end(self, *args, **given):
            keep(given["model"])
            super().on_step_end(*args, **given)

    callback = Keeping(every=2, samples=8, runs=tmp_path / "runs", report=False)
    train(tmp_path, callback, stock(), data_of(), max_steps=5)
    _, trace = recorded(callback)
    assert trace["time"].values.tolist() == [[1, 3, 5]]
    lengths = [
        (after - before).norm().item()
        for before, after in zip(points[::2], points[1::2], strict=True)
    ]
    assert trace["step_length"].values[0] == pytest.approx(lengths[::2], rel=1e-6)


def test_the_correction_for_a_part_of_the_samples_is_unbiased():
    from boundcheck.callback import _Recorder

    network = network_of("lora", samples=5)
    whole = network.look()
    for count in (2, 3, 5):
        found = []
        for chosen in combinations(range(5), count):
            look = network.look(torch.tensor(chosen))
            part = SimpleNamespace(_function=SimpleNamespace(samples=count), _total=5)
            found.append(_Recorder._corrected(part, look.square_norm, look.variance))
        squares, variances = np.array(found).T
        assert squares.mean() == pytest.approx(whole.square_norm, rel=1e-9)
        assert variances.mean() == pytest.approx(whole.variance, rel=1e-9)


def test_training_that_stops_early_and_goes_on_is_recorded(tmp_path):
    class Stopping(bc.BoundcheckCallback):
        def on_step_end(self, args, state, control, **given):
            super().on_step_end(args, state, control, **given)
            control.should_training_stop = state.global_step == 3

    options = {"save_strategy": "steps", "save_steps": 3, "max_steps": 8}
    first = Stopping(every=2, samples=8, runs=tmp_path / "runs", report=False)
    train(tmp_path, first, stock(), data_of(), **options)
    result, trace = recorded(first)
    assert result.plan.steps == 3
    times = trace["time"].values[0]
    assert times[:2].tolist() == [1, 3]
    assert np.isfinite(trace["loss"].values[0, :2]).all()
    assert np.isnan(trace["loss"].values[0, 2:]).all()
    assert result.measured == pytest.approx(
        trace["gradient_square_norm"].values[0, :2].mean(), rel=1e-12
    )
    second = recording(tmp_path)
    train(tmp_path, second, stock(), data_of(), resume=True, **options)
    again, later = recorded(second)
    assert again.run_id != result.run_id
    seen = np.isfinite(later["loss"].values[0])
    assert later["time"].values[0][seen].tolist() == [5, 7]


def test_a_training_without_a_record_is_not_lost(tmp_path):
    """Such as one that goes on from a checkpoint and ends before the next record is due."""
    callback = begun(tmp_path, stock())
    state = SimpleNamespace(global_step=1, max_steps=4)
    callback.on_step_begin(None, state, None)
    callback.on_step_end(None, state, None)
    callback.on_train_end(None, state, None)
    assert callback.result is None


def test_what_is_recorded_is_plain_data(tmp_path):
    callback = recording(tmp_path, every=5)
    train(tmp_path, callback, stock(), data_of(), max_steps=3)
    result, trace = recorded(callback)
    assert json.loads(json.dumps(result.as_json())) == result.as_json()
    assert trace.sizes["stratum"] == 1
    stored = json.loads((callback.runs / result.run_id / "spec.json").read_text(encoding="utf-8"))
    assert stored == result.spec
    assert stored["adapter"]["targets"] == "query, value, default"
    # The same training has the same folder.
    again = recording(tmp_path, every=5)
    train(tmp_path, again, stock(), data_of(), max_steps=3)
    assert again.result == result


def test_a_tokenizer_and_its_collator_work_with_it(tmp_path):
    """Texts of several lengths, padded a batch at a time."""
    from transformers import DataCollatorWithPadding

    made = tokenizer(pad_token="<pad>")
    texts = [" ".join(f"w{(i * j) % 27}" for j in range(2 + i % 4)) for i in range(10)]
    data = [{**made(text), "labels": i % 2} for i, text in enumerate(texts)]
    callback = recording(tmp_path)
    train(
        tmp_path, callback, stock(), data, data_collator=DataCollatorWithPadding(made), max_steps=2
    )
    result, _ = recorded(callback)
    assert result.ends.loss[0][0] > 0.1


@on_cuda
def test_training_on_a_card_is_recorded_and_comes_out_as_without_a_record(tmp_path):
    data = data_of()
    callback = recording(tmp_path, every=1)
    models = [
        train(tmp_path, each, lora(), data, replaced(data), **SGD).model
        for each in (callback, None)
    ]
    one, other = (model.state_dict() for model in models)
    assert all(x.is_cuda and torch.equal(x, other[name]) for name, x in one.items())
    result, _ = recorded(callback)
    assert result.environment["device"] == torch.cuda.get_device_name()


@pytest.mark.parametrize(
    "field, value",
    # The variance of one sample is none.
    [*(("every", x) for x in (0, True, 1.5)), *(("samples", x) for x in (0, "8", -3, 1))],
)
def test_wrong_arguments_are_named(field, value):
    assert refused(lambda: bc.BoundcheckCallback(**{field: value})).field == field


@pytest.mark.parametrize("name", ["deepspeed", "fsdp"])
def test_a_model_that_is_spread_over_processes_is_refused(name, tmp_path):
    error = refused(lambda: begun(tmp_path, stock(), **{name: "config.json"}))
    assert error.field == "training"
    assert name == str(error.value).lower()
    check_whole(SimpleNamespace(fsdp=[], deepspeed=None))


class Regression(nn.Module):
    """A model of a class that says nothing of its loss."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 1)


def test_a_model_whose_loss_is_not_known_is_refused(tmp_path):
    error = refused(lambda: begun(tmp_path, Regression()))
    assert error.field == "model"
    assert error.value == "Regression"
    names = {
        "BertForSequenceClassification": "class",
        "BertForMaskedLM": "token",
        "BertForTokenClassification": "token",
        "GPT2LMHeadModel": "next token",
        "LlamaForCausalLM": "next token",
    }
    for name, shape in names.items():
        assert shape_of(transformer(name)) == shape
    assert shape_of(stock()) == "class"


@pytest.mark.parametrize(
    "options", [{"num_labels": 1}, {"problem_type": "multi_label_classification"}], ids=str
)
def test_a_classifier_whose_loss_is_no_cross_entropy_is_refused(options):
    assert refused(shape_of, stock(**options)).field == "model"


class Stream(IterableDataset[Any]):
    """Data without a length."""

    def __iter__(self):
        while True:
            yield from data_of()


class Sized(Stream):
    """A stream that knows its length, as one that accelerate splits among processes does."""

    def __len__(self):
        return 8


def with_norm():
    """A model of which something else is trained too."""
    model = stock()
    model.base_model.model.bert.embeddings.LayerNorm.weight.requires_grad_()
    return model


UNLABELLED = [{name: row[name] for name in ("input_ids", "attention_mask")} for row in data_of()]
REFUSED = {
    "something else that is trained": (with_norm, data_of, "model", "LayerNorm.weight"),
    "data without a length": (stock, Stream, "train_dataset", ""),
    "a stream that knows its length": (stock, Sized, "train_dataset", ""),
    "data without labels": (stock, lambda: UNLABELLED, "labels", ""),
}


@pytest.mark.parametrize("model, data, field, value", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_recorded_is_refused_when_training_begins(
    model, data, field, value, tmp_path
):
    error = refused(lambda: train(tmp_path, recording(tmp_path), model(), data()))
    assert error.field == field
    assert value in str(error.value)
    assert not (tmp_path / "runs").exists()


def test_without_transformers_the_extra_is_named(monkeypatch):
    from boundcheck.callback import BoundcheckCallback

    assert bc.BoundcheckCallback is BoundcheckCallback
    # As in a process that has not asked for it.
    monkeypatch.delitem(vars(bc), "BoundcheckCallback")
    monkeypatch.delitem(sys.modules, "boundcheck.callback")
    monkeypatch.setitem(sys.modules, "transformers", None)
    error = refused(lambda: bc.BoundcheckCallback)
    assert error.field == "BoundcheckCallback"
    assert 'transformers, from pip install "boundcheck[hf]"' in error.expected
    with pytest.raises(AttributeError, match="no attribute 'Callback'"):
        _ = bc.Callback
