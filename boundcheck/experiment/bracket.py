"""The bracket of a smoothness constant: observed lower estimates <= true constant <= proved upper
bounds.

Each end says how it was had. A sampled Lipschitz ratio is a lower estimate and never stands in for
the constant.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile
from typing import Any

import numpy as np
import torch
import xarray as xr
from flint import arb
from torch import Tensor

from boundcheck.exact.balls import lower, upper
from boundcheck.exact.digits import DOWN, UP, rounded, shown, telling
from boundcheck.experiment.plan import Experiment, stream
from boundcheck.experiment.result import Blame, BracketResult
from boundcheck.experiment.spec import ITERATING, Spec
from boundcheck.experiment.waterfall import has_chains, slack
from boundcheck.functions.adapters import Adapter, Radii
from boundcheck.functions.arithmetic import (
    Point,
    euclidean_norm,
    joined,
    replica,
    replicate,
    square_norm,
)
from boundcheck.functions.judged import OfAdapter
from boundcheck.functions.problem import (
    Problem,
    bilinear_product,
    block_norms,
    curved,
    derivative,
    gauss_newton_product,
    hessian_vector_product,
    leaves,
    sure_difference_ratio,
    top_curvature,
)
from boundcheck.functions.sgd import draw_batch, sgd_step
from boundcheck.language.claim import Claim
from boundcheck.language.evidence import HOLDS, Answer, Extent
from boundcheck.language.hypotheses import BOUNDED_GRADIENT, SMOOTH_IN_W
from boundcheck.language.judge import meets
from boundcheck.language.measures import SMOOTHNESS
from boundcheck.language.sentence import has_common_radius
from boundcheck.language.symbols import Number
from boundcheck.system.limits import Tick
from boundcheck.verdicts import Verdict

Pair = tuple[Point, Point]

_AT_ONCE = 128
_BATCH = 32
# Relative rounding error allowed to a ratio of float64 differences before it counts against a
# bound.
_ROUNDING = 1e-9
# How far the second point of a pair is from where an ascent ended.
_SHORT = 1e-4
# Of an ascent: products H(v)u for each step of v, since the direction need only keep up with the
# point, and its steps.
_TURNS = 2
_FIRST_STEP = 0.5
_GROW = 1.5
_SHRINK = 0.4
# The parts of F's curvature: of f, and of the map W(v). A whole matrix is formed, of at most so
# many trained numbers.
_PARTS = {"gauss-newton": gauss_newton_product, "bilinear": bilinear_product}
_LARGEST = 320


def measure_bracket(
    experiment: Experiment, tick: Tick, **common: Any
) -> tuple[BracketResult, xr.Dataset]:
    """Bracket the smoothness constant on the domain of the spec's radii, and return every value
    that was seen, too.

    Lower estimates are of four kinds: ``pairs``, ``iterates``, ``curvature``, ``ascent``. The
    verdict is ``supported`` while none exceeds the spec's claim, and ``violated`` otherwise;
    ``inconclusive`` where the claim was given a constant that is only estimated, or has a
    hypothesis that the judge does not decide there; ``hypothesis-failed`` where f itself breaks one
    at the steepest points. ``common`` are the fields of the result that follow from the spec.
    """
    spec = experiment.spec
    problem = experiment.problem
    ball = claimed(experiment)
    random = experiment.random("bracket")
    domain = _Domain(spec, problem)
    settings = spec.bracket
    adapter = problem.adapter
    radii = domain.radii
    pairs, steepest = _pair_ratios(experiment, radii, random, tick)
    ends = problem.upper_ends(radii)
    ratios, visited = _iterate_ratios(
        experiment, radii, 1 / min(end.value for end in ends), random, tick
    )

    # Top curvatures at the steepest pairs and, for half of the points, along the iterates.
    along = np.linspace(0, len(visited) - 1, settings.points // 2).astype(int) if visited else ()
    points = [visited[i] for i in along]
    points += [pair[0] for pair in steepest][: settings.points - len(points)]
    lanczos = np.random.default_rng(stream(spec, "bracket"))
    found = []
    for number, point in enumerate(points, start=1):
        found.append(top_curvature(problem, point, lanczos))
        tick("curvature", number, len(points))

    # Projected ascent from the steepest pairs, whose best end is sharpened by Lanczos.
    starts = [pair[0] for pair in steepest[: settings.ascents]]
    u = adapter.draw(radii, len(starts), random)
    climb = ascend(problem, joined(starts), u, radii, settings.rounds, tick)
    climbed = climb.lengths.cpu().numpy()
    best = int(np.nanargmax(climbed))
    lanczos = np.random.default_rng(stream(spec, "bracket"))
    sharpened = top_curvature(problem, replica(climb.v, best), lanczos)
    climbed[best] = max(climbed[best], sharpened)
    beside = adapter.retract(climb.v, tuple(_SHORT * part for part in climb.u))

    seen = {
        "pairs": ("pair_ratio", "pair", pairs, "Lipschitz ratio of a sampled pair"),
        "iterates": (
            "iterate_ratio",
            ("step", "replica"),
            ratios,
            "Lipschitz ratio of consecutive iterates",
        ),
        "curvature": (
            "curvature",
            "point",
            np.array(found),
            "largest absolute eigenvalue of the Hessian of F",
        ),
        "ascent": ("ascent", "start", climbed, "the same, where projected ascent ended"),
    }
    lowers = {
        kind: float(np.nanmax(x)) for kind, (_, _, x, _) in seen.items() if np.isfinite(x).any()
    }
    verdict, reason, blame = _judged(
        domain, max(lowers.values()), ball, [*steepest, (climb.v, beside)]
    )
    if verdict.is_decided and (objection := meets(domain, spec.said).objection):
        verdict = Verdict.INCONCLUSIVE
        reason = f"the claim may say nothing about it: {objection}"
        blame = None
    chains = slack(problem, *steepest[0], radii, spec.lipschitz) if has_chains(adapter) else []
    result = BracketResult(
        **common,
        # The claim about the adapter is what is tested.
        verdict=verdict.resting_on(problem.objective.given),
        reason=reason,
        blame=blame,
        measured=max(lowers.values()),
        bound=upper(ball),
        radii=radii,
        lower={**lowers},
        upper=tuple(ends),
        # Where the steepest pair has one gradient there is nothing to give away.
        slack=tuple(chain for chain in chains if chain.measured > 0),
    )
    trace = xr.Dataset(
        {
            name: (dims, x, {"meaning": meaning})
            for name, dims, x, meaning in seen.values()
            if x.size
        }
    )
    return result, trace.merge(split_along(problem, visited, settings.looks, tick))


@dataclass(frozen=True)
class _Domain(OfAdapter):
    """Any two points of the domain, with the constants of the spec's claim there."""

    spec: Spec
    function: Problem

    # What follows from the spec and its function: mypy knows a field of a base class as one that
    # may be set.
    @property
    def claim(self) -> Claim:  # type: ignore[override]
        return self.spec.said

    @property
    def adapter(self) -> Adapter:  # type: ignore[override]
        return self.function.adapter

    @property
    def problem(self) -> Problem:
        return self.function

    @property
    def radii(self) -> dict[str, float]:  # type: ignore[override]
        radii = self.spec.domain.given
        return dict.fromkeys(radii, max(radii.values())) if has_common_radius(self.claim) else radii

    @property
    def inputs(self) -> dict[str, Number]:
        return self.function.theory_inputs(self.claim, self.radii, self.spec.lipschitz)

    def reached(self, radius: str) -> Extent:
        return Extent(most=Fraction(self.radii[radius]))

    def on_domain(self) -> Answer:
        return HOLDS


def claimed(experiment: Experiment) -> arb:
    """An enclosure of the spec's claim at its domain; raises InputError where it says nothing of
    this domain.
    """
    domain = _Domain(experiment.spec, experiment.problem)
    return domain.claim.enclosures(**domain.inputs)[SMOOTHNESS.letter]


def _judged(
    domain: _Domain, best: float, ball: arb, pairs: list[Pair]
) -> tuple[Verdict, str, Blame | None]:
    """The verdict, reason and blame, from the best lower estimate, the claim, and what f showed at
    these pairs.
    """
    spec = domain.spec
    problem = domain.problem
    # The least that L and G can be: the largest gradient ratio and gradient of f there, less
    # rounding errors.
    f = problem.objective
    ratio = 0.0
    slope = 0.0
    for pair in pairs:
        W, other = (problem.adapter.weight(point) for point in pair)
        gradients = [f.gradient(X) for X in (W, other)]
        errors = [f.rounding(X, f.loss(X))[1] for X in (W, other)]
        apart, moved = (torch.linalg.matrix_norm(x - y) for x, y in ((W, other), gradients))
        ratio = max(ratio, ((moved - sum(errors)) / apart.where(apart > 0, torch.inf)).max().item())
        slope = max(slope, (torch.linalg.matrix_norm(gradients[0]) - errors[0]).max().item())
    own = (
        (SMOOTH_IN_W, f.smoothness, ratio),
        (BOUNDED_GRADIENT, problem.gradient_bound(domain.radii), slope),
    )
    if estimated := [word.letter for word, said, _ in own if said.kind == "estimated"]:
        reason = f"{' and '.join(estimated)} are estimated, so that the upper ends are no bounds"
        return Verdict.INCONCLUSIVE, reason, None
    taken = {p.name for p in spec.said.parameters}
    for word, said, least in own:
        if word.letter in taken and least * (1 - _ROUNDING) > said.value:
            digits = telling(said.value, (least, DOWN), digits=6)
            limit = shown(said.value, digits, UP)
            seen = shown(least, digits, DOWN)
            reason = f"f itself breaks {word.letter} = {limit}, where {seen} was seen"
            blame = Blame("constant", word.letter, f"{reason}; it is {said.kind}: {said.how}")
            return Verdict.HYPOTHESIS_FAILED, f"{reason}, so the claim says nothing about it", blame
    low = lower(ball)
    high = upper(ball)
    if best * (1 - _ROUNDING) > high:
        digits = telling(high, (best, DOWN), digits=6)
        reason = (
            f"a lower estimate, {shown(best, digits, DOWN)}, exceeds the bound"
            f" {shown(high, digits, UP)}"
        )
        rests = "; ".join(
            f"{word.letter} = {shown(said.value, 6, UP)}, {shown(least, 6, DOWN)} seen: {said.how}"
            for word, said, least in own
        )
        return (
            Verdict.VIOLATED,
            reason,
            Blame("claim", spec.claim, f"{reason}; it rests on {rests}"),
        )
    return (
        Verdict.SUPPORTED,
        f"the best lower estimate is {rounded(100 * best / low, -2, DOWN)}% of the bound",
        None,
    )


def _pair_ratios(
    experiment: Experiment, radii: Radii, random: torch.Generator, tick: Tick
) -> tuple[np.ndarray, list[Pair]]:
    """Ratios of pairs in the domain, at distances from 1e-4 to 1 of its radius, half of the points
    extremal.

    On a curved domain two gradients cannot be subtracted: there the curvature along a random
    direction stands in. With all ratios come the pairs with the largest ones, the steepest first.
    """
    bracket = experiment.spec.bracket
    problem = experiment.problem
    found: list[np.ndarray] = []
    pairs: list[Pair] = []
    for begin in range(0, bracket.pairs, _AT_ONCE):
        count = min(_AT_ONCE, bracket.pairs - begin)
        v, away = (problem.adapter.draw(radii, count, random) for _ in range(2))
        if problem.adapter.is_flat:
            size = 10 ** (
                -4
                * torch.rand(
                    (count, 1, 1), generator=random, dtype=torch.float64, device=random.device
                )
            )
            # The domain is convex: a point on the way to another one is inside.
            near = tuple(x + size * (y - x) for x, y in zip(v, away, strict=True))
            seen = sure_difference_ratio(problem, v, near)
        else:
            near = v
            u = problem.adapter.tangent(v, away)
            seen = (square_norm(hessian_vector_product(problem, v, u)) / square_norm(u)).sqrt()
        found.append(seen.cpu().numpy())
        pairs += [(replica(v, i), replica(near, i)) for i in range(count)]
        tick("pairs", begin + count, bracket.pairs)
    ratios = np.concatenate(found)
    best = np.argsort(-ratios, kind="stable")[: max(bracket.points, bracket.ascents)]
    return ratios, [pairs[i] for i in best]


def _iterate_ratios(
    experiment: Experiment, radii: Radii, step_size: float, random: torch.Generator, tick: Tick
) -> tuple[np.ndarray, list[Point]]:
    """Ratios of consecutive iterates of Algorithm 1, NaN where one is outside the ball, and the
    points visited.
    """
    problem = experiment.problem
    adapter = experiment.problem.adapter
    count = experiment.spec.bracket.iterates
    # The adapter's own start, brought inside where that is needed to leave the iterates room.
    v = replicate(
        adapter.project(experiment.first, {name: radius / 2 for name, radius in radii.items()}),
        ITERATING,
    )
    found = []
    visited = []
    for t in range(1, count + 1):
        indices = draw_batch(ITERATING, _BATCH, problem.objective.samples, random)
        v_next, _ = sgd_step(problem, v, step_size, indices)
        if adapter.is_flat:
            ratio = sure_difference_ratio(problem, v, v_next)
            inside = adapter.inside(v, radii) & adapter.inside(v_next, radii)
            found.append(ratio.where(inside, torch.nan).cpu().numpy())
        visited.append(replica(v, 0))
        v = v_next
        tick("iterates", t, count)
    shown = np.stack(found) if found else np.empty((0, ITERATING))
    # Up to where the run first leaves the domain, so that the n-th point is the n-th iterate.
    return shown, list(takewhile(lambda point: bool(adapter.inside(point, radii).all()), visited))


@dataclass(frozen=True)
class Climb:
    """The end of each start's climb: points, unit directions, and the lengths of H(v)u, shape
    (R,).
    """

    v: Point
    u: Point
    lengths: Tensor


def ascend(problem: Problem, v: Point, u: Point, radii: Radii, rounds: int, tick: Tick) -> Climb:
    """Climb the length of H(v)u over points v of the domain, shape (R, ...), and unit directions u
    in turn, in rounds.

    Any value that it finds is one of F's curvatures at a point of the domain, hence a lower
    estimate of its smoothness.

    Each round turns u into H(v)u and then moves v along the gradient of the length in v, projected
    back onto the domain; a step that gains nothing is undone and shortened. So the lengths never
    fall.
    """
    u = problem.adapter.unit(v, u)
    lengths = euclidean_norm(hessian_vector_product(problem, v, u))
    size = sum(radius**2 for radius in radii.values()) ** 0.5
    steps = torch.full_like(lengths, _FIRST_STEP * size)
    for done in range(rounds):
        for _ in range(_TURNS):
            u = problem.adapter.unit(v, hessian_vector_product(problem, v, u))
        lengths = euclidean_norm(hessian_vector_product(problem, v, u))
        # Half the gradient in v of ‖H(v)u‖², which is D³F(v)[Hu, u, ·]: third derivatives are
        # symmetric, so that it is the derivative along u of H(v)[Hu]. On a curved domain, terms of
        # its curvature are left out, and the step shows whether it goes uphill.
        image = hessian_vector_product(problem, v, u)
        with torch.enable_grad():
            at = leaves(v)
            steepest = tuple(
                part.detach() for part in derivative(curved(problem, at, image), at, u)
            )
        uphill = problem.adapter.unit(v, steepest)
        moved = tuple(steps[:, None, None] * part for part in uphill)
        # A point that is no number has no singular values; it stays what it is, because it gains
        # nothing.
        here, along = (
            tuple(torch.nan_to_num(part, 0.0, 0.0, 0.0) for part in x) for x in (v, moved)
        )
        to = problem.adapter.project(problem.adapter.retract(here, along), radii)
        turned = problem.adapter.unit(to, u)
        found = euclidean_norm(hessian_vector_product(problem, to, turned))
        # Written so that a NaN is no gain.
        gained = found > lengths
        v, u = (
            tuple(torch.where(gained[:, None, None], x, y) for x, y in zip(yes, no, strict=True))
            for yes, no in ((to, v), (turned, u))
        )
        lengths = torch.where(gained, found, lengths)
        steps = torch.where(gained, _GROW * steps, _SHRINK * steps)
        tick("ascent", done + 1, rounds)
    return Climb(v, u, lengths)


def split_along(problem: Problem, iterates: list[Point], looks: int, tick: Tick) -> xr.Dataset:
    r"""Spectral norms of the blocks of :math:`DW^*\nabla^2 f DW` and :math:`\langle\nabla f,
    D^2W\rangle`.

    Their sum is the Hessian of F. The looks are at equal ratios of time, from the first iterate to
    the last; ``split`` has the dimensions part, row, column and look. Empty for a curved domain,
    whose tangents are no blocks of numbers, without iterates or looks, and beyond 320 trained
    numbers.
    """
    sizes = sum(part.numel() for part in iterates[0]) if iterates else 0
    if not 0 < sizes <= _LARGEST or looks == 0 or not problem.adapter.is_flat:
        return xr.Dataset()
    times = np.unique(np.geomspace(1, len(iterates), looks).round().astype(int))
    found = []
    for done, time in enumerate(times):
        found.append(
            [block_norms(problem, iterates[time - 1], product) for product in _PARTS.values()]
        )
        tick("split", done + 1, len(times))
    # Names are attributes, in one text: zarr has no settled format for arrays of text, and netCDF
    # no lists of it.
    split = xr.DataArray(
        np.moveaxis(np.array(found), 0, -1),
        dims=("part", "row", "column", "look"),
        attrs={
            "meaning": "spectral norm of a block of a part of the Hessian of F",
            "parts": " ".join(_PARTS),
            "blocks": " ".join(block.name for block in problem.adapter.blocks),
        },
    )
    time = xr.DataArray(times, dims=("look",), attrs={"meaning": "the iterate, counted from 1"})
    return xr.Dataset({"split": split, "look_time": time})
