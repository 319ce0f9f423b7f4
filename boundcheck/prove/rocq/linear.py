"""Sums and expectations in normal form: linear, with what is known or constant taken out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from boundcheck.kernel.atoms import Before, Clock, Expectation, Horizon, Total, Trace
from boundcheck.kernel.builders import is_coarser, known, timed
from boundcheck.kernel.terms import (
    ONE,
    ZERO,
    Letter,
    Matrix,
    Mean,
    Monomial,
    Scalar,
    Term,
    Word,
    transposed,
)
from boundcheck.kernel.times import Index
from boundcheck.prove.rocq.algebra import UNCHANGED, Lemma, subst
from boundcheck.prove.rocq.book import Book, Place, Proof
from boundcheck.prove.rocq.knowing import Knowing, coarser, past_proof
from boundcheck.prove.rocq.traces import turned

if TYPE_CHECKING:
    from boundcheck.prove.rocq.equations import Equations


# A factor, what stays inside, the operator of that, and its proof.
_Summand = tuple[Scalar, Scalar, Scalar, Proof]


@dataclass
class _Linear:
    """An operator: its name in lemmas, and which atoms stay inside."""

    equations: Equations

    @property
    def book(self) -> Book:
        """The file."""
        return self.equations.book

    # What each operator says of itself.

    def inside(self, atom: Term) -> bool:
        """Whether an atom stays inside."""
        raise NotImplementedError

    def inner(self, at: Place) -> Place:
        """A place under the operator."""
        raise NotImplementedError

    def head(self, name: str, at: Place) -> str:
        """A lemma about the operator."""
        raise NotImplementedError

    def taken(self, factor: Scalar, at: Place) -> str:
        """That a factor may be taken out; empty where nothing needs to be said."""
        return ""

    def outside(self, factor: Scalar, at: Place) -> str:
        """A factor that is taken out."""
        return f"({self.book.scalar(factor, at)})"

    def single(self, monomial: Monomial) -> tuple[Scalar, Proof]:
        """The operator of a product of atoms that stay inside, with the proof."""
        raise NotImplementedError

    def function(self, text: Callable[[Place], str], at: Place) -> str:
        """A text as a function of what the operator ranges over."""
        raise NotImplementedError

    # The normal form.

    def whole(self, body: Scalar) -> tuple[Scalar, Proof]:
        """The operator of what a body becomes, and the proof."""
        image = self.equations.image_of(body)
        if not image.terms:
            return ZERO, self._zero(body)
        parts = []
        for monomial, c in image.terms.items():
            within = tuple(x for x in monomial if self.inside(x[0]))
            outside = Scalar({tuple(x for x in monomial if not self.inside(x[0])): c})
            parts.append((outside, Scalar({within: 1}), *self.single(within)))
        result = Scalar.sum(out * found for out, _, found, _ in parts)
        arranged, gathered = self._arranged(body, parts), self._gathered(parts, result)

        def proof(at: Place) -> str:
            inner = self.inner(at)
            changed = f"({self.head('eq', at)} _ _ {self.function(arranged, at)})"
            return f"(etrans {changed} (etrans {self._taken_out(parts, at, inner)} {gathered(at)}))"

        return result, proof

    def _zero(self, body: Scalar) -> Proof:
        lemma = self._changes(body)
        zero = lemma.state(f"{lemma.scalar(body, before=True)} = 0", f"{subst(lemma)}algebra.")
        return lambda at: f"({self.head('zero', at)} _ {self.function(zero, at)})"

    def _changes(self, body: Scalar) -> Lemma:
        lemma = Lemma(self.book)
        for atom in body.atoms():
            lemma.change(atom, self.equations.change(atom))
        return lemma

    def _arranged(self, body: Scalar, parts: Sequence[_Summand]) -> Proof:
        """The body is a sum of factors that are taken out times what stays inside."""
        lemma = self._changes(body)
        products = [f"({lemma.scalar(out)}) * ({lemma.scalar(within)})" for out, within, _, _ in parts]
        return lemma.state(f"{lemma.scalar(body, before=True)} = {right_nested(products)}", f"{subst(lemma)}algebra.")

    def _gathered(self, parts: Sequence[_Summand], result: Scalar) -> Proof:
        lemma = Lemma(self.book)
        products = [f"({lemma.scalar(out)}) * ({lemma.scalar(found)})" for out, _, found, _ in parts]
        return lemma.state(f"{right_nested(products)} = {lemma.scalar(result)}", "algebra.")

    def _taken_out(self, parts: Sequence[_Summand], at: Place, inner: Place) -> str:
        (out, within, _, proof), *rest = parts
        book = self.book
        texts = [self.outside(out, at), self.function(lambda x: book.scalar(within, x), at)]
        reasons = " ".join(filter(None, [self.taken(out, at), proof(at)]))
        if not rest:
            return f"({self.head('last', at)} {texts[0]} {texts[1]} _ {reasons})"
        others = [f"({book.scalar(o, inner)}) * ({book.scalar(i, inner)})" for o, i, _, _ in rest]
        remaining = self.function(lambda _: right_nested(others), at)
        head, last = self.head("cons", at), self._taken_out(rest, at, inner)
        return f"({head} {texts[0]} {texts[1]} {remaining} _ _ {reasons} {last})"


class Summing(_Linear):
    """The sum over all times."""

    name, past = "tot", "T"

    def inside(self, atom: Term) -> bool:
        return timed(atom)

    def inner(self, at: Place) -> Place:
        return at.within()

    def head(self, name: str, at: Place) -> str:
        return f"@tot_{name} R T"

    def function(self, text: Callable[[Place], str], at: Place) -> str:
        inner = self.inner(at)
        made = text(inner)
        binders = f"{inner.base} {inner.proof}" if made.startswith("(poly") else inner.base
        return f"(fun {binders} => {made})"

    def single(self, monomial: Monomial) -> tuple[Scalar, Proof]:
        if not monomial:
            return Scalar.of(Horizon()), lambda at: f"({self.head('one', at)})"
        return Scalar.of(Total(Scalar({monomial: 1}))), UNCHANGED


class Preceding(Summing):
    """The sum over earlier times."""

    def head(self, name: str, at: Place) -> str:
        return f"@pre_{name} R T {at.time} {at.proof}"

    def single(self, monomial: Monomial) -> tuple[Scalar, Proof]:
        if not monomial:
            return Clock() + Scalar.of(-1), lambda at: f"({self.head('one', at)})"
        return Scalar.of(Before(Scalar({monomial: 1}))), UNCHANGED


@dataclass
class Expecting(_Linear):
    """The expectation given the past up to an index, or nothing."""

    given: Index | None

    def inside(self, atom: Term) -> bool:
        return not known(atom, self.given)

    def inner(self, at: Place) -> Place:
        return at.elsewhere()

    def head(self, name: str, at: Place) -> str:
        past = self.book.past(self.given, at)
        return f"@ex_{name} R S {past} {past_proof(self.given, at)} {at.outcome}"

    def outside(self, factor: Scalar, at: Place) -> str:
        return self.function(lambda x: self.book.scalar(factor, x), at)

    def taken(self, factor: Scalar, at: Place) -> str:
        return Knowing(self.book, self.given).scalar(factor, at)

    def function(self, text: Callable[[Place], str], at: Place) -> str:
        inner = self.inner(at)
        return f"(fun {inner.outcome} => {text(inner)})"

    def single(self, monomial: Monomial) -> tuple[Scalar, Proof]:
        if not monomial:
            return ONE, lambda at: f"({self.head('one', at)})"
        if len(monomial) == 1 and monomial[0][1] == 1:
            atom = monomial[0][0]
            if isinstance(atom, Expectation) and is_coarser(self.given, atom.given):
                return self._tower(atom)
            if isinstance(atom, Total) and self.given is None:
                return self._total(atom)
            if isinstance(atom, Trace) and sum(not known(x, self.given) for x, _ in atom.word) == 1:
                return self._trace(atom)
        return Scalar.of(Expectation(Scalar({monomial: 1}), self.given)), UNCHANGED

    def _tower(self, atom: Expectation) -> tuple[Scalar, Proof]:
        result, proof = self.equations.still().expected(atom.body, self.given)

        def tower(at: Place) -> str:
            finer = self.book.past(atom.given, at)
            body = self.function(lambda x: self.book.scalar(atom.body, x), at)
            order = coarser(self.given, atom.given, at)
            return (
                f"(etrans ({self.head('tower', at)} {finer} {past_proof(atom.given, at)} {body} {order}) {proof(at)})"
            )

        return result, tower

    def _total(self, atom: Total) -> tuple[Scalar, Proof]:
        still = self.equations.still()
        each, proof = still.expected(atom.body, None)
        whole, summed = still.summed(each)

        def total(at: Place) -> str:
            inner, beyond = at.within(), at.within().elsewhere()
            body = f"(fun {inner.base} {beyond.outcome} => {self.book.scalar(atom.body, beyond)})"
            eq = f"(total_eq (fun {inner.base} {inner.proof} => {proof(inner)}))"
            return f"(etrans ({self.head('total', at)} T {body}) (etrans {eq} {summed(at)}))"

        return whole, total

    def _trace(self, atom: Trace) -> tuple[Scalar, Proof]:
        """Turn the word so that its unknown letter comes first, not transposed."""
        word = atom.word
        place = next(i for i, (x, _) in enumerate(word) if not known(x, self.given))
        if word[place][1]:
            word, place = transposed(word), len(word) - 1 - place
        (letter, _), rest = word[place], word[place + 1 :] + word[:place]
        image, mean_proof = self._mean(letter)
        result = Scalar.of(Trace(((image, False), *rest)))
        first, last = (
            self._turned(atom, letter, rest),
            self._turned(Trace(((image, False), *rest)), image, rest, back=True),
        )

        def trace(at: Place) -> str:
            book = self.book
            changed = f"({self.head('eq', at)} _ _ {self.function(first, at)})"
            x = self.function(lambda y: book.letter(letter, y), at)
            if not rest:
                out = f"({self.head('trace', at)} _ {x} _ {mean_proof(at)})"
            else:
                other = self.function(lambda y: book.word(rest, book.naming(y)), at)
                reason = Knowing(book, self.given).word(rest, at)
                out = f"({self.head('trace_times', at)} _ _ {x} {other} _ {reason} {mean_proof(at)})"
            return f"(etrans {changed} (etrans {out} {last(at)}))"

        return result, trace

    def _turned(self, atom: Trace, letter: Letter, rest: Word, *, back: bool = False) -> Proof:
        lemma, book = Lemma(self.book), self.book
        word = ((letter, False), *rest)
        lemma.matrix(Matrix.word(word))
        product = lemma.name(letter) if not rest else f"{lemma.name(letter)} *m ({book.word(rest, lemma.name)})"
        canonical = lemma.trace(atom.word)
        way = " ".join(turned(word, atom.word, lemma))
        script = f"transitivity ({lemma.trace(word)}); first by rewrite ?mulmxA. {way} by []."
        if back:
            return lemma.state(f"\\tr ({product}) = {canonical}", script)
        return lemma.state(f"{canonical} = \\tr ({product})", f"symmetry. {script}")

    def _mean(self, letter: Letter) -> tuple[Mean, Proof]:
        """The mean of a letter, and the proof that it is."""
        if isinstance(letter, Mean) and is_coarser(self.given, letter.given):
            image = Mean(letter.letter, self.given)

            def tower(at: Place) -> str:
                finer = self.book.past(letter.given, at)
                body = self.function(lambda x: self.book.letter(letter.letter, x), at)
                order = coarser(self.given, letter.given, at)
                return f"({self.head('mean_tower', at)} {finer} {past_proof(letter.given, at)} _ _ {body} {order})"

            return image, tower
        return Mean(letter, self.given), UNCHANGED


def right_nested(texts: list[str]) -> str:
    """A sum, bracketed from the right."""
    return texts[0] if len(texts) == 1 else f"{texts[0]} + ({right_nested(texts[1:])})"
