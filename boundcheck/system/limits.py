"""The time and the memory that work may take: progress, and the refusal of what takes too much."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from boundcheck.errors import InputError

DAY = 24.0
"""Hours that work may take if nothing else is said."""
# Seconds of a stage after which its pace is known.
_KNOWN_AFTER = 5.0


Tick = Callable[[str, int, int], None]
"""Called with a stage's name, the units done and the units in all."""


def limited(tick: Tick, hours: float) -> Tick:
    """Wrap a tick so that it refuses a stage that needs more than `hours` hours, once its pace is
    seen for 5 seconds.

    Each stage is judged once, so that a machine that sleeps for a night ends nothing; what is
    refused stays so, also where it is called again. Raises InputError at once for a number of hours
    that is not positive, and while a stage works.
    """
    if not hours > 0:
        raise InputError("hours", hours, "a positive number")
    begun: dict[str, tuple[float, int]] = {}
    judged: dict[str, InputError | None] = {}

    def told(stage: str, done: int, total: int) -> None:
        tick(stage, done, total)
        if stage not in judged:
            now = time.monotonic()
            since, first = begun.setdefault(stage, (now, done))
            if done <= first or now - since < _KNOWN_AFTER:
                return
            needed = (now - since) / (done - first) * (total - first) / 3600
            work = f"{stage} with its {total:.4g} units takes at this pace, or less work"
            error = InputError("hours", f"{hours:g}", f"at least {needed:.2g}, which {work}")
            judged[stage] = error if needed > hours else None
        if (refusal := judged[stage]) is not None:
            raise refusal

    return told


class _Silent:
    """A call that tells nobody; a signature shows its name, and no address."""

    def __call__(self, *told: object) -> None:
        pass

    def __repr__(self) -> str:
        return "silent"


silent = _Silent()


GIB = 2**30
# Where Linux says what a container, or a job of Slurm, may take and has taken; in the second
# version and in the first.
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
    """Bytes that may still be taken on a device: of the machine's, and of the container's where it
    has fewer.
    """
    # Deferred: most commands take no memory to speak of.
    import psutil

    if device.startswith("cuda"):
        import torch

        # What torch has kept of what was freed is there for it too.
        if torch.cuda.is_available():
            kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
            return int(torch.cuda.mem_get_info(device)[0]) + kept
    left = [int(psutil.virtual_memory().available)]
    for limit, usage in _CGROUPS:
        try:
            most, taken = (
                Path(path).read_text(encoding="ascii").strip() for path in (limit, usage)
            )
        except OSError:
            continue
        if most != "max":
            left.append(max(int(most) - int(taken), 0))
    # There on Linux alone.
    if hasattr(psutil, "RLIMIT_AS"):
        process = psutil.Process()
        most, _ = process.rlimit(psutil.RLIMIT_AS)
        if most != psutil.RLIM_INFINITY:
            # Three quarters of what `ulimit -v` leaves: it counts addresses, and more of them are
            # taken than memory.
            left.append(max(most - process.memory_info().vms, 0) * 3 // 4)
    return min(left)


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
        taken = sum(part.bytes for part in here)
        most = available(place) if memory is None else memory * GIB
        if taken > most:
            there_are = "are available" if memory is None else "--memory allows"
            raise InputError(
                here[0].field,
                here[0].value,
                f"less, since with the rest it takes about {gib(taken)}, of {gib(most)} that"
                f" {there_are}",
            )
    return sum(part.bytes for part in held)


def gib(size: float) -> str:
    """Bytes as a person reads them."""
    return f"{size / GIB:.2g} GiB" if size < 1000 * GIB else f"{size / GIB:.3g} GiB"
