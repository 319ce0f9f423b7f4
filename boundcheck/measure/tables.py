"""The tables of a spec: adapter, domain, and how to run or to bracket; one class for each, field by field.

What a spec says of a problem is in `boundcheck.problems`, beside the objective.
"""

import math
import sys
from typing import Annotated, Any, Literal

import sympy as sp
from pydantic import BeforeValidator, Field, PositiveInt, model_validator

from boundcheck.claims.symbols import r
from boundcheck.claims.text import parsed
from boundcheck.errors import InputError
from boundcheck.networks.tables import GPTSpec, PretrainedSpec
from boundcheck.problems.adapters import ADAPTERS, Adapter
from boundcheck.tables import Count, Real, Steps, Table

_SCALES = 'a positive number, or text such as "16/r" or "16/sqrt(r)"'


def _known_adapter(kind: Any) -> Any:
    ADAPTERS.open(kind)
    return kind


class AdapterSpec(Table):
    """The adapter: its rank (all but ``full`` have one), its scale s, its start, and `gain`.

    A scale may be a number, ``"16/r"`` or ``"16/sqrt(r)"``. The entries of A start, or are frozen, as N(0, gain^2/k),
    and B = 0; a diagonal start has gain on the diagonals of A and B, and 0 elsewhere. In a network the adapter is at
    every module whose path ends in one of ``targets``, which are separated by commas.
    """

    kind: Annotated[str, BeforeValidator(_known_adapter)] = "lora"
    rank: PositiveInt | None = None
    scale: Real | str = 1.0
    gain: Real = 1.0
    start: Literal["lora", "diagonal"] = "lora"
    targets: str = ""

    @model_validator(mode="after")
    def _fits_the_kind(self) -> "AdapterSpec":
        made = self.made
        if (self.rank is None) == made.has_rank:
            expected = f"no rank, for {made.title}" if self.rank else f"a rank, for {self.kind}"
            raise InputError("adapter.rank", "(not given)" if self.rank is None else self.rank, expected)
        if not made.has_scale and self.scale != 1:
            raise InputError("adapter.scale", self.scale, f"no scale: {self.kind} has no such number")
        if self.start == "diagonal" and not made.has_diagonal:
            raise InputError("adapter.start", self.start, "lora, unless the adapter is lora or direft")
        if not 0 < self.factor < math.inf:
            raise InputError("adapter.scale", self.scale, _SCALES)
        return self

    @property
    def made(self) -> type[Adapter]:
        """The class of adapters of its kind."""
        return ADAPTERS[self.kind]

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
    z: Real | None = None

    @property
    def given(self) -> dict[str, float]:
        """The radii that are given, by name."""
        return {name: radius for name, radius in self if radius is not None}


class RunSpec(Table):
    """How a theorem is run; sample sizes and level are fixed here, before the run.

    One about gradient descent has no noise, and one replica: of these fields it takes steps and audits alone. A step
    size is given where the theorem prescribes none: a number, or ``best``, the one at which its bound is smallest.
    Other numbers that it leaves open, such as a momentum beta, are in the table ``given``. A network has one replica by
    default and an audit at each iterate, and its curvature is found at so many ``looks``.
    """

    steps: Steps | Literal["informative"] = "informative"
    step_size: Real | Literal["best"] | None = None
    batch: Count | Literal["balanced"] = "balanced"
    sampling: Literal["with replacement", "without replacement"] = "with replacement"
    zeta: Real | None = None
    given: dict[str, Real] = Field(default_factory=dict)
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


ModelTable = Annotated[GPTSpec | PretrainedSpec, Field(discriminator="kind")]
