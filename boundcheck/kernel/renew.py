"""Terms and statements are built again from their parts, so that no stored key or shape is believed.

A theorem may come from anywhere. What `replay` reads of it passes through here first.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from inspect import signature
from types import MappingProxyType
from typing import Any

from boundcheck.kernel.atoms import (
    Before,
    Clock,
    Dimension,
    Expectation,
    Horizon,
    Inverse,
    Maximum,
    Minimum,
    Norm,
    Power,
    Root,
    Total,
    Trace,
    Value,
    Variable,
)
from boundcheck.kernel.errors import ReplayError
from boundcheck.kernel.facts import Fact, Law
from boundcheck.kernel.terms import Gradient, Matrix, Mean, Scalar, Symbol
from boundcheck.kernel.times import Index, Time

# Kinds are told apart by identity: a class of another kind may say that it equals one of these. The parts of each kind
# of object are what its constructor takes.
_TIMES, _TERMS = (Index, Time), (Scalar, Matrix, Symbol, Gradient, Mean, Fact, Law)
_ATOMS = (Variable, Dimension, Horizon, Clock, Power, Norm, Trace, Value, Maximum, Expectation)
_OPERATORS = (Root, Inverse, Minimum, Total, Before)
_CONTENT: Mapping[int, tuple[str, ...]] = {
    id(kind): tuple(signature(kind).parameters) for kind in (*_TIMES, *_TERMS, *_ATOMS, *_OPERATORS)
}
_PLAIN = frozenset(map(id, (str, int, bool, Fraction, type(None))))
# Marks an object that is being built: to meet the mark means that the object contains itself.
_UNFINISHED = object()


class Renewal:
    """A function that builds data again, each object once.

    It raises ReplayError for a kind that the kernel does not have, and for cycles. The data must outlive it: objects
    are told apart by their places in memory.
    """

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}

    def __call__(self, data: Any) -> Any:
        """Build the same data again from the kernel's own types."""
        if id(type(data)) in _PLAIN:
            return data
        # Most objects were built before.
        made = self._made.get(id(data))
        if made is None:
            return self._renewed(data)
        if made is _UNFINISHED:
            raise ReplayError(f"a {type(data).__name__} that contains itself")
        return made

    def _renewed(self, data: Any) -> Any:
        kind = type(data)
        if kind is tuple or kind is frozenset:
            return kind(map(self, data))
        if kind is MappingProxyType:
            return {self(x): self(y) for x, y in data.items()}
        if id(kind) not in _CONTENT:
            raise ReplayError(f"{data!r} is not a term, statement, number, text or tuple of those")
        self._made[id(data)] = _UNFINISHED
        content = vars(data)
        made = self._made[id(data)] = kind(*[self(content[name]) for name in _CONTENT[id(kind)]])
        return made
