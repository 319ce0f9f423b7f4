"""The typed parts of a `Result`: whom a run blames, what was planned, measured and estimated, and the spec's tables."""

from dataclasses import dataclass, field
from typing import Any, Literal

from boundcheck.exact.digits import UP, Toward, shown
from boundcheck.language.evidence import Guilt
from boundcheck.language.measures import SMOOTHNESS


@dataclass(frozen=True)
class Blame:
    """The blame where a run is no evidence for its theorem, or the bound lies below what was measured.

    Attributes:
        kind: ``hypothesis``, one that the theorem rests on and the run broke; ``constant``, one that the run
            contradicts, or that nothing vouches for; ``horizon``, too few iterations for the theorem to speak, or to
            say anything new; ``statistics``, too few replicas or audits to tell; ``rounding``, floating point cannot
            tell; ``claim``, none of these: the statement itself.
        name: the hypothesis by its id, the constant by its symbol, ``T``, what was too few, or the claim by its id.
        evidence: why, in one sentence.

    """

    kind: Guilt
    name: str
    evidence: str


@dataclass(frozen=True)
class Stated:
    """A constant that a problem says of itself, as `boundcheck.language.function.Constant` has it."""

    value: float | None
    kind: Literal["certified", "estimated"]
    how: str

    def toward(self, name: str) -> Toward:
        """The direction in which it is rounded by this name: an infimum is a lower bound, and an estimate is none."""
        if self.kind == "estimated":
            return Toward.NEAREST
        return Toward.DOWN if name == "infimum" else Toward.UP


@dataclass(frozen=True)
class Horizon:
    """The number of steps that an informative run of a theorem takes; None where no number up to 10^12 is enough."""

    claim: str
    lipschitz: str
    steps: int | None


@dataclass(frozen=True)
class Planned:
    """The plan of a run, fixed before it, rounded to floats; `plan.Plan` has it exact.

    Attributes:
        steps, batch: T and the minibatch size; gradient descent has no batch.
        radii: of the ball, by name; none where the theorem needs no ball.
        inputs, values: each parameter and each quantity of the claim.
        zeta, prescribed, trivial, numbers: see `plan.Plan`.

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
    """The function that was minimised.

    Attributes:
        name, units: as titles and axes print them.
        shape: of W, of a problem in one matrix.
        sites, trained, parameters: of a network, how many matrices are adapted, how many numbers are trained, and how
            many the model had before.
        sample: of a training run that was watched, which samples were looked at.

    """

    name: str
    units: str
    shape: tuple[int, int] | None = None
    sites: int | None = None
    trained: int | None = None
    parameters: int | None = None
    sample: str = ""


@dataclass(frozen=True)
class Link:
    """A link of a proof's chain at two points: what it arrives at, and the factor that it gives away, if any."""

    label: str
    value: float | None
    factor: float | None
    why: str
    valid: bool


@dataclass(frozen=True)
class Chain:
    """A chain of a proof: what each inequality of one version of it gives away, from the measured ratio on."""

    version: str
    measured: float
    links: tuple[Link, ...]


@dataclass(frozen=True, kw_only=True)
class Bar(Link):
    """A link of a run's waterfall; see `boundcheck.experiment.waterfall`.

    Attributes:
        is_chance: whether it is 0 in expectation, and no inequality of the proof.
        lower, upper: between what lies what it adds to the value before, by its confidence interval.
        rounding: by how much the value may be off.
        estimated: the constants that enter with it and are only estimated.

    """

    is_chance: bool
    lower: float | None
    upper: float | None
    rounding: float | None
    estimated: tuple[str, ...]


@dataclass(frozen=True)
class AtBest:
    """The step at which the sum behind a theorem gives the least bound on its measure.

    Attributes:
        step: that step.
        bound: what the sum says there.
        factor: what it says at the run's own step is so many times more.

    """

    step: float
    bound: float
    factor: float


@dataclass(frozen=True)
class Waterfall:
    """A run's waterfall: what each inequality of its theorem gives away, from what was measured to the bound.

    Attributes:
        start: what it starts at.
        measured: that number.
        links: in the order of the proof; the product of their factors is the bound over what was measured.
        at_best: another step at the same constants, where that would make the bound smaller. It is beside the way, on
            which every link is at the run's own step: with another one, something else would have been measured.
        most: the label of the hypothesis, or step of the proof, that costs most.
        intervals: what the intervals of the links cover.
        says: what costs most, in one sentence; where there is no waterfall, why.

    """

    start: str
    measured: float | None
    links: tuple[Bar, ...]
    at_best: AtBest | None
    most: str
    intervals: str
    says: str


FROM_BELOW = "a lower estimate of the smoothness of F along the path, and no bound"
"""The words for what a gradient ratio is."""


@dataclass(frozen=True)
class GradientRatio:
    """The largest gradient ratio of the steps that were looked at, by what rounding leaves of each.

    A lower estimate of the smoothness constant of F along the path, and no bound on it.

    Attributes:
        value: ‖∇F(v_{t+1}) − ∇F(v_t)‖ / ‖v_{t+1} − v_t‖ of that step.
        rounding: by how much it may be off.

    """

    value: float | None
    rounding: float | None

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
    """The numbers that were measured along the runs on a network, each the largest over all replicas and audits.

    Attributes:
        path: the smoothness of F along the segments travelled, its rounding error added.
        path_sure: the same, its rounding error taken off.
        L: that of f, jointly in all W: along the segments, and the curvatures that were looked at.
        curvature: the largest curvature of F that was looked at; None where none was.
        zeta_square: the variance of a minibatch gradient.
        D: F(v_1) - 0, its rounding error added.
        radii: for each site the largest norms of its blocks, by the name of the radius.
        G: for each site the largest spectral norm of the gradient of f in W.
        G_frobenius: the same in the Frobenius norm.

    """

    path: float
    path_sure: float
    L: float
    curvature: float | None
    zeta_square: float
    D: float | None
    radii: dict[str, dict[str, float]]
    G: dict[str, float]
    G_frobenius: dict[str, float]

    @property
    def is_mostly_rounding(self) -> bool:
        """True if the path's smoothness, rounding error added, is more than twice that with it taken off: no L̂."""
        return self.path > 2 * self.path_sure


@dataclass(frozen=True)
class AtSmoothness:
    """The numbers that the theorems give at an estimate of L̂.

    Attributes:
        way: ``path``, ``layers``, or ``printed``.
        lipschitz: of the printed one, what C stands for; empty otherwise.
        value: L̂.
        how: what it was made of.
        longest: 2/L̂.
        bound: that of the run's own step; None where the step is too long.
        needed: how many iterations that bound takes to fall below the first gradient; None where it never does.
        alpha, T_min, printed_bound: of the printed theorem, at a step that the run did not take.

    """

    way: str
    lipschitz: str
    value: float | None
    how: str
    longest: float | None
    bound: float | None
    needed: int | None
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
    """Loss and accuracy at the first and the last iterate of each replica, and on held-out samples at the end."""

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
    """The tables of a spec that figures ask for by name; those of strangers' problems are left as they are."""

    seed: int
    adapter: AdapterSettings
    lipschitz: str = ""
    problem: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    domain: dict[str, Any] = field(default_factory=dict)
    assume: dict[str, float | str] = field(default_factory=dict)
    run: RunSettings = field(default_factory=RunSettings)
