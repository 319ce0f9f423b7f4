"""The split of the curvature along a run, and the norms of blocks that it is made of, against dense matrices."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.experiment.bracket import split_along
from boundcheck.experiment.plan import build
from boundcheck.experiment.spec import parse
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.functions.curvature import bilinear_product, block_norms, gauss_newton_product, hessian_vector_product
from boundcheck.system.limits import silent
from tests.layers import examples, sampled

from .small import DOMAINS, OF_KIND, pseudo_huber, random_point, softmax

PARTS = {"gauss-newton": gauss_newton_product, "bilinear": bilinear_product}
PRODUCTS = {"whole": hessian_vector_product, **PARTS}
PROBLEMS = {"pseudo-Huber": pseudo_huber, "softmax": softmax}
FLAT = [kind for kind in ADAPTERS if not kind.startswith("loreft")]

each_kind = pytest.mark.parametrize("kind", ADAPTERS)
each_flat_kind = pytest.mark.parametrize("kind", FLAT)
any_problem = pytest.mark.parametrize("name", PROBLEMS)
some_examples = examples(40)


def problem_of(kind, seed=0):
    """A small problem through that adapter, and a point of its domain."""
    problem = build(parse(OF_KIND[kind]), "cpu")
    return problem, problem.adapter.draw(DOMAINS[kind], 1, torch.Generator().manual_seed(seed))


def dense_blocks(problem, v, product):
    """Every block of the matrix of a product, a column at a time."""
    sizes = [part.numel() for part in v]
    columns = []
    for block, part in enumerate(v):
        for place in range(part.numel()):
            unit = [torch.zeros_like(x) for x in v]
            unit[block].view(-1)[place] = 1
            columns.append(np.concatenate([x.numpy().ravel() for x in product(problem, v, tuple(unit))]))
    cuts = np.cumsum(sizes)[:-1]
    return [np.split(rows, cuts, axis=1) for rows in np.split(np.stack(columns, axis=1), cuts, axis=0)]


def norms(blocks):
    return np.array([[np.linalg.svd(block)[1].max() for block in row] for row in blocks])


@sampled(4)
@each_kind
@pytest.mark.parametrize("part", PRODUCTS)
def test_block_norms_are_those_of_the_dense_matrix(kind, part):
    problem, v = problem_of(kind)
    found = block_norms(problem, v, PRODUCTS[part])
    expected = norms(dense_blocks(problem, v, PRODUCTS[part]))
    assert found.shape == (len(v), len(v))
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-13)


@any_problem
@pytest.mark.parametrize("rank", [1, 3])
def test_at_the_start_of_lora_the_first_part_is_that_of_b_alone(name, rank):
    """B = 0: W does not move with A, and A and B are coupled by the gradient of f alone."""
    problem = PROBLEMS[name](rank=rank, scale=1.5)
    A, B = random_point(problem)
    v = A, 0 * B
    first, second, whole = (block_norms(problem, v, PRODUCTS[x]) for x in ("gauss-newton", "bilinear", "whole"))
    assert first[0, 0] == first[0, 1] == first[1, 0] == 0 < first[1, 1]
    assert whole[0, 0] == 0
    # δB ↦ s δBᵀM has the norm of s M.
    slope = 1.5 * torch.linalg.matrix_norm(problem.weight_gradient(v), 2).item()
    assert second == pytest.approx(np.array([[0, slope], [slope, 0]]), rel=1e-12)
    assert whole[0, 1] == pytest.approx(slope, rel=1e-12)


def iterates_of(kind, count):
    problem, _ = problem_of(kind)
    return problem, [problem_of(kind, seed)[1] for seed in range(count)]


@each_flat_kind
def test_the_split_is_the_block_norms_at_the_looks(kind):
    problem, iterates = iterates_of(kind, 9)
    split = split_along(problem, iterates, 4, silent)
    times, blocks = split["look_time"].values, [block.name for block in problem.adapter.blocks]
    assert split["split"].dims == ("part", "row", "column", "look")
    assert split["split"].attrs["parts"].split() == list(PARTS)
    assert split["split"].attrs["blocks"].split() == blocks
    assert split["split"].shape == (2, len(blocks), len(blocks), len(times))
    for part, product in enumerate(PARTS.values()):
        for look, time in enumerate(times):
            expected = block_norms(problem, iterates[time - 1], product)
            np.testing.assert_array_equal(split["split"].values[part, :, :, look], expected)


@some_examples
@given(st.integers(1, 400), st.integers(2, 12))
def test_looks_go_from_the_first_iterate_to_the_last(count, looks):
    problem, (v,) = iterates_of("full", 1)
    times = split_along(problem, [v] * count, looks, silent)["look_time"].values
    assert times[0] == 1
    assert times[-1] == count
    assert (np.diff(times) > 0).all()
    # At equal ratios of time, as far as whole numbers can be; those that fall together are one.
    wanted = [count ** (i / (looks - 1)) for i in range(looks)]
    assert sorted({min(times, key=lambda time, x=x: abs(time - x)) for x in wanted}) == list(times)
    assert all(min(abs(times - x)) <= 0.5 + 1e-9 for x in wanted)


def test_there_is_nothing_to_split_of_a_curved_domain():
    problem, iterates = iterates_of("loreft", 3)
    assert split_along(problem, iterates, 4, silent).identical(split_along(problem, [], 4, silent))
    assert not split_along(problem, iterates, 4, silent).variables


@pytest.mark.parametrize(("count", "looks"), [(0, 4), (3, 0), (0, 0)])
def test_there_is_nothing_to_split_without_iterates_or_looks(count, looks):
    problem, iterates = iterates_of("lora", 3)
    assert split_along(problem, iterates, 4, silent).variables
    assert not split_along(problem, iterates[:count], looks, silent).variables


@pytest.mark.parametrize(("shape", "rank", "split"), [((16, 16), 10, True), ((53, 54), 3, False), ((23, 23), 7, False)])
def test_320_numbers_are_split_and_more_are_not(shape, rank, split):
    d, k = shape
    problem = pseudo_huber(rank=rank, d=d, k=k, samples=1)
    assert (rank * (d + k) <= 320) == split
    assert bool(split_along(problem, [random_point(problem)], 1, silent).variables) == split
