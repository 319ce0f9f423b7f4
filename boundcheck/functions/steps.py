"""A check that an algorithm's steps agree: the one in torch, the exact one, and the equations of statements."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from flint import arb, arb_mat, ctx

from boundcheck.errors import InputError
from boundcheck.exact.balls import Balls, Vector, square_norm_of
from boundcheck.exact.evaluate import Model, VectorFunction
from boundcheck.functions.constant import EPSILON
from boundcheck.functions.norms import Point, square_norm
from boundcheck.language.algorithms import Algorithm, Space
from boundcheck.language.vocabulary import F

if TYPE_CHECKING:
    from boundcheck.language.algorithms import Retract

# Steps that are compared, and by how many units of roundoff of all that is summed up they may differ.
_STEPS, _UNITS = 3, 2.0**10
# A number with which any algorithm can be tried.
_SMALL = 0.1
# The precision at which its equations are held against its exact step.
_BITS = 192


def check_steps(
    algorithm: Algorithm,
    numbers: Mapping[str, float] | None = None,
    length: float = 1.0,
    steep: float = 1.0,
    *,
    is_flat: bool = True,
) -> None:
    """Refuse an algorithm whose steps disagree on small matrices, or that begins elsewhere than at v_1.

    Its step in torch is held against its exact one, and that against its `recurrence`.

    Args:
        algorithm: one without an exact face, or whose exact face is not written, is let be.
        numbers: a value of each of its parameters, and of what it asks of a function; small ones if left out.
        length: of the first iterate.
        steep: the length of each gradient.
        is_flat: whether it moves by sums; else it is given a retraction, as on a curved domain.

    Raises:
        InputError: which names the algorithm, and what its faces say.

    """
    if numbers is None:
        known = dict(algorithm.starting)
        numbers = {each.name: float(known.get(each, _SMALL)) for each in algorithm.parameters}
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
        if not algorithm.asks:
            _hold_to_its_equations(algorithm, numbers)


def _walk(
    algorithm: Algorithm,
    numbers: Mapping[str, float],
    v: Point,
    gradients: list[Point],
    steep: float,
    retract: Retract | None,
) -> None:
    """Take both steps from the same point with the same gradients, and refuse them if they disagree."""
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


def _hold_to_its_equations(algorithm: Algorithm, numbers: Mapping[str, float]) -> None:
    """Refuse a `beginning` and `recurrence` that do not lead to the iterates of the exact step.

    Both are computed in balls, from the same gradients.
    """
    random = torch.Generator().manual_seed(0)
    v, *gradients = (_balls(_of_size(1.0, random)) for _ in range(1 + _STEPS))
    with ctx.workprec(_BITS):
        exact = {name: arb(x) for name, x in numbers.items()}
        iterates: dict[tuple[str, int], tuple[arb_mat, ...]] = {("v", 1): _blocks(v)}
        asked: list[tuple[tuple[arb_mat, ...], tuple[arb_mat, ...]]] = []

        def gradient(point: tuple[arb_mat, ...]) -> tuple[arb_mat, ...]:
            return next(g for query, g in asked if _is_near(query, point))

        model = Model(
            Balls(),
            numbers={symbol: exact[str(symbol.name)] for symbol in algorithm.parameters},
            iterates=lambda name, time, _: iterates[name, time],
            functions={F: VectorFunction(lambda _: arb("nan"), gradient)},
            horizon=_STEPS,
        )
        state = algorithm.exact_start(v, exact)
        for equation in algorithm.beginning:
            iterates[str(equation.args[0].args[0]), 1] = model.vector(equation.args[1])
        for time, g in enumerate(gradients, start=1):
            asked.append((_blocks(algorithm.exact_query(state, time, exact)), _blocks(g)))
            iterates["g", time] = _blocks(g)
            state = algorithm.exact_step(state, g, time, exact, Space(square_norm_of, arb.sqrt))
            made = _led_to(algorithm, model, iterates, time)
            if made is None or not _is_near(made, _blocks(algorithm.iterate(state))):
                said = ", ".join(f"{each.args[0]} = {each.args[1]}" for each in algorithm.recurrence) or "no equation"
                expected = f"equations that lead to v_{time + 1} as exact_step does"
                raise InputError(f"algorithm.{algorithm.id}.recurrence", said, expected)


def _led_to(
    algorithm: Algorithm, model: Model[Any, Any], iterates: dict[tuple[str, int], Any], time: int
) -> tuple[arb_mat, ...] | None:
    """The iterate to which the equations lead from a time; None where they speak of what is not there."""
    try:
        for equation in algorithm.recurrence:
            iterates[str(equation.args[0].args[0]), time + 1] = model.vector(equation.args[1], time)
        return iterates["v", time + 1]
    except (LookupError, StopIteration, TypeError, ValueError):
        return None


def _is_near(v: tuple[arb_mat, ...], w: tuple[arb_mat, ...]) -> bool:
    return all((x - y).contains(arb_mat(x.nrows(), x.ncols())) for x, y in zip(v, w, strict=True))


def _blocks(v: Any) -> tuple[arb_mat, ...]:
    return tuple(arb_mat(part.tolist()) for part in v)


def _of_size(size: float, random: torch.Generator) -> Point:
    """Two small blocks at random, of this length together."""
    parts = [torch.randn(shape, generator=random, dtype=torch.float64) for shape in ((1, 2, 3), (1, 3, 2))]
    share = size / square_norm(tuple(parts)).sqrt().item()
    return tuple(share * part for part in parts)


def _moved(v: Point, step: Point) -> Point:
    return tuple(x + y for x, y in zip(v, step, strict=True))


def _balls(v: Point) -> Vector:
    return Vector(np.vectorize(arb, otypes=[object])(part[0].numpy()) for part in v)
