"""What the callback says of a training beside Algorithm 1: its steps, and how its minibatches are drawn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, RandomSampler, SequentialSampler

from boundcheck.claims.about import theorem_at_any_step
from boundcheck.measure.training import rules_of, sampling_of
from boundcheck.networks.tasks import Encoded

from .small import of_peft, transformer
from .trained import (
    SGD,
    WITHOUT_DROPOUT,
    args_of,
    audit_named,
    causal_rows,
    collated,
    data_of,
    recorded,
    recording,
    replaced,
    train,
    with_lora,
)

pytestmark = [of_peft, pytest.mark.full]


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
    loader = DataLoader(range(8), batch_size=3, sampler=sampler)
    return SimpleNamespace(dataset=range(8), collate_fn=loader.collate_fn) if sampler is None else loader


def class_task(count: int = 8) -> Encoded:
    return Encoded("task", collated(data_of(count)), "class")


class Lopsided(RandomSampler):
    """Calls itself uniform, and draws the first samples alone."""

    def __iter__(self) -> Iterator[int]:
        for index in super().__iter__():
            yield index % 3


SAMPLINGS: list[tuple[str, Any, dict[str, Any], int, str]] = [
    ("held", RandomSampler(range(8), replacement=True), {}, 100, "uniformly with replacement"),
    ("failed", RandomSampler(range(8)), {}, 100, "without replacement"),
    ("failed", SequentialSampler(range(8)), {}, 1, "without replacement"),
    ("assumed", None, {}, 100, "not known"),
    ("assumed", Lopsided(range(8), replacement=True), {}, 100, "not known"),
    ("assumed", Lopsided(range(8)), {"train_batch_size": 8}, 100, "not known"),
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


def test_samples_without_labels_are_passed_over() -> None:
    rows = causal_rows([1, 1, 1, 1, 1, 6, 6, 6])
    task, model = Encoded("task", collated(rows), "next token"), transformer("LlamaForCausalLM")
    found = sampling_of(
        theorem_at_any_step(), args_of(), loader_of(RandomSampler(range(8), replacement=True)), model, task, 8, 9
    )
    assert found.how == "a minibatch's loss is a mean over its tokens, of which samples have from 0 to 5: a ratio"


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
