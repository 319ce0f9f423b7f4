"""An ensemble of runs of an algorithm, audited at random times, and saved as it goes so that a killed run resumes.

A resumed run ends bit-identical to one that was never killed: the checkpoint holds the points, the sampler, the ball
watch and what was seen since the last whole chunk of the trace, and all audit times are drawn before the first step.
"""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
import xarray as xr

from boundcheck.experiment.ball import BallWatch
from boundcheck.experiment.plan import Plan, Start, make_sampler
from boundcheck.experiment.schedule import Schedule
from boundcheck.experiment.spec import Spec
from boundcheck.experiment.store import RunFolder
from boundcheck.experiment.streams import generator, stream
from boundcheck.functions.arithmetic import Point, State, at_most, replicate
from boundcheck.functions.draws import Draw, Sampler
from boundcheck.functions.sgd import Walk, restart, walk
from boundcheck.language.algorithms import Algorithm
from boundcheck.language.function import Function
from boundcheck.system.limits import Tick, prefixed

STAGE = "run"
"""The name that progress gives the steps of a run, which take most of its time."""
# Moments of a run at which it can be saved. Chunks of its trace are larger: each takes zarr milliseconds, however small
# it is.
_SAVES = 16
_CHUNK_BYTES = 2**19
# Steps after which progress is told of, however far apart audits are, or the seconds, where they take longer; and bytes
# of the points that they lead through.
_TELLS, _SECONDS = 256, 1.0
_MOST_HELD = 2**22
MOST_WAITING = 2**22
"""The most bytes of what waits to be observed."""


@dataclass(frozen=True)
class Saving:
    """A rule for when a checkpoint is worth its time: a kill costs seconds of work, and saving a small part of a run.

    Attributes:
        every: seconds of work between two.
        share: the most of a run's time that they take.

    """

    every: float
    share: float

    def is_due(self, worked: float, took: float) -> bool:
        """True if it is time to save, after so many seconds of work, where the last checkpoint took so many."""
        return worked >= max(self.every, took / self.share)


SAVING = Saving(every=1.0, share=0.02)
"""The rule of all runs."""


@dataclass(frozen=True)
class Record:
    """All that a finished run leaves.

    Attributes:
        schedule: when it was audited.
        trace: the function's observables over (replica, stratum), and what was looked at rarely.
        ball: the ball watch; a theorem that needs no ball has none.
        last: the iterates after the last step.

    """

    schedule: Schedule
    trace: xr.Dataset
    ball: BallWatch | None
    last: Point


@dataclass(frozen=True)
class _Part:
    """A chunk of the trace in memory, from a stratum on; by name its arrays, shape (replica, stratum)."""

    begin: int
    trace: xr.Dataset
    arrays: dict[str, np.ndarray]

    @classmethod
    def of(cls, empty: xr.Dataset, begin: int, chunk: int) -> "_Part":
        trace = empty.isel(stratum=slice(begin, begin + chunk)).copy(deep=True)
        return cls(begin, trace, {str(name): x.values for name, x in trace.data_vars.items()})


@torch.inference_mode()
def run_ensemble(
    spec: Spec, function: Function, start: Start, plan: Plan, folder: RunFolder, device: str, tick: Tick
) -> Record:
    """Run all replicas from v_1 for T iterations, or on from the checkpoint where there is one."""
    with at_most(function.threads):
        return _run(_Course.start(spec, function, start, plan, device), folder, tick)


def _run(course: "_Course", folder: RunFolder, tick: Tick) -> Record:
    _keep_freed_memory()
    function = course.function
    replicas, strata = course.schedule.times.shape
    between = max(strata // _SAVES, 1)
    chunk = between * math.ceil(_CHUNK_BYTES / (8 * replicas * between))
    empty = empty_trace(course.schedule.times, function, course.rare.times, dict(course.algorithm.shows))
    first, seen = 0, {}

    def fits(saved: dict[str, Any]) -> bool:
        """True if a saved state has the parts of this run's, after a stratum at which it saves."""
        end, seen = saved.get("stratum"), saved.get("seen")
        if not isinstance(end, int) or not ((0 < end < strata and end % between == 0) or end == strata):
            return False
        waiting = {name: torch.from_numpy(x) for name, x in _Part.of(empty, end - end % chunk, chunk).arrays.items()}
        return _is_like(saved, {"stratum": end, "seen": waiting if seen else {}} | course.kept())

    if (saved := folder.checkpoint(fits)) is not None:
        first, seen = saved["stratum"], saved["seen"]
        course.restore(saved)
    else:
        folder.start_trace(empty, {"stratum": min(chunk, strata)})
    part = _Part.of(empty, first - first % chunk, chunk)
    for name, values in seen.items():
        part.arrays[name][:] = values.numpy()
    saved_at, took = time.monotonic(), 0.0
    for begin in range(first, strata, between):
        if begin == part.begin + chunk:
            part = _Part.of(empty, begin, chunk)
        end = min(begin + between, strata)
        for _ in course.run(begin, end, tick):
            if course.looks.bytes > MOST_WAITING:
                course.looks.observe(part)
        course.looks.observe(part)
        whole = end == part.begin + chunk or end == strata
        if whole:
            folder.extend_trace(part.trace, "stratum", part.begin)
        if SAVING.is_due((now := time.monotonic()) - saved_at, took):
            seen = {} if whole else {name: torch.from_numpy(x) for name, x in part.arrays.items()}
            folder.save_checkpoint({"stratum": end, "seen": seen} | course.kept())
            saved_at = time.monotonic()
            took = saved_at - now
    if course.rare.seen:
        folder.extend_trace(course.rare.dataset(replicas), "look", 0)
    return Record(course.schedule, folder.trace(), course.ball, course.algorithm.iterate(course.state))


def _is_like(saved: Any, ours: Any) -> bool:
    """True if what was read has the parts of ours, of their kinds and shapes, whatever stands in them."""
    if isinstance(ours, torch.Tensor):
        kinds = [(x.shape, x.dtype, x.layout, x.device, x.requires_grad) for x in (saved, ours) if torch.is_tensor(x)]
        return len(kinds) == 2 and kinds[0] == kinds[1]
    if isinstance(ours, dict):
        return (
            isinstance(saved, dict) and saved.keys() == ours.keys() and all(_is_like(saved[x], ours[x]) for x in ours)
        )
    if isinstance(ours, list):
        return isinstance(saved, list) and len(saved) == len(ours) and all(map(_is_like, saved, ours))
    # None stands for an iteration that has not come.
    return isinstance(saved, type(ours)) or (ours is None and isinstance(saved, int))


@dataclass
class _Course:
    """A run under way, of which a checkpoint keeps what changes: the state, the sampler, the ball, and rare looks."""

    spec: Spec
    function: Function
    plan: Plan
    device: str
    schedule: Schedule
    sampler: Sampler
    state: State
    ball: BallWatch | None
    rare: "_RareLooks"
    looks: "_Looks"
    # Seconds of one of the steps taken last, as far as clocks have them; of the first nothing is known.
    pace: float = _SECONDS / 8

    @classmethod
    def start(cls, spec: Spec, function: Function, start: Start, plan: Plan, device: str) -> "_Course":
        replicas = spec.replicas
        strata = min(spec.run.audits or plan.steps, plan.steps)
        if spec.measure.is_of_the_last:
            # The last iterate, and those before it.
            strata = max(strata, min(2, plan.steps))
        random = np.random.default_rng(stream(spec, "audits"))
        schedule = Schedule.draw(plan.steps, strata, replicas, random, spec.measure.is_of_the_last)
        sampler = make_sampler(spec, plan, function, replicas, generator(spec, "sampling", device))
        v, radii = replicate(start.v, replicas), tuple(plan.radii.values())
        ball = BallWatch.start(radii, v) if radii else None
        state, rare = spec.algorithm.start(v, plan.numbers), _RareLooks.of(spec, function, plan)
        return cls(spec, function, plan, device, schedule, sampler, state, ball, rare, _Looks(function))

    @cached_property
    def algorithm(self) -> Algorithm:
        """The algorithm that is run; every step asks for it, and a spec looks it up each time."""
        return self.spec.algorithm

    def restore(self, saved: dict[str, Any]) -> None:
        """Go on from what `kept` put into a checkpoint."""
        device = self.device
        self.state = tuple(tuple(part.to(device) for part in point) for point in saved["state"])
        self.sampler.restore(saved["sampler"])
        self.rare.seen.update({name: values.numpy() for name, values in saved["rare"].items()})
        if (ball := saved["ball"]) is not None:
            radii = tuple(self.plan.radii.values())
            self.ball = BallWatch(radii, ball["room"].to(device), tuple(ball["largest"]), ball["outside"])

    def kept(self) -> dict[str, Any]:
        ball = self.ball
        return {
            "state": [[part.cpu() for part in point] for point in self.state],
            "sampler": self.sampler.state(),
            "ball": ball and {"room": ball.room.cpu(), "largest": list(ball.largest), "outside": ball.outside},
            "rare": {name: torch.from_numpy(x) for name, x in self.rare.seen.items()},
        }

    def run(self, begin: int, end: int, tick: Tick) -> Iterator[None]:
        """Run the iterations of some strata, many at a time; what is due of them waits to be observed.

        It yields where that may be done: what is observed together may decide the last bits, so no clock decides it.
        """
        t, last = int(self.schedule.edges[begin]) + 1, int(self.schedule.edges[end])
        while t <= last:
            # Where no replica has a number left, there is nothing more to see.
            if not _is_number(self.algorithm.iterate(self.state)):
                return
            end_of_these = t + self._together(t, last)
            while t < end_of_these:
                count = min(end_of_these - t, max(int(_SECONDS / max(self.pace, 1e-6)), 1))
                self._walk(t, count, self.schedule.times[:, begin:end], begin, tick)
                t += count
                tick(STAGE, t - 1, self.plan.steps)
            if self.algorithm.restarts(t - 1, self.plan.numbers) and t <= self.plan.steps:
                self._restart(t - 1)
            yield

    def _walk(self, t: int, count: int, times: np.ndarray, begin: int, tick: Tick) -> None:
        """Take so many steps from t on; what is due of them at `times`, of the strata from `begin` on, waits."""
        begun = time.monotonic()
        # What a minibatch is drawn from is known before it is drawn.
        drawn = [(self.sampler.law(), self.sampler.draw()) for _ in range(count)]
        batches = [batch for _, batch in drawn]
        taken = walk(self.algorithm, self.function, self.state, t, self.plan.numbers, batches)
        self.state, self.pace = taken.state, (time.monotonic() - begun) / count
        for due in self.rare.times[(t <= self.rare.times) & (self.rare.times < t + count)].tolist():
            self.rare.at(due, tuple(part[due - t] for part in taken.points), tick)
        self.looks.add(taken, t, times, begin, [law for law, _ in drawn])
        if self.ball is not None:
            iterates = tuple(part[1:] for part in taken.points)
            self.ball.follow(iterates, self.plan.step_size, taken.lengths, t + 1)

    def _together(self, t: int, last: int) -> int:
        """The number of steps from t on that are taken together: their points are held, and a restart ends them."""
        held = sum(part.numel() * part.element_size() for part in self.algorithm.iterate(self.state))
        most = min(last - t + 1, _TELLS, max(_MOST_HELD // held, 1))
        return next((i for i in range(1, most) if self.algorithm.restarts(t + i - 1, self.plan.numbers)), most)

    def _restart(self, t: int) -> None:
        """After step t merge what was trained, and begin again: at points drawn for t alone, as a resumed run does."""
        random = generator(self.spec, "restarts", self.device, t)
        self.state = restart(
            self.algorithm, self.function, self.state, self.plan.numbers, self.spec.adapter.gain, random
        )
        if self.ball is not None:
            self.ball.look(self.algorithm.iterate(self.state), t + 1)


@dataclass(frozen=True)
class _RareLooks:
    """Rare looks, at a few iterates of the first replica: values by name, shape (looks,)."""

    function: Function
    seed: int
    times: np.ndarray
    seen: dict[str, np.ndarray]

    @classmethod
    def of(cls, spec: Spec, function: Function, plan: Plan) -> "_RareLooks":
        """Looks at equal ratios of time back from the last iterate, to the first if there are two."""
        count = spec.run.looks if function.looks else 0
        times = np.unique(np.geomspace(plan.steps, 1, count).round().astype(int))
        return cls(
            function, stream(spec, "curvature"), times, {name: np.full(len(times), np.nan) for name in function.looks}
        )

    def at(self, t: int, v: Point, tick: Tick) -> None:
        """Look at v_t, one of those that are due."""
        random = np.random.default_rng([self.seed, t])
        first = tuple(part[:1] for part in v)
        for name, value in self.function.look(first, random, prefixed(tick, f"t = {t}, ")).items():
            self.seen[name][self.times == t] = value

    def dataset(self, replicas: int) -> xr.Dataset:
        """The values that were seen, as the trace has them: of the other replicas none."""
        rows = {name: np.full((replicas, len(self.times)), np.nan) for name in self.seen}
        for name, values in self.seen.items():
            rows[name][0] = values
        rows["look_time"] = np.tile(self.times, (replicas, 1))
        return xr.Dataset({name: (("replica", "look"), values) for name, values in rows.items()})


def _is_number(v: Point) -> bool:
    """True if any replica is all finite numbers."""
    finite = torch.stack([torch.isfinite(part).flatten(1).all(1) for part in v])
    return bool(finite.all(0).any())


def _keep_freed_memory() -> None:
    # glibc gives blocks back to the system at each free, and page faults then cost more than the arithmetic, until it
    # has freed one of nearly 32 MiB: from then on it keeps what is smaller. Elsewhere this does no harm.
    torch.empty(2**25 - 2**16, dtype=torch.uint8)


@dataclass(frozen=True)
class _Look:
    """Iterations of the replicas that are audited at them: their strata, the law of minibatches, what states show."""

    strata: np.ndarray
    who: np.ndarray
    v: Point
    v_next: Point
    law: Draw | None
    shown: dict[str, torch.Tensor]


@dataclass
class _Looks:
    """The looks that are due and not observed yet: many at once cost what their arithmetic costs, and no more calls."""

    function: Function
    waiting: list[_Look] = field(default_factory=list)
    bytes: int = 0

    def add(self, taken: Walk, t: int, times: np.ndarray, begin: int, laws: list[Draw | None]) -> None:
        """Keep what is due of the steps from t on, at `times`, shape (R, strata), of the strata from `begin` on."""
        replica, stratum = np.nonzero((t <= times) & (times < t + len(laws)))
        order = np.argsort(times[replica, stratum], kind="stable")
        replica, stratum = replica[order], stratum[order]
        step = times[replica, stratum] - t
        # With replacement it is one law for all steps.
        kind = np.array([id(law) for law in laws])[step]
        for each in np.split(np.arange(len(step)), np.flatnonzero(np.diff(kind)) + 1) if len(step) else ():
            who, when = replica[each], step[each]
            chosen = torch.as_tensor(when * len(times) + who, device=taken.points[0].device)
            v, v_next = (_rows(taken.points, chosen + i * len(times)) for i in (0, 1))
            law = laws[when[0]]
            shown = {name: x.flatten().index_select(0, chosen) for name, x in taken.shown.items()}
            of = law and law.of(torch.as_tensor(who, device=chosen.device))
            look = _Look(stratum[each] + begin, who, v, v_next, of, shown)
            self.waiting.append(look)
            self.bytes += 16 * sum(part.numel() for part in look.v)
            if look.law is not None and not look.law.replaced:
                self.bytes += 8 * look.law.candidates.numel()

    def observe(self, part: _Part) -> None:
        """Observe all looks that wait, and write them into a part of the trace that has their strata.

        Those whose minibatch is drawn from equally many samples are observed together; in epochs the numbers differ.
        """
        alike: dict[int, list[_Look]] = {}
        for look in self.waiting:
            alike.setdefault(look.law.candidates.shape[1] if look.law else 0, []).append(look)
        for group in alike.values():
            v, v_next = _joined([look.v for look in group]), _joined([look.v_next for look in group])
            laws = [look.law for look in group if look.law]
            law = laws[0].joined(laws[1:]) if laws else None
            who = np.concatenate([look.who for look in group])
            columns = np.concatenate([look.strata for look in group]) - part.begin
            shown = {name: torch.cat([look.shown[name] for look in group]) for name in group[0].shown}
            for name, values in (self.function.observe(v, v_next, law) | shown).items():
                part.arrays[name][who, columns] = values.cpu().numpy()
        self.waiting, self.bytes = [], 0


def _joined(points: list[Point]) -> Point:
    return tuple(torch.cat(parts) for parts in zip(*points, strict=True))


def _rows(points: Point, chosen: torch.Tensor) -> Point:
    """The points at the given places among times and replicas, from points of shape (times, R, rows, columns)."""
    return tuple(part.flatten(0, 1).index_select(0, chosen) for part in points)


def empty_trace(
    times: np.ndarray, function: Function, rare: np.ndarray, shows: Mapping[str, str] = MappingProxyType({})
) -> xr.Dataset:
    """A trace of NaN with the times of its audits, shape (R, M), and of its rare looks, shape (looks,).

    Beside the function's observables it has what an algorithm shows, by name with its meaning.
    """
    shape = times.shape
    variables: dict[str, Any] = {
        name: (("replica", "stratum"), np.full(shape, np.nan), {"meaning": meaning}) for name, meaning in shows.items()
    }
    for name, observable in function.observables.items():
        sizes = [function.sizes[dim] for dim in observable.dims]
        dims = ("replica", "stratum", *observable.dims)
        variables[name] = (dims, np.full([*shape, *sizes], np.nan), {"meaning": observable.meaning})
    for name, meaning in function.looks.items():
        variables[name] = (("replica", "look"), np.full((shape[0], len(rare)), np.nan), {"meaning": meaning})
    if function.looks:
        variables["look_time"] = (
            ("replica", "look"),
            np.tile(rare, (shape[0], 1)),
            {"meaning": "iteration of the rare look"},
        )
    variables["time"] = (
        ("replica", "stratum"),
        times.copy(),
        {"meaning": "iteration t of the audit, from 1"},
    )
    coords = {"replica": np.arange(shape[0]), "stratum": np.arange(shape[1])}
    # Names are attributes, in one text: zarr has no settled format for arrays of text.
    return xr.Dataset(variables, coords, dict(function.names))
