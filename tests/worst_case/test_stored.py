"""Stored instances that say more than was read, or pass for another claim: refused by name, shown
as what they say."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from sympy import Le, MatrixSymbol, Symbol

from boundcheck.errors import InputError
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.vocabulary import FrobeniusNorm, SpectralNorm
from boundcheck.properties import check_claim
from boundcheck.system.files import parse_json
from boundcheck.worst_case import falsify
from boundcheck.worst_case.instance import certify
from boundcheck.worst_case.relation import Assignment
from boundcheck.worst_case.stored import load, replayed, save
from boundcheck.worst_case.view import show_replay
from tests.experiment.small import refused
from tests.layers import examples
from tests.worst_case.small import instance_of, run

X = MatrixSymbol("X", 2, 2)
Z = MatrixSymbol("Z", 2, Symbol("n", positive=True, integer=True))
TRUE, FALSE = Le(SpectralNorm(X), FrobeniusNorm(X)), Le(FrobeniusNorm(X), SpectralNorm(X))


def assigned(claim: Claim) -> Assignment:
    return Assignment(
        claim, {letter.name: np.eye(2) for letter in claim.conclusion.atoms(MatrixSymbol)}, {}
    )


def own(id: str = "mine", conclusion: Any = FALSE, **more: Any) -> Claim:
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


def written(data: Any, path: Path) -> Path:
    path.write_text(json.dumps(data))
    return path


def tables(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
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
def test_what_is_stored_is_read_back_as_it_was(kind: str, tmp_path: Path) -> None:
    made = STORED[kind]
    save(made, tmp_path / "made.json")
    again, found = replayed(tmp_path / "made.json")
    assert again.as_json() == made.as_json()
    assert (again.claim, again.title, str(again)) == (made.claim, made.title, str(made))
    assert found == certify(made)


WRONG: dict[str, list[tuple[dict[str, Any], str]]] = {
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
        ({"claim": "meft.theorem2_any_step"}, "eta"),
        ({"claim": "meft.theorem2_any_step", "given": {"eta": 1e3}}, "eta"),
        ({"claim": "nesterov2004.gradient_descent"}, "objective.offset"),
        (
            {"objective": {"knots": [[0, -1], [1, 1]], "direction": [[1]], "offset": -1}},
            "objective.offset",
        ),
        ({"claim": "jiang2024.lemma1"}, "claim"),
        ({"adapter": {"kind": "dora", "W0": [[1.0]], "rank": 1, "scale": 1.0}}, "v.m"),
    ],
    "a relation": [
        ({"kind": "other"}, "instance.kind"),
        ({"claim": "no.such.claim"}, "claim"),
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
    ("kind", "change", "field"), [(kind, *row) for kind, rows in WRONG.items() for row in rows]
)
def test_a_wrong_field_is_refused_by_its_name(
    kind: str, change: dict[str, Any], field: str, tmp_path: Path
) -> None:
    assert (
        refused(load, written(STORED[kind].as_json() | change, tmp_path / "bad.json")).field
        == field
    )


@pytest.mark.parametrize("kind", STORED)
def test_an_unknown_field_is_refused_in_every_table(kind: str, tmp_path: Path) -> None:
    data = STORED[kind].as_json()
    assert len(tables(data)) > 3
    for path in tables(data):
        table = changed = json.loads(json.dumps(data))
        for key in path:
            table = table[key]
        table["colour"] = 1
        error = refused(load, written(changed, tmp_path / "bad.json"))
        # A claim among hypotheses is a claim.
        named = [str(key) for key in path if isinstance(key, str) and key != "hypotheses"]
        assert error.field == ".".join([*named, "colour"] if named else ["instance", "colour"])


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
def test_what_passes_for_another_claim_is_refused(id: str, tmp_path: Path) -> None:
    data = assigned(own()).as_json()
    data["claim"]["id"] = id
    assert refused(load, written(data, tmp_path / "bad.json")).field == "claim.id"
    # In the place of a hypothesis too, and where it is searched and not stored.
    data = assigned(own("mine", FALSE, hypotheses=(own("given 1", TRUE),))).as_json()
    data["claim"]["hypotheses"][0]["id"] = id if id != str(TRUE) else str(FALSE)
    assert refused(load, written(data, tmp_path / "bad.json")).field == "claim.id"
    assert (
        refused(falsify, replace(catalogue["meft.lemma1_sharp"], id=id, title="")).field
        == "claim.id"
    )


@pytest.mark.parametrize(
    "id", ["mine", "my paper, Lemma 3 (b)", "not jiang2024.lemma1", "2026.theorem", str(FALSE)]
)
def test_a_claim_of_ones_own_says_what_it_says(id: str, tmp_path: Path) -> None:
    given_ = own("given 1", Le(SpectralNorm(X), 2))
    save(assigned(own(id, hypotheses=(given_,))), tmp_path / "own.json")
    said = [*show_replay(replayed(tmp_path / "own.json"))]
    assert said[0].cells == (
        (
            "A claim of the file's own, which the catalogue does not have: ‖X‖_F <= ‖X‖_op, given"
            " ‖X‖_op <= 2."
        ),
    )
    assert ": violated." in said[1].cells[0]


def test_the_catalogues_own_claim_is_named_alone(tmp_path: Path) -> None:
    save(instance_of("lora"), tmp_path / "lora.json")
    (said,) = [*show_replay(replayed(tmp_path / "lora.json"))]
    assert said.cells[0].startswith(instance_of("lora").claim.id)


def test_a_formula_with_floats_is_read_back_by_its_id(tmp_path: Path) -> None:
    conclusion = Le(FrobeniusNorm(X), 1.1 * SpectralNorm(X))
    save(assigned(own(str(conclusion), conclusion)), tmp_path / "float.json")
    instance, found = replayed(tmp_path / "float.json")
    assert found.violated
    assert instance.claim.id == str(instance.claim.conclusion)


@pytest.mark.parametrize("name", ["X) <= FrobeniusNorm(X", "", " ", "X\n", "[red]X", "1"])
def test_a_letter_is_a_letter(name: str, tmp_path: Path) -> None:
    data = assigned(own()).as_json()
    text = json.dumps(data).replace('"X"', json.dumps(name))
    (tmp_path / "bad.json").write_text(text)
    assert refused(load, tmp_path / "bad.json").field == "claim.conclusion"


def test_letters_that_look_like_others_are_refused() -> None:
    other = MatrixSymbol("\u0425", 2, 2)
    error = refused(check_claim, own("mine", Le(FrobeniusNorm(X), FrobeniusNorm(other))))
    assert "not a name of ASCII letters" in str(error)


def test_a_number_that_is_written_otherwise_is_refused(tmp_path: Path) -> None:
    data = assigned(own("mine", Le(FrobeniusNorm(X), SpectralNorm(X) / 2))).as_json()
    text = json.dumps(data)
    assert text.count('"1/2"') == 1
    for other in ('"2/4"', '"01/2"', '"1/2 "', '"1_0/20"'):
        (tmp_path / "bad.json").write_text(text.replace('"1/2"', other))
        assert refused(load, tmp_path / "bad.json").field.startswith("claim")


@pytest.mark.parametrize(("depth", "read"), [(3, True), (300, None), (450, None), (10_000, False)])
def test_hypotheses_in_hypotheses_are_read_or_end_in_one_line(
    depth: int, read: bool | None, tmp_path: Path
) -> None:
    data = assigned(own()).as_json()
    claim = json.dumps(
        {name: value for name, value in data["claim"].items() if name != "hypotheses"}
    )[:-1]
    inner = f'[{claim}, "hypotheses": ' * depth + "[]" + "}]" * depth
    (tmp_path / "deep.json").write_text(
        json.dumps(data).replace('"hypotheses": []', f'"hypotheses": {inner}', 1)
    )
    said = ""
    try:
        load(tmp_path / "deep.json")
    except InputError as error:
        said = str(error)
    assert "\n" not in said
    assert read in (None, said == "")


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
def test_what_is_written_is_read(value: Any) -> None:
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value, ensure_ascii=False)) == value


@pytest.mark.parametrize(
    "text",
    [
        *(
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
        ),
        *(
            '{"a": 1, "a": 1}',
            '[{"b": {"a": 1, "a": 2}}]',
            '{"a": 1, "\\u0061": 2}',
            '"\\ud800"',
            '{"\\udfff": 1}',
        ),
    ],
    ids=lambda text: text[:20],
)
def test_what_readers_would_read_differently_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_json(text)
    assert "\n" not in str(caught.value)
