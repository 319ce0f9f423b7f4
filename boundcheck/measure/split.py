"""The two parts of F's curvature along a run: that of f, and that of the map W(v), for each pair of blocks of v."""

import numpy as np
import xarray as xr

from boundcheck.measure.curvature import block_norms
from boundcheck.problems.derivatives import bilinear_product, gauss_newton_product, hessian_vector_product
from boundcheck.problems.norms import Point
from boundcheck.problems.problem import Problem
from boundcheck.progress import Tick

# The whole matrix is formed: beyond this many trained numbers it is left out.
_LARGEST = 600
_LOOKS = 16
_PARTS = {"gauss-newton": gauss_newton_product, "bilinear": bilinear_product, "hessian": hessian_vector_product}


def split_along(problem: Problem, iterates: list[Point], tick: Tick) -> xr.Dataset:
    r"""Spectral norms of the blocks of :math:`DW^*\nabla^2 f DW`, :math:`\langle\nabla f, D^2W\rangle` and their sum.

    At iterates at equal ratios of time, the first and the last among them; ``split`` has the dimensions part, row,
    column and look. Empty for a curved domain, where the two parts do not add up to the Riemannian Hessian, without
    iterates, and beyond 600 trained numbers.
    """
    sizes = sum(part.numel() for part in iterates[0]) if iterates else 0
    if not 0 < sizes <= _LARGEST or not problem.adapter.is_flat:
        return xr.Dataset()
    times = np.unique(np.geomspace(1, len(iterates), _LOOKS).round().astype(int))
    found = []
    for done, time in enumerate(times):
        found.append([block_norms(problem, iterates[time - 1], product) for product in _PARTS.values()])
        tick("split", done + 1, len(times))
    names = [block.name for block in problem.adapter.blocks]
    split = xr.DataArray(
        np.moveaxis(np.array(found), 0, -1),
        dims=("part", "row", "column", "look"),
        coords={"part": list(_PARTS), "row": names, "column": names, "time": ("look", times)},
        attrs={"meaning": "spectral norm of a block of a part of the Hessian of F"},
    )
    return xr.Dataset({"split": split})
