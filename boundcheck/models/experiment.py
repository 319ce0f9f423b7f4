"""From a spec to a result, for networks: build, run, and say what the theory says of it."""

from pathlib import Path
from typing import Any

import torch
import xarray as xr

from boundcheck.measure.audit import Audit
from boundcheck.measure.schedule import Schedule
from boundcheck.measure.store import RunFolder
from boundcheck.models.build import Builder, builder, described
from boundcheck.models.network import Network
from boundcheck.models.outcome import Course, outcome
from boundcheck.models.run import Ends, run_network
from boundcheck.models.spec import ModelSpec
from boundcheck.models.theory import CLAIM
from boundcheck.progress import Tick, silent

CODE = ("exact", "claims", "problems", "measure", "models")
"""The packages of ours that a network's numbers depend on."""


def prepare(spec: ModelSpec, runs: Path, device: str, tick: Tick) -> None:
    """Look at what is stored of an experiment and build its network, to find what is wrong before anything runs.

    The built-in GPT is pretrained here, once, before processes might do so side by side.
    """
    RunFolder.of(runs, spec.as_json(), device, CODE).result()
    builder(spec, device, tick)(0)


def measure_one(spec: ModelSpec, runs: Path, device: str, tick: Tick = silent) -> dict[str, Any]:
    """Run one experiment in its run folder, or read what it said if it has finished."""
    folder = RunFolder.create(runs, spec.as_json(), device, CODE)
    if (stored := folder.result()) is not None:
        return stored
    build = builder(spec, device, tick)
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(device)
    trace, ends, network = run_network(spec, build, folder, tick)
    schedule = Schedule(Schedule.edges_of(spec.run.steps, spec.audits), trace["time"].values)
    course = Course(
        trace=trace,
        weights=schedule.weights,
        step_size=spec.run.step_size,
        batch=spec.run.batch,
        steps=spec.run.steps,
        level=spec.run.level,
        first=ends[0].square_norm,
        gap=ends[0].loss[0] + ends[0].rounding.loss,
        looks=_looks(schedule),
    )
    result: dict[str, Any] = {
        "run_id": folder.id,
        "claim": CLAIM,
        "spec": spec.as_json(),
        "environment": folder.environment | memory(device),
        "problem": {"name": build.name, "units": network.task.units} | described(network, build.base),
        "first_variance": ends[0].variance,
        "rounding": {"loss": ends[0].rounding.loss, "gradient": ends[0].rounding.gradient},
        "ends": _ends(network, build, ends),
    }
    return folder.finish(result | outcome(network, course, [_sampling(spec, trace)]))


def _looks(schedule: Schedule) -> str:
    replicas, strata = schedule.times.shape
    times = "every iterate" if schedule.is_every_step else f"{strata} random iterates"
    return f"{times} of each of {replicas} replicas" if replicas > 1 else times


def _sampling(spec: ModelSpec, trace: xr.Dataset) -> Audit:
    """That the minibatch gradient has the gradient as its mean, given the past."""
    bias = float(trace["conditional_bias"].max())
    replaced = spec.run.sampling == "with replacement"
    how = f"minibatches are drawn uniformly {spec.run.sampling}"
    if not replaced:
        how += ": given the past, from what the epoch has left; exact bias by enumerating the samples"
    return Audit("meft.unbiased", "hypothesis", "held" if replaced else "failed", bias, 0.0, how)


def _ends(network: Network, build: Builder, ends: list[Ends]) -> dict[str, Any]:
    """Loss and accuracy at both ends of each replica, and on held-out samples at the end of the last one."""
    other = Network(network.model, network.sites, build.held_out, network.chunk)
    return {
        "loss": [list(each.loss) for each in ends],
        "accuracy": [list(each.accuracy) for each in ends],
        "held_out": {"loss": other.losses().mean().item(), "accuracy": other.accuracy()},
    }


def memory(device: str) -> dict[str, Any]:
    """The most memory that a CUDA device gave to tensors, in MiB; nothing on others."""
    if not device.startswith("cuda"):
        return {}
    return {"memory_mib": round(torch.cuda.max_memory_allocated(device) / 2**20)}
