"""Strategies for problems F(v) = f(W(v)), their domains and short runs of SGD on them, and for the
inputs of claims.

All are small, float64 and on the CPU. Data and frozen matrices are drawn, and shrink, as
`matrix_strategies` says. An input of a claim is a value for each symbol, in its domain, with the
conditions met, some barely.

What a claim is tried on: instances of a lemma, short runs of a theorem, letters of an inequality.
Each shrinks to few rows and columns, constants of 1 and numbers with few digits.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import hypothesis.strategies as st
import numpy as np
import sympy as sp
import torch
from hypothesis import assume, reject
from hypothesis.strategies import DrawFn, SearchStrategy
from torch import Tensor

from boundcheck.errors import InputError, check_count, one_of
from boundcheck.experiment.spec import about_its_own_step, adapters_of
from boundcheck.functions.adapters import ADAPTERS, Adapter, make_adapter
from boundcheck.functions.arithmetic import Point
from boundcheck.functions.judged import parts
from boundcheck.functions.objective import Objective
from boundcheck.functions.objectives.clipped import Clipped
from boundcheck.functions.objectives.linear import SoftmaxRegression
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber
from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.functions.problem import Problem
from boundcheck.language.claim import Claim
from boundcheck.language.hypotheses import LEAST
from boundcheck.language.measures import SMOOTHNESS
from boundcheck.language.sentence import speaks_of_a_ball, words_of
from boundcheck.language.symbols import D, T, zeta
from boundcheck.language.vocabulary import FrobeniusNorm, SpectralNorm
from boundcheck.properties.matrix_strategies import (
    SEEDS,
    Shape,
    ball,
    check_shape,
    choice,
    directions,
    domain_points,
    kept,
    margin,
    matrices,
    shapes,
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

SCALES = st.sampled_from([1.0, 0.25, 2.0])
"""Scales s of an adapter."""
# Rows and columns of W, at most, where they are not given.
_LARGEST = 5


# Objectives.


def fractions(least: Fraction | int, most: Fraction | int) -> SearchStrategy[Fraction]:
    """Fractions, some of them exact as floats."""
    return st.fractions(least, most, max_denominator=16)


@st.composite
def slopes(draw: DrawFn) -> PiecewiseLinear:
    """Any f' of an f with a minimum: one knot or several from -4 to 4, steep or flat, f convex or
    not. Shrinks to 0.
    """
    positions = sorted(draw(st.lists(fractions(-4, 4), min_size=1, max_size=5, unique=True)))
    values = [draw(fractions(-4, 4)) for _ in positions]
    values[0], values[-1] = -abs(values[0]), abs(values[-1])
    if len(values) == 1:
        values = [Fraction(0)]
    return PiecewiseLinear(tuple(zip(positions, values, strict=True)))


@st.composite
def offsets(draw: DrawFn) -> tuple[Fraction, ...]:
    """One to three offsets of a sample's derivative from the mean, whose sum is 0. Shrinks to the
    one offset 0.
    """
    first = draw(st.lists(fractions(-2, 2), max_size=2))
    return (*first, -sum(first, Fraction(0)))


@kept
def _data(shape: Shape) -> SearchStrategy[np.ndarray]:
    """Data that may be rank-deficient, ill-conditioned or zero, small or large."""
    return st.sampled_from([1.0, 0.1, 30.0]).flatmap(lambda norm: ball(shape, norm))


def _shapes(shape: Shape | None) -> SearchStrategy[Shape]:
    """The given shape or any; raises InputError for a malformed one."""
    if shape is None:
        return shapes(_LARGEST)
    check_shape(shape)
    return st.just(shape)


@st.composite
def clipped_problems(draw: DrawFn, shape: Shape | None = None) -> Clipped:
    """`Clipped` losses along a direction of any rank but 0: f' from `slopes`, one to three samples
    from `offsets`.

    W has shape (d, k), each up to 5 where it is not given. At slope 0 the loss is constant, and L
    and G are 0. A malformed shape is an InputError when an example is drawn.
    """
    direction = draw(_data(draw(_shapes(shape))))
    if not direction.any():
        # In place of a filter, which the simplest example would not pass.
        direction = np.zeros_like(direction)
        direction[0, 0] = 1
    return Clipped(draw(slopes()), draw(offsets()), direction=direction)


@st.composite
def pseudo_huber_problems(draw: DrawFn, shape: Shape | None = None) -> PseudoHuber:
    """Pseudo-Huber regressions from nearly quadratic to nearly absolute: targets M + N_i, each of
    any spectrum.

    W has shape (d, k), each up to 5 where it is not given; there are up to 6 targets, and none need
    be noisy. A malformed shape is an InputError when an example is drawn.
    """
    size = draw(_shapes(shape))
    delta, signal, noise = (draw(choice((1.0, 0.1, 10.0))) for _ in range(3))
    mean = draw(ball(size, signal))
    targets = [mean + draw(ball(size, noise)) for _ in range(draw(st.integers(1, 6)))]
    return PseudoHuber(np.stack(targets), delta)


@st.composite
def softmax_problems(draw: DrawFn, shape: Shape | None = None) -> SoftmaxRegression:
    """Softmax regressions; the data may be rank-deficient, ill-conditioned or zero, and L and G are
    0 then.

    W has shape (classes, k), each up to 5 where it is not given; there are up to 6 samples. A
    malformed shape is an InputError when an example is drawn.
    """
    classes, k = draw(_shapes(shape))
    rest = draw(st.lists(st.integers(0, classes - 1), max_size=5))
    # The largest label says how many classes there are.
    labels = np.array([classes - 1, *rest])
    return SoftmaxRegression("small", draw(_data((len(labels), k))), labels)


def objectives() -> SearchStrategy[Objective]:
    """Small objectives with a bounded gradient: `clipped_problems`, `pseudo_huber_problems` or
    `softmax_problems`.
    """
    return st.one_of(clipped_problems(), pseudo_huber_problems(), softmax_problems())


# Adapters, problems and runs.


@kept
def _frozen(shape: Shape) -> SearchStrategy[Any]:
    return st.sampled_from([0.5, 2.0]).flatmap(lambda norm: ball(shape, norm, library="torch"))


def adapters(
    kind: str, shape: Shape | None = None, *, rank: int | None = None, most: int = 4
) -> SearchStrategy[Adapter]:
    """Adapters of a kind around a W0, float64, with a scale of 1/4, 1 or 2 where the kind has one.

    W0 has spectral norm up to 1, but for DoRA, whose columns must not be near 0: 2 more in each
    entry. Frozen factors have spectral norm up to 1/2 or 2, and any spectrum. Shrinks to W0 = 0,
    rank 1 and scale 1.

    Args:
        kind: one of the names in `boundcheck.functions.adapters.ADAPTERS`.
        shape: (d, k), of W; where it is not given, the sides differ by up to 3.
        rank: r, up to the least side of a given shape; left out, from 1 to `most`.
        most: the largest rank that is drawn.

    Raises:
        InputError: for any other value.

    """
    if kind not in ADAPTERS:
        raise InputError("kind", kind, one_of(kind, ADAPTERS))
    if shape is not None:
        check_shape(shape)
    check_count("most", most)
    if rank is not None:
        check_count("rank", rank)
        if shape is not None and rank > min(shape):
            raise InputError("rank", rank, f"at most min(d, k) = {min(shape)}")

    @st.composite
    def drawn(draw: DrawFn) -> Adapter:
        size = shape
        if size is None:
            least = draw(st.integers(1, most)) if rank is None else rank
            size = least + draw(st.integers(0, 3)), least + draw(st.integers(0, 3))
        d, k = size
        scale = draw(SCALES)
        r = draw(st.integers(1, min(d, k, most))) if rank is None else rank
        W0 = draw(ball(size, 1.0, library="torch"))
        sides = {"A": (r, k), "B": (d, r)}
        # W0 is frozen in all of them.
        frozen: dict[str, Tensor] = {
            name: draw(_frozen(sides[name])) for name in ADAPTERS[kind].frozen if name in sides
        }
        return make_adapter(kind, W0 + 2 if "W0" in ADAPTERS[kind].frozen else W0, r, scale, frozen)

    return drawn()


@st.composite
def problems(draw: DrawFn, kind: str = "lora") -> Problem:
    """Small problems of `objectives` in `adapters` of that kind, of every rank that the shape of W
    allows.
    """
    objective = draw(objectives())
    return Problem(objective, draw(adapters(kind, objective.shape, most=_LARGEST)))


# What a claim is tried on.

# Far from 1 too, where an inequality that is not homogeneous breaks.
_SIZES = CONSTANTS | st.sampled_from([1e-3, 1e3, 1e-6])
_TINY = 1e-9


def _inside(adapter: Adapter, v: Point, radii: Mapping[str, float]) -> Point:
    """The point moved inward by more than rounding may move it out."""
    return adapter.inward(v, radii, max(margin(block.shape) for block in adapter.blocks))


def _assume_allowed(*checks: Callable[[], object]) -> None:
    """Discard an example that a check refuses, such as constants that a condition of the claim
    excludes.
    """
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
) -> SearchStrategy[AdapterInstance]:
    """Instances of a claim about the smoothness of an adapter: a loss with one kink, and two points
    of the domain.

    The points are far apart, near, or where a few steps of the adversary's climb have brought them;
    the loss is the steepest there that L and G allow, or any. Ranks are up to `largest`, and sides
    to one more. Raises InputError for a claim that is not about an adapter's smoothness, and an
    adapter that it is not about.
    """
    check_count("largest", largest)
    check_lipschitz(lipschitz)
    kind = adapter_of(claim, adapter)

    @st.composite
    def drawn(draw: DrawFn) -> AdapterInstance:
        s = draw(structures(kind, claim, largest))
        rounds = draw(choice((0, 0, 0, 4, 12)))
        if rounds:
            climber = Climber(s, 2, draw(SEEDS)).run(rounds)
            try:
                found = climber.best(claim, lipschitz)
            except InputError:
                # Constants that a condition of the claim excludes.
                reject()
            made = found.adapter
            v = found.v
            other = found.other
        else:
            # Frozen matrices of every spectrum, and of the norms that the structure says.
            frozen = {}
            for name, shape in frozen_shapes(kind, s.d, s.k, s.rank).items():
                norm = s.norm_of(name)
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
                away = draw(domain_points(made, s.radii))
                share = draw(choice((1.0, 0.5, 2.0**-10)))
                other = tuple(x + share * (y - x) for x, y in zip(v, away, strict=True))
            else:
                other = draw(directions(made))
        v = _inside(made, v, s.radii)
        if made.is_flat:
            other = _inside(made, other, s.radii)
            step = tuple(y - x for x, y in zip(v, other, strict=True))
        else:
            step = other
        assume(any(part.abs().max() > 0 for part in made.tangent(v, step)))
        if draw(st.booleans()):
            E, N = steepest_loss(made, v, made.unit(v, step), s.spectral)
        else:
            E, N = (draw(ball((s.d, s.k), 1.0)) for _ in range(2))
            # Within either norm.
            E, N = (X / max(float(np.linalg.norm(X)), 1.0) for X in (E, N))
        assume(float(np.linalg.norm(E)) > _TINY)
        instance = AdapterInstance.around(claim, made, s.constants, lipschitz, E, N, v, other)
        _assume_allowed(instance.check, lambda: claim.check(instance.inputs))
        return instance

    return drawn()


def short_runs(
    claim: Claim, *, adapter: str | None = None, lipschitz: str = LEAST
) -> SearchStrategy[ShortRun]:
    """Runs of one to four iterations that a theorem speaks of: T is long enough, and no path leaves
    the domain.

    W is up to 3 x 3. The loss is a Huber function of <E, W>, at the start on its slope, its
    parabola or near its kink; the noise is as large as the claim asks of a run of T iterations, or
    larger. D and zeta are what they are on the run, not more. Raises InputError for a claim that is
    not a theorem, and an adapter that it is not about.
    """
    check_lipschitz(lipschitz)
    check_theorem(claim)
    kinds = adapters_of(claim)
    if adapter is not None and adapter not in kinds:
        raise InputError("adapter", adapter, one_of(adapter, kinds))
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
            name: torch.as_tensor(draw(matrices(shape, norm=1.0)))
            for name, shape in frozen_shapes(kind, d, k, rank).items()
        }
        made = make_adapter(kind, torch.zeros(d, k, dtype=torch.float64), rank, scale, factors)
        sizes = dict.fromkeys(made.radius_names, draw(choice((1.0, 4.0, 0.5))))
        share = draw(choice((0.5, 0.75, 0.9)))
        v = tuple(share * part for part in _inside(made, draw(domain_points(made, sizes)), sizes))
        # E of Frobenius norm 1: the direction in which W moves when v grows, or any.
        change = made.weight(tuple(2 * part for part in v))[0] - made.weight(v)[0]
        E: np.ndarray = change.numpy() if draw(st.booleans()) else draw(matrices((d, k)))
        length = float(np.linalg.norm(E))
        assume(length > _TINY)
        E = E / length
        L = draw(CONSTANTS)
        G = draw(CONSTANTS) / 16
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
        found = {
            symbol.name: float(x) for symbol, x in run.algorithm.starting if symbol.name in free
        }
        known = (
            {p.name: 1.0 for p in claim.parameters}
            | {name: float(x) for name, x in run.inputs.items()}
            | found
        )
        limited = {
            str(c.lhs): c
            for c in claim.conditions
            if str(c.lhs) in free and str(c.rhs) in claim.names
        }
        for name, condition in limited.items():
            limit = float(claim.function(str(condition.rhs))(**known))
            assume(0 < limit < math.inf)
            shares = (
                (0.5, 0.25, 0.75, 0.95)
                if condition.rel_op in ("<", "<=")
                else (1 + 1e-9, 2.0, 10.0)
            )
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
    return sp.lambdify((SMOOTHNESS.symbol, D, T, zeta), SMOOTHNESS.symbol * step, "math")


def _noise(quiet: ShortRun, ratio: float) -> float:
    """The noise c at which the step that a theorem prescribes is this share of 1/L̂, with the zeta
    that c gives.
    """
    radii = quiet.radii or quiet.start_norms
    known = {p.name: 1.0 for p in quiet.claim.parameters} | {
        name: float(x) for name, x in quiet.inputs.items() if x
    }
    smoothness = float(quiet.claim.function(SMOOTHNESS.symbol.name)(**known))
    # It is inversely proportional to zeta.
    noise = _share()(smoothness, max(quiet.gap_bound, 0.0), quiet.steps, 1.0) / ratio
    width = quiet.adapter.jacobian_bound(radii) * float(np.linalg.norm(quiet.direction))
    assume(0 < noise < math.inf and 0 < width < math.inf)
    return noise / width


def assignments(claim: Claim, *, largest: int = 8) -> SearchStrategy[Assignment]:
    """Values for the letters of a claim about matrices and numbers: sides up to `largest`, matrices
    of every spectrum.

    A matrix whose Frobenius or spectral norm a hypothesis bounds is drawn within that bound; what
    breaks any other hypothesis is left out. Positive symbols are numbers from 1/16 to 16, or 1e-6,
    1e-3 or 1e3, and integers up to `largest`. Raises InputError for a claim that speaks of more
    than matrices and numbers.
    """
    check_count("largest", largest)
    letters = Letters.of(claim)
    # The norm that a hypothesis bounds, and the bound, for each matrix; only for bounds without a
    # matrix in them.
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
            rows, columns = shape = tuple(
                int(sp.sympify(side, strict=True).subs(values)) for side in X.shape
            )
            # Of a shape such as (n - 1, k).
            assume(min(shape) >= 1)
            if X in bounds:
                norm, limit = bounds[X]
                radius = float(sp.N(limit.subs(values)))
                assume(radius > _TINY)
                part = draw(ball((rows, columns), radius))
                if norm is FrobeniusNorm:
                    part = part * (1 - 1e-6) / max(float(np.linalg.norm(part)) / radius, 1.0)
            elif (
                alike := [
                    Z for Y in found.values() for Z in (Y, Y.T) if Y.any() and Z.shape == shape
                ]
            ) and draw(st.integers(0, 3)) == 3:
                # An earlier one, its negative, or one whose range is at right angles to its own
                # where there is room.
                earlier = draw(st.sampled_from(alike))
                part = draw(st.sampled_from([earlier, -earlier, earlier[::-1, ::-1]]))
            else:
                # Of any spectrum; rarely 0, which says little.
                size = draw(st.sampled_from([*range(8)]).map(float) | _SIZES)
                part = draw(matrices((rows, columns), norm=size or None, rank=None if size else 0))
            found[X.name] = part
        # Smaller ones too, where what is given is small.
        scaled = (
            Assignment(claim, {name: size * X for name, X in found.items()}, numbers)
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
    return (
        st.just(0.0) | _SIZES
        if x.is_nonnegative
        else st.just(0.0) | _SIZES | _SIZES.map(lambda y: -y)
    )
