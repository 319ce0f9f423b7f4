"""Malformed inputs of every kind end in one line or are read; and what would hang, allocate or say
more is seen."""

import itertools
import os
import time
import tomllib
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing.popen_forkserver import Popen
from random import Random
from threading import Lock

import numpy as np
import pytest

from boundcheck.errors import BoundcheckError
from boundcheck.experiment.experiment import prepare
from boundcheck.experiment.spec import expand, parse
from boundcheck.system.files import parse_json
from boundcheck.system.limits import silent
from soundness import inputs
from soundness.inputs import KINDS, Malformed, malformed, spoilt, spoilt_bytes, toml, written
from soundness.processes import End, Limits, ended, fault_of


@pytest.mark.parametrize("every", [250, pytest.param(20, marks=pytest.mark.full)])
def test_malformed_inputs_of_every_kind_end_in_one_line(every):
    some = malformed(every)
    counts = Counter[str]()
    assert {each.kind for each in some} == set(KINDS)
    for each in some:
        made = each.tried()
        assert not made.wrong, made
        assert made.caught != made.true
        counts[made.outcome] += 1
    # Both ends are reached, and most inputs are no longer sound.
    assert counts["one line"] > counts["accepted"] > 0


class _Unread:
    """A call whose process ends before it is called."""

    def __reduce__(self):
        return os._exit, (0,)


def test_a_worker_that_does_not_start_is_an_error_of_the_survey_and_no_answer(tmp_path):
    (world := tmp_path / "world").mkdir()
    with pytest.raises(BoundcheckError, match="before it tried"):
        ended(_Unread(), world)


PLANTED = {
    "reads": (partial(int, "1"), None),
    "refuses": (partial(parse, {}), None),
    "breaks": (partial(int, "x"), "a traceback"),
    "allocates": (partial(np.ones, 2**29), "too much memory"),
    "dies": (os.abort, "it ended with -6"),
    "hangs": (partial(time.sleep, 600), "it hangs"),
    "computes": (partial(deque, itertools.count(), 0), "it hangs"),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_what_goes_wrong_is_seen(planted, tmp_path):
    call, fault = PLANTED[planted]
    (world := tmp_path / "world").mkdir()
    end = ended(call, world, limits=Limits(seconds=2.0, size=2**30, patience=10.0))
    assert fault_of(end) == fault
    assert end.code == {"refuses": 2}.get(planted, end.code)
    assert len(end.lines) == (planted == "refuses") or fault
    # What computes is ended by its own time, whatever else the machine does.
    assert (end.code is None) == (planted == "hangs")


def test_threads_never_ask_at_once_how_a_process_ended(tmp_path, monkeypatch):
    """The second would read that it ended with 255."""
    asked, asking, at_once = Popen.poll, Lock(), list[Popen]()

    def poll(process, *flag):
        if not asking.acquire(blocking=False):
            at_once.append(process)
            return asked(process, *flag)
        try:
            time.sleep(0.02)
            return asked(process, *flag)
        finally:
            asking.release()

    def codes(name):
        (world := tmp_path / name / "world").mkdir(parents=True)
        return [ended(partial(int, "1"), world, str(each)).code for each in range(8)]

    monkeypatch.setattr(Popen, "poll", poll)
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(codes, "abc")) == [[0] * 8] * 3
    assert not at_once


@pytest.mark.parametrize(
    "code, said, outcome",
    [
        (None, "", "it hangs"),
        (1, "Traceback (most recent call last):", "a traceback"),
        (1, "", "it ended with 1"),
        (2, "one\ntwo", "several lines"),
        (2, "a" * 2000, "several lines"),
        (2, "a\x1b[31mb", "several lines"),
        (2, "", "no line"),
        (0, "", None),
        (2, "boundcheck: out = x: expected y", None),
    ],
)
def test_what_is_wrong_with_an_end_is_seen(code, said, outcome):
    end = End(code, said, "", 1.0, 0, orphans=False)
    assert fault_of(end) == outcome
    assert fault_of(replace(end, orphans=True)) == (outcome or "a process stayed behind")


@pytest.mark.full
def test_another_line_on_the_command_line_is_wrong(monkeypatch):
    """The first input whose kind is asked there, and is refused."""
    monkeypatch.setattr(inputs, "_ASKED", 1)
    honest = next(
        trial for number in range(9) if (trial := Malformed("--set", number).tried()).caught
    )
    assert not honest.wrong
    other = replace(KINDS["--set"], command=lambda _: ("bound", "nothing"))
    monkeypatch.setitem(KINDS, "--set", other)
    lied = Malformed("--set", int(honest.subject.split()[-1])).tried()
    assert lied.wrong is True
    assert lied.caught is False
    assert lied.outcome == "another line"


@pytest.mark.parametrize("table", inputs.SPECS, ids=lambda table: table["claim"])
def test_the_sound_specs_are_read(table, tmp_path):
    for spec in expand(table):
        prepare(spec, tmp_path, "cpu", silent)


@pytest.mark.full
def test_sound_data_are_written_as_they_are_and_the_same_seed_spoils_them_alike():
    for data in inputs.instances():
        assert parse_json(written(data)) == parse_json(written(parse_json(written(data))))
    assert [tomllib.loads(toml(table)) for table in inputs.SPECS] == list(inputs.SPECS)
    data = inputs.SPECS[0]
    made = [written(spoilt(Random(seed), data)[0]) for seed in (*range(40), *range(40))]
    assert made[:40] == made[40:]
    assert len(set(made[:40])) > 30
    assert data == inputs.SPECS[0]
    contents = [spoilt_bytes(Random(seed), b'{"a": 1}')[0] for seed in range(100)]
    assert len(set(contents)) > 40
