"""Algorithm 1 on an ensemble, audited at random times, written chunk by chunk so that a killed run resumes.

A resumed run ends bit-identical to one that was never killed: the checkpoint holds the points, the generator and the
ball watch, and all audit times are drawn before the first step.
"""

from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr

from boundcheck.measure.ball import BallWatch
from boundcheck.measure.observe import OBSERVABLES, observe
from boundcheck.measure.plan import Plan, Start
from boundcheck.measure.schedule import Schedule
from boundcheck.measure.spec import Spec
from boundcheck.measure.store import RunFolder
from boundcheck.measure.streams import generator, stream
from boundcheck.problems.norms import Point
from boundcheck.problems.problem import Problem
from boundcheck.problems.sgd import draw_batch, replicate, sgd_step
from boundcheck.progress import Tick

_CHUNKS = 16


@dataclass(frozen=True)
class Record:
    """What a finished run leaves: the trace of `OBSERVABLES` over (replica, stratum), and the ball watch."""

    schedule: Schedule
    trace: xr.Dataset
    ball: BallWatch


def run_ensemble(
    spec: Spec, problem: Problem, start: Start, plan: Plan, folder: RunFolder, device: str, tick: Tick
) -> Record:
    """Run Algorithm 1 from v_1 for T iterations on all replicas, from the checkpoint where there is one."""
    _keep_freed_memory()
    replicas, strata = spec.run.replicas, min(spec.run.audits, plan.steps)
    schedule = Schedule.draw(plan.steps, strata, replicas, np.random.default_rng(stream(spec, "audits")))
    chunk = max(strata // _CHUNKS, 1)
    random = generator(spec, "sampling", device)
    v = replicate(start.v, replicas)
    radii = (plan.radii["a"], plan.radii["b"])
    ball = BallWatch.start(radii, v)

    first = 0
    saved = folder.checkpoint()
    # Another number of threads may sum in another order; the run then begins again, and ends the same as any other.
    if saved is not None and saved["threads"] == torch.get_num_threads():
        first, v = saved["stratum"], (saved["A"].to(device), saved["B"].to(device))
        random.set_state(saved["generator"])
        ball = BallWatch(radii, saved["room"].to(device), tuple(saved["largest"]), saved["outside"])
    else:
        folder.start_trace(_empty(schedule), {"stratum": chunk})

    for begin in range(first, strata, chunk):
        end = min(begin + chunk, strata)
        part = _empty(schedule).isel(stratum=slice(begin, end))
        for stratum in range(begin, end):
            v = _run_stratum(problem, plan, schedule, stratum, v, random, ball, part.isel(stratum=stratum - begin))
            tick("run", int(schedule.edges[stratum + 1]), plan.steps)
        folder.extend_trace(part, "stratum", begin)
        folder.save_checkpoint(
            {
                "stratum": end,
                "threads": torch.get_num_threads(),
                "A": v[0].cpu(),
                "B": v[1].cpu(),
                "generator": random.get_state(),
                "room": ball.room.cpu(),
                "largest": list(ball.largest),
                "outside": ball.outside,
            }
        )
    return Record(schedule, folder.trace(), ball)


def _keep_freed_memory() -> None:
    # glibc gives blocks back to the system at each free, and page faults then cost more than the arithmetic, until it
    # has freed one of nearly 32 MiB: from then on it keeps what is smaller. Elsewhere this does no harm.
    torch.empty(2**25 - 2**16, dtype=torch.uint8)


def _run_stratum(
    problem: Problem,
    plan: Plan,
    schedule: Schedule,
    stratum: int,
    v: Point,
    random: torch.Generator,
    ball: BallWatch,
    row: xr.Dataset,
) -> Point:
    """The iterations of one stratum; fills `row`, the trace's views of that stratum, shape (R,) each."""
    replicas, samples = len(v[0]), problem.objective.samples
    due = schedule.due(stratum)
    for t in range(int(schedule.edges[stratum]) + 1, int(schedule.edges[stratum + 1]) + 1):
        v_next, g = sgd_step(problem, v, plan.step_size, draw_batch(replicas, plan.batch, samples, random))
        if t in due:
            who = due[t]
            seen = observe(problem, _rows(v, who), _rows(v_next, who), plan.batch)
            for name, values in seen.items():
                row[name].values[who] = values.cpu().numpy()
        ball.move(v_next, plan.step_size, g, t + 1)
        v = v_next
    return v


def _rows(v: Point, who: np.ndarray) -> Point:
    if len(who) == len(v[0]):
        return v
    index = torch.as_tensor(who, device=v[0].device)
    return v[0][index], v[1][index]


def _empty(schedule: Schedule) -> xr.Dataset:
    shape = schedule.times.shape
    variables = {
        name: (("replica", "stratum"), np.full(shape, np.nan), {"meaning": meaning})
        for name, meaning in OBSERVABLES.items()
    }
    variables["time"] = (
        ("replica", "stratum"),
        schedule.times.copy(),
        {"meaning": "iteration t of the audit, from 1"},
    )
    return xr.Dataset(variables, coords={"replica": np.arange(shape[0]), "stratum": np.arange(shape[1])})
