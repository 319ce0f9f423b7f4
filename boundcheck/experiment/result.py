"""`Result`: what a run came to, in types; the only place where a result is written as JSON, or read
from it.

A `RunResult` is of a theorem that an algorithm was run for, a `BracketResult` of a lemma about
smoothness, and `Results` is the list that `bc.measure` returns. A number that is not finite is
None, since JSON has neither NaN nor infinities.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache, cached_property, singledispatch
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, SupportsIndex, overload

from pydantic import ConfigDict, TypeAdapter, ValidationError

from boundcheck.errors import InputError
from boundcheck.exact.digits import UP, Toward, shown, telling
from boundcheck.experiment.statistics import Interval, Kind, borne
from boundcheck.functions.problem import End
from boundcheck.language.evidence import Audit, Guilt
from boundcheck.language.function import Constant
from boundcheck.language.measures import SMOOTHNESS
from boundcheck.language.view import Shown
from boundcheck.system.files import Json
from boundcheck.system.tables import fields_of
from boundcheck.verdicts import Verdict

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

VERSION = 2
"""The version of the form of a result."""

READ = "a stored run that was read and not run"
"""The ground of a verdict that was stored and cannot be had from the trace again."""


@dataclass(frozen=True)
class Blame:
    """The blame where a run is no evidence for its theorem, or the bound lies below what was
    measured.

    Attributes:
        kind: ``hypothesis``, one that the theorem rests on and the run broke; ``constant``, one
            that the run contradicts, or that nothing vouches for; ``horizon``, too few iterations
            for the theorem to speak, or to say anything new; ``statistics``, too few replicas or
            audits to tell; ``rounding``, floating point cannot tell; ``claim``, none of these: the
            statement itself.
        name: the hypothesis by its id, the constant by its symbol, ``T``, what was too few, or the
            claim by its id.
        evidence: why, in one sentence.

    """

    kind: Guilt
    name: str
    evidence: str


@dataclass(frozen=True)
class Horizon:
    """The number of steps that an informative run of a theorem takes; None where no number up to
    10^12 is enough.
    """

    claim: str
    lipschitz: str
    steps: int | None


@dataclass(frozen=True)
class Planned:
    """A `Plan` as a result keeps it: its numbers rounded to floats, and None where one is not
    finite.
    """

    steps: int
    batch: int | None
    radii: dict[str, float]
    inputs: dict[str, float | None]
    values: dict[str, float | None]
    zeta: float | None = None
    prescribed: float | None = None
    trivial: float | None = None
    numbers: dict[str, float | None] = field(default_factory=dict)

    @property
    def smoothness(self) -> float | None:
        """The L̂ of the theorem; None where it has none."""
        return self.values.get(SMOOTHNESS.letter)

    @property
    def step_size(self) -> float | None:
        """The first number of the algorithm; None where it has none."""
        return next(iter(self.numbers.values()), None)


@dataclass(frozen=True)
class Subject:
    """The function that was minimised, with name and units as titles and axes print them."""

    name: str
    units: str
    shape: tuple[int, int] | None = None  # of W, of a problem in one matrix
    sites: int | None = None  # of a network, how many matrices are adapted
    trained: int | None = None  # how many numbers are trained in it
    parameters: int | None = None  # how many the model had before
    sample: str = ""  # of a training run that was watched, which samples were looked at


@dataclass(frozen=True)
class Link:
    """A link of a proof's chain at two points: what it arrives at, and the factor that it gives
    away, if any.
    """

    label: str
    value: float | None
    factor: float | None
    why: str
    valid: bool


@dataclass(frozen=True)
class Chain:
    """A chain of a proof: what each inequality of one version of it gives away, from the measured
    ratio on.
    """

    version: str
    measured: float
    links: tuple[Link, ...]


@dataclass(frozen=True, kw_only=True)
class Bar(Link):
    """A link of a run's waterfall, with the confidence interval of what it adds."""

    is_chance: bool  # whether it is 0 in expectation, and no inequality of the proof
    lower: float | None
    upper: float | None
    rounding: float | None  # by how much the value may be off
    estimated: tuple[str, ...]  # the constants that enter with it and are only estimated


@dataclass(frozen=True)
class AtBest:
    """The step at which the sum behind a theorem gives the least bound on its measure.

    What the sum says at the run's own step is `factor` times more than this bound.
    """

    step: float
    bound: float
    factor: float


@dataclass(frozen=True)
class Waterfall:
    """A run's waterfall: what each inequality of its theorem gives away, from what was measured to
    the bound.
    """

    start: str  # what it starts at
    measured: float | None  # that number
    links: tuple[
        Bar, ...
    ]  # as the proof has them; the product of their factors is the bound over what was measured
    # Another step at the same constants, where that would make the bound smaller. It is beside the
    # way, on which every link is at the run's own step: with another one, something else would have
    # been measured.
    at_best: AtBest | None
    most: str  # the label of the hypothesis, or step of the proof, that costs most
    intervals: str  # what the intervals of the links cover
    says: str  # what costs most, in one sentence; where there is no waterfall, why


FROM_BELOW = "a lower estimate of the smoothness of F along the path, and no bound"
"""The words for what a gradient ratio is."""


@dataclass(frozen=True)
class GradientRatio:
    """The largest gradient ratio of the steps that were looked at, by what rounding leaves of each.

    A lower estimate of the smoothness constant of F along the path, and no bound on it.
    """

    # ‖∇F(v_{t+1}) − ∇F(v_t)‖ / ‖v_{t+1} − v_t‖ of that step; None where rounding may be all of it
    value: float | None
    rounding: float | None  # by how much it may be off

    @property
    def is_lost(self) -> bool:
        """True if rounding may have made all of it, or if its value or rounding is missing."""
        return self.value is None or self.rounding is None or 0 < self.rounding >= self.value

    def __str__(self) -> str:
        """The ratio ± its rounding, which is rounded up."""
        if self.is_lost:
            return "lost in rounding"
        return f"{shown(self.value or 0.0)} ± {shown(self.rounding or 0.0, 2, UP)}"


@dataclass(frozen=True)
class Estimates:
    """The numbers that were measured along the runs on a network, each the largest over all
    replicas and audits.
    """

    # The smoothness of F along the segments travelled, its rounding error added; None where that
    # may be most of it.
    path: float | None
    path_sure: float | None  # the same with the rounding error taken off, where that leaves some
    # that of f, jointly in all W: along the segments, and the curvatures that were looked at; None
    # where rounding leaves nothing of them
    L: float | None
    curvature: float | None  # the largest curvature of F that was looked at; None where none was
    zeta_square: float  # the variance of a minibatch gradient
    D: float | None  # F(v_1) - 0, its rounding error added
    radii: dict[
        str, dict[str, float]
    ]  # for each site the largest norms of its blocks, by the name of the radius
    G: dict[str, float]  # for each site the largest spectral norm of the gradient of f in W
    G_frobenius: dict[str, float]  # and the largest Frobenius norm


@dataclass(frozen=True)
class AtSmoothness:
    """The numbers that the theorems give at an estimate of L̂."""

    way: str  # `path`, `layers`, or `printed`
    lipschitz: str  # of the printed one, what C stands for; empty otherwise
    value: float | None  # L̂; None where none was measured, and of infinity
    how: str  # what L̂ was made of
    longest: float | None  # 2/L̂; None where no L̂ was measured
    bound: float | None  # that of the run's own step; None where the step is too long
    needed: (
        int | None
    )  # the iterations that it takes to fall below the first gradient; None where it never does
    # Those of the printed theorem, at a step that the run did not take.
    alpha: float | None
    T_min: float | None
    printed_bound: float | None


@dataclass(frozen=True)
class HeldOut:
    """Loss and accuracy on samples that were not trained on."""

    loss: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Ends:
    """Loss and accuracy at the first and the last iterate of each replica, and on held-out samples
    at the end.
    """

    loss: tuple[tuple[float | None, float | None], ...]
    accuracy: tuple[tuple[float | None, float | None], ...]
    held_out: HeldOut | None


@dataclass(frozen=True)
class AdapterSettings:
    """The adapter of a spec."""

    kind: str
    rank: int | None = None
    scale: float | str = 1.0
    targets: str = ""
    start: str = "lora"
    gain: float = 1.0


@dataclass(frozen=True)
class RunSettings:
    """The table [run] of a spec; ``batch`` is ``full`` for gradient descent, which has none."""

    steps: int | str = "informative"
    batch: int | str = "full"
    step_size: float | str | None = None
    sampling: str = ""
    replicas: int = 1
    level: float = 0.95


@dataclass(frozen=True)
class Settings:
    """The tables of a stored spec that figures ask for by name.

    Not `Spec` itself: a stored spec may be of a Trainer, or of a stranger's problem whose code is
    not opened for a page.
    """

    seed: int
    adapter: AdapterSettings
    lipschitz: str = ""
    problem: Json = field(default_factory=dict)
    model: Json = field(default_factory=dict)
    domain: Json = field(default_factory=dict)
    assume: dict[str, float | str] = field(default_factory=dict)
    run: RunSettings = field(default_factory=RunSettings)


@dataclass(frozen=True, kw_only=True)
class Result(Shown):
    """A run's result: its verdict, the numbers behind it, and the experiment.

    Attributes:
        run_id, claim: the run's id and the claim's.
        verdict, reason: which, and why in one sentence.
        blame: who is to blame for a run that does not support its claim; None for one that does.
        measured, bound: the two sides of the claim.
        interval: the confidence interval of what was measured; None where it diverged, and of a
            bracket, whose observations are no chance.
        audit: each hypothesis, as it was held against the run.
        spec: the experiment, as plain tables.
        environment: versions, processor threads and device.
        problem: what was minimised.
        constants: those that the problem says of itself: smoothness, gradient_bound, infimum.
        radii: of the domain.
        lower, upper: the two sides of the bracket of the smoothness of F, as far as they are known.
        gradient_ratio: of a run the largest of the steps that were looked at; nothing where the
            domain is curved, and of a bracket, whose `measured` is one.
        said: of each claim that it names a digest of what that said then.
        version: of this form.

    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    run_id: str
    claim: str
    verdict: Verdict
    reason: str
    blame: Blame | None = None
    measured: float | None
    bound: float | None
    interval: Interval | None = None
    audit: tuple[Audit, ...] = ()
    spec: Json
    environment: Json
    problem: Subject
    constants: dict[str, Constant] = field(default_factory=dict)
    radii: dict[str, float] = field(default_factory=dict)
    lower: dict[str, float | None] = field(default_factory=dict)
    upper: tuple[End, ...] = ()
    gradient_ratio: GradientRatio | None = None
    said: dict[str, str] = field(default_factory=dict)
    version: int = VERSION

    @property
    def toward(self) -> Toward:
        """The direction in which what was measured is rounded when it is printed."""
        return Toward.NEAREST

    def digits(self, fewest: int) -> int:
        """The number of digits, at least `fewest`, that show what exceeds the bound above it, the
        bound rounded up.
        """
        low = self.interval.lower if self.interval else None
        return telling(self.bound, (self.measured, self.toward), (low, Toward.DOWN), digits=fewest)

    def as_json(self) -> Json:
        """Plain data, which `read` reads back; parts that are empty by default are left out."""
        data = {
            name: x
            for name, x in asdict(self).items()
            if name not in _OPTIONAL or getattr(self, name)
        }
        return json.loads(text(data))

    @cached_property
    def settings(self) -> Settings:
        return _reader(Settings).validate_python(self.spec)

    @property
    def named(self) -> set[str]:
        """The claims that it names: its own, and those of the upper ends."""
        return {self.claim, *(end.claim for end in self.upper)}

    @property
    def ground(self) -> Kind | None:
        """The kind of its interval; None where it has none."""
        return self.interval.kind if self.interval else None

    @property
    def ratio(self) -> float | None:
        """Measured over bound; None where either is no positive number."""
        if self.measured is None or not self.bound:
            return None
        return self.measured / self.bound

    @property
    def bound_kind(self) -> Literal["certified", "assumed", "estimated"]:
        """The kind of the constants in the bound; of several kinds the weakest, and where none is
        told ``estimated``.

        ``assumed`` is what the spec assumes, and what the run could not check against its limit at
        enough iterates.
        """
        if not self.constants or any(each.kind == "estimated" for each in self.constants.values()):
            return "estimated"
        assumed = self.settings.assume or any(each.status == "assumed" for each in self.audit)
        return "assumed" if assumed else "certified"

    def read_because(self, why: str) -> Self:
        """The result as it is shown where its run was not judged again: it is as believable as its
        folder.
        """
        return replace(
            self,
            verdict=self.verdict.resting_on((READ,)),
            reason=f"{self.reason} (read, not run: {why})",
        )

    def to_xarray(self, runs: str | Path = "runs") -> xr.Dataset:
        """The trace of the run in the folder `runs`, with the numbers and texts of `as_json` as its
        attributes.

        Raises InputError where the run's folder is gone, or is not as the run left it: each file is
        held against its hash.
        """
        return trace_of(self, Path(runs))


@singledispatch
def trace_of(result: Result, runs: Path) -> xr.Dataset:
    """The trace of a run in its folder, which a result does not import."""
    raise TypeError(f"expected a result, got {type(result).__name__}")


@dataclass(frozen=True, kw_only=True)
class RunResult(Result):
    """The result of a run of an algorithm: what it says of its theorem.

    ``measured`` is what the run shows of the theorem's measure: of an algorithm with noise the mean
    over replicas of the (stratified) time average, or of the last; without noise the smallest that
    was seen, the average or the last.

    Attributes:
        plan: what was fixed before.
        shown: what ``measured`` is called, and how it stands to the theorem's measure where it is
            another.
        smallest: the smallest mean over replicas within a stratum: descriptive, and biased low as
            any minimum is.
        first: what is known of the measure at v_1 without any theorem, the same for all replicas.
        trivial: the bound that needs no theorem, J^2 G^2.
        gap, decrease: D, and by how much F fell.
        first_variance, largest_variance: of one sample's gradient, at v_1 and at all audits.
        horizons: how long informative runs of other theorems are.
        estimates, theorems: of a network, the constants that were measured and the theorems at each
            L̂.
        rounding: of a network, estimates of the rounding errors of loss and gradient.
        ends: of a network, both ends of its runs.
        waterfall: what each inequality of the theorem gives away.

    """

    plan: Planned
    shown: str = ""
    smallest: float | None
    first: float | None
    trivial: float | None = None
    gap: float | None
    decrease: float | None
    first_variance: float | None = None
    largest_variance: float | None = None
    horizons: tuple[Horizon, ...] = ()
    estimates: Estimates | None = None
    theorems: tuple[AtSmoothness, ...] = ()
    rounding: dict[str, float | None] = field(default_factory=dict)
    ends: Ends | None = None
    waterfall: Waterfall | None = None

    @property
    def named(self) -> set[str]:
        return super().named | {each.claim for each in self.horizons}

    @property
    def bound_kind(self) -> Literal["certified", "assumed", "estimated"]:
        """The kind of any result; ``estimated`` of a network, whose constants are measured."""
        return "estimated" if self.estimates else super().bound_kind


@dataclass(frozen=True, kw_only=True)
class BracketResult(Result):
    """The bracket of a smoothness constant: ``measured`` is the best lower estimate, ``slack`` what
    a proof loses.
    """

    slack: tuple[Chain, ...] = ()

    @property
    def ground(self) -> Kind | None:
        """``exact``: what was observed is not left to chance."""
        return "exact"

    @property
    def toward(self) -> Toward:
        """Down: what was observed is a lower estimate."""
        return Toward.DOWN

    def digits(self, fewest: int) -> int:
        """The digits of any result where the bound is violated; else `fewest`: rounding may hide if
        it is attained.
        """
        return super().digits(fewest) if self.verdict.plain is Verdict.VIOLATED else fewest


# Parts that one kind of run has and another has not.
_OPTIONAL = (
    "said",
    "shown",
    "horizons",
    "estimates",
    "theorems",
    "rounding",
    "ends",
    "waterfall",
    "gradient_ratio",
    "slack",
)


def toward_of(name: str, constant: Constant) -> Toward:
    """The direction in which a constant is rounded: an infimum bounds from below, and an estimate
    nothing.
    """
    if constant.kind == "estimated":
        return Toward.NEAREST
    return Toward.DOWN if name == "infimum" else Toward.UP


@cache
def _reader(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


# Where a float overflowed JSON has None: limits that say nothing, and constants, an end and a ratio
# of infinity.
_INFINITE: Json = {
    "interval": {"lower": 0.0, "upper": math.inf},
    "upper": {"value": math.inf},
    "slack": {"measured": math.inf},
    "constants": {
        name: {"value": -math.inf if name == "infimum" else math.inf}
        for name in ("infimum", "smoothness", "gradient_bound")
    },
}


def read(data: Any) -> RunResult | BracketResult:
    """Read back the result that `Result.as_json` turned into plain data.

    Raises InputError for what is no result, one of another version, and one whose verdict its
    interval, or what is known of its constants, does not bear.
    """
    if not isinstance(data, Mapping):
        raise InputError("result", type(data).__name__, "a table")
    version = data.get("version", "(not given)")
    if isinstance(version, bool) or version != VERSION:
        raise InputError(
            "version", version, f"a result of version {VERSION}, which this boundcheck reads"
        )
    kind = RunResult if "plan" in data else BracketResult
    for each in fields(kind):
        if each.name not in _OPTIONAL and each.name not in data:
            raise InputError(
                each.name, "(not given)", "a result as boundcheck writes it: field required"
            )
    filled = {
        name: _filled(data[name], numbers) for name, numbers in _INFINITE.items() if name in data
    }
    found: RunResult | BracketResult = as_written(kind, dict(data) | filled)
    if isinstance(found, RunResult) and found.estimates and found.verdict.is_decided:
        raise InputError(
            "verdict",
            found.verdict,
            "no verdict for a theorem or against it, by constants that were measured",
        )
    replicas = as_written(Settings, found.spec, "spec").run.replicas
    return replace(found, verdict=borne(found.verdict, found.ground, replicas))


def _filled(part: Any, numbers: Json) -> Any:
    """A part with these numbers where it has None, in each of its rows or tables."""
    if isinstance(part, list):
        return [_filled(each, numbers) for each in part]
    if not isinstance(part, Mapping):
        return part
    filled = {}
    for name, each in part.items():
        instead = numbers.get(name)
        filled[name] = (
            _filled(each, instead)
            if isinstance(instead, dict)
            else instead
            if each is None
            else each
        )
    return filled


def as_written(kind: Any, table: Any, *above: str) -> Any:
    """Plain data as this kind; InputError names the first field that is wrong, below the fields
    that it stands in.
    """
    try:
        return _reader(kind).validate_python(table)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        expected = f"a result as boundcheck writes it: {first['msg'].lower()}"
        if first["type"] in ("enum", "literal_error"):
            expected = f"one of {first['ctx']['expected']}".replace("'", "")
        given = "(not given)" if first["type"] == "missing" else first["input"]
        raise InputError(".".join(map(str, (*above, *first["loc"]))), given, expected) from None


def text(value: Any) -> str:
    """Plain data as JSON with sorted keys and null for NaN and infinities."""
    return json.dumps(_finite(value), indent=1, sort_keys=True, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


# Of a data set of several runs: the axis along which they lie where they make no grid.
_RUN = "run"


class Results(list[Result], Shown):
    """The results of experiments, in their order; ``runs`` is the folder in which their runs are
    kept.
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

    @property
    def varied(self) -> dict[str, list[Any]]:
        """The fields in which the specs differ, by path, the claim first; None where a spec lacks
        one.
        """
        specs = [fields_of(each.spec) for each in self]
        paths = dict.fromkeys(path for spec in specs for path in spec)
        columns = {path: [spec.get(path) for spec in specs] for path in paths}
        differ = {
            path: values
            for path, values in columns.items()
            if len({json.dumps(x) for x in values}) > 1
        }
        return {path: differ[path] for path in sorted(differ, key=lambda path: path != "claim")}

    @property
    def rows(self) -> list[Json]:
        """The rows of `to_frame`."""
        differ = self.varied
        rows = []
        for place, each in enumerate(self):
            interval = each.interval
            blame = each.blame
            ratio = each.gradient_ratio
            row: Json = {"run_id": each.run_id, "claim": each.claim}
            # The claim of a result is the one that it was judged by, whatever its spec says.
            row |= {path: values[place] for path, values in differ.items() if path != "claim"}
            row |= {"verdict": str(each.verdict), "reason": each.reason}
            row |= {
                "blame": f"{blame.kind} {blame.name}" if blame else None,
                "measured": each.measured,
            }
            for end in ("lower", "upper", "level"):
                row[f"interval_{end}"] = getattr(interval, end, None)
            row |= {
                "interval_kind": each.ground,
                "bound": each.bound,
                "bound_kind": each.bound_kind,
            }
            row |= {"ratio": each.ratio, "largest_gradient_ratio": ratio.value if ratio else None}
            row["largest_gradient_ratio_error"] = ratio.rounding if ratio else None
            rows.append(row)
        return rows

    def to_frame(self) -> pd.DataFrame:
        """A frame with a row for each run, in order.

        Columns: ``run_id``, ``claim``; each field of the spec in which the runs differ, by its
        path, such as ``adapter.rank``; ``verdict``, ``reason``, ``blame``; ``measured``, with the
        ends of its interval, the level and the kind of this (``exact``, ``nonasymptotic``,
        ``asymptotic``); ``bound``, and whether the constants in it are ``certified``, ``assumed``
        or ``estimated``; ``ratio``, measured over bound; ``largest_gradient_ratio``, which is a
        lower estimate of the smoothness of F along the path of a run, and
        ``largest_gradient_ratio_error``, by how much rounding may have changed it.
        """
        import pandas as pd

        return pd.DataFrame(self.rows)

    def to_xarray(self) -> xr.Dataset:
        """The stored traces, with the columns of `to_frame` beside them.

        The fields in which the runs differ are dimensions where they form a grid, each value with
        each other; where they do not, the dimension is ``run`` and they are coordinates along it.
        Traces of different lengths are filled with NaN. Of a single run it is `Result.to_xarray`.
        Raises InputError for no runs, and where a run's folder is gone, or is not as the run left
        it.
        """
        if not self:
            raise InputError("results", "none", "one result or more")
        if len(self) == 1:
            return self[0].to_xarray(self.runs)
        import xarray as xr
        from xarray.indexes import PandasMultiIndex

        traces = []
        for trace in (each.to_xarray(self.runs) for each in self):
            # With numbers along each axis, to lay traces of other lengths beside it, and without
            # attributes.
            numbered = {d: range(n) for d, n in trace.sizes.items() if d not in trace.coords}
            traces.append(trace.assign_coords(numbered).drop_attrs(deep=False))
        differ = self.varied
        rows = self.rows
        beside = {
            name: (_RUN, _column([row[name] for row in rows]))
            for name in rows[0]
            if name not in differ
        }
        both = xr.concat(
            traces,
            _RUN,
            join="outer",
            data_vars="all",
            coords="minimal",
            combine_attrs="drop_conflicts",
        )
        both = both.assign(beside).assign_coords(
            {path: (_RUN, _column(values)) for path, values in differ.items()}
        )
        axes = {path: list(dict.fromkeys(values)) for path, values in differ.items()}
        size = math.prod(map(len, axes.values()))
        points = {*zip(*differ.values(), strict=True)}
        if None in itertools.chain(*axes.values()) or not len(self) == len(points) == size:
            return both
        folded = both.set_xindex(list(axes), PandasMultiIndex).unstack(_RUN)
        # Each axis in the order of the spec, which unstacking has sorted.
        ordered = folded.reindex({path: _column(values) for path, values in axes.items()})
        return ordered.transpose(*axes, ...)


def _column(values: list[Any]) -> Any:
    """Values of one kind as an array: numbers with NaN for none, else the text of each."""
    import numpy as np

    if all(x is None or (isinstance(x, int | float) and not isinstance(x, bool)) for x in values):
        whole = all(isinstance(x, int) for x in values)
        return np.array(values, dtype=int if whole else float)
    return np.array(["" if x is None else str(x) for x in values], dtype=object)
