"""Sums, expectations and times."""

from __future__ import annotations

from collections.abc import Mapping

from boundcheck.errors import InputError
from boundcheck.kernel import Theorem
from boundcheck.kernel.rules import FIRST
from boundcheck.kernel.terms import NEXT, ONE, Clock, Horizon, Index, Minimum, Scalar
from boundcheck.rocq.algebra import UNCHANGED, Lemma, constantly, equal
from boundcheck.rocq.book import HERE, Proof, related
from boundcheck.rocq.equations import Equations, Move
from boundcheck.rocq.knowing import past_proof
from boundcheck.rocq.step import Step, place_text, rule


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
