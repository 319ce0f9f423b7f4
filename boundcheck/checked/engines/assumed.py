"""Hypotheses of the claims that engines are examined on: what each says of an exact run, and others that it may become.

What a hypothesis says is decided here by itself, from its statement, whatever its word may be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import pairwise

import sympy as sp

from boundcheck.checked.engines.walks import Walk
from boundcheck.exact.evaluate import t
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Statement
from boundcheck.language.hypotheses import Hypothesis, Worst
from boundcheck.language.symbols import R_1, D, Parameter, ell, f_star, mu_F
from boundcheck.language.vocabulary import EuclideanNorm, F, Gradient, Value, v_first, v_star, v_t

Holds = Callable[[Walk], bool]
Numbers = Mapping[str, Fraction]


def _nothing(walk: Walk) -> Numbers:
    return {}


@dataclass(frozen=True)
class Assumed:
    """A hypothesis.

    Attributes:
        claim: its statement and its word.
        holds: whether the statement holds on a run, whose numbers include those below.
        numbers: the least values of its own letters with which it holds on a run.
        is_exact: whether the statement fails wherever `holds` says no, which may ask for more than it.

    """

    claim: Claim
    holds: Holds
    numbers: Callable[[Walk], Numbers] = _nothing
    is_exact: bool = True


# What the catalogue's hypotheses say of a run without noise


def _smooth(walk: Walk, factor: Fraction | int = 1) -> bool:
    return walk.curve.smoothness <= factor * walk.numbers["ell"]


def _convex(walk: Walk) -> bool:
    return min(walk.curve.curvatures) >= 0


def _strongly_convex(walk: Walk, factor: Fraction | int = 1) -> bool:
    return min(walk.curve.curvatures) >= factor * walk.numbers["mu_F"]


def _above(walk: Walk) -> bool:
    return walk.curve.is_least_at_0 and walk.gap <= walk.numbers["D"]


def _near(walk: Walk, factor: Fraction | int = 1) -> bool:
    return walk.curve.is_least_at_0 and abs(walk.points[0]) <= factor * walk.numbers["R_1"]


def _flat_ends(walk: Walk) -> bool:
    ends = (walk.curve.curvatures[0], walk.curve.curvatures[-1])
    return not any(ends) and walk.curve.steepest <= walk.numbers["G"]


# Those whose statement fails wherever this says no.
_EXACT: dict[str, Holds] = {
    "classic.smooth_everywhere": _smooth,
    "classic.convex": _convex,
    "classic.strongly_convex_everywhere": _strongly_convex,
    "classic.near_minimiser": _near,
    "jiang2024.bounded_below": _above,
}
_ENOUGH: dict[str, Holds] = {
    **dict.fromkeys(("classic.smooth", "classic.smooth_around"), _smooth),
    "classic.strongly_convex": _strongly_convex,
    **dict.fromkeys(("jiang2024.assumption4", "meft.unbiased"), lambda walk: True),
    # Where nothing is drawn E‖g‖² is ‖∇F‖².
    "classic.abc": lambda walk: walk.numbers["abc_b"] >= 1,
    # Of a strongly convex F it follows.
    "bottou2018.pl": _strongly_convex,
}


def of_catalogue(hypothesis: Claim) -> Assumed:
    """A hypothesis of the catalogue. What is decided nowhere here holds on no run: no claim is shown false by it."""
    if hypothesis.id in _EXACT:
        return Assumed(hypothesis, _EXACT[hypothesis.id])
    return Assumed(hypothesis, _ENOUGH.get(hypothesis.id, lambda walk: False), is_exact=False)


# Hypotheses about iterates


def _limit(name: str, meaning: str) -> Parameter:
    return Parameter(sp.Symbol(name, positive=True), "positive real", meaning)


STEEP, LOW, FAR, WIDE = (
    _limit("steep_0", "bound on the gradient at each iterate"),
    _limit("low_0", "bound on the gap at each iterate"),
    _limit("far_0", "bound on the distance of each iterate to a minimiser"),
    _limit("wide_0", "bound on the norm of each iterate"),
)
_ALWAYS = r"\text{for all } t"
# What each bounds: its title, the letter, the expression, and that of a run at a point. The minimiser is 0.
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
_NOTHING = Worst()


def stated(name: str, worst: Worst | None = _NOTHING, has_word: bool = True) -> Assumed:
    """One of the hypotheses about iterates, in a word of its own that asks nothing of F, or that no solver states."""
    if name == "no_rise":
        relation = sp.Le(Value(F, v_t.xreplace({t: t + 1})), Value(F, v_t))
        return Assumed(_own(name, "F does not rise", relation, (), worst, has_word), _does_not_rise)
    title, letter, expression, size = _BOUNDED[name]

    def largest(walk: Walk) -> Fraction:
        return max(size(walk, x) for x in walk.seen)

    def holds(walk: Walk) -> bool:
        return len(walk.points) >= walk.steps and largest(walk) <= walk.numbers[letter.name]

    claim = _own(name, title, sp.Le(expression, letter.symbol), (letter,), worst, has_word)
    return Assumed(claim, holds, lambda walk: {letter.name: largest(walk)})


def _does_not_rise(walk: Walk) -> bool:
    F = walk.curve.value
    return len(walk.points) > walk.steps and all(F(y) <= F(x) for x, y in pairwise(walk.points))


def _own(
    name: str, title: str, relation: sp.Basic, declared: tuple[Parameter, ...], worst: Worst | None, has_word: bool
) -> Claim:
    symbols = tuple(each.symbol for each in declared)
    word = Hypothesis(f"engines_{name}", title, symbols, worst=worst, says=(Statement(relation, _ALWAYS),))
    named = word if has_word else None
    return Claim(f"engines.{name}", title, "boundcheck", relation, _ALWAYS, declared=declared, word=named)


BOUNDED_GRADIENT = Assumed(catalogue["jiang2024.assumption3.2"], _flat_ends, lambda walk: {"G": walk.curve.steepest})
_OTHERS = ("classic.convex", "classic.smooth_everywhere", "meft.ball", "meft.unbiased", "jiang2024.unbiased")
OTHERS = (BOUNDED_GRADIENT, *(of_catalogue(catalogue[id]) for id in _OTHERS))


# Other statements under the word of a hypothesis


@dataclass(frozen=True)
class Edited:
    """A hypothesis of the catalogue under its word with another statement.

    Attributes:
        change: in words.
        of: the hypothesis.
        relation: what it says.
        holds: whether that holds on a run.
        letter: the constant that is another.
        is_stronger: whether it says more than the word.

    """

    change: str
    of: Claim
    relation: sp.Basic
    holds: Holds
    letter: sp.Symbol
    is_stronger: bool

    def made(self) -> Claim:
        """The hypothesis that the claim gets; it may raise, where a claim refuses to be made so."""
        return replace(self.of, id=own_id(self.of), conclusion=self.relation)


def own_id(hypothesis: Claim) -> str:
    """An id for another version of a hypothesis of the catalogue."""
    return f"engines.{hypothesis.id.replace('.', '_')}"


def edited(hypothesis: Claim) -> tuple[Edited, ...]:
    """Other statements under the word of a hypothesis of the catalogue: with half, and with twice, its constant."""
    says, letters = hypothesis.conclusion, hypothesis.conclusion.free_symbols
    if hypothesis.id == "jiang2024.bounded_below":
        half = sp.And(says, sp.Le(Value(F, v_first) - f_star, D / 2))

        def holds(walk: Walk) -> bool:
            return _above(walk) and 2 * walk.gap <= walk.numbers["D"]

        return (Edited(f"{hypothesis.id}, and D/2", hypothesis, half, holds, D, True),)
    if ell in letters:
        return _scaled(hypothesis, ell, _smooth)
    if R_1 in letters:
        return _scaled(hypothesis, R_1, _near)
    if mu_F in letters and hypothesis.id.startswith("classic"):
        return _scaled(hypothesis, mu_F, _strongly_convex, is_upper=False)
    return ()


def _scaled(
    hypothesis: Claim, letter: sp.Symbol, holds: Callable[..., bool], is_upper: bool = True
) -> tuple[Edited, ...]:
    return tuple(
        Edited(
            f"{hypothesis.id} of {factor} {letter}",
            hypothesis,
            hypothesis.conclusion.xreplace({letter: sp.Rational(*factor.as_integer_ratio()) * letter}),
            partial(holds, factor=factor),
            letter,
            (factor < 1) == is_upper,
        )
        for factor in (Fraction(1, 2), Fraction(2))
    )
