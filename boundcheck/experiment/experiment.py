"""From specs to results: every experiment in its run folder, finished ones read back, several at a
time if asked.

The memory that an experiment takes is known before it starts, from shapes.
"""

import json
import math
import platform
import secrets
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
import xarray as xr
from threadpoolctl import threadpool_limits

from boundcheck.errors import BoundcheckError, InputError, did_you_mean
from boundcheck.experiment.audit import (
    Evidence,
    audit,
    check_function,
    check_run,
    known_ends,
    largest_ratio,
)
from boundcheck.experiment.bracket import claimed, measure_bracket
from boundcheck.experiment.plan import Experiment, Plan
from boundcheck.experiment.result import (
    BracketResult,
    Ends,
    Estimates,
    HeldOut,
    Horizon,
    Result,
    RunResult,
    Subject,
)
from boundcheck.experiment.run import MOST_WAITING, STAGE, recorded, run_ensemble
from boundcheck.experiment.spec import ITERATING, Spec, parse
from boundcheck.experiment.store import RunFolder, environment, finished, run_id
from boundcheck.experiment.verdict import estimates_of, in_hindsight, judge, theorem_rows
from boundcheck.experiment.waterfall import waterfall
from boundcheck.functions.arithmetic import at_most
from boundcheck.language.catalogue import catalogue
from boundcheck.language.evidence import beyond_rounding, less_rounding
from boundcheck.language.sentence import measure_of, words_of
from boundcheck.proofs import parts
from boundcheck.system.ending import say
from boundcheck.system.executors import Call, Running, engine_of
from boundcheck.system.files import Json, asking, replace_file
from boundcheck.system.fingerprint import content_of
from boundcheck.system.limits import (
    DAY,
    GIB,
    Demand,
    Tick,
    available,
    check_memory,
    limited,
    silent,
)
from boundcheck.system.plugins import theirs

# Why a finished run is read and not judged again.
_NOT_AGAIN = "a network's or a bracket's verdict is not had from its trace again"
# Of progress: an experiment has so many.
_UNITS = 100
# Seconds between two words of a process of a sweep, and between two looks at whether it is still
# wanted.
_EVERY = 2.0
# Copies of a trace: as it is made, as it is read, and what a verdict makes of it.
_TRACES = 4
# Threads of a process, as an executor may have them, run one experiment at a time: they share its
# settings.
_ONE = Lock()


def measure_each(
    specs: list[Spec],
    runs: Path,
    device: str,
    tick: Tick,
    executor: object,
    hours: float,
    memory: float | None,
) -> list[Result]:
    """The results of experiments, in their order; see `boundcheck.experiment.measure` for the
    arguments.

    All are prepared first: a bad rank in the last of them, or an edited result, should not be found
    after an hour. One that is there twice is run once, and one that has finished is read.
    """
    check_device(device)
    if not isinstance(executor, int | str | Executor):
        raise InputError(
            "executor",
            executor,
            "a number of processes, an executor of concurrent.futures, or the address of a cluster",
        )
    # Also where all has finished, and nothing is run that they limit.
    limited(tick, hours)
    check_memory((), memory, device)
    jobs = executor if isinstance(executor, int) else 1
    if jobs < 1:
        raise InputError("jobs", jobs, "a positive integer")
    keys = [json.dumps(each.as_json(), sort_keys=True) for each in specs]
    distinct = dict(zip(keys, specs, strict=True))
    if (at_a_time := min(jobs, len(distinct))) > 1:
        # Each has its share of what there is.
        memory = (available(device) / GIB if memory is None else memory) / at_a_time
    results: dict[str, Result] = {}
    for key, spec in distinct.items():
        if (stored := prepare(spec, runs, device, tick, memory)) is not None:
            results[key] = stored
    missing = [key for key in distinct if key not in results]
    if not missing and results:
        ends = [(runs / each.run_id / "result.json").stat().st_mtime for each in results.values()]
        when = datetime.fromtimestamp(max(ends)).isoformat(" ", "minutes")
        say(f"nothing to run: what {runs} has of it was finished by {when}, and is read")
    before, total = _UNITS * len(results), _UNITS * len(distinct)
    if missing and (not isinstance(executor, int) or (jobs > 1 and len(missing) > 1)):

        def told(name: str, done: int, of: int) -> None:
            tick(name, before + done, before + of)

        with sweep_folder(runs) as folder:
            here = environment(device)
            points = [
                Point(distinct[key], runs.resolve(), device, hours, memory, here, folder, str(i))
                for i, key in enumerate(missing)
            ]
            calls = [
                Call("experiments", point.result, (), float(_UNITS), point.done) for point in points
            ]
            with Running(calls, engine_of(executor, folder), told) as running:
                results |= zip(missing, running.results(), strict=True)
    else:
        for key in missing:

            def tell(stage: str, done: int, of: int, begun: int = before) -> None:
                """Tell of the stages of one experiment, and of several how far all are."""
                if len(distinct) == 1:
                    tick(stage, done, of)
                else:
                    part = done / of if stage == STAGE else 0
                    tick("experiments", round(begun + _UNITS * part), total)

            results[key] = measure_one(distinct[key], runs, device, limited(tell, hours), memory)
            before += _UNITS
    return [results[key] for key in keys]


def check_device(device: str) -> None:
    """Refuse a device that does not exist, and keep products in the precision of their factors."""
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:
        # Torch lists devices of all kinds where it does not know the name.
        reason = str(error).splitlines()[0].partition("Expected one of")[0]
        meant = did_you_mean("cuda" if device == "gpu" else device, ("cpu", "cuda"))
        expected = f"cpu, or cuda where there is a CUDA device{reason and f' ({reason})'}"
        raise InputError("device", device, expected + (meant if not reason else "")) from None
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def prepare(
    spec: Spec, runs: Path, device: str, tick: Tick, memory: float | None = None
) -> Result | None:
    """Build the function of an experiment and draft its plan, so that errors come first.

    Nothing is run whose faces contradict each other, and nothing is made for which there is no
    room. The built-in GPT is pretrained here, once, before processes
    might do so side by side. It gives what the experiment said, if it has finished.
    """
    table = spec.problem or spec.model
    check_memory(table.demands() if table else (), memory, device)
    experiment = Experiment.of(spec, device, tick)
    stored = stored_result(experiment, runs)
    if stored is None:
        check_memory(held(experiment), memory, device)
    if spec.is_bracket:
        claimed(experiment)
        if stored is None:
            check_function(experiment.function, experiment.first)
    elif stored is None and experiment.function.is_known:
        plan = experiment.draft(experiment.guess)
        check_memory(held(experiment, plan), memory, device)
        check_run(experiment, plan)
    return stored


def measure_one(
    spec: Spec, runs: Path, device: str, tick: Tick, memory: float | None = None
) -> Result:
    """Run one experiment in its run folder, or read what it said if it has finished on the same
    content.
    """
    # Bits of a sum depend on how many threads share it; those of NumPy's and SciPy's algebra are
    # never worth it here.
    with threadpool_limits(1, user_api="blas"), ExitStack() as stack:
        experiment = Experiment.of(spec, device, tick)
        function = experiment.function
        stack.enter_context(at_most(function.threads))
        # A folder that is only read is not written.
        if (stored := stored_result(experiment, runs)) is not None:
            return stored
        folder = RunFolder.create(runs, spec.as_json(), device, content(experiment))
        stack.enter_context(folder.held(tick))
        # Another process may have finished it in the meantime.
        if (stored := stored_result(experiment, runs)) is not None:
            return stored
        common = described(experiment) | {"run_id": folder.id, "environment": folder.environment}
        if spec.is_bracket:
            result, trace = measure_bracket(experiment, tick, **common)
            folder.start_trace(trace, {})
            return folder.finish(result)
        if device.startswith("cuda"):
            torch.cuda.reset_peak_memory_stats(device)
        plan = experiment.make_plan(tick)
        check_memory(held(experiment, plan), memory, device)
        if not function.is_known:
            # It takes long to look at a network, so that it was not done beforehand.
            check_run(experiment, plan)
        record = run_ensemble(experiment, plan, folder, tick)
        evidence = Evidence(spec.theorem, spec, function, experiment.start, plan, record)
        common["environment"] = common["environment"] | device_memory(device)
        return folder.finish(outcome(evidence, **common), is_judged_again=function.is_known)


def described(experiment: Experiment) -> Json:
    """The fields of a result that follow from its spec."""
    spec = experiment.spec
    function = experiment.function
    return {
        "claim": spec.claim,
        "spec": spec.as_json(),
        "problem": Subject(function.name, function.units, **function.facts),
        "constants": dict(function.constants),
    }


def stored_result(experiment: Experiment, runs: Path) -> Result | None:
    """The result of an experiment that has finished, as `judged_again`; None where it has not
    finished.
    """
    folder = RunFolder.of(runs, experiment.spec.as_json(), experiment.device, content(experiment))
    return (
        None
        if folder.result() is None
        else judged_again(experiment, *finished(folder.path), folder.path)
    )


def read_run(path: Path) -> tuple[Result, xr.Dataset]:
    """Result and trace of a finished run anywhere, `judged_again` where its function can be made
    from its spec.
    """
    result, trace = finished(path)
    device = str(result.environment.get("device"))
    try:
        with theirs():
            check_device(device)
            if (spec := parse(result.spec)).problem is None:
                return result.read_because(_NOT_AGAIN), trace
            check_memory(spec.problem.demands())
            experiment = Experiment.of(spec, device)
            check_memory(held(experiment))
            id = run_id(spec.as_json(), device, content(experiment))
    except InputError as error:
        return result.read_because(f"its function is not made again: {error}"), trace
    if id != result.run_id:
        return (
            result.read_because("its id is not that of its spec and of the code that is here"),
            trace,
        )
    return judged_again(experiment, result, trace, path), trace


def judged_again(experiment: Experiment, stored: Result, trace: xr.Dataset, path: Path) -> Result:
    """The stored result of a run, after audit, measured, interval, verdict and all else were had
    from its trace again.

    In the same environment they have the same bits. A result that cannot be had so says that it was
    `read`: a network's or a bracket's, and one from another environment. Raises InputError where a
    field is another than the trace gives.
    """
    spec = experiment.spec
    function = experiment.function
    threads = stored.environment.get("threads")
    fields = described(experiment) | {"run_id": stored.run_id}
    if (stored.claim, stored.spec) != (fields["claim"], fields["spec"]):
        raise InputError("RUN", path, "the spec of its own id; remove it to run it again")
    if isinstance(stored, BracketResult) or not function.is_known:
        return stored.read_because(_NOT_AGAIN)
    if not (path / "checkpoint.pt").exists():
        return stored.read_because("it has no checkpoint.pt")
    with (
        threadpool_limits(1, user_api="blas"),
        at_most(threads if type(threads) is int and threads > 0 else None),
    ):
        here = environment(experiment.device)
        folder = RunFolder(path, here)
        saved, why = folder.saved(stored.run_id)
        if not why and (other := folder.elsewhere(saved)):
            return stored.read_because(other)
        left = None if why else recorded(experiment, saved["state"], trace)
        if left is None:
            other = why or "trace.zarr or checkpoint.pt is another's"
            raise InputError(
                "RUN", path, f"what the run of its spec left; {other}: remove it to run it again"
            )
        evidence = Evidence(spec.theorem, spec, function, experiment.start, *left)
        # No other run takes the same memory.
        here |= {name: x for name, x in stored.environment.items() if name == "memory_mib"}
        again = outcome(evidence, **fields, environment=here).as_json()
        there = stored.as_json()
    for name in sorted((again.keys() | there.keys()) - {"said"}):
        if again.get(name) != there.get(name):
            raise InputError(
                "RUN",
                path,
                f"the {name} that its trace gives; another is stored: remove it to run it again",
            )
    return stored


def outcome(evidence: Evidence, **common: Any) -> RunResult:
    """The result of a run, from what was recorded of it and the fields that follow from its spec.

    Of a function whose constants are not known, the largest that were seen stand in the plan.
    """
    start = evidence.start
    found = None
    if not evidence.function.is_known:
        found = estimates_of(evidence.function.sites, evidence.record.trace, start.gap.value)
        evidence = replace(evidence, plan=in_hindsight(evidence, found))
    audits = audit(evidence)
    return RunResult(
        **common,
        **judge(evidence, audits),
        **(_of_problem(evidence) if found is None else _of_network(evidence, found)),
        audit=tuple(audits),
        plan=evidence.plan.rounded(),
        radii=evidence.plan.radii,
        first_variance=start.variance,
        gap=start.gap.value,
        waterfall=waterfall(evidence, audits),
        gradient_ratio=largest_ratio(evidence),
    )


def _of_problem(evidence: Evidence) -> Json:
    """The fields of a problem in one matrix: other theorems' horizons, and both sides of its
    smoothness.
    """
    spec = evidence.spec
    plan = evidence.plan
    trace = evidence.record.trace
    variance = trace["noise_variance"].values
    loss = trace["loss"].values
    experiment = Experiment(spec, evidence.function, str(evidence.start.v[0].device))
    horizons = []
    for part in parts("measured") if plan.radii and spec.is_stochastic else ():
        for id, C in getattr(part, "HORIZONS", ()):
            # What is known of one quantity at v_1 says nothing of a bound on another.
            if getattr(measure_of(catalogue[id]), "observable", None) == spec.measure.observable:
                horizons.append(Horizon(id, C, experiment.horizon(plan, catalogue[id], C)))
    # The largest descent curvature less its rounding error, and the median of those that exceed
    # their errors.
    path = beyond_rounding(trace, "path_smoothness")
    lowers = {}
    if np.isfinite(path).any():
        sure = less_rounding(trace, "path_smoothness")[~np.isnan(path)]
        lowers = {"path": float(sure.max()), "median of path": float(np.nanmedian(path))}
    ratio = largest_ratio(evidence)
    if ratio is not None and ratio.value is not None:
        lowers["gradient ratio"] = ratio.value
    return {
        "horizons": tuple(horizons),
        "lower": lowers,
        "upper": tuple(known_ends(evidence)),
        "largest_variance": float(variance.max()) * plan.batch if plan.batch else 0.0,
        "decrease": evidence.start.loss - float(loss.mean(0).min()),
    }


def _of_network(evidence: Evidence, found: Estimates) -> Json:
    """The fields of a network: the constants that were seen, the theorems at them, and both ends of
    its runs.
    """
    function = evidence.function
    start = evidence.start
    trace = evidence.record.trace
    last = evidence.record.last
    loss, gradient = (x.item() for x in function.rounding(start.v, torch.tensor([start.loss])))
    decrease = float((trace["loss"].values[:, :1] - trace["loss"].values).max(1).mean())
    begun = function.accuracy(start.v)
    ended = function.accuracy(last)
    ends = None
    if ended:
        # On held-out samples at the end of the first replica.
        held_out = function.held_out_ends(tuple(part[:1] for part in last))
        losses = tuple((start.loss, end) for end in function.loss(last).tolist())
        accuracies = tuple((begun[0], end) for end in ended)
        ends = Ends(losses, accuracies, None if held_out is None else HeldOut(*held_out))
    return {
        "estimates": found,
        "theorems": theorem_rows(evidence, found),
        "rounding": {"loss": loss, "gradient": gradient},
        "ends": ends,
        # What may be the rounding error of two losses alone is no decrease.
        "decrease": decrease if decrease > 2 * loss else None,
    }


def content(experiment: Experiment) -> str:
    """A hash that tells runs of the same spec apart: by data, the words of the claim, and the
    adapter's claims.
    """
    claim = experiment.spec.said
    about = [catalogue[id] for id in experiment.spec.adapter.made.claims]
    words = [word for each in (claim, *about) for _, word in words_of(each)]
    return content_of(
        [
            experiment.function,
            claim.algorithm,
            claim.measure,
            words,
            [each.digest for each in about],
        ],
        getattr(experiment.spec.problem, "version", ""),
    )


def device_memory(device: str) -> Json:
    """The most memory that a CUDA device gave to tensors, in MiB; nothing on others."""
    if not device.startswith("cuda"):
        return {}
    return {"memory_mib": round(torch.cuda.max_memory_allocated(device) / 2**20)}


def held(experiment: Experiment, plan: Plan | None = None) -> tuple[Demand, ...]:
    """The memory that an experiment takes beside its function; what is not planned yet counts as
    little.
    """
    spec = experiment.spec
    function = experiment.function
    if spec.is_bracket:
        bracket = spec.bracket
        pair = 16 * experiment.problem.adapter.size
        return (
            Demand("bracket.pairs", bracket.pairs, bracket.pairs * pair),
            Demand("bracket.iterates", bracket.iterates, ITERATING * bracket.iterates * pair),
            *function.demands(max(bracket.ascents, ITERATING), 1, 0),
        )
    run = spec.run
    replicas = spec.replicas
    batch, steps = (plan.batch, plan.steps) if plan else (run.batch, run.steps)
    steps = steps if isinstance(steps, int) else run.audits or 1
    strata = min(run.audits or steps, steps)
    known = batch if isinstance(batch, int) and spec.is_stochastic else 1
    # Beside what is observed, the time, and how far minibatches are off.
    columns = 3 + len(spec.algorithm.shows)
    columns += sum(
        math.prod(function.sizes[dim] for dim in each.dims)
        for each in function.observables.values()
    )
    trace = Demand("run.audits", strata, _TRACES * 8 * replicas * strata * columns, on_host=True)
    # Of an epoch: its order, and the keys that it is sorted by.
    order = (
        0
        if run.sampling == "with replacement" or not spec.is_stochastic
        else 4 * 8 * replicas * function.samples
    )
    return (
        *function.demands(replicas, known, MOST_WAITING),
        trace,
        Demand("run.replicas", replicas, order),
    )


class UnwantedError(BoundcheckError):
    """The sweep has ended elsewhere; nobody waits for this experiment."""


@contextmanager
def sweep_folder(runs: Path) -> Iterator[Path]:
    """A folder beside the run folders, which is there while a sweep is under way.

    By it the processes of the sweep know that they see the same files, how far each is, and when to
    stop. It has a name that no other sweep has, so that another folder at the same place is not
    taken for it.
    """
    path = runs.resolve() / f".sweep-{secrets.token_hex(8)}"
    with asking("runs", runs, "a folder that can be written"):
        path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@dataclass(frozen=True)
class Point:
    """An experiment of a sweep that a process is asked for, perhaps one on another machine.

    It has what `measure_one` takes, `runs` absolute; the environment where the sweep was begun, on
    which bits depend; the folder of the sweep, and the name of what it says there.
    """

    spec: Spec
    runs: Path
    device: str
    hours: float
    memory: float | None
    environment: Json
    folder: Path
    name: str

    def result(self) -> Result:
        """Run it; raises InputError where the folder is not seen, and in an environment that
        differs.
        """
        with _ONE:
            return self._result()

    def _result(self) -> Result:
        torch.set_num_threads(self.environment["threads"])
        seen = f"a folder that every worker sees and writes; {platform.node()} does not"
        with asking("runs", self.folder.parent, seen):
            replace_file(self.folder / f"{platform.node()}.seen", b"")
        check_device(self.device)
        for name, value in environment(self.device).items():
            if value != self.environment[name]:
                raise InputError(
                    f"environment.{name}",
                    value,
                    f"{self.environment[name]}, as where the sweep was begun; {platform.node()} has"
                    " another",
                )
        said = time.monotonic()

        def tell(stage: str, done: int, total: int) -> None:
            """Say now and then how much is done; raises UnwantedError once nobody waits for it."""
            nonlocal said
            if time.monotonic() - said < _EVERY:
                return
            said = time.monotonic()
            if not self.folder.is_dir():
                raise UnwantedError("the sweep was stopped")
            if stage == STAGE:
                (self.folder / self.name).write_text(f"{done / total:.4f}", "utf-8")

        with theirs():
            return measure_one(
                self.spec, self.runs, self.device, limited(tell, self.hours), self.memory
            )

    def done(self) -> float:
        """The share of it that is done, from 0 to 1, as far as it was said."""
        try:
            return float((self.folder / self.name).read_text("utf-8"))
        except (OSError, ValueError):
            return 0.0


def alone(spec: Spec, runs: Path, device: str, threads: int) -> Result:
    """Run one experiment in this process with so many threads, and tell nobody of progress."""
    torch.set_num_threads(threads)
    check_device(device)
    with theirs():
        return measure_one(spec, runs, device, limited(silent, DAY))
