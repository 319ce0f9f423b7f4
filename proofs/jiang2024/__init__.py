"""jiang2024 audited: one script per statement, each as printed, repaired and sharp. `SCRIPTS` is
their order.
"""

SCRIPTS = (
    "assumptions",
    "lemma_1",
    "variants",
    "theorem_2",
    "theorem_2_sharp",
    "descent",
    "theorem_2_beyond",
    "remarks",
    "direft",
)
