"""The whole paper, audited once in each worker: it takes seconds."""

import pytest

import boundcheck as bc
from boundcheck.proof import ProofAudit


@pytest.fixture(scope="session")
def paper() -> ProofAudit:
    return bc.prove("jiang2024")
