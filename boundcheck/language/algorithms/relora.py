r"""ReLoRA (Lialin et al. 2024): SGD on LoRA's factors, which are merged into the weight and begun again every so often.

:math:`W_t = W_0 + Z_t + s B_t A_t`, where Z_t is what was merged so far. What a theorem needs of a restart is that it
keeps W; the factors after it may be any, and random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sympy as sp

from boundcheck.language.algorithms.base import Algorithm, Numbers, Space
from boundcheck.language.algorithms.sgd import SGD
from boundcheck.language.symbols import Parameter, alpha, r, s
from boundcheck.language.vocabulary import W0, A, A_t, B, B_t, F, Iterate, PartialGradient, d, k, t, v_t

if TYPE_CHECKING:
    from boundcheck.language.algorithms.base import Point, Retract, State

period = sp.Symbol("period", positive=True, integer=True)
# What a theorem about it declares.
DECLARED = (Parameter(period, "positive integer", "number of steps between two restarts"),)

# What was merged before step t, and the stochastic gradients in the factors.
Z_t = Iterate("Z", t, d, k)
g_a, g_b = Iterate("g__A", t, r, k), Iterate("g__B", t, d, r)
# The factors after the step, which a restart replaces.
A_moved, B_moved = A_t - alpha * g_a, B_t - alpha * g_b
W_t = W0 + Z_t + s * B_t * A_t
# The gradient of which these are estimates, and what v and F are where it is spoken of.
SLOPE_A, SLOPE_B = (PartialGradient(F, v_t, block) for block in (A, B))
IN_FACTORS = r"\text{for all } t, \text{ where } v_t = (A_t, B_t, Z_t) \text{ and } F(A, B, Z) = f(W_0 + Z + s B A)"


@dataclass(frozen=True)
class ReLoRA(Algorithm):
    """SGD on the factors; after each `period` of steps they are merged, and begun again as at the start of a run.

    A restart is the function's own (`Function.restart`), because it is no step of vectors.
    """

    no_exact: str = "a restart draws factors anew"
    no_worst: str = "its restarts, which change the function that is minimised"

    @property
    def recurrence(self) -> tuple[sp.Basic, ...]:
        """The equation by which W is kept.

        Z_{t+1} makes up for whatever the factors of step t + 1 are; without a restart it is Z_t.
        """
        A_next, B_next, Z_next = (x.xreplace({t: t + 1}) for x in (A_t, B_t, Z_t))
        return (sp.Eq(Z_next, Z_t + s * B_moved * A_moved - s * B_next * A_next),)

    @property
    def keeps_curves(self) -> bool:
        """True: its steps lie along the gradient at v."""
        return True

    def start(self, v: Point, numbers: Numbers) -> State:
        """The state of SGD, which is the iterate alone."""
        return SGD.start(v, numbers)

    def query(self, state: State, t: int, numbers: Numbers) -> Point:
        """The iterate itself."""
        return SGD.query(state, t, numbers)

    def step(self, state: State, gradient: Point, t: int, numbers: Numbers, retract: Retract | None = None) -> State:
        """A step of SGD."""
        return SGD.step(state, gradient, t, numbers, retract)

    def exact_start(self, v: Any, numbers: Numbers) -> tuple[Any, ...]:
        """Raise NotImplementedError; see `no_exact`."""
        raise NotImplementedError(self.no_exact)

    def exact_query(self, state: tuple[Any, ...], t: int, numbers: Numbers) -> Any:
        """Raise NotImplementedError; see `no_exact`."""
        raise NotImplementedError(self.no_exact)

    def exact_step(
        self, state: tuple[Any, ...], gradient: Any, t: int, numbers: Numbers, space: Space | None = None
    ) -> tuple[Any, ...]:
        """Raise NotImplementedError; see `no_exact`."""
        raise NotImplementedError(self.no_exact)

    def reach(self, sizes: Sequence[float], t: int, numbers: Numbers) -> float:
        """The size of v."""
        return SGD.reach(sizes, t, numbers)

    def drift(self, sizes: Sequence[float], gradient: float, t: int, numbers: Numbers) -> tuple[float, ...]:
        """The bounds of SGD."""
        return SGD.drift(sizes, gradient, t, numbers)


RELORA = ReLoRA("relora", "ReLoRA", (alpha, period), is_stochastic=True, period=period)
