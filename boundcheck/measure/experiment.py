"""From a spec to results: every experiment of a file, each in its run folder, finished ones read back."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from joblib import Parallel, delayed

from boundcheck.claims import catalogue
from boundcheck.errors import InputError
from boundcheck.measure.audit import Evidence, audit
from boundcheck.measure.bracket import claimed, measure_bracket
from boundcheck.measure.build import build
from boundcheck.measure.plan import Plan, Start, horizon, make_plan
from boundcheck.measure.run import run_ensemble
from boundcheck.measure.spec import Spec, expand, load
from boundcheck.measure.store import RunFolder, environment
from boundcheck.measure.verdict import judge
from boundcheck.problems.adapters import LoRA
from boundcheck.problems.inputs import upper_ends
from boundcheck.problems.problem import Problem
from boundcheck.progress import Tick, prefixed, silent

# The theorems whose informative horizon every run reports, with the C that the printed one is given.
THEOREMS = (
    ("jiang2024.theorem2", "sqrt(r) sigma"),
    ("jiang2024.theorem2", "sigma"),
    ("meft.theorem2_repaired", "sigma"),
    ("meft.theorem2_best_step", "sigma"),
    ("ghadimi2013.corollary2_2", "sigma"),
)


def measure_all(
    spec: Spec | dict[str, Any] | str | Path | list[Spec], runs: Path, device: str, tick: Tick, jobs: int = 1
) -> list[dict[str, Any]]:
    """See `boundcheck.measure.measure`."""
    match spec:
        case Spec():
            specs = [spec]
        case list():
            specs = spec
        case dict():
            specs = list(expand(spec))
        case _:
            specs = load(Path(spec))
    _check_device(device)
    # Built first, all of them: a bad rank in the last experiment should not be found after an hour.
    problems = [build(each, device) for each in specs]
    for each, problem in zip(specs, problems, strict=True):
        if each.is_bracket:
            claimed(each, problem)
    if jobs < 1:
        raise InputError("jobs", jobs, "a positive integer")
    if jobs > 1 and len(specs) > 1:
        return _in_processes(specs, runs, device, tick, jobs)
    results = []
    for number, (each, problem) in enumerate(zip(specs, problems, strict=True), start=1):
        prefix = f"{number}/{len(specs)} " if len(specs) > 1 else ""
        results.append(_measure_one(each, problem, runs, device, prefixed(tick, prefix)))
    return results


def _in_processes(specs: list[Spec], runs: Path, device: str, tick: Tick, jobs: int) -> list[dict[str, Any]]:
    """Each experiment in a process of a pool, with its share of the threads; told of when it has finished.

    One that is there twice is run once: two processes would write into one folder.
    """
    keys = [json.dumps(each.as_json(), sort_keys=True) for each in specs]
    distinct = dict(zip(keys, specs, strict=True))
    threads = max(torch.get_num_threads() // jobs, 1)
    calls = (delayed(_alone)(each, runs, device, threads) for each in distinct.values())
    results: dict[str, dict[str, Any]] = {}
    for key, result in zip(distinct, Parallel(jobs, return_as="generator")(calls), strict=True):
        results[key] = result
        tick("experiments", len(results), len(distinct))
    return [results[key] for key in keys]


def _alone(spec: Spec, runs: Path, device: str, threads: int) -> dict[str, Any]:
    torch.set_num_threads(threads)
    _check_device(device)
    return _measure_one(spec, build(spec, device), runs, device, silent)


def _check_device(device: str) -> None:
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError("device", device, f"cpu, or cuda where there is a CUDA device ({reason})") from None
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def _measure_one(spec: Spec, problem: Problem, runs: Path, device: str, tick: Tick) -> dict[str, Any]:
    folder = RunFolder.create(runs, spec, device)
    if (stored := folder.result()) is not None:
        return stored
    common = {
        "run_id": folder.id,
        "claim": spec.claim,
        "spec": spec.as_json(),
        "environment": environment(device),
        "problem": {"name": problem.objective.name, "units": problem.objective.units, "shape": problem.objective.shape},
        "constants": {
            name: asdict(getattr(problem.objective, name)) for name in ("smoothness", "gradient_bound", "infimum")
        },
    }
    if spec.is_bracket:
        bracket, trace = measure_bracket(spec, problem, device, tick)
        folder.start_trace(trace, {})
        result: dict[str, Any] = common | bracket.as_json() | {"interval": None, "audit": []}
    else:
        result = common | _measure_theorem(spec, problem, folder, device, tick)
    return folder.finish(result)


def _measure_theorem(spec: Spec, problem: Problem, folder: RunFolder, device: str, tick: Tick) -> dict[str, Any]:
    start = Start.draw(spec, problem, device)
    plan = make_plan(spec, problem, start, device, tick)
    record = run_ensemble(spec, problem, start, plan, folder, device, tick)
    evidence = Evidence(spec.theorem, spec, problem, start, plan, record)
    audits = audit(evidence)
    path, variance, loss = (record.trace[name].values for name in ("path_smoothness", "noise_variance", "loss"))
    needs_radii = isinstance(problem.adapter, LoRA) and not plan.radii
    return asdict(judge(evidence, audits)) | {
        "audit": [asdict(each) for each in audits],
        "plan": plan.as_json(),
        "horizons": _horizons(spec, problem, start, plan),
        "lower": {"path": float(path.max()), "median of path": float(np.median(path))},
        "upper": [] if needs_radii else upper_ends(problem, plan.radii),
        "radii": plan.radii,
        "first_variance": start.variance,
        "largest_variance": float(variance.max()) * plan.batch if plan.batch else 0.0,
        "gap": start.gap.value,
        "decrease": problem.loss(start.v).item() - float(loss.mean(0).min()),
    }


def _horizons(spec: Spec, problem: Problem, start: Start, plan: Plan) -> list[dict[str, Any]]:
    if not plan.radii or not spec.is_stochastic:
        return []
    return [
        {"claim": id, "lipschitz": C, "steps": horizon(spec, problem, start, plan, catalogue[id], C)}
        for id, C in THEOREMS
    ]
