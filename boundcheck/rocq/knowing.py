"""Terms that are known at a time: the proofs that a term is the same at two outcomes that look alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from boundcheck.errors import InputError
from boundcheck.kernel.builders import is_coarser
from boundcheck.kernel.terms import (
    Atom,
    Before,
    Expectation,
    Index,
    Mean,
    Minimum,
    Scalar,
    Symbol,
    Term,
    Time,
    Total,
    Variable,
    Word,
    parts_of,
)
from boundcheck.rocq.book import HERE, Book, Piece, Place, Proof

# The other outcome, of a pair that looks alike.
_OTHER = Place(outcome="v")


def past_proof(given: Index | None, at: Place) -> str:
    """The proof that a past is one."""
    return "(@nothing_is_past R S)" if given is None else f"(@past_is_past R S {at.at(given).time})"


def coarser(first: Index | None, second: Index | None, at: Place) -> str:
    """The proof that one past is part of another."""
    if first is None:
        return "(@nothing_coarser R S _)"
    if second is None or first == second:
        return "(fun _ _ h => h)"
    low, high = at.at(first).time, at.at(second).time
    return f"(@past_coarser R S {low} {high} ltac:(times))"


@dataclass
class Knowing:
    """The proofs of what is known up to an index, or without one."""

    book: Book
    given: Index | None

    def scalar(self, scalar: Scalar, at: Place) -> str:
        """The proof that a polynomial is known."""
        return self._stated(f"scalar {scalar.key}", lambda place: self.book.scalar(scalar, place), scalar.atoms(), at)

    def word(self, word: Word, at: Place) -> str:
        """The proof that a product of matrices is known."""
        key = "word " + " ".join(f"{x.key}{flip}" for x, flip in word)
        return self._stated(key, lambda place: self.book.word(word, self.book.naming(place)), [x for x, _ in word], at)

    def _stated(self, key: str, text: Proof, parts: Iterable[Piece], at: Place) -> str:
        if text(HERE) == text(_OTHER):
            return "(fun _ _ _ => erefl)"
        rewriting = [each for each in dict.fromkeys(parts) if self._varies(each)]
        steps = " ".join(self.term(each, HERE, " w v gw") for each in rewriting)
        return self._lemma(key, text, f"by rewrite {steps}.", at)

    def _varies(self, term: Piece) -> bool:
        naming = self.book.naming
        return naming(HERE)(term) != naming(_OTHER)(term)

    def _lemma(self, key: str, text: Proof, script: str, at: Place, more: str = "") -> str:
        book = self.book
        key = f"known {self.given} {key}"
        if key not in book.known:
            past = book.past(self.given, HERE)
            binders = ["(t : nat)", "(rt : (1 <= t <= T)%N)", "(w v : outcome S)", f"(gw : {past} w v)"]
            book.known[key] = book.lemma("known", binders, f"{text(HERE)} = {text(_OTHER)}", script)
        name, letters = book.known[key]
        head = " ".join([name, *map(book.name, letters)])
        return f"({head} {at.time} {at.proof}{more})"

    def term(self, term: Piece, at: Place, more: str = "") -> str:
        """The proof that an atom or letter is known."""
        book = self.book

        def text(place: Place) -> str:
            return book.naming(place)(term)

        return self._lemma(term.key, text, self._script(term), at, more)

    def _script(self, term: Piece) -> str:
        book = self.book
        if isinstance(term, Symbol | Variable):
            if not isinstance(term.when, Time):
                raise InputError("letter", term, "a letter that is known")
            at = HERE.at(term.when.index)
            return f"apply: (known_later ({book.name(term)}_known {at.time})) gw; times."
        if isinstance(term, Expectation | Mean) and is_coarser(term.given, self.given):
            kind = "ex_knows" if isinstance(term, Expectation) else "mean_knows_"
            past = book.past(term.given, HERE)
            kept, shape = past_proof(term.given, HERE), "" if isinstance(term, Expectation) else "_ _ "
            return f"exact: (@{kind} R S {past} {kept} w _ {shape}_ {coarser(term.given, self.given, HERE)} w v gw)."
        if isinstance(term, Expectation | Mean | Total | Minimum | Before):
            raise InputError("term", term, "a term that is known and can be exported")
        made = book.defined[f"{'atom' if isinstance(term, Atom) else 'letter'} {term.key}"].name
        steps = " ".join(self.term(x, HERE, " w v gw") for x in dict.fromkeys(_pieces(term)) if self._varies(x))
        return f"by rewrite /{made} {steps}."


def _pieces(term: Term) -> Iterator[Piece]:
    """The atoms and letters right inside of a term."""
    for part in parts_of(term):
        if isinstance(part, Piece):
            yield part
        else:
            yield from _pieces(part)
