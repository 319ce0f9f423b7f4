"""`Function`: what is minimised, over R replicas at once; the one protocol that runs, audits and verdicts work on.

A matrix seen through an adapter and a network seen through many implement it. A point v is a tuple of blocks, each of
shape (R, rows, columns); what is a number for each replica has shape (R,).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from boundcheck.claims import Claim
    from boundcheck.claims.inputs import Number

Point = tuple["Tensor", ...]
Radii = Mapping[str, float]


class Observable(NamedTuple):
    """What is read off a function at an audited step: its meaning, and the dimensions that it has beside (R,)."""

    meaning: str
    dims: tuple[str, ...] = ()


class Constant(Protocol):
    """A number of the theory, and how it is known; `problems.constant.Constant`."""

    @property
    def value(self) -> float: ...

    @property
    def kind(self) -> Literal["certified", "estimated"]: ...

    @property
    def how(self) -> str: ...


class Function(Protocol):
    r"""A finite sum :math:`F(v) = \frac1n \sum_i F_i(v)`, and what is known of it.

    Attributes:
        name: what figures and tables call it.
        units: of F, for axis labels.
        samples: n.
        infimum: a lower bound on F.
        is_known: whether the constants of the theory are known of it beforehand. Where they are not, the largest that
            was seen along a run stands for each, and no verdict rests on it.
        observables: what `observe` reads off, by name, and the size of each of their dimensions.
        looks: what `look` reads off.
        sites: the matrices W(v) inside of a network, each with its adapter; none of a problem in one matrix.
        norm_names: by the name of a radius, the observable that it bounds.
        names: what the places along a dimension are called, a line each.
        constants: those that it says of itself, by name.
        facts: what else a result says of it, by the fields of `measure.result.Subject`.

    """

    @property
    def name(self) -> str: ...

    @property
    def units(self) -> str: ...

    @property
    def samples(self) -> int: ...

    @property
    def is_known(self) -> bool: ...

    @property
    def infimum(self) -> Constant: ...

    @property
    def observables(self) -> Mapping[str, Observable]: ...

    @property
    def sizes(self) -> Mapping[str, int]: ...

    @property
    def looks(self) -> Mapping[str, str]: ...

    @property
    def constants(self) -> Mapping[str, Constant]: ...

    @property
    def norm_names(self) -> Mapping[str, str]: ...

    @property
    def names(self) -> Mapping[str, str]: ...

    @property
    def sites(self) -> tuple[Any, ...]: ...

    @property
    def facts(self) -> Mapping[str, Any]: ...

    def initial(self, start: str, gain: float, random: torch.Generator) -> Point:
        """v_1, with R = 1."""
        ...

    def loss(self, v: Point) -> Tensor:
        """F(v), shape (R,)."""
        ...

    def gradient(self, v: Point) -> Point:
        """The gradient of F at v."""
        ...

    def batch_gradient(self, v: Point, indices: Tensor) -> Point:
        """The mean gradient of the samples at `indices`, shape (R, m)."""
        ...

    def sample_variance(self, v: Point) -> Tensor:
        """The variance of one sample's gradient, shape (R,)."""
        ...

    def rounding(self, v: Point, loss: Tensor) -> tuple[Tensor, Tensor]:
        """How far `loss`, as computed, and `gradient` may be off at v: two of shape (R,)."""
        ...

    def retract(self, v: Point, step: Point) -> Point:
        """The point reached from v by a step, as the function holds it."""
        ...

    def norms(self, v: Point) -> dict[str, Tensor]:
        """The spectral norm of each block that a radius bounds, by the name of the radius, shape (R,)."""
        ...

    def observe(self, v: Point, v_next: Point, law: Any) -> dict[str, Tensor]:
        """The observables of steps from v to v_next, whose minibatch had this law (`problems.sgd.Draw`), or None."""
        ...

    def look(self, v: Point, random: Any, tick: Any = ...) -> dict[str, float]:
        """What is read off rarely, at a single point."""
        ...

    def accuracy(self, v: Point) -> list[float]:
        """The share of what was to be predicted that was, for each replica; empty where nothing is predicted."""
        ...

    def held_out_ends(self, v: Point) -> tuple[float, float] | None:
        """Loss and accuracy on held-out samples at a single point; None where there are none."""
        ...

    def radius_names(self, claim: Claim) -> tuple[str, ...]:
        """The radii of the ball that a claim needs; none where it needs no ball."""
        ...

    def inputs(self, claim: Claim, radii: Radii, lipschitz: str) -> dict[str, Number]:
        """The parameters of a claim that are known on the ball, exact; without D, noise and horizon."""
        ...

    def inputs_at(self, claim: Claim, v: Point) -> dict[str, Number]:
        """The parameters of a claim that v_1 determines, but for D."""
        ...

    def inputs_anywhere(self, claim: Claim, radii: Radii, lipschitz: str) -> dict[str, Number] | None:
        """As `inputs`, where a run may leave the ball; None where nothing more is known there."""
        ...

    def trivial_bound(self, radii: Radii) -> float:
        r"""What is known of :math:`\|\nabla F\|^2` on the ball without any theorem; infinity where nothing is."""
        ...
