"""What each inequality gives away: links of a run that multiply to the bound, and chains of Lemma
1."""

import math
from dataclasses import replace
from itertools import pairwise

import hypothesis.strategies as st
import numpy as np
import pytest
import sympy as sp
import torch
from hypothesis import assume, given

import boundcheck as bc
from boundcheck.experiment.plan import Experiment, best_step, build
from boundcheck.experiment.result import RunResult
from boundcheck.experiment.spec import about_any_step, parse
from boundcheck.experiment.waterfall import OnRun, slack, waterfall
from boundcheck.experiment.waterfall import chains as chains_of_papers
from boundcheck.functions.adapters import ADAPTERS, DiReFT, LoRA
from boundcheck.functions.arithmetic import apart, replicate, seeded, square_norm
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber
from boundcheck.functions.problem import Problem, difference_ratio
from boundcheck.functions.sgd import sgd_step
from boundcheck.language.catalogue import catalogue
from boundcheck.language.evidence import Audit
from boundcheck.language.symbols import Lhat, alpha, ell, eta
from boundcheck.properties import SCALES, SEEDS, adapters, domain_points, pseudo_huber_problems
from tests.functions.networks.small import KINDS, gpt_table
from tests.language.plain import single
from tests.layers import covering, examples, full

from .small import DOMAINS, OF_KIND, pseudo_huber, run_by_hand, softmax, theorem_table
from .test_run import diverge


def fall_of(measured):
    """The waterfall of a run that was made by hand."""
    return waterfall(measured.evidence, measured.audits)


def link(found, label):
    (one,) = (each for each in found.links if each.label == label)
    return one


def values(found):
    assert found.measured is not None
    return [found.measured, *(each.value for each in found.links if each.value is not None)]


def assert_it_closes(found):
    """Where every t is audited nothing is left between the sum over the steps and the fall of F,
    but rounding."""
    places = [each.label for each in found.links]
    before, after = (found.links[places.index("sampling of times") + step] for step in (-1, 0))
    assert before.rounding is not None
    assert after.rounding is not None
    assert abs(after.value - before.value) <= before.rounding + after.rounding
    # A bound that says something.
    assert before.rounding + after.rounding < 1e-6 * max(abs(after.value), 1e-3)


def assert_exact_factors(found, bound):
    """Their product is the bound over what was measured, where there is one."""
    if not bound > 0:
        assert found.links[-1].label != "the theorem's own slack"
        return
    assert math.prod(each.factor for each in found.links) == pytest.approx(
        bound / found.measured, rel=1e-12
    )
    assert found.links[-1].value == bound
    for before, each in zip(values(found), found.links, strict=False):
        assert each.factor == pytest.approx(each.value / before, rel=1e-12)


def descent(claim, **changes):
    """A spec of gradient descent."""
    table = theorem_table(claim=claim, **changes)
    return table | {
        "run": {
            name: table["run"][name]
            for name in ("steps", "audits", "step_size", "given")
            if name in table["run"]
        }
    }


SPECS = {
    "claim": st.sampled_from(
        ["jiang2024.theorem2", "meft.theorem2_best_step", "ghadimi2013.corollary2_2"]
    ),
    "seed": st.integers(0, 2**31),
    "problem__seed": st.integers(0, 2**31),
    "adapter__rank": st.integers(1, 4),
    "adapter__scale": st.sampled_from([0.5, 1.0, 2.0]),
    "run__batch": st.integers(1, 8),
    "run__replicas": st.integers(2, 4),
    "run__sampling": st.sampled_from(["with replacement", "without replacement"]),
}


@examples(20)
@given(st.fixed_dictionaries(SPECS), st.integers(1, 25))
def test_the_sum_over_every_step_of_sgd_is_an_equation(tmp_path_factory, changes, steps):
    """With and without replacement: nothing of it rests on a hypothesis."""
    table = theorem_table(
        **changes, domain={"a": 9.0, "b": 9.0}, run__steps=steps, run__audits=steps
    )
    found = run_by_hand(table, tmp_path_factory.mktemp("runs"))
    assert_it_closes(fall_of(found))
    assert_exact_factors(fall_of(found), found.evidence.plan.values["bound"])


@pytest.mark.parametrize(
    "claim",
    ["nesterov2004.gradient_descent", "abbaszadehpeivasti2022.best_step", "meft.unconditional_gd"],
)
def test_so_it_is_of_gradient_descent(claim, tmp_path):
    kind = {"kind": "full"} if claim.startswith("abbas") else {"rank": 2}
    table = descent(claim, run__steps=20, run__audits=20, adapter=kind, domain=None)
    measured = run_by_hand(table, tmp_path)
    found = fall_of(measured)
    assert_it_closes(found)
    assert_exact_factors(found, measured.evidence.plan.values["bound"])
    noise = link(found, "noise")
    assert noise.factor == pytest.approx(1, abs=1e-9)
    assert noise.lower is None
    assert not any("ζ" in each.label for each in found.links)


@full
@examples(5)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    seed=st.integers(0, 99),
    replicas=st.integers(1, 2),
    steps=st.integers(1, 6),
)
def test_so_it_is_on_the_built_in_gpt(tmp_path_factory, kind, seed, replicas, steps):
    """With every adapter: on a curved domain, too, g_t is the step that was taken."""
    table = gpt_table(
        seed=seed, adapter__kind=kind, run__replicas=replicas, run__steps=steps, run__step_size=0.05
    )
    if "scale" not in ADAPTERS[kind].options:
        table["adapter"].pop("scale")
    (result,) = bc.measure(table, tmp_path_factory.mktemp("runs"))
    assert isinstance(result, RunResult)
    found = result.waterfall
    assert found is not None
    assert_it_closes(found)
    if result.bound is not None:
        assert_exact_factors(found, result.bound)
        assert link(found, "the theorem's L̂").estimated == (Lhat.name,)
        assert link(found, "ζ² for the variance").estimated == ("zeta",)
        assert link(found, "D for the fall of F").estimated == ()


def by_loop(measured):
    """What each step of each replica did, shape (R, T): the run again, step by step."""
    e = measured.evidence
    problem = e.problem
    plan = e.plan
    replicas = e.spec.run.replicas
    sampler = Experiment(e.spec, problem, "cpu").sampler(plan.batch, replicas, "sampling")
    v = replicate(e.start.v, replicas)
    rows = []
    for _ in range(plan.steps):
        after, g = sgd_step(problem, v, plan.step_size, sampler.draw())
        slope, minibatch = (
            torch.cat([part.flatten(1) for part in x], 1) for x in (problem.gradient(v), g)
        )
        rows.append(
            {
                "F": problem.loss(v),
                "next": problem.loss(after),
                "square": (slope * slope).sum(1),
                "along": (slope * minibatch).sum(1),
                "size": (minibatch * minibatch).sum(1),
            }
        )
        v = after
    return {name: torch.stack([row[name] for row in rows], 1).numpy() for name in rows[0]}


def test_every_value_is_that_of_a_plain_loop(tmp_path):
    """Of the printed theorem, whose constant is not the sharpest."""
    table = theorem_table(
        claim="jiang2024.theorem2",
        domain={"a": 2.6, "b": 2.6},
        run__steps=40,
        run__audits=40,
        run__zeta=1.5,
    )
    measured = run_by_hand(table, tmp_path)
    plan = measured.evidence.plan
    x = by_loop(measured)
    step = plan.step_size
    T = plan.steps
    D = float(plan.inputs["D"])
    L = plan.values["Lhat"]
    noise = plan.zeta**2
    bend = x["next"] - x["F"] + step * x["along"]
    ell = 2 * bend / (step**2 * x["size"])
    fall = (x["F"][:, 0] - x["next"][:, -1]) / (step * T)
    most = D / (step * T)
    sharp = catalogue["meft.lemma1_sharp"].bound(
        **{n: float(v) for n, v in plan.inputs.items() if n in "LG"}, a=2.6, b=2.6, s=1
    )
    expected = {
        "average over t": x["square"].mean(),
        "noise": x["along"].mean(),
        "sampling of times": fall.mean() + bend.mean() / step,
        "D for the fall of F": most + bend.mean() / step,
        "the largest ℓₜ for ℓₜ": most + step / 2 * ell.max() * x["size"].mean(),
        "the sharpest L̂ for that": most + step / 2 * sharp * x["size"].mean(),
        "the theorem's L̂": most + step / 2 * L * x["size"].mean(),
        "ζ² for the variance": most + step / 2 * L * (x["square"].mean() + noise),
        "solved for the average": (most + L * step * noise / 2) / (1 - L * step / 2),
        "the theorem's own slack": plan.values["bound"],
    }
    found = fall_of(measured)
    assert found.measured == pytest.approx(x["square"].mean(0).min(), rel=1e-9)
    assert {each.label: each.value for each in found.links} == pytest.approx(expected, rel=1e-7)
    # The intervals are Student's, of what each link adds.
    added = fall + bend.mean(1) / step - x["along"].mean(1)
    assert link(found, "sampling of times").upper == pytest.approx(added.mean(), abs=1e-9)
    lost = (L * (x["square"].mean(1) + noise) - L * x["size"].mean(1)) * step / 2
    half = 2.570582 * lost.std(ddof=1) / math.sqrt(6)  # Student's quantile at 5 degrees of freedom
    assert link(found, "ζ² for the variance").lower == pytest.approx(lost.mean() - half, rel=1e-5)
    assert link(found, "ζ² for the variance").upper == pytest.approx(lost.mean() + half, rel=1e-5)


@full
def test_where_some_times_are_audited_the_rest_is_a_bar_of_chance(tmp_path):
    """Over 256 replicas it is 0 to within five standard errors, and the fall of F is known whatever
    was audited."""
    whole, some = (
        fall_of(run_by_hand(theorem_table(run__replicas=256, run__audits=audits), tmp_path))
        for audits in (110, 12)
    )
    rest = link(some, "sampling of times")
    assert rest.is_chance
    center = (rest.lower + rest.upper) / 2
    half = (rest.upper - rest.lower) / 2
    assert half > 1e-3
    assert abs(center) < 5 * half / 1.97
    for label in ("D for the fall of F", "solved for the average", "the theorem's own slack"):
        assert link(some, label).value == pytest.approx(link(whole, label).value, rel=0.05)
    assert (
        link(whole, "sampling of times").upper,
        link(whole, "sampling of times").lower,
    ) == pytest.approx((0, 0), abs=1e-9)


def test_what_is_solved_for_is_the_theorem_about_any_step(tmp_path):
    """The kernel has proved that one; here it comes out of the sum, and at the best step it is that
    theorem's best."""
    measured = run_by_hand(theorem_table(), tmp_path)
    found = OnRun(measured.evidence).solution
    theorem = about_any_step()
    assert sp.simplify(found - theorem.expression("bound").xreplace({eta: alpha, ell: Lhat})) == 0
    slow = replace(
        measured.evidence.plan,
        numbers={"alpha": 1e-3},
        values=measured.evidence.plan.values | {"alpha": 1e-3},
    )
    best = waterfall(replace(measured.evidence, plan=slow), measured.audits).at_best
    plan = measured.evidence.plan
    inputs = {"D": plan.inputs["D"], "ell": plan.values["Lhat"], "T": plan.steps, "zeta": plan.zeta}
    assert best.step == pytest.approx(best_step(theorem, inputs)[0], rel=1e-5)
    assert best.bound == pytest.approx(
        catalogue["meft.theorem2_best_step"].bound(**_in_ball(plan)), rel=1e-9
    )
    assert best.factor > 2


def _in_ball(plan):
    claim = catalogue["meft.theorem2_best_step"]
    return {p.name: plan.inputs[p.name] for p in claim.parameters}


def test_a_better_step_is_beside_the_way_since_the_bound_there_may_be_below_what_was_measured(
    tmp_path,
):
    """Each hypothesis holds, and with so short a step nothing moves: the best bound is below what
    was measured."""
    claim = about_any_step().id
    run = {"step_size": 1e-5, "zeta": 0.5, "batch": 64, "replicas": 8, "steps": 2000, "audits": 50}
    table = theorem_table(claim=claim, adapter={"kind": "full"}, domain={}, run=run)
    (result,) = bc.measure(table, tmp_path)
    assert isinstance(result, RunResult)
    found = result.waterfall
    assert not any(each.status == "failed" for each in result.audit)
    assert found.at_best.bound < result.measured < result.bound
    assert found.at_best.factor == pytest.approx(result.bound / found.at_best.bound, rel=1e-9)
    assert f"{found.at_best.step:.3g} in place of 1e-05" in found.says
    assert found.most == "D for the fall of F"


@full
def test_a_constant_that_is_broken_is_where_the_value_falls(tmp_path):
    (result,) = bc.measure(theorem_table(assume={"Lhat": "Lhat/9"}), tmp_path)
    assert isinstance(result, RunResult)
    assert result.verdict == "hypothesis-failed"
    (broken,) = (each for each in result.waterfall.links if not each.valid)
    assert broken.label == "the theorem's L̂"


@full
def test_a_step_that_is_too_long_ends_the_way_before_the_bound(tmp_path):
    (result,) = bc.measure(gpt_table(run__step_size=1.0), tmp_path)
    assert isinstance(result, RunResult)
    assert result.bound is None
    assert result.waterfall.links[-1].label == "ζ² for the variance"


@pytest.mark.parametrize("product", [2, 2 - 1e-15, 2 + 1e-15, 4, 0])
@pytest.mark.parametrize("claim", ["meft.theorem2_any_step", "nesterov2004.gradient_descent"])
def test_at_the_step_where_the_sum_says_nothing_the_way_ends(claim, product, tmp_path):
    """With αL̂ = 2 the average stands on both sides of the sum, as often on each."""
    table = (
        theorem_table(claim=claim, run__step_size=0.02)
        if claim.startswith("meft")
        else descent(claim)
    )
    measured = run_by_hand(table, tmp_path)
    plan = measured.evidence.plan
    changed = replace(
        plan, values=plan.values | {"Lhat": product / plan.step_size, "bound": math.inf}
    )
    found = waterfall(replace(measured.evidence, plan=changed), measured.audits)
    assert all(math.isfinite(x) for x in values(found))
    solved = [each.label for each in found.links if each.label == "solved for the average"]
    assert bool(solved) == (0 <= product < 2)


@pytest.mark.parametrize(
    "claim, run, why",
    [
        (
            "classic.heavy_ball",
            {"step_size": 0.01, "given": {"beta": 0.5}},
            "heavy ball is not along one gradient",
        ),
        (
            "ward2019.adagrad_norm",
            {"step_size": 0.01, "given": {"delta": 1.0}},
            "AdaGrad-norm is not the same at every t",
        ),
        ("su2016.nesterov", {}, "bounds the last gap"),
        ("nesterov2004.strongly_convex", {}, "bounds the last squared distance"),
    ],
)
def test_where_there_is_none_one_line_says_why(claim, run, why, tmp_path):
    squares = {"kind": "least-squares", "d": 3, "k": 2, "samples": 20}
    table = descent(
        claim,
        problem=squares,
        adapter={"kind": "full"},
        domain=None,
        run={"steps": 9, "audits": 9} | run,
    )
    (result,) = bc.measure(table, tmp_path)
    assert isinstance(result, RunResult)
    found = result.waterfall
    assert found.links == ()
    assert found.measured is None
    assert found.most == ""
    assert found.at_best is None
    assert found.says.startswith("No waterfall: ")
    assert found.says.endswith(f"{why}.")


def test_of_steps_that_are_not_the_algorithms_there_is_none(tmp_path):
    """What is known of a training run from its arguments; a biased minibatch is no reason, as the
    equation holds."""
    measured = run_by_hand(theorem_table(), tmp_path)
    id = next(each.id for each in measured.evidence.claim.hypotheses if "unbiased" in each.id)
    rules, bias = (
        Audit(name, "hypothesis", "failed", None, None, "the optimizer is AdamW")
        for name in ("Algorithm 1", id)
    )
    none = waterfall(replace(measured.evidence, sampling=(rules, bias)), measured.audits)
    assert none.says == "No waterfall: the steps were not those of SGD: the optimizer is AdamW."
    assert waterfall(replace(measured.evidence, sampling=(bias,)), measured.audits).links


def test_one_that_diverged_has_none(tmp_path, monkeypatch):
    result = diverge(theorem_table(run__steps=110, run__audits=110), 1e155, tmp_path, monkeypatch)
    assert (
        result.waterfall.says
        == "No waterfall: not all that was seen of the run are finite numbers."
    )


@full
def test_one_replica_says_what_its_intervals_are_over(tmp_path):
    whole, some = (
        bc.measure(gpt_table(run__steps=20, run__audits=audits), tmp_path)[0].waterfall
        for audits in (20, 8)
    )
    assert whole.intervals.startswith("exact of this run")
    assert [each.label for each in whole.links if each.lower is not None] == ["noise"]
    assert some.intervals.startswith("intervals over the times")
    assert all(each.lower is not None for each in some.links)
    for before, each in pairwise(some.links):
        assert each.lower <= each.value - before.value <= each.upper


PROBLEMS = {"pseudo-Huber": pseudo_huber, "softmax": softmax}
CHAINS = chains_of_papers()
RANKS = [1, 2, 3, 5, 8, 16]
LIPSCHITZ = ["sigma", "sqrt(r) sigma"]
ROUNDING = 1e-12

any_problem = pytest.mark.parametrize("name", PROBLEMS)
each_rank = pytest.mark.parametrize("rank", RANKS)
few_examples = examples(5)
radius = st.sampled_from([0.05, 1.0, 3.0])


@st.composite
def places(draw, name, rank):
    """A problem on 16 x 17 matrices, radii, and two different points of the ball, near or far, of
    any spectrum."""
    samples = 17 if name == "softmax" else 3
    problem = PROBLEMS[name](
        rank=rank, d=16, k=17, scale=draw(SCALES), samples=samples, seed=draw(SEEDS) % 100
    )
    radii = {"a": draw(radius), "b": draw(radius)}
    v, far = (draw(domain_points(problem.adapter, radii)) for _ in range(2))
    share = draw(st.sampled_from([1.0, 1e-2, 1e-4]))
    w = problem.adapter.project(
        tuple(x + share * (y - x) for x, y in zip(v, far, strict=True)), radii
    )
    assume(distance(v, w) > 1e-6 * min(radii.values()))
    return problem, v, w, radii


def distance(v, w):
    return square_norm(apart(v, w)).sqrt().item()


def noise(problem, v, w):
    """How far rounding may have moved a value: that of both gradients, whose difference is over the
    distance."""
    errors = [problem.rounding(point, problem.loss(point))[1].item() for point in (v, w)]
    return sum(errors) / distance(v, w)


def constants(problem, radii, lipschitz="sigma"):
    """What the lemmas speak of, for X -> f(W0 + sX)."""
    s = problem.adapter.scale
    sigma = max(radii.values())
    r = problem.adapter.rank
    C = sigma if lipschitz == "sigma" else math.sqrt(r) * sigma
    L = problem.objective.smoothness.value
    G = problem.gradient_bound(radii).value
    return {"L": s**2 * L, "G": s * G, "C": C, "sigma": sigma, "r": r, "s": 1, **radii}


def ends(problem, radii, lipschitz="sigma"):
    """The constant that each chain ends at, from the claims."""
    known = constants(problem, radii, lipschitz)
    claims = {
        "printed": "jiang2024.lemma1",
        "repaired": "jiang2024.lemma1",
        "sharp": "meft.lemma1_sharp",
    }
    names = {version: [p.name for p in catalogue[id].parameters] for version, id in claims.items()}
    return {
        version: catalogue[id].bound(**{x: known[x] for x in names[version]})
        for version, id in claims.items()
    }


def values_of(chain):
    return [link.value for link in chain.links]


def assert_no_valid_link_falls(chain, allowed):
    values = [chain.measured, *values_of(chain)]
    for (before, after), link in zip(pairwise(values), CHAINS[chain.version], strict=True):
        if link.valid:
            assert after >= before * (1 - ROUNDING) - allowed, (chain.version, link.label)


def fro(X):
    return np.sqrt((X * X).sum())


def naive_values(problem, v, w, radii, lipschitz):
    """The lines of the proofs in NumPy: (11), its triangle inequality, (12), and the three of (13);
    and the others'.

    Of X -> f(W0 + sX), whose gradient is s times that of f and whose constants are s²L and sG.
    """
    s = problem.adapter.scale
    known = constants(problem, radii, lipschitz)
    A1, B1 = single(v)
    A2, B2 = single(w)
    M1, M2 = (s * problem.weight_gradient(point)[0].numpy() for point in (v, w))
    dA, dB = fro(A1 - A2), fro(B1 - B2)
    move, apart, sizes = np.sqrt(dA**2 + dB**2), dA + dB, fro(A1) + fro(B1)
    in_a = fro(B1.T @ (M1 - M2)) + fro((B1 - B2).T @ M2)
    in_b = fro((M1 - M2) @ A1.T) + fro(M2 @ (A1 - A2).T)
    added = fro(M1 - M2) * sizes + fro(M2) * apart
    printed = [
        (fro(B1.T @ M1 - B2.T @ M2) + fro(M1 @ A1.T - M2 @ A2.T)) / move,
        (in_a + in_b) / move,
        added / move,
        added / apart,
        (known["L"] * fro(B1 @ A1 - B2 @ A2) * sizes + known["G"] * apart) / apart,
        2 * known["L"] * known["C"] * math.sqrt(known["r"]) * known["sigma"] + known["G"],
    ]
    a, b, slope = (np.linalg.svd(X)[1].max() for X in (A1, B1, M2))

    L, G, C, sigma = (known[x] for x in ("L", "G", "C", "sigma"))

    def rows(turn):
        return np.hypot(b * turn + dB * slope, turn * a + slope * dA) / move

    def form(first, cross, second):
        return np.hypot(first * dA + cross * dB, cross * dA + second * dB) / move

    spectral = [np.hypot(in_a, in_b) / move, rows(fro(M1 - M2)), rows(L * fro(B1 @ A1 - B2 @ A2))]
    repaired = [
        rows(L * C * apart),
        form(sigma * L * C, sigma * L * C + G, sigma * L * C),
        2 * sigma * L * C + G,
    ]
    of_a2 = np.linalg.svd(A2)[1].max()
    x, y = radii.values()
    sharp = [rows(L * (b * dA + of_a2 * dB)), form(L * y**2, L * x * y + G, L * x**2)]
    return {"printed": printed, "repaired": [*spectral, *repaired], "sharp": [*spectral, *sharp]}


@covering
@any_problem
@each_rank
@few_examples
@given(st.data())
def test_chains_have_the_lines_of_the_paper_from_the_ratio_to_the_claims_constant(name, rank, data):
    problem, v, w, radii = data.draw(places(name, rank))
    lipschitz = data.draw(st.sampled_from(LIPSCHITZ))
    allowed = noise(problem, v, w)
    ratio = difference_ratio(problem, v, w).item()
    last = ends(problem, radii, lipschitz)
    naive = naive_values(problem, v, w, radii, lipschitz)
    chains = slack(problem, v, w, radii, lipschitz)
    assert [chain.version for chain in chains] == list(CHAINS)
    for chain in chains:
        assert_no_valid_link_falls(chain, allowed)
        values = values_of(chain)
        lines = naive[chain.version]
        assert chain.measured == pytest.approx(ratio, rel=ROUNDING)
        assert values[: len(lines)] == pytest.approx(lines, rel=1e-10, abs=allowed), chain.version
        assert values[-1] == pytest.approx(last[chain.version], rel=ROUNDING)
        for link, made_of in zip(chain.links, CHAINS[chain.version], strict=True):
            assert [link.label, link.why, link.valid] == [made_of.label, made_of.why, made_of.valid]
        if min(chain.measured, *values) > 0:
            factor = math.prod(link.factor for link in chain.links)
            assert factor == pytest.approx(values[-1] / chain.measured, rel=ROUNDING)
    # The first inequality of (13) goes the wrong way: the root of a sum of squares is no more than
    # the sum.
    before, after = values_of(chains[0])[2:4]
    moves = [(x - y).norm().item() for x, y in zip(v, w, strict=True)]
    assert after == pytest.approx(before * math.hypot(*moves) / sum(moves), rel=ROUNDING)


def scalar(A1, B1, A2, B2):
    """f(W) = W²/2 of one number, all but exactly; two points, and a ball that holds them."""
    problem = Problem(
        PseudoHuber(np.zeros((1, 1, 1)), 1e6), LoRA(torch.zeros(1, 1, dtype=torch.float64), 1)
    )
    v, w = (
        tuple(torch.full((1, 1, 1), x, dtype=torch.float64) for x in point)
        for point in ((A1, B1), (A2, B2))
    )
    return problem, v, w, {"a": 1.0, "b": 1.0}


def test_one_link_alone_is_said_to_be_invalid():
    invalid = [
        (version, link.label)
        for version, chain in CHAINS.items()
        for link in chain
        if not link.valid
    ]
    assert invalid == [("printed", "(13), first ≤")]


@few_examples
@given(st.data())
def test_direft_has_the_chains_of_lora(data):
    direft = data.draw(adapters("direft"))
    radii = {"a": data.draw(radius), "b": data.draw(radius)}
    objective = data.draw(pseudo_huber_problems(tuple(direft.W0.shape)))
    v, w = (data.draw(domain_points(direft, radii)) for _ in range(2))
    assume(distance(v, w) > 1e-6)
    found, of_lora = (
        slack(Problem(objective, x), v, w, radii) for x in (direft, LoRA(direft.W0, direft.rank))
    )
    assert isinstance(direft, DiReFT)
    assert found == of_lora
    for chain in found:
        assert_no_valid_link_falls(chain, noise(Problem(objective, direft), v, w))


@pytest.mark.parametrize(
    "kind", [kind for kind, adapter in ADAPTERS.items() if not issubclass(adapter, LoRA)]
)
def test_another_adapter_is_refused(kind):
    problem = build(parse(OF_KIND[kind]), "cpu")
    v, w = (problem.adapter.draw(DOMAINS[kind], 1, seeded(seed)) for seed in range(2))
    with pytest.raises(TypeError, match="LoRA"):
        slack(problem, v, w, DOMAINS[kind])


def test_two_points_of_the_same_gradient_are_plain_data():
    """A = 0 at a minimum of f, whatever B is: nothing is measured, and no link gives away a share
    of nothing."""
    problem, v, w, radii = scalar(0.0, 0.25, 0.0, 0.75)
    for chain in slack(problem, v, w, radii):
        assert chain.measured == 0
