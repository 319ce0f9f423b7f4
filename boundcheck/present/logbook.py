"""The logbook: a report in the words of open reproduction efforts, an entry for each finding, proof, run and attack.

The words are verified, falsified, toy and inconclusive. `RULES` says for each of our verdicts which it becomes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum

from boundcheck.language.prose import plain
from boundcheck.present.material import Material
from boundcheck.present.stored import StoredRun
from boundcheck.present.words import titled
from boundcheck.proofs import paper_of
from boundcheck.shown import code_span, markdown
from boundcheck.shown import command as typed
from boundcheck.verdicts import Verdict
from boundcheck.worst_case.view import rounded_down


class Word(StrEnum):
    """The word that says what an entry comes to."""

    VERIFIED = "verified"
    FALSIFIED = "falsified"
    TOY = "toy"
    INCONCLUSIVE = "inconclusive"


RULES = (
    (
        Word.VERIFIED,
        "The kernel replayed a proof. Where the verdict is `repaired`, what is verified is what was proved in place of "
        "the printed argument, as the evidence says, and not that argument; where it is `conditional`, the statement "
        "under a condition that is not printed with it. Nothing else is called verified.",
    ),
    (
        Word.FALSIFIED,
        "A printed line is refuted by an exact witness, or the kernel proved its contrary; an attack found a certified "
        "instance that breaks the claim; or a run is `violated` and the claim itself is to blame.",
    ),
    (
        Word.TOY,
        "A run is `supported`: the claim held on this one problem, at this size. That proves nothing of another.",
    ),
    (
        Word.INCONCLUSIVE,
        "Everything else: `unknown`, `editorial`, `remark`, a proof that rests on solvers or on an open line, a run "
        "that is `hypothesis-failed`, `uninformative` or `inconclusive`, a run that is `violated` where something else "
        "than the claim is to blame, and an attack that broke nothing.",
    ),
)


Entry = tuple[str, Word, str, str, str]
"""The subject of an entry, the word it comes to, our own verdict, the evidence, and the command that shows it."""


def logbook(material: Material, title: str) -> str:
    """The logbook in Markdown: the rules, how often each word stands, and the entries."""
    entries = list(_entries(material))
    counts = Counter(word for _, word, *_ in entries)
    lines = [f"# Logbook: {_line(title)}", ""]
    lines += ["What the words mean, and from which verdicts of boundcheck they come:", ""]
    lines += [f"- **{word}**: {rule}" for word, rule in RULES]
    told = ", ".join(f"{counts[word]} {word}" for word in Word)
    lines += ["", f"{len(entries)} entries: {told}.", ""]
    for place, (about, word, verdict, evidence, command) in enumerate(entries, 1):
        lines += [f"## {place}. {_line(about)}: {word}", "", f"- verdict: {code_span(verdict)}"]
        lines += [f"- evidence: {_line(evidence)}", f"- command: {code_span(command)}", ""]
    return "\n".join(lines)


def of_proof(verdict: str, trust: str) -> Word:
    """The word for a verdict from proofs, with the trust of the weakest proof; a witness needs none."""
    if verdict == "refuted" and trust in ("kernel", ""):
        return Word.FALSIFIED
    is_proved = verdict in ("proved", "repaired", "conditional") and trust == "kernel"
    return Word.VERIFIED if is_proved else Word.INCONCLUSIVE


def of_run(run: StoredRun) -> Word:
    """The word for a run."""
    if run.verdict.plain is Verdict.VIOLATED and run.result.blame is not None and run.result.blame.kind == "claim":
        return Word.FALSIFIED
    return Word.TOY if run.verdict.is_supported and not run.verdict.given else Word.INCONCLUSIVE


def _entries(material: Material) -> Iterator[Entry]:
    command = material.command or "boundcheck report RUN..."
    for judged in material.proofs.rows if material.proofs else ():
        row, verdict = judged.row, judged.verdict + (f", trust {judged.trust}" if judged.trust else "")
        said = f"printed: {row.printed} " if row.printed else ""
        about = f"{row.locator}, row {row.number} of the referee's table"
        evidence = f"{said}{judged.told} {judged.evidence}"
        proving = typed("prove", paper_of(material.paper.name).typed) if material.paper else material.command
        yield (about, of_proof(judged.verdict, judged.trust), verdict, evidence, proving)
    for claim in material.proofs.claims if material.proofs else ():
        proved = [proof for proof in claim.proofs if proof.verdict == "proved"]
        # The claim is as good as the best of its proofs, and each proof as its weakest line.
        trust = "kernel" if any(proof.trust == "kernel" for proof in proved) else (proved[0].trust if proved else "")
        told = "; ".join(
            f"{proof.script.called}: {proof.verdict}" + (f", {proof.reason}" if proof.reason else "")
            for proof in claim.proofs
        )
        facts = sorted({name for proof in proved for name in proof.ledger})
        rests = f" It rests on the standard facts {', '.join(facts)}." if facts else ""
        verdict, shows = claim.verdict + (f", trust {trust}" if trust else ""), typed("prove", claim.id, "--steps")
        about = f"{claim.title} ({claim.id})"
        yield (about, of_proof(claim.verdict, trust), verdict, f"{told}.{rests}", shows)
    for planted, run in (*(("", run) for run in material.runs), *material.faults):
        x = run.result
        blame = f" To blame: the {x.blame.kind} {x.blame.name}, {x.blame.evidence}." if x.blame else ""
        evidence = f"{x.reason}. Measured {run.numbers.measured} against {run.numbers.bound}.{blame} Run {x.run_id}."
        # A planted fault says something of boundcheck, and nothing of the claim.
        about = f"Planted fault, {planted}" if planted else f"{titled(x)} on {run.title}"
        yield (about, Word.INCONCLUSIVE if planted else of_run(run), str(run.verdict), evidence, command)
    for search in material.searches:
        word, verdict = (Word.FALSIFIED, "violated") if search["violated"] else (Word.INCONCLUSIVE, "not violated")
        ratio = rounded_down(search["ratio"], 5)
        evidence = f"The largest certified ratio of measured over bound is {ratio}; see {search['file']}."
        yield (f"{search['label']}, attacked", word, verdict, evidence, typed("falsify", search["id"]))
    # What was measured of a row of the table, all its runs together.
    for finding in material.findings:
        is_supported = any(each == finding.verdict and each.is_supported for each in Verdict)
        about = f"{finding.locator}, row {finding.number}, measured"
        word = Word.TOY if is_supported else Word.INCONCLUSIVE
        yield (about, word, str(finding.verdict), finding.evidence, command)


def _line(text: str) -> str:
    """Text in one line of Markdown that shows as it is typed."""
    return markdown(plain(text))
