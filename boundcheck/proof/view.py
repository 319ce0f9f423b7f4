"""Views of proofs: of audits, claims, proofs and lines; the referee's table; lines as a frame; and on a terminal.

What stands under `proved` is made of the kernel's theorem, with the assumptions that it rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from boundcheck.language.claim import in_prose
from boundcheck.language.prose import plain, plainly
from boundcheck.language.view import (
    Badge,
    Cell,
    Code,
    Column,
    Fold,
    Line,
    Math,
    Part,
    Points,
    Prose,
    Row,
    Shown,
    Stack,
    Table,
    View,
    line,
    paragraph,
)
from boundcheck.proof.audit import (
    ClaimAudit,
    JudgedRow,
    ProofAudit,
    instance_told,
    known_instance,
    main_lines,
    proof_as_json,
    step_as_json,
    witness_as_json,
)
from boundcheck.proof.notation import UNCLEAR, Display, identity, identity_latex, shown
from boundcheck.proof.verdict import JudgedProof, JudgedStep
from boundcheck.proof.witness import numbers_at
from boundcheck.shown import command
from boundcheck.system import terminal
from boundcheck.system.terminal import coloured

if TYPE_CHECKING:
    import pandas as pd

# Claims of an audit that are shown open.
_FEW = 3
_REFEREE = """Each verdict is computed from the lines of proofs that the row names. Below it stands the trust of the
weakest proof among them, or that it rests on an exact witness alone. Repaired: true by another proof than the printed
one. Conditional: true under a condition that is not printed with it. Remark: nothing printed is false. What is refuted
is false under the reading that it names, the most favourable one that the text allows; what follows from it stands
below it. Rocq: whether a second proof checker has checked the proofs, too; a witness is exact arithmetic, and no
proof."""


@singledispatch
def view_of(shown: Shown) -> View:
    """The view that a notebook shows of a result of this package."""
    raise TypeError(f"expected a result, got {type(shown).__name__}")


@view_of.register(ProofAudit)
def _audit_view(audit: ProofAudit) -> View:
    """An audit: each of its claims if they are few, else a table of them."""
    facts = [line("standard fact", name, Prose(told)) for name, told in audit.facts.items()]
    count = len(audit.claims)
    title, about = "Proofs, audited", f"{count} claim{'s' if count > 1 else ''}"
    rows = referee_table(audit.rows)
    if len(audit.claims) <= _FEW:
        return View(title, about, parts=(*rows, *(each.view() for each in audit.claims), *facts))
    table = Table(
        ("claim", "title", "verdict", "proofs"),
        [
            (
                each.id,
                Prose(each.title),
                Badge(each.verdict),
                ", ".join(f"{x.script.called}: {x.verdict}" for x in each.proofs),
            )
            for each in audit.claims
        ],
    )
    more = line(f"One claim whole: audit[{audit.claims[0].id!r}]. All lines: audit.to_frame().")
    return View(title, about, parts=(*rows, table, more, *facts))


def referee_table(rows: Iterable[JudgedRow]) -> tuple[Table, ...]:
    """The referee's table, where there is one: below each row the lines of proofs behind its verdict."""
    found = list(rows)
    prints = any(each.row.printed for each in found)
    made: list[Row] = []
    for each in found:
        made += [_row(each, prints), *_evidence(each)]
    head: list[str | Column] = [Column("No.", is_number=True, width=0.05), Column("Where", width=0.15)]
    head += [Column("Printed", width=0.31)] if prints else []
    head += [Column("Verdict", width=0.11), Column("Rocq", width=0.09), "Finding"]
    return (Table(head, made, _REFEREE, "referee", most=None, stacks=True),) if found else ()


def _row(each: JudgedRow, prints: bool) -> tuple[Cell, ...]:
    rests = [Prose(each.rests_on, "small")] if each.rests_on else []
    editorial = [Prose("No machine evidence.", "small")] if each.verdict == "editorial" else []
    return (
        str(each.row.number),
        Prose(each.row.locator),
        *([Prose(each.row.printed)] if prints else []),
        Stack((Badge(each.verdict), *rests)),
        each.rocq and f"Rocq: {each.rocq}",
        Stack((Prose(each.finding), *editorial, *(Prose(note, "small") for note in each.notes))),
    )


def _evidence(row: JudgedRow) -> Iterator[Fold]:
    """The lines to which a row and what follows from it refer, behind a click; nothing for an editorial row."""
    lines = [found for each in (row, *row.follows) for found in each.lines]
    parts: list[Part] = []
    for ref, proof, step in lines:
        ends: list[Cell] = [] if step else [", its conclusion", Badge(proof.verdict), proof.trust]
        said = Prose(f"“{proof.script.title}”, {proof.script.called}", "small")
        parts.append(Line((said, *ends, "To see it again:", Code(command("prove", ref.id, "--steps"))), "small"))
        parts += line_parts(proof, step) if step else _conclusion(proof)
    if parts:
        yield Fold(line(f"Evidence: {len(lines)} {'line' if len(lines) == 1 else 'lines'}"), tuple(parts))
    elif row.verdict != "editorial":
        yield Fold(line("Evidence"), (paragraph(row.evidence),))


def _conclusion(proof: JudgedProof) -> Iterator[Part]:
    """The conclusion of a proof, and how its hypotheses differ from those that its claim lists."""
    if proof.verdict != "proved" or proof.conclusion is None:
        return
    is_claim = proof.script.claim is not None
    added = shown(*proof.added).latex if is_claim else ()
    changes = "; ".join(proof.changes if is_claim else ()) or "as the claim lists them"
    yield line(Math(shown(proof.conclusion).latex[0], apart=True))
    yield paragraph(f"Hypotheses {changes}{'; given besides:' if added else '.'}", "small")
    yield from (line(Math(each, apart=True)) for each in added)


@view_of.register(ClaimAudit)
def _claim_view(audit: ClaimAudit) -> View:
    """A claim with its proofs."""
    return View(plain(audit.title), audit.id, audit.verdict, parts=tuple(each.view() for each in audit.proofs))


@view_of.register(JudgedProof)
def _proof_view(proof: JudgedProof) -> View:
    """A proof: what it proves and from what, why it does not where it does not, and its lines."""
    parts: list[Part] = [line(f"trust: {proof.trust}")] if proof.trust else []
    parts += [paragraph(proof.reason)] if proof.reason else []
    theorem: tuple[Line, ...] = ()
    if proof.verdict == "proved" and proof.conclusion is not None:
        display = shown(*(each.statement for each in proof.hypotheses), proof.conclusion)
        theorem = tuple(_theorem(proof, display))
        parts += _besides(proof, display)
    places = dict(main_lines(proof))
    for place, judged in enumerate(proof.steps):
        if judged.verdict != "proved":
            places.pop(place, None)
            parts += line_parts(proof, judged)
    told = tuple(part for judged in places.values() for part in line_parts(proof, judged))
    hidden = [judged for place, judged in enumerate(proof.steps) if judged.verdict == "proved" and place not in places]
    algebra: tuple[Part, ...] = ()
    if hidden:
        count = f"And {len(hidden)} line{'s' if len(hidden) > 1 else ''} of mere algebra:"
        rows = [(Prose(each.step.label), _statement(each)) for each in hidden]
        whole = line(Code(command("prove", proof.script.id, "--steps")), "shows what each is given.")
        algebra = (Fold(line(count), (whole, Table(("line", "what it says"), rows, most=None))),)
    parts.append(Fold(line(f"The lines of the proof: {len(proof.steps)}"), (*told, *algebra)))
    name = f"{proof.script.id}, {proof.script.called}"
    return View(plain(proof.script.title), name, proof.verdict, theorem, tuple(parts))


def _theorem(proof: JudgedProof, display: Display) -> Iterator[Line]:
    """The lines that say what is proved and what it rests on, from the display of both."""
    *given, concludes = map(_formula, display.texts, display.latex)
    yield line("proves", concludes)
    domains = [made for each, made in zip(proof.hypotheses, display.latex, strict=False) if each.role == "domain"]
    if domains:
        yield line("given", Math(r" ,\; ".join(domains), apart=True), "(domain)")
    for each, made, statement in zip(proof.hypotheses, given, display.texts, strict=False):
        if each.role != "domain":
            name = Prose(f"“{each.name}”" if each.name != statement else "")
            yield line("given", made, f"({each.role})", name)
    if not given:
        yield line("given nothing")
    if told := instance_told(proof):
        yield line(told)


def _besides(proof: JudgedProof, display: Display) -> Iterator[Part]:
    """The letters of what is proved, and how it differs from what its claim says."""
    roles = tuple(line(Math(", ".join(letters)), Prose(f": {role}")) for role, letters in display.told_latex.items())
    yield Fold(line("Letters"), (Points(roles),))
    if proof.unused:
        yield paragraph(f"The claim lists, and the theorem does not need: {'; '.join(proof.unused)}.", "small")
    if proof.script.claim is not None and proof.added:
        yield paragraph("The theorem needs, and the claim says in words or not at all:", "small")
        yield from (line(Math(each, apart=True)) for each in shown(*proof.added).latex)


def _formula(typed: str, latex: str) -> Cell:
    """A statement in LaTeX, or its text where that has none."""
    return typed if latex == UNCLEAR else Math(latex, apart=True)


def _statement(judged: JudgedStep) -> Cell:
    display = shown(judged.step.theorem.conclusion)
    return _formula(display.texts[0], display.latex[0])


def line_parts(proof: JudgedProof, judged: JudgedStep) -> Iterator[Part]:
    """A line: its verdict, what it says, what it is given besides, and its witness or certificate."""
    step = judged.step
    follows = "It does not follow from the lines before it either." if judged.follows is False else ""
    reason = f"{judged.reason}." if judged.reason else ""
    said = (Prose(step.meaning), follows, Prose(reason))
    yield line(Prose(step.label, "strong"), Badge(judged.verdict), Prose(judged.trust, "small"), *said)
    if step.printed:
        yield line(Prose("Printed:", "small"), Math(step.printed, apart=True), Prose("Read as:", "small"))
    yield line(_statement(judged))
    if own := proof.own(judged):
        display = shown(*own)
        yield line(Prose("given", "small"), *map(_formula, display.texts, display.latex))
    if witness := witness_as_json(proof, judged):
        sides = f"At t = {witness['t']} the left side is {witness['left']} and the right side {witness['right']}."
        yield line(Prose(f"Witness: {witness['about']}."), sides, Prose(_at(witness["numbers"]), "small"))
    if certificate := identity(step.theorem):
        rows = [line(Math(row, apart=True)) for row in identity_latex(step.theorem)] or [line(Code(certificate))]
        yield Fold(line("certificate"), tuple(rows))


def _at(numbers: Mapping[str, str]) -> str:
    return ", ".join(f"{in_prose(name)} = {value}" for name, value in numbers.items())


@view_of.register(JudgedStep)
def _step_view(judged: JudgedStep) -> View:
    """A line by itself: what its theorem says, and all that this rests on."""
    step, theorem = judged.step, judged.step.theorem
    open_ = theorem.hypotheses - ({theorem.conclusion} if judged.verdict != "proved" else set())
    display = shown(theorem.conclusion, *sorted(open_, key=str))
    says, *given = map(_formula, display.texts, display.latex)
    lines = (line(says), *(line("given", each) for each in given))
    said = [paragraph(words) for words in (step.meaning, judged.reason) if words]
    if step.witness and judged.verdict == "refuted":
        said.append(
            line("witness:", Prose(f"{step.witness.about}."), Prose(_at(numbers_at(theorem.fact, step.witness))))
        )
    name = f"trust: {judged.trust}" if judged.trust else ""
    return View(plain(step.label), name, judged.verdict, lines, tuple(said))


def frame_of(proofs: Iterable[JudgedProof]) -> pd.DataFrame:
    """A frame with a row for each line, as in `step_as_json`; of a witness, what it is about and both sides."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for proof in proofs:
        whose = {"claim": proof.script.id, "version": proof.script.version, "proof": proof.verdict}
        for judged in proof.steps:
            found = plainly(step_as_json(proof, judged))
            witness, numbers = found.pop("witness"), found.pop("does_not_follow_at")
            sides = {f"witness_{name}": witness and witness[name] for name in ("about", "left", "right")}
            where = plain(_at(numbers)) if numbers else None
            given = "; ".join(found["given"])
            rows.append(whose | found | {"given": given} | sides | {"does_not_follow_at": where})
    return pd.DataFrame(rows)


# On a terminal.

# The most of a line's own assumptions that are shown beside it.
_MOST_GIVEN = 4
_Voices = Mapping[str, Mapping[int, Mapping[str, str]]]


def show(audit: ProofAudit, console: Console, steps: bool, voices: _Voices) -> None:
    """Print the audit; the lines of the proofs only if there are few claims or `steps` asks for them."""
    if audit.rows:
        referee = terminal.Table(
            "no.", "where", "printed", "verdict", "trust", "Rocq", "finding", title="Referee's table"
        )
        for each in audit.rows:
            where, printed = plain(each.row.locator), plain(each.row.printed)
            finding = _above(plain(each.finding), plain(each.hypotheses))
            referee.add(each.row.number, where, printed, coloured(each.verdict), each.trust, each.rocq, finding)
        console.print(referee)
    # The catalogue has the statements of claims; a lemma's statement is shown only here.
    table = terminal.Table("claim", "verdict", "version", "proof", "trust", "lines", "what is proved")
    for claim in audit.claims:
        for i, proof in enumerate(claim.proofs):
            # On a screen the eye finds the claim above its other proofs; a line of a file says it itself.
            name = (claim.id, coloured(claim.verdict)) if i == 0 or not console.is_interactive else ("", "")
            cells = (coloured(proof.verdict), proof.trust, len(proof.steps), _proved(proof))
            table.add(*name, proof.script.called, *cells)
    console.print(table)
    for claim in audit.claims:
        for proof in claim.proofs:
            if steps or len(audit.claims) <= 3:
                _show_lines(proof, console, steps, voices.get(f"{claim.id}, {proof.script.version}", {}))
    # At the end, where nobody has to look for them.
    for claim in audit.claims:
        for proof in claim.proofs:
            if proof.verdict == "unknown":
                _tell(console, Text("unknown", "yellow"), f"{claim.id}: {plain(proof.reason)}")
            for judged in proof.steps:
                if found := witness_as_json(proof, judged):
                    where = f"{plain(judged.step.label)} of {proof.script.id}: {plain(found['about'])}."
                    sides = f"There the left side is {found['left']} and the right side {found['right']}."
                    _tell(console, Text("refuted", "bold red"), f"{where} {sides} {plain(_at(found['numbers']))}")
        if claim.verdict == "unknown" and any(proof.verdict == "refuted" for proof in claim.proofs):
            told = "a line of its proof is refuted; the claim stays unknown, since a false line does not make it false"
            _tell(console, Text("unknown", "yellow"), f"{claim.id}: {told}")
    for fact, said in audit.facts.items():
        _tell(console, Text("standard fact", "bold"), f"{fact}: {plain(said)}")
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


def _show_lines(proof: JudgedProof, console: Console, steps: bool, voices: Mapping[int, Mapping[str, str]]) -> None:
    title = f"“{plain(proof.script.title)}” ({proof.script.id}, {proof.script.called})"
    table = terminal.Table("line", "verdict", "trust", "what it says", *(["z3, cvc5"] if voices else []), title=title)
    lines = list(enumerate(proof.steps)) if steps else main_lines(proof)
    for place, judged in lines:
        row = (plain(judged.step.label), coloured(judged.verdict), judged.trust, _says(proof, judged, console))
        table.add(*row, *([", ".join(voices.get(place, {}).values())] if voices else []))
    console.print(table)
    hidden = len(proof.steps) - len(lines)
    if hidden:
        console.print(f"and {hidden} lines of mere algebra: --steps shows them")
    if proof.verdict != "proved":
        return
    # What is proved and from what is the kernel's theorem; the author's names for it are in quotation marks.
    found = proof_as_json(proof)
    _tell(console, Text("concludes", "bold"), found["conclusion"])
    for each in found["hypotheses"]:
        name = f"  “{plain(each['name'])}”" if each["name"] != each["statement"] else ""
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
    few = given[:_MOST_GIVEN] if console.is_interactive else given
    told = "; ".join(few) + (f"; and {len(given) - _MOST_GIVEN} more, see --json" if len(given) > len(few) else "")
    return _above(str(step.theorem.conclusion) + (f"  given {told}" if given else ""), plain(text.strip()))
