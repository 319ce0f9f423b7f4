"""Specs of every adapter and every problem: claims, radii, ranks and scales that fit each other, or one clear line."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.experiment import measure
from boundcheck.experiment.spec import expand, parse
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.language.catalogue import catalogue
from boundcheck.language.sentence import algorithm_of

from .small import BRACKET_TABLE, DOMAINS, OF_KIND, THEOREM_TABLE, bracket_table, changed, refused

NOT_GIVEN = "(not given)"

each_kind = pytest.mark.parametrize("kind", ADAPTERS)


@each_kind
def test_every_claim_of_an_adapter_is_bracketed_and_no_other(kind):
    for id, claim in catalogue.items():
        table = OF_KIND[kind] | {"claim": id}
        if id in ADAPTERS[kind].claims:
            spec = parse(table)
            assert spec.is_bracket
            assert spec.domain.given == DOMAINS[kind]
            assert parse(spec.as_json()) == spec
        elif algorithm_of(claim) is None:
            assert refused(parse, table).field == "claim"


@each_kind
def test_a_bracket_needs_every_radius_of_its_adapter_and_no_other(kind):
    for name in ("a", "b", "mu", "nu", "rho"):
        given = name in DOMAINS[kind]
        error = refused(parse, changed(OF_KIND[kind], {f"domain.{name}": None if given else 1.0}))
        assert error.field == f"domain.{name}"
        assert error.value == (NOT_GIVEN if given else 1.0)
        assert all(radius in error.expected for radius in (*DOMAINS[kind], kind))
    assert refused(parse, changed(OF_KIND[kind], {"domain": None})).field in {f"domain.{x}" for x in DOMAINS[kind]}


@pytest.mark.parametrize("field", ["domain.mu", "domain.nu", "domain.rho"])
@pytest.mark.parametrize("given", [{}, {"a": 1.0}, {"b": 1.0}])
def test_a_radius_that_the_theorem_has_not_is_named_and_not_one_that_it_may_leave_out(field, given):
    error = refused(parse, changed(THEOREM_TABLE, {"domain": dict(given), field: 2.0}))
    assert (error.field, error.value) == (field, 2.0)


@each_kind
def test_every_adapter_but_full_fine_tuning_has_a_rank(kind):
    other = None if kind != "full" else 2
    error = refused(parse, changed(OF_KIND[kind], {"adapter.rank": other}))
    assert (error.field, error.value) == ("adapter.rank", NOT_GIVEN if other is None else 2)
    assert kind in error.expected


@each_kind
@pytest.mark.parametrize("scale", [2.0, "16/r", "16/sqrt(r)"])
def test_a_scale_is_refused_by_the_adapters_that_have_none(kind, scale):
    table = changed(OF_KIND[kind], {"adapter.scale": scale})
    if "scale" not in ADAPTERS[kind].options:
        error = refused(parse, table)
        assert (error.field, error.value) == ("adapter.scale", scale)
        assert "no scale" in error.expected
    else:
        assert parse(table).adapter.factor == {"16/r": 8.0, "16/sqrt(r)": 16 / math.sqrt(2)}.get(scale, scale)
    assert parse(changed(OF_KIND[kind], {"adapter.scale": 1.0})).adapter.factor == 1


@given(
    alpha=st.integers(1, 10**6) | st.decimals("0.01", 100, places=2),
    rank=st.integers(1, 512),
    root=st.booleans(),
    spaces=st.lists(st.sampled_from(["", " ", "  "]), min_size=4, max_size=4),
)
def test_a_scale_as_text_is_alpha_over_the_rank_or_its_root(alpha, rank, root, spaces):
    one, two, three, four = spaces
    text = f"{one}{alpha}{two}/{three}{'sqrt(r)' if root else 'r'}{four}"
    factor = parse(changed(BRACKET_TABLE, {"adapter": {"rank": rank, "scale": text}})).adapter.factor
    assert factor == pytest.approx(float(alpha) / (rank**0.5 if root else rank), rel=1e-15)


def test_a_sweep_over_ranks_changes_the_scale_that_is_text():
    specs = list(expand(bracket_table(adapter={"rank": [1, 4, 16], "scale": ["16/r", "16/sqrt(r)", 3.0]})))
    assert [each.adapter.factor for each in specs] == [16, 16, 3, 4, 8, 3, 1, 4, 3]


PROBLEMS = {
    "digits": {},
    "breast-cancer": {},
    "logistic": {"data": "digits"},
    "two-layer": {"hidden": 3, "seed": 1},
    "readout": {"components": 5},
    "least-squares": {"d": 3, "k": 2, "samples": 5, "noise": 0.1, "seed": 3},
    "extremal": {"d": 3, "k": 2, "L": 2.0, "G": 0.5},
    "pseudo-huber": {"d": 3, "k": 2, "samples": 5, "delta": 0.1, "signal": 2.0, "noise": 0.1, "seed": 3},
}


@pytest.mark.parametrize("kind", PROBLEMS)
def test_every_kind_of_problem_is_read_with_its_fields_or_without(kind):
    for fields in ({}, PROBLEMS[kind]):
        spec = parse(changed(BRACKET_TABLE, {"problem": {"kind": kind, **fields}}))
        stored = spec.as_json()["problem"]
        assert stored.items() >= {"kind": kind, **fields}.items()
        assert parse(spec.as_json()) == spec


@pytest.mark.parametrize("kind", PROBLEMS)
def test_a_field_of_another_kind_of_problem_is_named(kind):
    others = {name for fields in PROBLEMS.values() for name in fields} - set(PROBLEMS[kind])
    for name in sorted(others):
        error = refused(parse, changed(BRACKET_TABLE, {"problem": {"kind": kind, name: 1}}))
        assert error.field == f"problem.{name}"
        assert "no such field" in error.expected


@pytest.mark.parametrize(
    ("kind", "field", "value", "expected"),
    [
        ("logistic", "data", "mnist", "'digits' or 'breast-cancer'"),
        ("two-layer", "hidden", 0, "a number greater than 0"),
        ("readout", "components", 62, "a number less than or equal to 61"),
        ("least-squares", "noise", 0.0, "a number greater than 0"),
        ("extremal", "L", 0.0, "a number greater than 0"),
        ("extremal", "G", float("inf"), "finite number"),
    ],
)
def test_a_bad_field_of_a_problem_is_named(kind, field, value, expected):
    error = refused(parse, changed(BRACKET_TABLE, {"problem": {"kind": kind, field: value}}))
    assert error.field == f"problem.{field}"
    assert expected in error.expected


@pytest.mark.parametrize("kind", sorted(set(ADAPTERS) - {"full"}))
@pytest.mark.parametrize("rank", [5, 10**12])
def test_a_rank_that_the_shape_forbids_is_found_in_every_adapter(kind, rank, tmp_path):
    # DiReFT and LoReFT have a column more, and no rank more. The first rank is one of which every claim speaks.
    error = refused(measure, changed(OF_KIND[kind], {"adapter.rank": [1, rank]}), tmp_path / "runs")
    assert error.field == "adapter.rank"
    assert "min(d, k) = 4" in error.expected
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("kind", "sweep"),
    [
        ("loreft", {"adapter.rank": [1, 2]}),
        ("dora", {"domain.a": [0.5, 9.0]}),
        ("frozen-a", {"adapter.gain": [1.0, 1e200]}),
    ],
)
def test_what_a_claim_says_nothing_of_is_found_before_anything_runs(kind, sweep, tmp_path):
    """The rank-1 claim at rank 2, columns that may vanish, a frozen factor whose norm is beyond the floats."""
    refused(measure, changed(OF_KIND[kind], sweep), tmp_path / "runs")
    assert not (tmp_path / "runs").exists()
