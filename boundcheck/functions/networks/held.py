"""The limits of what a model's folder may make: no more layers, labels and numbers than its files of weights hold.

A config.json is a page of text, and can ask for a model of any size. So the sizes of files and the headers of weights
are read first, and a module of which the weights hold nothing is refused while the model is built, without memory.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn.modules import module as hooks

from boundcheck.errors import InputError
from boundcheck.system.files import parse_json, read_text
from boundcheck.system.limits import available

# Bytes of a header, and of a JSON file: those of tokenizers are the longest.
_HEADER, _LONGEST = 2**25, 2**26
# A folder within a model's, which transformers reads too.
_TEMPLATES = "additional_chat_templates"
# What a reader of JSON or of a tokenizer takes for a byte of it.
_READ = 32
# Lists of so many entries cost nothing, and a configuration makes them before any module.
_CHEAP = 2**16
_LISTED = re.compile("layer|label|block|depth|attention_types")
# Heads that are drawn, and weights that are tied to others, are in no file: so many more tensors and numbers, and for
# each class a row that is no wider.
_MORE, _FINE, _WIDEST = 64, 2**24, 2**16
# Bits of a number. Integers may hold up to eight numbers each, of models that are quantized.
_BITS = {
    **dict.fromkeys(("F64", "I64", "U64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
}
_PACKED = 8


@dataclass(frozen=True)
class Held:
    """The configuration in a folder, and how much its weights hold."""

    config: Mapping[str, Any]  # what the folder's config.json says
    path: Path  # of the config.json
    tensors: int  # how many there are
    numbers: int  # how many all of them have together

    @contextmanager
    def building(self, classes: int) -> Iterator[None]:
        """Watch a model while it is built, and refuse the first part that the weights cannot fill.

        Raises InputError, which names the field of the configuration that makes it.
        """
        tensors, numbers = 2 * self.tensors + _MORE, 2 * self.numbers + _FINE + classes * _WIDEST
        left = available()

        def parameter(owner: nn.Module, name: str, tensor: Tensor | None) -> None:
            nonlocal tensors, numbers
            if tensor is not None:
                tensors, numbers = tensors - 1, numbers - tensor.numel()
                if min(tensors, numbers) < 0:
                    raise self._refused(f"{type(owner).__name__}.{name}", tensor)

        def buffer(owner: nn.Module, name: str, tensor: Tensor | None) -> None:
            nonlocal left
            if tensor is not None and (left := left - tensor.numel() * tensor.itemsize) < 0:
                raise self._refused(f"{type(owner).__name__}.{name}", tensor)

        watches = (
            hooks.register_module_parameter_registration_hook(parameter),
            hooks.register_module_buffer_registration_hook(buffer),
        )
        try:
            yield
        finally:
            for each in watches:
                each.remove()

    def _refused(self, owner: str, tensor: Tensor) -> InputError:
        """The error that names the field that made a tensor so large, or so many tensors."""
        fields = list(_numbers(self.config, ""))
        sizes = [each for each in fields if each[1] == max(tensor.shape, default=0)]
        listed = [each for each in fields if _LISTED.search(each[0])]
        name, value = max(sizes or listed or fields, key=lambda each: each[1], default=("", math.nan))
        expected = (
            f"a model that its weights can fill: they hold {self.tensors} tensors and {self.numbers} numbers, and this "
            f"makes {owner} of the shape {tuple(tensor.shape)}"
        )
        return InputError(f"config.json: {name}", value, expected)


def held(folder: Path) -> Held:
    """Count what the weights hold, by the headers of safetensors; for pickles, their size gives a bound.

    Raises InputError for a header that cannot be read, or speaks of more than its file has; for a configuration that
    makes longer lists than there are tensors; for a file, such as a tokenizer's, that is too long; and for what is
    neither a file nor a folder, whatever it is called, since transformers opens what it finds.
    """
    for path in (*folder.iterdir(), *(folder / _TEMPLATES).glob("*")):
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise InputError("model.path", path, "files and folders alone; this is a pipe or a device")
    for path in (each for each in folder.iterdir() if each.suffix in (".json", ".txt", ".model", ".jinja")):
        size = _size(path)
        if not path.is_file() or size > _LONGEST or size * _READ > available():
            expected = f"a file of at most {_LONGEST} bytes, of which {_READ} times as many are free in memory"
            raise InputError("model.path", path, f"{expected}; it has {size}")
    tensors = numbers = 0
    for path in folder.glob("*.safetensors"):
        for count in _tensors(path):
            tensors, numbers = tensors + 1, numbers + count
    for size in map(_size, folder.glob("*.bin")):
        # A tensor in a pickle has a name, a shape and an entry in the archive.
        tensors, numbers = tensors + size // 64, numbers + size
    path = folder / "config.json"
    found = Held(read_json(path), path, tensors, numbers)
    most = max(_CHEAP, tensors)
    for name, value in _numbers(found.config, ""):
        # A number in a table of labels is a class, and makes nothing.
        if _LISTED.search(name) and value > most and not name.startswith(("label2id.", "id2label.")):
            raise InputError(f"config.json: {name}", value, f"at most {most}, for weights of {tensors} tensors")
    return found


def _size(path: Path) -> int:
    """The size of a file in bytes; raises InputError for one that cannot be found, such as a link to itself."""
    try:
        return path.stat().st_size
    except OSError as error:
        raise InputError("model.path", path, f"a file that can be read: {error.strerror}") from None


def _tensors(path: Path) -> Iterator[int]:
    """The most numbers that each tensor of a file can have."""
    try:
        with path.open("rb") as file:
            room = path.stat().st_size - 8 - (length := int.from_bytes(file.read(8), "little"))
            if length > _HEADER or room < 0:
                raise ValueError(f"it is said to have {length} bytes, of at most {min(_HEADER, room + length)}")
            entries = parse_json(file.read(length))
        for name, entry in entries.items():
            if name == "__metadata__":
                continue
            first, last = entry["data_offsets"]
            if not 0 <= first <= last or (room := room - (last - first)) < 0:
                raise ValueError(f"{name} is said to be where its file has no bytes")
            kind = entry["dtype"]
            yield (last - first) * 8 // _BITS.get(kind, 8) * (1 if "F" in kind else _PACKED)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        expected = f"weights with a header that can be read ({type(error).__name__}: {error})"
        raise InputError("model.path", path, expected) from None


def _numbers(value: Any, name: str) -> Iterator[tuple[str, float]]:
    """The numbers of a configuration, each with the path of its field."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _numbers(each, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for each in value:
            yield from _numbers(each, name)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, value


def read_json(path: Path) -> Any:
    """The content of a JSON file in a model's folder; raises InputError if it cannot be read."""
    try:
        return json.loads(read_text(path))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError("model.path", path, f"a readable JSON file ({error})") from None
