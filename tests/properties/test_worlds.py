"""A proved claim has an instance of all that it assumes, which the judge accepts; what breaks a
hypothesis is none."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from boundcheck.language.catalogue import catalogue
from boundcheck.language.judge import meets
from boundcheck.language.symbols import mu_F
from boundcheck.proof.record import WORLDS, has_instance, records
from boundcheck.proofs import papers
from tests.properties.worlds import Parabola, read, world_of

STORED = {
    id: entry
    for paper in papers().values()
    if (paper.folder / WORLDS).is_file()
    for id, entry in json.loads((paper.folder / WORLDS).read_text("utf-8")).items()
}
# Rocq knows a world of each of these: no instance here has two layers, draws factors anew, or asks
# for more than a gradient.
ELSEWHERE = {
    "meft.adaptive_gd",
    "meft.all_layers",
    "meft.composition",
    "meft.layers",
    "meft.relora",
    "meft.theorem2_average_sharp",
}


@pytest.mark.parametrize("id", STORED)
def test_the_judge_accepts_what_is_kept(id):
    claim = catalogue[id]
    kept = STORED[id]
    assert kept["digest"] == claim.digest
    instance = read(kept)
    assert instance.claim == claim
    assert meets(instance, claim).holds
    assert has_instance(claim)


def test_each_proved_claim_has_one():
    assert {id for id in records() if id in catalogue} == STORED.keys() | ELSEWHERE


def test_what_breaks_a_hypothesis_or_a_condition_is_none():
    claim = catalogue["bottou2018.theorem4_6"]
    parabola = Parabola.of(claim)
    assert meets(parabola, claim).holds
    # Steeper than the parabola is; noisier than it may be.
    assert not meets(
        replace(parabola, given={**parabola.given, mu_F.name: Fraction(3, 2)}), claim
    ).holds
    assert not meets(replace(parabola, noise=Fraction(2)), claim).holds


@pytest.mark.full
def test_a_claim_that_nothing_meets_has_none():
    claim = catalogue["drori2014.gradient_descent"]
    smoothness = claim.quantities[0]
    never = replace(
        claim, id="mine.never", conditions=(smoothness.symbol > 2 * smoothness.expression,)
    )
    assert world_of(never) is None
    assert not has_instance(never)
