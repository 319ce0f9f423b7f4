"""What experiments cost, and several at a time: in their order, each once, with the same bits."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread

import pytest
import torch

import boundcheck as bc
from boundcheck.errors import InputError
from boundcheck.experiment import experiment, measure
from boundcheck.experiment.experiment import content
from boundcheck.experiment.plan import Experiment, build
from boundcheck.experiment.spec import Spec, parse
from boundcheck.experiment.store import RunFolder
from boundcheck.functions.arithmetic import seeded
from boundcheck.functions.loss import Loss
from boundcheck.system.files import UNFINISHED
from boundcheck.system.limits import Demand, silent
from boundcheck.system.plugins import allowing
from tests.layers import full

from .small import altered, bracket_table, experiment_of, refused, theorem_table

RUN = {
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
GPT = {
    "model": {"kind": "gpt"},
    "adapter": {"rank": 2},
    "run": {"steps": 10, "step_size": 0.1, "batch": 2},
}


DATA = [
    (altered(RUN, problem__samples=2**20, problem__d=512), "problem.samples"),
    (
        altered(RUN, problem={"kind": "least-squares", "d": 512, "k": 512, "samples": 2**20}),
        "problem.samples",
    ),
    (altered(GPT, model__width=4096, model__layers=128), "model.width"),
    (altered(GPT, model__context=2**14), "model.context"),
]
SHAPES = [
    (altered(RUN, run__replicas=2**20, run__steps=10**6, run__audits=10**6), "run.audits"),
    (
        altered(RUN, problem__d=64, problem__k=64, run__replicas=2**20, run__audits=1),
        "run.replicas",
    ),
    (altered(RUN, run__replicas=2**20, run__batch=2**20), "run.batch"),
    (altered(RUN, run=RUN["run"] | {"audits": None, "steps": 10**12}), "run.audits"),
    (altered(BRACKET, bracket__pairs=2**20), "bracket.pairs"),
    (altered(BRACKET, bracket__iterates=2**20), "bracket.iterates"),
]


@pytest.mark.parametrize(
    "table, field", [*DATA, *SHAPES], ids=lambda x: x if isinstance(x, str) else ""
)
def test_what_there_is_no_room_for_is_refused_before_it_is_made(
    table, field, tmp_path, monkeypatch
):
    def never(*_, **__):
        raise AssertionError("expected nothing to be made")

    if (table, field) in DATA:
        monkeypatch.setattr(Experiment, "of", never)
    monkeypatch.setattr(experiment, "check_run", never)
    for name in ("start", "first"):
        monkeypatch.setattr(Experiment, name, property(never))
    assert (
        refused(lambda: bc.measure(table, tmp_path / "runs", limits=bc.Limits(memory=16))).field
        == field
    )
    assert not (tmp_path / "runs").exists()


def test_a_loss_of_ones_own_in_a_matrix_too_large_is_refused():
    def loss(W, X):
        return (X * W[0, 0]).square()

    begun = time.monotonic()
    error = refused(lambda: bc.Loss(loss, torch.ones(3, dtype=torch.float64), shape=(10**6, 10**6)))
    assert error.field == "shape"
    assert time.monotonic() - begun < 1


def test_experiments_of_a_time_share_the_memory(tmp_path):
    tables = [altered(RUN, seed=seed) for seed in range(2)]
    need = sum(part.bytes for part in experiment.held(experiment_of(tables[0]))) / 2**30
    with pytest.raises(InputError, match="--memory allows"):
        bc.measure(tables, tmp_path / "runs", executor=2, limits=bc.Limits(memory=1.5 * need))
    assert not (tmp_path / "runs").exists()


_MEASURED = """
import ctypes, json, sys, tempfile
from pathlib import Path
import torch
torch.set_num_threads(1)
from boundcheck.experiment import experiment
from boundcheck.system.limits import silent
from boundcheck.experiment.spec import parse
from soundness.processes import forget_peak, mebibytes

def taken(table, folder):
    spec = parse(table)
    # What a run before has freed goes back first, or this one takes it again and seems to take
    # less.
    ctypes.CDLL(None).malloc_trim(0)
    forget_peak()
    before = mebibytes("VmRSS")
    experiment.prepare(spec, folder, "cpu", silent)
    experiment.measure_one(spec, folder, "cpu", silent)
    most = 2**20 * (mebibytes("VmHWM") - before)
    parts = (*spec.problem.demands(), *experiment.held(experiment.Experiment.of(spec, "cpu")))
    return sum(part.bytes for part in parts) / most

with tempfile.TemporaryDirectory() as folder:
    # The first makes what every run needs.
    print(json.dumps([taken(table, Path(folder)) for table in json.loads(sys.argv[1])][1:]))
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
    altered(
        RUN,
        problem={"kind": "pseudo-huber", "d": 32, "k": 32, "samples": 2048},
        run__replicas=4,
        run__steps=8,
    ),
    altered(
        RUN, problem={"kind": "least-squares", "samples": 2**17}, run__replicas=4, run__steps=8
    ),
    altered(
        RUN,
        problem={"kind": "digits"},
        run__replicas=256,
        run__batch=256,
        run__steps=8,
        run__sampling="without replacement",
    ),
]


@full
@pytest.mark.skipif(sys.platform != "linux", reason="Linux says what a process took at its peak")
def test_the_memory_that_is_said_is_what_is_taken_to_within_a_factor():
    """At least as much, so that a run that begins ends, and at most four times: of a process of its
    own."""
    command = [sys.executable, "-c", _MEASURED, json.dumps([RUN, *LARGE])]
    # A Dask cluster leaves in the environment that freed memory goes back at once.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")
    }
    environment |= {"OMP_NUM_THREADS": "1"}
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    for table, factor in zip(LARGE, json.loads(found.stdout), strict=True):
        assert 1 <= factor <= 4, table


def test_a_table_of_ones_own_says_what_its_data_take(monkeypatch, tmp_path):
    spec = parse(RUN)
    monkeypatch.setattr(
        type(spec.problem), "demands", lambda self: (Demand("problem.mine", 7, 2**50),)
    )
    error = refused(lambda: experiment.prepare(spec, tmp_path, "cpu", silent))
    assert error.field == "problem.mine"
    assert error.value == 7
    assert isinstance(spec, Spec)


TINY = {"pairs": 8, "iterates": 4, "points": 2, "ascents": 2, "rounds": 2, "looks": 2}
# Runs of both kinds, and the longest first: in processes it is not the first to finish.
SPECS = [
    parse(bracket_table(bracket=TINY | {"pairs": 512, "iterates": 200, "rounds": 60})),
    parse(theorem_table(run__replicas=2)),
    parse(bracket_table(bracket=TINY, claim="jiang2024.lemma1", seed=1)),
]

# One worker makes what all of them look at.
pytestmark = pytest.mark.xdist_group("jobs")


def summed(device) -> Loss:
    """A loss of one's own whose constant is a sum that threads share."""
    numbers = torch.rand(2**20, dtype=torch.float64, generator=seeded(0))
    return Loss(_square, torch.eye(3), shape=(2, 3), smoothness=numbers.sum().item(), device=device)


def _square(W, X):
    return (X @ W.mT).square().sum(1) / 2


def told(calls):
    return lambda *each: calls.append(each)


def names(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The results of one process and of two, each in folders of their own."""
    folders = [tmp_path_factory.mktemp(name) for name in ("one", "two")]
    alone = [measure(spec, folders[0])[0] for spec in SPECS]
    return alone, measure(SPECS, folders[1], executor=2), folders


@full
def test_two_at_a_time_find_what_one_does_in_order(both):
    """And every result is stored where it says."""
    alone, together, folders = both
    assert [result.spec for result in together] == [spec.as_json() for spec in SPECS]
    assert together == alone
    assert names(folders[0]) == names(folders[1]) == sorted(result.run_id for result in together)
    for result in together:
        stored = folders[1] / result.run_id / "result.json"
        assert json.loads(stored.read_text(encoding="utf-8")).items() > result.as_json().items()


@pytest.mark.parametrize("jobs", [1, 2, 9])
def test_a_bad_experiment_among_many_is_refused_before_any_is_run(jobs, tmp_path):
    # The matrices are 4 x 4.
    bad = parse(bracket_table(bracket=TINY, adapter__rank=5))
    calls = []
    error = refused(measure, [*SPECS, bad], tmp_path / "runs", tick=told(calls), executor=jobs)
    assert error.field == "adapter.rank"
    assert names(tmp_path / "runs") == calls == []


@pytest.mark.parametrize("jobs", [0, -1])
@pytest.mark.parametrize("count", [1, 3])
def test_no_jobs_are_refused_before_any_is_run(jobs, count, tmp_path):
    error = refused(measure, SPECS[:count], tmp_path / "runs", executor=jobs)
    assert error.field == "jobs"
    assert names(tmp_path / "runs") == []


def test_one_experiment_takes_no_pool(tmp_path):
    """It tells of its own progress, which a process of a pool would not."""
    calls = []
    (result,) = measure(SPECS[2:], tmp_path, tick=told(calls), executor=2)
    assert result.verdict == "supported"
    assert "pairs" in {name for name, _, _ in calls}


@full
def test_a_run_that_another_process_runs_is_waited_for_and_not_run_twice(tmp_path):
    run = experiment_of(bracket_table(bracket=TINY))
    calls = []
    spec = run.spec
    folder = RunFolder.create(tmp_path, spec.as_json(), "cpu", content(run))
    left = folder.path / f"spec.json.{'0' * 8}-1-{'0' * 16}{UNFINISHED}"
    held, waits = Event(), Event()

    def other():
        """It has the run, and lets go of it unfinished when it is waited for."""
        with folder.held(silent):
            # Of a process that was killed before.
            left.touch()
            held.set()
            waits.wait(60)

    thread = Thread(target=other)
    thread.start()
    assert held.wait(60)
    (result,) = measure(
        spec,
        tmp_path,
        tick=lambda *each: (calls.append(each), waits.set()) if "another" in each[0] else 0,
    )
    thread.join()
    assert calls[0] == (f"another process runs {result.run_id}; waiting for it", 0, 1)
    assert result.run_id == folder.id
    assert folder.result() == result
    assert not left.exists()


@full
def test_an_experiment_that_is_there_twice_is_in_one_folder(tmp_path):
    """Two processes would write the same files at the same time, now and then, and stumble over
    each other."""
    tiny = [
        parse(bracket_table(bracket=TINY | {"iterates": 1, "looks": 0}, seed=seed))
        for seed in range(20)
    ]
    results = measure([spec for spec in tiny for _ in range(2)], tmp_path, executor=2)
    assert results[::2] == results[1::2]
    assert names(tmp_path) == sorted(result.run_id for result in results[::2])


def test_a_problem_has_the_same_bits_whatever_threads_there_are():
    """A process may have more of them than the run, whose problem is made before that is known."""
    with allowing(Path(__file__).parents[1]):
        spec = parse(theorem_table(adapter__rank=1, problem={"kind": f"{__name__}:summed"}))
    one = build(spec, "cpu")
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        three = build(spec, "cpu")
    finally:
        torch.set_num_threads(before)
    assert three.constants == one.constants


@full
@pytest.mark.parametrize("size, threads", [(4, 1), (256, 2)])
def test_an_experiment_has_as_many_threads_whatever_the_jobs(size, threads, tmp_path):
    """A small one has one; a large one has those of the command, by which its sums are ordered."""
    table = theorem_table(
        adapter__rank=1, run__replicas=2, run__steps=3, run__audits=2, seed=[0, 1]
    )
    table["problem"] = {"kind": "pseudo-huber", "d": size, "k": size, "samples": 4}
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        one, two = (measure(table, tmp_path / str(jobs), executor=jobs) for jobs in (1, 2))
    finally:
        torch.set_num_threads(before)
    assert one == two
    assert [each.environment["threads"] for each in one] == [threads] * 2


COMMITTED = Path(__file__).parents[2] / "reports" / "jiang2024" / "results.json"
# Of one experiment's numbers on two machines; on one machine they have the same bits, for as many
# threads and the same versions. Other processors sum in another order, which changes numbers by
# some 1e-16 of their size. A run carries that on: a step changes a difference between two iterates
# at most by the factor 1 + step x smoothness, much less where F is convex; so does the climb of an
# ascent.
TOLERANCE = 1e-6
# Squares of gradients that are nothing but rounding, of runs that have converged.
ROUNDED = 1e-24
# Narrower vector instructions, so that PyTorch, MKL and OpenBLAS sum in another order.
OLDER = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "OPENBLAS_CORETYPE": "Nehalem",
}
PROGRAM = """
import json, sys
import boundcheck as bc
specs, runs = json.load(sys.stdin), sys.argv[1]
print(json.dumps([result.as_json() for spec in specs for result in bc.measure(spec, runs)]))
"""


def cheap():
    """Runs of few steps, each of its claim and verdict once, and a bracket of each claim."""
    runs = json.loads(COMMITTED.read_text(encoding="utf-8"))
    short = [each for each in runs if "plan" not in each or each["plan"]["steps"] <= 500]
    first = {
        (each["claim"], each["spec"]["problem"]["kind"], each["verdict"]): each
        for each in reversed(short)
    }
    return list(first.values())[::3]


def numbers(result):
    """What a result says, by name."""
    found = {name: result[name] for name in ("measured", "bound") if result.get(name) is not None}
    found |= {f"plan.{name}": x for name, x in result.get("plan", {}).get("values", {}).items()}
    found |= {name: x for name, x in (result["interval"] or {}).items() if isinstance(x, float)}
    # Along the path of a run that has converged they are quotients of roundings.
    ends = result["lower"] if "plan" not in result else {}
    return found | {f"lower.{name}": x for name, x in ends.items()}


@full
def test_a_committed_run_is_found_again_to_the_tolerance_on_an_older_processor(tmp_path):
    runs = cheap()
    assert len(runs) >= 10
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    given = json.dumps([each["spec"] for each in runs])
    made = subprocess.run(
        command, input=given, env=os.environ | OLDER, text=True, capture_output=True, check=True
    )
    for before, now in zip(runs, json.loads(made.stdout), strict=True):
        assert now["spec"] == before["spec"]
        assert (now["verdict"], now.get("blame")) == (before["verdict"], before.get("blame")), now[
            "spec"
        ]
        assert numbers(now) == pytest.approx(numbers(before), rel=TOLERANCE, abs=ROUNDED), now[
            "spec"
        ]
