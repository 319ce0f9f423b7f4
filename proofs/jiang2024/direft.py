"""DiReFT's bias: DiReFT is exactly LoRA on [h; 1], and no U_3 h can replace the bias."""

from fractions import Fraction

import sympy as sp
from sympy import MatrixSymbol

from boundcheck.exact.evaluate import t
from boundcheck.kernel.meaning import Model
from boundcheck.kernel.terms import Symbol, Variable
from boundcheck.language.symbols import r
from boundcheck.language.vocabulary import Expectation, FrobeniusNorm, Iterate, d, k
from boundcheck.proof import Process, Proof, Reading, Witness, eq, ge, le, script

# h̃ = [h; 1], W_0 = [I 0] and A = [U_1 b] act on it by blocks; B is U_2ᵀ.
h, augmented, bias = MatrixSymbol("h", d, 1), MatrixSymbol("htilde", k, 1), MatrixSymbol("b", r, 1)
first, second, left, start = (
    MatrixSymbol("U_1", r, d),
    MatrixSymbol("U_2", r, d),
    MatrixSymbol("A", r, k),
    MatrixSymbol("W_0", d, k),
)


# Only two equations are assumed, which say how the matrices act.
EXACT = Reading(constants={h, augmented, bias, first, second, left, start})


@script(
    "jiang2024.direft.exact",
    "sharp",
    EXACT,
    title="DiReFT with its bias is LoRA on [h; 1], exactly",
)
def exact(proof: Proof) -> None:
    """(W_0 + BA)h̃ = h + U_2ᵀ(U_1 h + b), with k = d + 1."""
    by = proof.by
    identity = proof.assume(eq(start * augmented, h), name="$[I 0][h; 1] = h$", role="choice")
    affine = proof.assume(
        eq(left * augmented, first * h + bias), name="$[U_1 b][h; 1] = U_1h + b$", role="choice"
    )
    inside = left * augmented - first * h - bias
    whole = (start + second.T * left) * augmented
    edited = h + second.T * (first * h + bias)
    size = le(FrobeniusNorm(whole - edited), 0)
    small = proof.step(
        "difference",
        size,
        by.triangle("F", start * augmented - h, second.T * inside),
        by.submultiplicative("op", "F", second.T, inside),
        identity,
        affine,
        meaning="$W_0h̃ - h + U_2ᵀ(Ah̃ - U_1h - b)$, and both parts vanish.",
    )
    relation = eq(whole, edited)
    equal = by.equal(by.nonnegative("F", whole - edited), small)
    line = proof.step("(6)", relation, equal, meaning="So Lemma 1 covers DiReFT with its bias.")
    proof.conclude(line, relation=relation)


U, b, mean, deviation = LETTERS = sp.symbols("u_3 b_h mu_h s_h")


@script(
    "jiang2024.direft.bias",
    "sharp",
    Reading(constants=LETTERS),
    title=(
        "The error of $b ≈ U_3h$ is at least $b²s²/(s² + μ²)$, for scalars $h$ of mean $μ$ and"
        " variance $s²$"
    ),
)
def least_error(proof: Proof) -> None:
    """E(b - U_3h)² >= b² Var(h)/E[h²] for every U_3: a relative error of 1/(1 + μ²/Var h), all of
    it at mean zero.
    """
    second_moment = mean**2 + deviation**2
    error = b**2 - 2 * b * U * mean + U**2 * second_moment
    relation = ge(second_moment * error, b**2 * deviation**2)
    line = proof.step(
        "least squares",
        relation,
        meaning="The difference is $(E[h²] U_3 - bμ)²$, which the best $U_3$ makes 0.",
    )
    proof.conclude(line, forall=[U, b, mean, deviation], relation=relation)


x_t = Iterate("h", t, 1, 1)
scalar_bias, scalar_map = MatrixSymbol("b", 1, 1), MatrixSymbol("U_3", 1, 1)
SCALAR = Reading(
    processes={x_t: Process((MatrixSymbol("h", 1, 1),), drawn=True)},
    constants={scalar_bias, scalar_map},
)


def _signs_of_one(symbol: Symbol | Variable, time: int, outcome: int) -> tuple[tuple[Fraction]]:
    """The values h = ±1 with equal chances, and b = 1; any U_3 does, and 0 is the best."""
    values = {"h": Fraction(1 - 2 * outcome), "b": Fraction(1), "U_3": Fraction(0)}
    return ((values[symbol.name],),)


ZERO_MEAN = Witness(
    "$h = ±1$ with equal chances and $b = 1$: $E‖b - U_3h‖²$ is $1 + U_3²$, here at the best $U_3"
    " = 0$",
    {"b": Fraction(1), "U_3": Fraction(0), "h_1": Fraction(1), "h_2": Fraction(-1)},
    Model(
        {"one": 1},
        1,
        (Fraction(1, 2), Fraction(1, 2)),
        lambda n: (0, 0) if n < 2 else (0, 1),
        _signs_of_one,
    ),
)


@script(
    "jiang2024.direft.recipe",
    "printed",
    SCALAR,
    title="$b ≈ U_3h$, read as half of the squared error",
    is_statement=True,
)
def recipe(proof: Proof) -> None:
    """For zero-mean h the best approximation is none at all."""
    proof.step(
        "$b ≈ U_3h$",
        le(
            2 * Expectation(FrobeniusNorm(scalar_bias - scalar_map * x_t) ** 2),
            FrobeniusNorm(scalar_bias) ** 2,
        ),
        printed=r"\mathbf{b} \approx \mathbf{U}_3\mathbf{h}",
        meaning=(
            "Read as: the mean squared error is at most half of $‖b‖²$. For no $U_3$, by the least"
            " error above."
        ),
        witness=ZERO_MEAN,
    )
