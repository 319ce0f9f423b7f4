"""The raw data of a world, and what a relation of the vocabulary says of it.

`Setting.verdict` evaluates a sympy relation by `boundcheck.exact.evaluate`, and never asks the translation to the
kernel or the kernel: what it calls false is false by another way of reading.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from operator import eq, ge, gt, le, lt, ne
from typing import Any, cast

import flint
import sympy as sp
from flint import arb
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.claims.symbols import T
from boundcheck.claims.vocabulary import Iterate, MinimumOver, t
from boundcheck.errors import InputError
from boundcheck.exact import evaluate
from boundcheck.exact.paths import STILL, Paths
from boundcheck.exact.rationals import Matrix, Number, Rationals, Rows

_BITS = 160
_ARITHMETIC = Rationals()
_DECIDED = {sp.Eq: (eq, ne), sp.Le: (le, gt), sp.Lt: (lt, ge), sp.Ge: (ge, lt), sp.Gt: (gt, le)}
# v, v_1 and v_2 have the blocks of the world's vectors; w_1, w_2, W_1 and W_2 are the weights of all layers.
_VECTOR = re.compile(r"v(_[12])?|[wW](_[12])")


@dataclass(frozen=True, eq=False)
class Setting:
    """What a world is made of, in rational numbers.

    Attributes:
        sides: d, k, r, n and one, by name.
        numbers: of scalar letters.
        matrices: of matrix letters.
        functions: f and F.
        blocks: the blocks that v = (A, B) consists of; of a run, those that are trained.
        layers: the blocks of a weight of several layers.
        paths: the times and outcomes of a run.
        process: the value of a block of an iterate, by name, at a time and in an outcome.

    """

    sides: Mapping[str, int]
    numbers: Mapping[str, Fraction]
    matrices: Mapping[str, Rows]
    functions: Mapping[str, evaluate.Function]
    blocks: tuple[str, ...] = ("A", "B")
    layers: tuple[str, ...] = ()
    paths: Paths[Any, Any] = STILL
    process: Callable[[str, int, int], Rows] | None = None

    def verdict(self, relation: sp.Basic, composite: Collection[str] = ()) -> bool | None:
        """Whether a relation holds at all times and in all outcomes; None where balls cannot tell, or have no value.

        Args:
            relation: over the vocabulary; Le, Lt, Ge, Gt, Eq, or And of these.
            composite: names of matrix letters that stand for something else than the world's matrix of that name.

        """
        if isinstance(relation, sp.And):
            parts = [self.verdict(each, composite) for each in relation.args]
            return False if False in parts else (None if None in parts else True)
        found: set[bool | None] = set()
        with flint.ctx.workprec(_BITS):
            try:
                model = self._model(relation, frozenset(composite))
                for time, outcome in self._places(relation):
                    found.add(_holds(relation, model, time, outcome))
                    if False in found:
                        return False
            except (TypeError, KeyError, IndexError, ValueError, ZeroDivisionError):
                return None
        return None if None in found else True

    def _places(self, relation: sp.Basic) -> Iterator[tuple[int, int]]:
        for time in range(1, self.paths.T + 1) if is_timed(relation) else (1,):
            for outcome in range(len(self.paths.draws) if relation.has(Iterate) else 1):
                yield time, outcome

    def _model(self, relation: sp.Basic, composite: frozenset[str]) -> evaluate.Model[Number, Matrix]:
        known = {**{name: Fraction(x) for name, x in self.sides.items()}, **self.numbers}
        letters = {x for x in sp.preorder_traversal(relation) if isinstance(x, sp.MatrixSymbol)}
        symbols = relation.free_symbols - letters - {T}
        matrices = {x: self._matrix(x.name, composite) for x in letters}
        places = {x: (self.layers or self.blocks).index(x.name) for x in letters if x.name in self.layers}
        places |= {x: self.blocks.index(x.name) for x in letters if x.name in self.blocks}
        return evaluate.Model(
            _ARITHMETIC,
            numbers={x: known[x.name] for x in symbols if x.name in known},
            matrices={x: blocks for x, blocks in matrices.items() if blocks is not None},
            iterates=self._iterate,
            functions={sp.Symbol(name): _function(each) for name, each in self.functions.items()},
            blocks=places,
            sides={x: self.sides[x.name] for x in relation.free_symbols if x.name in self.sides},
            horizon=self.paths.T,
            weights=self.paths.weights,
            past=self.paths.past,
        )

    def _matrix(self, name: str, composite: frozenset[str]) -> tuple[Rows, ...] | None:
        if name not in composite:
            return (self.matrices[name],) if name in self.matrices else None
        match = _VECTOR.fullmatch(name)
        if match is None:
            return None
        names = [part + name[1:] for part in (self.blocks if name[0] == "v" else self.layers)]
        return tuple(self.matrices[x] for x in names) if names and set(names) <= set(self.matrices) else None

    def _iterate(self, name: str, time: int, outcome: int) -> tuple[Rows, ...]:
        if self.process is None:
            raise KeyError(name)
        names = {"v": self.blocks, "g": tuple(f"g_{block}" for block in self.blocks)}.get(name, (name,))
        return tuple(self.process(block, time, outcome) for block in names)


def is_timed(node: sp.Basic) -> bool:
    """Whether an expression depends on t, other than as the index of its sums and minima."""
    if node == t:
        return True
    if isinstance(node, MinimumOver | sp.Sum):
        inside, index, *ends = node.args if isinstance(node, MinimumOver) else (node.function, *node.limits[0])
        return any(map(is_timed, ends)) or (index != t and is_timed(inside))
    return any(is_timed(x) for x in node.args)


def _holds(relation: sp.Basic, model: evaluate.Model[Number, Matrix], time: int, outcome: int) -> bool | None:
    if isinstance(relation.lhs, MatrixExpr):
        sides = zip(*(model.vector(x, time, outcome) for x in (relation.lhs, relation.rhs)), strict=True)
        blocks = tuple(_ARITHMETIC.plus(x, _ARITHMETIC.scaled(Fraction(-1), y)) for x, y in sides)
        return _compare(sp.Eq, _ARITHMETIC.inner(blocks, blocks))
    left, right = (model.number(x, time, outcome) for x in (relation.lhs, relation.rhs))
    return _compare(relation.func, _ARITHMETIC.add(left, _ARITHMETIC.times(Fraction(-1), right)))


def _compare(relation: type[sp.Basic], difference: Number) -> bool | None:
    # A comparison with a ball is true where it is certain.
    holds, fails = _DECIDED[relation]
    return True if holds(difference, 0) else (False if fails(difference, 0) else None)


def _function(each: evaluate.Function) -> evaluate.Function:
    return evaluate.Function(lambda v: each.value(_exact(v)), lambda v: each.gradient(_exact(v)))


def _exact(point: tuple[Matrix, ...]) -> tuple[Rows, ...]:
    if any(isinstance(x, arb) for block in point for row in block for x in row):
        raise InputError("point", "irrational", "rational numbers")
    return cast(tuple[Rows, ...], point)
