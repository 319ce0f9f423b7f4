"""Runs of claims whose statements are edited: what a run shows of a statement, and not of the word beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial

import sympy as sp

from boundcheck.checked.courses import Setting, Table, kinks, scalars
from boundcheck.checked.engines.assumed import edited
from boundcheck.checked.engines.claims import times
from boundcheck.checked.engines.curves import descended, huber
from boundcheck.checked.engines.sharp import run
from boundcheck.claims import Claim, catalogue
from boundcheck.claims.symbols import zeta
from boundcheck.words.hypotheses import CONVEX, UNBIASED, Hypothesis

# What the ids of claims that are run begin with: these are known from then on, and no other id may begin so.
_FIRST = "runs_of_engines"


@dataclass(frozen=True)
class Measured:
    """A run of a claim, and what is known of it.

    Attributes:
        kind, change, subject, why: as in a `Recipe`.
        true: whether the run meets what the claim states, and the bound holds on it.
        meets: whether it meets what the claim states.
        make: makes the claim; it may raise, where a claim refuses to be made so.
        table: the spec.

    """

    kind: str
    change: str
    subject: str
    true: bool
    why: str
    meets: bool
    make: Callable[[], Claim]
    table: Table


def measurable() -> Iterator[Callable[[], Measured]]:
    """Every run, to be made when it is its turn; in an order that never changes."""
    for id in _NOISY:
        for place in range(len(_VARIANCES)):
            for is_known in (True, False):
                yield partial(_variance, id, place, is_known)
        for word in (UNBIASED, CONVEX):
            for is_known in (True, False):
                yield partial(_misnamed, id, word, is_known)
    for steps in (2, 3, 6):
        for number in range(_EDITS):
            yield partial(_quiet, steps, number)


# Noise: the variance that is stated, beside the word that looks at ζ²


_NOISY = ("ghadimi2013.corollary2_2", "khaled2020.bounded_variance", "meft.theorem2_any_step")
_VARIANCE = catalogue["jiang2024.assumption4"]
_STEPS = 12
# What is stated in place of ζ², and what it is.
_VARIANCES: tuple[tuple[str, sp.Expr], ...] = (
    ("ζ²", zeta**2),
    ("ζ²/2", zeta**2 / 2),
    ("ζ²/100", zeta**2 / 100),
    ("ζ⁴/16", zeta**4 / 16),
    ("ζ/100", zeta / 100),
)


@cache
def _noisy(id: str) -> Setting:
    (setting,) = scalars(id, (_STEPS,), (0,))
    return setting


def _own(hypothesis: Claim, is_known: bool) -> str:
    return hypothesis.id if is_known else f"engines.{hypothesis.id.replace('.', '_')}"


def _claim(id: str, hypothesis: Claim, other: Callable[[], Claim], name: str) -> Claim:
    claim, made = catalogue[id], other()
    hypotheses = tuple(made if x is hypothesis else x for x in claim.hypotheses)
    return replace(claim, id=f"{_FIRST}.{id.replace('.', '_')}.{name}", hypotheses=hypotheses)


def _variance(id: str, place: int, is_known: bool) -> Measured:
    """The variance is stated to be at most something else than ζ²."""
    setting, (name, limit) = _noisy(id), _VARIANCES[place]
    value = limit.xreplace({zeta: sp.Rational(*Fraction(setting.table["run"]["zeta"]).as_integer_ratio())})
    meets = not setting.variance > Fraction(int(value.p), int(value.q))
    stated = _VARIANCE.conclusion.func(_VARIANCE.conclusion.lhs, limit)

    def other() -> Claim:
        return replace(_VARIANCE, id=_own(_VARIANCE, is_known), conclusion=stated)

    return Measured(
        "statement beside its word, measured",
        f"the variance is at most {name}, under {_own(_VARIANCE, is_known)}",
        id,
        meets,
        f"{setting.name}: the variance at v_1 is {float(setting.variance):.6g}, and {name} is {float(value):.6g}",
        meets,
        partial(_claim, id, _VARIANCE, other, f"variance_{place}_{int(is_known)}"),
        setting.table,
    )


def _misnamed(id: str, word: Hypothesis, is_known: bool) -> Measured:
    """The variance is stated with the word of another hypothesis; ζ² is half of what it is at v_1."""
    setting = _noisy(id)
    size = (float(setting.variance) / 2) ** 0.5

    def other() -> Claim:
        return replace(_VARIANCE, id=_own(_VARIANCE, is_known), word=word)

    return Measured(
        "word beside its statement, measured",
        f"the variance with the word {word.id}, under {_own(_VARIANCE, is_known)}",
        id,
        False,
        f"{setting.name}: the variance at v_1 is {float(setting.variance):.6g}, and ζ² is {size**2:.6g}",
        False,
        partial(_claim, id, _VARIANCE, other, f"word_{word.id}_{int(is_known)}"),
        setting.table | {"run": setting.table["run"] | {"zeta": size}},
    )


# Without noise: smoothness and the gap


_QUIET = "nesterov2004.gradient_descent"
_EDITS = 12


@cache
def _edits() -> tuple[tuple[Claim, int, Fraction], ...]:
    """A hypothesis with the number of an edit, and the share of the bound that is claimed."""
    shares = (Fraction(1), Fraction(1, 4), Fraction(1, 16), Fraction(1, 64))
    pairs = [(x, number) for x in catalogue[_QUIET].hypotheses for number in range(len(edited(x)))]
    return tuple((x, number, share) for share in shares for x, number in pairs)[:_EDITS]


def _quiet(steps: int, number: int) -> Measured:
    """Gradient descent on a Huber function, whose exact course is known."""
    hypothesis, which, share = _edits()[number]
    change = edited(hypothesis)[which]
    (setting,) = kinks(_QUIET, (steps,))
    L, G = (Fraction(setting.table["problem"][name]) for name in "LG")
    walk = run("", huber(int(L), G), 1 - G / L, descended(1), steps, ell=L)
    meets = change.holds(walk)
    bound = share * 2 * L * walk.gap / steps
    least = min(walk.squares)
    claim = times(catalogue[_QUIET], share)
    name = f"quiet_{steps}_{number}"

    def make() -> Claim:
        hypotheses = tuple(change.edit() if x is hypothesis else x for x in claim.hypotheses)
        return replace(claim, id=f"{_FIRST}.{name}", hypotheses=hypotheses)

    return Measured(
        "statement beside its word, measured",
        f"{share} of the bound, with {change.change} under its word",
        _QUIET,
        meets and least <= bound,
        f"{setting.name}: the least squared gradient is {least}, and the bound {bound}",
        meets,
        make,
        setting.table,
    )
