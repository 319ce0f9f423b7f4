"""An ensemble of runs of an algorithm, audited at random times, and saved as it goes so that a
killed run resumes.

A resumed run ends bit-identical to one that was never killed: the checkpoint holds the points, the
sampler, the ball watch and what was seen since the last whole chunk of the trace, and all audit
times are drawn before the first step.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from boundcheck.experiment.plan import Experiment, Guess, Plan, stream
from boundcheck.experiment.statistics import Schedule
from boundcheck.experiment.store import RunFolder
from boundcheck.functions.arithmetic import (
    EPSILON,
    Point,
    apart,
    at_most,
    euclidean_norm,
    joined,
    replicate,
    spectral_norm,
)
from boundcheck.functions.checks import MARGIN
from boundcheck.functions.sgd import Draw, Walk, restart, walk
from boundcheck.language.evidence import OFF_SAMPLES, OFF_SLOPE, ROUNDING
from boundcheck.language.function import Function
from boundcheck.language.measures import Statistic
from boundcheck.system.files import Json
from boundcheck.system.limits import Tick

STAGE = "run"
"""The name that progress gives the steps of a run, which take most of its time."""
# Moments of a run at which it can be saved. Chunks of its trace are larger: each takes zarr
# milliseconds, however small it is.
_SAVES = 16
_CHUNK_BYTES = 2**19
# Steps after which progress is told of, however far apart audits are, or the seconds, where they
# take longer; and bytes of the points that they lead through.
_TELLS = 256
_SECONDS = 1.0
_MOST_HELD = 2**22
MOST_WAITING = 2**22
"""The most bytes of what waits to be observed."""
_EXCESS = {
    OFF_SLOPE: (
        "how far grad F(v_t) is off how F changes, less what rounding explains, at some of the"
        " audits"
    ),
    OFF_SAMPLES: (
        "||g_t - mean of the gradients of its samples||, less a bound on its rounding error"
    ),
}
# The loss is held against its gradient at one audit in so many, at each replica in turn.
_SOME = 32


def is_due(worked: float, took: float) -> bool:
    """True if a checkpoint is worth its time, after so many seconds of work, where the last one
    took so many.

    A kill costs a second of work or a few, and saving at most a fiftieth of a run's time.
    """
    return worked >= max(1.0, took / 0.02)


@dataclass
class BallWatch:
    """A watch on whether all iterates stay in the ball: for each replica a lower bound on its
    distance to the edge.

    A step of Frobenius length l changes a spectral norm by at most l, so the norms need computing
    only when the length travelled since they were last known has used up the distance. The ball is
    convex: segments stay inside with their ends.
    """

    radii: tuple[float, ...]  # the bounds on the spectral norms of the blocks of v
    room: Tensor  # a lower bound on radius minus norm, shape (blocks, R)
    largest: tuple[float, ...]  # the largest spectral norm of each block computed so far
    outside: int | None = None  # the first iteration with an iterate outside
    _slack: Tensor | None = field(default=None, init=False, repr=False)

    @classmethod
    def start(cls, radii: tuple[float, ...], v: Point) -> "BallWatch":
        """Watch from the first iterate on."""
        room = torch.zeros(len(radii), len(v[0]), dtype=torch.float64, device=v[0].device)
        watch = cls(radii, room, (0.0,) * len(radii))
        watch.look(v, 1)
        return watch

    def follow(self, v: Point, step_size: float, lengths: Tensor, t: int) -> None:
        """Account for steps in a row.

        Args:
            v: the iterates that they led to, blocks of shape (steps, R, rows, columns).
            step_size: of all.
            lengths: of the blocks of their gradients, shape (steps, blocks, R).
            t: the iteration of the first of these iterates.

        """
        if self._slack is None:
            # A float step is longer than alpha ||g|| by at most a unit roundoff of each entry that
            # it leads to.
            slack = [
                EPSILON * math.sqrt(x[0, 0].numel()) * radius
                for x, radius in zip(v, self.radii, strict=True)
            ]
            self._slack = lengths.new_tensor(slack).unsqueeze(1)
        costs = torch.add(self._slack, lengths, alpha=step_size * (1 + ROUNDING))
        first = 0
        while first < len(costs):
            left = torch.cat([self.room.unsqueeze(0), -costs[first:]]).cumsum(0)[1:]
            # Written so that NaN, from a run that diverged, looks too.
            used_up = (~(left >= 0)).flatten(1).any(1)
            if not used_up.any():
                self.room = left[-1]
                return
            first += int(used_up.to(torch.uint8).argmax())
            self.look(tuple(part[first] for part in v), t + first)
            first += 1

    def look(self, v: Point, t: int) -> None:
        """Compute the spectral norms at v, the iterate of iteration t."""
        norms = torch.stack([spectral_norm(part) for part in v])
        limits = norms.new_tensor(self.radii).unsqueeze(1)
        self.room = limits * (1 + ROUNDING) - norms
        self.largest = tuple(
            max(x, y) for x, y in zip(self.largest, norms.amax(1).tolist(), strict=True)
        )
        if self.outside is None and bool((self.room < 0).any()):
            self.outside = t


@dataclass(frozen=True)
class Record:
    """All that a finished run leaves.

    When it was audited; the function's observables over (replica, stratum), and what was looked at
    rarely; the ball watch, where the theorem needs a ball; and the iterates after the last step.
    """

    schedule: Schedule
    trace: xr.Dataset
    ball: BallWatch | None
    last: Point


@torch.inference_mode()
def run_ensemble(experiment: Experiment, plan: Plan, folder: RunFolder, tick: Tick) -> Record:
    """Run all replicas from v_1 for T iterations, or on from the checkpoint where there is one."""
    with at_most(experiment.function.threads):
        # glibc gives blocks back to the system at each free, and page faults then cost more than
        # the arithmetic, until it has freed one of nearly 32 MiB: from then on it keeps what is
        # smaller. Elsewhere this does no harm.
        torch.empty(2**25 - 2**16, dtype=torch.uint8)
        ensemble = Ensemble(experiment, plan)
        edges = ensemble.schedule.edges
        replicas, strata = ensemble.schedule.times.shape
        between = max(strata // _SAVES, 1)
        chunk = between * math.ceil(_CHUNK_BYTES / (8 * replicas * between))

        def fits(saved: Json) -> bool:
            """True if a saved state has the parts of this run's, after a stratum at which it
            saves.
            """
            end = saved.get("stratum")
            if not isinstance(end, int) or not (
                (0 < end < strata and end % between == 0) or end == strata
            ):
                return False
            seen = ensemble.seen(end - end % chunk, chunk) if saved.get("seen") else {}
            return _is_like(saved, ensemble.kept(end, seen))

        first = 0
        if (saved := folder.checkpoint(fits)) is not None:
            first = saved["stratum"]
            ensemble.restore(saved, first - first % chunk)
        else:
            folder.start_trace(ensemble.trace, {"stratum": min(chunk, strata)})
        saved_at = time.monotonic()
        took = 0.0
        for begin in range(first, strata, between):
            # The chunk that is filled.
            opened = begin - begin % chunk
            end = min(begin + between, strata)
            t = int(edges[begin]) + 1
            last = int(edges[end])
            # Where no replica has a number left, there is nothing more to see.
            while t <= last and ensemble.is_number:
                t = ensemble.advance(t, last, range(begin, end), tick)
                # What is observed together may decide the last bits, so no clock decides it.
                if ensemble.bytes > MOST_WAITING:
                    ensemble.observe()
            ensemble.observe()
            whole = end == opened + chunk or end == strata
            if whole:
                folder.extend_trace(
                    ensemble.trace.isel(stratum=slice(opened, end)), "stratum", opened
                )
            if is_due((now := time.monotonic()) - saved_at, took):
                seen = {} if whole else ensemble.seen(opened, chunk)
                folder.save_checkpoint(ensemble.kept(end, seen))
                saved_at = time.monotonic()
                took = saved_at - now
        if ensemble.function.looks:
            folder.extend_trace(ensemble.trace, "look", 0)
        if ensemble.function.is_known:
            folder.save_checkpoint(ensemble.kept(strata, {}))
        return ensemble.record(folder.trace())


def recorded(experiment: Experiment, saved: Json, trace: xr.Dataset) -> tuple[Plan, Record] | None:
    """The plan of a finished run, and all that it left, from the state that it ended in; None if
    that does not fit.
    """
    if not _is_like(saved.get("guess"), asdict(experiment.guess)):
        return None
    plan = experiment.draft(Guess(**saved["guess"]))
    ensemble = Ensemble(experiment, plan)
    strata = ensemble.schedule.times.shape[1]
    sizes = {str(name): x.shape for name, x in trace.variables.items()}
    if sizes != {str(name): x.shape for name, x in ensemble.trace.variables.items()}:
        return None
    if not np.array_equal(trace["time"].values, ensemble.schedule.times):
        return None
    if saved.get("stratum") != strata or not _is_like(saved, ensemble.kept(strata, {})):
        return None
    ensemble.restore(saved, strata)
    return plan, ensemble.record(trace)


def _is_like(saved: Any, ours: Any) -> bool:
    """True if what was read has the parts of ours, of their kinds and shapes, whatever stands in
    them.
    """
    if isinstance(ours, Tensor):
        kinds = [
            (x.shape, x.dtype, x.layout, x.device, x.requires_grad)
            for x in (saved, ours)
            if torch.is_tensor(x)
        ]
        return len(kinds) == 2 and kinds[0] == kinds[1]
    if isinstance(ours, dict):
        is_alike = isinstance(saved, dict) and saved.keys() == ours.keys()
        return is_alike and all(_is_like(saved[x], ours[x]) for x in ours)
    if isinstance(ours, list):
        return (
            isinstance(saved, list) and len(saved) == len(ours) and all(map(_is_like, saved, ours))
        )
    # None stands for an iteration that has not come.
    return isinstance(saved, type(ours)) or (ours is None and isinstance(saved, int))


@dataclass(frozen=True)
class _Look:
    """Iterations of the replicas that are audited at them: their strata, the law of minibatches,
    what states show.
    """

    strata: np.ndarray
    who: np.ndarray
    v: Point
    v_next: Point
    law: Draw | None
    shown: dict[str, Tensor]
    used: "_Used | None"


class _Used(NamedTuple):
    """Gradients that moved the run: where they were taken, of which samples, shape (R, m), and
    their own error.
    """

    query: Point
    indices: Tensor
    gradient: Point
    error: Tensor


class Ensemble:
    """Runs under way: what a checkpoint keeps of them, and what was seen of them.

    Attributes:
        schedule: when they are audited.
        trace, arrays: what was seen, NaN where nothing was yet, and its values by name; of those of
            rare looks, at `rare_times`, the first replica's alone.
        bytes: of what is due and not observed yet: many at once cost what their arithmetic costs,
            and no more calls.

    """

    def __init__(self, experiment: Experiment, plan: Plan) -> None:
        """Begin at v_1: every time of an audit, and of a rare look, is drawn before the first
        step.
        """
        self.experiment = experiment
        self.plan = plan
        self.spec, self.function = spec, function = experiment.spec, experiment.function
        # Every step asks for it, and a spec looks it up each time.
        self.algorithm = spec.algorithm
        strata = min(spec.run.audits or plan.steps, plan.steps)
        is_of_the_last = spec.measure.over is Statistic.LAST
        if is_of_the_last:
            # The last iterate, and those before it.
            strata = max(strata, min(2, plan.steps))
        random = np.random.default_rng(stream(spec, "audits"))
        self.schedule = Schedule.draw(plan.steps, strata, spec.replicas, random, is_of_the_last)
        self.sampler = experiment.sampler(plan.batch, spec.replicas, "sampling")
        v = replicate(experiment.start.v, spec.replicas)
        self.ball = BallWatch.start(tuple(plan.radii.values()), v) if plan.radii else None
        self.state = self.algorithm.start(v, plan.numbers)
        # At equal ratios of time back from the last iterate, to the first if there are two.
        count = spec.run.looks if function.looks else 0
        self.rare_times = np.unique(np.geomspace(plan.steps, 1, count).round().astype(int))
        # A function is asked whether it can be held against itself.
        first = experiment.start.v
        alone = torch.zeros(1, 1, dtype=torch.int64, device=v[0].device)
        self.is_held = plan.batch is not None and function.mean_of_samples(first, alone) is not None
        self.has_slopes = function.slope_excess(first, None) is not None
        due = {OFF_SLOPE: self.has_slopes, OFF_SAMPLES: self.is_held}
        shows = dict(self.algorithm.shows) | {
            name: _EXCESS[name] for name, is_due in due.items() if is_due
        }
        self.trace = empty_trace(self.schedule.times, function, self.rare_times, shows)
        self.arrays = {str(name): x.values for name, x in self.trace.data_vars.items()}
        self.waiting: list[_Look] = []
        self.bytes = 0
        # Seconds of one of the steps taken last, as far as clocks have them; of the first nothing
        # is known.
        self.pace = _SECONDS / 8

    @property
    def v(self) -> Point:
        return self.algorithm.iterate(self.state)

    @property
    def is_number(self) -> bool:
        """True if any replica is all finite numbers."""
        finite = torch.stack([torch.isfinite(part).flatten(1).all(1) for part in self.v])
        return bool(finite.all(0).any())

    def seen(self, begin: int, chunk: int) -> dict[str, Tensor]:
        """A chunk of the trace, from a stratum on, as a checkpoint keeps it."""
        part = self.trace.isel(stratum=slice(begin, begin + chunk)).data_vars.items()
        # Not as a view, with which all of the trace would be kept.
        return {
            str(name): torch.from_numpy(x.values.copy()) for name, x in part if "stratum" in x.dims
        }

    def record(self, trace: xr.Dataset) -> Record:
        """What is left of the runs once they have ended, with the trace that was written of
        them.
        """
        return Record(self.schedule, trace, self.ball, self.v)

    def kept(self, end: int, seen: dict[str, Tensor]) -> Json:
        """A checkpoint after stratum `end`, with what was seen since the last whole chunk."""
        ball = self.ball
        return {
            "stratum": end,
            "seen": seen,
            "guess": asdict(self.plan.guess),
            "state": [[part.cpu() for part in point] for point in self.state],
            "sampler": self.sampler.state(),
            "ball": (
                ball
                and {
                    "room": ball.room.cpu(),
                    "largest": list(ball.largest),
                    "outside": ball.outside,
                }
            ),
            "rare": {
                name: torch.from_numpy(self.arrays[name][0].copy()) for name in self.function.looks
            },
        }

    def restore(self, saved: Json, begin: int) -> None:
        """Go on from what `kept`, and `seen` from a stratum on, put into a checkpoint."""
        device = self.experiment.device
        self.state = tuple(tuple(part.to(device) for part in point) for point in saved["state"])
        self.sampler.restore(saved["sampler"])
        for name, values in saved["rare"].items():
            self.arrays[name][0] = values.numpy()
        for name, values in saved["seen"].items():
            self.arrays[name][:, begin : begin + values.shape[1]] = values.numpy()
        if (ball := saved["ball"]) is not None:
            radii = tuple(self.plan.radii.values())
            self.ball = BallWatch(
                radii, ball["room"].to(device), tuple(ball["largest"]), ball["outside"]
            )

    def advance(self, t: int, last: int, strata: range, tick: Tick) -> int:
        """Take steps from t on, many at a time, to `last` at most; what is due in these strata
        waits to be observed.

        Returns the step that comes next. A restart, at points drawn for its step alone, ends what
        is taken together.
        """
        algorithm = self.algorithm
        numbers = self.plan.numbers
        held = sum(part.numel() * part.element_size() for part in self.v)
        most = min(last - t + 1, _TELLS, max(_MOST_HELD // held, 1))
        end = t + next((i for i in range(1, most) if algorithm.restarts(t + i - 1, numbers)), most)
        while t < end:
            count = min(end - t, max(int(_SECONDS / max(self.pace, 1e-6)), 1))
            begun = time.monotonic()
            # What a minibatch is drawn from is known before it is drawn.
            drawn = [(self.sampler.law(), self.sampler.draw()) for _ in range(count)]
            taken = walk(
                algorithm, self.function, self.state, t, numbers, [batch for _, batch in drawn]
            )
            self.state = taken.state
            self.pace = (time.monotonic() - begun) / count
            for due in self.rare_times[
                (t <= self.rare_times) & (self.rare_times < t + count)
            ].tolist():
                random = np.random.default_rng([stream(self.spec, "curvature"), due])
                first = tuple(part[due - t][:1] for part in taken.points)

                def told(stage: str, done: int, total: int, due: int = due) -> None:
                    tick(f"t = {due}, {stage}", done, total)

                for name, value in self.function.look(first, random, told).items():
                    self.arrays[name][0, self.rare_times == due] = value
            self._wait(taken, t, strata, drawn)
            if self.ball is not None:
                iterates = tuple(part[1:] for part in taken.points)
                self.ball.follow(iterates, self.plan.step_size, taken.lengths, t + 1)
            t += count
            tick(STAGE, t - 1, self.plan.steps)
        if algorithm.restarts(t - 1, numbers) and t <= self.plan.steps:
            random_at = self.experiment.random("restarts", t - 1)
            self.state = restart(
                algorithm, self.function, self.state, numbers, self.spec.adapter.gain, random_at
            )
            if self.ball is not None:
                self.ball.look(self.v, t)
        return t

    def _wait(
        self, taken: Walk, t: int, strata: range, drawn: list[tuple[Draw | None, Tensor | None]]
    ) -> None:
        """Keep what is due of the steps from t on, in these strata."""
        times = self.schedule.times[:, strata.start : strata.stop]
        laws = [law for law, _ in drawn]
        batches = [x for _, x in drawn if x is not None]
        # One call for a step, and not for each replica.
        sizes = np.array(
            [self.algorithm.along_gradient(t + i, self.plan.numbers) for i in range(len(laws))],
            float,
        )
        indices = torch.stack(batches).flatten(0, 1) if self.is_held else None
        replica, stratum = np.nonzero((t <= times) & (times < t + len(laws)))
        order = np.argsort(times[replica, stratum], kind="stable")
        replica = replica[order]
        stratum = stratum[order]
        step = times[replica, stratum] - t
        # With replacement it is one law for all steps.
        kind = np.array([id(law) for law in laws])[step]
        for each in (
            np.split(np.arange(len(step)), np.flatnonzero(np.diff(kind)) + 1) if len(step) else ()
        ):
            who = replica[each]
            when = step[each]
            chosen = torch.as_tensor(when * len(times) + who, device=taken.points[0].device)
            # From points of shape (times, R, rows, columns), before and after each step.
            v, v_next = (_chosen(taken.points, chosen + i * len(times)) for i in (0, 1))
            law = laws[when[0]]
            shown = {name: x.flatten().index_select(0, chosen) for name, x in taken.shown.items()}
            of = law and law.of(torch.as_tensor(who, device=chosen.device))
            used = None
            if indices is not None:
                error = torch.zeros(len(who), dtype=torch.float64, device=chosen.device)
                if taken.gradients is None:
                    # Steps -a g alone are there: of g they tell what rounding left of it.
                    a = error.new_tensor(sizes[when])
                    g = tuple((x - y) / a[:, None, None] for x, y in zip(v, v_next, strict=True))
                    error = EPSILON * (euclidean_norm(v) + euclidean_norm(v_next)) / a
                else:
                    g = _chosen(taken.gradients, chosen)
                query = v if taken.queries is None else _chosen(taken.queries, chosen)
                used = _Used(query, indices.index_select(0, chosen), g, error)
            self.waiting.append(
                _Look(stratum[each] + strata.start, who, v, v_next, of, shown, used)
            )
            self.bytes += (16 if used is None else 32) * sum(part.numel() for part in v)
            if of is not None and not of.replaced:
                self.bytes += 8 * of.candidates.numel()

    def observe(self) -> None:
        """Observe all that waits, and write it into the trace.

        Looks whose minibatch is drawn from equally many samples are observed together; in epochs
        the numbers differ.
        """
        alike: dict[int, list[_Look]] = {}
        for look in self.waiting:
            alike.setdefault(look.law.candidates.shape[1] if look.law else 0, []).append(look)
        for group in alike.values():
            v = joined([look.v for look in group])
            v_next = joined([look.v_next for look in group])
            laws = [look.law for look in group if look.law]
            law = laws[0].joined(laws[1:]) if laws else None
            who = np.concatenate([look.who for look in group])
            columns = np.concatenate([look.strata for look in group])
            shown = {
                name: torch.cat([look.shown[name] for look in group]) for name in group[0].shown
            }
            found = self.function.observe(v, v_next, law) | shown
            if used := [look.used for look in group if look.used]:
                found[OFF_SAMPLES] = self._off_samples(used, found["loss"])
            if self.has_slopes:
                rows = torch.from_numpy(
                    np.flatnonzero((who + columns) % min(_SOME, self.spec.replicas) == 0)
                )
                rows = rows.to(v[0].device)
                found[OFF_SLOPE] = torch.full(
                    (len(who),), torch.nan, dtype=torch.float64, device=v[0].device
                )
                some = tuple(part[rows] for part in v)
                off = self.function.slope_excess(some, law and law.of(rows)) if len(rows) else None
                if off is not None:
                    found[OFF_SLOPE][rows] = off
            for name, values in found.items():
                self.arrays[name][who, columns] = values.cpu().numpy()
        self.waiting = []
        self.bytes = 0

    def _off_samples(self, each: list[_Used], loss: Tensor) -> Tensor:
        """How far gradients that moved the run are off the means of their samples' gradients,
        beyond rounding.
        """
        queries, drawn, gradients, errors = zip(*each, strict=True)
        query = joined(queries)
        indices = torch.cat(drawn)
        gradient = joined(gradients)
        mean = self.function.mean_of_samples(query, indices)
        if mean is None:
            return torch.full_like(loss, torch.nan)
        gap = euclidean_norm(apart(gradient, mean))
        numbers = indices.shape[1] + sum(part[0].numel() for part in query) + 64
        sums = EPSILON * numbers * (euclidean_norm(gradient) + euclidean_norm(mean))
        # What bounds the error of a mean over all samples bounds a mean square: one sample's may be
        # as much larger.
        off = math.sqrt(self.function.samples) * self.function.rounding(query, loss)[1].to(sums)
        return gap - torch.cat(errors) - MARGIN * (off + sums)


def _chosen(points: Point, places: Tensor) -> Point:
    """Of points of shape (times, R, rows, columns) those at these places, in one dimension."""
    return tuple(part.flatten(0, 1).index_select(0, places) for part in points)


def empty_trace(
    times: np.ndarray,
    function: Function,
    rare: np.ndarray,
    shows: Mapping[str, str] = MappingProxyType({}),
) -> xr.Dataset:
    """A trace of NaN with the times of its audits, shape (R, M), and of its rare looks, shape
    (looks,).

    Beside the function's observables it has what an algorithm shows, by name with its meaning.
    """
    replicas, strata = times.shape
    audited = ("replica", "stratum")
    looked = ("replica", "look")
    variables: Json = {
        name: (audited, np.full(times.shape, np.nan), {"meaning": meaning})
        for name, meaning in shows.items()
    }
    for name, observable in function.observables.items():
        sizes = [function.sizes[dim] for dim in observable.dims]
        empty = np.full([*times.shape, *sizes], np.nan)
        variables[name] = ((*audited, *observable.dims), empty, {"meaning": observable.meaning})
    for name, meaning in function.looks.items():
        variables[name] = (looked, np.full((replicas, len(rare)), np.nan), {"meaning": meaning})
    if function.looks:
        variables["look_time"] = (
            looked,
            np.tile(rare, (replicas, 1)),
            {"meaning": "iteration of the rare look"},
        )
    variables["time"] = (audited, times.copy(), {"meaning": "iteration t of the audit, from 1"})
    coords = {"replica": np.arange(replicas), "stratum": np.arange(strata)}
    # Names are attributes, in one text: zarr has no settled format for arrays of text.
    return xr.Dataset(variables, coords, dict(function.names))
