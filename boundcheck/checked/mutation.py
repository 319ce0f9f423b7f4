"""What all mutation shares: a change of one place in a value, and orders of changes that never change."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import zip_longest
from typing import Generic, Protocol, TypeVar

Value = TypeVar("Value", covariant=True)
Item = TypeVar("Item")

# The kind that is false most often, which would else crowd out the others.
_LAST = "relation"


@dataclass(frozen=True)
class Change(Generic[Value]):
    """A value with one place changed: what kind of change, where or how, and the result."""

    kind: str
    where: str
    result: Value


class _OfKind(Protocol):
    @property
    def kind(self) -> str: ...


Kinded = TypeVar("Kinded", bound=_OfKind)


def varied(kind: str) -> str:
    """The kind of a change that keeps a true statement true."""
    return f"true variation: {kind}"


def mixed_up(items: Sequence[Item]) -> list[Item]:
    """The same items in an order that is fixed and mixed."""
    order = sorted(range(len(items)), key=lambda place: sha256(str(place).encode()).hexdigest())
    return [items[place] for place in order]


def in_turn(items: Sequence[Kinded], first: int) -> list[Kinded]:
    """One item of each kind in turn, mixed up within each kind; `first` says with which kind to begin."""
    kinds = sorted({x.kind for x in items} - {_LAST})
    start = first % max(len(kinds), 1)
    queues = [mixed_up([x for x in items if x.kind == kind]) for kind in kinds[start:] + kinds[:start]]
    found = [x for turn in zip_longest(*queues) for x in turn if x is not None]
    return found + mixed_up([x for x in items if x.kind == _LAST])
