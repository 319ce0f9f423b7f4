"""What strategies reach, what their examples shrink to, and which arguments they refuse."""

from operator import attrgetter

import numpy as np
import pytest
import sympy as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.functions.adapters import ADAPTERS
from boundcheck.functions.arithmetic import spectral_norm, square_norm
from boundcheck.functions.objectives.clipped import Clipped
from boundcheck.functions.objectives.linear import LeastSquares, SoftmaxRegression
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.vocabulary import FrobeniusNorm, SpectralNorm
from boundcheck.properties import (
    adapters,
    assignments,
    ball,
    clipped_problems,
    domain_points,
    instances,
    matrices,
    objectives,
    orthogonal,
    problems,
    pseudo_huber_problems,
    shapes,
    short_runs,
    slopes,
    softmax_problems,
)
from boundcheck.worst_case.instance import certify, rank_of
from tests.experiment.small import each_kind, refused
from tests.layers import examples, full
from tests.properties.drawn import runs
from tests.properties.small import singular_values, smallest, some
from tests.strategies import least_squares_problems

RADII = {"a": 2.0, "b": 0.5}
INFINITE = float("inf")
NO_NUMBER = float("nan")


def size(X):
    return float(singular_values(X)[0])


def is_extremal(X, radius):
    return bool((singular_values(X) >= radius * (1 - 1e-6)).all())


def apart(v, w):
    return float(square_norm(tuple(x - y for x, y in zip(v, w, strict=True))).sqrt())


def near(instance):
    """How far its points are from each other, as a share of the first one."""
    whole = float(square_norm(instance.v).sqrt())
    return apart(instance.v, instance.other) / whole if whole else np.inf


# By their singular values.
SPECTRA = {
    "zero": lambda S: S[0] == 0,
    "extremal": lambda S: len(S) > 2 and S[-1] > S[0] * (1 - 1e-6) > 0,
    "repeated": lambda S: (
        len(S) > 3
        and S[1] > S[0] * (1 - 1e-6)
        and S[2] < S[0] / 1.5
        and S[3] > S[2] * (1 - 1e-6) > 0
    ),
    "rank-deficient": lambda S: S[0] > 0 and S[-1] < 1e-15 * S[0],
    "generic": (
        lambda S: (
            len(S) > 2 and S[0] > 0 and 0.1 < S[-1] / S[0] < 0.9 and len({*S.round(3)}) == len(S)
        )
    ),
    "ill-conditioned": lambda S: S[0] > 0 and 0.9e-12 < S[-1] / S[0] < 1.1e-12,
}
MATRICES = {
    **{
        kind: lambda X, wanted=wanted: wanted(singular_values(X))
        for kind, wanted in SPECTRA.items()
    },
    "large": lambda X: np.abs(X).max() > 100,
    "small": lambda X: 0 < np.abs(X).max() < 0.01,
    **{
        str(shape): lambda X, shape=shape: X.shape == shape
        for shape in [(1, 1), (1, 8), (8, 1), (8, 8)]
    },
}
IN_A_BALL = {kind: MATRICES[kind] for kind in SPECTRA} | {"inside": lambda X: 0 < size(X) < 1.9}
ORTHOGONAL = {
    "signed permutation": lambda Q: (-np.eye(3)[::-1] == Q).all(),
    "reflection": lambda Q: np.isclose(np.abs(Q), np.array([1, 2]).max() / 3).sum() == 6,
    "random": lambda Q: not np.isclose(Q * 840, (Q * 840).round()).any(),
}
POINTS = {
    "both factors extremal": lambda v: is_extremal(v[0][0], 2.0) and is_extremal(v[1][0], 0.5),
    "LoRA's start, B = 0": lambda v: v[0].any() and not v[1].any(),
    "the origin": lambda v: not v[0].any() and not v[1].any(),
    "interior": lambda v: 0 < spectral_norm(v[0]) < 1.9 and 0 < spectral_norm(v[1]) < 0.49,
    "not aligned": (
        lambda v: size((v[1] @ v[0])[0]) < 0.9 and size(v[0][0]) > 1.9 and size(v[1][0]) > 0.4
    ),
}
OBJECTIVES = {
    **{
        kind.__name__: (
            lambda f, kind=kind: isinstance(f, kind) and f.gradient_bound.value < INFINITE
        )
        for kind in (Clipped, PseudoHuber, SoftmaxRegression)
    },
    "without curvature": lambda f: f.smoothness.value < 1e-300 and f.gradient_bound.value == 0,
}
SAMPLES = {f"{n} samples": lambda f, n=n: f.samples == n for n in (1, 2, 3)}
FAMILIES = {
    Clipped: clipped_problems,
    PseudoHuber: pseudo_huber_problems,
    SoftmaxRegression: softmax_problems,
    LeastSquares: least_squares_problems,
}
FROZEN = {
    "zero": lambda X: not X.any(),
    "of rank 1": lambda X: torch.linalg.matrix_rank(X) == 1,
    "extremal": lambda X: (torch.linalg.svdvals(X) > 1.9).all(),
}
PROBLEMS = {
    "of full rank": lambda p: p.adapter.rank == min(p.objective.shape) > 1,
    "of deficient rank": (
        lambda p: p.adapter.rank == 1 < min(p.objective.shape) and p.adapter.scale != 1
    ),
}
OF_RUNS = ("full", "frozen-a", "lora", "direft")
RUNS = {
    **{kind: lambda run, kind=kind: run.problem.adapter.kind == kind for kind in OF_RUNS},
    "81 paths": lambda run: len(run.draws) == 81,
    "noisy clipped": lambda run: run.problem.objective.name == "clipped" and run.noise > 0.1,
    "noisy squares": lambda run: run.problem.objective.name == "least squares" and run.noise > 0.1,
    "no noise": lambda run: run.noise == 0 and run.gap > 0 and run.mean_square_gradients[0] > 0,
    "uphill": lambda run: run.mean_square_gradients[-1] > run.mean_square_gradients[0] > 0,
    "downhill": lambda run: 0 < run.mean_square_gradients[-1] < run.mean_square_gradients[0] / 2,
    "out of the ball of its start": lambda run: max(run.largest_norms.values()) > 2,
}
INSTANCES = {
    "tight": lambda i: i.ratio > 0.99,
    "near": lambda i: near(i) < 1e-2,
    "far": lambda i: 0.5 < near(i) < 10,
    "of the largest rank": lambda i: rank_of(i.adapter) == 4,
    "not square": lambda i: i.adapter.W0.shape[0] != i.adapter.W0.shape[1],
    "unequal radii": lambda i: i.radii["a"] != i.radii["b"],
}
STEPS = {str(n): lambda run, n=n: run.steps == n and run.offset > 0 for n in (1, 4)}
ASSIGNMENTS = {
    "not square": lambda of: of["X"].any() and of["Y"].any() and len(of["X"]) != len(of["Y"]),
    "zero": lambda of: not of["X"].any(),
    "negative entries": lambda of: (of["X"] < 0).any() and (of["Y"] < 0).any(),
    "alike": (
        lambda of: (
            of["X"].shape == of["Y"].T.shape and of["X"].any() and np.allclose(of["X"], of["Y"].T)
        )
    ),
    "rank one": lambda of: min(of["X"].shape) > 2 and np.linalg.matrix_rank(of["X"]) == 1,
}
m, n = sp.symbols("m n", positive=True, integer=True)
X = sp.MatrixSymbol("X", m, n)
Y = sp.MatrixSymbol("Y", n, m)
a = sp.Symbol("a", positive=True)
PRODUCT = Claim("any", "Any", "test", sp.Le(SpectralNorm(X * Y), SpectralNorm(X) * SpectralNorm(Y)))
LEMMA, NOISY = (catalogue[id] for id in ("meft.lemma1_sharp", "ghadimi2013.corollary2_2"))


TABLES = [
    ("a matrix", matrices(), MATRICES),
    ("in a ball", ball((4, 5), 2.0), IN_A_BALL),
    ("orthogonal", orthogonal(3, 3), ORTHOGONAL),
    ("a point", domain_points(some(adapters("lora", (4, 5), rank=3)), RADII), POINTS),
    ("an objective", objectives(), OBJECTIVES),
    (
        "a slope",
        slopes(),
        {"not convex": lambda slope: any(piece.slope < 0 for piece in slope.pieces)},
    ),
    *((family.__name__, call(), SAMPLES) for family, call in FAMILIES.items()),
    *(
        (f"frozen {x}", adapters(f"frozen-{x.lower()}", (4, 5), rank=3).map(attrgetter(x)), FROZEN)
        for x in "AB"
    ),
    ("a problem", problems(), PROBLEMS),
    (
        "a problem of dora",
        problems("dora"),
        {"with W0": lambda p: p.adapter.kind == "dora" and p.adapter.W0.any()},
    ),
    ("a run", runs(), RUNS),
    ("an instance", instances(LEMMA, largest=4), INSTANCES),
    ("an assignment", assignments(PRODUCT).map(attrgetter("matrices")), ASSIGNMENTS),
    *((f"a short run of {kind}", short_runs(NOISY, adapter=kind), STEPS) for kind in OF_RUNS),
]
DRAWN = {
    f"{of}: {name}": (strategy, wanted)
    for of, strategy, table in TABLES
    for name, wanted in table.items()
}


@pytest.mark.parametrize("name", DRAWN)
def test_each_kind_is_drawn(name):
    assert some(*DRAWN[name]) is not None


@each_kind
def test_adapters_of_each_rank_scale_and_shape_are_drawn(kind):
    for rank in (1, 4):
        some(adapters(kind), lambda adapter, rank=rank: adapter.rank == rank)
    some(adapters(kind), lambda adapter: adapter.W0.shape[0] != adapter.W0.shape[1])
    if "scale" in ADAPTERS[kind].options:
        some(adapters(kind), lambda adapter: adapter.scale == 0.25)
    adapter = some(adapters(kind, (64, 64), rank=64))
    assert tuple(adapter.W0.shape) == (64, 64)
    assert adapter.rank == 64


BOUNDED = Claim(
    "bounded",
    "Bounded",
    "test",
    sp.Le(SpectralNorm(X * Y), a**2),
    hypotheses=tuple(Claim("", "", "", x) for x in (SpectralNorm(X) <= a, FrobeniusNorm(Y.T) <= a)),
)
LORA = some(adapters("lora", (2, 3), rank=1))
DORA = some(adapters("dora", (2, 2), rank=2))


# What claims are tried on is always something that the claim speaks of.


@each_kind
def test_the_points_of_an_instance_are_inside_exactly(kind):
    @examples(12)
    @given(instances(catalogue[ADAPTERS[kind].claims[0]], adapter=kind, largest=4))
    def check(instance):
        instance.check()
        assert certify(instance).inside

    check()


@examples(12)
@given(assignments(BOUNDED))
def test_an_assignment_is_within_what_is_given(made):
    made.check()
    assert certify(made).inside
    # Ties included, which are decided exactly.
    assert np.linalg.norm(made.matrices["X"], 2) <= made.numbers["a"] * (1 + 1e-12)
    assert np.linalg.norm(made.matrices["Y"]) <= made.numbers["a"] * (1 + 1e-12)


def shown(X):
    """The numbers of an array, or of each of several."""
    return tuple(map(shown, X)) if isinstance(X, tuple) else X.tolist()


# What examples shrink to: of which strategy, among which, and what is looked at of them.
SHRUNK = {
    "a row of two": (matrices(), lambda X: X.any() and X.shape[1] > 1, [[1, 0]]),
    "rank and norm": (
        matrices((3, 3), rank=2, norm=2),
        lambda X: True,
        [[2, 0, 0], [0, 2, 0], [0, 0, 0]],
    ),
    "singular values": (matrices(spectrum=[1, 3]), lambda X: True, [[3, 0], [0, 1]]),
    "ball": (ball((2, 2), 5.0), lambda X: X.any(), [[5, 0], [0, 5]]),
    "orthogonal": (orthogonal(2, 3), lambda X: True, [[1, 0, 0], [0, 1, 0]]),
    "a point of a domain": (
        domain_points(DORA, {"a": 2.0, "b": 3.0, "mu": 4.0}),
        lambda v: True,
        ([[[2, 0], [0, 2]]], [[[3, 0], [0, 3]]], [[[4, 4]]]),
    ),
}


@full
@pytest.mark.parametrize("name", SHRUNK)
def test_examples_shrink_to_readable_ones(name):
    strategy, wanted, expected = SHRUNK[name]
    assert shown(smallest(strategy, wanted)) == expected


REFUSED = [
    ("shape", lambda: matrices((0, 3))),
    ("shape", lambda: matrices((2, 3), rank=3)),
    ("shape", lambda: matrices((1, 3), spectrum=[1, 2])),
    ("shape", lambda: matrices((1, 2), condition=2)),
    # A shape that is drawn is refused when it is drawn.
    ("shape", lambda: some(matrices(st.just((2, 3)), rank=3))),
    ("rank", lambda: matrices(rank=-1)),
    ("shape", lambda: matrices((3, 3), rank=2, condition=5)),
    ("rank", lambda: matrices(rank=1, spectrum="zero")),
    ("norm", lambda: matrices(norm=NO_NUMBER)),
    ("norm", lambda: matrices(norm=1e39, dtype="float32")),
    ("norm", lambda: matrices(norm=1, rank=0)),
    ("condition", lambda: matrices(condition=1e13)),
    ("condition", lambda: matrices(condition=2, rank=1)),
    ("condition", lambda: matrices(condition=2, spectrum="generic")),
    ("spectrum", lambda: matrices(spectrum="flat")),
    ("spectrum", lambda: matrices(spectrum=[-1])),
    ("library", lambda: matrices(library="jax")),
    ("dtype", lambda: matrices(dtype="float16")),
    ("radius", lambda: ball((2, 2), -1.0)),
    ("rows", lambda: orthogonal(0, 2)),
    ("largest", lambda: shapes(0)),
    ("least", lambda: shapes(3, least=0)),
    ("radii.b", lambda: domain_points(LORA, {"a": 1.0, "b": 0.0})),
    ("radii", lambda: domain_points(LORA, {"a": 1.0})),
    ("replicas", lambda: domain_points(LORA, {"a": 1.0, "b": 1.0}, 0)),
    ("kind", lambda: adapters("ia3")),
    ("shape", lambda: adapters("lora", (0, 2))),
    ("rank", lambda: adapters("lora", (2, 3), rank=3)),
    ("most", lambda: adapters("lora", most=0)),
    ("shape", lambda: some(softmax_problems((2,)))),
]


@pytest.mark.parametrize("field, call", REFUSED)
def test_contradictions_are_refused(field, call):
    assert refused(call).field == field
