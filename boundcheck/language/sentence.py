"""Questions about a claim as a sentence of words: which algorithm it is about, what it bounds, what
it rests on.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import sympy as sp

from boundcheck.errors import InputError
from boundcheck.language.algorithms import GRADIENT_DESCENT, SGD, Algorithm
from boundcheck.language.catalogue import catalogue, lemmas
from boundcheck.language.claim import Claim, Quantifier, Quantity, Statement
from boundcheck.language.evidence import MatrixNorm
from boundcheck.language.hypotheses import BALL, HYPOTHESES, SMOOTH, BoundedGradient, Hypothesis
from boundcheck.language.measures import MEASURES, SMOOTHNESS, Measure, PerformanceMeasure
from boundcheck.language.symbols import Parameter, bound, s


def theorem(
    id: str,
    title: str,
    source: str,
    quantifier: Quantifier,
    hypotheses: tuple[Claim, ...],
    quantities: tuple[Quantity, ...],
    conditions: tuple[sp.core.relational.Relational, ...] = (),
    *,
    algorithm: Algorithm,
    measure: PerformanceMeasure,
    **said: Any,
) -> Claim:
    """The claim that under these hypotheses the algorithm makes the measure at most the last
    quantity.

    Where that quantity has no meaning of its own, its meaning becomes "bound on the" with the name
    of the measure. What
    else is said are fields of the `Claim`: its note, argument, reason why it is unproved, and
    declared parameters.

    Raises:
        InputError: for a measure of each path, of an algorithm with noise: runs show means of
            those.

    """
    *others, last = quantities
    if not last.meaning:
        last = replace(last, meaning=f"bound on the {measure.called(algorithm.is_stochastic)}")
    return Claim(
        id,
        title,
        source,
        measure.at_most(last.symbol),
        quantifier,
        hypotheses,
        (*others, last),
        conditions,
        algorithm=algorithm,
        measure=measure,
        **said,
    )


def algorithm_of(claim: Claim) -> Algorithm | None:
    """The algorithm that a theorem is about; None for a claim about something else.

    A claim that names none, and has the step size of gradient descent among its quantities, is
    about SGD where it speaks of noise, and else about gradient descent. One that lacks a parameter
    of its algorithm is about no run.
    """
    algorithm = claim.algorithm
    if not isinstance(algorithm, Algorithm | None):
        raise InputError(
            "claim.algorithm",
            type(algorithm).__name__,
            "an Algorithm of boundcheck.language.algorithms",
        )
    known = {
        *(quantity.symbol for quantity in claim.quantities),
        *(p.symbol for p in claim.parameters),
    }
    if algorithm is None:
        noise = {
            symbol for word in HYPOTHESES.values() if word.is_about_noise for symbol in word.symbols
        }
        algorithm = SGD if known & noise else GRADIENT_DESCENT
        known = {quantity.symbol for quantity in claim.quantities}
    return algorithm if known.issuperset(algorithm.parameters) else None


def measure_of(claim: Claim) -> Measure | None:
    """The measure that a claim bounds by its last quantity: one that it names, or its conclusion
    states; else None.
    """
    if not claim.quantities:
        return None
    last, algorithm = claim.quantities[-1].symbol, algorithm_of(claim)
    given = [claim.measure] if isinstance(claim.measure, Measure) else []
    stated = (
        each for each in (*given, *MEASURES.values()) if each.is_bounded_by(claim.conclusion, last)
    )
    return next((each for each in stated if algorithm is None or each.is_shown_by(algorithm)), None)


def calls_it_bound(claim: Claim) -> bool:
    """True if a theorem's last quantity, which bounds its measure, has the name by which runs ask
    for it.
    """
    return claim.quantities[-1].symbol == bound


def is_about_smoothness(claim: Claim) -> bool:
    """True if the last quantity of a claim is what lemmas call the smoothness constant of F."""
    return bool(claim.quantities) and claim.quantities[-1].symbol == SMOOTHNESS.symbol


def takes(claim: Claim, symbol: sp.Symbol) -> bool:
    """True if the claim has a parameter of that symbol."""
    return any(parameter.symbol == symbol for parameter in claim.parameters)


def speaks_of_a_ball(claim: Claim) -> bool:
    """True if the claim has a constant that is found on a ball: a radius, or the smoothness of
    F.
    """
    return any(takes(claim, symbol) for symbol in (*BALL.radii, *SMOOTH.symbols))


def has_common_radius(claim: Claim) -> bool:
    """True if the claim speaks of one radius for all blocks."""
    return takes(claim, BALL.common)


def free_numbers(claim: Claim) -> tuple[str, ...]:
    """The numbers of its algorithm that a theorem leaves to the run, the step size first if it is
    one of them.

    Those that its hypotheses speak of, such as L, are the function's.
    """
    algorithm, meant = (
        algorithm_of(claim),
        {x for _, word in words_of(claim) if word for x in word.symbols},
    )
    formulas = {q.symbol: q.expression for q in claim.quantities}
    letters = [formulas.get(symbol, symbol) for symbol in algorithm.parameters] if algorithm else []
    return tuple(
        x.name for x in letters if isinstance(x, sp.Symbol) and x not in meant and takes(claim, x)
    )


def free_step(claim: Claim) -> Parameter | None:
    """The step size of a theorem about any constant step that a run takes; None where the theorem
    prescribes the step.

    For a claim in which another formula was assumed, it is that of the catalogue's claim.
    """
    said = catalogue.get(claim.id, claim)
    algorithm = algorithm_of(said)
    if algorithm is None:
        return None
    step = algorithm.parameters[0]
    given = next((q.expression for q in said.quantities if q.symbol == step), step)
    return next((p for p in claim.parameters if p.symbol == given), None)


def limit_of(claim: Claim, symbol: sp.Symbol) -> str | None:
    """The name of the quantity that a condition of the claim holds a parameter against; None where
    none does.
    """
    limits = (str(each.rhs) for each in claim.conditions if each.lhs == symbol)
    return next((name for name in limits if name in claim.names), None)


def gradient_norm(claim: Claim) -> MatrixNorm | None:
    """The norm in which the claim bounds the gradient in W, the larger one of several; None where
    it bounds none.
    """
    return min(
        (word.norm for _, word in words_of(claim) if isinstance(word, BoundedGradient)),
        default=None,
    )


def smoothness_of(claim: Claim, everywhere: bool = False) -> tuple[sp.Expr, ...]:
    """The bounds that the hypotheses of a theorem put on the smoothness of F; empty where none puts
    one.

    A word does so by a constant of its own. On a ball, or beside a frozen factor, each lemma about
    an adapter without conditions does so if all its hypotheses are among the theorem's. Where a
    theorem has no scale, s is 1. With `everywhere`, only what this package's words say of F
    wherever v can be.
    """

    def said_by(claim: Claim) -> set[tuple[Statement, Hypothesis | None]]:
        return {
            (Statement(each.conclusion, each.quantifier), word) for each, word in words_of(claim)
        }

    def smooth(said: Iterable[tuple[Any, Hypothesis | None]]) -> list[Hypothesis]:
        words = [word for _, word in said if word is not None and word.smooth_on]
        return [word for word in words if not everywhere or (word.is_everywhere and is_ours(word))]

    given, has_scale = said_by(claim), takes(claim, s)
    # In a ball, or beside a frozen factor, the word has no constant of F's own.
    said: list[sp.Expr] = [
        x.symbols[0] for x in smooth(words_of(claim)) if x.smooth_on not in ("ball", "frozen")
    ]
    for lemma in lemmas():
        rests_on = said_by(lemma)
        if (
            smooth(rests_on)
            and rests_on <= given
            and not lemma.conditions
            and (takes(lemma, s) or not has_scale)
        ):
            most = lemma.expression(SMOOTHNESS.letter)
            said.append(most if has_scale else most.xreplace({s: sp.Integer(1)}))
    return tuple(dict.fromkeys(said))


def word_of(hypothesis: Claim) -> Hypothesis | None:
    """The word of a hypothesis; None for one of which no engine knows more than its statement."""
    return hypothesis.word if isinstance(hypothesis.word, Hypothesis) else None


AS_ITS_PARTS = Quantifier(within=r"\text{for any parameters}")
"""The range of a conjunction of hypotheses over other letters each."""


def conjuncts(claim: Claim) -> tuple[Claim, ...]:
    """The hypotheses whose conjunction a claim is; empty where it says anything else, or more, or
    less.

    Such a claim has their conclusions, no formulas and no conditions. It ranges as each of them
    does, or `AS_ITS_PARTS`: then each part binds every matrix that it has, or a word of ours says
    over what it ranges. A part that holds only for some values may hold for other ones than the
    next part does.
    """
    parts = claim.hypotheses
    if any((x.quantities, x.conditions, x.algorithm) != ((), (), None) for x in (claim, *parts)):
        return ()
    for each in parts:
        if each.hypotheses and not conjuncts(each):
            return ()
        is_all = not each.quantifier.within
        if not is_all and not is_ours(word_of(each)):
            return ()
        if each.quantifier == claim.quantifier:
            continue
        had = {x.name for x in each.conclusion.atoms(sp.MatrixSymbol)}
        if claim.quantifier != AS_ITS_PARTS or (is_all and not had <= each.quantifier.names):
            return ()
    whole = sp.And(*(each.conclusion for each in parts))
    return parts if parts and claim.conclusion == whole else ()


def is_ours(word: Hypothesis | None) -> bool:
    """True if it is a word of this package.

    The faces of another word are what its author says, and nobody else vouches for them. Only the
    object itself is a
    word of this package: a copy with another statement, or another face, is a word of its own.
    """
    return any(word is each for each in HYPOTHESES.values())


def words_of(claim: Claim) -> list[tuple[Claim, Hypothesis | None]]:
    """The hypotheses of a claim with their words; a conjunction is replaced by the hypotheses in
    it.
    """
    found: list[tuple[Claim, Hypothesis | None]] = []
    for each in claim.hypotheses:
        found += words_of(each) if conjuncts(each) else [(each, word_of(each))]
    return found
