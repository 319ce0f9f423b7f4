"""The functions that `import boundcheck as bc` gives, under the names that are typed."""

import inspect
from textwrap import indent
from typing import Any, cast

from sphinx.ext.napoleon import Config
from sphinx.ext.napoleon.docstring import GoogleDocstring

import boundcheck


def function(name: str) -> str:
    """A function of the package: its signature, and its docstring."""
    found = getattr(boundcheck, name)
    # Names of types say more on the page of what they name than in a signature.
    signature = inspect.signature(found)
    bare = [
        each.replace(annotation=inspect.Parameter.empty, default=_shown(each.default))
        for each in signature.parameters.values()
    ]
    typed = signature.replace(parameters=bare, return_annotation=inspect.Signature.empty)
    told = str(
        GoogleDocstring(inspect.getdoc(found) or "", cast(Any, Config(napoleon_use_rtype=False)))
    )
    return (
        "```{eval-rst}\n.. py:function::"
        f" boundcheck.{name}{typed}\n\n{indent(told, '   ')}\n```\n"
    )


class _Named:
    """A default that is a function, by its name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


def _shown(default: Any) -> Any:
    return (
        _Named(default.__name__.replace("<lambda>", "..."))
        if inspect.isfunction(default)
        else default
    )
