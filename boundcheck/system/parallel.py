"""Independent calls, spread over an engine: the longest first, told of as each is finished, none lost."""

import os
import time
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock
from types import TracebackType
from typing import Any

from boundcheck.errors import BoundcheckError, InputError
from boundcheck.system.executors import Engine
from boundcheck.system.progress import Tick

# Variables that say something to boundcheck.
_OURS = "BOUNDCHECK_"
# Seconds between two looks at how far the calls are.
_LOOKS = 1.0


@dataclass(frozen=True)
class Call:
    """A call that any process can make.

    Attributes:
        name: what progress says when it is finished.
        function, arguments: both can be pickled.
        seconds: about how long it takes on one core.
        done: how much of it is done, from 0 to 1, while it is under way.

    """

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    seconds: float = 1.0
    done: Callable[[], float] = lambda: 0.0


@dataclass(frozen=True)
class _Work:
    """The part of a call that an engine is sent."""

    settings: dict[str, str]
    function: Callable[..., Any]
    arguments: tuple[Any, ...]

    def __call__(self) -> Any:
        """Make the call; return its result, or a boundcheck error, as not every engine brings back a raised one."""
        # A process that has worked before has the variables of that time.
        os.environ.update(self.settings)
        try:
            return self.function(*self.arguments)
        except BoundcheckError as error:
            return error


class Running:
    """Calls that an engine works on, from the moment that this is made until it is left."""

    def __init__(self, calls: Sequence[Call], engine: Engine, tick: Tick) -> None:
        """Start the calls; `tick` is told of the seconds that those finished were to take."""
        self._calls, self._engine, self._tick = calls, engine, tick
        # A long call that is begun last would be waited for alone.
        self._waiting = deque(sorted(range(len(calls)), key=lambda i: -calls[i].seconds))
        self._flying: set[int] = set()
        self._losses = [0] * len(calls)
        self._ended: SimpleQueue[tuple[int, Future[Any]]] = SimpleQueue()
        self._lock, self._found = Lock(), dict[int, Any]()
        self._total, self._done = sum(call.seconds for call in calls), 0.0
        self._parts, self._looked = dict[int, float](), time.monotonic()
        self._send()

    def __enter__(self) -> "Running":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Cancel what is unfinished."""
        with self._lock:
            self._waiting.clear()
        self._engine.close(unfinished=len(self._found) < len(self._calls))

    def results(self) -> list[Any]:
        """The result of each call, in the order of the calls; waits for all of them.

        Raises:
            InputError: one of a call, and for a call whose process was lost again and again.

        """
        with warnings.catch_warnings():
            # A process that holds much memory is replaced by a fresh one, and loses nothing.
            warnings.filterwarnings("ignore", "A worker stopped", UserWarning)
            while len(self._found) < len(self._calls):
                self._engine.proceed()
                try:
                    i, future = self._ended.get(timeout=_LOOKS)
                except Empty:
                    self._tell(self._calls[min(self._flying)].name if self._flying else "waiting")
                    continue
                self._take(i, future)
        return [self._found[i] for i in range(len(self._calls))]

    def _take(self, i: int, future: Future[Any]) -> None:
        call = self._calls[i]
        try:
            found = future.result()
        except CancelledError:
            left = f"lost, with {len(self._calls) - len(self._found)} of {len(self._calls)} {call.name} unfinished"
            expected = (
                "a scheduler that lives; what is finished is kept, and so are checkpoints: the same command goes on "
                "from there as soon as a scheduler answers, or without a cluster"
            )
            raise InputError("cluster", left, expected) from None
        except Exception as error:
            if not self._engine.lost(error):
                raise
            self._lose(i)
            return
        if isinstance(found, BoundcheckError):
            raise found
        self._found[i] = found
        self._done += call.seconds
        self._tell(call.name)

    def _lose(self, i: int) -> None:
        """Send a call again whose process was lost, unless that has happened too often."""
        self._losses[i] += 1
        if self._losses[i] > self._engine.again:
            expected = (
                "a process that lives: each that worked on it was killed, as a system does that is short of memory; "
                "fewer jobs need less, and what is finished is kept"
            )
            raise InputError("jobs", self._calls[i].name, expected)
        with self._lock:
            self._flying.discard(i)
            self._waiting.appendleft(i)
        self._send()

    def _send(self) -> None:
        """Hand over what there is room for."""
        with self._lock:
            sent = []
            while self._waiting and self._may_send(self._waiting[0]):
                sent.append(self._waiting.popleft())
                self._flying.add(sent[-1])
            settings = {name: value for name, value in os.environ.items() if name.startswith(_OURS)}
            calls = [self._calls[i] for i in sent]
            works = [_Work(settings, call.function, call.arguments) for call in calls]
            futures = self._engine.submit(works) if works else []
        for i, future in zip(sent, futures, strict=True):
            future.add_done_callback(partial(self._end, i))

    def _may_send(self, i: int) -> bool:
        """True if there is room; on its last try a call is alone, so that it is known whose fault a loss is."""
        if not self._flying:
            return True
        last = [j for j in (i, *self._flying) if self._losses[j] and self._losses[j] == self._engine.again]
        if self._engine.shares_fate and last:
            return False
        return self._engine.room is None or len(self._flying) < self._engine.room

    def _end(self, i: int, future: Future[Any]) -> None:
        """Note a call's end in a thread of the engine, and send the next at once, not when results are asked for."""
        if not future.cancelled() and future.exception() is None:
            with self._lock:
                self._flying.discard(i)
            self._send()
        self._ended.put((i, future))

    def _tell(self, name: str) -> None:
        if time.monotonic() - self._looked > _LOOKS:
            # Not at each end of a call: a look at a thousand of them is a thousand files.
            seen = {i: self._calls[i].done() * self._calls[i].seconds for i in tuple(self._flying)}
            self._parts, self._looked = {i: part for i, part in seen.items() if part}, time.monotonic()
        done = self._done + sum(part for i, part in self._parts.items() if i not in self._found)
        self._tick(name, round(done), round(self._total))
