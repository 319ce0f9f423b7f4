"""Exact witnesses against floats: curvature by finite differences, domains by NumPy's norms, and
the true claims."""

from dataclasses import replace
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from boundcheck.exact.balls import plus, scaled
from boundcheck.exact.balls import rows as matrix
from soundness.exact_model import spectral_at_most, steepest
from soundness.smoothness import CHOICES, Statement, inputs_at, is_spectral, pairs
from tests.layers import examples

KINDS = ("full", "lora", "frozen-a", "frozen-b", "direft", "loreft", "loreft-trained", "dora")
RATIONALS = st.fractions(-4, 4, max_denominator=12)


def point(kind, choice=1, rank=1):
    (claim,) = [claim for other, claim in pairs() if other == kind][:1]
    if kind == "dora" and choice in (2, 3, 4):
        choice = 5
    constants = Statement.of(kind, claim, "", "", claim).known(CHOICES[choice])
    return steepest(
        kind, tuple((name, Fraction(x)) for name, x in constants.items()), kind == "dora", rank
    )


def weight(found, v):
    """W(v) - W0 in NumPy; of DoRA W(v)."""
    s = float(found.constants.get("s", 1))
    fixed = {name: np.array(X, dtype=float) for name, X in found.frozen.items()}
    match found.kind:
        case "full":
            return v[0]
        case "lora" | "direft":
            return s * v[1] @ v[0]
        case "frozen-a":
            return s * v[0] @ fixed["A"]
        case "frozen-b":
            return s * fixed["B"] @ v[0]
        case "loreft":
            # The polar retraction agrees with geodesics to second order.
            U, _, Vh = np.linalg.svd(v[0], full_matrices=False)
            return (U @ Vh).T @ v[1]
        case "loreft-trained":
            U, _, Vh = np.linalg.svd(v[0], full_matrices=False)
            return (U @ Vh).T @ (v[1] - U @ Vh @ np.eye(v[0].shape[1], v[1].shape[1]))
    V = fixed["W0"] + s * v[1] @ v[0]
    return V / np.linalg.norm(V, axis=0) * v[2]


@pytest.mark.parametrize("choice", range(len(CHOICES)))
@pytest.mark.parametrize(
    "kind, rank",
    [*((kind, 1) for kind in KINDS), ("lora", 2), ("loreft", 2), ("loreft-trained", 2)],
)
def test_curvature_is_the_second_difference_of_the_loss(kind, rank, choice):
    found = point(kind, choice, rank)
    v, u = ([np.array(part, dtype=float) for part in point] for point in (found.v, found.direction))
    size = np.sqrt(sum((part**2).sum() for part in u))
    h = 1e-3 / size

    def along(t):
        return weight(found, [x + t * y for x, y in zip(v, u, strict=True)])

    first = (along(h) - along(-h)) / (2 * h)
    E = first / max(np.linalg.norm(first), 1e-300)
    N = np.array(found.tilt, dtype=float)
    L = float(found.constants["L"])
    G = float(found.constants["G"])

    def loss(t):
        return L / 2 * (E * (along(t) - along(0))).sum() ** 2 + G * (N * along(t)).sum()

    second = (loss(h) - 2 * loss(0) + loss(-h)) / h**2
    assert float(found.bend(found.direction)) == pytest.approx(second, rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_point_that_breaks_a_hypothesis_is_refused(kind):
    """A block outside of its domain, rows that are not orthonormal, a gradient larger than G, a
    frozen matrix."""
    found = point(kind)
    over = Fraction(101, 100)
    under = Fraction(99, 100)
    outside = [("larger than G", {"tilt": scaled(over, found.tilt)})]
    if kind == "loreft-trained":
        # What is bounded is the edit.
        R, U = found.v
        inside, beyond = ((R, plus(R, plus(U, R, Fraction(-1)), share)) for share in (under, over))
        replace(found, v=inside).check()
        outside.append(("outside", {"v": beyond}))
    if kind.startswith("loreft"):
        outside.append(("outside", {"v": (scaled(over, found.v[0]), found.v[1])}))
    elif kind != "full":
        replace(found, v=tuple(scaled(under, part) for part in found.v)).check()
        outside.append(("outside", {"v": tuple(scaled(over, part) for part in found.v)}))
    for name in {"frozen-a": "A", "frozen-b": "B", "dora": ["W0"]}.get(kind, ""):
        other = scaled(Fraction(9, 10) if name == "W0" else over, found.frozen[name])
        outside.append((name, {"frozen": dict(found.frozen) | {name: other}}))
    for why, changes in outside:
        with pytest.raises(ValueError, match=why):
            replace(found, **changes).check()


@examples(40)
@given(st.lists(st.lists(RATIONALS, min_size=3, max_size=3), min_size=1, max_size=2), st.booleans())
def test_the_spectral_norm_is_numpys(rows, upright):
    X = matrix(*map(tuple, rows))
    X = tuple(zip(*X, strict=True)) if upright else X
    norm = Fraction(float(np.linalg.norm(np.array(X, dtype=float), 2)))
    assert spectral_at_most(X, norm + Fraction(1, 10**6))
    assert norm < Fraction(1, 10**6) or not spectral_at_most(X, norm - Fraction(1, 10**6))


@examples(30)
@given(st.data())
def test_no_exact_point_contradicts_the_catalogue(data):
    kind, claim = data.draw(st.sampled_from(list(pairs())))
    size = st.integers(1, 24).map(lambda n: n / 8)
    names = ("L", "G", "s", "a", "b", "mu", "nu", "rho")
    choice = {name: data.draw(size, label=name) for name in names}
    choice["w_0"] = choice["s"] * choice["a"] * choice["b"] + data.draw(size, label="room")
    constants = Statement.of(kind, claim, "", "", claim).known(choice)
    ranks = (1,) if claim.conditions or not kind.startswith("loreft") else (1, 2)
    for rank in ranks:
        items = tuple((name, Fraction(x)) for name, x in constants.items())
        found = steepest(kind, items, not is_spectral(claim), rank)
        bound = claim.enclosures(**inputs_at(claim, constants, rank))["Lhat"]
        assert float(found.curvature(found.direction)) <= float(bound.upper()) * (1 + 1e-12)
