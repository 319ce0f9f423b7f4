"""Brackets: no lower estimate above an upper end, points that lie in the ball, and too small a bound found out."""

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.experiment import measure
from boundcheck.functions.adapters import LoRA
from tests.layers import examples, sampled

from .small import bracket_table, bracketed, pseudo_huber, softmax

PROBLEMS = {"pseudo-Huber": pseudo_huber, "softmax": softmax}
LEMMAS = LoRA.claims
BOTH_RADII = {"meft.lemma1_sharp", "meft.lora"}
# What a bracket says of every end: the claim, its C, and so on.
ENDS = [(id, "sigma") for id in LEMMAS] + [("jiang2024.lemma1", "sqrt(r) sigma")]
ROUNDING = 1e-9
radius = st.floats(1e-2, 30)


def lambda_star(L, G, s, a, b):
    """The top eigenvalue of [[s^2 L b^2, s^2 L a b + s G], [s^2 L a b + s G, s^2 L a^2]]."""
    off = s**2 * L * a * b + s * G
    return np.linalg.eigvalsh([[s**2 * L * b**2, off], [off, s**2 * L * a**2]])[-1]


@examples(30)
@given(
    seed=st.integers(0, 10_000),
    rank=st.integers(1, 8),
    scale=st.sampled_from([0.05, 0.5, 1.0, 4.0, 30.0]),
    a=radius,
    b=radius,
    claim=st.sampled_from(LEMMAS),
    lipschitz=st.sampled_from(["sigma", "sqrt(r) sigma"]),
)
@pytest.mark.parametrize("name", PROBLEMS)
def test_no_lower_estimate_exceeds_an_upper_end(name, seed, rank, scale, a, b, claim, lipschitz):
    problem = PROBLEMS[name](rank=rank, d=8, k=9, scale=scale, seed=seed)
    table = bracket_table(
        claim=claim,
        lipschitz=lipschitz,
        seed=seed,
        problem={"kind": "pseudo-huber", "d": 8, "k": 9},
        adapter={"rank": rank, "scale": scale},
        domain={"a": a, "b": b},
        bracket={"pairs": 48, "iterates": 12, "points": 3, "ascents": 3, "rounds": 6, "looks": 0},
    )
    found, _ = bracketed(table, problem)
    assert found.verdict == "supported"
    ends = [found.bound, *(end.value for end in found.upper)]
    assert found.measured == max(found.lower.values()) > 0
    assert found.measured * (1 - ROUNDING) <= min(ends)


@pytest.mark.parametrize("name", PROBLEMS)
def test_upper_ends_are_the_claims_at_the_problems_constants(name):
    problem = PROBLEMS[name](rank=4, scale=2.0)
    radii = {"a": 1.5, "b": 2.0}
    L, G = problem.objective.smoothness.value, problem.gradient_bound(radii).value
    values = {(end.claim, end.lipschitz): end.value for end in problem.upper_ends(radii)}
    # The special case of equal radii has nothing to say of these.
    assert list(values) == [end for end in ENDS if end[0] != "meft.lemma1_sharp_equal_radii"]
    assert values["meft.lemma1_sharp", "sigma"] == pytest.approx(lambda_star(L, G, 2.0, 1.5, 2.0), rel=1e-12)
    # sigma = 2, and C = sigma or sqrt(r) sigma.
    assert values["jiang2024.lemma1", "sigma"] == pytest.approx(2 * 4 * L * 2 * 2 * 2 + 2 * G, rel=1e-12)
    assert values["jiang2024.lemma1", "sqrt(r) sigma"] == pytest.approx(2 * 4 * L * 4 * 2 * 2 + 2 * G, rel=1e-12)
    equal = {"a": 1.5, "b": 1.5}
    values = {(end.claim, end.lipschitz): end.value for end in problem.upper_ends(equal)}
    assert list(values) == ENDS
    G = problem.gradient_bound(equal).value
    expected = lambda_star(L, G, 2.0, 1.5, 1.5)
    for id in ("meft.lemma1_sharp", "meft.lemma1_sharp_equal_radii", "meft.lora"):
        assert values[id, "sigma"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("claim", LEMMAS)
def test_the_bound_is_that_of_the_specs_claim_rounded_up(claim):
    problem = pseudo_huber()
    found, _ = bracketed(bracket_table(claim=claim), problem)
    a, b = (1.5, 2.0) if claim in BOTH_RADII else (2.0, 2.0)
    assert found.radii == {"a": a, "b": b}
    G = problem.gradient_bound(found.radii).value
    expected = lambda_star(1.0, G, 1.0, a, b)
    if claim == "jiang2024.lemma1":
        expected = 2 * 2**0.5 * 4 + G
    elif claim == "meft.lora":
        expected = a**2 + b**2 + G
    assert found.bound == pytest.approx(expected, rel=1e-12)
    assert found.bound >= expected * (1 - 1e-15)


@pytest.mark.parametrize("rank", [1, 2, 4, 8])
def test_points_lie_in_the_ball_to_the_last_digit(rank):
    """The true norm of the floats, in 50 digits, is within the radius."""
    problem, radii = pseudo_huber(rank=rank, d=9, k=10), {"a": 0.7, "b": 2.3}
    points = problem.adapter.draw(radii, 24, torch.Generator().manual_seed(1))
    with mpmath.workdps(50):
        for part, limit in zip(points, radii.values(), strict=True):
            for X in part[::2]:
                gram = mpmath.matrix((X if X.shape[0] <= X.shape[1] else X.mT).tolist())
                largest = max(mpmath.eigsy(gram * gram.T, eigvals_only=True))
                assert mpmath.sqrt(largest) <= limit


def test_points_point_in_all_directions():
    problem = pseudo_huber(rank=1, d=3, k=4)
    A, B = problem.adapter.draw({"a": 1.0, "b": 1.0}, 4000, torch.Generator().manual_seed(2))
    for part in (A[::2].reshape(2000, -1), B[::2].reshape(2000, -1)):
        assert part.mean(0).abs().max() < 0.06
        covariance = part.T @ part / 2000
        assert (covariance - torch.eye(part.shape[1]) / part.shape[1]).abs().max() < 0.06


def test_the_trace_holds_every_ratio_that_the_estimates_are_of():
    found, trace = bracketed(bracket_table(), pseudo_huber())
    shapes = {"pair": 64, "step": 16, "replica": 8, "point": 4, "start": 3, "part": 2, "row": 2, "column": 2}
    assert {name: size for name, size in trace.sizes.items() if name != "look"} == shapes
    assert 1 <= trace.sizes["look"] <= 2
    assert found.lower == {
        "pairs": trace["pair_ratio"].values.max(),
        "iterates": np.nanmax(trace["iterate_ratio"].values),
        "curvature": trace["curvature"].values.max(),
        "ascent": trace["ascent"].values.max(),
    }


@sampled(3)
@pytest.mark.parametrize("count", [1, 2, 127, 128, 129, 300])
def test_pairs_are_as_many_as_asked_for(count):
    _, trace = bracketed(bracket_table(bracket={"pairs": count, "iterates": 1, "points": 1}), pseudo_huber())
    assert trace.sizes["pair"] == count
    assert (trace["pair_ratio"].values > 0).all()
    assert trace.sizes["point"] == 1


def test_more_points_than_pairs_are_cut_to_what_there_is():
    found, trace = bracketed(bracket_table(bracket={"pairs": 2, "iterates": 2, "points": 9}), pseudo_huber())
    assert 1 <= trace.sizes["point"] <= 9
    assert found.verdict == "supported"


def test_a_start_outside_the_ball_is_shrunk_into_it(tmp_path):
    (result,) = measure(bracket_table(domain={"a": 0.01, "b": 0.01}), tmp_path)
    assert result.verdict == "supported"
    assert "iterates" in result.lower


@pytest.mark.full
@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("iterates", [200, 1200])
def test_a_true_lemma_is_not_violated_by_iterates_that_have_converged(samples, iterates, tmp_path):
    """One sample, so no noise: steps shrink to a unit roundoff, and ratios of differences to rounding errors."""
    for signal, rank in ((0.2, 4), (1.0, 4), (0.2, 2)):
        table = bracket_table(
            problem={"kind": "pseudo-huber", "d": 4, "k": 4, "samples": samples, "signal": signal},
            adapter={"rank": rank},
            domain={"a": 2.0, "b": 2.0},
            bracket={"pairs": 16, "iterates": iterates, "points": 2},
        )
        (result,) = measure(table, tmp_path)
        assert result.verdict == "supported", result.reason


@pytest.mark.full
@pytest.mark.parametrize(("a", "b"), [(1e-6, 1e6), (1e6, 1e-6), (1e-9, 1e-9), (1e6, 1e6), (1e-3, 1e3)])
def test_a_true_lemma_is_not_violated_in_an_extreme_ball(a, b, tmp_path):
    for seed in range(2):
        (result,) = measure(bracket_table(seed=seed, domain={"a": a, "b": b}), tmp_path)
        assert result.verdict == "supported", result.reason


@sampled(4)
@pytest.mark.parametrize("problem", [{"signal": 1e6}, {"delta": 1e-6}, {"delta": 1e6}, {"signal": 1e-9, "noise": 1e-9}])
def test_a_true_lemma_is_not_violated_by_extreme_data(problem, tmp_path):
    table = bracket_table(problem={"kind": "pseudo-huber", "d": 4, "k": 4, "samples": 6} | problem)
    (result,) = measure(table, tmp_path)
    assert result.verdict == "supported", result.reason
