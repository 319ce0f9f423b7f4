"""`Table`: a table of a spec file, checked field by field; and the ranges of numbers that tables have."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from boundcheck.errors import InputError


class Table(BaseModel):
    """What all tables have in common: no unknown field, no change, no number that is not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


Kind = TypeVar("Kind", bound=Table)
NOT_GIVEN = "(not given)"

# Larger counts would be a slip of the pen, or ask for memory that nobody has; singular values and certified constants
# of larger sides would take minutes.
Side = Annotated[int, Field(gt=0, le=2**9)]
Count = Annotated[int, Field(gt=0, le=2**20)]
Steps = Annotated[int, Field(gt=0, le=10**12)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
# Numbers whose products of up to nine are no infinite floats; what is too small for them is found where it matters.
Real = Annotated[float, Field(gt=0, le=1e30)]


def validated(kind: type[Kind], raw: dict[str, Any], above: str = "") -> Kind:
    """A table as what it describes; raises InputError naming the first field that is wrong, with what is above it."""
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        raise _first(error, raw, above) from None


def _first(error: ValidationError, raw: dict[str, Any], above: str) -> InputError:
    """The first wrong field, in the words of this file: pydantic's unions put steps in a path that nobody typed."""
    details = error.errors(include_url=False)
    cause = details[0].get("ctx", {}).get("error")
    if isinstance(cause, InputError):
        return cause
    field = _typed_path(details[0]["loc"], raw)
    messages = dict.fromkeys(_expectation(each) for each in details if _typed_path(each["loc"], raw) == field)
    field = above + field
    kind, given = details[0]["type"], details[0]["input"]
    if kind.startswith("union_tag"):
        field, given = f"{field}.kind", given.get("kind", NOT_GIVEN) if isinstance(given, dict) else given
    return InputError(field, NOT_GIVEN if kind == "missing" else given, " or ".join(messages))


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
            return "no such field; docs/reference/specs.md lists those of a spec"
        case "union_tag_invalid":
            return f"one of {detail['ctx']['expected_tags']}"
        case "union_tag_not_found":
            return "the kind of problem, such as 'digits' or 'pseudo-huber'"
        case "model_type" | "model_attributes_type" | "dict_type":
            return "a table"
    message = str(detail["msg"]).removeprefix("Input should be ")
    return f"a number {message}" if message.startswith(("greater", "less")) else message
