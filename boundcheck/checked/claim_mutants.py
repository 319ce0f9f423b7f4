"""Mutants of claims, each tried by the whole proof script of the claim: formulas edited, hypotheses dropped."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import islice, takewhile
from typing import Any

import sympy as sp

from boundcheck import proofs
from boundcheck.checked.edits import KINDS, Change, mixed_up, of_expression, with_formula, written_out
from boundcheck.checked.exact_models import ExactModel, descents, worlds
from boundcheck.checked.exact_models.exact_model import broken, composites
from boundcheck.checked.exact_models.theorems import runs_of
from boundcheck.checked.scripts import answer, mixed_worlds, refutes, scripts
from boundcheck.checked.trial import Answer, Mutant, varied
from boundcheck.errors import BoundcheckError, InputError
from boundcheck.exact.evaluate import rational_value
from boundcheck.kernel import KernelError, Law, Statement
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import T
from boundcheck.proof import Script, judge
from boundcheck.proof.verdict import judge_any

BOUNDED_BELOW = catalogue["jiang2024.bounded_below"]

_FACTORS = [sp.Rational(*x) for x in ((9, 10), (17, 25), (1, 4), (1, 20), (4, 1))]
# A run has a step size of its own. It must be the one that the edited claim prescribes.
_KEPT = frozenset({"alpha"})
# Where a hypothesis was dropped: how many worlds are broken, and how far L may be understated.
_SEEDS = 24
_UNDERSTATED = Fraction(1, 9)


@dataclass(frozen=True, eq=False)
class ClaimMutant(Mutant):
    """The claim of a script, changed.

    Attributes:
        world: of a false one, where the hypotheses that are left hold and the claim fails.
        dropped: the ids of the hypotheses that it is without.

    """

    layer = "proof"
    script: Script
    claim: Claim
    world: ExactModel | None = None
    dropped: frozenset[str] = frozenset()

    def ask(self) -> Answer:
        """The verdict on the whole script; and whether a world refutes the claim."""
        script, claim = self.script, self.claim
        verdict = verdict_on(script, claim)
        proved = verdict == "proved"
        if self.world is None:
            return answer(True, proved, verdict == "refuted" or false_in(claim, script, runs_for(claim)) is not None)
        conclusion = written_out(claim.conclusion, claim.quantities, _KEPT)
        hypotheses = hypotheses_of(script, self.dropped)
        return answer(False, proved, not proved and refutes(self.world, conclusion, script.proof, hypotheses))


@cache
def provable() -> tuple[Script, ...]:
    """The scripts that prove a claim with a formula."""
    return tuple(x for x in scripts() if x.claim and x.claim.quantities and judge(x).verdict == "proved")


def claim_edits(claim: Claim) -> Iterator[tuple[str, Change]]:
    """For each quantity of a claim, its name and an edit of its formula."""
    for name, formula in ((x.name, x.expression) for x in claim.quantities):
        for factor in _FACTORS:
            yield name, Change("scale quantity", f"{name} by {factor}", sp.Mul(factor, formula, evaluate=False))
        yield from ((name, replace(edit, where=f"{name}: {edit.where}")) for edit in of_expression(formula))


def false_edits(script: Script, most: int | None = None) -> Iterator[ClaimMutant]:
    """At most `most` edits of a script's claim that a world shows to be false, in a mixed order."""
    claim = _claim(script)
    changes = ((with_formula(claim, name, edit.result), edit) for name, edit in mixed_up(list(claim_edits(claim))))
    tried = (
        _false(script, KINDS[edit.kind], edit.where, other, _fitting(script) or runs_for(other))
        for other, edit in changes
    )
    return islice(filter(None, tried), most)


def _false(
    script: Script,
    kind: str,
    change: str,
    claim: Claim,
    worlds: Sequence[ExactModel],
    dropped: frozenset[str] = frozenset(),
) -> ClaimMutant | None:
    """The changed claim, where one of the worlds shows it to be false."""
    world = false_in(claim, script, worlds, dropped)
    if world is None:
        return None
    return ClaimMutant(_name(script), kind, change, False, world.about, script, claim, world, dropped)


@cache
def _fitting(script: Script) -> tuple[ExactModel, ...]:
    """The worlds in which the hypotheses of a claim hold; none where the claim prescribes the step size of a run."""
    if any(x.name == "alpha" for x in _claim(script).quantities):
        return ()
    hypotheses = hypotheses_of(script)
    return tuple(x for x in mixed_worlds() if x.allows(hypotheses, script.proof))


def without_hypothesis(script: Script) -> Iterator[ClaimMutant]:
    """The claim without one of its hypotheses or conditions, where a world that breaks it shows the rest to be false.

    Its id is not in the catalogue, which fixes what a proof of its own claims may start from.
    """
    claim, fitting = _claim(script), _fitting(script)
    kind = "hypothesis dropped"
    # A hypothesis that the script replaces by another is no longer its own.
    for lost in (x for x in claim.hypotheses if x.id not in script.instead):
        dropped = frozenset({lost.id, *(x.id for x in lost.hypotheses)})
        other = _renamed(script, tuple(x for x in claim.hypotheses if x is not lost))
        names = {x.name for part in (lost, *lost.hypotheses) for x in part.conclusion.free_symbols}
        worlds = [y for x in fitting[:_SEEDS] for y in broken(x) if y.changed <= names]
        if found := _false(script, kind, lost.title, other, worlds or runs_for(other, _UNDERSTATED), dropped):
            yield found
    for condition in claim.conditions:
        other = replace(_renamed(script), conditions=tuple(x for x in claim.conditions if x is not condition))
        if found := _false(script, kind, str(condition), other, fitting or runs_for(other)):
            yield found


def true_claims(script: Script) -> Iterator[ClaimMutant]:
    """Variations of the claim that are true because it is."""
    for each in _variations(script):
        why = f"follows from the proved claim: {each.kind}, {each.where}"
        yield ClaimMutant(_name(script), varied(each.kind), each.where, True, why, script, each.result)


def _variations(script: Script) -> Iterator[Change]:
    claim = _claim(script)
    names = [x.name for x in claim.quantities]
    last = names[-1]
    for factor in (sp.Rational(11, 10), sp.Integer(3)):
        # A larger bound is weaker. A larger L̂ stays true: F is smooth with any larger constant.
        yield Change("looser", f"{last} by {factor}", _times(claim, last, factor))
        if last != names[0] == "Lhat":
            yield Change("looser", f"Lhat by {factor}, and all that is made of it", _times(claim, "Lhat", factor))
        if "T_min" in names:
            yield Change("hypothesis strengthened", f"T_min by {factor}", _times(claim, "T_min", factor))
    formula = claim.quantities[-1].expression
    rewritten = sp.Mul(sp.Rational(1, 2), sp.Add(formula, formula, evaluate=False), evaluate=False)
    yield Change("rewritten", f"{last} as half of its double", with_formula(claim, last, rewritten))
    more = (*claim.conditions, sp.Ge(T, 3, evaluate=False))
    yield Change("hypothesis strengthened", "T >= 3 besides", replace(claim, conditions=more))
    extra = (*claim.hypotheses, BOUNDED_BELOW)
    yield Change("hypothesis strengthened", f"{BOUNDED_BELOW.title} besides", _renamed(script, extra))
    yield Change("renamed", "another id", _renamed(script))


def _times(claim: Claim, name: str, factor: sp.Rational) -> Claim:
    formula = next(x.expression for x in claim.quantities if x.name == name)
    return with_formula(claim, name, sp.Mul(factor, formula, evaluate=False))


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


def _name(script: Script) -> str:
    return f"{script.id}, {script.version}"


# Where a changed claim is false, and what its script proves of it


def hypotheses_of(script: Script, dropped: frozenset[str] = frozenset()) -> list[Statement]:
    """The hypotheses of the script's conclusion, but for the claim's own formulas and conditions, and dropped ones."""
    proof, claim = script.proof, script.claim
    if claim is None or proof.conclusion is None:
        raise InputError("script", script.id, "one that proves a claim")
    defined = {each.symbol for each in claim.quantities}
    stale = {
        each.statement
        for each in proof.assumptions
        if each.relation in claim.conditions
        or (each.role == "definition" and each.relation.lhs in defined)
        or (each.claim is not None and each.claim.id in dropped)
    }
    # Premises that the script does not assume are those of its law about the points.
    named = {each.claim.id for each in proof.assumptions if each.claim is not None}
    local = proof.goal.premises if isinstance(proof.goal, Law) and (not dropped or dropped & named) else ()
    return [*(proof.conclusion.hypotheses - stale), *local]


def false_in(
    claim: Claim, script: Script, candidates: Iterable[ExactModel], dropped: frozenset[str] = frozenset()
) -> ExactModel | None:
    """A world in which this claim is false, and the hypotheses of the script's conclusion hold but for dropped ones.

    The claim is false there both as the kernel reads it and as `boundcheck.exact.evaluate` does.
    """
    hypotheses = hypotheses_of(script, dropped)
    quantities, reading = claim.quantities, script.proof.reading
    relations = [written_out(x, quantities, _KEPT) for x in claim.conditions]
    step = next((q for q in quantities if q.name == "alpha"), None)
    if step is not None:
        value = written_out(step.expression, quantities[: quantities.index(step)])
        relations.append(sp.Eq(step.symbol, value, evaluate=False))
    conclusion = written_out(claim.conclusion, quantities, _KEPT)
    try:
        wanted = reading.fact(conclusion)
        needed = [reading.fact(x) for x in relations]
    except (InputError, KernelError):
        return None
    hidden = composites(script.proof)
    for world in candidates:
        if (
            all(world.meets(x) for x in needed)
            and world.refutes(wanted)
            and world.says(conclusion, hidden) is False
            and False not in [world.says(x, hidden) for x in relations]
            and world.allows(hypotheses, script.proof)
        ):
            return world
    return None


@cache
def runs_for(claim: Claim, understated: Fraction = Fraction(1)) -> tuple[ExactModel, ...]:
    """Runs with the step size that a claim prescribes; `descents` says what it means to understate L."""
    before = tuple(takewhile(lambda q: q.name != "alpha", claim.quantities))
    if len(before) == len(claim.quantities):
        return (*worlds(), *runs_of(claim, understated))

    formula = written_out(claim.quantities[len(before)].expression, before)

    def step(numbers: Mapping[str, Fraction]) -> Fraction | None:
        # Only some of the runs have a given step.
        known = {x.name for x in formula.free_symbols} <= set(numbers)
        value = rational_value(formula, numbers) if known else None
        return value if value and value > 0 else None

    return (*filter(None, (build(step) for build in descents(understated))), *runs_of(claim, understated))


def patches(script: Script, claim: Claim) -> Iterator[tuple[Any, str, Any]]:
    """The settings in the scripts' modules that exchange the script's claim: module, name, value.

    Other scripts forget what they have proved, so that they prove it again where it is cited.
    """
    fresh = {id(each): replace(each, claim=claim if each.claim is script.claim else each.claim) for each in scripts()}
    for module in [x for name, x in sys.modules.items() if name.startswith(f"{proofs.__name__}.")]:
        for name, value in list(vars(module).items()):
            if value is script.claim:
                yield module, name, claim
            elif isinstance(value, Script) and id(value) in fresh:
                yield module, name, fresh[id(value)]


_STOPS = (BoundcheckError, KernelError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@contextmanager
def _patched(script: Script, claim: Claim) -> Iterator[None]:
    before = [(module, name, vars(module)[name], value) for module, name, value in patches(script, claim)]
    try:
        for module, name, _, value in before:
            setattr(module, name, value)
        yield
    finally:
        for module, name, value, _ in before:
            setattr(module, name, value)


def verdict_on(script: Script, claim: Claim) -> str:
    """The verdict on the script with another claim, wherever scripts name it; or the error that stops it."""
    with _patched(script, claim):
        try:
            return judge_any(replace(script, claim=claim)).verdict
        except _STOPS as error:
            # A script that stops proves nothing.
            return f"{type(error).__name__}: {error}"
