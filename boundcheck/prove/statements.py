"""The fixed kernel statement of each claim of the catalogue: in what a proof must end, and what it may use.

A claim has its formula in sympy and its quantifiers in words. Their formal reading was made once and is kept in
`statements.json` beside the proof scripts, as text to read and as digests to compare, so that no script can read a
claim its own way. Quantities, conditions and domains are not kept: they are computed from the claim.

    python -c "from boundcheck.prove.statements import write; write('jiang2024')"

writes the file again from the current proofs; read the difference when you do this.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from typing import Any

from boundcheck.claims import Claim, catalogue
from boundcheck.claims.about import scalar_claims
from boundcheck.claims.letters import declarations
from boundcheck.errors import InputError
from boundcheck.files import replace_file
from boundcheck.kernel import Statement
from boundcheck.proofs import paper_of
from boundcheck.prove.fixed import fixed_statements
from boundcheck.prove.script import of_paper, own_letters
from boundcheck.prove.translate import Reading, eq, gt


def digest(statement: Statement) -> str:
    """A short hash of a statement."""
    return sha256(statement.key.encode()).hexdigest()[:32]


@cache
def laws_of_meft() -> frozenset[str]:
    """The digests of what Lemma 1 and Theorem 2 may use: it holds in a setting that breaks none of their hypotheses."""
    fixed = fixed_statements()
    return frozenset().union(*(fixed[claim.id].hypotheses for claim in scalar_claims()))


def own_statements(claim: Claim) -> set[Statement]:
    """What the claim says without quantifiers: quantities, conditions, and that parameters are positive."""
    reading = Reading().having(own_letters(claim))
    relations = [eq(quantity.symbol, quantity.expression) for quantity in claim.quantities]
    derived = {quantity.symbol for quantity in claim.quantities}
    relations += [
        gt(parameter.symbol, 0) for parameter in declarations(claim).values() if parameter.symbol not in derived
    ]
    return {fact for relation in (*relations, *claim.conditions) for fact in reading.facts(relation)}


def statements_of(paper: str) -> dict[str, Any]:
    """The table of a paper, from its proofs as they are."""
    table: dict[str, Any] = {}
    for script in of_paper(paper):
        conclusion, claim = script.proof.conclusion, script.claim
        if claim is None or claim.id not in catalogue or conclusion is None or script.version == "printed":
            continue
        rest = sorted(conclusion.hypotheses - own_statements(claim))
        entry = {"conclusion": _entry(conclusion.conclusion), "hypotheses": _entries(rest)}
        if table.setdefault(claim.id, entry) != entry:
            raise InputError("script", f"{script.id}, {script.version}", "the statement that its other proof has")
    for script in of_paper(paper):
        broken = [step.label for step in script.proof.steps if step.witness] if script.version == "printed" else []
        if broken and script.id in table:
            table[script.id]["broken"] = broken
    return table


def _entries(statements: Iterable[Statement]) -> list[dict[str, str]]:
    return [_entry(statement) for statement in statements]


def _entry(statement: Statement) -> dict[str, str]:
    return {"digest": digest(statement), "text": str(statement)}


def write(paper: str) -> None:
    """Write the table of a paper."""
    text = json.dumps(statements_of(paper), indent=1, ensure_ascii=False) + "\n"
    replace_file(paper_of(paper).folder / "statements.json", text.encode())
