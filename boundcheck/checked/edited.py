"""A changed claim and the whole proof script of the original: where the claim is false, and whether it is proved."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import takewhile
from typing import Any

import sympy as sp

from boundcheck import proofs
from boundcheck.checked.edits import rebuilt
from boundcheck.checked.scripts import scripts
from boundcheck.checked.worlds import World, descents, worlds
from boundcheck.checked.worlds.theorems import runs_of
from boundcheck.checked.worlds.world import composites
from boundcheck.claims import Claim, Quantity
from boundcheck.errors import BoundcheckError, InputError
from boundcheck.exact.evaluate import rational_value
from boundcheck.kernel import KernelError, Law, Statement
from boundcheck.prove import Script
from boundcheck.prove.verdict import judge_any


def written_out(expression: sp.Basic, quantities: tuple[Quantity, ...], keep: frozenset[str] = frozenset()) -> sp.Basic:
    """The expression with formulas in place of quantities, the last ones first; those in `keep` stay."""
    for quantity in reversed(quantities):
        if quantity.name not in keep:
            expression = _replaced(expression, quantity)
    return expression


def _replaced(expression: sp.Basic, quantity: Quantity) -> sp.Basic:
    if expression == quantity.symbol:
        return quantity.expression
    if not expression.has(quantity.symbol):
        return expression
    return rebuilt(expression, [_replaced(x, quantity) for x in expression.args])


def hypotheses_of(script: Script, dropped: frozenset[str] = frozenset()) -> list[Statement]:
    """What the script's conclusion rests on, without the claim's own formulas and conditions, and what is dropped."""
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
    claim: Claim, script: Script, candidates: Iterable[World], dropped: frozenset[str] = frozenset()
) -> World | None:
    """A world in which this claim is false, and the hypotheses of the script's conclusion hold but for dropped ones.

    The claim is false there both as the kernel reads it and as `boundcheck.exact.evaluate` does.
    """
    hypotheses = hypotheses_of(script, dropped)
    quantities, reading = claim.quantities, script.proof.reading
    # A run has a step size of its own. It must be the one that the edited claim prescribes.
    keep = frozenset({"alpha"})
    relations = [written_out(x, quantities, keep) for x in claim.conditions]
    step = next((q for q in quantities if q.name == "alpha"), None)
    if step is not None:
        value = written_out(step.expression, quantities[: quantities.index(step)])
        relations.append(sp.Eq(step.symbol, value, evaluate=False))
    conclusion = written_out(claim.conclusion, quantities, keep)
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
def runs_for(claim: Claim, understated: Fraction = Fraction(1)) -> tuple[World, ...]:
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
    """What to set in the scripts' modules to exchange the script's claim: module, name, value.

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
