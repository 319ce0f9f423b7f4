"""The climb: what is reached never falls and is what its instance has, and every start stays in the domain."""

import pytest
import torch

from boundcheck.functions.adapters import ADAPTERS
from boundcheck.functions.adapters.base import spectral_bound
from boundcheck.language.catalogue import catalogue
from boundcheck.worst_case.instance import rank_of
from boundcheck.worst_case.search import Climber, Structure, weight_derivatives
from boundcheck.worst_case.tried import certify
from tests.language.plain import Plain, single
from tests.layers import sampled
from tests.worst_case.small import PAIRS, UNEQUAL, climbed, structure

each_kind = pytest.mark.parametrize("kind", ADAPTERS)


def first(kind: str, sizes: tuple[int, int, int] = (4, 3, 2)) -> Structure:
    """What the last claim about an adapter, which is about every rank, is tried on; W is not square."""
    return structure(kind, ADAPTERS[kind].claims[-1], sizes, UNEQUAL)


@sampled(4)
@each_kind
def test_what_is_reached_never_falls_and_every_start_stays_inside(kind: str) -> None:
    made = first(kind)
    climber = Climber(made, 5, 3)
    before = climber.state.values
    start = before.clone()
    for _ in range(6):
        climber.run(1)
        state = climber.state
        assert (state.values >= before).all()
        before = state.values.clone()
        assert climber.outline.inside(state.v, {name: r * (1 + 1e-12) for name, r in made.radii.items()}).all()
        assert (sum(part.square().sum((-2, -1)) for part in state.u) - 1).abs().max() < 1e-12
        for name, X in state.frozen.items():
            norm = made.frozen[ADAPTERS[kind].frozen[name]]
            found = X.norm(dim=-2) if name == "W0" else torch.linalg.matrix_norm(X, 2)
            torch.testing.assert_close(found, torch.full_like(found, norm), rtol=1e-12, atol=0)
    # Where the Hessian is the same everywhere a start can be at the top.
    assert (before > start).any() or kind == "full"


@each_kind
def test_theweight_derivatives_are_those_of_the_plain_formulas(kind: str) -> None:
    climber = Climber(first(kind), 3, 0)
    state = climber.state
    for which in range(3):
        adapter = climber.structure.adapter({name: X[which] for name, X in state.frozen.items()})
        v, u = (tuple(part[which : which + 1] for part in point) for point in (state.v, state.u))
        along, across = weight_derivatives(adapter, v, u)
        plain = Plain(adapter)
        torch.testing.assert_close(along[0], torch.tensor(plain.first(single(v), single(u))), rtol=0, atol=1e-12)
        torch.testing.assert_close(across[0], torch.tensor(plain.second(single(v), single(u))), rtol=0, atol=1e-12)


@sampled(7)
@pytest.mark.parametrize(("kind", "id"), PAIRS)
def test_an_instance_measures_no_less_than_the_value_of_its_start(kind: str, id: str) -> None:
    """But for what the kink costs: G less the height of h', and the distance between the points.

    It may measure more: a change of the gradient across the step counts as well.
    """
    claim, climber = catalogue[id], climbed(kind, id, 2, UNEQUAL)
    for which in range(4):
        instance = climber.instance(claim, "sigma", which)
        found = certify(instance)
        assert found.inside
        scale = instance.adapter.scale if hasattr(instance.adapter, "scale") else 1.0
        factor = float(instance.inputs["L"]) / climber.structure.L
        assert factor == pytest.approx(1 if "s" in {p.name for p in claim.parameters} else scale**2, rel=1e-9)
        value = climber.state.values[which].item()
        assert instance.measured >= value * (1 - 3e-3)
        assert found.lower == pytest.approx(instance.ratio, rel=1e-6)


@sampled(7)
@pytest.mark.parametrize(("kind", "id"), PAIRS)
def test_an_instance_has_the_shape_and_the_constants_of_its_structure(kind: str, id: str) -> None:
    climber = climbed(kind, id, 2, UNEQUAL)
    made, instance = climber.structure, climber.best(catalogue[id], "sqrt(r) sigma")
    assert tuple(instance.adapter.W0.shape) == (made.d, made.k)
    assert kind == "full" or rank_of(instance.adapter) == made.rank
    assert instance.radii == made.radii
    assert instance.lipschitz == "sqrt(r) sigma"
    assert instance.slope == made.L
    for name, parameter in instance.adapter.frozen.items():
        if name != "W0":
            assert spectral_bound(getattr(instance.adapter, name)) == pytest.approx(made.frozen[parameter], rel=1e-12)


@pytest.mark.parametrize("kind", ["lora", "vera", "loreft"])
def test_the_same_seed_climbs_the_same_way(kind: str) -> None:
    claim = catalogue[ADAPTERS[kind].claims[-1]]

    def best(seed: int) -> dict:
        return Climber(first(kind), 3, seed).run(2).best(claim, "sigma").as_json()

    assert best(0) == best(0)
    assert best(0) != best(1)


def test_a_climb_in_two_parts_is_one() -> None:
    whole, parts = Climber(first("lora"), 3, 0).run(4), Climber(first("lora"), 3, 0).run(1).run(3)
    assert torch.equal(whole.state.values, parts.state.values)


@pytest.mark.parametrize("kind", ["lora", "loha", "dora"])
def test_no_random_point_has_more_than_the_climb_reaches(kind: str) -> None:
    """At rank 1 the climb is at the top of all starts that 500 draws find."""
    id = ADAPTERS[kind].claims[0]
    top = climbed(kind, id, 1, UNEQUAL).state.values.max()
    assert Climber(climbed(kind, id, 1, UNEQUAL).structure, 500, 7).state.values.max() <= top * (1 + 1e-9)


def test_the_frobenius_norm_is_dual_to_itself_and_the_spectral_to_the_nuclear() -> None:
    """At one and the same point the best f gains no more where G bounds the larger of the two norms."""
    made = structure("lora", "meft.lemma1_sharp", (4, 4, 3), {})
    loose = structure("lora", "jiang2024.lemma1", (4, 4, 3), {})
    assert (made.spectral, loose.spectral) == (True, False)
    spectral, frobenius = Climber(made, 20, 0).state, Climber(loose, 20, 0).state
    assert all(torch.equal(x, y) for x, y in zip(spectral.v, frobenius.v, strict=True))
    assert (spectral.values > frobenius.values).any()
    assert (spectral.values >= frobenius.values * (1 - 1e-12)).all()
