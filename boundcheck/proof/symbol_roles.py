"""The roles of letters: what may be declared, which letters the catalogue has, and why a letter is refused.

Letters are sympy symbols. Two symbols with one name, such as two with different assumptions, would be one letter to a
reader: the second one is refused.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.errors import InputError
from boundcheck.language import symbols
from boundcheck.language import vocabulary as words

# The scalars of the catalogue, by name: constants, except T and those that are also dimensions.
CATALOGUE = {str(symbol.name): symbol for symbol in symbols.LETTERS}
HOW_TO_DECLARE = "constants=, arbitrary=, points= or processes= of the Reading say what it is"


@dataclass(frozen=True)
class Process:
    """The blocks of an iterate such as v_t, and when it is known: at its own time, or one later if it is drawn."""

    blocks: tuple[sp.MatrixSymbol, ...]
    drawn: bool = False

    @property
    def lag(self) -> int:
        """The number of steps after t at which the value at t is known."""
        return int(self.drawn)


def at_t(iterate: words.Iterate) -> words.Iterate:
    """The iterate at t, which is the key of its process in a reading."""
    name, _, rows, columns = iterate.args
    return words.Iterate(name, words.t, rows, columns)


def declared(role: str, given: Iterable[sp.Basic]) -> Iterable[sp.Basic]:
    """The letters with a declared role; raises InputError for anything else, and for letters of the catalogue."""
    for each in given:
        if isinstance(each, sp.Dummy) or not isinstance(each, sp.Symbol | sp.MatrixSymbol):
            raise InputError(role, each, "a Symbol or a MatrixSymbol, whose name says which it is")
        own = CATALOGUE.get(each.name) if isinstance(each, sp.Symbol) else None
        if own is not None and (own != each or role == "arbitrary"):
            raise InputError(role, each, f"another name: {each.name} is a constant of the catalogue, {_assumed(own)}")
        if isinstance(each, sp.Symbol) and not is_dimension(each) and each not in _makes(each.name):
            raise InputError(role, each, "a number that is assumed to be real, or positive, or nothing")
        if role == "arbitrary" and isinstance(each, sp.Symbol) and is_dimension(each):
            raise InputError(role, each, "a number that may vary; a dimension does not")
        yield each


def _makes(name: str) -> tuple[sp.Symbol, ...]:
    """The numbers of this name that the kernel knows: real ones, which a proof may assume to be positive."""
    return sp.Symbol(name), sp.Symbol(name, real=True), sp.Symbol(name, positive=True)


def told_apart(letters: Iterable[sp.Basic | tuple[sp.Basic, bool]]) -> None:
    """Refuse two letters of one name, and one letter in two roles."""
    seen: set[str] = set()
    for each in letters:
        name = each[0].name if isinstance(each, tuple) else each.name
        if name in seen:
            raise InputError("letter", name, "one letter of this name, with one role")
        seen.add(name)


def _assumed(symbol: sp.Symbol) -> str:
    known = [name for name, value in symbol._assumptions_orig.items() if value and name != "commutative"]
    return f"a {' '.join(known)} number" if known else "any number"


def without_role(node: sp.Basic, letters: Iterable[sp.Basic]) -> str:
    """A text on what is expected in place of a letter without a role: the letter of its name with a role, or a role."""
    other = next((x for x in letters if x.name == node.name), None)
    if isinstance(node, sp.Symbol) and other is None:
        other = CATALOGUE.get(node.name)
    if other is None:
        return f"a letter with a role; {HOW_TO_DECLARE}"
    told = _assumed(other) if isinstance(other, sp.Symbol) else f"of shape {other.shape}"
    return f"the letter of this name that has a role, which is {told}"


def function_name(symbol: sp.Basic) -> str:
    """The name of a function; raises InputError for a symbol with assumptions."""
    if symbol != sp.Symbol(getattr(symbol, "name", "")):
        raise InputError("function", symbol, "a plain Symbol, such as f, that names a function")
    return str(symbol.name)


def is_dimension(symbol: sp.Symbol) -> bool:
    """True if a symbol is assumed to be a positive integer and nothing else, as dimensions of matrices are."""
    plain = symbol == sp.Symbol(symbol.name, positive=True, integer=True)
    return bool(plain and size_of(symbol.name) is None and CATALOGUE.get(symbol.name, symbol) == symbol)


def shape_names(node: MatrixExpr) -> tuple[str, str]:
    """The names of a matrix's dimensions; raises InputError for any other size."""
    rows, columns = map(_size, node.shape)
    return rows, columns


def _size(size: sp.Expr) -> str:
    if size.is_Integer:
        return "one" if size == 1 else f"size{size}"
    if not isinstance(size, sp.Symbol) or not is_dimension(size):
        raise InputError("dimension", size, "a number, or a Symbol that is positive, an integer and nothing else")
    return str(size.name)


def size_of(name: str) -> int | None:
    """The number that a name of `shape_names` stands for, and None where it stands for any dimension."""
    fixed = re.fullmatch(r"(one)|size(\d+)", name)
    return fixed and (1 if fixed[1] else int(fixed[2]))


def is_plain(node: sp.Basic) -> bool:
    """True if a node's class is truly one of sympy's or of the vocabulary's."""
    kind = type(node)
    home = sys.modules.get(kind.__module__)
    ours = kind.__module__ == words.__name__ or kind.__module__.startswith("sympy.")
    return ours and getattr(home, kind.__name__, None) is kind
