"""Any adapter inside any network: linear layers whose weight is W(v), and edits of hidden states;
and all its sites.

`adapt` changes a network in place. `sites_of` finds the trained matrices of a network, whoever put
them there: our adapters, LoRA layers of peft, LoReFT of pyreft, and linear layers that are trained
themselves.
"""

import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import _Orthogonal
from torch.nn.utils.parametrize import is_parametrized

from boundcheck.errors import InputError
from boundcheck.functions.adapters import (
    ADAPTERS,
    Adapter,
    DoRA,
    FrozenA,
    FrozenB,
    Full,
    LoRA,
    LoReFTTrained,
    make_adapter,
)
from boundcheck.functions.adapters.base import check_rank, gaussian
from boundcheck.functions.networks.network import Computed, Leaf, Site, evaluating

_CUT = (
    "DoRA of peft takes the norms of its rows for constants, so that its steps are along no"
    " gradient of F"
)


class AdaptedLinear(nn.Module):
    """The linear map x -> W(v) x + bias, or x -> W(v) [x; 1]; only v is trained."""

    def __init__(
        self,
        adapter: Adapter,
        v: Sequence[Tensor],
        bias: Tensor | None = None,
        affine: bool = False,
    ) -> None:
        """Take the adapter and its first point, one matrix per block, all of the bias's type; the
        bias is kept.

        Inputs and outputs may be of a coarser type, as in a network in bfloat16: the layer computes
        in its own.
        """
        super().__init__()
        self.adapter = adapter
        self.v = nn.ParameterList(nn.Parameter(block) for block in v)
        self.bias: Tensor | None
        self.register_buffer("bias", bias)
        self.affine = affine

    def forward(self, x: Tensor) -> Tensor:
        """W(v) x + bias, or W(v) [x; 1], for the last axis of x."""
        weight = self.adapter.weight(tuple(block.unsqueeze(0) for block in self.v))[0]
        matrix, bias = (weight[:, :-1], weight[:, -1]) if self.affine else (weight, self.bias)
        return nn.functional.linear(x.to(weight.dtype), matrix, bias).to(x.dtype)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "AdaptedLinear":
        # The adapter's frozen matrices move along to another type or device. Torch gives its
        # `_apply` no types.
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        kept = {each.name: getattr(self.adapter, each.name) for each in fields(self.adapter)}
        self.adapter = replace(
            self.adapter, **{name: fn(x) for name, x in kept.items() if isinstance(x, Tensor)}
        )
        return self


def adapt(
    model: nn.Module,
    kind: str,
    targets: Sequence[str],
    rank: int | None,
    scale: float,
    gain: float,
    generator: torch.Generator,
) -> None:
    """Put adapters of one kind at the targets in a network, and freeze what they adapt.

    Args:
        model: changed in place.
        kind: of adapter, as a spec names it.
        targets: ends of the paths of linear layers; for an edit, of the modules whose output is
            edited.
        rank: r; None for full fine-tuning.
        scale: s, for adapters that have one.
        gain: entries of A start as, or are frozen at, N(0, gain^2/k).
        generator: draws the starts, on the CPU.

    Raises:
        InputError: for a target that does not exist, and for a rank that does not fit its shape.

    """
    edits = ADAPTERS[kind].edits_hidden
    for path in matching(model, targets, "adapter.targets"):
        module: Any = model.get_submodule(path)
        if not edits:
            like = _weight(path, module)
            W0 = like.double().cpu()
        else:
            # An edit replaces a module's output h by W(v) [h; 1], starting at W0 = [I 0].
            like = next(model.parameters())
            width = _width(model)
            W0 = torch.eye(width, width + 1, dtype=torch.float64)
        factors: dict[str, Tensor] = {}
        if rank is not None:
            check_rank(rank, W0)
            d, k = W0.shape
            factors["A"] = gaussian((rank, k), gain / math.sqrt(k), generator)[0]
            factors["B"] = gaussian((d, rank), gain / math.sqrt(rank), generator)[0]
        made = make_adapter(kind, W0, rank, 1.0 if edits else scale, factors)
        start = [block[0] for block in made.initial(gain, generator)]
        bias = None if edits or module.bias is None else module.bias.detach()
        adapted = AdaptedLinear(made, start, bias, edits).to(like.device, trained_type(like))
        if edits and not isinstance(module, nn.Identity):
            # In the module, so that copies of the network have copies of it.
            module.add_module("edit", adapted)
            module.register_forward_hook(_edited)
        else:
            parent, _, name = path.rpartition(".")
            setattr(model.get_submodule(parent), name, adapted)


def trained_type(like: Tensor) -> torch.dtype:
    """The type of what is trained beside such weights: theirs, or single precision if theirs is
    coarser.
    """
    return torch.promote_types(like.dtype, torch.float32)


def _weight(path: str, module: Any) -> Tensor:
    """W0 of a linear layer, shape (d, k), or of GPT-2's Conv1D, which is a transposed linear
    layer.
    """
    if isinstance(module, nn.Linear):
        return module.weight.detach()
    if type(module).__name__ == "Conv1D":
        return module.weight.detach().mT
    raise InputError("adapter.targets", path, f"linear layers, and not a {type(module).__name__}")


def matching(model: nn.Module, targets: Sequence[str], field: str) -> list[str]:
    """The paths of the modules that end in a target, in the network's order; raises InputError if a
    target has none.
    """
    paths = [name for name, _ in model.named_modules()]

    def fits(path: str, target: str) -> bool:
        return path == target or path.endswith(f".{target}")

    for target in targets:
        if not any(fits(path, target) for path in paths):
            known = dict.fromkeys(
                name.rsplit(".", 1)[-1]
                for name, x in model.named_modules()
                if isinstance(x, nn.Linear)
            )
            raise InputError(
                field, target, f"the end of a module's path, such as {', '.join(known)}"
            )
    return [path for path in paths if any(fits(path, target) for target in targets)]


def _edited(module: nn.Module, _: Any, output: Any) -> Any:
    edit = module.get_submodule("edit")
    return (edit(output[0]), *output[1:]) if isinstance(output, tuple) else edit(output)


def _width(model: nn.Module) -> int:
    """The width of hidden states, from the network's own description."""
    for holder, name in (
        (getattr(model, "shape", None), "width"),
        (getattr(model, "config", None), "hidden_size"),
    ):
        if isinstance(found := getattr(holder, name, None), int):
            return found
    raise InputError(
        "adapter.kind",
        "an edit of hidden states",
        "a network that says how wide its hidden states are",
    )


def sites_of(model: nn.Module) -> tuple[Site, ...]:
    """Every site of a network, in its order.

    Raises InputError if nothing is trained, or a trained parameter belongs to no site.
    """
    found: list[Site] = []
    inside: set[str] = set()
    for path, module in model.named_modules():
        if any(path.startswith(f"{outer}.") for outer in inside):
            continue
        site = None
        if isinstance(module, AdaptedLinear):
            blocks = tuple((Leaf(parameter),) for parameter in module.v)
            site = Site(path, module.adapter, module, blocks, module.affine)
        elif hasattr(module, "lora_A") and hasattr(module, "lora_B"):
            site = _lora(path, module)
        elif hasattr(module, "learned_source"):
            site = _loreft(path, module)
        elif isinstance(module, nn.Linear) and module.weight.requires_grad:
            # Its W0 is 0 here, so that v is the weight itself, with the bias as last column.
            affine = module.bias is not None and module.bias.requires_grad
            leaves = (Leaf(module.weight), Leaf(module.bias)) if affine else (Leaf(module.weight),)
            d, k = module.weight.shape
            site = Site(
                path, Full(_nothing(d, k + affine, module.weight)), module, (leaves,), affine
            )
        # The factors of a LoRA layer do not count as layers, also if it is merged or disabled and
        # so not a site.
        if site is not None or hasattr(module, "lora_A"):
            inside.add(path)
        if site is not None:
            found.append(site)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise InputError("model", type(model).__name__, "a network in which something is trained")
    # A trained parameter that no site has, or that another module shares, would be left out.
    owners = {id(parameter): site.name for site in found for parameter in site.parameters}
    for path, module in model.named_modules():
        # Of torch itself: a model of pyvene has a method of its own in its place.
        for name, parameter in nn.Module.named_parameters(module, path, recurse=False):
            if not parameter.requires_grad:
                continue
            owner = owners.get(id(parameter))
            if owner is None:
                raise InputError(
                    "model",
                    name,
                    "trained parameters of LoRA layers, edits or linear layers only; freeze"
                    " this one",
                )
            if owner and not name.startswith(f"{owner}."):
                raise InputError(
                    "model", name, f"a matrix that is used in one place; {owner} uses it too"
                )
    return tuple(found)


def _lora(path: str, module: Any) -> Site | None:
    """A LoRA or DoRA layer of peft: its A, B and scale. None if its adapter is switched off or
    completely frozen.

    W0 is left out, because gradients and changes of W do not depend on it: v -> s B A.
    """
    names = [name for name in module.active_adapters if name in module.lora_A]
    if not names or module.disable_adapters or module.merged:
        return None
    if len(names) > 1:
        raise InputError(path, f"adapters {', '.join(names)}", "one active adapter at a time")
    name = names[0]
    A = module.lora_A[name]
    B = module.lora_B[name]
    if name in getattr(module, "lora_magnitude_vector", {}):
        return _dora(path, module, name, _weight(path, module.get_base_layer()))
    if getattr(module, "lora_variant", {}).get(name) is not None:
        variant = type(module.lora_variant[name]).__name__
        raise InputError(path, variant, "plain LoRA or DoRA, without other variants")
    if not isinstance(A, nn.Linear) or getattr(B, "bias", None) is not None:
        raise InputError(
            path, f"a LoRA of {type(A).__name__} layers", "LoRA of linear layers, without a bias"
        )
    scale = float(module.scaling[name])
    W0 = _nothing(B.weight.shape[0], A.weight.shape[1], A.weight)
    in_a, in_b = (
        (Leaf(factor.weight),) if factor.weight.requires_grad else None for factor in (A, B)
    )
    if in_a and in_b:
        return Site(path, LoRA(W0, len(A.weight), scale), module, (in_a, in_b))
    if in_b:
        return Site(path, FrozenA(W0, A.weight.detach(), scale), module, (in_b,))
    return Site(path, FrozenB(W0, B.weight.detach(), scale), module, (in_a,)) if in_a else None


def _loreft(path: str, module: Any) -> Site | None:
    """A LoreftIntervention of pyreft: h + Rᵀ(U h + b - R h), Rᵀ the orthogonal weight. None if it
    is frozen.

    Other interventions of pyreft have the same parts, or linear layers that they use twice: what
    they compute tells them apart.
    """
    rotate = getattr(module, "rotate_layer", None)
    edit = module.learned_source
    if not any(parameter.requires_grad for parameter in module.parameters()):
        return None
    if (
        isinstance(edit, nn.Linear)
        and edit.bias is not None
        and rotate is not None
        and is_parametrized(rotate, "weight")
        # What keeps R so while it is trained, and not only at its start.
        and [type(each) for each in rotate.parametrizations.weight] == [_Orthogonal]
    ):
        trained = [rotate.parametrizations.weight.original, edit.weight, edit.bias]
        is_all = {id(x) for x in module.parameters() if x.requires_grad} == {id(x) for x in trained}
        if is_all and _is_loreft(module, rotate.weight.detach(), edit):
            rank, d = edit.weight.shape
            rows = Computed(trained[0], transposed=True, module=rotate)
            adapter = LoReFTTrained(_nothing(d, d + 1, edit.weight), rank)
            return Site(
                path, adapter, module, ((rows,), (Leaf(edit.weight), Leaf(edit.bias))), affine=True
            )
    raise InputError(
        path,
        f"a {type(module).__name__}",
        "LoReFT, h + Rᵀ(U h + b - R h), with an orthogonal R, all of R, U and b trained, and"
        " nothing else",
    )


@torch.no_grad()
def _is_loreft(module: Any, Rt: Tensor, edit: nn.Linear) -> bool:
    """True if a module computes h + Rᵀ(U h + b - R h) at some h, without dropout, with at most d
    rows of R.
    """
    rank, d = edit.weight.shape
    if Rt.shape != (d, rank) or rank > d:
        return False
    near = 64 * max(torch.finfo(x.dtype).eps for x in (Rt, edit.weight)) * d
    h = torch.arange(1, 4 * d + 1, device=Rt.device).cos().view(1, 4, d).to(edit.weight.dtype)
    with evaluating(module):
        wanted = h + ((edit(h) - h.to(Rt.dtype) @ Rt) @ Rt.mT).to(h.dtype)
        # Where U and b are 0, what is done to them does not show.
        line = torch.linspace(-3, 3, 7).to(h)
        act = getattr(module, "act_fn", nn.Identity())
        return torch.allclose(module.forward(h), wanted, rtol=near, atol=near) and torch.equal(
            act(line), line
        )


def _nothing(d: int, k: int, like: Tensor) -> Tensor:
    """A zero matrix that takes no memory."""
    return torch.zeros((), dtype=trained_type(like), device=like.device).expand(d, k)


def _dora(path: str, module: Any, name: str, W0: Tensor) -> Site:
    """The site of a LoRA layer of peft that has a magnitude for each row of its weight W0, shape
    (d, k).

    Raises InputError for one of which something is frozen, or that computes something else.
    """
    expected = (
        "DoRA of linear layers, rows of W0 + s B A over their norms times m, with A, B and m"
        " trained"
    )
    refused = InputError(path, f"a {type(module.lora_variant[name]).__name__}", expected)
    if (
        not isinstance(module.lora_A[name], nn.Linear)
        or getattr(module.lora_B[name], "bias", None) is not None
    ):
        raise refused
    if module.lora_magnitude_vector[name].weight.shape != W0.shape[:1]:
        raise refused
    site = _site_of(path, module, name, W0)
    if not all(x.requires_grad for x in site.parameters):
        raise refused
    # Training keeps the layer itself, and whatever waits for its gradients.
    dtype = trained_type(W0)
    twin: Any = deepcopy(module).to(dtype)
    other = _site_of(path, twin, name, W0)
    with torch.no_grad():
        # To where the norms of the rows show: at B = 0 they do not.
        for place, parameter in enumerate(other.parameters, start=1):
            wave = (
                torch.arange(parameter.numel(), device=parameter.device)
                .mul(place)
                .cos()
                .view(parameter.shape)
            )
            parameter.add_(wave.to(parameter) / parameter.shape[-1])
    with evaluating(twin), torch.enable_grad():
        x = torch.arange(1, 4 * W0.shape[1] + 1, device=W0.device).cos().view(1, 4, -1).to(dtype)
        seen, wanted = (
            (y, torch.autograd.grad(y.cos().sum(), other.parameters))
            for y in (twin(x), other.computed(x))
        )
    near = 256 * torch.finfo(dtype).eps * max(W0.shape)
    if not torch.allclose(seen[0], wanted[0], rtol=near, atol=near * wanted[0].abs().max().item()):
        raise refused
    size = max(part.abs().max().item() for part in wanted[1])
    whole = all(
        torch.allclose(x, y, rtol=near, atol=near * size)
        for x, y in zip(seen[1], wanted[1], strict=True)
    )
    return replace(site, cut="" if whole else _CUT)


def _site_of(path: str, module: Any, name: str, W0: Tensor) -> Site:
    A = module.lora_A[name].weight
    B = module.lora_B[name].weight
    magnitude = module.lora_magnitude_vector[name].weight
    adapter = DoRA(W0, len(A), float(module.scaling[name]), by_rows=True)
    bias = getattr(module.get_base_layer(), "bias", None)
    return Site(path, adapter, module, ((Leaf(A),), (Leaf(B),), (Leaf(magnitude),)), bias=bias)
