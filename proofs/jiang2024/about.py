"""The adapters that Lemma 1 is about."""

from boundcheck.claims.about import About

from .claims import LEMMA_1

ABOUT = (About(LEMMA_1, ("lora", "direft"), is_printed=True),)
