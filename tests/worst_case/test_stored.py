"""Stored instances that say more than was read, or pass for another claim: refused by name, shown
as what they say."""

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from sympy import Le, MatrixSymbol, Symbol

from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import L
from boundcheck.language.vocabulary import FrobeniusNorm, SpectralNorm
from boundcheck.properties import check_claim
from boundcheck.system.files import parse_json
from boundcheck.worst_case import falsify
from boundcheck.worst_case.instance import certify
from boundcheck.worst_case.relation import Assignment
from boundcheck.worst_case.stored import load, replayed, save
from tests.experiment.small import refused
from tests.layers import examples
from tests.worst_case.small import about, instance_of, run

X = MatrixSymbol("X", 2, 2)
Z = MatrixSymbol("Z", 2, Symbol("n", positive=True, integer=True))
TRUE = Le(SpectralNorm(X), FrobeniusNorm(X))
FALSE = Le(FrobeniusNorm(X), SpectralNorm(X))


def assigned(claim):
    return Assignment(
        claim, {letter.name: np.eye(2) for letter in claim.conclusion.atoms(MatrixSymbol)}, {}
    )


def own(id="mine", conclusion=FALSE, **more):
    return Claim(id, "Mine", "test", conclusion, **more)


STORED = {
    "of the catalogue": instance_of("lora"),
    "of its own": replace(instance_of("lora"), claim=replace(instance_of("lora").claim, id="mine")),
    "a run": run(),
    "a relation": Assignment(
        own(conclusion=Le(FrobeniusNorm(Z), SpectralNorm(Z)), hypotheses=(own("given 1", TRUE),)),
        {"X": np.eye(2), "Z": np.array([[0.1, 1 / 3], [1e-300, -0.0]])},
        {"n": 2.0},
    ),
}


def written(data, path):
    path.write_text(json.dumps(data))
    return path


def tables(value, path=()):
    """The paths to all tables in plain data."""
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    found = [place for key, each in inner for place in tables(each, (*path, key))]
    return [path, *found] if isinstance(value, dict) else found


@pytest.mark.parametrize("kind", STORED)
def test_what_is_stored_is_read_back_as_it_was(kind, tmp_path):
    made = STORED[kind]
    save(made, tmp_path / "made.json")
    again, found = replayed(tmp_path / "made.json", made.claim)
    assert again.as_json() == made.as_json()
    assert again.claim == made.claim
    assert again.title == made.title
    assert str(again) == str(made)
    assert found == certify(made)


WRONG = {
    "a run": [
        ({"steps": 0}, "steps"),
        ({"steps": 1.5}, "instance.steps"),
        ({"radii": {"a": 2.0, "b": -2.0}}, "radii.b"),
        ({"radii": {"a": 0.5, "b": 2.0}}, "v.A"),
        ({"objective": {"knots": [[1, 2], [0, 1]], "direction": [[1]], "offset": 0}}, "knots"),
        ({"objective": {"knots": [[1, 2, 3]], "direction": [[1]], "offset": 0}}, "objective.knots"),
        ({"objective": {"knots": [[0, -1], [1, 1]], "direction": [[0]], "offset": 0}}, "direction"),
        ({"v": {"A": [[1.0]]}}, "v.B"),
        ({"lipschitz": "L"}, "lipschitz"),
        ({"given": {"x": -1}}, "given.x"),
        ({"given": {"D": 1e-9}}, "given.D"),
        ({"given": {"eta": 0.1}}, "given.eta"),
        (about("meft.theorem2_any_step"), "eta"),
        (about("meft.theorem2_any_step") | {"given": {"eta": 1e3}}, "eta"),
        (about("nesterov2004.gradient_descent"), "objective.offset"),
        (
            {"objective": {"knots": [[0, -1], [1, 1]], "direction": [[1]], "offset": -1}},
            "objective.offset",
        ),
        (about("jiang2024.lemma1"), "claim"),
        ({"digest": "0" * 64}, "instance.digest"),
        ({"adapter": {"kind": "dora", "W0": [[1.0]], "rank": 1, "scale": 1.0}}, "v.m"),
    ],
    "a relation": [
        ({"kind": "other"}, "instance.kind"),
        ({"claim": "no.such.claim"}, "instance.claim"),
        ({"claim": 3}, "instance.claim"),
        ({"matrices": {}}, "matrices.X"),
        ({"matrices": {"X": [[1.0]], "Z": [[1.0, 0.0], [0.0, 1.0]]}}, "matrices.X"),
        ({"matrices": {"X": [[1.0, "x"], [0.0, 1.0]]}}, "matrices.X"),
        ({"numbers": {}}, "numbers.n"),
        ({"numbers": {"n": 10**9}}, "numbers.n"),
        ({"numbers": {"n": float("nan")}}, "--replay"),
    ],
}


@pytest.mark.parametrize(
    "kind, change, field", [(kind, *row) for kind, rows in WRONG.items() for row in rows]
)
def test_a_wrong_field_is_refused_by_its_name(kind, change, field, tmp_path):
    own = None if change.get("claim") in catalogue else STORED[kind].claim
    file = written(STORED[kind].as_json() | change, tmp_path / "bad.json")
    assert refused(load, file, own).field == field


@pytest.mark.parametrize("kind", STORED)
def test_an_unknown_field_is_refused_in_every_table(kind, tmp_path):
    data = STORED[kind].as_json()
    assert len(tables(data)) > (2 if kind == "a relation" else 3)
    for path in tables(data):
        table = changed = json.loads(json.dumps(data))
        for key in path:
            table = table[key]
        table["colour"] = 1
        error = refused(load, written(changed, tmp_path / "bad.json"), STORED[kind].claim)
        assert error.field == ".".join([*map(str, path or ["instance"]), "colour"])


@pytest.mark.parametrize(
    "id",
    [
        # What another relation is called by.
        str(TRUE),
        "jiang2024.lemma1 ",
        " jiang2024.lemma1",
        "Jiang2024.Lemma1",
        "jiang2024.lemma9",
        "jiang2024, Lemma 1",
        "ji\u0430ng2024.lemma1",
        "jiang2024\u200b.lemma1",
        "jiang2024.lemma1",
        "mine\nX <= 1",
        "\u202emine",
        "[bold]mine",
        "X <= 1",
    ],
    ids=ascii,
)
def test_what_passes_for_another_claim_is_refused(id):
    assert refused(check_claim, own(id)).field == "claim.id"
    # In the place of a hypothesis too, and where it is searched.
    hypothesis = own(id if id != str(TRUE) else str(FALSE), TRUE)
    assert refused(check_claim, own(hypotheses=(hypothesis,))).field == "claim.id"
    assert (
        refused(falsify, replace(catalogue["meft.lemma1_sharp"], id=id, title="")).field
        == "claim.id"
    )


CLAIMS = st.sampled_from([each.claim for each in STORED.values()])


@examples(30)
@given(st.sampled_from([*STORED]), CLAIMS, st.sampled_from(["id", "digest", "formula"]))
def test_an_instance_is_replayed_with_its_own_claim_alone(kind, other, change):
    """A claim that says anything else, whatever its id is, is refused in one line."""
    made = STORED[kind]
    other = {
        "id": replace(made.claim, id=f"{made.claim.id}2"),
        "digest": other,
        "formula": replace(made.claim, conditions=(*made.claim.conditions, Le(1, L))),
    }[change]
    with TemporaryDirectory() as folder:
        save(made, file := Path(folder) / "made.json")
        assert replayed(file, made.claim)[1] == certify(made)
        if other.digest != made.claim.digest:
            error = refused(replayed, file, other)
            assert error.field in ("instance.claim", "instance.digest")
            assert "\n" not in str(error)
        if made.claim.id not in catalogue:
            assert refused(replayed, file).field == "instance.claim"


def test_letters_that_look_like_others_are_refused():
    other = MatrixSymbol("\u0425", 2, 2)
    relation = Le(FrobeniusNorm(X), FrobeniusNorm(other))
    assert refused(check_claim, own("mine", relation)).field == "claim"


# The JSON that is read.

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10
)


@examples(100)
@given(JSON)
def test_what_is_written_is_read(value):
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value, ensure_ascii=False)) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "NaN",
        "[Infinity]",
        "-Infinity",
        "1e999",
        "[-1e999]",
        "[" * 10**5,
        '{"a":' * 10**5,
        "9" * 5000,
        '{"a": 1, "a": 1}',
        '[{"b": {"a": 1, "a": 2}}]',
        '{"a": 1, "\\u0061": 2}',
        '"\\ud800"',
        '{"\\udfff": 1}',
    ],
    ids=lambda text: text[:20],
)
def test_what_readers_would_read_differently_is_refused(text):
    with pytest.raises(ValueError, match=r".") as caught:
        parse_json(text)
    assert "\n" not in str(caught.value)
