"""Exponents that runs give together: in the rank, of what is measured; in the horizon, of how loose a theorem is.

Runs belong together when their specs are equal in everything but what is swept: nothing is read off runs that differ in
anything else. A new seed draws the initial point and the minibatches again, on the same problem.
"""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from boundcheck.exact.digits import DOWN, UP
from boundcheck.experiment.statistics import Exponent, fit_exponent
from boundcheck.functions.adapters import title_of
from boundcheck.present.stored import StoredRun
from boundcheck.present.style import log_y, ticks
from boundcheck.present.words import number, signed
from boundcheck.system.tables import fields_of

Row = dict[str, Any]

# How a title writes a marker.
_GLYPHS = {"o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼", "P": "✚", "X": "✖"}
# What a title calls a field by a letter.
_LETTERS = {"run.step_size": "η"}
# A mean this far off the fitted line, relatively, is told of: a power law is then a poor description.
_BENT = 0.25
TITLED = ("claim", "lipschitz", "run.step_size")
FEWEST = 3
"""The fewest points that a line is fitted through, and the fewest seeds that make an interval."""


@dataclass(frozen=True)
class Sweep:
    """Runs on a full grid of seeds and one swept number.

    Attributes:
        x: the swept number, shape (m,), rising.
        runs: for each seed its runs, in the order of x.

    """

    x: np.ndarray
    runs: list[list[StoredRun]]

    @property
    def first(self) -> StoredRun:
        """The run that stands for what all have in common."""
        return self.runs[0][0]

    def values(self, read: Callable[[StoredRun], float | None]) -> np.ndarray:
        """The number that is read off each run, shape (seeds, m); NaN for a run that has none."""
        return np.array([[math.nan if (y := read(run)) is None else y for run in row] for row in self.runs])

    def fit(self, y: np.ndarray, keep: np.ndarray) -> Exponent | None:
        """The exponent of y in x over the kept columns; None where they are too few or not positive."""
        if not positive(y[:, keep]).all():
            return None
        level = self.first.result.settings.run.level
        return fit_exponent(self.x[keep], y[:, keep], level)

    def fitted(self, found: Exponent | None) -> Row:
        """The columns of a table that say what was fitted."""
        return {
            "seeds": len(self.runs),
            "exponent": found.slope if found else None,
            "interval": asdict(found.interval) if found and found.interval else None,
            "deviation": found.deviation if found else None,
        }


def sweeps_over(runs: list[StoredRun], swept: str, fewest: int) -> list[Sweep]:
    """The sweeps over `swept`: groups of runs that are equal in all else but the seed.

    Seeds that lack a value, and runs that chose their T, are left out.
    """
    found = []
    fields = {id(run): fields_of(run.result.spec) for run in runs if run.is_theorem}
    fixed = {key for key, each in fields.items() if isinstance(each["run.steps"], int) and each[swept] is not None}
    for group in groups([run for run in runs if id(run) in fixed], (swept, "seed")):
        cells = {(fields[id(run)]["seed"], fields[id(run)][swept]): run for run in group}
        x = sorted({value for _, value in cells})
        seeds = [seed for seed in sorted({seed for seed, _ in cells}) if all((seed, value) in cells for value in x)]
        if len(x) >= fewest and seeds:
            found.append(Sweep(np.array(x, float), [[cells[seed, value] for value in x] for seed in seeds]))
    return found


def together(sweeps: list[Sweep], free: tuple[str, ...]) -> list[list[Sweep]]:
    """The sweeps that share a panel: equal in all but `free`."""
    by_run = {id(sweep.first): sweep for sweep in sweeps}
    return [[by_run[id(run)] for run in group] for group in groups([sweep.first for sweep in sweeps], free)]


def groups(runs: list[StoredRun], free: tuple[str, ...]) -> list[list[StoredRun]]:
    """Groups of runs whose specs are equal in every field but `free`, given by paths such as ``adapter.rank``."""
    found: dict[str, list[StoredRun]] = {}
    for run in runs:
        fixed = {path: value for path, value in fields_of(run.result.spec).items() if path not in free}
        found.setdefault(json.dumps(fixed, sort_keys=True), []).append(run)
    return list(found.values())


def settings(runs: list[StoredRun], free: tuple[str, ...] = TITLED) -> list[str]:
    """A name for each run: problem, adapter, rank, scale and what else tells them apart, but for `free`.

    By default it leaves out what `words.titled` says, which stands beside it.
    """
    unsaid = {"seed", "run.steps", "adapter.kind", "adapter.rank", "adapter.scale", *free}
    specs, titles = [fields_of(run.result.spec) for run in runs], []
    for run in runs:
        titles.append(run.problem + ("" if run.has_default_adapter else f", {title_of(run.adapter)}"))
        if "adapter.rank" not in free and run.rank is not None:
            titles[-1] += f", rank {run.rank}"
        if "adapter.scale" not in free and run.scale != "1":
            titles[-1] += f", s\u00a0=\u00a0{run.scale}"
    for path in sorted(
        {path for spec in specs for path in spec} - unsaid, key=lambda path: (path[:7] != "problem", path)
    ):
        # What a spec leaves open has no value to say.
        values = ["" if spec.get(path) is None else str(spec[path]) for spec in specs]
        apart = list(zip(titles, values, strict=True))
        if len(set(apart)) > len(set(titles)):
            several = {title for title in titles if len({v for t, v in apart if t == title}) > 1}
            name = _LETTERS.get(path, path.removeprefix("problem.").replace("_", " "))
            said = f", {name}\u00a0=\u00a0"
            titles = [title + (said + value if title in several and value else "") for title, value in apart]
    return titles


def reader(key: str) -> Callable[[StoredRun], float | None]:
    """A function that reads the number with this key off a run; None where it has none."""
    return lambda run: getattr(run.result, key, None)


def positive(y: np.ndarray) -> Any:
    """True where all values of a column, or of a whole row, can stand on a log axis."""
    return ((y > 0) & (y < math.inf)).all(0)


def fit_notes(found: Exponent) -> list[str]:
    """Notes on a fit, to be read before one believes it."""
    notes = [] if found.interval else [f"{found.seeds} seeds, of which no interval is made"]
    if found.deviation > _BENT:
        notes.append(f"no power law: a mean lies {found.deviation:.0%} off the line")
    return notes


def slope_words(marker: str, found: Exponent | None) -> str:
    """A slope and its interval above a panel, after the marker of its line."""
    if found is None:
        return f"{_GLYPHS[marker]} no slope"
    limits = f" [{signed(found.interval.lower, DOWN)}, {signed(found.interval.upper, UP)}]" if found.interval else ""
    return f"{_GLYPHS[marker]} slope {signed(found.slope)}{limits}"


def log_axes(axis: Axes, low: float, high: float, x: list[float]) -> None:
    """Make both axes logarithmic, with ticks at the values of x and room for two ticks on the y-axis."""
    widening = max(math.sqrt(3 * low / high), 1.0)
    axis.set_xscale("log")
    log_y(axis, low / widening, high * widening)
    axis.set_xlim(x[0] / (x[-1] / x[0]) ** 0.08, x[-1] * (x[-1] / x[0]) ** 0.08)
    ticks(axis.xaxis, x, lambda value: number(round(value)))
