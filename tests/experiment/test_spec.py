"""Specs: what is wrong is named by its dotted field in one line, and lists expand to every
combination."""

import copy
import itertools
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.errors import InputError
from boundcheck.experiment import measure
from boundcheck.experiment.experiment import prepare
from boundcheck.experiment.spec import adapters_of, expand, parse, specs_of
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.language.catalogue import catalogue
from boundcheck.system.limits import silent
from boundcheck.system.tables import combinations
from tests import layers
from tests.layers import examples

from .small import (
    BRACKET_TABLE,
    DOMAINS,
    MEASURABLE,
    OF_KIND,
    THEOREM_TABLE,
    changed,
    each_kind,
    refused,
    theorem_table,
)

GOOD_TOML = """
claim = "meft.theorem2_repaired"
[problem]
kind = "digits"
[adapter]
rank = 4
[run]
replicas = 4
"""
NOT_GIVEN = "(not given)"

BAD_SCALES = [
    "",
    "16",
    "r/16",
    "16/R",
    "16/r/r",
    "16/sqrt(r",
    "0/r",
    "-1/r",
    "nan/r",
]

# Field, a value it cannot take, and words that must be in what was expected.
BAD_FIELDS = {
    "claim": ["jiang2024.theorem3", "jiang2024.rate", 2, "two\nlines"],
    "seed": [-1],
    "lipschitz": ["C"],
    "problem": [3],
    "problem.kind": ["mnist"],
    "problem.d": [0, 10**6],
    "problem.samples": [10**11],
    "problem.k": [2.0],
    "problem.delta": [0.0, float("nan")],
    "adapter": ["lora"],
    "adapter.kind": ["galore", "dora"],
    "adapter.rnak": [4],
    "adapter.rank": [0],
    "adapter.scale": [0, *BAD_SCALES, "9" * 400 + "/r"],
    "adapter.gain": [-1.0],
    "domain.a": [0.0],
    "domain.b": [float("inf")],
    "domain.sigma": [1.0],
    "run.step": [4],
    "run.steps": [0, "many", 1e4, "two\nlines"],
    "run.batch": [0, "full"],
    "run.zeta": [0.0],
    "run.replicas": [1, 10**9],
    "run.audits": [0, 111],
    "run.level": [0.5, 1.0],
    "run.epochs": [3],
    "bracket": [{"pairs": 3}],
    "optimizer": ["adam"],
    "Claim": ["x"],
}
BAD_BRACKET_FIELDS = {
    "bracket.pairs": [0],
    "bracket.iterates": [-1],
    "bracket.pair": [5],
    "run": [{"steps": 5}],
    "claim": ["meft.frozen_a", "meft.layers", "meft.composition"],
}
BAD_PROBLEMS = {
    "two-layer": ("hidden", 0),
    "readout": ("components", 62),
    "least-squares": ("noise", 0.0),
    "extremal": ("G", float("inf")),
}
# One good list for each kind of field: text, number, number or word, table.
SWEEPS = {
    "claim": ["meft.theorem2_repaired", "jiang2024.theorem2"],
    "seed": [0, 1, 2],
    "problem": [{"kind": "digits"}, THEOREM_TABLE["problem"]],
    "adapter.scale": [1.0, 2, "16/r", "16/sqrt(r)"],
    "run.steps": [200, "informative"],
}


BAD = [
    *((THEOREM_TABLE, *each) for each in BAD_FIELDS.items()),
    *((BRACKET_TABLE, *each) for each in BAD_BRACKET_FIELDS.items()),
    *(
        (changed(BRACKET_TABLE, {"problem": {"kind": kind}}), f"problem.{field}", [value])
        for kind, (field, value) in BAD_PROBLEMS.items()
    ),
]


@layers.sampled(4)
@pytest.mark.parametrize("table, field, values", BAD)
def test_a_bad_field_is_named_in_one_line(table, field, values):
    for value in values:
        assert refused(parse, changed(table, {field: value})).field == field


@pytest.mark.parametrize("field", ["claim", "problem", "problem.kind", "adapter", "adapter.rank"])
def test_a_missing_field_is_named(field):
    error = refused(parse, changed(THEOREM_TABLE, {field: None}))
    assert error.field == field
    assert error.value == NOT_GIVEN


@pytest.mark.parametrize("id", list(catalogue))
def test_every_claim_is_run_bracketed_or_refused(id):
    claim = catalogue[id]
    if id in (
        *MEASURABLE,
        "ward2019.adagrad_norm",
        "bottou2018.theorem4_7",
        "meft.relora",
        "meft.adaptive_gd",
    ):
        kind = adapters_of(claim)[0]
        domain = (
            {}
            if kind == "full" or any(p.name == "a_1" for p in claim.parameters)
            else THEOREM_TABLE["domain"]
        )
        run = {} if "zeta" not in {p.name for p in claim.parameters} else THEOREM_TABLE["run"]
        run = run | (
            {"step_size": 0.1} if any(p.name in ("eta", "omega") for p in claim.parameters) else {}
        )
        given = {p.name: 0.5 for p in claim.parameters if p.name in ("beta", "delta", "gamma")}
        given |= {p.name: 7 for p in claim.parameters if p.name == "period"}
        run = run | ({"given": given} if given else {})
        adapter = {"kind": kind} | ({} if kind == "full" else {"rank": 2})
        spec = parse(
            theorem_table(
                claim=id, adapter=adapter, domain={} if kind == "frozen-a" else domain, run=run
            )
        )
        assert not spec.is_bracket
        assert parse(spec.as_json()) == spec
    elif any(id in adapter.claims for adapter in ADAPTERS.values()):
        kind = next(kind for kind, adapter in ADAPTERS.items() if id in adapter.claims)
        assert parse(OF_KIND[kind] | {"claim": id}).is_bracket
    else:
        assert refused(parse, theorem_table(claim=id)).field == "claim"


@pytest.mark.parametrize("device", ["cuda:99", "gpu", "", "meta"])
def test_a_device_that_is_not_there_is_named(device, tmp_path):
    assert refused(measure, THEOREM_TABLE, tmp_path / "runs", device=device).field == "device"
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("field", SWEEPS)
def test_a_list_in_any_field_is_a_sweep(field):
    values = SWEEPS[field]
    specs = list(expand(changed(THEOREM_TABLE, {field: values})))
    assert specs == [parse(changed(THEOREM_TABLE, {field: value})) for value in values]


def test_lists_expand_to_the_cartesian_product_in_the_order_of_writing():
    table = theorem_table(
        adapter={"rank": [1, 4, 16], "scale": ["16/r", "16/sqrt(r)", 3.0]}, seed=[7, 8]
    )
    found = [(each.adapter.rank, each.adapter.scale, each.seed) for each in expand(table)]
    assert found == list(itertools.product([1, 4, 16], ["16/r", "16/sqrt(r)", 3.0], [7, 8]))
    assert [each.adapter.factor for each in expand(table)][::2] == [16, 16, 3, 4, 8, 3, 1, 4, 3]


@pytest.mark.parametrize("field", [*SWEEPS, "problem.d", "run.replicas", "nonsense"])
def test_an_empty_list_is_named(field):
    assert refused(list, expand(changed(THEOREM_TABLE, {field: []}))).field == field


def test_a_sweep_that_nobody_waits_for_is_refused_at_once():
    fields = ("seed", "adapter.rank", "run.steps", "run.replicas", "run.batch")
    many = changed(THEOREM_TABLE, {field: list(range(1, 1001)) for field in fields})
    assert refused(list, expand(many)).value == "1e+15 combinations"
    assert len(list(combinations({"a": list(range(100)), "b": {"c": list(range(100))}}))) == 10_000


@pytest.mark.parametrize(
    "content",
    [
        b"claim = ",
        b"claim = 'a'\nclaim = 'b'",
        b"[problem\nkind = 1",
        b"\x00",
        b"seed = 1e",
        b"seed = 1\n" * 100_000,
        b"a" + b".a" * 5000,
        *(b"seed = " + digits * 5000 for digits in (b"9", b"[", b"{a = ")),
        b"\xff\xfe",
    ],
)
def test_a_bad_toml_file_is_refused(tmp_path, content):
    (path := tmp_path / "spec.toml").write_bytes(content)
    assert refused(specs_of, path).field == "SPEC"


def test_a_list_holds_whatever_one_experiment_may_be_given_as_and_nothing_else(tmp_path):
    path = tmp_path / "spec.toml"
    table = theorem_table(adapter={"rank": [1, 2]})
    path.write_text(GOOD_TOML.replace("rank = 4", "rank = [4, 8]"))
    specs = specs_of([table, str(path), path, parse(theorem_table())])
    assert [each.adapter.rank for each in specs] == [1, 2, 4, 8, 4, 8, 2]
    assert specs_of([]) == []
    for wrong, kind in ((7, "int"), (None, "NoneType"), ([theorem_table(), 7], "int")):
        error = refused(specs_of, wrong)
        assert error.field == "spec"
        assert error.value == kind
    for name in ("missing.toml", ""):
        error = refused(specs_of, tmp_path / name)
        assert error.field == "SPEC"
        assert error.value == tmp_path / name


@each_kind
def test_a_bracket_needs_every_radius_of_its_adapter_and_no_other(kind):
    for name in ("a", "b", "mu", "nu", "rho"):
        given = name in DOMAINS[kind]
        error = refused(parse, changed(OF_KIND[kind], {f"domain.{name}": None if given else 1.0}))
        assert error.field == f"domain.{name}"
        assert error.value == (NOT_GIVEN if given else 1.0)
        assert all(radius in error.expected for radius in (*DOMAINS[kind], kind))
    assert refused(parse, changed(OF_KIND[kind], {"domain": None})).field in {
        f"domain.{x}" for x in DOMAINS[kind]
    }


@pytest.mark.parametrize("field", ["domain.mu", "domain.nu", "domain.rho"])
@pytest.mark.parametrize("given", [{}, {"a": 1.0}, {"b": 1.0}])
def test_a_radius_that_the_theorem_has_not_is_named_and_not_one_that_it_may_leave_out(field, given):
    error = refused(parse, changed(THEOREM_TABLE, {"domain": dict(given), field: 2.0}))
    assert error.field == field
    assert error.value == 2.0


@each_kind
def test_every_adapter_but_full_fine_tuning_has_a_rank(kind):
    other = None if kind != "full" else 2
    error = refused(parse, changed(OF_KIND[kind], {"adapter.rank": other}))
    assert error.field == "adapter.rank"
    assert error.value == (NOT_GIVEN if other is None else 2)
    assert kind in error.expected


@each_kind
@pytest.mark.parametrize("scale", [2.0, "16/r", "16/sqrt(r)"])
def test_a_scale_is_refused_by_the_adapters_that_have_none(kind, scale):
    table = changed(OF_KIND[kind], {"adapter.scale": scale})
    if "scale" not in ADAPTERS[kind].options:
        error = refused(parse, table)
        assert error.field == "adapter.scale"
        assert error.value == scale
        assert "no scale" in error.expected
    else:
        assert parse(table).adapter.factor == {"16/r": 8.0, "16/sqrt(r)": 16 / math.sqrt(2)}.get(
            scale, scale
        )
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
    factor = parse(
        changed(BRACKET_TABLE, {"adapter": {"rank": rank, "scale": text}})
    ).adapter.factor
    assert factor == pytest.approx(float(alpha) / (rank**0.5 if root else rank), rel=1e-15)


PROBLEMS = {
    "digits": {},
    "breast-cancer": {},
    "two-layer": {"hidden": 3, "seed": 1},
    "readout": {"components": 5},
    "least-squares": {"d": 3, "k": 2, "samples": 5, "noise": 0.1, "seed": 3},
    "extremal": {"d": 3, "k": 2, "L": 2.0, "G": 0.5},
    "pseudo-huber": {
        "d": 3,
        "k": 2,
        "samples": 5,
        "delta": 0.1,
        "signal": 2.0,
        "noise": 0.1,
        "seed": 3,
    },
}


@pytest.mark.parametrize("kind", PROBLEMS)
def test_every_kind_of_problem_is_read_with_its_fields_or_without(kind):
    for fields in ({}, PROBLEMS[kind]):
        spec = parse(changed(BRACKET_TABLE, {"problem": {"kind": kind, **fields}}))
        stored = spec.as_json()["problem"]
        assert stored.items() >= {"kind": kind, **fields}.items()
        assert parse(spec.as_json()) == spec


@pytest.mark.parametrize("kind", sorted(set(ADAPTERS) - {"full"}))
@pytest.mark.parametrize("rank", [5, 10**12])
def test_a_rank_that_the_shape_forbids_is_found_in_every_adapter(kind, rank, tmp_path):
    # DiReFT and LoReFT have a column more, and no rank more. The first rank is one of which every
    # claim speaks.
    assert (
        refused(
            measure, changed(OF_KIND[kind], {"adapter.rank": [1, rank]}), tmp_path / "runs"
        ).field
        == "adapter.rank"
    )
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "kind, sweep",
    [
        ("loreft", {"adapter.rank": [1, 2]}),
        ("dora", {"domain.a": [0.5, 9.0]}),
        ("frozen-a", {"adapter.gain": [1.0, 1e200]}),
    ],
)
def test_what_a_claim_says_nothing_of_is_found_before_anything_runs(kind, sweep, tmp_path):
    """The rank-1 claim at rank 2, columns that may vanish, a frozen factor whose norm is beyond the
    floats."""
    refused(measure, changed(OF_KIND[kind], sweep), tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


TEXTS = st.sampled_from(
    [
        "",
        "x",
        "informative",
        "9**9**9",
        "bound/2.5",
        "bound.ｄｏｉｔ()",
        "1e999",
        "-" * 3000 + "1",
        "16/r",
        "1e300/r",
        "\x00",
        "<b>",
    ]
)
NUMBERS = st.one_of(
    st.sampled_from(
        [
            0,
            -1,
            10**9,
            2**63,
            2**64,
            10**400,
            1e-320,
            1e308,
            float("inf"),
            float("nan"),
            1e-300,
            1e30,
        ]
    ),
    st.integers(),
    st.floats(),
)
VALUES = st.recursive(
    st.one_of(TEXTS, NUMBERS, st.booleans()),
    lambda part: st.one_of(
        st.lists(part, max_size=3), st.dictionaries(st.sampled_from("abdk"), part, max_size=2)
    ),
    max_leaves=4,
)
PATHS = (
    "claim",
    "seed",
    "lipschitz",
    "problem",
    "adapter",
    "domain",
    "assume",
    "run",
    "bracket",
    "extra",
)
FIELDS = (
    "kind",
    "d",
    "k",
    "samples",
    "delta",
    "noise",
    "rank",
    "gain",
    "scale",
    "a",
    "b",
    "bound",
    "Lhat",
    "L",
    "D",
)
FIELDS += (
    "steps",
    "batch",
    "zeta",
    "replicas",
    "audits",
    "level",
    "step_size",
    "sampling",
    "start",
    "extra",
)


# A folder with no runs in it.
NOWHERE = Path("there_is_no_such_folder")


@examples(300)
@given(
    st.lists(
        st.tuples(st.sampled_from(PATHS), st.sampled_from(FIELDS), VALUES), min_size=1, max_size=3
    )
)
def test_a_malformed_spec_ends_in_one_line(changes):
    table = copy.deepcopy(theorem_table())
    for path, field, value in changes:
        if isinstance(table.get(path), dict):
            table[path][field] = value
        else:
            table[path] = value
    try:
        for spec in specs_of(table)[:2]:
            prepare(spec, NOWHERE, "cpu", silent)
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017
