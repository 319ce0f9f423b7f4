"""The standard facts of analysis."""

from __future__ import annotations

from fractions import Fraction

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Law, Statement
from boundcheck.kernel.builders import inner
from boundcheck.kernel.rules import gradients
from boundcheck.kernel.terms import FROBENIUS, ONE, Norm, Scalar, Value
from boundcheck.rocq.algebra import Lemma, constantly, equal
from boundcheck.rocq.book import HERE, related
from boundcheck.rocq.chain import chained
from boundcheck.rocq.equations import Equations, Move
from boundcheck.rocq.step import Step, rule, templates


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
