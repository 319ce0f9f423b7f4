"""The adapters: reparametrisations W(v) of a weight, each with its domain and the claims about it."""

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
]
