"""The run folder: spec, trace, checkpoint and result, each written so that a kill at any moment
loses nothing.

spec.json        the experiment
trace.zarr       the observations (xarray over zarr), grown by whole chunks
checkpoint.pt    the state of Algorithm 1, what was seen since the last whole chunk, and digests of
                 those before it; replaced atomically. That of the end stays where the run can be
                 judged again
result.json      verdict and numbers, with their digest and the trace's; its presence means that the
                 run is finished

Digests are SHA-256 hashes of what was written. A finished run that does not match them is refused,
and one that is resumed starts afresh. They guard against damage and sign nothing: anybody can
change a file and hash it again. So `boundcheck.experiment.experiment` judges a finished run again
from its trace.
"""

import hashlib
import io
import itertools
import json
import math
import os
import platform
import re
import stat
import sys
import warnings
import zipfile
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import scipy.linalg
import torch
import xarray as xr
import zarr
from filelock import FileLock, Timeout
from threadpoolctl import threadpool_info, threadpool_limits

from boundcheck.errors import InputError, raised
from boundcheck.experiment.result import BracketResult, RunResult, read, text
from boundcheck.experiment.spec import ITERATING
from boundcheck.functions.arithmetic import at_most
from boundcheck.functions.networks.function import LOOKS, OBSERVABLES
from boundcheck.language.catalogue import catalogue
from boundcheck.shown import visible
from boundcheck.system.files import (
    Json,
    asking,
    half_written,
    parse_json,
    read_text,
    replace_file,
)
from boundcheck.system.limits import Tick, available
from boundcheck.version import __version__

NUMERICS = 1
"""The number of the numerics, which stands in the id and the environment of every run.

Raise it in a change after which a run of the same spec comes to other numbers, or to another
verdict: stored runs are then not read back, and half-finished ones start afresh. `tests/goldens`
fails where they change and it does not. What changes neither, a comment or another page, leaves
runs as they are.
"""

Found = TypeVar("Found", RunResult, BracketResult)
# Of a SHA-256 hash, in bytes.
_DIGEST_SIZE = 32
# What zarr writes below a trace's folder: a table of each array, and its chunks, which a kill
# leaves half-written.
_OF_ZARR = re.compile(r"([^/]+/)?(zarr|c(/[0-9]+)*)(\.json|\.[0-9a-f]{32}\.partial)?")
# What each run of an algorithm has at each audit; some have more, and those of a bracket have other
# dimensions.
_AUDITED = ("replica", "stratum")
_LOOKED = ("replica", "look")
_ALWAYS = (
    "time",
    "loss",
    "gradient_square_norm",
    "noise_variance",
    "step_length",
    "path_smoothness",
)
_OF_BRACKETS = {
    "pair_ratio": ("pair",),
    "iterate_ratio": ("step", "replica"),
    "curvature": ("point",),
    "ascent": ("start",),
    "split": ("part", "row", "column", "look"),
    "look_time": ("look",),
}
# What is said of an array; others would make dates or other numbers of it. A fill value is NaN, as
# xarray writes it.
_ATTRIBUTES = {"meaning", "parts", "blocks", "_FillValue"}
_NAN = "AAAAAAAA+H8="
# Of the table of an array what is the same in all.
_TABLE: Json = {
    "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
    "codecs": [
        {"name": "bytes", "configuration": {"endian": "little"}},
        {"name": "zstd", "configuration": {"level": 0, "checksum": False}},
    ],
    "zarr_format": 3,
    "node_type": "array",
    "storage_transformers": [],
}
# The arrays of integers.
_WHOLE = {"time", "look_time", "replica", "stratum"}
# The fields of [bracket] that say how many numbers lie along a dimension, and the attributes that
# name them.
_OF_A_BRACKET = {
    "pair": "pairs",
    "step": "iterates",
    "point": "points",
    "start": "ascents",
    "look": "looks",
}
_NAMED = (("part", "parts"), ("row", "blocks"), ("column", "blocks"))
# What a checkpoint has in it.
_SAVED = {"run_id": str, "environment": dict, "trace": dict, "state": dict}
# Seconds between two looks at whether another process has finished.
_POLL = 1.0
# Of the sides of matrices, and of terms of a sum, whose bits are hashed: enough for every width of
# vectors, and less than threads share.
_SIDE = 33
_TERMS = 2**12


def run_id(spec: Json, device: str, content: str = "") -> str:
    """The name of a run: a hash of its spec, as JSON, device, `NUMERICS`, what its claim says, and
    its content.
    """
    claim = catalogue.get(str(spec.get("claim")))
    said = claim.digest if claim else None
    named = json.dumps([spec, device, NUMERICS, said, content], sort_keys=True)
    return hashlib.sha256(named.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class RunFolder:
    """A run on disk, for the process that runs it; `finished` reads what it left.

    Its environment is what the numbers depend on beside spec and device; a run is resumed in the
    same one alone.
    """

    path: Path
    environment: Json
    # The digest of each file of the trace as it was written, by its path below trace.zarr.
    _written: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, root: Path, spec: Json, device: str, content: str = "") -> "RunFolder":
        """The folder of a spec, as JSON, and of what it is run on, under `root`, whether there is
        one or not.

        Raises InputError where it, or something in it, is no file and no folder; what a run writes
        and removes is its own, and a link would lead elsewhere. The way to `root` may have links.
        """
        path = root / run_id(spec, device, content)
        if path.is_symlink():
            raise InputError("RUN", path, "a folder, and no link to one")
        _files(path)
        return cls(path, environment(device))

    @classmethod
    def create(cls, root: Path, spec: Json, device: str, content: str = "") -> "RunFolder":
        """The folder that `of` gives, made new, or as an earlier call left it."""
        folder = cls.of(root, spec, device, content)
        with asking("runs", root, "a folder that can be written"):
            folder.path.mkdir(parents=True, exist_ok=True)
            replace_file(folder.path / "spec.json", text(spec).encode())
        return folder

    @property
    def id(self) -> str:
        return self.path.name

    @contextmanager
    def held(self, tick: Tick) -> Iterator[None]:
        """Wait for a process that runs it, and keep others from it; remove what a killed one left
        half-written.
        """
        lock = FileLock(self.path / ".lock")
        try:
            with _writing(self.path):
                while not lock.is_locked:
                    try:
                        lock.acquire(timeout=_POLL)
                    except Timeout:
                        tick(f"another process runs {self.id}; waiting for it", 0, 1)
                for left, *_ in half_written(self.path):
                    left.unlink(missing_ok=True)
            yield
        finally:
            lock.release()

    def result(self) -> RunResult | BracketResult | None:
        """The stored result, or None for a run that has not finished.

        Raises InputError where result, trace and spec are not as one run left them, or are another
        run's.
        """
        if not os.path.exists(self.path / "result.json"):
            return None
        result = _result_in(self.path)
        if result.run_id != self.id:
            raise InputError(
                "RUN", self.path, f"its own result; its result.json is that of {result.run_id}"
            )
        return result

    def finish(self, result: Found, is_judged_again: bool = False) -> Found:
        """Store the result with what its claims say, and return what was stored.

        The checkpoint stays where the run `is_judged_again` when it is read.
        """
        said = {id: catalogue[id].digest for id in sorted(result.named) if id in catalogue}
        stored = replace(result, said=said).as_json()
        # Before anything is written: what is stored can be read.
        kept = read(stored)
        if not isinstance(kept, type(result)):
            raise TypeError(
                "expected a result that is read as what it was written from, got"
                f" {type(result).__name__}"
            )
        digests = {"result": _digest_of(stored), "trace": _digest_of(self._written)}
        with _writing(self.path):
            replace_file(self.path / "result.json", text(stored | {"digests": digests}).encode())
            if not is_judged_again:
                (self.path / "checkpoint.pt").unlink(missing_ok=True)
        return kept

    def checkpoint(self, fits: Callable[[Json], bool]) -> Json | None:
        """The last whole state, or None where there is none from which the run would end as if it
        had not stopped.

        It is None where the checkpoint or a chunk of the trace before it is damaged, where the
        state does not pass `fits`, and in another environment, which may sum in another order. One
        line on stderr says which; the run then starts afresh, and ends as any other.
        """
        if not (self.path / "checkpoint.pt").is_file():
            return None
        self._check_own()
        saved, why = self.saved(self.id)
        why = why or self.elsewhere(saved)
        if why or not fits(saved["state"]):
            said = why or "checkpoint.pt is damaged"
            print(
                visible(f"boundcheck: {self.path}: {said}; the run starts afresh"), file=sys.stderr
            )
            return None
        # What was written after the checkpoint, perhaps not whole, is written again.
        for name in _digests(self.path / "trace.zarr").keys() - saved["trace"].keys():
            (self.path / "trace.zarr" / name).unlink()
        self._written.update(saved["trace"])
        return dict(saved["state"])

    def saved(self, id: str) -> tuple[Json, str]:
        """The content of the checkpoint, and why the run of this id cannot go on from it; no reason
        where it can.
        """
        path = self.path / "checkpoint.pt"
        saved = {}
        # Anybody can hash anything, and torch raises all kinds of errors.
        with suppress(Exception):
            sealed = path.read_bytes()
            if sealed[:_DIGEST_SIZE] == hashlib.sha256(sealed[_DIGEST_SIZE:]).digest():
                content = io.BytesIO(sealed[_DIGEST_SIZE:])
                # torch compresses nothing, and would unpack what somebody else did.
                if all(
                    x.compress_type == zipfile.ZIP_STORED
                    for x in zipfile.ZipFile(content).infolist()
                ):
                    content.seek(0)
                    saved = dict(torch.load(content, weights_only=True))
        if not all(isinstance(saved.get(name), kind) for name, kind in _SAVED.items()):
            return {}, "checkpoint.pt is damaged"
        if saved["run_id"] != id:
            return {}, f"checkpoint.pt is that of {saved['run_id']}"
        there = _digests(self.path / "trace.zarr")
        for name, digest in saved["trace"].items():
            if there.get(name) != digest:
                return {}, f"trace.zarr/{name} is {'damaged' if name in there else 'missing'}"
        return saved, ""

    def elsewhere(self, saved: Json) -> str:
        """How the environment differs from that of a checkpoint; empty where it does not."""
        for name, value in self.environment.items():
            if (before := saved["environment"].get(name)) != value:
                # What a stranger's file holds may take many lines.
                begun = " ".join(str(before).split())
                return f"it was begun with {name} = {begun}, which is now {value}"
        return ""

    def save_checkpoint(self, state: Json) -> None:
        """Replace the checkpoint by `state`, atomically."""
        bound = {
            "run_id": self.id,
            "environment": self.environment,
            "trace": dict(sorted(self._written.items())),
        }
        content = io.BytesIO()
        torch.save(bound | {"state": state}, content)
        # torch writes checksums, but does not look at them.
        digest = hashlib.sha256(content.getbuffer()).digest()
        with _writing(self.path):
            replace_file(self.path / "checkpoint.pt", digest + content.getbuffer())

    def start_trace(self, empty: xr.Dataset, chunk: dict[str, int]) -> None:
        """Write an empty trace, whose chunks `extend_trace` fills; an earlier one's result and
        checkpoint are removed.

        Raises InputError where something else than a file or a trace is in the place of one, or in
        a trace.
        """
        sizes = {
            name: tuple(chunk.get(str(d), empty.sizes[d]) for d in x.dims)
            for name, x in empty.items()
        }
        encoding = {name: {"chunks": size} for name, size in sizes.items()}
        self._check_own()
        with _writing(self.path):
            for name in ("result.json", "checkpoint.pt"):
                (self.path / name).unlink(missing_ok=True)
            empty.to_zarr(
                self.path / "trace.zarr",
                mode="w",
                encoding=encoding,
                consolidated=False,
                zarr_format=3,
            )
        self.__dict__.pop("_arrays", None)
        self._written.clear()
        self._written.update(_digests(self.path / "trace.zarr"))

    def extend_trace(self, part: xr.Dataset, dimension: str, start: int) -> None:
        """Write whole chunks of the trace, from index `start` of `dimension` on.

        It uses zarr itself: xarray reads the whole folder before each write, which takes longer
        than the steps between two.
        """
        chunk = slice(start, start + part.sizes[dimension])
        for name, x in part.variables.items():
            if dimension in x.dims:
                array = self._arrays[str(name)]
                where = tuple(chunk if d == dimension else slice(0, part.sizes[d]) for d in x.dims)
                with _writing(self.path):
                    array[where] = x.values
                # What has no entries is in no file, and its chunks have no size.
                sizes = (max(size, 1) for size in array.chunks)
                places = (
                    range(x.start // n, -(-x.stop // n)) for x, n in zip(where, sizes, strict=True)
                )
                for place in itertools.product(*places):
                    file = f"{name}/{array.metadata.encode_chunk_key(place)}"
                    path = self.path / "trace.zarr" / file
                    # Zarr leaves out those of nothing but NaN.
                    if path.is_file():
                        self._written[file] = _digest(path)
                    else:
                        self._written.pop(file, None)

    def _check_own(self) -> None:
        """Refuse a trace with something in it that zarr never wrote: it is somebody's, and would be
        removed with it.
        """
        for name in _traced(self.path / "trace.zarr"):
            if not _OF_ZARR.fullmatch(name):
                raise InputError(
                    "RUN",
                    self.path,
                    f"a trace.zarr with nothing in it but a trace; {name} is none of it",
                )

    @cached_property
    def _arrays(self) -> Json:
        with _of_strangers():
            group = zarr.open_group(
                self.path / "trace.zarr", mode="r+", use_consolidated=False, zarr_format=3
            )
            return dict(group.arrays())

    def trace(self) -> xr.Dataset:
        """The trace that this process wrote or resumed, loaded whole; raises InputError where a
        file has changed.
        """
        there = _digests(self.path / "trace.zarr")
        if there != self._written:
            name = sorted(dict(there.items() ^ self._written.items()))[0]
            raise InputError(
                "RUN", self.path, f"a trace that nobody else writes; trace.zarr/{name} was changed"
            )
        return _opened(self.path)


def finished(path: Path) -> tuple[RunResult | BracketResult, xr.Dataset]:
    """Result and trace of a finished run, whatever its folder is called.

    Raises InputError for a folder that holds none, where result, trace and spec are not as one run
    left them, and for a
    trace that cannot be read, or has what no such run writes: anybody can write another, and hash
    it.
    """
    if not os.path.exists(path / "result.json"):
        raise InputError("RUN", path, "the folder of a finished run, with a result.json in it")
    result = _result_in(path)
    try:
        _check_trace(path / "trace.zarr", result)
        return result, _opened(path)
    # Zarr, its codecs and xarray raise all kinds of errors.
    except Exception as error:
        why = error.expected if isinstance(error, InputError) else raised(error)
        raise InputError("RUN", path, f"a trace.zarr as its run wrote it: {why}") from None


def _result_in(path: Path) -> RunResult | BracketResult:
    """The result of a folder, after it was held against its digests, the spec and the trace."""
    _files(path)
    result = _read(path, "result.json")
    digests = result.pop("digests", None) if isinstance(result, dict) else None
    if not isinstance(digests, dict) or digests.keys() != {"result", "trace"}:
        raise InputError(
            "RUN", path, "a finished run; its result.json has no digests, as boundcheck writes them"
        )
    if digests["result"] != _digest_of(result):
        raise InputError("RUN", path, "the result that the run wrote; its result.json was changed")
    if text(_read(path, "spec.json")) != text(result.get("spec")):
        raise InputError(
            "RUN", path, "one experiment; the specs in spec.json and result.json differ"
        )
    if digests["trace"] != _digest_of(_digests(path / "trace.zarr")):
        raise InputError(
            "RUN", path, "the trace that the result was computed from; its trace.zarr was changed"
        )
    try:
        return read(result)
    except InputError as error:
        raise InputError("RUN", path, f"a result that this boundcheck reads ({error})") from None


def _read(path: Path, name: str) -> Any:
    try:
        return parse_json(read_text(path / name))
    except (OSError, ValueError) as error:
        raise InputError("RUN", path, f"a {name} that is valid JSON ({error})") from None


def _check_trace(trace: Path, result: RunResult | BracketResult) -> None:
    """Refuse, before zarr opens it, a trace that no run with this result and its spec writes.

    Every field of every table is what zarr writes for a run, or within what the spec gives; a chunk
    unpacks to its own size. So nobody's trace takes more memory than the run that it says it is of.
    """
    files = _traced(trace)
    group = parse_json(read_text(trace / "zarr.json"))
    names = group.get("attributes", {})
    if group != {"attributes": names, "zarr_format": 3, "node_type": "group"} or not _is_text(
        names, names
    ):
        raise InputError(
            "zarr.json", group, "zarr.json of a group of arrays, with texts as attributes"
        )
    arrays = {name.partition("/")[0] for name in files if name != "zarr.json"}
    tables = {name: parse_json(read_text(trace / name / "zarr.json")) for name in sorted(arrays)}
    if isinstance(result, BracketResult):
        most = _sizes(result.spec.get("bracket"), _OF_A_BRACKET) | {"replica": ITERATING}
        # Parts and blocks are named by their array.
        split = tables.get("split", {}).get("attributes", {})
        most |= {dim: len(str(split.get(names)).split()) for dim, names in _NAMED}
        needed: tuple[str, ...] = ()
    else:
        most = _sizes(result.spec.get("run"), {"look": "looks"})
        needed = _ALWAYS
        run = result.spec["run"]
        steps = result.plan.steps
        # A training run is looked at every few steps of those that were asked for; of others the
        # last two count.
        strata = (
            max(min(run["audits"] or steps, steps), 2)
            if "audits" in run
            else -(-run["steps"] // run["every"])
        )
        most |= {"replica": result.settings.run.replicas, "stratum": strata}
        most |= {dim: str(names.get(f"{dim}s")).count("\n") + 1 for dim in ("site", "block")}
    if any("look" in table["dimension_names"] for table in tables.values()):
        needed = (*needed, "look_time")
    for name in needed:
        if name not in tables:
            raise InputError(name, "(missing)", f"{name} in it")
    sizes: dict[str, int] = {}
    bytes_of: dict[str, int] = {}
    for name, table in tables.items():
        # One that has a dimension's name lies along it.
        dims: tuple[str, ...] = (name,)
        if isinstance(result, BracketResult):
            dims = _OF_BRACKETS.get(name, dims)
        elif name == "look_time" or name in LOOKS:
            dims = _LOOKED
        elif name not in _AUDITED:
            dims = _AUDITED + (
                OBSERVABLES[name].dims if result.estimates and name in OBSERVABLES else ()
            )
        shape = table["shape"]
        chunk = table["chunk_grid"]["configuration"]["chunk_shape"]
        said = table["attributes"]
        is_whole = name in _WHOLE
        as_written = _TABLE | {
            "shape": shape,
            "data_type": "int64" if is_whole else "float64",
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunk}},
            "fill_value": 0 if is_whole else "NaN",
            "attributes": said,
            "dimension_names": list(dims),
        }
        if (
            table != as_written
            or not _is_text(said, _ATTRIBUTES)
            or said.get("_FillValue", _NAN) != _NAN
            or not len(shape) == len(chunk) == len(dims)
        ):
            raise InputError(
                name, table, f"{name} as zarr writes numbers of 64 bits along {', '.join(dims)}"
            )
        for dim, size, part in zip(dims, shape, chunk, strict=True):
            fits = type(size) is type(part) is int and 0 <= part <= max(size, 1)
            if not fits or sizes.setdefault(dim, size) != size or size > most.get(dim, 0):
                raise InputError(
                    name,
                    size,
                    f"{sizes.get(dim)} numbers in {name} along {dim}, {most.get(dim, 0)} at most,"
                    " by the spec",
                )
        bytes_of[name] = 8 * math.prod(chunk)
    for file, path in files.items():
        name, _, rest = file.partition("/")
        if rest.startswith("c/") and _unpacked(path) != bytes_of[name]:
            raise InputError(file, _unpacked(path), f"{bytes_of[name]} bytes in {file}, unpacked")
    if sum(8 * math.prod(table["shape"]) for table in tables.values()) > available():
        raise InputError("trace.zarr", sizes, "arrays that there is memory for")


def _sizes(table: Any, fields: dict[str, str]) -> dict[str, int]:
    """The most numbers along each dimension, by the field of a table of the spec that says it."""
    return {dim: table[field] for dim, field in fields.items() if field in table}


def _is_text(table: Json, names: Container[str]) -> bool:
    return all(name in names and isinstance(value, str) for name, value in table.items())


def _unpacked(path: Path) -> int:
    """The bytes that a frame of Zstandard says it unpacks to (RFC 8878, 3.1.1.1); -1 where it does
    not say.
    """
    with path.open("rb") as file:
        head = file.read(18)
    if len(head) < 6 or head[:4] != b"\x28\xb5\x2f\xfd":
        return -1
    flag = head[4] >> 6
    single = head[4] >> 5 & 1
    begin = 5 + (1 - single) + (0, 1, 2, 4)[head[4] & 3]
    length = (single, 2, 4, 8)[flag]
    # A size of two bytes counts from 256.
    return (
        int.from_bytes(head[begin : begin + length], "little") + 256 * (flag == 1) if length else -1
    )


def _opened(path: Path) -> xr.Dataset:
    # In no chunks: with them dask, where it is installed, reads in threads what is to be read
    # whole.
    with (
        _of_strangers(),
        xr.open_zarr(path / "trace.zarr", chunks=None, consolidated=False, zarr_format=3) as trace,
    ):
        # As the alphabet has them: zarr lists arrays in the order of the disk, and exports are to
        # be the same anywhere.
        return trace.load()[sorted(map(str, trace.variables))]


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Name the run where a file of it cannot be written, such as on a full disk; what was saved
    before is kept.
    """
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise InputError(
            "RUN",
            path,
            f"a folder that can be written ({why}); the same command goes on from the last"
            " checkpoint",
        ) from None


@contextmanager
def _of_strangers() -> Iterator[None]:
    """Silence warnings of what is in a trace's folder and is not zarr's, such as hidden files."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Object at .* is not recognized", UserWarning)
        yield


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest_of(value: Any) -> str:
    """The digest of plain data, however its JSON is laid out."""
    return hashlib.sha256(text(value).encode()).hexdigest()


def _files(run: Path) -> list[Path]:
    """The files in the folder of a run, in order.

    Raises InputError for what is neither a file nor a folder: a link leads elsewhere, a pipe or a
    device has no end.
    """
    found = []
    for path in sorted(
        Path(place, name) for place, *names in os.walk(run) for name in itertools.chain(*names)
    ):
        # Another process may have removed it since.
        with suppress(OSError):
            mode = path.lstat().st_mode
            if stat.S_ISREG(mode):
                found.append(path)
            elif not stat.S_ISDIR(mode):
                inner = path.relative_to(run).as_posix()
                raise InputError(
                    "RUN", run, f"files and folders alone; {inner} is a link, a pipe or a device"
                )
    return found


def _traced(folder: Path) -> dict[str, Path]:
    """The files of a trace by their names below its folder; hidden ones, which systems leave
    anywhere, are none.
    """
    files = (
        path
        for path in _files(folder.parent)
        if folder in path.parents and not path.name.startswith(".")
    )
    return {path.relative_to(folder).as_posix(): path for path in files}


def _digests(folder: Path) -> dict[str, str]:
    """The digest of each file of a trace; raises InputError for one that cannot be read."""
    try:
        return {name: _digest(path) for name, path in _traced(folder).items()}
    except OSError as error:
        raise InputError(
            "RUN",
            folder.parent,
            f"a trace.zarr that can be read ({error.strerror}: {error.filename})",
        ) from None


def environment(device: str) -> Json:
    """All that a reader needs to run it again to the bit: versions, `bits`, processor threads and
    device.
    """
    try:
        numba = version("numba")
    except PackageNotFoundError:
        numba = "not installed"
    return {
        "boundcheck": __version__,
        "numerics": NUMERICS,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "numba": numba,
        **bits(),
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.startswith("cuda") else device,
    }


@cache
def bits() -> Json:
    """All that the last bits of numbers depend on beside versions.

    Returns:
        ``vectors``, the instructions that PyTorch uses; ``blas``, NumPy's and SciPy's, each with
        its version and the kind of processor that it takes this one for; ``compiled``, whether
        numba compiles loops; and ``arithmetic``, a hash of the bits of a few sums, products and
        factors, which sees what has no name, such as MKL's own settings.

    """
    # Other packages bring their own BLAS, which are there or not as those were imported or not.
    site = Path(np.__file__).resolve().parents[1]
    found = [each for each in threadpool_info() if each["user_api"] == "blas"]
    paths = [Path(each["filepath"]).resolve() for each in found]
    ours = [
        each
        for each, path in zip(found, paths, strict=True)
        if path.is_relative_to(site)
        and path.relative_to(site).parts[0].startswith(("numpy", "scipy"))
    ]
    told = {
        " ".join(filter(None, (each["internal_api"], each["version"], each.get("architecture"))))
        for each in ours or found
    }
    digest = hashlib.sha256()
    # From one thread, and memory as PyTorch aligns it: on one machine always the same.
    with at_most(1), threadpool_limits(1, user_api="blas"):
        x = torch.arange(1, _TERMS + 1, dtype=torch.float64).sqrt()
        square = x[: _SIDE**2].reshape(_SIDE, _SIDE).sin()
        stack = x[: 3 * _SIDE].reshape(3, _SIDE, 1) @ x[: 3 * _SIDE].reshape(3, 1, _SIDE).cos()
        tensors = [x.sum(), (x * x.log()).mean(), x.exp().tanh(), square @ square, stack @ square]
        tensors.append(stack.float() @ square.float())
        tensors += [
            torch.linalg.matrix_norm(square),
            torch.linalg.svdvals(square),
            torch.softmax(square, 1),
        ]
        plain = square.numpy()
        others = [
            plain @ plain,
            plain.sum(),
            np.exp(plain),
            np.linalg.svd(plain)[1],
            scipy.linalg.svdvals(plain),
        ]
    for each in (*(part.numpy() for part in tensors), *others):
        digest.update(np.asarray(each).tobytes())
    return {
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "blas": ", ".join(sorted(told)),
        "compiled": (
            find_spec("numba") is not None and os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")
        ),
        "arithmetic": digest.hexdigest()[:12],
    }
