"""The fixed kernel statement of each claim of the catalogue: what a proof must end in, and what it may use.

A claim has its formula in sympy and its quantifiers in words. Their formal reading was made once and is kept in
`statements.json` beside the proof scripts, as text to read and as digests to compare, so that no script can read a
claim its own way. Quantities, conditions and domains are not kept: they are computed from the claim.

    python -c "from boundcheck.proof.statements import write; write('jiang2024')"

writes the file again from the current proofs; read the difference when you do this. Only what the kernel proves is
written, and only as what the claim says: a conclusion that is the claim's own, from its hypotheses and no others.
"""

from __future__ import annotations

import json
from typing import Any

from boundcheck.errors import InputError
from boundcheck.kernel import Statement
from boundcheck.language.catalogue import catalogue
from boundcheck.proof.fidelity import digest, own_statements
from boundcheck.proof.script import of_paper
from boundcheck.proof.verdict import judge
from boundcheck.proofs import paper_of
from boundcheck.system.files import replace_file


def statements_of(paper: str) -> dict[str, Any]:
    """The table of a paper, from its proofs as they are.

    Raises:
        InputError: for a script that concludes and does not prove its claim, and for two that prove two statements.

    """
    table: dict[str, Any] = {}
    broken: dict[str, list[str]] = {}
    for script in of_paper(paper):
        claim = script.claim
        if claim is None or claim.id not in catalogue:
            continue
        if script.version == "printed":
            broken[claim.id] = [step.step.label for step in judge(script).steps if step.verdict == "refuted"]
            continue
        if script.proof.conclusion is None:
            continue
        proof, name = judge(script, fixing=True), f"{script.id}, {script.version}"
        if proof.conclusion is None or proof.verdict != "proved" or proof.trust != "kernel":
            raise InputError("script", name, f"a proof of its claim by the kernel: {proof.reason or proof.trust}")
        rest = sorted({each.statement for each in proof.hypotheses} - own_statements(claim))
        entry = {"conclusion": _entry(proof.conclusion), "hypotheses": list(map(_entry, rest))}
        if table.setdefault(claim.id, entry) != entry:
            raise InputError("script", name, "the statement that its other proof has")
    for id, labels in broken.items():
        if labels and id in table:
            table[id]["broken"] = labels
    return table


def _entry(statement: Statement) -> dict[str, str]:
    return {"digest": digest(statement), "text": str(statement)}


def write(paper: str) -> None:
    """Write the table of a paper; raises InputError where `statements_of` does."""
    text = json.dumps(statements_of(paper), indent=1, ensure_ascii=False) + "\n"
    replace_file(paper_of(paper).folder / "statements.json", text.encode())
