"""From the tables of a spec to the problem that they describe: objective, W0 and adapter."""

import math

import torch
from torch import Tensor

from boundcheck.experiment.spec import Spec
from boundcheck.experiment.streams import generator
from boundcheck.functions.adapters import Adapter, Rebased, make_adapter
from boundcheck.functions.adapters.base import check_rank, gaussian
from boundcheck.functions.arithmetic import Point, at_most
from boundcheck.functions.networks.function import Adaptation, network_function
from boundcheck.functions.objective import Setting
from boundcheck.functions.problem import Problem
from boundcheck.language.function import Function
from boundcheck.system.limits import Tick, silent


def build(spec: Spec, device: str, tick: Tick = silent) -> Function:
    """The function that a spec describes, in one matrix or in a network: the same for any number of threads.

    Raises:
        InputError: for what is not there, or does not fit: a text, a folder, a target, a rank.

    """
    # A run says how many threads its numbers have; what is made before it is known how many has one.
    with at_most(1):
        if spec.model is None:
            return build_problem(spec, device)
        a = spec.adapter
        adaptation = Adaptation(a.kind, a.rank, a.factor, a.gain, a.paths)
        return network_function(spec.model, adaptation, generator(spec, "initial", "cpu"), device, tick)


def build_problem(spec: Spec, device: str) -> Problem:
    """The problem in one matrix that a spec describes.

    DiReFT and LoReFT act on [h; 1], so that W has one more column than the problem says. They, DoRA, and every adapter
    on a readout start from the identity, W0 = [I 0]; elsewhere W0 = 0.

    Raises:
        InputError: for a rank or a scale that the shape forbids, and for DoRA where W0 has a column of zeros.

    """
    if spec.problem is None:
        raise ValueError("expected a problem in one matrix")
    table, made = spec.adapter, spec.adapter.made
    setting = Setting(device, made.edits_hidden, spec.claim, table.factor, table.gain, spec.domain.given)
    objective = spec.problem.build(setting)
    make = torch.eye if made.edits_hidden or made.needs_columns or spec.problem.starts_at_identity else torch.zeros
    W0 = make(*objective.shape, dtype=torch.float64, device=device)
    adapter = _adapter(spec, W0, device)
    return Problem(objective, Rebased(W0, adapter) if spec.restarts else adapter)


def starting_point(spec: Spec, function: Function, device: str) -> Point:
    """The first iterate, with R = 1, drawn from the spec's seed."""
    return function.initial(spec.adapter.start, spec.adapter.gain, generator(spec, "initial", device))


def _adapter(spec: Spec, W0: Tensor, device: str) -> Adapter:
    kind, rank, gain = spec.adapter.kind, spec.adapter.rank, spec.adapter.gain
    if rank is None:
        return make_adapter(kind, W0, None, spec.adapter.factor, {})
    # First of all: factors of a rank that W0 has not may be larger than the memory.
    check_rank(rank, W0)
    d, k = W0.shape
    # A frozen A is the one at which LoRA would start.
    A = gaussian((rank, k), gain / math.sqrt(k), generator(spec, "initial", device))[0]
    B = gaussian((d, rank), gain / math.sqrt(rank), generator(spec, "frozen", device))[0]
    return make_adapter(kind, W0, rank, spec.adapter.factor, {"A": A, "B": B})
