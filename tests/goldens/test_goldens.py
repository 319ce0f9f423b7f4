"""What is frozen is as it was."""

import pytest

from tests.goldens.made import FOLDER, GOLDENS, differences, schema
from tests.layers import sampled


@sampled(7, 6)
@pytest.mark.parametrize("name", GOLDENS)
def test_golden(name, command):
    golden = GOLDENS[name]
    found = list(differences(golden.make(command), golden.kept, golden.relative))
    assert found == [], "a run that comes to something else needs another NUMERICS"


def test_every_file_is_a_golden():
    assert {golden.path for golden in GOLDENS.values()} == set(FOLDER.iterdir())


@pytest.mark.parametrize(
    "new, relative, count",
    [
        ({"a": 1.0, "b": [True, None]}, 0.0, 0),
        ({"a": 1.0 + 1e-8, "b": [True, None]}, 1e-7, 0),
        ({"a": 1.0 + 1e-8, "b": [True, None]}, 0.0, 1),
        ({"a": 1.0, "b": [1, None]}, 1.0, 1),
        ({"a": 1.0, "b": [True]}, 1.0, 1),
        ({"a": 1.0, "c": [True, None]}, 1.0, 2),
        ({"a": float("nan"), "b": [True, None]}, 1.0, 1),
    ],
)
def test_what_changes_is_seen(new, relative, count):
    assert len(list(differences(new, {"a": 1.0, "b": [True, None]}, relative))) == count


def test_a_schema_has_the_types_of_all_entries():
    assert schema({"a": [1, 2, None], "b": "x"}) == {"a": ["NoneType", "int"], "b": "str"}
