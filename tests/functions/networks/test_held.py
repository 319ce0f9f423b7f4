"""A model's folder that says it is larger than its weights, or says what is no number, ends in one
line or is read."""

import json
import math
import os
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from boundcheck.errors import InputError
from boundcheck.functions.networks.bridge import PretrainedSpec, held
from soundness.processes import Limits, ended, fault_of
from tests.experiment.small import refused
from tests.layers import sampled

from .small import of_peft, saved

pytestmark = of_peft
NAMES = {
    "bert": "BertForSequenceClassification",
    "gpt2": "GPT2LMHeadModel",
    "llama": "LlamaForCausalLM",
}
# What a folder may take that is sound, and no more.
LIMITS = Limits(seconds=30.0, size=2**30)
VALUES: tuple[Any, ...] = (
    *(10**7, 2**40, 10**400, -1, 0, 0.5, math.nan, math.inf),
    *("10000000", None, True, [10**7], [[[10**7]] * 2], {"a": 10**7}),
)
MISSING, PARTS = "(missing)", 4
# Fields that the small models leave out, or others have.
MORE = (
    *(
        "num_labels",
        "num_experts",
        "depth",
        "n_blocks",
        "layer_types",
        "attention_types",
        "vocab_size",
    ),
    *("chunk_size_feed_forward", "quantization_config", "max_window_layers", "pruned_heads"),
)
OTHERS: dict[str, tuple[str, ...]] = {
    "tokenizer_config.json": (
        "model_max_length",
        "pad_token",
        "added_tokens_decoder",
        "tokenizer_class",
    ),
    "tokenizer.json": ("truncation", "padding", "added_tokens", "normalizer", "model"),
    "generation_config.json": ("max_length", "eos_token_id", "num_beams", "pad_token_id"),
    "adapter_config.json": ("r", "target_modules", "base_model_name_or_path"),
}


def spec(folder: Path, name: str) -> PretrainedSpec:
    text = folder.parent / "rows.jsonl"
    rows = ({"text": "w1 w4" + " w7" * (i % 3), "label": ["no", "yes"][i % 2]} for i in range(12))
    text.write_text("".join(json.dumps(row) + "\n" for row in rows))
    task: Any = "classification" if name == "bert" else "causal"
    return PretrainedSpec(
        kind="pretrained", path=str(folder), task=task, text=str(text), samples=6, held_out=4
    )


@dataclass(frozen=True)
class Changed:
    """A folder in which a field of one JSON file has another value."""

    source: str
    name: str
    file: str
    field: str
    value: Any

    def make(self, folder: Path) -> None:
        shutil.copytree(self.source, folder / "model")
        path = folder / "model" / self.file
        table = json.loads(path.read_text()) if path.exists() else {}
        if self.value == MISSING:
            table.pop(self.field, None)
        else:
            table[self.field] = self.value
        path.write_text(json.dumps(table))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {short: saved(root / short, name) for short, name in NAMES.items()}


@pytest.mark.full
@sampled(PARTS)
@pytest.mark.parametrize("part", range(PARTS))
def test_each_field_of_a_folder_may_be_anything(
    part: int, folders: dict[str, Path], tmp_path: Path
) -> None:
    """The parts go around fields and values, so that each has all fields and all values."""
    chosen = [("gpt2", file, field) for file, fields in OTHERS.items() for field in fields]
    for name, folder in folders.items():
        config = json.loads((folder / "config.json").read_text())
        fields = dict.fromkeys(
            (*(x for x, value in config.items() if isinstance(value, int | float)), *MORE)
        )
        chosen += [(name, "config.json", field) for field in fields]
    attempts = [
        Changed(str(folders[x[0]]), *x, value) for x in chosen for value in (*VALUES, MISSING)
    ][part::PARTS]
    for i, each in enumerate(attempts):
        (world := tmp_path / str(i) / "world").mkdir(parents=True)
        each.make(world)
        end = ended(partial(spec(world / "model", each.name).load, "cpu"), world, limits=LIMITS)
        assert fault_of(end) is None, (each, end)


@pytest.mark.full
@pytest.mark.parametrize("field", ["n_layer", "vocab_size", "n_positions", "n_embd", "num_labels"])
@pytest.mark.parametrize("value", [10**7, 10**12])
def test_what_the_weights_cannot_fill_is_named(
    field: str, value: int, folders: dict[str, Path], tmp_path: Path
) -> None:
    Changed(str(folders["gpt2"]), "gpt2", "config.json", field, value).make(tmp_path)
    error = refused(lambda: spec(tmp_path / "model", "gpt2").load("cpu"))
    assert (error.field, error.value) == (f"config.json: {field}", value)


@pytest.mark.full
def test_a_folder_with_an_adapter_or_a_tokenizer_of_its_own_is_refused(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    """It would load the model that the adapter names, from wherever that is; and panic, which is no
    exception."""
    splits = {
        "type": "Split",
        "pattern": {"Regex": "(a|aa|a?)+(x+x+)+$"},
        "behavior": "Isolated",
        "invert": False,
    }
    slow = json.dumps({"text": "a" * 5000 + " " + "x" * 40 + "y"}) + "\n"
    for file, field, value, named, rows in (
        ("adapter_config.json", "r", 10**8, "adapter_config.json", None),
        ("tokenizer.json", "pre_tokenizer", splits, "", slow * 12),
    ):
        (folder := tmp_path / file).mkdir()
        Changed(str(folders["gpt2"]), "gpt2", file, field, value).make(folder)
        table = spec(folder / "model", "gpt2")
        if rows is not None:
            Path(table.text).write_text(rows)
        error = refused(lambda table=table: table.load("cpu"))
        assert (error.field, error.value) == ("model.path", folder / "model" / named)


def folder_of(folder: Path, tensors: dict[str, torch.Tensor] | None = None) -> Path:
    """A folder with a configuration, and a file of weights with these tensors."""
    from safetensors.torch import save_file

    (folder / "config.json").write_text('{"num_hidden_layers": 2}')
    save_file(tensors or {"a": torch.zeros(2)}, folder / "model.safetensors")
    return folder


@pytest.mark.parametrize("kind", ["pipe", "/dev/zero"])
@pytest.mark.parametrize(
    "name",
    [
        "model.safetensors",
        "x.safetensors",
        "pytorch_model.bin",
        "vocab.txt",
        "x",
        "additional_chat_templates/x",
    ],
)
def test_a_folder_with_a_pipe_or_a_device_in_it_is_refused_before_it_is_opened(
    name: str, kind: str, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text("{}")
    (path := tmp_path / name).parent.mkdir(exist_ok=True)
    os.mkfifo(path) if kind == "pipe" else path.symlink_to(kind)
    assert refused(held, tmp_path).value == path


@pytest.mark.full
def test_a_folder_may_be_made_of_links(tmp_path: Path) -> None:
    """As in the cache of Hugging Face's hub, where what nobody needs may be gone."""
    (blobs := tmp_path / "blobs").mkdir()
    (snapshot := tmp_path / "snapshot").mkdir()
    for path in folder_of(blobs).iterdir():
        (snapshot / path.name).symlink_to(path)
    (snapshot / "tf_model.h5").symlink_to(blobs / "gone")
    assert held(snapshot).numbers == held(blobs).numbers == 2


@pytest.mark.full
def test_a_header_says_how_much_its_file_holds(tmp_path: Path) -> None:
    tensors = {
        "a": torch.zeros(2),
        "b": torch.zeros(2, 1, dtype=torch.bfloat16),
        "c": torch.zeros(1, dtype=torch.int8),
    }
    found = held(folder_of(tmp_path, tensors))
    # A byte of integers may hold up to eight numbers.
    assert (found.tensors, found.numbers) == (3, 2 + 2 + 8)


ABSENT = {"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}}
WRONG = {
    "no header": (b"", 0),
    "longer than the file": (b"{}", 10**6),
    "longer than any": (b"{}", 2**63),
    "no JSON": (b"{", 1),
    "deep": (b'{"a":' * 20_000, 10**5),
    "bytes that are not there": (json.dumps(ABSENT).encode(), len(json.dumps(ABSENT))),
}


@pytest.mark.full
@pytest.mark.parametrize("name", WRONG)
def test_a_header_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    header, length = WRONG[name]
    weights = folder_of(tmp_path) / "model.safetensors"
    weights.write_bytes(length.to_bytes(8, "little") + header + bytes(16))
    error = refused(lambda: held(tmp_path))
    assert (error.field, error.value) == ("model.path", tmp_path)


@pytest.mark.parametrize(
    "name", ["tokenizer.json", "vocab.txt", "spiece.model", "chat_template.jinja"]
)
def test_a_file_that_is_too_long_is_refused_before_it_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with (tmp_path / name).open("wb") as file:
        file.truncate(2**34)
    error = refused(lambda: held(tmp_path))
    assert str(error.value).endswith(name)


@pytest.mark.parametrize(
    "name", ["num_hidden_layers", "n_layer", "num_labels", "encoder_layers", "attention_types"]
)
@pytest.mark.parametrize("value", [200_000, 10**400, [[["global"], 10**8]]])
def test_a_configuration_makes_no_longer_lists_than_there_are_tensors(
    name: str, value: Any, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"deep": {name: value}}))
    error = refused(lambda: held(tmp_path))
    assert error.field == f"config.json: deep.{name}"


def layers(count: int) -> nn.Module:
    return nn.ModuleList(nn.Linear(4, 4) for _ in range(count))


@pytest.mark.full
@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: layers(200), "n_layer"),
        (lambda: nn.Embedding(10**9, 8), "vocab_size"),
        (lambda: nn.Linear(8, 10**9), "vocab_size"),
        (lambda: nn.BatchNorm1d(10**14, affine=False), "size"),
    ],
)
def test_a_model_is_no_larger_than_its_weights(make: Any, field: str, tmp_path: Path) -> None:
    folder_of(tmp_path, {"a": torch.zeros(16)})
    config = {"n_layer": 200, "vocab_size": 10**9, "size": 10**14}
    (tmp_path / "config.json").write_text(json.dumps(config))
    found = held(tmp_path)
    with torch.device("meta"), pytest.raises(InputError) as caught, found.building(2):
        make()
    assert (caught.value.field, caught.value.value) == (f"config.json: {field}", config[field])
    # What fits is built, and after it nothing is watched.
    with found.building(2):
        layers(20)
    layers(100)
