"""Every number of every claim against a naive twin: the formula, transcribed from its source, in
mpmath.

The twin of a top eigenvalue is that of the matrix, as large as there are blocks, and the twin of
the best step a
minimum: neither is the catalogue's own formula.
"""

import math
from types import SimpleNamespace

import hypothesis.strategies as st
import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from flint import arb, ctx
from hypothesis import given

from boundcheck.exact.balls import enclose
from boundcheck.language.catalogue import catalogue
from tests.layers import examples
from tests.properties.drawn import claim_inputs

DIGITS = 50
EPSILON = 2.0**-52
EVALUABLE = [id for id, claim in catalogue.items() if claim.quantities]
# Their bounds are differences of numbers that may be near to each other: the enclosures say how
# near.
DIFFERENCES = {
    "bottou2018.theorem4_6",
    "bottou2018.contraction",
    "meft.adaptive_gd",
    "meft.theorem2_average_sharp",
}


def lemma1(i):
    return {"Lhat": 2 * i.L * i.C * mp.sqrt(i.r) * i.sigma + i.G}


def top(M):
    """The largest eigenvalue of a symmetric matrix."""
    return max(mp.eigsy(mp.matrix(M), eigvals_only=True))


def outer(p):
    return mp.matrix(p) * mp.matrix([p])


def lemma1_sharp(i):
    cross = i.s**2 * i.L * i.a * i.b + i.s * i.G
    return {"Lhat": top([[i.s**2 * i.L * i.b**2, cross], [cross, i.s**2 * i.L * i.a**2]])}


def frozen_a(i):
    return {"Lhat": i.L * (i.s * i.a) ** 2}


def composition(i):
    return {"Lhat": i.L * i.J**2 + i.G * i.H}


def composed(i, jacobian, second):
    return {"J": jacobian, "H": second} | composition(
        SimpleNamespace(L=i.L, G=i.G, J=jacobian, H=second)
    )


def dora_parts(i):
    """In (m, (A, B)): the derivative in m keeps lengths, that of the columns' directions is at
    right angles to it."""
    least = i.w_0 - i.s * i.a * i.b
    turn = mp.norm([i.s * i.a, i.s * i.b]) / least
    bend = i.mu * (2 / mp.sqrt(3) * turn**2 + i.s / least)
    return mp.matrix([[1, 0], [0, i.mu * turn]]), mp.matrix([[0, turn], [turn, bend]])


def dora(i):
    first, second = dora_parts(i)
    return composed(i, top(first), top(second))


def dora_blocks(i):
    first, second = dora_parts(i)
    return {"Lhat": top(i.L * first**2 + i.G * second)}


def loreft_second(i):
    """In (R, V): twice the mixed term, of norm 1, and the bend of a geodesic times V."""
    return mp.matrix([[i.nu, 1], [1, 0]])


def loreft_rank1(i):
    """Without the mixed terms of the outer product, because both parts of the derivative are at
    right angles."""
    return {"Lhat": top(i.L * mp.matrix([[i.nu**2, 0], [0, 1]]) + i.G * loreft_second(i))}


def loreft_trained(i):
    """R enters W a second time: its steepness is ν + 1, and the second derivative in it has 2 + (ν
    + 1)."""
    return {"Lhat": top(i.L * outer([i.nu + 1, 1]) + i.G * mp.matrix([[i.nu + 3, 1], [1, 0]]))}


def layers(i):
    second = SimpleNamespace(L=i.L, G=i.G_2, a=i.a_2, b=i.b_2, s=i.s_2)
    return {"Lhat": max(lemma1_sharp(i)["Lhat"], lemma1_sharp(second)["Lhat"])}


def theorem2(i):
    Lhat = lemma1(i)["Lhat"]
    alpha = mp.sqrt(i.D / (Lhat * i.zeta**2 * i.T))
    T_min = 4 * Lhat * i.D / i.zeta**2
    return {
        "Lhat": Lhat,
        "alpha": alpha,
        "T_min": T_min,
        "bound": 2.5 * mp.sqrt(i.D * Lhat * i.zeta**2 / i.T),
    }


def averaged_descent(i, Lhat, alpha):
    """The right-hand side of the repaired proof at any step size, from which both kappas come."""
    return (i.D / (alpha * i.T) + Lhat * alpha * i.zeta**2 / 2) / (1 - Lhat * alpha / 2)


def at_its_kappa(i, Lhat, bound, **more):
    """With what is measured against the rate: q, and kappa, by which the bound exceeds the root of
    D L̂ ζ²/T."""
    q = mp.sqrt(Lhat * i.D / (i.zeta**2 * i.T))
    return {
        "Lhat": Lhat,
        "q": q,
        "kappa": bound / mp.sqrt(i.D * Lhat * i.zeta**2 / i.T),
        "bound": bound,
    } | more


def theorem2_repaired(i):
    Lhat = lemma1_sharp(i)["Lhat"]
    alpha = mp.sqrt(i.D / (Lhat * i.zeta**2 * i.T))
    bound = averaged_descent(i, Lhat, alpha)
    return at_its_kappa(i, Lhat, bound, alpha=alpha, T_min=4 * Lhat * i.D / i.zeta**2)


def at_best_step(i, Lhat):
    """Stationarity of the right-hand side is x^2 + 2 q^2 x - 2 q^2 = 0 for x = Lhat alpha; this
    root form is stable."""
    q = mp.sqrt(Lhat * i.D / (i.zeta**2 * i.T))
    alpha = 2 * q / (q + mp.sqrt(q**2 + 2)) / Lhat
    return at_its_kappa(i, Lhat, averaged_descent(i, Lhat, alpha), alpha=alpha)


def theorem2_best_step(i):
    return at_best_step(i, lemma1_sharp(i)["Lhat"])


def theorem2_frozen_a(i):
    """The repaired proof's right-hand side again, with the smoothness of a frozen A."""
    return at_best_step(i, frozen_a(i)["Lhat"])


def at_ell(i, alpha, bound):
    return {"Lhat": i.ell, "alpha": alpha, "bound": bound}


def theorem2_everywhere(i):
    """A step takes three parts of its own squared gradient and one of the next, each α/4, less what
    noise returns."""
    q = mp.sqrt(i.ell * i.D / (i.zeta**2 * i.T))
    alpha = q / i.ell
    taken = alpha * (3 - q) / 4 + alpha / 4
    given_back = alpha * q * (2 + q) / 4 * i.zeta**2
    bound = (i.D / i.T + given_back) / taken
    return at_its_kappa(i, i.ell, bound, alpha=alpha, T_min=4 * i.ell * i.D / i.zeta**2)


def theorem2_average(i):
    """The repaired proof's right-hand side, which is about the average, at the paper's step."""
    q = mp.sqrt(i.ell * i.D / (i.zeta**2 * i.T))
    bound = averaged_descent(i, i.ell, q / i.ell)
    return at_its_kappa(
        i, i.ell, bound, alpha=q / i.ell, T_min=4 * i.ell * i.D / i.zeta**2, kappa=3 / (2 - q)
    )


def theorem2_average_sharp(i):
    """The same, less what the last of the exact averages on the parabola may hide: (3/(2 -
    q))²ζ²/(3T)."""
    known = theorem2_average(i)
    return known | {"attained": known.pop("bound") - 3 * i.zeta**2 / ((2 - known["q"]) ** 2 * i.T)}


def theorem2_any_step(i):
    """The repaired proof's right-hand side, at the step that is given."""
    return at_ell(i, i.eta, averaged_descent(i, i.ell, i.eta)) | {"eta_max": 2 / i.ell}


def unconditional_gd(i):
    """By composition on a ball of radius rho around (A_1, B_1), with the gradient that a sublevel
    set allows."""
    rho = mp.root(2 * i.D * i.T / i.L, 4)
    reached = mp.norm([i.a_1, i.b_1]) + rho
    Lhat = composition(SimpleNamespace(L=i.L, J=reached, G=mp.sqrt(2 * i.L * i.D), H=1))["Lhat"]
    return {"rho": rho, "Lhat": Lhat, "alpha": 1 / Lhat, "bound": i.D / (i.T * (1 / (2 * Lhat)))}


def gradient_descent(i):
    """T decreases of at least half a step times the squared gradient norm share the gap."""
    alpha = 1 / i.ell
    return at_ell(i, alpha, i.D / (i.T * alpha / 2))


def corollary2_2(i):
    """In the paper's letters, at its D~ = D_f."""
    D_f = mp.sqrt(2 * i.D / i.ell)
    sigma = i.zeta
    N = i.T
    over_L = i.ell * D_f**2 / N + (D_f + D_f**2 / D_f) * sigma / mp.sqrt(N)
    return at_ell(i, min(1 / i.ell, D_f / (sigma * mp.sqrt(N))), i.ell * over_L)


def expected_smoothness(i):
    gamma = min(
        1 / mp.sqrt(i.ell * i.abc_a * i.T),
        1 / (i.ell * i.abc_b),
        mp.sqrt(2 * i.D / (i.ell * i.abc_c * i.T)),
    )
    power = 1 + 2 * i.ell * gamma**2 * i.abc_a * i.T
    return at_ell(i, gamma, i.ell * i.abc_c * gamma + 2 * power / (gamma * i.T) * i.D)


def bounded_variance(i):
    """Twice what averaged descent has above its line, where half of a step times the smoothness is
    at most a half."""
    alpha = min(1 / i.ell, mp.sqrt(2 * i.D / (i.ell * i.zeta**2 * i.T)))
    return at_ell(i, alpha, 2 * averaged_descent(i, i.ell, alpha) * (1 - i.ell * alpha / 2))


def best_step(i):
    """Over N + 1 iterates at the step h, with the paper's minimum."""
    h = 2 / (mp.sqrt(3) * i.ell)
    N = i.T - 1
    least = min(4 * h - i.ell * h**2, 4 * h - i.ell**2 * h**3)
    return at_ell(i, h, 4 * i.D / (N * least + 2 / i.ell))


def heavy_ball(i):
    """The decrease of the Lyapunov function over a squared step, and what squared steps say of the
    gradient."""
    share = (1 - i.beta) / i.eta - i.ell / 2
    return at_ell(i, i.eta, (1 + i.beta) ** 2 / i.eta**2 * (i.D / share) / i.T) | {
        "eta_max": (1 - i.beta) * 2 / i.ell
    }


def heavy_ball_short_step(i):
    """D over what each squared gradient takes from the Lyapunov function, half a step, among T of
    them."""
    return at_ell(i, i.eta, i.D / (i.eta / 2) / i.T) | {
        "eta_max": (1 - i.beta) * (1 + i.beta) / i.ell
    }


def adagrad_norm(i):
    """The last b times the sum of squared gradients over b."""
    total = i.D / (i.eta / 2)
    return {"Lhat": i.ell, "delta_min": i.ell * i.eta, "bound": (i.delta + total) * total / i.T}


def nonconvex_sgd(i):
    """What is left of the descent with half of it given away."""
    given_away = i.eta / 2
    bound = (i.D / i.T + i.ell * i.eta**2 * i.zeta**2 / 2) / given_away
    return {"Lhat": i.ell, "eta_max": 1 / i.ell, "alpha": i.eta, "bound": bound}


def constant_step(i):
    """The recurrence of the gap, step by step."""
    gap = i.D
    for _ in range(int(i.T) - 1):
        gap = gap - i.eta * i.mu_F * gap + i.ell * (i.eta * i.zeta) ** 2 / 2
    rest = i.ell * (i.eta * i.zeta) ** 2 / 2 / (i.eta * i.mu_F)
    return {"Lhat": i.ell, "eta_max": 1 / i.ell, "alpha": i.eta, "rest": rest, "bound": gap}


def convex_average(i):
    """The distance of v_1 and the noise of T steps, shared among 2αT."""
    shared = (i.R_1**2 + i.T * (i.eta * i.zeta) ** 2) / (2 * i.T * i.eta)
    return {"Lhat": i.ell, "eta_max": 1 / i.ell, "alpha": i.eta, "bound": shared}


def contraction(i):
    """The recurrence of the squared distance, step by step."""
    square = i.R_1**2
    for _ in range(int(i.T) - 1):
        square = square - i.eta * i.mu_F * square + (i.eta * i.zeta) ** 2
    spread = (i.eta * i.zeta) ** 2 / (i.eta * i.mu_F)
    return {"Lhat": i.ell, "eta_max": 1 / i.ell, "alpha": i.eta, "spread": spread, "bound": square}


def decreasing_step(i):
    noise = i.ell * (i.omega * i.zeta) ** 2 / 2
    late = max(noise / (i.omega * i.mu_F - 1), i.gamma * i.D + i.D)
    return {
        "Lhat": i.ell,
        "omega_min": mp.mpf(1) / i.mu_F,
        "gamma_min": i.ell * i.omega - 1,
        "late": late,
        "bound": late / (i.T + i.gamma),
    }


def adaptive_gd(i):
    """The sum S of the steps is where p S + q S^2/2 = T; 3/4 S times the least squared gradient is
    at most D."""
    steep = mp.sqrt(i.L * i.D) * mp.sqrt(2)
    radius = mp.norm([i.a_1, i.b_1])
    e = radius * mp.root(i.L * 3 / (i.D * i.T), 4)
    p = 2 * (i.L * (radius**2 + radius**2 / e) + steep)
    q = mp.mpf(8) / 3 * (1 + e) * i.L * i.D
    steps = 2 * i.T / (p + mp.sqrt(p**2 + 2 * q * i.T))
    bound = i.D / (mp.mpf(3) / 4 * steps)
    return {
        "share": mp.mpf(1) / 2,
        "steep": steep,
        "stretch": e,
        "first": p,
        "growth": q,
        "bound": bound,
    }


def nesterov(i):
    return at_ell(i, 1 / i.ell, i.R_1**2 / (2 / i.ell * (i.T / mp.mpf(2)) ** 2))


def convex_descent(i):
    N = i.T - 1
    return at_ell(i, 1 / i.ell, i.ell * i.R_1**2 / (4 * N + 2))


def strong_descent(i):
    """With the condition number, as the book has it."""
    Q = i.ell / i.mu_F
    return at_ell(i, 2 / (i.mu_F + i.ell), (((Q - 1) / (Q + 1)) ** (i.T - 1) * i.R_1) ** 2)


def theorem2_1_15(i):
    """What the eigenvalues of I - αH leave, at both ends of the range."""
    alpha = 2 / (i.ell + i.mu_F)
    left = max((1 - alpha * h) ** 2 for h in (i.ell, i.mu_F))
    return {"Lhat": i.ell, "alpha": alpha, "left": left, "bound": left ** (i.T - 1) * i.R_1**2}


TWINS = {
    "jiang2024.lemma1": lemma1,
    "jiang2024.theorem2": theorem2,
    "jiang2024.rate": lambda i: {"bound": i.c * mp.root(i.r, 4) * mp.sqrt(i.sigma) / mp.sqrt(i.T)},
    "meft.lemma1_sharp": lemma1_sharp,
    "meft.lemma1_sharp_equal_radii": lambda i: {"Lhat": 2 * i.L * i.sigma**2 + i.G},
    "meft.frozen_a": frozen_a,
    "meft.layers": layers,
    "meft.all_layers": lemma1_sharp,
    "meft.composition": composition,
    "meft.full": lambda i: {"Lhat": i.L},
    # The norm of (s b, s a), the sizes of the two derivatives, and s times the swap of the blocks.
    "meft.lora": lambda i: composed(i, mp.norm([i.s * i.b, i.s * i.a]), top([[0, i.s], [i.s, 0]])),
    "meft.frozen_b": lambda i: {"Lhat": i.L * (i.s * i.b) ** 2},
    # Of LoRA on [h; 1] at scale 1.
    "meft.direft": lambda i: lemma1_sharp(SimpleNamespace(L=i.L, G=i.G, a=i.a, b=i.b, s=mp.mpf(1))),
    "meft.dora": dora,
    "meft.dora_blocks": dora_blocks,
    "meft.loreft": lambda i: composed(i, mp.norm([i.nu, 1]), top(loreft_second(i))),
    "meft.loreft_sharp": lambda i: {"Lhat": top(i.L * outer([i.nu, 1]) + i.G * loreft_second(i))},
    "meft.loreft_rank1": loreft_rank1,
    "meft.loreft_trained": loreft_trained,
    "meft.theorem2_repaired": theorem2_repaired,
    "meft.theorem2_best_step": theorem2_best_step,
    "meft.theorem2_frozen_a": theorem2_frozen_a,
    "meft.relora": theorem2_best_step,
    "meft.unconditional_gd": unconditional_gd,
    "meft.theorem2_any_step": theorem2_any_step,
    "meft.theorem2_everywhere": theorem2_everywhere,
    "meft.theorem2_average": theorem2_average,
    "meft.theorem2_average_sharp": theorem2_average_sharp,
    "nesterov2004.gradient_descent": gradient_descent,
    "ghadimi2013.corollary2_2": corollary2_2,
    "khaled2020.theorem2": expected_smoothness,
    "khaled2020.bounded_variance": bounded_variance,
    "abbaszadehpeivasti2022.best_step": best_step,
    "classic.heavy_ball": heavy_ball,
    "classic.heavy_ball_short_step": heavy_ball_short_step,
    "ward2019.adagrad_norm": adagrad_norm,
    "su2016.nesterov": nesterov,
    "bottou2018.theorem4_6": constant_step,
    "bottou2018.theorem4_7": decreasing_step,
    "bottou2018.theorem4_8": nonconvex_sgd,
    "bottou2018.convex_average": convex_average,
    "bottou2018.contraction": contraction,
    "meft.adaptive_gd": adaptive_gd,
    "drori2014.gradient_descent": convex_descent,
    "nesterov2004.strongly_convex": strong_descent,
    "nesterov2004.theorem2_1_15": theorem2_1_15,
}


def test_every_evaluable_claim_has_a_twin():
    assert set(EVALUABLE) == set(TWINS)


def cancellation(claim, exact):
    """By what a strict condition, which keeps a difference in a formula positive, magnifies
    relative errors."""
    derived = {quantity.symbol: claim.expression(quantity.name) for quantity in claim.quantities}
    strict = [
        c for c in claim.conditions if isinstance(c, sp.StrictGreaterThan | sp.StrictLessThan)
    ]
    ends = [(c.gts.subs(derived), c.lts.subs(derived)) for c in strict]
    powers = [
        float(x.exp.subs(exact))
        for q in claim.quantities
        for x in q.expression.atoms(sp.Pow)
        if x.exp.free_symbols
    ]
    return math.prod(
        float(((more + less) / (more - less)).subs(exact)) for more, less in ends
    ) * max([1.0, *powers])


@pytest.mark.parametrize("id", EVALUABLE)
@examples(40)
@given(data=st.data())
def test_enclosures_contain_the_twin_and_are_within_a_few_ulps_of_floats(id, data):
    """Of one number after the other, and of arrays."""
    claim = catalogue[id]
    rows = [data.draw(claim_inputs(claim)) for _ in range(2)]
    exact = [claim.check(row) for row in rows]
    balls = claim.enclosures(**rows[0])
    with mp.workdps(DIGITS):
        twin = TWINS[id](
            SimpleNamespace(
                **{str(x.name): mp.mpf(value.p) / value.q for x, value in exact[0].items()}
            )
        )
        as_text = {name: mp.nstr(value, DIGITS) for name, value in twin.items()}
    assert list(balls) == list(claim.names)
    for name, ball in balls.items():
        with ctx.workdps(DIGITS):
            # The twin is not exact either: half of its digits are granted to its own rounding.
            near = arb(as_text[name]) * (1 + arb(0, f"1e-{DIGITS // 2}"))
        assert ball.overlaps(near), name
    if id in DIFFERENCES:
        return
    values = claim.values(**rows[0])
    assert claim.bound(**rows[0]) == values[claim.names[-1]]
    magnified = [EPSILON * cancellation(claim, row) for row in exact]
    columns = {str(x.name): np.array([float(row[x]) for row in exact]) for x in exact[0]}
    for name in claim.names:
        formula = claim.expression(name)
        function = claim.function(name)
        sharp = enclose(formula, exact[0], bits=512)
        operations = int(sp.count_ops(formula))
        # Two unit roundoffs an operation, and for the input: enough for sums of positive terms, and
        # for no other cancellation.
        assert abs(arb(values[name]) - sharp) <= (1 + operations) * magnified[0] * abs(sharp), name
        assert balls[name].rad() <= magnified[0] * abs(balls[name]), name
        one_by_one = [function(**{key: x[i] for key, x in columns.items()}) for i in range(2)]
        # NumPy may round a power of an array otherwise than one of a scalar.
        np.testing.assert_allclose(
            function(**columns), one_by_one, rtol=operations * max(magnified)
        )
