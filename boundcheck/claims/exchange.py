"""A claim as plain data, and back: what a stored instance needs to be judged without the program that found it.

Expressions are lists of a node's name and its arguments. Only the nodes below are read, and nothing is evaluated.
"""

from collections.abc import Sequence
from typing import Any

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.claims import vocabulary
from boundcheck.claims.claim import Claim, Quantity
from boundcheck.errors import InputError

_WORDS = (
    vocabulary.FrobeniusNorm,
    vocabulary.SpectralNorm,
    vocabulary.EuclideanNorm,
    vocabulary.Gradient,
    vocabulary.Hessian,
    vocabulary.PartialGradient,
    vocabulary.Value,
    vocabulary.InnerProduct,
    vocabulary.Iterate,
    vocabulary.Expectation,
    vocabulary.MatrixExpectation,
    vocabulary.MinimumOver,
)
# These would simplify what was written, unless told not to.
_EVALUATED = (sp.Add, sp.Mul, sp.Pow, sp.Max, sp.Min, sp.Le, sp.Ge, sp.Lt, sp.Gt, sp.Eq)
_MATRICES = (sp.MatAdd, sp.MatMul, sp.MatPow, sp.Transpose, sp.HadamardProduct, sp.Identity, sp.ZeroMatrix)
_OTHERS = (sp.And, sp.Abs, sp.Sum, sp.Tuple, sp.Trace, *_MATRICES)
_NODES: dict[str, Any] = {node.__name__: node for node in (*_WORDS, *_EVALUATED, *_OTHERS)}
# The assumptions that the symbols of this package and of proofs carry.
_ASSUMED = ("positive", "nonnegative", "integer", "real")
# Longer integers, higher powers and larger matrices are not read: to evaluate them could take all day.
_LONGEST, _HIGHEST, _LARGEST = 400, 1000, 4096


def expression_as_json(node: sp.Basic) -> Any:
    """Nested lists: the node's name and its arguments; a rational is text, a symbol lists what is assumed of it.

    Raises:
        TypeError: for a node outside of the vocabulary.

    """
    if isinstance(node, sp.Rational | sp.Float):
        return str(sp.Rational(node))
    if isinstance(node, sp.Symbol):
        assumed = [name for name in _ASSUMED if node._assumptions_orig.get(name)]
        if {name for name, value in node._assumptions_orig.items() if value is not None} - {*assumed, "commutative"}:
            raise TypeError(f"{node} is assumed to be something else than {', '.join(_ASSUMED)}")
        return ["Symbol", str(node.name), *assumed]
    if isinstance(node, sp.MatrixSymbol):
        return ["MatrixSymbol", node.name, *map(expression_as_json, node.shape)]
    name = _name(node)
    if name not in _NODES:
        raise TypeError(f"{node!r} is no expression of the vocabulary")
    return [name, *map(expression_as_json, node.args)]


def _name(node: sp.Basic) -> str:
    # Relations answer to longer names of their own.
    return next((name for name, made in _NODES.items() if node.func is made), type(node).__name__)


def expression_from_json(data: Any, field: str = "expression") -> Any:
    """The expression that `expression_as_json` wrote; raises InputError for anything else."""
    try:
        return _read(data)
    except (AttributeError, KeyError, TypeError, ValueError, IndexError, ZeroDivisionError, RecursionError):
        raise InputError(field, data, "an expression over the vocabulary, as boundcheck writes them") from None


def _read(data: Any) -> Any:
    if isinstance(data, str):
        if len(data) > _LONGEST:
            raise ValueError(data)
        top, _, bottom = data.partition("/")
        if int(bottom or 1) < 1:
            raise ValueError(data)
        return sp.Rational(int(top), int(bottom or 1))
    name, *rest = data
    if name == "Symbol":
        text, *assumed = rest
        if not isinstance(text, str) or not set(assumed) <= set(_ASSUMED):
            raise ValueError(data)
        return sp.Symbol(text, **dict.fromkeys(assumed, True))
    if name == "MatrixSymbol":
        text, rows, columns = rest
        if not isinstance(text, str):
            raise ValueError(data)
        sides = _read(rows), _read(columns)
        _check_size(sp.MatrixSymbol, sides)
        return sp.MatrixSymbol(text, *sides)
    made, arguments = _NODES[name], [_read(each) for each in rest]
    _check_size(made, arguments)
    if made in _EVALUATED:
        return made(*arguments, evaluate=False)
    if made is sp.Sum:
        # The range is a triple, which sympy takes as one.
        return made(*arguments)
    if made in _WORDS and any(not isinstance(x, sp.Expr | MatrixExpr) for x in arguments):
        raise ValueError(data)
    return made(*arguments)


def _check_size(made: Any, arguments: Sequence[Any]) -> None:
    if made in (sp.Pow, sp.MatPow):
        exponent = arguments[1]
        if not isinstance(exponent, sp.Rational) or max(abs(exponent.p), exponent.q) > _HIGHEST:
            raise ValueError(exponent)
    if made in (sp.MatrixSymbol, sp.Identity, sp.ZeroMatrix) and any(x.is_Integer and x > _LARGEST for x in arguments):
        raise ValueError(arguments)


def claim_as_json(claim: Claim) -> dict[str, Any]:
    """All that a claim says, with its hypotheses in full."""
    return {
        "id": claim.id,
        "title": claim.title,
        "source": claim.source,
        "conclusion": expression_as_json(claim.conclusion),
        "quantifier": claim.quantifier,
        "hypotheses": [claim_as_json(each) for each in claim.hypotheses],
        "quantities": [
            {"symbol": expression_as_json(q.symbol), "expression": expression_as_json(q.expression)}
            | {"meaning": q.meaning}
            for q in claim.quantities
        ],
        "conditions": [expression_as_json(each) for each in claim.conditions],
        "note": claim.note,
        "argument": claim.argument,
    }


def claim_from_json(data: Any) -> Claim:
    """The claim that `claim_as_json` wrote; raises InputError that names the field that is not as it writes them."""
    if not isinstance(data, dict):
        raise InputError("claim", data, "a table")
    missing = [name for name in ("id", "title", "source", "conclusion") if name not in data]
    if missing:
        raise InputError(f"claim.{missing[0]}", "(not given)", "a value")
    lists = {name: data.get(name, []) for name in ("hypotheses", "quantities", "conditions")}
    for name, value in lists.items():
        if not isinstance(value, list):
            raise InputError(f"claim.{name}", value, "a list")
    texts = {name: data.get(name, "") for name in ("id", "title", "source", "quantifier", "note", "argument")}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise InputError(f"claim.{name}", text, "text")
    return Claim(
        texts["id"],
        texts["title"],
        texts["source"],
        expression_from_json(data["conclusion"], "claim.conclusion"),
        texts["quantifier"],
        tuple(claim_from_json(each) for each in lists["hypotheses"]),
        tuple(_quantity(each) for each in lists["quantities"]),
        tuple(expression_from_json(each, "claim.conditions") for each in lists["conditions"]),
        note=texts["note"],
        argument=texts["argument"],
    )


def _quantity(data: Any) -> Quantity:
    if not isinstance(data, dict) or not {"symbol", "expression"} <= data.keys():
        raise InputError("claim.quantities", data, "tables of symbol, expression and meaning")
    symbol = expression_from_json(data["symbol"], "claim.quantities.symbol")
    if not isinstance(symbol, sp.Symbol):
        raise InputError("claim.quantities.symbol", data["symbol"], "a symbol")
    meaning = str(data.get("meaning", ""))
    return Quantity(symbol, expression_from_json(data["expression"], "claim.quantities.expression"), meaning)
