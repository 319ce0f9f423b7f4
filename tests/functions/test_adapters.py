"""Every adapter against plain transcriptions of its formulas: W(v), its derivative, their rounding, its constants."""

from collections.abc import Callable
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import DataObject
from mpmath import mp

from boundcheck.functions.adapters import (
    ADAPTERS,
    Adapter,
    DiReFT,
    DoRA,
    FrozenA,
    FrozenB,
    Full,
    LoHa,
    LoRA,
    LoReFT,
    VeRA,
)
from boundcheck.functions.arithmetic import square_norm
from boundcheck.properties import adapters, ball, domain_points, domains
from tests.experiment.small import refused
from tests.functions.eigenvalues import is_above_the_top, is_below_the_top
from tests.language.plain import Plain, dot, exactly, single
from tests.layers import examples

EPSILON = 2.0**-52
DIGITS = 40
MOST = 16

each_kind = pytest.mark.parametrize("kind", ADAPTERS)
some_examples = examples(15)


@each_kind
@some_examples
@given(st.data())
def test_weight_is_that_of_the_papers(kind: str, data: DataObject) -> None:
    adapter = data.draw(adapters(kind, most=MOST))
    radii = data.draw(domains(adapter))
    v = data.draw(domain_points(adapter, radii, replicas=2))
    W, sizes = adapter.weight(v), adapter.sizes(v)
    assert W.shape == (2, *adapter.W0.shape)
    for i in range(2):
        allowed = 4 * (sizes.terms + sum(W.shape)) * EPSILON * sizes.weight[i].item()
        assert np.abs(W[i].numpy() - Plain(adapter).weight(single(v, i))).max() <= allowed


@each_kind
@some_examples
@given(st.data())
def test_pull_back_is_that_of_automatic_differentiation(kind: str, data: DataObject) -> None:
    adapter = data.draw(adapters(kind, most=MOST))
    radii = data.draw(domains(adapter))
    v = data.draw(domain_points(adapter, radii, replicas=2))
    M = torch.tensor(np.stack([data.draw(ball(tuple(adapter.W0.shape), 1.0)) for _ in range(2)]))
    expected = adapter.tangent(v, torch.func.vjp(lambda *w: adapter.weight(w), *v)[1](M))
    sizes = adapter.sizes(v)
    found = adapter.pull_back(v, M)
    assert [part.shape for part in found] == [part.shape for part in v]
    allowed = 16 * sum(M.shape) * EPSILON * (sizes.products * sizes.jacobian).max().item() * M.norm().item()
    for got, wanted in zip(found, expected, strict=True):
        assert (got - wanted).abs().max().item() <= allowed


@each_kind
@some_examples
@given(st.data())
def test_the_pull_back_is_no_longer_than_the_jacobian_of_the_sizes(kind: str, data: DataObject) -> None:
    adapter = data.draw(adapters(kind))
    v = data.draw(domain_points(adapter, data.draw(domains(adapter))))
    M = torch.tensor(data.draw(ball(tuple(adapter.W0.shape), 1.0))).unsqueeze(0)
    most = adapter.sizes(v).jacobian.item() * M.norm().item()
    assert square_norm(adapter.pull_back(v, M)).sqrt().item() <= most * (1 + 1e-12)


@each_kind
@some_examples
@given(st.data())
def test_rounding_is_within_the_sizes(kind: str, data: DataObject) -> None:
    """Of W, and of the pull-back, whose sums have as many terms as W has rows and columns, and some to spare."""
    adapter = data.draw(adapters(kind, most=3))
    v = data.draw(domain_points(adapter, data.draw(domains(adapter))))
    M = torch.tensor(data.draw(ball(tuple(adapter.W0.shape), 1.0))).unsqueeze(0)
    sizes = adapter.sizes(v)
    with mp.workdps(DIGITS):
        plain, at = Plain(adapter, exactly), single(v, read=exactly)
        error = exactly(adapter.weight(v)[0]) - plain.weight(at)
        assert dot(error, error) ** 0.5 <= sizes.terms * EPSILON * sizes.weight.item()
        expected = plain.pull_back(at, exactly(M[0]))
        found = single(adapter.pull_back(v, M), read=exactly)
        square = sum(dot(x - y, x - y) for x, y in zip(found, expected, strict=True))
        scale = sizes.jacobian.item() * float(torch.as_tensor(sizes.products).max()) * M.norm().item()
        assert square**0.5 <= (sum(adapter.W0.shape) + 4) * EPSILON * scale


@pytest.mark.parametrize(("kind", "name"), [("frozen-a", "A"), ("frozen-b", "B"), ("vera", "A"), ("vera", "B")])
@some_examples
@given(st.data())
def test_a_frozen_factors_norm_is_bounded_above_and_closely(kind: str, name: str, data: DataObject) -> None:
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
def test_the_least_column_of_dora_is_bounded_below_and_closely(data: DataObject) -> None:
    adapter = data.draw(adapters("dora"))
    least = min(sum(Fraction(x) ** 2 for x in column) for column in adapter.W0.T.tolist())
    bound = Fraction(adapter.constants({"a": 1.0, "b": 1.0, "mu": 1.0})["w_0"])
    assert bound**2 <= least <= (bound * (1 + Fraction(EPSILON))) ** 2


@each_kind
@some_examples
@given(st.data())
def test_constants_name_the_scale_and_the_radii(kind: str, data: DataObject) -> None:
    adapter = data.draw(adapters(kind))
    radii = data.draw(domains(adapter))
    constants = adapter.constants(radii)
    if hasattr(adapter, "scale"):
        assert constants["s"] == adapter.scale
    for name in set(radii) - {"rho"}:
        # All of space is the domain of a claim about one trained factor.
        assert constants.get(name, radii[name]) == radii[name]
    assert constants.get("r", adapter.rank) == adapter.rank
    assert constants.get("sigma", max(radii.values())) == max(radii.values())


@each_kind
@some_examples
@given(st.data())
def test_training_starts_at_w0_in_every_adapter_but_where_it_cannot(kind: str, data: DataObject) -> None:
    adapter = data.draw(adapters(kind))
    seed = data.draw(st.integers(0, 1000))
    v = adapter.initial(0.5, torch.Generator().manual_seed(seed))
    again = adapter.initial(0.5, torch.Generator().manual_seed(seed))
    adapter.check(v)
    assert all(torch.equal(x, y) for x, y in zip(v, again, strict=True))
    assert [tuple(part.shape) for part in v] == [(1, *block.shape) for block in adapter.blocks]
    assert (adapter.weight(v) - adapter.W0).abs().max().item() <= 8 * EPSILON * adapter.W0.abs().max().item()


@some_examples
@given(st.data())
def test_direft_adds_a_low_rank_edit_with_its_bias(data: DataObject) -> None:
    """h + U_2^T (U_1 h + b) of jiang2024, Eq. (3)."""
    d = data.draw(st.integers(1, 5))
    rank = data.draw(st.integers(1, d))
    U1, U2, b, h = (data.draw(ball(shape, 1.0)) for shape in ((rank, d), (rank, d), (rank, 1), (d, 1)))
    adapter = DiReFT(torch.eye(d, d + 1, dtype=torch.float64), rank)
    v = (torch.tensor(np.hstack([U1, b])).unsqueeze(0), torch.tensor(U2.T.copy()).unsqueeze(0))
    got = adapter.weight(v)[0].numpy() @ np.vstack([h, [[1.0]]])
    np.testing.assert_allclose(got, h + U2.T @ (U1 @ h + b), rtol=0, atol=64 * EPSILON)


@some_examples
@given(st.data())
def test_loreft_edits_the_row_space_of_r(data: DataObject) -> None:
    """h + R^T (U h + b - R h) of Wu et al. 2024, Eq. (2)."""
    d = data.draw(st.integers(1, 5))
    adapter = LoReFT(torch.eye(d, d + 1, dtype=torch.float64), data.draw(st.integers(1, d)))
    v = data.draw(domain_points(adapter, {"nu": 2.0}))
    h = data.draw(ball((d, 1), 1.0))
    R, V = single(v)
    U, b = V[:, :d] + R, V[:, d:]
    got = adapter.weight(v)[0].numpy() @ np.vstack([h, [[1.0]]])
    np.testing.assert_allclose(got, h + R.T @ (U @ h + b - R @ h), rtol=0, atol=64 * EPSILON)


W0 = torch.arange(12, dtype=torch.float64).reshape(3, 4) + 1
A, B = torch.ones(2, 4, dtype=torch.float64), torch.ones(3, 2, dtype=torch.float64)
NAN, INF = float("nan"), float("inf")
WITH_RANK = [LoRA, DiReFT, DoRA, LoHa, LoReFT]
WITH_SCALE = {
    "lora": lambda s: LoRA(W0, 2, s),
    "dora": lambda s: DoRA(W0, 2, s),
    "loha": lambda s: LoHa(W0, 2, s),
    "frozen-a": lambda s: FrozenA(W0, A, s),
    "frozen-b": lambda s: FrozenB(W0, B, s),
    "vera": lambda s: VeRA(W0, A, B, s),
}
MAKE = {"full": lambda W: Full(W), "loreft": lambda W: LoReFT(W, 2), "direft": lambda W: DiReFT(W, 2)} | {
    "lora": lambda W: LoRA(W, 2),
    "dora": lambda W: DoRA(W, 2),
    "loha": lambda W: LoHa(W, 2),
    "frozen-a": lambda W: FrozenA(W, A),
    "frozen-b": lambda W: FrozenB(W, B),
    "vera": lambda W: VeRA(W, A, B),
}


@pytest.mark.parametrize("make", WITH_RANK, ids=lambda make: make.kind)
@pytest.mark.parametrize("rank", [0, -1, 4, True, 2.0, "2", None], ids=repr)
def test_a_rank_that_the_shape_forbids_is_refused(make: type, rank: object) -> None:
    assert refused(make, W0, rank).field == "adapter.rank"


@pytest.mark.parametrize("kind", WITH_SCALE)
@pytest.mark.parametrize("scale", [0.0, -1.0, NAN, INF, -INF])
def test_a_scale_that_is_not_positive_is_refused(kind: str, scale: float) -> None:
    assert refused(WITH_SCALE[kind], scale).field == "adapter.scale"


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize(
    "bad", [W0 * NAN, W0 * INF, W0[0], W0.unsqueeze(0), torch.tensor(1.0)], ids=lambda x: str(x.shape)
)
def test_a_w0_that_is_no_finite_matrix_is_refused(kind: str, bad: torch.Tensor) -> None:
    assert refused(MAKE[kind], bad).field == "adapter.W0"


def test_dora_refuses_a_column_without_a_direction() -> None:
    assert refused(lambda: DoRA(W0 * torch.tensor([1.0, 1.0, 0.0, 1.0]), 2)).field == "adapter.W0"


# What stands in for a frozen factor and is none.
NO_FACTORS = {
    "NaN": lambda X: X * NAN,
    "infinite": lambda X: X * INF,
    "three axes": lambda X: X.unsqueeze(0),
    "a number": lambda X: X[0, 0],
    "a row": lambda X: X[0],
    "a column": lambda X: X[:, 0],
}


@pytest.mark.parametrize("bad", NO_FACTORS)
@pytest.mark.parametrize(
    ("make", "factor", "name"),
    [
        (lambda X: FrozenA(W0, X), A, "A"),
        (lambda X: FrozenB(W0, X), B, "B"),
        (lambda X: VeRA(W0, X, B), A, "A"),
        (lambda X: VeRA(W0, A, X), B, "B"),
    ],
    ids=["frozen A", "frozen B", "A of VeRA", "B of VeRA"],
)
def test_a_frozen_factor_that_is_no_finite_matrix_is_refused(
    make: Callable[[torch.Tensor], Adapter], factor: torch.Tensor, name: str, bad: str
) -> None:
    assert refused(lambda: make(NO_FACTORS[bad](factor))).field == f"adapter.{name}"


@pytest.mark.parametrize(
    ("make", "field"),
    [
        pytest.param(lambda: FrozenA(W0, A[:, :3]), "adapter.A", id="A of W's rows"),
        pytest.param(lambda: FrozenB(W0, B[:2]), "adapter.B", id="B of too few rows"),
        pytest.param(lambda: VeRA(W0, A[:, :3], B), "adapter.A", id="VeRA's A of W's rows"),
        pytest.param(lambda: VeRA(W0, A, B[:, :1]), "adapter.B", id="factors of two ranks"),
        pytest.param(lambda: VeRA(W0, A, B.mT), "adapter.B", id="a transposed B"),
        pytest.param(lambda: FrozenA(W0, A.repeat(2, 1)), "adapter.rank", id="A of too many rows"),
        pytest.param(lambda: FrozenB(W0, B.repeat(1, 2)), "adapter.rank", id="B of too many columns"),
        pytest.param(lambda: VeRA(W0, A[:0], B[:, :0]), "adapter.rank", id="rank 0"),
    ],
)
def test_a_frozen_factor_of_another_shape_is_refused(make: Callable[[], Adapter], field: str) -> None:
    assert refused(make).field == field
