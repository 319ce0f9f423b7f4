"""Property tests of inequalities: `check_claim`, the Hypothesis strategies that it draws from, and
a pytest plugin.

The strategies shrink to small, readable instances and draw nothing from a global random generator:
with the same seed Hypothesis draws the same. Pytest is not needed to import them. A name is
imported when it is first used, because pytest loads the plugin in projects that may never check a
claim.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boundcheck.properties.check import Checked, ClaimViolatedError, RoundingError, check_claim
    from boundcheck.properties.matrix_strategies import (
        SEEDS,
        SIZES,
        ball,
        directions,
        domain_points,
        matrices,
        orthogonal,
        shapes,
    )
    from boundcheck.properties.problem_strategies import (
        SCALES,
        adapters,
        assignments,
        clipped_problems,
        instances,
        objectives,
        offsets,
        problems,
        pseudo_huber_problems,
        short_runs,
        slopes,
        softmax_problems,
    )

__all__ = [
    "SCALES",
    "SEEDS",
    "SIZES",
    "Checked",
    "ClaimViolatedError",
    "RoundingError",
    "adapters",
    "assignments",
    "ball",
    "check_claim",
    "clipped_problems",
    "directions",
    "domain_points",
    "instances",
    "matrices",
    "objectives",
    "offsets",
    "orthogonal",
    "problems",
    "pseudo_huber_problems",
    "shapes",
    "short_runs",
    "slopes",
    "softmax_problems",
]

# Where the names are. No module has the name of a strategy, which it would hide.
_MODULES = tuple(
    f"boundcheck.properties.{x}" for x in ("check", "matrix_strategies", "problem_strategies")
)


def __getattr__(name: str) -> Any:
    """Import a name when it is first used."""
    if name in __all__:
        for module in map(import_module, _MODULES):
            if hasattr(module, name):
                return globals().setdefault(name, getattr(module, name))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
