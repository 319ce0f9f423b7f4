"""Which of these claims are about which adapter, of each adapter the sharpest first."""

from boundcheck.language.catalogue import About

from ..jiang2024.claims import THEOREM_2
from . import adapters, lora, theorems

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

# Those for which `problems.hard` can make an instance, from the constants of the ball and the
# noise.
HARD = (lora.THEOREM_2_REPAIRED, lora.THEOREM_2_BEST_STEP, THEOREM_2)

# The theorem for a step that a run chose itself: it asks of the step only that F can fall.
ANY_STEP = theorems.THEOREM_2_ANY_STEP
