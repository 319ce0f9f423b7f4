"""The verdict on a proof and on each of its lines, and what it rests on.

The kernel replays every line, or a witness is checked: all that the claim and the proof assume must
certainly hold in it, and the line be false. What is displayed as proved must read back, and have a
meaning.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, partial, singledispatch
from typing import TYPE_CHECKING, Any, Literal, get_args

import sympy as sp

from boundcheck.errors import InputError, one_of, raised
from boundcheck.kernel import (
    STANDARD_FACTS,
    Fact,
    KernelError,
    Law,
    Statement,
    Theorem,
    replay,
    replay_all,
    rules,
)
from boundcheck.kernel.builders import substitute_scalar
from boundcheck.kernel.derive import Renewal, derivation, free
from boundcheck.kernel.terms import (
    ANY,
    Inverse,
    Matrix,
    Root,
    Scalar,
    Symbol,
    Term,
    TermError,
    Variable,
)
from boundcheck.language.claim import Claim, Quantity
from boundcheck.language.evidence import HOLDS, Answer
from boundcheck.language.judge import followed, hypothesis_in, meets
from boundcheck.language.sentence import word_of
from boundcheck.language.symbols import D
from boundcheck.language.view import Shown
from boundcheck.language.vocabulary import GAP, Iterate
from boundcheck.proof import small
from boundcheck.proof.certificate import entailed
from boundcheck.proof.definitions import circular, is_definition, says
from boundcheck.proof.notation import check_math, from_latex, latex, letters, read, tokens_of
from boundcheck.proof.proof import Assumption, Proof, Role, Step
from boundcheck.proof.reading import Reading, gt
from boundcheck.proof.record import records, signature
from boundcheck.proof.script import Script, checked
from boundcheck.proof.solver import (
    SECONDS,
    Counterexample,
    Status,
    ask,
    counterexample,
    smt_lib,
)
from boundcheck.proof.statement import Sequent, reading_of, statement, with_parts
from boundcheck.proof.witness import Told, Witness, at_numbers, examined

if TYPE_CHECKING:
    import pandas as pd

StepVerdict = Literal["proved", "refuted", "unknown"]
ClaimVerdict = Literal["proved", "repaired", "refuted", "unknown"]
# From the strongest to the weakest; "" if nothing is proved.
Trust = Literal["kernel", "solver", "assumed", ""]
_ORDER: tuple[Trust, ...] = ("kernel", "solver", "assumed")
# Whether a line follows, from whether it can be false where its premises hold.
_ANSWERS: dict[Status, str] = {"unsat": "yes", "sat": "no", "unknown": "nothing"}
# On which side of 0 a polynomial lies, by the theorem that says so.
_Known = Mapping[Scalar, Theorem]


@dataclass(frozen=True)
class JudgedStep(Shown):
    """A step with its verdict.

    Attributes:
        trust: of a proof: ``kernel``; ``assumed`` if the line is itself an instance of a standard
            fact; ``solver`` if z3 says that it follows and no certificate was found.
        reason: why it is not proved by the kernel.
        follows: if the paper derives it from other lines, whether it follows from them.
        numbers: if it does not, exact values of its atoms at which those lines hold and this one
            fails.

    """

    step: Step
    verdict: StepVerdict
    trust: Trust = ""
    reason: str = ""
    follows: bool | None = None
    numbers: Counterexample | None = None


@dataclass(frozen=True)
class JudgedProof(Shown):
    """A proof with its verdict.

    Attributes:
        trust: of the weakest line on which it rests; standard facts are in the ledger instead.
        ledger: the standard facts on which it rests, by name.
        hypotheses: the assumptions of its conclusion, and those that give its quotients and roots a
            meaning.
        conclusion: what the kernel's theorem says; None for a proof that does not conclude.

    """

    script: Script
    verdict: StepVerdict
    trust: Trust
    reason: str
    steps: tuple[JudgedStep, ...]
    ledger: tuple[str, ...]
    hypotheses: tuple[Assumption, ...]
    conclusion: Statement | None

    def own(self, step: JudgedStep) -> list[Statement]:
        """The statements that a line rests on and the conclusion does not.

        They are about points over which a law ranges, or they are the line's own assumptions.
        """
        theirs = (
            {each.statement for each in self.hypotheses}
            if self.verdict == "proved"
            else set[Statement]()
        )
        # An open line is its own hypothesis.
        open_ = {step.step.theorem.conclusion} if step.verdict != "proved" else set[Statement]()
        return sorted(step.step.theorem.hypotheses - theirs - open_, key=str)

    @property
    def unused(self) -> list[str]:
        """The titles of hypotheses that the claim lists and that its theorem neither uses nor has
        as a condition.
        """
        return [title for title, is_met in self._missing if not is_met]

    @cached_property
    def _missing(self) -> list[tuple[str, bool]]:
        """The titles of hypotheses that the theorem does not use, with True for those that it has
        as a condition.
        """
        script, end = self.script, self.conclusion
        # Whatever a proof calls what it starts from.
        stated = {each.statement for each in self.hypotheses}
        given = script.sequent.given if script.sequent else ()
        used = {x.hypothesis for x in given if not stated.isdisjoint(x.statements)}
        return [
            (each.title, isinstance(end, Law) and _is_condition(each, end, script.proof))
            for each in (script.claim.hypotheses if script.claim else ())
            if used.isdisjoint(with_parts([each]))
        ]

    @cached_property
    def has_instance(self) -> bool:
        """True if small numbers are known that meet all that a lemma is given."""
        never, proof = Fact(">=", Scalar.of(-1)), self.script.proof
        says = self.script.claim and self.script.claim.conclusion
        return self.script.is_lemma and bool(
            small.found(
                never,
                says,
                proof.relations,
                proof.reading,
                lambda witness: not objection(never, witness, self.script),
            )
        )

    @property
    def difference(self) -> str:
        """The difference between a theorem's hypotheses and those that its claim lists, in words;
        empty for a lemma.
        """
        if self.verdict != "proved" or self.script.claim is None:
            return ""
        return (
            "; ".join([*self.changes, *(f"given besides: {each}" for each in self.added)])
            or "as listed"
        )

    @property
    def changes(self) -> list[str]:
        """The hypotheses of its claim that a theorem lacks or has as a condition, in words."""
        parts = [f"without {title}" for title in self.unused]
        return parts + [
            f"with {title} as a condition on its points"
            for title, is_met in self._missing
            if is_met
        ]

    @property
    def added(self) -> list[Statement]:
        """The theorem's assumptions that the claim does not list: definitions, and the proof's own
        hypotheses.
        """
        return [each.statement for each in self.hypotheses if _is_added(each, self.script)]

    def to_frame(self) -> pd.DataFrame:
        """A frame with a row for each line: verdict, trust, statement, what else it is given,
        witness against it.
        """
        return frame_of(self)


@singledispatch
def frame_of(*proofs: JudgedProof) -> pd.DataFrame:
    """A frame with a row for each line, as in `step_as_json`, which is not known here."""
    raise TypeError(f"expected a proof, got {type(proofs[0]).__name__}")


@dataclass(frozen=True)
class _Backing:
    """The basis of a line that the solver confirms: its trust, and what its premises rest on."""

    trust: Trust
    hypotheses: frozenset[Statement]
    ledger: frozenset[str]


def judge(script: Script) -> JudgedProof:
    """Run a script and judge all that it says.

    Raises:
        InputError: as `Script.proof` raises, and for a script that is not what it seems to be.

    """
    claim = checked(script).claim
    known = records().get(claim.id) if claim else None
    # A claim of the catalogue is one object, which a script's code can change.
    if claim and known and signature(replace(claim)) != known.digest:
        raise InputError("claim", claim.id, "the catalogue's own claim, as its paper recorded it")
    return judge_any(script)


def judge_any(script: Script) -> JudgedProof:
    """Judge a script as `judge` does, even if a mutant with the same id was put in the place of its
    claim.
    """
    # All that is judged of the script, as it is now. Its theorems and statements are those that the
    # kernel builds again, which the script's code cannot change.
    filled, renewed = script.proof, Renewal()
    try:
        lines, ends = tuple(filled.steps), [x for x in (filled.conclusion,) if x is not None]
        theorems = replay_all([*(step.theorem for step in lines), *ends])
        assumptions = [
            Assumption(x.name, x.role, renewed(x.statement), x.claim, x.relation, dict(x.where))
            for x in tuple(filled.assumptions)
        ]
        goal = None if filled.goal is None else renewed(filled.goal)
    except (AttributeError, TypeError, KernelError) as error:
        expected = f"one whose assumptions and lines its proof's methods make ({raised(error)})"
        raise InputError("script", script.id, expected) from None
    # What a claim says is computed again, and a reading made again has the methods of its class
    # alone.
    claim, sequent = script.claim, None
    reading = Reading.having(script.reading, ())
    if claim is not None:
        claim = _afresh(claim)
        sequent, reading = statement(claim), reading_of(claim, script.fresh)
    script = replace(script, claim=claim, reading=reading, sequent=sequent)
    proof = Proof(claim, reading, assumptions, goal=goal, sequent=sequent)
    proof.steps = [
        Step(
            **{each.name: getattr(step, each.name) for each in fields(Step)} | {"theorem": theorem}
        )
        for step, theorem in zip(lines, theorems, strict=False)
    ]
    final = proof.conclusion = theorems[-1] if ends else None
    # Keep what the script's function filled, instead of running it again.
    vars(script)["proof"] = proof

    # An author's words show only words: no control characters or LaTeX commands. A role is one of
    # ours.
    words = [("title", script.title), *(("name", each.name) for each in assumptions)]
    roles: list[Any] = [each.role for each in assumptions]
    for role in roles:
        if type(role) is not str or role not in get_args(Role):
            raise InputError("role", role, one_of(role, get_args(Role)))
    for step in proof.steps:
        words += [("label", step.label), ("meaning", step.meaning), ("printed", step.printed)]
        words += [("about", step.witness.about)] if step.witness is not None else []
        check_math(step.printed)
    for field, text in words:
        # A text of a class of one's own may show as another.
        if type(text) is not str or not text.isprintable():
            raise InputError(field, text, "words in one line, of letters that can be printed")

    given = {each.statement for each in assumptions}
    derived = derivation(theorems)
    judging = _Judging(
        script, given, _known_signs([x for x in derived if x.hypotheses <= given], given)
    )
    for step in proof.steps:
        judging.judge(step)
    steps, backed = judging.steps, judging.backed

    # The statements that the conclusion rests on, and its ledger: lines that the solver confirms
    # count as what they rest on.
    ledger = set(final.ledger) if final else set().union(*(theorem.ledger for theorem in theorems))
    rests, queue, seen = set[Statement](), list(final.hypotheses if final else ()), set[Statement]()
    while queue:
        premise = queue.pop()
        if premise in seen:
            continue
        seen.add(premise)
        if premise in backed:
            ledger |= backed[premise].ledger
            queue += backed[premise].hypotheses
        else:
            rests.add(premise)
    # And the assumptions that give the sign of a letter in a quotient or root of what it says.
    inside = set[Term]()
    for shown in (final.conclusion, *rests) if final else ():
        inside.update(*(atom.inside for atom in _partial(shown)))
    domains = set[Statement]()
    for each in assumptions:
        fact = each.statement
        if (
            each.role in ("domain", "hypothesis")
            and isinstance(fact, Fact)
            and fact.relation != "="
        ):
            letters_ = fact.polynomial.atoms()
            if len(letters_) == 1 and inside.issuperset(letters_):
                domains.add(fact)
    # A sign is known where the claim says so, and not because a proof does.
    domains &= domains if sequent is None else sequent.hypotheses
    verdict, reason = _verdict(script, final, steps, frozenset(rests))
    if verdict == "proved" and final is not None:
        signs = _known_signs([x for x in derived if x.hypotheses <= rests], rests | domains)
        reason = _unclear([final.conclusion, *rests], signs)
        verdict = "unknown" if reason else verdict
    used = [backed[x].trust for x in (final.hypotheses if final else ()) if x in backed]
    return JudgedProof(
        script,
        verdict,
        weakest(used) if verdict == "proved" else "",
        reason,
        tuple(steps),
        tuple(sorted(ledger)),
        tuple(each for each in assumptions if each.statement in rests | domains),
        final.conclusion if final else None,
    )


def _afresh(claim: Claim) -> Claim:
    """The claim as it is now, checked again: what was derived from it may be of what it was."""
    quantifier = replace(claim.quantifier)
    return replace(claim, quantifier=quantifier, hypotheses=tuple(map(_afresh, claim.hypotheses)))


def weakest(trusts: Iterable[Trust]) -> Trust:
    """The weakest of these; ``kernel`` if there are none."""
    return max(trusts, key=_ORDER.index, default="kernel")


def _verdict(
    script: Script,
    final: Theorem | None,
    steps: list[JudgedStep],
    rests: frozenset[Statement],
) -> tuple[StepVerdict, str]:
    """The verdict on a proof from those on its lines, and the reason where it is not proved."""
    proof = script.proof
    refuted = [x.step.label for x in steps if x.verdict == "refuted"]
    sequent = script.sequent
    circle = circular(proof.definitions, script.reading)
    if final is not None and sequent is not None:
        verdict, reason = _of_sequent(script, sequent, final, steps, rests)
        # A line of a lemma's proof may be false, on which it does not rest.
        if script.is_lemma and verdict == "proved" and not circle:
            return verdict, reason
    if script.version == "printed" and refuted:
        return "refuted", f"false: {', '.join(refuted)}"
    if final is None or proof.goal is None:
        return "unknown", "no proof.conclude says what the proof shows"
    if circle:
        return "unknown", f"{circle} is defined twice, or by itself"
    if sequent is not None:
        return verdict, reason
    # What a claim of ours is given, such as D > 0, people have read.
    letter = None if script.is_ours else proof.unsigned
    if letter is not None:
        told = "is assumed to be positive, and by its definition it may not be"
        return "unknown", f"{letter} {told}"
    foreign = rests - {x.statement for x in proof.assumptions if _may_start_from(x, script)}
    if foreign:
        told = _named(foreign, proof.assumptions, steps)
        if set(refuted) & set(told.split(", ")):
            return "unknown", f"it rests on {told}, which is false"
        return "unknown", f"it rests on {told}, which is not a hypothesis of the claim"
    if isinstance(final.conclusion, Fact) and not final.conclusion.polynomial.terms:
        return "unknown", f"it concludes nothing: {final.conclusion}"
    if final.conclusion != proof.goal:
        return "unknown", f"it ends in {final.conclusion}, and not in {proof.goal}"
    return "proved", ""


def _of_sequent(
    script: Script,
    sequent: Sequent,
    final: Theorem,
    steps: list[JudgedStep],
    rests: frozenset[Statement],
) -> tuple[StepVerdict, str]:
    """The verdict on a proof whose claim says itself to the kernel: its theorem is the claim's
    sequent, or has fewer hypotheses.

    It may besides name what it likes: a fresh letter stands for a value.
    """
    assumptions = script.proof.assumptions
    named = {
        x.statement
        for x in assumptions
        if x.role == "definition"
        and isinstance(x.relation, sp.Eq)
        and x.relation.lhs in script.fresh
        and is_definition(x.relation, x.statement, script.reading)
    }
    foreign, law = rests - sequent.hypotheses - named, sequent.conclusion
    if sequent.follows(final.conclusion):
        if not foreign:
            return "proved", ""
    else:
        if isinstance(law, Law) and final.conclusion == law.conclusion:
            # It is no law, as it rests on more of its points than the conditions.
            foreign = foreign.difference(law.premises)
        else:
            foreign = frozenset()
        if not foreign:
            return "unknown", f"it ends in {final.conclusion}, and not in {sequent.conclusion}"
    open_ = {x.step.label: x.verdict for x in steps if x.step.theorem.conclusion in foreign}
    told = _named(foreign, assumptions, steps)
    if "refuted" in open_.values():
        return "unknown", f"it rests on {told}, which is false"
    strange = [x for x in assumptions if x.statement in foreign]
    why = dict(sequent.unstated)
    for each in strange:
        if each.claim is not None and each.claim.id in why:
            return "unknown", f"it rests on {each.name}, which says nothing: {why[each.claim.id]}"
    if strange or not open_:
        return "unknown", f"it rests on {told}, which is not a hypothesis of the claim"
    if script.is_lemma and len(steps) == 1:
        return "unknown", "it is neither proved nor refuted"
    return "unknown", f"it rests on {told}, which is neither proved nor given"


def _named(
    statements: Collection[Statement], assumptions: Sequence[Assumption], steps: list[JudgedStep]
) -> str:
    """The names of assumptions and lines that are these statements; the first statement where
    there are none.
    """
    names = [x.name for x in assumptions if x.statement in statements]
    names += [x.step.label for x in steps if x.step.theorem.conclusion in statements]
    return ", ".join(dict.fromkeys(names)) or str(min(statements))


def _may_start_from(assumption: Assumption, script: Script) -> bool:
    """True unless a proof of no claim assumes for its own lines alone what it does, or a definition
    says more than what a letter is, or a domain gives no letter its sign.

    That an object exists is nobody's word but ours.
    """
    role, relation = assumption.role, assumption.relation
    if role == "local" or not says(relation, assumption.statement, script.reading):
        return False
    match role:
        case "choice":
            return script.is_ours
        case "domain":
            return isinstance(relation, sp.Symbol) and bool(relation.is_positive)
        case "definition":
            return is_definition(relation, assumption.statement, script.reading)
    return True


def claim_verdict(proofs: Sequence[JudgedProof]) -> ClaimVerdict:
    """The verdict on a claim from its proofs: proved; repaired, if its printed proof is broken;
    refuted; unknown.

    A printed proof is broken where a line of it is false, or does not follow from those that it
    names. A printed proof of which too little is known is not broken.
    """
    printed = [x for x in proofs if x.script.version == "printed"]
    if any(x.verdict == "proved" for x in proofs):
        broken = any(
            step.verdict == "refuted" or step.follows is False for x in printed for step in x.steps
        )
        return "repaired" if broken else "proved"
    for proof in printed:
        # A printed proof may be broken, and its claim true: the false line must be the claim
        # itself.
        claim, lines = proof.script.claim, [x.step for x in proof.steps if x.verdict == "refuted"]
        if proof.script.is_statement and any(
            claim is None or line.relation == claim.conclusion for line in lines
        ):
            return "refuted"
    return "unknown"


# A line.


class _Judging:
    """The judging of a proof's lines, one after the other.

    It knows the script, its assumptions, signs that are known, and the solver's word for the lines
    before.
    """

    def __init__(self, script: Script, given: set[Statement], known: _Known) -> None:
        self.script, self.given, self.known = script, given, known
        self.steps: list[JudgedStep] = []
        self.backed: dict[Statement, _Backing] = {}

    def judge(self, step: Step) -> None:
        """Judge the next line: what its theorem says, and whether it follows from the lines that
        the paper names.
        """
        theorem = step.theorem
        statement, open_ = theorem.conclusion, theorem.hypotheses - self.given
        if step.witness is not None:
            reason = objection(theorem.fact, step.witness, self.script)
            word = (
                JudgedStep(step, "unknown", reason=reason)
                if reason
                else self._refuted(step, step.witness)
            )
        elif theorem.rule == "assume" and statement not in self.given:
            witness = small.found(
                theorem.fact,
                step.relation,
                self.script.proof.relations,
                self.script.reading,
                partial(self._refutes, fact=theorem.fact),
            )
            word = self._refuted(step, witness) if witness else self._ask_solver(step)
        elif theorem.rule == "assume":
            word = JudgedStep(step, "proved", "assumed", "it is assumed as it stands")
        elif open_ <= self.backed.keys():
            least: Trust = "assumed" if theorem.rule in STANDARD_FACTS else "kernel"
            worst = weakest([least, *(self.backed[x].trust for x in open_)])
            word = JudgedStep(
                step,
                "proved",
                worst,
                "rests on lines that only the solver confirms" if open_ else "",
            )
        else:
            labels = [x.step.label for x in self.steps if x.step.theorem.conclusion in open_]
            word = JudgedStep(
                step, "unknown", reason=f"rests on {', '.join(labels) or 'an open line'}"
            )

        # The theorem must say what the line says, to a reader.
        fact = statement.conclusion if isinstance(statement, Law) else theorem.fact
        said: Fact | None = fact
        if step.relation is not None:
            try:
                said = self.script.reading.fact(step.relation)
            except InputError:
                said = None
        if said != fact:
            word = JudgedStep(
                step, "unknown", reason=f"it says {said}, and its theorem {statement}"
            )
        elif word.verdict == "proved" and (why := _unclear([statement], self.known)):
            word = JudgedStep(step, "unknown", reason=why)

        # True if it follows; False, with numbers, if not; None if neither is known.
        found = step.inference
        if isinstance(found, Theorem):
            if replay(found).conclusion == statement and statement not in found.hypotheses:
                word = replace(word, follows=True)
        elif type(found) is Counterexample and found.goal == statement:
            word = replace(word, follows=False, numbers=found)
        self.steps.append(word)

    def _refutes(self, witness: Witness, fact: Fact) -> bool:
        return not objection(fact, witness, self.script)

    def _refuted(self, step: Step, witness: Witness) -> JudgedStep:
        return JudgedStep(replace(step, witness=examined(witness)), "refuted")

    def _ask_solver(self, step: Step) -> JudgedStep:
        """The answer of z3 on a line without a certificate, with what its premises rest on.

        Of an induction that no premise closes at once, the answer is that on the half that is open.
        """
        goal, half = step.theorem.fact, step.open
        premises = replay_all(step.premises or ())
        hypotheses = frozenset[Statement]().union(*(x.hypotheses for x in premises))
        status = self._asked(goal, premises, hypotheses)
        if status == "unsat":
            backed = (self.backed[x].trust for x in hypotheses if x in self.backed)
            worst = weakest(["solver", *backed])
            ledger = frozenset[str]().union(*(x.ledger for x in premises))
            # The first answer counts: a line that is derived from itself is no better founded.
            self.backed.setdefault(step.theorem.conclusion, _Backing(worst, hypotheses, ledger))
            return JudgedStep(step, "proved", worst, _answered(status))
        where = ""
        if half is not None:
            premises = replay_all(half.premises)
            where = f"the induction is open {half.name}, where it says {half.goal}: "
            # The line at t is what the step is from.
            hypotheses = frozenset[Statement]().union(*(x.hypotheses for x in premises)) - {goal}
            goal = half.goal
            status = self._asked(goal, premises, hypotheses)
        if status is None:
            reason = (
                f"{where}no certificate was found, and it is drawn from lines that are open or"
                " false"
            )
            return JudgedStep(step, "unknown", reason=reason)
        said = where + _answered(status)
        found = (
            counterexample(goal, [x.fact for x in premises], SECONDS) if status == "sat" else None
        )
        if found is None:
            return JudgedStep(step, "unknown", reason=said)
        if half is None and (witness := self._at(found)) is not None:
            return self._refuted(step, witness)
        told = "It does not follow, whatever its letters are"
        if found.values:
            told = (
                f"It does not follow: its premises hold at {found}, where it fails."
                f" {self._advice(found)}"
            )
        return JudgedStep(
            step, "unknown", reason=f"{said}. {told}", numbers=None if half else found
        )

    def _asked(
        self, goal: Fact, premises: Sequence[Theorem], hypotheses: frozenset[Statement]
    ) -> Status | None:
        """The answer of the solver; None where the premises rest on lines that are open."""
        if not hypotheses <= self.given | self.backed.keys():
            return None
        return ask(smt_lib(goal, [x.fact for x in premises]), SECONDS).status

    def _at(self, found: Counterexample) -> Witness | None:
        """The numbers of a solver as a witness, where they are those of letters and refute the
        line.
        """
        known = self.script.reading.known
        named = {x: value for x, value in found.values.items() if isinstance(x, Variable)}
        if not named or len(named) < len(found.values) or not {x.name for x in named} <= set(known):
            return None
        witness = at_numbers(
            "Numbers that a solver found", {known[x.name]: value for x, value in named.items()}
        )
        return witness if self._refutes(witness, found.goal) else None

    def _advice(self, found: Counterexample) -> str:
        """Advice on numbers at which a line fails: a witness has letters, positive where they are
        declared so.
        """
        values = {
            atom.name: value for atom, value in found.values.items() if isinstance(atom, Variable)
        }
        known = self.script.reading.known
        wrong = {x for x in known if known[x].is_positive and values.get(x, 1) <= 0}
        if wrong:
            named = ", ".join(sorted(wrong))
            advice = f"add *proof.positive({named}) to its premises"
            return f"That letters are positive is used only where a step says so: {advice}"
        if len(values) == len(found.values):
            return "What is assumed beside them is not known to hold there"
        return "There may be no matrices with these numbers; they show which fact is missing"


def _answered(status: Status) -> str:
    return f"no certificate was found; asked whether it follows, z3 says {_ANSWERS[status]}"


# A line that is false.


def objection(fact: Fact, witness: Witness, script: Script) -> str:
    """The reason why the witness does not refute the line; empty if it does.

    The hypotheses, conditions and algorithm of the claim must hold in it, whatever of them the
    proof assumes; so must all that the proof assumes.
    """
    claim, assumptions = script.claim, script.proof.assumptions
    # The names of the numbers on which the line, the assumptions, or what the claim rests on,
    # depend.
    names = {
        x.name
        for s in (fact, *(x.statement for x in assumptions))
        for x in free(s)
        if isinstance(x, Variable)
    }
    quantities = tuple(_quantities(claim)) if claim is not None else ()
    if claim is not None:
        algorithm = followed(claim)
        parts = (*claim.conditions, *(x.conclusion for x in claim.hypotheses))
        parts += algorithm.parameters if algorithm else ()
        letters_ = {x for each in parts for x in each.free_symbols}
        names |= {str(x.name) for x in letters_ if isinstance(x, sp.Symbol)}
    for quantity in reversed(quantities):
        names |= (
            {str(x.name) for x in quantity.expression.free_symbols}
            if quantity.name in names
            else set()
        )
    try:
        witness = examined(witness)
        told = witness.told(script.reading)
        if claim is not None:
            met = meets(told, claim, tuple(each for each in quantities if each.name in names))
            if met.failures:
                return f"the witness breaks a hypothesis: {met.objection}"
            if met.open:
                return (
                    f"the witness is a candidate only, because something is open: {met.objection}"
                )
        for each in assumptions:
            if isinstance(each.statement, Law):
                answer = _obeys(told, each.statement)
                if answer.verdict == "fails":
                    return f"the witness breaks a hypothesis: {answer.why}"
                if answer.verdict == "open":
                    return (
                        f"the witness does not show that a law holds: {each.statement};"
                        f" {answer.why}"
                    )
            elif not witness.meets(each.statement):
                return f"the witness does not meet {each.name}"
        # Numbers that are positive by the catalogue, claim or script.
        for name, letter in sorted(script.reading.known.items()):
            if (
                name in names
                and letter.is_positive
                and told.decide(gt(letter, 0)).verdict == "fails"
            ):
                return f"the witness does not meet 0 < {name}, which always holds for this letter"
        return "" if witness.refutes(fact) else "the witness does not make the line false"
    except (InputError, TermError) as error:
        return str(error)


def _quantities(claim: Claim) -> Iterator[Quantity]:
    """The quantities of a claim and of its hypotheses, in the order in which they are derived."""
    for hypothesis in claim.hypotheses:
        yield from _quantities(hypothesis)
    yield from claim.quantities


def _obeys(told: Told, law: Law) -> Answer:
    """The answer to whether a law holds.

    A law from which the instance's own claim starts holds if all that the claim says of the
    function everywhere holds; any other law is open.
    """
    claim, bare = told.claim, told.at_no_point()
    if claim is None or law not in statement(claim).hypotheses:
        return Answer("open", "it ranges over more than the instance has")
    answer = HOLDS
    for hypothesis in claim.hypotheses:
        word = word_of(hypothesis)
        if not hypothesis.conclusion.atoms(Iterate) and not (word and word.is_about_noise):
            answer &= hypothesis_in(bare, hypothesis)
    return answer


# What a theorem has and its claim does not list.


def _is_condition(hypothesis: Claim, law: Law, proof: Proof) -> bool:
    """True if a law has a hypothesis among its premises, as a condition on the points over which it
    ranges: at some points, or as the proof assumed it at one of them.
    """
    try:
        said = {_anonymous(fact) for fact in proof.reading.facts(hypothesis.conclusion)}
    except InputError:
        said = set()
    premises = [x for x in law.premises if isinstance(x, Fact)]
    return not said.isdisjoint(map(_anonymous, premises)) or any(
        each.claim == hypothesis and each.statement in premises for each in proof.assumptions
    )


def _anonymous(fact: Fact) -> Fact:
    """The fact with its matrices named by their order alone."""
    letters = sorted({x for x in fact.polynomial.inside if isinstance(x, Symbol)})
    names: Mapping[Term, Matrix | Scalar] = {
        letter: Matrix.of(Symbol(f"X{i}", letter.shape, ANY)) for i, letter in enumerate(letters)
    }
    return Fact(fact.relation, substitute_scalar(fact.polynomial, names))


def _is_added(assumption: Assumption, script: Script) -> bool:
    """True if the claim lists the assumption neither as hypothesis or condition nor as a letter's
    formula or domain.
    """
    claim, relation, sequent = script.claim, assumption.relation, script.sequent
    if claim is None or assumption.role == "domain" or relation in claim.conditions:
        return False
    if sequent is not None and assumption.statement in sequent.hypotheses:
        return False
    if assumption.role == "definition":
        formulas = {each.symbol: each.expression for each in claim.quantities} | {D: GAP}
        return formulas.get(relation.lhs) != relation.rhs
    listed = {each.id for each in with_parts(claim.hypotheses)}
    return assumption.claim is None or assumption.claim.id not in listed


# What a reader sees.


def _unclear(statements: Sequence[Statement], known: _Known) -> str:
    """The reason why a printed statement does not say what was proved; empty if all read back and
    have a meaning.
    """
    try:
        table = letters(statements)
        for statement in statements:
            text = str(statement)
            tokens = tokens_of(text)
            if (
                tokens_of(from_latex(latex(text, table), table)) != tokens
                or read(text, table) != statement
            ):
                return f"its text reads as another statement: {text}"
    except InputError as error:
        return f"its text does not read back: {error}"

    # To a reader the divisor of a quotient is not 0, and the radicand of a root not negative. In
    # the kernel, inverse(0) is 0 and the root of a negative number is 0.
    for statement in statements:
        signs = known
        if isinstance(statement, Law):
            # Facts about a letter do not hold for the values that a law substitutes for it.
            bound = frozenset(statement.variables)
            premises = [
                rules.assume(x)
                for x in statement.premises
                if isinstance(x, Fact) and x.relation != "="
            ]
            unbound = {p: x for p, x in known.items() if not p.inside & bound}
            signs = unbound | {x.fact.polynomial: x for x in premises}
        for atom in sorted(_partial(statement)):
            body = atom.body
            goal = Fact(">" if isinstance(atom, Inverse) else ">=", body)
            if body in signs and (goal.relation == ">=" or signs[body].fact.relation == ">"):
                continue
            # The signs of the atoms prove it, or a certificate from the facts about the same atoms.
            near = [x for x in signs.values() if body.inside.issuperset(x.fact.polynomial.atoms())]
            if entailed(goal, near) is None:
                what = "is not known to be positive" if goal.relation == ">" else "may be negative"
                return f"{atom} has no meaning for a reader, because {body} {what}"
    return ""


def _partial(statement: Statement) -> set[Inverse | Root]:
    """The quotients and roots of a statement."""
    if isinstance(statement, Law):
        return set().union(*(_partial(x) for x in (*statement.premises, statement.conclusion)))
    inside: frozenset[Term] = statement.polynomial.inside
    return {x for x in inside if isinstance(x, Inverse | Root)}


def _known_signs(theorems: Iterable[Theorem], given: Iterable[Statement]) -> _Known:
    """The polynomials that are positive, or not negative, by a theorem or by assumption."""
    found: dict[Scalar, Theorem] = {}
    for theorem in (*(rules.assume(x) for x in given if isinstance(x, Fact)), *theorems):
        conclusion = theorem.conclusion
        if isinstance(conclusion, Fact) and conclusion.relation != "=":
            before = found.get(conclusion.polynomial)
            if before is None or (conclusion.relation == ">" and before.fact.relation != ">"):
                found[conclusion.polynomial] = theorem
    return found
