"""The verdict on a proof: every line replayed by the kernel or held against its witness, and what it all rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from boundcheck.claims import Claim
from boundcheck.kernel import STANDARD_FACTS, Fact, Statement, replay_all
from boundcheck.prove.counterexamples import Counterexample
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


def judge(script: Script) -> JudgedProof:
    """Run a script and judge all that it says.

    Raises:
        InputError: as `Script.proof`.

    """
    proof = script.proof
    theorems = [step.theorem for step in proof.steps] + ([proof.conclusion] if proof.conclusion else [])
    # The kernel's own word on each; a forged theorem raises.
    replay_all(theorems)
    known = {each.statement for each in proof.assumptions}
    backed: dict[Statement, Trust] = {}
    steps: list[JudgedStep] = []
    for step in proof.steps:
        steps.append(_judge_step(step, proof, known, backed, steps))
    verdict, reason = _verdict(script, proof, steps, backed)
    final = proof.conclusion.hypotheses if proof.conclusion else frozenset()
    ledger = frozenset().union(*(x.ledger for x in theorems))
    return JudgedProof(
        script,
        verdict,
        weakest([backed[x] for x in final if x in backed]) if verdict == "proved" else "",
        reason,
        tuple(steps),
        tuple(sorted(proof.conclusion.ledger if proof.conclusion else ledger)),
        tuple(each for each in proof.assumptions if each.statement in final),
    )


def weakest(trusts: list[Trust]) -> Trust:
    """The weakest of these, kernel where there are none."""
    return max(trusts, key=_ORDER.index, default="kernel")


def _judge_step(
    step: Step, proof: Proof, known: set[Statement], backed: dict[Statement, Trust], earlier: list[JudgedStep]
) -> JudgedStep:
    follows, numbers = _infer(step.inference)
    if step.witness is not None:
        reason = _against(step, proof)
        return JudgedStep(step, "unknown" if reason else "refuted", "", reason, follows, numbers)
    statement = step.theorem.conclusion
    if step.theorem.rule == "assume" and statement not in known:
        voices, why = _ask_solvers(step)
        if voices:
            backed[statement] = voices
        return JudgedStep(step, "proved" if voices else "unknown", voices, why, follows, numbers)
    open_ = step.theorem.hypotheses - known
    if open_ <= set(backed):
        least: Trust = "assumed" if step.theorem.rule in STANDARD_FACTS else "kernel"
        worst = weakest([least, *(backed[x] for x in open_)])
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


def _ask_solvers(step: Step) -> tuple[Trust, str]:
    """z3's and cvc5's word on a line without a certificate."""
    premises = [x.fact for x in step.because.premises] if step.because else []
    statuses = second_opinion(step.theorem.fact, premises, SECONDS)
    voices = trust(statuses)
    said = ", ".join(f"{solver} says {status}" for solver, status in statuses.items())
    return voices or "", f"no certificate was found; {said}"


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
    script: Script, proof: Proof, steps: list[JudgedStep], backed: dict[Statement, Trust]
) -> tuple[StepVerdict, str]:
    refuted = [x.step.label for x in steps if x.verdict == "refuted"]
    if script.version == "printed" and refuted:
        return "refuted", f"false: {', '.join(refuted)}"
    if proof.conclusion is None or proof.goal is None:
        return "unknown", "the script does not conclude"
    if proof.conclusion.conclusion != proof.goal:
        return "unknown", f"it ends in {proof.conclusion.conclusion}, and not in {proof.goal}"
    allowed = {x.statement for x in proof.assumptions if x.role != "local" and _may_start_from(x, script)}
    stray = sorted(proof.conclusion.hypotheses - allowed - set(backed))
    if stray:
        names = [x.name for x in proof.assumptions if x.statement in stray]
        names += [x.step.label for x in steps if x.step.theorem.conclusion in stray]
        return (
            "unknown",
            f"it rests on {', '.join(dict.fromkeys(names)) or stray[0]}, which is no hypothesis of the claim",
        )
    return "proved", ""


def _may_start_from(assumption: Assumption, script: Script) -> bool:
    if (
        assumption.role not in ("hypothesis", "choice")
        or script.claim is None
        or assumption.relation in script.claim.conditions
    ):
        return True
    wanted = {hypothesis.id for hypothesis in _closure(script.claim)}
    wanted = wanted - set(script.instead) | {claim.id for claim in script.instead.values()}
    return assumption.claim is not None and assumption.claim.id in wanted


def _closure(claim: Claim) -> list[Claim]:
    return [x for hypothesis in claim.hypotheses for x in (hypothesis, *_closure(hypothesis))]


def claim_verdict(proofs: list[JudgedProof]) -> ClaimVerdict:
    """The verdict on a claim from its proofs: proved; repaired, where its printed proof is broken; refuted; unknown."""
    printed = [x for x in proofs if x.script.version == "printed"]
    if any(x.verdict == "proved" for x in proofs):
        return "repaired" if any(x.verdict != "proved" for x in printed) else "proved"
    # A printed proof may be broken and its claim true; that a claim is false takes a line that is the claim itself.
    if any(x.verdict == "refuted" and x.script.is_statement for x in printed):
        return "refuted"
    return "unknown"
