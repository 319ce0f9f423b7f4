"""The last word on an instance: both sides of the claim, enclosed with Arb from the exact values of its floats.

W(v + t u) is the adapter's own formula over arrays of power series in t, whose coefficients are Arb balls, so the
formula is not repeated here. A point is inside the domain only if exact rational arithmetic says so.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, NamedTuple, cast

import numpy as np
from flint import arb, arb_series, ctx
from torch import Tensor

from boundcheck.exact.balls import ball_of, length, lower, upper
from boundcheck.functions.adapters import Adapter
from boundcheck.functions.arithmetic import Point
from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.language.judge import Met, meets
from boundcheck.language.measures import SMOOTHNESS
from boundcheck.worst_case.instance import AdapterInstance

_BITS = 256
# A value, a derivative and half of a second one.
_ORDER = 3


class Sides(NamedTuple):
    """Both sides of a claim on an instance.

    Attributes:
        lower: a proved lower bound on measured over bound.
        exceeds: whether the conclusion certainly fails.

    """

    lower: float
    exceeds: bool


@dataclass(frozen=True)
class Certificate:
    """The facts that are certain about an instance.

    Attributes:
        met: what the judge says of everything given.
        lower: a proved lower bound on measured over bound.
        exceeds: whether the conclusion certainly fails.

    """

    met: Met
    lower: float
    exceeds: bool

    @property
    def inside(self) -> bool:
        """True if the instance breaks nothing that is given, as far as it can be decided."""
        return not self.met.failures

    @property
    def violated(self) -> bool:
        """True if the claim is false: everything given holds, and the conclusion fails."""
        return self.exceeds and self.met.holds

    @property
    def open(self) -> tuple[str, ...]:
        """The titles of what would have to hold for the claim to be false.

        Empty where nothing is open, where the conclusion does not certainly fail, and where something given fails.
        """
        return tuple(part.title for part in self.met.open) if self.exceeds and self.inside else ()


def certify(instance: Any) -> Certificate:
    """Ask the judge whether everything given holds in an instance, and enclose both sides of the claim."""
    return Certificate(meets(instance, instance.claim), *sides(instance))


@singledispatch
def sides(instance: Any) -> Sides:
    """Enclose measured and bound of an instance; each kind of instance registers its way."""
    raise TypeError(f"{type(instance).__name__} has no sides")


@sides.register
def _(instance: AdapterInstance) -> Sides:
    bound = instance.claim.enclosures(**instance.inputs)[SMOOTHNESS.symbol.name]
    with _series():
        measured = _measured(instance)
        ratio = measured / bound
    low = lower(ratio) if ratio.is_finite() else 0.0
    return Sides(max(low, 0.0), measured.is_finite() and bool(measured > upper(bound)))


@contextmanager
def _series() -> Iterator[None]:
    """The precision of all balls, and the order at which series end."""
    cap = ctx.cap
    ctx.cap = _ORDER
    try:
        with ctx.workprec(_BITS):
            yield
    finally:
        ctx.cap = cap


def _measured(instance: AdapterInstance) -> arb:
    """A lower bound on the Lipschitz ratio, or the second derivative along the geodesic."""
    adapter = with_arrays(instance.adapter, _constant_series)
    v = tuple(numbers_of(part[0]) for part in instance.v)
    if not instance.adapter.is_flat:
        return _bend(instance, adapter, *_on_manifold(instance.adapter, v, instance.other))
    gradients = [instance.problem.gradient(point) for point in (instance.v, instance.other)]
    # A vector is at least as long as its inner product with a unit vector; its direction in floats loses nothing.
    u = tuple(numbers_of((x - y)[0]) for x, y in zip(*gradients, strict=True))
    w = tuple(numbers_of(part[0]) for part in instance.other)
    rates = [_rates(instance, adapter, point, u)[0] for point in (v, w)]
    distance = _length(tuple(x - y for x, y in zip(v, w, strict=True)))
    return abs(rates[0] - rates[1]) / (_length(u) * distance)


def _bend(instance: AdapterInstance, adapter: Adapter, v: Any, u: Any) -> arb:
    return abs(_rates(instance, adapter, v, u, adapter.acceleration(v, u))[1]) / _length(u) ** 2


def _rates(instance: AdapterInstance, adapter: Adapter, v: Any, u: Any, bend: Any = None) -> tuple[arb, arb]:
    """The first and second derivative in t, at 0, of F(v + t u + t²/2 bend)."""
    bends = bend if bend is not None else tuple(0 * part for part in u)
    W = cast(Any, adapter).weight(tuple(_vectorised(x, y, z / 2) for x, y, z in zip(v, u, bends, strict=True)))
    w, tilted = (
        sum((arb(e) * x for e, x in zip(X.ravel().tolist(), W.ravel(), strict=True)), arb_series([0]))
        for X in (instance.direction, instance.tilt)
    )
    value, steepness = slope_at(instance.ridge.slope, w[0])
    return value * w[1] + tilted[1], steepness * w[1] * w[1] + 2 * (value * w[2] + tilted[2])


def with_arrays(adapter: Adapter, convert: Callable[[Tensor], np.ndarray]) -> Adapter:
    """A copy of the adapter with arrays of exact numbers instead of frozen tensors; its formulas accept both."""
    exact = copy.copy(adapter)
    for name, value in vars(adapter).items():
        if isinstance(value, Tensor):
            object.__setattr__(exact, name, convert(value))
    return exact


def _constant_series(X: Tensor) -> np.ndarray:
    numbers = numbers_of(X)
    return cast(np.ndarray, _vectorised(numbers, 0 * numbers, 0 * numbers))


def numbers_of(X: Tensor) -> np.ndarray:
    """A matrix of exact numbers with the floats of X as entries, for the formulas of adapters."""
    array = np.empty(tuple(X.shape), dtype=object)
    for index, x in np.ndenumerate(X.cpu().numpy()):
        array[index] = arb(float(x))
    return array


# Series are sequences, which NumPy would unpack into another dimension.
_vectorised = np.vectorize(lambda x, y, z: arb_series([x, y, z]), otypes=[object])


def _length(u: tuple[np.ndarray, ...]) -> arb:
    return length(x for part in u for x in part.ravel())


def _on_manifold(adapter: Adapter, v: tuple[np.ndarray, ...], other: Point) -> tuple[Any, Any]:
    """The point v with exactly orthonormal rows in its orthonormal blocks, and the tangent part of a direction there.

    Everything else that is bounded stays as it is, so that v stays inside.
    """
    made = cast(Any, adapter)
    parts = zip(adapter.blocks, made.bounded(v), strict=True)
    exact = made.at(tuple(_orthonormal(part) if block.norm == "orthonormal" else part for block, part in parts))
    u = tuple(numbers_of(part[0]) for part in other)
    return exact, made.tangent(exact, u)


def _orthonormal(X: np.ndarray) -> np.ndarray:
    """Gram and Schmidt's rows: balls around a matrix whose rows are exactly orthonormal."""
    rows: list[np.ndarray] = []
    for row in X:
        for done in rows:
            row = row - (row @ done) * done
        rows.append(row / (row @ row).sqrt())
    return np.array(rows, dtype=object)


def slope_at(slope: PiecewiseLinear, w: arb) -> tuple[arb, arb]:
    """The values h'(w) and h''(w): exact rationals as balls; h'' is that of the piece, NaN where w may be at a knot."""
    first, *pieces = slope.pieces
    knots = [piece.start for piece in pieces]
    value = ball_of(first.value)
    for piece, end in zip(pieces, [*knots[1:], None], strict=True):
        way = w.max(ball_of(piece.start)) - ball_of(piece.start)
        if end is not None:
            way = way.min(ball_of(end) - ball_of(piece.start))
        value += ball_of(piece.slope) * way
    if any(w.overlaps(ball_of(knot)) for knot in knots):
        return value, arb("nan")
    steepness = [piece.slope for piece in slope.pieces]
    return value, ball_of(steepness[sum(bool(w > ball_of(knot)) for knot in knots)])
