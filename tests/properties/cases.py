"""Strategies for `Case`s: a hypothesis of the catalogue on small problems, points and runs, at
certified constants.

A case has a relation and what its letters stand for, a `Model` in `Rounded` arithmetic. The numbers
are the constants that boundcheck certifies. Values and gradients carry the rounding bounds that the
objectives and adapters prove. Points are floats that are meant exactly.
"""

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple

import hypothesis.strategies as st
import sympy as sp
import torch
from boundcheck.proofs.meft.adapters import UNTURNED
from hypothesis import assume
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.exact.evaluate import Model, VectorFunction
from boundcheck.exact.floats import Approx, ApproxMatrix, Comparison, Rounded
from boundcheck.functions.adapters import ADAPTERS, Radii
from boundcheck.functions.arithmetic import EPSILON, Point, seeded, square_norm
from boundcheck.functions.problem import Problem
from boundcheck.language.catalogue import catalogue
from boundcheck.language.symbols import PARAMETERS, C, f_star, r, sigma
from boundcheck.language.vocabulary import F, FrobeniusNorm, f, g, g_t, v, v_t
from boundcheck.properties import SEEDS, directions, domain_points, objectives, problems, short_runs
from boundcheck.worst_case.relation import parts
from tests.functions.twins import weights
from tests.properties.drawn import Run, runs
from tests.strategies import domains, least_squares_problems

DO = Rounded(torch.float64, "cpu")


@dataclass(frozen=True)
class Case:
    """A relation, what its letters stand for, and the times and outcomes at which it is said to
    hold."""

    relation: Any
    model: Model[Approx, ApproxMatrix]
    instants: tuple[tuple[int, int], ...] = ((1, 0),)

    @property
    def compared(self):
        """Both sides of each of its inequalities, at each instant."""
        number = self.model.number
        pairs = list(inequalities(self.relation))
        return [
            Comparison(number(x, *at), number(y, *at)) for at in self.instants for x, y in pairs
        ]

    @property
    def fails(self):
        """Whether an inequality certainly fails."""
        return any(each.fails for each in self.compared)

    def at(self, numbers):
        """The same with these numbers times as much."""
        known = self.model.numbers
        changed = {
            x: self.model.arithmetic.times(known[x], Approx(factor, 0.0))
            for x, factor in numbers.items()
        }
        return replace(self, model=replace(self.model, numbers={**known, **changed}))


def inequalities(relation):
    """The parts of a relation; of an equation between matrices, that the norm of the difference is
    at most 0."""
    for left, right, _ in parts(relation):
        yield (
            (FrobeniusNorm(left - right), sp.Integer(0))
            if isinstance(left, MatrixExpr)
            else (left, right)
        )


def case(claim, known, named, functions=None, **others):
    """The claim with points, exact matrices or approximate ones for the matrix symbols of these
    names."""

    if functions is None:
        functions = {}

    def blocks_of(X):
        match X:
            case ApproxMatrix():
                return (X,)
            case tuple():
                return tuple(
                    part if isinstance(part, ApproxMatrix) else DO.exact(part[0]) for part in X
                )
        return (DO.exact(X),)

    letters = {
        X: blocks_of(named[X.name])
        for X in claim.conclusion.atoms(sp.MatrixSymbol)
        if X.name in named
    }
    return Case(claim.conclusion, Model(DO, known, letters, functions=functions, **others))


def factors(point, names):
    """The blocks of a point by names."""
    return {name: part[0] for name, part in zip(names.split(), point, strict=True)}


def numbers(values):
    """Values of symbols by their names, as the floats that they are."""
    return {PARAMETERS[name].symbol: Approx(float(x), 0.0) for name, x in values.items()}


def constants(problem, radii):
    """L and G of the problem, and what its adapter says."""
    L = problem.objective.smoothness.value
    G = problem.gradient_bound(radii).value
    return problem.adapter.constants(radii) | {"L": L, "G": G}


# Functions, with the errors that the product proves of them


def blocks(v, replica=0, error=0.0):
    """The blocks of one replica."""
    return tuple(ApproxMatrix(part[replica], error) for part in v)


def weight(problem, v):
    """W(v), off by as many units of roundoff as the adapter says."""
    sizes = problem.adapter.sizes(v)
    return ApproxMatrix(problem.adapter.weight(v)[0], EPSILON * sizes.terms * sizes.weight.item())


def underflow(X):
    """What squares of numbers may be off by that are too small for the type."""
    return X.numel() * float(torch.finfo(X.dtype).tiny) ** 0.5


def function_of_weight(objective):
    """f, of a matrix W."""
    L = objective.smoothness.value

    def gradient(W):
        X = W[0].value.unsqueeze(0)
        error = objective.rounding(X, objective.loss(X))[1].item() + underflow(X)
        return (ApproxMatrix(objective.gradient(X)[0], error + L * W[0].error),)

    def value(W):
        X = W[0].value.unsqueeze(0)
        loss = objective.loss(X)
        slope = DO.length(gradient(W)).high + L * W[0].error
        return Approx(
            loss.item(), objective.rounding(X, loss)[0].item() + underflow(X) + slope * W[0].error
        )

    return VectorFunction(value, gradient)


def function_of_point(problem):
    """F, of the blocks of v."""

    def at(v):
        point = tuple(X.value.unsqueeze(0) for X in v)
        lost = underflow(problem.adapter.W0) * (1 + problem.adapter.sizes(point).jacobian.item())
        return point, [
            error.item() + lost for error in problem.rounding(point, problem.loss(point))
        ]

    def gradient(v):
        point, errors = at(v)
        return blocks(problem.gradient(point), error=errors[1])

    def value(v):
        point, errors = at(v)
        return Approx(problem.loss(point).item(), errors[0])

    return VectorFunction(value, gradient)


# Points of domains


class Enclosure(NamedTuple):
    """A problem, its domain, and two points of it, in numbers of the type."""

    problem: Problem
    radii: Radii
    points: tuple[Point, Point]

    @property
    def known(self):
        return numbers(constants(self.problem, self.radii))


@st.composite
def seen(draw, *kinds):
    """Of an adapter of one of these kinds."""
    problem = draw(problems(draw(st.sampled_from(kinds))))
    radii = draw(domains(problem.adapter))
    return Enclosure(problem, radii, draw(st.tuples(*[domain_points(problem.adapter, radii)] * 2)))


@st.composite
def of_f(draw, claim):
    """A hypothesis about f at any matrices W."""
    objective = draw(objectives())
    first, second = draw(weights(objective.shape, 2))
    known = numbers({"L": objective.smoothness.value, "G": objective.gradient_bound.value})
    known[f_star] = Approx(objective.infimum.value, 0.0)
    return case(
        claim, known, {"W": first, "W_1": first, "W_2": second}, {f: function_of_weight(objective)}
    )


@st.composite
def of_two_weights(draw, claim):
    """Assumption 3, with its W_i at the pairs of factors; W = W_0 + BA has no scale there, and C is
    sigma."""
    found = draw(seen("lora", "direft"))
    adapter = replace(found.problem.adapter, scale=1.0)
    found = found._replace(problem=Problem(found.problem.objective, adapter))
    W = [weight(found.problem, point) for point in found.points]
    known = found.known | {C: found.known[sigma]}
    named = factors(found.points[0], "A_1 B_1") | factors(found.points[1], "A_2 B_2")
    named |= {"W": W[0], "W_1": W[0], "W_2": W[1]}
    return case(claim, known, named, {f: function_of_weight(found.problem.objective)})


@st.composite
def in_weight(draw, claim):
    """The bound on the gradient, of any adapter, where its ball takes W; also of a loss that needs
    the ball."""
    found = draw(seen(*ADAPTERS))
    if draw(st.booleans()):
        loss = draw(least_squares_problems(found.problem.objective.shape))
        found = found._replace(problem=Problem(loss, found.problem.adapter))
    W = weight(found.problem, found.points[0])
    return case(claim, found.known, {"W": W}, {f: function_of_weight(found.problem.objective)})


@st.composite
def in_domain(draw, claim, kind, names):
    """What a domain says of the blocks of its points, and of frozen matrices; vectors are diagonal
    matrices."""
    found = draw(seen(kind))
    adapter = found.problem.adapter
    named = factors(draw(st.sampled_from(found.points)), names)
    named = {
        name: X.flatten().diag() if name.startswith("Lambda") else X for name, X in named.items()
    }
    if kind == "loreft":
        assume(claim != UNTURNED or adapter.rank == 1)
        named |= _turned_rows(found)
    named |= {name: getattr(adapter, name) for name in adapter.frozen if name != "W0"}
    return case(claim, found.known, named, sides={r: adapter.rank})


@st.composite
def of_edit(draw, claim):
    """The domain of LoReFT in (R, U), at U = V + R W_0 and a W_0 of norm 1 at most."""
    found = draw(seen("loreft"))
    W0 = found.problem.adapter.W0
    start = DO.exact(W0 / (1.01 * max(1.0, torch.linalg.matrix_norm(W0, 2).item())))
    first, V = (DO.exact(part[0]) for part in found.points[0])
    return case(
        claim,
        found.known,
        _turned_rows(found) | {"U": DO.plus(V, DO.product(first, start)), "W_0": start},
    )


def _turned_rows(found):
    """R, R_1 and R_2 of LoReFT: rows of floats are orthonormal to some units of roundoff."""
    rows = {"R": 0, "R_1": 0, "R_2": 1}
    turned = {name: found.points[place][0][0] for name, place in rows.items()}
    return {name: ApproxMatrix(X, 8 * sum(X.shape) * EPSILON) for name, X in turned.items()}


# Runs


def of_run(run, known):
    """The model of all paths of a run.

    The bound on the error of the mean's gradient is one for the sum over n samples, of which one
    sample's error is at most n times as much. Sums of the mean and an offset, and the pull-back,
    add some units of roundoff of their sizes.
    """
    problem = run.problem
    stochastic = []
    for t, point in enumerate(run.paths[:-1]):
        draws = run.draws[:, t : t + 1]
        sizes = problem.adapter.sizes(point)
        W = problem.adapter.weight(point)
        each = (problem.objective.batch_gradient(W, draws), problem.objective.gradient(W))
        size = sum(map(torch.linalg.matrix_norm, each))
        error = problem.objective.samples * problem.rounding(point, problem.loss(point))[1]
        error = (
            error
            + EPSILON * (sum(problem.objective.shape) + 8) * sizes.products * sizes.jacobian * size
        )
        error = error + underflow(problem.adapter.W0) * (1 + sizes.jacobian)
        stochastic.append((problem.batch_gradient(point, draws), error.tolist()))
    names = [block.name for block in problem.adapter.blocks]

    def iterates(name, time, outcome):
        if name == "g":
            g, errors = stochastic[time - 1]
            return blocks(g, outcome, errors[outcome])
        v = blocks(run.paths[time - 1], outcome)
        return v if name == "v" else (v[names.index(name)],)

    return Model(
        DO,
        known,
        iterates=iterates,
        functions={sp.Symbol("F"): function_of_point(problem)},
        horizon=run.T,
        weights=[Fraction(1, len(run.draws))] * len(run.draws),
        past=lambda time: [outcome // _alike(run, time) for outcome in range(len(run.draws))],
    )


def _alike(run, time):
    """How many paths, which follow one another, share what they drew before this time."""
    return int(run.problem.objective.samples ** (run.T - time + 1))


def moments(run, last):
    """All times up to the last, each with one outcome of every past."""
    return tuple(
        (t, outcome)
        for t in range(1, last + 1)
        for outcome in range(0, len(run.draws), _alike(run, t))
    )


RUNS = runs(horizon=3)


@st.composite
def of_iterates(draw, claim):
    """The ball, at the norms that a run has had; or at the radii of points that are drawn, cut or
    between others."""
    kind = draw(st.sampled_from(["lora", "direft"]))
    if draw(st.booleans()):
        run = draw(runs(kind, horizon=3))
        norms = run.largest_norms
        known = numbers({"a": norms["A"], "b": norms["B"], "sigma": max(norms.values())})
        return Case(claim.conclusion, of_run(run, known), moments(run, run.T + 1))
    found = draw(seen(kind))
    adapter = found.problem.adapter
    first, second = found.points
    beyond = tuple(3 * x - y for x, y in zip(first, second, strict=True))
    made = [
        first,
        second,
        tuple((x + y) / 2 for x, y in zip(first, second, strict=True)),
        adapter.project(beyond, found.radii),
        adapter.extreme(beyond, found.radii),
    ]
    made.append(adapter.draw(found.radii, 1, seeded(draw(SEEDS))))

    def iterates(name, time, _):
        return (DO.exact(made[time - 1]["AB".index(name)][0]),)

    model = Model(DO, found.known, iterates=iterates)
    return Case(claim.conclusion, model, tuple((i + 1, 0) for i in range(len(made))))


def paths_of(tried):
    """All paths of a run that a theorem is tried on, whose constants are certified for all of their
    domain."""
    alpha = catalogue[tried.claim.id].values(**tried.inputs)["alpha"]
    return Run(tried.problem, tried.v, alpha, tried.steps)


@st.composite
def of_samples(draw, claim):
    """What is said of g at one v: at the start of a run, g and v being g_1 and v_1 there."""
    if draw(st.booleans()):
        run = draw(RUNS)
        zeta = math.sqrt(replace(run, T=1).noise)
    else:
        tried = draw(short_runs(catalogue["meft.theorem2_best_step"]))
        run = paths_of(tried)
        zeta = float(tried.inputs["zeta"])
    return Case(claim.conclusion.xreplace({g: g_t, v: v_t}), of_run(run, numbers({"zeta": zeta})))


@st.composite
def of_paths(draw, claim):
    """What is said of g_t given the past, on all paths of a run."""
    run = draw(RUNS)
    return Case(claim.conclusion, of_run(run, {}), moments(run, run.T))


@st.composite
def of_expected_smoothness(draw, claim):
    """ABC with B = 1, C the variance and any A: as measured at the start of a run, or certified for
    a domain."""
    if draw(st.booleans()):
        run = draw(RUNS)
        at = 1
        known = {
            "abc_a": draw(st.sampled_from([1.0, 2.0**-8])),
            "abc_b": 1.0,
            "abc_c": replace(run, T=1).noise,
        }
    else:
        tried = draw(short_runs(catalogue["khaled2020.theorem2"]))
        run = paths_of(tried)
        at = tried.steps
        known = {name: float(tried.inputs[name]) for name in ("abc_a", "abc_b", "abc_c")}
    below = {f_star: Approx(run.problem.objective.infimum.value, 0.0)}
    return Case(claim.conclusion, of_run(run, numbers(known) | below), moments(run, at))


def smooth_case(claim, problem, radii, pair):
    """The claim about F between two points, at the sharpest constant that a claim gives for the
    domain."""
    # Claims speak of positive constants, and of no loss or frozen factor that is 0.
    assume(all(value > 0 for value in constants(problem, radii).values()))
    known = numbers({"ell": problem.sharpest(radii)})
    return case(
        claim, known, dict(zip(("v_1", "v_2"), pair, strict=True)), {F: function_of_point(problem)}
    )


@st.composite
def along_steps(draw, claim):
    """From an iterate to the next."""
    run = draw(RUNS)
    time = draw(st.integers(1, run.T))
    path = draw(st.integers(0, len(run.draws) - 1))
    first, last = (
        tuple(part[path : path + 1] for part in point) for point in run.paths[time - 1 : time + 1]
    )
    # Of a domain that no path leaves.
    norms = zip(run.problem.adapter.blocks, run.largest_norms.values(), strict=True)
    return smooth_case(
        claim, run.problem, {x.radius: 2.0**-20 + 1.001 * norm for x, norm in norms}, (first, last)
    )


@st.composite
def around_steps(draw, claim):
    """In the ball whose diameter is a step."""
    run = draw(RUNS)
    adapter = run.problem.adapter
    first, last = (tuple(part[:1] for part in point) for point in run.paths[:2])
    centre = tuple((x + y) / 2 for x, y in zip(first, last, strict=True))
    half = square_norm(tuple((x - y) / 2 for x, y in zip(first, last, strict=True))).sqrt().item()
    norms = zip(adapter.blocks, adapter.norms(centre)[:, 0].tolist(), strict=True)
    radii = {x.radius: 2.0**-20 + 1.001 * (norm + half) for x, norm in norms}
    one, other = (adapter.unit(centre, draw(directions(adapter))) for _ in range(2))
    pair = [tuple(x + half * u for x, u in zip(centre, way, strict=True)) for way in (one, other)]
    return smooth_case(claim, run.problem, radii, (pair[0], pair[1]))


@st.composite
def everywhere(draw, claim):
    """Between any two points, of an adapter that is linear in v."""
    found = draw(seen(*(kind for kind in ADAPTERS if ADAPTERS[kind].is_linear)))
    return smooth_case(claim, found.problem, {}, found.points)


@st.composite
def near_minimiser(draw, claim, id):
    """Of a run that a theorem is tried on: at its start, and between it and the minimiser."""
    tried = draw(short_runs(catalogue[id]))
    assert tried.minimiser is not None
    first, last, share = tried.v, tried.minimiser, draw(st.sampled_from([1.0, 0.5, 0.25]))
    off = EPSILON * sum(square_norm(x).sqrt().item() for x in (first, last))
    between = tuple(x + share * (y - x) for x, y in zip(first, last, strict=True))
    known = numbers({name: float(x) for name, x in tried.inputs.items() if name in ("R_1", "mu_F")})
    known[f_star] = Approx(tried.problem.objective.infimum.value, 0.0)
    points = {"v_1": first, "v_2": between, "v_star": blocks(last, error=off)}
    true = function_of_point(tried.problem)

    def value(point):
        # The minimiser as a number of the type is off by so much, and F there is larger by at most
        # this.
        near = true.value(point)
        return Approx(near.value, near.error + tried.lipschitz_constant * off * off)

    functions = {F: VectorFunction(value, true.gradient)}
    return case(claim, known, points, functions, iterates=lambda name, time, _: blocks(first))


def domain(kind, names):
    """The cases of the domain of one kind of adapter, whose blocks have these letters."""
    return lambda claim: in_domain(claim, kind, names)


# How a hypothesis is tried; by the id of the claim.
CASES = {
    **dict.fromkeys(
        ("jiang2024.assumption1", "jiang2024.assumption3.2", "jiang2024.bounded_below"), of_f
    ),
    **dict.fromkeys(("jiang2024.assumption2", "meft.ball"), of_iterates),
    **dict.fromkeys(("jiang2024.assumption3", "jiang2024.assumption3.1"), of_two_weights),
    **dict.fromkeys(("jiang2024.assumption4", "jiang2024.unbiased"), of_samples),
    "meft.gradient_bound": in_weight,
    "meft.gradient_bound_at_scale_1": in_weight,
    "meft.gradient_bound_in_domain": in_weight,
    "meft.unbiased": of_paths,
    "meft.frozen_factor": domain("frozen-a", "B"),
    "meft.frozen_factor_b": domain("frozen-b", "A"),
    "meft.dora_domain": domain("dora", "A B Lambda_m"),
    "meft.loreft_domain": domain("loreft", "R V"),
    "meft.loreft_trained_domain": of_edit,
    "meft.loreft_unturned": domain("loreft", "R V"),
    "classic.smooth": along_steps,
    "classic.smooth_around": around_steps,
    "classic.abc": of_expected_smoothness,
    "classic.smooth_everywhere": everywhere,
    "classic.convex": lambda claim: near_minimiser(claim, "su2016.nesterov"),
    "classic.strongly_convex": lambda claim: near_minimiser(claim, "nesterov2004.strongly_convex"),
    "classic.near_minimiser": lambda claim: near_minimiser(claim, "drori2014.gradient_descent"),
}
