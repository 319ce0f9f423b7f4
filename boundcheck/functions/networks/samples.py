"""The finite samples of a network: tables of them in files without a name, and the loss on each.

Whoever asks for some rows reads those alone, so that memory never holds all; what fits easily is held in memory
instead. The files are in the folder for temporary ones, which the environment variable TMPDIR names, and are gone when
the process is.
"""

import hashlib
import tempfile
import weakref
from array import array
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import IO, Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from boundcheck.errors import InputError

HELD = 2**24
"""Bytes of a table of samples that is held in memory: 16 MiB."""
_NUMBER = 8
# transformers' label for a token that is not predicted.
IGNORED = -100
# Samples whose labels are counted at a time.
_BLOCK = 4096
Shape = Literal["next token", "token", "class"]


class _Unnamed:
    """A file without a name, which is closed when its last reader is gone."""

    def __init__(self) -> None:
        with _on_disk():
            # No block holds it: it is open as long as this object is.
            file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115

        def close() -> None:
            # What a full disk did not take was said before.
            with suppress(OSError):
                file.close()

        self.bytes = file
        weakref.finalize(self, close)


@dataclass(frozen=True, eq=False)
class Rows:
    """A table of integers in a file, of which some rows in some order are the samples, as int64."""

    file: _Unnamed  # its rows, one after another
    dtype: str  # of a number in it
    digest: str  # of all that is in it
    order: Tensor  # the row of each sample, int64, shape (n,)
    width: int  # how many numbers a row has
    device: str = "cpu"  # where they are wanted

    def __len__(self) -> int:
        return len(self.order)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), self.width

    @property
    def __content__(self) -> tuple[Any, ...]:
        """The content that tells it from other tables; its digest was taken as it was written."""
        return self.dtype, self.digest, self.order, self.width

    def __getitem__(self, samples: Tensor | slice) -> Tensor:
        """Samples by their indices, shape (m, width)."""
        rows = self.order[samples.cpu() if isinstance(samples, Tensor) else samples].numpy()
        # Mapped anew each time: the pages of a map that stays are counted as memory of the process, one after another.
        table = np.memmap(self.file.bytes, self.dtype, "r").reshape(-1, self.width)
        return torch.from_numpy(table[rows].astype(np.int64)).to(self.device)

    def to(self, device: str) -> "Rows":
        return replace(self, device=device)


class Spool:
    """Integers that are written one after another, and then read as rows."""

    def __init__(self, dtype: str) -> None:
        self.count, self._dtype, self._digest = 0, dtype, hashlib.sha256()
        self._file = _Unnamed()

    def add(self, values: Tensor) -> None:
        """Write integers of any shape, which the type can hold."""
        content = values.numpy().astype(self._dtype).tobytes()
        self.count += values.numel()
        self._digest.update(content)
        with _on_disk():
            self._file.bytes.write(content)
            self._file.bytes.flush()

    def rows(self, width: int, order: Tensor) -> Rows | Tensor:
        """The rows in this order, each of `width` numbers; they are held in memory if they fit easily."""
        # What does not fill a row is no part of the table.
        with _on_disk():
            self._file.bytes.truncate(self.count // width * width * np.dtype(self._dtype).itemsize)
        rows = Rows(self._file, self._dtype, self._digest.hexdigest(), order, width)
        return rows[:] if taken(*rows.shape) <= HELD else rows


class Texts:
    """Texts in a file, which are read one by one."""

    def __init__(self) -> None:
        self._ends = array("q", [0])
        self._file = _Unnamed()

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, text: str) -> None:
        content = text.encode()
        with _on_disk():
            self._file.bytes.seek(self._ends[-1])
            self._file.bytes.write(content)
        self._ends.append(self._ends[-1] + len(content))

    def __getitem__(self, place: int) -> str:
        with _on_disk():
            self._file.bytes.seek(self._ends[place])
        return self._file.bytes.read(self._ends[place + 1] - self._ends[place]).decode()


def taken(samples: int, width: int) -> int:
    """The bytes that a table of samples takes once it is held."""
    return _NUMBER * samples * width


def memory_of(samples: int, width: int, tables: int = 1) -> int:
    """The bytes that this many tables take in memory, held or not: of those in files, the places of their rows."""
    return tables * min(taken(samples, width), HELD) + _NUMBER * samples


@contextmanager
def _on_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        expected = f"a folder that has room for the samples ({error.strerror})"
        raise InputError("TMPDIR", tempfile.gettempdir(), expected) from None


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

        Tables of `Rows` are such tensors, of which each batch is read when it is computed.

        Raises InputError without labels, or where not one of them is to be predicted.
        """
        if "labels" not in batch:
            raise InputError("labels", "(not given)", "labels in every batch")
        self.name, self.shape = name, shape
        self.labels: Tensor | Rows = batch["labels"]
        self.samples = len(self.labels)
        self._inputs = {
            key: value
            for key, value in batch.items()
            if key != "labels"
            and isinstance(value, Tensor | Rows)
            and len(value.shape) > 0
            and len(value) == self.samples
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
        parts = (slice(begin, begin + _BLOCK) for begin in range(0, self.samples, _BLOCK))
        return torch.cat([(self._targets(part) != IGNORED).sum(1) for part in parts])

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
