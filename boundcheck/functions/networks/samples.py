"""The finite samples of a network, and the loss on each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from boundcheck.errors import InputError

# transformers' label for a token that is not predicted.
IGNORED = -100
Shape = Literal["next token", "token", "class"]


class Task(Protocol):
    """A finite sample of texts and the loss of a network on each."""

    name: str  # its name in figures and tables
    units: str  # of the loss
    samples: int  # n

    def losses(self, model: nn.Module, indices: Tensor) -> Tensor:
        """The loss of each of these samples, shape (m,), each nonnegative; F is the mean over all."""
        ...

    def hits(self, model: nn.Module, indices: Tensor) -> Tensor:
        """The share of correct predictions in each sample, shape (m,)."""
        ...


@dataclass(frozen=True)
class Loaded:
    """A model without adapters, and its samples."""

    name: str  # of model and text
    model: nn.Module  # frozen except for its head, if it has one for the task
    task: Task  # to train on
    held_out: Task


class Encoded:
    r"""Encoded texts for a model of transformers, with labels.

    A sample's loss is the cross-entropy of its class, or the sum of those of its labelled tokens over the mean number
    of labelled tokens. So F is the mean over all tokens, as the model's own loss is on the whole sample. It is computed
    from the logits, because the built-in one is in float32 even in a float64 model.
    """

    units = "nats"

    def __init__(self, name: str, batch: Mapping[str, Any], shape: Shape) -> None:
        """Take a whole sample as the model takes a batch: tensors with the samples first, ``labels`` among them.

        Raises InputError without labels, or where not one of them is to be predicted.
        """
        if "labels" not in batch:
            raise InputError("labels", "(not given)", "labels in every batch")
        self.name, self.shape = name, shape
        self.labels: Tensor = batch["labels"]
        self.samples = len(self.labels)
        self._inputs = {
            key: value
            for key, value in batch.items()
            if key != "labels" and isinstance(value, Tensor) and value.ndim > 0 and len(value) == self.samples
        }
        counts = self.counts
        if not counts.any():
            raise InputError("labels", "all of them ignored", "labels that are to be predicted")
        self._mean = counts.double().mean().item()

    @property
    def counts(self) -> Tensor:
        """The number of labels to predict in each sample, shape (n,)."""
        if self.shape == "class":
            return torch.ones(self.samples, dtype=torch.int64)
        return (self._targets(slice(None)) != IGNORED).sum(1)

    def losses(self, model: nn.Module, indices: Tensor) -> Tensor:
        logits, targets = self._logits(model, indices), self._targets(indices)
        if self.shape == "class":
            return cross_entropy(logits, targets, reduction="none")
        return cross_entropy(logits.mT, targets, reduction="none", ignore_index=IGNORED).sum(1) / self._mean

    def hits(self, model: nn.Module, indices: Tensor) -> Tensor:
        """The share of the labels that were the likeliest, shape (m,)."""
        right, targets = self._logits(model, indices).argmax(-1), self._targets(indices)
        if self.shape == "class":
            return (right == targets).double()
        counted = targets != IGNORED
        return ((right == targets) & counted).sum(1).double() / counted.sum(1).clamp(min=1)

    def own_loss(self, model: nn.Module, indices: Tensor, **options: Any) -> Tensor:
        """The loss that the model itself computes of these samples."""
        inputs = {name: value[indices] for name, value in self._inputs.items()}
        loss: Tensor = model(**inputs, labels=self.labels[indices], **options).loss
        return loss

    def _logits(self, model: nn.Module, indices: Tensor) -> Tensor:
        logits: Tensor = model(**{name: value[indices] for name, value in self._inputs.items()}).logits
        # As transformers does: a loss in bfloat16 would have two digits.
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        return logits[:, :-1] if self.shape == "next token" else logits

    def _targets(self, indices: Tensor | slice) -> Tensor:
        labels = self.labels[indices]
        return labels[:, 1:] if self.shape == "next token" else labels
