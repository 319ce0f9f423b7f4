"""The verdict on a proof: every line replayed by the kernel or held against its witness, and what the whole rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from boundcheck.claims import Claim
from boundcheck.kernel import STANDARD_FACTS, Fact, Statement, replay_all
from boundcheck.prove.proof import Assumption, Proof, Step
from boundcheck.prove.script import Script

StepVerdict = Literal["proved", "refuted", "unknown"]
ClaimVerdict = Literal["proved", "repaired", "refuted", "unknown"]
Trust = Literal["kernel", "assumed", ""]


@dataclass(frozen=True)
class JudgedStep:
    """A step with its verdict, the trust of a proof, and the reason where it is not proved by the kernel."""

    step: Step
    verdict: StepVerdict
    trust: Trust
    reason: str


@dataclass(frozen=True)
class JudgedProof:
    """A proof with its verdict.

    Attributes:
        ledger: the standard facts that it rests on, by name.
        hypotheses: what its conclusion starts from.

    """

    script: Script
    proof: Proof
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
    steps: list[JudgedStep] = []
    for step in proof.steps:
        steps.append(_judge_step(step, proof, known, steps))
    verdict, reason = _verdict(script, proof, steps, known)
    final = proof.conclusion
    held = final.hypotheses if final else frozenset()
    return JudgedProof(
        script,
        proof,
        verdict,
        "kernel" if verdict == "proved" else "",
        reason,
        tuple(steps),
        tuple(sorted(final.ledger if final else set().union(*(x.ledger for x in theorems)))),
        tuple(each for each in proof.assumptions if each.statement in held),
    )


def _judge_step(step: Step, proof: Proof, known: set[Statement], earlier: list[JudgedStep]) -> JudgedStep:
    if step.witness is not None:
        reason = _against(step, proof)
        return JudgedStep(step, "unknown" if reason else "refuted", "", reason)
    open_ = step.theorem.hypotheses - known
    if not open_:
        standard = step.theorem.rule in STANDARD_FACTS
        return JudgedStep(step, "proved", "assumed" if standard else "kernel", "")
    if open_ == {step.theorem.conclusion} and step.theorem.rule == "assume":
        return JudgedStep(step, "unknown", "", "no certificate was found, and no witness was given")
    labels = [x.step.label for x in earlier if x.step.theorem.conclusion in open_]
    return JudgedStep(step, "unknown", "", f"rests on {', '.join(labels)}")


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


def _verdict(script: Script, proof: Proof, steps: list[JudgedStep], known: set[Statement]) -> tuple[StepVerdict, str]:
    refuted = [x.step.label for x in steps if x.verdict == "refuted"]
    if script.version == "printed" and refuted:
        return "refuted", f"false: {', '.join(refuted)}"
    if proof.conclusion is None or proof.goal is None:
        return "unknown", "the script does not conclude"
    if proof.conclusion.conclusion != proof.goal:
        return "unknown", f"it ends in {proof.conclusion.conclusion}, and not in {proof.goal}"
    allowed = {x.statement for x in proof.assumptions if x.role != "local" and _may_start_from(x, script)}
    stray = sorted(proof.conclusion.hypotheses - allowed)
    if stray:
        names = [x.name for x in proof.assumptions if x.statement in stray] or [str(stray[0])]
        return "unknown", f"it rests on what is no hypothesis of the claim: {', '.join(dict.fromkeys(names))}"
    return "proved", ""


def _may_start_from(assumption: Assumption, script: Script) -> bool:
    if assumption.role != "hypothesis" or script.claim is None:
        return True
    wanted = {hypothesis.id for hypothesis in _closure(script.claim)}
    wanted = wanted - set(script.instead) | {claim.id for claim in script.instead.values()}
    return (
        (assumption.claim is not None and assumption.claim.id in wanted) or assumption.relation in script.claim.conditions
    )


def _closure(claim: Claim) -> list[Claim]:
    return [x for hypothesis in claim.hypotheses for x in (hypothesis, *_closure(hypothesis))]


def claim_verdict(proofs: list[JudgedProof]) -> ClaimVerdict:
    """The verdict on a claim from its proofs: proved, repaired (its printed proof is broken), refuted or unknown."""
    printed = [x for x in proofs if x.script.version == "printed"]
    rest = [x for x in proofs if x.script.version != "printed"]
    if any(x.verdict == "proved" for x in rest):
        return "repaired" if any(x.verdict != "proved" for x in printed) else "proved"
    if any(x.verdict == "proved" for x in printed):
        return "proved"
    return "unknown"


__all__ = ["ClaimVerdict", "JudgedProof", "JudgedStep", "StepVerdict", "claim_verdict", "judge"]
