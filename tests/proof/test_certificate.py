"""What is certified follows, and what follows simply is certified; linear programs against
SciPy."""

import os
import random
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from flint import fmpq
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from boundcheck.kernel import Fact, Law, replay, rules
from boundcheck.kernel.terms import Scalar, Variable
from boundcheck.proof import certificate
from boundcheck.proof.certificate import certify
from boundcheck.proof.sums import Packing, combine, times
from tests.layers import examples

from .entailments import entailed, polynomials, refuted

HALF = Fraction(1, 2)
a, b, c, d, h, m, n, p, q, s, u, w, x, y, z = (
    Scalar.of(Variable(name)) for name in "abcdhmnpqsuwxyz"
)
D, K, L, N, P, R, S, T, U = (
    Scalar.of(Variable(name)) for name in ("D", "K", "L", "N", "P", "R", "S", "T_0", "U")
)
ZERO = x - x


def ge(polynomial):
    return rules.assume(Fact(">=", polynomial))


def gt(polynomial):
    return rules.assume(Fact(">", polynomial))


def eq(polynomial):
    return rules.assume(Fact("=", polynomial))


def checked(theorem, goal, premises):
    """The theorem, after the kernel has agreed, and after it has been seen to need every premise it
    names."""
    assert theorem is not None
    assert replay(theorem).same_as(theorem)
    assert theorem.conclusion == goal
    assert set(theorem.premises) <= set(premises)
    _, terms, multipliers, factor = theorem.arguments
    used = (
        {place for _, places in terms for place in places}
        | {place for _, place in multipliers}
        | set(factor)
    )
    assert used == set(range(len(theorem.premises)))
    return theorem


EIGENVALUE = [gt(x - P), eq(x * x - x * (P + R) + P * R - K * K), ge(P), ge(R), ge(K), ge(p), ge(u)]
STRETCHED = x * x * (p * p + u * u) - (P * p + K * u) ** 2 - (K * p + R * u) ** 2
KAPPA = [
    gt(a),
    gt(T),
    gt(D),
    eq(q - a * L),
    eq(S * S * T - D * L * z * z),
    eq(a * a * L * z * z * T - D),
    eq(S - a * L * z * z),
    ge(D + L * a * a * z * z * T * HALF - (1 - q * HALF) * N * T * a),
]
ROOT2 = [eq(w * w - 2), eq(n * n - x * x - y * y), ge(x), ge(y)]
MOTZKIN = (x * x + y * y) * (x**4 * y**2 + x**2 * y**4 - 3 * x * x * y * y + 1)

FOUND = {
    "a product of premises": (">=", c * y - c * x, [ge(y - x), ge(c)]),
    "half of a premise": (">=", HALF * y - q * y, [ge(HALF - q), ge(y)]),
    "huge and tiny coefficients": (
        ">=",
        10**9 * c * y - c * x,
        [ge(10**6 * y - Fraction(1, 1000) * x), ge(c)],
    ),
    "a slack below the tolerance of the solver": (">=", y - 1, [ge(y - 1 - Fraction(1, 10**12))]),
    "a square of the goal": (">", R - d, [ge(R), eq(R * R - d * d - h * h), gt(h), gt(R)]),
    "the root of a sum": (">", R - d, [ge(R), eq(R * R - d * d - h * h), gt(h), gt(R + d)]),
    "the factor found": ("=", R - x, [gt(x), ge(R), gt(R + x), eq(R * R - x * x)]),
    "the largest eigenvalue": (">=", STRETCHED, EIGENVALUE),
    "kappa": (">=", Fraction(3, 2) * S - N * (1 - q * HALF), KAPPA),
    "the root of 2": (">=", w * n - x - y, [*ROOT2, gt(w * n + x + y)]),
    "the root of 2, two factors": (">=", w * n - x - y, [*ROOT2, gt(w), gt(n)]),
    "descent": (
        ">=",
        x - HALF * a * n**2,
        [ge(x - a * n**2 + HALF * L * a**2 * n**2), ge(1 - L * a), gt(a)],
    ),
    "Young, by an inverse": (">=", HALF * (L * x * x + w * y * y) - x * y, [gt(L), eq(L * w - 1)]),
    "three premises": (">=", x * y * z, [ge(x), ge(y), ge(z)]),
    "Schur": (
        ">=",
        a * (a - b) * (a - c) + b * (b - a) * (b - c) + c * (c - a) * (c - b),
        [ge(a - b), ge(b - c), ge(c)],
    ),
    "a chain of equations": (
        "=",
        w - ((a + b) * c + 1) ** 2 * d,
        [eq(x - a - b), eq(y - x * c - 1), eq(z - y * y), eq(w - z * d)],
    ),
    "an inverse is positive": (">", y, [gt(x), eq(x * y - 1)]),
    "strictly, from two": (">", x * y - 1, [gt(x - 1), gt(y - 1)]),
    "strictly, where weak premises are cheaper": (">", x, [ge(x), gt(2 * x - y), ge(y)]),
    "strictly, at the bound of the gauge": (">", x + y, [ge(x), ge(y), gt(x - z), gt(z)]),
    "a square with coefficients, strictly": (">", (3 * x - 2 * y) ** 2 + Fraction(1, 3), []),
    "a quartic": (">=", 3 * x**4 + 2 * y**4 - x * y + 1 - x * y**3, []),
    "on a face": (">=", MOTZKIN, []),
    "four means": (">=", x**4 + y**4 + z**4 + w**4 - 4 * x * y * z * w, []),
    "a square and a premise": (">=", (m * m + s) * U * U - 2 * b * m * U + b * b, [ge(s)]),
    "a square times a premise": (">=", s * (x - 3 * y) ** 2, [ge(s)]),
    "a form, modulo an equation": (">=", z - 4 * x * y + 4 * y * y, [eq(z - x * x)]),
    "nothing": (">=", ZERO, []),
    "nothing equals nothing": ("=", ZERO, []),
    "a number": (">", ZERO + 3, [ge(x)]),
    "a contradiction": (">", y, [ge(x), ge(-x - 1), ge(y)]),
}


@pytest.mark.parametrize("relation, polynomial, premises", FOUND.values(), ids=FOUND.keys())
def test_found(relation, polynomial, premises):
    goal = Fact(relation, polynomial)
    checked(certify(goal, premises), goal, premises)


MISSED = {
    "no reason": (">=", x - y, [ge(x), ge(y)]),
    "almost true": (">=", y - 1, [ge(y - 1 + Fraction(1, 10**10))]),
    "an indefinite form": (">=", x * x - 3 * x * y + y * y, []),
    "only weakly": (">", x * x - 2 * x * y + y * y, [gt(x)]),
    "zero is not positive": (">", ZERO, [gt(x)]),
    "no equation": ("=", x - y, [eq(x * x - y * y)]),
    "equations do not come from inequalities": ("=", x, [ge(x), ge(-x)]),
    "true, but no sum of squares": (">=", x**4 * y**2 + x**2 * y**4 - 3 * x * x * y * y + 1, []),
    "an eigenvalue too large": (">=", STRETCHED - HALF * x * x * p * p, EIGENVALUE),
}


@pytest.mark.parametrize("relation, polynomial, premises", MISSED.values(), ids=MISSED.keys())
def test_not_found(relation, polynomial, premises):
    assert certify(Fact(relation, polynomial), premises) is None


def test_products_stop_at_the_degree():
    u, v, w = x - 1, y - 1, z - 1
    assert certify(Fact(">=", u * v * w), [ge(u), ge(v), ge(w)], degree=2) is None


@examples(60)
@given(refuted())
def test_what_is_false_is_never_certified(given):
    assert certify(given.goal, [rules.assume(premise) for premise in given.premises]) is None


@examples(60)
@given(entailed())
def test_what_follows_by_squares_and_multiples_is_found(given):
    premises = [rules.assume(premise) for premise in given.premises]
    checked(certify(given.goal, premises), given.goal, premises)


def test_premises_that_are_not_needed_are_left_out_and_laws_passed_over():
    law = rules.assume(Law([Variable("x")], [], Fact(">=", x)))
    theorem = certify(
        Fact(">=", c * y - c * x), [law, gt(z), eq(w - x * y), ge(c), ge(n), ge(y - x), ge(y - x)]
    )
    assert theorem is not None
    assert theorem.hypotheses == {Fact(">=", c), Fact(">=", y - x)}
    assert len(theorem.premises) == 2


def printed(code, seed="0"):
    """What another process prints, with this seed of Python's hashes."""
    environment = os.environ | {"PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", "from tests.proof.test_certificate import *\n" + code]
    root = Path(__file__).parents[2]
    return subprocess.run(
        command, cwd=root, env=environment, capture_output=True, check=True, text=True
    ).stdout


@pytest.mark.full
def test_the_same_question_has_the_same_answer_in_every_process():
    code = """
from boundcheck.proof.notation import identity
for case in ("kappa", "Schur", "a quartic", "the largest eigenvalue"):
    relation, polynomial, premises = FOUND[case]
    print(identity(certify(Fact(relation, polynomial), premises)))
"""
    first, second = (printed(code, seed) for seed in "12")
    assert first == second
    assert first.count("\n") == 4


def test_caps_end_a_search_that_would_be_too_large(monkeypatch):
    for name in (
        "MOST_TERMS",
        "MOST_PLAIN",
        "MOST_MULTIPLES",
        "MOST_GRAM_TERMS",
        "MOST_GRAM_MULTIPLES",
    ):
        monkeypatch.setattr(certificate, name, 2)
    premises = [ge(z), ge(x), ge(y), eq(a - b), eq(b - c)]
    assert certify(Fact(">=", x * y), premises) is None
    assert certify(Fact(">=", z + 1), premises) is not None


@given(polynomials(degree=4), polynomials(degree=4))
def test_packed_products_are_the_kernels(left, right):
    packing = Packing([left, right])
    assert packing.unpack(times(packing.pack(left), packing.pack(right))) == left * right


@given(st.lists(st.lists(st.integers(0, 5), min_size=3, max_size=3), min_size=2, max_size=2))
def test_quotients_and_roots_of_monomials(powers):
    packing = Packing([x, y, z])
    first, second = ((x**i * y**j * z**k) for i, j, k in powers)
    (one,) = packing.pack(first)
    (two,) = packing.pack(second)
    (both,) = packing.pack(first * second)
    assert packing.quotient(both, two) == one
    assert packing.quotient(one, both) == (0 if both == one and not two else None)
    assert packing.root(2 * one) == one
    assert (packing.root(one) is None) == any(power % 2 for power in powers[0])


def test_many_premises_do_not_matter_to_an_easy_goal():
    generator = random.Random(0)
    letters = [Scalar.of(Variable(name)) for name in "abcdefghijklmnopqrsu"]
    premises = [ge(letter) for letter in letters[:12]]
    premises += [
        ge(generator.choice(letters) * generator.choice(letters) - letter) for letter in letters
    ]
    goal = Fact(">=", letters[0] * letters[1] + letters[2])
    assert len(checked(certify(goal, premises), goal, premises).premises) == 3


ROWS = 3
vectors = st.lists(st.integers(-3, 3), min_size=ROWS, max_size=ROWS)


def poly(vector):
    return {place: fmpq(x) for place, x in enumerate(vector) if x}


@given(vectors, st.lists(vectors.filter(any), min_size=1, max_size=6), st.data())
@examples(100)
def test_weights_are_exact_and_as_cheap_as_those_of_linprog(target, columns, data):
    nonnegative = data.draw(st.integers(0, len(columns)))
    costs = [1.0 + place / 7 for place in range(len(columns))]
    found = combine(poly(target), [poly(column) for column in columns], costs, nonnegative)
    # A free weight is the difference of two; a cost is relative to the largest coefficient of its
    # column.
    A = np.array(columns, float).T
    free = -A[:, nonnegative:]
    per = np.array(costs) * abs(A).max(0)
    twin = linprog(
        [*per, *per[nonnegative:]], A_eq=np.hstack([A, free]), b_eq=target, method="highs-ds"
    )
    assert (found is None) == (twin.status != 0)
    if found is not None:
        sums = [
            sum(w * column[row] for w, column in zip(found, columns, strict=True))
            for row in range(ROWS)
        ]
        assert sums == [fmpq(x) for x in target]
        assert all(w >= 0 for w in found[:nonnegative])
        assert float(
            sum(abs(float(w)) * c for w, c in zip(found, per, strict=True))
        ) == pytest.approx(twin.fun)


def test_a_search_prints_nothing(capfd):
    """HiGHS would: what it prints on stdout is there beside the one object of --json."""
    assert combine(poly([1, 0, 2]), [poly([1, 0, 2])], [1.0], 1) == [fmpq(1)]
    assert capfd.readouterr() == ("", "")
