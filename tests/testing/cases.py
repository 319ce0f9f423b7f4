"""Strategies for `Case`s: a hypothesis of the catalogue on problems, points and runs, at certified constants.

Small ones are drawn with every spectrum by `boundcheck.testing`; large ones are random. In float32 all data are numbers
of that type, and the constants are those of that data.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import hypothesis.strategies as st
import numpy as np
import sympy as sp
import torch
from boundcheck.proofs.meft.adapters import PHI, UNTURNED, M, u
from boundcheck.proofs.meft.lora import GRADIENT_BOUND, LAYER_1, LAYER_2
from hypothesis import assume
from hypothesis.strategies import DrawFn, SearchStrategy

from boundcheck.claims import Claim, catalogue
from boundcheck.claims.symbols import G_2, C, G, f_star, r, s, sigma
from boundcheck.claims.vocabulary import F, d, f, g, g_t, k, v, v_t
from boundcheck.exact.evaluate import Function, Model
from boundcheck.exact.rounded import Approx, ApproxMatrix
from boundcheck.falsify.theorem import ShortRun
from boundcheck.problems.adapters import ADAPTERS, LoRA, Radii, make_adapter
from boundcheck.problems.cast import cast_to
from boundcheck.problems.norms import Point, square_norm
from boundcheck.problems.paths import Run
from boundcheck.problems.problem import Problem
from boundcheck.problems.pseudo_huber import synthetic
from boundcheck.problems.softmax import SoftmaxRegression
from boundcheck.testing import (
    SEEDS,
    adapters,
    directions,
    domain_points,
    domains,
    least_squares_problems,
    objectives,
    problems,
    runs,
    short_runs,
    weights,
)
from tests.testing.letters import (
    Case,
    TwoLayers,
    Where,
    case,
    column,
    constants,
    factors,
    function_of_pair,
    function_of_point,
    function_of_vector,
    function_of_weight,
    held,
    held_adapter,
    held_objective,
    held_point,
    held_problem,
    in_float64,
    moments,
    numbers,
    of_run,
    stated,
    weight,
)

FLAT = [kind for kind in ADAPTERS if not kind.startswith("loreft")]
COMPOSED = [kind for kind in FLAT if "J" in catalogue[ADAPTERS[kind].composition].names]


class Seen(NamedTuple):
    """A problem, its domain, and two points of it, in numbers of the type."""

    problem: Problem
    radii: Radii
    points: tuple[Point, Point]

    @property
    def known(self) -> dict[sp.Symbol, Approx]:
        return numbers(constants(self.problem, self.radii))


@st.composite
def seen(draw: DrawFn, kind: str, where: Where) -> Seen:
    """Small and of every spectrum; or large and random."""
    if where.large:
        return draw(large(kind, where))
    problem = held_problem(draw(problems(kind)), where.dtype)
    radii = draw(domains(problem.adapter))
    pair = [draw(domain_points(problem.adapter, radii)) for _ in range(2)]
    first, second = (held_point(problem.adapter, point, where.dtype) for point in pair)
    return Seen(problem, radii, (first, second))


@st.composite
def large(draw: DrawFn, kind: str, where: Where) -> Seen:
    """Sides up to 64 and ranks from 1 to the smaller one."""
    rows, columns = draw(st.sampled_from([(64, 64), (64, 40), (33, 64)]))
    rank, seed = draw(st.sampled_from([1, 8, min(rows, columns)])), draw(SEEDS)
    random, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    if draw(st.booleans()):
        objective: Any = synthetic(rows, columns, 2, 1.0, 1.0, 1.0, seed)
    else:
        labels = np.array([rows - 1, *random.integers(0, rows, 3)])
        objective = SoftmaxRegression("random", random.standard_normal((4, columns)), labels)
    shapes = {"W0": (rows, columns), "A": (rank, columns), "B": (rows, rank)}
    frozen = {name: torch.from_numpy(random.standard_normal(shape) / 8) for name, shape in shapes.items()}
    W0 = frozen.pop("W0") + (2 if kind == "dora" else 0)
    problem = held_problem(Problem(objective, make_adapter(kind, W0, rank, 0.5, frozen)), where.dtype)
    radii = draw(domains(problem.adapter))
    pair = problem.adapter.draw(radii, 2, generator)
    first, second = (
        held_point(problem.adapter, tuple(part[i : i + 1] for part in pair), where.dtype) for i in range(2)
    )
    return Seen(problem, radii, (first, second))


@st.composite
def of_f(draw: DrawFn, claim: Claim, where: Where) -> Case:
    """A hypothesis about f at any matrices W."""
    if where.large:
        found = draw(large("full", where))
        objective, W = found.problem.objective, [found.problem.adapter.weight(point)[0] for point in found.points]
    else:
        objective = held_objective(draw(objectives()), where.dtype)
        W = list(draw(weights(objective.shape, 2)))
    first, second = (held(X, where.dtype) for X in W)
    known = numbers({"L": objective.smoothness.value, "G": objective.gradient_bound.value})
    known[f_star] = Approx(objective.infimum.value, 0.0)
    return case(
        claim, where, known, {"W": first, "W_1": first, "W_2": second}, {f: function_of_weight(objective, where.do)}
    )


@st.composite
def of_two_weights(draw: DrawFn, claim: Claim, where: Where) -> Case:
    """Assumption 3, with its W_i at the pairs of factors; W = W_0 + BA has no scale there, and C is sigma."""
    found = draw(seen(draw(st.sampled_from(["lora", "direft"])), where))
    adapter: Any = replace(found.problem.adapter, scale=1.0)
    found = found._replace(problem=Problem(found.problem.objective, adapter))
    W = [weight(found.problem, where.do, point) for point in found.points]
    known = found.known | {C: found.known[sigma]}
    named = factors(found.points[0], "A_1 B_1") | factors(found.points[1], "A_2 B_2")
    named |= {"W": W[0], "W_1": W[0], "W_2": W[1]}
    return case(claim, where, known, named, {f: function_of_weight(found.problem.objective, where.do)})


@st.composite
def in_weight(draw: DrawFn, claim: Claim, where: Where) -> Case:
    """The bound on the gradient, of any adapter, where its ball takes W; also of a loss that needs the ball."""
    kind = draw(st.sampled_from(list(ADAPTERS)))
    found = draw(seen(kind, where))
    if not where.large and draw(st.booleans()):
        loss = held_objective(draw(least_squares_problems(found.problem.objective.shape)), where.dtype)
        found = found._replace(problem=Problem(loss, found.problem.adapter))
    W = weight(found.problem, where.do, found.points[0])
    return case(claim, where, found.known, {"W": W}, {f: function_of_weight(found.problem.objective, where.do)})


@st.composite
def in_domain(draw: DrawFn, claim: Claim, where: Where, kind: str, names: str) -> Case:
    """What a domain says of the blocks of its points, and of frozen matrices; vectors are diagonal matrices."""
    found = draw(seen(kind, where))
    adapter: Any = found.problem.adapter
    named = factors(draw(st.sampled_from(found.points)), names)
    named = {name: X.flatten().diag() if name.startswith("Lambda") else X for name, X in named.items()}
    if kind == "loha":
        named["B"] = draw(st.sampled_from([named["B_1"], named["B_2"]]))
    if kind == "loreft":
        assume(claim != UNTURNED or adapter.rank == 1)
        # Rows of floats are orthonormal to some units of roundoff.
        rows = {"R": named["R"], "R_1": found.points[0][0][0], "R_2": found.points[1][0][0]}
        named |= {
            name: ApproxMatrix(where.do.exact(X).value, 8 * sum(X.shape) * where.do.epsilon) for name, X in rows.items()
        }
    named |= {name: getattr(adapter, name) for name in adapter.frozen if name != "W0"}
    return case(claim, where, found.known, named, sides={r: adapter.rank})


@st.composite
def of_edit(draw: DrawFn, claim: Claim, where: Where) -> Case:
    """The domain of LoReFT in (R, U), at U = V + R W_0 and a W_0 of norm 1 at most."""
    found, do = draw(seen("loreft", where)), where.do
    W0 = found.problem.adapter.W0
    start = do.exact(held(W0 / (1.01 * max(1.0, torch.linalg.matrix_norm(W0, 2).item())), where.dtype))
    (first, V), (second, _) = ([do.exact(part[0]) for part in point] for point in found.points)
    off = 8 * sum(first.value.shape) * do.epsilon
    rows = (("R", first), ("R_1", first), ("R_2", second))
    named: dict[str, Any] = {name: ApproxMatrix(X.value, off) for name, X in rows}
    named |= {"U": do.plus(V, do.product(first, start)), "W_0": start}
    return case(claim, where, found.known, named)


@st.composite
def two_layers(draw: DrawFn, where: Where) -> Seen:
    """Two layers under one loss, which both see: LoRA of ranks, scales and balls of their own."""
    if where.large:
        rank, seed = draw(st.sampled_from([1, 8, 32])), draw(SEEDS)
        layers = [LoRA(torch.zeros(64, width, dtype=torch.float64), rank, 0.5) for width in (32, 64)]
        objective: Any = synthetic(64, 96, 2, 1.0, 1.0, 1.0, seed)
    else:
        rows, widths = draw(st.integers(1, 3)), draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
        layers = [draw(adapters("lora", (rows, width))) for width in widths]
        objective = draw(objectives((rows, sum(widths))))
    adapter = TwoLayers.of(*(held_adapter(layer, where.dtype) for layer in layers))
    radii = draw(domains(adapter))
    problem = Problem(held_objective(objective, where.dtype), adapter)
    if where.large:
        pair = adapter.draw(radii, 2, torch.Generator().manual_seed(seed))
        points = [tuple(part[i : i + 1] for part in pair) for i in range(2)]
    else:
        points = [draw(domain_points(adapter, radii)) for _ in range(2)]
    first, second = (held_point(adapter, point, where.dtype) for point in points)
    return Seen(problem, radii, (first, second))


def of_layers(claim: Claim, where: Where) -> SearchStrategy[Case]:
    """A claim about two layers."""
    return two_layers(where).map(lambda found: layer_case(claim, where, found))


def layer_case(claim: Claim, where: Where, found: Seen) -> Case:
    """A claim about two layers at two points, and where the first of them takes the weights."""
    (first, second), loss, adapter = found.points, found.problem.objective, found.problem.adapter
    widths, W = adapter.widths, weight(found.problem, where.do, first)
    parts = tuple(ApproxMatrix(X, W.error) for X in W.value.split(widths, -1))
    known = found.known | {G_2: found.known[G]}
    functions = {f: function_of_weight(loss, where.do, widths), F: function_of_point(found.problem, where.do)}
    named = factors(first, "A B A' B'") | {"v_1": first, "v_2": second, "W": parts}
    return case(claim, where, known, named, functions, stated(claim), blocks={LAYER_1: 0, LAYER_2: 1})


@st.composite
def of_all_layers(draw: DrawFn, claim: Claim, where: Where) -> Case:
    """The same two layers, at one scale and in one ball, with t their number."""
    found = draw(two_layers(where))
    loss, scale = found.problem.objective, draw(st.sampled_from([0.25, 1.0, 2.0]))
    adapter = TwoLayers.of(
        *(replace(x, scale=scale) for x in (found.problem.adapter.first, found.problem.adapter.second))
    )
    problem, radii = Problem(loss, adapter), dict(found.radii)
    for name in "ab":
        radii[name] = radii[f"{name}_2"] = max(radii[name], radii[f"{name}_2"])
    (first, second), widths = found.points, adapter.widths
    W = weight(problem, where.do, first)
    parts = tuple(ApproxMatrix(X, W.error) for X in W.value.split(widths, -1))
    slopes = function_of_weight(loss, where.do, widths).gradient(parts)
    known = Seen(problem, radii, found.points).known | {s: Approx(scale, 0.0)}

    def iterates(name: str, time: int, _: int) -> tuple[ApproxMatrix, ...]:
        if name == "M":
            return (slopes[time - 1],)
        point = second if name.endswith("'") else first
        return (where.do.exact(point[2 * (time - 1) + "AB".index(name[0])][0]),)

    named = {"v_1": first, "v_2": second}
    functions = {F: function_of_point(problem, where.do)}
    made = case(claim, where, known, named, functions, stated(claim), iterates=iterates, horizon=2)
    return replace(made, instants=((1, 0), (2, 0)))


@st.composite
def composed(draw: DrawFn, claim: Claim, where: Where) -> Case:
    """The composition lemma where J and H are an adapter's own."""
    kind = draw(st.sampled_from(COMPOSED))
    found = draw(seen(kind, where))
    relation = stated(claim, catalogue[ADAPTERS[kind].composition])
    named = dict(zip(("v_1", "v_2"), found.points, strict=True))
    return case(claim, where, found.known, named, {F: function_of_point(found.problem, where.do)}, relation)


@st.composite
def of_map(draw: DrawFn, claim: Claim, where: Where) -> Case:
    """What is said of W(v), with v as one column and Φ(u, M) = <M, W(u)>; of adapters in flat space, by ‖∇f‖_op."""
    kinds = [kind for kind in COMPOSED if GRADIENT_BOUND in catalogue[ADAPTERS[kind].composition].hypotheses]
    found = draw(seen(draw(st.sampled_from(kinds)), where))
    problem, shape = found.problem, found.problem.objective.shape
    relation = stated(claim, catalogue[ADAPTERS[problem.adapter.kind].composition])
    slopes = [held(X, where.dtype) for X in draw(weights(shape, 2))]
    named = dict(zip(("v_1", "v_2", "N_1", "N_2"), (*map(column, found.points), *slopes), strict=True))
    functions = {
        f: function_of_weight(problem.objective, where.do),
        F: function_of_vector(problem, where.do),
        PHI: function_of_pair(problem.adapter, where.do),
    }
    named["v"] = named["v_1"]
    sides = dict(zip((d, k), shape, strict=True))
    return case(claim, where, found.known, named, functions, relation, blocks={u: 0, M: 1}, sides=sides)


class Running(NamedTuple):
    """A run in the arithmetic, and the problem in float64 of which its rounding bounds are."""

    run: Run
    problem: Problem

    @property
    def radii(self) -> dict[str, float]:
        """Of a domain that no path leaves."""
        norms = self.run.largest_norms.values()
        return {x.radius: 2.0**-20 + 1.001 * norm for x, norm in zip(self.problem.adapter.blocks, norms, strict=True)}


@st.composite
def running(draw: DrawFn, where: Where, kind: str | None = None) -> Running:
    """A short run."""
    if where.large:
        found = draw(large(kind or "lora", where))
        return cast_run(Run(found.problem, found.points[0], 2.0**-6, 2), where)
    return cast_run(draw(runs(kind, horizon=3)), where)


def cast_run(run: Run, where: Where) -> Running:
    """The same run in the arithmetic, from numbers of its type."""
    problem = held_problem(run.problem, where.dtype)
    start = tuple(part.to(where.device, where.dtype) for part in held_point(problem.adapter, run.start, where.dtype))
    return Running(Run(cast_to(problem, where.dtype, where.device), start, run.step, run.T), problem)


@st.composite
def of_iterates(draw: DrawFn, claim: Claim, where: Where) -> Case:
    """The ball, at the norms that a run has had; or at the radii of points that are drawn, cut or between others."""
    kind = draw(st.sampled_from(["lora", "direft"]))
    if draw(st.booleans()):
        run, problem = draw(running(where, kind))
        norms = run.largest_norms
        known = numbers({"a": norms["A"], "b": norms["B"], "sigma": max(norms.values())})
        model = of_run(run, problem, where.do, known)
        return Case(claim.conclusion, model, moments(run, run.T + 1))
    found = draw(seen(kind, where))
    adapter, (first, second) = found.problem.adapter, found.points
    beyond = tuple(3 * x - y for x, y in zip(first, second, strict=True))
    made = [first, second, tuple((x + y) / 2 for x, y in zip(first, second, strict=True))]
    drawn = [adapter.project(beyond, found.radii), adapter.extreme(beyond, found.radii)]
    drawn.append(adapter.draw(found.radii, 1, torch.Generator().manual_seed(draw(SEEDS))))
    made += [held_point(adapter, point, where.dtype) for point in drawn]

    def iterates(name: str, time: int, _: int) -> tuple[ApproxMatrix, ...]:
        return (where.do.exact(made[time - 1]["AB".index(name)][0]),)

    model = Model(where.do, found.known, iterates=iterates)
    return Case(claim.conclusion, model, tuple((i + 1, 0) for i in range(len(made))))


@st.composite
def of_samples(draw: DrawFn, claim: Claim, where: Where) -> Case:
    """What is said of g at one v: at the start of a run, g and v being g_1 and v_1 there."""
    relation = claim.conclusion.xreplace({g: g_t, v: v_t})
    if where.large or draw(st.booleans()):
        run, problem = draw(running(where))
        measured = Run(problem, in_float64(run.start), run.step, 1).noise
        return Case(relation, of_run(run, problem, where.do, numbers({"zeta": math.sqrt(measured)})))
    tried = draw(certified_runs(where, "meft.theorem2_best_step"))
    known = numbers({"zeta": float(tried.inputs["zeta"])})
    run, problem = in_where(tried, where)
    return Case(relation, of_run(run, problem, where.do, known))


@st.composite
def certified_runs(draw: DrawFn, where: Where, id: str) -> ShortRun:
    """Runs that a theorem is tried on, whose constants are certified for all of their domain."""
    tried = draw(short_runs(catalogue[id], dtype=str(where.dtype).removeprefix("torch.")))
    return replace(tried, knots=held(tried.knots, where.dtype), offset=float(held([tried.offset], where.dtype)[0]))


def in_where(tried: ShortRun, where: Where) -> Running:
    """Its paths in the arithmetic."""
    alpha = catalogue[tried.claim.id].values(**tried.inputs)["alpha"]
    start = tuple(part.to(where.device, where.dtype) for part in tried.v)
    return Running(Run(cast_to(tried.problem, where.dtype, where.device), start, alpha, tried.steps), tried.problem)


@st.composite
def of_paths(draw: DrawFn, claim: Claim, where: Where) -> Case:
    """What is said of g_t given the past, on all paths of a run."""
    run, problem = draw(running(where))
    return Case(claim.conclusion, of_run(run, problem, where.do, {}), moments(run, run.T))


@st.composite
def of_expected_smoothness(draw: DrawFn, claim: Claim, where: Where) -> Case:
    """ABC with B = 1, C the variance and any A: as measured at the start of a run, or certified for a domain."""
    if where.large or draw(st.booleans()):
        run, problem = draw(running(where))
        measured = Run(problem, in_float64(run.start), run.step, 1).noise
        known = numbers({"abc_a": draw(st.sampled_from([1.0, 2.0**-8])), "abc_b": 1.0, "abc_c": measured})
        known[f_star] = Approx(problem.objective.infimum.value, 0.0)
        return Case(claim.conclusion, of_run(run, problem, where.do, known))
    tried = draw(certified_runs(where, "khaled2020.theorem2"))
    run, problem = in_where(tried, where)
    known = numbers({name: float(tried.inputs[name]) for name in ("abc_a", "abc_b", "abc_c")})
    known[f_star] = Approx(problem.objective.infimum.value, 0.0)
    at = moments(run, run.T)
    if tried.radii:
        # The constants are those of the ball; in float32 a path may leave it.
        inside = [problem.adapter.inside(in_float64(point), tried.radii) for point in run.paths]
        at = tuple((time, outcome) for time, outcome in at if inside[time - 1][outcome])
    return Case(claim.conclusion, of_run(run, problem, where.do, known), at)


def smooth_case(claim: Claim, where: Where, problem: Problem, radii: Radii, pair: tuple[Point, Point]) -> Case:
    """The claim about F between two points, at the sharpest constant that a claim gives for the domain."""
    # Claims speak of positive constants, and of no loss or frozen factor that is 0.
    assume(all(value > 0 for value in constants(problem, radii).values()))
    known = numbers({"ell": problem.sharpest(radii)})
    return case(
        claim, where, known, dict(zip(("v_1", "v_2"), pair, strict=True)), {F: function_of_point(problem, where.do)}
    )


@st.composite
def along_steps(draw: DrawFn, claim: Claim, where: Where) -> Case:
    """From an iterate to the next."""
    ran = draw(running(where))
    time, path = draw(st.integers(1, ran.run.T)), draw(st.integers(0, len(ran.run.draws) - 1))
    ends = [in_float64(tuple(part[path : path + 1] for part in point)) for point in ran.run.paths[time - 1 : time + 1]]
    return smooth_case(claim, where, ran.problem, ran.radii, (ends[0], ends[1]))


@st.composite
def around_steps(draw: DrawFn, claim: Claim, where: Where) -> Case:
    """In the ball whose diameter is a step."""
    ran = draw(running(where))
    adapter, paths = ran.problem.adapter, ran.run.paths
    first, last = (in_float64(tuple(part[:1] for part in point)) for point in paths[:2])
    centre = tuple((x + y) / 2 for x, y in zip(first, last, strict=True))
    half = square_norm(tuple((x - y) / 2 for x, y in zip(first, last, strict=True))).sqrt().item()
    norms = adapter.norms(centre)[:, 0].tolist()
    radii = {x.radius: 2.0**-20 + 1.001 * (norm + half) for x, norm in zip(adapter.blocks, norms, strict=True)}
    ways = [adapter.unit(centre, draw(directions(adapter))) for _ in range(2)]
    pair = [tuple(held(x + half * u, where.dtype) for x, u in zip(centre, way, strict=True)) for way in ways]
    return smooth_case(claim, where, ran.problem, radii, (pair[0], pair[1]))


@st.composite
def everywhere(draw: DrawFn, claim: Claim, where: Where) -> Case:
    """Between any two points, of an adapter that is linear in v."""
    found = draw(seen(draw(st.sampled_from([kind for kind in ADAPTERS if ADAPTERS[kind].is_linear])), where))
    return smooth_case(claim, where, found.problem, {}, found.points)


@st.composite
def near_minimiser(draw: DrawFn, claim: Claim, where: Where, id: str) -> Case:
    """Of a run that a theorem is tried on: at its start, and between it and the minimiser."""
    tried = draw(certified_runs(where, id))
    assert tried.minimiser is not None
    first, last64 = in_float64(tried.v), tried.minimiser
    off = torch.finfo(where.dtype).eps * sum(square_norm(x).sqrt().item() for x in (first, last64))
    last, share = tuple(held(part, where.dtype) for part in last64), draw(st.sampled_from([1.0, 0.5, 0.25]))
    between = tuple(held(x + share * (y - x), where.dtype) for x, y in zip(first, last, strict=True))
    known = numbers({name: float(x) for name, x in tried.inputs.items() if name in ("R_1", "mu_F")})
    known[f_star] = Approx(tried.problem.objective.infimum.value, 0.0)
    start, end = (tuple(where.do.exact(part[0]) for part in point) for point in (first, last))
    points = {"v_1": first, "v_2": between, "v_star": tuple(ApproxMatrix(X.value, off) for X in end)}
    true = function_of_point(tried.problem, where.do)

    def value(point: Any) -> Approx:
        # The minimiser as a number of the type is off by so much, and F there is larger by at most this.
        near = true.value(point)
        return Approx(near.value, near.error + tried.lipschitz_constant * off * off)

    functions = {F: Function(value, true.gradient)}
    return case(claim, where, known, points, functions, iterates=lambda name, time, _: start)


def domain(kind: str, names: str) -> Callable[[Claim, Where], SearchStrategy[Case]]:
    """The cases of the domain of one kind of adapter, whose blocks have these letters."""
    return lambda claim, where: in_domain(claim, where, kind, names)


# How a hypothesis is tried; by the id of the claim.
CASES: dict[str, Callable[[Claim, Where], SearchStrategy[Case]]] = {
    "jiang2024.assumption1": of_f,
    "jiang2024.assumption2": of_iterates,
    "jiang2024.assumption3": of_two_weights,
    "jiang2024.assumption3.1": of_two_weights,
    "jiang2024.assumption3.2": of_f,
    "jiang2024.assumption4": of_samples,
    "jiang2024.unbiased": of_samples,
    "jiang2024.bounded_below": of_f,
    "meft.ball": of_iterates,
    "meft.gradient_bound": in_weight,
    "meft.unbiased": of_paths,
    "meft.frozen_factor": domain("frozen-a", "B"),
    "meft.frozen_factor_b": domain("frozen-b", "A"),
    "meft.layer_balls": of_layers,
    "meft.layer_gradients": of_layers,
    "meft.layers": of_layers,
    "meft.lipschitz": of_map,
    "meft.chain_rule": of_map,
    "meft.joint_descent": of_all_layers,
    "meft.each_layer_ball": of_all_layers,
    "meft.each_layer_gradient": of_all_layers,
    "meft.all_layers": of_all_layers,
    "meft.composition": composed,
    "meft.vera_domain": domain("vera", "Lambda_d Lambda_b"),
    "meft.loha_domain": domain("loha", "A_1 B_1 A_2 B_2"),
    "meft.dora_domain": domain("dora", "A B Lambda_m"),
    "meft.loreft_domain": domain("loreft", "R V"),
    "meft.loreft_trained_domain": of_edit,
    "meft.loreft_unturned": domain("loreft", "R V"),
    "classic.smooth": along_steps,
    "classic.smooth_around": around_steps,
    "classic.abc": of_expected_smoothness,
    "classic.smooth_everywhere": everywhere,
    "classic.convex": lambda claim, where: near_minimiser(claim, where, "su2016.nesterov"),
    "classic.strongly_convex": lambda claim, where: near_minimiser(claim, where, "nesterov2004.strongly_convex"),
    "classic.near_minimiser": lambda claim, where: near_minimiser(claim, where, "drori2014.gradient_descent"),
}
