"""What claims are tried on: always something that the claim speaks of, of every kind, and small when shrunk."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from hypothesis import given

from boundcheck.claims import Claim, catalogue
from boundcheck.claims.vocabulary import FrobeniusNorm, SpectralNorm
from boundcheck.falsify.certify import certify
from boundcheck.falsify.instance import Instance, rank_of
from boundcheck.falsify.relation import Assignment
from boundcheck.falsify.theorem import ShortRun
from boundcheck.problems.adapters import ADAPTERS
from boundcheck.testing import assignments, instances, short_runs
from tests.layers import examples, sampled
from tests.testing.found import smallest, some

few = examples(12)
each_kind = pytest.mark.parametrize("kind", ADAPTERS)
LORA = catalogue["meft.lemma1_sharp"]
REPAIRED = catalogue["meft.theorem2_repaired"]


def lemma(kind: str) -> Claim:
    return catalogue[ADAPTERS[kind].claims[0]]


@sampled(4)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@each_kind
def test_the_points_of_an_instance_are_inside_exactly(kind: str, dtype: str) -> None:
    @few
    @given(instances(lemma(kind), adapter=kind, largest=4, dtype=dtype))
    def check(instance: Instance) -> None:
        instance.check()
        assert certify(instance).inside
        if dtype == "float32":
            blocks = zip(instance.adapter.blocks * 2, instance.v + instance.other, strict=True)
            parts = [part.numpy() for block, part in blocks if block.norm != "orthonormal"]
            for part in (*parts, instance.direction, instance.tilt):
                assert (part.astype(np.float32) == part).all()

    check()


@few
@given(short_runs(REPAIRED))
def test_a_short_run_is_one_of_which_the_theorem_speaks(run: ShortRun) -> None:
    run.check()
    found = certify(run)
    assert found.inside
    assert not found.violated


m, n = sp.symbols("m n", positive=True, integer=True)
a = sp.Symbol("a", positive=True)
X, Y = sp.MatrixSymbol("X", m, n), sp.MatrixSymbol("Y", n, m)
BOUNDED = Claim(
    "bounded",
    "Bounded",
    "test",
    sp.Le(SpectralNorm(X * Y), a**2),
    hypotheses=tuple(Claim("", "", "", x) for x in (SpectralNorm(X) <= a, FrobeniusNorm(Y.T) <= a)),
)


@few
@given(assignments(BOUNDED))
def test_an_assignment_is_within_what_is_given(made: Assignment) -> None:
    made.check()
    assert certify(made).inside
    # Ties included, which are decided exactly.
    assert np.linalg.norm(made.matrices["X"], 2) <= made.numbers["a"] * (1 + 1e-12)
    assert np.linalg.norm(made.matrices["Y"]) <= made.numbers["a"] * (1 + 1e-12)


def near(instance: Instance) -> float:
    distance = sum(float((x - y).square().sum()) for x, y in zip(instance.v, instance.other, strict=True))
    size = sum(float(x.square().sum()) for x in instance.v)
    return (distance / size) ** 0.5 if size else np.inf


@sampled(3)
@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(lambda i: i.ratio > 0.99, id="tight"),
        pytest.param(lambda i: near(i) < 1e-2, id="near"),
        pytest.param(lambda i: 0.5 < near(i) < 10, id="far"),
        pytest.param(lambda i: rank_of(i.adapter) == 4, id="of the largest rank"),
        pytest.param(lambda i: i.adapter.W0.shape[0] != i.adapter.W0.shape[1], id="not square"),
        pytest.param(lambda i: i.radii["a"] != i.radii["b"], id="unequal radii"),
    ],
)
def test_instances_of_each_kind_are_drawn(wanted) -> None:
    assert some(instances(LORA, largest=4), wanted)


@sampled(3)
@pytest.mark.parametrize("kind", ["full", "lora", "direft", "frozen-a"])
@pytest.mark.parametrize("steps", [1, 4])
def test_short_runs_of_each_kind_are_drawn(kind: str, steps: int) -> None:
    claim = catalogue["ghadimi2013.corollary2_2"]
    assert some(short_runs(claim, adapter=kind), lambda run: run.steps == steps and run.offset > 0)


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(lambda x, y: x.any() and y.any() and len(x) != len(y), id="not square"),
        pytest.param(lambda x, y: not x.any(), id="zero"),
        pytest.param(lambda x, y: (x < 0).any() and (y < 0).any(), id="negative entries"),
        pytest.param(lambda x, y: x.shape == y.T.shape and x.any() and np.allclose(x, y.T), id="alike"),
        pytest.param(lambda x, y: min(x.shape) > 2 and np.linalg.matrix_rank(x) == 1, id="rank one"),
    ],
)
def test_assignments_of_each_kind_are_drawn(wanted) -> None:
    claim = Claim("any", "Any", "test", sp.Le(SpectralNorm(X * Y), SpectralNorm(X) * SpectralNorm(Y)))
    assert some(assignments(claim), lambda made: wanted(made.matrices["X"], made.matrices["Y"]))


@pytest.mark.full
def test_what_is_drawn_shrinks_to_small_numbers() -> None:
    made = smallest(assignments(BOUNDED), lambda made: made.matrices["X"].any() and made.matrices["Y"].any())
    assert set(made.numbers.values()) == {1}
    run = smallest(short_runs(REPAIRED), lambda run: run.offset > 0)
    assert (run.steps, tuple(run.adapter.W0.shape)) == (1, (1, 1))
