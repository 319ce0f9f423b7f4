"""A certificate as a lemma over real numbers: its identity by `ring`, the signs of its parts from the premises."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from boundcheck.kernel import Theorem
from boundcheck.kernel.terms import ONE, Scalar
from boundcheck.rocq.algebra import Lemma, constantly, equal
from boundcheck.rocq.book import HERE, Book, ratio, related
from boundcheck.rocq.equations import positive


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
