"""A template for lemmas of your own: copy it to my_lemma.py, change it, and run `boundcheck prove
my_lemma.py`.

A lemma says a relation, for all letters for which what it is given holds. boundcheck looks for a
proof, which the kernel checks, and for small numbers at which it is false. In the texts a formula
may stand between dollars, as it is typed on one line: pages and papers typeset it.
"""

from sympy import MatrixSymbol

from boundcheck.language.symbols import a, r
from boundcheck.language.vocabulary import FrobeniusNorm, SpectralNorm, d, k
from boundcheck.proof import Proof, le, lemma

# A letter is what it is made as. a, r and the dimensions d and k are letters of the catalogue.
X, Y, Z = MatrixSymbol("X", d, r), MatrixSymbol("Y", r, k), MatrixSymbol("Z", r, k)

product = lemma(
    "my.product",
    title="$‖XY‖_F ≤ a‖Y‖_F$",
    given=[le(SpectralNorm(X), a)],
    says=le(FrobeniusNorm(X * Y), a * FrobeniusNorm(Y)),
)

LENGTH, SIZES = FrobeniusNorm(Y + Z), FrobeniusNorm(Y) ** 2 + FrobeniusNorm(Z) ** 2


# Lines may be written, where one is too much at once. Each may use those above it.
@lemma("my.sum", title="$‖Y + Z‖_F² ≤ 2‖Y‖_F² + 2‖Z‖_F²$", says=le(LENGTH**2, 2 * SIZES))
def sum_of_two(proof: Proof) -> None:
    """In two steps: the triangle inequality, squared, and a square that is not negative."""
    squared = (FrobeniusNorm(Y) + FrobeniusNorm(Z)) ** 2
    proof.step("squared", le(LENGTH**2, squared), meaning="Both sides are nonnegative.")
