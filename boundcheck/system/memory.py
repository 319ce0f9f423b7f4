"""Room: the memory that work takes at once, part by part, from its shapes, before anything of it is made.

What makes a part large, an objective, an adapter, a function, a table of a spec, says so itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boundcheck.errors import InputError

GIB = 2**30
# Where Linux says what a container, or a job of Slurm, may take and has taken; in the second version and in the first.
_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


@dataclass(frozen=True)
class Demand:
    """Memory that is taken at once.

    Attributes:
        field: of a spec, which makes it as large.
        value: of that field.
        bytes: how much it is.
        on_host: whether it is the processor's memory also where an accelerator computes.

    """

    field: str
    value: object
    bytes: int
    on_host: bool = False


def available(device: str = "cpu") -> int:
    """Bytes that may still be taken on a device: of the machine's, and of the container's where it has fewer."""
    # Deferred: most commands take no memory to speak of.
    import psutil

    if device.startswith("cuda"):
        import torch

        # What torch has kept of what was freed is there for it too.
        if torch.cuda.is_available():
            kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
            return int(torch.cuda.mem_get_info(device)[0]) + kept
    return min([int(psutil.virtual_memory().available), *_left_in_container(), *_left_of_addresses(psutil)])


def _left_in_container() -> Iterable[int]:
    for limit, taken in _CGROUPS:
        try:
            most, now = (Path(path).read_text(encoding="ascii").strip() for path in (limit, taken))
        except OSError:
            continue
        if most != "max":
            yield max(int(most) - int(now), 0)


def _left_of_addresses(psutil: Any) -> Iterable[int]:
    """Three quarters of what `ulimit -v` leaves: it counts addresses, and more of them are taken than memory."""
    # There on Linux alone.
    if hasattr(psutil, "RLIMIT_AS"):
        process = psutil.Process()
        most, _ = process.rlimit(psutil.RLIMIT_AS)
        if most != psutil.RLIM_INFINITY:
            yield max(most - process.memory_info().vms, 0) * 3 // 4


def check_memory(parts: Iterable[Demand], memory: float | None = None, device: str = "cpu") -> int:
    """The bytes of all parts together, if there is room for them.

    Args:
        parts: what is taken at once.
        memory: GiB that may be taken; what is available if left out.
        device: where it is taken.

    Raises:
        InputError: which names the field of the largest part, where all are too large together.

    """
    if memory is not None and not memory > 0:
        raise InputError("memory", memory, "a positive number of GiB")
    held = sorted(parts, key=lambda part: part.bytes, reverse=True)
    for place in dict.fromkeys((device, "cpu")):
        here = [part for part in held if ("cpu" if part.on_host else device) == place]
        taken, most = sum(part.bytes for part in here), available(place) if memory is None else memory * GIB
        if taken > most:
            there_are = "are available" if memory is None else "--memory allows"
            expected = f"less, since with the rest it takes about {gib(taken)}, of {gib(most)} that {there_are}"
            raise InputError(here[0].field, here[0].value, expected)
    return sum(part.bytes for part in held)


def gib(size: float) -> str:
    """Bytes as a person reads them."""
    return f"{size / GIB:.2g} GiB" if size < 1000 * GIB else f"{size / GIB:.3g} GiB"
