"""`Claim`: a statement of a paper as data, and everything that is derived from it.

The formula lives once, as the sympy expression of a `Quantity`. Number, Arb enclosure, LaTeX and
curve come from that expression and from nowhere else. Each letter of a claim has one name, one
meaning and one look, and those with a
value are declared: nobody would be asked for the value of an undeclared letter, and code that looks
letters up by name would take one of two symbols with the same name for the other.
"""

import hashlib
import json
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import Enum
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol, get_args

import numpy as np
import sympy as sp
from flint import arb
from sympy.core.relational import Relational
from sympy.printing.latex import LatexPrinter
from sympy.printing.numpy import NumPyPrinter

from boundcheck.errors import InputError, one_of
from boundcheck.exact.balls import enclose, sign
from boundcheck.language.prose import plain, typed
from boundcheck.language.symbols import (
    LATEX_NAMES,
    PARAMETERS,
    Number,
    Parameter,
    T,
    check_symbols,
    exact,
    is_plain,
    look,
)
from boundcheck.language.view import Fold, Math, Prose, Shown, Table, View, line

# What a digest leaves out: what only a reader needs, and of a word what its claim says itself, and
# how that is decided.
_UNSAID = {
    "title",
    "source",
    "note",
    "argument",
    "unproved",
    "meaning",
    "latex",
    "says",
    "decided",
    "where",
    "setting",
}


class Word(Protocol):
    """A word of the language of theorems, with an id by which files name it; `boundcheck.language`
    has its faces.
    """

    @property
    def id(self) -> str: ...

    def denies(self, claim: "Claim") -> str:
        """A text of what claims with this word say, if this claim says something else; empty if it
        does not.
        """


Spoken = Literal["for all", "for any", "for every", "for"]


@dataclass(frozen=True)
class Quantifier:
    """The letters over all of whose values a claim ranges; its text is printed from them, and no
    engine reads text. `for_all` makes most of them.

    Attributes:
        letters: what it binds; the type of each is that of its symbol, or the shape of its matrix.
        within: LaTeX of what restricts them, such as "in the ball". No engine reads it: the claim
            may be about some of their values alone. Without letters it is the whole text.
        spoken: the words before the letters, "for all" or what its source has for that.
        is_typed: whether the text names the space of its matrices.

    Raises:
        InputError: for what is no letter, for two letters of one name, for words that are none of
            these, and for a space that is not that of each letter.

    """

    letters: tuple[sp.Symbol | sp.MatrixSymbol, ...] = ()
    within: str = ""
    spoken: Spoken = "for all"
    is_typed: bool = False

    def __post_init__(self) -> None:
        """Check that it is what its text says."""
        if type(self.letters) is not tuple or not all(
            isinstance(each, sp.Symbol | sp.MatrixSymbol) for each in self.letters
        ):
            raise InputError("quantifier.letters", self.letters, "symbols of SymPy in a tuple")
        if len(self.names) < len(self.letters):
            raise InputError("quantifier.letters", self.letters, "each letter once")
        if type(self.within) is not str:
            raise InputError("quantifier.within", self.within, "LaTeX")
        if self.spoken not in get_args(Spoken):
            expected = one_of(self.spoken, get_args(Spoken))
            raise InputError("quantifier.spoken", self.spoken, expected)
        is_of_matrices = all(isinstance(each, sp.MatrixSymbol) for each in self.letters)
        if self.is_typed and not (
            is_of_matrices and len({each.shape for each in self.letters}) == 1
        ):
            raise InputError("quantifier.is_typed", self.letters, "matrices of one space")

    def __bool__(self) -> bool:
        """True if it says anything."""
        return bool(self.letters or self.within)

    @property
    def names(self) -> frozenset[str]:
        """The names of its letters."""
        return frozenset(each.name for each in self.letters)

    @property
    def latex(self) -> str:
        """The text of it, "for all W_1, W_2"."""
        return self.written(latex_of)

    def written(self, letter: Callable[[sp.Basic], str]) -> str:
        """The text of it, with each letter as a function writes it."""
        if not self.letters:
            return self.within
        text = rf"\text{{{self.spoken} }} {', '.join(map(letter, self.letters))}"
        if self.is_typed:
            rows, columns = map(latex_of, self.letters[0].shape)
            text += rf" \in \mathbb{{R}}^{{{rows} \times {columns}}}"
        return text + self.within


def for_all(*letters: sp.Symbol | sp.MatrixSymbol) -> Quantifier:
    """The quantifier "for all" of these letters, with nothing that restricts them."""
    return Quantifier(letters)


EVERY_T = Quantifier((T,), spoken="for every")
"""The range of a theorem about runs of every length."""


class Formal(NamedTuple):
    """A relation for all of `letters` of which the relations `such_that` hold."""

    relation: sp.Basic
    letters: tuple[sp.Symbol | sp.MatrixSymbol, ...] = ()
    such_that: tuple[sp.Basic, ...] = ()


class Statement(NamedTuple):
    """The statement of a hypothesis: a relation, and the range of its free objects.

    Where words restrict the range, or a letter is another one at each point, `formal` says what
    of it proofs may start from; it may be less.
    """

    conclusion: sp.Basic
    quantifier: Quantifier = Quantifier()
    formal: tuple[Formal, ...] = ()

    @property
    def line(self) -> str:
        """The statement on one line, as a person would type it."""
        parts = (latex_of(self.conclusion), self.quantifier.latex)
        return typed(r" \quad ".join(filter(None, parts)))


@dataclass(frozen=True)
class Setting:
    """The function that a claim is about, F(v) = f(W(v)) of the blocks of v, and where v may be.

    Proofs read it, of claims of `proofs/` alone. The blocks of v_1 are called A_1 where those of v
    are called A, and those of v_t are iterates.

    Attributes:
        blocks: the matrices of v; none where v is a letter itself.
        weight: W(v); None where the claim says itself what F is.
        weights: the matrices of W, where it is several.
        arguments: the arguments of another function of several, by which partial gradients call
            them.
        slopes: the letters for which the gradients of f at W(v_1) and W(v_2) stand.
        noise: what is drawn at t, such as g_t, each with its matrices.
        domain: the hypotheses that say where v is, of A or of A_t.
        within: the hypotheses that hold at each v of the domain, or at each two of them.
        at_points: the hypotheses that hold at the v over which the claim ranges.

    """

    blocks: tuple[sp.MatrixSymbol, ...] = ()
    weight: sp.MatrixExpr | None = None
    weights: tuple[sp.MatrixSymbol, ...] = ()
    arguments: tuple[sp.MatrixSymbol, ...] = ()
    slopes: tuple[sp.MatrixSymbol, ...] = ()
    noise: tuple[tuple[sp.Basic, tuple[sp.MatrixSymbol, ...]], ...] = ()
    domain: tuple["Claim", ...] = ()
    within: tuple["Claim", ...] = ()
    at_points: tuple["Claim", ...] = ()


@dataclass(frozen=True)
class Quantity:
    """A named scalar that a claim derives: `symbol` = `expression`, over parameters and earlier
    quantities.
    """

    symbol: sp.Symbol
    expression: sp.Expr
    meaning: str = ""

    def __post_init__(self) -> None:
        """Check that it has a name."""
        check_symbols("quantity.symbol", self.symbol)

    @property
    def name(self) -> str:
        """The key under which `Claim.values` reports it."""
        return self.symbol.name


@dataclass(frozen=True)
class Claim(Shown):
    """A statement with its hypotheses, in the words of its source.

    Attributes:
        id: the name in the catalogue, ``jiang2024.lemma1``.
        title: what a reader calls it, "Lemma 1".
        source: paper, number and equation.
        conclusion: a relation over the vocabulary and symbols; the last quantity stands in it by
            its symbol.
        quantifier: the letters over which it ranges, such as ``for_all(W_1, W_2)``.
        hypotheses: the claims it rests on.
        quantities: derived scalars in order of derivation; the last one is what the claim is
            measured against.
        conditions: relations over parameters and quantities that a user's numbers must satisfy.
        note: what a reader must know before using it, where the statement alone would mislead.
        argument: why the statement holds, if no script in `proofs` proves it.
        unproved: why none does, in a sentence: what the kernel cannot state, or which step it
            lacks.
        declared: its own parameters, which the catalogue does not have, or has with another
            meaning; the parameters of its hypotheses are known already.
        algorithm: for a theorem, the algorithm that makes its iterates; see
            `boundcheck.language.algorithms`.
        measure: the measure that its conclusion bounds, if `boundcheck.language.measures` does not
            have it.
        word: for a hypothesis, its word; see `boundcheck.language.hypotheses`.
        setting: what v and F are to proofs, where v has blocks.

    Raises:
        InputError: for a symbol that is not declared, and for two letters of one name, see
            `_check_letters`; for a reason why there is no proof without the argument that takes its
            place; and for a word whose claims say something else: engines ask the word, and people
            read the statement.

    """

    id: str
    title: str
    source: str
    conclusion: Relational
    quantifier: Quantifier = Quantifier()
    hypotheses: tuple["Claim", ...] = ()
    quantities: tuple[Quantity, ...] = ()
    conditions: tuple[Relational, ...] = ()
    note: str = field(default="", kw_only=True)
    argument: str = field(default="", kw_only=True)
    unproved: str = field(default="", kw_only=True)
    declared: tuple[Parameter, ...] = field(default=(), kw_only=True)
    # An `Algorithm`, whose module is above this one.
    algorithm: Any = field(default=None, kw_only=True)
    measure: Word | None = field(default=None, kw_only=True)
    word: Word | None = field(default=None, kw_only=True, repr=False)
    setting: Setting | None = field(default=None, kw_only=True, repr=False)

    def __repr__(self) -> str:
        return f"<Claim {self.id}: {self.title}>"

    def __post_init__(self) -> None:
        _check_letters(self)
        if self.unproved and not self.argument:
            raise InputError(
                "unproved", self.unproved, f"an argument of {self.id} in place of a proof"
            )
        for name, word in (("measure", self.measure), ("word", self.word)):
            if word is None:
                continue
            if not hasattr(word, "denies"):
                raise InputError(
                    f"claim.{name}",
                    type(word).__name__,
                    "a word of boundcheck.language, or of one's own",
                )
            if said := word.denies(self):
                expected = f"of {self.id} what its {name} {word.id} says: {said}"
                raise InputError(f"claim.{name}", typed(self.statement_latex), expected)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The symbols that a user gives values to: the catalogue's in the order of `symbols`, then
        its own.
        """
        used = set().union(
            *(quantity.expression.free_symbols for quantity in self.quantities),
            *(condition.free_symbols for condition in self.conditions),
        )
        used = used.union(self.algorithm.parameters if self.algorithm else ())
        asked = (used - {quantity.symbol for quantity in self.quantities}) | {
            p.symbol for p in self.declared
        }
        return tuple(p for p in declarations(self).values() if p.symbol in asked)

    @cached_property
    def digest(self) -> str:
        """A SHA-256 hash of id, formulas and hypotheses: it differs for claims that say different
        things.
        """
        return hashlib.sha256(json.dumps(_said(self), sort_keys=True).encode()).hexdigest()

    @property
    def own(self) -> tuple[Parameter, ...]:
        """The parameters that the catalogue does not have: constants that the claim alone
        explains.
        """
        return tuple(p for p in self.parameters if p.name not in PARAMETERS)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the quantities, in order of derivation."""
        return tuple(quantity.name for quantity in self.quantities)

    def expression(self, name: str) -> sp.Expr:
        """The formula of the quantity called `name`, over parameters alone."""
        return self._expressions[name]

    @cached_property
    def _derived(self) -> dict[sp.Symbol, sp.Expr]:
        resolved: dict[sp.Symbol, sp.Expr] = {}
        for quantity in self.quantities:
            resolved[quantity.symbol] = quantity.expression.subs(resolved)
        return resolved

    @cached_property
    def _expressions(self) -> dict[str, sp.Expr]:
        return {symbol.name: expression for symbol, expression in self._derived.items()}

    def function(self, name: str) -> Callable[..., Any]:
        """The quantity called `name` as a NumPy function of keyword arguments (floats or arrays),
        unchecked.

        Arguments other than the claim's parameters are ignored: an assumed formula may be free of
        T.
        """
        return self._functions[name]

    @cached_property
    def _functions(self) -> dict[str, Callable[..., Any]]:
        names = [p.name for p in self.parameters]
        # A symbol with the name of something in NumPy would be taken for it.
        hidden = {p.symbol: sp.Dummy() for p in self.own if hasattr(np, p.name)}
        symbols = [hidden.get(p.symbol, p.symbol) for p in self.parameters]

        def by_keyword(function: Callable[..., Any]) -> Callable[..., Any]:
            return lambda **given: function(*(given[name] for name in names))

        # What modules="numpy" would do, but for `from numpy import *`, which imports what is rarely
        # used of it.
        printer = NumPyPrinter({"fully_qualified_modules": False, "inline": True})
        return {
            name: by_keyword(sp.lambdify(symbols, expression.xreplace(hidden), [vars(np)], printer))
            for name, expression in self._expressions.items()
        }

    def values(self, **inputs: Number) -> dict[str, float]:
        """Every quantity as a float.

        Raises:
            InputError: for an unknown, missing or out-of-domain symbol, where a condition fails,
                and where a number lies beyond the range of floats.

        """
        # NumPy floats: their arithmetic overflows to infinity where Python's raises.
        numbers: dict[str, np.float64] = {}
        for symbol, value in self.check(inputs).items():
            nearest = np.float64(float(enclose(value, {})))
            if not math.isfinite(nearest) or (nearest == 0) != (value == 0):
                raise InputError(symbol.name, value, "a number within the range of floats")
            numbers[symbol.name] = nearest
        values: dict[str, float] = {}
        for name, function in self._functions.items():
            try:
                with np.errstate(all="ignore"):
                    values[name] = float(function(**numbers))
            except OverflowError:
                values[name] = math.inf
            except (TypeError, ZeroDivisionError):
                # The formula is not real there.
                values[name] = math.nan
            if not 0 < values[name] < math.inf:
                expected = (
                    "a positive number within the range of floats; the inputs are too extreme"
                )
                raise InputError(name, values[name], expected)
        return values

    def bound(self, **inputs: Number) -> float:
        """The last quantity as a float, as in `values`: L̂ of a lemma, the right-hand side of a
        theorem.
        """
        return self.values(**inputs)[self.quantities[-1].name]

    def enclosures(self, **inputs: Number) -> dict[str, arb]:
        """Every quantity as an Arb ball that contains its exact value; raises InputError as `check`
        does.
        """
        values = self.check(inputs)
        return {name: enclose(e, values) for name, e in self._expressions.items()}

    def exactly(self, **inputs: Number) -> dict[str, sp.Expr]:
        """Every parameter and quantity as an exact expression without letters; raises InputError as
        `check` does.
        """
        values = self.check(inputs)
        given = {symbol.name: value for symbol, value in values.items()}
        return given | {name: e.subs(values) for name, e in self._expressions.items()}

    def check(self, inputs: Mapping[str, Number]) -> dict[sp.Symbol, sp.Expr]:
        """Exact values of the parameters; raises InputError unless domains and conditions hold."""
        if not self.quantities:
            raise InputError(
                "claim", self.id, "a claim with a quantity to evaluate, such as jiang2024.theorem2"
            )
        values = checked(self.parameters, inputs)
        for condition in self.failing(values):
            balls = (
                enclose(side.subs(self._derived), values) for side in (condition.lhs, condition.rhs)
            )
            left, right = (
                f"{float(x):.6g}" if x.is_finite() else "a number beyond all floats" for x in balls
            )
            relation = f"{condition.lhs} {condition.rel_op} {condition.rhs} = {right}"
            given = inputs.get(str(condition.lhs), left)
            raise InputError(
                str(condition.lhs), given, f"{relation}, without which {self.id} says nothing"
            )
        return values

    def failing(self, values: Mapping[sp.Symbol, sp.Expr]) -> list[Relational]:
        """The conditions that these exact values break, decided without rounding; raises InputError
        as `sign` does.
        """
        return [
            condition
            for condition in self.conditions
            if sign((condition.lhs - condition.rhs).subs(self._derived), values)
            not in _ALLOWED[condition.func]
        ]

    def case(self, id: str, title: str, source: str, where: Mapping[sp.Symbol, sp.Expr]) -> "Claim":
        """The special case of this claim at `where`, its formulas simplified by substitution alone.

        Raises InputError for text in place of symbols and expressions, and where a condition fails
        at `where`.
        """
        for symbol, value in where.items():
            if not isinstance(symbol, sp.Symbol) or not isinstance(value, sp.Expr):
                raise InputError(str(symbol), value, "a SymPy expression for a SymPy symbol")
        conclusion = self.conclusion.subs(where)
        quantities = tuple(replace(q, expression=q.expression.subs(where)) for q in self.quantities)
        conditions = tuple(condition.subs(where) for condition in self.conditions)
        for before, after in zip(self.conditions, conditions, strict=True):
            if after == sp.false:
                raise InputError(
                    "where", dict(where), f"{before}, without which {self.id} says nothing"
                )
        left = tuple(condition for condition in conditions if condition != sp.true)
        ranged = tuple(letter for letter in self.quantifier.letters if letter not in where)
        return Claim(
            id,
            title,
            source,
            conclusion,
            replace(self.quantifier, letters=ranged),
            self.hypotheses,
            quantities,
            left,
            note=f"`{self.id}` at "
            + ", ".join(_equals(symbol, value) for symbol, value in where.items()),
            declared=self._declared_in(conclusion, quantities, left),
            algorithm=self.algorithm,
            measure=self.measure if conclusion == self.conclusion else None,
        )

    def assuming(self, formulas: Mapping[str, sp.Expr]) -> "Claim":
        """The claim with other formulas for some quantities; a formula may use the quantity that it
        replaces.

        Raises:
            InputError: for a quantity that does not exist, and unless the formula is a SymPy
                expression over symbols that the claim knows.

        """
        for name, formula in formulas.items():
            if name not in self.names or not isinstance(formula, sp.Expr):
                raise InputError(
                    name, formula, f"a SymPy expression for one of {', '.join(self.names)}"
                )
        quantities = tuple(
            (
                replace(q, expression=formulas[q.name].xreplace({q.symbol: q.expression}))
                if q.name in formulas
                else q
            )
            for q in self.quantities
        )
        changes = ", ".join(
            _equals(q.symbol, formulas[q.name]) for q in self.quantities if q.name in formulas
        )
        note = f"`{self.id}` with {changes} in place of its own; nothing vouches for it."
        return replace(
            self,
            title=f"{self.title}, with {plain(changes)}",
            quantities=quantities,
            note=note,
            argument="",
            unproved="",
            declared=self._declared_in(self.conclusion, quantities, self.conditions),
        )

    def _declared_in(
        self,
        conclusion: sp.Basic,
        quantities: tuple[Quantity, ...],
        conditions: tuple[sp.Basic, ...],
    ) -> tuple[Parameter, ...]:
        """The claim's own parameters that remain when these quantities replace its own."""
        left = set().union(*(letters(each) for each in self.hypotheses))
        left = left.union(self.algorithm.parameters if self.algorithm else ())
        left = left.union(
            *(
                x.free_symbols
                for x in (conclusion, *conditions, *(q.expression for q in quantities))
            )
        )
        return tuple(parameter for parameter in self.declared if parameter.symbol in left)

    @cached_property
    def statement_latex(self) -> str:
        """The conclusion in LaTeX, its last quantity written out, then the range it holds over."""
        conclusion = self.conclusion
        if self.quantities:
            last = self.quantities[-1]
            # Unlike subs, xreplace leaves the formula as it was written.
            conclusion = conclusion.xreplace({last.symbol: last.expression})
        ranges = [self.quantifier.latex, *map(self.latex, self.conditions)]
        return r" \quad ".join([self.latex(conclusion), *filter(None, ranges)])

    @cached_property
    def definitions_latex(self) -> tuple[str, ...]:
        """One equation per quantity, in order of derivation."""
        return tuple(
            f"{self.latex(q.symbol)} = {self.latex(q.expression)}" for q in self.quantities
        )

    def latex(self, expression: sp.Basic) -> str:
        """An expression in the letters of the papers, and of the parameters that the claim
        declares.
        """
        return latex_of(expression, own_parameters(self).values())

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone: compiled functions and other cached derivations are made anew in
        another process.
        """
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def view(self) -> View:
        """The view of what it says: its formulas, what it rests on, and its letters, but not
        whether it is proved.
        """
        defined = (
            line(Math(x), Prose(q.meaning))
            for x, q in zip(self.definitions_latex, self.quantities, strict=True)
        )
        rests = "; ".join(f"{each.title} ({each.id})" for each in self.hypotheses)
        said = [line("under", rests)] if rests else []
        said += [line(Prose(self.note))] if self.note else []
        rows = [(Math(p.latex), p.name, Prose(p.meaning)) for p in self.parameters]
        letters = (
            [Fold(line("Letters"), (Table(("letter", "typed as", "meaning"), rows),))]
            if rows
            else []
        )
        stated = (line(Math(self.statement_latex)),)
        return View(
            self.title, f"{self.id}; {self.source}", lines=stated, parts=(*defined, *said, *letters)
        )


def checked(
    parameters: Collection[Parameter], given: Mapping[str, Number]
) -> dict[sp.Symbol, sp.Expr]:
    """Exact values for exactly these parameters, each inside its domain.

    Raises InputError for an unknown name, a missing one, a nonpositive value or a fractional
    integer.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name in given:
        if name not in known:
            raise InputError(name, given[name], f"a symbol of this claim, {one_of(name, known)}")
    missing = [name for name in known if name not in given]
    if missing:
        wanted = "; ".join(f"{name}, {plain(known[name].meaning)}" for name in missing)
        raise InputError(
            ", ".join(missing), "(not given)", f"a value for each symbol of this claim: {wanted}"
        )
    values = {}
    for name, parameter in known.items():
        value = exact(name, given[name])
        whole, anywhere = parameter.domain == "positive integer", parameter.domain == "real"
        if (not anywhere and sign(value, {}) <= 0) or (whole and not isinstance(value, sp.Integer)):
            raise InputError(
                name, given[name], f"a {parameter.domain} ({plain(parameter.meaning)})"
            )
        values[parameter.symbol] = value
    return values


# The signs that left minus right may have.
_ALLOWED = {
    sp.GreaterThan: (0, 1),
    sp.StrictGreaterThan: (1,),
    sp.LessThan: (-1, 0),
    sp.StrictLessThan: (-1,),
    sp.Equality: (0,),
    sp.Unequality: (-1, 1),
}


_SPECIAL = {c: rf"\{c}" for c in "{}%$&#"} | {"\\": r"\backslash{}", "~": r"\sim{}", "\n": " "}


def latex_of(expression: sp.Basic, declared: Iterable[Parameter] = ()) -> str:
    """A sympy expression in the letters of the papers, and in those of parameters that are
    declared.
    """
    names = {}
    for letter in expression.free_symbols:
        name = letter.name
        # Commands and braces in a name are text.
        is_text = not {*name}.isdisjoint(_SPECIAL)
        names[letter] = (
            rf"\mathrm{{{''.join(_SPECIAL.get(c, c) for c in name)}}}" if is_text else look(name)
        )
    names |= LATEX_NAMES | {parameter.symbol: parameter.latex for parameter in declared}
    return str(_Printer({"symbol_names": names, "root_notation": True}).doprint(expression))


def as_typed(expression: sp.Basic) -> str:
    """An expression as a person would type it on one line; between dollars it is a formula of a
    text.
    """
    return typed(latex_of(expression))


def _equals(symbol: sp.Symbol, value: sp.Expr) -> str:
    return f"${as_typed(sp.Eq(symbol, value, evaluate=False))}$"


class _Printer(LatexPrinter):
    def _print_Transpose(self, expression: sp.Transpose) -> str:  # noqa: N802
        # SymPy's T would be the number of iterations.
        return str(super()._print_Transpose(expression)).removesuffix("{T}") + r"{\top}"


def _said(value: Any) -> Any:
    if isinstance(value, sp.Basic):
        return sp.srepr(value)
    if isinstance(value, Quantifier):
        return value.written(str)
    if is_dataclass(value):
        parts = (each.name for each in fields(value) if each.name not in _UNSAID)
        return {name: _said(getattr(value, name)) for name in parts}
    if isinstance(value, tuple | list):
        return [_said(each) for each in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str | int | float | None):
        return value
    # Of our own classes the name alone: where one stands in the package is no part of what a claim
    # says.
    home = type(value).__module__
    return f"{'boundcheck' if home.startswith('boundcheck.') else home}.{type(value).__qualname__}"


def declarations(claim: "Claim") -> dict[str, Parameter]:
    """By name, the parameters that a claim may use: the catalogue's, its hypotheses', and its
    own.
    """
    return PARAMETERS | own_parameters(claim)


def own_parameters(claim: "Claim") -> dict[str, Parameter]:
    """By name, the parameters that a claim or one of its hypotheses declares."""
    found: dict[str, Parameter] = {}
    for each in claim.hypotheses:
        found |= own_parameters(each)
    return found | {parameter.name: parameter for parameter in claim.declared}


def whole(claim: "Claim") -> Iterator["Claim"]:
    """The claim, and the hypotheses that it rests on, each with its own."""
    yield claim
    for each in claim.hypotheses:
        yield from whole(each)


def expressions(claim: "Claim") -> list[sp.Basic]:
    """The expressions that a claim is made of, without those of its hypotheses."""
    quantities = (x for each in claim.quantities for x in (each.symbol, each.expression))
    return [claim.conclusion, *claim.conditions, *quantities]


def letters(claim: "Claim") -> set[Any]:
    """Every symbol and matrix symbol in a claim or one of its hypotheses."""
    return {
        letter
        for part in whole(claim)
        for each in expressions(part)
        for letter in each.free_symbols
    }


def _check_letters(claim: "Claim") -> None:
    """Check that each letter of a claim has one meaning.

    Raises:
        InputError: for anything but a sympy expression; for a symbol in a quantity or a condition
            that is neither declared nor derived before; for a parameter that is declared twice or
            not used; for two letters with one name or one look.

    """
    for name, kind in (
        ("hypotheses", Claim),
        ("quantities", Quantity),
        ("conditions", sp.Basic),
        ("declared", Parameter),
    ):
        given = getattr(claim, name)
        if not isinstance(given, tuple | list) or not all(isinstance(x, kind) for x in given):
            expected = f"a tuple, each of it a {kind.__name__}; a single one is written (x,)"
            raise InputError(f"claim.{name}", type(given).__name__, expected)
    for each in expressions(claim):
        if not isinstance(each, sp.Basic):
            raise InputError(
                "claim", each, f"SymPy expressions in {claim.id or 'a claim'}, and not text"
            )
    own, used = own_parameters(claim), letters(claim)
    if not isinstance(claim.quantifier, Quantifier):
        raise InputError("claim.quantifier", claim.quantifier, "letters, such as for_all(X)")
    for letter in claim.quantifier.letters:
        if letter not in used:
            raise InputError("claim.quantifier", letter, f"a letter that {claim.id} has")

    names = [parameter.name for parameter in claim.declared]
    taken = used.union(claim.algorithm.parameters) if claim.declared and claim.algorithm else used
    for parameter in claim.declared:
        inherited = (
            own_parameters(each).get(parameter.name, parameter) for each in claim.hypotheses
        )
        # The time of an iterate is t, and i a time before it over which sums range.
        for is_wrong, expected in (
            (names.count(parameter.name) > 1, "one parameter of each name"),
            (parameter.name in ("t", "i"), "another letter: this one is a time, and has no value"),
            (parameter.symbol not in taken, "a parameter that the claim speaks of"),
            (
                any(x != parameter for x in inherited),
                "the parameter of this name that a hypothesis declares",
            ),
        ):
            if is_wrong:
                raise InputError("claim.declared", parameter.name, expected)

    known, derived = declarations(claim), set[sp.Symbol]()

    def check_known(field: str, expression: sp.Basic) -> None:
        for symbol in sorted(expression.free_symbols - derived, key=str):
            parameter = known.get(symbol.name)
            if isinstance(symbol, sp.MatrixSymbol) or (
                parameter is not None and parameter.symbol == symbol
            ):
                continue
            expected = (
                "a parameter that the claim declares (declared=), one of the catalogue's, or a"
                " quantity before it"
            )
            if parameter is not None:
                is_already = f"the symbol that {symbol} is already, a {parameter.domain}"
                expected = f"{is_already}: this one is assumed to be something else"
            raise InputError(field, symbol, expected)

    for quantity in claim.quantities:
        check_known("claim.quantities", quantity.expression)
        if quantity.name in {symbol.name for symbol in derived}:
            raise InputError("claim.quantities", quantity.name, "one quantity of each name")
        if quantity.name in own:
            raise InputError("claim.declared", quantity.name, "a name that no quantity has")
        derived.add(quantity.symbol)
    for condition in claim.conditions:
        if not isinstance(condition, Relational):
            raise InputError(
                "claim.conditions", condition, "relations that SymPy does not decide by itself"
            )
        check_known("claim.conditions", condition)

    found = {*used, *derived}
    named: dict[str, Any] = {}
    for letter in sorted(found, key=str):
        name, other = letter.name, named.get(letter.name)
        # A scalar may have the name of a matrix, unless the claim declares it.
        if other is not None and (
            name in own or isinstance(letter, sp.Symbol) is isinstance(other, sp.Symbol)
        ):
            raise InputError(
                "claim", name, "one letter of this name: two differ in their assumptions or shape"
            )
        named[name] = letter
    shown = LATEX_NAMES | {parameter.symbol: parameter.latex for parameter in own.values()}
    looks = {letter: shown.get(letter) or look(letter.name) for letter in found if own}
    for parameter in own.values():
        other = next(
            (x for x, look in looks.items() if look == parameter.latex and x != parameter.symbol),
            None,
        )
        if other is not None:
            expected = f"another look in LaTeX for {parameter.name}: {other} has this one"
            raise InputError("claim.declared", parameter.latex, expected)


def in_prose(name: str) -> str:
    """A letter's name in a text, such as ``$σ$`` for ``sigma``; words that are no name are left as
    they are.
    """
    shown = {symbol.name: made for symbol, made in LATEX_NAMES.items()}
    return f"${typed(shown.get(name) or look(name))}$" if is_plain(name) else name
