"""What a test opens from outside, other tests do not know."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from boundcheck.claims import catalogue
from boundcheck.doors import allowing
from boundcheck.problems.adapters import ADAPTERS
from boundcheck.problems.tables import PROBLEMS
from boundcheck.proofs import VARIABLE


@pytest.fixture(autouse=True)
def what_is_known(tmp_path: Path) -> Iterator[None]:
    """What lies here may be opened, and what is known before a test, of papers and words, is known after it."""
    papers, tables = os.environ.get(VARIABLE), (catalogue._opened, ADAPTERS._known, PROBLEMS._known)
    before = [dict(table) for table in tables]
    with allowing(Path(__file__).parents[2], tmp_path):
        yield
    for table, known in zip(tables, before, strict=True):
        table.clear()
        table.update(known)
    if papers is None:
        os.environ.pop(VARIABLE, None)
    else:
        os.environ[VARIABLE] = papers
