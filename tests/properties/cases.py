"""Strategies for `Case`s: a hypothesis of the catalogue on problems, points and runs, at certified constants.

Small ones are drawn with every spectrum by `boundcheck.properties`; large ones are random.
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

from boundcheck.exact.evaluate import Model, VectorFunction
from boundcheck.exact.floats import Approx, ApproxMatrix
from boundcheck.functions.adapters import ADAPTERS, Adapter, LoRA, Radii, make_adapter
from boundcheck.functions.arithmetic import EPSILON, Point, square_norm
from boundcheck.functions.objectives.linear import SoftmaxRegression
from boundcheck.functions.objectives.pseudo_huber import synthetic
from boundcheck.functions.problem import Problem
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import G_2, C, G, f_star, r, s, sigma
from boundcheck.language.vocabulary import F, d, f, g, g_t, k, v, v_t
from boundcheck.properties import (
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
from boundcheck.properties.problem_strategies import Run
from boundcheck.worst_case.short_run import ShortRun
from tests.properties.letters import (
    DO,
    Case,
    TwoLayers,
    case,
    column,
    constants,
    factors,
    function_of_pair,
    function_of_point,
    function_of_vector,
    function_of_weight,
    moments,
    numbers,
    of_run,
    stated,
    weight,
)

FLAT = [kind for kind in ADAPTERS if not kind.startswith("loreft")]
COMPOSED = [kind for kind in FLAT if "J" in catalogue[ADAPTERS[kind].composition].names]


class Enclosure(NamedTuple):
    """A problem, its domain, and two points of it, in numbers of the type."""

    problem: Problem
    radii: Radii
    points: tuple[Point, Point]

    @property
    def known(self) -> dict[sp.Symbol, Approx]:
        return numbers(constants(self.problem, self.radii))


@st.composite
def seen(draw: DrawFn, kind: str, large: bool) -> Enclosure:
    """Small and of every spectrum; or large and random."""
    if large:
        return draw(random(kind))
    problem = draw(problems(kind))
    radii = draw(domains(problem.adapter))
    return Enclosure(problem, radii, draw(st.tuples(*[domain_points(problem.adapter, radii)] * 2)))


@st.composite
def random(draw: DrawFn, kind: str) -> Enclosure:
    """Sides up to 64 and ranks from 1 to the smaller one."""
    rows, columns = draw(st.sampled_from([(64, 64), (64, 40), (33, 64)]))
    rank, seed = draw(st.sampled_from([1, 8, min(rows, columns)])), draw(SEEDS)
    normal, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    if draw(st.booleans()):
        objective: Any = synthetic(rows, columns, 2, 1.0, 1.0, 1.0, seed)
    else:
        labels = np.array([rows - 1, *normal.integers(0, rows, 3)])
        objective = SoftmaxRegression("random", normal.standard_normal((4, columns)), labels)
    shapes = {"W0": (rows, columns), "A": (rank, columns), "B": (rows, rank)}
    frozen = {name: torch.from_numpy(normal.standard_normal(shape) / 8) for name, shape in shapes.items()}
    W0 = frozen.pop("W0") + (2 if kind == "dora" else 0)
    problem = Problem(objective, make_adapter(kind, W0, rank, 0.5, frozen))
    radii = draw(domains(problem.adapter))
    return Enclosure(problem, radii, two_points(problem.adapter, radii, generator))


def two_points(adapter: Adapter, radii: Radii, generator: torch.Generator) -> tuple[Point, Point]:
    pair = adapter.draw(radii, 2, generator)
    return tuple(part[:1] for part in pair), tuple(part[1:] for part in pair)


@st.composite
def of_f(draw: DrawFn, claim: Claim, large: bool) -> Case:
    """A hypothesis about f at any matrices W."""
    if large:
        found = draw(random("full"))
        objective = found.problem.objective
        first, second = (found.problem.adapter.weight(point)[0] for point in found.points)
    else:
        objective = draw(objectives())
        first, second = draw(weights(objective.shape, 2))
    known = numbers({"L": objective.smoothness.value, "G": objective.gradient_bound.value})
    known[f_star] = Approx(objective.infimum.value, 0.0)
    return case(claim, known, {"W": first, "W_1": first, "W_2": second}, {f: function_of_weight(objective)})


@st.composite
def of_two_weights(draw: DrawFn, claim: Claim, large: bool) -> Case:
    """Assumption 3, with its W_i at the pairs of factors; W = W_0 + BA has no scale there, and C is sigma."""
    found = draw(seen(draw(st.sampled_from(["lora", "direft"])), large))
    adapter: Any = replace(found.problem.adapter, scale=1.0)
    found = found._replace(problem=Problem(found.problem.objective, adapter))
    W = [weight(found.problem, point) for point in found.points]
    known = found.known | {C: found.known[sigma]}
    named = factors(found.points[0], "A_1 B_1") | factors(found.points[1], "A_2 B_2")
    named |= {"W": W[0], "W_1": W[0], "W_2": W[1]}
    return case(claim, known, named, {f: function_of_weight(found.problem.objective)})


@st.composite
def in_weight(draw: DrawFn, claim: Claim, large: bool) -> Case:
    """The bound on the gradient, of any adapter, where its ball takes W; also of a loss that needs the ball."""
    kind = draw(st.sampled_from(list(ADAPTERS)))
    found = draw(seen(kind, large))
    if not large and draw(st.booleans()):
        loss = draw(least_squares_problems(found.problem.objective.shape))
        found = found._replace(problem=Problem(loss, found.problem.adapter))
    W = weight(found.problem, found.points[0])
    return case(claim, found.known, {"W": W}, {f: function_of_weight(found.problem.objective)})


@st.composite
def in_domain(draw: DrawFn, claim: Claim, large: bool, kind: str, names: str) -> Case:
    """What a domain says of the blocks of its points, and of frozen matrices; vectors are diagonal matrices."""
    found = draw(seen(kind, large))
    adapter: Any = found.problem.adapter
    named = factors(draw(st.sampled_from(found.points)), names)
    named = {name: X.flatten().diag() if name.startswith("Lambda") else X for name, X in named.items()}
    if kind == "loha":
        named["B"] = draw(st.sampled_from([named["B_1"], named["B_2"]]))
    if kind == "loreft":
        assume(claim != UNTURNED or adapter.rank == 1)
        # Rows of floats are orthonormal to some units of roundoff.
        rows = {"R": named["R"], "R_1": found.points[0][0][0], "R_2": found.points[1][0][0]}
        named |= {name: ApproxMatrix(X, 8 * sum(X.shape) * EPSILON) for name, X in rows.items()}
    named |= {name: getattr(adapter, name) for name in adapter.frozen if name != "W0"}
    return case(claim, found.known, named, sides={r: adapter.rank})


@st.composite
def of_edit(draw: DrawFn, claim: Claim, large: bool) -> Case:
    """The domain of LoReFT in (R, U), at U = V + R W_0 and a W_0 of norm 1 at most."""
    found = draw(seen("loreft", large))
    W0 = found.problem.adapter.W0
    start = DO.exact(W0 / (1.01 * max(1.0, torch.linalg.matrix_norm(W0, 2).item())))
    (first, V), (second, _) = ([DO.exact(part[0]) for part in point] for point in found.points)
    off = 8 * sum(first.value.shape) * EPSILON
    rows = (("R", first), ("R_1", first), ("R_2", second))
    named: dict[str, Any] = {name: ApproxMatrix(X.value, off) for name, X in rows}
    named |= {"U": DO.plus(V, DO.product(first, start)), "W_0": start}
    return case(claim, found.known, named)


@st.composite
def two_layers(draw: DrawFn, large: bool) -> Enclosure:
    """Two layers under one loss, which both see: LoRA of ranks, scales and balls of their own."""
    if large:
        rank, seed = draw(st.sampled_from([1, 8, 32])), draw(SEEDS)
        layers = [LoRA(torch.zeros(64, width, dtype=torch.float64), rank, 0.5) for width in (32, 64)]
        objective: Any = synthetic(64, 96, 2, 1.0, 1.0, 1.0, seed)
    else:
        rows, widths = draw(st.integers(1, 3)), draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
        layers = [draw(adapters("lora", (rows, width))) for width in widths]
        objective = draw(objectives((rows, sum(widths))))
    adapter = TwoLayers.of(*layers)
    radii = draw(domains(adapter))
    if large:
        points = two_points(adapter, radii, torch.Generator().manual_seed(seed))
    else:
        points = draw(st.tuples(*[domain_points(adapter, radii)] * 2))
    return Enclosure(Problem(objective, adapter), radii, points)


def of_layers(claim: Claim, large: bool) -> SearchStrategy[Case]:
    """A claim about two layers."""
    return two_layers(large).map(lambda found: layer_case(claim, found))


def layer_case(claim: Claim, found: Enclosure) -> Case:
    """A claim about two layers at two points, and where the first of them takes the weights."""
    (first, second), loss, adapter = found.points, found.problem.objective, found.problem.adapter
    widths, W = adapter.widths, weight(found.problem, first)
    parts = tuple(ApproxMatrix(X, W.error) for X in W.value.split(widths, -1))
    known = found.known | {G_2: found.known[G]}
    functions = {f: function_of_weight(loss, widths), F: function_of_point(found.problem)}
    named = factors(first, "A B A' B'") | {"v_1": first, "v_2": second, "W": parts}
    return case(claim, known, named, functions, stated(claim), blocks={LAYER_1: 0, LAYER_2: 1})


@st.composite
def of_all_layers(draw: DrawFn, claim: Claim, large: bool) -> Case:
    """The same two layers, at one scale and in one ball, with t their number."""
    found = draw(two_layers(large))
    loss, scale = found.problem.objective, draw(st.sampled_from([0.25, 1.0, 2.0]))
    adapter = TwoLayers.of(
        *(replace(x, scale=scale) for x in (found.problem.adapter.first, found.problem.adapter.second))
    )
    problem, radii = Problem(loss, adapter), dict(found.radii)
    for name in "ab":
        radii[name] = radii[f"{name}_2"] = max(radii[name], radii[f"{name}_2"])
    (first, second), widths = found.points, adapter.widths
    W = weight(problem, first)
    parts = tuple(ApproxMatrix(X, W.error) for X in W.value.split(widths, -1))
    slopes = function_of_weight(loss, widths).gradient(parts)
    known = Enclosure(problem, radii, found.points).known | {s: Approx(scale, 0.0)}

    def iterates(name: str, time: int, _: int) -> tuple[ApproxMatrix, ...]:
        if name == "M":
            return (slopes[time - 1],)
        point = second if name.endswith("'") else first
        return (DO.exact(point[2 * (time - 1) + "AB".index(name[0])][0]),)

    named = {"v_1": first, "v_2": second}
    functions = {F: function_of_point(problem)}
    made = case(claim, known, named, functions, stated(claim), iterates=iterates, horizon=2)
    return replace(made, instants=((1, 0), (2, 0)))


@st.composite
def composed(draw: DrawFn, claim: Claim, large: bool) -> Case:
    """The composition lemma where J and H are an adapter's own."""
    kind = draw(st.sampled_from(COMPOSED))
    found = draw(seen(kind, large))
    relation = stated(claim, catalogue[ADAPTERS[kind].composition])
    named = dict(zip(("v_1", "v_2"), found.points, strict=True))
    return case(claim, found.known, named, {F: function_of_point(found.problem)}, relation)


@st.composite
def of_map(draw: DrawFn, claim: Claim, large: bool) -> Case:
    """What is said of W(v), with v as one column and Φ(u, M) = <M, W(u)>; of adapters in flat space, by ‖∇f‖_op."""
    kinds = [kind for kind in COMPOSED if GRADIENT_BOUND in catalogue[ADAPTERS[kind].composition].hypotheses]
    found = draw(seen(draw(st.sampled_from(kinds)), large))
    problem, shape = found.problem, found.problem.objective.shape
    relation = stated(claim, catalogue[ADAPTERS[problem.adapter.kind].composition])
    named = dict(zip(("v_1", "v_2", "N_1", "N_2"), (*map(column, found.points), *draw(weights(shape, 2))), strict=True))
    functions = {
        f: function_of_weight(problem.objective),
        F: function_of_vector(problem),
        PHI: function_of_pair(problem.adapter),
    }
    named["v"] = named["v_1"]
    sides = dict(zip((d, k), shape, strict=True))
    return case(claim, found.known, named, functions, relation, blocks={u: 0, M: 1}, sides=sides)


@st.composite
def running(draw: DrawFn, large: bool, kind: str | None = None) -> Run:
    """A short run."""
    if large:
        found = draw(random(kind or "lora"))
        return Run(found.problem, found.points[0], 2.0**-6, 2)
    return draw(runs(kind, horizon=3))


@st.composite
def of_iterates(draw: DrawFn, claim: Claim, large: bool) -> Case:
    """The ball, at the norms that a run has had; or at the radii of points that are drawn, cut or between others."""
    kind = draw(st.sampled_from(["lora", "direft"]))
    if draw(st.booleans()):
        run = draw(running(large, kind))
        norms = run.largest_norms
        known = numbers({"a": norms["A"], "b": norms["B"], "sigma": max(norms.values())})
        return Case(claim.conclusion, of_run(run, known), moments(run, run.T + 1))
    found = draw(seen(kind, large))
    adapter, (first, second) = found.problem.adapter, found.points
    beyond = tuple(3 * x - y for x, y in zip(first, second, strict=True))
    made = [first, second, tuple((x + y) / 2 for x, y in zip(first, second, strict=True))]
    made += [adapter.project(beyond, found.radii), adapter.extreme(beyond, found.radii)]
    made.append(adapter.draw(found.radii, 1, torch.Generator().manual_seed(draw(SEEDS))))

    def iterates(name: str, time: int, _: int) -> tuple[ApproxMatrix, ...]:
        return (DO.exact(made[time - 1]["AB".index(name)][0]),)

    model = Model(DO, found.known, iterates=iterates)
    return Case(claim.conclusion, model, tuple((i + 1, 0) for i in range(len(made))))


@st.composite
def of_samples(draw: DrawFn, claim: Claim, large: bool) -> Case:
    """What is said of g at one v: at the start of a run, g and v being g_1 and v_1 there."""
    relation = claim.conclusion.xreplace({g: g_t, v: v_t})
    if large or draw(st.booleans()):
        run = draw(running(large))
        known = {"zeta": math.sqrt(replace(run, T=1).noise)}
    else:
        tried = draw(short_runs(catalogue["meft.theorem2_best_step"]))
        run, known = paths_of(tried), {"zeta": float(tried.inputs["zeta"])}
    return Case(relation, of_run(run, numbers(known)))


def paths_of(tried: ShortRun) -> Run:
    """All paths of a run that a theorem is tried on, whose constants are certified for all of their domain."""
    alpha = catalogue[tried.claim.id].values(**tried.inputs)["alpha"]
    return Run(tried.problem, tried.v, alpha, tried.steps)


@st.composite
def of_paths(draw: DrawFn, claim: Claim, large: bool) -> Case:
    """What is said of g_t given the past, on all paths of a run."""
    run = draw(running(large))
    return Case(claim.conclusion, of_run(run, {}), moments(run, run.T))


@st.composite
def of_expected_smoothness(draw: DrawFn, claim: Claim, large: bool) -> Case:
    """ABC with B = 1, C the variance and any A: as measured at the start of a run, or certified for a domain."""
    if large or draw(st.booleans()):
        run, at = draw(running(large)), 1
        known = {"abc_a": draw(st.sampled_from([1.0, 2.0**-8])), "abc_b": 1.0, "abc_c": replace(run, T=1).noise}
    else:
        tried = draw(short_runs(catalogue["khaled2020.theorem2"]))
        run, at = paths_of(tried), tried.steps
        known = {name: float(tried.inputs[name]) for name in ("abc_a", "abc_b", "abc_c")}
    below = {f_star: Approx(run.problem.objective.infimum.value, 0.0)}
    return Case(claim.conclusion, of_run(run, numbers(known) | below), moments(run, at))


def smooth_case(claim: Claim, problem: Problem, radii: Radii, pair: tuple[Point, Point]) -> Case:
    """The claim about F between two points, at the sharpest constant that a claim gives for the domain."""
    # Claims speak of positive constants, and of no loss or frozen factor that is 0.
    assume(all(value > 0 for value in constants(problem, radii).values()))
    known = numbers({"ell": problem.sharpest(radii)})
    return case(claim, known, dict(zip(("v_1", "v_2"), pair, strict=True)), {F: function_of_point(problem)})


@st.composite
def along_steps(draw: DrawFn, claim: Claim, large: bool) -> Case:
    """From an iterate to the next."""
    run = draw(running(large))
    time, path = draw(st.integers(1, run.T)), draw(st.integers(0, len(run.draws) - 1))
    first, last = (tuple(part[path : path + 1] for part in point) for point in run.paths[time - 1 : time + 1])
    # Of a domain that no path leaves.
    norms = zip(run.problem.adapter.blocks, run.largest_norms.values(), strict=True)
    return smooth_case(claim, run.problem, {x.radius: 2.0**-20 + 1.001 * norm for x, norm in norms}, (first, last))


@st.composite
def around_steps(draw: DrawFn, claim: Claim, large: bool) -> Case:
    """In the ball whose diameter is a step."""
    run = draw(running(large))
    adapter, (first, last) = run.problem.adapter, (tuple(part[:1] for part in point) for point in run.paths[:2])
    centre = tuple((x + y) / 2 for x, y in zip(first, last, strict=True))
    half = square_norm(tuple((x - y) / 2 for x, y in zip(first, last, strict=True))).sqrt().item()
    norms = zip(adapter.blocks, adapter.norms(centre)[:, 0].tolist(), strict=True)
    radii = {x.radius: 2.0**-20 + 1.001 * (norm + half) for x, norm in norms}
    one, other = (adapter.unit(centre, draw(directions(adapter))) for _ in range(2))
    pair = [tuple(x + half * u for x, u in zip(centre, way, strict=True)) for way in (one, other)]
    return smooth_case(claim, run.problem, radii, (pair[0], pair[1]))


@st.composite
def everywhere(draw: DrawFn, claim: Claim, large: bool) -> Case:
    """Between any two points, of an adapter that is linear in v."""
    found = draw(seen(draw(st.sampled_from([kind for kind in ADAPTERS if ADAPTERS[kind].is_linear])), large))
    return smooth_case(claim, found.problem, {}, found.points)


@st.composite
def near_minimiser(draw: DrawFn, claim: Claim, id: str) -> Case:
    """Of a run that a theorem is tried on: at its start, and between it and the minimiser."""
    tried = draw(short_runs(catalogue[id]))
    assert tried.minimiser is not None
    first, last, share = tried.v, tried.minimiser, draw(st.sampled_from([1.0, 0.5, 0.25]))
    off = EPSILON * sum(square_norm(x).sqrt().item() for x in (first, last))
    between = tuple(x + share * (y - x) for x, y in zip(first, last, strict=True))
    known = numbers({name: float(x) for name, x in tried.inputs.items() if name in ("R_1", "mu_F")})
    known[f_star] = Approx(tried.problem.objective.infimum.value, 0.0)
    start, end = (tuple(DO.exact(part[0]) for part in point) for point in (first, last))
    points = {"v_1": first, "v_2": between, "v_star": tuple(ApproxMatrix(X.value, off) for X in end)}
    true = function_of_point(tried.problem)

    def value(point: Any) -> Approx:
        # The minimiser as a number of the type is off by so much, and F there is larger by at most this.
        near = true.value(point)
        return Approx(near.value, near.error + tried.lipschitz_constant * off * off)

    functions = {F: VectorFunction(value, true.gradient)}
    return case(claim, known, points, functions, iterates=lambda name, time, _: start)


def domain(kind: str, names: str) -> Callable[[Claim, bool], SearchStrategy[Case]]:
    """The cases of the domain of one kind of adapter, whose blocks have these letters."""
    return lambda claim, large: in_domain(claim, large, kind, names)


# How a hypothesis is tried; by the id of the claim.
CASES: dict[str, Callable[[Claim, bool], SearchStrategy[Case]]] = {
    **dict.fromkeys(("jiang2024.assumption1", "jiang2024.assumption3.2", "jiang2024.bounded_below"), of_f),
    **dict.fromkeys(("jiang2024.assumption2", "meft.ball"), of_iterates),
    **dict.fromkeys(("jiang2024.assumption3", "jiang2024.assumption3.1"), of_two_weights),
    **dict.fromkeys(("jiang2024.assumption4", "jiang2024.unbiased"), of_samples),
    **dict.fromkeys(("meft.layer_balls", "meft.layer_gradients", "meft.layers"), of_layers),
    **dict.fromkeys(("meft.lipschitz", "meft.chain_rule"), of_map),
    **dict.fromkeys(("meft.joint_descent", "meft.each_layer_ball", "meft.each_layer_gradient"), of_all_layers),
    "meft.all_layers": of_all_layers,
    "meft.gradient_bound": in_weight,
    "meft.unbiased": of_paths,
    "meft.frozen_factor": domain("frozen-a", "B"),
    "meft.frozen_factor_b": domain("frozen-b", "A"),
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
    "classic.convex": lambda claim, large: near_minimiser(claim, "su2016.nesterov"),
    "classic.strongly_convex": lambda claim, large: near_minimiser(claim, "nesterov2004.strongly_convex"),
    "classic.near_minimiser": lambda claim, large: near_minimiser(claim, "drori2014.gradient_descent"),
}
