"""Constants of adapters that are planted too small are not proved; what carries the claims is in tests/prove."""

from dataclasses import replace

import pytest
from boundcheck.proofs.meft import all_layers, products, stiefel

import boundcheck
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.language.symbols import G, H, J, L, a, a_0, b_0, nu
from boundcheck.proof.audit import Carrier, carrier
from tests.proofs.planted import changed, closes

CARRIED = {id for adapter in ADAPTERS.values() for id in adapter.claims}

PLANTED = {
    "all layers without G": (all_layers, "ALL_LAYERS", all_layers.all_layers, G, 0),
    "all layers, half of a": (all_layers, "ALL_LAYERS", all_layers.all_layers, a, a / 2),
    "all layers, half of L": (all_layers, "ALL_LAYERS", all_layers.all_layers, L, L / 2),
    "LoRA without G": (products, "LORA", products.lora, G * H, 0),
    "LoRA, J² halved": (products, "LORA", products.lora, L * J**2, L * J**2 / 2),
    "LoRA, H halved": (products, "LORA", products.lora, G * H, G * H / 2),
    "LoRA, half of a": (products, "LORA", products.lora, a, a / 2),
    "VeRA without G": (products, "VERA", products.vera, G * H, 0),
    "VeRA, half of a_0": (products, "VERA", products.vera, a_0, a_0 / 2),
    "VeRA, sharp, without G": (products, "VERA_SHARP", products.vera_sharp, G, 0),
    "VeRA, sharp, half of a_0": (products, "VERA_SHARP", products.vera_sharp, a_0, a_0 / 2),
    "VeRA, sharp, of b_0 = 1": (products, "VERA_SHARP", products.vera_sharp, b_0, 1),
    "composition without G": (products, "COMPOSITION", products.composition, G * H, 0),
    "composition, J² halved": (products, "COMPOSITION", products.composition, J**2, J**2 / 2),
    "full, half of L": (products, "FULL", products.full, L, L / 2),
    "LoReFT without G": (stiefel, "LOREFT", stiefel.composed, G * H, 0),
    "LoReFT, half of ν": (stiefel, "LOREFT", stiefel.composed, nu, nu / 2),
    "LoReFT, sharp, as flat": (stiefel, "LOREFT_SHARP", stiefel.sharp, G, 0),
    "LoReFT at rank 1 without G": (stiefel, "LOREFT_RANK_1", stiefel.rank_1, G, 0),
    "LoReFT at rank 1, half of ν": (stiefel, "LOREFT_RANK_1", stiefel.rank_1, nu, nu / 2),
    "LoReFT in (R, U), as in (R, V)": (
        stiefel,
        "LOREFT_TRAINED",
        stiefel.trained,
        L * (1 + nu) ** 2,
        L * nu**2,
    ),
    "LoReFT in (R, U) with 2G for 3G": (
        stiefel,
        "LOREFT_TRAINED",
        stiefel.trained,
        G * (3 + nu),
        G * (2 + nu),
    ),
    "LoReFT, sharp, half of ν": (stiefel, "LOREFT_SHARP", stiefel.sharp, nu, nu / 2),
}


@pytest.mark.full
@pytest.mark.parametrize("case", PLANTED.values(), ids=PLANTED)
def test_a_constant_that_is_too_small_is_not_proved(case: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    module, name, script, old, new = case
    assert not closes(monkeypatch, module, name, script, changed(getattr(module, name), old, new))


@pytest.mark.full
@pytest.mark.parametrize(("module", "name", "script"), sorted({x[:3] for x in PLANTED.values()}, key=lambda x: x[1]))
def test_the_claim_itself_under_another_id_is(module, name, script, monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is not the change of the id that is refused."""
    assert closes(monkeypatch, module, name, script, replace(getattr(module, name), id=f"planted.{name.lower()}"))


@pytest.mark.parametrize("id", sorted(CARRIED))
def test_each_claim_about_an_adapter_is_carried(id: str) -> None:
    assert carrier(boundcheck.claims[id]) in (Carrier.KERNEL, Carrier.BY_HAND)


@pytest.mark.full
@pytest.mark.parametrize("id", ["meft.vera", "meft.vera_sharp"])
def test_the_gradient_of_vera_is_bounded_at_its_own_points_alone(id: str) -> None:
    """No hypothesis is about matrices that are not diagonal; the page says where the bound is asked."""
    (proof,) = boundcheck.prove(id)[id].proofs
    assert proof.unused == []
    assert proof.difference.startswith("with Bounded gradient in W, spectral norm as a condition on its points; given")
