"""`Result`: what a run came to, as typed `parts`; the only place where a result is written as JSON, or read from it.

A `RunResult` is of a theorem that an algorithm was run for, a `BracketResult` of a lemma about smoothness. A number
that is not finite is None, since JSON has neither NaN nor infinities.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from boundcheck.errors import InputError
from boundcheck.exact.digits import Toward, telling
from boundcheck.experiment.intervals import Interval
from boundcheck.experiment.schema import (
    AtSmoothness,
    Blame,
    Chain,
    Ends,
    Estimates,
    GradientRatio,
    Horizon,
    Planned,
    Settings,
    Stated,
    Subject,
    Waterfall,
)
from boundcheck.experiment.support import Kind, borne
from boundcheck.functions.problem import End
from boundcheck.language.evidence import Audit
from boundcheck.language.notebook import Shown
from boundcheck.verdicts import Verdict

if TYPE_CHECKING:
    import xarray as xr

VERSION = 2
"""The version of the form of a result."""

TOLERANCE = 1e-6
"""The relative tolerance of one experiment's numbers on two machines; on one machine they have the same bits.

The bits are the same for as many threads and the same versions, whatever `jobs` and `cluster` are. Other processors sum
in another order, which changes numbers by some 1e-16 of their size. A run carries that on: a step changes a difference
between two iterates at most by the factor 1 + step x smoothness, and much less where F is convex; so does the climb of
an ascent. What is drawn is the same everywhere. A horizon that is chosen is a whole number: where one is rounded up
elsewhere, at a number that is whole but for rounding, it is another experiment, as its plan says. Estimates along the
path of a run that has converged are quotients of roundings: `lower` of a run is held to no tolerance.
"""


@dataclass(frozen=True, kw_only=True)
class Result(Shown):
    """A run's result: its verdict, the numbers behind it, and the experiment.

    Attributes:
        run_id, claim: the run's id and the claim's.
        verdict, reason: which, and why in one sentence.
        blame: who is to blame for a run that does not support its claim; None for one that does.
        measured, bound: the two sides of the claim.
        interval: the confidence interval of what was measured; None where it diverged, and of a bracket, whose
            observations are no chance.
        audit: each hypothesis, as it was held against the run.
        spec: the experiment, as plain tables.
        environment: versions, processor threads and device.
        problem: what was minimised.
        constants: those that the problem says of itself: smoothness, gradient_bound, infimum.
        radii: of the domain.
        lower, upper: the two sides of the bracket of the smoothness of F, as far as they are known.
        gradient_ratio: of a run the largest of the steps that were looked at; nothing where the domain is curved, in
            results of before it was measured, and of a bracket, whose `measured` is one.
        said: of each claim that it names a digest of what that said then; nothing in results of before there was one.
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
    spec: dict[str, Any]
    environment: dict[str, Any]
    problem: Subject
    constants: dict[str, Stated] = field(default_factory=dict)
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
        """The number of digits, at least `fewest`, that show what exceeds the bound above it, the bound rounded up."""
        low = self.interval.lower if self.interval else None
        return telling(self.bound, (self.measured, self.toward), (low, Toward.DOWN), digits=fewest)

    def as_json(self) -> dict[str, Any]:
        """Plain data, which `read` reads back; parts that are empty by default are left out."""
        empty = {each.name: getattr(self, each.name) for each in fields(self) if each.name in _OPTIONAL}
        data = {name: each for name, each in asdict(self).items() if name not in empty or empty[name]}
        plain: dict[str, Any] = _plain(data)
        return plain

    @cached_property
    def settings(self) -> Settings:
        """The spec's tables by name."""
        found: Settings = _reader(Settings).validate_python(self.spec)
        return found

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
        """The kind of the constants in the bound; of several kinds the weakest, and where none is told ``estimated``.

        ``assumed`` is what the spec assumes, and what the run could not check against its limit at enough iterates.
        """
        if not self.constants or any(each.kind == "estimated" for each in self.constants.values()):
            return "estimated"
        assumed = self.settings.assume or any(each.status == "assumed" for each in self.audit)
        return "assumed" if assumed else "certified"

    def to_xarray(self, runs: str | Path = "runs") -> "xr.Dataset":
        """The trace of the run, with the single numbers and texts of `as_json` as its attributes.

        Args:
            runs: the folder that `bc.measure` was given.

        Raises:
            InputError: where the run's folder is gone, or is not as the run left it: each file is held against its
                hash.

        """
        found: xr.Dataset = self.shower.trace_of(self, Path(runs))
        return found


@dataclass(frozen=True, kw_only=True)
class RunResult(Result):
    """The result of a run of an algorithm: what it says of its theorem.

    ``measured`` is what the run shows of the theorem's measure: of an algorithm with noise the mean over replicas of
    the (stratified) time average, or of the last; without noise the smallest that was seen, the average or the last.

    Attributes:
        plan: what was fixed before.
        shown: what ``measured`` is called, and how it stands to the theorem's measure where it is another; empty in
            results of before that was written.
        smallest: the smallest mean over replicas within a stratum: descriptive, and biased low as any minimum is.
        first: what is known of the measure at v_1 without any theorem, the same for all replicas.
        trivial: the bound that needs no theorem, J^2 G^2.
        gap, decrease: D, and by how much F fell.
        first_variance, largest_variance: of one sample's gradient, at v_1 and at all audits.
        horizons: how long informative runs of other theorems are.
        estimates, theorems: of a network, the constants that were measured and the theorems at each L̂.
        rounding: of a network, estimates of the rounding errors of loss and gradient.
        ends: of a network, both ends of its runs.
        waterfall: what each inequality of the theorem gives away; nothing in results of before there was one.

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
        """The claims that it names: those of any result, and those of the horizons."""
        return super().named | {each.claim for each in self.horizons}

    @property
    def replicas(self) -> int:
        """The number of runs that there were side by side."""
        return self.settings.run.replicas

    @property
    def bound_kind(self) -> Literal["certified", "assumed", "estimated"]:
        """The kind of any result; ``estimated`` of a network, whose constants are measured."""
        return "estimated" if self.estimates else super().bound_kind


@dataclass(frozen=True, kw_only=True)
class BracketResult(Result):
    """The bracket of a smoothness constant: ``measured`` is the best lower estimate.

    Attributes:
        slack: what each inequality of a proof gives away at the steepest sampled pair.

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
        """The digits of any result where the bound is violated; else `fewest`: rounding may hide if it is attained."""
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


@cache
def _reader(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def read(data: Any) -> RunResult | BracketResult:
    """Read back the result that `Result.as_json` turned into plain data.

    Raises:
        InputError: for what is no result, one of another version, and one whose verdict its interval does not bear.

    """
    if not isinstance(data, Mapping):
        raise InputError("result", type(data).__name__, "a table")
    version = data.get("version", "(not given)")
    if isinstance(version, bool) or version != VERSION:
        raise InputError("version", version, f"a result of version {VERSION}, which this boundcheck reads")
    kind = RunResult if "plan" in data else BracketResult
    for each in fields(kind):
        if each.name not in _OPTIONAL and each.name not in data:
            raise InputError(each.name, "(not given)", "a result as boundcheck writes it: field required")
    found: RunResult | BracketResult = _checked(kind, _with_infinities(dict(data)))
    replicas = _checked(Settings, found.spec, "spec").run.replicas
    return replace(found, verdict=borne(found.verdict, found.ground, replicas))


def _checked(kind: Any, table: dict[str, Any], *above: str) -> Any:
    """The table as this kind; an error names the first field that is wrong, below the fields that it stands in."""
    try:
        return _reader(kind).validate_python(table)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, (*above, *first["loc"])))
        given = "(not given)" if first["type"] == "missing" else first["input"]
        if first["type"] in ("enum", "literal_error"):
            expected = f"one of {first['ctx']['expected']}".replace("'", "")
        else:
            expected = f"a result as boundcheck writes it: {first['msg'].lower()}"
        raise InputError(name, given, expected) from None


def _with_infinities(table: dict[str, Any]) -> dict[str, Any]:
    """A table with numbers where a float overflowed: limits that say nothing, an end and a ratio of infinity."""

    def filled(part: Any, **numbers: float) -> Any:
        if isinstance(part, list):
            return [filled(each, **numbers) for each in part]
        if not isinstance(part, Mapping):
            return part
        return {name: numbers.get(name) if each is None else each for name, each in part.items()}

    rest = {
        "interval": filled(table.get("interval"), lower=0.0, upper=math.inf),
        "upper": filled(table.get("upper", []), value=math.inf),
        "slack": filled(table.get("slack", []), measured=math.inf),
    }
    return table | {name: part for name, part in rest.items() if name in table}


def _plain(value: Any) -> Any:
    """The data in lists and tables, with None for NaN and infinities."""
    return json.loads(text(value))


def text(value: Any) -> str:
    """Plain data as JSON with sorted keys and null for NaN and infinities."""
    return json.dumps(_finite(value), indent=1, sort_keys=True, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
