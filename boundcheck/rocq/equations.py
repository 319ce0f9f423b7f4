"""Equations between what a rule yields as it stands and its normal form, each with its proof.

A kernel's conclusion is in normal form: linear, factors taken out, transposes chosen, letters
replaced. A lemma of the library yields terms that are not. `Equations` goes through such a term as
the kernel's builders do, and states for each atom or letter that changes one lemma, what it was =
what it becomes. Sums and expectations are linear operators: what is known or constant is taken out
of them.

A `Lemma` stands for itself: it is closed by its own identity, not by a search. Every atom and every
letter becomes a variable, so that an identity is as small as what it says. A term that changes has
two variables, one for what it was and one equation that says what it becomes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from typing import NamedTuple, cast

from boundcheck.errors import InputError
from boundcheck.kernel import terms as k
from boundcheck.kernel.builders import clock, is_coarser, known, maximum, norm, timed, trace
from boundcheck.kernel.rules import FIRST, LAST
from boundcheck.kernel.terms import (
    Expectation,
    Index,
    Matrix,
    Mean,
    Scalar,
    Symbol,
    Term,
    Total,
    Trace,
    Word,
)
from boundcheck.rocq.book import (
    HERE,
    Book,
    Piece,
    Place,
    Proof,
    nested,
    polynomial,
    projected,
    ratio,
)

RANGE = ["(t : nat)", "(w : outcome S)", "(rt : (1 <= t <= T)%N)"]


def constantly(text: str) -> Proof:
    """A proof that is the same at each place."""
    return lambda _: text


UNCHANGED = constantly("erefl")
"""The proof that both sides are the same."""


class Change(NamedTuple):
    """What becomes of an atom or letter: its image, the proof, and its text before; without a proof
    it stays.
    """

    image: Scalar | Matrix
    proof: Proof | None = None
    text: Proof = UNCHANGED


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

    def matrices(self, shape: tuple[str, str]) -> str:
        """The type of matrices; a number of rows or columns that is no numeral is a parameter of
        the lemma.
        """
        sizes = [self.book.size(name) for name in shape]
        self.sizes |= {size: None for size in sizes if not size.isdigit()}
        return f"'M[R]_({sizes[0]}, {sizes[1]})"

    def variable(self, text: Proof, letter: k.Letter | None = None) -> str:
        """A new variable that stands for this text: a matrix like the letter, or without one a
        number.
        """
        name = f"{'M' if letter else 'e'}_{len(self.binders)}"
        self.binders.append(f"({name} : {self.matrices(letter.shape) if letter else 'R'})")
        self.values.append(lambda place: f"({text(place)})")
        return name

    def name(self, term: Piece) -> str:
        """The variable for an atom or letter."""
        if term not in self.names:
            naming, letter = self.book.naming, None if isinstance(term, k.Atom) else term
            self.names[term] = self.variable(lambda place: naming(place)(term), letter)
        return self.names[term]

    def change(self, term: Piece, change: Change) -> None:
        """Say what becomes of a term: a variable for what it was, and a premise that says what that
        is equal to.
        """
        if change.proof is not None and term not in self.changed:
            name = self.changed[term] = self.variable(
                change.text, None if isinstance(term, k.Atom) else term
            )
            said = (
                self.scalar(change.image)
                if isinstance(change.image, Scalar)
                else self.matrix(change.image)
            )
            self.premise(f"{name} = {said}", change.proof)

    def premise(self, said: str, proof: Proof) -> str:
        """Add a premise; return its name."""
        name = f"h_{len(self.premises)}"
        self.premises.append(f"({name} : {said})")
        self.proofs.append(proof)
        return name

    def before(self, term: Piece) -> str:
        """The variable for what a term was."""
        return self.changed.get(term) or self.name(term)

    def scalar(self, scalar: Scalar, *, before: bool = False) -> str:
        """A polynomial in the variables, those of what was or of what is."""
        return polynomial(scalar, self.before if before else self.name)

    def matrix(self, matrix: Matrix, *, before: bool = False) -> str:
        """A matrix in the variables, those of what was or of what is."""
        if not matrix.terms:
            return f"(0 : {self.matrices(matrix.shape)})"
        return self.book.matrix(matrix, self.before if before else self.name)

    def trace(self, word: Word) -> str:
        """The trace of a product of the variables."""
        return f"\\tr ({self.book.word(word, self.name)})"

    def traced(self, scalar: Scalar) -> str:
        """A polynomial in the variables, its traces written out."""
        return polynomial(
            scalar, lambda x: self.trace(x.word) if isinstance(x, Trace) else self.name(x)
        )

    def state(self, said: str, script: str) -> Proof:
        """State the lemma that says this; return its use at a place."""
        sizes = f" ({' '.join(self.sizes)} : nat)" if self.sizes else ""
        text = (
            f"(R : realType){sizes} {' '.join([*self.binders, *self.premises])} : {said}.\nProof."
            f" {script} Qed."
        )
        if text not in self.book.algebra:
            self.book.algebra[text] = self.book.numbered("poly")
        head = " ".join([self.book.algebra[text], "R", *self.sizes])
        arguments = [*self.values, *self.proofs]
        return lambda place: f"({' '.join([head, *(x(place) for x in arguments)])})"

    @property
    def subst(self) -> str:
        """The step that replaces terms by what they become; empty where nothing changes."""
        return "subst. " if self.premises else ""


def equal(left: str, right: str, without: str = "", name: str = "e", first: str = "") -> str:
    """The step that proves two numbers equal by algebra alone: without premises, and after what
    comes first.
    """
    cleared = f"clear {without}; " if without else ""
    return f"have {name} : {left} = {right} :> R by {cleared}{first}algebra. "


def expanded(matrix: Matrix, lemma: Lemma) -> list[str]:
    """Steps that rewrite the trace of a matrix as a sum of traces of canonical words."""
    turns = (step for word in matrix.terms for step in _turned(word, Trace(word).word, lemma))
    return ["rewrite ?(traceD, traceB, traceN, traceZ, mxtrace0).", *turns]


def _turned(word: Word, canonical: Word, lemma: Lemma) -> list[str]:
    """Steps that rewrite the trace of a word as that of its canonical rotation or transpose."""
    if word == canonical:
        return []
    old, new = map(lemma.trace, (word, canonical))
    rotations = {
        other[i:] + other[:i]: (flip, i)
        for flip, other in ((True, k.transposed(word)), (False, word))
        for i in range(len(word))
    }
    flip, i = rotations[canonical]
    way = []
    if flip:
        word = k.transposed(word)
        way.append(
            f"transitivity ({lemma.trace(word)}); first by rewrite -mxtrace_tr ?trmx_mul ?trmxK"
            " ?mulmxA."
        )
    if i:
        split = " *m ".join(f"({lemma.book.word(x, lemma.name)})" for x in (word[:i], word[i:]))
        way.append(f"transitivity (\\tr ({split})); first by rewrite ?mulmxA.")
        way.append("by rewrite mxtrace_mulC ?mulmxA.")
    else:
        way.append("by [].")
    return [f"have turn : {old} = {new}.", "{", *way, "}", "rewrite turn {turn}."]


# What is known at a time.

# The other outcome, of a pair that looks alike.
_OTHER = Place(outcome="v")


def past_proof(given: Index | None, at: Place) -> str:
    """The proof that a past is one."""
    return "(@nothing_is_past R S)" if given is None else f"(@past_is_past R S {at.at(given).time})"


def _coarser(first: Index | None, second: Index | None, at: Place) -> str:
    """The proof that one past is part of another."""
    if first is None:
        return "(@nothing_coarser R S _)"
    if second is None or first == second:
        return "(fun _ _ h => h)"
    low = at.at(first).time
    high = at.at(second).time
    return f"(@past_coarser R S {low} {high} ltac:(times))"


@dataclass(frozen=True)
class _Knowing:
    """The proofs that terms are known up to an index, or without one: the same at two outcomes that
    look alike.
    """

    book: Book
    given: Index | None

    def proof(self, key: str, text: Proof, parts: Iterable[Piece], at: Place) -> str:
        """The proof that the term with this key and text, which has these atoms and letters, is
        known.
        """
        if text(HERE) == text(_OTHER):
            return "(fun _ _ _ => erefl)"
        return (
            f"({self._lemma(key, text, f'by rewrite {self._rewriting(parts)}.')} {at.time}"
            f" {at.proof})"
        )

    def _lemma(self, key: str, text: Proof, script: str) -> str:
        book = self.book
        key = f"known {self.given} {key}"
        if key not in book.known:
            past = book.past(self.given, HERE)
            binders = [
                "(t : nat)",
                "(rt : (1 <= t <= T)%N)",
                "(w v : outcome S)",
                f"(gw : {past} w v)",
            ]
            book.known[key] = book.lemma("known", binders, f"{text(HERE)} = {text(_OTHER)}", script)
        name, letters = book.known[key]
        return " ".join([name, *map(book.name, letters)])

    def _rewriting(self, parts: Iterable[Piece]) -> str:
        """The equations of those parts that vary with the outcome."""
        naming = self.book.naming
        found = []
        for part in dict.fromkeys(parts):
            if naming(HERE)(part) != naming(_OTHER)(part):

                def named(at: Place, part: Piece = part) -> str:
                    return naming(at)(part)

                head = self._lemma(part.key, named, self._script(part))
                found.append(f"({head} {HERE.time} {HERE.proof} w v gw)")
        return " ".join(found)

    def _script(self, term: Piece) -> str:
        """The proof that an atom or letter is known: as a process, as an expectation, or because
        its parts are.
        """
        book = self.book
        if isinstance(term, Symbol | k.Variable):
            if not isinstance(term.when, k.Time):
                raise InputError("letter", term, "a letter that is known")
            at = HERE.at(term.when.index)
            return f"apply: (known_later ({book.name(term)}_known {at.time})) gw; times."
        if isinstance(term, Expectation | Mean) and is_coarser(term.given, self.given):
            kind = "ex_knows" if isinstance(term, Expectation) else "mean_knows_"
            past = book.past(term.given, HERE)
            kept = past_proof(term.given, HERE)
            shape = "" if isinstance(term, Expectation) else "_ _ "
            return (
                f"exact: (@{kind} R S {past} {kept} w _ {shape}_"
                f" {_coarser(term.given, self.given, HERE)} w v gw)."
            )
        if isinstance(term, Expectation | Mean | Total | k.Minimum | k.Before):
            raise InputError("term", term, "a term that is known and can be exported")
        made = book.defined[f"{'atom' if isinstance(term, k.Atom) else 'letter'} {term.key}"].name
        return f"by rewrite /{made} {self._rewriting(_pieces(term))}."


def _pieces(term: Term) -> Iterator[Piece]:
    """The atoms and letters right inside of a term."""
    for part in k.parts_of(term):
        if isinstance(part, Piece):
            yield part
        else:
            yield from _pieces(part)


# Moves.


@dataclass
class Equations:
    """The equations of one change of terms: letters are replaced, or t is.

    Attributes:
        values: what letters become, because a law is for all of them, or by an equation.
        premise: the name and the text of the equation that replaces a letter; None where a law has
            it as variable.
        index: what t becomes.

    """

    book: Book
    values: Mapping[Term, Matrix | Scalar] = field(default_factory=dict)
    premise: tuple[str, str] | None = None
    index: Index | None = None
    made: dict[Piece, Change] = field(default_factory=dict)

    def arguments(self) -> dict[Term, str]:
        """The values of a law's variables, as functions of time and outcome."""
        found: dict[Term, str] = {}
        for letter, value in self.values.items():
            if self.premise or not isinstance(letter, Symbol | k.Variable):
                continue
            text = self.book.normal(value, HERE)
            if letter.when != k.CONSTANT:
                found[letter] = f"(fun t w => {text})"
            elif set("tw") & set(text.split()):
                raise InputError(
                    "value", value, "a value that names no time and no outcome, for a constant"
                )
            else:
                found[letter] = f"({text})"
        return found

    def _text(self, term: Piece) -> Proof:
        """An atom or letter before the change."""
        arguments = self.arguments()
        index = self.index
        return lambda place: self.book.piece(term, place.at(index) if index else place, arguments)

    # Atoms and letters.

    def change(self, term: Piece) -> Change:
        """The change of an atom or letter."""
        if term not in self.made:
            self.made[term] = self._change(term)
        return self.made[term]

    def _change(self, term: Piece) -> Change:
        plain = Change(Scalar.of(term) if isinstance(term, k.Atom) else Matrix.of(term))
        premise = self.premise
        index = self.index
        if term in self.values:
            proof = (
                (lambda at: f"({premise[0]} {at.time} {at.outcome} {at.proof})")
                if premise
                else UNCHANGED
            )
            return Change(self.values[term], proof, self._text(term))
        if index is None and term.inside.isdisjoint(self.values):
            return plain
        text = self._text(term)
        if index is not None and text(HERE) == self.book.naming(HERE)(term):
            return plain
        if isinstance(term, Symbol | k.Variable):
            if not isinstance(term.when, k.Time) or index is None:
                raise InputError("letter", term, "a process, which has a value at each time")
            moved = k.Time(term.when.index.moved(index), term.when.lag)
            if isinstance(term, Symbol):
                return Change(Matrix.of(Symbol(term.name, term.shape, moved)), UNCHANGED, text)
            return Change(Scalar.of(k.Variable(term.name, moved)), UNCHANGED, text)
        if (rebuilt := self._rebuilt(term)) is None:
            return plain
        # The change is a lemma of its own.
        image, same = rebuilt
        claim = (
            f"{text(HERE)} ="
            f" {self.book.normal(image, HERE)}{' :> R' if isinstance(image, Scalar) else ''}"
        )
        hypothesis = [f"({premise[0]} : {premise[1]})"] if premise else []
        name, letters = self.book.lemma(
            "same", [*hypothesis, *RANGE], claim, f"exact {same(HERE)}."
        )
        head = " ".join([name, *map(self.book.name, letters), *([premise[0]] if premise else [])])
        return Change(image, lambda at: f"({head} {at.time} {at.outcome} {at.proof})", text)

    def _rebuilt(self, term: Piece) -> tuple[Matrix | Scalar, Proof] | None:
        """What a term becomes, and the proof; None where it stays as it is."""
        index = self.index
        match term:
            case k.Norm():
                return self._norm(term.kind, term.blocks)
            case Trace():
                return self._trace(term)
            case k.Value() | k.Gradient():
                points = [self.matrix(x) for x in term.point]
                function, gradient = self.book.function(term.function, term.point)
                point = tuple(x for x, _ in points)
                image: Matrix | Scalar
                if isinstance(term, k.Value):
                    image = Scalar.of(k.Value(term.function, point))
                    head = function
                else:
                    image = Matrix.of(k.Gradient(term.function, point, term.block))
                    head = f"(fun x => {projected(f'{gradient} x', term.block, len(points))})"
                proofs = [proof for _, proof in points]
                return (
                    (image, lambda at: f"(congr1 {head} {paired(proofs, at)})")
                    if any(proofs)
                    else None
                )
            case k.Root() | k.Inverse():
                body, proof = self.scalar(term.body)
                head = "(fun x => Num.sqrt x)" if isinstance(term, k.Root) else "(fun x => x^-1)"
                return proof and (
                    Scalar.of(type(term)(body)),
                    lambda at: f"(congr1 {head} {proof(at)})",
                )
            case Expectation():
                return Expecting(
                    self, term.given.moved(index) if index and term.given else term.given
                ).whole(term.body)
            case Total() if index is None:
                return Summing(self).whole(term.body)
            case k.Minimum() if index is None:
                body, proof = self.scalar(term.body)
                if proof is None:
                    return None

                def least(at: Place) -> str:
                    inner = at.within()
                    return (
                        f"(@least_same R T _ _ T_gt0 (fun {inner.base} {inner.proof} =>"
                        f" {proof(inner)}))"
                    )

                return Scalar.of(k.Minimum(body)), least
            case k.Before():
                return self._earlier(term, index) if index else _Preceding(self).whole(term.body)
            case k.Maximum():
                return self._maximum(term.members)
            case k.Clock() if index is not None:
                # The number of another time.
                if not (index.offset and index.base):
                    return clock(index), UNCHANGED
                if index.offset != 1:
                    raise InputError("time", index, "t+1, T+1, T or a number")
                return clock(index), lambda at: f"(@next_time R {at.at(Index(index.base, 0)).time})"
            case Total() | k.Minimum():
                return Scalar.of(term), UNCHANGED
        raise InputError("term", term, "a term whose change can be exported")

    # Polynomials and matrices: an atom becomes a number, and a letter a matrix.

    def scalar(self, scalar: Scalar) -> tuple[Scalar, Proof | None]:
        """The polynomial that a polynomial becomes, and the proof; None where nothing has
        changed.
        """
        image = self.image_of(scalar)
        if scalar == image and all(self.change(x).proof is None for x in scalar.atoms()):
            return image, None
        lemma = self.lemma(scalar.atoms())
        said = f"{lemma.scalar(scalar, before=True)} = {lemma.scalar(image)}"
        return image, lemma.state(said, f"{lemma.subst}algebra.")

    def image_of(self, scalar: Scalar) -> Scalar:
        """The polynomial that a polynomial becomes."""
        summands = []
        for monomial, c in scalar.terms.items():
            product = Scalar.of(c)
            for atom, exponent in monomial:
                product = product * cast(Scalar, self.change(atom).image) ** exponent
            summands.append(product)
        return Scalar.sum(summands)

    def matrix(self, matrix: Matrix) -> tuple[Matrix, Proof | None]:
        """The matrix that a matrix becomes, and the proof; None where nothing has changed."""
        image = self._image(matrix)
        return image, self._proved(matrix, image)

    def _image(self, matrix: Matrix) -> Matrix:
        summands = []
        for word, c in matrix.terms.items():
            blocks = ((cast(Matrix, self.change(x).image), flip) for x, flip in word)
            factors = [block.T if flip else block for block, flip in blocks]
            summands.append(reduce(Matrix.__matmul__, factors).scaled(self.image_of(c)))
        return Matrix.sum(matrix.shape, summands)

    def lemma(self, pieces: Iterable[Piece]) -> Lemma:
        """A lemma that knows what these atoms and letters become."""
        lemma = Lemma(self.book)
        for term in pieces:
            lemma.change(term, self.change(term))
        return lemma

    def _proved(
        self, matrix: Matrix, normal: Matrix, scale: Fraction = Fraction(1), flip: bool = False
    ) -> Proof | None:
        """The proof that a matrix, or its transpose, becomes `scale` times another; None if they
        are the same.
        """
        pieces: list[Piece] = []
        for word, c in matrix.terms.items():
            pieces += [*(letter for letter, _ in word), *c.atoms()]
        lemma = self.lemma(pieces)
        if not lemma.changed and matrix == normal and scale == 1 and not flip:
            return None
        left = lemma.matrix(matrix, before=True)
        right = lemma.matrix(normal)
        left = f"({left})^T" if flip else left
        if abs(scale) != 1:
            right = f"{'- ' if scale < 0 else ''}{ratio(abs(scale))} *: ({right})"
        elif scale == -1:
            right = f"- ({right})"
        return lemma.state(f"{left} = {right}", f"{lemma.subst}matrices.")

    # Kinds of atoms.

    def _norm(self, kind: str, blocks: k.Point) -> tuple[Scalar, Proof] | None:
        images = [self._image(x) for x in blocks]
        image = norm(kind, *images)
        name = "fro" if kind == k.FROBENIUS else "opn"
        if not image.terms:
            proofs = [self._proved(x, y) for x, y in zip(blocks, images, strict=True)]
            return image, lambda at: f"({name}_zero {paired(proofs, at)})"

        # The proof that ‖block‖ = |scale| ‖normal‖; None for a block that is as it was.
        (size,) = image.terms.values()
        (normal,) = (x.blocks for x in image.atoms() if isinstance(x, k.Norm))
        fits = all(n.scaled(size) in (x, x.T) for x, n in zip(images, normal, strict=True))
        scale = size if fits else -size
        head = f"{name}_{'same' if scale == 1 else 'opposite'}"
        if size != 1:
            head = f"{name}_scaled{'' if scale > 0 else '_back'} {positive(size)}"
        parts: list[Proof | None] = []
        for block, became, chosen in zip(blocks, images, normal, strict=True):
            flip = became != chosen.scaled(scale)
            before, after = (f"etrans (esym ({name}_tr _)) ({head}", ")") if flip else (head, "")
            proof = self._proved(block, chosen, scale, flip)
            # Mypy infers no type for a lambda whose defaults bind variables of the loop.
            parts.append(
                proof
                and (
                    lambda at, p=proof, x=before, y=after: f"({x} {p(at)}{y})"  # type: ignore[misc]
                )
            )
        if not any(parts) and size == 1:
            return None
        pair = "fro_pair1" if size == 1 else f"fro_pair {positive(size)}"
        return image, lambda at: paired(parts, at, pair)

    def _trace(self, term: Trace) -> tuple[Scalar, Proof] | None:
        word = Matrix.word(term.word)
        lemma = self.lemma(x for x, _ in term.word)
        image = self._image(word)
        result = trace(image)
        if not lemma.changed and result == Scalar.of(term):
            return None
        # The sizes in the order of what the word becomes.
        for each in image.terms:
            for letter, _ in each:
                lemma.matrices(letter.shape)
        left = lemma.matrix(word, before=True)
        middle = lemma.matrix(image)
        said = f"\\tr ({left}) = {lemma.traced(result)}"
        script = [
            f"{lemma.subst}transitivity (\\tr ({middle})); first by congr (\\tr _); matrices."
        ]
        script += expanded(image, lemma)
        return result, lemma.state(said, " ".join([*script, "algebra."]))

    def _maximum(self, members: Sequence[Scalar]) -> tuple[Scalar, Proof] | None:
        images = [self.image_of(x) for x in members]
        result = maximum(*images)
        atoms = sorted({atom for x in members for atom in x.atoms()})
        if result == Scalar.of(k.Maximum(tuple(members))) and all(
            self.change(x).proof is None for x in atoms
        ):
            return None
        lemma = self.lemma(atoms)
        largest = result.atoms()[0] if len(set(images)) > 1 else None
        after = largest.members if isinstance(largest, k.Maximum) else (images[0],)
        left = nested([f"({lemma.scalar(x, before=True)})" for x in members])
        right = nested([f"({lemma.scalar(x)})" for x in after])
        script = ""
        for i, (x, image) in enumerate(zip(members, images, strict=True)):
            was = lemma.scalar(x, before=True)
            is_ = lemma.scalar(image)
            if was != is_:
                script += f"have m{i} : {was} = {is_} by subst; algebra. rewrite m{i}. "
        script += "by apply/eqP; rewrite eq_le !ge_max !le_max !lexx ?orbT."
        return result, lemma.state(f"{left} = {right}", script)

    def _earlier(self, term: k.Before, index: Index) -> tuple[Scalar, Proof]:
        """A sum over the times before another time."""
        book = self.book

        def body(at: Place) -> str:
            inner = at.within()
            return f"(fun {inner.base} => {book.scalar(term.body, inner)})"

        if index == FIRST:
            return k.ZERO, lambda at: f"(@before_first R {body(at)})"
        lemma = Lemma(book)
        whole = lemma.variable(lambda at: book.piece(term, at.at(index)))
        if index == k.NEXT:
            image = Scalar.of(term) + term.body
            said = f"{whole} = {lemma.name(term)} + ({lemma.scalar(term.body)})"
            lemma.premise(
                said, lambda at: f"(@before_next R {at.time} {body(at)} (proj1 (andP {at.proof})))"
            )
            return image, lemma.state(f"{whole} = {lemma.scalar(image)}", "subst; algebra.")
        if index != LAST:
            raise InputError("time", index, "t+1, T or 1")
        last, proof = self.scalar(term.body)
        total = Total(term.body)
        end = lemma.variable(lambda at: book.scalar(term.body, at.at(LAST)))
        lemma.premise(
            f"{whole} = {lemma.name(total)} - {end}",
            lambda at: f"(@before_last R T {body(at)} T_gt0)",
        )
        lemma.premise(f"{end} = {lemma.scalar(last)}", proof or UNCHANGED)
        image = Scalar.of(total) - last
        return image, lemma.state(f"{whole} = {lemma.scalar(image)}", "subst; algebra.")


def positive(size: Fraction) -> str:
    """The proof that a number is positive."""
    if size == 1:
        return "ltr01"
    above, below = (f"(ltr0Sn R {x - 1})" for x in (size.numerator, size.denominator))
    return above if size.denominator == 1 else f"(divr_gt0 {above} {below})"


def paired(proofs: Sequence[Proof | None], at: Place, pair: str = "pair_equal") -> str:
    """The proof that tuples are equal, from those for their blocks; a block without one stays as it
    is.
    """
    return reduce(lambda x, y: f"({pair} {x} {y})", [x(at) if x else "erefl" for x in proofs])


def _right_nested(texts: list[str]) -> str:
    """A sum, bracketed from the right."""
    return texts[0] if len(texts) == 1 else f"{texts[0]} + ({_right_nested(texts[1:])})"


# Linear operators.

# A factor, what stays inside, the operator of that, and its proof.
_Summand = tuple[Scalar, Scalar, Scalar, Proof]


@dataclass
class Summing:
    """The sum over all times, as a linear operator; others override which atoms stay inside, and
    what lemmas say.
    """

    equations: Equations

    def inside(self, atom: Term) -> bool:
        """True if an atom stays inside; the others are taken out."""
        return timed(atom)

    def inner(self, at: Place) -> Place:
        """A place under the operator."""
        return at.within()

    def head(self, name: str, at: Place) -> str:
        """A lemma about the operator."""
        return f"@tot_{name} R T"

    def function(self, text: Proof, at: Place) -> str:
        """A text as a function of what the operator ranges over."""
        inner = self.inner(at)
        made = text(inner)
        binders = f"{inner.base} {inner.proof}" if made.startswith("(poly") else inner.base
        return f"(fun {binders} => {made})"

    def single(self, monomial: k.Monomial) -> tuple[Scalar, Proof]:
        """The operator of a product of atoms that stay inside, with the proof."""
        if not monomial:
            return Scalar.of(k.Horizon()), lambda at: f"({self.head('one', at)})"
        return Scalar.of(Total(Scalar({monomial: 1}))), UNCHANGED

    def outside(self, factor: Scalar, at: Place) -> str:
        """A factor that is taken out."""
        return f"({self.equations.book.scalar(factor, at)})"

    def taken(self, factor: Scalar, at: Place) -> str:
        """The proof that a factor may be taken out; empty where none is needed."""
        return ""

    def whole(self, body: Scalar) -> tuple[Scalar, Proof]:
        """The operator of what a body becomes, in normal form, and the proof."""
        image = self.equations.image_of(body)
        if not image.terms:
            lemma = self.equations.lemma(body.atoms())
            zero = lemma.state(f"{lemma.scalar(body, before=True)} = 0", f"{lemma.subst}algebra.")
            return k.ZERO, lambda at: f"({self.head('zero', at)} _ {self.function(zero, at)})"
        parts: list[_Summand] = []
        for monomial, c in image.terms.items():
            within = tuple(x for x in monomial if self.inside(x[0]))
            outside = Scalar({tuple(x for x in monomial if not self.inside(x[0])): c})
            parts.append((outside, Scalar({within: 1}), *self.single(within)))
        result = Scalar.sum(out * found for out, _, found, _ in parts)
        # The body is a sum of factors that are taken out times what stays inside.
        lemma = self.equations.lemma(body.atoms())
        products = [
            f"({lemma.scalar(out)}) * ({lemma.scalar(within)})" for out, within, _, _ in parts
        ]
        said = f"{lemma.scalar(body, before=True)} = {_right_nested(products)}"
        arranged = lemma.state(said, f"{lemma.subst}algebra.")
        # The sum of the factors times the operators is the result.
        lemma = Lemma(self.equations.book)
        products = [
            f"({lemma.scalar(out)}) * ({lemma.scalar(found)})" for out, _, found, _ in parts
        ]
        gathered = lemma.state(f"{_right_nested(products)} = {lemma.scalar(result)}", "algebra.")

        def proof(at: Place) -> str:
            changed = f"({self.head('eq', at)} _ _ {self.function(arranged, at)})"
            return f"(etrans {changed} (etrans {self._taken_out(parts, at)} {gathered(at)}))"

        return result, proof

    def _taken_out(self, parts: Sequence[_Summand], at: Place) -> str:
        (out, within, _, proof), *rest = parts
        book, inner = self.equations.book, self.inner(at)
        texts = f"{self.outside(out, at)} {self.function(lambda x: book.scalar(within, x), at)}"
        reasons = " ".join(filter(None, [self.taken(out, at), proof(at)]))
        if not rest:
            return f"({self.head('last', at)} {texts} _ {reasons})"
        others = [f"({book.scalar(o, inner)}) * ({book.scalar(i, inner)})" for o, i, _, _ in rest]
        remaining = self.function(lambda _: _right_nested(others), at)
        return (
            f"({self.head('cons', at)} {texts} {remaining} _ _ {reasons}"
            f" {self._taken_out(rest, at)})"
        )


class _Preceding(Summing):
    """The sum over earlier times."""

    def head(self, name: str, at: Place) -> str:
        return f"@pre_{name} R T {at.time} {at.proof}"

    def single(self, monomial: k.Monomial) -> tuple[Scalar, Proof]:
        if not monomial:
            return k.Clock() + Scalar.of(-1), lambda at: f"({self.head('one', at)})"
        return Scalar.of(k.Before(Scalar({monomial: 1}))), UNCHANGED


@dataclass
class Expecting(Summing):
    """The expectation given the past up to an index, or nothing."""

    given: Index | None

    def inside(self, atom: Term) -> bool:
        return not known(atom, self.given)

    def inner(self, at: Place) -> Place:
        return at.elsewhere()

    def head(self, name: str, at: Place) -> str:
        past = self.equations.book.past(self.given, at)
        return f"@ex_{name} R S {past} {past_proof(self.given, at)} {at.outcome}"

    def function(self, text: Proof, at: Place) -> str:
        inner = self.inner(at)
        return f"(fun {inner.outcome} => {text(inner)})"

    def outside(self, factor: Scalar, at: Place) -> str:
        return self.function(lambda x: self.equations.book.scalar(factor, x), at)

    def taken(self, factor: Scalar, at: Place) -> str:
        book = self.equations.book
        key = f"scalar {factor.key}"
        return _Knowing(book, self.given).proof(
            key, lambda x: book.scalar(factor, x), factor.atoms(), at
        )

    def single(self, monomial: k.Monomial) -> tuple[Scalar, Proof]:
        if not monomial:
            return k.ONE, lambda at: f"({self.head('one', at)})"
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
        """The expectation of an expectation that is given more."""
        book = self.equations.book
        result, proof = Expecting(Equations(book), self.given).whole(atom.body)

        def tower(at: Place) -> str:
            finer = book.past(atom.given, at)
            body = self.function(lambda x: book.scalar(atom.body, x), at)
            said = (
                f"{finer} {past_proof(atom.given, at)} {body}"
                f" {_coarser(self.given, atom.given, at)}"
            )
            return f"(etrans ({self.head('tower', at)} {said}) {proof(at)})"

        return result, tower

    def _total(self, atom: Total) -> tuple[Scalar, Proof]:
        """The expectation of a sum, as the sum of expectations."""
        book = self.equations.book
        still = Equations(book)
        each, proof = Expecting(still, None).whole(atom.body)
        whole, summed = Summing(still).whole(each)

        def total(at: Place) -> str:
            inner = at.within()
            beyond = at.within().elsewhere()
            body = f"(fun {inner.base} {beyond.outcome} => {book.scalar(atom.body, beyond)})"
            eq = f"(total_eq (fun {inner.base} {inner.proof} => {proof(inner)}))"
            return f"(etrans ({self.head('total', at)} T {body}) (etrans {eq} {summed(at)}))"

        return whole, total

    def _trace(self, atom: Trace) -> tuple[Scalar, Proof]:
        """The expectation of a trace with one unknown letter: the word is turned so that it comes
        first, as it is.
        """
        book = self.equations.book
        word = atom.word
        place = next(i for i, (x, _) in enumerate(word) if not known(x, self.given))
        if word[place][1]:
            word, place = k.transposed(word), len(word) - 1 - place
        letter, _ = word[place]
        rest = word[place + 1 :] + word[:place]
        finer = isinstance(letter, Mean) and is_coarser(self.given, letter.given)
        image = Mean(letter.letter if isinstance(letter, Mean) and finer else letter, self.given)
        turned = Trace(((image, False), *rest))

        def turning(canonical: Word, first: k.Letter, back: bool) -> Proof:
            """The proof that the trace of a canonical word is that of the letter times the rest, or
            backwards.
            """
            lemma = Lemma(book)
            word = ((first, False), *rest)
            lemma.matrix(Matrix.word(word))
            product = (
                f"{lemma.name(first)} *m ({book.word(rest, lemma.name)})"
                if rest
                else lemma.name(first)
            )
            sides = [lemma.trace(canonical), f"\\tr ({product})"]
            way = " ".join(_turned(word, canonical, lemma))
            script = f"transitivity ({lemma.trace(word)}); first by rewrite ?mulmxA. {way} by []."
            return lemma.state(
                " = ".join(sides[::-1] if back else sides),
                script if back else f"symmetry. {script}",
            )

        to, fro = turning(atom.word, letter, False), turning(turned.word, image, True)

        def mean(at: Place) -> str:
            if not (isinstance(letter, Mean) and finer):
                return "erefl"
            past = f"{book.past(letter.given, at)} {past_proof(letter.given, at)}"
            body = self.function(lambda x: book.piece(letter.letter, x), at)
            return (
                f"({self.head('mean_tower', at)} {past} _ _ {body}"
                f" {_coarser(self.given, letter.given, at)})"
            )

        def others(at: Place) -> str:
            return book.word(rest, book.naming(at))

        def proof(at: Place) -> str:
            changed = f"({self.head('eq', at)} _ _ {self.function(to, at)})"
            x = self.function(lambda y: book.piece(letter, y), at)
            if not rest:
                out = f"({self.head('trace', at)} _ {x} _ {mean(at)})"
            else:
                other = self.function(others, at)
                key = "word " + " ".join(f"{x.key}{flip}" for x, flip in rest)
                reason = _Knowing(book, self.given).proof(key, others, [x for x, _ in rest], at)
                out = f"({self.head('trace_times', at)} _ _ {x} {other} _ {reason} {mean(at)})"
            return f"(etrans {changed} (etrans {out} {fro(at)}))"

        return Scalar.of(turned), proof
