"""Errors that are planted in theorems are not proved; an exact run refutes each that is false
early.

The runs are those of the theorem's own algorithm on a parabola, on all paths of two-point noise, in
rationals. In each of them every hypothesis, condition and definition holds, and the bound does not:
so says the kernel's meaning, and so does an evaluation of the claim's own formula that shares no
code with it.
"""

from dataclasses import replace
from fractions import Fraction

import pytest
from boundcheck.proofs.bottou2018 import sgd
from boundcheck.proofs.classics import exact_rate
from boundcheck.proofs.jiang2024 import theorem_2_beyond as beyond
from boundcheck.proofs.meft import factors, products, stiefel
from boundcheck.proofs.methods import convex, descent

import boundcheck
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.language.algorithms import gamma
from boundcheck.language.symbols import (
    R_1,
    D,
    G,
    H,
    J,
    L,
    Lhat,
    T,
    a,
    alpha,
    beta,
    kappa,
    mu_F,
    nu,
    q,
    rho,
    zeta,
)
from boundcheck.proof.audit import Carrier, carrier
from soundness.exact_models import runs_of
from tests.layers import full
from tests.proofs.planted import Planted, about, closes

SHRINKS = 1 - alpha * mu_F, 1 - 2 * alpha * mu_F
NOISE = zeta**2, zeta**2 / 2
LONGER = 1 / Lhat, 2 / Lhat
LATER = T - 1, T
FALSE = {
    "the gap shrinks twice as fast": Planted(sgd.constant_step, *SHRINKS),
    "half of the noise in the gap": Planted(sgd.constant_step, *NOISE),
    "a longer step, under PL": Planted(sgd.constant_step, *LONGER),
    "one more step, under PL": Planted(sgd.constant_step, *LATER),
    "the distance shrinks twice as fast": Planted(sgd.contraction, *SHRINKS),
    "half of the noise in the distance": Planted(sgd.contraction, *NOISE),
    "a longer step, strongly convex": Planted(sgd.contraction, *LONGER),
    "one more step, strongly convex": Planted(sgd.contraction, *LATER),
    "half of the noise, on average": Planted(sgd.average, *NOISE),
    "a longer step, on average": Planted(sgd.average, *LONGER),
    "half of the distance": Planted(sgd.average, R_1**2, R_1**2 / 2),
    "half of D": Planted(sgd.nonconvex, D, D / 2),
    "a longer step, nonconvex": Planted(sgd.nonconvex, *LONGER),
    "half of D, without noise": Planted(descent.gradient_descent, D, D / 2),
    "4T - 1 for 4T - 2": Planted(convex.convex_descent, 4 * T - 2, 4 * T - 1),
    "R_1/3 for R_1": Planted(convex.nesterov, R_1, R_1 / 3),
}
MOST = kappa**2 * zeta**2 / (3 * T)
# No parabola is as bad as the worst function at these, or their numbers are not rational.
UNKNOWN = {
    "half of D, heavy ball": Planted(descent.heavy_ball, D, D / 2),
    "half of D, heavy ball, short step": Planted(descent.heavy_ball_short_step, D, D / 2),
    "β/2 for β², heavy ball, short step": Planted(
        descent.heavy_ball_short_step, 1 - beta**2, 1 - beta**2 / 2
    ),
    "half of D, exact rate": Planted(exact_rate.best_step, D, D / 2),
    "T for T - 1, exact rate": Planted(exact_rate.best_step, *LATER),
    "a smaller κ, on average": Planted(beyond.average, 1 - q / 2, 1 - q / 3),
    "more is attained, on average": Planted(beyond.average_sharp, MOST, MOST * 3 / 10**9),
}
SLOW = {
    "γ for γ + 1": Planted(sgd.decreasing_step, gamma + 1, gamma),
    "ω less than 1/μ_F": Planted(sgd.decreasing_step, 1 / mu_F, 1 / (2 * mu_F)),
    "half of the bound, at any point": Planted(
        factors.unconditional_gd, 2 * Lhat * D / T, Lhat * D / T
    ),
    "a longer step, at any point": Planted(factors.unconditional_gd, *LONGER),
    "a smaller ball": Planted(factors.unconditional_gd, rho, rho / 2),
    "all layers without G": Planted(products.all_layers, G, 0),
    "all layers, half of a": Planted(products.all_layers, a, a / 2),
    "LoRA without G": Planted(products.lora, G * H, 0),
    "LoRA, J² halved": Planted(products.lora, L * J**2, L * J**2 / 2),
    "LoRA, half of a": Planted(products.lora, a, a / 2),
    "composition, J² halved": Planted(products.composition, J**2, J**2 / 2),
    "full, half of L": Planted(products.full, L, L / 2),
    "LoReFT without G": Planted(stiefel.composed, G * H, 0),
    "LoReFT, sharp, as flat": Planted(stiefel.sharp, G, 0),
    "LoReFT, sharp, half of ν": Planted(stiefel.sharp, nu, nu / 2),
    "LoReFT at rank 1, half of ν": Planted(stiefel.rank_1, nu, nu / 2),
    "LoReFT in (R, U), as in (R, V)": Planted(stiefel.trained, L * (1 + nu) ** 2, L * nu**2),
    "LoReFT in (R, U) with 2G for 3G": Planted(stiefel.trained, G * (3 + nu), G * (2 + nu)),
}
THEOREMS = {each.script.id: each.script for each in (FALSE | UNKNOWN | SLOW).values()}
F = Fraction
# In the second, most of the distance is in the direction that is a little less steep, and the noise
# is larger than it.
PARABOLAS = (
    ((F(1),), (F(2),)),
    *(((F(2), F(3, 2)), (3 * far, -4 * far)) for far in (F(1, 50), F(1))),
)


@pytest.mark.parametrize(
    "planted",
    [
        *(pytest.param(each, id=name) for name, each in (FALSE | UNKNOWN).items()),
        *(pytest.param(each, id=name, marks=full) for name, each in SLOW.items()),
    ],
)
def test_what_is_planted_is_not_proved(planted):
    assert not closes(planted.script, planted.claim)


@full
@pytest.mark.parametrize("script", THEOREMS.values(), ids=THEOREMS)
def test_the_theorem_itself_under_another_id_is(script):
    """So it is not the change of the id that is refused."""
    assert closes(script, replace(script.claim, id=f"planted.{script.id.split('.')[1]}"))


def refuting(claim, script):
    """The first run in which all that the proof starts from holds and the claim does not; whether
    in one both hold."""
    proof = about(script, claim)
    given = {each.statement for each in proof.assumptions if each.role != "local"}
    holds = False
    for run in runs_of(claim, parabolas=PARABOLAS):
        said = run.says(claim.conclusion)
        if said is False and run.refutes(proof.goal) and run.allows(given, proof):
            return run, holds
        holds = holds or bool(said and run.allows(given, proof))
    return None, holds


@pytest.mark.parametrize("planted", FALSE.values(), ids=FALSE)
def test_what_is_planted_is_refuted_by_an_exact_run(planted):
    run, _ = refuting(planted.claim, planted.script)
    assert run is not None
    assert all(isinstance(x, Fraction) for x in run.numbers.values())
    assert run.numbers["T"] <= 3


REFUTED = {each.script.id: each.script for each in FALSE.values()}


@full
@pytest.mark.parametrize("script", REFUTED.values(), ids=REFUTED)
def test_no_run_refutes_the_theorem_itself(script):
    """And there are runs of which the theorem says something."""
    run, holds = refuting(replace(script.claim, id=f"planted.{script.id.split('.')[1]}"), script)
    assert run is None
    assert holds


@pytest.mark.parametrize(
    "id", sorted({id for adapter in ADAPTERS.values() for id in adapter.claims})
)
def test_each_claim_about_an_adapter_is_carried(id):
    assert carrier(boundcheck.claims[id]) in (Carrier.KERNEL, Carrier.BY_HAND)
