"""Every adapter against plain transcriptions of its formulas, its domain, and a base that moves."""

import math
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from mpmath import mp

from boundcheck.experiment.audit import check_function
from boundcheck.functions.adapters import (
    ADAPTERS,
    DoRA,
    LoReFT,
    Rebased,
    make_adapter,
)
from boundcheck.functions.arithmetic import seeded, spectral_norm, square_norm
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber
from boundcheck.functions.problem import Problem
from boundcheck.properties import SEEDS, SIZES, adapters, ball, domain_points, matrices, shapes
from tests.experiment.small import each_kind, refused
from tests.functions.twins import is_above_the_top, is_below_the_top
from tests.language.plain import Plain, dot, exactly, single
from tests.layers import examples
from tests.strategies import domains

EPSILON = 2.0**-52
DIGITS = 40
MOST = 16

some_examples = examples(15)


@each_kind
@some_examples
@given(st.data())
def test_rounding_is_within_the_sizes(kind, data):
    """Of W, and of the pull-back, whose sums have as many terms as W has rows and columns, and some
    to spare."""
    adapter = data.draw(adapters(kind, most=3))
    v = data.draw(domain_points(adapter, data.draw(domains(adapter))))
    M = torch.tensor(data.draw(ball(tuple(adapter.W0.shape), 1.0))).unsqueeze(0)
    sizes = adapter.sizes(v)
    with mp.workdps(DIGITS):
        plain = Plain(adapter, exactly)
        at = single(v, read=exactly)
        error = exactly(adapter.weight(v)[0]) - plain.weight(at)
        assert dot(error, error) ** 0.5 <= sizes.terms * EPSILON * sizes.weight.item()
        expected = plain.pull_back(at, exactly(M[0]))
        found = single(adapter.pull_back(v, M), read=exactly)
        square = sum(dot(x - y, x - y) for x, y in zip(found, expected, strict=True))
        scale = (
            sizes.jacobian.item() * float(torch.as_tensor(sizes.products).max()) * M.norm().item()
        )
        assert square**0.5 <= (sum(adapter.W0.shape) + 4) * EPSILON * scale
        # J bounds the pull-back too.
        longest = sizes.jacobian.item() * M.norm().item() * (1 + 1e-12)
        assert sum(dot(x, x) for x in expected) ** 0.5 <= longest


@pytest.mark.parametrize("kind, name", [("frozen-a", "A"), ("frozen-b", "B")])
@some_examples
@given(st.data())
def test_a_frozen_factors_norm_is_bounded_above_and_closely(kind, name, data):
    adapter = data.draw(adapters(kind))
    X = getattr(adapter, name).numpy()
    bound = adapter.constants(data.draw(domains(adapter)))[adapter.frozen[name]]
    square = Fraction(bound) ** 2
    # A tie is no excess: the bound of a power of two times an orthogonal matrix may be exact.
    assert is_above_the_top(square * (1 + Fraction(1, 10**30)) + Fraction(1, 10**60), X)
    if X.any():
        assert is_below_the_top(square * (1 - Fraction(1, 10**9)), X)


@some_examples
@given(st.data())
def test_the_least_column_of_dora_is_bounded_below_and_closely(data):
    adapter = data.draw(adapters("dora"))
    least = min(sum(Fraction(x) ** 2 for x in column) for column in adapter.W0.T.tolist())
    bound = Fraction(adapter.constants({"a": 1.0, "b": 1.0, "mu": 1.0})["w_0"])
    assert bound**2 <= least <= (bound * (1 + Fraction(EPSILON))) ** 2


@each_kind
@some_examples
@given(st.data())
def test_training_starts_at_w0_in_every_adapter_but_where_it_cannot(kind, data):
    adapter = data.draw(adapters(kind))
    seed = data.draw(st.integers(0, 1000))
    v = adapter.initial(0.5, seeded(seed))
    again = adapter.initial(0.5, seeded(seed))
    adapter.check(v)
    assert all(torch.equal(x, y) for x, y in zip(v, again, strict=True))
    assert [tuple(part.shape) for part in v] == [(1, *block.shape) for block in adapter.blocks]
    assert (
        adapter.weight(v) - adapter.W0
    ).abs().max().item() <= 8 * EPSILON * adapter.W0.abs().max().item()


@some_examples
@given(st.data())
def test_loreft_edits_the_row_space_of_r(data):
    """h + R^T (U h + b - R h) of Wu et al. 2024, Eq. (2)."""
    d = data.draw(st.integers(1, 5))
    adapter = LoReFT(torch.eye(d, d + 1, dtype=torch.float64), data.draw(st.integers(1, d)))
    v = data.draw(domain_points(adapter, {"nu": 2.0}))
    h = data.draw(ball((d, 1), 1.0))
    R, V = single(v)
    U = V[:, :d] + R
    b = V[:, d:]
    got = adapter.weight(v)[0].numpy() @ np.vstack([h, [[1.0]]])
    np.testing.assert_allclose(got, h + R.T @ (U @ h + b - R @ h), rtol=0, atol=64 * EPSILON)


W0 = torch.arange(12, dtype=torch.float64).reshape(3, 4) + 1
A = torch.ones(2, 4, dtype=torch.float64)
B = torch.ones(3, 2, dtype=torch.float64)
NAN = float("nan")
INF = float("inf")
WITH_RANK = ["lora", "direft", "dora", "loreft"]
WITH_SCALE = ["lora", "dora", "frozen-a", "frozen-b"]
NO_MATRICES = [
    lambda X: X * NAN,
    lambda X: X * INF,
    lambda X: X[0],
    lambda X: X.unsqueeze(0),
    lambda X: X[0, 0],
]
REFUSED = [
    *(
        ("adapter.rank", kind, {"rank": rank})
        for kind in WITH_RANK
        for rank in (0, -1, 4, True, 2.0, "2", None)
    ),
    *(
        ("adapter.scale", kind, {"scale": scale})
        for kind in WITH_SCALE
        for scale in (0.0, -1.0, NAN, INF)
    ),
    *(("adapter.W0", kind, {"W0": spoil(W0)}) for kind in ADAPTERS for spoil in NO_MATRICES),
    # A column without a direction.
    ("adapter.W0", "dora", {"W0": W0 * torch.tensor([1.0, 1.0, 0.0, 1.0])}),
    *(("adapter.A", kind, {"A": spoil(A)}) for kind in ("frozen-a",) for spoil in NO_MATRICES),
    *(("adapter.B", kind, {"B": spoil(B)}) for kind in ("frozen-b",) for spoil in NO_MATRICES),
    *(("adapter.A", kind, {"A": A[:, :3]}) for kind in ("frozen-a",)),
    # Too few rows; another rank than A's; transposed.
    ("adapter.B", "frozen-b", {"B": B[:2]}),
    # Too many rows, too many columns, none.
    ("adapter.rank", "frozen-a", {"A": A.repeat(2, 1)}),
    ("adapter.rank", "frozen-b", {"B": B.repeat(1, 2)}),
]


@pytest.mark.parametrize("field, kind, bad", REFUSED)
def test_what_makes_no_adapter_is_refused(field, kind, bad):
    given = {"W0": W0, "rank": 2, "A": A, "B": B} | bad
    names = ADAPTERS[kind].__dataclass_fields__
    assert (
        refused(
            lambda: ADAPTERS[kind](**{name: x for name, x in given.items() if name in names})
        ).field
        == field
    )


# How far inside of the boundary `draw` and `project` stay: U of LoReFT is rounded beside R E, which
# is larger than V.
NEAR = 5e-13


@given(st.data(), shapes(12))
def test_spectral_norm_is_the_largest_singular_value(data, shape):
    batch = np.stack([data.draw(matrices(shape)) for _ in range(3)])
    expected = np.linalg.svd(batch, compute_uv=False)[:, 0]
    np.testing.assert_allclose(
        spectral_norm(torch.tensor(batch)).numpy(), expected, rtol=4 * sum(shape) * EPSILON
    )


def test_spectral_norm_of_zero_of_squares_that_are_none_and_of_what_is_no_number():
    X = torch.tensor([[3.0, 0.0], [0.0, 4.0], [0.0, 0.0]], dtype=torch.float64)
    for size in (0.0, 1e-300, 1e-160, 1e150, 1e200, 1e300):
        assert spectral_norm(size * X.repeat(2, 1, 1)).tolist() == pytest.approx(
            [4 * size] * 2, rel=1e-14
        )
    for entry in (math.nan, math.inf, -math.inf):
        spoiled = X.repeat(2, 1, 1)
        spoiled[0, 1, 1] = entry
        assert spectral_norm(spoiled).tolist() == pytest.approx([math.inf, 4.0])


def sizes(adapter, v):
    """The norm of each block and replica, by singular values and entries."""
    found = []
    for block, part in zip(adapter.blocks, adapter.bounded(v), strict=True):
        match block.norm:
            case "spectral":
                found.append(np.linalg.svd(part.numpy(), compute_uv=False)[:, 0])
            case "max":
                found.append(np.abs(part.numpy()).max((1, 2)))
            case "orthonormal":
                found.append(np.abs(np.linalg.svd(part.numpy(), compute_uv=False) ** 2 - 1).max(1))
    return found


@each_kind
@some_examples
@given(st.data())
def test_points_are_drawn_inside_and_half_of_them_extremal(kind, data):
    adapter = data.draw(adapters(kind, most=16))
    radii = data.draw(domains(adapter))
    seed = data.draw(SEEDS)
    v, same, other = (adapter.draw(radii, 8, seeded(x)) for x in (seed, seed, seed + 1))
    assert all(map(torch.equal, v, same))
    assert not any(map(torch.equal, v, other))
    assert [tuple(part.shape) for part in v] == [(8, *block.shape) for block in adapter.blocks]
    assert adapter.inside(v, radii).all()
    adapter.check(v, radii)
    for block, norms in zip(adapter.blocks, sizes(adapter, v), strict=True):
        assert (norms <= (radii[block.radius] if block.radius else 1e-12)).all()
    for block, part in zip(adapter.blocks, adapter.bounded(v), strict=True):
        if block.norm == "max":
            assert (part[::2].abs() == radii[block.radius]).all()
            assert (part[1::2].abs() < radii[block.radius]).all()
        elif block.norm == "spectral":
            values = np.linalg.svd(part.numpy(), compute_uv=False)
            assert (values[::2] >= radii[block.radius] * (1 - NEAR)).all()
            assert (values[1::2].min(1) < radii[block.radius] * (1 - NEAR)).all()


def small(kind):
    """One adapter of rank 2 on 3 x 4 matrices."""
    return make_adapter(kind, torch.eye(3, 4, dtype=torch.float64) + 2, 2, 1.0, {"A": A, "B": B})


@each_kind
@some_examples
@given(st.data(), SIZES)
def test_projection_leads_inside_and_leaves_what_is_there(kind, data, factor):
    adapter = data.draw(adapters(kind))
    radii = data.draw(domains(adapter))
    v = data.draw(domain_points(adapter, radii, replicas=2))
    drawn = adapter.draw(radii, 8, seeded(data.draw(SEEDS)))
    for point in (v, drawn, adapter.project(tuple(factor * part for part in v), radii)):
        assert adapter.inside(point, radii).all()
        for block, x, y in zip(adapter.blocks, point, adapter.project(point, radii), strict=True):
            if block.norm == "orthonormal" or kind == "loreft-trained":
                torch.testing.assert_close(
                    x, y, rtol=0, atol=1e-14 * (1 + max(radii.values(), default=0.0))
                )
            else:
                assert torch.equal(x, y)


@each_kind
@some_examples
@given(st.data(), st.floats(1e-9, 10))
def test_a_point_off_the_domain_is_not_inside_and_is_refused_by_name(kind, data, excess):
    adapter = data.draw(adapters(kind))
    radii = data.draw(domains(adapter))
    drawn = adapter.draw(radii, 2, seeded(data.draw(SEEDS)))
    number = data.draw(st.integers(0, len(drawn) - 1))
    # The first of two is extremal.
    v = tuple(part * (1 + excess) if i == number else part for i, part in enumerate(drawn))
    assert not adapter.inside(v, radii)[0]
    error = refused(adapter.check, v, radii)
    block = adapter.blocks[number]
    assert error.field == f"v.{block.name}"
    words = ("orthonormal",) if block.norm == "orthonormal" else ("at most", block.radius)
    assert all(word in error.expected for word in words)
    adapter.check(v)


SPOILED = {
    "NaN": lambda x: x * math.nan,
    "infinite": lambda x: x * math.inf,
    "one point without its axis": lambda x: x[0],
    "transposed": lambda x: x.mT,
    "no rows": lambda x: x[:, :0],
    "no replicas": lambda x: x[:0],
    "a number": lambda x: x[0, 0, 0],
}


@each_kind
def test_a_block_that_is_none_is_refused_by_name(kind):
    adapter = small(kind)
    radii = dict.fromkeys(adapter.radius_names, 0.1)
    v = adapter.draw(radii, 3, seeded(0))
    names = [block.name for block in adapter.blocks]
    for number, name in enumerate(names):
        for how, spoil in SPOILED.items():
            bad = tuple(spoil(part) if i == number else part for i, part in enumerate(v))
            for limits in (None, radii):
                assert refused(adapter.check, bad, limits).field == f"v.{name}", how
    if len(v) > 1:
        assert refused(adapter.check, (v[0], *(part[:2] for part in v[1:]))).field in {
            f"v.{name}" for name in names
        }
    for bad in ((), v[:-1], (*v, v[0])):
        assert refused(adapter.check, bad).field == "v"


@each_kind
@some_examples
@given(st.data())
def test_reach_and_jacobian_bound_hold_on_the_domain(kind, data):
    adapter = data.draw(adapters(kind))
    radii = data.draw(domains(adapter))
    drawn = adapter.draw(radii, 4, seeded(data.draw(SEEDS)))
    v = tuple(
        map(
            torch.cat, zip(drawn, data.draw(domain_points(adapter, radii, replicas=2)), strict=True)
        )
    )
    rounding = (adapter.sizes(v).terms * EPSILON * adapter.sizes(v).weight).max().item()
    assert (adapter.weight(v) - adapter.W0).norm(dim=(1, 2)).max().item() <= adapter.reach(
        radii
    ) + rounding
    # DW(v)^T, from the pull-back of each unit matrix.
    d, k = adapter.W0.shape
    units = torch.eye(d * k, dtype=torch.float64).reshape(-1, d, k)
    bound = adapter.jacobian_bound(radii)
    for i in range(len(v[0])):
        rows = adapter.pull_back(tuple(part[i : i + 1].expand(d * k, -1, -1) for part in v), units)
        assert np.linalg.norm(
            torch.cat([part.flatten(1) for part in rows], 1).numpy(), 2
        ) <= bound * (1 + 1e-12)


@pytest.mark.parametrize("kind", sorted(set(ADAPTERS) - {"dora"}))
def test_reach_is_reached_where_all_singular_values_are_at_their_radii(kind):
    """At rank 1 on 1 x 1 matrices every bound is an equality."""
    one = torch.ones(1, 1, dtype=torch.float64)
    adapter = make_adapter(kind, 3 * one, 1, 1.0, {"A": 2 * one, "B": 5 * one})
    radii = dict.fromkeys(adapter.radius_names, 0.7)
    v = adapter.draw(radii, 1, seeded(0))
    assert (adapter.weight(v) - adapter.W0).abs().item() == pytest.approx(
        adapter.reach(radii), rel=1e-11
    )


def test_jacobian_bound_of_dora_does_not_exist_where_a_column_may_vanish():
    adapter = DoRA(torch.eye(3, dtype=torch.float64), 1)
    # At A = -e_1, B = 2 e_1 and half of the way there, a column of W0 + B A is as short as one
    # likes.
    radii = {"a": 2.0, "b": 2.0, "mu": 1.0}
    assert adapter.jacobian_bound(radii) == math.inf


@pytest.mark.parametrize("kind", [kind for kind in ADAPTERS if ADAPTERS[kind].is_run])
@some_examples
@given(data=st.data(), gain=st.sampled_from([0.1, 1.0, 10.0]))
def test_a_base_moves_with_restarts_alone(kind, data, gain):
    random = seeded(data.draw(SEEDS))
    d = data.draw(st.integers(1, 4))
    k = data.draw(st.integers(1, 4))
    W0, A, B = (
        torch.randn(shape, generator=random, dtype=torch.float64)
        for shape in ((d, k), (1, k), (d, 1))
    )
    inner = make_adapter(kind, W0, 1, 0.5, {"A": A, "B": B})
    adapter = Rebased(W0, inner)
    problem = Problem(
        PseudoHuber(torch.linspace(-1, 1, 3 * d * k).reshape(3, d, k).numpy(), 0.5), adapter
    )
    # It starts as the inner adapter, which cannot begin again.
    start = adapter.initial(gain, random)
    assert torch.equal(adapter.weight(start), inner.weight(start[:-1]))
    assert refused(inner.restart, start[:-1], 1.0, random).field == "adapter.kind"
    v = tuple(part.expand(3, -1, -1) for part in start)
    for _ in range(2):
        base = v[-1]
        v = adapter.retract(
            v, tuple(gain * torch.randn(x.shape, generator=random, dtype=x.dtype) for x in v)
        )
        assert torch.equal(v[-1], base)
        # A restart keeps W, and is a start for each replica.
        W = adapter.weight(v)
        v = adapter.restart(v, gain, random)
        size = max(torch.linalg.matrix_norm(x).max().item() for x in (W, v[-1])) + 1
        torch.testing.assert_close(adapter.weight(v), W, rtol=0, atol=1e-12 * size)
        for part, like in zip(v, start, strict=True):
            assert part.shape == (3, *like.shape[1:])
        for part, like in zip(v[:-1], start[:-1], strict=True):
            assert bool((part == 0).all()) == bool((like == 0).all())
    v = adapter.retract(
        v, tuple(gain * torch.randn(x.shape, generator=random, dtype=x.dtype) for x in v)
    )
    check_function(problem, tuple(part[:1] for part in v))
    # Nothing leads along the base; all else is the inner adapter's.
    pulled = adapter.pull_back(v, adapter.weight(v))
    assert not pulled[-1].any()
    assert not adapter.tangent(v, v)[-1].any()
    assert all(map(torch.equal, pulled, inner.pull_back(v[:-1], adapter.weight(v))))
    # Its radius bounds how far W is from W0, and so the gradient; no claim has it.
    radii = {name: norm.max().item() + 1e-9 for name, norm in problem.norms(v).items()}
    assert set(radii) == {*inner.radius_names, "z"}
    assert adapter.constants(radii) == inner.constants(radii)
    assert torch.linalg.matrix_norm(adapter.weight(v) - W0).max().item() <= adapter.reach(radii) * (
        1 + 1e-12
    )
    assert (
        torch.linalg.matrix_norm(problem.weight_gradient(v)).max().item()
        <= problem.gradient_bound(radii).value
    )
    assert square_norm(problem.gradient(v)).max().item() <= problem.trivial_bound(radii) * (
        1 + 1e-12
    )
