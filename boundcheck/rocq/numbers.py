"""Roots, inverses, the largest of several numbers, certificates."""

from __future__ import annotations

from boundcheck.kernel.terms import ZERO, Inverse, Maximum, Root, Scalar
from boundcheck.rocq.algebra import UNCHANGED, Lemma, constantly, equal
from boundcheck.rocq.book import HERE, nested, related
from boundcheck.rocq.certificates import certified
from boundcheck.rocq.step import Step, rule


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
