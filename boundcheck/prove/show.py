"""How the command line shows an audit of proofs: verdicts, refuted lines with their witnesses, and the ledger."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from boundcheck.kernel import STANDARD_FACTS
from boundcheck.prove.outcome import ProofAudit
from boundcheck.prove.results import main_lines, proof_as_json, witness_as_json
from boundcheck.prove.verdict import JudgedProof, JudgedStep
from boundcheck.terminal import coloured

# The most of a line's own assumptions that are shown beside it.
_FEW = 4
_Voices = Mapping[str, Mapping[int, Mapping[str, str]]]


def show(audit: ProofAudit, console: Console, steps: bool, voices: _Voices) -> None:
    """Print the audit; the lines of the proofs only if there are few claims or `steps` asks for them."""
    if audit.rows:
        _show_rows(audit, console)
    # The catalogue has the statements of claims; a lemma's statement is shown only here.
    table = Table("claim", "verdict", "version", "proof", "trust", "lines", "what is proved")
    table.columns[0].overflow = "fold"
    for claim in audit.claims:
        for i, proof in enumerate(claim.proofs):
            name = (escape(claim.id), coloured(claim.verdict)) if i == 0 else ("", "")
            table.add_row(
                *name,
                proof.script.version,
                coloured(proof.verdict),
                proof.trust,
                str(len(proof.steps)),
                escape(_proved(proof)),
            )
    console.print(table)
    for claim in audit.claims:
        for proof in claim.proofs:
            if steps or len(audit.claims) <= 3:
                _show_lines(proof, console, steps, voices.get(f"{claim.id}, {proof.script.version}", {}))
            if proof.verdict == "unknown":
                console.print(f"[yellow]unknown[/yellow] {escape(claim.id)}: {escape(proof.reason)}", soft_wrap=True)
            for judged in proof.steps:
                if judged.verdict == "refuted":
                    _show_witness(proof, judged, console)
    for fact in audit.ledger:
        console.print(f"[bold]standard fact[/bold] {fact}: {escape(STANDARD_FACTS[fact])}", soft_wrap=True)
    console.print(f"{len(audit.claims)} claims in {audit.seconds:.1f} s")


def _proved(proof: JudgedProof) -> str:
    """What is proved, in a line: the claim and what differs, or the statement of a lemma; `--steps` shows the rest."""
    if proof.verdict != "proved":
        return ""
    if proof.difference:
        return f"the claim, {proof.difference}"
    count = len(proof.hypotheses)
    return f"{proof.conclusion}" + (f"  (from {count} assumption{'s' if count > 1 else ''})" if count else "")


def _show_rows(audit: ProofAudit, console: Console) -> None:
    table = Table("no.", "where", "printed", "verdict", "trust", "finding", title="Referee's table")
    for each in audit.rows:
        row = each.row
        finding = escape(row.finding) + (f"\n[dim]{escape(each.hypotheses)}[/dim]" if each.hypotheses else "")
        found = (coloured(each.verdict), each.trust, finding)
        table.add_row(str(row.number), escape(row.locator), escape(row.printed), *found)
    console.print(table)


def _show_lines(proof: JudgedProof, console: Console, steps: bool, voices: Mapping[int, Mapping[str, str]]) -> None:
    title = f"“{proof.script.title}” ({proof.script.id}, {proof.script.version})"
    table = Table("line", "verdict", "trust", "what it says", title=escape(title), title_justify="left")
    if voices:
        table.add_column("z3, cvc5")
    lines = list(enumerate(proof.steps)) if steps else main_lines(proof)
    for place, judged in lines:
        row = [escape(judged.step.label), coloured(judged.verdict), judged.trust, _says(proof, judged)]
        table.add_row(*row, *([", ".join(voices.get(place, {}).values())] if voices else []))
    console.print(table)
    hidden = len(proof.steps) - len(lines)
    if hidden:
        console.print(f"and {hidden} lines of mere algebra: --steps shows them")
    if proof.verdict == "proved":
        _show_theorem(proof, console)


def _show_theorem(proof: JudgedProof, console: Console) -> None:
    """What is proved, and from what, from the kernel's theorem; the author's names for it in quotation marks."""
    found = proof_as_json(proof)
    console.print(f"[bold]concludes[/bold] {escape(found['conclusion'])}", soft_wrap=True)
    for each in found["hypotheses"]:
        name = f"  “{escape(each['name'])}”" if each["name"] != each["statement"] else ""
        console.print(f"[bold]rests on[/bold] ({each['role']}) {escape(each['statement'])}{name}", soft_wrap=True)
    if not found["hypotheses"]:
        console.print("[bold]rests on[/bold] nothing")
    console.print(f"[bold]letters[/bold] {escape(found['letters_told'])}", soft_wrap=True)


def _says(proof: JudgedProof, judged: JudgedStep) -> str:
    """The line as its theorem states it, with its own assumptions, and below it the author's words."""
    step = judged.step
    text = step.meaning
    if judged.follows is False:
        text += " It does not follow from the lines before it either."
    if judged.reason:
        text += f" ({judged.reason})"
    given = proof.given(judged)
    told = "; ".join(given[:_FEW]) + (f"; and {len(given) - _FEW} more, see --json" if len(given) > _FEW else "")
    statement = escape(str(step.theorem.conclusion) + (f"  given {told}" if given else ""))
    return f"{statement}\n[dim]{escape(text.strip())}[/dim]" if text else statement


def _show_witness(proof: JudgedProof, judged: JudgedStep, console: Console) -> None:
    found = witness_as_json(proof, judged)
    if found is None:
        return
    numbers = ", ".join(f"{name} = {value}" for name, value in found["numbers"].items())
    where = escape(f"{judged.step.label} of {proof.script.id}")
    sides = f"There the left side is {found['left']} and the right side {found['right']}."
    about = escape(f"{found['about']}. {sides} {numbers}")
    console.print(f"[bold red]refuted[/bold red] {where}: {about}", soft_wrap=True)
