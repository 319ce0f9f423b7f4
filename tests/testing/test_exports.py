"""What `boundcheck.testing` exports: the same names for people, type checkers and at run time, imported when used."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from types import ModuleType

import pytest

import boundcheck.testing


@pytest.mark.full
def test_type_checkers_see_what_there_is() -> None:
    tree = ast.parse(inspect.getsource(boundcheck.testing))
    (guard,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in guard.body for alias in node.names}  # type: ignore[attr-defined]
    assert set(seen) == set(boundcheck.testing.__all__)
    for name, module in seen.items():
        assert getattr(boundcheck.testing, name) is getattr(sys.modules[module], name)
        assert not isinstance(getattr(boundcheck.testing, name), ModuleType)


@pytest.mark.full
@pytest.mark.parametrize("first", ["check", "strategies.matrices", "strategies.instances"])
def test_no_name_is_hidden_by_a_module_that_was_imported_first(first: str) -> None:
    code = f"import boundcheck.testing.{first}, types; import boundcheck.testing as t; " + (
        "print([x for x in t.__all__ if isinstance(getattr(t, x), types.ModuleType)], set(t.__all__) <= set(dir(t)))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[] True\n"
    )


def test_every_public_function_says_what_it_does() -> None:
    for name in boundcheck.testing.__all__:
        value = getattr(boundcheck.testing, name)
        if callable(value) and not inspect.isclass(value):
            assert inspect.getdoc(value), name


def test_what_there_is_not_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'strategy'"):
        _ = boundcheck.testing.strategy  # type: ignore[attr-defined]
    # Names that modules only use are not exported.
    with pytest.raises(AttributeError):
        _ = boundcheck.testing.np  # type: ignore[attr-defined]
