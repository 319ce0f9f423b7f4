"""`Function`: a function that is minimised, over R replicas at once; runs, audits and verdicts work
on it.

A matrix seen through an adapter is one, and so is a network seen through many. A point v is a tuple
of blocks, each of shape (R, rows, columns); a number for each replica has shape (R,). Nothing is
known beforehand of a function that leaves something out.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from boundcheck.errors import InputError
from boundcheck.system.limits import Demand

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from boundcheck.language.claim import Claim
    from boundcheck.language.symbols import Number

Point = tuple["Tensor", ...]
Radii = Mapping[str, float]


class Observable(NamedTuple):
    """A value read off a function at an audited step: its meaning, and the dimensions that it has
    beside (R,).
    """

    meaning: str
    dims: tuple[str, ...] = ()


class Descent(NamedTuple):
    """Steps that were taken.

    Attributes:
        points: v before the first and after each of them, its blocks of shape (steps + 1, R, rows,
            columns).
        lengths: the Frobenius norm of each block of the gradients, shape (steps, blocks, R).

    """

    points: Point
    lengths: Tensor


@dataclass(frozen=True)
class Constant:
    """A constant, and how it is known.

    Attributes:
        value: the float; of a certified upper bound it is rounded up, of a lower bound down.
        kind: ``certified`` when a proof stands behind it, ``estimated`` when only samples do.
        how: the argument or the experiment, in one line.

    """

    value: float
    kind: Literal["certified", "estimated"]
    how: str


_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Function(ABC):
    r"""A finite sum :math:`F(v) = \frac1n \sum_i F_i(v)`, and what is known of it.

    Attributes:
        name: what figures and tables call it.
        units: of F, for axis labels.
        samples: n.
        infimum: a lower bound on F.
        observables: what `observe` reads off, by name.
        sizes: the size of each of the dimensions of observables.
        names: what the places along a dimension are called, a line each.
        looks: what `look` reads off.
        is_flat: whether a step is a sum: it is not on a curved domain, nor where points are held in
            another type.
        is_known: whether the constants of the theory are known of it beforehand. Where they are
            not, the largest that was seen along a run stands for each, and no verdict rests on it.
        constants: those that it says of itself, by name.
        norm_names: by the name of a radius, the observable that it bounds.
        sites: the matrices W(v) inside of a network, each with its adapter; none of a problem in
            one matrix.
        facts: what else a result says of it, by the fields of `experiment.schema.Subject`.
        given: what a verdict rests on that its user or its author says, and nothing proves or
            certifies.
        drawn: the same, of a run that draws minibatches.
        threads: the most CPU threads that a run of it gains from; None where each one helps.

    """

    name: str
    units: str
    samples: int
    infimum: Constant
    observables: Mapping[str, Observable]
    constants: Mapping[str, Constant]
    sizes: Mapping[str, int] = _NOTHING
    names: Mapping[str, str] = _NOTHING
    looks: Mapping[str, str] = _NOTHING
    is_flat: bool = True
    is_known: bool = False
    norm_names: Mapping[str, str] = _NOTHING
    sites: tuple[Any, ...] = ()
    facts: Mapping[str, Any] = _NOTHING
    given: tuple[str, ...] = ()
    drawn: tuple[str, ...] = ()
    threads: int | None = None

    @abstractmethod
    def initial(self, start: str, gain: float, random: torch.Generator) -> Point:
        """v_1, with R = 1."""

    def restart(self, v: Point, gain: float, random: torch.Generator) -> Point:
        """The start of another segment, drawn anew for each replica, with the same weight as v.

        Raises InputError of a function whose factors cannot be merged.
        """
        raise InputError(
            "problem", self.name, "a function whose factors can be merged and begun again"
        )

    def demands(self, replicas: int, batch: int, waiting: int) -> tuple[Demand, ...]:
        """The memory for steps of so many replicas and looks at so many bytes of points beside;
        none is allocated.
        """
        return ()

    @abstractmethod
    def loss(self, v: Point) -> Tensor:
        """F(v), shape (R,)."""

    @abstractmethod
    def gradient(self, v: Point) -> Point:
        """The gradient of F at v."""

    @abstractmethod
    def batch_gradient(self, v: Point, indices: Tensor) -> Point:
        """The mean gradient of the samples at `indices`, shape (R, m)."""

    def mean_of_samples(self, v: Point, indices: Tensor) -> Point | None:
        """The mean of the samples' own gradients at `indices`, shape (R, m), which a minibatch is
        held against.

        None where nothing tells them one by one; a run then only assumes that its minibatches are
        their samples' mean.
        """
        return None

    def descend(
        self, v: Point, batches: Sequence[Tensor], sizes: Sequence[float]
    ) -> Descent | None:
        r"""Take steps :math:`v \leftarrow v - a g` in one call: sizes a, along mean gradients g of
        minibatches (R, m).

        Return None where no way is quicker than step by step. For a replica the result may differ
        from that by rounding; it depends neither on the other replicas nor on how many steps are
        taken in a call.
        """
        return None

    @abstractmethod
    def sample_variance(self, v: Point) -> Tensor:
        """The variance of one sample's gradient, shape (R,)."""

    @abstractmethod
    def rounding(self, v: Point, loss: Tensor) -> tuple[Tensor, Tensor]:
        """Bounds on the errors of `loss`, as computed, and of `gradient` at v: two of shape
        (R,).
        """

    def retract(self, v: Point, step: Point) -> Point:
        """The point reached from v by a step, as the function holds it; the sum where it is
        flat.
        """
        return tuple(x + y for x, y in zip(v, step, strict=True))

    def norms(self, v: Point) -> dict[str, Tensor]:
        """The spectral norm of each block that a radius bounds, by the name of the radius, shape
        (R,).
        """
        return {}

    @abstractmethod
    def observe(self, v: Point, v_next: Point, law: Any) -> dict[str, Tensor]:
        """The observables of steps from v to v_next; `law` is the minibatch's
        (`functions.sgd.Draw`), or None.
        """

    def slope_excess(self, v: Point, law: Any) -> Tensor | None:
        """How far the gradient at v is off that of the loss, less what rounding explains, shape
        (R,).

        None where too little is known of the function to say so.
        """
        return None

    def look(self, v: Point, random: Any, tick: Any = None) -> dict[str, float]:
        """The values that are read off rarely, at a single point, by name."""
        return {}

    def accuracy(self, v: Point) -> list[float]:
        """The share of predictions that are right, for each replica; empty where nothing is
        predicted.
        """
        return []

    def held_out_ends(self, v: Point) -> tuple[float, float] | None:
        """Loss and accuracy on held-out samples at a single point; None where there are none."""
        return None

    def factor_sizes(self, v: Point) -> tuple[Tensor, Tensor]:
        r"""The sum of the squared spectral norms of A and B, and the norm of the gradient in BA:
        shape (R, 1, 1).

        L times the first, plus the second, does for a step from v what a smoothness constant of F
        would do, where F(A, B) = f(W0 + sBA) and both factors are trained. For several such layers,
        the first would be the largest over the layers, and the second the norm of all gradients
        together. Raises InputError for another function.
        """
        raise InputError(
            "problem",
            self.name,
            "a problem in W0 + sBA with both factors trained, of whose f an L is known",
        )

    def radius_names(self, claim: Claim) -> tuple[str, ...]:
        """The radii of the ball that a claim needs; none where it needs no ball."""
        return ()

    def inputs(self, claim: Claim, radii: Radii, lipschitz: str) -> dict[str, Number]:
        """The parameters of a claim that are known on the ball, exact; without D, noise and
        horizon.
        """
        return {}

    def inputs_at(self, claim: Claim, v: Point) -> dict[str, Number]:
        """The parameters of a claim that v_1 determines, but for D."""
        return {}

    def inputs_anywhere(
        self, claim: Claim, radii: Radii, lipschitz: str
    ) -> dict[str, Number] | None:
        """The parameters of `inputs` where a run may leave the ball; None where nothing more is
        known there.
        """
        return None

    def trivial_bound(self, radii: Radii) -> float:
        r"""A bound on :math:`\|\nabla F\|^2` on the ball, known without any theorem; infinity where
        none is known.
        """
        return math.inf
