"""`Spec`: an experiment as a person writes it, in TOML, checked field by field before anything runs.

A list in place of a scalar is a sweep: `expand` turns one file into one `Spec` for every combination.
"""

import itertools
import math
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from boundcheck.claims import catalogue
from boundcheck.errors import InputError
from boundcheck.problems.adapters import ADAPTERS, LoRA

_SCALES = 'a positive number, or text such as "16/r" or "16/sqrt(r)"'


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


Seed = Annotated[int, Field(ge=0)]


class DataSpec(_Table):
    """Softmax regression on scikit-learn's digits (10 classes, 64 pixels) or breast cancer (2 classes, 30 features)."""

    kind: Literal["digits", "breast-cancer"]


class LogisticSpec(_Table):
    """Logistic regression, one class against the rest, on the same data."""

    kind: Literal["logistic"]
    data: Literal["digits", "breast-cancer"] = "breast-cancer"


class TwoLayerSpec(_Table):
    """The first layer of a two-layer tanh network on digits, its second one fixed at random."""

    kind: Literal["two-layer"]
    hidden: PositiveInt = 16
    seed: Seed = 0


class ReadoutSpec(_Table):
    """An edit of digits' principal components h, W h or W [h; 1], before a fixed readout; W0 is the identity."""

    kind: Literal["readout"]
    components: int = Field(default=16, ge=1, le=61)


class LeastSquaresSpec(_Table):
    """Least squares on synthetic data, whose gradient is bounded on a ball only."""

    kind: Literal["least-squares"]
    d: PositiveInt = 8
    k: PositiveInt = 8
    samples: PositiveInt = 64
    noise: PositiveFloat = 1.0
    seed: Seed = 0


class ExtremalSpec(_Table):
    """The clipped-linear f on which Lemma 1, sharp, is attained at a corner of the ball."""

    kind: Literal["extremal"]
    d: PositiveInt = 8
    k: PositiveInt = 8
    L: PositiveFloat = 1.0
    G: PositiveFloat = 1.0


class PseudoHuberSpec(_Table):
    """Pseudo-Huber matrix regression on synthetic targets; see `problems.pseudo_huber.synthetic`."""

    kind: Literal["pseudo-huber"]
    d: PositiveInt = 8
    k: PositiveInt = 8
    samples: PositiveInt = 64
    delta: PositiveFloat = 1.0
    signal: PositiveFloat = 1.0
    noise: PositiveFloat = 1.0
    seed: Seed = 0


class AdapterSpec(_Table):
    """The adapter: its rank (all but ``full`` have one), its scale s, and `gain`.

    A scale may be a number, ``"16/r"`` or ``"16/sqrt(r)"``. The entries of A start, or are frozen, as N(0, gain^2/k).
    """

    kind: Literal["full", "lora", "frozen-a", "frozen-b", "direft", "loreft", "vera", "dora", "loha"] = "lora"
    rank: PositiveInt | None = None
    scale: PositiveFloat | str = 1.0
    gain: PositiveFloat = 1.0

    @model_validator(mode="after")
    def _fits_the_kind(self) -> "AdapterSpec":
        if (self.rank is None) != (self.kind == "full"):
            expected = "no rank, for full fine-tuning" if self.rank else f"a rank, for {self.kind}"
            raise InputError("adapter.rank", "(not given)" if self.rank is None else self.rank, expected)
        if not ADAPTERS[self.kind].has_scale and self.scale != 1:
            raise InputError("adapter.scale", self.scale, f"no scale, which {self.kind} has not")
        if not 0 < self.factor < math.inf:
            raise InputError("adapter.scale", self.scale, _SCALES)
        return self

    @property
    def factor(self) -> float:
        """The scale s as a number."""
        if not isinstance(self.scale, str):
            return self.scale
        match = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*/\s*(r|sqrt\(r\))\s*", self.scale)
        if match is None or self.rank is None:
            raise InputError("adapter.scale", self.scale, _SCALES)
        return float(match[1]) / (self.rank if match[2] == "r" else math.sqrt(self.rank))


class DomainSpec(_Table):
    """The domain that the theory needs: a radius for each norm of the adapter, for a theorem by a pilot if left out."""

    a: PositiveFloat | None = None
    b: PositiveFloat | None = None
    mu: PositiveFloat | None = None
    nu: PositiveFloat | None = None
    rho: PositiveFloat | None = None

    @property
    def given(self) -> dict[str, float]:
        """The radii that are given, by name."""
        return {name: radius for name, radius in self if radius is not None}


class RunSpec(_Table):
    """How a theorem is run; sample sizes and level are fixed here, before the run."""

    steps: PositiveInt | Literal["informative"] = "informative"
    batch: PositiveInt | Literal["balanced"] = "balanced"
    zeta: PositiveFloat | None = None
    replicas: int = Field(default=32, ge=2)
    audits: PositiveInt = 128
    level: float = Field(default=0.95, gt=0.5, lt=1)


class BracketSpec(_Table):
    """How a smoothness constant is bracketed from below, on the domain of the spec."""

    pairs: PositiveInt = 2048
    iterates: PositiveInt = 256
    points: PositiveInt = 16
    ascents: PositiveInt = 8
    rounds: PositiveInt = 32
    looks: int = Field(default=8, ge=0)


class Spec(_Table):
    """One experiment: a claim of the catalogue, a problem, an adapter, and how to measure."""

    claim: str
    seed: Seed = 0
    lipschitz: Literal["sigma", "sqrt(r) sigma"] = "sigma"
    problem: Annotated[
        DataSpec | LogisticSpec | TwoLayerSpec | ReadoutSpec | LeastSquaresSpec | ExtremalSpec | PseudoHuberSpec,
        Field(discriminator="kind"),
    ]
    adapter: AdapterSpec
    domain: DomainSpec = DomainSpec()
    run: RunSpec = RunSpec()
    bracket: BracketSpec = BracketSpec()

    @model_validator(mode="after")
    def _is_measurable(self) -> "Spec":
        names = [quantity.name for quantity in catalogue[self.claim].quantities]
        if "alpha" not in names and names[-1:] != ["Lhat"]:
            raise InputError("claim", self.claim, "a theorem with a step size, or a lemma about smoothness")
        kind = ADAPTERS[self.adapter.kind]
        if self.is_bracket and self.claim not in kind.claims:
            raise InputError("claim", self.claim, f"a lemma about {kind.title}: one of {', '.join(kind.claims)}")
        if not self.is_bracket and not issubclass(kind, LoRA):
            raise InputError("adapter.kind", self.adapter.kind, "lora or direft, of which the theorems speak")
        given, wanted = set(self.domain.given), set(kind.radius_names)
        # One that there is not is named before one that is missing.
        wrong = (given - wanted) or (wanted - given if self.is_bracket else set())
        if wrong:
            field, listed = f"domain.{min(wrong)}", " and ".join(kind.radius_names)
            known = self.domain.given.get(field.removeprefix("domain."), "(not given)")
            raise InputError(field, known, f"radii {listed}, for {self.adapter.kind}")
        unused = "run" if self.is_bracket else "bracket"
        if unused in self.model_fields_set:
            raise InputError(unused, "(a table)", f"no such table, which says nothing of {self.claim}")
        if self.run.steps != "informative" and self.run.audits > self.run.steps:
            raise InputError("run.audits", self.run.audits, f"at most run.steps = {self.run.steps}")
        return self

    def as_json(self) -> dict[str, Any]:
        """The tables that this experiment uses, as a spec file holds them; `parse` reads it back."""
        return self.model_dump(mode="json", exclude={"run" if self.is_bracket else "bracket"})

    @property
    def is_bracket(self) -> bool:
        """Whether the claim is a lemma about smoothness, to be bracketed, and not a theorem, to be run."""
        return catalogue[self.claim].quantities[-1].name == "Lhat"


def load(path: Path) -> list[Spec]:
    """The experiments of a TOML file.

    Raises:
        InputError: for an unreadable file or bad TOML, and for any field that is unknown, missing or out of range.

    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("SPEC", path, f"a readable TOML file ({error})") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError("SPEC", path, f"valid TOML ({error})") from None
    return list(expand(raw))


def expand(raw: dict[str, Any]) -> Iterator[Spec]:
    """One `Spec` for every combination of the lists in `raw`, in the order in which they are written."""
    lists = {path: value for path, value in _leaves(raw) if isinstance(value, list)}
    for path, value in lists.items():
        if not value:
            raise InputError(".".join(path), value, "a value, or a list of at least one value")
    for choice in itertools.product(*lists.values()):
        yield parse(_replaced(raw, dict(zip(lists, choice, strict=True))))


def parse(raw: dict[str, Any]) -> Spec:
    """One experiment from one table; raises InputError naming the first field that is wrong."""
    try:
        return Spec.model_validate(raw)
    except ValidationError as error:
        raise _first(error, raw) from None


def _first(error: ValidationError, raw: dict[str, Any]) -> InputError:
    """The first wrong field, in the words of this file: pydantic's unions put steps in a path that nobody typed."""
    details = error.errors(include_url=False)
    cause = details[0].get("ctx", {}).get("error")
    if isinstance(cause, InputError):
        return cause
    field = _typed_path(details[0]["loc"], raw)
    messages = dict.fromkeys(_expectation(each) for each in details if _typed_path(each["loc"], raw) == field)
    kind, given = details[0]["type"], details[0]["input"]
    if kind.startswith("union_tag"):
        field, given = f"{field}.kind", given.get("kind", "(not given)") if isinstance(given, dict) else given
    return InputError(field, "(not given)" if kind == "missing" else given, " or ".join(messages))


def _typed_path(location: tuple[int | str, ...], raw: Any) -> str:
    typed = []
    for step in location:
        if isinstance(raw, dict) and step in raw:
            raw = raw[step]
            typed.append(str(step))
        elif step == location[-1] and isinstance(raw, dict):
            typed.append(str(step))
    return ".".join(typed)


def _expectation(detail: Any) -> str:
    match detail["type"]:
        case "missing":
            return "a value"
        case "extra_forbidden":
            return "no such field; the README lists those of a spec"
        case "union_tag_invalid":
            return f"one of {detail['ctx']['expected_tags']}"
        case "union_tag_not_found":
            return "the kind of problem, such as 'digits' or 'pseudo-huber'"
        case "model_type" | "model_attributes_type" | "dict_type":
            return "a table"
    message = str(detail["msg"]).removeprefix("Input should be ")
    return f"a number {message}" if message.startswith(("greater", "less")) else message


def _leaves(table: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _replaced(table: dict[str, Any], choice: dict[tuple[str, ...], Any], path: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        key: _replaced(value, choice, (*path, key)) if isinstance(value, dict) else choice.get((*path, key), value)
        for key, value in table.items()
    }
