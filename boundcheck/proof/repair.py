"""What would make a false lemma true: another number in the place of one of its own.

The simplest numbers are tried, the nearest first; then the simplest fractions between what is false
and what is true. Each answer is a verdict: what is offered is proved.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from math import floor
from time import perf_counter

import sympy as sp

from boundcheck.errors import InputError
from boundcheck.language.claim import as_typed
from boundcheck.proof.script import Script, lemma
from boundcheck.proof.verdict import judge

_SIMPLE = {Fraction(p, q) for p in (1, 2, 3, 4, 5, 8) for q in (1, 2, 3, 4)}
# How many fractions are tried between what is false and what is true.
_ROUNDS = 6


@dataclass(frozen=True)
class Repair:
    """A number of a false lemma, and one in its place.

    Attributes:
        number: what is there; 1 where the larger side is multiplied.
        mended: a number with which the lemma is proved.
        broken: the nearest to it with which the lemma was refuted; `number` for an equation.
        says: the lemma with the mended number.

    """

    number: Fraction
    mended: Fraction
    broken: Fraction
    says: sp.Basic

    def __str__(self) -> str:
        place = f"for {self.number}" if self.number != 1 else "times the larger side"
        nearer = f", false with {self.broken}" if self.broken != self.number else ""
        return f"true with {self.mended} {place}{nearer}: {as_typed(self.says)}"


def repairs(script: Script, seconds: float = 20.0) -> Iterator[Repair]:
    """The repairs of a false lemma that are found in so many seconds, one for each of its numbers.

    Raises InputError for what is no lemma.
    """
    claim, until = script.claim, perf_counter() + seconds
    if claim is None or not script.is_lemma:
        raise InputError("lemma", script.id, "a lemma, made by lemma(id, says=...)")
    given = [each.conclusion for each in claim.hypotheses]

    def verdict(says: sp.Basic, number: Fraction) -> str:
        if perf_counter() > until:
            return "unknown"
        try:
            return judge(lemma(script.id, says=_with(says, number), given=given)).verdict
        except InputError:
            # SymPy decides it by itself.
            return "unknown"

    for number, says in _places(claim.conclusion):
        tried = sorted(
            {*_SIMPLE, 2 * number, number / 2} - {number},
            key=lambda x: max(x / number, number / x),
        )
        mended = next((x for x in tried if verdict(says, x) == "proved"), None)
        if mended is None:
            continue
        broken = number
        for _ in range(0 if isinstance(says, sp.Eq) else _ROUNDS):
            between = _simplest(*sorted((broken, mended)))
            match verdict(says, between):
                case "proved":
                    mended = between
                case "refuted":
                    broken = between
                case _:
                    break
        yield Repair(number, mended, broken, _with(says, mended))


_NUMBER = sp.Dummy("c", positive=True)


def _with(says: sp.Basic, number: Fraction) -> sp.Basic:
    return says.xreplace({_NUMBER: sp.Rational(number)})


def _places(says: sp.Basic) -> Iterator[tuple[Fraction, sp.Basic]]:
    """The size of each number of a relation, and the relation with `_NUMBER` in its place; last 1,
    times the larger side.
    """
    for part in sp.preorder_traversal(says):
        if not isinstance(part, sp.Mul | sp.Add):
            continue
        for each in part.args:
            if each.is_Rational and abs(each) != 1:
                rest = [x for x in part.args if x != each]
                size = Fraction(str(abs(each)))
                yield size, says.xreplace({part: part.func(sp.sign(each) * _NUMBER, *rest)})
    if isinstance(says, sp.core.relational._Inequality):
        yield Fraction(1), says.func(*(x * _NUMBER if x is says.gts else x for x in says.args))


def _simplest(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of the least denominator strictly between two others."""
    fractions = (Fraction(floor(low * x) + 1, x) for x in count(1))
    return next(x for x in fractions if x < high)
