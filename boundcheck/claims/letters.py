"""The letters of a claim: each has one name, one meaning and one look, and those with a value are declared.

Nobody would be asked for the value of an undeclared symbol, and code that looks letters up by name would take two
symbols of one name for one. So both are refused when the claim is made.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import sympy as sp

from boundcheck.claims.symbols import LATEX_NAMES, PARAMETERS, Parameter, look
from boundcheck.claims.text import is_plain
from boundcheck.claims.typed import line
from boundcheck.errors import InputError

if TYPE_CHECKING:
    from boundcheck.claims.claim import Claim


# The time of an iterate, and a time before it over which sums range.
_TIMES = ("t", "i")


def declarations(claim: "Claim") -> dict[str, Parameter]:
    """By name, the parameters that a claim may use: the catalogue's, its hypotheses', and its own."""
    return PARAMETERS | own_parameters(claim)


def own_parameters(claim: "Claim") -> dict[str, Parameter]:
    """By name, the parameters that a claim or one of its hypotheses declares."""
    found: dict[str, Parameter] = {}
    for each in claim.hypotheses:
        found |= own_parameters(each)
    return found | {parameter.name: parameter for parameter in claim.declared}


def letters(claim: "Claim") -> set[Any]:
    """Every symbol and matrix symbol in a claim or one of its hypotheses."""
    found = set().union(*(letters(each) for each in claim.hypotheses))
    for each in _expressions(claim):
        found |= each.free_symbols
    return found


def _expressions(claim: "Claim") -> Iterator[sp.Basic]:
    yield claim.conclusion
    yield from claim.conditions
    for quantity in claim.quantities:
        yield from (quantity.symbol, quantity.expression)


def check(claim: "Claim") -> None:
    """Check that each letter of a claim has one meaning.

    Raises:
        InputError: for anything but a sympy expression; for a symbol in a quantity or a condition that is neither
            declared nor derived before; for a parameter that is declared twice or not used; for two letters with one
            name or one look.

    """
    for each in _expressions(claim):
        if not isinstance(each, sp.Basic):
            raise InputError("claim", each, f"SymPy expressions in {claim.id or 'a claim'}, and not text")
    _check_declared(claim)
    known, derived = declarations(claim), set[sp.Symbol]()
    for quantity in claim.quantities:
        if not isinstance(quantity.symbol, sp.Symbol):
            raise InputError("claim.quantities", quantity.symbol, "a symbol")
        _check_known("claim.quantities", quantity.expression, known, derived)
        if quantity.name in {symbol.name for symbol in derived}:
            raise InputError("claim.quantities", quantity.name, "one quantity of each name")
        if quantity.name in own_parameters(claim):
            raise InputError("claim.declared", quantity.name, "a name that no quantity has")
        derived.add(quantity.symbol)
    for condition in claim.conditions:
        if not isinstance(condition, sp.core.relational.Relational):
            raise InputError("claim.conditions", condition, "relations that SymPy does not decide by itself")
        _check_known("claim.conditions", condition, known, derived)
    _check_names(claim, derived)


def _check_declared(claim: "Claim") -> None:
    names = [parameter.name for parameter in claim.declared]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError("claim.declared", twice, "one parameter of each name")
    if not claim.declared:
        return
    inherited = [own_parameters(each) for each in claim.hypotheses]
    used = letters(claim).union(claim.algorithm.parameters if claim.algorithm else ())
    for parameter in claim.declared:
        if parameter.name in _TIMES:
            raise InputError("claim.declared", parameter.name, "another letter: this one is a time, and has no value")
        if parameter.symbol not in used:
            raise InputError("claim.declared", parameter.name, "a parameter that the claim speaks of")
        if any(each.get(parameter.name, parameter) != parameter for each in inherited):
            raise InputError("claim.declared", parameter.name, "the parameter of this name that a hypothesis declares")


def _check_known(field: str, expression: sp.Basic, known: Mapping[str, Parameter], derived: set[sp.Symbol]) -> None:
    for symbol in sorted(expression.free_symbols - derived, key=str):
        parameter = known.get(str(symbol.name))
        if isinstance(symbol, sp.MatrixSymbol) or (parameter is not None and parameter.symbol == symbol):
            continue
        expected = "a parameter that the claim declares (declared=), one of the catalogue's, or a quantity before it"
        if parameter is not None:
            expected = (
                f"the symbol that {symbol} is already, a {parameter.domain}: this one is assumed to be something else"
            )
        raise InputError(field, symbol, expected)


def _check_names(claim: "Claim", derived: set[sp.Symbol]) -> None:
    """Check that no two letters share a name or, where the claim declares one of them, a look."""
    own = own_parameters(claim)
    found = {*letters(claim), *derived}
    names: dict[str, Any] = {}
    for letter in sorted(found, key=str):
        name = str(letter.name)
        if name in names and (name in own or isinstance(letter, sp.Symbol) is isinstance(names[name], sp.Symbol)):
            raise InputError("claim", name, "one letter of this name: two differ in their assumptions or shape")
        names[name] = letter
    shown = latex_names(own.values())
    looks = {letter: shown.get(letter) or look(str(letter.name)) for letter in found if own}
    for parameter in own.values():
        other = next((x for x, look in looks.items() if look == parameter.latex and x != parameter.symbol), None)
        if other is not None:
            expected = f"another look in LaTeX for {parameter.name}: {other} has this one"
            raise InputError("claim.declared", parameter.latex, expected)


def looks(expression: sp.Basic) -> dict[Any, str]:
    """How the letters of an expression print in LaTeX by their names; commands and braces in a name are text."""
    found = {}
    for letter in expression.free_symbols:
        name = str(letter.name)
        odd = set(name) & {*_SPECIAL}
        found[letter] = rf"\mathrm{{{''.join(_SPECIAL.get(c, c) for c in name)}}}" if odd else look(name)
    return found


_SPECIAL = {c: rf"\{c}" for c in "{}%$&#"} | {"\\": r"\backslash{}", "~": r"\sim{}", "\n": " "}


def in_prose(name: str) -> str:
    """A letter's name in a text, such as ``$σ$`` for ``sigma``; words that are no name are left as they are."""
    shown = {str(symbol.name): made for symbol, made in LATEX_NAMES.items()}
    return f"${line(shown.get(name) or look(name))}$" if is_plain(name) else name


def latex_names(declared: Iterable[Parameter]) -> dict[sp.Symbol, str]:
    """How symbols print in LaTeX; a declared parameter says it itself."""
    return LATEX_NAMES | {parameter.symbol: parameter.latex for parameter in declared}
