"""Sharper and repaired statements about MeFT, W = W0 + s B A: the constant lambda*, and Theorem 2
with kappa(q).

Each is boundcheck's own claim about the setting of jiang2024, and its source says so.
"""

from dataclasses import replace
from typing import Any

import sympy as sp
from sympy import MatrixSymbol, Rational

from boundcheck.exact.evaluate import t
from boundcheck.language.algorithms import SGD
from boundcheck.language.claim import EVERY_T, Claim, Quantifier, Quantity, Setting, for_all
from boundcheck.language.hypotheses import BALL as IN_BALL
from boundcheck.language.hypotheses import (
    BOUNDED_SPECTRAL_GRADIENT,
    GRADIENT_AT_SCALE_1,
    GRADIENT_IN_THE_BALL,
    TWO_RADII,
    UNBIASED,
    UNBIASED_GIVEN_THE_PAST,
)
from boundcheck.language.hypotheses import FROZEN_FACTOR as FROZEN
from boundcheck.language.measures import LEAST_GRADIENT
from boundcheck.language.sentence import theorem
from boundcheck.language.symbols import (
    G_2,
    D,
    G,
    L,
    Lhat,
    T,
    a,
    a_2,
    alpha,
    b,
    b_2,
    bound,
    kappa,
    q,
    r,
    s,
    s_2,
    sigma,
    zeta,
)
from boundcheck.language.vocabulary import (
    B1,
    B2,
    W0,
    A,
    A_t,
    B,
    B_t,
    EuclideanNorm,
    F,
    FrobeniusNorm,
    Gradient,
    InnerProduct,
    Iterate,
    Pair,
    PartialGradient,
    SpectralNorm,
    Value,
    W,
    d,
    f,
    g_t,
    k,
    v1,
    v2,
)

from ..jiang2024.claims import (
    ASSUMPTION_1,
    ASSUMPTION_2,
    ASSUMPTION_4,
    BOUNDED_BELOW,
    LEMMA_1,
    NOISE,
    ROOT_TERM,
    SHORTEST_HORIZON,
    STEP_SIZE,
)

BALL = IN_BALL.claim(
    "meft.ball",
    "Factors in a convex ball",
    "jiang2024, Assumption 2, stated of a convex set that holds the segments between iterates too",
    TWO_RADII,
)

GRADIENT_BOUND = BOUNDED_SPECTRAL_GRADIENT.claim(
    "meft.gradient_bound",
    "Bounded gradient in W, spectral norm",
    "jiang2024, Assumption 3(2), with the spectral norm in place of the Frobenius norm",
    GRADIENT_IN_THE_BALL,
)

GRADIENT_BOUND_AT_SCALE_1 = BOUNDED_SPECTRAL_GRADIENT.claim(
    "meft.gradient_bound_at_scale_1",
    f"{GRADIENT_BOUND.title}, at scale 1",
    GRADIENT_BOUND.source,
    GRADIENT_AT_SCALE_1,
)

CONDITIONALLY_UNBIASED = UNBIASED.claim(
    "meft.unbiased",
    "Conditionally unbiased stochastic gradient",
    "jiang2024, section 3, before Algorithm 1, stated given the past, as the proof uses it",
    UNBIASED_GIVEN_THE_PAST,
)

MEFT = Setting(
    (A, B), W0 + s * B * A, noise=((g_t, NOISE),), domain=(BALL,), within=(GRADIENT_BOUND,)
)

LEMMA_1_SHARP = Claim(
    "meft.lemma1_sharp",
    "Lemma 1, sharp",
    "boundcheck; sharp form of jiang2024, Lemma 1, Eq. (8)",
    LEMMA_1.conclusion,
    Quantifier((v1, v2), r" \text{ in the ball}", "for"),
    (ASSUMPTION_1, BALL, GRADIENT_BOUND),
    (
        Quantity(
            Lhat,
            s**2 * L * (a**2 + b**2) / 2
            + sp.sqrt((s**2 * L * (a**2 - b**2) / 2) ** 2 + (s**2 * L * a * b + s * G) ** 2),
            "smoothness constant of $F(v) = f(W_0 + sBA)$ on the ball, $λ*$",
        ),
    ),
    note=(
        "The top eigenvalue of $[[s²Lb², s²Lab + sG], [s²Lab + sG, s²La²]]$; free of $r$, $d$ and"
        " $k$."
    ),
    setting=MEFT,
)


def at_scale_1(claim: Claim, ball: Claim = BALL, **more: Any) -> Claim:
    """A case of LoRA's lemma at s = 1, which names W without a scale too, as its G is bounded at no
    other W.
    """
    (constant,) = claim.quantities
    constant = replace(constant, meaning=constant.meaning.replace("sBA", "BA"))
    hypotheses = ASSUMPTION_1, ball, GRADIENT_BOUND_AT_SCALE_1
    setting = replace(MEFT, weight=W0 + B * A, domain=(ball,), within=(GRADIENT_BOUND_AT_SCALE_1,))
    return replace(claim, hypotheses=hypotheses, quantities=(constant,), setting=setting, **more)


LEMMA_1_SHARP_EQUAL_RADII = at_scale_1(
    LEMMA_1_SHARP.case(
        "meft.lemma1_sharp_equal_radii",
        "Lemma 1, sharp, at equal radii and scale 1",
        "boundcheck; sharp form of jiang2024, Lemma 1, Eq. (8), on the paper's own ball",
        {s: sp.Integer(1), a: sigma, b: sigma},
    ),
    # The ball at a = b = sigma is the paper's.
    ASSUMPTION_2,
)

FROZEN_FACTOR = FROZEN.claim(
    "meft.frozen_factor", "A frozen factor A", "boundcheck; A is not trained"
)

FROZEN_A = Claim(
    "meft.frozen_a",
    "Lemma 1 with A frozen",
    "boundcheck; jiang2024, Lemma 1, where B alone is trained",
    sp.Le(FrobeniusNorm(Gradient(F, B1) - Gradient(F, B2)), Lhat * FrobeniusNorm(B1 - B2)),
    for_all(B1, B2),
    (ASSUMPTION_1, FROZEN_FACTOR),
    (
        Quantity(
            Lhat, s**2 * L * a**2, "smoothness constant of $F(B) = f(W_0 + sBA)$, on all of space"
        ),
    ),
    note="No ball and no bound on the gradient: Assumptions 2 and 3 are not needed.",
    setting=Setting((B,), MEFT.weight, noise=((g_t, NOISE[1:]),), within=(FROZEN_FACTOR,)),
)

# A second layer, whose matrices are named by a prime: v then has the blocks A, B, A', B', and W the
# blocks U, U'.
LAYER_A, LAYER_B = MatrixSymbol("A'", r, k), MatrixSymbol("B'", d, r)
LAYER_1, LAYER_2 = MatrixSymbol("U", d, k), MatrixSymbol("U'", d, k)
_STARTS = MatrixSymbol("U_0", d, k), MatrixSymbol("U'_0", d, k)
LAYER_WEIGHTS = Pair(_STARTS[0] + s * B * A, _STARTS[1] + s_2 * LAYER_B * LAYER_A)
_SHARP = LEMMA_1_SHARP.quantities[0].expression

LAYER_BALLS = Claim(
    "meft.layer_balls",
    "Factors of two layers, each in its ball",
    "boundcheck; jiang2024, Assumption 2, for each layer",
    sp.And(
        *(
            sp.Le(SpectralNorm(x), radius)
            for x, radius in ((A, a), (B, b), (LAYER_A, a_2), (LAYER_B, b_2))
        ),
    ),
    Quantifier(within=r"\text{for all } v = (A, B, A', B')"),
)

LAYER_GRADIENTS = Claim(
    "meft.layer_gradients",
    "Bounded gradient in the weight of each layer",
    "boundcheck; jiang2024, Assumption 3(2), for each layer",
    sp.And(
        sp.Le(SpectralNorm(PartialGradient(f, W, LAYER_1)), G),
        sp.Le(SpectralNorm(PartialGradient(f, W, LAYER_2)), G_2),
    ),
    Quantifier(within=r"\text{for all weights that the balls reach}"),
)

LAYERS = Claim(
    "meft.layers",
    "The descent inequality for two adapted layers",
    "boundcheck; jiang2024, Eq. (15), for a loss that is jointly L-smooth in the weights of two"
    " layers",
    sp.Le(
        Value(F, v2) - Value(F, v1) - InnerProduct(Gradient(F, v1), v2 - v1),
        Lhat / 2 * EuclideanNorm(v2 - v1) ** 2,
    ),
    Quantifier((v1, v2), r" \text{ in the balls of both layers}", "for"),
    (ASSUMPTION_1, LAYER_BALLS, LAYER_GRADIENTS),
    (
        Quantity(
            Lhat,
            sp.Max(_SHARP, _SHARP.xreplace({G: G_2, a: a_2, b: b_2, s: s_2})),
            "constant of the descent inequality of $F$, the larger of the layers' $λ*$",
        ),
    ),
    note=(
        "The layers do not add up. Theorem 2 needs no more. For any number of layers see"
        " `meft.all_layers`."
    ),
    setting=Setting(
        (A, B, LAYER_A, LAYER_B),
        LAYER_WEIGHTS,
        (LAYER_1, LAYER_2),
        domain=(LAYER_BALLS,),
        within=(LAYER_GRADIENTS,),
    ),
)

# Any number of layers, which t numbers: the factors of each at both points, and its gradient at the
# first one.
FAR_A, FAR_B, SLOPE = Iterate("A'", t, r, k), Iterate("B'", t, d, r), Iterate("M", t, d, k)
_FALL = Value(F, v2) - Value(F, v1)
_MOVED = s * (FAR_B * FAR_A - B_t * A_t)

JOINT_DESCENT = Claim(
    "meft.joint_descent",
    "The descent inequality of f in the weights of all layers",
    "jiang2024, Assumption 1, for f that is jointly L-smooth in the weights of T layers; by"
    " Nesterov 2018, lemma 1.2.3",
    sp.Le(
        _FALL - sp.Sum(InnerProduct(SLOPE, _MOVED), (t, 1, T)),
        L / 2 * sp.Sum(FrobeniusNorm(_MOVED) ** 2, (t, 1, T)),
    ),
    Quantifier(
        within=(
            r"\text{for } W_t = W_{0,t} + s B_t A_t \text{ at } v_1, \; W_{0,t} + s B'_t "
            r"A'_t \text{ at } v_2, \text{ and } M_t \text{ the gradient in } W_t \text{ "
            r"at } v_1"
        )
    ),
)

EACH_LAYER_BALL = Claim(
    "meft.each_layer_ball",
    "Factors of every layer in one ball",
    "boundcheck; jiang2024, Assumption 2, for each layer",
    sp.And(
        *(
            sp.Le(SpectralNorm(x), radius)
            for x, radius in ((A_t, a), (B_t, b), (FAR_A, a), (FAR_B, b))
        )
    ),
    Quantifier(within=r"\text{for all layers } t"),
)

EACH_LAYER_GRADIENT = Claim(
    "meft.each_layer_gradient",
    "Bounded gradient in the weight of every layer",
    "boundcheck; jiang2024, Assumption 3(2), for each layer",
    sp.Le(SpectralNorm(SLOPE), G),
    Quantifier(within=r"\text{for all layers } t"),
)

ALL_LAYERS = Claim(
    "meft.all_layers",
    "The descent inequality for any number of adapted layers",
    "boundcheck; jiang2024, Eq. (15), for a loss that is jointly L-smooth in the weights of T"
    " layers",
    sp.Le(
        _FALL
        - sp.Sum(
            InnerProduct(s * B_t.T * SLOPE, FAR_A - A_t)
            + InnerProduct(s * SLOPE * A_t.T, FAR_B - B_t),
            (t, 1, T),
        ),
        Lhat
        / 2
        * sp.Sum(FrobeniusNorm(FAR_A - A_t) ** 2 + FrobeniusNorm(FAR_B - B_t) ** 2, (t, 1, T)),
    ),
    Quantifier(within=r"\text{for } v_1 = (A_t, B_t)_{t \le T}, \; v_2 = (A'_t, B'_t)_{t \le T}"),
    (JOINT_DESCENT, EACH_LAYER_BALL, EACH_LAYER_GRADIENT),
    (Quantity(Lhat, _SHARP, "constant of the descent inequality of F, whatever T is"),),
    note=(
        "Here t numbers the layers, and T is how many there are. The two inner products are those"
        " with the blocks of the gradient of F at $v_1$. G, a and b are the largest of all layers."
        " A layer of another shape is filled up with zeros, which changes no norm."
    ),
    setting=Setting(within=(JOINT_DESCENT, EACH_LAYER_BALL, EACH_LAYER_GRADIENT)),
)

_HYPOTHESES = (
    ASSUMPTION_1,
    BALL,
    GRADIENT_BOUND,
    ASSUMPTION_4,
    CONDITIONALLY_UNBIASED,
    BOUNDED_BELOW,
)
_RATIO = Quantity(
    q, sp.sqrt(Lhat * D / (zeta**2 * T), evaluate=False), "the paper's step size in units of 1/L̂"
)
# kappa times sqrt(D L̂ ζ²/T): the paper's right-hand side with its 2.5 replaced.
BOUND = Quantity(bound, sp.Mul(kappa, ROOT_TERM, evaluate=False))

THEOREM_2_REPAIRED = theorem(
    "meft.theorem2_repaired",
    "Theorem 2, repaired, with the sharp constant",
    "boundcheck; repair of jiang2024, Theorem 2, Eq. (9)",
    Quantifier(),
    _HYPOTHESES,
    (
        *LEMMA_1_SHARP.quantities,
        STEP_SIZE,
        SHORTEST_HORIZON,
        _RATIO,
        Quantity(
            kappa, Rational(3, 2) / (1 - q / 2), "replaces the printed 2.5; at most 2, towards 1.5"
        ),
        BOUND,
    ),
    (sp.Ge(T, SHORTEST_HORIZON.symbol),),
    algorithm=SGD,
    measure=LEAST_GRADIENT,
    setting=MEFT,
)

THEOREM_2_BEST_STEP = theorem(
    "meft.theorem2_best_step",
    "Theorem 2, repaired, best constant step, with the sharp constant",
    "boundcheck; jiang2024, Theorem 2, at the step that minimises the proof's right-hand side",
    EVERY_T,
    _HYPOTHESES,
    (
        *LEMMA_1_SHARP.quantities,
        _RATIO,
        Quantity(kappa, q + sp.sqrt(q**2 + 2), "replaces the printed 2.5; towards $√2$"),
        # q sqrt(q² + 2) - q² over L̂, in a form that does not cancel for large q.
        Quantity(alpha, 2 * q / (kappa * Lhat), "constant step size"),
        BOUND,
    ),
    algorithm=SGD,
    measure=LEAST_GRADIENT,
    setting=MEFT,
)

CLAIMS = (
    BALL,
    GRADIENT_BOUND,
    GRADIENT_BOUND_AT_SCALE_1,
    CONDITIONALLY_UNBIASED,
    LEMMA_1_SHARP,
    LEMMA_1_SHARP_EQUAL_RADII,
    FROZEN_FACTOR,
    FROZEN_A,
    LAYER_BALLS,
    LAYER_GRADIENTS,
    LAYERS,
    JOINT_DESCENT,
    EACH_LAYER_BALL,
    EACH_LAYER_GRADIENT,
    ALL_LAYERS,
    THEOREM_2_REPAIRED,
    THEOREM_2_BEST_STEP,
)
