"""The adapters that Lemma 1 is about."""

from boundcheck.language.catalogue import About

from .claims import LEMMA_1, THEOREM_2

ABOUT = (About(LEMMA_1, ("lora", "direft"), is_printed=True),)

# The lemma and the theorem whose counterexamples in one number `prove.instance` makes.
SCALAR = (LEMMA_1, THEOREM_2)
