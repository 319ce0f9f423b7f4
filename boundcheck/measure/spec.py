"""`Spec`: an experiment as a person writes it, in TOML, checked field by field before anything runs.

A list in place of a scalar is a sweep: `expand` turns one file into one `Spec` for every combination.
"""

import itertools
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError, model_validator

from boundcheck.claims import catalogue
from boundcheck.errors import InputError
from boundcheck.measure.tables import AdapterSpec, BracketSpec, DomainSpec, ProblemSpec, RunSpec, Seed, Table
from boundcheck.problems.adapters import ADAPTERS, LoRA


class Spec(Table):
    """One experiment: a claim of the catalogue, a problem, an adapter, and how to measure."""

    claim: str
    seed: Seed = 0
    lipschitz: Literal["sigma", "sqrt(r) sigma"] = "sigma"
    problem: ProblemSpec
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
