"""Finding proofs and refuting steps: sympy to kernel, certificates, SMT, exact witnesses, and proof
scripts.
"""

# The view is what a notebook shows of a result.
from boundcheck.proof import view as view
from boundcheck.proof.audit import Choice, ClaimAudit, JudgedRow, ProofAudit, Ref, Row, Under, prove
from boundcheck.proof.proof import Proof
from boundcheck.proof.reading import Process, Reading, eq, ge, gt, le
from boundcheck.proof.script import Script, lemma, script
from boundcheck.proof.verdict import judge
from boundcheck.proof.witness import Witness, at_numbers

__all__ = [
    "Choice",
    "ClaimAudit",
    "JudgedRow",
    "Process",
    "Proof",
    "ProofAudit",
    "Reading",
    "Ref",
    "Row",
    "Script",
    "Under",
    "Witness",
    "at_numbers",
    "eq",
    "ge",
    "gt",
    "judge",
    "le",
    "lemma",
    "prove",
    "script",
]
