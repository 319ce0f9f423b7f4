"""Realised counterexamples to steps of jiang2024's printed proofs, at d = k = r = 1, in exact rational arithmetic.

Each is a problem that meets every hypothesis in force at the step, with the two sides of the step as fractions. Where
norms are irrational, squares of both sides stand in for them. `refutations` lists them all.
"""

import operator
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations

from boundcheck.problems.piecewise import PiecewiseLinear
from boundcheck.prove.instance import Instance, Point, Setting, square_norm

RELATIONS = {"=": operator.eq, "<=": operator.le, "<": operator.lt}


@dataclass(frozen=True)
class Refutation:
    """A printed step that an instance breaks.

    Attributes:
        row: the finding's number.
        where: the equation or assumption as jiang2024 numbers it.
        left: the left-hand side that the step prints, at the witness.
        relation: the relation that is printed between the sides, which does not hold.
        right: the right-hand side.
        sides: what the sides are, in words.
        failures: hypotheses of the step that the witness does not meet; there must be none.

    """

    row: int
    where: str
    left: Fraction
    relation: str
    right: Fraction
    sides: str
    failures: tuple[str, ...] = ()

    @property
    def stands(self) -> bool:
        """Whether all hypotheses hold and the printed relation does not."""
        return not self.failures and not RELATIONS[self.relation](self.left, self.right)


# Row 2, Assumption 3, part 1: no C serves for all A and B. At A = B = t against 0, |W1 - W2| = t^2 beats 2 C t.
def unbounded_product(C: Fraction) -> tuple[Point, Point]:
    """Two points at which |W1 - W2| > C (|A1 - A2| + |B1 - B2|), for any C > 0."""
    t = 2 * C + 1
    return (t, t), (Fraction(0), Fraction(0))


# Row 2 again: on the ball no C below sigma serves, since moving B alone at A = sigma moves W sigma times as far.
def extreme_product(sigma: Fraction) -> tuple[Point, Point]:
    """Two points of the ball at which |W1 - W2| = sigma (|A1 - A2| + |B1 - B2|)."""
    return (sigma, sigma), (sigma, Fraction(0))


# Row 3, Assumption 3, part 2: least squares, f(w) = w^2/2 with f'(w) = w, has no gradient bound.
def least_squares_gradient(G: Fraction) -> tuple[Fraction, Fraction]:
    """A weight w at which |f'(w)| > G for f(w) = w^2/2, and f'(w)."""
    w = G + 1
    return w, w


HUBER = PiecewiseLinear.clipped(slope=1, bound=1)


# Row 4, Lemma 1 "for any v1, v2": the Huber function, off the ball, where F is as steep as A is large.
def off_the_ball(C: Fraction, sigma: Fraction) -> tuple[Setting, Point, Point]:
    """A setting and points (t, 0) and (t, h) at which Lemma 1's inequality is false, for any C and sigma."""
    setting = Setting(HUBER, L=1, G=1, C=C, sigma=sigma)
    t = setting.smoothness
    return setting, (t, Fraction(0)), (t, 1 / t)


# Row 5, Eq. (11): ||(X, Y)|| = ||X||_F + ||Y||_F. Here (X, Y) = (3, 4), of Euclidean norm 5 and not 7.
ROW_5 = Setting(HUBER, L=1, G=1, C=4, sigma=4)
ROW_5_POINTS: tuple[Point, Point] = ((Fraction(4), Fraction(3)), (Fraction(0), Fraction(0)))

# Row 6, first inequality of (13): ||v1 - v2|| is replaced by ||A1 - A2|| + ||B1 - B2||, which is larger, below the bar.
# f'(w) = clip(w + 1, -1, 1), so that f' = 1 at W1 = 0 and f' = 0 at W2 = -1.
ROW_6 = Setting(PiecewiseLinear.clipped(slope=1, bound=1, zero=-1), L=1, G=1, C=2, sigma=2)
ROW_6_POINTS: tuple[Point, Point] = ((Fraction(2), Fraction(0)), (Fraction(1), Fraction(-1)))

# Row 10, (22) with the printed step size: the curvature of F is nearly Lhat, and the noise does what (21) lets it do.
# f'(w) = clip(w - 7/8, -1/4, 1/4); v_1 = (1, 1); two samples f(w) +- 8 w. The right-hand side is negative.
ROW_10 = Instance(
    PiecewiseLinear.clipped(slope=1, bound="1/4", zero="7/8"),
    L=1,
    G=Fraction(1, 4),
    C=Fraction(9, 8),
    sigma=Fraction(9, 8),
    offsets=(8, -8),
    start=(1, 1),
    zeta2=178,
    alpha=Fraction(1, 356),
    T=2,
)

# Row 11, (23) and (24) with alpha = 1/(2 Lhat), which is all that (21) to (24) use of the step size: started next to
# the minimum, the run settles where E||grad F||^2 is about zeta^2/3, and T = 6 steps of that outweigh the start.
# f'(w) = 255/256 (w - 127/128) within 1/128 of its zero; v_1 = (255/256, 255/256); two samples f(w) +- w/128.
ROW_11 = Instance(
    PiecewiseLinear.clipped(slope="255/256", bound="255/32768", zero="127/128"),
    L=Fraction(255, 256),
    G=Fraction(1, 128),
    C=1,
    sigma=1,
    offsets=(Fraction(1, 128), Fraction(-1, 128)),
    start=(Fraction(255, 256), Fraction(255, 256)),
    zeta2=Fraction(1, 8192),
    alpha=Fraction(1, 4),
    T=6,
    step="any",
)

# Row 15, "return v_T" with the printed step size: f' is 1/120 at the start, and rises to 1/10 on the way down, which
# takes until the last iterate. No noise is needed; Theorem 2's bound holds of the minimum and not of v_T.
ROW_15 = Instance(
    PiecewiseLinear.through(("4/5", 0), ("9/10", "1/10"), (1, "1/120")),
    L=1,
    G=Fraction(1, 10),
    C=1,
    sigma=1,
    offsets=(0,),
    start=(1, 1),
    zeta2=Fraction(7, 640),
    alpha=Fraction(5, 21),
    T=8,
)

# Row 16, unbiased but not given the past: two samples with gradients +-1 in W at v_1 = (1, 0), drawn without
# replacement. The second one's gradient in B is off by 1, one way or the other, as soon as the first one is known.
ROW_16 = Instance(
    HUBER,
    L=1,
    G=1,
    C=2,
    sigma=2,
    offsets=(1, -1),
    start=(1, 0),
    zeta2=8,
    alpha=Fraction(1, 18),
    T=2,
    step="any",
)

# Row 17, coercivity: F(t, 0) = f(0) for every t, however large, though f itself is coercive.
ROW_17 = Setting(HUBER, L=1, G=1, C=1, sigma=1)


def change(setting: Setting, v1: Point, v2: Point) -> Point:
    """(X, Y) of Eq. (11): the gradient of F at v1 less that at v2."""
    return minus(setting.gradient(v1), setting.gradient(v2))


def minus(u: Point, v: Point) -> Point:
    """The difference of two points or gradients."""
    return u[0] - v[0], u[1] - v[1]


def sum_of_norms(v: Point) -> Fraction:
    """||A||_F + ||B||_F."""
    return abs(v[0]) + abs(v[1])


def first_bound_of_13(setting: Setting, v1: Point, v2: Point) -> Fraction:
    """The right-hand side of the first inequality of (13), as printed."""
    m1, m2 = (setting.slope.value(A * B) for A, B in (v1, v2))
    apart = sum_of_norms(minus(v1, v2))
    return (abs(m1 - m2) * sum_of_norms(v1) + abs(m2) * apart) / apart


def step_22(run: Instance, t: int) -> tuple[Fraction, Fraction]:
    """Both sides of (22) at iteration t."""
    drop = run.mean_losses[t - 1] - run.mean_losses[t]
    return run.mean_square_norms[t - 1], 2 * drop / run.alpha + _noise_term(run)


def step_23(run: Instance) -> tuple[Fraction, Fraction]:
    """Both sides of (23)."""
    return sum(run.mean_square_norms), 2 * run.gap / run.alpha + run.T * _noise_term(run)


def step_24(run: Instance) -> tuple[Fraction, Fraction]:
    """Both sides of the second inequality of (24)."""
    return sum(run.mean_square_norms) / run.T, 2 * run.gap / (run.alpha * run.T) + _noise_term(run)


def _noise_term(run: Instance) -> Fraction:
    return run.smoothness * run.alpha * run.zeta2 / 2


def biases_without_replacement(run: Instance) -> list[Point]:
    """E[g_2 | g_1] - grad F(v_2) for each first sample, the second one being drawn from the others."""
    biases = []
    for first in range(len(run.offsets)):
        v2 = run.after(run.start, run.offsets[first])
        others = [run.gradient(v2, c) for i, c in enumerate(run.offsets) if i != first]
        A, B = (sum(parts) / len(others) for parts in zip(*others, strict=True))
        biases.append(minus((A, B), run.gradient(v2)))
    return biases


def bias_over_orders(run: Instance, v: Point) -> Point:
    """E[g_2] - grad F at a given v, over all orders of the samples: what the printed assumption speaks of."""
    orders = list(permutations(run.offsets))
    A, B = (sum(parts) / len(orders) for parts in zip(*(run.gradient(v, order[1]) for order in orders), strict=True))
    return minus((A, B), run.gradient(v))


def refutations_of_assumptions() -> list[Refutation]:
    """Rows 2, 3 and 17. The first three hold for every C and G and not only for these."""
    one, far = Fraction(1), Fraction(10**6)
    (t, _), _ = unbounded_product(one)
    (sigma, h), _ = extreme_product(one)
    w, gradient = least_squares_gradient(one)
    flat, origin = ROW_17.loss((far, Fraction(0))), ROW_17.loss((Fraction(0), Fraction(0)))
    return [
        Refutation(2, "Assumption 3(1)", t * t, "<=", 2 * t, f"|W1 - W2| at A = B = {t} and 0, against C = 1"),
        Refutation(2, "Assumption 3(1)", sigma * h, "<=", h / 2, "the same on the ball of sigma = 1, against C = 1/2"),
        Refutation(3, "Assumption 3(2)", gradient, "<=", one, f"f'({w}) of f(w) = w^2/2, against G = 1"),
        Refutation(17, "coercivity", origin, "<", flat, "F(0, 0), and F far out at (10^6, 0)"),
    ]


def refutations_of_lemma_1() -> list[Refutation]:
    """Rows 4, 5 and 6."""
    huber, u1, u2 = off_the_ball(Fraction(1), Fraction(1))
    far, apart = change(huber, u1, u2), square_norm(minus(u1, u2))
    bound = huber.smoothness**2 * apart
    split = change(ROW_5, *ROW_5_POINTS)
    v1, v2 = ROW_6_POINTS
    ratio = square_norm(change(ROW_6, v1, v2)) / square_norm(minus(v1, v2))
    # Assumption 2 says nothing of the points of row 4, as "any v1, v2" are printed.
    none, five, six = (
        tuple(setting.lemma_1_failures(points))
        for setting, points in ((huber, ()), (ROW_5, ROW_5_POINTS), (ROW_6, ROW_6_POINTS))
    )
    squares = "squared ratios of changes, against the square of the bound in (13)"
    return [
        Refutation(4, "(10)", square_norm(far), "<=", bound, "squares of both sides, off the ball", none),
        Refutation(
            5,
            "(11)",
            square_norm(split),
            "=",
            sum_of_norms(split) ** 2,
            "squared norms of the change of gradient",
            five,
        ),
        Refutation(6, "(13)", ratio, "<=", first_bound_of_13(ROW_6, v1, v2) ** 2, squares, six),
    ]


def refutations_of_theorem_2() -> list[Refutation]:
    """Rows 10, 11, 15 and 16."""
    ten, eleven, fifteen, sixteen = (tuple(run.failures()) for run in (ROW_10, ROW_11, ROW_15, ROW_16))
    last, printed = ROW_15.mean_square_norms[-1] ** 2, ROW_15.printed_bound_square
    (_, bias), _ = biases_without_replacement(ROW_16)
    return [
        Refutation(10, "(22)", *_between(step_22(ROW_10, 1)), "at t = 1, printed step size", ten),
        Refutation(11, "(23)", *_between(step_23(ROW_11)), "T = 6, step size 1/(2 Lhat)", eleven),
        Refutation(11, "(24)", *_between(step_24(ROW_11)), "T = 6, step size 1/(2 Lhat)", eleven),
        Refutation(15, "(14) of v_T", last, "<=", printed, "squares of E||grad F(v_T)||^2 and of the bound", fifteen),
        Refutation(
            16, "E[g] = grad", bias, "=", Fraction(0), "bias of g_2 in B given g_1, without replacement", sixteen
        ),
    ]


def _between(sides: tuple[Fraction, Fraction]) -> tuple[Fraction, str, Fraction]:
    left, right = sides
    return left, "<=", right


def refutations() -> list[Refutation]:
    """All of them, in the order of the rows."""
    found = refutations_of_assumptions() + refutations_of_lemma_1() + refutations_of_theorem_2()
    return sorted(found, key=lambda each: each.row)
