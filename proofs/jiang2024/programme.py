"""The programme of an audit of jiang2024: experiments as in spec files, planted faults, searches.

`REFERENCE` makes the report that papers cite; `SHORT` only what the page's argument needs, in
little time. Seconds are for a core that runs ten million steps of an empty loop in half a second;
only the order of the work and the displayed remaining time depend on them.
"""

import math
from collections.abc import Callable
from typing import Any

from boundcheck.language.catalogue import catalogue
from boundcheck.present.programme import Attack, Programme, Sweep
from boundcheck.system.files import Json

from .claims import LEMMA_1

_PSEUDO_HUBER = {
    "kind": "pseudo-huber",
    "d": 4,
    "k": 4,
    "samples": 16,
    "delta": 0.25,
    "signal": 1.0,
    "noise": 0.5,
}
_DIGITS = {"kind": "digits"}
_READOUT = {"kind": "readout", "components": 16}
_TARGETS = {
    "kind": "pseudo-huber",
    "d": 8,
    "k": 8,
    "samples": 16,
    "delta": 0.25,
    "signal": 1.0,
    "noise": 0.5,
}
_SAMPLES = {"pairs": 128, "iterates": 32, "points": 4, "ascents": 3, "rounds": 12}

# Every theorem on one problem, from one start, at one T; the first radii and the noise hold for
# each step size.
_SIDE_BY_SIDE = {"problem": _PSEUDO_HUBER, "domain": {"a": 3.2, "b": 3.2}}
_STEPS = {"steps": 500, "audits": 100}
_NOISY = _STEPS | {"zeta": 0.98, "batch": 2, "replicas": 256}
_LORA, _FROZEN = {"rank": 2, "gain": 1.5}, {"kind": "frozen-a", "rank": 2, "gain": 1.5}
_CLASSICS = ["ghadimi2013.corollary2_2", "khaled2020.bounded_variance"]
_REPAIRED = ["meft.theorem2_repaired", "meft.theorem2_best_step"]
_EXACT = ["nesterov2004.gradient_descent", "abbaszadehpeivasti2022.best_step"]
_PRINTED = {"claim": "jiang2024.theorem2", "lipschitz": ["sigma", "sqrt(r) sigma"]}
_THEOREMS: tuple[Json, ...] = (
    _PRINTED | _SIDE_BY_SIDE | {"adapter": _LORA, "run": _NOISY},
    {"claim": [*_REPAIRED, *_CLASSICS], "adapter": _LORA, "run": _NOISY} | _SIDE_BY_SIDE,
    {"claim": _EXACT[0], "adapter": _LORA, "run": _STEPS} | _SIDE_BY_SIDE,
    {"claim": "meft.unconditional_gd", "problem": _PSEUDO_HUBER, "adapter": _LORA, "run": _STEPS},
    {
        "claim": "meft.theorem2_frozen_a",
        "problem": _PSEUDO_HUBER,
        "adapter": _FROZEN,
        "run": _NOISY,
    },
    {"claim": _EXACT, "problem": _PSEUDO_HUBER, "adapter": _FROZEN, "run": _STEPS},
)


def _hard(steps: int, claim: str = "meft.theorem2_repaired", **changes: Any) -> Json:
    """A run of the hard instance at the ratio that loses least, with changes to its tables."""
    ratio, gain = min(0.499, math.sqrt(1.5 / steps)), 1e4
    spec: Json = {
        "claim": claim,
        "problem": {"kind": "hard", "steps": steps, "ratio": ratio},
        "adapter": {"rank": 2, "start": "diagonal", "gain": gain},
        "domain": {"a": gain + 1, "b": gain + 1},
        "run": {
            "zeta": 1.0,
            "batch": 1,
            "replicas": 1024,
            "steps": steps,
            "audits": min(steps, 64),
        },
    }
    return spec | {name: spec.get(name, {}) | change for name, change in changes.items()}


# The ratio of measured to bound as T grows.
_HORIZONS = {
    "claim": "meft.theorem2_best_step",
    "seed": [0, 1, 2, 3],
    "problem": _PSEUDO_HUBER,
    "adapter": {"rank": 4, "gain": 1.5},
    "domain": {"a": 3.8, "b": 3.8},
    "run": {
        "zeta": 1.3,
        "batch": 2,
        "replicas": 32,
        "audits": 50,
        "steps": [300, 1000, 3000, 10000, 30000],
    },
}

# The planted faults. Every step is audited, so that the minimum over t is seen.
_SEEN = {"audits": 400}
FAULTS: tuple[tuple[str, Json], ...] = (
    ("nothing: the printed theorem", _hard(400, "jiang2024.theorem2", run=_SEEN)),
    ("2.5 made 1.0", _hard(400, "jiang2024.theorem2", run=_SEEN, assume={"bound": "bound/2.5"})),
    (
        "2.5 made 1.0, and few replicas",
        _hard(
            400, "jiang2024.theorem2", run=_SEEN | {"replicas": 32}, assume={"bound": "bound/2.5"}
        ),
    ),
    ("L̂ halved", _hard(400, run=_SEEN, assume={"Lhat": "Lhat/2"})),
    ("ζ² quartered", _hard(400, run=_SEEN | {"zeta": 0.5})),
    ("D quartered", _hard(400, run=_SEEN, assume={"D": "D/4"})),
    ("α ten times as large", _hard(400, run=_SEEN, assume={"alpha": "10*alpha"})),
    ("σ too small", _hard(400, run=_SEEN, domain={"a": 1e4 + 0.1, "b": 1e4 + 0.1})),
    ("T a third of T_min", _hard(400, run=_SEEN | {"steps": 2, "audits": 2})),
    ("sampling without replacement", _hard(400, run=_SEEN | {"sampling": "without replacement"})),
)

_PRINTED_LEMMA = {"claim": "jiang2024.lemma1", "domain": {"a": 2.0, "b": 2.0}}
_DIGITS_RUN = {"problem": _DIGITS, "run": {"replicas": 16, "audits": 64}}
_PSEUDO_HUBER_RUNS = {
    "claim": ["jiang2024.theorem2", "meft.theorem2_repaired"],
    "problem": _PSEUDO_HUBER,
    "adapter": {"rank": [1, 2, 4], "gain": 1.5},
    "run": {"replicas": 1024, "audits": 64},
}


# What both programmes measure of the digits, at their own sizes.
def _run_on_digits(ranks: list[int], *seconds: float) -> Sweep:
    adapter = {"rank": ranks, "gain": 2.0}
    return Sweep(_DIGITS_RUN | {"claim": "meft.theorem2_repaired", "adapter": adapter}, seconds)


def _lemma_on_digits(bracket: Json, *seconds: float) -> Sweep:
    table = {"problem": _DIGITS, "adapter": {"rank": [1, 2, 4, 8]}, "bracket": bracket}
    return Sweep(_PRINTED_LEMMA | table, seconds)


_PSEUDO_HUBER_BRACKETS = _PRINTED_LEMMA | {"problem": _PSEUDO_HUBER, "adapter": {"rank": [1, 2, 4]}}

# For each adapter the claim with which its bracket is compared, and its domain.
_ADAPTERS: dict[str, tuple[str, dict[str, float]]] = {
    "full": ("meft.full", {"rho": 1.0}),
    "lora": ("meft.lemma1_sharp", {"a": 1.0, "b": 1.0}),
    "frozen-a": ("meft.frozen_a", {"b": 1.0}),
    "frozen-b": ("meft.frozen_b", {"a": 1.0}),
    "direft": ("meft.direft", {"a": 1.0, "b": 1.0}),
    "loreft": ("meft.loreft_sharp", {"nu": 1.0}),
    "dora": ("meft.dora_blocks", {"a": 0.5, "b": 0.5, "mu": 1.0}),
}


def _tightest(lipschitz: str) -> Callable[[int], float]:
    """The largest possible measured over bound of the printed lemma at L = G = sigma = 1: λ* over
    its constant.
    """
    ones: Json = {"L": 1, "G": 1, "sigma": 1}

    def ratio(rank: int) -> float:
        C = 1.0 if lipschitz == "sigma" else rank**0.5
        sharp = catalogue["meft.lemma1_sharp_equal_radii"].bound(**ones)
        return sharp / LEMMA_1.bound(**ones, C=C, r=rank)

    return ratio


def _attack_on_lemma_1(lipschitz: str, examples: int, seconds: float) -> Attack:
    return Attack(
        LEMMA_1.id, lipschitz, (1, 2, 4, 8), examples, seconds, _tightest(lipschitz), is_drawn=True
    )


def _adapter_brackets(problem: Json) -> tuple[Sweep, ...]:
    """The brackets of every adapter on one problem."""
    # The split of the curvature is shown once, on the digits themselves.
    common = {"problem": problem, "bracket": _SAMPLES | {"looks": 0}}
    found = []
    for kind, (claim, domain) in _ADAPTERS.items():
        adapter = {"kind": kind} | ({} if kind == "full" else {"rank": [1, 2, 4, 8]})
        table = {"claim": claim, "adapter": adapter, "domain": domain} | common
        found.append(Sweep(table, (1.5,)))
    return tuple(found)


# The theorems whose worst case is bracketed.
_WORST_CASES = (
    "meft.theorem2_everywhere",
    "meft.theorem2_repaired",
    "jiang2024.theorem2",
    "ghadimi2013.corollary2_2",
    "khaled2020.bounded_variance",
    "nesterov2004.gradient_descent",
    "abbaszadehpeivasti2022.best_step",
)

_WATERFALL = ("jiang2024.lemma1", 4)

REFERENCE = Programme(
    command="boundcheck audit jiang2024 --full",
    sweeps=(
        _run_on_digits([1, 4, 10], 40, 8, 3),
        Sweep(_PSEUDO_HUBER_RUNS, (3,)),
        _lemma_on_digits({"pairs": 512, "iterates": 128, "points": 8}, 5, 6, 8, 6),
        Sweep(_PSEUDO_HUBER_BRACKETS, (1.5,)),
        *(Sweep(table, (2,)) for table in _THEOREMS),
        *(Sweep(_hard(steps), (2,)) for steps in (10, 30, 100, 400, 2000)),
        Sweep(_HORIZONS, (0.5, 1, 2, 6, 17) * 4),
        *_adapter_brackets(_TARGETS),
        *_adapter_brackets(_READOUT),
    ),
    attacks=(
        Attack("meft.lemma1_sharp", "sigma", tuple(range(1, 9)), 16, 20, is_drawn=True),
        *(_attack_on_lemma_1(lipschitz, 4, 6) for lipschitz in ("sigma", "sqrt(r) sigma")),
        *(
            Attack(claim, "sigma", (1, 4), 8, 5)
            for kind, (claim, _) in _ADAPTERS.items()
            if kind != "lora"
        ),
        Attack("meft.loreft_rank1", "sigma", (1,), 8, 4),
    ),
    waterfall=_WATERFALL,
    faults=FAULTS,
    worst_cases=_WORST_CASES,
    statistics=True,
)

SHORT = Programme(
    command="boundcheck audit jiang2024",
    sweeps=(
        _run_on_digits([4, 10], 8, 3),
        Sweep(_PSEUDO_HUBER_RUNS, (3,)),
        _lemma_on_digits(_SAMPLES | {"looks": 0}, 3),
        Sweep(_PSEUDO_HUBER_BRACKETS, (1.5,)),
    ),
    attacks=(
        Attack("meft.lemma1_sharp", "sigma", (1, 2, 4, 8), 0, 5, is_drawn=True),
        _attack_on_lemma_1("sigma", 0, 3),
    ),
    waterfall=_WATERFALL,
    reads_study=True,
    adds=(
        "digits at rank 1, theorems side by side, the hard instance, horizons, planted faults,"
        " every adapter, the statistics made anew"
    ),
)
