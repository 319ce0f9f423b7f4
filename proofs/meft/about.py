"""Which of these claims are about which adapter, of each adapter the sharpest first."""

from boundcheck.language.catalogue import About

from . import adapters, lora

ABOUT = (
    About(lora.LEMMA_1_SHARP, ("lora",)),
    About(lora.LEMMA_1_SHARP_EQUAL_RADII, ("lora",), at_equal_radii=True),
    About(adapters.DIREFT, ("direft",)),
    About(adapters.LORA, ("lora", "direft")),
    About(lora.FROZEN_A, ("frozen-a",)),
    About(adapters.FROZEN_B, ("frozen-b",)),
    About(adapters.FULL, ("full",)),
    About(adapters.DORA_BLOCKS, ("dora",)),
    About(adapters.DORA, ("dora",)),
    About(adapters.LOREFT_RANK_1, ("loreft",)),
    About(adapters.LOREFT_SHARP, ("loreft",)),
    About(adapters.LOREFT, ("loreft",)),
    About(adapters.LOREFT_TRAINED, ("loreft-trained",)),
)
