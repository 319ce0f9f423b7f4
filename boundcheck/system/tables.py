"""Tables of spec files, checked field by field; and sweeps, which hold lists, for every combination
of their values.
"""

import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from boundcheck.errors import InputError, did_you_mean, near
from boundcheck.system.files import Json


class Table(BaseModel):
    """The base of all tables: no unknown field, no change, no number that is not finite."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        strict=True,
        use_attribute_docstrings=True,
    )
    # Where stands what a person may take for a field: the name, and the place.
    elsewhere: ClassVar[Mapping[str, str]] = {}


Kind = TypeVar("Kind", bound=Table)
NOT_GIVEN = "(not given)"

# Larger counts would be a slip of the pen, or ask for memory that nobody has; singular values and
# certified constants of larger sides would take minutes.
Side = Annotated[int, Field(gt=0, le=2**9)]
Count = Annotated[int, Field(gt=0, le=2**20)]
Steps = Annotated[int, Field(gt=0, le=10**12)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
# Numbers whose products of up to nine are no infinite floats; what is too small for them is found
# where it matters.
Real = Annotated[float, Field(gt=0, le=1e30)]


def validated(kind: type[Kind], raw: Json, above: str = "") -> Kind:
    """The object that a table describes; raises InputError naming the first wrong field, with what
    is above it.
    """
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        raise _first(kind, error, raw, above) from None


class _NoSuchFieldError(InputError):
    """The error for a field that its table lacks; another table of the same spec may have it."""


def _first(kind: type[Table], error: ValidationError, raw: Json, above: str) -> InputError:
    """The first wrong field, in the words of this file: pydantic's unions put steps in a path that
    nobody typed.
    """
    details = error.errors(include_url=False)
    cause = details[0].get("ctx", {}).get("error")
    if isinstance(cause, _NoSuchFieldError):
        return _no_such_field(kind, raw, "", cause.field, cause.value, cause.expected)
    if isinstance(cause, InputError):
        there = fields_of(raw).get(cause.field.removeprefix(above))
        # Other texts are not what was typed, such as that nothing was.
        is_typed = isinstance(there, str) and there == cause.value
        typed = _typed(there) if is_typed else cause.typed
        return type(cause)(cause.field, cause.value, cause.expected, typed)
    field = _typed_path(details[0]["loc"], raw)
    fault = details[0]["type"]
    given = details[0]["input"]
    if fault == "extra_forbidden":
        return _no_such_field(kind, raw, above, above + field, given)
    messages = dict.fromkeys(
        _expectation(each) for each in details if _typed_path(each["loc"], raw) == field
    )
    field = above + field
    expected = " or ".join(messages)
    if fault.startswith("union_tag"):
        field = f"{field}.kind"
        given = given.get("kind", NOT_GIVEN) if isinstance(given, dict) else given
        tables = _tables(kind.model_fields[str(details[0]["loc"][0])].annotation)
        expected = f"one of {', '.join(repr(each) for table in tables for each in _kinds(table))}"
    if fault == "missing" or given is NOT_GIVEN:
        return InputError(field, NOT_GIVEN, expected)
    meant = did_you_mean(given, re.findall("'([^']+)'", expected))
    return InputError(field, given, expected + meant, _typed(given))


def _no_such_field(
    kind: type[Table], raw: Json, above: str, field: str, given: Any, expected: str = ""
) -> InputError:
    """The error for a field that is not there: it names the like-named field, or the nearest one.

    What is expected is kept, where the name is not found elsewhere.
    """
    here, _, name = field.rpartition(".")
    paths = dict(_paths(kind, raw, above))
    meant = [path for path, last in paths.items() if last == name]
    if not meant and name in kind.elsewhere:
        meant = [kind.elsewhere[name]]
    if not meant and not expected:
        beside = {last: path for path, last in paths.items() if path.rpartition(".")[0] == here}
        meant = [beside[each] for each in near(name, beside)]
        meant = meant or [path for path, last in paths.items() if near(name, [last], cutoff=0.85)]
        expected = f"no such field; {here or 'the spec'} has {', '.join(beside) or 'no fields'}"
    if meant:
        expected = f"no such field; did you mean {' or '.join(meant)}?"
    return _NoSuchFieldError(field, given, expected, _typed(given))


def _typed(value: Any) -> Any:
    """A value as TOML has it, so that text and numbers are told apart."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool) else value


def _paths(kind: type[BaseModel], raw: Any, above: str) -> Iterator[tuple[str, str]]:
    """The path of each field of a table and of the tables in it, with its last name."""
    for name, field in kind.model_fields.items():
        yield above + name, name
        inside = raw.get(name) if isinstance(raw, dict) else None
        for table in _tables(field.annotation):
            kind_given = inside.get("kind") if isinstance(inside, dict) else None
            if not _kinds(table) or kind_given in _kinds(table):
                yield from _paths(table, inside, f"{above}{name}.")


def _kinds(table: type[BaseModel]) -> tuple[Any, ...]:
    """The kinds of what a table describes, where it names them."""
    return get_args(table.model_fields["kind"].annotation) if "kind" in table.model_fields else ()


def _tables(annotation: Any) -> list[type[BaseModel]]:
    """The tables that a field may hold, with those that are derived from them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation, *(x for x in annotation.__subclasses__() if _kinds(x))]
    return [x for each in get_args(annotation) for x in _tables(each)]


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
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"a table [{'.'.join(map(str, detail['loc']))}]"
    message = (
        str(detail["msg"]).removeprefix("Input should be ").replace("a valid integer", "an integer")
    )
    message = message.replace("a valid ", "a ")
    return f"a number {message}" if message.startswith(("greater", "less")) else message


# Experiments of one sweep, and tables inside of one another.
_MOST = 10_000
_DEEPEST = 16


def combinations(raw: Json) -> Iterator[Json]:
    """The table with one value in place of each list, for every combination, in the order in which
    they are written.

    Raises InputError for an empty list, and for more than 10,000 combinations.
    """
    lists = {path: value for path, value in _leaves(raw) if isinstance(value, list)}
    for path, value in lists.items():
        if not value:
            raise InputError(".".join(path), value, "a value, or a list of at least one value")
    count = math.prod(map(len, lists.values()))
    if count > _MOST:
        field = max(lists, key=lambda path: len(lists[path]))
        raise InputError(
            ".".join(field),
            f"{count:.3g} combinations",
            f"lists that make at most {_MOST} experiments",
        )
    for choice in itertools.product(*lists.values()):
        yield _replaced(raw, dict(zip(lists, choice, strict=True)))


def fields_of(table: Json) -> Json:
    """The fields of a table and of those in it, each by its path, such as ``adapter.rank``.

    Raises InputError where tables are too deep inside of one another.
    """
    return {".".join(path): value for path, value in _leaves(table)}


def _leaves(table: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if len(path) > _DEEPEST:
        raise InputError(
            ".".join(path[:_DEEPEST]),
            "(a table)",
            f"at most {_DEEPEST} tables inside of one another",
        )
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _replaced(table: Json, choice: dict[tuple[str, ...], Any], path: tuple[str, ...] = ()) -> Json:
    return {
        key: (
            _replaced(value, choice, (*path, key))
            if isinstance(value, dict)
            else choice.get((*path, key), value)
        )
        for key, value in table.items()
    }
