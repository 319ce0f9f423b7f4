"""From a spec's model table to F: the built-in GPT, or a model of transformers, with adapters."""

from dataclasses import dataclass

import torch

from boundcheck.functions.adapters import ADAPTERS
from boundcheck.functions.networks import bridge, corpora
from boundcheck.functions.networks.adapt import adapt, sites_of
from boundcheck.functions.networks.bridge import Loaded
from boundcheck.functions.networks.corpora import ALPHABET
from boundcheck.functions.networks.function import NetworkFunction
from boundcheck.functions.networks.gpt import GPTShape
from boundcheck.functions.networks.network import Network
from boundcheck.functions.networks.pretrain import pretrained
from boundcheck.functions.networks.rows import Spool
from boundcheck.functions.networks.tables import GPTSpec, PretrainedSpec
from boundcheck.functions.networks.tasks import Windows
from boundcheck.functions.networks.text import pieces_of, typed
from boundcheck.system.limits import Tick

# The default places of adapters in the built-in GPT.
_TARGETS = "qkv, up"


@dataclass(frozen=True)
class Adaptation:
    """The adapters for a network: their kind, rank, scale and gain, and the paths where they go."""

    kind: str
    rank: int | None
    scale: float
    gain: float
    paths: list[str]


def network_function(
    table: GPTSpec | PretrainedSpec, adaptation: Adaptation, random: torch.Generator, device: str, tick: Tick
) -> NetworkFunction:
    """F of a network, with its adapters at the start that `random` draws, on the CPU.

    The built-in GPT is pretrained first, once.

    Raises:
        InputError: for a text, a folder, a target or a rank that does not exist.

    """
    kind, rank, scale, gain = adaptation.kind, adaptation.rank, adaptation.scale, adaptation.gain
    if isinstance(table, GPTSpec):
        loaded, targets = _gpt(table, device, tick), "edit" if ADAPTERS[kind].edits_hidden else _TARGETS
    else:
        loaded = bridge.load(table, device)
        targets = loaded.targets(kind)
    parameters = sum(parameter.numel() for parameter in loaded.model.parameters())
    chosen = adaptation.paths or [target.strip() for target in targets.split(",")]
    adapt(loaded.model, kind, chosen, rank, scale, gain, random)
    network = Network.fitting(loaded.model, sites_of(loaded.model), loaded.task)
    return NetworkFunction(loaded.name, network, parameters, loaded.held_out)


def _gpt(table: GPTSpec, device: str, tick: Tick) -> Loaded:
    # Of one byte for a symbol.
    spools, length = (Spool("uint8"), Spool("uint8")), table.context + 1
    with typed(heads="model.heads", text="model.text"):
        shape = GPTShape(
            vocabulary=len(ALPHABET), width=table.width, heads=table.heads, layers=table.layers, context=table.context
        )
        for is_held_out, block in corpora.blocks(pieces_of(table.text)):
            spools[is_held_out].add(ALPHABET.encode(block))
    tasks = []
    for name, spool, field in (("train", spools[0], "samples"), ("held out", spools[1], "held_out")):
        with typed(count=f"model.{field}"):
            order = corpora.drawn(spool.count, length, getattr(table, field), table.seed)
        tasks.append(Windows(name, spool.rows(length, order).to(device)))
    base = pretrained(shape, table.pretraining, table.seed, tick).model.double().to(device).requires_grad_(False)
    return Loaded(f"GPT on {table.text}", base, *tasks)
