"""The folder by which the processes of a sweep know that they see the same files, how far each is, and when to stop."""

import platform
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from boundcheck.errors import BoundcheckError, InputError
from boundcheck.experiment.run import STAGE
from boundcheck.system.files import replace_file
from boundcheck.system.limits import Tick

# Seconds between two words of a process, and between two looks at whether it is still wanted.
_EVERY = 2.0


class UnwantedError(BoundcheckError):
    """The sweep has ended elsewhere; nobody waits for this experiment."""


@dataclass(frozen=True)
class Shared:
    """A folder beside the run folders, which is there while a sweep is under way.

    Attributes:
        path: of a name that no other sweep has, so that another folder at the same place is not taken for it.

    """

    path: Path

    @classmethod
    @contextmanager
    def beside(cls, runs: Path) -> Iterator["Shared"]:
        """Make the folder, for as long as the sweep is under way."""
        path = runs.resolve() / f".sweep-{secrets.token_hex(8)}"
        try:
            path.mkdir(parents=True)
        except OSError as error:
            raise InputError("runs", runs, f"a folder that can be written ({error.strerror})") from None
        try:
            yield cls(path)
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def check(self) -> None:
        """Refuse to work where the folder is not seen, or cannot be written."""
        try:
            replace_file(self.path / f"{platform.node()}.seen", b"")
        except OSError as error:
            expected = f"a folder that every worker sees and writes; {platform.node()} does not ({error.strerror})"
            raise InputError("runs", self.path.parent, expected) from None

    def told(self, name: str) -> Tick:
        """A tick that says now and then how much of a run is done, and stops one that nobody waits for.

        Raises:
            UnwantedError: while it works.

        """
        said = time.monotonic()

        def tell(stage: str, done: int, total: int) -> None:
            nonlocal said
            if time.monotonic() - said < _EVERY:
                return
            said = time.monotonic()
            if not self.path.is_dir():
                raise UnwantedError("the sweep was stopped")
            if stage == STAGE:
                (self.path / name).write_text(f"{done / total:.4f}", "utf-8")

        return tell

    def done(self, name: str) -> float:
        """The share of a run that is done, from 0 to 1, as far as it was said."""
        try:
            return float((self.path / name).read_text("utf-8"))
        except (OSError, ValueError):
            return 0.0
