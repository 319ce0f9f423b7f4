"""`Claim`: a statement of a paper as data, and everything that is derived from it.

The formula lives once, as the sympy expression of a `Quantity`. Number, Arb enclosure, LaTeX and curve come from
that expression and from nowhere else.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
import sympy as sp
from flint import arb

from boundcheck.claims.enclose import enclose
from boundcheck.claims.inputs import Number, checked
from boundcheck.claims.sign import sign
from boundcheck.claims.symbols import LATEX_NAMES, PARAMETERS, Parameter
from boundcheck.errors import InputError


@dataclass(frozen=True)
class Quantity:
    """A named scalar that a claim derives: `symbol` = `expression`, over parameters and earlier quantities."""

    symbol: sp.Symbol
    expression: sp.Expr
    meaning: str

    @property
    def name(self) -> str:
        """The key under which `Claim.values` reports it."""
        return str(self.symbol.name)


@dataclass(frozen=True)
class Claim:
    """A statement with its hypotheses, in the words of its source.

    Attributes:
        id: the name in the catalogue, ``jiang2024.lemma1``.
        title: what a reader calls it, "Lemma 1".
        source: paper, number and equation.
        conclusion: a relation over the vocabulary and symbols; the last quantity stands in it by its symbol.
        quantifier: LaTeX of the range of the free objects, "for all W_1, W_2".
        hypotheses: the claims it rests on.
        quantities: derived scalars in order of derivation; the last one is what the claim is measured against.
        conditions: relations over parameters and quantities that a user's numbers must satisfy.
        note: what a reader must know before using it, where the statement alone would mislead.
        argument: why it holds, of a statement that no script in `proofs` has the kernel replay.

    """

    id: str
    title: str
    source: str
    conclusion: sp.core.relational.Relational
    quantifier: str = ""
    hypotheses: tuple["Claim", ...] = ()
    quantities: tuple[Quantity, ...] = ()
    conditions: tuple[sp.core.relational.Relational, ...] = ()
    note: str = field(default="", kw_only=True)
    argument: str = field(default="", kw_only=True)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The symbols that a user gives values to, in the order of `symbols`."""
        derived = {quantity.symbol for quantity in self.quantities}
        used = set().union(
            *(quantity.expression.free_symbols for quantity in self.quantities),
            *(condition.free_symbols for condition in self.conditions),
        )
        return tuple(p for p in PARAMETERS.values() if p.symbol in used - derived)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the quantities, in order of derivation."""
        return tuple(quantity.name for quantity in self.quantities)

    def expression(self, name: str) -> sp.Expr:
        """The formula of the quantity called `name`, over parameters alone."""
        return self._expressions[name]

    @cached_property
    def _expressions(self) -> dict[str, sp.Expr]:
        resolved: dict[sp.Symbol, sp.Expr] = {}
        for quantity in self.quantities:
            resolved[quantity.symbol] = quantity.expression.subs(resolved)
        return {str(symbol.name): expression for symbol, expression in resolved.items()}

    def function(self, name: str) -> Callable[..., Any]:
        """The quantity called `name` as a NumPy function of keyword arguments (floats or arrays), unchecked.

        Arguments beyond the claim's parameters are not looked at: an assumed formula may be free of T.
        """
        return self._functions[name]

    @cached_property
    def _functions(self) -> dict[str, Callable[..., Any]]:
        names, symbols = [p.name for p in self.parameters], [p.symbol for p in self.parameters]

        def by_keyword(function: Callable[..., Any]) -> Callable[..., Any]:
            return lambda **given: function(*(given[name] for name in names))

        return {
            name: by_keyword(sp.lambdify(symbols, expression, modules="numpy"))
            for name, expression in self._expressions.items()
        }

    def values(self, **inputs: Number) -> dict[str, float]:
        """Every quantity as a float.

        Raises:
            InputError: for an unknown, missing or out-of-domain symbol, where a condition fails, and where a number
                lies beyond the range of floats.

        """
        numbers = {str(symbol.name): _float(str(symbol.name), value) for symbol, value in self.check(inputs).items()}
        with np.errstate(all="ignore"):
            values = {name: float(f(**numbers)) for name, f in self._functions.items()}
        for name, value in values.items():
            if not 0 < value < math.inf:
                raise InputError(name, value, "a number within the range of floats; the inputs are too extreme")
        return values

    def bound(self, **inputs: Number) -> float:
        """The last quantity as a float: L̂ of a lemma, the right-hand side of a theorem.

        Raises:
            InputError: as `values`.

        """
        return self.values(**inputs)[self.quantities[-1].name]

    def enclosures(self, **inputs: Number) -> dict[str, arb]:
        """Every quantity as an Arb ball that contains its exact value.

        Raises:
            InputError: as `values`.

        """
        values = self.check(inputs)
        return {name: enclose(e, values) for name, e in self._expressions.items()}

    def check(self, inputs: Mapping[str, Number]) -> dict[sp.Symbol, sp.Expr]:
        """Exact values of the parameters; raises InputError unless domains and conditions hold."""
        if not self.quantities:
            raise InputError("claim", self.id, "a claim with a quantity to evaluate, such as jiang2024.theorem2")
        values = checked(self.parameters, inputs)
        for condition in self.failing(values):
            limit = float(enclose(condition.rhs.subs(self._derived), values))
            relation = f"{condition.lhs} {condition.rel_op} {condition.rhs}"
            raise InputError(
                str(condition.lhs),
                inputs[str(condition.lhs)],
                f"{relation} = {limit:.6g}, without which {self.id} says nothing",
            )
        return values

    def failing(self, values: Mapping[sp.Symbol, sp.Expr]) -> list[sp.core.relational.Relational]:
        """The conditions that these exact values break, decided without rounding."""
        allowed = {sp.GreaterThan: (0, 1), sp.StrictGreaterThan: (1,), sp.LessThan: (-1, 0), sp.StrictLessThan: (-1,)}
        return [
            condition
            for condition in self.conditions
            if sign((condition.lhs - condition.rhs).subs(self._derived), values) not in allowed[condition.func]
        ]

    @cached_property
    def _derived(self) -> dict[sp.Symbol, sp.Expr]:
        return {quantity.symbol: self._expressions[quantity.name] for quantity in self.quantities}

    def case(self, id: str, title: str, source: str, where: Mapping[sp.Symbol, sp.Expr]) -> "Claim":
        """The special case of this claim at `where`, its formulas simplified by substitution alone."""
        return Claim(
            id,
            title,
            source,
            self.conclusion.subs(where),
            self.quantifier,
            self.hypotheses,
            tuple(Quantity(q.symbol, q.expression.subs(where), q.meaning) for q in self.quantities),
            tuple(condition.subs(where) for condition in self.conditions),
            note=f"{self.id} at " + ", ".join(f"{symbol} = {value}" for symbol, value in where.items()),
        )

    def assuming(self, formulas: Mapping[str, sp.Expr]) -> "Claim":
        """The claim that another formula stands for some of its quantities, which may speak of the one it replaces."""
        quantities = tuple(
            replace(q, expression=formulas[q.name].xreplace({q.symbol: q.expression})) if q.name in formulas else q
            for q in self.quantities
        )
        changes = ", ".join(f"{name} = {expression}" for name, expression in formulas.items())
        note = f"{self.id} with {changes} in place of its own; nothing vouches for it."
        return replace(self, title=f"{self.title}, with {changes}", quantities=quantities, note=note, argument="")

    @cached_property
    def statement_latex(self) -> str:
        """The conclusion in LaTeX, its last quantity written out, then the range it holds over."""
        conclusion = self.conclusion
        if self.quantities:
            last = self.quantities[-1]
            # xreplace: unlike subs it leaves the formula as it was written.
            conclusion = conclusion.xreplace({last.symbol: last.expression})
        ranges = [self.quantifier, *(latex_of(condition) for condition in self.conditions)]
        return r" \quad ".join([latex_of(conclusion), *filter(None, ranges)])

    @cached_property
    def definitions_latex(self) -> tuple[str, ...]:
        """One equation per quantity, in order of derivation."""
        return tuple(f"{latex_of(q.symbol)} = {latex_of(q.expression)}" for q in self.quantities)

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone: compiled functions and other cached derivations are made anew in another process."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.statement_latex}$"

    def _repr_html_(self) -> str:
        # Deferred: a notebook alone needs it.
        import latex2mathml.converter

        lines = (self.statement_latex, *self.definitions_latex)
        formulas = "".join(f"<p>{latex2mathml.converter.convert(line)}</p>" for line in lines)
        return f"<h4>{escape(self.title)} <small>{escape(self.id)}; {escape(self.source)}</small></h4>{formulas}"


def _float(name: str, value: sp.Expr) -> np.float64:
    """The nearest float to an exact positive number, refused where that is 0 or infinite.

    NumPy's, whose arithmetic overflows to infinity where Python's raises.
    """
    nearest = np.float64(float(enclose(value, {})))
    if not 0 < nearest < math.inf:
        raise InputError(name, value, "a number within the range of floats")
    return nearest


def latex_of(expression: sp.Basic) -> str:
    """A sympy expression in the letters of the papers."""
    return str(sp.latex(expression, symbol_names=LATEX_NAMES, root_notation=True))
