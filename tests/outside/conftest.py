"""What a test opens from outside, other tests do not know."""

import os
from collections.abc import Iterator

import pytest

from boundcheck.proofs import VARIABLE


@pytest.fixture(autouse=True)
def known_papers() -> Iterator[None]:
    """The folders of papers that are known before a test are those that are known after it."""
    before = os.environ.get(VARIABLE)
    yield
    if before is None:
        os.environ.pop(VARIABLE, None)
    else:
        os.environ[VARIABLE] = before
