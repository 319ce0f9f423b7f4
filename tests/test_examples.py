"""The specs of `examples` can be run."""

from pathlib import Path

import pytest

from boundcheck.experiment.spec import specs_of

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.toml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_valid_specs(path: Path) -> None:
    assert specs_of(path)
