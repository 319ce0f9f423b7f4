"""What the callback says of a training beside Algorithm 1: its steps, and how its minibatches are drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, RandomSampler

from boundcheck.experiment.training import rules_of, sampling_of
from boundcheck.functions.networks.samples import Encoded
from boundcheck.language.catalogue import theorem_at_any_step
from boundcheck.language.evidence import Audit

from .small import of_peft, transformer
from .test_callback_chance import lora
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


def weights() -> list[nn.Parameter]:
    return [nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2))]


class Noisy(torch.optim.SGD):
    """Calls itself SGD."""


RULES: list[tuple[str, Any, dict[str, Any], str]] = [
    ("held", lambda: torch.optim.SGD(weights(), lr=0.1), {}, "SGD at a constant step"),
    ("held", lambda: torch.optim.SGD(weights(), lr=0.1), {"max_grad_norm": None}, "SGD at a constant step"),
    ("failed", lambda: torch.optim.SGD(weights(), lr=0.1, momentum=0.9), {}, "its momentum is not 0"),
    ("failed", lambda: torch.optim.SGD(weights(), lr=0.1, weight_decay=0.1), {}, "its weight_decay is not 0"),
    ("failed", lambda: torch.optim.AdamW(weights(), lr=0.1), {}, "the optimizer is AdamW"),
    ("failed", lambda: torch.optim.SGD(weights(), lr=0.1, maximize=True), {}, "its maximize is not 0"),
    ("failed", lambda: Noisy(weights(), lr=0.1), {}, "the optimizer is Noisy"),
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


class Lopsided(RandomSampler):
    """Calls itself uniform, and draws the first samples alone."""

    def __iter__(self) -> Iterator[int]:
        return (index % 3 for index in super().__iter__())


def said_of(loader: Any, task: Encoded, model: Any, **changes: Any) -> Audit:
    return sampling_of(theorem_at_any_step(), args_of(**changes), loader, model, task, 8, 9)


def test_a_sampler_that_is_not_known_is_not_held() -> None:
    """Which the loader has not, or calls itself uniform; a Trainer would put another in its place."""
    model, task = (
        transformer("BertForSequenceClassification", **WITHOUT_DROPOUT),
        Encoded("", collated(data_of(8)), "class"),
    )
    for sampler, size in ((Lopsided(range(8), replacement=True), 3), (Lopsided(range(8)), 8), (None, 3)):
        loader = DataLoader(range(8), batch_size=3, sampler=sampler)
        if sampler is None:
            loader = SimpleNamespace(dataset=range(8), collate_fn=loader.collate_fn)
        found = said_of(loader, task, model, train_batch_size=size)
        assert (found.status, found.hypothesis) == ("assumed", "meft.unbiased")
        assert "not known" in found.how


def test_samples_without_labels_are_passed_over() -> None:
    rows = causal_rows([1, 1, 1, 1, 1, 6, 6, 6])
    task, model = Encoded("task", collated(rows), "next token"), transformer("LlamaForCausalLM")
    loader = DataLoader(range(8), batch_size=3, sampler=RandomSampler(range(8), replacement=True))
    found = said_of(loader, task, model)
    assert found.status == "failed"
    assert "from 0 to 5: a ratio" in found.how


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


Act = Callable[[Any, Any], object]


def trained_of(model: Any) -> list[nn.Parameter]:
    return [x for x in model.parameters() if x.requires_grad]


def shrink(model: Any, optimizer: Any) -> None:
    for x in trained_of(model):
        x.data.mul_(0.9)


def freeze(model: Any, optimizer: Any) -> None:
    for name, x in model.named_parameters():
        x.requires_grad_(x.requires_grad and "lora_A" not in name)


def scale(model: Any, optimizer: Any) -> None:
    for module in model.modules():
        if hasattr(module, "set_scale"):
            module.set_scale("default", 7.0)


def hook(register: Callable[[Any, Any], Iterator[Any]]) -> Act:
    def act(model: Any, optimizer: Any) -> None:
        for add in register(model, optimizer):
            add(lambda *given: None)

    return act


# What somebody's callback does at an event, of which hypothesis it is against, and what is said of that.
ACTS: dict[str, tuple[str, Act, str, str]] = {
    "noise on gradients": (
        "on_pre_optimizer_step",
        lambda model, _: [x.grad.add_(torch.randn_like(x)) for x in trained_of(model)],
        "meft.unbiased",
        "assumed",
    ),
    "something between minibatches": ("on_substep_end", lambda *_: None, "meft.unbiased", "assumed"),
    "something after the optimizer": ("on_optimizer_step", lambda *_: None, "Algorithm 1", "assumed"),
    "less after the optimizer": ("on_optimizer_step", shrink, "Algorithm 1", "failed"),
    "less after the step": ("on_step_end", shrink, "Algorithm 1", "failed"),
    "less before the step": ("on_step_begin", shrink, "Algorithm 1", "failed"),
    "another step size of some": (
        "on_step_begin",
        lambda _, optimizer: optimizer.param_groups[-1].update(lr=0.1),
        "Algorithm 1",
        "failed",
    ),
    "frozen": ("on_step_begin", freeze, "Algorithm 1", "failed"),
    "thawed": (
        "on_step_begin",
        lambda model, _: [x.requires_grad_() for name, x in model.named_parameters() if "pooler" in name],
        "Algorithm 1",
        "failed",
    ),
    "dropout": (
        "on_step_begin",
        lambda model, _: [setattr(x, "p", 0.5) for x in model.modules() if isinstance(x, nn.Dropout)],
        "meft.unbiased",
        "failed",
    ),
    "another scale": ("on_step_end", scale, "meft.unbiased", "failed"),
    "other frozen weights": (
        "on_step_end",
        lambda model, _: [x.data.mul_(1.1) for x in model.parameters() if not x.requires_grad],
        "meft.unbiased",
        "failed",
    ),
    "a hook of gradients": (
        "on_step_begin",
        hook(lambda model, _: (x.register_hook for x in trained_of(model))),
        "meft.unbiased",
        "assumed",
    ),
    "a hook after gradients": (
        "on_step_begin",
        hook(lambda model, _: (x.register_post_accumulate_grad_hook for x in trained_of(model))),
        "meft.unbiased",
        "assumed",
    ),
    "a hook of modules": (
        "on_step_begin",
        hook(lambda model, _: (x.register_full_backward_hook for x in model.modules() if isinstance(x, nn.Tanh))),
        "meft.unbiased",
        "assumed",
    ),
    "a hook of the optimizer": (
        "on_step_begin",
        hook(lambda _, optimizer: iter([optimizer.optimizer.register_step_pre_hook])),
        "meft.unbiased",
        "assumed",
    ),
}


@pytest.mark.parametrize("name", ACTS)
def test_what_others_do_while_a_network_trains_is_not_held(name: str, tmp_path: Path) -> None:
    """It begins at the second step; and training comes out as without a record, to the last bit."""
    from transformers import TrainerCallback

    event, act, hypothesis, status = ACTS[name]

    def acts(self: Any, args: Any, state: Any, control: Any, **given: Any) -> None:
        if state.global_step > 0:
            act(given["model"], given["optimizer"])

    kind, data, ends = type("Acts", (TrainerCallback,), {event: acts}), data_of(), []
    callback = recording(tmp_path, every=1)
    for each in (None, callback):
        options: dict[str, Any] = {"callbacks": [kind()], "max_steps": 3, **SGD}
        ends.append(train(tmp_path, each, with_lora(**WITHOUT_DROPOUT), data, replaced(data), **options))
    one, other = (each.model.state_dict() for each in ends)
    assert all(torch.equal(one[name], other[name]) for name in one)
    flags = [[x.requires_grad for x in each.model.parameters()] for each in ends]
    assert flags[0] == flags[1]
    result, _ = recorded(callback)
    assert audit_named(result, hypothesis).status == status
    assert result.verdict not in {"supported", "violated"}


@pytest.mark.parametrize(
    "options",
    [
        {"gradient_accumulation_steps": 2, "per_device_train_batch_size": 2},
        {"bf16": True},
        {"weights": torch.bfloat16},
        {"save_strategy": "steps", "eval_strategy": "steps", "save_steps": 2, "eval_steps": 2}
        | {"load_best_model_at_end": True, "logging_strategy": "steps", "logging_steps": 1},
    ],
    ids=["accumulated", "mixed", "bfloat16", "evaluated"],
)
def test_plain_training_is_algorithm_1_however_it_is_computed(options: dict[str, Any], tmp_path: Path) -> None:
    """GPT-2's loss is told how many items a step has, so that accumulated gradients are a mean."""
    from transformers import EarlyStoppingCallback

    options = dict(options)
    base = transformer("GPT2LMHeadModel", resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)
    base = base.to(options.pop("weights", torch.float32))
    model = lora("GPT2LMHeadModel", base)
    data, kind = causal_rows([6] * 8), replaced(causal_rows([6] * 8))
    if "eval_strategy" in options:
        kind, options["callbacks"] = partial(kind, eval_dataset=data), [EarlyStoppingCallback(5)]
    callback = recording(tmp_path, every=1)
    train(tmp_path, callback, model, data, kind, **SGD | options)
    result, _ = recorded(callback)
    assert [audit_named(result, name).status for name in ("Algorithm 1", "meft.unbiased")] == ["held", "held"]
