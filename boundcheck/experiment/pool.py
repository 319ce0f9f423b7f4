"""Experiments one after the other, or each in a process of a pool or a cluster; on a device that is checked first."""

import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from boundcheck.errors import InputError
from boundcheck.experiment.experiment import measure_one, prepare
from boundcheck.experiment.result import Result
from boundcheck.experiment.run import STAGE
from boundcheck.experiment.spec import Spec
from boundcheck.experiment.store import environment
from boundcheck.experiment.sweep_folder import Shared
from boundcheck.system.executors import Call, Running, engine_of
from boundcheck.system.limits import DAY, GIB, Tick, available, limited, silent
from boundcheck.system.plugins import theirs

# Of progress: an experiment has so many.
_UNITS = 100


def measure_each(
    specs: list[Spec],
    runs: Path,
    device: str,
    tick: Tick,
    jobs: int = 1,
    hours: float = DAY,
    memory: float | None = None,
    cluster: str | None = None,
) -> list[Result]:
    """The results of experiments, in their order; see `boundcheck.experiment.measure` for the arguments.

    All are prepared first: a bad rank in the last of them, or an edited result, should not be found after an hour. One
    that is there twice is run once, and one that has finished is read.
    """
    check_device(device)
    if jobs < 1:
        raise InputError("jobs", jobs, "a positive integer")
    keys = [json.dumps(each.as_json(), sort_keys=True) for each in specs]
    distinct = dict(zip(keys, specs, strict=True))
    at_a_time = min(jobs, len(distinct)) if cluster is None else 1
    if at_a_time > 1:
        # Each has its share of what there is.
        memory = (available(device) / GIB if memory is None else memory) / at_a_time
    prepared = {key: prepare(spec, runs, device, tick, memory) for key, spec in distinct.items()}
    results = {key: each.stored for key, each in prepared.items() if each.stored is not None}
    missing = {key: (distinct[key], each.weight) for key, each in prepared.items() if each.stored is None}
    sweep = _Sweep(runs, device, hours, memory, len(distinct))
    if missing and (cluster is not None or (jobs > 1 and len(missing) > 1)):
        results |= zip(missing, sweep.spread(list(missing.values()), tick, jobs, cluster), strict=True)
    else:
        results |= zip(missing, sweep.in_turn(list(missing.values()), tick), strict=True)
    return [results[key] for key in keys]


def _units(weights: list[float]) -> list[float]:
    """Each experiment's share, by its weight, of the progress of all, which is `_UNITS` times their number."""
    return [_UNITS * len(weights) * each / sum(weights) for each in weights]


@dataclass(frozen=True)
class _Sweep:
    """The settings that all experiments of a sweep share, and how many they are, finished ones too."""

    runs: Path
    device: str
    hours: float
    memory: float | None
    count: int

    def in_turn(self, weighed: list[tuple[Spec, float]], tick: Tick) -> list[Result]:
        """Run each in this process; progress tells of the stages of one, and of several how far all are."""
        before, found = float(_UNITS * (self.count - len(weighed))), []
        for (spec, _), units in zip(weighed, _units([weight for _, weight in weighed]), strict=True):
            told = tick if self.count == 1 else self._part(tick, before, units)
            found.append(measure_one(spec, self.runs, self.device, limited(told, self.hours), self.memory))
            before += units
        return found

    def _part(self, tick: Tick, before: float, units: float) -> Tick:
        def told(stage: str, done: int, total: int) -> None:
            part = done / total if stage == STAGE else 0
            tick("experiments", round(before + units * part), _UNITS * self.count)

        return told

    def spread(self, weighed: list[tuple[Spec, float]], tick: Tick, jobs: int, cluster: str | None) -> list[Result]:
        """Run each in a process of a pool, or of a cluster; the longest is begun first."""
        before = _UNITS * (self.count - len(weighed))

        def told(name: str, done: int, total: int) -> None:
            tick(name, before + done, before + total)

        with Shared.beside(self.runs) as shared:
            here = environment(self.device)
            points = [
                Point(spec, self.runs.resolve(), self.device, self.hours, self.memory, here, shared, str(i))
                for i, (spec, _) in enumerate(weighed)
            ]
            calls = [
                Call("experiments", point.result, (), units, point.done)
                for point, units in zip(points, _units([weight for _, weight in weighed]), strict=True)
            ]
            with Running(calls, engine_of(jobs, cluster, shared.path), told) as running:
                return running.results()


@dataclass(frozen=True)
class Point:
    """An experiment that a process is asked for, perhaps one on another machine.

    Attributes:
        spec, runs, device, hours, memory: as `measure_one` has them, the path absolute.
        environment: what bits depend on, as it is where the sweep was begun.
        shared: the folder of the sweep.
        name: of what it says there.

    """

    spec: Spec
    runs: Path
    device: str
    hours: float
    memory: float | None
    environment: dict[str, Any]
    shared: Shared
    name: str

    def result(self) -> Result:
        """Run it, in the environment in which it was asked for.

        Raises:
            InputError: before anything is run, where the folder of the runs is not seen, and in another environment.

        """
        torch.set_num_threads(self.environment["threads"])
        self.shared.check()
        check_device(self.device)
        for name, value in environment(self.device).items():
            if value != self.environment[name]:
                expected = f"{self.environment[name]}, as where the sweep was begun; {platform.node()} has another"
                raise InputError(f"environment.{name}", value, expected)
        # Here, where it was raised: on its way to another process an error loses the calls that led to it.
        with theirs():
            tick = limited(self.shared.told(self.name), self.hours)
            return measure_one(self.spec, self.runs, self.device, tick, self.memory)

    def done(self) -> float:
        """The share of it that is done, from 0 to 1."""
        return self.shared.done(self.name)


def alone(spec: Spec, runs: Path, device: str, threads: int) -> Result:
    """Run one experiment in this process with so many threads, and tell nobody of progress."""
    torch.set_num_threads(threads)
    check_device(device)
    with theirs():
        return measure_one(spec, runs, device, limited(silent, DAY))


def check_device(device: str) -> None:
    """Refuse a device that does not exist, and keep products in the precision of their factors."""
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError("device", device, f"cpu, or cuda where there is a CUDA device ({reason})") from None
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
