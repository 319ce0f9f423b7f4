"""Instances: certified against plain formulas in many digits, read back to the last bit; corruption
is refused."""

import copy
import json
import math
from dataclasses import replace
from fractions import Fraction
from math import nextafter

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from mpmath import mp

from boundcheck.errors import InputError
from boundcheck.exact.balls import lower, upper
from boundcheck.functions.arithmetic import apart
from boundcheck.language.catalogue import catalogue
from boundcheck.properties import ball
from boundcheck.worst_case.instance import AdapterInstance, Certificate, certify
from boundcheck.worst_case.stored import replayed, save
from tests.experiment.small import each_flat_kind, each_kind, refused, with_quantity_scaled
from tests.functions.twins import is_above_the_top, is_below_the_top
from tests.language.plain import exactly, single
from tests.layers import covering, examples
from tests.worst_case import small
from tests.worst_case.small import (
    DIGITS,
    PAIRS,
    UNEQUAL,
    about,
    climbed,
    instance_of,
    instances,
    moves,
)

few_examples = examples(12)
# Room for the norm of R, whose rows are orthonormal to a few roundoffs only where they are floats.
NOT_QUITE = 1e-12


@each_flat_kind
@few_examples
@given(st.data())
def test_on_a_flat_domain_the_ratio_is_bounded_below_and_closely(kind, data):
    instance = data.draw(instances(kind).filter(moves))
    low = certify(instance).lower
    with mp.workdps(DIGITS):
        change, distance = small.exact_change(instance)
        size = small.exact_length(change)
        true = size / distance / small.exact_bound(instance)
        assert low <= true * (1 + mp.mpf(10) ** (10 - DIGITS))
        gradients = [instance.problem.gradient(point) for point in (instance.v, instance.other)]
        computed = single(apart(*gradients), read=exactly)
        error = small.exact_length(apart(computed, change))
        # Of a direction that is off by an angle, no more is lost than half its square.
        if error < 1e-5 * size:
            assert low >= true * (1 - mp.mpf("1e-9"))


@few_examples
@given(st.data())
def test_on_a_curved_domain_the_ratio_is_that_of_the_geodesic(data):
    instance = data.draw(instances("loreft").filter(moves))
    low = certify(instance).lower
    with mp.workdps(DIGITS):
        bound = small.exact_bound(instance)
        true = small.exact_bend(instance) / bound
        # What is subtracted in a second derivative is of the size of the bound.
        assert abs(low - true) <= NOT_QUITE + 1e-9 * true


def test_at_a_kink_of_a_curved_domain_nothing_is_certain():
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
    assert kink.lower == 0
    assert kink.violated is False


@pytest.mark.parametrize("kind, id", PAIRS)
@pytest.mark.parametrize("given_constants", [{}, UNEQUAL], ids=["ones", "unequal"])
def test_violated_is_a_ratio_above_one_of_points_inside(kind, id, given_constants):
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


@pytest.mark.parametrize("kind, id", PAIRS)
@pytest.mark.parametrize("given_constants", [{}, UNEQUAL], ids=["ones", "unequal"])
def test_inputs_bound_the_smoothness_and_the_gradient_of_f(kind, id, given_constants):
    """A claim without a scale is about X -> f(W0 + s X), which is s² L smooth with gradients of s
    G."""
    claim = catalogue[id]
    instance = climbed(kind, id, 1, given_constants).best(claim, "sigma")
    names = {p.name for p in claim.parameters}
    scale = getattr(instance.adapter, "scale", 1.0) if "s" not in names else 1.0
    steepest = float(instance.ridge.slope.lipschitz) * np.linalg.norm(instance.direction) ** 2
    assert instance.inputs["L"] == pytest.approx(scale**2 * steepest, rel=1e-12)
    if "G" in names:
        order = 2 if climbed(kind, id, 1, given_constants).structure.spectral else None
        height = float(instance.ridge.slope.bound)
        ends = [
            np.linalg.norm(sign * height * instance.direction + instance.tilt, order)
            for sign in (1, -1)
        ]
        largest = scale * max(ends)
        bound = float(instance.inputs["G"])
        assert 0.99 * bound <= largest <= bound * (1 + 1e-12)


def with_block(instance, number, part, name="v"):
    """The instance with one block, as it is bounded, of one of its points replaced."""
    point = list(instance.adapter.bounded(getattr(instance, name)))
    point[number] = torch.tensor(part).unsqueeze(0)
    return replace(instance, **{name: instance.adapter.at(tuple(point))})


@each_kind
@pytest.mark.parametrize("name", ["v", "other"])
def test_the_boundary_is_inside_and_the_next_bit_is_not(kind, name):
    instance = instance_of(kind)
    if name == "other" and not instance.adapter.is_flat:
        # A tangent, which may be of any size.
        return
    assert instance.inside
    for number, block in enumerate(instance.adapter.blocks):
        if not block.radius:
            continue
        radius = instance.radii[block.radius]
        # Its singular values are the radius, exactly, whatever it is; of a vector in the largest
        # norm its entries are.
        is_vector = block.norm == "max" and 1 in block.shape
        on = np.full(block.shape, -radius) if is_vector else -radius * np.eye(*block.shape)[::-1]
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
def test_a_spectral_norm_is_inside_exactly_when_elimination_says_so(data):
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


def test_what_may_equal_an_irrational_bound_is_no_violation(monkeypatch):
    """The bound lies between two floats; what is measured is compared with the upper one."""
    instance = instance_of("lora")
    instance = replace(instance, claim=with_quantity_scaled(instance.claim, Fraction(1, 3)))
    bound = instance.claim.enclosures(**instance.inputs)["Lhat"]
    assert lower(bound) < upper(bound)
    monkeypatch.setattr(AdapterInstance, "_enclosed", lambda _: bound)
    assert not certify(instance).violated


NAN = float("nan")
INF = float("inf")


def bits(instance):
    """All arrays of an instance, to the last bit, and the sign of zero."""
    arrays = {
        "direction": instance.direction,
        "tilt": instance.tilt,
        "W0": instance.adapter.W0.numpy(),
    }
    arrays |= {name: getattr(instance.adapter, name).numpy() for name in instance.adapter.frozen}
    for name, point in (("v", instance.v), ("other", instance.other)):
        arrays |= {f"{name}.{i}": part.numpy() for i, part in enumerate(point)}
    return {
        name: str(X.shape).encode() + np.ascontiguousarray(X).tobytes()
        for name, X in arrays.items()
    }


def write(path, data):
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


# Round trips.


def read(claim, data):
    return AdapterInstance.from_json(data, claim)


@each_kind
@examples(8)
@given(st.data())
def test_any_instance_goes_through_json_as_it_is(kind, data):
    instance = data.draw(instances(kind).filter(moves))
    again = read(instance.claim, json.loads(json.dumps(instance.as_json())))
    assert bits(again) == bits(instance)
    assert again.as_json() == instance.as_json()
    assert certify(again) == certify(instance)
    assert again.claim is instance.claim
    assert again.measured == instance.measured
    assert again.bound == instance.bound
    assert again.inputs == instance.inputs


def test_a_claim_of_ones_own_is_the_one_that_is_given():
    instance = instance_of("lora")
    mine = replace(with_quantity_scaled(instance.claim, 2), id="my.claim")
    data = replace(instance, claim=mine).as_json()
    again = read(mine, json.loads(json.dumps(data)))
    assert again.claim is mine
    assert again.measured == instance.measured
    assert again.bound == 2 * instance.bound


def test_whole_numbers_will_do(tmp_path):
    data = edited(
        "lora",
        {"objective.slope": 2, "adapter.scale": 1, "radii.a": 3, "radii.b": 3, "v.A": ones(2, 3)},
    )
    instance, _ = replayed(write(tmp_path / "whole.json", data))
    assert instance.slope == 2.0
    assert instance.radii["a"] == 3.0
    assert instance.v[0].dtype == torch.float64


@pytest.mark.parametrize("name", ["a file/below", "a folder"])
def test_a_file_that_cannot_be_written_is_refused(name, tmp_path):
    (tmp_path / "a file").touch()
    (tmp_path / "a folder").mkdir()
    assert refused(save, instance_of("lora"), tmp_path / name).field == "out"


# Corruptions.


def ones(rows, columns, value=1):
    return [[value] * columns for _ in range(rows)]


def edited(kind, changes):
    """The stored form of an instance with dotted fields set; `missing` removes one, a function
    changes one."""
    data = copy.deepcopy(instance_of(kind).as_json())
    for dotted, value in changes.items():
        *path, last = dotted.split(".")
        table = data
        for step in path:
            table = table[step]
        if value is missing:
            del table[last]
        else:
            table[last] = value(table[last]) if callable(value) else value
    return data


def missing():
    """Stands for a field that is not there."""


def with_entry(value):
    """A matrix with its last entry replaced."""
    return lambda X: [*X[:-1], [*X[-1][:-1], value]]


def fields(kind):
    """All fields of the stored form, dotted."""
    found = []
    for name, value in instance_of(kind).as_json().items():
        found += [f"{name}.{inner}" for inner in value] if isinstance(value, dict) else []
        found.append(name)
    return found


def numeric(kind):
    """The fields that are numbers or matrices, dotted, and their values."""
    data = instance_of(kind).as_json()
    found = {}
    for name in fields(kind):
        table, _, inner = name.partition(".")
        found[name] = data[table][inner] if inner else data[table]
    return {name: value for name, value in found.items() if not isinstance(value, dict | str)}


@each_kind
def test_every_field_is_needed(kind):
    # These say of which kind and which claim the instance is, which is known where it is read.
    for name in set(fields(kind)) - {"kind", "claim", "digest"}:
        error = refused(read, instance_of(kind).claim, edited(kind, {name: missing}))
        assert error.field == (name if "." in name else f"instance.{name}")
        assert error.value == "(not given)"


# Matrices hold numbers, and a string is none even where it looks like one.
BAD_NUMBERS = ["1.5", "x", None, [], {}, NAN, INF, -INF, True, 10**400]


@covering
@each_kind
@pytest.mark.parametrize("bad", BAD_NUMBERS, ids=lambda bad: repr(bad)[:8])
def test_what_is_no_number_is_refused_in_every_field(kind, bad):
    for name, value in numeric(kind).items():
        changed = edited(kind, {name: with_entry(bad) if isinstance(value, list) else bad})
        assert refused(read, instance_of(kind).claim, changed).field == name


@each_kind
def test_matrices_of_other_shapes_are_refused(kind):
    more, fewer = (lambda X: [[*row, 0.0] for row in X]), (lambda X: X[:-1])
    wrong = [
        more,
        fewer,
        lambda X: X[0],
        lambda X: [X],
        lambda X: [*X, [0.0]],
        lambda X: [],
        lambda X: [[]],
    ]
    for name in (name for name, value in numeric(kind).items() if isinstance(value, list)):
        for change in wrong:
            error = refused(read, instance_of(kind).claim, edited(kind, {name: change}))
            # A frozen factor or W0 says what fits: it is the first of the others that does not.
            others = {"adapter", "objective", "v"} if name.startswith("adapter.") else set()
            assert error.field == name or error.field.split(".")[0] in others


@pytest.mark.parametrize(
    "kind, changes, field",
    [
        ("lora", {"adapter.rank": 0}, "adapter.rank"),
        ("lora", {"adapter.rank": 4}, "adapter.rank"),
        ("lora", {"adapter.rank": 1}, "v.A"),
        ("lora", {"adapter.scale": 0}, "adapter.scale"),
        ("lora", {"adapter.kind": "lorra"}, "adapter.kind"),
        ("lora", {"adapter.kind": "dora"}, "adapter.W0"),
        ("lora", {"adapter": []}, "adapter"),
        ("lora", {"claim": "meft.lemma1_sharpest"}, "claim"),
        ("lora", about("jiang2024.theorem2"), "adapter.kind"),
        ("lora", about("meft.frozen_a"), "adapter.kind"),
        ("lora", {"claim": 7}, "instance.claim"),
        ("lora", {"lipschitz": 1}, "instance.lipschitz"),
        ("lora", {"lipschitz": "tau"}, "lipschitz"),
        ("lora", {"radii": 1.0}, "radii"),
        ("lora", {"radii.a": 0}, "radii.a"),
        ("lora", {"objective.slope": 0}, "objective.slope"),
        ("lora", {"objective.height": 0.0}, "objective.height"),
        ("lora", {"objective.direction": ones(3, 3, 0.0)}, "direction"),
        ("lora", {"v": []}, "v"),
        ("lora", {"v.A": ones(2, 3, 9)}, "v.A"),
        ("lora", {"other.A": ones(2, 3, 9)}, "other.A"),
        ("loreft", {"v.R": ones(2, 3)}, "v.R"),
        ("loreft", {"v.V": ones(2, 3, 9)}, "v.V"),
        ("dora", {"adapter.W0": ones(3, 3, 0.0)}, "adapter.W0"),
    ],
    ids=str,
)
def test_a_bad_field_is_refused_by_name(kind, changes, field, tmp_path):
    error = refused(replayed, write(tmp_path / "bad.json", edited(kind, changes)))
    # An unknown word may be named with or without the file's own table.
    assert error.field.removeprefix("instance.") == field.removeprefix("instance.")


@each_kind
def test_the_same_point_twice_is_refused(kind):
    data = instance_of(kind).as_json()
    is_flat = instance_of(kind).adapter.is_flat
    still = {name: X if is_flat else ones(*np.shape(X), 0) for name, X in data["v"].items()}
    assert refused(read, instance_of(kind).claim, data | {"other": still}).field == "other"


@each_flat_kind
def test_a_point_off_the_domain_by_a_bit_is_refused_by_exact_arithmetic(kind, tmp_path):
    instance = instance_of(kind)
    block = instance.adapter.blocks[0]
    radius = instance.radii[block.radius]
    for beyond, name in ((1 + 2.0**-50, "instance"), (1 + 1e-6, f"v.{block.name}")):
        off = (radius * beyond * np.eye(*block.shape)).tolist()
        path = write(tmp_path / "off.json", edited(kind, {f"v.{block.name}": off}))
        assert refused(replayed, path).field == name


def test_what_is_no_table_in_json_is_refused(tmp_path):
    (tmp_path / "bytes.json").write_bytes(b"\xff")
    (tmp_path / "twice.json").write_text('{"kind": "smoothness", "kind": "smoothness"}')
    for name in ("bytes.json", "twice.json", "nowhere.json", "."):
        assert refused(replayed, tmp_path / name).field == "--replay"
    for value in ([], 1, None, "text"):
        assert refused(replayed, write(tmp_path / "bad.json", value)).field == "instance"
    assert refused(read, instance_of("lora").claim, {}).value == "(not given)"


LEAVES = st.sampled_from(
    [
        0,
        -1,
        1,
        0.5,
        1e308,
        1e160,
        1e25,
        -1e200,
        1e-200,
        1e-160,
        5e-324,
        2.5,
        "1",
        "",
        None,
        True,
        [],
        {},
        [[]],
        NAN,
        INF,
    ]
)


@each_kind
@examples(25)
@given(st.data())
def test_whatever_a_file_holds_it_is_judged_or_refused(kind, data):
    name = data.draw(st.sampled_from(fields(kind)))
    leaf = data.draw(LEAVES)
    inside = data.draw(st.booleans())
    refusal = ""

    def change(old):
        return with_entry(leaf)(old) if inside and isinstance(old, list) else leaf

    try:
        instance = read(instance_of(kind).claim, edited(kind, {name: change}))
        found = certify(instance)
    except InputError as error:
        refusal = str(error)
    else:
        assert isinstance(found, Certificate)
        assert math.isfinite(found.lower)
        # All claims of the catalogue about adapters are true.
        assert not found.violated
        assert catalogue[instance.claim.id] is instance.claim
    assert len(refusal.splitlines()) <= 1
