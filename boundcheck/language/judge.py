"""`meets` decides whether an instance meets a claim, part by part: every engine asks it, and none
decides for itself.

An instance refutes a claim only where each hypothesis, condition, definition and step of the
algorithm holds in it and the conclusion fails. Where a part is open, it is a candidate, and what is
open is named.
"""

from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, NamedTuple

from boundcheck.errors import InputError
from boundcheck.language.algorithms import Algorithm
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantity, expressions, whole
from boundcheck.language.evidence import HOLDS, Answer, Instance
from boundcheck.language.prose import typed
from boundcheck.language.sentence import (
    algorithm_of,
    conjuncts,
    is_ours,
    word_of,
)
from boundcheck.language.vocabulary import t


class Ruling(NamedTuple):
    """A part of a claim, and whether it holds in an instance."""

    title: str
    answer: Answer


@dataclass(frozen=True)
class Met:
    """The rulings on a claim's hypotheses, conditions, definitions, algorithm, range and domain, in
    this order.
    """

    parts: tuple[Ruling, ...]

    @property
    def holds(self) -> bool:
        """True if every part holds for certain."""
        return all(part.answer.verdict == "holds" for part in self.parts)

    @property
    def failures(self) -> list[Ruling]:
        """The parts that the instance breaks."""
        return [part for part in self.parts if part.answer.verdict == "fails"]

    @property
    def open(self) -> list[Ruling]:
        """The parts that cannot be decided in the instance."""
        return [part for part in self.parts if part.answer.verdict == "open"]

    @property
    def objection(self) -> str:
        """The reasons why the instance says nothing against the claim; empty if it meets the claim.

        They are what it breaks, or, if it breaks nothing, what is open.
        """
        found = self.failures or self.open
        return "; ".join(f"{part.title}: {part.answer.why}" for part in found)


def meets(instance: Instance, claim: Claim, definitions: tuple[Quantity, ...] | None = None) -> Met:
    """Decide whether an instance meets a claim, part by part; its conclusion is not asked for.

    `definitions` are the quantities that must be what their formulas say; all of the claim's if
    left out.
    """
    asked = claim.quantities if definitions is None else definitions
    parts = [Ruling(each.title, hypothesis_in(instance, each)) for each in claim.hypotheses]
    parts += [Ruling(str(each), instance.decide(each)) for each in claim.conditions]
    parts += [Ruling(str(each.symbol), instance.defines(each)) for each in asked]
    # The letters to which a hypothesis gives a formula, and which other parts of the claim use
    # without it.
    for quantity in (
        x for hypothesis in claim.hypotheses for part in whole(hypothesis) for x in part.quantities
    ):
        same = (quantity.symbol, quantity.expression)
        others = (
            part
            for part in whole(claim)
            if same not in [(x.symbol, x.expression) for x in part.quantities]
        )
        if any(quantity.symbol in x.free_symbols for part in others for x in expressions(part)):
            answer = Answer("open", "a hypothesis has a formula of its own for it")
            parts.append(Ruling(str(quantity.symbol), answer))
    if (algorithm := followed(claim)) is not None:
        parts.append(Ruling(algorithm.title, instance.follows(algorithm)))
    if claim.quantifier:
        # What a claim says of some letters, or of few of them, one instance does not break.
        answer = instance.within(claim.quantifier) if claim.quantifier.within else HOLDS
        parts.append(Ruling(f"the range, {typed(claim.quantifier.latex)}", answer))
    return Met((*parts, Ruling("the domain", instance.on_domain())))


def followed(claim: Claim) -> Algorithm | None:
    """The algorithm whose steps a claim's iterates are.

    It is the one that the claim names, even if the claim lacks its step size, and else that of
    `algorithm_of`.
    """
    return claim.algorithm if isinstance(claim.algorithm, Algorithm) else algorithm_of(claim)


def hypothesis_in(instance: Instance, hypothesis: Claim) -> Answer:
    """Decide whether a hypothesis holds in an instance.

    Its word decides; else its parts; else what it says at each time. What it rests on must hold
    too. A word from
    outside decides nothing: what it says would have to be believed.
    """
    word = word_of(hypothesis)
    if word is not None and word.decided is not None and is_ours(word):
        return word.decided(instance, word, hypothesis)
    rests = reduce(
        Answer.__and__, (hypothesis_in(instance, each) for each in hypothesis.hypotheses), HOLDS
    )
    if conjuncts(hypothesis):
        return rests
    if hypothesis.hypotheses and hypothesis.id not in catalogue and rests != HOLDS:
        # Of one's own: a reader may take it as said only where that holds on which it rests.
        said = hypothesis_in(instance, replace(hypothesis, hypotheses=()))
        if said != HOLDS:
            return Answer("open", "it is not known to hold where that does on which it rests")
        return rests
    # Its letters are constants, iterates and t: it says something of each time at most.
    range_ = hypothesis.quantifier
    is_of_times = {t}.issuperset(range_.letters) and not range_.within
    if is_of_times and hypothesis.algorithm is None:
        if any(
            instance.decide(written_out(hypothesis, each)) != HOLDS
            for each in hypothesis.conditions
        ):
            return Answer("open", "its own conditions are not known to hold")
        return rests & instance.decide(written_out(hypothesis, hypothesis.conclusion))
    return rests & instance.ranges(hypothesis)


def written_out(claim: Claim, relation: Any) -> Any:
    """A relation of a claim with its formulas in place of its quantities.

    Raises InputError where SymPy cannot compare them.
    """
    try:
        return relation.xreplace(
            {each.symbol: claim.expression(each.name) for each in claim.quantities}
        )
    except TypeError as error:
        # For example, a number is not real.
        raise InputError("claim", relation, f"a relation between real numbers ({error})") from None
