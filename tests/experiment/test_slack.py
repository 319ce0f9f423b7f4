"""The chains of Lemma 1 at pairs of points: what they start and end at, that valid links never fall, one that does."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from boundcheck.experiment.plan import build
from boundcheck.experiment.result import Chain
from boundcheck.experiment.spec import parse
from boundcheck.experiment.waterfall import chains as chains_of_papers
from boundcheck.experiment.waterfall import slack
from boundcheck.functions.adapters import ADAPTERS, DiReFT, LoRA
from boundcheck.functions.arithmetic import square_norm
from boundcheck.functions.curvature import difference_ratio
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber
from boundcheck.functions.problem import Problem
from boundcheck.language.catalogue import catalogue
from boundcheck.properties import SCALES, SEEDS, adapters, pairs, points, pseudo_huber_problems
from tests.language.plain import single
from tests.layers import covering, examples, sampled

from .small import DOMAINS, OF_KIND, pseudo_huber, random_point, softmax

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
    """A problem on 16 x 17 matrices, radii, and two different points of the ball, near or far, of any spectrum."""
    samples = 17 if name == "softmax" else 3
    problem = PROBLEMS[name](rank=rank, d=16, k=17, scale=draw(SCALES), samples=samples, seed=draw(SEEDS) % 100)
    radii = {"a": draw(radius), "b": draw(radius)}
    v, w = draw(pairs((16, 17), rank, tuple(radii.values())))
    assume(distance(v, w) > 1e-6 * min(radii.values()))
    return problem, v, w, radii


def distance(v, w):
    return square_norm(tuple(x - y for x, y in zip(v, w, strict=True))).sqrt().item()


def noise(problem, v, w):
    """How far rounding may have moved a value: that of both gradients, whose difference is over the distance."""
    errors = [problem.rounding(point, problem.loss(point))[1].item() for point in (v, w)]
    return sum(errors) / distance(v, w)


def constants(problem, radii, lipschitz="sigma"):
    """What the lemmas speak of, for X -> f(W0 + sX)."""
    s, sigma, r = problem.adapter.scale, max(radii.values()), problem.adapter.rank
    C = sigma if lipschitz == "sigma" else math.sqrt(r) * sigma
    L, G = problem.objective.smoothness.value, problem.gradient_bound(radii).value
    return {"L": s**2 * L, "G": s * G, "C": C, "sigma": sigma, "r": r, "s": 1, **radii}


def ends(problem, radii, lipschitz="sigma"):
    """The constant that each chain ends at, from the claims."""
    known = constants(problem, radii, lipschitz)
    claims = {"printed": "jiang2024.lemma1", "repaired": "jiang2024.lemma1", "sharp": "meft.lemma1_sharp"}
    names = {version: [p.name for p in catalogue[id].parameters] for version, id in claims.items()}
    return {version: catalogue[id].bound(**{x: known[x] for x in names[version]}) for version, id in claims.items()}


def values_of(chain: Chain) -> list[float]:
    return [link.value for link in chain.links]


def assert_no_valid_link_falls(chain: Chain, allowed):
    values = [chain.measured, *values_of(chain)]
    for (before, after), link in zip(pairwise(values), CHAINS[chain.version], strict=True):
        if link.valid:
            assert after >= before * (1 - ROUNDING) - allowed, (chain.version, link.label)


@covering
@any_problem
@each_rank
@few_examples
@given(st.data())
def test_no_valid_link_falls(name, rank, data):
    problem, v, w, radii = data.draw(places(name, rank))
    lipschitz = data.draw(st.sampled_from(LIPSCHITZ))
    chains = slack(problem, v, w, radii, lipschitz)
    assert [chain.version for chain in chains] == list(CHAINS)
    for chain in chains:
        assert_no_valid_link_falls(chain, noise(problem, v, w))


@sampled(5)
@any_problem
@each_rank
@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_no_valid_link_falls_at_gaussian_points(name, rank, scale):
    """Far apart and of full rank, where 1e-12 is all that rounding needs."""
    problem = PROBLEMS[name](rank=rank, d=16, k=17, scale=scale, samples=17)
    v, w = random_point(problem, size=0.2), random_point(problem, size=0.2, seed=1)
    radii = {"a": 3.0, "b": 3.0}
    assert problem.adapter.inside(v, radii) & problem.adapter.inside(w, radii)
    for lipschitz in LIPSCHITZ:
        for chain in slack(problem, v, w, radii, lipschitz):
            assert_no_valid_link_falls(chain, 0)


@covering
@any_problem
@each_rank
@few_examples
@given(st.data())
def test_chains_go_from_the_ratio_to_the_claims_constant(name, rank, data):
    problem, v, w, radii = data.draw(places(name, rank))
    lipschitz = data.draw(st.sampled_from(LIPSCHITZ))
    ratio, last = difference_ratio(problem, v, w).item(), ends(problem, radii, lipschitz)
    for chain in slack(problem, v, w, radii, lipschitz):
        assert chain.measured == pytest.approx(ratio, rel=ROUNDING)
        assert values_of(chain)[-1] == pytest.approx(last[chain.version], rel=ROUNDING)


def fro(X):
    return np.sqrt((X * X).sum())


def naive_values(problem, v, w, radii):
    """The lines of the proofs in NumPy: (11), its triangle inequality, (12), and the three of (13); and the others'.

    Of X -> f(W0 + sX), whose gradient is s times that of f and whose constants are s²L and sG.
    """
    s, known = problem.adapter.scale, constants(problem, radii)
    (A1, B1), (A2, B2) = single(v), single(w)
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
    repaired = [rows(L * C * apart), form(sigma * L * C, sigma * L * C + G, sigma * L * C), 2 * sigma * L * C + G]
    of_a2 = np.linalg.svd(A2)[1].max()
    x, y = radii.values()
    sharp = [rows(L * (b * dA + of_a2 * dB)), form(L * y**2, L * x * y + G, L * x**2)]
    return {"printed": printed, "repaired": [*spectral, *repaired], "sharp": [*spectral, *sharp]}


@covering
@any_problem
@each_rank
@few_examples
@given(st.data())
def test_values_are_those_of_the_lines_of_the_paper(name, rank, data):
    problem, v, w, radii = data.draw(places(name, rank))
    allowed = noise(problem, v, w)
    chains = {chain.version: values_of(chain) for chain in slack(problem, v, w, radii)}
    for version, naive in naive_values(problem, v, w, radii).items():
        assert chains[version][: len(naive)] == pytest.approx(naive, rel=1e-10, abs=allowed), version


@covering
@any_problem
@each_rank
@few_examples
@given(st.data())
def test_factors_multiply_to_the_bound_over_the_ratio(name, rank, data):
    problem, v, w, radii = data.draw(places(name, rank))
    for chain in slack(problem, v, w, radii):
        values = values_of(chain)
        assume(min(chain.measured, *values) > 0)
        given_away = math.prod(link.factor for link in chain.links)
        assert given_away == pytest.approx(values[-1] / chain.measured, rel=ROUNDING)
        for link, made_of in zip(chain.links, CHAINS[chain.version], strict=True):
            assert [link.label, link.why, link.valid] == [made_of.label, made_of.why, made_of.valid]


def scalar(A1, B1, A2, B2):
    """f(W) = W²/2 of one number, all but exactly; two points, and a ball that holds them."""
    problem = Problem(PseudoHuber(np.zeros((1, 1, 1)), 1e6), LoRA(torch.zeros(1, 1, dtype=torch.float64), 1))
    v, w = (tuple(torch.full((1, 1, 1), x, dtype=torch.float64) for x in point) for point in ((A1, B1), (A2, B2)))
    return problem, v, w, {"a": 1.0, "b": 1.0}


def test_the_first_inequality_of_13_is_exceeded():
    """A moves from 0 and B as far: the gradient in A turns by ‖B‖²‖ΔA‖, over √2‖ΔA‖ and not over 2‖ΔA‖."""
    printed = slack(*scalar(0.0, 0.999, 1e-3, 1.0))[0]
    at = {link.label: value for link, value in zip(CHAINS["printed"], values_of(printed), strict=True)}
    assert printed.measured == pytest.approx(1 / math.sqrt(2), rel=1e-2)
    assert at["(13), first ≤"] == pytest.approx(1 / 2, rel=1e-2)
    assert at["(13), first ≤"] < at["(12)"]


@covering
@any_problem
@each_rank
@few_examples
@given(st.data())
def test_the_first_inequality_of_13_goes_the_wrong_way(name, rank, data):
    problem, v, w, radii = data.draw(places(name, rank))
    printed = slack(problem, v, w, radii)[0]
    before, after = values_of(printed)[2:4]
    moves = [(x - y).norm().item() for x, y in zip(v, w, strict=True)]
    assert after == pytest.approx(before * math.hypot(*moves) / sum(moves), rel=ROUNDING)


def test_one_link_alone_is_said_to_be_invalid():
    invalid = [(version, link.label) for version, chain in CHAINS.items() for link in chain if not link.valid]
    assert invalid == [("printed", "(13), first ≤")]


@few_examples
@given(st.data())
def test_direft_has_the_chains_of_lora(data):
    direft = data.draw(adapters("direft"))
    shape, radii = tuple(direft.W0.shape), {"a": data.draw(radius), "b": data.draw(radius)}
    objective = data.draw(pseudo_huber_problems(shape))
    v, w = (data.draw(points(shape, direft.rank, tuple(radii.values()))) for _ in range(2))
    assume(distance(v, w) > 1e-6)
    found, of_lora = (slack(Problem(objective, x), v, w, radii) for x in (direft, LoRA(direft.W0, direft.rank)))
    assert isinstance(direft, DiReFT)
    assert found == of_lora
    for chain in found:
        assert_no_valid_link_falls(chain, noise(Problem(objective, direft), v, w))


@pytest.mark.parametrize("kind", [kind for kind, adapter in ADAPTERS.items() if not issubclass(adapter, LoRA)])
def test_another_adapter_is_refused(kind):
    problem = build(parse(OF_KIND[kind]), "cpu")
    v, w = (problem.adapter.draw(DOMAINS[kind], 1, torch.Generator().manual_seed(seed)) for seed in range(2))
    with pytest.raises(TypeError, match="LoRA"):
        slack(problem, v, w, DOMAINS[kind])


def test_two_points_of_the_same_gradient_are_plain_data():
    """A = 0 at a minimum of f, whatever B is: nothing is measured, and no link gives away a share of nothing."""
    problem, v, w, radii = scalar(0.0, 0.25, 0.0, 0.75)
    for chain in slack(problem, v, w, radii):
        assert chain.measured == 0
