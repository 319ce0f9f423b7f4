"""The results of auditing a claim's proofs: its verdict, its proofs and their lines, as data.

In the data of a proof the words of its author are as they were typed, and may have formulas between dollars; what
`as_json` gives is plain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.errors import InputError
from boundcheck.kernel import Theorem
from boundcheck.kernel.meaning import Interval
from boundcheck.kernel.terms import ZERO, Scalar
from boundcheck.language import prose
from boundcheck.language.notebook import Shown
from boundcheck.proof.display import shown
from boundcheck.proof.fixed import has_instance
from boundcheck.proof.identity import identity
from boundcheck.proof.proof import SECONDS, Step
from boundcheck.proof.solvers import DisagreementError, Status, second_opinion
from boundcheck.proof.verdict import ClaimVerdict, JudgedProof, JudgedStep
from boundcheck.proof.witness import numbers_at
from boundcheck.rocq.file import has_world

if TYPE_CHECKING:
    import pandas as pd

# Fractions with numerators or denominators from here on are printed as decimals.
_LARGEST = 10**12


@dataclass(frozen=True)
class ClaimAudit(Shown):
    """A claim with its verdict and its judged proofs."""

    id: str
    title: str
    verdict: ClaimVerdict
    proofs: tuple[JudgedProof, ...]

    def as_json(self) -> dict[str, Any]:
        """The audit as plain data, numbers as exact fractions."""
        proofs = [prose.plainly(proof_as_json(proof)) for proof in self.proofs]
        return {"id": self.id, "title": prose.plain(self.title), "verdict": self.verdict, "proofs": proofs}

    def proof(self, version: str) -> JudgedProof:
        """The proof of a version; raises InputError if there is none."""
        found = next((x for x in self.proofs if x.script.version == version), None)
        if found is None:
            raise InputError("version", version, f"one of {', '.join(x.script.version for x in self.proofs)}")
        return found

    def to_frame(self) -> pd.DataFrame:
        """A frame with a row for each line of its proofs; see `JudgedProof.to_frame`."""
        found: pd.DataFrame = self.shower.frame_of(self.proofs)
        return found


def main_lines(proof: JudgedProof) -> list[tuple[int, JudgedStep]]:
    """The lines that a reader wants, each with its place: without those of mere algebra, of which nothing is said.

    A proof whose author says nothing about its lines is shown whole.
    """
    told = any(x.step.meaning or x.step.printed for x in proof.steps)
    lines = enumerate(proof.steps)
    return [(i, x) for i, x in lines if not told or x.step.meaning or x.step.printed or x.verdict != "proved"]


def known_instance(proof: JudgedProof) -> str:
    """The names of those who know an instance in which all hypotheses of a proved proof hold together; empty for none.

    The judge of instances knows those of claims, which assume no less than their proofs do; Rocq knows its worlds.
    """
    claim = proof.script.claim
    judged = claim is not None and not proof.script.instead and has_instance(claim)
    return " and ".join(["the judge"] * judged + ["Rocq"] * has_world(proof))


def instance_told(proof: JudgedProof) -> str:
    """The remark beside `proved` on an instance of the hypotheses; empty if nothing is assumed or nothing is proved.

    It is there because contradictory hypotheses would prove anything.
    """
    if proof.verdict != "proved" or not proof.hypotheses:
        return ""
    known = known_instance(proof)
    return f"its hypotheses hold in an instance ({known})" if known else "no instance of its hypotheses is known"


def proof_as_json(proof: JudgedProof) -> dict[str, Any]:
    """A proof as plain data; its statement and assumptions are printed from the kernel's theorem."""
    proved = proof.conclusion if proof.verdict == "proved" else None
    rests = [each.statement for each in proof.hypotheses]
    display = shown(*rests, *([proved] if proved else []))
    hypotheses = [
        {"name": each.name, "role": each.role, "statement": text, "statement_latex": made}
        for each, text, made in zip(proof.hypotheses, display.texts, display.latex, strict=False)
    ]
    return {
        "version": proof.script.version,
        "called": proof.script.called,
        "title": proof.script.title,
        "verdict": proof.verdict,
        "trust": proof.trust,
        "reason": proof.reason,
        "standard_facts": list(proof.ledger),
        "instead": {old: new.id for old, new in proof.script.instead.items()},
        "hypotheses": hypotheses,
        "hypotheses_unused": proof.unused,
        "hypotheses_added": proof.added,
        "instance": instance_told(proof),
        "conclusion": display.texts[-1] if proved else None,
        "conclusion_latex": display.latex[-1] if proved else None,
        "letters": display.roles,
        "letters_told": display.told,
        "steps": [step_as_json(proof, step) for step in proof.steps],
    }


def step_as_json(proof: JudgedProof, judged: JudgedStep) -> dict[str, Any]:
    """A step as plain data: its witness is null unless it was refuted."""
    step, display = judged.step, shown(judged.step.theorem.conclusion)
    numbers = judged.numbers
    return {
        "label": step.label,
        "verdict": judged.verdict,
        "trust": judged.trust,
        "witness": witness_as_json(proof, judged),
        "reason": judged.reason,
        "meaning": step.meaning,
        "printed": step.printed,
        "statement": display.texts[0],
        "given": proof.given(judged),
        "statement_latex": display.latex[0],
        "certificate": certificate_text(step.theorem),
        "follows": judged.follows,
        "does_not_follow_at": {str(a): str(x) for a, x in numbers.values.items()} if numbers else None,
    }


def witness_as_json(proof: JudgedProof, judged: JudgedStep) -> dict[str, Any] | None:
    """The witness of a refuted step: what it is, its numbers, and both sides of the line where it fails."""
    step = judged.step
    if judged.verdict != "refuted" or step.witness is None:
        return None
    t, left, right = step.witness.sides(*_sides(proof, step), step.theorem.fact)
    numbers = numbers_at(step.theorem.fact, step.witness)
    sides = {"left": number_text(left), "right": number_text(right)}
    return {"about": step.witness.about, "numbers": numbers, "t": t, **sides}


def _sides(proof: JudgedProof, step: Step) -> tuple[Scalar, Scalar]:
    """The two sides of a line; of an equation between matrices, the norm of their difference and 0."""
    relation, fact = step.relation, step.theorem.fact
    if relation is None or isinstance(relation.lhs, MatrixExpr):
        return fact.polynomial, ZERO
    scalar = proof.script.reading.scalar
    return scalar(relation.lhs), scalar(relation.rhs)


def number_text(value: Interval) -> str:
    """An exact number as a fraction; a long or enclosed number by its first nine digits."""
    short = value.low == value.high and max(abs(value.low.numerator), value.low.denominator) < _LARGEST
    return str(value.low) if short else f"{float(value.low):.9g}"


def certificate_text(theorem: Theorem) -> str | None:
    """The identity that closes a line, for a person to check; None if a rule yields the line as it stands."""
    return identity(theorem) if theorem.rule == "certificate" else None


def opinions(proof: JudgedProof) -> dict[int, dict[str, Status]]:
    """The answers of z3 and cvc5 on each line that a certificate proves, by its place among the lines.

    Raises:
        DisagreementError: if a solver finds numbers at which a line fails although the kernel proves it.

    """
    found = {}
    for place, judged in enumerate(proof.steps):
        theorem = judged.step.theorem
        if judged.verdict != "proved" or theorem.rule != "certificate":
            continue
        statuses = second_opinion(theorem.fact, [x.fact for x in theorem.premises], SECONDS)
        if "sat" in statuses.values():
            raise DisagreementError(
                statuses, f"{prose.plain(judged.step.label)} of {proof.script.id}, which the kernel proves"
            )
        found[place] = statuses
    return found
