"""Problems, runs and inputs of claims are as asked; expectations over runs are exact, by a plain
loop over paths."""

import doctest
import importlib
import subprocess
import sys
from itertools import product

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given

from boundcheck import properties
from boundcheck.functions.arithmetic import apart
from boundcheck.functions.objectives.clipped import Clipped
from boundcheck.language.catalogue import catalogue
from boundcheck.properties import (
    adapters,
    domains,
    offsets,
    slopes,
)
from tests.language.plain import Plain, single
from tests.layers import examples, full
from tests.properties.drawn import claim_inputs, runs
from tests.properties.test_drawn import FAMILIES


@pytest.mark.parametrize("family", FAMILIES)
@examples(20)
@given(data=st.data())
def test_objectives_have_the_shape_asked_for(family, data):
    objective = data.draw(FAMILIES[family]((3, 2)))
    assert isinstance(objective, family)
    assert tuple(objective.shape) == (3, 2)
    assert torch.isfinite(objective.gradient(torch.zeros(1, 3, 2, dtype=torch.float64))).all()


@given(slopes(), offsets())
def test_slopes_have_a_minimum_and_offsets_cancel(slope, shifts):
    assert slope.knots[0][1] <= 0 <= slope.knots[-1][1]
    assert sum(shifts) == 0
    assert 1 <= len(shifts) <= 3


@given(st.data())
def test_the_domain_of_dora_keeps_columns_from_zero(data):
    adapter = data.draw(adapters("dora"))
    radii = data.draw(domains(adapter))
    assert adapter.scale * radii["a"] * radii["b"] < adapter.constants(radii)["w_0"]


# One path of SGD at a time, in NumPy: the gradients of the losses that runs are made of,
# transcribed.


def sample_gradients(objective):
    """The gradients of every f_i at W."""
    if isinstance(objective, Clipped):
        E, shifts = objective.direction, objective._offsets.numpy()
        places, values = (
            np.array([float(x) for x in column])
            for column in zip(*objective.slope.knots, strict=True)
        )
        return lambda W: [(np.interp((E * W).sum(), places, values) + c) * E for c in shifts]
    X, Y = objective._X.numpy(), objective._targets.numpy()
    return lambda W: [np.outer(W @ x - y, x) for x, y in zip(X, Y, strict=True)]


def pulled_back(run):
    """The gradients of every sample at v."""
    plain, gradients = Plain(run.problem.adapter), sample_gradients(run.problem.objective)
    return lambda v: [plain.pull_back(v, G) for G in gradients(plain.weight(v))]


def square(v):
    return sum(float((part**2).sum()) for part in v)


def iterates(run):
    """v_1, ..., v_{T+1} of each path."""
    gradients = pulled_back(run)
    paths = []
    for drawn in product(range(run.problem.objective.samples), repeat=run.T):
        path = [single(run.start)]
        for i in drawn:
            path.append(
                tuple(
                    x - run.step * y for x, y in zip(path[-1], gradients(path[-1])[i], strict=True)
                )
            )
        paths.append(path)
    return paths


def _mean(gradients):
    return tuple(sum(parts) / len(gradients) for parts in zip(*gradients, strict=True))


def _variance(gradients):
    mean = _mean(gradients)
    return sum(square(apart(g, mean)) for g in gradients) / len(gradients)


@pytest.mark.parametrize("kind", ["full", "frozen-a", "lora", "direft"])
@examples(30)
@given(data=st.data())
def test_runs_are_what_a_plain_loop_over_paths_makes_of_them(kind, data):
    run = data.draw(runs(kind))
    paths = iterates(run)
    assert (
        len({tuple(row) for row in run.draws.tolist()})
        == len(paths)
        == run.problem.objective.samples**run.T
        <= 81
    )
    assert run.gap >= 0
    # Relative to the largest numbers that occur; in four steps rounding errors grow as the iterates
    # do.
    largest = max(square(v) for path in paths for v in path) ** 0.5
    for t, point in enumerate(run.paths):
        for j, part in enumerate(point):
            expected = np.stack([path[t][j] for path in paths])
            np.testing.assert_allclose(part.numpy(), expected, rtol=0, atol=1e-11 * (1 + largest))
    gradients = pulled_back(run)
    squares = [
        sum(square(_mean(gradients(path[t]))) for path in paths) / len(paths) for t in range(run.T)
    ]
    varied = max(_variance(gradients(v)) for path in paths for v in path[:-1])
    # Of a mean of samples that cancel, the rounding error is that of the samples.
    rounding = 1e-11 * (max(squares) + varied)
    assert run.mean_square_gradients == pytest.approx(squares, rel=1e-9, abs=rounding)
    assert run.noise == pytest.approx(varied, rel=1e-9, abs=rounding)
    for j, norm in enumerate(run.largest_norms.values()):
        assert norm == pytest.approx(
            max(np.linalg.norm(v[j], 2) for path in paths for v in path), rel=1e-9
        )


EVALUABLE = [id for id, claim in catalogue.items() if claim.quantities]


@pytest.mark.parametrize("id", EVALUABLE)
@given(data=st.data())
def test_claim_inputs_are_in_the_domain(id, data):
    claim = catalogue[id]
    claim.check(data.draw(claim_inputs(claim)))


@full
@pytest.mark.parametrize("name", ["matrix_strategies", "problem_strategies"])
def test_examples_in_docstrings_are_right(name):
    found = doctest.testmod(importlib.import_module(f"boundcheck.properties.{name}"))
    assert found.failed == 0


def test_what_there_is_not_is_no_attribute():
    # Names that modules only use are not exported.
    for name in ("strategy", "np"):
        with pytest.raises(AttributeError, match=f"no attribute '{name}'"):
            getattr(properties, name)


@full
def test_no_name_is_hidden_by_a_module_that_was_imported_first_and_pytest_is_not_imported():
    code = """
import boundcheck.properties.check, types, sys, boundcheck.properties as t
modules = [x for x in t.__all__ if isinstance(getattr(t, x), types.ModuleType)]
print(modules, set(t.__all__) <= set(dir(t)))
print("pytest" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] True\nFalse\n"
