"""Lemmas about numbers and matrices that stand for themselves: each is closed by its own identity, not by a search.

Every atom and every letter becomes a variable, so that an identity is as small as what it says. A term that changes
has two variables, one for what it was and one equation that says what it becomes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from boundcheck.errors import InputError
from boundcheck.kernel.terms import Atom, Letter, Matrix, Scalar, Trace, Word
from boundcheck.rocq.book import Book, Piece, Place, Proof, polynomial


@dataclass(frozen=True)
class Change:
    """The outcome of a move for an atom or letter: its image, and the proof; without one it stays as it is."""

    image: Scalar | Matrix
    proof: Proof | None
    text: Proof | None = None


@dataclass
class Lemma:
    """A lemma in the making: its variables, what they stand for, and its premises."""

    book: Book
    sizes: dict[str, None] = field(default_factory=dict)
    names: dict[Piece, str] = field(default_factory=dict)
    binders: list[str] = field(default_factory=list)
    values: list[Proof] = field(default_factory=list)
    premises: list[str] = field(default_factory=list)
    proofs: list[Proof] = field(default_factory=list)
    changed: dict[Piece, str] = field(default_factory=dict)

    def name(self, term: Piece) -> str:
        """The variable for an atom or letter."""
        if term not in self.names:
            self.names[term] = self._variable(term)
            naming = self.book.naming
            self.values.append(lambda place: f"({naming(place)(term)})")
        return self.names[term]

    def _variable(self, term: Piece) -> str:
        name = f"{'e' if isinstance(term, Atom) else 'M'}_{len(self.binders)}"
        self.binders.append(f"({name} : {self.type_of(term)})")
        return name

    def type_of(self, term: Piece) -> str:
        """The type of a variable."""
        if isinstance(term, Atom):
            return "R"
        if not isinstance(term, Letter):
            raise InputError("term", term, "an atom or a letter")
        return f"'M[R]_({self.size(term.shape[0])}, {self.size(term.shape[1])})"

    def size(self, name: str) -> str:
        """A number of rows or columns: a parameter of the lemma."""
        text = self.book.size(name)
        if not text.isdigit():
            self.sizes[text] = None
        return text

    def change(self, term: Piece, change: Change) -> None:
        """Say what becomes of a term."""
        if change.proof is None or change.text is None:
            return
        name = self.changed[term] = self._variable(term)
        text = change.text
        self.values.append(lambda place: f"({text(place)})")
        image = change.image
        said = self.scalar(image) if isinstance(image, Scalar) else self.matrix(image)
        self.premise(f"{name} = {said}", change.proof)

    def number(self, text: Proof) -> str:
        """A variable for a number with this text."""
        name = f"e_{len(self.binders)}"
        self.binders.append(f"({name} : R)")
        self.values.append(lambda place: f"({text(place)})")
        return name

    def before(self, term: Piece) -> str:
        """The variable for what a term was."""
        return self.changed.get(term) or self.name(term)

    def premise(self, said: str, proof: Proof) -> str:
        """Add a premise; return its name."""
        self.premises.append(f"(h_{len(self.premises)} : {said})")
        self.proofs.append(proof)
        return f"h_{len(self.premises) - 1}"

    def scalar(self, scalar: Scalar, *, before: bool = False) -> str:
        """A polynomial in the variables, those of what was or of what is."""
        return polynomial(scalar, self.before if before else self.name)

    def matrix(self, matrix: Matrix, *, before: bool = False) -> str:
        """A matrix in the variables, those of what was or of what is."""
        if not matrix.terms:
            return f"(0 : 'M[R]_({self.size(matrix.shape[0])}, {self.size(matrix.shape[1])}))"
        for word in matrix.terms:
            for letter, _ in word:
                self.type_of(letter)
        return self.book.matrix(matrix, self.before if before else self.name)

    def trace(self, word: Word) -> str:
        """The trace of a product of the variables."""
        return f"\\tr ({self.book.word(word, self.name)})"

    def traced(self, scalar: Scalar) -> str:
        """A polynomial in the variables, its traces written out."""
        return polynomial(scalar, lambda x: self.trace(x.word) if isinstance(x, Trace) else self.name(x))

    def state(self, said: str, script: str) -> Proof:
        """State the lemma that says this; return its use at a place."""
        sizes = f" ({' '.join(self.sizes)} : nat)" if self.sizes else ""
        text = f"(R : realType){sizes} {' '.join([*self.binders, *self.premises])} : {said}.\nProof. {script} Qed."
        if text not in self.book.algebra:
            self.book.algebra[text] = self.book.numbered("poly")
        head = " ".join([self.book.algebra[text], "R", *self.sizes])
        values, proofs = list(self.values), list(self.proofs)

        def use(place: Place) -> str:
            return f"({' '.join([head, *(x(place) for x in values), *(x(place) for x in proofs)])})"

        return use


def constantly(text: str) -> Proof:
    """A proof that is the same at each place."""
    return lambda _: text


UNCHANGED = constantly("erefl")
"""The proof that both sides are the same."""


def equation(book: Book, left: Scalar, changes: dict[Piece, Change], right: Scalar) -> Proof | None:
    """The proof that `left`, with its atoms as they were, is `right`; None where nothing has changed."""
    if left == right and all(x.proof is None for x in changes.values()):
        return None
    lemma = Lemma(book)
    for term, change in changes.items():
        lemma.change(term, change)
    said = f"{lemma.scalar(left, before=True)} = {lemma.scalar(right)}"
    return lemma.state(said, f"{subst(lemma)}algebra.")


def equal(left: str, right: str, without: str = "", name: str = "e", first: str = "") -> str:
    """The step that proves two numbers equal by algebra alone: without premises, and after what comes first."""
    cleared = f"clear {without}; " if without else ""
    return f"have {name} : {left} = {right} :> R by {cleared}{first}algebra. "


def subst(lemma: Lemma) -> str:
    """The step that replaces terms by what they become; empty where nothing changes."""
    return "subst. " if lemma.premises else ""
