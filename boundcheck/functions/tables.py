"""The table [problem] of a spec: each objective's file holds its own, with its fields and how it is built.

An objective from outside is named by its import path, ``my_module:MyObjective``, or by an entry point of the group
``boundcheck.objectives``. What is there is a class of objectives, or a function that says that it returns one, such as
``-> Objective``; what it takes are then the fields of the table. Nothing else is called.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, get_args

from pydantic import PydanticUserError, create_model

from boundcheck.errors import InputError
from boundcheck.functions.objective import Objective, checked
from boundcheck.system.limits import Demand
from boundcheck.system.plugins import Registry, listed
from boundcheck.system.tables import NOT_GIVEN, Table, validated


@dataclass(frozen=True)
class Setting:
    """The parts of a spec that a problem may be made for, beside its own table.

    Attributes:
        device: where its tensors are.
        bias: whether W has one more column than the table says, since it acts on [h; 1].
        claim: the id of the theorem.
        scale, gain: of the adapter.
        radii: of the domain that the spec gives.

    """

    device: str = "cpu"
    bias: bool = False
    claim: str = ""
    scale: float = 1.0
    gain: float = 1.0
    radii: Mapping[str, float] = field(default_factory=dict)


class ProblemTable(Table):
    """The table of an objective in a spec: its kind, and the fields of a subclass."""

    kind: str
    starts_at_identity: ClassVar[bool] = False
    """Whether W0 is the identity, and not 0."""

    def build(self, setting: Setting) -> Objective:
        """The objective that the table describes."""
        raise NotImplementedError

    def demands(self) -> tuple[Demand, ...]:
        """The memory that its data take while they are drawn; nothing where they are small, or there already."""
        return ()


def table_of(raw: Any) -> ProblemTable:
    """A table [problem] of the kind that it names; raises InputError naming the first field that is wrong."""
    if isinstance(raw, ProblemTable):
        return raw
    if not isinstance(raw, dict):
        raise InputError("problem", raw, "a table")
    if "kind" not in raw:
        raise InputError(PROBLEMS.field, NOT_GIVEN, "the kind of problem, such as 'digits' or 'pseudo-huber'")
    return validated(PROBLEMS.open(raw["kind"]), raw, "problem.")


def _own() -> dict[str, type[ProblemTable]]:
    tables = listed("boundcheck.functions", ProblemTable)
    return {kind: table for table in tables for kind in get_args(table.model_fields["kind"].annotation)}


def _from_outside(name: str, found: Any) -> type[ProblemTable]:
    if isinstance(found, type) and issubclass(found, ProblemTable):
        return found
    if not (issubclass(found, Objective) if isinstance(found, type) else _says_that_it_makes_one(found)):
        expected = "a class of objectives, or a function that says that it returns one, such as -> Objective"
        raise InputError(PROBLEMS.field, name, expected)
    return _table_of(name, found)


def _says_that_it_makes_one(function: Any) -> bool:
    """True if this is a function annotated to return an objective. The only other way to know would be to call it."""
    if not inspect.isfunction(function):
        return False
    try:
        says = inspect.signature(function, eval_str=True).return_annotation
    except (TypeError, ValueError, NameError):
        return False
    return isinstance(says, type) and issubclass(says, Objective)


def _table_of(name: str, make: Callable[..., Any]) -> type[ProblemTable]:
    """The table whose fields are the parameters of a function, except those that the setting gives."""
    given = {each.name for each in fields(Setting)}
    try:
        parameters = inspect.signature(make, eval_str=True).parameters.values()
        taken = {
            p.name: (Any if p.annotation is p.empty else p.annotation, ... if p.default is p.empty else p.default)
            for p in parameters
            if p.name not in given and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        }
        # Pydantic declares no call with fields whose names are known only here.
        made: type[ProblemTable] = create_model(name.rpartition(":")[2], __base__=ProblemTable, **taken)  # type: ignore[call-overload]
    except (TypeError, ValueError, NameError, PydanticUserError) as error:
        expected = f"parameters that a table can have as its fields ({' '.join(str(error).split())})"
        raise InputError(PROBLEMS.field, name, expected) from None
    of_setting = [p.name for p in parameters if p.name in given]

    def build(self: ProblemTable, setting: Setting) -> Objective:
        options = {each: getattr(self, each) for each in taken}
        built = make(**options, **{each: getattr(setting, each) for each in of_setting})
        if not isinstance(built, Objective):
            raise InputError(PROBLEMS.field, name, f"what makes an Objective, and not a {type(built).__name__}")
        return checked(built, PROBLEMS.field)

    # The class is made here, and so is its method: no class statement could hold both.
    made.build = build  # type: ignore[method-assign]
    return made


PROBLEMS: Registry[type[ProblemTable]] = Registry("problem.kind", "boundcheck.objectives", _own, _from_outside)
"""The tables of problems by their kind."""
