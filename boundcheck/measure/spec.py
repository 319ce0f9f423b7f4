"""`Spec`: an experiment as a person writes it, in TOML, checked field by field before anything runs.

A list in place of a scalar is a sweep: `expand` turns one file into one `Spec` for every combination.
"""

import itertools
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
from boundcheck.claims.jiang2024 import LEMMA_1
from boundcheck.errors import InputError


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


class DigitsSpec(_Table):
    """Softmax regression on scikit-learn's digits."""

    kind: Literal["digits"]


class PseudoHuberSpec(_Table):
    """Pseudo-Huber matrix regression on synthetic targets; see `problems.pseudo_huber.synthetic`."""

    kind: Literal["pseudo-huber"]
    d: PositiveInt = 8
    k: PositiveInt = 8
    samples: PositiveInt = 64
    delta: PositiveFloat = 1.0
    signal: PositiveFloat = 1.0
    noise: PositiveFloat = 1.0
    seed: int = Field(default=0, ge=0)


class AdapterSpec(_Table):
    """LoRA: rank, scale s, and `gain`, the initial entries of A being N(0, gain^2/k)."""

    kind: Literal["lora"] = "lora"
    rank: PositiveInt
    scale: PositiveFloat = 1.0
    gain: PositiveFloat = 1.0


class DomainSpec(_Table):
    """The ball that the theory needs: radii for A and B, each chosen by a pilot run where it is left out."""

    a: PositiveFloat | None = None
    b: PositiveFloat | None = None


class RunSpec(_Table):
    """How a theorem is run; sample sizes and level are fixed here, before the run."""

    steps: PositiveInt | Literal["informative"] = "informative"
    batch: PositiveInt | Literal["balanced"] = "balanced"
    zeta: PositiveFloat | None = None
    replicas: int = Field(default=32, ge=2)
    audits: PositiveInt = 128
    level: float = Field(default=0.95, gt=0.5, lt=1)


class BracketSpec(_Table):
    """How a smoothness constant is bracketed from below, on the ball of radii `domain.a` and `domain.b`."""

    pairs: PositiveInt = 2048
    iterates: PositiveInt = 256
    points: PositiveInt = 16


class Spec(_Table):
    """One experiment: a claim of the catalogue, a problem, an adapter, and how to measure."""

    claim: str
    seed: int = Field(default=0, ge=0)
    lipschitz: Literal["sigma", "sqrt(r) sigma"] = "sigma"
    problem: Annotated[DigitsSpec | PseudoHuberSpec, Field(discriminator="kind")]
    adapter: AdapterSpec
    domain: DomainSpec = DomainSpec()
    run: RunSpec = RunSpec()
    bracket: BracketSpec = BracketSpec()

    @model_validator(mode="after")
    def _is_measurable(self) -> "Spec":
        names = [quantity.name for quantity in catalogue[self.claim].quantities]
        if "alpha" not in names and names != ["Lhat"]:
            raise InputError("claim", self.claim, "a theorem with a step size, or a lemma about smoothness")
        # F is a function of both factors of one layer here; a lemma about another F is not what would be measured.
        if self.is_bracket and catalogue[self.claim].conclusion != LEMMA_1.conclusion:
            raise InputError("claim", self.claim, "a lemma about the smoothness of F in A and B, both trained")
        if self.is_bracket and (self.domain.a is None or self.domain.b is None):
            raise InputError(
                "domain", f"a = {self.domain.a}, b = {self.domain.b}", "both radii, for a smoothness claim"
            )
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
            return "the kind of problem: 'digits' or 'pseudo-huber'"
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
