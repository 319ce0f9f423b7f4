"""Lemma 1 for adapters that are LoRA under another name, or half of it: DiReFT with bias, and B frozen."""

from dataclasses import replace

from boundcheck.language.symbols import a, b
from boundcheck.language.vocabulary import B
from boundcheck.proof import Proof, script

from ..meft.adapters import DIREFT, FROZEN_B, FROZEN_FACTOR_B
from . import one_factor
from .lemma_1 import sharp_lemma
from .setting import READING, UNSCALED

ONE_FACTOR = replace(READING, constants=READING.constants | {B}, arbitrary=READING.arbitrary - {B})


@script(DIREFT, "sharp", READING)
def direft(proof: Proof) -> None:
    """λ* at scale 1, of A = [U_1 b] and B = U_2ᵀ: nothing in the proof asks what the columns of A are."""
    sharp_lemma(proof, DIREFT, UNSCALED, (a, b))


@script(FROZEN_B, "sharp", ONE_FACTOR)
def frozen(proof: Proof) -> None:
    """∇F(A) = sBᵀ∇f(W), and W moves by sB(A_1 - A_2)."""
    one_factor.smoothness(proof, one_factor.FROZEN_B, FROZEN_B, FROZEN_FACTOR_B)
