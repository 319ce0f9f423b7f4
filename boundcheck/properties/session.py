"""Settings of `check_claim` in a run of pytest: how hard to look, where to keep what it finds, and
whom to tell.

Only the standard library is imported: pytest loads this in projects that may never check a claim.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Profile:
    """A profile, which says how hard to look.

    Attributes:
        name: what ``--boundcheck-profile`` calls it.
        examples: instances to try of a claim; half as many follow that are steered toward a large
            ratio.
        repeatable: whether each run draws the same ones; otherwise Hypothesis draws new ones and
            remembers failures.
        meaning: in few words, for ``--help``.

    """

    name: str
    examples: int
    repeatable: bool
    meaning: str


PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            "quick",
            60,
            True,
            "60 instances a claim and half as many steered, the same ones each time",
        ),
        Profile("ci", 300, True, "300 and half as many steered, the same ones each time"),
        Profile("nightly", 5000, False, "5000 and half as many steered, new ones each time"),
    )
}


@dataclass(frozen=True)
class Session:
    """The settings that hold for the checks of one test.

    Attributes:
        profile: how hard to look.
        folder: where failing instances are written.
        tell: is given what each check found, as plain data.

    """

    profile: Profile = PROFILES["quick"]
    folder: Path = Path("instances")
    tell: Callable[[dict[str, Any]], None] = lambda _: None


_OUTSIDE = Session()
_session: ContextVar[Session] = ContextVar("boundcheck session")


def current() -> Session:
    """The settings that hold now: outside of pytest the quick profile, and a folder
    ``instances``.
    """
    return _session.get(_OUTSIDE)


@contextmanager
def using(**changes: Any) -> Iterator[Session]:
    """Change some of the settings within a ``with`` block."""
    token = _session.set(replace(current(), **changes))
    try:
        yield current()
    finally:
        _session.reset(token)
