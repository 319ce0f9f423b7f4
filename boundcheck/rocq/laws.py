"""Hypotheses and laws."""

from __future__ import annotations

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Law
from boundcheck.kernel.terms import FROBENIUS, Matrix, Norm, Scalar
from boundcheck.rocq.algebra import Lemma
from boundcheck.rocq.book import HERE
from boundcheck.rocq.equations import Equations, Move
from boundcheck.rocq.step import Step, rule, templates


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
