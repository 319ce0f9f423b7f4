"""Exact runs against naive enumeration and float64; hypotheses that fail are named; each witness breaks its step."""

import itertools
from dataclasses import replace
from fractions import Fraction

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from boundcheck.claims import catalogue
from boundcheck.errors import InputError
from boundcheck.problems.piecewise import PiecewiseLinear
from boundcheck.prove.instance import Instance, Point, Setting, square_norm
from proofs.jiang2024 import witnesses
from tests.slopes import fractions, instances

RUNS = {name: run for name, run in vars(witnesses).items() if isinstance(run, Instance)}
POINTS = st.tuples(fractions(-2, 2), fractions(-2, 2))
all_runs = pytest.mark.parametrize("run", [pytest.param(run, id=name) for name, run in RUNS.items()])


def repaired_bound(run: Instance) -> Fraction:
    """What the repaired proof says of the mean of N_t: (D/(alpha T) + Lhat alpha zeta^2/2) / (1 - Lhat alpha/2)."""
    q = run.smoothness * run.alpha
    return (run.gap / (run.alpha * run.T) + q * run.zeta2 / 2) / (1 - q / 2)


def path(run: Instance, drawn: tuple[Fraction, ...]) -> Point:
    """Where these offsets, in this order, lead to: Algorithm 1 with its formulas written out."""
    A, B = run.start
    for c in drawn:
        m = run.slope.value(A * B) + c
        A, B = A - run.alpha * B * m, B - run.alpha * m * A
    return A, B


@settings(max_examples=50)
@given(instances())
def test_expectations_are_means_over_all_paths(run: Instance) -> None:
    for t in range(run.T + 1):
        ends = [path(run, drawn) for drawn in itertools.product(run.offsets, repeat=t)]
        assert run.mean_losses[t] == sum(run.slope.integral(A * B) for A, B in ends) / len(ends)
        if t < run.T:
            norms = [run.slope.value(A * B) ** 2 * (A * A + B * B) for A, B in ends]
            assert run.mean_square_norms[t] == sum(norms) / len(ends)
        assert sum(run.laws[t].values()) == 1
        assert set(run.laws[t]) == set(ends)


@settings(max_examples=50)
@given(instances(), POINTS)
def test_gradient_is_the_limit_of_differences(run: Instance, v: Point) -> None:
    A, B = v
    h = Fraction(1, 10**6)
    gradient = run.gradient(v)
    for i, shifted in enumerate([((A + h, B), (A - h, B)), ((A, B + h), (A, B - h))]):
        difference = (run.loss(shifted[0]) - run.loss(shifted[1])) / (2 * h)
        assert abs(difference - gradient[i]) <= run.slope.lipschitz * 4 * h


@settings(max_examples=50)
@given(instances())
def test_numeric_layer_replays_every_run(run: Instance) -> None:
    replay = run.replay()
    # Small numbers that are differences of larger ones keep fewer digits.
    size = float(run.slope.bound) * 8
    assert replay.mean_losses == pytest.approx([float(x) for x in run.mean_losses], rel=1e-9, abs=1e-12 * size)
    exact = [float(x) for x in run.mean_square_norms]
    assert replay.mean_square_norms == pytest.approx(exact, rel=1e-9, abs=1e-12 * size**2)


@given(instances())
def test_repaired_proof_and_printed_theorem_hold_of_every_run(run: Instance) -> None:
    mean = sum(run.mean_square_norms) / run.T
    assert mean <= repaired_bound(run)
    if run.step == "printed":
        # 2 S, of which the printed 2.5 S is 5/4; and so (23) and (24) are true at the printed step size.
        assert mean**2 <= run.printed_bound_square * Fraction(4, 5) ** 2
        for left, right in (witnesses.step_23(run), witnesses.step_24(run)):
            assert left <= right


@given(instances(), POINTS, POINTS)
def test_lemma_1_holds_of_every_pair_on_the_ball(run: Instance, v1: Point, v2: Point) -> None:
    v1, v2 = (tuple(max(-run.sigma, min(run.sigma, x)) for x in v) for v in (v1, v2))
    assert run.lemma_1_failures((v1, v2)) == []
    assert square_norm(witnesses.change(run, v1, v2)) <= run.smoothness**2 * square_norm(witnesses.minus(v1, v2))


def test_constants_are_those_of_the_claims() -> None:
    run = witnesses.ROW_15
    inputs = {"L": run.L, "C": run.C, "sigma": run.sigma, "G": run.G, "r": 1, "T": run.T, "D": run.gap}
    values = catalogue["jiang2024.theorem2"].values(**inputs, zeta=float(run.zeta2) ** 0.5 * (1 + 1e-15))
    assert float(run.smoothness) == pytest.approx(values["Lhat"], rel=1e-12)
    assert float(run.shortest_horizon) == pytest.approx(values["T_min"], rel=1e-12)
    assert float(run.printed_bound_square) ** 0.5 == pytest.approx(values["bound"], rel=1e-12)
    assert float(run.alpha) == pytest.approx(values["alpha"], rel=1e-12)


PLANTED = [
    ("Assumption 1", {"L": Fraction(99, 100)}),
    ("Assumption 2", {"sigma": Fraction(99, 100)}),
    ("Assumption 2", {"start": (1, -2)}),
    ("Assumption 3, part 1", {"C": Fraction(112, 100)}),
    ("Assumption 3, part 2", {"G": Fraction(24, 100)}),
    ("Unbiased", {"offsets": (8, -7)}),
    ("Assumption 4", {"zeta2": Fraction(161)}),
    ("Horizon", {"zeta2": Fraction(1, 100)}),
    ("Step size", {"alpha": Fraction(1, 355)}),
    ("Step size", {"step": "any", "alpha": Fraction(17, 89)}),
]


@pytest.mark.parametrize(("name", "change"), PLANTED, ids=str)
def test_each_planted_failure_is_named(name: str, change: dict) -> None:
    failures = replace(witnesses.ROW_10, **change).failures()
    assert any(failure.startswith(f"{name}:") for failure in failures), failures


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"step": "any", "alpha": Fraction(1, 1000)}, id="a smaller step"),
        pytest.param({"step": "any", "zeta2": Fraction(162)}, id="no more noise than there is"),
        pytest.param({"step": "any", "L": 2, "C": 3}, id="constants that are loose"),
    ],
)
def test_hypotheses_that_just_hold_are_not_named(change: dict) -> None:
    assert replace(witnesses.ROW_10, **change).failures() == []


def test_an_iterate_that_leaves_the_ball_late_is_seen() -> None:
    # Two steps away from a minimum at W = 2: the last iterate is the farthest.
    run = replace(witnesses.ROW_10, slope=PiecewiseLinear.clipped(1, "1/4", 2))
    _, before, last = (max(abs(x) for v in law for x in v) for law in run.laws)
    assert before < last
    assert not any("Assumption 2" in failure for failure in replace(run, sigma=last).failures())
    assert any("Assumption 2" in failure for failure in replace(run, sigma=(before + last) / 2).failures())


@pytest.mark.parametrize(
    ("field", "value"),
    [("L", 0), ("G", -1), ("C", 0), ("sigma", 0), ("zeta2", 0), ("alpha", -1), ("T", 0), ("offsets", ())],
)
def test_what_is_no_instance_is_refused(field: str, value: object) -> None:
    with pytest.raises(InputError) as caught:
        replace(witnesses.ROW_10, **{field: value})
    assert caught.value.field == field


@pytest.mark.parametrize("each", [pytest.param(x, id=f"row {x.row}, {x.where}") for x in witnesses.refutations()])
def test_each_witness_breaks_its_step_and_no_hypothesis(each: witnesses.Refutation) -> None:
    assert each.failures == ()
    assert each.stands
    # And it is not the comparison that is at fault.
    assert not replace(each, left=each.right - 1, relation="<=").stands
    assert not replace(each, failures=("a hypothesis",)).stands


def test_there_is_a_witness_for_each_row() -> None:
    assert [each.row for each in witnesses.refutations()] == [2, 2, 3, 4, 5, 6, 10, 11, 11, 15, 16, 17]


@all_runs
def test_each_run_meets_every_hypothesis(run: Instance) -> None:
    assert run.failures() == []


@all_runs
def test_numeric_layer_replays_each_witness(run: Instance) -> None:
    replay = run.replay()
    assert replay.mean_square_norms == pytest.approx([float(x) for x in run.mean_square_norms], rel=1e-9, abs=0)
    assert replay.mean_losses == pytest.approx([float(x) for x in run.mean_losses], rel=1e-9, abs=0)


@all_runs
def test_repaired_proof_holds_of_each_witness(run: Instance) -> None:
    assert sum(run.mean_square_norms) / run.T <= repaired_bound(run)
    # The theorem itself is true, where alpha is as printed.
    if run.step == "printed":
        assert min(run.mean_square_norms) ** 2 <= run.printed_bound_square
        assert all(left <= right for left, right in (witnesses.step_23(run), witnesses.step_24(run)))


def numeric_gradient(setting: Setting, v: Point) -> list[float]:
    import torch

    A, B = (torch.full((1, 1, 1), float(x), dtype=torch.float64) for x in v)
    return [part.item() for part in setting.numeric().gradient((A, B))]


PAIRS = {
    "row 4": witnesses.off_the_ball(Fraction(1), Fraction(1)),
    "row 5": (witnesses.ROW_5, *witnesses.ROW_5_POINTS),
    "row 6": (witnesses.ROW_6, *witnesses.ROW_6_POINTS),
}


@pytest.mark.parametrize(("setting", "v1", "v2"), PAIRS.values(), ids=PAIRS)
def test_numeric_layer_has_the_same_gradients(setting: Setting, v1: Point, v2: Point) -> None:
    for v in (v1, v2):
        assert numeric_gradient(setting, v) == pytest.approx([float(x) for x in setting.gradient(v)], rel=1e-9, abs=0)


@given(fractions(Fraction(1, 16), 100), fractions(Fraction(1, 16), 100))
def test_families_of_witnesses_serve_every_constant(C: Fraction, sigma: Fraction) -> None:
    for (v1, v2), constant in (
        (witnesses.unbounded_product(C), C),
        (witnesses.extreme_product(sigma), sigma * Fraction(99, 100)),
    ):
        moved = abs(v1[0] * v1[1] - v2[0] * v2[1])
        assert moved > constant * witnesses.sum_of_norms(witnesses.minus(v1, v2))
    assert max(abs(x) for v in witnesses.extreme_product(sigma) for x in v) <= sigma
    setting, v1, v2 = witnesses.off_the_ball(C, sigma)
    apart = square_norm(witnesses.minus(v1, v2))
    assert square_norm(witnesses.change(setting, v1, v2)) > setting.smoothness**2 * apart
    _, gradient = witnesses.least_squares_gradient(C)
    assert abs(gradient) > C


def test_row_10_breaks_the_step_by_an_exact_amount() -> None:
    assert witnesses.step_22(witnesses.ROW_10, 1) == (Fraction(1, 32), Fraction(-1063054465, 184803393536))


def test_row_11_needs_all_its_iterations() -> None:
    left, right = witnesses.step_23(replace(witnesses.ROW_11, T=witnesses.ROW_11.T - 1))
    assert left <= right


def test_row_15_breaks_the_bound_at_the_last_iterate_alone() -> None:
    run = witnesses.ROW_15
    above = [norm**2 > run.printed_bound_square for norm in run.mean_square_norms]
    assert above == [False] * (run.T - 1) + [True]


def test_row_16_is_unbiased_as_printed_and_not_given_the_past() -> None:
    run = witnesses.ROW_16
    assert all(witnesses.bias_over_orders(run, v) == (0, 0) for law in run.laws for v in law)
    assert witnesses.biases_without_replacement(run) == [(run.alpha, -1), (run.alpha, 1)]


@given(fractions(-100, 100))
def test_row_17_is_flat_along_a_ray(t: Fraction) -> None:
    assert witnesses.ROW_17.loss((t, Fraction(0))) == witnesses.ROW_17.loss((Fraction(0), Fraction(0)))
