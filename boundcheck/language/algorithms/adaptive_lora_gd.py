r"""Gradient descent on LoRA's factors, where each step is found from where it starts.

The step is :math:`\omega/(L J_t^2 + m_t)` with :math:`J_t^2 = \sigma_1(A_t)^2 + \sigma_1(B_t)^2` and
:math:`m_t = \|\nabla f(W_t)\|_F`: it needs no ball, no bound on the gradient and no horizon.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sympy as sp

from boundcheck.language.algorithms.base import Algorithm, Numbers, Space
from boundcheck.language.symbols import L
from boundcheck.language.vocabulary import (
    W0,
    A_t,
    B_t,
    F,
    FrobeniusNorm,
    Gradient,
    Iterate,
    SpectralNorm,
    f,
    n,
    t,
    v_t,
)

if TYPE_CHECKING:
    from torch import Tensor

    from boundcheck.language.algorithms.base import Point, Retract, State
    from boundcheck.language.hypotheses.evidence import Audit, Evidence

# The numerator of the step; 2 is the longest at which F cannot rise.
share = sp.Symbol("share", positive=True)
REACH = SpectralNorm(A_t) ** 2 + SpectralNorm(B_t) ** 2
SLOPE = Gradient(f, W0 + B_t * A_t)
STEEPNESS = L * REACH + FrobeniusNorm(SLOPE)
STEP = share / STEEPNESS
# The share of the step times the squared gradient norm by which it lowers F at least.
DECREASE = 1 - share / 2


@dataclass(frozen=True)
class AdaptiveLoRAGD(Algorithm):
    """Gradient descent with steps as long as factors and gradient allow.

    The state is v_t, the last step, and the sum of all steps.
    """

    no_worst: str = "its step depends on norms of the factors and of the gradient in W"
    keeps_step: bool = False
    asks: tuple[str, ...] = ("reach", "slope")
    shows: tuple[tuple[str, str], ...] = (
        ("step", "the step that led from v_t to v_(t+1)"),
        ("sum_of_steps", "the sum of the steps up to that one"),
    )

    @property
    def recurrence(self) -> tuple[sp.Basic, ...]:
        """The step along the gradient, over the factors at t."""
        return (sp.Eq(Iterate("v", t + 1, n, 1), v_t - STEP * Gradient(F, v_t)),)

    def start(self, v: Point, numbers: Numbers) -> State:
        """v_1, and neither a step nor a sum of steps."""
        none = (v[0].new_zeros((len(v[0]), 1, 1)),)
        return v, none, none

    def query(self, state: State, t: int, numbers: Numbers) -> Point:
        """The iterate itself."""
        return state[0]

    def asked(self, function: Any, v: Any) -> Numbers:
        """J² and m at v."""
        return dict(zip(self.asks, function.factor_sizes(v), strict=True))

    def step(self, state: State, gradient: Point, t: int, numbers: Numbers, retract: Retract | None = None) -> State:
        """The state at t + 1; each replica has a step of its own."""
        v, _, (spent,) = state
        # A number for each replica, also where what it is told is one for all.
        step = _step(numbers) + spent.new_zeros(spent.shape)
        return tuple(x - step * part for x, part in zip(v, gradient, strict=True)), (step,), (spent + step,)

    def shown(self, state: State) -> dict[str, Tensor]:
        """The last step, and the sum of all steps."""
        _, (step,), (spent,) = state
        return {"step": step.flatten(), "sum_of_steps": spent.flatten()}

    def rows(self, evidence: Evidence) -> list[Audit]:
        r"""The rows of the two lines of the proof that a run shows.

        They are the descent of each step, and what the sum of steps leaves.

        A step has :math:`F(v_{t+1}) \le F(v_t) - \alpha_t(1 - \omega/2)\|\nabla F(v_t)\|^2` exactly when the smoothness
        along it is at most :math:`L J_t^2 + m_t`. All of them together have
        :math:`\min_t \|\nabla F(v_t)\|^2 \le D / ((1 - \omega/2) \sum_t \alpha_t)`.
        """
        return [_descent(evidence), _summed(evidence)]

    def exact_start(self, v: Any, numbers: Numbers) -> tuple[Any, ...]:
        """v_1, and neither a step nor a sum of steps."""
        return v, 0 * numbers["share"], 0 * numbers["share"]

    def exact_query(self, state: tuple[Any, ...], t: int, numbers: Numbers) -> Any:
        """The iterate itself."""
        return state[0]

    def exact_step(
        self, state: tuple[Any, ...], gradient: Any, t: int, numbers: Numbers, space: Space | None = None
    ) -> tuple[Any, ...]:
        """The state at t + 1."""
        v, _, spent = state
        step = _step(numbers)
        return v - step * gradient, step, spent + step

    def reach(self, sizes: Sequence[float], t: int, numbers: Numbers) -> float:
        """The size of v."""
        return sizes[0]

    def drift(self, sizes: Sequence[float], gradient: float, t: int, numbers: Numbers) -> tuple[float, ...]:
        """The bounds; with the same numbers the step is the same."""
        step = float(_step(numbers))
        return sizes[0] + step * gradient, 0.0, sizes[2]


def _step(numbers: Numbers) -> Any:
    return numbers["share"] / (numbers["L"] * numbers["reach"] + numbers["slope"])


def _descent(e: Evidence) -> Audit:
    # Deferred: a hypothesis says of these steps that they are numbers.
    from boundcheck.language.hypotheses.evidence import ROUNDING, Audit, largest, less_rounding, status_of

    trace = e.record.trace
    sure = less_rounding(trace, "path_smoothness")
    most = largest((sure * trace["step"].values / e.plan.numbers["share"])[e.inside])
    how = f"smoothness on the segment from v_t to v_(t+1) over LJ² + m at v_t, rounding error taken off, at {e.looks}"
    return Audit("descent of each step", "constant", status_of(most, 1 + ROUNDING), most, 1 + ROUNDING, how, "L")


def left_by(gap: float, numerator: float, spent: Any) -> Any:
    """The bound on the least squared gradient norm that D and a sum of steps leave; `numerator` is the step's."""
    return gap / (float(DECREASE.subs(share, numerator)) * spent)


def _summed(e: Evidence) -> Audit:
    from boundcheck.language.hypotheses.evidence import ROUNDING, Audit, less_rounding, status_of, used

    trace, spent = e.record.trace, float(e.record.trace["sum_of_steps"].values[0, -1])
    limit = left_by(used(e, "D"), e.plan.numbers["share"], spent) * (1 + ROUNDING)
    how = f"smallest squared gradient norm, against what D and the sum of steps, {spent:.4g}, leave, at {e.looks}"
    least = float(less_rounding(trace, "gradient_square_norm").min())
    # What was not looked at may be smaller.
    observed = least if e.record.schedule.is_every_step else None
    return Audit("sum of the steps", "constant", status_of(observed, limit), observed, limit, how, "L")


ADAPTIVE_LORA_GD = AdaptiveLoRAGD("adaptive_lora_gd", "gradient descent, adaptive steps", (share, L))
