"""The tables of a spec: adapter, domain, and how to run or to bracket; one class for each, field by field.

What a spec says of a problem is in `boundcheck.functions`, beside the objective.
"""

import math
import sys
from typing import Annotated, Any, Literal

import sympy as sp
from pydantic import BeforeValidator, Field, PositiveInt, model_validator

from boundcheck.errors import InputError
from boundcheck.functions.adapters import ADAPTERS, Adapter
from boundcheck.functions.networks.bridge import PretrainedSpec
from boundcheck.functions.networks.gpt import GPTSpec
from boundcheck.language.inputs import parsed
from boundcheck.language.symbols import r
from boundcheck.system.tables import Count, Real, Steps, Table

_SCALES = 'a positive number, or text such as "16/r" or "16/sqrt(r)"'


def _known_adapter(kind: Any) -> Any:
    ADAPTERS.open(kind)
    return kind


class AdapterSpec(Table):
    """The adapter: what is trained, and where it starts."""

    kind: Annotated[str, BeforeValidator(_known_adapter)] = Field(
        default="lora", description="one of the adapters, or the import path of your own"
    )
    rank: PositiveInt | None = Field(default=None, description="r, from 1 to min(d, k); full fine-tuning has none")
    scale: Real | str = Field(
        default=1.0, description='s in W = W₀ + s·BA: a number, or text such as `"16/r"` and `"16/sqrt(r)"`'
    )
    gain: Real = Field(
        default=1.0,
        description="the entries of A start, or are frozen, as N(0, gain²/k); B starts at 0, unless it is frozen",
    )
    start: Literal["lora", "diagonal"] = Field(
        default="lora", description="`diagonal`: A and B start with `gain` on their diagonals, and 0 elsewhere"
    )
    targets: str = Field(
        default="",
        description="of a network, the ends of the paths of the modules to adapt, as `q_proj, v_proj`; "
        "left out, those that peft chooses, or every layer of the built-in GPT",
    )

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
    """The domain that the theory needs: a radius for each norm of the adapter.

    For a theorem, a pilot finds the radii that are left out.
    """

    a: Real | None = Field(default=None, description="bounds σ₁(A); of VeRA the largest entry of d")
    b: Real | None = Field(default=None, description="bounds σ₁(B); of VeRA the largest entry of b")
    mu: Real | None = Field(default=None, description="bounds the entries of DoRA's m")
    nu: Real | None = Field(default=None, description="bounds σ₁(V) of LoReFT")
    rho: Real | None = Field(
        default=None, description="bounds σ₁(W − W₀) of full fine-tuning; points are sampled within it"
    )
    z: Real | None = Field(default=None, description="of ReLoRA, bounds σ₁ of what was merged")

    @property
    def given(self) -> dict[str, float]:
        """The radii that are given, by name."""
        return {name: radius for name, radius in self if radius is not None}


class RunSpec(Table):
    """The settings of a theorem's run; sample sizes and level are fixed here, before the run.

    A theorem about gradient descent has no noise and one replica: of these fields it takes only steps, audits, and what
    it leaves open.
    """

    steps: Steps | Literal["informative"] = Field(
        default="informative", description="T: a number, or the fewest at which the bound says something"
    )
    step_size: Real | Literal["best"] | None = Field(
        default=None,
        description="the step of a theorem that prescribes none: a number, or `best`, at which its bound is smallest",
    )
    batch: Count | Literal["balanced"] = Field(
        default="balanced", description="minibatch size; `balanced` makes ζ² 0.8 of ‖∇F(v₁)‖²"
    )
    sampling: Literal["with replacement", "without replacement"] = Field(
        default="with replacement",
        description="`without replacement`: in epochs, which the audit reports as biased given the past",
    )
    zeta: Real | None = Field(
        default=None,
        description="ζ, the bound on the noise of a minibatch gradient; left out, a pilot with its own seed finds it",
    )
    given: dict[str, Real] = Field(
        default_factory=dict,
        description="other numbers that a theorem leaves open, as `{ beta = 0.9 }` for the heavy ball",
    )
    replicas: int = Field(
        default=32, ge=1, le=2**20, description="runs side by side, on other minibatches; of a network 1 unless given"
    )
    audits: Count | None = Field(
        default=128, description="how many random iterates are audited; of a network every one unless given"
    )
    looks: int = Field(
        default=0,
        ge=0,
        le=2**20,
        description="of a network, at how many iterates the top curvatures of F and f are found; 2 unless given",
    )
    level: float = Field(default=0.95, gt=0.5, lt=1, description="the level of the interval")


class BracketSpec(Table):
    """The settings by which a smoothness constant is bracketed from below, on the domain of the spec."""

    pairs: Count = Field(default=2048, description="sampled pairs of points")
    iterates: Count = Field(default=256, description="consecutive iterates of a run")
    points: Count = Field(default=16, description="points with a Lanczos iteration on the Hessian of F")
    ascents: Count = Field(default=8, description="starts of the projected ascent over the ball")
    rounds: Count = Field(default=32, description="steps of each ascent")
    looks: int = Field(
        default=8,
        ge=0,
        le=2**20,
        description="iterates at which the curvature is split into its two parts, of at most 320 trained numbers",
    )


ModelTable = Annotated[GPTSpec | PretrainedSpec, Field(discriminator="kind")]
