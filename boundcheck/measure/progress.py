"""How long work tells whoever waits how far it is."""

from collections.abc import Callable

Tick = Callable[[str, int, int], None]
"""Called with a stage's name, the units done and the units in all."""


def silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""
