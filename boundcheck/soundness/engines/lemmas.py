"""Lemmas about smoothness whose hypotheses are edited: a statement beside its word, and another word beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import sympy as sp

from boundcheck.claims import Claim, catalogue
from boundcheck.claims.claim import letters
from boundcheck.problems.adapters import ADAPTERS
from boundcheck.words import word_of
from boundcheck.words.hypotheses import BOUNDED_GRADIENT, BOUNDED_SPECTRAL_GRADIENT, CONVEX, Hypothesis

_IDS = (
    *("meft.full", "meft.frozen_a", "meft.lemma1_sharp", "meft.lemma1_sharp_equal_radii"),
    *("meft.loha_sharp", "meft.vera_sharp", "meft.loreft_sharp", "meft.dora"),
)
_FOREIGN = (BOUNDED_GRADIENT, BOUNDED_SPECTRAL_GRADIENT, CONVEX)


@dataclass(frozen=True)
class Lemma:
    """A claim about smoothness that is true.

    Attributes:
        kind, change, subject, why: as in a `Recipe`.
        make: makes the claim; it may raise, where a claim refuses to be made so.
        adapter: the kind of adapter that it is about.

    """

    kind: str
    change: str
    subject: str
    why: str
    make: Callable[[], Claim]
    adapter: str


def lemmas() -> Iterator[Callable[[], Lemma]]:
    """Every lemma, to be made when it is its turn; in an order that never changes."""
    for lemma in map(catalogue.__getitem__, _IDS):
        own = {parameter.symbol for parameter in lemma.parameters}
        for hypothesis in (x for x in lemma.hypotheses if word_of(x)):
            for letter in sorted(letters(hypothesis) & own, key=str):
                yield partial(_halved, lemma, hypothesis, letter)
            for word in (x for x in _FOREIGN if x != hypothesis.word):
                yield partial(_misnamed, lemma, hypothesis, word)


def _halved(lemma: Claim, hypothesis: Claim, letter: sp.Symbol) -> Lemma:
    """A hypothesis with half of a letter: the bound at half of it is the lemma itself, of other numbers."""
    half = {letter: letter / 2}

    def make() -> Claim:
        mine = f"engines.{hypothesis.id.replace('.', '_')}"
        other = replace(hypothesis, id=mine, conclusion=hypothesis.conclusion.xreplace(half))
        quantities = tuple(replace(x, expression=x.expression.xreplace(half)) for x in lemma.quantities)
        conditions = tuple(x.xreplace(half) for x in lemma.conditions)
        changed = replace(lemma, quantities=quantities, conditions=conditions)
        return _with(changed, hypothesis, other, f"at_half_of_{letter}")

    change = f"the bound at {letter}/2, with {hypothesis.id} of {letter}/2 under its word"
    return Lemma(
        "statement beside its word, of smoothness", change, lemma.id, f"{lemma.id} at {letter}/2", make, _adapter(lemma)
    )


def _misnamed(lemma: Claim, hypothesis: Claim, word: Hypothesis) -> Lemma:
    """A hypothesis with another word, under its own id."""

    def make() -> Claim:
        return _with(lemma, hypothesis, replace(hypothesis, word=word), f"with_{word.id}")

    change = f"{hypothesis.id} with the word {word.id}"
    return Lemma(
        "word beside its statement, of smoothness", change, lemma.id, f"{lemma.id} is true", make, _adapter(lemma)
    )


def _adapter(lemma: Claim) -> str:
    return next(kind for kind, adapter in ADAPTERS.items() if lemma.id in adapter.claims)


def _with(lemma: Claim, old: Claim, new: Claim, name: str) -> Claim:
    hypotheses = tuple(new if x is old else x for x in lemma.hypotheses)
    parts = (lemma.id.replace(".", "_"), old.id.replace(".", "_"), name)
    return replace(lemma, id=f"engines.{'_'.join(parts)}", hypotheses=hypotheses, argument="", unproved="")
