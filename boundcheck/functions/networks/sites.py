"""`Site`: a matrix W(v) inside a network, its adapter, its parameters, and what flows through it.

A site is a module whose output is W(v) x, or W(v) [x; 1], plus a term that does not depend on v. So the gradient of a
sample in W is the sum over its positions of (gradient in the output) (input)ᵀ; the adapter does the rest.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor, nn

from boundcheck.errors import InputError
from boundcheck.functions.adapters import Adapter
from boundcheck.functions.adapters.base import cast_to
from boundcheck.functions.arithmetic import Point

# A weight, under no name, and what it is computed from.
_State = dict[str, Tensor]


@dataclass(frozen=True)
class Leaf:
    """A module's parameter that is some columns of a block of v: itself, transposed, or a vector as one column."""

    parameter: Tensor
    transposed: bool = False

    @property
    def value(self) -> Tensor:
        """The columns in the parameter's layout, of which gradients are taken: the parameter itself."""
        return self.parameter

    def read(self, value: Tensor) -> Tensor:
        """The columns, from the value or a tensor of its shape, such as its gradient."""
        columns = value.unsqueeze(1) if value.ndim == 1 else value
        return columns.mT if self.transposed else columns

    @property
    def width(self) -> int:
        return self.read(self.value).shape[1]

    def write(self, columns: Tensor) -> None:
        """Put columns into the parameter."""
        value = columns.mT if self.transposed else columns
        self.parameter.copy_(value.reshape(self.parameter.shape))


@dataclass(frozen=True)
class Computed(Leaf):
    """A weight that torch computes from a trained parameter, as one that it keeps orthogonal.

    A weight does not tell the parameter, and what else it is computed from. So where training left them is remembered,
    and put back to the last bit with the weight that they gave; any other weight is left to torch.
    """

    module: nn.Module = field(kw_only=True)
    """Has the weight, under this name."""
    left: deque[_State] = field(kw_only=True, repr=False, default_factory=lambda: deque(maxlen=2))
    """The last states in which training left the module: those before and after a step."""
    other: list[_State] = field(kw_only=True, repr=False, default_factory=list)
    """The state that was made here last, if any."""

    @property
    def value(self) -> Tensor:
        """The weight, a function of the parameter; a state that is new counts as one that training left."""
        weight = cast(Tensor, self.module.weight)
        state = self._state(weight)
        if not any(_alike(state, known) for known in (*self.left, *self.other)):
            self.left.append(self._kept(state))
        return weight

    def write(self, columns: Tensor) -> None:
        """Put back the last state that training left with this weight, or have torch make one."""
        current = self.value
        wanted = (columns.mT if self.transposed else columns).to(current)
        for state in reversed(self.left):
            if _alike({"": wanted}, {"": state[""]}):
                self.module.load_state_dict({name: x for name, x in state.items() if name})
                return
        # It completes the weight to a square matrix, at random.
        with torch.random.fork_rng(devices=[current.device] if current.is_cuda else []):
            self.module.weight = wanted
        self.other[:] = [self._kept(self._state(self.module.weight))]

    def _state(self, weight: Tensor) -> _State:
        return {"": weight.detach(), **self.module.state_dict()}

    def _kept(self, state: _State) -> _State:
        # A square matrix, which training does not change, is held once.
        last = self.left[-1] if self.left else {}
        same = {name for name, x in last.items() if torch.equal(x, state[name])}
        return {name: last[name] if name in same else x.clone() for name, x in state.items()}


def _alike(x: _State, y: _State) -> bool:
    return all(torch.allclose(part, y[name], rtol=0, atol=0, equal_nan=True) for name, part in x.items())


@dataclass(frozen=True, eq=False)
class Site:
    """A matrix W(v) inside a network.

    Attributes:
        name: its module's path in the network.
        adapter: W(v), in float64, whose shapes and formulas the theory uses.
        module: computes W(v) x, with inputs of shape (m, ..., k) and outputs of shape (m, ..., d), samples first.
        blocks: for each block of v the leaves that it is made of, side by side.
        affine: whether W acts on [x; 1].
        bias: what the module adds to W(v) x, if that is not said by W.
        cut: what the module's own gradient leaves out, as a sentence; empty where it is the gradient of what it
            computes.

    """

    name: str
    adapter: Adapter
    module: nn.Module
    blocks: tuple[tuple[Leaf, ...], ...]
    affine: bool = False
    bias: Tensor | None = None
    cut: str = ""

    @property
    def parameters(self) -> list[Tensor]:
        """The trained parameters, in the order of the leaves."""
        return [leaf.parameter for leaves in self.blocks for leaf in leaves]

    @property
    def values(self) -> list[Tensor]:
        """The tensors that make up v, in the order of the leaves: the parameters, or what is computed from them."""
        return [leaf.value for leaves in self.blocks for leaf in leaves]

    def point(self, values: Sequence[Tensor] | None = None) -> Point:
        """The point v with R = 1, from the values, or from tensors of their shapes."""
        left = iter(self.values if values is None else values)
        return tuple(torch.cat([leaf.read(next(left)) for leaf in leaves], 1).unsqueeze(0) for leaves in self.blocks)

    @torch.no_grad()
    def write(self, v: Point) -> None:
        """Put v, with R = 1, into the parameters."""
        for leaves, block in zip(self.blocks, v, strict=True):
            for leaf, columns in zip(leaves, torch.split(block[0], [leaf.width for leaf in leaves], 1), strict=True):
                leaf.write(columns)

    def computed(self, x: Tensor) -> Tensor:
        """The module's output at x, computed from W(v), with all of its gradient."""
        v = self.point()
        weight = cast_to(self.adapter, v[0].dtype, str(v[0].device)).weight(v)[0]
        bias = None if self.bias is None else self.bias.to(weight.dtype)
        return nn.functional.linear(x.to(weight.dtype), weight, bias).to(x.dtype)

    def inputs(self, x: Tensor) -> Tensor:
        """The input of W, shape (m, positions, k): positions of any shape as one axis, with 1 appended if affine."""
        x = x.reshape(len(x), -1, x.shape[-1])
        return torch.cat([x, torch.ones_like(x[..., :1])], -1) if self.affine else x


@dataclass
class Flow:
    """The calls of each site in one forward pass, (input, output), in order."""

    calls: list[list[tuple[Tensor, Tensor]]] = field(default_factory=list)

    @property
    def outputs(self) -> list[Tensor]:
        """All outputs, in the order of `pairs`."""
        return [y for calls in self.calls for _, y in calls]

    def pairs(self, sites: Sequence[Site], gradients: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
        """For each site (G, X): gradients in its outputs and its inputs, shape (m, positions, ...)."""
        left, found = iter(gradients), []
        for site, calls in zip(sites, self.calls, strict=True):
            if not calls:
                raise InputError(site.name, "a module", "one that the network calls")
            parts = [
                (g.reshape(len(g), -1, g.shape[-1]), site.inputs(x)) for (x, _), g in zip(calls, left, strict=False)
            ]
            outputs, inputs = zip(*parts, strict=True)
            found.append((torch.cat(outputs, 1), torch.cat(inputs, 1)))
        return found


@contextmanager
def flowing(sites: Sequence[Site], samples: int) -> Iterator[Flow]:
    """Record what goes through the sites while inside.

    Raises:
        InputError: at a site whose input does not have the samples first, or that passes on no gradient.

    """
    flow = Flow([[] for _ in sites])

    def record(site: Site, calls: list[tuple[Tensor, Tensor]], given: tuple[Any, ...], output: Any) -> None:
        x, y = given[0], output
        if not isinstance(y, Tensor) or len(x) != samples or len(y) != samples:
            raise InputError(site.name, "a module", f"inputs and outputs with the {samples} samples as first axis")
        if not y.requires_grad:
            raise InputError(site.name, "a module", "one that passes gradients on")
        calls.append((x.detach(), y))

    handles = [
        site.module.register_forward_hook(lambda _, given, output, s=site, c=calls: record(s, c, given, output))
        for site, calls in zip(sites, flow.calls, strict=True)
    ]
    try:
        yield flow
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def uncut(sites: Sequence[Site]) -> Iterator[None]:
    """Give modules all of their gradient while inside, where their own leaves something out."""
    handles = [
        site.module.register_forward_hook(lambda _, given, output, s=site: s.computed(given[0]).to(output.dtype))
        for site in sites
        if site.cut
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def probed(sites: Sequence[Site]) -> Iterator[list[Tensor]]:
    """Zero matrices, one per site, added to its W while inside: derivatives in them are those of f in W."""
    probes = [
        torch.zeros(*site.adapter.W0.shape, dtype=p.dtype, device=p.device, requires_grad=True)
        for site in sites
        for p in site.parameters[:1]
    ]

    def add(site: Site, probe: Tensor, given: tuple[Any, ...], output: Tensor) -> Tensor:
        x = given[0]
        shift = x.to(probe.dtype) @ probe[:, : x.shape[-1]].mT
        return output + (shift + probe[:, -1] if site.affine else shift).to(output.dtype)

    handles = [
        site.module.register_forward_hook(lambda _, given, output, s=site, p=probe: add(s, p, given, output))
        for site, probe in zip(sites, probes, strict=True)
    ]
    try:
        yield probes
    finally:
        for handle in handles:
            handle.remove()
