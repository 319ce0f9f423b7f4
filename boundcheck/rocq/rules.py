"""The rules of the kernel: for each the term of Rocq that proves a step, from those of its
premises.

Most rules say something about a term that the kernel then brings into normal form. Here they give
the polynomial as it stands, over templates for the points, with the lemma of the library that
proves it; `Step.normal` does the rest.
The order in which terms are printed counts: definitions are numbered as they are met.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from operator import add, mul

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Law, Statement, Theorem
from boundcheck.kernel import terms as k
from boundcheck.kernel.builders import inner, substitute_matrix, trace
from boundcheck.kernel.rules import FIRST, adjoint, gradients, sides_of
from boundcheck.kernel.terms import (
    ANY,
    FROBENIUS,
    NEXT,
    ONE,
    SPECTRAL,
    Matrix,
    Norm,
    Point,
    Scalar,
    Symbol,
    Term,
    Variable,
)
from boundcheck.rocq import equations as eq
from boundcheck.rocq.book import HERE, Book, Named, Piece, Proof, nested, projected, ratio, related
from boundcheck.rocq.equations import (
    UNCHANGED,
    Equations,
    Expecting,
    Lemma,
    Summing,
    constantly,
    equal,
    positive,
)

# How left <= right closes 0 <= right - left.
_CLOSE = {"<=": "sub_ge", "<": "sub_gt", "=": "sub_eq"}
_CAST = {">=": "cast_ge", ">": "cast_gt", "=": "cast_eq"}
_NORMS = {FROBENIUS: "fro", SPECTRAL: "opn"}
# Under a sum over the times.
_INNER = HERE.within()
Rule = Callable[["Step"], str]
_RULES: dict[str, Rule] = {}


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Register a function of these rules of the kernel; without names, of the rule that it is
    called by.
    """

    def register(function: Rule) -> Rule:
        _RULES.update(dict.fromkeys(names or (function.__name__,), function))
        return function

    return register


# The names and bound letters of what is stated, by theorem and by the hypotheses that are meant at
# one time alone.
Known = dict[tuple[int, frozenset[Statement]], tuple[str, tuple[Named, ...]]]


@dataclass(frozen=True)
class Step:
    """A theorem to export, with what the file has.

    Attributes:
        local: the hypotheses that are meant at one time alone, t0, as the conclusion then is: what
            induction needs.

    """

    book: Book
    theorem: Theorem
    stated: Known
    local: frozenset[Statement] = frozenset()

    def state(self) -> tuple[str, tuple[Named, ...]]:
        """State the theorem as a lemma of the file; return its name and its bound letters."""
        if self.theorem.rule not in _RULES:
            raise InputError("rule", self.theorem.rule, "a rule that can be exported")
        more = ["(t0 : nat)"] * bool(self.local)
        for x in sorted(self.theorem.hypotheses):
            more.append(f"({self.hypothesis(x)} : {self._said(x, x in self.local)})")
        claim = self._said(self.theorem.conclusion, bool(self.local))
        proof = _RULES[self.theorem.rule](self)
        made = self.stated[id(self.theorem), self.local] = self.book.lemma(
            "step", more, claim, f"exact {proof}."
        )
        return made

    def _said(self, statement: Statement, local: bool) -> str:
        if not local:
            return self.book.calls(statement)
        if not isinstance(statement, Fact):
            raise InputError("statement", statement, "a fact, which may hold at one time alone")
        text = related(statement.relation, self.book.scalar(statement.polynomial, HERE))
        return f"forall t (w : outcome S), (1 <= t <= T)%N -> t = t0 -> {text}"

    # The proofs of premises.

    def hypothesis(self, statement: Statement) -> str:
        """The name of a hypothesis."""
        return "h" + self.book.statement(statement).name.removeprefix("fact").replace("law", "l")

    def use(
        self,
        theorem: Theorem,
        given: Mapping[Statement, str] | None = None,
        more: frozenset[Statement] = frozenset(),
    ) -> str:
        """The proof of a premise; `given` has proofs of its hypotheses that are no hypotheses of
        this step.

        Those in `more` are meant at t0 alone, besides the step's own.
        """
        given = given or {}
        if theorem.rule == "assume":
            return given.get(theorem.conclusion) or self.hypothesis(theorem.conclusion)
        local = (self.local | more) & theorem.hypotheses
        name, letters = (
            self.stated.get((id(theorem), local))
            or Step(self.book, theorem, self.stated, local).state()
        )
        words = [name, *map(self.book.name, letters), *["t0"] * bool(local)]
        words += [given.get(x) or self.hypothesis(x) for x in sorted(theorem.hypotheses)]
        return f"({' '.join(words)})"

    def fact(self, theorem: Theorem, at: str = "t w rt") -> str:
        """The proof of a premise that is a fact, at a time, an outcome, and the proof that it is a
        time.
        """
        return f"({self.use(theorem)} {at}{' et' if self.local & theorem.hypotheses else ''})"

    def weak(self, theorem: Theorem) -> str:
        """The proof that a polynomial is at least 0, from a premise that may say that it is
        above.
        """
        return (
            self.fact(theorem) if theorem.fact.relation == ">=" else f"(ltW {self.fact(theorem)})"
        )

    # The proof of the step.

    @property
    def binder(self) -> str:
        """The time and the outcome of the conclusion, with the proof that it is a time, and here
        that it is t0.
        """
        return "t w rt et" if self.local else "t w rt"

    def proved(self, proof: str) -> str:
        """A proof of the conclusion at t and w, as a function of these."""
        return f"(fun {self.binder} => {proof})"

    def closed(self, lemma: Lemma, goal: str, script: str) -> str:
        """The step by a lemma that says the conclusion, whose polynomial is `goal` in its
        variables.
        """
        return self.proved(lemma.state(related(self.theorem.fact.relation, goal), script)(HERE))

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
        equations = Equations(self.book, values)
        lemma = equations.lemma(sorted({*left.atoms(), *right.atoms()}))
        image = equations.image_of(right - left)
        check(self.theorem.fact, image)
        sides = told(lemma) if told else tuple(lemma.scalar(x, before=True) for x in (left, right))
        premise = lemma.premise(f"{sides[0]} {relation} {sides[1]}", constantly(proof))
        goal = lemma.scalar(image)
        script = equal(goal, f"{sides[1]} - ({sides[0]})", premise, first="subst; ")
        script += (
            f"exact: ({_CAST[self.theorem.fact.relation]} (esym e) ({_CLOSE[relation]} {premise}))."
        )
        return self.closed(lemma, goal, script)

    def text(self, *point: Matrix) -> str:
        """A point at t and w."""
        return self.book.point(point, HERE)


def check(fact: Fact, found: Scalar) -> None:
    """Raise InputError unless this is the polynomial of a fact that the kernel has derived."""
    if found != fact.polynomial:
        raise InputError("conclusion", fact, f"what the exporter finds, {found}")


def cast(relation: str, equation: Proof | None, proof: str, *, back: bool = False) -> str:
    """The proof of a fact about the one side of an equation, from that about the other."""
    if equation is None:
        return proof
    made = equation(HERE)
    return f"({_CAST[relation]} {f'(esym {made})' if back else made} {proof})"


def templates(book: Book, *points: Point) -> tuple[list[Point], dict[Term, Matrix | Scalar]]:
    """Points of letters in place of one or two points, and what each letter stands for."""
    made = list[Point]()
    values = dict[Term, Matrix | Scalar]()
    for name, point in zip("PQ", points, strict=False):
        letters = [Symbol(f"zz{name}{i}", x.shape, ANY) for i, x in enumerate(point)]
        book.bound |= set(letters)
        values |= dict(zip(letters, point, strict=True))
        made.append(tuple(map(Matrix.of, letters)))
    return made, values


def law_of(theorem: Theorem) -> Law:
    """The law that a theorem concludes; raises InputError for a fact."""
    if not isinstance(theorem.conclusion, Law):
        raise InputError("theorem", theorem.conclusion, "a law")
    return theorem.conclusion


# Hypotheses and laws.


@rule()
def discharge(step: Step) -> str:
    """The second theorem, its hypothesis proved by the first."""
    known, theorem = step.theorem.premises
    own = {known.conclusion}
    proof = step.use(known)
    if step.local & known.hypotheses:
        return step.use(theorem, {known.conclusion: proof}, frozenset(own))
    if step.local & own:
        proof = f"(fun t w rt _ => {proof} t w rt)"
    return step.use(theorem, {known.conclusion: proof})


@rule()
def generalise(step: Step) -> str:
    """A function of the variables and of proofs of the premises."""
    law = law_of(step.theorem)
    (theorem,) = step.theorem.premises
    names = {x: f"p{i}" for i, x in enumerate(law.premises)}
    heads = [*map(step.book.name, law.variables), *names.values()]
    body = step.use(theorem, names)
    return f"(fun {' '.join(heads)} => {body})" if heads else body


@rule()
def instantiate(step: Step) -> str:
    """The law at its values, with proofs of its premises there."""
    (theorem,) = step.theorem.premises
    law = law_of(theorem)
    equations = Equations(step.book, dict(step.theorem.arguments[0]))
    arguments = equations.arguments()
    words = [arguments[x] for x in law.variables]
    for premise in law.premises:
        if not isinstance(premise, Fact):
            raise InputError(
                "premise", premise, "a fact; a law with a law as premise cannot be exported yet"
            )
        image, equation = equations.scalar(premise.polynomial)
        hypothesis = step.hypothesis(Fact(premise.relation, image))
        words.append(
            "(fun t w rt =>"
            f" {cast(premise.relation, equation, f'({hypothesis} t w rt)', back=True)})"
        )
    image, equation = equations.scalar(law.conclusion.polynomial)
    check(step.theorem.fact, image)
    return step.proved(
        cast(law.conclusion.relation, equation, f"({step.use(theorem)} {' '.join(words)} t w rt)")
    )


@rule()
def rewrite(step: Step) -> str:
    """The proof that both sides become the same when the letter is replaced."""
    equation, theorem = step.theorem.premises
    letter, value, goal = step.theorem.arguments
    if step.local & equation.hypotheses:
        raise InputError("equation", equation.fact, "an equation that holds at every time")
    book = step.book
    name = book.piece(letter, HERE)
    text = book.normal(value, HERE)
    said = f"forall t (w : outcome S), (1 <= t <= T)%N -> {name} = {text}"
    equations = Equations(book, {letter: value}, ("eX", said))
    old, left = equations.scalar(theorem.fact.polynomial)
    new, right = equations.scalar(goal.polynomial)
    if old != new:
        raise InputError("conclusion", goal, f"what the exporter finds, {old}")
    proof = cast(goal.relation, left, step.fact(theorem))
    proof = cast(goal.relation, right, proof, back=True)
    # The difference in normal form is the letter minus the value.
    lemma, zero = Lemma(book), step.fact(equation)
    if isinstance(letter, Variable):
        one, other, both = map(lemma.scalar, (Scalar.of(letter), value, equation.fact.polynomial))
        split = lemma.state(f"{one} - ({other}) = {both}", "algebra.")(HERE)
        found = f"subr0_eq (etrans {split} {zero})"
    else:
        difference = Matrix.of(letter) - value
        image, same = _length(book, difference)
        check(equation.fact, image)
        zero = cast("=", same, zero, back=True)
        one, other, both = map(lemma.matrix, (Matrix.of(letter), value, difference))
        split = lemma.state(f"{one} - ({other}) = {both}", "matrices.")(HERE)
        found = f"fro_equal (etrans (congr1 (@fro _ _ _) {split}) {zero})"
    return f"(let eX : {said} := (fun t w rt => {found}) in fun {step.binder} => {proof})"


# What the library says as it stands.


@rule(
    "norm_nonnegative",
    "triangle",
    "homogeneous",
    "submultiplicative",
    "spectral_below_frobenius",
    "cauchy_schwarz",
    "norm_expansion",
)
def _about_norms(step: Step) -> str:
    book = step.book
    text = step.text
    match (step.theorem.rule, *step.theorem.arguments):
        case "norm_nonnegative", kind, x:
            # 0 <= ‖X‖
            (p,), values = templates(book, x)
            return step.normal(
                k.ZERO, "<=", _norm(kind, p), values, f"({_NORMS[kind]}_ge0 {text(*x)})"
            )
        case "triangle", kind, x, y:
            # ‖X + Y‖ <= ‖X‖ + ‖Y‖
            (p, q), values = templates(book, x, y)
            both = tuple(a + b for a, b in zip(p, q, strict=True))
            proof = f"({_NORMS[kind]}_triangle {text(*x)} {text(*y)})"
            return step.normal(
                _norm(kind, both), "<=", _norm(kind, p) + Norm(kind, q), values, proof
            )
        case "homogeneous", kind, x:
            # ‖cX‖ = c‖X‖, from c >= 0
            (factor,) = step.theorem.premises
            c = factor.fact.polynomial
            (p,), values = templates(book, x)
            proof = f"(esym ({_NORMS[kind]}_homogeneous {text(*x)} {step.weak(factor)}))"
            size, scaled = _norm(kind, p), _norm(kind, tuple(block.scaled(c) for block in p))

            def product(lemma: Lemma) -> tuple[str, str]:
                one = lemma.scalar(size, before=True)
                return f"({lemma.scalar(c)}) * {one}", lemma.scalar(scaled, before=True)

            return step.normal(c * Norm(kind, p), "=", scaled, values, proof, product)
        case "submultiplicative", kinds, x, y:
            # ‖XY‖ <= ‖X‖‖Y‖
            (p, q), values = templates(book, (x,), (y,))
            names = {
                (SPECTRAL, FROBENIUS): "fro_mul_op_fro",
                (FROBENIUS, SPECTRAL): "fro_mul_fro_op",
            }
            proof = f"({names.get(kinds, 'opn_mul')} {text(x)} {text(y)})"
            left = _norm(SPECTRAL if kinds == (SPECTRAL, SPECTRAL) else FROBENIUS, (p[0] @ q[0],))
            first, second = _norm(kinds[0], p), _norm(kinds[1], q)

            def factors(lemma: Lemma) -> tuple[str, str]:
                whole, *parts = [lemma.scalar(x, before=True) for x in (left, first, second)]
                return whole, " * ".join(parts)

            return step.normal(left, "<=", first * second, values, proof, factors)
        case "spectral_below_frobenius", x:
            # ‖X‖_op <= ‖X‖_F
            (p,), values = templates(book, (x,))
            return step.normal(
                _norm(SPECTRAL, p), "<=", _norm(FROBENIUS, p), values, f"(opn_le_fro {text(x)})"
            )
        case "cauchy_schwarz", x, y:
            # ⟨X, Y⟩ <= ‖X‖‖Y‖
            (p, q), values = templates(book, x, y)
            proof = f"(cauchy_schwarz {text(*x)} {text(*y)})"
            return step.normal(
                inner(p, q), "<=", _norm(FROBENIUS, p) * Norm(FROBENIUS, q), values, proof
            )
    # ‖X‖² = ⟨X, X⟩
    (x,) = step.theorem.arguments
    (p,), values = templates(book, x)
    return step.normal(
        inner(p, p), "=", _norm(FROBENIUS, p) ** 2, values, f"(esym (fro_sq {text(*x)}))"
    )


def _norm(kind: str, point: Point) -> Scalar:
    return Scalar.of(Norm(kind, point))


def _length(book: Book, difference: Matrix) -> tuple[Scalar, Proof | None]:
    """The Frobenius norm of a difference in normal form, and the proof of that."""
    ((p,),), values = templates(book, (difference,))
    return Equations(book, values).scalar(_norm(FROBENIUS, (p,)))


@rule()
def rank_bound(step: Step) -> str:
    """‖X‖_F² <= m‖X‖_op²."""
    x, dimension = step.theorem.arguments
    if dimension in x.shape:
        (p,), values = templates(step.book, (x,))
        proof = f"(rank_{'rows' if dimension == x.shape[0] else 'columns'} {step.text(x)})"
    else:
        ((word, c),) = x.terms.items()
        place = next(i for i in range(1, len(word)) if k.word_shape(word[:i])[1] == dimension)
        first = Matrix.word(word[:place]).scaled(c)
        last = Matrix.word(word[place:])
        ((one,), (other,)), values = templates(step.book, (first,), (last,))
        p = (one @ other,)
        proof = f"(rank_inside {step.text(first)} {step.text(last)})"
    right = Scalar.of(k.Dimension(dimension)) * _norm(SPECTRAL, p) ** 2
    return step.normal(_norm(FROBENIUS, p) ** 2, "<=", right, values, proof)


@rule(
    "dimension_positive",
    "root_nonnegative",
    "root_square",
    "minimum_at_most",
    "horizon_positive",
    "time_at_least_one",
    "time_at_most_horizon",
)
def _about_numbers(step: Step) -> str:
    horizon = Scalar.of(k.Horizon())
    clock = Scalar.of(k.Clock())
    match (step.theorem.rule, *step.theorem.arguments):
        case "dimension_positive", name:
            size = step.book.size(name)
            proof = f"(isT : is_true (0 < {size})%N)" if size.isdigit() else f"{size}_gt0"
            return step.normal(ONE, "<=", Scalar.of(k.Dimension(name)), {}, f"(one_le R {proof})")
        case "root_nonnegative", x:
            return step.normal(k.ZERO, "<=", Scalar.of(k.Root(x)), {}, "(sqrtr_ge0 _)")
        case "minimum_at_most", x:
            proof = f"(@least_le R T (fun {_INNER.base} => {step.book.scalar(x, _INNER)}) t rt)"
            return step.normal(Scalar.of(k.Minimum(x)), "<=", x, {}, proof)
        case ("horizon_positive",):
            return step.normal(ONE, "<=", horizon, {}, "(one_le R T_gt0)")
        case ("time_at_least_one",):
            return step.normal(ONE, "<=", clock, {}, "(@time_ge1 R T t rt)")
        case ("time_at_most_horizon",):
            return step.normal(clock, "<=", horizon, {}, "(@time_leT R T t rt)")
    # root(x)² = x, from x >= 0
    (radicand,) = step.theorem.premises
    x = radicand.fact.polynomial
    return step.normal(
        x, "=", Scalar.of(k.Root(x)) ** 2, {}, f"(esym (sqr_sqrtr {step.weak(radicand)}))"
    )


# Inverses, the largest of several numbers.


@rule()
def inverse(step: Step) -> str:
    """Division: x times its inverse is 1, from x > 0."""
    (divisor,) = step.theorem.premises
    x = divisor.fact.polynomial
    lemma = Lemma(step.book)
    found = lemma.name(k.Inverse(x))
    above = lemma.premise(f"0 < {lemma.scalar(x)}", lambda _: step.fact(divisor))
    is_ = lemma.premise(f"{found} = ({lemma.scalar(x)})^-1", UNCHANGED)
    goal = lemma.scalar(step.theorem.fact.polynomial)
    script = equal(goal, f"({lemma.scalar(x)}) * {found} - 1", f"{above} {is_}")
    script += f"by rewrite e {is_} divff ?subrr // gt_eqF."
    return step.proved(lemma.state(f"{goal} = 0", script)(HERE))


@rule()
def vanishing(step: Step) -> str:
    """The number x is 0, from -x² >= 0."""
    (theorem,) = step.theorem.premises
    (x,) = step.theorem.arguments
    lemma = Lemma(step.book)
    square = lemma.scalar(theorem.fact.polynomial)
    h = lemma.premise(related(theorem.fact.relation, square), lambda _: step.fact(theorem))
    at_least = h if theorem.fact.relation != "=" else f"(eq_ge0 {h})"
    script = equal(square, f"- ({lemma.scalar(x)}) ^+ 2", h) + f"exact: (vanishes e {at_least})."
    return step.proved(lemma.state(f"{lemma.scalar(x)} = 0", script)(HERE))


def _largest(lemma: Lemma, members: Sequence[Scalar]) -> tuple[str, str]:
    """The variable for the largest of several numbers, and the premise that says so."""
    largest = lemma.name(k.Maximum(tuple(members)))
    said = nested([f"({lemma.scalar(y)})" for y in members])
    return largest, lemma.premise(f"{largest} = {said}", UNCHANGED)


@rule()
def at_most_maximum(step: Step) -> str:
    """A number is at most the largest: x <= max(x, y, ...)."""
    x, others = step.theorem.arguments
    lemma = Lemma(step.book)
    members = sorted({x, *others})
    if len(members) == 1:
        return step.normal(x, "<=", x, {}, "(lexx _)")
    largest, is_ = _largest(lemma, members)
    goal = lemma.scalar(step.theorem.fact.polynomial)
    script = equal(goal, f"{largest} - ({lemma.scalar(x)})", is_)
    script += f"by rewrite 1?e subr_ge0 {is_} !le_max lexx ?orbT."
    return step.closed(lemma, goal, script)


@rule()
def maximum_at_most(step: Step) -> str:
    """max(x, y, ...) <= c, from x <= c, y <= c, ..."""
    (c,) = step.theorem.arguments
    fact = step.theorem.fact
    lemma = Lemma(step.book)
    strict = fact.relation == ">"
    proofs = {c - x.fact.polynomial: x for x in step.theorem.premises}
    members = sorted(proofs)
    if len(members) == 1:
        (theorem,) = proofs.values()
        return step.proved(
            step.fact(theorem) if theorem.fact.relation == fact.relation else step.weak(theorem)
        )
    largest, is_ = _largest(lemma, members)
    names = []
    for member, theorem in sorted(proofs.items()):
        said = related(theorem.fact.relation, lemma.scalar(c - member))
        known = lemma.premise(said, constantly(step.fact(theorem)))
        names.append(
            (member, known, known if theorem.fact.relation == fact.relation else f"(ltW {known})")
        )
    goal = lemma.scalar(fact.polynomial)
    bound = lemma.scalar(c)
    all_ = " ".join([is_, *(known for _, known, _ in names)])
    sign = "<" if strict else "<="
    turn = f"subr_{'gt' if strict else 'ge'}0"
    # Rocq refuses to rewrite a term by itself.
    turned = "" if goal == f"{bound} - {largest}" else "e "
    script = equal(goal, f"({bound}) - {largest}", all_) + f"rewrite {turned}{turn} {is_}. "
    for i, (member, _, proof) in enumerate(names):
        rest = lemma.scalar(c - member)
        script += equal(rest, f"({bound}) - ({lemma.scalar(member)})", f"e {all_}", f"d{i}")
        script += (
            f"have b{i} : {lemma.scalar(member)} {sign} {bound} :> R by rewrite -{turn} -d{i};"
            f" exact: {proof}. "
        )
    script += (
        f"by rewrite !{'gt_max' if strict else 'ge_max'}"
        f" {' '.join(f'b{i}' for i in range(len(names)))}."
    )
    return step.closed(lemma, goal, script)


# Certificates: the identity by `ring`, the signs of its parts from the premises.


@dataclass(frozen=True)
class Nonnegative:
    """A number, with the proof that it is at least 0, or above 0 if `strict`."""

    text: str
    proof: str
    strict: bool

    @property
    def weak(self) -> str:
        """The proof that it is at least 0."""
        return f"(ltW {self.proof})" if self.strict else self.proof

    def __mul__(self, other: Nonnegative) -> Nonnegative:
        strict = self.strict and other.strict
        proof = (
            f"(mulr_gt0 {self.proof} {other.proof})"
            if strict
            else f"(mulr_ge0 {self.weak} {other.weak})"
        )
        return Nonnegative(f"{self.text} * {other.text}", proof, strict)

    def __add__(self, other: Nonnegative) -> Nonnegative:
        if self.strict:
            proof = f"(add_pn {self.proof} {other.weak})"
        else:
            proof = f"(add_{'np' if other.strict else 'nn'} {self.proof} {other.proof})"
        return Nonnegative(f"{self.text} + {other.text}", proof, self.strict or other.strict)


@rule()
def certificate(step: Step) -> str:
    """The certificate's own identity."""
    goal, terms, multipliers, factor = step.theorem.arguments
    proofs = [step.fact(x) for x in step.theorem.premises]
    lemma = Lemma(step.book)
    facts = [x.fact for x in step.theorem.premises]
    names = {
        i: lemma.premise(
            related(facts[i].relation, lemma.scalar(facts[i].polynomial)), constantly(proofs[i])
        )
        for i in sorted(
            {*factor, *(i for _, places in terms for i in places), *(i for _, i in multipliers)}
        )
    }

    def premises(places: Sequence[int]) -> list[Nonnegative]:
        texts = [f"({lemma.scalar(facts[i].polynomial)})" for i in places]
        return [
            Nonnegative(x, names[i], facts[i].relation == ">")
            for x, i in zip(texts, places, strict=True)
        ]

    below = all(facts[i].relation == ">" for i in factor)
    own = None if below or goal.relation != ">=" else goal.polynomial
    parts = []
    for squares, places in terms:
        whole = _sum([_square(lemma, weight, root, own) for weight, root in squares])
        # In a sum of summands, a sum of squares stands in brackets, as its proof does.
        parts.append(
            reduce(mul, premises(places), Nonnegative(f"({whole.text})", whole.proof, whole.strict))
        )
    equations = [
        (f"({lemma.scalar(Scalar.of(c))}) * ({lemma.scalar(facts[i].polynomial)})", names[i])
        for c, i in multipliers
    ]
    right = " + ".join([*(x.text for x in parts), *(text for text, _ in equations)]) or "0"
    product = (
        reduce(mul, premises(factor)) if factor else Nonnegative("1", positive(Fraction(1)), True)
    )
    text = lemma.scalar(goal.polynomial)
    script = equal(
        f"{product.text} * ({text})" if factor else text, right, " ".join(names.values())
    )
    if goal.relation == "=":
        first, *rest = [f"(times_zero _ {name})" for _, name in equations] or ["erefl"]
        for each in rest:
            first = f"(add_zz {first} {each})"
        script += (
            f"exact: (divide_eq e {product.proof} {first})."
            if factor
            else f"exact: (cast_eq (esym e) {first})."
        )
        return step.closed(lemma, text, script)
    whole = _sum(
        [*parts, *(Nonnegative(x, f"(times_zero_ge _ {name})", False) for x, name in equations)]
    )
    strict = goal.relation == ">"
    if not factor:
        script += (
            f"exact: (cast_{'gt' if strict else 'ge'} (esym e)"
            f" {whole.proof if strict else whole.weak})."
        )
    elif strict:
        script += f"exact: (divide_gt e {product.weak} {whole.proof})."
    elif below:
        script += f"exact: (divide_ge e {product.proof} {whole.weak})."
    else:
        script += f"exact: (divide_square e {product.weak} (fun below => {whole.proof}))."
    return step.closed(lemma, text, script)


def _square(lemma: Lemma, weight: Fraction, root: Scalar, own: Scalar | None) -> Nonnegative:
    if root.number:
        size = weight * root.number**2
        return Nonnegative(ratio(size), positive(size), True)
    text = f"{ratio(weight)} * ({lemma.scalar(root)}) ^+ 2"
    if own is not None and root == own:
        return Nonnegative(text, f"(mulr_gt0 {positive(weight)} (square_gt below))", True)
    return Nonnegative(text, f"(mulr_ge0 (ltW {positive(weight)}) (sqr_ge0 _))", False)


def _sum(parts: Sequence[Nonnegative]) -> Nonnegative:
    return reduce(add, parts) if parts else Nonnegative("0", "(lexx 0)", False)


# Sums, expectations and times.


@rule()
def expectation(step: Step) -> str:
    """The expectation of the premise."""
    (theorem,) = step.theorem.premises
    (given,) = step.theorem.arguments
    image, equation = Expecting(Equations(step.book), given).whole(theorem.fact.polynomial)
    head = f"R S {step.book.past(given, HERE)} {eq.past_proof(given, HERE)} w _"
    over = step.fact(theorem, "t w' rt")
    check(step.theorem.fact, image)
    kind = {">=": "ge", ">": "gt", "=": "zero"}[step.theorem.fact.relation]
    return step.proved(
        cast(step.theorem.fact.relation, equation, f"(@ex_{kind} {head} (fun w' => {over}))")
    )


@rule()
def summation(step: Step) -> str:
    """The sum of the premise."""
    (theorem,) = step.theorem.premises
    image, equation = Summing(Equations(step.book)).whole(theorem.fact.polynomial)
    over = step.fact(theorem, "t' w rt'")
    check(step.theorem.fact, image)
    lemmas = {">=": "@total_ge0 R T _", ">": "@total_gt0 R T _ T_gt0", "=": "@tot_zero R T _"}
    proof = f"({lemmas[step.theorem.fact.relation]} (fun t' rt' => {over}))"
    return step.proved(cast(step.theorem.fact.relation, equation, proof))


@rule()
def telescope(step: Step) -> str:
    """The sum of differences."""
    (x,) = step.theorem.arguments
    book, end, start = step.book, k.Index("T", 1), k.Index("", 1)
    moved = {index: Equations(book, index=index).scalar(x) for index in (NEXT, end, start)}
    difference = moved[NEXT][0] - x
    image, summed = Summing(Equations(book)).whole(difference)
    # The normal form of a difference, at each time.
    each = Lemma(book)
    after = each.variable(lambda at: book.scalar(x, at.at(NEXT)))
    h = each.premise(f"{after} = {each.scalar(moved[NEXT][0])}", moved[NEXT][1] or UNCHANGED)
    apart = each.state(
        f"{each.scalar(difference)} = {after} - ({each.scalar(x)})", f"rewrite {h}; algebra."
    )
    both = f"(total_eq (fun t' rt' => {apart(_INNER)}))"
    function = f"(fun t' => {book.scalar(x, _INNER)})"
    lemma = Lemma(book)
    whole = lemma.variable(constantly(f"total T (fun t' => {book.scalar(difference, _INNER)})"))
    ends = {
        index: lemma.variable(constantly(book.scalar(x, HERE.at(index)))) for index in (end, start)
    }
    telescoped = f"(etrans {both} (@telescope R T {function}))"
    names = [
        lemma.premise(f"{whole} = {lemma.scalar(image)}", summed),
        lemma.premise(f"{whole} = {ends[end]} - {ends[start]}", constantly(telescoped)),
        *(
            lemma.premise(f"{ends[i]} = {lemma.scalar(moved[i][0])}", moved[i][1] or UNCHANGED)
            for i in (end, start)
        ),
    ]
    check(step.theorem.fact, image - moved[end][0] + moved[start][0])
    goal = lemma.scalar(step.theorem.fact.polynomial)
    parts = (
        f"({lemma.scalar(image)}) - (({lemma.scalar(moved[end][0])}) -"
        f" ({lemma.scalar(moved[start][0])}))"
    )
    script = equal(goal, parts, " ".join(names))
    script += f"by rewrite e -{names[0]} {names[1]} {names[2]} {names[3]} subrr."
    return step.closed(lemma, goal, script)


@rule()
def minimum_at_least(step: Step) -> str:
    """A lower bound on a minimum: c <= min x, from c <= x."""
    (theorem,) = step.theorem.premises
    (x,) = step.theorem.arguments
    c = x - theorem.fact.polynomial
    strict = step.theorem.fact.relation == ">"
    lemma = Lemma(step.book)
    sign = "<" if strict else "<="
    kind = "gt" if strict else "ge"
    said = lemma.scalar(theorem.fact.polynomial)
    known = lemma.premise(
        related(step.theorem.fact.relation, said),
        lambda at: step.fact(theorem, f"{at.time} {at.outcome} {at.proof}"),
    )
    claim = f"{lemma.scalar(c)} {sign} {lemma.scalar(x)}"
    turned = equal(f"{lemma.scalar(x)} - ({lemma.scalar(c)})", said, known)
    below = lemma.state(claim, f"rewrite -subr_{kind}0. {turned}by rewrite e.")
    body = f"(fun t' => {step.book.scalar(x, _INNER)})"
    proof = f"(@least_{kind} R T {body} _ T_gt0 (fun t' rt' => {below(_INNER)}))"
    return step.normal(c, sign, Scalar.of(k.Minimum(x)), {}, proof)


@rule()
def at_time(step: Step) -> str:
    """The premise at the first or the last time."""
    (theorem,) = step.theorem.premises
    (time,) = step.theorem.arguments
    image, equation = Equations(step.book, index=time).scalar(theorem.fact.polynomial)
    check(step.theorem.fact, image)
    at = "T w (last_time T_gt0)" if time.base else "1%N w (first_time T_gt0)"
    return step.proved(cast(theorem.fact.relation, equation, step.fact(theorem, at)))


@rule()
def induction(step: Step) -> str:
    """The proof from t = 1, and from each time to the next."""
    first, second = step.theorem.premises
    (goal,) = step.theorem.arguments
    book = step.book
    p = goal.polynomial
    said = f"(fun t w => {related(goal.relation, book.scalar(p, HERE))})"
    at = {index: Equations(book, index=index).scalar(p) for index in (FIRST, NEXT)}
    for index, theorem in ((FIRST, first), (NEXT, second)):
        check(theorem.fact, at[index][0])
    begin = cast(goal.relation, at[FIRST][1], step.fact(first), back=True)
    next_ = step.use(second, {goal: "IH"}, frozenset({goal}))
    after = f"({next_} t w rt et)" if goal in second.hypotheses else step.fact(second)
    after = cast(goal.relation, at[NEXT][1], after, back=True)
    starts = f"(fun w => (fun t rt => {begin}) 1%N (first_time T_gt0))"
    goes_on = f"(fun t0 rt0 IH w => (fun t rt (et : t = t0) => {after}) t0 rt0 erefl)"
    return f"(@by_induction T (outcome S) {said} {starts} {goes_on})"


# The standard facts of analysis.


@rule()
def descent_lemma(step: Step) -> str:
    """The bound along the segment, from the premise at each of its points."""
    (smooth,) = step.theorem.premises
    function, x, delta, constant, theta, *signs = step.theorem.arguments
    sign = (signs or [1])[0]
    book = step.book
    (p, q), values = templates(book, x, delta)
    ends = Scalar.of(theta)
    size = _norm(FROBENIUS, q)
    beyond = tuple(a + b.scaled(ends) for a, b in zip(p, q, strict=True))
    change = tuple(
        a - b for a, b in zip(gradients(function, beyond), gradients(function, p), strict=True)
    )
    bend = _norm(FROBENIUS, change)
    inside: dict[Statement, str] = {Fact(">=", ends): "(fun _ _ _ => zs0)"}
    inside[Fact(">=", ONE - ends)] = "(fun _ _ _ => zs1)"
    # The premise, as the library asks for it.
    lemma = Equations(book, values).lemma((*size.atoms(), *bend.atoms()))
    text = lemma.scalar(smooth.fact.polynomial)
    known = lemma.premise(related(">=", text), constantly(f"({step.use(smooth, inside)} t w rt)"))
    sides = [lemma.scalar(x, before=True) for x in (size, bend)]
    wanted = f"({lemma.scalar(constant)}) * {lemma.name(theta)} * {sides[0]} - {sides[1]}"
    script = equal(text, wanted, known, first="subst; ") + f"exact: (cast_ge e {known})."
    used = lemma.state(related(">=", wanted), script)(HERE)
    along = (
        f"(fun (zs : R) zs0 zs1 => let {book.name(theta)} : {book.type_of(theta)} := fun _ _ => zs"
        f" in {used})"
    )
    name, gradient = book.function(function, x)
    arguments = f"{step.text(*x)} {step.text(*delta)} ({book.scalar(constant, HERE)})"
    head = "descent_up" if sign == 1 else "descent_down"
    proof = f"({head} (@descent _ _ _ {name} {gradient} {arguments} {gradient}_is {along}))"
    after = tuple(a + b for a, b in zip(p, q, strict=True))
    gain = [
        Scalar.of(k.Value(function, after)),
        Scalar.of(k.Value(function, p)),
        inner(gradients(function, p), q),
    ]
    left = (gain[0] - gain[1] - gain[2]) * sign
    right = constant * size * size * Fraction(1, 2)

    def told(lemma: Lemma) -> tuple[str, str]:
        first, second, third = (lemma.scalar(each, before=True) for each in gain)
        rise = f"{first} - {second} - ({third})"
        bound = f"({lemma.scalar(constant)}) / 2 * ({lemma.scalar(size, before=True)}) ^+ 2"
        return rise if sign == 1 else f"- ({rise})", bound

    return step.normal(left, "<=", right, values, proof, told)


# The highest power of s on a line that the library has a lemma for.
_CHAINS = {1: "chain1", 2: "chain2"}


@rule()
def chain_rule(step: Step) -> str:
    """The slope of F(X) = f(P(X)) along any direction H of one block is that of f along the
    direction's image.

    P is polynomial, of degree 1 or 2 in s on the line X + sH.
    """
    (composition,) = step.theorem.premises
    (block,) = step.theorem.arguments
    book = step.book
    law = law_of(composition)
    proof = step.use(composition)
    outer, inside = sides_of(law)
    # A block of the composition's point is a letter.
    letters = [typing.cast(Symbol, word[0][0]) for x in outer.point for word in x.terms]

    # The line, and the parts of P on it by their powers of s.
    direction = Symbol("zzH", letters[block].shape)
    s = k.Variable("zzs")
    book.bound |= {direction, s}
    moves = Matrix.of(direction)
    line = [
        substitute_matrix(x, {letters[block]: Matrix.of(letters[block]) + moves.scaled(s)})
        for x in inside.point
    ]
    highest = max(
        [e for x in line for c in x.terms.values() for m in c.terms for a, e in m if a == s],
        default=1,
    )
    if highest not in _CHAINS:
        raise InputError("composition", law, f"one that is linear or quadratic in {letters[block]}")
    powers: list[Point] = [tuple(_part(x, s, i) for x in line) for i in range(highest + 1)]
    # The gradient that the kernel states.
    slopes = zip(inside.point, gradients(inside.function, inside.point), strict=True)
    shares = [adjoint(image, letters, letters[block], slope_) for image, slope_ in slopes]
    gradient_ = Matrix.sum(letters[block].shape, shares)

    # The two slopes at s = 0 agree.
    function, gradient = book.function(outer.function, outer.point)
    other, other_gradient = book.function(inside.function, inside.point)
    zeros = [f"(0 : {book.matrices(x.shape)})" for x in letters]
    zeros[block] = book.name(direction)
    point = book.point(outer.point, HERE)
    ways = f"({', '.join(zeros)})"
    claim = (
        f"dot ({gradient} {point}) {ways} = "
        f"dot ({other_gradient} {book.point(inside.point, HERE)}) {book.point(powers[1], HERE)}"
    )
    blocks = [projected("zu", i, len(letters)) for i in range(len(letters))]
    places: dict[Piece, str] = dict(zip(letters, blocks, strict=True))
    naming = book.naming(HERE)
    image_ = ", ".join(book.matrix(x, lambda y: places.get(y) or naming(y)) for x in inside.point)
    names = [f"za{i}" for i in range(len(letters))]
    pattern = names[0]
    for each in names[1:]:
        pattern = f"[{pattern} {each}]"
    lets = "".join(
        f"let {book.name(x)} : {book.type_of(x)} := fun _ _ => {y} in "
        for x, y in zip(letters, names, strict=True)
    )
    used = f"(hl {' '.join(map(book.name, law.variables))} t w rt)"
    lemma = Lemma(book)
    sides = [lemma.name(outer), lemma.name(inside)]
    known = lemma.premise(f"{lemma.scalar(law.conclusion.polynomial)} = 0", constantly(used))
    back = "-oppr_eq0 " if law.conclusion.polynomial == Scalar.of(inside) - outer else ""
    at = lemma.state(
        f"{sides[0]} = {sides[1]}",
        f"apply/eqP; rewrite -subr_eq0 {back}; apply/eqP; rewrite -[RHS]{known}; algebra.",
    )(HERE)
    script = (
        f"apply: (@{_CHAINS[highest]} R _ _ _ _ {function} {other} (fun zu => ({image_})) {point}"
        f" {ways} _ _ {' '.join(book.point(x, HERE) for x in powers[1:])} ({gradient}_is _)"
        f" ({other_gradient}_is _)).\n- by move=> {pattern}; exact ({lets}{at}).\n- by move=>"
        f" {book.name(s)}; exact "
    )
    # P(X + sH) = P(X) + sD + s²Q, block by block.
    expansions = []
    for i, image in enumerate(inside.point):
        lemma = Lemma(book)
        name = lemma.name(s)
        there: dict[Piece, str] = {}
        for x in letters:
            was = lemma.name(x)
            way = (
                lemma.name(direction) if x == letters[block] else lemma.matrix(Matrix.zero(x.shape))
            )
            there[x] = f"({was} + {name} *: {way})"
        # Mypy infers no type for a lambda whose defaults bind variables of the loop.
        left = book.matrix(
            image,
            lambda x, there=there, lemma=lemma: there.get(x) or lemma.name(x),  # type: ignore[misc]
        )
        summands = [lemma.matrix(image)]
        for power, part in enumerate(powers[1:], 1):
            summands.append(
                f"{name}{f' ^+ {power}' if power > 1 else ''} *: ({lemma.matrix(part[i])})"
            )
        expansions.append(lemma.state(f"{left} = {' + '.join(summands)}", "matrices.")(HERE))
    script += f"{eq.paired(list(map(constantly, expansions)), HERE)}."
    stated, bound = book.lemma(
        "slope", [f"(hl : {book.calls(law)})", *eq.RANGE], claim, script, (s,)
    )
    slope = f"({stated} {' '.join(map(book.name, bound))} {proof} t w rt)"
    heads = [book.name(x) for x in law.variables]
    name = book.name(direction)

    # ⟨∇F, H⟩ = ⟨the gradient that the kernel states, H⟩.
    lemma = Lemma(book)
    mine, theirs = (gradients(x.function, x.point) for x in (outer, inside))
    sides = []
    for i, slope_ in enumerate(mine):
        way = lemma.matrix(moves if i == block else Matrix.zero(slope_.shape))
        sides.append(f"\\tr (({lemma.matrix(slope_)})^T *m ({way}))")
    images = [
        f"\\tr (({lemma.matrix(y)})^T *m ({lemma.matrix(d)}))"
        for y, d in zip(theirs, powers[1], strict=True)
    ]
    known = lemma.premise(f"{' + '.join(sides)} = {' + '.join(images)}", constantly(slope))
    goal = f"\\tr (({lemma.matrix(gradient_)})^T *m ({lemma.matrix(moves)}))"
    steps = [
        f"transitivity ({' + '.join(sides)}); first by rewrite ?mulmx0 ?mxtrace0 ?addr0 ?add0r."
        f" rewrite {known}."
    ]
    seen = set[str]()
    parts = [(text, y.T @ d) for text, y, d in zip(images, theirs, powers[1], strict=True)]
    for i, (text, matrix) in enumerate([*parts, (goal, gradient_.T @ moves)]):
        canonical = lemma.traced(trace(matrix))
        way = f"transitivity (\\tr ({lemma.matrix(matrix)})); first by congr (\\tr _); matrices."
        way = " ".join([way, *eq.expanded(matrix, lemma), "algebra."])
        # An equation whose sides are the same but for brackets rewrites nothing.
        if not {text, _bare(text)} & {*seen, _bare(canonical)}:
            steps.append(f"have t{i} : {text} = {canonical}. {{ {way} }} rewrite t{i}.")
        seen.add(text)
    alike = lemma.state(f"{sides[block]} = {goal}", " ".join([*steps, "algebra."]))(HERE)

    # So the two gradients are equal: their difference has norm 0.
    left_ = Matrix.of(k.Gradient(outer.function, outer.point, block))
    difference = left_ - gradient_
    lemma = Lemma(book)
    text = lemma.matrix(left_)
    same = lemma.premise(
        f"{text} = {lemma.matrix(gradient_)}",
        constantly(f"(gradient_from_slopes (fun {name} => {alike}))"),
    )
    zero = lemma.state(f"{lemma.matrix(difference)} = 0", f"rewrite {same}. matrices.")(HERE)
    found, equation = _length(book, difference)
    check(law_of(step.theorem).conclusion, found)
    return f"(fun {' '.join(heads)} t w rt => {cast('=', equation, f'(fro_zero {zero})')})"


def _bare(text: str) -> str:
    return text.replace("(", "").replace(")", "")


def _part(matrix: Matrix, s: k.Variable, power: int) -> Matrix:
    """The coefficient of a power of s."""
    terms = {}
    for word, c in matrix.terms.items():
        kept = {}
        for monomial, number in c.terms.items():
            if dict(monomial).get(s, 0) == power:
                kept[tuple((a, e) for a, e in monomial if a != s)] = number
        terms[word] = Scalar(kept)
    return Matrix(matrix.shape, terms)
