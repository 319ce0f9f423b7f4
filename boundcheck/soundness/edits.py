"""Variants of true lines: one constant, factor, sign, term, relation, symbol, norm or time changed at a time.

Nothing is drawn: the same relation yields the same edits in the same order. Which of them are false is for `worlds` to
show; many are not, such as those that make a true bound weaker.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.claims.symbols import T
from boundcheck.claims.vocabulary import (
    EuclideanNorm,
    Expectation,
    FrobeniusNorm,
    Gradient,
    InnerProduct,
    Iterate,
    MatrixExpectation,
    MinimumOver,
    PartialGradient,
    SpectralNorm,
    Value,
)

SMALLER, LARGER = sp.Rational(9, 10), sp.Rational(11, 10)
Path = tuple[int, ...]

# What an edit is called in a trial.
KINDS = {
    "scale constant": "constant",
    "scale side": "constant",
    "scale quantity": "constant",
    "exponent": "exponent",
    "drop factor": "factor lost",
    "flip sign": "sign",
    "drop term": "term lost",
    "norm": "norm",
    "transpose": "transpose lost",
    "off by one": "off by one",
    "relation": "relation",
    "exchange": "exchange",
}

# The arguments that speak of mathematics, and not of names, shapes and ranges.
_INSIDE: dict[type, tuple[int, ...]] = {
    Expectation: (0,),
    MatrixExpectation: (0,),
    MinimumOver: (0,),
    sp.Sum: (0,),
    Gradient: (1,),
    PartialGradient: (1,),
    Value: (1,),
    Iterate: (),
    sp.MatrixSymbol: (),
    sp.ZeroMatrix: (),
}
_NORMS = (FrobeniusNorm, SpectralNorm, EuclideanNorm)


@dataclass(frozen=True)
class Edit:
    """A relation or expression that is not what was written: what kind of change, where, and the result."""

    kind: str
    where: str
    result: sp.Basic

    def __str__(self) -> str:
        return f"{self.kind} {self.where}: {self.result}"


def walk(node: sp.Basic, path: Path = ()) -> Iterator[tuple[Path, sp.Basic]]:
    """Every part of an expression that may be edited, with the way to it."""
    yield path, node
    for i in _INSIDE.get(type(node), tuple(range(len(node.args)))):
        yield from walk(node.args[i], (*path, i))


def put(node: sp.Basic, path: Path, new: sp.Basic) -> sp.Basic:
    """The expression with the part at `path` replaced, and nothing else evaluated."""
    if not path:
        return new
    args = list(node.args)
    args[path[0]] = put(args[path[0]], path[1:], new)
    if isinstance(node, sp.Add | sp.Mul | sp.Pow | sp.Rel) and not isinstance(node, MatrixExpr):
        return node.func(*args, evaluate=False)
    return node.func(*args)


def product(*factors: sp.Basic) -> sp.Basic:
    """The product of numbers, or of numbers and matrices, unevaluated."""
    if any(isinstance(x, MatrixExpr) for x in factors):
        return sp.MatMul(*factors)
    return sp.Mul(*factors, evaluate=False)


def of_expression(expression: sp.Basic) -> Iterator[Edit]:
    """The edits of one part of an expression at a time."""
    for path, node in walk(expression):
        for kind, what, new in _changes(node, path, expression):
            yield Edit(kind, what, put(expression, path, new))


def _changes(node: sp.Basic, path: Path, whole: sp.Basic) -> Iterator[tuple[str, str, sp.Basic]]:
    if isinstance(node, sp.Rational) and not _is_exponent(path, whole) and node not in (0, -1):
        yield "scale constant", f"{node} by 17/25", node * sp.Rational(17, 25)
        yield "scale constant", f"{node} by 11/10", node * LARGER
    if isinstance(node, sp.Pow) and isinstance(node.exp, sp.Rational):
        step = sp.Integer(1) if node.exp.is_Integer else sp.Rational(1, 2)
        for exponent in (node.exp + step, node.exp - step):
            changed = sp.Pow(node.base, exponent, evaluate=False) if exponent else sp.Integer(1)
            yield "exponent", f"{node} to {exponent}", changed
    if isinstance(node, sp.Mul) and not isinstance(node, MatrixExpr):
        for i, factor in enumerate(node.args):
            if factor != -1 and len(node.args) > 1:
                rest = [x for j, x in enumerate(node.args) if j != i]
                yield "drop factor", str(factor), rest[0] if len(rest) == 1 else sp.Mul(*rest, evaluate=False)
    if isinstance(node, sp.MatMul):
        for i, factor in enumerate(node.args):
            if not isinstance(factor, MatrixExpr) and factor != -1:
                yield "drop factor", str(factor), sp.MatMul(*(x for j, x in enumerate(node.args) if j != i))
    if isinstance(node, sp.Add | sp.MatAdd):
        for i, term in enumerate(node.args):
            rest = [x for j, x in enumerate(node.args) if j != i]
            yield "flip sign", str(term), _sum(node, *rest, product(sp.Integer(-1), term))
            yield "drop term", str(term), _sum(node, *rest)
    if isinstance(node, FrobeniusNorm):
        yield "norm", f"{node} as op", SpectralNorm(node.args[0])
    if isinstance(node, SpectralNorm):
        yield "norm", f"{node} as F", FrobeniusNorm(node.args[0])
    if isinstance(node, sp.Transpose) and node.shape[0] == node.shape[1]:
        yield "transpose", str(node), node.arg
    if isinstance(node, InnerProduct):
        yield "flip sign", str(node), -node
    yield from _off_by_one(node)


def _off_by_one(node: sp.Basic) -> Iterator[tuple[str, str, sp.Basic]]:
    """T, or the time of an iterate, one step later or earlier."""
    for step in (1, -1):
        if node == T:
            yield "off by one", f"{node} to {node + step}", node + step
        if isinstance(node, Iterate):
            name, time, *shape = node.args
            yield "off by one", f"{node} at {time + step}", Iterate(name, time + step, *shape)


def _is_exponent(path: Path, whole: sp.Basic) -> bool:
    above = whole
    for i in path[:-1]:
        above = above.args[i]
    return bool(path) and isinstance(above, sp.Pow) and path[-1] == 1


def _sum(node: sp.Basic, *terms: sp.Basic) -> sp.Basic:
    if len(terms) == 1:
        return terms[0]
    return sp.MatAdd(*terms) if isinstance(node, sp.MatAdd) else sp.Add(*terms, evaluate=False)


def of_relation(relation: sp.Basic) -> list[Edit]:
    """All edits of a relation, each once: its sides, the relation itself, its parts, and pairs that change places."""
    left, right, func = relation.lhs, relation.rhs, relation.func
    scalar = not isinstance(left, MatrixExpr)
    found = []
    for factor in (SMALLER, LARGER):
        found.append(Edit("scale side", f"left by {factor}", func(product(factor, left), right, evaluate=False)))
        found.append(Edit("scale side", f"right by {factor}", func(left, product(factor, right), evaluate=False)))
    if scalar:
        for other in (sp.Le, sp.Ge, sp.Lt, sp.Gt, sp.Eq):
            if other is not func:
                found.append(Edit("relation", f"as {other.__name__}", other(left, right, evaluate=False)))
        found.append(Edit("flip sign", "right side", func(left, product(sp.Integer(-1), right), evaluate=False)))
    found += [edit for edit in of_expression(relation) if isinstance(edit.result, sp.Rel)]
    found += _exchanges(relation)
    return list({edit.result: edit for edit in reversed(found)}.values())[::-1]


def _exchanges(relation: sp.Basic) -> list[Edit]:
    parts = [node for _, node in walk(relation)]
    symbols = sorted({x for x in parts if isinstance(x, sp.Symbol)}, key=str)
    norms = sorted({x for x in parts if isinstance(x, _NORMS)}, key=str)
    pairs = [*combinations(symbols, 2), *combinations(norms, 2)]
    return [Edit("exchange", f"{x} and {y}", relation.xreplace({x: y, y: x})) for x, y in pairs]
