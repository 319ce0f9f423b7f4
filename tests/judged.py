"""The paper's proofs, each judged once in each worker: together they take seconds."""

from functools import cache

import pytest

from boundcheck.proof import judge
from boundcheck.proof.script import of_paper

SCRIPTS = tuple(of_paper("jiang2024"))

# One worker runs the proofs, for all that look at them.
of_the_paper = pytest.mark.xdist_group("the paper")

judged = cache(judge)


def names(scripts):
    """What tests of these scripts are called."""
    return [f"{each.id}, {each.version}" for each in scripts]


def proof_of(id, version):
    """The proof of a claim in a version."""
    (script,) = (each for each in SCRIPTS if (each.id, each.version) == (id, version))
    return judged(script)
