"""The instances that refute lines of jiang2024's printed proofs, at d = k = r = 1, in exact
rational arithmetic.

Each meets every hypothesis of its line, and refutes the line's own statement, which is evaluated
there. Their numbers are those of the findings.
"""

from dataclasses import replace
from fractions import Fraction

from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.proof.instance import MeftRun, Setting
from boundcheck.proof.witness import at_points, on_run

from .claims import LEMMA_1, THEOREM_2

HUBER = PiecewiseLinear.clipped(slope=1, bound=1)
ORIGIN = (Fraction(0), Fraction(0))

# Off the ball F is as steep as A is large: at (3, 0) its curvature in B is 9.
ROW_4 = Setting(LEMMA_1, HUBER, L=1, G=1, C=1, sigma=1)
OFF_THE_BALL = at_points(
    "The Huber function at $(A, B) = (3, 0)$ and $(3, 1/3)$, outside of the ball: $∇F$ changes by"
    " $(1/9, 3)$ over a move of 1/3, and the printed constant is 3",
    ROW_4,
    (Fraction(3), Fraction(0)),
    (Fraction(3), Fraction(1, 3)),
)

# (X, Y) = (3, 4) has the Euclidean norm 5, not 7.
ROW_5 = Setting(LEMMA_1, HUBER, L=1, G=1, C=4, sigma=4)
PYTHAGORAS = at_points(
    "The Huber function at $(A, B) = (4, 3)$ and $(0, 0)$: the gradient changes by $(3, 4)$, of"
    " Euclidean norm 5, and $3 + 4$ is 7",
    ROW_5,
    (Fraction(4), Fraction(3)),
    ORIGIN,
)

# f' = 1 at W_1 = 0 and f' = 0 at W_2 = -1, so only the first term of (13) remains, and its
# denominator is too big.
ROW_6 = Setting(LEMMA_1, PiecewiseLinear.clipped(slope=1, bound=1, zero=-1), L=1, G=1, C=2, sigma=2)
DENOMINATOR = at_points(
    "$f'(w) = clip(w + 1, ±1)$ at $(A, B) = (2, 0)$ and $(1, -1)$: the ratio is $√2$, and the first"
    " bound of (13) is 1",
    ROW_6,
    (Fraction(2), Fraction(0)),
    (Fraction(1), Fraction(-1)),
)

# The curvature of F is nearly L̂, and the noise is as large as (21) allows: the right side of (22)
# is negative.
ROW_10 = MeftRun(
    THEOREM_2,
    PiecewiseLinear.clipped(slope=1, bound="7/64", zero="15/16"),
    L=1,
    G="7/64",
    C="9/8",
    sigma="9/8",
    offsets=(8, -8),
    start=(1, 1),
    zeta=13,
    alpha="1/676",
    T=2,
)
NEGATIVE = on_run(
    "$f'(w) = clip(w - 15/16, ±7/64)$, $v_1 = (1, 1)$, two samples $f(w) ± 8w$, the printed step"
    " size",
    ROW_10,
)

# With α = 1/(2L̂), which is all that (21) to (24) use of the step size: the run settles where
# E‖∇F‖² is about ζ²/3, and six steps of that outweigh a start next to the minimum.
ROW_11 = MeftRun(
    THEOREM_2,
    PiecewiseLinear.clipped(slope="255/256", bound="255/32768", zero="127/128"),
    L="255/256",
    G="1/128",
    C=1,
    sigma=1,
    offsets=("1/128", "-1/128"),
    start=("255/256", "255/256"),
    zeta="2/181",
    alpha="1/4",
    T=6,
)
SETTLED = on_run(
    "$f'(w) = 255/256 (w - 127/128)$, clipped; two samples $f(w) ± w/128$; step size $1/(2L̂)$, $T"
    " = 6$",
    ROW_11,
)

# f' is 1/120 at the start and rises to 1/10 on the way down, which takes until the last iterate. No
# noise is needed.
ROW_15 = MeftRun(
    THEOREM_2,
    PiecewiseLinear.through(("4/5", 0), ("9/10", "1/10"), (1, "1/120")),
    L=1,
    G="1/10",
    C="827/800",
    sigma=1,
    offsets=(0,),
    start=(1, 1),
    zeta="17/160",
    alpha="200/867",
    T=8,
)
LAST_ITERATE = on_run(
    "$f'$ through $(4/5, 0)$, $(9/10, 1/10)$, $(1, 1/120)$, $v_1 = (1, 1)$, no noise, the printed"
    " step size",
    ROW_15,
)

# Two samples with gradients ±1 in W at v_1 = (1, 0), each drawn once.
ROW_16 = MeftRun(
    THEOREM_2,
    HUBER,
    L=1,
    G=1,
    C=2,
    sigma=2,
    offsets=(1, -1),
    start=(1, 0),
    zeta=3,
    alpha="1/18",
    T=2,
)
DRAWN_ONCE = on_run(
    "The Huber function, $v_1 = (1, 0)$, two samples $f(w) ± w$ drawn without replacement",
    replace(ROW_16, replacement=False),
)

ROW_21 = Setting(
    LEMMA_1, PiecewiseLinear.clipped(slope=1, bound="1/10"), L=1, G="1/10", C="1/10", sigma="1/10"
)
SMALL_BALL = at_points(
    "A Huber function with $L = 1$, and $σ = C = G = 1/10$", ROW_21, ORIGIN, ORIGIN
)
