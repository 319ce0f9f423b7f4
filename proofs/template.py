"""A template for lemmas of your own: copy it to my_lemma.py, change it, and run `boundcheck prove
my_lemma.py`.

A step says what it claims and from which facts it follows. boundcheck searches for a certificate;
the kernel checks it. In the texts a formula may stand between dollars, as it is typed on one line:
pages and papers typeset it.
"""

from sympy import MatrixSymbol

from boundcheck.language.symbols import a, r
from boundcheck.language.vocabulary import FrobeniusNorm, SpectralNorm, d, k
from boundcheck.proof import Proof, Reading, le, script

X, Y, Z = MatrixSymbol("X", d, r), MatrixSymbol("Y", r, k), MatrixSymbol("Z", r, k)

# X is one matrix; Y and Z may be any. a, r and the dimensions are letters of the catalogue.
READING = Reading(constants={X}, arbitrary={Y, Z})


@script("my.product", "sharp", READING, title="$‖XY‖_F ≤ a‖Y‖_F$")
def product(proof: Proof) -> None:
    """From ‖X‖_op <= a, for every Y."""
    bounded = proof.assume(le(SpectralNorm(X), a), name="$‖X‖_op ≤ a$")
    split = proof.by.submultiplicative("op", "F", X, Y)
    goal = le(FrobeniusNorm(X * Y), a * FrobeniusNorm(Y))
    line = proof.step(
        "product", goal, split, bounded, meaning="$‖XY‖_F ≤ ‖X‖_op‖Y‖_F$, and no norm is negative."
    )
    proof.conclude(line, forall=[Y], relation=goal)


@script("my.sum", "sharp", READING, title="$‖Y + Z‖_F² ≤ 2‖Y‖_F² + 2‖Z‖_F²$")
def sum_of_two(proof: Proof) -> None:
    """In two steps: the triangle inequality, squared, and a square that is not negative."""
    length, y, z = FrobeniusNorm(Y + Z), FrobeniusNorm(Y), FrobeniusNorm(Z)
    triangle = proof.by.triangle("F", Y, Z)
    squared = proof.step(
        "squared", le(length**2, (y + z) ** 2), triangle, meaning="Both sides are nonnegative."
    )
    goal = le(length**2, 2 * y**2 + 2 * z**2)
    # `hints` are expressions whose squares the certificate may use; most steps do not need them.
    line = proof.step(
        "sum", goal, squared, hints=[y - z], meaning="$2y² + 2z² - (y + z)²$ is $(y - z)²$."
    )
    proof.conclude(line, forall=[Y, Z], relation=goal)


# A line without a certificate is tried at small numbers and matrices, and `refuted` where one of
# them meets every assumption and breaks the line; else it is `unknown`. A line may have numbers
# of your own: `witness=at_numbers("what it is", {X: [[1, 0], [0, 1]], a: 1})`, which
# `boundcheck.proof` has.
