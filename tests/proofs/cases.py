"""False edits of the lines of proof scripts, each shown to be false in a world in which its premises hold."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from hashlib import sha256
from itertools import takewhile
from typing import Any, TypeVar

import sympy as sp

from boundcheck.claims import Claim, Quantity
from boundcheck.errors import BoundcheckError, InputError
from boundcheck.kernel import Fact, KernelError, Law, Statement, Theorem
from boundcheck.prove import Script, judge
from boundcheck.prove.proof import Because, Step
from boundcheck.prove.script import of_paper
from tests.proofs.edits import Edit, of_expression, of_relation
from tests.proofs.models import World, descents, worlds

Item = TypeVar("Item")

PAPER = "jiang2024"
SCRIPTS: list[Script] = of_paper(PAPER)
NAMES = [f"{each.id}, {each.version}" for each in SCRIPTS]


@dataclass(frozen=True)
class Line:
    """A proved line with its script, its own fact and what its premises rest on."""

    script: Script
    step: Step
    because: Because
    fact: Fact
    hypotheses: frozenset[Statement]

    @property
    def key(self) -> tuple[Fact, frozenset[Statement]]:
        return self.fact, frozenset(x.conclusion for x in self.because.premises)

    def allowed(self, most: int) -> list[World]:
        """Up to so many worlds that value the line, and in which all that the premises rest on holds."""
        found: list[World] = []
        for world in mixed():
            if len(found) == most:
                break
            if world.values(self.fact) and world.allows(self.hypotheses, self.script.proof):
                found.append(world)
        return found


@dataclass(frozen=True)
class FalseEdit:
    """An edit of a line, its translation, and the world in which it is false."""

    line: Line
    edit: Edit
    fact: Fact
    world: World

    def accepted(self) -> Theorem | None:
        """What the search makes of the edit, where it rests on nothing but the proof's assumptions."""
        proof = self.line.script.proof
        theorem = proof.close(self.edit.result, self.line.because)
        known = {each.statement for each in proof.assumptions}
        return theorem if theorem is not None and theorem.hypotheses <= known else None

    def __str__(self) -> str:
        where = f"{self.line.script.id}, {self.line.script.version}, {self.line.step.label}"
        return f"{where}: {self.edit}, false in: {self.world.about}"


@cache
def mixed() -> tuple[World, ...]:
    """All worlds, in an order that is fixed and mixed."""
    return tuple(mixed_up(worlds()))


def mixed_up(items: Sequence[Item]) -> list[Item]:
    """The same items in an order that is fixed and mixed."""
    order = sorted(range(len(items)), key=lambda place: sha256(str(place).encode()).hexdigest())
    return [items[place] for place in order]


@cache
def lines(script: Script) -> tuple[Line, ...]:
    """The lines of a script that are proved by a search, each once."""
    found: dict[Any, Line] = {}
    for judged in judge(script).steps:
        step = judged.step
        if judged.verdict == "proved" and step.because is not None:
            hypotheses = frozenset().union(*(x.hypotheses for x in step.because.premises))
            line = Line(script, step, step.because, script.proof.reading.fact(step.relation), hypotheses)
            found.setdefault(line.key, line)
    return tuple(found.values())


def new_lines(script: Script) -> list[Line]:
    """Those lines that no earlier script has."""
    earlier = {line.key for each in SCRIPTS[: SCRIPTS.index(script)] for line in lines(each)}
    return [line for line in lines(script) if line.key not in earlier]


def translated(line: Line) -> Iterator[tuple[Edit, Fact]]:
    """The edits of a line that the vocabulary can say, and that say something else; in a mixed order."""
    seen = {line.fact}
    for edit in mixed_up(of_relation(line.step.relation)):
        try:
            fact = line.script.proof.reading.fact(edit.result)
        except (InputError, KernelError):
            continue
        if fact not in seen:
            seen.add(fact)
            yield edit, fact


def shown_false(line: Line, most_worlds: int) -> Iterator[FalseEdit]:
    """The edits of a line that a world shows to be false."""
    allowed = line.allowed(most_worlds)
    for edit, fact in translated(line):
        world = next((x for x in allowed if x.refutes(fact)), None)
        if world is not None:
            yield FalseEdit(line, edit, fact, world)


# Edits of a claim, through a whole script.

_FACTORS = [sp.Rational(*x) for x in ((9, 10), (17, 25), (1, 4), (1, 20), (4, 1))]


def claim_edits(claim: Claim) -> Iterator[tuple[int, Edit]]:
    """For each quantity of a claim, its number and an edit of its formula."""
    for i, quantity in enumerate(claim.quantities):
        expression = quantity.expression
        for factor in _FACTORS:
            yield i, Edit("scale quantity", f"{quantity.name} by {factor}", sp.Mul(factor, expression, evaluate=False))
        yield from ((i, replace(edit, where=f"{quantity.name}: {edit.where}")) for edit in of_expression(expression))


def scaled_to(expression: sp.Expr, constant: sp.Rational) -> sp.Expr:
    """A product with a rational factor, with another one in its place."""
    rest = [x for x in expression.args if not isinstance(x, sp.Rational)]
    return sp.Mul(constant, *rest, evaluate=False)


def edited(claim: Claim, place: int, expression: sp.Expr) -> Claim:
    """The claim with another formula for one of its quantities."""
    quantities = list(claim.quantities)
    quantities[place] = replace(quantities[place], expression=expression)
    return replace(claim, quantities=tuple(quantities))


def written_out(expression: sp.Basic, quantities: tuple[Quantity, ...], keep: frozenset[str] = frozenset()) -> sp.Basic:
    """The expression with the quantities' formulas put in, the last ones first; but for those to `keep`."""
    for quantity in reversed(quantities):
        if quantity.name not in keep:
            expression = _replaced(expression, quantity)
    return expression


def _replaced(expression: sp.Basic, quantity: Quantity) -> sp.Basic:
    if expression == quantity.symbol:
        return quantity.expression
    if not expression.has(quantity.symbol):
        return expression
    args = [_replaced(x, quantity) for x in expression.args]
    if isinstance(expression, sp.Add | sp.Mul | sp.Pow | sp.Rel):
        return expression.func(*args, evaluate=False)
    return expression.func(*args)


def refuted(claim: Claim, script: Script, candidates: Iterable[World]) -> World | None:
    """A world in which the hypotheses of a script's conclusion hold, and the edited claim is false."""
    proof = script.proof
    assert script.claim is not None
    assert proof.conclusion is not None
    defined = {each.symbol for each in claim.quantities}
    stale = {
        each.statement
        for each in proof.assumptions
        if each.relation in script.claim.conditions or (each.role == "definition" and each.relation.lhs in defined)
    }
    law = proof.goal if isinstance(proof.goal, Law) else None
    hypotheses = [*(proof.conclusion.hypotheses - stale), *(law.premises if law else ())]
    quantities, reading = claim.quantities, proof.reading
    # The step size is the run's own, and must be what the edited claim says it is.
    keep = frozenset({"alpha"})
    try:
        wanted = reading.fact(written_out(claim.conclusion, quantities, keep))
        needed = [reading.fact(written_out(x, quantities, keep)) for x in claim.conditions]
        step = next((q for q in quantities if q.name == "alpha"), None)
        if step is not None:
            value = written_out(step.expression, quantities[: quantities.index(step)])
            needed.append(reading.fact(sp.Eq(step.symbol, value, evaluate=False)))
    except (InputError, KernelError):
        return None
    for world in candidates:
        if all(world.meets(x) for x in needed) and world.refutes(wanted) and world.allows(hypotheses, proof):
            return world
    return None


@cache
def runs_for(claim: Claim) -> tuple[World, ...]:
    """Runs with the step size that a claim, or an edited one, prescribes."""
    before = tuple(takewhile(lambda q: q.name != "alpha", claim.quantities))
    if len(before) == len(claim.quantities):
        return worlds()

    def step(numbers: Mapping[str, Fraction]) -> Fraction | None:
        value = exact_value(written_out(claim.quantities[len(before)].expression, before), numbers)
        return value if value and value > 0 else None

    return tuple(filter(None, (build(step) for build in descents())))


def exact_value(expression: sp.Expr, numbers: Mapping[str, Fraction]) -> Fraction | None:
    """The value of a formula, where it is rational."""
    values = {x: sp.Rational(numbers[x.name].numerator, numbers[x.name].denominator) for x in expression.free_symbols}
    value = sp.sympify(expression.subs(values)).doit()
    return Fraction(int(value.p), int(value.q)) if isinstance(value, sp.Rational) else None


def patches(script: Script, claim: Claim) -> Iterator[tuple[Any, str, Any]]:
    """What to set in the scripts' modules for the script's claim to be another one: module, name, value.

    Other scripts forget what they have proved, so that it is proved again where it is cited.
    """
    fresh = {id(each): replace(each, claim=claim if each.claim is script.claim else each.claim) for each in SCRIPTS}
    for module in [x for name, x in sys.modules.items() if name.startswith(f"boundcheck_proofs.{PAPER}")]:
        for name, value in list(vars(module).items()):
            if value is script.claim:
                yield module, name, claim
            elif isinstance(value, Script) and id(value) in fresh:
                yield module, name, fresh[id(value)]


def verdict_on(script: Script, claim: Claim) -> str:
    """The verdict on the script with another claim, or the error that stops it. The modules must be patched."""
    try:
        return judge(replace(script, claim=claim)).verdict
    except (BoundcheckError, KernelError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # What stops proves nothing.
        return f"{type(error).__name__}: {error}"


def false_claims(script: Script) -> Iterator[tuple[Edit, Claim, World]]:
    """The edits of a script's claim that a world shows to be false, in a mixed order."""
    assert script.claim is not None
    for place, edit in mixed_up(list(claim_edits(script.claim))):
        claim = edited(script.claim, place, edit.result)
        world = refuted(claim, script, runs_for(claim))
        if world is not None:
            yield edit, claim, world
