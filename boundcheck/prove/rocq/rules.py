"""One small function for each rule of the kernel: the term of Rocq that proves a step, from those of its premises.

Most rules say something about a term that the kernel then brings into normal form. Their function gives the polynomial
as it stands, over templates for the points, with the lemma of the library that proves it; `Step.normal` does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Law, Statement, Theorem
from boundcheck.kernel.analysis import gradients
from boundcheck.kernel.atoms import (
    FROBENIUS,
    SPECTRAL,
    Clock,
    Dimension,
    Horizon,
    Inverse,
    Maximum,
    Minimum,
    Norm,
    Root,
    Trace,
    Value,
)
from boundcheck.kernel.terms import ONE, ZERO, Matrix, Point, Scalar, Symbol, Term, Word
from boundcheck.kernel.times import ANY, NEXT, Index
from boundcheck.prove.rocq.algebra import Lemma
from boundcheck.prove.rocq.book import HERE, Book, Place, Proof, nested, related
from boundcheck.prove.rocq.chain import chained
from boundcheck.prove.rocq.certificates import certified
from boundcheck.prove.rocq.equations import Equations, Move
from boundcheck.prove.rocq.knowing import past_proof

# How left <= right closes 0 <= right - left.
_CLOSE = {"<=": "sub_ge", "<": "sub_gt", "=": "sub_eq"}
_CAST = {">=": "cast_ge", ">": "cast_gt", "=": "cast_eq"}
_OP = SPECTRAL
_RULES: dict[str, Callable[[Step], str]] = {}


def rule(function: Callable[[Step], str]) -> Callable[[Step], str]:
    """Register the function of the kernel's rule of the same name."""
    _RULES[function.__name__.rstrip("_")] = function
    return function


@dataclass(frozen=True)
class Stated:
    """A step that the file has: its name, bound letters and hypotheses."""

    name: str
    letters: tuple[Term, ...]
    hypotheses: tuple[Statement, ...]


@dataclass(frozen=True)
class Step:
    """A theorem to export, with what the file has."""

    book: Book
    theorem: Theorem
    stated: Mapping[int, Stated]

    def proof(self) -> str:
        """The term that proves it."""
        if self.theorem.rule not in _RULES:
            raise InputError("rule", self.theorem.rule, "a rule that can be exported")
        return _RULES[self.theorem.rule](self)

    def hypothesis(self, statement: Statement) -> str:
        """The name of a hypothesis."""
        return "h" + self.book.statement(statement).name.removeprefix("fact").replace("law", "l")

    def use(self, theorem: Theorem, given: Mapping[Statement, str] | None = None) -> str:
        """The proof of a premise; `given` has proofs of its hypotheses that are no hypotheses of this step."""
        given = given or {}
        if theorem.rule == "assume":
            return given.get(theorem.conclusion) or self.hypothesis(theorem.conclusion)
        stated = self.stated[id(theorem)]
        words = [stated.name, *map(self.book.name, stated.letters)]  # type: ignore[arg-type]
        words += [given.get(x) or self.hypothesis(x) for x in stated.hypotheses]
        return f"({' '.join(words)})"

    def fact(self, theorem: Theorem, at: str = "t w rt") -> str:
        """The proof of a premise that is a fact, at a place."""
        return f"({self.use(theorem)} {at})"

    # Normal forms.

    def cast(self, relation: str, equation: Proof | None, proof: str, *, back: bool = False) -> str:
        """The proof of a fact about the one side of an equation, from that about the other."""
        if equation is None:
            return proof
        made = equation(HERE)
        return f"({_CAST[relation]} {f'(esym {made})' if back else made} {proof})"

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
        script = f"have e : {goal} = {sides[1]} - ({sides[0]}) :> R by clear {premise}; subst; algebra. exact: ({_CAST[fact.relation]} (esym e) ({_CLOSE[relation]} {premise}))."
        return f"(fun t w rt => {lemma.state(related(fact.relation, goal), script)(HERE)})"

    def text(self, *point: Matrix) -> str:
        """A point at t and w."""
        return self.book.point(point, HERE)


def templates(book: Book, letter: str, point: Point) -> tuple[Point, dict[Term, Matrix | Scalar]]:
    """A letter of its own for each block, and their values."""
    letters = [Symbol(f"zz{letter}{i}", x.shape, ANY) for i, x in enumerate(point)]
    book.bound |= set(letters)
    return tuple(map(Matrix.of, letters)), dict(zip(letters, point, strict=True))


def _inner(x: Point, y: Point) -> Scalar:
    return Scalar.sum(Scalar.of(Trace(word)) for p, q in zip(x, y, strict=True) for word in (p.T @ q).terms)


def _name(kind: str) -> str:
    return "fro" if kind == FROBENIUS else "opn"


# Hypotheses and laws.


@rule
def discharge(step: Step) -> str:
    """The second theorem, its hypothesis proved by the first."""
    known, theorem = step.theorem.premises
    return step.use(theorem, {known.conclusion: step.use(known)})


@rule
def generalise(step: Step) -> str:
    """A function of the variables and of proofs of the premises."""
    law = step.theorem.conclusion
    assert isinstance(law, Law)
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
    assert isinstance(law, Law)
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
    return f"(fun t w rt => {step.cast(law.conclusion.relation, equation, proof)})"


@rule
def rewrite(step: Step) -> str:
    """Both sides become the same when the letter is replaced."""
    equation, theorem = step.theorem.premises
    letter, value, goal = step.theorem.arguments
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
    return f"(let eX : {said} := {found} in fun t w rt => {proof})"


# Norms and inner products.


@rule
def norm_nonnegative(step: Step) -> str:
    """0 <= ‖X‖."""
    kind, point = step.theorem.arguments
    p, values = templates(step.book, "P", point)
    return step.normal(ZERO, "<=", Scalar.of(Norm(kind, p)), values, f"({_name(kind)}_ge0 {step.text(*point)})")


@rule
def triangle(step: Step) -> str:
    """‖X + Y‖ <= ‖X‖ + ‖Y‖."""
    kind, x, y = step.theorem.arguments
    (p, mine), (q, yours) = templates(step.book, "P", x), templates(step.book, "Q", y)
    both = tuple(a + b for a, b in zip(p, q, strict=True))
    proof = f"({_name(kind)}_triangle {step.text(*x)} {step.text(*y)})"
    return step.normal(Scalar.of(Norm(kind, both)), "<=", Scalar.of(Norm(kind, p)) + Norm(kind, q), mine | yours, proof)


@rule
def homogeneous(step: Step) -> str:
    """‖cX‖ = c‖X‖, from c >= 0."""
    (factor,) = step.theorem.premises
    kind, x = step.theorem.arguments
    c = factor.fact.polynomial
    p, values = templates(step.book, "P", x)
    sign = step.fact(factor) if factor.fact.relation == ">=" else f"(ltW {step.fact(factor)})"
    proof = f"(esym ({_name(kind)}_homogeneous {step.text(*x)} {sign}))"
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
    lemma = {(_OP, FROBENIUS): "fro_mul_op_fro", (FROBENIUS, _OP): "fro_mul_fro_op", (_OP, _OP): "opn_mul"}[kinds]
    product = _OP if kinds == (_OP, _OP) else FROBENIUS
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
        Scalar.of(Norm(_OP, p)), "<=", Scalar.of(Norm(FROBENIUS, p)), values, f"(opn_le_fro {step.text(x)})"
    )


@rule
def cauchy_schwarz(step: Step) -> str:
    """⟨X, Y⟩ <= ‖X‖‖Y‖."""
    x, y = step.theorem.arguments
    (p, mine), (q, yours) = templates(step.book, "P", x), templates(step.book, "Q", y)
    right = Scalar.of(Norm(FROBENIUS, p)) * Norm(FROBENIUS, q)
    proof = f"(cauchy_schwarz {step.text(*x)} {step.text(*y)})"
    return step.normal(_inner(p, q), "<=", right, mine | yours, proof)


@rule
def norm_expansion(step: Step) -> str:
    """‖X‖² = ⟨X, X⟩."""
    (x,) = step.theorem.arguments
    p, values = templates(step.book, "P", x)
    proof = f"(esym (fro_sq {step.text(*x)}))"
    return step.normal(_inner(p, p), "=", Scalar.of(Norm(FROBENIUS, p)) ** 2, values, proof)


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
        place = next(i for i in range(1, len(word)) if _columns(word[:i]) == dimension)
        parts = [Matrix((_columns(w[:0] or ((w[0][0], not w[0][1]),)), _columns(w)), {w: k}) for w, k in ((word[:place], c), (word[place:], ONE))]
        ((p,), mine), ((q,), yours) = templates(step.book, "P", (parts[0],)), templates(step.book, "Q", (parts[1],))
        matrix, values = p @ q, mine | yours
        proof = f"(rank_inside {step.text(parts[0])} {step.text(parts[1])})"
    left = Scalar.of(Norm(FROBENIUS, (matrix,))) ** 2
    return step.normal(left, "<=", size * Scalar.of(Norm(_OP, (matrix,))) ** 2, values, proof)


def _columns(word: Word) -> str:
    letter, flipped = word[-1]
    return letter.shape[0 if flipped else 1]


@rule
def dimension_positive(step: Step) -> str:
    """m >= 1."""
    (name,) = step.theorem.arguments
    proof = f"(one_le R (isT : is_true (0 < {step.book.size(name)})%N))" if step.book.size(name).isdigit() else f"(one_le R {step.book.size(name)}_gt0)"
    return step.normal(ONE, "<=", Scalar.of(Dimension(name)), {}, proof)


@rule
def horizon_positive(step: Step) -> str:
    """T >= 1."""
    return step.normal(ONE, "<=", Scalar.of(Horizon()), {}, "(one_le R T_gt0)")


# Roots and inverses.


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
    """x inverse(x) = 1, from x > 0."""
    (divisor,) = step.theorem.premises
    x = divisor.fact.polynomial
    book = step.book
    lemma = Lemma(book)
    inverse_ = lemma.name(Inverse(x))
    positive = lemma.premise(f"0 < {lemma.scalar(x)}", lambda _: step.fact(divisor))
    is_ = lemma.premise(f"{inverse_} = ({lemma.scalar(x)})^-1", lambda _: "erefl")
    goal = lemma.scalar(step.theorem.fact.polynomial)
    script = (
        f"have e : {goal} = ({lemma.scalar(x)}) * {inverse_} - 1 :> R by clear {positive} {is_}; algebra. "
        f"by rewrite e {is_} divff ?subrr // gt_eqF."
    )
    return f"(fun t w rt => {lemma.state(f'{goal} = 0', script)(HERE)})"


@rule
def vanishing(step: Step) -> str:
    """x = 0, from -x² >= 0."""
    (theorem,) = step.theorem.premises
    (x,) = step.theorem.arguments
    lemma = Lemma(step.book)
    square = lemma.scalar(theorem.fact.polynomial)
    h = lemma.premise(related(theorem.fact.relation, square), lambda _: step.fact(theorem))
    script = f"have e : {square} = - ({lemma.scalar(x)}) ^+ 2 :> R by clear {h}; algebra. exact: (vanishes e {h})."
    if theorem.fact.relation == "=":
        script = script.replace(f"e {h}", f"e (eq_ge0 {h})")
    return f"(fun t w rt => {lemma.state(f'{lemma.scalar(x)} = 0', script)(HERE)})"


# Certificates.


@rule
def certificate(step: Step) -> str:
    """The certificate's own identity."""
    return certified(step.book, step.theorem, [step.fact(x) for x in step.theorem.premises])


# Analysis.


@rule
def chain_rule(step: Step) -> str:
    """The slope of F along any direction of one block is that of f along the direction's image."""
    (composition,) = step.theorem.premises
    (block,) = step.theorem.arguments
    law = composition.conclusion
    assert isinstance(law, Law)
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
    # The premise, as the library asks for it.
    equations, lemma = Equations(book, Move(values)), Lemma(book)
    for atom in (*size.atoms(), *bend.atoms()):
        lemma.change(atom, equations.change(atom))
    fact = smooth.fact
    known = lemma.premise(related(">=", lemma.scalar(fact.polynomial)), lambda _: "_SMOOTH_")
    wanted = f"({lemma.scalar(constant)}) * {lemma.name(theta)} * {lemma.scalar(size, before=True)} - {lemma.scalar(bend, before=True)}"
    script = f"have e : {lemma.scalar(fact.polynomial)} = {wanted} :> R by clear {known}; subst; algebra. exact: (cast_ge e {known})."
    ends_ = {Fact(">=", ends): "(fun _ _ _ => zs0)", Fact(">=", ONE - ends): "(fun _ _ _ => zs1)"}
    used = lemma.state(related(">=", wanted), script)(HERE).replace("_SMOOTH_", f"({step.use(smooth, ends_)} t w rt)")
    along = f"(fun (zs : R) zs0 zs1 => let {book.name(theta)} : {book.type_of(theta)} := fun _ _ => zs in {used})"
    name, gradient = book.function(function, x)
    head = "descent_up" if sign == 1 else "descent_down"
    proof = f"({head} (@descent _ _ _ {name} {gradient} {step.text(*x)} {step.text(*delta)} ({book.scalar(constant, HERE)}) {gradient}_is {along}))"
    after = tuple(a + b for a, b in zip(p, q, strict=True))
    gain = [Scalar.of(Value(function, after)), Scalar.of(Value(function, p)), _inner(gradients(function, p), q)]
    left, right = (gain[0] - gain[1] - gain[2]) * sign, constant * size * size * Fraction(1, 2)

    def told(lemma: Lemma) -> tuple[str, str]:
        first, second, third = (lemma.scalar(each, before=True) for each in gain)
        rise = f"{first} - {second} - ({third})"
        return rise if sign == 1 else f"- ({rise})", f"({lemma.scalar(constant)}) / 2 * ({lemma.scalar(size, before=True)}) ^+ 2"

    return step.normal(left, "<=", right, values, proof, told)


# Sums and expectations.


def _linear(step: Step, theorem: Theorem, image: Scalar, equation: Proof, lemmas: Mapping[str, str], over: str) -> str:
    """A sign that an operator keeps."""
    fact = step.theorem.fact
    if image != fact.polynomial:
        raise InputError("conclusion", fact, f"what the exporter finds, {image}")
    return f"(fun t w rt => {step.cast(fact.relation, equation, f'({lemmas[fact.relation]} {over})')})"


@rule
def expectation(step: Step) -> str:
    """The expectation of the premise."""
    (theorem,) = step.theorem.premises
    (given,) = step.theorem.arguments
    image, equation = Equations(step.book, Move()).expected(theorem.fact.polynomial, given)
    head = f"R S {step.book.past(given, HERE)} {past_proof(given, HERE)} w _"
    lemmas = {">=": f"@ex_ge {head}", ">": f"@ex_gt {head}", "=": f"@ex_zero {head}"}
    return _linear(step, theorem, image, equation, lemmas, f"(fun w' => {step.fact(theorem, place_text(HERE.elsewhere()))})")


@rule
def summation(step: Step) -> str:
    """The sum of the premise."""
    (theorem,) = step.theorem.premises
    image, equation = Equations(step.book, Move()).summed(theorem.fact.polynomial)
    lemmas = {">=": "@total_ge0 R T _", ">": "@total_gt0 R T _ T_gt0", "=": "@tot_zero R T _"}
    return _linear(step, theorem, image, equation, lemmas, f"(fun t' rt' => {step.fact(theorem, place_text(HERE.within()))})")


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
    h = each.premise(f"{after} = {each.scalar(moved[NEXT][0])}", moved[NEXT][1] or (lambda _: "erefl"))
    apart = each.state(f"{each.scalar(difference)} = {after} - ({each.scalar(x)})", f"rewrite {h}; algebra.")
    inner = HERE.within()
    both = f"(total_eq (fun t' rt' => {apart(inner)}))"
    function = f"(fun t' => {book.scalar(x, inner)})"
    lemma = Lemma(book)
    whole = lemma.number(lambda at: f"total T (fun t' => {book.scalar(difference, inner)})")
    ends = {index: lemma.number(lambda at, i=index: book.scalar(x, at.at(i))) for index in (end, start)}
    names = [lemma.premise(f"{whole} = {lemma.scalar(image)}", summed)]
    names.append(lemma.premise(f"{whole} = {ends[end]} - {ends[start]}", lambda _: f"(etrans {both} (@telescope R T {function}))"))
    names += [lemma.premise(f"{ends[i]} = {lemma.scalar(moved[i][0])}", moved[i][1] or (lambda _: "erefl")) for i in (end, start)]
    polynomial = step.theorem.fact.polynomial
    if image - moved[end][0] + moved[start][0] != polynomial:
        raise InputError("conclusion", step.theorem.fact, f"what the exporter finds, {image}")
    parts = f"({lemma.scalar(image)}) - (({lemma.scalar(moved[end][0])}) - ({lemma.scalar(moved[start][0])}))"
    script = (
        f"have e : {lemma.scalar(polynomial)} = {parts} :> R by clear {' '.join(names)}; algebra. "
        f"by rewrite e -{names[0]} {names[1]} {names[2]} {names[3]} subrr."
    )
    return f"(fun t w rt => {lemma.state(related('=', lemma.scalar(polynomial)), script)(HERE)})"


@rule
def minimum_at_most(step: Step) -> str:
    """min x <= x."""
    (x,) = step.theorem.arguments
    inner = HERE.within()
    proof = f"(@least_le R T (fun {inner.base} => {step.book.scalar(x, inner)}) t rt)"
    return step.normal(Scalar.of(Minimum(x)), "<=", x, {}, proof)


@rule
def minimum_at_least(step: Step) -> str:
    """c <= min x, from c <= x."""
    (theorem,) = step.theorem.premises
    (x,) = step.theorem.arguments
    book, inner, fact = step.book, HERE.within(), step.theorem.fact
    c, strict = x - theorem.fact.polynomial, fact.relation == ">"
    lemma = Lemma(book)
    sign = "<" if strict else "<="
    known = lemma.premise(related(fact.relation, lemma.scalar(theorem.fact.polynomial)), lambda at: step.fact(theorem, place_text(at)))
    below = lemma.state(f"{lemma.scalar(c)} {sign} {lemma.scalar(x)}", f"rewrite -subr_{'gt' if strict else 'ge'}0. have e : {lemma.scalar(x)} - ({lemma.scalar(c)}) = {lemma.scalar(theorem.fact.polynomial)} :> R by clear {known}; algebra. by rewrite e.")
    proof = f"(@least_{'gt' if strict else 'ge'} R T (fun t' => {book.scalar(x, inner)}) _ T_gt0 (fun t' rt' => {below(inner)}))"
    return step.normal(c, sign, Scalar.of(Minimum(x)), {}, proof)


# Times.


@rule
def time_at_least_one(step: Step) -> str:
    """t >= 1."""
    return step.normal(ONE, "<=", Scalar.of(Clock()), {}, "(@time_ge1 R T t rt)")


@rule
def time_at_most_horizon(step: Step) -> str:
    """t <= T."""
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
    return f"(fun t w rt => {step.cast(theorem.fact.relation, equation, step.fact(theorem, at))})"


# The largest of several numbers.


@rule
def at_most_maximum(step: Step) -> str:
    """x <= max(x, y, ...)."""
    x, others = step.theorem.arguments
    lemma, members = Lemma(step.book), tuple(sorted({x, *others}))
    if len(members) == 1:
        return step.normal(x, "<=", x, {}, "(lexx _)")
    largest = lemma.name(Maximum(members))
    is_ = lemma.premise(f"{largest} = {nested([f'({lemma.scalar(y)})' for y in members])}", lambda _: "erefl")
    goal = lemma.scalar(step.theorem.fact.polynomial)
    script = f"have e : {goal} = {largest} - ({lemma.scalar(x)}) :> R by clear {is_}; algebra. by rewrite e subr_ge0 {is_} !le_max lexx ?orbT."
    return f"(fun t w rt => {lemma.state(related('>=', goal), script)(HERE)})"


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
        return f"(fun t w rt => {step.fact(theorem) if weak else f'(ltW {step.fact(theorem)})'})"
    largest = lemma.name(Maximum(members))
    is_ = lemma.premise(f"{largest} = {nested([f'({lemma.scalar(y)})' for y in members])}", lambda _: "erefl")
    names, sign = [], "<" if strict else "<="
    for member, theorem in sorted(proofs.items()):
        known = lemma.premise(related(theorem.fact.relation, lemma.scalar(c - member)), lambda _, x=theorem: step.fact(x))
        names.append((member, known, theorem.fact.relation))
    goal = lemma.scalar(fact.polynomial)
    all_ = " ".join([is_, *(known for _, known, _ in names)])
    script = f"have e : {goal} = ({lemma.scalar(c)}) - {largest} :> R by clear {all_}; algebra. rewrite e subr_{'gt' if strict else 'ge'}0 {is_}. "
    for i, (member, known, relation) in enumerate(names):
        proof = known if relation == fact.relation else f"(ltW {known})"
        script += f"have b{i} : {lemma.scalar(member)} {sign} {lemma.scalar(c)} by rewrite -subr_{'gt' if strict else 'ge'}0; have -> : ({lemma.scalar(c)}) - ({lemma.scalar(member)}) = {lemma.scalar(c - member)} by clear e {all_}; algebra. exact: {proof}. "
    script += f"by rewrite !{'gt_max' if strict else 'ge_max'} {' '.join(f'b{i}' for i in range(len(names)))}."
    return f"(fun t w rt => {lemma.state(related(fact.relation, goal), script)(HERE)})"


def place_text(at: Place) -> str:
    """A time, an outcome, and the proof that it is one."""
    return f"{at.time} {at.outcome} {at.proof}"
