"""Gradient descent on both factors, at any step: what one step lowers F by, how far the iterates
go, how steep f is.

Two theorems follow: at a step as long as the descent allows, and at a constant one that keeps the
iterates near.

The descent is taken in W, where f is smooth everywhere: no ball, and no smoothness of F. With M =
∇f(W_t), u = ‖BᵀM‖, w = ‖MAᵀ‖, m = ‖M‖, J² = σ_1(A)² + σ_1(B)² and P = u² + w² = ‖∇F(v_t)‖², a step
α with α(LJ² + m) <= 2 has F(v_{t+1}) <= F(v_t) - α(1 - α(LJ² + m)/2)P, as if LJ² + m at v_t were a
smoothness constant of F.
"""

import sympy as sp

from boundcheck.exact.evaluate import at_time, t
from boundcheck.kernel import Theorem
from boundcheck.language.algorithms import REACH, SLOPE, STEEPNESS, STEP, share
from boundcheck.language.claim import as_typed
from boundcheck.language.symbols import D, L, Lhat, T, a_1, alpha, b_1, bound, f_star, rho
from boundcheck.language.vocabulary import (
    W0,
    A,
    A_t,
    B,
    B_t,
    EuclideanNorm,
    Expectation,
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
    v,
    v_first,
    v_t,
)
from boundcheck.proof import Proof, eq, ge, gt, le, script
from boundcheck.proof.by import discharged

from ..jiang2024.claims import BOUNDED_BELOW
from ..jiang2024.setting import (
    Meft,
    above_0,
    at_least_0,
    defined,
    descent_of_f,
    divided,
    horizon_above_0,
    quantity,
    smooth_f,
    step_above_0,
    theta,
)
from .theorems import (
    ADAPTIVE_GD,
    GOES_ON,
    START,
    STEEPEST,
    UNCONDITIONAL_GD,
    C,
    K,
    first,
    growth,
    steep,
    stretch,
)

M = SLOPE
A_next, B_next = (at_time(x, t + 1) for x in (A_t, B_t))
A_first, B_first = (at_time(x, 1) for x in (A_t, B_t))
W_t, W_next = W0 + B_t * A_t, W0 + B_next * A_next
slope_a, slope_b = B_t.T * M, M * A_t.T
u, w, m = FrobeniusNorm(slope_a), FrobeniusNorm(slope_b), FrobeniusNorm(M)
size_a, size_b = SpectralNorm(A_t), SpectralNorm(B_t)
P = u**2 + w**2
NOW, NEXT = Value(f, W_t), Value(f, W_next)
STARTED = at_time(NOW, 1)
FALLEN, FALL = STARTED - NOW, NOW - NEXT
# How far the iterates are from the start.
away_a, away_b = FrobeniusNorm(A_t - A_first), FrobeniusNorm(B_t - B_first)
AWAY = away_a**2 + away_b**2
SQUARE = EuclideanNorm(Gradient(F, v_t)) ** 2
LEAST = MinimumOver(SQUARE, t, 1, T)


class Descent:
    """The iterates A_{t+1} = A_t - αBᵀM, B_{t+1} = B_t - αMAᵀ of a proof, and what is known of
    them.

    Attributes:
        step: α.
        local: α(LJ² + m).
        positive, smooth: α > 0 and L > 0.
        below, gap: the law f >= f*, and D = f(W_1) - f*.
        slopes, updates: the gradient of F at v_t, and the equations of a step, each for A and B.

    """

    def __init__(self, proof: Proof, step: sp.Expr, positive: Theorem, smooth: Theorem) -> None:
        self.proof, self.step, self.positive, self.smooth = proof, step, positive, smooth
        # A product with the sum in brackets SymPy would cancel, where the step is a quotient by it.
        self.local = step * L * REACH + step * m
        self.slopes = [
            (proof.by.instance(law, {v: v_t}), PartialGradient(F, v_t, x), value)
            for law, x, value in zip(
                Meft(proof).chain_rule(), (A, B), (slope_a, slope_b), strict=True
            )
        ]
        self.values = A_t - step * slope_a, B_t - step * slope_b
        # The algorithm's own v_{t+1} = v_t - α∇F(v_t), by its blocks.
        after, value = at_time(v_t, t + 1), v_t - step * Gradient(F, v_t)
        whole = proof.define(after, value, "the algorithm")
        blocks = list(zip(proof.reading.point(after), proof.reading.point(value), strict=True))
        self.updates = [
            proof.state(
                f"${name}_(t+1)$",
                eq(left, right),
                proof.by.rewrite(
                    proof.by.component(whole, i, blocks), eq(left, right), self.slopes[i]
                ),
                meaning="One step, by the chain rule.",
            )
            for i, (name, left, right) in enumerate(
                zip("AB", (A_next, B_next), self.values, strict=True)
            )
        ]
        self.lipschitz = smooth_f(proof)
        self.below = proof.assume(BOUNDED_BELOW, forall=[W])
        gap = proof.define(D, Value(F, v_first) - f_star, "$D = F(v_1) - f*$")
        same = proof.by.instance(proof.recall("$F(v) = f(W)$"), {v: v_first})
        self.gap = proof.step("$D = f(W_1) - f*$", eq(D, STARTED - f_star), gap, same)

    def fallen(self) -> Theorem:
        """F(v_1) - F(v_t) <= D."""
        least = self.proof.by.instance(self.below, {W: W_t})
        return self.proof.step("$F(v_1) - F(v_t) ≤ D$", le(FALLEN, D), self.gap, least)

    def lowered(self, short: Theorem) -> Theorem:
        """F(v_{t+1}) <= F(v_t) - α(1 - α(LJ² + m)/2)P, from α(LJ² + m) = `local` <= 2.

        W goes by -αX + α²Y: X = MAᵀA + BBᵀM is its way to first order, and Y = MAᵀBᵀM by how much
        that bends.
        """
        proof, by, step = self.proof, self.proof.by, self.step
        straight, bent = slope_b * A_t + B_t * slope_a, slope_b * slope_a
        moved = self.values[1] * self.values[0] - B_t * A_t
        fall = le(NEXT - NOW - InnerProduct(M, moved), L / 2 * FrobeniusNorm(moved) ** 2)
        equations = zip(self.updates, (A_next, B_next), self.values, strict=True)
        in_w = descent_of_f(proof, self.lipschitz, W_t, B_next * A_next - B_t * A_t, "descent in W")
        put_in = proof.step(
            "update", fall, by.rewrite(in_w, fall, *equations), meaning="The update put in."
        )
        linear = proof.step(
            "$⟨M, ΔW⟩$",
            eq(InnerProduct(M, moved), -step * P + step**2 * InnerProduct(M, bent)),
            by.expansion(slope_a),
            by.expansion(slope_b),
        )
        parts = (
            FrobeniusNorm(straight) ** 2
            - 2 * step * InnerProduct(straight, bent)
            + (step * FrobeniusNorm(bent)) ** 2
        )
        square = proof.step(
            "$‖ΔW‖²$",
            eq(L / 2 * FrobeniusNorm(moved) ** 2, L / 2 * step**2 * parts),
            *map(by.expansion, (moved, straight, bent)),
        )
        sides = size_a * w + size_b * u
        length = proof.step(
            "$‖X‖$",
            le(FrobeniusNorm(straight), sides),
            by.triangle("F", slope_b * A_t, B_t * slope_a),
            by.submultiplicative("F", "op", slope_b, A_t),
            by.submultiplicative("op", "F", B_t, slope_a),
        )
        signs = [by.nonnegative("F", x) for x in (straight, slope_a, slope_b)]
        signs += [by.nonnegative("op", x) for x in (A_t, B_t)]
        squares = proof.step(
            "$‖X‖²$, first", le(FrobeniusNorm(straight) ** 2, sides**2), length, signs
        )
        long = proof.step(
            "$‖X‖² ≤ J²P$",
            le(FrobeniusNorm(straight) ** 2, REACH * P),
            squares,
        )
        whole = by.submultiplicative("F", "F", slope_b, slope_a)
        small = proof.step("$‖Y‖ ≤ P/2$", le(FrobeniusNorm(bent), P / 2), whole)
        weight = at_least_0(proof, "Lα²/2", L * step**2 / 2, self.smooth, self.positive)
        rest = (
            InnerProduct(M, bent)
            - L * step * InnerProduct(straight, bent)
            + L / 2 * (step * FrobeniusNorm(bent)) ** 2
        )
        turned = self._turned(straight, bent, rest, short, long, small)
        return proof.step(
            "descent",
            le(NEXT, NOW - step * (1 - self.local / 2) * P),
            put_in,
            linear,
            square,
            proof.step(
                "$L/2 ‖αX‖²$",
                le(L * step**2 / 2 * FrobeniusNorm(straight) ** 2, L * step**2 / 2 * REACH * P),
                weight,
                long,
            ),
            proof.step(
                "$α²$ times",
                le(step**2 * rest, step**2 * m * P / 2),
                at_least_0(proof, "α²", step**2, self.positive),
                turned,
            ),
            meaning="A step lowers F as if $LJ² + m$ were a smoothness constant of it.",
        )

    def _turned(
        self,
        straight: sp.MatrixExpr,
        bent: sp.MatrixExpr,
        rest: sp.Expr,
        short: Theorem,
        long: Theorem,
        small: Theorem,
    ) -> Theorem:
        """⟨Z, Y⟩ + α²L‖Y‖²/2 <= mP/2, where Z = M - αLX: to where the slope is less, W bends; ‖Z‖
        <= m - α²LP/4.
        """
        proof, by, step = self.proof, self.proof.by, self.step
        turned, size, limit = M - step * L * straight, FrobeniusNorm(bent), m - step**2 * L * P / 4
        steep, reach, sign = step * m, step * L * REACH, by.nonnegative("F", bent)
        speed = above_0(proof, "αL", step * L, self.positive, self.smooth)
        power = at_least_0(proof, "P", P)
        gain = at_least_0(proof, "αLP", step * L * P, speed, power)
        far = at_least_0(proof, "αLJ²", reach, speed, at_least_0(proof, "J²", REACH))
        near = at_least_0(proof, "αm", steep, self.positive)
        once = proof.step(
            "$⟨M, X⟩ = P$",
            eq(InnerProduct(M, straight), P),
            by.expansion(slope_a),
            by.expansion(slope_b),
        )
        twice = proof.step(
            "$α²L²‖X‖²$",
            le((step * L) ** 2 * FrobeniusNorm(straight) ** 2, (step * L) ** 2 * REACH * P),
            at_least_0(proof, "α²L²", (step * L) ** 2, speed),
            long,
        )
        less = proof.step(
            "$‖Z‖²$",
            le(FrobeniusNorm(turned) ** 2, m**2 - 2 * step * L * P + step * L * P * reach),
            *map(by.expansion, (turned, M, straight)),
            once,
            twice,
        )
        room = at_least_0(proof, "2 - αLJ² - αm/2", 2 - reach - steep / 2, short, near)
        share = proof.step("αLP times", ge(step * L * P * (2 - reach - steep / 2), 0), gain, room)
        squares = proof.step(
            "$‖Z‖²$, at most", le(FrobeniusNorm(turned) ** 2, limit**2), less, share
        )

        # The limit is not negative, as P <= J²m².
        powers = [
            proof.step(
                f"${as_typed(length)}²$",
                le(length**2, (side * m) ** 2),
                whole,
                by.nonnegative("F", length.args[0]),
            )
            for length, side, whole in (
                (u, size_b, by.submultiplicative("op", "F", B_t.T, M)),
                (w, size_a, by.submultiplicative("F", "op", M, A_t.T)),
            )
        ]
        most = proof.step("$P ≤ J²m²$", le(P, REACH * m**2), powers)
        weight = at_least_0(proof, "α²L", step**2 * L, speed, self.positive)
        scaled = proof.step("$α²LP$", le(step**2 * L * P, step**2 * L * REACH * m**2), weight, most)
        both = proof.step("$αLJ² · αm ≤ 4$", le(reach * steep, 4), short, far, near)
        times = proof.step("m times", le(reach * steep * m, 4 * m), both)
        slack = at_least_0(proof, "m - α²LP/4", limit, scaled, times)
        shorter = by.from_squares(squares, slack, FrobeniusNorm(turned))

        within = proof.step(
            "$‖Y‖$ times", le(size * FrobeniusNorm(turned), size * limit), sign, shorter
        )
        weight = at_least_0(proof, "α²L‖Y‖/2", L * step**2 * size / 2, speed, self.positive, sign)
        lengths = proof.step(
            "$α²L‖Y‖²/2$", le(L / 2 * (step * size) ** 2, L * step**2 * size * P / 4), weight, small
        )
        times = proof.step("$m‖Y‖ ≤ mP/2$", le(m * size, m * P / 2), by.nonnegative("F", M), small)
        return proof.step(
            "$⟨Z, Y⟩$ and $‖Y‖²$",
            le(rest, m * P / 2),
            by.cauchy_schwarz(turned, bent),
            within,
            lengths,
            times,
        )

    def squared_gradient(self) -> Theorem:
        """‖∇F(v_t)‖² = P, by the chain rule."""
        by = self.proof.by
        whole = eq(SQUARE, P)
        found = by.rewrite(by.block_norm(Gradient(F, v_t)), whole, *self.slopes)
        return self.proof.state("$‖∇F‖² = P$", whole, found, meaning="By the chain rule.")

    def away(
        self, travelled: sp.Expr, share: sp.Expr, spent: Theorem, fallen: Theorem, lower: Theorem
    ) -> Theorem:
        """c‖v_t - v_1‖² <= S_t (f(W_1) - f(W_t)), by induction: the squared length of a path, and
        Cauchy-Schwarz.

        Args:
            travelled: S_t, at most the sum of the steps before t + 1, and at least that of the
                steps before t.
            share: c, of which a step of α lowers F by cαP.
            spent: S_t >= 0.
            fallen: f(W_t) <= f(W_1).
            lower: cαP <= f(W_t) - f(W_{t+1}).

        """
        proof, by, step = self.proof, self.proof.by, self.step
        # ‖A_{t+1} - A_1‖² <= ‖A_t - A_1‖² + 2α‖A_t - A_1‖u + α²u², and so for B.
        further = []
        for equation, after, value, now, start, slope in zip(
            self.updates,
            (A_next, B_next),
            self.values,
            (A_t, B_t),
            (A_first, B_first),
            (slope_a, slope_b),
            strict=True,
        ):
            length, size, name = FrobeniusNorm(now - start), FrobeniusNorm(slope), as_typed(now)
            most = length**2 + 2 * step * length * size + step**2 * size**2
            expanded = proof.step(
                f"${name}$, one step",
                le(FrobeniusNorm(value - start) ** 2, most),
                *map(by.expansion, (value - start, now - start, slope)),
                proof.step(
                    f"${name}$, cross term",
                    le(-step * InnerProduct(now - start, slope), step * length * size),
                    self.positive,
                    by.cauchy_schwarz(start - now, slope),
                ),
            )
            goal = le(FrobeniusNorm(after - start) ** 2, most)
            further.append(
                proof.state(
                    f"${name}$, further", goal, by.rewrite(expanded, goal, (equation, after, value))
                )
            )
        z, mixed = away_a * u + away_b * w, travelled * FALL + step * FALLEN
        room = at_least_0(proof, "αP", step * P, self.positive, at_least_0(proof, "P", P))
        cross = proof.step("$z² ≤ ‖v_t - v_1‖²P$", le(z**2, AWAY * P))
        far = at_least_0(proof, "‖v_t - v_1‖²", AWAY)
        weight = at_least_0(proof, "α‖v_t - v_1‖²", step * AWAY, self.positive, far)
        square = at_least_0(proof, "α²", step**2, self.positive)
        down = proof.step("f falls", ge(FALL, 0), lower, room)
        product = proof.step("α times the fall", ge(step * FALL, 0), self.positive, down)
        steep = proof.step(
            "$cα²P ≤ α$ times the fall", le(share * step**2 * P, step * FALL), lower, self.positive
        )
        size = proof.step(
            "$S_t$ times the fall, and so on",
            ge(mixed, 0),
            proof.step("$S_t$ times the fall", ge(travelled * FALL, 0), spent, down),
            proof.step("α times what f has fallen", ge(step * FALLEN, 0), self.positive, fallen),
        )
        apart = proof.step(
            "a square is not negative", ge((travelled * FALL - step * FALLEN) ** 2, 0)
        )

        def then(now: Theorem) -> list[Theorem]:
            squares = proof.close(
                le((2 * share * step * z) ** 2, mixed**2),
                (now, lower, cross, product, weight, square, apart),
            )
            return (
                [*further, steep, product, by.from_squares(squares, size, 2 * share * step * z)]
                if squares
                else []
            )

        return proof.induct(
            "$c‖v_t - v_1‖² ≤ S_t(F(v_1) - F(v_t))$",
            le(share * AWAY, travelled * FALLEN),
            first=[],
            then=then,
            meaning=(
                "By induction: $2cαz ≤ S_t(F_t - F_(t+1)) + α(F_1 - F_t)$, since its square is."
            ),
        )

    def norms(self) -> list[Theorem]:
        """σ_1(A_t) <= a_1 + ‖A_t - A_1‖, and so for B, from the norms at the start."""
        proof, by = self.proof, self.proof.by
        return [
            proof.step(
                f"$σ_1({as_typed(now)})$",
                le(SpectralNorm(now), radius + FrobeniusNorm(now - begin)),
                by.triangle("op", begin, now - begin),
                by.spectral_below_frobenius(now - begin),
                start,
            )
            for now, begin, radius, start in zip(
                (A_t, B_t), (A_first, B_first), (a_1, b_1), proof.assume(START), strict=True
            )
        ]

    def steepest(self, fallen: Theorem) -> Theorem:
        """‖∇f(W_t)‖ <= sqrt(2LD), from f(W_t) <= f(W_1): a step of 1/L along the gradient lowers f
        by m²/(2L).
        """
        proof, by = self.proof, self.proof.by
        unit, inverse = by.quotient(self.smooth)
        move = -M / L
        line = descent_of_f(
            proof, self.lipschitz, W_t, move, "a step along the gradient", "along the gradient"
        )
        lower = proof.step(
            "$m²/(2L)$",
            le(m**2 / L / 2, NOW - f_star),
            line,
            by.instance(self.below, {W: W_t + move}),
            by.homogeneous(inverse, "F", M),
            by.expansion(M),
            unit,
        )
        (distance,) = proof.positive(D)
        squares = proof.step(
            "$m² ≤ 2LD$",
            le(m**2, 2 * L * D),
            proof.step("$m²/(2L) ≤ D$", le(m**2 / L / 2, D), lower, fallen, self.gap),
            self.smooth,
            unit,
        )
        radicand = at_least_0(proof, "2LD", 2 * L * D, self.smooth, distance)
        root = by.root_nonnegative(2 * L * D)
        return proof.state(
            "$m ≤ √(2LD)$", le(m, STEEPEST), by.from_squares(squares, root, m, by.root(radicand))
        )


# The sum of the steps before t, and of all steps.
TRAVELLED = sp.Sum(at_time(STEP, i), (i, 1, t - 1))
ALL = sp.Sum(STEP, (t, 1, T))
INSIDE = first**2 + 2 * growth * T
ROOM = sp.sqrt(INSIDE) - first


@script(ADAPTIVE_GD, "sharp", fresh=[theta])
def adaptive_gd(proof: Proof) -> None:
    """One step lowers F by 3/4 of the step times ‖∇F‖²; the rest is sums."""
    by = proof.by
    divisor = proof.assume(GOES_ON)
    (smooth,) = proof.positive(L)
    unit, inverse = by.quotient(divisor)
    half = defined(proof, share)
    positive = above_0(proof, "α", STEP, inverse, half)
    descent = Descent(proof, STEP, positive, smooth)
    exact = proof.step("$α(LJ² + m) = 1/K$", eq(descent.local, 1 / K), unit, half)
    short = proof.step("$α(LJ² + m) ≤ 2$", le(descent.local, 2), exact)
    falls = proof.step(
        "F falls by cαP",
        le(C * STEP * P, FALL),
        descent.lowered(short),
        proof.step("αP/(2K)", eq(STEP * P * descent.local, STEP * P / K), exact),
        meaning="Each step lowers F by 3/4 of the step times the squared gradient norm.",
    )
    spent = proof.induct("$S_t ≥ 0$", ge(TRAVELLED, 0), first=[], then=[positive])
    room = at_least_0(proof, "αP", STEP * P, positive, at_least_0(proof, "P", P))
    fallen = proof.induct(
        "$f(W_t) ≤ f(W_1)$",
        le(NOW, STARTED),
        first=[],
        then=[falls, room],
        meaning="No step rises.",
    )
    away = descent.away(TRAVELLED, C, spent, fallen, falls)
    gain, begin, slow = _slow(descent, exact, away, spent, fallen)

    # The sum S of all steps: pS + qS²/2 >= T.
    square, so_far = (
        at_least_0(proof, "qα²", growth * STEP**2, gain, positive),
        TRAVELLED.xreplace({t - 1: t}),
    )
    counted = proof.induct(
        "$pS_t + qS_t²/2 ≥ t - 1$",
        ge(first * TRAVELLED + growth * TRAVELLED**2 / 2, t - 1),
        first=[],
        then=[slow, square],
        meaning="Each step adds at least 1.",
    )
    more = proof.step(
        "one more", ge(first * so_far + growth * so_far**2 / 2, t), counted, slow, square
    )
    total = ge(first * ALL + growth * ALL**2 / 2, T)
    grown = proof.state("$pS + qS²/2 ≥ T$", total, by.at(more, T), meaning="At $t = T$.")

    # C S min_t ‖∇F(v_t)‖² <= D.
    least = proof.step(
        "$α min ≤ αP$",
        le(STEP * LEAST, STEP * P),
        positive,
        by.least(SQUARE),
        descent.squared_gradient(),
    )
    weighted = proof.step(
        "$α min ≤ (F(v_t) - F(v_(t+1)))/c$", le(C * STEP * LEAST, FALL), falls, least
    )
    summed = proof.step(
        "$cS min ≤ D$",
        le(C * ALL * LEAST, D),
        by.sum(weighted),
        by.telescope(NOW),
        descent.gap,
        by.instance(descent.below, {W: at_time(W_t, T + 1)}),
        meaning="Summed over t, the values of F telescope.",
    )
    _conclusion(proof, gain, begin, grown, at_least_0(proof, "S", ALL, by.sum(positive)), summed)


def _slow(
    descent: Descent, exact: Theorem, away: Theorem, spent: Theorem, fallen: Theorem
) -> tuple[Theorem, Theorem, Theorem]:
    """Q > 0, p > 0, and 1/α_t <= p + qS_t."""
    proof, by, smooth = descent.proof, descent.proof.by, descent.smooth
    signs = proof.positive(L, D, T, a_1, b_1)
    inverses = [by.quotient(each)[1] for each in (signs[1], horizon_above_0(proof))]
    radicand = proof.step(
        "under the root", gt(quantity(proof.claim, stretch).expression.base, 0), inverses, signs
    )
    root = by.positive_root(by.positive_root(radicand))
    share = above_0(proof, "stretch", stretch, defined(proof, stretch), root)
    inverse = list(by.quotient(share))
    more = at_least_0(proof, "1 + stretch", 1 + stretch, share)
    reach = []
    for size, length, radius, norm in zip(
        (size_a, size_b), (away_a, away_b), (a_1, b_1), descent.norms(), strict=True
    ):
        whole = proof.step(
            f"${as_typed(size)}²$, first", le(size**2, (radius + length) ** 2), norm, signs
        )
        parts = (1 + 1 / stretch) * radius**2 + (1 + stretch) * length**2
        mixed = proof.step(
            f"${as_typed(size)}$, mixed",
            le(2 * radius * length, radius**2 / stretch + stretch * length**2),
            inverse,
        )
        reach.append(proof.step(f"${as_typed(size)}²$", le(size**2, parts), whole, mixed))
    inside = descent.fallen()
    near = proof.step(
        "$c‖v_t - v_1‖² ≤ S_tD$",
        le(C * AWAY, TRAVELLED * D),
        away,
        proof.step("$S_t$", le(TRAVELLED * FALLEN, TRAVELLED * D), spent, inside),
    )
    lengths = proof.step(
        "$LJ²$",
        le(L * REACH, L * (1 + 1 / stretch) * (a_1**2 + b_1**2) + L * (1 + stretch) * AWAY),
        smooth,
        reach,
    )
    weight = at_least_0(proof, "L(1 + stretch)", L * (1 + stretch), smooth, more)
    scaled = proof.step(
        "$cL‖v_t - v_1‖²$",
        le(C * L * (1 + stretch) * AWAY, L * (1 + stretch) * TRAVELLED * D),
        weight,
        near,
    )
    steepest, starts, grows = (defined(proof, x) for x in (steep, first, growth))
    limit = proof.step(
        "$1/α ≤ p + qS_t$",
        le(K * STEEPNESS, first + growth * TRAVELLED),
        lengths,
        scaled,
        descent.steepest(fallen),
        steepest,
        starts,
        grows,
    )
    gain = above_0(proof, "q", growth, grows, above_0(proof, "LD", L * D, smooth, signs), share)
    size = at_least_0(proof, "√(2LD)", steep, steepest)
    begin = above_0(proof, "p", first, starts, signs, size, inverse)
    slow = ge(STEP * (first + growth * TRAVELLED), 1)
    return gain, begin, proof.step("$1 ≤ α(p + qS_t)$", slow, exact, descent.positive, limit)


def _conclusion(
    proof: Proof, gain: Theorem, begin: Theorem, grown: Theorem, sums: Theorem, least: Theorem
) -> None:
    """S >= (sqrt(p² + 2qT) - p)/q, and the bound."""
    by = proof.by
    more = above_0(proof, "qT", growth * T, gain)
    radicand = at_least_0(proof, "p² + 2qT", INSIDE, more)
    square, size = by.root(radicand), by.root_nonnegative(INSIDE)
    ahead = at_least_0(proof, "qS + p", growth * ALL + first, gain, sums, begin)
    squares = proof.step(
        "$p² + 2qT ≤ (qS + p)²$", le(sp.sqrt(INSIDE) ** 2, (growth * ALL + first) ** 2), gain, grown
    )
    below = by.from_squares(squares, ahead, sp.sqrt(INSIDE), square)
    above = proof.step("$p² < p² + 2qT$", gt(INSIDE, first**2), more)
    room = proof.step("$√(p² + 2qT) > p$", gt(ROOM, 0), by.from_squares(above, size, first, square))
    limit = proof.step(
        "$c(√(p² + 2qT) - p)$ times the bound",
        eq(C * ROOM * bound, D * growth),
        defined(proof, bound),
        by.quotient(above_0(proof, "c(√(p² + 2qT) - p)", C * ROOM, room))[0],
    )
    sign = by.at_least(at_least_0(proof, "‖∇F‖²", SQUARE), SQUARE)
    scaled = proof.step("qS min", le(ROOM * LEAST, growth * ALL * LEAST), below, sign)
    product = proof.step("$cqS min ≤ qD$", le(C * growth * ALL * LEAST, growth * D), gain, least)
    proof.conclude(proof.step("bound", proof.claim.conclusion, room, limit, scaled, product))


HALF = sp.Rational(1, 2)
# At t = 1 nothing has been travelled: that t steps have is not sharp, but says at every t that F
# has not risen.
WALKED = alpha * t
RADIUS = sp.sqrt(a_1**2 + b_1**2)


@script(UNCONDITIONAL_GD, "sharp", fresh=[theta])
def unconditional_gd(proof: Proof) -> None:
    """By induction over t: F has not risen, v_t is within rho of v_1, and the next step lowers F by
    half of αP.
    """
    by, radicand = proof.by, quantity(proof.claim, rho).expression.base
    (smooth,) = proof.positive(L)
    unit, inverse = by.quotient(smooth)
    size, root = by.root_nonnegative(radicand), sp.Pow(radicand, HALF, evaluate=False)
    square = by.root(at_least_0(proof, "2DT/L", radicand, inverse, proof.positive(D, T)))
    once = proof.step("$ρ²$", eq(rho**2, root), defined(proof, rho), by.root(size))
    fourth = proof.step("$Lρ⁴ = 2DT$", eq(L * rho**4, 2 * D * T), once, square, unit)
    positive, exact, short = _step(proof, smooth)
    descent = Descent(proof, alpha, positive, smooth)
    here = proof.local(le(HALF * AWAY, WALKED * FALLEN), name="at t, by induction")
    spent = above_0(proof, "αt", WALKED, positive, by.time())
    far = at_least_0(proof, "‖v_t - v_1‖²", AWAY)
    fallen = proof.step("$F(v_t) ≤ F(v_1)$", le(NOW, STARTED), spent, here, far)

    # ‖v_t - v_1‖² <= ρ².
    inside = descent.fallen()
    path = proof.step(
        "$‖v_t - v_1‖² ≤ αLρ⁴$",
        le(AWAY, alpha * L * rho**4),
        here,
        proof.step(
            "αt times",
            le(WALKED * FALLEN, WALKED * D),
            inside,
            at_least_0(proof, "αt", WALKED, positive),
        ),
        proof.step(
            "$αtD ≤ αTD$",
            le(WALKED * D, alpha * T * D),
            by.time()[1],
            at_least_0(proof, "αD", alpha * D, positive, proof.positive(D)),
        ),
        fourth,
    )
    scaled = proof.step(
        "$αLρ⁴ ≤ ρ²$", le(alpha * L * rho**4, rho**2), short, at_least_0(proof, "ρ²", rho**2)
    )
    near = proof.step("$‖v_t - v_1‖² ≤ ρ²$", le(AWAY, rho**2), path, scaled)

    # F(v_{t+1}) <= F(v_t) - αP/2, since LJ² + m <= L̂.
    limit = proof.step(
        "$LJ²$", le(L * REACH, L * (RADIUS + rho) ** 2), smooth, _reach(descent, near)
    )
    local = proof.step(
        "$LJ² + m ≤ L̂$", le(STEEPNESS, Lhat), limit, descent.steepest(fallen), proof.recall("Lhat")
    )
    once = proof.step("$α(LJ² + m) ≤ 1$", le(descent.local, 1), positive, local, exact)
    lowered = descent.lowered(proof.step("$α(LJ² + m) ≤ 2$", le(descent.local, 2), once))
    room = at_least_0(proof, "αP", alpha * P, positive, at_least_0(proof, "P", P))
    spare = proof.step("αP times", ge(alpha * P * (1 - descent.local), 0), room, once)
    falls = proof.step(
        "F falls by αP/2",
        le(HALF * alpha * P, FALL),
        lowered,
        spare,
        meaning="As with an L̂-smooth F.",
    )
    away = descent.away(WALKED, HALF, at_least_0(proof, "αt", WALKED, spent), fallen, falls)

    # The falls add up to D at most.
    lowered = proof.step(
        "$α/2 ‖∇F‖²$",
        le(HALF * alpha * SQUARE, FALL),
        discharged(falls, away),
        descent.squared_gradient(),
    )
    end, mean = by.instance(descent.below, {W: at_time(W_t, T + 1)}), Expectation(SQUARE)
    total = proof.step(
        "sum",
        le(HALF * alpha * sp.Sum(mean, (t, 1, T)), D),
        by.sum(by.expectation(lowered)),
        by.telescope(Expectation(NOW)),
        by.expectation(descent.gap),
        by.expectation(end),
        meaning="Summed over t, the values of F telescope.",
    )
    constant = at_least_0(proof, "L̂", Lhat, proof.recall("Lhat"), proof.positive(L))
    scaled = proof.step(
        "times 2L̂", le(sp.Sum(mean, (t, 1, T)), 2 * Lhat * D), constant, total, exact
    )
    long = horizon_above_0(proof)
    divided(proof, "T", T, 2 * Lhat * D, [long], by.minimum(mean), scaled, label="T min")


def _step(proof: Proof, smooth: Theorem) -> tuple[Theorem, Theorem, Theorem]:
    """α > 0, L̂α = 1 and αLρ² <= 1."""
    by, signs = proof.by, proof.positive(a_1, b_1)
    formula = defined(proof, Lhat)
    size = at_least_0(proof, "ρ", rho, proof.recall("rho"))
    sum_ = above_0(proof, "a_1² + b_1²", a_1**2 + b_1**2, signs)
    radius, root = by.positive_root(sum_), by.root(sum_)
    rest = ge(Lhat - L * rho**2 - L * RADIUS**2, 0)
    most = proof.step("$L̂ ≥ Lρ²$ and more", rest, formula, smooth, size, radius, root)
    square = above_0(proof, "L(a_1² + b_1²)", L * RADIUS**2, smooth, sum_)
    flat = at_least_0(proof, "Lρ²", L * rho**2, smooth)
    unit, over = by.quotient(above_0(proof, "L̂", Lhat, most, square, flat))
    step = defined(proof, alpha)
    positive = step_above_0(proof, step, over)
    exact = proof.step("$L̂α = 1$", eq(Lhat * alpha, 1), step, unit)
    below = proof.step("$Lρ² ≤ L̂$", le(L * rho**2, Lhat), most, square)
    return (
        positive,
        exact,
        proof.step("$αLρ² ≤ 1$", le(alpha * L * rho**2, 1), positive, exact, below),
    )


def _reach(descent: Descent, near: Theorem) -> Theorem:
    """J² <= (sqrt(a_1² + b_1²) + ρ)²."""
    proof, by = descent.proof, descent.proof.by
    signs, total = proof.positive(a_1, b_1), a_1**2 + b_1**2
    sides = zip((size_a, size_b), (a_1, b_1), (away_a, away_b), descent.norms(), strict=True)
    squares = [
        proof.step(f"${as_typed(size)}²$", le(size**2, (radius + length) ** 2), norm, signs)
        for size, radius, length, norm in sides
    ]
    mixed = a_1 * away_a + b_1 * away_b
    cross = proof.step("$mixed² ≤$", le(mixed**2, total * AWAY))
    weight = at_least_0(proof, "a_1² + b_1²", total)
    scaled = proof.step("times $ρ²$", le(total * AWAY, total * rho**2), weight, near)
    sign = proof.step("$ρ ≥ 0$, again", ge(rho, 0), proof.recall("rho"))
    larger = at_least_0(proof, "ρ√(a_1² + b_1²)", RADIUS * rho, sign)
    whole = proof.step("squares", le(mixed**2, total * rho**2), cross, scaled)
    below = by.from_squares(whole, larger, mixed, by.root(weight))
    return proof.step(
        "$J² ≤$", le(REACH, (RADIUS + rho) ** 2), squares, below, near, by.root(weight)
    )
