"""The kinds of input: how each is spoilt, and how it is tried: it is read, planned and checked.

An input that is still sound is accepted without its run: a run may take as long as its user wants.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from boundcheck.checked.malformed import sound
from boundcheck.checked.malformed.limits import LIMITS, Found, in_processes
from boundcheck.checked.malformed.spoil import spoilt, spoilt_bytes, spoilt_file, toml, written
from boundcheck.checked.trial import Trial
from boundcheck.experiment.experiment import prepare
from boundcheck.experiment.spec import specs_of
from boundcheck.experiment.store import finished
from boundcheck.language.catalogue import catalogue
from boundcheck.system.terminal import assignments_of
from boundcheck.worst_case.stored import replayed

# How many experiments of a sweep are prepared; and the command line is asked about one input in so many.
_PREPARED, _ASKED = 3, 50


@dataclass(frozen=True)
class Kind:
    """A kind of input.

    Attributes:
        name: of the kind.
        count: how many are made.
        make: writes one into the folder, and says what was changed; the second path keeps what several are made from.
        attempt: tries the one in the working directory.
        command: the arguments that try it from there.

    """

    name: str
    count: int
    make: Callable[[Random, Path, Path], str]
    attempt: Callable[[], None]
    command: Callable[[], Sequence[str] | None]


@dataclass(frozen=True)
class Malformed:
    """An input, which follows from its kind and number alone."""

    kind: str
    number: int

    def make(self, folder: Path, store: Path) -> str:
        """Write it; see `limits.Attempt`."""
        return KINDS[self.kind].make(Random(f"{self.kind} {self.number}"), folder, store)

    def attempt(self) -> None:
        """Try it."""
        KINDS[self.kind].attempt()

    def command(self) -> Sequence[str] | None:
        """The command line, for one in fifty, whatever share of the inputs is tried."""
        return None if Random(f"asked {self.kind} {self.number}").randrange(_ASKED) else KINDS[self.kind].command()

    def recorded(self, found: Found) -> Trial:
        """The record of what came of it. It counts as true if it was read: nothing else decides whether it is sound."""
        said = " ".join(found.said.encode(errors="backslashreplace").decode().split()) or "it was read"
        is_read, is_refused = found.outcome == "accepted", found.outcome == "one line"
        return Trial(
            "input",
            f"{self.kind} {self.number}",
            self.kind,
            found.change,
            true=is_read,
            witness=said,
            outcome=found.outcome,
            wrong=not (is_read or is_refused),
            caught=is_refused,
            seconds=found.seconds,
            mebibytes=found.mebibytes,
        )


class _BegunError(Exception):
    """A run began: the input was accepted."""


def _begun(stage: str, done: int, total: int) -> None:
    raise _BegunError(stage)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="surrogatepass")


def _put(random: Random, path: Path, data: Any, write: Callable[[Any], str]) -> str:
    """Write spoilt data, or the spoilt text of sound data, or something that is not a file."""
    draw = random.random()
    if draw < 0.03:
        return f"{path.name}: {spoilt_file(random, path)}"
    if draw < 0.65:
        data, change = spoilt(random, data)
        _write(path, write(data))
        return f"{path.name}: {change}"
    path.write_text(write(data), encoding="utf-8")
    return _spoil_bytes(random, path)


def _spoil_bytes(random: Random, path: Path) -> str:
    content, change = spoilt_bytes(random, path.read_bytes())
    path.write_bytes(content)
    return f"{path.name}: {change}"


def _spec(tables: tuple[dict[str, Any], ...]) -> Callable[[Random, Path, Path], str]:
    def make(random: Random, folder: Path, store: Path) -> str:
        (folder / "texts.txt").write_text("In the beginning was the Word. " * 1500)
        (folder / "texts.jsonl").write_text(sound.jsonl())
        if sound.HAS_TRANSFORMERS:
            (folder / "model").symlink_to(sound.model_folder(store))
        return _put(random, folder / "spec.toml", random.choice(tables), toml)

    return make


def _try_spec() -> None:
    path, runs = Path("spec.toml"), Path("runs")
    try:
        for spec in specs_of(path)[:_PREPARED]:
            prepare(spec, runs, "cpu", _begun)
    except _BegunError:
        return


def _settings(random: Random, folder: Path, store: Path) -> str:
    id, given = random.choice(sound.settings())
    name, draw = random.choice(list(given)), random.random()
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
        return random.choice(
            ("1", "2", "0", "1e3", ".5", "1_0", "1e999", "0.1", "3/4", "pi", "E", "T", "oo", "1j", "0x1", "1.", "''")
        )
    x, y = (_expression(random, depth + 1) for _ in "xy")
    forms = (
        *("{x}+{y}", "{x}-{y}", "({x})*({y})", "({x})/({y})", "({x})**({y})", "sqrt({x})", "exp({x})", "log({x})"),
        *("Max({x},{y})", "-({x})", "Min({x})", "({x}", "{x}.real", "{x}[{y}]", "lambda: {x}", "f({x})", "~{x}"),
    )
    return random.choice(forms[:10] if random.random() < 0.9 else forms).format(x=x, y=y)[:3000]


def _arguments() -> list[str]:
    return list(json.loads(Path("arguments.json").read_text()))


def _try_settings() -> None:
    id, *texts = _arguments()
    claim, inputs = catalogue[id], assignments_of(texts)
    claim.values(**inputs)
    for ball in claim.enclosures(**inputs).values():
        ball.str(15)


def _bound() -> Sequence[str] | None:
    id, *texts = _arguments()
    # The system does not pass these on as arguments.
    if any("\0" in text or text.encode(errors="replace") != text.encode(errors="surrogateescape") for text in texts):
        return None
    return ("bound", *(part for text in texts for part in ("--set", text)), "--", id)


def _instance(random: Random, folder: Path, store: Path) -> str:
    return _put(random, folder / "instance.json", random.choice(sound.instances()), written)


def _claim(random: Random, folder: Path, store: Path) -> str:
    instance = random.choice(sound.claims())
    claim, change = copy.deepcopy(instance["claim"]), "an expression of any nodes"
    if random.random() < 0.5:
        claim, change = spoilt(random, claim)
    else:
        kind = random.choice(("LessThan", "StrictLessThan", "Equality", "And"))
        relation = [kind, _nodes(random, 0), _nodes(random, 0)]
        holder, key = random.choice([(claim, "conclusion"), *((each, "conclusion") for each in claim["hypotheses"])])
        if claim["quantities"] and random.random() < 0.5:
            holder, key, relation = claim["quantities"][0], "expression", _nodes(random, 0)
        holder[key] = relation
    _write(folder / "instance.json", written(instance | {"claim": claim}))
    return change


# Kinds of nodes by how many arguments they take.
_NODES = {
    0: ("Exp1",),
    1: ("exp", "log", "Abs", "FrobeniusNorm", "SpectralNorm", "EuclideanNorm", "Trace", "Transpose", "Expectation"),
    2: (
        *("Add", "Mul", "Pow", "Max", "Min", "InnerProduct", "MatAdd", "MatMul", "MatPow", "HadamardProduct", "And"),
        *("Identity", "ZeroMatrix", "LessThan", "Gradient", "Iterate", "Value", "Tuple", "MatrixExpectation"),
    ),
    3: ("Add", "Mul", "MatMul", "Max", "Sum", "PartialGradient"),
    4: ("MinimumOver",),
}


def _nodes(random: Random, depth: int) -> Any:
    """An expression made of any nodes of the vocabulary, whether they fit together or not."""
    if depth > random.choice((0, 1, 2, 5)):
        leaves = (["Symbol", "L", "positive"], ["Symbol", "kappa", "positive"], ["Symbol", "n", "positive", "integer"])
        more = (["MatrixSymbol", "X", "2", "2"], ["MatrixSymbol", "Y", ["Symbol", "n", "positive", "integer"], "2"])
        return random.choice((*leaves, *more, "0", "1", "-1", "1/3", "999", "9" * 300))
    count = random.choice((0, 1, 1, 1, 2, 2, 2, 2, 3, 4))
    return [random.choice(_NODES[count]), *(_nodes(random, depth + 1) for _ in range(count))]


def _try_instance() -> None:
    replayed(Path("instance.json"))


def _run(random: Random, folder: Path, store: Path) -> str:
    stored = shutil.copytree(sound.finished_run(store), folder / "run")
    files = sorted(path for path in stored.rglob("*") if path.is_file() and path.name[0] != ".")
    path = random.choice([*files, stored / "spec.json", stored / "result.json"])
    if path.suffix == ".json" and path.parent == stored:
        return _put(random, path, json.loads(path.read_text()), written)
    if random.random() < 0.2:
        return f"{path.name}: {spoilt_file(random, path)}"
    return _spoil_bytes(random, path)


def _try_run() -> None:
    finished(Path("run"))


def _texts(random: Random, folder: Path, store: Path) -> str:
    (folder / "model").symlink_to(sound.model_folder(store))
    _add_spec(folder)
    path, rows = folder / "texts.jsonl", list(sound.ROWS)
    if random.random() < 0.4:
        return _put(random, path, rows, lambda data: sound.jsonl())
    place = random.randrange(len(rows))
    row, change = spoilt(random, rows[place])
    lines = [written(each) for each in rows]
    lines[place] = written(row)
    _write(path, "\n".join(lines) + "\n")
    return f"line {place + 1}: {change}"


def _model(random: Random, folder: Path, store: Path) -> str:
    model = shutil.copytree(sound.model_folder(store), folder / "model")
    _add_spec(folder)
    files = sorted(model.iterdir())
    configs = [path for path in files if path.suffix == ".json"]
    path = random.choice(configs if random.random() < 0.85 else files)
    if path.suffix == ".json":
        return _put(random, path, json.loads(path.read_text()), written)
    return _spoil_bytes(random, path)


def _add_spec(folder: Path) -> None:
    """A spec of a network that is read from the folder `model`, and its texts."""
    (folder / "texts.jsonl").write_text(sound.jsonl())
    (folder / "spec.toml").write_text(toml(sound.NETWORKS[-1]))


_MEASURE, _REPLAY = ("measure", "spec.toml"), ("falsify", "--replay", "instance.json")
_ALL = (
    Kind("spec of matrices", 2200, _spec(sound.SPECS), _try_spec, lambda: _MEASURE),
    Kind("spec of networks", 1000, _spec(sound.NETWORKS), _try_spec, lambda: _MEASURE),
    Kind("--set", 2200, _settings, _try_settings, _bound),
    Kind("stored instance", 1800, _instance, _try_instance, lambda: _REPLAY),
    Kind("stored claim", 1000, _claim, _try_instance, lambda: _REPLAY),
    Kind("stored run", 600, _run, _try_run, lambda: ("report", "run")),
    Kind("jsonl", 600, _texts, _try_spec, lambda: _MEASURE),
    Kind("model's folder", 600, _model, _try_spec, lambda: _MEASURE),
)
KINDS = {kind.name: kind for kind in _ALL if sound.HAS_TRANSFORMERS or kind.name not in ("jsonl", "model's folder")}
"""By name; without transformers there are no models' folders to spoil."""


def malformed(every: int = 1) -> list[Malformed]:
    """Every input, or every n-th of each kind: 10,000 in all where transformers is installed."""
    return [Malformed(kind.name, number) for kind in KINDS.values() for number in range(0, kind.count, every)]


def input_trials(inputs: Sequence[Malformed]) -> list[Trial]:
    """Each input, tried within the limits in a process that is replaced when it is killed or dies."""
    return [each.recorded(found) for each, found in zip(inputs, in_processes(inputs, LIMITS), strict=True)]
