"""A strategy for short runs of SGD, whose exact expectations `boundcheck.functions.sgd` computes."""

import hypothesis.strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from boundcheck.errors import InputError
from boundcheck.functions.objective import Objective
from boundcheck.functions.problem import Problem
from boundcheck.functions.sgd import Run
from boundcheck.properties.strategies.matrices import check_size, shapes
from boundcheck.properties.strategies.points import domain_points
from boundcheck.properties.strategies.problems import adapters, clipped_problems, least_squares_problems
from boundcheck.properties.strategies.spectra import choice

KINDS = ("full", "frozen-a", "lora", "direft")
"""The adapters of `runs`."""


def runs(kind: str | None = None, *, horizon: int = 4) -> SearchStrategy[Run]:
    """Short runs on least squares or a clipped loss of one to three samples, with W of up to 3 x 3.

    The start has norms up to 1, the step is 1, 1/2, 1/4 or 1/16, and T up to `horizon`. Shrinks to one step of size 1
    on a loss of a 1 x 1 matrix with one sample.

    Args:
        kind: of adapter, one of ``full``, ``frozen-a``, ``lora`` and ``direft``; None for all.
        horizon: the largest T, up to 4.

    Raises:
        InputError: for any other value.

    """
    if kind is not None and kind not in KINDS:
        raise InputError("kind", kind, f"one of {', '.join(KINDS)}")
    check_size("horizon", horizon)
    if horizon > 4:
        raise InputError("horizon", horizon, "at most 4")
    return _runs(kind, horizon)


@st.composite
def _runs(draw: DrawFn, kind: str | None, horizon: int) -> Run:
    shape = draw(shapes(3))
    losses: list[SearchStrategy[Objective]] = [clipped_problems(shape), least_squares_problems(shape, samples=3)]
    objective = draw(st.one_of(losses))
    adapter = draw(adapters(draw(choice(KINDS)) if kind is None else kind, shape))
    start = draw(domain_points(adapter, dict.fromkeys(adapter.radius_names, 1.0)))
    T = draw(st.integers(1, horizon))
    return Run(Problem(objective, adapter), start, draw(choice((1.0, 0.5, 0.25, 0.0625))), T)
