"""The proofs as a page shows them: of each the lines that say something to a reader, with their evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from boundcheck.prove import ProofAudit
from boundcheck.prove.display import shown
from boundcheck.prove.identity import identity_latex
from boundcheck.prove.results import ClaimAudit, proof_as_json, step_as_json
from boundcheck.prove.verdict import JudgedProof, JudgedStep


@dataclass(frozen=True)
class ShownProof:
    """A proof as the template reads it: the same data as `boundcheck prove --json`, and the count of lines left out."""

    id: str
    proof: dict[str, Any]
    lines: list[dict[str, Any]]
    hidden: int
    end: "ShownEnd | None"


@dataclass(frozen=True)
class ShownEnd:
    """What a proof proves, and on what it rests.

    Attributes:
        conclusion: in LaTeX, from the kernel's theorem.
        rests: its hypotheses: the role of each, its LaTeX, and its author's name for it, where it has one.
        letters: what letters are, and which those are, each in LaTeX.
        changes: in words, how the hypotheses differ from those that the claim lists.
        added: those that it does not list, in LaTeX.

    """

    conclusion: str
    rests: Sequence[tuple[str, str, str]]
    letters: Mapping[str, Sequence[str]]
    changes: Sequence[str]
    added: Sequence[str]


def shown_proofs(audit: ProofAudit) -> list[ShownProof]:
    """Every proof, of each the lines that say something to a reader; `boundcheck prove --steps` shows the others."""
    return [_shown(claim, i) for claim in audit.claims for i in range(len(claim.proofs))]


def shown_line(proof: JudgedProof, judged: JudgedStep) -> dict[str, Any]:
    """A line as data, with what it is given and its certificate in LaTeX too."""
    data, theorem = step_as_json(proof, judged), judged.step.theorem
    certificate = identity_latex(theorem) if data["certificate"] else []
    return data | {"given_latex": shown(*proof.own(judged)).latex, "certificate_latex": certificate}


def shown_end(proof: JudgedProof) -> ShownEnd | None:
    """What a proof proves; None for one that does not come to its end."""
    if proof.verdict != "proved" or proof.conclusion is None:
        return None
    display = shown(*(each.statement for each in proof.hypotheses), proof.conclusion)
    rests = [
        (each.role, made, "" if each.name == text else each.name)
        for each, made, text in zip(proof.hypotheses, display.latex, display.texts, strict=False)
    ]
    is_claim = proof.script.claim is not None
    added = shown(*proof.added_statements).latex if is_claim else ()
    changes = proof.changes if is_claim else []
    return ShownEnd(display.latex[-1], rests, display.told_latex, changes, added)


def _shown(claim: ClaimAudit, i: int) -> ShownProof:
    audited = claim.proofs[i]
    lines = [
        shown_line(audited, step)
        for step in audited.steps
        if step.step.meaning or step.step.printed or step.verdict != "proved"
    ]
    return ShownProof(claim.id, proof_as_json(audited), lines, len(audited.steps) - len(lines), shown_end(audited))
