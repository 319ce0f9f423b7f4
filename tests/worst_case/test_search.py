"""Climbs, searches and shrinking: no true claim is broken, what is tight is found, false claims are
caught."""

import itertools
from dataclasses import replace
from fractions import Fraction

import pytest
import torch

import boundcheck
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.functions.adapters.base import spectral_bound
from boundcheck.language.catalogue import catalogue
from boundcheck.language.symbols import G, s
from boundcheck.properties import check_claim
from boundcheck.worst_case import falsify, search
from boundcheck.worst_case.instance import certify, rank_of
from boundcheck.worst_case.search import (
    Climber,
    Search,
    adapter_of,
    rating,
    shrunk,
    weight_derivatives,
)
from boundcheck.worst_case.stored import replayed, save
from boundcheck.worst_case.worst_case import WorstCase
from tests.experiment.small import each_kind, refused, with_quantity_scaled
from tests.language.plain import Plain, single
from tests.layers import covering, full
from tests.worst_case.small import PAIRS, UNEQUAL, climbed, instance_of, rank_for, structure

each_pair = pytest.mark.parametrize("kind, id", PAIRS)


def first(kind, sizes=(4, 3, 2)):
    """What the last claim about an adapter, which is about every rank, is tried on; W is not
    square."""
    return structure(kind, ADAPTERS[kind].claims[-1], sizes, UNEQUAL)


@each_kind
def test_what_is_reached_never_falls_and_every_start_stays_inside(kind):
    made = first(kind)
    climber = Climber(made, 5, 3)
    before = climber.state.values
    start = before.clone()
    for _ in range(6):
        climber.run(1)
        state = climber.state
        assert (state.values >= before).all()
        before = state.values.clone()
        assert climber.outline.inside(
            state.v, {name: r * (1 + 1e-12) for name, r in made.radii.items()}
        ).all()
        assert (sum(part.square().sum((-2, -1)) for part in state.u) - 1).abs().max() < 1e-12
        for name, X in state.frozen.items():
            norm = made.norm_of(name)
            found = X.norm(dim=-2) if name == "W0" else torch.linalg.matrix_norm(X, 2)
            torch.testing.assert_close(found, torch.full_like(found, norm), rtol=1e-12, atol=0)
    # Where the Hessian is the same everywhere a start can be at the top.
    assert (before > start).any() or kind == "full"


@each_kind
def test_theweight_derivatives_are_those_of_the_plain_formulas(kind):
    climber = Climber(first(kind), 3, 0)
    state = climber.state
    for which in range(3):
        adapter = climber.structure.adapter({name: X[which] for name, X in state.frozen.items()})
        v, u = (tuple(part[which : which + 1] for part in point) for point in (state.v, state.u))
        along, across = weight_derivatives(adapter, v, u)
        plain = Plain(adapter)
        torch.testing.assert_close(
            along[0], torch.tensor(plain.first(single(v), single(u))), rtol=0, atol=1e-12
        )
        torch.testing.assert_close(
            across[0], torch.tensor(plain.second(single(v), single(u))), rtol=0, atol=1e-12
        )


@each_pair
def test_an_instance_measures_no_less_than_the_value_of_its_start(kind, id):
    """But for what the kink costs: G less the height of h', and the distance between the points.

    It may measure more: a change of the gradient across the step counts as well.
    """
    claim = catalogue[id]
    climber = climbed(kind, id, 2, UNEQUAL)
    made = climber.structure
    for which in range(4):
        instance = climber.instance(claim, "sigma", which)
        found = certify(instance)
        assert found.inside
        # It has the shape and the constants of its structure.
        assert size(instance) == (
            made.d,
            made.k,
            min(made.d, made.k) if kind == "full" else made.rank,
        )
        assert instance.radii == made.radii
        assert instance.lipschitz == "sigma"
        assert instance.slope == climber.L
        for name in instance.adapter.frozen:
            norm = spectral_bound(getattr(instance.adapter, name))
            assert name == "W0" or norm == pytest.approx(made.norm_of(name), rel=1e-12)
        scale = instance.adapter.scale if hasattr(instance.adapter, "scale") else 1.0
        factor = float(instance.inputs["L"]) / climber.L
        assert factor == pytest.approx(
            1 if "s" in {p.name for p in claim.parameters} else scale**2, rel=1e-9
        )
        value = climber.state.values[which].item()
        assert instance.measured >= value * (1 - 3e-3)
        assert found.lower == pytest.approx(instance.ratio, rel=1e-6)


def test_the_frobenius_norm_is_dual_to_itself_and_the_spectral_to_the_nuclear():
    """At one and the same point the best f gains no more where G bounds the larger of the two
    norms."""
    made = structure("lora", "meft.lemma1_sharp", (4, 4, 3), {})
    loose = structure("lora", "jiang2024.lemma1", (4, 4, 3), {})
    assert made.spectral is True
    assert loose.spectral is False
    spectral = Climber(made, 20, 0).state
    frobenius = Climber(loose, 20, 0).state
    assert all(torch.equal(x, y) for x, y in zip(spectral.v, frobenius.v, strict=True))
    assert (spectral.values > frobenius.values).any()
    assert (spectral.values >= frobenius.values * (1 - 1e-12)).all()


@pytest.fixture
def short(monkeypatch):
    """Climbs of few rounds, which are enough where nothing has to be tight."""
    monkeypatch.setattr(search, "SHORT", (4, 5))
    monkeypatch.setattr(search, "SHRINKING", (16, 8))


# True claims.


@covering
@each_pair
@pytest.mark.parametrize("given", [{}, UNEQUAL], ids=["ones", "unequal"])
@pytest.mark.parametrize("rank", [1, 2])
def test_a_true_claim_holds_of_every_start(kind, id, given, rank):
    climber = climbed(kind, id, rank, given)
    for which in (0, int(climber.state.values.argmax())):
        found = certify(climber.instance(catalogue[id], "sigma", which))
        assert found.inside
        assert 0 <= found.lower <= 1
        assert not found.violated


@each_pair
@pytest.mark.usefixtures("short")
def test_a_true_claim_is_not_violated_and_its_instance_can_be_read_back(kind, id, tmp_path):
    claim = catalogue[id]
    found = falsify(id, Search((1,), {"L": 2.0, "G": 0.5}, kind, starts=4, rounds=4, examples=2))
    assert not found.violated
    assert 0 < found.ratio <= 1
    assert found.id == id
    assert found.explored[0] == 2
    assert 0 <= found.explored[1] <= 1
    for row in found.rows:
        assert row.rank == rank_for(claim, 1)
        assert 0 < row.ratio <= 1
        assert 0 <= row.share <= 1
    save(found.instance, tmp_path / "best.json")
    instance, certificate = replayed(tmp_path / "best.json")
    assert certificate.lower == found.ratio
    assert certificate.violated is False
    assert instance.as_json() == found.instance.as_json()


@each_pair
@pytest.mark.nightly
def test_a_true_claim_is_not_violated_by_a_long_search(kind, id):
    for lipschitz in (
        ("sigma", "sqrt(r) sigma")
        if "C" in {p.name for p in catalogue[id].parameters}
        else ("sigma",)
    ):
        found = falsify(id, Search((1, 2, 5), None, kind, lipschitz, rounds=48, examples=16))
        assert not found.violated
        assert found.ratio <= 1
        assert found.explored[1] <= 1


@pytest.mark.parametrize("rank", [1, 4, 8])
@pytest.mark.parametrize(
    "given", [{}, {"b": 0.5}, {"a": 3.0, "s": 0.5, "G": 2.0}], ids=["a = b", "a = 2b", "a = 3b"]
)
def test_the_sharp_constant_is_reached(rank, given):
    claim = catalogue["meft.lemma1_sharp"]
    assert certify(climbed("lora", claim.id, rank, given).best(claim, "sigma")).lower >= 0.999


@full
@pytest.mark.usefixtures("short")
def test_rows_are_of_each_choice_of_constants_and_each_rank():
    ticks = []
    method = Search((2, 1), starts=2, rounds=3, examples=2)
    found = falsify("meft.lemma1_sharp", method, tick=lambda *told: ticks.append(told))
    of = [(2, 1, 1), (1, 1, 1), (2, 1, 0.5), (1, 1, 0.5)]
    assert [(row.rank, row.constants["a"], row.constants["b"]) for row in found.rows] == of
    climbs = [told[1:] for told in ticks if told[0].startswith("climb")]
    assert climbs == [(done, 12) for place in range(4) for done in range(3 * place, 3 * place + 4)]
    assert all(done <= total for _, done, total in ticks)
    assert found.as_json()["rows"][3]["ratio"] == found.rows[3].ratio
    assert found.as_json()["explored"] == {"structures": 2, "ratio": found.explored[1]}


@pytest.mark.usefixtures("short")
def test_given_constants_are_those_searched_at_and_rank_one_is_searched_there_alone():
    found = falsify(
        "meft.loreft_rank1",
        Search((1, 2, 3), {"nu": 2.0, "G": 0.25}, starts=2, rounds=3, examples=0),
    )
    assert [(row.rank, row.constants) for row in found.rows] == [
        (1, {"L": 1.0, "G": 0.25, "nu": 2.0})
    ]
    assert found.explored == (0, 0.0)
    assert refused(falsify, "meft.loreft_rank1", Search((2, 3))).field == "rank"


@full
@pytest.mark.usefixtures("short")
def test_the_same_seed_finds_the_same_and_another_does_not():
    def found(seed):
        return falsify(
            "meft.frozen_a", Search((1,), starts=1, rounds=1, examples=2, seed=seed)
        ).as_json()

    first = found(0)
    assert first == found(0)
    assert first["rows"] != found(1)["rows"]


def test_the_best_is_inside_and_a_violation_before_a_larger_ratio():
    """However large the ratio of points off the domain."""
    tight = instance_of("lora")
    far = tuple(2 * part for part in tight.v)
    scales = {"outside": 2, "inside": 100, "worse": Fraction(1, 4), "worst": Fraction(1, 8)}
    scaled = {
        name: replace(tight, claim=with_quantity_scaled(tight.claim, x))
        for name, x in scales.items()
    }
    found = {
        name: certify(x if name != "outside" else replace(x, v=far)) for name, x in scaled.items()
    }
    assert found["outside"].lower > found["inside"].lower > 0
    assert sorted(found, key=lambda name: rating(found[name])) == [
        "outside",
        "inside",
        "worse",
        "worst",
    ]
    assert rating(found["outside"]) == (False, 0.0)


# False claims: what is a little below a sharp constant is broken by the same instance as anything
# that is less.


def with_formula(id, change):
    """The claim with another formula for what it is measured against, in its parameters alone."""
    claim = catalogue[id]
    *_, last = claim.quantities
    return replace(claim, quantities=(replace(last, expression=change(claim.expression("Lhat"))),))


SHARP = (
    "meft.lemma1_sharp",
    "meft.full",
    "meft.frozen_a",
    "meft.frozen_b",
    "meft.direft",
    "meft.loreft_sharp",
    "meft.loreft_rank1",
    "meft.lemma1_sharp_equal_radii",
)
NEARLY = Fraction(998, 1000)
FALSE = {f"nearly {id}": with_quantity_scaled(catalogue[id], NEARLY) for id in SHARP}
FALSE |= {
    "without the scale's square": with_formula("meft.frozen_a", lambda x: x / s),
    "as in (R, V)": with_formula(
        "meft.loreft_trained", lambda x: catalogue["meft.loreft_sharp"].expression("Lhat")
    ),
    "without half of G": with_formula("meft.loreft_trained", lambda x: x.subs(G, G / 2)),
    "as of rank 1": replace(catalogue["meft.loreft_rank1"], id="meft.loreft_sharp", conditions=()),
}


@pytest.mark.parametrize("name", FALSE)
def test_a_false_claim_is_caught(name):
    claim = FALSE[name]
    found = certify(climbed(adapter_of(claim, None), claim.id, 2, UNEQUAL).best(claim, "sigma"))
    assert found.inside
    assert found.violated
    assert found.lower > 1


@pytest.mark.usefixtures("short")
def test_the_search_catches_a_false_claim_and_stores_what_breaks_it(tmp_path):
    doctored = with_quantity_scaled(catalogue["meft.lemma1_sharp"], Fraction(9, 10))
    # By the id of a true claim nobody may call a false one.
    assert refused(falsify, doctored, Search((2,))).field == "claim.id"
    found = falsify(
        replace(doctored, id="mine"), Search((2,), adapter="lora", starts=8, rounds=16, examples=2)
    )
    assert found.violated
    assert 1.1 < found.ratio <= Fraction(10, 9)
    assert certify(found.instance).violated
    save(found.instance, tmp_path / "best.json")
    assert replayed(tmp_path / "best.json", found.instance.claim)[1] == certify(found.instance)


def test_the_printed_lemma_is_tight_at_rank_one():
    claim = catalogue["jiang2024.lemma1"]
    tight = climbed("lora", claim.id, 1).best(claim, "sigma")
    assert certify(tight).lower > 0.999
    assert certify(replace(tight, claim=with_quantity_scaled(claim, Fraction(99, 100)))).violated


# Bad input.


@pytest.mark.parametrize(
    "options, field",
    [
        ({"claim": "meft.lemma1_sharpest"}, "claim"),
        ({"claim": "jiang2024.theorem2"}, "claim"),
        ({"adapter": "lorra"}, "adapter"),
        ({"ranks": (1, 0)}, "rank"),
        ({"ranks": (1.5,)}, "ranks"),
        ({"ranks": ()}, "ranks"),
        ({"starts": 0}, "starts"),
        ({"rounds": 2.5}, "rounds"),
        ({"examples": -1}, "examples"),
        ({"lipschitz": "tau"}, "lipschitz"),
        ({"constants": {"a": 0.0}}, "a"),
        ({"constants": {"a": float("nan")}}, "a"),
        ({"constants": {"L": float("inf")}}, "L"),
        ({"constants": {"G": 1e160}}, "G"),
        ({"constants": {"s": 1e-160}}, "s"),
        ({"constants": {"mu": 1.0}}, "mu"),
        ({"claim": "meft.direft", "constants": {"s": 2.0}}, "s"),
        ({"claim": "jiang2024.lemma1", "constants": {"a": 2.0}}, "a, b"),
    ],
    ids=str,
)
def test_bad_input_is_refused_by_name(options, field):
    arguments = {
        "claim": "meft.lemma1_sharp",
        "ranks": (1,),
        "starts": 1,
        "rounds": 1,
        "examples": 0,
    } | options
    assert refused(lambda: falsify(arguments.pop("claim"), Search(**arguments))).field == field


@each_kind
@pytest.mark.usefixtures("short")
def test_a_claim_of_the_catalogue_is_tried_on_no_adapter_that_it_is_not_about(kind, monkeypatch):
    """Whether it has the same constants or not: what breaks it there would say nothing."""
    monkeypatch.setattr(search, "Climber", lambda structure, *_: Climber(structure, 1, 0))
    tried = []
    for id, claim in catalogue.items():
        if claim.quantities and id not in ADAPTERS[kind].claims:
            try:
                falsify(id, Search((1,), {}, kind, starts=1, rounds=1, examples=0))
            except boundcheck.InputError:
                continue
            tried.append(id)
    assert tried == []


def size(instance):
    return *instance.adapter.W0.shape, rank_of(instance.adapter)


def assert_as_good(made, original):
    before = certify(original)
    after = certify(made)
    assert after.inside
    assert after.lower >= (1 - 1e-3) * before.lower
    assert after.violated or not before.violated
    assert all(x <= y for x, y in zip(size(made), size(original), strict=True))


@pytest.mark.parametrize(
    "kind, id", [(kind, adapter.claims[-1]) for kind, adapter in ADAPTERS.items()]
)
def test_what_is_shrunk_is_as_good_and_no_larger_and_can_be_read_back(
    kind, id, tmp_path, monkeypatch
):
    monkeypatch.setattr(search, "SHRINKING", (16, 8))
    original = climbed(kind, id, 2, UNEQUAL).best(catalogue[id], "sigma")
    made = shrunk(original, certify(original))
    assert_as_good(made, original)
    save(made, tmp_path / "shrunk.json")
    assert replayed(tmp_path / "shrunk.json")[1] == certify(made)


@pytest.mark.parametrize("id", ["meft.lemma1_sharp", "meft.direft", "meft.loreft_rank1"])
def test_a_violation_is_still_one(id, monkeypatch):
    """Even one by so little that a thousandth of the ratio is more."""
    monkeypatch.setattr(search, "SHRINKING", (16, 12))
    (kind,) = (kind for kind, each in PAIRS if each == id)
    tight = climbed(kind, id, 2, UNEQUAL)
    claim = with_quantity_scaled(
        catalogue[id],
        Fraction(certify(tight.best(catalogue[id], "sigma")).lower) * (1 - Fraction(1, 10**9)),
    )
    original = tight.best(claim, "sigma")
    assert certify(original).violated
    assert_as_good(shrunk(original, certify(original)), original)


@full
def test_lora_shrinks_to_one_number_a_factor():
    claim = catalogue["meft.lemma1_sharp"]
    original = climbed("lora", claim.id, 8).best(claim, "sigma")
    made = shrunk(original, certify(original))
    assert_as_good(made, original)
    assert size(made) == (1, 1, 1)
    # Few digits: every entry of the points is a decimal of at most four.
    assert all(torch.equal(part, part.round(decimals=4)) for part in made.v)


@pytest.fixture
def long(monkeypatch):
    """A clock by which ten seconds go by between two looks at it."""
    clock = itertools.count(0, 10)
    monkeypatch.setattr("boundcheck.system.limits.time.monotonic", lambda: float(next(clock)))


LEMMA = "meft.lemma1_sharp"
TOO_MUCH = [
    ("rank", lambda: falsify(LEMMA, Search((10**6,)))),
    ("rank", lambda: falsify(LEMMA, Search(range(1, 10**9)))),
    ("starts", lambda: falsify(LEMMA, Search((1,), starts=10**9))),
    ("hours", lambda: falsify(LEMMA, Search((1,), starts=1, rounds=10**12, examples=0))),
    ("hours", lambda: falsify(LEMMA, Search((1,), starts=1, rounds=1, examples=10**12))),
    ("hours", lambda: falsify(LEMMA, Search((1,), starts=1), hours=1e-4)),
    ("hours", lambda: falsify("nesterov2004.gradient_descent", WorstCase([2] * 3), hours=1e-4)),
    ("hours", lambda: falsify(LEMMA, Search((1,)), hours=0)),
    ("hours", lambda: check_claim(LEMMA, examples=10**12)),
    ("largest", lambda: check_claim(LEMMA, largest=10**6)),
]


@full
@pytest.mark.usefixtures("long")
@pytest.mark.parametrize("field, call", TOO_MUCH)
def test_more_than_there_is_memory_or_time_for_is_refused(field, call):
    assert refused(call).field == field
