"""Each fast computation has a naive twin: the table of them, that its tests exist, and that nothing is left out."""

import ast
import importlib
import inspect
import pkgutil
from functools import cache
from pathlib import Path
from types import FunctionType

import numpy as np
import pytest

import boundcheck.problems
from boundcheck.measure import exponent, horizons, intervals
from boundcheck.networks.function import NetworkFunction
from boundcheck.networks.network import Network
from boundcheck.problems import curvature, derivatives, norms
from boundcheck.problems.adapters import ADAPTERS, Adapter
from boundcheck.problems.loss import Loss
from boundcheck.problems.objective import Objective
from boundcheck.problems.problem import Problem
from tests.test_twins import OBJECTIVES

ROOT = Path(__file__).parents[2]

LOOP_OVER_SAMPLES = "tests/test_twins.py::test_an_objective_is_a_loop_over_its_samples"
LOOP_OVER_REPLICAS = "tests/test_twins.py::test_a_problem_is_a_loop_over_replicas_and_samples"
TOGETHER = "tests/problems/test_fused.py::test_steps_taken_together_are_those_one_by_one"
BLOCKS = "tests/test_twins.py::test_a_domain_is_that_of_its_blocks"
DIRECTIONS = "tests/test_twins.py::test_directions_and_steps_are_those_of_single_points"
RATIOS = "tests/test_twins.py::test_difference_ratios_are_those_of_pairs"
BISECTION = "tests/test_twins.py::test_betting_limits_are_roots_found_by_bisection"
FACTOR_SIZES = "tests/words/test_adaptive.py::test_a_step_is_that_of_the_statement"
FIRST_ITERATE = "tests/problems/test_problem.py::test_what_the_first_iterate_determines_is_rounded_up"
SCHEDULE = "tests/test_twins.py::test_a_schedule_is_that_of_its_docstring"
ADAPTER_TESTS, DERIVATIVE_TESTS = "tests/problems/test_adapters.py", "tests/problems/test_derivatives.py"
NETWORK_TESTS = "tests/networks/test_network.py"
FUNCTION_TESTS = "tests/networks/test_function.py"
OVER_REPLICAS = f"{FUNCTION_TESTS}::test_what_is_known_of_a_point_is_that_of_a_loop_over_replicas"
AT_FIRST = "test_the_first_iterate_is_where_the_network_was_taken_and_rounding_is_measured_there"
RESTARTS = "tests/measure/test_relora.py::test_a_run_is_what_a_person_would_write"
NORM_TESTS, INTERVAL_TESTS = "tests/problems/test_norms.py", "tests/measure/test_intervals.py"

TWINS: dict[str, str] = {
    "norms.product": "tests/problems/test_norms.py::test_product_of_small_and_of_large_matrices",
    # Objectives, in 50 digits from the formula of the loss.
    "Objective.loss": LOOP_OVER_SAMPLES,
    "Objective.gradient": LOOP_OVER_SAMPLES,
    "Objective.sample_gradients": LOOP_OVER_SAMPLES,
    "Objective.first_order": LOOP_OVER_SAMPLES,
    "Objective.batch_gradient": LOOP_OVER_SAMPLES,
    "Objective.descend": TOGETHER,
    "Objective.survey": LOOP_OVER_SAMPLES,
    "Objective.rounding": "tests/problems/test_objectives.py::test_everything_is_the_formula_to_within_its_rounding",
    "ReadoutNetwork.logits": "tests/problems/test_objectives.py::test_network_loss_is_the_cross_entropy_of_its_logits",
    # Adapters, from the papers' formulas in NumPy and in 40 digits.
    "Adapter.weight": f"{ADAPTER_TESTS}::test_weight_is_that_of_the_papers",
    "Adapter.pull_back": f"{ADAPTER_TESTS}::test_rounding_is_within_the_sizes",
    "Adapter.sizes": f"{ADAPTER_TESTS}::test_rounding_is_within_the_sizes",
    "Adapter.tangent": DIRECTIONS,
    "Adapter.unit": DIRECTIONS,
    "Adapter.retract": DIRECTIONS,
    "Adapter.acceleration": "tests/problems/test_sgd.py::test_the_geodesic_bends_at_right_angles_by_the_acceleration",
    "Adapter.restart": RESTARTS,
    "Problem.restart": RESTARTS,
    "Adapter.bounded": BLOCKS,
    "Adapter.at": BLOCKS,
    "Adapter.inward": BLOCKS,
    "Adapter.norms": BLOCKS,
    "Adapter.inside": BLOCKS,
    "Adapter.project": BLOCKS,
    "Adapter.extreme": BLOCKS,
    "Adapter.pull_back_outer": f"{NETWORK_TESTS}::test_squares_and_variance_are_those_of_a_loop_over_samples",
    "Adapter.factor_sizes": FACTOR_SIZES,
    "Problem.factor_sizes": FACTOR_SIZES,
    "Adapter.sides": "tests/problems/test_problem.py::test_the_sides_are_the_blocks_of_the_pull_back",
    # Objectives seen through adapters.
    "Problem.loss": LOOP_OVER_REPLICAS,
    "Problem.weight_gradient": LOOP_OVER_REPLICAS,
    "Problem.gradient": LOOP_OVER_REPLICAS,
    "Problem.batch_gradient": LOOP_OVER_REPLICAS,
    "Problem.descend": TOGETHER,
    "Problem.survey": LOOP_OVER_REPLICAS,
    "Problem.sample_variance": LOOP_OVER_REPLICAS,
    "Problem.observe": "tests/problems/test_observe.py::test_every_observable_is_that_of_the_naive_twin",
    "Problem.norms": "tests/problems/test_problem.py::test_norms_and_steps_are_those_of_the_adapters_blocks",
    "Problem.retract": "tests/problems/test_problem.py::test_norms_and_steps_are_those_of_the_adapters_blocks",
    "Problem.inputs_at": FIRST_ITERATE,
    "Problem.distance_bound": FIRST_ITERATE,
    "Problem.rounding": "tests/problems/test_problem.py::test_rounding_covers_what_exact_arithmetic_finds",
    "sgd.sgd_step": "tests/problems/test_sgd.py::test_many_steps_are_those_of_a_loop_over_replicas",
    "run.run_ensemble": "tests/measure/test_run.py::test_the_trace_is_that_of_a_plain_loop",
    # Norms, and second derivatives.
    "norms.square_norm": f"{NORM_TESTS}::test_norm_and_inner_product_are_those_of_the_concatenation",
    "norms.lengths": f"{NORM_TESTS}::test_norm_and_inner_product_are_those_of_the_concatenation",
    "norms.inner": f"{NORM_TESTS}::test_norm_and_inner_product_are_those_of_the_concatenation",
    "norms.spectral_norm": f"{NORM_TESTS}::test_spectral_norm_is_the_largest_singular_value",
    "derivatives.hessian_vector_product": (
        f"{DERIVATIVE_TESTS}::test_product_is_that_of_central_differences_of_the_gradient"
    ),
    "derivatives.gauss_newton_product": f"{DERIVATIVE_TESTS}::test_each_part_is_that_of_the_plain_formulas",
    "derivatives.adjoint": f"{DERIVATIVE_TESTS}::test_derivative_and_adjoint_are_those_of_forward_and_reverse_mode",
    "derivatives.derivative": f"{DERIVATIVE_TESTS}::test_derivative_and_adjoint_are_those_of_forward_and_reverse_mode",
    "derivatives.leaves": f"{DERIVATIVE_TESTS}::test_derivative_and_adjoint_are_those_of_forward_and_reverse_mode",
    "derivatives.curved": f"{DERIVATIVE_TESTS}::test_products_can_be_differentiated_again",
    "derivatives.bilinear_product": f"{DERIVATIVE_TESTS}::test_each_part_is_that_of_the_plain_formulas",
    "norms.apart": RATIOS,
    "norms.gradient_ratio": RATIOS,
    "derivatives.difference_ratio": RATIOS,
    "derivatives.sure_difference_ratio": RATIOS,
    "curvature.top_curvature": (
        "tests/problems/test_curvature.py::test_top_curvature_is_the_largest_absolute_eigenvalue"
    ),
    "curvature.largest_eigenvalue": (
        "tests/problems/test_curvature.py::test_top_curvature_is_the_largest_absolute_eigenvalue"
    ),
    "curvature.block_norms": "tests/measure/test_split.py::test_block_norms_are_those_of_the_dense_matrix",
    "slack.slack": "tests/measure/test_slack.py::test_values_are_those_of_the_lines_of_the_paper",
    # What a run is audited for.
    "observe.observe": "tests/problems/test_observe.py::test_every_observable_is_that_of_the_naive_twin",
    "observe.observe, without replacement": (
        "tests/problems/test_observe.py::test_without_replacement_every_minibatch_that_may_come_is_enumerated"
    ),
    "ball.BallWatch": "tests/measure/test_ball.py::test_watch_reports_what_a_naive_one_reports_on_random_walks",
    # Networks, by plain autograd, a loop over samples, and whole Hessians.
    "Network.look": f"{NETWORK_TESTS}::test_a_look_is_what_autograd_says_of_all_samples_at_once",
    "look, in W": f"{NETWORK_TESTS}::test_weight_gradients_are_those_of_one_matrix_a_site",
    "Network.batch_gradient": f"{NETWORK_TESTS}::test_a_look_is_what_autograd_says_of_all_samples_at_once",
    "Network.losses": f"{NETWORK_TESTS}::test_a_look_is_what_autograd_says_of_all_samples_at_once",
    "Network.hessian_vector_product": f"{NETWORK_TESTS}::test_products_are_those_of_the_whole_hessian",
    "Network.weight_hessian_vector_product": (
        f"{NETWORK_TESTS}::test_products_in_the_weights_are_those_of_the_whole_hessian"
    ),
    "Network.split": f"{NETWORK_TESTS}::test_what_is_written_is_read_back",
    "Network.points": f"{NETWORK_TESTS}::test_a_look_is_what_autograd_says_of_all_samples_at_once",
    "Network.point": f"{NETWORK_TESTS}::test_what_is_written_is_read_back",
    "Network.write": f"{NETWORK_TESTS}::test_what_is_written_is_read_back",
    "Network.retract": f"{NETWORK_TESTS}::test_products_are_those_of_losses_along_a_retraction",
    "Network.tangent": f"{NETWORK_TESTS}::test_products_of_loreft_see_and_give_the_tangent_part_alone",
    "NetworkFunction.loss": OVER_REPLICAS,
    "NetworkFunction.gradient": OVER_REPLICAS,
    "NetworkFunction.batch_gradient": OVER_REPLICAS,
    "NetworkFunction.sample_variance": OVER_REPLICAS,
    "NetworkFunction.accuracy": OVER_REPLICAS,
    "NetworkFunction.rounding": f"{FUNCTION_TESTS}::{AT_FIRST}",
    "NetworkFunction.retract": f"{FUNCTION_TESTS}::test_a_step_is_that_of_each_network_as_it_holds_it",
    "NetworkFunction.observe": f"{FUNCTION_TESTS}::test_what_is_observed_is_that_of_a_loop_over_replicas",
    "NetworkFunction.look": f"{FUNCTION_TESTS}::test_a_look_and_held_out_samples_are_those_of_a_single_point",
    "NetworkFunction.held_out_ends": f"{FUNCTION_TESTS}::test_a_look_and_held_out_samples_are_those_of_a_single_point",
    "run.run_ensemble, of a network": "tests/networks/test_run.py::test_a_run_is_algorithm_1",
    # Statistics.
    "intervals.student_quantile": f"{INTERVAL_TESTS}::test_student_quantiles_are_those_of_scipy_stats",
    "intervals.log_bets": f"{INTERVAL_TESTS}::test_capital_is_the_mixture_of_products_and_grows_sample_by_sample",
    "intervals.log_mixture": f"{INTERVAL_TESTS}::test_capital_is_the_mixture_of_products_and_grows_sample_by_sample",
    "intervals.betting_lower_limit": BISECTION,
    "intervals.betting_limits": BISECTION,
    "intervals.betting_interval": BISECTION,
    "intervals.simultaneous_lower_limits": BISECTION,
    "intervals.bernstein_limits": f"{INTERVAL_TESTS}::test_bernstein_interval_is_the_formula",
    "intervals.student_half_width": f"{INTERVAL_TESTS}::test_student_interval_is_scipys_cut_at_zero",
    "intervals.student_limits": f"{INTERVAL_TESTS}::test_student_interval_is_scipys_cut_at_zero",
    "intervals.student_interval": f"{INTERVAL_TESTS}::test_student_interval_is_scipys_cut_at_zero",
    "intervals.mean_interval": f"{INTERVAL_TESTS}::test_the_kind_of_interval_is_chosen_without_the_data",
    "intervals.student_replicas": f"{INTERVAL_TESTS}::test_student_replicas_is_the_first_that_is_enough",
    "coverage.clopper_pearson": "tests/checked/test_coverage.py::test_clopper_pearson_inverts_the_binomial_tails",
    "coverage.power": "tests/checked/test_coverage.py::test_tests_of_power_are_the_upper_limits_themselves",
    "exponent.fit_exponent": "tests/measure/test_exponent.py::test_slope_and_interval_are_those_of_the_naive_twin",
    "schedule.Schedule": SCHEDULE,
    "schedule.Schedule, unbiased": "tests/measure/test_schedule.py::test_the_stratified_estimate_is_unbiased",
    "verdict.Outcome.measured": "tests/measure/test_run.py::test_measured_is_the_weighted_mean_of_the_trace",
    # Claims.
    "horizons.informative_horizon": "tests/measure/test_horizon.py::test_the_horizon_is_that_of_a_linear_scan",
    "horizons.informative_horizon, at the best step": (
        "tests/measure/test_horizon.py::test_the_horizon_at_the_best_step_is_that_of_a_linear_scan_at_the_formulas_step"
    ),
    "horizons.best_step": "tests/measure/test_horizon.py::test_no_other_step_has_a_smaller_bound",
    "horizons.at_the_longest": (
        "tests/measure/test_any_step.py::test_a_bound_that_no_horizon_brings_down_is_blamed_on_the_step"
    ),
    "Claim.function, T_min among them": "tests/claims/test_twins.py::test_floats_are_within_a_few_ulps",
    "Claim.enclosures": "tests/claims/test_twins.py::test_enclosures_contain_the_twin",
}

NOTHING_TO_COMPARE = {
    "Adapter.initial": "where training starts: the shapes, the seed and W(v) = W0 are tested",
    "Problem.initial": "the adapter's own",
    "NetworkFunction.initial": "the point at which the network was taken",
    "Adapter.diagonal": "a starting point too, which is written down and not computed",
    "Adapter.draw": "random points: that they lie in the domain, and half of them at its boundary, is tested",
    "Adapter.check": "refuses, and computes nothing",
}


def public(kind: type) -> set[str]:
    """The methods that take or give tensors, under the name of the kind that says what they do."""
    found = set()
    for name, function in vars(kind).items():
        tensors = isinstance(function, FunctionType) and "Tensor" in str(inspect.get_annotations(function).values())
        if tensors and not name.startswith("_"):
            found.add(f"{root_of(kind, name).__name__}.{name}")
    return found


def root_of(kind: type, name: str) -> type:
    roots = [Objective] * issubclass(kind, Objective) + [Adapter] * issubclass(kind, Adapter)
    return next((root for root in roots if name in vars(root)), kind)


def objective_kinds() -> set[type]:
    modules = [
        importlib.import_module(f"boundcheck.problems.{m.name}")
        for m in pkgutil.iter_modules(boundcheck.problems.__path__)
    ]
    kinds = {x for module in modules for x in vars(module).values() if inspect.isclass(x)}
    return {kind for kind in kinds if issubclass(kind, Objective) and kind is not Objective}


def functions_of(module: object) -> set[str]:
    found = [x for x in vars(module).values() if isinstance(x, FunctionType) and x.__module__ == module.__name__]
    return {f"{module.__name__.split('.')[-1]}.{x.__name__}" for x in found if not x.__name__.startswith("_")}


@cache
def names_in(path: str) -> set[str]:
    return {node.name for node in ast.parse((ROOT / path).read_text("utf-8")).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", TWINS)
def test_the_twin_exists(name: str) -> None:
    path, test = TWINS[name].split("::")
    assert test in names_in(path)


def test_no_batched_method_is_left_out() -> None:
    kinds = {Objective, Adapter, Problem, Network, NetworkFunction, *ADAPTERS.values(), *objective_kinds()}
    wanted = set().union(*map(public, kinds))
    assert {"Objective.survey", "Adapter.pull_back", "Adapter.sides"} <= wanted
    assert wanted - set(TWINS) == set(NOTHING_TO_COMPARE)
    # Nor does the table name a method that is no more.
    assert {name for name in TWINS if name.split(".")[0] in {kind.__name__ for kind in kinds}} <= wanted


MODULES = [norms, derivatives, curvature, horizons, intervals, exponent]


@pytest.mark.parametrize("module", MODULES, ids=lambda x: x.__name__)
def test_no_function_is_left_out(module: object) -> None:
    assert functions_of(module)
    assert functions_of(module) <= set(TWINS)


def test_every_kind_of_objective_is_compared() -> None:
    """All kinds of adapters are, because the tests are parametrised by `ADAPTERS` itself."""
    compared = {type(make(np.random.default_rng(0))) for make in OBJECTIVES.values()}
    # A loss of one's own is held against closed forms in tests/problems/test_loss.py.
    compared.add(Loss)
    assert compared == {kind for kind in objective_kinds() if not inspect.isabstract(kind)}
