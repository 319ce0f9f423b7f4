"""Algorithms, which make v_1, v_2, ...: `Algorithm`, `LinearMethod`, and the words of this package,
`ALGORITHMS`.

A linear method is given once, as linear expressions in its state and its gradient: the torch step,
the exact step, the points of a performance estimation and the equations of a proof are read off
them. Below are SGD and gradient descent, with momentum after them, then those whose steps depend on
their state: AdaGrad-norm, adaptive steps on LoRA, ReLoRA.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sympy as sp

from boundcheck.errors import InputError
from boundcheck.exact.evaluate import at_time, t
from boundcheck.language.claim import Quantifier
from boundcheck.language.evidence import (
    ROUNDING,
    Audit,
    Evidence,
    largest,
    less_rounding,
    status_of,
    used,
)
from boundcheck.language.symbols import L, Parameter, alpha, beta, check_symbols, delta, eta, r, s
from boundcheck.language.vocabulary import (
    W0,
    A,
    A_t,
    B,
    B_t,
    EuclideanNorm,
    F,
    FrobeniusNorm,
    Gradient,
    Iterate,
    PartialGradient,
    SpectralNorm,
    d,
    f,
    i,
    k,
    n,
    v_t,
)

if TYPE_CHECKING:
    from torch import Tensor

    Vectors = tuple[Any, ...]
    Point = tuple[Tensor, ...]
    State = tuple[Point, ...]
    Retract = Callable[[Point, Point], Point]

Numbers = Mapping[str, Any]
"""Values of an algorithm's parameters, by name: floats on the run face, exact numbers on the exact
one."""


@dataclass(frozen=True)
class Space:
    """The norm and the root, on the exact face's vectors and numbers, for a step that depends on
    its state.
    """

    square_norm: Callable[[Any], Any]
    square_root: Callable[[Any], Any]


@dataclass(frozen=True)
class Algorithm(ABC):
    """An iteration with one gradient a step.

    A `LinearMethod` has all that follows from one expression. Another algorithm is a frozen
    dataclass derived from this one, with three faces of the same iteration, which must agree:

    The statement, `recurrence`: sympy equations, which pages print and proofs speak of.

    The run, `start`, `query`, `step`: on tensors. A state is a tuple of points, a point a tuple of
    tensors of shape (R, rows, columns), R replicas at once; what is a number for each replica is a
    point of one tensor of shape (R, 1, 1). The first point of a state is the iterate, unless
    `iterate` says otherwise.

    The exact one, `exact_start`, `exact_query`, `exact_step`: the same formulas over any vectors,
    objects with ``+``, ``-`` and multiples by numbers: rationals, Arb balls, points of a
    performance estimation. Norms and roots come from `Space`. With it go bounds on rounding errors,
    `reach` and `drift`: sizes are the norms of the differences between two states, vector by
    vector, and the bounds say how far a query, and the next state, may then be apart. An algorithm
    without an exact face says why in `no_exact`, one whose steps depend on gradients in `no_worst`;
    `AdaGradNorm` is an example with all of them. In `AdaptiveLoRAGD` a step asks the function for
    more than a gradient, the trace of a run shows a part of its state, and a run is held against
    what is said of each step.

    Attributes:
        id: its name in a spec or a file.
        title: what a reader calls it.
        parameters: the symbols of the numbers that it takes, such as alpha; a theorem has each as a
            quantity or as a parameter. The first one is the step size.
        is_stochastic: whether it is given a stochastic gradient g_t, and not the gradient of F.
        starting: values of parameters with which it can be tried where nothing is said of them, by
            symbol.
        keeps_step: whether each step is its first number times a gradient, and does not change with
            t.
        asks: the names of what a step is told of the function beside its gradient, on both faces.
        shows: what a trace has of its state after a step: names, each with its meaning.
        period: of its parameters the number of steps after which the adapter's factors are merged
            into its weight and begun again; None where they never are.

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
        """Check that there is a step size, that each number has a name, and that no face is left
        out unsaid.
        """
        if not self.parameters:
            raise InputError(
                f"algorithm.{self.id}",
                "no parameters",
                "its step size, the first, and its other numbers",
            )
        named = (
            *self.parameters,
            *(symbol for symbol, _ in self.starting),
            *((self.period,) if self.period else ()),
        )
        check_symbols(f"algorithm.{self.id}.parameters", *named)
        kind = type(self)
        lacks = [
            name
            for name in ("exact_start", "exact_step")
            if getattr(kind, name) is getattr(Algorithm, name)
        ]
        if lacks and not self.no_exact:
            raise InputError(
                f"algorithm.{self.id}", f"no {lacks[0]}", "one, or the reason why not, in no_exact"
            )
        # A bound on how far another point moves would be no bound, and exact steps from it those of
        # another method.
        faces = ("query", "reach", *(() if self.no_exact else ("exact_query",)))
        if len({getattr(kind, name) is getattr(Algorithm, name) for name in faces}) > 1:
            raise InputError(
                f"algorithm.{self.id}", "a query of its own", f"{', '.join(faces)}: all, or none"
            )

    @property
    def step_size(self) -> str:
        """The name of its step size."""
        return self.parameters[0].name

    def restarts(self, t: int, numbers: Numbers) -> bool:
        """True if the factors are merged and begun again after step t."""
        return self.period is not None and t % numbers[self.period.name] == 0

    @property
    def draws_at_iterate(self) -> bool:
        """True if g_t is a stochastic gradient at v_t; here, of which nothing says so."""
        return False

    @property
    @abstractmethod
    def recurrence(self) -> tuple[sp.Basic, ...]:
        """The equations that lead from step t to step t + 1, over iterates."""

    @property
    def beginning(self) -> tuple[sp.Basic, ...]:
        """The equations, over iterates, of the state's letters at t = 1 other than v; none if the
        state is v alone.
        """
        return ()

    @property
    def keeps_curves(self) -> bool:
        """True if every step is v - alpha g from where g was taken, so that a curved domain's
        retraction can do it.
        """
        return False

    def along_gradient(self, t: int, numbers: Numbers) -> float | None:
        """The a of step t if it is v - a g from where g was taken, and the state is v; else
        None.
        """
        return None

    @property
    def constant_step(self) -> sp.Expr | None:
        """The a, over the parameters, if every step is v - a g from where g was taken; else
        None.
        """
        return None

    @abstractmethod
    def start(self, v: Point, numbers: Numbers) -> State:
        """The state at t = 1, where the iterate is v."""

    def query(self, state: Any, t: int, numbers: Numbers) -> Any:
        """The point where the gradient of step t is taken; the first of the state unless said
        otherwise.
        """
        return state[0]

    def asked(self, function: Any, v: Any) -> Numbers:
        """The values of `asks` at the query v, which a step has among its numbers.

        On the run face they are those of a `Function`, of shape (R, 1, 1), a number for each
        replica; on the exact face those of an object that answers the same questions in exact
        numbers.

        Raises:
            InputError: for a function that cannot tell.

        """
        return {}

    @abstractmethod
    def step(
        self,
        state: State,
        gradient: Point,
        t: int,
        numbers: Numbers,
        retract: Retract | None = None,
    ) -> State:
        """The state at t + 1; a new one, which may share points with the old one.

        The gradient is that of F, or the stochastic one, at `query`; `numbers` has a value of each
        parameter, and `retract` moves a point of a curved domain along a step, only where
        `keeps_curves`.
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

    no_exact: str = ""
    """The reason why it has no exact face; empty where it has one."""
    no_worst: str = ""
    """The reason why performance estimation cannot state it; empty where it can."""

    def exact_start(self, v: Any, numbers: Numbers) -> Vectors:
        """The state at t = 1, over any vectors; raises NotImplementedError where there is no exact
        face.
        """
        raise NotImplementedError(self.no_exact)

    def exact_query(self, state: Vectors, t: int, numbers: Numbers) -> Any:
        """The point where the gradient of step t is taken, over any vectors; the first unless said
        otherwise.
        """
        return state[0]

    def exact_step(
        self, state: Vectors, gradient: Any, t: int, numbers: Numbers, space: Space | None = None
    ) -> Vectors:
        """The state at t + 1, over any vectors: of rationals, of Arb balls, or points of a
        performance estimation.

        The gradient is that at `exact_query`, `numbers` are of the vectors' kind, and `space` has
        the norms and roots that a method which is not linear needs. Raises NotImplementedError
        where there is no exact face.
        """
        raise NotImplementedError(self.no_exact)

    def reach(self, sizes: Sequence[float], t: int, numbers: Numbers) -> float:
        """A bound on how far `exact_query` moves where each vector of the state moves by at most
        its size.

        It also bounds the norm of the query of a state whose vectors have norms of at most `sizes`.
        For a query that is the iterate it is ``sizes[0]``.
        """
        return sizes[0]

    @abstractmethod
    def drift(
        self, sizes: Sequence[float], gradient: float, t: int, numbers: Numbers
    ) -> tuple[float, ...]:
        """Bounds on how far the vectors of the next state move.

        The vectors of the state move by at most `sizes`, and the gradient by at most `gradient`.
        The bounds are also those on the norms of the next state's vectors, for vectors and a
        gradient of at most these norms. For v - alpha g they are ``(sizes[0] + alpha *
        gradient,)``. A bound that is too small makes rounding look like a
        violation, or like none: it has to hold for all states and gradients that a run can meet.
        """

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone: compiled coefficients are made anew in another process."""
        return {name: self.__dict__[name] for name in self.__dataclass_fields__}


g, v = sp.symbols("g v")
"""The gradient, and the iterate: the first letter of every state."""


@dataclass(frozen=True)
class LinearMethod(Algorithm):
    r"""A method whose state moves linearly: :math:`x_{t+1} = \sum_j c_j(t)\, x_{j,t} + c(t)\, g_t`.

    Attributes:
        moves: of each letter of the state the expression of its next value, over the letters and
            `g`, with coefficients that are rational in `t` and the parameters; the first letter is
            the iterate, and all are v_1 at the start.
        at: where the gradient is taken, an expression over the letters.

    Raises:
        InputError: for no parameter or no move, an expression that is not linear in state and
            gradient, and a symbol that is none of these.

    """

    moves: tuple[tuple[sp.Symbol, sp.Expr], ...] = ()
    at: sp.Expr = v

    def __post_init__(self) -> None:
        """Check that there is a step size, and that the expressions are linear."""
        super().__post_init__()
        if not self.moves:
            raise InputError(
                f"algorithm.{self.id}", "no moves", "a move for each letter of its state"
            )
        check_symbols(f"algorithm.{self.id}.moves", *self._letters)
        known = {t, *self.parameters}
        for expression in (*(move for _, move in self.moves), self.at):
            if sp.sympify(expression, strict=True).has(sp.MatrixExpr):
                expected = (
                    "an expression over the letters of its state and g, which stand for iterates"
                    " and a gradient"
                )
                raise InputError(f"algorithm.{self.id}", expression, expected)
            row = self._row(expression)
            rest = expression - sum(c * x for c, x in zip(row, (*self._letters, g), strict=True))
            if sp.expand(rest) != 0 or any(not c.free_symbols <= known for c in row):
                raise InputError(
                    f"algorithm.{self.id}",
                    expression,
                    "a linear expression in the state and the gradient",
                )
        if self.at.has(g):
            raise InputError(
                f"algorithm.{self.id}", self.at, "a point that is known before its gradient"
            )

    @property
    def _letters(self) -> tuple[sp.Symbol, ...]:
        return tuple(letter for letter, _ in self.moves)

    def _row(self, expression: sp.Expr) -> list[sp.Expr]:
        return [sp.diff(expression, x) for x in (*self._letters, g)]

    @property
    def draws_at_iterate(self) -> bool:
        """True if g_t is a stochastic gradient at v_t."""
        return self.is_stochastic and self.at == v

    @cached_property
    def recurrence(self) -> tuple[sp.Basic, ...]:
        """One equation for each letter of the state, over its iterates; g_t is the gradient where
        there is no noise.
        """
        now = {x: Iterate(x.name, t, n, 1) for x in self._letters}

        def written(expression: sp.Expr, gradient: sp.Basic | None) -> sp.Basic:
            terms = zip(self._row(expression), (*now.values(), gradient), strict=True)
            return sp.MatAdd(*(c * x for c, x in terms if c != 0)).doit()

        g_t = Iterate("g", t, n, 1) if self.is_stochastic else Gradient(F, written(self.at, None))
        return tuple(
            sp.Eq(Iterate(x.name, t + 1, n, 1), written(move, g_t)) for x, move in self.moves
        )

    @cached_property
    def beginning(self) -> tuple[sp.Basic, ...]:
        """The equations that set every letter of the state to v_1."""
        first, *others = (Iterate(x.name, sp.Integer(1), n, 1) for x in self._letters)
        return tuple(sp.Eq(x, first) for x in others)

    @cached_property
    def _coefficients(self) -> Callable[..., Any]:
        """Numerators and denominators of all coefficients: a row of pairs for each letter, and one
        for the query.
        """
        rows = [
            [sp.fraction(sp.together(c)) for c in self._row(expression)]
            for expression in (*(move for _, move in self.moves), self.at)
        ]
        return sp.lambdify((t, *self.parameters), rows, modules=[{}], cse=False)

    def coefficients(self, step: int, numbers: Numbers) -> list[list[Any]]:
        """The coefficients at a step: a row for each letter of the state, then the query; columns:
        the state, then g.

        They are in the arithmetic of the numbers: floats give floats, rationals give rationals.
        """
        values = [numbers[p.name] for p in self.parameters]
        zero = values[0] * 0 if values else Fraction(0)
        return [
            [x if y == 1 else (zero + x) / y for x, y in row]
            for row in self._coefficients(zero + step, *values)
        ]

    @cached_property
    def keeps_curves(self) -> bool:
        """True if the state is v alone, and moves along the gradient at v."""
        return self.at == v and len(self.moves) == 1 and self._row(self.moves[0][1])[0] == 1

    def along_gradient(self, t: int, numbers: Numbers) -> float | None:
        """The multiple of the gradient that its one move subtracts; None unless `keeps_curves`."""
        return -float(self.coefficients(t, numbers)[0][-1]) if self.keeps_curves else None

    @cached_property
    def constant_step(self) -> sp.Expr | None:
        """The multiple of the gradient that its one move subtracts.

        None unless that is the same at every t, and `keeps_curves`.
        """
        taken = -self._row(self.moves[0][1])[-1]
        return taken if self.keeps_curves and not taken.has(t) else None

    def start(self, v: Any, numbers: Numbers) -> Vectors:
        return (v,) * len(self.moves)

    def query(self, state: State, t: int, numbers: Numbers) -> Point:
        if self._asked_letter is not None:
            return state[self._asked_letter]
        return _moved(self.coefficients(t, numbers)[-1][:-1], state)

    @cached_property
    def _asked_letter(self) -> int | None:
        return self._letters.index(self.at) if self.at in self._letters else None

    def step(
        self,
        state: State,
        gradient: Point,
        t: int,
        numbers: Numbers,
        retract: Retract | None = None,
    ) -> State:
        """The state at t + 1: one fused operation for each term and block beyond the first."""
        rows = self.coefficients(t, numbers)[:-1]
        if retract is not None:
            if not self.keeps_curves:
                raise InputError(
                    "algorithm", self.id, "a flat domain: its steps are no steps along one gradient"
                )
            return (retract(state[0], tuple(rows[0][-1] * part for part in gradient)),)
        return tuple(_moved(row, (*state, gradient)) for row in rows)

    exact_start = start

    def exact_query(self, state: Vectors, t: int, numbers: Numbers) -> Any:
        if self._asked_letter is not None:
            return state[self._asked_letter]
        return _sum(self.coefficients(t, numbers)[-1], state)

    def exact_step(
        self, state: Vectors, gradient: Any, t: int, numbers: Numbers, space: Space | None = None
    ) -> Vectors:
        return tuple(_sum(row, (*state, gradient)) for row in self.coefficients(t, numbers)[:-1])

    def reach(self, sizes: Sequence[float], t: int, numbers: Numbers) -> float:
        """The sizes, weighted with the absolute coefficients of the query."""
        return _weighted(self.coefficients(t, numbers)[-1], sizes)

    def drift(
        self, sizes: Sequence[float], gradient: float, t: int, numbers: Numbers
    ) -> tuple[float, ...]:
        """The sizes, weighted with the absolute coefficients of the step."""
        return tuple(
            _weighted(row, (*sizes, gradient)) for row in self.coefficients(t, numbers)[:-1]
        )


def _weighted(row: Sequence[Any], sizes: Sequence[float]) -> float:
    return float(sum(abs(c) * size for c, size in zip(row, sizes, strict=False)))


def _terms(row: Sequence[Any], vectors: Sequence[Any]) -> list[tuple[Any, Any]]:
    """The terms that are not 0, one whose coefficient is 1 first."""
    return sorted(
        ((c, x) for c, x in zip(row, vectors, strict=False) if c != 0),
        key=lambda term: term[0] != 1,
    )


def _sum(row: Sequence[Any], vectors: Sequence[Any]) -> Any:
    (c, x), *others = _terms(row, vectors)
    total = x if c == 1 else c * x
    for c, x in others:
        total = total + c * x
    return total


def _moved(row: Sequence[float], points: Sequence[Point]) -> Point:
    (c, x), *others = _terms(row, points)
    if not others:
        return x if c == 1 else tuple(c * part for part in x)
    moved = []
    for place, part in enumerate(x):
        total = part if c == 1 else c * part
        # A new tensor first, and then in place.
        (share, other), *rest = others
        total = total.add(other[place], alpha=share)
        for share, other in rest:
            total = total.add_(other[place], alpha=share)
        moved.append(total)
    return tuple(moved)


SGD = LinearMethod("sgd", "SGD", (alpha,), is_stochastic=True, moves=((v, v - alpha * g),))
"""Algorithm 1 of jiang2024, and of Robbins and Monro 1951."""

GRADIENT_DESCENT = LinearMethod(
    "gradient_descent", "gradient descent", (alpha,), moves=((v, v - alpha * g),)
)

omega, gamma = sp.symbols("omega gamma", positive=True)
DECREASING_SGD = LinearMethod(
    "decreasing_sgd",
    "SGD, decreasing steps",
    (omega, gamma),
    is_stochastic=True,
    keeps_step=False,
    moves=((v, v - omega / (gamma + t) * g),),
)
r"""SGD with the step :math:`\omega/(\gamma + t)` of Robbins and Monro (1951)."""
# What a theorem about it declares.
DECREASING_SGD_DECLARED = (
    Parameter(omega, "positive real", "numerator of the step $ω/(γ + t)$", r"\omega"),
    Parameter(gamma, "positive real", "how many steps late the step $ω/(γ + t)$ begins", r"\gamma"),
)

# The iterate before v.
u = sp.Symbol("u")
HEAVY_BALL = LinearMethod(
    "heavy_ball",
    "heavy ball",
    (alpha, beta),
    starting=((beta, sp.Rational(1, 2)),),
    moves=((v, v - alpha * g + beta * (v - u)), (u, v)),
)
"""Polyak's heavy ball (1964): a gradient step, and a share beta of the step before it; v_0 =
v_1."""

# Where the gradient is taken; measures speak of v.
y = sp.Symbol("y")
_NEXT = y - alpha * g
NESTEROV = LinearMethod(
    "nesterov",
    "Nesterov's method",
    (alpha,),
    moves=((v, _NEXT), (y, _NEXT + (t - 1) / (t + 2) * (_NEXT - v))),
    at=y,
)
"""Nesterov's accelerated method with momentum (t - 1)/(t + 2), as Su, Boyd and Candès (2016) write
it."""


@dataclass(frozen=True)
class AdaGradNorm(Algorithm):
    r"""AdaGrad-norm (Ward, Wu and Bottou 2019): the step eta/b_t along the gradient.

    :math:`b_t^2 = b_{t-1}^2 + \|\nabla F(v_t)\|^2` with b_0 = delta; the state is v_t and b_{t-1}.
    """

    no_worst: str = "its step depends on the gradients that it has met"
    # Its steps lie along the gradient at v.
    keeps_curves = True

    @property
    def recurrence(self) -> tuple[sp.Basic, ...]:
        """The equation of v; b_t is the root of delta^2 and all squared gradient norms up to t."""
        v_t = Iterate("v", t, n, 1)
        slope = Gradient(F, v_t)
        grown = sp.sqrt(delta**2 + sp.Sum(at_time(EuclideanNorm(slope) ** 2, i), (i, 1, t)))
        return (sp.Eq(Iterate("v", t + 1, n, 1), v_t - eta / grown * slope),)

    def start(self, v: Point, numbers: Numbers) -> State:
        """v_1, and b_0 for each replica, shape (R, 1, 1)."""
        return v, (v[0].new_full((len(v[0]), 1, 1), numbers["delta"]),)

    def step(
        self,
        state: State,
        gradient: Point,
        t: int,
        numbers: Numbers,
        retract: Retract | None = None,
    ) -> State:
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

    def exact_start(self, v: Any, numbers: Numbers) -> Vectors:
        return v, numbers["delta"]

    def exact_step(
        self, state: Vectors, gradient: Any, t: int, numbers: Numbers, space: Space | None = None
    ) -> Vectors:
        if space is None:
            raise InputError(
                "algorithm", self.id, "norms and roots, without which it has no exact step"
            )
        v, b = state
        grown = space.square_root(b * b + space.square_norm(gradient))
        return v - numbers["eta"] / grown * gradient, grown

    def drift(
        self, sizes: Sequence[float], gradient: float, t: int, numbers: Numbers
    ) -> tuple[float, ...]:
        """The bounds on v and b.

        In b and g the next b is 1-Lipschitz, and g/b moves by at most (2 |dg| + |db|)/b, where b >=
        delta.
        """
        share = float(numbers["eta"] / numbers["delta"])
        return sizes[0] + share * (2 * gradient + sizes[1]), sizes[1] + gradient


ADAGRAD_NORM = AdaGradNorm("adagrad_norm", "AdaGrad-norm", (eta, delta))


# The numerator of the adaptive step; 2 is the longest at which F cannot rise.
share = sp.Symbol("share", positive=True)
REACH = SpectralNorm(A_t) ** 2 + SpectralNorm(B_t) ** 2
SLOPE = Gradient(f, W0 + B_t * A_t)
STEEPNESS = L * REACH + FrobeniusNorm(SLOPE)
STEP = share / STEEPNESS
# The share of the step times the squared gradient norm by which it lowers F at least.
DECREASE = 1 - share / 2


@dataclass(frozen=True)
class AdaptiveLoRAGD(Algorithm):
    r"""Gradient descent on LoRA's factors, with steps as long as factors and gradient allow.

    The step is :math:`\omega/(L J_t^2 + m_t)` with :math:`J_t^2 = \sigma_1(A_t)^2 +
    \sigma_1(B_t)^2` and :math:`m_t = \|\nabla f(W_t)\|_F`: it needs no ball, no bound on the
    gradient and no horizon. The state is v_t, the last step, and the sum of all steps.
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

    def asked(self, function: Any, v: Any) -> Numbers:
        """J² and m at v."""
        return dict(zip(self.asks, function.factor_sizes(v), strict=True))

    def step(
        self,
        state: State,
        gradient: Point,
        t: int,
        numbers: Numbers,
        retract: Retract | None = None,
    ) -> State:
        """The state at t + 1; each replica has a step of its own."""
        v, _, (spent,) = state
        # A number for each replica, also where what it is told is one for all.
        step = _step(numbers) + spent.new_zeros(spent.shape)
        return (
            tuple(x - step * part for x, part in zip(v, gradient, strict=True)),
            (step,),
            (spent + step,),
        )

    def shown(self, state: State) -> dict[str, Tensor]:
        """The last step, and the sum of all steps."""
        _, (step,), (spent,) = state
        return {"step": step.flatten(), "sum_of_steps": spent.flatten()}

    def rows(self, evidence: Evidence) -> list[Audit]:
        r"""The rows of the two lines of the proof that a run shows.

        They are the descent of each step, and what the sum of steps leaves.

        A step has :math:`F(v_{t+1}) \le F(v_t) - \alpha_t(1 - \omega/2)\|\nabla F(v_t)\|^2` exactly
        when the smoothness along it is at most :math:`L J_t^2 + m_t`. All of them together have
        :math:`\min_t \|\nabla F(v_t)\|^2 \le D / ((1 - \omega/2) \sum_t \alpha_t)`.
        """
        trace, plan = evidence.record.trace, evidence.plan
        sure, most_allowed = less_rounding(trace, "path_smoothness"), 1 + ROUNDING
        most = largest((sure * trace["step"].values / plan.numbers["share"])[evidence.inside])
        how = (
            "smoothness on the segment from v_t to v_(t+1) over LJ² + m at v_t, rounding error"
            " taken off, at "
        )
        how += evidence.looks
        status = status_of(most, most_allowed)
        descent = Audit("descent of each step", "constant", status, most, most_allowed, how, "L")

        spent = float(trace["sum_of_steps"].values[0, -1])
        limit = left_by(used(evidence, "D"), plan.numbers["share"], spent) * (1 + ROUNDING)
        how = (
            f"smallest squared gradient norm, against what D and the sum of steps, {spent:.4g},"
            " leave, at "
        )
        how += evidence.looks
        least = float(less_rounding(trace, "gradient_square_norm").min())
        # What was not looked at may be smaller.
        observed = least if evidence.record.schedule.is_every_step else None
        status = status_of(observed, limit)
        return [descent, Audit("sum of the steps", "constant", status, observed, limit, how, "L")]

    def exact_start(self, v: Any, numbers: Numbers) -> Vectors:
        return v, 0 * numbers["share"], 0 * numbers["share"]

    def exact_step(
        self, state: Vectors, gradient: Any, t: int, numbers: Numbers, space: Space | None = None
    ) -> Vectors:
        v, _, spent = state
        step = _step(numbers)
        return v - step * gradient, step, spent + step

    def drift(
        self, sizes: Sequence[float], gradient: float, t: int, numbers: Numbers
    ) -> tuple[float, ...]:
        """The bounds; with the same numbers the step is the same."""
        step = float(_step(numbers))
        return sizes[0] + step * gradient, 0.0, sizes[2]


def _step(numbers: Numbers) -> Any:
    return numbers["share"] / (numbers["L"] * numbers["reach"] + numbers["slope"])


def left_by(gap: float, numerator: float, spent: Any) -> Any:
    """The bound on the least squared gradient norm that D and a sum of steps leave; `numerator` is
    the step's.
    """
    return gap / (float(DECREASE.subs(share, numerator)) * spent)


ADAPTIVE_LORA_GD = AdaptiveLoRAGD(
    "adaptive_lora_gd", "gradient descent, adaptive steps", (share, L)
)


period = sp.Symbol("period", positive=True, integer=True)
# What a theorem about it declares.
RELORA_DECLARED = (Parameter(period, "positive integer", "number of steps between two restarts"),)

# What was merged before step t, and the stochastic gradients in the factors.
Z_t = Iterate("Z", t, d, k)
g_a, g_b = Iterate("g__A", t, r, k), Iterate("g__B", t, d, r)
# The factors after the step, which a restart replaces.
A_moved, B_moved = A_t - alpha * g_a, B_t - alpha * g_b
W_t = W0 + Z_t + s * B_t * A_t
# The gradient of which these are estimates, and what v and F are where it is spoken of.
SLOPE_A, SLOPE_B = (PartialGradient(F, v_t, block) for block in (A, B))
IN_FACTORS = Quantifier(
    (t,),
    r", \text{ where } v_t = (A_t, B_t, Z_t) \text{ and } F(A, B, Z) = f(W_0 + Z + s B A)",
)


@dataclass(frozen=True)
class ReLoRA(Algorithm):
    r"""ReLoRA (Lialin et al. 2024): SGD on LoRA's factors, merged after each `period` of steps and
    begun again.

    :math:`W_t = W_0 + Z_t + s B_t A_t`, where Z_t is what was merged so far. What a theorem needs
    of a restart is that it keeps W; the factors after it may be any, and random. It is the
    function's own (`Function.restart`), because it is no step of vectors.
    """

    no_exact: str = "a restart draws factors anew"
    no_worst: str = "its restarts, which change the function that is minimised"
    keeps_curves = True

    @property
    def recurrence(self) -> tuple[sp.Basic, ...]:
        """The equation by which W is kept.

        Z_{t+1} makes up for whatever the factors of step t + 1 are; without a restart it is Z_t.
        """
        A_next, B_next, Z_next = (at_time(x, t + 1) for x in (A_t, B_t, Z_t))
        return (sp.Eq(Z_next, Z_t + s * B_moved * A_moved - s * B_next * A_next),)

    def start(self, v: Point, numbers: Numbers) -> State:
        """The state of SGD, which is the iterate alone."""
        return SGD.start(v, numbers)

    def step(
        self,
        state: State,
        gradient: Point,
        t: int,
        numbers: Numbers,
        retract: Retract | None = None,
    ) -> State:
        return SGD.step(state, gradient, t, numbers, retract)

    def drift(
        self, sizes: Sequence[float], gradient: float, t: int, numbers: Numbers
    ) -> tuple[float, ...]:
        return SGD.drift(sizes, gradient, t, numbers)


RELORA = ReLoRA("relora", "ReLoRA", (alpha, period), is_stochastic=True, period=period)

ALGORITHMS: dict[str, Algorithm] = {
    each.id: each
    for each in (
        SGD,
        DECREASING_SGD,
        GRADIENT_DESCENT,
        HEAVY_BALL,
        NESTEROV,
        ADAGRAD_NORM,
        ADAPTIVE_LORA_GD,
        RELORA,
    )
}
