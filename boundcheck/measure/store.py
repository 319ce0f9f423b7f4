"""The run folder: spec, trace, checkpoint and result, each written so that a kill at any moment loses nothing.

spec.json        the experiment
trace.zarr       the observations (xarray over zarr), grown by whole chunks
checkpoint.pt    the state of Algorithm 1, and what was seen since the last whole chunk; replaced atomically, removed at
                 the end
result.json      verdict and numbers; its presence means that the run is finished
"""

import hashlib
import json
import math
import platform
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
import zarr

from boundcheck.errors import InputError
from boundcheck.files import replace_file
from boundcheck.version import __version__

# A run's numbers depend on these packages of ours; a change in the report does not make a new run.
_CODE_THAT_MATTERS = ("claims", "problems", "measure")


@cache
def code_version(packages: tuple[str, ...] = _CODE_THAT_MATTERS) -> str:
    """A hash of the source that a run's numbers depend on."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def run_id(spec: dict[str, Any], device: str, packages: tuple[str, ...] = _CODE_THAT_MATTERS) -> str:
    """The name of the run of a spec, as JSON: a hash of spec, device and code version."""
    text = json.dumps([spec, device, code_version(packages)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class RunFolder:
    """One run on disk."""

    path: Path

    @classmethod
    def create(
        cls, root: Path, spec: dict[str, Any], device: str, packages: tuple[str, ...] = _CODE_THAT_MATTERS
    ) -> "RunFolder":
        """The folder of a spec, as JSON, under `root`, new or as an earlier call left it."""
        folder = cls(root / run_id(spec, device, packages))
        try:
            folder.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError("runs", root, f"a folder that can be written ({error.strerror})") from None
        replace_file(folder.path / "spec.json", _json(spec).encode())
        return folder

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """A finished run; raises InputError where there is none."""
        folder = cls(path)
        if folder.result() is None:
            raise InputError("RUN", path, "the folder of a finished run, with a result.json in it")
        return folder

    @property
    def id(self) -> str:
        """The run's id, the folder's name."""
        return self.path.name

    def result(self) -> dict[str, Any] | None:
        """The stored result, or None for a run that has not finished."""
        path = self.path / "result.json"
        if not path.is_file():
            return None
        try:
            result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            raise InputError("RUN", self.path, "a result.json that is valid JSON") from None
        return result

    def finish(self, result: dict[str, Any]) -> dict[str, Any]:
        """Store the result, drop the checkpoint (a kill between the two does no harm), and return what was stored."""
        text = _json(result)
        replace_file(self.path / "result.json", text.encode())
        (self.path / "checkpoint.pt").unlink(missing_ok=True)
        stored: dict[str, Any] = json.loads(text)
        return stored

    def checkpoint(self) -> dict[str, Any] | None:
        """The last whole state, or None."""
        path = self.path / "checkpoint.pt"
        return torch.load(path, weights_only=True) if path.is_file() else None

    def save_checkpoint(self, state: dict[str, Any]) -> None:
        """Replace the checkpoint by `state`, atomically."""
        replace_file(self.path / "checkpoint.pt", lambda temporary: torch.save(state, temporary))

    def start_trace(self, empty: xr.Dataset, chunk: dict[str, int]) -> None:
        """Write an empty trace, whose chunks `extend_trace` fills."""
        sizes = {name: tuple(chunk.get(str(d), empty.sizes[d]) for d in x.dims) for name, x in empty.items()}
        encoding = {name: {"chunks": size} for name, size in sizes.items()}
        empty.to_zarr(self.path / "trace.zarr", mode="w", encoding=encoding, consolidated=False)
        # Those of an earlier trace are no more.
        self.__dict__.pop("_arrays", None)

    def extend_trace(self, part: xr.Dataset, dimension: str, start: int) -> None:
        """Write whole chunks of the trace, from index `start` of `dimension` on.

        By zarr itself: xarray reads the whole folder before each write, which takes longer than the steps between two.
        """
        chunk = slice(start, start + part.sizes[dimension])
        for name, x in part.variables.items():
            if dimension in x.dims:
                self._arrays[str(name)][tuple(chunk if d == dimension else slice(None) for d in x.dims)] = x.values

    @cached_property
    def _arrays(self) -> dict[str, Any]:
        """The trace's arrays, opened once."""
        return dict(zarr.open_group(self.path / "trace.zarr", mode="r+", use_consolidated=False).arrays())

    def trace(self) -> xr.Dataset:
        """The trace, loaded whole."""
        with xr.open_zarr(self.path / "trace.zarr", consolidated=False) as trace:
            return trace.load()


def environment(device: str, packages: tuple[str, ...] = _CODE_THAT_MATTERS) -> dict[str, Any]:
    """What a reader needs to run it again: versions, processor threads and device."""
    return {
        "boundcheck": __version__,
        "code": code_version(packages),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.startswith("cuda") else device,
    }


def _finite(value: Any) -> Any:
    """The same plain data with null for NaN and infinities, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _json(value: Any) -> str:
    return json.dumps(_finite(value), indent=1, sort_keys=True, allow_nan=False) + "\n"
