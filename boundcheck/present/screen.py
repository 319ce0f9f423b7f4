"""Runs and audits in a terminal. On a screen an audit has one line for each finding, of at most 100 signs."""

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Column

from boundcheck.experiment.result import GradientRatio
from boundcheck.language import prose
from boundcheck.proof.audit import JudgedRow
from boundcheck.system.terminal import Table, coloured
from boundcheck.verdicts import Verdict

WIDTH = 100


def show_rows(rows: Sequence[JudgedRow], console: Console) -> None:
    """Print the referee's table, as the proofs establish it."""
    table = _table("no.", "where", "verdict", "finding, from the proofs")
    for each in rows:
        row = each.row
        where, finding = prose.plain(row.locator), prose.plain(each.finding)
        more = prose.plain(" ".join((*each.notes, each.evidence)))
        _add(table, console, row.number, where, each.verdict, finding, more)
    console.print(table, width=_width(console))


def show_findings(outcome: dict[str, Any], console: Console) -> None:
    """Print what runs and attacks say, and the verdict in a paragraph."""
    # Under the first table, whose columns these are.
    table = _table("no.", "where", "verdict", "finding, from runs and attacks", header=False)
    for each in outcome["findings"]:
        # Those with a summary come from the proofs, and have been shown.
        if not each["summary"]:
            _add(table, console, each["number"], each["locator"], each["verdict"], each["evidence"])
    width = _width(console)
    console.print(table, width=width)
    console.print(f"\n{outcome['summary']}", width=width, markup=False)
    if outcome["adds"]:
        console.print(f"--full adds: {outcome['adds']}.", width=width, markup=False)
    console.print("--runs prints the verdict on every run, --json everything; the page has each finding whole.")


def show_verdicts(results: Sequence[dict[str, Any]], console: Console) -> None:
    """Print the verdict on each run, who is to blame, why, and the largest gradient ratio that was seen."""
    table = Table("run", "claim", "verdict", "to blame", "reason", "gradient ratio")
    for result in results:
        blame = result.get("blame")
        who = f"{blame['kind']} {blame['name']}" if blame else ""
        ratio = GradientRatio(**found) if (found := result.get("gradient_ratio")) else "–"
        table.add(result["run_id"], result["claim"], coloured(result["verdict"]), who, result["reason"], ratio)
    console.print(table)


def _width(console: Console) -> int | None:
    return min(console.width, WIDTH) if console.is_interactive else None


def _table(no: str, where: str, verdict: str, finding: str, header: bool = True) -> Table:
    return Table(
        Column(no, justify="right", no_wrap=True, width=3),
        Column(where, no_wrap=True, overflow="ellipsis", width=28),
        # A verdict is never cut: without its last word it may be another one.
        Column(verdict, width=max(len(word) for each in Verdict for word in each.split())),
        Column(finding, no_wrap=True, overflow="ellipsis", ratio=1),
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1),
        expand=True,
        show_edge=False,
        show_header=header,
    )


def _add(table: Table, console: Console, number: int, where: str, verdict: str, text: str, more: str = "") -> None:
    """Add the line of a finding: on a screen its first sentence, elsewhere all that is said of it."""
    head, stop, _ = text.partition(". ")
    shown = head + stop.strip() if console.is_interactive else f"{text} {more}".strip()
    table.add(number, where, coloured(verdict), shown)
