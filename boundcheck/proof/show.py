"""The command line's view of an audit of proofs: verdicts, refuted lines with their witnesses, and the ledger."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from boundcheck.language import prose
from boundcheck.language.claim import in_prose
from boundcheck.proof.audit import ProofAudit, instance_told, known_instance, main_lines, proof_as_json, witness_as_json
from boundcheck.proof.verdict import JudgedProof, JudgedStep
from boundcheck.system.terminal import Table, coloured

# The most of a line's own assumptions that are shown beside it.
_FEW = 4
_Voices = Mapping[str, Mapping[int, Mapping[str, str]]]


def show(audit: ProofAudit, console: Console, steps: bool, voices: _Voices) -> None:
    """Print the audit; the lines of the proofs only if there are few claims or `steps` asks for them."""
    if audit.rows:
        _show_rows(audit, console)
    # The catalogue has the statements of claims; a lemma's statement is shown only here.
    table = Table("claim", "verdict", "version", "proof", "trust", "lines", "what is proved")
    for claim in audit.claims:
        for i, proof in enumerate(claim.proofs):
            # On a screen the eye finds the claim above its other proofs; a line of a file says it itself.
            name = (claim.id, coloured(claim.verdict)) if i == 0 or not console.is_interactive else ("", "")
            found = (coloured(proof.verdict), proof.trust, len(proof.steps), _proved(proof))
            table.add(*name, proof.script.called, *found)
    console.print(table)
    for claim in audit.claims:
        for proof in claim.proofs:
            if steps or len(audit.claims) <= 3:
                _show_lines(proof, console, steps, voices.get(f"{claim.id}, {proof.script.version}", {}))
    # At the end, where nobody has to look for them.
    for claim in audit.claims:
        for proof in claim.proofs:
            if proof.verdict == "unknown":
                _tell(console, Text("unknown", "yellow"), f"{claim.id}: {prose.plain(proof.reason)}")
            for judged in proof.steps:
                if judged.verdict == "refuted":
                    _show_witness(proof, judged, console)
        if claim.verdict == "unknown" and any(proof.verdict == "refuted" for proof in claim.proofs):
            told = "a line of its proof is refuted; the claim stays unknown, since a false line does not make it false"
            _tell(console, Text("unknown", "yellow"), f"{claim.id}: {told}")
    for fact, said in audit.facts.items():
        _tell(console, Text("standard fact", "bold"), f"{fact}: {prose.plain(said)}")
    count = len(audit.claims)
    console.print(f"{count} claim{'s' if count != 1 else ''} in {audit.seconds:.1f} s")


def _tell(console: Console, word: Text, text: str) -> None:
    """Print a line that begins with a word in its style."""
    console.print(Text(" ").join([word, Text(text)]), soft_wrap=True)


def _proved(proof: JudgedProof) -> str:
    """A line on what is proved: the claim and what differs, or the statement of a lemma; `--steps` shows the rest."""
    if proof.verdict != "proved":
        return ""
    unmet = "" if known_instance(proof) or not proof.hypotheses else f"; {instance_told(proof)}"
    if proof.difference:
        return f"the claim, {proof.difference}{unmet}"
    count = len(proof.hypotheses)
    return f"{proof.conclusion}" + (f"  (from {count} assumption{'s' if count > 1 else ''}{unmet})" if count else "")


def _show_rows(audit: ProofAudit, console: Console) -> None:
    table = Table("no.", "where", "printed", "verdict", "trust", "Rocq", "finding", title="Referee's table")
    for each in audit.rows:
        row = each.row
        finding = _above(prose.plain(each.finding), prose.plain(each.hypotheses))
        where, printed = prose.plain(row.locator), prose.plain(row.printed)
        table.add(row.number, where, printed, coloured(each.verdict), each.trust, each.rocq, finding)
    console.print(table)


def _show_lines(proof: JudgedProof, console: Console, steps: bool, voices: Mapping[int, Mapping[str, str]]) -> None:
    title = f"“{prose.plain(proof.script.title)}” ({proof.script.id}, {proof.script.called})"
    table = Table("line", "verdict", "trust", "what it says", *(["z3, cvc5"] if voices else []), title=title)
    lines = list(enumerate(proof.steps)) if steps else main_lines(proof)
    for place, judged in lines:
        row = (prose.plain(judged.step.label), coloured(judged.verdict), judged.trust, _says(proof, judged, console))
        table.add(*row, *([", ".join(voices.get(place, {}).values())] if voices else []))
    console.print(table)
    hidden = len(proof.steps) - len(lines)
    if hidden:
        console.print(f"and {hidden} lines of mere algebra: --steps shows them")
    if proof.verdict == "proved":
        _show_theorem(proof, console)


def _show_theorem(proof: JudgedProof, console: Console) -> None:
    """Print what is proved and from what, from the kernel's theorem; the author's names for it in quotation marks."""
    found = proof_as_json(proof)
    _tell(console, Text("concludes", "bold"), found["conclusion"])
    for each in found["hypotheses"]:
        name = f"  “{prose.plain(each['name'])}”" if each["name"] != each["statement"] else ""
        _tell(console, Text("rests on", "bold"), f"({each['role']}) {each['statement']}{name}")
    if not found["hypotheses"]:
        _tell(console, Text("rests on", "bold"), "nothing")
    if found["instance"]:
        _tell(console, Text("instance", "bold"), found["instance"])
    _tell(console, Text("letters", "bold"), found["letters_told"])


def _above(text: str, below: str) -> Text:
    """A text, and below it one that is less bright."""
    return Text("\n").join([Text(text), Text(below, "dim")]) if below else Text(text)


def _says(proof: JudgedProof, judged: JudgedStep, console: Console) -> Text:
    """The line as its theorem states it, with its own assumptions, and below it the author's words."""
    step = judged.step
    text = step.meaning
    if judged.follows is False:
        text += " It does not follow from the lines before it either."
    if judged.reason:
        text += f" ({judged.reason})"
    given = list(map(str, proof.own(judged)))
    few = given[:_FEW] if console.is_interactive else given
    told = "; ".join(few) + (f"; and {len(given) - _FEW} more, see --json" if len(given) > len(few) else "")
    return _above(str(step.theorem.conclusion) + (f"  given {told}" if given else ""), prose.plain(text.strip()))


def _show_witness(proof: JudgedProof, judged: JudgedStep, console: Console) -> None:
    found = witness_as_json(proof, judged)
    if found is None:
        return
    numbers = ", ".join(f"{prose.plain(in_prose(name))} = {value}" for name, value in found["numbers"].items())
    where = f"{prose.plain(judged.step.label)} of {proof.script.id}"
    sides = f"There the left side is {found['left']} and the right side {found['right']}."
    _tell(console, Text("refuted", "bold red"), f"{where}: {prose.plain(found['about'])}. {sides} {numbers}")
