r"""AdaGrad-norm (Ward, Wu and Bottou 2019): :math:`b_t^2 = b_{t-1}^2 + \|\nabla F(v_t)\|^2`, b_0 = delta."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sympy as sp

from boundcheck.errors import InputError
from boundcheck.language.algorithms.base import Algorithm, Numbers, Space
from boundcheck.language.symbols import delta, eta
from boundcheck.language.vocabulary import EuclideanNorm, F, Gradient, Iterate, i, n, t

if TYPE_CHECKING:
    from boundcheck.language.algorithms.base import Point, Retract, State


@dataclass(frozen=True)
class AdaGradNorm(Algorithm):
    """The step eta/b_t along the gradient, where b_t grows with all gradients so far. The state is v_t and b_{t-1}."""

    no_worst: str = "its step depends on the gradients that it has met"

    @property
    def recurrence(self) -> tuple[sp.Basic, ...]:
        """The equation of v; b_t is the root of delta^2 and all squared gradient norms up to t."""
        v_t = Iterate("v", t, n, 1)
        slope = Gradient(F, v_t)
        grown = sp.sqrt(delta**2 + sp.Sum((EuclideanNorm(slope) ** 2).xreplace({t: i}), (i, 1, t)))
        return (sp.Eq(Iterate("v", t + 1, n, 1), v_t - eta / grown * slope),)

    @property
    def keeps_curves(self) -> bool:
        """True: its steps lie along the gradient at v."""
        return True

    def start(self, v: Point, numbers: Numbers) -> State:
        """v_1, and b_0 for each replica, shape (R, 1, 1)."""
        return v, (v[0].new_full((len(v[0]), 1, 1), numbers["delta"]),)

    def query(self, state: State, t: int, numbers: Numbers) -> Point:
        """The iterate itself."""
        return state[0]

    def step(self, state: State, gradient: Point, t: int, numbers: Numbers, retract: Retract | None = None) -> State:
        """The state at t + 1; each replica has a b of its own."""
        v, (b,) = state
        square = b * b
        for part in gradient:
            square = square + (part * part).sum((-2, -1), keepdim=True)
        grown = square.sqrt()
        share = numbers["eta"] / grown
        if retract is not None:
            return retract(v, tuple(-share * part for part in gradient)), (grown,)
        return tuple(x - share * part for x, part in zip(v, gradient, strict=True)), (grown,)

    def exact_start(self, v: Any, numbers: Numbers) -> tuple[Any, ...]:
        """v_1 and b_0."""
        return v, numbers["delta"]

    def exact_query(self, state: tuple[Any, ...], t: int, numbers: Numbers) -> Any:
        """The iterate itself."""
        return state[0]

    def exact_step(
        self, state: tuple[Any, ...], gradient: Any, t: int, numbers: Numbers, space: Space | None = None
    ) -> tuple[Any, ...]:
        """The state at t + 1; the space takes the root, which is no rational."""
        if space is None:
            raise InputError("algorithm", self.id, "norms and roots, without which it has no exact step")
        v, b = state
        grown = space.square_root(b * b + space.square_norm(gradient))
        return v - numbers["eta"] / grown * gradient, grown

    def reach(self, sizes: Sequence[float], t: int, numbers: Numbers) -> float:
        """The size of v."""
        return sizes[0]

    def drift(self, sizes: Sequence[float], gradient: float, t: int, numbers: Numbers) -> tuple[float, ...]:
        """The bounds on v and b.

        In b and g the next b is 1-Lipschitz, and g/b moves by at most (2 |dg| + |db|)/b, where b >= delta.
        """
        share = float(numbers["eta"] / numbers["delta"])
        return sizes[0] + share * (2 * gradient + sizes[1]), sizes[1] + gradient


ADAGRAD_NORM = AdaGradNorm("adagrad_norm", "AdaGrad-norm", (eta, delta))
