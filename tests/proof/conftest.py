"""The whole paper, audited once in each worker: it takes seconds."""

import pytest

import boundcheck as bc


@pytest.fixture(scope="session")
def paper():
    return bc.prove("jiang2024")
