"""What a test opens from outside may be opened."""

from pathlib import Path

import pytest

from boundcheck.system.plugins import allowing


@pytest.fixture(autouse=True)
def allowed(tmp_path):
    """What lies here, and what the test writes."""
    with allowing(Path(__file__).parents[2], tmp_path):
        yield
