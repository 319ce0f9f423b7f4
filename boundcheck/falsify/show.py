"""What the search found, for a terminal."""

from decimal import ROUND_FLOOR, Decimal
from pathlib import Path

from rich.table import Table

from boundcheck.falsify.certify import Certificate
from boundcheck.falsify.instance import Instance
from boundcheck.falsify.search import REACHED, Falsification


def rounded_down(ratio: float, decimals: int) -> str:
    """A certified lower bound at so many decimals: never a digit above it, so that 0.99999 is not printed as 1.00."""
    return str(Decimal(ratio).quantize(Decimal(1).scaleb(-decimals), ROUND_FLOOR))


def show(found: Falsification, path: Path) -> list[Table | str]:
    """A table of the tightest instance at each rank, and what follows from it in words."""
    table = Table(title=f"{found.id}: tightest instance at each rank", title_justify="left")
    table.add_column("rank", justify="right")
    table.add_column("at")
    table.add_column("measured / bound", justify="right")
    table.add_column(f"starts that reach {REACHED}", justify="right")
    for row in found.rows:
        at = ", ".join(f"{name} = {value:g}" for name, value in row.constants.items())
        table.add_row(str(row.rank), at, rounded_down(row.ratio, 6), f"{row.share:.0%}")
    structures, largest = found.explored
    lines: list[Table | str] = [table]
    if structures:
        lines.append(f"Over {structures} other shapes, ranks and constants the largest was {rounded_down(largest, 6)}.")
    ratio = rounded_down(found.ratio, 6)
    if found.violated:
        lines.append(f"VIOLATED: an instance exceeds the bound, certified with Arb; ratio {ratio}.")
    else:
        lines.append(f"Not violated. The best instance, shrunk, has the certified ratio {ratio}.")
    return [*lines, f"Instance: {path}"]


def show_replay(instance: Instance, found: Certificate) -> list[Table | str]:
    """A stored instance, judged again."""
    verdict = "violated" if found.violated else "not violated"
    sides = f"measured {instance.measured:.9g}, bound {instance.bound:.9g}"
    ratio = f"certified ratio at least {rounded_down(found.lower, 9)}"
    return [f"{instance.claim.id} on {instance.adapter.title}: {sides}, {ratio}: {verdict}."]
