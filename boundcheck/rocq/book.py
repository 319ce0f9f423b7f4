"""A Rocq file in the making: its letters, the definitions of its terms, and how terms are printed.

A term is printed at a place, a time and an outcome. An atom or letter that is more than a name is
defined once, as a function of the letters that laws bind, of time and of the outcome, as far as it
depends on them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Law, Statement
from boundcheck.kernel import terms as k
from boundcheck.kernel.builders import size_of
from boundcheck.kernel.terms import (
    CONSTANT,
    Atom,
    Index,
    Matrix,
    Point,
    Scalar,
    Symbol,
    Term,
    Time,
    Total,
    Variable,
)

Named = Symbol | Variable
"""A letter that has a name, and no parts."""
Piece = Atom | k.Letter
"""A part of a polynomial, in numbers or in matrices."""
# Names that a file uses itself, and words of Rocq.
_WORDS = """R S T t w rt t0 v i j e et zu IH eX realType Num GRing matrix ordinal space outcome
chance past nothing knows expect mean total before least fro opn dot inner is_gradient forall fun
let in if then else match with end as at Prop Set Type return exists fix cofix for where using tr
sup inf lim max min exp ring field true false nat bool of is le lt"""
_TAKEN = frozenset(_WORDS.split())
_OWN = re.compile(
    r"(atom|letter|fact|law|step|same|slope|known|poly|h|hl|H|p)\d+|[eMh]_\d+|(rt|t|w)'+"
)
# Numbers in Rocq are counted in ones.
_LARGEST = 5000


@dataclass(frozen=True)
class Place:
    """A time (a base and an offset), an outcome, and the proof that the time is one."""

    base: str = "t"
    offset: int = 0
    outcome: str = "w"
    proof: str = "rt"

    @property
    def time(self) -> str:
        """The time as Rocq has it; raises InputError for one that may lie before 0, where Rocq's
        subtraction stops.
        """
        if self.offset < (-1 if self.base else 0):
            raise InputError("time", f"{self.base}{self.offset:+d}", "a time that is at least 0")
        if not self.base:
            return f"{self.offset}%N"
        return self.base + (".+1" * self.offset if self.offset >= 0 else ".-1" * -self.offset)

    def at(self, index: Index) -> Place:
        """The place at another time, seen from here."""
        if index.base == "t":
            return replace(self, offset=self.offset + index.offset)
        return replace(self, base=index.base, offset=index.offset)

    def within(self) -> Place:
        """A place of the times that a sum ranges over."""
        return replace(
            self,
            base=self.base + "'" if self.base.startswith("t") else "t'",
            offset=0,
            proof=self.proof + "'",
        )

    def elsewhere(self) -> Place:
        """A place of the outcomes that an expectation ranges over."""
        return replace(self, outcome=self.outcome + "'")


HERE = Place()
Proof = Callable[[Place], str]
# How an atom or a letter is written.
Naming = Callable[[Piece], str]


@dataclass(frozen=True)
class Defined:
    """A definition: its name, the bound letters that it is a function of, and whether of time and
    of the outcome.
    """

    name: str
    letters: tuple[Named, ...]
    timed: bool
    random: bool


@dataclass
class Book:
    """The contents of a file so far.

    Attributes:
        bound: letters that laws bind: parameters of what they occur in.
        algebra: lemmas about numbers and matrices, before the section; by their text.
        body: the definitions and lemmas of the section.

    """

    bound: frozenset[Named]
    algebra: dict[str, str] = field(default_factory=dict)
    body: list[str] = field(default_factory=list)
    dimensions: dict[str, str] = field(default_factory=dict)
    letters: dict[Named, str] = field(default_factory=dict)
    processes: dict[tuple[str, str], tuple[str, Named, int]] = field(default_factory=dict)
    functions: dict[str, tuple[str, str, tuple[tuple[str, str], ...]]] = field(default_factory=dict)
    defined: dict[str, Defined] = field(default_factory=dict)
    known: dict[str, tuple[str, tuple[Named, ...]]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    whole: bool = False

    # Names.

    def fresh(self, name: str) -> str:
        """A name that nothing else has."""
        made = name
        while made in _TAKEN or made in self.used or _OWN.fullmatch(made):
            made += "_"
        self.used.add(made)
        return made

    def numbered(self, kind: str) -> str:
        """The next name of a kind."""
        name = f"{kind}{sum(each.startswith(kind) for each in self.used) + 1}"
        self.used.add(name)
        return name

    def size(self, name: str) -> str:
        """A number of rows or columns."""
        fixed = size_of(name)
        if fixed is not None:
            return str(fixed)
        if name not in self.dimensions:
            self.dimensions[name] = self.fresh(name)
        return self.dimensions[name]

    def matrices(self, shape: tuple[str, str]) -> str:
        """The type of matrices of a shape."""
        return f"'M[R]_({self.size(shape[0])}, {self.size(shape[1])})"

    def points(self, shapes: Iterable[tuple[str, str]]) -> str:
        """The type of tuples of matrices."""
        kinds = [self.matrices(shape) for shape in shapes]
        return kinds[0] if len(kinds) == 1 else f"({' * '.join(kinds)})%type"

    def type_of(self, letter: Named) -> str:
        """The type of a letter."""
        kind = self.matrices(letter.shape) if isinstance(letter, Symbol) else "R"
        return kind if letter.when == CONSTANT else f"nat -> outcome S -> {kind}"

    def name(self, letter: Named) -> str:
        """The name of a letter, or of the process whose value it is."""
        when = letter.when
        if not isinstance(when, Time):
            if letter not in self.letters:
                self.letters[letter] = self.fresh(letter.name)
            return self.letters[letter]
        key = (letter.name, type(letter).__name__)
        if key not in self.processes:
            self.processes[key] = (self.fresh(letter.name), letter, when.lag)
        name, first, lag = self.processes[key]
        shapes = {each.shape for each in (first, letter) if isinstance(each, Symbol)}
        if len(shapes) > 1 or lag != when.lag:
            raise InputError(
                "letter", letter, f"a process like {first}, with the same shape and lag"
            )
        return name

    def function(self, name: str, point: Point) -> tuple[str, str]:
        """The names of a function and of its gradient."""
        shapes = tuple(x.shape for x in point)
        if name not in self.functions:
            self.functions[name] = (self.fresh(name), self.fresh(f"g{name}"), shapes)
        function, gradient, first = self.functions[name]
        if shapes != first:
            raise InputError(
                "function", name, f"a function of points of the shapes {first}, and not {shapes}"
            )
        return function, gradient

    def binder(self, letter: Named) -> str:
        """A bound letter with its type."""
        return f"({self.name(letter)} : {self.type_of(letter)})"

    def bound_in(self, text: str) -> tuple[Named, ...]:
        """The bound letters whose names occur in a text."""
        words = set(re.findall(r"[A-Za-z_][A-Za-z0-9_']*", text))
        return tuple(x for x, name in self.letters.items() if x in self.bound and name in words)

    # Definitions.

    def define(self, kind: str, term: Term, type_: str, body: Proof) -> Defined:
        """The definition of a term or statement, made where there is none yet."""
        key = f"{kind} {term.key}"
        if key not in self.defined:
            text = body(HERE)
            words = set() if type_ == "Prop" else set(re.findall(r"[A-Za-z_][A-Za-z0-9_']*", text))
            own = term.variables if isinstance(term, Law) else ()
            free = tuple(x for x in self.bound_in(text) if x not in own)
            made = Defined(self.numbered(kind), free, "t" in words, "w" in words)
            binders = [self.binder(x) for x in made.letters]
            binders += ["(t : nat)"] * made.timed + ["(w : outcome S)"] * made.random
            self.body.append(f"(* {comment(str(term))} *)")
            self.body.append(f"Definition {' '.join([made.name, *binders])} : {type_} := {text}.")
            self.defined[key] = made
        return self.defined[key]

    def call(self, made: Defined, place: Place, values: Mapping[Term, str]) -> str:
        """A defined term at a place, its bound letters at values."""
        words = [made.name, *(values.get(x, self.name(x)) for x in made.letters)]
        return " ".join([*words, *[place.time] * made.timed, *[place.outcome] * made.random])

    # Terms.

    def piece(self, term: Piece, place: Place, values: Mapping[Term, str] | None = None) -> str:
        """An atom or a letter at a place; `values` are for the letters that laws bind."""
        values = values or {}
        match term:
            case Variable() | Symbol():
                name = values.get(term, self.name(term))
                if term.when == CONSTANT:
                    return name
                at = place.at(term.when.index) if isinstance(term.when, Time) else place
                return f"{name} {at.time} {at.outcome}"
            case k.Dimension():
                return f"{self.size(term.name)}%:R"
            case k.Horizon():
                return "T%:R"
            case k.Clock():
                return f"{place.time}%:R"
        if self.whole:
            return f"({self._content(term, place)})"
        kind, type_ = (
            ("atom", "R") if isinstance(term, Atom) else ("letter", self.matrices(term.shape))
        )
        return self.call(
            self.define(kind, term, type_, lambda at: self._content(term, at)), place, values
        )

    def _content(self, term: Piece, place: Place) -> str:
        """The text of an atom or letter, from its parts."""
        match term:
            case k.Norm():
                return (
                    f"{'fro' if term.kind == k.FROBENIUS else 'opn'}"
                    f" {self.point(term.blocks, place)}"
                )
            case k.Trace():
                return f"\\tr ({self.word(term.word, self.naming(place))})"
            case k.Value():
                return (
                    f"{self.function(term.function, term.point)[0]} {self.point(term.point, place)}"
                )
            case k.Root():
                return f"Num.sqrt ({self.scalar(term.body, place)})"
            case k.Inverse():
                return f"({self.scalar(term.body, place)})^-1"
            case k.Maximum():
                return nested([f"({self.scalar(x, place)})" for x in term.members])
            case k.Power():
                exponent = place.at(term.exponent).time
                return f"({self.scalar(term.base, place)}) ^+ {exponent}"
            case Total() | k.Minimum():
                inner = place.within()
                head = "total" if isinstance(term, Total) else "least"
                return f"{head} T (fun {inner.base} => {self.scalar(term.body, inner)})"
            case k.Before():
                inner = place.within()
                return f"before {place.time} (fun {inner.base} => {self.scalar(term.body, inner)})"
            case k.Expectation() | k.Mean():
                inner, past = place.elsewhere(), self.past(term.given, place)
                if isinstance(term, k.Mean):
                    head, body = "mean", self.piece(term.letter, inner)
                else:
                    head, body = "expect", self.scalar(term.body, inner)
                return f"{head} {past} (fun {inner.outcome} => {body}) {place.outcome}"
            case k.Gradient():
                _, gradient = self.function(term.function, term.point)
                return projected(
                    f"{gradient} {self.point(term.point, place)}", term.block, len(term.point)
                )
        raise InputError("term", term, "a term that has a form in Rocq")

    def past(self, given: Index | None, place: Place) -> str:
        """The past that an expectation is given."""
        return "(@nothing R S)" if given is None else f"(@past R S {place.at(given).time})"

    def naming(self, place: Place) -> Naming:
        """The names of atoms and letters at a place."""
        return lambda x: self.piece(x, place)

    def point(self, point: Point, place: Place) -> str:
        """A tuple of matrices."""
        return f"({', '.join(self.matrix(x, self.naming(place)) for x in point)})"

    def scalar(self, scalar: Scalar, place: Place) -> str:
        """A polynomial at a place."""
        return polynomial(scalar, self.naming(place))

    def normal(self, term: Matrix | Scalar, place: Place) -> str:
        """A polynomial in numbers or in matrices, at a place."""
        return (
            self.scalar(term, place)
            if isinstance(term, Scalar)
            else self.matrix(term, self.naming(place))
        )

    def matrix(self, matrix: Matrix, naming: Naming) -> str:
        """A polynomial in matrices."""
        if not matrix.terms:
            return f"(0 : {self.matrices(matrix.shape)})"
        summands = []
        for word, c in matrix.terms.items():
            factors = self.word(word, naming)
            negative = c.number is not None and c.number < 0
            if c.number is None:
                factors = f"({polynomial(c, naming)}) *: ({factors})"
            elif abs(c.number) != 1:
                factors = f"{ratio(abs(c.number))} *: ({factors})"
            summands.append((negative, factors))
        return signed(summands)

    def word(self, word: k.Word, naming: Naming) -> str:
        """A product of letters and transposes."""
        return " *m ".join(wrapped(naming(letter)) + "^T" * flipped for letter, flipped in word)

    # Statements.

    def statement(self, statement: Statement) -> Defined:
        """The definition of a statement."""
        kind = "fact" if isinstance(statement, Fact) else "law"
        return self.define(kind, statement, "Prop", lambda _: self.said(statement))

    def said(self, statement: Statement) -> str:
        """The text of a statement."""
        if isinstance(statement, Fact):
            said = related(statement.relation, self.scalar(statement.polynomial, HERE))
            return f"forall t (w : outcome S), (1 <= t <= T)%N -> {said}"
        parts = [*statement.premises, statement.conclusion]
        texts = [f"({self.said(x)})" if self.whole else self.calls(x) for x in parts]
        binders = " ".join(map(self.binder, statement.variables))
        return f"forall {binders}, {' -> '.join(texts)}" if binders else " -> ".join(texts)

    def calls(self, statement: Statement) -> str:
        """A statement by its name."""
        return self.call(self.statement(statement), HERE, {})

    def lemma(
        self, kind: str, more: Iterable[str], claim: str, proof: str, own: Iterable[Named] = ()
    ) -> tuple[str, tuple[Named, ...]]:
        """State a lemma; its parameters are the bound letters that it speaks of. Returns its name
        and those.

        Letters of which the proof alone speaks get a value, unless they are its `own`.
        """
        more = list(more)
        name = self.numbered(kind)
        letters = self.bound_in(" ".join([*more, claim]))
        others = [x for x in self.bound_in(proof) if x not in (*letters, *own)]
        given = ""
        for x in others:
            value = "0" if x.when == CONSTANT else "fun _ _ => 0"
            given += f"pose {self.name(x)} : {self.type_of(x)} := {value}. "
        binders = [*(self.binder(x) for x in letters), *more]
        self.body.append(
            f"Lemma {' '.join([name, *binders])} : {claim}.\nProof. {given}{proof} Qed."
        )
        return name, letters


def law_variables(statements: Iterable[Statement]) -> set[Named]:
    """The letters that laws bind."""
    found: set[Named] = set()
    for each in statements:
        if isinstance(each, Law):
            found |= {*each.variables, *law_variables(each.premises)}
    return found


def comment(text: str) -> str:
    """A text that may stand in a comment."""
    return text.replace("(*", "( *").replace("*)", "* )").replace('"', "'")


def related(relation: str, text: str) -> str:
    """A polynomial in its relation to 0."""
    return (
        f"{text} = 0 :> R"
        if relation == "="
        else f"0 {'<=' if relation == '>=' else '<'} {text} :> R"
    )


def ratio(size: Fraction) -> str:
    """The text of a number that is not negative."""
    if max(size.numerator, size.denominator) > _LARGEST:
        raise InputError("number", size, f"numbers up to {_LARGEST}, which Rocq counts in ones")
    return (
        str(size.numerator) if size.denominator == 1 else f"({size.numerator} / {size.denominator})"
    )


def signed(pieces: list[tuple[bool, str]]) -> str:
    """A sum of terms, each with whether it is subtracted."""
    (negative, first), *rest = pieces
    return " ".join(
        [
            f"- ({first})" if negative else first,
            *(f"{'-' if minus else '+'} {x}" for minus, x in rest),
        ]
    )


def polynomial(scalar: Scalar, naming: Naming) -> str:
    """A polynomial, its atoms written as `naming` says."""
    summands = []
    for powers, c in scalar.terms.items():
        factors = [
            naming(x) if exponent == 1 else f"{wrapped(naming(x))} ^+ {exponent}"
            for x, exponent in powers
        ]
        number = [ratio(abs(c))] if abs(c) != 1 or not factors else []
        summands.append((c < 0, " * ".join([*number, *factors])))
    return signed(summands) if summands else "0"


def wrapped(text: str) -> str:
    """A text that is one word, or in brackets."""
    return text if re.fullmatch(r"[\w'.%:]+|\(.*\)", text) and text.count("(") <= 1 else f"({text})"


def nested(texts: list[str]) -> str:
    """The largest of several numbers."""
    first, *rest = texts
    return f"Num.max {first} {f'({nested(rest)})' if len(rest) > 1 else rest[0]}"


def projected(text: str, block: int, count: int) -> str:
    """A block of a tuple, which is nested pairs from the left."""
    if count == 1:
        return text
    for _ in range(count - 1 - max(block, 1)):
        text = f"({text}).1"
    return f"({text}).{1 if block == 0 else 2}"
