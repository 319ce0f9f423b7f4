"""Errors that are planted in theorems are not proved; an exact run refutes each that is false early.

The runs are those of the theorem's own algorithm on a parabola, on all paths of two-point noise, in rationals. In each
of them every hypothesis, condition and definition holds, and the bound does not: so says the kernel's meaning, and so
does an evaluation of the claim's own formula that shares no code with it.
"""

from dataclasses import replace
from fractions import Fraction

import pytest
from boundcheck.proofs.bottou2018 import convex, sgd
from boundcheck.proofs.classics import exact_rate
from boundcheck.proofs.jiang2024 import theorem_2_average as average
from boundcheck.proofs.meft import all_layers, products, stiefel, unconditional_gd
from boundcheck.proofs.methods import descent, drori, nesterov

import boundcheck
from boundcheck.checked.exact_model import ExactModel
from boundcheck.checked.exact_models import runs_of
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.language.algorithms import gamma, omega
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import R_1, D, G, H, J, L, Lhat, T, a, a_0, alpha, b_0, kappa, mu_F, nu, q, rho, zeta
from boundcheck.proof import Proof
from boundcheck.proof.audit import Carrier, carrier
from tests.proofs.planted import Planted

LAST_GAP = (sgd.constant_step, sgd, "CONSTANT_STEP")
DISTANCE = (convex.contraction, convex, "CONTRACTION")
AVERAGE_GAP = (convex.average, convex, "CONVEX_AVERAGE")
NONCONVEX = (sgd.nonconvex, sgd, "NONCONVEX")
SHRINKS = 1 - alpha * mu_F, 1 - 2 * alpha * mu_F
NOISE = zeta**2, zeta**2 / 2
LONGER = 1 / Lhat, 2 / Lhat
LATER = T - 1, T
FALSE = {
    "the gap shrinks twice as fast": Planted(*LAST_GAP, *SHRINKS),
    "half of the noise in the gap": Planted(*LAST_GAP, *NOISE),
    "a longer step, under PL": Planted(*LAST_GAP, *LONGER),
    "one more step, under PL": Planted(*LAST_GAP, *LATER),
    "the distance shrinks twice as fast": Planted(*DISTANCE, *SHRINKS),
    "half of the noise in the distance": Planted(*DISTANCE, *NOISE),
    "a longer step, strongly convex": Planted(*DISTANCE, *LONGER),
    "one more step, strongly convex": Planted(*DISTANCE, *LATER),
    "half of the noise, on average": Planted(*AVERAGE_GAP, *NOISE),
    "a longer step, on average": Planted(*AVERAGE_GAP, *LONGER),
    "half of the distance": Planted(*AVERAGE_GAP, R_1**2, R_1**2 / 2),
    "half of D": Planted(*NONCONVEX, D, D / 2),
    "a longer step, nonconvex": Planted(*NONCONVEX, *LONGER),
    "half of D, without noise": Planted(descent.gradient_descent, descent, "GRADIENT_DESCENT", D, D / 2),
    "4T - 1 for 4T - 2": Planted(drori.convex_descent, drori, "CONVEX_DESCENT", 4 * T - 2, 4 * T - 1),
    "R_1/3 for R_1": Planted(nesterov.nesterov, nesterov, "NESTEROV", R_1, R_1 / 3),
}
AVERAGE = (average.average, average, "THEOREM_2_AVERAGE")
ATTAINED = (average.average_sharp, average, "THEOREM_2_AVERAGE_SHARP")
MOST = kappa**2 * zeta**2 / (3 * T)
# No parabola is as bad as the worst function at these, or their numbers are not rational.
UNKNOWN = {
    "half of D, heavy ball": Planted(descent.heavy_ball, descent, "HEAVY_BALL", D, D / 2),
    "half of D, exact rate": Planted(exact_rate.best_step, exact_rate, "BEST_STEP", D, D / 2),
    "T for T - 1, exact rate": Planted(exact_rate.best_step, exact_rate, "BEST_STEP", *LATER),
    "a smaller κ, on average": Planted(*AVERAGE, 1 - q / 2, 1 - q / 3),
    "more is attained, on average": Planted(*ATTAINED, MOST, MOST * 3 / 10**9),
}
DECREASING = (sgd.decreasing_step, sgd, "DECREASING_STEP")
UNCONDITIONAL = (unconditional_gd.unconditional_gd, unconditional_gd, "UNCONDITIONAL_GD")
ALL_LAYERS = (all_layers.all_layers, all_layers, "ALL_LAYERS")
LORA = (products.lora, products, "LORA")
VERA_SHARP = (products.vera_sharp, products, "VERA_SHARP")
COMPOSITION = (products.composition, products, "COMPOSITION")
RANK_1 = (stiefel.rank_1, stiefel, "LOREFT_RANK_1")
TRAINED = (stiefel.trained, stiefel, "LOREFT_TRAINED")
SLOW = {
    "γ for γ + 1": Planted(*DECREASING, gamma + 1, gamma),
    "ω less than 1/μ_F": Planted(*DECREASING, 1 / mu_F, 1 / (2 * mu_F)),
    "ω for ω²": Planted(*DECREASING, omega**2, omega),
    "half of the bound, at any point": Planted(*UNCONDITIONAL, 2 * Lhat * D / T, Lhat * D / T),
    "a longer step, at any point": Planted(*UNCONDITIONAL, *LONGER),
    "a smaller ball": Planted(*UNCONDITIONAL, rho, rho / 2),
    "all layers without G": Planted(*ALL_LAYERS, G, 0),
    "all layers, half of a": Planted(*ALL_LAYERS, a, a / 2),
    "all layers, half of L": Planted(*ALL_LAYERS, L, L / 2),
    "LoRA without G": Planted(*LORA, G * H, 0),
    "LoRA, J² halved": Planted(*LORA, L * J**2, L * J**2 / 2),
    "LoRA, H halved": Planted(*LORA, G * H, G * H / 2),
    "LoRA, half of a": Planted(*LORA, a, a / 2),
    "VeRA without G": Planted(products.vera, products, "VERA", G * H, 0),
    "VeRA, half of a_0": Planted(products.vera, products, "VERA", a_0, a_0 / 2),
    "VeRA, sharp, without G": Planted(*VERA_SHARP, G, 0),
    "VeRA, sharp, half of a_0": Planted(*VERA_SHARP, a_0, a_0 / 2),
    "VeRA, sharp, of b_0 = 1": Planted(*VERA_SHARP, b_0, 1),
    "composition without G": Planted(*COMPOSITION, G * H, 0),
    "composition, J² halved": Planted(*COMPOSITION, J**2, J**2 / 2),
    "full, half of L": Planted(products.full, products, "FULL", L, L / 2),
    "LoReFT without G": Planted(stiefel.composed, stiefel, "LOREFT", G * H, 0),
    "LoReFT, half of ν": Planted(stiefel.composed, stiefel, "LOREFT", nu, nu / 2),
    "LoReFT, sharp, as flat": Planted(stiefel.sharp, stiefel, "LOREFT_SHARP", G, 0),
    "LoReFT, sharp, half of ν": Planted(stiefel.sharp, stiefel, "LOREFT_SHARP", nu, nu / 2),
    "LoReFT at rank 1 without G": Planted(*RANK_1, G, 0),
    "LoReFT at rank 1, half of ν": Planted(*RANK_1, nu, nu / 2),
    "LoReFT in (R, U), as in (R, V)": Planted(*TRAINED, L * (1 + nu) ** 2, L * nu**2),
    "LoReFT in (R, U) with 2G for 3G": Planted(*TRAINED, G * (3 + nu), G * (2 + nu)),
}
THEOREMS = {each.name: each for each in (FALSE | UNKNOWN | SLOW).values()}
F = Fraction
# In the second, most of the distance is in the direction that is a little less steep, and the noise is larger than it.
PARABOLAS = (((F(1),), (F(2),)), *(((F(2), F(3, 2)), (3 * far, -4 * far)) for far in (F(1, 50), F(1))))


@pytest.mark.parametrize("planted", (FALSE | UNKNOWN).values(), ids=FALSE | UNKNOWN)
def test_what_is_planted_is_not_proved(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not planted.closes(monkeypatch, planted.claim)


@pytest.mark.full
@pytest.mark.parametrize("planted", SLOW.values(), ids=SLOW)
def test_what_is_planted_in_a_longer_proof_is_not_proved(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not planted.closes(monkeypatch, planted.claim)


@pytest.mark.full
@pytest.mark.parametrize("planted", THEOREMS.values(), ids=THEOREMS)
def test_the_theorem_itself_under_another_id_is(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is not the change of the id that is refused."""
    assert planted.closes(monkeypatch, replace(planted.theorem, id=f"planted.{planted.theorem.id.split('.')[1]}"))


def about(planted: Planted, claim: Claim, monkeypatch: pytest.MonkeyPatch) -> Proof:
    """The script of the theorem, told that it is about this claim."""
    with monkeypatch.context() as patched:
        patched.setattr(planted.module, planted.name, claim)
        return replace(planted.script, id=claim.id, title=claim.title, claim=claim).proof


def witness(claim: Claim, proof: Proof) -> ExactModel | None:
    """The first run in which all that the proof starts from holds, and the claim does not."""
    given = {each.statement for each in proof.assumptions if each.role != "local"}
    refuting = (
        run
        for run in runs_of(claim, parabolas=PARABOLAS)
        if run.says(claim.conclusion) is False and run.refutes(proof.goal) and run.allows(given, proof)
    )
    return next(refuting, None)


@pytest.mark.parametrize("planted", FALSE.values(), ids=FALSE)
def test_what_is_planted_is_refuted_by_an_exact_run(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = planted.claim
    run = witness(claim, about(planted, claim, monkeypatch))
    assert run is not None
    assert all(isinstance(x, Fraction) for x in run.numbers.values())
    assert run.numbers["T"] <= 3


@pytest.mark.full
@pytest.mark.parametrize("planted", {each.name: each for each in FALSE.values()}.values(), ids=lambda each: each.name)
def test_no_run_refutes_the_theorem_itself(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = replace(planted.theorem, id=f"planted.{planted.name.lower()}")
    proof = about(planted, claim, monkeypatch)
    runs = runs_of(claim, parabolas=PARABOLAS)
    given = {each.statement for each in proof.assumptions if each.role != "local"}
    # There are runs of which the theorem says something.
    assert any(run.allows(given, proof) and run.says(claim.conclusion) for run in runs)
    assert witness(claim, proof) is None


@pytest.mark.parametrize("id", sorted({id for adapter in ADAPTERS.values() for id in adapter.claims}))
def test_each_claim_about_an_adapter_is_carried(id: str) -> None:
    assert carrier(boundcheck.claims[id]) in (Carrier.KERNEL, Carrier.BY_HAND)


@pytest.mark.full
@pytest.mark.parametrize("id", ["meft.vera", "meft.vera_sharp"])
def test_the_gradient_of_vera_is_bounded_at_its_own_points_alone(id: str) -> None:
    """No hypothesis is about matrices that are not diagonal; the page says where the bound is asked."""
    (proof,) = boundcheck.prove(id)[id].proofs
    assert proof.unused == []
    assert proof.difference.startswith("with Bounded gradient in W, spectral norm as a condition on its points; given")
