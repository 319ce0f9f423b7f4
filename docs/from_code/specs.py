"""The tables of a spec, from their pydantic models; and the adapters, from their classes."""

import math
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from boundcheck.experiment.spec import AdapterSpec, BracketSpec, DomainSpec, RunSpec, Spec
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.functions.networks.bridge import PretrainedSpec
from boundcheck.functions.networks.gpt import GPTSpec
from boundcheck.functions.objective import PROBLEMS
from boundcheck.system.tables import Table
from from_code.markdown import code, first_line, prose, table

_TABLES: dict[str, type[Table]] = {
    "adapter": AdapterSpec, "domain": DomainSpec, "run": RunSpec, "bracket": BracketSpec,
    "gpt": GPTSpec, "pretrained": PretrainedSpec,
}  # fmt: skip
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_NAMES = {str: "text", int: "integer", float: "number", bool: "true or false"}


def top() -> str:
    """The fields that stand in no table."""
    return _fields(Spec, lambda name, field: name not in ("problem", "model", *_TABLES))


def fields(name: str) -> str:
    """The fields of a table, with what the table is."""
    found = _TABLES[name]
    return f"{_paragraphs(found.__doc__)}\n\n{_fields(found)}"


def problems() -> str:
    """Each problem of this package: what it minimises, and its fields."""
    found = [(kind, PROBLEMS[kind]) for kind in PROBLEMS]
    return "\n\n".join(_problem(kind, each) for kind, each in found)


def _problem(kind: str, found: type[Table]) -> str:
    fields = _fields(found, lambda name, field: name != "kind")
    return f"### `{kind}`\n\n{_paragraphs(found.__doc__)}\n\n{fields}"


def adapters() -> str:
    """Each adapter of this package: W(v), the radii of its domain, and the claims about it."""
    return "".join(_adapter(kind) for kind in ADAPTERS)


def _adapter(kind: str) -> str:
    adapter = ADAPTERS[kind]
    weight = first_line((adapter.weight.__doc__ or "").partition(", shape")[0]).rstrip(".")
    radii = ", ".join(
        f"`{name}` ≥ {adapter.radius_of.get(name, name)}" for name in adapter.radius_names
    )
    runs = "Theorems are run on it." if adapter.is_run else "No theorem is run on it."
    claims = ", ".join(f"[{id}](#{id})" for id in adapter.claims)
    return (
        f"- `{kind}`, {adapter.title}: {weight}. Domain: {radii}. {runs} Claims, the sharpest"
        f" first: {claims}\n"
    )


def _fields(model: type[Table], shown: Any = lambda name, field: True) -> str:
    rows = [
        (code(name), takes(field), _default(field), " ".join((field.description or "").split()))
        for name, field in model.model_fields.items()
        if shown(name, field)
    ]
    return (
        table(("field", "takes", "default", "meaning"), rows)
        if rows
        else "It has no field but its kind.\n"
    )


def takes(field: FieldInfo) -> str:
    """What a field takes, in words."""
    return _kind(field.annotation, field.metadata)


def _kind(annotation: Any, metadata: Any = ()) -> str:
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(
            inside[0], [x for each in inside[1:] for x in getattr(each, "metadata", [each])]
        )
    if origin is Literal:
        return " or ".join(code(x) for x in inside)
    if origin in (Union, UnionType):
        return " or ".join(_kind(each) for each in inside if each is not NoneType)
    if origin is dict:
        return f"a table: of each name {_kind(inside[1])}"
    return _within(_NAMES.get(annotation, "a table"), metadata)


def _within(name: str, metadata: Any) -> str:
    """A number between its limits: `0 < number < 1`."""
    below = above = ""
    for each in metadata:
        for attribute, sign in (("gt", "<"), ("ge", "≤")):
            if (limit := getattr(each, attribute, None)) is not None:
                below = f"{limit:g} {sign} "
        for attribute, sign in (("lt", "<"), ("le", "≤")):
            if (limit := getattr(each, attribute, None)) is not None:
                above = f" {sign} {_number(limit)}"
    return f"{below}{name}{above}"


def _number(limit: float) -> str:
    """A limit as a person writes it: large ones are powers of two or ten."""
    for base in (2, 10):
        power = round(math.log(limit, base))
        if limit == float(base**power) > 1000:
            return f"{base}{str(power).translate(_RAISED)}"
    return f"{limit:g}"


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    if default is PydanticUndefined:
        return "must be given"
    return (
        ""
        if default in (None, "", {})
        else code(f'"{default}"' if isinstance(default, str) else default)
    )


def _paragraphs(docstring: str | None) -> str:
    return "\n\n".join(
        prose(" ".join(each.split())) for each in (docstring or "").replace("``", "`").split("\n\n")
    )
