"""The bracket of a smoothness constant: observed lower estimates <= true constant <= proved upper bounds.

Each end says how it was had. A sampled Lipschitz ratio is a lower estimate and never stands in for the constant.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile

import numpy as np
import torch
import xarray as xr
from flint import arb
from torch import Tensor

from boundcheck.exact.balls import lower, upper
from boundcheck.exact.digits import DOWN, UP, rounded, shown, telling
from boundcheck.experiment.plan import generator, starting_point, stream
from boundcheck.experiment.result import Blame, Chain
from boundcheck.experiment.spec import Spec
from boundcheck.experiment.waterfall import has_chains, slack
from boundcheck.functions.adapters import Adapter, Radii
from boundcheck.functions.arithmetic import Point, replicate, square_norm
from boundcheck.functions.curvature import (
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
from boundcheck.functions.draws import draw_batch
from boundcheck.functions.judged import OfAdapter
from boundcheck.functions.problem import End, Problem
from boundcheck.functions.sgd import sgd_step
from boundcheck.language.claim import Claim
from boundcheck.language.evidence import HOLDS, Answer, Extent
from boundcheck.language.function import Constant
from boundcheck.language.hypotheses import BOUNDED_GRADIENT, SMOOTH_IN_W
from boundcheck.language.judge import meets
from boundcheck.language.measures import SMOOTHNESS
from boundcheck.language.sentence import has_common_radius
from boundcheck.language.symbols import Number
from boundcheck.system.limits import Tick
from boundcheck.verdicts import Verdict

Pair = tuple[Point, Point]

_AT_ONCE = 128
_REPLICAS = 8
_BATCH = 32
# Relative rounding error allowed to a ratio of float64 differences before it counts against a bound.
_ROUNDING = 1e-9
# How far the second point of a pair is from where an ascent ended.
_SHORT = 1e-4
# Of an ascent: products H(v)u for each step of v, since the direction need only keep up with the point, and its steps.
_TURNS = 2
_FIRST_STEP = 0.5
_GROW, _SHRINK = 1.5, 0.4
# The parts of F's curvature: of f, and of the map W(v). A whole matrix is formed, of at most so many trained numbers.
_PARTS = {"gauss-newton": gauss_newton_product, "bilinear": bilinear_product}
_LARGEST = 320


@dataclass(frozen=True)
class Bracket:
    """A two-sided statement of the smoothness constant of F on a domain, by the fields of a `BracketResult`.

    Its lower estimates are of four kinds: ``pairs``, ``iterates``, ``curvature``, ``ascent``. The verdict is
    ``supported`` while none exceeds the spec's claim, and ``violated`` otherwise; ``inconclusive`` where the claim was
    given a constant that is only estimated, or has a hypothesis that the judge does not decide there;
    ``hypothesis-failed`` where f itself breaks one at the steepest points.
    """

    radii: dict[str, float]
    lower: dict[str, float]
    upper: tuple[End, ...]
    bound: float
    slack: tuple[Chain, ...]
    verdict: Verdict
    reason: str
    blame: Blame | None

    @property
    def measured(self) -> float:
        return max(self.lower.values())


def measure_bracket(spec: Spec, problem: Problem, device: str, tick: Tick) -> tuple[Bracket, xr.Dataset]:
    """Bracket the smoothness constant on the domain of the spec's radii, and return every value that was seen, too."""
    radii, settings, adapter = _radii(spec), spec.bracket, problem.adapter
    ball = claimed(spec, problem)
    random = generator(spec, "bracket", device)
    pairs, steepest = _pair_ratios(spec, problem, radii, random, tick)
    ends = problem.upper_ends(radii)
    ratios, visited = _iterate_ratios(spec, problem, radii, 1 / min(end.value for end in ends), random, tick)
    # Top curvatures at the steepest pairs and, for half of the points, along the iterates.
    along = np.linspace(0, len(visited) - 1, settings.points // 2).astype(int) if visited else ()
    points = [visited[i] for i in along]
    points += [pair[0] for pair in steepest][: settings.points - len(points)]
    lanczos, found = np.random.default_rng(stream(spec, "bracket")), []
    for number, point in enumerate(points, start=1):
        found.append(top_curvature(problem, point, lanczos))
        tick("curvature", number, len(points))
    curvatures = np.array(found)
    # Projected ascent from the steepest pairs, whose best end is sharpened by Lanczos.
    starts = [pair[0] for pair in steepest[: settings.ascents]]
    v: Point = tuple(torch.cat(parts) for parts in zip(*starts, strict=True))
    climb = ascend(problem, v, adapter.draw(radii, len(starts), random), radii, settings.rounds, tick)
    climbed = climb.lengths.cpu().numpy()
    best = int(np.nanargmax(climbed))
    point = tuple(part[best : best + 1] for part in climb.v)
    climbed[best] = max(climbed[best], top_curvature(problem, point, np.random.default_rng(stream(spec, "bracket"))))
    beside = adapter.retract(climb.v, tuple(_SHORT * part for part in climb.u))
    seen = {
        "pair_ratio": ("pair", pairs, {"meaning": "Lipschitz ratio of a sampled pair"}),
        "iterate_ratio": (("step", "replica"), ratios, {"meaning": "Lipschitz ratio of consecutive iterates"}),
        "curvature": ("point", curvatures, {"meaning": "largest absolute eigenvalue of the Hessian of F"}),
        "ascent": ("start", climbed, {"meaning": "the same, where projected ascent ended"}),
    }
    values = {"pairs": pairs, "iterates": ratios, "curvature": curvatures, "ascent": climbed}
    lowers = {kind: float(np.nanmax(x)) for kind, x in values.items() if np.isfinite(x).any()}
    own = _own_constants(problem, radii, [*steepest, (climb.v, beside)])
    verdict, reason, blame = _judged(spec, max(lowers.values()), (lower(ball), upper(ball)), own)
    if verdict.is_decided and (objection := meets(_OnDomain(spec, problem, radii), spec.said).objection):
        verdict, reason, blame = Verdict.INCONCLUSIVE, f"the claim may say nothing about it: {objection}", None
    # The claim about the adapter is what is tested.
    verdict = verdict.resting_on(problem.objective.given)
    chains = slack(problem, *steepest[0], radii, spec.lipschitz) if has_chains(adapter) else []
    # Where the steepest pair has one gradient there is nothing to give away.
    lost = tuple(chain for chain in chains if chain.measured > 0)
    bracket = Bracket(radii, lowers, tuple(ends), upper(ball), lost, verdict, reason, blame)
    trace = xr.Dataset({name: variable for name, variable in seen.items() if np.size(variable[1])})
    return bracket, trace.merge(split_along(problem, visited, settings.looks, tick))


@dataclass(frozen=True)
class _OnDomain(OfAdapter):
    """Any two points of the domain, with the constants of the spec's claim there."""

    spec: Spec
    function: Problem
    radii: Radii

    # Both follow from the spec and its function: mypy knows a field of a base class as one that may be set.
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
    def inputs(self) -> dict[str, Number]:
        return self.function.theory_inputs(self.claim, self.radii, self.spec.lipschitz)

    def reached(self, radius: str) -> Extent:
        return Extent(most=Fraction(self.radii[radius]))

    def on_domain(self) -> Answer:
        return HOLDS


@dataclass(frozen=True)
class _Own:
    """A constant of f on the domain: its letter, what it is said to be, and the least that it can be as f was seen."""

    letter: str
    said: Constant
    seen: float


def _own_constants(problem: Problem, radii: Radii, pairs: list[Pair]) -> list[_Own]:
    """L and G, with the largest gradient ratio and gradient of f at the W of these pairs, less rounding errors."""
    f, ratio, slope = problem.objective, 0.0, 0.0
    for pair in pairs:
        W, other = (problem.adapter.weight(point) for point in pair)
        gradients = [f.gradient(X) for X in (W, other)]
        errors = [f.rounding(X, f.loss(X))[1] for X in (W, other)]
        apart, moved = (torch.linalg.matrix_norm(x - y) for x, y in ((W, other), gradients))
        ratio = max(ratio, ((moved - sum(errors)) / apart.where(apart > 0, torch.inf)).max().item())
        slope = max(slope, (torch.linalg.matrix_norm(gradients[0]) - errors[0]).max().item())
    return [
        _Own(SMOOTH_IN_W.letter, f.smoothness, ratio),
        _Own(BOUNDED_GRADIENT.letter, problem.gradient_bound(radii), slope),
    ]


def _judged(spec: Spec, best: float, bound: tuple[float, float], own: list[_Own]) -> tuple[Verdict, str, Blame | None]:
    """The verdict, reason and blame, from the best lower estimate, the bound's safe ends, and f's own constants."""
    estimated = [each.letter for each in own if each.said.kind == "estimated"]
    if estimated:
        reason = f"{' and '.join(estimated)} are estimated, so that the upper ends are no bounds"
        return Verdict.INCONCLUSIVE, reason, None
    taken = {p.name for p in spec.said.parameters}
    for each in own:
        if each.letter in taken and each.seen * (1 - _ROUNDING) > each.said.value:
            digits = telling(each.said.value, (each.seen, DOWN), digits=6)
            limit, seen = shown(each.said.value, digits, UP), shown(each.seen, digits, DOWN)
            reason = f"f itself breaks {each.letter} = {limit}, where {seen} was seen"
            blame = Blame("constant", each.letter, f"{reason}; it is {each.said.kind}: {each.said.how}")
            return Verdict.HYPOTHESIS_FAILED, f"{reason}, so the claim says nothing about it", blame
    low, high = bound
    if best * (1 - _ROUNDING) > high:
        digits = telling(high, (best, DOWN), digits=6)
        reason = f"a lower estimate, {shown(best, digits, DOWN)}, exceeds the bound {shown(high, digits, UP)}"
        rests = "; ".join(
            f"{x.letter} = {shown(x.said.value, 6, UP)}, {shown(x.seen, 6, DOWN)} seen: {x.said.how}" for x in own
        )
        return Verdict.VIOLATED, reason, Blame("claim", spec.claim, f"{reason}; it rests on {rests}")
    return Verdict.SUPPORTED, f"the best lower estimate is {rounded(100 * best / low, -2, DOWN)}% of the bound", None


def claimed(spec: Spec, problem: Problem) -> arb:
    """An enclosure of the spec's claim at its domain; raises InputError where it says nothing of this domain."""
    return spec.said.enclosures(**_OnDomain(spec, problem, _radii(spec)).inputs)[SMOOTHNESS.letter]


def _radii(spec: Spec) -> dict[str, float]:
    radii = spec.domain.given
    return dict.fromkeys(radii, max(radii.values())) if has_common_radius(spec.said) else radii


def _pair_ratios(
    spec: Spec, problem: Problem, radii: Radii, random: torch.Generator, tick: Tick
) -> tuple[np.ndarray, list[Pair]]:
    """Ratios of pairs in the domain, at distances from 1e-4 to 1 of its radius, half of the points extremal.

    On a curved domain two gradients cannot be subtracted: there the curvature along a random direction stands in. With
    all ratios come the pairs with the largest ones, the steepest first.
    """
    found: list[np.ndarray] = []
    pairs: list[Pair] = []
    for begin in range(0, spec.bracket.pairs, _AT_ONCE):
        count = min(_AT_ONCE, spec.bracket.pairs - begin)
        v, away = (problem.adapter.draw(radii, count, random) for _ in range(2))
        if problem.adapter.is_flat:
            size = 10 ** (-4 * torch.rand((count, 1, 1), generator=random, dtype=torch.float64, device=random.device))
            # The domain is convex: a point on the way to another one is inside.
            near = tuple(x + size * (y - x) for x, y in zip(v, away, strict=True))
            seen = sure_difference_ratio(problem, v, near)
        else:
            near, u = v, problem.adapter.tangent(v, away)
            seen = (square_norm(hessian_vector_product(problem, v, u)) / square_norm(u)).sqrt()
        found.append(seen.cpu().numpy())
        for i in range(count):
            first, second = (tuple(part[i : i + 1] for part in point) for point in (v, near))
            pairs.append((first, second))
        tick("pairs", begin + count, spec.bracket.pairs)
    ratios = np.concatenate(found)
    best = np.argsort(-ratios, kind="stable")[: max(spec.bracket.points, spec.bracket.ascents)]
    return ratios, [pairs[i] for i in best]


def _iterate_ratios(
    spec: Spec, problem: Problem, radii: Radii, step_size: float, random: torch.Generator, tick: Tick
) -> tuple[np.ndarray, list[Point]]:
    """Ratios of consecutive iterates of Algorithm 1, NaN where one is outside the ball, and the points visited."""
    adapter = problem.adapter
    first = starting_point(spec, problem, str(random.device))
    # The adapter's own start, brought inside where that is needed to leave the iterates room.
    v = replicate(adapter.project(first, {name: radius / 2 for name, radius in radii.items()}), _REPLICAS)
    found, visited = [], []
    for t in range(1, spec.bracket.iterates + 1):
        indices = draw_batch(_REPLICAS, _BATCH, problem.objective.samples, random)
        v_next, _ = sgd_step(problem, v, step_size, indices)
        if adapter.is_flat:
            ratio = sure_difference_ratio(problem, v, v_next)
            inside = adapter.inside(v, radii) & adapter.inside(v_next, radii)
            found.append(ratio.where(inside, torch.nan).cpu().numpy())
        visited.append(tuple(part[:1] for part in v))
        v = v_next
        tick("iterates", t, spec.bracket.iterates)
    shown = np.stack(found) if found else np.empty((0, _REPLICAS))
    # Up to where the run first leaves the domain, so that the n-th point is the n-th iterate.
    return shown, list(takewhile(lambda point: bool(adapter.inside(point, radii).all()), visited))


@dataclass(frozen=True)
class Climb:
    """The end of each start's climb: points, unit directions, and the lengths of H(v)u, shape (R,)."""

    v: Point
    u: Point
    lengths: Tensor


def ascend(problem: Problem, v: Point, u: Point, radii: Radii, rounds: int, tick: Tick) -> Climb:
    """Climb the length of H(v)u over points v of the domain, shape (R, ...), and unit directions u in turn, in rounds.

    Any value that it finds is one of F's curvatures at a point of the domain, hence a lower estimate of its smoothness.

    Each round turns u into H(v)u and then moves v along the gradient of the length in v, projected back onto the
    domain; a step that gains nothing is undone and shortened. So the lengths never fall.
    """
    u = problem.adapter.unit(v, u)
    lengths = square_norm(hessian_vector_product(problem, v, u)).sqrt()
    size = sum(radius**2 for radius in radii.values()) ** 0.5
    steps = torch.full_like(lengths, _FIRST_STEP * size)
    for done in range(rounds):
        for _ in range(_TURNS):
            u = problem.adapter.unit(v, hessian_vector_product(problem, v, u))
        lengths = square_norm(hessian_vector_product(problem, v, u)).sqrt()
        uphill = problem.adapter.unit(v, _uphill(problem, v, u))
        moved = tuple(steps[:, None, None] * part for part in uphill)
        # A point that is no number has no singular values; it stays what it is, because it gains nothing.
        here, along = (tuple(torch.nan_to_num(part, 0.0, 0.0, 0.0) for part in x) for x in (v, moved))
        to = problem.adapter.project(problem.adapter.retract(here, along), radii)
        turned = problem.adapter.unit(to, u)
        found = square_norm(hessian_vector_product(problem, to, turned)).sqrt()
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


def _uphill(problem: Problem, v: Point, u: Point) -> Point:
    r"""Half the gradient in v of :math:`\|H(v)u\|^2`, which is :math:`D^3F(v)[H u, u, \cdot]`.

    Third derivatives are symmetric, so that it is the derivative along u of H(v)[Hu]. On a curved domain, terms of its
    curvature are left out, and the step shows whether it goes uphill.
    """
    image = hessian_vector_product(problem, v, u)
    with torch.enable_grad():
        at = leaves(v)
        return tuple(part.detach() for part in derivative(curved(problem, at, image), at, u))


def split_along(problem: Problem, iterates: list[Point], looks: int, tick: Tick) -> xr.Dataset:
    r"""Spectral norms of the blocks of :math:`DW^*\nabla^2 f DW` and :math:`\langle\nabla f, D^2W\rangle`.

    Their sum is the Hessian of F. The looks are at equal ratios of time, from the first iterate to the last; ``split``
    has the dimensions part, row, column and look. Empty for a curved domain, whose tangents are no blocks of numbers,
    without iterates or looks, and beyond 320 trained numbers.
    """
    sizes = sum(part.numel() for part in iterates[0]) if iterates else 0
    if not 0 < sizes <= _LARGEST or looks == 0 or not problem.adapter.is_flat:
        return xr.Dataset()
    times = np.unique(np.geomspace(1, len(iterates), looks).round().astype(int))
    found = []
    for done, time in enumerate(times):
        found.append([block_norms(problem, iterates[time - 1], product) for product in _PARTS.values()])
        tick("split", done + 1, len(times))
    # Names are attributes, in one text: zarr has no settled format for arrays of text, and netCDF no lists of it.
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
