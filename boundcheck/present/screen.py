"""What commands show of claims and audits in a terminal, as parts of views; and the row of `claims
--json`.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import product
from typing import Any

from boundcheck.errors import InputError
from boundcheck.language import prose
from boundcheck.language.catalogue import about
from boundcheck.language.claim import Claim
from boundcheck.language.prose import typed
from boundcheck.language.sentence import algorithm_of, measure_of
from boundcheck.language.stated import has_worst_case
from boundcheck.language.view import (
    Badge,
    Column,
    Line,
    Part,
    Prose,
    Table,
    line,
    paragraph,
)
from boundcheck.proof.audit import Carrier, carrier, counted, standing, told
from boundcheck.proof.record import is_ours
from boundcheck.proof.statement import statement
from boundcheck.proof.view import findings_table
from boundcheck.shown import command
from boundcheck.verdicts import Look, amount, gravity, look_of, tally

# Numbers with which a claim is tried where one of its conditions does not take 1.
_NUMBERS = ("1", "100", "0.1", "0.01", "10", "10000")


def row(claim: Claim, name: str = "") -> dict[str, Any]:
    """The row of a claim in `boundcheck claims --json`, whose commands use the name that it was
    asked for by.
    """
    algorithm = algorithm_of(claim)
    measure = measure_of(claim)
    return prose.plainly(
        {
            "id": claim.id,
            "title": claim.title,
            "source": claim.source,
            "statement": _statement(claim),
            "statement_latex": claim.statement_latex,
            "definitions": [typed(each) for each in claim.definitions_latex],
            "definitions_latex": list(claim.definitions_latex),
            "hypotheses": [hypothesis.id for hypothesis in claim.hypotheses],
            "algorithm": algorithm.title if algorithm else "",
            "measure": measure.title if measure else "",
            "parameters": [parameter.name for parameter in claim.parameters],
            "note": claim.note,
            "proof": str(carrier(claim)),
            "verdict": standing(claim) if carrier(claim) is Carrier.KERNEL else "",
            "argument": claim.argument,
            "unproved": claim.unproved,
            "try": list(commands(claim, name)),
        }
    )


def catalogue_parts(claims: Collection[Claim]) -> tuple[Table, Line]:
    """A table of these claims by paper, a line for each, and how many of them each carrier has."""
    keys = [claim.id.partition(".")[0] for claim in claims]
    order = sorted(claims, key=lambda claim: keys.index(claim.id.partition(".")[0]))
    rows = [(claim.id, str(carrier(claim)), Prose(claim.title)) for claim in order]
    counts = ", ".join(f"{name}: {count}" for name, count in counted(claims).most_common())
    head = (Column("id", is_whole=True), "proof", "title")
    return Table(head, rows, most=None, in_lines=True), line(counts)


def claim_parts(claim: Claim, name: str = "", on_screen: bool = False) -> Iterator[Part]:
    """All that a claim says, what carries it, why there is no proof if there is none, and what to
    try.

    On a screen the commands stand by themselves: one that the table had folded could not be copied.
    """
    by = carrier(claim)
    algorithm = algorithm_of(claim)
    measure = measure_of(claim)
    said = [
        ("claim", claim.title),
        ("id", claim.id),
        ("source", claim.source),
        ("statement", _statement(claim)),
    ]
    for quantity, definition in zip(claim.quantities, claim.definitions_latex, strict=True):
        said.append(("where", f"{typed(definition)}: {quantity.meaning}"))
    setting = claim.setting
    if setting and setting.blocks:
        blocks = ", ".join(map(claim.latex, setting.blocks))
        function = typed(f"F({blocks}) = f({claim.latex(setting.weight)})")
        said.append(("where", f"v = ({typed(blocks)}), and {function}"))
    said += [("under", f"{each.id}, {each.title}: {_statement(each)}") for each in claim.hypotheses]
    if algorithm:
        steps = "; ".join(typed(claim.latex(each)) for each in algorithm.recurrence)
        said.append(("algorithm", f"{algorithm.title}: {steps}"))
    said.append(("measure", measure.title if measure else ""))
    for p in claim.parameters:
        letter = typed(claim.latex(p.symbol))
        called = f" ({letter})" if letter != p.name else ""
        said.append(("parameter", f"{p.name}{called}: {p.meaning}; a {p.domain}"))
    said += [("note", claim.note), ("proof", told(claim))]
    if by is Carrier.KERNEL or not is_ours(claim):
        said += _to_the_kernel(claim)
    said += [("argument", claim.argument), ("why no proof", claim.unproved)]
    tried = list(commands(claim, name))
    said += [] if on_screen else [("try", each) for each in tried]
    yield Table(("", ""), [(label, Prose(text)) for label, text in said if text], grouped=1)
    if on_screen and tried:
        yield from map(line, ("", "To go on:", *tried))


def _to_the_kernel(claim: Claim) -> Iterator[tuple[str, str]]:
    """What a claim says to the kernel, and which of its hypotheses say nothing, with the reason."""
    try:
        sequent = statement(claim)
    except InputError as error:
        yield "to the kernel", f"nothing: {error}"
        return
    yield "to the kernel", str(sequent.conclusion)
    for each in sequent.given:
        for text in dict.fromkeys(map(str, (*each.says, *each.further))):
            yield "from", f"{text} ({each.hypothesis.id})"
    for text in sorted({*map(str, sequent.beside)}):
        yield "from", text
    for id, why in sequent.unstated:
        yield "not from", f"{id}: {why}"


def _statement(claim: Claim) -> str:
    """The conclusion in letters that can be typed, its quantities by their names, and what it holds
    for.
    """
    parts = [
        claim.latex(claim.conclusion),
        claim.quantifier.latex,
        *map(claim.latex, claim.conditions),
    ]
    return ", ".join(filter(None, map(typed, parts)))


def commands(claim: Claim, name: str = "") -> Iterator[str]:
    """The commands that say more of a claim, as they are to be typed; a claim of your own needs its
    path as name.
    """
    called = name or claim.id
    if numbers := sample(claim):
        yield command(
            "bound",
            called,
            *(x for key, value in numbers.items() for x in ("--set", f"{key}={value}")),
        )
    if carrier(claim) in (Carrier.KERNEL, Carrier.SCRIPT):
        yield command("prove", called)
    if claim.quantities and (about(claim.id) or has_worst_case(claim)):
        yield command("falsify", called)


def sample(claim: Claim) -> dict[str, str]:
    """Numbers at which a claim says something, 1 where that will do; empty for a claim without
    quantities.

    At most two of them are not 1: a horizon that is long enough, and a step that is short enough.
    """
    ones = dict.fromkeys((parameter.name for parameter in claim.parameters), "1")
    free = set().union(*(condition.free_symbols for condition in claim.conditions))
    names = [parameter.name for parameter in claim.parameters if parameter.symbol in free]
    tries = [ones, *({**ones, name: number} for name in names for number in _NUMBERS[1:])]
    tries += [
        {**ones, first: x, second: y}
        for first, second in product(names, names)
        for x, y in product(_NUMBERS[1:], _NUMBERS[1:])
        if first < second
    ]
    for numbers in tries if claim.quantities else ():
        try:
            claim.values(**numbers)
        except InputError:
            continue
        return numbers
    return {}


def findings_parts(outcome: dict[str, Any]) -> Iterator[Part]:
    """What runs and attacks say, under the first table, whose columns these are, and the verdict in
    a paragraph.
    """
    # Those with a summary come from the proofs, and have been shown.
    rows = [each for each in outcome["findings"] if not each["summary"]]
    yield findings_table(
        ("", "", "", ""), ((x["number"], x["locator"], x["verdict"], x["evidence"]) for x in rows)
    )
    yield from map(paragraph, ("", outcome["summary"]))
    if outcome["adds"]:
        yield paragraph(f"--full adds: {outcome['adds']}.")
    yield paragraph(
        "--runs prints the verdict on every run, --json everything; the page has each finding"
        " whole."
    )


def ending(told: Iterable[tuple[str, str]], noun: str) -> Iterator[Line]:
    """The last lines of a command: the gravest of these verdicts, unless all is well, and how many
    there are of each.
    """
    found = sorted(told, key=lambda each: gravity(each[0]))
    for verdict, said in found[:1]:
        if look_of(verdict) not in (Look.WELL, Look.LIMIT, Look.ASIDE):
            yield line(Badge(verdict), Prose(said))
    yield line(f"{amount(len(found), noun)}: {tally(verdict for verdict, _ in found)}")
