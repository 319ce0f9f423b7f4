"""Runs from end to end: the same again is the same, finished ones are read back, the folder holds what it says."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr

from boundcheck.errors import InputError
from boundcheck.experiment import measure, store
from boundcheck.experiment.experiment import content
from boundcheck.experiment.plan import Start, build, generator, make_plan, stream
from boundcheck.experiment.result import Planned
from boundcheck.experiment.spec import parse
from boundcheck.experiment.statistics import Schedule
from boundcheck.experiment.store import RunFolder, finished, run_id
from boundcheck.functions.objectives import pseudo_huber
from boundcheck.functions.problem import observables
from boundcheck.system.limits import silent
from tests.layers import sampled
from tests.results import SPEC, a_run

from .small import THEOREMS, bracket_table, changed, run_by_hand, theorem_table, with_replacement

DOCUMENTED_KEYS = {"run_id", "claim", "verdict", "reason", "measured", "bound", "interval", "audit"}
PILOTED = changed(theorem_table(run__steps="informative"), {"domain": {}, "run.zeta": None})


def trace_of(root, result):
    return finished(root / result.run_id)[1]


def id_of(spec):
    return run_id(spec.as_json(), "cpu", content(spec, build(spec, "cpu")))


@pytest.mark.full
@pytest.mark.parametrize("table", [theorem_table(), PILOTED, bracket_table()], ids=["given", "piloted", "bracket"])
def test_the_same_spec_twice_gives_the_same_numbers(table, tmp_path):
    (one,), (two,) = (measure(table, tmp_path / name) for name in ("one", "two"))
    assert one == two
    xr.testing.assert_identical(trace_of(tmp_path / "one", one), trace_of(tmp_path / "two", two))


@sampled(3, 1)
@pytest.mark.parametrize("id", THEOREMS)
def test_an_honest_run_is_supported(id, tmp_path):
    (result,) = measure(changed(PILOTED, {"claim": id, "run.replicas": 24}), tmp_path)
    assert result.verdict == "supported (asymptotic)", result.reason
    assert {each.status for each in result.audit} == {"held"}
    assert 0 <= result.interval.lower <= result.measured <= result.interval.upper <= result.bound
    assert vars(result).keys() > DOCUMENTED_KEYS


@sampled(2)
@pytest.mark.parametrize(("id", "assume"), [("nesterov2004.gradient_descent", {}), ("su2016.nesterov", {"R_1": 9.0})])
def test_no_lower_end_of_the_smoothness_is_above_it_where_steps_are_rounding(id, assume, tmp_path):
    """A run that has converged: its last curvatures are quotients of roundings."""
    changes = {"claim": id, "adapter": {"kind": "full"}, "domain": {}, "assume": assume, "run.replicas": None}
    noiseless = dict.fromkeys(("run.batch", "run.zeta"))
    (result,) = measure(changed(theorem_table(), changes | noiseless | {"run.steps": 400}), tmp_path)
    trace = trace_of(tmp_path, result)
    assert (abs(trace["path_smoothness"]) < trace["path_smoothness_error"]).any()
    assert max(result.lower.values()) <= result.plan.values["Lhat"] == 1.0


def test_a_finished_run_is_read_back_and_not_repeated(tmp_path):
    ticks = []
    (first,) = measure(theorem_table(), tmp_path, tick=lambda *each: ticks.append(each))
    assert ticks[-1] == ("run", 110, 110)
    ticks.clear()
    path = tmp_path / first.run_id / "result.json"
    before = path.stat().st_mtime_ns
    (second,) = measure(theorem_table(), tmp_path, tick=lambda *each: ticks.append(each))
    assert (ticks, path.stat().st_mtime_ns) == ([], before)
    stored = json.loads(path.read_text())
    assert stored.pop("digests").keys() == {"result", "trace"}
    assert first == second
    assert first.as_json() == stored


@pytest.mark.parametrize("table", [theorem_table(), bracket_table()], ids=["theorem", "bracket"])
def test_a_finished_folder_holds_spec_trace_and_result_and_nothing_else(table, tmp_path):
    (result,) = measure(table, tmp_path)
    folder = tmp_path / result.run_id
    assert {path.name for path in folder.iterdir()} == {"spec.json", "trace.zarr", "result.json", ".lock"}
    assert not list(tmp_path.rglob("*.part"))
    assert json.loads((folder / "spec.json").read_text()) == result.spec
    assert result.run_id == id_of(parse(table)) == folder.name


def test_there_is_no_result_until_the_run_is_finished(tmp_path):
    seen = []

    def tick(stage, done, total):
        seen.append([path.name for path in tmp_path.rglob("result.json")])

    measure(theorem_table(), tmp_path, tick=tick)
    assert len(seen) == 22
    assert not any(seen)


@pytest.mark.full
def test_the_trace_holds_every_observable_at_the_times_of_the_schedule(tmp_path):
    table = theorem_table()
    (result,) = measure(table, tmp_path)
    trace = trace_of(tmp_path, result)
    random = np.random.default_rng(stream(parse(table), "audits"))
    assert (trace["time"].values == Schedule.draw(110, 22, 6, random).times).all()
    names = observables(build(parse(table), "cpu").adapter)
    assert set(trace.data_vars) == {*names, "time"}
    for name in names:
        assert trace[name].dims == ("replica", "stratum")
        assert np.isfinite(trace[name].values).all(), name


@pytest.mark.full
@pytest.mark.parametrize("audits", [110, 22, 7, 1])
def test_the_trace_is_that_of_a_plain_loop(audits, tmp_path):
    """Algorithm 1 written out: what is in the trace at time t is what is observed at v_t, replica by replica."""
    spec = parse(theorem_table(run__audits=audits))
    (result,) = measure(spec, tmp_path)
    trace = trace_of(tmp_path, result)
    problem = build(spec, "cpu")
    start = Start.draw(spec, problem, "cpu")
    plan = make_plan(spec, problem, start, "cpu", silent)
    random = generator(spec, "sampling", "cpu")
    v = tuple(x.repeat(6, 1, 1) for x in start.v)
    iterates = [v]
    for _ in range(110):
        indices = torch.randint(problem.objective.samples, (6, plan.batch), generator=random)
        g = problem.batch_gradient(v, indices)
        v = tuple(x - plan.step_size * y for x, y in zip(v, g, strict=True))
        iterates.append(v)
    for replica in range(6):
        for stratum in range(audits):
            t = int(trace["time"][replica, stratum])
            here, there = (tuple(x[replica][None] for x in iterates[i]) for i in (t - 1, t))
            for name, value in problem.observe(here, there, with_replacement(problem, plan.batch)).items():
                if name == "conditional_bias":
                    # Rounding and nothing else.
                    continue
                tolerance = 1e-6 if name == "path_smoothness" else 1e-9
                assert trace[name][replica, stratum].item() == pytest.approx(value.item(), rel=tolerance), name
    norms = [max(np.linalg.norm(X, 2) for v in iterates for X in v[i].numpy()) for i in range(2)]
    observed = [each.observed for each in result.audit if each.hypothesis == "meft.ball"]
    assert all(seen <= norm * (1 + 1e-12) for seen, norm in zip(observed, norms, strict=True))


@pytest.mark.full
def test_more_audits_than_an_informative_run_has_steps_look_at_every_step(tmp_path):
    (result,) = measure(theorem_table(run__steps="informative", run__audits=10_000), tmp_path)
    steps = result.plan.steps
    assert (trace_of(tmp_path, result)["time"].values == np.arange(1, steps + 1)).all()


def test_measured_is_the_weighted_mean_of_the_trace(tmp_path):
    (result,) = measure(theorem_table(run__audits=7), tmp_path)
    trace = trace_of(tmp_path, result)
    sizes = np.array([1, 1, 2, 26, 27, 26, 27])
    expected = (trace["gradient_square_norm"].values * sizes / 110).sum(1).mean()
    assert result.measured == pytest.approx(expected, rel=1e-12)
    assert result.smallest == pytest.approx(trace["gradient_square_norm"].values.mean(0).min(), rel=1e-12)


def test_replicas_are_different_runs_of_one_start(tmp_path):
    (result,) = measure(theorem_table(run__audits=110), tmp_path)
    squares = trace_of(tmp_path, result)["gradient_square_norm"].values
    assert squares[:, 0] == pytest.approx(result.first, rel=1e-12)
    assert len(set(squares[:, -1])) == 6


@pytest.mark.full
def test_a_seed_changes_the_run_and_its_id(tmp_path):
    one, two = measure(theorem_table(seed=[0, 1]), tmp_path)
    assert one.run_id != two.run_id
    assert one.measured != two.measured


def test_every_field_of_a_spec_is_in_the_run_id():
    changes = {
        "claim": "jiang2024.theorem2",
        "seed": 3,
        "lipschitz": "sqrt(r) sigma",
        "problem.samples": 9,
        "adapter.scale": 2.0,
        "domain.a": 2.7,
        "run.zeta": 1.9,
        "run.level": 0.9,
        "run.audits": 23,
    }
    tables = [theorem_table(), *(changed(theorem_table(), {field: value}) for field, value in changes.items())]
    ids = {run_id(parse(table).as_json(), device) for table in tables for device in ("cpu", "cuda")}
    assert len(ids) == 2 * len(tables)


def test_a_default_written_out_is_the_same_run():
    assert run_id(parse(theorem_table(seed=0, run__level=0.95)).as_json(), "cpu") == run_id(
        parse(theorem_table()).as_json(), "cpu"
    )


def test_other_numerics_are_another_run(tmp_path, monkeypatch):
    (old,) = measure(theorem_table(), tmp_path)
    monkeypatch.setattr(store, "NUMERICS", store.NUMERICS + 1)
    (new,) = measure(theorem_table(), tmp_path)
    assert new.run_id != old.run_id
    assert new.environment["numerics"] == old.environment["numerics"] + 1


def test_spec_dictionary_and_file_are_the_same_run(tmp_path):
    path = tmp_path / "spec.toml"
    path.write_text(
        'claim = "meft.theorem2_repaired"\n[problem]\nkind = "pseudo-huber"\nd = 4\nk = 4\nsamples = 8\nnoise = 0.5\n'
        "[adapter]\nrank = 2\n[domain]\na = 2.6\nb = 1.9\n"
        "[run]\nzeta = 1.8\nbatch = 2\nreplicas = 6\nsteps = 110\naudits = 22\n"
    )
    results = [measure(each, tmp_path / "runs") for each in (path, str(path), theorem_table(), parse(theorem_table()))]
    assert all(each == results[0] for each in results)


def test_a_runs_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"runs = .*expected a folder that can be written"):
        measure(theorem_table(), tmp_path / "file")


def test_a_folder_without_a_result_is_no_run(tmp_path):
    with pytest.raises(InputError, match="expected the folder of a finished run"):
        finished(tmp_path)
    (tmp_path / "result.json").write_text("{")
    with pytest.raises(InputError, match="valid JSON"):
        finished(tmp_path)


def test_a_result_has_none_where_json_has_no_number(tmp_path):
    folder = RunFolder.create(tmp_path, SPEC, "cpu")
    values = {"bound": -math.inf, "alpha": 1.0}
    planned = Planned(1, 1, {}, {"D": math.nan}, values)
    given = a_run(run_id=folder.id, measured=math.nan, gap=math.inf, plan=planned)
    stored = folder.finish(given)
    assert stored == folder.result()
    nothing = replace(planned, inputs={"D": None}, values={"bound": None, "alpha": 1.0})
    assert stored.said.keys() == {given.claim}
    assert stored == replace(given, measured=None, gap=None, plan=nothing, said=stored.said)


@pytest.mark.full
@pytest.mark.parametrize("is_compiled", [True, False])
def test_bits_do_not_depend_on_the_number_of_threads(is_compiled, tmp_path, monkeypatch):
    """300 replicas are more than one thread observes at a time; without numba both are the same."""
    if not is_compiled:
        monkeypatch.setattr(pseudo_huber, "_compiled", lambda: None)
    table, before, found = theorem_table(run__replicas=300, run__audits=3), torch.get_num_threads(), []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            found.append(run_by_hand(table, tmp_path / str(threads)).evidence.record)
    finally:
        torch.set_num_threads(before)
    one, other = found
    for name, values in one.trace.items():
        assert values.values.tobytes() == other.trace[name].values.tobytes(), name
    assert all(map(torch.equal, one.last, other.last))
    assert (one.ball.largest, one.ball.outside) == (other.ball.largest, other.ball.outside)
