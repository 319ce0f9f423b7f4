"""Strategies for what a claim is tried on: instances of a lemma, short runs of a theorem, letters of an inequality.

Each shrinks to few rows and columns, constants of 1 and numbers with few digits. In float32 all matrices but those with
orthonormal rows are floats of that type, so that what is computed in it starts from exact numbers.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import hypothesis.strategies as st
import numpy as np
import sympy as sp
import torch
from hypothesis import assume, reject
from hypothesis.strategies import DrawFn, SearchStrategy

from boundcheck.errors import InputError
from boundcheck.experiment.spec import about_its_own_step, adapters_of
from boundcheck.functions.adapters import ADAPTERS, Adapter, make_adapter
from boundcheck.functions.arithmetic import Point
from boundcheck.functions.judged import parts
from boundcheck.language.claim import Claim
from boundcheck.language.hypotheses import LEAST
from boundcheck.language.measures import SMOOTHNESS
from boundcheck.language.sentence import speaks_of_a_ball, words_of
from boundcheck.language.symbols import D, T, zeta
from boundcheck.language.vocabulary import FrobeniusNorm, SpectralNorm
from boundcheck.properties.matrix_strategies import (
    SEEDS,
    DType,
    ball,
    check_kind,
    check_size,
    choice,
    directions,
    domain_points,
    margin,
    matrices,
    rounded,
)
from boundcheck.worst_case.instance import AdapterInstance, check_lipschitz
from boundcheck.worst_case.relation import Assignment, Letters, given_relations
from boundcheck.worst_case.search import (
    CONSTANTS,
    Climber,
    adapter_of,
    frozen_shapes,
    own_constants,
    steepest_loss,
    structures,
)
from boundcheck.worst_case.short_run import ShortRun, check_theorem, free_of

# Far from 1 too, where an inequality that is not homogeneous breaks.
_SIZES = CONSTANTS | st.sampled_from([1e-3, 1e3, 1e-6])
_TINY = 1e-9


def _held(part: torch.Tensor, dtype: DType) -> torch.Tensor:
    """The part rounded to floats of `dtype`, held as float64."""
    return torch.as_tensor(rounded(part.numpy(), dtype).astype(np.float64))


def _inside(adapter: Adapter, v: Point, radii: Mapping[str, float], dtype: DType) -> Point:
    """The point in floats of `dtype`, moved inward by more than rounding may move it out."""
    moved = adapter.inward(v, radii, max(margin(block.shape, dtype) for block in adapter.blocks))
    # Rows that are orthonormal would not be so to single precision alone.
    return tuple(
        part if block.norm == "orthonormal" else _held(part, dtype)
        for block, part in zip(adapter.blocks, moved, strict=True)
    )


def _assume_allowed(*checks: Callable[[], object]) -> None:
    """Discard an example that a check refuses, such as constants that a condition of the claim excludes."""
    try:
        for check in checks:
            check()
    except InputError:
        reject()


def instances(
    claim: Claim,
    *,
    adapter: str | None = None,
    lipschitz: str = LEAST,
    largest: int = 8,
    dtype: DType = "float64",
) -> SearchStrategy[AdapterInstance]:
    """Instances of a claim about the smoothness of an adapter: a loss with one kink, and two points of the domain.

    The points are far apart, near, or where a few steps of the adversary's climb have brought them; the loss is the
    steepest there that L and G allow, or any. Ranks are up to `largest`, and sides to one more.

    Raises:
        InputError: for a claim that is not about an adapter's smoothness, and an adapter that it is not about.

    """
    check_kind("numpy", dtype)
    check_size("largest", largest)
    check_lipschitz(lipschitz)
    kind = adapter_of(claim, adapter)

    @st.composite
    def drawn(draw: DrawFn) -> AdapterInstance:
        s = draw(structures(kind, claim, largest, largest + 1))
        rounds = draw(choice((0, 0, 0, 4, 12)))
        if rounds:
            climber = Climber(s, 2, draw(SEEDS)).run(rounds)
            try:
                found = climber.best(claim, lipschitz)
            except InputError:
                # Constants that a condition of the claim excludes.
                reject()
            made, v, other = found.adapter, found.v, found.other
        else:
            # Frozen matrices of every spectrum, and of the norms that the structure says.
            frozen = {}
            for name, shape in frozen_shapes(kind, s.d, s.k, s.rank).items():
                norm = s.frozen[ADAPTERS[kind].frozen[name]]
                if name == "W0":
                    # Columns of one length: all along axes, or all the same.
                    axes = np.eye(s.d)[:, np.arange(s.k) % s.d]
                    X = norm * (axes if draw(st.booleans()) else np.ones(shape) / math.sqrt(s.d))
                else:
                    X = draw(matrices(shape, norm=norm))
                frozen[name] = torch.as_tensor(X)
            made = s.adapter(frozen)
            v = draw(domain_points(made, s.radii))
            if made.is_flat:
                away, share = draw(domain_points(made, s.radii)), draw(choice((1.0, 0.5, 2.0**-10)))
                other = tuple(x + share * (y - x) for x, y in zip(v, away, strict=True))
            else:
                other = draw(directions(made))
        v = _inside(made, v, s.radii, dtype)
        if made.is_flat:
            other = _inside(made, other, s.radii, dtype)
            step = tuple(y - x for x, y in zip(v, other, strict=True))
        else:
            step = other = tuple(_held(part, dtype) for part in other)
        assume(any(part.abs().max() > 0 for part in made.tangent(v, step)))
        if draw(st.booleans()):
            E, N = steepest_loss(made, v, made.unit(v, step), s.spectral)
        else:
            E, N = (draw(ball((s.d, s.k), 1.0)) for _ in range(2))
            # Within either norm.
            E, N = (X / max(float(np.linalg.norm(X)), 1.0) for X in (E, N))
        E, N = (_held(torch.as_tensor(X), dtype).numpy() for X in (E, N))
        assume(float(np.linalg.norm(E)) > _TINY)
        # E of Frobenius norm at most 1 in float32 too: f is L|E|² smooth, and L is the smoothness that f has.
        instance = AdapterInstance.around(claim, made, s.radii, lipschitz, s.L, s.G, E, N, v, other, s.given)
        instance = replace(instance, tilt=_held(torch.as_tensor(instance.tilt), dtype).numpy())
        _assume_allowed(instance.check, lambda: claim.check(instance.inputs))
        return instance

    return drawn()


def short_runs(
    claim: Claim, *, adapter: str | None = None, lipschitz: str = LEAST, dtype: DType = "float64"
) -> SearchStrategy[ShortRun]:
    """Runs of one to four iterations that a theorem speaks of: T is long enough, and no path leaves the domain.

    W is up to 3 x 3. The loss is a Huber function of <E, W>, at the start on its slope, its parabola or near its kink;
    the noise is as large as the claim asks of a run of T iterations, or larger. D and zeta are what they are on the
    run, not more.

    Raises:
        InputError: for a claim that is not a theorem, and an adapter that it is not about.

    """
    check_kind("numpy", dtype)
    check_lipschitz(lipschitz)
    check_theorem(claim)
    kinds = adapters_of(claim)
    if adapter is not None and adapter not in kinds:
        raise InputError("adapter", adapter, f"one of {', '.join(kinds)}")
    kinds = (adapter,) if adapter else kinds
    free = free_of(claim) & {p.name for p in claim.parameters}
    strong = any(word and word.worst and word.worst.strong for _, word in words_of(claim))

    @st.composite
    def drawn(draw: DrawFn) -> ShortRun:
        kind = draw(st.sampled_from(kinds))
        # A function of one number alone is strongly convex.
        d, k = (1, 1) if strong else (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
        rank = draw(st.integers(1, min(d, k, 2)))
        scale = draw(choice((1.0, 0.5, 2.0)))
        factors = {
            name: torch.as_tensor(draw(matrices(shape, norm=1.0, dtype=dtype)).astype(np.float64))
            for name, shape in frozen_shapes(kind, d, k, rank).items()
        }
        made = make_adapter(kind, torch.zeros(d, k, dtype=torch.float64), rank, scale, factors)
        sizes = dict.fromkeys(made.radius_names, draw(choice((1.0, 4.0, 0.5))))
        share = draw(choice((0.5, 0.75, 0.9)))
        start = tuple(share * part for part in _inside(made, draw(domain_points(made, sizes)), sizes, dtype))
        v = tuple(_held(part, dtype) for part in start)
        # E of Frobenius norm 1: the direction in which W moves when v grows, or any.
        change = made.weight(tuple(2 * part for part in v))[0] - made.weight(v)[0]
        E: np.ndarray = change.numpy() if draw(st.booleans()) else draw(matrices((d, k)))
        length = float(np.linalg.norm(E))
        assume(length > _TINY)
        E = _held(torch.as_tensor(E / length), dtype).numpy()
        L, G = draw(CONSTANTS), draw(CONSTANTS) / 16
        w = float((torch.as_tensor(E) * made.weight(v)[0]).sum())
        zero = w - draw(choice((0.9, 0.5) if strong else (1.0, 0.5, 2.0, -1.0))) * G / L
        knots = np.array([[zero - G / L, -G], [zero + G / L, G]])
        assume(knots[0, 0] < knots[1, 0])
        steps = draw(st.integers(1, 4))
        given = draw(own_constants(claim)) | {name: draw(CONSTANTS) for name in sorted(free)}
        radii = sizes if made.needs_ball and speaks_of_a_ball(claim) else {}
        run = ShortRun(claim, made, radii, lipschitz, knots, E, 0.0, v, steps, given)
        # A function that does not move with v has no minimiser.
        _assume_allowed(lambda: run.inputs)

        # Free constants that the conditions allow: a share of the most, or a multiple of the least.
        found = {symbol.name: float(x) for symbol, x in run.algorithm.starting if symbol.name in free}
        known = {p.name: 1.0 for p in claim.parameters} | {name: float(x) for name, x in run.inputs.items()} | found
        limited = {str(c.lhs): c for c in claim.conditions if str(c.lhs) in free and str(c.rhs) in claim.names}
        for name, condition in limited.items():
            limit = float(claim.function(str(condition.rhs))(**known))
            assume(0 < limit < math.inf)
            shares = (0.5, 0.25, 0.75, 0.95) if condition.rel_op in ("<", "<=") else (1 + 1e-9, 2.0, 10.0)
            found[name] = limit * draw(choice(shares))
        run = replace(run, given=given | found)
        if run.algorithm.is_stochastic:
            run = replace(run, offset=_noise(run, draw(choice((0.499, 0.2, 0.05)))))
        _assume_allowed(run.check)
        assume(run.stays)
        return run

    return drawn()


@cache
def _share() -> Callable[..., float]:
    """The step that a theorem prescribes, in units of 1/L̂, as a function of L̂, D, T and zeta."""
    theorem, algorithm = about_its_own_step()
    step = next(q.expression for q in theorem.quantities if q.name == algorithm.step_size)
    found: Callable[..., float] = sp.lambdify((SMOOTHNESS.symbol, D, T, zeta), SMOOTHNESS.symbol * step, "math")
    return found


def _noise(quiet: ShortRun, ratio: float) -> float:
    """The noise c at which the step that a theorem prescribes is this share of 1/L̂, with the zeta that c gives."""
    radii = quiet.radii or quiet.start_norms
    known = {p.name: 1.0 for p in quiet.claim.parameters} | {name: float(x) for name, x in quiet.inputs.items() if x}
    smoothness = float(quiet.claim.function(SMOOTHNESS.symbol.name)(**known))
    # It is inversely proportional to zeta.
    noise = _share()(smoothness, max(quiet.gap_bound, 0.0), quiet.steps, 1.0) / ratio
    width = quiet.adapter.jacobian_bound(radii) * float(np.linalg.norm(quiet.direction))
    assume(0 < noise < math.inf and 0 < width < math.inf)
    return noise / width


def assignments(claim: Claim, *, largest: int = 8, dtype: DType = "float64") -> SearchStrategy[Assignment]:
    """Values for the letters of a claim about matrices and numbers: sides up to `largest`, matrices of every spectrum.

    A matrix whose Frobenius or spectral norm a hypothesis bounds is drawn within that bound; what breaks any other
    hypothesis is left out. Positive symbols are numbers from 1/16 to 16, or 1e-6, 1e-3 or 1e3, and integers up to
    `largest`.

    Raises:
        InputError: for a claim that speaks of more than matrices and numbers.

    """
    check_kind("numpy", dtype)
    check_size("largest", largest)
    letters = Letters.of(claim)
    # The norm that a hypothesis bounds, and the bound, for each matrix; only for bounds without a matrix in them.
    bounds: dict[Any, tuple[Any, Any]] = {}
    for left, right, _ in (part for each in given_relations(claim) for part in parts(each)):
        if isinstance(left, FrobeniusNorm | SpectralNorm) and not right.atoms(sp.MatrixSymbol):
            X = left.args[0].arg if isinstance(left.args[0], sp.Transpose) else left.args[0]
            if isinstance(X, sp.MatrixSymbol):
                bounds[X] = (type(left), right)

    @st.composite
    def drawn(draw: DrawFn) -> Assignment:
        # Each side by itself, or all equal to `largest` or to twice that.
        common = draw(st.sampled_from([0, 0, 0, largest, largest, 2 * largest]))
        numbers = {x.name: float(common or draw(st.integers(1, largest))) for x in letters.sides}
        numbers |= {x.name: draw(_number(x, largest)) for x in letters.numbers}
        values: dict[Any, Any] = {x: numbers[x.name] for x in (*letters.numbers, *letters.sides)}
        found: dict[str, np.ndarray] = {}
        for X in letters.matrices:
            rows, columns = shape = tuple(int(sp.sympify(side, strict=True).subs(values)) for side in X.shape)
            # Of a shape such as (n - 1, k).
            assume(min(shape) >= 1)
            if X in bounds:
                norm, limit = bounds[X]
                radius = float(sp.N(limit.subs(values)))
                assume(radius > _TINY)
                part = draw(ball((rows, columns), radius, dtype=dtype))
                if norm is FrobeniusNorm:
                    part = rounded(part * (1 - 1e-6) / max(float(np.linalg.norm(part)) / radius, 1.0), dtype)
            elif (alike := [Z for Y in found.values() for Z in (Y, Y.T) if Y.any() and Z.shape == shape]) and draw(
                st.integers(0, 3)
            ) == 3:
                # An earlier one, its negative, or one whose range is at right angles to its own where there is room.
                earlier = draw(st.sampled_from(alike))
                part = draw(st.sampled_from([earlier, -earlier, earlier[::-1, ::-1]]))
            else:
                # Of any spectrum; rarely 0, which says little.
                size = draw(st.sampled_from([*range(8)]).map(float) | _SIZES)
                part = draw(matrices((rows, columns), norm=size or None, rank=None if size else 0, dtype=dtype))
            found[X.name] = part
        # Smaller ones too, where what is given is small.
        scaled = (
            Assignment(claim, {name: size * X.astype(np.float64) for name, X in found.items()}, numbers)
            for size in (1.0, 2.0**-10, 2.0**-20)
        )
        made = next((each for each in scaled if each.is_inside()), None)
        return reject() if made is None else made

    return drawn()


def _number(x: sp.Symbol, largest: int) -> SearchStrategy[float]:
    if x.is_integer:
        return st.integers(1 if x.is_positive else 0 if x.is_nonnegative else -largest, largest)
    if x.is_positive:
        return _SIZES
    return st.just(0.0) | _SIZES if x.is_nonnegative else st.just(0.0) | _SIZES | _SIZES.map(lambda y: -y)
