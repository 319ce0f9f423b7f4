"""`NetworkFunction`: F of a network over R replicas, which differ in v alone; see `language.function.Function`.

The network holds one point at a time, so replicas are computed one by one. A point is first rounded to the network's
type, and everything is measured at the rounded point.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from boundcheck.functions.arithmetic import Point, square_norm
from boundcheck.functions.draws import Draw
from boundcheck.functions.networks.network import Evaluation, Network, Task
from boundcheck.functions.networks.observe import (
    LOOKS,
    OBSERVABLES,
    Rounding,
    block_names,
    observe,
    rounding_of,
    top_curvatures,
)
from boundcheck.language.function import Constant, Function
from boundcheck.system.limits import Demand, Tick, silent

# Relative accuracy of Lanczos: its result is a lower estimate anyway.
_TOLERANCE = 0.01


class NetworkFunction(Function):
    """F of a network and its samples.

    Attributes:
        name, units, samples: see `Function`.
        network: holds a point.
        parameters: how many numbers the model had before it was adapted.
        held_out: samples that are not trained on, if there are any.

    """

    is_flat = False
    observables = OBSERVABLES
    looks = LOOKS
    infimum = Constant(0.0, "certified", "cross-entropy is nonnegative")

    def __init__(self, name: str, network: Network, parameters: int, held_out: Task | None = None) -> None:
        """Take a network at its first iterate."""
        self.name, self.units, self.samples = name, network.task.units, network.task.samples
        self.network, self.parameters, self.held_out, self.sites = network, parameters, held_out, network.sites
        blocks = block_names(network.sites)
        self.constants = {"infimum": self.infimum}
        # No radius bounds the norms of the blocks.
        self.norm_names = {"": "norm"}
        self.sizes = {"site": len(network.sites), "block": len(blocks)}
        self.names = {"sites": "\n".join(site.name for site in network.sites), "blocks": "\n".join(blocks)}
        trained = sum(parameter.numel() for parameter in network.parameters)
        self.facts = {"sites": len(network.sites), "trained": trained, "parameters": parameters}
        self._first = network.point()

    def initial(self, start: str, gain: float, random: torch.Generator) -> Point:
        """The network's first point, which was drawn when it was adapted."""
        return self._first

    def demands(self, replicas: int, batch: int, waiting: int) -> tuple[Demand, ...]:
        """The memory for the samples of a look, gradients in W of two looks, and the points of all replicas."""
        network = self.network
        weights = sum(site.adapter.W0.numel() for site in self.sites)
        return (
            Demand("model", self.name, network.chunk * network.sample_bytes + 3 * 8 * weights),
            Demand("run.replicas", replicas, 6 * 8 * replicas * sum(part.numel() for part in self._first) + waiting),
        )

    def work(self, samples: int) -> float:
        # What a sample is computed through.
        return float(samples * self.network.sample_bytes)

    @cached_property
    def noise(self) -> Rounding:
        """Estimates of the rounding errors of F and its gradient, from their noise at the first iterate."""
        with _autograd():
            self.network.write(self._first)
            return rounding_of(self.network)

    def _each(self, v: Point, do: Callable[[int], Any]) -> list[Any]:
        """The results of a function for each of the points, with the network at that point."""
        found = []
        with _autograd():
            for i in range(len(v[0])):
                self.network.write(tuple(part[i : i + 1] for part in v))
                found.append(do(i))
        return found

    def loss(self, v: Point) -> Tensor:
        return torch.stack(self._each(v, lambda i: self.network.losses().mean())).cpu()

    def gradient(self, v: Point) -> Point:
        return _joined(self._each(v, lambda i: self.network.look().gradient))

    def batch_gradient(self, v: Point, indices: Tensor) -> Point:
        return _joined(self._each(v, lambda i: self.network.batch_gradient(indices[i])))

    def sample_variance(self, v: Point) -> Tensor:
        return torch.tensor(self._each(v, lambda i: self.network.look().variance), dtype=torch.float64)

    def rounding(self, v: Point, loss: Tensor) -> tuple[Tensor, Tensor]:
        """Estimates of the rounding errors of loss and gradient, those at the first iterate."""
        like = torch.ones(len(v[0]), dtype=torch.float64)
        return self.noise.loss * like, self.noise.gradient * like

    def retract(self, v: Point, step: Point) -> Point:
        """The point reached from v by a step, rounded to the network's type."""

        def held(i: int) -> Point:
            self.network.write(self.network.retract(*(tuple(part[i : i + 1] for part in x) for x in (v, step))))
            return self.network.point()

        return _joined(self._each(v, held))

    def observe(self, v: Point, v_next: Point, law: Draw | None) -> dict[str, Tensor]:
        """The observables of steps; see `networks.observe.observe`.

        A point at which one step ends and another starts is computed once.
        """
        keys = [_key(v, i) for i in range(len(v[0]))]
        looks: dict[bytes, Evaluation] = dict(zip(keys, self._each(v, lambda i: self.network.look()), strict=True))
        rows = []
        for i, key in enumerate(keys):
            look, (x, y) = looks[key], (tuple(part[i : i + 1] for part in point) for point in (v, v_next))
            look_next = looks.get(_key(v_next, i)) or self._each(y, lambda _: self.network.look())[0]
            with _autograd():
                self.network.write(x)
                noise = self._noise(look, law, i)
            rows.append(observe(self.network, x, y, look, look_next, self.noise) | noise)
        return {
            name: torch.tensor([row[name] for row in rows], dtype=torch.float64).reshape(
                len(rows), *(self.sizes[dim] for dim in observable.dims)
            )
            for name, observable in OBSERVABLES.items()
        }

    def _noise(self, look: Evaluation, law: Draw | None, i: int) -> dict[str, float]:
        r"""Mean squared error and bias of the minibatch gradient given the past, by enumerating the samples.

        For m of n_t candidates, whose gradients have mean μ and variance s², the bias is :math:`\|\mu - \nabla F\|`,
        and the mean squared error its square plus :math:`s^2/m`, times :math:`(n_t - m)/(n_t - 1)` where they are
        drawn without replacement.
        """
        if law is None or law.replaced:
            variance = 0.0 if law is None else look.variance / law.batch
            return {"noise_variance": variance, "conditional_bias": 0.0, "conditional_bias_error": 0.0}
        candidates = law.candidates[i]
        mean = self.network.batch_gradient(candidates)
        bias = square_norm(tuple(x - y for x, y in zip(mean, look.gradient, strict=True))).sqrt().item()
        squares = look.sample_squares[candidates.to(look.sample_squares.device)]
        variance = max(squares.mean().item() - square_norm(mean).item(), 0.0)
        left = (len(candidates) - law.batch) / max(len(candidates) - 1, 1)
        # Each of the two means is off by its own rounding error; see `functions.problem`.
        error = 4 * self.noise.gradient
        noise = left * variance / law.batch + bias * bias
        return {"noise_variance": noise, "conditional_bias": bias, "conditional_bias_error": error}

    def look(self, v: Point, random: np.random.Generator, tick: Tick = silent) -> dict[str, float]:
        """The largest curvatures of F and of f at a single point."""
        with _autograd():
            self.network.write(v)
            return dict(zip(LOOKS, top_curvatures(self.network, random, _TOLERANCE, tick), strict=True))

    def accuracy(self, v: Point) -> list[float]:
        return self._each(v, lambda i: self.network.accuracy())

    def held_out_ends(self, v: Point) -> tuple[float, float] | None:
        if self.held_out is None:
            return None
        other = Network(self.network.model, self.sites, self.held_out, self.network.chunk)
        self.network.write(v)
        return other.losses().mean().item(), other.accuracy()


@contextmanager
def _autograd() -> Iterator[None]:
    """Turn gradients on while inside, also in a run, which keeps no graph."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


def _key(v: Point, i: int) -> bytes:
    """A key that tells points apart, to the last bit."""
    return b"".join(part[i].cpu().numpy().tobytes() for part in v)


def _joined(points: list[Point]) -> Point:
    return tuple(torch.cat(parts) for parts in zip(*points, strict=True))
