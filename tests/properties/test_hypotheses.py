"""Every hypothesis of the catalogue, at the constants that boundcheck certifies; with one made smaller it is found out.

Also the composition lemma at each adapter's J and H, the claim about two layers, and the printed rate. A conclusion is
read off its claim and walked by `boundcheck.exact.evaluate`; it passes where no inequality in it certainly fails.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
import sympy as sp
import torch
from boundcheck.proofs.jiang2024.claims import RATE, THEOREM_2
from boundcheck.proofs.meft.lora import LAYERS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boundcheck.exact.evaluate import VectorFunction
from boundcheck.exact.floats import Approx
from boundcheck.functions.adapters import LoRA
from boundcheck.functions.objectives.clipped import Clipped
from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.functions.problem import Problem
from boundcheck.language import symbols
from boundcheck.language.catalogue import catalogue
from boundcheck.properties import SIZES, short_runs
from boundcheck.worst_case.short_run import ShortRun
from tests.properties.cases import CASES, Enclosure, layer_case, paths_of
from tests.properties.letters import DO, Case, TwoLayers, numbers, of_run, stated
from tests.properties.small import some

CHECKED = {*CASES, RATE.id}
"""The claims that this module tries."""
EXAMPLES = 12


def tried(id: str, large: bool, examples: int) -> None:
    """No case certainly fails."""

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(CASES[id](catalogue[id], large))
    def holds(found: Case) -> None:
        compared = found.compared
        assert not any(math.isnan(x) for each in compared for side in (each.measured, each.bound) for x in side)
        assert [each for each in compared if each.fails] == []

    holds()


each_id = pytest.mark.parametrize("id", CASES)


@each_id
def test_hypotheses_hold_at_certified_constants(id: str) -> None:
    tried(id, False, EXAMPLES)


@each_id
def test_hypotheses_hold_at_ranks_and_sides_up_to_64(id: str) -> None:
    tried(id, True, 3)


def smaller(*symbols: sp.Symbol, factor: float = 0.5) -> Callable[[Case], Case]:
    """With other constants, of which the hypotheses are not true."""
    return lambda found: found.at(dict.fromkeys(symbols, factor))


def higher(found: Case) -> Case:
    """With f* + 1 in place of f*."""
    raised = found.model.arithmetic.add(found.model.numbers[symbols.f_star], Approx(1.0, 0.0))
    return replace(found, model=replace(found.model, numbers={**found.model.numbers, symbols.f_star: raised}))


def biased(found: Case) -> Case:
    """With the first path twice as likely as each other."""
    count = len(found.model.weights)
    weights = [Fraction(1 + (outcome == 0), count + 1) for outcome in range(count)]
    return replace(found, model=replace(found.model, weights=weights))


def stretched(found: Case) -> Case:
    """With every matrix twice as large."""
    twice = {X: tuple(DO.scaled(TWO, part) for part in parts) for X, parts in found.model.matrices.items()}
    return replace(found, model=replace(found.model, matrices=twice))


def turned(found: Case) -> Case:
    """With two rows, the second pair of which is the first one turned."""
    pair = DO.exact(torch.eye(2)), DO.exact(torch.tensor([[0.0, 1.0], [-1.0, 0.0]]))
    matrices = {X: (pair[X.name == "R_2"],) for X in found.model.matrices}
    return replace(found, model=replace(found.model, matrices=matrices))


def with_function(symbol: sp.Symbol, value: Approx, gradient: Approx) -> Callable[[Case], Case]:
    """With these multiples of the values and of the gradients of a function."""

    def changed(found: Case) -> Case:
        true = found.model.functions[symbol]
        other = VectorFunction(
            lambda v: DO.times(value, true.value(v)),
            lambda v: tuple(DO.scaled(gradient, part) for part in true.gradient(v)),
        )
        return replace(found, model=replace(found.model, functions={**found.model.functions, symbol: other}))

    return changed


ONE, TWO, MINUS = (Approx(x, 0.0) for x in (1.0, 2.0, -1.0))
CONTROLS: dict[str, Callable[[Case], Case]] = {
    **dict.fromkeys(("jiang2024.assumption1", "meft.joint_descent"), smaller(symbols.L)),
    **dict.fromkeys(("jiang2024.assumption3", "jiang2024.assumption3.1"), smaller(symbols.C)),
    **dict.fromkeys(("jiang2024.assumption3.2", "meft.gradient_bound", "meft.each_layer_gradient"), smaller(symbols.G)),
    **dict.fromkeys(
        ("meft.ball", "meft.frozen_factor_b", "meft.each_layer_ball", "meft.loha_domain"), smaller(symbols.b)
    ),
    **dict.fromkeys(("classic.smooth", "classic.smooth_around", "classic.smooth_everywhere"), smaller(symbols.ell)),
    **dict.fromkeys(("jiang2024.unbiased", "meft.unbiased"), biased),
    **dict.fromkeys(("meft.loreft_domain", "meft.loreft_trained_domain"), stretched),
    "jiang2024.assumption2": smaller(symbols.sigma),
    "jiang2024.assumption4": smaller(symbols.zeta),
    "jiang2024.bounded_below": higher,
    "meft.frozen_factor": smaller(symbols.a),
    "meft.layer_balls": smaller(symbols.b_2),
    "meft.layer_gradients": smaller(symbols.G_2),
    "meft.lipschitz": smaller(symbols.a, factor=2.0**-4),
    "meft.chain_rule": with_function(sp.Symbol("f"), ONE, TWO),
    # Few examples are near what two layers attain.
    "meft.all_layers": smaller(symbols.L, symbols.G, factor=2.0**-4),
    "meft.composition": smaller(symbols.L, symbols.G),
    "meft.vera_domain": smaller(symbols.a_0),
    "meft.dora_domain": smaller(symbols.mu),
    "meft.loreft_unturned": turned,
    "classic.abc": smaller(symbols.abc_b, symbols.abc_c),
    "classic.convex": with_function(sp.Symbol("F"), MINUS, MINUS),
    "classic.strongly_convex": smaller(symbols.mu_F, factor=4.0),
    "classic.near_minimiser": smaller(symbols.R_1),
}


@pytest.mark.parametrize("id", CONTROLS)
def test_wrong_constants_are_found_out(id: str) -> None:
    some(CASES[id](catalogue[id], False), lambda found: CONTROLS[id](found).fails)


def test_two_layers_attain_their_constant_where_one_of_them_does() -> None:
    number = torch.ones(1, 1, dtype=torch.float64)
    # f' = w up to w = 1, which is W = BA in the corner of the ball.
    loss = Clipped(PiecewiseLinear.clipped(1, 1), [0.0], direction=torch.eye(1, 2).numpy())
    adapter = TwoLayers.of(LoRA(0 * number, 1), LoRA(0 * number, 1))
    ends = [tuple(x * number.unsqueeze(0) for x in (corner, corner, 0.0, 0.0)) for corner in (1 - 2.0**-7, 1.0)]
    radii = dict.fromkeys(adapter.radius_names, 1.0)
    found = layer_case(LAYERS, Enclosure(Problem(loss, adapter), radii, (ends[0], ends[1])))
    assert not found.fails
    assert smaller(symbols.L, symbols.G, symbols.G_2, factor=0.98)(found).fails


def theorem_over_rate(inputs: dict[str, float]) -> float:
    """The least c at which the printed rate is no less than the bound of Theorem 2, as printed."""
    others = {p.name: inputs[p.name] for p in RATE.parameters if p.symbol != symbols.c}
    return float(THEOREM_2.function("bound")(**inputs)) / float(RATE.function("bound")(c=1.0, **others))


def rate_on(run: ShortRun) -> Case:
    """The rate on a run of Theorem 2, at the c that the theorem gives it."""
    inputs = {name: float(sp.N(x)) for name, x in run.inputs.items()}
    known = numbers({"r": inputs["r"], "sigma": inputs["sigma"]})
    found = theorem_over_rate(inputs)
    known[symbols.c] = Approx(found, 1e-12 * found)
    return Case(stated(RATE), of_run(paths_of(run), known))


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(short_runs(THEOREM_2))
def test_the_rate_holds_with_the_constant_of_theorem_2(run: ShortRun) -> None:
    assert not rate_on(run).fails


def test_the_rate_fails_with_a_smaller_constant() -> None:
    some(short_runs(THEOREM_2), lambda run: rate_on(run).at({symbols.c: 2.0**-6}).fails)


# Its c is free of r, symbols.sigma and T where they are at least what they were when c was chosen, and C is a constant.
growth = st.integers(1, 1000)


@given(
    st.fixed_dictionaries(dict.fromkeys(("L", "C", "G", "sigma", "zeta", "D"), SIZES)),
    st.integers(1, 64),
    growth,
    growth,
    growth,
)
def test_the_constant_of_the_rate_serves_larger_r_sigma_and_t(
    inputs: dict[str, float], rank: int, wider: int, larger: int, longer: int
) -> None:
    inputs |= {"r": rank, "T": 7}
    later = inputs | {"r": rank * wider, "sigma": inputs["sigma"] * larger, "T": 7 * longer}
    assert theorem_over_rate(later) <= theorem_over_rate(inputs) * (1 + 1e-12)


def test_no_constant_serves_the_rate_where_c_is_what_the_paper_sets_it_to() -> None:
    inputs = dict.fromkeys(("L", "G", "sigma", "zeta", "D"), 1.0) | {"T": 7}
    needed = [theorem_over_rate(inputs | {"r": rank, "C": math.sqrt(rank)}) for rank in (1, 16, 256)]
    assert needed[2] > 1.9 * needed[1] > 3 * needed[0]
