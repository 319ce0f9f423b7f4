"""From the tables of a spec to networks: the built-in GPT, or a model of transformers, each with its adapters."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from boundcheck.measure.result import Subject
from boundcheck.models import bridge, corpora
from boundcheck.models.adapt import EDITS, adapt, sites_of
from boundcheck.models.corpora import ALPHABET
from boundcheck.models.gpt import GPTShape
from boundcheck.models.network import Network, Task
from boundcheck.models.pretrain import pretrained
from boundcheck.models.spec import GPTSpec, ModelSpec, PretrainedSpec
from boundcheck.models.streams import seed_of
from boundcheck.models.tasks import Windows
from boundcheck.models.text import text_of, typed
from boundcheck.progress import Tick, silent

# Where the built-in GPT is adapted unless the spec says otherwise.
_TARGETS = "qkv, up"


@dataclass(frozen=True)
class Builder:
    """Makes the network of each replica, all from one pretrained model that it leaves as it is.

    Attributes:
        name: of model and task.
        base: the pretrained model, on the device and in the type of the run.
        put: puts the adapters of a replica into a copy of it.
        task, held_out: the samples to train on, and those that are held out.

    """

    name: str
    base: nn.Module
    put: Callable[[nn.Module, int], nn.Module]
    task: Task
    held_out: Task

    def __call__(self, replica: int) -> Network:
        """The network of a replica at its first iterate; what is frozen it shares with the pretrained model."""
        shared = [x for x in (*self.base.parameters(), *self.base.buffers()) if not x.requires_grad]
        model = self.put(copy.deepcopy(self.base, {id(x): x for x in shared}), replica)
        return Network(model, sites_of(model), self.task)


def builder(spec: ModelSpec, device: str, tick: Tick = silent) -> Builder:
    """Load what a spec describes.

    Raises:
        InputError: for a text, a folder, a target or a rank that there is not.

    """
    if isinstance(spec.model, GPTSpec):
        return _gpt(spec, spec.model, device, tick)
    return _pretrained(spec, spec.model, device)


def _gpt(spec: ModelSpec, table: GPTSpec, device: str, tick: Tick) -> Builder:
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
    default = "edit" if spec.adapter.kind in EDITS else _TARGETS
    return Builder(f"GPT on {table.text}", base, _putting(spec, default), *tasks)


def _pretrained(spec: ModelSpec, table: PretrainedSpec, device: str) -> Builder:
    loaded = bridge.load(table, device)
    return Builder(
        loaded.name, loaded.model, _putting(spec, loaded.targets(spec.adapter.kind)), loaded.task, loaded.held_out
    )


def _putting(spec: ModelSpec, default: str) -> Callable[[nn.Module, int], nn.Module]:
    chosen = spec.adapter.paths or [target.strip() for target in default.split(",")]

    def put(model: nn.Module, replica: int) -> nn.Module:
        generator = torch.Generator().manual_seed(seed_of(spec, "initial", replica))
        a = spec.adapter
        adapt(model, a.kind, chosen, a.rank, a.factor, a.gain, generator)
        return model

    return put


def described(network: Network, base: nn.Module, name: str, sample: str = "") -> Subject:
    """How many matrices are adapted, how many numbers are trained, and how many the model had before."""
    return Subject(
        name,
        network.task.units,
        sites=len(network.sites),
        trained=sum(parameter.numel() for parameter in network.parameters),
        parameters=sum(parameter.numel() for parameter in base.parameters()),
        sample=sample,
    )
