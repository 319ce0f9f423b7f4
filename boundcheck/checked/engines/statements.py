"""Claims whose hypotheses are edited: a statement beside its word, and another word beside it.

Runs show what is so of a statement, and not of the word beside it. Lemmas about smoothness stay true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from itertools import product
from typing import Any

import sympy as sp

from boundcheck.checked.engines.assumed import Edited, edited, own_id
from boundcheck.checked.engines.examined import Examined, Subject, examined
from boundcheck.checked.engines.known import rational, run
from boundcheck.checked.engines.theorems import times
from boundcheck.checked.engines.walks import descended
from boundcheck.checked.exact_models.functions import huber
from boundcheck.checked.trajectories import Experiment, Table, kinks, scalars
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, letters
from boundcheck.language.hypotheses import (
    BOUNDED_GRADIENT,
    BOUNDED_SPECTRAL_GRADIENT,
    CONVEX,
    UNBIASED,
    Hypothesis,
)
from boundcheck.language.sentence import word_of
from boundcheck.language.symbols import zeta

Make = Callable[[], Examined]
_STATEMENT, _WORD = "statement beside its word", "word beside its statement"


def _with(claim: Claim, old: Claim, new: Callable[[], Claim], **changes: Any) -> Claim:
    """The claim with another hypothesis in place of one; it may raise, where a claim refuses to be made so."""
    made = new()
    return replace(claim, hypotheses=tuple(made if x is old else x for x in claim.hypotheses), **changes)


# Runs with noise: the variance that is stated, beside the word that looks at ζ²


# What the ids of claims that are run begin with: these are known from then on, and no other id may begin so.
_FIRST = "runs_of_engines"
_NOISY = ("ghadimi2013.corollary2_2", "khaled2020.bounded_variance", "meft.theorem2_any_step")
_VARIANCE = catalogue["jiang2024.assumption4"]
_STEPS = 12
# What is stated in place of ζ², and what it is.
_VARIANCES: tuple[tuple[str, sp.Expr], ...] = (
    *(("ζ²", zeta**2), ("ζ²/2", zeta**2 / 2), ("ζ²/100", zeta**2 / 100)),
    *(("ζ⁴/16", zeta**4 / 16), ("ζ/100", zeta / 100)),
)


def measurable() -> Iterator[Make]:
    """Every run, to be made when it is its turn; in an order that never changes."""
    for id in _NOISY:
        for place, is_known in product(range(len(_VARIANCES)), (True, False)):
            yield partial(_variance, id, place, is_known)
        for word, is_known in product((UNBIASED, CONVEX), (True, False)):
            yield partial(_misnamed_variance, id, word, is_known)
    for steps, number in product((2, 3, 6), range(len(_edits()))):
        yield partial(_quiet, steps, number)


@cache
def _noisy(id: str) -> Experiment:
    (found,) = scalars(id, (_STEPS,), (0,))
    return found


def _measured(
    kind: str, change: str, id: str, why: str, meets: bool, true: bool, table: Table, make: Callable[[], Claim]
) -> Examined:
    told = (f"{kind}, measured", change, id, true, why)
    return examined(*told, make, lambda claim: Subject(claim, table=table, meets=meets))


def _of_variance(id: str, is_known: bool, name: str, **changes: Any) -> Callable[[], Claim]:
    """The claim with another version of the hypothesis about the variance, under its id or one of its own."""
    other = partial(replace, _VARIANCE, id=_id(is_known), **changes)
    return partial(_with, catalogue[id], _VARIANCE, other, id=f"{_FIRST}.{id.replace('.', '_')}.{name}")


def _id(is_known: bool) -> str:
    return _VARIANCE.id if is_known else own_id(_VARIANCE)


def _variance(id: str, place: int, is_known: bool) -> Examined:
    """The variance is stated to be at most something else than ζ²."""
    found, (name, limit) = _noisy(id), _VARIANCES[place]
    value = limit.xreplace({zeta: rational(Fraction(found.table["run"]["zeta"]))})
    meets = not found.variance > Fraction(int(value.p), int(value.q))
    stated = _VARIANCE.conclusion.func(_VARIANCE.conclusion.lhs, limit)
    make = _of_variance(id, is_known, f"variance_{place}_{int(is_known)}", conclusion=stated)
    why = f"{found.name}: the variance at v_1 is {float(found.variance):.6g}, and {name} is {float(value):.6g}"
    change = f"the variance is at most {name}, under {_id(is_known)}"
    return _measured(_STATEMENT, change, id, why, meets, meets, found.table, make)


def _misnamed_variance(id: str, word: Hypothesis, is_known: bool) -> Examined:
    """The variance is stated with the word of another hypothesis; ζ² is half of what it is at v_1."""
    found = _noisy(id)
    size = (float(found.variance) / 2) ** 0.5
    table = found.table | {"run": found.table["run"] | {"zeta": size}}
    make = _of_variance(id, is_known, f"word_{word.id}_{int(is_known)}", word=word)
    why = f"{found.name}: the variance at v_1 is {float(found.variance):.6g}, and ζ² is {size**2:.6g}"
    change = f"the variance with the word {word.id}, under {_id(is_known)}"
    return _measured(_WORD, change, id, why, False, False, table, make)


# Runs without noise: smoothness and the gap


_QUIET = catalogue["nesterov2004.gradient_descent"]
_EDITS = 12


@cache
def _edits() -> tuple[tuple[Edited, Fraction], ...]:
    """A hypothesis that is edited, and the share of the bound that is claimed."""
    shares = (Fraction(1), Fraction(1, 4), Fraction(1, 16), Fraction(1, 64))
    changes = [change for hypothesis in _QUIET.hypotheses for change in edited(hypothesis)]
    return tuple((change, share) for share in shares for change in changes)[:_EDITS]


def _quiet(steps: int, number: int) -> Examined:
    """Gradient descent on a Huber function, whose exact course is known."""
    change, share = _edits()[number]
    (found,) = kinks(_QUIET.id, (steps,))
    L, G = (Fraction(found.table["problem"][name]) for name in "LG")
    walk = run("", huber(int(L), G), 1 - G / L, descended(1), steps, ell=L)
    meets = change.holds(walk)
    bound, least = share * 2 * L * walk.gap / steps, min(walk.squares)
    name = f"{_FIRST}.quiet_{steps}_{number}"
    return _measured(
        _STATEMENT,
        f"{share} of the bound, with {change.change} under its word",
        _QUIET.id,
        f"{found.name}: the least squared gradient is {least}, and the bound {bound}",
        meets,
        meets and least <= bound,
        found.table,
        lambda: _with(times(_QUIET, share), change.of, change.made, id=name),
    )


# Lemmas about smoothness, which stay true


_LEMMAS = (
    *("meft.full", "meft.frozen_a", "meft.lemma1_sharp", "meft.lemma1_sharp_equal_radii"),
    *("meft.loha_sharp", "meft.vera_sharp", "meft.loreft_sharp", "meft.dora"),
)
_FOREIGN = (BOUNDED_GRADIENT, BOUNDED_SPECTRAL_GRADIENT, CONVEX)


def lemmas() -> Iterator[Make]:
    """Every lemma, to be made when it is its turn; in an order that never changes."""
    for lemma in map(catalogue.__getitem__, _LEMMAS):
        own = {parameter.symbol for parameter in lemma.parameters}
        for hypothesis in (x for x in lemma.hypotheses if word_of(x)):
            for letter in sorted(letters(hypothesis) & own, key=str):
                yield partial(_halved, lemma, hypothesis, letter)
            for word in (x for x in _FOREIGN if x != hypothesis.word):
                yield partial(_misnamed, lemma, hypothesis, word)


def _halved(lemma: Claim, hypothesis: Claim, letter: sp.Symbol) -> Examined:
    """A hypothesis with half of a letter: the bound at half of it is the lemma itself, of other numbers."""
    half = {letter: letter / 2}

    def make() -> Claim:
        quantities = tuple(replace(x, expression=x.expression.xreplace(half)) for x in lemma.quantities)
        changed = replace(lemma, quantities=quantities, conditions=tuple(x.xreplace(half) for x in lemma.conditions))
        says = hypothesis.conclusion.xreplace(half)
        other = partial(replace, hypothesis, id=own_id(hypothesis), conclusion=says)
        return _restated(changed, hypothesis, other, f"at_half_of_{letter}")

    change = f"the bound at {letter}/2, with {hypothesis.id} of {letter}/2 under its word"
    return _of_smoothness(_STATEMENT, change, lemma, f"{lemma.id} at {letter}/2", make)


def _misnamed(lemma: Claim, hypothesis: Claim, word: Hypothesis) -> Examined:
    """A hypothesis with another word, under its own id."""
    other = partial(replace, hypothesis, word=word)
    make = partial(_restated, lemma, hypothesis, other, f"with_{word.id}")
    change = f"{hypothesis.id} with the word {word.id}"
    return _of_smoothness(_WORD, change, lemma, f"{lemma.id} is true", make)


def _restated(lemma: Claim, old: Claim, new: Callable[[], Claim], name: str) -> Claim:
    id = f"engines.{lemma.id.replace('.', '_')}_{old.id.replace('.', '_')}_{name}"
    return _with(lemma, old, new, id=id, argument="", unproved="")


def _of_smoothness(kind: str, change: str, lemma: Claim, why: str, make: Callable[[], Claim]) -> Examined:
    adapter = next(kind for kind, adapter in ADAPTERS.items() if lemma.id in adapter.claims)
    told = (f"{kind}, of smoothness", change, lemma.id, True, why)
    return examined(*told, make, lambda claim: Subject(claim, adapter=adapter))
