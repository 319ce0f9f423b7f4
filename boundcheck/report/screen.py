"""What a person sees on the screen of runs and audits; of an audit a line for each finding, within 100 x 40."""

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from boundcheck.claims import prose
from boundcheck.prove.rows import JudgedRow
from boundcheck.terminal import coloured
from boundcheck.verdicts import Verdict

WIDTH = 100


def show_rows(rows: Sequence[JudgedRow], console: Console) -> None:
    """The referee's table, as the proofs establish it."""
    table = _table("no.", "where", "verdict", "finding, from the proofs")
    for each in rows:
        row = each.row
        _add(table, row.number, prose.plain(row.locator), each.verdict, prose.plain(row.finding))
    console.print(table, width=min(console.width, WIDTH))


def show_findings(outcome: dict[str, Any], console: Console) -> None:
    """What runs and attacks say, and the verdict in a paragraph."""
    # Under the first table, whose columns these are.
    table = _table("no.", "where", "verdict", "finding, from runs and attacks", header=False)
    for each in outcome["findings"]:
        # Those with a summary come from the proofs, and have been shown.
        if not each["summary"]:
            _add(table, each["number"], each["locator"], each["verdict"], each["evidence"])
    width = min(console.width, WIDTH)
    console.print(table, width=width)
    console.print(f"\n{outcome['summary']}", width=width, markup=False)
    if outcome["adds"]:
        console.print(f"--full adds: {outcome['adds']}.", width=width, markup=False)
    console.print("--runs prints the verdict on every run, --json everything.")


def show_verdicts(results: Sequence[dict[str, Any]], console: Console) -> None:
    """The verdict on each run, who is to blame, and why."""
    table = Table("run", Column("claim", overflow="fold"), "verdict", Column("to blame", overflow="fold"), "reason")
    for result in results:
        blame = result.get("blame")
        who = f"{blame['kind']} {blame['name']}" if blame else ""
        cells = (escape(str(cell)) for cell in (result["run_id"], result["claim"]))
        table.add_row(*cells, coloured(result["verdict"]), escape(who), escape(result["reason"]))
    console.print(table)


def _table(*columns: str, header: bool = True) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), expand=True, show_edge=False, show_header=header)
    no, where, verdict, finding = columns
    table.add_column(no, justify="right", no_wrap=True, width=3)
    table.add_column(where, no_wrap=True, overflow="ellipsis", width=28)
    # A verdict is never cut: without its last word it may be another one.
    table.add_column(verdict, width=max(len(word) for each in Verdict for word in each.split()))
    table.add_column(finding, no_wrap=True, overflow="ellipsis", ratio=1)
    return table


def _add(table: Table, number: int, where: str, verdict: str, text: str) -> None:
    """A line with the first sentence of a text."""
    head, stop, _ = text.partition(". ")
    table.add_row(str(number), escape(where), coloured(verdict), escape(head + stop.strip()))
