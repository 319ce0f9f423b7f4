"""What a run is measured on: the machine, its versions, and the rates of a matrix product and of
plain memory."""

import os
from importlib.metadata import PackageNotFoundError, version

import torch

from benchmarks.line import Effort, in_turns

PACKAGES = (
    *(
        "boundcheck",
        "torch",
        "numpy",
        "scipy",
        "sympy",
        "python-flint",
        "cvxpy",
        "clarabel",
        "numba",
        "joblib",
    ),
    *("jax", "curvlinops-for-pytorch", "PEPit", "transformers", "peft", "dask"),
)
LOAD = "load when it began"
# A product of this size is bound by arithmetic; a triad of so many numbers is far larger than any
# cache.
PRODUCT, TRIAD = 2048, 2**25


def machine() -> dict[str, str]:
    """The machine in words, without its name."""
    import psutil
    from pyperf import Run

    known = Run([1.0], collect_metadata=True).get_metadata()
    return {
        "processor": str(known.get("cpu_model_name", "unknown")),
        "cores": f"{os.cpu_count()}",
        "threads of torch": f"{torch.get_num_threads()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.1f} GiB",
        "system": str(known["platform"]),
        "Python": str(known["python_version"]),
        LOAD: f"{os.getloadavg()[0]:.2f} (mean of a minute)",
    }


def versions() -> dict[str, str]:
    """The version of each package that matters, by name."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def product_rate(effort: Effort) -> float:
    """Floating-point operations a second of a float64 product of two matrices of size 2048."""
    size = PRODUCT
    a, b, out = (torch.ones(size, size, dtype=torch.float64) for _ in range(3))
    [turns] = in_turns({"product": lambda: torch.mm(a, b, out=out)}, effort.turns).values()
    return 2.0 * size**3 / turns.least


def memory_rate(effort: Effort) -> float:
    """Bytes a second of the triad a = b + s c on arrays larger than any cache; each array is
    counted once."""
    a, b, c = (torch.ones(effort.of(TRIAD), dtype=torch.float64) for _ in range(3))
    [turns] = in_turns({"triad": lambda: torch.add(b, c, alpha=3.0, out=a)}, effort.turns).values()
    return 3.0 * 8 * a.numel() / turns.least
