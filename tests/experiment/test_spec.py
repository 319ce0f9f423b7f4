"""Spec files: what is wrong is named by its dotted field in one line, and lists expand to every combination."""

import itertools

import pytest

from boundcheck.experiment import measure
from boundcheck.experiment.spec import Spec, adapters_of, expand, parse, specs_of
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.language.catalogue import catalogue
from boundcheck.system.tables import combinations

from .small import BRACKET_TABLE, MEASURABLE, OF_KIND, THEOREM_TABLE, THEOREMS, changed, refused, theorem_table

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

BAD_SCALES = (
    "",
    "16",
    "r",
    "r/16",
    "16/R",
    "16/k",
    "16/r/r",
    "16/r^2",
    "16/sqrt(r",
    "16//r",
    "0/r",
    "-1/r",
    "nan/r",
    "inf/r",
)

# Field, a value it cannot take, and words that must be in what was expected.
BAD_FIELDS = [
    ("claim", "jiang2024.theorem3", "an id of the catalogue, such as jiang2024.theorem2"),
    ("claim", "jiang2024.rate", "a theorem with a step size"),
    ("claim", "jiang2024.assumption1", "a theorem with a step size"),
    ("claim", 2, "string"),
    ("seed", -1, "a number greater than or equal to 0"),
    ("seed", 1.5, "integer"),
    ("lipschitz", "C", "'sigma' or 'sqrt(r) sigma'"),
    ("problem", 3, "table"),
    ("problem.kind", "mnist", "'logistic', 'two-layer', 'readout', 'pseudo-huber', 'digits', 'breast-cancer'"),
    ("problem.d", 0, "a number greater than 0"),
    ("problem.k", 2.0, "integer"),
    ("problem.samples", "8", "integer"),
    ("problem.delta", 0.0, "a number greater than 0"),
    ("problem.delta", float("nan"), "finite number"),
    ("run.step", 4, "no such field; did you mean run.steps?"),
    ("adapter.rnak", 4, "no such field; did you mean adapter.rank?"),
    ("adapter", "lora", "table"),
    ("adapter.kind", "galore", "'lora'"),
    ("adapter.kind", "dora", "lora or direft"),
    ("adapter.rank", 0, "a number greater than 0"),
    ("adapter.rank", "2", "integer"),
    ("adapter.scale", 0, "a number greater than 0"),
    ("adapter.scale", False, "number"),
    *(("adapter.scale", text, '"16/r" or "16/sqrt(r)"') for text in (*BAD_SCALES, "9" * 400 + "/r")),
    ("adapter.gain", -1.0, "a number greater than 0"),
    ("domain.a", 0.0, "a number greater than 0"),
    ("domain.b", float("inf"), "finite number"),
    ("domain.sigma", 1.0, "no such field"),
    ("run.steps", 0, "a number greater than 0"),
    ("run.steps", "many", "'informative'"),
    ("run.steps", 1e4, "integer"),
    ("run.batch", 0, "a number greater than 0"),
    ("run.batch", "full", "'balanced'"),
    ("run.zeta", 0.0, "a number greater than 0"),
    ("run.zeta", "1", "number"),
    ("run.replicas", 1, "a number greater than or equal to 2"),
    ("run.audits", 0, "a number greater than 0"),
    ("run.audits", 111, "at most run.steps = 110"),
    ("run.level", 0.5, "a number greater than 0.5"),
    ("run.level", 1.0, "a number less than 1"),
    ("run.epochs", 3, "no such field"),
    ("bracket", {"pairs": 3}, "no such table"),
    ("optimizer", "adam", "no such field"),
    ("Claim", "x", "no such field"),
]
BAD_BRACKET_FIELDS = [
    ("bracket.pairs", 0, "a number greater than 0"),
    ("bracket.iterates", -1, "a number greater than 0"),
    ("bracket.pair", 5, "no such field"),
    ("run", {"steps": 5}, "no such table"),
    *(("claim", id, "a lemma about LoRA") for id in ("meft.frozen_a", "meft.vera", "meft.layers", "meft.composition")),
]
# One good list for each kind of field: text, number, number or word, table.
SWEEPS = {
    "claim": ["meft.theorem2_repaired", "jiang2024.theorem2"],
    "seed": [0, 1, 2],
    "problem": [{"kind": "digits"}, THEOREM_TABLE["problem"]],
    "problem.delta": [0.5, 1, 2.0],
    "adapter.scale": [1.0, 2, "16/r", "16/sqrt(r)"],
    "domain.a": [1.0, 2.0],
    "run.steps": [200, "informative"],
    "run.level": [0.9, 0.99],
}


@pytest.mark.parametrize(("field", "value", "expected"), BAD_FIELDS)
def test_a_bad_field_of_a_theorem_is_named(field, value, expected):
    error = refused(parse, changed(THEOREM_TABLE, {field: value}))
    assert error.field == field
    assert expected in error.expected


@pytest.mark.parametrize(("field", "value", "expected"), BAD_BRACKET_FIELDS)
def test_a_bad_field_of_a_bracket_is_named(field, value, expected):
    error = refused(parse, changed(BRACKET_TABLE, {field: value}))
    assert error.field == field
    assert expected in error.expected


@pytest.mark.parametrize("field", ["claim", "problem", "problem.kind", "adapter", "adapter.rank"])
def test_a_missing_field_is_named(field):
    error = refused(parse, changed(THEOREM_TABLE, {field: None}))
    assert (error.field, error.value) == (field, NOT_GIVEN)


def test_the_value_is_in_the_message():
    assert str(refused(parse, theorem_table(adapter__rank=0))) == "adapter.rank = 0: expected a number greater than 0"


@pytest.mark.parametrize("field", ["claim", "lipschitz", "run.steps", "problem.kind"])
def test_a_value_of_several_lines_makes_a_message_of_one(field):
    assert refused(parse, changed(THEOREM_TABLE, {field: "two\nlines"})).field == field


@pytest.mark.parametrize("id", list(catalogue))
def test_every_claim_is_run_bracketed_or_refused(id):
    claim = catalogue[id]
    if id in (*MEASURABLE, "ward2019.adagrad_norm", "bottou2018.theorem4_7", "meft.relora", "meft.adaptive_gd"):
        kind = adapters_of(claim)[0]
        domain = {} if kind == "full" or any(p.name == "a_1" for p in claim.parameters) else THEOREM_TABLE["domain"]
        run = {} if "zeta" not in {p.name for p in claim.parameters} else THEOREM_TABLE["run"]
        run = run | ({"step_size": 0.1} if any(p.name in ("eta", "omega") for p in claim.parameters) else {})
        given = {p.name: 0.5 for p in claim.parameters if p.name in ("beta", "delta", "gamma")}
        given |= {p.name: 7 for p in claim.parameters if p.name == "period"}
        run = run | ({"given": given} if given else {})
        adapter = {"kind": kind} | ({} if kind == "full" else {"rank": 2})
        spec = parse(theorem_table(claim=id, adapter=adapter, domain={} if kind == "frozen-a" else domain, run=run))
        assert not spec.is_bracket
        assert parse(spec.as_json()) == spec
    elif any(id in adapter.claims for adapter in ADAPTERS.values()):
        kind = next(kind for kind, adapter in ADAPTERS.items() if id in adapter.claims)
        assert parse(OF_KIND[kind] | {"claim": id}).is_bracket
    else:
        assert refused(parse, theorem_table(claim=id)).field == "claim"


@pytest.mark.parametrize("device", ["cuda:99", "gpu", "", "meta"])
def test_a_device_that_is_not_there_is_named(device, tmp_path):
    assert refused(measure, THEOREM_TABLE, tmp_path / "runs", device).field == "device"
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("field", SWEEPS)
def test_a_list_in_any_field_is_a_sweep(field):
    values = SWEEPS[field]
    specs = list(expand(changed(THEOREM_TABLE, {field: values})))
    assert specs == [parse(changed(THEOREM_TABLE, {field: value})) for value in values]


def test_lists_expand_to_the_cartesian_product_in_the_order_of_writing():
    table = theorem_table(adapter__rank=[1, 2, 3], run__zeta=[1.0, 2.0], seed=[7, 8])
    found = [(each.adapter.rank, each.run.zeta, each.seed) for each in expand(table)]
    assert found == list(itertools.product([1, 2, 3], [1.0, 2.0], [7, 8]))


def test_no_list_is_one_experiment():
    assert list(expand(THEOREM_TABLE)) == [Spec.model_validate(THEOREM_TABLE)]


def test_expanding_leaves_the_table_as_it_was():
    table = theorem_table(adapter__rank=[1, 2])
    assert list(expand(table)) == list(expand(table))
    assert table == theorem_table(adapter__rank=[1, 2])


@pytest.mark.parametrize("field", [*SWEEPS, "problem.d", "run.replicas", "nonsense"])
def test_an_empty_list_is_named(field):
    error = refused(list, expand(changed(THEOREM_TABLE, {field: []})))
    assert error.field == field
    assert "at least one value" in error.expected


def test_a_sweep_that_nobody_waits_for_is_refused_at_once():
    fields = ("seed", "adapter.rank", "run.steps", "run.replicas", "run.batch")
    many = changed(THEOREM_TABLE, {field: list(range(1, 1001)) for field in fields})
    assert refused(list, expand(many)).value == "1e+15 combinations"
    assert len(list(combinations({"a": list(range(100)), "b": {"c": list(range(100))}}))) == 10_000


@pytest.mark.parametrize(
    ("field", "values"), [("adapter.rank", [1, 0]), ("run.steps", [200, "no"]), ("seed", [[1, 2]])]
)
def test_one_bad_value_in_a_list_is_named(field, values):
    assert refused(list, expand(changed(THEOREM_TABLE, {field: values}))).field == field


@pytest.mark.parametrize("claim", THEOREMS)
def test_a_default_spec_is_good(claim):
    spec = parse({"claim": claim, "problem": {"kind": "digits"}, "adapter": {"rank": 4}})
    assert (spec.run.steps, spec.run.batch, spec.domain.a) == ("informative", "balanced", None)


def test_a_toml_file_is_read(tmp_path):
    path = tmp_path / "spec.toml"
    path.write_text(GOOD_TOML.replace("rank = 4", "rank = [4, 8]"))
    assert [each.adapter.rank for each in specs_of(path)] == [4, 8]


@pytest.mark.parametrize(
    ("content", "field", "words"),
    [
        (b"claim = ", "SPEC", "valid TOML"),
        (b"claim = 'a'\nclaim = 'b'", "SPEC", "valid TOML"),
        (b"[problem\nkind = 1", "SPEC", "valid TOML"),
        (b"\xff\xfe", "SPEC", "readable TOML"),
        (GOOD_TOML.replace('"digits"', "1979-05-27").encode(), "problem.kind", "'digits', 'breast-cancer'"),
    ],
)
def test_a_bad_toml_file_is_explained(tmp_path, content, field, words):
    path = tmp_path / "spec.toml"
    path.write_bytes(content)
    error = refused(specs_of, path)
    assert error.field == field
    assert words in error.expected


@pytest.mark.parametrize("name", ["missing.toml", ""])
def test_a_file_that_cannot_be_read_is_named(tmp_path, name):
    error = refused(specs_of, tmp_path / name)
    assert (error.field, error.value) == ("SPEC", tmp_path / name)


def test_a_list_holds_whatever_one_experiment_may_be_given_as(tmp_path):
    path, table = tmp_path / "spec.toml", theorem_table(adapter={"rank": [1, 2]})
    path.write_text(GOOD_TOML)
    specs = specs_of([table, str(path), parse(theorem_table())])
    assert [each.adapter.rank for each in specs] == [1, 2, 4, 2]
    assert specs_of([]) == []


@pytest.mark.parametrize("given", [7, None, [theorem_table(), 7]])
def test_what_is_no_experiment_is_refused(given):
    error = refused(specs_of, given)
    assert (error.field, error.value) == ("spec", type(given).__name__ if not isinstance(given, list) else "int")
