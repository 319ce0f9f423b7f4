"""The search's result, and the worst cases of a theorem, for a terminal."""

import math
from collections.abc import Sequence
from pathlib import Path

from rich.console import JustifyMethod
from rich.table import Column

from boundcheck.exact.digits import DOWN, UP, Toward, rounded, shown, telling
from boundcheck.exact.floats import Comparison
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import T, toward
from boundcheck.system.terminal import Table
from boundcheck.worst_case.certify import Certificate
from boundcheck.worst_case.search import REACHED, Falsification
from boundcheck.worst_case.stored import Tried
from boundcheck.worst_case.worst_case import WorstCase

_JUSTIFY: tuple[JustifyMethod, ...] = ("right", "left", "right", "right")
# More decimals say nothing about a float.
_ENORMOUS = 1e15


def rounded_down(ratio: float, decimals: int) -> str:
    """A certified lower bound at so many decimals, rounded down, so that 0.99999 is not printed as 1.00.

    From 1e15 on it has five digits and an exponent.
    """
    if ratio >= _ENORMOUS:
        return shown(ratio, 5, DOWN)
    return str(rounded(ratio, -decimals, DOWN))


def told_apart(compared: Comparison, digits: int) -> tuple[str, str]:
    """The measured value and the bound of an instance, at as many digits as show which is larger."""
    measured, bound = compared.measured.value, compared.bound.value
    many = telling(bound, (measured, Toward.NEAREST), digits=digits)
    return shown(measured, many), shown(bound, many, UP)


def rank_table(found: Falsification) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and rows of the table of the tightest instance at each rank."""
    rows: list[tuple[str, ...]] = [
        (
            str(row.rank),
            ", ".join(f"{name} = {value:g}" for name, value in row.constants.items()),
            rounded_down(row.ratio, 6),
            f"{row.share:.0%}",
        )
        for row in found.rows
    ]
    return ("rank", "at", "measured / bound", f"starts that reach {REACHED}"), rows


def conclusion(found: Falsification) -> list[str]:
    """The result of a search in words, a sentence a line."""
    structures, largest = found.explored
    lines = []
    if structures:
        lines.append(f"Over {structures} other shapes, ranks and constants the largest was {rounded_down(largest, 6)}.")
    ratio = rounded_down(found.ratio, 6)
    if found.violated:
        return [*lines, f"VIOLATED: an instance exceeds the bound, certified with Arb; ratio {ratio}."]
    if found.open:
        return [*lines, f"Not violated. {candidate(found.open)} The certified ratio is {ratio}."]
    return [*lines, f"Not violated. The best instance, shrunk, has the certified ratio {ratio}."]


def candidate(open_: Sequence[str]) -> str:
    """The sentence on an instance that exceeds the bound and is only a candidate: it names what is open in it."""
    asked = ", ".join(f"‘{title}’" for title in open_)
    return f"An instance exceeds the bound, and is a candidate alone: nothing says whether {asked} holds in it."


def show(found: Falsification, path: Path) -> list[Table | str]:
    """A table of the tightest instance at each rank, and the conclusion in words."""
    heads, rows = rank_table(found)
    columns = (Column(head, justify=side, overflow="fold") for head, side in zip(heads, _JUSTIFY, strict=True))
    table = Table(*columns, title=f"{found.id}: tightest instance at each rank")
    for row in rows:
        table.add(*row)
    return [table, *conclusion(found), f"Instance: {path}"]


def show_replay(instance: Tried, found: Certificate) -> list[Table | str]:
    """A stored instance, judged again."""
    verdict, compared = "violated" if found.violated else "not violated", instance.compare()
    sides = "measured {}, bound {}".format(*told_apart(compared, 9))
    ratio = "no finite ratio" if found.lower == math.inf else f"ratio at least {rounded_down(found.lower, 9)}"
    claim = instance.claim
    said = f"{claim.id} on {instance.title}: {sides}, certified {ratio}: {verdict}."
    said += f" {candidate(found.open)}" if found.open else ""
    return [said] if claim.id in catalogue else [_said(claim), said]


def _said(claim: Claim) -> str:
    """The statement of a claim outside the catalogue, because its id may be any name."""
    derived = {quantity.symbol: quantity.expression for quantity in claim.quantities[-1:]}
    given = [*(hypothesis.conclusion for hypothesis in claim.hypotheses), *claim.conditions]
    text = str(claim.conclusion.xreplace(derived)) + (f", given {', '.join(map(str, given))}" if given else "")
    # Letters that look like others are written out.
    return f"A claim of the file's own, which the catalogue does not have: {ascii(text)[1:-1]}."


def worst_table(cases: Sequence[WorstCase]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and rows of the table of the worst case beside the bound at each T."""
    varied = [name for name in _letters(cases) if name not in _same(cases)]
    heads = (T.name, *varied, "step", "bound", "solver", "solver / bound", "at least", "at most")
    rows = []
    for case in cases:
        inputs = (shown(case.inputs[name], 6, toward(name)) for name in varied)
        numbers = (shown(case.bound, 6, UP), shown(case.numerical, 6), shown(case.ratio, 6))
        rows.append((str(case.steps), *inputs, shown(case.step, 6), *numbers, *case.ends))
    return heads, rows


def _letters(cases: Sequence[WorstCase]) -> list[str]:
    return [name for name in cases[0].inputs if name != T.name]


def _same(cases: Sequence[WorstCase]) -> list[str]:
    """The letters that have one value in all cases."""
    return [name for name in _letters(cases) if len({case.inputs[name] for case in cases}) == 1]


def worst_conclusion(cases: Sequence[WorstCase]) -> list[str]:
    """The constants of the cases, how sure the cases are, and what they come to, a sentence a line."""
    first = cases[0]
    lines = ["At " + ", ".join(f"{name} = {shown(first.inputs[name], 6, toward(name))}" for name in _same(cases)) + "."]
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
    lines.append(f"{said}.")
    if first.larger:
        asked = ", ".join(f"‘{title}’" for title in first.larger)
        lines.append(
            f"The worst is over a larger class: {asked} {'is' if len(first.larger) == 1 else 'are'} not asked of F."
        )
    for why in dict.fromkeys(why for case in cases for why in case.smaller):
        lines.append(f"The worst is over a smaller class, which says nothing of the others: {why}.")
    largest = max(case.ratio for case in cases)
    if any(case.violated for case in cases):
        return [*lines, f"VIOLATED: an instance among all smooth F exceeds the bound, exactly; ratio {largest:.6g}."]
    objections = dict.fromkeys(case.objection for case in cases if case.objection)
    if objections:
        lines.append(f"An instance exceeds the bound, but says nothing against the claim: {'; '.join(objections)}.")
    return [*lines, f"Not violated at these T. The largest ratio is {largest:.6g}."]


def show_worst_cases(cases: Sequence[WorstCase]) -> list[Table | str]:
    """A table of the worst case beside the bound at each T, and in words its constants and how sure it is."""
    heads, rows = worst_table(cases)
    columns = (Column(head, justify="right", overflow="fold") for head in heads)
    table = Table(*columns, title=worst_title(cases))
    for row in rows:
        table.add(*row)
    return [table, *worst_conclusion(cases)]


def worst_title(cases: Sequence[WorstCase]) -> str:
    """The title of the table of worst cases."""
    return f"{cases[0].claim}: worst case of {cases[0].method} over all smooth F"
