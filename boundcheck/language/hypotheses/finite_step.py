"""A step that is found as the run goes is a number."""

import numpy as np
import sympy as sp

from boundcheck.language.algorithms.adaptive_lora_gd import STEEPNESS
from boundcheck.language.claim import Statement
from boundcheck.language.hypotheses.base import Hypothesis
from boundcheck.language.hypotheses.evidence import Audit, Evidence, Status


def _held(e: Evidence, id: str) -> list[Audit]:
    """Check that all steps led from numbers to numbers: where a step is no number, v_{t+1} is none."""
    held = bool(np.isfinite(e.record.trace["gradient_square_norm"].values).all() and e.finite.all())
    status: Status = "held" if held else "failed"
    return [Audit(id, "hypothesis", status, None, None, f"each step led from numbers to numbers, at {e.looks}")]


FINITE_STEP = Hypothesis(
    "finite_step",
    "the step is a number",
    says=(Statement(sp.Gt(STEEPNESS, 0), r"\text{for all } t"),),
    held=_held,
)
