"""`informative_horizon` against a linear scan: the smallest T that the claim allows and at which its bound is small.

So too at the step at which the bound is smallest, which has a formula of its own here.
"""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from boundcheck.experiment.plan import at_the_longest, best_step, informative_horizon
from boundcheck.language.catalogue import catalogue
from boundcheck.language.inputs import exact
from tests.layers import sampled

from .small import THEOREMS

LONGEST_SCAN = 4000
LONGEST = 10**12
constant = st.floats(0.05, 20)
constants = st.fixed_dictionaries(dict.fromkeys(("L", "C", "G", "sigma", "a", "b", "s", "D"), constant))


def of_claim(claim, table):
    return {p.name: table[p.name] for p in claim.parameters if p.name in table}


def allowed(claim, inputs, T):
    """Whether T >= T_min, decided without rounding."""
    symbols = {p.symbol: exact(p.name, T if p.name == "T" else inputs[p.name]) for p in claim.parameters}
    return not claim.failing(symbols)


def scanned(claim, inputs, threshold):
    """The first T of 1, 2, 3, ... that is allowed and informative; None if it takes too long."""
    times = np.arange(1, LONGEST_SCAN)
    informative = claim.function("bound")(**inputs, T=times.astype(float)) < threshold
    # Only to save time: those far below T_min need no exact arithmetic.
    shortest = claim.function("T_min")(**inputs, T=1.0) if "T_min" in claim.names else 0
    candidates = times[informative & (times > shortest - 2)].tolist()
    return next((T for T in candidates if allowed(claim, inputs, T)), None)


def is_tie(claim, inputs, T):
    """Whether T exceeds T_min by too little for floats to tell, which may cost one iteration."""
    return "T_min" in claim.names and claim.function("T_min")(**inputs, T=1.0) * (1 + 2e-12) >= T


@pytest.mark.parametrize("id", THEOREMS)
@given(
    table=constants, zeta=st.floats(0.3, 30), rank=st.integers(1, 8), first=st.integers(1, 2000), room=st.floats(0, 0.5)
)
def test_the_horizon_is_that_of_a_linear_scan(id, table, zeta, rank, first, room):
    claim = catalogue[id]
    inputs = of_claim(claim, table | {"zeta": zeta, "r": rank})
    # A threshold that some T near `first` meets.
    threshold = claim.function("bound")(**inputs, T=float(first)) * (1 + room)
    expected = scanned(claim, inputs, threshold)
    assume(expected is not None)
    found = informative_horizon(claim, inputs, threshold)
    assert found == expected or (found == expected + 1 and is_tie(claim, inputs, expected))


@pytest.mark.parametrize("id", THEOREMS)
@given(table=constants, zeta=st.floats(1e-3, 1e3), threshold=st.floats(1e-3, 1e3))
def test_long_horizons_are_allowed_informative_and_the_first_such(id, table, zeta, threshold):
    claim = catalogue[id]
    inputs = of_claim(claim, table | {"zeta": zeta, "r": 4})
    bound = claim.function("bound")
    try:
        T = informative_horizon(claim, inputs, threshold)
    except ArithmeticError:
        # None up to 10^12: not allowed there, or not informative there.
        assert not allowed(claim, inputs, LONGEST) or bound(**inputs, T=float(LONGEST)) >= threshold
        return
    assert bound(**inputs, T=float(T)) < threshold
    assert allowed(claim, inputs, T)
    if T > 1 and not is_tie(claim, inputs, T - 1):
        assert not allowed(claim, inputs, T - 1) or bound(**inputs, T=float(T - 1)) >= threshold


def test_a_bound_that_is_informative_at_once_has_horizon_one():
    """Where there is no T_min, T = 1 is allowed."""
    claim = catalogue["meft.theorem2_best_step"]
    inputs = of_claim(claim, dict.fromkeys(("L", "G", "a", "b", "s", "D", "zeta"), 1.0))
    assert informative_horizon(claim, inputs, math.inf) == 1


@pytest.mark.parametrize("D", [1, 2, 3, 7, 100])
def test_a_shortest_horizon_that_is_an_integer_costs_one_iteration_at_most(D):
    """T_min = 4 L-hat D / zeta^2 = 4 * 3 * D exactly, which the float cannot be trusted to know."""
    claim = catalogue["meft.theorem2_repaired"]
    inputs = {"L": 1.0, "G": 1.0, "a": 1.0, "b": 1.0, "s": 1.0, "D": float(D), "zeta": 1.0}
    T = informative_horizon(claim, inputs, math.inf)
    assert allowed(claim, inputs, T)
    assert T in (12 * D, 12 * D + 1)


@sampled(4)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.999])
@pytest.mark.parametrize("id", THEOREMS)
def test_a_horizon_just_within_reason_is_found(id, share):
    claim = catalogue[id]
    inputs = of_claim(claim, dict.fromkeys(("L", "C", "G", "sigma", "a", "b", "s", "D", "zeta", "r"), 1.0))
    threshold = float(claim.function("bound")(**inputs, T=share * LONGEST))
    assert informative_horizon(claim, inputs, threshold) == pytest.approx(share * LONGEST, rel=1e-9)


@pytest.mark.parametrize("id", THEOREMS)
def test_a_horizon_beyond_reason_is_refused(id):
    claim = catalogue[id]
    inputs = of_claim(claim, dict.fromkeys(("L", "C", "G", "sigma", "a", "b", "s", "D", "zeta", "r"), 1.0))
    with pytest.raises(ArithmeticError, match="no informative horizon"):
        informative_horizon(claim, inputs, 1e-9)


@sampled(4)
@pytest.mark.parametrize("zeta", [1e-3, 1e-6, 1e-8, 1e-9, 1e-12])
@pytest.mark.parametrize("id", THEOREMS)
def test_a_tiny_noise_gives_a_horizon_or_the_same_refusal(id, zeta):
    """T_min grows like zeta^-2 and passes 2^63 at 1e-9; the best step needs no T_min and has a short horizon."""
    claim = catalogue[id]
    inputs = of_claim(claim, dict.fromkeys(("L", "C", "G", "sigma", "a", "b", "s", "D", "r"), 1.0) | {"zeta": zeta})
    if "T_min" in claim.names and claim.function("T_min")(**inputs, T=1.0) > 1e12:
        with pytest.raises(ArithmeticError, match="no informative horizon"):
            informative_horizon(claim, inputs, 1.0)
    else:
        assert allowed(claim, inputs, informative_horizon(claim, inputs, 1.0))


ANY_STEP = catalogue["meft.theorem2_any_step"]
any_step_constants = st.fixed_dictionaries({name: st.floats(1e-3, 1e3) for name in ("ell", "D", "zeta")})


def bound_at(inputs, T, step):
    """(D/(eta T) + ell eta zeta^2/2)/(1 - ell eta/2) at the share eta ell/2 of the longest step."""
    return (inputs["D"] / (step * T) + inputs["ell"] * step * inputs["zeta"] ** 2 / 2) / (1 - inputs["ell"] * step / 2)


def best_by_formula(inputs, T):
    """Where the derivative in the step is 0: with p = 2D/(ell T zeta^2), the root of eta^2 + p ell eta - p = 0."""
    ell, p = inputs["ell"], 2 * inputs["D"] / (inputs["ell"] * T * inputs["zeta"] ** 2)
    return p / (p * ell / 2 + math.sqrt((p * ell / 2) ** 2 + p))


@given(inputs=any_step_constants, T=st.integers(1, 10**9), other=st.floats(1e-9, 1 - 1e-9))
def test_no_other_step_has_a_smaller_bound(inputs, T, other):
    step = best_step(ANY_STEP, inputs | {"T": T})
    assert 0 < step < 2 / inputs["ell"]
    least = ANY_STEP.bound(**inputs, T=T, eta=step)
    assert least == pytest.approx(bound_at(inputs, T, step), rel=1e-9)
    assert least <= bound_at(inputs, T, other * 2 / inputs["ell"]) * (1 + 1e-9)
    assert least == pytest.approx(bound_at(inputs, T, best_by_formula(inputs, T)), rel=1e-9)


@given(inputs=any_step_constants, first=st.integers(1, 2000), room=st.floats(1e-6, 0.5))
def test_the_horizon_at_the_best_step_is_that_of_a_linear_scan_at_the_formulas_step(inputs, first, room):
    times = np.arange(1, LONGEST_SCAN, dtype=float)
    steps = np.array([best_by_formula(inputs, T) for T in times])
    bounds = bound_at(inputs, times, steps)
    threshold = bounds[first - 1] * (1 + room)
    expected = int(np.argmax(bounds < threshold)) + 1
    found = informative_horizon(ANY_STEP, inputs, threshold)
    # Floats may not tell a bound from a threshold that is nearly the same.
    near = abs(bounds[min(found, expected) - 1] / threshold - 1) < 1e-8
    assert found == expected or (abs(found - expected) == 1 and near)
    # No other step brings the bound down sooner, whatever step it is.
    if found > 1:
        shares = np.geomspace(1e-9, 1, 2000)[:-1]
        assert bound_at(inputs, found - 1, shares * 2 / inputs["ell"]).min() >= threshold * (1 - 1e-8)


def test_with_a_step_that_is_free_every_noise_has_a_horizon():
    """A step that is given leaves ell eta zeta^2/2; a free one does not."""
    inputs = {"ell": 1.0, "D": 1.0, "zeta": 1.0}
    assert at_the_longest(ANY_STEP, inputs | {"eta": 1.0}) > 0.9
    T = informative_horizon(ANY_STEP, inputs, 0.01)
    assert bound_at(inputs, T, best_by_formula(inputs, T)) < 0.01
    with pytest.raises(ArithmeticError, match="no informative horizon"):
        informative_horizon(ANY_STEP, inputs, 1e-7)
