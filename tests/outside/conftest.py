"""What a test opens from outside, other tests do not know."""

import os
from collections.abc import Iterator

import pytest

from boundcheck.claims import catalogue
from boundcheck.problems.adapters import ADAPTERS
from boundcheck.problems.tables import PROBLEMS
from boundcheck.proofs import VARIABLE


@pytest.fixture(autouse=True)
def what_is_known() -> Iterator[None]:
    """Papers, claims, adapters and problems that are known before a test are those that are known after it."""
    papers, tables = os.environ.get(VARIABLE), (catalogue._opened, ADAPTERS._known, PROBLEMS._known)
    before = [dict(table) for table in tables]
    yield
    for table, known in zip(tables, before, strict=True):
        table.clear()
        table.update(known)
    if papers is None:
        os.environ.pop(VARIABLE, None)
    else:
        os.environ[VARIABLE] = papers
