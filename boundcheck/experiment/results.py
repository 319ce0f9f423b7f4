"""`Results`: what `bc.measure` returns, a list that knows where the runs are kept; as a frame, and as a data set."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from boundcheck.errors import InputError
from boundcheck.experiment.result import Result
from boundcheck.language.notebook import Shown
from boundcheck.system.tables import fields_of

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

# Of a data set of several runs: the axis along which they lie where they make no grid.
_RUN = "run"


class Results(list[Result], Shown):
    """The results of experiments, in their order.

    Attributes:
        runs: the folder in which their runs are kept.

    """

    def __init__(self, results: Iterable[Result], runs: str | Path) -> None:
        """Keep the results of runs in a folder."""
        super().__init__(results)
        self.runs = Path(runs)

    @overload
    def __getitem__(self, place: SupportsIndex) -> Result: ...

    @overload
    def __getitem__(self, place: slice) -> Results: ...

    def __getitem__(self, place: SupportsIndex | slice) -> Result | Results:
        """One of the results; for a slice some of them, as `Results` again."""
        found = super().__getitem__(place)
        return found if isinstance(found, Result) else Results(found, self.runs)

    def to_frame(self) -> pd.DataFrame:
        """A frame with a row for each run, in order.

        Columns: ``run_id``, ``claim``; each field of the spec in which the runs differ, by its path, such as
        ``adapter.rank``; ``verdict``, ``reason``, ``blame``; ``measured``, with the ends of its interval, the level and
        the kind of this (``exact``, ``nonasymptotic``, ``asymptotic``); ``bound``, and whether the constants in it are
        ``certified``, ``assumed`` or ``estimated``; ``ratio``, measured over bound;
        ``largest_gradient_ratio``, which is a lower estimate of the smoothness of F along the path of a run, and
        ``largest_gradient_ratio_error``, by how much rounding may have changed it.
        """
        import pandas as pd

        return pd.DataFrame(rows_of(self))

    def to_xarray(self) -> xr.Dataset:
        """The stored traces, with the columns of `to_frame` beside them.

        The fields in which the runs differ are dimensions where they form a grid, each value with each other; where
        they do not, the dimension is ``run`` and they are coordinates along it. Traces of different lengths are filled
        with NaN. Of a single run it is `Result.to_xarray`.

        Raises:
            InputError: for no runs, and where a run's folder is gone, or is not as the run left it.

        """
        if not self:
            raise InputError("results", "none", "one result or more")
        if len(self) == 1:
            return self[0].to_xarray(self.runs)
        return _together(varied(self), rows_of(self), [_indexed(each.to_xarray(self.runs)) for each in self])


def varied(results: Iterable[Result]) -> dict[str, list[Any]]:
    """The fields of the specs that have more than one value, by path; None where a spec lacks one. Claims come first.

    The claim is a field of each frame by itself, and here only where it differs.
    """
    specs = [fields_of(each.spec) for each in results]
    columns = {path: [spec.get(path) for spec in specs] for path in dict.fromkeys(x for spec in specs for x in spec)}
    differ = {path: values for path, values in columns.items() if len({json.dumps(x) for x in values}) > 1}
    return {path: differ[path] for path in sorted(differ, key=lambda path: path != "claim")}


def rows_of(results: list[Result]) -> list[dict[str, Any]]:
    """The rows of `Results.to_frame`."""
    differ = {path: values for path, values in varied(results).items() if path != "claim"}
    return [
        {"run_id": each.run_id, "claim": each.claim}
        | {path: values[place] for path, values in differ.items()}
        | _measured(each)
        for place, each in enumerate(results)
    ]


def _measured(of: Result) -> dict[str, Any]:
    found, blame, ratio = of.interval, of.blame, of.gradient_ratio
    return {
        "verdict": str(of.verdict),
        "reason": of.reason,
        "blame": f"{blame.kind} {blame.name}" if blame else None,
        "measured": of.measured,
        "interval_lower": found.lower if found else None,
        "interval_upper": found.upper if found else None,
        "interval_level": found.level if found else None,
        "interval_kind": of.ground,
        "bound": of.bound,
        "bound_kind": of.bound_kind,
        "ratio": of.ratio,
        "largest_gradient_ratio": ratio.value if ratio else None,
        "largest_gradient_ratio_error": ratio.rounding if ratio else None,
    }


def _indexed(trace: xr.Dataset) -> xr.Dataset:
    """The trace with numbers along each axis, to lay traces of other lengths beside it, and without attributes."""
    named = trace.assign_coords({d: range(n) for d, n in trace.sizes.items() if d not in trace.coords})
    return named.drop_attrs(deep=False)


def _together(differ: Mapping[str, list[Any]], rows: list[dict[str, Any]], traces: list[xr.Dataset]) -> xr.Dataset:
    """Traces along one axis, or along one for each field where the values form a grid."""
    import xarray as xr

    beside = {name: (_RUN, _column([row[name] for row in rows])) for name in rows[0] if name not in differ}
    both = xr.concat(traces, _RUN, join="outer", data_vars="all", coords="minimal", combine_attrs="drop_conflicts")
    both = both.assign(beside).assign_coords({path: (_RUN, _column(values)) for path, values in differ.items()})
    axes = {path: list(dict.fromkeys(values)) for path, values in differ.items()}
    points = list(zip(*differ.values(), strict=True))
    grid = list(itertools.product(*axes.values()))
    if not axes or None in itertools.chain(*axes.values()) or sorted(map(repr, points)) != sorted(map(repr, grid)):
        return both
    sorted_ = both.isel({_RUN: [points.index(point) for point in grid]}).drop_vars(list(axes))
    sizes = [len(values) for values in axes.values()]
    folded = {
        name: ((*axes, *x.dims[1:]), x.values.reshape(*sizes, *x.shape[1:]), x.attrs)
        for name, x in sorted_.transpose(_RUN, ...).data_vars.items()
    }
    kept = {name: x for name, x in sorted_.coords.items() if _RUN not in x.dims}
    return xr.Dataset(folded, {path: _column(values) for path, values in axes.items()} | kept)


def _column(values: list[Any]) -> Any:
    """Values of one kind as an array: numbers with NaN for none, else the text of each."""
    import numpy as np

    if all(x is None or (isinstance(x, int | float) and not isinstance(x, bool)) for x in values):
        whole = all(isinstance(x, int) for x in values)
        return np.array(values, dtype=int if whole else float)
    return np.array(["" if x is None else str(x) for x in values], dtype=object)
