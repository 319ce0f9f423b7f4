"""Theorems whose truth is known: at c times their constants, under more, fewer and other
hypotheses.

A claim is true because another is and it says no more; it is false because an exact run that meets
all of its hypotheses breaks it. Of one that is neither shown, engines are only held against each
other. A constant is the catalogue's, which a proof or an argument carries, or one of those here,
each with its source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial
from itertools import pairwise, product
from typing import Any, NamedTuple

import sympy as sp

from boundcheck.language import hypotheses as words
from boundcheck.language import measures
from boundcheck.language.algorithms import GRADIENT_DESCENT
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import EVERY_T, Claim, Quantity, Statement, for_all
from boundcheck.language.sentence import algorithm_of, theorem
from boundcheck.language.symbols import (
    R_1,
    D,
    G,
    Lhat,
    Parameter,
    T,
    alpha,
    bound,
    ell,
    f_star,
    mu_F,
)
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    F,
    Gradient,
    Value,
    W,
    t,
    v,
    v1,
    v2,
    v_first,
    v_star,
    v_t,
)
from boundcheck.proof import Proof, Script, script
from soundness.edits import written_out
from soundness.engines import (
    Examined,
    Follow,
    Numbers,
    Walk,
    accelerated,
    between,
    descended,
    examined,
    model_of_walk,
    run,
    unmoved,
    with_momentum,
)
from soundness.exact_model import Curve, fractions, hill, huber, kink, parabola, teeth

Holds = Callable[[Walk], bool]
Walks = Callable[[int], Iterator[Walk]]
_ONE, _HALF = fractions("1 1/2")


# Hypotheses: what each says of an exact run is decided by itself, from its statement, whatever its
# word may be


@dataclass(frozen=True)
class Assumed:
    """A hypothesis.

    Attributes:
        claim: its statement and its word.
        holds: whether the statement holds on a run, whose numbers include those below.
        numbers: the least values of its own letters with which it holds on a run.
        is_exact: whether the statement fails wherever `holds` says no, which may ask for more than
            it.

    """

    claim: Claim
    holds: Holds
    numbers: Callable[[Walk], Numbers] = lambda walk: {}
    is_exact: bool = True


# What a hypothesis with a constant says of a run, at a multiple of it; by its letter.
_HELD: dict[sp.Symbol, Callable[..., bool]] = {
    ell: lambda walk, factor=_ONE: walk.curve.smoothness <= factor * walk.numbers["ell"],
    mu_F: lambda walk, factor=_ONE: min(walk.curve.curvatures) >= factor * walk.numbers["mu_F"],
    D: (
        lambda walk, factor=_ONE: (
            walk.curve.is_least_at_0 and walk.gap <= factor * walk.numbers["D"]
        )
    ),
    R_1: (
        lambda walk, factor=_ONE: (
            walk.curve.is_least_at_0 and abs(walk.points[0]) <= factor * walk.numbers["R_1"]
        )
    ),
}
# What the catalogue's hypotheses say of a run without noise, where the statement fails wherever
# this says no; and what asks for more than the statement.
_EXACTLY: dict[str, Holds] = {
    "classic.smooth_everywhere": _HELD[ell],
    "classic.convex": lambda walk: min(walk.curve.curvatures) >= 0,
    "classic.strongly_convex_everywhere": _HELD[mu_F],
    "classic.near_minimiser": _HELD[R_1],
    "jiang2024.bounded_below": _HELD[D],
}
_MORE: dict[str, Holds] = {
    "classic.smooth": lambda walk: walk.smoothness <= walk.numbers["ell"],
    "classic.smooth_around": lambda walk: walk.smoothness <= walk.numbers["ell"],
    "classic.strongly_convex": _HELD[mu_F],
    "jiang2024.assumption4": lambda walk: True,
    "meft.unbiased": lambda walk: True,
    # Where nothing is drawn E‖g‖² is ‖∇F‖².
    "classic.abc": lambda walk: walk.numbers["abc_b"] >= 1,
    # Of a strongly convex F it follows.
    "bottou2018.pl": _HELD[mu_F],
}


def of_catalogue(hypothesis: Claim) -> Assumed:
    """A hypothesis of the catalogue. What is decided nowhere here holds on no run: no claim is
    shown false by it.
    """
    id = hypothesis.id
    holds = (_EXACTLY | _MORE).get(id, lambda walk: False)
    return Assumed(hypothesis, holds, is_exact=id in _EXACTLY)


BOUNDED_GRADIENT = Assumed(
    catalogue["jiang2024.assumption3.2"],
    # F' is constant beyond both ends.
    lambda walk: (
        walk.curve.curvatures[0] == walk.curve.curvatures[-1] == 0
        and walk.curve.steepest <= walk.numbers["G"]
    ),
    lambda walk: {"G": walk.curve.steepest},
)
_OTHERS = (
    "classic.convex",
    "classic.smooth_everywhere",
    "meft.ball",
    "meft.unbiased",
    "jiang2024.unbiased",
)
OTHERS = (BOUNDED_GRADIENT, *(of_catalogue(catalogue[id]) for id in _OTHERS))

# Hypotheses about iterates

STEEP, LOW, FAR, WIDE = (
    Parameter(sp.Symbol(name, positive=True), "positive real", f"bound on the {meaning}")
    for name, meaning in (
        ("steep_0", "gradient at each iterate"),
        ("low_0", "gap at each iterate"),
        ("far_0", "distance of each iterate to a minimiser"),
        ("wide_0", "norm of each iterate"),
    )
)
# What each bounds: its title, the letter, the expression, and that of a run at a point. The
# minimiser is 0.
_BOUNDED: dict[str, tuple[str, Parameter, sp.Expr, Callable[[Walk, Fraction], Fraction]]] = {
    "not_steep": (
        "The gradient is bounded at each iterate",
        *(STEEP, EuclideanNorm(Gradient(F, v_t)), lambda walk, x: abs(walk.curve.slope(x))),
    ),
    "low": (
        "The gap is bounded at each iterate",
        *(LOW, Value(F, v_t) - f_star, lambda walk, x: walk.curve.value(x)),
    ),
    "not_far": (
        "The distance to a minimiser is bounded at each iterate",
        *(FAR, EuclideanNorm(v_t - v_star), lambda walk, x: abs(x)),
    ),
    "in_a_ball": ("The iterates stay in a ball", WIDE, EuclideanNorm(v_t), lambda walk, x: abs(x)),
}
STATED = ("no_rise", *_BOUNDED)
"""The names of `stated` hypotheses."""
# It asks nothing of F.
_NOTHING = words.Worst()


def stated(name: str, worst: words.Worst | None = _NOTHING, has_word: bool = True) -> Assumed:
    """One of the hypotheses about iterates, in a word of its own that asks nothing of F, or that no
    solver states.
    """
    declared: tuple[Parameter, ...] = ()
    if name == "no_rise":
        title = "F does not rise"
        relation = sp.Le(Value(F, v_t.xreplace({t: t + 1})), Value(F, v_t))
    else:
        title, letter, expression, size = _BOUNDED[name]
        declared = (letter,)
        relation = sp.Le(expression, letter.symbol)
    always = for_all(t)
    symbols = tuple(each.symbol for each in declared)
    word = words.Hypothesis(
        f"engines_{name}", title, symbols, worst=worst, says=(Statement(relation, always),)
    )
    named = word if has_word else None
    claim = Claim(
        f"engines.{name}", title, "boundcheck", relation, always, declared=declared, word=named
    )

    def does_not_rise(walk: Walk) -> bool:
        return walk.is_whole and all(
            walk.curve.value(y) <= walk.curve.value(x) for x, y in pairwise(walk.points)
        )

    def largest(walk: Walk) -> Fraction:
        return max(size(walk, x) for x in walk.seen)

    def is_bounded(walk: Walk) -> bool:
        return len(walk.points) >= walk.steps and largest(walk) <= walk.numbers[letter.name]

    if name == "no_rise":
        return Assumed(claim, does_not_rise)
    return Assumed(claim, is_bounded, lambda walk: {letter.name: largest(walk)})


class Edited(NamedTuple):
    """A hypothesis of the catalogue under its word with another statement.

    Attributes:
        change: in words.
        of: the hypothesis.
        fields: its other statement, and an id of its own.
        holds: whether that holds on a run.
        letter: the constant that is another.
        is_stronger: whether it says more than the word.

    """

    change: str
    of: Claim
    fields: Mapping[str, Any]
    holds: Holds
    letter: sp.Symbol
    is_stronger: bool


def own_id(hypothesis: Claim) -> str:
    """An id for another version of a hypothesis of the catalogue."""
    return f"engines.{hypothesis.id.replace('.', '_')}"


def edited(hypothesis: Claim) -> Iterator[Edited]:
    """Other statements under the word of a hypothesis of the catalogue: with half, and with twice,
    its constant.
    """
    says = hypothesis.conclusion
    id = own_id(hypothesis)
    if hypothesis.id == "jiang2024.bounded_below":
        fields = {"id": id, "conclusion": sp.And(says, sp.Le(Value(F, v_first) - f_star, D / 2))}
        yield Edited(
            f"{hypothesis.id}, and D/2",
            hypothesis,
            fields,
            partial(_HELD[D], factor=_HALF),
            D,
            True,
        )
        return
    letters = (ell, R_1, mu_F) if hypothesis.id.startswith("classic") else (ell, R_1)
    letter = next((x for x in letters if x in says.free_symbols), None)
    for factor in (_HALF, Fraction(2)) if letter is not None else ():
        fields = {"id": id, "conclusion": says.xreplace({letter: rational(factor) * letter})}
        # Of μ a larger one says more.
        is_stronger = (factor < 1) == (letter != mu_F)
        change = f"{hypothesis.id} of {factor} {letter}"
        holds = partial(_HELD[letter], factor=factor)
        yield Edited(change, hypothesis, fields, holds, letter, is_stronger)


def exchanged(claim: Claim, old: Claim, fields: Mapping[str, Any], **changes: Any) -> Claim:
    """The claim with other fields of one of its hypotheses, and of its own; it may refuse to be
    made so.
    """
    new = replace(old, **fields)
    return replace(
        claim, hypotheses=tuple(new if x is old else x for x in claim.hypotheses), **changes
    )


# Theorems, as they are and changed

LAST_GRADIENT = measures.PerformanceMeasure(
    "engines_last_gradient",
    "last squared gradient norm",
    measures.Statistic.LAST,
    measures.SQUARED_GRADIENT,
)
HORIZONS = (1, 2, 3, 8)
# What a measure comes to on a run.
MEASURED: dict[object, Callable[[Walk], Fraction]] = {
    measures.LEAST_GRADIENT: lambda walk: min(walk.squares),
    measures.AVERAGE_GRADIENT: lambda walk: sum(walk.squares, Fraction(0)) / walk.steps,
    LAST_GRADIENT: lambda walk: walk.squares[-1],
    measures.AVERAGE_GAP: (
        lambda walk: sum(map(walk.curve.value, walk.seen), Fraction(0)) / walk.steps
    ),
    measures.LAST_GAP: lambda walk: walk.curve.value(walk.seen[-1]),
    measures.LAST_DISTANCE: lambda walk: walk.seen[-1] ** 2,
}


def rational(x: Fraction) -> sp.Rational:
    """The number, as sympy has it."""
    return sp.Rational(*x.as_integer_ratio())


def limit(claim: Claim, numbers: Numbers) -> sp.Expr:
    """The bound of a claim at these numbers, exactly."""
    formula = written_out(claim.quantities[-1].expression, claim.quantities[:-1])
    return formula.xreplace({x: rational(numbers[x.name]) for x in formula.free_symbols}).doit()


def speaks_of(claim: Claim, numbers: Numbers) -> bool:
    """True if each letter of a claim is positive, as it has to be, and its conditions hold at these
    numbers.
    """
    if not all(numbers[each.name] > 0 for each in claim.parameters):
        return False
    relations = [written_out(x, claim.quantities) for x in claim.conditions]
    return all(
        x.xreplace({y: rational(numbers[y.name]) for y in x.free_symbols}).doit() == sp.true
        for x in relations
    )


@dataclass(frozen=True)
class Recipe:
    """A theorem, and what is known about it.

    Attributes:
        claim: what is said, of hypotheses of which nothing is edited: its bound, conditions,
            algorithm and measure.
        assumed: the hypotheses as they are stated in the end.
        why: why it is true; empty where it is not known to be.
        follow: its algorithm on a curve.
        walks: for a T the runs on which its measure is large, and which may show it to be false.
        original: the same under the id of the catalogue's theorem that it is, whose own proof
            script is tried on it.
        subject: the theorem that was changed.
        kind, change: as in a `Trial`.
        edit: makes the claim that engines get; it may raise, where a claim refuses to be made so.
        factor: of a theorem of which nothing else is changed the multiple of its constant, which
            brackets are held to.
        adapter: the only one by which instances may be drawn; any where it is empty.

    """

    claim: Claim
    assumed: tuple[Assumed, ...]
    why: str
    follow: Follow
    walks: Walks
    original: Claim | None = None
    subject: str = ""
    kind: str = ""
    change: str = ""
    edit: Callable[[Claim], Claim] = lambda claim: claim
    factor: Fraction | None = None
    adapter: str = ""

    def with_least(self, walk: Walk) -> Walk:
        """A run with the least values of the letters of the hypotheses."""
        numbers = dict(walk.numbers)
        for each in self.assumed:
            numbers |= each.numbers(walk)
        return replace(walk, numbers=numbers)

    def cheat(self, turn: int) -> Walk | None:
        """A run on which the bound fails, that does not follow the algorithm, or is too steep, or
        states too small a D.

        Of a claim that is true; None where there is none, or a letter is unknown there.
        """
        walk = next((walk for walk in self.walks(3) if walk.is_whole), None)
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

    def worst(
        self, steps: int, broken: Walk | None = None
    ) -> tuple[Fraction | None, Fraction | None]:
        """The shares of the bound between which its worst case is at this T; None where nothing is
        known.

        It is no more than the constant, and no less where a run attains that whatever the letters
        are. It is no less either than on the run that breaks the bound.
        """
        names = {x.name for x in self.claim.parameters}
        if broken is not None and broken.steps == steps and names <= {"ell", "D", "R_1", "T"}:
            share = rational(MEASURED[self.claim.measure](broken)) / limit(
                self.claim, broken.numbers
            )
            return (Fraction(str(share)) if share.is_Rational else None), None
        if self.factor is None:
            return None, None
        most = 1 / self.factor
        measured = MEASURED.get(self.claim.measure)
        if measured and {"ell", "D", "R_1", "mu_F", "T"}.issuperset(
            x.name for x in self.claim.parameters
        ):
            for walk in self.walks(steps):
                if rational(measured(walk) * self.factor) == limit(self.claim, walk.numbers):
                    return most, most
        return None, most

    def is_met(self, walk: Walk) -> bool | None:
        """True if a run meets the claim, as its hypotheses are stated; None where that is not
        decided here.
        """
        if not walk.is_whole:
            return None
        if walk.points != walk.followed(self.follow):
            return False
        if any(each.is_exact and not each.holds(walk) for each in self.assumed):
            return False
        met = all(each.holds(walk) for each in self.assumed) and speaks_of(self.claim, walk.numbers)
        return True if met else None

    def broken_by(self) -> Walk | None:
        """A run that meets every hypothesis and condition, and exceeds the bound; None where none
        is found.
        """
        measured = MEASURED.get(self.claim.measure)
        if self.why or measured is None:
            return None
        for walk in (
            walk
            for steps in HORIZONS
            for walk in self.walks(steps)
            if len(walk.points) >= walk.steps
        ):
            found = self.with_least(walk)
            if (
                all(each.holds(found) for each in self.assumed)
                and speaks_of(self.claim, found.numbers)
                and rational(measured(found)) > limit(self.claim, found.numbers)
            ):
                return found
        return None

    def examined(self, turn: int) -> Examined:
        """The theorem with what is known of it, as engines are asked about it."""
        broken = self.broken_by()
        why = self.why or (
            str(broken) if broken else "nothing is known of it: engines are held against each other"
        )
        against = broken if broken is not None and broken.is_whole else self.cheat(turn)
        # The T of the run that breaks it, else one of the first few that it speaks of.
        algorithm = algorithm_of(self.claim)
        most = 2 if algorithm is not None and algorithm.is_stochastic else 3
        conditions = self.claim.conditions
        least = max(
            (int(x.rhs) for x in conditions if str(x.lhs) == "T" and x.rhs.is_Integer), default=1
        )
        steps = (
            broken.steps
            if broken is not None and broken.steps <= 3
            else max(least, 1 + turn % most)
        )
        return examined(
            self.kind,
            self.change,
            self.subject,
            broken is None,
            why,
            partial(self.edit, self.claim),
            is_known=bool(self.why) or broken is not None,
            steps=steps,
            worst=self.worst(steps, broken),
            adapter=self.adapter,
            script=None if against is None else partial(refuting, walk=against),
            run=against,
            original=self.original,
            meets=None if against is None else self.is_met(against),
        )


def refuting(claim: Claim, walk: Walk) -> Script:
    """A printed proof whose one line is the claim, that assumes each hypothesis where its letters
    are, and no more.
    """
    letters = {
        x for each in (claim, *claim.hypotheses) for x in each.conclusion.atoms(sp.MatrixSymbol)
    }
    points = {v_star, v1, v2, W, *(x for x in letters if x.shape in {v.shape, W.shape} and x != v)}
    witness = model_of_walk(walk, claim, {str(x) for x in points}).witness

    def build(proof: Proof) -> None:
        for assumed in (*claim.hypotheses, *claim.conditions):
            proof.assume(assumed)
        for quantity in claim.quantities:
            proof.quantity(quantity)
        proof.step("the claim", claim.conclusion, witness=witness)

    return script(claim, "printed", is_statement=True)(build)


# Runs on which a measure is large

_GIVEN = catalogue["nesterov2004.gradient_descent"].quantities[0]
_NONCONVEX = catalogue["nesterov2004.gradient_descent"].hypotheses
_CONVEX = (catalogue["classic.smooth_everywhere"], catalogue["classic.convex"], _NONCONVEX[1])
_NEAR = catalogue["su2016.nesterov"].hypotheses
_EVERYWHERE = catalogue["classic.smooth_everywhere"]
_LOCAL = (catalogue["classic.smooth"], catalogue["classic.smooth_around"])
_STRONG = catalogue["nesterov2004.theorem2_1_15"].hypotheses


def _walks(
    about: str,
    start: Callable[[int], tuple[Curve, Fraction]],
    follow: Follow,
    **numbers: Fraction | int,
) -> Walks:
    """For a T the run from the curve and v_1 that `start` says; where nothing follows v_1, for T =
    1 alone.
    """

    def walks(steps: int) -> Iterator[Walk]:
        if follow is not unmoved or steps == 1:
            curve, first = start(steps)
            yield run(about, curve, first, follow, steps, **numbers)

    return walks


def _parabolas(
    follow: Follow, curvature: Fraction = _ONE, about: str = "F = x²/2", **numbers: Fraction | int
) -> Walks:
    return _walks(about, lambda steps: (parabola(curvature), _ONE), follow, **numbers)


def _teeth(share: Fraction) -> Walks:
    """The gradient is 1 at all iterates: the worst function of Abbaszadehpeivasti, de Klerk and
    Zamani, share ≤ 1.
    """
    about = "F' = 1 at each iterate and less between"
    curve = partial(teeth, _ONE, share)
    return _walks(
        about, lambda steps: (curve(steps - 1), _ONE + share * (steps - 1)), descended(share)
    )


def _hubers(share: Fraction = _ONE, is_far: bool = False) -> Walks:
    """F' is the same at all iterates: at the last one, x = 1, its parabola begins; or farther, as
    the gap wants it.
    """
    step = share * (2 if is_far else 1)
    return _walks(
        "a Huber function", lambda steps: (huber(1, _ONE), 1 + step * (steps - 1)), descended(share)
    )


def bare(steps: int, follow: Follow, **numbers: Fraction | int) -> Iterator[Walk]:
    """Runs that break a hypothesis and little else: F that is steeper, not convex, flat, or starts
    farther away.
    """
    yield run("F = 16 x²/2", parabola(16), 1, follow, steps, **numbers)
    yield run("F = x²/2", parabola(1), 4, follow, steps, **numbers)
    yield run("F that is flat at v_1", hill(1, _ONE), 1, follow, steps, **numbers)
    yield run("F = 0", parabola(0), 1, follow, steps, **numbers)


def _kinks(each: Recipe) -> Walks:
    """The runs of a theorem, and some that end before the kink of their F."""

    def walks(steps: int) -> Iterator[Walk]:
        yield from each.walks(steps)
        if {"ell", "D", "R_1", "T"}.issuperset(x.name for x in each.claim.parameters):
            for slope in (Fraction(99, 100 * steps), Fraction(99, 50 * steps)):
                yield run("F = G|x|, nearly", kink(slope), 1, each.follow, steps)

    return walks


def _both(each: Recipe) -> Walks:
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


# Theorems at a constant that is known


def _of(
    name: str,
    why: str,
    hypotheses: tuple[Claim, ...],
    measure: measures.PerformanceMeasure,
    sharp: sp.Expr,
    walks: Walks,
    share: sp.Expr | int = 1,
    conditions: tuple[sp.core.relational.Relational, ...] = (),
    follow: Follow | None = None,
) -> Recipe:
    """Gradient descent at the step share/ℓ."""
    quantities = (_GIVEN, Quantity(alpha, share / Lhat, "step size"), Quantity(bound, sharp))
    said = (
        f"engines.{name}",
        name,
        why,
        EVERY_T,
        hypotheses,
        quantities,
        conditions,
    )
    claim = theorem(*said, algorithm=GRADIENT_DESCENT, measure=measure)
    follow = follow or descended(Fraction(str(share)))
    return Recipe(claim, tuple(map(of_catalogue, hypotheses)), why, follow, walks, subject=claim.id)


def _theirs(id: str, follow: Follow, walks: Walks) -> Recipe:
    """A theorem of the catalogue, under an id of its own."""
    theirs = catalogue[id]
    claim = replace(theirs, id=f"engines.{id.replace('.', '_')}")
    assumed = tuple(map(of_catalogue, claim.hypotheses))
    return Recipe(claim, assumed, f"{id} is true", follow, walks, theirs, claim.id)


_SHARP = (
    "Abbaszadehpeivasti, de Klerk and Zamani 2022: 4LD/((T - 1)(4h - h²) + 2) at the step h/L,"
    " h ≤ 1"
)
_FALLS = "F falls by ‖∇F(v_t)‖²/(2L) or more at each step, and F(v_T) - f* ≥ ‖∇F(v_T)‖²/(2L)"
_TWICE = (
    "of convex F, F(v_t) - F(v_{t+1}) ≥ (‖∇F(v_t)‖² + ‖∇F(v_{t+1})‖²)/(2L), and F(v_T) - f* ≥"
    " ‖∇F(v_T)‖²/(2L); gradients do not grow"
)
_DRORI = "Drori and Teboulle 2014, Theorem 3.1: LR²/(4(T - 1)h + 2) at the step h/L, h ≤ 1"
_NO_FARTHER = "a step of 1/L is no expansion where F is convex"
_SHRINKS = "each step shrinks the distance by (L - μ)/(L + μ), Nesterov 2004, Theorem 2.1.15"
_SHRINKS_SLOWER = "each step of 1/L shrinks the distance by 1 - μ/L, as of I - αH with μ ≤ H ≤ L"
_STOCHASTIC = (
    *(
        "ghadimi2013.corollary2_2",
        "khaled2020.bounded_variance",
        "khaled2020.theorem2",
        "meft.theorem2_any_step",
    ),
    *(
        "bottou2018.theorem4_8",
        "bottou2018.contraction",
        "bottou2018.theorem4_6",
        "bottou2018.convex_average",
    ),
    "meft.theorem2_everywhere",
)


@cache
def known() -> tuple[Recipe, ...]:
    """All theorems whose constants are known, in an order that never changes."""
    least = measures.LEAST_GRADIENT
    average = measures.AVERAGE_GRADIENT
    gap = measures.LAST_GAP
    distance = measures.LAST_DISTANCE
    third = Fraction(1, 3)
    tiny = Fraction(1, 10**4)
    falling = _parabolas(descended(1))
    far_half = _hubers(_HALF, is_far=True)
    # F = 0 has no gradient.
    flat = _parabolas(descended(1), Fraction(0), "F = 0")
    top = _parabolas(between, _ONE, "F = 1 x²/2", mu_F=third)
    bottom = _parabolas(descended(1), third, "F = 1/3 x²/2", mu_F=third)
    once = _parabolas(unmoved, zeta=tiny, abc_a=tiny, abc_b=1, abc_c=tiny**2, eta=1, mu_F=third)
    left = ((Lhat - mu_F) / (Lhat + mu_F)) ** (2 * T - 2)
    narrow = (sp.Lt(mu_F, Lhat),)
    narrowed = {"share": 2 * Lhat / (Lhat + mu_F), "conditions": narrow, "follow": between}
    half_step = 4 * Lhat * D / (sp.Rational(7, 4) * (T - 1) + 2)
    at_one = (1 - mu_F / Lhat) ** (2 * T - 2) * R_1**2
    twice = 2 * Lhat * D / (2 * T - 1)
    return (
        _of("least", _SHARP, _NONCONVEX, least, 4 * Lhat * D / (3 * T - 1), _teeth(_ONE)),
        _of("least_half", _SHARP, _NONCONVEX, least, half_step, _teeth(_HALF), sp.S.Half),
        _of("average", _FALLS, _NONCONVEX, average, 2 * Lhat * D / T, falling),
        _of("convex_least", _TWICE, _CONVEX, least, twice, _hubers()),
        _of("convex_last", _TWICE, _CONVEX, LAST_GRADIENT, twice, _hubers()),
        _of("convex_average", _FALLS, _CONVEX, average, 2 * Lhat * D / T, falling),
        _of("convex_gap_half", _DRORI, _NEAR, gap, Lhat * R_1**2 / (2 * T), far_half, sp.S.Half),
        _of("convex_distance", _NO_FARTHER, _NEAR, distance, R_1**2, flat),
        _of("strong_gap", _SHRINKS, _STRONG, gap, Lhat / 2 * left * R_1**2, top, **narrowed),
        _of(
            "strong_gradient",
            _SHRINKS,
            _STRONG,
            LAST_GRADIENT,
            Lhat**2 * left * R_1**2,
            top,
            **narrowed,
        ),
        _of(
            "strong_distance_at_1",
            _SHRINKS_SLOWER,
            _STRONG,
            distance,
            at_one,
            bottom,
            conditions=narrow,
        ),
        _theirs("nesterov2004.gradient_descent", descended(1), falling),
        _theirs("abbaszadehpeivasti2022.best_step", unmoved, _parabolas(unmoved)),
        _theirs("drori2014.gradient_descent", descended(1), _hubers(is_far=True)),
        _theirs("su2016.nesterov", accelerated, _parabolas(accelerated)),
        _theirs("nesterov2004.theorem2_1_15", between, top),
        _theirs("nesterov2004.strongly_convex", between, top),
        *(
            _theirs(id, with_momentum, _parabolas(with_momentum, beta=tiny, eta=1 - tiny))
            for id in ("classic.heavy_ball", "classic.heavy_ball_short_step")
        ),
        _theirs("ward2019.adagrad_norm", unmoved, _parabolas(unmoved, eta=10**4, delta=10**4)),
        *(_theirs(id, unmoved, once) for id in _STOCHASTIC),
    )


# Theorems that are changed


def times(claim: Claim, factor: Fraction) -> Claim:
    """The claim with a multiple of its bound."""
    last = claim.quantities[-1]
    scaled = replace(last, expression=rational(factor) * last.expression)
    return replace(claim, quantities=(*claim.quantities[:-1], scaled), argument="", unproved="")


def _named(claim: Claim, *parts: object) -> Claim:
    """The claim under an id that says what was changed, so that no other claim has it."""
    text = "_".join("".join(c if c.isalnum() else "_" for c in str(part)) for part in parts)
    return replace(claim, id=f"{claim.id}.{text}")


def _true(factor: Fraction, why: str) -> str:
    return f"{why}, and {factor} is no less than 1" if factor >= 1 else ""


def _at(
    each: Recipe,
    factor: Fraction,
    kind: str,
    said: str = "",
    tag: tuple[object, ...] = (),
    fields: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Recipe:
    """A theorem at a multiple of its constant, with these fields of its claim and of what is known
    of it changed.
    """
    made = _named(replace(times(each.claim, factor), **(fields or {})), factor, *tag)
    own: dict[str, Any] = {
        "kind": kind,
        "change": f"{factor} of the bound{said}",
        "claim": made,
        "original": None,
    }
    return replace(each, **own | {"why": _true(factor, each.why)} | changes)


FACTORS = fractions("1/4 1/2 3/4 9/10 99/100 999/1000 1 1001/1000 101/100 5/4 2 5")
_FEW = fractions("1/2 9/10 99/100 1 2")
_PAIR = fractions("9/10 1")
_RESTATED = fractions("1/2 1/4 3/4 1 2")
_UNDER_AN_ID = fractions("1/2 9/10 2")
_LONG = fractions("1 3/2 5/2 4")
_FOREIGN: tuple[words.Hypothesis, ...] = (
    *(words.UNBIASED, words.CONVEX, words.SMOOTH_EVERYWHERE, words.BOUNDED_BELOW),
    words.HYPOTHESES["bounded_gradient"],
)
_MEASURES = (
    measures.LEAST_GRADIENT,
    measures.AVERAGE_GRADIENT,
    measures.LAST_GAP,
    measures.LAST_DISTANCE,
)


def recipes() -> Iterator[Callable[[], Recipe]]:
    """Every theorem, to be made when it is its turn; in an order that never changes."""
    for each in known():
        yield from _changed(each)
    for turn, (name, measure, most) in enumerate(_TRIVIAL):
        for share, factor in product(_LONG, _FEW):
            yield partial(_bounded, name, measure, most, share, factor)
        for factor in _FEW if measure == measures.LEAST_GRADIENT else ():
            yield partial(_bounded, name, measure, most, _ONE, factor, 4 * Lhat * D / (3 * T - 1))
        yield partial(_bounded, name, measure, most, _LONG[turn % 4], _ONE, has_solver=False)
    theorems = {each.original.id: each for each in known() if each.original}
    drori = theorems["drori2014.gradient_descent"]
    nesterov = theorems["su2016.nesterov"]
    for factor, (each, other) in product(FACTORS, ((nesterov, drori), (drori, nesterov))):
        # The bound of one algorithm, said of another.
        said = f", of the algorithm of {other.claim.id}"
        fields = {"algorithm": other.claim.algorithm}
        changes = {"why": "", "follow": other.follow, "walks": other.walks}
        yield partial(
            _at, each, factor, "algorithm exchanged", said, ("by another",), fields, **changes
        )


def _changed(each: Recipe) -> Iterator[Callable[[], Recipe]]:
    """Every change of a theorem."""
    claim = each.claim
    at = partial(partial, _at, each)
    both = _both(each)
    hypotheses = claim.hypotheses
    conditions = claim.conditions
    for factor in FACTORS:
        yield partial(_constant, each, factor)
    for factor, least in product(_FEW, (2, 3)):
        fields: dict[str, Any] = {"conditions": (*conditions, sp.Ge(T, least, evaluate=False))}
        yield at(factor, "condition added", f", from T = {least} on", ("from", least), fields)
    for factor, (place, gone) in product(_PAIR, enumerate(conditions)):
        fields = {"conditions": tuple(x for x in conditions if x is not gone)}
        yield at(
            factor,
            "condition dropped",
            f", without {gone}",
            ("without", place),
            fields,
            why="",
            walks=both,
        )
    more = [(factor, stated(name), "") for name, factor in product(STATED, _FEW)]
    for name in STATED:
        more.append((_ONE, stated(name, worst=None), "no solver"))
        more.append((_ONE, stated(name, has_word=False), "no word"))
    more += [
        (factor, other, "")
        for other, factor in product(OTHERS, _PAIR)
        if other.claim not in hypotheses
    ]
    for factor, other, lacks in more:
        said = f", under {other.claim.id} besides" + (f", which has {lacks}" if lacks else "")
        fields = {"hypotheses": (*hypotheses, other.claim)}
        assumed = (*each.assumed, other)
        yield at(factor, "hypothesis added", said, (other.claim.id, lacks), fields, assumed=assumed)
    # Smooth along the iterates alone, F is no member of the class on all of space.
    for factor, local in product(_PAIR if _EVERYWHERE in hypotheses else (), _LOCAL):
        exchanged_for = tuple(local if x is _EVERYWHERE else x for x in hypotheses)
        given = (f", under {local.id}", ("under", local.id), {"hypotheses": exchanged_for})
        assumed = tuple(map(of_catalogue, exchanged_for))
        yield at(factor, "smooth in a part", *given, why="", assumed=assumed, walks=_kinks(each))
    for factor, lost in product((_ONE, Fraction(2)), hypotheses):
        fields = {"hypotheses": tuple(x for x in hypotheses if x is not lost)}
        given = (f", without {lost.id}", ("without", lost.id), fields)
        assumed = tuple(x for x in each.assumed if x.claim is not lost)
        yield at(factor, "hypothesis dropped", *given, why="", assumed=assumed, walks=both)
    for hypothesis in hypotheses:
        for change, factor in product(list(edited(hypothesis)), _RESTATED):
            yield partial(_restated, each, factor, change)
    # The word of another hypothesis, under the id of the catalogue or one of its own.
    for (place, hypothesis), (turn, word) in product(enumerate(hypotheses), enumerate(_FOREIGN)):
        if word != hypothesis.word:
            id = hypothesis.id if (turn + place) % 3 > 0 else own_id(hypothesis)
            said = f", {hypothesis.id} with the word {word.id} under {id}"
            tag = (
                "misnamed",
                id,
                word.id,
            )
            edit = partial(exchanged, old=hypothesis, fields={"id": id, "word": word})
            yield at(_PAIR[turn % 2], "word beside its statement", said, tag, edit=edit)
    # The word of another measure beside the conclusion.
    for turn, measure in enumerate(_MEASURES):
        if measure != claim.measure:
            said = f", with the measure {measure.id} beside its conclusion"
            edit = partial(replace, measure=measure)
            yield at(
                _PAIR[turn % 2],
                "measure beside its statement",
                said,
                ("measured", measure.id),
                edit=edit,
            )
    # The claim, and a hypothesis, under the id of another one of the catalogue.
    for factor in _UNDER_AN_ID:
        id = "drori2014.gradient_descent"
        yield at(
            factor,
            "id of another claim",
            f", under {id}",
            ("under", id),
            edit=partial(replace, id=id),
        )
    for turn, hypothesis in enumerate(hypotheses):
        id = "classic.convex" if hypothesis.id != "classic.convex" else "classic.near_minimiser"
        said = f", {hypothesis.id} under {id}"
        edit = partial(exchanged, old=hypothesis, fields={"id": id})
        yield at(
            _PAIR[turn % 2], "id of another hypothesis", said, ("id", hypothesis.id), edit=edit
        )


def _constant(each: Recipe, factor: Fraction) -> Recipe:
    theirs = each.original and times(each.original, factor)
    return replace(_at(each, factor, "constant"), factor=factor, original=theirs)


def _restated(each: Recipe, factor: Fraction, change: Edited) -> Recipe:
    """A hypothesis says another thing than its word."""
    said = f", with {change.change} under its word"
    letter = change.letter
    why = ""
    if change.is_stronger:
        # By what share a bound shrinks where a letter, which nothing else has, is half as large: D,
        # and R_1 whose square is in it; 1 where that is not known.
        last = each.claim.quantities[-1].expression
        share = {D: _HALF, R_1: Fraction(1, 4)}.get(letter, _ONE)
        elsewhere = any(x.expression.has(letter) for x in each.claim.quantities[:-1])
        if (
            elsewhere
            or sp.simplify(last.xreplace({letter: letter / 2}) - rational(share) * last) != 0
        ):
            share = _ONE
        if factor >= share:
            why = (
                f"{each.why}, and {letter} is half of what the bound has, or a hypothesis is"
                " stronger"
            )
    assumed = tuple(
        Assumed(x.claim, change.holds) if x.claim is change.of else x for x in each.assumed
    )
    edit = partial(exchanged, old=change.of, fields=change.fields)
    tag = ("restated", change.change)
    made = _at(each, factor, "statement beside its word", said, tag)
    return replace(made, why=why, assumed=assumed, walks=_both(each), edit=edit)


# Bounds that a hypothesis about the iterates gives by itself, whatever is done

_TRIVIAL: tuple[tuple[str, measures.PerformanceMeasure, sp.Expr], ...] = (
    ("not_steep", measures.LEAST_GRADIENT, STEEP.symbol**2),
    ("not_steep", measures.AVERAGE_GRADIENT, STEEP.symbol**2),
    ("not_steep", LAST_GRADIENT, STEEP.symbol**2),
    ("low", measures.LAST_GAP, LOW.symbol),
    ("not_far", measures.LAST_DISTANCE, FAR.symbol**2),
    ("in_a_ball", measures.LAST_DISTANCE, (2 * WIDE.symbol + R_1) ** 2),
    ("in_a_ball", measures.LAST_GAP, Lhat / 2 * (2 * WIDE.symbol + R_1) ** 2),
    ("no_rise", measures.LAST_GAP, D),
    ("no_rise", LAST_GRADIENT, 2 * Lhat * D),
    ("bounded", measures.LEAST_GRADIENT, G**2),
    ("bounded", measures.AVERAGE_GRADIENT, G**2),
)


def _bounded(
    name: str,
    measure: measures.PerformanceMeasure,
    most: sp.Expr,
    share: Fraction,
    factor: Fraction,
    other: sp.Expr | None = None,
    has_solver: bool = True,
) -> Recipe:
    """A bound that the hypothesis is, at a step of share/ℓ; or the smaller of it and another that
    is true.
    """
    more = (
        BOUNDED_GRADIENT
        if name == "bounded"
        else stated(name, worst=words.Worst() if has_solver else None)
    )
    is_far = most.has(R_1) or measure == measures.LAST_DISTANCE
    start = "classic.near_minimiser" if is_far else "jiang2024.bounded_below"
    hypotheses = (catalogue["classic.smooth_everywhere"], catalogue[start], more.claim)
    formula = most
    why = "the hypothesis gives the bound at every iterate"
    if other is not None:
        formula = sp.Min(most, other)
        why += " and the other is that of Abbaszadehpeivasti, de Klerk and Zamani"
    claim = theorem(
        f"engines.trivial_{name}",
        "A bound that a hypothesis gives",
        "boundcheck",
        EVERY_T,
        hypotheses,
        (
            Quantity(Lhat, _GIVEN.expression, "smoothness of F"),
            Quantity(alpha, rational(share) / Lhat, "step size"),
            Quantity(bound, rational(factor) * formula),
        ),
        # Without T, and D or R_1, it would be no theorem of which there is a worst case.
        (sp.Ge(T, 1, evaluate=False), sp.Gt(R_1 if is_far else D, 0, evaluate=False)),
        algorithm=GRADIENT_DESCENT,
        measure=measure,
    )
    follow = descended(share)

    def walks(steps: int) -> Iterator[Walk]:
        if steps == 1:
            yield run("F = x²/2", parabola(1), 1, follow, 1)
            yield run("a Huber function", huber(1, _ONE), 1, follow, 1)
        yield from bare(steps, follow)

    return Recipe(
        _named(claim, measure.id, share, factor, other is not None, has_solver),
        (*map(of_catalogue, hypotheses[:2]), more),
        _true(factor, why),
        follow,
        walks,
        subject=f"engines.{name}",
        kind="trivial bound",
        change=f"{factor} {formula} under {more.claim.id}, at the step {share}/ℓ",
        # The gradient of F is that of f, which the hypothesis bounds, where W is v.
        adapter="full" if name == "bounded" else "",
    )
