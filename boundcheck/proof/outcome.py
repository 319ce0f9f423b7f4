"""`ProofAudit`, what `prove` returns; and its export as LaTeX, certificates, SMT-LIB and Rocq files."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundcheck.errors import InputError
from boundcheck.kernel import STANDARD_FACTS
from boundcheck.language.notebook import Shown
from boundcheck.language.prose import plainly
from boundcheck.proof.interchange import certificates
from boundcheck.proof.latex import PREAMBLE, latex
from boundcheck.proof.results import ClaimAudit
from boundcheck.proof.rows import JudgedRow
from boundcheck.proof.smt import smt_lib
from boundcheck.rocq.file import rocq, theorem_name
from boundcheck.system.files import file_name, replace_file

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ProofAudit(Shown):
    """The audited claims, the table of each paper that was audited whole, and the seconds that this took."""

    claims: tuple[ClaimAudit, ...]
    rows: tuple[JudgedRow, ...]
    seconds: float

    def __getitem__(self, id: str) -> ClaimAudit:
        """The audit of a claim; raises InputError if it was not audited."""
        found = next((claim for claim in self.claims if claim.id == id), None)
        if found is None:
            raise InputError("claim", id, f"one that was audited: {', '.join(claim.id for claim in self.claims)}")
        return found

    @property
    def ledger(self) -> tuple[str, ...]:
        """The standard facts on which the proofs rest."""
        return tuple(sorted({name for claim in self.claims for proof in claim.proofs for name in proof.ledger}))

    @property
    def facts(self) -> dict[str, str]:
        """The texts of the standard facts of the ledger, by name, with formulas between dollars."""
        return {name: STANDARD_FACTS[name] for name in self.ledger}

    def as_json(self) -> dict[str, Any]:
        """The audit as plain data, with the keys of `boundcheck prove --json`."""
        facts = plainly(self.facts)
        claims = [claim.as_json() for claim in self.claims]
        rows = [row.as_json() for row in self.rows]
        return {"claims": claims, "rows": rows, "standard_facts": facts, "seconds": round(self.seconds, 3)}

    def to_frame(self) -> pd.DataFrame:
        """A frame with a row for each line of all proofs; see `JudgedProof.to_frame`."""
        found: pd.DataFrame = self.shower.frame_of(proof for claim in self.claims for proof in claim.proofs)
        return found


def export(audit: ProofAudit, folder: Path) -> list[Path]:
    """Write proofs for others to check.

    Each proof is written as LaTeX, with its preamble; all certificates as one file, for `proofs/check_certificates.py`;
    and each line that a certificate proves as SMT-LIB, for solvers.

    Raises:
        InputError: where the folder cannot be written, and where a name stands for two things in a certificate.

    """
    proofs = [proof for claim in audit.claims for proof in claim.proofs]
    lines = (json.dumps(each, ensure_ascii=False) for proof in proofs for each in certificates(proof))
    written: dict[Path, str] = {
        folder / "preamble.tex": PREAMBLE,
        folder / "certificates.jsonl": "".join(f"{line}\n" for line in lines),
    }
    for proof in proofs:
        name = file_name(f"{proof.script.id}-{proof.script.version}")
        written[folder / f"{name}.tex"] = latex(proof)
        for i, judged in enumerate(proof.steps, start=1):
            theorem = judged.step.theorem
            if theorem.rule == "certificate":
                premises = [x.fact for x in theorem.premises]
                stem = re.sub(r"[^A-Za-z0-9]+", "_", judged.step.label).strip("_") or "line"
                written[folder / name / f"{i:02d}_{stem}.smt2"] = smt_lib(theorem.fact, premises)
    return _written("export", folder, written)


def export_rocq(audit: ProofAudit, folder: Path) -> list[Path]:
    """Write each proved proof as a file for Rocq, which needs `proofs/rocq` to check it.

    Raises:
        InputError: for a step that has no form in Rocq, and where the folder cannot be written.

    """
    proofs = [proof for claim in audit.claims for proof in claim.proofs if proof.verdict == "proved"]
    return _written("rocq", folder, {folder / f"{theorem_name(proof)}.v": rocq(proof) for proof in proofs})


def _written(option: str, folder: Path, texts: dict[Path, str]) -> list[Path]:
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, text.encode())
    except OSError as error:
        raise InputError(option, folder, f"a folder that can be written ({error.strerror})") from None
    return list(texts)
