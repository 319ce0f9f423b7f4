"""`LinearMethod`: a first-order method given once, as linear expressions in its state and its gradient.

The torch step, the exact step, the points of a performance estimation and the equations of a proof are read off them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sympy as sp

from boundcheck.errors import InputError
from boundcheck.language.algorithms.base import Algorithm, Numbers, Space
from boundcheck.language.symbols import check_symbols
from boundcheck.language.vocabulary import F, Gradient, Iterate, n, t

if TYPE_CHECKING:
    from boundcheck.language.algorithms.base import Point, Retract, State

g, v = sp.symbols("g v")
"""The gradient, and the iterate: the first letter of every state."""


@dataclass(frozen=True)
class LinearMethod(Algorithm):
    r"""A method whose state moves linearly: :math:`x_{t+1} = \sum_j c_j(t)\, x_{j,t} + c(t)\, g_t`.

    Attributes:
        moves: of each letter of the state the expression of its next value, over the letters and `g`, with
            coefficients that are rational in `t` and the parameters; the first letter is the iterate, and all are v_1
            at the start.
        at: where the gradient is taken, an expression over the letters.

    Raises:
        InputError: for no parameter or no move, an expression that is not linear in state and gradient, and a symbol
            that is none of these.

    """

    moves: tuple[tuple[sp.Symbol, sp.Expr], ...] = ()
    at: sp.Expr = v

    def __post_init__(self) -> None:
        """Check that there is a step size, and that the expressions are linear."""
        super().__post_init__()
        if not self.moves:
            raise InputError(f"algorithm.{self.id}", "no moves", "a move for each letter of its state")
        check_symbols(f"algorithm.{self.id}.moves", *self._letters)
        known = {t, *self.parameters}
        for expression in (*(move for _, move in self.moves), self.at):
            if sp.sympify(expression, strict=True).has(sp.MatrixExpr):
                expected = "an expression over the letters of its state and g, which stand for iterates and a gradient"
                raise InputError(f"algorithm.{self.id}", expression, expected)
            row = self._row(expression)
            rest = expression - sum(c * x for c, x in zip(row, (*self._letters, g), strict=True))
            if sp.expand(rest) != 0 or any(not c.free_symbols <= known for c in row):
                raise InputError(
                    f"algorithm.{self.id}", expression, "a linear expression in the state and the gradient"
                )
        if self.at.has(g):
            raise InputError(f"algorithm.{self.id}", self.at, "a point that is known before its gradient")

    @property
    def _letters(self) -> tuple[sp.Symbol, ...]:
        return tuple(letter for letter, _ in self.moves)

    def _row(self, expression: sp.Expr) -> list[sp.Expr]:
        return [sp.diff(expression, x) for x in (*self._letters, g)]

    @cached_property
    def recurrence(self) -> tuple[sp.Basic, ...]:
        """One equation for each letter of the state, over its iterates; g_t is the gradient where there is no noise."""
        now = {x: Iterate(x.name, t, n, 1) for x in self._letters}

        def written(expression: sp.Expr, gradient: sp.Basic | None) -> sp.Basic:
            terms = zip(self._row(expression), (*now.values(), gradient), strict=True)
            return sp.MatAdd(*(c * x for c, x in terms if c != 0)).doit()

        g_t = Iterate("g", t, n, 1) if self.is_stochastic else Gradient(F, written(self.at, None))
        return tuple(sp.Eq(Iterate(x.name, t + 1, n, 1), written(move, g_t)) for x, move in self.moves)

    @cached_property
    def beginning(self) -> tuple[sp.Basic, ...]:
        """The equations that set every letter of the state to v_1."""
        first, *others = (Iterate(x.name, sp.Integer(1), n, 1) for x in self._letters)
        return tuple(sp.Eq(x, first) for x in others)

    @cached_property
    def _coefficients(self) -> Callable[..., Any]:
        """Numerators and denominators of all coefficients: a row of pairs for each letter, and one for the query."""
        rows = [
            [sp.fraction(sp.together(c)) for c in self._row(expression)]
            for expression in (*(move for _, move in self.moves), self.at)
        ]
        return sp.lambdify((t, *self.parameters), rows, modules=[{}], cse=False)

    def coefficients(self, step: int, numbers: Numbers) -> list[list[Any]]:
        """The coefficients at a step: a row for each letter of the state, then the query; columns: the state, then g.

        They are in the arithmetic of the numbers: floats give floats, rationals give rationals.
        """
        values = [numbers[p.name] for p in self.parameters]
        zero = values[0] * 0 if values else Fraction(0)
        return [[x if y == 1 else (zero + x) / y for x, y in row] for row in self._coefficients(zero + step, *values)]

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

    def start(self, v: Point, numbers: Numbers) -> State:
        """The state whose points are all v_1."""
        return (v,) * len(self.moves)

    def query(self, state: State, t: int, numbers: Numbers) -> Point:
        """The point where the gradient of step t is taken."""
        if self._asked_letter is not None:
            return state[self._asked_letter]
        return _moved(self.coefficients(t, numbers)[-1][:-1], state)

    @cached_property
    def _asked_letter(self) -> int | None:
        """The index of the letter that the query is; None where it is no single letter."""
        return self._letters.index(self.at) if self.at in self._letters else None

    def step(self, state: State, gradient: Point, t: int, numbers: Numbers, retract: Retract | None = None) -> State:
        """The state at t + 1: one fused operation for each term and block beyond the first."""
        rows = self.coefficients(t, numbers)[:-1]
        if retract is not None:
            if not self.keeps_curves:
                raise InputError("algorithm", self.id, "a flat domain: its steps are no steps along one gradient")
            return (retract(state[0], tuple(rows[0][-1] * part for part in gradient)),)
        return tuple(_moved(row, (*state, gradient)) for row in rows)

    def exact_start(self, v: Any, numbers: Numbers) -> tuple[Any, ...]:
        """The state whose vectors are all v_1."""
        return (v,) * len(self.moves)

    def exact_query(self, state: tuple[Any, ...], t: int, numbers: Numbers) -> Any:
        """The point where the gradient of step t is taken."""
        if self._asked_letter is not None:
            return state[self._asked_letter]
        return _sum(self.coefficients(t, numbers)[-1], state)

    def exact_step(
        self, state: tuple[Any, ...], gradient: Any, t: int, numbers: Numbers, space: Space | None = None
    ) -> tuple[Any, ...]:
        """The state at t + 1."""
        return tuple(_sum(row, (*state, gradient)) for row in self.coefficients(t, numbers)[:-1])

    def reach(self, sizes: Sequence[float], t: int, numbers: Numbers) -> float:
        """The sizes, weighted with the absolute coefficients of the query."""
        return _weighted(self.coefficients(t, numbers)[-1], sizes)

    def drift(self, sizes: Sequence[float], gradient: float, t: int, numbers: Numbers) -> tuple[float, ...]:
        """The sizes, weighted with the absolute coefficients of the step."""
        return tuple(_weighted(row, (*sizes, gradient)) for row in self.coefficients(t, numbers)[:-1])


def _weighted(row: Sequence[Any], sizes: Sequence[float]) -> float:
    return float(sum(abs(c) * size for c, size in zip(row, sizes, strict=False)))


def _terms(row: Sequence[Any], vectors: Sequence[Any]) -> list[tuple[Any, Any]]:
    """The terms that are not 0, one whose coefficient is 1 first."""
    return sorted(((c, x) for c, x in zip(row, vectors, strict=False) if c != 0), key=lambda term: term[0] != 1)


def _sum(row: Iterable[Any], vectors: Sequence[Any]) -> Any:
    (c, x), *others = _terms(list(row), vectors)
    total = x if c == 1 else c * x
    for c, x in others:
        total = total + c * x
    return total


def _moved(row: Sequence[float], points: Sequence[Point]) -> Point:
    (c, x), *others = _terms(row, points)
    if not others:
        return x if c == 1 else tuple(c * part for part in x)
    moved = []
    for i, part in enumerate(x):
        total = part if c == 1 else c * part
        # A new tensor first, and then in place.
        (share, other), *rest = others
        total = total.add(other[i], alpha=share)
        for share, other in rest:
            total = total.add_(other[i], alpha=share)
        moved.append(total)
    return tuple(moved)
