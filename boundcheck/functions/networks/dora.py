"""A DoRA layer of peft as a site: the direction of each row of W0 + s B A, times a magnitude of its own.

What the layer computes, and what its own gradient leaves out, is measured and not taken from its name.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from boundcheck.errors import InputError
from boundcheck.functions.adapters import DoRA
from boundcheck.functions.networks.network import evaluating
from boundcheck.functions.networks.sites import Leaf, Site

_CUT = "DoRA of peft takes the norms of its rows for constants, so that its steps are along no gradient of F"


def dora_site(path: str, module: Any, name: str, W0: Tensor) -> Site:
    """The site of a LoRA layer of peft that has a magnitude for each row.

    Args:
        path: the module's.
        module: the layer.
        name: of its adapter.
        W0: the frozen weight, shape (d, k).

    Raises:
        InputError: for one of which something is frozen, or that computes something else.

    """
    expected = "DoRA of linear layers, rows of W0 + s B A over their norms times m, with A, B and m trained"
    refused = InputError(path, f"a {type(module.lora_variant[name]).__name__}", expected)
    if not isinstance(module.lora_A[name], nn.Linear) or getattr(module.lora_B[name], "bias", None) is not None:
        raise refused
    if module.lora_magnitude_vector[name].weight.shape != W0.shape[:1]:
        raise refused
    site = _site_of(path, module, name, W0)
    if not all(x.requires_grad for x in site.parameters):
        raise refused
    # Training keeps the layer itself, and whatever waits for its gradients.
    dtype = torch.promote_types(W0.dtype, torch.float32)
    twin: Any = deepcopy(module).to(dtype)
    other = _site_of(path, twin, name, W0)
    _move(other.parameters)
    with evaluating(twin), torch.enable_grad():
        x = torch.arange(1, 4 * W0.shape[1] + 1, device=W0.device).cos().view(1, 4, -1).to(dtype)
        seen, wanted = ((y, torch.autograd.grad(y.cos().sum(), other.parameters)) for y in (twin(x), other.computed(x)))
    near = 256 * torch.finfo(dtype).eps * max(W0.shape)
    if not torch.allclose(seen[0], wanted[0], rtol=near, atol=near * wanted[0].abs().max().item()):
        raise refused
    size = max(part.abs().max().item() for part in wanted[1])
    whole = all(torch.allclose(x, y, rtol=near, atol=near * size) for x, y in zip(seen[1], wanted[1], strict=True))
    return replace(site, cut="" if whole else _CUT)


def _site_of(path: str, module: Any, name: str, W0: Tensor) -> Site:
    A, B, magnitude = module.lora_A[name].weight, module.lora_B[name].weight, module.lora_magnitude_vector[name].weight
    adapter = DoRA(W0, len(A), float(module.scaling[name]), by_rows=True)
    bias = getattr(module.get_base_layer(), "bias", None)
    return Site(path, adapter, module, ((Leaf(A),), (Leaf(B),), (Leaf(magnitude),)), bias=bias)


@torch.no_grad()
def _move(parameters: Sequence[Tensor]) -> None:
    """Move the parameters to where the norms of the rows show: at B = 0 they do not."""
    for place, parameter in enumerate(parameters, start=1):
        wave = torch.arange(parameter.numel(), device=parameter.device).mul(place).cos().view(parameter.shape)
        parameter.add_(wave.to(parameter) / parameter.shape[-1])
