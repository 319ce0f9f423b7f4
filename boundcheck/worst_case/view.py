"""Views of searches, replayed instances and worst cases."""

from __future__ import annotations

import math
from functools import singledispatch
from typing import Any

from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.notebook import Shown
from boundcheck.language.view import Fold, Math, Part, Table, View, line
from boundcheck.system.tables import fields_of
from boundcheck.worst_case.search import Falsification
from boundcheck.worst_case.show import (
    candidate,
    conclusion,
    rank_table,
    rounded_down,
    told_apart,
    worst_conclusion,
    worst_table,
    worst_title,
)
from boundcheck.worst_case.stored import Replay
from boundcheck.worst_case.worst_case import WorstCases


@singledispatch
def view_of(shown: Shown) -> View:
    """The view that a notebook shows of a result of this package."""
    raise TypeError(f"expected a result, got {type(shown).__name__}")


@view_of.register(Falsification)
def _search_view(found: Falsification) -> View:
    """A search: the claim, what it came to, the best at each rank, and the instance."""
    claim = found.instance.claim
    said = (line(Math(claim.statement_latex)), *(line(text) for text in conclusion(found)))
    return View(
        _title(claim), claim.id, _verdict(found.violated), said, (Table(*rank_table(found)), *_instance(found.instance))
    )


@view_of.register(Replay)
def _replay_view(found: Replay) -> View:
    """An instance, judged again."""
    instance, certificate = found
    claim, compared = instance.claim, instance.compare()
    sides = "measured {}, bound {} (floats)".format(*told_apart(compared, 6))
    ratio = "none" if certificate.lower == math.inf else f"at least {rounded_down(certificate.lower, 6)} (certified)"
    lines = [line(Math(claim.statement_latex)), line(f"{instance.title}: {sides}; measured / bound: {ratio}")]
    lines += [line(candidate(certificate.open))] if certificate.open else []
    return View(_title(claim), claim.id, _verdict(certificate.violated), tuple(lines), tuple(_instance(instance)))


@view_of.register(WorstCases)
def _worst_view(cases: WorstCases) -> View:
    """The worst case beside the bound at each T."""
    if not cases:
        return View("No worst cases")
    said = tuple(line(text) for text in worst_conclusion(cases))
    violated = any(case.violated for case in cases)
    return View(worst_title(cases), verdict=_verdict(violated), parts=(Table(*worst_table(cases)), *said))


def _title(claim: Claim) -> str:
    return claim.title if claim.id in catalogue else f"{claim.title} (not in the catalogue)"


def _verdict(violated: bool) -> str:
    return "violated" if violated else "not violated"


def _instance(instance: Any) -> list[Part]:
    parts = {name: part for name, part in instance.as_json().items() if name != "claim"}
    rows = [(path, str(value)) for path, value in fields_of(parts).items()]
    return [Fold(line("The instance:", instance.title), (Table(("part", "value"), rows),))]
