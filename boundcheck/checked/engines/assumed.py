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

from boundcheck.checked.engines.curves import Walk
from boundcheck.claims import Claim, catalogue
from boundcheck.claims.claim import Statement
from boundcheck.claims.symbols import R_1, D, Parameter, ell, f_star, mu_F
from boundcheck.claims.vocabulary import EuclideanNorm, F, Gradient, Value, t, v_first, v_star, v_t
from boundcheck.words.hypotheses import Hypothesis, Worst

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
    holds: Callable[[Walk], bool]
    numbers: Callable[[Walk], Numbers] = _nothing
    is_exact: bool = True

    @property
    def letters(self) -> tuple[sp.Symbol, ...]:
        """Its own letters."""
        return tuple(each.symbol for each in self.claim.declared)


def _smooth(walk: Walk, factor: Fraction | int = 1) -> bool:
    return max(map(abs, walk.curve.curvatures)) <= factor * walk.numbers["ell"]


def _curved(least: Callable[[Walk], Fraction]) -> Callable[[Walk], bool]:
    return lambda walk: min(walk.curve.curvatures) >= least(walk)


def _above(walk: Walk) -> bool:
    return walk.curve.is_least_at_0 and walk.gap <= walk.numbers["D"]


def _near(walk: Walk, factor: Fraction | int = 1) -> bool:
    return walk.curve.is_least_at_0 and abs(walk.points[0]) <= factor * walk.numbers["R_1"]


def _flat_ends(walk: Walk) -> bool:
    ends = (walk.curve.curvatures[0], walk.curve.curvatures[-1])
    return not any(ends) and _steepest(walk) <= walk.numbers["G"]


def _steepest(walk: Walk) -> Fraction:
    return max(abs(slope) for _, slope in walk.curve.knots)


def _always(walk: Walk) -> bool:
    return True


def _never(walk: Walk) -> bool:
    """Nothing here decides it: a claim with it is not shown to be false."""
    return False


# What the catalogue's hypotheses say of a run without noise.
_HOLDS: dict[str, Callable[[Walk], bool]] = {
    **dict.fromkeys(("classic.smooth", "classic.smooth_around", "classic.smooth_everywhere"), _smooth),
    "classic.convex": _curved(lambda walk: Fraction(0)),
    **dict.fromkeys(
        ("classic.strongly_convex", "classic.strongly_convex_everywhere"), _curved(lambda walk: walk.numbers["mu_F"])
    ),
    "classic.near_minimiser": _near,
    "jiang2024.bounded_below": _above,
    **dict.fromkeys(("jiang2024.assumption4", "meft.unbiased"), _always),
    # Where nothing is drawn E‖g‖² is ‖∇F‖².
    "classic.abc": lambda walk: walk.numbers["abc_b"] >= 1,
    # Of a strongly convex F it follows.
    "bottou2018.pl": _curved(lambda walk: walk.numbers["mu_F"]),
}


_EXACT = frozenset(
    {
        *("classic.smooth_everywhere", "classic.convex", "classic.strongly_convex_everywhere"),
        *("classic.near_minimiser", "jiang2024.bounded_below"),
    }
)


def of_catalogue(hypothesis: Claim) -> Assumed:
    """A hypothesis of the catalogue."""
    return Assumed(hypothesis, _HOLDS.get(hypothesis.id, _never), is_exact=hypothesis.id in _EXACT)


def _own(name: str, title: str, relation: sp.Basic, word: Hypothesis | None, *declared: Parameter) -> Claim:
    return Claim(f"engines.{name}", title, "boundcheck", relation, _ALWAYS, declared=declared, word=word)


def _limit(name: str, meaning: str) -> Parameter:
    return Parameter(sp.Symbol(name, positive=True), "positive real", meaning)


STEEP, LOW, FAR, WIDE = (
    _limit("steep_0", "bound on the gradient at each iterate"),
    _limit("low_0", "bound on the gap at each iterate"),
    _limit("far_0", "bound on the distance of each iterate to a minimiser"),
    _limit("wide_0", "bound on the norm of each iterate"),
)
NEXT = Value(F, v_t.xreplace({t: t + 1}))
_ALWAYS = r"\text{for all } t"
# It asks nothing of F.
_NOTHING = Worst()


_STATED: tuple[tuple[str, str, sp.Basic, tuple[Parameter, ...], Callable[[Walk], bool], Callable[[Walk], Numbers]], ...]
_STATED = (
    (
        "no_rise",
        "F does not rise",
        sp.Le(NEXT, Value(F, v_t)),
        (),
        lambda walk: (
            len(walk.points) > walk.steps
            and all(walk.curve.value(y) <= walk.curve.value(x) for x, y in pairwise(walk.points))
        ),
        _nothing,
    ),
    (
        "not_steep",
        "The gradient is bounded at each iterate",
        sp.Le(EuclideanNorm(Gradient(F, v_t)), STEEP.symbol),
        (STEEP,),
        lambda walk: len(walk.points) >= walk.steps and max(walk.squares) <= walk.numbers["steep_0"] ** 2,
        lambda walk: {"steep_0": max(abs(walk.curve.slope(x)) for x in walk.seen)},
    ),
    (
        "low",
        "The gap is bounded at each iterate",
        sp.Le(Value(F, v_t) - f_star, LOW.symbol),
        (LOW,),
        lambda walk: len(walk.points) >= walk.steps and max(map(walk.curve.value, walk.seen)) <= walk.numbers["low_0"],
        lambda walk: {"low_0": max(map(walk.curve.value, walk.seen))},
    ),
    (
        "not_far",
        "The distance to a minimiser is bounded at each iterate",
        sp.Le(EuclideanNorm(v_t - v_star), FAR.symbol),
        (FAR,),
        lambda walk: len(walk.points) >= walk.steps and max(map(abs, walk.seen)) <= walk.numbers["far_0"],
        lambda walk: {"far_0": max(map(abs, walk.seen))},
    ),
    (
        "in_a_ball",
        "The iterates stay in a ball",
        sp.Le(EuclideanNorm(v_t), WIDE.symbol),
        (WIDE,),
        lambda walk: len(walk.points) >= walk.steps and max(map(abs, walk.seen)) <= walk.numbers["wide_0"],
        lambda walk: {"wide_0": max(map(abs, walk.seen))},
    ),
)


def stated(name: str, worst: Worst | None = _NOTHING, has_word: bool = True) -> Assumed:
    """One of the hypotheses about iterates, in a word of its own that asks nothing of F, or that no solver states."""
    _, title, relation, declared, holds, numbers = next(each for each in _STATED if each[0] == name)
    symbols = tuple(each.symbol for each in declared)
    says = (Statement(relation, _ALWAYS),)
    word = Hypothesis(f"engines_{name}", title, symbols, worst=worst, says=says) if has_word else None
    return Assumed(_own(name, title, relation, word, *declared), holds, numbers)


STATED = tuple(each[0] for each in _STATED)
BOUNDED_GRADIENT = Assumed(catalogue["jiang2024.assumption3.2"], _flat_ends, lambda walk: {"G": _steepest(walk)})
OTHERS = (
    BOUNDED_GRADIENT,
    *(
        of_catalogue(catalogue[id])
        for id in ("classic.convex", "classic.smooth_everywhere", "meft.ball", "meft.unbiased", "jiang2024.unbiased")
    ),
)


@dataclass(frozen=True)
class Edited:
    """A hypothesis of the catalogue under its word with another statement, or under another word.

    Attributes:
        change: in words.
        of: the hypothesis.
        edit: makes the hypothesis that the claim gets; it raises where a claim refuses to be made.
        holds: whether the statement holds on a run.
        letter: the constant that is another.
        is_stronger: whether it says more than the word.

    """

    change: str
    of: Claim
    edit: Callable[[], Claim]
    holds: Callable[[Walk], bool]
    letter: sp.Symbol
    is_stronger: bool


def _with(hypothesis: Claim, relation: sp.Basic) -> Callable[[], Claim]:
    return lambda: replace(hypothesis, id=f"engines.{hypothesis.id.replace('.', '_')}", conclusion=relation)


def _halved(hypothesis: Claim, letter: sp.Symbol, factor: sp.Rational) -> Callable[[], Claim]:
    return _with(hypothesis, hypothesis.conclusion.xreplace({letter: factor * letter}))


def _scales(
    hypothesis: Claim, letter: sp.Symbol, holds: Callable[..., bool], is_upper: bool = True
) -> tuple[Edited, ...]:
    return tuple(
        Edited(
            f"{hypothesis.id} of {factor} {letter}",
            hypothesis,
            _halved(hypothesis, letter, sp.Rational(*factor.as_integer_ratio())),
            partial(holds, factor=factor),
            letter,
            (factor < 1) == is_upper,
        )
        for factor in (Fraction(1, 2), Fraction(2))
    )


def _least_curvature(walk: Walk, factor: Fraction) -> bool:
    return min(walk.curve.curvatures) >= factor * walk.numbers["mu_F"]


def edited(hypothesis: Claim) -> tuple[Edited, ...]:
    """Other statements under the word of a hypothesis of the catalogue: with half, and with twice, its constant."""
    letters = hypothesis.conclusion.free_symbols
    if hypothesis.id == "jiang2024.bounded_below":
        half = sp.And(hypothesis.conclusion, sp.Le(Value(F, v_first) - f_star, D / 2))
        return (
            Edited(
                f"{hypothesis.id}, and D/2",
                hypothesis,
                _with(hypothesis, half),
                lambda walk: _above(walk) and 2 * walk.gap <= walk.numbers["D"],
                D,
                True,
            ),
        )
    if ell in letters:
        return _scales(hypothesis, ell, _smooth)
    if R_1 in letters:
        return _scales(hypothesis, R_1, _near)
    if mu_F in letters and hypothesis.id.startswith("classic"):
        return _scales(hypothesis, mu_F, _least_curvature, is_upper=False)
    return ()
