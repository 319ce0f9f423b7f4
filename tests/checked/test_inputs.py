"""Malformed inputs of every kind end in one line or are read; and what would hang, allocate or say more is seen."""

from __future__ import annotations

import os
import tempfile
import time
import tomllib
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pytest

from boundcheck.checked import inputs
from boundcheck.checked.inputs import KINDS, Malformed, malformed, spoilt, spoilt_bytes, toml, written
from boundcheck.checked.trial import Attempt, Found, Limits, attempted, in_processes
from boundcheck.errors import InputError
from boundcheck.experiment.experiment import prepare
from boundcheck.experiment.spec import expand
from boundcheck.system.files import parse_json
from boundcheck.system.limits import silent


def kept(attempts: Sequence[Attempt]) -> Iterator[Found]:
    """Each input tried in this very process, without limits, to save time."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        (store := Path(name) / "store").mkdir()
        for i, each in enumerate(attempts):
            (folder := Path(name) / str(i)).mkdir()
            with chdir(folder):
                yield attempted(each, each.make(folder, store))


@pytest.mark.parametrize("every", [150, pytest.param(5, marks=pytest.mark.full)])
def test_malformed_inputs_of_every_kind_end_in_one_line(every: int) -> None:
    some, counts = malformed(every), Counter[str]()
    assert {each.kind for each in some} == set(KINDS)
    for each, found in zip(some, kept(some), strict=True):
        made = each.recorded(found)
        assert not made.wrong, (made.subject, made.change, made.outcome, found.said)
        assert made.caught != made.true
        counts[found.outcome] += 1
    # Both ends are reached, and most inputs are no longer sound.
    assert counts["one line"] > counts["accepted"] > 0


@dataclass(frozen=True)
class Planted:
    """An input that is tried by something that goes wrong."""

    act: str

    def make(self, folder: Path, store: Path) -> str:
        (folder / "made").touch()
        return f"{self.act} {os.getpid()}"

    def attempt(self) -> None:
        assert Path("made").exists()
        match self.act:
            case "breaks":
                raise KeyError("x")
            case "allocates":
                np.ones(2**29)
            case "dies":
                os.abort()
            case "hangs":
                time.sleep(600)
            case "computes":
                while True:
                    pass
            case "warns":
                warnings.warn("a line of its own", RuntimeWarning, stacklevel=1)
        if self.act != "reads":
            error = InputError("claim", "nothing", "something else than the command line says")
            error.args = (self.act,) if self.act in LINES else error.args
            raise error

    def command(self) -> Sequence[str] | None:
        return ("bound", "nothing") if self.act == "said otherwise" else None


LINES = ("x" * 2000, "a\x1b[31mb")
PLANTED = {
    "reads": "accepted",
    "refuses": "one line",
    "breaks": "traceback",
    "warns": "several lines",
    "allocates": "too much memory",
}
# Those that ask the command line, or end their process; the last is tried in another one.
ENDS = {"hangs": "too long", "computes": "too long", "dies": "traceback"}
SLOW = {"said otherwise": "several lines", **ENDS, "reads": "accepted"}


@pytest.mark.parametrize("planted", [PLANTED, pytest.param(SLOW, marks=pytest.mark.full)], ids=["quick", "slow"])
def test_what_goes_wrong_is_seen_and_the_next_is_tried(planted: dict[str, str]) -> None:
    found = list(in_processes([Planted(act) for act in planted], Limits(seconds=15.0, size=2**30, patience=3.0)))
    assert {act: each.outcome for act, each in zip(planted, found, strict=True)} == planted
    names, processes = zip(*(each.change.rsplit(" ", 1) for each in found), strict=True)
    assert names == tuple(planted)
    # A process is replaced only where one has ended: each needs seconds to begin.
    assert len(set(processes)) == 1 + len(ENDS.keys() & planted)
    wrong = [Malformed("--set", 0).recorded(each).wrong for each in found]
    assert wrong == [outcome not in ("accepted", "one line") for outcome in planted.values()]


@pytest.mark.parametrize("line", LINES, ids=["too long", "control"])
def test_a_line_that_is_none_is_seen(line: str) -> None:
    (found,) = kept([Planted(line)])
    assert found.outcome == "several lines"


@pytest.mark.parametrize("table", inputs.SPECS, ids=lambda table: table["claim"])
def test_the_sound_specs_are_read(table: dict[str, object], tmp_path: Path) -> None:
    for spec in expand(table):
        prepare(spec, tmp_path, "cpu", silent)


@pytest.mark.full
def test_sound_data_are_written_as_they_are() -> None:
    for data in (*inputs.instances(), *inputs.claims()):
        assert parse_json(written(data)) == parse_json(written(parse_json(written(data))))
    assert [tomllib.loads(toml(table)) for table in inputs.SPECS] == list(inputs.SPECS)


@pytest.mark.full
def test_the_same_seed_spoils_alike_and_another_one_otherwise() -> None:
    data = inputs.SPECS[0]
    made = [written(spoilt(Random(seed), data)[0]) for seed in (*range(40), *range(40))]
    assert made[:40] == made[40:]
    assert len(set(made[:40])) > 30
    assert data == inputs.SPECS[0]
    contents = [spoilt_bytes(Random(seed), b'{"a": 1}')[0] for seed in range(100)]
    assert len(set(contents)) > 40
