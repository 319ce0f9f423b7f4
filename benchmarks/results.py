"""`Results`: every line of a run with its machine and versions, as JSON and back."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from benchmarks.line import Effort, Line
from boundcheck.errors import InputError


@dataclass(frozen=True)
class Results:
    """A run of the benchmarks.

    Attributes:
        made: when, a date.
        minutes: how long all of it took.
        effort: how much was done.
        machine, versions: on what, by name.
        lines: what came of each.

    """

    made: str
    minutes: float
    effort: Effort
    machine: dict[str, str]
    versions: dict[str, str]
    lines: tuple[Line, ...]

    def as_json(self) -> bytes:
        """One file, whose turns are in seconds."""
        return _ADAPTER.dump_json(self, indent=1) + b"\n"

    @classmethod
    def read(cls, path: Path) -> "Results":
        """From a file that `as_json` wrote; raises InputError for another."""
        try:
            return _ADAPTER.validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise InputError("results", path.name, f"a file of results ({str(error).splitlines()[0]})") from None


_ADAPTER: TypeAdapter[Results] = TypeAdapter(Results)
