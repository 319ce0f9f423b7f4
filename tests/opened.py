"""What is opened from outside, and is to be forgotten after a test."""

import os
from contextlib import contextmanager

from boundcheck.functions.adapters import ADAPTERS
from boundcheck.functions.objective import PROBLEMS
from boundcheck.language.catalogue import catalogue
from boundcheck.proofs import VARIABLE


@contextmanager
def forgetting():
    """What is known before, of papers and words, is known afterwards, and nothing else."""
    papers = os.environ.get(VARIABLE)
    tables = (catalogue._opened, ADAPTERS.data, PROBLEMS.data)
    before = [dict(table) for table in tables]
    try:
        yield
    finally:
        for table, known in zip(tables, before, strict=True):
            table.clear()
            table.update(known)
        if papers is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = papers
