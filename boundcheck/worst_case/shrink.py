"""Shrinking an instance: fewer rows and columns, a lower rank, constants of 1, numbers with few digits."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch

from boundcheck.errors import InputError
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.functions.arithmetic import Point
from boundcheck.language.sentence import gradient_norm
from boundcheck.worst_case.certify import Certificate, certify
from boundcheck.worst_case.climb import Climber
from boundcheck.worst_case.instance import AdapterInstance, rank_of
from boundcheck.worst_case.structure import Structure, constants_of

# How much of the ratio a smaller instance may lose.
_LOSS = 1e-3
_STARTS, _ROUNDS = 16, 96


def shrunk(instance: AdapterInstance, certificate: Certificate) -> AdapterInstance:
    """The smallest instance found inside the domain that is as good to a thousandth, and violates if this one does."""
    best = instance
    for smaller in _smaller(instance):
        try:
            made = Climber(smaller, _STARTS, 0).run(_ROUNDS).best(instance.claim, instance.lipschitz)
        except InputError:
            # The claim is not about this structure.
            continue
        if _as_good(made, certificate):
            best = made
            break
    for digits in (1, 2, 3, 4):
        rounded = _rounded(best, digits)
        if rounded is not None and _as_good(rounded, certificate):
            return rounded
    return best


def _as_good(instance: AdapterInstance, than: Certificate) -> bool:
    try:
        found = certify(instance)
    except InputError:
        # Rounding can make a factor or a column 0.
        return False
    return found.inside and found.violated >= than.violated and found.lower >= (1 - _LOSS) * than.lower


def _smaller(instance: AdapterInstance) -> Iterator[Structure]:
    """Structures from the smallest up to that of the instance itself."""
    own = _structure(instance)
    plain = constants_of(own.kind, instance.claim, {})
    for rank in range(1, own.rank + 1):
        for side in range(rank, min(rank + 1, own.d, own.k) + 1):
            yield Structure.of(instance.claim, own.kind, (side, side, rank), plain)
            yield replace(own, d=side, k=side, rank=rank)


def _structure(instance: AdapterInstance) -> Structure:
    adapter = instance.adapter
    (d, k), direction = adapter.W0.shape, float(np.linalg.norm(instance.direction))
    norms: Mapping[str, float] = {
        parameter: float(torch.linalg.vector_norm(X, dim=0).min() if name == "W0" else torch.linalg.matrix_norm(X, 2))
        for name, parameter in adapter.frozen.items()
        for X in (getattr(adapter, name),)
    }
    return Structure(
        adapter.kind,
        d,
        k,
        rank_of(adapter),
        instance.slope * direction**2,
        instance.gradient_bound,
        float(getattr(adapter, "scale", 1.0)),
        instance.radii,
        norms,
        gradient_norm(instance.claim) == "spectral",
        instance.given,
    )


def _rounded(instance: AdapterInstance, digits: int) -> AdapterInstance | None:
    """The instance with few digits in points, step, f's two matrices and the frozen ones; None if nothing is left."""
    adapter = copy.copy(instance.adapter)
    for name in ADAPTERS[adapter.kind].frozen:
        object.__setattr__(adapter, name, getattr(adapter, name).round(decimals=digits))
    try:
        replace(adapter)
    except InputError:
        # The adapter refuses such a matrix.
        return None
    # A block with orthonormal rows would lose them.
    v = tuple(
        part if block.norm == "orthonormal" else part.round(decimals=digits)
        for block, part in zip(adapter.blocks, instance.v, strict=True)
    )
    if adapter.is_flat:
        step = tuple(x - y for x, y in zip(instance.other, instance.v, strict=True))
        # In units of a power of two, so that a rounded number can be written exactly.
        unit = 2.0 ** np.floor(np.log2(max(float(part.abs().max()) for part in step)))
        small = _few(tuple(part / unit for part in step), digits)
        other = tuple(x + unit * y for x, y in zip(v, small, strict=True))
    else:
        other = _few(instance.other, digits)
    direction = instance.direction.round(digits)
    size = float(np.linalg.norm(instance.tilt, 2)) or 1.0
    tilt = (instance.tilt / size).round(digits)
    if not direction.any():
        return None
    s = _structure(instance)
    return AdapterInstance.around(
        instance.claim, adapter, instance.radii, instance.lipschitz, s.L, s.G, direction, tilt, v, other, s.given
    )


def _few(point: Point, digits: int) -> Point:
    return tuple(part.round(decimals=digits) for part in point)
