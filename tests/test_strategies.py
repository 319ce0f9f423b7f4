"""The reach of the strategies: each edge case that they promise is drawn, and nothing outside of their domain is."""

from collections.abc import Callable
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import find, given, settings

from boundcheck.claims import catalogue
from boundcheck.claims.enclose import enclose
from boundcheck.problems.norms import Point, spectral_norm
from tests.strategies import claim_inputs, matrices, objectives, points, problems

EVALUABLE = [id for id, claim in catalogue.items() if claim.quantities]
SEARCH = settings(max_examples=500, database=None)


def singular_values(X: np.ndarray) -> np.ndarray:
    return np.linalg.svd(X, compute_uv=False)


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(lambda S: S[0] == 0, id="zero"),
        pytest.param(lambda S: S[0] > 0 and S[-1] < 1e-15 * S[0], id="rank-deficient"),
        pytest.param(lambda S: S[0] > 0 and 0.9e-12 < S[-1] / S[0] < 1.1e-12, id="ill-conditioned"),
        pytest.param(lambda S: len(S) > 1 and S[0] > 0 and S[-1] > S[0] * (1 - 1e-14), id="repeated"),
        pytest.param(lambda S: len(S) > 2 and 0.1 < S[-1] / S[0] < 0.9, id="generic"),
        pytest.param(lambda S: S[0] > 100, id="large"),
        pytest.param(lambda S: 0 < S[0] < 0.01, id="small"),
    ],
)
def test_matrices_of_each_spectrum_are_drawn(wanted: Callable[[np.ndarray], bool]) -> None:
    find(matrices(), lambda X: bool(wanted(singular_values(X))), settings=SEARCH)


@pytest.mark.parametrize("wanted", [(1, 1), (1, 8), (8, 1), (8, 8)])
def test_matrices_of_extreme_shapes_are_drawn(wanted: tuple[int, int]) -> None:
    find(matrices(), lambda X: X.shape == wanted, settings=settings(SEARCH, max_examples=3000))


RADII = (2.0, 0.5)


@given(points((4, 5), 3, RADII, replicas=2))
def test_points_lie_in_the_ball(v: Point) -> None:
    assert v[0].shape == (2, 3, 5)
    assert v[1].shape == (2, 4, 3)
    for part, radius in zip(v, RADII, strict=True):
        assert (torch.linalg.matrix_norm(part, 2) <= radius).all()


def is_extremal(X: torch.Tensor, radius: float) -> bool:
    return bool((torch.linalg.svdvals(X) >= radius * (1 - 1e-13)).all())


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(lambda A, B: is_extremal(A, 2.0) and is_extremal(B, 0.5), id="both factors extremal"),
        pytest.param(lambda A, B: A.any() and not B.any(), id="LoRA's start, B = 0"),
        pytest.param(lambda A, B: not A.any() and not B.any(), id="the origin"),
        pytest.param(lambda A, B: 0 < spectral_norm(A) < 1.9 and 0 < spectral_norm(B) < 0.49, id="interior"),
    ],
)
def test_points_of_each_kind_are_drawn(wanted: Callable[[torch.Tensor, torch.Tensor], bool]) -> None:
    find(points((4, 5), 3, RADII), lambda v: bool(wanted(*v)), settings=SEARCH)


@pytest.mark.parametrize("name", ["small", "pseudo-Huber"])
def test_objectives_of_each_kind_are_drawn(name: str) -> None:
    find(objectives(), lambda objective: objective.name == name, settings=SEARCH)


def test_problems_of_full_and_deficient_rank_are_drawn() -> None:
    find(problems(), lambda p: p.adapter.rank == min(p.objective.shape) > 1, settings=SEARCH)
    find(problems(), lambda p: p.adapter.rank == 1 < min(p.objective.shape) and p.adapter.scale != 1, settings=SEARCH)


@pytest.mark.parametrize("id", EVALUABLE)
@given(data=st.data())
def test_claim_inputs_are_in_the_domain(id: str, data: st.DataObject) -> None:
    claim = catalogue[id]
    claim.check(data.draw(claim_inputs(claim)))


@pytest.mark.parametrize("kind", [int, float, str, Fraction])
def test_claim_inputs_of_each_type_are_drawn(kind: type) -> None:
    find(claim_inputs(catalogue["jiang2024.lemma1"]), lambda inputs: isinstance(inputs["L"], kind), settings=SEARCH)


def test_the_shortest_horizon_is_drawn() -> None:
    claim = catalogue["jiang2024.theorem2"]

    def is_shortest(inputs: dict) -> bool:
        return enclose(claim.expression("T_min"), claim.check(inputs)) > inputs["T"] - 1

    find(claim_inputs(claim), is_shortest, settings=SEARCH)
