"""How long work tells whoever waits how far it is."""

from collections.abc import Callable

Tick = Callable[[str, int, int], None]
"""Called with a stage's name, the units done and the units in all."""


def prefixed(tick: Tick, prefix: str) -> Tick:
    """The same, with `prefix` before the name of each stage."""
    return lambda stage, done, total: tick(prefix + stage, done, total)


def silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""
