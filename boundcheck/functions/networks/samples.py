"""Samples for models of transformers: texts, encoded part by part, with labels.

Neither a text nor its tokens are held as a whole, so that memory does not grow with them.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.functions.networks import corpora
from boundcheck.functions.networks.rows import Rows, Spool, Texts
from boundcheck.functions.networks.tables import PretrainedSpec
from boundcheck.functions.networks.tasks import IGNORED
from boundcheck.functions.networks.text import pieces_of, typed
from boundcheck.system.files import parse_json

Batch = dict[str, Tensor | Rows]
# Characters of a text, and texts, that are encoded at a time.
_PIECE, _TEXTS = 2**22, 1024


def samples(table: PretrainedSpec, tokenizer: Any) -> tuple[Batch, Batch, int]:
    """The two encoded samples, with labels, and the number of classes.

    Raises:
        InputError: for a text that cannot be read, or is too short or has too few lines for that many samples.

    """
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if table.task == "causal" and not table.text.endswith(".jsonl"):
        train, held_out = _windows(table, tokenizer)
        return train, held_out, 0
    if tokenizer.pad_token is None:
        raise InputError("model.path", table.path, "a tokenizer that has a token to pad or to end texts with")
    texts, labels, classes = _classified(table)
    if len(texts) < (total := table.samples + table.held_out):
        raise InputError("model.samples", total, f"samples and held_out together at most the {len(texts)} texts")
    order = torch.randperm(len(texts), generator=torch.Generator().manual_seed(table.seed))[:total]
    first, second = (
        _encoded(texts, labels, part, table, tokenizer) for part in (order[: table.samples], order[table.samples :])
    )
    return first, second, classes


def _windows(table: PretrainedSpec, tokenizer: Any) -> list[Batch]:
    """Windows of tokens that do not overlap, drawn from each part of the text cut every `length` tokens."""
    spools = (Spool("int32"), Spool("int32"))
    with typed(text="model.text"):
        for is_held_out, piece in _pieces(corpora.blocks(pieces_of(table.text))):
            # Not kept while the next one is encoded.
            spools[is_held_out].add(_tokens(piece, tokenizer))
    batches: list[Batch] = []
    for spool, field in zip(spools, ("samples", "held_out"), strict=True):
        with typed(count=f"model.{field}"):
            order = corpora.drawn(spool.count, table.length, getattr(table, field), table.seed)
        ids, ones = spool.rows(table.length, order), Spool("int8")
        ones.add(torch.ones(1, table.length, dtype=torch.int64))
        batches.append(
            {"input_ids": ids, "attention_mask": ones.rows(table.length, torch.zeros_like(order)), "labels": ids}
        )
    return batches


def _tokens(text: str, tokenizer: Any) -> Tensor:
    found = tokenizer(text, add_special_tokens=False, return_attention_mask=False, verbose=False)["input_ids"]
    return torch.tensor(found, dtype=torch.int64)


def _pieces(blocks: Iterable[tuple[bool, str]]) -> Iterator[tuple[bool, str]]:
    """The blocks of each of two parts of a text, joined into pieces to encode at a time, up to the end of a line."""
    waiting: tuple[list[str], list[str]] = ([], [])
    for part, block in blocks:
        held = waiting[part]
        held.append(block)
        if sum(map(len, held)) >= _PIECE:
            text = "".join(held)
            end = text.rfind("\n") + 1 or len(text)
            held[:] = [text[end:]]
            yield part, text[:end]
    yield from ((bool(part), "".join(held)) for part, held in enumerate(waiting))


def _encoded(
    texts: Sequence[str] | Texts, labels: Tensor, chosen: Tensor, table: PretrainedSpec, tokenizer: Any
) -> Batch:
    """The texts at these places, cut at `length` tokens and padded to the longest, with labels of classes or tokens."""
    parts = [part.tolist() for part in torch.split(chosen, _TEXTS)]

    def encoded(part: list[int], most: int, **options: Any) -> dict[str, Any]:
        return dict(tokenizer([texts[place] for place in part], truncation=True, max_length=most, **options))

    # Encoded twice, since how wide the table is depends on all texts; none is longer than what is cut.
    longest = 1
    for part in parts:
        longest = max(longest, *map(len, encoded(part, table.length)["input_ids"]))
        if longest == table.length:
            break
    spools: dict[str, Spool] = {}
    for part in parts:
        batch = encoded(part, longest, padding="max_length", return_tensors="pt")
        if table.task == "causal":
            batch["labels"] = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, IGNORED)
        for name, values in batch.items():
            spools.setdefault(name, Spool("int32")).add(values)
    found: Batch = {name: spool.rows(longest, torch.arange(len(chosen))) for name, spool in spools.items()}
    return found if table.task == "causal" else found | {"labels": labels[chosen]}


def _classified(table: PretrainedSpec) -> tuple[Sequence[str] | Texts, Tensor, int]:
    """The texts; if the task is to learn classes, the class of each, by its place in their order; how many classes."""
    if table.text == "verses":
        per_class = -(-(table.samples + table.held_out) // len(corpora.BOOKS))
        with typed(per_class="model.samples"):
            texts, labels, names = corpora.verses(per_class, table.seed)
        return texts, torch.tensor(labels), len(names)
    return _rows(table.text, table.task == "classification")


def _rows(path: str, is_labelled: bool) -> tuple[Texts, Tensor, int]:
    """The texts of a .jsonl file, their classes if it has any, and how many there are."""
    if not path.endswith(".jsonl"):
        raise InputError("model.text", path, 'verses, or a .jsonl file of objects with "text" and "label"')
    needed = ("text", "label") if is_labelled else ("text",)
    texts, codes, seen = Texts(), array("q"), dict[str, int]()
    for place, line in enumerate(_lines(pieces_of(path)), start=1):
        if not line.strip():
            continue
        try:
            row = parse_json(line)
        except ValueError as error:
            raise InputError("model.text", path, f"JSON in line {place} ({error})") from None
        if not isinstance(row, dict) or not isinstance(row.get("text"), str) or any(key not in row for key in needed):
            expected = 'a string "text" and a "label"' if is_labelled else 'a string "text"'
            raise InputError("model.text", path, f"an object with {expected} in line {place}")
        texts.append(row["text"])
        if is_labelled:
            codes.append(seen.setdefault(str(row["label"]), len(seen)))
    if not len(texts):
        raise InputError("model.text", path, "at least one line")
    # From the order in which classes were met to that of their names.
    places = {name: place for place, name in enumerate(sorted(seen))}
    return texts, torch.from_numpy(np.array([places[name] for name in seen], int)[np.asarray(codes)]), len(seen)


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    rest = ""
    for piece in pieces:
        *lines, rest = (rest + piece).split("\n")
        yield from lines
    yield rest
