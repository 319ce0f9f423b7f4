"""The search's result, and the worst cases of a theorem, for a terminal."""

import math
from collections.abc import Sequence
from decimal import ROUND_FLOOR, Context, Decimal
from pathlib import Path

from rich.table import Column

from boundcheck.claims import Claim, catalogue
from boundcheck.claims.symbols import T
from boundcheck.falsify.certify import Certificate
from boundcheck.falsify.search import REACHED, Falsification
from boundcheck.falsify.stored import Tried
from boundcheck.falsify.worst_case import WorstCase
from boundcheck.terminal import Table

# More decimals say nothing about a float.
_ENORMOUS = 1e15


def rounded_down(ratio: float, decimals: int) -> str:
    """A certified lower bound at so many decimals, rounded down, so that 0.99999 is not printed as 1.00.

    From 1e15 on it has five digits and an exponent.
    """
    if ratio >= _ENORMOUS:
        return f"{Context(prec=5, rounding=ROUND_FLOOR).create_decimal(ratio):e}"
    return str(Decimal(ratio).quantize(Decimal(1).scaleb(-decimals), ROUND_FLOOR))


def show(found: Falsification, path: Path) -> list[Table | str]:
    """A table of the tightest instance at each rank, and the conclusion in words."""
    numbers = (_number("measured / bound"), _number(f"starts that reach {REACHED}"))
    table = Table(_number("rank"), "at", *numbers, title=f"{found.id}: tightest instance at each rank")
    for row in found.rows:
        at = ", ".join(f"{name} = {value:g}" for name, value in row.constants.items())
        table.add(row.rank, at, rounded_down(row.ratio, 6), f"{row.share:.0%}")
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


def show_replay(instance: Tried, found: Certificate) -> list[Table | str]:
    """A stored instance, judged again."""
    verdict, compared = "violated" if found.violated else "not violated", instance.compare()
    sides = f"measured {compared.measured.value:.9g}, bound {compared.bound.value:.9g}"
    ratio = "no finite ratio" if found.lower == math.inf else f"ratio at least {rounded_down(found.lower, 9)}"
    claim = instance.claim
    said = f"{claim.id} on {instance.title}: {sides}, certified {ratio}: {verdict}."
    return [said] if claim.id in catalogue else [_said(claim), said]


def _said(claim: Claim) -> str:
    """The statement of a claim outside the catalogue, because its id may be any name."""
    derived = {quantity.symbol: quantity.expression for quantity in claim.quantities[-1:]}
    given = [*(hypothesis.conclusion for hypothesis in claim.hypotheses), *claim.conditions]
    text = str(claim.conclusion.xreplace(derived)) + (f", given {', '.join(map(str, given))}" if given else "")
    # Letters that look like others are written out.
    return f"A claim of the file's own, which the catalogue does not have: {ascii(text)[1:-1]}."


def _number(heading: str) -> Column:
    return Column(heading, justify="right", overflow="fold")


def show_worst_cases(cases: Sequence[WorstCase]) -> list[Table | str]:
    """A table of the worst case beside the bound at each T, and in words at what constants and how sure it is."""
    first = cases[0]
    names = [name for name in first.inputs if name != T.name]
    same = [name for name in names if len({case.inputs[name] for case in cases}) == 1]
    varied = [name for name in names if name not in same]
    columns = (T.name, *varied, "step", "bound", "solver", "solver / bound", "at least", "at most")
    table = Table(*map(_number, columns), title=f"{first.claim}: worst case of {first.method} over all smooth F")
    for case in cases:
        numbers = (*(case.inputs[name] for name in varied), case.step, case.bound, case.numerical, case.ratio)
        table.add(case.steps, *(f"{number:.6g}" for number in numbers), *case.ends)
    lines: list[Table | str] = [
        table,
        "At " + ", ".join(f"{name} = {first.inputs[name]:.6g}" for name in same) + ".",
    ]
    gap = max(case.duality_gap for case in cases)
    said = (
        f"Solver: the worst case, numerical (Clarabel, relative duality gap about {gap:.0e}); at least: the measure of "
        "a rational instance, checked exactly; at most: by rational multipliers, a theorem of the kernel"
    )
    if first.has_noise:
        said += (
            f"; of {first.algorithm} they are for noise of two equally likely points, hence a lower bound on the worst "
            "case over all noise of that variance"
        )
    said = "; ".join([said, *dict.fromkeys(f"at T = {case.steps} {why}" for case in cases for why in case.without)])
    largest = max(case.ratio for case in cases)
    if any(case.violated for case in cases):
        return [
            *lines,
            f"{said}.",
            f"VIOLATED: an instance among all smooth F exceeds the bound, exactly; ratio {largest:.6g}.",
        ]
    return [*lines, f"{said}.", f"Not violated at these T. The largest ratio is {largest:.6g}."]
