"""Changes of relations and formulas: edits that may make them false, and variations that are true
because they are.

An edit is one constant, factor, sign, term, relation, symbol, norm or time at a time. Many leave a
relation true: some only make a bound weaker. Worlds show which are false. Nothing is drawn: a
relation always has the same changes in the same order, and orders are mixed in a way that never
changes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from hashlib import sha256
from itertools import combinations, zip_longest
from typing import Any, TypeVar

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.language.claim import Claim, Quantity
from boundcheck.language.symbols import T
from boundcheck.language.vocabulary import (
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
from soundness.trial import Mutant

NORMS = (FrobeniusNorm, SpectralNorm, EuclideanNorm)
Path = tuple[int, ...]
Item = TypeVar("Item")
Kinded = TypeVar("Kinded", bound="Change | Mutant")
# The kind that is false most often, which would else crowd out the others.
_LAST = "relation"


@dataclass(frozen=True)
class Change:
    """A relation, formula or claim with one place changed: what kind of change, where or how, and
    the result.

    A variation holds wherever the original does, by `uses`, which hold anyway.
    """

    kind: str
    where: str
    result: Any
    uses: tuple[sp.Basic, ...] = ()


def mixed_up(items: Sequence[Item]) -> list[Item]:
    """All items, in an order that is fixed and mixed."""
    order = sorted(range(len(items)), key=lambda place: sha256(str(place).encode()).hexdigest())
    return [items[place] for place in order]


def in_turn(items: Sequence[Kinded], first: int) -> list[Kinded]:
    """One item of each kind in turn, mixed up within each kind; `first` says with which kind to
    begin.
    """
    kinds = sorted({x.kind for x in items} - {_LAST})
    start = first % max(len(kinds), 1)
    queues = [
        mixed_up([x for x in items if x.kind == kind]) for kind in kinds[start:] + kinds[:start]
    ]
    found = [x for turn in zip_longest(*queues) for x in turn if x is not None]
    return found + mixed_up([x for x in items if x.kind == _LAST])


# Edits


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
    return _rebuilt(node, args)


def _rebuilt(node: sp.Basic, args: Sequence[sp.Basic]) -> sp.Basic:
    """The node with other arguments, unevaluated."""
    if isinstance(node, sp.Add | sp.Mul | sp.Pow | sp.Rel) and not isinstance(node, MatrixExpr):
        return node.func(*args, evaluate=False)
    return node.func(*args)


def product(*factors: sp.Basic) -> sp.Basic:
    """The product of numbers, or of numbers and matrices, unevaluated."""
    if any(isinstance(x, MatrixExpr) for x in factors):
        return sp.MatMul(*factors)
    return sp.Mul(*factors, evaluate=False)


def written_out(
    expression: sp.Basic, quantities: Sequence[Quantity], keep: Collection[str] = ()
) -> sp.Basic:
    """The expression with formulas in place of quantities, the last ones first; those in `keep`
    stay.
    """

    def replaced(node: sp.Basic, quantity: Quantity) -> sp.Basic:
        if node == quantity.symbol:
            return quantity.expression
        # SymPy's own replacement would evaluate what it goes through.
        return (
            _rebuilt(node, [replaced(x, quantity) for x in node.args])
            if node.has(quantity.symbol)
            else node
        )

    for quantity in reversed(quantities):
        if quantity.name not in keep:
            expression = replaced(expression, quantity)
    return expression


def with_formula(claim: Claim, name: str, expression: sp.Expr) -> Claim:
    """The claim with another formula for one of its quantities."""
    quantities = (
        replace(x, expression=expression) if x.name == name else x for x in claim.quantities
    )
    return replace(claim, quantities=tuple(quantities))


def of_expression(expression: sp.Basic) -> Iterator[Change]:
    """The edits of one part of an expression at a time."""
    for path, node in walk(expression):
        above = reduce(lambda inside, i: inside.args[i], path[:-1], expression)
        is_exponent = bool(path) and isinstance(above, sp.Pow) and path[-1] == 1
        for edit in _edits_of_node(node, is_exponent):
            yield replace(edit, result=put(expression, path, edit.result))


def _edits_of_node(node: sp.Basic, is_exponent: bool) -> Iterator[Change]:
    if isinstance(node, sp.Rational) and not is_exponent and node not in (0, -1):
        yield Change("scale constant", f"{node} by 17/25", node * sp.Rational(17, 25))
        yield Change("scale constant", f"{node} by 11/10", node * sp.Rational(11, 10))
    if isinstance(node, sp.Pow) and isinstance(node.exp, sp.Rational):
        step = sp.Integer(1) if node.exp.is_Integer else sp.Rational(1, 2)
        for exponent in (node.exp + step, node.exp - step):
            changed = sp.Pow(node.base, exponent, evaluate=False) if exponent else sp.Integer(1)
            yield Change("exponent", f"{node} to {exponent}", changed)
    for i, part in enumerate(node.args):
        rest = node.args[:i] + node.args[i + 1 :]
        if (
            isinstance(node, sp.Mul | sp.MatMul)
            and rest
            and part != -1
            and not isinstance(part, MatrixExpr)
        ):
            is_lone = len(rest) == 1 and not isinstance(node, MatrixExpr)
            yield Change("drop factor", str(part), rest[0] if is_lone else product(*rest))
        if isinstance(node, sp.Add | sp.MatAdd):
            yield Change("flip sign", str(part), _sum(*rest, product(sp.Integer(-1), part)))
            yield Change("drop term", str(part), _sum(*rest))
    if isinstance(node, FrobeniusNorm):
        yield Change("norm", f"{node} as op", SpectralNorm(node.args[0]))
    if isinstance(node, SpectralNorm):
        yield Change("norm", f"{node} as F", FrobeniusNorm(node.args[0]))
    if isinstance(node, sp.Transpose) and node.shape[0] == node.shape[1]:
        yield Change("transpose", str(node), node.arg)
    if isinstance(node, InnerProduct):
        yield Change("flip sign", str(node), -node)
    # T, or the time of an iterate, one step later or earlier.
    for step in (1, -1):
        if node == T:
            yield Change("off by one", f"{node} to {node + step}", node + step)
        if isinstance(node, Iterate):
            name, time, *shape = node.args
            yield Change(
                "off by one", f"{node} at {time + step}", Iterate(name, time + step, *shape)
            )


def _sum(*terms: sp.Basic) -> sp.Basic:
    """The sum of numbers, or of matrices, unevaluated."""
    if len(terms) == 1:
        return terms[0]
    return sp.MatAdd(*terms) if isinstance(terms[0], MatrixExpr) else sp.Add(*terms, evaluate=False)


def _said(kind: str, where: str, x: sp.Basic, y: sp.Basic, how: type[sp.Basic]) -> Change:
    return Change(kind, where, how(x, y, evaluate=False))


def of_relation(relation: sp.Basic) -> list[Change]:
    """All edits of a relation, each once: its sides, the relation itself, its parts, and pairs that
    change places.
    """
    left = relation.lhs
    right = relation.rhs
    func = relation.func
    found = []
    for factor in (sp.Rational(9, 10), sp.Rational(11, 10)):
        found += [
            _said("scale side", f"left by {factor}", product(factor, left), right, func),
            _said("scale side", f"right by {factor}", left, product(factor, right), func),
        ]
    if not isinstance(left, MatrixExpr):
        for other in (sp.Le, sp.Ge, sp.Lt, sp.Gt, sp.Eq):
            if other is not func:
                found.append(_said("relation", f"as {other.__name__}", left, right, other))
        minus = product(sp.Integer(-1), right)
        found.append(_said("flip sign", "right side", left, minus, func))
    found += [edit for edit in of_expression(relation) if isinstance(edit.result, sp.Rel)]
    parts = [node for _, node in walk(relation)]
    symbols = sorted({x for x in parts if isinstance(x, sp.Symbol)}, key=str)
    norms = sorted({x for x in parts if isinstance(x, NORMS)}, key=str)
    for x, y in (*combinations(symbols, 2), *combinations(norms, 2)):
        found.append(Change("exchange", f"{x} and {y}", relation.xreplace({x: y, y: x})))
    return list({edit.result: edit for edit in reversed(found)}.values())[::-1]


# Variations


_TURNED = {sp.Le: sp.Ge, sp.Lt: sp.Gt, sp.Ge: sp.Le, sp.Gt: sp.Lt, sp.Eq: sp.Eq}


def variations(relation: sp.Basic) -> Iterator[Change]:
    """Variations of a relation, the same ones in the same order every time."""
    left = relation.lhs
    right = relation.rhs
    func = relation.func
    minus = sp.Integer(-1)
    turned = _TURNED[func]

    said = partial(_said, how=func)
    yield _said("sides exchanged", "right to left", right, left, turned)
    for factor in (sp.Rational(3, 7), sp.Integer(5)):
        yield said(
            "both sides scaled", f"by {factor}", product(factor, left), product(factor, right)
        )
    yield _said("negated", "by -1", product(minus, left), product(minus, right), turned)
    if isinstance(left, MatrixExpr):
        yield said("transposed", "both sides", left.T, right.T)
        return
    yield said("terms moved", "all to the left", _sum(left, product(minus, right)), sp.Integer(0))
    yield said("terms moved", "all to the right", sp.Integer(0), _sum(right, product(minus, left)))
    parts = [node for _, node in walk(relation)]
    norms, letters = (
        sorted({x for x in parts if isinstance(x, each)}, key=str) for each in (NORMS, sp.Symbol)
    )
    for term in (*norms[:1], *letters[:1], sp.Rational(1, 3)):
        yield said("common term", f"{term} on both sides", _sum(left, term), _sum(right, term))
        squared = sp.Pow(term, 2, evaluate=False)
        if func in (sp.Le, sp.Lt, sp.Eq):
            yield _said("slack", f"{squared} on the right", left, _sum(right, squared), sp.Le)
        if func in (sp.Ge, sp.Gt, sp.Eq):
            yield _said("slack", f"{squared} on the left", _sum(left, squared), right, sp.Ge)
    for weaker in {sp.Eq: (sp.Le, sp.Ge), sp.Lt: (sp.Le,), sp.Gt: (sp.Ge,)}.get(func, ()):
        yield _said("weaker relation", f"as {weaker.__name__}", left, right, weaker)
    # A larger factor or squares, where a side is nonnegative by its form.
    small, large = (left, right) if func in (sp.Le, sp.Lt, sp.Eq) else (right, left)
    if is_nonnegative(small):
        uses = (sp.Ge(small, 0, evaluate=False),)
        for factor in (sp.Rational(11, 10), sp.Integer(3)):
            looser = sp.Le(small, product(factor, large), evaluate=False)
            yield Change("looser", f"the larger side by {factor}", looser, uses)
        squares = (sp.Pow(x, 2, evaluate=False) for x in (small, large))
        yield Change("squared", "both sides", sp.Le(*squares, evaluate=False), uses)
    # A norm of the transposed or the negative matrix, an inner product with its arguments swapped;
    # each place once.
    seen: set[sp.Basic] = set()
    for path, node in walk(relation):
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, FrobeniusNorm | SpectralNorm):
            yield Change("transposed", str(node), put(relation, path, node.func(node.args[0].T)))
        if isinstance(node, NORMS):
            negative = sp.MatMul(-1, node.args[0])
            yield Change("negative in a norm", str(node), put(relation, path, node.func(negative)))
        if isinstance(node, InnerProduct):
            yield Change(
                "arguments swapped",
                str(node),
                put(relation, path, InnerProduct(*reversed(node.args))),
            )


def is_nonnegative(node: sp.Basic) -> bool:
    """True if an expression cannot be negative, by its form alone."""
    match node:
        case sp.Rational() | sp.Symbol():
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
