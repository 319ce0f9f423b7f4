"""What a notebook shows of proofs, and their lines as a frame: all of it from the plain data that `as_json` gives.

So what stands under `proved` is printed from the kernel's theorem here too, with the assumptions that it rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from boundcheck.claims.claim import in_prose
from boundcheck.claims.prose import plain, plainly
from boundcheck.claims.view import Badge, Cell, Fold, Line, Math, Part, Prose, Stack, Table, View, line
from boundcheck.prove.display import UNCLEAR, shown
from boundcheck.prove.results import main_lines, proof_as_json, step_as_json
from boundcheck.prove.rows import JudgedRow
from boundcheck.prove.verdict import JudgedProof, JudgedStep
from boundcheck.prove.witness import numbers_at

if TYPE_CHECKING:
    import pandas as pd

    from boundcheck.prove.outcome import ProofAudit
    from boundcheck.prove.results import ClaimAudit

# Claims of an audit that are shown open, and assumptions of a line's own that are shown beside it.
_FEW, _GIVEN = 3, 4


def audit_view(audit: ProofAudit) -> View:
    """Of an audit of few claims each of them, of many a table."""
    facts = [line("standard fact", name, Prose(text)) for name, text in audit.facts.items()]
    count = len(audit.claims)
    title, about = "Proofs, audited", f"{count} claim{'s' if count > 1 else ''}"
    if len(audit.claims) <= _FEW:
        return View(title, about, parts=(*rows_table(audit.rows), *(each.view() for each in audit.claims), *facts))
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
    return View(title, about, parts=(*rows_table(audit.rows), table, more, *facts))


def rows_table(rows: Iterable[JudgedRow]) -> tuple[Part, ...]:
    """The referee's table, where there is one."""
    found = [
        (
            str(x.row.number),
            Prose(x.row.locator),
            Prose(x.row.printed),
            Badge(x.verdict),
            x.trust,
            x.rocq,
            Prose(x.told),
        )
        for x in rows
    ]
    return (Table(("no.", "where", "printed", "verdict", "trust", "Rocq", "finding"), found),) if found else ()


def claim_view(audit: ClaimAudit) -> View:
    """A claim with its proofs."""
    return View(plain(audit.title), audit.id, audit.verdict, parts=tuple(each.view() for each in audit.proofs))


def proof_view(proof: JudgedProof) -> View:
    """A proof: what it proves and from what, why it does not where it does not, and its lines."""
    found, script = proof_as_json(proof), proof.script
    parts: list[Part] = [line(f"trust: {proof.trust}")] if proof.trust else []
    parts += [line(Prose(proof.reason))] if proof.reason else []
    parts += [Fold(line("Letters"), (line(found["letters_told"]),))] if found["conclusion"] else []
    for each in found["steps"]:
        if each["witness"]:
            parts.append(refutation(each))
        elif each["verdict"] == "unknown":
            parts.append(line(Prose(each["label"]), Badge(each["verdict"]), Prose(each["reason"])))
    main = {place for place, _ in main_lines(proof)}
    told, algebra = ([x for i, x in enumerate(found["steps"]) if (i in main) is kind] for kind in (True, False))
    more = [Fold(line(f"and {len(algebra)} lines of mere algebra"), (_lines(algebra),))] if algebra else []
    parts.append(Fold(line(f"The lines of the proof: {len(proof.steps)}"), (_lines(told), *more)))
    name = f"{script.id}, {script.called}"
    return View(plain(script.title), name, proof.verdict, tuple(_theorem(found)), tuple(parts))


def _theorem(found: dict[str, Any]) -> Iterator[Line]:
    """What is proved, and on what it rests; nothing of a proof that proves nothing."""
    if not found["conclusion"]:
        return
    yield line("proves", _formula(found["conclusion"], found["conclusion_latex"]))
    domains = [each["statement_latex"] for each in found["hypotheses"] if each["role"] == "domain"]
    if domains:
        yield line("given", Math(r" ,\; ".join(domains)), "(domain)")
    for each in found["hypotheses"]:
        if each["role"] != "domain":
            name = Prose(f"“{each['name']}”" if each["name"] != each["statement"] else "")
            yield line("given", _formula(each["statement"], each["statement_latex"]), f"({each['role']})", name)
    if not found["hypotheses"]:
        yield line("given nothing")
    if found["instance"]:
        yield line(found["instance"])


def _formula(text: str, latex: str) -> Cell:
    """A statement in LaTeX, or its text where that has none."""
    return text if latex == UNCLEAR else Math(latex)


def _lines(steps: Iterable[dict[str, Any]]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for each in steps:
        said: list[Cell] = [_formula(each["statement"], each["statement_latex"])]
        given = each["given"][:_GIVEN] + ([f"and {more} more"] if (more := len(each["given"]) - _GIVEN) > 0 else [])
        said += [f"given {'; '.join(given)}"] if given else []
        words = " ".join(filter(None, (each["meaning"], each["reason"])))
        said += [Prose(words)] if words else []
        rows.append((Prose(each["label"]), Badge(each["verdict"]), each["trust"], Stack(tuple(said))))
    return Table(("line", "verdict", "trust", "what it says"), rows)


def refutation(step: dict[str, Any]) -> Line:
    """A refuted line with its witness, in one line."""
    witness = step["witness"]
    sides = f"There the left side is {witness['left']} and the right side {witness['right']}."
    return line(
        Prose(step["label"]),
        Badge(step["verdict"]),
        Prose(f"{witness['about']}."),
        sides,
        Prose(_at(witness["numbers"])),
    )


def _at(numbers: Mapping[str, str]) -> str:
    return ", ".join(f"{in_prose(name)} = {value}" for name, value in numbers.items())


def step_view(judged: JudgedStep) -> View:
    """A line by itself: what its theorem says, and all that this rests on."""
    step, theorem = judged.step, judged.step.theorem
    open_ = theorem.hypotheses - ({theorem.conclusion} if judged.verdict != "proved" else set())
    display = shown(theorem.conclusion, *sorted(open_, key=str))
    says, *given = map(_formula, display.texts, display.latex)
    lines = (line(says), *(line("given", each) for each in given))
    said = [line(Prose(text)) for text in (step.meaning, judged.reason) if text]
    if step.witness and judged.verdict == "refuted":
        said.append(
            line("witness:", Prose(f"{step.witness.about}."), Prose(_at(numbers_at(theorem.fact, step.witness))))
        )
    name = f"trust: {judged.trust}" if judged.trust else ""
    return View(plain(step.label), name, judged.verdict, lines, tuple(said))


def frame_of(proofs: Iterable[JudgedProof]) -> pd.DataFrame:
    """One row a line, in the words of `step_as_json`; ``witness`` is what it is about, with both sides beside it."""
    import pandas as pd

    rows = [
        {"claim": proof.script.id, "version": proof.script.version, "proof": proof.verdict} | _row(proof, each)
        for proof in proofs
        for each in proof.steps
    ]
    return pd.DataFrame(rows)


def _row(proof: JudgedProof, judged: JudgedStep) -> dict[str, Any]:
    found = plainly(step_as_json(proof, judged))
    witness, numbers = found.pop("witness"), found.pop("does_not_follow_at")
    sides = {f"witness_{name}": witness and witness[name] for name in ("about", "left", "right")}
    where = plain(_at(numbers)) if numbers else None
    return found | {"given": "; ".join(found["given"])} | sides | {"does_not_follow_at": where}
