"""The proof of Lemma 1: as printed, with a needless square, and what is proved of it."""

from boundcheck.language.symbols import a
from boundcheck.language.vocabulary import A1, B1, FrobeniusNorm
from boundcheck.proof import Proof, le, script

from .claims import BOUNDED, PRODUCT


@script(PRODUCT, "repaired")
def product(proof: Proof) -> None:
    """‖B A‖ is at most ‖B‖‖A‖."""
    bounded = proof.assume(BOUNDED)
    goal = le(FrobeniusNorm(B1 * A1), a * FrobeniusNorm(A1))
    line = proof.step("(2)", goal, proof.by.submultiplicative("op", "F", B1, A1), bounded)
    proof.conclude(line)
