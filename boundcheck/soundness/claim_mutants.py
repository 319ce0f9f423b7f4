"""Mutants of claims, for whole proof scripts: formulas edited, hypotheses dropped; and variations that stay true."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import islice

import sympy as sp

from boundcheck.claims import Claim, catalogue
from boundcheck.claims.symbols import T
from boundcheck.kernel import Law
from boundcheck.prove import Script, judge
from boundcheck.soundness.edited import claim_edits, edited, false_in, hypotheses_of, runs_for
from boundcheck.soundness.edits import KINDS
from boundcheck.soundness.lines import mixed, mixed_up, scripts
from boundcheck.soundness.worlds import World
from boundcheck.soundness.worlds.broken import broken

BOUNDED_BELOW = catalogue["jiang2024.bounded_below"]

# Worlds whose broken ones are tried where a hypothesis was dropped, and by how much L may be understated.
_SEEDS = 24
_UNDERSTATED = Fraction(1, 9)


@dataclass(frozen=True, eq=False)
class ClaimMutant:
    """The claim of a script, changed.

    Attributes:
        world: of a false one, where the hypotheses that are left hold and the claim fails.
        truth: of a true one, why it is true.
        dropped: the ids of the hypotheses that it is without.

    """

    script: Script
    kind: str
    change: str
    claim: Claim
    world: World | None = None
    truth: str = ""
    dropped: frozenset[str] = frozenset()

    def __str__(self) -> str:
        why = f"false in: {self.world.about}" if self.world else self.truth
        return f"{self.script.id}, {self.script.version}: {self.kind}, {self.change}; {why}"


@cache
def provable() -> tuple[Script, ...]:
    """The scripts that prove a claim with a formula."""
    return tuple(x for x in scripts() if x.claim and x.claim.quantities and judge(x).verdict == "proved")


def false_edits(script: Script, most: int | None = None) -> Iterator[ClaimMutant]:
    """Up to so many edits of a script's claim that a world shows to be false, in a mixed order."""
    return islice(_false_edits(script), most)


def _false_edits(script: Script) -> Iterator[ClaimMutant]:
    claim = _claim(script)
    for place, edit in mixed_up(list(claim_edits(claim))):
        other = edited(claim, place, edit.result)
        world = false_in(other, script, _fitting(script) or runs_for(other))
        if world is not None:
            yield ClaimMutant(script, KINDS[edit.kind], edit.where, other, world)


@cache
def _fitting(script: Script) -> tuple[World, ...]:
    """The worlds in which the hypotheses of a claim hold; none where the claim prescribes the step size of a run."""
    if any(x.name == "alpha" for x in _claim(script).quantities):
        return ()
    hypotheses = hypotheses_of(script)
    return tuple(x for x in mixed() if x.allows(hypotheses, script.proof))


def without_hypothesis(script: Script) -> Iterator[ClaimMutant]:
    """The claim without one of its hypotheses or conditions, where a world that breaks it shows the rest to be false.

    It has another id than the catalogue's, for which it is fixed what a proof may start from.
    """
    claim = _claim(script)
    fitting = _fitting(script)
    # What the script replaces by another hypothesis is no longer its own.
    for lost in (x for x in claim.hypotheses if x.id not in script.instead):
        dropped = frozenset({lost.id, *(x.id for x in lost.hypotheses)})
        kept = tuple(x for x in claim.hypotheses if x is not lost)
        other = _renamed(script, kept)
        names = {x.name for part in (lost, *lost.hypotheses) for x in part.conclusion.free_symbols}
        broken_ones = [y for x in fitting[:_SEEDS] for y in broken(x) if y.changed <= names]
        world = false_in(other, script, broken_ones or runs_for(other, _UNDERSTATED), dropped)
        if world is not None:
            yield ClaimMutant(script, "hypothesis dropped", lost.title, other, world, dropped=dropped)
    for lost_condition in claim.conditions:
        kept_conditions = tuple(x for x in claim.conditions if x is not lost_condition)
        other = replace(_renamed(script), conditions=kept_conditions)
        world = false_in(other, script, fitting or runs_for(other))
        if world is not None:
            yield ClaimMutant(script, "hypothesis dropped", str(lost_condition), other, world)


def true_claims(script: Script) -> Iterator[ClaimMutant]:
    """Variations of the claim that are true because it is."""
    for kind, change, other in _true(script):
        yield ClaimMutant(script, kind, change, other, truth=f"follows from the proved claim: {kind}, {change}")


def _true(script: Script) -> Iterator[tuple[str, str, Claim]]:
    claim = _claim(script)
    names = [x.name for x in claim.quantities]
    last = len(names) - 1
    for factor in (sp.Rational(11, 10), sp.Integer(3)):
        # A larger bound is weaker; so is what a larger L̂ prescribes, as F is smooth with any larger constant.
        yield "looser", f"{names[last]} by {factor}", _times(claim, last, factor)
        if last > 0 and names[0] == "Lhat":
            yield "looser", f"Lhat by {factor}, and all that is made of it", _times(claim, 0, factor)
        if "T_min" in names:
            yield "hypothesis strengthened", f"T_min by {factor}", _times(claim, names.index("T_min"), factor)
    formula = claim.quantities[last].expression
    rewritten = sp.Mul(sp.Rational(1, 2), sp.Add(formula, formula, evaluate=False), evaluate=False)
    yield "rewritten", f"{names[last]} as half of its double", edited(claim, last, rewritten)
    more = (*claim.conditions, sp.Ge(T, 3, evaluate=False))
    yield "hypothesis strengthened", "T >= 3 besides", replace(claim, conditions=more)
    extra = (*claim.hypotheses, BOUNDED_BELOW)
    yield "hypothesis strengthened", f"{BOUNDED_BELOW.title} besides", _renamed(script, extra)
    yield "renamed", "another id", _renamed(script)


def _times(claim: Claim, place: int, factor: sp.Rational) -> Claim:
    return edited(claim, place, sp.Mul(factor, claim.quantities[place].expression, evaluate=False))


def _renamed(script: Script, hypotheses: Sequence[Claim] | None = None) -> Claim:
    """The claim under another id, with these hypotheses or its own.

    What a claim of the catalogue says in words, such as that F(v) is f(W), another claim must state.
    """
    claim = _claim(script)
    settings = [
        Claim(
            "mutant.setting",
            x.name,
            "",
            x.relation,
            f"for all {', '.join(map(str, x.relation.atoms(sp.MatrixSymbol)))}",
        )
        for x in script.proof.assumptions
        if isinstance(x.statement, Law) and x.role == "definition"
    ]
    kept = claim.hypotheses if hypotheses is None else hypotheses
    return replace(claim, id=f"mutant.of.{claim.id}", hypotheses=(*kept, *settings))


def _claim(script: Script) -> Claim:
    if script.claim is None:
        raise ValueError(f"{script.id} proves no claim")
    return script.claim
