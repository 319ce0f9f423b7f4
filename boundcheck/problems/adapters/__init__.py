"""The adapters: reparametrisations W(v) of a weight, each with its domain and the claims about it."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from boundcheck.problems.adapters.base import Adapter, Block, Radii
from boundcheck.problems.adapters.dora import DoRA
from boundcheck.problems.adapters.full import Full
from boundcheck.problems.adapters.loreft import LoReFT
from boundcheck.problems.adapters.low_rank import DiReFT, FrozenA, FrozenB, LoRA
from boundcheck.problems.adapters.products import LoHa, VeRA

ADAPTERS: dict[str, type[Adapter]] = {
    adapter.kind: adapter for adapter in (Full, LoRA, FrozenA, FrozenB, DiReFT, LoReFT, VeRA, DoRA, LoHa)
}
"""By the name that a spec gives them."""


def make_adapter(kind: str, W0: Tensor, rank: int | None, scale: float, factors: Mapping[str, Tensor]) -> Adapter:
    """The adapter of a kind around W0, given of rank, scale and frozen factors (by field) what its kind takes."""
    made: type[Any] = ADAPTERS[kind]
    # DiReFT is LoRA at scale 1, and has the field.
    options = {"rank": rank, "scale": scale if made.has_scale else 1.0, **factors}
    adapter: Adapter = made(W0, **{name: x for name, x in options.items() if name in made.__dataclass_fields__})
    return adapter


__all__ = [
    "ADAPTERS",
    "Adapter",
    "Block",
    "DiReFT",
    "DoRA",
    "FrozenA",
    "FrozenB",
    "Full",
    "LoHa",
    "LoRA",
    "LoReFT",
    "Radii",
    "VeRA",
    "make_adapter",
]
