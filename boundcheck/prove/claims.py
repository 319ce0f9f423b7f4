"""How the command line shows the catalogue: a row for each claim, or one claim whole, each with what carries it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rich.console import Console
from rich.text import Text

from boundcheck.claims import Claim
from boundcheck.prove.carried import Carrier, carrier, counted
from boundcheck.prove.fixed import fixed_statements
from boundcheck.terminal import Table


def row(claim: Claim) -> dict[str, Any]:
    """A claim in `boundcheck claims --json`."""
    return {
        "id": claim.id,
        "title": claim.title,
        "source": claim.source,
        "statement_latex": claim.statement_latex,
        "hypotheses": [hypothesis.id for hypothesis in claim.hypotheses],
        "parameters": [parameter.name for parameter in claim.parameters],
        "proof": str(carrier(claim)),
        "argument": claim.argument,
        "unproved": claim.unproved,
    }


def show_catalogue(claims: Collection[Claim], console: Console) -> None:
    """Print a table of these claims, and how many of them each carrier has."""
    table = Table("id", "title", "source", "proof")
    for claim in claims:
        table.add(claim.id, claim.title, claim.source, carrier(claim))
    console.print(table)
    console.print(", ".join(f"{name}: {count}" for name, count in counted(claims).most_common()), markup=False)


def show_claim(claim: Claim, console: Console) -> None:
    """Print everything that a claim says, what carries it, and why no proof does where none does."""
    by = carrier(claim)
    said = [
        ("statement", claim.statement_latex),
        *(("where", each) for each in claim.definitions_latex),
        *(("under", f"{each.id}: {each.title}") for each in claim.hypotheses),
        ("note", claim.note),
        ("proof", by),
        ("proved", fixed_statements()[claim.id].text if by is Carrier.KERNEL else ""),
        ("argument", claim.argument),
        ("why no proof", claim.unproved),
    ]
    console.print(f"{claim.title} ({claim.id}; {claim.source})", soft_wrap=True, markup=False)
    for name, text in said:
        if text:
            console.print(Text(" ").join([Text(name, "bold"), Text(text)]), soft_wrap=True)
