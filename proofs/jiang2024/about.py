"""The adapters that Lemma 1 is about, and the claims that have instances in one number."""

from boundcheck.language.catalogue import About

from .claims import LEMMA_1, THEOREM_2

ABOUT = (About(LEMMA_1, ("lora", "direft"), is_printed=True),)

# `proof.instance` makes instances of these, in which A and B are numbers.
SCALAR = (LEMMA_1, THEOREM_2)
