"""Theorems whose truth is known: at c times their constants, under more, fewer and other hypotheses.

A claim is true because another is and it says no more; it is false because an exact run that meets all of its
hypotheses breaks it. Of one that is neither shown, engines are only held against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import sympy as sp

from boundcheck.checked.engines.assumed import (
    BOUNDED_GRADIENT,
    FAR,
    LOW,
    OTHERS,
    STATED,
    STEEP,
    WIDE,
    Assumed,
    Edited,
    edited,
    of_catalogue,
    own_id,
    stated,
)
from boundcheck.checked.engines.examined import Examined, Subject, examined
from boundcheck.checked.engines.known import (
    HORIZONS,
    LAST_GRADIENT,
    MEASURED,
    Known,
    bare,
    known,
    limit,
    rational,
    run,
    speaks_of,
)
from boundcheck.checked.engines.scripts import refuting
from boundcheck.checked.engines.walks import Follow, Walk, descended
from boundcheck.checked.exact_models.functions import huber, parabola
from boundcheck.language.algorithms import GRADIENT_DESCENT
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantity
from boundcheck.language.hypotheses import (
    BOUNDED_BELOW,
    CONVEX,
    HYPOTHESES,
    SMOOTH_EVERYWHERE,
    UNBIASED,
    Hypothesis,
    Worst,
)
from boundcheck.language.measures import AVERAGE_GRADIENT, LAST_DISTANCE, LAST_GAP, LEAST_GRADIENT, PerformanceMeasure
from boundcheck.language.sentence import algorithm_of, theorem
from boundcheck.language.symbols import R_1, D, G, Lhat, T, alpha, bound

FACTORS = tuple(
    Fraction(x)
    for x in ("1/4", "1/2", "3/4", "9/10", "99/100", "999/1000", "1", "1001/1000", "101/100", "5/4", "2", "5")
)
_FEW = tuple(Fraction(x) for x in ("1/2", "9/10", "99/100", "1", "2"))
_PAIR = (Fraction(9, 10), Fraction(1))
_RESTATED = tuple(Fraction(x) for x in ("1/2", "1/4", "3/4", "1", "2"))
_UNDER_AN_ID = (Fraction(1, 2), Fraction(9, 10), Fraction(2))
_FOREIGN: tuple[Hypothesis, ...] = (UNBIASED, CONVEX, SMOOTH_EVERYWHERE, BOUNDED_BELOW, HYPOTHESES["bounded_gradient"])
_MEASURES = (LEAST_GRADIENT, AVERAGE_GRADIENT, LAST_GAP, LAST_DISTANCE)


@dataclass(frozen=True)
class Recipe:
    """A claim to be made, and what is known about it.

    Attributes:
        kind, change: as in a `Trial`.
        subject: the theorem that was changed.
        claim: what is said, of hypotheses of which nothing is edited: its bound, conditions, algorithm and measure.
        assumed: the hypotheses as they are stated in the end.
        why: why it is true; empty where it is not known to be.
        follow: its algorithm on a curve.
        walks: for a T the runs that may show it to be false.
        edit: makes the claim that engines get; it may raise, where a claim refuses to be made so.
        factor: of a theorem of which nothing else is changed the multiple of its constant, which brackets are held to.
        original: the same under the id of the catalogue's theorem, whose own proof script is tried on it.
        adapter: the only one by which instances may be drawn; any where it is empty.

    """

    kind: str
    change: str
    subject: str
    claim: Claim
    assumed: tuple[Assumed, ...]
    why: str
    follow: Follow
    walks: Callable[[int], Iterator[Walk]]
    edit: Callable[[Claim], Claim] = lambda claim: claim
    factor: Fraction | None = None
    original: Claim | None = None
    adapter: str = ""

    def with_least(self, walk: Walk) -> Walk:
        """A run with the least values of the letters of the hypotheses."""
        numbers = dict(walk.numbers)
        for each in self.assumed:
            numbers |= each.numbers(walk)
        return replace(walk, numbers=numbers)

    def cheat(self, turn: int) -> Walk | None:
        """A run on which the bound fails, that does not follow the algorithm, or is too steep, or states too small a D.

        Of a claim that is true; None where there is none, or a letter is unknown there.
        """
        walk = next((walk for walk in self.walks(3) if len(walk.points) > walk.steps), None)
        if walk is None:
            return None
        still = walk.points[:1] * 4
        if turn % 3 == 0:
            walk = replace(walk, about=f"{walk.about}, from which no step is taken", points=still)
        elif turn % 3 == 1:
            walk = replace(walk, about="F = 16 x²/2", curve=parabola(16), points=still)
        else:
            numbers = dict(walk.numbers) | {"D": Fraction(1, 10**6)}
            walk = replace(walk, about=f"{walk.about}, D too small", numbers=numbers)
        return self.with_least(walk)

    def worst(self, steps: int) -> tuple[Fraction | None, Fraction | None]:
        """The shares of the bound between which its worst case is at this T; None where nothing is known.

        It is no more than the constant, and no less where a run attains that whatever the letters are.
        """
        if self.factor is None:
            return None, None
        most = 1 / self.factor
        free = {"ell", "D", "R_1", "mu_F", "T"}.issuperset(x.name for x in self.claim.parameters)
        for walk in self.walks(steps) if free else ():
            seen = MEASURED[self.claim.measure](walk) if self.claim.measure in MEASURED else None
            if seen is not None and rational(seen * self.factor) == limit(self.claim, walk.numbers):
                return most, most
        return None, most

    def is_met(self, walk: Walk) -> bool | None:
        """True if a run meets the claim, as its hypotheses are stated; None where that is not decided here."""
        if len(walk.points) <= walk.steps:
            return None
        if walk.points != self.follow(walk.curve, walk.points[0], walk.numbers, walk.steps):
            return False
        if any(each.is_exact and not each.holds(walk) for each in self.assumed):
            return False
        met = all(each.holds(walk) for each in self.assumed) and speaks_of(self.claim, walk.numbers)
        return True if met else None

    def broken_by(self) -> Walk | None:
        """A run that meets every hypothesis and condition, and exceeds the bound; None where none is found."""
        measure = self.claim.measure
        if self.why or not isinstance(measure, PerformanceMeasure) or measure not in MEASURED:
            return None
        for walk in (walk for steps in HORIZONS for walk in self.walks(steps) if len(walk.points) >= walk.steps):
            found = self.with_least(walk)
            if (
                all(each.holds(found) for each in self.assumed)
                and speaks_of(self.claim, found.numbers)
                and rational(MEASURED[measure](found)) > limit(self.claim, found.numbers)
            ):
                return found
        return None


def asked(make: Callable[[], Recipe], turn: int) -> Examined:
    """A theorem with what is known of it, as engines are asked about it."""
    recipe = make()
    walk = recipe.broken_by()
    is_known = bool(recipe.why) or walk is not None
    why = recipe.why or (str(walk) if walk else "nothing is known of it: engines are held against each other")
    told = (recipe.kind, recipe.change, recipe.subject, walk is None, why)
    return examined(
        *told, partial(recipe.edit, recipe.claim), lambda claim: _subject(recipe, claim, walk, turn), is_known
    )


def _subject(recipe: Recipe, claim: Claim, walk: Walk | None, turn: int) -> Subject:
    against = walk if walk is not None and len(walk.points) > walk.steps else recipe.cheat(turn)
    steps = _steps(claim, walk, turn)
    return Subject(
        claim,
        steps,
        recipe.worst(steps),
        recipe.adapter,
        None if against is None else lambda: refuting(claim, against),
        against,
        recipe.original,
        meets=None if against is None else recipe.is_met(against),
    )


def _steps(claim: Claim, walk: Walk | None, turn: int) -> int:
    """A T at which a claim is tried: that of the run that breaks it, else one of the first few that it speaks of."""
    if walk is not None and walk.steps <= 3:
        return walk.steps
    algorithm = algorithm_of(claim)
    most = 2 if algorithm is not None and algorithm.is_stochastic else 3
    least = max((int(x.rhs) for x in claim.conditions if str(x.lhs) == "T" and x.rhs.is_Integer), default=1)
    return max(least, 1 + turn % most)


def times(claim: Claim, factor: Fraction) -> Claim:
    """The claim with a multiple of its bound."""
    last = claim.quantities[-1]
    scaled = replace(last, expression=rational(factor) * last.expression)
    return replace(claim, quantities=(*claim.quantities[:-1], scaled), argument="", unproved="")


def recipes() -> Iterator[Callable[[], Recipe]]:
    """Every theorem, to be made when it is its turn; in an order that never changes."""
    for each in known():
        yield from _changed(each)
    for turn, (name, measure, most) in enumerate(_TRIVIAL):
        for share, factor in product(_LONG, _FEW):
            yield partial(_bounded, name, measure, most, share, factor, None)
        for factor in _FEW if measure == LEAST_GRADIENT else ():
            yield partial(_bounded, name, measure, most, Fraction(1), factor, 4 * Lhat * D / (3 * T - 1))
        yield partial(_bounded, name, measure, most, _LONG[turn % 4], Fraction(1), None, False)
    theorems = {each.theirs.id: each for each in known() if each.theirs}
    drori, nesterov = theorems["drori2014.gradient_descent"], theorems["su2016.nesterov"]
    for factor in FACTORS:
        yield partial(_by_another, nesterov, factor, drori)
        yield partial(_by_another, drori, factor, nesterov)


def _changed(each: Known) -> Iterator[Callable[[], Recipe]]:
    """Every change of a theorem."""
    claim = each.claim
    for factor in FACTORS:
        yield partial(_constant, each, factor)
    for factor, least in product(_FEW, (2, 3)):
        yield partial(_later, each, factor, least)
    for factor, lost in product(_PAIR, range(len(claim.conditions))):
        yield partial(_without_condition, each, factor, lost)
    for name, factor in product(STATED, _FEW):
        yield partial(_with_more, each, factor, stated(name))
    for name in STATED:
        yield partial(_with_more, each, Fraction(1), stated(name, worst=None), "no solver")
        yield partial(_with_more, each, Fraction(1), stated(name, has_word=False), "no word")
    for other, factor in product(OTHERS, _PAIR):
        if other.claim not in claim.hypotheses:
            yield partial(_with_more, each, factor, other)
    for factor, gone in product((Fraction(1), Fraction(2)), claim.hypotheses):
        yield partial(_with_less, each, factor, gone)
    for hypothesis in claim.hypotheses:
        for change, factor in product(edited(hypothesis), _RESTATED):
            yield partial(_restated, each, factor, change)
    for place, hypothesis in enumerate(claim.hypotheses):
        for turn, word in enumerate(_FOREIGN):
            if word != hypothesis.word:
                id = hypothesis.id if (turn + place) % 3 > 0 else own_id(hypothesis)
                yield partial(_misnamed, each, _PAIR[turn % 2], hypothesis, word, id)
    for turn, measure in enumerate(_MEASURES):
        if measure != each.measure:
            yield partial(_measured_as, each, _PAIR[turn % 2], measure)
    for factor in _UNDER_AN_ID:
        yield partial(_under_another_id, each, factor, "drori2014.gradient_descent")
    for turn, hypothesis in enumerate(claim.hypotheses):
        id = "classic.convex" if hypothesis.id != "classic.convex" else "classic.near_minimiser"
        yield partial(_hypothesis_under_another_id, each, _PAIR[turn % 2], hypothesis, id)


def _at(each: Known, factor: Fraction, kind: str, said: str, *tag: object, **claim: Any) -> Recipe:
    """A theorem at a multiple of its constant, with these fields of its claim changed."""
    made = _named(replace(times(each.claim, factor), **claim), factor, *tag)
    change, why = f"{factor} of the bound{said}", _true(factor, each.why)
    assumed = tuple(map(of_catalogue, each.claim.hypotheses))
    return Recipe(kind, change, each.claim.id, made, assumed, why, each.follow, each.walks)


def _named(claim: Claim, *parts: object) -> Claim:
    """The claim under an id that says what was changed, so that no other claim has it."""
    text = "_".join("".join(c if c.isalnum() else "_" for c in str(part)) for part in parts)
    return replace(claim, id=f"{claim.id}.{text}")


def _true(factor: Fraction, why: str) -> str:
    return f"{why}, and {factor} is no less than 1" if factor >= 1 else ""


def _both(each: Known) -> Callable[[int], Iterator[Walk]]:
    """The runs of a theorem, and those that break one hypothesis or another."""

    def walks(steps: int) -> Iterator[Walk]:
        yield from each.walks(steps)
        first = next(iter(each.walks(1)), None)
        known = first.numbers if first else {}
        given = {name: x for name, x in known.items() if name not in ("ell", "D", "R_1", "T")}
        try:
            yield from bare(steps, each.follow, **given)
        except KeyError:
            # An algorithm with a number that these runs have no value of.
            return

    return walks


def _exchanged(old: Claim, make: Callable[[], Claim]) -> Callable[[Claim], Claim]:
    """Put another hypothesis in the place of one."""
    return lambda made: replace(made, hypotheses=tuple(make() if x is old else x for x in made.hypotheses))


# Constants, conditions and hypotheses


def _constant(each: Known, factor: Fraction) -> Recipe:
    theirs = each.theirs and times(each.theirs, factor)
    return replace(_at(each, factor, "constant", ""), factor=factor, original=theirs)


def _later(each: Known, factor: Fraction, least: int) -> Recipe:
    conditions = (*each.claim.conditions, sp.Ge(T, least, evaluate=False))
    said = f", from T = {least} on"
    return _at(each, factor, "condition added", said, "from", least, conditions=conditions)


def _without_condition(each: Known, factor: Fraction, lost: int) -> Recipe:
    gone = each.claim.conditions[lost]
    kept = tuple(x for x in each.claim.conditions if x is not gone)
    made = _at(each, factor, "condition dropped", f", without {gone}", "without", lost, conditions=kept)
    return replace(made, why="", walks=_both(each))


def _with_more(each: Known, factor: Fraction, more: Assumed, lacks: str = "") -> Recipe:
    said = f", under {more.claim.id} besides" + (f", which has {lacks}" if lacks else "")
    hypotheses = (*each.claim.hypotheses, more.claim)
    made = _at(each, factor, "hypothesis added", said, more.claim.id, lacks, hypotheses=hypotheses)
    return replace(made, assumed=(*made.assumed, more))


def _with_less(each: Known, factor: Fraction, lost: Claim) -> Recipe:
    kept = tuple(x for x in each.claim.hypotheses if x is not lost)
    made = _at(each, factor, "hypothesis dropped", f", without {lost.id}", "without", lost.id, hypotheses=kept)
    return replace(made, why="", assumed=tuple(map(of_catalogue, kept)), walks=_both(each))


# Words, measures, ids and algorithms beside statements


# By what share a bound shrinks where a letter of a hypothesis is half as large: D, and R_1 whose square is in it.
_SHRINKS = {D: Fraction(1, 2), R_1: Fraction(1, 4)}


def _restated(each: Known, factor: Fraction, change: Edited) -> Recipe:
    """A hypothesis says another thing than its word."""
    said = f", with {change.change} under its word"
    made = _at(each, factor, "statement beside its word", said, "restated", change.change)
    why = ""
    if change.is_stronger and factor >= _shrinks_to(each, change.letter):
        why = f"{each.why}, and {change.letter} is half of what the bound has, or a hypothesis is stronger"
    assumed = tuple(Assumed(x.claim, change.holds) if x.claim is change.of else x for x in made.assumed)
    return replace(made, why=why, assumed=assumed, walks=_both(each), edit=_exchanged(change.of, change.made))


def _shrinks_to(each: Known, letter: sp.Symbol) -> Fraction:
    """The share of the bound that is left if a letter, which nothing else has, is halved; 1 where that is not known."""
    last, share = each.claim.quantities[-1].expression, _SHRINKS.get(letter, Fraction(1))
    left = rational(share) * last
    elsewhere = any(x.expression.has(letter) for x in each.claim.quantities[:-1])
    return share if not elsewhere and sp.simplify(last.xreplace({letter: letter / 2}) - left) == 0 else Fraction(1)


def _misnamed(each: Known, factor: Fraction, hypothesis: Claim, word: Hypothesis, id: str) -> Recipe:
    """A hypothesis with the word of another, under the id of the catalogue or one of its own."""
    said = f", {hypothesis.id} with the word {word.id} under {id}"
    made = _at(each, factor, "word beside its statement", said, "misnamed", id, word.id)
    return replace(made, edit=_exchanged(hypothesis, lambda: replace(hypothesis, id=id, word=word)))


def _measured_as(each: Known, factor: Fraction, other: PerformanceMeasure) -> Recipe:
    """The word of another measure beside the conclusion."""
    said = f", with the measure {other.id} beside its conclusion"
    made = _at(each, factor, "measure beside its statement", said, "measured", other.id)
    return replace(made, edit=lambda claim: replace(claim, measure=other))


def _under_another_id(each: Known, factor: Fraction, id: str) -> Recipe:
    """The claim under the id of a proved one of the catalogue."""
    made = _at(each, factor, "id of another claim", f", under {id}", "under", id)
    return replace(made, edit=lambda claim: replace(claim, id=id))


def _hypothesis_under_another_id(each: Known, factor: Fraction, hypothesis: Claim, id: str) -> Recipe:
    """A hypothesis under the id of another one of the catalogue."""
    made = _at(each, factor, "id of another hypothesis", f", {hypothesis.id} under {id}", "id", hypothesis.id)
    return replace(made, edit=_exchanged(hypothesis, lambda: replace(hypothesis, id=id)))


def _by_another(each: Known, factor: Fraction, other: Known) -> Recipe:
    """The bound of one algorithm, said of another."""
    said = f", of the algorithm of {other.claim.id}"
    made = _at(each, factor, "algorithm exchanged", said, "by another", algorithm=other.claim.algorithm)
    return replace(made, why="", follow=other.follow, walks=other.walks)


# Bounds that a hypothesis about the iterates gives by itself, whatever is done


_TRIVIAL: tuple[tuple[str, PerformanceMeasure, sp.Expr], ...] = (
    ("not_steep", LEAST_GRADIENT, STEEP.symbol**2),
    ("not_steep", AVERAGE_GRADIENT, STEEP.symbol**2),
    ("not_steep", LAST_GRADIENT, STEEP.symbol**2),
    ("low", LAST_GAP, LOW.symbol),
    ("not_far", LAST_DISTANCE, FAR.symbol**2),
    ("in_a_ball", LAST_DISTANCE, (2 * WIDE.symbol + R_1) ** 2),
    ("in_a_ball", LAST_GAP, Lhat / 2 * (2 * WIDE.symbol + R_1) ** 2),
    ("no_rise", LAST_GAP, D),
    ("no_rise", LAST_GRADIENT, 2 * Lhat * D),
    ("bounded", LEAST_GRADIENT, G**2),
    ("bounded", AVERAGE_GRADIENT, G**2),
)
_LONG = (Fraction(1), Fraction(3, 2), Fraction(5, 2), Fraction(4))


def _bounded(
    name: str,
    measure: PerformanceMeasure,
    most: sp.Expr,
    share: Fraction,
    factor: Fraction,
    other: sp.Expr | None,
    has_solver: bool = True,
) -> Recipe:
    """A bound that the hypothesis is, at a step of share/ℓ; or the smaller of it and another that is true."""
    more = BOUNDED_GRADIENT if name == "bounded" else stated(name, worst=Worst() if has_solver else None)
    is_far = most.has(R_1) or measure == LAST_DISTANCE
    start = "classic.near_minimiser" if is_far else "jiang2024.bounded_below"
    hypotheses = (catalogue["classic.smooth_everywhere"], catalogue[start], more.claim)
    formula = most if other is None else sp.Min(most, other)
    quantities = (
        Quantity(Lhat, catalogue["nesterov2004.gradient_descent"].quantities[0].expression, "smoothness of F"),
        Quantity(alpha, rational(share) / Lhat, "step size"),
        Quantity(bound, rational(factor) * formula),
    )
    claim = theorem(
        f"engines.trivial_{name}",
        "A bound that a hypothesis gives",
        "boundcheck",
        r"\text{for every } T",
        hypotheses,
        quantities,
        # Without T, and D or R_1, it would be no theorem of which there is a worst case.
        (sp.Ge(T, 1, evaluate=False), sp.Gt(R_1 if is_far else D, 0, evaluate=False)),
        algorithm=GRADIENT_DESCENT,
        measure=measure,
    )
    claim = _named(claim, measure.id, share, factor, other is not None, has_solver)
    why = "the hypothesis gives the bound at every iterate"
    why += " and the other is that of Abbaszadehpeivasti, de Klerk and Zamani" if other is not None else ""
    change = f"{factor} {formula} under {more.claim.id}, at the step {share}/ℓ"
    assumed = (*map(of_catalogue, hypotheses[:2]), more)
    follow = descended(share)
    return Recipe(
        "trivial bound",
        change,
        f"engines.{name}",
        claim,
        assumed,
        _true(factor, why),
        follow,
        lambda steps: bare(steps, follow) if steps > 1 else _first(follow),
        # The gradient of F is that of f, which the hypothesis bounds, where W is v.
        adapter="full" if name == "bounded" else "",
    )


def _first(follow: Follow) -> Iterator[Walk]:
    yield run("F = x²/2", parabola(1), 1, follow, 1)
    yield run("a Huber function", huber(1, Fraction(1)), 1, follow, 1)
    yield from bare(1, follow)
