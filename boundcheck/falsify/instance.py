"""`Instance`: an adapter, a loss with one kink, and two points: what a smoothness claim is tried on.

f(W) = h(<E, W>) + <N, W> with h' of slope L between two small values. It is L|E|² smooth, its gradient is nearly N, and
near the kink it has its largest curvature along E at once: the worst case of a smoothness lemma asks no more of an f.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from flint import arb, ctx
from torch import Tensor

from boundcheck.claims import Claim, catalogue
from boundcheck.claims.enclose import upper
from boundcheck.claims.inputs import Number
from boundcheck.claims.meft import GRADIENT_BOUND
from boundcheck.errors import InputError
from boundcheck.files import replace_file
from boundcheck.problems.adapters import ADAPTERS, Adapter, Full, make_adapter
from boundcheck.problems.adapters.base import spectral_bound
from boundcheck.problems.clipped import Clipped
from boundcheck.problems.derivatives import difference_ratio, hessian_vector_product
from boundcheck.problems.inputs import theory_inputs
from boundcheck.problems.norms import Point, inner, square_norm
from boundcheck.problems.piecewise import PiecewiseLinear
from boundcheck.problems.problem import Problem
from boundcheck.problems.tilted import Tilted

# The least height of h', over G.
_LEAST = 2.0**-17
# Larger numbers are not read from files: their products would be no floats.
_MOST = 1e25


@dataclass(frozen=True)
class Instance:
    """What is needed to compute a claim's two sides, in floats that are meant exactly.

    Attributes:
        claim: the claim that is tried.
        adapter: W(v), with its frozen matrices.
        radii: the domain.
        lipschitz: what C stands for, in a claim that takes one.
        slope, height: of h': its slope L, and the value at which it is clipped.
        zero: the w at which h' is 0.
        direction: E, shape (d, k).
        tilt: N, shape (d, k).
        v: the first point, R = 1.
        other: the second point; on a curved domain, where gradients at two points cannot be compared, a tangent at v.

    """

    claim: Claim
    adapter: Adapter
    radii: Mapping[str, float]
    lipschitz: str
    slope: float
    height: float
    zero: float
    direction: np.ndarray
    tilt: np.ndarray
    v: Point = field(repr=False)
    other: Point = field(repr=False)

    @classmethod
    def around(
        cls,
        claim: Claim,
        adapter: Adapter,
        radii: Mapping[str, float],
        lipschitz: str,
        L: float,
        G: float,
        direction: np.ndarray,
        tilt: np.ndarray,
        v: Point,
        other: Point,
    ) -> "Instance":
        """The instance with its kink between two given points, or at the one: slope L along E, gradient near G times N.

        h' gets as little height as leaves its slope room to spare, and what N gives up for that keeps ∇f within G.
        """
        ends = (v, other) if adapter.is_flat else (v,)
        heights = [float((torch.as_tensor(direction) * adapter.weight(point)[0]).sum()) for point in ends]
        height = min(max(L * (max(heights) - min(heights)), _LEAST * G), G / 2)
        middle = (max(heights) + min(heights)) / 2
        return cls(claim, adapter, radii, lipschitz, L, height, middle, direction, tilt * (G - height), v, other)

    @cached_property
    def problem(self) -> Problem:
        """F, as the code that runs experiments has it."""
        return Problem(Tilted(self.ridge, self.tilt), self.adapter)

    @cached_property
    def ridge(self) -> Clipped:
        """h(<E, W>)."""
        slope = PiecewiseLinear.clipped(self.slope, self.height, self.zero)
        return Clipped(slope, [0.0], direction=self.direction)

    @cached_property
    def inputs(self) -> dict[str, Number]:
        """The claim's parameters, exact, with G in the norm that its hypotheses speak of."""
        return theory_inputs(self.claim, self.problem, self.radii, self.lipschitz, self.gradient_bound)

    @cached_property
    def gradient_bound(self) -> float:
        """G of f, an upper bound: on the spectral norm where the claim's hypotheses speak of that."""
        if GRADIENT_BOUND not in self.claim.hypotheses:
            return self.problem.gradient_bound(self.radii).value
        E, N = (torch.as_tensor(X) for X in (self.direction, self.tilt))
        with ctx.workprec(128):
            return upper(arb(float(self.ridge.slope.bound)) * arb(spectral_bound(E)) + arb(spectral_bound(N)))

    def check(self) -> None:
        """Refuse points that are off the domain, or of the wrong shape, by an InputError that names the block."""
        self.adapter.check(self.v, self.radii)
        if self.adapter.is_flat:
            self.adapter.check(self.other, self.radii, "other")
            if not square_norm(_minus(self.v, self.other)).item() > 0:
                raise InputError("other", "equal to v", "another point")
        else:
            self.adapter.check(self.other, name="other")
            if not square_norm(self.adapter.tangent(self.v, self.other)).item() > 0:
                raise InputError("other", "without a tangent part", "a tangent at v")

    @cached_property
    def bound(self) -> float:
        """The claim's L̂ at the constants of this problem on this domain, rounded up."""
        return upper(self.claim.enclosures(**self.inputs)["Lhat"])

    @cached_property
    def measured(self) -> float:
        """The Lipschitz ratio of the two points; on a curved domain the second derivative along the geodesic."""
        if self.adapter.is_flat:
            return difference_ratio(self.problem, self.v, self.other).item()
        u = self.adapter.tangent(self.v, self.other)
        bent = inner(u, hessian_vector_product(self.problem, self.v, u)) / square_norm(u)
        return abs(bent.item())

    @property
    def ratio(self) -> float:
        """Measured over bound, in floats: above 1 only `certify` decides."""
        return self.measured / self.bound

    def as_json(self) -> dict[str, Any]:
        """Plain data, from which `from_json` makes the same instance: floats are written so that they read back."""
        adapter = {"kind": self.adapter.kind, "W0": self.adapter.W0.tolist()}
        adapter |= {name: getattr(self.adapter, name).tolist() for name in self.adapter.frozen if name != "W0"}
        adapter |= {name: getattr(self.adapter, name) for name in ("rank", "scale") if _is_field(self.adapter, name)}
        return {
            "claim": self.claim.id,
            "adapter": adapter,
            "radii": dict(self.radii),
            "lipschitz": self.lipschitz,
            "objective": {"slope": self.slope, "height": self.height, "zero": self.zero}
            | {"direction": self.direction.tolist(), "tilt": self.tilt.tolist()},
            "v": {block.name: part[0].tolist() for block, part in zip(self.adapter.blocks, self.v, strict=True)},
            "other": {b.name: part[0].tolist() for b, part in zip(self.adapter.blocks, self.other, strict=True)},
        }

    @classmethod
    def from_json(cls, data: Any, claim: Claim | None = None) -> "Instance":
        """The instance that `as_json` wrote.

        Raises:
            InputError: for a missing or wrong field, a shape that does not fit, a number that is not finite, or a
                point off the domain.

        """
        found = _Fields(data, "instance")
        claim = claim or catalogue[found.text("claim")]
        adapter = _adapter(found.table("adapter"))
        if claim.id in catalogue and claim.id not in adapter.claims:
            raise InputError("adapter.kind", adapter.kind, f"an adapter that {claim.id} is about")
        radii, objective, lipschitz = found.table("radii"), found.table("objective"), found.text("lipschitz")
        check_lipschitz(lipschitz)
        instance = cls(
            claim,
            adapter,
            {name: radii.positive(name) for name in adapter.radius_names},
            lipschitz,
            objective.positive("slope"),
            objective.positive("height"),
            objective.number("zero", _MOST**4),
            objective.matrix("direction", tuple(adapter.W0.shape)),
            objective.matrix("tilt", tuple(adapter.W0.shape)),
            _point(found.table("v"), adapter),
            _point(found.table("other"), adapter),
        )
        instance.check()
        return instance

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, (json.dumps(self.as_json(), indent=1, allow_nan=False) + "\n").encode())
        except OSError as error:
            raise InputError("out", path, f"a file that can be written ({error.strerror})") from None

    @classmethod
    def load(cls, path: Path) -> "Instance":
        """Read what `save` wrote; raises InputError for a file that is not an instance."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise InputError("--replay", path, f"a readable JSON file ({error})") from None
        return cls.from_json(data)


def _minus(v: Point, w: Point) -> Point:
    return tuple(x - y for x, y in zip(v, w, strict=True))


def _is_field(adapter: Adapter, name: str) -> bool:
    return name in type(adapter).__dataclass_fields__


def check_lipschitz(lipschitz: str) -> None:
    """Refuse what C cannot stand for."""
    if lipschitz not in ("sigma", "sqrt(r) sigma"):
        raise InputError("lipschitz", lipschitz, "sigma or sqrt(r) sigma")


def _is_number(value: Any, most: float) -> bool:
    # Comparison is exact, also of integers that are no floats, and false of NaN.
    return isinstance(value, int | float) and not isinstance(value, bool) and -most <= value <= most


@dataclass(frozen=True)
class _Fields:
    """A JSON table, each of whose fields is looked up with an error that names it."""

    data: Any
    name: str

    def __post_init__(self) -> None:
        if not isinstance(self.data, dict):
            raise InputError(self.name, self.data, "a table")

    def _get(self, name: str) -> Any:
        if name not in self.data:
            raise InputError(f"{self.name}.{name}", "(not given)", "a value")
        return self.data[name]

    def table(self, name: str) -> "_Fields":
        return _Fields(self._get(name), name)

    def text(self, name: str) -> str:
        if not isinstance(value := self._get(name), str):
            raise InputError(f"{self.name}.{name}", value, "text")
        return value

    def number(self, name: str, most: float = _MOST) -> float:
        value = self._get(name)
        if not _is_number(value, most):
            raise InputError(f"{self.name}.{name}", value, f"a finite number of size at most {most:g}")
        return float(value)

    def positive(self, name: str) -> float:
        if not (value := self.number(name)) >= 1 / _MOST:
            raise InputError(f"{self.name}.{name}", value, f"a positive number from {1 / _MOST:g} on")
        return value

    def integer(self, name: str) -> int:
        value = self._get(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise InputError(f"{self.name}.{name}", value, "an integer")
        return value

    def matrix(self, name: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
        field, rows = f"{self.name}.{name}", self._get(name)
        wanted = f"a matrix of finite numbers of size at most {_MOST:g}" + (f", of shape {shape}" if shape else "")
        if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
            raise InputError(field, type(rows).__name__, wanted)
        if len({len(row) for row in rows}) > 1 or not all(_is_number(x, _MOST) for row in rows for x in row):
            raise InputError(field, "with an entry that is missing or is no such number", wanted)
        if shape is not None and (len(rows), len(rows[0])) != shape:
            raise InputError(field, f"of shape ({len(rows)}, {len(rows[0])})", wanted)
        return np.array(rows, dtype=np.float64)


def _adapter(found: _Fields) -> Adapter:
    kind = found.text("kind")
    if kind not in ADAPTERS:
        raise InputError("adapter.kind", kind, f"one of {', '.join(ADAPTERS)}")
    made = ADAPTERS[kind]
    W0 = torch.as_tensor(found.matrix("W0"))
    factors = {name: torch.as_tensor(found.matrix(name)) for name in made.frozen if name != "W0"}
    rank = found.integer("rank") if "rank" in made.__dataclass_fields__ else None
    scale = found.positive("scale") if "scale" in made.__dataclass_fields__ else 1.0
    return make_adapter(kind, W0, rank, scale, factors)


def _point(found: _Fields, adapter: Adapter) -> Point:
    return tuple(torch.as_tensor(found.matrix(block.name, block.shape)).unsqueeze(0) for block in adapter.blocks)


def rank_of(adapter: Adapter) -> int:
    """The rank of an adapter; of full fine-tuning, which has none, that of W."""
    return min(adapter.W0.shape) if isinstance(adapter, Full) else int(cast(Any, adapter).rank)


def unit(X: Tensor) -> Tensor:
    """Each matrix of a batch over its Frobenius norm."""
    return X / torch.linalg.matrix_norm(X, keepdim=True).clamp(min=torch.finfo(X.dtype).tiny)
