"""`prove`, and what it returns: claims with their judged proofs, and the referee's table of a
paper; as data.

A referee's table has what a paper prints, what we find, and the lines of proofs that establish the
finding. A row's verdict is computed from the lines to which it refers. A row that refers to none is
editorial, and says so.

A paper is read one way through all of its rows. Where its words leave a choice, a row that depends
on it has evidence under each reading, and is refuted only where it fails under all of them. What
follows from one slip is listed under its row, and is no row of its own.

In the data of a proof the words of its author are as they were typed, and may have formulas between
dollars; what `as_json` gives is plain.
"""

from __future__ import annotations

import json
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal, get_args

from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.errors import InputError, one_of
from boundcheck.kernel import STANDARD_FACTS, Fact
from boundcheck.kernel.meaning import Interval, denote
from boundcheck.kernel.terms import ZERO
from boundcheck.language import prose
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, in_prose
from boundcheck.language.view import Shown
from boundcheck.proof.notation import identity, shown
from boundcheck.proof.proof import Step
from boundcheck.proof.record import PROVED, has_instance, is_ours, records, signature
from boundcheck.proof.script import (
    Script,
    find,
    named,
    of_paper,
)
from boundcheck.proof.verdict import (
    ClaimVerdict,
    JudgedProof,
    JudgedStep,
    Trust,
    claim_verdict,
    frame_of,
    judge,
    judge_any,
    weakest,
)
from boundcheck.proof.witness import numbers_at
from boundcheck.proofs import paper_of, papers
from boundcheck.rocq.check import Export, covers, has_world
from boundcheck.system.files import replace_file
from boundcheck.system.limits import Tick, silent

if TYPE_CHECKING:
    import pandas as pd

# Fractions with numerators or denominators from here on are printed as decimals.
_LARGEST = 10**12


def prove(*targets: Claim | Script | str | Path, tick: Tick = silent) -> ProofAudit:
    """Audit proofs: run their scripts, let the kernel replay every line, hold refuted lines against
    their witnesses.

    Args:
        targets: claims or their ids, lemmas, papers or their folders, or your own proof scripts; by
            default all papers.
        tick: is called with the progress.

    Returns:
        Per claim its verdict and its proofs, in the order of the scripts; and the referee's table
        of each paper.

    Raises:
        InputError: for any other target, and for a script that cannot be run.

    """
    began = perf_counter()
    targets = tuple(map(named, targets))
    scripts = find(targets)
    claims: dict[str, list[Script]] = {}
    for each in scripts:
        claims.setdefault(each.id, []).append(each)
    audits, done = [], 0
    for id, versions in claims.items():
        judged = []
        for each in versions:
            tick(f"{id}, {each.version}", done, len(scripts))
            judged.append(judge(each))
            done += 1
        printed = sorted(judged, key=lambda proof: proof.script.version != "printed")
        audits.append(
            ClaimAudit(id, printed[-1].script.title, claim_verdict(judged), tuple(printed))
        )
    by_id = {audit.id: audit for audit in audits}
    whole = [paper for paper in papers() if paper in (targets or papers())]
    rows = tuple(row for paper in whole for row in judge_rows(paper, by_id))
    return ProofAudit(tuple(audits), rows, perf_counter() - began)


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
        return {
            "id": self.id,
            "title": prose.plain(self.title),
            "verdict": self.verdict,
            "proofs": proofs,
        }

    def proof(self, version: str) -> JudgedProof:
        """The proof of a version; raises InputError if there is none."""
        found = next((x for x in self.proofs if x.script.version == version), None)
        if found is None:
            raise InputError(
                "version", version, one_of(version, [x.script.version for x in self.proofs])
            )
        return found

    def to_frame(self) -> pd.DataFrame:
        """A frame with a row for each line of its proofs; see `JudgedProof.to_frame`."""
        return _frame(*self.proofs)


@dataclass(frozen=True)
class ProofAudit(Shown):
    """The audited claims, the table of each paper that was audited whole, and the seconds that this
    took.
    """

    claims: tuple[ClaimAudit, ...]
    rows: tuple[JudgedRow, ...]
    seconds: float

    def __getitem__(self, id: str) -> ClaimAudit:
        """The audit of a claim; raises InputError if it was not audited."""
        found = next((claim for claim in self.claims if claim.id == id), None)
        if found is None:
            raise InputError(
                "claim", id, f"one that was audited, {one_of(id, [x.id for x in self.claims])}"
            )
        return found

    @property
    def ledger(self) -> tuple[str, ...]:
        """The standard facts on which the proofs rest."""
        return tuple(
            sorted(
                {name for claim in self.claims for proof in claim.proofs for name in proof.ledger}
            )
        )

    @property
    def facts(self) -> dict[str, str]:
        """The texts of the standard facts of the ledger, by name, with formulas between dollars."""
        return {name: STANDARD_FACTS[name] for name in self.ledger}

    def as_json(self) -> dict[str, Any]:
        """The audit as plain data, with the keys of `boundcheck prove --json`."""
        facts = prose.plainly(self.facts)
        claims = [claim.as_json() for claim in self.claims]
        rows = [row.as_json() for row in self.rows]
        return {
            "claims": claims,
            "rows": rows,
            "standard_facts": facts,
            "seconds": round(self.seconds, 3),
        }

    def to_frame(self) -> pd.DataFrame:
        """A frame with a row for each line of all proofs; see `JudgedProof.to_frame`."""
        return _frame(*(proof for claim in self.claims for proof in claim.proofs))


# A proof and its lines as data.


@frame_of.register(JudgedProof)
def _frame(*proofs: JudgedProof) -> pd.DataFrame:
    """A frame with a row for each line, as in `step_as_json`; of a witness, what it is about and
    both sides.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for proof in proofs:
        whose = {"claim": proof.script.id, "version": proof.script.version, "proof": proof.verdict}
        for judged in proof.steps:
            found = prose.plainly(step_as_json(proof, judged))
            witness, numbers = found.pop("witness"), found.pop("does_not_follow_at")
            sides = {
                f"witness_{name}": witness and witness[name] for name in ("about", "left", "right")
            }
            told = [f"{in_prose(name)} = {value}" for name, value in (numbers or {}).items()]
            where = prose.plain(", ".join(told)) if told else None
            given = "; ".join(found["given"])
            rows.append(whose | found | {"given": given} | sides | {"does_not_follow_at": where})
    return pd.DataFrame(rows)


def proof_as_json(proof: JudgedProof) -> dict[str, Any]:
    """A proof as plain data; its statement and assumptions are printed from the kernel's
    theorem.
    """
    proved = proof.conclusion if proof.verdict == "proved" else None
    display = shown(*(each.statement for each in proof.hypotheses), *([proved] if proved else []))
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
        "hypotheses": hypotheses,
        "hypotheses_unused": proof.unused,
        "hypotheses_added": list(map(str, proof.added)),
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
        "given": list(map(str, proof.own(judged))),
        "statement_latex": display.latex[0],
        "certificate": identity(step.theorem),
        "follows": judged.follows,
        "does_not_follow_at": (
            {str(a): str(x) for a, x in numbers.values.items()} if numbers else None
        ),
    }


def witness_as_json(proof: JudgedProof, judged: JudgedStep) -> dict[str, Any] | None:
    """The witness of a refuted step: what it is, its numbers, and both sides of the line where it
    fails.
    """
    step = judged.step
    if judged.verdict != "refuted" or step.witness is None:
        return None
    relation, fact = step.relation, step.theorem.fact
    if relation is None or isinstance(relation.lhs, MatrixExpr):
        # Of an equation between matrices, the norm of their difference and 0.
        sides = fact.polynomial, ZERO
    else:
        sides = proof.script.reading.scalar(relation.lhs), proof.script.reading.scalar(relation.rhs)
    # The first time and outcome at which the line fails.
    t, outcome = step.witness.place(fact)
    left, right = (denote(side, step.witness.model, t, outcome) for side in sides)
    numbers = numbers_at(fact, step.witness)
    told = {"left": number_text(left), "right": number_text(right)}
    return {"about": step.witness.about, "numbers": numbers, "t": t, **told}


def number_text(value: Interval) -> str:
    """An exact number as a fraction; a long or enclosed number by its first nine digits."""
    short = (
        value.low == value.high and max(abs(value.low.numerator), value.low.denominator) < _LARGEST
    )
    return str(value.low) if short else f"{float(value.low):.9g}"


def main_lines(proof: JudgedProof) -> list[tuple[int, JudgedStep]]:
    """The lines that a reader wants, each with its place: without those of mere algebra, of which
    nothing is said.

    A proof whose author says nothing about its lines is shown whole.
    """
    told = any(x.step.meaning or x.step.printed for x in proof.steps)
    lines = enumerate(proof.steps)
    return [
        (i, x)
        for i, x in lines
        if not told or x.step.meaning or x.step.printed or x.verdict != "proved"
    ]


def for_rocq(proof: JudgedProof) -> Export:
    """The theorem of a proved proof for Rocq, with its hypotheses as the proof tells them.

    Raises InputError for a proof that is not proved, and for one that rests on a solver's word.
    """
    name, theorem = f"{proof.script.id}, {proof.script.version}", proof.script.proof.conclusion
    if proof.verdict != "proved" or theorem is None:
        raise InputError("proof", name, f"a proof that is proved, not {proof.verdict}")
    told = {
        x.statement: f"{x.role}: {x.name}"
        for x in proof.hypotheses
        if x.statement in theorem.hypotheses
    }
    if theorem.hypotheses != told.keys():
        raise InputError("proof", name, "a proof by the kernel alone")
    return Export(name, theorem, told)


def known_instance(proof: JudgedProof) -> str:
    """The names of those who know an instance in which all hypotheses of a proved proof hold
    together; empty for none.

    The judge of instances knows those of claims, which assume no less than their proofs do; Rocq
    knows its worlds.
    """
    claim = proof.script.claim
    judged = claim is not None and has_instance(claim)
    try:
        in_world = has_world(for_rocq(proof))
    except InputError:
        # It has no form in Rocq.
        in_world = False
    known = {"the judge": judged, "Rocq": in_world, "small numbers": proof.has_instance}
    return " and ".join(name for name, is_known in known.items() if is_known)


def instance_told(proof: JudgedProof) -> str:
    """The remark beside `proved` on an instance of the hypotheses; empty if nothing is assumed or
    nothing is proved.

    It is there because contradictory hypotheses would prove anything.
    """
    if proof.verdict != "proved" or not proof.hypotheses:
        return ""
    known = known_instance(proof)
    return (
        f"its hypotheses hold in an instance ({known})"
        if known
        else "no instance of its hypotheses is known"
    )


# The referee's table.

RowVerdict = Literal[
    "refuted", "repaired", "proved", "conditional", "remark", "unknown", "editorial"
]
InRocq = Literal["", "checked", "repair checked"]


@dataclass(frozen=True)
class Ref:
    """A line of a proof, by its label, with its dollars or without; the proof's conclusion if there
    is no label.
    """

    id: str
    version: str
    label: str = ""

    def names(self, step: Step) -> bool:
        """True if the line has this label, with its dollars or without."""
        return self.label in (step.label, prose.plain(step.label))

    def __str__(self) -> str:
        return f"{self.id}, {self.version}" + (f", {self.label}" if self.label else "")


@dataclass(frozen=True)
class Choice:
    """A choice that the words of a paper leave to its reader; `CHOICES` of its module `reading` has
    all of them.

    Attributes:
        name: what is chosen.
        words: the paper's words that allow each reading.
        readings: what may be chosen; rows that do not ask are judged under the first.

    """

    name: str
    words: str
    readings: tuple[str, ...]


Outcome = Literal["holds", "fails", "says nothing"]


@dataclass(frozen=True)
class Under:
    """The evidence on a row under one reading; of one kind, which is the row's outcome there.

    Attributes:
        reading: one of those of a choice.
        fails: lines that a witness refutes, or proofs that what is printed leads to a
            contradiction.
        holds: lines or proofs that show what is printed.
        empty: proofs that what the row assumes leads to a contradiction, so that it says nothing.

    Raises:
        InputError: for a reading without a name, and for evidence of no kind or of two.

    """

    reading: str
    fails: tuple[Ref, ...] = ()
    holds: tuple[Ref, ...] = ()
    empty: tuple[Ref, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a reading that nobody can read, and evidence that does not decide."""
        if not self.reading.strip():
            raise InputError("reading", self.reading, "words that say how the paper is read")
        if len([each for each in (self.fails, self.holds, self.empty) if each]) != 1:
            expected = "evidence of one kind: fails, holds or empty"
            raise InputError(
                f"evidence under {self.reading}", ", ".join(map(str, self.refs)) or None, expected
            )

    @property
    def outcome(self) -> Outcome:
        """The outcome, from the kind of the evidence."""
        return "fails" if self.fails else "holds" if self.holds else "says nothing"

    @property
    def refs(self) -> tuple[Ref, ...]:
        """All lines to which it refers."""
        return (*self.fails, *self.holds, *self.empty)


@dataclass(frozen=True)
class Row:
    """A row of the table. Its texts may have formulas between dollars, see
    `boundcheck.language.prose`.

    Attributes:
        number: in the audit of the paper.
        locator: where in the paper.
        printed: what is printed there; of a row that fails word for word, formulas in our notation.
        finding: what we find.
        under: the evidence under each reading that was tried, where what is printed does not hold
            under all.
        mend: in one line, what makes it true where it fails.
        holds: evidence that what is printed is true.
        within: evidence that it is true under a condition which is not printed with it.
        repair: what is proved in its place, or by another proof.
        about: evidence of a remark, which refutes nothing that is printed: proved or refuted lines.
        follows: what follows from it in other places of the paper, each with its own evidence.

    Raises:
        InputError: for a row that fails under a reading and has no quote or no mend, and for a
            reading twice.

    """

    number: int
    locator: str
    printed: str
    finding: str
    under: tuple[Under, ...] = ()
    mend: str = ""
    holds: tuple[Ref, ...] = ()
    within: tuple[Ref, ...] = ()
    repair: tuple[Ref, ...] = ()
    about: tuple[Ref, ...] = ()
    follows: tuple[Row, ...] = ()

    def __post_init__(self) -> None:
        """Refuse to call something false that is not quoted, or for which no mend is named."""
        for name in ("printed", "mend") if self.has("fails") else ():
            if not getattr(self, name).strip():
                expected = "what the paper prints, and what would mend it"
                raise InputError(f"row {self.number}, {name}", getattr(self, name), expected)
        if twice := [
            name
            for name, count in Counter(each.reading for each in self.under).items()
            if count > 1
        ]:
            raise InputError(f"row {self.number}, under", twice[0], "each reading once")

    def has(self, outcome: Outcome) -> bool:
        """True if this is its outcome under some reading."""
        return any(each.outcome == outcome for each in self.under)

    @property
    def refs(self) -> tuple[Ref, ...]:
        """All lines to which it refers, each once."""
        under = (ref for each in self.under for ref in each.refs)
        return tuple(dict.fromkeys((*under, *self.holds, *self.within, *self.repair, *self.about)))

    def check(self, choices: Sequence[Choice]) -> None:
        """Check that a row that is judged under readings leaves out none on which its verdict
        depends.

        Raises InputError if it names one that the paper's choices do not have, if it leaves out
        another reading of the same choice, and if it fails under all and has not tried every choice
        of the paper.
        """
        if not self.under:
            return
        named, field = {each.reading for each in self.under}, f"row {self.number}, under"
        everything = {reading for choice in choices for reading in choice.readings}
        if choices and named - everything:
            raise InputError(
                field,
                min(named - everything),
                f"one of the readings {'; '.join(sorted(everything))}",
            )
        for choice in choices:
            left_out = [reading for reading in choice.readings if reading not in named]
            if left_out and (not self.has("holds") or not named.isdisjoint(choice.readings)):
                expected = f"evidence under each reading of the choice “{choice.name}”"
                raise InputError(field, f"nothing under “{left_out[0]}”", expected)


@dataclass(frozen=True)
class JudgedRow:
    """A row with the verdict from its lines, and the trust of the weakest proof among them.

    Attributes:
        evidence: a sentence for each line.
        hypotheses: for each proved claim, how its theorem's hypotheses differ from those that it
            lists, and whether no instance of them is known.
        lines: the lines to which it refers, each with its proof; a conclusion has no line.
        rocq: "checked" where Rocq has checked all of its proofs, see `boundcheck.rocq.check`;
            "repair checked" where these only repair what a witness refutes, which is exact
            arithmetic and no proof; else empty.
        missing: of an unknown row why its finding is not established; else empty.
        follows: what follows from it elsewhere, judged as rows are.
        choices: the choices of the paper on which it depends.

    """

    row: Row
    verdict: RowVerdict
    trust: Trust
    evidence: str
    hypotheses: str = ""
    lines: tuple[tuple[Ref, JudgedProof, JudgedStep | None], ...] = ()
    rocq: InRocq = ""
    missing: str = ""
    follows: tuple[JudgedRow, ...] = ()
    choices: tuple[Choice, ...] = ()

    @property
    def finding(self) -> str:
        """The finding that a reader is told: the author's where it is established, else why it is
        not.
        """
        return self.missing or self.row.finding

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes below the finding: its outcome under each reading, its mend, and what follows
        from it.
        """
        found = []
        for outcome in get_args(Outcome) if not self.missing else ():
            readings = [each.reading for each in self.row.under if each.outcome == outcome]
            found += (
                [f"{outcome.capitalize()}, read as: {'; '.join(readings)}."] if readings else []
            )
        found += [f"Mend: {self.row.mend}"] if self.row.mend and not self.missing else []
        for each in self.follows:
            own = (
                f"Follows ({each.verdict}): {each.row.locator}, {each.row.printed}. {each.finding}"
            )
            found += [own, *each.notes]
        return tuple(found)

    @property
    def told(self) -> str:
        """The finding and its notes in a paragraph."""
        return " ".join((self.finding, *self.notes))

    @property
    def rests_on(self) -> str:
        """The trust of its proofs; ``witness`` if a witness alone shows it; empty where nothing is
        established.
        """
        return self.trust or ("" if self.verdict in ("unknown", "editorial") else "witness")

    def as_json(self) -> dict[str, Any]:
        row = self.row
        data = {name: getattr(row, name) for name in ("number", "locator", "printed")}
        for name in ("finding", "verdict", "trust", "rocq", "evidence", "hypotheses"):
            data[name] = getattr(self, name)
        under = [
            {
                "reading": each.reading,
                "outcome": each.outcome,
                "evidence": list(map(str, each.refs)),
            }
            for each in row.under
            if not self.missing
        ]
        # An unknown row has no outcome under any reading.
        mend = "" if self.missing else row.mend
        data |= {"repair": list(map(str, row.repair)), "readings": under, "mend": mend}
        return {**prose.plainly(data), "follows": [each.as_json() for each in self.follows]}


def judge_rows(paper: str, audits: Mapping[str, ClaimAudit]) -> tuple[JudgedRow, ...]:
    """The table of a paper, `ROWS` of its module `findings`, with the verdicts of its rows; empty
    without that module.

    `CHOICES` of its module `reading` are the choices that its words leave. Raises InputError if a
    row refers to a line that no proof has, or leaves out a reading.
    """
    subject = paper_of(paper)
    rows = subject.listed("findings", "ROWS", "rows", lambda x: isinstance(x, Row))
    choices = subject.listed("reading", "CHOICES", "choices", lambda x: isinstance(x, Choice))
    return tuple(judge_row(row, audits, choices) for row in rows)


def rows_of(audits: Sequence[ClaimAudit]) -> tuple[JudgedRow, ...]:
    """The default table of a paper: for each claim with a proof, its verdict and those of its
    proofs.
    """
    # Of a claim whose last proof Rocq has checked: the proof of a repair is not the claim's.
    said: dict[ClaimVerdict, InRocq] = {"proved": "checked", "repaired": "repair checked"}
    made = []
    for i, audit in enumerate(audits, 1):
        row = Row(i, audit.title, "", f"{audit.title}: {audit.verdict}.")
        evidence = " ".join(f"{_title(each)}: {each.verdict}." for each in audit.proofs)
        rocq = (
            said.get(audit.verdict, "") if covers(audit.proofs[-1].script.proof.conclusion) else ""
        )
        made.append(JudgedRow(row, audit.verdict, audit.proofs[-1].trust, evidence, rocq=rocq))
    return tuple(made)


def judge_row(
    row: Row, audits: Mapping[str, ClaimAudit], choices: Sequence[Choice] = ()
) -> JudgedRow:
    """A row with the verdict from its lines.

    Raises InputError if it refers to a line that no proof has, or leaves out a reading of the
    paper's `choices`.
    """
    row.check(choices)
    follows = tuple(judge_row(each, audits, choices) for each in row.follows)
    refs = row.refs
    if not refs:
        return JudgedRow(row, "editorial", "", "Editorial: no machine evidence.", follows=follows)
    found: dict[Ref, tuple[JudgedProof, JudgedStep | None]] = {}
    for ref in refs:
        if ref.id not in audits:
            raise InputError("row", ref, "a claim that has a proof")
        proof = audits[ref.id].proof(ref.version)
        # A conclusion has no line.
        step = next((x for x in proof.steps if ref.names(x.step)), None) if ref.label else None
        if ref.label and step is None:
            expected = (
                f"one of the lines {', '.join(prose.plain(x.step.label) for x in proof.steps)}"
            )
            raise InputError("row", ref, expected)
        found[ref] = proof, step
    texts, missing, proved = [], dict[str, None](), list[tuple[JudgedProof, JudgedStep | None]]()
    fails = {ref for each in row.under for ref in each.fails}
    empty = {ref for each in row.under for ref in each.empty}
    holds = {ref for each in row.under for ref in each.holds}
    to_prove = {*holds, *row.holds, *row.within, *row.repair}
    for ref in refs:
        proof, step = found[ref]
        verdict = (step or proof).verdict
        # A sentence on the line: its verdict, and for a refuted line the witness with both sides.
        text = (
            f"{_title(proof)}, {f'“{step.step.label}”' if step else 'the conclusion'}: {verdict}."
        )
        if witness := witness_as_json(proof, step) if step else None:
            text += f" {witness['about']}: {witness['left']} against {witness['right']}."
        texts.append(text)
        proved += [(proof, step)] if verdict == "proved" else []
        # What is false is shown by a witness or by a contradiction, what is empty by a
        # contradiction alone; and from a contradiction everything would hold.
        absurd = step is None and _is_contradiction(proof)
        is_met = ref not in fails or absurd or (step is not None and verdict == "refuted")
        is_met = is_met and (ref not in empty or absurd) and not (absurd and ref in holds)
        is_met = is_met and (ref not in to_prove or verdict == "proved")
        if not is_met or (ref in row.about and verdict == "unknown"):
            reason = (step or proof).reason.rstrip(".")
            place = ", ".join(
                (proof.script.title, proof.script.called, *([step.step.label] if step else []))
            )
            missing[f"{reason} ({place})" if reason else f"{place} is {verdict}"] = None
    # A statement that holds, but not by the printed argument, is repaired; what fails outweighs the
    # rest.
    order: tuple[tuple[object, RowVerdict], ...] = (
        (missing, "unknown"),
        (fails and holds, "conditional"),
        (fails, "refuted"),
        (holds or row.holds, "proved"),
        (row.within, "conditional"),
        (row.repair, "repaired"),
    )
    ends = [found[ref][0] for ref in refs if not ref.label]
    differ = [f"{_title(x)}: {x.difference}" for x in ends if x.difference]
    told = [f"Hypotheses. {'. '.join(differ)}."] if differ else []
    # A proof by contradiction is meant to have none.
    open_ = [x for x in ends if instance_told(x) and not _is_contradiction(x)]
    unmet = [_title(x) for x in open_ if not known_instance(x)]
    told += [f"No instance is known of the hypotheses of {', '.join(unmet)}."] if unmet else []
    rocq: InRocq = ""
    in_rocq = (
        covers(x.script.proof.conclusion, step.step.theorem if step else None) for x, step in proved
    )
    if proved and not missing and all(in_rocq):
        rocq = "checked" if len(proved) == len(refs) else "repair checked"
    return JudgedRow(
        row,
        next((verdict for evidence, verdict in order if evidence), "remark"),
        weakest((step or proof).trust for proof, step in proved) if proved else "",
        " ".join(texts),
        " ".join(told),
        tuple((ref, *each) for ref, each in found.items()),
        rocq,
        f"Not established: {'; '.join(missing)}." if missing else "",
        follows,
        tuple(
            each for each in choices if not {x.reading for x in row.under}.isdisjoint(each.readings)
        ),
    )


def _is_contradiction(proof: JudgedProof) -> bool:
    """True if what a proof assumes is proved to give a false statement about numbers, such as 1 <=
    0.
    """
    end = proof.conclusion if proof.verdict == "proved" else None
    number = end.polynomial.number if isinstance(end, Fact) else None
    return isinstance(end, Fact) and number is not None and not _HOLDS[end.relation](number, 0)


_HOLDS: dict[str, Callable[[Fraction, int], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "=": operator.eq,
}


def _title(proof: JudgedProof) -> str:
    return f"{proof.script.title} ({proof.script.called})"


# What vouches for a claim.


class Carrier(StrEnum):
    """A carrier of claims, which vouches for them; its text is what is printed."""

    KERNEL = "kernel"
    """The kernel replays a proof that ends in what the claim says to it."""
    SCRIPT = "script"
    """A script of its paper is said to prove it, which `boundcheck prove` judges."""
    BY_HAND = "by hand"
    """An argument in words, with the reason why there is no proof."""
    HYPOTHESIS = "hypothesis"
    """Nothing, and nothing has to: theorems start from it."""
    NOTHING = "none"
    """A statement for which nobody vouches."""


def carrier(claim: Claim) -> Carrier:
    """The carrier of a claim of the catalogue, which vouches for it."""
    if claim.argument:
        return Carrier.BY_HAND
    if claim.id in records() and is_ours(claim):
        return Carrier.KERNEL
    if claim.word is not None or any(claim in each.hypotheses for each in catalogue.values()):
        return Carrier.HYPOTHESIS
    others = [key for key, paper in papers().items() if not paper.is_ours]
    if any(script.claim == claim for key in others for script in of_paper(key)):
        return Carrier.SCRIPT
    return Carrier.NOTHING


def standing(claim: Claim) -> str:
    """``proved``; ``repaired`` if proved, but not by the printed proof; the carrier if that is not
    the kernel.

    It is read from the record, and no proof is run: the tests have the proofs say the same.
    """
    if (by := carrier(claim)) is not Carrier.KERNEL:
        return by
    return "repaired" if records()[claim.id].broken else "proved"


def told(claim: Claim) -> str:
    """The carrier of a claim, in words, with the lines at which the printed proof fails, if it
    does.
    """
    by = carrier(claim)
    broken = records()[claim.id].broken if by is Carrier.KERNEL else ()
    return (
        f"{by}, repaired: true by another proof; the printed one fails at {', '.join(broken)}"
        if broken
        else by
    )


def counted(claims: Iterable[Claim]) -> Counter[Carrier]:
    """The number of these claims that each carrier has."""
    return Counter(map(carrier, claims))


def record_of(paper: str) -> dict[str, Any]:
    """The record of a paper's proved claims, from its proofs as they are.

    Raises InputError for a script that concludes and does not prove its claim by the kernel.
    """
    table: dict[str, Any] = {}
    broken: dict[str, list[str]] = {}
    for script in of_paper(paper):
        claim = script.claim
        if claim is None or claim.id not in catalogue:
            continue
        proof = judge_any(script)
        if script.version == "printed":
            broken[claim.id] = [x.step.label for x in proof.steps if x.verdict == "refuted"]
            continue
        if proof.conclusion is None:
            continue
        if proof.verdict != "proved" or proof.trust != "kernel":
            name, reason = f"{script.id}, {script.version}", proof.reason or proof.trust
            raise InputError("script", name, f"a proof of its claim by the kernel: {reason}")
        table[claim.id] = {"digest": signature(claim)}
    for id, labels in broken.items():
        if labels and id in table:
            table[id]["broken"] = labels
    return table


def write_record(paper: str) -> None:
    """Write the `proved.json` of a paper again, from its current proofs.

    python -c "from boundcheck.proof.audit import write_record; write_record('jiang2024')"

    Raises:
        InputError: where `record_of` does.

    """
    text = json.dumps(record_of(paper), indent=1, ensure_ascii=False) + "\n"
    replace_file(paper_of(paper).folder / PROVED, text.encode())
