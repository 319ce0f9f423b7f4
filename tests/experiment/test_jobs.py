"""Several experiments at a time: the same results in the same order, and a bad spec refused before any is run."""

import json
from pathlib import Path
from threading import Event, Thread

import pytest
import torch

from boundcheck.experiment import experiment, measure
from boundcheck.experiment.experiment import content
from boundcheck.experiment.plan import build
from boundcheck.experiment.spec import expand, parse
from boundcheck.experiment.store import RunFolder
from boundcheck.functions.loss import Loss
from boundcheck.system.executors import Here
from boundcheck.system.files import UNFINISHED
from boundcheck.system.limits import silent
from boundcheck.system.plugins import allowing

from .small import bracket_table, changed, refused, theorem_table

TINY = {"pairs": 8, "iterates": 4, "points": 2, "ascents": 2, "rounds": 2, "looks": 2}
# Runs of both kinds, and the longest first: in processes it is not the first to finish.
SPECS = [
    parse(bracket_table(bracket=TINY | {"pairs": 512, "iterates": 200, "rounds": 60})),
    parse(theorem_table(run__replicas=2)),
    parse(bracket_table(bracket=TINY, claim="jiang2024.lemma1", seed=1)),
]

# One worker makes what all of them look at.
pytestmark = pytest.mark.xdist_group("jobs")


def summed(device: str) -> Loss:
    """A loss of one's own whose constant is a sum that threads share."""
    numbers = torch.rand(2**20, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return Loss(_square, torch.eye(3), shape=(2, 3), smoothness=numbers.sum().item(), device=device)


def _square(W: torch.Tensor, X: torch.Tensor) -> torch.Tensor:
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


@pytest.mark.full
def test_two_at_a_time_find_what_one_does_in_order(both):
    """And every result is stored where it says."""
    alone, together, folders = both
    assert [result.spec for result in together] == [spec.as_json() for spec in SPECS]
    assert together == alone
    assert names(folders[0]) == names(folders[1]) == sorted(result.run_id for result in together)
    for result in together:
        stored = folders[1] / result.run_id / "result.json"
        assert json.loads(stored.read_text(encoding="utf-8")).items() > result.as_json().items()


@pytest.mark.full
def test_finished_experiments_are_read_back(both):
    _, together, folders = both
    stored = [folders[1] / result.run_id / "result.json" for result in together]
    before = [path.stat().st_mtime_ns for path in stored]
    assert measure(SPECS, folders[1], executor=2) == together
    assert [path.stat().st_mtime_ns for path in stored] == before


@pytest.mark.full
def test_a_sweep_in_a_table_is_run_in_its_order(tmp_path):
    table = changed(bracket_table(bracket=TINY), {"adapter.rank": [3, 1, 2]})
    results = measure(table, tmp_path, executor=2)
    assert [result.spec["adapter"]["rank"] for result in results] == [3, 1, 2]
    assert [result.spec for result in results] == [spec.as_json() for spec in expand(table)]


@pytest.mark.parametrize("jobs", [1, 2, 9])
def test_a_bad_experiment_among_many_is_refused_before_any_is_run(jobs, tmp_path):
    # The matrices are 4 x 4.
    bad = parse(bracket_table(bracket=TINY, adapter__rank=5))
    calls = []
    error = refused(measure, [*SPECS, bad], tmp_path / "runs", "cpu", told(calls), jobs)
    assert error.field == "adapter.rank"
    assert names(tmp_path / "runs") == calls == []


@pytest.mark.parametrize("jobs", [0, -1])
@pytest.mark.parametrize("count", [1, 3])
def test_no_jobs_are_refused_before_any_is_run(jobs, count, tmp_path):
    error = refused(measure, SPECS[:count], tmp_path / "runs", "cpu", silent, jobs)
    assert error.field == "jobs"
    assert names(tmp_path / "runs") == []


@pytest.mark.full
def test_the_longest_experiment_of_a_sweep_is_begun_first(tmp_path, monkeypatch):
    """And progress has it for as much as it is."""
    begun, calls = [], []

    class Recording(Here):
        def submit(self, works):
            begun.extend(work.function.__self__.spec.run.steps for work in works)
            return super().submit(works)

    monkeypatch.setattr(experiment, "engine_of", lambda *_: Recording())
    table = theorem_table(run__replicas=2, run__steps=[20, 120, 60], run__audits=4)
    results = measure(table, tmp_path, tick=told(calls), executor=2)
    assert begun == [120, 60, 20]
    assert [result.plan.steps for result in results] == [20, 120, 60]
    (first, _, last), totals = zip(*((done, total) for _, done, total in calls), strict=True)
    assert {*totals} == {last} == {300}
    assert 150 < first < 200


def test_one_experiment_takes_no_pool(tmp_path):
    """It tells of its own progress, which a process of a pool would not."""
    calls = []
    (result,) = measure(SPECS[2:], tmp_path, tick=told(calls), executor=2)
    assert result.verdict == "supported"
    assert "pairs" in {name for name, _, _ in calls}


@pytest.mark.full
def test_a_run_that_another_process_runs_is_waited_for_and_not_run_twice(tmp_path):
    spec, calls = parse(bracket_table(bracket=TINY)), []
    folder = RunFolder.create(tmp_path, spec.as_json(), "cpu", content(spec, build(spec, "cpu", silent)))
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
        spec, tmp_path, tick=lambda *each: (calls.append(each), waits.set()) if "another" in each[0] else 0
    )
    thread.join()
    assert calls[0] == (f"another process runs {result.run_id}; waiting for it", 0, 1)
    assert result.run_id == folder.id
    assert folder.result() == result
    assert not left.exists()


def test_no_experiments_have_no_results(tmp_path):
    assert measure([], tmp_path, executor=2) == []


@pytest.mark.full
def test_an_experiment_that_is_there_twice_is_in_one_folder(tmp_path):
    """Two processes would write the same files at the same time, now and then, and stumble over each other."""
    tiny = [parse(bracket_table(bracket=TINY | {"iterates": 1, "looks": 0}, seed=seed)) for seed in range(20)]
    results = measure([spec for spec in tiny for _ in range(2)], tmp_path, executor=2)
    assert results[::2] == results[1::2]
    assert names(tmp_path) == sorted(result.run_id for result in results[::2])


def test_a_problem_has_the_same_bits_whatever_threads_there_are():
    """A process may have more of them than the run, whose problem is made before that is known."""
    with allowing(Path(__file__).parents[1]):
        spec = parse(theorem_table(adapter__rank=1, problem={"kind": f"{__name__}:summed"}))
    one, before = build(spec, "cpu"), torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        three = build(spec, "cpu")
    finally:
        torch.set_num_threads(before)
    assert three.constants == one.constants


@pytest.mark.full
@pytest.mark.parametrize(("size", "threads"), [(4, 1), (256, 2)])
def test_an_experiment_has_as_many_threads_whatever_the_jobs(size, threads, tmp_path):
    """A small one has one; a large one has those of the command, by which its sums are ordered."""
    table = theorem_table(adapter__rank=1, run__replicas=2, run__steps=3, run__audits=2, seed=[0, 1])
    table["problem"] = {"kind": "pseudo-huber", "d": size, "k": size, "samples": 4}
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        one, two = (measure(table, tmp_path / str(jobs), executor=jobs) for jobs in (1, 2))
    finally:
        torch.set_num_threads(before)
    assert one == two
    assert [each.environment["threads"] for each in one] == [threads] * 2
