"""Shrinking: what is smaller is as good, breaks what the original broke, and can be stored and read back."""

from fractions import Fraction

import pytest
import torch

from boundcheck.functions.adapters import ADAPTERS
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.worst_case import search
from boundcheck.worst_case.instance import AdapterInstance, rank_of
from boundcheck.worst_case.search import Climber, shrunk
from boundcheck.worst_case.stored import replayed, save
from boundcheck.worst_case.tried import certify
from tests.experiment.small import with_quantity_scaled
from tests.layers import sampled
from tests.worst_case.small import PAIRS, UNEQUAL, climbed, rank_for, structure

each_pair = pytest.mark.parametrize(("kind", "id"), PAIRS)


def size(instance: AdapterInstance) -> tuple[int, int, int]:
    return *instance.adapter.W0.shape, rank_of(instance.adapter)


def assert_as_good(made: AdapterInstance, original: AdapterInstance) -> None:
    before, after = certify(original), certify(made)
    assert after.inside
    assert after.lower >= (1 - 1e-3) * before.lower
    assert after.violated or not before.violated
    assert all(x <= y for x, y in zip(size(made), size(original), strict=True))


@sampled(4)
@pytest.mark.parametrize(("kind", "id"), [(kind, adapter.claims[-1]) for kind, adapter in ADAPTERS.items()])
def test_what_is_shrunk_is_as_good_and_no_larger_and_can_be_read_back(
    kind: str, id: str, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SHRINKING", (16, 8))
    original = climbed(kind, id, 2, UNEQUAL).best(catalogue[id], "sigma")
    made = shrunk(original, certify(original))
    assert_as_good(made, original)
    save(made, tmp_path / "shrunk.json")
    assert replayed(tmp_path / "shrunk.json")[1] == certify(made)


@pytest.mark.parametrize("id", ["meft.lemma1_sharp", "meft.vera_sharp", "meft.loreft_rank1"])
def test_a_violation_is_still_one(id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even one by so little that a thousandth of the ratio is more."""
    monkeypatch.setattr(search, "SHRINKING", (16, 12))
    (kind,) = (kind for kind, each in PAIRS if each == id)
    tight = climbed(kind, id, 2, UNEQUAL)
    claim = with_quantity_scaled(
        catalogue[id], Fraction(certify(tight.best(catalogue[id], "sigma")).lower) * (1 - Fraction(1, 10**9))
    )
    original = tight.best(claim, "sigma")
    assert certify(original).violated
    assert_as_good(shrunk(original, certify(original)), original)


@pytest.mark.full
def test_lora_shrinks_to_one_number_a_factor() -> None:
    claim = catalogue["meft.lemma1_sharp"]
    original = climbed("lora", claim.id, 8).best(claim, "sigma")
    made = shrunk(original, certify(original))
    assert_as_good(made, original)
    assert size(made) == (1, 1, 1)
    # Few digits: every entry of the points is a decimal of at most four.
    assert all(torch.equal(part, part.round(decimals=4)) for part in made.v)


@pytest.mark.full
@pytest.mark.parametrize(
    ("kind", "id", "sizes"), [("loreft", "meft.loreft_rank1", (2, 1, 1)), ("lora", "meft.lora", (1, 3, 1))]
)
def test_narrow_instances_stay_narrow(
    kind: str, id: str, sizes: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SHRINKING", (16, 24))
    claim: Claim = catalogue[id]
    original = Climber(structure(kind, id, sizes, {}), 8, 0).run(24).best(claim, "sigma")
    assert size(original) == sizes
    assert_as_good(shrunk(original, certify(original)), original)


@pytest.mark.nightly
@each_pair
def test_what_a_long_climb_finds_shrinks_well(kind: str, id: str) -> None:
    claim = catalogue[id]
    rank = rank_for(claim, 3)
    for given in ({}, UNEQUAL):
        original = Climber(structure(kind, id, (rank + 2, rank + 1, rank), given), 16, 1).run(96).best(claim, "sigma")
        assert_as_good(shrunk(original, certify(original)), original)
