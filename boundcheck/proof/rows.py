"""A referee's table: what a paper prints, what we find, and the lines of proofs that establish the finding.

A row's verdict is computed from the lines to which it refers. A row that refers to none is editorial, and says so. A
row that refutes quotes what is printed, and names the most favourable reading of it; what follows from one slip is
listed under its row, and is no row of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from boundcheck.errors import InputError
from boundcheck.language import prose
from boundcheck.proof.proof import Step
from boundcheck.proof.results import ClaimAudit, instance_told, known_instance, witness_as_json
from boundcheck.proof.verdict import ClaimVerdict, JudgedProof, JudgedStep, Trust, weakest
from boundcheck.proofs import paper_of
from boundcheck.rocq.checked import covers

RowVerdict = Literal["refuted", "repaired", "proved", "conditional", "remark", "unknown", "editorial"]


@dataclass(frozen=True)
class Ref:
    """A line of a proof, by its label, with its dollars or without; the proof's conclusion if there is no label."""

    id: str
    version: str
    label: str = ""

    def names(self, step: Step) -> bool:
        """True if the line has this label, with its dollars or without."""
        return self.label in (step.label, prose.plain(step.label))

    def __str__(self) -> str:
        return f"{self.id}, {self.version}" + (f", {self.label}" if self.label else "")


@dataclass(frozen=True)
class Row:
    """A row of the table. Its texts may have formulas between dollars, see `boundcheck.language.prose`.

    Attributes:
        number: in the audit of the paper.
        locator: where in the paper.
        printed: what is printed there; of a refuted row word for word, formulas in our notation.
        finding: what we find.
        false: evidence that the printed statement is false: refuted lines, or proofs of the contrary.
        holds: evidence that it is true.
        within: evidence that it is true under a condition which is not printed with it.
        repair: what is proved in its place, or by another proof.
        about: evidence of a remark, which refutes nothing that is printed: proved or refuted lines.
        reading: the most favourable reading of what is printed that the text allows, under which it is false.
        follows: what follows from it in other places of the paper, each with its own evidence.

    Raises:
        InputError: for a row with `false` that has no quote or no reading.

    """

    number: int
    locator: str
    printed: str
    finding: str
    false: tuple[Ref, ...] = ()
    holds: tuple[Ref, ...] = ()
    within: tuple[Ref, ...] = ()
    repair: tuple[Ref, ...] = ()
    about: tuple[Ref, ...] = ()
    reading: str = ""
    follows: tuple[Row, ...] = ()

    def __post_init__(self) -> None:
        """Refuse to call something false that is not quoted, or that has no reading."""
        for name in ("printed", "reading") if self.false else ():
            if not getattr(self, name).strip():
                expected = "what the paper prints, and the most favourable reading under which it is false"
                raise InputError(f"row {self.number}, {name}", getattr(self, name), expected)

    @property
    def refs(self) -> tuple[Ref, ...]:
        """All lines to which it refers."""
        return (*self.false, *self.holds, *self.within, *self.repair, *self.about)


@dataclass(frozen=True)
class JudgedRow:
    """A row with the verdict from its lines, and the trust of the weakest proof among them.

    Attributes:
        evidence: a sentence for each line.
        hypotheses: for each proved claim, how its theorem's hypotheses differ from those that it lists, and whether no
            instance of them is known.
        lines: the lines to which it refers, each with its proof; a conclusion has no line.
        rocq: "checked" where Rocq has checked all of its proofs, see `boundcheck.rocq.checked`; "repair checked"
            where these only repair what a witness refutes, which is exact arithmetic and no proof; else empty.
        missing: of an unknown row why its finding is not established; else empty.
        follows: what follows from it elsewhere, judged as rows are.

    """

    row: Row
    verdict: RowVerdict
    trust: Trust
    evidence: str
    hypotheses: str = ""
    lines: tuple[tuple[Ref, JudgedProof, JudgedStep | None], ...] = ()
    rocq: Literal["", "checked", "repair checked"] = ""
    missing: str = ""
    follows: tuple[JudgedRow, ...] = ()

    @property
    def finding(self) -> str:
        """The finding that a reader is told: the author's where it is established, else why it is not."""
        return self.missing or self.row.finding

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes below the finding: the reading under which it is refuted, and what follows from it."""
        read = (f"Reading: {self.row.reading}",) if self.row.reading else ()
        return (*read, *(note for each in self.follows for note in each._as_note()))

    def _as_note(self) -> tuple[str, ...]:
        own = f"Follows ({self.verdict}): {self.row.locator}, {self.row.printed}. {self.finding}"
        return (own, *self.notes)

    @property
    def told(self) -> str:
        """The finding and its notes in a paragraph."""
        return " ".join((self.finding, *self.notes))

    @property
    def rests_on(self) -> str:
        """The trust of its proofs; ``witness`` if a witness alone shows it; empty where nothing is established."""
        return self.trust or ("" if self.verdict in ("unknown", "editorial") else "witness")

    def as_json(self) -> dict[str, Any]:
        row = self.row
        data = {
            "number": row.number,
            "locator": row.locator,
            "printed": row.printed,
            "finding": self.finding,
            "verdict": self.verdict,
            "trust": self.trust,
            "rocq": self.rocq,
            "evidence": self.evidence,
            "hypotheses": self.hypotheses,
            "repair": [str(ref) for ref in row.repair],
            "reading": row.reading,
        }
        return {name: prose.plainly(value) for name, value in data.items()} | {
            "follows": [each.as_json() for each in self.follows]
        }


def judge_rows(paper: str, audits: Mapping[str, ClaimAudit]) -> tuple[JudgedRow, ...]:
    """The table of a paper, `ROWS` of its module `findings`, with the verdicts of its rows; empty without that module.

    Raises:
        InputError: if a row refers to a line that no proof has.

    """
    rows: Sequence[Row] = getattr(paper_of(paper).part("findings"), "ROWS", ())
    return tuple(_judge(row, audits) for row in rows)


# What is said of a claim of this verdict whose last proof Rocq has checked: the proof of a repair is not the claim's.
_SAID: dict[ClaimVerdict, Literal["checked", "repair checked"]] = {"proved": "checked", "repaired": "repair checked"}


def rows_of(audits: Sequence[ClaimAudit]) -> tuple[JudgedRow, ...]:
    """The default table of a paper: for each claim with a proof, its verdict and those of its proofs."""
    return tuple(
        JudgedRow(
            Row(i, audit.title, "", f"{audit.title}: {audit.verdict}."),
            audit.verdict,
            audit.proofs[-1].trust,
            " ".join(f"{each.script.title} ({each.script.called}): {each.verdict}." for each in audit.proofs),
            rocq=_SAID.get(audit.verdict, "") if _in_rocq(audit.proofs[-1], None) else "",
        )
        for i, audit in enumerate(audits, 1)
    )


def _judge(row: Row, audits: Mapping[str, ClaimAudit]) -> JudgedRow:
    follows = tuple(_judge(each, audits) for each in row.follows)
    refs = row.refs
    if not refs:
        return JudgedRow(row, "editorial", "", "Editorial: no machine evidence.", follows=follows)
    found = {ref: _find(ref, audits) for ref in refs}
    texts = [_text(ref, *found[ref]) for ref in refs]
    proved = [found[ref] for ref in refs if _state(*found[ref]) == "proved"]
    trust = weakest([_trust(*each) for each in proved]) if proved else ""
    missing = [_missing(ref, *found[ref]) for ref in refs if not _is_met(row, ref, _state(*found[ref]))]
    absent = f"Not established: {'; '.join(dict.fromkeys(missing))}." if missing else ""
    verdict: RowVerdict = "unknown" if missing else _verdict(row)
    ends = [found[ref][0] for ref in refs if not ref.label]
    differ = [f"{x.script.title} ({x.script.called}): {x.difference}" for x in ends if x.difference]
    told = f"Hypotheses. {'. '.join(differ)}." if differ else ""
    unmet = [f"{x.script.title} ({x.script.called})" for x in ends if instance_told(x) and not known_instance(x)]
    told = f"{told} No instance is known of the hypotheses of {', '.join(unmet)}.".strip() if unmet else told
    lines = tuple((ref, *found[ref]) for ref in dict.fromkeys(refs))
    rocq: Literal["", "checked", "repair checked"] = ""
    if proved and not missing and all(_in_rocq(*each) for each in proved):
        rocq = "checked" if len(proved) == len(refs) else "repair checked"
    return JudgedRow(row, verdict, trust, " ".join(texts), told, lines, rocq, absent, follows)


def _is_met(row: Row, ref: Ref, state: str) -> bool:
    """True if a line shows what the row refers to it for."""
    # A printed line is shown to be false by a witness; a proof of the contrary is a proof.
    is_met = ref not in row.false or state == ("refuted" if ref.version == "printed" else "proved")
    is_met = is_met and (ref not in (*row.holds, *row.within, *row.repair) or state == "proved")
    return is_met and (ref not in row.about or state != "unknown")


def _missing(ref: Ref, proof: JudgedProof, step: JudgedStep | None) -> str:
    """The reason why a line does not show what the row refers to it for."""
    reason = (proof.reason if step is None else step.reason).rstrip(".")
    place = ", ".join((proof.script.title, proof.script.called, *([step.step.label] if step else [])))
    return f"{reason} ({place})" if reason else f"{place} is {_state(proof, step)}"


def _verdict(row: Row) -> RowVerdict:
    """The verdict on a row whose lines all show what it refers to them for."""
    # A statement that holds, but not by the printed argument, is repaired; a false line outweighs the rest.
    if row.false:
        return "refuted"
    if row.holds:
        return "proved"
    return "conditional" if row.within else "repaired" if row.repair else "remark"


_Found = tuple[JudgedProof, JudgedStep | None]


def _find(ref: Ref, audits: Mapping[str, ClaimAudit]) -> _Found:
    if ref.id not in audits:
        raise InputError("row", ref, "a claim that has a proof")
    proof = audits[ref.id].proof(ref.version)
    if not ref.label:
        return proof, None
    step = next((x for x in proof.steps if ref.names(x.step)), None)
    if step is None:
        raise InputError("row", ref, f"one of the lines {', '.join(prose.plain(x.step.label) for x in proof.steps)}")
    return proof, step


def _state(proof: JudgedProof, step: JudgedStep | None) -> str:
    return proof.verdict if step is None else step.verdict


def _trust(proof: JudgedProof, step: JudgedStep | None) -> Trust:
    return proof.trust if step is None else step.trust


def _in_rocq(proof: JudgedProof, step: JudgedStep | None) -> bool:
    return covers(proof.script.proof.conclusion, step.step.theorem if step else None)


def _text(ref: Ref, proof: JudgedProof, step: JudgedStep | None) -> str:
    """One sentence: the line, its verdict, and for a refuted line the witness with both sides."""
    name = f"“{step.step.label}”" if step else "the conclusion"
    text = f"{proof.script.title} ({proof.script.called}), {name}: {_state(proof, step)}"
    witness = witness_as_json(proof, step) if step else None
    if witness is None:
        return text + "."
    return f"{text}. {witness['about']}: {witness['left']} against {witness['right']}."
