"""Every number of every claim against a naive twin: the formula, transcribed from its source, in mpmath.

The twin of lambda* is an eigenvalue, and that of the best step a minimum: neither is the catalogue's own formula.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import hypothesis.strategies as st
import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from flint import arb, ctx
from hypothesis import given

from boundcheck.claims import catalogue
from boundcheck.claims.enclose import enclose
from tests.strategies import claim_inputs

Twin = Callable[[Any], dict[str, Any]]

DIGITS = 50
EPSILON = 2.0**-52
EVALUABLE = [id for id, claim in catalogue.items() if claim.quantities]


def lemma1(i: Any) -> dict[str, Any]:
    return {"Lhat": 2 * i.L * i.C * mp.sqrt(i.r) * i.sigma + i.G}


def lemma1_sharp(i: Any) -> dict[str, Any]:
    cross = i.s**2 * i.L * i.a * i.b + i.s * i.G
    M = mp.matrix([[i.s**2 * i.L * i.b**2, cross], [cross, i.s**2 * i.L * i.a**2]])
    return {"Lhat": max(mp.eigsy(M, eigvals_only=True))}


def lemma1_sharp_equal_radii(i: Any) -> dict[str, Any]:
    return {"Lhat": 2 * i.L * i.sigma**2 + i.G}


def frozen_a(i: Any) -> dict[str, Any]:
    return {"Lhat": i.L * (i.s * i.a) ** 2}


def layers(i: Any) -> dict[str, Any]:
    second = SimpleNamespace(L=i.L, G=i.G_2, a=i.a_2, b=i.b_2, s=i.s_2)
    return {"Lhat": max(lemma1_sharp(i)["Lhat"], lemma1_sharp(second)["Lhat"])}


def theorem2(i: Any) -> dict[str, Any]:
    Lhat = lemma1(i)["Lhat"]
    alpha = mp.sqrt(i.D / (Lhat * i.zeta**2 * i.T))
    T_min = 4 * Lhat * i.D / i.zeta**2
    return {"Lhat": Lhat, "alpha": alpha, "T_min": T_min, "bound": 2.5 * mp.sqrt(i.D * Lhat * i.zeta**2 / i.T)}


def averaged_descent(i: Any, Lhat: Any, alpha: Any) -> Any:
    """The right-hand side of the repaired proof at any step size, from which both kappas come."""
    return (i.D / (alpha * i.T) + Lhat * alpha * i.zeta**2 / 2) / (1 - Lhat * alpha / 2)


def theorem2_repaired(i: Any) -> dict[str, Any]:
    Lhat = lemma1_sharp(i)["Lhat"]
    alpha = mp.sqrt(i.D / (Lhat * i.zeta**2 * i.T))
    q = mp.sqrt(Lhat * i.D / (i.zeta**2 * i.T))
    bound = averaged_descent(i, Lhat, alpha)
    kappa = bound / mp.sqrt(i.D * Lhat * i.zeta**2 / i.T)
    return {
        "Lhat": Lhat,
        "alpha": alpha,
        "T_min": 4 * Lhat * i.D / i.zeta**2,
        "q": q,
        "kappa": kappa,
        "bound": bound,
    }


def theorem2_best_step(i: Any) -> dict[str, Any]:
    Lhat = lemma1_sharp(i)["Lhat"]
    q = mp.sqrt(Lhat * i.D / (i.zeta**2 * i.T))
    # Stationarity of the right-hand side is x^2 + 2 q^2 x - 2 q^2 = 0 for x = Lhat alpha; this root form is stable.
    alpha = 2 * q / (q + mp.sqrt(q**2 + 2)) / Lhat
    bound = averaged_descent(i, Lhat, alpha)
    kappa = bound / mp.sqrt(i.D * Lhat * i.zeta**2 / i.T)
    return {"Lhat": Lhat, "q": q, "alpha": alpha, "kappa": kappa, "bound": bound}


def rate(i: Any) -> dict[str, Any]:
    return {"bound": i.c * mp.root(i.r, 4) * mp.sqrt(i.sigma) / mp.sqrt(i.T)}


TWINS: dict[str, Twin] = {
    "jiang2024.lemma1": lemma1,
    "jiang2024.theorem2": theorem2,
    "jiang2024.rate": rate,
    "meft.lemma1_sharp": lemma1_sharp,
    "meft.lemma1_sharp_equal_radii": lemma1_sharp_equal_radii,
    "meft.frozen_a": frozen_a,
    "meft.layers": layers,
    "meft.theorem2_repaired": theorem2_repaired,
    "meft.theorem2_best_step": theorem2_best_step,
}


def test_every_evaluable_claim_has_a_twin() -> None:
    assert set(EVALUABLE) == set(TWINS)


@pytest.mark.parametrize("id", EVALUABLE)
@given(data=st.data())
def test_enclosures_contain_the_twin(id: str, data: st.DataObject) -> None:
    claim = catalogue[id]
    inputs = data.draw(claim_inputs(claim))
    exact = {str(symbol): value for symbol, value in claim.check(inputs).items()}
    with mp.workdps(DIGITS):
        twin = TWINS[id](SimpleNamespace(**{name: mp.mpf(x.p) / x.q for name, x in exact.items()}))
        as_text = {name: mp.nstr(value, DIGITS) for name, value in twin.items()}
    enclosures = claim.enclosures(**inputs)
    assert list(enclosures) == list(claim.names)
    for name, ball in enclosures.items():
        with ctx.workdps(DIGITS):
            # The twin is not exact either: half of its digits are granted to its own rounding.
            near = arb(as_text[name]) * (1 + arb(0, f"1e-{DIGITS // 2}"))
        assert ball.overlaps(near), name


@pytest.mark.parametrize("id", EVALUABLE)
@given(data=st.data())
def test_floats_are_within_a_few_ulps(id: str, data: st.DataObject) -> None:
    claim = catalogue[id]
    inputs = data.draw(claim_inputs(claim))
    values, exact = claim.values(**inputs), claim.check(inputs)
    for name in claim.names:
        formula = claim.expression(name)
        sharp = enclose(formula, exact, bits=512)
        # Two unit roundoffs an operation: enough for sums of positive terms, and not for cancellation.
        assert abs(arb(values[name]) - sharp) <= int(sp.count_ops(formula)) * EPSILON * abs(sharp), name
    assert claim.bound(**inputs) == values[claim.names[-1]]


@pytest.mark.parametrize("id", EVALUABLE)
@given(data=st.data())
def test_enclosures_are_narrow(id: str, data: st.DataObject) -> None:
    claim = catalogue[id]
    for name, ball in claim.enclosures(**data.draw(claim_inputs(claim))).items():
        assert ball.rad() <= EPSILON * abs(ball), name


@pytest.mark.parametrize("id", EVALUABLE)
@given(data=st.data())
def test_functions_take_arrays(id: str, data: st.DataObject) -> None:
    claim = catalogue[id]
    rows = [claim.check(data.draw(claim_inputs(claim))) for _ in range(2)]
    columns = {str(symbol): np.array([float(row[symbol]) for row in rows]) for symbol in rows[0]}
    for name in claim.names:
        column = claim.function(name)(**columns)
        one_by_one = [claim.function(name)(**{key: x[i] for key, x in columns.items()}) for i in range(2)]
        # NumPy may round a power of an array otherwise than one of a scalar.
        np.testing.assert_allclose(column, one_by_one, rtol=int(sp.count_ops(claim.expression(name))) * EPSILON)
