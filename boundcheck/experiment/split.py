"""The two parts of F's curvature along a run: that of f, and that of the map W(v), for each pair of blocks of v."""

import numpy as np
import xarray as xr

from boundcheck.functions.arithmetic import Point
from boundcheck.functions.curvature import bilinear_product, block_norms, gauss_newton_product
from boundcheck.functions.problem import Problem
from boundcheck.system.limits import Tick

# The whole matrix is formed: beyond this many trained numbers it is left out.
_LARGEST = 320
_PARTS = {"gauss-newton": gauss_newton_product, "bilinear": bilinear_product}


def split_along(problem: Problem, iterates: list[Point], looks: int, tick: Tick) -> xr.Dataset:
    r"""Spectral norms of the blocks of :math:`DW^*\nabla^2 f DW` and :math:`\langle\nabla f, D^2W\rangle`.

    Their sum is the Hessian of F. The looks are at equal ratios of time, from the first iterate to the last; ``split``
    has the dimensions part, row, column and look. Empty for a curved domain, whose tangents are no blocks of numbers,
    without iterates or looks, and beyond 320 trained numbers.
    """
    sizes = sum(part.numel() for part in iterates[0]) if iterates else 0
    if not 0 < sizes <= _LARGEST or looks == 0 or not problem.adapter.is_flat:
        return xr.Dataset()
    times = np.unique(np.geomspace(1, len(iterates), looks).round().astype(int))
    found = []
    for done, time in enumerate(times):
        found.append([block_norms(problem, iterates[time - 1], product) for product in _PARTS.values()])
        tick("split", done + 1, len(times))
    # Names are attributes, in one text: zarr has no settled format for arrays of text, and netCDF no lists of it.
    split = xr.DataArray(
        np.moveaxis(np.array(found), 0, -1),
        dims=("part", "row", "column", "look"),
        attrs={
            "meaning": "spectral norm of a block of a part of the Hessian of F",
            "parts": " ".join(_PARTS),
            "blocks": " ".join(block.name for block in problem.adapter.blocks),
        },
    )
    time = xr.DataArray(times, dims=("look",), attrs={"meaning": "the iterate, counted from 1"})
    return xr.Dataset({"split": split, "look_time": time})
