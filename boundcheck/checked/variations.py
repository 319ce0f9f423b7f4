"""Variations of a true relation, which are true because it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.checked.edits import NORMS, product, put, walk
from boundcheck.checked.mutation import Change
from boundcheck.claims.vocabulary import (
    EuclideanNorm,
    Expectation,
    FrobeniusNorm,
    InnerProduct,
    MinimumOver,
    SpectralNorm,
)

_TURNED = {sp.Le: sp.Ge, sp.Lt: sp.Gt, sp.Ge: sp.Le, sp.Gt: sp.Lt, sp.Eq: sp.Eq}


@dataclass(frozen=True)
class Variation(Change[sp.Basic]):
    """A relation that holds wherever the original does, by `uses`, which hold anyway."""

    uses: tuple[sp.Basic, ...] = ()


def variations(relation: sp.Basic) -> Iterator[Variation]:
    """Variations of a relation, the same ones in the same order every time."""
    left, right, func = relation.lhs, relation.rhs, relation.func
    minus, turned = sp.Integer(-1), _TURNED[func]

    def said(kind: str, where: str, x: sp.Basic, y: sp.Basic, how: type[sp.Basic] = func) -> Variation:
        return Variation(kind, where, how(x, y, evaluate=False))

    yield said("sides exchanged", "right to left", right, left, turned)
    for factor in (sp.Rational(3, 7), sp.Integer(5)):
        yield said("both sides scaled", f"by {factor}", product(factor, left), product(factor, right))
    yield said("negated", "by -1", product(minus, left), product(minus, right), turned)
    if isinstance(left, MatrixExpr):
        yield said("transposed", "both sides", left.T, right.T)
        return
    yield said("terms moved", "all to the left", _sum(left, product(minus, right)), sp.Integer(0))
    yield said("terms moved", "all to the right", sp.Integer(0), _sum(right, product(minus, left)))
    for term in _terms(relation):
        yield said("common term", f"{term} on both sides", _sum(left, term), _sum(right, term))
        squared = sp.Pow(term, 2, evaluate=False)
        if func in (sp.Le, sp.Lt, sp.Eq):
            yield said("slack", f"{squared} on the right", left, _sum(right, squared), sp.Le)
        if func in (sp.Ge, sp.Gt, sp.Eq):
            yield said("slack", f"{squared} on the left", _sum(left, squared), right, sp.Ge)
    yield from _weaker(relation)
    yield from _rewritten(relation)


def _weaker(relation: sp.Basic) -> Iterator[Variation]:
    """A weaker relation; and a larger factor or squares, where a side is nonnegative by its form."""
    left, right, func = relation.lhs, relation.rhs, relation.func
    for weaker in {sp.Eq: (sp.Le, sp.Ge), sp.Lt: (sp.Le,), sp.Gt: (sp.Ge,)}.get(func, ()):
        yield Variation("weaker relation", f"as {weaker.__name__}", weaker(left, right, evaluate=False))
    small, large = (left, right) if func in (sp.Le, sp.Lt, sp.Eq) else (right, left)
    if not is_nonnegative(small):
        return
    uses = (sp.Ge(small, 0, evaluate=False),)
    for factor in (sp.Rational(11, 10), sp.Integer(3)):
        looser = sp.Le(small, product(factor, large), evaluate=False)
        yield Variation("looser", f"the larger side by {factor}", looser, uses)
    squares = (sp.Pow(x, 2, evaluate=False) for x in (small, large))
    yield Variation("squared", "both sides", sp.Le(*squares, evaluate=False), uses)


def _rewritten(relation: sp.Basic) -> Iterator[Variation]:
    """A norm of the transposed or the negative matrix, an inner product with its arguments swapped; each place once."""
    seen: set[sp.Basic] = set()
    for path, node in walk(relation):
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, FrobeniusNorm | SpectralNorm):
            yield Variation("transposed", str(node), put(relation, path, node.func(node.args[0].T)))
        if isinstance(node, NORMS):
            negative = sp.MatMul(-1, node.args[0])
            yield Variation("negative in a norm", str(node), put(relation, path, node.func(negative)))
        if isinstance(node, InnerProduct):
            yield Variation("arguments swapped", str(node), put(relation, path, InnerProduct(*reversed(node.args))))


def _terms(relation: sp.Basic) -> list[sp.Basic]:
    """A norm and a letter of the relation, and a number."""
    parts = [node for _, node in walk(relation)]
    norms = sorted({x for x in parts if isinstance(x, NORMS)}, key=str)
    letters = sorted({x for x in parts if isinstance(x, sp.Symbol)}, key=str)
    return [*norms[:1], *letters[:1], sp.Rational(1, 3)]


def is_nonnegative(node: sp.Basic) -> bool:
    """Whether an expression cannot be negative, by its form alone."""
    match node:
        case sp.Rational():
            return bool(node >= 0)
        case sp.Symbol():
            return bool(node.is_nonnegative)
        case FrobeniusNorm() | SpectralNorm() | EuclideanNorm():
            return True
        case sp.Pow():
            return bool(node.exp.is_even) or is_nonnegative(node.base)
        case Expectation() | MinimumOver():
            return is_nonnegative(node.args[0])
        case sp.Sum():
            return is_nonnegative(node.function)
        case sp.Add() | sp.Mul() | sp.Max():
            return all(map(is_nonnegative, node.args))
        case _:
            return False


def _sum(*terms: sp.Basic) -> sp.Basic:
    return sp.Add(*terms, evaluate=False)
