"""What a test opens from outside, other tests do not know."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from boundcheck.doors import allowing
from tests.opened import forgetting


@pytest.fixture(autouse=True)
def what_is_known(tmp_path: Path) -> Iterator[None]:
    """What lies here may be opened, and is forgotten after the test."""
    with forgetting(), allowing(Path(__file__).parents[2], tmp_path):
        yield
