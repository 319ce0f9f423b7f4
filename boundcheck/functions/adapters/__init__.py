"""The adapters: reparametrisations W(v) of a weight, one class each, with its domain and the claims
about it.

One from outside is named by its import path, ``my_module:MyAdapter``, or by an entry point of the
group ``boundcheck.adapters``.
"""

from collections.abc import Mapping
from inspect import isabstract
from typing import Any

from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.functions.adapters import kinds
from boundcheck.functions.adapters.base import Adapter, Block, Radii
from boundcheck.functions.adapters.kinds import (
    DiReFT,
    DoRA,
    FrozenA,
    FrozenB,
    Full,
    LoRA,
    LoReFT,
    LoReFTTrained,
    Rebased,
)
from boundcheck.language.catalogue import catalogue
from boundcheck.system.plugins import Registry


def _own() -> dict[str, type[Adapter]]:
    """Our kinds, in the order of their classes."""
    classes = [
        each
        for each in vars(kinds).values()
        if isinstance(each, type) and issubclass(each, Adapter)
    ]
    return {each.kind: each for each in classes if each.kind}


def _from_outside(name: str, found: Any) -> type[Adapter]:
    if not isinstance(found, type) or not issubclass(found, Adapter) or isabstract(found):
        raise InputError(ADAPTERS.field, name, "a class derived from Adapter, with all its methods")
    said = ("title", "claims", "composition", "radius_names")
    if missing := [each for each in said if not hasattr(found, each)]:
        raise InputError(ADAPTERS.field, name, f"an adapter with {', '.join(missing)} too")
    for claim in found.claims:
        catalogue.opened(claim)
    # By this name it is found again.
    found.kind = name
    return found


ADAPTERS: Registry[type[Adapter]] = Registry(
    "adapter.kind", "boundcheck.adapters", _own, _from_outside
)
"""By the name that a spec gives them."""


def make_adapter(
    kind: str, W0: Tensor, rank: int | None, scale: float, factors: Mapping[str, Tensor]
) -> Adapter:
    """The adapter of a kind around W0, with those of rank, scale and frozen factors (by field) that
    its kind takes.
    """
    made: type[Any] = ADAPTERS[kind]
    # DiReFT is LoRA at scale 1, and has the field.
    options = {"rank": rank, "scale": scale if "scale" in made.options else 1.0, **factors}
    return made(W0, **{name: x for name, x in options.items() if name in made.__dataclass_fields__})


def title_of(kind: str) -> str:
    """The name of an adapter in figures; for one from outside that was not opened here, its name in
    the spec.
    """
    return ADAPTERS[kind].title if kind in ADAPTERS else kind


__all__ = [
    "ADAPTERS",
    "Adapter",
    "Block",
    "DiReFT",
    "DoRA",
    "FrozenA",
    "FrozenB",
    "Full",
    "LoRA",
    "LoReFT",
    "LoReFTTrained",
    "Radii",
    "Rebased",
    "make_adapter",
    "title_of",
]
