"""Every entry of the gallery is refused for its own reason, and its true twin passes."""

import re
from importlib import import_module
from pathlib import Path

import pytest

# Each module with entries, in `CASES`.
FILES = {path.stem for path in Path(__file__).parent.glob("*.py")}
MODULES = tuple(sorted(FILES - {"__init__", "case", "test_gallery"}))
CASES = [
    (module, case) for module in MODULES for case in import_module(f"{__package__}.{module}").CASES
]
IDS = [f"{module}: {case.name}" for module, case in CASES]


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=IDS)
def test_what_is_wrong_is_refused_for_its_reason(case, tmp_path):
    said = case.wrong(tmp_path)
    assert said, "it was believed"
    assert re.search(case.why, said), said
    assert "\n" not in said


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=IDS)
def test_the_true_twin_passes(case, tmp_path):
    assert case.twin(tmp_path) == ""


def test_no_way_in_is_listed_twice():
    assert len(set(IDS)) == len(IDS)
