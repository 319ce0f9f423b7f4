"""Experiments one after the other, or each in a process of a pool; on a device that is checked first."""

import json
from pathlib import Path

import torch

from boundcheck.doors import theirs
from boundcheck.errors import InputError
from boundcheck.measure.experiment import measure_one, prepare
from boundcheck.measure.result import Result
from boundcheck.measure.spec import Spec
from boundcheck.parallel import Call, Running
from boundcheck.progress import DAY, Tick, limited, prefixed, silent
from boundcheck.room import GIB, available


def measure_each(
    specs: list[Spec],
    runs: Path,
    device: str,
    tick: Tick,
    jobs: int = 1,
    hours: float = DAY,
    memory: float | None = None,
) -> list[Result]:
    """The results of experiments, in their order; see `boundcheck.measure.measure` for the arguments.

    All are prepared first: a bad rank in the last of them, or an edited result, should not be found after an hour.
    """
    check_device(device)
    if jobs < 1:
        raise InputError("jobs", jobs, "a positive integer")
    at_a_time = min(jobs, len(specs))
    if at_a_time > 1:
        # Each has its share of what there is.
        memory = (available(device) / GIB if memory is None else memory) / at_a_time
    for spec in specs:
        prepare(spec, runs, device, tick, memory)
    if at_a_time > 1:
        return _in_processes(specs, runs, device, tick, jobs, hours, memory)
    results = []
    for number, spec in enumerate(specs, start=1):
        prefix = f"{number}/{len(specs)} " if len(specs) > 1 else ""
        results.append(measure_one(spec, runs, device, limited(prefixed(tick, prefix), hours), memory))
    return results


def _in_processes(
    specs: list[Spec], runs: Path, device: str, tick: Tick, jobs: int, hours: float, memory: float | None
) -> list[Result]:
    """Each experiment in a process of a pool, with its share of the threads; told of when it has finished.

    One that is there twice is run once: two processes would write into one folder.
    """
    keys = [json.dumps(each.as_json(), sort_keys=True) for each in specs]
    distinct = dict(zip(keys, specs, strict=True))
    threads = max(torch.get_num_threads() // jobs, 1)
    calls = [Call("experiments", alone, (each, runs, device, threads, hours, memory)) for each in distinct.values()]
    results = dict(zip(distinct, Running(calls, jobs, tick).results(), strict=True))
    return [results[key] for key in keys]


def alone(spec: Spec, runs: Path, device: str, threads: int, hours: float = DAY, memory: float | None = None) -> Result:
    """One experiment in a process that has so many threads, and tells nobody of progress."""
    torch.set_num_threads(threads)
    check_device(device)
    # Here, where it was raised: on its way to another process an error loses the calls that led to it.
    with theirs():
        return measure_one(spec, runs, device, limited(silent, hours), memory)


def check_device(device: str) -> None:
    """Refuse a device that there is not, and keep products in the precision of their factors."""
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError("device", device, f"cpu, or cuda where there is a CUDA device ({reason})") from None
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
