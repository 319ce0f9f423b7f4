"""What is certified: against the plain formulas in many digits; points inside by elimination and by design."""

from dataclasses import replace
from fractions import Fraction
from math import nextafter

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import DataObject
from mpmath import mp

from boundcheck.exact.balls import lower, upper
from boundcheck.functions.adapters import ADAPTERS, Adapter
from boundcheck.language.catalogue import catalogue
from boundcheck.properties import ball
from boundcheck.worst_case.instance import AdapterInstance
from boundcheck.worst_case.tried import certify
from tests.experiment.small import with_quantity_scaled
from tests.functions.eigenvalues import is_above_the_top, is_below_the_top
from tests.language.plain import exactly, single
from tests.layers import examples, sampled
from tests.worst_case.small import (
    DIGITS,
    PAIRS,
    UNEQUAL,
    climbed,
    exact_bend,
    exact_bound,
    exact_change,
    exact_length,
    instance_of,
    instances,
    moves,
)

FLAT = [kind for kind in ADAPTERS if not kind.startswith("loreft")]
few_examples = examples(12)
# Room for the norm of R, whose rows are orthonormal to a few roundoffs only where they are floats.
NOT_QUITE = 1e-12


@sampled(4)
@pytest.mark.parametrize("kind", FLAT)
@few_examples
@given(st.data())
def test_on_a_flat_domain_the_ratio_is_bounded_below_and_closely(kind: str, data: DataObject) -> None:
    instance = data.draw(instances(kind).filter(moves))
    low = certify(instance).lower
    with mp.workdps(DIGITS):
        change, distance = exact_change(instance)
        size = exact_length(change)
        true = size / distance / exact_bound(instance)
        assert low <= true * (1 + mp.mpf(10) ** (10 - DIGITS))
        gradients = [instance.problem.gradient(point) for point in (instance.v, instance.other)]
        computed = single(tuple(x - y for x, y in zip(*gradients, strict=True)), read=exactly)
        error = exact_length(tuple(x - y for x, y in zip(computed, change, strict=True)))
        # Of a direction that is off by an angle, no more is lost than half its square.
        if error < 1e-5 * size:
            assert low >= true * (1 - mp.mpf("1e-9"))


@few_examples
@given(st.data())
def test_on_a_curved_domain_the_ratio_is_that_of_the_geodesic(data: DataObject) -> None:
    instance = data.draw(instances("loreft").filter(moves))
    low = certify(instance).lower
    with mp.workdps(DIGITS):
        bound = exact_bound(instance)
        true = exact_bend(instance) / bound
        # What is subtracted in a second derivative is of the size of the bound.
        assert abs(low - true) <= NOT_QUITE + 1e-9 * true


def test_at_a_kink_of_a_curved_domain_nothing_is_certain() -> None:
    """There F has no second derivative: the search must not be credited with either side's."""
    instance = instance_of("loreft")
    # A direction that is one entry, and a point whose W has an exact value there.
    R, V = (torch.zeros_like(part) for part in instance.v)
    R[0, :, : R.shape[1]] = torch.eye(R.shape[1], dtype=torch.float64)
    V[0, 0, 0] = 0.5
    E = np.zeros_like(instance.direction)
    E[0, 0] = 1
    at_zero = replace(instance, v=(R, V), direction=E, zero=0.5, height=0.25, slope=1.0)
    assert certify(at_zero).lower > 0
    kink = certify(replace(at_zero, zero=0.25))
    assert (kink.lower, kink.violated) == (0, False)


@sampled(4, 1)
@pytest.mark.parametrize("kind", FLAT)
@few_examples
@given(st.data())
def test_floats_agree_with_the_certificate_far_apart(kind: str, data: DataObject) -> None:
    instance = data.draw(instances(kind).filter(moves))
    found = certify(instance)
    with mp.workdps(DIGITS):
        distance = exact_change(instance)[1]
    scale = max(1.0, *(x.abs().max().item() for x in instance.problem.gradient(instance.v)))
    allowed = 1e-13 * scale / float(distance) / instance.bound
    assert abs(instance.ratio - found.lower) <= allowed + 1e-6 * instance.ratio


@sampled(13)
@pytest.mark.parametrize(("kind", "id"), PAIRS)
@pytest.mark.parametrize("given_constants", [{}, UNEQUAL], ids=["ones", "unequal"])
def test_violated_is_a_ratio_above_one_of_points_inside(kind: str, id: str, given_constants: dict[str, float]) -> None:
    tight = climbed(kind, id, 1, given_constants).best(catalogue[id], "sigma")
    ratio = certify(tight).lower
    for factor, violated in ((ratio * (1 - 1e-6), True), (ratio * (1 + 1e-6), False)):
        tried = replace(tight, claim=with_quantity_scaled(tight.claim, Fraction(factor)))
        assert certify(tried).violated is violated
        assert (certify(tried).lower > 1) is violated
    far = tuple(4 * part for part in tight.v)
    if tight.adapter.is_flat:
        outside = replace(tight, v=far, claim=with_quantity_scaled(tight.claim, Fraction(1, 10**9)))
        assert certify(outside).lower > 1
        assert not certify(outside).inside
        assert not certify(outside).violated


@sampled(13, 1)
@pytest.mark.parametrize(("kind", "id"), PAIRS)
@pytest.mark.parametrize("given_constants", [{}, UNEQUAL], ids=["ones", "unequal"])
def test_inputs_bound_the_smoothness_and_the_gradient_of_f(
    kind: str, id: str, given_constants: dict[str, float]
) -> None:
    """A claim without a scale is about X -> f(W0 + s X), which is s² L smooth with gradients of s G."""
    claim = catalogue[id]
    instance = climbed(kind, id, 1, given_constants).best(claim, "sigma")
    names = {p.name for p in claim.parameters}
    scale = getattr(instance.adapter, "scale", 1.0) if "s" not in names else 1.0
    steepest = float(instance.ridge.slope.lipschitz) * np.linalg.norm(instance.direction) ** 2
    assert instance.inputs["L"] == pytest.approx(scale**2 * steepest, rel=1e-12)
    if "G" in names:
        order = 2 if climbed(kind, id, 1, given_constants).structure.spectral else None
        height = float(instance.ridge.slope.bound)
        ends = [np.linalg.norm(sign * height * instance.direction + instance.tilt, order) for sign in (1, -1)]
        largest, bound = scale * max(ends), float(instance.inputs["G"])
        assert 0.99 * bound <= largest <= bound * (1 + 1e-12)


def with_block(instance: AdapterInstance, number: int, part: np.ndarray, name: str = "v") -> AdapterInstance:
    """The instance with one block, as it is bounded, of one of its points replaced."""
    point = list(instance.adapter.bounded(getattr(instance, name)))
    point[number] = torch.tensor(part).unsqueeze(0)
    return replace(instance, **{name: instance.adapter.at(tuple(point))})


def radii_of(adapter: Adapter) -> list[tuple[int, str, float]]:
    """The blocks that have a radius, by number, with their norm and shape."""
    return [(i, block.norm, block.shape) for i, block in enumerate(adapter.blocks) if block.radius]


@sampled(6)
@pytest.mark.parametrize("kind", ADAPTERS)
@pytest.mark.parametrize("name", ["v", "other"])
def test_the_boundary_is_inside_and_the_next_bit_is_not(kind: str, name: str) -> None:
    instance = instance_of(kind)
    if name == "other" and not instance.adapter.is_flat:
        # A tangent, which may be of any size.
        return
    assert instance.inside
    for number, _, (rows, columns) in radii_of(instance.adapter):
        radius = instance.radii[instance.adapter.blocks[number].radius]
        # Its singular values are the radius, exactly, whatever it is; of a vector its entries are.
        on = np.full((rows, columns), -radius) if 1 in (rows, columns) else -radius * np.eye(rows, columns)[::-1]
        if instance.adapter.blocks[number].norm != "max":
            on = -radius * np.eye(rows, columns)[::-1]
        # Where U is rounded beside R, no point is on the boundary itself.
        rounded = kind == "loreft-trained"
        share = 2.0**-40 if rounded else 2.0**-50
        assert rounded or with_block(instance, number, on, name).inside
        assert with_block(instance, number, on * (1 - share), name).inside
        off = with_block(instance, number, on * (1 + share), name)
        assert not off.inside
        assert not certify(off).inside
        assert not certify(off).violated


@examples(50)
@given(st.data())
def test_a_spectral_norm_is_inside_exactly_when_elimination_says_so(data: DataObject) -> None:
    instance = instance_of("lora")
    number = data.draw(st.integers(0, 1))
    block = instance.adapter.blocks[number]
    X = data.draw(ball(block.shape, data.draw(st.sampled_from([0.1, 1.0, 30.0]))))
    radius = float(np.linalg.norm(X, 2)) or 1.0
    toward = data.draw(st.sampled_from([0.0, 1e9]))
    for _ in range(data.draw(st.integers(0, 12))):
        radius = nextafter(radius, toward)
    there = with_block(with_block(instance, number, X), number, 0 * X, "other")
    there = replace(there, radii=dict.fromkeys(instance.radii, 1e3) | {block.radius: radius})
    level = Fraction(radius) ** 2
    if is_above_the_top(level, X):
        assert there.inside
    if is_below_the_top(level, X):
        assert not there.inside


def test_both_answers_of_inside_are_met_within_a_few_bits() -> None:
    """What the test above asks elimination about is close enough to the boundary for both."""
    random = np.random.default_rng(0)
    seen = set()
    for _ in range(20):
        X = random.standard_normal((2, 3))
        radius = float(np.linalg.norm(X, 2))
        for step in (0.0, 1e9):
            level = Fraction(nextafter(nextafter(radius, step), step)) ** 2
            seen |= {(step, is_above_the_top(level, X), is_below_the_top(level, X))}
    assert {(1e9, True, False), (0.0, False, True)} <= seen


def test_what_may_equal_an_irrational_bound_is_no_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound lies between two floats; what is measured is compared with the upper one."""
    instance = instance_of("lora")
    instance = replace(instance, claim=with_quantity_scaled(instance.claim, Fraction(1, 3)))
    bound = instance.claim.enclosures(**instance.inputs)["Lhat"]
    assert lower(bound) < upper(bound)
    monkeypatch.setattr(AdapterInstance, "_enclosed", lambda _: bound)
    assert not certify(instance).violated
