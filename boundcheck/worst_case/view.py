"""Views of searches, replayed instances and worst cases."""

import math
from collections.abc import Sequence
from typing import Any

from boundcheck.exact.digits import DOWN, UP, Toward, rounded, shown, telling
from boundcheck.exact.floats import Comparison
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import T, toward
from boundcheck.language.view import (
    Fold,
    Math,
    Part,
    Table,
    View,
    line,
    numeric,
    view_of,
)
from boundcheck.system.tables import fields_of
from boundcheck.worst_case.search import REACHED, Falsification
from boundcheck.worst_case.stored import Replay
from boundcheck.worst_case.worst_case import Case, WorstCases

# More decimals say nothing about a float.
_ENORMOUS = 1e15


def rounded_down(ratio: float, decimals: int) -> str:
    """A certified lower bound at so many decimals, rounded down, so that 0.99999 is not printed as
    1.00.

    From 1e15 on it has five digits and an exponent.
    """
    if ratio >= _ENORMOUS:
        return shown(ratio, 5, DOWN)
    return str(rounded(ratio, -decimals, DOWN))


def told_apart(compared: Comparison, digits: int) -> tuple[str, str]:
    """The measured value and the bound of an instance, at as many digits as show which is
    larger.
    """
    measured = compared.measured.value
    bound = compared.bound.value
    many = telling(bound, (measured, Toward.NEAREST), digits=digits)
    return shown(measured, many), shown(bound, many, UP)


def candidate(open_: Sequence[str]) -> str:
    """The sentence on an instance that exceeds the bound and is only a candidate: it names what is
    open in it.
    """
    asked = ", ".join(f"‘{title}’" for title in open_)
    return (
        f"An instance exceeds the bound, and is a candidate alone: nothing says whether {asked}"
        " holds in it."
    )


def _verdict(violated: bool) -> str:
    return "violated" if violated else "not violated"


def _title(claim: Claim) -> str:
    return claim.title if claim.id in catalogue else f"{claim.title} (not in the catalogue)"


def _instance(instance: Any) -> Part:
    parts = {name: part for name, part in instance.as_json().items() if name != "claim"}
    rows = [(path, str(value)) for path, value in fields_of(parts).items()]
    return Fold(line("The instance:", instance.title), (Table(("part", "value"), rows),))


# Searches.


def rank_table(found: Falsification) -> Table:
    """The tightest instance at each rank."""
    rows = []
    for row in found.rows:
        at = ", ".join(f"{name} = {value:g}" for name, value in row.constants.items())
        rows.append((str(row.rank), at, rounded_down(row.ratio, 6), f"{row.share:.0%}"))
    return Table(
        (
            numeric("rank"),
            "at",
            numeric("measured / bound"),
            numeric(f"starts that reach {REACHED}"),
        ),
        rows,
    )


def conclusion(found: Falsification) -> list[str]:
    """The result of a search in words, a sentence a line."""
    structures, largest = found.explored
    lines = []
    if structures:
        lines.append(
            f"Over {structures} other shapes, ranks and constants the largest was"
            f" {rounded_down(largest, 6)}."
        )
    ratio = rounded_down(found.ratio, 6)
    if found.violated:
        return [
            *lines,
            f"VIOLATED: an instance exceeds the bound, certified with Arb; ratio {ratio}.",
        ]
    if found.open:
        return [*lines, f"Not violated. {candidate(found.open)} The certified ratio is {ratio}."]
    return [*lines, f"Not violated. The best instance, shrunk, has the certified ratio {ratio}."]


@view_of.register
def _(found: Falsification) -> View:
    """A search: the claim, what it came to, the best at each rank, and the instance."""
    claim = found.instance.claim
    said = (line(Math(claim.statement_latex)), *(line(text) for text in conclusion(found)))
    parts = (rank_table(found), _instance(found.instance))
    return View(_title(claim), claim.id, _verdict(found.violated), said, parts)


# Replays.


@view_of.register
def _(found: Replay) -> View:
    """An instance, judged again."""
    instance, certificate = found
    claim = instance.claim
    sides = "measured {}, bound {} (floats)".format(*told_apart(instance.compare(), 6))
    ratio = (
        "none"
        if certificate.lower == math.inf
        else f"at least {rounded_down(certificate.lower, 6)} (certified)"
    )
    lines = [
        line(Math(claim.statement_latex)),
        line(f"{instance.title}: {sides}; measured / bound: {ratio}"),
    ]
    lines += [line(candidate(certificate.open))] if certificate.open else []
    return View(
        _title(claim),
        claim.id,
        _verdict(certificate.violated),
        tuple(lines),
        (_instance(instance),),
    )


# Worst cases.


def _letters(cases: Sequence[Case], same: bool) -> list[str]:
    """The letters, but T, that have one value in all cases, or that have several."""
    names = [name for name in cases[0].inputs if name != T.name]
    return [name for name in names if (len({case.inputs[name] for case in cases}) == 1) is same]


def worst_table(cases: Sequence[Case]) -> Table:
    """The worst case beside the bound at each T."""
    varied = _letters(cases, same=False)
    rows = []
    for case in cases:
        inputs = (shown(case.inputs[name], 6, toward(name)) for name in varied)
        numbers = (shown(case.bound, 6, UP), shown(case.numerical, 6), shown(case.ratio, 6))
        rows.append((str(case.steps), *inputs, shown(case.step, 6), *numbers, *case.ends))
    heads = (T.name, *varied, "step", "bound", "solver", "solver / bound", "at least", "at most")
    return Table([*map(numeric, heads)], rows)


def worst_conclusion(cases: WorstCases) -> list[str]:
    """The constants of the cases, how sure the cases are, and what they come to, a sentence a
    line.
    """
    first = cases[0]
    lines = [
        "At "
        + ", ".join(
            f"{name} = {shown(first.inputs[name], 6, toward(name))}"
            for name in _letters(cases, same=True)
        )
        + "."
    ]
    gap = max(case.duality_gap for case in cases)
    said = (
        f"Solver: the worst case, numerical (Clarabel, relative duality gap about {gap:.0e}); at"
        " least: the measure of a rational instance, checked exactly; at most: by rational"
        " multipliers, a theorem of the kernel"
    )
    said = "; ".join(
        [
            said,
            *dict.fromkeys(f"at T = {case.steps} {why}" for case in cases for why in case.without),
        ]
    )
    lines.append(f"{said}.")
    if first.larger:
        asked = ", ".join(f"‘{title}’" for title in first.larger)
        lines.append(
            f"The worst is over a larger class: {asked} {'is' if len(first.larger) == 1 else 'are'}"
            " not asked of F."
        )
    for why in cases.smaller:
        lines.append(f"No upper end: the worst is over a smaller class, for {why}.")
    if cases.violated:
        return [
            *lines,
            (
                "VIOLATED: an instance among all smooth F exceeds the bound, exactly; ratio"
                f" {cases.ratio:.6g}."
            ),
        ]
    objections = dict.fromkeys(case.objection for case in cases if case.objection)
    if objections:
        lines.append(
            "An instance exceeds the bound, but says nothing against the claim:"
            f" {'; '.join(objections)}."
        )
    return [*lines, f"Not violated at these T. The largest ratio is {cases.ratio:.6g}."]


@view_of.register
def _(cases: WorstCases) -> View:
    """The worst case beside the bound at each T."""
    if not cases:
        return View("No worst cases")
    said = tuple(line(text) for text in worst_conclusion(cases))
    title = f"{cases[0].claim}: worst case of {cases[0].method} over all smooth F"
    return View(title, verdict=_verdict(cases.violated), parts=(worst_table(cases), *said))
