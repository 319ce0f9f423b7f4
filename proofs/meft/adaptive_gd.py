"""meft.adaptive_gd: the descent is taken in W, where f is smooth everywhere, and the steps are summed as they come.

With u = ‖BᵀM‖, w = ‖MAᵀ‖, m = ‖M‖, M the gradient of f at W_t, and P = u² + w² = ‖∇F(v_t)‖².
"""

from collections.abc import Sequence

import sympy as sp

from boundcheck.claims.symbols import D, L, T, a_1, b_1, bound, f_star
from boundcheck.claims.vocabulary import (
    W1,
    W2,
    A,
    A_t,
    B,
    B_t,
    EuclideanNorm,
    F,
    FrobeniusNorm,
    Gradient,
    InnerProduct,
    MinimumOver,
    PartialGradient,
    SpectralNorm,
    Value,
    W,
    f,
    i,
    t,
    v,
    v_t,
)
from boundcheck.kernel import Theorem
from boundcheck.prove import Proof, eq, ge, gt, le, script
from boundcheck.prove.proof import Because

from ..jiang2024.ball import unit_interval
from ..jiang2024.claims import ASSUMPTION_1, BOUNDED_BELOW
from ..jiang2024.setting import MEFT, Meft, quantity, theta
from .adaptive import ADAPTIVE_GD, GOES_ON, REACH, SLOPE, START, STEEPNESS, STEP, W0, C, K, first, growth, steep

M = SLOPE
A_next, B_next = (x.xreplace({t: t + 1}) for x in (A_t, B_t))
W_t, W_next = W0 + B_t * A_t, W0 + B_next * A_next
MOVE = B_next * A_next - B_t * A_t
slope_a, slope_b = B_t.T * M, M * A_t.T
u, w, m = FrobeniusNorm(slope_a), FrobeniusNorm(slope_b), FrobeniusNorm(M)
size_a, size_b = SpectralNorm(A_t), SpectralNorm(B_t)
P = u**2 + w**2
NOW, NEXT = Value(f, W_t), Value(f, W_next)
_UPDATE_A, _UPDATE_B = "A_{t+1} = A_t - α_t Bᵀ∇f(W_t)", "B_{t+1} = B_t - α_t ∇f(W_t)Aᵀ"


# How far the iterates are from the start, and the sum of the steps before t.
away_a, away_b = (FrobeniusNorm(x - x.xreplace({t: 1})) for x in (A_t, B_t))
AWAY = away_a**2 + away_b**2
TRAVELLED = sp.Sum(STEP.xreplace({t: i}), (i, 1, t - 1))
STARTED = NOW.xreplace({t: sp.Integer(1)})
FALLEN, FALL = STARTED - NOW, NOW - NEXT


@script(ADAPTIVE_GD, "sharp", MEFT)
def adaptive_gd(proof: Proof) -> None:
    """One step lowers F by 7/10 of the step times ‖∇F‖²; the rest is sums."""
    by = proof.by
    chain = Meft(proof).chain_rule()
    step = _step(proof)
    positive = step[1]
    lowered, room = _descent(proof, step)
    below, gap = _below(proof)
    fallen = proof.induct("f(W_t) ≤ f(W_1)", le(NOW, STARTED), first=[], then=[lowered, room], meaning="No step rises.")
    travelled = proof.induct("S_t ≥ 0", ge(TRAVELLED, 0), first=[], then=[positive])
    away = _away(proof, positive, lowered, room, fallen, travelled)
    slow = _slow(proof, step, below, gap, away, travelled, fallen)
    grown = _grown(proof, step, slow, travelled)
    least = _least(proof, chain, positive, lowered, gap)
    sums = proof.step("S ≥ 0", ge(ALL, 0), by.sum(positive))
    _conclusion(proof, grown, sums, least)


def _below(proof: Proof) -> tuple[Theorem, Theorem]:
    """The law f >= f*, and D = f(W_1) - f*."""
    below = proof.assume(BOUNDED_BELOW, forall=[W])
    start = v_t.xreplace({t: sp.Integer(1)})
    gap = proof.define(D, Value(F, start) - f_star, "D = F(v_1) - f*")
    same = proof.by.instance(proof.recall("F(v) = f(W)"), {v: start})
    return below, proof.step("D = f(W_1) - f*", eq(D, STARTED - f_star), gap, same)


def _away(
    proof: Proof, positive: Theorem, lowered: Theorem, room: Theorem, fallen: Theorem, travelled: Theorem
) -> Theorem:
    """c‖v_t - v_1‖² <= S_t (f(W_1) - f(W_t)), by induction: the squared length of a path, and Cauchy-Schwarz."""
    by = proof.by
    first_ = [x.xreplace({t: sp.Integer(1)}) for x in (A_t, B_t)]
    updates = [
        (proof.recall(_UPDATE_A), A_next, A_t - STEP * slope_a),
        (proof.recall(_UPDATE_B), B_next, B_t - STEP * slope_b),
    ]
    further = []
    for (equation, after, value), now, start, slope in zip(
        updates, (A_t, B_t), first_, (slope_a, slope_b), strict=True
    ):
        length, size = FrobeniusNorm(now - start), FrobeniusNorm(slope)
        goal = le(FrobeniusNorm(after - start) ** 2, length**2 + 2 * STEP * length * size + STEP**2 * size**2)
        expanded = proof.step(
            f"{now}, one step",
            le(FrobeniusNorm(value - start) ** 2, length**2 + 2 * STEP * length * size + STEP**2 * size**2),
            by.expansion(value - start),
            by.expansion(now - start),
            by.expansion(slope),
            proof.step(
                f"{now}, cross term",
                le(-STEP * InnerProduct(now - start, slope), STEP * length * size),
                positive,
                by.cauchy_schwarz(start - now, slope),
            ),
        )
        further.append(proof.state(f"{now}, further", goal, by.rewrite(expanded, goal, (equation, after, value))))
    z = away_a * u + away_b * w
    cross = proof.step("z² ≤ ‖v_t - v_1‖²P", le(z**2, AWAY * P), hints=[away_a * w - away_b * u])
    falls = proof.step("f falls", ge(FALL, 0), lowered, room)
    product = proof.step("α times the fall", ge(STEP * FALL, 0), positive, falls)
    far = proof.step("‖v_t - v_1‖² ≥ 0", ge(AWAY, 0), hints=[away_a, away_b])
    weight = proof.step("α‖v_t - v_1‖² ≥ 0", ge(STEP * AWAY, 0), positive, far)
    square = proof.step("α² ≥ 0", ge(STEP**2, 0), positive)
    steep = proof.step("cα²P ≤ α times the fall", le(C * STEP**2 * P, STEP * FALL), lowered, positive)
    mixed = TRAVELLED * FALL + STEP * FALLEN
    size = proof.step(
        "S_t times the fall, and so on",
        ge(mixed, 0),
        proof.step("S_t times the fall", ge(TRAVELLED * FALL, 0), travelled, falls),
        proof.step("α times what f has fallen", ge(STEP * FALLEN, 0), positive, fallen),
    )

    def then(now: Theorem) -> list[Theorem]:
        squares = proof.close(
            le((2 * C * STEP * z) ** 2, mixed**2),
            Because((now, lowered, cross, product, weight, square), (TRAVELLED * FALL - STEP * FALLEN,)),
        )
        return [*further, steep, by.from_squares(squares, size, 2 * C * STEP * z)] if squares else []

    return proof.induct(
        "c‖v_t - v_1‖² ≤ S_t(F(v_1) - F(v_t))",
        le(C * AWAY, TRAVELLED * FALLEN),
        first=[],
        then=then,
        meaning="By induction: 2cαz ≤ S_t(F_t - F_{t+1}) + α(F_1 - F_t), since its square is.",
    )


def _slow(
    proof: Proof,
    step: tuple[Theorem, Theorem, Theorem],
    below: Theorem,
    gap: Theorem,
    away: Theorem,
    travelled: Theorem,
    fallen: Theorem,
) -> Theorem:
    """1/α_t <= p + qS_t."""
    by = proof.by
    unit, positive, smooth = step
    bounded = proof.assume(START)
    reach = []
    for now, size, length, radius, start in zip(
        (A_t, B_t), (size_a, size_b), (away_a, away_b), (a_1, b_1), bounded, strict=True
    ):
        begin = now.xreplace({t: sp.Integer(1)})
        far = proof.step(
            f"σ_1({now})",
            le(size, radius + length),
            by.triangle("op", begin, now - begin),
            by.spectral_below_frobenius(now - begin),
            start,
        )
        signs = [by.nonnegative("op", now), by.nonnegative("F", now - begin), *proof.positive(radius)]
        whole = proof.step(f"σ_1({now})², first", le(size**2, (radius + length) ** 2), far, signs)
        reach.append(
            proof.step(f"σ_1({now})²", le(size**2, 2 * radius**2 + 2 * length**2), whole, hints=[radius - length])
        )
    steepest = _steepest(proof, smooth, below, gap, fallen)
    inside = proof.step("F(v_1) - F(v_t) ≤ D", le(FALLEN, D), gap, by.instance(below, {W: W_t}))
    near = proof.step(
        "c‖v_t - v_1‖² ≤ S_tD",
        le(C * AWAY, TRAVELLED * D),
        away,
        proof.step("S_t", le(TRAVELLED * FALLEN, TRAVELLED * D), travelled, inside),
    )
    lengths = proof.step("LJ²", le(L * REACH, 2 * L * (a_1**2 + b_1**2) + 2 * L * AWAY), smooth, reach)
    scaled = proof.step("cL‖v_t - v_1‖²", le(C * L * AWAY, L * TRAVELLED * D), smooth, near)
    starts, grows = (proof.quantity(quantity(ADAPTIVE_GD, x)) for x in (first, growth))
    limit = proof.step(
        "1/α ≤ p + qS_t",
        le(K * STEEPNESS, first + growth * TRAVELLED),
        lengths,
        scaled,
        steepest,
        starts,
        grows,
    )
    return proof.step("1 ≤ α(p + qS_t)", ge(STEP * (first + growth * TRAVELLED), 1), unit, positive, limit)


def _steepest(proof: Proof, smooth: Theorem, below: Theorem, gap: Theorem, fallen: Theorem) -> Theorem:
    """‖∇f(W_t)‖ <= sqrt(2LD): a step of 1/L along the gradient would lower f by m²/(2L)."""
    by = proof.by
    low = unit_interval(proof)[0]
    unit, inverse = by.quotient(smooth)
    move = -M / L
    along = proof.step(
        "along the gradient",
        le(FrobeniusNorm(Gradient(f, W_t + theta * move) - M), L * theta * FrobeniusNorm(move)),
        by.instance(proof.recall(ASSUMPTION_1.title), {W1: W_t + theta * move, W2: W_t}),
        by.homogeneous(low, "F", move),
    )
    line = proof.state(
        "a step along the gradient",
        le(Value(f, W_t + move) - NOW - InnerProduct(M, move), L / 2 * FrobeniusNorm(move) ** 2),
        by.descent_lemma(along, f, W_t, move, L, theta),
    )
    lower = proof.step(
        "m²/(2L)",
        le(m**2 / L / 2, NOW - f_star),
        line,
        by.instance(below, {W: W_t + move}),
        by.homogeneous(inverse, "F", M),
        by.expansion(M),
        unit,
        degree=3,
    )
    (distance,) = proof.positive(D)
    squares = proof.step(
        "m² ≤ 2LD",
        le(m**2, 2 * L * D),
        proof.step("m²/(2L) ≤ D", le(m**2 / L / 2, D), lower, fallen, gap),
        smooth,
        unit,
    )
    radicand = proof.step("2LD ≥ 0", ge(2 * L * D, 0), smooth, distance)
    return proof.step(
        "m ≤ sqrt(2LD)",
        le(m, steep),
        proof.quantity(quantity(ADAPTIVE_GD, steep)),
        by.from_squares(squares, by.root_nonnegative(2 * L * D), m, by.root(radicand)),
    )


def _grown(proof: Proof, step: tuple[Theorem, Theorem, Theorem], slow: Theorem, travelled: Theorem) -> Theorem:
    """The sum S of all steps: pS + qS²/2 >= T."""
    by = proof.by
    _, positive, smooth = step
    gain = proof.step(
        "q > 0", gt(growth, 0), proof.recall("growth"), proof.step("LD > 0", gt(L * D, 0), smooth, proof.positive(D))
    )
    square = proof.step("qα² ≥ 0", ge(growth * STEP**2, 0), gain, positive)
    counted = proof.induct(
        "pS_t + qS_t²/2 ≥ t - 1",
        ge(first * TRAVELLED + growth * TRAVELLED**2 / 2, t - 1),
        first=[],
        then=[slow, square],
        meaning="Each step adds at least 1.",
    )
    so_far = TRAVELLED.xreplace({t - 1: t})
    next_ = proof.step("one more", ge(first * so_far + growth * so_far**2 / 2, t), counted, slow, square)
    return proof.state("pS + qS²/2 ≥ T", ge(first * ALL + growth * ALL**2 / 2, T), by.at(next_, T), meaning="At t = T.")


ALL = sp.Sum(STEP, (t, 1, T))


def _least(proof: Proof, chain: tuple[Theorem, Theorem], positive: Theorem, lowered: Theorem, gap: Theorem) -> Theorem:
    """C S min_t ‖∇F(v_t)‖² <= D."""
    by = proof.by
    slopes = [
        (by.instance(law, {v: v_t}), PartialGradient(F, v_t, x), value)
        for law, x, value in zip(chain, (A, B), (slope_a, slope_b), strict=True)
    ]
    whole = eq(SQUARE, P)
    square = proof.state(
        "‖∇F‖² = P", whole, by.rewrite(by.block_norm(Gradient(F, v_t)), whole, *slopes), meaning="By the chain rule."
    )
    weighted = proof.step(
        "α min ≤ (F(v_t) - F(v_{t+1}))/c",
        le(C * STEP * LEAST, FALL),
        lowered,
        proof.step("α min ≤ αP", le(STEP * LEAST, STEP * P), positive, by.least(SQUARE), square),
    )
    last = W_t.xreplace({t: T + 1})
    return proof.step(
        "cS min ≤ D",
        le(C * ALL * LEAST, D),
        by.sum(weighted),
        by.telescope(NOW),
        gap,
        by.instance(proof.recall(BOUNDED_BELOW.title), {W: last}),
        meaning="Summed over t, the values of F telescope.",
    )


SQUARE = EuclideanNorm(Gradient(F, v_t)) ** 2
LEAST = MinimumOver(SQUARE, t, 1, T)


def _conclusion(proof: Proof, grown: Theorem, sums: Theorem, least: Theorem) -> None:
    """S >= (sqrt(p² + 2qT) - p)/q, and the bound."""
    by = proof.by
    signs = proof.positive(L, D, T, a_1, b_1)
    gain, begin = proof.step("q > 0", gt(growth, 0), proof.recall("growth"), signs), _begin(proof, signs)
    more = proof.step("qT > 0", gt(growth * T, 0), gain, signs)
    radicand = proof.step("p² + 2qT ≥ 0", ge(INSIDE, 0), more, hints=[first])
    square, size = by.root(radicand), by.root_nonnegative(INSIDE)
    ahead = proof.step("qS + p ≥ 0", ge(growth * ALL + first, 0), gain, sums, begin)
    squares = proof.step("p² + 2qT ≤ (qS + p)²", le(sp.sqrt(INSIDE) ** 2, (growth * ALL + first) ** 2), gain, grown)
    below = by.from_squares(squares, ahead, sp.sqrt(INSIDE), square)
    above = proof.step("p² < p² + 2qT", gt(INSIDE, first**2), more)
    room = proof.step("sqrt(p² + 2qT) > p", gt(ROOM, 0), by.from_squares(above, size, first, square))
    limit = proof.step(
        "c(sqrt(p² + 2qT) - p) times the bound",
        eq(C * ROOM * bound, D * growth),
        proof.quantity(quantity(ADAPTIVE_GD, bound)),
        by.quotient(proof.step("c(sqrt(p² + 2qT) - p) > 0", gt(C * ROOM, 0), room))[0],
    )
    squares_ = proof.step("‖∇F‖² ≥ 0", ge(SQUARE, 0), by.nonnegative("F", Gradient(F, v_t)))
    sign = by.at_least(squares_, SQUARE)
    scaled = proof.step("qS min", le(ROOM * LEAST, growth * ALL * LEAST), below, sign)
    product = proof.step("cqS min ≤ qD", le(C * growth * ALL * LEAST, growth * D), gain, least)
    final = proof.step("bound", ADAPTIVE_GD.conclusion, room, limit, scaled, product, factor=[0])
    proof.conclude(final)


def _begin(proof: Proof, signs: Sequence[Theorem]) -> Theorem:
    root = proof.by.root_nonnegative(2 * L * D)
    size = proof.step("sqrt(2LD) ≥ 0", ge(steep, 0), proof.recall("steep"), root)
    return proof.step("p > 0", gt(first, 0), proof.recall("first"), signs, size, degree=3)


INSIDE = first**2 + 2 * growth * T
ROOM = sp.sqrt(INSIDE) - first


def _step(proof: Proof) -> tuple[Theorem, Theorem, Theorem]:
    """α/K times the steepness is 1, α > 0, and L > 0."""
    by = proof.by
    divisor = proof.assume(GOES_ON)
    (smooth,) = proof.positive(L)
    double = proof.step("K/α > 0", gt(K * STEEPNESS, 0), divisor)
    unit, positive = by.quotient(double)
    return unit, positive, smooth


def _descent(proof: Proof, step: tuple[Theorem, Theorem, Theorem]) -> tuple[Theorem, Theorem]:
    """F(v_{t+1}) <= F(v_t) - cαP, and αP >= 0."""
    by = proof.by
    unit, positive, smooth = step
    low = unit_interval(proof)[0]
    update_a = proof.define(A_next, A_t - STEP * slope_a, _UPDATE_A)
    update_b = proof.define(B_next, B_t - STEP * slope_b, _UPDATE_B)
    lipschitz = proof.assume(ASSUMPTION_1, forall=[W1, W2])
    along = proof.step(
        "along the segment",
        le(FrobeniusNorm(Gradient(f, W_t + theta * MOVE) - M), L * theta * FrobeniusNorm(MOVE)),
        by.instance(lipschitz, {W1: W_t + theta * MOVE, W2: W_t}),
        by.homogeneous(low, "F", MOVE),
    )
    line = proof.state(
        "descent in W",
        le(NEXT - NOW - InnerProduct(M, MOVE), L / 2 * FrobeniusNorm(MOVE) ** 2),
        by.descent_lemma(along, f, W_t, MOVE, L, theta),
        meaning="The descent lemma for f, which is smooth everywhere.",
    )
    moved = (B_t - STEP * slope_b) * (A_t - STEP * slope_a) - B_t * A_t
    put_in = proof.step(
        "update",
        le(NEXT - NOW - InnerProduct(M, moved), L / 2 * FrobeniusNorm(moved) ** 2),
        by.rewrite(
            line,
            le(NEXT - NOW - InnerProduct(M, moved), L / 2 * FrobeniusNorm(moved) ** 2),
            (update_a, A_next, A_t - STEP * slope_a),
            (update_b, B_next, B_t - STEP * slope_b),
        ),
        meaning="The update put in.",
    )
    linear = _linear(proof, moved, positive)
    square = _square(proof, moved, positive)
    half = proof.step("L/2 ‖ΔW‖²", le(L / 2 * FrobeniusNorm(moved) ** 2, L / 2 * MOST), square, smooth)
    y, x = STEP * m, STEP * L * REACH
    share = proof.step(
        "share",
        ge(1 - C - y / 2 - x / 2 * (1 + y / 2) ** 2, 0),
        unit,
        proof.step("αm ≥ 0", ge(y, 0), positive, by.nonnegative("F", M)),
        proof.step(
            "αLJ² ≥ 0", ge(x, 0), positive, proof.step("LJ² ≥ 0", ge(L * REACH, 0), smooth, hints=[size_a, size_b])
        ),
        hints=[y - sp.Rational(1, 4), y],
        degree=3,
        meaning="αLJ² and αm add up to 1/2.",
    )
    room = proof.step("αP ≥ 0", ge(STEP * P, 0), positive, proof.step("P ≥ 0", ge(P, 0), hints=[u, w]))
    lowered = proof.step(
        "descent",
        le(NEXT, NOW - C * STEP * P),
        put_in,
        linear,
        half,
        proof.step("αP times the share", ge(STEP * P * (1 - C - y / 2 - x / 2 * (1 + y / 2) ** 2), 0), room, share),
        meaning="Each step lowers F by 7/10 of the step times the squared gradient norm.",
    )
    return lowered, room


MOST = STEP**2 * REACH * P * (1 + STEP * m / 2) ** 2


def _linear(proof: Proof, moved: sp.MatrixExpr, positive: Theorem) -> Theorem:
    """⟨M, ΔW⟩ <= -αP + α²mP/2."""
    by = proof.by
    exact = proof.step(
        "linear part",
        eq(InnerProduct(M, moved), -STEP * P + STEP**2 * InnerProduct(M, slope_b * slope_a)),
        by.expansion(slope_a),
        by.expansion(slope_b),
    )
    small = proof.step(
        "⟨M, g_B g_A⟩",
        le(InnerProduct(M, slope_b * slope_a), m * P / 2),
        by.cauchy_schwarz(M, slope_b * slope_a),
        proof.step(
            "m times",
            le(m * FrobeniusNorm(slope_b * slope_a), m * w * u),
            by.submultiplicative("F", "F", slope_b, slope_a),
            by.nonnegative("F", M),
        ),
        proof.step("muw ≤ mP/2", le(m * w * u, m * P / 2), by.nonnegative("F", M), hints=[u - w]),
    )
    weight = proof.step("α² > 0", gt(STEP**2, 0), positive)
    scaled = proof.step("α²", le(STEP**2 * InnerProduct(M, slope_b * slope_a), STEP**2 * m * P / 2), weight, small)
    return proof.step("linear", le(InnerProduct(M, moved), -STEP * P + STEP**2 * m * P / 2), exact, scaled)


def _square(proof: Proof, moved: sp.MatrixExpr, positive: Theorem) -> Theorem:
    """‖ΔW‖² <= α²J²P(1 + αm/2)²."""
    by = proof.by
    signs = [by.nonnegative("F", x) for x in (M, slope_a, slope_b)] + [by.nonnegative("op", x) for x in (A_t, B_t)]
    slow, fast = slope_b * A_t, B_t * slope_a
    s = size_a * w + size_b * u
    square = proof.step("α² ≥ 0", ge(STEP**2, 0), positive)
    parts = [
        proof.step(
            "α‖g_B A‖",
            le(STEP * FrobeniusNorm(slow), STEP * w * size_a),
            by.submultiplicative("F", "op", slope_b, A_t),
            positive,
        ),
        proof.step(
            "α‖B g_A‖",
            le(STEP * FrobeniusNorm(fast), STEP * u * size_b),
            by.submultiplicative("op", "F", B_t, slope_a),
            positive,
        ),
        proof.step(
            "α²‖g_B g_A‖",
            le(STEP**2 * FrobeniusNorm(slope_b * slope_a), STEP**2 * u * w),
            by.submultiplicative("F", "F", slope_b, slope_a),
            square,
        ),
    ]
    length = proof.step(
        "‖ΔW‖",
        le(FrobeniusNorm(moved), STEP * s + STEP**2 * u * w),
        by.triangle("F", -STEP * slow - STEP * fast, STEP**2 * slope_b * slope_a),
        by.triangle("F", -STEP * slow, -STEP * fast),
        by.homogeneous(positive, "F", slow),
        by.homogeneous(positive, "F", fast),
        by.homogeneous(square, "F", slope_b * slope_a),
        parts,
    )
    size = proof.step("αs + α²uw ≥ 0", ge(STEP * s + STEP**2 * u * w, 0), positive, signs, degree=3)
    squared = proof.step(
        "‖ΔW‖²",
        le(FrobeniusNorm(moved) ** 2, (STEP * s + STEP**2 * u * w) ** 2),
        length,
        size,
        by.nonnegative("F", moved),
    )
    first_, second, third = _products(proof, s, signs)
    cube = proof.step("α³ ≥ 0", ge(STEP**3, 0), positive, square)
    fourth = proof.step("α⁴ ≥ 0", ge(STEP**4, 0), square)
    return proof.step(
        "‖ΔW‖² at most",
        le(FrobeniusNorm(moved) ** 2, MOST),
        squared,
        proof.step("α²s²", le(STEP**2 * s**2, STEP**2 * REACH * P), square, first_),
        proof.step("α³suw", le(2 * STEP**3 * s * u * w, STEP**3 * m * REACH * P), cube, second),
        proof.step("α⁴u²w²", le(STEP**4 * u**2 * w**2, STEP**4 * m**2 * REACH * P / 4), fourth, third),
    )


def _products(proof: Proof, s: sp.Expr, signs: list[Theorem]) -> tuple[Theorem, Theorem, Theorem]:
    """S² <= J²P, suw <= mJ²P/2 and u²w² <= m²J²P/4, from u <= σ_1(B)m and w <= σ_1(A)m."""
    by = proof.by
    first_ = proof.step("s² ≤ J²P", le(s**2, REACH * P), hints=[size_a * u - size_b * w])
    below_u = proof.step("u ≤ σ_1(B)m", le(u, size_b * m), by.submultiplicative("op", "F", B_t.T, M))
    below_w = proof.step("w ≤ σ_1(A)m", le(w, size_a * m), by.submultiplicative("F", "op", M, A_t.T))
    both = proof.step(
        "u²w ≤ σ_1(B)mu², and likewise",
        le(size_a * u * w**2, size_a * size_b * m * w**2),
        below_u,
        proof.step("σ_1(A)w² ≥ 0", ge(size_a * w**2, 0), signs),
        degree=2,
    )
    other = proof.step(
        "likewise",
        le(size_b * u**2 * w, size_a * size_b * m * u**2),
        below_w,
        proof.step("σ_1(B)u² ≥ 0", ge(size_b * u**2, 0), signs),
    )
    weight = proof.step("mP ≥ 0", ge(m * P, 0), signs, hints=[u, w], degree=3)
    second = proof.step(
        "suw",
        le(s * u * w, m * REACH * P / 2),
        both,
        other,
        proof.step(
            "σ_1(A)σ_1(B)mP",
            le(size_a * size_b * m * P, m * REACH * P / 2),
            weight,
            proof.step("2ab ≤ a² + b²", le(size_a * size_b, REACH / 2), hints=[size_a - size_b]),
        ),
    )
    squares = [
        proof.step("u²", le(u**2, size_b**2 * m**2), below_u, signs),
        proof.step("w²", le(w**2, size_a**2 * m**2), below_w, signs),
    ]
    steep = proof.step("P ≤ m²J²", le(P, m**2 * REACH), squares)
    plain = proof.step("P ≥ 0 again", ge(P, 0), hints=[u, w])
    third = proof.step(
        "u²w²",
        le(u**2 * w**2, m**2 * REACH * P / 4),
        proof.step("P² ≤ m²J²P", le(P**2, m**2 * REACH * P), steep, plain),
        hints=[u**2 - w**2],
    )
    return first_, second, third
