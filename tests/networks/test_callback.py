"""The callback for a stock Trainer: it disturbs nothing, and says what the run has of the theory."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, RandomSampler, SequentialSampler

import boundcheck as bc
from boundcheck.claims.about import theorem_at_any_step
from boundcheck.errors import InputError
from boundcheck.measure.result import Audit, RunResult
from boundcheck.measure.store import RunFolder, finished
from boundcheck.measure.training import (
    audit_sample,
    check_whole,
    rules_of,
    sampling_of,
    shape_of,
    undisturbed,
)
from boundcheck.networks.adapt import adapt, sites_of
from boundcheck.networks.network import Network
from boundcheck.networks.tasks import Encoded
from tests.devices import CUDA, NAME, pretended_cuda
from tests.measure.small import refused

from .small import flat, network_of, of_peft, on_cuda, seeded, tokenizer, transformer

# Imported where they are used: they take seconds, and the quick layer runs none of this.
if TYPE_CHECKING:
    from boundcheck.callback import BoundcheckCallback

pytestmark = [of_peft, pytest.mark.full]

SGD = {"optim": "sgd", "lr_scheduler_type": "constant", "max_grad_norm": 0.0, "learning_rate": 0.05}
WITHOUT_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def data_of(count: int = 10) -> list[dict[str, Any]]:
    """Texts of six tokens, of two classes."""
    random = np.random.default_rng(0)
    return [
        {"input_ids": random.integers(3, 30, 6).tolist(), "attention_mask": [1] * 6, "labels": i % 2}
        for i in range(count)
    ]


def with_lora(name: str = "BertForSequenceClassification", **options: Any) -> Any:
    """A small model with LoRA of peft, and its head where it has one."""
    from peft import LoraConfig, get_peft_model

    targets = {"Bert": ["query", "value"], "GPT2": ["c_attn"], "Llama": ["q_proj"]}
    model = transformer(name, **options)
    lora = LoraConfig(
        r=2,
        lora_alpha=4,
        lora_dropout=0.0 if "hidden_dropout_prob" in options else 0.1,
        target_modules=next(value for key, value in targets.items() if name.startswith(key)),
        modules_to_save=["classifier"] if name == "BertForSequenceClassification" else None,
        fan_in_fan_out=name.startswith("GPT2"),
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return get_peft_model(model, lora)


def replaced(data: Any) -> Any:
    """A Trainer that draws each minibatch from all samples."""
    from transformers import Trainer

    class WithReplacement(Trainer):
        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            return RandomSampler(data, replacement=True, generator=seeded(0))

    return WithReplacement


def train(
    folder: Path, callback: BoundcheckCallback | None, model: Any, data: Any, kind: Any = None, **options: Any
) -> Any:
    """Train as a stock script does; what is no argument of training is one of the Trainer."""
    from transformers import Trainer, TrainingArguments

    given = {name: options.pop(name) for name in ("data_collator", "optimizers", "resume") if name in options}
    resume = given.pop("resume", None)
    defaults = {"max_steps": 6, "per_device_train_batch_size": 3, "save_strategy": "no", "seed": 3}
    args = TrainingArguments(
        output_dir=str(folder / "out"),
        report_to="none",
        disable_tqdm=True,
        logging_strategy="no",
        dataloader_pin_memory=False,
        use_cpu=not options.pop("cuda", False),
        **defaults | options,
    )
    callbacks = [] if callback is None else [callback]
    trainer = (kind or Trainer)(model=model, args=args, train_dataset=data, callbacks=callbacks, **given)
    trainer.train(resume_from_checkpoint=resume)
    return trainer


def recording(folder: Path, **options: Any) -> BoundcheckCallback:
    return bc.BoundcheckCallback(runs=folder / "runs", report=False, **{"every": 2, "samples": 8} | options)


def recorded(callback: BoundcheckCallback) -> tuple[dict[str, Any], Any]:
    result = callback.result
    assert result is not None
    stored, trace = finished(callback.runs / result.run_id)
    assert stored == result
    return result, trace


def audit_named(result: RunResult, hypothesis: str) -> Audit:
    (found,) = (each for each in result.audit if each.hypothesis == hypothesis)
    return found


@pytest.mark.parametrize("options", [{}, {"gradient_accumulation_steps": 2, "per_device_train_batch_size": 2}], ids=str)
def test_the_same_parameters_come_out_to_the_last_bit(options: dict[str, Any], tmp_path: Path) -> None:
    """With dropout on, and AdamW as it is by default."""
    data = data_of()
    alone = train(tmp_path, None, with_lora(), data, **options)
    callback = recording(tmp_path)
    watched = train(tmp_path, callback, with_lora(), data, **options)
    one, other = (each.model.state_dict() for each in (alone, watched))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert alone.state.global_step == watched.state.global_step == 6
    # There was something to disturb.
    start = with_lora().state_dict()
    assert any(not torch.equal(start[name], one[name]) for name in one)
    assert any(isinstance(module, nn.Dropout) and module.p > 0 for module in watched.model.modules())
    assert callback.result is not None
    assert callback.result.plan.batch == (4 if options else 3)


def test_a_stock_run_broke_the_rules_of_algorithm_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    callback = recording(tmp_path)
    trainer = train(tmp_path, callback, with_lora(), data_of())
    result, trace = recorded(callback)
    assert result.verdict == "hypothesis-failed"
    assert result.blame.name == "Algorithm 1"
    rules = audit_named(result, "Algorithm 1")
    assert rules.status == "failed"
    for words in ("AdamW", "the learning rate is linear", "clipped at 1.0"):
        assert words in rules.how
    sampling = audit_named(result, "meft.unbiased")
    assert sampling.status == "failed"
    for words in ("without replacement", "trains with dropout"):
        assert words in sampling.how
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
    assert "hypothesis-failed: the run broke Algorithm 1" in printed
    assert "8 of 10 samples" in printed
    # The last look is at where training ended.
    network = Network(trainer.model, sites_of(trainer.model), callback_task(trainer, 8))
    assert result.ends.loss[0][1] == pytest.approx(network.losses().mean().item(), rel=1e-6)


@pytest.mark.parametrize("at", ["extend_trace", "finish"])
def test_a_full_disk_costs_the_record_and_not_the_training(
    at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*arguments: Any) -> None:
        raise InputError("RUN", tmp_path, "a folder that can be written (No space left on device)")

    monkeypatch.setattr(RunFolder, at, full)
    callback = recording(tmp_path, every=1)
    trained = train(tmp_path, callback, with_lora(), data_of()).model
    monkeypatch.undo()
    assert callback.result is None
    said = [line for line in capsys.readouterr().err.splitlines() if "training goes on without its record" in line]
    assert len(said) == 1
    bare = train(tmp_path, None, with_lora(), data_of()).model
    assert all(torch.equal(x, y) for x, y in zip(trained.parameters(), bare.parameters(), strict=True))


def callback_task(trainer: Any, count: int) -> Encoded:
    loader = trainer.get_train_dataloader()
    return audit_sample(loader, count, 0, "class", torch.device("cpu"))[0]


def test_sgd_at_a_constant_step_with_replacement_is_algorithm_1(tmp_path: Path) -> None:
    data, model = data_of(), with_lora(**WITHOUT_DROPOUT)
    everything = Encoded("all", {name: torch.tensor([row[name] for row in data]) for name in data[0]}, "class")
    loss = everything.losses(model, torch.arange(10)).mean()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    square = flat(torch.autograd.grad(loss, trained)).double().square().sum().item()
    alone = [
        flat(torch.autograd.grad(everything.losses(model, torch.tensor([i])).sum(), trained)).double()
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
    # Every iterate is seen on all samples: what the theorem says of this run follows from the trace alone.
    ell, zeta_square = result.estimates.path, trace["noise_variance"].values.max()
    bound = (result.gap / (0.05 * 6) + ell * 0.05 * zeta_square / 2) / (1 - ell * 0.05 / 2)
    assert result.bound == pytest.approx(bound, rel=1e-9)


def test_training_in_bfloat16_is_recorded(tmp_path: Path) -> None:
    """Each layer is cast as it runs: what goes into it and what comes out are of different types."""
    callbacks = [recording(tmp_path / name, samples=100) for name in ("mixed", "single")]
    for callback, mixed in zip(callbacks, (True, False), strict=True):
        train(tmp_path, callback, with_lora(**WITHOUT_DROPOUT), data_of(), max_steps=2, bf16=mixed)
    (coarse, _), (fine, _) = map(recorded, callbacks)
    assert coarse.ends.loss[0][0] == pytest.approx(fine.ends.loss[0][0], rel=1e-2)
    assert coarse.first == pytest.approx(fine.first, rel=0.1)
    assert coarse.rounding["gradient"] > 100 * fine.rounding["gradient"]


def test_each_step_is_seen_from_its_own_two_ends(tmp_path: Path) -> None:
    """The steps of SGD are as long as the learning rate times gradients, and add up."""
    from transformers import TrainerCallback

    points: list[torch.Tensor] = []

    class Keep(TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            points.append(flat(p for p in given["model"].parameters() if p.requires_grad).double())

        def on_step_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            points.append(flat(p for p in given["model"].parameters() if p.requires_grad).double())

    class Both(bc.BoundcheckCallback):
        def on_step_begin(self, *args: Any, **given: Any) -> None:
            super().on_step_begin(*args, **given)
            Keep().on_step_begin(*args, **given)

        def on_step_end(self, *args: Any, **given: Any) -> None:
            Keep().on_step_end(*args, **given)
            super().on_step_end(*args, **given)

    callback = Both(every=2, samples=8, runs=tmp_path / "runs", report=False)
    train(tmp_path, callback, with_lora(), data_of(), max_steps=5)
    _, trace = recorded(callback)
    assert trace["time"].values.tolist() == [[1, 3, 5]]
    lengths = [(after - before).norm().item() for before, after in zip(points[::2], points[1::2], strict=True)]
    assert trace["step_length"].values[0] == pytest.approx(lengths[::2], rel=1e-6)


def test_the_correction_for_a_part_of_the_samples_is_unbiased() -> None:
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


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"every": 0}, "every"),
        ({"every": True}, "every"),
        ({"every": 1.5}, "every"),
        ({"samples": 0}, "samples"),
        ({"samples": "8"}, "samples"),
        ({"samples": -3}, "samples"),
        # The variance of one sample is none.
        ({"samples": 1}, "samples"),
    ],
)
def test_wrong_arguments_are_named(options: dict[str, Any], field: str) -> None:
    assert refused(lambda: bc.BoundcheckCallback(**options)).field == field


def begun(runs: Path, model: Any, **changes: Any) -> BoundcheckCallback:
    """A callback that was told what a Trainer tells it when training begins."""
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    args = args_of(**{"world_size": 1, "deepspeed": None, "learning_rate": 0.1, "optim": "sgd", "seed": 0} | changes)
    callback = bc.BoundcheckCallback(runs=runs, report=False)
    callback.on_train_begin(
        args,
        SimpleNamespace(max_steps=4, global_step=0, is_world_process_zero=True),
        None,
        model=model,
        optimizer=optimizer,
        lr_scheduler=None,
        train_dataloader=SimpleNamespace(dataset=data_of(), collate_fn=collated, sampler=None),
    )
    return callback


def args_of(**changes: Any) -> Any:
    defaults = {
        "train_batch_size": 3,
        "gradient_accumulation_steps": 1,
        "world_size": 1,
        "lr_scheduler_type": SimpleNamespace(value="constant"),
        "max_grad_norm": 0.0,
        "label_smoothing_factor": 0.0,
    }
    return SimpleNamespace(**defaults | changes)


def collated(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}


@pytest.mark.parametrize("name", ["deepspeed", "fsdp"])
def test_a_model_that_is_spread_over_processes_is_refused(name: str, tmp_path: Path) -> None:
    error = refused(lambda: begun(tmp_path, with_lora(), **{name: "config.json"}))
    assert error.field == "training"
    assert name == str(error.value).lower()
    check_whole(SimpleNamespace(fsdp=[], deepspeed=None))


class Regression(nn.Module):
    """A model of a class that says nothing of its loss."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)


def test_a_model_whose_loss_is_not_known_is_refused(tmp_path: Path) -> None:
    error = refused(lambda: begun(tmp_path, Regression()))
    assert (error.field, error.value) == ("model", "Regression")
    assert "ForSequenceClassification" in error.expected
    names = {
        "BertForSequenceClassification": "class",
        "BertForMaskedLM": "token",
        "BertForTokenClassification": "token",
        "GPT2LMHeadModel": "next token",
        "LlamaForCausalLM": "next token",
    }
    for name, shape in names.items():
        assert shape_of(transformer(name)) == shape
    assert shape_of(with_lora()) == "class"


@pytest.mark.parametrize("options", [{"num_labels": 1}, {"problem_type": "multi_label_classification"}], ids=str)
def test_a_classifier_whose_loss_is_no_cross_entropy_is_refused(options: dict[str, Any]) -> None:
    assert refused(shape_of, with_lora(**options)).field == "model"


def test_something_else_that_is_trained_is_refused_when_training_begins(tmp_path: Path) -> None:
    model = with_lora()
    model.base_model.model.bert.embeddings.LayerNorm.weight.requires_grad_()
    error = refused(lambda: train(tmp_path, recording(tmp_path), model, data_of()))
    assert error.field == "model"
    assert "LayerNorm.weight" in str(error.value)
    assert not (tmp_path / "runs").exists()


class Stream(IterableDataset[Any]):
    """Data without a length."""

    def __iter__(self) -> Iterator[Any]:
        while True:
            yield from data_of()


def test_data_without_a_length_is_refused(tmp_path: Path) -> None:
    error = refused(lambda: train(tmp_path, recording(tmp_path), with_lora(), Stream()))
    assert error.field == "train_dataset"


class Sized(Stream):
    """A stream that knows its length, as one that accelerate splits among processes does."""

    def __len__(self) -> int:
        return 8


def test_a_stream_that_knows_its_length_is_refused() -> None:
    loader = DataLoader(Sized(), batch_size=2)
    error = refused(lambda: audit_sample(loader, 4, 0, "class", torch.device("cpu")))
    assert error.field == "train_dataset"
    assert "rows by index" in error.expected


def test_only_the_rows_that_are_audited_are_read() -> None:
    data, read = data_of(50), []

    class Counted:
        def __len__(self) -> int:
            return len(data)

        def __getitem__(self, place: int) -> Any:
            read.append(place)
            return data[place]

    loader: Any = DataLoader(Counted(), batch_size=2, collate_fn=collated)
    task, total = audit_sample(loader, 7, 0, "class", torch.device("cpu"))
    assert (task.samples, total) == (7, 50)
    assert len(read) == len(set(read)) == 7


def test_data_without_labels_is_refused(tmp_path: Path) -> None:
    data = [{name: row[name] for name in ("input_ids", "attention_mask")} for row in data_of()]
    assert refused(lambda: train(tmp_path, recording(tmp_path), with_lora(), data)).field == "labels"


def causal_rows(lengths: list[int]) -> list[dict[str, Any]]:
    rows = []
    for place, length in enumerate(lengths):
        ids = torch.randint(3, 30, (length,), generator=seeded(place)).tolist() + [0] * (6 - length)
        mask = [1] * length + [0] * (6 - length)
        labels = [x if m else -100 for x, m in zip(ids, mask, strict=True)]
        rows.append({"input_ids": ids, "attention_mask": mask, "labels": labels})
    return rows


def test_a_minibatch_of_texts_of_several_lengths_is_a_ratio(tmp_path: Path) -> None:
    callback = recording(tmp_path, samples=100)
    data = causal_rows([6, 3, 5, 4, 6, 2, 6, 6])
    train(tmp_path, callback, with_lora("GPT2LMHeadModel", resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0), data)
    result, trace = recorded(callback)
    sampling = audit_named(result, "meft.unbiased")
    assert sampling.status == "failed"
    assert "from 1 to 5: a ratio" in sampling.how
    # F itself is the mean over all tokens.
    assert trace["loss"].values[0, 0] > 0.1
    equal = recording(tmp_path, samples=100)
    train(tmp_path, equal, with_lora("GPT2LMHeadModel"), causal_rows([6] * 8))
    assert equal.result is not None
    assert "a ratio" not in audit_named(equal.result, "meft.unbiased").how


def weights() -> list[nn.Parameter]:
    return [nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2))]


RULES: list[tuple[str, Any, dict[str, Any], str]] = [
    ("held", lambda: torch.optim.SGD(weights(), lr=0.1), {}, "SGD at a constant step"),
    ("held", lambda: torch.optim.SGD(weights(), lr=0.1), {"max_grad_norm": None}, "SGD at a constant step"),
    ("failed", lambda: torch.optim.SGD(weights(), lr=0.1, momentum=0.9), {}, "its momentum is not 0"),
    ("failed", lambda: torch.optim.SGD(weights(), lr=0.1, weight_decay=0.1), {}, "its weight_decay is not 0"),
    ("failed", lambda: torch.optim.AdamW(weights(), lr=0.1), {}, "the optimizer is AdamW"),
    ("failed", lambda: torch.optim.SGD(weights(), lr=0.1), {"max_grad_norm": 0.5}, "clipped at 0.5"),
    (
        "failed",
        lambda: torch.optim.SGD(weights(), lr=0.1),
        {"lr_scheduler_type": "cosine"},
        "the learning rate is cosine",
    ),
    (
        "failed",
        lambda: torch.optim.SGD([{"params": weights()[:1]}, {"params": weights()[1:], "lr": 0.2}], lr=0.1),
        {},
        "the learning rate is",
    ),
]


@pytest.mark.parametrize(
    ("status", "optimizer", "changes", "words"), RULES, ids=lambda x: x if isinstance(x, str) else ""
)
def test_the_rules_of_algorithm_1(status: str, optimizer: Any, changes: dict[str, Any], words: str) -> None:
    for given in (optimizer(), SimpleNamespace(optimizer=optimizer())):
        found = rules_of(args_of(**changes), given, is_flat=True)
        assert (found.status, found.hypothesis) == (status, "Algorithm 1")
        assert words in found.how


def test_an_optimizer_does_not_step_along_a_manifold() -> None:
    found = rules_of(args_of(), torch.optim.SGD(weights(), lr=0.1), is_flat=False)
    assert found.status == "failed"
    assert "manifold" in found.how


def loader_of(sampler: Any) -> Any:
    return SimpleNamespace(sampler=None) if sampler is None else DataLoader(range(8), batch_size=3, sampler=sampler)


def class_task(count: int = 8) -> Encoded:
    return Encoded("task", collated(data_of(count)), "class")


SAMPLINGS: list[tuple[str, Any, dict[str, Any], int, str]] = [
    ("held", RandomSampler(range(8), replacement=True), {}, 100, "uniformly with replacement"),
    ("failed", RandomSampler(range(8)), {}, 100, "without replacement"),
    ("failed", SequentialSampler(range(8)), {}, 1, "without replacement"),
    ("failed", None, {}, 100, "without replacement"),
    # No sample comes twice.
    ("assumed", RandomSampler(range(8)), {}, 2, "one pass over samples"),
    ("failed", RandomSampler(range(8)), {}, 3, "without replacement"),
    ("failed", RandomSampler(range(8)), {"gradient_accumulation_steps": 2}, 2, "without replacement"),
    # All of them in every step.
    ("held", RandomSampler(range(8)), {"train_batch_size": 8}, 100, ""),
    (
        "failed",
        RandomSampler(range(8), replacement=True),
        {"label_smoothing_factor": 0.1},
        100,
        "labels are smoothed",
    ),
]


@pytest.mark.parametrize(("status", "sampler", "changes", "steps", "words"), SAMPLINGS)
def test_how_minibatches_are_drawn(status: str, sampler: Any, changes: dict[str, Any], steps: int, words: str) -> None:
    model = transformer("BertForSequenceClassification", **WITHOUT_DROPOUT)
    found = sampling_of(theorem_at_any_step(), args_of(**changes), loader_of(sampler), model, class_task(), 8, steps)
    assert (found.status, found.hypothesis) == (status, "meft.unbiased")
    assert words in found.how


@pytest.mark.parametrize(
    ("name", "options", "there"),
    [
        ("BertForSequenceClassification", {}, True),
        ("BertForSequenceClassification", WITHOUT_DROPOUT, False),
        # By a function, and not a module.
        ("LlamaForCausalLM", {"attention_dropout": 0.1}, True),
        ("LlamaForCausalLM", {}, False),
    ],
    ids=["Bert", "Bert without", "Llama", "Llama without"],
)
def test_dropout_is_found_however_a_model_does_it(name: str, options: dict[str, Any], there: bool) -> None:
    model = transformer(name, **options)
    task = class_task()
    if name.startswith("Llama"):
        batch = collated(causal_rows([6] * 8))
        task = Encoded("task", batch, "next token")
        model.train()
        assert torch.equal(*(model(**batch).loss for _ in range(2))) != there
        model.eval()
    found = sampling_of(
        theorem_at_any_step(), args_of(), loader_of(RandomSampler(range(8), replacement=True)), model, task, 8, 100
    )
    assert (found.status == "failed") == there
    assert ("dropout" in found.how) == there
    assert not model.training


def test_the_step_is_that_of_the_optimizer(tmp_path: Path) -> None:
    """Which need not be made from the arguments."""
    from transformers import get_constant_schedule

    data, model = data_of(), with_lora(**WITHOUT_DROPOUT)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.2)
    callback = recording(tmp_path)
    train(
        tmp_path,
        callback,
        model,
        data,
        replaced(data),
        optimizers=(optimizer, get_constant_schedule(optimizer)),
        **SGD,
        max_steps=2,
    )
    result, _ = recorded(callback)
    assert result.plan.values["alpha"] == 0.2


def test_a_schedule_that_is_not_that_of_the_arguments_is_seen(tmp_path: Path) -> None:
    data, model = data_of(), with_lora(**WITHOUT_DROPOUT)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.05)
    decay = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 0.5**t)
    callback = recording(tmp_path, every=1)
    train(tmp_path, callback, model, data, replaced(data), optimizers=(optimizer, decay), **SGD, max_steps=3)
    result, _ = recorded(callback)
    assert audit_named(result, "Algorithm 1").status == "failed"


class Masking:
    """A collator that draws masks from a generator of its own, as one of transformers does with a seed."""

    def __init__(self) -> None:
        self.generator = seeded(7)

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        ids = torch.tensor([row["input_ids"] for row in rows])
        hidden = torch.rand(ids.shape, generator=self.generator) < 0.4
        hidden[:, 0] = True
        return {
            "input_ids": ids.masked_fill(hidden, 1),
            "attention_mask": torch.ones_like(ids),
            "labels": ids.masked_fill(~hidden, -100),
        }


def test_a_collator_with_its_own_generator_is_not_disturbed(tmp_path: Path) -> None:
    """Training sees the same masks as without the callback."""
    data = data_of()
    states = []
    for callback in (None, recording(tmp_path)):
        model = with_lora("BertForMaskedLM", **WITHOUT_DROPOUT)
        trainer = train(
            tmp_path, callback, model, data, data_collator=Masking(), max_steps=3, remove_unused_columns=False
        )
        states.append(trainer.model.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_generators_are_left_as_they_were() -> None:
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002

    def draw() -> None:
        with undisturbed():
            torch.rand(3)
            random.random()
            np.random.rand()  # noqa: NPY002
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        draw()
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert np.array_equal(np.random.get_state()[1], before[2])  # noqa: NPY002


@pytest.mark.parametrize("way", ["a step of length 0", "layers that nothing bounds"])
def test_what_is_infinite_is_printed(way: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, options = with_lora(), {"max_steps": 2}
    if way == "a step of length 0":
        # The learning rate of the only step that is recorded.
        options |= {"warmup_steps": 2}
    else:
        model = transformer("BertForSequenceClassification").requires_grad_(False)
        adapt(model, "dora", ["dense"], 2, 10.0, 1.0, seeded(0))
        options = {"max_steps": 4, **SGD, "learning_rate": 0.5}
    callback = recording(tmp_path, every=50 if options.get("warmup_steps") else 1)
    train(tmp_path, callback, model, data_of(), **options)
    result, trace = recorded(callback)
    rows = {row.way: row for row in result.theorems}
    if way == "a step of length 0":
        assert trace["step_length"].values.tolist() == [[0.0]]
        assert rows["path"].longest is None
    else:
        assert rows["layers"].value is None
    assert "hypothesis-failed" in capsys.readouterr().err


def test_training_that_stops_early_and_goes_on_is_recorded(tmp_path: Path) -> None:
    from transformers import TrainerCallback

    class Stop(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            control.should_training_stop = state.global_step == 3

    class Stopping(bc.BoundcheckCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            super().on_step_end(args, state, control, **given)
            Stop().on_step_end(args, state, control, **given)

    options: dict[str, Any] = {"save_strategy": "steps", "save_steps": 3, "max_steps": 8}
    first = Stopping(every=2, samples=8, runs=tmp_path / "runs", report=False)
    train(tmp_path, first, with_lora(), data_of(), **options)
    result, trace = recorded(first)
    assert result.plan.steps == 3
    times = trace["time"].values[0]
    assert times[:2].tolist() == [1, 3]
    assert np.isfinite(trace["loss"].values[0, :2]).all()
    assert np.isnan(trace["loss"].values[0, 2:]).all()
    assert result.measured == pytest.approx(trace["gradient_square_norm"].values[0, :2].mean(), rel=1e-12)
    second = recording(tmp_path)
    train(tmp_path, second, with_lora(), data_of(), resume=True, **options)
    again, later = recorded(second)
    assert again.run_id != result.run_id
    seen = np.isfinite(later["loss"].values[0])
    assert later["time"].values[0][seen].tolist() == [5, 7]


def test_a_training_without_a_record_is_not_lost(tmp_path: Path) -> None:
    """Such as one that goes on from a checkpoint and ends before the next record is due."""
    callback = begun(tmp_path, with_lora())
    state = SimpleNamespace(global_step=1, max_steps=4)
    callback.on_step_begin(None, state, None)
    callback.on_step_end(None, state, None)
    callback.on_train_end(None, state, None)
    assert callback.result is None


def test_what_is_recorded_is_plain_data(tmp_path: Path) -> None:
    callback = recording(tmp_path, every=5)
    train(tmp_path, callback, with_lora(), data_of(), max_steps=3)
    result, trace = recorded(callback)
    assert json.loads(json.dumps(result.as_json())) == result.as_json()
    assert trace.sizes["stratum"] == 1
    stored = json.loads((callback.runs / result.run_id / "spec.json").read_text(encoding="utf-8"))
    assert stored == result.spec
    assert stored["adapter"]["targets"] == "query, value, default"
    # The same training has the same folder.
    again = recording(tmp_path, every=5)
    train(tmp_path, again, with_lora(), data_of(), max_steps=3)
    assert again.result == result
    # What is not as training left it is no run.
    path = callback.runs / result.run_id / "result.json"
    path.write_text(path.read_text().replace(result.verdict, "edited"), encoding="utf-8")
    with pytest.raises(InputError, match=r"result\.json was changed"):
        finished(path.parent)


def test_without_transformers_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_tokenizer_and_its_collator_work_with_it(tmp_path: Path) -> None:
    """Texts of several lengths, padded a batch at a time."""
    from transformers import DataCollatorWithPadding

    made = tokenizer(pad_token="<pad>")
    texts = [" ".join(f"w{(i * j) % 27}" for j in range(2 + i % 4)) for i in range(10)]
    data = [{**made(text), "labels": i % 2} for i, text in enumerate(texts)]
    callback = recording(tmp_path)
    train(tmp_path, callback, with_lora(), data, data_collator=DataCollatorWithPadding(made), max_steps=2)
    result, _ = recorded(callback)
    assert result.ends.loss[0][0] > 0.1


def test_training_on_a_device_is_recorded_as_on_the_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a pretended one, see `tests.devices`; and training comes out the same as without a record."""
    from accelerate import Accelerator
    from transformers import TrainingArguments

    data = data_of()

    def trained(callback: BoundcheckCallback | None) -> Any:
        return train(tmp_path, callback, with_lora(**WITHOUT_DROPOUT), data, replaced(data), **SGD)

    here, there = recording(tmp_path / "here", every=1), recording(tmp_path / "there", every=1)
    alone = trained(here).model.state_dict()
    with pretended_cuda():
        monkeypatch.setattr(TrainingArguments, "device", property(lambda args: args._setup_devices and CUDA))
        monkeypatch.setattr(Accelerator, "device", CUDA)
        model = trained(there).model
        assert {parameter.device for parameter in model.parameters()} == {CUDA}
    assert all(torch.equal(x, alone[name]) for name, x in model.state_dict().items())
    (result, trace), (_, other) = recorded(there), recorded(here)
    assert result.environment["device"] == NAME
    assert trace.equals(other)


@on_cuda
def test_training_on_cuda_is_recorded_with_its_memory(tmp_path: Path) -> None:
    data = data_of()
    callback = recording(tmp_path, every=1)
    train(tmp_path, callback, with_lora(**WITHOUT_DROPOUT), data, replaced(data), cuda=True, **SGD)
    result, trace = recorded(callback)
    assert result.environment["memory_mib"] > 0
    here = recording(tmp_path, every=1)
    train(tmp_path, here, with_lora(**WITHOUT_DROPOUT), data, replaced(data), **SGD)
    assert here.result is not None
    assert trace["loss"].values[0, 0] == pytest.approx(here.result.ends.loss[0][0], rel=1e-4)
