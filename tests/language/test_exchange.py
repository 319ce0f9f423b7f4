"""Claims as plain data: they come back equal, and nothing but expressions is read."""

from __future__ import annotations

import json

import pytest
import sympy as sp

from boundcheck.errors import InputError
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantity
from boundcheck.language.exchange import (
    claim_as_json,
    claim_from_json,
    expression_as_json,
    expression_from_json,
)
from boundcheck.language.symbols import L, Lhat, Parameter, symbol_of


@pytest.mark.parametrize("id", list(catalogue))
def test_each_claim_comes_back_equal(id: str) -> None:
    assert claim_from_json(json.loads(json.dumps(claim_as_json(catalogue[id])))) == catalogue[id]


def test_matrices_sums_and_assumptions_come_back() -> None:
    m, t = sp.Symbol("m", positive=True, integer=True), sp.Symbol("t", positive=True, integer=True)
    X = sp.MatrixSymbol("X", m, 3)
    for node in (
        sp.Trace(X.T * X) - sp.Sum(t**2, (t, 1, m)),
        sp.Trace(sp.HadamardProduct(X, X) * sp.ZeroMatrix(3, m) + sp.Identity(m)),
        sp.Symbol("x") + sp.Symbol("x", nonnegative=True) + sp.Symbol("x", real=True),
    ):
        assert expression_from_json(json.loads(json.dumps(expression_as_json(node)))) == node


@pytest.mark.parametrize(
    "data",
    [
        *(None, 1, 1.5, "x", "1/0", "9" * 200_000, "1_0", " 1", "٣", [], {"a": 1}),
        ["eval", "1"],
        ["Symbol"],
        ["Symbol", 3],
        ["Symbol", "x", "commutative"],
        ["MatrixSymbol", 2, "1", "1"],
        ["MatrixSymbol", "X", "1"],
        ["Gradient", ["Symbol", "f"]],
        ["FrobeniusNorm", []],
        ["Pow", "2"],
        ["Pow", "2", "1000000000"],
        ["Pow", "2", ["Pow", "2", ["Symbol", "x"]]],
        ["Pow", "2", ["exp", "9"]],
        ["Symbol", "__import__('os').abort()"],
        ["Symbol", "σ"],
        ["Symbol", "x}\\input{y"],
        ["MatrixSymbol", "<b>", "1", "1"],
        ["Max", *["1"] * 5000],
        ["MatPow", ["MatrixSymbol", "X", "2", "2"], "100000000"],
        ["Identity", "30000"],
        ["MatrixSymbol", "X", "30000", "1"],
    ],
    ids=lambda data: str(data)[:20],
)
def test_anything_else_is_refused(data: object) -> None:
    with pytest.raises(InputError, match=r"^expression = "):
        expression_from_json(data)


def test_lists_without_end_are_refused() -> None:
    deep: object = ["Symbol", "x"]
    for _ in range(100_000):
        deep = ["Abs", deep]
    with pytest.raises(InputError, match=r"^expression = [^\n]*$"):
        expression_from_json(deep)
    claim = claim_as_json(catalogue["jiang2024.assumption1"])
    for _ in range(100):
        claim = claim | {"hypotheses": [claim]}
    with pytest.raises(InputError, match=r"^claim\.hypotheses = "):
        claim_from_json(claim)


def test_a_parameter_of_ones_own_comes_back() -> None:
    kappa, gamma = (
        Parameter(
            symbol_of("kappa", "positive real"), "positive real", "condition number", r"\varkappa"
        ),
        (Parameter(symbol_of("gamma", "real"), "real", "a shift")),
    )
    formula = sp.exp(kappa.symbol) * L**kappa.symbol + sp.log(gamma.symbol + 2) + sp.exp(1)
    mine = Claim(
        "mine",
        "Mine",
        "here",
        sp.Le(gamma.symbol, Lhat),
        quantities=(Quantity(Lhat, formula, "mine"),),
        conditions=(sp.Ge(kappa.symbol, 1),),
        declared=(kappa, gamma),
    )
    back = claim_from_json(json.loads(json.dumps(claim_as_json(mine))))
    assert back == mine
    assert back.parameters == mine.parameters
    assert back.definitions_latex == mine.definitions_latex
    inputs = {"L": 2, "kappa": 3, "gamma": -1}
    assert back.values(**inputs) == mine.values(**inputs)


@pytest.mark.parametrize(
    "declared",
    [
        3,
        [3],
        [{"symbol": "kappa"}],
        [{"symbol": "kappa", "domain": "complex"}],
        [{"symbol": "kappa", "domain": ["real"]}],
        [{"symbol": "x;y", "domain": "real"}],
        [{"symbol": "L", "domain": "real"}],
        [{"symbol": "kappa", "domain": "real", "meaning": 3}],
        [{"symbol": "kappa", "domain": "real", "more": ""}],
        [{"symbol": "kappa", "domain": "real"}],
    ],
    ids=str,
)
def test_a_wrong_declaration_is_refused(declared: object) -> None:
    with pytest.raises(InputError, match=r"^(claim\.declared|parameter)[^\n]*$"):
        claim_from_json(claim_as_json(catalogue["jiang2024.theorem2"]) | {"declared": declared})


def test_a_float_is_its_binary_value_and_what_cannot_be_read_is_not_written() -> None:
    assert expression_from_json(expression_as_json(1.5 * sp.Symbol("x"))) == sp.Rational(
        3, 2
    ) * sp.Symbol("x")
    for assumed in ({"negative": True}, {"even": True}, {"positive": False}):
        with pytest.raises(TypeError, match="has assumptions other than"):
            expression_as_json(sp.Symbol("x", **assumed))
    with pytest.raises(TypeError, match="vocabulary"):
        expression_as_json(sp.sin(sp.Symbol("x")))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": 3}, "claim.id"),
        ({"conclusion": ["exec"]}, "claim.conclusion"),
        ({"hypotheses": "none"}, "claim.hypotheses"),
        ({"hypotheses": [3]}, "claim"),
        ({"quantities": [{"symbol": "1", "expression": "1"}]}, "claim.quantities.symbol"),
        ({"quantities": [{}]}, "claim.quantities"),
        ({"conditions": [["no"]]}, "claim.conditions"),
        ({"note": 1}, "claim.note"),
        ({"verdict": "proved"}, "claim.verdict"),
    ],
)
def test_a_claim_with_a_wrong_field_is_refused_by_its_name(change: dict, field: str) -> None:
    with pytest.raises(InputError) as caught:
        claim_from_json(claim_as_json(catalogue["jiang2024.theorem2"]) | change)
    assert caught.value.field == field
    for missing in ("id", "title", "source", "conclusion"):
        data = claim_as_json(catalogue["jiang2024.theorem2"])
        del data[missing]
        with pytest.raises(InputError) as caught:
            claim_from_json(data)
        assert caught.value.field == f"claim.{missing}"


def test_a_claim_of_ones_own_needs_no_more_than_its_statement() -> None:
    x = sp.Symbol("x", positive=True)
    mine = Claim("mine", "Mine", "here", sp.Le(x, 2 * x, evaluate=False))
    data = {name: value for name, value in claim_as_json(mine).items() if value}
    assert claim_from_json(data) == mine
