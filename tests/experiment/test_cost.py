"""What an experiment costs is known before it starts: in memory from its shapes, in time from a step and a look."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import boundcheck as bc
from boundcheck.errors import InputError
from boundcheck.experiment import experiment
from boundcheck.experiment.plan import Start, build, draft, guessed
from boundcheck.experiment.spec import Spec, parse
from boundcheck.system.limits import Demand, silent

from .small import changed, refused

RUN: dict[str, Any] = {
    "claim": "meft.theorem2_repaired",
    "problem": {"kind": "pseudo-huber", "d": 4, "k": 4, "samples": 16},
    "adapter": {"rank": 1},
    "run": {"replicas": 8, "steps": 40, "audits": 8, "batch": 2},
}
BRACKET = {
    "claim": "meft.lemma1_sharp",
    "problem": {"kind": "pseudo-huber", "d": 512, "k": 512, "samples": 2},
    "adapter": {"rank": 4},
    "domain": {"a": 1.0, "b": 1.0},
}
GPT = {"model": {"kind": "gpt"}, "adapter": {"rank": 2}, "run": {"steps": 10, "step_size": 0.1, "batch": 2}}


def altered(table: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The same with other fields, whose dots are written as double underscores."""
    return changed(table, {name.replace("__", "."): value for name, value in changes.items()})


DATA = [
    (altered(RUN, problem__samples=2**20, problem__d=512), "problem.samples"),
    (altered(RUN, problem={"kind": "least-squares", "d": 512, "k": 512, "samples": 2**20}), "problem.samples"),
    (altered(GPT, model__width=4096, model__layers=128), "model.width"),
    (altered(GPT, model__context=2**14), "model.context"),
]
SHAPES = [
    (altered(RUN, run__replicas=2**20, run__steps=10**6, run__audits=10**6), "run.audits"),
    (altered(RUN, problem__d=64, problem__k=64, run__replicas=2**20, run__audits=1), "run.replicas"),
    (altered(RUN, run__replicas=2**20, run__batch=2**20), "run.batch"),
    (altered(RUN, run=RUN["run"] | {"audits": None, "steps": 10**12}), "run.audits"),
    (altered(BRACKET, bracket__pairs=2**20), "bracket.pairs"),
    (altered(BRACKET, bracket__iterates=2**20), "bracket.iterates"),
]


MORE = {"run__steps": 80, "run__replicas": 16, "run__batch": 4, "run__audits": 16, "problem__samples": 32}
MORE |= {"problem__d": 8, "adapter__rank": 2}


@pytest.mark.parametrize("field", MORE)
def test_an_experiment_weighs_more_that_does_more(field: str) -> None:
    def weighed(**changes: Any) -> float:
        spec = parse(altered(RUN, **{"domain": {"a": 4.0, "b": 4.0}, "run__zeta": 1.0} | changes))
        return experiment.prepare(spec, Path("nowhere"), "cpu", silent)[1]

    assert weighed(**{field: MORE[field]}) > 1.02 * weighed()


@pytest.mark.parametrize(("table", "field"), [*DATA, *SHAPES], ids=lambda x: x if isinstance(x, str) else "")
def test_what_there_is_no_room_for_is_refused_before_it_is_made(
    table: dict[str, Any], field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("expected nothing to be made")

    if (table, field) in DATA:
        monkeypatch.setattr(experiment, "build", never)
    for name in ("draw", "check_run", "starting_point"):
        monkeypatch.setattr(experiment if name != "draw" else Start, name, never)
    error = refused(lambda: bc.measure(table, tmp_path / "runs", limits=bc.Limits(memory=16)))
    assert error.field == field
    assert "GiB that --memory allows" in error.expected
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"run__replicas": 10**9}, "run.replicas"),
        ({"problem__d": 10**6}, "problem.d"),
        ({"problem__samples": 10**11}, "problem.samples"),
    ],
)
def test_what_nobody_has_is_refused_as_it_is_read(changes: dict[str, Any], field: str) -> None:
    assert refused(parse, altered(RUN, **changes)).field == field


def test_a_loss_of_ones_own_in_a_matrix_too_large_is_refused() -> None:
    def loss(W: torch.Tensor, X: torch.Tensor) -> torch.Tensor:
        return (X * W[0, 0]).square()

    begun = time.monotonic()
    error = refused(lambda: bc.Loss(loss, torch.ones(3, dtype=torch.float64), shape=(10**6, 10**6)))
    assert error.field == "shape"
    assert time.monotonic() - begun < 1


def test_experiments_of_a_time_share_the_memory(tmp_path: Path) -> None:
    tables = [altered(RUN, seed=seed) for seed in range(2)]
    spec = parse(tables[0])
    need = sum(part.bytes for part in experiment.held(spec, build(spec, "cpu"))) / 2**30
    with pytest.raises(InputError, match="--memory allows"):
        bc.measure(tables, tmp_path / "runs", executor=2, limits=bc.Limits(memory=1.5 * need))
    assert not (tmp_path / "runs").exists()


def test_the_time_is_that_of_a_step_and_a_look_as_often_as_there_are_any(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that moves by a second with each step, and by a minute with each look."""
    spec = parse(RUN)
    function, now = build(spec, "cpu"), [0.0]
    start = Start.draw(spec, function, "cpu")
    plan = draft(spec, function, start, guessed(spec, function, start))
    monkeypatch.setattr(experiment, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    real = type(function).observe, type(function).batch_gradient

    def slow(which: int, cost: float) -> Any:
        def call(*given: Any) -> Any:
            now[0] += cost
            return real[which](*given)

        return call

    monkeypatch.setattr(type(function), "observe", slow(0, 60.0))
    monkeypatch.setattr(type(function), "batch_gradient", slow(1, 1.0))
    assert experiment.seconds(spec, function, start, plan, "cpu") == 40 * 1.0 + 8 * 60.0


def test_a_first_call_that_compiles_is_not_taken_for_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Told for a run of seconds once: 3.64 h."""
    now, left = [0.0], [8.0, 0.001, 0.0007]
    monkeypatch.setattr(experiment, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    def work() -> None:
        now[0] += left.pop(0) if left else 0.0008

    assert experiment.taken(work, 1000.0, "cpu") == pytest.approx(1.0)


def test_one_who_has_to_wait_is_told_and_nobody_else(capsys: pytest.CaptureFixture[str]) -> None:
    experiment.announce("digits", 2**20, 4.9)
    assert capsys.readouterr() == ("", "")
    experiment.announce("digits", int(1.2 * 2**30), 181.0)
    assert capsys.readouterr() == ("", "boundcheck: this run (digits) will take about 3.02 min and 1.2 GiB\n")


_MEASURED = """
import ctypes, json, sys, tempfile
from pathlib import Path
import torch
torch.set_num_threads(1)
from boundcheck.experiment import experiment
from boundcheck.system.progress import silent
from boundcheck.experiment import cost, experiment
from boundcheck.system.limits import silent
from boundcheck.experiment.spec import parse
from boundcheck.checked.limits import forget_peak, mebibytes

def taken(table, folder):
    spec = parse(table)
    # What a run before has freed goes back first, or this one takes it again and seems to take less.
    ctypes.CDLL(None).malloc_trim(0)
    forget_peak()
    before = mebibytes("VmRSS")
    experiment.prepare(spec, folder, "cpu", silent)
    experiment.measure_one(spec, folder, "cpu", silent)
    most = 2**20 * (mebibytes("VmHWM") - before)
    parts = (*spec.problem.demands(), *experiment.held(spec, experiment.build(spec, "cpu")))
    return sum(part.bytes for part in parts) / most

with tempfile.TemporaryDirectory() as folder:
    first, table = json.loads(sys.argv[1])
    taken(first, Path(folder))
    print(taken(table, Path(folder)))
"""
LARGE = [
    altered(
        RUN,
        problem={"kind": "pseudo-huber", "d": 16, "k": 16},
        adapter__rank=4,
        run__replicas=4096,
        run__steps=4,
        run__audits=4,
    ),
    altered(RUN, run__replicas=2048, run__steps=300, run__audits=256),
    altered(RUN, problem={"kind": "pseudo-huber", "d": 32, "k": 32, "samples": 2048}, run__replicas=4, run__steps=8),
    altered(RUN, problem={"kind": "least-squares", "samples": 2**17}, run__replicas=4, run__steps=8),
    altered(
        RUN,
        problem={"kind": "digits"},
        run__replicas=256,
        run__batch=256,
        run__steps=8,
        run__sampling="without replacement",
    ),
]


@pytest.mark.full
@pytest.mark.skipif(sys.platform != "linux", reason="Linux says what a process took at its peak")
@pytest.mark.parametrize("table", LARGE, ids=lambda table: json.dumps(table["problem"]))
def test_the_memory_that_is_said_is_what_is_taken_to_within_a_factor(table: dict[str, Any]) -> None:
    """At least as much, so that a run that begins ends, and at most four times: of processes of their own."""
    command = [sys.executable, "-c", _MEASURED, json.dumps([RUN, table])]
    # A Dask cluster leaves in the environment that freed memory goes back at once.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    environment |= {"OMP_NUM_THREADS": "1"}
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert 1 <= float(found.stdout) <= 4


def test_a_table_of_ones_own_says_what_its_data_take(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spec = parse(RUN)
    monkeypatch.setattr(type(spec.problem), "demands", lambda self: (Demand("problem.mine", 7, 2**50),))
    error = refused(lambda: experiment.prepare(spec, tmp_path, "cpu", silent))
    assert (error.field, error.value) == ("problem.mine", 7)
    assert isinstance(spec, Spec)
