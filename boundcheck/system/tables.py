"""Tables of spec files, checked field by field; and sweeps, which hold lists, for every combination of their values."""

import itertools
import math
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from boundcheck.errors import InputError


class Table(BaseModel):
    """The base of all tables: no unknown field, no change, no number that is not finite."""

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
    """The object that a table describes; raises InputError naming the first wrong field, with what is above it."""
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


# Experiments of one sweep, and tables inside of one another.
_MOST, _DEEPEST = 10_000, 16


def combinations(raw: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The table with one value in place of each list, for every combination, in the order in which they are written.

    Raises InputError for an empty list, and for more than 10,000 combinations.
    """
    lists = {path: value for path, value in _leaves(raw) if isinstance(value, list)}
    for path, value in lists.items():
        if not value:
            raise InputError(".".join(path), value, "a value, or a list of at least one value")
    count = math.prod(map(len, lists.values()))
    if count > _MOST:
        field = max(lists, key=lambda path: len(lists[path]))
        raise InputError(".".join(field), f"{count:.3g} combinations", f"lists that make at most {_MOST} experiments")
    for choice in itertools.product(*lists.values()):
        yield _replaced(raw, dict(zip(lists, choice, strict=True)))


def fields_of(table: dict[str, Any]) -> dict[str, Any]:
    """The fields of a table and of those in it, each by its path, such as ``adapter.rank``.

    Raises InputError where tables are too deep inside of one another.
    """
    return {".".join(path): value for path, value in _leaves(table)}


def _leaves(table: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if len(path) > _DEEPEST:
        raise InputError(".".join(path[:_DEEPEST]), "(a table)", f"at most {_DEEPEST} tables inside of one another")
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
