"""Specs that are malformed in any way end in one line, at once, whatever they hold; so do files that are no spec."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from boundcheck.errors import InputError
from boundcheck.experiment.experiment import prepare
from boundcheck.experiment.spec import specs_of
from boundcheck.system.limits import silent
from tests.experiment.small import theorem_table
from tests.layers import examples

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
    st.sampled_from([0, -1, 10**9, 2**63, 2**64, 10**400, 1e-320, 1e308, float("inf"), float("nan"), 1e-300, 1e30]),
    st.integers(),
    st.floats(),
)
VALUES = st.recursive(
    st.one_of(TEXTS, NUMBERS, st.booleans()),
    lambda part: st.one_of(st.lists(part, max_size=3), st.dictionaries(st.sampled_from("abdk"), part, max_size=2)),
    max_leaves=4,
)
PATHS = ("claim", "seed", "lipschitz", "problem", "adapter", "domain", "assume", "run", "bracket", "extra")
FIELDS = ("kind", "d", "k", "samples", "delta", "noise", "rank", "gain", "scale", "a", "b", "bound", "Lhat", "L", "D")
FIELDS += ("steps", "batch", "zeta", "replicas", "audits", "level", "step_size", "sampling", "start", "extra")


# A folder with no runs in it.
NOWHERE = Path("there_is_no_such_folder")


@examples(300)
@given(st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from(FIELDS), VALUES), min_size=1, max_size=3))
def test_a_malformed_spec_ends_in_one_line(changes: list[tuple[str, str, Any]]) -> None:
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


@pytest.mark.parametrize(
    "content",
    [
        b"seed = " + b"9" * 5000,
        b"seed = " + b"[" * 5000,
        b"a" + b".a" * 5000 + b" = 1",
        b"seed = 1\n" * 100_000,
        b"\xff\xfe",
        b"\x00",
        b"[problem]\n[problem]",
        b"seed = 1e",
        b"seed = " + b"{a = " * 3000,
    ],
    ids=lambda content: repr(content[:12]),
)
def test_what_is_no_toml_ends_in_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "spec.toml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        specs_of(path)
    assert "\n" not in str(caught.value)
