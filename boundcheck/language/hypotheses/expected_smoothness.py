"""Expected smoothness (ABC): the second moment of the stochastic gradient grows with the gap and the gradient."""

import numpy as np
import sympy as sp

from boundcheck.language.claim import Statement
from boundcheck.language.hypotheses.base import Hypothesis
from boundcheck.language.hypotheses.evidence import Audit, Evidence, at_looks, largest, used
from boundcheck.language.symbols import abc_a, abc_b, abc_c, f_star
from boundcheck.language.vocabulary import SQUARE, EuclideanNorm, Expectation, F, Value, g_t, v_t


def _held(e: Evidence, id: str) -> list[Audit]:
    """Hold C against the noise and what A and B leave of it: E‖g - ∇F‖² + (1 - B)‖∇F‖² - 2A(F - f*)."""
    if not e.function.is_known:
        return []
    a, b, c = (used(e, symbol.name) for symbol in (abc_a, abc_b, abc_c))
    noise, square, loss = (_seen(e, name) for name in ("noise_variance", "gradient_square_norm", "loss"))
    rest = noise[0] + (1 - b) * square[0] - 2 * a * (loss[0] - e.function.infimum.value)
    error = noise[1] + abs(1 - b) * square[1] + 2 * a * loss[1]
    how = "exact second moment by enumerating the samples, less 2A(F - f*) and B‖∇F‖²"
    return [at_looks(e, id, largest(rest), largest(rest - error), c, how, abc_c.name)]


def _seen(e: Evidence, name: str) -> tuple[np.ndarray, np.ndarray]:
    """An observable where the run is to be judged, and the bound on its rounding error."""
    return e.record.trace[name].values[e.inside], e.record.trace[f"{name}_error"].values[e.inside]


EXPECTED_SMOOTHNESS = Hypothesis(
    "expected_smoothness",
    "expected smoothness (ABC)",
    (abc_a, abc_b, abc_c),
    says=(
        Statement(
            sp.Le(
                Expectation(EuclideanNorm(g_t) ** 2, v_t),
                2 * abc_a * (Value(F, v_t) - f_star) + abc_b * SQUARE + abc_c,
            ),
            r"\text{for all } t",
        ),
    ),
    is_about_noise=True,
    held=_held,
)
