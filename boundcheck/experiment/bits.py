"""All that the last bits of numbers depend on beside versions: vector instructions, BLAS, compiled loops."""

import hashlib
import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import scipy.linalg
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from boundcheck.functions.arithmetic import at_most

# Of the sides of matrices, and of terms of a sum: enough for every width of vectors, and less than threads share.
_SIDE, _TERMS = 33, 2**12


@cache
def bits() -> dict[str, Any]:
    """The instructions and libraries that sums, products and loops are computed with.

    Returns:
        ``vectors``, the instructions that PyTorch uses; ``blas``, NumPy's and SciPy's, each with its version and the
        kind of processor that it takes this one for; ``compiled``, whether numba compiles loops; and ``arithmetic``, a
        hash of the bits of a few sums, products and factors, which sees what has no name, such as MKL's own settings.

    """
    return {
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "blas": _blas(),
        "compiled": find_spec("numba") is not None and os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0"),
        "arithmetic": _hash(),
    }


def _blas() -> str:
    # Other packages bring their own, which are there or not as those were imported or not.
    site = Path(np.__file__).resolve().parents[1]
    found = [each for each in threadpool_info() if each["user_api"] == "blas"]
    ours = [each for each in found if _beside(Path(each["filepath"]), site).startswith(("numpy", "scipy"))]
    told = (
        " ".join(filter(None, (each["internal_api"], each["version"], each.get("architecture"))))
        for each in ours or found
    )
    return ", ".join(sorted(set(told)))


def _beside(path: Path, site: Path) -> str:
    return path.resolve().relative_to(site).parts[0] if path.resolve().is_relative_to(site) else ""


def _hash() -> str:
    """A hash of a few results, from one thread and memory as PyTorch aligns it: on one machine always the same."""
    digest = hashlib.sha256()
    with at_most(1), threadpool_limits(1, user_api="blas"):
        x = torch.arange(1, _TERMS + 1, dtype=torch.float64).sqrt()
        square = x[: _SIDE**2].reshape(_SIDE, _SIDE).sin()
        stack = x[: 3 * _SIDE].reshape(3, _SIDE, 1) @ x[: 3 * _SIDE].reshape(3, 1, _SIDE).cos()
        found = [
            x.sum(),
            (x * x.log()).mean(),
            x.exp().tanh(),
            square @ square,
            stack @ square,
            stack.float() @ square.float(),
        ]
        found += [torch.linalg.matrix_norm(square), torch.linalg.svdvals(square), torch.softmax(square, 1)]
        plain = square.numpy()
        others = [plain @ plain, plain.sum(), np.exp(plain), np.linalg.svd(plain)[1], scipy.linalg.svdvals(plain)]
    for each in (*(part.numpy() for part in found), *others):
        digest.update(np.asarray(each).tobytes())
    return digest.hexdigest()[:12]
