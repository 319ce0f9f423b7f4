"""What the reference report on jiang2024 runs: experiments as spec files would hold them, planted faults, searches."""

import math
from collections.abc import Iterator
from typing import Any

_PSEUDO_HUBER = {"kind": "pseudo-huber", "d": 4, "k": 4, "samples": 16, "delta": 0.25, "signal": 1.0, "noise": 0.5}
_DIGITS = {"kind": "digits"}
_READOUT = {"kind": "readout", "components": 16}
_TARGETS = {"kind": "pseudo-huber", "d": 8, "k": 8, "samples": 16, "delta": 0.25, "signal": 1.0, "noise": 0.5}
_SAMPLES = {"pairs": 128, "iterates": 32, "points": 4, "ascents": 3, "rounds": 12}

# Every theorem on one problem, from one start, at one T; the first radii and the noise hold for each step size.
_SIDE_BY_SIDE = {"problem": _PSEUDO_HUBER, "domain": {"a": 3.2, "b": 3.2}}
_STEPS = {"steps": 500, "audits": 100}
_NOISY = _STEPS | {"zeta": 0.98, "batch": 2, "replicas": 256}
_LORA, _FROZEN = {"rank": 2, "gain": 1.5}, {"kind": "frozen-a", "rank": 2, "gain": 1.5}
_CLASSICS = ["ghadimi2013.corollary2_2", "khaled2020.bounded_variance"]
_REPAIRED = ["meft.theorem2_repaired", "meft.theorem2_best_step"]
_EXACT = ["nesterov2004.gradient_descent", "abbaszadehpeivasti2022.best_step"]
_PRINTED = {"claim": "jiang2024.theorem2", "lipschitz": ["sigma", "sqrt(r) sigma"]}
_THEOREMS: tuple[dict[str, Any], ...] = (
    _PRINTED | _SIDE_BY_SIDE | {"adapter": _LORA, "run": _NOISY},
    {"claim": [*_REPAIRED, *_CLASSICS], "adapter": _LORA, "run": _NOISY} | _SIDE_BY_SIDE,
    {"claim": _EXACT[0], "adapter": _LORA, "run": _STEPS} | _SIDE_BY_SIDE,
    {"claim": "meft.unconditional_gd", "problem": _PSEUDO_HUBER, "adapter": _LORA, "run": _STEPS},
    {"claim": "meft.theorem2_frozen_a", "problem": _PSEUDO_HUBER, "adapter": _FROZEN, "run": _NOISY},
    {"claim": _EXACT, "problem": _PSEUDO_HUBER, "adapter": _FROZEN, "run": _STEPS},
)


def _hard(steps: int, claim: str = "meft.theorem2_repaired", **changes: Any) -> dict[str, Any]:
    """A run of the hard instance at the ratio that loses least, with changes to its tables."""
    ratio, gain = min(0.499, math.sqrt(1.5 / steps)), 1e4
    spec: dict[str, Any] = {
        "claim": claim,
        "problem": {"kind": "hard", "steps": steps, "ratio": ratio},
        "adapter": {"rank": 2, "start": "diagonal", "gain": gain},
        "domain": {"a": gain + 1, "b": gain + 1},
        "run": {"zeta": 1.0, "batch": 1, "replicas": 1024, "steps": steps, "audits": min(steps, 64)},
    }
    return spec | {name: spec.get(name, {}) | change for name, change in changes.items()}


# Where the ratio of measured to bound goes as T grows.
_HARD = tuple(_hard(steps) for steps in (10, 30, 100, 400, 2000))
_HORIZONS = {
    "claim": "meft.theorem2_best_step",
    "seed": [0, 1, 2, 3],
    "problem": _PSEUDO_HUBER,
    "adapter": {"rank": 4, "gain": 1.5},
    "domain": {"a": 3.8, "b": 3.8},
    "run": {"zeta": 1.3, "batch": 2, "replicas": 32, "audits": 50, "steps": [300, 1000, 3000, 10000, 30000]},
}

# What was made wrong on purpose, and how. Steps are audited one and all, so that the minimum over t is seen.
_SEEN = {"audits": 400}
FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("nothing: the printed theorem", _hard(400, "jiang2024.theorem2", run=_SEEN)),
    ("2.5 made 1.0", _hard(400, "jiang2024.theorem2", run=_SEEN, assume={"bound": "bound/2.5"})),
    (
        "2.5 made 1.0, and few replicas",
        _hard(400, "jiang2024.theorem2", run=_SEEN | {"replicas": 32}, assume={"bound": "bound/2.5"}),
    ),
    ("L̂ halved", _hard(400, run=_SEEN, assume={"Lhat": "Lhat/2"})),
    ("ζ² quartered", _hard(400, run=_SEEN | {"zeta": 0.5})),
    ("D quartered", _hard(400, run=_SEEN, assume={"D": "D/4"})),
    ("α ten times as large", _hard(400, run=_SEEN, assume={"alpha": "10*alpha"})),
    ("σ too small", _hard(400, run=_SEEN, domain={"a": 1e4 + 0.1, "b": 1e4 + 0.1})),
    ("T a third of T_min", _hard(400, run=_SEEN | {"steps": 2, "audits": 2})),
    ("sampling without replacement", _hard(400, run=_SEEN | {"sampling": "without replacement"})),
)

# Each is a sweep, as a spec file would hold it.
EXPERIMENTS: tuple[dict[str, Any], ...] = (
    {
        "claim": "meft.theorem2_repaired",
        "problem": _DIGITS,
        "adapter": {"rank": [1, 4, 10], "gain": 2.0},
        "run": {"replicas": 16, "audits": 64},
    },
    {
        "claim": ["jiang2024.theorem2", "meft.theorem2_repaired"],
        "problem": _PSEUDO_HUBER,
        "adapter": {"rank": [1, 2, 4], "gain": 1.5},
        "run": {"replicas": 1024, "audits": 64},
    },
    {
        "claim": "jiang2024.lemma1",
        "problem": _DIGITS,
        "adapter": {"rank": [1, 2, 4, 8]},
        "domain": {"a": 2.0, "b": 2.0},
        "bracket": {"pairs": 512, "iterates": 128, "points": 8},
    },
    {
        "claim": "jiang2024.lemma1",
        "problem": _PSEUDO_HUBER,
        "adapter": {"rank": [1, 2, 4]},
        "domain": {"a": 2.0, "b": 2.0},
    },
    *_THEOREMS,
    *_HARD,
    _HORIZONS,
)

# For each adapter the claim that its bracket is held against, and its domain.
_ADAPTERS: dict[str, tuple[str, dict[str, float]]] = {
    "full": ("meft.full", {"rho": 1.0}),
    "lora": ("meft.lemma1_sharp", {"a": 1.0, "b": 1.0}),
    "frozen-a": ("meft.frozen_a", {"b": 1.0}),
    "frozen-b": ("meft.frozen_b", {"a": 1.0}),
    "direft": ("meft.direft", {"a": 1.0, "b": 1.0}),
    "loreft": ("meft.loreft_sharp", {"nu": 1.0}),
    "vera": ("meft.vera_sharp", {"a": 1.0, "b": 1.0}),
    "dora": ("meft.dora_blocks", {"a": 0.5, "b": 0.5, "mu": 1.0}),
    "loha": ("meft.loha_sharp", {"a": 1.0, "b": 1.0}),
}


def adapter_experiments() -> Iterator[dict[str, Any]]:
    """The brackets of every adapter on two problems."""
    for problem in (_TARGETS, _READOUT):
        for kind, (claim, domain) in _ADAPTERS.items():
            adapter = {"kind": kind} | ({} if kind == "full" else {"rank": [1, 2, 4, 8]})
            # The split of the curvature is shown once, on the digits themselves.
            bracket = _SAMPLES | {"looks": 0}
            yield {"claim": claim, "problem": problem, "adapter": adapter, "domain": domain, "bracket": bracket}


# The theorems whose exact worst case is looked for.
WORST_CASES = (
    "meft.theorem2_repaired",
    "jiang2024.theorem2",
    "ghadimi2013.corollary2_2",
    "khaled2020.bounded_variance",
    "nesterov2004.gradient_descent",
    "abbaszadehpeivasti2022.best_step",
)

# What the adversary is asked: claim, C, ranks, and how many other structures to try.
SEARCHES: tuple[tuple[str, str, tuple[int, ...], int], ...] = (
    ("meft.lemma1_sharp", "sigma", tuple(range(1, 9)), 16),
    ("jiang2024.lemma1", "sigma", (1, 2, 4, 8), 4),
    ("jiang2024.lemma1", "sqrt(r) sigma", (1, 2, 4, 8), 4),
    *((claim, "sigma", (1, 4), 8) for kind, (claim, _) in _ADAPTERS.items() if kind != "lora"),
    ("meft.loreft_rank1", "sigma", (1,), 8),
)
