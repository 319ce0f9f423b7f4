"""Malformed inputs: specs, numbers, instances, runs, texts and models' folders, each spoilt
by a seed.

Each is read, planned and checked, and must be refused in one line, or accepted where the spoiling
left it sound: without a traceback, within 20 s, and within 2 GiB beyond what Python and torch map
at their start. What is accepted is
not run: a run may take as long as its user wants.
"""

from __future__ import annotations

import copy
import json
import math
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial, reduce
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from random import Random
from threading import Lock
from typing import Any

import numpy as np
import torch

from boundcheck.experiment import measure
from boundcheck.experiment.experiment import prepare
from boundcheck.experiment.spec import specs_of
from boundcheck.experiment.store import finished
from boundcheck.functions.adapters import LoRA
from boundcheck.language.catalogue import catalogue
from boundcheck.system.terminal import assignments_of
from boundcheck.worst_case import falsify
from boundcheck.worst_case.relation import Assignment
from boundcheck.worst_case.search import Search
from boundcheck.worst_case.short_run import ShortRun
from boundcheck.worst_case.stored import replayed
from soundness.processes import command, ended, fault_of, kept
from soundness.trial import Trial

# Ways to spoil sound inputs. Everything is drawn from the given `Random`, so that the same seed
# spoils alike

Place = tuple[int | str, ...]


class Raw(str):
    """A text that is written into a file as it is."""


class Again(str):
    """A key that differs from an equal text, so that a table may hold both."""

    __slots__ = ()
    __eq__ = object.__eq__
    __hash__ = object.__hash__


_NAMES = (
    *("", " ", "L ", "kind", "ｒａｎｋ", "rаnk", "\x1b[2K", "\u202erank", "a\nb"),
    *("__class__", "__import__('os')", "x" * 5000, "🦎", "../../x", "NaN", "-"),
)
_VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2,
        3,
        7,
        64,
        512,
        4096,
        2**20,
        10**6,
        2**31,
        2**63,
        10**30,
        -(10**400),
    ),
    *(
        0.0,
        -0.0,
        0.5,
        1e-320,
        1e-200,
        1e-30,
        1e30,
        1e200,
        1e308,
        -1.5,
        math.nan,
        math.inf,
        -math.inf,
    ),
    *_NAMES,
    *("1", "1/0", "inf", "1e400", "9**9**9**9", "sqrt(-1)", "-" * 2000, "bound.doit()"),
    *("Lhat*2", "bound/2", "(" * 200, "1+" * 600 + "1", "½", "٣", "informative", "16/r"),
    *([], {}, [[]], [1, 2, 3], [None] * 20_000, list(range(101)), {"kind": "lora"}),
    *map(
        Raw,
        (
            "[" * 40 + "1" + "]" * 40,
            "[" * 3000 + "1" + "]" * 3000,
            '{"a": 1, "a": 2}',
            "1e400",
            "0x1F",
        ),
    ),
    {str(i): i for i in range(3000)},
)


def spoilt(random: Random, data: Any) -> tuple[Any, str]:
    """A copy of plain data that is changed in one place, or in two or three; and the changes in
    words.
    """
    found = copy.deepcopy(data)
    words = []
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        found, said = _spoilt_once(random, found)
        words.append(said)
    return found, "; ".join(words)


def _spoilt_once(random: Random, data: Any) -> tuple[Any, str]:
    def value() -> Any:
        # A copy: what is drawn may be changed afterwards.
        return copy.deepcopy(random.choice(_VALUES))

    paths = list(_places(data))
    if not paths or random.random() < 0.01:
        return value(), "all of it replaced"
    *above, last = path = random.choice(paths)
    holder = reduce(lambda inside, step: inside[step], above, data)
    where = ".".join(map(str, path))
    draw = random.random()
    if draw < 0.5:
        holder[last] = value()
        said = f"replaced by {_short(holder[last])}"
    elif draw < 0.6:
        del holder[last]
        said = "left out"
    elif draw < 0.7:
        other = random.choice(paths)
        holder[last] = copy.deepcopy(reduce(lambda inside, step: inside[step], other, data))
        said = f"replaced by what {'.'.join(map(str, other))} is"
    elif draw < 0.8:
        holder[last] = random.choice(
            ([holder[last]], {"kind": holder[last]}, str(holder[last]), [holder[last]] * 2)
        )
        said = "wrapped"
    elif draw < 0.9 and type(holder[last]) in (int, float) and abs(holder[last]) < 1e200:
        holder[last] *= random.choice((-1, 0, 2, 10, 1000, 1e-9, 1e9, 1e100))
        said = f"scaled to {_short(holder[last])}"
    elif isinstance(holder, list):
        holder.insert(random.randrange(len(holder) + 1), value())
        return data, f"one more than {where}"
    else:
        name = random.choice((*_NAMES, str(last)[:-1], f"{last}s", str(last).upper()))
        if draw < 0.92:
            holder[Again(last)] = copy.copy(holder[last]) if random.random() < 0.5 else value()
            said = "twice"
        else:
            holder[name] = holder.pop(last) if draw < 0.96 else value()
            said = f"{'called' if draw < 0.96 else 'beside'} {_short(name)}"
    return data, f"{where} {said}"


def _places(data: Any, path: Place = ()) -> Iterator[Place]:
    """The path of everything inside tables and lists, as deep as people write by hand."""
    items: list[tuple[Any, Any]] = []
    if isinstance(data, dict):
        items = list(data.items())
    elif isinstance(data, list):
        items = list(enumerate(data))[:50]
    for key, value in items if len(path) <= 30 else ():
        yield (*path, key)
        yield from _places(value, (*path, key))


def _short(value: Any) -> str:
    try:
        text = ascii(value)
    except (ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= 60 else f"{text[:60]}..."


_PIECES = (
    *(b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\r\n", b"\n", b"\x1b[31m", b"\\ud800", b"\\u0000"),
    *(mark.encode() for mark in ("=", '"', "'", "{", "}", "[", "]", ",", "#", "-")),
    *(
        word.encode()
        for word in ("ｒ", "σ", "\u202e", "1e999", "NaN", "Infinity", "null", "true", "9" * 5000)
    ),
    *(word.encode() for word in ("[" * 3000, '{"a":' * 3000, "a" * 100_000)),
)


def spoilt_bytes(random: Random, content: bytes) -> tuple[bytes, str]:
    """A file's content with a few bytes changed, removed, doubled or inserted; and the change in
    words.
    """
    draw = random.random()
    at = random.randrange(len(content) + 1)
    if draw < 0.03:
        return b"", "nothing in it"
    if draw < 0.08:
        return random.randbytes(random.choice((1, 16, 1000, 100_000))), "random bytes"
    if draw < 0.2:
        return content[:at], f"cut off after {at} bytes"
    if draw < 0.4:
        flipped = bytearray(content)
        for _ in range(random.choice((1, 1, 2, 8))):
            place = random.randrange(len(content))
            flipped[place] ^= 1 << random.randrange(8)
        return bytes(flipped), "bits flipped"
    if draw < 0.5:
        end = at + random.choice((1, 3, 20, 200))
        return content[:at] + content[end:], f"bytes {at} to {end} lost"
    if draw < 0.6:
        end = at + random.choice((1, 20, 200))
        return content[:end] + content[at:end] + content[end:], f"bytes {at} to {end} twice"
    if draw < 0.65:
        # Bytes that are not text are replaced.
        return content.decode(errors="replace").encode("utf-16"), "in UTF-16"
    if draw < 0.7:
        lines = content.splitlines(keepends=True)
        random.shuffle(lines)
        return b"".join(lines), "lines in another order"
    if draw < 0.8:
        numbers = list(re.finditer(rb"\d+", content))
        if numbers:
            match = random.choice(numbers)
            other = random.choice(
                (b"0", b"-1", b"1e400", b"9" * 5000, b"1e-400", b"0x10", b"1_0", "٣".encode())
            )
            return (
                content[: match.start()] + other + content[match.end() :],
                f"{_short(other)} for a number",
            )
    piece = random.choice(_PIECES)
    return content[:at] + piece + content[at:], f"{_short(piece)} at byte {at}"


# What may stand where a file was, given its path and another file.
_INSTEAD: dict[str, Callable[[Path, Path], object]] = {
    "removed": lambda path, other: None,
    "a folder": lambda path, other: path.mkdir(),
    "a link to another's file": lambda path, other: path.symlink_to(other.resolve()),
    "a link to nothing": lambda path, other: path.symlink_to("nothing"),
    "a link to itself": lambda path, other: path.symlink_to(path.name),
    "a pipe": lambda path, other: os.mkfifo(path),
    "/dev/zero": lambda path, other: path.symlink_to("/dev/zero"),
    "/dev/full": lambda path, other: path.symlink_to("/dev/full"),
}
WAYS = (
    *(
        "cut short",
        "cut in half",
        "empty",
        "a bit flipped",
        "random bytes",
        "another's content",
        "100 MB of zeros",
    ),
    *_INSTEAD,
)
"""The ways to damage a file."""
# A file that is longer than any that boundcheck writes.
_LARGE = 10**8


def damage(way: str, random: Random, path: Path, other: Path) -> None:
    """Damage a file in one of the `WAYS`, given another one, of the same kind where there is
    one.
    """
    content = path.read_bytes()
    match way:
        case "cut short":
            path.write_bytes(content[: random.randrange(len(content))])
        case "cut in half":
            path.write_bytes(content[: len(content) // 2])
        case "empty":
            path.write_bytes(b"")
        case "a bit flipped":
            flipped = bytearray(content)
            flipped[random.randrange(len(content))] ^= 1 << random.randrange(8)
            path.write_bytes(flipped)
        case "random bytes":
            path.write_bytes(random.randbytes(len(content)))
        case "another's content":
            shutil.copyfile(other, path)
        case "100 MB of zeros":
            # A hole: it takes no room on the disk, and is read as zeros.
            os.truncate(path, 0)
            os.truncate(path, _LARGE)
        case _:
            path.unlink()
            _INSTEAD[way](path, other)


def spoilt_file(random: Random, path: Path) -> str:
    """Replace a file by something that is not a file; the change in words."""
    path.touch()
    change = random.choice([way for way in _INSTEAD if way != "a link to another's file"])
    damage(change, random, path, path)
    return change


def written(value: Any, is_toml: bool = False) -> str:
    """Plain data as JSON, or as a value of TOML, whatever it is."""
    if isinstance(value, Raw):
        return value
    if isinstance(value, dict):
        pair = " = " if is_toml else ": "
        return (
            "{"
            + ", ".join(
                f"{_key(key, is_toml)}{pair}{written(x, is_toml)}" for key, x in value.items()
            )
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(written(x, is_toml) for x in value) + "]"
    if isinstance(value, float) and is_toml:
        return repr(value)
    if value is None or isinstance(value, bool | float):
        return json.dumps(value)
    if isinstance(value, int):
        return str(value) if abs(value) < 10**4000 else "9" * 5000
    return json.dumps(str(value))


def toml(table: Any) -> str:
    """Tables as TOML. What TOML cannot say is written as other text."""
    if not isinstance(table, dict):
        return written(table, is_toml=True)
    lines = []
    inside = []
    for key, each in table.items():
        if isinstance(each, dict):
            inside += [
                f"[{_key(key, True)}]",
                *(f"{_key(name, True)} = {written(x, True)}" for name, x in each.items()),
            ]
        else:
            lines.append(f"{_key(key, True)} = {written(each, True)}")
    return "\n".join([*lines, *inside]) + "\n"


def _key(key: Any, is_toml: bool) -> str:
    return str(key) if is_toml and re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(str(key))


# Sound inputs of each kind: boundcheck reads each of them in no time

_TABLES = tomllib.loads("""
[[matrices]]
claim = "meft.theorem2_repaired"
seed = 1
problem = { kind = "pseudo-huber", d = 4, k = 4, samples = 8, noise = 0.5 }
adapter = { kind = "lora", rank = 2 }
domain = { a = 2.6, b = 1.9 }
run = { zeta = 1.8, batch = 2, replicas = 6, steps = 110, audits = 22, level = 0.9 }

[[matrices]]
claim = "jiang2024.theorem2"
lipschitz = "sqrt(r) sigma"
problem = { kind = "least-squares", d = 3, k = 3, samples = 6 }
adapter = { kind = "lora", rank = 2, scale = "16/r", gain = 0.5 }
assume = { L = 2.5, bound = "bound/2.5", T_min = "4*Lhat*D/zeta**2" }
run = { steps = "informative", batch = "balanced", sampling = "without replacement" }

[[matrices]]
claim = "ghadimi2013.corollary2_2"
problem = { kind = "extremal", d = 3, k = 3, L = 2.0, G = 1.5 }
adapter = { kind = "frozen-a", rank = 1, start = "lora" }
run = { steps = "informative", zeta = 0.5 }

[[matrices]]
claim = "meft.theorem2_any_step"
problem = { kind = "hard", steps = 40, ratio = 0.05 }
adapter = { kind = "lora", rank = 2, start = "diagonal", gain = 128.0 }
domain = { a = 129.0, b = 129.0 }
run = { step_size = 0.01, steps = "informative", batch = 1, zeta = 1.0 }

[[matrices]]
claim = "meft.lemma1_sharp"
problem = { kind = "breast-cancer" }
adapter = { kind = "lora", rank = 1 }
domain = { a = 1.5, b = 2.0 }
bracket = { pairs = 64, iterates = 16, points = 4, ascents = 3, rounds = 8, looks = 2 }

[[matrices]]
claim = "meft.dora"
problem = { kind = "readout", components = 4 }
adapter = { kind = "dora", rank = 1 }
domain = { a = 0.5, b = 0.5, mu = 2.0 }

[[matrices]]
claim = "meft.theorem2_best_step"
seed = [0, 1]
problem = { kind = "two-layer", hidden = 4, seed = 1 }
adapter = { rank = [1, 2] }

[[networks]]
claim = "meft.theorem2_any_step"
seed = 1
[networks.model]
kind = "gpt"
width = 8
heads = 2
layers = 1
context = 8
pretraining = 3
samples = 4
held_out = 4
text = "texts.txt"
seed = 1
[networks.adapter]
kind = "lora"
rank = 1
targets = "qkv, up"
scale = "16/r"
gain = 0.5
[networks.run]
steps = 4
batch = 2
step_size = 0.1
replicas = 2
audits = 2
looks = 1
level = 0.9
sampling = "without replacement"

[[networks]]
model = { kind = "gpt", width = 16, text = "english" }
adapter = { kind = "full", rank = [1, 2] }
run = { steps = 4, batch = 2, step_size = 0.1 }

[[networks]]
[networks.model]
kind = "pretrained"
path = "model"
task = "classification"
text = "texts.jsonl"
length = 8
samples = 4
held_out = 2
dtype = "float64"
seed = 1
[networks.adapter]
kind = "lora"
rank = 1
targets = "query"
[networks.run]
steps = 4
batch = 2
step_size = 0.1
replicas = 2
audits = 2
looks = 1
level = 0.9

[letters."jiang2024.theorem2"]
L = "1"
C = "0.5"
sigma = "1"
G = "3"
r = "8"
zeta = "1/10"
D = "1e0"
T = "10_000"

[letters]
"jiang2024.lemma1" = { L = "1", C = "sqrt(2)", sigma = "1", G = "3", r = "4" }
"meft.lemma1_sharp" = { L = "2", s = "Max(1, 2)", a = "1.5", b = "exp(1)", G = "0.1" }
"meft.theorem2_any_step" = { ell = "1", D = "1", zeta = "1", T = "1", eta = "1" }
""")
SPECS: list[dict[str, Any]] = _TABLES["matrices"]
"""Experiments on matrices."""
NETWORKS: list[dict[str, Any]] = _TABLES["networks"]
"""Experiments on networks. Their files lie in the same folder."""
HUBER = SPECS[0]["problem"]
SETTINGS = tuple(_TABLES["letters"].items())
"""Claims and the values of their letters, as they are typed."""

_VOCABULARY = "and he said unto them let there be light the <unk> <pad> <end>"
WORDS = _VOCABULARY.split()
ROWS = tuple(
    {"text": " ".join(WORDS[i : i + 4]), "label": ("law", "poetry")[i % 2]} for i in range(8)
)
"""Lines of a text to be classified."""


TEXT = "".join(json.dumps(row) + "\n" for row in ROWS)


@cache
def instances() -> tuple[dict[str, Any], ...]:
    """Stored instances of every kind, as plain data."""
    quick = Search((1,), starts=1, rounds=1, examples=0)
    found = [falsify(id, quick).instance for id in ("meft.lemma1_sharp", "meft.loreft")]
    # W = BA at d = k = r = 1 with f'(w) = clip(w - 1/4, ±1/8), within |A|, |B| <= 2.
    knots = np.array([[0.125, -0.125], [0.375, 0.125]])
    radii = {"a": 2.0, "b": 2.0}
    v = tuple(torch.full((1, 1, 1), 0.75, dtype=torch.float64) for _ in "AB")
    adapter = LoRA(torch.zeros(1, 1, dtype=torch.float64), 1)
    theorem = catalogue["meft.theorem2_repaired"]
    run = ShortRun(theorem, adapter, radii, "sigma", knots, np.ones((1, 1)), 1.0, v, 3)
    sizes = {"a": 1.0, "k": 2.0, "r": 2.0}
    norms = Assignment(catalogue["meft.frozen_factor"], {"A": np.eye(2)}, sizes)
    return (*(each.as_json() for each in found), run.as_json(), norms.as_json())


@cache
def finished_run(root: Path) -> Path:
    """The folder of a finished run."""
    table = SPECS[0] | {"run": SPECS[0]["run"] | {"steps": 16, "audits": 4}}
    (result,) = measure(table, root)
    return root / result.run_id


def _store() -> Path:
    """The folder of what several inputs are made from."""
    return Path(kept().name)


HAS_TRANSFORMERS = find_spec("transformers") is not None
"""Models' folders can only be read with transformers."""


@cache
def model_folder(root: Path) -> Path:
    """A folder with a BERT of two layers and the tokenizer of `WORDS`, as transformers saves
    them.
    """
    transformers: Any = import_module("transformers")
    tokenizers: Any = import_module("tokenizers")
    folder = root / "model"
    words: Mapping[str, int] = {word: i for i, word in enumerate(WORDS)}
    shape = {
        "vocab_size": len(words),
        "hidden_size": 4,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    shape |= {"intermediate_size": 8, "max_position_embeddings": 16}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(dict(words), unk_token="<unk>"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    transformers.utils.logging.disable_progress_bar()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        transformers.BertForSequenceClassification(
            transformers.BertConfig(**shape)
        ).save_pretrained(folder)
    saved = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>"
    )
    saved.save_pretrained(folder)
    return folder


# The kinds of input: how each is spoilt, and how it is tried

# How many experiments of a sweep are prepared; and the command line is asked about one input in so
# many.
_PREPARED = 3
_ASKED = 50
_LOCK = Lock()


@dataclass(frozen=True)
class Kind:
    """A kind of input.

    Attributes:
        count: how many are made.
        make: writes one into the folder, and says what was changed.
        attempt: tries the one in the working directory.
        command: the arguments that try one there, given its folder; None where there are none.

    """

    count: int
    make: Callable[[Random, Path], str]
    attempt: Callable[[], object]
    command: Callable[[Path], Sequence[str] | None]


@dataclass(frozen=True)
class Malformed:
    """An input, which follows from its kind and number alone."""

    kind: str
    number: int

    def make(self, folder: Path) -> str:
        """Write it into a folder of its own, and say what was changed."""
        with _LOCK:
            # Threads that make inputs share what these are made from.
            return KINDS[self.kind].make(Random(f"{self.kind} {self.number}"), folder)

    def attempt(self) -> None:
        """Try it as the command line would, in its folder."""
        KINDS[self.kind].attempt()

    def tried(self) -> Trial:
        """Try it in a process; one in fifty of those that are refused must be refused on the
        command line alike.

        It counts as true if it was read: nothing else decides whether it is sound.
        """
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
            (world := Path(name) / "world").mkdir()
            change = self.make(world)
            end = ended(self.attempt, world)
            fault = fault_of(end)
            said = " ".join(end.said.split())
            is_refused = end.code == 2
            # Whatever share of the inputs is tried.
            if (
                not fault
                and is_refused
                and not Random(f"asked {self.kind} {self.number}").randrange(_ASKED)
            ):
                typed = KINDS[self.kind].command(world)
                asked = ended(partial(command, *typed), world, "asked") if typed else end
                if (asked.code, asked.said) != (end.code, end.said):
                    fault = "another line"
                    said = f"code {asked.code}, {asked.said} for {end.said}"
        outcome = fault or ("one line" if is_refused else "accepted")
        said = said.removeprefix("boundcheck: ") or "it was read"
        is_read = not fault and not is_refused
        caught = not fault and is_refused
        known = (
            f"{self.kind} {self.number}",
            self.kind,
            change,
            is_read,
            said,
            outcome,
            bool(fault),
            caught,
        )
        return Trial("input", *known, end.spent, end.mebibytes)


# How files of data are read and written.
_DATA: dict[str, tuple[Callable[[str], Any], Callable[[Any], str]]] = {
    ".json": (json.loads, written),
    ".toml": (tomllib.loads, toml),
}


def _spoilt(random: Random, path: Path) -> str:
    """Spoil the data of a sound file, or its bytes, or put something that is no file in its place;
    the change.
    """
    draw = random.random()
    if draw < 0.03:
        change = spoilt_file(random, path)
    elif draw < 0.65 and path.suffix in _DATA:
        read, write = _DATA[path.suffix]
        data, change = spoilt(random, read(path.read_text()))
        path.write_text(write(data), encoding="utf-8", errors="surrogatepass")
    else:
        content, change = spoilt_bytes(random, path.read_bytes())
        path.write_bytes(content)
    return f"{path.name}: {change}"


def _spec(tables: list[dict[str, Any]], random: Random, folder: Path) -> str:
    (folder / "texts.txt").write_text("In the beginning was the Word. " * 1500)
    (folder / "texts.jsonl").write_text(TEXT)
    if HAS_TRANSFORMERS:
        (folder / "model").symlink_to(model_folder(_store()))
    (path := folder / "spec.toml").write_text(toml(random.choice(tables)))
    return _spoilt(random, path)


def _instance(random: Random, folder: Path) -> str:
    (path := folder / "instance.json").write_text(written(random.choice(instances())))
    return _spoilt(random, path)


class _BegunError(Exception):
    """A run began: the input was accepted."""


def _try_spec() -> None:
    def begun(stage: str, done: int, total: int) -> None:
        raise _BegunError(stage)

    with suppress(_BegunError):
        for spec in specs_of(Path("spec.toml"))[:_PREPARED]:
            prepare(spec, Path("runs"), "cpu", begun)


def _settings(random: Random, folder: Path) -> str:
    id, given = random.choice(SETTINGS)
    name = random.choice(list(given))
    draw = random.random()
    texts = {key: f"{key}={value}" for key, value in given.items()}
    if draw < 0.3:
        value, change = spoilt(random, {"value": given[name]})
        texts[name] = f"{name}={value.get('value', '')}" if isinstance(value, dict) else str(value)
    elif draw < 0.6:
        content, change = spoilt_bytes(random, texts[name].encode())
        texts[name] = content.decode(errors="surrogateescape")
    elif draw < 0.9:
        texts[name] = f"{name}={(change := _expression(random, 0))}"
    else:
        del texts[name]
        change = f"{name} left out"
        id = random.choice((id, f"{id} ", id.upper(), "", id.replace("a", "а"), "../x"))
    (folder / "arguments.json").write_text(json.dumps([id, *texts.values()]))
    return change[:200]


def _expression(random: Random, depth: int) -> str:
    """A text by the grammar of numbers, or close to it."""
    if depth > random.choice((1, 3, 8)):
        leaves = "1 2 0 1e3 .5 1_0 1e999 0.1 3/4 pi E T oo 1j 0x1 1. ''"
        return random.choice(leaves.split())
    x, y = (_expression(random, depth + 1) for _ in "xy")
    sound = "{x}+{y} {x}-{y} ({x})*({y}) ({x})/({y}) ({x})**({y}) sqrt({x}) exp({x}) log({x})"
    others = "Max({x},{y}) -({x}) Min({x}) ({x} {x}.real {x}[{y}]"
    forms = (*sound.split(), *others.split(), "lambda: {x}", "f({x})", "~{x}")
    return random.choice(forms[:10] if random.random() < 0.9 else forms).format(x=x, y=y)[:3000]


def _try_settings() -> None:
    id, *texts = json.loads(Path("arguments.json").read_text())
    claim = catalogue[id]
    inputs = assignments_of(texts)
    claim.values(**inputs)
    for ball in claim.enclosures(**inputs).values():
        ball.str(15)


def _bound(folder: Path) -> Sequence[str] | None:
    id, *texts = json.loads((folder / "arguments.json").read_text())
    # The system does not pass these on as arguments.
    if any(
        "\0" in text or text.encode(errors="replace") != text.encode(errors="surrogateescape")
        for text in texts
    ):
        return None
    return ("bound", *(part for text in texts for part in ("--set", text)), "--", id)


def _run(random: Random, folder: Path) -> str:
    stored = shutil.copytree(finished_run(_store()), folder / "run")
    files = sorted(path for path in stored.rglob("*") if path.is_file() and path.name[0] != ".")
    return _spoilt(random, random.choice([*files, stored / "spec.json", stored / "result.json"]))


def _network(is_model_spoilt: bool, random: Random, folder: Path) -> str:
    """A spec of a network that is read from the folder `model`, and its texts; one of the two is
    spoilt.
    """
    texts = folder / "texts.jsonl"
    model = folder / "model"
    lines = TEXT.splitlines()
    texts.write_text(TEXT)
    (folder / "spec.toml").write_text(toml(NETWORKS[-1]))
    if is_model_spoilt:
        shutil.copytree(model_folder(_store()), model)
        files = sorted(model.iterdir())
        configs = [path for path in files if path.suffix == ".json"]
        return _spoilt(random, random.choice(configs if random.random() < 0.85 else files))
    model.symlink_to(model_folder(_store()))
    if random.random() < 0.4:
        return _spoilt(random, texts)
    place = random.randrange(len(lines))
    row, change = spoilt(random, ROWS[place])
    lines[place] = written(row)
    texts.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogatepass")
    return f"line {place + 1}: {change}"


def _replay() -> object:
    return replayed(Path("instance.json"))


_MEASURE = ("measure", "spec.toml")
_REPLAY = ("falsify", "--replay", "instance.json")
KINDS = {
    "spec of matrices": Kind(2200, partial(_spec, SPECS), _try_spec, lambda _: _MEASURE),
    "spec of networks": Kind(1000, partial(_spec, NETWORKS), _try_spec, lambda _: _MEASURE),
    "--set": Kind(2200, _settings, _try_settings, _bound),
    "stored instance": Kind(2800, _instance, _replay, lambda _: _REPLAY),
    "stored run": Kind(600, _run, lambda: finished(Path("run")), lambda _: ("report", "run")),
}
"""By name; without transformers there are no models' folders to spoil."""
if HAS_TRANSFORMERS:
    KINDS |= {
        "jsonl": Kind(600, partial(_network, False), _try_spec, lambda _: _MEASURE),
        "model's folder": Kind(600, partial(_network, True), _try_spec, lambda _: _MEASURE),
    }


def malformed(every: int = 1) -> list[Malformed]:
    """Every input, or every n-th of each kind: 10,000 in all where transformers is installed."""
    return [
        Malformed(name, number)
        for name, kind in KINDS.items()
        for number in range(0, kind.count, every)
    ]
