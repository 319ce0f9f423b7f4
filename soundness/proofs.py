"""Mutants of proofs: a changed line, a line with fewer premises, and a changed claim with its whole
script.

A false line is false twice over: as the kernel's terms are meant (`boundcheck.kernel.meaning`), and
as the sympy relation is evaluated without the kernel or the translation (`ExactModel.says`).
Nothing is drawn.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import islice, takewhile

import sympy as sp

from boundcheck.errors import BoundcheckError, InputError
from boundcheck.exact.evaluate import rational_value
from boundcheck.kernel import Fact, KernelError, Law, Statement, Theorem
from boundcheck.language.claim import Claim
from boundcheck.language.prose import plain
from boundcheck.language.symbols import T
from boundcheck.proof import Proof, Script, judge
from boundcheck.proof.certificate import signs
from boundcheck.proof.proof import Step
from boundcheck.proof.script import of_paper
from boundcheck.proof.solver import counterexample
from boundcheck.proof.verdict import judge_any
from boundcheck.proofs import papers
from soundness import edits
from soundness.exact_model import ExactModel, broken, composites
from soundness.exact_models import descents, runs_of, worlds
from soundness.trial import Answer, Mutant, varied

# A true variation is held against so many models, and z3 looks for a counterexample to it for so
# many seconds.
_WORLDS = 6
_SECONDS = 0.5
# How many mutants of a line are tried. With more premises the search for a proof that does not
# exist takes longer.
_FEW = 1
_SOME = 3
_MANY = 5
_TRUE = 4
# Edits of a claim, each of which runs its whole script.
_EDITS = 3


# The scripts of all papers, their proved lines, and the models that these are held against


@cache
def scripts() -> tuple[Script, ...]:
    """All scripts of the papers in `proofs/`, once per process."""
    return tuple(each for key, paper in papers().items() if paper.is_ours for each in of_paper(key))


@cache
def mixed_worlds() -> tuple[ExactModel, ...]:
    """All exact models, in an order that is fixed and mixed."""
    return tuple(edits.mixed_up(worlds()))


@dataclass(frozen=True, eq=False)
class Line:
    """A proved line with its script, its own fact and what its premises rest on."""

    script: Script
    step: Step
    premises: tuple[Theorem, ...]
    fact: Fact
    hypotheses: frozenset[Statement]

    @property
    def key(self) -> tuple[Fact, frozenset[Statement]]:
        """The fact, and the conclusions that it follows from."""
        return self.fact, frozenset(x.conclusion for x in self.premises)

    @property
    def name(self) -> str:
        """Script, version and label."""
        return f"{self.script.id}, {self.script.version}, {plain(self.step.label)}"

    @property
    def composite(self) -> frozenset[str]:
        """The matrix letters that the proof reads as more than a matrix of their own."""
        return composites(self.script.proof)

    def allowing(
        self, candidates: Iterable[ExactModel], hypotheses: frozenset[Statement]
    ) -> Iterator[ExactModel]:
        """The candidates that have a value for the line, and in which these hypotheses hold."""
        proof = self.script.proof
        return (x for x in candidates if x.values(self.fact) and x.allows(hypotheses, proof))


def _rest_on(premises: Iterable[Theorem]) -> frozenset[Statement]:
    return frozenset[Statement]().union(*(x.hypotheses for x in premises))


@cache
def allowed(line: Line, most: int) -> tuple[ExactModel, ...]:
    """At most `most` models that have a value for the line, and in which all that its premises rest
    on holds.
    """
    return tuple(islice(line.allowing(mixed_worlds(), line.hypotheses), most))


@cache
def lines(script: Script) -> tuple[Line, ...]:
    """The lines of a script that are proved by a search, each once."""
    found: dict[tuple[Fact, frozenset[Statement]], Line] = {}
    for judged in judge(script).steps:
        step = judged.step
        if judged.verdict == "proved" and step.premises is not None:
            hypotheses = step.theorem.hypotheses if step.then else _rest_on(step.premises)
            line = Line(
                script, step, step.premises, script.proof.reading.fact(step.relation), hypotheses
            )
            found.setdefault(line.key, line)
    return tuple(found.values())


@cache
def all_lines() -> tuple[Line, ...]:
    """Each line of all scripts once, in the order of the scripts."""
    found: dict[tuple[Fact, frozenset[Statement]], Line] = {}
    for line in (line for script in scripts() for line in lines(script)):
        found.setdefault(line.key, line)
    return tuple(found.values())


def refutes(
    world: ExactModel, relation: sp.Basic, proof: Proof, hypotheses: Collection[Statement]
) -> bool:
    """True if the model refutes a step that says the relation, under these hypotheses of a
    proof.
    """
    # It was chosen because the laws hold in it. The verdict believes no witness about laws, and
    # gets facts only.
    facts = [
        x for x in proof.assumptions if x.statement in hypotheses and isinstance(x.statement, Fact)
    ]

    def build(mutant: Proof) -> None:
        mutant.assumptions += facts
        mutant.step("mutant", relation, witness=world.witness)

    (step,) = judge(Script("mutant", "printed", "", None, proof.reading, build)).steps
    return step.verdict == "refuted"


def answer(true: bool, proved: bool, refuted: bool = False) -> Answer:
    """The answer of the proof layer. Of a false mutant it is enough that it is not proved."""
    outcome = "refuted" if refuted else "proved" if proved else "not proved"
    return Answer(outcome, accepts=proved, rejects=refuted if true else not proved)


# Mutants of lines


class DisagreementError(BoundcheckError):
    """A relation and its translation to the kernel have different truth values in a model: a bug of
    one of the two.
    """


@dataclass(frozen=True, eq=False)
class LineMutant(Mutant):
    """A changed line, or a line with fewer premises.

    Attributes:
        relation, fact: what is claimed.
        premises: from what it should follow; of an induction at t = 1.
        hypotheses: what these premises rest on.
        world: of a false one, where all of the hypotheses hold and the relation fails.
        uses: of a true one, what holds anyway and makes it follow from the line.

    """

    layer = "proof"
    line: Line
    relation: sp.Basic
    fact: Fact
    premises: tuple[Theorem, ...]
    hypotheses: frozenset[Statement]
    world: ExactModel | None = None
    uses: tuple[Fact, ...] = ()

    def __str__(self) -> str:
        return f"{self.subject}: {self.kind}, {self.change}: {self.relation}; {self.witness}"

    def ask(self) -> Answer:
        """Let the search derive it, and let everything that can refute it.

        A false one is refuted where the verdict on a step, with its model as witness, says so. A
        true one is refuted by a model in which its hypotheses hold, by the verdict, or by numbers
        at which its premises and the line that it was made of hold and it fails.
        """
        line = self.line
        proof = self.line.script.proof
        proved = proof.close(self.relation, self.premises, line.step.then) is not None
        if self.world is not None:
            return answer(
                False,
                proved,
                not proved and refutes(self.world, self.relation, proof, self.hypotheses),
            )
        for world in allowed(line, _WORLDS):
            if world.says(self.relation, line.composite) is False:
                return answer(True, proved, True)
            if refutes(world, self.relation, proof, self.hypotheses):
                return answer(True, proved, True)
        if proved:
            return answer(True, proved)
        # The letters that sympy knows to be positive are positive.
        parts = [
            x for relation in (self.relation, line.step.relation) for _, x in edits.walk(relation)
        ]
        letters = {x for x in parts if isinstance(x, sp.Symbol) and x.is_positive}
        positive = Proof(None, line.script.reading).positive(*sorted(letters, key=str))
        premises = [line.fact, *self.uses, *(x.fact for x in self.premises)]
        premises += [x.fact for x in (*signs([self.fact, *premises]), *positive)]
        return answer(True, proved, counterexample(self.fact, premises, _SECONDS) is not None)


def false_of(line: Line, most: int | None = None, most_worlds: int = 6) -> Iterator[LineMutant]:
    """At most `most` mutants of a line that are false in one of `most_worlds` models, the kinds of
    change in turn.

    Raises:
        DisagreementError: where one evaluation calls a suspect false and the other calls it true.

    """
    found = (
        shown_false(each, most_worlds)
        for each in edits.in_turn(suspects(line), all_lines().index(line))
    )
    return islice((mutant for mutant in found if mutant is not None), most)


def true_of(line: Line, most: int | None = None) -> Iterator[LineMutant]:
    """At most `most` mutants of a line that are true because the line is, the kinds of change in
    turn.
    """
    reading = line.script.proof.reading
    found = []
    for each in edits.variations(line.step.relation):
        try:
            fact, uses = reading.fact(each.result), tuple(map(reading.fact, each.uses))
        except (InputError, KernelError):
            continue
        kind = varied(each.kind)
        why = f"follows from the proved line: {each.kind}, {each.where}"
        given = each.result, fact, line.premises, line.hypotheses
        found.append(LineMutant(line.name, kind, each.where, True, why, line, *given, uses=uses))
    yield from edits.in_turn(found, all_lines().index(line))[:most]


def suspects(line: Line) -> list[LineMutant]:
    """The edits that the vocabulary can say and that say something else; and the line with a
    premise dropped.
    """
    seen = {line.fact}
    premises = line.premises
    found = list[LineMutant]()
    for edit in edits.of_relation(line.step.relation):
        try:
            fact = line.script.proof.reading.fact(edit.result)
        except (InputError, KernelError):
            continue
        if fact not in seen:
            seen.add(fact)
            given = edit.result, fact, premises, line.hypotheses
            found.append(
                LineMutant(line.name, edits.KINDS[edit.kind], edit.where, False, "", line, *given)
            )
    for place, premise in enumerate(premises):
        kept = premises[:place] + premises[place + 1 :]
        # None of an induction: what closes its second part is found anew for each line.
        if line.step.then is None and (hypotheses := _rest_on(kept)) != line.hypotheses:
            change = f"without {premise.conclusion}"
            given = (
                line.step.relation,
                line.fact,
                kept,
                hypotheses,
            )
            found.append(
                LineMutant(line.name, "hypothesis dropped", change, False, "", line, *given)
            )
    return found


def shown_false(suspect: LineMutant, most: int) -> LineMutant | None:
    """The suspect with one of at most `most` models in which both evaluations call it false; None
    without one.

    Raises:
        DisagreementError: where one calls it false and the other calls it true.

    """
    line = suspect.line
    fact = suspect.fact
    if suspect.hypotheses == line.hypotheses:
        candidates = iter(allowed(line, most))
    else:
        # Only a number that occurs in the line can make it fail.
        names = {x.name for x in suspect.relation.free_symbols}
        changed = [
            y
            for x in allowed(line, most)
            for y in broken(x)
            if y.changed <= names and y.refutes(fact)
        ]
        candidates = islice(line.allowing(changed, suspect.hypotheses), most)
    for world in candidates:
        first = world.refutes(fact)
        second = world.says(suspect.relation, line.composite)
        if (first and second is True) or (second is False and world.meets(fact)):
            raise DisagreementError(
                f"the kernel's terms and the relation itself differ in {world.about}: {suspect}"
            )
        if first and second is False:
            return replace(suspect, world=world, witness=world.about)
    return None


# Mutants of claims, each tried by the whole proof script of the claim: formulas edited, hypotheses
# dropped

_FACTORS = [sp.Rational(*x) for x in ((9, 10), (17, 25), (1, 4), (1, 20), (4, 1))]
# A run has a step size of its own. It must be the one that the edited claim prescribes.
_KEPT = frozenset({"alpha"})


@dataclass(frozen=True, eq=False)
class ClaimMutant(Mutant):
    """The claim of a script, changed.

    Attributes:
        world: of a false one, where the hypotheses that are left hold and the claim fails.

    """

    layer = "proof"
    script: Script
    claim: Claim
    world: ExactModel | None = None

    def ask(self) -> Answer:
        """The verdict on the whole script; and whether a model refutes the claim."""
        script = self.script
        claim = self.claim
        verdict = verdict_on(script, claim)
        proved = verdict == "proved"
        if self.world is None:
            return answer(
                True,
                proved,
                verdict == "refuted" or false_in(claim, script, runs_for(claim)) is not None,
            )
        conclusion = edits.written_out(claim.conclusion, claim.quantities, _KEPT)
        hypotheses = hypotheses_of(script)
        return answer(
            False, proved, not proved and refutes(self.world, conclusion, script.proof, hypotheses)
        )


@cache
def provable() -> tuple[Script, ...]:
    """The scripts that prove a claim with a formula."""
    return tuple(
        x for x in scripts() if x.claim and x.claim.quantities and judge(x).verdict == "proved"
    )


def false_edits(script: Script, most: int | None = None) -> Iterator[ClaimMutant]:
    """At most `most` edits of a script's claim that a model shows to be false, in a mixed order."""
    claim = _claim(script)
    changes: list[tuple[str, edits.Change]] = []
    for name, formula in ((x.name, x.expression) for x in claim.quantities):
        for factor in _FACTORS:
            scaled = sp.Mul(factor, formula, evaluate=False)
            changes.append((name, edits.Change("scale quantity", f"{name} by {factor}", scaled)))
        changes += [
            (name, replace(edit, where=f"{name}: {edit.where}"))
            for edit in edits.of_expression(formula)
        ]

    def false() -> Iterator[ClaimMutant]:
        for name, edit in edits.mixed_up(changes):
            other = edits.with_formula(claim, name, edit.result)
            yield from _false(
                script,
                edits.KINDS[edit.kind],
                edit.where,
                other,
                _fitting(script) or runs_for(other),
            )

    return islice(false(), most)


def _false(
    script: Script,
    kind: str,
    change: str,
    claim: Claim,
    candidates: Sequence[ExactModel],
) -> Iterator[ClaimMutant]:
    """The changed claim, where one of the models shows it to be false."""
    if (world := false_in(claim, script, candidates)) is not None:
        name = f"{script.id}, {script.version}"
        yield ClaimMutant(name, kind, change, False, world.about, script, claim, world)


@cache
def _fitting(script: Script) -> tuple[ExactModel, ...]:
    """The models in which the hypotheses of a claim hold; none where the claim prescribes the step
    size of a run.
    """
    if any(x.name == "alpha" for x in _claim(script).quantities):
        return ()
    hypotheses = hypotheses_of(script)
    return tuple(x for x in mixed_worlds() if x.allows(hypotheses, script.proof))


def true_claims(script: Script) -> Iterator[ClaimMutant]:
    """Variations of the claim that are true because it is."""

    def times(name: str, factor: sp.Rational) -> Claim:
        formula = next(x.expression for x in claim.quantities if x.name == name)
        return edits.with_formula(claim, name, sp.Mul(factor, formula, evaluate=False))

    claim = _claim(script)
    names = [x.name for x in claim.quantities]
    last = names[-1]
    found = []
    for factor in (sp.Rational(11, 10), sp.Integer(3)):
        # A larger bound is weaker. A larger L̂ stays true: F is smooth with any larger constant.
        found.append(edits.Change("looser", f"{last} by {factor}", times(last, factor)))
        if last != names[0] == "Lhat":
            found.append(
                edits.Change(
                    "looser", f"Lhat by {factor}, and all that is made of it", times("Lhat", factor)
                )
            )
        if "T_min" in names:
            found.append(
                edits.Change(
                    "hypothesis strengthened", f"T_min by {factor}", times("T_min", factor)
                )
            )
    formula = claim.quantities[-1].expression
    rewritten = sp.Mul(sp.Rational(1, 2), sp.Add(formula, formula, evaluate=False), evaluate=False)
    found.append(
        edits.Change(
            "rewritten", f"{last} as half of its double", edits.with_formula(claim, last, rewritten)
        )
    )
    more = replace(claim, conditions=(*claim.conditions, sp.Ge(T, 3, evaluate=False)))
    found.append(edits.Change("hypothesis strengthened", "T >= 3 besides", more))
    for each in found:
        name = f"{script.id}, {script.version}"
        why = f"follows from the proved claim: {each.kind}, {each.where}"
        yield ClaimMutant(name, varied(each.kind), each.where, True, why, script, each.result)


def _claim(script: Script) -> Claim:
    if script.claim is None:
        raise ValueError(f"{script.id} proves no claim")
    return script.claim


def hypotheses_of(script: Script) -> list[Statement]:
    """The hypotheses of the script's conclusion, but for the claim's formulas and conditions."""
    proof = script.proof
    claim = script.claim
    if claim is None or proof.conclusion is None:
        raise InputError("script", script.id, "one that proves a claim")
    defined = {each.symbol for each in claim.quantities}
    stale = {
        each.statement
        for each in proof.assumptions
        if each.relation in claim.conditions
        or (each.role == "definition" and each.relation.lhs in defined)
    }
    # Premises that the script does not assume are those of its law about the points.
    local = proof.goal.premises if isinstance(proof.goal, Law) else ()
    return [*(proof.conclusion.hypotheses - stale), *local]


def false_in(
    claim: Claim,
    script: Script,
    candidates: Iterable[ExactModel],
) -> ExactModel | None:
    """A model in which this claim is false, and the hypotheses of the script's conclusion hold.

    The claim is false there both as the kernel reads it and as `boundcheck.exact.evaluate` does.
    """
    hypotheses = hypotheses_of(script)
    quantities = claim.quantities
    reading = script.proof.reading
    relations = [edits.written_out(x, quantities, _KEPT) for x in claim.conditions]
    step = next((q for q in quantities if q.name == "alpha"), None)
    if step is not None:
        value = edits.written_out(step.expression, quantities[: quantities.index(step)])
        relations.append(sp.Eq(step.symbol, value, evaluate=False))
    conclusion = edits.written_out(claim.conclusion, quantities, _KEPT)
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
def runs_for(claim: Claim) -> tuple[ExactModel, ...]:
    """Runs with the step size that a claim prescribes."""
    before = tuple(takewhile(lambda q: q.name != "alpha", claim.quantities))
    if len(before) == len(claim.quantities):
        return (*worlds(), *runs_of(claim))

    formula = edits.written_out(claim.quantities[len(before)].expression, before)

    def step(numbers: Mapping[str, Fraction]) -> Fraction | None:
        # Only some of the runs have a given step.
        known = {x.name for x in formula.free_symbols} <= set(numbers)
        value = rational_value(formula, numbers) if known else None
        return value if value and value > 0 else None

    return (
        *filter(None, (build(step) for build in descents())),
        *runs_of(claim),
    )


@contextmanager
def _patched(script: Script, claim: Claim) -> Iterator[None]:
    """Exchange the script's claim wherever the scripts' modules name it.

    Other scripts forget what they have proved, so that they prove it again where it is cited.
    """
    fresh = {
        id(each): replace(each, claim=claim if each.claim is script.claim else each.claim)
        for each in scripts()
    }
    before = []
    for module in [x for name, x in sys.modules.items() if name.startswith("boundcheck.proofs.")]:
        for name, value in list(vars(module).items()):
            if value is script.claim or (isinstance(value, Script) and id(value) in fresh):
                before.append((module, name, value))
    try:
        for module, name, value in before:
            setattr(module, name, claim if value is script.claim else fresh[id(value)])
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


_STOPS = (
    BoundcheckError,
    KernelError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


def verdict_on(script: Script, claim: Claim) -> str:
    """The verdict on the script with another claim, wherever scripts name it; or the error that
    stops it.
    """
    with _patched(script, claim):
        try:
            return judge_any(replace(script, claim=claim)).verdict
        except _STOPS as error:
            # A script that stops proves nothing.
            return f"{type(error).__name__}: {error}"


# Which are tried


def mutants(
    every: int = 1, first: int = 0, truths: Sequence[bool] = (False, True)
) -> Iterator[LineMutant | ClaimMutant]:
    """Mutants of every so many lines and claims, in a mixed order: false ones by a model, true ones
    by construction.

    Args:
        every: 1 for all lines and claims, 10 for a tenth of them.
        first: which one to begin with, less than `every`.
        truths: False for the false ones, and True for the true ones, each of the same lines and
            claims.

    Raises:
        InputError: for another `first`.

    """
    if not 0 <= first < every:
        raise InputError("first", first, f"a number from 0 to {every - 1}")
    subjects: list[Line | Script] = [*all_lines(), *provable()]
    for true in truths:
        for subject in edits.mixed_up(subjects)[first::every]:
            if isinstance(subject, Script):
                yield from true_claims(subject) if true else false_edits(subject, _EDITS)
            elif true:
                yield from true_of(subject, _TRUE)
            else:
                premises = len(subject.premises)
                yield from false_of(
                    subject, _MANY if premises <= 3 else _SOME if premises <= 5 else _FEW
                )
