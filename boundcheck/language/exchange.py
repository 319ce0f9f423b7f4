"""A claim as plain data, and back, so that a stored instance can be judged without the program that
found it.

An expression is a list of a node's name and its arguments. Only the nodes below are read, and
nothing is evaluated; names, depth and size are checked before anything is built.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, cast, get_args

import sympy as sp
from sympy.core.relational import Relational
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.errors import InputError, one_of
from boundcheck.language import vocabulary
from boundcheck.language.algorithms import ALGORITHMS
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantity
from boundcheck.language.measures import MEASURES
from boundcheck.language.symbols import Domain, Parameter, symbol_of

# What each node is made of: numbers, N; symbols, s, which are numbers too; matrices and vectors, m;
# relations, r; a sum's index with its ends, p.
_SORTS: dict[Any, str] = {
    **dict.fromkeys((sp.Add, sp.Mul, sp.Max, sp.Min), "N+"),
    **dict.fromkeys((sp.Pow, sp.Le, sp.Ge, sp.Lt, sp.Gt, sp.ZeroMatrix), "NN"),
    **dict.fromkeys((sp.exp, sp.log, sp.Identity, sp.Abs), "N"),
    sp.Eq: "NN|mm",
    **dict.fromkeys(
        (vocabulary.FrobeniusNorm, vocabulary.SpectralNorm, vocabulary.EuclideanNorm), "m"
    ),
    **dict.fromkeys((vocabulary.Gradient, vocabulary.Hessian, vocabulary.Value), "sm"),
    vocabulary.PartialGradient: "smm",
    **dict.fromkeys((vocabulary.InnerProduct, vocabulary.Pair), "mm"),
    vocabulary.Iterate: "sNNN",
    vocabulary.Expectation: "Nm*",
    vocabulary.MatrixExpectation: "mm*",
    vocabulary.MinimumOver: "NsNN",
    **dict.fromkeys((sp.MatAdd, sp.HadamardProduct), "m+"),
    **dict.fromkeys((sp.Transpose, sp.Trace), "m"),
    sp.MatMul: "[nsm]+",
    sp.MatPow: "mN",
    sp.And: "r+",
    sp.Sum: "Np",
    sp.Tuple: "sNN",
    type(sp.E): "",
}
# SymPy simplifies these unless told not to.
_EVALUATED = {
    sp.Add,
    sp.Mul,
    sp.Max,
    sp.Min,
    sp.Pow,
    sp.Le,
    sp.Ge,
    sp.Lt,
    sp.Gt,
    sp.exp,
    sp.log,
    sp.Eq,
}
_GROWTH = (sp.exp, sp.log)
_NODES: dict[str, Any] = {node.__name__: node for node in _SORTS}
# The assumptions that the symbols of this package and of proofs carry.
_ASSUMED = ("positive", "nonnegative", "integer", "real")
# Longer integers, higher powers and larger matrices are not read: they could take all day to
# evaluate.
_LONGEST, _HIGHEST, _LARGEST, _TURNS = 400, 1000, 256, 16
# Nodes inside of one another, nodes in all, and hypotheses of hypotheses.
_DEEPEST, _MOST, _CHAIN = 64, 2000, 16
_LETTER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}'{0,3}")
_RATIONAL = re.compile(r"-?[0-9]+(/[0-9]*[1-9][0-9]*)?")
# The fields of a claim in a file, which does not tell its word.
_FIELDS = tuple(each.name for each in fields(Claim) if each.name != "word")
_WORDS: dict[str, Mapping[str, Any]] = {"algorithm": ALGORITHMS, "measure": MEASURES}


def expression_as_json(node: sp.Basic) -> Any:
    """An expression as nested lists: a node's name and its arguments; a rational is text, a symbol
    has its assumptions.

    Raises TypeError for a node outside of the vocabulary.
    """
    if isinstance(node, sp.Rational | sp.Float):
        return str(sp.Rational(node))
    if isinstance(node, sp.Symbol):
        assumed = [name for name in _ASSUMED if node._assumptions_orig.get(name)]
        if {name for name, value in node._assumptions_orig.items() if value is not None} - {
            *assumed,
            "commutative",
        }:
            raise TypeError(f"{node} has assumptions other than {', '.join(_ASSUMED)}")
        return ["Symbol", _plain(str(node.name)), *assumed]
    if isinstance(node, sp.MatrixSymbol):
        return ["MatrixSymbol", _plain(node.name), *map(expression_as_json, node.shape)]
    # SymPy's classes of relations have longer names.
    name = next((name for name, made in _NODES.items() if node.func is made), type(node).__name__)
    if name not in _NODES:
        raise TypeError(f"{node!r} is not an expression of the vocabulary")
    return [name, *map(expression_as_json, node.args)]


def _plain(name: Any) -> str:
    if not isinstance(name, str) or not _LETTER.fullmatch(name):
        raise TypeError(f"{name} is not a name of ASCII letters, digits, _ and primes")
    return name


def expression_from_json(data: Any, field: str = "expression") -> Any:
    """The expression that `expression_as_json` wrote; raises InputError for anything else."""
    try:
        # Refuse lists that are too deep or too many, without going into them.
        level, nodes = [data], 0
        for _ in range(_DEEPEST):
            level = [each for node in level if isinstance(node, list) for each in node]
            nodes += len(level)
            if nodes > _MOST:
                raise ValueError(nodes)
        if level:
            raise ValueError(_DEEPEST)
        return _read(data)
    except (
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
        IndexError,
        ZeroDivisionError,
        RecursionError,
    ):
        raise InputError(
            field, data, "an expression over the vocabulary, as boundcheck writes them"
        ) from None


def _read(data: Any) -> Any:
    if isinstance(data, str):
        if len(data) > _LONGEST or not _RATIONAL.fullmatch(data):
            raise ValueError(data)
        top, _, bottom = data.partition("/")
        return sp.Rational(int(top), int(bottom or 1))
    name, *rest = data
    if name == "Symbol":
        text, *assumed = rest
        if not set(assumed) <= set(_ASSUMED):
            raise ValueError(data)
        return sp.Symbol(_plain(text), **dict.fromkeys(assumed, True))
    if name == "MatrixSymbol":
        text, rows, columns = rest
        sides = _read(rows), _read(columns)
        _check_size(sp.MatrixSymbol, sides)
        return sp.MatrixSymbol(_plain(text), *sides)
    made, arguments = _NODES[name], [_read(each) for each in rest]
    if not re.fullmatch(_SORTS[made].replace("N", "[ns]"), "".join(map(_sort, arguments))):
        raise ValueError(data)
    _check_size(made, arguments)
    return made(*arguments, evaluate=False) if made in _EVALUATED else made(*arguments)


def _sort(node: Any) -> str:
    match node:
        case MatrixExpr():
            return "m"
        case Relational() | sp.And():
            return "r"
        case sp.Tuple():
            return "p"
        case sp.Symbol():
            return "s"
        case sp.Expr():
            return "n"
    raise TypeError(node)


def _check_size(made: Any, arguments: Sequence[Any]) -> None:
    if made in (sp.Pow, sp.MatPow):
        exponent = arguments[1]
        symbolic = made is sp.Pow and not exponent.has(sp.Pow, *_GROWTH)
        if isinstance(exponent, sp.Rational) and max(abs(exponent.p), exponent.q) > _HIGHEST:
            raise ValueError(exponent)
        if made is sp.MatPow and not (exponent.is_Integer and abs(exponent) <= _TURNS):
            raise ValueError(exponent)
        if not isinstance(exponent, sp.Rational) and not (symbolic and exponent.free_symbols):
            raise ValueError(exponent)
    if made in (sp.MatrixSymbol, sp.Identity, sp.ZeroMatrix) and any(
        x.is_Integer and x > _LARGEST for x in arguments
    ):
        raise ValueError(arguments)


def claim_as_json(claim: Claim) -> dict[str, Any]:
    """A table of everything that a claim says, with its hypotheses in full."""
    words = {kind: word.id for kind in _WORDS if (word := getattr(claim, kind)) is not None}
    return {name: _written(getattr(claim, name)) for name in _FIELDS if name not in _WORDS} | words


def _written(value: Any) -> Any:
    match value:
        case Claim():
            return claim_as_json(value)
        case sp.Basic():
            return expression_as_json(value)
        case Quantity():
            return {each.name: _written(getattr(value, each.name)) for each in fields(value)}
        case Parameter():
            return {each.name: getattr(value, each.name) for each in fields(value)} | {
                "symbol": value.name
            }
    return [_written(each) for each in value] if isinstance(value, tuple) else value


def claim_from_json(data: Any, depth: int = 0) -> Claim:
    """The claim that `claim_as_json` wrote; raises an InputError that names the wrong field."""
    if not isinstance(data, dict):
        raise InputError("claim", data, "a table")
    if depth > _CHAIN:
        raise InputError(
            "claim.hypotheses",
            "(too deep)",
            f"at most {_CHAIN} hypotheses each of the one before it",
        )
    for name, value in data.items():
        if name not in _FIELDS:
            raise InputError(f"claim.{name}", value, "no such field")
    for name in ("id", "title", "source", "conclusion"):
        if name not in data:
            raise InputError(f"claim.{name}", "(not given)", "a value")
    made = Claim(**{name: _field(name, value, depth) for name, value in data.items()})
    # A file does not tell the word of a hypothesis: it is that of the catalogue's, where this says
    # the same.
    known = catalogue.get(made.id, made)
    return known if replace(known, word=None) == made else made


def _field(name: str, value: Any, depth: int) -> Any:
    """The value of a field of a claim, from plain data."""
    match name:
        case "conclusion":
            return expression_from_json(value, "claim.conclusion")
        case "algorithm" | "measure":
            if not isinstance(value, str) or value not in _WORDS[name]:
                raise InputError(f"claim.{name}", value, one_of(value, _WORDS[name]))
            return _WORDS[name][value]
        case "hypotheses" | "quantities" | "conditions" | "declared":
            if not isinstance(value, list):
                raise InputError(f"claim.{name}", value, "a list")
            read: dict[str, Callable[[Any], Any]] = {
                "hypotheses": lambda each: claim_from_json(each, depth + 1),
                "quantities": _quantity,
                "conditions": lambda each: expression_from_json(each, "claim.conditions"),
                "declared": _parameter,
            }
            return tuple(map(read[name], value))
    if not isinstance(value, str) or not all(c.isprintable() or c.isspace() for c in value):
        raise InputError(f"claim.{name}", value, "text without control characters")
    return value


def _parameter(data: Any) -> Parameter:
    known = {each.name for each in fields(Parameter)}
    if not isinstance(data, dict) or not {"symbol", "domain"} <= data.keys() <= known:
        raise InputError("claim.declared", data, "tables of symbol, domain, meaning and latex")
    name, domain = data["symbol"], data["domain"]
    if not isinstance(name, str) or not isinstance(domain, str) or domain not in get_args(Domain):
        raise InputError(
            "claim.declared",
            data,
            f"a name, and a domain that is one of {', '.join(get_args(Domain))}",
        )
    is_of = cast(Domain, domain)
    return Parameter(symbol_of(name, is_of), is_of, data.get("meaning", ""), data.get("latex", ""))


def _quantity(data: Any) -> Quantity:
    if not isinstance(data, dict) or not {"symbol", "expression"} <= data.keys():
        raise InputError("claim.quantities", data, "tables of symbol, expression and meaning")
    symbol = expression_from_json(data["symbol"], "claim.quantities.symbol")
    if not isinstance(symbol, sp.Symbol):
        raise InputError("claim.quantities.symbol", data["symbol"], "a symbol")
    expression = expression_from_json(data["expression"], "claim.quantities.expression")
    return Quantity(symbol, expression, str(data.get("meaning", "")))
