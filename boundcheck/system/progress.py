"""Progress of long work for whoever waits, and the refusal of work that would take too long."""

import time
from collections.abc import Callable

from boundcheck.errors import InputError

DAY = 24.0
"""Hours that work may take if nothing else is said."""
# Seconds of a stage after which its pace is known.
_KNOWN_AFTER = 5.0


Tick = Callable[[str, int, int], None]
"""Called with a stage's name, the units done and the units in all."""


def prefixed(tick: Tick, prefix: str) -> Tick:
    """Wrap a tick so that `prefix` stands before the name of each stage."""
    return lambda stage, done, total: tick(prefix + stage, done, total)


def limited(tick: Tick, hours: float) -> Tick:
    """Wrap a tick so that it refuses a stage that needs more than `hours` hours, once its pace is seen for 5 seconds.

    Each stage is judged once, so that a machine that sleeps for a night ends nothing.

    Raises:
        InputError: at once for a number of hours that is not positive, and while a stage works.

    """
    if not hours > 0:
        raise InputError("hours", hours, "a positive number")
    begun: dict[str, tuple[float, int]] = {}
    judged: set[str] = set()

    def told(stage: str, done: int, total: int) -> None:
        tick(stage, done, total)
        if stage in judged:
            return
        now = time.monotonic()
        since, first = begun.setdefault(stage, (now, done))
        if done <= first or now - since < _KNOWN_AFTER:
            return
        judged.add(stage)
        needed = (now - since) / (done - first) * (total - first) / 3600
        if needed > hours:
            expected = (
                f"at least {needed:.2g}, which {stage} with its {total:.4g} units takes at this pace, or less work"
            )
            raise InputError("hours", f"{hours:g}", expected)

    return told


def silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""
