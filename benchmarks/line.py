"""`Benchmark`: what is measured, against whom, and the limit; `Line`: what came out; `in_turns`,
which measures."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Limit:
    """The most that a number may be, or the least."""

    value: float
    is_least: bool = False

    def holds(self, value: float) -> bool:
        return value >= self.value if self.is_least else value <= self.value

    def missed_by(self, value: float) -> float:
        """The factor that is missing to the limit; at most 1 where it holds."""
        return self.value / value if self.is_least else value / self.value


@dataclass(frozen=True)
class Times:
    """The seconds of each turn, all of which are kept."""

    seconds: tuple[float, ...]

    @property
    def least(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return median(self.seconds)

    def per(self, count: float) -> "Times":
        """The seconds of one of so many units of work."""
        return Times(tuple(each / count for each in self.seconds))


@dataclass(frozen=True)
class Curve:
    """How a cost grows.

    Attributes:
        letter, meaning: of what grows.
        x: its values, rising.
        seconds: the least time at each.
        setting: what the other sizes are.
        ends: why it ends where it does.

    """

    letter: str
    meaning: str
    x: tuple[float, ...]
    seconds: tuple[float, ...]
    setting: str
    ends: str


@dataclass(frozen=True)
class Found:
    """What was measured.

    Attributes:
        value: what is held to the limit.
        ours, theirs: the numbers that it was made from, in the benchmark's unit, for a table.
        turns: the seconds of each turn, by who worked.
        notes: what else there is to say, each in a sentence.
        curve: of a cost that grows.

    """

    value: float
    ours: float | None = None
    theirs: float | None = None
    turns: dict[str, Times] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    curve: Curve | None = None


@dataclass(frozen=True)
class Effort:
    """How much is done: so many turns, of a share of the work. Both are fixed before anything is
    measured."""

    turns: int
    share: float

    def of(self, count: int) -> int:
        """So many units of work, or their share, but one at least."""
        return max(round(count * self.share), 1)


FULL, QUICK = Effort(5, 1.0), Effort(2, 0.1)


@dataclass(frozen=True)
class Benchmark:
    """One line of the table.

    Attributes:
        name: how the command line calls it, ``file.line``.
        what: what is ours.
        peer: what it is held against.
        says: what the value is.
        unit: of ours and theirs.
        means: the line in a sentence, for the page.
        measure: measures it; what it raises becomes the line's own, and costs no other.
        limit: of the value; None where nothing is asked.
        why: why it misses its limit, where it does.
        needs: modules of the peer: without one, the line says so.
        is_long: whether it takes over half a minute.

    """

    name: str
    what: str
    peer: str
    says: str
    unit: str
    means: str
    measure: Callable[[Effort], Found]
    limit: Limit | None = None
    why: str = ""
    needs: tuple[str, ...] = ()
    is_long: bool = False

    def line(self, found: Found | None, failed: str = "") -> "Line":
        """What is kept of it: what was found, or why nothing was."""
        own = (
            self.name,
            self.what,
            self.peer,
            self.says,
            self.unit,
            self.means,
            self.limit,
            self.why,
        )
        return Line(*own, found, failed)


@dataclass(frozen=True)
class Line:
    """What came of a benchmark, whose attributes it has; `failed` says in plain words why nothing
    was found."""

    name: str
    what: str
    peer: str
    says: str
    unit: str
    means: str
    limit: Limit | None
    why: str
    found: Found | None
    failed: str = ""

    @property
    def verdict(self) -> str:
        """``held``, ``missed``, ``not measured``; or ``measured``, where nothing is asked."""
        if self.found is None:
            return "not measured"
        if self.limit is None:
            return "measured"
        return "held" if self.limit.holds(self.found.value) else "missed"


def in_turns(
    works: Mapping[str, Callable[[], Any]], turns: int, warm: bool = True
) -> dict[str, Times]:
    """The seconds that each took, all of them one after the other in each turn; before the first,
    each once unseen."""
    if warm:
        for work in works.values():
            work()
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(turns):
        for name, work in works.items():
            taken[name].append(seconds(work))
    return {name: Times(tuple(each)) for name, each in taken.items()}


def seconds(work: Callable[[], Any]) -> float:
    """How long one call takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def faster(turns: Mapping[str, Times], unit: float, notes: tuple[str, ...] = ()) -> Found:
    """How many times as fast the first is as the second, each in its best turn, in so many units of
    a second."""
    ours, theirs = (each.least / unit for each in turns.values())
    return Found(theirs / ours, ours, theirs, dict(turns), notes)


def within(times: Times, limit: float) -> Found:
    """Seconds beside those that are allowed; by the median, which is what a person waits."""
    return Found(times.median, times.median, limit, {"ours": times})
