"""Whether the step that an algorithm takes in torch is the one that it says to be exact."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from flint import arb

from boundcheck.errors import InputError
from boundcheck.exact.balls import Vector, square_norm_of
from boundcheck.problems.constant import EPSILON
from boundcheck.problems.norms import Point, square_norm
from boundcheck.words.algorithms import Algorithm
from boundcheck.words.algorithms.base import Space

if TYPE_CHECKING:
    from boundcheck.words.algorithms.base import Retract

# Steps that are compared, and by how many units of roundoff of all that is summed up they may differ.
_STEPS, _UNITS = 3, 2.0**10


def check_steps(
    algorithm: Algorithm, numbers: Mapping[str, float], length: float, steep: float, *, is_flat: bool = True
) -> None:
    """Refuse an algorithm that begins elsewhere than at v_1, or whose step is not its exact one, on small matrices.

    Args:
        algorithm: one without an exact face, or whose exact face is not written, is let be.
        numbers: a value of each of its parameters, and of what it asks of a function.
        length: of the first iterate.
        steep: the length of each gradient.
        is_flat: whether it moves by sums; else it is given a retraction, as on a curved domain.

    Raises:
        InputError: which names the algorithm, and what its faces say.

    """
    random = torch.Generator().manual_seed(0)
    v = _of_size(length, random)
    begun = tuple(tuple(part.shape) for part in algorithm.iterate(algorithm.start(v, numbers)))
    if begun != (asked := tuple(tuple(part.shape) for part in v)):
        given = f"an iterate with blocks of shapes {begun} where v_1 has {asked}"
        raise InputError(f"algorithm.{algorithm.id}.start", given, "one with the blocks of v_1")
    if algorithm.no_exact:
        return
    with suppress(NotImplementedError):
        gradients = [_of_size(steep, random) for _ in range(_STEPS)]
        _walk(algorithm, numbers, v, gradients, steep, None if is_flat else _moved)


def _walk(
    algorithm: Algorithm,
    numbers: Mapping[str, float],
    v: Point,
    gradients: list[Point],
    steep: float,
    retract: Retract | None,
) -> None:
    """Both steps from the same point, with the same gradients."""
    exact = {name: arb(x) for name, x in numbers.items()}
    state, twin = algorithm.start(v, numbers), algorithm.exact_start(_balls(v), exact)
    size = 0.0
    for t, g in enumerate(gradients, start=1):
        sizes = [square_norm(vector).sqrt().max().item() if vector else 0.0 for vector in state]
        size = max(size, *sizes, *algorithm.drift(sizes, steep, t, numbers), algorithm.reach(sizes, t, numbers))
        _same(algorithm, "query", algorithm.query(state, t, numbers), algorithm.exact_query(twin, t, exact), size)
        state = algorithm.step(state, g, t, numbers, retract)
        twin = algorithm.exact_step(twin, _balls(g), t, exact, Space(square_norm_of, arb.sqrt))
        _same(algorithm, "step", algorithm.iterate(state), algorithm.iterate(twin), size)


def _same(algorithm: Algorithm, face: str, v: Point, exact: Any, size: float) -> None:
    other = tuple(torch.tensor(np.vectorize(float, otypes=[float])(part)).unsqueeze(0) for part in exact)
    gap = square_norm(tuple(x - y for x, y in zip(v, other, strict=True))).sqrt().item()
    lengths = [square_norm(x).sqrt().item() for x in (v, other)]
    allowed = _UNITS * EPSILON * max(size, *lengths)
    if math.isfinite(allowed) and gap > allowed:
        expected = f"the point of exact_{face}, of length {lengths[1]:.8g}, to within {allowed:.1g}"
        given = f"a point of length {lengths[0]:.8g}, {gap:.3g} off"
        raise InputError(f"algorithm.{algorithm.id}.{face}", given, expected)


def _of_size(size: float, random: torch.Generator) -> Point:
    """Two small blocks at random, of this length together."""
    parts = [torch.randn(shape, generator=random, dtype=torch.float64) for shape in ((1, 2, 3), (1, 3, 2))]
    share = size / square_norm(tuple(parts)).sqrt().item()
    return tuple(share * part for part in parts)


def _moved(v: Point, step: Point) -> Point:
    return tuple(x + y for x, y in zip(v, step, strict=True))


def _balls(v: Point) -> Vector:
    return Vector(np.vectorize(arb, otypes=[object])(part[0].numpy()) for part in v)
