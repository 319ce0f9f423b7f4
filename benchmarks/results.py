"""`Results`: every line of a run with its machine and versions, as JSON and back."""

from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from benchmarks.line import Effort, Line
from benchmarks.machine import LOAD
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

    def renewed(self, later: "Results") -> "Results":
        """These with the lines of a later run in place of their own.

        Raises:
            InputError: where the later ones are of another machine, of other versions, or measured
                with another effort.

        """
        for name, before, now in (
            ("machine", _lasting(self.machine), _lasting(later.machine)),
            ("versions", self.versions, later.versions),
            ("effort", vars(self.effort), vars(later.effort)),
        ):
            if other := next((key for key, value in now.items() if before.get(key) != value), None):
                expected = (
                    f"{before.get(other)}, as of the lines that stand; without names all are"
                    " measured again"
                )
                raise InputError(f"{name}, {other}", now[other], expected)
        new = {line.name: line for line in later.lines}
        lines = tuple(new.pop(line.name, line) for line in self.lines)
        return replace(
            self,
            made=later.made,
            minutes=self.minutes + later.minutes,
            lines=(*lines, *new.values()),
        )

    def as_json(self) -> bytes:
        """One file, whose turns are in seconds."""
        return _ADAPTER.dump_json(self, indent=1) + b"\n"

    @classmethod
    def read(cls, path: Path) -> "Results":
        """From a file that `as_json` wrote; raises InputError for another."""
        try:
            return _ADAPTER.validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise InputError(
                "results", path.name, f"a file of results ({str(error).splitlines()[0]})"
            ) from None


def _lasting(machine: dict[str, str]) -> dict[str, str]:
    """What is the same of a machine whenever it is looked at."""
    return {name: value for name, value in machine.items() if name != LOAD}


_ADAPTER: TypeAdapter[Results] = TypeAdapter(Results)
