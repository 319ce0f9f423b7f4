"""Edits of relations and formulas: one constant, factor, sign, term, relation, symbol, norm or time at a time.

Nothing is drawn: a relation always has the same edits in the same order. `worlds` shows which of them are false. Many
are not: some only make a true bound weaker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.checked.mutation import Change
from boundcheck.claims import Claim
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

NORMS = (FrobeniusNorm, SpectralNorm, EuclideanNorm)
Path = tuple[int, ...]
Edit = Change[sp.Basic]

# The kind of trial that each kind of edit makes.
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


def walk(node: sp.Basic, path: Path = ()) -> Iterator[tuple[Path, sp.Basic]]:
    """Every part of an expression that may be edited, with its path."""
    yield path, node
    for i in _INSIDE.get(type(node), tuple(range(len(node.args)))):
        yield from walk(node.args[i], (*path, i))


def put(node: sp.Basic, path: Path, new: sp.Basic) -> sp.Basic:
    """The expression with the part at `path` replaced, and nothing else evaluated."""
    if not path:
        return new
    args = list(node.args)
    args[path[0]] = put(args[path[0]], path[1:], new)
    return rebuilt(node, args)


def rebuilt(node: sp.Basic, args: Sequence[sp.Basic]) -> sp.Basic:
    """The node with other arguments, unevaluated."""
    if isinstance(node, sp.Add | sp.Mul | sp.Pow | sp.Rel) and not isinstance(node, MatrixExpr):
        return node.func(*args, evaluate=False)
    return node.func(*args)


def product(*factors: sp.Basic) -> sp.Basic:
    """The product of numbers, or of numbers and matrices, unevaluated."""
    if any(isinstance(x, MatrixExpr) for x in factors):
        return sp.MatMul(*factors)
    return sp.Mul(*factors, evaluate=False)


def with_formula(claim: Claim, name: str, expression: sp.Expr) -> Claim:
    """The claim with another formula for one of its quantities."""
    quantities = (replace(x, expression=expression) if x.name == name else x for x in claim.quantities)
    return replace(claim, quantities=tuple(quantities))


def of_expression(expression: sp.Basic) -> Iterator[Edit]:
    """The edits of one part of an expression at a time."""
    for path, node in walk(expression):
        for edit in _edits_of_node(node, _is_exponent(path, expression)):
            yield replace(edit, result=put(expression, path, edit.result))


def _edits_of_node(node: sp.Basic, is_exponent: bool) -> Iterator[Edit]:
    if isinstance(node, sp.Rational) and not is_exponent and node not in (0, -1):
        yield Edit("scale constant", f"{node} by 17/25", node * sp.Rational(17, 25))
        yield Edit("scale constant", f"{node} by 11/10", node * sp.Rational(11, 10))
    if isinstance(node, sp.Pow) and isinstance(node.exp, sp.Rational):
        step = sp.Integer(1) if node.exp.is_Integer else sp.Rational(1, 2)
        for exponent in (node.exp + step, node.exp - step):
            changed = sp.Pow(node.base, exponent, evaluate=False) if exponent else sp.Integer(1)
            yield Edit("exponent", f"{node} to {exponent}", changed)
    for i, part in enumerate(node.args):
        rest = node.args[:i] + node.args[i + 1 :]
        if isinstance(node, sp.Mul | sp.MatMul) and rest and part != -1 and not isinstance(part, MatrixExpr):
            is_lone = len(rest) == 1 and not isinstance(node, MatrixExpr)
            yield Edit("drop factor", str(part), rest[0] if is_lone else product(*rest))
        if isinstance(node, sp.Add | sp.MatAdd):
            yield Edit("flip sign", str(part), _sum_like(node, *rest, product(sp.Integer(-1), part)))
            yield Edit("drop term", str(part), _sum_like(node, *rest))
    if isinstance(node, FrobeniusNorm):
        yield Edit("norm", f"{node} as op", SpectralNorm(node.args[0]))
    if isinstance(node, SpectralNorm):
        yield Edit("norm", f"{node} as F", FrobeniusNorm(node.args[0]))
    if isinstance(node, sp.Transpose) and node.shape[0] == node.shape[1]:
        yield Edit("transpose", str(node), node.arg)
    if isinstance(node, InnerProduct):
        yield Edit("flip sign", str(node), -node)
    yield from _off_by_one(node)


def _off_by_one(node: sp.Basic) -> Iterator[Edit]:
    """T, or the time of an iterate, one step later or earlier."""
    for step in (1, -1):
        if node == T:
            yield Edit("off by one", f"{node} to {node + step}", node + step)
        if isinstance(node, Iterate):
            name, time, *shape = node.args
            yield Edit("off by one", f"{node} at {time + step}", Iterate(name, time + step, *shape))


def _is_exponent(path: Path, whole: sp.Basic) -> bool:
    above = whole
    for i in path[:-1]:
        above = above.args[i]
    return bool(path) and isinstance(above, sp.Pow) and path[-1] == 1


def _sum_like(node: sp.Basic, *terms: sp.Basic) -> sp.Basic:
    if len(terms) == 1:
        return terms[0]
    return sp.MatAdd(*terms) if isinstance(node, sp.MatAdd) else sp.Add(*terms, evaluate=False)


def of_relation(relation: sp.Basic) -> list[Edit]:
    """All edits of a relation, each once: its sides, the relation itself, its parts, and pairs that change places."""
    left, right, func = relation.lhs, relation.rhs, relation.func
    scalar = not isinstance(left, MatrixExpr)
    found = []
    for factor in (sp.Rational(9, 10), sp.Rational(11, 10)):
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
    norms = sorted({x for x in parts if isinstance(x, NORMS)}, key=str)
    pairs = [*combinations(symbols, 2), *combinations(norms, 2)]
    return [Edit("exchange", f"{x} and {y}", relation.xreplace({x: y, y: x})) for x, y in pairs]
