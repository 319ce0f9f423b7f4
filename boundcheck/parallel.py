"""Independent calls, spread over the processes of a pool: the longest first, told of as each is finished."""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from boundcheck.errors import InputError
from boundcheck.progress import Tick
from boundcheck.signals import end_with_parent

# Variables that say something to boundcheck.
_OURS = "BOUNDCHECK_"


@dataclass(frozen=True)
class Call:
    """A call that any process can make.

    Attributes:
        name: what progress says when it is finished.
        function, arguments: both can be pickled.
        seconds: about how long it takes on one core.

    """

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    seconds: float = 1.0


class Running:
    """Calls that a pool of processes works on, from the moment that this is made."""

    def __init__(self, calls: Sequence[Call], jobs: int, tick: Tick) -> None:
        """Start the calls, at most `jobs` at a time; `tick` is told of the seconds that those finished were to take."""
        self._calls, self._jobs, self._tick = calls, jobs, tick
        # A long call that is begun last would be waited for alone.
        order = sorted(range(len(calls)), key=lambda i: -calls[i].seconds)
        settings = {name: value for name, value in os.environ.items() if name.startswith(_OURS)}
        waiting = (delayed(_numbered)(i, settings, calls[i].function, calls[i].arguments) for i in order)
        self._finished = Parallel(jobs, return_as="generator_unordered", batch_size=1)(waiting)

    def results(self) -> list[Any]:
        """What each call returned, in the order of the calls; waits for all of them."""
        found: dict[int, Any] = {}
        total, done = sum(call.seconds for call in self._calls), 0.0
        with warnings.catch_warnings():
            # A process that holds much memory is replaced by a fresh one, and loses nothing.
            warnings.filterwarnings("ignore", "A worker stopped", UserWarning)
            for i, result in self._all():
                found[i] = result
                done += self._calls[i].seconds
                self._tick(self._calls[i].name, round(done), round(total))
        return [found[i] for i in range(len(self._calls))]

    def _all(self) -> Iterator[tuple[int, Any]]:
        try:
            yield from self._finished
        except TerminatedWorkerError:
            expected = (
                "processes that live: one was killed, as a system does that is short of memory; fewer jobs need less"
            )
            raise InputError("jobs", self._jobs, f"{expected}, and what is finished is kept") from None


def _numbered(
    i: int, settings: dict[str, str], function: Callable[..., Any], arguments: tuple[Any, ...]
) -> tuple[int, Any]:
    end_with_parent()
    # A process that has worked before has the variables of that time.
    os.environ.update(settings)
    return i, function(*arguments)
