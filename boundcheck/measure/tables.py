"""The tables of a spec: problem, adapter, domain, and how to run or to bracket; one class for each, field by field."""

import math
import sys
from typing import Annotated, Literal

import sympy as sp
from pydantic import Field, PositiveInt, model_validator

from boundcheck.claims.symbols import r
from boundcheck.claims.text import parsed
from boundcheck.errors import InputError
from boundcheck.models.tables import GPTSpec, PretrainedSpec
from boundcheck.problems.adapters import ADAPTERS
from boundcheck.tables import Count, Real, Seed, Side, Steps, Table

_SCALES = 'a positive number, or text such as "16/r" or "16/sqrt(r)"'


class DataSpec(Table):
    """Softmax regression on scikit-learn's digits (10 classes, 64 pixels) or breast cancer (2 classes, 30 features)."""

    kind: Literal["digits", "breast-cancer"]


class LogisticSpec(Table):
    """Logistic regression, one class against the rest, on the same data."""

    kind: Literal["logistic"]
    data: Literal["digits", "breast-cancer"] = "breast-cancer"


class TwoLayerSpec(Table):
    """The first layer of a two-layer tanh network on digits, its second one fixed at random."""

    kind: Literal["two-layer"]
    hidden: Side = 16
    seed: Seed = 0


class ReadoutSpec(Table):
    """An edit of digits' principal components h, W h or W [h; 1], before a fixed readout; W0 is the identity."""

    kind: Literal["readout"]
    components: int = Field(default=16, ge=1, le=61)


class LeastSquaresSpec(Table):
    """Least squares on synthetic data, whose gradient is bounded on a ball only."""

    kind: Literal["least-squares"]
    d: Side = 8
    k: Side = 8
    samples: Count = 64
    noise: Real = 1.0
    seed: Seed = 0


class ExtremalSpec(Table):
    """The clipped-linear f on which Lemma 1, sharp, is attained at a corner of the ball."""

    kind: Literal["extremal"]
    d: Side = 8
    k: Side = 8
    L: Real = 1.0
    G: Real = 1.0


class PseudoHuberSpec(Table):
    """Pseudo-Huber matrix regression on synthetic targets; see `problems.pseudo_huber.synthetic`."""

    kind: Literal["pseudo-huber"]
    d: Side = 8
    k: Side = 8
    samples: Count = 64
    delta: Real = 1.0
    signal: Real = 1.0
    noise: Real = 1.0
    seed: Seed = 0


class HardSpec(Table):
    """The instance on which SGD is nearly as slow as Theorem 2 says, in a run of so many steps of size ratio/L̂.

    Made for LoRA of rank 2 from a diagonal start, the ball of radii gain + 1, batch 1 and zeta 1; see `problems.hard`.
    """

    kind: Literal["hard"]
    steps: Steps = 400
    ratio: float = Field(default=0.06, gt=0, lt=0.5)


class AdapterSpec(Table):
    """The adapter: its rank (all but ``full`` have one), its scale s, its start, and `gain`.

    A scale may be a number, ``"16/r"`` or ``"16/sqrt(r)"``. The entries of A start, or are frozen, as N(0, gain^2/k),
    and B = 0; a diagonal start has gain on the diagonals of A and B, and 0 elsewhere. In a network the adapter is at
    every module whose path ends in one of ``targets``, which are separated by commas.
    """

    kind: Literal["full", "lora", "frozen-a", "frozen-b", "direft", "loreft", "vera", "dora", "loha"] = "lora"
    rank: PositiveInt | None = None
    scale: Real | str = 1.0
    gain: Real = 1.0
    start: Literal["lora", "diagonal"] = "lora"
    targets: str = ""

    @model_validator(mode="after")
    def _fits_the_kind(self) -> "AdapterSpec":
        if (self.rank is None) != (self.kind == "full"):
            expected = "no rank, for full fine-tuning" if self.rank else f"a rank, for {self.kind}"
            raise InputError("adapter.rank", "(not given)" if self.rank is None else self.rank, expected)
        if not ADAPTERS[self.kind].has_scale and self.scale != 1:
            raise InputError("adapter.scale", self.scale, f"no scale, which {self.kind} has not")
        if self.start == "diagonal" and not ADAPTERS[self.kind].has_diagonal:
            raise InputError("adapter.start", self.start, "lora, unless the adapter is lora or direft")
        if not 0 < self.factor < math.inf:
            raise InputError("adapter.scale", self.scale, _SCALES)
        return self

    @property
    def paths(self) -> list[str]:
        """The targets, one by one."""
        return [target.strip() for target in self.targets.split(",") if target.strip()]

    @property
    def factor(self) -> float:
        """The scale s as a number."""
        if not isinstance(self.scale, str):
            return self.scale
        if self.rank is None:
            raise InputError("adapter.scale", self.scale, _SCALES)
        value = parsed("adapter.scale", self.scale, (r,), _SCALES)
        for letter, number in ((r, self.rank), (sp.sqrt(r), math.sqrt(self.rank))):
            part = value * letter
            # A rational may be beyond floats.
            if isinstance(part, sp.Rational) and abs(part) < sys.float_info.max:
                return int(part.p) / int(part.q) / number
        raise InputError("adapter.scale", self.scale, _SCALES)


class DomainSpec(Table):
    """The domain that the theory needs: a radius for each norm of the adapter, for a theorem by a pilot if left out."""

    a: Real | None = None
    b: Real | None = None
    mu: Real | None = None
    nu: Real | None = None
    rho: Real | None = None

    @property
    def given(self) -> dict[str, float]:
        """The radii that are given, by name."""
        return {name: radius for name, radius in self if radius is not None}


class RunSpec(Table):
    """How a theorem is run; sample sizes and level are fixed here, before the run.

    One about gradient descent has no noise, and one replica: of these fields it takes steps and audits alone. A step
    size is given where the theorem prescribes none: a number, or ``best``, the one at which its bound is smallest. A
    network has one replica by default and an audit at each iterate, and its curvature is found at so many ``looks``.
    """

    steps: Steps | Literal["informative"] = "informative"
    step_size: Real | Literal["best"] | None = None
    batch: Count | Literal["balanced"] = "balanced"
    sampling: Literal["with replacement", "without replacement"] = "with replacement"
    zeta: Real | None = None
    replicas: int = Field(default=32, ge=1, le=2**20)
    audits: Count | None = 128
    looks: int = Field(default=0, ge=0, le=2**20)
    level: float = Field(default=0.95, gt=0.5, lt=1)


class BracketSpec(Table):
    """How a smoothness constant is bracketed from below, on the domain of the spec."""

    pairs: Count = 2048
    iterates: Count = 256
    points: Count = 16
    ascents: Count = 8
    rounds: Count = 32
    looks: int = Field(default=8, ge=0, le=2**20)


ProblemSpec = Annotated[
    DataSpec | LogisticSpec | TwoLayerSpec | ReadoutSpec | LeastSquaresSpec | ExtremalSpec | PseudoHuberSpec | HardSpec,
    Field(discriminator="kind"),
]

ModelTable = Annotated[GPTSpec | PretrainedSpec, Field(discriminator="kind")]
