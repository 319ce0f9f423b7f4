"""jiang2024 audited: one script per statement, each as printed, repaired and sharp. `SCRIPTS` is their order."""

SCRIPTS = (
    "assumptions",
    "lemma_1_printed",
    "lemma_1",
    "variants",
    "adapters",
    "theorem_2_printed",
    "theorem_2",
    "theorem_2_sharp",
    "theorem_2_any_step",
    "theorem_2_everywhere",
    "theorem_2_average",
    "rate",
    "remarks",
    "direft",
)
