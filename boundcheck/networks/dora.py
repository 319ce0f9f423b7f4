"""A DoRA layer of peft as a site: the direction of each row of W0 + s B A, times a magnitude of its own.

What the layer computes, and what its own gradient leaves out, is looked at and not taken from its name.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from boundcheck.errors import InputError
from boundcheck.networks.network import evaluating, widened
from boundcheck.networks.sites import Leaf, Site
from boundcheck.problems.adapters import DoRA

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
    A, B, magnitude = module.lora_A[name], module.lora_B[name], module.lora_magnitude_vector[name]
    leaves = [Leaf(A.weight), Leaf(B.weight), Leaf(magnitude.weight)]
    expected = "DoRA of linear layers, rows of W0 + s B A over their norms times m, with A, B and m trained"
    refused = InputError(path, f"a {type(module.lora_variant[name]).__name__}", expected)
    if not isinstance(A, nn.Linear) or getattr(B, "bias", None) is not None or magnitude.weight.shape != W0.shape[:1]:
        raise refused
    if not all(leaf.parameter.requires_grad for leaf in leaves):
        raise refused
    adapter = DoRA(W0, len(A.weight), float(module.scaling[name]), by_rows=True)
    bias = getattr(module.get_base_layer(), "bias", None)
    site = Site(path, adapter, module, tuple((leaf,) for leaf in leaves), bias=bias)
    dtype = torch.promote_types(W0.dtype, torch.float32)
    with _elsewhere(site), evaluating(module), widened(module):
        x = torch.arange(1, 4 * W0.shape[1] + 1, device=W0.device).cos().view(1, 4, -1).to(dtype)
        seen, wanted = ((y, torch.autograd.grad(y.cos().sum(), site.parameters)) for y in (module(x), site.computed(x)))
        near = 256 * torch.finfo(dtype).eps * max(W0.shape)
        if not torch.allclose(seen[0], wanted[0], rtol=near, atol=near * wanted[0].abs().max().item()):
            raise refused
        size = max(part.abs().max().item() for part in wanted[1])
        whole = all(torch.allclose(x, y, rtol=near, atol=near * size) for x, y in zip(seen[1], wanted[1], strict=True))
    return Site(path, adapter, module, site.blocks, bias=bias, cut="" if whole else _CUT)


@contextmanager
def _elsewhere(site: Site) -> Iterator[None]:
    """At other parameters while inside: where B is 0 the norms do not show."""
    kept = [parameter.detach().clone() for parameter in site.parameters]
    with torch.no_grad():
        for place, parameter in enumerate(site.parameters, start=1):
            wave = torch.arange(parameter.numel(), device=parameter.device).mul(place).cos().view(parameter.shape)
            parameter.copy_(parameter + wave.to(parameter) / parameter.shape[-1])
    try:
        with torch.enable_grad():
            yield
    finally:
        with torch.no_grad():
            for parameter, value in zip(site.parameters, kept, strict=True):
                parameter.copy_(value)
