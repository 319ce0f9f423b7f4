"""The catalogue on the command line: a row for each claim; or one claim whole, and what to do with it next."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import product
from typing import Any

from rich.console import Console

from boundcheck.errors import InputError
from boundcheck.language import prose
from boundcheck.language.catalogue import about
from boundcheck.language.claim import Claim
from boundcheck.language.prose import typed
from boundcheck.language.sentence import algorithm_of, measure_of
from boundcheck.proof.audit import Carrier, carrier, counted, standing, told
from boundcheck.proof.script import fixed_statements
from boundcheck.shown import command
from boundcheck.system.terminal import Table
from boundcheck.worst_case.worst_case import has_worst_case

# Numbers with which a claim is tried where one of its conditions does not take 1.
_NUMBERS = ("1", "100", "0.1", "0.01", "10", "10000")


def row(claim: Claim, name: str = "") -> dict[str, Any]:
    """The row of a claim in `boundcheck claims --json`, whose commands use the name that it was asked for by."""
    algorithm, measure = algorithm_of(claim), measure_of(claim)
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


def show_catalogue(claims: Collection[Claim], console: Console) -> None:
    """Print a table of these claims, and how many of them each carrier has."""
    table = Table("id", "title", "source", "proof")
    for claim in claims:
        table.add(claim.id, prose.plain(claim.title), prose.plain(claim.source), carrier(claim))
    console.print(table)
    console.print(", ".join(f"{name}: {count}" for name, count in counted(claims).most_common()), markup=False)


def show_claim(claim: Claim, console: Console, name: str = "") -> None:
    """Print all that a claim says, what carries it, why there is no proof if there is none, and what to try."""
    table = Table("", "", show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    before, tried = "", list(commands(claim, name))
    for label, text in (*_said(claim), *(("try", each) for each in tried if not console.is_interactive)):
        if text:
            table.add("" if label == before and console.is_interactive else label, prose.plain(text))
            before = label
    console.print(table)
    if console.is_interactive and tried:
        # A command that the table had folded could not be copied.
        console.print("\n".join(["\nTo go on:", *tried]), soft_wrap=True, markup=False, highlight=False)


def _said(claim: Claim) -> Iterator[tuple[str, str]]:
    by, algorithm, measure = carrier(claim), algorithm_of(claim), measure_of(claim)
    yield from (("claim", claim.title), ("id", claim.id), ("source", claim.source), ("statement", _statement(claim)))
    for quantity, definition in zip(claim.quantities, claim.definitions_latex, strict=True):
        yield "where", f"{typed(definition)}: {quantity.meaning}"
    for each in claim.hypotheses:
        yield "under", f"{each.id}, {each.title}: {_statement(each)}"
    if algorithm:
        yield "algorithm", f"{algorithm.title}: {'; '.join(typed(claim.latex(each)) for each in algorithm.recurrence)}"
    yield "measure", measure.title if measure else ""
    for p in claim.parameters:
        letter = typed(claim.latex(p.symbol))
        yield "parameter", f"{p.name}{f' ({letter})' if letter != p.name else ''}: {p.meaning}; a {p.domain}"
    yield from (("note", claim.note), ("proof", told(claim)))
    if by is Carrier.KERNEL:
        # From the kernel's own text, and not from the statement above.
        yield "proved", fixed_statements()[claim.id].text
        yield from (("proved from", text) for text in fixed_statements()[claim.id].given)
    yield from (("argument", claim.argument), ("why no proof", claim.unproved))


def _statement(claim: Claim) -> str:
    """The conclusion in letters that can be typed, its quantities by their names, and what it holds for."""
    parts = [claim.latex(claim.conclusion), claim.quantifier, *map(claim.latex, claim.conditions)]
    return ", ".join(filter(None, map(typed, parts)))


def commands(claim: Claim, name: str = "") -> Iterator[str]:
    """The commands that say more of a claim, as they are to be typed; a claim of your own needs its path as name."""
    called = name or claim.id
    if numbers := sample(claim):
        yield command("bound", called, *(x for key, value in numbers.items() for x in ("--set", f"{key}={value}")))
    if carrier(claim) in (Carrier.KERNEL, Carrier.SCRIPT):
        yield command("prove", called)
    if claim.quantities and (about(claim.id) or has_worst_case(claim)):
        yield command("falsify", called)


def sample(claim: Claim) -> dict[str, str]:
    """Numbers at which a claim says something, 1 where that will do; empty for a claim without quantities.

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
    return next((each for each in tries if claim.quantities and _says(claim, each)), {})


def _says(claim: Claim, numbers: dict[str, str]) -> bool:
    try:
        claim.values(**numbers)
    except InputError:
        return False
    return True
