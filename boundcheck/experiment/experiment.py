"""From a spec to results: every experiment of a file, each in its run folder, finished ones read back."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from boundcheck.experiment.audit import Evidence
from boundcheck.experiment.bracket import claimed, measure_bracket
from boundcheck.experiment.build import build, starting_point
from boundcheck.experiment.consistency import check_function, check_run
from boundcheck.experiment.cost import announce, drawn, held, seconds, weight
from boundcheck.experiment.outcome import outcome
from boundcheck.experiment.plan import Start, draft, guessed, make_plan
from boundcheck.experiment.result import BracketResult, Result, RunResult
from boundcheck.experiment.run import run_ensemble
from boundcheck.experiment.schema import Stated, Subject
from boundcheck.experiment.spec import Spec
from boundcheck.experiment.store import RunFolder
from boundcheck.functions.arithmetic import at_most
from boundcheck.functions.problem import Problem
from boundcheck.language.catalogue import catalogue
from boundcheck.language.function import Function
from boundcheck.language.sentence import words_of
from boundcheck.system.fingerprint import content_of
from boundcheck.system.limits import Tick, check_memory


@dataclass(frozen=True)
class Prepared:
    """An experiment that can be run.

    Attributes:
        stored: what it said, if it has finished.
        weight: how long it takes beside others; see `boundcheck.experiment.cost.weight`.

    """

    stored: Result | None
    weight: float


def prepare(spec: Spec, runs: Path, device: str, tick: Tick, memory: float | None = None) -> Prepared:
    """Build the function of an experiment and draft its plan, so that errors come first.

    Nothing is run whose faces contradict each other, and nothing is made for which there is no room.

    The built-in GPT is pretrained here, once, before processes might do so side by side.
    """
    check_memory(drawn(spec), memory, device)
    function = build(spec, device, tick)
    plan = None
    stored = RunFolder.of(runs, spec.as_json(), device, content(spec, function)).result()
    if stored is None:
        check_memory(held(spec, function), memory, device)
    if isinstance(function, Problem) and spec.is_bracket:
        claimed(spec, function)
        if stored is None:
            check_function(function, starting_point(spec, function, device))
    elif stored is None and function.is_known:
        start = Start.draw(spec, function, device)
        plan = draft(spec, function, start, guessed(spec, function, start))
        check_memory(held(spec, function, plan), memory, device)
        check_run(spec, function, start, plan, device)
    return Prepared(stored, weight(spec, function, plan))


def measure_one(spec: Spec, runs: Path, device: str, tick: Tick, memory: float | None = None) -> Result:
    """Run one experiment in its run folder, or read what it said if it has finished on the same content."""
    # Bits of a sum depend on how many threads share it; those of NumPy's and SciPy's algebra are never worth it here.
    with threadpool_limits(1, user_api="blas"):
        function = build(spec, device, tick)
        with at_most(function.threads):
            return _measured(spec, function, runs, device, tick, memory)


def _measured(spec: Spec, function: Function, runs: Path, device: str, tick: Tick, memory: float | None) -> Result:
    folder = RunFolder.create(runs, spec.as_json(), device, content(spec, function))
    if (stored := folder.result()) is not None:
        return stored
    with folder.held(tick):
        # Another process may have finished it in the meantime.
        if (stored := folder.result()) is not None:
            return stored
        if isinstance(function, Problem) and spec.is_bracket:
            return folder.finish(_bracketed(spec, function, folder, device, tick))
        return folder.finish(_ran(spec, function, folder, device, tick, memory))


def content(spec: Spec, function: Function) -> str:
    """A hash that tells runs of the same spec apart: by data, the words of the claim, and the adapter's claims."""
    claim, about = spec.said, [catalogue[id] for id in spec.adapter.made.claims]
    words = [word for each in (claim, *about) for _, word in words_of(each)]
    return content_of([function, claim.algorithm, claim.measure, words, [each.digest for each in about]])


def _common(spec: Spec, function: Function, folder: RunFolder) -> dict[str, Any]:
    return {
        "run_id": folder.id,
        "claim": spec.claim,
        "spec": spec.as_json(),
        "environment": folder.environment,
        "problem": Subject(function.name, function.units, **function.facts),
        "constants": {name: Stated(each.value, each.kind, each.how) for name, each in function.constants.items()},
    }


def _bracketed(spec: Spec, problem: Problem, folder: RunFolder, device: str, tick: Tick) -> BracketResult:
    bracket, trace = measure_bracket(spec, problem, device, tick)
    folder.start_trace(trace, {})
    parts = {each.name: getattr(bracket, each.name) for each in fields(bracket)}
    return BracketResult(**_common(spec, problem, folder), **parts, measured=bracket.measured)


def _ran(spec: Spec, function: Function, folder: RunFolder, device: str, tick: Tick, memory: float | None) -> RunResult:
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(device)
    start = Start.draw(spec, function, device)
    plan = make_plan(spec, function, start, device, tick)
    taken = check_memory(held(spec, function, plan), memory, device)
    if not function.is_known:
        # It takes long to look at a network, so that it was not done beforehand.
        check_run(spec, function, start, plan, device)
    announce(function.name, taken, seconds(spec, function, start, plan, device))
    record = run_ensemble(spec, function, start, plan, folder, device, tick)
    evidence = Evidence(spec.theorem, spec, function, start, plan, record)
    common = _common(spec, function, folder)
    common["environment"] = common["environment"] | device_memory(device)
    return RunResult(**common, **outcome(evidence))


def device_memory(device: str) -> dict[str, Any]:
    """The most memory that a CUDA device gave to tensors, in MiB; nothing on others."""
    if not device.startswith("cuda"):
        return {}
    return {"memory_mib": round(torch.cuda.max_memory_allocated(device) / 2**20)}
