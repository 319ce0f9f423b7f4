"""Induction over t, and the times at which facts are used.

A hypothesis of a theorem is meant at every time, so that "from p follows p[t := t+1]" alone says nothing. Induction
needs the step at one time after the other: p at t alone has to give p at t + 1. `elsewhere` finds the hypotheses that a
derivation uses at other times than the one it speaks of, as a sum over t does.
"""

from __future__ import annotations

from boundcheck.kernel.atoms import Before, Clock, Horizon, Minimum, Total
from boundcheck.kernel.builders import at
from boundcheck.kernel.derive import Answer, at_least_zero, polynomial_of, rule
from boundcheck.kernel.errors import RuleError
from boundcheck.kernel.facts import Fact, Law, Statement, Theorem, derivation
from boundcheck.kernel.terms import Scalar
from boundcheck.kernel.times import NEXT, Index

FIRST, LAST = Index("", 1), Index("T", 0)


@rule(0)
def time_at_least_one() -> Answer:
    """⊢ t >= 1."""
    return at_least_zero(Clock() + Scalar.of(-1))


@rule(0)
def time_at_most_horizon() -> Answer:
    """⊢ t <= T."""
    return at_least_zero(Horizon() - Scalar.of(Clock()))


@rule(1)
def at_time(theorem: Theorem, time: Index) -> Answer:
    """Take the first or the last time.

    ::

           H ⊢ p               (p any fact)
        ────────────    i is 1 or T
        H ⊢ p[t:=i]

    Fails at another time, and where p varies with t in an unknown way.
    """
    p = polynomial_of("at_time", 0, theorem, ">=", ">", "=")
    if time not in (FIRST, LAST):
        raise RuleError("at_time", None, f"the time is 1 or T, and not {time}")
    return Fact(theorem.fact.relation, at(p, time))


@rule(2)
def induction(first: Theorem, step: Theorem, goal: Fact) -> Answer:
    """Induct over t.

    ::

        H ⊢ p[t:=1]    K, p ⊢ p[t:=t+1]    (p any fact)
        ────────────────────────────────    the step uses p at t alone
                    H, K ⊢ p

    Fails where the two theorems conclude something else, and where a part of the step uses p at other times: where p is
    summed over t, taken at a time, a premise of a law, or made one.
    """
    wanted = {FIRST: first, NEXT: step}
    for place, (time, theorem) in enumerate(wanted.items()):
        expected = Fact(goal.relation, at(goal.polynomial, time))
        if theorem.conclusion != expected:
            raise RuleError("induction", place, f"expected {expected}, and not {theorem.conclusion}")
    if goal in elsewhere(step):
        raise RuleError("induction", 1, f"{goal} is used at other times than t")
    return first.hypotheses | (step.hypotheses - {goal}), goal


def elsewhere(theorem: Theorem) -> frozenset[Statement]:
    """The hypotheses that the derivation of a theorem may use at other times than the one it speaks of."""
    found: dict[int, frozenset[Statement]] = {}
    for each in derivation([theorem]):
        below = frozenset[Statement]().union(*(found[id(x)] for x in each.premises))
        found[id(each)] = (below | _moved(each, below)) & each.hypotheses
    return found[id(theorem)]


def _moved(theorem: Theorem, below: frozenset[Statement]) -> frozenset[Statement]:
    """The hypotheses that the last step of a derivation uses at other times; `below` are those of its premises."""
    match theorem.rule, theorem.premises:
        # A law holds at no time of its own.
        case (("summation" | "minimum_at_least" | "at_time" | "induction" | "generalise"), premises):
            return frozenset[Statement]().union(*(x.hypotheses for x in premises))
        # The premises of a law are meant at every time.
        case "instantiate", (law,) if isinstance(law.conclusion, Law) and law.conclusion.premises:
            return theorem.hypotheses
        # What proves a hypothesis is used where the hypothesis is.
        case "discharge", (known, used) if known.conclusion in below:
            return known.hypotheses
        # In a sum, a letter is replaced at every time.
        case "rewrite", (equation, used) if any(
            isinstance(x, Total | Minimum | Before) for x in _inside(theorem, used)
        ):
            return equation.hypotheses
    return frozenset()


def _inside(*theorems: Theorem) -> frozenset[object]:
    return frozenset().union(*(x.fact.polynomial.inside for x in theorems))
