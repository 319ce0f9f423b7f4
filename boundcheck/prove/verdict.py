"""The verdict on a proof: every line replayed by the kernel or held against its witness, and what it all rests on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from boundcheck.kernel import STANDARD_FACTS, Fact, Statement, Theorem, replay_all
from boundcheck.prove.counterexamples import Counterexample
from boundcheck.prove.fidelity import circular, misstated, stray
from boundcheck.prove.proof import SECONDS, Assumption, Inference, Proof, Step
from boundcheck.prove.script import Script
from boundcheck.prove.solvers import second_opinion, trust

StepVerdict = Literal["proved", "refuted", "unknown"]
ClaimVerdict = Literal["proved", "repaired", "refuted", "unknown"]
# From the strongest to the weakest; "" where nothing is proved.
Trust = Literal["kernel", "solvers", "solver", "assumed", ""]
_ORDER: tuple[Trust, ...] = ("kernel", "solvers", "solver", "assumed")


@dataclass(frozen=True)
class JudgedStep:
    """A step with its verdict.

    Attributes:
        trust: of a proof: ``kernel``, or ``assumed`` where the line is itself an instance of a standard fact, or
            ``solvers`` and ``solver`` where z3 and cvc5 say that it follows and no certificate was found.
        reason: why it is not proved by the kernel.
        follows: where the paper derives it from other lines: whether it follows from them.
        numbers: where it does not, exact values of its atoms at which those lines hold and this one fails.

    """

    step: Step
    verdict: StepVerdict
    trust: Trust
    reason: str = ""
    follows: bool | None = None
    numbers: Counterexample | None = None


@dataclass(frozen=True)
class JudgedProof:
    """A proof with its verdict.

    Attributes:
        trust: that of the weakest line that it rests on, standard facts aside, which are in the ledger.
        ledger: the standard facts that it rests on, by name.
        hypotheses: what its conclusion starts from.

    """

    script: Script
    verdict: StepVerdict
    trust: Trust
    reason: str
    steps: tuple[JudgedStep, ...]
    ledger: tuple[str, ...]
    hypotheses: tuple[Assumption, ...]


@dataclass(frozen=True)
class _Backing:
    """What a line that the solvers vouch for rests on: their trust, and what its premises rest on."""

    trust: Trust
    hypotheses: frozenset[Statement]
    ledger: frozenset[str]


_Backings = dict[Statement, _Backing]


def judge(script: Script) -> JudgedProof:
    """Run a script and judge all that it says.

    Raises:
        InputError: as `Script.proof`.

    """
    proof = script.proof
    # What is judged is what the kernel has built anew, and not what the script handed over.
    again = replay_all([step.theorem for step in proof.steps])
    (final,) = replay_all([proof.conclusion]) if proof.conclusion else (None,)
    known = {each.statement for each in proof.assumptions}
    backed: _Backings = {}
    steps: list[JudgedStep] = []
    for step, theorem in zip(proof.steps, again, strict=True):
        steps.append(_judge_step(replace(step, theorem=theorem), proof, known, backed, steps))
    rests, ledger = _foundation(final, backed) if final else (frozenset(), frozenset())
    verdict, reason = _verdict(script, final, steps, rests)
    used = [backed[x].trust for x in (final.hypotheses if final else ()) if x in backed]
    everything = frozenset().union(*(theorem.ledger for theorem in again))
    return JudgedProof(
        script,
        verdict,
        weakest(used) if verdict == "proved" else "",
        reason,
        tuple(steps),
        tuple(sorted(ledger if final else everything)),
        tuple(each for each in proof.assumptions if each.statement in rests),
    )


def _foundation(theorem: Theorem, backed: _Backings) -> tuple[frozenset[Statement], frozenset[str]]:
    """What a theorem rests on, lines that the solvers vouch for replaced by what these rest on; and its ledger."""
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
    """The weakest of these, kernel where there are none."""
    return max(trusts, key=_ORDER.index, default="kernel")


def _judge_step(
    step: Step, proof: Proof, known: set[Statement], backed: _Backings, earlier: list[JudgedStep]
) -> JudgedStep:
    follows, numbers = _infer(step.inference)
    if step.witness is not None:
        reason = _against(step, proof)
        return JudgedStep(step, "unknown" if reason else "refuted", "", reason, follows, numbers)
    statement = step.theorem.conclusion
    if step.theorem.rule == "assume" and statement not in known:
        voices, why = _ask_solvers(step, known, backed)
        return JudgedStep(step, "proved" if voices else "unknown", voices, why, follows, numbers)
    open_ = step.theorem.hypotheses - known
    if open_ <= set(backed):
        least: Trust = "assumed" if step.theorem.rule in STANDARD_FACTS else "kernel"
        worst = weakest([least, *(backed[x].trust for x in open_)])
        rests = "rests on lines that the solvers alone vouch for" if open_ else ""
        return JudgedStep(step, "proved", worst, rests, follows, numbers)
    labels = [x.step.label for x in earlier if x.step.theorem.conclusion in open_]
    return JudgedStep(step, "unknown", "", f"rests on {', '.join(labels) or 'an open line'}", follows, numbers)


def _infer(inference: Inference | None) -> tuple[bool | None, Counterexample | None]:
    """Whether a line follows from those that the paper names, and numbers where it does not."""
    if inference is None:
        return None, None
    decided = inference.theorem is not None or inference.numbers is not None
    return (inference.theorem is not None if decided else None), inference.numbers


def _ask_solvers(step: Step, known: set[Statement], backed: _Backings) -> tuple[Trust, str]:
    """z3's and cvc5's word on a line without a certificate; what its premises rest on goes with it."""
    premises = replay_all(step.because.premises) if step.because else []
    hypotheses = frozenset().union(*(x.hypotheses for x in premises))
    if not hypotheses <= known | set(backed):
        return "", "no certificate was found, and it is drawn from lines that are open or false"
    statuses = second_opinion(step.theorem.fact, [x.fact for x in premises], SECONDS)
    voices = trust(statuses)
    said = ", ".join(f"{solver} says {status}" for solver, status in statuses.items())
    if voices:
        worst = weakest([voices, *(backed[x].trust for x in hypotheses if x in backed)])
        ledger = frozenset().union(*(x.ledger for x in premises))
        backed[step.theorem.conclusion] = _Backing(worst, hypotheses, ledger)
        return worst, f"no certificate was found; {said}"
    return "", f"no certificate was found; {said}"


def _against(step: Step, proof: Proof) -> str:
    """Why the witness does not refute the step; empty where it does."""
    witness, fact = step.witness, step.theorem.fact
    if witness is None:
        return "no witness"
    if witness.failures:
        return f"the witness breaks a hypothesis: {'; '.join(witness.failures)}"
    for each in proof.assumptions:
        if isinstance(each.statement, Fact) and not witness.meets(each.statement):
            return f"the witness does not meet {each.name}"
    return "" if witness.refutes(fact) else "the witness does not make the line false"


def _verdict(
    script: Script, final: Theorem | None, steps: list[JudgedStep], rests: frozenset[Statement]
) -> tuple[StepVerdict, str]:
    proof = script.proof
    refuted = [x.step.label for x in steps if x.verdict == "refuted"]
    if script.version == "printed" and refuted:
        return "refuted", f"false: {', '.join(refuted)}"
    if final is None or proof.goal is None:
        return "unknown", "the script does not conclude"
    circle = circular(proof.assumptions)
    if circle:
        return "unknown", f"{circle} is defined by itself"
    foreign = stray(script, proof, rests)
    if foreign:
        names = [x.name for x in proof.assumptions if x.statement in foreign]
        names += [x.step.label for x in steps if x.step.theorem.conclusion in foreign]
        told = ", ".join(dict.fromkeys(names)) or str(foreign[0])
        return "unknown", f"it rests on {told}, which is no hypothesis of the claim"
    if final.conclusion != proof.goal:
        return "unknown", f"it ends in {final.conclusion}, and not in {proof.goal}"
    reason = misstated(script, proof)
    return ("unknown", reason) if reason else ("proved", "")


def claim_verdict(proofs: list[JudgedProof]) -> ClaimVerdict:
    """The verdict on a claim from its proofs: proved; repaired, where its printed proof is broken; refuted; unknown."""
    printed = [x for x in proofs if x.script.version == "printed"]
    if any(x.verdict == "proved" for x in proofs):
        return "repaired" if any(x.verdict != "proved" for x in printed) else "proved"
    return "refuted" if any(_refutes(x) for x in printed) else "unknown"


def _refutes(proof: JudgedProof) -> bool:
    """Whether a false line is the claim itself: a printed proof may be broken, and its claim true."""
    claim = proof.script.claim
    lines = [x.step for x in proof.steps if x.verdict == "refuted"]
    return proof.script.is_statement and any(claim is None or line.relation == claim.conclusion for line in lines)
