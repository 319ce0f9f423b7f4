"""The verdict on a proof, and what it rests on: the kernel replays every line, or a witness is checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

from boundcheck.errors import InputError
from boundcheck.kernel import STANDARD_FACTS, Fact, Law, Statement, Theorem, replay, replay_all
from boundcheck.kernel.derive import Renewal
from boundcheck.kernel.facts import derivation
from boundcheck.kernel.terms import Variable
from boundcheck.language.claim import Claim
from boundcheck.language.notebook import Shown
from boundcheck.proof.counterexamples import Counterexample, counterexample
from boundcheck.proof.definitions import circular
from boundcheck.proof.display import check_words, unclear
from boundcheck.proof.domain import Known, known_signs, partial
from boundcheck.proof.fidelity import is_added, is_condition, misstated, stray, stronger, unused
from boundcheck.proof.proof import SECONDS, Assumption, Proof, Step
from boundcheck.proof.refutation import objection
from boundcheck.proof.script import Script, checked
from boundcheck.proof.solvers import Status, second_opinion, trust
from boundcheck.proof.symbol_roles import CATALOGUE
from boundcheck.proof.translate import Reading
from boundcheck.proof.witness import examined

if TYPE_CHECKING:
    import pandas as pd

StepVerdict = Literal["proved", "refuted", "unknown"]
ClaimVerdict = Literal["proved", "repaired", "refuted", "unknown"]
# From the strongest to the weakest; "" if nothing is proved.
Trust = Literal["kernel", "solvers", "solver", "assumed", ""]
_ORDER: tuple[Trust, ...] = ("kernel", "solvers", "solver", "assumed")
# Whether a line follows, from whether it can be false where its premises hold.
_ANSWERS: dict[Status, str] = {"unsat": "yes", "sat": "no", "unknown": "nothing"}


@dataclass(frozen=True)
class JudgedStep(Shown):
    """A step with its verdict.

    Attributes:
        trust: of a proof: ``kernel``; ``assumed`` if the line is itself an instance of a standard fact; ``solvers`` or
            ``solver`` if z3 and cvc5 (or one of them) say that it follows and no certificate was found.
        reason: why it is not proved by the kernel.
        follows: if the paper derives it from other lines, whether it follows from them.
        numbers: if it does not, exact values of its atoms at which those lines hold and this one fails.

    """

    step: Step
    verdict: StepVerdict
    trust: Trust
    reason: str = ""
    follows: bool | None = None
    numbers: Counterexample | None = None


@dataclass(frozen=True)
class JudgedProof(Shown):
    """A proof with its verdict.

    Attributes:
        trust: of the weakest line on which it rests; standard facts are in the ledger instead.
        ledger: the standard facts on which it rests, by name.
        hypotheses: the assumptions of its conclusion, and those that give its quotients and roots a meaning.
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
        theirs = {each.statement for each in self.hypotheses} if self.verdict == "proved" else set[Statement]()
        # An open line is its own hypothesis.
        open_ = {step.step.theorem.conclusion} if step.verdict != "proved" else set[Statement]()
        return sorted(step.step.theorem.hypotheses - theirs - open_, key=str)

    def given(self, step: JudgedStep) -> list[str]:
        """The texts of a line's `own` statements."""
        return list(map(str, self.own(step)))

    @property
    def unused(self) -> list[str]:
        """The titles of hypotheses that the claim lists and that its theorem neither uses nor has as a condition."""
        return [each.title for each in self._unused if each not in self._conditions]

    @cached_property
    def _unused(self) -> list[Claim]:
        return unused(self.script, self.hypotheses)

    @cached_property
    def _conditions(self) -> list[Claim]:
        end = self.conclusion
        return [each for each in self._unused if end is not None and is_condition(each, end, self.script.proof)]

    @property
    def difference(self) -> str:
        """The difference between a theorem's hypotheses and those that its claim lists, in words; empty for a lemma."""
        if self.verdict != "proved" or self.script.claim is None:
            return ""
        return "; ".join([*self.changes, *(f"given besides: {text}" for text in self.added)]) or "as listed"

    @property
    def changes(self) -> list[str]:
        """The hypotheses of its claim that a theorem lacks, has as a condition, or replaces by another, in words."""
        parts = [f"without {title}" for title in self.unused]
        parts += [f"with {each.title} as a condition on its points" for each in self._conditions]
        return parts + [f"with {new.title} instead of {old}" for old, new in self.script.instead.items()]

    @property
    def added(self) -> list[str]:
        """The theorem's assumptions that the claim does not list: definitions, and the proof's own hypotheses."""
        return [str(each) for each in self.added_statements]

    @property
    def added_statements(self) -> list[Statement]:
        """The statements of `added`, as the kernel has them."""
        return [each.statement for each in self.hypotheses if is_added(each, self.script)]

    def to_frame(self) -> pd.DataFrame:
        """A frame with a row for each line: verdict, trust, statement, what else it is given, witness against it."""
        found: pd.DataFrame = self.shower.frame_of([self])
        return found


@dataclass(frozen=True)
class _Backing:
    """The basis of a line that the solvers confirm: their trust, and what its premises rest on."""

    trust: Trust
    hypotheses: frozenset[Statement]
    ledger: frozenset[str]


_Backings = dict[Statement, _Backing]


@dataclass(frozen=True)
class _Context:
    """The basis for judging a step: its script, the script's assumptions, known signs, the solvers' word."""

    script: Script
    given: set[Statement]
    known: Known
    backed: _Backings


def judge(script: Script, *, fixing: bool = False) -> JudgedProof:
    """Run a script and judge all that it says.

    Args:
        script: the proof.
        fixing: whether what its claim says to the kernel is to be fixed by it, whatever is fixed already.

    Raises:
        InputError: as `Script.proof` raises, and for a script that is not what it seems to be.

    """
    return judge_any(checked(script), fixing=fixing)


def judge_any(script: Script, *, fixing: bool = False) -> JudgedProof:
    """Judge a script as `judge` does, even if a mutant with the same id was put in the place of its claim."""
    script, again = _kept(script)
    proof, final = script.proof, script.proof.conclusion
    check_words(script)
    given = {each.statement for each in proof.assumptions}
    shown = derivation([*again, *filter(None, [final])])
    context = _Context(script, given, known_signs([x for x in shown if x.hypotheses <= given], given), {})
    steps: list[JudgedStep] = []
    for step in proof.steps:
        steps.append(_judge_step(step, context, steps))
    rests, ledger = _foundation(final, context.backed) if final else (frozenset(), frozenset())
    laid_down = [x for x in proof.assumptions if x.role in ("domain", "hypothesis")]
    domains = {x.statement for x in laid_down if final and _signs(x, final)}
    hypotheses = tuple(each for each in proof.assumptions if each.statement in rests | (domains - rests))
    verdict, reason = _verdict(script, final, steps, rests, fixing)
    if verdict == "proved" and final is not None:
        reason = unclear(
            [final.conclusion, *rests], known_signs([x for x in shown if x.hypotheses <= rests], rests | domains)
        )
        verdict = "unknown" if reason else verdict
    used = [context.backed[x].trust for x in (final.hypotheses if final else ()) if x in context.backed]
    everything = frozenset().union(*(theorem.ledger for theorem in again))
    return JudgedProof(
        script,
        verdict,
        weakest(used) if verdict == "proved" else "",
        reason,
        tuple(steps),
        tuple(sorted(ledger if final else everything)),
        hypotheses,
        final.conclusion if final else None,
    )


def _kept(script: Script) -> tuple[Script, list[Theorem]]:
    """The script with all that is judged of it, as it is now, and the theorems of its steps.

    Its theorems and statements are those that the kernel builds again, which the script's code cannot change.
    """
    proof, renewed = script.proof, Renewal()
    steps, ends = tuple(proof.steps), [x for x in (proof.conclusion,) if x is not None]
    again = replay_all([*(step.theorem for step in steps), *ends])
    assumptions = [replace(x, statement=renewed(x.statement)) for x in tuple(proof.assumptions)]
    kept = Proof(script.claim, script.reading, assumptions, goal=renewed(proof.goal), closing=proof.closing)
    kept.conclusion = again.pop() if ends else None
    kept.steps = [replace(step, theorem=theorem) for step, theorem in zip(steps, again, strict=True)]
    same = replace(script)
    # Keep what the script's function filled, instead of running it again.
    vars(same)["proof"] = kept
    return same, again


def _signs(assumption: Assumption, theorem: Theorem) -> bool:
    """True if the assumption gives the sign of a letter in a quotient or root of the theorem's statement."""
    fact = assumption.statement
    if not isinstance(fact, Fact) or fact.relation == "=":
        return False
    inside = frozenset().union(*(atom.inside for atom in partial(theorem.conclusion)))
    return len(fact.polynomial.atoms()) == 1 and inside.issuperset(fact.polynomial.atoms())


def _foundation(theorem: Theorem, backed: _Backings) -> tuple[frozenset[Statement], frozenset[str]]:
    """The statements that a theorem rests on, and its ledger.

    Lines that the solvers confirm count as what they rest on.
    """
    rests: set[Statement] = set()
    ledger, queue = set(theorem.ledger), list(theorem.hypotheses)
    seen: set[Statement] = set()
    while queue:
        statement = queue.pop()
        if statement in seen:
            continue
        seen.add(statement)
        if statement in backed:
            ledger |= backed[statement].ledger
            queue += backed[statement].hypotheses
        else:
            rests.add(statement)
    return frozenset(rests), frozenset(ledger)


def weakest(trusts: list[Trust]) -> Trust:
    """The weakest of these; ``kernel`` if there are none."""
    return max(trusts, key=_ORDER.index, default="kernel")


def _judge_step(step: Step, context: _Context, earlier: list[JudgedStep]) -> JudgedStep:
    follows, numbers = _infer(step)
    word, statement = _word(step, context, earlier), step.theorem.conclusion
    said = _said(step, context.script.reading)
    if said != (statement.conclusion if isinstance(statement, Law) else statement):
        word = _Word("unknown", reason=f"it says {said}, and its theorem {statement}")
    why = unclear([statement], context.known) if word.verdict == "proved" else ""
    if why:
        word = _Word("unknown", reason=why)
    if step.witness is not None and word.verdict == "refuted":
        step = replace(step, witness=examined(step.witness))
    return JudgedStep(step, word.verdict, word.trust, word.reason, follows, numbers or word.numbers)


class _Word(NamedTuple):
    """The verdict on a step's theorem; if it does not follow, numbers at which it fails."""

    verdict: StepVerdict
    trust: Trust = ""
    reason: str = ""
    numbers: Counterexample | None = None


def _said(step: Step, reading: Reading) -> Fact | None:
    """The statement of a step's own relation; for a cited line, that of its theorem; None without a translation."""
    if step.relation is None:
        return step.theorem.conclusion.conclusion if isinstance(step.theorem.conclusion, Law) else step.theorem.fact
    try:
        return reading.fact(step.relation)
    except InputError:
        return None


def _word(step: Step, context: _Context, earlier: list[JudgedStep]) -> _Word:
    backed, open_ = context.backed, step.theorem.hypotheses - context.given
    if step.witness is not None:
        reason = objection(step.theorem.fact, step.witness, context.script)
        return _Word("unknown" if reason else "refuted", reason=reason)
    if step.theorem.rule == "assume" and step.theorem.conclusion not in context.given:
        return _ask_solvers(step, context)
    if step.theorem.rule == "assume":
        return _Word("proved", "assumed", "it is assumed as it stands")
    if open_ <= set(backed):
        least: Trust = "assumed" if step.theorem.rule in STANDARD_FACTS else "kernel"
        worst = weakest([least, *(backed[x].trust for x in open_)])
        return _Word("proved", worst, "rests on lines that only the solvers confirm" if open_ else "")
    labels = [x.step.label for x in earlier if x.step.theorem.conclusion in open_]
    return _Word("unknown", reason=f"rests on {', '.join(labels) or 'an open line'}")


def _infer(step: Step) -> tuple[bool | None, Counterexample | None]:
    """True if a line follows from those that the paper names; False, with numbers, if not; None if neither is known."""
    inference, said = step.inference, step.theorem.conclusion
    if inference is None:
        return None, None
    theorem, numbers = inference.theorem, inference.numbers
    if theorem is not None and replay(theorem).conclusion == said and said not in theorem.hypotheses:
        return True, None
    return (False, numbers) if type(numbers) is Counterexample and numbers.goal == said else (None, None)


def _ask_solvers(step: Step, context: _Context) -> _Word:
    """The answers of z3 and cvc5 on a line without a certificate, with what its premises rest on.

    Of an induction that no premise closes at once, the answers are those on the half that is open.
    """
    premises = replay_all(step.because.premises) if step.because else []
    backed, goal, half = context.backed, step.theorem.fact, step.open
    hypotheses = _rest_on(premises)
    statuses = _asked(goal, premises, hypotheses, context)
    voices = trust(statuses)
    if voices:
        worst = weakest([voices, *(backed[x].trust for x in hypotheses if x in backed)])
        ledger = frozenset().union(*(x.ledger for x in premises))
        # The first answer counts: a line that is derived from itself is no better founded.
        backed.setdefault(step.theorem.conclusion, _Backing(worst, hypotheses, ledger))
        return _Word("proved", worst, _answered(statuses))
    where = ""
    if half is not None:
        premises, where = (
            replay_all(half.because.premises),
            f"the induction is open {half.name}, where it says {half.goal}: ",
        )
        # The line at t is what the step is from.
        statuses = _asked(half.goal, premises, _rest_on(premises) - {goal}, context)
    if not statuses:
        reason = f"{where}no certificate was found, and it is drawn from lines that are open or false"
        return _Word("unknown", reason=reason)
    said = where + _answered(statuses)
    goal = goal if half is None else half.goal
    found = counterexample(goal, [x.fact for x in premises], SECONDS) if "sat" in statuses.values() else None
    if isinstance(found, Counterexample):
        told = f"It does not follow: its premises hold at {found}, where it fails. {_advice(found, context)}"
        told = told if found.values else "It does not follow, whatever its letters are"
        return _Word("unknown", reason=f"{said}. {told}", numbers=None if half else found)
    return _Word("unknown", reason=said)


def _rest_on(premises: Sequence[Theorem]) -> frozenset[Statement]:
    return frozenset().union(*(x.hypotheses for x in premises))


def _asked(
    goal: Fact, premises: Sequence[Theorem], hypotheses: frozenset[Statement], context: _Context
) -> Mapping[str, Status]:
    """The answers of the solvers, by their names; empty where the premises rest on lines that are open."""
    if not hypotheses <= context.given | set(context.backed):
        return {}
    return second_opinion(goal, [x.fact for x in premises], SECONDS)


def _answered(statuses: Mapping[str, Status]) -> str:
    answers = ", ".join(f"{solver} says {_ANSWERS[status]}" for solver, status in statuses.items())
    return f"no certificate was found; asked whether it follows, {answers}"


def _advice(found: Counterexample, context: _Context) -> str:
    """Advice on numbers at which a line fails: a witness has letters, and they are positive where declared so."""
    letters = {atom.name: value for atom, value in found.values.items() if isinstance(atom, Variable)}
    declared = (*context.script.reading.letters, *CATALOGUE.values())
    wrong = [x.name for x in declared if x.is_positive and letters.get(x.name, 1) <= 0]
    if wrong:
        return f"That {' and '.join(sorted(wrong))} > 0 is a premise only if the step names it, see proof.positive"
    if len(letters) == len(found.values):
        return "Try these numbers as its witness"
    return "There may be no matrices with these numbers; they show which fact is missing"


def _verdict(
    script: Script, final: Theorem | None, steps: list[JudgedStep], rests: frozenset[Statement], fixing: bool
) -> tuple[StepVerdict, str]:
    proof = script.proof
    refuted = [x.step.label for x in steps if x.verdict == "refuted"]
    if script.version == "printed" and refuted:
        return "refuted", f"false: {', '.join(refuted)}"
    if final is None or proof.goal is None:
        return "unknown", "no proof.conclude says what the proof shows"
    circle = circular(proof.definitions, script.reading)
    if circle:
        return "unknown", f"{circle} is defined twice, or by itself"
    foreign = stray(script, proof, rests, fixing=fixing)
    if foreign:
        names = [x.name for x in proof.assumptions if x.statement in foreign]
        names += [x.step.label for x in steps if x.step.theorem.conclusion in foreign]
        told = ", ".join(dict.fromkeys(names)) or str(foreign[0])
        return "unknown", f"it rests on {told}, which is not a hypothesis of the claim"
    if isinstance(final.conclusion, Fact) and not final.conclusion.polynomial.terms:
        return "unknown", f"it concludes nothing: {final.conclusion}"
    if final.conclusion != proof.goal:
        return "unknown", f"it ends in {final.conclusion}, and not in {proof.goal}"
    if script.instead and final.conclusion in rests:
        return "unknown", f"it assumes what it concludes: {final.conclusion}"
    if (other := stronger(script, proof)) != "":
        return "unknown", f"it has {other} instead of a hypothesis of the claim from which that does not follow"
    reason = misstated(script, proof, fixing=fixing)
    return ("unknown", reason) if reason else ("proved", "")


def claim_verdict(proofs: list[JudgedProof]) -> ClaimVerdict:
    """The verdict on a claim from its proofs: proved; repaired, if its printed proof is broken; refuted; unknown.

    A printed proof is broken where a line of it is false, or does not follow from those that it names. A printed
    proof of which too little is known is not broken.
    """
    printed = [x for x in proofs if x.script.version == "printed"]
    if any(x.verdict == "proved" for x in proofs):
        return "repaired" if any(map(_is_broken, printed)) else "proved"
    return "refuted" if any(_refutes(x) for x in printed) else "unknown"


def _is_broken(proof: JudgedProof) -> bool:
    return proof.verdict == "refuted" or any(step.follows is False for step in proof.steps)


def _refutes(proof: JudgedProof) -> bool:
    """True if a false line is the claim itself: a printed proof may be broken, and its claim true."""
    claim = proof.script.claim
    lines = [x.step for x in proof.steps if x.verdict == "refuted"]
    return proof.script.is_statement and any(claim is None or line.relation == claim.conclusion for line in lines)
