"""The types of arguments, checked where a person calls: what is none of them ends in one line."""

import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from boundcheck.errors import InputError


def check_types(function: Callable[..., object], given: Mapping[str, Any]) -> None:
    """Raise InputError for the first argument that is of no type which its parameter takes."""
    for name, value in given.items():
        parameter = inspect.signature(function).parameters[name]
        note = types.SimpleNamespace(__annotations__={name: parameter.annotation})
        # The names of some types, and what some protocols ask for, are there for type checkers
        # alone.
        with suppress(NameError, TypeError):
            _check(name, value, parameter, typing.get_type_hints(note, function.__globals__)[name])


def _check(name: str, value: Any, parameter: inspect.Parameter, hint: Any) -> None:
    is_union = typing.get_origin(hint) in (types.UnionType, typing.Union)
    kinds: list[Any] = [
        typing.get_origin(each) or each for each in (typing.get_args(hint) if is_union else [hint])
    ]
    # A text is a sequence of its letters, and no list of paths.
    is_list = Iterable in kinds
    taken = tuple((int, float) if kind is float else kind for kind in kinds)
    for each in value if parameter.kind is parameter.VAR_POSITIONAL else [value]:
        if Any in kinds or (isinstance(each, taken) and not (is_list and isinstance(each, str))):
            continue
        names = (
            "None" if kind is types.NoneType else "a list" if kind is Iterable else kind.__name__
            for kind in kinds
        )
        raise InputError(name, each, " or ".join(names))
