"""Certificates with one place changed: by kind of change, at random. Some changes keep a
certificate right."""

from fractions import Fraction

from boundcheck.kernel import Fact
from boundcheck.kernel.derive import RELATIONS
from boundcheck.kernel.terms import ONE, Scalar

from .reader import unproved


class Draft:
    """The parts of a certificate, to be changed; each term has one square."""

    def __init__(self, theorem):
        goal, terms, multipliers, factor = theorem.arguments
        self.goal = goal
        self.premises = [premise.fact for premise in theorem.premises]
        self.terms = [
            [weight, root, list(places)] for squares, places in terms for weight, root in squares
        ]
        self.multipliers = [list(each) for each in multipliers]
        self.factor = list(factor)

    def certificate(self):
        terms = tuple((((weight, root),), tuple(places)) for weight, root, places in self.terms)
        return unproved(
            self.premises, self.goal, terms, tuple(map(tuple, self.multipliers)), tuple(self.factor)
        )


def _changed(p, random):
    """One coefficient changed, one monomial dropped, or a number added."""
    monomials = [*p.terms, ()]
    monomial = random.choice(monomials)
    return p + Scalar(
        {
            monomial: random.choice(
                (-p.terms.get(monomial, Fraction(1)), Fraction(1), Fraction(-1, 3))
            )
        }
    )


FALSE = (
    *(f"coefficient of {where}" for where in ("the goal", "a premise", "a square", "a multiplier")),
    "relation of the goal",
    "relation of a premise",
    "place",
    "sign of a weight",
    "weight",
    "dropped term",
    "dropped multiplier",
    "other factor",
)
# Right as before: both sides times a number; premises in another order and terms in halves; one
# that nothing uses.
TRUE = ("scaled", "turned", "a premise more")


def change(draft, kind, random):
    """Change a draft in one place, by kind."""
    place = random.randrange(len(draft.premises))
    premises = draft.premises
    term = random.choice(draft.terms) if draft.terms else []
    multiplier = random.choice(draft.multipliers) if draft.multipliers else []
    match kind:
        case "coefficient of the goal":
            draft.goal = Fact(draft.goal.relation, _changed(draft.goal.polynomial, random))
        case "coefficient of a premise":
            premises[place] = Fact(
                premises[place].relation, _changed(premises[place].polynomial, random)
            )
        case "coefficient of a square":
            term[1] = _changed(term[1], random)
        case "coefficient of a multiplier":
            multiplier[0] = _changed(multiplier[0], random)
        case "relation of the goal":
            draft.goal = Fact(random.choice(RELATIONS), draft.goal.polynomial)
        case "relation of a premise":
            premises[place] = Fact(random.choice(RELATIONS), premises[place].polynomial)
        case "place":
            # To one that may not exist, in a term, a multiplier or the factor.
            other = random.randrange(-1, len(premises) + 1)
            lists = [places for _, _, places in draft.terms if places] + [draft.factor] * bool(
                draft.factor
            )
            if multiplier and (not lists or random.random() < 0.3):
                multiplier[1] = other
            else:
                chosen = random.choice(lists)
                chosen[random.randrange(len(chosen))] = other
        case "sign of a weight":
            term[0] = -term[0]
        case "weight":
            term[0] += random.choice((Fraction(1), Fraction(1, 7)))
        case "dropped term":
            draft.terms.remove(term)
        case "dropped multiplier":
            draft.multipliers.remove(multiplier)
        case "other factor":
            if draft.factor and random.random() < 0.5:
                draft.factor.pop()
            else:
                draft.factor.append(place)
        case "scaled":
            number = Fraction(random.randrange(1, 9), 3)
            for each in draft.terms:
                each[0] *= number
                if each[1] == draft.goal.polynomial:
                    # It may have to stay the square of the goal.
                    each[:2] = each[0] / number**2, each[1] * number
            draft.goal = Fact(draft.goal.relation, draft.goal.polynomial * number)
            draft.multipliers = [[by * number, at] for by, at in draft.multipliers]
        case "turned":
            order = random.sample(range(len(premises)), len(premises))
            draft.premises = [premises[old] for old in order]
            at = {old: new for new, old in enumerate(order)}
            halves = [
                [weight / 2, root, [at[i] for i in places]] for weight, root, places in draft.terms
            ]
            draft.terms = halves + [[*half[:2], list(half[2])] for half in halves]
            draft.multipliers = [[by, at[i]] for by, i in draft.multipliers]
            draft.factor = [at[i] for i in draft.factor]
        case "a premise more":
            premises.append(Fact(random.choice(RELATIONS), ONE))
        case _:
            raise ValueError(kind)


def mutant(theorem, kind, random):
    """The certificate with a change of this kind; None if it has no place for one."""
    draft = Draft(theorem)
    needs = {
        "square": draft.terms,
        "weight": draft.terms,
        "term": draft.terms,
        "multiplier": draft.multipliers,
    }
    wanted = [parts for word, parts in needs.items() if word in kind]
    if not draft.premises or not all(wanted):
        return None
    if kind == "place" and not (
        draft.multipliers or draft.factor or any(places for _, _, places in draft.terms)
    ):
        return None
    change(draft, kind, random)
    return draft.certificate()
