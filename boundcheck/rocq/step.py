"""One small function for each rule of the kernel: the term of Rocq that proves a step, from those of its premises.

Most rules say something about a term that the kernel then brings into normal form. Their function gives the polynomial
as it stands, over templates for the points, with the lemma of the library that proves it; `Step.normal` does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Statement, Theorem
from boundcheck.kernel.terms import ANY, FROBENIUS, SPECTRAL, Matrix, Point, Scalar, Symbol, Term
from boundcheck.rocq.algebra import Lemma, equal
from boundcheck.rocq.book import HERE, Book, Named, Place, Proof, related
from boundcheck.rocq.equations import Equations, Move

# How left <= right closes 0 <= right - left.
_CLOSE = {"<=": "sub_ge", "<": "sub_gt", "=": "sub_eq"}
CAST = {">=": "cast_ge", ">": "cast_gt", "=": "cast_eq"}
OP = SPECTRAL
_RULES: dict[str, Callable[[Step], str]] = {}


def rule(function: Callable[[Step], str]) -> Callable[[Step], str]:
    """Register the function of the kernel's rule of the same name."""
    _RULES[function.__name__.rstrip("_")] = function
    return function


@dataclass(frozen=True)
class Stated:
    """A step that the file has: its name, bound letters and hypotheses."""

    name: str
    letters: tuple[Named, ...]
    hypotheses: tuple[Statement, ...]


# What is stated, by theorem and by the hypotheses that are meant at one time alone.
Known = dict[tuple[int, frozenset[Statement]], Stated]


@dataclass(frozen=True)
class Step:
    """A theorem to export, with what the file has.

    Attributes:
        local: the hypotheses that are meant at one time alone, t0, as the conclusion then is: what induction needs.

    """

    book: Book
    theorem: Theorem
    stated: Known
    local: frozenset[Statement] = frozenset()

    @property
    def binder(self) -> str:
        """The time and the outcome of the conclusion, with the proof that it is a time, and here that it is t0."""
        return "t w rt et" if self.local else "t w rt"

    def state(self) -> Stated:
        """State the theorem as a lemma of the file."""
        hypotheses = tuple(sorted(self.theorem.hypotheses))
        more = ["(t0 : nat)"] * bool(self.local)
        more += [f"({self.hypothesis(x)} : {self._said(x, x in self.local)})" for x in hypotheses]
        claim, proof = self._said(self.theorem.conclusion, bool(self.local)), self.proof()
        name, letters = self.book.lemma("step", more, claim, f"exact {proof}.")
        made = self.stated[id(self.theorem), self.local] = Stated(name, letters, hypotheses)
        return made

    def _said(self, statement: Statement, local: bool) -> str:
        if not local:
            return self.book.calls(statement)
        if not isinstance(statement, Fact):
            raise InputError("statement", statement, "a fact, which may hold at one time alone")
        text = related(statement.relation, self.book.scalar(statement.polynomial, HERE))
        return f"forall t (w : outcome S), (1 <= t <= T)%N -> t = t0 -> {text}"

    def proof(self) -> str:
        """The term that proves the theorem."""
        if self.theorem.rule not in _RULES:
            raise InputError("rule", self.theorem.rule, "a rule that can be exported")
        return _RULES[self.theorem.rule](self)

    def hypothesis(self, statement: Statement) -> str:
        """The name of a hypothesis."""
        return "h" + self.book.statement(statement).name.removeprefix("fact").replace("law", "l")

    def use(
        self, theorem: Theorem, given: Mapping[Statement, str] | None = None, more: frozenset[Statement] = frozenset()
    ) -> str:
        """The proof of a premise; `given` has proofs of its hypotheses that are no hypotheses of this step.

        Those in `more` are meant at t0 alone, besides the step's own.
        """
        given = given or {}
        if theorem.rule == "assume":
            return given.get(theorem.conclusion) or self.hypothesis(theorem.conclusion)
        local = (self.local | more) & theorem.hypotheses
        stated = self.stated.get((id(theorem), local)) or Step(self.book, theorem, self.stated, local).state()
        words = [stated.name, *map(self.book.name, stated.letters), *["t0"] * bool(local)]
        words += [given.get(x) or self.hypothesis(x) for x in stated.hypotheses]
        return f"({' '.join(words)})"

    def fact(self, theorem: Theorem, at: str = "t w rt") -> str:
        """The proof of a premise that is a fact, at a place."""
        here = " et" if self.local & theorem.hypotheses else ""
        return f"({self.use(theorem)} {at}{here})"

    # Normal forms.

    def cast(self, relation: str, equation: Proof | None, proof: str, *, back: bool = False) -> str:
        """The proof of a fact about the one side of an equation, from that about the other."""
        if equation is None:
            return proof
        made = equation(HERE)
        return f"({CAST[relation]} {f'(esym {made})' if back else made} {proof})"

    def normal(
        self,
        left: Scalar,
        relation: str,
        right: Scalar,
        values: Mapping[Term, Matrix | Scalar],
        proof: str,
        told: Callable[[Lemma], tuple[str, str]] | None = None,
    ) -> str:
        """The step, from the library's left <= right (or =), before it is brought into normal form.

        `told` prints the two sides as the library has them, where that is not as polynomials.
        """
        equations, lemma = Equations(self.book, Move(values)), Lemma(self.book)
        for atom in sorted({*left.atoms(), *right.atoms()}):
            lemma.change(atom, equations.change(atom))
        raw = right - left
        image = equations.image_of(raw)
        fact = self.theorem.fact
        if image != fact.polynomial:
            raise InputError("conclusion", fact, f"what the exporter finds, {image}")
        sides = told(lemma) if told else tuple(lemma.scalar(x, before=True) for x in (left, right))
        premise = lemma.premise(f"{sides[0]} {relation} {sides[1]}", lambda _: proof)
        goal = lemma.scalar(image)
        script = equal(goal, f"{sides[1]} - ({sides[0]})", premise, first="subst; ")
        script += f"exact: ({CAST[fact.relation]} (esym e) ({_CLOSE[relation]} {premise}))."
        return f"(fun {self.binder} => {lemma.state(related(fact.relation, goal), script)(HERE)})"

    def text(self, *point: Matrix) -> str:
        """A point at t and w."""
        return self.book.point(point, HERE)


def templates(book: Book, letter: str, point: Point) -> tuple[Point, dict[Term, Matrix | Scalar]]:
    """A letter of its own for each block, and their values."""
    letters = [Symbol(f"zz{letter}{i}", x.shape, ANY) for i, x in enumerate(point)]
    book.bound |= set(letters)
    return tuple(map(Matrix.of, letters)), dict(zip(letters, point, strict=True))


def norm_name(kind: str) -> str:
    """The library's name of a norm."""
    return "fro" if kind == FROBENIUS else "opn"


def place_text(at: Place) -> str:
    """A time, an outcome, and the proof that it is one."""
    return f"{at.time} {at.outcome} {at.proof}"
