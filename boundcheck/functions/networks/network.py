"""`Network`: F(v), the mean loss of a network over a finite sample, as a function of its adapters'
numbers.

A `Site` is a module whose output is W(v) x, or W(v) [x; 1], plus a term that does not depend on v.
So the gradient of a sample in W is the sum over its positions of (gradient in the output) (input)ᵀ;
the adapter does the rest. F, its gradient, the gradients of single samples, and products with
Hessians are computed over chunks of samples and summed in float64. A point v is the blocks of all
sites in one tuple, each of shape (1, rows, columns).
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.utils.parametrize import cached

from boundcheck.errors import InputError
from boundcheck.functions.adapters import Adapter
from boundcheck.functions.adapters.base import cast_to
from boundcheck.functions.arithmetic import Point, inner, square_norm
from boundcheck.functions.networks.corpora import Task
from boundcheck.system.limits import available

# A weight, under no name, and what it is computed from.
_State = dict[str, Tensor]


@dataclass(frozen=True)
class Leaf:
    """A module's parameter that is some columns of a block of v: itself, transposed, or a vector as
    one column.
    """

    parameter: Tensor
    transposed: bool = False

    @property
    def value(self) -> Tensor:
        """The columns in the parameter's layout, of which gradients are taken: the parameter
        itself.
        """
        return self.parameter

    def read(self, value: Tensor) -> Tensor:
        """The columns, from the value or a tensor of its shape, such as its gradient."""
        columns = value.unsqueeze(1) if value.ndim == 1 else value
        return columns.mT if self.transposed else columns

    def write(self, columns: Tensor) -> None:
        self.parameter.copy_(
            (columns.mT if self.transposed else columns).reshape(self.parameter.shape)
        )


@dataclass(frozen=True)
class Computed(Leaf):
    """A weight that torch computes from a trained parameter, as one that it keeps orthogonal.

    A weight does not tell the parameter, and what else it is computed from. So where training left
    them is remembered, and put back to the last bit with the weight that they gave; any other
    weight is left to torch.
    """

    module: nn.Module = field(kw_only=True)
    """Has the weight, under this name."""
    left: deque[_State] = field(kw_only=True, repr=False, default_factory=lambda: deque(maxlen=2))
    """The last states in which training left the module: those before and after a step."""
    other: list[_State] = field(kw_only=True, repr=False, default_factory=list)
    """The state that was made here last, if any."""

    @property
    def value(self) -> Tensor:
        """The weight, a function of the parameter; a state that is new counts as one that training
        left.
        """
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
    return all(
        torch.allclose(part, y[name], rtol=0, atol=0, equal_nan=True) for name, part in x.items()
    )


@dataclass(frozen=True, eq=False)
class Site:
    """A matrix W(v) inside a network."""

    name: str  # its module's path in the network
    adapter: Adapter  # W(v), in float64, whose shapes and formulas the theory uses
    # Computes W(v) x, with inputs of shape (m, ..., k) and outputs of shape (m, ..., d), samples
    # first.
    module: nn.Module
    blocks: tuple[
        tuple[Leaf, ...], ...
    ]  # for each block of v the leaves that it is made of, side by side
    affine: bool = False  # whether W acts on [x; 1]
    bias: Tensor | None = None  # what the module adds to W(v) x, if that is not said by W
    # What the module's own gradient leaves out, as a sentence; empty where it is the gradient of
    # what it computes.
    cut: str = ""

    @property
    def parameters(self) -> list[Tensor]:
        """The trained parameters, in the order of the leaves."""
        return [leaf.parameter for leaves in self.blocks for leaf in leaves]

    @property
    def values(self) -> list[Tensor]:
        """The tensors that v is read from, in the same order: the parameters, or what is computed
        from them.
        """
        return [leaf.value for leaves in self.blocks for leaf in leaves]

    def point(self, values: Sequence[Tensor] | None = None) -> Point:
        """The point v with R = 1, from the values, or from tensors of their shapes."""
        left = iter(self.values if values is None else values)
        return tuple(
            torch.cat([leaf.read(next(left)) for leaf in leaves], 1).unsqueeze(0)
            for leaves in self.blocks
        )

    @torch.no_grad()
    def write(self, v: Point) -> None:
        """Put v, with R = 1, into the parameters."""
        for leaves, block in zip(self.blocks, v, strict=True):
            widths = [leaf.read(leaf.value).shape[1] for leaf in leaves]
            for leaf, columns in zip(leaves, torch.split(block[0], widths, 1), strict=True):
                leaf.write(columns)

    def computed(self, x: Tensor) -> Tensor:
        """The module's output at x, computed from W(v), with all of its gradient."""
        v = self.point()
        weight = cast_to(self.adapter, v[0].dtype, str(v[0].device)).weight(v)[0]
        bias = None if self.bias is None else self.bias.to(weight.dtype)
        return nn.functional.linear(x.to(weight.dtype), weight, bias).to(x.dtype)

    def inputs(self, x: Tensor) -> Tensor:
        """The input of W, shape (m, positions, k): positions of any shape as one axis, with 1
        appended if affine.
        """
        x = x.reshape(len(x), -1, x.shape[-1])
        return torch.cat([x, torch.ones_like(x[..., :1])], -1) if self.affine else x


@contextmanager
def _hooked(
    sites: Sequence[Site], do: Callable[[int, Tensor, Any], Tensor | None]
) -> Iterator[None]:
    """Call a function of a site's place, input and output after each call of its module; it may
    replace the output.
    """
    handles = [
        site.module.register_forward_hook(lambda _, given, output, i=i: do(i, given[0], output))
        for i, site in enumerate(sites)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def uncut(sites: Sequence[Site]) -> Iterator[None]:
    """Give modules all of their gradient while inside, where their own leaves something out."""
    shortened = [site for site in sites if site.cut]
    with _hooked(shortened, lambda place, x, output: shortened[place].computed(x).to(output.dtype)):
        yield


@contextmanager
def probed(sites: Sequence[Site]) -> Iterator[list[Tensor]]:
    """Zero matrices, one per site, added to its W while inside: derivatives in them are those of f
    in W.
    """
    probes = [
        torch.zeros(*site.adapter.W0.shape, dtype=p.dtype, device=p.device, requires_grad=True)
        for site in sites
        for p in site.parameters[:1]
    ]

    def add(place: int, x: Tensor, output: Tensor) -> Tensor:
        probe = probes[place]
        shift = x.to(probe.dtype) @ probe[:, : x.shape[-1]].mT
        return output + (shift + probe[:, -1] if sites[place].affine else shift).to(output.dtype)

    with _hooked(sites, add):
        yield probes


# As much again as is kept on the way there is made on the way back.
_BACK = 2


@dataclass(frozen=True)
class Evaluation:
    """The results of one pass over samples at v."""

    losses: Tensor  # each sample's, shape (n,)
    gradient: Point  # the mean over the samples of their gradients in v
    sample_squares: Tensor  # the squared norm of each sample's gradient in v, shape (n,)
    weight_gradients: tuple[
        Tensor, ...
    ]  # for each site the gradient of the mean loss in W, shape (d, k)

    @property
    def loss(self) -> float:
        """F(v)."""
        return self.losses.mean().item()

    @property
    def square_norm(self) -> float:
        r""":math:`\|\nabla F(v)\|^2`."""
        return square_norm(self.gradient).item()

    @property
    def variance(self) -> float:
        r"""The variance of one sample's gradient, :math:`\frac1n\sum_i\|g_i\|^2 - \|\nabla
        F\|^2`.
        """
        return max(self.sample_squares.mean().item() - self.square_norm, 0.0)


@dataclass(frozen=True, eq=False)
class Network:
    """F: a model seen through its adapters, on a task.

    Attributes:
        model: the network; its training mode does not change, but everything here is computed in
            evaluation mode.
        sites: the adapted matrices, which hold every trained parameter.
        task: the samples.
        chunk: how many samples go through the model at a time.

    """

    model: nn.Module
    sites: tuple[Site, ...]
    task: Task
    chunk: int = 32

    @classmethod
    def fitting(
        cls, model: nn.Module, sites: tuple[Site, ...], task: Task, most: int = 32
    ) -> "Network":
        """F with as many samples at a time as there is memory for: `most`, halved until they fit.

        What is computed is the same to rounding, and to the last bit where there is memory for the
        most.
        """
        made = cls(model, sites, task, most)
        room = available(str(made.device))
        chunk = most
        while chunk > 1 and chunk * made.sample_bytes > room:
            chunk //= 2
        return replace(made, chunk=chunk)

    @cached_property
    def sample_bytes(self) -> int:
        """The bytes that a look takes for each of its samples, about: what is kept to go back, and
        the gradient.

        They are measured on one sample that is sent through the model.
        """
        ref: Any = StorageWeakRef
        kept: dict[Any, int] = {}

        def keep(x: Tensor) -> Tensor:
            kept[ref(x.untyped_storage())] = x.untyped_storage().nbytes()
            return x

        with evaluating(self.model), torch.enable_grad(), saved_tensors_hooks(keep, lambda x: x):
            self.task.losses(self.model, torch.arange(1, device=self.device))
        for x in (*self.model.parameters(), *self.model.buffers()):
            kept.pop(ref(x.untyped_storage()), None)
        # In W too, where an adapter has no shorter way from there.
        gradient = sum(site.adapter.W0.numel() + site.adapter.size for site in self.sites)
        return _BACK * sum(kept.values()) + 8 * gradient

    @property
    def parameters(self) -> list[Tensor]:
        return [parameter for site in self.sites for parameter in site.parameters]

    @property
    def is_curved(self) -> bool:
        """True if the domain of a site is a manifold, on which gradients at two points cannot be
        subtracted.
        """
        return any(site.adapter.is_curved for site in self.sites)

    @property
    def device(self) -> torch.device:
        return self.parameters[0].device

    def point(self) -> Point:
        """A copy of v in float64."""
        return tuple(part.detach().double().clone() for site in self.sites for part in site.point())

    def write(self, v: Point) -> None:
        """Put v into the model, rounded to its type."""
        for site, part in zip(self.sites, self.split(v), strict=True):
            site.write(part)

    def split(self, v: Point) -> list[Point]:
        left = iter(v)
        return [tuple(next(left) for _ in site.blocks) for site in self.sites]

    def retract(self, v: Point, u: Point) -> Point:
        """The point reached from v by a step u."""
        return self._at_sites(lambda adapter, x, step: adapter.retract(x, step), v, u)

    def tangent(self, v: Point, u: Point) -> Point:
        """The tangent part of u at v: u itself where all domains are flat."""
        return self._at_sites(lambda adapter, x, step: adapter.tangent(x, step), v, u)

    def _at_sites(self, do: Callable[[Adapter, Point, Point], Point], v: Point, u: Point) -> Point:
        rows = zip(self.sites, self.split(v), self.split(u), strict=True)
        return tuple(part for site, x, step in rows for part in do(site.adapter, x, step))

    @torch.no_grad()
    def losses(self, indices: Tensor | None = None) -> Tensor:
        """The losses of samples (by default all), shape (m,), in float64."""
        with evaluating(self.model):
            return torch.cat(
                [self.task.losses(self.model, part).double() for part in self._chunks(indices)]
            )

    @torch.no_grad()
    def accuracy(self) -> float:
        with evaluating(self.model):
            found = [self.task.hits(self.model, part).double() for part in self._chunks(None)]
        return torch.cat(found).mean().item()

    def batch_gradient(self, indices: Tensor) -> Point:
        """The minibatch gradient g of Algorithm 1, line 3, for indices of shape (m,), by plain
        back-propagation.

        A sample that was drawn several times is computed once.
        """
        sums = None
        drawn = torch.bincount(indices, minlength=self.task.samples)
        with evaluating(self.model), uncut(self.sites), cached():
            values = [value for site in self.sites for value in site.values]
            for part in self._chunks(drawn.nonzero().flatten()):
                losses = self.task.losses(self.model, part)
                found = torch.autograd.grad(losses @ drawn[part].to(losses), values)
                sums = _added(sums, [x.double() for x in found])
        return self.tangent(self.point(), self.points([x / len(indices) for x in sums or []]))

    def look(self, indices: Tensor | None = None) -> Evaluation:
        """F and everything first-order about it, from one pass over samples (by default all).

        Raises InputError at a site that is not called, whose input does not have the samples first,
        or that passes on no gradient.
        """
        v = self.split(self.point())
        losses = []
        squares = []
        gradient: list[Tensor] | None = None
        weights: list[Tensor] | None = None
        with evaluating(self.model):
            for part in self._chunks(indices):
                # The calls of each site, (input, output), in order.
                flow: list[list[tuple[Tensor, Tensor]]] = [[] for _ in self.sites]

                def record(
                    place: int, x: Tensor, y: Any, flow: Any = flow, samples: int = len(part)
                ) -> None:
                    name = self.sites[place].name
                    if not isinstance(y, Tensor) or len(x) != samples or len(y) != samples:
                        raise InputError(
                            name,
                            "a module",
                            f"inputs and outputs with the {samples} samples as first axis",
                        )
                    if not y.requires_grad:
                        raise InputError(name, "a module", "one that passes gradients on")
                    flow[place].append((x.detach(), y))

                with _hooked(self.sites, record):
                    found = self.task.losses(self.model, part)
                    gradients = iter(
                        torch.autograd.grad(found.sum(), [y for calls in flow for _, y in calls])
                    )
                pulled: list[Tensor] = []
                in_w = []
                for site, x, calls in zip(self.sites, v, flow, strict=True):
                    if not calls:
                        raise InputError(site.name, "a module", "one that the network calls")
                    # Of all calls: the gradients in the outputs, and the inputs, shape (m,
                    # positions, ...).
                    back = [
                        g.reshape(len(g), -1, g.shape[-1])
                        for _, g in zip(calls, gradients, strict=False)
                    ]
                    outer = torch.cat(back, 1)
                    inputs = torch.cat([site.inputs(given) for given, _ in calls], 1)
                    # In float32 at least, because a network under autocast mixes types.
                    dtype = torch.promote_types(
                        torch.promote_types(outer.dtype, inputs.dtype), torch.float32
                    )
                    outer = outer.to(dtype)
                    inputs = inputs.to(dtype)
                    adapter = cast_to(site.adapter, dtype, str(outer.device))
                    pulled += adapter.pull_back_outer(
                        tuple(block.to(dtype) for block in x), outer, inputs
                    )
                    in_w.append((outer.flatten(0, 1).mT @ inputs.flatten(0, 1)).double())
                losses.append(found.detach().double())
                squares.append(
                    torch.stack([x.double().square().sum((1, 2)) for x in pulled]).sum(0)
                )
                gradient = _added(gradient, [x.double().sum(0, keepdim=True) for x in pulled])
                weights = _added(weights, in_w)
        every = torch.cat(losses)
        mean, in_each = (tuple(x / len(every) for x in sums or []) for sums in (gradient, weights))
        return Evaluation(every, mean, torch.cat(squares), in_each)

    def hessian_vector_product(self, direction: Point) -> Point:
        r""":math:`\nabla^2 F(v)[\delta]`, Riemannian where a domain is curved, by back-propagation
        through a gradient.

        With u the tangent part of δ it is the tangent part of the gradient of
        :math:`\langle\mathrm{grad} F, u\rangle`, whose Jacobian, projected on both sides, is
        symmetric.
        """
        u = self.tangent(self.point(), tuple(part.double() for part in direction))
        u = tuple(part.to(self.parameters[0].dtype) for part in u)

        def slope(gradients: tuple[Tensor, ...]) -> Tensor:
            v = tuple(part for site in self.sites for part in site.point())
            return inner(self.tangent(v, self.points(list(gradients))), u).sum()

        with uncut(self.sites), cached():
            found = self._twice([value for site in self.sites for value in site.values], slope)
        return self.tangent(self.point(), self.points(found))

    def weight_hessian_vector_product(self, direction: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        r""":math:`\nabla^2 f(W)[\delta]`, jointly in the matrices W of all sites; both of shapes
        (d, k).
        """
        with probed(self.sites) as probes:
            u = [part.to(probe.dtype) for part, probe in zip(direction, probes, strict=True)]

            def slope(gradients: tuple[Tensor, ...]) -> Tensor:
                return torch.stack([(x * y).sum() for x, y in zip(gradients, u, strict=True)]).sum()

            return tuple(self._twice(probes, slope))

    def _twice(
        self, leaves: list[Tensor], slope: Callable[[tuple[Tensor, ...]], Tensor]
    ) -> list[Tensor]:
        """The gradient, in the leaves, of `slope` at the gradient of F in them, chunk by chunk."""
        sums = None
        # Only plain attention can be differentiated twice everywhere.
        with evaluating(self.model), sdpa_kernel(SDPBackend.MATH):
            for part in self._chunks(None):
                loss = self.task.losses(self.model, part).sum()
                gradients = torch.autograd.grad(loss, leaves, create_graph=True)
                found = torch.autograd.grad(slope(gradients), leaves, materialize_grads=True)
                sums = _added(sums, [x.double() for x in found])
        return [x / self.task.samples for x in sums or []]

    def points(self, values: list[Tensor]) -> Point:
        """Gradients in the sites' values as blocks of v."""
        left = iter(values)
        found: list[Tensor] = []
        for site in self.sites:
            found += site.point([next(left) for _ in site.parameters])
        return tuple(found)

    def _chunks(self, indices: Tensor | None) -> Iterator[Tensor]:
        chosen = torch.arange(self.task.samples, device=self.device) if indices is None else indices
        yield from torch.split(chosen, self.chunk)


def _added(sums: list[Tensor] | None, more: list[Tensor]) -> list[Tensor]:
    return more if sums is None else [x + y for x, y in zip(sums, more, strict=True)]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put the model in evaluation mode while inside, without dropout and TF32; everything is
    restored at the end.
    """
    training = [module for module in model.modules() if module.training]
    # Torch refuses to read `allow_tf32` after somebody, such as a Trainer, has set it in the new
    # way.
    backends: Any = torch.backends
    units = (backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn)
    precisions = [unit.fp32_precision for unit in units]
    model.eval()
    for unit in units:
        unit.fp32_precision = "ieee"
    try:
        yield
    finally:
        for unit, precision in zip(units, precisions, strict=True):
            unit.fp32_precision = precision
        for module in training:
            module.training = True


def narrow_of(model: nn.Module, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    """The weights and buffers with fewer bytes per number than this type: by default those in
    bfloat16 and float16.
    """
    every = (*model.parameters(), *model.buffers())
    return [x for x in every if x.is_floating_point() and x.dtype.itemsize < dtype.itemsize]


@contextmanager
def widened(model: nn.Module, dtype: torch.dtype = torch.float32) -> Iterator[None]:
    """Put the model in this precision at least while inside, at the same weights; everything is
    restored at the end.

    Copies stand in for the narrow weights. A parameter that changes its own type forgets its hooks,
    among them those by which processes that train together share its gradient.
    """
    wide = {
        id(x): x.detach().to(dtype).requires_grad_(x.requires_grad) for x in narrow_of(model, dtype)
    }
    tables: list[dict[str, Tensor | None]] = []
    for module in model.modules():
        tables += (cast(dict[str, Tensor | None], module._parameters), module._buffers)
    kept = [(table, name, x) for table in tables for name, x in table.items() if id(x) in wide]
    try:
        for table, name, x in kept:
            table[name] = wide[id(x)]
        yield
    finally:
        for table, name, x in kept:
            table[name] = x
