"""`Algorithm`: the faces of every algorithm, be it a linear method or a step that depends on its state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sympy as sp

from boundcheck.errors import InputError
from boundcheck.language.symbols import check_symbols

if TYPE_CHECKING:
    from torch import Tensor

    from boundcheck.language.hypotheses.evidence import Audit, Evidence

    Point = tuple[Tensor, ...]
    State = tuple[Point, ...]
    Retract = Callable[[Point, Point], Point]

Numbers = Mapping[str, Any]
"""Values of an algorithm's parameters, by name: floats on the run face, exact numbers on the exact one."""


@dataclass(frozen=True)
class Algorithm(ABC):
    """An iteration with one gradient a step.

    A `LinearMethod` has all that follows from one expression. Another algorithm is a frozen dataclass derived from this
    one, with three faces of the same iteration, which must agree:

    The statement, `recurrence`: sympy equations, which pages print and proofs speak of.

    The run, `start`, `query`, `step`: on tensors. A state is a tuple of points, a point a tuple of tensors of shape
    (R, rows, columns), R replicas at once; what is a number for each replica is a point of one tensor of shape
    (R, 1, 1). The first point of a state is the iterate, unless `iterate` says otherwise.

    The exact one, `exact_start`, `exact_query`, `exact_step`: the same formulas over any vectors, objects with ``+``,
    ``-`` and multiples by numbers: rationals, Arb balls, points of a performance estimation. Norms and roots come from
    `Space`. With it go bounds on rounding errors, `reach` and `drift`: sizes are the norms of the differences between
    two states, vector by vector, and the bounds say how far a query, and the next state, may then be apart. An
    algorithm without an exact face says why in `no_exact`, one whose steps depend on gradients in `no_worst`;
    `adagrad_norm.py` is an example with all of them. In `adaptive_lora_gd.py` a step asks the function for more than a
    gradient, the trace of a run shows a part of its state, and a run is held against what is said of each step.

    Attributes:
        id: its name in a spec or a file.
        title: what a reader calls it.
        parameters: the symbols of the numbers that it takes, such as alpha; a theorem has each as a quantity or as a
            parameter. The first one is the step size.
        is_stochastic: whether it is given a stochastic gradient g_t, and not the gradient of F.
        starting: values of parameters with which it can be tried where nothing is said of them, by symbol.
        keeps_step: whether each step is its first number times a gradient, and does not change with t.
        asks: the names of what a step is told of the function beside its gradient, on both faces.
        shows: what a trace has of its state after a step: names, each with its meaning.
        period: of its parameters the number of steps after which the adapter's factors are merged into its weight and
            begun again; None where they never are.

    """

    id: str
    title: str
    parameters: tuple[sp.Symbol, ...]
    is_stochastic: bool = False
    starting: tuple[tuple[sp.Symbol, sp.Rational], ...] = ()
    keeps_step: bool = True
    asks: tuple[str, ...] = ()
    shows: tuple[tuple[str, str], ...] = ()
    period: sp.Symbol | None = None

    def __post_init__(self) -> None:
        """Check that there is a step size, and that each number has a name."""
        if not self.parameters:
            raise InputError(f"algorithm.{self.id}", "no parameters", "its step size, the first, and its other numbers")
        named = (*self.parameters, *(symbol for symbol, _ in self.starting), *((self.period,) if self.period else ()))
        check_symbols(f"algorithm.{self.id}.parameters", *named)

    @property
    def step_size(self) -> str:
        """The name of its step size."""
        return str(self.parameters[0].name)

    def restarts(self, t: int, numbers: Numbers) -> bool:
        """True if the factors are merged and begun again after step t."""
        return self.period is not None and t % numbers[self.period.name] == 0

    # Statement

    @property
    @abstractmethod
    def recurrence(self) -> tuple[sp.Basic, ...]:
        """The equations that lead from step t to step t + 1, over iterates."""

    @property
    def beginning(self) -> tuple[sp.Basic, ...]:
        """The equations, over iterates, of the state's letters at t = 1 other than v; none if the state is v alone."""
        return ()

    # Run: a state is a tuple of points, and a point a tuple of tensors with a leading dimension of replicas.

    @property
    def keeps_curves(self) -> bool:
        """True if every step is v - alpha g from where g was taken, so that a curved domain's retraction can do it."""
        return False

    def along_gradient(self, t: int, numbers: Numbers) -> float | None:
        """The a of step t if it is v - a g from where g was taken, and the state is v; else None."""
        return None

    @property
    def constant_step(self) -> sp.Expr | None:
        """The a, over the parameters, if every step is v - a g from where g was taken; else None."""
        return None

    @abstractmethod
    def start(self, v: Point, numbers: Numbers) -> State:
        """The state at t = 1, where the iterate is v."""

    @abstractmethod
    def query(self, state: State, t: int, numbers: Numbers) -> Point:
        """The point where the gradient of step t is taken."""

    def asked(self, function: Any, v: Any) -> Numbers:
        """The values of `asks` at the query v, which a step has among its numbers.

        On the run face they are those of a `Function`, of shape (R, 1, 1), a number for each replica; on the exact face
        those of an object that answers the same questions in exact numbers.

        Raises:
            InputError: for a function that cannot tell.

        """
        return {}

    @abstractmethod
    def step(self, state: State, gradient: Point, t: int, numbers: Numbers, retract: Retract | None = None) -> State:
        """The state at t + 1; a new one, which may share points with the old one.

        Args:
            state: that at t = 1, 2, ...
            gradient: the gradient of F, or the stochastic one, at `query`.
            t: the step.
            numbers: a value of each parameter.
            retract: of a curved domain, what moves a point along a step; only where `keeps_curves`.

        """

    def iterate(self, state: Any) -> Any:
        """The v_t that measures speak of, from a state of any face."""
        return state[0]

    def shown(self, state: State) -> dict[str, Tensor]:
        """The values of `shows` in a state after a step, each of shape (R,)."""
        return {}

    def rows(self, evidence: Evidence) -> list[Audit]:
        """The rows of the audit that hold a run against what its steps take for granted."""
        return []

    # Exact and worst: the same over any vectors, each one object with sums and multiples.

    no_exact: str = ""
    """The reason why it has no exact face; empty where it has one."""
    no_worst: str = ""
    """The reason why performance estimation cannot state it; empty where it can."""

    @abstractmethod
    def exact_start(self, v: Any, numbers: Numbers) -> tuple[Any, ...]:
        """The state at t = 1, over any vectors."""

    @abstractmethod
    def exact_query(self, state: tuple[Any, ...], t: int, numbers: Numbers) -> Any:
        """The point where the gradient of step t is taken, over any vectors."""

    @abstractmethod
    def exact_step(
        self, state: tuple[Any, ...], gradient: Any, t: int, numbers: Numbers, space: Space | None = None
    ) -> tuple[Any, ...]:
        """The state at t + 1, over any vectors: of rationals, of Arb balls, or points of a performance estimation.

        Args:
            state: that at t.
            gradient: at `exact_query`.
            t: the step.
            numbers: a value of each parameter, in the numbers of the vectors.
            space: norms and roots, which a method that is not linear needs.

        """

    @abstractmethod
    def reach(self, sizes: Sequence[float], t: int, numbers: Numbers) -> float:
        """A bound on how far `exact_query` moves where each vector of the state moves by at most its size.

        It also bounds the norm of the query of a state whose vectors have norms of at most `sizes`. For a query that is
        the iterate it is ``sizes[0]``.
        """

    @abstractmethod
    def drift(self, sizes: Sequence[float], gradient: float, t: int, numbers: Numbers) -> tuple[float, ...]:
        """Bounds on how far the vectors of the next state move.

        The vectors of the state move by at most `sizes`, and the gradient by at most `gradient`. The bounds are also
        those on the norms of the next state's vectors, for vectors and a gradient of at most these norms. For
        v - alpha g they are ``(sizes[0] + alpha * gradient,)``. A bound that is too small makes rounding look like a
        violation, or like none: it has to hold for all states and gradients that a run can meet.
        """

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone: compiled coefficients are made anew in another process."""
        return {name: self.__dict__[name] for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class Space:
    """The norm and the root, on the exact face's vectors and numbers, for a step that depends on its state."""

    square_norm: Callable[[Any], Any]
    square_root: Callable[[Any], Any]
