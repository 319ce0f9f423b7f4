"""The bracket of a smoothness constant: observed lower estimates <= true constant <= proved upper bounds.

Each end says how it was had. A sampled Lipschitz ratio is a lower estimate and never stands in for the constant.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
import xarray as xr

from boundcheck.claims import Claim, catalogue
from boundcheck.claims.enclose import lower, upper
from boundcheck.measure.curvature import sure_difference_ratio, top_curvature
from boundcheck.measure.plan import generator, stream, theory_inputs
from boundcheck.measure.spec import Spec
from boundcheck.problems.adapter import Point
from boundcheck.problems.problem import Problem, spectral_norm
from boundcheck.problems.sgd import draw_batch, replicate, sgd_step
from boundcheck.progress import Tick

# The proved ends of every bracket: claim, and the C that it is given where it takes one.
UPPER_ENDS: tuple[tuple[str, Literal["sigma", "sqrt(r) sigma"]], ...] = (
    ("meft.lemma1_sharp", "sigma"),
    ("jiang2024.lemma1", "sigma"),
    ("jiang2024.lemma1", "sqrt(r) sigma"),
)
Verdict = Literal["supported", "violated"]

_AT_ONCE = 128
_REPLICAS = 8
_BATCH = 32
# Relative rounding error allowed to a ratio of float64 differences before it counts against a bound.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Bracket:
    """A two-sided statement of the smoothness constant of F on a ball.

    Attributes:
        radii: the bounds on the spectral norms of A and B that make the ball.
        lower: the largest lower estimate of each kind: ``pairs``, ``iterates``, ``curvature``.
        upper: what each of `UPPER_ENDS` says, from `upper_ends`.
        bound: the spec's claim at the spec's C, rounded up.
        verdict, reason: ``supported`` while no estimate exceeds the spec's claim, ``violated`` otherwise.

    """

    radii: tuple[float, float]
    lower: dict[str, float]
    upper: list[dict[str, Any]]
    bound: float
    verdict: Verdict
    reason: str

    @property
    def measured(self) -> float:
        """The best lower estimate."""
        return max(self.lower.values())

    def as_json(self) -> dict[str, Any]:
        """The bracket as plain data."""
        return asdict(self) | {"measured": self.measured}


def measure_bracket(spec: Spec, problem: Problem, device: str, tick: Tick) -> tuple[Bracket, xr.Dataset]:
    """Bracket the smoothness constant on the ball of the spec's radii; also returns every ratio that was seen."""
    claim = catalogue[spec.claim]
    radii = _radii(spec, claim)
    random = generator(spec, "bracket", device)
    pairs, steepest = _pair_ratios(spec, problem, radii, random, tick)
    ratios, visited = _iterate_ratios(spec, problem, radii, random, tick)
    curvatures = _curvatures(spec, problem, steepest, visited, tick)
    trace = xr.Dataset(
        {
            "pair_ratio": ("pair", pairs, {"meaning": "Lipschitz ratio of a sampled pair"}),
            "iterate_ratio": (
                ("step", "replica"),
                ratios,
                {"meaning": "Lipschitz ratio of consecutive iterates"},
            ),
            "curvature": (
                "point",
                curvatures,
                {"meaning": "largest absolute eigenvalue of the Hessian of F"},
            ),
        }
    )
    lowers = {"pairs": float(pairs.max()), "curvature": float(curvatures.max())}
    if np.isfinite(ratios).any():
        lowers["iterates"] = float(np.nanmax(ratios))
    ball = claim.enclosures(**theory_inputs(claim, problem, radii, spec.lipschitz))["Lhat"]
    best = max(lowers.values())
    if best * (1 - _ROUNDING) > upper(ball):
        verdict: Verdict = "violated"
        reason = f"a lower estimate, {best:.6g}, exceeds the bound {upper(ball):.6g}"
    else:
        verdict, reason = "supported", f"the best lower estimate is {best / lower(ball):.2%} of the bound"
    return Bracket(radii, lowers, upper_ends(problem, radii), upper(ball), verdict, reason), trace


def upper_ends(problem: Problem, radii: tuple[float, float]) -> list[dict[str, Any]]:
    """What each of `UPPER_ENDS` says of this problem on this ball, rounded up: claim, lipschitz, value."""
    return [
        {"claim": id, "lipschitz": lipschitz, "value": _upper_end(id, lipschitz, problem, radii)}
        for id, lipschitz in UPPER_ENDS
    ]


def _upper_end(id: str, lipschitz: str, problem: Problem, radii: tuple[float, float]) -> float:
    claim = catalogue[id]
    return upper(claim.enclosures(**theory_inputs(claim, problem, radii, lipschitz))["Lhat"])


def _radii(spec: Spec, claim: Claim) -> tuple[float, float]:
    if spec.domain.a is None or spec.domain.b is None:
        raise ValueError("a bracket needs both radii, which Spec checks")
    radii = (spec.domain.a, spec.domain.b)
    return radii if any(p.name == "a" for p in claim.parameters) else (max(radii), max(radii))


def _pair_ratios(
    spec: Spec, problem: Problem, radii: tuple[float, float], random: torch.Generator, tick: Tick
) -> tuple[np.ndarray, list[Point]]:
    """Ratios of pairs in the ball, at distances from 1e-4 to 1 of its radius, half of the points extremal.

    Returns:
        All ratios, and one point of each of the pairs with the largest ones, the steepest first.

    """
    found: list[np.ndarray] = []
    points: list[Point] = []
    for begin in range(0, spec.bracket.pairs, _AT_ONCE):
        count = min(_AT_ONCE, spec.bracket.pairs - begin)
        v, away = (_ball_points(problem, radii, count, random) for _ in range(2))
        size = 10 ** (-4 * torch.rand((count, 1, 1), generator=random, dtype=torch.float64, device=random.device))
        # The ball is convex: a point on the way to another one is inside.
        A, B = (x + size * (y - x) for x, y in zip(v, away, strict=True))
        found.append(sure_difference_ratio(problem, v, (A, B)).cpu().numpy())
        points += [(v[0][i : i + 1], v[1][i : i + 1]) for i in range(count)]
        tick("pairs", begin + count, spec.bracket.pairs)
    ratios = np.concatenate(found)
    best = np.argsort(-ratios, kind="stable")[: spec.bracket.points]
    return ratios, [points[i] for i in best]


def _iterate_ratios(
    spec: Spec, problem: Problem, radii: tuple[float, float], random: torch.Generator, tick: Tick
) -> tuple[np.ndarray, list[Point]]:
    """Ratios of consecutive iterates of Algorithm 1, NaN where one is outside the ball, and the points visited."""
    first = problem.adapter.initial(spec.adapter.gain, generator(spec, "initial", str(random.device)))
    # LoRA's start, shrunk where that is needed to leave the iterates room.
    A, B = (_into_ball(part, radius / 2) for part, radius in zip(first, radii, strict=True))
    v = replicate((A, B), _REPLICAS)
    step_size = 1 / _upper_end("meft.lemma1_sharp", "sigma", problem, radii)
    found, visited = [], []
    for t in range(1, spec.bracket.iterates + 1):
        indices = draw_batch(_REPLICAS, _BATCH, problem.objective.samples, random)
        v_next, _ = sgd_step(problem, v, step_size, indices)
        ratio = sure_difference_ratio(problem, v, v_next)
        found.append(ratio.where(_inside(v, radii) & _inside(v_next, radii), torch.nan).cpu().numpy())
        visited.append((v[0][:1], v[1][:1]))
        v = v_next
        tick("iterates", t, spec.bracket.iterates)
    return np.stack(found), [point for point in visited if _inside(point, radii).all()]


def _curvatures(spec: Spec, problem: Problem, steepest: list[Point], visited: list[Point], tick: Tick) -> np.ndarray:
    """Top curvatures where the steepest pairs were, and for half of the points along the iterates."""
    random = np.random.default_rng(stream(spec, "bracket"))
    along: list[Point] = []
    if visited:
        chosen = np.linspace(0, len(visited) - 1, spec.bracket.points // 2).astype(int)
        along = [visited[i] for i in chosen]
    points = along + steepest[: spec.bracket.points - len(along)]
    found = []
    for number, point in enumerate(points, start=1):
        found.append(top_curvature(problem, point, random))
        tick("curvature", number, len(points))
    return np.array(found)


def _ball_points(problem: Problem, radii: tuple[float, float], count: int, random: torch.Generator) -> Point:
    """Points of the ball with Gaussian singular vectors; every other one has all singular values at the radius."""
    (d, k), rank = problem.objective.shape, problem.adapter.rank
    drawn = []
    for shape, radius in (((rank, k), radii[0]), ((d, rank), radii[1])):
        gaussian = torch.randn((count, *shape), generator=random, dtype=torch.float64, device=random.device)
        U, S, Vh = torch.linalg.svd(gaussian, full_matrices=False)
        S = torch.rand(S.shape, generator=random, dtype=torch.float64, device=random.device)
        S[::2] = 1
        # Inside by more than the rounding errors of these products, so that the computed product is in the ball too.
        drawn.append(radius * (1 - 1e-13) * (U * S.unsqueeze(-2)) @ Vh)
    return drawn[0], drawn[1]


def _into_ball(X: torch.Tensor, radius: float) -> torch.Tensor:
    norm = spectral_norm(X)[:, None, None]
    return X * (radius / norm.clamp(min=radius))


def _inside(v: Point, radii: tuple[float, float]) -> torch.Tensor:
    return (spectral_norm(v[0]) <= radii[0]) & (spectral_norm(v[1]) <= radii[1])
