"""From the table of a model to F: the built-in GPT, or a model of transformers, each with its adapters."""

from dataclasses import dataclass

import torch
from torch import nn

from boundcheck.models import bridge, corpora
from boundcheck.models.adapt import adapt, sites_of
from boundcheck.models.corpora import ALPHABET
from boundcheck.models.function import NetworkFunction
from boundcheck.models.gpt import GPTShape
from boundcheck.models.network import Network, Task
from boundcheck.models.pretrain import pretrained
from boundcheck.models.tables import GPTSpec, PretrainedSpec
from boundcheck.models.tasks import Windows
from boundcheck.models.text import text_of, typed
from boundcheck.problems.adapters import ADAPTERS
from boundcheck.progress import Tick

# Where the built-in GPT is adapted unless the spec says otherwise.
_TARGETS = "qkv, up"


@dataclass(frozen=True)
class Adaptation:
    """What is put into a network: the kind of adapter, its rank, scale and gain, and the paths where it goes."""

    kind: str
    rank: int | None
    scale: float
    gain: float
    paths: list[str]


@dataclass(frozen=True)
class _Loaded:
    """A pretrained model, frozen, with its samples, and where adapters go unless a spec says otherwise."""

    name: str
    model: nn.Module
    targets: str
    task: Task
    held_out: Task


def network_function(
    table: GPTSpec | PretrainedSpec, adaptation: Adaptation, random: torch.Generator, device: str, tick: Tick
) -> NetworkFunction:
    """F of a network, with its adapters at the start that `random` draws, on the CPU.

    The built-in GPT is pretrained first, once.

    Raises:
        InputError: for a text, a folder, a target or a rank that does not exist.

    """
    loaded = (
        _gpt(table, adaptation.kind, device, tick)
        if isinstance(table, GPTSpec)
        else _transformer(table, adaptation.kind, device)
    )
    parameters = sum(parameter.numel() for parameter in loaded.model.parameters())
    chosen = adaptation.paths or [target.strip() for target in loaded.targets.split(",")]
    kind, rank, scale, gain = adaptation.kind, adaptation.rank, adaptation.scale, adaptation.gain
    adapt(loaded.model, kind, chosen, rank, scale, gain, random)
    network = Network(loaded.model, sites_of(loaded.model), loaded.task)
    return NetworkFunction(loaded.name, network, parameters, loaded.held_out)


def _gpt(table: GPTSpec, kind: str, device: str, tick: Tick) -> _Loaded:
    with typed(heads="model.heads", text="model.text"):
        shape = GPTShape(
            vocabulary=len(ALPHABET), width=table.width, heads=table.heads, layers=table.layers, context=table.context
        )
        train, held_out = corpora.split(text_of(table.text))
    tasks = []
    for name, text, field in (("train", train, "samples"), ("held out", held_out, "held_out")):
        with typed(count=f"model.{field}"):
            ids = corpora.windows(text, table.context + 1, getattr(table, field), table.seed)
        tasks.append(Windows(name, ids.to(device)))
    base = pretrained(shape, table.pretraining, table.seed, tick).model.double().to(device).requires_grad_(False)
    return _Loaded(f"GPT on {table.text}", base, "edit" if ADAPTERS[kind].edits_hidden else _TARGETS, *tasks)


def _transformer(table: PretrainedSpec, kind: str, device: str) -> _Loaded:
    loaded = bridge.load(table, device)
    return _Loaded(loaded.name, loaded.model, loaded.targets(kind), loaded.task, loaded.held_out)
