"""What the callback refuses, before anything is trained: arguments, models whose loss is not known, data."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

import boundcheck as bc
from boundcheck.experiment.training import audit_sample, check_whole, shape_of
from tests.experiment.small import refused

from .small import of_peft, transformer
from .trained import begun, data_of, recording, train, with_lora

pytestmark = [of_peft, pytest.mark.full]


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


def test_data_without_labels_is_refused(tmp_path: Path) -> None:
    data = [{name: row[name] for name in ("input_ids", "attention_mask")} for row in data_of()]
    assert refused(lambda: train(tmp_path, recording(tmp_path), with_lora(), data)).field == "labels"


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
