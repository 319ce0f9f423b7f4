"""What jiang2024 says beside its theorems: its rate and step size, larger constants, the start.

How the bound and the step size grow depends on how C is read, see `reading`: as a constant that
O(·) hides, as σ, which is the least on the ball, or as the text's example √rσ. Where an exponent is
right, one proof gives a lower end and one an upper end; where it is wrong, a proof ends in a
contradiction. Each remark is stated as exactly as the text allows; what the text does not say is in
the title.
"""

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp

from boundcheck.kernel import Theorem
from boundcheck.language.claim import as_typed
from boundcheck.language.symbols import C, D, G, L, Lhat, T, alpha, bound, c, r, sigma, zeta
from boundcheck.language.vocabulary import (
    A,
    EuclideanNorm,
    Expectation,
    F,
    FrobeniusNorm,
    Gradient,
    SpectralNorm,
    k,
    v,
)
from boundcheck.proof import Proof, Reading, Script, eq, ge, gt, le, script

from .assumptions import CORNER, origin
from .claims import LEMMA_1, RATE, ROOT_TERM, SHORTEST_HORIZON, STEP_SIZE, THEOREM_2
from .setting import Meft, above_0, at_least_0, horizon_above_0, quantity

x, y = sp.symbols("x y", positive=True)
CONSTANT, BOUND = quantity(LEMMA_1, Lhat), quantity(THEOREM_2, bound)
# The bound is 5/2 √(DL̂ζ²/T), so bound²T is this times L̂.
SHARE = sp.Rational(25, 4) * D * zeta**2
SPREAD, ROOT = alpha**2 * zeta**2 * T, sp.sqrt(r)


class Printed:
    """The printed L̂, bound and step size, by the claims' own formulas, without roots and quotients
    of them.
    """

    def __init__(self, proof: Proof):
        by = proof.by
        self.proof, self.signs = proof, proof.positive(L, C, G, D, T, sigma, zeta, r)
        (self.noise,) = proof.positive(zeta)
        self.defined = proof.quantity(CONSTANT)
        self.horizon = horizon_above_0(proof)
        self.unit, self.inverse = by.quotient(self.horizon)
        self.square = by.root(at_least_0(proof, "r", r, self.signs))
        self.root = by.root_nonnegative(r)
        rank = proof.step("$r ≥ 1$", ge(r, 1), self.signs)
        self.one = by.from_squares(rank, self.root, sp.Integer(1), self.square)
        value = above_0(proof, "2LC√rσ + G", CONSTANT.expression, self.root, self.signs)
        self.large = above_0(proof, "L̂", Lhat, self.defined, value)

    def bound(self) -> Theorem:
        """bound²T = 25/4 Dζ²L̂."""
        proof, by = self.proof, self.proof.by
        radicand = proof.step(
            "radicand", ge(ROOT_TERM.base, 0), self.large, self.signs, self.inverse
        )
        return proof.step(
            "$bound²T$",
            eq(bound**2 * T, SHARE * Lhat),
            proof.quantity(BOUND),
            by.root(radicand),
            self.unit,
            meaning="The printed bound, squared.",
        )

    def shortest_run(self) -> tuple[Theorem, Theorem]:
        """T ≥ T_min, and what T_min is."""
        return self.proof.assume(THEOREM_2.conditions[0]), self.proof.quantity(SHORTEST_HORIZON)

    def step_size(self) -> Theorem:
        """α²L̂ζ²T = D."""
        proof, by = self.proof, self.proof.by
        units = [by.quotient(self.large), by.quotient(self.noise), (self.unit, self.inverse)]
        radicand = proof.step(
            "radicand", ge(STEP_SIZE.expression.base, 0), self.signs, [sign for _, sign in units]
        )
        return proof.step(
            "$α²L̂ζ²T$",
            eq(SPREAD * Lhat, D),
            proof.quantity(STEP_SIZE),
            by.root(radicand),
            [unit for unit, _ in units],
            meaning="The printed step size, squared.",
        )


@dataclass(frozen=True)
class Growth:
    """A reading of C, under which L̂ is at least 2Lk·size and at most (2Lk + G)·size, with k free
    of r.

    Attributes:
        words: the reading, in titles.
        value: C; None where it stays a letter.
        weight: k.
        size: a power of r, and of σ where C is a letter; at least 1.
        root: the power of the bound, in titles.

    """

    words: str
    value: sp.Expr | None
    weight: sp.Expr
    size: sp.Expr
    root: str

    def end(self, printed: Printed, side: str) -> tuple[sp.Expr, Theorem]:
        """What L̂ is at least, or at most, and the theorem that says so; by `side`, least or
        most.
        """
        proof, signs = printed.proof, printed.signs
        low, high = 2 * L * self.weight * self.size, (2 * L * self.weight + G) * self.size
        value = printed.defined
        if self.value is not None:
            name = f"$C = {as_typed(self.value)}$"
            chosen = proof.assume(eq(C, self.value), name=name, role="choice")
            exact = eq(Lhat, low + G)
            value = proof.step(
                "$L̂$", exact, printed.defined, chosen, printed.square, meaning=f"With {name}."
            )
        if side == "least":
            return low, proof.step("$L̂$, below", ge(Lhat, low), value, signs)
        if self.value is not None:
            large = proof.step("size", ge(self.size, 1), printed.one, signs)
        else:
            large = proof.assume(ge(self.size, 1), name="$√rσ ≥ 1$")
        rest = proof.step("$G$", le(G, G * self.size), large, signs)
        return high, proof.step("$L̂$, above", le(Lhat, high), value, rest)


HIDDEN = Growth("With $C$ fixed and $√rσ ≥ 1$", None, C, ROOT * sigma, "r^(1/4) σ^(1/2)")
LEAST = Growth("With $C = σ$", sigma, sigma**2, ROOT, "r^(1/4)")
EXAMPLE = Growth("With $C = √rσ$", ROOT * sigma, sigma**2, r, "r^(1/2)")


def bounded(
    id: str, growth: Growth, side: str, compare: Callable[[sp.Expr, sp.Expr], sp.Basic]
) -> Script:
    """The proof that bound²T is at least, or at most, a constant times the size."""
    title = (
        f"{growth.words} the printed bound is at {side} a constant times ${growth.root} / √T$, both"
        " squared"
    )

    @script(id, "sharp", title=title)
    def proved(proof: Proof) -> None:
        printed = Printed(proof)
        value, (end, limit) = printed.bound(), growth.end(printed, side)
        share = at_least_0(proof, "25Dζ²/4", SHARE, printed.signs)
        relation = compare(bound**2 * T, SHARE * end)
        proof.conclude(proof.step(f"at {side}", relation, value, share, limit), relation=relation)

    return proved


hidden_least = bounded("jiang2024.rate.hidden_constant.least", HIDDEN, "least", ge)
hidden_most = bounded("jiang2024.rate.hidden_constant.most", HIDDEN, "most", le)
least_least = bounded("jiang2024.rate.least_constant.least", LEAST, "least", ge)
least_most = bounded("jiang2024.rate.least_constant.most", LEAST, "most", le)
own_least = bounded("jiang2024.rate.own_constant.least", EXAMPLE, "least", ge)
own_most = bounded("jiang2024.rate.own_constant.most", EXAMPLE, "most", le)


def stepped(
    id: str, growth: Growth, side: str, compare: Callable[[sp.Expr, sp.Expr], sp.Basic]
) -> Script:
    """The proof that α is at most, or at least, a constant over the root of the size; so it falls
    as σ grows, too.
    """
    title = (
        f"{growth.words} the printed step size is at {side} a constant over ${growth.root}$, both"
        " squared"
    )

    @script(id, "sharp", title=title)
    def proved(proof: Proof) -> None:
        printed = Printed(proof)
        value = printed.step_size()
        end, limit = growth.end(printed, "most" if side == "least" else "least")
        weight = at_least_0(proof, "α²ζ²T", SPREAD, printed.horizon)
        relation = compare(SPREAD * end, D)
        proof.conclude(proof.step(f"at {side}", relation, value, weight, limit), relation=relation)

    return proved


step_hidden_least = stepped("jiang2024.rate.step_size.hidden_constant.least", HIDDEN, "least", ge)
step_hidden_most = stepped("jiang2024.rate.step_size.hidden_constant.most", HIDDEN, "most", le)
step_least_least = stepped("jiang2024.rate.step_size.least_constant.least", LEAST, "least", ge)
step_least_most = stepped("jiang2024.rate.step_size.least_constant.most", LEAST, "most", le)


ABSURD = le(1, 0)


def absurd(proof: Proof, wide: Theorem, small: Theorem, of: str) -> None:
    """Conclude from a choice and its contrary that c does not serve."""
    meaning = f"So $c$ cannot serve for every {of}."
    line = proof.step("absurd", ABSURD, wide, small, meaning=meaning)
    proof.conclude(line, relation=ABSURD)


def rate(printed: Printed) -> Theorem:
    """bound²T ≤ c²√rσ, the printed rate with its constant named."""
    proof = printed.proof
    proof.positive(c)
    law = proof.assume(
        le(bound**2, RATE.expression("bound") ** 2),
        name="$bound ≤ c r^(1/4) σ^(1/2) T^(-1/2)$, squared",
    )
    return proof.step(
        "times $T$", le(bound**2 * T, c**2 * ROOT * sigma), law, printed.unit, printed.signs
    )


@script(
    "jiang2024.rate.with_own_constant",
    "sharp",
    title=(
        "With $C = √rσ$ no $c$ makes the rate $c r^(1/4) σ^(1/2) / √T$: it fails for $√r >"
        " 2c²/(25DLσζ²)$"
    ),
)
def no_constant(proof: Proof) -> None:
    """Whatever c is, some rank is so large."""
    printed = Printed(proof)
    low, limit = EXAMPLE.end(printed, "least")
    scale = sp.Rational(25, 2) * D * L * sigma * zeta**2
    wide = proof.assume(gt(scale * ROOT, c**2), name="$√r > 2c²/(25DLσζ²)$", role="choice")
    most, value = rate(printed), printed.bound()
    share = at_least_0(proof, "25Dζ²/4", SHARE, printed.signs)
    above = proof.step("$bound²T$, below", ge(bound**2 * T, SHARE * low), value, share, limit)
    size = above_0(proof, "√rσ", ROOT * sigma, printed.one, printed.signs)
    small = proof.step(
        "$√r ≤ 2c²/(25DLσζ²)$",
        le(scale * ROOT, c**2),
        size,
        above,
        most,
        printed.square,
    )
    absurd(proof, wide, small, "rank")


@script(
    "jiang2024.rate.any_constant",
    "sharp",
    title=(
        "Whatever $C ≥ σ$ is, no $c$ makes the rate $c r^(1/4) σ^(1/2) / √T$: it fails for $σ >"
        " 2c²/(25DLζ²)$"
    ),
)
def no_root_of_sigma(proof: Proof) -> None:
    """L̂ ≥ 2L√rσ², so the bound grows as σ, and not as its root."""
    printed = Printed(proof)
    scale = sp.Rational(25, 2) * D * L * zeta**2
    large = proof.assume(ge(C, sigma), name="$C ≥ σ$, as Assumption 3(1) makes it on the ball")
    wide = proof.assume(gt(scale * sigma, c**2), name="$σ > 2c²/(25DLζ²)$", role="choice")
    most, value = rate(printed), printed.bound()
    size = above_0(proof, "√rσ", ROOT * sigma, printed.one, printed.signs)
    weight = at_least_0(proof, "25DLζ²√rσ/2", scale * ROOT * sigma, size, printed.signs)
    rest = proof.step("term with $G ≥ 0$", ge(SHARE * G, 0), printed.signs)
    above = proof.step(
        "$bound²T$, below",
        ge(bound**2 * T, scale * ROOT * sigma**2),
        value,
        printed.defined,
        proof.step(
            "$C$ put in", ge(scale * ROOT * sigma * C, scale * ROOT * sigma**2), large, weight
        ),
        rest,
    )
    small = proof.step("$σ ≤ 2c²/(25DLζ²)$", le(scale * sigma, c**2), size, above, most)
    absurd(proof, wide, small, "σ")


@script(
    "jiang2024.rate.step_size.with_own_constant",
    "sharp",
    title=(
        "With $C = √rσ$ no $c > 0$ makes the step size at least $c r^(-1/4)$: it fails for $√r >"
        " D/(2c²Lσ²ζ²T)$"
    ),
)
def no_quarter(proof: Proof) -> None:
    """α² is at most a constant over r."""
    printed = Printed(proof)
    proof.positive(c)
    _, limit = EXAMPLE.end(printed, "least")
    scale = 2 * L * sigma**2 * zeta**2 * T
    wide = proof.assume(gt(c**2 * scale * ROOT, D), name="$√r > D/(2c²Lσ²ζ²T)$", role="choice")
    law = proof.assume(ge(alpha**2 * ROOT, c**2), name="$α ≥ c r^(-1/4)$, squared")
    value = printed.step_size()
    weight = at_least_0(proof, "α²ζ²T", SPREAD, printed.horizon)
    most = proof.step("$α²r$, above", le(alpha**2 * scale * r, D), value, weight, limit)
    size = at_least_0(
        proof, "2Lσ²ζ²T√r", scale * ROOT, printed.root, printed.horizon, printed.signs
    )
    least = proof.step(
        "$α²r$, below", ge(alpha**2 * scale * r, c**2 * scale * ROOT), law, size, printed.square
    )
    small = proof.step("$√r ≤ D/(2c²Lσ²ζ²T)$", le(c**2 * scale * ROOT, D), most, least)
    absurd(proof, wide, small, "rank")


def _larger(proof: Proof) -> tuple[Theorem, list[Theorem]]:
    """L̂ ≥ L + G, from √r ≥ 1/(2Cσ), which the text prints as its condition."""
    by = proof.by
    signs = proof.positive(L, C, G, sigma, r)
    defined = proof.quantity(CONSTANT)
    _, lipschitz, _, radius, _ = signs
    law = proof.assume(ge(sp.sqrt(r), 1 / (2 * C * sigma)), name="$√r ≥ 1/(2Cσ)$")
    half = proof.step(
        "$2σ√r ≥ 1/C$", ge(2 * sigma * sp.sqrt(r), 1 / C), radius, law, by.quotient(radius)[0]
    )
    cleared = proof.step(
        "$2Cσ√r ≥ 1$", ge(2 * C * sigma * sp.sqrt(r), 1), lipschitz, half, by.quotient(lipschitz)[0]
    )
    line = proof.step(
        "$L̂ ≥ L + G$",
        ge(Lhat, L + G),
        defined,
        proof.step("times L", ge(2 * L * C * sigma * sp.sqrt(r), L), cleared, signs),
        meaning="$2LC√rσ$ alone is at least L.",
    )
    return line, signs


@script(
    "jiang2024.remarks.larger_constant",
    "sharp",
    title="The new smoothness constant is larger if $√r ≥ 1/(2Cσ)$",
)
def larger_constant(proof: Proof) -> None:
    """As the text says, below Lemma 1."""
    line, signs = _larger(proof)
    relation = gt(Lhat, L)
    proof.conclude(proof.step("$L̂ > L$", relation, line, signs), relation=relation)


@script(
    "jiang2024.remarks.worse_bound",
    "sharp",
    title=(
        "The bound of Theorem 2 is no smaller with $L̂$ than with $L$, at the same $D$ and $ζ$, if"
        " $√r ≥ 1/(2Cσ)$"
    ),
)
def worse_bound(proof: Proof) -> None:
    """Bounds are compared and not what they bound, which is ∇_v F for the one and ∇_W f for the
    other.
    """
    line, signs = _larger(proof)
    signs = [*signs, *proof.positive(D, zeta, T)]
    _, inverse = proof.by.quotient(above_0(proof, "T", T, signs))
    full, low = (ROOT_TERM.base.xreplace({Lhat: x}) for x in (L, Lhat))
    share = at_least_0(proof, "Dζ²/T", D * zeta**2 / T, signs, inverse)
    rest = proof.step("term with $G ≥ 0$", ge(D * zeta**2 / T * G, 0), signs, share)
    larger = proof.step("radicands", ge(low, full), line, share, rest)
    smaller_bound(proof, (full, low), larger, at_least_0(proof, "DLζ²/T", full, signs, inverse))


def smaller_bound(
    proof: Proof, radicands: tuple[sp.Expr, sp.Expr], in_order: Theorem, nonnegative: Theorem
) -> None:
    """Conclude that the printed bound with the first radicand is at most that with the second,
    which is no smaller.
    """
    by, (small, large) = proof.by, (sp.sqrt(x, evaluate=False) for x in radicands)
    roots = [
        by.root(nonnegative),
        by.root(proof.step("larger radicand", ge(large.base, 0), in_order, nonnegative)),
    ]
    longer = by.from_squares(in_order, by.root_nonnegative(large.base), small, *roots)
    factor, _ = BOUND.expression.args
    relation = le(sp.Mul(factor, small, evaluate=False), sp.Mul(factor, large, evaluate=False))
    proof.conclude(proof.step("bounds", relation, longer, meaning="Times 2.5."), relation=relation)


@script(
    "jiang2024.remarks.smaller_bound",
    "sharp",
    Reading(constants={x, y}),
    title="At the same $T$ a smaller $ζ$, and a smaller $D$, make the bound of Theorem 2 no larger",
)
def less_noise(proof: Proof) -> None:
    """The smaller deviation is x, and the smaller D is y; the theorem speaks of a run only while T
    ≥ 4L̂D/ζ².
    """
    signs = proof.positive(Lhat, D, zeta, x, y)
    quiet, near = (
        proof.assume(le(x, zeta), name="$ζ' ≤ ζ$"),
        proof.assume(le(y, D), name="$D' ≤ D$"),
    )
    _, inverse = proof.by.quotient(horizon_above_0(proof))
    small, large = ROOT_TERM.base.xreplace({zeta: x, D: y}), ROOT_TERM.base
    share = at_least_0(proof, "L̂/T", Lhat / T, signs, inverse)
    squares = proof.step("$ζ'² ≤ ζ²$", le(x**2, zeta**2), quiet, signs)
    products = proof.step("$D'ζ'² ≤ Dζ²$", le(y * x**2, D * zeta**2), near, squares, signs)
    in_order = proof.step("radicands", ge(large, small), products, share)
    smaller_bound(
        proof,
        (small, large),
        in_order,
        proof.step("smaller radicand", ge(small, 0), signs, inverse),
    )


@script(
    "jiang2024.remarks.least_bound",
    "sharp",
    title="However small $ζ$ is, the bound of Theorem 2 is at least $5L̂D/T$ where $T ≥ 4L̂D/ζ²$",
)
def least_bound(proof: Proof) -> None:
    """ζ² is at least 4L̂D/T there; so a batch can only be so large at a fixed T."""
    printed = Printed(proof)
    value, (unit, _) = printed.bound(), proof.by.quotient(printed.noise)
    horizon, shortest = printed.shortest_run()
    long = proof.step("$Tζ² ≥ 4L̂D$", ge(T * zeta**2, 4 * Lhat * D), shortest, horizon, unit)
    share = at_least_0(
        proof, "25DL̂T/4", D * Lhat * T, printed.large, printed.horizon, printed.signs
    )
    squares = proof.step(
        "$(bound·T)² ≥ (5L̂D)²$",
        ge((bound * T) ** 2, (5 * Lhat * D) ** 2),
        value,
        long,
        share,
        printed.horizon,
    )
    above = proof.by.root_nonnegative(ROOT_TERM.base)
    size = at_least_0(proof, "bound·T", bound * T, proof.recall("bound"), above, printed.horizon)
    total = proof.by.from_squares(squares, size, 5 * Lhat * D)
    relation = ge(bound, 5 * Lhat * D / T)
    line = proof.step("$bound ≥ 5L̂D/T$", relation, total, printed.inverse, printed.unit)
    proof.conclude(line, relation=relation)


@script(
    "jiang2024.remarks.long_horizon",
    "sharp",
    title=(
        "Theorem 2 needs $T ≥ 8LC√rσD/ζ²$: at the same $D$ and $ζ$ its shortest run grows with the"
        " rank"
    ),
)
def long_horizon(proof: Proof) -> None:
    """The horizon is 4L̂D/ζ², and L̂ is at least 2LC√rσ."""
    printed = Printed(proof)
    _, inverse = proof.by.quotient(printed.noise)
    horizon, shortest = printed.shortest_run()
    share = at_least_0(proof, "D/ζ²", D / zeta**2, printed.signs, inverse)
    low = 2 * L * C * ROOT * sigma
    larger = proof.step("$L̂ ≥ 2LC√rσ$", ge(Lhat, low), printed.defined, printed.signs)
    product = proof.step("times $D/ζ²$", ge(D / zeta**2 * Lhat, D / zeta**2 * low), larger, share)
    relation = ge(T, 4 * low * D / zeta**2)
    line = proof.step("$T ≥ 8LC√rσD/ζ²$", relation, horizon, shortest, product)
    proof.conclude(line, relation=relation)


SECOND_MOMENT = eq(Expectation(FrobeniusNorm(A) ** 2), r * k * sigma**2)
FOURTH_MOMENT = eq(Expectation(FrobeniusNorm(A) ** 4), r * k * (r * k + 2) * sigma**4)


@script(
    "jiang2024.remarks.start",
    "sharp",
    Reading(arbitrary={A}),
    title=(
        "$σ_1(A_0)²$ is $kσ²$ at least on average, where the entries of $A_0$ have the variance"
        " $σ²$"
    ),
)
def start(proof: Proof) -> None:
    """E‖A_0‖_F² is the sum of rk variances, and ‖A_0‖_F² has at most r squared singular values."""
    rank = above_0(proof, "r", r)
    entries = proof.assume(SECOND_MOMENT, name="$E‖A_0‖_F² = rkσ²$: $rk$ entries of variance $σ²$")
    spread = proof.step(
        "$E‖A_0‖_F² ≤ rE[σ_1²]$",
        le(Expectation(FrobeniusNorm(A) ** 2), r * Expectation(SpectralNorm(A) ** 2)),
        proof.by.expectation(proof.by.rank(A, r)),
        meaning=(
            "A matrix with r rows has r singular values, of which the spectral norm is the largest."
        ),
    )
    relation = ge(Expectation(SpectralNorm(A) ** 2), k * sigma**2)
    line = proof.step("$E[σ_1²] ≥ kσ²$", relation, rank, spread, entries)
    proof.conclude(line, relation=relation)


@script(
    "jiang2024.remarks.gaussian_start",
    "sharp",
    Reading(arbitrary={A}),
    title=(
        "At no $r$ and $k$ does $σ_1(A_0) ≤ σ$ always hold, where the entries of $A_0$ are $N(0,"
        " σ²)$"
    ),
)
def gaussian_start(proof: Proof) -> None:
    """‖A_0‖_F²/σ² is chi-squared with rk degrees of freedom, of mean rk and second moment rk(rk +
    2).
    """
    by, norm = proof.by, FrobeniusNorm(A)
    (scale,) = proof.positive(sigma)
    second = proof.assume(SECOND_MOMENT, name="$E‖A_0‖_F² = rkσ²$", role="choice")
    fourth = proof.assume(FOURTH_MOMENT, name="$E‖A_0‖_F⁴ = rk(rk + 2)σ⁴$", role="choice")
    inside = proof.assume(le(SpectralNorm(A), sigma), name="$σ_1(A_0) ≤ σ$")
    small = proof.step("$‖A_0‖_F² ≤ rσ²$", le(norm**2, r * sigma**2), by.rank(A, r), inside, scale)
    fourth_power = proof.step(
        "$‖A_0‖_F⁴ ≤ rσ²‖A_0‖_F²$", le(norm**4, r * sigma**2 * norm**2), small
    )
    most = proof.step(
        "$E‖A_0‖_F⁴ ≤ r²kσ⁴$",
        le(Expectation(norm**4), r * sigma**2 * r * k * sigma**2),
        by.expectation(fourth_power),
        second,
    )
    sizes = [proof.step(f"${size} > 0$", gt(size, 0)) for size in (r, k)]
    power = above_0(proof, "rkσ⁴", r * k * sigma**4, scale, sizes)
    short = proof.step("$rk + 2 ≤ r$", le(r * k + 2, r), power, most, fourth)
    wide = proof.step(
        "$rk ≥ r$", ge(r * k, r), proof.step("$k ≥ 1$", ge(k, 1)), at_least_0(proof, "r", r)
    )
    line = proof.step("absurd", ABSURD, short, wide, meaning="$2 ≤ 0$.")
    proof.conclude(line, relation=ABSURD)


@script(
    "jiang2024.remarks.origin",
    "sharp",
    CORNER,
    title="At $A = 0$, $B = 0$ the gradient of $F$ is 0, whatever $∇f$ is",
)
def at_origin(proof: Proof) -> None:
    """Bᵀ∇f(W) and ∇f(W)Aᵀ vanish there, so a small ‖∇F‖ says nothing of ‖∇f‖."""
    by, m = proof.by, Meft(proof)
    at_zero = [by.instance(law, {v: origin}) for law in m.chain_rule()]
    length = EuclideanNorm(Gradient(F, origin))
    squares = proof.step("squares", le(length**2, 0), by.block_norm(Gradient(F, origin)), at_zero)
    size = at_least_0(proof, "0", sp.Integer(0))
    relation = eq(length, 0)
    equal = by.equal(
        by.nonnegative("F", Gradient(F, origin)), by.from_squares(squares, size, length)
    )
    proof.conclude(proof.step("$‖∇F(0)‖ = 0$", relation, equal), relation=relation)


entry, change = sp.symbols("a_t g_a", real=True)


@script(
    "jiang2024.remarks.leaves_the_ball",
    "sharp",
    Reading(constants={entry, change}),
    title=(
        "At $d = k = r = 1$ a step from the edge of the ball leaves it at any $g_A < 0$, whatever"
        " $α$ is"
    ),
)
def leaves_the_ball(proof: Proof) -> None:
    """A_{t+1} = A_t - αg_A: whatever α and σ are, a step of Algorithm 1 can break Assumption 2."""
    step, _ = proof.positive(alpha, sigma)
    edge = proof.assume(eq(entry, sigma), name="$A_t = σ$", role="choice")
    outward = proof.assume(gt(-change, 0), name="$g_A < 0$", role="choice")
    relation = gt(entry - alpha * change, sigma)
    line = proof.step(
        "$A_(t+1) > σ$",
        relation,
        step,
        edge,
        outward,
        meaning="Noise without a bound goes as far from any point of the ball.",
    )
    proof.conclude(line, relation=relation)
