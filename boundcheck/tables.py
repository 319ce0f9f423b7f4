"""`Table`: a table of a spec file, checked field by field; and the ranges of numbers that tables have."""

from difflib import get_close_matches
from typing import Annotated, Any, TypeVar, get_args

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
        raise _first(kind, error, raw, above) from None


def _first(kind: type[Table], error: ValidationError, raw: dict[str, Any], above: str) -> InputError:
    """The first wrong field, in the words of this file: pydantic's unions put steps in a path that nobody typed."""
    details = error.errors(include_url=False)
    cause = details[0].get("ctx", {}).get("error")
    if isinstance(cause, InputError):
        return cause
    field = _typed_path(details[0]["loc"], raw)
    messages = dict.fromkeys(_expectation(each) for each in details if _typed_path(each["loc"], raw) == field)
    fault, given = details[0]["type"], details[0]["input"]
    if fault == "extra_forbidden":
        *inside, name = field.split(".")
        near = get_close_matches(name, _fields(kind, inside), n=1)
        messages = {"no such field" + "".join(f"; did you mean {'.'.join((*inside, x))}?" for x in near): None}
    field = above + field
    if fault.startswith("union_tag"):
        field, given = f"{field}.kind", given.get("kind", NOT_GIVEN) if isinstance(given, dict) else given
    return InputError(field, NOT_GIVEN if fault == "missing" else given, " or ".join(messages))


def _fields(kind: type[BaseModel], inside: list[str]) -> list[str]:
    """The fields of what lies at this path in a table, of all kinds that may lie there."""
    kinds = {kind}
    for step in inside:
        kinds = {x for each in kinds if step in each.model_fields for x in _tables(each.model_fields[step].annotation)}
    return sorted({name for each in kinds for name in each.model_fields})


def _tables(annotation: Any) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return {x for each in get_args(annotation) for x in _tables(each)}


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
        case "union_tag_invalid":
            return f"one of {detail['ctx']['expected_tags']}"
        case "union_tag_not_found":
            return "the kind of problem, such as 'digits' or 'pseudo-huber'"
        case "model_type" | "model_attributes_type" | "dict_type":
            return "a table"
    message = str(detail["msg"]).removeprefix("Input should be ")
    return f"a number {message}" if message.startswith(("greater", "less")) else message
