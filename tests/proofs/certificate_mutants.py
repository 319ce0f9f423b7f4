"""Certificates with one place changed: by kind of change, at random. Some changes keep a certificate right."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from random import Random

from boundcheck.kernel import Fact, Theorem
from boundcheck.kernel.facts import RELATIONS
from boundcheck.kernel.terms import ONE, Scalar

from .reader import unproved


class Draft:
    """The parts of a certificate, to be changed; each term has one square."""

    def __init__(self, theorem: Theorem) -> None:
        goal, terms, multipliers, factor = theorem.arguments
        self.goal: Fact = goal
        self.premises = [premise.fact for premise in theorem.premises]
        self.terms = [[weight, root, list(places)] for squares, places in terms for weight, root in squares]
        self.multipliers = [list(each) for each in multipliers]
        self.factor = list(factor)

    def certificate(self) -> Theorem:
        terms = tuple((((weight, root),), tuple(places)) for weight, root, places in self.terms)
        return unproved(self.premises, self.goal, terms, tuple(map(tuple, self.multipliers)), tuple(self.factor))


def _changed(p: Scalar, random: Random) -> Scalar:
    """One coefficient changed, one monomial dropped, or a number added."""
    monomials = [*p.terms, ()]
    monomial = random.choice(monomials)
    return p + Scalar({monomial: random.choice((-p.terms.get(monomial, Fraction(1)), Fraction(1), Fraction(-1, 3)))})


def _coefficient_of_the_goal(draft: Draft, random: Random) -> None:
    draft.goal = Fact(draft.goal.relation, _changed(draft.goal.polynomial, random))


def _coefficient_of_a_premise(draft: Draft, random: Random) -> None:
    place = random.randrange(len(draft.premises))
    fact = draft.premises[place]
    draft.premises[place] = Fact(fact.relation, _changed(fact.polynomial, random))


def _coefficient_of_a_square(draft: Draft, random: Random) -> None:
    term = random.choice(draft.terms)
    term[1] = _changed(term[1], random)


def _coefficient_of_a_multiplier(draft: Draft, random: Random) -> None:
    multiplier = random.choice(draft.multipliers)
    multiplier[0] = _changed(multiplier[0], random)


def _relation_of_the_goal(draft: Draft, random: Random) -> None:
    draft.goal = Fact(random.choice(RELATIONS), draft.goal.polynomial)


def _relation_of_a_premise(draft: Draft, random: Random) -> None:
    place = random.randrange(len(draft.premises))
    draft.premises[place] = Fact(random.choice(RELATIONS), draft.premises[place].polynomial)


def _place(draft: Draft, random: Random) -> None:
    """A place changed to one that may not exist, in a term, a multiplier or the factor."""
    place = random.randrange(-1, len(draft.premises) + 1)
    lists = [places for _, _, places in draft.terms if places] + [draft.factor] * bool(draft.factor)
    if draft.multipliers and (not lists or random.random() < 0.3):
        random.choice(draft.multipliers)[1] = place
    else:
        chosen = random.choice(lists)
        chosen[random.randrange(len(chosen))] = place


def _sign_of_a_weight(draft: Draft, random: Random) -> None:
    term = random.choice(draft.terms)
    term[0] = -term[0]


def _weight(draft: Draft, random: Random) -> None:
    random.choice(draft.terms)[0] += random.choice((Fraction(1), Fraction(1, 7)))


def _dropped_term(draft: Draft, random: Random) -> None:
    draft.terms.remove(random.choice(draft.terms))


def _dropped_multiplier(draft: Draft, random: Random) -> None:
    draft.multipliers.remove(random.choice(draft.multipliers))


def _other_factor(draft: Draft, random: Random) -> None:
    if draft.factor and random.random() < 0.5:
        draft.factor.pop()
    else:
        draft.factor.append(random.randrange(len(draft.premises)))


def _scaled(draft: Draft, random: Random) -> None:
    """Both sides times a positive number: right as before."""
    number = Fraction(random.randrange(1, 9), 3)
    for term in draft.terms:
        term[0] *= number
        if term[1] == draft.goal.polynomial:
            # It may have to stay the square of the goal.
            term[:2] = term[0] / number**2, term[1] * number
    draft.goal = Fact(draft.goal.relation, draft.goal.polynomial * number)
    draft.multipliers = [[multiplier * number, place] for multiplier, place in draft.multipliers]


def _turned(draft: Draft, random: Random) -> None:
    """The premises in another order, and each term split into two halves: right as before."""
    order = random.sample(range(len(draft.premises)), len(draft.premises))
    draft.premises = [draft.premises[old] for old in order]
    at = {old: new for new, old in enumerate(order)}
    halves = [[weight / 2, root, [at[i] for i in places]] for weight, root, places in draft.terms]
    draft.terms = halves + [[*half[:2], list(half[2])] for half in halves]
    draft.multipliers = [[multiplier, at[i]] for multiplier, i in draft.multipliers]
    draft.factor = [at[i] for i in draft.factor]


def _a_premise_more(draft: Draft, random: Random) -> None:
    """A premise that nothing uses: right as before."""
    draft.premises.append(Fact(random.choice(RELATIONS), ONE))


Kind = Callable[[Draft, Random], None]
FALSE: dict[str, Kind] = {
    "coefficient of the goal": _coefficient_of_the_goal,
    "coefficient of a premise": _coefficient_of_a_premise,
    "coefficient of a square": _coefficient_of_a_square,
    "coefficient of a multiplier": _coefficient_of_a_multiplier,
    "relation of the goal": _relation_of_the_goal,
    "relation of a premise": _relation_of_a_premise,
    "place": _place,
    "sign of a weight": _sign_of_a_weight,
    "weight": _weight,
    "dropped term": _dropped_term,
    "dropped multiplier": _dropped_multiplier,
    "other factor": _other_factor,
}
TRUE: dict[str, Kind] = {"scaled": _scaled, "turned": _turned, "a premise more": _a_premise_more}


def mutant(theorem: Theorem, kind: str, random: Random) -> Theorem | None:
    """The certificate with a change of this kind; None if it has no place for one."""
    draft = Draft(theorem)
    needs = {"square": draft.terms, "weight": draft.terms, "term": draft.terms, "multiplier": draft.multipliers}
    wanted = [parts for word, parts in needs.items() if word in kind]
    if not draft.premises or not all(wanted):
        return None
    if kind == "place" and not (draft.multipliers or draft.factor or any(places for _, _, places in draft.terms)):
        return None
    {**FALSE, **TRUE}[kind](draft, random)
    return draft.certificate()
