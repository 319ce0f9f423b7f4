"""Views of proofs: of audits, claims, proofs and lines; the referee's table; lines as a frame;
parts for a terminal.

What stands under `concludes` is the kernel's theorem, and under `rests on` are the assumptions that
it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from boundcheck.kernel import Statement
from boundcheck.language import view
from boundcheck.language.claim import in_prose
from boundcheck.language.prose import plain
from boundcheck.language.view import (
    Anchor,
    Badge,
    Cell,
    Fold,
    Line,
    Math,
    Part,
    Prose,
    Row,
    Stack,
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
    witness_as_json,
)
from boundcheck.proof.notation import UNCLEAR, Display, identity, identity_latex, shown
from boundcheck.proof.verdict import JudgedProof, JudgedStep
from boundcheck.proof.witness import numbers_at
from boundcheck.shown import command
from boundcheck.verdicts import amount, is_well, tally

# Claims of an audit that are shown open.
_FEW = 3
_REFEREE = """Each verdict is computed from the lines of proofs that the row names. Below it stands
the trust of the weakest proof among them, or that it rests on an exact witness alone. Repaired:
true by another proof than the printed one. Conditional: true under a condition that is not printed
with it, or under some readings of the paper and not under others; the row says which. Remark:
nothing printed is false. Refuted: false under every reading that was tried, each of which the row
names. What follows from a row stands below it. Rocq: whether a second proof checker has checked the
proofs, too; a witness is exact arithmetic, and no proof."""
_READINGS = """Where the words of the paper leave a choice, the first reading serves for all rows. A
row that depends on the choice says which way it goes under each."""


@view.view_of.register(ProofAudit)
def _audit_view(audit: ProofAudit) -> View:
    """An audit: each of its claims if they are few, else a table of them."""
    title, about = "Proofs, audited", amount(len(audit.claims), "claim")
    parts: list[Part] = [*referee_table(audit.rows)]
    if len(audit.claims) <= _FEW:
        parts += [each.view() for each in audit.claims]
    else:
        rows = [
            (
                x.id,
                Prose(x.title),
                Badge(x.verdict),
                ", ".join(f"{y.script.called}: {y.verdict}" for y in x.proofs),
            )
            for x in audit.claims
        ]
        parts.append(view.Table(("claim", "title", "verdict", "proofs"), rows))
        parts.append(
            line(f"One claim whole: audit[{audit.claims[0].id!r}]. All lines: audit.to_frame().")
        )
    return View(title, about, parts=(*parts, *_facts(audit)))


def _facts(audit: ProofAudit) -> Iterator[Line]:
    yield from (
        line(Prose("standard fact", "strong"), Prose(f"{name}: {told}"))
        for name, told in audit.facts.items()
    )


def referee_table(rows: Iterable[JudgedRow]) -> tuple[view.Table, ...]:
    """How the paper is read, where its words leave a choice; and the referee's table, with the
    evidence of each row.
    """
    found = list(rows)
    choices = dict.fromkeys(choice for each in found for choice in each.choices)
    prints = any(each.row.printed for each in found)
    made: list[Row] = []
    for each in found:
        rests = [Prose(each.rests_on, "small")] if each.rests_on else []
        notes = ["No machine evidence."] if each.verdict == "editorial" else []
        number = str(each.row.number)
        cells: list[Cell] = [Anchor(number, f"row-{number}"), Prose(each.row.locator)]
        cells += [Prose(each.row.printed)] if prints else []
        cells += [Stack((Badge(each.verdict), *rests)), each.rocq and f"Rocq: {each.rocq}"]
        made.append(
            (
                *cells,
                Stack((Prose(each.finding), *(Prose(x, "small") for x in (*notes, *each.notes)))),
            )
        )
        made += _evidence(each)
    head: list[str | view.Column] = [
        view.Column("No.", is_number=True, width=0.05),
        view.Column("Where", width=0.15),
    ]
    head += [view.Column("Printed", width=0.31)] if prints else []
    head += [view.Column("Verdict", width=0.11), view.Column("Rocq", width=0.09), "Finding"]
    tables = [view.Table(head, made, _REFEREE, "referee", most=None, stacks=True)] if found else []
    read: list[Row] = []
    for choice in choices:
        readings = Stack(tuple(Prose(f"{i}. {text}") for i, text in enumerate(choice.readings, 1)))
        read.append((Prose(choice.name), Prose(choice.words), readings))
    if read:
        columns = (
            view.Column("Choice", width=0.2),
            view.Column("The paper's words", width=0.4),
            "Readings",
        )
        tables.append(view.Table(columns, read, _READINGS, "readings", most=None, stacks=True))
    return tuple(tables)


def _evidence(row: JudgedRow) -> Iterator[Fold]:
    """The lines to which a row and what follows from it refer, behind a click; nothing for an
    editorial row.
    """
    lines = [found for each in (row, *row.follows) for found in each.lines]
    parts: list[Part] = []
    for ref, proof, step in lines:
        ends: list[Cell] = [] if step else [", its conclusion", Badge(proof.verdict), proof.trust]
        said = Prose(f"“{proof.script.title}”, {proof.script.called}", "small")
        parts.append(
            Line(
                (said, *ends, "To see it again:", view.Code(command("prove", ref.id, "-v"))),
                "small",
            )
        )
        if step:
            parts += line_parts(proof, step)
        elif proof.verdict == "proved" and proof.conclusion is not None:
            # A conclusion, and how its hypotheses differ from those that its claim lists.
            is_claim = proof.script.claim is not None
            added = proof.added if is_claim else []
            changes = "; ".join(proof.changes if is_claim else ()) or "as the claim lists them"
            parts += map(line, _formulas(proof.conclusion))
            parts.append(
                paragraph(f"Hypotheses {changes}{'; given besides:' if added else '.'}", "small")
            )
            parts += map(line, _formulas(*added))
    if parts:
        told = f"Evidence for row {row.row.number}: {amount(len(lines), 'line')}"
        yield Fold(line(told), tuple(parts))
    elif row.verdict != "editorial":
        yield Fold(line("Evidence"), (paragraph(row.evidence),))


@view.view_of.register(ClaimAudit)
def _claim_view(audit: ClaimAudit) -> View:
    """A claim with its proofs."""
    return View(
        plain(audit.title),
        audit.id,
        audit.verdict,
        parts=tuple(each.view() for each in audit.proofs),
    )


@view.view_of.register(JudgedProof)
def _proof_view(proof: JudgedProof) -> View:
    """A proof: what it proves and from what, why it does not where it does not, and its lines."""
    parts: list[Part] = [line(f"trust: {proof.trust}")] if proof.trust else []
    parts += [paragraph(proof.reason)] if proof.reason else []
    theorem: tuple[Line, ...] = ()
    if proof.verdict == "proved":
        display = _display(proof)
        theorem = tuple(_theorem(proof, display))
        roles = tuple(
            line(Math(", ".join(each)), Prose(f": {role}"))
            for role, each in display.told_latex.items()
        )
        parts.append(Fold(line("Letters"), (view.Points(roles),)))
        if proof.unused:
            unused = "; ".join(proof.unused)
            parts.append(
                paragraph(f"The claim lists, and the theorem does not need: {unused}.", "small")
            )
        if proof.script.claim is not None and proof.added:
            told = "The theorem needs, and the claim says in words or not at all:"
            parts += [paragraph(told, "small"), *map(line, _formulas(*proof.added))]
    # Lines that are not proved stand open, those of mere algebra in a table behind a click.
    places = dict(main_lines(proof))
    open_ = [judged for judged in proof.steps if judged.verdict != "proved"]
    hidden = [
        x for place, x in enumerate(proof.steps) if place not in places and x.verdict == "proved"
    ]
    told_ = [
        part for x in places.values() if x.verdict == "proved" for part in line_parts(proof, x)
    ]
    if hidden:
        rows = [
            (Prose(each.step.label), *_formulas(each.step.theorem.conclusion)) for each in hidden
        ]
        whole = line(
            view.Code(command("prove", proof.script.id, "-v")), "shows what each is given."
        )
        count = line(f"And {amount(len(hidden), 'line')} of mere algebra:")
        told_.append(Fold(count, (whole, view.Table(("line", "what it says"), rows, most=None))))
    parts += [part for judged in open_ for part in line_parts(proof, judged)]
    parts.append(Fold(line(f"The lines of the proof: {len(proof.steps)}"), tuple(told_)))
    name = f"{proof.script.id}, {proof.script.called}"
    return View(plain(proof.script.title), name, proof.verdict, theorem, tuple(parts))


def _display(proof: JudgedProof) -> Display:
    """What a proved proof rests on, and last what it concludes."""
    return shown(
        *(each.statement for each in proof.hypotheses),
        *([proof.conclusion] if proof.conclusion else []),
    )


def _theorem(proof: JudgedProof, display: Display) -> Iterator[Line]:
    """The lines that say what is proved and what it rests on, from the display of both."""
    *rests_on, (_, concludes) = zip(
        display.texts, map(_formula, display.texts, display.latex), strict=True
    )
    yield line(Prose("concludes", "strong"), concludes)
    domains = [i for i, each in enumerate(proof.hypotheses) if each.role == "domain"]
    if domains:
        texts, latex = ([each[i] for i in domains] for each in (display.texts, display.latex))
        yield line(
            Prose("rests on", "strong"),
            "(domain)",
            _formula("; ".join(texts), r" ,\; ".join(latex)),
        )
    for each, (typed, made) in zip(proof.hypotheses, rests_on, strict=True):
        if each.role != "domain":
            name = Prose(f"“{each.name}”" if each.name != typed else "")
            yield line(Prose("rests on", "strong"), f"({each.role})", made, name)
    if not rests_on:
        yield line(Prose("rests on", "strong"), "nothing")
    if told := instance_told(proof):
        yield line(Prose("instance", "strong"), told)


def _formula(typed: str, latex: str) -> Cell:
    """A statement in LaTeX, or its text where that has none."""
    return typed if UNCLEAR in latex else Math(latex, apart=True, typed=typed)


def _formulas(*statements: Statement) -> list[Cell]:
    display = shown(*statements)
    return list(map(_formula, display.texts, display.latex))


def line_parts(proof: JudgedProof, judged: JudgedStep) -> Iterator[Part]:
    """A line: its verdict, what it says, what it is given besides, and its witness or
    certificate.
    """
    step = judged.step
    yield line(
        Prose(step.label, "strong"),
        Badge(judged.verdict),
        Prose(judged.trust, "small"),
        *_words(judged),
    )
    if step.printed:
        yield line(
            Prose("Printed:", "small"), Math(step.printed, apart=True), Prose("Read as:", "small")
        )
    yield line(*_formulas(step.theorem.conclusion))
    if own := proof.own(judged):
        yield line(Prose("given", "small"), *_formulas(*own))
    if witness := witness_as_json(proof, judged):
        sides = (
            f"At t = {witness['t']} the left side is {witness['left']} and the right side"
            f" {witness['right']}."
        )
        yield line(
            Prose(f"Witness: {witness['about']}."), sides, Prose(_at(witness["numbers"]), "small")
        )
    if certificate := identity(step.theorem):
        rows = [line(Math(row, apart=True)) for row in identity_latex(step.theorem)] or [
            line(view.Code(certificate))
        ]
        yield Fold(line("certificate"), tuple(rows))


def _words(judged: JudgedStep) -> list[Prose]:
    """The words of a line's author, and apart from them why it is not proved."""
    follows = (
        "It does not follow from the lines before it either." if judged.follows is False else ""
    )
    return [
        Prose(x, "small")
        for x in (judged.step.meaning, follows, judged.reason and f"{judged.reason}.")
        if x
    ]


def _at(numbers: Mapping[str, str]) -> str:
    return ", ".join(f"{in_prose(name)} = {value}" for name, value in numbers.items())


@view.view_of.register(JudgedStep)
def _step_view(judged: JudgedStep) -> View:
    """A line by itself: what its theorem says, and all that this rests on."""
    step, theorem = judged.step, judged.step.theorem
    open_ = theorem.hypotheses - ({theorem.conclusion} if judged.verdict != "proved" else set())
    says, *given = _formulas(theorem.conclusion, *sorted(open_, key=str))
    lines = (line(says), *(line("given", each) for each in given))
    said = [paragraph(words) for words in (step.meaning, judged.reason) if words]
    if step.witness and judged.verdict == "refuted":
        numbers = Prose(_at(numbers_at(theorem.fact, step.witness)))
        said.append(line("witness:", Prose(f"{step.witness.about}."), numbers))
    name = f"trust: {judged.trust}" if judged.trust else ""
    return View(plain(step.label), name, judged.verdict, lines, tuple(said))


def show(
    audit: ProofAudit,
    is_whole: bool = True,
) -> Iterator[Part]:
    """For a terminal: the tables, each line where there are few claims, and at the end what is
    false or open, and how many there are of each verdict.

    If it is not whole, each finding, claim or assumption has one line, lines that are proved have
    none, and of all that is false or open the gravest is told.
    """
    is_few = len(audit.claims) <= _FEW
    if is_whole:
        yield from _whole_tables(audit)
    elif audit.rows:
        yield rows_table(audit.rows)
    elif not is_few:
        columns = (view.Column("claim", is_whole=True), view.Column("verdict", is_whole=True))
        titles = [(x.id, Badge(x.verdict), Prose(x.title)) for x in audit.claims]
        yield view.Table((*columns, "title"), titles, most=None, in_lines=True)
    for claim in audit.claims if is_few else ():
        for proof in claim.proofs:
            yield from _lines(proof) if is_whole else _brief(claim, proof)
    if is_whole or is_few:
        yield from _facts(audit)
    # At the end, where nobody has to look for it.
    faults = list(_faults(audit, is_whole))
    if is_whole:
        yield from (each for fault in faults for each in fault)
    else:
        yield paragraph("-v shows all of this whole, with each line and each witness.", "small")
        yield from (each for fault in faults[:1] for each in fault)
        if len(faults) > 1:
            yield paragraph(f"And {len(faults) - 1} more that are false or open.")
    verdicts = tally(x.verdict for x in audit.claims)
    told = [f"{amount(len(audit.claims), 'claim')}: {verdicts}"]
    if audit.rows:
        verdicts = tally(x.verdict for x in audit.rows)
        told.append(f"{amount(len(audit.rows), 'finding')}: {verdicts}")
    yield from map(line, (*told[:-1], f"{told[-1]}; in {audit.seconds:.1f} s"))


def _whole_tables(audit: ProofAudit) -> Iterator[view.Table]:
    """The referee's table, and that of the claims."""
    if audit.rows:
        rows = [
            (
                str(each.row.number),
                Prose(each.row.locator),
                Badge(each.verdict),
                each.trust,
                each.rocq,
                Prose(each.row.printed),
                _above(Prose(each.told), each.hypotheses),
            )
            for each in audit.rows
        ]
        head = ("no.", "where", "verdict", "trust", "Rocq", "printed", "finding")
        yield view.Table(head, rows, "Referee's table", most=None)
    # The catalogue has the statements of claims; a lemma's statement is shown only here.
    head = ("claim", "verdict", "version", "proof", "trust", "lines", "what is proved")
    cells = [
        (
            claim.id,
            Badge(claim.verdict),
            x.script.called,
            Badge(x.verdict),
            x.trust,
            str(len(x.steps)),
            _proved(x),
        )
        for claim in audit.claims
        for x in claim.proofs
    ]
    yield view.Table(head, cells, most=None, grouped=2)


def _brief(claim: ClaimAudit, proof: JudgedProof) -> Iterator[Part]:
    """A proof on a screen: the lines that are not proved, each cut to one, and what it proves from
    what.
    """
    if proof is claim.proofs[0]:
        yield line(Prose(claim.id, "strong"), Badge(claim.verdict))
    trust = f", trust {proof.trust}" if proof.trust else ""
    title = Prose(f"“{proof.script.title}” ({proof.script.called}):")
    count = amount(len(proof.steps), "line")
    yield line(title, Badge(proof.verdict), Prose(f"({count}{trust})"))
    rows = [
        (Prose(x.step.label), Badge(x.verdict), _formulas(x.step.theorem.conclusion)[0])
        for x in proof.steps
        if x.verdict != "proved"
    ]
    if rows:
        head = view.Column("line", width=0.25), view.Column("verdict", is_whole=True)
        yield view.Table((*head, "what it says"), rows, most=None, in_lines=True)
    if proof.verdict != "proved":
        return
    display = _display(proof)
    concludes, *rests_on = _theorem(proof, display)
    if proof.script.claim is not None:
        # In its author's shape; that it says this to the kernel is what was judged.
        yield line(Prose("says", "strong"), Math(proof.script.claim.statement_latex))
    yield concludes
    yield view.Table(("",), rests_on, most=None, in_lines=True)
    if proof.script.claim is not None and (proof.changes or proof.added):
        yield paragraph(f"It is the claim, {proof.difference}.")
    yield line(Prose("letters", "strong"), Prose(display.told))


def _faults(audit: ProofAudit, whole: bool) -> Iterator[tuple[Line, ...]]:
    """What is false or open, the gravest first: rows of the referee's table, or lines where there
    is none or all are asked for; each with a counterexample if one is known.
    """
    for each in audit.rows:
        if not is_well(each.verdict):
            said = f"row {each.row.number}, {each.row.locator}: {each.finding}"
            steps = [(proof, step) for _, proof, step in each.lines if step and not whole]
            yield (
                line(Badge(each.verdict), Prose(said)),
                *[x for proof, step in steps for x in _counterexample(proof, step)][:1],
            )
    if audit.rows and not whole:
        return
    proofs = [(claim, proof) for claim in audit.claims for proof in claim.proofs]
    for _, proof in proofs:
        yield from (found for x in proof.steps if (found := tuple(_counterexample(proof, x))))
    for claim, proof in proofs:
        if proof.verdict == "unknown":
            yield (line(Badge("unknown"), Prose(f"{claim.id}: {proof.reason}")),)
    for claim in audit.claims:
        if claim.verdict == "unknown" and any(proof.verdict == "refuted" for proof in claim.proofs):
            told = (
                "a line of its proof is refuted; the claim stays unknown, since a false line does"
                " not make it false"
            )
            yield (line(Badge("unknown"), Prose(f"{claim.id}: {told}")),)


def _counterexample(proof: JudgedProof, judged: JudgedStep) -> Iterator[Line]:
    """The witness of a refuted line, if it is one."""
    if found := witness_as_json(proof, judged):
        # The author's words stand apart from ours: a sign in them must not reach into what is
        # found.
        words = (
            judged.step.label,
            f"of {proof.script.id}:",
            f"{found['about']}.",
            f"There the left side is {found['left']} and the right side {found['right']}.",
            _at(found["numbers"]),
        )
        yield line(Badge("refuted"), *map(Prose, words))


def rows_table(rows: Iterable[JudgedRow]) -> view.Table:
    """The referee's table with a line for each row."""
    head = ("no.", "where", "verdict", "finding, from the proofs")
    return findings_table(head, ((x.row.number, x.row.locator, x.verdict, x.finding) for x in rows))


def findings_table(
    names: tuple[str, str, str, str], rows: Iterable[tuple[int, str, str, str]]
) -> view.Table:
    """A table with a line for each finding: its number, its place, its verdict, and in words."""
    no, where, verdict, finding = names
    head: view.Head = (
        view.Column(no, is_number=True, width=0.03),
        view.Column(where, width=0.28),
        view.Column(verdict, is_whole=True),
        finding,
    )
    cells = [(str(no), Prose(where), Badge(word), Prose(said)) for no, where, word, said in rows]
    return view.Table(head, cells, most=None, in_lines=True)


def _above(text: Cell, below: str) -> Cell:
    """A text, and below it one that is less bright."""
    return Stack((text, Prose(below, "small"))) if below else text


def _proved(proof: JudgedProof) -> Cell:
    """What is proved: the claim and what differs, or the statement of a lemma."""
    if proof.verdict != "proved":
        return ""
    unmet = "" if known_instance(proof) or not proof.hypotheses else f"; {instance_told(proof)}"
    if proof.difference:
        return f"the claim, {proof.difference}{unmet}"
    given = f"from {amount(len(proof.hypotheses), 'assumption')}{unmet}" if proof.hypotheses else ""
    return _above(_formulas(*([proof.conclusion] if proof.conclusion else []))[0], given)


def _lines(proof: JudgedProof) -> Iterator[Part]:
    """The lines of a proof in a table, and what it proves."""
    rows: list[Row] = []
    for judged in proof.steps:
        own = proof.own(judged)
        says = [
            *_formulas(judged.step.theorem.conclusion),
            *(["given " + "; ".join(map(str, own))] if own else []),
        ]
        said = Stack((*says, *_words(judged)))
        rows.append([Prose(judged.step.label), Badge(judged.verdict), judged.trust, said])
    title = f"“{proof.script.title}” ({proof.script.id}, {proof.script.called})"
    head = ("line", "verdict", "trust", "what it says")
    yield view.Table(head, rows, title, most=None)
    if proof.verdict == "proved":
        display = _display(proof)
        yield from _theorem(proof, display)
        yield line(Prose("letters", "strong"), display.told)
