"""From a spec to results: every experiment of a file, each in its run folder, finished ones read back."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from boundcheck.claims import catalogue
from boundcheck.measure.audit import Evidence, audit
from boundcheck.measure.bracket import claimed, measure_bracket
from boundcheck.measure.build import build
from boundcheck.measure.plan import Plan, Start, draft, guessed, horizon, make_plan
from boundcheck.measure.run import run_ensemble
from boundcheck.measure.spec import Spec
from boundcheck.measure.store import RunFolder
from boundcheck.measure.verdict import judge
from boundcheck.problems.adapters import LoRA
from boundcheck.problems.inputs import upper_ends
from boundcheck.problems.problem import Problem
from boundcheck.progress import Tick
from boundcheck.proofs import parts


def prepare(spec: Spec, runs: Path, device: str, tick: Tick) -> None:
    """Look at what is stored of an experiment, build its problem and draft its plan: what is wrong is found before."""
    stored = RunFolder.of(runs, spec.as_json(), device).result()
    problem = build(spec, device)
    if spec.is_bracket:
        claimed(spec, problem)
    elif stored is None:
        start = Start.draw(spec, problem, device)
        draft(spec, problem, start, *guessed(spec, problem, start))


def measure_one(spec: Spec, runs: Path, device: str, tick: Tick) -> dict[str, Any]:
    """Run one experiment in its run folder, or read what it said if it has finished."""
    return _measure(spec, build(spec, device), runs, device, tick)


def _measure(spec: Spec, problem: Problem, runs: Path, device: str, tick: Tick) -> dict[str, Any]:
    folder = RunFolder.create(runs, spec.as_json(), device)
    if (stored := folder.result()) is not None:
        return stored
    common = {
        "run_id": folder.id,
        "claim": spec.claim,
        "spec": spec.as_json(),
        "environment": folder.environment,
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
        for part in parts("measured")
        for id, C in getattr(part, "HORIZONS", ())
    ]
