"""What an entry of the gallery is: something wrong, the line by which it is refused, and a true twin that passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """One way to be misled.

    Attributes:
        name: the way in, in a few words.
        why: a regular expression that the line of refusal matches.
        wrong: tries it in a folder of its own, and returns the line of refusal; "" where it was believed.
        twin: the same without the fault: returns "" where it passes, and else the line of refusal.

    """

    name: str
    why: str
    wrong: Callable[[Path], str]
    twin: Callable[[Path], str]
