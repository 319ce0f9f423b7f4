"""A calculator: the formulas of claims as plain data, which the page's script evaluates at values
that a reader chooses.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import sympy as sp

from boundcheck.language.claim import Claim
from boundcheck.language.prose import mathml_of
from boundcheck.language.symbols import T
from boundcheck.language.view import Part, Widget
from boundcheck.present.material import Material, placed
from boundcheck.present.words import said

# What a formula may be made of, by the names in the script.
_SIGNS = {sp.Add: "+", sp.Mul: "*", sp.Pow: "^", sp.Max: "max", sp.Min: "min"}
_SIGNS |= {sp.log: "log", sp.exp: "exp"}


@placed(130, "Calculator")
def calculator(material: Material) -> Iterator[Part]:
    """Each bound, step size and constant at your own numbers. The address keeps them."""
    letters = dict[str, int]()
    claims = []
    for each in material.claims:
        # A claim with a function that the script has not is left out.
        with suppress(KeyError):
            claims += [_as_data(each, letters)] if each.quantities else []
    if claims:
        yield Widget("calculator", {"letters": list(letters), "claims": claims})


def _as_data(claim: Claim, letters: dict[str, int]) -> dict[str, Any]:
    """A claim's inputs, conditions and formulas; how a letter looks is put among the letters, and
    said by its place there.
    """

    def look(expression: sp.Basic) -> int:
        return letters.setdefault(mathml_of(claim.latex(expression)), len(letters))

    inputs = [
        {
            "name": each.name,
            "look": look(each.symbol),
            "means": said(each.meaning),
            "whole": each.symbol.is_integer,
            # A horizon is long; a rank, and what else is counted, is small.
            "first": 10_000 if each.symbol == T else 8 if each.symbol.is_integer else 1,
        }
        for each in claim.parameters
    ]
    conditions = [{"look": look(each), "holds": _tree(each)} for each in claim.conditions]
    quantities = [
        {
            "name": each.name,
            "look": look(each.symbol),
            "means": said(each.meaning),
            "is": _tree(each.expression),
        }
        for each in claim.quantities
    ]
    about = {"id": claim.id, "title": claim.title}
    return about | {"inputs": inputs, "conditions": conditions, "quantities": quantities}


def _tree(expression: Any) -> Any:
    """A formula or a relation as a number, a name, or a list of a sign and what it joins; raises
    KeyError for any other function.
    """
    if isinstance(expression, sp.Symbol):
        return expression.name
    if isinstance(expression, sp.Integer):
        return int(expression)
    if isinstance(expression, sp.Rational):
        return ["/", expression.p, expression.q]
    sign = expression.rel_op if expression.is_Relational else _SIGNS[expression.func]
    return [sign, *map(_tree, expression.args)]
