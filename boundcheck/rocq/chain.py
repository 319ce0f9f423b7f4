"""The chain rule: F(X) = f(P(X)), P polynomial, along the line X + sH in one block."""

from __future__ import annotations

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Law, Theorem
from boundcheck.kernel.builders import substitute_matrix, trace
from boundcheck.kernel.rules import gradients, sides_of
from boundcheck.kernel.terms import ANY, FROBENIUS, Gradient, Matrix, Norm, Point, Scalar, Symbol, Term, Value, Variable
from boundcheck.rocq.algebra import Lemma
from boundcheck.rocq.book import HERE, Book, Naming, Piece, projected
from boundcheck.rocq.equations import RANGE, Equations, Move, paired
from boundcheck.rocq.traces import expanded

# The highest power of s on a line that the library has a lemma for.
_LEMMAS = {1: "chain1", 2: "chain2"}


def chained(book: Book, law: Law, proof: str, block: int, theorem: Theorem) -> str:
    """The step's term, from the proof of the composition."""
    outer, inner = sides_of(law)
    letters = [only_letter(x) for x in outer.point]
    conclusion = theorem.conclusion
    if not isinstance(conclusion, Law):
        raise InputError("theorem", conclusion, "a law")
    line = _Line(book, law, outer, inner, letters, block)
    slope = line.slope(proof)
    names = [book.name(x) for x in law.variables]
    equal = f"(gradient_from_slopes (fun {book.name(line.direction)} => {line.adjoint(slope)}))"
    left = Matrix.of(Gradient(outer.function, outer.point, block))
    difference = left - line.gradient
    lemma = Lemma(book)
    lemma_left = lemma.matrix(left)
    same = lemma.premise(f"{lemma_left} = {lemma.matrix(line.gradient)}", lambda _: equal)
    zero = lemma.state(f"{lemma.matrix(difference)} = 0", f"rewrite {same}. matrices.")(HERE)
    template = Symbol("zzP0", difference.shape, ANY)
    book.bound |= {template}
    raw = Scalar.of(Norm(FROBENIUS, (Matrix.of(template),)))
    image, equation = Equations(book, Move({template: difference})).scalar(raw)
    if Fact("=", image) != conclusion.conclusion:
        raise InputError("conclusion", conclusion, f"what the exporter finds, {image}")
    done = f"(fro_zero {zero})"
    if equation is not None:
        done = f"(cast_eq {equation(HERE)} {done})"
    return f"(fun {' '.join(names)} t w rt => {done})"


def only_letter(matrix: Matrix) -> Symbol:
    """The only letter in a block of the composition's point."""
    ((word, _),) = matrix.terms.items()
    ((letter, _),) = word
    if not isinstance(letter, Symbol):
        raise InputError("point", matrix, "a point of letters")
    return letter


class _Line:
    """The line, the powers of s on it, and the gradient that the kernel states."""

    def __init__(self, book: Book, law: Law, outer: Value, inner: Value, letters: list[Symbol], block: int) -> None:
        self.book, self.law, self.outer, self.inner, self.letters, self.block = book, law, outer, inner, letters, block
        self.direction, self.s = Symbol("zzH", letters[block].shape), Variable("zzs")
        book.bound |= {self.direction, self.s}
        moved: dict[Term, Matrix | Scalar] = {
            letters[block]: Matrix.of(letters[block]) + Matrix.of(self.direction).scaled(self.s)
        }
        images = [substitute_matrix(x, moved) for x in inner.point]
        found = [e for x in images for c in x.terms.values() for m in c.terms for a, e in m if a == self.s]
        highest = max(found, default=1)
        if highest not in _LEMMAS:
            raise InputError("composition", law, f"one that is linear or quadratic in {letters[block]}")
        self.lemma = _LEMMAS[highest]
        self.powers: list[Point] = [tuple(_part(x, self.s, i) for x in images) for i in range(highest + 1)]
        slopes = gradients(inner.function, inner.point)
        pulled = [self._pulled(d, y) for d, y in zip(self.powers[1], slopes, strict=True)]
        self.gradient = Matrix.sum(letters[block].shape, pulled)

    def _pulled(self, image: Matrix, slope: Matrix) -> Matrix:
        """The share of one block's slope S in the gradient: the sum of uᵀ S wᵀ over the words u H w."""
        summands = []
        for word, c in image.terms.items():
            place = next(i for i, (x, _) in enumerate(word) if x == self.direction)
            made, before, after = slope, word[:place], word[place + 1 :]
            made = Matrix.word(before).T @ made if before else made
            made = made @ Matrix.word(after).T if after else made
            summands.append((made.T if word[place][1] else made).scaled(c))
        return Matrix.sum(self.letters[self.block].shape, summands)

    def slope(self, proof: str) -> str:
        """State that the two slopes at s = 0 agree, from the proof of the composition; return its use."""
        book, outer, inner = self.book, self.outer, self.inner
        function, gradient = book.function(outer.function, outer.point)
        other, other_gradient = book.function(inner.function, inner.point)
        zero = [f"(0 : {book.matrices(x.shape)})" for x in self.letters]
        zero[self.block] = book.name(self.direction)
        point, ways = book.point(outer.point, HERE), f"({', '.join(zero)})"
        claim = (
            f"dot ({gradient} {point}) {ways} = "
            f"dot ({other_gradient} {book.point(inner.point, HERE)}) {book.point(self.powers[1], HERE)}"
        )
        blocks = [projected("zu", i, len(self.letters)) for i in range(len(self.letters))]
        places: dict[Piece, str] = dict(zip(self.letters, blocks, strict=True))
        naming = book.naming(HERE)
        image = ", ".join(book.matrix(x, lambda y: places.get(y) or naming(y)) for x in inner.point)
        names = [f"za{i}" for i in range(len(self.letters))]
        pattern = names[0]
        for each in names[1:]:
            pattern = f"[{pattern} {each}]"
        lets = "".join(
            f"let {book.name(x)} : {book.type_of(x)} := fun _ _ => {y} in "
            for x, y in zip(self.letters, names, strict=True)
        )
        used = f"(hl {' '.join(map(book.name, self.law.variables))} t w rt)"
        lemma = Lemma(book)
        sides = [lemma.name(outer), lemma.name(inner)]
        known = lemma.premise(f"{lemma.scalar(self.law.conclusion.polynomial)} = 0", lambda _: used)
        back = self.law.conclusion.polynomial == Scalar.of(inner) - outer
        at = lemma.state(
            f"{sides[0]} = {sides[1]}",
            f"apply/eqP; rewrite -subr_eq0 {'-oppr_eq0 ' if back else ''}; apply/eqP; rewrite -[RHS]{known}; algebra.",
        )(HERE)
        script = (
            f"apply: (@{self.lemma} R _ _ _ _ {function} {other} (fun zu => ({image})) {point} {ways} _ _ "
            f"{' '.join(book.point(x, HERE) for x in self.powers[1:])} ({gradient}_is _) ({other_gradient}_is _)).\n"
            f"- by move=> {pattern}; exact ({lets}{at}).\n- by move=> {book.name(self.s)}; exact {self._expansion()}."
        )
        name, letters = book.lemma("slope", [f"(hl : {book.calls(self.law)})", *RANGE], claim, script, (self.s,))
        return f"({name} {' '.join(map(book.name, letters))} {proof} t w rt)"

    def _expansion(self) -> str:
        """The proof that P(X + sH) = P(X) + sD + s²Q."""
        proofs = []
        for i, image in enumerate(self.inner.point):
            lemma = Lemma(self.book)
            s = lemma.name(self.s)
            there: dict[Piece, str] = {x: f"({lemma.name(x)} + {s} *: {self._way(lemma, x)})" for x in self.letters}
            left = self.book.matrix(image, _written(there, lemma))
            right = " + ".join(
                [
                    lemma.matrix(image),
                    *(
                        f"{s}{f' ^+ {k}' if k > 1 else ''} *: ({lemma.matrix(each[i])})"
                        for k, each in enumerate(self.powers)
                        if k
                    ),
                ]
            )
            proofs.append(lemma.state(f"{left} = {right}", "matrices.")(HERE))
        return paired(proofs)

    def _way(self, lemma: Lemma, letter: Symbol) -> str:
        """The direction of a block."""
        moves = letter == self.letters[self.block]
        return lemma.name(self.direction) if moves else lemma.matrix(Matrix.zero(letter.shape))

    def adjoint(self, slope: str) -> str:
        """The proof that ⟨∇F, H⟩ = ⟨the gradient that the kernel states, H⟩."""
        lemma = Lemma(self.book)
        direction = Matrix.of(self.direction)
        mine, theirs = (gradients(x.function, x.point) for x in (self.outer, self.inner))
        sides = []
        for i, each in enumerate(mine):
            way = lemma.matrix(direction if i == self.block else Matrix.zero(each.shape))
            sides.append(f"\\tr (({lemma.matrix(each)})^T *m ({way}))")
        images = [
            f"\\tr (({lemma.matrix(y)})^T *m ({lemma.matrix(d)}))" for y, d in zip(theirs, self.powers[1], strict=True)
        ]
        known = lemma.premise(f"{' + '.join(sides)} = {' + '.join(images)}", lambda _: slope)
        goal = f"\\tr (({lemma.matrix(self.gradient)})^T *m ({lemma.matrix(direction)}))"
        script = [
            f"transitivity ({' + '.join(sides)}); first by rewrite ?mulmx0 ?mxtrace0 ?addr0 ?add0r. rewrite {known}."
        ]
        seen = set[str]()
        parts = [(text, y.T @ d) for text, y, d in zip(images, theirs, self.powers[1], strict=True)]
        for i, (text, matrix) in enumerate([*parts, (goal, self.gradient.T @ direction)]):
            canonical, way = lemma.traced(trace(matrix)), _canonical(matrix, lemma)
            # An equation whose sides are the same but for brackets rewrites nothing.
            if not {text, _bare(text)} & {*seen, _bare(canonical)}:
                script.append(f"have t{i} : {text} = {canonical}. {{ {way} }} rewrite t{i}.")
            seen.add(text)
        return lemma.state(f"{sides[self.block]} = {goal}", " ".join([*script, "algebra."]))(HERE)


def _written(values: dict[Piece, str], lemma: Lemma) -> Naming:
    """The naming that writes letters as these values, and others as variables."""
    return lambda x: values.get(x) or lemma.name(x)


def _bare(text: str) -> str:
    return text.replace("(", "").replace(")", "")


def _canonical(matrix: Matrix, lemma: Lemma) -> str:
    first = f"transitivity (\\tr ({lemma.matrix(matrix)})); first by congr (\\tr _); matrices."
    return " ".join([first, *expanded(matrix, lemma), "algebra."])


def _part(matrix: Matrix, s: Variable, power: int) -> Matrix:
    """The coefficient of a power of s."""
    terms = {}
    for word, c in matrix.terms.items():
        kept = {}
        for monomial, number in c.terms.items():
            if dict(monomial).get(s, 0) == power:
                kept[tuple((a, e) for a, e in monomial if a != s)] = number
        terms[word] = Scalar(kept)
    return Matrix(matrix.shape, terms)
