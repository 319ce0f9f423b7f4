"""What all kinds of instances share, and `AdapterInstance`: what a smoothness claim is tried on.

Shared are the certificate of both sides of a claim, runs in balls, and the reading of JSON tables.
A file has its claim's id and digest alone. An error names the field.

An `AdapterInstance` is an adapter, a loss with one kink, and two points. f(W) = h(<E, W>) + <N, W>
with h' of slope L between two small values. It is L|E|² smooth, its gradient is nearly N, and near
the kink it has its largest curvature
along E at once: the worst case of a smoothness lemma asks no more of an f.

Arb encloses both sides from the exact values of the floats. W(v + t u) is the adapter's own formula
over arrays of power series in t, whose coefficients are balls, so the formula is not repeated here.
A point is inside the domain only if exact rational arithmetic says so, ties on the boundary
included.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, reduce
from itertools import count
from numbers import Real
from typing import Annotated, Any, cast

import numpy as np
import sympy as sp
import torch
from flint import arb, arb_mat, arb_series, ctx, fmpq, fmpq_mat
from pydantic import Field, StrictInt, TypeAdapter, ValidationError
from torch import Tensor

from boundcheck.errors import InputError, one_of
from boundcheck.exact.balls import (
    Balls,
    Blocks,
    Vector,
    ball_of,
    blocks_of,
    enclose,
    length,
    lower,
    matrix_of,
    square_norm_of,
    upper,
)
from boundcheck.exact.evaluate import Model, Paths, VectorFunction
from boundcheck.exact.floats import Approx, Comparison
from boundcheck.functions.adapters import ADAPTERS, Adapter, make_adapter
from boundcheck.functions.adapters.base import spectral_bound, with_frozen
from boundcheck.functions.arithmetic import (
    EPSILON,
    Point,
    apart,
    euclidean_norm,
    inner,
    square_norm,
)
from boundcheck.functions.judged import BITS, OfAdapter, OfClaim
from boundcheck.functions.objectives.clipped import Clipped, Tilted
from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.functions.problem import Problem, difference_ratio, hessian_vector_product
from boundcheck.language.algorithms import Algorithm, Space
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.evidence import HOLDS, Answer, Extent, MatrixNorm
from boundcheck.language.hypotheses import BOUNDED_GRADIENT, READINGS, SMOOTH_IN_W
from boundcheck.language.judge import Met, meets
from boundcheck.language.measures import SMOOTHNESS
from boundcheck.language.sentence import algorithm_of, gradient_norm
from boundcheck.language.symbols import Number, f_star
from boundcheck.language.vocabulary import A, B, F, v_star
from boundcheck.system.files import Json

# Larger numbers are not read from files: their products would overflow.
MOST = 1e25
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-MOST, le=MOST)]
Positive = Annotated[Finite, Field(ge=1 / MOST)]
# The place of a kink, and a letter of an inequality, may be the product of several.
Wide = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-(MOST**4), le=MOST**4)]
# An id of a claim outside the catalogue, in letters that do not look like others.
_ID = re.compile(r"[A-Za-z0-9_.,:() -]*")
# The precision of all balls here.
_BITS = 256
# Series end after a value, a derivative and half of a second one.
_ORDER = 3
# The least height of h', over G.
_LEAST = 2.0**-17
# The most products of numbers, at all points: some ten seconds of exact arithmetic.
_MOST_PRODUCTS = 2**21


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

        Empty where nothing is open, where the conclusion does not certainly fail, and where
        something given fails.
        """
        return tuple(part.title for part in self.met.open) if self.exceeds and self.inside else ()


def certify(instance: Any) -> Certificate:
    """Ask the judge whether everything given holds in an instance, and enclose both sides of the
    claim.
    """
    return Certificate(meets(instance, instance.claim), *instance.sides())


# Runs.


class OfRun(OfClaim):
    """An instance whose points are those of a run of the claim's algorithm, with noise on both
    sides of F.
    """

    @cached_property
    def algorithm(self) -> Algorithm:
        """The algorithm of the claim, which is a theorem about one."""
        return cast(Algorithm, algorithm_of(self.claim))

    @property
    def least(self) -> Fraction:
        """The number that f* stands for."""
        return Fraction(0)

    def value(self, symbol: sp.Symbol) -> Extent:
        return Extent.of(self.least) if symbol == f_star else super().value(symbol)

    def follows(self, algorithm: Algorithm) -> Answer:
        return HOLDS if algorithm == self.algorithm else super().follows(algorithm)

    def bias(self) -> Extent:
        # The samples are equally likely, and equally far from the gradient.
        return Extent.of(Fraction(0))

    def walk(
        self,
        start: Vector,
        gradient: Callable[[Vector, Any], Vector],
        samples: Sequence[Any],
        steps: int,
    ) -> Paths[Any, Any]:
        """All paths of the algorithm in balls, at the exact values of its parameters.

        Args:
            start: v_1.
            gradient: of a sample's loss, at a point.
            samples: from which each step draws.
            steps: T.

        """
        algorithm, space = self.algorithm, Space(square_norm_of, arb.sqrt)
        numbers = {x.name: enclose(self.letters[x], {}) for x in algorithm.parameters}
        return Paths(
            algorithm.exact_start(start, numbers),
            gradient,
            lambda state, g, t: algorithm.exact_step(state, g, t, numbers, space),
            samples,
            steps,
            query=lambda state, t: algorithm.exact_query(state, t, numbers),
        )

    def at(self, paths: Paths[Any, Any], t: int, path: int) -> Blocks:
        """The iterate at a time of a path."""
        return blocks_of(self.algorithm.iterate(paths.state(t, path)))

    def on_paths(
        self,
        paths: Paths[Any, Any],
        function: VectorFunction,
        minimiser: Blocks | None,
        blocks: Mapping[str, int],
    ) -> Model[arb, arb_mat]:
        """The model of a run: its iterates v, the gradients g that were drawn, and F.

        Args:
            paths: of the run.
            function: F.
            minimiser: of F, where the claim speaks of one.
            blocks: the places of A and B in v, as far as they are trained.

        """

        def iterate(name: str, t: int, path: int) -> Blocks:
            if name == "g":
                return blocks_of(paths.drawn(t, path))
            v = self.at(paths, t, path)
            return v if name == "v" else (v[blocks[name]],)

        return Model(
            Balls(),
            numbers={f_star: ball_of(self.least)},
            matrices={} if minimiser is None else {v_star: minimiser},
            iterates=iterate,
            functions={F: function},
            blocks={X: blocks[X.name] for X in (A, B) if X.name in blocks},
            horizon=paths.T,
            weights=paths.weights,
            past=paths.past,
            values=self.letters,
        )


def check_options(name: str, values: Any, constants: object) -> None:
    """Refuse what is no list of integers with something in it, and constants that are no numbers
    by name.
    """
    is_list = isinstance(values, Sequence) and not isinstance(values, str)
    # A range may be endless in all but name, and has nothing else in it.
    are_integers = isinstance(values, range) or (is_list and {type(x) for x in values} == {int})
    if not are_integers or not values:
        raise InputError(name, values, "one or more integers in a list, such as (1, 2)")
    if constants is None:
        return
    if not isinstance(constants, Mapping) or not all(
        isinstance(x, Real) for x in constants.values()
    ):
        raise InputError("constants", constants, 'numbers by name, such as {"L": 2}')


# Files.


def matrix_text(X: np.ndarray) -> str:
    """A matrix in one line, as Python writes lists, its numbers at six digits."""
    return (
        "[" + ", ".join("[" + ", ".join(f"{x:.6g}" for x in row) + "]" for row in X.tolist()) + "]"
    )


def check_id(claim: Claim) -> None:
    """Refuse an id by which a claim, or one of its hypotheses, would be taken for another claim.

    Only the catalogue's claim may have its id. Any other id is a name that does not begin with the
    key of a paper, or the conclusion itself, as SymPy prints it.

    Raises:
        InputError: that says which of these it is not.

    """
    for hypothesis in claim.hypotheses:
        check_id(hypothesis)
    if claim.id in catalogue:
        if claim != catalogue[claim.id]:
            raise InputError(
                "claim.id",
                claim.id,
                "another id, because this one is the catalogue's and the claim is not",
            )
    elif claim.id != str(claim.conclusion):
        if not _ID.fullmatch(claim.id):
            raise InputError(
                "claim.id",
                ascii(claim.id),
                "a name of letters and digits without accents, or the conclusion itself, as SymPy"
                " prints it",
            )
        papers = {id.partition(".")[0] for id in catalogue}
        if (words := re.findall(r"\w+", claim.id.casefold())) and words[0] in papers:
            raise InputError(
                "claim.id",
                claim.id,
                f"an id of the catalogue, or one that {words[0]} does not begin",
            )


def check_whole(data: Any, written: Any, name: str) -> None:
    """Refuse fields of a file that nobody read, and values that would be written differently.

    Args:
        data: what is in the file.
        written: what would be in it, had boundcheck written it.
        name: of the table in the file.

    Raises:
        InputError: that names the field.

    """
    if isinstance(data, dict) and isinstance(written, dict):
        for key, value in data.items():
            if key not in written:
                raise InputError(
                    f"{name}.{key}", value, f"no other fields than {', '.join(written)}"
                )
            check_whole(value, written[key], f"{name}.{key}".removeprefix("instance."))
    elif isinstance(data, list) and isinstance(written, list) and len(data) == len(written):
        for each, other in zip(data, written, strict=True):
            check_whole(each, other, name)
    elif data != written:
        raise InputError(name, data, f"what boundcheck would write: {written}")


@dataclass(frozen=True)
class Fields:
    """A JSON table with the name that errors call it by."""

    data: Any
    name: str

    def __post_init__(self) -> None:
        if not isinstance(self.data, dict):
            raise InputError(self.name, self.data, "a table")

    def get(self, name: str, kind: Any) -> Any:
        """The value of a field, as pydantic reads it as this kind."""
        field = f"{self.name}.{name}"
        if name not in self.data:
            raise InputError(field, "(not given)", "a value")
        try:
            return TypeAdapter(kind).validate_python(self.data[name])
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            expected = first["msg"].removeprefix("Input should be ")
            raise InputError(field, first["input"], expected) from None

    def table(self, name: str) -> Fields:
        return Fields(self.get(name, Any), name)

    def matrix(self, name: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
        """A matrix of finite numbers, of this shape where one is given."""
        rows = self.get(name, list[list[Finite]])
        widths = {len(row) for row in rows}
        if len(widths) != 1 or (shape is not None and (len(rows), *widths) != shape):
            given = f"{len(rows)} rows of {' and '.join(map(str, sorted(widths)))} numbers"
            wanted = "a matrix" if shape is None else f"a matrix of shape {shape}"
            raise InputError(f"{self.name}.{name}", given, wanted)
        return np.array(rows, dtype=np.float64)


# Instances of lemmas.


@dataclass(frozen=True)
class AdapterInstance(OfAdapter):
    """Everything that a claim's two sides need, in exact floats.

    Attributes:
        claim: the claim that is tried.
        adapter: W(v), with its frozen matrices.
        radii: the domain.
        lipschitz: the meaning of C, in a claim that has one.
        slope, height: of h': its slope L, and the value at which it is clipped.
        zero: the w at which h' is 0.
        direction: E, shape (d, k).
        tilt: N, shape (d, k).
        v: the first point, R = 1.
        other: the second point; on a curved domain, where gradients at two points cannot be
            compared, a tangent at v.
        given: values of the claim's own parameters.

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
    given: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def around(
        cls,
        claim: Claim,
        adapter: Adapter,
        constants: Mapping[str, float],
        lipschitz: str,
        direction: np.ndarray,
        tilt: np.ndarray,
        v: Point,
        other: Point,
    ) -> AdapterInstance:
        """The instance with its kink between two given points, or at the one: slope L along E,
        gradient near G times N.

        The constants are L, G, the radii of the adapter's domain, and the claim's own parameters.
        h' gets just enough height for its slope, and N shrinks so that ∇f stays within G.
        """
        L, G = (constants[word.letter] for word in (SMOOTH_IN_W, BOUNDED_GRADIENT))
        radii = {name: constants[name] for name in adapter.radius_names}
        given = {parameter.name: constants[parameter.name] for parameter in claim.own}
        ends = (v, other) if adapter.is_flat else (v,)
        heights = [
            float((torch.as_tensor(direction) * adapter.weight(point)[0]).sum()) for point in ends
        ]
        height = min(max(L * (max(heights) - min(heights)), _LEAST * G), G / 2)
        middle = (max(heights) + min(heights)) / 2
        return cls(
            claim,
            adapter,
            radii,
            lipschitz,
            L,
            height,
            middle,
            direction,
            tilt * (G - height),
            v,
            other,
            given,
        )

    @cached_property
    def problem(self) -> Problem:
        """F, as the code that runs experiments computes it."""
        return Problem(Tilted(self.ridge, self.tilt), self.adapter)

    @cached_property
    def ridge(self) -> Clipped:
        """h(<E, W>)."""
        slope = PiecewiseLinear.clipped(self.slope, self.height, self.zero)
        return Clipped(slope, [0.0], direction=self.direction)

    @cached_property
    def inputs(self) -> dict[str, Number]:
        """The claim's exact parameters, with G in the norm of its hypotheses."""
        known = self.problem.theory_inputs(
            self.claim, self.radii, self.lipschitz, self.gradient_bound
        )
        return known | dict(self.given)

    @cached_property
    def gradient_bound(self) -> float:
        """G of f, an upper bound: on the spectral norm where the claim's hypotheses speak of
        that.
        """
        if gradient_norm(self.claim) != "spectral":
            return self.problem.gradient_bound(self.radii).value
        E, N = (torch.as_tensor(X) for X in (self.direction, self.tilt))
        with ctx.workprec(128):
            return upper(
                arb(float(self.ridge.slope.bound)) * arb(spectral_bound(E)) + arb(spectral_bound(N))
            )

    def weight_gradient(self, norm: MatrixNorm) -> Extent:
        """The certified bound on the gradient of f; on its spectral norm by itself where the claim
        speaks of that.
        """
        found = super().weight_gradient(norm)
        return (
            Extent(most=self.scales[1] * Fraction(self.gradient_bound))
            if norm == "spectral"
            else found
        )

    @cached_property
    def _points(self) -> tuple[Point, ...]:
        """Both points; on a curved domain the one from which the geodesic leaves."""
        return (self.v, self.other) if self.adapter.is_flat else (self.v,)

    @cached_property
    def inside(self) -> bool:
        """True if the points are in the domain, decided exactly; blocks must be made orthonormal
        before.
        """
        fractions = np.vectorize(Fraction, otypes=[object])
        # Its formulas are those of arrays of exact numbers too.
        adapter: Any = self.adapter
        for point in self._points:
            bounded = adapter.bounded(tuple(fractions(part[0].cpu().numpy()) for part in point))
            for block, rows in zip(adapter.blocks, bounded, strict=True):
                if not block.radius:
                    continue
                radius = Fraction(self.radii[block.radius])
                is_max = block.norm == "max"
                if not (
                    (abs(rows) <= radius).all() if is_max else is_spectral_norm_within(rows, radius)
                ):
                    return False
        return True

    def on_domain(self) -> Answer:
        return HOLDS if self.inside else Answer("fails", "a point is outside the domain")

    def reached(self, radius: str) -> Extent:
        """At most the radius itself where the points are inside, so that ties are ties; else at
        least their norm.
        """
        if self.inside:
            return Extent(most=Fraction(self.radii[radius]))
        place = self.adapter.radius_names.index(radius)
        with ctx.workprec(BITS):
            norms = (Balls().spectral(matrix_of(point[place][0].numpy())) for point in self._points)
            return Extent(least=reduce(arb.max, norms))

    def check(self) -> None:
        """Raise an InputError that names the block, for points outside the domain or of the wrong
        shape.
        """
        self.adapter.check(self.v, self.radii)
        check_given(self.claim, self.given, ())
        if self.adapter.is_flat:
            self.adapter.check(self.other, self.radii, "other")
            if not square_norm(apart(self.v, self.other)).item() > 0:
                raise InputError("other", "equal to v", "another point")
        else:
            self.adapter.check(self.other, name="other")
            if not square_norm(self.adapter.tangent(self.v, self.other)).item() > 0:
                raise InputError("other", "without a tangent part", "a tangent at v")

    @cached_property
    def bound(self) -> float:
        """The claim's L̂ at these constants on this domain, rounded up; raises InputError if it has
        no value.
        """
        ball = self.claim.enclosures(**self.inputs)[SMOOTHNESS.symbol.name]
        if not ball.is_finite():
            at = ", ".join(
                f"{name} = {float(sp.N(value)):.6g}" for name, value in self.inputs.items()
            )
            raise InputError("claim", self.claim.id, f"a claim whose Lhat is a number at {at}")
        return upper(ball)

    @cached_property
    def measured(self) -> float:
        """The Lipschitz ratio of the two points; on a curved domain the second derivative along the
        geodesic.
        """
        return _measured(self.problem, self.v, self.other)

    @property
    def ratio(self) -> float:
        """Measured over bound, in floats: only `certify` decides whether it is above 1."""
        return self.measured / self.bound

    def compare(self) -> Comparison:
        """Measured and bound with their rounding errors."""
        measured = self.measured
        error = 0.0
        # What is subtracted in a second derivative is as large as the bound.
        size = measured if self.adapter.is_flat else measured + self.bound
        if self.adapter.is_flat:
            for point in (self.v, self.other):
                error += self.problem.rounding(point, self.problem.loss(point))[1].item()
            error /= euclidean_norm(apart(self.v, self.other)).item()
        error += roundings(self.adapter) * EPSILON * size
        return Comparison(Approx(measured, error), Approx(self.bound, 0.0))

    def sides(self) -> tuple[float, bool]:
        """A proved lower bound on measured over bound, and whether the conclusion certainly
        fails.
        """
        bound = self.claim.enclosures(**self.inputs)[SMOOTHNESS.symbol.name]
        cap = ctx.cap
        ctx.cap = _ORDER
        try:
            with ctx.workprec(_BITS):
                measured = self._enclosed()
                ratio = measured / bound
        finally:
            ctx.cap = cap
        low = lower(ratio) if ratio.is_finite() else 0.0
        return max(low, 0.0), measured.is_finite() and bool(measured > upper(bound))

    def _enclosed(self) -> arb:
        """A lower bound on the Lipschitz ratio, or the second derivative along the geodesic."""
        # Series are sequences, which NumPy would unpack into another dimension.
        series = np.vectorize(lambda x, y, z: arb_series([x, y, z]), otypes=[object])
        adapter: Any = with_arrays(
            self.adapter, lambda X: series(numbers_of(X), 0 * numbers_of(X), 0 * numbers_of(X))
        )
        v, other = (tuple(numbers_of(part[0]) for part in point) for point in (self.v, self.other))

        def size(u: Any) -> arb:
            return length(x for part in u for x in part.ravel())

        def rates(point: Any, u: Any, bend: Any) -> tuple[arb, arb]:
            """The first and second derivative in t, at 0, of F(v + t u + t²/2 bend)."""
            W = adapter.weight(
                tuple(series(x, y, z / 2) for x, y, z in zip(point, u, bend, strict=True))
            )
            w, tilted = (
                sum(
                    (arb(e) * x for e, x in zip(X.ravel().tolist(), W.ravel(), strict=True)),
                    arb_series([0]),
                )
                for X in (self.direction, self.tilt)
            )
            value, steepness = slope_at(self.ridge.slope, w[0])
            return value * w[1] + tilted[1], steepness * w[1] * w[1] + 2 * (
                value * w[2] + tilted[2]
            )

        if self.adapter.is_flat:
            gradients = [self.problem.gradient(point) for point in (self.v, self.other)]
            # A vector is at least as long as its inner product with a unit vector: a direction in
            # floats is enough.
            u = tuple(numbers_of((x - y)[0]) for x, y in zip(*gradients, strict=True))
            straight = tuple(0 * part for part in u)
            change = rates(v, u, straight)[0] - rates(other, u, straight)[0]
            return abs(change) / (size(u) * size(apart(v, other)))
        # The point with exactly orthonormal rows, by Gram and Schmidt, in its orthonormal blocks.
        # All else that is bounded stays as it is, so that the point stays inside.
        made: Any = self.adapter
        parts = list(made.bounded(v))
        for place, block in enumerate(made.blocks):
            rows: list[np.ndarray] = []
            for row in parts[place] if block.norm == "orthonormal" else ():
                for done in rows:
                    row = row - (row @ done) * done
                rows.append(row / (row @ row).sqrt())
            parts[place] = np.array(rows, dtype=object) if rows else parts[place]
        v = made.at(tuple(parts))
        u = made.tangent(v, other)
        return abs(rates(v, u, adapter.acceleration(v, u))[1]) / size(u) ** 2

    @property
    def title(self) -> str:
        return self.adapter.title

    def __str__(self) -> str:
        W0 = "" if not self.adapter.W0.any() else f", W0 = {matrix_text(self.adapter.W0.numpy())}"
        radii = ", ".join(f"{name} = {radius:.6g}" for name, radius in self.radii.items())
        points = zip(
            ("v", "second point" if self.adapter.is_flat else "direction"),
            (self.v, self.other),
            strict=True,
        )
        named = [(name, zip(self.adapter.blocks, point, strict=True)) for name, point in points]
        return "\n".join(
            [
                f"{self.adapter.title}, rank {rank_of(self.adapter)}, {radii}{W0}",
                (
                    f"f(W) = h(<E, W>) + <N, W> with h' of slope {self.slope:.6g} within"
                    f" ±{self.height:.6g}"
                ),
                f"E = {matrix_text(self.direction)}",
                f"N = {matrix_text(self.tilt)}",
                *(
                    f"{name}: {block.name} = {matrix_text(part[0].numpy())}"
                    for name, x in named
                    for block, part in x
                ),
            ]
        )

    def as_json(self) -> Json:
        """Plain data, from which `from_json` makes the same instance: floats are written so that
        they read back.
        """
        return {
            "kind": "smoothness",
            "claim": self.claim.id,
            "digest": self.claim.digest,
            "adapter": adapter_as_json(self.adapter),
            "radii": dict(self.radii),
            "lipschitz": self.lipschitz,
            "objective": (
                {"slope": self.slope, "height": self.height, "zero": self.zero}
                | {"direction": self.direction.tolist(), "tilt": self.tilt.tolist()}
            ),
            "v": point_as_json(self.adapter, self.v),
            "other": point_as_json(self.adapter, self.other),
            **({"given": dict(self.given)} if self.given else {}),
        }

    @classmethod
    def from_json(cls, data: Any, claim: Claim) -> AdapterInstance:
        """The instance of a claim that `as_json` wrote.

        Raises:
            InputError: for a missing or wrong field, a shape that does not fit, a number that is
                not finite, or a point outside the domain.

        """
        found = Fields(data, "instance")
        adapter = read_adapter(found.table("adapter"))
        if claim.id in catalogue and not adapter.is_subject_of(claim):
            raise InputError("adapter.kind", adapter.kind, f"an adapter that {claim.id} is about")
        check_extent(adapter)
        radii = found.table("radii")
        objective = found.table("objective")
        lipschitz = found.get("lipschitz", str)
        # A claim of the catalogue has no parameters of its own.
        given = found.table("given") if "given" in found.data else Fields({}, "given")
        check_lipschitz(lipschitz)
        instance = cls(
            claim,
            adapter,
            {name: radii.get(name, Positive) for name in adapter.radius_names},
            lipschitz,
            objective.get("slope", Positive),
            objective.get("height", Positive),
            objective.get("zero", Wide),
            objective.matrix("direction", tuple(adapter.W0.shape)),
            objective.matrix("tilt", tuple(adapter.W0.shape)),
            read_point(found.table("v"), adapter),
            read_point(found.table("other"), adapter),
            {name: given.get(name, Finite) for name in given.data},
        )
        instance.check()
        return instance


def _measured(problem: Problem, v: Point, other: Point) -> float:
    if problem.adapter.is_flat:
        return difference_ratio(problem, v, other).item()
    u = problem.adapter.tangent(v, other)
    return abs((inner(u, hessian_vector_product(problem, v, u)) / square_norm(u)).item())


_balls = np.vectorize(lambda x: arb(float(x)), otypes=[object])


def numbers_of(X: Tensor) -> Any:
    """A matrix of exact numbers with the floats of X as entries, for the formulas of adapters."""
    return _balls(X.cpu().numpy())


def with_arrays(adapter: Adapter, convert: Callable[[Tensor], Any]) -> Adapter:
    """A copy of the adapter with arrays of exact numbers instead of frozen tensors; its formulas
    accept both.
    """
    frozen = {name: X for name, X in vars(adapter).items() if isinstance(X, Tensor)}
    return with_frozen(adapter, {name: convert(X) for name, X in frozen.items()})


def ways(slope: PiecewiseLinear, w: arb) -> list[tuple[Any, arb]]:
    """Each piece but the first, and how much of it lies between its start and w."""
    pieces = slope.pieces[1:]
    found = []
    for piece, after in zip(pieces, [*pieces[1:], None], strict=True):
        start = ball_of(piece.start)
        way = w.max(start) - start
        found.append((piece, way if after is None else way.min(ball_of(after.start) - start)))
    return found


def slope_at(slope: PiecewiseLinear, w: arb) -> tuple[arb, arb]:
    """The values h'(w) and h''(w): exact rationals as balls; h'' is that of the piece, NaN where w
    may be at a knot.
    """
    knots = [ball_of(piece.start) for piece in slope.pieces[1:]]
    value = sum(
        (ball_of(piece.slope) * way for piece, way in ways(slope, w)),
        ball_of(slope.pieces[0].value),
    )
    if any(map(w.overlaps, knots)):
        return value, arb("nan")
    return value, ball_of(slope.pieces[sum(bool(w > knot) for knot in knots)].slope)


def is_spectral_norm_within(rows: np.ndarray, radius: Fraction) -> bool:
    """True if the spectral norm of a matrix of floats is at most a rational, decided exactly, ties
    included.
    """

    def rational(x: float | Fraction) -> fmpq:
        return fmpq(*Fraction(x).as_integer_ratio())

    rows = rows if rows.shape[0] <= rows.shape[1] else rows.T
    X = fmpq_mat([[rational(x) for x in row] for row in rows.tolist()])
    gap = -(X * X.transpose())
    for i in range(gap.nrows()):
        gap[i, i] += rational(radius) ** 2
    # The eigenvalues of a symmetric matrix are real. None is negative exactly if the signs of its
    # characteristic polynomial alternate.
    signed = gap.charpoly().coeffs()
    degree = len(signed) - 1
    return all((-1) ** (degree - i) * x >= 0 for i, x in enumerate(signed))


def is_exact(d: int, k: int, rank: int, points: int = 1) -> bool:
    """True if exact arithmetic at so many points takes seconds, and not minutes."""
    # Besides the products of the factors, there are a few more for each entry.
    return points * d * k * (rank + 16) <= _MOST_PRODUCTS


def check_rank(field: str, rank: int) -> None:
    """Refuse a rank beyond exact arithmetic, for matrices whose sides are one more."""
    if not is_exact(rank + 1, rank + 1, rank):
        most = next(x for x in count(1) if not is_exact(x + 2, x + 2, x + 1))
        raise InputError(field, rank, f"at most {most}, as far as exact arithmetic goes")


def check_extent(adapter: Adapter, points: int = 1) -> None:
    """Refuse matrices that are too large for exact arithmetic at so many points."""
    d, k = adapter.W0.shape
    if not is_exact(d, k, rank_of(adapter), points):
        at = f" at {points} points" if points > 1 else ""
        raise InputError(
            "adapter",
            f"{d} x {k} matrices of rank {rank_of(adapter)}{at}",
            f"smaller ones, of which exact arithmetic takes at most {_MOST_PRODUCTS} products",
        )


def check_lipschitz(lipschitz: str) -> None:
    """Refuse a meaning that C cannot have."""
    if lipschitz not in READINGS:
        raise InputError("lipschitz", lipschitz, one_of(lipschitz, READINGS))


def check_given(claim: Claim, given: Mapping[str, float], free: Collection[str]) -> None:
    """Refuse a value that follows from the instance or that the claim does not have, and a missing
    one of its own.
    """
    allowed = [p.name for p in claim.parameters if p.name in free or p in claim.own]
    for name, value in given.items():
        if name not in allowed:
            raise InputError(
                f"given.{name}",
                value,
                f"values of {' and '.join(allowed) or 'nothing'}, for {claim.id}",
            )
    missing = next((p.name for p in claim.own if p.name not in given), None)
    if missing is not None:
        raise InputError(
            f"given.{missing}", "(not given)", "a value, since the claim alone has this parameter"
        )


def roundings(adapter: Adapter) -> int:
    """An upper bound on the roundings in a sum over the entries of v and in products with W."""
    return 16 * (sum(math.prod(block.shape) for block in adapter.blocks) + sum(adapter.W0.shape))


def adapter_as_json(adapter: Adapter) -> Json:
    """Plain data, from which `read_adapter` makes the same adapter."""
    fields = type(adapter).__dataclass_fields__
    table = {"kind": adapter.kind, "W0": adapter.W0.tolist()}
    table |= {name: getattr(adapter, name).tolist() for name in adapter.frozen if name != "W0"}
    return table | {name: getattr(adapter, name) for name in ("rank", "scale") if name in fields}


def read_adapter(found: Fields) -> Adapter:
    """The adapter that `adapter_as_json` wrote."""
    kind = found.get("kind", str)
    made = ADAPTERS.open(kind)
    W0 = torch.as_tensor(found.matrix("W0"))
    factors = {name: torch.as_tensor(found.matrix(name)) for name in made.frozen if name != "W0"}
    rank = found.get("rank", StrictInt) if "rank" in made.__dataclass_fields__ else None
    scale = found.get("scale", Positive) if "scale" in made.__dataclass_fields__ else 1.0
    return make_adapter(kind, W0, rank, scale, factors)


def point_as_json(adapter: Adapter, v: Point) -> Json:
    """Plain data, from which `read_point` makes the same point."""
    return {block.name: part[0].tolist() for block, part in zip(adapter.blocks, v, strict=True)}


def read_point(found: Fields, adapter: Adapter) -> Point:
    """A point of an adapter, with R = 1, from its blocks by name."""
    return tuple(
        torch.as_tensor(found.matrix(block.name, block.shape)).unsqueeze(0)
        for block in adapter.blocks
    )


def rank_of(adapter: Adapter) -> int:
    """The rank of an adapter; the smaller side of W where the adapter has none."""
    return int(getattr(adapter, "rank", min(adapter.W0.shape)))
