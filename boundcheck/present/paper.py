"""The report on a paper: what its proofs, its experiments and the adversary's searches come to.

A paper's `report.py` may have `TITLE`, `LEAD`, `STATEMENTS` (the ids that the summary begins with),
`measured` (makes findings of what was measured) and `opening` (makes the opening of the page). For
a paper without one, the findings are the verdicts, claim by claim.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from unicodedata import normalize

from markupsafe import Markup

from boundcheck.errors import CodeError
from boundcheck.experiment.result import Results
from boundcheck.language.catalogue import catalogue, entries_of
from boundcheck.language.hypotheses import LEAST
from boundcheck.present.material import (
    REPORTS,
    Finding,
    Material,
    Search,
    StoredRun,
    Study,
    grouped,
    load_runs,
)
from boundcheck.present.opening import Opening, in_all, opening_of
from boundcheck.present.page import write_page
from boundcheck.present.programme import Attack, Programme
from boundcheck.present.words import label
from boundcheck.proof import ProofAudit
from boundcheck.proof.audit import standing
from boundcheck.proofs import Paper
from boundcheck.system.ending import say
from boundcheck.system.plugins import theirs
from boundcheck.verdicts import Verdict
from boundcheck.version import __version__
from boundcheck.worst_case.view import rounded_down


def write(
    paper: Paper,
    programme: Programme,
    proofs: ProofAudit,
    found: dict[str, list[Any]],
    out: Path,
    runs: Path,
    latex: bool = False,
) -> dict[str, Any]:
    """Write the report on what was found into `out`.

    Args:
        paper: whose report it is.
        programme: what was asked.
        proofs: the audit of the proofs.
        found: the answers, by the name of the part of the programme.
        out: the folder of the report.
        runs: the folder of the run folders.
        latex: write the folder ``latex`` for a paper too.

    Returns:
        The keys of `boundcheck audit --json`.

    """
    honest, faulty = (load_runs(Results(found[part], runs)) for part in ("experiments", "faults"))
    faults = [(words, run) for (words, _), run in zip(programme.faults, faulty, strict=True)]
    asked = zip(programme.attacks, found["attacks"], strict=True)
    searches = [
        _search(attack, answer, proofs) for attack, answer in asked if "refused" not in answer
    ]
    waterfalls = []
    if programme.waterfall:
        waterfalls.append((f"adversary's, rank {programme.waterfall[1]}", found["waterfall"][0]))
    if programme.reads_study:
        study = Study.read(REPORTS / paper.key / "statistics.json")
    else:
        cases = [
            case for part in found.get("worst_cases", []) if isinstance(part, list) for case in part
        ]
        study = Study([each for part in found.get("coverage", []) for each in part], cases)
    own = paper.part("report") or ModuleType("report")
    measured: list[Finding] | None = by_the_paper(
        own,
        "measured",
        "the findings are the verdicts instead",
        lambda made: list(made(honest, searches, study)),
    )
    if measured is None:
        last = max((each.row.number for each in proofs.rows), default=0)
        measured = [
            replace(each, number=last + i)
            for i, each in enumerate(_measured(honest, searches, study), 1)
        ]
    refused = [
        answer
        for part in ("attacks", "worst_cases")
        for answer in found.get(part, [])
        if "refused" in answer
    ]
    if refused and paper.part("programme") is not None:
        # What the paper asks for by itself, and does not get, is open.
        last = max(
            [*(each.number for each in measured), *(each.row.number for each in proofs.rows)],
            default=0,
        )
        for number, each in enumerate(refused, last + 1):
            told = f"The attack was refused: {each['refused']}."
            measured.append(Finding(number, f"{each['id']}, attacked", "unknown", told))
    material = Material(
        honest,
        measured,
        proofs,
        searches,
        waterfalls,
        study,
        faults,
        command=programme.command,
        paper=paper.folder,
    )
    adds = (
        f" This is the short report. With --full it has more: {programme.adds}."
        if programme.adds
        else ""
    )
    title = getattr(own, "TITLE", f"{paper.key}, audited")
    lead = getattr(
        own,
        "LEAD",
        f"The claims of {paper.key}: their proofs line by line, and what runs and attacks say.",
    )
    known = [each.id for each in proofs.claims]
    listed = paper.listed("report", "STATEMENTS", "ids of claims with proofs", known.__contains__)
    statements = {id: f"{proofs[id].title}: {proofs[id].verdict}" for id in listed}
    summary = _summary(list(statements.values()), material, refused)
    opening: Opening | None = by_the_paper(
        own, "opening", "the page begins as others do", lambda made: made(material)
    )
    files = write_page(
        material,
        out / "index.html",
        title,
        lead + adds,
        source=_source(paper),
        opening=opening or opening_of(material, summary),
        latex=latex,
    )
    beside = material.told_as_json
    return {
        "summary": summary,
        "findings": beside["findings"],
        "report": str(files[0]),
        "runs": [_told(run) for run in honest],
        "faults": [{"planted": words} | _told(run) for words, run in faults],
        "searches": beside["searches"],
        "adds": programme.adds,
    } | ({"not_attacked": refused} if refused else {})


# The accents of BibTeX.
_ACCENTS = dict(zip("'`^\"~", "\u0301\u0300\u0302\u0308\u0303", strict=True))


def _in_letters(text: str) -> str:
    """A field of BibTeX in letters, with its accents and without braces."""
    accented = re.sub(
        r"\\(['`^\"~])\{?(\w)\}?", lambda x: normalize("NFC", x[2] + _ACCENTS[x[1]]), text
    )
    return re.sub(r"[{}\\]", "", accented).replace("--", "–")


def _source(paper: Paper) -> Markup:
    """Who wrote a paper, where it appeared, when, and its address, as far as its `sources.bib` says
    so; and what audited it.
    """
    entry = next((each.text for each in entries_of(paper) if each.key == paper.key), "")
    told = {name: _in_letters(text) for name, text in re.findall(r"(\w+)\s*=\s*\{(.*)\}", entry)}
    address = told.get("url") or (f"https://doi.org/{told['doi']}" if "doi" in told else "")
    where = told.get("booktitle") or told.get("journal")
    words = [told.get("author", "").replace(" and ", "; "), where, told.get("year")]
    said = [Markup("{}.").format(", ".join(filter(None, words)))] if entry else []
    if address.startswith("https://"):
        said.append(Markup('<a href="{0}">{0}</a>').format(address))
    return Markup(" ").join([*said, f"Audited by boundcheck {__version__}."])


def by_the_paper(own: ModuleType, name: str, instead: str, call: Callable[[Any], Any]) -> Any:
    """What a function of the paper's own report comes to; None if there is none, or if it fails,
    which stderr says.
    """
    if not hasattr(own, name):
        return None
    try:
        with theirs():
            return call(getattr(own, name))
    except CodeError as error:
        say(f"{name} of the paper's report.py failed, and {instead}: {error}")
        return None


def _told(run: StoredRun) -> dict[str, Any]:
    """The row of a run in `boundcheck audit --json`."""
    row = run.result.as_json()
    return {key: row.get(key) for key in ("run_id", "claim", "verdict", "reason", "blame")}


def _summary(statements: list[str], material: Material, refused: list[dict[str, str]]) -> str:
    """The verdict in a paragraph."""
    said = []
    if statements:
        said.append(
            f"{', '.join(statements)} (repaired: the statement is true, by another proof than the"
            " printed one)."
        )
    rows = [row.verdict for row in material.proofs.rows] if material.proofs else []
    for one, many, verdicts in (
        ("finding from the proofs", "findings from the proofs", rows),
        ("run", "runs", [run.verdict for run in material.runs]),
        (
            "run with a planted fault",
            "runs with a planted fault",
            [run.verdict for _, run in material.faults],
        ),
    ):
        said += [in_all(one, many, verdicts)] if verdicts else []
    if material.searches:
        broken = ", ".join(each["label"] for each in material.searches if each["violated"])
        found = f"counterexamples to {broken}" if broken else "no counterexample"
        said.append(f"The search attacked {len(material.searches)} bounds and found {found}.")
    attacked = {each["id"] for each in material.searches} | {
        case.claim for case in material.study.worst_cases
    }
    if left := [id for id in dict.fromkeys(each["id"] for each in refused) if id not in attacked]:
        said.append(f"Nothing attacks {', '.join(left)}.")
    return " ".join(said) or "There was nothing to prove, to run or to attack."


def _search(attack: Attack, answer: dict[str, Any], proofs: ProofAudit) -> Search:
    """The adversary's findings on a claim, with what the page says of the claim."""
    id = attack.claim
    lipschitz = attack.lipschitz
    verdicts = {claim.id: claim.verdict for claim in proofs.claims}
    return answer | {
        "label": label(id, lipschitz),
        "argument": catalogue[id].argument,
        "unproved": catalogue[id].unproved,
        "lipschitz": lipschitz,
        "file": f"instances/{id}{'' if lipschitz == LEAST else '.sqrt_r'}.json",
        "drawn": attack.is_drawn,
        "curve": {str(rank): attack.curve(rank) for rank in attack.ranks} if attack.curve else {},
        "proof": verdicts.get(id, standing(catalogue[id])),
    }


def _measured(runs: list[StoredRun], searches: list[Search], study: Study) -> list[Finding]:
    """Findings on each claim: what its runs say, what its search found, and how near to its bound
    the worst case is.
    """
    found = []
    for id, of_it in grouped(runs, lambda run: run.result.claim).items():
        each = "; ".join(
            f"{run.title}: {run.verdict}, measured {run.numbers.measured} against"
            f" {run.numbers.bound}"
            for run in of_it
        )
        told = f"{in_all('run', 'runs', [run.verdict for run in of_it])} {each}."
        found.append(
            Finding(0, catalogue[id].title, Verdict.gravest(run.verdict for run in of_it), told)
        )
    for search in searches:
        told = (
            "The largest ratio of measured over bound that was found is"
            f" {rounded_down(search['ratio'], 5)}."
        )
        found.append(_attacked(search["id"], search["violated"], told))
    for id, solved in grouped(study.worst_cases, lambda case: case.claim).items():
        ratios = ", ".join(f"{case.ratio:.0%} at T = {case.steps}" for case in solved)
        told = (
            f"The worst case over all smooth F is {ratios} of the bound, by a numerical solution."
        )
        if solved[0].larger:
            told += (
                f" They are a larger class, of which is not asked: {', '.join(solved[0].larger)}."
            )
        smaller = dict.fromkeys(why for case in solved for why in case.smaller)
        told += "".join(f" It has no upper end over a smaller class: {why}." for why in smaller)
        told += "".join(
            f" At T = {case.steps}: {case.objection}." for case in solved if case.objection
        )
        found.append(_attacked(id, any(case.violated for case in solved), told))
    return found


def _attacked(id: str, violated: bool, told: str) -> Finding:
    return Finding(
        0, f"{catalogue[id].title}, attacked", "violated" if violated else "not violated", told
    )
