"""The headers of a model's weights are held against memory before anything is loaded."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from boundcheck.functions.networks.bridge import PretrainedSpec, held
from tests.experiment.small import refused
from tests.layers import full

from .small import of_peft, saved

pytestmark = of_peft
NAMES = {"gpt2": "GPT2LMHeadModel"}


def spec(folder, name):
    text = folder.parent / "rows.jsonl"
    rows = ({"text": "w1 w4" + " w7" * (i % 3), "label": ["no", "yes"][i % 2]} for i in range(12))
    text.write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = "classification" if name == "bert" else "causal"
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

    def make(self, folder):
        shutil.copytree(self.source, folder / "model")
        path = folder / "model" / self.file
        table = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps(table | {self.field: self.value}))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    return {short: saved(root / short, name) for short, name in NAMES.items()}


@full
def test_a_folder_with_an_adapter_or_a_tokenizer_of_its_own_is_refused(folders, tmp_path):
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
        assert error.field == "model.path"
        assert error.value == folder / "model" / named


def folder_of(folder, tensors=None):
    """A folder with a configuration, and a file of weights with these tensors."""
    from safetensors.torch import save_file

    (folder / "config.json").write_text('{"num_hidden_layers": 2}')
    save_file(tensors or {"a": torch.zeros(2)}, folder / "model.safetensors")
    return folder


@full
def test_a_folder_may_be_made_of_links(tmp_path):
    """As in the cache of Hugging Face's hub, where what nobody needs may be gone."""
    (blobs := tmp_path / "blobs").mkdir()
    (snapshot := tmp_path / "snapshot").mkdir()
    for path in folder_of(blobs).iterdir():
        (snapshot / path.name).symlink_to(path)
    (snapshot / "tf_model.h5").symlink_to(blobs / "gone")
    assert held(snapshot) == held(blobs) == 2


@full
def test_a_header_says_how_much_its_file_holds(tmp_path):
    tensors = {
        "a": torch.zeros(2),
        "b": torch.zeros(2, 1, dtype=torch.bfloat16),
        "c": torch.zeros(1, dtype=torch.int8),
    }
    assert held(folder_of(tmp_path, tensors)) == 2 + 2 + 1


@full
def test_pickled_weights_are_not_loaded(folders, tmp_path):
    from safetensors.torch import load_file

    shutil.copytree(folders["gpt2"], tmp_path / "model")
    weights = tmp_path / "model" / "model.safetensors"
    torch.save(load_file(weights), tmp_path / "model" / "pytorch_model.bin")
    weights.unlink()
    assert refused(lambda: spec(tmp_path / "model", "gpt2").load("cpu")).field == "model.path"


ABSENT = {"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}}
WRONG = {
    "no header": (b"", 0),
    "longer than the file": (b"{}", 10**6),
    "longer than any": (b"{}", 2**63),
    "no JSON": (b"{", 1),
    "deep": (b'{"a":' * 20_000, 10**5),
    "bytes that are not there": (json.dumps(ABSENT).encode(), len(json.dumps(ABSENT))),
}


@full
@pytest.mark.parametrize("name", WRONG)
def test_a_header_that_is_none_is_refused(name, tmp_path):
    header, length = WRONG[name]
    weights = folder_of(tmp_path) / "model.safetensors"
    weights.write_bytes(length.to_bytes(8, "little") + header + bytes(16))
    error = refused(lambda: held(tmp_path))
    assert error.field == "model.path"
    assert error.value == tmp_path
