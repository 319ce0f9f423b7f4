"""One small function for each rule of the kernel: the term of Rocq that proves a step, from those of its premises.

Most rules say something about a term that the kernel then brings into normal form. Their function gives the polynomial
as it stands, over templates for the points, with the lemma of the library that proves it; `Step.normal` does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Law, Statement, Theorem
from boundcheck.kernel.builders import inner, substitute_matrix, trace
from boundcheck.kernel.rules import FIRST, gradients, sides_of
from boundcheck.kernel.terms import (
    ANY,
    FROBENIUS,
    NEXT,
    ONE,
    SPECTRAL,
    ZERO,
    Clock,
    Dimension,
    Gradient,
    Horizon,
    Index,
    Inverse,
    Matrix,
    Maximum,
    Minimum,
    Norm,
    Point,
    Root,
    Scalar,
    Symbol,
    Term,
    Value,
    Variable,
    word_shape,
)
from boundcheck.rocq.book import HERE, Book, Named, Naming, Piece, Place, Proof, nested, projected, ratio, related
from boundcheck.rocq.equations import (
    RANGE,
    UNCHANGED,
    Equations,
    Lemma,
    Move,
    constantly,
    equal,
    expanded,
    paired,
    past_proof,
    positive,
)

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


@rule
def discharge(step: Step) -> str:
    """The second theorem, its hypothesis proved by the first."""
    known, theorem = step.theorem.premises
    own, proof = {known.conclusion}, step.use(known)
    if step.local & known.hypotheses:
        return step.use(theorem, {known.conclusion: proof}, frozenset(own))
    if step.local & own:
        proof = f"(fun t w rt _ => {proof} t w rt)"
    return step.use(theorem, {known.conclusion: proof})


@rule
def generalise(step: Step) -> str:
    """A function of the variables and of proofs of the premises."""
    law = step.theorem.conclusion
    if not isinstance(law, Law):
        raise InputError("theorem", law, "a law")
    (theorem,) = step.theorem.premises
    names = {x: f"p{i}" for i, x in enumerate(law.premises)}
    heads = [*map(step.book.name, law.variables), *names.values()]
    body = step.use(theorem, names)
    return f"(fun {' '.join(heads)} => {body})" if heads else body


@rule
def instantiate(step: Step) -> str:
    """The law at its values, with proofs of its premises there."""
    (theorem,) = step.theorem.premises
    law = theorem.conclusion
    if not isinstance(law, Law):
        raise InputError("theorem", law, "a law")
    equations = Equations(step.book, Move(dict(step.theorem.arguments[0])))
    arguments = equations.arguments()
    words = [arguments[x] for x in law.variables]
    for premise in law.premises:
        if not isinstance(premise, Fact):
            raise InputError("premise", premise, "a fact; a law with a law as premise cannot be exported yet")
        image, equation = equations.scalar(premise.polynomial)
        hypothesis = step.hypothesis(Fact(premise.relation, image))
        words.append(f"(fun t w rt => {step.cast(premise.relation, equation, f'({hypothesis} t w rt)', back=True)})")
    image, equation = equations.scalar(law.conclusion.polynomial)
    if image != step.theorem.fact.polynomial:
        raise InputError("conclusion", step.theorem.fact, f"what the exporter finds, {image}")
    proof = f"({step.use(theorem)} {' '.join(words)} t w rt)"
    return f"(fun {step.binder} => {step.cast(law.conclusion.relation, equation, proof)})"


@rule
def rewrite(step: Step) -> str:
    """The proof that both sides become the same when the letter is replaced."""
    equation, theorem = step.theorem.premises
    letter, value, goal = step.theorem.arguments
    if step.local & equation.hypotheses:
        raise InputError("equation", equation.fact, "an equation that holds at every time")
    book = step.book
    name, text = book.letter(letter, HERE), book.matrix(value, book.naming(HERE))
    said = f"forall t (w : outcome S), (1 <= t <= T)%N -> {name} = {text}"
    equations = Equations(book, Move({letter: value}, ("eX", said)))
    old, left = equations.scalar(theorem.fact.polynomial)
    new, right = equations.scalar(goal.polynomial)
    if old != new:
        raise InputError("conclusion", goal, f"what the exporter finds, {old}")
    proof = step.cast(goal.relation, left, step.fact(theorem))
    proof = step.cast(goal.relation, right, proof, back=True)
    difference = Matrix.of(letter) - value
    (p,), values = templates(book, "P", (difference,))
    norm_of = Scalar.of(Norm(FROBENIUS, (p,)))
    image, same = Equations(book, Move(values)).scalar(norm_of)
    if image != equation.fact.polynomial:
        raise InputError("equation", equation.fact, f"what the exporter finds, {image}")
    zero = step.cast("=", same, step.fact(equation), back=True)
    # The difference in normal form is the letter minus the value.
    lemma = Lemma(book)
    both = f"{lemma.matrix(Matrix.of(letter))} - ({lemma.matrix(value)}) = {lemma.matrix(difference)}"
    split = lemma.state(both, "matrices.")(HERE)
    found = f"(fun t w rt => fro_equal (etrans (congr1 (@fro _ _ _) {split}) {zero}))"
    return f"(let eX : {said} := {found} in fun {step.binder} => {proof})"


@rule
def norm_nonnegative(step: Step) -> str:
    """0 <= ‖X‖."""
    kind, point = step.theorem.arguments
    p, values = templates(step.book, "P", point)
    return step.normal(ZERO, "<=", Scalar.of(Norm(kind, p)), values, f"({norm_name(kind)}_ge0 {step.text(*point)})")


@rule
def triangle(step: Step) -> str:
    """‖X + Y‖ <= ‖X‖ + ‖Y‖."""
    kind, x, y = step.theorem.arguments
    (p, mine), (q, yours) = templates(step.book, "P", x), templates(step.book, "Q", y)
    both = tuple(a + b for a, b in zip(p, q, strict=True))
    proof = f"({norm_name(kind)}_triangle {step.text(*x)} {step.text(*y)})"
    return step.normal(Scalar.of(Norm(kind, both)), "<=", Scalar.of(Norm(kind, p)) + Norm(kind, q), mine | yours, proof)


@rule
def homogeneous(step: Step) -> str:
    """‖cX‖ = c‖X‖, from c >= 0."""
    (factor,) = step.theorem.premises
    kind, x = step.theorem.arguments
    c = factor.fact.polynomial
    p, values = templates(step.book, "P", x)
    sign = step.fact(factor) if factor.fact.relation == ">=" else f"(ltW {step.fact(factor)})"
    proof = f"(esym ({norm_name(kind)}_homogeneous {step.text(*x)} {sign}))"
    scaled = Scalar.of(Norm(kind, tuple(block.scaled(c) for block in p)))

    def told(lemma: Lemma) -> tuple[str, str]:
        size = lemma.scalar(Scalar.of(Norm(kind, p)), before=True)
        return f"({lemma.scalar(c)}) * {size}", lemma.scalar(scaled, before=True)

    return step.normal(c * Norm(kind, p), "=", scaled, values, proof, told)


@rule
def submultiplicative(step: Step) -> str:
    """‖XY‖ <= ‖X‖‖Y‖."""
    kinds, x, y = step.theorem.arguments
    ((p,), mine), ((q,), yours) = templates(step.book, "P", (x,)), templates(step.book, "Q", (y,))
    lemma = {(OP, FROBENIUS): "fro_mul_op_fro", (FROBENIUS, OP): "fro_mul_fro_op", (OP, OP): "opn_mul"}[kinds]
    product = OP if kinds == (OP, OP) else FROBENIUS
    factors = (Scalar.of(Norm(kinds[0], (p,))), Scalar.of(Norm(kinds[1], (q,))))
    proof = f"({lemma} {step.text(x)} {step.text(y)})"
    left = Scalar.of(Norm(product, (p @ q,)))

    def told(lemma: Lemma) -> tuple[str, str]:
        sizes = [lemma.scalar(x, before=True) for x in (left, *factors)]
        return sizes[0], f"{sizes[1]} * {sizes[2]}"

    return step.normal(left, "<=", factors[0] * factors[1], mine | yours, proof, told)


@rule
def spectral_below_frobenius(step: Step) -> str:
    """‖X‖_op <= ‖X‖_F."""
    (x,) = step.theorem.arguments
    p, values = templates(step.book, "P", (x,))
    return step.normal(
        Scalar.of(Norm(OP, p)), "<=", Scalar.of(Norm(FROBENIUS, p)), values, f"(opn_le_fro {step.text(x)})"
    )


@rule
def cauchy_schwarz(step: Step) -> str:
    """⟨X, Y⟩ <= ‖X‖‖Y‖."""
    x, y = step.theorem.arguments
    (p, mine), (q, yours) = templates(step.book, "P", x), templates(step.book, "Q", y)
    right = Scalar.of(Norm(FROBENIUS, p)) * Norm(FROBENIUS, q)
    proof = f"(cauchy_schwarz {step.text(*x)} {step.text(*y)})"
    return step.normal(inner(p, q), "<=", right, mine | yours, proof)


@rule
def norm_expansion(step: Step) -> str:
    """‖X‖² = ⟨X, X⟩."""
    (x,) = step.theorem.arguments
    p, values = templates(step.book, "P", x)
    proof = f"(esym (fro_sq {step.text(*x)}))"
    return step.normal(inner(p, p), "=", Scalar.of(Norm(FROBENIUS, p)) ** 2, values, proof)


@rule
def rank_bound(step: Step) -> str:
    """‖X‖_F² <= m‖X‖_op²."""
    x, dimension = step.theorem.arguments
    (p,), values = templates(step.book, "P", (x,))
    size, matrix = Scalar.of(Dimension(dimension)), p
    if dimension == x.shape[0]:
        proof = f"(rank_rows {step.text(x)})"
    elif dimension == x.shape[1]:
        proof = f"(rank_columns {step.text(x)})"
    else:
        ((word, c),) = x.terms.items()
        place = next(i for i in range(1, len(word)) if word_shape(word[:i])[1] == dimension)
        parts = [Matrix.word(word[:place]).scaled(c), Matrix.word(word[place:])]
        ((p,), mine), ((q,), yours) = templates(step.book, "P", (parts[0],)), templates(step.book, "Q", (parts[1],))
        matrix, values = p @ q, mine | yours
        proof = f"(rank_inside {step.text(parts[0])} {step.text(parts[1])})"
    left = Scalar.of(Norm(FROBENIUS, (matrix,))) ** 2
    return step.normal(left, "<=", size * Scalar.of(Norm(OP, (matrix,))) ** 2, values, proof)


@rule
def dimension_positive(step: Step) -> str:
    """A number of rows or columns is at least 1: m >= 1."""
    (name,) = step.theorem.arguments
    proof = (
        f"(one_le R (isT : is_true (0 < {step.book.size(name)})%N))"
        if step.book.size(name).isdigit()
        else f"(one_le R {step.book.size(name)}_gt0)"
    )
    return step.normal(ONE, "<=", Scalar.of(Dimension(name)), {}, proof)


@rule
def horizon_positive(step: Step) -> str:
    """T >= 1."""
    return step.normal(ONE, "<=", Scalar.of(Horizon()), {}, "(one_le R T_gt0)")


@rule
def root_nonnegative(step: Step) -> str:
    """root(x) >= 0."""
    (x,) = step.theorem.arguments
    return step.normal(ZERO, "<=", Scalar.of(Root(x)), {}, "(sqrtr_ge0 _)")


@rule
def root_square(step: Step) -> str:
    """root(x)² = x, from x >= 0."""
    (radicand,) = step.theorem.premises
    x = radicand.fact.polynomial
    sign = step.fact(radicand) if radicand.fact.relation == ">=" else f"(ltW {step.fact(radicand)})"
    return step.normal(x, "=", Scalar.of(Root(x)) ** 2, {}, f"(esym (sqr_sqrtr {sign}))")


@rule
def inverse(step: Step) -> str:
    """Division: x times its inverse is 1, from x > 0."""
    (divisor,) = step.theorem.premises
    x = divisor.fact.polynomial
    book = step.book
    lemma = Lemma(book)
    inverse_ = lemma.name(Inverse(x))
    positive = lemma.premise(f"0 < {lemma.scalar(x)}", lambda _: step.fact(divisor))
    is_ = lemma.premise(f"{inverse_} = ({lemma.scalar(x)})^-1", UNCHANGED)
    goal = lemma.scalar(step.theorem.fact.polynomial)
    script = equal(goal, f"({lemma.scalar(x)}) * {inverse_} - 1", f"{positive} {is_}")
    script += f"by rewrite e {is_} divff ?subrr // gt_eqF."
    return f"(fun {step.binder} => {lemma.state(f'{goal} = 0', script)(HERE)})"


@rule
def vanishing(step: Step) -> str:
    """The number x is 0, from -x² >= 0."""
    (theorem,) = step.theorem.premises
    (x,) = step.theorem.arguments
    lemma = Lemma(step.book)
    square = lemma.scalar(theorem.fact.polynomial)
    h = lemma.premise(related(theorem.fact.relation, square), lambda _: step.fact(theorem))
    at_least = h if theorem.fact.relation != "=" else f"(eq_ge0 {h})"
    script = equal(square, f"- ({lemma.scalar(x)}) ^+ 2", h) + f"exact: (vanishes e {at_least})."
    return f"(fun {step.binder} => {lemma.state(f'{lemma.scalar(x)} = 0', script)(HERE)})"


@rule
def certificate(step: Step) -> str:
    """The certificate's own identity."""
    return certified(step.book, step.theorem, [step.fact(x) for x in step.theorem.premises], step.binder)


@rule
def at_most_maximum(step: Step) -> str:
    """A number is at most the largest: x <= max(x, y, ...)."""
    x, others = step.theorem.arguments
    lemma, members = Lemma(step.book), tuple(sorted({x, *others}))
    if len(members) == 1:
        return step.normal(x, "<=", x, {}, "(lexx _)")
    largest = lemma.name(Maximum(members))
    is_ = lemma.premise(f"{largest} = {nested([f'({lemma.scalar(y)})' for y in members])}", UNCHANGED)
    goal = lemma.scalar(step.theorem.fact.polynomial)
    script = equal(goal, f"{largest} - ({lemma.scalar(x)})", is_)
    script += f"by rewrite e subr_ge0 {is_} !le_max lexx ?orbT."
    return f"(fun {step.binder} => {lemma.state(related('>=', goal), script)(HERE)})"


@rule
def maximum_at_most(step: Step) -> str:
    """max(x, y, ...) <= c, from x <= c, y <= c, ..."""
    (c,) = step.theorem.arguments
    fact, lemma = step.theorem.fact, Lemma(step.book)
    strict = fact.relation == ">"
    proofs = {c - x.fact.polynomial: x for x in step.theorem.premises}
    members = tuple(sorted(proofs))
    if len(members) == 1:
        (theorem,) = proofs.values()
        weak = theorem.fact.relation == fact.relation
        return f"(fun {step.binder} => {step.fact(theorem) if weak else f'(ltW {step.fact(theorem)})'})"
    largest = lemma.name(Maximum(members))
    is_ = lemma.premise(f"{largest} = {nested([f'({lemma.scalar(y)})' for y in members])}", UNCHANGED)
    names, sign = [], "<" if strict else "<="
    for member, theorem in sorted(proofs.items()):
        said = related(theorem.fact.relation, lemma.scalar(c - member))
        known = lemma.premise(said, constantly(step.fact(theorem)))
        names.append((member, known, theorem.fact.relation))
    goal = lemma.scalar(fact.polynomial)
    all_ = " ".join([is_, *(known for _, known, _ in names)])
    bound, turn = lemma.scalar(c), f"subr_{'gt' if strict else 'ge'}0"
    # Rocq refuses to rewrite a term by itself.
    turned = "" if goal == f"{bound} - {largest}" else "e "
    script = equal(goal, f"({bound}) - {largest}", all_) + f"rewrite {turned}{turn} {is_}. "
    for i, (member, known, relation) in enumerate(names):
        proof = known if relation == fact.relation else f"(ltW {known})"
        rest = lemma.scalar(c - member)
        script += equal(rest, f"({bound}) - ({lemma.scalar(member)})", f"e {all_}", f"d{i}")
        script += f"have b{i} : {lemma.scalar(member)} {sign} {bound} :> R by rewrite -{turn} -d{i}; exact: {proof}. "
    script += f"by rewrite !{'gt_max' if strict else 'ge_max'} {' '.join(f'b{i}' for i in range(len(names)))}."
    return f"(fun {step.binder} => {lemma.state(related(fact.relation, goal), script)(HERE)})"


class Nonnegative(NamedTuple):
    """A number, with the proof that it is at least 0, or above 0 if `strict`."""

    text: str
    proof: str
    strict: bool

    @property
    def weak(self) -> str:
        """The proof that it is at least 0."""
        return f"(ltW {self.proof})" if self.strict else self.proof


def certified(book: Book, theorem: Theorem, proofs: Sequence[str], binder: str) -> str:
    """The step that a certificate closes, from proofs of its premises at t and w."""
    goal, terms, multipliers, factor = theorem.arguments
    lemma, facts = Lemma(book), [x.fact for x in theorem.premises]
    used = sorted({*factor, *(i for _, places in terms for i in places), *(i for _, i in multipliers)})
    names = {
        i: lemma.premise(related(facts[i].relation, lemma.scalar(facts[i].polynomial)), constantly(proofs[i]))
        for i in used
    }

    def premise(i: int) -> Nonnegative:
        return Nonnegative(f"({lemma.scalar(facts[i].polynomial)})", names[i], facts[i].relation == ">")

    below = all(facts[i].relation == ">" for i in factor)
    own = None if below or goal.relation != ">=" else goal.polynomial
    parts = [_summand(lemma, squares, [premise(i) for i in places], own) for squares, places in terms]
    equations = [
        (f"({lemma.scalar(Scalar.of(c))}) * ({lemma.scalar(facts[i].polynomial)})", names[i]) for c, i in multipliers
    ]
    right = " + ".join([*(x.text for x in parts), *(text for text, _ in equations)]) or "0"
    product = _product([premise(i) for i in factor])
    text = lemma.scalar(goal.polynomial)
    left = f"{product.text} * ({text})" if factor else text
    script = equal(left, right, " ".join(names.values()))
    if goal.relation == "=":
        whole = _zero([f"(times_zero _ {name})" for _, name in equations])
        script += f"exact: (divide_eq e {product.proof} {whole})." if factor else f"exact: (cast_eq (esym e) {whole})."
    else:
        whole_ = _sum([*parts, *(Nonnegative(x, f"(times_zero_ge _ {name})", False) for x, name in equations)])
        script += _closed(goal.relation, whole_, product if factor else None, below)
    return f"(fun {binder} => {lemma.state(related(goal.relation, text), script)(HERE)})"


def _closed(relation: str, whole: Nonnegative, product: Nonnegative | None, below: bool) -> str:
    if product is None:
        strict = relation == ">"
        return f"exact: (cast_{'gt' if strict else 'ge'} (esym e) {whole.proof if strict else whole.weak})."
    if relation == ">":
        return f"exact: (divide_gt e {product.weak} {whole.proof})."
    if below:
        return f"exact: (divide_ge e {product.proof} {whole.weak})."
    return f"exact: (divide_square e {product.weak} (fun below => {whole.proof}))."


def _summand(
    lemma: Lemma, squares: tuple[tuple[Fraction, Scalar], ...], factors: Sequence[Nonnegative], own: Scalar | None
) -> Nonnegative:
    whole = _sum([_square(lemma, weight, root, own) for weight, root in squares])
    # In a sum of summands, a sum of squares stands in brackets, as its proof does.
    return _product([Nonnegative(f"({whole.text})", whole.proof, whole.strict), *factors])


def _square(lemma: Lemma, weight: Fraction, root: Scalar, own: Scalar | None) -> Nonnegative:
    number = root.number
    if number:
        size = weight * number**2
        return Nonnegative(ratio(size), positive(size), True)
    text, square = f"{ratio(weight)} * ({lemma.scalar(root)}) ^+ 2", "(sqr_ge0 _)"
    if own is not None and root == own:
        return Nonnegative(text, f"(mulr_gt0 {positive(weight)} (square_gt below))", True)
    return Nonnegative(text, f"(mulr_ge0 (ltW {positive(weight)}) {square})", False)


def _product(parts: Sequence[Nonnegative]) -> Nonnegative:
    if not parts:
        return Nonnegative("1", positive(Fraction(ONE.number or 1)), True)
    whole, *rest = parts
    for each in rest:
        strict = whole.strict and each.strict
        proof = f"(mulr_gt0 {whole.proof} {each.proof})" if strict else f"(mulr_ge0 {whole.weak} {each.weak})"
        whole = Nonnegative(f"{whole.text} * {each.text}", proof, strict)
    return whole


def _sum(parts: Sequence[Nonnegative]) -> Nonnegative:
    if not parts:
        return Nonnegative("0", "(lexx 0)", False)
    whole, *rest = parts
    for each in rest:
        text, strict = f"{whole.text} + {each.text}", whole.strict or each.strict
        if whole.strict:
            whole = Nonnegative(text, f"(add_pn {whole.proof} {each.weak})", strict)
        else:
            whole = Nonnegative(text, f"(add_{'np' if each.strict else 'nn'} {whole.proof} {each.proof})", strict)
    return whole


def _zero(proofs: Sequence[str]) -> str:
    if not proofs:
        return "erefl"
    whole, *rest = proofs
    for each in rest:
        whole = f"(add_zz {whole} {each})"
    return whole


def _linear(step: Step, theorem: Theorem, image: Scalar, equation: Proof, lemmas: Mapping[str, str], over: str) -> str:
    """The step for a sign that an operator keeps."""
    fact = step.theorem.fact
    if image != fact.polynomial:
        raise InputError("conclusion", fact, f"what the exporter finds, {image}")
    return f"(fun {step.binder} => {step.cast(fact.relation, equation, f'({lemmas[fact.relation]} {over})')})"


@rule
def expectation(step: Step) -> str:
    """The expectation of the premise."""
    (theorem,) = step.theorem.premises
    (given,) = step.theorem.arguments
    image, equation = Equations(step.book, Move()).expected(theorem.fact.polynomial, given)
    head = f"R S {step.book.past(given, HERE)} {past_proof(given, HERE)} w _"
    lemmas = {">=": f"@ex_ge {head}", ">": f"@ex_gt {head}", "=": f"@ex_zero {head}"}
    return _linear(
        step, theorem, image, equation, lemmas, f"(fun w' => {step.fact(theorem, place_text(HERE.elsewhere()))})"
    )


@rule
def summation(step: Step) -> str:
    """The sum of the premise."""
    (theorem,) = step.theorem.premises
    image, equation = Equations(step.book, Move()).summed(theorem.fact.polynomial)
    lemmas = {">=": "@total_ge0 R T _", ">": "@total_gt0 R T _ T_gt0", "=": "@tot_zero R T _"}
    return _linear(
        step, theorem, image, equation, lemmas, f"(fun t' rt' => {step.fact(theorem, place_text(HERE.within()))})"
    )


@rule
def telescope(step: Step) -> str:
    """The sum of differences."""
    (x,) = step.theorem.arguments
    book, end, start = step.book, Index("T", 1), Index("", 1)
    moved = {index: Equations(book, Move(index=index)).scalar(x) for index in (NEXT, end, start)}
    difference = moved[NEXT][0] - x
    image, summed = Equations(book, Move()).summed(difference)
    # The normal form of a difference, at each time.
    each = Lemma(book)
    after = each.number(lambda at: book.scalar(x, at.at(NEXT)))
    h = each.premise(f"{after} = {each.scalar(moved[NEXT][0])}", moved[NEXT][1] or UNCHANGED)
    apart = each.state(f"{each.scalar(difference)} = {after} - ({each.scalar(x)})", f"rewrite {h}; algebra.")
    inner = HERE.within()
    both = f"(total_eq (fun t' rt' => {apart(inner)}))"
    function = f"(fun t' => {book.scalar(x, inner)})"
    lemma = Lemma(book)
    whole = lemma.number(constantly(f"total T (fun t' => {book.scalar(difference, inner)})"))
    ends = {index: lemma.number(constantly(book.scalar(x, HERE.at(index)))) for index in (end, start)}
    names = [lemma.premise(f"{whole} = {lemma.scalar(image)}", summed)]
    names.append(
        lemma.premise(
            f"{whole} = {ends[end]} - {ends[start]}", constantly(f"(etrans {both} (@telescope R T {function}))")
        )
    )
    names += [lemma.premise(f"{ends[i]} = {lemma.scalar(moved[i][0])}", moved[i][1] or UNCHANGED) for i in (end, start)]
    polynomial = step.theorem.fact.polynomial
    if image - moved[end][0] + moved[start][0] != polynomial:
        raise InputError("conclusion", step.theorem.fact, f"what the exporter finds, {image}")
    parts = f"({lemma.scalar(image)}) - (({lemma.scalar(moved[end][0])}) - ({lemma.scalar(moved[start][0])}))"
    script = equal(lemma.scalar(polynomial), parts, " ".join(names))
    script += f"by rewrite e -{names[0]} {names[1]} {names[2]} {names[3]} subrr."
    return f"(fun {step.binder} => {lemma.state(related('=', lemma.scalar(polynomial)), script)(HERE)})"


@rule
def minimum_at_most(step: Step) -> str:
    """A minimum is at most each number: min x <= x."""
    (x,) = step.theorem.arguments
    inner = HERE.within()
    proof = f"(@least_le R T (fun {inner.base} => {step.book.scalar(x, inner)}) t rt)"
    return step.normal(Scalar.of(Minimum(x)), "<=", x, {}, proof)


@rule
def minimum_at_least(step: Step) -> str:
    """A lower bound on a minimum: c <= min x, from c <= x."""
    (theorem,) = step.theorem.premises
    (x,) = step.theorem.arguments
    book, inner, fact = step.book, HERE.within(), step.theorem.fact
    c, strict = x - theorem.fact.polynomial, fact.relation == ">"
    lemma = Lemma(book)
    sign = "<" if strict else "<="
    known = lemma.premise(
        related(fact.relation, lemma.scalar(theorem.fact.polynomial)), lambda at: step.fact(theorem, place_text(at))
    )
    below = lemma.state(
        f"{lemma.scalar(c)} {sign} {lemma.scalar(x)}",
        f"rewrite -subr_{'gt' if strict else 'ge'}0. "
        + equal(f"{lemma.scalar(x)} - ({lemma.scalar(c)})", lemma.scalar(theorem.fact.polynomial), known)
        + "by rewrite e.",
    )
    body = f"(fun t' => {book.scalar(x, inner)})"
    proof = f"(@least_{'gt' if strict else 'ge'} R T {body} _ T_gt0 (fun t' rt' => {below(inner)}))"
    return step.normal(c, sign, Scalar.of(Minimum(x)), {}, proof)


@rule
def time_at_least_one(step: Step) -> str:
    """A time is at least 1."""
    return step.normal(ONE, "<=", Scalar.of(Clock()), {}, "(@time_ge1 R T t rt)")


@rule
def time_at_most_horizon(step: Step) -> str:
    """A time is at most T."""
    return step.normal(Scalar.of(Clock()), "<=", Scalar.of(Horizon()), {}, "(@time_leT R T t rt)")


@rule
def at_time(step: Step) -> str:
    """The premise at the first or the last time."""
    (theorem,) = step.theorem.premises
    (time,) = step.theorem.arguments
    image, equation = Equations(step.book, Move(index=time)).scalar(theorem.fact.polynomial)
    if image != step.theorem.fact.polynomial:
        raise InputError("conclusion", step.theorem.fact, f"what the exporter finds, {image}")
    at = "T w (last_time T_gt0)" if time.base else "1%N w (first_time T_gt0)"
    return f"(fun {step.binder} => {step.cast(theorem.fact.relation, equation, step.fact(theorem, at))})"


@rule
def induction(step: Step) -> str:
    """The proof from t = 1, and from each time to the next."""
    first, second = step.theorem.premises
    (goal,) = step.theorem.arguments
    book, p = step.book, goal.polynomial
    said = f"(fun t w => {related(goal.relation, book.scalar(p, HERE))})"
    at = {index: Equations(book, Move(index=index)).scalar(p) for index in (FIRST, NEXT)}
    for index, theorem in ((FIRST, first), (NEXT, second)):
        if at[index][0] != theorem.fact.polynomial:
            raise InputError("premise", theorem.fact, f"what the exporter finds, {at[index][0]}")
    begin = step.cast(goal.relation, at[FIRST][1], step.fact(first), back=True)
    next_ = step.use(second, {goal: "IH"}, frozenset({goal}))
    after = step.cast(goal.relation, at[NEXT][1], f"({next_} t w rt et)", back=True)
    if goal not in second.hypotheses:
        after = step.cast(goal.relation, at[NEXT][1], step.fact(second), back=True)
    starts = f"(fun w => (fun t rt => {begin}) 1%N (first_time T_gt0))"
    goes_on = f"(fun t0 rt0 IH w => (fun t rt (et : t = t0) => {after}) t0 rt0 erefl)"
    return f"(@by_induction T (outcome S) {said} {starts} {goes_on})"


@rule
def chain_rule(step: Step) -> str:
    """The slope of F along any direction of one block is that of f along the direction's image."""
    (composition,) = step.theorem.premises
    (block,) = step.theorem.arguments
    law = composition.conclusion
    if not isinstance(law, Law):
        raise InputError("theorem", law, "a law")
    return chained(step.book, law, step.use(composition), block, step.theorem)


@rule
def descent_lemma(step: Step) -> str:
    """The bound along the segment, from the premise at each of its points."""
    (smooth,) = step.theorem.premises
    function, x, delta, constant, theta, *signs = step.theorem.arguments
    sign, book = (signs or [1])[0], step.book
    (p, mine), (q, yours) = templates(book, "P", x), templates(book, "Q", delta)
    values, ends = mine | yours, Scalar.of(theta)
    size = Scalar.of(Norm(FROBENIUS, q))
    beyond = tuple(a + b.scaled(ends) for a, b in zip(p, q, strict=True))
    change = tuple(a - b for a, b in zip(gradients(function, beyond), gradients(function, p), strict=True))
    bend = Scalar.of(Norm(FROBENIUS, change))
    inside: dict[Statement, str] = {Fact(">=", ends): "(fun _ _ _ => zs0)"}
    inside[Fact(">=", ONE - ends)] = "(fun _ _ _ => zs1)"
    # The premise, as the library asks for it.
    equations, lemma = Equations(book, Move(values)), Lemma(book)
    for atom in (*size.atoms(), *bend.atoms()):
        lemma.change(atom, equations.change(atom))
    fact = smooth.fact
    known = lemma.premise(
        related(">=", lemma.scalar(fact.polynomial)), constantly(f"({step.use(smooth, inside)} t w rt)")
    )
    sides = [lemma.scalar(x, before=True) for x in (size, bend)]
    wanted = f"({lemma.scalar(constant)}) * {lemma.name(theta)} * {sides[0]} - {sides[1]}"
    script = equal(lemma.scalar(fact.polynomial), wanted, known, first="subst; ") + f"exact: (cast_ge e {known})."
    used = lemma.state(related(">=", wanted), script)(HERE)
    along = f"(fun (zs : R) zs0 zs1 => let {book.name(theta)} : {book.type_of(theta)} := fun _ _ => zs in {used})"
    name, gradient = book.function(function, x)
    head = "descent_up" if sign == 1 else "descent_down"
    arguments = f"{step.text(*x)} {step.text(*delta)} ({book.scalar(constant, HERE)})"
    proof = f"({head} (@descent _ _ _ {name} {gradient} {arguments} {gradient}_is {along}))"
    after = tuple(a + b for a, b in zip(p, q, strict=True))
    gain = [Scalar.of(Value(function, after)), Scalar.of(Value(function, p)), inner(gradients(function, p), q)]
    left, right = (gain[0] - gain[1] - gain[2]) * sign, constant * size * size * Fraction(1, 2)

    def told(lemma: Lemma) -> tuple[str, str]:
        first, second, third = (lemma.scalar(each, before=True) for each in gain)
        rise = f"{first} - {second} - ({third})"
        return (
            rise if sign == 1 else f"- ({rise})",
            f"({lemma.scalar(constant)}) / 2 * ({lemma.scalar(size, before=True)}) ^+ 2",
        )

    return step.normal(left, "<=", right, values, proof, told)


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
