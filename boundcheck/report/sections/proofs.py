"""The proofs as a page shows them: of each the lines that say something to a reader, with their evidence."""

from dataclasses import dataclass
from typing import Any

from boundcheck.prove import ProofAudit
from boundcheck.prove.results import ClaimAudit, proof_as_json


@dataclass(frozen=True)
class ShownProof:
    """A proof as the template reads it: the same data as `boundcheck prove --json`, and the count of lines left out."""

    id: str
    proof: dict[str, Any]
    lines: list[dict[str, Any]]
    hidden: int


def shown_proofs(audit: ProofAudit) -> list[ShownProof]:
    """Every proof, of each the lines that say something to a reader; `boundcheck prove --steps` shows the others."""
    return [_shown(claim, i) for claim in audit.claims for i in range(len(claim.proofs))]


def _shown(claim: ClaimAudit, i: int) -> ShownProof:
    proof = proof_as_json(claim.proofs[i])
    lines = [step for step in proof["steps"] if step["meaning"] or step["printed"] or step["verdict"] != "proved"]
    return ShownProof(claim.id, proof, lines, len(proof["steps"]) - len(lines))
